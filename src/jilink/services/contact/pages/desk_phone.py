"""Where the phones of browsers connect to: said to the page, and allowed by its Content-Security-Policy."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from jilink.kernel.settings import Settings, addresses

LOCAL = ("localhost", "127.0.0.1", "::1")


def address_of(request: HttpRequest) -> str:
    """Return the WebSocket of the telephone engine as this browser reaches it; "" where there is none."""
    return address(settings.JILINK, request.get_host().rsplit(":", 1)[0].strip("[]"))


def address(known: Settings, host: str) -> str:
    """Return the WebSocket for a browser that sees us under that host: the secure one, or on this machine alone the plain one.

    Where the secure one listens on all addresses, it is reached under the host of the page.
    """
    if known.voice_nodes or known.absent("engine"):
        return ""
    if known.voice_wss:
        bound, port = addresses(known.voice_wss)[0]
        return f"wss://{_written(host if _is_any(bound) else bound)}:{port}/ws"
    return f"ws://127.0.0.1:{known.voice_http_port}/ws" if host in LOCAL else ""


def allow(response: HttpResponse, server: str) -> None:
    """Let this one page connect there, and nowhere else."""
    if server:
        response._csp_update = {"connect-src": ["'self'", server.removesuffix("/ws")]}  # type: ignore[attr-defined] # -- as django-csp reads it


def _is_any(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _written(host: str) -> str:
    return f"[{host}]" if ":" in host else host
