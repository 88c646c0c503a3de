"""What the gateway knows of each connection: columns indexed by descriptor for the hot path, a small record for the rest."""

import socket
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from jilink.edges.terminals.admission import key_bytes, pack, unpack
from jilink.edges.terminals.compact import NumberMap
from jilink.edges.terminals.session import State
from jilink.protocols.jt808.joiner import Joiner
from jilink.spine.records import Admission, digest

_ADDRESS_BYTES = 16
_NO_ADDRESS = bytes(_ADDRESS_BYTES)
_IPV4 = bytes(10) + b"\xff\xff"
"""What stands before an IPv4 address among those of IPv6 (RFC 4291, 2.5.5.2)."""


@dataclass(slots=True)
class Terminal:
    """The readable side of one connection; columns hold what the hot path needs. There are as many as terminals: it is kept small."""

    fd: int
    generation: int
    year: int = 2013
    terminal_id: str = ""
    failures: int = 0
    """Authentications refused in a row."""
    version: int = 1
    """Protocol version of its headers (2019)."""
    vendor: bool = False
    """True where it speaks with a vendor's delimiter."""
    joiner: Joiner | None = None
    """There from its first message in packages on."""
    _phone: int = -1
    _owner: bytes = b""

    @property
    def phone(self) -> str:
        """The phone of its first frame, without leading zeros; empty before."""
        return "" if self._phone < 0 else f"{self._phone:x}"

    @phone.setter
    def phone(self, phone: str) -> None:
        self._phone = int(phone, 16)

    @property
    def key(self) -> str:
        """Its key in the spine's buckets; empty before its first frame."""
        return digest(self.phone) if self.phone else ""

    @property
    def admission(self) -> Admission | None:
        """What it was admitted as when it came online or when that changed last; None before. Unpacked at each call."""
        return unpack(self._owner) if self._owner else None

    @admission.setter
    def admission(self, admission: Admission) -> None:
        self._owner = pack(admission)

    @property
    def number(self) -> int:
        """A number no other connection of this worker ever has."""
        return self.fd << 32 | self.generation


