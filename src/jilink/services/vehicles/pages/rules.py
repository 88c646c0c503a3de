"""Rules that raise alarms: their list, their forms, and what one would have told of the last day."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jilink.core.observations import actions, reads, trying
from jilink.core.observations.reads import RuleView
from jilink.core.parties.access import Actor, NotFound, require_anywhere
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import OrganisationId
from jilink.services.vehicles import link
from jilink.services.vehicles.rule_forms import FORMS, KINDS, RuleForm, entered, kind_of
from jilink.webkit.door import signed_in

DAY = timedelta(days=1)


@require_safe
@signed_in
def rules(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the rules that the actor may manage."""
    require_anywhere(actor, Permission.MANAGE_RULES)
    found = [{"rule": each, "kind": KINDS[kind_of(each.condition)]} for each in reads.rules_of(actor)]
    return render(request, "vehicles/rules.html", {"rules": found, "kinds": list(KINDS.items())})


def _show(request: HttpRequest, form: RuleForm, known: RuleView | None, trial: trying.Trial | None) -> HttpResponse:
    context = {"form": form, "kind": KINDS[form.kind], "known": known, "trial": trial}
    return render(request, "vehicles/rule.html", context, status=400 if form.errors else 200)


def _worked(request: HttpRequest, actor: Actor, form: RuleForm, known: RuleView | None) -> HttpResponse | None:
    """Try or save what was entered; None where the form has to be shown again."""
    if not form.is_valid():
        return None
    organisation = known.organisation if known else OrganisationId(form.cleaned_data["organisation"])
    try:
        data = form.rule()
        if "try" in request.POST:
            now = utc_now()
            trial = trying.try_rule(actor, organisation, data.condition, history=link.history(), start=now - DAY, end=now)
            return _show(request, form, known, trial)
        if known is None:
            actions.add_rule(organisation=organisation, data=data, by=actor)
        else:
            actions.change_rule(rule=known.id, data=data, by=actor)
    except NotFound:
        raise
    except Refused as error:
        form.add_error(None, _(str(error)))
        return None
    messages.success(request, _("Saved."))
    return redirect("vehicles:rules")


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def add(request: HttpRequest, actor: Actor, name: str) -> HttpResponse:
    """Add a rule of a kind, or try what was entered."""
    require_anywhere(actor, Permission.MANAGE_RULES)
    if name not in FORMS:
        raise NotFound("There is no such kind of rule.")
    form = FORMS[name](actor, request.POST if request.method == "POST" else None)
    done = _worked(request, actor, form, None) if request.method == "POST" else None
    return done or _show(request, form, None, None)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def edit(request: HttpRequest, actor: Actor, rule: int) -> HttpResponse:
    """Change a rule, or try what was entered."""
    known = reads.rule(actor, rule)
    initial = {"name": known.name, "level": known.level, "enabled": known.enabled, **entered(known.condition)}
    form = FORMS[kind_of(known.condition)](actor, request.POST if request.method == "POST" else None, initial, known=True)
    done = _worked(request, actor, form, known) if request.method == "POST" else None
    return done or _show(request, form, known, None)


@require_POST
@signed_in
def remove(request: HttpRequest, actor: Actor, rule: int) -> HttpResponse:
    """Remove a rule."""
    known = reads.rule(actor, rule)
    actions.remove_rule(rule=rule, by=actor)
    messages.success(request, _("%(name)s was removed.") % {"name": known.name})
    return redirect("vehicles:rules")
