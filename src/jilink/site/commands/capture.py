"""Frames out of pcap and pcapng files: TCP streams put in order and cut into frames, UDP datagrams as they are."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

import dpkt

from jilink.kernel.errors import Malformed
from jilink.protocols.jt808.frame import MOST_FRAME, Splitter

PCAPNG = b"\x0a\x0d\x0d\x0a"
MAGICS = (b"\xa1\xb2\xc3\xd4", b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x4d\x3c\xb2\xa1", PCAPNG)
"""First bytes of pcap (both byte orders, both resolutions) and pcapng."""

_UNREADABLE = (dpkt.dpkt.Error, ValueError, IndexError, KeyError, TypeError, AttributeError, EOFError, struct.error, OSError, MemoryError)
"""What dpkt may raise on rubbish."""

_MOST_PENDING = 4_000_000
_LINKS = {
    0: dpkt.loopback.Loopback,
    1: dpkt.ethernet.Ethernet,
    12: dpkt.ip.IP,
    101: dpkt.ip.IP,
    113: dpkt.sll.SLL,
    228: dpkt.ip.IP,
    229: dpkt.ip6.IP6,
    276: dpkt.sll2.SLL2,
}


class Readable(Protocol):
    """What a capture is read from."""

    def read(self, size: int = -1, /) -> bytes:
        """Return that many bytes, or all."""


class Rewound:
    """A file whose first bytes were read already."""

    name = "capture"

    def __init__(self, file: Readable, first: bytes) -> None:
        self._file = file
        self._first = first

    def read(self, size: int = -1, /) -> bytes:
        """Return that many bytes, or all."""
        head, self._first = (self._first, b"") if size < 0 else (self._first[:size], self._first[size:])
        return head + self._file.read(size - len(head) if size >= 0 else -1)


@dataclass(frozen=True, slots=True)
class Seen:
    """One frame seen on the wire. `error` is set where there was none to cut."""

    frame: bytes
    at: datetime
    source: str
    target: str
    error: Malformed | None = None


@dataclass(slots=True)
class _Stream:
    splitter: Splitter = field(default_factory=lambda: Splitter(most=MOST_FRAME))
    next_sequence: int | None = None
    pending: dict[int, bytes] = field(default_factory=dict)
    size: int = 0

    def take(self, sequence: int, data: bytes) -> bytes:
        """Return the bytes that are in order now."""
        if self.next_sequence is None:
            self.next_sequence = sequence
        behind = (self.next_sequence - sequence) & 0xFFFFFFFF
        if 0 < behind < 0x80000000:
            if behind >= len(data):
                return b""
            sequence, data = self.next_sequence, data[behind:]
        if sequence not in self.pending or len(self.pending[sequence]) < len(data):
            self.size += len(data) - len(self.pending.get(sequence, b""))
            self.pending[sequence] = data
        return self.ready()

    def ready(self, *, jump: bool = False) -> bytes:
        """Return what follows on; with `jump` (or too much waiting) over the first gap."""
        out = bytearray()
        while self.pending and self.next_sequence is not None:
            here = self.next_sequence
            if here not in self.pending:
                nearest = min(self.pending, key=lambda sequence: (sequence - here) & 0xFFFFFFFF)
                ahead = (nearest - here) & 0xFFFFFFFF
                if ahead < 0x80000000 and not jump and self.size <= _MOST_PENDING:
                    break
                data = self.pending.pop(nearest)
                self.size -= len(data)
                if ahead >= 0x80000000:
                    data = data[(here - nearest) & 0xFFFFFFFF :]
                    nearest = here
            else:
                nearest, data = here, self.pending.pop(here)
                self.size -= len(data)
            out += data
            self.next_sequence = (nearest + len(data)) & 0xFFFFFFFF
        return bytes(out)


def frames(file: Readable, port: int | None = None) -> Iterator[Seen]:
    """Yield the frames of a capture in the order in which they were whole; `port` keeps one port alone.

    A file that ends or breaks inside yields what came before, and then raises Malformed (`capture`).
    """
    streams: dict[tuple[str, str], _Stream] = {}
    at = datetime.fromtimestamp(0, UTC)
    try:
        magic = file.read(4)
        kind = dpkt.pcapng.Reader if magic == PCAPNG else dpkt.pcap.Reader
        reader = kind(Rewound(file, magic))
        link = _LINKS.get(reader.datalink(), dpkt.ethernet.Ethernet)
        for seconds, raw in reader:
            at = datetime.fromtimestamp(float(seconds), UTC)
            yield from _packet(link, raw, at, streams, port)
    except _UNREADABLE as error:
        raise Malformed("capture", f"the capture file cannot be read further: {error}") from error
    for (source, target), stream in streams.items():
        yield from _cut(stream, stream.ready(jump=True), at, source, target)


def _packet(link: type, raw: bytes, at: datetime, streams: dict[tuple[str, str], _Stream], port: int | None) -> Iterator[Seen]:
    try:
        network = link(raw)
        while not isinstance(network, dpkt.ip.IP | dpkt.ip6.IP6):
            network = network.data
        transport = network.data
        family = socket.AF_INET if isinstance(network, dpkt.ip.IP) else socket.AF_INET6
        source = f"{socket.inet_ntop(family, network.src)}:{transport.sport}"
        target = f"{socket.inet_ntop(family, network.dst)}:{transport.dport}"
        data = bytes(transport.data)
    except _UNREADABLE:
        return
    if port is not None and port not in (transport.sport, transport.dport):
        return
    if isinstance(transport, dpkt.udp.UDP):
        yield from _cut(_Stream(), data, at, source, target)
    elif isinstance(transport, dpkt.tcp.TCP):
        if transport.flags & dpkt.tcp.TH_SYN:
            streams[source, target] = _Stream(next_sequence=(transport.seq + 1) & 0xFFFFFFFF)
        if data:
            stream = streams.setdefault((source, target), _Stream())
            yield from _cut(stream, stream.take(transport.seq, data), at, source, target)


def _cut(stream: _Stream, data: bytes, at: datetime, source: str, target: str) -> Iterator[Seen]:
    if not data:
        return
    try:
        for frame in stream.splitter.feed(data):
            mark = bytes((stream.splitter.delimiting.mark,)) if stream.splitter.delimiting else b""
            yield Seen(mark + frame + mark, at, source, target)
    except Malformed as error:
        yield Seen(b"", at, source, target, error)
