"""Whatever people try, in whatever order: the case does what a small model says, or refuses and stays as it was (hypothesis)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from jilink.core.cases import actions
from jilink.core.cases.actions import NewCase, StepData
from jilink.core.cases.models import Case, Clock, ClockPause, Escalation, Request
from jilink.core.cases.reads.ground import definition_of
from jilink.core.cases.rules import timeline
from jilink.core.cases.rules.definition import Definition
from jilink.core.cases.rules.timeline import Asked, Stepped
from jilink.core.cases.rules.workflow import Satisfaction
from jilink.core.parties import audit
from jilink.core.parties.access import Actor
from jilink.kernel.errors import Refused
from tests.core.cases.office import GOOD, MONDAY, Office, clock
from tests.core.cases.test_clock_rows import ring_all

PEOPLE = st.sampled_from(["boss", "second", "worker"])


@dataclass
class Model:
    """A case as a person would keep it on a slip of paper."""

    stage: str = "intake"
    returns: int = 0
    final: bool = False
    suspended: bool = False
    doers: set[str] = field(default_factory=set)
    asked: dict[str, str] = field(default_factory=dict)
    """What waits to be decided, and who asked."""
    extended: bool = False
    rated: bool = False
    waits: bool = False
    """Somebody dissatisfied waits to be called."""
    round: int = 1
    in_unit: bool = False
    """The worker's unit has it."""


