"""Pages of lists by signed cursors: an opaque place in a stable order, never a count of rows to skip."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

import msgspec
from django.core import signing
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Schema
from pydantic import BaseModel, Field

from jilink.webkit.api.calls import call_of
from jilink.webkit.api.problems import Fault, Faulty

MOST = 200
T = TypeVar("T")
Row = TypeVar("Row")
Key = TypeVar("Key", int, str)


class Paging(BaseModel):
    """What every list may be asked with."""

    limit: int = Field(50, ge=1, le=MOST, description="Rows of a page at most.")
    cursor: str = Field("", max_length=2000, description="Where the page begins: as `next` of the page before says it.")


class Page(Schema, Generic[T]):
    """Some rows of a list. `next` is the address of the page after, null at the end; the header Link says it too (RFC 8288)."""

    items: list[T]
    next: str | None


@dataclass(frozen=True, slots=True)
class Cut(Generic[Row]):
    """A page before it is written out."""

    items: Sequence[Row]
    next: str | None


def misread() -> Faulty:
    """Return the error for a cursor that is none of this list."""
    return Faulty(Fault(detail=_("This is no cursor of this list."), parameter="cursor"))


def place(request: HttpRequest, paging: Paging) -> str:
    """Return the place that a cursor stands for, "" for the beginning. Raises Faulty for one of another list, or none of ours."""
    if not paging.cursor:
        return ""
    try:
        found = signing.loads(paging.cursor, salt=f"cursor:{request.path}")
    except signing.BadSignature:
        raise misread() from None
    return str(found)


def after(request: HttpRequest, at: str) -> str | None:
    """Return the address of the page that begins after `at`, None for "", and have it said in the answer's header Link."""
    if not at:
        return None
    query = [(key, value) for key, values in request.GET.lists() if key != "cursor" for value in values]
    query.append(("cursor", signing.dumps(at, salt=f"cursor:{request.path}")))
    link = f"{request.path}?{urlencode(query)}"
    call_of(request).headers["Link"] = f'<{link}>; rel="next"'
    return link


def number(request: HttpRequest, paging: Paging) -> int | None:
    """Return the place as a number, None at the beginning. Raises Faulty."""
    at = place(request, paging)
    return _as(int, at) if at else None


def placed(request: HttpRequest, paging: Paging, kind: type[T]) -> T | None:
    """Return the place as a value of some shape, None at the beginning. Raises Faulty."""
    at = place(request, paging)
    return _as(kind, at) if at else None


def cut(request: HttpRequest, rows: Sequence[Row], begins: object) -> Cut[Row]:
    """Return a page after which the next begins at a place of the shape that `placed` reads; None where there is none."""
    return Cut(rows, after(request, msgspec.json.encode(begins).decode() if begins is not None else ""))


def by_number(request: HttpRequest, paging: Paging, rows: Sequence[Row], key: Callable[[Row], int]) -> Cut[Row]:
    """Return a page of rows that were asked for with ``limit + 1`` from `number`: the one too many says that there is a next page."""
    kept = rows[: paging.limit]
    more = len(rows) > paging.limit and kept
    return Cut(kept, after(request, str(key(kept[-1])) if more else ""))


def of_all(request: HttpRequest, paging: Paging, rows: Sequence[Row], key: Callable[[Row], int | str | tuple[int | str, ...]]) -> Cut[Row]:
    """Return a page of a list that is at hand whole. It is put in the order of `key`, which is different for each row."""
    keyed = sorted(((_parts(key(row)), row) for row in rows), key=lambda pair: pair[0])
    at = place(request, paging)
    if at:
        begin = tuple(_as(list[int | str], at))
        keyed = [pair for pair in keyed if pair[0] > begin]
    kept = keyed[: paging.limit]
    more = len(keyed) > paging.limit
    return Cut([row for _key, row in kept], after(request, msgspec.json.encode(list(kept[-1][0])).decode() if more else ""))


def _parts(key: int | str | tuple[int | str, ...]) -> tuple[int | str, ...]:
    return key if isinstance(key, tuple) else (key,)


def _as(kind: type[T], text: str) -> T:
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError:
        raise misread() from None
