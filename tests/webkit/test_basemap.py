"""The basemap: built once from the data pack, and served in ranges."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import shapely
from django.conf import settings as site
from django.http import HttpResponse
from django.test import Client, override_settings

from jilink.core.areas import boundaries
from jilink.webkit import basemap


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("data")
    basemap.build(data)
    return data


@pytest.fixture
def browser(built: Path) -> Iterator[Client]:
    with override_settings(JILINK=replace(site.JILINK, data=built)):
        yield Client()


def get(browser: Client, name: str, **headers: str) -> HttpResponse:
    return browser.get(f"/basemap/{name}", headers=headers)


def test_sixty_counties_tile_the_province() -> None:
    counties = [shapely.make_valid(area.shape) for area in boundaries.counties()]
    province = next(area for area in boundaries.provinces() if area.code == boundaries.JILIN)
    together = shapely.union_all(counties)
    assert len(counties) == 60
    assert together.symmetric_difference(shapely.make_valid(province.shape)).area < 0.01 * together.area


def test_changchun_lies_in_its_prefecture() -> None:
    changchun = next(area for area in boundaries.prefectures() if area.code == 220100)
    assert changchun.shape.contains(shapely.Point(125.323, 43.887))


def test_the_basemap_is_a_pmtiles_file_with_a_label_for_every_place(built: Path) -> None:
    tiles = built / "basemap" / basemap.TILES
    assert tiles.read_bytes()[:8] == b"PMTiles\x03"
    labels = json.loads((built / "basemap" / basemap.LABELS).read_text())["features"]
    assert len(labels) == 69
    for label in labels:
        chinese, english = label["properties"]["name"], label["properties"]["name_en"]
        assert not chinese.isascii() and english.replace("ü", "u").isascii()


def test_building_again_changes_nothing(built: Path) -> None:
    tiles = built / "basemap" / basemap.TILES
    before = tiles.stat().st_mtime_ns
    said: list[str] = []
    assert basemap.build(built, said.append) == tiles
    assert tiles.stat().st_mtime_ns == before and said == []


def test_a_whole_file_and_each_kind_of_range_are_served(browser: Client, built: Path) -> None:
    data = (built / "basemap" / basemap.TILES).read_bytes()
    whole = get(browser, basemap.TILES)
    assert (whole.status_code, whole.content, whole["Accept-Ranges"]) == (200, data, "bytes")
    for asked, expected in (("bytes=0-126", data[:127]), ("bytes=100-", data[100:]), ("bytes=-50", data[-50:]), ("bytes=5-5", data[5:6])):
        part = get(browser, basemap.TILES, range=asked)
        assert (part.status_code, part.content) == (206, expected)
        assert part["Content-Range"].endswith(f"/{len(data)}")


def test_a_range_past_the_end_is_refused_with_the_size(browser: Client, built: Path) -> None:
    size = (built / "basemap" / basemap.TILES).stat().st_size
    for asked in (f"bytes={size}-", "bytes=-0", "bytes=9-3", "bytes=-", "pages=1-2"):
        answer = get(browser, basemap.TILES, range=asked)
        assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{size}")


def test_an_unchanged_file_is_not_sent_again(browser: Client) -> None:
    tag = get(browser, basemap.LABELS)["ETag"]
    again = get(browser, basemap.LABELS, if_none_match=tag)
    assert (again.status_code, again.content) == (304, b"")
    assert get(browser, basemap.LABELS, range="bytes=0-3", if_range='"other"').status_code == 200


def test_only_the_two_files_of_the_basemap_are_served(browser: Client, built: Path) -> None:
    (built / "basemap" / "secret").write_text("x")
    for name in ("secret", "built", "..%2Fspine%2Fpassword"):
        assert get(browser, name).status_code == 404


def test_a_tile_maker_that_does_not_run_leaves_the_map_without_ground_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "packages" / "cubao_tippecanoe"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    maker = package / "linux_tippecanoe.exe"
    maker.write_text("#!/bin/sh\necho libstdc++ is missing >&2\nexit 1\n")
    maker.chmod(0o700)
    monkeypatch.syspath_prepend(str(package.parent))
    with pytest.raises(basemap.NoTileMaker, match="libstdc"):
        basemap.build(tmp_path / "data")
    maker.chmod(0o600)
    with pytest.raises(basemap.NoTileMaker, match="does not run"):
        basemap.build(tmp_path / "data")
    assert not (tmp_path / "data" / "basemap" / basemap.TILES).exists()
