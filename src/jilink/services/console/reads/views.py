"""What the inbox shows, as its address says: read from a query, and written back in one canonical form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar
from urllib.parse import parse_qs, urlencode

from jilink.core.cases.reads import Filter, Order, Whose
from jilink.core.cases.rules.workflow import State

Word = TypeVar("Word", bound=StrEnum)
Usual = TypeVar("Usual")
LONGEST_QUERY = 1000
LONGEST_VALUE = 100
MOST_VALUES = 20


class Due(StrEnum):
    """When a case is due."""

    OVERDUE = "overdue"
    SOON = "soon"
    """Within four hours."""
    DAY = "day"
    THREE_DAYS = "days"


class Standing(StrEnum):
    """Which cases at all."""

    OPEN = "open"
    CLOSED = "closed"
    ALL = "all"
    SUSPENDED = "suspended"
    REQUESTED = "requested"
    CALL_BACK = "call_back"


DUE_WITHIN = {Due.SOON: timedelta(hours=4), Due.DAY: timedelta(hours=24), Due.THREE_DAYS: timedelta(days=3)}
_TEXTS = ("q", "area")
_WORDS = ("type", "stage", "channel")
_NUMBERS = ("priority", "unit", "team", "assignee", "person", "asset")


@dataclass(frozen=True, slots=True)
class View:
    """One list of the inbox: whose, which, and in what order. `values` holds every other part by the name of its parameter."""

    whose: Whose = Whose.MINE
    standing: Standing = Standing.OPEN
    due: Due | None = None
    order: Order = Order.NEWEST
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def value(self, name: str) -> str:
        """Return the first value of a part, "" where it does not narrow."""
        return next(iter(self.values.get(name, ())), "")

    @property
    def narrowed(self) -> bool:
        """Return whether anything but whose and order was chosen."""
        return bool(self.values) or self.due is not None or self.standing is not Standing.OPEN

    def query(self) -> str:
        """Return the view as the query of an address; what is usual is not said."""
        said: list[tuple[str, str]] = []
        if self.whose is not Whose.MINE:
            said.append(("view", self.whose.value))
        if self.standing is not Standing.OPEN:
            said.append(("state", self.standing.value))
        if self.due is not None:
            said.append(("due", self.due.value))
        said += [(name, value) for name in sorted(self.values) for value in self.values[name]]
        if self.order is not Order.NEWEST:
            said.append(("sort", self.order.value))
        return urlencode(said)

    def filter(self, now: datetime) -> Filter:
        """Return what to ask the cases."""
        numbers = {name: tuple(int(value) for value in self.values.get(name, ())) for name in _NUMBERS}
        within = DUE_WITHIN.get(self.due) if self.due is not None else None
        return Filter(
            states=_STATES[self.standing],
            whose=self.whose,
            types=self.values.get("type", ()),
            stages=self.values.get("stage", ()),
            channels=self.values.get("channel", ()),
            priorities=numbers["priority"],
            units=numbers["unit"],
            teams=numbers["team"],
            assignees=numbers["assignee"],
            person=next(iter(numbers["person"]), None),
            asset=next(iter(numbers["asset"]), None),
            area=self.value("area"),
            text=self.value("q"),
            overdue=self.due is Due.OVERDUE,
            due_before=now + within if within is not None else None,
            suspended=self.standing is Standing.SUSPENDED,
            requested=self.standing is Standing.REQUESTED,
            call_back=self.standing is Standing.CALL_BACK,
        )


_STATES: dict[Standing, tuple[str, ...]] = {
    Standing.OPEN: (State.OPEN.value,),
    Standing.CLOSED: tuple(state.value for state in State if state is not State.OPEN),
    Standing.ALL: (),
    Standing.SUSPENDED: (State.OPEN.value,),
    Standing.REQUESTED: (State.OPEN.value,),
    Standing.CALL_BACK: (),
}


def read(query: str) -> View:
    """Return the view that a query asks for. Whatever it does not understand does not narrow: an old address still shows a list."""
    given = parse_qs(query[:LONGEST_QUERY], keep_blank_values=False)
    values = {name: found for name in (*_TEXTS, *_WORDS, *_NUMBERS) if (found := _values(name, given.get(name, ())))}
    return View(
        whose=_one(Whose, given, "view", Whose.MINE),
        standing=_one(Standing, given, "state", Standing.OPEN),
        due=_one(Due, given, "due", None),
        order=_one(Order, given, "sort", Order.NEWEST),
        values=values,
    )


def _one(kind: type[Word], given: Mapping[str, Sequence[str]], name: str, usual: Usual) -> Word | Usual:
    asked = next(iter(given.get(name, ())), "")
    return kind(asked) if asked in set(kind) else usual


def _values(name: str, given: Sequence[str]) -> tuple[str, ...]:
    cleaned = [value.replace("\0", "").strip()[:LONGEST_VALUE] for value in given[:MOST_VALUES]]
    if name in _NUMBERS:
        cleaned = [value for value in cleaned if value.isascii() and value.isdecimal() and len(value) < 19]
    return tuple(value for value in cleaned if value)
