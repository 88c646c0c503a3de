"""The matcher: whatever happens, in whatever order, nobody is offered twice or forgotten, and nobody overtakes."""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from jilink.services.contact.rules import happenings as h
from jilink.services.contact.rules.happenings import QueuePlan, Reserve, Returned, Seat, Work
from jilink.services.contact.rules.matcher import Matcher
from jilink.services.contact.rules.needs import Need, Softening, fits, softened

SOFTER = (Softening(after_s=30, lower=2), Softening(after_s=60, without=("rare",), any_language=True))
PLANS = (
    QueuePlan(queue=1, share=0.5, softenings=SOFTER),
    QueuePlan(queue=2, share=0.3, ageing_s=0, overdue_s=0),
    QueuePlan(queue=3, share=0.2, ring_s=40),
)
NEEDS = (Need(), Need((("rare", 3),)), Need((("usual", 1),), ("ko",)))
SEATS = (
    ((1, 2, 3), (("rare", 5), ("usual", 2)), ("zh", "ko"), (("call", 1), ("chat", 3))),
    ((1, 2), (("rare", 1), ("usual", 1)), ("zh",), (("call", 1),)),
    ((3,), (), ("zh",), (("call", 1), ("chat", 1))),
    ((1, 3), (("usual", 4),), ("ko",), (("chat", 2),)),
)


@dataclass
class Person:
    """An agent as the test knows them."""

    seat: Seat
    ready: bool = False
    here: bool = True
    load: dict[str, int] = field(default_factory=dict)

    def may_take(self, channel: str) -> bool:
        most = dict(self.seat.capacity).get(channel, 0)
        return self.here and self.ready and not self.load.get("call", 0) and self.load.get(channel, 0) < most


def plan_of(queue: int) -> QueuePlan:
    return next(plan for plan in PLANS if plan.queue == queue)


def order_of(work: Work) -> tuple[int, int]:
    """Higher goes first: the priority it has now, for contacts of one queue, scaled by the ageing."""
    age = plan_of(work.queue).ageing_s * 1000
    return (work.priority * age - work.since_ms, 0) if age else (work.priority, -work.since_ms)


