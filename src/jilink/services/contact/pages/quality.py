"""Quality: what is to be scored, scores of agents and questions, an evaluation with its dispute, and an agent's own."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jilink.core.parties import access
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.members import reads as members
from jilink.kernel.errors import Refused
from jilink.services.contact.actions import quality as actions
from jilink.services.contact.pages.recordings import shown
from jilink.services.contact.reads import quality as reads
from jilink.services.contact.reads import recordings
from jilink.services.contact.reads.quality import MANAGE, SCORE, EvaluationView
from jilink.services.contact.rules.evaluations import EvaluationState, may
from jilink.services.contact.rules.quality import Answers, Card, CardRefused, Comment
from jilink.webkit.door import said, signed_in

STATES = {
    EvaluationState.GIVEN: gettext_lazy("not read yet"),
    EvaluationState.READ: gettext_lazy("read"),
    EvaluationState.DISPUTED: gettext_lazy("disputed"),
    EvaluationState.UPHELD: gettext_lazy("dispute decided: the score stands"),
    EvaluationState.CHANGED: gettext_lazy("dispute decided: scored anew"),
}
COMMENTS = 4
"""Rows for comments on the form."""
NOT_ASKED = "-"


class ScoreForm(forms.Form):
    """The questions of a card, comments and a note for the agent."""

    def __init__(self, card: Card, data: object = None, answers: Answers | None = None) -> None:
        super().__init__(data)  # type: ignore[arg-type] # -- a QueryDict or None
        self.card = card
        given = answers.points if answers else {}
        for question in card.questions():
            points = [(str(one), _points(one, question.most)) for one in range(question.most, -1, -1)]
            none = [(NOT_ASKED, _("does not apply"))] if question.optional else []
            known = given.get(question.key, question.most)
            self.fields[f"q_{question.key}"] = forms.ChoiceField(
                choices=[*points, *none], initial=NOT_ASKED if known is None else str(known)
            )
        for row in range(COMMENTS):
            self.fields[f"at_{row}"] = forms.FloatField(label=_("At second"), required=False, min_value=0)
            self.fields[f"words_{row}"] = forms.CharField(label=_("Comment"), required=False, max_length=2000)
        coaching = forms.CharField(label=_("Note for the agent"), required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 4}))
        self.fields["coaching"] = coaching

    def sections(self) -> list[tuple[object, list[tuple[object, forms.BoundField]]]]:
        """Return titles and questions with their fields."""
        return [(section.title, [(one, self[f"q_{one.key}"]) for one in section.questions]) for section in self.card.sections]

    def comment_rows(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """Return the fields of each comment."""
        return [(self[f"at_{row}"], self[f"words_{row}"]) for row in range(COMMENTS)]

    def answers(self) -> Answers:
        """Return what was answered."""
        given = self.cleaned_data
        points = {one.key: _number(given[f"q_{one.key}"]) for one in self.card.questions()}
        rows = [(given[f"at_{row}"] or 0.0, given[f"words_{row}"].strip()) for row in range(COMMENTS)]
        return Answers(points=points, comments=tuple(Comment(at, words) for at, words in rows if words))


def _points(one: int, most: int) -> str:
    return (_("Yes") if one else _("No")) if most == 1 else str(one)


def _number(text: str) -> int | None:
    return None if text == NOT_ASKED else int(text)


def _names(found: list[EvaluationView]) -> dict[int, str]:
    return members.people_named({who for one in found for who in (one.agent, one.evaluator, one.decided_by) if who is not None})


def _rows(found: list[EvaluationView], names: dict[int, str]) -> list[dict[str, object]]:
    return [{"one": one, "agent": names.get(one.agent, ""), "state": STATES[EvaluationState(one.state)]} for one in found]


@require_safe
@signed_in
def overview(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show what is to be scored, disputes, and what scores come to by agent and question."""
    access.require_reach(actor, SCORE)
    found, waiting = reads.evaluations(actor), reads.to_score(actor)
    names = members.people_named({one.agent for one in found} | {one.agent for one in waiting})
    agents = [(names.get(one.agent, ""), one) for one in reads.agents(found)]
    context = {
        "waiting": [(names.get(one.agent, ""), one) for one in waiting],
        "disputed": _rows([one for one in found if one.state == EvaluationState.DISPUTED], names),
        "rows": _rows(found[:50], names),
        "agents": agents,
        "questions": reads.questions(found),
        "manages": actor.may(MANAGE),
    }
    return render(request, "contact/quality_overview.html", context)


