"""The only writers of assets and terminals."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import F, QuerySet

from jilink.core.assets import rules
from jilink.core.assets.events import AssetAdded, AssetRemoved, TerminalAdmitted, TerminalChanged, TerminalDismissed
from jilink.core.assets.models import Asset, SeenTerminal, Terminal
from jilink.core.outbox import outbox
from jilink.core.parties import audit, walls
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import AssetId, OrganisationId
from jilink.kernel.texts import gettext_noop
from jilink.spine.records import digest


class LabelTaken(Refused):
    """The organisation already has an asset of this kind with this label."""


class PhoneTaken(Refused):
    """Another terminal already has this phone number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalData:
    """What is known of a terminal when it is entered. `phone` in any spelling; "" for an asset without terminal."""

    phone: str
    terminal_id: str = ""
    maker: str = ""
    model: str = ""
    profile: str = "standard"
    protocol: str = "jt808"
    year: int = 0
    """Edition of the standard it spoke when it was last heard; 0 where it was not. Kept when a terminal is new, not when one is edited."""
    year_at: datetime | None = None


NO_TERMINAL = TerminalData(phone="")


def _aggregate(asset: int) -> str:
    return f"asset:{asset}"


def lock_asset(asset: AssetId, permission: Permission, by: Actor) -> Asset:
    """Return the asset's row locked for the caller's transaction. Raises NotFound across a wall. For actions of services too."""
    row = Asset.objects.select_for_update().filter(pk=asset).first()
    require(by, permission, row.organisation_id if row else None)
    if row is None:
        raise NotFound("There is no such thing, or you may not see it.")
    return row


def owner_of(asset: AssetId) -> OrganisationId | None:
    """Return the organisation that owns an asset now, None where it is gone. For reactions to what terminals sent."""
    owner = Asset.objects.filter(pk=asset).values_list("organisation_id", flat=True).first()
    return OrganisationId(owner) if owner is not None else None


@transaction.atomic
def add_asset(
    *,
    organisation: OrganisationId,
    kind: str,
    label: str,
    by: Actor,
    terminal: TerminalData = NO_TERMINAL,
    now: datetime | None = None,
) -> AssetId:
    """Add an asset, with its terminal where a phone is given. Raises NotFound, LabelTaken, PhoneTaken, PhoneRefused."""
    require(by, Permission.MANAGE_VEHICLES, organisation)
    if Asset.objects.filter(organisation_id=organisation, kind=kind, label=label).exists():
        raise LabelTaken(gettext_noop("%(label)s is already entered."), label=label)
    moment = now or utc_now()
    row = Asset.objects.create(organisation_id=organisation, kind=kind, label=label, created_at=moment)
    outbox.add(AssetAdded(asset=row.pk, kind=kind), organisation=organisation, aggregate=_aggregate(row.pk), now=moment)
    audit.record(by, "asset.added", _aggregate(row.pk), organisation, at=moment)
    _set_terminal(row, terminal, moment)
    return AssetId(row.pk)


@transaction.atomic
def edit_asset(
    *, asset: AssetId, label: str, organisation: OrganisationId, terminal: TerminalData, by: Actor, now: datetime | None = None
) -> None:
    """Change label, owner and terminal. Moving it to another organisation takes the permission in both."""
    row = lock_asset(asset, Permission.MANAGE_VEHICLES, by)
    require(by, Permission.MANAGE_VEHICLES, organisation)
    if Asset.objects.filter(organisation_id=organisation, kind=row.kind, label=label).exclude(pk=asset).exists():
        raise LabelTaken(gettext_noop("%(label)s is already entered."), label=label)
    moment = now or utc_now()
    row.label, row.organisation_id = label, organisation
    row.save(update_fields=["label", "organisation_id"])
    audit.record(by, "asset.edited", _aggregate(asset), organisation, at=moment)
    _set_terminal(row, terminal, moment)


@transaction.atomic
def remove_asset(*, asset: AssetId, by: Actor, now: datetime | None = None) -> None:
    """Remove an asset and dismiss its terminal."""
    row = lock_asset(asset, Permission.MANAGE_VEHICLES, by)
    moment = now or utc_now()
    _set_terminal(row, NO_TERMINAL, moment)
    outbox.add(AssetRemoved(asset=row.pk, kind=row.kind), organisation=row.organisation_id, aggregate=_aggregate(row.pk), now=moment)
    audit.record(by, "asset.removed", _aggregate(row.pk), row.organisation_id, detail=row.label, at=moment)
    row.delete()


