"""Written conversations as their writers and agents see them. A writer's proof is their secret; an agent's, that the contact is theirs."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max

from jilink.core.files import reads as files
from jilink.core.files.reads import FileView
from jilink.core.interactions import reads as interactions
from jilink.core.interactions.rules import Side
from jilink.core.parties import access, walls
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.kernel.ids import FileId, InteractionId
from jilink.services.contact.models import ChatSite, Contact, Conversation, Message
from jilink.services.contact.reads import desk
from jilink.services.contact.rules import written as rules
from jilink.services.contact.rules.design import read_design
from jilink.services.contact.rules.happenings import QueuePlan, Work
from jilink.services.contact.rules.states import OPEN, ContactState
from jilink.services.contact.rules.written import ConversationState, SiteDesign

HIDDEN = "There is no such thing, or you may not see it."
MOST_TOLD = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that was written, or a file that was sent."""

    number: int
    theirs: bool
    text: str
    file: FileView | None
    at: datetime
    delivered: bool
    read: bool
    trouble: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A site as its visitors meet it."""

    key: str
    design: SiteDesign
    organisation: int
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A conversation as whoever writes sees it."""

    id: int
    state: ConversationState
    answered: bool
    place: int
    """Place in the queue, from 1; 0 where it does not wait."""
    lines: tuple[Line, ...]
    last: int
    read: int
    """Number of the last of their messages that the agent has read."""
    rated: int | None
    closed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A conversation that an agent has, or may take."""

    conversation: int
    channel: str
    language: str
    lines: tuple[Line, ...]
    unread: int
    last: int
    closed: bool


def door(key: str, now: datetime) -> Door:
    """Return a site by the key in its pages. No wall is asked: everybody may know it. Raises NotFound."""
    with walls.everything():
        row = ChatSite.objects.select_related("queue").filter(key=key, enabled=True, queue__retired_at=None).first()
        if row is None:
            raise NotFound(HIDDEN)
        design = rules.read_site(row.design)
        calendar = design.calendar or read_design(row.queue.design).calendar
        try:
            is_open = desk.is_open(row.organisation_id, calendar, now)
        except Refused:
            is_open = True  # the router says it in the log
        return Door(key=row.key, design=design, organisation=row.organisation_id, is_open=is_open)


def site_of(secret: str) -> str:
    """Return the key of the site of a conversation. Raises NotFound."""
    with walls.everything():
        row = _mine(secret)
        return row.site.key if row.site is not None else ""


def seen(secret: str, *, after: int = 0) -> Seen:
    """Return a conversation to whoever writes, with what was written after a number. Raises NotFound."""
    with walls.everything():
        row = _mine(secret)
        held = Contact.objects.filter(node="", leg=rules.leg_of(row.pk), state__in=OPEN).order_by("-hop").first()
        return Seen(
            id=row.pk,
            state=ConversationState(row.state),
            answered=held is not None and held.state == ContactState.TALKING,
            place=_place(held) if held is not None and row.state == ConversationState.GOING else 0,
            lines=_lines(row, after),
            last=row.numbered,
            read=_read(row),
            rated=row.rating,
            closed=row.closed,
        )


def file_for_visitor(secret: str, number: int) -> tuple[FileView, bytes]:
    """Return a file of a conversation to whoever writes. Raises NotFound."""
    with walls.everything():
        return _file(_mine(secret), number)


def talk(actor: Actor, contact: int) -> Talk:
    """Return the conversation of a contact that the actor has. Raises NotFound."""
    return _talk(_of_agent(actor, contact))


def file_for_agent(actor: Actor, contact: int, number: int) -> tuple[FileView, bytes]:
    """Return a file of a conversation that the actor has. Raises NotFound."""
    return _file(_of_agent(actor, contact), number)


def talk_of_interaction(actor: Actor, interaction: int) -> Talk:
    """Return what was written in an interaction that the actor may see. Raises NotFound."""
    interactions.interaction(actor, InteractionId(interaction))
    row = Conversation.objects.filter(interaction=interaction).first()
    if row is None:
        raise NotFound(HIDDEN)
    return _talk(row)


def _of_agent(actor: Actor, contact: int) -> Conversation:
    held = Contact.objects.filter(pk=contact, agent_id=actor.user or 0, state__in=OPEN, node="").first()
    conversation, _case = rules.of_leg(held.leg) if held is not None else (None, None)
    row = Conversation.objects.filter(pk=conversation or 0).first()
    if row is None:
        raise NotFound(HIDDEN)
    return row


def _mine(secret: str) -> Conversation:
    try:
        mark = rules.digest(secret)
    except Refused as error:
        raise NotFound(HIDDEN) from error
    row = Conversation.objects.select_related("site").filter(secret=mark).first()
    if row is None:
        raise NotFound(HIDDEN)
    return row


def _talk(row: Conversation) -> Talk:
    lines = _lines(row, 0)
    return Talk(
        conversation=row.pk,
        channel=row.channel,
        language=row.language,
        lines=lines,
        unread=sum(line.theirs and not line.read for line in lines),
        last=row.numbered,
        closed=row.state == ConversationState.CLOSED,
    )


def _lines(row: Conversation, after: int) -> tuple[Line, ...]:
    parts = interactions.parts(access.system("chat"), InteractionId(row.interaction), after=after)[-MOST_TOLD:]
    marks = {each.number: each for each in Message.objects.filter(conversation=row, number__gt=after)}
    kept = [part.file for part in parts if part.file is not None]
    found = files.files(access.system("chat"), kept, Permission.VIEW_INTERACTIONS) if kept else {}
    return tuple(
        Line(
            number=part.number,
            theirs=part.side is Side.THEIRS,
            text=part.text,
            file=found.get(part.file) if part.file is not None else None,
            at=part.at,
            delivered=mark.delivered_at is not None,
            read=mark.read_at is not None,
            trouble=mark.trouble,
        )
        for part in parts
        if (mark := marks.get(part.number)) is not None
    )


def _read(row: Conversation) -> int:
    theirs = Message.objects.filter(conversation=row, side=Side.THEIRS.value, read_at__isnull=False)
    return theirs.aggregate(last=Max("number"))["last"] or 0


def _file(row: Conversation, number: int) -> tuple[FileView, bytes]:
    if not Message.objects.filter(conversation=row, number=number).exists():
        raise NotFound(HIDDEN)
    parts = interactions.parts(access.system("chat"), InteractionId(row.interaction), after=number - 1)
    part = next((each for each in parts if each.number == number and each.file is not None), None)
    if part is None or part.file is None:
        raise NotFound(HIDDEN)
    return files.content(access.system("chat"), FileId(part.file), Permission.VIEW_INTERACTIONS)


def _place(held: Contact) -> int:
    """Return the place of a contact in its queue, as the matcher counts it. One that rings is the next."""
    if held.state == ContactState.RINGING:
        return 1
    plan: QueuePlan = read_design(held.queue.design).plan(held.queue_id)
    rows = Contact.objects.filter(queue_id=held.queue_id, state=ContactState.WAITING).only(
        "pk", "channel", "enqueued_at", "priority", "emergency", "state"
    )
    waiting = [
        (
            plan,
            Work(
                contact=row.pk, queue=held.queue_id, channel=row.channel, since_ms=int(row.enqueued_at.timestamp() * 1000),
                priority=row.priority, emergency=row.emergency,
            ),
            row.state,
        )
        for row in rows
    ]  # fmt: skip
    return rules.place_of(held.pk, waiting)
