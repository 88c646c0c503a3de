"""The inbox: whose cases, which, in what order. Everything is in the address; asked by a script, the list alone."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from jilink.core.cases import reads as cases
from jilink.core.cases.reads import Order, Whose
from jilink.core.cases.reads.cutting import CursorMisread
from jilink.core.cases.rules.definition import Definition
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, require_reach
from jilink.core.parties.members import reads as members
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.services.console.pages import inbox_deeds
from jilink.services.console.pages.case_words import CHANNELS, in_words
from jilink.services.console.pages.inbox_rows import rows_of
from jilink.services.console.reads import saved, views
from jilink.services.console.reads.views import Due, Standing, View
from jilink.webkit.door import signed_in
from jilink.webkit.parts import Tab, Words

PAGE = 50
WHOSE: dict[Whose, Words] = {
    Whose.MINE: gettext_lazy("Mine"),
    Whose.TEAM: gettext_lazy("My team"),
    Whose.UNASSIGNED: gettext_lazy("Unassigned"),
    Whose.ALL: gettext_lazy("All"),
}
STANDINGS: dict[Standing, Words] = {
    Standing.OPEN: gettext_lazy("In progress"),
    Standing.SUSPENDED: gettext_lazy("Suspended"),
    Standing.REQUESTED: gettext_lazy("A request waits"),
    Standing.CALL_BACK: gettext_lazy("To be called back"),
    Standing.CLOSED: gettext_lazy("Finished"),
    Standing.ALL: gettext_lazy("Everything"),
}
DUES: dict[str, Words] = {
    "": gettext_lazy("Any time"),
    Due.OVERDUE: gettext_lazy("Overdue"),
    Due.SOON: gettext_lazy("Within 4 hours"),
    Due.DAY: gettext_lazy("Within 24 hours"),
    Due.THREE_DAYS: gettext_lazy("Within 3 days"),
}
ORDERS: dict[Order, Words] = {
    Order.NEWEST: gettext_lazy("Newest first"),
    Order.OLDEST: gettext_lazy("Oldest first"),
    Order.DUE: gettext_lazy("Next due first"),
    Order.PRIORITY: gettext_lazy("Highest priority first"),
    Order.UPDATED: gettext_lazy("Last changed first"),
    Order.BEST: gettext_lazy("Best match first"),
}
_ANY = ("", gettext_lazy("All"))
_MORE = ("stage", "channel", "unit", "team", "assignee")


class FilterForm(forms.Form):
    """What narrows the list."""

    q = forms.CharField(
        label=gettext_lazy("Number or words"), max_length=100, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    state = forms.ChoiceField(label=gettext_lazy("State"), choices=[(key.value, word) for key, word in STANDINGS.items()], required=False)
    due = forms.ChoiceField(label=gettext_lazy("Due"), choices=[(str(key), word) for key, word in DUES.items()], required=False)
    type = forms.ChoiceField(label=gettext_lazy("Kind of case"), required=False)
    priority = forms.ChoiceField(label=gettext_lazy("Priority"), required=False)
    sort = forms.ChoiceField(label=gettext_lazy("Order"), choices=[(key.value, word) for key, word in ORDERS.items()], required=False)
    stage = forms.ChoiceField(label=gettext_lazy("Stage"), required=False)
    channel = forms.ChoiceField(label=gettext_lazy("Channel"), choices=[_ANY, *CHANNELS.items()], required=False)
    unit = forms.ChoiceField(label=gettext_lazy("Unit"), required=False)
    team = forms.ChoiceField(label=gettext_lazy("Team"), required=False)
    assignee = forms.ChoiceField(label=gettext_lazy("Assignee"), required=False)

    def __init__(self, actor: Actor, view: View) -> None:
        values = {name: view.value(name) for name in self.base_fields}
        values |= {"state": view.standing.value, "due": view.due.value if view.due else "", "sort": view.order.value}
        super().__init__(values)
        types = cases.types_seen(actor)
        shown = {key: types[key] for key in view.values.get("type", ()) if key in types} or types
        self._offer("type", [(key, in_words(each.label)) for key, each in types.items()])
        self._offer("stage", _stages(shown))
        self._offer("priority", _priorities(types))
        self._offer("unit", [(str(each.id), f"{'　' * each.depth}{each.name}") for each in parties.choices(actor, Permission.VIEW_CASES)])
        self._offer("team", [(str(each.id), each.name) for each in members.teams(actor, archived=True)])
        self._offer("assignee", inbox_deeds.colleagues(actor))

    def _offer(self, name: str, choices: Iterable[tuple[str, str]]) -> None:
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            field.choices = [_ANY, *choices]

    @property
    def first(self) -> list[forms.BoundField]:
        """Return the fields that always show."""
        return [self[name] for name in self.fields if name not in _MORE]

    @property
    def more(self) -> list[forms.BoundField]:
        """Return the fields behind "More filters"."""
        return [self[name] for name in _MORE]


def _stages(types: Mapping[str, Definition]) -> list[tuple[str, str]]:
    return list({stage.key: in_words(stage.label) for each in types.values() for stage in each.stages}.items())


def _priorities(types: Mapping[str, Definition]) -> list[tuple[str, str]]:
    ranks = {level.rank: in_words(level.label) for each in types.values() for level in each.priorities}
    return [(str(rank), ranks[rank]) for rank in sorted(ranks, reverse=True)]


def counted(actor: Actor, view: View, now: datetime) -> tuple[dict[Whose, int], list[tuple[saved.Saved, int]]]:
    """Return how many cases each inbox and each saved view holds, all in one query: the inboxes with the filters of the page."""
    kept = saved.saved_views(actor)
    wanted = [View(whose, view.standing, view.due, view.order, view.values).filter(now) for whose in WHOSE]
    counts = cases.count_views(actor, [*wanted, *(each.view.filter(now) for each in kept)], now=now)
    return dict(zip(WHOSE, counts[: len(WHOSE)], strict=True)), list(zip(kept, counts[len(WHOSE) :], strict=True))


@require_safe
@signed_in
def inbox(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show a list of cases with its counts."""
    require_reach(actor, Permission.VIEW_CASES)
    now, view = utc_now(), views.read(request.META.get("QUERY_STRING", ""))
    cursor = request.GET.get("cursor", "")[:200]
    try:
        page = cases.cases(actor, view.filter(now), now=now, order=view.order, cursor=cursor, limit=PAGE)
    except CursorMisread:  # of an older order: its first page is the honest answer
        cursor, page = "", cases.cases(actor, view.filter(now), now=now, order=view.order, limit=PAGE)
    counts, kept = counted(actor, view, now)
    query = view.query()
    context = {
        "rows": rows_of(actor, page.rows, now),
        "next": page.next,
        "cursor": cursor,
        "query": query,
        "view": view,
        "whose": view.whose.value,
        "tabs": [
            Tab(title, _address(View(whose, view.standing, view.due, view.order, view.values)), whose is view.whose, counts[whose])
            for whose, title in WHOSE.items()
        ],
        "total": counts[view.whose],
        "saved": [(each, count, each.query == query) for each, count in kept],
        "waiting": counts[Whose.UNASSIGNED],
        "kept": [(name, value) for name in ("area", "person", "asset") for value in view.values.get(name, ())],
        "more_open": any(view.values.get(name) for name in _MORE),
        "deeds": inbox_deeds.offered(actor),
        "teams": [each for each in members.teams(actor) if each.id in actor.teams],
        "may_open": actor.may(Permission.ADD_CASES),
    }
    part = bool(request.headers.get("HX-Request"))
    if not part:
        context["form"] = FilterForm(actor, view)
    response = render(request, "console/inbox_list.html" if part else "console/inbox.html", context)
    response["Vary"] = "HX-Request"
    response["Cache-Control"] = "no-store"
    return response


def _address(view: View) -> str:
    query = view.query()
    return f"{reverse('console:inbox')}?{query}" if query else reverse("console:inbox")


patterns: list[URLPattern] = [path("", inbox, name="inbox"), *inbox_deeds.patterns]
