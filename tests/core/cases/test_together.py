"""Fifty people at once on the same two hundred cases: no lost update, no double number, every step legal."""

import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from django.db import OperationalError, connections

from jilink.core.cases import actions
from jilink.core.cases.actions import EditConflict, StepData
from jilink.core.cases.models import Case, Clock, Entry, Note, Request
from jilink.core.cases.reads.ground import definition_of
from jilink.core.cases.rules import numbers, timeline
from jilink.core.cases.rules.definition import Step
from jilink.core.cases.rules.timeline import Assigned, Edited, MergedInto, Stepped
from jilink.core.outbox.models import OutboxEvent
from jilink.core.parties.access import Actor, NotFound
from jilink.kernel.errors import Refused
from tests.core.cases.office import MONDAY, Office

PEOPLE, CASES, EACH = 50, 200, 14


class Crowd:
    """What fifty people do, and how often it went through."""

    def __init__(self, office: Office) -> None:
        self.office, self.cases = office, list[int]()
        self.done: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._gate = threading.Barrier(PEOPLE)

    def everyone(self, work: Callable[[int], None]) -> None:
        """Let all begin at the same moment and wait for the last."""

        def one(number: int) -> None:
            try:
                self._gate.wait(60)
                work(number)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(PEOPLE) as pool:
            ended = [pool.submit(one, number) for number in range(PEOPLE)]
        wrong = [future.exception() for future in ended if future.exception() is not None]
        assert not wrong, wrong[:3]

    def attempt(self, name: str, do: Callable[[], object]) -> None:
        """Do one thing; the rules may refuse it, a busy database is asked again."""
        while True:
            try:
                do()
            except Refused:
                return
            except OperationalError as error:
                if "locked" not in str(error):
                    raise
                continue
            with self._lock:
                self.done[name] += 1
            return

    def open(self, number: int) -> None:
        """Open this person's share of the cases, and send them to the depot."""
        for _case in range(CASES // PEOPLE):
            made: list[int] = []
            self.attempt("open", lambda made=made: made.append(self.office.open()))  # type: ignore[misc] # -- bound at once
            self.attempt("dispatch", lambda made=made: self.office.dispatch(made[-1]))  # type: ignore[misc] # -- as above
            with self._lock:
                self.cases.append(made[-1])

    def work(self, number: int) -> None:
        """Do what chance says with cases that chance chooses, most of them among few."""
        chance = random.Random(number)
        people = (self.office.boss, self.office.second, self.office.worker)
        for _turn in range(EACH):
            case = chance.choice(self.cases[:20] if chance.random() < 0.6 else self.cases)
            by = chance.choice(people)
            name = chance.choice(["assign", "return", "decide", "merge", "finish", "confirm", "edit", "note", "rework", "dispatch"])
            self.attempt(name, self.deed(name, case, by, chance))

    def deed(self, name: str, case: int, by: Actor, chance: random.Random) -> Callable[[], object]:
        """Return one thing that may be done to a case."""
        other = chance.choice(self.cases)
        person = chance.choice([self.office.worker.user, self.office.boss.user, None])
        word = f"{chance.random()}"
        step = actions.take_step
        deeds: dict[str, Callable[[], object]] = {
            "assign": lambda: actions.assign_case(case=case, assignee=person, by=by, now=MONDAY),
            "return": lambda: actions.request_return(case=case, reason="not ours", by=by, now=MONDAY),
            "decide": lambda: self.decide(case, by, chance),
            "merge": lambda: actions.merge_cases(case=case, into=other, by=by, now=MONDAY),
            "finish": lambda: step(case=case, key="finish", data=StepData(reason="done"), by=by, now=MONDAY),
            "confirm": lambda: step(case=case, key="confirm", data=StepData(code="done"), by=by, now=MONDAY),
            "rework": lambda: step(case=case, key="rework", data=StepData(reason="not done"), by=by, now=MONDAY),
            "dispatch": lambda: self.office.dispatch(case, by=by, key=chance.choice(["dispatch", "award"])),
            "edit": lambda: self.edit(case, by, word),
            "note": lambda: actions.add_note(case=case, text=word, by=by, now=MONDAY),
        }
        return deeds[name]

    def decide(self, case: int, by: Actor, chance: random.Random) -> None:
        """Decide something that waits."""
        waiting = Request.objects.filter(case=case, state="asked").first()
        if waiting is None:
            raise NotFound("nothing waits")
        actions.decide_request(request=waiting.pk, approve=chance.random() < 0.7, reason="so", by=by, now=MONDAY)

    def edit(self, case: int, by: Actor, word: str) -> None:
        """Change what was just read; a conflict is told and nothing is written."""
        read = Case.objects.get(pk=case)
        try:
            actions.edit_case(case=case, wanted={"title": word}, base={"title": read.title}, by=by, now=MONDAY)
        except EditConflict:
            with self._lock:
                self.done["conflict"] += 1
            raise


@pytest.mark.timeout(280)
def test_fifty_at_once_lose_nothing_double_nothing_and_break_no_rule(lasting_office: Office) -> None:
    crowd = Crowd(lasting_office)
    crowd.everyone(crowd.open)
    crowd.everyone(crowd.work)
    rows = list(Case.objects.select_related("type"))
    assert len(rows) == CASES == len({row.number for row in rows}) and all(numbers.parse(row.number) for row in rows)
    assert crowd.done["open"] == CASES
    for row in rows:
        _told_as_it_was(row)
    assert Note.objects.count() == crowd.done["note"]
    assert Entry.objects.filter(kind="edited").count() == crowd.done["edit"]
    assert Entry.objects.filter(kind="merged_into").count() == crowd.done["merge"] == Case.objects.filter(state="merged").count()
    assert OutboxEvent.objects.filter(name="moved").count() == Entry.objects.filter(kind="stepped").count()
    assert crowd.done["merge"] and crowd.done["confirm"] and crowd.done["return"] and crowd.done["assign"], crowd.done


def _told_as_it_was(row: Case) -> None:
    """Read the timeline of a case as a chain: every link joins the one before, and its end is what the row says."""
    definition = definition_of(row.type.definition)
    table = {(way.source, way.key): way for way in definition.transitions}
    stage, title, holder, merged, doers = definition.stages[0].key, "Lid of a manhole broken", None, False, set[str]()
    for entry in row.entries.order_by("pk"):
        detail = timeline.read(entry.detail)
        assert not merged or entry.kind == "noted", "nothing but words is added to a case that went on as another"
        if isinstance(detail, Stepped):
            way = table[stage, detail.key]
            assert detail.source == stage and (detail.target == way.target or (way.step == Step.RETURN and detail.target == "arbitration"))
            assert not (way.step in {Step.CONFIRM, Step.REWORK} and entry.actor in doers)
            if way.step == Step.FINISH:
                doers.add(entry.actor)
            stage = detail.target
        elif isinstance(detail, Edited):
            change = detail.changes[0]
            assert msgspec.json.decode(change.old) == title
            title = msgspec.json.decode(change.new)
        elif isinstance(detail, Assigned):
            holder = (detail.unit, detail.team, detail.assignee)
        merged = merged or isinstance(detail, MergedInto)
    assert (stage, title, holder) == (row.stage, row.title, (row.unit_id, row.team_id, row.assignee_id))
    assert (row.state == "merged") == merged
    running = Clock.objects.filter(case=row, ended_at=None).count()
    assert (running == 0) == (row.state != "open")


def test_two_who_open_at_once_never_share_the_secret_of_numbers(lasting_office: Office) -> None:
    crowd = Crowd(lasting_office)
    crowd.everyone(lambda _number: crowd.attempt("open", lasting_office.open))
    assert len(set(Case.objects.values_list("number", flat=True))) == PEOPLE
