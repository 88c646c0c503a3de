"""A queue as its organisation designs it: one struct, read and written as JSON, refused with place and reason."""

import re
from enum import StrEnum

import msgspec

from jilink.kernel.errors import Refused
from jilink.kernel.texts import Text
from jilink.services.contact.rules.happenings import QueuePlan
from jilink.services.contact.rules.needs import Softening
from jilink.services.contact.rules.recordings import LONGEST_KEPT_DAYS
from jilink.services.contact.rules.waiting import LONGEST_WAIT_S, LONGEST_WRAP_UP_S, MOST_WAITING, Rule, Telling

KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
DIALLED = re.compile(r"\+?[0-9*#]{2,24}")


class QueueRefused(Refused):
    """A queue cannot be so."""


class Recording(StrEnum):
    """What is recorded of a queue's calls."""

    NONE = "none"
    ALL = "all"
    ON_REQUEST = "on_request"
    """The agent begins it."""


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """What a contact was about, chosen at its end."""

    key: str
    title: Text


class QueueDesign(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a queue is served. Seconds."""

    name: Text
    skills: tuple[tuple[str, int], ...] = ()
    """Skills with their least level, 1 to 5."""
    priority: int = 0
    emergency: bool = False
    """Its contacts go before all others (buttons of vehicles)."""
    target_s: int = 20
    level: float = 0.8
    """Share to be answered within the target."""
    share: float = 1.0
    """Multiplies the share that follows from arrivals and target: above 1 more may wait here."""
    ageing_s: int = 60
    overdue_s: int = 600
    ring_s: int = 15
    short_s: int = 5
    softenings: tuple[Softening, ...] = ()
    sticky_s: int = 0
    """How long somebody waits for the agent of last time; 0: not at all."""
    telling: Telling = Telling()
    rule: Rule = Rule()
    overflow_to: str = ""
    """Key of the queue of the same organisation that takes whoever waits too long."""
    calendar: str = ""
    """Key of the working calendar it is open by; "": always open."""
    wrap_up_s: int = 30
    codes: tuple[Code, ...] = ()
    recording: Recording = Recording.NONE
    announce: bool = True
    """Whether callers are told before that they are recorded; who was not is not recorded then."""
    keep_days: int | None = None
    """For how long recordings are kept; 0 for ever, None as the organisation says."""
    language: str = "zh"
    """Of what is said to those who wait."""

    def plan(self, queue: int) -> QueuePlan:
        """Return what the matcher has to know of it."""
        return QueuePlan(
            queue=queue,
            share=self.share,
            target_s=self.target_s,
            ageing_s=self.ageing_s,
            overdue_s=self.overdue_s,
            ring_s=self.ring_s,
            softenings=self.softenings,
        )


def read_design(text: str | bytes) -> QueueDesign:
    """Return a queue's design. Raises QueueRefused with the place of what is wrong."""
    try:
        design = msgspec.json.decode(text, type=QueueDesign)
    except msgspec.DecodeError as error:
        raise QueueRefused("This is no queue: %(reason)s", reason=str(error)) from error
    check(design)
    return design


def write_design(design: QueueDesign) -> str:
    """Return the design as JSON."""
    return msgspec.json.encode(design).decode()


_BOUNDS: dict[str, tuple[float, float]] = {
    "priority": (0, 100),
    "target_s": (1, 86_400),
    "level": (0, 1),
    "share": (0, 1e6),
    "ageing_s": (0, 86_400),
    "overdue_s": (0, LONGEST_WAIT_S),
    "ring_s": (5, 120),
    "short_s": (0, 60),
    "sticky_s": (0, 3600),
    "wrap_up_s": (0, LONGEST_WRAP_UP_S),
    "keep_days": (0, LONGEST_KEPT_DAYS),
}


def check(design: QueueDesign) -> None:
    """Return where a queue can be so. Raises QueueRefused."""
    if not design.name:
        raise QueueRefused("A queue needs a name.")
    for field, (least, most) in _BOUNDS.items():
        if not least <= (getattr(design, field) or 0) <= most:
            raise QueueRefused("%(field)s is %(least)s to %(most)s.", field=field, least=least, most=most)
    if design.rule.most_waiting > MOST_WAITING or not 0 <= design.rule.most_wait_s <= LONGEST_WAIT_S:
        raise QueueRefused("At most %(most)s may wait, for %(longest)s s.", most=MOST_WAITING, longest=LONGEST_WAIT_S)
    keys = [code.key for code in design.codes]
    if len(set(keys)) != len(keys) or not all(KEY.fullmatch(key) for key in keys):
        raise QueueRefused("Each code has a key of its own: small letters, digits and _.")
    if any(not 1 <= level <= 5 for _name, level in design.skills):
        raise QueueRefused("Levels of skills are 1 to 5.")


def queue_key(text: str) -> str:
    """Return a queue's key. Raises QueueRefused."""
    if not KEY.fullmatch(text):
        raise QueueRefused("A key is small letters, digits and _, at most 40, beginning with a letter.")
    return text


def dialled_number(text: str) -> str:
    """Return a number as it is dialled, without spaces and hyphens. Raises QueueRefused."""
    number = re.sub(r"[\s()-]", "", text)
    if not DIALLED.fullmatch(number):
        raise QueueRefused("A number is 2 to 24 digits, as it is dialled.")
    return number