@require_safe
@signed_in
def mine(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show an agent what their conversations were scored."""
    found = reads.mine(actor)
    context = {"rows": _rows(found, {}), "figures": next(iter(reads.agents(found)), None), "questions": reads.questions(found)}
    return render(request, "contact/quality_mine.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def score(request: HttpRequest, actor: Actor, contact: int, card: int) -> HttpResponse:
    """Score a contact by a card, with its recording beside; `calibration` in the address says for which one."""
    row, design = reads.contact_to_score(actor, contact), reads.published(actor, card)
    asked = request.GET.get("calibration", "")
    calibration = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 19 else None
    form = ScoreForm(design, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        coaching = form.cleaned_data["coaching"]
        try:
            made = actions.evaluate(
                contact=contact, card=card, answers=form.answers(), coaching=coaching, by=actor, calibration=calibration
            )
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
        else:
            messages.success(request, _("The score is kept."))
            return redirect("contact:calibration", calibration) if calibration else redirect("contact:evaluation", made)
    context = {
        "form": form,
        "card": design,
        "card_id": card,
        "contact": contact,
        "may_calibrate": calibration is None and row.organisation_id in access.organisations_of(actor, MANAGE),
        "agent": members.people_named({row.agent_id or 0}).get(row.agent_id or 0, ""),
        "recordings": shown(actor, recordings.of_contact(actor, contact)),
        "rating": recordings.ratings([contact]).get(contact),
    }
    return render(request, "contact/quality_score.html", context, status=400 if form.errors else 200)


@require_safe
@signed_in
def evaluation(request: HttpRequest, actor: Actor, evaluation: int) -> HttpResponse:
    """Show one evaluation: to its agent, who confirms or disputes it, and to those who may decide."""
    one = reads.evaluation(actor, evaluation)
    own = one.agent == actor.user
    decides = one.organisation in access.organisations_of(actor, MANAGE) and actor.user not in (one.agent, one.evaluator)
    sections = [
        (section.title, [(question, one.answers.points.get(question.key)) for question in section.questions])
        for section in one.card.sections
    ]
    context = {
        "one": one,
        "names": _names([one]),
        "agent": _names([one]).get(one.agent, ""),
        "evaluator": _names([one]).get(one.evaluator, ""),
        "state": STATES[EvaluationState(one.state)],
        "sections": sections,
        "own": own,
        "may_confirm": own and one.read_at is None,
        "may_dispute": own and may(one.state, EvaluationState.DISPUTED),
        "may_decide": decides and one.state == EvaluationState.DISPUTED,
        "form": ScoreForm(one.card, answers=one.answers),
        "recordings": shown(actor, recordings.of_contact(actor, one.contact)),
    }
    return render(request, "contact/quality_evaluation.html", context)


@require_POST
@signed_in
def confirm(request: HttpRequest, actor: Actor, evaluation: int) -> HttpResponse:
    """The agent has read it."""
    actions.confirm(evaluation=evaluation, by=actor)
    return redirect("contact:evaluation", evaluation)


@require_POST
@signed_in
def dispute(request: HttpRequest, actor: Actor, evaluation: int) -> HttpResponse:
    """The agent does not agree."""
    actions.dispute(evaluation=evaluation, reason=request.POST.get("reason", ""), by=actor)
    messages.success(request, _("Somebody else decides, and you read the decision here."))
    return redirect("contact:evaluation", evaluation)


@require_POST
@signed_in
def decide(request: HttpRequest, actor: Actor, evaluation: int) -> HttpResponse:
    """Decide a dispute: the score stands, or it is scored anew."""
    one, answers = reads.evaluation(actor, evaluation), None
    if request.POST.get("anew"):
        form = ScoreForm(one.card, request.POST)
        if not form.is_valid():
            raise CardRefused("Answer every question to score anew.")
        answers = form.answers()
    actions.decide(evaluation=evaluation, answers=answers, words=request.POST.get("decision", ""), by=actor)
    return redirect("contact:evaluation", evaluation)


patterns: list[URLPattern] = [
    path("quality/", overview, name="quality"),
    path("quality/mine/", mine, name="my-quality"),
    path("quality/score/<int:contact>/<int:card>/", score, name="score"),
    path("quality/evaluations/<int:evaluation>/", evaluation, name="evaluation"),
    path("quality/evaluations/<int:evaluation>/confirm", confirm, name="confirm-evaluation"),
    path("quality/evaluations/<int:evaluation>/dispute", dispute, name="dispute-evaluation"),
    path("quality/evaluations/<int:evaluation>/decide", decide, name="decide-evaluation"),
]
