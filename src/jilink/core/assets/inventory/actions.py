"""The only writers of kinds, of assets that are not a service's own, and of their credentials."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from django.db import IntegrityError, transaction

from jilink.core.assets import kinds
from jilink.core.assets.actions import LabelTaken
from jilink.core.assets.events import AssetAdded, AssetChanged, AssetRemoved
from jilink.core.assets.inventory import reads
from jilink.core.assets.kinds import AttributeRefused, Kind, KindRefused
from jilink.core.assets.models import Asset, AssetKind, Credential
from jilink.core.outbox import outbox
from jilink.core.parties import audit, walls
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.holding import hold
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import AssetId, OrganisationId
from jilink.kernel.still import Still
from jilink.kernel.texts import gettext_noop

OF_SERVICES = frozenset({"vehicle"})
"""Kinds that a service keeps with tables and pages of its own."""
MARK = "jla_"
PREFIX = 12
MOST_AT_ONCE = 20_000
LONGEST_LABEL, LONGEST_CODE = 60, 40


class ChangedMeanwhile(Refused):
    """Somebody else changed the asset since it was read."""


class AssetRefused(Refused):
    """An asset cannot be so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetData:
    """What is known of an asset. Degrees WGS-84; `maintainer` None where its owner looks after it."""

    label: str
    code: str = ""
    maintainer: OrganisationId | None = None
    attributes: Mapping[str, object] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    latitude: float | None = None
    longitude: float | None = None


@transaction.atomic
def set_kind(*, organisation: OrganisationId, key: str, kind: Kind, by: Actor, now: datetime | None = None, still: Still = None) -> None:
    """Lay down a kind of asset for an organisation and those below it, or change it. Raises NotFound, KindRefused.

    Assets that no longer fit stay as they are until they are next changed.
    """
    require(by, Permission.MANAGE_ASSETS, organisation)
    if key in OF_SERVICES or not key.isidentifier() or not key.islower() or len(key) > 30:
        raise KindRefused("The key of a kind has small letters, digits and _, and is no service's own.")
    kinds.check(kind)
    moment = now or utc_now()
    hold(organisation)  # the kind may be new
    if still is not None:
        still()
    row, made = AssetKind.objects.get_or_create(
        organisation_id=organisation, key=key, defaults={"definition": kinds.encode(kind), "changed_at": moment}
    )
    if not made:
        row.definition, row.version, row.changed_at = kinds.encode(kind), row.version + 1, moment
        row.save(update_fields=["definition", "version", "changed_at"])
    audit.record(by, "asset.kind", f"asset-kind:{row.pk}", organisation, detail=key, at=moment)


@transaction.atomic
def remove_kind(*, organisation: OrganisationId, key: str, by: Actor, still: Still = None) -> None:
    """Remove a kind that no asset of the organisation or below it is of. Raises NotFound, KindRefused."""
    require(by, Permission.MANAGE_ASSETS, organisation)
    hold(organisation)
    row = AssetKind.objects.filter(organisation_id=organisation, key=key).first()
    if row is None:
        raise NotFound("There is no such kind of asset here.")
    if still is not None:
        still()
    with walls.everything():
        count = Asset.objects.filter(kind=key, organisation_id__in=parties.below(organisation)).count()
    if count:
        raise KindRefused("%(count)d assets are of this kind. Remove them first.", count=count)
    audit.record(by, "asset.kind_removed", f"asset-kind:{row.pk}", organisation, detail=key)
    row.delete()


@transaction.atomic
def register_asset(*, organisation: OrganisationId, kind: str, data: AssetData, by: Actor, now: datetime | None = None) -> AssetId:
    """Enter an asset. Raises NotFound (no such kind here), AttributeRefused, AssetRefused, LabelTaken."""
    require(by, Permission.MANAGE_ASSETS, organisation)
    row = Asset(organisation_id=organisation, kind=kind, created_at=now or utc_now())
    _fill(row, data, reads.kind_of(organisation, kind))
    _save(row)
    outbox.add(AssetAdded(asset=row.pk, kind=kind), organisation=organisation, aggregate=f"asset:{row.pk}")
    audit.record(by, "asset.added", f"asset:{row.pk}", organisation)
    return AssetId(row.pk)


@transaction.atomic
def change_asset(*, asset: AssetId, data: AssetData, based_on: int | None, by: Actor) -> int:
    """Change an asset and return its new version; `based_on` is the version that was read, None for whichever there is.

    Raises as `register_asset`, ChangedMeanwhile.
    """
    row = _locked(asset, by)
    if based_on not in (None, row.version):
        raise ChangedMeanwhile("Somebody changed this meanwhile. Look at what it says now and change it again.")
    row.version += 1
    _fill(row, data, reads.kind_of(OrganisationId(row.organisation_id), row.kind))
    _save(row)
    outbox.add(AssetChanged(asset=row.pk, kind=row.kind), organisation=row.organisation_id, aggregate=f"asset:{row.pk}")
    audit.record(by, "asset.edited", f"asset:{row.pk}", row.organisation_id)
    return row.version


@transaction.atomic
def remove_asset(*, asset: AssetId, by: Actor) -> None:
    """Remove an asset; what was measured of it stays as long as retention says. Raises NotFound."""
    row = _locked(asset, by)
    outbox.add(AssetRemoved(asset=row.pk, kind=row.kind), organisation=row.organisation_id, aggregate=f"asset:{row.pk}")
    audit.record(by, "asset.removed", f"asset:{row.pk}", row.organisation_id, detail=row.label)
    row.delete()


