"""Several accounts at once that share one password: for exercises and demonstrations, entered by the installation itself."""

from collections.abc import Mapping

from django.contrib.auth.hashers import make_password
from django.db import transaction

from jilink.core.parties import audit
from jilink.core.parties.access import Actor
from jilink.core.parties.actions import NameTaken
from jilink.core.parties.models import User
from jilink.kernel.errors import Refused


@transaction.atomic
def add_accounts(*, names: Mapping[str, str], password: str, by: Actor) -> dict[str, int]:
    """Add an account for each user name, with the person's name, and return their ids. The password is hashed once.

    Raises NameTaken. Only the installation does it: people choose passwords of their own.
    """
    if not by.is_installation:
        raise Refused("Only the command line adds several accounts at once.")
    taken = User.objects.filter(username__in=list(names)).values_list("username", flat=True).first()
    if taken is not None:
        raise NameTaken("There is already an account named %(name)s.", name=taken)
    kept = make_password(password)
    made = {}
    for username, name in names.items():
        row = User.objects.create(username=username, first_name=name, password=kept)
        audit.record(by, "user.added", f"user:{row.pk}", None)
        made[username] = row.pk
    return made
