"""The manager interface of an engine, for what ARI cannot do: recording a leg through all its bridges (MixMonitor).

Asterisk documentation, "The Asterisk Manager TCP IP API", "AMI Actions: MixMonitor".
"""

import asyncio
import contextlib
import itertools

from jilink.edges.voice.link import EngineDown
from jilink.edges.voice.nodes import Node

PATIENCE_S = 5.0
LONGEST = 1 << 16


class ManagerRefused(Exception):
    """The engine answered with an error."""


def encode(action: str, number: str, fields: dict[str, str]) -> bytes:
    """Return an action as it goes over the wire; line ends in values would be other fields and are dropped."""
    lines = [f"Action: {action}", f"ActionID: {number}"]
    lines += [f"{name}: {value}".replace("\r", " ").replace("\n", " ") for name, value in fields.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def decode(block: bytes) -> dict[str, str]:
    """Return the fields of one message."""
    pairs = (line.partition(":") for line in block.decode(errors="replace").splitlines())
    return {name.strip(): value.strip() for name, colon, value in pairs if colon}


class Manager:
    """One connection that is opened when it is needed, and again after it broke. One action at a time."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._numbers = itertools.count(1)
        self._turn = asyncio.Lock()

    async def act(self, action: str, **fields: str) -> dict[str, str]:
        """Return the fields of the response. Raises EngineDown, ManagerRefused."""
        return (await self._answers(action, fields))[0]

    async def listed(self, action: str) -> list[dict[str, str]]:
        """Return the fields of every event of a list that an action asks for, the one that ends it too. Raises as `act`."""
        return (await self._answers(action, {}))[1:]

    async def _answers(self, action: str, fields: dict[str, str]) -> list[dict[str, str]]:
        async with self._turn:
            for last in (False, True):
                try:
                    async with asyncio.timeout(PATIENCE_S):
                        return await self._act(action, fields)
                except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError) as error:
                    self.close()
                    if last:
                        raise EngineDown(f"manager of {self._node.name}: {error!r}") from error
        raise AssertionError("the loop returns or raises")

    def close(self) -> None:
        """Close the connection; the next action opens another."""
        if self._streams is not None:
            with contextlib.suppress(OSError, RuntimeError):
                self._streams[1].close()
        self._streams = None

    async def _act(self, action: str, fields: dict[str, str]) -> list[dict[str, str]]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._node.manager, limit=LONGEST)
            await self._streams[0].readline()  # its greeting
            await self._exchange("Login", {"Username": self._node.user, "Secret": self._node.secret, "Events": "off"})
        return await self._exchange(action, fields)

    async def _exchange(self, action: str, fields: dict[str, str]) -> list[dict[str, str]]:
        """Return the response, and after it the events of the list where it begins one."""
        if self._streams is None:
            raise ConnectionError("closed")
        reader, writer = self._streams
        number = str(next(self._numbers))
        writer.write(encode(action, number, fields))
        await writer.drain()
        answers: list[dict[str, str]] = []
        while True:
            found = decode(await reader.readuntil(b"\r\n\r\n"))
            if found.get("ActionID") != number:
                continue
            if found.get("Response", "Success") != "Success":
                raise ManagerRefused(found.get("Message", "refused"))
            answers.append(found)
            if answers[0].get("EventList", "").lower() != "start" or found.get("EventList", "").lower() == "complete":
                return answers
