"""What becomes of calls to people of a campaign. The router alone writes here, agents' previews excepted; told twice changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, connection, transaction

from jilink.core.outbox import outbox
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.people import reads as people
from jilink.kernel.errors import Refused
from jilink.kernel.ids import PersonId
from jilink.services.contact.actions.do_not_call import add_do_not_call
from jilink.services.contact.events import DeskChanged
from jilink.services.contact.models import Attempt, Campaign, Contact, Target
from jilink.services.contact.reads import desk, dialling
from jilink.services.contact.reads.dialling import Outgoing, blocked, mark_of, outgoing_of
from jilink.services.contact.rules.calling_hours import allowed_from, may_call
from jilink.services.contact.rules.campaigns import (
    CampaignDesign,
    CampaignRefused,
    CampaignState,
    Outcome,
    Reason,
    Result,
    TargetState,
    Tried,
    again_at,
    number_next,
    outcome_of,
    read_campaign,
    result_of,
)

HIDDEN = "There is no such thing, or you may not see it."
LOOKED_AT = 4
"""So many times as many people are looked at as are to be called: some may not be called now."""
IN_USE = timedelta(minutes=10)
"""When to look again where another call goes to the same number."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A call to be ordered: the row says that it is."""

    call: Outgoing
    number: str


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What holds for somebody now: a number to call, a time to look again, or why they are left out."""

    point: int = 0
    number: str = ""
    later: datetime | None = None
    reason: Reason | None = None


@transaction.atomic
def place_calls(*, campaign: int, node: str, agents: Sequence[int], by: Actor, now: datetime) -> list[Placed]:
    """Choose who is called next, one for each of `agents` (0: nobody is kept free for the call), and note it before it is dialled.

    Consent, do-not-call list, hours and attempts are looked at again. Nothing where the campaign does not run. Raises NotFound.
    """
    row = _row(campaign, by)
    design = read_campaign(row.design)
    if row.state != CampaignState.RUNNING or not agents or not _is_open(row, design, now):
        return []
    rows = Target.objects.filter(campaign=row, state=TargetState.WAITING, next_at__lte=now).order_by("next_at", "pk")
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True)
    made: list[Placed] = []
    for target in rows[: LOOKED_AT * len(agents) + LOOKED_AT]:
        if len(made) == len(agents):
            break
        if (one := _place(row, design, target, node, agents[len(made)], now)) is not None:
            made.append(one)
    return made


@transaction.atomic
def place_shown(*, target: int, node: str, agent: int, by: Actor, now: datetime) -> Placed:
    """Note that the record an agent looks at is dialled. Raises NotFound, CampaignRefused where that may not be now."""
    one = Target.objects.select_for_update().filter(pk=target, state=TargetState.SHOWN, agent=agent).first()
    if one is None or not by.is_installation:
        raise NotFound(HIDDEN)
    row = _row(one.campaign_id, by)
    design = read_campaign(row.design)
    if row.state != CampaignState.RUNNING or not _is_open(row, design, now):
        raise CampaignRefused("The campaign does not call now.")
    made = _place(row, design, one, node, agent, now)
    if made is None:
        raise CampaignRefused("This person may not be called now. Take the next one.")
    return made


def _place(row: Campaign, design: CampaignDesign, target: Target, node: str, agent: int, now: datetime) -> Placed | None:
    verdict = _verdict(row, design, target, now)
    if not verdict.number:
        _put(target, now, later=verdict.later, reason=verdict.reason)
        return None
    try:
        with transaction.atomic():
            attempt = Attempt.objects.create(
                organisation_id=row.organisation_id, campaign=row, target=target, number_id=verdict.point,
                mark=mark_of(verdict.number), agent_id=agent or None, node=node, dialled_at=now,
            )  # fmt: skip
    except IntegrityError:
        _put(target, now, later=now + IN_USE)
        return None
    target.state, target.next_at, target.changed_at, target.attempts = TargetState.CALLING, None, now, target.attempts + 1
    target.agent_id = agent or None
    target.save(update_fields=["state", "next_at", "changed_at", "attempts", "agent"])
    _tell(agent, row.organisation_id, now)
    return Placed(outgoing_of(attempt), verdict.number)


def _verdict(row: Campaign, design: CampaignDesign, target: Target, now: datetime) -> _Verdict:
    if target.person_id is None:
        return _Verdict(reason=Reason.ERASED)
    person = PersonId(target.person_id)
    hindered = dialling.hindrance(row.organisation_id, person, design.purpose, now)
    if hindered is not None:
        return _Verdict(reason=hindered)
    tried = tried_of(target)
    at = again_at(design, tried, now)
    if at is None:
        return _Verdict(reason=Reason.TRIED)
    if at > now:
        return _Verdict(later=at)
    telephones = dict(people.telephones(person))
    forbidden = blocked(row.organisation_id, list(telephones.values()))
    point = number_next([int(point) for point, number in telephones.items() if number not in forbidden], tried)
    if point is None:
        return _Verdict(reason=Reason.TRIED)
    number = next(number for each, number in telephones.items() if each == point)
    if not may_call(design.windows, number, now):
        allowed = allowed_from(design.windows, number, now)
        return _Verdict(later=allowed, reason=None if allowed else Reason.NO_NUMBER)
    return _Verdict(point=point, number=number)


def tried_of(target: Target) -> list[Tried]:
    """Return the attempts at somebody that are over."""
    rows = Attempt.objects.filter(target=target).exclude(ended_at=None).order_by("pk")
    return [Tried(row.number_id or 0, Outcome(row.outcome), row.dialled_at, row.code) for row in rows]


def _put(target: Target, now: datetime, *, later: datetime | None = None, reason: Reason | None = None) -> None:
    """Let somebody wait for a later time, or leave them out."""
    target.state = TargetState.LEFT_OUT if reason is not None else TargetState.WAITING
    target.reason, target.next_at, target.changed_at, target.agent = reason or "", later, now, None
    target.save(update_fields=["state", "reason", "next_at", "changed_at", "agent"])


@transaction.atomic
def note_picked_up(*, attempt: int, contact: int | None, by: Actor, now: datetime) -> Outgoing | None:
    """Note that somebody answered, and as which contact they wait for an agent; None where the call is over. Raises NotFound."""
    row = _attempt(attempt, by)
    if row is None:
        return None
    if row.answered_at is None:
        row.answered_at, row.live = now, True
    row.contact = row.contact or contact
    row.save(update_fields=["answered_at", "live", "contact"])
    return outgoing_of(row)


@transaction.atomic
def note_connected(*, attempt: int, agent: int, by: Actor, now: datetime) -> None:
    """Note that an agent has them. Raises NotFound."""
    row = _attempt(attempt, by)
    if row is not None and row.connected_at is None:
        row.connected_at, row.agent_id = now, agent
        row.save(update_fields=["connected_at", "agent"])
        Target.objects.filter(pk=row.target_id).update(agent=agent)


@transaction.atomic
def note_abandoned(*, attempt: int, by: Actor, now: datetime) -> None:
    """Note that nobody was there in time: it counts against the cap. Raises NotFound."""
    row = _attempt(attempt, by)
    if row is not None and row.connected_at is None:
        row.abandoned = True
        row.save(update_fields=["abandoned"])


@transaction.atomic
def note_over(*, attempt: int, cause: int, by: Actor, now: datetime) -> None:
    """Note that a call is over, and when they are tried again. Whoever was reached waits for the agent's code. Raises NotFound."""
    row = _attempt(attempt, by)
    if row is None:
        return
    row.outcome, row.ended_at, row.mark = _came_to(row, cause), now, ""
    row.save(update_fields=["outcome", "ended_at", "mark"])
    target = Target.objects.select_for_update().get(pk=row.target_id)
    target.last_outcome, target.last_code = row.outcome, row.code
    target.save(update_fields=["last_outcome", "last_code"])
    if row.outcome != Outcome.REACHED or not Contact.objects.filter(pk=row.contact or 0, ended_at=None).exists():
        _go_on(row, target, now)
    _tell(row.agent_id or 0, row.organisation_id, now)


