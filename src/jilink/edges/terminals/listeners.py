"""The listening sockets of one worker: shared by all workers of the machine, IPv4 and IPv6, plain and TLS."""

import errno
import socket

import structlog

from jilink.kernel.errors import Refused

log = structlog.get_logger(__name__)

BACKLOG = 4096
KEEPALIVE = ((socket.TCP_KEEPIDLE, 120), (socket.TCP_KEEPINTVL, 30), (socket.TCP_KEEPCNT, 4))
"""A peer that is gone without a word is noticed after four minutes, before the idle timer."""

_NO_FAMILY = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}


class ListenRefused(Refused):
    """An address in the settings cannot be listened on."""


def listen(pairs: list[tuple[str, int]]) -> list[socket.socket]:
    """Return listening, non-blocking sockets for every address this machine can serve.

    IPv6 is left out with a log line where the kernel has none. Raises ListenRefused for an address that is taken or not ours.
    """
    return _sockets(pairs, BACKLOG)


def _sockets(pairs: list[tuple[str, int]], backlog: int) -> list[socket.socket]:
    sockets = []
    for host, port in pairs:
        try:
            sockets.append(_listen(host, port, backlog))
        except OSError as error:
            if ":" in host and error.errno in _NO_FAMILY and len(pairs) > 1:
                log.info("address_left_out", address=f"[{host}]:{port}", error=error.strerror)
                continue
            raise ListenRefused(f"cannot listen on {host} port {port}: {error.strerror}") from error
    return sockets


def check(pairs: list[tuple[str, int]]) -> None:
    """Raise ListenRefused where an address cannot be used; nothing is listening before or after."""
    for sock in _sockets(pairs, backlog=0):
        sock.close()


def _listen(host: str, port: int, backlog: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in KEEPALIVE:
            listener.setsockopt(socket.IPPROTO_TCP, option, value)
        listener.bind((host, port))
        if backlog:
            listener.listen(backlog)
    except OSError:
        listener.close()
        raise
    return listener
