"""The only writers of vehicles and commands."""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from django.db import transaction

from jilink.core.assets import actions as assets
from jilink.core.assets.actions import TerminalData
from jilink.core.assets.reads import seen_terminals
from jilink.core.outbox import letters, outbox
from jilink.core.parties import audit, walls
from jilink.core.parties.access import Actor, NotFound, require, require_anywhere
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import AssetId, OrganisationId
from jilink.services.vehicles import orders, rules
from jilink.services.vehicles.events import CommandGiven
from jilink.services.vehicles.models import Command, Media, MediaRetention, Vehicle
from jilink.services.vehicles.reads.fleet import KIND
from jilink.services.vehicles.rules import CommandState, Kind, PlateColour
from jilink.spine.records import CommandReply, CommandRequest
from jilink.spine.terminals import MediaStored


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleData:
    """A vehicle as it is entered. `terminal_phone` "" means that it has no terminal yet."""

    plate: str
    organisation: OrganisationId
    plate_colour: PlateColour = PlateColour.BLUE
    vin: str = ""
    kind: Kind = Kind.CAR
    driver: str = ""
    driver_phone: str = ""
    note: str = ""
    terminal_phone: str = ""
    profile: str = "standard"


def _row(asset: AssetId, data: VehicleData) -> Vehicle:
    return Vehicle(
        pk=asset,
        plate_colour=data.plate_colour.value,
        vin=rules.vin(data.vin),
        kind=data.kind.value,
        driver=data.driver,
        driver_phone=data.driver_phone,
        note=data.note,
    )


def _terminal(data: VehicleData) -> TerminalData:
    return TerminalData(phone=data.terminal_phone, profile=data.profile)


@transaction.atomic
def add_vehicle(*, data: VehicleData, by: Actor, now: datetime | None = None) -> AssetId:
    """Add a vehicle with its terminal. Raises Refused with what is wrong, NotFound across a wall."""
    asset = assets.add_asset(
        organisation=data.organisation, kind=KIND, label=rules.plate(data.plate), terminal=_terminal(data), by=by, now=now
    )
    _row(asset, data).save(force_insert=True)
    return asset


@transaction.atomic
def edit_vehicle(*, asset: AssetId, data: VehicleData, by: Actor, now: datetime | None = None) -> None:
    """Change what is known of a vehicle. Raises Refused, NotFound."""
    assets.edit_asset(asset=asset, label=rules.plate(data.plate), organisation=data.organisation, terminal=_terminal(data), by=by, now=now)
    row = _row(asset, data)
    values = {field: getattr(row, field) for field in ("plate_colour", "vin", "kind", "driver", "driver_phone", "note")}
    Vehicle.objects.update_or_create(pk=asset, defaults=values)


def remove_vehicle(*, asset: AssetId, by: Actor, now: datetime | None = None) -> None:
    """Remove a vehicle and dismiss its terminal. Raises NotFound."""
    assets.remove_asset(asset=asset, by=by, now=now)


@transaction.atomic
def add_vehicles(*, organisation: OrganisationId, data: list[VehicleData], by: Actor, now: datetime | None = None) -> list[AssetId]:
    """Add a fleet at once, all or none. Raises Refused, NotFound. For imports and demonstrations of any size."""
    rows = [assets.Row(rules.plate(item.plate), _terminal(item)) for item in data]
    ids = assets.add_assets(organisation=organisation, kind=KIND, rows=rows, by=by, now=now)
    Vehicle.objects.bulk_create([_row(asset, item) for asset, item in zip(ids, data, strict=True)], batch_size=500)
    return ids


@transaction.atomic
def admit_vehicle(*, seen: int, organisation: OrganisationId, plate: str, by: Actor, now: datetime | None = None) -> AssetId:
    """Make a vehicle of a terminal that waits for admission. Raises Refused, NotFound."""
    asset = assets.admit_terminal(seen=seen, organisation=organisation, kind=KIND, label=rules.plate(plate), by=by, now=now)
    Vehicle.objects.create(pk=asset)
    return asset


def reveal_waiting(*, seen: int, by: Actor, now: datetime | None = None) -> str:
    """Return the whole phone of a waiting terminal; that is audited. Raises NotFound for whoever may not see or reveal it."""
    require_anywhere(by, Permission.REVEAL_CONTACTS)
    phone = next((each.phone for each in seen_terminals(by) if each.id == seen), None)
    if phone is None:
        raise NotFound("This terminal no longer waits for admission.")
    audit.record(by, "contacts.revealed", f"waiting:{seen}", None, at=now)
    return phone


