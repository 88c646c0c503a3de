"""One connection to the spine that is never given up: it reconnects for ever and says at once when it is down.

nats-py does the protocol; this module adds what durable publishing needs: a request in flight when the connection
breaks fails immediately (nats-py lets it wait for its time-out), and a connection nats-py has closed for good
(a server's -ERR) is opened anew with all its subscriptions.
"""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from typing import TypeVar
from urllib.parse import urlsplit

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from jilink.kernel.errors import Unavailable
from jilink.kernel.settings import Settings

T = TypeVar("T")
Receiver = Callable[[Msg], Awaitable[None]]
log = structlog.get_logger(__name__)

RECONNECT_WAIT_S = 0.2
OUTGOING_BYTES = 64 << 20
"""What may wait in memory for the socket; a publish beyond it fails."""


class SpineDown(Unavailable):
    """The spine is not connected, or the connection broke while a request was in flight."""


class SpineTimeout(Unavailable):
    """The spine did not answer in time."""


class NoResponder(Unavailable):
    """Nobody listens on the requested subject."""


class Listening:
    """One subscription, kept through reconnections."""

    __slots__ = ("connection", "current", "queue", "receiver", "subject")

    def __init__(self, connection: "Connection", subject: str, queue: str, receiver: Receiver) -> None:
        self.connection, self.subject, self.queue, self.receiver = connection, subject, queue, receiver
        self.current: Subscription | None = None

    async def stop(self) -> None:
        """End the subscription. Calling it twice changes nothing."""
        self.connection.listenings.discard(self)
        current, self.current = self.current, None
        if current is not None:
            with contextlib.suppress(nats.errors.Error):
                await current.unsubscribe()


