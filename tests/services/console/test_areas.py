"""Areas are browsed, found, asked for a point, loaded in two steps and given to those who answer; walls hold."""

import io
import json
from typing import Any

import pytest
from django.test import Client

from jilink.core.areas import actions, reads
from jilink.core.areas.geojson import read
from jilink.core.areas.models import Layer, Responsibility
from jilink.core.parties.access import system
from jilink.core.parties.rules import Role
from jilink.kernel.clock import CHINA
from jilink.kernel.texts import Text
from tests.core.world import NOW, World
from tests.services.conftest import signed_in

TODAY = NOW.astimezone(CHINA).date()


def square(code: str, name: str, west: float, **more: str) -> dict[str, Any]:
    ring = [[west, 43.8], [west + 0.1, 43.8], [west + 0.1, 43.9], [west, 43.9], [west, 43.8]]
    return {"type": "Feature", "properties": {"code": code, "name": name, **more}, "geometry": {"type": "Polygon", "coordinates": [ring]}}


GRIDS = json.dumps({"type": "FeatureCollection", "features": [square("N1", "第一网格", 125.2), square("N2", "第二网格", 125.3)]}).encode()


@pytest.fixture
def layer(world: World) -> int:
    sheet = read(GRIDS)
    title = Text("网格", "Grids")
    owner = world.actor(Role.OWNER, world.north)
    return actions.load_layer(
        organisation=world.north, key="grids", title=title, sheet=sheet, source="test", valid_from=TODAY, by=owner, now=NOW
    )


@pytest.fixture
def divisions(db: None) -> None:
    actions.load_divisions(by=system("test"), now=NOW)


