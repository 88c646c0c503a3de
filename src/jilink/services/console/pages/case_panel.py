"""What stands beside a case: the person, the place, the thing, what is known about it, links, files, and who has it why."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from jilink.core.assets.inventory import reads as inventory
from jilink.core.assets.inventory.reads import ThingView
from jilink.core.cases.reads import CaseRow, CaseView, Filter, cases
from jilink.core.cases.rules import numbers, timeline
from jilink.core.cases.rules.form import PhotoQuestion
from jilink.core.interactions import reads as interactions
from jilink.core.interactions.reads import InteractionView
from jilink.core.knowledge.reads import Found
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.members import reads as members
from jilink.core.parties.people import reads as people
from jilink.core.parties.people.reads import PersonView
from jilink.core.parties.people.rules import ContactKind
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import AssetId, OrganisationId, PersonId
from jilink.services.console.pages.case_questions import shown
from jilink.services.console.pages.case_story import Story, names_in
from jilink.services.console.pages.case_words import CHANNELS, LINKS, amount_in_words, due_in_words, in_words, language
from jilink.services.console.reads.attached import attached
from jilink.services.console.reads.channels import channels_out
from jilink.services.console.reads.places import path_in_words, where
from jilink.services.console.reads.suggestions import suggested

MOST = 6
BY_KIND = {ContactKind.PHONE: "text", ContactKind.EMAIL: "mail"}
"""By which channel a reply reaches a contact."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody a reply can go to, as the button says it."""

    channel: str
    channel_title: str
    name: str
    masked: str


def person_of(actor: Actor, view: CaseView, now: datetime) -> PersonView | None:
    """Return the person of a case; None where there is none or the actor may not see people there."""
    if view.row.person is None:
        return None
    try:
        return people.person(actor, PersonId(view.row.person), now)
    except NotFound:
        return None


def recipients_of(person: PersonView | None, leaving: Collection[str] = CHANNELS) -> list[Recipient]:
    """Return to whom a reply can go, one for each channel that reaches the person and is one of those `leaving` the house."""
    found: dict[str, Recipient] = {}
    for contact in person.contacts if person else ():
        channel = BY_KIND.get(contact.kind, "")
        if person and channel in leaving and channel not in found:
            found[channel] = Recipient(channel, str(CHANNELS[channel]), person.name or contact.masked, contact.masked)
    return list(found.values())


def _others(actor: Actor, view: CaseView, now: datetime) -> tuple[CaseRow, ...]:
    rows = cases(actor, Filter(states=(), person=view.row.person), now=now, limit=MOST + 1).rows if view.row.person else ()
    return tuple(row for row in rows if row.id != view.row.id)[:MOST]


def _contacts(actor: Actor, view: CaseView) -> list[InteractionView]:
    if view.row.person is None:
        return []
    try:
        return interactions.interactions(actor, person=PersonId(view.row.person), size=MOST)
    except NotFound:
        return []


def thing_of(actor: Actor, asset: int | None) -> ThingView | None:
    """Return a thing that the actor may see."""
    try:
        return inventory.thing(actor, AssetId(asset)) if asset is not None else None
    except NotFound:
        return None


