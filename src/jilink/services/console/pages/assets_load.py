"""Assets from CSV files: a template, a check that names every wrong row, then all or none."""

import csv
import io
from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from jilink.core.assets import kinds
from jilink.core.assets.inventory import actions, reads
from jilink.core.assets.inventory.actions import LONGEST_LABEL, MOST_AT_ONCE, AssetData, AssetRefused
from jilink.core.assets.kinds import Kind
from jilink.core.parties.access import Actor, NotFound, require_anywhere
from jilink.core.parties.rules import Permission
from jilink.kernel import sheets
from jilink.kernel.errors import Refused
from jilink.kernel.ids import OrganisationId
from jilink.services.console.pages.assets_entry import StartForm
from jilink.services.console.pages.assets_forms import Posted, split
from jilink.services.console.pages.assets_words import language
from jilink.webkit.door import said, signed_in

MANAGE = Permission.MANAGE_ASSETS
PLAIN = {"label": "名称", "code": "编码", "latitude": "纬度", "longitude": "经度", "tags": "标签"}
"""Columns that every file may have, and their Chinese headings."""
SHOWN = 200


@dataclass(frozen=True, slots=True)
class Line:
    """A row: its number in the file, what it says, and what is wrong with it ("" where nothing is)."""

    number: int
    data: AssetData
    error: str


class LoadForm(StartForm):
    """Whose assets, of which kind, and the file; on the second step its text, checked again."""

    file = forms.FileField(label=gettext_lazy("CSV file"), required=False)
    content = forms.CharField(required=False, widget=forms.HiddenInput, max_length=4 << 20, strip=False)

    def __init__(self, actor: Actor, data: Posted = None, files: Posted = None) -> None:
        super().__init__(actor, data)
        self.files = files or {}  # type: ignore[assignment]  # -- a MultiValueDict

    def text(self) -> str:
        """Return the file's text: chosen now (UTF-8, else GB 18030), or carried over from the check."""
        file = self.cleaned_data.get("file")
        if not file:
            return str(self.cleaned_data["content"])
        content = file.read()
        try:
            return str(content.decode("utf-8-sig"))
        except UnicodeDecodeError:
            return str(content.decode("gb18030", "replace"))


def columns(kind: Kind) -> dict[str, str]:
    """Return every heading that is understood, and the column or attribute it stands for."""
    known = {name: name for name in PLAIN} | {chinese: name for name, chinese in PLAIN.items()}
    for attribute in kind.attributes:
        known |= {word: attribute.key for word in (attribute.title.zh, attribute.title.en) if word and word not in known}
        known[attribute.key] = attribute.key
    return known


def read(text: str, kind: Kind) -> list[Line]:
    """Return every row with its verdict; nothing is written. Raises AssetRefused where the file as a whole cannot be read."""
    if "\0" in text:
        raise AssetRefused("This is not a CSV file. Save the table as CSV and choose it again.")
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    table = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    known = columns(kind)
    heads = [head.strip() for head in table[0]] if table else []
    strange = [head for head in heads if head and head not in known]
    if strange:
        raise AssetRefused("The column %(head)s is not known. Take the headings of the template.", head=strange[0])
    names = [known.get(head, "") for head in heads]
    rows = [(number, row) for number, row in enumerate(table[1:], 2) if any(cell.strip() for cell in row)]
    if "label" not in names or not rows:
        raise AssetRefused("The file needs a column with labels, and a row below its headings.")
    if len(rows) > MOST_AT_ONCE:
        raise AssetRefused("At most %(most)d assets are loaded at once.", most=MOST_AT_ONCE)
    lines = [_line(number, dict(zip(names, row, strict=False)), kind) for number, row in rows]
    return _twice(lines)


def _line(number: int, row: dict[str, str], kind: Kind) -> Line:
    given = {name: value.strip() for name, value in row.items() if name and value.strip()}
    attributes = {name: value for name, value in given.items() if name not in PLAIN}
    data = AssetData(
        label=given.get("label", ""), code=given.get("code", ""), attributes=attributes, tags=tuple(split(given.get("tags", "")))
    )
    try:
        latitude, longitude = (float(given[name]) if name in given else None for name in ("latitude", "longitude"))
        data = AssetData(label=data.label, code=data.code, attributes=attributes, tags=data.tags, latitude=latitude, longitude=longitude)
        kinds.check_code(kind, data.code)
        kinds.read_attributes(kind, attributes)
    except ValueError:
        return Line(number, data, _("Latitude and longitude are numbers of degrees."))
    except Refused as error:
        return Line(number, data, said(error))
    if not data.label or len(data.label) > LONGEST_LABEL:
        return Line(number, data, _("A label of at most 60 characters is needed."))
    if (latitude is None) != (longitude is None) or not (abs(latitude or 0) <= 90 and abs(longitude or 0) <= 180):
        return Line(number, data, _("Latitude and longitude go together, in degrees (WGS-84)."))
    return Line(number, data, "")


def _twice(lines: list[Line]) -> list[Line]:
    """Return the lines, with what stands in the file twice told at the second place."""
    seen: dict[tuple[str, str], int] = {}
    checked = []
    for line in lines:
        keys = [("label", line.data.label), *([("code", line.data.code)] if line.data.code else [])]
        first = next((seen[key] for key in keys if key in seen), None)
        for key in keys:
            seen.setdefault(key, line.number)
        again = _("Its label or code stands in row %(number)d already.") % {"number": first} if first else ""
        checked.append(Line(line.number, line.data, line.error or again))
    return checked


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def load(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Choose a file, look at what it says row by row, then load it whole."""
    require_anywhere(actor, MANAGE)
    if request.method != "POST":
        return render(request, "console/assets_load.html", {"form": LoadForm(actor, None)})
    form = LoadForm(actor, request.POST, request.FILES)
    context: dict[str, object] = {"form": form}
    if form.is_valid():
        organisation, key = OrganisationId(form.cleaned_data["organisation"]), form.cleaned_data["kind"]
        try:
            kind, text = reads.kind_of(organisation, key), form.text()
            lines = read(text, kind)
            wrong = [line for line in lines if line.error]
            context |= {"lines": lines[:SHOWN], "wrong": wrong[:SHOWN], "total": len(lines), "failed": len(wrong), "text": text}
            context |= {"organisation": organisation, "key": key, "kind": kind.title.in_(language())}
            if "load" in request.POST and not wrong:
                made = actions.load_assets(organisation=organisation, kind=key, rows=[line.data for line in lines], by=actor)
                messages.success(request, _("%(count)d assets were added.") % {"count": len(made)})
                return redirect("console:assets")
        except NotFound as error:
            form.add_error("kind", said(error))
        except Refused as error:
            form.add_error("file", said(error))
    return render(request, "console/assets_load.html", context, status=400 if form.errors else 200)


@require_safe
@signed_in
def template(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Send an empty table of a kind, with its headings in the viewer's language and an example of every choice."""
    require_anywhere(actor, MANAGE)
    form = StartForm(actor, request.GET)
    if not form.is_valid():
        raise NotFound("There is no such kind of asset here.")
    kind = reads.kind_of(OrganisationId(form.cleaned_data["organisation"]), form.cleaned_data["kind"])
    chinese = language().startswith("zh")
    heads = [PLAIN[name] if chinese else name for name in PLAIN] + [each.title.in_(language()) for each in kind.attributes]
    out = io.StringIO()
    csv.writer(out).writerow([sheets.cell(head) for head in heads])
    response = HttpResponse("\ufeff" + out.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{form.cleaned_data["kind"]}.csv"'
    return response
