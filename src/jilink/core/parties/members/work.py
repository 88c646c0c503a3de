"""What still lies with a team, asked of every room that gives teams work before a team is archived.

A room says so once, in a module `teamwork` of its own, which is imported at the start:

    lies_with_teams("cases", open_with)
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection

from jilink.core.parties import walls
from jilink.core.parties.access import Actor
from jilink.core.parties.models import Team
from jilink.kernel.ids import TeamId


@dataclass(frozen=True, slots=True)
class Lying:
    """How much lies with a team, and how the first of it are called that whoever asks may see."""

    count: int
    first: tuple[str, ...]


_rooms: dict[str, Callable[[TeamId, Actor], Lying]] = {}


def lies_with_teams(name: str, ask: Callable[[TeamId, Actor], Lying]) -> None:
    """Register how a room counts what a team still has to do; saying it again replaces it.

    All is counted, behind the walls too; only what the actor may see is named.
    """
    _rooms[name] = ask


def lying_with(team: TeamId, by: Actor) -> Lying:
    """Return what lies with a team in every room together."""
    found = [_rooms[name](team, by) for name in sorted(_rooms)]
    return Lying(sum(each.count for each in found), tuple(name for each in found for name in each.first))


def may_be_given(team: int, organisation: int) -> bool:
    """Return whether an organisation has this team and it is not archived. No wall is asked.

    In PostgreSQL the row stays as it is until the transaction ends, so that nothing goes to a team while it is archived
    (PostgreSQL 15, 13.3.2 "Row-Level Locks"); SQLite lets only one transaction write.
    """
    with walls.everything():
        if connection.vendor == "postgresql" and connection.in_atomic_block:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM parties_team WHERE id = %s FOR SHARE", [team])
        return Team.objects.filter(pk=team, organisation_id=organisation, archived_at=None).exists()
