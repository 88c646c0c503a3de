"""Keeping a filtered list under a name."""

from datetime import datetime

from django.db import IntegrityError, transaction

from jilink.core.parties.access import Actor, NotFound
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import TeamId
from jilink.services.console.models import SavedView
from jilink.services.console.reads import views

MOST = 30
_HIDDEN = "There is no such thing, or you may not see it."


class ViewRefused(Refused):
    """A view needs a name of its own, and there are at most thirty."""


@transaction.atomic
def save_view(*, name: str, query: str, by: Actor, team: int | None = None, now: datetime | None = None) -> int:
    """Keep a list for oneself or for a team one is in, and return its id. Raises ViewRefused, NotFound."""
    title = " ".join(name.replace("\0", "").split())[:60]
    if by.user is None or (team is not None and TeamId(team) not in by.teams):
        raise NotFound(_HIDDEN)
    if not title:
        raise ViewRefused("Please give the view a name.")
    owner = by.user if team is None else None
    if SavedView.objects.filter(owner=owner, team=team).count() >= MOST:
        raise ViewRefused("At most %(most)d views are kept.", most=MOST)
    row = SavedView(name=title, query=views.read(query).query(), owner_id=owner, team_id=team, made_by=by.user, made_at=now or utc_now())
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise ViewRefused("There is a view of this name already.") from error
    return row.pk


@transaction.atomic
def remove_view(*, view: int, by: Actor) -> None:
    """Forget a view of one's own or of a team one is in. Raises NotFound."""
    row = SavedView.objects.filter(pk=view).first()
    if row is None or not (row.owner_id == by.user if row.team_id is None else row.team_id in by.teams):
        raise NotFound(_HIDDEN)
    row.delete()