def _set_terminal(asset: Asset, data: TerminalData, now: datetime) -> None:
    """Make the asset's terminal be `data`, telling the gateway what it must forget and what it must know."""
    known = Terminal.objects.select_for_update().filter(asset=asset).first()
    phone = rules.terminal_phone(data.phone) if data.phone else ""
    if phone and _in_use(Terminal.objects.filter(phone=phone).exclude(asset=asset)):
        raise PhoneTaken("Another vehicle already has a terminal with this phone number.")

    def tell(kind: type[TerminalAdmitted] | type[TerminalChanged] | type[TerminalDismissed], key: str) -> None:
        outbox.add(kind(terminal=key, asset=asset.pk), organisation=asset.organisation_id, aggregate=_aggregate(asset.pk), now=now)

    if known is not None and known.phone != phone:
        tell(TerminalDismissed, known.digest)
        known.delete()
        known = None
    if not phone:
        return
    if known is None:
        Terminal.objects.create(
            asset=asset,
            protocol=data.protocol,
            phone=phone,
            digest=digest(phone),
            terminal_id=data.terminal_id,
            maker=data.maker,
            model=data.model,
            profile=data.profile,
            year=data.year,
            year_at=data.year_at,
        )
        SeenTerminal.objects.filter(phone=phone).delete()
        tell(TerminalAdmitted, digest(phone))
        return
    known.terminal_id, known.maker, known.model, known.profile = data.terminal_id, data.maker, data.model, data.profile
    known.save(update_fields=["terminal_id", "maker", "model", "profile"])
    tell(TerminalChanged, known.digest)


@transaction.atomic
def admit_terminal(*, seen: int, organisation: OrganisationId, kind: str, label: str, by: Actor, now: datetime | None = None) -> AssetId:
    """Make an asset of a terminal that waits for admission. Raises NotFound where none of that number waits that the actor may see."""
    require(by, Permission.ADMIT_TERMINALS, organisation)
    row = SeenTerminal.objects.select_for_update().filter(pk=seen).first()
    if row is None or not parties.quarantine_open(by):
        raise NotFound("This terminal no longer waits for admission.")
    spoke_at = row.last_seen_at if row.year else None
    data = TerminalData(phone=row.phone, terminal_id=row.terminal_id, maker=row.maker, model=row.model, year=row.year, year_at=spoke_at)
    asset = add_asset(organisation=organisation, kind=kind, label=label, by=by, terminal=data, now=now)
    audit.record(by, "terminal.admitted", _aggregate(asset), organisation, at=now)
    return asset


@transaction.atomic
def dismiss_seen(*, seen: int, by: Actor) -> None:
    """Take a terminal off the list of those that wait; it comes back when it calls again."""
    if not by.may(Permission.ADMIT_TERMINALS) or not parties.quarantine_open(by):
        raise NotFound("There is no such thing, or you may not see it.")
    SeenTerminal.objects.filter(pk=seen).delete()


@transaction.atomic
def record_frames(*, asset: AssetId, until: datetime | None, by: Actor, now: datetime | None = None) -> None:
    """Keep every raw frame of the asset's terminal until then; None stops it. Raises RecordingRefused, NotFound."""
    row = lock_asset(asset, Permission.READ_FRAMES, by)
    moment = now or utc_now()
    terminal = Terminal.objects.select_for_update().filter(asset=row).first()
    if terminal is None:
        raise Refused("This vehicle has no terminal.")
    terminal.recording_until = rules.recording_end(until, moment) if until else None
    terminal.save(update_fields=["recording_until"])
    event = TerminalChanged(terminal=terminal.digest, asset=row.pk)
    outbox.add(event, organisation=row.organisation_id, aggregate=_aggregate(row.pk), now=moment)
    audit.record(by, "frames.recording", _aggregate(row.pk), row.organisation_id, detail=until.isoformat() if until else "off", at=moment)


@transaction.atomic
def note_seen(*, phone: str, terminal_id: str, maker: str, model: str, plate: str, at: datetime, year: int = 0) -> None:
    """Put an unknown terminal on the list of those that wait, or note that it called again. Running it late changes nothing."""
    number = rules.terminal_phone(phone)
    if Terminal.objects.filter(phone=number).exists():
        return
    defaults = {"terminal_id": terminal_id[:40], "maker": maker[:20], "model": model[:40], "plate": plate[:40], "year": year}
    row, made = SeenTerminal.objects.select_for_update().get_or_create(
        phone=number, defaults={**defaults, "first_seen_at": at, "last_seen_at": at}
    )
    if made or at <= row.last_seen_at:
        return
    SeenTerminal.objects.filter(pk=row.pk).update(**defaults, last_seen_at=at, times=F("times") + 1)


