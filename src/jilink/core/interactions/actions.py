"""The only writers of contacts."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from jilink.core.assets import reads as assets
from jilink.core.files import actions as files
from jilink.core.interactions import rules
from jilink.core.interactions.events import InteractionBegan, InteractionEnded, InteractionPartAdded
from jilink.core.interactions.models import Interaction, Part
from jilink.core.interactions.rules import Channel, Direction, InteractionRefused, Outcome, Side
from jilink.core.outbox import outbox
from jilink.core.parties import audit
from jilink.core.parties.access import Actor, NotFound, organisations_of, require
from jilink.core.parties.members import reads as members
from jilink.core.parties.members.work import may_be_given
from jilink.core.parties.people import actions as people_actions
from jilink.core.parties.people import reads as people
from jilink.core.parties.people.actions import PersonData
from jilink.core.parties.people.rules import ContactKind, contact
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import AssetId, InteractionId, OrganisationId, PersonId, TeamId

_KIND = {Channel.CALL: ContactKind.PHONE, Channel.TEXT: ContactKind.PHONE, Channel.MAIL: ContactKind.EMAIL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A contact to add. Degrees WGS-84; `started_at` is when it began, which may be before we heard of it."""

    channel: Channel
    direction: Direction = Direction.IN
    contact: str = ""
    person: PersonId | None = None
    asset: AssetId | None = None
    team: TeamId | None = None
    language: str = ""
    latitude: float | None = None
    longitude: float | None = None
    accuracy_m: float | None = None
    subject: str = ""
    source: str = ""
    reference: str = ""
    started_at: datetime | None = None


@transaction.atomic
def add_interaction(*, organisation: OrganisationId, contact: Contact, by: Actor, now: datetime | None = None) -> InteractionId:
    """Add a contact and return its id; one that its source adds again is the one already there.

    Where the number or address is that of exactly one person of the organisation, it is theirs; whoever adds it has it in hand.
    Raises NotFound, also for a person, team or asset that `by` may not see; InteractionRefused, ContactRefused.
    """
    require(by, Permission.ADD_INTERACTIONS, organisation)
    rules.check_names(contact.source, contact.reference)
    rules.check_place(contact.latitude, contact.longitude, contact.accuracy_m)
    known = _known(organisation, contact)
    if known is not None:
        return known
    moment = now or utc_now()
    address = _address(contact)
    row = Interaction(
        organisation_id=organisation,
        channel=contact.channel,
        direction=contact.direction,
        contact=address,
        person=_person(organisation, contact, address, by),
        asset=None if contact.asset is None else assets.asset(by, contact.asset, Permission.VIEW_ASSETS).id,
        team_id=_team(organisation, contact.team),
        assignee_id=by.user,
        language=contact.language[:12],
        latitude=contact.latitude,
        longitude=contact.longitude,
        accuracy_m=contact.accuracy_m,
        subject=rules.text(contact.subject)[:200],
        source=contact.source,
        reference=contact.reference,
        started_at=min(contact.started_at or moment, moment),
        received_at=moment,
    )
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        known = _known(organisation, contact)  # somebody added it in the same moment
        if known is None:
            raise
        return known
    event = InteractionBegan(interaction=row.pk, channel=row.channel, direction=row.direction)
    outbox.add(event, organisation=organisation, aggregate=f"interaction:{row.pk}", now=moment)
    audit.record(by, "interaction.added", f"interaction:{row.pk}", organisation, detail=contact.channel.value, at=moment)
    return InteractionId(row.pk)


@transaction.atomic
def add_part(
    *,
    interaction: InteractionId,
    side: Side,
    text: str,
    by: Actor,
    file: tuple[bytes, str] | None = None,
    reference: str = "",
    at: datetime | None = None,
) -> int:
    """Add what was said, or sent (bytes and name), to a contact that goes on, and return its number; one added again is the one there.

    Raises NotFound, InteractionRefused, FileRefused.
    """
    row = _row(interaction, by)
    if reference and (known := Part.objects.filter(interaction=row, reference=reference).first()):
        return known.number
    rules.check_open(row.ended_at)
    words = rules.text(text)
    if not words and file is None:
        raise InteractionRefused("Nothing was said. Write something or send a file.")
    if row.parts >= rules.MOST_PARTS:
        raise InteractionRefused("This contact is too long. Begin a new one.")
    kept = None
    if file is not None:
        place = OrganisationId(row.organisation_id)
        kept = files.keep_file(organisation=place, data=file[0], name=file[1], permission=Permission.ADD_INTERACTIONS, by=by, now=at)
    row.parts += 1
    row.save(update_fields=["parts"])
    who, moment = "" if side is Side.THEIRS else by.name, at or utc_now()
    Part.objects.create(interaction=row, number=row.parts, side=side, by=who, text=words, file=kept, reference=reference, at=moment)
    event = InteractionPartAdded(interaction=row.pk, part=row.parts, side=side.value)
    outbox.add(event, organisation=row.organisation_id, aggregate=f"interaction:{row.pk}", now=moment)
    return row.parts


