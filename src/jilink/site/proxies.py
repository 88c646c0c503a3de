"""Who the client is where a proxy stands between: told by proxies that the operator named, and by nobody else.

A proxy writes the address it was called from at the end of X-Forwarded-For, and whether that was over TLS into X-Forwarded-Proto.
Whoever is no such proxy could write anything there; its words are taken off before anything reads them.
"""

import ipaddress
from collections.abc import Sequence

from jilink.kernel.settings import PREFIX, SettingsRefused
from jilink.site.bodies import Application, Receive, Scope, Send

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_FOR, _PROTO = b"x-forwarded-for", b"x-forwarded-proto"
_TOLD = frozenset({_FOR, _PROTO, b"x-forwarded-host", b"x-forwarded-port", b"x-real-ip", b"forwarded"})


def networks(text: str) -> tuple[Network, ...]:
    """Return the networks of the setting, with commas between them. Raises SettingsRefused."""
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise SettingsRefused(f"{PREFIX}WEB_PROXIES must be addresses or networks with commas between them: {error}") from error


def behind(proxies: Sequence[Network], application: Application) -> Application:
    """Return the application, told the true client (``client``) and whether it came over TLS (``scheme``) in the scope (ASGI 3.0).

    Of a chain of proxies the last address that is none of them counts: what stands before it was written by the client itself.
    """

    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = _truly(scope, proxies)
        await application(scope, receive, send)

    return told


def _truly(scope: Scope, proxies: Sequence[Network]) -> Scope:
    headers = [(name, value) for name, value in scope["headers"] if name.lower() not in _TOLD]
    true = {**scope, "headers": headers}
    peer = scope.get("client")
    if not peer or not _is_one(peer[0], proxies):
        return true
    hops = [part.strip() for part in _words(scope, _FOR).split(",") if part.strip()]
    client = next((hop for hop in reversed(hops) if not _is_one(hop, proxies)), "")
    if _is_address(client):
        true["client"] = (client, 0)
    if _words(scope, _PROTO).rpartition(",")[2].strip().lower() == "https":
        true["scheme"] = "https"
    return true


def _words(scope: Scope, wanted: bytes) -> str:
    """Return what a header says, all its lines as one (RFC 9110, 5.3)."""
    return ",".join(value.decode("latin-1") for name, value in scope["headers"] if name.lower() == wanted)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_one(text: str, proxies: Sequence[Network]) -> bool:
    try:
        place = ipaddress.ip_address(text)
    except ValueError:
        return False
    inner = place.ipv4_mapped if isinstance(place, ipaddress.IPv6Address) else None
    return any((inner or place) in network for network in proxies if network.version == (inner or place).version)
