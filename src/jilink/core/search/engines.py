"""The two engines behind an index. Tables are named by our own code alone; whatever was typed goes to the database as a parameter."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.db import connection

from jilink.core.search.query import Query
from jilink.core.search.words import BREAK

Kept = list[tuple[int, list[str]]]


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a piece of text: those it is found by, in order, and the words that rank it."""

    characters: list[str]
    words: list[str]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an index; `kept` are the characters of words behind keys."""

    item: int
    part: int
    title: Tokens
    body: Tokens
    kept: Kept


class Sqlite:
    """FTS5 (sqlite.org/fts5.html): one column each for the characters and words of title and body; bm25 weighs them."""

    PARTS_BITS = 10
    """Bits of a row's number that count the parts of an item."""

    def __init__(self, ranked: int) -> None:
        self._ranked = ranked

    def create(self, table: str) -> Iterator[str]:
        yield (
            f"CREATE VIRTUAL TABLE {table} USING fts5("
            'title, body, title_words, body_words, kept, tokenize = "unicode61 remove_diacritics 0", detail = full)'
        )

    def add(self, table: str, rows: Iterable[Row]) -> None:
        sql = f"INSERT INTO {table} (rowid, title, body, title_words, body_words, kept) VALUES (%s, %s, %s, %s, %s, %s)"  # noqa: S608 -- a table of ours
        with connection.cursor() as cursor:
            cursor.executemany(sql, [self._values(row) for row in rows])

    def _values(self, row: Row) -> tuple[int | str, ...]:
        texts = (row.title.characters, row.body.characters, row.title.words, row.body.words, self._behind(row.kept))
        return ((row.item << self.PARTS_BITS) + row.part, *(" ".join(tokens) for tokens in texts))

    def _behind(self, kept: Kept) -> list[str]:
        return [token for key, tokens in kept for token in (*(f"{key}k{one}" for one in tokens), BREAK)]

    def forget(self, table: str, items: Sequence[int]) -> None:
        sql = f"DELETE FROM {table} WHERE rowid >= %s AND rowid < %s"  # noqa: S608 -- a table of ours
        with connection.cursor() as cursor:
            cursor.executemany(sql, [(item << self.PARTS_BITS, (item + 1) << self.PARTS_BITS) for item in items])

    def item(self, table: str) -> str:
        return f"({table}.rowid >> {self.PARTS_BITS})"

    def items(self, table: str, query: Query, keys: Collection[int]) -> tuple[str, tuple[Any, ...]]:
        sql = f"SELECT rowid >> {self.PARTS_BITS} FROM {table} WHERE {table} MATCH %s"  # noqa: S608 -- a table of ours
        return sql, (self._needed(query, keys),)

    def likely(self, table: str, query: Query, keys: Collection[int]) -> None:
        """FTS5 reads the places of phrases from the index itself: there is nothing cheaper to ask first."""

    def holding(self, table: str, query: Query, keys: Collection[int], items: Collection[int]) -> set[int]:
        sql, parameters = self.items(table, query, keys)
        marks = ", ".join("%s" for _ in items)
        with connection.cursor() as cursor:
            cursor.execute(f"{sql} AND rowid >> {self.PARTS_BITS} IN ({marks})", [*parameters, *items])
            return {int(item) for (item,) in cursor.fetchall()}

    def best(self, table: str, query: Query, keys: Collection[int], readable: tuple[str, tuple[Any, ...]]) -> list[tuple[int, float]]:
        needed = self._needed(query, keys)
        wished = [f'{{title_words body_words}} : "{word}"' for word in query.words]
        match = f"({needed}) AND (({needed}) OR {' OR '.join(wished)})" if wished else needed
        sql, parameters = readable
        # FTS5 reads matches from the newest on without ranking them; those before the last of them are left out of the ranking
        text = f"""
            WITH newest AS (
              SELECT min(row) AS least FROM (
                SELECT rowid AS row FROM {table} WHERE {table} MATCH %s AND EXISTS ({sql}) ORDER BY rowid DESC LIMIT {self._ranked}))
            SELECT rowid >> {self.PARTS_BITS}, bm25({table}, 4.0, 1.0, 8.0, 2.0, 4.0) FROM {table}
            WHERE {table} MATCH %s AND rowid >= (SELECT least FROM newest) AND EXISTS ({sql}) ORDER BY 2
        """  # noqa: S608 -- a table of ours
        with connection.cursor() as cursor:
            cursor.execute(text, [needed, *parameters, match, *parameters])
            return [(int(item), -float(score)) for item, score in cursor.fetchall()]

    def _needed(self, query: Query, keys: Collection[int]) -> str:
        return " AND ".join(f"({self._term(phrase, keys)})" for phrase in query.phrases)

    def _term(self, phrase: list[str], keys: Collection[int]) -> str:
        ways = [f"{{title body}} : {self._phrase(phrase)}"]
        ways += [f"{{kept}} : {self._phrase([f'{key}k{token}' for token in phrase])}" for key in sorted(keys)]
        return " OR ".join(f"({way})" for way in ways)

    def _phrase(self, tokens: list[str]) -> str:
        return f'"{" ".join(tokens)}"{" *" if tokens[-1].isascii() else ""}'


