"""Adding, editing, removing, importing and exporting vehicles."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jilink.core.parties import audit
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound, require_anywhere
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.kernel.ids import AssetId, OrganisationId
from jilink.protocols.jt808.vendors import PROFILES
from jilink.services.vehicles import actions, importing
from jilink.services.vehicles.actions import VehicleData
from jilink.services.vehicles.command_forms import Posted
from jilink.services.vehicles.reads import fleet
from jilink.services.vehicles.rules import Kind, PlateColour
from jilink.services.vehicles.words import lazy_word
from jilink.webkit.door import said, signed_in

MANAGE = Permission.MANAGE_VEHICLES
KINDS = {
    Kind.CAR: gettext_lazy("Car"),
    Kind.BUS: gettext_lazy("Bus"),
    Kind.TRUCK: gettext_lazy("Truck"),
    Kind.TAXI: gettext_lazy("Taxi"),
    Kind.HAZARDOUS: gettext_lazy("Dangerous goods"),
    Kind.FARM: gettext_lazy("Farm machine"),
    Kind.OTHER: gettext_lazy("Other"),
}
COLOURS = {
    PlateColour.BLUE: gettext_lazy("Blue"),
    PlateColour.YELLOW: gettext_lazy("Yellow"),
    PlateColour.GREEN: gettext_lazy("Green"),
    PlateColour.BLACK: gettext_lazy("Black"),
    PlateColour.WHITE: gettext_lazy("White"),
    PlateColour.OTHER: gettext_lazy("Other"),
    PlateColour.NONE: gettext_lazy("Not registered"),
}


def organisation_field(actor: Actor, permission: Permission) -> forms.TypedChoiceField:
    """Return the choice among the organisations that grant the permission."""
    choices = [(each.id, f"{'　' * each.depth}{each.name}") for each in parties.choices(actor, permission)]
    return forms.TypedChoiceField(label=gettext_lazy("Organisation"), choices=choices, coerce=int)


class VehicleForm(forms.Form):
    """What is entered of a vehicle."""

    plate = forms.CharField(label=gettext_lazy("Plate"), max_length=20)
    plate_colour = forms.TypedChoiceField(label=gettext_lazy("Plate colour"), choices=list(COLOURS.items()), coerce=int)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=list(KINDS.items()))
    terminal_phone = forms.CharField(
        label=gettext_lazy("Terminal phone"),
        max_length=24,
        required=False,
        help_text=gettext_lazy("The number set in the terminal; leading zeros do not matter. Empty: no terminal yet."),
    )
    profile = forms.ChoiceField(label=gettext_lazy("Terminal profile"), choices=[(name, lazy_word(f"profile.{name}")) for name in PROFILES])
    vin = forms.CharField(label=gettext_lazy("VIN"), max_length=17, required=False)
    driver = forms.CharField(label=gettext_lazy("Driver"), max_length=60, required=False)
    driver_phone = forms.CharField(label=gettext_lazy("Driver's phone"), max_length=20, required=False)
    note = forms.CharField(label=gettext_lazy("Note"), max_length=200, required=False)

    def __init__(self, actor: Actor, data: Posted = None, initial: Posted = None) -> None:
        super().__init__(data, initial=initial)
        self.fields["organisation"] = organisation_field(actor, MANAGE)
        self.order_fields(["organisation"])

    def vehicle(self) -> VehicleData:
        """Return what was entered."""
        values = dict(self.cleaned_data)
        return VehicleData(
            **{
                **values,
                "organisation": OrganisationId(values["organisation"]),
                "plate_colour": PlateColour(values["plate_colour"]),
                "kind": Kind(values["kind"]),
            }
        )


def _save(request: HttpRequest, form: VehicleForm, asset: AssetId | None, actor: Actor) -> HttpResponse | None:
    """Add or edit; None where the form has to be shown again."""
    if not form.is_valid():
        return None
    try:
        if asset is None:
            asset = actions.add_vehicle(data=form.vehicle(), by=actor)
        else:
            actions.edit_vehicle(asset=asset, data=form.vehicle(), by=actor)
    except NotFound:
        raise
    except Refused as error:
        form.add_error(None, said(error))
        return None
    messages.success(request, _("Saved."))
    return redirect("vehicles:vehicle", asset)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def add(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Add a vehicle."""
    require_anywhere(actor, MANAGE)
    form = VehicleForm(actor, request.POST if request.method == "POST" else None)
    done = _save(request, form, None, actor) if request.method == "POST" else None
    return done or render(request, "vehicles/edit.html", {"form": form, "asset": None}, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def edit(request: HttpRequest, actor: Actor, asset: int) -> HttpResponse:
    """Edit a vehicle."""
    known = fleet.record(actor, AssetId(asset))
    initial = {name: getattr(known, name) for name in VehicleForm.base_fields} | {"organisation": known.organisation}
    form = VehicleForm(actor, request.POST if request.method == "POST" else None, initial)
    done = _save(request, form, AssetId(asset), actor) if request.method == "POST" else None
    context = {"form": form, "asset": asset, "plate": known.plate}
    return done or render(request, "vehicles/edit.html", context, status=400 if form.errors else 200)


@require_POST
@signed_in
def remove(request: HttpRequest, actor: Actor, asset: int) -> HttpResponse:
    """Remove a vehicle."""
    known = fleet.record(actor, AssetId(asset))
    actions.remove_vehicle(asset=AssetId(asset), by=actor)
    messages.success(request, _("%(plate)s was removed.") % {"plate": known.plate})
    return redirect("vehicles:map")


class ImportForm(forms.Form):
    """A CSV file for one organisation; on the second step its text, checked again."""

    file = forms.FileField(label=gettext_lazy("CSV file"), required=False)
    content = forms.CharField(required=False, widget=forms.HiddenInput, max_length=4 << 20, strip=False)

    def __init__(self, actor: Actor, data: Posted = None, files: Posted = None) -> None:
        super().__init__(data, files)
        self.fields["organisation"] = organisation_field(actor, MANAGE)
        self.order_fields(["organisation"])

    def given(self) -> bytes:
        """Return the file's bytes: chosen now, or carried over from the preview."""
        file = self.cleaned_data.get("file")
        return bytes(file.read()) if file else self.cleaned_data["content"].encode()


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def import_vehicles(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Choose a file, look at what it says row by row, then load it whole."""
    require_anywhere(actor, MANAGE)
    if request.method != "POST":
        return render(request, "vehicles/import.html", {"form": ImportForm(actor), "columns": importing.COLUMNS})
    form = ImportForm(actor, request.POST, request.FILES)
    context: dict[str, object] = {"form": form, "columns": importing.COLUMNS}
    if form.is_valid():
        organisation = OrganisationId(form.cleaned_data["organisation"])
        content = form.given()
        try:
            lines = importing.read(content, organisation, actor)
            wrong = [line for line in lines if line.error]
            if "load" in request.POST and not wrong:
                added = actions.add_vehicles(organisation=organisation, data=[line.data for line in lines], by=actor)
                messages.success(request, _("%(count)d vehicles were added.") % {"count": len(added)})
                return redirect("vehicles:map")
            text = importing.text_of(content)
            context |= {"lines": lines[:200], "wrong": wrong[:200], "total": len(lines), "failed": len(wrong), "text": text}
            context["organisation"] = organisation
        except NotFound:
            raise
        except Refused as error:
            form.add_error("file", said(error))
    return render(request, "vehicles/import.html", context, status=400 if form.errors else 200)


@require_safe
@signed_in
def export(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Send all vehicles as CSV, in the form that the import reads."""
    require_anywhere(actor, MANAGE)
    audit.record(actor, "vehicles.exported", "vehicles", None)
    response = HttpResponse("".join(importing.write(fleet.records(actor))), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="vehicles.csv"'
    return response
