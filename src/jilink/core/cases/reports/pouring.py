"""Rows into a table as fast as the database takes them, for a database that is made for measuring and thrown away.

Indices, foreign keys and the wall of a table are taken down while rows are poured in, and stand again behind it: foreign keys are then
checked together, indices built at once. Nobody else may use the table meanwhile.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice

from django.db import connection, models

TOGETHER = 20_000
_KEYS = """
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'f'
"""
_INDICES = """
SELECT i.relname, pg_get_indexdef(i.oid) FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
WHERE x.indrelid = %s::regclass AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.oid AND c.contype IN ('p', 'u', 'x'))
"""


def pour(table: str, columns: Sequence[str], rows: Iterable[tuple[object, ...]]) -> None:
    """Put rows into a table: COPY in PostgreSQL, prepared statements in SQLite. Times are text in UTC."""
    names = ", ".join(f'"{name}"' for name in columns)
    with _bare(table):
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        marks, left = ", ".join("?" for _ in columns), iter(rows)
        with connection.cursor() as cursor:
            while some := list(islice(left, TOGETHER)):
                cursor.connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", some)  # noqa: S608 -- a table of ours
        connection.commit()


@contextmanager
def _bare(table: str) -> Iterator[None]:
    """Take down what slows a table for the passage, and put it up again."""
    down, up = _postgresql(table) if connection.vendor == "postgresql" else _sqlite(table)
    _run(down)
    yield
    _run(up)


def _run(statements: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _postgresql(table: str) -> tuple[list[str], list[str]]:
    with connection.cursor() as cursor:
        cursor.execute(_KEYS, [table])
        keys = cursor.fetchall()
        cursor.execute(_INDICES, [table])
        indices = cursor.fetchall()
        cursor.execute("SELECT relrowsecurity FROM pg_class WHERE oid = %s::regclass", [table])
        walled = cursor.fetchone()[0]
    down = ["SET maintenance_work_mem = '1GB'", *(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"' for name, _made in keys)]
    up = [*(made for _name, made in indices), *(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {made}' for name, made in keys)]
    if walled:
        down.append(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY")
        up.append(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    return [*down, *(f'DROP INDEX "{name}"' for name, _made in indices)], [*up, f"ANALYZE {table}"]


def _sqlite(table: str) -> tuple[list[str], list[str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = %s AND sql IS NOT NULL", [table])
        indices = cursor.fetchall()
    down = ["PRAGMA foreign_keys = OFF", "PRAGMA synchronous = OFF", *(f'DROP INDEX "{name}"' for name, _made in indices)]
    return down, [*(made for _name, made in indices), "PRAGMA synchronous = FULL", "PRAGMA foreign_keys = ON"]


def put_index_down(table: str) -> list[str]:
    """Take down the word index of a table of ours on PostgreSQL, and return what puts it up again."""
    if connection.vendor != "postgresql":
        return []
    _run([f"DROP INDEX {table}_found"])
    return ["SET maintenance_work_mem = '1GB'", f"CREATE INDEX {table}_found ON {table} USING gin (found)", f"ANALYZE {table}"]


def put_up(statements: Sequence[str]) -> None:
    """Put up what was taken down."""
    _run(statements)


def table_of(model: type[models.Model]) -> str:
    """Return the table of a model."""
    return model._meta.db_table
