"""What the person we serve may see of their case: by its number, with their telephone as proof."""

from dataclasses import dataclass
from datetime import datetime

from jilink.core.cases.models import Case, Rating, Reply
from jilink.core.cases.reads.ground import HIDDEN, definition_of
from jilink.core.cases.rules import allowed, numbers, timeline
from jilink.core.cases.rules.timeline import Stepped
from jilink.core.cases.rules.workflow import State
from jilink.core.parties.access import NotFound
from jilink.core.parties.models import ContactPoint
from jilink.core.parties.people.rules import ContactKind, ContactRefused, contact
from jilink.kernel.texts import Text

LONGEST_CHAIN = 20


@dataclass(frozen=True, slots=True)
class Passed:
    """A stage the case came to."""

    at: datetime
    stage: Text


@dataclass(frozen=True, slots=True)
class Said:
    """A reply that was sent to the person."""

    at: datetime
    channel: str
    text: str


@dataclass(frozen=True, slots=True)
class PublicView:
    """What the person sees. `went_on_as` is the number of the case it was merged into."""

    case: int
    person: int
    number: str
    type: Text
    title: str
    stage: Text
    state: State
    unit: str
    opened_at: datetime
    due_at: datetime | None
    closed_at: datetime | None
    passed: tuple[Passed, ...]
    replies: tuple[Said, ...]
    went_on_as: str
    may_rate: bool


def status(number: str, phone: str) -> PublicView:
    """Return the case with this number to whoever also knows a telephone number of the person it is for.

    Raises NotFound alike for a wrong number, another's case and a wrong telephone, NumberMisread for what is no number at all.
    Whoever calls this limits how often it may be asked. No wall is asked: number and telephone are the proof.
    """
    row = Case.objects.filter(number=numbers.parse(number)).select_related("type", "unit").first()
    try:
        value = contact(ContactKind.PHONE, phone)
    except ContactRefused as error:
        raise NotFound(HIDDEN) from error
    person = row.person if row is not None else None
    known = ContactPoint.objects.filter(person=person or 0, kind=ContactKind.PHONE.value, value=value).exists()
    if row is None or person is None or not known:
        raise NotFound(HIDDEN)
    return _view(row, person)


def _view(row: Case, person: int) -> PublicView:
    now_in = row
    for _step in range(LONGEST_CHAIN):
        if now_in.merged_into_id is None:
            break
        now_in = Case.objects.select_related("type", "unit").get(pk=now_in.merged_into_id)
    definition = definition_of(now_in.type.definition)
    rated = Rating.objects.filter(case=row).values_list("round", flat=True)
    return PublicView(
        case=row.pk,
        person=person,
        number=row.number,
        type=definition_of(row.type.definition).label,
        title=row.title,
        stage=definition.stage(now_in.stage).label,
        state=State(now_in.state),
        unit=now_in.unit.name,
        opened_at=row.opened_at,
        due_at=now_in.due_at,
        closed_at=now_in.closed_at,
        passed=_passed(now_in),
        replies=tuple(
            Said(one.at, one.channel, one.text) for one in Reply.objects.filter(case=row, person=person, state="sent").order_by("pk")
        ),
        went_on_as=now_in.number if now_in.pk != row.pk else "",
        may_rate=allowed.rateable(row.state, row.round, set(rated)),
    )


def _passed(row: Case) -> tuple[Passed, ...]:
    definition = definition_of(row.type.definition)
    found = []
    for entry in row.entries.filter(public=True, kind="stepped").order_by("pk"):
        detail = timeline.read(entry.detail)
        if isinstance(detail, Stepped):
            found.append(Passed(entry.at, definition.stage(detail.target).label))
    return tuple(found)
