"""Campaigns: when and how often somebody is called, whom nobody calls, and the cap of abandoned calls kept in simulation."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jilink.core.parties import access
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.people import actions as people
from jilink.core.parties.people.actions import Contact as Told
from jilink.core.parties.people.actions import PersonData
from jilink.core.parties.people.rules import ContactKind
from jilink.core.parties.rules import Role
from jilink.kernel.ids import ConsentId, PersonId
from jilink.kernel.texts import Text
from jilink.services.contact.actions import campaigns, dialling, do_not_call
from jilink.services.contact.models import Attempt, Campaign, Target
from jilink.services.contact.rules import calling_hours, pacing
from jilink.services.contact.rules.calling_hours import Window, allowed_from, may_call
from jilink.services.contact.rules.campaigns import CampaignDesign, CampaignRefused, Outcome, Tried, again_at, mode_now, number_next
from jilink.services.contact.rules.foreseen import Known, foresee
from jilink.services.contact.rules.pacing import CAP, Mode
from tests.core.world import World
from tests.services.contact.test_actions import a_queue

MORNING = datetime(2026, 5, 12, 2, 0, tzinfo=UTC)
"""Ten o'clock in China, a Tuesday."""
DESIGN = CampaignDesign(name=Text("回访", "Follow-up"), purpose="calls.news", who=Text("北方车队", "North Fleet"), mode=Mode.PROGRESSIVE)


def boss(world: World) -> Actor:
    return world.actor(Role.OWNER, world.north)


def router() -> Actor:
    return access.system("router")


def somebody(world: World, *numbers: str, consents: bool = True, until: datetime | None = None) -> PersonId:
    by = boss(world)
    told = tuple(Told(ContactKind.PHONE, number) for number in numbers)
    long_ago = MORNING - timedelta(days=30)
    person = people.add_person(organisation=world.north, data=PersonData(name="王小明"), contacts=told, by=by, now=long_ago)
    if consents:
        people.give_consent(person=person, purpose="calls.news", evidence="form", expires_at=until, by=by, now=long_ago)
    return person


def a_campaign(world: World, design: CampaignDesign = DESIGN) -> int:
    campaign = campaigns.add_campaign(queue=a_queue(world), design=design, by=boss(world), now=MORNING)
    campaigns.start_campaign(campaign=campaign, by=boss(world), now=MORNING)
    return campaign


def placed(campaign: int, now: datetime = MORNING, count: int = 5) -> list[str]:
    return [each.number for each in dialling.place_calls(campaign=campaign, node="n1", agents=[0] * count, by=router(), now=now)]


def over(now: datetime, cause: int = 19) -> None:
    for row in Attempt.objects.filter(ended_at=None):
        dialling.note_over(attempt=row.pk, cause=cause, by=router(), now=now)


# hours


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["+8613900001111", "+821012345678", "+12125551234", "+61212345678", "12345"]),
    st.integers(0, 7 * 24 * 60),
    st.integers(8, 19),
    st.integers(1, 6),
)
def test_nobody_is_called_outside_the_hours_of_their_own_clock(number: str, minute: int, begins: int, length: int) -> None:
    windows = (Window(days=(1, 2, 3, 4, 5), begins=time(begins), ends=time(min(21, begins + length))),)
    moment = MORNING + timedelta(minutes=minute)
    at = allowed_from(windows, number, moment)
    assert at is not None and at >= moment and may_call(windows, number, at)
    for zone in calling_hours.clocks(number):
        local = at.astimezone(ZoneInfo(zone))
        assert windows[0].begins <= local.time() < windows[0].ends and local.isoweekday() <= 5 and time(8) <= local.time() < time(21)


def test_a_number_whose_clock_is_not_known_is_never_called_and_no_campaign_says_otherwise() -> None:
    assert not may_call((Window(begins=time(8), ends=time(21)),), "+8699112345678", MORNING)
    with pytest.raises(calling_hours.HoursRefused):
        calling_hours.check_windows((Window(begins=time(7)),))


