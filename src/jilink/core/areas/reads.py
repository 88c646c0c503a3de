"""What may be asked about places. The installation's own layers are open to everyone who may see areas anywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import shapely
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Concat
from numpy.typing import NDArray

from jilink.core.areas import catalogue, rules
from jilink.core.areas.models import Area, Layer, Responsibility
from jilink.core.areas.rules import Duty, Spot
from jilink.core.areas.shapes import NOWHERE
from jilink.core.parties.access import Actor, NotFound, organisations_of, require, require_anywhere
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.kernel.ids import AreaId, LayerId, OrganisationId
from jilink.kernel.texts import Text

FOUND = 50
DRAWN = 5_000
MOST_ROOTS = 200


class TooManyAreas(Refused):
    """More areas than a map can draw at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerView:
    """One edition of a set of areas. `organisation` is None for the installation's own."""

    id: LayerId
    organisation: OrganisationId | None
    key: str
    title: Text
    edition: int
    valid_from: date
    valid_until: date | None
    source: str
    size: int
    loaded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaView:
    """One area without its shape. `path` names the codes from the largest down to this one."""

    id: AreaId
    layer: LayerId
    layer_key: str
    code: str
    level: str
    name: Text
    path: str


@dataclass(frozen=True, slots=True)
class Located:
    """Where a point lies: its areas from large to small, and those it may lie in instead, for its accuracy reaches them."""

    areas: tuple[AreaView, ...]
    doubtful: tuple[AreaView, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """The areas of many points: `place` indexes `areas` for each point, -1 where it lies in none (int32)."""

    areas: tuple[AreaView, ...]
    place: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Answering:
    """The unit that answers, and for which category in which area it was named."""

    unit: OrganisationId
    area: AreaView
    category: str


def layers(actor: Actor, *, on: date | None = None) -> list[LayerView]:
    """Return the layers the actor may see, newest edition first; with `on`, those that hold that day. Raises NotFound."""
    return [_layer(row) for row in _layers(actor, on).order_by("key", "-edition")]


def area(actor: Actor, area: AreaId) -> AreaView:
    """Return one area. Raises NotFound."""
    return _one(_areas(actor, None).filter(pk=area))


def by_code(actor: Actor, key: str, code: str, *, on: date) -> AreaView:
    """Return the area of a layer that carries a code on a day. Raises NotFound."""
    return _one(_areas(actor, on).filter(layer__key=key, code=code))


def above(actor: Actor, area: AreaView) -> list[AreaView]:
    """Return the areas in which one lies, from the largest down to itself."""
    codes = area.path.strip("/").split("/")
    rows = _areas(actor, None).filter(layer_id=area.layer, code__in=codes)
    return sorted((_view(row) for row in rows), key=lambda view: codes.index(view.code))


def below(actor: Actor, area: AreaView) -> list[AreaView]:
    """Return the areas that lie directly in one, by code."""
    prefix = area.path
    rows = _areas(actor, None).filter(layer_id=area.layer, path__startswith=prefix).exclude(pk=area.id)
    return [_view(row) for row in rows.order_by("code") if row.path.count("/") == prefix.count("/") + 1]


def roots(actor: Actor, *, on: date) -> list[AreaView]:
    """Return up to 200 areas that lie in no other, layer by layer, by code. Raises NotFound."""
    rows = _areas(actor, on).filter(path=Concat(Value("/"), F("code"), Value("/"))).order_by("layer__key", "code")
    return [_view(row) for row in rows[:MOST_ROOTS]]


def bordered(actor: Actor, *, on: date) -> dict[LayerId, list[str]]:
    """Return the levels of which each layer has borders, from large to small. Raises NotFound."""
    rows = Area.objects.filter(layer__in=_layers(actor, on)).exclude(shape=None).order_by().values_list("layer_id", "level").distinct()
    found: dict[LayerId, list[str]] = {}
    for layer, level in sorted(rows, key=lambda row: rules.ORDER[row[1]]):
        found.setdefault(LayerId(layer), []).append(level)
    return found


def find(actor: Actor, text: str, *, on: date, key: str = "") -> list[AreaView]:
    """Return up to 50 areas whose name holds the text or whose code begins with it, the larger ones first."""
    words = text.replace("\0", "").strip()[:60]
    if not words:
        return []
    named = Q(name__contains=words) | Q(name_en__icontains=words) | Q(code__startswith=words)
    rows = _areas(actor, on).filter(named, *([Q(layer__key=key)] if key else []))[: FOUND * 20]
    return sorted((_view(row) for row in rows), key=lambda view: (rules.ORDER[view.level], len(view.name.zh), view.code))[:FOUND]


def locate(actor: Actor, longitude: float, latitude: float, *, on: date, accuracy_m: float = 0.0) -> Located:
    """Return where a point (degrees, WGS-84) lies on a day, and the neighbours that its accuracy (metres) reaches. Raises NotFound."""
    x, y = np.array([longitude]), np.array([latitude])
    sure: list[int] = []
    doubtful: list[int] = []
    for edition in _layers(actor, on).values_list("pk", "digest"):
        for sheet in catalogue.sheets(*edition):
            place = int(sheet.index.locate(x, y)[0])
            sure += [sheet.ids[place]] if place != NOWHERE else []
            near = sheet.index.within(longitude, latitude, accuracy_m) if accuracy_m > 0 else ()
            doubtful += [sheet.ids[other] for other in near if other != place]
    return Located(tuple(_in_order(actor, sure)), tuple(_in_order(actor, doubtful)))


def locate_many(actor: Actor, longitudes: NDArray[np.float64], latitudes: NDArray[np.float64], *, key: str, level: str, on: date) -> Column:
    """Return in which area of one layer and level each of many points (degrees, WGS-84) lies. Raises NotFound."""
    for edition in _layers(actor, on).filter(key=key).order_by("organisation_id").values_list("pk", "digest"):
        for sheet in catalogue.sheets(*edition):
            if sheet.level == level:
                rows = Area.objects.filter(pk__in=sheet.ids).select_related("layer").defer("shape").in_bulk()
                views = tuple(_view(rows[pk]) for pk in sheet.ids)
                return Column(views, sheet.index.locate(longitudes, latitudes))
    raise NotFound("There is no such layer, or you may not see it.")


def who_answers(actor: Actor, organisation: OrganisationId, areas: Sequence[AreaView], category: str) -> Answering | None:
    """Return which unit of an organisation answers for a category where these areas meet, or None. Raises NotFound."""
    require(actor, Permission.VIEW_AREAS, organisation)
    codes = {area.code for area in areas}
    rows = Responsibility.objects.filter(organisation_id=organisation, area_code__in=codes)
    duties = [Duty(row.layer_key, row.area_code, row.category, row.unit_id) for row in rows]
    ordered = sorted(areas, key=lambda area: rules.ORDER[area.level])
    spots = [Spot(area.layer_key, area.code, depth) for depth, area in enumerate(ordered)]
    duty = rules.who_answers(duties, spots, category)
    if duty is None:
        return None
    where = next(area for area in areas if (area.layer_key, area.code) == (duty.layer_key, duty.area_code))
    return Answering(OrganisationId(duty.unit), where, duty.category)


def responsibilities(actor: Actor, organisation: OrganisationId) -> list[Duty]:
    """Return who answers for what in an organisation, by area and category. Raises NotFound."""
    require(actor, Permission.VIEW_AREAS, organisation)
    rows = Responsibility.objects.filter(organisation_id=organisation).order_by("layer_key", "area_code", "category")
    return [Duty(row.layer_key, row.area_code, row.category, row.unit_id) for row in rows]


def shapes(actor: Actor, layer: LayerId, level: str, *, tolerance: float = 0.0) -> list[tuple[AreaView, str]]:
    """Return the areas of a level with their borders as GeoJSON geometries, simplified by `tolerance` degrees.

    Raises NotFound, TooManyAreas.
    """
    rows = list(_areas(actor, None).filter(layer_id=layer, level=level).exclude(shape=None).order_by("code")[: DRAWN + 1])
    if len(rows) > DRAWN:
        raise TooManyAreas("This level has more than %(drawn)s areas. Choose a larger level or look at part of it.", drawn=DRAWN)
    if not rows:
        raise NotFound("There is no such layer, or you may not see it.")
    drawn = shapely.from_wkb([bytes(row.shape or b"") for row in rows])
    if tolerance > 0:
        drawn = shapely.coverage_simplify(drawn, tolerance)
    return [(_view(row), shapely.to_geojson(shape)) for row, shape in zip(rows, drawn, strict=True)]


def _layers(actor: Actor, on: date | None) -> QuerySet[Layer]:
    require_anywhere(actor, Permission.VIEW_AREAS)
    seen = Q(organisation=None) | Q(organisation_id__in=organisations_of(actor, Permission.VIEW_AREAS))
    held = Q() if on is None else Q(valid_from__lte=on) & (Q(valid_until=None) | Q(valid_until__gt=on))
    return Layer.objects.filter(seen, held)


def _areas(actor: Actor, on: date | None) -> QuerySet[Area]:
    return Area.objects.filter(layer__in=_layers(actor, on)).select_related("layer").defer("shape")


def _one(rows: QuerySet[Area]) -> AreaView:
    row = rows.first()
    if row is None:
        raise NotFound("There is no such area, or you may not see it.")
    return _view(row)


def _in_order(actor: Actor, ids: Sequence[int]) -> list[AreaView]:
    rows = Area.objects.filter(pk__in=ids).select_related("layer").defer("shape")
    return sorted((_view(row) for row in rows), key=lambda view: (rules.ORDER[view.level], view.layer_key, view.code))


def _layer(row: Layer) -> LayerView:
    return LayerView(
        id=LayerId(row.pk),
        organisation=None if row.organisation_id is None else OrganisationId(row.organisation_id),
        key=row.key,
        title=Text(row.title_zh, row.title_en),
        edition=row.edition,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        source=row.source,
        size=row.size,
        loaded_at=row.loaded_at,
    )


def _view(row: Area) -> AreaView:
    return AreaView(
        id=AreaId(row.pk),
        layer=LayerId(row.layer_id),
        layer_key=row.layer.key,
        code=row.code,
        level=row.level,
        name=Text(row.name, row.name_en),
        path=row.path,
    )
