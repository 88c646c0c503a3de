"""The one door: every read and action of every service asks here, and nowhere else, whether it may go on.

A row of another organisation and a row that does not exist are refused alike, so that nobody learns what lies behind a wall.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hmac import compare_digest
from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Q
from django.http import HttpRequest

from jilink.core.parties import walls
from jilink.core.parties.models import Member, Organisation, TeamMember, Token
from jilink.core.parties.rules import Permission, Scope, narrowed, permissions_of
from jilink.core.parties.tokens import rules as tokens
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import OrganisationId, TeamId


class NotFound(Refused):
    """There is no such thing for this person: it does not exist, or a wall or a missing permission hides it."""

    permission: Permission | None = None
    """What was asked for in vain, where this door refused it: for the audit (`refusals`), never for the answer."""
    organisation: int | None = None

    @classmethod
    def of(cls, permission: Permission, organisation: int | None = None) -> "NotFound":
        """Return the refusal of a permission over a row of an organisation, or over nothing."""
        error = cls(_HIDDEN)
        error.permission, error.organisation = permission, organisation
        return error


@dataclass(frozen=True, slots=True)
class Actor:
    """Someone who asks: a person with what each organisation grants them, or a process of the installation."""

    name: str
    """``user:7``, ``user:7/token:3`` or ``system:demo``. Goes into the audit, never a person's name."""
    user: int | None = None
    grants: Mapping[OrganisationId, frozenset[Permission]] = field(default_factory=dict)
    """What is granted over every row of an organisation."""
    narrow: Mapping[OrganisationId, frozenset[Permission]] = field(default_factory=dict)
    """What is granted in an organisation only over rows assigned to this person, or (`team_grants`) to a team of theirs."""
    team_grants: Mapping[TeamId, frozenset[Permission]] = field(default_factory=dict)
    teams: frozenset[TeamId] = frozenset()
    """Every team the person is in, whatever the scope: for "my team's" lists."""

    def may(self, permission: Permission) -> bool:
        """Return whether any organisation grants it, however narrowly: for deciding what to show, not what to allow."""
        return any(permission in granted for granted in (*self.grants.values(), *self.narrow.values()))

    @property
    def is_installation(self) -> bool:
        """Return whether a process of the installation asks (`system`). Whoever is signed out has no account either, and is not it."""
        return self.name.startswith("system:")

    def limited(self, permissions: frozenset[Permission], *, name: str) -> "Actor":
        """Return the same actor with nothing but these permissions, under another name in the audit."""
        whole = {key: granted & permissions for key, granted in self.grants.items()}
        narrow = {key: granted & permissions for key, granted in self.narrow.items()}
        teams = {key: granted & permissions for key, granted in self.team_grants.items()}
        return Actor(name, self.user, whole, narrow, teams, self.teams)

    @property
    def organisations(self) -> frozenset[OrganisationId]:
        """Return every organisation of which the actor may see anything: the walls around a request as a whole."""
        return frozenset(key for key, granted in (*self.grants.items(), *self.narrow.items()) if granted)


@dataclass(frozen=True, slots=True)
class Reach:
    """Which rows with a team and an assignee one permission reaches."""

    whole: frozenset[OrganisationId]
    """Organisations of which every row is in reach."""
    teams: frozenset[TeamId]
    """In the organisations of `own`: rows of these teams."""
    own: frozenset[OrganisationId]
    """Organisations in which rows assigned to `user`, or to one of `teams`, are in reach."""
    user: int | None

    def __bool__(self) -> bool:
        return bool(self.whole or self.own)

    def rows(self, *, team: str = "team", owner: str = "assignee", organisation: str = "organisation") -> Q:
        """Return the filter for a table whose columns are named so. A reach of nothing lets no row through."""
        found = Q(**{f"{organisation}__in": self.whole})
        if self.own:
            mine = Q(**{f"{team}__in": self.teams})
            if self.user is not None:
                mine |= Q(**{owner: self.user})
            found |= Q(**{f"{organisation}__in": self.own}) & mine
        return found

    def covers(self, organisation: int | None, team: int | None = None, owner: int | None = None) -> bool:
        """Return whether one row is in reach: the same rule as `rows`, for a row at hand."""
        if organisation is None:
            return False
        mine = (team is not None and TeamId(team) in self.teams) or (owner is not None and owner == self.user)
        return OrganisationId(organisation) in self.whole or (mine and OrganisationId(organisation) in self.own)


NOBODY = Actor("nobody")
_HIDDEN = "There is no such thing, or you may not see it."


