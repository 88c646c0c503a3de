"""What may be asked about members and teams."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from allauth.mfa.models import Authenticator
from django.db.models import Count

from jilink.core.parties import walls
from jilink.core.parties.access import Actor, organisations_of, require
from jilink.core.parties.models import Member, Organisation, Team, TeamMember, User
from jilink.core.parties.reads import below
from jilink.core.parties.rules import NARROWED, ROLES, Permission, Role, Scope
from jilink.kernel.ids import MemberId, OrganisationId, TeamId


@dataclass(frozen=True, slots=True)
class MemberView:
    """One membership, as the list of an organisation's members shows it."""

    id: MemberId
    user: int
    username: str
    name: str
    organisation: OrganisationId
    role: Role
    scope: Scope
    since: datetime
    active: bool
    service: bool
    """Whether it is the account of a program."""
    teams: tuple[TeamId, ...]


@dataclass(frozen=True, slots=True)
class TeamView:
    """A team, and who is in it (user numbers; `leads` are among them). An `archived` one is given no new work."""

    id: TeamId
    organisation: OrganisationId
    name: str
    users: tuple[int, ...]
    leads: tuple[int, ...]
    archived: bool


def members(actor: Actor, organisation: OrganisationId) -> list[MemberView]:
    """Return the memberships in one organisation by account name. Raises NotFound."""
    require(actor, Permission.VIEW_MEMBERS, organisation)
    rows = list(Member.objects.filter(organisation_id=organisation).select_related("user").order_by("user__username"))
    places: dict[int, list[TeamId]] = {}
    inside = TeamMember.objects.filter(team__organisation_id=organisation, user_id__in=[row.user_id for row in rows])
    for user, team in inside.order_by("team__name").values_list("user_id", "team_id"):
        places.setdefault(user, []).append(TeamId(team))
    return [
        MemberView(
            MemberId(row.pk),
            row.user_id,
            row.user.username,
            row.user.get_full_name(),
            OrganisationId(row.organisation_id),
            Role(row.role),
            Scope(row.scope),
            row.since,
            row.user.is_active,
            row.user.service_of_id is not None,
            tuple(places.get(row.user_id, ())),
        )
        for row in rows
    ]


def counted(actor: Actor) -> dict[OrganisationId, int]:
    """Return how many members, programs not counted, each organisation has whose members the actor may see."""
    rows = Member.objects.filter(organisation_id__in=organisations_of(actor, Permission.VIEW_MEMBERS), user__service_of=None)
    found = rows.values_list("organisation_id").annotate(count=Count("pk")).order_by()
    return {OrganisationId(organisation): count for organisation, count in found}


def with_second_factor(actor: Actor, organisation: OrganisationId) -> frozenset[int]:
    """Return which members of an organisation have set up a second factor; for those who manage them. Raises NotFound."""
    require(actor, Permission.MANAGE_MEMBERS, organisation)
    inside = Member.objects.filter(organisation_id=organisation).values("user_id")
    kinds = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
    return frozenset(Authenticator.objects.filter(user_id__in=inside, type__in=kinds).values_list("user_id", flat=True))


def teams(actor: Actor, organisation: OrganisationId | None = None, *, archived: bool = False) -> list[TeamView]:
    """Return the teams of one organisation, or of all whose members the actor may see, by name; with `archived` those too.

    Raises NotFound for an organisation across a wall.
    """
    if organisation is not None:
        require(actor, Permission.VIEW_MEMBERS, organisation)
    allowed = [organisation] if organisation is not None else organisations_of(actor, Permission.VIEW_MEMBERS)
    rows = Team.objects.filter(organisation_id__in=allowed).order_by("organisation__path", "name")
    return _views(list(rows if archived else rows.filter(archived_at=None)))


def team(actor: Actor, number: TeamId) -> TeamView:
    """Return one team. Raises NotFound."""
    row = Team.objects.filter(pk=number).first()
    require(actor, Permission.VIEW_MEMBERS, row.organisation_id if row else None)
    return _views([row] if row else [])[0]


def _views(rows: list[Team]) -> list[TeamView]:
    inside: dict[int, list[tuple[int, bool]]] = {}
    for number, user, lead in TeamMember.objects.filter(team__in=rows).order_by("user__username").values_list("team_id", "user_id", "lead"):
        inside.setdefault(number, []).append((user, lead))
    return [
        TeamView(
            TeamId(row.pk),
            OrganisationId(row.organisation_id),
            row.name,
            tuple(user for user, _lead in inside.get(row.pk, ())),
            tuple(user for user, lead in inside.get(row.pk, ()) if lead),
            row.archived_at is not None,
        )
        for row in rows
    ]


