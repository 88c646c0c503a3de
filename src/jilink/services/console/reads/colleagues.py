"""Who may be given a case: teams and people of a unit, as choices."""

from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.members import reads as members
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import OrganisationId

Options = list[tuple[str, str]]


def recipients(actor: Actor, unit: int) -> Options:
    """Return ``t:<team>`` and ``u:<user>`` with their names; nobody where the actor may not see the unit's members."""
    place = OrganisationId(unit)
    try:
        teams = members.teams(actor, place)
        people = members.colleagues(actor, place, Permission.WORK_CASES)
    except NotFound:
        return []
    names = members.people_named(set(people))
    found = [(f"t:{team.id}", f"▸ {team.name}") for team in teams]
    return found + sorted(((f"u:{number}", name) for number, name in names.items()), key=lambda each: each[1])
