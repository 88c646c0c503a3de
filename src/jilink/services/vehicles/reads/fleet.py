"""Vehicles as lists and one by one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from jilink.core.assets import reads as assets
from jilink.core.assets.reads import AssetView
from jilink.core.parties import audit
from jilink.core.parties.access import Actor, organisations_of, require
from jilink.core.parties.rules import Permission, masked
from jilink.kernel.ids import AssetId, OrganisationId
from jilink.services.vehicles import watching
from jilink.services.vehicles.models import Vehicle
from jilink.services.vehicles.watching import UNSEEN, Latest

KIND = "vehicle"
PAGE = 50
MOST_MATCHES = 5000
MOST_TOGETHER, LOOKED_AT = 500, 10_000
"""Vehicles that are looked at together for a page of those in a state, and in all."""
VIEW = Permission.VIEW_VEHICLES


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A vehicle in a list or on a card."""

    asset: AssetId
    plate: str
    state: str
    organisation_name: str
    speed_kmh: float | None
    course: float | None
    latitude: float | None
    longitude: float | None
    measured_at: datetime | None
    odometer_km: float | None
    driver: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many vehicles are in each state; those never seen count as offline."""

    total: int
    moving: int
    idle: int
    alarm: int
    offline: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One page of a fleet. `matches` are all assets found by the words, None without words."""

    rows: list[Row]
    total: int
    counts: Counts
    matches: list[AssetId] | None
    watching: bool
    """False while the watch is silent: then states are unknown and a filter by state finds nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """All that the page of one vehicle shows. Phones are masked unless they were revealed; None is "not available"."""

    asset: AssetId
    plate: str
    state: str
    online: bool
    organisation: str
    organisation_id: OrganisationId
    speed_kmh: float | None
    course: float | None
    altitude_m: float | None
    latitude: float | None
    longitude: float | None
    odometer_km: float | None
    fuel_l: float | None
    satellites: float | None
    network_signal: float | None
    measured_at: datetime | None
    received_at: datetime | None
    plate_colour: int
    vin: str
    kind: str
    driver: str
    driver_phone: str
    note: str
    phone: str
    terminal_id: str
    maker: str
    model: str
    profile: str
    year: int
    recording_until: datetime | None


def _row(view: AssetView, latest: Latest, driver: str) -> Row:
    return Row(
        asset=view.id,
        plate=view.label,
        state=latest.state,
        organisation_name=view.organisation_name,
        speed_kmh=latest.number("speed"),
        course=latest.number("course"),
        latitude=latest.number("latitude"),
        longitude=latest.number("longitude"),
        measured_at=latest.time("measured_at") or latest.time("received_at"),
        odometer_km=latest.number("odometer"),
        driver=driver,
    )


def _rows(actor: Actor, views: Sequence[AssetView]) -> tuple[list[Row], bool]:
    """Return rows in the order of the assets, and whether the watch answered."""
    found = watching.latest(organisations_of(actor, VIEW), [view.id for view in views]) if views else {}
    drivers = dict(Vehicle.objects.filter(pk__in=[view.id for view in views]).values_list("pk", "driver"))
    return [_row(view, (found or {}).get(view.id, UNSEEN), drivers.get(view.id, "")) for view in views], found is not None


def _counts(selection: watching.Selection | None, total: int) -> Counts:
    known = selection.counts if selection else {}
    moving, idle, alarm = (known.get(state, 0) for state in ("moving", "idle", "alarm"))
    return Counts(total=total, moving=moving, idle=idle, alarm=alarm, offline=max(0, total - moving - idle - alarm))


def listing(actor: Actor, *, text: str = "", state: str = "", page: int = 1) -> Listing:
    """Return one page (PAGE vehicles) of those whose plate contains the text and that are in the state ("" for any)."""
    allowed = organisations_of(actor, VIEW)
    offset = (page - 1) * PAGE
    everything, _none = assets.search(actor, kind=KIND, limit=0)
    matches = assets.matching(actor, kind=KIND, text=text, limit=MOST_MATCHES) if text else None
    if state and matches is None:
        selection = watching.select(allowed, state, offset, PAGE)
        total = selection.total if selection else 0
        ids = [AssetId(asset) for asset in selection.assets] if selection else []
    else:
        selection = watching.select(allowed)
        if state and matches is not None:
            known = watching.latest(allowed, matches) or {}
            matches = [asset for asset in matches if known.get(asset, UNSEEN).state.replace("unseen", "offline") == state]
        total = everything if matches is None else len(matches)
        ids = [] if matches is None else matches[offset : offset + PAGE]
    plain = matches is None and not state
    views = assets.search(actor, kind=KIND, offset=offset, limit=PAGE)[1] if plain else assets.assets(actor, ids)
    rows, answered = _rows(actor, views)
    return Listing(
        rows=rows, total=total, counts=_counts(selection, everything), matches=matches, watching=answered and selection is not None
    )


def page_after(
    actor: Actor, *, text: str, state: str, after: tuple[str, int] | None, limit: int
) -> tuple[list[Row], tuple[str, int] | None]:
    """Return vehicles by plate that come after a plate and id, and where the next page begins (None at the end).

    With a `state`, at most `LOOKED_AT` vehicles are looked at for a page: it may hold fewer than `limit`, and still not be the last.
    """
    found: list[Row] = []
    for _turn in range(LOOKED_AT // MOST_TOGETHER if state else 1):
        views = assets.following(actor, kind=KIND, text=text, after=after, limit=MOST_TOGETHER if state else limit + 1)
        rows = _rows(actor, views)[0]
        for view, row in zip(views, rows, strict=True):
            if len(found) == limit:
                return found, after
            after = (view.label, int(view.id))
            if not state or row.state.replace("unseen", "offline") == state:
                found.append(row)
        if len(views) < (MOST_TOGETHER if state else limit + 1):
            return found, None
    return found, after


def one(actor: Actor, asset: AssetId) -> Row:
    """Return one vehicle as a list shows it. Raises NotFound."""
    return _rows(actor, [assets.asset(actor, asset, VIEW)])[0][0]


def detail(actor: Actor, asset: AssetId, *, reveal: bool = False) -> Detail:
    """Return everything about one vehicle. Raises NotFound. `reveal` shows phones whole, takes REVEAL_CONTACTS and is audited."""
    view = assets.asset(actor, asset, VIEW)
    if reveal:
        require(actor, Permission.REVEAL_CONTACTS, view.organisation)
        audit.record(actor, "contacts.revealed", f"asset:{asset}", view.organisation)
    vehicle = Vehicle.objects.filter(pk=asset).first() or Vehicle(pk=asset)
    latest = (watching.latest([view.organisation], [asset]) or {}).get(asset, UNSEEN)
    show = str if reveal else masked
    terminal = view.terminal
    return Detail(
        asset=asset,
        plate=view.label,
        state=latest.state,
        online=latest.online,
        organisation=view.organisation_name,
        organisation_id=view.organisation,
        speed_kmh=latest.number("speed"),
        course=latest.number("course"),
        altitude_m=latest.number("altitude"),
        latitude=latest.number("latitude"),
        longitude=latest.number("longitude"),
        odometer_km=latest.number("odometer"),
        fuel_l=latest.number("fuel"),
        satellites=latest.number("satellites"),
        network_signal=latest.number("network_signal"),
        measured_at=latest.time("measured_at") or latest.time("received_at"),
        received_at=latest.time("received_at"),
        plate_colour=vehicle.plate_colour,
        vin=vehicle.vin,
        kind=vehicle.kind,
        driver=vehicle.driver,
        driver_phone=show(vehicle.driver_phone),
        note=vehicle.note,
        phone=show(terminal.phone) if terminal else "",
        terminal_id=terminal.terminal_id if terminal else "",
        maker=terminal.maker if terminal else "",
        model=terminal.model if terminal else "",
        profile=terminal.profile if terminal else "",
        year=terminal.year if terminal else 0,
        recording_until=terminal.recording_until if terminal else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A vehicle as its form and the export hold it: nothing masked."""

    asset: AssetId
    organisation: OrganisationId
    organisation_name: str
    plate: str
    plate_colour: int
    vin: str
    kind: str
    driver: str
    driver_phone: str
    note: str
    terminal_phone: str
    profile: str


