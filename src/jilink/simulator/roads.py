"""Where pretend vehicles drive: smooth lines between places, and streets inside them. Same bytes in, same line out."""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from random import Random
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from jilink.simulator.places import PLACES, ROADS, Place, Road

METRES_PER_DEGREE = 111_195.0
SPACING_M = 100.0
STREET_LIMIT_KMH = 50
BLOCK_M = 420.0
LATERAL_ACCELERATION = 1.2
"""m/s2 in a bend; a comfortable driver stays below it, so bends set a limit of their own."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A way to drive: points about 100 m apart, metres from the start, and the speed allowed from each point on."""

    longitude: Floats
    latitude: Floats
    distance: Floats
    limit: Floats
    """m/s"""

    @property
    def length(self) -> float:
        """Metres from start to end."""
        return float(self.distance[-1])

    def at(self, metres: float) -> tuple[float, float, float]:
        """Return longitude, latitude and course (degrees clockwise from north) at a distance from the start."""
        last = len(self.distance) - 2
        index = min(max(int(np.searchsorted(self.distance, metres, side="right")) - 1, 0), last)
        span = self.distance[index + 1] - self.distance[index]
        part = min(max((metres - self.distance[index]) / span, 0.0), 1.0) if span else 0.0
        east, north = self.longitude[index + 1] - self.longitude[index], self.latitude[index + 1] - self.latitude[index]
        course = math.degrees(math.atan2(east * math.cos(math.radians(self.latitude[index])), north)) % 360.0
        return float(self.longitude[index] + part * east), float(self.latitude[index] + part * north), course

    def limit_at(self, metres: float) -> float:
        """Return the speed allowed at a distance from the start, m/s."""
        return float(self.limit[min(max(int(np.searchsorted(self.distance, metres, side="right")) - 1, 0), len(self.limit) - 1)])


def _line(longitude: Floats, latitude: Floats, limit_kmh: float | Floats) -> Line:
    """Measure a line and let its bends lower the limit: speed <= sqrt(lateral acceleration x radius)."""
    middle = np.cos(np.radians((latitude[1:] + latitude[:-1]) / 2))
    east, north = np.diff(longitude) * middle * METRES_PER_DEGREE, np.diff(latitude) * METRES_PER_DEGREE
    step = np.maximum(np.hypot(east, north), 0.01)
    distance = np.concatenate([[0.0], np.cumsum(step)])
    course = np.unwrap(np.arctan2(east, north))
    turn = np.abs(np.diff(course)) / np.maximum((step[1:] + step[:-1]) / 2, 1.0)  # radians a metre
    bend = np.sqrt(LATERAL_ACCELERATION / np.maximum(turn, 1e-6))
    allowed = np.broadcast_to(np.asarray(limit_kmh, dtype=float) / 3.6, longitude.shape).copy()
    allowed[1:-1] = np.minimum(allowed[1:-1], np.maximum(bend, 3.0))
    return Line(longitude, latitude, distance, allowed)


def _smooth(points: Sequence[tuple[float, float]], spacing_m: float) -> tuple[Floats, Floats]:
    """Return a Catmull-Rom curve through the points, sampled about every `spacing_m` metres."""
    padded = np.array([points[0], *points, points[-1]], dtype=float)
    pieces = []
    for index in range(len(points) - 1):
        before, start, end, after = padded[index : index + 4]
        chord = end - start
        metres = float(np.hypot(chord[0] * math.cos(math.radians(start[1])), chord[1])) * METRES_PER_DEGREE
        t = np.linspace(0.0, 1.0, max(int(metres / spacing_m), 2), endpoint=False)[:, None]
        pieces.append(
            0.5
            * (
                2 * start
                + (end - before) * t
                + (2 * before - 5 * start + 4 * end - after) * t**2
                + (3 * start - before - 3 * end + after) * t**3
            )
        )
    curve = np.vstack([*pieces, padded[-1][None]])
    return curve[:, 0], curve[:, 1]


@cache
def road_line(road: Road) -> Line:
    """Return a road's line from its start to its end: a curve through its points that winds a little, the same each time."""
    start, end = PLACES[road.start], PLACES[road.end]
    longitude, latitude = _smooth([(start.longitude, start.latitude), *road.via, (end.longitude, end.latitude)], SPACING_M)
    dice = Random(crc32(f"{road.start}-{road.end}".encode()))  # noqa: S311 -- scenery, not a secret
    count = len(longitude)
    along = np.linspace(0.0, 1.0, count)
    kilometres = count * SPACING_M / 1000
    winding = 0.004 if road.limit_kmh > 100 else 0.008
    offset = np.zeros(count)
    for wave_km in (30.0, 14.0, 6.0):
        offset += winding * (wave_km / 30.0) * np.sin(2 * np.pi * (kilometres / wave_km * along + dice.random()))
    offset *= np.minimum(1.0, np.minimum(along, 1 - along) * kilometres / 8.0)  # none at the ends
    east, north = np.gradient(longitude), np.gradient(latitude)
    size = np.maximum(np.hypot(east, north), 1e-12)
    return _line(longitude - offset * north / size, latitude + offset * east / size, float(road.limit_kmh))


