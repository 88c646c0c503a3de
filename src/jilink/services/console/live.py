"""One stream of events for every open page of the console: what changed, how many wait, who is here.

A process hears the spine once and wakes those whom a fact may concern; each of them then reads, through its own walls, what it may
know. Nothing of a case travels by itself, so that nothing has to be held back, and what a page missed it reads when it comes back.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec
import structlog

from jilink.core.cases.events import CaseEvent
from jilink.kernel.errors import Malformed
from jilink.kernel.settings import Settings
from jilink.services.console.events import ConsoleNoticed, ConsolePresenceChanged
from jilink.spine import subjects
from jilink.spine.client import Spine
from jilink.spine.connection import Listening
from jilink.spine.events import decode_envelope, decode_event

log = structlog.get_logger(__name__)
MOST_WAITING = 200
"""Cases that a page is told of by number; of more it learns that there are many."""
OPENS_S = 10.0


@dataclass(slots=True, eq=False)
class Viewer:
    """One open page: which organisations concern it, which case it shows, who looks, and what it has not been told yet."""

    organisations: frozenset[int]
    follows: int | None = None
    user: int | None = None
    changed: set[int] = field(default_factory=set)
    opened: set[int] = field(default_factory=set)
    many: bool = False
    presence: bool = False
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, case: int, *, opened: bool) -> None:
        """Take in that a case changed; beyond what is kept, that many did."""
        if len(self.changed) >= MOST_WAITING:
            self.many = True
        else:
            self.changed.add(case)
            if opened:
                self.opened.add(case)
        self.news.set()

    def look(self) -> None:
        """Take in that somebody came to the case shown, or left it."""
        self.presence = True
        self.news.set()

    def take(self) -> tuple[set[int], set[int], bool, bool]:
        """Return what has not been told yet (changed, opened, many, presence) and forget it."""
        told = self.changed, self.opened, self.many, self.presence
        self.changed, self.opened, self.many, self.presence = set(), set(), False, False
        self.news.clear()
        return told


class Hub:
    """All open pages of one event loop."""

    def __init__(self, settings: Settings) -> None:
        self.spine = Spine(settings, "web-console")
        self.viewers: set[Viewer] = set()
        self._listening: list[Listening] = []
        self._door = asyncio.Lock()
        self._opened = False

    @asynccontextmanager
    async def viewing(self, viewer: Viewer) -> AsyncIterator[None]:
        """Let a page hear; the first one opens the subscription, the last one closes it. Raises Unavailable, TimeoutError."""
        async with self._door:
            if not self._opened:
                async with asyncio.timeout(OPENS_S):
                    await self.spine.open()
                self._opened = True
            if not self._listening:
                for noun in (CaseEvent.NOUN, ConsolePresenceChanged.NOUN):
                    self._listening.append(await self.spine.subscribe(subjects.event(noun, "*"), self._receive))
            self.viewers.add(viewer)
        try:
            yield
        finally:
            async with self._door:
                self.viewers.discard(viewer)
                if not self.viewers:
                    heard, self._listening = self._listening, []
                    for listening in heard:
                        await listening.stop()

    async def _receive(self, _subject: str, data: bytes) -> None:
        try:
            told = decode_envelope(data)
            event = decode_event(told)
        except Malformed as error:
            log.warning("console.event_unreadable", reason=error.reason)
            return
        if isinstance(event, ConsolePresenceChanged):
            for viewer in self.viewers:
                if viewer.follows == event.case:
                    viewer.look()
        elif isinstance(event, ConsoleNoticed):
            for viewer in self.viewers:
                if viewer.user == event.user:
                    viewer.news.set()
        elif isinstance(event, CaseEvent):
            concerned = {int(told.organisation), event.unit, getattr(event, "unit_before", None)}
            for viewer in self.viewers:
                if not concerned.isdisjoint(viewer.organisations):
                    viewer.note(event.case, opened=event.NAME == "opened")


_hubs: dict[tuple[asyncio.AbstractEventLoop, Settings], Hub] = {}


def hub(settings: Settings) -> Hub:
    """Return the hub of the running event loop."""
    key = (asyncio.get_running_loop(), settings)
    for stale in [other for other in _hubs if other[0].is_closed()]:
        del _hubs[stale]
    return _hubs.setdefault(key, Hub(settings))


def said(event: str, data: object, identity: str = "") -> bytes:
    """Return one message of the stream (HTML Living Standard, 9.2.5 Parsing an event stream)."""
    head = f"id: {identity}\n" if identity else ""
    return f"{head}event: {event}\ndata: ".encode() + msgspec.json.encode(data) + b"\n\n"
