"""An office for the tests of cases: the example types, and people of each kind on either side of the walls."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from jilink.core.cases import actions, reads
from jilink.core.cases.actions import NewCase, StepData
from jilink.core.cases.models import Case, Clock
from jilink.core.cases.reads import CaseView
from jilink.core.outbox.models import OutboxEvent
from jilink.core.parties.access import Actor
from jilink.core.parties.rules import Role, Scope
from jilink.kernel.clock import CHINA
from tests.core.world import World

MONDAY = datetime(2026, 5, 11, 9, 0, tzinfo=CHINA)
GOOD: Mapping[str, Mapping[str, object]] = {
    "city_fault": {"sort": "part", "part": "road", "place": {"latitude": 43.9, "longitude": 125.3}},
    "hotline": {"sort": "help", "subject": "heat", "households": "12"},
    "rural_question": {"crop": "maize", "sign": "spots", "field": "12.5"},
    "breakdown": {"what": "tyre", "place": {"address": "G1 1020 km"}},
}


@dataclass(frozen=True, slots=True)
class Office:
    """`north` answers for the cases, `depot` below it is a unit that gets them."""

    world: World
    boss: Actor
    """Supervisor of north and all below: opens, dispatches, decides, checks."""
    second: Actor
    """Another one."""
    worker: Actor
    """Works in the depot, on everything there."""
    stranger: Actor
    """Owner of south."""

    def open(self, kind: str = "city_fault", now: datetime = MONDAY, **values: object) -> int:
        """Open a case of an example type."""
        given = {"type": kind, "title": "Lid of a manhole broken", "answers": GOOD[kind]} | values
        return actions.open_case(organisation=self.world.north, new=NewCase(**given), by=self.boss, now=now).case  # type: ignore[arg-type] # -- values of any field

    def sent(self, kind: str = "city_fault", now: datetime = MONDAY, **values: object) -> int:
        """Open a case and send it to the depot."""
        case = self.open(kind, now, **values)
        self.dispatch(case, now)
        return case

    def dispatch(self, case: int, now: datetime = MONDAY, key: str = "dispatch", by: Actor | None = None) -> None:
        """Send a case to the depot."""
        data = StepData(recipient=actions.Recipient(unit=self.world.depot), reason="theirs")
        actions.take_step(case=case, key=key, data=data, by=by or self.boss, now=now)

    def finish(self, case: int, now: datetime = MONDAY, by: Actor | None = None) -> None:
        """Say that it is done."""
        answered = self.row(case).type_key in {"hotline", "rural_question"}
        data = StepData(reason="put right", answers={"answer": "It was put right."} if answered else None)
        actions.take_step(case=case, key="finish", data=data, by=by or self.worker, now=now)

    def confirm(self, case: int, now: datetime = MONDAY, by: Actor | None = None) -> None:
        """Check it and close it with the first of its type's codes."""
        code = self.view(case).definition.closing_codes[0].key
        actions.take_step(case=case, key="confirm", data=StepData(code=code), by=by or self.boss, now=now)

    def closed(self, kind: str = "city_fault", now: datetime = MONDAY, **values: object) -> int:
        """Open a case, do it, and close it."""
        case = self.sent(kind, now, **values)
        self.finish(case, now)
        self.confirm(case, now)
        return case

    def row(self, case: int) -> Case:
        """Return the row of a case."""
        return Case.objects.get(pk=case)

    def view(self, case: int, now: datetime = MONDAY, by: Actor | None = None) -> CaseView:
        """Return a case as somebody sees it."""
        return reads.case(by or self.boss, case, now=now)


def office_of(world: World) -> Office:
    """Furnish the office in the test's database."""
    owner = world.actor(Role.OWNER, world.north)
    actions.load_examples(organisation=world.north, by=owner, now=MONDAY)
    return Office(
        world,
        boss=world.actor(Role.SUPERVISOR, world.north),
        second=world.actor(Role.SUPERVISOR, world.north, also="second"),
        worker=world.actor(Role.FIELD_WORKER, world.depot, Scope.ORGANISATION),
        stranger=world.actor(Role.OWNER, world.south),
    )


def clock(case: int, key: str) -> Clock:
    """Return the newest clock of a key."""
    return Clock.objects.filter(case=case, key=key).order_by("-pk")[0]


def kinds(case: int) -> list[str]:
    """Return the kinds of the lines of a case's timeline."""
    return list(Case.objects.get(pk=case).entries.order_by("pk").values_list("kind", flat=True))


def told(name: str, case: int) -> int:
    """Return how many events of a name wait in the outbox for a case."""
    return OutboxEvent.objects.filter(noun="case", name=name, aggregate=f"case:{case}").count()


def hours(number: float) -> timedelta:
    """Return so many hours."""
    return timedelta(hours=number)