def team_names(numbers: set[int]) -> dict[int, str]:
    """Return the names of these teams, for showing where something lies; ask only for teams of rows the viewer was let to."""
    return dict(Team.objects.filter(pk__in=numbers).values_list("pk", "name"))


def roles_to_give(actor: Actor, organisation: OrganisationId, scope: Scope = Scope.ORGANISATION) -> list[Role]:
    """Return the roles that the actor may give somebody there, as far as the scope reaches. Raises NotFound where none may be given."""
    require(actor, Permission.MANAGE_MEMBERS, organisation)
    places = below(organisation) if scope is Scope.SUBTREE else [organisation]
    held = [actor.grants.get(place, frozenset()) for place in places]
    return [role for role, granted in ROLES.items() if all(granted <= each for each in held)]


def colleagues(actor: Actor, organisation: OrganisationId, permission: Permission) -> list[int]:
    """Return the active people who hold a permission in the organisation, however narrowly: who may be given its work. Raises NotFound."""
    require(actor, Permission.VIEW_MEMBERS, organisation)
    return sorted(holders(organisation, permission))


def holders(organisation: OrganisationId, permission: Permission) -> set[int]:
    """Return the active people who hold a permission in the organisation, however narrowly. No wall is asked: for rules and actions."""
    with walls.everything():  # members of an organisation above may reach down here
        path = Organisation.objects.values_list("path", flat=True).get(pk=organisation)
        line = [int(part) for part in path.split("/") if part]
        roles = [role for role, granted in ROLES.items() if permission in granted]
        above = Member.objects.filter(organisation_id__in=line, role__in=roles, user__is_active=True)
        reaching = above.filter(organisation_id=organisation) | above.filter(scope=Scope.SUBTREE)
        within = TeamMember.objects.filter(team__organisation_id=organisation).values("user_id")
        by_team = above.filter(scope__in=[Scope.OWN, Scope.TEAM], user_id__in=within) if permission in NARROWED else above.none()
        return set((reaching | by_team).values_list("user_id", flat=True))


def in_team(number: TeamId) -> set[int]:
    """Return the active people of a team. No wall is asked: for telling them what happens to its work."""
    return set(TeamMember.objects.filter(team_id=number, user__is_active=True).values_list("user_id", flat=True))


def in_role(organisation: OrganisationId, role: Role) -> set[int]:
    """Return the active people of a role in the organisation, or in the nearest above that has any and reaches down to it.

    No wall is asked: for telling them what happens below.
    """
    return _nearest(organisation, [role], list(Scope))


def nearest(organisation: OrganisationId, permission: Permission) -> set[int]:
    """Return the active people who hold a permission over all of the organisation, there or in the nearest above that has any.

    Owners, and whoever runs the installation, are they only where nobody else is. No wall is asked: for telling them what happens below.
    """
    holding = [role for role, granted in ROLES.items() if permission in granted and role is not Role.SERVICE]
    whole = [Scope.ORGANISATION, Scope.SUBTREE]
    working = [role for role in holding if role not in {Role.OPERATOR, Role.OWNER}]
    return _nearest(organisation, working, whole) or _nearest(organisation, holding, whole)


def _nearest(organisation: OrganisationId, roles: Sequence[Role], scopes: Sequence[Scope]) -> set[int]:
    with walls.everything():
        path = Organisation.objects.values_list("path", flat=True).filter(pk=organisation).first() or ""
        line = [int(part) for part in path.split("/") if part]
        rows = Member.objects.filter(
            organisation_id__in=line, role__in=roles, scope__in=scopes, user__is_active=True, user__service_of=None
        )
        found: dict[int, set[int]] = {}
        for place, user, scope in rows.values_list("organisation_id", "user_id", "scope"):
            if place == organisation or scope == Scope.SUBTREE:
                found.setdefault(place, set()).add(user)
        return next((found[place] for place in reversed(line) if place in found), set())


def people_named(numbers: set[int]) -> dict[int, str]:
    """Return how to call these accounts: the person's name, else the account's; for showing who did something the viewer was let to."""
    return {row.pk: row.get_full_name() or row.username for row in User.objects.filter(pk__in=numbers)}
