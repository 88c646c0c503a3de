"""What one engine holds, as its events tell it: legs, talks, plays. Events go in, facts and small chores come out. No I/O.

Channels are legs, mixing bridges are talks. Bridges whose id begins with `PARK` hold those who hear music; channels whose id begins with
`EAR` are the engine's ears of a `Listen`. Events come late, twice, or of channels that are not ours: all of these change nothing.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from jilink.edges.voice import ari
from jilink.spine import calls

PARK = "park"
EAR = "ear-"
ARRIVED, DIALLED = "arrived", "dialled"
REMEMBERED = 20_000
"""Ids of legs, plays and recordings that are over, so that a repeated order does not begin them again."""


@dataclass(slots=True)
class Line:
    """One leg."""

    leg: str
    origin: Literal["arrived", "dialled", "ear"]
    answered: bool = False
    endpoint: str = ""
    caller: str = ""
    dialled: str = ""
    name: str = ""
    """The engine's name of the channel."""
    bridge: str = ""
    since: datetime | None = None
    told: bool = False
    """LegArrived was told by this owner."""

    @property
    def parked(self) -> bool:
        return self.bridge == PARK


@dataclass(slots=True)
class Outcome:
    """What follows from an event: facts to tell, in order, and requests that tidy up."""

    facts: list[calls.Fact] = field(default_factory=list)
    chores: list[ari.Request] = field(default_factory=list)


