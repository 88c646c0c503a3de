"""Wakes the open desks of agents: one subscription a process, and each page reads for itself, through its own walls, what is new."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from jilink.kernel.errors import Malformed
from jilink.kernel.settings import Settings
from jilink.services.contact.events import DeskChanged
from jilink.spine import subjects
from jilink.spine.client import Spine
from jilink.spine.connection import Listening
from jilink.spine.events import decode_envelope, decode_event

log = structlog.get_logger(__name__)
OPENS_S = 10.0


@dataclass(slots=True, eq=False)
class Viewer:
    """One open desk."""

    agent: int
    news: asyncio.Event = field(default_factory=asyncio.Event)


class Hub:
    """All open desks of one event loop."""

    def __init__(self, settings: Settings) -> None:
        self.spine = Spine(settings, "web-desks")
        self.viewers: set[Viewer] = set()
        self._listening: Listening | None = None
        self._door = asyncio.Lock()
        self._opened = False

    @asynccontextmanager
    async def viewing(self, viewer: Viewer) -> AsyncIterator[None]:
        """Let a desk hear; the first one opens the subscription, the last one closes it. Raises Unavailable, TimeoutError."""
        async with self._door:
            if not self._opened:
                async with asyncio.timeout(OPENS_S):
                    await self.spine.open()
                self._opened = True
            if self._listening is None:
                self._listening = await self.spine.subscribe(subjects.event(DeskChanged.NOUN, DeskChanged.NAME), self._receive)
            self.viewers.add(viewer)
        try:
            yield
        finally:
            async with self._door:
                self.viewers.discard(viewer)
                if not self.viewers and self._listening is not None:
                    listening, self._listening = self._listening, None
                    await listening.stop()

    async def _receive(self, _subject: str, data: bytes) -> None:
        try:
            event = decode_event(decode_envelope(data))
        except Malformed as error:
            log.warning("desk.event_unreadable", reason=error.reason)
            return
        if isinstance(event, DeskChanged):
            for viewer in self.viewers:
                if viewer.agent == event.agent:
                    viewer.news.set()


_hubs: dict[tuple[asyncio.AbstractEventLoop, Settings], Hub] = {}


def hub(settings: Settings) -> Hub:
    """Return the hub of the running event loop."""
    key = (asyncio.get_running_loop(), settings)
    for stale in [other for other in _hubs if other[0].is_closed()]:
        del _hubs[stale]
    return _hubs.setdefault(key, Hub(settings))
