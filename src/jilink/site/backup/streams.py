"""Streams saved and put back through JetStream's own snapshot and restore requests.

A running server's files cannot be copied as they lie; a snapshot is one consistent moment of a stream with its consumers
(NATS server, JetStream API: STREAM.SNAPSHOT and STREAM.RESTORE).
"""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import BinaryIO

import msgspec
from nats.aio.msg import Msg

from jilink.kernel.errors import Unavailable
from jilink.kernel.settings import PREFIX, Settings
from jilink.spine.client import Spine
from jilink.spine.connection import SpineDown, status

CHUNK = 512 << 10
WITHIN_S = 30.0
START_WITHIN_S = 30.0


class SnapshotFailed(Unavailable):
    """The server did not give or take a stream; the message says why."""


class _Answer(msgspec.Struct, frozen=True):
    config: msgspec.Raw = msgspec.Raw(b"{}")
    state: msgspec.Raw = msgspec.Raw(b"{}")
    deliver_subject: str = ""
    error: dict[str, object] | None = None


class Head(msgspec.Struct, frozen=True):
    """What a stream is: its configuration and state as the server gives them."""

    config: msgspec.Raw
    state: msgspec.Raw


async def names(spine: Spine) -> list[str]:
    """Return the names of all streams, key-value buckets and object stores among them."""
    return sorted(str(info.config.name) for info in await spine.jetstream.streams_info())


async def save(spine: Spine, name: str, file: BinaryIO) -> Head:
    """Write one stream's snapshot into a file and return what describes it. Raises SnapshotFailed."""
    arrived: asyncio.Queue[Msg] = asyncio.Queue()
    inbox = spine.connection.client.new_inbox()
    listening = await spine.connection.listen(inbox, arrived.put)
    try:
        body = msgspec.json.encode({"deliver_subject": inbox, "chunk_size": CHUNK})
        answer = await _ask(spine, f"$JS.API.STREAM.SNAPSHOT.{name}", body)
        while True:
            async with asyncio.timeout(WITHIN_S):
                message = await arrived.get()
            if not message.data:
                if status(message) == "408":
                    raise SnapshotFailed(f"the server gave up on the snapshot of {name}")
                return Head(answer.config, answer.state)
            file.write(message.data)
            if message.reply:
                await message.respond(b"")
    except TimeoutError:
        raise SnapshotFailed(f"the snapshot of {name} stopped coming") from None
    finally:
        await listening.stop()


async def put_back(spine: Spine, name: str, head: Head, file: BinaryIO) -> None:
    """Make a stream from its snapshot. Raises SnapshotFailed, also where a stream of that name exists."""
    body = msgspec.json.encode({"config": head.config, "state": head.state})
    answer = await _ask(spine, f"$JS.API.STREAM.RESTORE.{name}", body)
    while chunk := file.read(CHUNK):
        reply = await spine.connection.call(answer.deliver_subject, chunk, WITHIN_S)
        if reply.data:
            _check(name, reply.data)
    _check(name, (await spine.connection.call(answer.deliver_subject, b"", WITHIN_S)).data)


async def _ask(spine: Spine, subject: str, body: bytes) -> _Answer:
    return _check(subject.rpartition(".")[2], (await spine.connection.call(subject, body, WITHIN_S)).data)


def _check(name: str, data: bytes) -> _Answer:
    answer = msgspec.json.decode(data, type=_Answer)
    if answer.error:
        raise SnapshotFailed(f"{name}: {answer.error.get('description', 'the server refused')}")
    return answer


@asynccontextmanager
async def reached(settings: Settings) -> AsyncIterator[Spine]:
    """Give a connected spine: the one that runs, else the bundled server started for this on a free port and ended again."""
    if settings.nats_url or _listens(settings.nats_port):
        async with _connected(settings) as spine:
            yield spine
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        own = replace(settings, nats_port=probe.getsockname()[1])
    changed = {"DATA": str(own.data), "NATS_PORT": str(own.nats_port), "HEALTH_PORT": "0"}
    environment = {**os.environ, **{PREFIX + name: value for name, value in changed.items()}}
    server = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "jilink.site.child",
        str(os.getpid()),
        "run",
        "spine",
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with _connected(own) as spine:
            yield spine
    finally:
        if server.returncode is None:
            server.terminate()
        await server.wait()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 0.5).close()
    except OSError:
        return False
    return True


@asynccontextmanager
async def _connected(settings: Settings) -> AsyncIterator[Spine]:
    spine = Spine(settings, "backup")
    try:
        try:
            async with asyncio.timeout(START_WITHIN_S):
                await spine.open()
                while not await _answers(spine):
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise SpineDown(f"no NATS server answered within {START_WITHIN_S:.0f} s") from None
        yield spine
    finally:
        await spine.close()


async def _answers(spine: Spine) -> bool:
    try:
        await spine.connection.call("$JS.API.INFO", b"", 2.0)
    except Unavailable:
        return False
    return True
