"""Written conversations: what is said on either side, whatever the channel. What was acknowledged is kept; said twice is said once.

People write through a public door: their proof is a secret of their own making, of which a digest is kept. The words stand in the
interaction (`core.interactions`), which numbers them; here stands what the channel adds.
"""

import contextlib
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from jilink.core.interactions import actions as interactions
from jilink.core.interactions.actions import Contact as Told
from jilink.core.interactions.rules import Channel, Outcome, Side
from jilink.core.outbox import outbox
from jilink.core.parties import access, walls
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.people import actions as people
from jilink.core.parties.people.actions import PersonData
from jilink.core.parties.people.rules import ContactKind
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import InteractionId, OrganisationId, PersonId
from jilink.services.contact.events import ConversationChanged, DeskChanged, MessageWritten, SomebodyTypes
from jilink.services.contact.models import ChatSite, Contact, Conversation, Message, Queue
from jilink.services.contact.rules import written as rules
from jilink.services.contact.rules.states import ContactState
from jilink.services.contact.rules.written import Closed, ConversationRefused, ConversationState

HIDDEN = "There is no such thing, or you may not see it."
Upload = tuple[bytes, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who begins to write on a web page: with a secret of their own, having agreed, and with a name and an address if they like."""

    site: str
    secret: str
    agreed: bool
    language: str = "zh-hans"
    name: str = ""
    address: str = ""
    """A telephone number or an e-mail address."""


def system() -> Actor:
    """Return as whom the public door writes, once the proof was seen."""
    return access.system("chat")


def begin_conversation(*, visitor: Visitor, words: str, client: str, now: datetime | None = None) -> int:
    """Begin to write with the first words, and return the conversation; the same secret again is the conversation there is.

    Nothing is kept of whoever did not agree. Raises NotFound, ConversationRefused, ContactRefused.
    """
    moment, mark = now or utc_now(), rules.digest(visitor.secret)
    if not visitor.agreed:
        raise ConversationRefused("Nothing is kept before you agree.")
    if not rules.words_of(words):
        raise ConversationRefused("Write something first.")
    with walls.everything(), transaction.atomic():
        row = Conversation.objects.filter(secret=mark).first()
        if row is None:
            site = _site(visitor.site)
            row = _begin(site, visitor, mark, moment)
        _heard(row.pk, words, None, client, moment)
        return row.pk


def say_as_visitor(*, secret: str, words: str, client: str, upload: Upload | None = None, now: datetime | None = None) -> int:
    """Keep what a visitor wrote or sent, and return its number. Raises NotFound, Refused."""
    with walls.everything(), transaction.atomic():
        return _heard(_mine(secret).pk, words, upload, client, now or utc_now())


def note_polled(*, secret: str, has: int, read: int, now: datetime | None = None) -> None:
    """Note that a visitor's page asks, which messages it has, and which were looked at. Raises NotFound."""
    with walls.everything(), transaction.atomic():
        row, moment = _mine(secret), now or utc_now()
        if moment - row.seen_at > rules.SEEN_AGAIN:
            row.seen_at = moment
            row.save(update_fields=["seen_at"])
        ours = Message.objects.filter(conversation=row, side=Side.OURS.value)
        delivered = ours.filter(number__lte=has, delivered_at=None).update(delivered_at=moment)
        if ours.filter(number__lte=read, read_at=None).update(read_at=moment) or delivered:
            tell(row, moment)


def show_typing(*, secret: str, now: datetime | None = None) -> None:
    """Let the agent see that a visitor writes. Raises NotFound."""
    with walls.everything(), transaction.atomic():
        row = _mine(secret)
        if agent := _agent_of(row):
            _typing(row, agent, now or utc_now())


def leave_conversation(*, secret: str, now: datetime | None = None) -> None:
    """Let a visitor end the conversation; saying it again changes nothing. Raises NotFound."""
    with walls.everything(), transaction.atomic():
        row = _mine(secret)
        if row.state != ConversationState.CLOSED:
            waits = row.state != ConversationState.GOING  # else the router ends it, with how it was
            close(row, Closed.VISITOR, Outcome.ABANDONED if waits else None, now or utc_now())


def rate_conversation(*, secret: str, rating: int, now: datetime | None = None) -> None:
    """Keep how a visitor rates a conversation that is over; another rating takes its place. Raises NotFound, ConversationRefused."""
    with walls.everything(), transaction.atomic():
        row = _mine(secret)
        if row.state != ConversationState.CLOSED or rating not in rules.RATINGS:
            raise ConversationRefused("A conversation is rated from 1 to 5 when it is over.")
        row.rating, row.rated_at = rating, now or utc_now()
        row.save(update_fields=["rating", "rated_at"])


@transaction.atomic
def begin_text(*, organisation: int, queue: int, address: str, reference: str, by: Actor, now: datetime | None = None) -> int:
    """Begin a conversation by text messages, for the edge that carries them, and return it; the same reference is the one there is.

    Raises NotFound, ContactRefused.
    """
    found = Queue.objects.filter(pk=queue, organisation_id=organisation, retired_at=None).first()
    if found is None or not by.is_installation:
        raise NotFound(HIDDEN)
    moment = now or utc_now()
    told = Told(channel=Channel.TEXT, contact=address, source="text", reference=reference)
    interaction = interactions.add_interaction(organisation=OrganisationId(organisation), contact=told, by=by, now=moment)
    known = Conversation.objects.filter(interaction=interaction).first()
    if known is not None:
        return known.pk
    row = Conversation.objects.create(
        organisation_id=organisation, channel=rules.TEXT, queue=found, interaction=interaction, state=ConversationState.WANTING.value,
        opened_at=moment, seen_at=moment,
    )  # fmt: skip
    return row.pk


@transaction.atomic
def hear(*, conversation: int, words: str, client: str, upload: Upload | None = None, by: Actor, now: datetime | None = None) -> int:
    """Keep what somebody wrote by another channel, and return its number. Raises NotFound, Refused."""
    if not by.is_installation:
        raise NotFound(HIDDEN)
    return _heard(conversation, words, upload, client, now or utc_now())


@transaction.atomic
def note_delivery(*, conversation: int, number: int, trouble: str = "", by: Actor, now: datetime | None = None) -> None:
    """Note that a channel delivered what was written, or why it did not. Raises NotFound."""
    if not by.is_installation:
        raise NotFound(HIDDEN)
    row = Conversation.objects.filter(pk=conversation).first()
    if row is None:
        raise NotFound(HIDDEN)
    moment = now or utc_now()
    change = {"trouble": trouble[:80]} if trouble else {"delivered_at": moment, "trouble": ""}
    Message.objects.filter(conversation=row, number=number).update(**change)
    tell(row, moment)


@transaction.atomic
def say_as_agent(*, contact: int, words: str, client: str, upload: Upload | None = None, by: Actor, now: datetime | None = None) -> int:
    """Keep what the agent who has a contact writes or sends, and return its number. Raises NotFound, Refused."""
    row, moment = _theirs(contact, by), now or utc_now()
    rules.may_write(row.state)
    return _said(row, Side.OURS, rules.words_of(words), upload, client, by, moment)


@transaction.atomic
def mark_read(*, contact: int, upto: int, by: Actor, now: datetime | None = None) -> None:
    """Note that the agent has read what was written. Raises NotFound."""
    row, moment = _theirs(contact, by), now or utc_now()
    unread = Message.objects.filter(conversation=row, side=Side.THEIRS.value, number__lte=upto, read_at=None)
    if unread.update(read_at=moment):
        tell(row, moment)


@transaction.atomic
def show_agent_typing(*, contact: int, by: Actor, now: datetime | None = None) -> None:
    """Let a visitor see that the agent writes. Raises NotFound."""
    _typing(_theirs(contact, by), 0, now or utc_now())


# one's own


def _begin(site: ChatSite, visitor: Visitor, mark: str, moment: datetime) -> Conversation:
    by, place = system(), OrganisationId(site.organisation_id)
    told = Told(channel=Channel.CHAT, language=visitor.language[:12], source="chat", reference=mark)
    interaction = interactions.add_interaction(organisation=place, contact=told, by=by, now=moment)
    try:
        with transaction.atomic():
            row = Conversation.objects.create(
                organisation_id=site.organisation_id, channel=rules.CHAT, site=site, queue_id=site.queue_id, interaction=interaction,
                state=ConversationState.WANTING.value, secret=mark, language=visitor.language[:12], agreed_to=site.version,
                opened_at=moment, seen_at=moment,
            )  # fmt: skip
    except IntegrityError:
        return Conversation.objects.get(secret=mark)  # asked twice in the same moment
    introduce(row, site, visitor.name, visitor.address, moment)
    return row


def introduce(row: Conversation, site: ChatSite, name: str, address: str, moment: datetime) -> PersonId | None:
    """Add the person who said who they are, with their consent; nobody where they did not. What they say of themselves is not
    believed: it opens nobody's record, and doubles are joined by people. Raises ContactRefused, PersonRefused."""
    told = name.strip()[:100]
    if not told and not address.strip():
        return None
    design, by = rules.read_site(site.design), system()
    kind = ContactKind.EMAIL if "@" in address else ContactKind.PHONE
    contacts = (people.Contact(kind, address),) if address.strip() else ()
    place = OrganisationId(row.organisation_id)
    person = people.add_person(organisation=place, data=PersonData(name=told), contacts=contacts, by=by, now=moment)
    evidence = f"agreed on a web page: {design.name}, version {site.version} of its words, conversation {row.pk}"
    people.give_consent(person=person, purpose=design.purpose, evidence=evidence[:400], by=by, now=moment)
    interactions.identify_person(interaction=InteractionId(row.interaction), person=person, by=by)
    return person


def _site(key: str) -> ChatSite:
    site = ChatSite.objects.select_related("queue").filter(key=key, enabled=True, queue__retired_at=None).first()
    if site is None:
        raise NotFound(HIDDEN)
    return site


def _mine(secret: str) -> Conversation:
    try:
        mark = rules.digest(secret)
    except Refused as error:
        raise NotFound(HIDDEN) from error
    row = Conversation.objects.select_for_update().filter(secret=mark).first()
    if row is None:
        raise NotFound(HIDDEN)
    return row


def _theirs(contact: int, by: Actor) -> Conversation:
    held = Contact.objects.filter(pk=contact, agent_id=by.user or 0, state=ContactState.TALKING).first()
    conversation, _case = rules.of_leg(held.leg) if held is not None and not held.node else (None, None)
    row = Conversation.objects.select_for_update().filter(pk=conversation or 0).first()
    if row is None:
        raise NotFound(HIDDEN)
    return row


def _heard(conversation: int, words: str, upload: Upload | None, client: str, moment: datetime) -> int:
    row = Conversation.objects.select_for_update().filter(pk=conversation).first()
    if row is None:
        raise NotFound(HIDDEN)
    if row.state == ConversationState.CLOSED:
        raise ConversationRefused("This conversation is over. Begin a new one.")
    row.seen_at = moment
    if row.state == ConversationState.UNATTENDED:
        row.state = rules.move(row.state, ConversationState.WANTING)  # perhaps somebody is there by now
    row.save(update_fields=["seen_at", "state"])
    number = _said(row, Side.THEIRS, rules.words_of(words), upload, client, system(), moment)
    _tell_agent(row, moment)
    return number


def _said(row: Conversation, side: Side, words: str, upload: Upload | None, client: str, by: Actor, moment: datetime) -> int:
    if not 0 < len(client) <= 60:
        raise ConversationRefused("A message needs a name of its own, so that it is not kept twice.")
    who = Actor(by.name, by.user, system().grants)  # the conversation's own door let them in
    number = interactions.add_part(
        interaction=InteractionId(row.interaction),
        side=side,
        text=words,
        file=upload,
        reference=f"{side.value}-{client}",
        by=who,
        at=moment,
    )
    _message, made = Message.objects.get_or_create(conversation=row, number=number, defaults={"side": side.value, "at": moment})
    if made:
        row.numbered = number
        row.save(update_fields=["numbered"])
        event = MessageWritten(conversation=row.pk, number=number, channel=row.channel)
        outbox.add(event, organisation=row.organisation_id, aggregate=f"conversation:{row.pk}", now=moment)
    return number


def is_answered(row: Conversation) -> bool:
    """Return whether an agent has a conversation now."""
    return Contact.objects.filter(node="", leg=rules.leg_of(row.pk), state=ContactState.TALKING).exists()


def close(row: Conversation, how: Closed, outcome: Outcome | None, moment: datetime) -> None:
    """Close a conversation, and its interaction where an outcome is given and nobody gave it another. Raises ConversationRefused."""
    row.state, row.closed, row.closed_at = rules.move(row.state, ConversationState.CLOSED), how.value, moment
    row.save(update_fields=["state", "closed", "closed_at"])
    if outcome is not None:
        with contextlib.suppress(Refused):  # somebody ended it otherwise
            interactions.end_interaction(interaction=InteractionId(row.interaction), outcome=outcome, by=system(), now=moment)
    tell(row, moment)


def _agent_of(row: Conversation) -> int | None:
    held = Contact.objects.filter(node="", leg=rules.leg_of(row.pk), state=ContactState.TALKING)
    return held.values_list("agent", flat=True).first()


def _tell_agent(row: Conversation, moment: datetime) -> None:
    if agent := _agent_of(row):
        outbox.add(DeskChanged(agent=agent), organisation=row.organisation_id, aggregate=f"desk:{agent}", now=moment)


def _typing(row: Conversation, agent: int, moment: datetime) -> None:
    event = SomebodyTypes(conversation=row.pk, agent=agent)
    outbox.add(event, organisation=row.organisation_id, aggregate=f"conversation:{row.pk}", now=moment)


def tell(row: Conversation, moment: datetime) -> None:
    """Tell whoever looks at a conversation, and the agent who has it, that it is otherwise."""
    event = ConversationChanged(conversation=row.pk)
    outbox.add(event, organisation=row.organisation_id, aggregate=f"conversation:{row.pk}", now=moment)
    _tell_agent(row, moment)
