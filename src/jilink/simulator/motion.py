"""How a pretend vehicle moves: trips by its kind, speeds a driver would hold, and what its terminal would measure.

Everything follows from a seed and from the times it is asked at; there is no clock in here.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from random import Random

import numpy as np

from jilink.simulator.places import PLACES
from jilink.simulator.register import COUNTIES, MAKES, Kind, Vehicle
from jilink.simulator.roads import Floats, Line, corner_near, route, streets

ACCELERATION = {Kind.TAXI: 1.6, Kind.COACH: 0.8, Kind.TRUCK: 0.6, Kind.DANGEROUS: 0.5, Kind.REFUSE: 0.8}
"""m/s2"""
BRAKING = 1.1
MANNERS = (0.82, 0.87, 0.92, 0.97, 1.02)
"""Share of the allowed speed that drivers hold. Few, so that vehicles on one way share what is computed for it."""
STEP_S = 1.0
LONGEST_STEP_S = 3600.0
"""A longer pause between two looks counts as parked time beyond this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """What the terminal measures at one moment."""

    at: datetime
    longitude: float
    latitude: float
    altitude_m: int
    speed_kmh: float
    course: int
    odometer_km: float
    fuel_l: float
    ignition: bool
    loaded: bool
    braking: bool
    turn: int
    """-1 left, 0 none, 1 right"""
    satellites: int
    signal: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """A line to drive, the stops on the way (metres, seconds), the rest at its end and whether the vehicle is loaded."""

    line: Line
    stops: tuple[tuple[float, float], ...]
    rest_s: float
    loaded: bool
    top_kmh: float


def _pauses_every(line: Line, metres: float, seconds: float) -> tuple[tuple[float, float], ...]:
    return tuple((float(at), seconds) for at in np.arange(metres, line.length - metres / 2, metres))


def _in_town(vehicle: Vehicle, dice: Random) -> Iterator[Trip]:
    """Taxis take people about; refuse trucks stop every 150 m."""
    place = PLACES[vehicle.home]
    here = corner_near(place, dice)
    refuse = vehicle.kind is Kind.REFUSE
    while True:
        there = corner_near(place, dice)
        if there == here:
            continue
        line = streets(place, here, there)
        if refuse:
            yield Trip(line=line, stops=_pauses_every(line, 150.0, 35.0), rest_s=dice.uniform(60, 300), loaded=True, top_kmh=28)
        else:
            lights = tuple((at, dice.uniform(5, 45)) for at, _ in _pauses_every(line, 1260.0, 0.0) if dice.random() < 0.5)
            yield Trip(
                line=line, stops=lights, rest_s=dice.uniform(20, 240), loaded=dice.random() < 0.65, top_kmh=MAKES[vehicle.kind].top_kmh
            )
        here = there


def _between_towns(vehicle: Vehicle, dice: Random) -> Iterator[Trip]:
    """Coaches keep to one line; trucks go where a load takes them."""
    seats = [towns[0] for towns in COUNTIES.values()]
    others = [name for name in (seats if vehicle.kind is Kind.COACH else list(PLACES)) if name != vehicle.home]
    here, away = vehicle.home, dice.choice(others)
    loaded = True
    while True:
        there = away if here == vehicle.home else vehicle.home
        line = route(here, there)
        if vehicle.kind is Kind.COACH:
            stops, rest_s = _pauses_every(line, 90_000.0, 300.0), dice.uniform(600, 1800)
        else:
            stops, rest_s = _pauses_every(line, 160_000.0, 1200.0), dice.uniform(900, 3600)
        yield Trip(line=line, stops=stops, rest_s=rest_s, loaded=loaded, top_kmh=MAKES[vehicle.kind].top_kmh)
        here = there
        if here == vehicle.home:
            away = dice.choice(others) if vehicle.kind is not Kind.COACH else away
        loaded = vehicle.kind is Kind.COACH or not loaded


_PLANS = {
    Kind.TAXI: _in_town,
    Kind.REFUSE: _in_town,
    Kind.COACH: _between_towns,
    Kind.TRUCK: _between_towns,
    Kind.DANGEROUS: _between_towns,
}


