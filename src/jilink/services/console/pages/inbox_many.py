"""Many cases at once where more has to be said (a step, another unit), and what became of them, case by case."""

from collections.abc import Sequence

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from jilink.core.cases import actions as deeds
from jilink.core.cases import reads as cases
from jilink.core.cases.actions import BulkResult, StepData
from jilink.core.cases.rules import numbers
from jilink.core.cases.rules.allowed import Many
from jilink.core.cases.rules.definition import Definition, Step, Transition
from jilink.core.cases.rules.workflow import needs_code, state_of
from jilink.core.parties.access import Actor, NotFound, require_reach
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.services.console.pages.case_deed import reason_field
from jilink.services.console.pages.case_hands import units
from jilink.services.console.pages.case_words import in_words
from jilink.services.console.reads import views
from jilink.webkit.door import said, signed_in
from jilink.webkit.parts import Words, undoable

MOVE = "move"
DONE: dict[Many, Words] = {
    Many.ASSIGN: gettext_lazy("Assigned"),
    Many.CLAIM: gettext_lazy("Assigned to me"),
    Many.RELEASE: gettext_lazy("Released"),
    Many.MOVE: gettext_lazy("Moved to another unit"),
    Many.PRIORITISE: gettext_lazy("Priority changed"),
    Many.STEP: gettext_lazy("Step taken"),
}


def ticked(request: HttpRequest) -> list[int]:
    """Return the ids of the cases that were ticked."""
    return [number for text in request.POST.getlist("case") if (number := number_in(text)) is not None]


def number_in(text: str) -> int | None:
    """Return a number that a form posted, None for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def back_to(query: str) -> HttpResponse:
    """Return to the list with this query, in the form in which we write it; no other address is believed."""
    known = views.read(query).query()
    return redirect(f"{reverse('console:inbox')}?{known}" if known else reverse("console:inbox"))


def _ways(actor: Actor) -> dict[str, list[tuple[Definition, Transition]]]:
    """Return the steps that the actor may be allowed to take with many cases, by key. Returns are asked for one by one."""
    found: dict[str, list[tuple[Definition, Transition]]] = {}
    for definition in cases.types_seen(actor).values():
        for way in definition.transitions:
            if way.step != Step.RETURN and actor.may(way.permission):
                found.setdefault(way.key, []).append((definition, way))
    return found


def _title(ways: Sequence[tuple[Definition, Transition]]) -> str:
    return " / ".join(dict.fromkeys(in_words(way.label) for _definition, way in ways))


def offered(actor: Actor) -> list[tuple[str, str]]:
    """Return what can be done to many cases that takes a page of its own, as choices."""
    found = [(f"step:{key}", _title(ways)) for key, ways in _ways(actor).items()] if actor.may(Permission.VIEW_CASES) else []
    return [*found, (MOVE, _("Move to another unit"))] if actor.may(Permission.ASSIGN_CASES) else found


class ManyForm(forms.Form):
    """What has to be said before many cases are dealt with: how it ended, to whom, why."""

    def __init__(self, actor: Actor, key: str, data: object = None) -> None:
        super().__init__(data)  # type: ignore[arg-type] # -- a QueryDict or None
        step = key.removeprefix("step:")
        ways = _ways(actor).get(step, []) if step != key else []
        if key not in dict(offered(actor)):
            raise NotFound("There is no such thing, or you may not see it.")
        self.title = _title(ways) or _("Move to another unit")
        if key == MOVE:
            self.fields["unit"] = forms.ChoiceField(label=_("Unit"), choices=[("", "—"), *units(actor)])
            self.fields["reason"] = reason_field()
            return
        if any(way.step == Step.DISPATCH for _definition, way in ways):
            rules = [("", _("As the rules of assignment say"))]
            self.fields["unit"] = forms.ChoiceField(label=_("Send to"), required=False, choices=[*rules, *units(actor)])
        closing = [definition for definition, way in ways if needs_code(state_of(definition.stage(way.target).kind))]
        if closing:
            codes = {code.key: in_words(code.label) for definition in closing for code in definition.closing_codes}
            self.fields["code"] = forms.ChoiceField(label=_("How it ended"), choices=list(codes.items()), widget=forms.RadioSelect)
        needed = any(way.reason for _definition, way in ways)
        self.fields["reason"] = reason_field(needed, "" if needed else _("What was done"))

    def done(self, key: str, chosen: Sequence[int], actor: Actor) -> BulkResult:
        """Do it. Raises Refused where nothing at all can be done."""
        given = self.cleaned_data
        unit = number_in(given.get("unit", ""))
        if key == MOVE:
            return deeds.move_many(cases=chosen, unit=unit or 0, reason=given["reason"], by=actor)
        recipient = deeds.Recipient(unit=unit, why=(_("Chosen by the dispatcher."),)) if unit is not None else None
        data = StepData(reason=given["reason"], code=given.get("code", ""), recipient=recipient)
        return deeds.step_many(cases=chosen, key=key.removeprefix("step:"), data=data, by=actor)


def prepared(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show what has to be said before the ticked cases are dealt with; nothing is done yet."""
    key = request.POST.get("more", "")
    return _page(request, actor, key, ManyForm(actor, key))