class Postgresql:
    """tsvectors built from our own tokens, past the server's parser, whose notion of a letter depends on its locale.

    Two neighbours are a lexeme of their own without a place: a phrase of two characters is one look into the index, and a longer one
    is asked for by its pairs first, so that only texts that hold them all are read for the order of the characters. Where very many
    hold them all (`likely`), those that come first are read for it, until there are enough.
    """

    def __init__(self, ranked: int) -> None:
        self._ranked = ranked

    def create(self, table: str) -> Iterator[str]:
        columns = "item bigint, part smallint, found tsvector NOT NULL, ranked tsvector NOT NULL, PRIMARY KEY (item, part)"
        yield f"CREATE TABLE {table} ({columns})"
        # what stands in a row is read whole with it, and how common a lexeme is decides the plan
        yield f"ALTER TABLE {table} ALTER COLUMN found SET STATISTICS 1000"
        yield f"ALTER TABLE {table} ALTER COLUMN ranked SET STATISTICS 0"
        yield f"CREATE INDEX {table}_found ON {table} USING gin (found)"

    def add(self, table: str, rows: Iterable[Row]) -> None:
        with connection.cursor() as cursor, cursor.copy(f"COPY {table} (item, part, found, ranked) FROM STDIN") as copy:
            for row in rows:
                copy.write_row((row.item, row.part, self._found(row), self._ranking(row)))

    def forget(self, table: str, items: Sequence[int]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table} WHERE item = ANY (%s)", [list(items)])  # noqa: S608 -- a table of ours

    def item(self, table: str) -> str:
        return f"{table}.item"

    def items(self, table: str, query: Query, keys: Collection[int]) -> tuple[str, tuple[Any, ...]]:
        return f"SELECT item FROM {table} WHERE found @@ %s::tsquery", (self._needed(query, keys),)  # noqa: S608 -- a table of ours

    def likely(self, table: str, query: Query, keys: Collection[int]) -> tuple[str, tuple[Any, ...]] | None:
        pairs = self._pairs_of(query, keys)
        if pairs == self._needed(query, keys):
            return None
        return f"SELECT item FROM {table} WHERE found @@ %s::tsquery", (pairs,)  # noqa: S608 -- a table of ours

    def holding(self, table: str, query: Query, keys: Collection[int], items: Collection[int]) -> set[int]:
        # OFFSET 0: each is read by its key, for the index would look up every character of the phrase
        sql = f"""
            SELECT asked.item FROM unnest(%s::bigint[]) AS asked (item),
            LATERAL (SELECT found FROM {table} WHERE {table}.item = asked.item OFFSET 0) AS whole WHERE whole.found @@ %s::tsquery
        """  # noqa: S608 -- a table of ours
        with connection.cursor() as cursor:
            cursor.execute(sql, [list(items), self._needed(query, keys)])
            return {int(item) for (item,) in cursor.fetchall()}

    def best(self, table: str, query: Query, keys: Collection[int], readable: tuple[str, tuple[Any, ...]]) -> list[tuple[int, float]]:
        needed = self._needed(query, keys)
        wished = " | ".join(_quoted(word) for word in query.words)
        sql, parameters = readable
        likely = self.likely(table, query, keys)
        if likely is None:
            newest = f"SELECT item, found, ranked FROM {table} WHERE found @@ %s::tsquery AND EXISTS ({sql})"  # noqa: S608 -- a table of ours
            asked = (needed, *parameters)
        else:  # LIMIT keeps the order of questions: the newest first, whether it may be read, and only then its characters
            newest = f"""
                SELECT {table}.item, whole.found, whole.ranked
                FROM (SELECT item, part FROM {table} WHERE found @@ %s::tsquery ORDER BY item DESC, part DESC) AS {table},
                LATERAL ({sql} LIMIT 1) AS seen (item), LATERAL (
                  SELECT found, ranked FROM {table} AS one WHERE one.item = seen.item AND one.part = {table}.part LIMIT 1
                ) AS whole WHERE whole.found @@ %s::tsquery
            """  # noqa: S608 -- a table of ours
            asked = (*likely[1], *parameters, needed)
        text = f"""
            SELECT item, ts_rank(found, %s::tsquery) + 4 * ts_rank(ranked, %s::tsquery)
            FROM ({newest} ORDER BY {table}.item DESC LIMIT {self._ranked}) AS newest ORDER BY 2 DESC
        """  # noqa: S608 -- a table of ours
        with connection.cursor() as cursor:
            cursor.execute(text, [needed, wished, *asked])
            return [(int(item), float(score)) for item, score in cursor.fetchall()]

    def _needed(self, query: Query, keys: Collection[int]) -> str:
        return " & ".join(f"({self._term(phrase, keys)})" for phrase in query.phrases)

    def _term(self, phrase: list[str], keys: Collection[int]) -> str:
        return " | ".join(self._phrase(phrase, prefix) for prefix in ("", *(f"{key}_" for key in sorted(keys))))

    def _pairs_of(self, query: Query, keys: Collection[int]) -> str:
        """Return what a row must hold to hold the query, places left out: the index answers it alone."""
        prefixes = ("", *(f"{key}_" for key in sorted(keys)))
        return " & ".join(f"({' | '.join(self._loose(phrase, prefix) for prefix in prefixes)})" for phrase in query.phrases)

    def _loose(self, tokens: list[str], prefix: str) -> str:
        if len(tokens) == 1:
            return self._phrase(tokens, prefix)
        alone = [_quoted(prefix + token) for token in tokens[:-1] if token.isascii()]
        end = [f"{_quoted(prefix + tokens[-1])}:*"] if tokens[-1].isascii() else []
        pairs = [_quoted(prefix + pair) for pair in _pairs(tokens)]
        every = [*pairs, *alone, *end]
        return every[0] if len(every) == 1 else f"({' & '.join(every)})"

    def _phrase(self, tokens: list[str], prefix: str) -> str:
        pairs = [_quoted(prefix + pair) for pair in _pairs(tokens)]
        if len(tokens) == 2 and pairs:
            return pairs[0]
        whole = " <-> ".join(_quoted(prefix + token) for token in tokens) + (":*" if tokens[-1].isascii() else "")
        return f"({' & '.join([*pairs, f'({whole})'])})"

    def _found(self, row: Row) -> str:
        """Return the tsvector of what a row is found by; between two texts lies a gap that no phrase bridges."""
        place, written = 1, []
        for weight, prefix, tokens in (
            ("A", "", row.title.characters),
            ("", "", row.body.characters),
            *(("A", f"{key}_", tokens) for key, tokens in row.kept),
        ):
            written += [f"{_quoted(prefix + token)}:{min(at, 16_383)}{weight}" for at, token in enumerate(tokens, place) if token != BREAK]
            written += [_quoted(prefix + pair) for pair in set(_pairs(tokens))]
            place += len(tokens) + 2
        return " ".join(written)

    def _ranking(self, row: Row) -> str:
        written = [f"{_quoted(word)}:{place}A" for place, word in enumerate(row.title.words, 1)]
        written += [f"{_quoted(word)}:{min(place, 16_383)}" for place, word in enumerate(row.body.words, len(row.title.words) + 3)]
        return " ".join(written)


def _pairs(tokens: Sequence[str]) -> Iterator[str]:
    """Yield neighbours that are one character each, of a script without spaces."""
    for one, other in pairwise(tokens):
        if not one.isascii() and not other.isascii() and BREAK not in (one, other):
            yield one + other


def _quoted(token: str) -> str:
    return "'" + token.replace("\\", "\\\\").replace("'", "''") + "'"
