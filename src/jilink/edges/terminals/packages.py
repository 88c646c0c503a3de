"""Messages in packages: joined, asked for again, given up; bounded for each connection and for the worker (JT/T 808-2019, 6, 8.6)."""

from jilink.edges.terminals.connections import Terminal
from jilink.edges.terminals.gateway import Gateway
from jilink.edges.terminals.link import ANSWERED_WHOLE, MEDIA, Link, Received
from jilink.edges.terminals.session import Result

MOST_BYTES = 256 << 20
"""Unfinished messages of all connections together; beyond it new packages are not kept and the terminal sends them again."""


class Packages:
    """The unfinished messages of one worker."""

    def __init__(self, gateway: Gateway, link: Link) -> None:
        self._gateway, self._link = gateway, link
        self._waiting: dict[int, Terminal] = {}
        self._media: dict[tuple[int, int], int] = {}
        self._bytes = 0
        self.given_up = 0
        gateway.on_ended.append(self._forget)

    def add(self, terminal: Terminal, package: Received) -> Received | None:
        """Take one package; return the message when it is whole. Raises Malformed where the whole cannot be decoded."""
        if self._bytes + len(package.body) > MOST_BYTES:
            return None
        before = terminal.joiner.waiting_bytes if terminal.joiner else 0
        if package.id == MEDIA and package.header.index == 1:
            self._media[terminal.number, package.serial] = int.from_bytes(package.body[:4], "big")
        self._waiting[terminal.number] = terminal
        try:
            whole = self._link.join(terminal, package)
        finally:
            self._bytes += (terminal.joiner.waiting_bytes if terminal.joiner else 0) - before
        if whole is None and package.id not in ANSWERED_WHOLE:
            self._link.answer(terminal, package, Result.SUCCESS)
        return whole

    def tick(self) -> None:
        """Ask again for what is late, and give up what has been asked for often enough."""
        now = self._gateway.clock()
        for terminal in list(self._waiting.values()):
            joiner = terminal.joiner
            if joiner is None or not joiner.waiting_bytes:
                self._forget(terminal)
                continue
            before = joiner.waiting_bytes
            for missing in joiner.due(now):
                media = self._media.get((terminal.number, missing.first_serial))
                if missing.given_up:
                    self.given_up += 1
                elif missing.id == MEDIA and media is not None:
                    self._link.media_answer(terminal, media, missing.indices)
                else:
                    self._link.ask_again(terminal, missing.first_serial, missing.indices)
            self._bytes += joiner.waiting_bytes - before

    def _forget(self, terminal: Terminal) -> None:
        if self._waiting.pop(terminal.number, None) is None:
            return
        if terminal.joiner:
            self._bytes -= terminal.joiner.waiting_bytes
        for key in [key for key in self._media if key[0] == terminal.number]:
            del self._media[key]
