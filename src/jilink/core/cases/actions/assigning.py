"""Who has a case: a unit, a team of it, a person."""

from dataclasses import dataclass
from datetime import datetime

import msgspec
from django.db import transaction
from django.utils.translation import gettext as _

from jilink.core.cases import assignment
from jilink.core.cases.actions.desk import Desk, lay
from jilink.core.cases.assignment import Decision, Situation, situation_of_row
from jilink.core.cases.events import CaseAssigned
from jilink.core.cases.rules.form import Answer
from jilink.core.cases.rules.timeline import Assigned, Considered
from jilink.core.cases.rules.workflow import State, StepRefused
from jilink.core.parties import access, walls
from jilink.core.parties.access import Actor
from jilink.core.parties.models import Organisation, Team, User
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused


class RecipientRefused(Refused):
    """The case cannot be given to this unit, team or person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Who is to have it. `why` are reasons to show, `rule` the key of the rule that chose."""

    unit: int
    team: int | None = None
    assignee: int | None = None
    why: tuple[str, ...] = ()
    rule: str = ""
    considered: tuple[Considered, ...] = ()


@transaction.atomic
def assign_case(*, case: int, by: Actor, team: int | None = None, assignee: int | None = None, now: datetime | None = None) -> None:
    """Give an open case to a team or a person of the unit that has it; None takes it from them.

    Whoever may work on a case may take it themselves, or give it up. Raises NotFound, RecipientRefused, StepRefused.
    """
    desk = lay(case, Permission.VIEW_CASES, by, now)
    for_himself = (
        assignee in {by.user, None} and desk.row.assignee_id in {None, by.user} and team == desk.row.team_id and by.user is not None
    )
    if not (for_himself and _may(by, Permission.WORK_CASES, desk)) and not _may(by, Permission.ASSIGN_CASES, desk):
        raise access.NotFound("There is no such thing, or you may not see it.")
    if desk.row.state != State.OPEN:
        raise StepRefused("The case is closed; reopen it first.")
    hand(desk, Recipient(unit=desk.row.unit_id, team=team, assignee=assignee))
    desk.save()


def _may(by: Actor, permission: Permission, desk: Desk) -> bool:
    reach = access.reach(by, permission)
    return any(reach.covers(place, desk.row.team_id, desk.row.assignee_id) for place in (desk.row.organisation_id, desk.row.unit_id))


def situation_of(desk: Desk) -> Situation:
    """Return what the rules of assignment may look at."""
    answers = msgspec.json.decode(desk.row.answers, type=dict[str, Answer])
    return situation_of_row(desk.row, answers, desk.calendar, desk.now)


def give(desk: Desk, recipient: Recipient | None) -> None:
    """Give the case on the desk to somebody at dispatch; where nobody is named the rules of assignment decide."""
    if recipient is None:
        decision: Decision = assignment.decide(situation_of(desk))
        recipient = Recipient(
            unit=decision.unit,
            team=decision.team,
            assignee=decision.assignee,
            why=decision.why,
            rule=decision.rule,
            considered=decision.considered,
        )
    hand(desk, recipient)


def hand(desk: Desk, recipient: Recipient) -> None:
    """Write who has the case, after looking whether they can. Raises RecipientRefused."""
    with walls.everything():  # a unit's teams and people are looked at and nothing of them is told
        _check(desk, recipient)
    before = desk.row.unit_id
    desk.set(unit_id=recipient.unit, team_id=recipient.team, assignee_id=recipient.assignee)
    desk.write(
        Assigned(
            unit=recipient.unit,
            team=recipient.team,
            assignee=recipient.assignee,
            why=recipient.why,
            rule=recipient.rule,
            considered=recipient.considered,
        )
    )
    desk.tell(
        CaseAssigned,
        team=recipient.team,
        assignee=recipient.assignee,
        unit_before=before if before != recipient.unit else None,
    )


def _check(desk: Desk, recipient: Recipient) -> None:
    unit = Organisation.objects.filter(pk=recipient.unit).first()
    top = desk.row.organisation.path.split("/")[1]
    if unit is None or unit.path.split("/")[1] != top:
        raise RecipientRefused(_("There is no such unit to give the case to."))
    if recipient.team is not None and not Team.objects.filter(pk=recipient.team, organisation_id=unit.pk).exists():
        raise RecipientRefused(_("The unit has no such team."))
    if recipient.assignee is None:
        return
    person = User.objects.filter(pk=recipient.assignee).first()
    if person is None or not access.reach(access.actor_of(person), Permission.WORK_CASES).covers(unit.pk, recipient.team, person.pk):
        raise RecipientRefused(_("This person does not work on cases of the unit."))
