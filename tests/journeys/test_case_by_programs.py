"""The life of a case as programs live it: every step through the API, by the client that is generated from its description."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from importlib.resources import files
from typing import Any

import pytest

from jilink.kernel.clock import CHINA
from tests.journeys.system import System
from tests.services.console.programs import generated_client

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]
NONGAN = (44.4323, 125.1748)
PREPARE = """
import json
from datetime import timedelta
import django
django.setup()
from jilink.core.parties import access, actions, walls
from jilink.core.parties.rules import Permission, Role
from jilink.core.parties.tokens import actions as tokens
from jilink.kernel.clock import utc_now
walls.open_process()
office = actions.add_organisation(name="Programs", by=access.system("journey"))
county = actions.add_organisation(name="Nong'an", parent=office, by=access.system("journey"))
other = actions.add_organisation(name="Dehui", parent=office, by=access.system("journey"))
maker, told = access.system("journey"), {"office": office, "county": county, "other": other}
for name, role, place in (
    ("supervisor", Role.OWNER, office),
    ("agent", Role.AGENT, office),
    ("worker", Role.FIELD_WORKER, county),
    ("checker", Role.SUPERVISOR, office),
):
    account = tokens.add_service_account(organisation=place, name=name, role=role, by=maker)
    until = utc_now() + timedelta(days=1)
    made = tokens.issue_token(account=account, name="journey", permissions=frozenset(Permission), expires_at=until, by=maker)
    told[name] = made.secret
