"""What becomes of contacts and agents while they are served. The router alone writes here; told twice changes nothing."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from jilink.core.outbox import outbox
from jilink.core.parties import audit
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.rules import Permission
from jilink.services.contact.events import ContactAnswered, ContactEnded, ContactQueued, DeskChanged
from jilink.services.contact.models import Agent, Contact, Fact, Phone, Queue, Spell
from jilink.services.contact.rules.states import AgentState, ContactState, End, move, move_agent

HIDDEN = "There is no such thing, or you may not see it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Somebody who comes to a queue."""

    queue: int
    channel: str
    node: str = ""
    leg: str = ""
    hop: int = 0
    """How many queues the leg was in before."""
    interaction: int | None = None
    priority: int = 0
    emergency: bool = False
    enqueued_at: datetime | None = None
    """When they began to wait elsewhere; None: now."""
    wanted: int = 0
    """The agent they wait for before all others, until `wanted_until`."""
    wanted_until: datetime | None = None


@transaction.atomic
def enqueue(*, arrival: Arrival, by: Actor, now: datetime) -> int:
    """Let somebody wait, and return the contact's id; the same leg and hop again is the contact there is. Raises NotFound."""
    queue = Queue.objects.filter(pk=arrival.queue, retired_at=None).first()
    if queue is None or not by.is_installation:
        raise NotFound(HIDDEN)
    if arrival.leg and (known := Contact.objects.filter(node=arrival.node, leg=arrival.leg, hop=arrival.hop).first()):
        return known.pk
    row = Contact.objects.create(
        organisation_id=queue.organisation_id,
        queue=queue,
        interaction=arrival.interaction,
        channel=arrival.channel,
        node=arrival.node,
        leg=arrival.leg,
        hop=arrival.hop,
        priority=arrival.priority,
        emergency=arrival.emergency,
        enqueued_at=arrival.enqueued_at or now,
        offered_at=now,
        wanted=arrival.wanted or None,
        wanted_until=arrival.wanted_until,
    )
    _fact(row, "queued", now)
    event = ContactQueued(contact=row.pk, queue=queue.pk)
    outbox.add(event, organisation=queue.organisation_id, aggregate=f"contact:{row.pk}", now=now)
    return row.pk


@transaction.atomic
def note_ringing(*, contact: int, agent: int, agent_leg: str, by: Actor, now: datetime) -> None:
    """Note that it rings at an agent. Raises NotFound, WrongMove."""
    row = _row(contact, by)
    row.state, row.agent_id, row.agent_leg, row.rings = move(row.state, ContactState.RINGING), agent, agent_leg, row.rings + 1
    row.save(update_fields=["state", "agent", "agent_leg", "rings"])
    _fact(row, "rang", now)


@transaction.atomic
def note_returned(*, contact: int, missed: bool, by: Actor, now: datetime) -> None:
    """Note that it waits in its place again; `missed` that the agent did not answer. Raises NotFound."""
    row = _row(contact, by)
    if row.state != ContactState.RINGING:
        return
    _fact(row, "missed" if missed else "returned", now)
    row.state, row.agent_id, row.agent_leg = move(row.state, ContactState.WAITING), None, ""
    row.save(update_fields=["state", "agent", "agent_leg"])


@transaction.atomic
def note_answered(*, contact: int, by: Actor, now: datetime) -> None:
    """Note that the agent took it. Raises NotFound, WrongMove."""
    row = _row(contact, by)
    if row.state == ContactState.TALKING:
        return
    row.state, row.answered_at = move(row.state, ContactState.TALKING), now
    row.save(update_fields=["state", "answered_at"])
    _fact(row, "answered", now)
    event = ContactAnswered(contact=row.pk, queue=row.queue_id, agent=row.agent_id or 0)
    outbox.add(event, organisation=row.organisation_id, aggregate=f"contact:{row.pk}", now=now)


@transaction.atomic
def note_left(*, contact: int, end: End, by: Actor, now: datetime) -> ContactState:
    """Note that the conversation, or the waiting, is over, and return the state: what was answered is wrapped up. Raises NotFound."""
    row = _row(contact, by)
    state = ContactState(row.state)
    if state is ContactState.TALKING:
        row.state, row.left_at = move(row.state, ContactState.WRAPPING), now
        row.save(update_fields=["state", "left_at"])
        _fact(row, "left", now)
    elif state in (ContactState.WAITING, ContactState.RINGING):
        row.left_at = now
        _end(row, end, now)
    return ContactState(row.state)


@transaction.atomic
def hand_over(*, contact: int, hop: int, agent: int, agent_leg: str, by: Actor, now: datetime) -> int:
    """Note that another agent has the caller now, as a contact of its own, and whoever had them wraps up. Raises NotFound, WrongMove."""
    row = _row(contact, by)
    other = Contact.objects.create(
        organisation_id=row.organisation_id,
        queue=row.queue,
        interaction=row.interaction,
        channel=row.channel,
        node=row.node,
        leg=row.leg,
        hop=hop,
        state=ContactState.TALKING,
        priority=row.priority,
        emergency=row.emergency,
        agent_id=agent,
        agent_leg=agent_leg,
        rings=1,
        enqueued_at=now,
        offered_at=now,
        answered_at=now,
    )
    for what in ("queued", "answered"):
        _fact(other, what, now)
    events = (ContactQueued(contact=other.pk, queue=row.queue_id), ContactAnswered(contact=other.pk, queue=row.queue_id, agent=agent))
    for event in events:
        outbox.add(event, organisation=row.organisation_id, aggregate=f"contact:{other.pk}", now=now)
    if row.state == ContactState.TALKING:
        row.state, row.left_at = move(row.state, ContactState.WRAPPING), now
        row.save(update_fields=["state", "left_at"])
        _fact(row, "handed_over", now)
        _fact(row, "left", now)
    return other.pk


