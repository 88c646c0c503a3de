"""Joins sub-packages and says which are missing (JT/T 808-2019, 6 and 8.6; waits of JT/T 808-2013, 6.1).

No clock of its own: every call is given `now` in seconds of any monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice

from jilink.protocols.jt808.header import Header

Key = tuple[str, int, int]
"""Phone, message id, number of packages."""

PART_COST = 256
"""Bytes that a package is counted with beside its body, so that empty ones are bounded too."""

MOST_INDICES = 255
"""Packages that are named missing at once: as many as a request of 2013 can ask for."""


@dataclass(frozen=True, slots=True)
class Joined:
    """A message that is whole. `header` is the first package's."""

    header: Header
    body: bytes


@dataclass(frozen=True, slots=True)
class Missing:
    """A message that lacks packages (the first 255 are named). `given_up` says that it was dropped."""

    phone: str
    id: int
    first_serial: int
    indices: tuple[int, ...]
    given_up: bool


@dataclass(slots=True)
class _Open:
    first_serial: int
    touched: float
    asked: int = 0
    size: int = 0
    header: Header | None = None
    """The first package's."""
    parts: dict[int, bytes] = field(default_factory=dict)


class Joiner:
    """Collects the packages of the messages of one connection.

    At most `most_messages` messages of together `most_bytes` wait, each package counted with its body and `PART_COST`; beyond that the
    one that waited longest is dropped. After `wait` seconds without a package `due` names what is missing, then after twice, three
    times ... as long (wait x 2, x 3), `retries` times in all; then the message is given up.
    """

    def __init__(self, *, wait: float = 10.0, retries: int = 3, most_bytes: int = 8_000_000, most_messages: int = 16) -> None:
        self.wait, self.retries = wait, retries
        self.most_bytes, self.most_messages = most_bytes, most_messages
        self._open: dict[Key, _Open] = {}

    @property
    def waiting_bytes(self) -> int:
        """Bytes held of messages that are not whole, with `PART_COST` for each package."""
        return sum(entry.size for entry in self._open.values())

    def add(self, header: Header, body: bytes, now: float) -> Joined | None:
        """Take one package; return the message when this was the last one that lacked. A package that came already is ignored."""
        if header.total <= 1:
            return Joined(header, body)
        if not 1 <= header.index <= header.total:
            return None
        key = (header.phone, header.id, header.total)
        first = (header.serial - header.index + 1) & 0xFFFF
        entry = self._open.get(key)
        if entry is None or (header.index in entry.parts and first != entry.first_serial):
            entry = self._open[key] = _Open(first, now)
        if header.index not in entry.parts:
            entry.parts[header.index] = body
            entry.size += len(body) + PART_COST
        if header.index == 1:
            entry.header = entry.header or header
        entry.touched = now
        if entry.header is not None and len(entry.parts) == header.total:
            del self._open[key]
            return Joined(entry.header, b"".join(entry.parts[index] for index in range(1, header.total + 1)))
        self._bound(key)
        return None

    def _bound(self, newest: Key) -> None:
        while len(self._open) > self.most_messages or self.waiting_bytes > self.most_bytes:
            oldest = min(self._open, key=lambda key: (key == newest, self._open[key].touched))
            del self._open[oldest]

    def due(self, now: float) -> list[Missing]:
        """Return what to ask for again, and what was given up."""
        found: list[Missing] = []
        for key, entry in list(self._open.items()):
            if now - entry.touched < self.wait * (entry.asked + 1):
                continue
            given_up = entry.asked >= self.retries
            found.append(self._missing(key, entry, given_up))
            if given_up:
                del self._open[key]
            else:
                entry.asked += 1
                entry.touched = now
        return found

    def pending(self) -> list[Missing]:
        """Return every message that is not whole."""
        return [self._missing(key, entry, False) for key, entry in self._open.items()]

    @staticmethod
    def _missing(key: Key, entry: _Open, given_up: bool) -> Missing:
        phone, number, total = key
        lacking = tuple(islice((index for index in range(1, total + 1) if index not in entry.parts), MOST_INDICES))
        return Missing(phone, number, entry.first_serial, lacking, given_up)
