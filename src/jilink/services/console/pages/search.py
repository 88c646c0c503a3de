"""Ctrl-K: everything a person may find, by a few letters or a number."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from jilink.core.assets.inventory import reads as assets
from jilink.core.cases import reads as cases
from jilink.core.cases.reads import Filter, Order
from jilink.core.cases.rules import numbers
from jilink.core.knowledge import reads as knowledge
from jilink.core.parties.access import Actor, reach
from jilink.core.parties.people import reads as people
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.services.console.pages.case_words import in_words, language
from jilink.services.console.pages.inbox_rows import masked
from jilink.webkit import navigation
from jilink.webkit.door import signed_in

MOST = 6
_MARKS = re.compile(r"[*#`>\[\]]+")
"""Signs of Markdown, which a line of results does without."""
LONGEST = 100


@dataclass(frozen=True, slots=True)
class Hit:
    """Something found: where it leads, what it is called, and what tells it from its like."""

    title: str
    url: str
    note: str = ""


def _address(name: str, *given: object) -> str:
    try:
        return reverse(name, args=given)
    except NoReverseMatch:
        return ""


def _cases(actor: Actor, text: str) -> list[Hit]:
    if not reach(actor, Permission.VIEW_CASES):
        return []
    found = cases.cases(actor, Filter(states=(), text=text), now=utc_now(), order=Order.BEST, limit=MOST)
    return [
        Hit(row.title, _address("console:case", row.number), f"{numbers.grouped(row.number)} · {in_words(row.stage_label)}")
        for row in found.rows
    ]


def _people(actor: Actor, text: str) -> list[Hit]:
    if not actor.may(Permission.VIEW_PEOPLE):
        return []
    rows = people.find(actor, text, limit=MOST)
    return [
        Hit(
            masked(row.name) or _("Without a name"),
            _address("console:person", row.id),
            " · ".join(each.masked for each in row.contacts[:2]),
        )
        for row in rows
    ]


def _assets(actor: Actor, text: str) -> list[Hit]:
    if not actor.may(Permission.VIEW_ASSETS):
        return []
    rows = assets.things(actor, text=text, size=MOST)
    where = {"vehicle": "vehicles:vehicle"} if actor.may(Permission.VIEW_VEHICLES) else {}
    return [Hit(row.label, _address(where.get(row.kind, "console:assets_one"), row.id), row.code) for row in rows]


def _articles(actor: Actor, text: str) -> list[Hit]:
    if not actor.may(Permission.READ_KNOWLEDGE):
        return []
    found = knowledge.find(actor, text, language=language(), size=MOST)
    return [
        Hit(in_words(each.article.title), _address("console:knowledge_article", each.article.id), _MARKS.sub("", each.excerpt)[:60])
        for each in found
    ]


def _pages(request: HttpRequest, text: str) -> list[Hit]:
    wanted = text.casefold()
    hits = [Hit(str(link.title), link.url) for link in navigation.links(request)]
    return [hit for hit in hits if wanted in hit.title.casefold()][: 40 if not text else MOST]


def found(request: HttpRequest, actor: Actor, text: str) -> list[tuple[str, list[Hit]]]:
    """Return what fits, by kind, what leads nowhere and empty kinds left out; with no text, the pages."""
    kinds: list[tuple[str, Callable[[Actor, str], list[Hit]]]] = [
        (_("Cases"), _cases),
        (_("People"), _people),
        (_("Vehicles and things"), _assets),
        (_("Articles"), _articles),
    ]
    groups = [(title, look(actor, text)) for title, look in kinds] if text else []
    groups.append((_("Pages and actions"), _pages(request, text)))
    shown = [(title, [hit for hit in hits if hit.url]) for title, hits in groups]
    return [(title, hits) for title, hits in shown if hits]


@require_safe
@signed_in
def search(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Find; asked by a script as JSON, else a page."""
    text = " ".join(request.GET.get("q", "").replace("\0", "").split())[:LONGEST]
    groups = found(request, actor, text)
    if request.headers.get("Accept") == "application/json":
        body = [
            {"title": title, "items": [{"title": hit.title, "note": hit.note, "url": hit.url} for hit in hits]} for title, hits in groups
        ]
        response: HttpResponse = JsonResponse({"groups": body})
    else:
        response = render(request, "console/search.html", {"q": text, "groups": groups})
    response["Cache-Control"] = "no-store"
    response["Vary"] = "Accept"
    return response


patterns: list[URLPattern] = [path("search", search, name="search")]
