"""One request of a program: its number, who asks, what its answer adds; and a line in the journal for each."""

import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import cast

import structlog
from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from jilink.core.parties.access import NOBODY, Actor, NotFound
from jilink.kernel.ids import new_event_id
from jilink.webkit.api import problems

log = structlog.get_logger(__name__)
PLACE = "/api/"
_KEY = "jilink.call"
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_KEPT = ("Allow", "Retry-After", "WWW-Authenticate")

Answer = HttpResponseBase | Awaitable[HttpResponseBase]


@dataclass(slots=True)
class Call:
    """What is known of a request while it is answered."""

    id: str
    actor: Actor = NOBODY
    headers: dict[str, str] = field(default_factory=dict)
    """Added to the answer."""
    mark: str = ""
    """The entity tag of the answer, where the operation knows it better than its bytes do."""
    refused: NotFound | None = None
    """What the door of the walls refused, for the audit."""


def call_of(request: HttpRequest) -> Call:
    """Return the call that a request is; its id is the caller's ``X-Request-Id`` where that is one, else a new one."""
    found = request.META.get(_KEY)
    if isinstance(found, Call):
        return found
    told = request.headers.get("X-Request-Id", "")
    made = request.META[_KEY] = Call(told if _ID.fullmatch(told) else str(new_event_id()))
    return made


def actor_of(request: HttpRequest) -> Actor:
    """Return who asks, as sign-in found."""
    return call_of(request).actor


@sync_and_async_middleware
def answers_programs(get_response: Callable[[HttpRequest], Answer]) -> Callable[[HttpRequest], Answer]:
    """Number, time and log every request under ``/api/``, and let every error there be a problem (Django's middleware protocol)."""

    async def asynchronously(request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        response = await cast(Awaitable[HttpResponseBase], get_response(request))
        return _finished(request, response, began)

    def synchronously(request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        return _finished(request, cast(HttpResponseBase, get_response(request)), began)

    return asynchronously if iscoroutinefunction(get_response) else synchronously


def _finished(request: HttpRequest, response: HttpResponseBase, began: float) -> HttpResponseBase:
    if not request.path.startswith(PLACE):
        return response
    call = call_of(request)
    answer = _as_problem(request, response)
    answer["X-Request-Id"] = call.id
    match = request.resolver_match
    log.info(
        "api.request",
        request=call.id,
        method=request.method,
        route=match.route if match else "",  # the pattern, never the address: that may name a person
        status=answer.status_code,
        ms=round((time.perf_counter() - began) * 1000, 1),
        caller=call.actor.name,
    )
    return answer


def _as_problem(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Return errors that Django itself answered in the form that programs read."""
    plain = response.status_code >= 400 and not response.get("Content-Type", "").startswith(problems.MEDIA_TYPE)
    if not plain:
        return response
    kept = {name: response[name] for name in _KEPT if response.has_header(name)}
    made: HttpResponse = problems.answer(call_of(request).id, response.status_code, headers=kept)
    made.cookies = response.cookies
    return made
