"""Places: loaded in editions, found again on any day, and each with someone who answers."""

import json
import time
from collections.abc import Callable
from datetime import date

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from jilink.core.areas import actions, geojson, reads
from jilink.core.areas.actions import EditionRefused, UnitRefused
from jilink.core.areas.events import LayerLoaded
from jilink.core.areas.geojson import Columns, GeoJSONRefused
from jilink.core.areas.shapes import METRES_A_DEGREE, NOWHERE, ShapeIndex
from jilink.core.outbox.models import OutboxEvent
from jilink.core.parties import access
from jilink.core.parties.access import NOBODY, Actor, NotFound
from jilink.core.parties.rules import Role
from jilink.kernel.errors import Refused
from jilink.kernel.ids import OrganisationId
from jilink.kernel.texts import Text
from tests.core.world import NOW, World

SPRING, SUMMER, AUTUMN = date(2026, 3, 1), date(2026, 6, 1), date(2026, 9, 1)
CHANGCHUN = (125.3235, 43.8171)


def square(west: float, south: float, size: float = 0.01) -> list[list[float]]:
    return [[west, south], [west + size, south], [west + size, south + size], [west, south + size], [west, south]]


def feature(code: str, ring: list[list[float]], **properties: str) -> dict[str, object]:
    return {
        "type": "Feature",
        "properties": {"code": code, "name": f"网格{code}", **properties},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def collection(*features: dict[str, object], **members: object) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features, **members}).encode()


GRID = collection(feature("A", square(125.0, 43.0)), feature("B", square(125.01, 43.0)))


def load(
    world: World, data: bytes = GRID, *, day: date = SPRING, by: Actor | None = None, organisation: OrganisationId | None = None
) -> int:
    return actions.load_layer(
        organisation=organisation or world.north,
        key="grid",
        title=Text("网格", "Grid"),
        sheet=geojson.read(data),
        source="grid.geojson",
        valid_from=day,
        by=by or world.actor(Role.OWNER, world.north),
        now=NOW,
    )


@pytest.fixture
def divisions(world: World) -> World:
    actions.load_divisions(by=access.system("test"), now=NOW)
    return world


def test_the_divisions_name_every_village_and_find_a_point_in_its_county(divisions: World) -> None:
    agent = divisions.actor(Role.AGENT, divisions.depot)
    (village,) = reads.find(agent, "220102001001", on=SPRING)
    assert [area.name.zh for area in reads.above(agent, village)] == ["吉林省", "长春市", "南关区", "南岭街道", "华阳社区"]
    assert [area.name.zh for area in reads.locate(agent, *CHANGCHUN, on=SPRING).areas][:2] == ["吉林省", "长春市"]
    assert len(reads.below(agent, reads.by_code(agent, "divisions", "22", on=SPRING))) == 9
    assert reads.find(agent, "公主岭", on=SPRING)[0].code == "220184"
    assert reads.find(agent, "Gongzhuling", on=SPRING)[0].code == "220184"


def test_the_divisions_are_loaded_once_and_by_the_installation_only(divisions: World) -> None:
    assert actions.load_divisions(by=access.system("test"), now=NOW) == 0
    with pytest.raises(Refused):
        actions.load_divisions(by=divisions.actor(Role.OPERATOR, divisions.north))


def test_a_new_edition_ends_the_one_before_and_old_days_keep_theirs(world: World) -> None:
    owner = world.actor(Role.OWNER, world.north)
    load(world)
    load(world, collection(feature("C", square(125.0, 43.0, 0.02))), day=SUMMER)

    def codes(day: date) -> list[str]:
        return [area.code for area in reads.locate(owner, 125.005, 43.005, on=day).areas]

    assert codes(date(2026, 2, 28)) == []
    assert codes(SPRING) == codes(date(2026, 5, 31)) == ["A"]
    assert codes(SUMMER) == codes(AUTUMN) == ["C"]
    assert [(layer.edition, layer.valid_until) for layer in reads.layers(owner)] == [(2, None), (1, SUMMER)]
    with pytest.raises(EditionRefused, match="2026-06-01"):
        load(world, day=SUMMER)
    assert OutboxEvent.objects.filter(noun="areas", name=LayerLoaded.NAME).count() == 2


def test_a_point_within_its_accuracy_of_a_border_names_the_neighbour(world: World) -> None:
    owner = world.actor(Role.OWNER, world.north)
    load(world)
    metre = 1 / (METRES_A_DEGREE * np.cos(np.radians(43.005)))
    place = reads.locate(owner, 125.01 - 8 * metre, 43.005, on=SPRING, accuracy_m=10)
    assert ([a.code for a in place.areas], [a.code for a in place.doubtful]) == (["A"], ["B"])
    place = reads.locate(owner, 125.01 - 12 * metre, 43.005, on=SPRING, accuracy_m=10)
    assert ([a.code for a in place.areas], place.doubtful) == (["A"], ())
    place = reads.locate(owner, 125.02 + 8 * metre, 43.005, on=SPRING, accuracy_m=10)
    assert (place.areas, [a.code for a in place.doubtful]) == ((), ["B"])


