"""Demonstration fleets and a service office: entered by the same actions as any, removed without a trace.

What the fleets report is driven by the simulator and comes through the real port; nothing of it is back-dated. The office is entered with
its last weeks. Fleets and office are found again by the names of their top organisations.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from pathlib import Path

import structlog
from django.conf import settings as django_settings
from django.db import transaction

from jilink.core.assets import projection
from jilink.core.assets import reads as assets
from jilink.core.parties import access, accounts, reads
from jilink.core.parties import actions as parties
from jilink.core.parties.rules import Permission, Role, permissions_of
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import OrganisationId
from jilink.kernel.settings import Settings
from jilink.services.console.demonstration import loading
from jilink.services.console.demonstration.data import CASES, PREFIX, Login
from jilink.services.console.demonstration.show import Tell, quietly
from jilink.services.contact import demonstration as contact
from jilink.services.vehicles import actions as vehicles
from jilink.services.vehicles.actions import VehicleData
from jilink.services.vehicles.rules import Kind, PlateColour
from jilink.simulator import register
from jilink.site import demo_logins, first_login
from jilink.site.preparation import FIRST_USER
from jilink.spine import client, subjects
from jilink.spine.connection import SpineDown

log = structlog.get_logger(__name__)
CARRIER = "演示：吉林客货运输集团"
PLAIN, MOUNTAINS = "演示：平原车队", "演示：山区车队"
FLEETS = (PLAIN, MOUNTAINS)
OFFICE = "演示：吉林省城乡服务中心"
_MOUNTAIN_PLATES = "EFH"
KIND = "vehicle"
RETENTION_DAYS = 1
SPINE_WITHIN_S = 20.0
TOGETHER = 2000
SEED = 1
LOGGED_EVERY = 50

KINDS = {
    register.Kind.COACH: Kind.BUS,
    register.Kind.TRUCK: Kind.TRUCK,
    register.Kind.TAXI: Kind.TAXI,
    register.Kind.DANGEROUS: Kind.HAZARDOUS,
    register.Kind.REFUSE: Kind.OTHER,
}


def _log_now_and_then(done: int, of: int) -> None:
    if done % LOGGED_EVERY == 0:
        log.info("demonstration", cases=done, of=of)


class NoSuchOwner(Refused):
    """There is no account of that name to show the demonstration to."""


class NotLoaded(Refused):
    """There is no demonstration to remove."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The carrier's organisation and how many vehicles were added now and are there in all."""

    carrier: OrganisationId
    added: int
    total: int


def carrier() -> OrganisationId | None:
    """Return the organisation of the demonstration's carrier, or None where it is not loaded."""
    return reads.organisation_named(CARRIER)


@transaction.atomic
def load(count: int, *, owner: str = FIRST_USER, cases: int = CASES, now: datetime | None = None, tell: Tell = quietly) -> Loaded:
    """Enter the first `count` vehicles of the simulator's register in two fleets, with their terminals. Doing it again adds what lacks.

    `owner` becomes the owner of the carrier, and of the office with so many cases. `tell` hears how far it has come. Raises
    NoSuchOwner; where anything is wrong nothing is entered.
    """
    moment = now or utc_now()
    user = reads.user_id(owner)
    if user is None:
        raise NoSuchOwner(f"there is no account named {owner}; name another with --owner")
    top = carrier()
    if top is None:
        top = parties.add_organisation(name=CARRIER, by=access.system("demo"), now=moment)
        for name in FLEETS:
            parties.add_organisation(name=name, parent=top, by=access.system("demo"), now=moment)
    _own(user, top, moment)
    by = _actor(top)
    places = {choice.name: choice.id for choice in reads.choices(by, Permission.MANAGE_VEHICLES)}
    wanted = register.register(count, SEED)
    taken = assets.phones_taken([vehicle.phone for vehicle in wanted])
    new = [vehicle for vehicle in wanted if vehicle.phone not in taken]
    for fleet in FLEETS:
        own = [_data(vehicle, places[fleet]) for vehicle in new if _fleet(vehicle) == fleet]
        for start in range(0, len(own), TOGETHER):
            vehicles.add_vehicles(organisation=places[fleet], data=own[start : start + TOGETHER], by=by, now=moment)
    load_office(user, moment, cases=cases, tell=tell)
    transaction.on_commit(demo_logins.mark(Path(django_settings.JILINK.data)).touch)
    return Loaded(top, len(new), len(assets.all_ids(by, kind=KIND, permission=Permission.MANAGE_VEHICLES)))


def _own(user: int, top: OrganisationId, now: datetime) -> None:
    """Make an account the owner of an organisation, unless it may do all that already: each grant stands in the audit."""
    if permissions_of(Role.OWNER) - access.actor_of_account(user).grants.get(top, frozenset()):
        parties.set_role(user=user, organisation=top, role=Role.OWNER, by=access.system("demo"), now=now)


def office() -> OrganisationId | None:
    """Return the organisation of the demonstration's city office, or None where it is not loaded."""
    return reads.organisation_named(OFFICE)