def record(actor: Actor, asset: AssetId) -> Record:
    """Return a vehicle for editing. Raises NotFound without MANAGE_VEHICLES."""
    return _record(assets.asset(actor, asset, Permission.MANAGE_VEHICLES), Vehicle.objects.filter(pk=asset).first() or Vehicle(pk=asset))


def _record(view: AssetView, vehicle: Vehicle) -> Record:
    return Record(
        asset=view.id,
        organisation=view.organisation,
        organisation_name=view.organisation_name,
        plate=view.label,
        plate_colour=vehicle.plate_colour,
        vin=vehicle.vin,
        kind=vehicle.kind,
        driver=vehicle.driver,
        driver_phone=vehicle.driver_phone,
        note=vehicle.note,
        terminal_phone=view.terminal.phone if view.terminal else "",
        profile=view.terminal.profile if view.terminal else "standard",
    )


def records(actor: Actor) -> Iterator[Record]:
    """Yield every vehicle that the actor may manage, by plate: for the export."""
    ids = assets.all_ids(actor, kind=KIND, permission=Permission.MANAGE_VEHICLES)
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        vehicles = Vehicle.objects.in_bulk(part)
        for view in assets.assets(actor, part):
            yield _record(view, vehicles.get(view.id) or Vehicle(pk=view.id))