def _page(request: HttpRequest, actor: Actor, key: str, form: ManyForm) -> HttpResponse:
    chosen = ticked(request)
    rows = cases.rows_of(actor, chosen, now=utc_now())
    context = {
        "form": form,
        "key": key,
        "chosen": chosen,
        "count": len(chosen),
        "rows": [(numbers.grouped(row.number), row.title, in_words(row.stage_label)) for row in rows],
        "lasting": key != MOVE,
        "back": views.read(request.POST.get("back", "")).query(),
    }
    return render(request, "console/inbox_many.html", context, status=400 if form.errors else 200)


@require_POST
@signed_in
def carry_out(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Do what was prepared with the cases, and show what became of each."""
    require_reach(actor, Permission.VIEW_CASES)
    key, chosen = request.POST.get("more", ""), ticked(request)
    form = ManyForm(actor, key, request.POST)
    if form.is_valid() and chosen:
        try:
            result = form.done(key, chosen, actor)
        except Refused as error:
            form.add_error(None, said(error))
        else:
            return told(request, result, lasting=key != MOVE)
    return _page(request, actor, key, form)


def told(request: HttpRequest, result: BulkResult, *, lasting: bool = False) -> HttpResponse:
    """Say what was done, with the way back where there is one; go on to the results where something was refused, or lasts."""
    if result.done:
        count = len(result.done)
        text = ngettext("%(count)d case changed.", "%(count)d cases changed.", count) % {"count": count}
        if result.undo is not None:
            undoable(request, text, reverse("console:undo_many", args=[result.undo]))
        else:
            messages.success(request, text)
    if result.refused or lasting:
        return redirect(f"{reverse('console:many_result', args=[result.run])}?{request.POST.get('back', '')}".rstrip("?"))
    return back_to(request.POST.get("back", ""))


@require_safe
@signed_in
def result(request: HttpRequest, actor: Actor, run: int) -> HttpResponse:
    """Show what became of each of many cases: done, or refused and why. For whoever did it, for a week."""
    view = cases.bulk_run(actor, run)
    known = {row.id: row for row in _rows(actor, [*view.done, *view.refused])}
    context = {
        "view": view,
        "title": DONE[view.what],
        "done": [_row(known.get(case), "") for case in view.done],
        "refused": [_row(known.get(case), said(why.error())) for case, why in view.refused.items()],
        "back": views.read(request.META.get("QUERY_STRING", "")).query(),
    }
    return render(request, "console/inbox_result.html", context)


def _rows(actor: Actor, wanted: Sequence[int]) -> list[cases.CaseRow]:
    found: list[cases.CaseRow] = []
    for start in range(0, len(wanted), 200):
        found += cases.rows_of(actor, wanted[start : start + 200], now=utc_now())
    return found


def _row(row: cases.CaseRow | None, why: str) -> dict[str, str]:
    if row is None:
        return {"why": why}
    stage = in_words(row.stage_label)
    return {"number": row.number, "grouped": numbers.grouped(row.number), "title": row.title, "stage": stage, "why": why}


patterns: list[URLPattern] = [
    path("many/carry-out", carry_out, name="many_carry_out"),
    path("many/<int:run>", result, name="many_result"),
]
