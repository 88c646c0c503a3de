"""Places lie in their counties, roads in the province, and lines are measured right."""

import math
from random import Random

import numpy as np
import pytest
import shapely

from jilink.core.areas import boundaries
from jilink.simulator.places import PLACES, ROADS
from jilink.simulator.roads import METRES_PER_DEGREE, Line, corner_near, road_line, route, streets


@pytest.fixture(scope="module")
def province():
    (area,) = [area for area in boundaries.provinces() if area.code == boundaries.JILIN]
    shapely.prepare(area.shape)
    return area.shape


def test_every_place_lies_in_the_county_or_prefecture_of_its_name():
    areas = [*boundaries.counties(), *boundaries.prefectures()]
    for place in PLACES.values():
        point = shapely.Point(place.longitude, place.latitude)
        assert any(place.name in area.name for area in areas if area.shape.contains(point)), place


@pytest.mark.parametrize("road", ROADS, ids=lambda road: f"{road.start}-{road.end}")
def test_every_road_lies_in_the_province_and_joins_its_places(road, province):
    line = road_line(road)
    assert shapely.contains(province, shapely.points(line.longitude, line.latitude)).all()
    for place, index in ((PLACES[road.start], 0), (PLACES[road.end], -1)):
        assert math.isclose(line.longitude[index], place.longitude, abs_tol=1e-6)
        assert math.isclose(line.latitude[index], place.latitude, abs_tol=1e-6)
    _is_measured_right(line)


def _is_measured_right(line: Line) -> None:
    middle = np.cos(np.radians((line.latitude[1:] + line.latitude[:-1]) / 2))
    steps = np.hypot(np.diff(line.longitude) * middle, np.diff(line.latitude)) * METRES_PER_DEGREE
    assert np.allclose(np.diff(line.distance), np.maximum(steps, 0.01), atol=0.01)
    assert steps.max() < 300


def test_every_place_is_reached_from_every_prefecture():
    for place in PLACES:
        if place != "长春":
            line = route("长春", place)
            assert line.length > 10_000
            _is_measured_right(line)
            assert math.isclose(route(place, "长春").length, line.length, rel_tol=1e-9)


def test_streets_stay_in_their_town_and_turn_by_the_limit_of_their_corners():
    place, dice = PLACES["四平"], Random(5)
    for _ in range(40):
        start, end = corner_near(place, dice), corner_near(place, dice)
        if start == end:
            continue
        line = streets(place, start, end)
        east = (line.longitude - place.longitude) * math.cos(math.radians(place.latitude)) * METRES_PER_DEGREE
        north = (line.latitude - place.latitude) * METRES_PER_DEGREE
        assert np.hypot(east, north).max() < place.reach_km * 1000 * 1.6
        assert line.limit.min() >= 3.0
        _is_measured_right(line)
