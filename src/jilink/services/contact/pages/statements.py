"""Monthly statements: what clients are asked for, the contacts behind every line, and the file that is handed over."""

from dataclasses import dataclass
from decimal import Decimal

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jilink.core.parties import access
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.services.contact.actions import billing as actions
from jilink.services.contact.pages.statements_sheet import as_csv, pdf, title_of
from jilink.services.contact.pages.statements_words import CHANNELS, basis_words, quantity
from jilink.services.contact.reads import billing
from jilink.services.contact.reads.billing import StatementView
from jilink.services.contact.rules.tariffs import Line, TariffRefused, month_of, yuan
from jilink.webkit.door import said, signed_in
from jilink.webkit.parts import Tile

_L = gettext_lazy
PAGE = 100


class Filters(forms.Form):
    """What is shown of the statements."""

    client = forms.TypedChoiceField(label=_L("Client"), required=False, coerce=int, empty_value=None)
    month = forms.CharField(label=_L("Month"), required=False, widget=forms.TextInput(attrs={"type": "month"}))
    state = forms.ChoiceField(
        label=_L("State"), required=False, choices=(("", _L("All")), ("draft", _L("Draft")), ("issued", _L("Issued")))
    )

    def __init__(self, data: object, clients: list[tuple[int, str]]) -> None:
        super().__init__(data)  # type: ignore[arg-type] # -- a QueryDict
        self.fields["client"].choices = [("", _("All")), *clients]  # type: ignore[attr-defined] # -- a choice field


class DraftForm(forms.Form):
    """Which month of which client to count."""

    pair = forms.ChoiceField(label=_L("Client"))
    month = forms.CharField(label=_L("Month"), max_length=7, widget=forms.TextInput(attrs={"type": "month", "placeholder": "2026-05"}))

    def __init__(self, actor: Actor, data: object = None) -> None:
        super().__init__(data)  # type: ignore[arg-type] # -- a QueryDict or None
        self.fields["pair"].choices = pairs(actor)  # type: ignore[attr-defined] # -- a choice field


@dataclass(frozen=True, slots=True)
class Shown:
    """A line as people read it."""

    place: int
    title: str
    basis: Promise | str
    quantity: str
    free: str
    price: str
    amount: str
    contacts: int


def pairs(actor: Actor) -> list[tuple[str, str]]:
    """Return whom the actor may bill for whom."""
    issuers = billing.issuers(actor)
    several = len(issuers) > 1
    return [
        (f"{issuer.id}-{client.id}", f"{issuer.name} → {client.name}" if several else client.name)
        for issuer in issuers
        for client in billing.clients(actor, issuer.id)
    ]


def pair_of(text: str) -> tuple[int, int]:
    """Return issuer and client of a choice."""
    issuer, _dash, client = text.partition("-")
    return int(issuer), int(client)


