"""The audit: who did or saw what, with filters in the address, whether the chain holds, and as a file."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django import forms
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from jilink.core.parties import audit as chain
from jilink.core.parties import reads as parties
from jilink.core.parties import trail
from jilink.core.parties.access import NOBODY, Actor, require_anywhere
from jilink.core.parties.members import reads as members
from jilink.core.parties.rules import Permission, Role, Scope
from jilink.core.parties.trail import Asked, Entry
from jilink.kernel import sheets
from jilink.kernel.ids import OrganisationId
from jilink.services.console.pages.audit_words import AREAS, SENTENCES, THINGS, actions_of
from jilink.services.console.pages.case_words import CHANNELS
from jilink.services.console.pages.contacts import OUTCOMES
from jilink.services.console.pages.members_words import ROLE_WORDS, SCOPE_WORDS
from jilink.webkit.door import signed_in

PAGE = 50


class FilterForm(forms.Form):
    """What the list is narrowed to."""

    organisation = forms.TypedChoiceField(label=gettext_lazy("Organisation"), required=False, coerce=int, empty_value=None)
    who = forms.ChoiceField(label=gettext_lazy("Who"), required=False)
    area = forms.ChoiceField(label=gettext_lazy("What"), required=False)
    subject = forms.RegexField(
        r"^[a-z_-]{1,30}(:[\w:.-]{0,60})?$",
        label=gettext_lazy("About what"),
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "asset:12"}),
    )
    start = forms.DateField(label=gettext_lazy("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    end = forms.DateField(label=gettext_lazy("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))

    def __init__(self, actor: Actor, request: HttpRequest) -> None:
        super().__init__(request.GET)
        places = parties.choices(actor, Permission.READ_AUDIT)
        people = {each.user: each.name or each.username for place in places for each in members.members(actor, place.id)}
        given = request.GET.get("who", "").removeprefix("user:")
        if given.isascii() and given.isdecimal() and len(given) < 19 and int(given) not in people:  # somebody who is no member any more
            people[int(given)] = _("account {number}").format(number=given)
        named = sorted(people.items(), key=lambda each: each[1])
        self._choose("organisation", [("", _("All")), *((each.id, f"{'　' * each.depth}{each.name}") for each in places)])
        self._choose("who", [("", _("Everyone")), ("system", _("The installation")), *((f"user:{user}", name) for user, name in named)])
        self._choose("area", [("", _("Everything")), *((key, title) for key, (title, _names) in AREAS.items())])

    def _choose(self, name: str, choices: list[tuple[object, object]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]  # -- a ChoiceField

    def asked(self) -> Asked:
        """Return what is asked for; a field that says nonsense narrows to nothing of its own and is marked."""
        self.full_clean()
        given = self.cleaned_data
        start, end = given.get("start"), given.get("end")
        day = timezone.get_current_timezone()
        return Asked(
            organisation=OrganisationId(given["organisation"]) if given.get("organisation") else None,
            actor=given.get("who", ""),
            actions=actions_of(given.get("area", "")),
            subject=given.get("subject", ""),
            start=datetime(start.year, start.month, start.day, tzinfo=day) if start else None,
            end=datetime(end.year, end.month, end.day, tzinfo=day) + timedelta(days=1) if end else None,
        )


@dataclass(frozen=True, slots=True)
class Names:
    """How people, organisations and teams that the viewer may be told of are called."""

    people: dict[int, str]
    organisations: dict[int, str]
    teams: dict[int, str]

    def of(self, subject: str) -> str:
        """Return how the thing of an entry is called."""
        kind, _colon, number = subject.partition(":")
        known = {"user": self.people, "organisation": self.organisations, "team": self.teams}.get(kind, {})
        name = known.get(int(number), "") if number.isdecimal() else ""
        words = str(THINGS[kind]).format(number=number) if kind in THINGS else subject
        return f"{words} “{name}”" if name and kind != "user" else name or words

    def actor(self, name: str) -> str:
        """Return how whoever did something is called."""
        if name.startswith("system:"):
            return _("The installation")
        if name == NOBODY.name:
            return _("Somebody")
        account, _slash, token = name.partition("/")
        who = self.of(account)
        return _("{who} (token {number})").format(who=who, number=token.removeprefix("token:")) if token else who


def _names(actor: Actor, entries: list[Entry]) -> Names:
    numbers = {
        int(part.split("/")[0][5:])
        for each in entries
        for part in (each.actor, each.subject)
        if part.split("/")[0][5:].isdecimal() and part.startswith("user:")
    }
    places = {int(each.id): each.name for each in parties.choices(actor, Permission.VIEW_MEMBERS)}
    teams = {int(each.id): each.name for each in members.teams(actor, archived=True)}
    return Names(members.people_named(numbers), places, teams)


def sentence(entry: Entry, names: Names) -> str:
    """Return what an entry says, in the viewer's language."""
    words = str(SENTENCES.get(entry.action, "{who}: " + entry.action + " {what}"))
    return words.format(who=names.actor(entry.actor), what=names.of(entry.subject))


