"""Areas: layers and their editions, where points lie, and who answers there."""

from datetime import date, datetime
from typing import Annotated, Any

import msgspec
import numpy as np
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language
from ninja import File, Form, Query, Router, Status
from ninja.files import UploadedFile
from pydantic import BaseModel, Field

from jilink.core.areas import actions, geojson, reads
from jilink.core.areas.geojson import Columns
from jilink.core.areas.rules import Duty, Level
from jilink.kernel.clock import CHINA, utc_now
from jilink.kernel.ids import AreaId, LayerId, OrganisationId
from jilink.kernel.texts import Text
from jilink.webkit.api import cursors
from jilink.webkit.api.calls import actor_of
from jilink.webkit.api.cursors import Cut, Page, Paging
from jilink.webkit.api.shapes import Day, Id, In, Latitude, Longitude, Out, TextOut, Words

router = Router(tags=["areas"])
KEY = r"^[a-z0-9][a-z0-9_-]{0,39}$"
MOST_POINTS = 100_000
_GEOJSON = {"responses": {200: {"content": {"application/geo+json": {"schema": {"type": "object"}}}}}}


class LayerOut(Out):
    """One edition of a set of areas; without an organisation it is the installation's own."""

    id: int
    organisation: int | None
    key: str
    title: TextOut
    edition: int
    valid_from: date
    valid_until: date | None
    source: str
    size: int
    loaded_at: datetime


class AreaOut(Out):
    """An area without its border. `path` names the codes from the largest down to this one."""

    id: int
    layer: int
    layer_key: str
    code: str
    level: Level
    name: TextOut
    path: str


class LocatedOut(Out):
    """Where a point lies, from large to small; `doubtful` are areas that its accuracy reaches."""

    areas: list[AreaOut]
    doubtful: list[AreaOut]


class PointsIn(In):
    """Many points, as columns: degrees, WGS-84."""

    longitude: list[Longitude] = Field(max_length=MOST_POINTS)
    latitude: list[Latitude] = Field(max_length=MOST_POINTS)
    layer: str = Field("divisions", pattern=KEY)
    level: Level = Level.COUNTY
    on: Day | None = None


class PointsOut(Out):
    """The areas, and for each point the place of its own among them; -1 where it lies in none."""

    areas: list[AreaOut]
    place: list[int]


class UploadIn(BaseModel):
    """What stands beside an uploaded GeoJSON."""

    organisation: Id
    key: str = Field(pattern=KEY)
    title_zh: str = Field(min_length=1, max_length=60)
    title_en: str = Field("", max_length=60)
    source: str = Field("", max_length=200)
    valid_from: Day
    datum: str = Field("", max_length=20, description="EPSG:4490 and the like, or gcj02; empty where the file says it.")
    level: Level = Level.GRID
    code: str = Field("code", max_length=60, description="The property that holds the code; likewise the next four.")
    name: str = Field("name", max_length=60)
    name_en: str = Field("name_en", max_length=60)
    level_property: str = Field("level", max_length=60)
    parent: str = Field("parent", max_length=60)


class LoadedOut(Out):
    """The new edition, and what of it deserves a look."""

    id: int
    areas: int
    remarks: list[str]


class DutyOut(Out):
    """That a unit answers for a category (empty: all) in an area."""

    layer_key: str
    area_code: str
    category: str
    unit: int


class DutyIn(In):
    """Who answers; a null unit takes it away."""

    organisation: Id
    layer_key: str = Field(pattern=KEY)
    area_code: str = Field(min_length=1, max_length=24)
    category: str = Field("", max_length=40)
    unit: Id | None


class AnsweringOut(Out):
    """The unit that answers (null: none is named), for which category and in which area it was named."""

    unit: int | None
    category: str
    area: AreaOut | None


def _day(on: date | None) -> date:
    return on or utc_now().astimezone(CHINA).date()


@router.get("/areas/layers", response=Page[LayerOut], operation_id="list_layers")
def list_layers(request: HttpRequest, paging: Query[Paging], on: Day | None = None) -> Cut[reads.LayerView]:
    """Return the editions of layers; with `on`, those that hold that day."""
    return cursors.of_all(request, paging, reads.layers(actor_of(request), on=on), lambda row: row.id)


@router.post("/areas/layers", response={201: LoadedOut}, operation_id="load_layer")
def load_layer(request: HttpRequest, given: Form[UploadIn], file: File[UploadedFile]) -> Status[dict[str, object]]:
    """Load a FeatureCollection of polygons (RFC 7946) as a new edition: all of it or nothing."""
    columns = Columns(given.code, given.name, given.name_en, given.level_property, given.parent)
    sheet = geojson.read(file.read(), columns=columns, datum=given.datum, level=given.level)
    made = actions.load_layer(
        organisation=OrganisationId(given.organisation),
        key=given.key,
        title=Text(given.title_zh, given.title_en),
        sheet=sheet,
        source=given.source or (file.name or "")[:200],
        valid_from=given.valid_from,
        by=actor_of(request),
    )
    return Status(
        201, {"id": made, "areas": len(sheet.areas), "remarks": [remark.in_(get_language() or "zh-hans") for remark in sheet.remarks]}
    )