def _came_to(row: Attempt, cause: int) -> Outcome:
    if row.connected_at is not None:
        return Outcome.REACHED
    if row.abandoned:
        return Outcome.ABANDONED
    return Outcome.HUNG_UP if row.answered_at is not None else outcome_of(cause)


@transaction.atomic
def note_code(*, contact: int, code: str, by: Actor, now: datetime) -> None:
    """Note what the agent chose at the end of a call; without a code they were reached, and that is all. Raises NotFound."""
    row = Attempt.objects.select_for_update().select_related("campaign").filter(contact=contact).first()
    if row is None:
        return
    if not by.is_installation:
        raise NotFound(HIDDEN)
    design = read_campaign(row.campaign.design)
    row.code = code if code in {each.key for each in design.codes} else ""
    result = result_of(design, row.code)
    row.live = row.live and result is not Result.MACHINE
    row.save(update_fields=["code", "live"])
    target = Target.objects.select_for_update().get(pk=row.target_id)
    if result is Result.STOP:
        _stop_calls(row, by, "agent", now)
    if row.ended_at is not None:
        _go_on(row, target, now)


@transaction.atomic
def note_stop_key(*, attempt: int, by: Actor, now: datetime) -> None:
    """Put the number of a call on the do-not-call list: they pressed the key for it. Raises NotFound."""
    row = _attempt(attempt, by)
    if row is not None:
        _stop_calls(row, by, "key", now)


