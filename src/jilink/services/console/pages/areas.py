"""Areas: the tree with its search, the map with where a point lies and who answers there, and layers with their editions."""

from dataclasses import dataclass
from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from jilink.core.areas import reads
from jilink.core.areas.reads import Answering, AreaView, LayerView
from jilink.core.areas.rules import ORDER, Level
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound, organisations_of, require_anywhere
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import AreaId, LayerId, OrganisationId
from jilink.services.console.pages import areas_duties, areas_upload
from jilink.services.console.pages.areas_words import LEVELS, degrees, language, number, today
from jilink.webkit.door import signed_in

VIEW = Permission.VIEW_AREAS
TOLERANCE = {Level.PROVINCE: 0.004, Level.PREFECTURE: 0.003, Level.COUNTY: 0.002}
"""Degrees by which borders may be simplified for a map of a whole level (0.002 is about 200 m)."""


@dataclass(frozen=True, slots=True)
class Node:
    """An area in a list: its name in the viewer's language and its level's word."""

    area: AreaView
    name: str
    level: str


def node(view: AreaView) -> Node:
    """Return an area as lists show it."""
    return Node(view, view.name.in_(language()), str(LEVELS[Level(view.level)]))


@require_safe
@signed_in
def areas(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the tree from one area down, what a search found, or where a point lies."""
    require_anywhere(actor, VIEW)
    layers = reads.layers(actor, on=today())
    text = request.GET.get("q", "").strip()[:60]
    chosen = number(request, "area")
    roots = [] if chosen else reads.roots(actor, on=today())
    at = reads.area(actor, AreaId(chosen)) if chosen else roots[0] if len(roots) == 1 else None
    longitude, latitude = degrees(request, "longitude", 180), degrees(request, "latitude", 90)
    context: dict[str, object] = {
        "q": text,
        "found": [node(each) for each in reads.find(actor, text, on=today())] if text else [],
        "at": node(at) if at else None,
        "line": [node(each) for each in reads.above(actor, at)][:-1] if at else [],
        "below": [node(each) for each in (reads.below(actor, at) if at else roots)],
        "layers": [_titled(layer) for layer in layers],
        "drawn": _drawn(actor, layers, at),
        "category": request.GET.get("category", "").strip()[:40],
        "may_manage": bool(organisations_of(actor, Permission.MANAGE_AREAS)),
    }
    if longitude is not None and latitude is not None:
        context["point"] = point(actor, longitude, latitude, str(context["category"]))
    if request.headers.get("HX-Request"):
        name = "console/areas_point.html" if "point" in context else "console/areas_tree.html"
        response = render(request, name, context)
    else:
        response = render(request, "console/areas.html", context)
    response["Vary"] = "HX-Request"
    return response


def _titled(layer: LayerView) -> dict[str, object]:
    return {"layer": layer, "title": layer.title.in_(language())}


def _drawn(actor: Actor, layers: list[LayerView], at: AreaView | None) -> list[dict[str, object]]:
    """Return what the map can draw: each level that has borders; the one below the chosen area, or the counties' parents, first."""
    levels = reads.bordered(actor, on=today())
    depth = ORDER[at.level] if at else 0
    drawn = [
        {"layer": layer.id, "level": level, "title": f"{layer.title.in_(language())} · {LEVELS[Level(level)]}"}
        for layer in layers
        for level in levels.get(layer.id, ())
    ]
    return sorted(drawn, key=lambda each: (each["layer"] != (at.layer if at else each["layer"]), ORDER[str(each["level"])] <= depth))


@dataclass(frozen=True, slots=True)
class Answer:
    """Who answers for a point in one organisation, and why."""

    organisation: str
    unit: str
    area: str
    category: str


def point(actor: Actor, longitude: float, latitude: float, category: str) -> dict[str, object]:
    """Return where a point lies, what it may lie in instead, and who answers there."""
    located = reads.locate(actor, longitude, latitude, on=today(), accuracy_m=50)
    names = {each.id: each.name for each in parties.choices(actor, VIEW)}
    answers = []
    for organisation, name in names.items():
        found = reads.who_answers(actor, organisation, located.areas, category)
        if found:
            answers.append(_answer(found, name, names))
    return {
        "longitude": longitude,
        "latitude": latitude,
        "areas": [node(each) for each in located.areas],
        "doubtful": [node(each) for each in located.doubtful],
        "answers": answers,
    }


def _answer(found: Answering, organisation: str, names: dict[OrganisationId, str]) -> Answer:
    return Answer(organisation, names.get(found.unit, "—"), found.area.name.in_(language()), found.category)


@require_safe
@signed_in
def shapes(request: HttpRequest, actor: Actor, layer: int, level: str) -> HttpResponse:
    """Send the borders of a level of a layer as GeoJSON; an empty collection where the level has none."""
    require_anywhere(actor, VIEW)
    if level not in ORDER or layer not in {each.id for each in reads.layers(actor)}:
        raise NotFound("There is no such layer, or you may not see it.")
    try:
        drawn = reads.shapes(actor, LayerId(layer), level, tolerance=TOLERANCE.get(Level(level), 0.0))
    except NotFound:  # the layer is seen, but this level of it has no borders
        drawn = []
    features = ",".join(areas_upload.feature(view.name.in_(language()), view.code, int(view.id), shape) for view, shape in drawn)
    body = f'{{"type":"FeatureCollection","features":[{features}]}}'
    return HttpResponse(body, content_type="application/geo+json", headers={"Cache-Control": "private, max-age=3600", "Vary": "Cookie"})


@require_safe
@signed_in
def layers(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List every layer with its editions, and which of them holds today."""
    require_anywhere(actor, VIEW)
    names = {each.id: each.name for each in parties.choices(actor, VIEW)}
    rows = [
        {
            "layer": each,
            "title": each.title.in_(language()),
            "owner": names.get(each.organisation, "—") if each.organisation is not None else "",
            "holds": holds(each, today()),
        }
        for each in reads.layers(actor)
    ]
    may_manage = bool(organisations_of(actor, Permission.MANAGE_AREAS))
    return render(request, "console/areas_layers.html", {"rows": rows, "may_manage": may_manage})


def holds(layer: LayerView, on: date) -> str:
    """Return ``now``, ``later`` or ``over``."""
    if layer.valid_from > on:
        return "later"
    return "now" if layer.valid_until is None or layer.valid_until > on else "over"


patterns = [
    path("", areas, name="areas"),
    path("shapes/<int:layer>/<slug:level>.json", shapes, name="areas_shapes"),
    path("layers/", layers, name="areas_layers"),
    path("layers/load/", areas_upload.load, name="areas_load"),
    path("responsibilities/", areas_duties.duties, name="areas_duties"),
    path("responsibilities/set", areas_duties.set_duty, name="areas_set_duty"),
]
