"""Organisations, their members and teams, and the audit."""

from datetime import datetime

from django.http import HttpRequest
from ninja import Query, Router, Status

from jilink.core.parties import actions, audit, reads
from jilink.core.parties.members import actions as member_actions
from jilink.core.parties.members import reads as members
from jilink.core.parties.reads import OrganisationName
from jilink.core.parties.rules import Permission, Role, Scope
from jilink.kernel.ids import OrganisationId, TeamId
from jilink.webkit.api import cursors
from jilink.webkit.api.calls import actor_of
from jilink.webkit.api.cursors import Cut, Page, Paging
from jilink.webkit.api.shapes import Id, In, Line, MadeOut, Out

router = Router(tags=["organisations"])


class OrganisationOut(Out):
    """An organisation. `depth` is how deep it lies in the tree, 0 at the top."""

    id: int
    name: str
    depth: int


class OrganisationIn(In):
    """A new organisation below another."""

    name: Line
    parent: Id


class RetentionIn(In):
    """Days that positions are kept: 0 for ever, null as the organisation above says."""

    days: int | None


class MemberOut(Out):
    """One membership. `service` marks the account of a program."""

    id: int
    user: int
    username: str
    name: str
    organisation: int
    role: Role
    scope: Scope
    since: datetime
    active: bool
    service: bool
    teams: list[int]


class RoleIn(In):
    """What somebody is to be; without a scope the role's usual one."""

    role: Role
    scope: Scope | None = None


class TeamOut(Out):
    """A team and its people; `leads` are among `users`. An `archived` one is given no new work."""

    id: int
    organisation: int
    name: str
    users: list[int]
    leads: list[int]
    archived: bool


class TeamIn(In):
    """A new team."""

    organisation: Id
    name: Line


class TeamNameIn(In):
    """Another name of a team."""

    name: Line


class PlaceIn(In):
    """What somebody is in a team."""

    lead: bool = False


class EntryOut(Out):
    """One line of the audit; people and things are named by number only."""

    sequence: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: str


@router.get("/organisations", response=Page[OrganisationOut], operation_id="list_organisations")
def list_organisations(request: HttpRequest, paging: Query[Paging]) -> Cut[OrganisationName]:
    """Return the organisations whose members may be seen."""
    return cursors.of_all(request, paging, reads.choices(actor_of(request), Permission.VIEW_MEMBERS), lambda row: row.id)


@router.post("/organisations", response={201: MadeOut}, operation_id="add_organisation")
def add_organisation(request: HttpRequest, given: OrganisationIn) -> Status[dict[str, int]]:
    """Add an organisation below another."""
    return Status(201, {"id": actions.add_organisation(name=given.name, parent=OrganisationId(given.parent), by=actor_of(request))})


@router.delete("/organisations/{int:organisation}", response={204: None}, operation_id="remove_organisation")
def remove_organisation(request: HttpRequest, organisation: Id) -> Status[None]:
    """Remove an organisation to which nothing belongs any more."""
    actions.remove_organisation(organisation=OrganisationId(organisation), by=actor_of(request))
    return Status(204, None)


@router.put("/organisations/{int:organisation}/retention", response={204: None}, operation_id="set_retention")
def set_retention(request: HttpRequest, organisation: Id, given: RetentionIn) -> Status[None]:
    """Say how long positions are kept."""
    actions.set_retention(organisation=OrganisationId(organisation), days=given.days, by=actor_of(request))
    return Status(204, None)


@router.get("/organisations/{int:organisation}/members", response=Page[MemberOut], operation_id="list_members")
def list_members(request: HttpRequest, organisation: Id, paging: Query[Paging]) -> Cut[members.MemberView]:
    """Return the members of an organisation."""
    return cursors.of_all(request, paging, members.members(actor_of(request), OrganisationId(organisation)), lambda row: row.id)


@router.put("/organisations/{int:organisation}/members/{int:user}", response=MadeOut, operation_id="set_role")
def set_role(request: HttpRequest, organisation: Id, user: Id, given: RoleIn) -> dict[str, int]:
    """Make somebody a member, or change what they are."""
    made = actions.set_role(user=user, organisation=OrganisationId(organisation), role=given.role, scope=given.scope, by=actor_of(request))
    return {"id": made}


