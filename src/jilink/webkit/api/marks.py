"""Marks of what a read returned, so that an unchanged thing is not sent again and a changed one not overwritten (RFC 9110, 8.8.3 and 13).

A mark is the thing's version, where it has one, and a hash of its representation: ``"7-4f0c…"``. If-Match compares the version.
"""

import hashlib
import re

import msgspec
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from jilink.kernel.texts import gettext_noop
from jilink.webkit.api.problems import PreconditionFailed

_MARK = re.compile(r'"(?:(\d{1,18})-)?[0-9a-f]{24}"')
_MARKED = frozenset({"GET", "PUT", "PATCH"})


class _Versioned(msgspec.Struct):
    version: int | None = None


def expected_version(request: HttpRequest) -> int | None:
    """Return the version that If-Match names, None where it says nothing or ``*``. Raises PreconditionFailed for any other word."""
    told = request.headers.get("If-Match", "").strip()
    if not told or told == "*":
        return None
    found = _MARK.fullmatch(told)
    if found is None or found[1] is None:
        raise PreconditionFailed(gettext_noop("If-Match names no version of this thing. Send the ETag that its read answered with."))
    return int(found[1])


def marked(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Return the answer with its mark, or 304 without a body where the reader has it already."""
    if request.method not in _MARKED or response.status_code != 200 or not isinstance(response, HttpResponse):
        return response
    if not response.has_header("ETag"):
        response["ETag"] = mark(response.content)
    response["Cache-Control"] = response.get("Cache-Control", "private, no-cache")
    if request.method == "GET" and _has(request.headers.get("If-None-Match", ""), response["ETag"]):
        bare = HttpResponse(status=304, headers={name: response[name] for name in ("ETag", "Cache-Control") if response.has_header(name)})
        del bare["Content-Type"]
        return bare
    return response


def mark(body: bytes) -> str:
    """Return the mark of a representation."""
    digest = hashlib.sha256(body).hexdigest()[:24]
    try:
        version = msgspec.json.decode(body, type=_Versioned).version
    except msgspec.DecodeError:
        version = None
    return f'"{version}-{digest}"' if version is not None else f'"{digest}"'


def _has(told: str, current: str) -> bool:
    return told.strip() == "*" or current in [part.strip().removeprefix("W/") for part in told.split(",")]
