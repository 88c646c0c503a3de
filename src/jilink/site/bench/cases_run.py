"""What the measuring process of `bench.cases` does: fill its own database with cases, then ask. Django is set up before."""

import json
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from django.core.management import call_command
from django.db import connection

from jilink.core.cases.assignment import reads as assignment
from jilink.core.cases.assignment.rules import Keeper, Rule, RuleBook, ToKeeper, ToUnit, When
from jilink.core.cases.reports import counting, reads
from jilink.core.cases.reports.figures import Step
from jilink.core.cases.reports.synthetic import City, fill
from jilink.core.cases.rules.form import Is
from jilink.core.parties import walls
from jilink.kernel.texts import Text


def asked(city: City, runs: int) -> list[tuple[str, str, list[float]]]:
    """Return the figures: name, unit, one value a run."""

    now = city.begins + timedelta(days=365)
    last = now.date() - timedelta(days=1)
    year, month = last - timedelta(days=364), last - timedelta(days=29)
    book = RuleBook(
        rules=(
            Rule(key="keeper", label=Text("k", "k"), when=When(about_asset=True), outcome=ToKeeper(order=(Keeper.MAINTAINER,))),
            Rule(key="parts", label=Text("p", "p"), when=When(answers=Is("sort", "part")), outcome=ToUnit(unit=city.units[0])),
        )
    )

    def report(first: object, split: reads.Split, step: Step) -> Callable[[], object]:
        wanted = reads.Wanted(first=first, last=last, split=split, step=step)  # type: ignore[arg-type] # -- a date
        return lambda: reads.report(city.boss, wanted, now=now)

    began = time.perf_counter()
    counting.rebuild()
    rebuilt = time.perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    questions: dict[str, tuple[Callable[[], object], int]] = {
        "report of a year by unit, per month": (report(year, reads.Split.UNIT, Step.MONTH), runs),
        "report of a year by area, per week": (report(year, reads.Split.AREA, Step.WEEK), runs),
        "report of a year by type, per day": (report(year, reads.Split.TYPE, Step.DAY), runs),
        "report of a month by unit, per day": (report(month, reads.Split.UNIT, Step.DAY), runs),
        "rules tried on the last 1,000 cases": (lambda: assignment.try_rules(city.boss, city.province, "", book), runs),
        "one case counted anew": (lambda: counting.count_case(city.count // 2), runs),
    }
    figures = [("sums of all cases made anew", "s", [rebuilt])]
    for name, (question, times) in questions.items():
        question()
        figures.append((name, "ms", [_timed(question) for _ in range(times)]))
    return figures


def _timed(question: Callable[[], object]) -> float:
    began = time.perf_counter()
    question()
    return 1000 * (time.perf_counter() - began)


def main() -> None:
    """Fill, ask, write."""

    walls.open_process()
    count, runs, to = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    call_command("migrate", verbosity=0, skip_checks=True)
    city = City(count)
    fill(city)
    figures = asked(city, runs)
    to.write_text(json.dumps({"database": {"postgresql": "PostgreSQL", "sqlite": "SQLite"}[connection.vendor], "figures": figures}))
