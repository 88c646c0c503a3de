"""Which answer of a terminal belongs to which command: pure bookkeeping by serial number, with time passed in.

A command is settled exactly once: answered, or failed with a reason. Nothing is dropped in silence.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from jilink.edges.terminals.session import TERMINAL_ANSWER
from jilink.spine.records import CommandReply

ANSWERS: dict[int, int] = {
    0x8104: 0x0104,
    0x8106: 0x0104,
    0x8107: 0x0107,
    0x8201: 0x0201,
    0x8302: 0x0302,
    0x8500: 0x0500,
    0x8608: 0x0608,
    0x8700: 0x0700,
    0x8702: 0x0702,
    0x8801: 0x0805,
    0x8802: 0x0802,
    0x9003: 0x1003,
    0x9201: 0x1205,
    0x9205: 0x1205,
    0x9206: 0x1206,
}
"""Own answers of messages that have one (JT/T 808-2019, annex A; JT/T 1078-2016, table 1); all others get 0x0001."""

UNNUMBERED = frozenset({0x0107, 0x0702, 0x1003})
"""Answers without the serial of the question: they settle the oldest question of their kind."""

REASONS = {1: "terminal_failed", 2: "terminal_malformed", 3: "terminal_unsupported"}
"""Results of 0x0001 other than success (JT/T 808-2019, 8.1)."""

REMEMBERED_S = 600.0
"""How long a settled command is remembered, so that asking again does not send again."""

Deliver = Callable[[CommandReply], None]


@dataclass(slots=True)
class Outstanding:
    """A command that was sent and is not settled."""

    command: str
    connection: int
    message: int
    serials: frozenset[int]
    last_serial: int
    deadline: float
    deliver: list[Deliver]
    frames: tuple[bytes, ...] = ()
    accepted: set[int] = field(default_factory=set)

    @property
    def answer(self) -> int:
        """The message that settles it."""
        return ANSWERS.get(self.message, TERMINAL_ANSWER)


@dataclass(frozen=True, slots=True)
class Settled:
    """A command and what became of it; `deliver` are those who asked."""

    reply: CommandReply
    deliver: tuple[Deliver, ...]


class Ledger:
    """The commands of one worker. A connection is named by any number unique to it."""

    def __init__(self) -> None:
        self._open: dict[int, list[Outstanding]] = {}
        self._known: dict[str, Outstanding] = {}
        self._settled: dict[str, tuple[float, CommandReply]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def repeat(self, command: str, deliver: Deliver) -> CommandReply | None:
        """Return where a command stands that was asked before, None where it is new. One still open answers `deliver` too."""
        if command in self._known:
            self._known[command].deliver.append(deliver)
            return CommandReply(command=command, state="sent")
        settled = self._settled.get(command)
        return settled[1] if settled else None

    def open(self, outstanding: Outstanding) -> None:
        """Remember a command that has just been sent."""
        self._open.setdefault(outstanding.connection, []).append(outstanding)
        self._known[outstanding.command] = outstanding

    def accept(self, connection: int, serial: int, result: int, now: float, at: datetime) -> list[Settled]:
        """Take a 0x0001: it settles what has no answer of its own, and fails whatever the terminal refuses."""
        for item in self._open.get(connection, ()):
            if serial not in item.serials:
                continue
            if result:
                return [self._settle(item, "failed", now, at, REASONS.get(result, "terminal_failed"), TERMINAL_ANSWER, {"result": result})]
            item.accepted.add(serial)
            complete = serial == item.last_serial or item.accepted == item.serials
            if item.answer == TERMINAL_ANSWER and complete:
                return [self._settle(item, "answered", now, at, "", TERMINAL_ANSWER, {"result": 0})]
            return []
        return []

    def answer(
        self, connection: int, message: int, serial: int | None, fields: Mapping[str, object], now: float, at: datetime
    ) -> list[Settled]:
        """Take an answer of a terminal; an empty list means that nobody asked for it."""
        for item in self._open.get(connection, ()):
            if item.answer == message and (serial in item.serials or (serial is None and message in UNNUMBERED)):
                return [self._settle(item, "answered", now, at, "", message, dict(fields))]
        return []

    def frames_to_repeat(self, connection: int, first_serial: int) -> tuple[bytes, ...]:
        """Return the frames of the long message whose first serial is given, for a terminal that asks again (0x0005)."""
        for item in self._open.get(connection, ()):
            if item.frames and first_serial == (item.last_serial - len(item.frames) + 1) & 0xFFFF:
                return item.frames
        return ()

    def expire(self, now: float, at: datetime) -> list[Settled]:
        """Settle what is past its time. A message in parts of which the terminal confirmed some counts as answered."""
        late = [item for items in self._open.values() for item in items if now >= item.deadline]
        settled = []
        for item in late:
            if item.accepted and item.answer == TERMINAL_ANSWER:
                settled.append(self._settle(item, "answered", now, at, "", TERMINAL_ANSWER, {"result": 0}))
            else:
                settled.append(self._settle(item, "failed", now, at, "timed_out"))
        for command in [c for c, (until, _) in self._settled.items() if now >= until]:
            del self._settled[command]
        return settled

    def end(self, connection: int, now: float, at: datetime) -> list[Settled]:
        """Fail everything that waits for a connection that is gone."""
        return [self._settle(item, "failed", now, at, "disconnected") for item in list(self._open.get(connection, ()))]

    def connections(self) -> Iterable[int]:
        """Return the connections that owe an answer."""
        return tuple(self._open)

    def _settle(
        self,
        item: Outstanding,
        state: str,
        now: float,
        at: datetime,
        reason: str,
        message: int | None = None,
        fields: dict[str, object] | None = None,
    ) -> Settled:
        left = self._open[item.connection]
        left.remove(item)
        if not left:
            del self._open[item.connection]
        del self._known[item.command]
        reply = CommandReply(command=item.command, state=state, reason=reason, reply_message=message, reply=fields or {}, at=at)
        self._settled[item.command] = (now + REMEMBERED_S, reply)
        return Settled(reply, tuple(item.deliver))
