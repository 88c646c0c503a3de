"""What the installation itself knows and does for a flow: working time, cases found, cases opened."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from jilink.core.cases.actions import NewCase, open_case
from jilink.core.cases.reads import citizens
from jilink.core.cases.reads.ground import calendar_of
from jilink.core.flows.events import FlowMessageTaken
from jilink.core.flows.models import FlowSession
from jilink.core.flows.rules import effects as e
from jilink.core.flows.rules.definition import CaseFacts
from jilink.core.flows.rules.state import State
from jilink.core.outbox import outbox
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.models import Organisation
from jilink.kernel.errors import Refused

log = structlog.get_logger(__name__)
MOMENT = timedelta(seconds=1)
CHANNELS = {"call": "call", "text": "text", "chat": "chat"}


def answers_for(row: FlowSession, by: Actor, now: datetime) -> Callable[[e.AnyEffect, State], e.AnyHappening]:
    """Return what answers the inner effects of a session, in the caller's transaction."""

    def answer(effect: e.AnyEffect, state: State) -> e.AnyHappening:
        match effect:
            case e.AskHours(turn=turn, calendars=calendars):
                return e.HoursAre(turn=turn, open={key: _is_open(row.organisation, key, now) for key in calendars})
            case e.AskCase():
                return _case(effect)
            case e.MakeCase():
                return _made(row, effect, state, by, now)
        raise AssertionError("only inner effects are answered inside")

    return answer


def _is_open(organisation: Organisation, key: str, now: datetime) -> bool:
    """Return whether it is working time; a calendar that cannot tell is logged and counts as closed, so that nobody waits in vain."""
    try:
        calendar = calendar_of(organisation, key)
        return calendar.worked_before(now + MOMENT) > calendar.worked_before(now)
    except Refused as error:
        log.error("flow.calendar_missing", organisation=organisation.pk, calendar=key, reason=str(error))
        return False


def _case(effect: e.AskCase) -> e.AnyHappening:
    try:
        found = citizens.status(effect.number, effect.phone)
    except Refused:
        return e.Came(turn=effect.turn, outcome="unknown")
    facts = CaseFacts(number=found.number, title=found.title, state=found.state.value, stage=found.stage)
    return e.CaseFound(turn=effect.turn, case=facts)


def _made(row: FlowSession, effect: e.MakeCase, state: State, by: Actor, now: datetime) -> e.AnyHappening:
    new = NewCase(
        type=effect.type,
        title=effect.title[:200],
        description=effect.description,
        answers={key: value for key, value in effect.answers.items() if value},
        person=state.contact.person,
        channel=CHANNELS.get(state.contact.channel, "web"),
        interaction=row.interaction,
    )
    try:
        with transaction.atomic():
            made = open_case(organisation=row.organisation_id, new=new, by=by, now=now)
    except (Refused, NotFound) as error:
        log.warning("flow.case_refused", session=row.pk, type=effect.type, reason=type(error).__name__)
        return e.Came(turn=effect.turn, outcome="refused")
    if effect.recording:
        event = FlowMessageTaken(session=row.pk, key=row.key, recording=effect.recording, case=made.case, number=made.number)
        outbox.add(event, organisation=row.organisation_id, aggregate=f"flow_session:{row.pk}", now=now)
    return e.CaseMade(turn=effect.turn, number=made.number)
