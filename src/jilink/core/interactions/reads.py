"""What may be asked about contacts. Numbers and addresses are masked; revealing one is asked for and audited."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from jilink.core.files import reads as files
from jilink.core.files.reads import FileView
from jilink.core.interactions.models import Interaction, Part
from jilink.core.interactions.rules import Channel, Direction, Outcome, Side
from jilink.core.parties import audit
from jilink.core.parties.access import Actor, NotFound, reach, require, require_reach
from jilink.core.parties.people.rules import ContactKind, masked_contact
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import AssetId, FileId, InteractionId, OrganisationId, PersonId, TeamId

PAGE = 50
_HIDDEN = "There is no such contact, or you may not see it."


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionView:
    """One contact, its number or address masked."""

    id: InteractionId
    organisation: OrganisationId
    team: TeamId | None
    assignee: int | None
    channel: Channel
    direction: Direction
    masked: str
    person: PersonId | None
    asset: AssetId | None
    language: str
    latitude: float | None
    longitude: float | None
    accuracy_m: float | None
    subject: str
    started_at: datetime
    ended_at: datetime | None
    outcome: Outcome | None
    parts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PartView:
    """One thing said. `by` is the actor's name in the audit (``user:7``), empty for their words."""

    number: int
    side: Side
    by: str
    text: str
    file: FileId | None
    at: datetime


def interaction(actor: Actor, interaction: InteractionId) -> InteractionView:
    """Return one contact. Raises NotFound."""
    return _view(_row(actor, interaction))


def parts(actor: Actor, interaction: InteractionId, *, after: int = 0) -> list[PartView]:
    """Return what was said after part number `after`, in order. Raises NotFound."""
    row = _row(actor, interaction)
    return [
        PartView(number=p.number, side=Side(p.side), by=p.by, text=p.text, file=FileId(p.file) if p.file else None, at=p.at)
        for p in Part.objects.filter(interaction=row, number__gt=after).order_by("number")
    ]


def part_file(actor: Actor, interaction: InteractionId, number: int) -> tuple[FileView, bytes]:
    """Return the file of a part and its bytes. Raises NotFound."""
    row = _row(actor, interaction)
    part = Part.objects.filter(interaction=row, number=number).exclude(file=None).first()
    if part is None or part.file is None:
        raise NotFound("There is no such file, or you may not see it.")
    allowed = {OrganisationId(row.organisation_id): frozenset({Permission.VIEW_INTERACTIONS})}  # the contact's own door let them in
    return files.content(Actor(actor.name, actor.user, allowed), FileId(part.file), Permission.VIEW_INTERACTIONS)


def interactions(
    actor: Actor,
    *,
    person: PersonId | None = None,
    asset: AssetId | None = None,
    channel: Channel | None = None,
    going_on: bool = False,
    before: InteractionId | None = None,
    size: int = PAGE,
) -> list[InteractionView]:
    """Return the contacts within reach, the newest first; `before` is the last id of the page before. Raises NotFound."""
    rows = Interaction.objects.filter(require_reach(actor, Permission.VIEW_INTERACTIONS).rows())
    rows = _narrowed(rows, person=person, asset=asset, channel=channel)
    if going_on:
        rows = rows.filter(ended_at=None)
    if before is not None:
        last = Interaction.objects.filter(pk=before).values_list("started_at", flat=True).first()
        if last is not None:
            rows = rows.filter(Q(started_at__lt=last) | Q(started_at=last, pk__lt=before))
    return [_view(row) for row in rows.order_by("-started_at", "-pk")[:size]]


def reveal_contact(actor: Actor, interaction: InteractionId) -> str:
    """Return the number or address on their side; the read is audited. Raises NotFound."""
    row = _row(actor, interaction)
    require(actor, Permission.REVEAL_PEOPLE, row.organisation_id)
    with transaction.atomic():
        audit.record(actor, "interaction.revealed", f"interaction:{row.pk}", row.organisation_id)
    return row.contact


def _narrowed(rows: QuerySet[Interaction], **wanted: int | str | None) -> QuerySet[Interaction]:
    return rows.filter(**{name: value for name, value in wanted.items() if value is not None})


def _row(actor: Actor, interaction: InteractionId) -> Interaction:
    row = Interaction.objects.filter(pk=interaction).first()
    if row is None or not reach(actor, Permission.VIEW_INTERACTIONS).covers(row.organisation_id, row.team_id, row.assignee_id):
        raise NotFound(_HIDDEN)
    return row


def _view(row: Interaction) -> InteractionView:
    kind = ContactKind.EMAIL if row.channel == Channel.MAIL else ContactKind.PHONE
    return InteractionView(
        id=InteractionId(row.pk),
        organisation=OrganisationId(row.organisation_id),
        team=None if row.team_id is None else TeamId(row.team_id),
        assignee=row.assignee_id,
        channel=Channel(row.channel),
        direction=Direction(row.direction),
        masked=masked_contact(kind, row.contact) if row.contact else "",
        person=None if row.person is None else PersonId(row.person),
        asset=None if row.asset is None else AssetId(row.asset),
        language=row.language,
        latitude=row.latitude,
        longitude=row.longitude,
        accuracy_m=row.accuracy_m,
        subject=row.subject,
        started_at=row.started_at,
        ended_at=row.ended_at,
        outcome=Outcome(row.outcome) if row.outcome else None,
        parts=row.parts,
    )


def numbers_of(person: PersonId) -> list[InteractionId]:
    """Return the interactions of a person. No wall is asked: for holdings (`parties.people.holdings`) of rooms above."""
    return [InteractionId(pk) for pk in Interaction.objects.filter(person=person).values_list("pk", flat=True)]
