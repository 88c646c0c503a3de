"""The retention job: each kind of data that is kept for a time only, and what removes it once that has passed.

A room says so in a module `retention` of its own; the relay imports them all and runs every rule at its start and four times a day:

    @kept_for_a_time("files")
    def forget_files(now: datetime) -> int: ...
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.conf import settings
from django.db import DatabaseError, close_old_connections
from django.utils.module_loading import autodiscover_modules

from jilink.core.parties import anchors
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused, Unavailable

log = structlog.get_logger(__name__)
EVERY_S = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of data, and the function that removes what is past its time and returns how much that was."""

    data: str
    forget: Callable[[datetime], int]


_rules: dict[str, Rule] = {}


def kept_for_a_time(data: str) -> Callable[[Callable[[datetime], int]], Callable[[datetime], int]]:
    """Register the decorated function for a kind of data. It may use the database; running it twice changes nothing."""

    def register(forget: Callable[[datetime], int]) -> Callable[[datetime], int]:
        _rules[data] = Rule(data, forget)
        return forget

    return register


def rules() -> tuple[Rule, ...]:
    """Return every rule by the name of its data, those of all rooms included."""
    autodiscover_modules("retention")
    return tuple(_rules[name] for name in sorted(_rules))


def run(now: datetime) -> dict[str, int]:
    """Run every rule once and return how much each removed. A rule that fails holds up no other, and is tried again next time."""
    removed: dict[str, int] = {}
    for rule in rules():
        try:
            removed[rule.data] = rule.forget(now)
        except (DatabaseError, OSError, Refused, Unavailable) as error:
            log.error("retention.failed", data=rule.data, reason=repr(error))
            continue
        if removed[rule.data]:
            log.info("retention.removed", data=rule.data, rows=removed[rule.data])
    return removed


def _run_in_thread() -> None:
    close_old_connections()
    try:
        run(utc_now())
        anchors.write(settings.JILINK.data, utc_now())
    except (DatabaseError, OSError, Refused) as error:
        log.error("audit.anchor_failed", reason=repr(error))
    finally:
        close_old_connections()


async def work() -> None:
    """Run every rule now and then, and write down where the audit's chain ends, for ever."""
    while True:
        await asyncio.to_thread(_run_in_thread)
        await asyncio.sleep(EVERY_S)
