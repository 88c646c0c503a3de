"""Who serves: agents, groups of agents who are alike, the lanes they may serve, and who is free. Chooses who and whom."""

from typing import cast

from jilink.services.contact.rules.happenings import Seat
from jilink.services.contact.rules.lanes import Agent, Group, Key, Lane, Line, Place, put, take
from jilink.services.contact.rules.needs import Need

MOST_LANES = 4096
"""Above, empty lanes are forgotten."""


class Floor:
    """Agents and lanes. The matcher moves contacts; this knows who may serve which, and in what order."""

    def __init__(self) -> None:
        self.agents: dict[int, Agent] = {}
        self.urgent = 0
        """How many emergencies wait."""
        self._lanes: dict[tuple[int, str, Need, bool], Lane] = {}
        self._groups: dict[tuple[tuple[int, ...], tuple[tuple[str, int], ...], tuple[str, ...]], Group] = {}
        self._open: dict[str, dict[int, Group]] = {}

    def lane(self, queue: int, channel: str, need: Need, *, emergency: bool) -> Lane:
        """Return the lane of such contacts."""
        lane = self._lanes.get((queue, channel, need, emergency))
        if lane is None:
            if len(self._lanes) >= MOST_LANES:
                self._forget_lanes()
            lane = self._lanes[queue, channel, need, emergency] = Lane(queue, channel, need, emergency)
            for group in self._groups.values():
                group.add(lane)
        return lane

    def _forget_lanes(self) -> None:
        self._lanes = {name: lane for name, lane in self._lanes.items() if lane.keys}
        for group in self._groups.values():
            group.lanes, group.emergencies = {}, []
        for lane in self._lanes.values():
            lane.groups = {}
            for group in self._groups.values():
                group.add(lane)

    def group(self, seat: Seat) -> Group:
        """Return the group of agents like this one."""
        name = (tuple(sorted(seat.queues)), tuple(sorted(seat.skills)), tuple(sorted(seat.languages)))
        group = self._groups.get(name)
        if group is None:
            group = self._groups[name] = Group(len(self._groups), name[0], dict(name[1]), frozenset(name[2]))
            for lane in self._lanes.values():
                group.add(lane)
        return group

    def place(self, agent: Agent) -> None:
        """Let an agent stand among the free ones of each channel on which they can take one more."""
        if agent.place is not None:
            self.unplace(agent)
        channels = agent.can_take()
        if not channels:
            return
        place: Place = (len(agent.held), agent.free_since, agent.seat.agent)
        group = agent.group
        for channel in channels:
            free = group.free.setdefault(channel, [])
            if not free:
                self._open.setdefault(channel, {})[group.number] = group
            put(cast("list[Key]", free), cast("Key", place))
        agent.place, agent.open = place, channels

    def unplace(self, agent: Agent) -> None:
        """Let an agent stand nowhere among the free."""
        if agent.place is None:
            return
        group = agent.group
        for channel in agent.open:
            free = group.free[channel]
            take(cast("list[Key]", free), cast("Key", agent.place))
            if not free:
                del self._open[channel][group.number]
        agent.place, agent.open = None, ()

    def agent_for(self, lane: Lane) -> Agent | None:
        """Return who serves the next of a lane: least in hand, then free longest; None while nobody can."""
        if lane.agent:
            agent = self.agents[lane.agent]
            return agent if lane.channel in agent.open else None
        channel = lane.channel
        here = self._open.get(channel)
        if not here:
            return None
        may = lane.groups
        if len(here) < len(may):
            heads = [group.free[channel][0] for number, group in here.items() if number in may]
        else:
            heads = [group.free[channel][0] for number, group in may.items() if number in here]
        return self.agents[min(heads)[2]] if heads else None


def contact_for(agent: Agent, lines: dict[int, Line], now_ms: int, *, urgent: bool) -> Key | None:
    """Return whom a free agent serves next; None where nobody waits whom they can serve. `urgent`: an emergency waits somewhere."""
    channels, group = agent.open, agent.group
    if urgent and (first := [lane.keys[0] for lane in group.emergencies if lane.keys and lane.channel in channels]):
        return min(first)
    heads: dict[int, Key] = {}
    for queue, lanes in group.lanes.items():
        keys = [lane.keys[0] for lane in lanes if lane.keys and lane.channel in channels]
        if keys:
            heads[queue] = min(keys)
    for lane in agent.sticky.values():
        if lane.keys and lane.channel in channels:
            heads[lane.queue] = min(heads.get(lane.queue, lane.keys[0]), lane.keys[0])
    if len(heads) <= 1:
        return next(iter(heads.values()), None)
    return heads[queue_for(heads, group.queues, lines, now_ms)]


def queue_for(heads: dict[int, Key], served: tuple[int, ...], lines: dict[int, Line], now_ms: int) -> int:
    """Return which queue of an agent is served: one whose first is overdue, else the one furthest above its share.

    Shares and lengths are those of the agent's own queues, so that what waits where the agent cannot help weighs nothing.
    """
    overdue = [
        (-(now_ms - key[2]) / max(1, plan.target_s), key[2:], queue)
        for queue, key in heads.items()
        if (plan := lines[queue].plan).overdue_s and now_ms - key[2] > plan.overdue_s * 1000
    ]
    if overdue:
        return min(overdue)[2]
    mine = [lines[queue] for queue in served if queue in lines]
    waiting = sum([len(line.order) for line in mine]) or 1
    shares = sum([line.plan.share for line in mine]) or 1.0
    return min((lines[queue].plan.share / shares - len(lines[queue].order) / waiting, key[2:], queue) for queue, key in heads.items())[2]


def shares(queues: dict[int, tuple[float, int]]) -> dict[int, float]:
    """Return each queue's share of all who wait, from (arrivals an hour, target in seconds).

    Who waits in a queue is its arrivals times their wait (Little's law), so lengths in the ratio of arrivals times target keep all
    waits in the ratio of the targets (Gurvich and Whitt 2010, section 4). A queue without arrivals yet counts as one an hour.
    """
    weights = {queue: max(1.0, arrivals) * max(1, target) for queue, (arrivals, target) in queues.items()}
    total = sum(weights.values()) or 1.0
    return {queue: weight / total for queue, weight in weights.items()}
