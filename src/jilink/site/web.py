"""The process ``web``: pages, API and live streams by granian, in one event loop and as many threads as pages need."""

import asyncio
import os
from importlib import import_module

import django
import structlog
from granian.constants import Interfaces
from granian.server.embed import Server

from jilink.kernel.settings import Settings, SettingsRefused, addresses
from jilink.site.endless import Endless
from jilink.spine import process

log = structlog.get_logger(__name__)
OPEN_REQUESTS = 4096
"""At once, open live streams included."""


def main(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. The database must have been prepared."""
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jilink.site.settings")
    django.setup()
    probes = import_module("jilink.site.probes")
    try:
        process.run("web", settings, lambda stopped: _serve(settings, stopped), probes.unready, grace_s=None)
    finally:
        import_module("jilink.webkit.link").close()
        import_module("jilink.services.vehicles.link").close()


async def _serve(settings: Settings, stopped: asyncio.Event) -> None:
    places = addresses(settings.web)
    if len(places) != 1:
        raise SettingsRefused(f"JILINK_WEB must be one address with a port, like 127.0.0.1:8080, not {settings.web!r}")
    ((host, port),) = places
    application = Endless(import_module("jilink.site.asgi").application)
    server = Server(
        application,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        websockets=False,
        log_enabled=False,
        backlog=1024,
        backpressure=OPEN_REQUESTS,
    )
    serving = asyncio.create_task(server.serve())
    stop = asyncio.create_task(stopped.wait())
    log.info("web.starts", address=settings.web)
    await asyncio.wait({serving, stop}, return_when=asyncio.FIRST_COMPLETED)
    if not serving.done():
        server.stop()  # type: ignore[no-untyped-call]  # -- granian leaves it untyped
        application.end()
    stop.cancel()
    await serving
