"""The connection to one engine: requests and events over one WebSocket, files over HTTP."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import IO, TypeVar

import aiohttp
import msgspec

from jilink.edges.voice import ari
from jilink.edges.voice.nodes import Node
from jilink.kernel.errors import Unavailable

ANSWER_S = 8.0
CONNECT_S = 5.0
HEARTBEAT_S = 5.0
LARGEST_FRAME = 64 << 20
T = TypeVar("T")


class EngineDown(Unavailable):
    """The engine does not answer."""


class EngineRefused(Unavailable):
    """The engine answered with an error; `status` is that of HTTP."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"{status}: {said}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Replaced:
    """Another process has become the owner of the node: this connection gets no events any more."""


class Link:
    """One open connection. `events` ends with None when it breaks."""

    def __init__(self, session: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse, node: Node) -> None:
        self._session, self._socket, self._node = session, socket, node
        self._waiting: dict[str, asyncio.Future[ari.Answer]] = {}
        self._numbers = itertools.count(1)
        self.events: asyncio.Queue[ari.Event | Replaced | None] = asyncio.Queue()
        self.broken = False
        self.malformed = 0

    async def ask(self, request: ari.Request) -> str:
        """Return the body of the answer. Raises EngineDown, EngineRefused."""
        if self.broken:
            raise EngineDown("no connection to the engine")
        number = str(next(self._numbers))
        answer: asyncio.Future[ari.Answer] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._socket.send_str(ari.encode(number, request))
                found = await answer
        except (TimeoutError, ConnectionError, aiohttp.ClientError) as error:
            raise EngineDown(f"{request.method} {request.path.partition('?')[0]}: {error!r}") from error
        finally:
            self._waiting.pop(number, None)
        if found.status_code >= 400:
            raise EngineRefused(found.status_code, found.message_body)
        return found.message_body

    async def read(self, request: ari.Request, kind: type[T]) -> T:
        """Return the decoded body of the answer. Raises as `ask`, NotAri."""
        try:
            return msgspec.json.decode(await self.ask(request), type=kind)
        except msgspec.DecodeError as error:
            raise ari.NotAri("body", str(error)) from error

    async def ask_if_there(self, request: ari.Request) -> bool:
        """Ask; return False where the engine knows nothing of that name (404). Raises as `ask`."""
        try:
            await self.ask(request)
        except EngineRefused as error:
            if error.status == 404:
                return False
            raise
        return True

    async def download(self, recording: str, target: IO[bytes]) -> bool:
        """Write the bytes of a stored recording; return False where there is none. Raises EngineDown."""
        try:
            async with self._session.get(f"{self._node.url}/ari/recordings/stored/{recording}/file") as answer:
                if answer.status == 404:
                    return False
                answer.raise_for_status()
                async for block in answer.content.iter_chunked(1 << 18):
                    target.write(block)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise EngineDown(f"recording {recording}: {error!r}") from error
        return True

    async def pump(self) -> None:
        """Sort what arrives until the connection breaks."""
        try:
            async for message in self._socket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    continue
                try:
                    found = ari.decode(message.data)
                except ari.NotAri:
                    self.malformed += 1
                    continue
                if isinstance(found, ari.Event):
                    self.events.put_nowait(Replaced() if found.type == "ApplicationReplaced" else found)
                elif (waiting := self._waiting.get(found.request_id)) is not None and not waiting.done():
                    waiting.set_result(found)
        finally:
            self.broken = True
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(ConnectionError("the connection broke"))
            self.events.put_nowait(None)


@contextlib.asynccontextmanager
async def connect(node: Node) -> AsyncIterator[Link]:
    """Give a connection that owns the node: an owner of before is replaced. Raises EngineDown."""
    login = aiohttp.BasicAuth(node.user, node.secret)
    timeout = aiohttp.ClientTimeout(total=None, connect=CONNECT_S, sock_read=60)
    async with aiohttp.ClientSession(auth=login, timeout=timeout) as session:
        address = f"{node.url}/ari/events?app={ari.APPLICATION}&subscribeAll=false"
        try:
            async with asyncio.timeout(CONNECT_S):
                socket = await session.ws_connect(address, heartbeat=HEARTBEAT_S, max_msg_size=LARGEST_FRAME)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise EngineDown(f"{node.url} does not answer ({type(error).__name__})") from error
        link = Link(session, socket, node)
        pumping = asyncio.create_task(link.pump())
        try:
            yield link
        finally:
            pumping.cancel()
            await socket.close()
            with contextlib.suppress(asyncio.CancelledError):
                await pumping
