"""Saving streams, buckets and objects to files while the server runs, and putting them back.

Uses the server's own snapshots (NATS, JetStream API `STREAM.SNAPSHOT` and `STREAM.RESTORE`): each stream is consistent in itself,
keeps its sequences and its durable consumers, and is checked by the server when it is restored.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import msgspec
import nats.errors
import nats.js.errors

from jilink.kernel.errors import Malformed, Unavailable
from jilink.spine.client import Spine
from jilink.spine.connection import SpineTimeout

CHUNK = 256 << 10
CHUNK_WAIT_S = 30.0
Progress = Callable[[str, int], None]
"""progress(stream, bytes of it so far)."""


class BackupFailed(Unavailable):
    """The server refused or ceased to give or take a snapshot."""


class BackupDamaged(Malformed):
    """A file of the backup is missing or not what it should be. Reason: ``backup``."""


class _Fault(msgspec.Struct, frozen=True):
    description: str = ""


class _Answer(msgspec.Struct, frozen=True):
    config: msgspec.Raw = msgspec.Raw(b"null")
    state: msgspec.Raw = msgspec.Raw(b"null")
    deliver_subject: str = ""
    error: _Fault | None = None


class _Description(msgspec.Struct, frozen=True):
    """The file beside each snapshot: what the server must be told to restore it."""

    config: msgspec.Raw
    state: msgspec.Raw
    bytes: int


async def save(spine: Spine, folder: Path, progress: Progress = lambda _stream, _size: None) -> list[str]:
    """Write every stream into the folder (two files each) and return their names. Raises Unavailable, OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    names = await _streams(spine)
    for name in names:
        size = 0
        async with contextlib.aclosing(_snapshot(spine, name)) as parts:
            with (folder / f"{name}.snapshot").open("wb") as file:
                async for part in parts:
                    if isinstance(part, _Answer):
                        answer = part
                        continue
                    file.write(part)
                    size += len(part)
                    progress(name, size)
        description = _Description(answer.config, answer.state, size)
        (folder / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(description)))
    return names


async def restore(spine: Spine, folder: Path, progress: Progress = lambda _stream, _size: None) -> list[str]:
    """Put every stream of the folder back, in place of the stream of that name, and return their names.

    Raises BackupDamaged before anything is replaced where a file is missing or short, else Unavailable.
    """
    found = {}
    for path in sorted(folder.glob("*.json")):
        found[path.stem] = _description(path)
    for name, description in found.items():
        with contextlib.suppress(nats.js.errors.NotFoundError):
            await spine.jetstream.delete_stream(name)
        request = b'{"config":' + bytes(description.config) + b',"state":' + bytes(description.state) + b"}"
        target = await _ask(spine, f"$JS.API.STREAM.RESTORE.{name}", request)
        size = 0
        with (folder / f"{name}.snapshot").open("rb") as file:
            while part := file.read(CHUNK):
                await _ask(spine, target.deliver_subject, part)
                size += len(part)
                progress(name, size)
        await _ask(spine, target.deliver_subject, b"")
    return list(found)


def _description(path: Path) -> _Description:
    try:
        description = msgspec.json.decode(path.read_bytes(), type=_Description)
        size = path.with_suffix(".snapshot").stat().st_size
    except (msgspec.DecodeError, OSError) as error:
        raise BackupDamaged("backup", f"{path}: {error}") from error
    if size != description.bytes:
        raise BackupDamaged("backup", f"{path.with_suffix('.snapshot')} has {size} bytes instead of {description.bytes}")
    return description


async def _streams(spine: Spine) -> list[str]:
    try:
        return sorted(info.config.name for info in await spine.jetstream.streams_info() if info.config.name)
    except (nats.errors.Error, TimeoutError) as error:
        raise BackupFailed(f"the spine did not list its streams: {error}") from error


async def _snapshot(spine: Spine, name: str) -> AsyncGenerator[_Answer | bytes, None]:
    """Yield the server's description, then the snapshot in parts."""
    async with spine.connection.replies() as (inbox, queue):
        request = json.dumps({"deliver_subject": inbox, "no_consumers": False, "jsck": True, "chunk_size": CHUNK}).encode()
        yield await _ask(spine, f"$JS.API.STREAM.SNAPSHOT.{name}", request)
        while True:
            try:
                async with asyncio.timeout(CHUNK_WAIT_S):
                    message = await queue.get()
            except TimeoutError:
                raise SpineTimeout(f"{name}: the server stopped in the middle of its snapshot") from None
            if message is None:
                raise BackupFailed(f"{name}: the connection broke")
            if not message.data:
                if message.headers and message.headers.get("Status", "204") != "204":
                    raise BackupFailed(f"{name}: {message.headers}")
                return
            yield message.data
            if message.reply:
                await spine.send(message.reply, b"")


async def _ask(spine: Spine, subject: str, payload: bytes) -> _Answer:
    reply = await spine.request(subject, payload, CHUNK_WAIT_S)
    try:
        answer = msgspec.json.decode(reply or b"{}", type=_Answer)
    except msgspec.DecodeError as error:
        raise BackupFailed(f"{subject}: {error}") from error
    if answer.error is not None:
        raise BackupFailed(f"{subject}: {answer.error.description}")
    return answer
