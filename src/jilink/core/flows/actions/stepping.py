"""Contacts in flows: begun, moved on, ended. What is told twice changes nothing; what is told at once is taken one after the other."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from msgspec.structs import replace

from jilink.core.flows import library
from jilink.core.flows.answering import answers_for
from jilink.core.flows.events import FlowSessionDue, FlowSessionEnded, FlowSessionMoved
from jilink.core.flows.models import FlowHappening, FlowRun, FlowSession, FlowVersion
from jilink.core.flows.reads import SessionView, view_of
from jilink.core.flows.rules import effects as e
from jilink.core.flows.rules.definition import Flow
from jilink.core.flows.rules.engine import advance, begin, settle
from jilink.core.flows.rules.state import Contact, Moved, Passed, read_state, write_effects, write_state
from jilink.core.outbox import outbox
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused

log = structlog.get_logger(__name__)
HIDDEN = "There is no such thing, or you may not see it."
KEEP_WORDS = timedelta(days=1)
"""How long what was said is kept after the end, for whoever carried it out and was interrupted."""
KEEP_RUNS = timedelta(days=400)
AT_ONCE = 500


class NotRunnable(Refused):
    """No version of the flow is in use."""


@transaction.atomic
def begin_session(
    *, organisation: int, flow: str, key: str, contact: Contact, by: Actor, interaction: int | None = None, now: datetime | None = None
) -> SessionView:
    """Begin a flow with a contact, and return what is to be done. Again with the same key returns the session there is.

    `flow` is its key; the organisation's own version counts, else the nearest above. Raises NotFound, NotRunnable.
    """
    require(by, Permission.RUN_FLOWS, organisation)
    there = FlowSession.objects.select_related("version").filter(organisation_id=organisation, key=key).first()
    if there is not None:
        return view_of(there)
    version = library.published(organisation).get(flow)
    if version is None:
        raise NotRunnable("No version of the flow %(key)s is in use.", key=flow)
    moment = now or utc_now()
    values = {"version": version, "channel": contact.channel, "interaction": interaction, "began_at": moment, "expires_at": moment}
    row, made = FlowSession.objects.get_or_create(
        organisation_id=organisation, key=key, defaults={**values, "turn": 0, "state": "", "effects": "[]"}
    )
    if made:
        definition, others = _flows(version)
        moved = begin(definition, contact, moment, others)
        _write(row, settle(definition, moved, answers_for(row, by, moment), moment, others), moment)
    return view_of(row, moved=made)


@transaction.atomic
def advance_session(
    *, organisation: int, key: str, happening: str, happened: e.AnyHappening, by: Actor, now: datetime | None = None
) -> SessionView:
    """Take what happened and return what is to be done now.

    `happening` is its name for ever: told again, it changes nothing. `SessionView.moved` says whether it did. Raises NotFound.
    """
    require(by, Permission.RUN_FLOWS, organisation)
    row = _locked(organisation, key)
    if row is None:
        raise NotFound(HIDDEN)
    moment = now or utc_now()
    if not _first_time(row, happening, moment):
        return view_of(row)
    return view_of(row, moved=_take(row, happened, by, moment))


@transaction.atomic
def end_session(*, organisation: int, key: str, outcome: str = "ended", by: Actor, now: datetime | None = None) -> SessionView:
    """End a session whatever it waits for: the contact was taken over or cut off. Ended already: nothing changes. Raises NotFound."""
    require(by, Permission.RUN_FLOWS, organisation)
    row = _locked(organisation, key)
    if row is None:
        raise NotFound(HIDDEN)
    if row.ended_at is None:
        state, moment = read_state(row.state), now or utc_now()
        definition, others = _flows(row.version)
        moved = advance(definition, state, e.Gone(), moment, others)
        _write(row, Moved(replace(moved.state, outcome=outcome[:40]), (e.End(turn=moved.state.turn, outcome=outcome[:40]),), ()), moment)
    return view_of(row)


@transaction.atomic
def ring(*, session: int, by: Actor, now: datetime) -> None:
    """Go on where the wait of a session is over and nobody said so; set the timer anew where it is not."""
    row = FlowSession.objects.select_for_update(of=("self",)).select_related("version").filter(pk=session, ended_at=None).first()
    if row is None or not by.is_installation:
        return
    row.bell_at = None
    if row.expires_at > now:
        _set_bell(row, now)
        row.save(update_fields=["bell_at"])
        return
    turn = row.turn
    if not _take(row, e.Silent(turn=turn), by, now):
        log.error("flow.stuck", session=row.pk, turn=turn)
        _take(row, e.Gone(), by, now)
    event = FlowSessionMoved(session=row.pk, key=row.key, channel=row.channel, turn=row.turn)
    outbox.add(event, organisation=row.organisation_id, aggregate=f"flow_session:{row.pk}", now=now)


def forget_sessions(now: datetime) -> int:
    """Take out what was said in sessions that ended a day ago, remove those of more than a year ago, and return how many that were."""
    over = list(FlowSession.objects.filter(ended_at__lt=now - KEEP_WORDS).exclude(state="").values_list("pk", flat=True)[:AT_ONCE])
    FlowHappening.objects.filter(session__in=over).delete()
    FlowSession.objects.filter(pk__in=over).update(state="", effects="[]")
    old = list(FlowSession.objects.filter(ended_at__lt=now - KEEP_RUNS).values_list("pk", flat=True)[:AT_ONCE])
    FlowSession.objects.filter(pk__in=old).delete()
    return len(over) + len(old)


def _locked(organisation: int, key: str) -> FlowSession | None:
    rows = FlowSession.objects.select_for_update(of=("self",)).select_related("version")
    return rows.filter(organisation_id=organisation, key=key).first()


def _first_time(row: FlowSession, happening: str, now: datetime) -> bool:
    _kept, made = FlowHappening.objects.get_or_create(session=row, identity=happening[:120], defaults={"at": now})
    return made


def _take(row: FlowSession, happened: e.AnyHappening, by: Actor, now: datetime) -> bool:
    if row.ended_at is not None:
        return False
    state = read_state(row.state)
    definition, others = _flows(row.version)
    moved = advance(definition, state, happened, now, others)
    if moved.state == state:
        return False
    _write(row, settle(definition, moved, answers_for(row, by, now), now, others), now)
    return True


def _write(row: FlowSession, moved: Moved, now: datetime) -> None:
    state = moved.state
    if state.turn != row.turn or moved.effects:
        row.effects = write_effects(moved.effects)
    row.state, row.turn, row.expires_at = write_state(state), state.turn, state.expires_at
    _log(row, moved.passed, now)
    if state.ended:
        row.ended_at, row.outcome, row.bell_at = now, state.outcome[:40], None
        event = FlowSessionEnded(session=row.pk, key=row.key, channel=row.channel, outcome=row.outcome, interaction=row.interaction)
        outbox.add(event, organisation=row.organisation_id, aggregate=f"flow_session:{row.pk}", now=now)
    else:
        _set_bell(row, now)
    row.save()


def _set_bell(row: FlowSession, now: datetime) -> None:
    """Set a timer unless one that rings early enough is set; it sets itself anew where it rings too early."""
    if row.bell_at is None or row.expires_at < row.bell_at:
        row.bell_at = row.expires_at
        aggregate = f"flow_session:{row.pk}"
        outbox.add(FlowSessionDue(session=row.pk), organisation=row.organisation_id, aggregate=aggregate, now=now, not_before=row.bell_at)


def _log(row: FlowSession, passed: Sequence[Passed], now: datetime) -> None:
    FlowRun.objects.bulk_create(FlowRun(session=row, flow=one.flow, step=one.step, outcome=one.outcome[:40], at=now) for one in passed)


def _flows(version: FlowVersion) -> tuple[Flow, dict[str, Flow]]:
    return library.decoded(version.definition), {key: one.flow for key, one in library.carried(version.library).items()}