class Floor(RuleBasedStateMachine):
    """A floor of a few agents told at random what happens, judged by searching through everything."""

    def __init__(self) -> None:
        super().__init__()
        self.matcher, self.twin = Matcher(PLANS), Matcher(PLANS)
        self.now = 1_000_000
        self.waiting: dict[int, Work] = {}
        self.ringing: dict[int, tuple[Work, int, int]] = {}
        self.serving: dict[int, tuple[Work, int]] = {}
        self.agents: dict[int, Person] = {}
        self.missed: set[tuple[int, int]] = set()
        self.arrival: dict[int, int] = {}
        self.last = 0

    def tell(self, happening: h.Happening) -> list[h.Decision]:
        decisions = self.matcher.handle(happening, self.now)
        assert decisions == self.twin.handle(happening, self.now)
        return decisions

    def may(self, agent: int, work: Work) -> bool:
        """Whether the agent could be offered this now."""
        person = self.agents[agent]
        if work.queue not in person.seat.queues or not person.may_take(work.channel):
            return False
        need = softened(work.need, plan_of(work.queue).softenings, self.now - work.since_ms)
        return fits(need, dict(person.seat.skills), frozenset(person.seat.languages))

    def held_back(self, work: Work) -> bool:
        return bool(work.sticky) and self.now < work.sticky_until_ms

    def obey(self, decisions: list[h.Decision]) -> None:
        for decision in decisions:
            if isinstance(decision, Returned):
                work, agent, _until = self.ringing.pop(decision.contact)
                assert agent == decision.agent
                person = self.agents[agent]
                person.load[work.channel] -= 1
                self.waiting[work.contact] = work
                if decision.missed:
                    person.ready = False
                    self.missed.add((agent, work.contact))
        for decision in decisions:
            if isinstance(decision, Reserve):
                self.reserved(decision)

    def reserved(self, decision: Reserve) -> None:
        work = self.waiting.pop(decision.contact)
        agent, person = decision.agent, self.agents[decision.agent]
        stuck = self.held_back(work) and agent == work.sticky
        assert stuck or self.may(agent, work)
        if not work.emergency:
            assert not any(other.emergency and self.may(agent, other) for other in self.waiting.values())
        for other in self.waiting.values():
            same = other.queue == work.queue and other.priority == work.priority and other.emergency == work.emergency
            if same and not self.held_back(other) and self.may(agent, other):
                assert (work.since_ms, self.arrival[work.contact]) < (other.since_ms, self.arrival[other.contact])
            if other.queue == work.queue and not work.emergency and not self.held_back(other) and self.may(agent, other):
                assert order_of(work) >= order_of(other)
        person.load[work.channel] = person.load.get(work.channel, 0) + 1
        assert decision.until_ms == self.now + plan_of(work.queue).ring_s * 1000
        self.ringing[work.contact] = (work, agent, decision.until_ms)

    @initialize()
    def somebody_is_there(self) -> None:
        for agent in (11, 12, 13, 14):
            self.seat(agent, SEATS[agent - 11])
            self.turn(agent, True)

    @rule(agent=st.integers(11, 16), kind=st.sampled_from(SEATS))
    def seat(self, agent: int, kind: tuple) -> None:
        seat = Seat(agent=agent, queues=kind[0], skills=kind[1], languages=kind[2], capacity=kind[3])
        known = self.agents.get(agent)
        if known is None:
            self.agents[agent] = Person(seat)
        else:
            known.ready = known.ready and known.here
            known.seat, known.here = seat, True
        self.obey(self.tell(h.Seated(seat)))

    @rule(agent=st.integers(11, 16), ready=st.sampled_from([True, True, True, False]))
    def turn(self, agent: int, ready: bool) -> None:
        person = self.agents.get(agent)
        happening = h.Ready(agent) if ready else h.NotReady(agent)
        decisions = self.tell(happening)
        if person is not None and person.here:
            person.ready = ready
        self.obey(decisions)

    @rule(agent=st.integers(14, 16))
    def leave(self, agent: int) -> None:
        decisions = self.tell(h.Left(agent))
        if agent in self.agents:
            self.agents[agent].here = self.agents[agent].ready = False
        self.obey(decisions)

    @rule(
        queue=st.sampled_from([1, 2, 3]), channel=st.sampled_from(["call", "call", "chat"]), need=st.sampled_from(NEEDS),
        priority=st.integers(0, 2), emergency=st.sampled_from([False, False, False, True]), ago=st.sampled_from([0, 0, 5, 45]),
        sticky=st.sampled_from([0, 0, 11, 12]),
    )  # fmt: skip
    def arrive(self, queue: int, channel: str, need: Need, priority: int, emergency: bool, ago: int, sticky: int) -> None:
        self.last += 1
        until = self.now + 20_000 if sticky and not emergency else 0
        work = Work(
            contact=self.last, queue=queue, channel=channel, since_ms=self.now - ago * 1000, need=need, priority=priority,
            emergency=emergency, sticky=sticky if until else 0, sticky_until_ms=until,
        )  # fmt: skip
        self.waiting[work.contact] = work
        self.arrival[work.contact] = self.last
        self.obey(self.tell(h.Offered(work)))
        assert self.tell(h.Offered(work)) == []

    @rule(
        many=st.lists(st.tuples(st.sampled_from(NEEDS), st.integers(0, 1), st.sampled_from([0, 10])), min_size=2, max_size=5),
        queue=st.sampled_from([1, 2]),
    )
    def several_arrive(self, many: list[tuple[Need, int, int]], queue: int) -> None:
        for need, priority, ago in many:
            self.arrive(queue, "call", need, priority, False, ago, 0)

    @precondition(lambda self: self.waiting or self.ringing)
    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        contact = data.draw(st.sampled_from(sorted(self.waiting) + sorted(self.ringing)))
        decisions = self.tell(h.Withdrawn(contact))
        self.waiting.pop(contact, None)
        self.end_ringing(contact)
        self.obey(decisions)

    def end_ringing(self, contact: int) -> None:
        if contact in self.ringing:
            work, agent, _until = self.ringing.pop(contact)
            self.agents[agent].load[work.channel] -= 1

    @precondition(lambda self: self.ringing)
    @rule(data=st.data(), answers=st.sampled_from([True, True, False]))
    def pick_up_or_refuse(self, data: st.DataObject, answers: bool) -> None:
        contact = data.draw(st.sampled_from(sorted(self.ringing)))
        decisions = self.tell(h.Answered(contact) if answers else h.RingFailed(contact))
        if answers:
            work, agent, _until = self.ringing.pop(contact)
            self.serving[contact] = (work, agent)
        self.obey(decisions)

    @precondition(lambda self: self.serving)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        contact = data.draw(st.sampled_from(sorted(self.serving)))
        work, agent = self.serving.pop(contact)
        decisions = self.tell(h.Released(contact))
        self.agents[agent].load[work.channel] -= 1
        self.obey(decisions)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), priority=st.integers(0, 2))
    def rank(self, data: st.DataObject, priority: int) -> None:
        contact = data.draw(st.sampled_from(sorted(self.waiting)))
        work = self.waiting[contact]
        self.waiting[contact] = Work(**{name: getattr(work, name) for name in Work.__struct_fields__} | {"priority": priority})
        self.obey(self.tell(h.Ranked(contact, priority)))

    @rule(seconds=st.sampled_from([1, 5, 14, 16, 31, 700]))
    def pass_time(self, seconds: int) -> None:
        self.now += seconds * 1000
        due = {contact for contact, (_work, _agent, until) in self.ringing.items() if until <= self.now}
        decisions = self.tell(h.Tick())
        assert due <= {decision.contact for decision in decisions if isinstance(decision, Returned)}
        self.obey(decisions)

    @invariant()
    def nobody_is_forgotten_or_offered_twice(self) -> None:
        everybody = [*self.waiting, *self.ringing, *self.serving]
        assert len(everybody) == len(set(everybody))
        for contact in self.waiting:
            assert self.matcher.state(contact) == "waiting" and self.matcher.agent_of(contact) == 0
        for contact, (_work, agent, _until) in self.ringing.items():
            assert self.matcher.state(contact) == "ringing" and self.matcher.agent_of(contact) == agent
        for contact, (_work, agent) in self.serving.items():
            assert self.matcher.state(contact) == "serving" and self.matcher.agent_of(contact) == agent
        for queue in (1, 2, 3):
            mine = self.matcher.order(queue)
            assert sorted(mine) == sorted(contact for contact, work in self.waiting.items() if work.queue == queue)
            assert [self.matcher.position(contact) for contact in mine] == list(range(1, len(mine) + 1))

    @invariant()
    def no_capacity_is_exceeded(self) -> None:
        for agent, person in self.agents.items():
            assert set(self.matcher.contacts_of(agent)) == {
                contact for contact, held in (*self.ringing.items(), *self.serving.items()) if held[1] == agent
            }
            assert person.load.get("call", 0) <= 1 and person.load.get("chat", 0) <= 3

    @invariant()
    def nobody_waits_for_an_agent_who_is_free(self) -> None:
        for work in self.waiting.values():
            for agent in self.agents:
                if not self.held_back(work) or agent == work.sticky:
                    assert not self.may(agent, work), (work, self.agents[agent])


