"""Marks of what a read returned, so that an unchanged thing is not sent again and a changed one not overwritten (RFC 9110, 8.8.3 and 13).

A mark is the thing's version, where it has one, and a hash of its representation: ``"7-4f0c…"``. If-Match compares the version.
A thing that is `Watched` has a mark of its parts, ``"4f0c….a1b2c3d4…"``: If-Match compares those, and 412 names the ones that changed.
"""

import hashlib
import re
from collections.abc import Callable, Sequence

import msgspec
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from ninja import Schema

from jilink.kernel.still import Still
from jilink.kernel.texts import gettext_noop
from jilink.webkit.api.calls import call_of
from jilink.webkit.api.problems import Fault, PreconditionFailed

_MARK = re.compile(r'"(?:(\d{1,18})-)?[0-9a-f]{24}"')
_PART = 16
"""Hexadecimal digits of the hash of a part: 64 bits."""
_PARTS = re.compile(rf'"[0-9a-f]{{24}}\.((?:[0-9a-f]{{{_PART}}})*)"')
_NONE_OF_OURS = gettext_noop("If-Match names no version of this thing. Send the ETag that its read answered with.")
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
        raise PreconditionFailed(_NONE_OF_OURS)
    return int(found[1])


def takes_any(request: HttpRequest) -> bool:
    """Return whether If-Match is ``*``: whatever there is may be changed (RFC 9110, 13.1.1)."""
    return request.headers.get("If-Match", "").strip() == "*"


class Watched:
    """A thing of which If-Match guards some parts: those that people change, not those that change by themselves."""

    def __init__(self, shape: type[Schema], *parts: str) -> None:
        """`parts` are pointers into the shape (RFC 6901)."""
        self._shape, self._parts = shape, parts

    def shown(self, request: HttpRequest, thing: object) -> object:
        """Return what a read answers with, and have its mark sent along."""
        read = self._read(thing)
        whole = hashlib.sha256(msgspec.json.encode(read, order="deterministic")).hexdigest()[:24]
        call_of(request).mark = f'"{whole}.{"".join(self._marks(read))}"'
        return thing

    def check(self, request: HttpRequest, now: Callable[[], object]) -> Still:
        """Return what an action calls once it holds the row, None where If-Match says nothing: it raises PreconditionFailed.

        `now` reads the thing as it is then; None where there is none, which ``*`` does not fit either (RFC 9110, 13.1.1).
        """
        told = request.headers.get("If-Match", "").strip()
        if not told:
            return None
        found = [match[1] for part in told.split(",") if (match := _PARTS.fullmatch(part.strip()))]
        kept = [text for text in found if len(text) == _PART * len(self._parts)]

        def compare() -> None:
            thing = now()
            if thing is None or (not kept and told != "*"):
                raise PreconditionFailed(_NONE_OF_OURS)
            if told == "*":
                return
            stands = self._marks(self._read(thing))
            if "".join(stands) not in kept:
                raise self._changed(kept[-1], stands)

        return compare

    def _changed(self, told: str, stands: Sequence[str]) -> PreconditionFailed:
        error = PreconditionFailed(gettext_noop("Somebody changed this since you read it. Read it again and change what it says now."))
        was = [told[at : at + _PART] for at in range(0, len(told), _PART)]
        words = _("It is not what you read.")
        changed = [part for part, before, after in zip(self._parts, was, stands, strict=True) if before != after]
        error.faults = [Fault(detail=words, pointer=part) for part in changed]
        return error

    def _read(self, thing: object) -> object:
        return self._shape.model_validate(thing).model_dump(mode="json")

    def _marks(self, read: object) -> list[str]:
        return [hashlib.sha256(msgspec.json.encode(_at(read, part), order="deterministic")).hexdigest()[:_PART] for part in self._parts]


def _at(read: object, pointer: str) -> object:
    for name in pointer.split("/")[1:]:
        read = read.get(name) if isinstance(read, dict) else None
    return read


def marked(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Return the answer with its mark, or 304 without a body where the reader has it already."""
    if request.method not in _MARKED or response.status_code != 200 or not isinstance(response, HttpResponse):
        return response
    if not response.has_header("ETag"):
        response["ETag"] = call_of(request).mark or mark(response.content)
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
