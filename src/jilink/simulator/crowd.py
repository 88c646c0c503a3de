"""Many pretend terminals on one event loop, each with a TCP connection of its own."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import cast

from jilink.kernel.clock import utc_now
from jilink.simulator.journal import Note, forget
from jilink.simulator.register import Vehicle
from jilink.simulator.terminal import Habits, State, Terminal

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
DIAL_WITHIN_S = 10.0
SLOWEST_TICK_S = 0.005
LONGEST_TICK_S = 3600.0

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Where a crowd stands."""

    terminals: int
    online: int
    refused: int
    sent: int
    """Positions sent, each counted once."""
    acknowledged: int
    waiting: int
    """Positions measured and not yet acknowledged."""
    connects: int

    @property
    def all_refused(self) -> bool:
        """Whether the platform refused every terminal when it registered last."""
        return self.refused == self.terminals


class Driver(asyncio.Protocol):
    """Keeps one terminal connected: dials with back-off, passes bytes, calls it when something is due."""

    def __init__(self, terminal: Terminal, host: str, port: int, clock: Clock) -> None:
        self.terminal = terminal
        self.connects = 0
        self._host, self._port, self._clock = host, port, clock
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._dialling: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._pause = FIRST_PAUSE_S
        self._dial_at = clock()
        self._dice = Random(terminal.vehicle.seed + 2)  # noqa: S311 -- waiting times, not a secret
        self._stopped = False

    def start(self) -> None:
        """Begin to dial and to measure."""
        self._wake()

    def stop(self) -> None:
        """Hang up and do nothing more."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        if self._dialling is not None:
            self._dialling.cancel()
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.connects += 1
        self._write(self.terminal.connect(self._clock()))
        self._wake()

    def data_received(self, data: bytes) -> None:
        self._write(self.terminal.receive(data, self._clock()))
        if self.terminal.state is State.ONLINE:
            self._pause = FIRST_PAUSE_S
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        now = self._clock()
        self._transport = None
        self.terminal.disconnect(now)
        self._dial_at = max(self.terminal.away_until, now + self._back_off())
        if not self._stopped:
            self._wake()

    def _back_off(self) -> timedelta:
        pause = self._pause * self._dice.uniform(0.5, 1.5)
        self._pause = min(self._pause * 2, LONGEST_PAUSE_S)
        return timedelta(seconds=pause)

    def _write(self, data: bytes) -> None:
        if data and self._transport is not None:
            self._transport.write(data)

    def _wake(self) -> None:
        """Do what is due and set the timer for what is next."""
        if self._timer is not None:
            self._timer.cancel()
        if self._stopped:
            return
        now = self._clock()
        self._write(self.terminal.tick(now))
        if self.terminal.wants_close and self._transport is not None:
            self._transport.close()
        due = self.terminal.next_at
        if self._transport is None and self._dialling is None:
            if now >= self._dial_at:
                self._dialling = asyncio.create_task(self._dial())
            else:
                due = min(due, self._dial_at)
        pause_s = min(max((due - now).total_seconds(), SLOWEST_TICK_S), LONGEST_TICK_S)
        self._timer = self._loop.call_later(pause_s, self._wake)

    async def _dial(self) -> None:
        failed = False
        try:
            async with asyncio.timeout(DIAL_WITHIN_S):
                await self._loop.create_connection(lambda: self, self._host, self._port)
        except (OSError, TimeoutError):
            self._dial_at = self._clock() + self._back_off()
            failed = True
        finally:
            self._dialling = None
        if failed:
            self._wake()


class Crowd:
    """Runs terminals for vehicles until `stop`. Use as an asynchronous context manager."""

    def __init__(
        self,
        vehicles: Sequence[Vehicle],
        host: str,
        port: int,
        *,
        habits: Habits | None = None,
        note: Note = forget,
        clock: Clock = utc_now,
        connects_per_s: float = 200.0,
    ) -> None:
        """`note` is told of every acknowledged position; the connections begin spread over time."""
        self._vehicles, self._host, self._port = vehicles, host, port
        self._habits = habits or Habits()
        self._note, self._clock, self._connects_per_s = note, clock, connects_per_s
        self._drivers: list[Driver] = []

    async def __aenter__(self) -> "Crowd":
        loop, now = asyncio.get_running_loop(), self._clock()
        for number, vehicle in enumerate(self._vehicles):
            driver = Driver(Terminal(vehicle, self._habits, now, self._note), self._host, self._port, self._clock)
            self._drivers.append(driver)
            loop.call_later(number / self._connects_per_s, partial(driver.start))
            if number % 200 == 199:
                await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        for driver in self._drivers:
            driver.stop()
        await asyncio.sleep(0)

    @property
    def terminals(self) -> list[Terminal]:
        """The terminals, in the order of the vehicles."""
        return [driver.terminal for driver in self._drivers]

    def rest(self) -> None:
        """Let every terminal measure nothing more and only deliver what it keeps."""
        for terminal in self.terminals:
            terminal.rest()

    def figures(self) -> Figures:
        """Return where the crowd stands."""
        states = Counter(driver.terminal.state for driver in self._drivers)
        terminals = self.terminals
        return Figures(
            terminals=len(terminals),
            online=states[State.ONLINE],
            refused=sum(terminal.refused for terminal in terminals),
            sent=sum(terminal.sent_positions for terminal in terminals),
            acknowledged=sum(terminal.acknowledged_positions for terminal in terminals),
            waiting=sum(len(t.backlog) + sum(len(entry.positions) for entry in t.unanswered.values()) for t in terminals),
            connects=sum(driver.connects for driver in self._drivers),
        )
