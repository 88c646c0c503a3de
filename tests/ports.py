"""Ports for the servers of tests that run side by side: each process gives out a range that no other process has, below those that the
kernel gives to clients."""

import socket
from functools import cache
from itertools import count
from pathlib import Path

FIRST, RANGE = 10_000, 1_000
_turn = count()


@cache
def _range() -> tuple[int, socket.socket]:
    """Return the first port of a range, and what keeps it ours until this process ends: a name in the kernel's table of sockets."""
    end = min(int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0]), 32_000)
    for first in range(FIRST, end - RANGE, RANGE):
        keeper = socket.socket(socket.AF_UNIX)
        try:
            keeper.bind(f"\0jilink-tests-ports-{first}")
        except OSError:
            keeper.close()
            continue
        return first, keeper
    raise RuntimeError("too many processes give out ports for tests")


def free_run(length: int) -> int:
    """Return the first of `length` ports in a row on which nobody listens; soon no call returns one of them again."""
    first, _keeper = _range()
    for _attempt in range(RANGE):
        start = first + next(_turn) % RANGE
        if start + length <= first + RANGE and all(_is_free(port) for port in range(start, start + length)):
            for _ in range(length - 1):
                next(_turn)
            return start
    raise RuntimeError(f"no {length} free ports in a row from {first}")


def free_port() -> int:
    """Return a port on which nobody listens."""
    return free_run(1)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
