"""The shape both I/O backends share: sockets in, columns out."""

import socket
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Int64s = NDArray[np.int64]
UInt32s = NDArray[np.uint32]
Bytes = NDArray[np.uint8]
Peer = tuple[str, int]
"""Address and port of the other side; ("", 0) where it is already gone."""


@dataclass(frozen=True, slots=True)
class Reads:
    """What one `poll` brought, in the order to handle it: `opened`, then the reads, then `closed`.

    `data` holds the bytes of all reads end to end; read k came from descriptor `fds[k]` and is `lengths[k]` bytes long.
    One descriptor may have several reads; they stand in order of arrival. A descriptor in `closed` sends nothing more;
    its number returns in `opened` of a later poll at the earliest, never of this one. Arrays are the caller's to keep.
    """

    fds: Int64s
    lengths: Int64s
    data: Bytes
    opened: list[tuple[int, Peer]]
    closed: Int64s
    woken: bool


@dataclass(slots=True)
class Counters:
    """What a loop has done since it began; whoever reads them computes rates."""

    accepted: int = 0
    closed: int = 0
    reads: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    answers: int = 0
    """Rows given to the kernel or to a descriptor's queue."""
    answers_dropped: int = 0
    """Rows whose connection was gone, or whose descriptor already had a new owner."""
    slow_readers: int = 0
    """Connections closed because they did not take what was owed to them."""
    resets: int = 0
    """Connections the peer or the network broke, rather than ended."""
    accepts_paused: int = 0
    """Times the process ran out of descriptors and left callers in the listen queue for a while."""
    buffers_exhausted: int = 0
    """Reads that had to wait because every receive buffer was full (io_uring only)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How a loop behaves; the defaults suit a gateway that confirms every 20 to 50 ms."""

    gather_s: float = 0.003
    """Under load, the shortest time to let ready sockets collect; 0: none. `wake` always ends it."""
    gather_most_s: float = 0.012
    """The longest such time, taken where fewer than `gather_reads` come sooner."""
    gather_reads: int = 1024
    """Reads worth collecting for one poll: a poll costs the same for few, and what many bring leaves the processor's cache."""
    queue_bytes: int = 256 * 1024
    """Most bytes owed to one connection; a reader slower than that is closed."""
    linger_s: float = 2.0
    """How long a peer that ended its side may still collect delayed answers."""
    accept_pause_s: float = 0.25
    """How long to leave callers in the listen queue after running out of descriptors."""
    receive_buffers: int = 16384
    """Receive buffers of an io_uring loop, a power of two."""
    receive_bytes: int = 512
    """Size of each receive buffer; what is longer comes in several reads. Small ones stay in the processor's cache."""


class Loop(Protocol):
    """Drains all ready sockets of one process into columns, and sends answers given as columns.

    Not thread-safe but for `wake`: one thread polls, sends and closes.
    """

    name: str
    """`epoll` or `io_uring`."""
    reason: str
    """Why this backend was chosen, for the log."""
    generation: UInt32s
    """Indexed by descriptor; changes when the descriptor is really closed, so (fd, generation) names a connection for ever.
    Between two polls it changes for no connection but those given to `close`."""
    counters: Counters

    def add_listener(self, sock: socket.socket) -> None:
        """Accept connections from a listening socket, whose owner the loop becomes."""

    def adopt(self, sock: socket.socket, peer: Peer | None = None) -> int:
        """Take over a connected stream socket and return its descriptor; the next poll reports it in `opened` with `peer`."""

    def poll(self, timeout_s: float) -> Reads:
        """Wait at most `timeout_s` for anything, then return all there is. Under load waits `Limits.gather_s` to collect more."""

    def send(self, fds: Int64s, generations: UInt32s, buffer: Bytes, starts: Int64s, lengths: Int64s) -> None:
        """Send `buffer[starts[k]:starts[k] + lengths[k]]` to connection (fds[k], generations[k]), for every k, in order per connection.

        Never blocks and never raises for a peer's sake: rows of connections that are gone are dropped and counted, what a
        socket does not take at once is queued up to `Limits.queue_bytes`, a slower reader is closed (the next poll reports
        it). `buffer` must not change afterwards: the loop may keep it until it is sent.
        """

    def close(self, fds: Int64s) -> None:
        """Close connections now, after what `send` already handed over. They are not reported in `closed`."""

    def wake(self) -> None:
        """Make a waiting (or the next) poll return with `woken`. Callable from any thread."""

    def peer(self, fd: int) -> Peer:
        """Return the other side's address."""

    def connections(self) -> int:
        """Return how many connections are open."""

    def stop_accepting(self) -> None:
        """Close the listeners; connections live on."""

    def shutdown(self) -> None:
        """Close every connection, listener and resource. Nothing may be called afterwards but `wake`, which then does nothing."""


def empty_reads(opened: list[tuple[int, Peer]], closed: list[int], woken: bool) -> Reads:
    """Return reads without data."""
    none = np.zeros(0, np.int64)
    return Reads(none, none, np.zeros(0, np.uint8), opened, np.array(closed, np.int64), woken)
