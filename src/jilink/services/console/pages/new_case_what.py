"""The second step of a new case: its type, what it is about, and the questions of the type as far as they are asked."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from jilink.core.assets.inventory import reads as inventory
from jilink.core.cases.reads import types_in_use
from jilink.core.cases.rules import form as rules
from jilink.core.cases.rules.definition import Definition
from jilink.core.cases.rules.form import AnswersRefused, AnyQuestion, check_answers
from jilink.core.files import actions as files
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.people import reads as people
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.kernel.ids import OrganisationId
from jilink.services.console.pages import new_case_draft as drafts
from jilink.services.console.pages.case_questions import PREFIX, asked, field_of, given_in, show_problems
from jilink.services.console.pages.case_words import in_words
from jilink.services.console.pages.new_case_draft import Draft, Given
from jilink.webkit.door import said

LATER = (rules.PlaceQuestion,)
"""Asked in the third step."""


class WhatForm(forms.Form):
    """Title, words and urgency of a case, and the questions that are asked now."""

    title = forms.CharField(max_length=200)
    description = forms.CharField(required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 4}))
    priority = forms.TypedChoiceField(coerce=int)

    def __init__(self, definition: Definition, draft: Draft, data: object = None, uploads: object = None) -> None:
        usual = draft.priority or definition.usual_priority
        initial: dict[str, object] = {"title": draft.title, "description": draft.description, "priority": usual}
        initial |= {PREFIX + key: value for key, value in draft.answers.items()}
        super().__init__(data, uploads, initial=initial)  # type: ignore[arg-type] # -- QueryDicts or None
        self.fields["title"].label, self.fields["description"].label = _("What it is about, in one line"), _("What was reported")
        self.fields["priority"].label = _("Priority")
        self.fields["priority"].choices = [(each.rank, in_words(each.label)) for each in definition.priorities]  # type: ignore[attr-defined] # -- it is a choice field
        for question in definition.form:
            self.fields[PREFIX + question.key] = field_of(question)
        given = given_in(self, definition.form) if self.is_bound else dict(draft.answers)
        known = [
            question for question in asked(definition.form, given) if not isinstance(question, LATER) and _at_intake(question, definition)
        ]
        for question in definition.form:
            if question not in known:
                del self.fields[PREFIX + question.key]
        self.questions = known

    def part(self, photos: bool) -> list[forms.BoundField]:
        """Return the fields of the questions: those of photos, or all others."""
        return [self[PREFIX + each.key] for each in self.questions if isinstance(each, rules.PhotoQuestion) == photos]


def _at_intake(question: AnyQuestion, definition: Definition) -> bool:
    """Return whether a question is asked when a case is opened: not one that a later step asks for itself."""
    return question.required or not any(question.key in way.requires for way in definition.transitions)


def what(request: HttpRequest, actor: Actor, key: str, draft: Draft) -> HttpResponse:
    """Choose the type, and answer its questions."""
    types = types_in_use(actor, draft.organisation)
    chosen = request.GET.get("type", "")
    if chosen in types and chosen != draft.type:
        draft.type, draft.answers, draft.photos, draft.priority = chosen, {}, {}, None
        drafts.save(request, key, draft)
    definition = types.get(draft.type)
    context: dict[str, object] = {
        "key": key,
        "draft": draft,
        "types": [(each, in_words(kind.label), in_words(kind.description)) for each, kind in types.items()],
        "type_title": in_words(definition.label) if definition else "",
    }
    if definition is None:
        return render(request, "console/new_case_what.html", context)
    posted = request.method == "POST"
    form = WhatForm(definition, draft, request.POST if posted else None, request.FILES if posted else None)
    again = "again" in request.POST
    if posted:
        _keep(form, draft)
        drafts.save(request, key, draft)
    if posted and not again and _checked(request, actor, form, definition, draft):
        drafts.save(request, key, draft)
        return redirect("console:new-case-step", key, "where")
    if again:
        form = WhatForm(definition, draft)
    context |= {"form": form, "questions": form.part(False), "photos": form.part(True)}
    return render(request, "console/new_case_what.html", context, status=400 if form.is_bound and form.errors else 200)


def _checked(request: HttpRequest, actor: Actor, form: WhatForm, definition: Definition, draft: Draft) -> bool:
    """Check title and answers together, so that everything that is wrong is said at once."""
    form.is_valid()
    return _fits(request, actor, form, definition, draft)


def _keep(form: WhatForm, draft: Draft) -> None:
    """Keep everything as it was typed, fit or not."""
    draft.title, draft.description = form.data.get("title", "")[:200], form.data.get("description", "")[:10_000]
    rank = form.data.get("priority", "")
    draft.priority = int(rank) if rank.isascii() and rank.isdigit() and len(rank) < 3 else None
    draft.answers = {name: _plain(value) for name, value in given_in(form, form.questions).items()}


def _plain(value: object) -> Given:
    return [str(each) for each in value] if isinstance(value, list | tuple) else str(value)


def _fits(request: HttpRequest, actor: Actor, form: WhatForm, definition: Definition, draft: Draft) -> bool:
    """Check every answer but the place, look up what is named, keep photos; problems stand beside their fields."""
    for question in form.questions:
        if isinstance(question, rules.PhotoQuestion):
            _take_photos(request, actor, form, question, draft)
        elif question.key in draft.answers and isinstance(question, rules.AssetQuestion | rules.PersonQuestion):
            _look_up(actor, form, question, draft)
    here = [question for question in definition.form if not isinstance(question, LATER)]
    given: dict[str, object] = {**draft.answers, **{name: [str(each) for each in ids] for name, ids in draft.photos.items() if ids}}
    try:
        check_answers(here, {name: value for name, value in given.items() if name in {each.key for each in here}})
    except AnswersRefused as error:
        show_problems(form, {name: words for name, words in error.problems.items() if PREFIX + name not in form.errors})
    return not form.errors


def _take_photos(request: HttpRequest, actor: Actor, form: WhatForm, question: rules.PhotoQuestion, draft: Draft) -> None:
    kept = draft.photos.get(question.key, [])
    for upload in request.FILES.getlist(PREFIX + question.key)[: question.at_most]:
        try:
            place = OrganisationId(draft.organisation)
            made = files.keep_file(
                organisation=place, data=upload.read(), name=upload.name or "", permission=Permission.ADD_CASES, by=actor
            )
        except NotFound:
            raise
        except Refused as error:
            form.add_error(PREFIX + question.key, said(error))
            continue
        kept = [*kept, int(made)]
    draft.photos = {**draft.photos, question.key: kept}


def _look_up(actor: Actor, form: WhatForm, question: AnyQuestion, draft: Draft) -> None:
    """Put the number of the one thing or person that was named in place of its name."""
    words = str(draft.answers[question.key])
    if isinstance(question, rules.AssetQuestion):
        things = inventory.things(actor, text=words, organisation=None, size=20)
        numbers = [int(each.id) for each in things if not question.kinds or each.kind in question.kinds]
        exact = [int(each.id) for each in things if words in {each.code, each.label, str(each.id)}]
    else:
        numbers = exact = [int(each.id) for each in people.find(actor, words, limit=2)]
    found = exact if len(exact) == 1 else numbers
    if len(found) == 1:
        draft.answers = {**draft.answers, question.key: str(found[0])}
    else:
        form.add_error(PREFIX + question.key, _("Several match. Be more specific.") if found else _("Nothing has this name."))