@transaction.atomic
def wrap_up(*, contact: int, code: str = "", note: str = "", by: Actor, now: datetime) -> None:
    """Note that the agent is done with it. Raises NotFound."""
    row = _row(contact, by)
    if row.state == ContactState.WRAPPING:
        row.code, row.note = code[:40] or row.code, note[:500] or row.note
        _end(row, End.SERVED, now)


@transaction.atomic
def note_in_call(*, contact: int, what: str, by: Actor, now: datetime) -> None:
    """Note what an agent does within a conversation: hold, the recording. Raises NotFound."""
    row = _row(contact, by)
    if row.state == ContactState.TALKING:
        _fact(row, what, now)


@transaction.atomic
def note_dialled_again(*, contact: int, agent_leg: str, by: Actor, now: datetime) -> None:
    """Note that the agent's phone, which went away in mid-call, rings again on another leg. Raises NotFound."""
    row = _row(contact, by)
    if row.state == ContactState.TALKING:
        row.agent_leg, row.rings = agent_leg, row.rings + 1
        row.save(update_fields=["agent_leg", "rings"])
        _fact(row, "dialled_again", now)


@transaction.atomic
def rank(*, contact: int, priority: int, reason: str, by: Actor, now: datetime) -> None:
    """Change the priority of somebody who waits; the audit keeps who did and why. Raises NotFound."""
    row = Contact.objects.select_for_update().filter(pk=contact, state=ContactState.WAITING).first()
    require(by, Permission.SUPERVISE_QUEUES, row.organisation_id if row else None)
    if row is None:
        raise NotFound(HIDDEN)
    row.priority = priority
    row.save(update_fields=["priority"])
    audit.record(by, "contact.ranked", f"contact:{row.pk}", row.organisation_id, detail=f"{priority} {reason}"[:200], at=now)


@transaction.atomic
def begin_work(*, organisation: int, phone: int | None, state: AgentState, by: Actor, now: datetime, reason: str = "") -> None:
    """Let whoever asks be an agent at a phone, from now on in that state. Raises NotFound, WrongMove."""
    require(by, Permission.SERVE_QUEUES, organisation)
    place = None if phone is None else Phone.objects.filter(pk=phone, organisation_id=organisation, enabled=True).first()
    if by.user is None or (phone is not None and (place is None or place.user_id not in (None, by.user))):
        raise NotFound(HIDDEN)
    Agent.objects.get_or_create(user_id=by.user, defaults={"organisation_id": organisation, "since": now})
    row = Agent.objects.select_for_update().get(user_id=by.user)
    row.organisation_id, row.phone = organisation, place
    row.save(update_fields=["organisation", "phone"])
    _set_state(row, state, reason, now)


@transaction.atomic
def set_agent_state(*, agent: int, state: AgentState, by: Actor, now: datetime, reason: str = "") -> None:
    """Let an agent be in another state: their own doing, the router's, or a supervisor's with a reason. Raises NotFound, WrongMove."""
    row = Agent.objects.select_for_update().filter(user_id=agent).first()
    if row is None:
        raise NotFound(HIDDEN)
    if not by.is_installation and by.user != agent:
        require(by, Permission.SUPERVISE_QUEUES, row.organisation_id)
        audit.record(by, "agent.state", f"user:{agent}", row.organisation_id, detail=f"{state.value} {reason}"[:200], at=now)
    _set_state(row, state, reason, now)


def _set_state(row: Agent, state: AgentState, reason: str, now: datetime) -> None:
    if row.state == state and row.reason == reason:
        return
    row.state, row.reason, row.since = move_agent(row.state, state) if row.state != state else state, reason[:60], now
    row.save(update_fields=["state", "reason", "since"])
    Spell.objects.filter(user_id=row.user_id, end=None).update(end=now)
    Spell.objects.create(organisation_id=row.organisation_id, user_id=row.user_id, state=state, reason=row.reason, begin=now)
    _tell_desk(row.user_id, row.organisation_id, now)


def _end(row: Contact, end: End, now: datetime) -> None:
    row.state, row.end, row.ended_at = move(row.state, ContactState.ENDED), end.value, now
    row.save()
    _fact(row, end.value, now)
    event = ContactEnded(contact=row.pk, queue=row.queue_id, end=end.value)
    outbox.add(event, organisation=row.organisation_id, aggregate=f"contact:{row.pk}", now=now)


def _fact(row: Contact, what: str, now: datetime) -> None:
    Fact.objects.create(contact=row, what=what, agent=row.agent_id, at=now)
    if row.agent_id is not None:
        _tell_desk(row.agent_id, row.organisation_id, now)


def _tell_desk(agent: int, organisation: int, now: datetime) -> None:
    outbox.add(DeskChanged(agent=agent), organisation=organisation, aggregate=f"desk:{agent}", now=now)


def _row(contact: int, by: Actor) -> Contact:
    row = Contact.objects.select_for_update().filter(pk=contact).first()
    if row is None or not (by.is_installation or (row.agent_id is not None and row.agent_id == by.user)):
        raise NotFound(HIDDEN)
    return row
