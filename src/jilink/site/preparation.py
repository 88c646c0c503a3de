"""Makes a data folder ready, step by step; doing it again changes nothing."""

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

import structlog
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from jilink.core.areas import actions as areas
from jilink.core.assets import projection
from jilink.core.parties import access, actions, policies, reads
from jilink.core.parties.rules import Role
from jilink.kernel.errors import Refused, Unavailable
from jilink.kernel.settings import Settings
from jilink.site import first_login
from jilink.spine import client, server
from jilink.spine.connection import SpineDown
from jilink.webkit import basemap

log = structlog.get_logger(__name__)

FIRST_USER = "admin"
FIRST_ORGANISATION = {"zh-hans": "运营中心"}
SPINE_WITHIN_S = 60.0


class NotPrepared(Refused):
    """The database has not been prepared for this version."""


class Step(NamedTuple):
    """One thing to make ready; `work` says in a few words what it found."""

    name: str
    work: Callable[[Settings], str]


def is_migrated() -> bool:
    """Return whether the database has every table of this version."""
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def is_begun(settings: Settings) -> bool:
    """Return whether the settings name an installation: a database elsewhere, or one that was made in the data folder."""
    return bool(settings.database_url) or (settings.data / "jilink.sqlite3").exists()


def require_prepared() -> None:
    """Raise NotPrepared where nothing was prepared in the data folder or the database lacks tables of this version."""
    settings = Settings.from_environment()
    if not is_begun(settings):
        raise NotPrepared(f"nothing was prepared in {settings.data}; set JILINK_DATA to the folder of your installation")
    if not is_migrated():
        raise NotPrepared("the database is not ready for this version; run: jilink prepare")


def _database(settings: Settings) -> str:
    if is_migrated():
        found = "policies renewed" if policies.keep() else "current"
    else:
        call_command("migrate", interactive=False, verbosity=0)
        found = "migrated"
    call_command("createcachetable", verbosity=0)  # where attempts to sign in are counted
    return found


def _secrets(settings: Settings) -> str:
    if settings.nats_url:
        return "NATS server is set"
    server.prepare(settings)
    return "kept with mode 0600"


def _basemap(settings: Settings) -> str:
    """Build the map's ground; without its data pack the map works on a plain one."""
    try:
        return str(basemap.build(settings.data, lambda line: log.info("basemap", doing=line)))
    except Unavailable as error:
        return f"none: {error}"


def _divisions(_settings: Settings) -> str:
    loaded = areas.load_divisions(by=access.system("prepare"))
    return f"{loaded} places loaded" if loaded else "current"


def _first_account(settings: Settings) -> str:
    if reads.accounts():
        return "there are accounts"
    login = first_login.Login(FIRST_USER, first_login.generate_password())
    first_login.write(settings.data, login)
    name = FIRST_ORGANISATION.get(settings.language, "Operations")
    organisation = reads.organisation_named(name) or actions.add_organisation(name=name, by=access.system("prepare"))
    by = access.system("prepare")
    user = actions.add_user(username=login.user, password=login.password, by=by)
    actions.set_role(user=user, organisation=organisation, role=Role.OPERATOR, by=by)
    return f"made; the login is in {first_login.path(settings.data)}"


async def _lay_out(settings: Settings) -> int:
    try:
        async with asyncio.timeout(SPINE_WITHIN_S), client.connect(settings, name="prepare") as spine:
            await client.ensure(spine)
            return await projection.project_all(spine)
    except TimeoutError:
        raise SpineDown(f"no NATS server answered within {SPINE_WITHIN_S:.0f} s (jilink run spine, or JILINK_NATS_URL)") from None


def _spine(settings: Settings) -> str:
    return f"{asyncio.run(_lay_out(settings))} terminals' admissions written"


OFFLINE = (
    Step("database", _database),
    Step("secrets", _secrets),
    Step("first account", _first_account),
    Step("basemap", _basemap),
    Step("divisions", _divisions),
)
SPINE = Step("spine", _spine)


def prepare(settings: Settings, *, spine: bool, beside: tuple[Step, ...] = (), begin: Callable[[str], None] = lambda _name: None) -> None:
    """Do every step in order, then those `beside`, then the spine's where `spine` is true. `begin` gets the name of each as it starts."""
    for step in (*OFFLINE, *beside, *((SPINE,) if spine else ())):
        begin(step.name)
        began = time.monotonic()
        found = step.work(settings)
        log.info("prepared", step=step.name, found=found, took_s=round(time.monotonic() - began, 2))
