"""Carries deliveries out: signed POST requests to addresses that people entered, with a guard against our own network.

The guard stands where a socket is made, after names were resolved: whatever a name leads to, at whatever moment, only an allowed
address is connected to. Redirections are not followed.
"""

import asyncio
import collections
import email.utils
import errno
import ipaddress
import socket
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import aiohttp
import structlog
from django.db import close_old_connections
from prometheus_client import Counter

from jilink.core.webhooks import actions, rules
from jilink.kernel.clock import utc_now

log = structlog.get_logger(__name__)
LOOK_EVERY_S = 0.5
TOGETHER = 32
PATIENCE_S = 15.0
TIDY_EVERY = timedelta(hours=1)
ATTEMPTS = Counter("jilink_webhook_attempts_total", "Attempts to deliver an event to an endpoint", ["outcome"])


class Private(PermissionError):
    """A name led to an address that deliveries may not go to."""


class Guard:
    """Makes sockets for allowed addresses only; `plain` is whether the connection has no TLS."""

    def __init__(self, allowed: Sequence[rules.Network], *, plain: bool) -> None:
        self._allowed, self._plain = allowed, plain

    def __call__(self, place: tuple[int, int, int, str, tuple[str | int | bytes, ...]]) -> socket.socket:
        """Return a socket for one resolved address. Raises Private."""
        family, kind, protocol, _name, target = place
        address = ipaddress.ip_address(str(target[0]).partition("%")[0])
        if not rules.reachable(address, plain=self._plain, allowed=self._allowed):
            raise Private(errno.EACCES, "the address lies in a private network")
        return socket.socket(family, kind, protocol)


class Courier:
    """Sends what is due. Use it as an asynchronous context manager."""

    def __init__(self, allowed: Sequence[rules.Network]) -> None:
        self._allowed = allowed
        self._under_way: dict[asyncio.Task[None], int] = {}

    async def __aenter__(self) -> "Courier":
        self._sessions = {plain: self._session(plain=plain) for plain in (False, True)}
        return self

    async def __aexit__(self, *error: object) -> None:
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        for session in self._sessions.values():
            await session.close()

    def _session(self, *, plain: bool) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=TOGETHER, use_dns_cache=False, socket_factory=Guard(self._allowed, plain=plain))
        return aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=PATIENCE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=["Accept", "Accept-Encoding"],
        )

    async def begin_due(self, now: datetime) -> int:
        """Begin to send what is due, as far as there are places, and return how many attempts those are."""
        places = TOGETHER - len(self._under_way)
        if not places:
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
            return 1
        attempts = await asyncio.to_thread(_claim, now, places, collections.Counter(self._under_way.values()))
        for attempt in attempts:
            task = asyncio.create_task(self._deliver(attempt))
            self._under_way[task] = attempt.endpoint
            task.add_done_callback(lambda done: self._under_way.pop(done, None))
        return len(attempts)

    async def deliver_due(self, now: datetime) -> int:
        """Send what is due, once, wait for the answers and return how many attempts that were."""
        count = await self.begin_due(now)
        while self._under_way:
            await asyncio.wait(self._under_way)
        return count

    async def _deliver(self, attempt: actions.Attempt) -> None:
        status: int | None = None
        failure, asked = "", None
        session = self._sessions[attempt.url.startswith("http:")]
        try:
            async with session.post(attempt.url, data=attempt.body, headers=attempt.headers, allow_redirects=False) as answer:
                status = answer.status
                asked = retry_after(answer.headers.get("Retry-After", ""), utc_now())
                if not rules.is_taken(status):
                    failure = f"answered {status} {answer.reason or ''}".strip()
        except TimeoutError:
            failure = f"no answer within {PATIENCE_S:.0f} s"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            failure = str(error) or type(error).__name__
        ATTEMPTS.labels("failed" if failure else "delivered").inc()
        await asyncio.to_thread(_note, attempt.delivery, status, failure, asked)
        if failure:
            log.info("webhook.failed", delivery=attempt.delivery, status=status, reason=failure)


def retry_after(text: str, now: datetime) -> timedelta | None:
    """Return how long a receiver asks to be left alone, None where it does not (RFC 9110, 10.2.3)."""
    if text.isascii() and text.isdecimal():
        return timedelta(seconds=min(int(text), 86_400))
    try:
        until = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return until - now if until.tzinfo is not None and until > now else None


def _claim(now: datetime, places: int, busy: Mapping[int, int]) -> list[actions.Attempt]:
    try:
        return actions.claim_due(now, places, busy)
    finally:
        close_old_connections()


def _note(delivery: int, status: int | None, failure: str, asked: timedelta | None) -> None:
    try:
        actions.note_answer(delivery=delivery, status=status, failure=failure, now=utc_now(), asked=asked)
    finally:
        close_old_connections()


def _tidy(now: datetime) -> None:
    try:
        actions.tidy(now)
    finally:
        close_old_connections()


async def run(allowed: Sequence[rules.Network]) -> None:
    """Deliver for ever: at once while there is something, otherwise looking again every half second."""
    tidied: datetime | None = None
    async with Courier(allowed) as courier:
        while True:
            now = utc_now()
            if not await courier.begin_due(now):
                await asyncio.sleep(LOOK_EVERY_S)
            if tidied is None or now - tidied > TIDY_EVERY:
                tidied = now
                await asyncio.to_thread(_tidy, now)
