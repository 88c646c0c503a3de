"""Who answers for what where: the table of responsibilities and its changes."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jilink.core.areas import actions, reads
from jilink.core.areas.rules import Duty, Level
from jilink.core.cases.assignment.categories import categories
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound, organisations_of, require, require_anywhere
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.kernel.ids import AreaId, OrganisationId
from jilink.services.console.pages.areas_words import LEVELS, language, number, today
from jilink.webkit.door import said, signed_in

VIEW, MANAGE = Permission.VIEW_AREAS, Permission.MANAGE_AREAS


@require_safe
@signed_in
def duties(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show who answers in one organisation, and change it."""
    require_anywhere(actor, VIEW)
    choices = parties.choices(actor, VIEW)
    asked = number(request, "organisation")
    named = (each.id for each in choices if reads.responsibilities(actor, each.id))
    chosen = OrganisationId(asked) if asked else next(named, choices[0].id)
    require(actor, VIEW, chosen)
    names = {each.id: each.name for each in choices}
    text = request.GET.get("q", "").strip()[:60]
    area = number(request, "area")
    kinds = {each.key: each.label.in_(language()) for each in categories(actor, chosen)}
    context = {
        "organisations": choices,
        "chosen": chosen,
        "rows": [_row(actor, duty, names, kinds) for duty in reads.responsibilities(actor, chosen)],
        "q": text,
        "found": _found(actor, text) if text else [],
        "area": _named(actor, area) if area else None,
        "units": _units(actor, chosen, names),
        "kinds": list(kinds.items()),
        "may_manage": chosen in organisations_of(actor, MANAGE),
    }
    return render(request, "console/areas_duties.html", context)


def _row(actor: Actor, duty: Duty, names: dict[OrganisationId, str], kinds: dict[str, str]) -> dict[str, object]:
    try:
        area = reads.by_code(actor, duty.layer_key, duty.area_code, on=today())
        name, level = area.name.in_(language()), str(LEVELS[Level(area.level)])
    except NotFound:  # no edition of today has it
        name, level = duty.area_code, _("no longer on the map")
    return {
        "duty": duty,
        "area": name,
        "level": level,
        "unit": names.get(OrganisationId(duty.unit), "—"),
        "kind": kinds.get(duty.category, ""),
    }


def _found(actor: Actor, text: str) -> list[dict[str, object]]:
    return [
        {"id": each.id, "name": each.name.in_(language()), "level": LEVELS[Level(each.level)], "code": each.code}
        for each in reads.find(actor, text, on=today())[:20]
    ]


def _named(actor: Actor, area: int) -> dict[str, object]:
    view = reads.area(actor, AreaId(area))
    line = " · ".join(each.name.in_(language()) for each in reads.above(actor, view))
    return {"name": line, "code": view.code, "key": view.layer_key}


def _units(actor: Actor, organisation: OrganisationId, names: dict[OrganisationId, str]) -> list[tuple[OrganisationId, str]]:
    return [(each, names[each]) for each in parties.below(organisation) if each in names]


@require_POST
@signed_in
def set_duty(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Add, change or (without a unit) remove a responsibility."""
    given = {name: request.POST.get(name, "").strip() for name in ("organisation", "unit", "layer_key", "area_code", "category")}
    numbers = [
        int(given[name]) if given[name].isascii() and given[name].isdecimal() and len(given[name]) < 18 else 0
        for name in ("organisation", "unit")
    ]
    organisation, unit = OrganisationId(numbers[0]), OrganisationId(numbers[1]) if numbers[1] else None
    try:
        actions.set_responsibility(
            organisation=organisation,
            layer_key=given["layer_key"][:40],
            area_code=given["area_code"][:24],
            category=given["category"][:40],
            unit=unit,
            by=actor,
        )
    except NotFound:
        raise
    except Refused as error:
        messages.error(request, said(error))
    else:
        messages.success(request, _("Saved.") if unit else _("Removed."))
    response = redirect("console:areas_duties")
    response["Location"] += f"?organisation={organisation}"
    return response