class Connections:
    """Columns indexed by descriptor. About 80 bytes a descriptor that is or was in use; untouched ones cost nothing."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.state = np.zeros(capacity, np.uint8)
        self.asset = np.zeros(capacity, np.int64)
        self.organisation = np.zeros(capacity, np.int64)
        self.generation = np.zeros(capacity, np.uint32)
        self.phone = np.zeros(capacity, np.uint64)
        self.phone_high = np.zeros(capacity, np.uint16)
        self.seen = np.zeros(capacity, np.float64)
        self.opened = np.zeros(capacity, np.float64)
        self.serial = np.zeros(capacity, np.uint16)
        self.recorded = np.zeros(capacity, np.bool_)
        self.online_ms = np.zeros(capacity, np.int64)
        """When it authenticated, milliseconds since 1970; 0 before."""
        self._host = np.zeros((capacity, _ADDRESS_BYTES), np.uint8)
        self._port = np.zeros(capacity, np.uint16)
        self._place = np.zeros(capacity, np.int32)
        self.terminals: dict[int, Terminal] = {}
        self._by_key = NumberMap()
        self._by_asset = NumberMap()
        self.top = 0

    def open(self, fd: int, generation: int, peer: tuple[str, int], now: float) -> Terminal:
        """Begin a connection (`now`: monotonic seconds)."""
        self.top = max(self.top, fd + 1)
        self.state[fd] = State.CONNECTED
        self.asset[fd] = self.organisation[fd] = 0
        self.generation[fd] = generation
        self.phone[fd] = self.phone_high[fd] = 0
        self.serial[fd] = self.online_ms[fd] = 0
        self.recorded[fd] = False
        self.seen[fd] = self.opened[fd] = now
        self._host[fd] = np.frombuffer(_packed(peer[0]), np.uint8)
        self._port[fd] = peer[1]
        terminal = Terminal(fd, generation)
        self.terminals[fd] = terminal
        return terminal

    def forget(self, fd: int) -> Terminal | None:
        """End a connection and return its record; None where there was none."""
        terminal = self.terminals.pop(fd, None)
        self.state[fd] = State.FREE
        if terminal is not None:
            self.let_go(terminal)
            if terminal.phone and self._by_key.get(_number(terminal.key)) == fd:
                self._by_key.discard(_number(terminal.key))
        return terminal

    def host(self, fd: int) -> str:
        """Return the address of a descriptor's peer, until the descriptor is opened again; empty where it was gone at once."""
        return _unpacked(self._host[fd].tobytes())

    def peer(self, fd: int) -> str:
        """Return address and port of a descriptor's peer."""
        host, port = self.host(fd), int(self._port[fd])
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def current(self, fd: int, generation: int) -> Terminal | None:
        """Return the record of a connection if it still is the same one."""
        terminal = self.terminals.get(fd)
        return terminal if terminal is not None and terminal.generation == generation else None

    def of_key(self, key: str) -> Terminal | None:
        """Return the connection that came online last with this key, if it is still there."""
        fd = self._by_key.get(_number(key))
        terminal = self.terminals.get(fd) if fd is not None else None
        return terminal if terminal is not None and terminal.key == key else None

    def of_asset(self, asset: int) -> Terminal | None:
        """Return the connection that carries an asset's terminal."""
        fd = self._by_asset.get(asset)
        return self.terminals.get(fd) if fd is not None else None

    def name(self, terminal: Terminal) -> None:
        """Let `of_key` find a connection."""
        self._by_key.put(_number(terminal.key), terminal.fd)

    def own(self, terminal: Terminal, admission: Admission) -> None:
        """Put a connection's owner into the columns, and let `of_asset` find it."""
        self.let_go(terminal)
        terminal.admission = admission
        self.asset[terminal.fd], self.organisation[terminal.fd] = admission.asset, admission.organisation
        self._by_asset.put(admission.asset, terminal.fd)

    def let_go(self, terminal: Terminal) -> None:
        """Let `of_asset` no longer find a connection."""
        asset = int(self.asset[terminal.fd])
        if asset and self._by_asset.get(asset) == terminal.fd:
            self._by_asset.discard(asset)

    def state_of(self, fd: int) -> State:
        """Return the session state of a descriptor."""
        return State(int(self.state[fd]))

    def next_serial(self, fd: int, count: int = 1) -> int:
        """Return the first of `count` consecutive message serials towards the terminal (wraps at 65536)."""
        first = int(self.serial[fd])
        self.serial[fd] = (first + count) & 0xFFFF
        return first

    def next_serials(self, fds: npt.NDArray[np.int64]) -> npt.NDArray[np.uint16]:
        """Return a serial for each of `fds`, in order; a descriptor that occurs several times gets consecutive ones."""
        place = np.arange(fds.size, dtype=np.int32)
        self._place[fds] = place
        if (self._place[fds] == place).all():  # each descriptor once, as nearly always
            serials = self.serial[fds]
            self.serial[fds] = serials + np.uint16(1)
            return serials
        return self._several(fds)

    def _several(self, fds: npt.NDArray[np.int64]) -> npt.NDArray[np.uint16]:
        """Rows of a descriptor mostly stand together, since a read brought them; then there is nothing to sort."""
        new = np.empty(fds.size, np.bool_)
        new[:1] = True
        np.not_equal(fds[1:], fds[:-1], out=new[1:])
        starts = np.flatnonzero(new)
        runs = fds[starts]
        run = np.arange(runs.size, dtype=np.int32)
        self._place[runs] = run
        if (self._place[runs] == run).all():
            counts = np.diff(starts, append=fds.size)
            serials = np.repeat(self.serial[runs] - starts.astype(np.uint16), counts) + np.arange(fds.size).astype(np.uint16)
            self.serial[runs] += counts.astype(np.uint16)
            return serials
        order = np.argsort(fds, kind="stable")
        ordered = fds[order]
        np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
        place = np.arange(fds.size)
        first = np.maximum.accumulate(np.where(new, place, 0))
        rank = (place - first).astype(np.uint16)
        serials = np.empty(fds.size, np.uint16)
        serials[order] = self.serial[ordered] + rank
        last = np.flatnonzero(np.append(new[1:], True))
        self.serial[ordered[last]] = self.serial[ordered[last]] + rank[last] + np.uint16(1)
        return serials

    def heard(self, since: float, since_ms: int) -> npt.NDArray[np.int64]:
        """Return the descriptors of terminals that came online before that moment (monotonic and since 1970) and were heard of after it."""
        online = (self.state[: self.top] == State.ONLINE) & (self.online_ms[: self.top] < since_ms)
        return np.flatnonzero(online & (self.seen[: self.top] > since))

    def silent(self, now: float, login_s: float, idle_s: float) -> npt.NDArray[np.int64]:
        """Return the descriptors that took too long to authenticate or have been silent too long."""
        state = self.state[: self.top]
        online = state == State.ONLINE
        idle = online & (now - self.seen[: self.top] > idle_s)
        late = (state != State.FREE) & ~online & (now - self.opened[: self.top] > login_s)
        return np.flatnonzero(idle | late)


def _packed(host: str) -> bytes:
    if not host:
        return _NO_ADDRESS
    if ":" in host:
        return socket.inet_pton(socket.AF_INET6, host)
    return _IPV4 + socket.inet_pton(socket.AF_INET, host)


def _unpacked(packed: bytes) -> str:
    if packed == _NO_ADDRESS:
        return ""
    if packed.startswith(_IPV4):
        return socket.inet_ntop(socket.AF_INET, packed[len(_IPV4) :])
    return socket.inet_ntop(socket.AF_INET6, packed)


def _number(key: str) -> int:
    """Return the first half of a key of the spine's buckets as a number."""
    return int.from_bytes(key_bytes(key)[:8], "big")
