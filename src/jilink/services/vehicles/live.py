"""Live map frames for many viewers: one subscription an organisation in the process, the same bytes to everyone.

A viewer that reads too slowly loses what it has not read and gets a fresh snapshot instead, so no viewer can hold memory.
The frames' layout is the watch's (`core.observations`); only kind, organisation and tick are looked at here.
"""

import asyncio
import struct
from collections import deque
from collections.abc import AsyncGenerator, Iterable

import msgspec
import structlog

from jilink.kernel.errors import Unavailable
from jilink.kernel.ids import OrganisationId
from jilink.kernel.settings import Settings
from jilink.spine import subjects
from jilink.spine.client import Spine
from jilink.spine.connection import Listening
from jilink.webkit.live import PerLoop

log = structlog.get_logger(__name__)
HEAD = struct.Struct("<BBHII")
SNAPSHOT, CHANGES = 1, 2
WAITING_FRAMES = 20
"""Ten seconds of frames: a viewer further behind gets a snapshot."""
HEARTBEAT_S = 10.0
SNAPSHOT_S = 5.0
RETRY_S = 1.0


class Viewer:
    """One open map."""

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._behind: set[Feed] = set()
        self._since: dict[OrganisationId, int] = {}

    def begin(self, feed: "Feed") -> None:
        """Ask for a snapshot of the feed before anything else of it."""
        self._behind.add(feed)
        self._news.set()

    def offer(self, feed: "Feed", tick: int, frame: bytes, *, snapshot: bool) -> None:
        """Take a frame as it comes, unless a snapshot of its feed is due or already contains it."""
        if feed in self._behind or (not snapshot and tick <= self._since.get(feed.organisation, -1)):
            return
        if snapshot:
            self._since[feed.organisation] = tick
        if len(self._frames) >= WAITING_FRAMES:
            self._frames.clear()
            self._behind.update(feed.hub.feeds_of(self))
        else:
            self._frames.append(frame)
        self._news.set()

    async def next(self) -> bytes:
        """Return the next frame to send. Raises Unavailable where a snapshot cannot be had."""
        while True:
            if self._behind:
                feed = next(iter(self._behind))
                self._behind.discard(feed)  # frames arriving from now on count again
                tick, frame = await feed.snapshot()
                self._since[feed.organisation] = tick
                self._frames = deque(kept for kept in self._frames if not _older(kept, feed.organisation, tick))
                return frame
            if self._frames:
                return self._frames.popleft()
            self._news.clear()
            await self._news.wait()


def _older(frame: bytes, organisation: OrganisationId, tick: int) -> bool:
    _kind, _version, _zero, owner, number = HEAD.unpack_from(frame)
    return bool(owner == organisation and number <= tick)


class Feed:
    """The frames of one organisation."""

    def __init__(self, hub: "Hub", organisation: OrganisationId) -> None:
        self.hub, self.organisation = hub, organisation
        self.viewers: set[Viewer] = set()
        self._listening: Listening | None = None
        self._door = asyncio.Lock()
        self._asked: asyncio.Task[tuple[int, bytes]] | None = None

    async def join(self, viewer: Viewer) -> None:
        """Let a viewer receive; the first one opens the subscription."""
        async with self._door:
            self.viewers.add(viewer)
            if self._listening is None:
                self._listening = await self.hub.spine.subscribe(subjects.live(self.organisation), self._receive)
        viewer.begin(self)

    async def leave(self, viewer: Viewer) -> None:
        """Forget a viewer; the last one closes the subscription."""
        async with self._door:
            self.viewers.discard(viewer)
            if not self.viewers and self._listening is not None:
                listening, self._listening = self._listening, None
                await listening.stop()

    async def snapshot(self) -> tuple[int, bytes]:
        """Return the whole of the organisation now, with its tick; those who ask at once share one answer. Raises Unavailable."""
        if self._asked is None or self._asked.done():
            self._asked = asyncio.create_task(self._ask())
        return await asyncio.shield(self._asked)

    async def _ask(self) -> tuple[int, bytes]:
        payload = msgspec.json.encode({"organisation": self.organisation})
        frame = await self.hub.spine.request(subjects.WATCH_SNAPSHOT, payload, SNAPSHOT_S)
        return HEAD.unpack_from(frame)[4], frame

    async def _receive(self, _subject: str, frame: bytes) -> None:
        if len(frame) < HEAD.size:
            return
        kind, _version, _zero, _organisation, tick = HEAD.unpack_from(frame)
        for viewer in self.viewers:
            viewer.offer(self, tick, frame, snapshot=kind == SNAPSHOT)


class Hub:
    """All feeds of one event loop."""

    def __init__(self, settings: Settings) -> None:
        self.spine = Spine(settings, "web-live")
        self._feeds: dict[OrganisationId, Feed] = {}
        self._opened: asyncio.Task[None] | None = None

    def feeds_of(self, viewer: Viewer) -> list[Feed]:
        """Return the feeds a viewer has joined."""
        return [feed for feed in self._feeds.values() if viewer in feed.viewers]

    async def open(self) -> None:
        """Connect once; whoever comes meanwhile waits for the same connection."""
        if self._opened is None or (self._opened.done() and self._opened.exception() is not None):
            self._opened = asyncio.create_task(self.spine.open())
        await asyncio.shield(self._opened)

    async def frames(self, organisations: Iterable[OrganisationId]) -> AsyncGenerator[bytes, None]:
        """Yield messages for one viewer for ever: length (u32, little endian) and frame; length 0 is a heartbeat."""
        viewer = Viewer()
        joined: list[Feed] = []
        try:
            async with asyncio.timeout(HEARTBEAT_S):
                await self.open()
            for organisation in organisations:
                feed = self._feeds.setdefault(organisation, Feed(self, organisation))
                joined.append(feed)
                await feed.join(viewer)
            while True:
                yield await self._next(viewer)
        except (Unavailable, TimeoutError) as error:
            log.info("live.ended", reason=repr(error))  # the viewer's script comes back by itself
        finally:
            for feed in joined:
                await feed.leave(viewer)

    async def _next(self, viewer: Viewer) -> bytes:
        try:
            async with asyncio.timeout(HEARTBEAT_S):
                frame = await viewer.next()
        except TimeoutError:
            return b"\0\0\0\0"
        return len(frame).to_bytes(4, "little") + frame


hub = PerLoop(Hub)
"""Return the hub of the running event loop."""
