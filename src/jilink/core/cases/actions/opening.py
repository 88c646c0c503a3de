"""New cases: from a contact or by hand, one or several from the same contact."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import msgspec
from django.db import transaction

from jilink.core.assets.models import Asset
from jilink.core.cases.actions import timing
from jilink.core.cases.actions.attaching import attach
from jilink.core.cases.actions.desk import Desk, lay, type_in_use
from jilink.core.cases.actions.people import served
from jilink.core.cases.events import CaseNoted, CaseOpened
from jilink.core.cases.models import Case, Link, NumberKey, NumberSerial
from jilink.core.cases.reads.ground import HIDDEN, calendar_of, definition_of
from jilink.core.cases.rules import allowed, numbers, workflow
from jilink.core.cases.rules.allowed import Act
from jilink.core.cases.rules.form import Answer, AssetQuestion, PhotoQuestion, Place, PlaceQuestion, check_answers
from jilink.core.cases.rules.timeline import Linked, Opened, SplitInto
from jilink.core.cases.rules.workflow import ClockChanges, LinkKind
from jilink.core.interactions.models import Interaction
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.models import Organisation
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused

LONGEST_TITLE = 200
NOWHERE = Place()


class TitleNeeded(Refused):
    """A case needs a title of at most 200 characters."""


class PriorityRefused(Refused):
    """The case type has no such priority."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCase:
    """What is known when a case is opened. `answers` as the form gave them; `priority` None for the type's usual one.

    A place or an asset that the answers name need not be given again.
    """

    type: str
    title: str
    description: str = ""
    answers: Mapping[str, object] = field(default_factory=dict)
    person: int | None = None
    place: Place = NOWHERE
    area: str = ""
    asset: int | None = None
    priority: int | None = None
    channel: str = ""
    """"" for that of the interaction, or the web."""
    interaction: int | None = None
    """The contact it came in: whoever called, from where and about what is taken from it, as far as nothing is given here."""


@dataclass(frozen=True, slots=True)
class OpenedCase:
    """The new case: its id, and the number for the person."""

    case: int
    number: str


@transaction.atomic
def open_case(*, organisation: int, new: NewCase, by: Actor, now: datetime | None = None) -> OpenedCase:
    """Open a case that the organisation answers for.

    Raises NotFound where the actor may not add cases there or no such type is in use, AnswersRefused naming every question whose
    answer does not fit, TitleNeeded, PriorityRefused, CalendarMissing.
    """
    require(by, Permission.ADD_CASES, organisation)
    return _open(Organisation.objects.get(pk=organisation), new, by, now or utc_now())


@transaction.atomic
def split_case(*, case: int, parts: Sequence[NewCase], by: Actor, now: datetime | None = None) -> list[OpenedCase]:
    """Open one more case for each further matter of the same contact; each is part of the first, with its person and contact.

    Raises as `open_case`.
    """
    desk = lay(case, Permission.WORK_CASES, by, now)
    row = desk.row
    require(by, Permission.ADD_CASES, row.organisation_id)
    allowed.require(row.state, Act.SPLIT)
    opened = []
    for part in parts:
        whole = replace(
            part, person=part.person or row.person, interaction=part.interaction or row.interaction, channel=part.channel or row.channel
        )
        made = _open(row.organisation, whole, by, desk.now, split_from=row.number)
        Link.objects.create(case_id=made.case, kind=LinkKind.PART_OF.value, other=row, actor=by.name, at=desk.now)
        opened.append(made)
    desk.write(SplitInto(numbers=tuple(made.number for made in opened)))
    desk.save()
    desk.tell(CaseNoted, what="split")
    return opened


def new_number(now: datetime) -> str:
    """Return a number nobody has yet, in the caller's transaction."""
    key = NumberKey.objects.filter(pk=1).first()
    if key is None:
        key, _made = NumberKey.objects.get_or_create(pk=1, defaults={"key": secrets.token_bytes(numbers.KEY_BYTES)})
    return numbers.number_of(NumberSerial.objects.create(issued_at=now).pk, bytes(key.key))


