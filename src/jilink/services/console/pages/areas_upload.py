"""An organisation's own areas from GeoJSON, in two steps: check the file and look at it on the map, then load it."""

import json

import shapely
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from jilink.core.areas import actions, geojson
from jilink.core.areas.geojson import GCJ02, Columns, Sheet
from jilink.core.areas.rules import Level
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound, require, require_anywhere
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.kernel.ids import OrganisationId
from jilink.kernel.texts import Text
from jilink.services.console.pages.areas_words import LEVELS, language, today
from jilink.webkit.door import said, signed_in

MANAGE = Permission.MANAGE_AREAS
LARGEST = 4_000_000
"""Bytes of a file: the checked text travels back with the second step."""
PREVIEW_DEGREES = 0.0003
SHOWN = 200
DATUMS = {
    "": gettext_lazy("As the file says; WGS-84 or CGCS2000 where it says nothing"),
    "EPSG:4490": "CGCS2000 (EPSG:4490)",
    GCJ02: gettext_lazy("GCJ-02, the shifted coordinates of Chinese map services"),
    "EPSG:4326": "WGS-84 (EPSG:4326)",
    "EPSG:4549": gettext_lazy("CGCS2000, 3-degree zone, 120° E (EPSG:4549)"),
    "EPSG:4550": gettext_lazy("CGCS2000, 3-degree zone, 123° E (EPSG:4550)"),
    "EPSG:4551": gettext_lazy("CGCS2000, 3-degree zone, 126° E (EPSG:4551)"),
    "EPSG:4552": gettext_lazy("CGCS2000, 3-degree zone, 129° E (EPSG:4552)"),
}