@router.get("/areas/layers/{int:layer}/shapes", operation_id="read_shapes", openapi_extra=_GEOJSON)
def read_shapes(
    request: HttpRequest, layer: Id, level: Level, tolerance: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0
) -> HttpResponse:
    """Return the areas of a level as GeoJSON, simplified by `tolerance` degrees."""
    features = [
        {
            "type": "Feature",
            "id": area.id,
            "properties": {"code": area.code, "level": area.level, "name": area.name.zh, "name_en": area.name.en, "path": area.path},
            "geometry": msgspec.Raw(shape.encode()),
        }
        for area, shape in reads.shapes(actor_of(request), LayerId(layer), level, tolerance=tolerance)
    ]
    return HttpResponse(msgspec.json.encode({"type": "FeatureCollection", "features": features}), content_type="application/geo+json")


@router.get("/areas/locate", response=LocatedOut, operation_id="locate")
def locate(
    request: HttpRequest,
    longitude: Longitude,
    latitude: Latitude,
    accuracy_m: Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)] = 0.0,
    on: Day | None = None,
) -> reads.Located:
    """Return where a point lies on a day."""
    return reads.locate(actor_of(request), longitude, latitude, on=_day(on), accuracy_m=accuracy_m)


@router.post("/areas/locate", response=PointsOut, operation_id="locate_many")
def locate_many(request: HttpRequest, given: PointsIn) -> dict[str, Any]:
    """Return in which area of one layer and level each of many points lies."""
    if len(given.longitude) != len(given.latitude):
        raise geojson.GeoJSONRefused("There must be as many longitudes as latitudes.")
    found = reads.locate_many(
        actor_of(request),
        np.array(given.longitude, np.float64),
        np.array(given.latitude, np.float64),
        key=given.layer,
        level=given.level,
        on=_day(given.on),
    )
    return {"areas": found.areas, "place": found.place.tolist()}


@router.get("/areas", response=list[AreaOut], operation_id="find_areas")
def find_areas(request: HttpRequest, q: Words, layer: Words = "", on: Day | None = None) -> list[reads.AreaView]:
    """Return up to 50 areas whose name holds the words or whose code begins with them, the larger ones first."""
    return reads.find(actor_of(request), q, on=_day(on), key=layer)


@router.get("/areas/{int:area}", response=AreaOut, operation_id="read_area")
def read_area(request: HttpRequest, area: Id) -> reads.AreaView:
    """Return one area."""
    return reads.area(actor_of(request), AreaId(area))


@router.get("/areas/{int:area}/below", response=Page[AreaOut], operation_id="list_areas_below")
def list_areas_below(request: HttpRequest, area: Id, paging: Query[Paging]) -> Cut[reads.AreaView]:
    """Return the areas that lie directly in one."""
    actor = actor_of(request)
    return cursors.of_all(request, paging, reads.below(actor, reads.area(actor, AreaId(area))), lambda row: row.code)


@router.get("/areas/{int:area}/answering", response=AnsweringOut, operation_id="who_answers")
def who_answers(request: HttpRequest, area: Id, organisation: Id, category: Words = "") -> dict[str, object]:
    """Return which unit of an organisation answers for a category there."""
    actor = actor_of(request)
    line = reads.above(actor, reads.area(actor, AreaId(area)))
    found = reads.who_answers(actor, OrganisationId(organisation), line, category)
    if found is None:
        return {"unit": None, "category": "", "area": None}
    return {"unit": found.unit, "category": found.category, "area": found.area}


@router.get("/responsibilities", response=Page[DutyOut], operation_id="list_responsibilities")
def list_responsibilities(request: HttpRequest, organisation: Id, paging: Query[Paging]) -> Cut[Duty]:
    """Return who answers for what in an organisation."""
    rows = reads.responsibilities(actor_of(request), OrganisationId(organisation))
    return cursors.of_all(request, paging, rows, lambda row: (row.layer_key, row.area_code, row.category))


@router.put("/responsibilities", response={204: None}, operation_id="set_responsibility")
def set_responsibility(request: HttpRequest, given: DutyIn) -> Status[None]:
    """Say which unit answers for a category in an area."""
    actions.set_responsibility(
        organisation=OrganisationId(given.organisation),
        layer_key=given.layer_key,
        area_code=given.area_code,
        category=given.category,
        unit=OrganisationId(given.unit) if given.unit is not None else None,
        by=actor_of(request),
    )
    return Status(204, None)