def _open(organisation: Organisation, new: NewCase, by: Actor, now: datetime, split_from: str = "") -> OpenedCase:
    new = _from_contact(organisation, new, by)
    kind = type_in_use(organisation, new.type)
    definition = definition_of(kind.definition)
    title = new.title.strip()
    if not 0 < len(title) <= LONGEST_TITLE:
        raise TitleNeeded("Say in at most 200 characters what the case is about.")
    priority = definition.usual_priority if new.priority is None else new.priority
    if priority not in {level.rank for level in definition.priorities}:
        raise PriorityRefused("This case type has no such priority.")
    answers = check_answers(definition.form, new.answers)
    place, asset = _place(new, definition.form, answers), _asset(new, definition.form, answers, by)
    standing = workflow.begin(definition)
    row = Case(
        number=new_number(now),
        organisation=organisation,
        unit=organisation,
        type=kind,
        type_key=kind.key,
        stage=standing.stage,
        state=standing.state.value,
        priority=priority,
        title=title,
        description=new.description.strip(),
        answers=msgspec.json.encode(answers).decode(),
        channel=new.channel,
        interaction=new.interaction,
        person=served(organisation.pk, new.person, by),
        asset_id=asset,
        latitude=place.latitude,
        longitude=place.longitude,
        accuracy_m=place.accuracy_m,
        address=place.address[:200],
        area=new.area,
        opened_at=now,
        updated_at=now,
    )
    row.save()
    desk = Desk(row, by, now, definition, calendar_of(organisation, definition.calendar))
    desk.write(Opened(channel=new.channel, interaction=new.interaction, split_from=split_from))
    if asset is not None:
        Link.objects.create(case=row, kind="about_asset", asset_id=asset, actor=by.name, at=now)
        desk.write(Linked(how="about_asset", asset=asset))
    for question in definition.form:
        keys = answers.get(question.key)
        if isinstance(question, PhotoQuestion) and isinstance(keys, tuple):
            for key in keys:
                attach(desk, key, question=question.key, public=question.public)
    if definition.stages[0].limits is not None:
        timing.apply(desk, ClockChanges(started=(standing.stage,)))
    desk.row.save(update_fields=["due_at"])
    desk.tell(CaseOpened, type=kind.key, priority=priority)
    return OpenedCase(row.pk, row.number)


def _from_contact(organisation: Organisation, new: NewCase, by: Actor) -> NewCase:
    """Return the new case with what its contact knows. A contact that the actor may not see is refused like one that is not there."""
    if new.interaction is None:
        return replace(new, channel=new.channel or "web")
    row = Interaction.objects.filter(pk=new.interaction).first()
    own = row.organisation_id if row is not None else None
    require(by, Permission.VIEW_INTERACTIONS, own, row.team_id if row else None, row.assignee_id if row else None)
    if row is None:
        raise NotFound(HIDDEN)
    place = Place(latitude=row.latitude, longitude=row.longitude, accuracy_m=row.accuracy_m) if row.latitude is not None else NOWHERE
    return replace(
        new,
        person=new.person if new.person is not None else row.person,
        asset=new.asset if new.asset is not None else row.asset,
        place=new.place if new.place != NOWHERE else place,
        channel=new.channel or row.channel,
    )


def _place(new: NewCase, form: Sequence[object], answers: Mapping[str, Answer]) -> Place:
    if new.place != NOWHERE:
        return new.place
    keys = [question.key for question in form if isinstance(question, PlaceQuestion)]
    return next((place for key in keys if isinstance(place := answers.get(key), Place)), NOWHERE)


def _asset(new: NewCase, form: Sequence[object], answers: Mapping[str, Answer], by: Actor) -> int | None:
    """Return the asset the case is about. One that the actor's organisations do not hold is refused like one that is not there."""
    keys = [question.key for question in form if isinstance(question, AssetQuestion)]
    named = [value for key in keys if isinstance(value := answers.get(key), int)]
    wanted = [*([new.asset] if new.asset is not None else []), *named]
    if wanted:
        seen = dict(Asset.objects.filter(pk__in=wanted).values_list("pk", "organisation_id"))
        for one in wanted:
            require(by, Permission.VIEW_ASSETS, seen.get(one))
    return wanted[0] if wanted else None
