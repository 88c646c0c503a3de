"""What may be asked about assets and terminals. Every read takes who asks, and answers only inside their walls."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from jilink.core.assets.models import Asset, SeenTerminal, Terminal
from jilink.core.parties import reads as parties
from jilink.core.parties import walls
from jilink.core.parties.access import Actor, NotFound, organisations_of, require
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import AssetId, OrganisationId
from jilink.spine.records import Admission


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalView:
    """A terminal as people see it; `phone` is masked unless it was revealed."""

    phone: str
    terminal_id: str
    maker: str
    model: str
    profile: str
    year: int
    protocol: str
    recording_until: datetime | None
    registered_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetView:
    """An asset as people see it."""

    id: AssetId
    organisation: OrganisationId
    organisation_name: str
    kind: str
    label: str
    terminal: TerminalView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A terminal that waits for admission."""

    id: int
    phone: str
    terminal_id: str
    maker: str
    model: str
    plate: str
    year: int
    first_seen_at: datetime
    last_seen_at: datetime
    times: int


def _view(row: Asset) -> AssetView:
    terminal = getattr(row, "terminal", None)
    return AssetView(
        id=AssetId(row.pk),
        organisation=OrganisationId(row.organisation_id),
        organisation_name=row.organisation.name,
        kind=row.kind,
        label=row.label,
        terminal=TerminalView(
            phone=terminal.phone,
            terminal_id=terminal.terminal_id,
            maker=terminal.maker,
            model=terminal.model,
            profile=terminal.profile,
            year=terminal.year,
            protocol=terminal.protocol,
            recording_until=terminal.recording_until,
            registered_at=terminal.registered_at,
        )
        if terminal
        else None,
    )


def _rows() -> QuerySet[Asset]:
    return Asset.objects.select_related("organisation", "terminal")


def asset(actor: Actor, asset: AssetId, permission: Permission = Permission.VIEW_VEHICLES) -> AssetView:
    """Return one asset. Raises NotFound where it does not exist or the actor lacks the permission in its organisation."""
    row = _rows().filter(pk=asset).first()
    require(actor, permission, row.organisation_id if row else None)
    if row is None:
        raise NotFound("There is no such thing, or you may not see it.")
    return _view(row)


def assets(actor: Actor, ids: Sequence[AssetId]) -> list[AssetView]:
    """Return those of the assets that the actor may see, in the order given; up to 1,000 of them."""
    allowed = organisations_of(actor, Permission.VIEW_VEHICLES)
    found = {row.pk: row for row in _rows().filter(pk__in=list(ids)[:1000]) if OrganisationId(row.organisation_id) in allowed}
    return [_view(found[pk]) for pk in ids if pk in found]


def search(actor: Actor, *, kind: str, text: str = "", offset: int = 0, limit: int = 50) -> tuple[int, list[AssetView]]:
    """Return how many of the actor's assets have `text` in their label, and one page of them by label."""
    rows = _rows().filter(kind=kind, organisation_id__in=organisations_of(actor, Permission.VIEW_VEHICLES))
    if text:
        rows = rows.filter(label__icontains=text)
    return rows.count(), [_view(row) for row in rows.order_by("label", "pk")[offset : offset + limit]]


def following(actor: Actor, *, kind: str, text: str = "", after: tuple[str, int] | None = None, limit: int = 50) -> list[AssetView]:
    """Return the actor's assets with `text` in their label that come after a label and id, by label and id."""
    rows = _rows().filter(kind=kind, organisation_id__in=organisations_of(actor, Permission.VIEW_VEHICLES))
    if text:
        rows = rows.filter(label__icontains=text)
    if after is not None:
        rows = rows.filter(Q(label__gt=after[0]) | Q(label=after[0], pk__gt=after[1]))
    return [_view(row) for row in rows.order_by("label", "pk")[:limit]]


def matching(actor: Actor, *, kind: str, text: str, limit: int = 1000) -> list[AssetId]:
    """Return the ids of the actor's assets with `text` in their label, by label."""
    rows = Asset.objects.filter(kind=kind, organisation_id__in=organisations_of(actor, Permission.VIEW_VEHICLES), label__icontains=text)
    return [AssetId(pk) for pk in rows.order_by("label", "pk").values_list("pk", flat=True)[:limit]]


def all_ids(actor: Actor, *, kind: str, permission: Permission) -> list[AssetId]:
    """Return the ids of all the actor's assets of a kind, by label: for exports."""
    rows = Asset.objects.filter(kind=kind, organisation_id__in=organisations_of(actor, permission))
    return [AssetId(pk) for pk in rows.order_by("label", "pk").values_list("pk", flat=True)]


def phones_taken(phones: Sequence[str]) -> frozenset[str]:
    """Return which of these phone numbers some terminal already has; numbers are unique across organisations."""
    taken: set[str] = set()
    for start in range(0, len(phones), 500):
        with walls.everything():
            taken.update(Terminal.objects.filter(phone__in=phones[start : start + 500]).values_list("phone", flat=True))
    return frozenset(taken)


def labels_taken(organisation: OrganisationId, kind: str, labels: Sequence[str]) -> frozenset[str]:
    """Return which of these labels the organisation already uses."""
    taken: set[str] = set()
    for start in range(0, len(labels), 500):
        rows = Asset.objects.filter(organisation_id=organisation, kind=kind, label__in=labels[start : start + 500])
        taken.update(rows.values_list("label", flat=True))
    return frozenset(taken)


def seen_terminals(actor: Actor, limit: int = 200) -> list[Seen]:
    """Return the terminals that wait for admission, latest first. Raises NotFound for whoever may not admit any.

    Nobody knows whose they are: they are shown to those who may admit for an organisation that lists unknown terminals, to nobody else.
    """
    if not actor.may(Permission.ADMIT_TERMINALS):
        raise NotFound("There is no such thing, or you may not see it.")
    if not parties.quarantine_open(actor):
        return []
    return [
        Seen(
            id=row.pk,
            phone=row.phone,
            terminal_id=row.terminal_id,
            maker=row.maker,
            model=row.model,
            plate=row.plate,
            year=row.year,
            first_seen_at=row.first_seen_at,
            last_seen_at=row.last_seen_at,
            times=row.times,
        )
        for row in SeenTerminal.objects.order_by("-last_seen_at")[:limit]
    ]


def admissions(keys: Sequence[str] | None = None) -> dict[str, Admission]:
    """Return every key of the projection with its value, or those of `keys` that exist; some hundreds at most."""
    rows = Terminal.objects.select_related("asset")
    if keys is not None:
        rows = rows.filter(digest__in=keys)
    return {row.digest: _admission(row) for row in rows.iterator(chunk_size=2000)}


def _admission(row: Terminal) -> Admission:
    return Admission(
        asset=row.asset_id,
        organisation=row.asset.organisation_id,
        profile=row.profile,
        plate=row.asset.label,
        terminal_id="",
        recording_until=row.recording_until,
        year=row.year,
    )
