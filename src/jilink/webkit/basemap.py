"""The basemap: vector tiles of the province's boundaries and the labels on them, built once at set-up.

Tiles are PMTiles version 3 (one file, read in byte ranges); labels are a small GeoJSON file, because the browser draws
Chinese characters itself and needs no glyph server.
"""

import hashlib
import importlib.util
import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import shapely
from shapely.geometry.base import BaseGeometry

from jilink.core.areas import boundaries
from jilink.core.areas.boundaries import Area
from jilink.core.areas.place_names import COUNTIES, SEATS
from jilink.kernel.errors import Unavailable

TILES = "jilin.pmtiles"
LABELS = "labels.geojson"
_VERSION = "1"
_WINDOW = shapely.box(118.0, 38.5, 135.0, 49.0)
"""What of the neighbouring provinces is kept (WGS-84)."""


class NoTileMaker(Unavailable):
    """The program that makes vector tiles is not installed, or does not run here."""


def _feature(shape: BaseGeometry, **properties: object) -> dict[str, object]:
    return {"type": "Feature", "properties": properties, "geometry": shapely.geometry.mapping(shape)}


def _write(path: Path, features: Iterable[dict[str, object]]) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}, ensure_ascii=False), encoding="utf-8")
    return path


def _tile_maker() -> str:
    spec = importlib.util.find_spec("cubao_tippecanoe")
    found = list(Path(spec.origin).parent.glob("*_tippecanoe.exe")) if spec is not None and spec.origin is not None else []
    if not found:
        raise NoTileMaker("cubao-tippecanoe is not installed")
    return str(found[0])


def _run(command: list[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, errors="replace")
    except OSError as error:
        raise NoTileMaker(f"{command[0]} does not run: {error.strerror}") from error
    except subprocess.CalledProcessError as error:
        raise NoTileMaker(f"the tiles could not be made: {(error.stderr.strip().splitlines() or ['no reason given'])[-1]}") from error


def _labels(prefectures: list[Area], counties: list[Area]) -> list[dict[str, object]]:
    labels = []
    for area in prefectures:
        english, lon, lat = SEATS[area.code]
        short = area.name.removesuffix("市") if area.code != 222400 else "延边"
        labels.append(_feature(shapely.Point(lon, lat), level="prefecture", name=short, name_en=english, rank=0))
    for area in counties:
        point = shapely.maximum_inscribed_circle(area.shape, tolerance=0.01).coords[0]
        rank = 2 if area.name.endswith("区") else 1
        labels.append(_feature(shapely.Point(point), level="county", name=area.name, name_en=COUNTIES.get(area.code, area.name), rank=rank))
    return labels


def _clipped(shape: BaseGeometry) -> BaseGeometry:
    return shapely.intersection(shapely.make_valid(shape), _WINDOW)


def _key() -> str:
    """Return what the result depends on: the version of this recipe and the pack's files."""
    digest = hashlib.sha256(_VERSION.encode())
    for path in sorted(boundaries.folder().glob("cn_*.bin")):
        digest.update(f"{path.name} {path.stat().st_size}".encode())
    return digest.hexdigest()[:16]


def build(data: Path, progress: Callable[[str], None] = lambda _line: None) -> Path:
    """Build `<data>/basemap/jilin.pmtiles` and `labels.geojson` unless they are current, and return the tiles' path.

    Takes a few seconds. `progress` gets one line a step. Raises NoBoundaries or NoTileMaker where a part is not
    installed: the map then works on a plain ground, and the caller says so.
    """
    target = data / "basemap"
    tiles, mark = target / TILES, target / "built"
    key = _key()
    if tiles.exists() and (target / LABELS).exists() and mark.exists() and mark.read_text() == key:
        return tiles
    maker = _tile_maker()
    target.mkdir(parents=True, exist_ok=True)
    progress("Reading the boundaries of the province")
    provinces, prefectures, counties = boundaries.provinces(), boundaries.prefectures(), boundaries.counties()
    with tempfile.TemporaryDirectory(dir=target) as scratch:
        folder = Path(scratch)
        layers = {
            "province": [_feature(a.shape, code=a.code) for a in provinces if a.code == boundaries.JILIN],
            "around": [_feature(_clipped(a.shape), code=a.code) for a in provinces if a.code != boundaries.JILIN],
            "prefecture": [_feature(a.shape, code=a.code) for a in prefectures],
            "county": [_feature(a.shape, code=a.code, prefecture=a.prefecture) for a in counties],
        }
        made = folder / TILES
        inputs = [f"-L{name}:{_write(folder / f'{name}.geojson', features)}" for name, features in layers.items()]
        progress("Cutting the basemap into tiles")
        command = [maker, "-q", "-o", str(made), "-Z4", "-z11", "--detect-shared-borders", "--no-tile-size-limit", "--buffer=8"]
        _run([*command, "-t", scratch, *inputs])
        os.replace(_write(folder / LABELS, _labels(prefectures, counties)), target / LABELS)
        os.replace(made, tiles)
    mark.write_text(key)
    progress("The basemap is ready")
    return tiles