def _stop_calls(row: Attempt, by: Actor, source: str, now: datetime) -> None:
    target = Target.objects.get(pk=row.target_id)
    numbers = {point: number for point, number in people.telephones(PersonId(target.person_id))} if target.person_id else {}
    number = next((number for point, number in numbers.items() if point == row.number_id), "")
    if number:
        add_do_not_call(organisation=row.organisation_id, number=number, by=by, source=source, now=now)


def _go_on(row: Attempt, target: Target, now: datetime) -> None:
    design = read_campaign(row.campaign.design)
    result = result_of(design, row.code)
    target.last_outcome, target.last_code, target.agent, target.changed_at = row.outcome, row.code, None, now
    target.save(update_fields=["last_outcome", "last_code", "agent", "changed_at"])
    if result is Result.STOP:
        _put(target, now, reason=Reason.DO_NOT_CALL)
        return
    at = again_at(design, tried_of(target), now)
    if at is not None:
        _put(target, now, later=at)
    elif row.outcome == Outcome.REACHED and result is Result.DONE:
        target.state, target.next_at = TargetState.DONE, None
        target.save(update_fields=["state", "next_at"])
    else:
        _put(target, now, reason=Reason.TRIED)


def _is_open(row: Campaign, design: CampaignDesign, now: datetime) -> bool:
    """Return whether the operator works now; a calendar that does not tell says no."""
    try:
        return desk.is_open(row.organisation_id, design.calendar, now)
    except Refused:
        return False


def _tell(agent: int, organisation: int, now: datetime) -> None:
    if agent:
        outbox.add(DeskChanged(agent=agent), organisation=organisation, aggregate=f"desk:{agent}", now=now)


def _row(campaign: int, by: Actor) -> Campaign:
    row = Campaign.objects.select_for_update().filter(pk=campaign).first()
    if row is None or not by.is_installation:
        raise NotFound(HIDDEN)
    return row


def _attempt(attempt: int, by: Actor) -> Attempt | None:
    if not by.is_installation:
        raise NotFound(HIDDEN)
    return Attempt.objects.select_for_update(of=("self",)).select_related("campaign", "target").filter(pk=attempt, ended_at=None).first()
