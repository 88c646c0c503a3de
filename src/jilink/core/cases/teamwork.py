"""What lies with a team of this room: its open cases."""

from jilink.core.cases.models import Case
from jilink.core.cases.reads.lists import in_reach
from jilink.core.cases.rules import numbers
from jilink.core.cases.rules.workflow import State
from jilink.core.parties import walls
from jilink.core.parties.access import Actor
from jilink.core.parties.members.work import Lying, lies_with_teams
from jilink.kernel.ids import TeamId

NAMED = 5


def open_with(team: TeamId, by: Actor) -> Lying:
    """Return how many open cases a team has, and the numbers of the first that the actor may see."""
    rows = Case.objects.filter(team_id=team, state=State.OPEN.value)
    with walls.everything():  # a case of the team may belong to an organisation elsewhere in the tree
        count = rows.count()
    seen = rows.filter(in_reach(by)).order_by("pk").values_list("number", flat=True)[:NAMED]
    return Lying(count, tuple(numbers.grouped(number) for number in seen))


lies_with_teams("cases", open_with)
