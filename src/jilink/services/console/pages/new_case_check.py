"""The last look at a new case, asked for or needed: everything together, open cases nearby, and the button that opens it."""

from dataclasses import replace

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from jilink.core.cases import actions, reads
from jilink.core.cases.actions import NewCase
from jilink.core.cases.reads import types_in_use
from jilink.core.cases.reads.near import Near, open_near
from jilink.core.cases.rules.definition import Definition
from jilink.core.cases.rules.form import AnswersRefused, Place, PlaceQuestion
from jilink.core.cases.rules.numbers import grouped
from jilink.core.cases.rules.workflow import LinkKind
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.people import reads as people
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import PersonId
from jilink.services.console.pages import new_case_draft as drafts
from jilink.services.console.pages.case_questions import kept_answers, shown
from jilink.services.console.pages.case_words import LINKS, answer_problem, in_words, language
from jilink.services.console.pages.new_case_draft import Draft
from jilink.services.console.reads import places
from jilink.webkit.door import said

NEAR_M, MOST_NEAR = 300.0, 6
JOINS = (LinkKind.DUPLICATE_OF, LinkKind.PART_OF)


def check(request: HttpRequest, actor: Actor, key: str, draft: Draft) -> HttpResponse:
    """Look at it all once more, and open it."""
    definition = types_in_use(actor, draft.organisation).get(draft.type)
    if definition is None or not draft.title.strip():
        return redirect("console:new-case-step", key, "what")
    near = nearby(actor, draft)
    wrong: list[str] = []
    if request.method == "POST":
        try:
            opened = _opened(request, actor, draft, definition, near)
        except NotFound:
            raise
        except AnswersRefused as error:
            titles = {each.key: in_words(each.label) for each in definition.form}
            wrong = [f"{titles.get(name, name)}: {answer_problem(words)}" for name, words in error.problems.items()]
        except Refused as error:
            wrong = [said(error)]
        else:
            drafts.drop(request, key)
            messages.success(request, _("The case was created. Its number for the person is %(number)s.") % {"number": grouped(opened)})
            return redirect("console:case", opened)
    return render(
        request,
        "console/new_case_check.html",
        {"wrong": wrong, **_context(actor, key, draft, definition, near)},
        status=400 if wrong else 200,
    )


def _context(actor: Actor, key: str, draft: Draft, definition: Definition, near: list[Near]) -> dict[str, object]:
    answers = kept_answers(definition.form, draft.answers)
    priority = draft.priority or definition.usual_priority
    person = people.person(actor, PersonId(draft.person)) if draft.person is not None and actor.may(Permission.VIEW_PEOPLE) else None
    return {
        "key": key,
        "draft": draft,
        "person": person,
        "type_title": in_words(definition.label),
        "priority": next((in_words(each.label) for each in definition.priorities if each.rank == priority), ""),
        "answers": [(in_words(each.label), shown(each, answers[each.key])) for each in definition.form if each.key in answers],
        "photos": sum(len(ids) for ids in draft.photos.values()),
        "area_words": places.path_in_words(actor, draft.area, language(), utc_now()),
        "near": [(each, grouped(each.row.number), in_words(each.row.stage_label)) for each in near],
        "joins": [(kind.value, LINKS[kind.value]) for kind in JOINS],
    }


def nearby(actor: Actor, draft: Draft) -> list[Near]:
    """Return the open cases of its type near the place of a draft, the nearest first."""
    if draft.latitude is None or draft.longitude is None:
        return []
    return open_near(actor, draft.longitude, draft.latitude, type=draft.type, within_m=NEAR_M, most=MOST_NEAR, now=utc_now())


def _new(draft: Draft, definition: Definition) -> NewCase:
    place = Place(latitude=draft.latitude, longitude=draft.longitude, accuracy_m=draft.accuracy_m, address=draft.address)
    answers: dict[str, object] = {**draft.answers, **{name: [str(each) for each in ids] for name, ids in draft.photos.items() if ids}}
    known = place.latitude is not None or bool(place.address)
    first = next((each.key for each in definition.form if isinstance(each, PlaceQuestion)), None)
    if known and first is not None:
        answers[first] = place
    asked = {each.key for each in definition.form}
    return NewCase(
        type=draft.type,
        title=draft.title,
        description=draft.description,
        answers={name: value for name, value in answers.items() if name in asked},
        person=draft.person,
        place=place if known else Place(),
        area=draft.area,
        priority=draft.priority,
        interaction=draft.interaction,
    )


@transaction.atomic
def _opened(request: HttpRequest, actor: Actor, draft: Draft, definition: Definition, near: list[Near]) -> str:
    """Open the case, tie it to the one that was chosen, and return its number."""
    new = _new(draft, definition)
    if draft.split:
        first = reads.case_numbered(actor, draft.split, now=utc_now())
        part = replace(new, interaction=new.interaction or first.interaction)
        return actions.split_case(case=first.row.id, parts=[part], by=actor)[0].number
    opened = actions.open_case(organisation=draft.organisation, new=new, by=actor)
    kind, _colon, number = request.POST.get("join", "").partition(":")
    other = next((each.row for each in near if each.row.number == number), None)
    if other is not None and kind in {each.value for each in JOINS}:
        actions.link_cases(case=opened.case, kind=LinkKind(kind), other=other.id, by=actor)
    return opened.number
