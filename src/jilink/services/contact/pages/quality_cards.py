"""Score cards, the plans that draw contacts, and calibrations: what whoever manages quality sets up."""

from datetime import date

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jilink.core.parties import access
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.members import reads as members
from jilink.kernel.clock import CHINA, utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.texts import Text
from jilink.services.contact.actions import quality as actions
from jilink.services.contact.pages.places import PlaceForm
from jilink.services.contact.reads import quality as reads
from jilink.services.contact.reads.quality import MANAGE, CardView
from jilink.services.contact.rules.quality import Card, CardRefused, Question, Section
from jilink.services.contact.rules.sampling import Plan
from jilink.webkit.door import said, signed_in

PARTS = 6
"""Parts of a line of the form: key, Chinese, English, weight, points, and what holds of it."""
FATAL, REQUIRED = "!", "*"


class NewCardForm(PlaceForm):
    """A new score card."""

    name_zh = forms.CharField(label=gettext_lazy("Name in Chinese"), max_length=60, required=False)
    name_en = forms.CharField(label=gettext_lazy("Name in English"), max_length=60, required=False)
    key = forms.CharField(label=gettext_lazy("Key"), max_length=40, help_text=gettext_lazy("Small letters, digits and _."))


class CardForm(forms.Form):
    """A card's name, pass mark and questions."""

    based_on = forms.IntegerField(widget=forms.HiddenInput)
    name_zh = forms.CharField(label=gettext_lazy("Name in Chinese"), max_length=60, required=False)
    name_en = forms.CharField(label=gettext_lazy("Name in English"), max_length=60, required=False)
    pass_mark = forms.FloatField(label=gettext_lazy("Good enough from, of 100"), min_value=0, max_value=100)
    questions = forms.CharField(
        label=gettext_lazy("Sections and questions"),
        max_length=40_000,
        widget=forms.Textarea(attrs={"rows": 16}),
        help_text=gettext_lazy(
            "A section: # Chinese | English. Below it a line for each question: key | Chinese | English | weight | points | marks. "
            "Points: 1 for yes and no, else up to 10. Marks: ! where no points make the whole score 0, * where it always applies."
        ),
    )

    def card(self) -> Card:
        """Return the card. Raises CardRefused."""
        given = self.cleaned_data
        name = Text(given["name_zh"], given["name_en"])
        return Card(name=name, pass_mark=given["pass_mark"], sections=sections_of(given["questions"]))


def sections_of(text: str) -> tuple[Section, ...]:
    """Return sections and questions as they are written, one a line. Raises CardRefused with the line."""
    found: list[tuple[Text, list[Question]]] = []
    for number, line in enumerate(text.splitlines(), 1):
        parts = [part.strip() for part in line.replace("｜", "|").split("|")]
        if not line.strip():
            continue
        if line.startswith("#"):
            title = parts[0].removeprefix("#").strip()
            found.append((Text(title, parts[1] if len(parts) > 1 else ""), []))
            continue
        if not found or len(parts) < 3:
            raise CardRefused("Line %(number)d is no section and no question.", number=number)
        found[-1][1].append(_question(parts, number))
    return tuple(Section(title=title, questions=tuple(questions)) for title, questions in found)


def _question(parts: list[str], number: int) -> Question:
    parts = [*parts, *[""] * PARTS]
    try:
        weight, most = float(parts[3] or 1), int(parts[4] or 1)
    except ValueError as error:
        raise CardRefused("Weight and points of line %(number)d are numbers.", number=number) from error
    marks = parts[5]
    return Question(
        key=parts[0], text=Text(parts[1], parts[2]), weight=weight, most=most, fatal=FATAL in marks, optional=REQUIRED not in marks
    )


