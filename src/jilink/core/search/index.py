"""The search index in the database's own full-text engine: FTS5 in SQLite, tsvector in PostgreSQL.

One item (an article, a case) has one or more rows; long texts are cut, for a tsvector counts at most 16,383 places (PostgreSQL, 12.11).
Rows name no organisation: every search is bounded by a query of the items that the reader may see.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.expressions import RawSQL

from jilink.core.search import words
from jilink.core.search.engines import Postgresql, Row, Sqlite, Tokens
from jilink.core.search.query import Query

PART = 12_000
"""Tokens of one row."""
FOUND = 200
"""Items a search returns at most."""
RANKED = 500
"""The newest rows that hold what was typed, among which the best are chosen."""
TOGETHER = 500


@dataclass(frozen=True, slots=True)
class Hit:
    """An item found, the more fitting the larger `score` is."""

    item: int
    score: float


@dataclass(frozen=True, slots=True)
class Document:
    """What is found of an item: a title, texts between which no phrase goes, and words that only a search with their key finds."""

    title: str
    texts: tuple[str, ...] = ()
    kept: tuple[tuple[int, str], ...] = ()


class Engine(Protocol):
    """What each database offers: a table of its own make, so there is no Django model."""

    def create(self, table: str) -> Iterator[str]:
        """Yield the statements that make the table."""

    def add(self, table: str, rows: Iterable[Row]) -> None:
        """Add rows."""

    def forget(self, table: str, items: Sequence[int]) -> None:
        """Remove the rows of items."""

    def item(self, table: str) -> str:
        """Return the SQL of a row's item."""

    def items(self, table: str, query: Query, keys: Collection[int]) -> tuple[str, tuple[Any, ...]]:
        """Return a query of the items that hold what was typed."""

    def likely(self, table: str, query: Query, keys: Collection[int]) -> tuple[str, tuple[Any, ...]] | None:
        """Return a cheaper query of items among which are all that hold what was typed; None where `items` is as cheap."""

    def holding(self, table: str, query: Query, keys: Collection[int], items: Collection[int]) -> set[int]:
        """Return those of some items that hold what was typed."""

    def best(self, table: str, query: Query, keys: Collection[int], readable: tuple[str, tuple[Any, ...]]) -> list[tuple[int, float]]:
        """Return items and scores of the newest readable rows, best first."""


@dataclass(frozen=True, slots=True)
class Index:
    """The index of one noun; `table` is made by a migration of that noun."""

    table: str

    def create(self) -> Iterator[str]:
        """Yield the statements that make the index in the database in use."""
        return _engine().create(self.table)

    def put(self, item: int, documents: Iterable[Document]) -> None:
        """Put documents in the place of what the index had of an item, in the caller's transaction."""
        self.forget([item])
        self.pour([(item, documents)])

    def pour(self, items: Iterable[tuple[int, Iterable[Document]]]) -> None:
        """Add items that the index has nothing of yet."""
        rows = (row for item, documents in items for row in _rows(item, documents))
        while some := list(islice(rows, TOGETHER)):  # they may be read from this very connection, which takes one thing at a time
            _engine().add(self.table, some)

    def forget(self, items: Sequence[int]) -> None:
        """Take items out of the index."""
        for start in range(0, len(items), TOGETHER):
            _engine().forget(self.table, items[start : start + TOGETHER])

    def items(self, text: str, keys: Collection[int] = ()) -> RawSQL | None:
        """Return a query of the ids of all items that hold every term somebody typed, for `pk__in`; None where nothing was typed.

        It asks no wall: bound it by a query of what the reader may see.
        """
        query = Query(text)
        return RawSQL(*_engine().items(self.table, query, keys)) if query.phrases else None  # noqa: S611 -- our own SQL, what was typed is a parameter

    def likely(self, text: str, keys: Collection[int] = ()) -> RawSQL | None:
        """Return a query of more items than hold every term, which costs less than `items` where very many do; ask `holding` of those
        that are shown. None where there is none."""
        query = Query(text)
        asked = _engine().likely(self.table, query, keys) if query.phrases else None
        return RawSQL(*asked) if asked is not None else None  # noqa: S611 -- as above

    def holding(self, text: str, items: Collection[int], keys: Collection[int] = ()) -> set[int]:
        """Return those of some items that hold every term somebody typed."""
        query = Query(text)
        return _engine().holding(self.table, query, keys, items) if query.phrases and items else set()

    def search(self, text: str, readable: QuerySet[Model], keys: Collection[int] = ()) -> list[Hit]:
        """Return those of the readable items that hold every term somebody typed, the most fitting first, at most 200."""
        query, engine = Query(text), _engine()
        if not query.phrases:
            return []
        same = RawSQL(engine.item(self.table), ())  # noqa: S611 -- a column of ours
        sql, parameters = readable.order_by().filter(pk=same).values("pk").query.sql_with_params()
        best: dict[int, float] = {}
        for item, score in engine.best(self.table, query, keys, (sql, tuple(parameters))):
            best[item] = max(score, best.get(item, score))
        return sorted((Hit(item, score) for item, score in best.items()), key=lambda hit: (-hit.score, -hit.item))[:FOUND]


def _engine() -> Engine:
    return Postgresql(RANKED) if connection.vendor == "postgresql" else Sqlite(RANKED)


def _rows(item: int, documents: Iterable[Document]) -> Iterator[Row]:
    number = 0
    for document in documents:
        title = _tokens([document.title], 0, PART)
        kept = [(key, words.characters(text)) for key, text in document.kept]
        tokens = words.joined(document.texts)
        for start in range(0, max(1, len(tokens)), PART):
            piece = tokens[max(0, start - words.LONGEST_TERM) : start + PART]  # a little again, so that no phrase falls between
            yield Row(item, number, title, Tokens(piece, words.words_of(piece)), kept)
            number, kept = number + 1, []


def _tokens(texts: Sequence[str], start: int, end: int) -> Tokens:
    piece = words.joined(texts)[start:end]
    return Tokens(piece, words.words_of(piece))


def excerpt(text: str, query: str, *, around: int = 40) -> str:
    """Return the piece of a text around the first term of the query, for showing what was found; its beginning where none is."""
    flat = " ".join(text.split())
    low = words.folded(flat)
    places = [low.find(word) for word in words.folded(query).split()] if len(low) == len(flat) else []
    at = min((place for place in places if place >= 0), default=0)
    start = max(0, at - around)
    end = start + 4 * around
    return f"{'…' if start else ''}{flat[start:end]}{'…' if end < len(flat) else ''}"
