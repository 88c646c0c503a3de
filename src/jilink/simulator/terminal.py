"""A pretend JT/T 808 terminal: bytes in, bytes out, the time passed in. No I/O, no clock.

It keeps every position until the platform has answered it with success, as JT/T 808-2019, 6 asks: unanswered messages are sent
again unchanged, what was measured without a connection follows as 0x0704.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from random import Random
from typing import cast

from jilink.protocols.jt808.message import Message, Year
from jilink.protocols.jt808.position import PositionBody
from jilink.protocols.wire.records import Record
from jilink.simulator import orders, reports
from jilink.simulator.journal import Acknowledged, Note, forget
from jilink.simulator.link import Link, Sent
from jilink.simulator.motion import Drive
from jilink.simulator.register import Vehicle

SUCCESS, FAILED = 0, 1
PROVINCE = 22
BATCH = 10
"""Positions in one 0x0704: they fit one package."""
WINDOW = 4
"""Batches under way at once."""
KEPT = 5000
"""Positions a terminal's memory holds; the oldest are overwritten."""


NEVER = datetime.max.replace(tzinfo=UTC)


class State(StrEnum):
    """Where the session stands."""

    OFFLINE = "offline"
    REGISTERING = "registering"
    AUTHENTICATING = "authenticating"
    ONLINE = "online"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How terminals behave. Times in seconds; 0 for a mean time means never."""

    report_s: float = 15.0
    heartbeat_s: float = 60.0
    answer_s: float = 20.0
    retries: int = 3
    tunnel_every_s: float = 5400.0
    tunnel_s: tuple[float, float] = (25.0, 150.0)
    alarm_every_s: float = 7200.0
    refused_s: float = 30.0


@dataclass(slots=True)
class Unanswered:
    """A message that waits for its 0x8001, and the positions in it."""

    sent: Sent
    at: datetime
    positions: list[PositionBody]
    tries: int = 1


class Terminal:
    """One terminal. Whoever drives it calls `connect`, `receive`, `tick` and `disconnect`, and sends what they return."""

    def __init__(self, vehicle: Vehicle, habits: Habits, now: datetime, note: Note = forget) -> None:
        """`note` is told of every position whose success has arrived."""
        self.vehicle, self.habits, self.note = vehicle, habits, note
        self.year: Year = 2019 if vehicle.year == 2019 else 2013
        self.link = Link(vehicle.phone, self.year)
        self.drive = Drive(vehicle, now)
        self.dice = Random(vehicle.seed + 1)  # noqa: S311 -- behaviour, not a secret
        self.troubles = reports.Troubles(self.dice, habits.alarm_every_s, now)
        self.state = State.OFFLINE
        self.token: str | None = None
        self.refused = False
        """Whether the platform refused the last registration."""
        self.resting = False
        """Whether it measures no more."""
        self.wants_close = False
        """The driver should close the connection and stay away until `away_until`."""
        self.away_until = now
        self.parameters: dict[int, object] = {0x0001: round(habits.heartbeat_s), 0x0029: max(round(habits.report_s), 1), 0x0055: 100}
        self.doors_locked = False
        self.texts: list[str] = []
        self.unanswered: dict[int, Unanswered] = {}
        self.backlog: deque[PositionBody] = deque(maxlen=KEPT)
        self.recordings: dict[int, Sent] = {}
        self.sent_positions = self.acknowledged_positions = 0
        self._report_s = habits.report_s
        self._report_at = now + timedelta(seconds=self.dice.uniform(0, habits.report_s))
        self._track_until: datetime | None = None
        self._heartbeat_at = self._heard_at = self._login_by = now
        self._tunnel_at = self._next_tunnel(now)
        self._later: list[tuple[datetime, Callable[[datetime], bytes]]] = []

    # -- the connection ---------------------------------------------------------------------------------------------

    def connect(self, now: datetime) -> bytes:
        """Begin a session: authenticate where there is a token, else register."""
        self.link.begin()
        self.wants_close = False
        self._heard_at = now
        self._login_by = now + timedelta(seconds=self.habits.answer_s)
        self._later.clear()
        return self._authenticate() if self.token else self._register()

    def disconnect(self, now: datetime) -> None:
        """The connection is gone."""
        self.state = State.OFFLINE
        self.wants_close = False

    def receive(self, data: bytes, now: datetime) -> bytes:
        """Take what came from the platform and return what to answer."""
        out = b""
        self._heard_at = now
        for message in self.link.decode(data, now):
            handler = _SESSION.get(message.id)
            if handler is not None:
                out += handler(self, message.fields, now)
            elif self.state is State.ONLINE:
                out += orders.obey(self, message.id, message.header.serial, message.fields, now)
        return out

    def tick(self, now: datetime) -> bytes:
        """Measure and report what is due; without a connection, keep it."""
        out = b""
        if now >= self._report_at and not self.resting:
            self._report_at = max(self._report_at + timedelta(seconds=self._report_s), now)
            self.drive.advance(now)
            position = self.position(now)
            if self.state is State.ONLINE:
                out += self._send_positions("position", [position], now)
            else:
                self.backlog.append(position)
        if self.state is State.OFFLINE:
            return out
        out += self._watch_link(now)
        if self.state is State.ONLINE:
            due = [work for at, work in self._later if at <= now]
            self._later = [entry for entry in self._later if entry[0] > now]
            out += b"".join(work(now) for work in due) + self._again(now) + self._backfill(now)
            if now >= self._heartbeat_at:
                self._heartbeat_at = now + timedelta(seconds=self._heartbeat_s)
                out += self.send(reports.message(0x0002, self.year)).bytes
        return out

    def rest(self) -> None:
        """Measure nothing more; what is kept is still delivered."""
        self.resting = True

    @property
    def next_at(self) -> datetime:
        """When `tick` should be called at the latest."""
        report_at = NEVER if self.resting else self._report_at
        if self.state is State.OFFLINE:
            return report_at
        if self.state is not State.ONLINE:
            return min(report_at, self._login_by)
        times = [report_at, self._heartbeat_at, self._tunnel_at, *(at for at, _ in self._later)]
        if self.unanswered:
            times.append(min(self._again_at(entry) for entry in self.unanswered.values()))
        return min(times)

    # -- for orders ---------------------------------------------------------------------------------------------------

    def send(self, message: Message) -> Sent:
        """Return a message ready to send."""
        return self.link.encode(message)

    def position(self, now: datetime, alarm: int | None = None) -> PositionBody:
        """Return the body of a position report of now."""
        self.drive.advance(now)
        word = self.troubles.word(now) if alarm is None else alarm
        return reports.fill(reports.body_of(self.year), replace(self.drive.fix(), at=now), word, 1 << 12 if self.doors_locked else 0)

    def after(self, seconds: float, work: Callable[[datetime], bytes], now: datetime) -> None:
        """Do something later in this session."""
        self._later.append((now + timedelta(seconds=seconds), work))

    def track(self, interval_s: int, duration_s: int, now: datetime) -> None:
        """Report at another interval for a while; 0 returns to the usual one."""
        self._report_s = float(interval_s) if interval_s else self._usual_s
        self._track_until = now + timedelta(seconds=duration_s) if interval_s else None
        self._report_at = now

    def apply_parameters(self) -> None:
        """Let changed parameters take effect."""
        self._report_s = self._usual_s

    def close(self, now: datetime, away_s: float) -> None:
        """Ask for the connection to be closed, and stay away for a time."""
        self.wants_close = True
        self.away_until = now + timedelta(seconds=away_s)

    @property
    def _usual_s(self) -> float:
        value = self.parameters.get(0x0029)
        return self.habits.report_s if not isinstance(value, int) or value in (0, max(round(self.habits.report_s), 1)) else float(value)

    @property
    def _heartbeat_s(self) -> float:
        value = self.parameters.get(0x0001)
        return float(value) if isinstance(value, int) and value > 0 else self.habits.heartbeat_s

    # -- session --------------------------------------------------------------------------------------------------------

    def _register(self) -> bytes:
        self.state = State.REGISTERING
        vehicle = self.vehicle
        registration = reports.message(
            0x0100,
            self.year,
            province=PROVINCE,
            city=100,
            maker=vehicle.manufacturer,
            model=vehicle.terminal_model,
            terminal=vehicle.terminal_id,
            plate_colour=vehicle.plate_colour,
            plate=vehicle.plate,
        )
        return self.send(registration).bytes

    def _authenticate(self) -> bytes:
        self.state = State.AUTHENTICATING
        fields: dict[str, object] = {"token": self.token}
        if self.year == 2019:
            fields |= {"imei": f"86{self.vehicle.index:013d}", "software": "JL-2.4.1"}
        return self.send(reports.message(0x0102, self.year, **fields)).bytes

    def _registered(self, answer: Record, now: datetime) -> bytes:
        if self.state is not State.REGISTERING:
            return b""
        token = getattr(answer, "token", None)
        if answer.__dict__.get("result") != SUCCESS or not token:
            return self._refused(now)
        self.token = cast(str, token)
        self._login_by = now + timedelta(seconds=self.habits.answer_s)
        return self._authenticate()

    def _refused(self, now: datetime) -> bytes:
        self.state, self.refused = State.REFUSED, True
        self.close(now, self.habits.refused_s * self.dice.uniform(1, 2))
        return b""

    def _answered(self, answer: Record, now: datetime) -> bytes:
        result, serial, about = (answer.__dict__.get(name) for name in ("result", "reply_serial", "reply_id"))
        if about == 0x0102 and self.state is State.AUTHENTICATING:
            if result != SUCCESS:
                self.token = None
                self._login_by = now + timedelta(seconds=self.habits.answer_s)
                return self._register()
            return self._online(now)
        waiting = self.unanswered.get(cast(int, serial))
        if waiting is None or waiting.sent.id != about:
            return b""
        if result == FAILED:
            waiting.at, waiting.tries = now, 1  # the platform could not keep it: it is sent again later
            return b""
        del self.unanswered[waiting.sent.serial]
        if result in (SUCCESS, 4):
            self._safe(waiting)
        return self._backfill(now)

    def _online(self, now: datetime) -> bytes:
        self.state, self.refused = State.ONLINE, False
        self._heartbeat_at = now + timedelta(seconds=self._heartbeat_s)
        self._tunnel_at = self._next_tunnel(now)
        out = b""
        for entry in self.unanswered.values():
            entry.at, entry.tries = now, 1
            out += entry.sent.bytes
        if not self.sent_positions and not self.backlog and not self.resting:
            out += self._send_positions("position", [self.position(now)], now)  # so that it is on the map at once
        return out + self._backfill(now)

    # -- positions ------------------------------------------------------------------------------------------------------

    def _send_positions(self, kind: str, positions: list[PositionBody], now: datetime) -> bytes:
        if kind == "position":
            message = reports.message(0x0200, self.year, **positions[0].__dict__)
        else:
            message = reports.message(0x0704, self.year, count=len(positions), type=1, positions=positions)
        sent = self.send(message)
        self.unanswered[sent.serial] = Unanswered(sent, now, positions)
        self.sent_positions += len(positions)
        return sent.bytes

    def _backfill(self, now: datetime) -> bytes:
        out = b""
        while self.backlog and self.state is State.ONLINE and sum(entry.sent.id == 0x0704 for entry in self.unanswered.values()) < WINDOW:
            batch = [self.backlog.popleft() for _ in range(min(BATCH, len(self.backlog)))]
            out += self._send_positions("batch", batch, now)
        return out

    def _safe(self, entry: Unanswered) -> None:
        self.acknowledged_positions += len(entry.positions)
        for part, body in enumerate(entry.positions):
            measured_at = cast(datetime, body.measured_at)
            sent = entry.sent
            self.note(Acknowledged(self.vehicle.phone, measured_at, sent.id, sent.serial, part, body.latitude, body.longitude, body))

    def _again_at(self, entry: Unanswered) -> datetime:
        """Waits grow as JT/T 808-2013, 6.1 says: the n-th is n times the first."""
        return entry.at + timedelta(seconds=self.habits.answer_s * entry.tries)

    def _again(self, now: datetime) -> bytes:
        out = b""
        for entry in self.unanswered.values():
            if now < self._again_at(entry):
                continue
            if entry.tries > self.habits.retries:
                self.close(now, self.dice.uniform(0, 2))
                return out
            entry.at, entry.tries = now, entry.tries + 1
            out += entry.sent.bytes
        return out

    def _watch_link(self, now: datetime) -> bytes:
        if self._track_until is not None and now >= self._track_until:
            self.track(0, 0, now)
        if self.state in (State.REGISTERING, State.AUTHENTICATING) and now >= self._login_by:
            self.close(now, self.dice.uniform(1, 5))
        elif self.state is State.ONLINE and now >= self._tunnel_at:
            self._tunnel_at = self._next_tunnel(now)
            self.close(now, self.dice.uniform(*self.habits.tunnel_s))
        elif now - self._heard_at > timedelta(seconds=3 * self._heartbeat_s):
            self.close(now, self.dice.uniform(0, 2))
        return b""

    def _next_tunnel(self, now: datetime) -> datetime:
        every = self.habits.tunnel_every_s
        return now + (timedelta(seconds=self.dice.expovariate(1 / every)) if every else timedelta(days=3650))


_SESSION: dict[int, Callable[[Terminal, Record, datetime], bytes]] = {
    0x8001: Terminal._answered,
    0x8100: Terminal._registered,
}
"""Answers that move the session on; everything else is an order."""