@transaction.atomic
def load_office(owner: int, now: datetime, *, cases: int = CASES, tell: Tell = quietly) -> OrganisationId:
    """Enter the office with its units, people and cases; `owner` (an account) becomes its owner. Doing it again adds nothing.

    The accounts that can be tried stand in a file beside the first login (`demo_logins`) once everything is entered.
    """
    top = office()
    if top is None:
        top = parties.add_organisation(name=OFFICE, by=access.system("demo"), now=now)
    _own(owner, top, now)
    password = first_login.generate_password()
    contact.load(top, by=access.system("demo"), now=now)
    logins = loading.load(top, password=password, now=now, owner=owner, cases=cases, tell=tell)
    if logins:
        logins = (*logins, _client(top, password, now))
        data = Path(django_settings.JILINK.data)
        transaction.on_commit(lambda: demo_logins.write(data, logins, password))
    return top


def _client(top: OrganisationId, password: str, now: datetime) -> Login:
    """Let two of the office's agents serve its clients, and give one client an account that sees its own queue alone."""
    by, name, title = access.system("demo"), "陈晓梅", "客户主管"
    client = accounts.add_accounts(names={f"{PREFIX}client": name}, password=password, by=by)[f"{PREFIX}client"]
    agents = [number for login in ("agent", "agent-2") if (number := reads.user_id(PREFIX + login)) is not None]
    contact.let_serve(top, agents=agents, client=client, by=by, now=now)
    return Login(f"{PREFIX}client", name, title, Role.SUPERVISOR)


def _remove_office() -> None:
    top = office()
    if top is None:
        return
    organisations, by = reads.below(top), access.system("demo")
    usernames = [account.username for account in reads.accounts() if account.username.startswith(PREFIX)]
    for organisation in organisations:
        contact.remove(organisation, by=by)
    loading.remove(organisations, usernames=usernames, by=by)
    for organisation in reversed(organisations):
        parties.remove_organisation(organisation=organisation, by=by)
    data = Path(django_settings.JILINK.data)
    transaction.on_commit(lambda: demo_logins.path(data).unlink(missing_ok=True))


def ensure(settings: Settings, count: int, cases: int = CASES) -> str:
    """Load the demonstration as a step of preparation; the log shows how far it has come."""
    loaded = load(count, cases=cases, tell=_log_now_and_then)
    return f"{loaded.added} vehicles added, {loaded.total} in all"


def remove(settings: Settings) -> int:
    """Remove the demonstration's vehicles, terminals and organisations and return how many vehicles there were.

    Their history gets a retention of one day, so that the history's own job deletes it. Raises NotLoaded; raises
    Unavailable, having changed nothing, where no NATS server answers.
    """
    top = carrier()
    if top is None:
        raise NotLoaded("no demonstration is loaded")
    by = _actor(top)
    asyncio.run(_expire(settings, list(by.grants)))
    count = _remove(by, top)
    asyncio.run(_project(settings))
    return count


@transaction.atomic
def _remove(by: access.Actor, top: OrganisationId) -> int:
    ids = assets.all_ids(by, kind=KIND, permission=Permission.MANAGE_VEHICLES)
    for asset in ids:
        vehicles.remove_vehicle(asset=asset, by=by)
    for organisation in sorted(by.grants, key=lambda one: one == top):
        parties.remove_organisation(organisation=organisation, by=by)
    _remove_office()
    transaction.on_commit(lambda: demo_logins.mark(Path(django_settings.JILINK.data)).unlink(missing_ok=True))
    return len(ids)


def _actor(top: OrganisationId) -> access.Actor:
    """Return the installation as an actor whose reach is the carrier and its fleets, nothing else."""
    everyone = access.system("demo")
    tree = reads.choices(everyone, Permission.VIEW_VEHICLES)
    place = next(number for number, choice in enumerate(tree) if choice.id == top)
    below = takewhile(lambda choice: choice.depth > tree[place].depth, tree[place + 1 :])
    inside = {top, *(choice.id for choice in below)}
    return access.Actor(everyone.name, None, {one: granted for one, granted in everyone.grants.items() if one in inside})


def _fleet(vehicle: register.Vehicle) -> str:
    return MOUNTAINS if vehicle.plate[1] in _MOUNTAIN_PLATES else PLAIN


def _data(vehicle: register.Vehicle, organisation: OrganisationId) -> VehicleData:
    return VehicleData(
        plate=vehicle.plate,
        organisation=organisation,
        plate_colour=PlateColour(vehicle.plate_colour),
        vin=vehicle.vin,
        kind=KINDS[vehicle.kind],
        note=f"{vehicle.model} · {vehicle.home}",
        terminal_phone=vehicle.phone,
    )


@asynccontextmanager
async def _spine(settings: Settings) -> AsyncIterator[client.Spine]:
    """Give a connected spine. Raises SpineDown where no server answers in time."""
    spine = client.Spine(settings, "demo")
    try:
        try:
            async with asyncio.timeout(SPINE_WITHIN_S):
                await spine.open()
        except TimeoutError:
            raise SpineDown("no NATS server answers; start Jilink first (jilink up)") from None
        yield spine
    finally:
        await spine.close()


async def _expire(settings: Settings, organisations: list[OrganisationId]) -> None:
    async with _spine(settings) as spine:
        await client.ensure(spine)
        for organisation in organisations:
            await spine.bucket(subjects.RETENTION).put(str(organisation), str(RETENTION_DAYS).encode())


async def _project(settings: Settings) -> None:
    async with _spine(settings) as spine:
        await projection.project_all(spine)
