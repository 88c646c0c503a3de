"""What may be done with a case now, from its definition and the permissions: steps, requests, decisions, handing over."""

from datetime import datetime, time, timedelta

from django import forms
from django.utils.translation import gettext as _

from jilink.core.cases import actions
from jilink.core.cases.actions import Recipient, StepData
from jilink.core.cases.reads import CaseView
from jilink.core.cases.reads.one import RequestView, Way
from jilink.core.cases.rules.definition import ENDS, Step
from jilink.core.cases.rules.workflow import RequestKind
from jilink.core.parties.access import Actor
from jilink.kernel.clock import CHINA
from jilink.services.console.pages.case_deed import Deed, Maker, Posted, reason_field
from jilink.services.console.pages.case_hands import handing, units
from jilink.services.console.pages.case_joins import afterwards, joining
from jilink.services.console.pages.case_questions import PREFIX, field_of, given_in
from jilink.services.console.pages.case_words import REQUESTING, REQUESTS, amount_in_words, in_words

DANGEROUS = frozenset({Step.VOID})


def deeds(actor: Actor, view: CaseView, now: datetime, posted: Posted | None = None) -> list[Deed]:
    """Return everything that this actor may do with the case now, the usual next step first."""
    make = Maker(posted)
    found = [_step(actor, view, way, make) for way in view.ways]
    found += [_decision(actor, view, request, make) for request in view.requests if request.mine_to_decide]
    found += [_request(actor, view, kind, make) for kind in view.may_ask]
    if view.row.suspended and view.may_work:
        resume = make.form("resume", {})
        found.append(
            Deed("resume", _("Resume the case"), resume, lambda _form: actions.resume_case(case=view.row.id, by=actor), _("Resume"))
        )
    return [*found, *handing(actor, view, make), *afterwards(actor, view, make), *joining(actor, view, make)]


def _step(actor: Actor, view: CaseView, way: Way, make: Maker) -> Deed:
    key = f"step:{way.key}"
    fields: dict[str, forms.Field] = {}
    if way.step == Step.DISPATCH:
        rules = [("", _("As the rules of assignment say"))]
        fields["unit"] = forms.ChoiceField(label=_("Send to"), required=False, choices=[*rules, *units(actor)])
    if way.code:
        codes = [(each.key, in_words(each.label)) for each in view.definition.closing_codes]
        fields["code"] = forms.ChoiceField(label=_("How it ended"), choices=codes, widget=forms.RadioSelect)
    questions = tuple(each for each in view.definition.form if each.key in way.needs and each.key not in view.answers)
    for question in questions:
        fields[PREFIX + question.key] = field_of(question)
    if way.reason or way.step == Step.FINISH:
        fields["reason"] = reason_field(way.reason, "" if way.reason else _("What was done"))
    form = make.form(key, fields)

    def do(form: forms.Form) -> object:
        unit = form.cleaned_data.get("unit")
        data = StepData(
            reason=form.cleaned_data.get("reason", ""),
            answers=given_in(form, questions) or None,
            code=form.cleaned_data.get("code", ""),
            recipient=Recipient(unit=int(unit), why=(_("Chosen by the dispatcher."),)) if unit else None,
        )
        return actions.take_step(case=view.row.id, key=way.key, data=data, by=actor)

    tone = "danger" if way.step in DANGEROUS else "primary" if way == view.ways[0] else ""
    label = in_words(way.label)
    note = "" if view.definition.stage(way.target).kind in ENDS and way.code else in_words(way.target_label)
    return Deed(key, label, form, do, label, tone=tone, note=note, questions=questions)


def _request(actor: Actor, view: CaseView, kind: RequestKind, make: Maker) -> Deed:
    key = f"ask:{kind.value}"
    fields: dict[str, forms.Field] = {}
    note = ""
    if kind == RequestKind.EXTENSION:
        clock = next((each for each in view.clocks if each.key == view.row.stage and each.ended_at is None), None)
        given = amount_in_words(clock.kind, clock.amount) if clock else ""
        fields["amount"] = forms.IntegerField(
            label=_("How much more"), min_value=1, help_text=_("Original limit: %(time)s.") % {"time": given} if given else ""
        )
    if kind == RequestKind.SUSPENSION:
        fields["until"] = forms.DateField(label=_("Until the end of"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
        note = _("The clocks are paused until then.")
    if kind == RequestKind.RETURN:
        note = _("The clocks keep running.")
    fields["reason"] = reason_field()

    def do(form: forms.Form) -> object:
        reason = form.cleaned_data["reason"]
        if kind == RequestKind.EXTENSION:
            return actions.request_extension(case=view.row.id, amount=form.cleaned_data["amount"], reason=reason, by=actor)
        if kind == RequestKind.SUSPENSION:
            until = datetime.combine(form.cleaned_data["until"] + timedelta(days=1), time(), CHINA)
            return actions.request_suspension(case=view.row.id, until=until, reason=reason, by=actor)
        return actions.request_return(case=view.row.id, reason=reason, by=actor)

    return Deed(key, str(REQUESTING[kind]), make.form(key, fields), do, _("Send the request"), group="ask", note=note)


def _decision(actor: Actor, view: CaseView, request: RequestView, make: Maker) -> Deed:
    key = f"decide:{request.id}"
    answers = [("approve", _("Approve")), ("refuse", _("Refuse"))]
    fields: dict[str, forms.Field] = {
        "answer": forms.ChoiceField(label=_("Decision"), choices=answers, widget=forms.RadioSelect),
        "reason": reason_field(required=False, label=_("Reason (needed to refuse)")),
    }

    def do(form: forms.Form) -> object:
        approve = form.cleaned_data["answer"] == "approve"
        return actions.decide_request(request=request.id, approve=approve, reason=form.cleaned_data["reason"], by=actor)

    title = _("Decide on: %(what)s") % {"what": REQUESTS[request.kind]}
    return Deed(key, title, make.form(key, fields), do, _("Decide"), tone="primary", note=request.reason)