def text_of(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def test_the_divisions_are_browsed_down_to_villages(world: World, divisions: None) -> None:
    reader = signed_in(world, Role.ANALYST, world.north)
    top = text_of(reader, "/console/areas/")
    assert "吉林省" in top
    viewer = world.actor(Role.ANALYST, world.north)
    county = reads.by_code(viewer, "divisions", "220122", on=TODAY)
    shown = text_of(reader, f"/console/areas/?area={county.id}")
    assert "农安" in shown and "吉林省" in shown and "长春市" in shown
    town = reads.below(viewer, county)[0]
    assert town.name.zh in shown and reads.below(viewer, town)[0].name.zh in text_of(reader, f"/console/areas/?area={town.id}")


def test_an_area_is_found_by_its_name_while_typing(world: World, divisions: None) -> None:
    reader = signed_in(world, Role.ANALYST, world.north)
    part = reader.get("/console/areas/?q=农安", headers={"HX-Request": "true"}).content.decode()
    assert "农安县" in part and "<html" not in part


def test_a_point_tells_where_it_lies_and_who_answers(world: World, layer: int) -> None:
    owner = world.actor(Role.OWNER, world.north)
    for category, unit in (("", world.north), ("road", world.depot)):
        actions.set_responsibility(organisation=world.north, layer_key="grids", area_code="N1", category=category, unit=unit, by=owner)
    reader = signed_in(world, Role.ANALYST, world.north)
    shown = text_of(reader, "/console/areas/?latitude=43.85&longitude=125.25&category=road.manhole")
    assert "第一网格" in shown and "<strong>Depot</strong>" in shown
    assert "<strong>North Fleet</strong>" in text_of(reader, "/console/areas/?latitude=43.85&longitude=125.25")
    assert "第二网格" in text_of(reader, "/console/areas/?latitude=43.85&longitude=125.2999")  # close to the border, its neighbour is named
    assert "第一网格" not in text_of(reader, "/console/areas/?latitude=48&longitude=125.25").split('id="point"')[1]


def test_the_map_gets_borders(world: World, layer: int) -> None:
    reader = signed_in(world, Role.ANALYST, world.north)
    assert f"/console/areas/shapes/{layer}/grid.json" in text_of(reader, "/console/areas/")
    found = reader.get(f"/console/areas/shapes/{layer}/grid.json").json()
    assert [each["properties"]["name"] for each in found["features"]] == ["第一网格", "第二网格"]
    assert reader.get(f"/console/areas/shapes/{layer}/county.json").json()["features"] == []


def given(world: World, data: bytes, **more: str) -> dict[str, Any]:
    file = io.BytesIO(data)
    file.name = "grids.geojson"
    columns = {"code_column": "code", "name_column": "name", "name_en_column": "", "level_column": "", "parent_column": ""}
    head = {"organisation": world.north, "key": "patrol", "title_zh": "巡查网格", "valid_from": "2026-06-01", "source": "测绘院 2026"}
    return {**head, **columns, "datum": "", "level": "grid", "file": file, **more}


def test_a_file_is_checked_and_shown_before_it_is_loaded(world: World) -> None:
    owner = signed_in(world, Role.OWNER, world.north)
    checked = owner.post("/console/areas/layers/load/", given(world, GRIDS)).content.decode()
    assert "第一网格" in checked and 'id="area-preview"' in checked and not Layer.objects.exists()
    again = {name: value for name, value in given(world, GRIDS).items() if name != "file"}
    answer = owner.post("/console/areas/layers/load/", {**again, "content": GRIDS.decode(), "load": "1"})
    assert answer.status_code == 302 and Layer.objects.get().size == 2
    assert "巡查网格" in text_of(owner, "/console/areas/layers/")
    early = owner.post("/console/areas/layers/load/", {**again, "content": GRIDS.decode(), "load": "1"})
    assert early.status_code == 400 and Layer.objects.count() == 1


def test_columns_datum_and_remarks_are_heeded(world: World) -> None:
    owner = signed_in(world, Role.OWNER, world.north)
    overlapping = json.dumps({"type": "FeatureCollection", "features": [square("A", "甲", 125.2), square("B", "乙", 125.25)]}).encode()
    shown = owner.post("/console/areas/layers/load/", given(world, overlapping, datum="gcj02", name_column="code")).content.decode()
    assert "A与B重叠，占较小者的" in shown
    wrong = owner.post("/console/areas/layers/load/", given(world, overlapping, name_column="title"))
    assert wrong.status_code == 400
    assert owner.post("/console/areas/layers/load/", given(world, b"{}")).status_code == 400


def test_who_answers_is_added_changed_and_removed(world: World, layer: int) -> None:
    owner = signed_in(world, Role.OWNER, world.north)
    area = reads.by_code(world.actor(Role.OWNER, world.north), "grids", "N1", on=TODAY)
    assert f"area={area.id}" in text_of(owner, f"/console/areas/responsibilities/?organisation={world.north}&q=第一")
    assert 'value="N1"' in text_of(owner, f"/console/areas/responsibilities/?organisation={world.north}&area={area.id}")
    duty = {"organisation": world.north, "layer_key": "grids", "area_code": "N1", "category": "road"}
    owner.post("/console/areas/responsibilities/set", {**duty, "unit": world.depot})
    assert Responsibility.objects.get().unit_id == world.depot
    owner.post("/console/areas/responsibilities/set", {**duty, "unit": world.north})
    assert Responsibility.objects.get().unit_id == world.north
    owner.post("/console/areas/responsibilities/set", {**duty, "unit": world.south})
    assert Responsibility.objects.get().unit_id == world.north
    assert "第一网格" in text_of(owner, f"/console/areas/responsibilities/?organisation={world.north}")
    owner.post("/console/areas/responsibilities/set", duty)
    assert not Responsibility.objects.exists()


MANAGING = ["layers/load/", "responsibilities/set"]


def addresses(world: World, layer: int) -> list[str]:
    area = reads.by_code(world.actor(Role.OWNER, world.north), "grids", "N1", on=TODAY)
    point = "?latitude=43.85&longitude=125.25"
    return [
        "",
        f"?area={area.id}",
        "?q=第一",
        point,
        f"shapes/{layer}/grid.json",
        "layers/",
        f"responsibilities/?organisation={world.north}",
        f"responsibilities/?area={area.id}",
        *MANAGING,
    ]


@pytest.mark.parametrize("method", ["get", "post"])
def test_another_organisation_learns_and_changes_nothing(world: World, layer: int, method: str) -> None:
    stranger = signed_in(world, Role.OWNER, world.south)
    duty = {"organisation": world.north, "layer_key": "grids", "area_code": "N1", "category": "", "unit": world.north}
    for address in addresses(world, layer):
        answer = stranger.get(f"/console/areas/{address}") if method == "get" else stranger.post(f"/console/areas/{address}", duty)
        assert "第一网格" not in answer.content.decode(), address
    assert stranger.get(f"/console/areas/shapes/{layer}/grid.json").status_code == 404
    assert stranger.post("/console/areas/responsibilities/set", duty).status_code == 404
    assert not Responsibility.objects.exists() and Layer.objects.count() == 1


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_reader_does_not_manage(world: World, layer: int, method: str) -> None:
    reader = signed_in(world, Role.ANALYST, world.north)
    for tail in MANAGING:
        assert getattr(reader, method)(f"/console/areas/{tail}").status_code in (404, 405), tail
    assert "responsibilities/set" not in text_of(reader, f"/console/areas/responsibilities/?organisation={world.north}")


@pytest.mark.parametrize("method", ["get", "post"])
def test_whoever_is_signed_out_is_sent_to_the_door(world: World, layer: int, method: str) -> None:
    for address in addresses(world, layer):
        assert getattr(Client(), method)(f"/console/areas/{address}").status_code in (302, 405), address
