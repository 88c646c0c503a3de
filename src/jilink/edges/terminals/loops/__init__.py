"""Sockets of many terminals as columns, by epoll or io_uring."""

from jilink.edges.terminals.loops.base import Counters, Limits, Loop, Peer, Reads
from jilink.edges.terminals.loops.choice import choose, io_uring_obstacle

__all__ = ["Counters", "Limits", "Loop", "Peer", "Reads", "choose", "io_uring_obstacle"]
