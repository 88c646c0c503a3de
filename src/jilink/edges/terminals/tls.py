"""TLS for terminals: an asyncio listener in a thread of its own decrypts and pumps plain bytes through a socket pair.

The loop adopts the other end and knows no difference. TLS costs more per message than the rest of the gateway together, so this
path is made to be simple; terminals on private networks do without.
"""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable

import structlog

from jilink.edges.terminals.listeners import ListenRefused, listen
from jilink.edges.terminals.loops.connections import plain_address

log = structlog.get_logger(__name__)

HANDSHAKE_S = 10.0
CHUNK = 16_384
MOST_CONNECTIONS = 50_000

Adopt = Callable[[socket.socket, tuple[str, int]], None]


def context(certificate: str) -> ssl.SSLContext:
    """Return what serves TLS with a PEM file of chain and key. Raises ListenRefused where it cannot be used."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        made.load_cert_chain(certificate)
    except (OSError, ssl.SSLError) as error:
        raise ListenRefused(f"the certificate {certificate or '(none is set)'} cannot be used: {error}") from error
    return made


class TlsListener:
    """Listens until `stop`. `adopt(sock, peer)` is called in the listener's thread with the plain end of each connection."""

    def __init__(self, pairs: list[tuple[str, int]], certificate: str, adopt: Adopt) -> None:
        """Start. Raises ListenRefused where the certificate cannot be read or an address cannot be used."""
        self._context = context(certificate)
        self._adopt = adopt
        self._sockets = listen(pairs)
        self._open = 0
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),), name="tls", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the listener and every TLS connection."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(5)

    async def _run(self) -> None:
        servers = [
            await asyncio.start_server(self._serve, sock=sock, ssl=self._context, ssl_handshake_timeout=HANDSHAKE_S)
            for sock in self._sockets
        ]
        asyncio.get_running_loop().set_exception_handler(_quietly)
        await self._stopping.wait()
        for server in servers:
            server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._open >= MOST_CONNECTIONS:
            writer.close()
            return
        self._open += 1
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self._adopt(theirs, plain_address(writer.get_extra_info("peername")))
        plain_reader, plain_writer = await asyncio.open_connection(sock=ours)
        try:
            await asyncio.wait(
                {asyncio.create_task(_pump(reader, plain_writer)), asyncio.create_task(_pump(plain_reader, writer))},
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            self._open -= 1
            writer.close()
            plain_writer.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Copy until either side ends; `drain` holds back a source whose sink is slow."""
    with contextlib.suppress(OSError, ssl.SSLError):
        while data := await source.read(CHUNK):
            sink.write(data)
            await sink.drain()


def _quietly(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """A failed handshake is a scanner's business; anything that is not an I/O error is ours."""
    if not isinstance(context.get("exception"), OSError):
        log.error("tls_failed", error=str(context.get("message")), exc_info=context.get("exception"))
