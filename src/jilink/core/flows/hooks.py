"""Asks the addresses that flows name: a signed request, a bounded answer, and of it only what was declared."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import aiohttp
import msgspec
import structlog
from asgiref.sync import sync_to_async

from jilink.core.flows.models import FlowHook
from jilink.core.flows.rules import effects as e
from jilink.core.webhooks import rules, sealing
from jilink.core.webhooks.courier import Guard
from jilink.kernel.errors import Refused

log = structlog.get_logger(__name__)
MOST_BYTES = 65_536


async def call(
    effect: e.CallHook, *, organisation: int, message: str, now: datetime, allowed: Sequence[rules.Network] = ()
) -> e.HookAnswered | e.Came:
    """Ask and return what came of it; never raises for what the other side does.

    `message` names the request for ever (Standard Webhooks, "webhook-id"), so that it may be asked again. `allowed` are networks beside
    the public internet (`JILINK_WEBHOOKS_ALLOW`).
    """
    failed = e.Came(turn=effect.turn, outcome="failed")
    try:
        url, secret = await sync_to_async(_place)(organisation, effect.hook)
        body = msgspec.json.encode(dict(effect.sends))
        headers = rules.headers([secret], message, now, body)
        answer = await _ask(url, body, headers, effect.timeout_s, allowed)
    except (Refused, TimeoutError, aiohttp.ClientError, OSError, ValueError, msgspec.DecodeError) as error:
        log.warning("flow.hook_failed", hook=effect.hook, organisation=organisation, reason=type(error).__name__)
        return failed
    return e.HookAnswered(turn=effect.turn, values={name: taken(answer, place) for name, place in effect.takes.items()})


def taken(answer: object, place: str) -> str:
    """Return what stands at a place of an answer (names and numbers with dots between them) as words, "" where nothing does."""
    for part in place.split("."):
        if isinstance(answer, Mapping):
            answer = answer.get(part)
        elif isinstance(answer, list) and part.isdecimal() and int(part) < len(answer):
            answer = answer[int(part)]
        else:
            return ""
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    return str(answer)[:500] if isinstance(answer, str | int | float) else ""


async def _ask(url: str, body: bytes, headers: Mapping[str, str], timeout_s: int, allowed: Sequence[rules.Network]) -> object:
    guard = Guard(allowed, plain=url.startswith("http:"))
    connector = aiohttp.TCPConnector(use_dns_cache=False, socket_factory=guard)
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    async with (
        aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session,
        session.post(url, data=body, headers=headers, allow_redirects=False) as answer,
    ):
        if not rules.is_taken(answer.status):
            raise ValueError(f"answered {answer.status}")
        data = await answer.content.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise ValueError("the answer is too long")
        return msgspec.json.decode(data)


def _place(organisation: int, key: str) -> tuple[str, str]:
    row = FlowHook.objects.filter(organisation_id=organisation, key=key).first()
    if row is None:
        raise Refused("There is no address %(key)s.", key=key)
    return row.url, sealing.unseal(row.secret)
