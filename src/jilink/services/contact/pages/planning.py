"""What is foreseen for a queue: a picture, a table with the agents it needs, how far off such forecasts were, and corrections by hand."""

from datetime import date, timedelta

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jilink.core.parties import access
from jilink.core.parties.access import Actor
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import CHINA, utc_now
from jilink.services.contact.actions import planning as actions
from jilink.services.contact.reads import floor, planning
from jilink.services.contact.reads.planning import Forecast, HalfHour
from jilink.webkit.door import signed_in
from jilink.webkit.parts import Tile

_L = gettext_lazy
WIDE, HIGH = 960, 220
SHRINKAGE, PATIENCE_S = 30, 120


class Asked(forms.Form):
    """Which queue and day, and what the staffing reckons with."""

    queue = forms.TypedChoiceField(label=_L("Queue"), coerce=int)
    day = forms.DateField(label=_L("Day"), widget=forms.DateInput(attrs={"type": "date"}))
    shrinkage = forms.IntegerField(label=_L("Away (breaks, training, illness), %"), min_value=0, max_value=90)
    patience = forms.IntegerField(label=_L("Patience of callers, s"), min_value=5, max_value=3600)

    def __init__(self, data: object, queues: list[tuple[int, str]]) -> None:
        super().__init__(data)  # type: ignore[arg-type] # -- a dictionary
        self.fields["queue"].choices = queues  # type: ignore[attr-defined] # -- a choice field


@require_safe
@signed_in
def forecasts(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the forecast of a queue's day."""
    access.require_anywhere(actor, Permission.VIEW_QUEUES)
    now, language = utc_now(), get_language() or "zh-hans"
    queues = [(one.id, one.design.name.in_(language)) for one in floor.queues(actor)]
    if not queues:
        return render(request, "contact/forecast.html", {"form": None})
    usual = {"queue": queues[0][0], "day": now.astimezone(CHINA).date() + timedelta(days=1), "shrinkage": SHRINKAGE, "patience": PATIENCE_S}
    form = Asked({**usual, **{key: value for key, value in request.GET.items() if value}}, queues)
    context: dict[str, object] = {"form": form}
    if form.is_valid():
        given = form.cleaned_data
        shown = planning.forecast(
            actor, given["queue"], given["day"], now=now, shrinkage=given["shrinkage"] / 100, patience_s=given["patience"]
        )
        context |= {"shown": shown, "figures": _figures(shown), "rows": _rows(shown), "picture": _picture(shown), "times": _times()}
    return render(request, "contact/forecast.html", context, status=400 if form.errors else 200)


def _figures(shown: Forecast) -> list[Tile]:
    needs = [one.need for one in shown.half_hours if one.need is not None]
    errors = shown.errors
    return [
        Tile(_("Expected in the day"), sum(one.expected.count for one in shown.half_hours)),
        Tile(_("Agents at the peak"), max((need.agents for need in needs), default=0)),
        Tile(_("On the plan at the peak"), max((need.rostered for need in needs), default=0)),
        Tile(_("Agent hours"), sum(need.rostered for need in needs) / 2, _("h"), 1),
        Tile(_("Error of the last four weeks"), 100 * errors.off if errors else None, "%", 1),
        Tile(_("In the interval"), 100 * errors.covered if errors else None, "%", 0),
    ]


def _rows(shown: Forecast) -> list[HalfHour]:
    return [one for one in shown.half_hours if one.expected.high >= 0.5 or one.corrected]


def _times() -> list[tuple[int, str]]:
    return [(slot, f"{slot // 2:02d}:{slot % 2 * 30:02d}") for slot in range(49)]


def _picture(shown: Forecast) -> dict[str, object]:
    """Return the expectation and its interval as points of an SVG of WIDE x HIGH."""
    most = max((one.expected.high for one in shown.half_hours), default=0) or 1
    step = WIDE / 47

    def points(values: list[float], backwards: bool = False) -> str:
        pairs = [(slot * step, HIGH * (1 - value / most)) for slot, value in enumerate(values)]
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in (reversed(pairs) if backwards else pairs))

    low, high = [one.expected.low for one in shown.half_hours], [one.expected.high for one in shown.half_hours]
    return {
        "line": points([one.expected.count for one in shown.half_hours]),
        "band": f"{points(high)} {points(low, backwards=True)}",
        "most": most,
        "hours": [(f"{hour:02d}:00", f"{hour * 2 * step:.1f}") for hour in range(0, 24, 4)],
    }


@require_POST
@signed_in
def correct(request: HttpRequest, actor: Actor, queue: int) -> HttpResponse:
    """Expect something else than the history says."""
    access.require_anywhere(actor, Permission.MANAGE_QUEUES)
    given = request.POST
    day = _day(given.get("day", ""))
    numbers = [int(text) if (text := given.get(key, "")).isdecimal() and len(text) < 5 else -1 for key in ("first", "last", "percent")]
    actions.correct_forecast(
        queue=queue, day=day, first=numbers[0], last=numbers[1], percent=numbers[2], reason=given.get("reason", ""), by=actor
    )
    messages.success(request, _("The forecast is corrected."))
    answer = redirect("contact:forecasts")
    answer["Location"] += f"?queue={queue}&day={day}"
    return answer


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise actions.CorrectionRefused("Say which day.") from error


patterns: list[URLPattern] = [
    path("planning/", forecasts, name="forecasts"),
    path("planning/<int:queue>/correct", correct, name="correct-forecast"),
]