def test_a_point_on_a_common_border_lies_in_exactly_one_area(world: World) -> None:
    load(world)
    place = reads.locate(world.actor(Role.AGENT, world.north), 125.01, 43.005, on=SPRING)
    assert len(place.areas) == 1


@pytest.mark.once
def test_a_million_points_are_found_as_one_by_one(divisions: World) -> None:
    agent = divisions.actor(Role.AGENT, divisions.north)
    rng = np.random.default_rng(7)
    x, y = rng.uniform(121.6, 131.4, 1_000_000), rng.uniform(40.8, 46.4, 1_000_000)
    began = time.perf_counter()
    column = reads.locate_many(agent, x, y, key="divisions", level="county", on=SPRING)
    print(f"a million points in {time.perf_counter() - began:.2f} s")  # noqa: T201 -- shown when asked for
    assert column.place.shape == (1_000_000,)
    assert 0.3 < np.mean(column.place != NOWHERE) < 0.5
    for i in range(40):
        county = [area.code for area in reads.locate(agent, x[i], y[i], on=SPRING).areas if area.level == "county"]
        assert county == ([column.areas[column.place[i]].code] if column.place[i] != NOWHERE else [])


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 4), st.floats(0, 4)), min_size=1, max_size=40))
def test_the_index_agrees_with_asking_every_shape(points: list[tuple[float, float]]) -> None:
    shapes = [shapely.box(i, j, i + 1, j + 1) for i in range(3) for j in range(3)] + [shapely.Point(3.5, 3.5).buffer(0.4)]
    x, y = np.array(points).T
    expected = [next((n for n, shape in enumerate(shapes) if shape.intersects(shapely.Point(p))), NOWHERE) for p in points]
    assert ShapeIndex(shapes).locate(x, y).tolist() == expected


def test_the_smallest_area_and_the_longest_category_decide_who_answers(divisions: World) -> None:
    owner = divisions.actor(Role.OWNER, divisions.north)

    def answers(code: str, category: str, unit: OrganisationId | None) -> None:
        actions.set_responsibility(
            organisation=divisions.north, layer_key="divisions", area_code=code, category=category, unit=unit, by=owner
        )

    def who(category: str) -> tuple[int, str, str] | None:
        areas = reads.locate(owner, *CHANGCHUN, on=SPRING).areas
        found = reads.who_answers(owner, divisions.north, areas, category)
        return (found.unit, found.area.level, found.category) if found else None

    assert who("road.manhole") is None
    answers("22", "", divisions.north)
    answers("2201", "road", divisions.depot)
    assert who("road.manhole") == (divisions.depot, "prefecture", "road")
    assert who("roadside") == (divisions.north, "province", "")
    answers("2201", "road.manhole", divisions.north)
    assert who("road.manhole") == (divisions.north, "prefecture", "road.manhole")
    answers("2201", "road.manhole", None)
    assert who("road.manhole") == (divisions.depot, "prefecture", "road")
    with pytest.raises(UnitRefused):
        answers("2201", "road", divisions.south)
    with pytest.raises(UnitRefused):
        answers("9999", "road", divisions.depot)
    assert [duty.area_code for duty in reads.responsibilities(owner, divisions.north)] == ["22", "2201"]


def test_layers_and_duties_stay_behind_their_wall(world: World) -> None:
    layer = load(world)
    inside, stranger = world.actor(Role.AGENT, world.depot), world.actor(Role.OWNER, world.south)
    assert reads.layers(inside) == []  # what the organisation above draws is its own
    for asking in (stranger, inside):
        assert reads.locate(asking, 125.005, 43.005, on=SPRING).areas == ()
        assert reads.find(asking, "网格", on=SPRING) == []
        for ask in (
            lambda who: reads.by_code(who, "grid", "A", on=SPRING),
            lambda who: reads.shapes(who, layer, "grid"),
            lambda who: reads.locate_many(who, np.zeros(1), np.zeros(1), key="grid", level="grid", on=SPRING),
            lambda who: reads.who_answers(who, world.north, [], ""),
            lambda who: reads.responsibilities(who, world.north),
            lambda who: load(world, by=who, day=SUMMER),
            lambda who: actions.set_responsibility(
                organisation=world.north, layer_key="grid", area_code="A", category="", unit=world.north, by=who
            ),
        ):
            _is_not_found(ask, asking)
    for ask in (
        lambda who: reads.layers(who),
        lambda who: reads.locate(who, 125, 43, on=SPRING),
        lambda who: reads.find(who, "A", on=SPRING),
    ):
        _is_not_found(ask, NOBODY)
    _is_not_found(lambda who: load(world, by=who, day=SUMMER), world.actor(Role.AGENT, world.north))