@router.delete("/organisations/{int:organisation}/members/{int:user}", response={204: None}, operation_id="remove_member")
def remove_member(request: HttpRequest, organisation: Id, user: Id) -> Status[None]:
    """End a membership, and with it the person's place in the teams below."""
    member_actions.remove_member(user=user, organisation=OrganisationId(organisation), by=actor_of(request))
    return Status(204, None)


@router.get("/organisations/{int:organisation}/audit", response=Page[EntryOut], operation_id="list_audit")
def list_audit(request: HttpRequest, organisation: Id, paging: Query[Paging]) -> Cut[EntryOut]:
    """Return the audit of an organisation, the newest entries first."""
    before = cursors.number(request, paging)
    rows = audit.entries(actor_of(request), OrganisationId(organisation), limit=paging.limit + 1, before=before)
    told = [EntryOut.model_validate(row) for row in rows]
    return cursors.by_number(request, paging, told, lambda row: row.sequence)


@router.get("/teams", response=Page[TeamOut], operation_id="list_teams")
def list_teams(
    request: HttpRequest, paging: Query[Paging], organisation: Id | None = None, archived: bool = False
) -> Cut[members.TeamView]:
    """Return the teams of one organisation, or of all whose members may be seen; with `archived` those put away too."""
    place = OrganisationId(organisation) if organisation is not None else None
    rows = members.teams(actor_of(request), place, archived=archived)
    return cursors.of_all(request, paging, rows, lambda row: row.id)


@router.post("/teams", response={201: MadeOut}, operation_id="add_team")
def add_team(request: HttpRequest, given: TeamIn) -> Status[dict[str, int]]:
    """Add a team."""
    return Status(
        201, {"id": member_actions.add_team(organisation=OrganisationId(given.organisation), name=given.name, by=actor_of(request))}
    )


@router.get("/teams/{int:team}", response=TeamOut, operation_id="read_team")
def read_team(request: HttpRequest, team: Id) -> members.TeamView:
    """Return one team."""
    return members.team(actor_of(request), TeamId(team))


@router.patch("/teams/{int:team}", response={204: None}, operation_id="rename_team")
def rename_team(request: HttpRequest, team: Id, given: TeamNameIn) -> Status[None]:
    """Give a team another name."""
    member_actions.rename_team(team=TeamId(team), name=given.name, by=actor_of(request))
    return Status(204, None)


@router.delete("/teams/{int:team}", response={204: None}, operation_id="remove_team")
def remove_team(request: HttpRequest, team: Id) -> Status[None]:
    """Remove a team to which nothing ever belonged."""
    member_actions.remove_team(team=TeamId(team), by=actor_of(request))
    return Status(204, None)


@router.post("/teams/{int:team}/archive", response={204: None}, operation_id="archive_team")
def archive_team(request: HttpRequest, team: Id) -> Status[None]:
    """Put a team away: it is given no new work and is still named in what it had. Refused while open cases lie with it."""
    member_actions.archive_team(team=TeamId(team), by=actor_of(request))
    return Status(204, None)


@router.post("/teams/{int:team}/restore", response={204: None}, operation_id="restore_team")
def restore_team(request: HttpRequest, team: Id) -> Status[None]:
    """Let an archived team work again."""
    member_actions.restore_team(team=TeamId(team), by=actor_of(request))
    return Status(204, None)


@router.put("/teams/{int:team}/members/{int:user}", response={204: None}, operation_id="put_in_team")
def put_in_team(request: HttpRequest, team: Id, user: Id, given: PlaceIn) -> Status[None]:
    """Put somebody in a team, or make them its lead."""
    member_actions.put_in_team(team=TeamId(team), user=user, lead=given.lead, by=actor_of(request))
    return Status(204, None)


@router.delete("/teams/{int:team}/members/{int:user}", response={204: None}, operation_id="take_from_team")
def take_from_team(request: HttpRequest, team: Id, user: Id) -> Status[None]:
    """Take somebody out of a team."""
    member_actions.take_from_team(team=TeamId(team), user=user, by=actor_of(request))
    return Status(204, None)
