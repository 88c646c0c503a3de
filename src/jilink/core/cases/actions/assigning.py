"""Who has a case: a unit, a team of it, a person."""

from dataclasses import dataclass
from datetime import datetime

import msgspec
from django.db import transaction

from jilink.core.cases import assignment
from jilink.core.cases.actions.desk import Desk, lay
from jilink.core.cases.assignment import Decision, Situation, situation_of_row
from jilink.core.cases.events import CaseAssigned
from jilink.core.cases.reads.ground import HIDDEN
from jilink.core.cases.rules import allowed, workflow
from jilink.core.cases.rules.allowed import Act
from jilink.core.cases.rules.form import Answer
from jilink.core.cases.rules.timeline import Assigned, Considered
from jilink.core.parties import access, walls
from jilink.core.parties.access import Actor
from jilink.core.parties.members.work import may_be_given
from jilink.core.parties.models import Organisation, User
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused


class ReasonNeeded(Refused):
    """This needs a reason."""


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
    moved: bool = False
    """Whether it goes from one unit to another without a dispatch."""


class Taken(Refused):
    """Somebody else has the case."""


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
        raise access.NotFound(HIDDEN)
    allowed.require(desk.row.state, Act.ASSIGN)
    hand(desk, Recipient(unit=desk.row.unit_id, team=team, assignee=assignee))
    desk.save()


@transaction.atomic
def claim_case(*, case: int, by: Actor, now: datetime | None = None) -> None:
    """Take a case that nobody has; one's own already changes nothing. Of two who take it at once the second is told.

    Raises NotFound, Taken, StepRefused.
    """
    desk = lay(case, Permission.WORK_CASES, by, now)
    allowed.require(desk.row.state, Act.ASSIGN)
    if by.user is None:
        raise access.NotFound(HIDDEN)
    if desk.row.assignee_id == by.user:
        return
    if desk.row.assignee_id is not None:
        raise Taken("Somebody else has the case already.")
    hand(desk, Recipient(unit=desk.row.unit_id, team=desk.row.team_id, assignee=by.user))
    desk.save()


@transaction.atomic
def release_case(*, case: int, by: Actor, now: datetime | None = None) -> None:
    """Give up a case that one has oneself; its unit and team keep it. Raises NotFound, Taken, StepRefused."""
    desk = lay(case, Permission.WORK_CASES, by, now)
    allowed.require(desk.row.state, Act.ASSIGN)
    if by.user is None or desk.row.assignee_id != by.user:
        raise Taken("You do not have this case.")
    hand(desk, Recipient(unit=desk.row.unit_id, team=desk.row.team_id))
    desk.save()


@transaction.atomic
def move_case(
    *,
    case: int,
    unit: int,
    reason: str,
    by: Actor,
    team: int | None = None,
    assignee: int | None = None,
    now: datetime | None = None,
) -> None:
    """Give a case that one unit works on to another, without a dispatch. Every clock runs on: the time belongs to the citizen.

    Whoever may assign for the organisation that answers for it moves it anywhere in its tree; whoever may for the unit that has it,
    to units below. What the former unit asked for comes to nothing. Raises NotFound, ReasonNeeded, RecipientRefused, StepRefused.
    """
    desk = lay(case, Permission.VIEW_CASES, by, now)
    row, before = desk.row, desk.row.unit
    if not _may(by, Permission.ASSIGN_CASES, desk):
        raise access.NotFound(HIDDEN)
    workflow.may_move(desk.definition, desk.standing)
    if not reason.strip():
        raise ReasonNeeded("Say why, so that whoever reads it later understands.")
    if unit == row.unit_id:
        raise RecipientRefused("The case is with this unit already.")
    target = Organisation.objects.filter(pk=unit).first()
    answers = access.reach(by, Permission.ASSIGN_CASES).covers(row.organisation_id, row.team_id, row.assignee_id)
    if not answers and not (target is not None and target.path.startswith(before.path)):
        raise RecipientRefused("A unit passes a case on to units below it. To be rid of it, ask for its return.")
    desk.withdraw()
    hand(desk, Recipient(unit=unit, team=team, assignee=assignee, why=(reason.strip(),), moved=True))
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
            moved_from=before if recipient.moved else None,
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
        raise RecipientRefused("There is no such unit to give the case to.")
    if recipient.team is not None and not may_be_given(recipient.team, unit.pk):
        raise RecipientRefused("The unit has no such team.")
    if recipient.assignee is None:
        return
    person = User.objects.filter(pk=recipient.assignee).first()
    if person is None or not access.reach(access.actor_of(person), Permission.WORK_CASES).covers(unit.pk, recipient.team, person.pk):
        raise RecipientRefused("This person does not work on cases of the unit.")