def _is_not_found(ask: Callable[[Actor], object], asking: Actor) -> None:
    with pytest.raises(NotFound):
        ask(asking)


@pytest.mark.once
def test_borders_are_drawn_simplified_and_still_meet(divisions: World) -> None:
    agent = divisions.actor(Role.AGENT, divisions.north)
    (layer,) = reads.layers(agent, on=SPRING)
    drawn = reads.shapes(agent, layer.id, "county", tolerance=0.02)
    assert len(drawn) == 60
    assert sum(len(shape) for _, shape in drawn) < 200_000
    assert all(shapely.from_geojson(shape).is_valid for _, shape in drawn)


def test_coordinates_of_other_systems_are_put_into_wgs84() -> None:
    ring = [[500_000 + dx, 4_860_000 + dy] for dx, dy in ((0, 0), (1000, 0), (1000, 1000), (0, 1000), (0, 0))]
    sheet = geojson.read(collection(feature("A", ring)), datum="EPSG:4547")  # CGCS2000, 3 degrees, centre 114 E
    assert shapely.bounds(sheet.areas[0].shape)[:2] == pytest.approx([114.0, 43.88], abs=0.01)
    told = geojson.read(collection(feature("A", ring), crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4547"}}))
    assert told.areas[0].shape.equals(sheet.areas[0].shape)
    shifted = geojson.read(collection(feature("A", square(125.33, 43.89))), datum="gcj02")
    west, south, *_ = shapely.bounds(shifted.areas[0].shape)
    assert (125.33 - west) * METRES_A_DEGREE * np.cos(np.radians(43.9)) == pytest.approx(520, abs=60)
    assert (43.89 - south) * METRES_A_DEGREE == pytest.approx(270, abs=40)


def test_names_levels_and_parents_come_from_the_properties_named() -> None:
    data = collection(
        feature("x", square(125, 43, 0.02), DM="2201", MC="南关", JB="county"), feature("y", square(125, 43), DM="7", MC="一格", SJ="2201")
    )
    sheet = geojson.read(data, columns=Columns(code="DM", name="MC", level="JB", parent="SJ"))
    assert [(area.code, area.name, area.level, area.parent) for area in sheet.areas] == [
        ("2201", "南关", "county", ""),
        ("7", "一格", "grid", "2201"),
    ]


def test_a_bow_tie_is_mended_when_little_changes_and_overlaps_are_told() -> None:
    barely = [[0, 0], [10, 0], [10, 10], [5, 10.001], [5.001, 10], [0, 10], [0, 0]]
    sheet = geojson.read(collection(feature("A", barely), feature("B", square(5, 5, 10))))
    assert any("mended" in remark.en and "修复" in remark.zh for remark in sheet.remarks) == (not shapely.Polygon(barely).is_valid)
    assert any("overlap by 25%" in remark.en and "25%" in remark.zh for remark in sheet.remarks)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"not json", "not GeoJSON"),
        (b'{"type": "Feature"}', "FeatureCollection"),
        (b'{"type": "FeatureCollection", "features": []}', "at least one"),
        (collection(feature("A", square(125, 43)), feature("A", square(126, 43))), "“A” stands 2 times"),
        (collection(feature("", square(125, 43))), "Feature 1 has no property “code”"),
        (collection(feature("A", square(125, 43)), feature("B", square(500_000, 4_800_000, 1000))), "Feature 2 lies outside"),
        (collection(feature("A", [[0, 0], [10, 10], [10, 0], [0, 10], [0, 0]])), "Feature 1 has a border .* self-intersection"),
        (collection(feature("A", [[0, 0], [1, 1], [0, 0]])), "Feature 1"),
        (collection(feature("A", square(1, 1), level="planet")), "“planet”"),
        (collection(feature("A", square(1, 1), parent="Z")), "“Z”, which is not in the file"),
        (collection(feature("A", square(1, 1), parent="B"), feature("B", square(1, 1))), "not of a larger level"),
        (collection(feature("A/B", square(1, 1))), "slash"),
        (collection({"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [1, 1]}}), "no polygon"),
        (collection({"type": "Feature", "properties": {}, "geometry": None}), "Feature 1 has no readable geometry"),
        (collection(feature("A", square(1, 1)), crs={"properties": {"name": "EPSG:1"}}), "“EPSG:1” is not known"),
    ],
)
def test_a_file_that_cannot_be_loaded_is_refused_with_its_place(data: bytes, reason: str) -> None:
    with pytest.raises(GeoJSONRefused, match=reason):
        geojson.read(data)


@hypothesis_settings(max_examples=300, deadline=None)
@given(st.recursive(st.none() | st.floats() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=4), max_leaves=30))
def test_no_geometry_breaks_the_reading(coordinates: object) -> None:
    data = collection(
        {"type": "Feature", "properties": {"code": "A", "name": "A"}, "geometry": {"type": "Polygon", "coordinates": coordinates}}
    )
    with pytest.raises(GeoJSONRefused):
        geojson.read(data)
