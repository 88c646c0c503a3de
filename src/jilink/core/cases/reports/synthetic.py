"""A made-up year of cases of one province, poured into a database that is thrown away afterwards: for measuring."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.db import connection, models

from jilink.core.cases.actions import load_examples
from jilink.core.cases.models import Case, CaseType, Clock, Rating
from jilink.core.parties import access, actions
from jilink.kernel.clock import CHINA

YEAR_BEGINS = (2025, 1, 1)
UNITS, COUNTIES = 20, 60
OPEN_SHARE, LATE_SHARE, RATED_SHARE = 0.03, 0.08, 0.3


def pour(model: type[models.Model], columns: Sequence[str], rows: Iterable[tuple[object, ...]]) -> None:
    """Put rows into a table as fast as the database takes them: COPY in PostgreSQL, one prepared statement in SQLite."""
    table, names = model._meta.db_table, ", ".join(f'"{name}"' for name in columns)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # a table behind the wall takes no COPY, one of this session does
            cursor.execute(f"CREATE TEMPORARY TABLE poured AS SELECT {names} FROM {table} LIMIT 0")  # noqa: S608 -- names of our own tables
            with cursor.copy(f"COPY poured ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            cursor.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM poured")  # noqa: S608 -- names of our own tables
            cursor.execute("DROP TABLE poured")
        return
    marks = ", ".join("?" for _ in columns)
    adapted = (tuple(str(v.replace(tzinfo=None)) if isinstance(v, datetime) else v for v in row) for row in rows)
    with connection.cursor() as cursor:
        cursor.connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", adapted)  # noqa: S608 -- names of our own tables
    connection.commit()


class City:
    """The organisations and types of the made-up year, and its cases."""

    def __init__(self, count: int) -> None:

        self.count = count
        self.begins = datetime(*YEAR_BEGINS, tzinfo=CHINA)
        maker = access.system("bench")
        self.province = actions.add_organisation(name="Province", by=maker, now=self.begins)
        maker = access.system("bench")
        self.units = [actions.add_organisation(name=f"Unit {n}", parent=self.province, by=maker, now=self.begins) for n in range(UNITS)]
        self.boss = access.system("bench")
        load_examples(organisation=self.province, by=self.boss, now=self.begins)
        self.types = dict(CaseType.objects.filter(organisation=self.province).values_list("key", "pk"))

    def cases(self) -> Iterator[dict[str, Any]]:
        """Yield the cases, always the same."""
        dice = Random(7)  # noqa: S311 -- made-up cases, no secret
        kinds = sorted(self.types)
        year = timedelta(days=365) / self.count
        for number in range(1, self.count + 1):
            opened = self.begins + year * number
            took = timedelta(hours=dice.expovariate(1 / 30))
            still = dice.random() < (OPEN_SHARE if number < self.count * 0.95 else 0.5)
            kind = dice.choice(kinds)
            yield {
                "id": number,
                "number": f"{number:010d}",
                "organisation_id": self.province,
                "unit_id": dice.choice(self.units),
                "type_id": self.types[kind],
                "type_key": kind,
                "stage": "work" if still else "closed",
                "state": "open" if still else "closed",
                "round": 1,
                "returns": 0,
                "final": False,
                "doers": "[]",
                "priority": 3,
                "title": f"Case {number}",
                "description": "",
                "answers": '{"sort":"part"}',
                "channel": "web",
                "area": f"/22/22{(county := dice.randrange(COUNTIES)) // 7 + 1:02d}/22{county:04d}/",
                "address": "",
                "opened_at": opened,
                "dispatched_at": opened + timedelta(minutes=20),
                "closed_at": None if still else opened + took,
                "due_at": opened + timedelta(days=3) if still else None,
                "closing_code": "" if still else "done",
                "version": 1,
                "updated_at": opened + took,
            }

    def clocks(self) -> Iterator[tuple[object, ...]]:
        """Yield a clock of the whole for each case."""
        dice = Random(8)  # noqa: S311 -- made-up clocks, no secret
        for case in self.cases():
            opened, closed = case["dispatched_at"], case["closed_at"]
            late = dice.random() < LATE_SHARE
            due = (closed or opened + timedelta(days=3)) + timedelta(hours=-1 if late else 5)
            yield case["id"], "whole", 1, "working_days", 3, 0, opened, due, closed, 1

    def ratings(self) -> Iterator[tuple[object, ...]]:
        """Yield ratings of some closed cases."""
        dice = Random(9)  # noqa: S311 -- made-up ratings, no secret
        for case in self.cases():
            if case["closed_at"] is not None and dice.random() < RATED_SHARE:
                yield case["id"], 1, dice.choice((5, 5, 5, 4, 4, 3, 2, 1)), "{}", "", "web", case["closed_at"], "", ""


def fill(city: City) -> None:
    """Pour the year into the database."""

    columns = list(next(city.cases()))
    pour(Case, columns, (tuple(case.values()) for case in city.cases()))
    clock = ("case_id", "key", "round", "kind", "amount", "extended_by", "started_at", "due_at", "ended_at", "generation")
    pour(Clock, clock, city.clocks())
    rating = ("case_id", "round", "level", "answers", "comment", "channel", "at", "called_back_by", "outcome")
    pour(Rating, rating, city.ratings())
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