class Desk(RuleBasedStateMachine):
    """One case, three people, and a clock that only goes on."""

    office: Office

    def __init__(self) -> None:
        super().__init__()
        self.now = MONDAY
        self.case = self.office.open()
        self.model = Model()
        self.numbers = {self.office.row(self.case).number}
        self.whole: tuple[int, datetime | None] | None = None
        """Round and due time of the clock of the whole, as an approved extension or a suspension last left it."""

    def person(self, name: str) -> Actor:
        return {"boss": self.office.boss, "second": self.office.second, "worker": self.office.worker}[name]

    def tried(self, do: Callable[[], object], allowed: bool) -> bool:
        """Do it, and see that it goes through exactly where the model says so; refused, it leaves no trace."""
        before = (self.office.row(self.case).version, self.office.row(self.case).entries.count())
        try:
            do()
        except Refused as error:
            assert not allowed, error
            assert (self.office.row(self.case).version, self.office.row(self.case).entries.count()) == before
            return False
        assert allowed
        return True

    def sees(self, name: str) -> bool:
        return name != "worker" or self.model.in_unit

    @rule(name=PEOPLE, count=st.integers(1, 3))
    def somebody_splits_it(self, name: str, count: int) -> None:
        allowed = self.sees(name) and name != "worker" and self.model.stage not in {"closed", "void"}
        part = NewCase(type="city_fault", title="Part of it", answers=GOOD["city_fault"])
        made: list[str] = []
        do = lambda: made.extend(  # noqa: E731 -- as above
            one.number for one in actions.split_case(case=self.case, parts=[part] * count, by=self.person(name), now=self.now)
        )
        if self.tried(do, allowed):
            assert len(made) == count and not self.numbers & set(made), "a number is given once"
            self.numbers |= set(made)

    @rule(name=PEOPLE)
    def another_case_is_merged_into_it(self, name: str) -> None:
        double = self.office.open(now=self.now)
        self.numbers.add(self.office.row(double).number)
        allowed = name != "worker" and self.model.stage not in {"closed", "void"}
        if self.tried(lambda: actions.merge_cases(case=double, into=self.case, by=self.person(name), now=self.now), allowed):
            gone = self.office.row(double)
            assert (gone.state, gone.merged_into_id) == ("merged", self.case)
            assert not Clock.objects.filter(case=double, ended_at=None).exists()

    @rule(name=PEOPLE)
    def it_cannot_go_on_as_a_case_that_is_over(self, name: str) -> None:
        over = self.office.open(now=self.now)
        self.numbers.add(self.office.row(over).number)
        actions.take_step(case=over, key="void", data=StepData(reason="so"), by=self.office.boss, now=self.now)
        self.tried(lambda: actions.merge_cases(case=self.case, into=over, by=self.person(name), now=self.now), False)

    @initialize(sent=st.booleans())
    def it_may_be_sent_at_once(self, sent: bool) -> None:
        if sent:
            self.office.dispatch(self.case, self.now)
            self.model.stage, self.model.in_unit = "work", True

    @rule(hours=st.integers(1, 30))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(name=PEOPLE, key=st.sampled_from(["accept", "void", "dispatch", "award", "restore"]))
    def a_dispatcher_acts(self, name: str, key: str) -> None:
        table = {
            ("intake", "accept"): "dispatch",
            ("intake", "dispatch"): "work",
            ("dispatch", "dispatch"): "work",
            ("arbitration", "award"): "work",
            ("intake", "void"): "void",
            ("dispatch", "void"): "void",
            ("arbitration", "void"): "void",
            ("void", "restore"): "dispatch",
        }
        target = table.get((self.model.stage, key))
        allowed = target is not None and name != "worker"
        data = StepData(recipient=actions.Recipient(unit=self.office.world.depot), reason="so")
        if self.tried(lambda: actions.take_step(case=self.case, key=key, data=data, by=self.person(name), now=self.now), allowed):
            assert target is not None
            self.model.final = self.model.final or key == "award"
            if key == "restore":
                self.again()
            self.model.in_unit = self.model.in_unit or target == "work"
            self.model.stage = target

    def again(self) -> None:
        self.model.round += 1
        self.model.returns, self.model.final, self.model.doers, self.model.extended, self.model.rated = 0, False, set(), False, False

    @rule(name=PEOPLE)
    def somebody_says_it_is_done(self, name: str) -> None:
        allowed = self.sees(name) and self.model.stage == "work" and not self.model.suspended
        data = StepData(reason="done")
        if self.tried(lambda: actions.take_step(case=self.case, key="finish", data=data, by=self.person(name), now=self.now), allowed):
            self.model.stage, self.model.asked = "check", {}
            self.model.doers.add(name)

    @rule(name=PEOPLE, good=st.booleans())
    def somebody_checks(self, name: str, good: bool) -> None:
        allowed = name != "worker" and self.model.stage == "check" and name not in self.model.doers
        key, data = ("confirm", StepData(code="done")) if good else ("rework", StepData(reason="not done"))
        if self.tried(lambda: actions.take_step(case=self.case, key=key, data=data, by=self.person(name), now=self.now), allowed):
            self.model.stage = "closed" if good else "work"

    @rule(name=PEOPLE)
    def somebody_reopens(self, name: str) -> None:
        row = self.office.row(self.case)
        fresh = row.closed_at is not None and self.now <= row.closed_at + timedelta(days=15)
        allowed = name != "worker" and self.model.stage == "closed" and fresh
        data = StepData(reason="not good")
        if row.closed_at is not None and not fresh:
            return  # the day of the end is counted by its own tests
        if self.tried(lambda: actions.take_step(case=self.case, key="reopen", data=data, by=self.person(name), now=self.now), allowed):
            self.again()
            self.model.stage = "dispatch"

    @rule(name=PEOPLE)
    def somebody_returns_it(self, name: str) -> None:
        model = self.model
        allowed = self.sees(name) and model.stage == "work" and not model.suspended and not model.final and "return" not in model.asked
        if self.tried(lambda: actions.request_return(case=self.case, reason="not ours", by=self.person(name), now=self.now), allowed):
            if model.returns >= 1:
                model.stage, model.asked = "arbitration", {}
            else:
                model.asked["return"] = name
            model.returns += 1

    @rule(name=PEOPLE)
    def somebody_asks_for_time(self, name: str) -> None:
        model = self.model
        running = Clock.objects.filter(case=self.case, key="work", ended_at=None).first()
        in_time = running is not None and running.due_at is not None and running.due_at >= self.now
        allowed = self.sees(name) and model.stage == "work" and not model.suspended and not model.extended
        allowed = allowed and "extension" not in model.asked and in_time
        do = lambda: actions.request_extension(case=self.case, amount=1, reason="rain", by=self.person(name), now=self.now)  # noqa: E731 -- one line is clearer here
        if self.tried(do, allowed):
            model.asked["extension"] = name

    @rule(name=PEOPLE)
    def somebody_asks_to_wait(self, name: str) -> None:
        model = self.model
        allowed = self.sees(name) and model.stage == "work" and not model.suspended and "suspension" not in model.asked
        until = self.now + timedelta(days=9)
        if self.tried(
            lambda: actions.request_suspension(case=self.case, until=until, reason="frost", by=self.person(name), now=self.now), allowed
        ):
            model.asked["suspension"] = name

    @rule(name=PEOPLE, what=st.sampled_from(["return", "extension", "suspension"]), approve=st.booleans())
    def somebody_decides(self, name: str, what: str, approve: bool) -> None:
        waiting = Request.objects.filter(case=self.case, kind=what).order_by("-pk").first()
        if waiting is None:
            return
        allowed = name != "worker" and what in self.model.asked and self.model.asked[what] != name
        do = lambda: actions.decide_request(  # noqa: E731 -- as above
            request=waiting.pk, approve=approve, reason="so", by=self.person(name), now=self.now
        )
        if self.tried(do, allowed):
            del self.model.asked[what]
            if approve and what == "return":
                self.model.stage, self.model.asked, self.model.suspended = "dispatch", {}, False
            self.model.suspended = self.model.suspended or (approve and what == "suspension")
            self.model.extended = self.model.extended or (approve and what == "extension")

    @rule(name=PEOPLE)
    def somebody_resumes(self, name: str) -> None:
        if self.tried(
            lambda: actions.resume_case(case=self.case, by=self.person(name), now=self.now), self.model.suspended and self.sees(name)
        ):
            self.model.suspended = False

    @rule(level=st.sampled_from(list(Satisfaction)))
    def it_is_rated(self, level: Satisfaction) -> None:
        allowed = self.model.stage == "closed" and not self.model.rated
        if self.tried(lambda: actions.rate_case(case=self.case, level=level, by=self.office.boss, now=self.now), allowed):
            self.model.rated = True
            self.model.waits = self.model.waits or level <= Satisfaction.DISSATISFIED

    @rule(name=PEOPLE)
    def somebody_calls_whoever_was_dissatisfied(self, name: str) -> None:
        allowed = self.sees(name) and self.model.waits
        if self.tried(lambda: actions.note_call_back(case=self.case, outcome="called", by=self.person(name), now=self.now), allowed):
            self.model.waits = False

    @rule()
    def bells_ring_twice(self) -> None:
        ring_all(self.case, self.now)
        count = Escalation.objects.filter(clock__case=self.case).count()
        assert ring_all(self.case, self.now) == 0
        assert Escalation.objects.filter(clock__case=self.case).count() == count
        row = self.office.row(self.case)
        if row.unit_id != self.office.world.depot:  # the ladder handed it up
            self.model.in_unit = False

    @rule(moves=st.lists(st.tuples(st.integers(0, 9), PEOPLE, st.booleans()), min_size=1, max_size=8))
    def what_is_likely_happens(self, moves: list[tuple[int, str, bool]]) -> None:
        """Go on as people would, so that the far stages are reached too."""
        for pick, name, good in moves:
            self.go_on(pick, name, good)
            self.the_case_is_what_the_model_says()
            self.clocks_stand_and_run_as_promised()

    def go_on(self, pick: int, name: str, good: bool) -> None:
        checker = next((one for one in ("boss", "second") if one not in self.model.doers), "boss")
        if self.model.suspended:
            self.somebody_resumes(name)
        elif self.model.asked:
            what, asker = sorted(self.model.asked.items())[0]
            self.somebody_decides("second" if asker == "boss" else "boss", what, good)
        elif self.model.stage == "work":
            moves = (self.somebody_says_it_is_done, self.somebody_returns_it, self.somebody_asks_for_time, self.somebody_asks_to_wait)
            moves[min(pick // 2, 3)](name)
        elif self.model.stage == "check":
            self.somebody_checks(checker, good)
        elif self.model.stage == "closed":
            self.somebody_reopens("boss") if good else self.it_is_rated(Satisfaction(1 + pick // 2))
        else:
            self.a_dispatcher_acts("boss", {"arbitration": "award", "void": "restore"}.get(self.model.stage, "dispatch"))

    @invariant()
    def the_case_is_what_the_model_says(self) -> None:
        row, model = Case.objects.get(pk=self.case), self.model
        assert (row.stage, row.round, row.returns, row.final) == (model.stage, model.round, model.returns, model.final)
        assert (row.suspended_at is not None) == model.suspended
        state = {"closed": "closed", "void": "void"}.get(model.stage, "open")
        assert row.state == state
        assert set(Request.objects.filter(case=row, state="asked").values_list("kind", flat=True)) == set(model.asked)

    @invariant()
    def clocks_stand_and_run_as_promised(self) -> None:
        running = {one.key: one for one in Clock.objects.filter(case=self.case, ended_at=None).exclude(key="call_back")}
        stage = self.model.stage
        assert (running == {}) == (stage in {"closed", "void"})
        if stage == "work":
            assert {"work", "whole"} <= set(running)
        if self.model.suspended:
            assert all(one.due_at is None for one in running.values()) and self.office.row(self.case).due_at is None
        elif running:
            assert self.office.row(self.case).due_at == min(one.due_at for one in running.values() if one.due_at)
        self.no_return_stops_a_clock(running)
        if "whole" in running:
            assert running["whole"].started_at <= self.now and clock(self.case, "whole").round == self.model.round

    def no_return_stops_a_clock(self, running: dict[str, Clock]) -> None:
        """The clock of the whole keeps its due time in a round, whatever is returned, but for what was approved."""
        whole = running.get("whole")
        if whole is None:
            return
        assert self.model.suspended == (whole.due_at is None)
        before, self.whole = self.whole, (whole.round, whole.due_at)
        if before is not None and before[0] == whole.round and None not in (before[1], whole.due_at) and before[1] != whole.due_at:
            assert self.model.extended or ClockPause.objects.filter(clock=whole).exists()

    @invariant()
    def the_timeline_tells_all_of_it(self) -> None:
        row = Case.objects.get(pk=self.case)
        stage = row_definition(row).stages[0].key
        for entry in row.entries.filter(kind="stepped").order_by("pk"):
            detail = timeline.read(entry.detail)
            assert isinstance(detail, Stepped) and detail.source == stage and entry.actor
            stage = detail.target
        assert stage == row.stage
        told = list(Request.objects.filter(case=row).values_list("pk", flat=True))
        asked = [timeline.read(entry.detail) for entry in row.entries.filter(kind="asked").order_by("pk")]
        assert [one.request for one in asked if isinstance(one, Asked)] == sorted(told)

    def teardown(self) -> None:
        """At the end of each story the audit's chain holds, and every number is one case's."""
        assert audit.verify().broken_at is None
        assert len(self.numbers) == Case.objects.filter(number__in=self.numbers).count()


def row_definition(row: Case) -> Definition:
    """The definition that a case was opened with."""
    return definition_of(row.type.definition)


def test_a_case_never_leaves_its_model(office: Office) -> None:
    machine = type("DeskOfOffice", (Desk,), {"office": office})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            phases=[Phase.generate],
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
