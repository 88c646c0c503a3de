"""Campaigns: which there are, how one does, how it is designed, whom it calls, and what would happen if it dialled."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jilink.core.cases.reads.types import calendars
from jilink.core.imports import actions as imports
from jilink.core.parties import access
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import OrganisationId
from jilink.services.contact.actions import campaigns as actions
from jilink.services.contact.pages.campaigns_forms import NEW, CampaignForm
from jilink.services.contact.pages.campaigns_words import OUTCOMES, SHORT_MODES, STATES, TARGETS, WHY_LEFT_OUT
from jilink.services.contact.pages.places import engine_note, place_names
from jilink.services.contact.reads import campaigns as reads
from jilink.services.contact.reads.campaigns import CampaignView
from jilink.services.contact.rules.campaigns import NEAR, CampaignState, TargetState, result_of
from jilink.services.contact.rules.foreseen import MOST_AGENTS
from jilink.services.contact.rules.pacing import CAP, Mode
from jilink.webkit.door import said, signed_in
from jilink.webkit.parts import Choice, Tab, Tile

VIEW, MANAGE = Permission.VIEW_CAMPAIGNS, Permission.MANAGE_CAMPAIGNS


@require_safe
@signed_in
def campaigns(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the campaigns."""
    access.require_anywhere(actor, VIEW)
    names = place_names(actor, VIEW)
    rows = [(one, names.get(one.organisation, ""), *STATES[one.state], SHORT_MODES[one.design.mode]) for one in reads.campaigns(actor)]
    context = {"rows": rows, "manages": actor.may(MANAGE), "note": engine_note(actor)}
    return render(request, "contact/campaigns_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def add(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Add a campaign."""
    access.require_anywhere(actor, MANAGE)
    names, language = place_names(actor, MANAGE), get_language() or "zh-hans"
    queues = [(str(key), f"{name.in_(language)} · {names.get(place, '')}") for key, place, name in reads.choices(actor)]
    form = CampaignForm(NEW, queues, _calendars(sorted(names)), data=request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            number = actions.add_campaign(queue=form.cleaned_data["queue"], design=form.design(), by=actor)
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
        else:
            messages.success(request, _("The campaign is there. It calls nobody before it is started: add people first."))
            return redirect("contact:campaign", number)
    context = {"form": form, "campaign": None, "queues": queues}
    return render(request, "contact/campaigns_edit.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def edit(request: HttpRequest, actor: Actor, campaign: int) -> HttpResponse:
    """Change how a campaign calls."""
    seen = reads.campaign(actor, campaign)
    access.require(actor, MANAGE, seen.organisation)
    data = request.POST if request.method == "POST" else None
    form = CampaignForm(seen.design, [], _calendars([seen.organisation]), version=seen.version, data=data)
    if request.method == "POST" and form.is_valid():
        try:
            based_on = form.cleaned_data["based_on"] or 0
            actions.change_campaign(campaign=campaign, design=form.design(), based_on=based_on, by=actor)
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
        else:
            messages.success(request, _("Saved. It calls so from now on."))
            return redirect("contact:campaign", campaign)
    return render(request, "contact/campaigns_edit.html", {"form": form, "campaign": seen}, status=400 if form.errors else 200)


@require_safe
@signed_in
def campaign(request: HttpRequest, actor: Actor, campaign: int) -> HttpResponse:
    """Show how a campaign does; asked by its own page, only the part that changes."""
    seen, now = reads.campaign(actor, campaign), utc_now()
    figures = reads.figures(actor, campaign, now)
    titles = {code.key: code.title.in_(get_language() or "zh-hans") for code in seen.design.codes}
    words, tone = STATES[seen.state]
    asked = request.GET.get("agents", "")
    agents = min(MOST_AGENTS, int(asked)) if asked.isascii() and asked.isdecimal() and 0 < len(asked) < 4 else 0
    context = {
        "campaign": seen,
        "figures": figures,
        "words": words,
        "tone": tone,
        "mode": SHORT_MODES[seen.design.mode],
        "tabs": _tabs(seen, "contact:campaign"),
        "manages": seen.organisation in access.organisations_of(actor, MANAGE),
        "tiles": [
            Tile(_("Called and ringing now"), figures.ringing),
            Tile(_("In conversation"), figures.talking),
            Tile(_("Due now"), figures.due),
            Tile(_("Answered"), round(100 * figures.answered / figures.attempts) if figures.attempts else None, "%"),
            Tile(_("Agents at work"), figures.staffed),
        ],
        "counts": [(*TARGETS[state], seen.counts.get(state, 0), state.value) for state in TargetState],
        "outcomes": [(OUTCOMES.get(key, key), count) for key, count in figures.outcomes.items()],
        "codes": [(titles.get(key, key), count, result_of(seen.design, key)) for key, count in figures.codes.items()],
        "cap": CAP,
        "near": figures.share >= NEAR * CAP and seen.design.mode is Mode.PREDICTIVE,
        "note": engine_note(actor),
        "agents": agents,
        "runs": _runs(actor, campaign, agents) if agents else [],
    }
    part = request.headers.get("HX-Request") == "true"
    return render(request, "contact/campaigns_part.html" if part else "contact/campaigns_one.html", context)


def _runs(actor: Actor, campaign: int, agents: int) -> list[dict[str, object]]:
    """Return what would happen in both ways of dialling."""
    found = []
    for mode in (Mode.PROGRESSIVE, Mode.PREDICTIVE):
        known, run = reads.foreseen(actor, campaign, mode, agents, utc_now())
        found.append({"mode": SHORT_MODES[mode], "known": known, "run": run})
    return found


@require_safe
@signed_in
def targets(request: HttpRequest, actor: Actor, campaign: int) -> HttpResponse:
    """Show whom a campaign calls, by state, and take a file of more."""
    seen = reads.campaign(actor, campaign)
    state, given = request.GET.get("state", ""), request.GET.get("after", "")
    after = int(given) if given.isascii() and given.isdecimal() and len(given) < 19 else 0
    found = reads.targets(actor, campaign, state=state, after=after, limit=reads.PAGE + 1)
    titles = {code.key: code.title.in_(get_language() or "zh-hans") for code in seen.design.codes}
    choices = [Choice("", _("All"), seen.total), *(Choice(each.value, TARGETS[each][0], seen.counts.get(each, 0)) for each in TargetState)]
    context = {
        "campaign": seen,
        "tabs": _tabs(seen, "contact:campaign-targets"),
        "choices": choices,
        "manages": seen.organisation in access.organisations_of(actor, MANAGE) and seen.state is not CampaignState.CLOSED,
        "rows": [
            (
                each,
                *TARGETS[each.state],
                WHY_LEFT_OUT.get(each.reason, ""),
                OUTCOMES.get(each.last_outcome, ""),
                titles.get(each.last_code, ""),
                each.state in (TargetState.WAITING, TargetState.SHOWN),
            )
            for each in found[: reads.PAGE]
        ],
        "next": found[reads.PAGE - 1].id if len(found) > reads.PAGE else None,
    }
    return render(request, "contact/campaigns_targets.html", context)


@require_POST
@signed_in
def upload(request: HttpRequest, actor: Actor, campaign: int) -> HttpResponse:
    """Take a file of people to call through the imports of the house; first only to try."""
    seen = reads.campaign(actor, campaign)
    access.require(actor, MANAGE, seen.organisation)
    file = request.FILES.get("file")
    if file is None:
        messages.error(request, _("Choose a file."))
        return redirect("contact:campaign-targets", campaign)
    job = imports.begin_import(
        organisation=OrganisationId(seen.organisation),
        noun="campaign_targets",
        size=file.size or 0,
        name=file.name or "",
        options={"campaign": str(campaign)},
        dry_run=request.POST.get("dry_run") == "on",
        by=actor,
    )
    imports.receive(job=job, offset=0, read=file.read, by=actor)
    return redirect("console:import", job)


def _deed(action: Callable[..., None]) -> Callable[..., HttpResponseBase]:
    @require_POST
    @signed_in
    def done(request: HttpRequest, actor: Actor, campaign: int) -> HttpResponse:
        try:
            action(campaign=campaign, by=actor)
        except NotFound:
            raise
        except Refused as error:
            messages.error(request, said(error))
        return redirect("contact:campaign", campaign)

    return done


@require_POST
@signed_in
def remove(request: HttpRequest, actor: Actor, campaign: int, target: int) -> HttpResponse:
    """Call somebody no more in a campaign."""
    actions.remove_target(target=target, by=actor)
    return redirect("contact:campaign-targets", campaign)


def _tabs(seen: CampaignView, current: str) -> list[Tab]:
    base = f"/contact/campaigns/{seen.id}/"
    return [
        Tab(_("Overview"), base, current == "contact:campaign"),
        Tab(_("People"), f"{base}people/", current == "contact:campaign-targets", seen.total),
    ]


def _calendars(organisations: list[int]) -> list[str]:
    system = access.system("contact")
    return sorted({key for place in organisations[:20] for key in calendars(system, place)})


patterns: list[URLPattern] = [
    path("campaigns/", campaigns, name="campaigns"),
    path("campaigns/add/", add, name="add-campaign"),
    path("campaigns/<int:campaign>/", campaign, name="campaign"),
    path("campaigns/<int:campaign>/edit/", edit, name="edit-campaign"),
    path("campaigns/<int:campaign>/people/", targets, name="campaign-targets"),
    path("campaigns/<int:campaign>/people/upload", upload, name="campaign-upload"),
    path("campaigns/<int:campaign>/people/<int:target>/remove", remove, name="remove-target"),
    path("campaigns/<int:campaign>/start", _deed(actions.start_campaign), name="start-campaign"),
    path("campaigns/<int:campaign>/pause", _deed(actions.pause_campaign), name="pause-campaign"),
    path("campaigns/<int:campaign>/close", _deed(actions.close_campaign), name="close-campaign"),
]
