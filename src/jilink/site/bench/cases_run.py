"""What the measuring process of `bench.cases` does: fill its own database with cases, then ask. Django is set up before."""

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from django.core.management import call_command
from django.db import connection

from jilink.core.cases import reads
from jilink.core.cases.assignment import reads as assignment
from jilink.core.cases.assignment.rules import Keeper, Rule, RuleBook, ToKeeper, ToUnit, When
from jilink.core.cases.reads import Filter, Order, Whose
from jilink.core.cases.reports import counting
from jilink.core.cases.reports import reads as reports
from jilink.core.cases.reports.figures import Step
from jilink.core.cases.reports.reads import Split, Wanted
from jilink.core.cases.reports.synthetic import BEGINS, Cases, Province, fill
from jilink.core.cases.rules.form import Is
from jilink.core.cases.rules.numbers import check_digit
from jilink.core.parties import walls
from jilink.core.parties.access import Actor
from jilink.core.parties.rules import Permission
from jilink.kernel.texts import Text
from jilink.services.console.pages.reports import exported

Question = Callable[[Actor], object]
FIRST = "100000007"
NOW = BEGINS + timedelta(days=730)
LAST = NOW.date() - timedelta(days=1)
PAGE = 50
DEEP = 40
"""Pages before the one that is called deep."""
VIEWS = [
    Filter(whose=Whose.MINE),
    Filter(whose=Whose.TEAM),
    Filter(whose=Whose.UNASSIGNED),
    Filter(overdue=True),
    Filter(priorities=(9,)),
    Filter(types=("hotline",), due_before=NOW + timedelta(hours=24)),
    Filter(requested=True),
    Filter(states=("closed",), opened_from=NOW - timedelta(days=7)),
]
TEXTS = {
    "one common character": "水",
    "a common word": "暖气",
    "a rare word": "搭电",
    "a word and a street": "井盖 自由大路",
    "a sentence": "污水井盖碎裂，夜里看不见",
    "a person's name": "王伟",
    "nothing there": "鹦鹉",
}


def report(days: int, split: Split, step: Step) -> Question:
    """Return the question of a report of so many days."""
    wanted = Wanted(first=LAST - timedelta(days=days - 1), last=LAST, split=split, step=step)
    return lambda actor: reports.report(actor, wanted, now=NOW)


def listed(wanted: Filter, order: Order = Order.NEWEST, cursor: str = "") -> Question:
    """Return the question of one page of a list."""
    return lambda actor: reads.cases(actor, wanted, now=NOW, order=order, cursor=cursor, limit=PAGE)


def deep(wanted: Filter, order: Order) -> Callable[[Actor], Question]:
    """Return what finds the question of a page far down, for an actor."""

    def found(actor: Actor) -> Question:
        cursor = ""
        for _page in range(DEEP):
            cursor = reads.cases(actor, wanted, now=NOW, order=order, cursor=cursor, limit=PAGE).next or cursor
        return listed(wanted, order, cursor)

    return found


def questions() -> dict[str, Callable[[Actor], Question]]:
    """Return every question by name, made for an actor."""
    asked: dict[str, Question] = {
        "report of two years by unit, per month": report(730, Split.UNIT, Step.MONTH),
        "report of a year by area, per week": report(365, Split.AREA, Step.WEEK),
        "report of a year by type, per day": report(365, Split.TYPE, Step.DAY),
        "report of a month by unit, per day": report(30, Split.UNIT, Step.DAY),
        "report of a year as Excel": lambda actor: exported(actor, Wanted(first=LAST - timedelta(days=364), last=LAST), NOW, excel=True),
        "counts of eight saved views": lambda actor: reads.count_views(actor, VIEWS, now=NOW),
        "case by its number": lambda actor: reads.cases(actor, Filter(states=(), text=f"{FIRST}{check_digit(FIRST)}"), now=NOW),
    }
    for order in (Order.NEWEST, Order.OLDEST, Order.DUE, Order.PRIORITY, Order.UPDATED):
        asked[f"open cases, {order.value}"] = listed(Filter(), order)
        asked[f"all cases, {order.value}"] = listed(Filter(states=()), order)
    for whose in (Whose.MINE, Whose.TEAM, Whose.UNASSIGNED):
        asked[f"open cases, {whose.value}, due"] = listed(Filter(whose=whose), Order.DUE)
    asked["closed cases, newest"] = listed(Filter(states=("closed", "void", "merged")))
    asked["overdue cases, priority"] = listed(Filter(overdue=True), Order.PRIORITY)
    for name, text in TEXTS.items():
        asked[f"text, {name}, newest"] = listed(Filter(states=(), text=text))
        asked[f"text, {name}, best"] = listed(Filter(states=(), text=text), Order.BEST)
    asked["text, a common word, open ones by due"] = listed(Filter(text=TEXTS["a common word"]), Order.DUE)

    def made(question: Question) -> Callable[[Actor], Question]:
        return lambda _actor: question

    found = {name: made(question) for name, question in asked.items()}
    for order in (Order.NEWEST, Order.DUE, Order.PRIORITY):
        found[f"open cases, {order.value}, page {DEEP + 1}"] = deep(Filter(), order)
    found[f"all cases, newest, page {DEEP + 1}"] = deep(Filter(states=()), Order.NEWEST)
    return found


