"""The search index in the database's own full-text engine: FTS5 in SQLite, tsvector in PostgreSQL.

One document is one language of one article; long ones are cut, for a tsvector counts at most 16,383 places (PostgreSQL, 12.11).
Rows name no organisation: every search is bounded by a query of the articles that the reader may see.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from django.db import connection
from django.db.models import Model, QuerySet

from jilink.core.knowledge import words

PART = 12_000
"""Tokens of one row."""
FOUND = 200
"""Articles a search returns at most."""
PARTS_BITS = 10
"""Bits of a row's number that count the parts of an article."""
_FTS5 = """
SELECT article, bm25(knowledge_index, 0.0, 4.0, 1.0, 8.0, 2.0) FROM knowledge_index
WHERE knowledge_index MATCH %s AND article IN (READABLE) ORDER BY 2 LIMIT %s
"""
_TSVECTOR = """
SELECT article, ts_rank(found, %s::tsquery) + 4 * ts_rank(ranked, %s::tsquery) FROM knowledge_index
WHERE found @@ %s::tsquery AND article IN (READABLE) ORDER BY 2 DESC LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Hit:
    """An article found, the more fitting the larger `score` is."""

    article: int
    score: float


class Engine(Protocol):
    """What each database offers: two tables of its own make, so there is no Django model."""

    def create(self) -> Iterator[str]:
        """Yield the statements that make the index."""

    def add(self, article: int, part: int, title: "Document", body: "Document") -> None:
        """Add one row."""

    def forget(self, article: int) -> None:
        """Remove an article's rows."""

    def find(self, query: "Query", readable: "Readable") -> list[Hit]:
        """Return the best of the readable articles."""


@dataclass(frozen=True, slots=True)
class Document:
    """The tokens of a piece of text."""

    characters: list[str]
    words: list[str]


@dataclass(frozen=True, slots=True)
class Readable:
    """A query (SQL and parameters) of the ids of the articles that may be found."""

    sql: str
    parameters: tuple[Any, ...]


class Query:
    """What somebody typed: phrases that must be there, and words that count."""

    def __init__(self, text: str) -> None:
        self.phrases = words.terms(text)
        self._text = text

    @cached_property
    def words(self) -> list[str]:
        """Return the dictionary's words in it."""
        return list(dict.fromkeys(words.dictionary_words(self._text)))[:16]


def _parts(text: str) -> Iterator[Document]:
    """Yield the text's tokens in rows; each begins a little before the last one's end, so that no phrase falls between."""
    tokens = words.characters(text)
    for start in range(0, max(1, len(tokens)), PART):
        piece = tokens[max(0, start - words.LONGEST_TERM) : start + PART]
        yield Document(piece, words.dictionary_words("".join(_spaced(piece))))


def _spaced(tokens: Iterable[str]) -> Iterator[str]:
    for token in tokens:
        yield f" {token} " if token.isascii() else token


class _Sqlite:
    """FTS5 (sqlite.org/fts5.html): one column each for the characters and words of title and body; bm25 weighs them."""

    def create(self) -> Iterator[str]:
        yield (
            "CREATE VIRTUAL TABLE knowledge_index USING fts5("
            'article UNINDEXED, title, body, title_words, body_words, tokenize = "unicode61 remove_diacritics 0", detail = full)'
        )

    def add(self, article: int, part: int, title: Document, body: Document) -> None:
        texts = (" ".join(tokens) for tokens in (title.characters, body.characters, title.words, body.words))
        sql = "INSERT INTO knowledge_index (rowid, article, title, body, title_words, body_words) VALUES (%s, %s, %s, %s, %s, %s)"
        with connection.cursor() as cursor:
            cursor.execute(sql, [(article << PARTS_BITS) + part, article, *texts])

    def forget(self, article: int) -> None:
        first = article << PARTS_BITS
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM knowledge_index WHERE rowid >= %s AND rowid < %s", [first, first + (1 << PARTS_BITS)])

    def find(self, query: Query, readable: Readable) -> list[Hit]:
        needed = [f'{{title body}} : "{" ".join(phrase)}"{" *" if phrase[-1].isascii() else ""}' for phrase in query.phrases]
        wished = [f'{{title_words body_words}} : "{word}"' for word in query.words]
        match = " AND ".join(f"({term})" for term in needed)
        if wished:
            match = f"({match}) AND ({' OR '.join([*(f'({term})' for term in needed), *wished])})"
        sql = _FTS5.replace("READABLE", readable.sql)
        with connection.cursor() as cursor:
            cursor.execute(sql, [match, *readable.parameters, FOUND * 4])
            return _best((int(article), -float(score)) for article, score in cursor.fetchall())