Floor.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestEveryFloor = Floor.TestCase


def seat(agent: int, *queues: int) -> h.Seated:
    return h.Seated(Seat(agent=agent, queues=queues))


def call(contact: int, queue: int, since_s: int, **more: object) -> h.Offered:
    return h.Offered(Work(contact=contact, queue=queue, channel="call", since_ms=since_s * 1000, **more))  # type: ignore[arg-type] -- names are those of the struct


def test_the_agent_free_longest_is_rung_first_and_whoever_misses_is_not_ready() -> None:
    matcher = Matcher(PLANS)
    for second, agent in enumerate((3, 1, 2)):
        matcher.handle(seat(agent, 1), second * 1000)
        matcher.handle(h.Ready(agent), second * 1000)
    assert matcher.handle(call(7, 1, 10), 10_000) == [Reserve(7, 3, 25_000)]
    assert matcher.handle(h.Tick(), 25_000) == [Returned(7, 3, True), Reserve(7, 1, 40_000)]
    assert not matcher.is_free(3, "call") and matcher.next_due() == 40_000


def test_a_freed_agent_serves_the_queue_furthest_above_its_share() -> None:
    matcher = Matcher([QueuePlan(queue=1, share=0.5), QueuePlan(queue=2, share=0.25), QueuePlan(queue=3, share=0.25)])
    for contact in range(40):
        matcher.handle(call(contact, 1 if contact < 10 else 2, contact), 40_000)
    for contact in range(100, 500):
        matcher.handle(call(contact, 3, 0), 40_000)
    matcher.handle(seat(1, 1, 2), 41_000)  # the 400 of queue 3 are not this agent's, and weigh nothing
    assert matcher.handle(h.Ready(1), 41_000) == [Reserve(10, 1, 56_000)]