@require_safe
@signed_in
def statements(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the statements."""
    access.require_anywhere(actor, Permission.VIEW_STATEMENTS)
    every = billing.statements(actor)
    form = Filters(request.GET, sorted({(row.organisation, row.client) for row in every}, key=lambda pair: pair[1]))
    rows = every
    if form.is_valid():
        given = form.cleaned_data
        rows = [
            row
            for row in every
            if given["client"] in (None, row.organisation)
            and given["month"] in ("", f"{row.month:%Y-%m}")
            and given["state"] in ("", row.state)
        ]
    manages = bool(billing.issuers(actor)) if actor.may(Permission.MANAGE_STATEMENTS) else False
    listed = [(row, yuan(row.sums.gross)) for row in rows]
    return render(request, "contact/statements_list.html", {"rows": listed, "form": form, "manages": manages, "any": bool(every)})


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def draft(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Count a month of a client."""
    access.require_anywhere(actor, Permission.MANAGE_STATEMENTS)
    form = DraftForm(actor, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        issuer, client = pair_of(form.cleaned_data["pair"])
        try:
            month = month_of(form.cleaned_data["month"])
            number = actions.draft_statement(issuer=issuer, organisation=client, month=month, by=actor)
        except NotFound:
            raise
        except TariffRefused as error:
            form.add_error("month", said(error))
        except Refused as error:
            form.add_error(None, said(error))
        else:
            return redirect("contact:statement", number)
    return render(request, "contact/statements_draft.html", {"form": form}, status=400 if form.errors else 200)


def _language() -> str:
    return get_language() or "zh-hans"


def _shown(place: int, line: Line, count: int) -> Shown:
    price = f"{line.price.normalize():f}"
    title = line.title.in_(_language())
    return Shown(place, title, basis_words(line.basis), quantity(line.quantity), quantity(line.free), price, yuan(line.fen), count)


@require_safe
@signed_in
def statement(request: HttpRequest, actor: Actor, statement: int) -> HttpResponse:
    """Show a statement with its lines."""
    view = billing.statement(actor, statement)
    sums = view.row.sums
    figures = [Tile(_("Net"), sums.net / 100, "¥", 2), Tile(_("VAT"), sums.vat / 100, "¥", 2), Tile(_("Total"), sums.gross / 100, "¥", 2)]
    lines = [_shown(place, line, count) for place, (line, count) in enumerate(zip(view.lines, view.counts, strict=True))]
    context = {"view": view, "row": view.row, "title": title_of(view), "figures": figures, "lines": lines}
    return render(request, "contact/statements_one.html", context)


@require_safe
@signed_in
def behind(request: HttpRequest, actor: Actor, statement: int, line: int) -> HttpResponse:
    """Show exactly the contacts behind one line."""
    view = billing.statement(actor, statement)
    after = request.GET.get("after", "0")
    rows = billing.behind(actor, statement, line, after=int(after) if after.isdecimal() and len(after) < 19 else 0, limit=PAGE + 1)
    listed = [(row, CHANNELS.get(row.channel, row.channel), _length(row.billed_s)) for row in rows[:PAGE]]
    context = {
        "view": view,
        "row": view.row,
        "title": title_of(view),
        "line": _shown(line, view.lines[line], view.counts[line]),
        "rows": listed,
        "next": rows[PAGE - 1].id if len(rows) > PAGE else None,
        "timed": any(row.billed_s is not None for row in rows),
        "back": reverse("contact:statement", args=[statement]),
    }
    return render(request, "contact/statements_behind.html", context)


def _length(seconds: int | None) -> str:
    return "" if seconds is None else quantity(Decimal(seconds) / 60)


@require_safe
@signed_in
def as_pdf(request: HttpRequest, actor: Actor, statement: int) -> HttpResponse:
    """Return a statement as PDF."""
    view = billing.statement(actor, statement)
    return _file(view, pdf(view, _language()), "pdf", "application/pdf")


@require_safe
@signed_in
def as_table(request: HttpRequest, actor: Actor, statement: int) -> HttpResponse:
    """Return a statement as CSV."""
    view = billing.statement(actor, statement)
    return _file(view, as_csv(view, _language()), "csv", "text/csv; charset=utf-8")


def _file(view: StatementView, body: bytes, form: str, kind: str) -> HttpResponse:
    response = HttpResponse(body, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{view.row.number or "draft"}-{view.row.month:%Y-%m}.{form}"'
    return response


@require_POST
@signed_in
def change(request: HttpRequest, actor: Actor, statement: int, deed: str) -> HttpResponse:
    """Count a draft anew, issue it, throw it away, or take an issued statement back."""
    if deed == "recount":
        row = billing.statement(actor, statement).row
        actions.draft_statement(issuer=row.issuer, organisation=row.organisation, month=row.month, by=actor)
        messages.success(request, _("The month was counted anew."))
    elif deed == "issue":
        number = actions.issue_statement(statement=statement, by=actor)
        messages.success(request, _("Issued as %(number)s.") % {"number": number})
    elif deed == "credit":
        note = actions.credit_statement(statement=statement, reason=request.POST.get("reason", ""), by=actor)
        messages.success(request, _("The statement is taken back. The month can be counted anew."))
        return redirect("contact:statement", note)
    elif deed == "drop":
        actions.drop_statement(statement=statement, by=actor)
        messages.success(request, _("The draft is gone."))
        return redirect("contact:statements")
    else:
        raise NotFound(billing.HIDDEN)
    return redirect("contact:statement", statement)


patterns: list[URLPattern] = [
    path("statements/", statements, name="statements"),
    path("statements/draft/", draft, name="draft-statement"),
    path("statements/<int:statement>/", statement, name="statement"),
    path("statements/<int:statement>/lines/<int:line>/", behind, name="statement-line"),
    path("statements/<int:statement>/statement.pdf", as_pdf, name="statement-pdf"),
    path("statements/<int:statement>/statement.csv", as_table, name="statement-csv"),
    path("statements/<int:statement>/do/<slug:deed>", change, name="change-statement"),
]
