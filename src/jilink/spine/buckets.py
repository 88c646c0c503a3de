"""Key-value buckets on streams, in the layout of NATS ADR-8 ("JetStream based Key-Value Stores").

Reads are direct gets of the last message of a key; a watch is the stream's reader, so it survives restarts of the server
(nats-py's watcher is an ordered push consumer that the server forgets).
"""

from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from jilink.kernel.errors import Refused
from jilink.spine import reading
from jilink.spine.connection import Connection, status

_GONE = ("KV-Operation", "Nats-Marker-Reason")


class KeyRefused(Refused):
    """A key is empty or has characters that a subject cannot carry."""


class Store(Protocol):
    """Stores a message durably: `client.Spine.store`."""

    def __call__(
        self, stream: str, subject: str, payload: bytes, headers: dict[str, str], *, timeout_s: float = ..., repeatable: bool = ...
    ) -> Awaitable[int]: ...


@dataclass(frozen=True, slots=True)
class Change:
    """A key's new value; None: deleted. One with an empty key and `ready` comes once, after the values there were at the beginning."""

    key: str
    value: bytes | None
    revision: int
    ready: bool = False


class KeyValues:
    """One bucket."""

    def __init__(self, connection: Connection, store: Store, name: str) -> None:
        self._connection, self._store = connection, store
        self._stream = f"KV_{name}"
        self._prefix = f"$KV.{name}."

    async def get(self, key: str) -> bytes | None:
        """Return the value; None where the key does not exist. Raises Unavailable."""
        reply = await self._connection.call(f"$JS.API.DIRECT.GET.{self._stream}.{self._subject(key)}", b"", 5.0)
        if status(reply) == "404" or any(header in (reply.headers or {}) for header in _GONE):
            return None
        return reply.data

    async def put(self, key: str, value: bytes, *, timeout_s: float = 10.0) -> int:
        """Store the value on disk and return its revision. Raises Unavailable."""
        return await self._store(self._stream, self._subject(key), value, {}, timeout_s=timeout_s, repeatable=True)

    async def delete(self, key: str, *, timeout_s: float = 10.0) -> None:
        """Delete the key; deleting what is not there is no error. Raises Unavailable."""
        await self._store(self._stream, self._subject(key), b"", {"KV-Operation": "DEL"}, timeout_s=timeout_s, repeatable=True)

    async def watch(self) -> AsyncGenerator[Change, None]:
        """Yield every key's value, then each change as it happens; for ever, through reconnections."""
        ready = False
        reader = reading.follow(self._connection, self._stream, [f"{self._prefix}>"], last_per_subject=True)
        async with aclosing(reader) as batches:
            async for messages in batches:
                for message in messages:
                    gone = any(header in message.headers for header in _GONE)
                    yield Change(message.subject.removeprefix(self._prefix), None if gone else message.data, message.sequence)
                if not ready and (not messages or messages[-1].pending == 0):
                    ready = True
                    yield Change("", None, 0, ready=True)

    async def all(self) -> dict[str, bytes]:
        """Return every key and value as they are now."""
        values: dict[str, bytes] = {}
        async with aclosing(self.watch()) as changes:
            async for change in changes:
                if change.value is not None:
                    values[change.key] = change.value
                if change.ready:
                    break
        return values

    def _subject(self, key: str) -> str:
        if not key or key[0] == "." or key[-1] == "." or not all(c.isascii() and (c.isalnum() or c in "-/_=.") for c in key):
            raise KeyRefused(f"{key!r} cannot be a key")
        return self._prefix + key
