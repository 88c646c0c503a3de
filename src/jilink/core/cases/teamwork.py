"""What lies with a team of this room: its open cases."""

from jilink.core.cases.models import Case
from jilink.core.cases.rules import numbers
from jilink.core.cases.rules.workflow import State
from jilink.core.parties.members.work import Lying, lies_with_teams
from jilink.kernel.ids import TeamId

NAMED = 5


def open_with(team: TeamId) -> Lying:
    """Return how many open cases a team has, and the numbers of the first."""
    rows = Case.objects.filter(team_id=team, state=State.OPEN.value).order_by("pk")
    return Lying(rows.count(), tuple(numbers.grouped(number) for number in rows.values_list("number", flat=True)[:NAMED]))


lies_with_teams("cases", open_with)