def _marked(entry: Entry, names: Names) -> SafeString:
    words = str(SENTENCES.get(entry.action, "{who}: " + entry.action + " {what}"))
    return format_html(words, who=format_html("<strong>{}</strong>", names.actor(entry.actor)), what=names.of(entry.subject))


def detail(entry: Entry) -> str:
    """Return what else an entry says: roles, reaches, channels and outcomes in words, everything else as it was written."""
    parts = entry.detail.split()
    if entry.action in {"member.role", "member.invited", "service.added"} and parts and parts[0] in set(Role):
        reach = [str(SCOPE_WORDS[Scope(part)]) for part in parts[1:] if part in set(Scope)]
        return ", ".join([str(ROLE_WORDS[Role(parts[0])]), *reach])
    return str(_WORDS.get(entry.detail, entry.detail))


_WORDS = CHANNELS | {outcome.value: word for outcome, word in OUTCOMES.items()}


@require_safe
@signed_in
def entries(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the newest entries that were asked for."""
    return _shown(request, actor)


@require_POST
@signed_in
def verify(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Walk the whole chain and say whether it holds."""
    return _shown(request, actor, trail.verified(actor))


def _shown(request: HttpRequest, actor: Actor, verdict: chain.Verdict | None = None) -> HttpResponse:
    require_anywhere(actor, Permission.READ_AUDIT)
    form = FilterForm(actor, request)
    before = request.GET.get("before", "")
    number = int(before) if before.isascii() and before.isdecimal() and len(before) < 19 else None
    found = trail.entries(actor, form.asked(), before=number, limit=PAGE + 1)
    names = _names(actor, found)
    rows = [
        {
            "entry": each,
            "sentence": _marked(each, names),
            "detail": detail(each),
            "place": names.organisations.get(each.organisation or 0, ""),
        }
        for each in found[:PAGE]
    ]
    context = {
        "form": form,
        "rows": rows,
        "older": found[PAGE - 1].sequence if len(found) > PAGE else None,
        "verdict": verdict,
        "newest": number is None,
    }
    return render(request, "console/audit_list.html", context)


class _Line:
    """A file of one line: what the CSV writer writes is what it returns."""

    def write(self, text: str) -> str:
        """Return the line."""
        return text


def _lines(actor: Actor, found: Iterator[Entry]) -> Iterator[str]:
    writer, names = csv.writer(_Line()), _names(actor, [])
    head = ("sequence", "at", "organisation", "actor", "action", "subject", "detail")
    yield "\ufeff" + str(writer.writerow([*head, "sentence"]))
    for each in found:
        cells = [
            str(each.sequence),
            each.at.isoformat(),
            str(each.organisation or ""),
            each.actor,
            each.action,
            each.subject,
            each.detail,
            sentence(each, names),
        ]
        yield str(writer.writerow([sheets.cell(cell) for cell in cells]))


@require_POST
@signed_in
def export(request: HttpRequest, actor: Actor) -> StreamingHttpResponse:
    """Send every entry that was asked for as CSV; that this was done is an entry of its own."""
    found = trail.export(actor, FilterForm(actor, request).asked())
    response = StreamingHttpResponse(_lines(actor, found), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return response


patterns: list[URLPattern] = [
    path("", entries, name="audit"),
    path("verify", verify, name="verify_audit"),
    path("export.csv", export, name="export_audit"),
]
