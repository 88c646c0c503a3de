"""Contacts of queues: search, the same as CSV and Excel, and one contact with all that happened to it."""

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

import xlsxwriter
from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jilink.core.cases.reads import CaseRow, Filter, cases
from jilink.core.interactions import reads as interactions
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.members import reads as members
from jilink.core.parties.people import reads as people
from jilink.core.parties.people.reads import PersonView
from jilink.core.parties.people.rules import ContactRefused
from jilink.core.parties.rules import Permission
from jilink.kernel import sheets
from jilink.kernel.clock import CHINA, utc_now
from jilink.services.contact.pages.contacts_words import CHANNEL_WORDS, ENDS, STEPS, TONES
from jilink.services.contact.pages.desk_words import CONTACT_STATES
from jilink.services.contact.pages.places import place_names
from jilink.services.contact.pages.recordings import shown
from jilink.services.contact.reads import contacts as reads
from jilink.services.contact.reads import recordings, writing
from jilink.services.contact.reads.contacts import ContactRow, ContactView, Sought
from jilink.services.contact.reads.writing import Talk
from jilink.webkit.door import said, signed_in

FEW = 20
USUAL = timedelta(days=7)
LONGEST = 24 * 3600
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_ALL = ("", gettext_lazy("All"))


class SoughtForm(forms.Form):
    """What the address asks for."""

    first = forms.DateField(label=gettext_lazy("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label=gettext_lazy("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    queue = forms.TypedChoiceField(label=gettext_lazy("Queue"), required=False, coerce=int, empty_value=None)
    agent = forms.TypedChoiceField(label=gettext_lazy("Agent"), required=False, coerce=int, empty_value=None)
    organisation = forms.TypedChoiceField(label=gettext_lazy("Organisation"), required=False, coerce=int, empty_value=None)
    channel = forms.ChoiceField(label=gettext_lazy("Channel"), required=False, choices=[_ALL, *CHANNEL_WORDS.items()])
    outcome = forms.ChoiceField(
        label=gettext_lazy("Outcome"), required=False, choices=[_ALL, ("answered", gettext_lazy("Answered")), *ENDS.items()]
    )
    code = forms.CharField(label=gettext_lazy("Code"), required=False, max_length=40)
    number = forms.CharField(
        label=gettext_lazy("Number of a known person"), required=False, max_length=40, widget=forms.TextInput(attrs={"inputmode": "tel"})
    )
    waited = forms.IntegerField(label=gettext_lazy("Waited longer than, s"), required=False, min_value=0, max_value=LONGEST)

    def __init__(self, data: object, actor: Actor) -> None:
        super().__init__(data)  # type: ignore[arg-type] # -- a query's values
        for name, choices in (
            ("queue", [(str(key), name.in_(_language())) for key, name in reads.queue_names(actor).items()]),
            ("agent", sorted(((str(key), name) for key, name in reads.agents(actor).items()), key=lambda each: each[1])),
            ("organisation", [(str(key), name) for key, name in place_names(actor, Permission.VIEW_QUEUES).items()]),
        ):
            self.fields[name].choices = [_ALL, *choices]  # type: ignore[attr-defined] # -- a choice field

    def sought(self, today: date) -> Sought:
        """Return what is asked for; what cannot be read counts as not given."""
        self.is_valid()
        given = self.cleaned_data
        last: date = given.get("last") or today
        first: date = given.get("first") or last - USUAL
        return Sought(
            begin=datetime.combine(first, time(), CHINA),
            end=datetime.combine(min(last, date(9998, 1, 1)) + timedelta(days=1), time(), CHINA),
            organisation=given.get("organisation"),
            queue=given.get("queue"),
            agent=given.get("agent"),
            channel=given.get("channel") or "",
            outcome=given.get("outcome") or "",
            code=given.get("code") or "",
            number=given.get("number") or "",
            waited_s=given.get("waited"),
        )


def _language() -> str:
    return get_language() or "zh-hans"


@require_safe
@signed_in
def contacts(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List what is sought, the newest first."""
    form, given = _asked(request, actor)
    before, wrong = request.GET.get("before", ""), ""
    last = int(before) if before.isascii() and before.isdecimal() and len(before) < 19 else None
    try:
        found = reads.contacts(actor, given, before=last, limit=reads.PAGE + 1)
    except ContactRefused as error:
        found, wrong = [], said(error)
    shown = found[: reads.PAGE]
    asked = {key: value for key, value in request.GET.dict().items() if key not in ("before", "as")}
    context = {
        "form": form,
        "wrong": wrong,
        "rows": _lines(shown),
        "more": shown[-1].id if len(found) > reads.PAGE else None,
        "csv": "?" + urlencode({**asked, "as": "csv"}),
        "excel": "?" + urlencode({**asked, "as": "xlsx"}),
    }
    return render(request, "contact/contacts_list.html", context)


def _asked(request: HttpRequest, actor: Actor) -> tuple[SoughtForm, Sought]:
    reads.in_reach(actor)
    today = utc_now().astimezone(CHINA).date()
    given = SoughtForm(request.GET, actor).sought(today)
    begin, end = given.begin, given.end
    values = request.GET.dict()
    if begin and end:
        values |= {"first": begin.date().isoformat(), "last": (end - timedelta(days=1)).date().isoformat()}
    return SoughtForm(values, actor), given


def _lines(rows: list[ContactRow]) -> list[tuple[ContactRow, str, Promise | str, Promise, str]]:
    """Return contacts with their agent, channel, outcome and its tone."""
    names = members.people_named({row.agent for row in rows if row.agent})
    return [
        (
            row,
            names.get(row.agent or 0, ""),
            CHANNEL_WORDS.get(row.channel, row.channel),
            _outcome(row),
            TONES.get(row.end or "", "neutral"),
        )
        for row in rows
    ]


def _outcome(row: ContactRow) -> Promise:
    return ENDS[row.end] if row.end else CONTACT_STATES[row.state]


@require_safe
@signed_in
def export(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Return what is sought as CSV, or as Excel with `as=xlsx`; without numbers and notes, which stay behind their own doors."""
    _form, given = _asked(request, actor)
    try:
        found = reads.contacts(actor, given, limit=reads.MOST_EXPORTED)
    except ContactRefused:
        found = []
    excel = request.GET.get("as") == "xlsx"
    table = [_heads(), *_cells(found)]
    response = HttpResponse(as_excel(table) if excel else as_csv(table), content_type=EXCEL if excel else "text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="contacts.{"xlsx" if excel else "csv"}"'
    return response


def _heads() -> list[str | float]:
    return [
        _("Number"), _("Came"), _("Organisation"), _("Queue"), _("Channel"), _("Agent"), _("Outcome"), _("Code"),
        _("Wait, s"), _("Conversation, s"),
    ]  # fmt: skip


def _cells(rows: list[ContactRow]) -> Iterator[list[str | float]]:
    for row, agent, channel, outcome, _tone in _lines(rows):
        wait, talk = ("" if seconds is None else round(seconds) for seconds in (row.wait_s, row.talk_s))
        came = f"{row.offered_at.astimezone(CHINA):%Y-%m-%d %H:%M:%S}"
        queue = row.queue_name.in_(_language())
        yield [row.id, came, row.organisation, queue, str(channel), agent, str(outcome), row.code, wait, talk]


def as_csv(table: list[list[str | float]]) -> bytes:
    """Return a table as CSV that spreadsheets read as UTF-8; no text is taken for a formula."""
    out = io.StringIO()
    csv.writer(out).writerows([[sheets.cell(cell) if isinstance(cell, str) else cell for cell in row] for row in table])
    return out.getvalue().encode("utf-8-sig")


def as_excel(table: list[list[str | float]]) -> bytes:
    """Return a table as a workbook of one sheet; no text is taken for a formula or an address."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    head = book.add_format({"bold": True, "bottom": 1, "bg_color": "#E8EFEE"})
    for line, row in enumerate(table):
        sheet.write_row(line, 0, row, None if line else head)
    sheet.set_column(0, len(table[0]) - 1, 18)
    book.close()
    return out.getvalue()


@require_safe
@signed_in
def contact(request: HttpRequest, actor: Actor, contact: int) -> HttpResponse:
    """Show one contact."""
    return _shown(request, actor, reads.contact(actor, contact))


@require_POST
@signed_in
def reveal(request: HttpRequest, actor: Actor, contact: int) -> HttpResponse:
    """Show the number whole; the read is in the audit."""
    view = reads.contact(actor, contact)
    if view.interaction is None:
        raise NotFound(reads.HIDDEN)
    return _shown(request, actor, view, interactions.reveal_contact(actor, view.interaction.id))


def _shown(request: HttpRequest, actor: Actor, view: ContactView, revealed: str = "") -> HttpResponse:
    known = {step.agent for step in view.steps} | {view.row.agent}
    names = members.people_named({agent for agent in known if agent})
    context = {
        "contact": view.row,
        "interaction": view.interaction,
        "agent": names.get(view.row.agent or 0, ""),
        "channel": CHANNEL_WORDS.get(view.row.channel, view.row.channel),
        "outcome": _outcome(view.row),
        "tone": TONES.get(view.row.end or "", "neutral"),
        "steps": [(STEPS.get(each.what, each.what), names.get(each.agent or 0, ""), each.at) for each in view.steps],
        "hops": _lines(list(view.hops)),
        "person": _person(actor, view),
        "cases": _cases(actor, view),
        "may_reveal": actor.may(Permission.REVEAL_PEOPLE),
        "revealed": revealed,
        "recordings": shown(actor, recordings.of_contact(actor, view.row.id)),
        "talk": _talk(actor, view),
    }
    response = render(request, "contact/contacts_one.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _person(actor: Actor, view: ContactView) -> PersonView | None:
    try:
        return people.person(actor, view.interaction.person) if view.interaction and view.interaction.person else None
    except NotFound:
        return None


def _cases(actor: Actor, view: ContactView) -> tuple[CaseRow, ...]:
    try:
        return cases(actor, Filter(states=(), interaction=view.interaction.id), now=utc_now(), limit=FEW).rows if view.interaction else ()
    except NotFound:
        return ()


def _talk(actor: Actor, view: ContactView) -> Talk | None:
    try:
        return writing.talk_of_interaction(actor, view.interaction.id) if view.interaction else None
    except NotFound:
        return None


patterns: list[URLPattern] = [
    path("contacts/", contacts, name="contacts"),
    path("contacts/export", export, name="contacts-export"),
    path("contacts/<int:contact>/", contact, name="contact"),
    path("contacts/<int:contact>/reveal", reveal, name="reveal-contact"),
]