def _reversed(line: Line) -> Line:
    return Line(line.longitude[::-1], line.latitude[::-1], line.length - line.distance[::-1], line.limit[::-1])


@cache
def _neighbours() -> dict[str, list[tuple[str, float, Line]]]:
    near: dict[str, list[tuple[str, float, Line]]] = {name: [] for name in PLACES}
    for road in ROADS:
        line = road_line(road)
        seconds = line.length / (road.limit_kmh / 3.6)
        near[road.start].append((road.end, seconds, line))
        near[road.end].append((road.start, seconds, _reversed(line)))
    return near


@cache
def route(start: str, end: str) -> Line:
    """Return the fastest way from one place to another over the roads. Raises KeyError for an unknown place."""
    near = _neighbours()
    best: dict[str, float] = {start: 0.0}
    came: dict[str, tuple[str, Line]] = {}
    queue: list[tuple[float, str]] = [(0.0, start)]
    while queue:
        seconds, here = heapq.heappop(queue)
        if here == end:
            break
        if seconds > best[here]:
            continue
        for there, more, line in near[here]:
            if seconds + more < best.get(there, math.inf):
                best[there] = seconds + more
                came[there] = (here, line)
                heapq.heappush(queue, (best[there], there))
    lines: list[Line] = []
    while end != start:
        end, line = came[end]
        lines.append(line)
    return _joined(lines[::-1])


def _joined(lines: Sequence[Line]) -> Line:
    distance, base = [lines[0].distance], lines[0].length
    for line in lines[1:]:
        distance.append(line.distance[1:] + base)
        base += line.length
    first, rest = lines[0], lines[1:]
    return Line(
        np.concatenate([first.longitude, *(line.longitude[1:] for line in rest)]),
        np.concatenate([first.latitude, *(line.latitude[1:] for line in rest)]),
        np.concatenate(distance),
        np.concatenate([first.limit, *(line.limit[1:] for line in rest)]),
    )


Corner = tuple[int, int]


def streets(place: Place, start: Corner, end: Corner) -> Line:
    """Return a drive through a town from one street corner to another: along blocks, round corners.

    Corners count blocks east and north from the centre; every town's grid is turned a little its own way.
    """
    across, up = end[0] - start[0], end[1] - start[1]
    dice = Random(crc32(repr((place.name, start, end)).encode()))  # noqa: S311 -- scenery, not a secret
    first = round(across * dice.random())
    corners = [start]
    for east, north in ((first, 0), (0, up), (across - first, 0)):
        x, y = corners[-1]
        step = (east > 0) - (east < 0), (north > 0) - (north < 0)
        corners += [(x + step[0] * k, y + step[1] * k) for k in range(1, abs(east + north) + 1)]
    return _line(*_rounded([_corner_metres(place, corner) for corner in corners], place), float(STREET_LIMIT_KMH))


def corner_near(place: Place, dice: Random) -> Corner:
    """Return a random street corner of the place, more often near its centre."""
    blocks = max(int(place.reach_km * 1000 / BLOCK_M), 2)
    return round(dice.triangular(-blocks, blocks, 0)), round(dice.triangular(-blocks, blocks, 0))


def _corner_metres(place: Place, corner: Corner) -> tuple[float, float]:
    turn = math.radians(crc32(place.name.encode()) % 30 - 15)
    x, y = corner[0] * BLOCK_M, corner[1] * BLOCK_M
    return x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)


def _rounded(corners: Sequence[tuple[float, float]], place: Place) -> tuple[Floats, Floats]:
    """Return longitudes and latitudes along the corners (metres from the centre), each corner cut by an arc of 20 m."""
    points: list[tuple[float, float]] = [corners[0]]
    for before, here, after in zip(corners, corners[1:], corners[2:], strict=False):
        into, out = _toward(here, before, 20.0), _toward(here, after, 20.0)
        for part in (0.0, 0.25, 0.5, 0.75, 1.0):
            near = 1 - part
            points.append(tuple(near * near * a + 2 * near * part * b + part * part * c for a, b, c in zip(into, here, out, strict=True)))  # type: ignore[arg-type]  # -- two coordinates in, two out
    points.append(corners[-1])
    dense: list[tuple[float, float]] = [points[0]]
    for start, end in pairwise(points):
        pieces = max(int(math.dist(start, end) / SPACING_M), 1)
        dense += [(start[0] + (end[0] - start[0]) * k / pieces, start[1] + (end[1] - start[1]) * k / pieces) for k in range(1, pieces + 1)]
    metres = np.array(dense)
    scale = METRES_PER_DEGREE * math.cos(math.radians(place.latitude))
    return place.longitude + metres[:, 0] / scale, place.latitude + metres[:, 1] / METRES_PER_DEGREE


def _toward(start: tuple[float, float], end: tuple[float, float], metres: float) -> tuple[float, float]:
    part = min(metres / max(math.dist(start, end), 1e-9), 0.5)
    return start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part
