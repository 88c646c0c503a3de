"""Tariffs: what each client pays, and from which month on."""

from decimal import Decimal

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from jilink.core.parties import access
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.kernel.texts import Text
from jilink.services.contact.actions import billing as actions
from jilink.services.contact.pages.statements import pair_of, pairs
from jilink.services.contact.pages.statements_words import BASES, CHANNELS, basis_words
from jilink.services.contact.reads import billing
from jilink.services.contact.reads.billing import TariffView
from jilink.services.contact.rules.tariffs import MINUTES, Basis, Rate, TariffDesign, month_of, yuan
from jilink.webkit.door import said, signed_in

_L = gettext_lazy
MANAGE = Permission.MANAGE_STATEMENTS
EXTRA = 3


class TariffForm(forms.Form):
    """Whose tariff, from when, and what is paid every month."""

    pair = forms.ChoiceField(label=_L("Client"))
    valid_from = forms.CharField(
        label=_L("From the month"), max_length=7, widget=forms.TextInput(attrs={"type": "month", "placeholder": "2026-05"})
    )
    base = forms.DecimalField(label=_L("Base fee a month, CNY"), min_value=Decimal(0), max_digits=11, decimal_places=4, initial=0)
    minimum = forms.DecimalField(label=_L("At least a month, CNY"), min_value=Decimal(0), max_digits=11, decimal_places=4, initial=0)
    vat = forms.DecimalField(label=_L("VAT, %"), min_value=Decimal(0), max_value=Decimal(100), max_digits=5, decimal_places=2, initial=6)
    based_on = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, actor: Actor, data: object = None, seen: TariffView | None = None) -> None:
        super().__init__(data, initial=_initial(seen) if seen else None)  # type: ignore[arg-type] # -- a QueryDict or None
        if seen is None:
            self.fields["pair"].choices = pairs(actor)  # type: ignore[attr-defined] # -- a choice field
        else:
            del self.fields["pair"], self.fields["valid_from"]


class RateForm(forms.Form):
    """One price; a row without a title is none."""

    zh = forms.CharField(label=_L("Title (Chinese)"), max_length=60, required=False)
    en = forms.CharField(label=_L("Title (English)"), max_length=60, required=False)
    basis = forms.ChoiceField(label=_L("Counted by"), choices=list(BASES.items()), required=False)
    price = forms.DecimalField(label=_L("Price, CNY"), min_value=Decimal(0), max_digits=11, decimal_places=4, required=False)
    free = forms.IntegerField(label=_L("Free of charge"), min_value=0, max_value=10_000_000, required=False)
    step_s = forms.IntegerField(label=_L("Round time up to, s"), min_value=1, max_value=3600, required=False)
    seats = forms.IntegerField(label=_L("Seats agreed on"), min_value=0, max_value=100_000, required=False)
    code = forms.CharField(label=_L("Code of the outcome"), max_length=40, required=False)
    queues = forms.CharField(label=_L("Only queues (keys)"), max_length=400, required=False)
    channels = forms.MultipleChoiceField(
        label=_L("Only channels"), choices=list(CHANNELS.items()), required=False, widget=forms.CheckboxSelectMultiple
    )

    def rate(self) -> Rate | None:
        """Return the price, None of an empty row."""
        given = self.cleaned_data
        if not (given.get("zh") or given.get("en")):
            return None
        return Rate(
            title=Text(given["zh"], given["en"]),
            basis=Basis(given["basis"] or Basis.ANSWERED),
            price=given["price"] or Decimal(0),
            channels=tuple(given["channels"]),
            queues=tuple(given["queues"].replace(",", " ").replace("，", " ").split()),
            code=given["code"] if given["basis"] == Basis.OUTCOME else "",
            seats=(given["seats"] or 0) if given["basis"] == Basis.AGREED_SEAT else 0,
            step_s=given["step_s"] or 60,
            free=given["free"] or 0,
        )


Rates = forms.formset_factory(RateForm, extra=EXTRA, max_num=40, absolute_max=40)


def _initial(seen: TariffView) -> dict[str, object]:
    return {"base": seen.design.base, "minimum": seen.design.minimum, "vat": seen.design.vat, "based_on": seen.version}


def _rows(design: TariffDesign) -> list[dict[str, object]]:
    return [
        {
            "zh": rate.title.zh, "en": rate.title.en, "basis": rate.basis.value, "price": rate.price, "free": rate.free or None,
            "step_s": rate.step_s, "seats": rate.seats or None, "code": rate.code, "queues": " ".join(rate.queues),
            "channels": list(rate.channels),
        }
        for rate in design.rates
    ]  # fmt: skip


@require_safe
@signed_in
def tariffs(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the tariffs by client."""
    access.require_anywhere(actor, MANAGE)
    rows = [(one, _words(one.design)) for one in billing.tariffs(actor)]
    return render(request, "contact/tariffs_list.html", {"rows": rows, "clients": bool(pairs(actor))})


def _words(design: TariffDesign) -> list[str]:
    found = [_("Base fee %(money)s") % {"money": yuan(int(design.base * 100))}] if design.base else []
    for rate in design.rates:
        unit = _("per minute") if rate.basis in MINUTES else ""
        found.append(f"{basis_words(rate.basis.value)}: ¥{rate.price.normalize():f} {unit}".strip())
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def add(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Agree on a tariff from a month on."""
    access.require_anywhere(actor, MANAGE)
    return _edit(request, actor, None)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def tariff(request: HttpRequest, actor: Actor, tariff: int) -> HttpResponse:
    """Show a tariff and change it, as long as nothing was issued by it."""
    return _edit(request, actor, billing.tariff(actor, tariff))


def _edit(request: HttpRequest, actor: Actor, seen: TariffView | None) -> HttpResponse:
    given = request.POST if request.method == "POST" else None
    form = TariffForm(actor, given, seen)
    rates = Rates(given, prefix="rate", initial=_rows(seen.design) if seen else None)
    if given is not None and form.is_valid() and rates.is_valid():
        try:
            _save(form, rates, actor, seen)
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
        else:
            messages.success(request, _("The tariff is kept."))
            return redirect("contact:tariffs")
    queues = billing.queue_names(actor, seen.organisation) if seen else {}
    context = {"form": form, "rates": rates, "tariff": seen, "queues": queues}
    return render(request, "contact/tariffs_edit.html", context, status=400 if form.errors or rates.is_bound else 200)


def _save(form: TariffForm, rates: "forms.BaseFormSet[RateForm]", actor: Actor, seen: TariffView | None) -> None:
    held = form.cleaned_data
    found = tuple(rate for each in rates if (rate := each.rate()) is not None)
    design = TariffDesign(base=held["base"], minimum=held["minimum"], vat=held["vat"], rates=found)
    issuer, client = (seen.issuer, seen.organisation) if seen else pair_of(held["pair"])
    valid_from = seen.valid_from if seen else month_of(held["valid_from"])
    actions.set_tariff(issuer=issuer, organisation=client, valid_from=valid_from, design=design, based_on=held["based_on"] or 0, by=actor)


patterns: list[URLPattern] = [
    path("tariffs/", tariffs, name="tariffs"),
    path("tariffs/add/", add, name="add-tariff"),
    path("tariffs/<int:tariff>/", tariff, name="tariff"),
]