class LoadForm(forms.Form):
    """The file, what its properties hold, and from when it is valid; on the second step its text, checked again."""

    organisation = forms.TypedChoiceField(label=gettext_lazy("Organisation"), coerce=int)
    key = forms.SlugField(
        label=gettext_lazy("Key"),
        max_length=40,
        help_text=gettext_lazy("The same key again makes a new edition; the one before ends on its first day."),
    )
    title_zh = forms.CharField(label=gettext_lazy("Title in Chinese"), max_length=60)
    title_en = forms.CharField(label=gettext_lazy("Title in English"), max_length=60, required=False)
    valid_from = forms.DateField(
        label=gettext_lazy("Valid from"), widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}), initial=today
    )
    source = forms.CharField(label=gettext_lazy("Source"), max_length=200, help_text=gettext_lazy("Who surveyed it, when."))
    datum = forms.ChoiceField(label=gettext_lazy("Reference system"), choices=list(DATUMS.items()), required=False)
    level = forms.ChoiceField(
        label=gettext_lazy("Level where an area names none"),
        choices=[(key.value, word) for key, word in LEVELS.items()],
        initial=Level.GRID,
    )
    code_column = forms.CharField(label=gettext_lazy("Property with the code"), initial="code", max_length=60)
    name_column = forms.CharField(label=gettext_lazy("Property with the name"), initial="name", max_length=60)
    name_en_column = forms.CharField(label=gettext_lazy("Property with the English name"), initial="name_en", max_length=60, required=False)
    level_column = forms.CharField(label=gettext_lazy("Property with the level"), initial="level", max_length=60, required=False)
    parent_column = forms.CharField(
        label=gettext_lazy("Property with the code of the area above"), initial="parent", max_length=60, required=False
    )
    file = forms.FileField(label=gettext_lazy("GeoJSON file"), required=False)
    content = forms.CharField(required=False, widget=forms.HiddenInput, max_length=LARGEST, strip=False)

    def __init__(self, actor: Actor, request: HttpRequest | None = None) -> None:
        super().__init__(request.POST if request else None, request.FILES if request else None)
        choices = [(each.id, f"{'　' * each.depth}{each.name}") for each in parties.choices(actor, MANAGE)]
        self.fields["organisation"].choices = choices  # type: ignore[attr-defined]  # -- of a choice field

    def plain(self) -> list[forms.BoundField]:
        """Return the fields about the edition."""
        return [self[name] for name in ("organisation", "key", "title_zh", "title_en", "valid_from", "source")]

    def reading(self) -> list[forms.BoundField]:
        """Return the fields about how the file is read."""
        columns = ("code_column", "name_column", "name_en_column", "level_column", "parent_column")
        return [self[name] for name in ("datum", "level", *columns)]

    def text(self) -> bytes:
        """Return the file's bytes: chosen now, or carried over from the check. Raises GeoJSONRefused."""
        file = self.cleaned_data.get("file")
        if file and (file.size or 0) > LARGEST:
            message = "The file is larger than %(most)s MB. Simplify its borders or split it."
            raise geojson.GeoJSONRefused(message, most=LARGEST // 1_000_000)
        return bytes(file.read()) if file else str(self.cleaned_data["content"]).encode()

    def sheet(self, data: bytes) -> Sheet:
        """Return what the file holds. Raises GeoJSONRefused."""
        given = self.cleaned_data
        names = {name: given[f"{name}_column"] or f"\0no {name}" for name in ("code", "name", "name_en", "level", "parent")}
        return geojson.read(data, columns=Columns(**names), datum=given["datum"], level=given["level"])


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def load(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Choose a file, look at what it holds, then load it as a new edition."""
    require_anywhere(actor, MANAGE)
    if request.method != "POST":
        return render(request, "console/areas_load.html", {"form": LoadForm(actor)})
    form = LoadForm(actor, request)
    context: dict[str, object] = {"form": form}
    if form.is_valid():
        organisation = OrganisationId(form.cleaned_data["organisation"])
        require(actor, MANAGE, organisation)
        try:
            data = form.text()
            sheet = form.sheet(data)
            if "load" in request.POST:
                _load(form, organisation, sheet, actor)
                messages.success(request, _("%(count)d areas were loaded.") % {"count": len(sheet.areas)})
                return redirect("console:areas_layers")
            context |= _checked(form, sheet, data)
        except NotFound:
            raise
        except Refused as error:
            form.add_error("file" if isinstance(error, geojson.GeoJSONRefused) else "valid_from", said(error))
    return render(request, "console/areas_load.html", context, status=400 if form.errors else 200)


def _load(form: LoadForm, organisation: OrganisationId, sheet: Sheet, actor: Actor) -> None:
    given = form.cleaned_data
    actions.load_layer(
        organisation=organisation,
        key=given["key"],
        title=Text(given["title_zh"], given["title_en"]),
        sheet=sheet,
        source=given["source"],
        valid_from=given["valid_from"],
        by=actor,
    )


def _checked(form: LoadForm, sheet: Sheet, data: bytes) -> dict[str, object]:
    """Return what the second step shows: counts, remarks, the first areas, borders to look at, and what is sent again."""
    borders = shapely.simplify([area.shape for area in sheet.areas], PREVIEW_DEGREES)
    names = [area.name if language().startswith("zh") else area.name_en or area.name for area in sheet.areas]
    features = [
        feature(name, area.code, 0, shapely.to_geojson(shape)) for name, area, shape in zip(names, sheet.areas, borders, strict=True)
    ]
    levels = {level: sum(area.level == level for area in sheet.areas) for level in Level}
    return {
        "sheet": sheet,
        "total": len(sheet.areas),
        "levels": [(LEVELS[level], count) for level, count in levels.items() if count],
        "shown": [{"area": area, "level": LEVELS[Level(area.level)]} for area in sheet.areas[:SHOWN]],
        "preview": json.loads(f'{{"type":"FeatureCollection","features":[{",".join(features)}]}}'),
        "kept": [(bound.html_name, bound.data or "") for bound in (*form.plain(), *form.reading())],
        "text": data.decode("utf-8", "replace"),
    }


def feature(name: str, code: str, number: int, shape: str) -> str:
    """Return one GeoJSON feature around a geometry that is GeoJSON already."""
    properties = json.dumps({"name": name, "code": code, "id": number}, ensure_ascii=False)
    return f'{{"type":"Feature","properties":{properties},"geometry":{shape}}}'