# attempts


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([each for each in Outcome if each is not Outcome.FAILED]), max_size=30))
def test_somebody_is_tried_no_more_often_in_a_day_and_in_all_than_the_rules_say(outcomes: list[Outcome]) -> None:
    tried: list[Tried] = []
    now = MORNING
    for outcome in outcomes:
        at = again_at(DESIGN, tried, now)
        if at is None:
            break
        now = max(now, at)
        tried.append(Tried(1, outcome, now))
    rules = DESIGN.attempts
    assert len(tried) <= rules.most
    assert all(sum(now <= other.at < now + timedelta(days=1) for other in tried) <= rules.a_day for now in [one.at for one in tried])
    assert sum(one.outcome is Outcome.REACHED for one in tried) <= 1
    assert sum(one.outcome is Outcome.BUSY for one in tried) <= rules.busy.most + 1


def test_the_numbers_of_a_person_are_tried_in_turn_and_a_dead_one_no_more() -> None:
    tried = [Tried(7, Outcome.NO_ANSWER, MORNING)]
    assert number_next([7, 8], []) == 7 and number_next([7, 8], tried) == 8
    dead = [*tried, Tried(8, Outcome.UNREACHABLE, MORNING)]
    assert number_next([7, 8], dead) == 7 and number_next([8], dead) is None


# the cap


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 0.8), st.floats(0.1, 0.8), st.integers(5, 25))
def test_the_cap_is_kept_in_simulation_however_the_rate_is_misjudged(seed: int, rate: float, believed: float, agents: int) -> None:
    known = Known(mode=Mode.PREDICTIVE, agents=agents, answer_rate=rate, believed_rate=believed, live=400, abandoned=2, lines=200)
    seen = foresee(known, hours=0.5, seed=seed)
    assert seen.share <= CAP and seen.worst <= CAP


def test_predictive_talks_more_than_progressive_and_stops_where_the_cap_is_near() -> None:
    known = {"agents": 20, "live": 2000, "handling_s": 120.0, "lines": 100}
    one, other = foresee(Known(mode=Mode.PROGRESSIVE, **known)), foresee(Known(mode=Mode.PREDICTIVE, **known))  # type: ignore[arg-type] -- fields
    assert one.abandoned == 0 and other.busy > 1.05 * one.busy
    assert mode_now(Mode.PREDICTIVE, 1000, 23) is Mode.PREDICTIVE
    assert mode_now(Mode.PREDICTIVE, 1000, 24) is mode_now(Mode.PREDICTIVE, 0, 0) is Mode.PROGRESSIVE
    assert pacing.CAP == 0.03


# who is called


def test_only_who_consented_is_called_and_consent_is_looked_at_again_before_each_call(world: World) -> None:
    campaign, by = a_campaign(world), boss(world)
    with pytest.raises(campaigns.TargetRefused, match="consent"):
        campaigns.add_target(campaign=campaign, person=somebody(world, "13900001111", consents=False), by=by, now=MORNING)
    with pytest.raises(campaigns.TargetRefused, match="no telephone"):
        campaigns.add_target(campaign=campaign, person=somebody(world), by=by, now=MORNING)
    ends = somebody(world, "13900002222", until=MORNING + timedelta(minutes=5))
    revoked = somebody(world, "13900003333")
    stays = somebody(world, "13900004444")
    for person in (ends, revoked, stays):
        campaigns.add_target(campaign=campaign, person=person, by=by, now=MORNING)
    consent = people.Consent.objects.get(person=revoked)
    people.withdraw_consent(consent=ConsentId(consent.pk), by=by, now=MORNING + timedelta(minutes=1))
    assert placed(campaign, MORNING + timedelta(minutes=10)) == ["+8613900004444"]
    assert set(Target.objects.filter(state="left_out").values_list("reason", flat=True)) == {"no_consent"}


