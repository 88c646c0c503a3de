"""The one door: every read and action of every service asks here, and nowhere else, whether it may go on.

A row of another organisation and a row that does not exist are refused alike, so that nobody learns what lies behind a wall.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.http import HttpRequest

from jilink.core.parties import walls
from jilink.core.parties.models import Member, Organisation
from jilink.core.parties.rules import Permission, permissions_of
from jilink.kernel.errors import Refused
from jilink.kernel.ids import OrganisationId


class NotFound(Refused):
    """There is no such thing for this person: it does not exist, or a wall or a missing permission hides it."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Someone who asks: a person with what each organisation grants them, or a process of the installation."""

    name: str
    """``user:7``, or ``system:demo``. Goes into the audit, never a person's name."""
    user: int | None = None
    grants: Mapping[OrganisationId, frozenset[Permission]] = field(default_factory=dict)

    def may(self, permission: Permission) -> bool:
        """Return whether any organisation grants it: for deciding what to show, not what to allow."""
        return any(permission in granted for granted in self.grants.values())


NOBODY = Actor("nobody")


def actor_of(user: AbstractBaseUser | AnonymousUser) -> Actor:
    """Return the actor for whoever signed in, with the grants of each membership spread over its subtree."""
    if not user.is_authenticated or not user.is_active:
        return NOBODY
    with walls.everything():
        memberships = list(Member.objects.filter(user_id=user.pk).values_list("organisation__path", "role"))
    grants: dict[OrganisationId, frozenset[Permission]] = {}
    for path, role in memberships:
        granted = permissions_of(role)
        for pk in Organisation.objects.filter(path__startswith=path).values_list("pk", flat=True):
            key = OrganisationId(pk)
            grants[key] = grants.get(key, frozenset()) | granted
    walls.let_in(grants)
    return Actor(f"user:{user.pk}", user.pk, grants)


def actor_of_session(session_key: str | None) -> Actor:
    """Return who a session belongs to now, read afresh: for streams that stay open while people sign out or change."""
    walls.begin_anew()
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    return actor_of(get_user(request))


def system(name: str) -> Actor:
    """Return the actor of the installation itself (command line, reactions); it stands on no side of any wall."""
    everything = frozenset(Permission)
    return Actor(f"system:{name}", None, {OrganisationId(pk): everything for pk in Organisation.objects.values_list("pk", flat=True)})


def organisations_of(actor: Actor, permission: Permission) -> frozenset[OrganisationId]:
    """Return every organisation in which the actor holds the permission."""
    return frozenset(organisation for organisation, granted in actor.grants.items() if permission in granted)


def require(actor: Actor, permission: Permission, organisation: OrganisationId | int | None) -> None:
    """Return where the actor holds the permission in the organisation; raise NotFound anywhere else."""
    if organisation is None or permission not in actor.grants.get(OrganisationId(organisation), frozenset()):
        raise NotFound("There is no such thing, or you may not see it.")


def require_anywhere(actor: Actor, permission: Permission) -> frozenset[OrganisationId]:
    """Return the organisations that grant the permission; raise NotFound where none does."""
    allowed = organisations_of(actor, permission)
    if not allowed:
        raise NotFound("There is no such thing, or you may not see it.")
    return allowed