@transaction.atomic
def load_assets(
    *, organisation: OrganisationId, kind: str, rows: Sequence[AssetData], by: Actor, now: datetime | None = None
) -> list[AssetId]:
    """Enter many assets, all or none, and return their ids in order. A refusal says in which row (from 1) it lies."""
    require(by, Permission.MANAGE_ASSETS, organisation)
    if len(rows) > MOST_AT_ONCE:
        raise AssetRefused("At most %(most)d assets are loaded at once.", most=MOST_AT_ONCE)
    moment, known = now or utc_now(), reads.kind_of(organisation, kind)
    made = []
    for number, data in enumerate(rows, 1):
        row = Asset(organisation_id=organisation, kind=kind, created_at=moment)
        try:
            _fill(row, data, known)
        except (AttributeRefused, AssetRefused) as error:
            raise AssetRefused(gettext_noop("Row %(number)d: %(what)s"), number=number, what=error) from error
        made.append(row)
    try:
        with transaction.atomic():
            Asset.objects.bulk_create(made, batch_size=500)
    except IntegrityError as error:
        raise LabelTaken("One of these labels or codes is already entered, or given twice.") from error
    for row in made:
        outbox.add(AssetAdded(asset=row.pk, kind=kind), organisation=organisation, aggregate=f"asset:{row.pk}", now=moment)
    audit.record(by, "asset.loaded", f"organisation:{organisation}", organisation, detail=f"{kind}: {len(made)}", at=moment)
    return [AssetId(row.pk) for row in made]


@transaction.atomic
def issue_credential(*, asset: AssetId, name: str, by: Actor, expires_at: datetime | None = None, now: datetime | None = None) -> str:
    """Return a new secret by which a device speaks for the asset; it is shown this once. Raises NotFound."""
    row = _locked(asset, by)
    secret = MARK + secrets.token_urlsafe(32)
    issued = Credential.objects.create(
        asset=row, name=name.strip()[:40], prefix=secret[:PREFIX], digest=_digest(secret), issued_at=now or utc_now(), expires_at=expires_at
    )
    audit.record(by, "asset.credential", f"asset:{row.pk}", row.organisation_id, detail=issued.prefix)
    return secret


@transaction.atomic
def revoke_credential(*, asset: AssetId, prefix: str, by: Actor, now: datetime | None = None) -> None:
    """End a credential; ending it again changes nothing. Raises NotFound."""
    row = _locked(asset, by)
    if Credential.objects.filter(asset=row, prefix=prefix, revoked_at=None).update(revoked_at=now or utc_now()):
        audit.record(by, "asset.credential_revoked", f"asset:{row.pk}", row.organisation_id, detail=prefix)


def asset_of_credential(secret: str, now: datetime) -> AssetId | None:
    """Return which asset a device speaks for, None for a secret that is unknown, ended or revoked. For edges: it asks no wall."""
    with walls.everything():
        row = Credential.objects.filter(prefix=secret[:PREFIX], revoked_at=None).first()
    if row is None or not secrets.compare_digest(row.digest, _digest(secret)) or (row.expires_at is not None and row.expires_at <= now):
        return None
    return AssetId(row.asset_id)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _locked(asset: AssetId, by: Actor) -> Asset:
    row = Asset.objects.select_for_update().filter(pk=asset).exclude(kind__in=OF_SERVICES).first()
    if row is None:
        raise NotFound("There is no such thing, or you may not see it.")
    require(by, Permission.MANAGE_ASSETS, row.organisation_id)
    return row


def _fill(row: Asset, data: AssetData, kind: Kind) -> None:
    label, code = " ".join(data.label.split()), data.code.strip()
    if not label or len(label) > LONGEST_LABEL or len(code) > LONGEST_CODE:
        raise AssetRefused("An asset needs a label of at most 60 characters; its code has at most 40.")
    if (data.latitude is None) != (data.longitude is None) or not (abs(data.latitude or 0) <= 90 and abs(data.longitude or 0) <= 180):
        raise AssetRefused("Latitude and longitude are degrees (WGS-84), and go together.")
    tags = tuple(dict.fromkeys(" ".join(tag.split()) for tag in data.tags if tag.strip()))
    if len("|".join(tags)) > 380 or any("|" in tag for tag in tags):
        raise AssetRefused("The tags are too long, or hold a bar.")
    if data.maintainer is not None and data.maintainer not in _tree(OrganisationId(row.organisation_id)):
        raise AssetRefused("Only an organisation of the same tree can look after it.")
    kinds.check_code(kind, code)
    row.label, row.code, row.maintainer_id = label, code, data.maintainer
    row.attributes = msgspec.json.encode(kinds.read_attributes(kind, data.attributes)).decode()
    row.tags = f"|{'|'.join(tags)}|" if tags else ""
    row.latitude, row.longitude = data.latitude, data.longitude


def _tree(organisation: OrganisationId) -> list[OrganisationId]:
    """Return the organisations of one tree."""
    with walls.everything():
        return parties.below(parties.line(organisation)[0])


def _save(row: Asset) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise LabelTaken("This label or code is already entered.") from error