def test_a_number_is_never_called_twice_at_once_nor_in_rest_hours_nor_after_the_pause(world: World) -> None:
    one, by = a_campaign(world), boss(world)
    other = campaigns.add_campaign(queue=Campaign.objects.get(pk=one).queue_id, design=DESIGN, by=by, now=MORNING)
    campaigns.start_campaign(campaign=other, by=by, now=MORNING)
    same, twin = somebody(world, "13900001111"), somebody(world, "13900001111")
    for campaign, person in ((one, same), (one, twin), (other, same)):
        campaigns.add_target(campaign=campaign, person=person, by=by, now=MORNING)
    night = MORNING + timedelta(hours=13)
    assert placed(one, night) == []
    morning = Target.objects.filter(campaign=one).values_list("next_at", flat=True)[0]
    assert morning == MORNING + timedelta(hours=23)  # nine o'clock
    assert placed(one, morning) == ["+8613900001111"] and placed(one, morning) == placed(other, morning) == []
    over(morning)
    campaigns.pause_campaign(campaign=other, by=by, now=morning)
    assert placed(other, morning + timedelta(hours=1)) == []
    campaigns.start_campaign(campaign=other, by=by, now=morning)
    assert placed(other, morning + timedelta(hours=1)) == ["+8613900001111"]


def test_who_is_on_the_do_not_call_list_of_anybody_above_is_not_called(world: World) -> None:
    campaign, by = a_campaign(world), boss(world)
    kept, wide = somebody(world, "13900001111", "13900002222"), somebody(world, "13900003333")
    targets = [campaigns.add_target(campaign=campaign, person=person, by=by, now=MORNING) for person in (kept, wide)]
    entry = do_not_call.add_do_not_call(organisation=world.north, number="139 0000 1111", by=by, now=MORNING)
    assert do_not_call.add_do_not_call(organisation=world.north, number="+8613900001111", by=by, now=MORNING) == entry
    with pytest.raises(NotFound):
        do_not_call.add_do_not_call(organisation=world.north, number="13900003333", everywhere=True, by=by, now=MORNING)
    system = access.system("test")
    do_not_call.add_do_not_call(organisation=world.south, number="13900003333", everywhere=True, by=system, now=MORNING)
    assert placed(campaign) == ["+8613900002222"]
    assert Target.objects.get(pk=targets[1]).reason == "do_not_call"
    with pytest.raises(campaigns.TargetRefused, match="do-not-call"):
        other = campaigns.add_campaign(queue=Campaign.objects.get(pk=campaign).queue_id, design=DESIGN, by=by, now=MORNING)
        campaigns.add_target(campaign=other, person=wide, by=by, now=MORNING)


def test_what_an_agent_chose_decides_whether_they_are_called_again(world: World) -> None:
    campaign, by = a_campaign(world), boss(world)
    people_ = [somebody(world, f"1390000111{n}") for n in range(4)]
    targets = [campaigns.add_target(campaign=campaign, person=person, by=by, now=MORNING) for person in people_]
    placed(campaign)
    for place, (row, code) in enumerate(zip(Attempt.objects.order_by("pk"), ("agreed", "later", "machine", "stop"), strict=True)):
        dialling.note_picked_up(attempt=row.pk, contact=1000 + place, by=router(), now=MORNING)
        dialling.note_connected(attempt=row.pk, agent=boss(world).user or 0, by=router(), now=MORNING)
        dialling.note_over(attempt=row.pk, cause=16, by=router(), now=MORNING)
        dialling.note_code(contact=1000 + place, code=code, by=router(), now=MORNING)
    rows = [Target.objects.get(pk=target) for target in targets]
    assert [(row.state, row.reason) for row in rows] == [("done", ""), ("waiting", ""), ("waiting", ""), ("left_out", "do_not_call")]
    assert rows[1].next_at == MORNING + timedelta(days=1)
    assert list(Attempt.objects.order_by("pk").values_list("live", flat=True)) == [True, True, False, True]
    with pytest.raises(CampaignRefused):
        campaigns.change_campaign(campaign=campaign, design=DESIGN, based_on=7, by=by)