@transaction.atomic
def note_registered(*, asset: AssetId, terminal_id: str, maker: str, model: str, at: datetime, year: int = 0) -> None:
    """Keep what a terminal said of itself when it registered; what an older registration said never replaces a newer one."""
    terminal = Terminal.objects.select_for_update().filter(asset_id=asset).first()
    if terminal is None or (terminal.registered_at is not None and terminal.registered_at >= at):
        return
    terminal.registered_at = at
    terminal.terminal_id, terminal.maker, terminal.model = terminal_id[:40], maker[:20], model[:40]
    terminal.save(update_fields=["registered_at", "terminal_id", "maker", "model"])
    _keep_year(terminal, year, at)


@transaction.atomic
def note_year(*, asset: AssetId, year: int, at: datetime) -> None:
    """Keep which edition of the standard a terminal spoke when it authenticated; an older word never replaces a newer one."""
    terminal = Terminal.objects.select_for_update().filter(asset_id=asset).first()
    if terminal is not None:
        _keep_year(terminal, year, at)


def _keep_year(terminal: Terminal, year: int, at: datetime) -> None:
    """Keep the edition, and let the gateway know it, so that it need not tell again."""
    if not year or (terminal.year_at is not None and terminal.year_at >= at):
        return
    changed, terminal.year, terminal.year_at = terminal.year != year, year, at
    terminal.save(update_fields=["year", "year_at"])
    if changed:
        owner = terminal.asset.organisation_id
        event = TerminalChanged(terminal=terminal.digest, asset=terminal.asset_id)
        outbox.add(event, organisation=owner, aggregate=_aggregate(terminal.asset_id))


@dataclass(frozen=True, slots=True)
class Row:
    """One asset of a bulk load."""

    label: str
    terminal: TerminalData = field(default=NO_TERMINAL)


@transaction.atomic
def add_assets(*, organisation: OrganisationId, kind: str, rows: Sequence[Row], by: Actor, now: datetime | None = None) -> list[AssetId]:
    """Add many assets at once, all or none, in order. Raises as `add_asset`; for loading fleets of any size."""
    require(by, Permission.MANAGE_VEHICLES, organisation)
    moment = now or utc_now()
    labels = [row.label for row in rows]
    phones = [rules.terminal_phone(row.terminal.phone) if row.terminal.phone else "" for row in rows]
    given = [phone for phone in phones if phone]
    if len(set(labels)) < len(labels) or _any_taken("label", labels, organisation=organisation, kind=kind):
        raise LabelTaken("One of these is already entered, or given twice.")
    if len(set(given)) < len(given) or _any_taken("phone", given):
        raise PhoneTaken("One of these terminals is already entered, or given twice.")
    assets = Asset.objects.bulk_create(
        [Asset(organisation_id=organisation, kind=kind, label=label, created_at=moment) for label in labels], batch_size=500
    )
    with_terminal = [(asset, row.terminal, phone) for asset, row, phone in zip(assets, rows, phones, strict=True) if phone]
    Terminal.objects.bulk_create(
        [
            Terminal(
                asset=asset,
                protocol=data.protocol,
                phone=phone,
                digest=digest(phone),
                terminal_id=data.terminal_id,
                maker=data.maker,
                model=data.model,
                profile=data.profile,
            )
            for asset, data, phone in with_terminal
        ],
        batch_size=500,
    )
    for asset, _data, phone in with_terminal:
        event = TerminalAdmitted(terminal=digest(phone), asset=asset.pk)
        outbox.add(event, organisation=organisation, aggregate=_aggregate(asset.pk), now=moment)
    audit.record(by, "asset.loaded", f"organisation:{organisation}", organisation, detail=str(len(assets)), at=moment)
    return [AssetId(asset.pk) for asset in assets]


def _in_use(terminals: QuerySet[Terminal]) -> bool:
    """Return whether there is such a terminal anywhere: phone numbers are unique across organisations, and no more than that is told."""
    with walls.everything():
        return terminals.exists()


def _any_taken(name: str, values: Sequence[str], *, organisation: int = 0, kind: str = "") -> bool:
    for start in range(0, len(values), 500):
        part = values[start : start + 500]
        if name == "phone":
            taken = _in_use(Terminal.objects.filter(phone__in=part))
        else:
            taken = Asset.objects.filter(organisation_id=organisation, kind=kind, label__in=part).exists()
        if taken:
            return True
    return False