class _Grants:
    """What the memberships of one person come to, gathered one by one."""

    def __init__(self) -> None:
        self.whole: dict[OrganisationId, frozenset[Permission]] = {}
        self.narrow: dict[OrganisationId, frozenset[Permission]] = {}
        self.teams: dict[TeamId, frozenset[Permission]] = {}

    def add(self, place: tuple[int, str], role: str, scope: str, teams: list[tuple[int, int, str]]) -> None:
        """Add one membership in `place` (organisation, path); `teams` are (team, organisation, path) of the person."""
        whole, narrow = narrowed(permissions_of(role), scope)
        below = (
            Organisation.objects.filter(path__startswith=place[1]).values_list("pk", flat=True) if scope == Scope.SUBTREE else [place[0]]
        )
        for pk in below:
            self.whole[OrganisationId(pk)] = self.whole.get(OrganisationId(pk), frozenset()) | whole
        if not narrow:
            return
        inside = [(team, pk) for team, pk, path in teams if path.startswith(place[1])]
        for pk in {place[0], *(pk for _team, pk in inside)}:
            self.narrow[OrganisationId(pk)] = self.narrow.get(OrganisationId(pk), frozenset()) | narrow
        for team, _pk in inside if scope == Scope.TEAM else []:
            self.teams[TeamId(team)] = self.teams.get(TeamId(team), frozenset()) | narrow


def actor_of(user: AbstractBaseUser | AnonymousUser) -> Actor:
    """Return the actor for whoever signed in, with the grants of each membership spread as far as its scope reaches."""
    if not user.is_authenticated or not user.is_active:
        return NOBODY
    with walls.everything():
        actor = _with_grants(user.pk)
    walls.let_in(actor.organisations)
    return actor


def actor_of_account(user: int) -> Actor:
    """Return the actor of an account by its number, with its grants as they are now: for the installation's own command line."""
    with walls.everything():
        return _with_grants(user)


def _with_grants(user: int) -> Actor:
    teams = list(TeamMember.objects.filter(user_id=user).values_list("team_id", "team__organisation_id", "team__organisation__path"))
    grants = _Grants()
    for organisation, path, role, scope in Member.objects.filter(user_id=user).values_list(
        "organisation_id", "organisation__path", "role", "scope"
    ):
        grants.add((organisation, path), role, scope, teams)
    mine = frozenset(TeamId(team) for team, _pk, _path in teams)
    return Actor(f"user:{user}", user, grants.whole, grants.narrow, grants.teams, mine)


def actor_of_token(token: str, now: datetime | None = None) -> Actor:
    """Return the actor of a service account that comes with a token: what its memberships and the token both grant.

    An unknown, expired or revoked token, or one of a closed account, is nobody's.
    """
    moment = now or utc_now()
    with walls.everything():
        row = Token.objects.filter(prefix=tokens.prefix_of(token), user__is_active=True, revoked_at=None, expires_at__gt=moment).first()
        if row is None or not compare_digest(row.digest, tokens.digest(token)):
            return NOBODY
        if row.last_used_at is None or moment - row.last_used_at > tokens.USE_NOTED_EVERY:
            Token.objects.filter(pk=row.pk).update(last_used_at=moment)
        actor = _with_grants(row.user_id).limited(tokens.permissions_in(row.permissions), name=f"user:{row.user_id}/token:{row.pk}")
    walls.let_in(actor.organisations)
    return actor


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
    """Return every organisation in which the actor holds the permission over every row."""
    return frozenset(organisation for organisation, granted in actor.grants.items() if permission in granted)


def reach(actor: Actor, permission: Permission) -> Reach:
    """Return which rows the permission reaches, for lists of rows that carry a team and an assignee."""
    return Reach(
        whole=organisations_of(actor, permission),
        teams=frozenset(team for team, granted in actor.team_grants.items() if permission in granted),
        own=frozenset(organisation for organisation, granted in actor.narrow.items() if permission in granted),
        user=actor.user,
    )


def require(
    actor: Actor,
    permission: Permission,
    organisation: OrganisationId | int | None,
    team: TeamId | int | None = None,
    owner: int | None = None,
) -> None:
    """Return where the actor holds the permission over a row of the organisation; raise NotFound anywhere else.

    `team` and `owner` are the row's team and assignee: memberships of scope `own` and `team` reach it only by them.
    """
    if not reach(actor, permission).covers(organisation, team, owner):
        raise NotFound.of(permission, organisation)


def require_anywhere(actor: Actor, permission: Permission) -> frozenset[OrganisationId]:
    """Return the organisations that grant the permission over every row; raise NotFound where none does."""
    allowed = organisations_of(actor, permission)
    if not allowed:
        raise NotFound.of(permission)
    return allowed


def require_reach(actor: Actor, permission: Permission) -> Reach:
    """Return which rows the permission reaches; raise NotFound where it reaches none."""
    found = reach(actor, permission)
    if not found:
        raise NotFound.of(permission)
    return found
