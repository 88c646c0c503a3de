"""The page of one case, shown by every address that ends there."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from jilink.core.cases import reads
from jilink.core.cases.reads import CaseView
from jilink.core.cases.rules.definition import StageKind, Step
from jilink.core.cases.rules.numbers import NumberMisread
from jilink.core.cases.rules.timeline import Stepped
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.services.console.pages.case_deed import Deed, Posted
from jilink.services.console.pages.case_deeds import deeds
from jilink.services.console.pages.case_panel import heading, panel

GROUPS = ("step", "ask", "hand", "join")


def numbered(actor: Actor, number: str) -> CaseView:
    """Return the case with a number in an address. Raises NotFound for none, for one behind a wall, and for what is no number."""
    try:
        return reads.case_numbered(actor, number, now=utc_now())
    except NumberMisread as error:
        raise NotFound("There is no such thing, or you may not see it.") from error


def _own_work(actor: Actor, view: CaseView) -> bool:
    """Return whether the case waits to be checked and it was this actor who said that it is done."""
    if view.definition.stage(view.row.stage).kind != StageKind.CHECK:
        return False
    done = (line for line in reversed(view.timeline) if isinstance(line.detail, Stepped) and line.detail.step == Step.FINISH)
    last = next(done, None)
    return last is not None and last.actor == actor.name


def show(
    request: HttpRequest,
    actor: Actor,
    view: CaseView,
    *,
    posted: Posted | None = None,
    found: list[Deed] | None = None,
    extra: dict[str, object] | None = None,
) -> HttpResponse:
    """Show a case; with a deed that was refused, its form open with what was typed."""
    now = utc_now()
    offered = found if found is not None else deeds(actor, view, now, posted)
    context: dict[str, object] = {
        "view": view,
        "row": view.row,
        "head": heading(view, now),
        **{f"{group}_deeds": [each for each in offered if each.group == group] for group in GROUPS},
        "own_work": _own_work(actor, view),
        "may_reveal": actor.may(Permission.REVEAL_PEOPLE),
        "may_manage_people": actor.may(Permission.MANAGE_PEOPLE),
        "now": now,
        **panel(actor, view, now),
        **(extra or {}),
    }
    return render(
        request, "console/case.html", context, status=400 if any(each.open for each in offered) or (extra and extra.get("wrong")) else 200
    )
