"""Orders of a list of cases, and pages cut by the key of their last row: what comes and goes meanwhile shows no row twice."""

import base64
import binascii
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

import msgspec
from django.db.models import Q

from jilink.core.cases.models import Case
from jilink.kernel.errors import Malformed

Stretch = tuple[Q, tuple[str, ...]]
"""Rows, and the order in which they are read."""


class Order(StrEnum):
    """Orders of a list; each ends with the id, so that no row is shown twice or left out between pages."""

    NEWEST = "newest"
    OLDEST = "oldest"
    DUE = "due"
    """The next due first, those without a due time last."""
    PRIORITY = "priority"
    UPDATED = "updated"
    BEST = "best"
    """What fits the text best first, at most 200; without a text, or where it is a number, the newest first."""


class CursorMisread(Malformed):
    """This is no cursor of this list."""


_KEYS: dict[Order, tuple[str, bool]] = {
    Order.NEWEST: ("pk", True),
    Order.OLDEST: ("pk", False),
    Order.DUE: ("due_at", False),
    Order.PRIORITY: ("priority", True),
    Order.UPDATED: ("updated_at", True),
}
"""The column of each order, and whether it falls."""


_Cursor = tuple[str, str | int | None, int]
_READ: dict[Order, Callable[[str | int | None], object]] = {
    Order.DUE: lambda key: datetime.fromisoformat(str(key)) if key is not None else None,
    Order.UPDATED: lambda key: datetime.fromisoformat(str(key)),
    Order.PRIORITY: lambda key: int(key or 0),
    Order.BEST: lambda key: int(key or 0),
}


def cursor_at(order: Order, row: Case) -> str:
    """Return the cursor of what comes behind a row."""
    key = {Order.DUE: row.due_at, Order.UPDATED: row.updated_at, Order.PRIORITY: row.priority}.get(order)
    return written(order, key.isoformat() if isinstance(key, datetime) else key, row.pk)


def written(order: Order, key: str | int | None, pk: int) -> str:
    """Return a cursor as text."""
    return base64.urlsafe_b64encode(msgspec.json.encode((order.value, key, pk))).decode().rstrip("=")


def read_cursor(order: Order, cursor: str) -> tuple[object, int]:
    """Return the value and the key in a cursor. Raises CursorMisread."""
    try:
        made_for, key, pk = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=_Cursor)
        value = _READ[order](key) if order in _READ else None
    except (msgspec.DecodeError, binascii.Error, ValueError) as error:
        raise CursorMisread("cursor", "This is no cursor.") from error
    if made_for != order:
        raise CursorMisread("order", "This cursor belongs to another order.")
    return value, pk


def behind(by: tuple[str, ...], value: object, pk: int) -> tuple[Stretch, ...]:
    """Return what comes behind a row in an order, as stretches that follow each other; none of them holds a row without a value."""
    side = "lt" if by[0].startswith("-") else "gt"
    further = Q(**{f"pk__{side}": pk})
    if len(by) == 1:
        return ((further, by),)
    column = by[0].lstrip("-")
    return (Q(**{column: value}) & further, by[1:]), (Q(**{f"{column}__{side}": value}), by)


def stretches(order: Order, cursor: str) -> tuple[Stretch, ...]:
    """Return the list from a cursor on as stretches that follow each other, and the order in each.

    Each is one reach of an index in the order it stands in, which neither "smaller, or equal and further" nor "none at the end" is in
    SQLite; the next is asked for only where a page is not full.
    """
    column, falls = _KEYS[order]
    sign = "-" if falls else ""
    key, both = (f"{sign}pk",), (f"{sign}{column}", f"{sign}pk")
    none = Q(due_at__isnull=True)
    if not cursor:
        return ((~none, both), (none, key)) if order == Order.DUE else ((Q(), key if column == "pk" else both),)
    value, pk = read_cursor(order, cursor)
    if column == "pk":
        return behind(key, pk, pk)
    if value is None:
        return tuple((none & further, by) for further, by in behind(key, pk, pk))
    rest = behind(both, value, pk)
    return (*rest, (none, key)) if order == Order.DUE else rest
