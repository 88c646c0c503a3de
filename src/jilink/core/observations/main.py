"""The process ``watch``: what every asset says now, for pages, maps and alarms."""

import os
from collections.abc import Callable
from importlib import import_module

import django

from jilink.kernel.settings import Settings
from jilink.spine import process
from jilink.spine.client import connect, ensure


def main(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT. Killed at any moment and started again it comes to the same state."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jilink.site.settings")
    django.setup()
    state = _State()
    process.run("watch", settings, lambda _stopped: _work(settings, state), lambda: state.why_not())


class _State:
    def __init__(self) -> None:
        self.why_not: Callable[[], list[str]] = lambda: ["no connection to the spine"]


async def _work(settings: Settings, state: _State) -> None:
    kind = import_module("jilink.core.observations.watch").Watch
    async with connect(settings, name="watch") as spine:
        await ensure(spine)
        watch = kind(settings, spine)
        state.why_not = watch.why_not
        await watch.run()
