"""Flows in the database: what is published stays as it is, and a contact goes on where it was, once for each thing that happened."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from msgspec.structs import replace

from jilink.core.cases import actions as cases
from jilink.core.cases.actions import NewCase
from jilink.core.cases.models import Case
from jilink.core.flows import actions, reads
from jilink.core.flows.actions.stepping import forget_sessions, ring
from jilink.core.flows.models import FlowRun, FlowSession, FlowVersion
from jilink.core.flows.rules import definition as d
from jilink.core.flows.rules import effects as e
from jilink.core.flows.rules.state import Contact
from jilink.core.flows.rules.words import Prompt
from jilink.core.outbox.models import OutboxEvent
from jilink.core.parties import access
from jilink.core.parties.access import NotFound
from jilink.core.parties.people import actions as people
from jilink.core.parties.people.actions import PersonData
from jilink.core.parties.people.rules import ContactKind
from jilink.core.parties.rules import Role
from jilink.kernel.texts import Text
from tests.core.cases.office import GOOD, MONDAY, office_of
from tests.core.flows.flows import MENU, said
from tests.core.world import World

PHONE = "13904310001"
CALLER = Contact(caller=PHONE, dialled="12345")
ANSWERED = replace(
    MENU, steps=tuple(replace(step, answers=GOOD["hotline"]) if isinstance(step, d.Voicemail) else step for step in MENU.steps)
)


def publish(world: World, key: str = "hotline", flow: d.Flow = ANSWERED) -> int:
    system = access.system("test")
    number = actions.save_flow(organisation=world.north, key=key, definition=d.write_flow(flow), by=system, now=MONDAY)
    actions.publish_flow(flow=number, by=system, now=MONDAY)
    return number


def begin(world: World, key: str = "leg-1", flow: str = "hotline", contact: Contact = CALLER) -> reads.SessionView:
    return actions.begin_session(organisation=world.north, flow=flow, key=key, contact=contact, by=access.system("test"), now=MONDAY)


def tell(world: World, happening: str, happened: e.AnyHappening, key: str = "leg-1", minutes: int = 0) -> reads.SessionView:
    now = MONDAY + timedelta(minutes=minutes)
    return actions.advance_session(
        organisation=world.north, key=key, happening=happening, happened=happened, by=access.system("test"), now=now
    )


def events(name: str) -> int:
    return OutboxEvent.objects.filter(noun="flow", name=name).count()


@pytest.fixture
def hotline(world: World) -> World:
    office_of(world)
    publish(world)
    return world


def test_a_flow_with_faults_or_with_a_failing_test_is_not_published_and_says_all_that_is_wrong(world: World) -> None:
    office_of(world)
    by = world.actor(Role.SUPERVISOR, world.north)
    bad = replace(MENU, steps=(*MENU.steps, d.Say(key="lost", prompt=Prompt(words={"zh": "x"}), next="nowhere")))
    number = actions.save_flow(organisation=world.north, key="bad", definition=d.write_flow(bad), by=by)
    with pytest.raises(d.FlowRefused) as refused:
        actions.publish_flow(flow=number, by=by)
    assert {problem.place for problem in refused.value.problems} >= {"$.steps[11].next", "$.steps[11].prompt.words.en", "$.steps[11]"}
    tested = replace(ANSWERED, tests=(d.FlowTest(name="t", expects=d.Expected(ends="gone")),))
    number = actions.save_flow(organisation=world.north, key="bad", definition=d.write_flow(tested), by=by)
    with pytest.raises(d.FlowRefused, match="should end with gone"):
        actions.publish_flow(flow=number, by=by, now=MONDAY)
    assert reads.flow(by, number).state == "draft" and reads.flow(by, number).problems == ()


def test_a_contact_goes_on_by_the_version_and_the_called_flows_it_began_with(hotline: World) -> None:
    inner = d.Flow(label=Text("x", "x"), languages=("zh",), steps=(d.Say(key="say", prompt=Prompt(words={"zh": "旧"}), next="end"),))
    outer = d.Flow(label=Text("x", "x"), steps=(d.Wait(key="wait", seconds=5, next="call"), d.Call(key="call", flow="inner", next="end")))
    publish(hotline, "inner", inner)
    first = publish(hotline, "outer", outer)
    begin(hotline, flow="outer")
    publish(hotline, "inner", replace(inner, steps=(d.Say(key="say", prompt=Prompt(words={"zh": "新"}), next="end"),)))
    assert reads.flow(access.system("test"), first).outdated == ("inner",)
    publish(hotline, "outer", outer)
    assert FlowVersion.objects.get(pk=first).state == "retired"
    assert said(tell(hotline, "1", e.Silent(turn=1)).effects) == ["旧"]
    begin(hotline, "leg-2", "outer")
    assert said(tell(hotline, "1", e.Silent(turn=1), "leg-2").effects) == ["新"]


def test_beginning_and_telling_twice_changes_nothing(hotline: World) -> None:
    first = begin(hotline)
    assert first.moved and not begin(hotline).moved and FlowSession.objects.count() == 1
    moved = tell(hotline, "d1", e.Pressed(turn=1, digits="2"))
    again = tell(hotline, "d1", e.Pressed(turn=1, digits="1"))
    assert moved.moved and not again.moved and again.effects == moved.effects
    assert isinstance(moved.effects[-1], e.PutInQueue)
    assert [run.step for run in FlowRun.objects.order_by("pk")] == ["hello", "menu", "which", "open"]
    assert reads.passed(access.system("test"), FlowVersion.objects.get().pk)["menu"] == {"next": 1}
    assert [one.key for one in reads.running(access.system("test"), "call")] == ["leg-1"]
    over = tell(hotline, "gone", e.Gone())
    assert over.outcome == "gone" and events("session_ended") == 1
    assert actions.end_session(organisation=hotline.north, key="leg-1", by=access.system("test")).outcome == "gone"
    assert reads.running(access.system("test"), "call") == []


def test_the_status_of_a_case_is_told_to_whoever_calls_from_the_persons_number(hotline: World) -> None:
    system = access.system("test")
    contacts = (people.Contact(ContactKind.PHONE, PHONE),)
    person = people.add_person(organisation=hotline.north, data=PersonData(name="Li"), contacts=contacts, by=system, now=MONDAY)
    made = cases.open_case(
        organisation=hotline.north, new=NewCase(type="hotline", title="Cold", answers=GOOD["hotline"], person=person), by=system, now=MONDAY
    )
    for key, caller, words in (("a", PHONE, "："), ("b", "13904310002", "没有这个编号。")):
        begin(hotline, key, contact=Contact(caller=caller))
        tell(hotline, "1", e.Pressed(turn=1, digits="1"), key)
        heard = tell(hotline, "2", e.Pressed(turn=2, digits=made.number), key)
        assert words in said(heard.effects)[0]


def test_a_message_out_of_hours_becomes_a_case(hotline: World) -> None:
    system, night = access.system("test"), MONDAY + timedelta(hours=14)
    actions.begin_session(organisation=hotline.north, flow="hotline", key="n", contact=CALLER, by=system, now=night)
    asked = actions.advance_session(
        organisation=hotline.north, key="n", happening="1", happened=e.Pressed(turn=1, digits="2"), by=system, now=night
    )
    effect = asked.effects[-1]
    assert isinstance(effect, e.TakeSpeech) and effect.message
    spoke = e.Spoke(turn=effect.turn, recording="rec/1", seconds=12)
    done = actions.advance_session(organisation=hotline.north, key="n", happening="2", happened=spoke, by=system, now=night)
    assert done.outcome == "done" and Case.objects.get().title == f"留言 {PHONE}"
    assert events("message_taken") == 1


def test_a_wait_that_nobody_ends_is_ended_by_its_timer_and_a_timer_that_rings_early_waits_again(hotline: World) -> None:
    begin(hotline)
    tell(hotline, "1", e.Pressed(turn=1, digits="7"), minutes=1)
    row, system = FlowSession.objects.get(), access.system("test")
    bell = row.bell_at
    assert bell is not None and bell < row.expires_at and events("session_due") == 1
    ring(session=row.pk, by=system, now=bell)
    row.refresh_from_db()
    assert (row.turn, row.bell_at, events("session_due")) == (2, row.expires_at, 2)
    ring(session=row.pk, by=system, now=row.expires_at)
    row.refresh_from_db()
    assert row.outcome == "done" and events("session_moved") == 1
    ring(session=row.pk, by=system, now=row.expires_at)
    assert forget_sessions(row.ended_at + timedelta(days=2)) == 1  # type: ignore[operator] # -- it has ended
    row.refresh_from_db()
    assert row.state == "" and row.effects == "[]" and FlowRun.objects.count() > 0


def test_of_two_things_told_at_once_about_one_turn_one_counts(lasting_world: World) -> None:
    office_of(lasting_world)
    publish(lasting_world)
    begin(lasting_world)

    def one(number: int) -> bool:
        try:
            return tell(lasting_world, f"d{number}", e.Pressed(turn=1, digits="2")).moved
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(one, range(4))) == [False, False, False, True]


def test_other_organisations_members_and_people_without_the_right_are_refused(hotline: World) -> None:
    number = FlowVersion.objects.get().pk
    begin(hotline)
    for by in (hotline.actor(Role.OWNER, hotline.south), hotline.actor(Role.AGENT, hotline.north)):
        for ask in (
            lambda by=by: reads.flow(by, number),
            lambda by=by: reads.session(by, hotline.north, "leg-1"),
            lambda by=by: actions.retire_flow(flow=number, by=by),
            lambda by=by: actions.save_flow(organisation=hotline.north, key="x", definition="{}", by=by),
            lambda by=by: actions.end_session(organisation=hotline.north, key="leg-1", by=by),
            lambda by=by: actions.add_hook(organisation=hotline.north, key="x", url="https://example.com", by=by),
        ):
            with pytest.raises(NotFound):
                ask()
        assert reads.flows(by) == [] and reads.running(by, "call") == []


def test_the_example_is_published_with_its_tests_and_everything_goes_with_the_organisation(world: World) -> None:
    office_of(world)
    system = access.system("test")
    assert actions.load_example(organisation=world.north, by=system, now=MONDAY) is not None
    assert actions.load_example(organisation=world.north, by=system, now=MONDAY) is None
    heard = begin(world)
    pieces = [piece for effect in heard.effects for piece in getattr(effect, "pieces", ())]
    assert [piece.language for piece in pieces] == ["zh", "en", "ko"]
    assert actions.remove_flows(organisation=world.north, by=system) == 1 and FlowSession.objects.count() == 0