print(json.dumps(told))
"""


@dataclass(frozen=True, slots=True)
class Office:
    """The organisations, and a client for each program that works there."""

    office: int
    county: int
    other: int
    clients: dict[str, Any]

    def ask(self, who: str, where: str, *place: object, **given: object) -> Any:
        """Ask an operation (``cases.open_case``) as somebody; fail with the problem where it is refused."""
        done = import_module(f"jilink_client.api.{where}").sync_detailed(*place, client=self.clients[who], **given)
        assert done.status_code < 300, done.content.decode()
        return done.parsed


@pytest.fixture(scope="module")
def office(system: System, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    environment = {**system.environment, "DJANGO_SETTINGS_MODULE": "jilink.site.settings"}
    done = subprocess.run([sys.executable, "-c", PREPARE], env=environment, check=True, timeout=60, capture_output=True, text=True)
    told = json.loads(done.stdout.splitlines()[-1])
    with generated_client(tmp_path_factory.mktemp("client")):
        client = import_module("jilink_client").AuthenticatedClient
        clients = {name: client(base_url=system.address, token=told[name]) for name in ("supervisor", "agent", "worker", "checker")}
        yield Office(told["office"], told["county"], told["other"], clients)


def designed() -> dict[str, Any]:
    """Return a case type of the supervisor's own: the stages of a city's faults with a form of two questions."""
    shipped = files("jilink.core.cases").joinpath("data", "types", "city_fault.json").read_bytes()
    definition: dict[str, Any] = json.loads(shipped)
    definition["label"] = {"zh": "农村道路", "en": "Rural road"}
    how = [{"key": key, "label": {"zh": zh, "en": key}} for key, zh in (("blocked", "中断"), ("damaged", "破损"))]
    definition["form"] = [
        {"kind": "choice", "key": "how", "label": {"zh": "路况", "en": "How it is"}, "required": True, "choices": how},
        {"kind": "place", "key": "place", "label": {"zh": "位置", "en": "Place"}},
    ]
    return definition


def rules() -> dict[str, Any]:
    rule = {
        "key": "territory",
        "label": {"zh": "农村道路归属地", "en": "Rural roads belong to the county"},
        "outcome": {"to": "keeper", "order": ["territory"], "category": "road"},
    }
    return {"rules": [rule]}


def design(office: Office, models: Any) -> None:
    """Let the supervisor publish the type, the rules, and who answers where."""
    ask, place = office.ask, office.office
    body = models.TypeIn(organisation=place, key="rural_road", definition=models.TypeInDefinition.from_dict(designed()))
    made = ask("supervisor", "case_types.save_case_type", body=body)
    ask("supervisor", "case_types.publish_case_type", made.id)
    book = models.RulesIn(organisation=place, type_key="rural_road", book=models.RulesInBook.from_dict(rules()))
    drafted = ask("supervisor", "assignment_rules.save_assignment_rules", body=book)
    ask("supervisor", "assignment_rules.publish_assignment_rules", drafted.id)
    for code, unit in (("220122", office.county), ("220183", office.other)):
        duty = models.DutyIn(organisation=place, layer_key="divisions", area_code=code, unit=unit, category="road")
        ask("supervisor", "areas.set_responsibility", body=duty)


def opened(office: Office, models: Any) -> int:
    """Let the agent make a case of a call, and send it out by the rules."""
    ask = office.ask
    latitude, longitude = NONGAN
    call = models.InteractionIn(
        organisation=office.office,
        channel=models.Channel.CALL,
        contact="13490009001",
        subject="桥断了",
        latitude=latitude,
        longitude=longitude,
    )
    contact = ask("agent", "interactions.add_interaction", body=call).id
    said = models.PartIn(side=models.Side.THEIRS, text="村口的桥断了，拉粮车过不去。")
    ask("agent", "interactions.add_part", contact, body=said)
    person = ask("agent", "people.add_person", body=models.PersonIn(organisation=office.office, name="王春燕")).id
    ask("agent", "interactions.identify_person", contact, body=models.WhoseIn(person=person))
    found = ask("agent", "areas.locate", longitude=longitude, latitude=latitude)
    new = models.NewCaseIn(
        type_="rural_road",
        title="村口桥断",
        organisation=office.office,
        answers=models.NewCaseInAnswers.from_dict({"how": "blocked"}),
        interaction=contact,
        area=found.areas[-1].path,
    )
    case = ask("agent", "cases.open_case", body=new).case
    ask("agent", "interactions.end_interaction", contact, body=models.EndIn(outcome=models.Outcome.CASE))
    ask("agent", "cases.take_step", case, "dispatch", body=models.StepIn())
    assert isinstance(case, int)
    return case


def within(seconds: float, what: Callable[[], bool]) -> None:
    """Return once it holds."""
    give_up = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < give_up, "never held"
        time.sleep(0.2)


def test_a_case_type_is_designed_and_a_case_goes_all_its_way_to_the_report(office: Office) -> None:
    models, ask = import_module("jilink_client.models"), office.ask
    design(office, models)
    case = opened(office, models)

    sent = ask("worker", "cases.read_case", case)
    assert (sent.unit, sent.channel, sent.person is not None) == (office.county, "call", True)
    given = next(line for line in sent.timeline if line.detail.to_dict()["kind"] == "assigned").detail.to_dict()
    why = next(each for each in given["considered"] if each["decided"])
    assert given["rule"] == "territory" and why["why"]["en"] == "The conditions hold. It goes to the unit that answers for the area."

    wish = models.AskIn(kind=models.RequestKind.EXTENSION, reason="钢梁要从外地运来", amount=2)
    asked = ask("worker", "cases.ask_for", case, body=wish)
    before = due(ask("checker", "cases.read_case", case))
    ask("supervisor", "cases.decide_request", asked.request, body=models.DecisionIn(approve=True, reason="同意"))
    assert due(ask("worker", "cases.read_case", case)) > before

    ask("worker", "cases.take_step", case, "finish", body=models.StepIn(reason="已架设钢便桥"))
    ask("checker", "cases.take_step", case, "confirm", body=models.StepIn(code="done"))
    ask("agent", "cases.rate_case", case, body=models.RateIn(level=5, comment="真快"))
    closed = ask("checker", "cases.read_case", case)
    assert (closed.state, closed.closing_code, [each.level for each in closed.ratings]) == (models.State.CLOSED, "done", [5])

    within(30, lambda: figures(office).satisfied == 1)
    sums = figures(office)
    assert (sums.opened, sums.closed, sums.handled_in_time, sums.closed_in_time, sums.rated) == (1, 1, 1, 1, 1)


def due(case: Any) -> datetime:
    """Return when the clock of work is due."""
    found = next(clock.due_at for clock in case.clocks if clock.key == "work")
    assert isinstance(found, datetime)
    return found


def figures(office: Office) -> Any:
    """Return the sums of the county in the report of today."""
    today = datetime.now(UTC).astimezone(CHINA).date()
    report = office.ask("checker", "reports.report_cases", first=today - timedelta(days=1), last=today, organisation=[office.office])
    return report.total.sums
