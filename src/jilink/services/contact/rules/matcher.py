"""One matcher for calls, callbacks, texts, chat and cases: happenings in, decisions out. The same happenings give the same decisions.

**Who is served.** A freed agent serves an emergency they can serve before anything else; then whoever waits longer than the queue's
`overdue_s`, the longest relative to the target first; else the queue furthest above its share of those who wait in the agent's queues
(fixed-queue-ratio: Gurvich and Whitt, "Service-Level Differentiation in Many-Server Service Systems via Queue-Ratio Routing", Operations
Research 58(2), 2010; docs/decisions/0132 says what is added). Within a queue: priority with ageing, then first come, first served.
**By whom.** Of those who can serve it, whoever has least in hand, and of these the one free longest. A contact with a sticky agent waits
for that one alone until its limit, as long as they are there.
**Costs.** Waiting contacts stand in lanes (same queue, channel and need), agents in groups (same queues, skills, languages); a decision
looks at the heads of lanes and groups only.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from typing import Any

import msgspec

from jilink.services.contact.rules import happenings as h
from jilink.services.contact.rules.floor import Floor, contact_for
from jilink.services.contact.rules.happenings import Decision, Happening, QueuePlan, Reserve, Returned, Work
from jilink.services.contact.rules.lanes import Agent, Held, Lane, Line, put, rank, take
from jilink.services.contact.rules.needs import Need, next_softening, softened


class Matcher:
    """Holds everybody who waits and everybody who serves; needs no clock: each happening comes with the time."""

    def __init__(self, plans: Iterable[QueuePlan] = ()) -> None:
        self._floor = Floor()
        self._lines: dict[int, Line] = {}
        self._held: dict[int, Held] = {}
        self._timers: list[tuple[int, int, int, int]] = []
        self._arrivals = 0
        self._now = 0
        self._out: list[Decision] = []
        self._handlers: dict[type, Callable[[Any], None]] = {
            h.QueueSet: self._queue_set, h.Offered: self._offered, h.Resumed: self._resumed, h.Handed: self._handed,
            h.Withdrawn: self._withdrawn, h.Ranked: self._ranked, h.Seated: self._seated,
            h.Left: self._left, h.Ready: self._ready, h.NotReady: self._not_ready,
            h.Answered: self._answered, h.RingFailed: self._ring_failed, h.Released: self._released, h.Tick: self._tick,
        }  # fmt: skip
        for plan in plans:
            self._queue_set(h.QueueSet(plan))

    def handle(self, happening: Happening, now_ms: int) -> list[Decision]:
        """Take one happening in and return what follows from it, and from the time that passed before it.

        Times never go back: an earlier one counts as the last. What is told twice, or of what is not known, changes nothing.
        """
        if now_ms > self._now:
            self._now = now_ms
        self._out = []
        if self._timers and self._timers[0][0] <= self._now:
            self._due()
        self._handlers[type(happening)](happening)
        return self._out

    # asked

    def next_due(self) -> int | None:
        """Return when a `Tick` is needed at the latest (ms); None where nothing is timed."""
        return self._timers[0][0] if self._timers else None

    def state(self, contact: int) -> str:
        """Return `waiting`, `ringing`, `serving`, or "" of a contact that is not known."""
        held = self._held.get(contact)
        return held.state if held else ""

    def agent_of(self, contact: int) -> int:
        """Return with whom a contact rings or is; 0 with nobody."""
        held = self._held.get(contact)
        return held.agent if held else 0

    def contacts_of(self, agent: int) -> tuple[int, ...]:
        """Return what rings at an agent or is served by them."""
        known = self._floor.agents.get(agent)
        return tuple(known.held) if known else ()

    def is_free(self, agent: int, channel: str) -> bool:
        """Return whether an agent could be offered one more of a channel now."""
        known = self._floor.agents.get(agent)
        return known is not None and channel in known.open

    def order(self, queue: int) -> list[int]:
        """Return who waits in a queue, first in line first."""
        return [key[4] for key in self._lines[queue].order] if queue in self._lines else []

    def position(self, contact: int) -> int:
        """Return a waiting contact's place in its queue, from 1; 0 where it does not wait."""
        held = self._held.get(contact)
        return bisect_left(self._lines[held.work.queue].order, held.key) + 1 if held and held.state == "waiting" else 0

    # contacts

    def _queue_set(self, told: h.QueueSet) -> None:
        line = self._lines.get(told.plan.queue)
        if line is None:
            self._lines[told.plan.queue] = Line(told.plan)
            return
        waiting = [self._held[key[4]] for key in line.order]
        for one in waiting:
            self._remove(one)
        line.plan = told.plan
        for one in waiting:
            one.key = rank(told.plan, one.work, one.key[3])
            self._wait(one)
        self._seek_agents(waiting)

    def _offered(self, told: h.Offered) -> None:
        if told.work.contact not in self._held and told.work.queue in self._lines:
            one = self._new(told.work)
            self._wait(one)
            self._seek_agent(one)

    def _resumed(self, told: h.Resumed) -> None:
        agent, one = self._floor.agents.get(told.agent), self._held.get(told.work.contact)
        if agent is None or told.work.queue not in self._lines or (one is not None and one.state == "serving"):
            return
        if one is None:
            one = self._new(told.work)
        elif one.agent == told.agent:
            self._answered(h.Answered(told.work.contact))
            return
        else:
            if one.state == "ringing":
                rang = self._take_back(one, missed=False)
                self._remove(one)
                self._seek_work(rang)
            else:
                self._remove(one)
        one.state = "serving"
        self._hold(one, agent)

    def _handed(self, told: h.Handed) -> None:
        kept, agent = self._held.get(told.kept), None
        if kept is not None and kept.state == "serving":
            agent = self._let_go(kept)
            del self._held[told.kept]
        if told.work.contact in self._held or told.work.queue not in self._lines or agent is None or agent.gone:
            if agent is not None:
                self._forget(agent)
            self._offered(h.Offered(told.work))
            return
        one = self._new(told.work)
        self._wait(one)
        self._reserve(one, agent)

    def _withdrawn(self, told: h.Withdrawn) -> None:
        one = self._held.get(told.contact)
        if one is None or one.state == "serving":
            return
        if one.state == "waiting":
            self._remove(one)
            del self._held[told.contact]
        else:
            self._released(h.Released(told.contact))

    def _ranked(self, told: h.Ranked) -> None:
        one = self._held.get(told.contact)
        if one is None:
            return
        waits = one.state == "waiting"
        if waits:
            self._remove(one)
        one.work = msgspec.structs.replace(one.work, priority=told.priority)
        one.key = rank(self._lines[one.work.queue].plan, one.work, one.key[3])
        if waits:
            self._wait(one)

    def _new(self, work: Work) -> Held:
        self._arrivals += 1
        one = Held(work, rank(self._lines[work.queue].plan, work, self._arrivals), "waiting")
        self._held[work.contact] = one
        return one

    def _wait(self, one: Held) -> None:
        """Put a contact in its place and set the timer of what changes next for it."""
        work, line = one.work, self._lines[one.work.queue]
        one.state, one.agent = "waiting", 0
        one.stamp += 1
        put(line.order, one.key)
        lane = self._sticky_lane(work)
        if lane is not None:
            due: int | None = work.sticky_until_ms
        else:
            waited, steps = self._now - work.since_ms, line.plan.softenings
            need = softened(work.need, steps, waited) if steps else work.need
            lane = self._floor.lane(work.queue, work.channel, need, emergency=work.emergency)
            after = next_softening(steps, waited) if steps else None
            due = None if after is None else work.since_ms + after
        one.lane = lane
        put(lane.keys, one.key)
        self._floor.urgent += work.emergency
        if due is not None:
            heappush(self._timers, (due, one.key[3], work.contact, one.stamp))

    def _remove(self, one: Held) -> None:
        """Take a waiting contact out of its place."""
        if one.lane is not None:
            take(one.lane.keys, one.key)
        take(self._lines[one.work.queue].order, one.key)
        one.lane = None
        one.stamp += 1
        self._floor.urgent -= one.work.emergency

    def _sticky_lane(self, work: Work) -> Lane | None:
        if not work.sticky or work.emergency or work.sticky_until_ms <= self._now:
            return None
        agent = self._floor.agents.get(work.sticky)
        if agent is None or agent.gone or work.channel not in agent.capacity or not agent.group.serves(work.queue, work.need):
            return None
        name = (work.queue, work.channel)
        if name not in agent.sticky:
            agent.sticky[name] = Lane(work.queue, work.channel, Need(), emergency=False, agent=work.sticky)
        return agent.sticky[name]

    # agents

    def _seated(self, told: h.Seated) -> None:
        seat, floor = told.seat, self._floor
        agent = floor.agents.get(seat.agent)
        if agent is None:
            floor.agents[seat.agent] = Agent(seat, floor.group(seat), dict(seat.capacity), free_since=self._now)
            return
        floor.unplace(agent)
        if agent.gone:
            agent.gone, agent.ready = False, False
        agent.seat, agent.group, agent.capacity = seat, floor.group(seat), dict(seat.capacity)
        waiting = self._unstick(agent)
        floor.place(agent)
        self._seek_work(agent)
        self._seek_agents(waiting)

    def _left(self, told: h.Left) -> None:
        agent = self._floor.agents.get(told.agent)
        if agent is None or agent.gone:
            return
        agent.gone = True
        waiting = self._stop(agent) + self._unstick(agent)
        self._forget(agent)
        self._seek_agents(waiting)

    def _forget(self, agent: Agent) -> None:
        if agent.gone and not agent.held:
            del self._floor.agents[agent.seat.agent]

    def _ready(self, told: h.Ready) -> None:
        agent = self._floor.agents.get(told.agent)
        if agent is None or agent.ready or agent.gone:
            return
        agent.ready, agent.free_since = True, self._now
        self._floor.place(agent)
        self._seek_work(agent)

    def _not_ready(self, told: h.NotReady) -> None:
        agent = self._floor.agents.get(told.agent)
        if agent is not None and agent.ready:
            self._seek_agents(self._stop(agent))

    def _stop(self, agent: Agent) -> list[Held]:
        """Let an agent take no more. Return what rang there and waits again."""
        agent.ready = False
        self._floor.unplace(agent)
        ringing = [one for one in map(self._held.__getitem__, agent.held) if one.state == "ringing"]
        for one in ringing:
            self._take_back(one, missed=False)
        return ringing

    def _unstick(self, agent: Agent) -> list[Held]:
        """Let those who wait for an agent alone wait for anybody, or for the agent as they are now. Return them."""
        waiting = [self._held[key[4]] for lane in agent.sticky.values() for key in lane.keys]
        for one in waiting:
            self._remove(one)
        agent.sticky.clear()
        for one in waiting:
            self._wait(one)
        return waiting

    # reservations

    def _seek_agent(self, one: Held) -> None:
        if one.lane is not None and (agent := self._floor.agent_for(one.lane)) is not None:
            self._reserve(one, agent)

    def _seek_agents(self, waiting: list[Held]) -> None:
        """Seek agents for several whose place changed, in their order."""
        for one in sorted(waiting, key=lambda one: one.key):
            self._seek_agent(one)

    def _seek_work(self, agent: Agent) -> None:
        while agent.open and (key := contact_for(agent, self._lines, self._now, urgent=self._floor.urgent > 0)) is not None:
            self._reserve(self._held[key[4]], agent)

    def _reserve(self, one: Held, agent: Agent) -> None:
        self._remove(one)
        one.state = "ringing"
        self._hold(one, agent)
        until = self._now + self._lines[one.work.queue].plan.ring_s * 1000
        heappush(self._timers, (until, one.key[3], one.work.contact, one.stamp))
        self._out.append(Reserve(one.work.contact, agent.seat.agent, until))

    def _hold(self, one: Held, agent: Agent) -> None:
        one.agent = agent.seat.agent
        agent.held[one.work.contact] = None
        agent.load[one.work.channel] = agent.load.get(one.work.channel, 0) + 1
        self._floor.place(agent)

    def _let_go(self, one: Held) -> Agent:
        agent = self._floor.agents[one.agent]
        del agent.held[one.work.contact]
        agent.load[one.work.channel] -= 1
        one.agent = 0
        return agent

    def _take_back(self, one: Held, *, missed: bool) -> Agent:
        """Let a ringing contact wait in its old place again. Whoever missed it is not waited for any more."""
        agent = self._let_go(one)
        if missed:
            agent.ready = False
            if one.work.sticky == agent.seat.agent:
                one.work = msgspec.structs.replace(one.work, sticky=0)
        self._wait(one)
        self._floor.place(agent)
        self._out.append(Returned(one.work.contact, agent.seat.agent, missed))
        return agent

    def _missed(self, one: Held) -> list[Held]:
        return [one, *self._stop(self._take_back(one, missed=True))]

    def _answered(self, told: h.Answered) -> None:
        one = self._held.get(told.contact)
        if one is not None and one.state == "ringing":
            one.state = "serving"
            one.stamp += 1

    def _ring_failed(self, told: h.RingFailed) -> None:
        one = self._held.get(told.contact)
        if one is not None and one.state == "ringing":
            self._seek_agents(self._missed(one))

    def _released(self, told: h.Released) -> None:
        one = self._held.get(told.contact)
        if one is None or one.state == "waiting":
            return
        agent = self._let_go(one)
        del self._held[told.contact]
        if one.state == "serving":
            agent.free_since = self._now
        if agent.gone:
            self._forget(agent)
            return
        self._floor.place(agent)
        self._seek_work(agent)

    # time

    def _tick(self, told: h.Tick) -> None:
        """What was due has been done before."""

    def _due(self) -> None:
        timers, moved = self._timers, dict[int, Held]()
        while timers and timers[0][0] <= self._now:
            _at, _arrival, contact, stamp = heappop(timers)
            one = self._held.get(contact)
            if one is None or one.stamp != stamp:
                continue
            if one.state == "ringing":
                moved.update((each.work.contact, each) for each in self._missed(one))
            else:
                self._remove(one)
                self._wait(one)
                moved[contact] = one
        self._seek_agents(list(moved.values()))
