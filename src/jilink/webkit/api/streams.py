"""Answers of any length, sent page by page as they are read, behind the walls of whoever asked."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from itertools import chain

import msgspec
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from pydantic import BaseModel

from jilink.core.parties import walls
from jilink.core.parties.access import Actor
from jilink.kernel import sheets

NDJSON, CSV = "application/x-ndjson", "text/csv; charset=utf-8"


def streamed(request: HttpRequest, actor: Actor, chunks: Iterator[bytes], content_type: str, name: str) -> StreamingHttpResponse:
    """Return an answer that sends each chunk as it is made. The first is made at once, so that what is refused is refused before."""
    first = next(chunks, b"")
    whole = chain([first], chunks)
    body = _later(whole, actor) if isinstance(request, ASGIRequest) else _now(whole, actor)
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(body, content_type=content_type, headers=headers)


def _next(chunks: Iterator[bytes], actor: Actor) -> bytes | None:
    """The request's own walls are gone once its answer began: put them up again for each chunk."""
    with walls.closed():
        walls.let_in(actor.organisations)
        return next(chunks, None)


def _now(chunks: Iterator[bytes], actor: Actor) -> Iterator[bytes]:
    while (chunk := _next(chunks, actor)) is not None:
        yield chunk


async def _later(chunks: Iterator[bytes], actor: Actor) -> AsyncIterator[bytes]:
    ask = sync_to_async(_next)
    while (chunk := await ask(chunks, actor)) is not None:
        yield chunk


def ndjson(pages: Iterable[Sequence[BaseModel]]) -> Iterator[bytes]:
    """Yield each page as lines of JSON."""
    for page in pages:
        yield b"".join(row.model_dump_json().encode() + b"\n" for row in page)


def as_csv(shape: type[BaseModel], pages: Iterable[Sequence[BaseModel]]) -> Iterator[bytes]:
    """Yield a heading and each page as comma-separated values (RFC 4180); what is no plain value stands there as JSON.

    A text that a spreadsheet would take for a formula begins with an apostrophe (`kernel.sheets`).
    """
    yield lines([list(shape.model_fields)])
    for page in pages:
        yield lines([[_cell(value) for value in row.model_dump(mode="json").values()] for row in page])


def lines(rows: Sequence[Sequence[str]]) -> bytes:
    """Return rows of cells as comma-separated values."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return sheets.cell(value)
    return msgspec.json.encode(value).decode()
