"""What a timeline can say: one frozen struct for each kind of entry. Who and when stand beside it in the row."""

import msgspec

from jilink.kernel.texts import Text


class Detail(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """Base of all entries."""


class Opened(Detail, frozen=True, tag="opened"):
    """The case was opened."""

    channel: str
    interaction: int | None = None
    split_from: str = ""


class Stepped(Detail, frozen=True, tag="stepped"):
    """A transition was taken."""

    key: str
    step: str
    source: str
    target: str
    reason: str = ""
    code: str = ""


class Considered(msgspec.Struct, frozen=True, kw_only=True):
    """One rule of assignment that was looked at: whether it decided, and why or why not, in both languages."""

    rule: str
    label: Text
    decided: bool
    why: Text


class Assigned(Detail, frozen=True, tag="assigned"):
    """Somebody has it now; `why` are the reasons in the order they counted, `considered` every rule that was looked at."""

    unit: int
    team: int | None = None
    assignee: int | None = None
    why: tuple[str, ...] = ()
    rule: str = ""
    considered: tuple[Considered, ...] = ()
    moved_from: int | None = None
    """The unit that had it, where it was moved to another without a dispatch."""


class Change(msgspec.Struct, frozen=True):
    """One field, before and after, as JSON text."""

    field: str
    old: str
    new: str


class Edited(Detail, frozen=True, tag="edited"):
    """Fields were changed."""

    changes: tuple[Change, ...]


class Noted(Detail, frozen=True, tag="noted"):
    """A note for colleagues; the person we serve never sees it."""

    note: int


class Replied(Detail, frozen=True, tag="replied"):
    """A reply to somebody outside."""

    reply: int


class Asked(Detail, frozen=True, tag="asked"):
    """A unit asked for more time, to be rid of the order, or to wait."""

    request: int
    what: str
    reason: str
    amount: int = 0


class Decided(Detail, frozen=True, tag="decided"):
    """What was asked for was decided."""

    request: int
    what: str
    outcome: str
    reason: str = ""


class Suspended(Detail, frozen=True, tag="suspended"):
    """The clocks stand."""

    until: str = ""


class Resumed(Detail, frozen=True, tag="resumed"):
    """The clocks go on."""

    by_time: bool = False


class Escalated(Detail, frozen=True, tag="escalated"):
    """A rung of the ladder was reached; without clock and rung somebody called for help, and said why."""

    clock: str = ""
    rung: str = ""
    reason: str = ""
    notify: tuple[str, ...] = ()
    priority: int | None = None
    unit: int | None = None


class Linked(Detail, frozen=True, tag="linked"):
    """This case has to do with another, or with a thing."""

    how: str
    number: str = ""
    asset: int | None = None
    removed: bool = False


class MergedInto(Detail, frozen=True, tag="merged_into"):
    """This case goes on as another."""

    number: str


class MergedFrom(Detail, frozen=True, tag="merged_from"):
    """Another case goes on as this one."""

    number: str
    person: int | None = None


class SplitInto(Detail, frozen=True, tag="split_into"):
    """What came in one contact became several cases."""

    numbers: tuple[str, ...]


class Attached(Detail, frozen=True, tag="attached"):
    """A file was added, or taken away."""

    file: int
    removed: bool = False


class Rated(Detail, frozen=True, tag="rated"):
    """Whoever was served said how it was: 1 to 5."""

    level: int
    channel: str = ""


class RatingAsked(Detail, frozen=True, tag="rating_asked"):
    """A link by which the person can rate the case was made."""

    until: str


class CalledBack(Detail, frozen=True, tag="called_back"):
    """Somebody called whoever was dissatisfied."""

    outcome: str


AnyDetail = (
    Opened
    | Stepped
    | Assigned
    | Edited
    | Noted
    | Replied
    | Asked
    | Decided
    | Suspended
    | Resumed
    | Escalated
    | Linked
    | MergedInto
    | MergedFrom
    | SplitInto
    | Attached
    | Rated
    | RatingAsked
    | CalledBack
)
PUBLIC = frozenset({"opened", "stepped", "replied", "merged_into", "rated", "suspended", "resumed"})
"""Kinds that the person we serve may see, by their number."""


def write(detail: Detail) -> str:
    """Return an entry's detail as JSON."""
    return msgspec.json.encode(detail).decode()


_DECODER: msgspec.json.Decoder[AnyDetail] = msgspec.json.Decoder(AnyDetail)


def read(text: str) -> AnyDetail:
    """Return an entry's detail from JSON; what we wrote always reads."""
    return _DECODER.decode(text)