@transaction.atomic
def add_caller(*, interaction: InteractionId, data: PersonData, by: Actor) -> PersonId:
    """Add a person under the number or address that a contact came from, and say that it was theirs. Raises NotFound, Refused."""
    row = _row(interaction, by)
    kind = _KIND.get(Channel(row.channel))
    own = (people_actions.Contact(kind, row.contact),) if kind is not None and row.contact else ()
    person = people_actions.add_person(organisation=OrganisationId(row.organisation_id), data=data, contacts=own, by=by)
    identify_person(interaction=interaction, person=person, by=by)
    return person


@transaction.atomic
def identify_person(*, interaction: InteractionId, person: PersonId | None, by: Actor) -> None:
    """Say whose contact it was; None where that was wrong. Raises NotFound, also for a person of another organisation."""
    row = _row(interaction, by)
    if person is not None and people.organisation_of(by, person) != row.organisation_id:
        raise NotFound("There is no such person, or you may not see it.")
    Interaction.objects.filter(pk=row.pk).update(person=person)
    audit.record(by, "interaction.person", f"interaction:{row.pk}", row.organisation_id, detail=f"person:{person}" if person else "nobody")


@transaction.atomic
def hand_over(*, interaction: InteractionId, team: TeamId | None, assignee: int | None, by: Actor) -> None:
    """Give a contact to a team, a member (user id), or nobody. Raises NotFound."""
    row = _row(interaction, by)
    place = OrganisationId(row.organisation_id)
    if assignee is not None and assignee not in members.holders(place, Permission.VIEW_INTERACTIONS):
        raise NotFound("There is no such member, or you may not see it.")
    Interaction.objects.filter(pk=row.pk).update(team=team if team == row.team_id else _team(place, team), assignee=assignee)
    audit.record(by, "interaction.handed", f"interaction:{row.pk}", place, detail=f"team:{team} user:{assignee}")


@transaction.atomic
def end_interaction(*, interaction: InteractionId, outcome: Outcome, by: Actor, now: datetime | None = None) -> None:
    """End a contact; saying it again with the same outcome changes nothing. Raises NotFound, InteractionRefused."""
    row = _row(interaction, by)
    if row.ended_at is not None and row.outcome == outcome:
        return
    rules.check_open(row.ended_at)
    moment = now or utc_now()
    rules.check_end(row.started_at, moment)
    row.ended_at, row.outcome = moment, outcome.value
    row.save(update_fields=["ended_at", "outcome"])
    event = InteractionEnded(interaction=row.pk, outcome=outcome.value)
    outbox.add(event, organisation=row.organisation_id, aggregate=f"interaction:{row.pk}", now=moment)
    audit.record(by, "interaction.ended", f"interaction:{row.pk}", row.organisation_id, detail=outcome.value, at=moment)


@transaction.atomic
def remove_interactions(*, organisation: OrganisationId, by: Actor) -> int:
    """Remove every contact of an organisation before it is removed itself; return how many there were. Its files stay to be removed.

    Only the installation does it: people's contacts go with the person. Raises NotFound, InteractionRefused.
    """
    require(by, Permission.ADD_INTERACTIONS, organisation)
    if not by.is_installation:
        raise InteractionRefused("Contacts are kept.")
    rows = Interaction.objects.filter(organisation_id=organisation)
    count = rows.count()
    rows.delete()
    if count:
        audit.record(by, "interaction.removed_all", f"organisation:{organisation}", organisation, detail=str(count))
    return count


def _row(interaction: InteractionId, by: Actor) -> Interaction:
    row = Interaction.objects.select_for_update().filter(pk=interaction).first()
    if row is None:
        raise NotFound("There is no such contact, or you may not see it.")
    require(by, Permission.VIEW_INTERACTIONS, row.organisation_id, row.team_id, row.assignee_id)
    require(by, Permission.ADD_INTERACTIONS, row.organisation_id)
    return row


def _known(organisation: OrganisationId, given: Contact) -> InteractionId | None:
    if not given.reference:
        return None
    rows = Interaction.objects.filter(organisation_id=organisation, source=given.source, reference=given.reference)
    known = rows.values_list("pk", flat=True).first()
    return None if known is None else InteractionId(known)


def _address(given: Contact) -> str:
    kind = _KIND.get(given.channel)
    return contact(kind, given.contact) if kind is not None and given.contact else given.contact.strip()[:250]


def _person(organisation: OrganisationId, given: Contact, address: str, by: Actor) -> PersonId | None:
    if given.person is not None:
        if people.organisation_of(by, given.person) != organisation:
            raise NotFound("There is no such person, or you may not see it.")
        return given.person
    kind = _KIND.get(given.channel)
    if kind is None or not address or organisation not in organisations_of(by, Permission.VIEW_PEOPLE):
        return None
    known = people.by_contact(by, organisation, kind, address)
    return known[0] if len(known) == 1 else None


def _team(organisation: OrganisationId, team: TeamId | None) -> TeamId | None:
    if team is not None and not may_be_given(team, organisation):
        raise NotFound("There is no such team, or you may not see it.")
    return team
