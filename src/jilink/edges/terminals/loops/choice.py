"""Choosing a backend by trying it, since kernels and container runtimes differ in what they allow."""

import socket
import time
from collections.abc import Callable

import numpy as np

from jilink.edges.terminals.loops import ring as uring
from jilink.edges.terminals.loops.base import Limits, Loop
from jilink.edges.terminals.loops.epoll import EpollLoop
from jilink.edges.terminals.loops.uring import UringLoop
from jilink.kernel.errors import Refused, Unavailable


def choose(name: str = "auto", limits: Limits | None = None, clock: Callable[[], float] = time.monotonic) -> Loop:
    """Return the loop called `auto`, `epoll` or `io_uring`; its `reason` says why, for the log.

    Raises Unavailable where io_uring is asked for by name and this machine forbids it, Refused for an unknown name.
    """
    limits = limits or Limits()
    if name == "epoll":
        return EpollLoop(limits, "asked for by name", clock)
    if name not in ("auto", "io_uring"):
        raise Refused(f"There is no I/O backend {name!r}; choose auto, epoll or io_uring.")
    obstacle = io_uring_obstacle()
    if obstacle is None:
        return UringLoop(limits, "asked for by name" if name == "io_uring" else "this kernel allows io_uring", clock)
    if name == "io_uring":
        raise Unavailable(obstacle)
    return EpollLoop(limits, obstacle, clock)


def io_uring_obstacle() -> str | None:
    """Return why io_uring cannot be used here, or None where a real receive through it worked."""
    try:
        ring = uring.Ring(8, 16, 8, 64)
    except OSError as error:
        return f"io_uring is not available: {error.strerror or error}"
    here, there = socket.socketpair()
    try:
        return _try_receive(ring, here, there)
    except OSError as error:
        return f"io_uring does not work: {error.strerror or error}"
    finally:
        ring.close()
        here.close()
        there.close()


def _try_receive(ring: uring.Ring, here: socket.socket, there: socket.socket) -> str | None:
    entry = np.zeros(1, uring.ENTRY)
    entry["opcode"], entry["flags"] = uring.OP_RECV, uring.ENTRY_BUFFER_SELECT
    entry["ioprio"], entry["fd"] = uring.RECV_MULTISHOT, here.fileno()
    ring.push(entry)
    there.sendall(b"~")
    ring.enter(1, 1.0)
    done = ring.reap()
    if not done.size or int(done["result"][0]) != 1:
        return "io_uring here cannot receive into provided buffers (Linux 6.1 or newer is needed)"
    if not int(done["flags"][0]) & uring.COMPLETION_MORE:
        return "io_uring here ends a receive after one read (Linux 6.1 or newer is needed)"
    return None