class _Postgresql:
    """tsvectors built from our own tokens, past the server's parser, whose notion of a letter depends on its locale."""

    def create(self) -> Iterator[str]:
        yield "CREATE TABLE knowledge_index (article bigint NOT NULL, found tsvector NOT NULL, ranked tsvector NOT NULL)"
        yield "CREATE INDEX knowledge_index_found ON knowledge_index USING gin (found)"
        yield "CREATE INDEX knowledge_index_article ON knowledge_index (article)"

    def add(self, article: int, part: int, title: Document, body: Document) -> None:
        found = _vector([("A", title.characters), ("D", body.characters)])
        ranked = _vector([("A", title.words), ("D", body.words)])
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO knowledge_index VALUES (%s, %s::tsvector, %s::tsvector)", [article, found, ranked])

    def forget(self, article: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM knowledge_index WHERE article = %s", [article])

    def find(self, query: Query, readable: Readable) -> list[Hit]:
        phrases = [" <-> ".join(_quoted(token) for token in phrase) + (":*" if phrase[-1].isascii() else "") for phrase in query.phrases]
        needed = " & ".join(f"({phrase})" for phrase in phrases)
        wished = " | ".join(_quoted(word) for word in query.words)
        sql = _TSVECTOR.replace("READABLE", readable.sql)
        with connection.cursor() as cursor:
            cursor.execute(sql, [needed, wished, needed, *readable.parameters, FOUND * 4])
            return _best((int(article), float(score)) for article, score in cursor.fetchall())


def _quoted(token: str) -> str:
    return "'" + token.replace("\\", "\\\\").replace("'", "''") + "'"


def _vector(weighted: Iterable[tuple[str, list[str]]]) -> str:
    """Return a tsvector literal; the places of the body follow those of the title with a gap that no phrase bridges."""
    place, written = 1, []
    for weight, tokens in weighted:
        for token in tokens:
            written.append(f"{_quoted(token)}:{min(place, 16_383)}{weight if weight != 'D' else ''}")
            place += 1
        place += 2
    return " ".join(written)


def _best(rows: Iterable[tuple[int, float]]) -> list[Hit]:
    best: dict[int, float] = {}
    for article, score in rows:
        best[article] = max(score, best.get(article, score))
    return sorted((Hit(article, score) for article, score in best.items()), key=lambda hit: (-hit.score, hit.article))[:FOUND]


def engine() -> Engine:
    """Return the engine of the database in use."""
    return _Postgresql() if connection.vendor == "postgresql" else _Sqlite()


def index(article: int, documents: Iterable[tuple[str, str]]) -> None:
    """Put the texts (title, body) of an article in the place of what the index had of it, in the caller's transaction."""
    forget(article)
    rows = ((next(_parts(title)), part) for title, body in documents for part in _parts(body))
    for number, (heading, part) in enumerate(rows):
        engine().add(article, number, heading, part)


def forget(article: int) -> None:
    """Take an article out of the index."""
    engine().forget(article)


def search(text: str, readable: QuerySet[Model]) -> list[Hit]:
    """Return those of the readable articles that hold every term somebody typed, the most fitting first, at most 200."""
    query = Query(text)
    sql, parameters = readable.order_by().values("pk").query.sql_with_params()
    return engine().find(query, Readable(sql, tuple(parameters))) if query.phrases else []


def excerpt(text: str, query: str, *, around: int = 40) -> str:
    """Return the piece of a text around the first term of the query, for showing what was found; its beginning where none is."""
    flat = " ".join(text.split())
    low = words.folded(flat)
    places = [low.find(word) for word in words.folded(query).split()] if len(low) == len(flat) else []
    at = min((place for place in places if place >= 0), default=0)
    start = max(0, at - around)
    end = start + 4 * around
    return f"{'…' if start else ''}{flat[start:end]}{'…' if end < len(flat) else ''}"
