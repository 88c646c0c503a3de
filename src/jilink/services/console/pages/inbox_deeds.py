"""What is done to several cases at once, with ten seconds to take it back; and saving the list itself."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from jilink.core.cases import actions as deeds
from jilink.core.cases import reads as cases
from jilink.core.cases.actions import BulkResult
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, require_reach
from jilink.core.parties.members import reads as members
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.services.console.actions import saved
from jilink.services.console.pages import inbox_many
from jilink.services.console.pages.case_words import in_words
from jilink.services.console.pages.inbox_many import back_to, number_in
from jilink.webkit.door import said, signed_in

MOST_ORGANISATIONS = 8
"""Whose people are offered by name; beyond, teams are."""
Group = tuple[str, list[tuple[str, str]]]


def colleagues(actor: Actor) -> list[tuple[str, str]]:
    """Return the people who may be given cases where the actor works, by name."""
    places = [each.id for each in parties.choices(actor, Permission.VIEW_MEMBERS)][:MOST_ORGANISATIONS]
    numbers = {number for place in places for number in members.colleagues(actor, place, Permission.WORK_CASES)}
    return sorted(((str(number), name) for number, name in members.people_named(numbers).items()), key=lambda each: each[1])


def offered(actor: Actor) -> dict[str, list[Group] | list[tuple[str, str]]]:
    """Return what may be done to many cases, by kind of deed; nothing where the actor may do nothing."""
    found: dict[str, list[Group] | list[tuple[str, str]]] = {}
    if actor.may(Permission.ASSIGN_CASES):
        teams = [(f"team:{each.id}", each.name) for each in members.teams(actor)]
        people = [(f"user:{number}", name) for number, name in colleagues(actor)]
        found["assign"] = [(title, choices) for title, choices in ((_("Teams"), teams), (_("People"), people)) if choices]
    if actor.may(Permission.WORK_CASES):
        ranks = {level.rank: in_words(level.label) for each in cases.types_seen(actor).values() for level in each.priorities}
        found["more"] = inbox_many.offered(actor)
        found["prioritise"] = [(str(rank), ranks[rank]) for rank in sorted(ranks, reverse=True)]
    return found


@require_POST
@signed_in
def many(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Assign or prioritise the cases that were ticked and go back to the list, or ask what has to be said before a step."""
    require_reach(actor, Permission.VIEW_CASES)
    ticked = inbox_many.ticked(request)
    if ticked and request.POST.get("deed") == "more" and request.POST.get("more"):
        return inbox_many.prepared(request, actor)
    try:
        result = _done(request, actor, ticked) if ticked else None
    except Refused as error:
        messages.error(request, said(error))
        return back_to(request.POST.get("back", ""))
    if result is None:
        messages.info(request, _("Select some cases, then choose what to do with them."))
        return back_to(request.POST.get("back", ""))
    return inbox_many.told(request, result)


def _done(request: HttpRequest, actor: Actor, ticked: Sequence[int]) -> BulkResult | None:
    kind, _colon, number = request.POST.get("to", "").partition(":")
    priority, chosen = number_in(request.POST.get("priority", "")), number_in(number)
    deed = request.POST.get("deed", "")
    if deed == "mine":
        return deeds.claim_many(cases=ticked, by=actor)
    if deed == "release":
        return deeds.release_many(cases=ticked, by=actor)
    if deed == "assign" and chosen is not None and kind in {"team", "user"}:
        return deeds.assign_many(
            cases=ticked, team=chosen if kind == "team" else None, assignee=chosen if kind == "user" else None, by=actor
        )
    if deed == "prioritise" and priority is not None:
        return deeds.prioritise_many(cases=ticked, priority=priority, by=actor)
    return None


@require_POST
@signed_in
def undo_many(request: HttpRequest, actor: Actor, run: int) -> HttpResponse:
    """Take back what was done to many cases."""
    try:
        result = deeds.undo_bulk(run=run, by=actor)
    except deeds.TooLate as error:
        messages.error(request, said(error))
    else:
        messages.info(request, _("Taken back."))
        for reason in sorted(set(result.refused.values())):
            messages.warning(request, _(reason))
    return back_to(request.headers.get("Referer", "").partition("?")[2])


@require_POST
@signed_in
def save_view(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Keep the list under a name, for oneself or for a team."""
    require_reach(actor, Permission.VIEW_CASES)
    try:
        saved.save_view(
            name=request.POST.get("name", ""), query=request.POST.get("back", ""), team=number_in(request.POST.get("team", "")), by=actor
        )
    except saved.ViewRefused as error:
        messages.error(request, said(error))
    else:
        messages.success(request, _("The view was saved."))
    return back_to(request.POST.get("back", ""))


@require_POST
@signed_in
def remove_view(request: HttpRequest, actor: Actor, view: int) -> HttpResponse:
    """Forget a saved view."""
    saved.remove_view(view=view, by=actor)
    messages.success(request, _("The view was removed. The cases in it are untouched."))
    return redirect("console:inbox")


patterns: list[URLPattern] = [
    path("many", many, name="many"),
    path("many/<int:run>/undo", undo_many, name="undo_many"),
    *inbox_many.patterns,
    path("views", save_view, name="save_view"),
    path("views/<int:view>/remove", remove_view, name="remove_view"),
]