# --- commands ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def give_command(
    *, asset: AssetId, message: int, fields: Mapping[str, object], by: Actor, now: datetime | None = None, year: rules.Year = 2019
) -> str:
    """Queue an order to a vehicle's terminal and return its id.

    `year` says by which edition's declaration the fields are checked. Raises CommandRefused where they do not fit, NotFound.
    """
    permission = Permission.COMMAND_UPGRADES if message == orders.UPGRADE else Permission.COMMAND_VEHICLES
    row = assets.lock_asset(asset, permission, by)
    orders.check(message, fields, year)
    moment = now or utc_now()
    command = Command.objects.create(
        id=str(uuid.uuid4()),
        organisation_id=row.organisation_id,
        asset_id=row.pk,
        message=message,
        year=year,
        fields=msgspec.json.encode(fields),
        given_by_id=by.user,
        given_at=moment,
    )
    outbox.add(
        CommandGiven(command=command.pk, asset=row.pk), organisation=row.organisation_id, aggregate=f"command:{command.pk}", now=moment
    )
    audit.record(by, "command.given", f"asset:{row.pk}", row.organisation_id, detail=f"0x{message:04X} {command.pk}", at=moment)
    return command.pk


@transaction.atomic
def begin_sending(*, command: str, now: datetime) -> tuple[AssetId, CommandRequest] | None:
    """Move a queued command on to sending and return what to ask; None where it must not be sent (again)."""
    row = Command.objects.select_for_update().filter(pk=command).first()
    if row is None:
        return None
    state, reason = rules.on_delivery(row.state, row.given_at, now)
    if state is None:
        return None
    row.state, row.reason = state.value, reason
    row.ended_at = now if state in rules.FINAL else None
    row.save(update_fields=["state", "reason", "ended_at"])
    if state is not CommandState.SENDING:
        return None
    fields = msgspec.json.decode(bytes(row.fields), type=dict[str, object])
    request = CommandRequest(command=row.pk, message=row.message, organisation=row.organisation_id, fields=fields)
    return AssetId(row.asset_id), request


@transaction.atomic
def note_reply(*, reply: CommandReply, now: datetime) -> CommandState:
    """Move a command as the gateway's reply says and return its state; a reply that comes again or late changes nothing."""
    row = Command.objects.select_for_update().get(pk=reply.command)
    if CommandState(row.state) in rules.FINAL or row.state == reply.state:
        return CommandState(row.state)
    state = rules.move(row.state, CommandState(reply.state))
    row.state, row.reason = state.value, reply.reason[:300]
    row.sent_at = row.sent_at or (now if state in (CommandState.SENT, CommandState.ANSWERED) else None)
    row.ended_at = now if state in rules.FINAL else None
    row.reply_message = reply.reply_message
    row.reply = msgspec.json.encode(reply.reply)
    row.save(update_fields=["state", "reason", "sent_at", "ended_at", "reply_message", "reply"])
    return state


# --- media ------------------------------------------------------------------------------------------------------------


@transaction.atomic
def note_media(*, stored: MediaStored, received_at: datetime) -> None:
    """Keep the row of a recording that lies in the object store; told again, or of a vehicle that is gone, it changes nothing."""
    owner = assets.owner_of(AssetId(stored.asset))
    if owner is None:
        return
    Media.objects.get_or_create(
        asset_id=stored.asset,
        sha256=stored.sha256,
        media_id=stored.media_id,
        alarm_label=stored.alarm_label,
        defaults={
            "organisation_id": owner,
            "name": stored.name,
            "kind": stored.kind,
            "content_type": stored.content_type,
            "size": stored.size,
            "cause": stored.cause,
            "channel": stored.channel,
            "taken_at": stored.measured_at or received_at,
            "received_at": received_at,
            "latitude": stored.latitude,
            "longitude": stored.longitude,
        },
    )


@transaction.atomic
def replay_letter(*, letter: int, by: Actor, now: datetime | None = None) -> None:
    """Have the room of a dead letter told again of its event. Only the installation's operator may. Raises NotFound, NoSuchLetter."""
    require_anywhere(by, Permission.VIEW_OPERATIONS)
    with walls.everything():  # the operator's letters are those of the whole installation
        what = letters.replay(letter, now=now or utc_now())
    audit.record(by, "letter.replayed", f"letter:{letter}", None, detail=what)


@transaction.atomic
def set_media_retention(*, organisation: OrganisationId, days: int | None, by: Actor) -> None:
    """Keep recordings for so many days: 0 for ever, None as the organisation above. Raises NotFound, RecordingsRefused."""
    require(by, Permission.MANAGE_MEMBERS, organisation)
    rules.media_retention(days)
    if days is None:
        MediaRetention.objects.filter(organisation_id=organisation).delete()
    else:
        MediaRetention.objects.update_or_create(organisation_id=organisation, defaults={"days": days})
    audit.record(by, "media.retention_set", f"organisation:{organisation}", organisation, detail="as above" if days is None else str(days))


@transaction.atomic
def forget_media(*, media: Sequence[int], by: Actor, now: datetime) -> int:
    """Remove the rows of recordings whose time is over, once their bytes are gone; return how many there were.

    Only the installation does; raises NotFound for anybody else.
    """
    if not by.is_installation:
        raise NotFound("There is no such thing, or you may not see it.")
    rows = Media.objects.filter(pk__in=media)
    counts = Counter(rows.values_list("organisation_id", flat=True))
    rows.delete()
    for organisation, count in counts.items():
        audit.record(by, "media.expired", f"organisation:{organisation}", organisation, detail=f"{count} recordings", at=now)
    return counts.total()