class Over:
    """Remembers ids for a while."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()

    def add(self, one: str) -> None:
        """Remember an id; the oldest is forgotten."""
        self._ids[one] = None
        if len(self._ids) > REMEMBERED:
            self._ids.popitem(last=False)

    def __contains__(self, one: object) -> bool:
        return one in self._ids


class Board:
    """One engine's legs, talks and plays."""

    def __init__(self, node: str, now: Callable[[], datetime]) -> None:
        self.node, self.now = node, now
        self.lines: dict[str, Line] = {}
        self.talks: dict[str, list[str]] = {}
        """Legs and ears of each bridge that is a talk."""
        self.plays: dict[str, str] = {}
        """Play -> leg."""
        self.online: set[str] = set()
        self.trunks: dict[str, calls.TrunkState] = {}
        self.over = Over()
        self.stopped = Over()
        self.started_at: datetime | None = None

    # what there is

    def legs(self) -> tuple[calls.LegState, ...]:
        """Return every leg, the oldest first, without ears."""
        return tuple(
            calls.LegState(
                leg=line.leg,
                origin=line.origin,
                answered=line.answered,
                endpoint=line.endpoint,
                caller=line.caller,
                dialled=line.dialled,
                talk=line.bridge if line.bridge in self.talks else "",
                parked=line.parked,
                since=line.since,
            )
            for line in self.lines.values()
            if line.origin != "ear"
        )

    def states(self) -> tuple[calls.TalkState, ...]:
        """Return every talk with its legs."""
        return tuple(calls.TalkState(talk=talk, legs=self.people(talk)) for talk in self.talks)

    def people(self, talk: str) -> tuple[str, ...]:
        """Return who is in a talk, without ears."""
        return tuple(leg for leg in self.talks.get(talk, ()) if not leg.startswith(EAR))

    # what happened

    def recover(
        self,
        channels: Iterable[ari.Channel],
        bridges: Iterable[ari.Bridge],
        endpoints: Iterable[ari.Endpoint],
        started_at: datetime,
    ) -> Outcome:
        """Take what the engine shows now for the whole truth, after every (re)connection: legs that are not there have ended."""
        before = self.lines
        self.lines, self.talks, self.plays = {}, {}, {}
        self.started_at = started_at
        for channel in sorted(channels, key=lambda one: one.creationtime):
            if (origin := _origin(channel)) is not None:
                line = self._line(channel, origin)
                line.told = channel.id in before and before[channel.id].told
        outcome = Outcome()
        for bridge in bridges:
            self._place(bridge, outcome)
        self.online = {one.resource for one in endpoints if one.state == "online"}
        for leg, line in before.items():
            if leg not in self.lines and line.origin != "ear":
                self.over.add(leg)
                outcome.facts.append(calls.LegEnded(node=self.node, at=self.now(), leg=leg, cause=0))
        outcome.facts.append(
            calls.NodeUp(
                node=self.node,
                at=self.now(),
                started_at=started_at,
                legs=self.legs(),
                talks=self.states(),
                online=tuple(sorted(self.online)),
            )
        )
        return outcome

    def phones(self, endpoints: Iterable[ari.Endpoint]) -> Outcome:
        """Take what the engine shows of phones for the truth: it does not tell of all that a change of its configuration brings."""
        outcome, online = Outcome(), {one.resource for one in endpoints if one.state == "online"}
        for name in sorted(online ^ self.online):
            outcome.facts.append(calls.PhoneChanged(node=self.node, at=self.now(), endpoint=name, online=name in online))
        self.online = online
        return outcome

    def carriers(self, states: dict[str, Literal["registered", "refused", "trying"]]) -> Outcome:
        """Take how trunks stand at their carriers now."""
        outcome, at = Outcome(), self.now()
        for trunk, state in sorted(states.items()):
            if trunk not in self.trunks or self.trunks[trunk].state != state:
                self.trunks[trunk] = calls.TrunkState(trunk=trunk, state=state, since=at)
                outcome.facts.append(calls.TrunkChanged(node=self.node, at=at, trunk=trunk, state=state))
        self.trunks = {trunk: self.trunks[trunk] for trunk in states}
        return outcome

    def untold(self) -> list[Line]:
        """Return legs that arrived, are not answered, and of which this owner has told nothing."""
        return [line for line in self.lines.values() if line.origin == ARRIVED and not line.answered and not line.told]

    def happened(self, event: ari.Event) -> Outcome:
        """Take in an event. An arriving leg is only noted: its `LegArrived` needs what the engine must be asked for (`arrived`)."""
        outcome = Outcome()
        handler = _HANDLERS.get(event.type)
        if handler is not None:
            handler(self, event, ari.moment(event.timestamp) or self.now(), outcome)
        return outcome

    def arrived(self, line: Line, *, dialled: str, caller_name: str, headers: dict[str, str], phone: bool) -> calls.LegArrived:
        """Return the fact of a leg that arrived."""
        line.told, line.dialled = True, dialled
        return calls.LegArrived(
            node=self.node,
            at=line.since or self.now(),
            leg=line.leg,
            dialled=dialled,
            caller=line.caller,
            caller_name=caller_name,
            endpoint=line.endpoint,
            from_phone=phone,
            headers=headers,
        )

    def expect(self, leg: str, endpoint: str, dialled: str) -> None:
        """Note a leg that is being dialled, before the engine tells of it."""
        self.lines.setdefault(leg, Line(leg, "dialled", endpoint=endpoint, dialled=dialled, since=self.now()))

    def end(self, leg: str, cause: int, at: datetime, outcome: Outcome) -> None:
        """Note that a leg is over, once."""
        line = self.lines.pop(leg, None)
        if line is None:
            return
        self.over.add(leg)
        if line.bridge in self.talks:
            self._left(line.bridge, leg, at, outcome)
        for play in [play for play, owner in self.plays.items() if owner == leg]:
            self._play_over(play, "stopped", at, outcome)
        if line.origin != "ear":
            outcome.facts.append(calls.LegEnded(node=self.node, at=at, leg=leg, cause=cause))

    # inside

    def _line(self, channel: ari.Channel, origin: Literal["arrived", "dialled", "ear"]) -> Line:
        line = self.lines.setdefault(channel.id, Line(channel.id, origin))
        line.name = channel.name
        line.endpoint = channel.endpoint or line.endpoint
        line.answered = line.answered or channel.state == "Up"
        line.since = line.since or ari.moment(channel.creationtime)
        if origin == ARRIVED:
            line.caller, line.dialled = channel.caller.number, line.dialled or channel.dialplan.exten
        return line

    def _place(self, bridge: ari.Bridge, outcome: Outcome) -> None:
        ours = [one for one in bridge.channels if one in self.lines]
        for one in ours:
            self.lines[one].bridge = bridge.id
        if bridge.id == PARK or bridge.bridge_type == "holding":
            return
        if not [one for one in ours if not one.startswith(EAR)]:
            outcome.chores += [ari.request("DELETE", "channels", one) for one in ours]
            outcome.chores.append(ari.request("DELETE", "bridges", bridge.id))
            return
        self.talks[bridge.id] = ours

    def _started(self, event: ari.Event, at: datetime, outcome: Outcome) -> None:
        channel, origin = event.channel, (event.args or ("",))[0]
        if channel is None or channel.id in self.over:
            return
        if origin == "ear" or channel.id.startswith(EAR):
            self._line(channel, "ear")
        elif origin == DIALLED:
            known = channel.id in self.lines and self.lines[channel.id].answered
            self._line(channel, "dialled").answered = True
            if not known:
                outcome.facts.append(calls.LegAnswered(node=self.node, at=at, leg=channel.id))
        elif origin == ARRIVED:
            self._line(channel, "arrived")

    def _changed(self, event: ari.Event, at: datetime, outcome: Outcome) -> None:
        channel = event.channel
        line = self.lines.get(channel.id) if channel else None
        if channel is None or line is None:
            return
        line.name = channel.name
        if channel.state == "Ringing" and line.origin == DIALLED and not line.answered:
            outcome.facts.append(calls.LegRinging(node=self.node, at=at, leg=line.leg))
        if channel.state == "Up" and line.origin == ARRIVED and not line.answered:
            line.answered = True
            outcome.facts.append(calls.LegAnswered(node=self.node, at=at, leg=line.leg))

    def _destroyed(self, event: ari.Event, at: datetime, outcome: Outcome) -> None:
        if event.channel is not None:
            self.end(event.channel.id, event.cause, at, outcome)

    def _out(self, event: ari.Event, at: datetime, outcome: Outcome) -> None:
        if event.channel is not None and event.channel.id.startswith(EAR):  # of an ear the engine tells no other end
            self.end(event.channel.id, 0, at, outcome)

    def _entered(self, event: ari.Event, at: datetime, outcome: Outcome) -> None:
        if event.bridge is None or event.channel is None or event.channel.id not in self.lines:
            return
        leg, bridge = event.channel.id, event.bridge.id
        self.lines[leg].bridge = bridge
        if bridge == PARK:
            return
        inside = self.talks.setdefault(bridge, [])
        if leg not in inside:
            inside.append(leg)
            if not leg.startswith(EAR):
                outcome.facts.append(calls.TalkChanged(node=self.node, at=at, talk=bridge, legs=self.people(bridge)))

    def _gone(self, event: ari.Event, at: datetime, outcome: Outcome) -> None:
        if event.bridge is None or event.channel is None:
            return
        line = self.lines.get(event.channel.id)
        if line is not None and line.bridge == event.bridge.id:
            line.bridge = ""
        self._left(event.bridge.id, event.channel.id, at, outcome)

    def _left(self, talk: str, leg: str, at: datetime, outcome: Outcome) -> None:
        inside = self.talks.get(talk, [])
        if leg not in inside:
            return
        inside.remove(leg)
        people = self.people(talk)
        if not leg.startswith(EAR):
            outcome.facts.append(calls.TalkChanged(node=self.node, at=at, talk=talk, legs=people))
        if not people:
            outcome.chores += [ari.request("DELETE", "channels", ear) for ear in inside]
            outcome.chores.append(ari.request("DELETE", "bridges", talk))
            del self.talks[talk]

    def _bridge_over(self, event: ari.Event, at: datetime, outcome: Outcome) -> None:
        if event.bridge is not None and event.bridge.id in self.talks:
            for leg in self.talks.pop(event.bridge.id):
                if leg in self.lines:
                    self.lines[leg].bridge = ""
            outcome.facts.append(calls.TalkChanged(node=self.node, at=at, talk=event.bridge.id, legs=()))

    def _digit(self, event: ari.Event, at: datetime, outcome: Outcome) -> None:
        if event.channel is not None and event.channel.id in self.lines:
            outcome.facts.append(calls.DigitPressed(node=self.node, at=at, leg=event.channel.id, digit=event.digit))

    def _played(self, event: ari.Event, at: datetime, outcome: Outcome) -> None:
        if event.playback is not None:
            leg = event.playback.target_uri.removeprefix("channel:")
            if leg in self.lines and event.playback.id not in self.over:  # also of a play that an owner of before began
                self.plays.setdefault(event.playback.id, leg)
            ended: Literal["failed", "stopped", "done"] = "stopped" if event.playback.id in self.stopped else "done"
            self._play_over(event.playback.id, "failed" if event.playback.state == "failed" else ended, at, outcome)

    def _play_over(self, play: str, ended: Literal["failed", "stopped", "done"], at: datetime, outcome: Outcome) -> None:
        leg = self.plays.pop(play, None)
        if leg is not None:
            self.over.add(play)
            outcome.facts.append(calls.PlayEnded(node=self.node, at=at, play=play, leg=leg, outcome=ended))

    def _transfer(self, event: ari.Event, at: datetime, outcome: Outcome) -> None:
        if event.refer_to is None or event.referred_by is None or event.referred_by.source_channel.id not in self.lines:
            return
        asker, other = event.referred_by.source_channel.id, event.refer_to.destination_channel
        partner = event.referred_by.connected_channel
        others = [leg for leg in self.people(self.lines[asker].bridge) if leg != asker]
        outcome.facts.append(
            calls.TransferAsked(
                node=self.node,
                at=at,
                leg=asker,
                target="" if other else event.refer_to.requested_destination.destination,
                target_leg=other.id if other else "",
                partner=partner.id if partner else (others[0] if len(others) == 1 else ""),
            )
        )

    def _endpoint(self, event: ari.Event, at: datetime, outcome: Outcome) -> None:
        if event.endpoint is None or event.endpoint.technology not in ("PJSIP", ""):
            return
        name, online = event.endpoint.resource, event.endpoint.state == "online"
        if online != (name in self.online):
            (self.online.add if online else self.online.discard)(name)
            outcome.facts.append(calls.PhoneChanged(node=self.node, at=at, endpoint=name, online=online))


_HANDLERS: dict[str, Callable[[Board, ari.Event, datetime, Outcome], None]] = {
    "StasisStart": Board._started,
    "ChannelStateChange": Board._changed,
    "ChannelDestroyed": Board._destroyed,
    "StasisEnd": Board._out,
    "ChannelEnteredBridge": Board._entered,
    "ChannelLeftBridge": Board._gone,
    "BridgeDestroyed": Board._bridge_over,
    "ChannelDtmfReceived": Board._digit,
    "PlaybackFinished": Board._played,
    "ChannelTransfer": Board._transfer,
    "EndpointStateChange": Board._endpoint,
}


def _origin(channel: ari.Channel) -> Literal["arrived", "dialled", "ear"] | None:
    """Return how a channel of a snapshot came to be; None where it is none of ours (it hears the busy announcement, for example)."""
    words = channel.dialplan.app_data.split(",")
    if channel.id.startswith(EAR):
        return "ear"
    if words[:2] == [ari.APPLICATION, ARRIVED]:
        return "arrived"
    if words[:2] == [ari.APPLICATION, DIALLED] or channel.dialplan.app_name == "AppDial2":
        return "dialled"
    return None