def written(card: Card) -> str:
    """Return sections and questions as the form shows them."""
    lines = []
    for section in card.sections:
        lines.append(f"# {section.title.zh} | {section.title.en}")
        for one in section.questions:
            marks = FATAL * one.fatal + REQUIRED * (not one.optional)
            lines.append(f"{one.key} | {one.text.zh} | {one.text.en} | {one.weight:g} | {one.most} | {marks}")
    return "\n".join(lines)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def cards(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the score cards; add one."""
    access.require_anywhere(actor, MANAGE)
    form = NewCardForm(actor, MANAGE, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = actions.add_card(
                organisation=given["organisation"], key=given["key"], card=Card(name=Text(given["name_zh"], given["name_en"])), by=actor
            )
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
        else:
            return redirect("contact:card", made)
    return render(request, "contact/quality_cards.html", {"form": form, "rows": _managed(actor)}, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def card(request: HttpRequest, actor: Actor, card: int) -> HttpResponse:
    """Show and change the draft of a card."""
    found = next((one for one in _managed(actor) if one.id == card), None)
    if found is None:
        raise NotFound.of(MANAGE)
    design = found.draft
    initial = {"based_on": found.edition, "name_zh": design.name.zh, "name_en": design.name.en, "pass_mark": design.pass_mark}
    form = CardForm(request.POST if request.method == "POST" else None, initial={**initial, "questions": written(design)})
    if request.method == "POST" and form.is_valid():
        try:
            actions.save_card(card=card, design=form.card(), based_on=form.cleaned_data["based_on"], by=actor)
            if request.POST.get("publish"):
                number = actions.publish_card(card=card, by=actor)
                messages.success(request, _("Version %(number)d is scored by from now on.") % {"number": number})
            else:
                messages.success(request, _("Saved."))
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
        else:
            return redirect("contact:card", card)
    return render(request, "contact/quality_card.html", {"form": form, "card": found}, status=400 if form.errors else 200)


@require_POST
@signed_in
def retire(request: HttpRequest, actor: Actor, card: int) -> HttpResponse:
    """Let nobody score by a card any more."""
    actions.retire_card(card=card, by=actor)
    messages.success(request, _("The score card is retired. What was scored by it stays."))
    return redirect("contact:cards")


class PlanForm(forms.Form):
    """What a plan draws."""

    name_zh = forms.CharField(label=gettext_lazy("Name in Chinese"), max_length=60, required=False)
    name_en = forms.CharField(label=gettext_lazy("Name in English"), max_length=60, required=False)
    card = forms.TypedChoiceField(label=gettext_lazy("Score card"), coerce=int)
    number = forms.IntegerField(label=gettext_lazy("Of each agent and week"), required=False, min_value=0, max_value=200)
    share = forms.FloatField(label=gettext_lazy("Or a share of them, %"), required=False, min_value=0, max_value=100)
    least_s = forms.IntegerField(label=gettext_lazy("Not shorter than, seconds"), required=False, min_value=0)
    most_s = forms.IntegerField(label=gettext_lazy("Not longer than, seconds"), required=False, min_value=0)
    codes = forms.CharField(label=gettext_lazy("Only with these codes"), required=False, max_length=400)
    rated_at_most = forms.IntegerField(label=gettext_lazy("Only rated at most"), required=False, min_value=0, max_value=5)
    recorded = forms.BooleanField(label=gettext_lazy("Only with a recording"), required=False, initial=True)

    def __init__(self, cards: list[CardView], data: object = None) -> None:
        super().__init__(data)  # type: ignore[arg-type] # -- a QueryDict or None
        language = get_language() or "zh-hans"
        self.fields["card"].choices = [(one.id, one.draft.name.in_(language)) for one in cards]  # type: ignore[attr-defined] # -- a choice field

    def plan(self) -> Plan:
        """Return the plan; the action checks it."""
        given = self.cleaned_data
        return Plan(
            name=Text(given["name_zh"], given["name_en"]),
            number=given["number"] or 0,
            share=(given["share"] or 0) / 100,
            least_s=given["least_s"] or 0,
            most_s=given["most_s"] or 0,
            codes=tuple(part.strip() for part in given["codes"].replace("，", ",").split(",") if part.strip()),
            rated_at_most=given["rated_at_most"] or 0,
            recorded=given["recorded"],
        )


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def plans(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the plans with what they drew; add one."""
    access.require_anywhere(actor, MANAGE)
    known = [one for one in _managed(actor) if one.version]
    form = PlanForm(known, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.add_plan(card=form.cleaned_data["card"], plan=form.plan(), by=actor)
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
        else:
            return redirect("contact:plans")
    names = {one.id: one.draft.name for one in known}
    rows = [(one, names.get(one.card, Text())) for one in reads.plans(actor)]
    context = {"form": form, "rows": rows, "cards": known, "today": utc_now().astimezone(CHINA).date()}
    return render(request, "contact/quality_plans.html", context, status=400 if form.errors else 200)


@require_POST
@signed_in
def draw(request: HttpRequest, actor: Actor, plan: int) -> HttpResponse:
    """Draw the contacts of a week, or end the plan."""
    if request.POST.get("end"):
        actions.end_plan(plan=plan, by=actor)
        return redirect("contact:plans")
    try:
        week = date.fromisoformat(request.POST.get("week", ""))
    except ValueError:
        week = utc_now().astimezone(CHINA).date()
    count = actions.draw(plan=plan, week=week, by=actor)
    messages.success(request, _("%(count)d conversations were drawn.") % {"count": count})
    return redirect("contact:plans")


@require_safe
@signed_in
def calibrations(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the calibrations."""
    access.require_reach(actor, reads.SCORE)
    return render(request, "contact/quality_calibrations.html", {"rows": reads.calibrations(actor)})


@require_safe
@signed_in
def calibration(request: HttpRequest, actor: Actor, calibration: int) -> HttpResponse:
    """Show a calibration: one's own score, and once it is closed everybody's with how far they are apart."""
    one = reads.calibration(actor, calibration)
    words = {question.key: question.text for question in one.card.questions()}
    context = {
        "one": one,
        "people": [members.people_named({each.evaluator}).get(each.evaluator, "") for each in one.given],
        "spreads": [(words.get(each.key), each) for each in one.spreads],
        "gave": any(each.evaluator == actor.user for each in one.given),
        "may_close": one.closed_at is None and one.organisation in access.organisations_of(actor, MANAGE),
    }
    return render(request, "contact/quality_calibration.html", context)


@require_POST
@signed_in
def open_calibration(request: HttpRequest, actor: Actor, contact: int, card: int) -> HttpResponse:
    """Let several people score a contact."""
    return redirect("contact:calibration", actions.open_calibration(contact=contact, card=card, by=actor))


@require_POST
@signed_in
def close(request: HttpRequest, actor: Actor, calibration: int) -> HttpResponse:
    """Show everybody what all gave."""
    actions.close_calibration(calibration=calibration, by=actor)
    return redirect("contact:calibration", calibration)


def _managed(actor: Actor) -> list[CardView]:
    allowed = access.organisations_of(actor, MANAGE)
    return [one for one in reads.cards(actor) if one.organisation in allowed]


patterns: list[URLPattern] = [
    path("quality/cards/", cards, name="cards"),
    path("quality/cards/<int:card>/", card, name="card"),
    path("quality/cards/<int:card>/retire", retire, name="retire-card"),
    path("quality/plans/", plans, name="plans"),
    path("quality/plans/<int:plan>/draw", draw, name="draw-plan"),
    path("quality/calibrations/", calibrations, name="calibrations"),
    path("quality/calibrations/<int:calibration>/", calibration, name="calibration"),
    path("quality/calibrations/<int:calibration>/close", close, name="close-calibration"),
    path("quality/calibrate/<int:contact>/<int:card>", open_calibration, name="open-calibration"),
]
