"""Whom something that happens to a case concerns: for notices. No wall is asked; whoever is told reads through walls of their own."""

from collections.abc import Collection

from jilink.core.cases.models import Case, Request
from jilink.core.cases.reads.ground import may
from jilink.core.cases.rules.mentions import called_in
from jilink.core.cases.rules.workflow import RequestState
from jilink.core.parties import access, walls
from jilink.core.parties.members import reads as members
from jilink.core.parties.models import User
from jilink.core.parties.rules import Permission, Role
from jilink.kernel.ids import OrganisationId, TeamId

MOST_CALLED = 20


def audience(case: int, notify: Collection[str]) -> frozenset[int]:
    """Return the members whom an escalation calls: those of the named roles in the unit and in the organisation that answers (the nearest
    above where there is none), ``assignee`` and ``team``."""
    row = Case.objects.filter(pk=case).first()
    if row is None:
        return frozenset()
    found: set[int] = set()
    if "assignee" in notify and row.assignee_id is not None:
        found.add(row.assignee_id)
    if "team" in notify and row.team_id is not None:
        found |= members.in_team(TeamId(row.team_id))
    roles = [Role(name) for name in notify if name in set(Role)]
    for place in {row.unit_id, row.organisation_id}:
        for role in roles:
            found |= members.in_role(OrganisationId(place), role)
    return frozenset(found)


def leads(unit: int) -> frozenset[int]:
    """Return whom a case concerns that a unit has at large: who gives work there, in the unit or in the nearest above that has any."""
    return frozenset(members.nearest(OrganisationId(unit), Permission.ASSIGN_CASES))


def deciders(case: int, request: int) -> frozenset[int]:
    """Return who may decide what was asked of a case, nearest to the organisation that answers for it; nobody once it is decided."""
    row = Request.objects.filter(pk=request, case=case, state=RequestState.ASKED.value).select_related("case").first()
    return frozenset(members.nearest(OrganisationId(row.case.organisation_id), Permission.APPROVE_CASES)) if row else frozenset()


def members_of_team(team: int) -> frozenset[int]:
    """Return the members of a team."""
    return frozenset(members.in_team(TeamId(team)))


def mentioned(row: Case, text: str) -> tuple[int, ...]:
    """Return the members whom a text calls by ``@`` and their name, or the name of their account, and who may see the case."""
    if "@" not in text:
        return ()
    with walls.everything():
        near = {
            user for place in (row.organisation_id, row.unit_id) for user in members.holders(OrganisationId(place), Permission.VIEW_CASES)
        }
        people = {user.pk: user for user in User.objects.filter(pk__in=near)}
        called = called_in(text, {pk: (user.get_full_name(), user.username) for pk, user in people.items()})
        seeing = [pk for pk in sorted(called) if may(access.actor_of(people[pk]), Permission.VIEW_CASES, row)]
    return tuple(seeing[:MOST_CALLED])
