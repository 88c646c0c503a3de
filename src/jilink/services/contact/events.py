"""What happened in the contact service, for those who react."""

from typing import ClassVar

from jilink.spine.events import Event


class PhoneSet(Event, frozen=True, kw_only=True):
    """A phone was added, changed or removed: the engines have to know."""

    NOUN: ClassVar[str] = "contact"
    organisation: int
    extension: str


class TrunkSet(Event, frozen=True, kw_only=True):
    """A trunk was added, changed or removed: the engines have to know."""

    NOUN: ClassVar[str] = "contact"
    trunk: int


class PhoneDue(Event, frozen=True, kw_only=True):
    """The time of a phone that was lent is over, unless it was lent anew; a timer."""

    NOUN: ClassVar[str] = "contact"
    phone: int


class QueueChanged(Event, frozen=True, kw_only=True):
    """A queue was added, changed or retired."""

    NOUN: ClassVar[str] = "contact"
    queue: int


class ContactQueued(Event, frozen=True, kw_only=True):
    """Somebody waits in a queue."""

    NOUN: ClassVar[str] = "contact"
    contact: int
    queue: int


class ContactAnswered(Event, frozen=True, kw_only=True):
    """An agent took a contact."""

    NOUN: ClassVar[str] = "contact"
    contact: int
    queue: int
    agent: int


class DeskChanged(Event, frozen=True, kw_only=True):
    """What an agent's desk shows is otherwise now; what, they read themselves."""

    NOUN: ClassVar[str] = "contact"
    agent: int


class ContactEnded(Event, frozen=True, kw_only=True):
    """A contact left its queue for good; `end` says how (rules.states.End)."""

    NOUN: ClassVar[str] = "contact"
    contact: int
    queue: int
    end: str


class ConversationChanged(Event, frozen=True, kw_only=True):
    """A written conversation is otherwise now: whoever looks at it reads what it is."""

    NOUN: ClassVar[str] = "contact"
    conversation: int


class MessageWritten(Event, frozen=True, kw_only=True):
    """Something was written to somebody; a channel that carries it (texts) fetches the words and tells what became of them."""

    NOUN: ClassVar[str] = "contact"
    conversation: int
    number: int
    channel: str


class SomebodyTypes(Event, frozen=True, kw_only=True):
    """Somebody is writing in a conversation: a hint, of which nothing is kept."""

    NOUN: ClassVar[str] = "contact"
    conversation: int
    agent: int = 0
    """Who is to see that the visitor writes; 0: the agent writes, and the visitor is to see it."""


class CampaignChanged(Event, frozen=True, kw_only=True):
    """A campaign was added, changed, started, paused or closed."""

    NOUN: ClassVar[str] = "contact"
    campaign: int


class RecordingArrived(Event, frozen=True, kw_only=True):
    """The sound of a contact lies in the spine, as the engine wrote it; it is taken into the house, and gone from there."""

    NOUN: ClassVar[str] = "contact"
    recording: int
    source: str


class RecordingKept(Event, frozen=True, kw_only=True):
    """The sound of a contact can be listened to."""

    NOUN: ClassVar[str] = "contact"
    recording: int
    contact: int


class EvaluationGiven(Event, frozen=True, kw_only=True):
    """An agent's contact was scored; the agent reads it."""

    NOUN: ClassVar[str] = "contact"
    evaluation: int
    agent: int


class EvaluationDisputed(Event, frozen=True, kw_only=True):
    """An agent does not agree with a score."""

    NOUN: ClassVar[str] = "contact"
    evaluation: int
    agent: int