class Drive:
    """One vehicle's life on the road. `advance` moves it on to a time, `fix` says what its terminal measures then."""

    def __init__(self, vehicle: Vehicle, now: datetime) -> None:
        """Put the vehicle somewhere in the middle of a trip, as if it had been driving before anybody looked."""
        self.vehicle = vehicle
        self.now = now
        self._dice = Random(vehicle.seed)  # noqa: S311 -- traffic, not a secret
        make = MAKES[vehicle.kind]
        self._manner = self._dice.choice(MANNERS)
        self._tank_l, self._burn_l_per_m = make.tank_l, make.litres_per_100_km / 100_000
        self._fuel_l = make.tank_l * self._dice.uniform(0.3, 1.0)
        self._odometer_m = self._dice.uniform(5e6, 4e8)
        self._trips = _PLANS[vehicle.kind](vehicle, self._dice)
        self._metres = self._speed = self._resting_s = 0.0
        self._braking = False
        self._turn = 0
        self._stops: list[tuple[float, float]] = []
        self._begin(next(self._trips))
        if self._dice.random() < 0.9:
            self._metres = self._trip.line.length * self._dice.uniform(0.02, 0.9)
            self._stops = [stop for stop in self._stops if stop[0] > self._metres]
            self._speed = self._allowed()
        else:
            self._resting_s = self._dice.uniform(0, 600)

    def _begin(self, trip: Trip) -> None:
        self._trip = trip
        self._metres = 0.0
        self._index = 0
        self._stops = list(trip.stops)
        self._envelope = _braking_envelope(trip.line, min(trip.top_kmh / 3.6, 34.0) * self._manner)

    def _allowed(self) -> float:
        """Return the highest speed that keeps to the limits and can still stop at the next stop and at the end, m/s."""
        distance, index = self._trip.line.distance, self._index
        while index < len(distance) - 2 and distance[index + 1] <= self._metres:
            index += 1
        self._index = index
        ahead = float(self._envelope[index + 1])
        allowed = min(
            float(self._envelope[index]), math.sqrt(ahead * ahead + 2 * BRAKING * max(float(distance[index + 1]) - self._metres, 0.0))
        )
        if self._stops:
            allowed = min(allowed, math.sqrt(2 * BRAKING * max(self._stops[0][0] - self._metres, 0.0)))
        return allowed

    def advance(self, now: datetime) -> None:
        """Move on to `now`; a time before the last one changes nothing."""
        left = min((now - self.now).total_seconds(), LONGEST_STEP_S)
        if left <= 0:
            return
        self.now = now
        while left > 1e-6:
            step = min(STEP_S, left)
            left -= step
            self._step(step)

    def _step(self, seconds: float) -> None:
        if self._resting_s > 0:
            self._resting_s -= seconds
            self._speed, self._braking, self._turn = 0.0, False, 0
            return
        before = self._speed
        self._speed = max(min(before + ACCELERATION[self.vehicle.kind] * seconds, self._allowed()), 0.0)
        self._braking = self._speed < before - 0.2 * seconds
        moved = (before + self._speed) / 2 * seconds
        if self._speed < 0.6:
            moved = max(moved, 0.4 * seconds)  # creep the last metre up to the line
        self._move(moved)

    def _move(self, metres: float) -> None:
        stop = self._stops[0][0] if self._stops else self._trip.line.length
        metres = min(metres, stop - self._metres)
        self._metres += metres
        self._odometer_m += metres
        self._fuel_l -= metres * self._burn_l_per_m * (1.15 if self._trip.loaded else 0.9)
        if stop - self._metres > 0.5:
            return
        self._speed = 0.0
        if self._stops:
            self._resting_s = self._stops.pop(0)[1]
            return
        self._resting_s = self._trip.rest_s
        if self._fuel_l < self._tank_l * 0.2:
            self._fuel_l = self._tank_l * 0.97
        self._begin(next(self._trips))

    def fix(self) -> Fix:
        """Return what the terminal measures now. Speed, course and odometer agree with the places of the fixes around it."""
        longitude, latitude, course = self._trip.line.at(self._metres)
        _, _, soon = self._trip.line.at(self._metres + 40.0)
        bend = (soon - course + 180.0) % 360.0 - 180.0
        moving = self._resting_s <= 0
        return Fix(
            at=self.now,
            longitude=longitude,
            latitude=latitude,
            altitude_m=_altitude(longitude, latitude),
            speed_kmh=round(self._speed * 3.6, 1),
            course=round(course) % 360,
            odometer_km=self._odometer_m / 1000,
            fuel_l=max(self._fuel_l, 0.0),
            ignition=moving or self._resting_s < 240,
            loaded=self._trip.loaded,
            braking=self._braking,
            turn=0 if not moving or abs(bend) < 25 else (1 if bend > 0 else -1),
            satellites=self._dice.randint(9, 22),
            signal=self._dice.randint(16, 31),
        )


@lru_cache(maxsize=4096)
def _braking_envelope(line: Line, top: float) -> Floats:
    """Return the speed at each point (m/s) from which the limits ahead and a stop at the end can be kept with `BRAKING`.

    v[i]^2 = min over j >= i of (limit[j]^2 + 2 x braking x metres from i to j): a running minimum from the end.
    """
    squares = np.minimum(line.limit, top) ** 2
    squares[-1] = 0.0
    room = 2 * BRAKING * line.distance
    reach = np.minimum.accumulate((squares + room)[::-1])[::-1] - room
    return np.sqrt(np.maximum(reach, 0.0))


def _altitude(longitude: float, latitude: float) -> int:
    """Return a plausible height in metres: the plain in the west, the Changbai mountains in the south-east."""
    rise = 1.0 / (1.0 + math.exp(-(longitude - 126.8 - 0.8 * (latitude - 43.0)) * 1.8))
    hills = math.sin(longitude * 23.0) * math.sin(latitude * 31.0)
    return round(150 + 430 * rise + (20 + 90 * rise) * hills)
