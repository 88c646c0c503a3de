"""The ports this installation listens on, and whether they are free."""

import contextlib
import errno
import socket
from typing import NamedTuple

from jilink.kernel.errors import Refused
from jilink.kernel.settings import PREFIX, PROCESSES, Settings, addresses


class PortTaken(Refused):
    """Another program listens where a process of ours would."""


class Listener(NamedTuple):
    """One address, the setting that moves it and who listens there."""

    host: str
    port: int
    setting: str
    process: str


def listeners(settings: Settings) -> list[Listener]:
    """Return every address the processes of one installation listen on."""
    named = (
        (settings.web, "web", "web"),
        (settings.terminals, "terminals", "terminals"),
        (settings.terminals_tls, "terminals_tls", "terminals"),
        (settings.attachments, "attachments", "terminals"),
    )
    found = [Listener(host, port, setting, process) for text, setting, process in named for host, port in addresses(text)]
    if not settings.absent("engine"):
        found += [Listener(host, port, "voice_wss", "engine") for host, port in addresses(settings.voice_wss)]
        found.append(Listener("127.0.0.1", settings.voice_http_port, "voice_http_port", "engine"))
        found.append(Listener("127.0.0.1", settings.voice_manager_port, "voice_manager_port", "engine"))
        found += [Listener(host, port, "voice_sip", "engine") for host, port in addresses(settings.voice_sip)]
    if not settings.nats_url:
        found.append(Listener("127.0.0.1", settings.nats_port, "nats_port", "spine"))
    for process in PROCESSES:
        if not settings.absent(process) and (port := settings.health(process)):
            found.append(Listener("127.0.0.1", port, "health_port", process))
    return found


def is_free(place: Listener) -> bool:
    """Return whether a listener could be opened there now. A host without IPv6 counts as free: nobody listens."""
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    try:
        with contextlib.closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind((place.host, place.port))
            probe.listen(1)
    except OSError as error:
        return error.errno not in (errno.EADDRINUSE, errno.EACCES)
    return True


def require_free(settings: Settings) -> None:
    """Raise PortTaken naming the first address that is not free and the setting that moves it."""
    for place in listeners(settings):
        if place.port and not is_free(place):
            variable = PREFIX + place.setting.upper()
            host = f"[{place.host}]" if ":" in place.host else place.host
            value = place.port + 1000 if place.setting.endswith("_port") else f"{host}:{place.port + 1000}"
            raise PortTaken(
                f"port {place.port} on {host} ({place.process}) is taken by another program; "
                f"stop it, or choose another with {variable}={value}"
            )