def test_whoever_is_overdue_goes_before_the_shares() -> None:
    matcher = Matcher([QueuePlan(queue=1, share=0.9, overdue_s=300), QueuePlan(queue=2, share=0.1)])
    matcher.handle(call(1, 1, 0), 0)
    for contact in range(2, 30):
        matcher.handle(call(contact, 2, 200), 200_000)
    matcher.handle(seat(1, 1, 2), 200_000)
    assert matcher.handle(h.Ready(1), 250_000) == [Reserve(2, 1, 265_000)]
    matcher.handle(h.Answered(2), 251_000)
    assert matcher.handle(h.Released(2), 301_000) == [Reserve(1, 1, 316_000)]


def test_a_callback_keeps_its_time_and_a_person_waits_for_their_agent_only_so_long() -> None:
    matcher = Matcher(PLANS)
    matcher.handle(call(1, 1, 100), 100_000)
    matcher.handle(call(2, 1, 50), 110_000)  # its call came at 50 s
    assert matcher.order(1) == [2, 1]
    for agent in (1, 2):
        matcher.handle(seat(agent, 3), 0)
    matcher.handle(h.Ready(2), 120_000)
    assert matcher.handle(call(3, 3, 120, sticky=1, sticky_until_ms=150_000), 120_000) == []
    assert matcher.handle(h.Tick(), 149_999) == []
    assert matcher.handle(h.Tick(), 150_000) == [Reserve(3, 2, 190_000)]


def test_what_is_with_an_agent_already_is_taken_over_after_a_restart() -> None:
    matcher = Matcher(PLANS)
    matcher.handle(seat(1, 1), 0)
    work = Work(contact=5, queue=1, channel="call", since_ms=0)
    assert matcher.handle(h.Resumed(work, 1), 1000) == []
    assert matcher.state(5) == "serving" and matcher.handle(h.Ready(1), 1000) == []
    matcher.handle(call(6, 1, 1), 1000)
    assert matcher.handle(h.Released(5), 2000) == [Reserve(6, 1, 17_000)]


def test_of_two_emergencies_the_one_that_has_waited_longer_is_rung_first() -> None:
    matcher = Matcher([QueuePlan(queue=1)])
    for contact in (7, 8):
        matcher.handle(call(contact, 1, contact, emergency=True), 10_000)
    matcher.handle(seat(1, 1), 11_000)
    (decision,) = [each for each in matcher.handle(h.Ready(1), 11_000) if isinstance(each, Reserve)]
    assert decision.contact == 7
