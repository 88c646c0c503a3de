"""How many requests one caller may make: a leaky bucket as a meter (GCRA, ITU-T I.371), one row a caller, one statement a request.

The rows are in the database, so that all web processes count together. What an answer says about it is of
draft-ietf-httpapi-ratelimit-headers-10.
"""

import math
import time
from dataclasses import dataclass

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponseBase

from jilink.core.parties.access import Actor

WINDOW_S = 60.0
STRANGERS = "strangers"
CALLERS = "callers"
_TAKE = """
INSERT INTO webkit_allowance (caller, due) VALUES (%s, %s)
ON CONFLICT (caller) DO UPDATE SET due = CASE WHEN webkit_allowance.due < %s THEN %s ELSE webkit_allowance.due END + %s
WHERE CASE WHEN webkit_allowance.due < %s THEN %s ELSE webkit_allowance.due END + %s <= %s
RETURNING due
"""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a caller has left. `wait_s` is 0 where the request may go on."""

    policy: str
    quota: int
    left: int
    reset_s: int
    wait_s: int = 0

    def write(self, response: HttpResponseBase) -> None:
        """Say it in an answer's headers."""
        if not self.quota:
            return
        response["RateLimit-Policy"] = f'"{self.policy}";q={self.quota};w={int(WINDOW_S)}'
        response["RateLimit"] = f'"{self.policy}";r={self.left};t={self.reset_s}'
        if self.wait_s:
            response["Retry-After"] = str(self.wait_s)


def take(request: HttpRequest, actor: Actor) -> Allowance:
    """Count one request: of the token or person who asks, or of the address where nobody is signed in."""
    if actor.user is not None:
        return count(CALLERS, actor.name, settings.JILINK.api_per_minute, time.time())
    return count(STRANGERS, f"address:{address_of(request)}", settings.JILINK.api_strangers_per_minute, time.time())


def address_of(request: HttpRequest) -> str:
    """Return the address that a request comes from."""
    return get_adapter().get_client_ip(request) or "unknown"


def count(policy: str, caller: str, quota: int, now: float) -> Allowance:
    """Count one request of a caller who may make `quota` in a minute, at `now` (seconds since 1970); 0 means no limit."""
    if not quota:
        return Allowance(policy, 0, 0, 0)
    each = WINDOW_S / quota
    latest = now + WINDOW_S
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [caller, now + each, now, now, each, now, now, each, latest])
        row = cursor.fetchone()
        if row is not None:
            return _left(policy, quota, float(row[0]) - now, each)
        cursor.execute("SELECT due FROM webkit_allowance WHERE caller = %s", [caller])
        due = float(cursor.fetchone()[0])
    return Allowance(policy, quota, 0, math.ceil(due - now), max(1, math.ceil(due + each - latest)))


def _left(policy: str, quota: int, used_s: float, each: float) -> Allowance:
    left = max(0, int((WINDOW_S - used_s) / each + 1e-6))
    return Allowance(policy, quota, left, math.ceil(used_s))