def empty_caches() -> None:
    """Empty the caches of database and system of what the questions read, as far as somebody who is no administrator can."""
    name = connection.settings_dict
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:  # other pages push ours out of the server's own memory
            cursor.execute("SELECT count(*) FROM cases_entry WHERE id IN (SELECT (random() * 5e6)::bigint FROM generate_series(1, 60000))")
    files = Path(name["HOST"]) / "data" / "base" if connection.vendor == "postgresql" else Path(name["NAME"]).parent
    connection.close()
    os.sync()
    for path in files.rglob("*"):
        if path.is_file():
            handle = os.open(path, os.O_RDONLY)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(handle)


def asked(province: Province, runs: int, cold: bool) -> list[tuple[str, str, list[float]]]:
    """Return the figures: name, unit, one value a run. Everybody asks behind their own walls, as a request does."""
    figures = []
    for name, member in (
        ("province", province.governor),
        ("city", province.mayor),
        ("county", province.head),
        ("agent", province.places[0].agent),
    ):
        for what, make in questions().items():
            with walls.closed():
                actor = province.actor(member)
                if what.startswith("report") and not actor.may(Permission.REPORT_CASES):
                    continue
                question = make(actor)
                question(actor)
                figures.append((f"{what} ({name})", "ms", [_timed(question, actor) for _ in range(runs)]))
                if cold and name == "province":
                    empty_caches()
                    figures.append((f"{what} ({name}, cold)", "ms", [_timed(question, actor)]))
    return figures


def others(province: Province, count: int, runs: int) -> list[tuple[str, str, list[float]]]:
    """Return the figures that no request waits for."""
    began = time.perf_counter()
    counting.rebuild()
    rebuilt = time.perf_counter() - began
    book = RuleBook(
        rules=(
            Rule(key="keeper", label=Text("k", "k"), when=When(about_asset=True), outcome=ToKeeper(order=(Keeper.MAINTAINER,))),
            Rule(key="parts", label=Text("p", "p"), when=When(answers=Is("sort", "part")), outcome=ToUnit(unit=province.places[0].unit)),
        )
    )
    boss = province.actor(province.governor)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    questions: dict[str, Question] = {
        "rules tried on the last 1,000 cases": lambda _actor: assignment.try_rules(boss, province.top, "", book),
        "one case counted anew": lambda _actor: counting.count_case(count // 2),
    }
    found = [("sums of all cases made anew", "s", [rebuilt])]
    for name, question in questions.items():
        question(boss)
        found.append((name, "ms", [_timed(question, boss) for _ in range(runs)]))
    return found


def _timed(question: Question, actor: Actor) -> float:
    began = time.perf_counter()
    question(actor)
    return 1000 * (time.perf_counter() - began)


def main() -> None:
    """Fill, ask, write."""
    walls.open_process()
    count, runs, to = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    began = time.perf_counter()

    def say(words: str) -> None:
        print(f"{time.perf_counter() - began:7.1f} s {words}", file=sys.stderr, flush=True)  # noqa: T201 -- the parent shows it

    call_command("migrate", verbosity=0, skip_checks=True)
    province = Province()
    fill(Cases(count, province), say)
    poured = time.perf_counter() - began
    say("making the sums anew")
    figures = [("filled", "s", [poured]), *others(province, count, runs)]
    say("asking")
    figures += asked(province, runs, cold="--cold" in sys.argv)
    to.write_text(json.dumps({"database": {"postgresql": "PostgreSQL", "sqlite": "SQLite"}[connection.vendor], "figures": figures}))