class Connection:
    """The connection and its reply inbox. Use it from one event loop only."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._settings, self._name = settings, name
        self.client = Client()
        self.listenings: set[Listening] = set()
        self.up = asyncio.Event()
        self.reconnections = 0
        self.on_reconnected: set[Callable[[], None]] = set()
        self._closing = False
        self._waiting: dict[str, asyncio.Future[Msg]] = {}
        self._numbers = itertools.count()
        self._inbox = ""
        self._obstacle = ""
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Connect; wait as long as it takes for a server to answer."""
        client = Client()
        self.client = client
        connecting = asyncio.ensure_future(self._connect(client))
        try:
            await asyncio.shield(connecting)
        except asyncio.CancelledError:
            while not connecting.done():  # nats-py swallows a cancellation at some of its awaits
                connecting.cancel()
                await asyncio.wait([connecting], timeout=0.1)
            raise
        if not self._inbox:
            self._inbox = client.new_inbox()
            await self.listen(f"{self._inbox}.*", self._on_reply)
        else:
            for listening in list(self.listenings):
                listening.current = await client.subscribe(listening.subject, queue=listening.queue, cb=listening.receiver)
        self.up.set()
        self._obstacle = ""

    async def _connect(self, client: Client) -> None:
        await client.connect(
            servers=self._servers(),
            name=self._name,
            user=None if self._settings.nats_url else "jilink",
            password=None if self._settings.nats_url else self._password,
            max_reconnect_attempts=-1,
            reconnect_time_wait=RECONNECT_WAIT_S,  # type: ignore[arg-type]  # -- nats-py only ever sleeps for it
            ping_interval=20,
            pending_size=OUTGOING_BYTES,
            error_cb=self._on_error,
            disconnected_cb=self._on_disconnected,
            reconnected_cb=self._on_reconnected,
            closed_cb=self._on_closed,
        )

    async def close(self) -> None:
        """Send what waits and close. Requests in flight fail with SpineDown."""
        self._closing = True
        self.up.clear()
        for task in self._tasks:
            task.cancel()
        with contextlib.suppress(nats.errors.Error, TimeoutError):
            if self.client.is_connected:
                await self.client.flush(2)
        with contextlib.suppress(OSError):  # nats-py tries to flush even where the connection is broken
            await self.client.close()
        self._drop("closed")

    async def listen(self, subject: str, receiver: Receiver, queue: str = "") -> Listening:
        """Subscribe for the life of the connection, reconnections included."""
        listening = Listening(self, subject, queue, receiver)
        self.listenings.add(listening)
        listening.current = await self.client.subscribe(subject, queue=queue, cb=receiver, pending_bytes_limit=0)
        return listening

    async def send(self, subject: str, payload: bytes, headers: Mapping[str, str] | None = None, reply: str = "") -> None:
        """Hand a message to the socket. Raises SpineDown where there is none or too much waits for it already."""
        if not self.up.is_set():
            raise SpineDown("the spine is not connected")
        if self.client.pending_data_size + len(payload) > OUTGOING_BYTES:
            raise SpineDown("too much waits to be sent to the spine")
        try:
            await self.client.publish(subject, payload, reply=reply, headers=dict(headers) if headers else None)
        except (nats.errors.Error, OSError) as error:
            raise SpineDown(f"could not send to the spine: {error}") from error

    async def call(self, subject: str, payload: bytes, timeout_s: float, headers: Mapping[str, str] | None = None) -> Msg:
        """Request one reply. Raises SpineDown, SpineTimeout or NoResponder."""
        token = f"{next(self._numbers):x}"
        future: asyncio.Future[Msg] = asyncio.get_running_loop().create_future()
        self._waiting[token] = future
        try:
            await self.send(subject, payload, headers, reply=f"{self._inbox}.{token}")
            async with asyncio.timeout(timeout_s):
                reply = await future
        except TimeoutError:
            raise SpineTimeout(f"no answer on {subject} within {timeout_s:.1f} s") from None
        finally:
            del self._waiting[token]
        if status(reply) == "503":
            raise NoResponder(f"nobody listens on {subject}")
        return reply

    async def guard(self, work: Coroutine[object, object, T]) -> T:
        """Return what nats-py's own request returns, but raise SpineDown as soon as the connection breaks."""
        token = f"{next(self._numbers):x}"
        broken = self._waiting[token] = asyncio.get_running_loop().create_future()
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait([task, broken], return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            broken.result()
            raise SpineDown("the connection to the spine broke")
        finally:
            del self._waiting[token]
            task.cancel()
            if broken.done() and not broken.cancelled():
                broken.exception()

    @contextlib.asynccontextmanager
    async def replies(self) -> AsyncIterator[tuple[str, asyncio.Queue[Msg | None]]]:
        """Give a fresh inbox and the queue of what arrives there; None in the queue means the connection was renewed."""
        queue: asyncio.Queue[Msg | None] = asyncio.Queue()

        async def receive(message: Msg) -> None:
            queue.put_nowait(message)

        def renewed() -> None:
            queue.put_nowait(None)

        inbox = self.client.new_inbox()
        listening = await self.listen(inbox, receive)
        self.on_reconnected.add(renewed)
        try:
            yield inbox, queue
        finally:
            self.on_reconnected.discard(renewed)
            await listening.stop()

    async def wait_up(self, timeout_s: float) -> None:
        """Wait until connected. Raises SpineDown after the time given."""
        try:
            async with asyncio.timeout(timeout_s):
                await self.up.wait()
        except TimeoutError:
            raise SpineDown("the spine is not connected") from None

    def _servers(self) -> list[str]:
        if self._settings.nats_url:
            return [part.strip() for part in self._settings.nats_url.split(",")]
        return [f"nats://127.0.0.1:{self._settings.nats_port}"]

    def _password(self) -> str:
        """Return the bundled server's password as it stands now: at the first try the server may not have made it yet."""
        return urlsplit(self._settings.spine_url).password or ""

    async def _on_reply(self, message: Msg) -> None:
        future = self._waiting.get(message.subject.rpartition(".")[2])
        if future is not None and not future.done():
            future.set_result(message)

    async def _on_error(self, error: Exception) -> None:
        if isinstance(error, nats.errors.SlowConsumerError):
            log.warning("spine.slow_consumer", subject=error.subject)
        elif not self.up.is_set() and (reason := str(error) or type(error).__name__) != self._obstacle:
            self._obstacle = reason  # tried again for ever, told once
            log.warning("spine.not_reached", client=self._name, reason=reason)

    async def _on_disconnected(self) -> None:
        if self.up.is_set():
            self.up.clear()
            log.warning("spine.lost", client=self._name)
        self._drop("the connection to the spine broke")

    async def _on_reconnected(self) -> None:
        self._renewed()

    async def _on_closed(self) -> None:
        if self._closing:
            return
        task = asyncio.create_task(self._reopen())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reopen(self) -> None:
        await asyncio.sleep(RECONNECT_WAIT_S)
        await self.open()
        self._renewed()

    def _renewed(self) -> None:
        self.reconnections += 1
        self.up.set()
        self._obstacle = ""
        log.info("spine.reconnected", client=self._name)
        for renewed in list(self.on_reconnected):
            renewed()

    def _drop(self, reason: str) -> None:
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(SpineDown(reason))


def status(message: Msg) -> str:
    """Return the NATS status code of a control message, for example 503; empty for an ordinary one."""
    return (message.headers or {}).get("Status", "")
