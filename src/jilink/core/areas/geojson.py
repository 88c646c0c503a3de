"""An operator's GeoJSON (RFC 7946) read into areas: checked, put into WGS-84, with every fault at its place.

A file of 2008's GeoJSON may name its reference system in `crs`; without one it is WGS-84, which differs from CGCS2000 by
less than a metre. ``gcj02`` stands for the shifted coordinates of Chinese map services.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec
import numpy as np
import prcoords
import pyproj
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from jilink.core.areas.rules import ORDER, Level
from jilink.kernel.errors import Refused
from jilink.kernel.texts import Text, gettext_noop

LARGEST = 50_000_000
MOST_AREAS = 50_000
MOST_POINTS = 5_000_000
WGS84, GCJ02 = "EPSG:4326", "gcj02"
OVERLAP = 0.01
"""Part of the smaller of two areas of one level that may lie in the other before it is told."""
REPAIR = 0.01
"""Part of an area's size that mending its borders may change."""
TOLD = 20
_POLYGONS = ("Polygon", "MultiPolygon")
_REASONS = {
    "Self-intersection": "边界自相交",
    "Ring Self-intersection": "边界自相接",
    "Duplicate Rings": "边界重复",
    "Hole lies outside shell": "内环在外环之外",
    "Nested holes": "内环相互嵌套",
    "Nested shells": "外环相互嵌套",
    "Interior is disconnected": "内部不连通",
    "Too few points in geometry component": "顶点太少",
    "Invalid Coordinate": "坐标无效",
    "Ring is not closed": "边界未闭合",
}
"""What GEOS calls the faults of a polygon (TopologyValidationError of GEOS 3.12)."""
_FAULT = re.compile(r"(?P<reason>[^\[]+)(?:\[(?P<x>\S+) (?P<y>\S+)\])?")
Transform = Callable[[NDArray[np.float64]], NDArray[np.float64]]


class GeoJSONRefused(Refused):
    """The file cannot be loaded; the message says where and why. Nothing of it was kept."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Which property of a feature holds what."""

    code: str = "code"
    name: str = "name"
    name_en: str = "name_en"
    level: str = "level"
    parent: str = "parent"


@dataclass(frozen=True, slots=True)
class Shape:
    """One area as its source has it, in WGS-84; without a shape it is known by name only."""

    code: str
    name: str
    name_en: str
    level: str
    parent: str
    shape: BaseGeometry | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file holds, and what of it deserves a look before it is believed."""

    areas: tuple[Shape, ...]
    remarks: tuple[Text, ...]


class _Feature(msgspec.Struct):
    geometry: msgspec.Raw = msgspec.Raw(b"null")
    properties: dict[str, object] | None = None


class _Crs(msgspec.Struct):
    properties: dict[str, str] = {}


class _Collection(msgspec.Struct):
    type: str
    features: list[_Feature] = []
    crs: _Crs | None = None


def read(data: bytes, *, columns: Columns | None = None, datum: str = "", level: str = Level.GRID) -> Sheet:
    """Return the areas of a FeatureCollection in WGS-84.

    `datum` is ``EPSG:4490`` and the like or ``gcj02``, where the file does not say it itself; `level` stands where a feature
    has none. Raises GeoJSONRefused.
    """
    collection = _decoded(data)
    named = columns or Columns()
    to_wgs84 = _transform(datum or _declared(collection))
    areas, remarks, points = [], [], 0
    for number, feature in enumerate(collection.features, 1):
        shape, remark = _shape(number, feature, to_wgs84)
        points += shapely.get_num_coordinates(shape)
        if points > MOST_POINTS:
            raise GeoJSONRefused(
                "The borders have more than %(most)s million points. Simplify them and load the file again.", most=MOST_POINTS // 1_000_000
            )
        areas.append(_area(number, feature.properties or {}, named, level, shape))
        if remark:
            remarks.append(Text(f"{areas[-1].name}：{remark.zh}", f"{areas[-1].name}: {remark.en}"))
    _check_codes(areas)
    return Sheet(tuple(areas), (*remarks, *_overlaps(areas)))


def _decoded(data: bytes) -> _Collection:
    if len(data) > LARGEST:
        raise GeoJSONRefused("The file is larger than %(most)s MB. Simplify its borders or split it.", most=LARGEST // 1_000_000)
    try:
        collection = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=_Collection)
    except msgspec.DecodeError as error:
        raise GeoJSONRefused("This is not GeoJSON: %(error)s.", error=_where(error)) from error
    if collection.type != "FeatureCollection" or not collection.features:
        raise GeoJSONRefused("This is not a FeatureCollection with at least one feature.")
    if len(collection.features) > MOST_AREAS:
        raise GeoJSONRefused(
            "The file has %(features)s areas; at most %(most_areas)s are loaded at once.",
            features=len(collection.features),
            most_areas=MOST_AREAS,
        )
    return collection


def _declared(collection: _Collection) -> str:
    name = collection.crs.properties.get("name", "") if collection.crs else ""
    return WGS84 if not name or name.endswith("CRS84") else name


def _transform(datum: str) -> Transform | None:
    if datum == GCJ02:
        return _from_gcj02
    try:
        source = pyproj.CRS.from_user_input(datum)
        transformer = pyproj.Transformer.from_crs(source, WGS84, always_xy=True)
    except pyproj.exceptions.ProjError as error:
        raise GeoJSONRefused("The reference system “%(datum)s” is not known. Name one such as EPSG:4490, or gcj02.", datum=datum) from error
    if source.equals(pyproj.CRS.from_user_input(WGS84), ignore_axis_order=True):
        return None

    def transform(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(transformer.transform(points[:, 0], points[:, 1]))

    return transform


def _from_gcj02(points: NDArray[np.float64]) -> NDArray[np.float64]:
    back = (prcoords.gcj_wgs_bored((latitude, longitude), False) for longitude, latitude in points.tolist())
    return np.array([(place.lon, place.lat) for place in back])


def _shape(number: int, feature: _Feature, to_wgs84: Transform | None) -> tuple[BaseGeometry, Text]:
    """Return the feature's polygon and a remark where its borders had to be mended."""
    try:
        shape = shapely.force_2d(shapely.from_geojson(bytes(feature.geometry)))
    except (shapely.errors.GEOSException, ValueError) as error:
        raise GeoJSONRefused("Feature %(number)s has no readable geometry.", number=number) from error
    if shape is None or shape.geom_type not in _POLYGONS or shape.is_empty:
        raise GeoJSONRefused("Feature %(number)s is no polygon. Only areas can be loaded.", number=number)
    if to_wgs84 is not None:
        shape = shapely.transform(shape, to_wgs84)
    west, south, east, north = shape.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise GeoJSONRefused(
            "Feature %(number)s lies outside the earth (%(west).3f, %(south).3f). Name the file's reference system.",
            number=number,
            west=west,
            south=south,
        )
    if shape.is_valid:
        return shape, Text()
    reason = _fault(shapely.is_valid_reason(shape))
    parts = [part for part in shapely.get_parts(shapely.make_valid(shape)) if part.geom_type in _POLYGONS]
    mended = shapely.union_all(parts)
    if mended.is_empty or abs(mended.area - abs(shape.area)) > REPAIR * mended.area:
        raise GeoJSONRefused(
            "Feature %(number)s has a border that encloses no clear area: %(reason)s. Mend it and load the file again.",
            number=number,
            reason=reason,
        )
    return mended, Text(f"边界已自动修复（{reason.zh}）", f"its border was mended ({reason.en})")


