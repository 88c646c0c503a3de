"""Sockets of many terminals as columns, by epoll or io_uring."""

from jilink.edges.terminals.loops.base import Counters, Limits, Loop, Peer, Reads

__all__ = ["Counters", "Limits", "Loop", "Peer", "Reads"]