def panel(actor: Actor, view: CaseView, now: datetime) -> dict[str, object]:
    """Return everything that stands around a case."""
    row = view.row
    person = person_of(actor, view, now)
    tongue = language()
    asked = {each.key for each in view.definition.form}
    place = (
        where(actor, row.longitude, row.latitude, view.accuracy_m, now) if row.latitude is not None and row.longitude is not None else None
    )
    linked = {link.asset for link in view.links if link.asset is not None} | {row.asset} - {None}
    things = {number: thing for number in linked if (thing := thing_of(actor, number)) is not None}
    titles = {int(number): thing.label for number, thing in things.items() if number is not None}
    story = _story(actor, view, titles)
    return {
        "person": person,
        "person_hidden": row.person is not None and person is None,
        "recipients": recipients_of(person, channels_out(OrganisationId(row.organisation))),
        "unreached": [each.channel_title for each in recipients_of(person)],
        "may_record": actor.may(Permission.ADD_INTERACTIONS),
        "others": _others(actor, view, now),
        "contacts": _contacts(actor, view),
        "place": place,
        "place_words": path_in_words(actor, row.area, tongue, now),
        "things": list(things.values()),
        "links": [(LINKS[f"{link.kind}_other" if link.back else link.kind], link) for link in view.links if link.kind != "about_asset"],
        "articles": _articles(suggested(actor, row.title, view.description, language=tongue), tongue),
        "answers": _answers(view, titles) if asked else [],
        "story": story.lines(),
        "why": _why(view),
        "names": story.names,
        "team": story.teams.get(row.team) if row.team else "",
        "holder": story.names.get(row.assignee) if row.assignee else "",
        "files": _files(actor, view),
        "clocks": [
            (
                clock,
                in_words(clock.label),
                amount_in_words(clock.kind, clock.amount + clock.extended_by),
                due_in_words(clock.due_at, now),
                min(clock.percent, 100),
            )
            for clock in view.clocks
            if clock.ended_at is None
        ],
        "ended_clocks": [
            (clock, in_words(clock.label), amount_in_words(clock.kind, clock.amount + clock.extended_by))
            for clock in view.clocks
            if clock.ended_at is not None
        ],
    }


def _articles(found: list[Found], tongue: str) -> list[tuple[Found, str, str]]:
    return [(each, each.article.title.in_(tongue), each.article.body.in_(tongue)[:1500]) for each in found]


def _answers(view: CaseView, things: Mapping[int, str]) -> list[tuple[str, str, str]]:
    """Return question, answer, and the key of one that is masked."""
    found = []
    for question in view.definition.form:
        if question.key not in view.answers or isinstance(question, PhotoQuestion):
            continue
        answer = view.answers[question.key]
        words = str(answer) if question.sensitive else shown(question, answer, things)
        found.append((in_words(question.label), words, question.key if question.sensitive else ""))
    return found


def _files(actor: Actor, view: CaseView) -> list[dict[str, object]]:
    known = attached(actor, view)
    titles = {question.key: in_words(question.label) for question in view.definition.form}
    return [
        {"file": known[each.file], "question": titles.get(each.question, ""), "at": each.at} for each in view.files if each.file in known
    ]


def _why(view: CaseView) -> tuple[str, ...]:
    last = next((line.detail for line in reversed(view.timeline) if isinstance(line.detail, timeline.Assigned) and line.detail.why), None)
    if last is not None and last.considered:
        return tuple(f"{in_words(each.label)}: {in_words(each.why)}" for each in last.considered)
    return last.why if last else ()


def _story(actor: Actor, view: CaseView, things: Mapping[int, str]) -> Story:
    given = [line.detail for line in view.timeline if isinstance(line.detail, timeline.Assigned)]
    users = {each.assignee for each in given if each.assignee} | ({view.row.assignee} if view.row.assignee else set())
    names = names_in(
        {line.actor for line in view.timeline} | {each.asked_by for each in view.requests} | {each.decided_by for each in view.requests},
        users,
    )
    teams = members.team_names({each.team for each in given if each.team} | ({view.row.team} if view.row.team else set()))
    units = {int(each.id): each.name for each in parties.choices(actor, Permission.VIEW_MEMBERS)} | {view.row.unit: view.row.unit_name}
    return Story(view, names, units, teams, dict(things))


def heading(view: CaseView, now: datetime) -> dict[str, object]:
    """Return what the head of a case says."""
    row = view.row
    return {
        "number": numbers.grouped(row.number),
        "spoken": numbers.spoken(row.number),
        "type": in_words(row.type_label),
        "stage": in_words(row.stage_label),
        "tone": "info" if row.open else "good",
        "priority": in_words(row.priority_label),
        "due": due_in_words(row.due_at, now) if row.open else "",
        "urgent": row.priority >= 7,
        "code": next((in_words(each.label) for each in view.definition.closing_codes if each.key == view.closing_code), ""),
        "merged_into": numbers.grouped(view.merged_into) if view.merged_into else "",
        "channel": CHANNELS.get(row.channel, row.channel),
    }