def _fault(said: str) -> Text:
    """Return in both languages what is wrong with a border, and where."""
    found = _FAULT.fullmatch(said)
    if found is None:
        return Text(said, said)
    place = f"{float(found['x']):.5f}, {float(found['y']):.5f}" if found["x"] else ""
    english = found["reason"].strip()
    chinese = _REASONS.get(english, english)
    return Text(f"{chinese}，位于 {place}", f"{english.lower()} at {place}") if place else Text(chinese, english.lower())


def _where(error: msgspec.DecodeError) -> Text:
    """Return in both languages at which place of the file the reader stopped."""
    words = str(error)
    if path := re.search(r"`(\$[^`]*)`", words):
        return Text(f"{path[1]} 处缺少内容或类型不符", words)
    if byte := re.search(r"byte (\d+)", words):
        return Text(f"第 {byte[1]} 字节处不是有效的 JSON", words)
    return Text("文件不完整或不是 JSON", words)


def _area(number: int, properties: dict[str, object], columns: Columns, level: str, shape: BaseGeometry) -> Shape:
    def text(name: str, longest: int, *, needed: bool = False) -> str:
        value = properties.get(name)
        words = "" if value is None else str(value).strip()
        if needed and not words:
            raise GeoJSONRefused("Feature %(number)s has no property “%(name)s”. Say which property holds it.", number=number, name=name)
        if len(words) > longest or not words.isprintable():
            raise GeoJSONRefused(
                "Property “%(name)s” of feature %(number)s is longer than %(longest)s characters or unreadable.",
                name=name,
                number=number,
                longest=longest,
            )
        return words

    found = text(columns.level, 12) or level
    if found not in ORDER:
        raise GeoJSONRefused(
            "Feature %(number)s has the level “%(found)s”; there are %(order)s.", number=number, found=found, order=", ".join(ORDER)
        )
    code = text(columns.code, 24, needed=True)
    if "/" in code:
        raise GeoJSONRefused("The code “%(code)s” of feature %(number)s holds a slash.", code=code, number=number)
    name = text(columns.name, 60, needed=True)
    return Shape(code, name, text(columns.name_en, 60), found, text(columns.parent, 24), shape)


def _check_codes(areas: list[Shape]) -> None:
    code, times = Counter(area.code for area in areas).most_common(1)[0]
    if times > 1:
        raise GeoJSONRefused("The code “%(code)s” stands %(times)s times in the file.", code=code, times=times)
    ranks = {area.code: ORDER[area.level] for area in areas}
    for area in areas:
        if area.parent and area.parent not in ranks:
            raise GeoJSONRefused(
                gettext_noop("“%(code)s” lies in “%(parent)s”, which is not in the file."), code=area.code, parent=area.parent
            )
        if area.parent and ranks[area.parent] >= ranks[area.code]:
            raise GeoJSONRefused(
                gettext_noop("“%(code)s” lies in “%(parent)s”, which is not of a larger level."), code=area.code, parent=area.parent
            )


def _overlaps(areas: list[Shape]) -> Iterable[Text]:
    """Return a remark for each pair of one level that lie in each other, the first twenty."""
    remarks: list[Text] = []
    for level in ORDER:
        same = [area for area in areas if area.level == level]
        borders = np.array([area.shape for area in same], dtype=object)
        pairs = shapely.STRtree(borders).query(borders, predicate="intersects").T
        for one, other in pairs[pairs[:, 0] < pairs[:, 1]].tolist():
            first, second = same[one], same[other]
            common = first.shape.intersection(second.shape).area / min(first.shape.area, second.shape.area)
            if common > OVERLAP:
                remarks.append(
                    Text(
                        f"{first.name}与{second.name}重叠，占较小者的 {common:.0%}",
                        f"{first.name} and {second.name} overlap by {common:.0%} of the smaller one",
                    )
                )
            if len(remarks) == TOLD:
                return remarks
    return remarks
