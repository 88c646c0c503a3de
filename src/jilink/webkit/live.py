"""Wakes open pages when a fact concerns them: one subscription a process, however many pages are open.

A page says what it follows by its `Viewer`; what a fact means for it is said by the room that has the page. Nothing of the fact has to
travel: whoever is woken reads through its own walls what it may know, and what it missed it reads when it comes back.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import structlog

from jilink.kernel.errors import Malformed
from jilink.kernel.settings import Settings
from jilink.spine.client import Spine
from jilink.spine.connection import Listening
from jilink.spine.events import Event, decode_envelope, decode_event
from jilink.spine.records import Envelope

log = structlog.get_logger(__name__)
OPENS_S = 10.0
Made = TypeVar("Made")


@dataclass(slots=True, eq=False)
class Viewer:
    """One open page. `news` is set when it should look anew; whoever looks clears it first."""

    news: asyncio.Event = field(default_factory=asyncio.Event, init=False)


Seen = TypeVar("Seen", bound=Viewer)
Tell = Callable[[Envelope, Event, Collection[Seen]], None]
"""Wakes those of the open pages whom an event concerns."""


class Hub(Generic[Seen]):
    """All open pages of a kind in one event loop."""

    def __init__(self, settings: Settings, name: str, heard: Sequence[str], tell: Tell[Seen]) -> None:
        """`name` is the connection's on the spine, `heard` the subjects of the events that `tell` is given."""
        self.spine = Spine(settings, name)
        self.viewers: set[Seen] = set()
        self._heard, self._tell = heard, tell
        self._listening: list[Listening] = []
        self._door = asyncio.Lock()
        self._opened = False

    @asynccontextmanager
    async def viewing(self, viewer: Seen) -> AsyncIterator[None]:
        """Let a page hear; the first one opens the subscription, the last one closes it. Raises Unavailable, TimeoutError."""
        async with self._door:
            if not self._opened:
                async with asyncio.timeout(OPENS_S):
                    await self.spine.open()
                self._opened = True
            for subject in self._heard[len(self._listening) :]:  # all of them, but for those that stood before one failed
                self._listening.append(await self.spine.subscribe(subject, self._receive))
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

    async def _receive(self, subject: str, data: bytes) -> None:
        try:
            told = decode_envelope(data)
            event = decode_event(told)
        except Malformed as error:
            log.warning("live.event_unreadable", subject=subject, reason=error.reason)
            return
        self._tell(told, event, self.viewers)


class PerLoop(Generic[Made]):
    """One of a thing for each event loop that runs and asks for it: what waits on a loop belongs to the loop that made it."""

    def __init__(self, make: Callable[[Settings], Made]) -> None:
        self._make = make
        self._made: dict[tuple[asyncio.AbstractEventLoop, Settings], Made] = {}

    def __call__(self, settings: Settings) -> Made:
        """Return the one of the running event loop."""
        key = (asyncio.get_running_loop(), settings)
        for stale in [other for other in self._made if other[0].is_closed()]:
            del self._made[stale]
        if key not in self._made:
            self._made[key] = self._make(settings)
        return self._made[key]
