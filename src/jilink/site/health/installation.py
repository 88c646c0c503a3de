"""The installation: ports, secrets, database, spine, history, processes."""

import asyncio
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from django.db import DatabaseError

from jilink.core.parties import audit
from jilink.history.tables import History
from jilink.kernel.errors import Unavailable
from jilink.kernel.settings import PREFIX, PROCESSES, Settings
from jilink.site import ports, preparation, running
from jilink.site.children import answers
from jilink.site.health.findings import Finding, Level, Wish
from jilink.spine import subjects
from jilink.spine.client import Spine
from jilink.spine.connection import SpineDown

SPINE_WITHIN_S = 4.0
SECRETS = ("secret_key", "identity_keys", "first-login", "spine/password", "spine/nats.conf", "voice/secret")


def is_up(data: Path) -> bool:
    """Return whether `jilink up` holds the data folder now."""
    try:
        descriptor = os.open(data / "up.lock", os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def folder(wish: Wish) -> Iterator[Finding]:
    """Data folder that the settings name."""
    where = str(wish.settings.data)
    if preparation.is_begun(wish.settings):
        yield Finding("data folder", Level.OK, where)
    else:
        remedy = "set JILINK_DATA to the folder of your installation; for a new one run: jilink prepare"
        yield Finding("data folder", Level.WARN, f"{where}: nothing was prepared here", remedy)


def settings(wish: Wish) -> Iterator[Finding]:
    """Settings of the running installation, which every line below goes by."""
    if not is_up(wish.settings.data):
        yield Finding("settings", Level.OK, "of this shell: `jilink up` does not run here now")
        return
    names = running.differing(Settings.from_environment(), wish.settings)
    found = f"of the running installation, not of this shell: {', '.join(names)}" if names else "of the running installation"
    yield Finding("settings", Level.OK, found)


def listening(wish: Wish) -> Iterator[Finding]:
    """Ports free before the start, answered after it."""
    up = is_up(wish.settings.data)
    for place in ports.listeners(wish.settings):
        if place.setting == "health_port":
            continue
        name, where = f"port {place.port}", f"{place.host} ({place.process})"
        free = ports.is_free(place)
        if up:
            level, found = (Level.FAIL, f"{where}: nobody listens") if free else (Level.OK, f"{where}: in use")
            yield Finding(name, level, found, f"look at the lines of {place.process} in {wish.settings.data / 'logs'}" if free else "")
        else:
            remedy = "" if free else f"stop the program that holds it, or set {PREFIX}{place.setting.upper()}"
            yield Finding(name, Level.OK if free else Level.FAIL, f"{where}: {'free' if free else 'taken by another program'}", remedy)


def processes(wish: Wish) -> Iterator[Finding]:
    """Whether each process says that it can do its work."""
    if not is_up(wish.settings.data):
        yield Finding("processes", Level.OK, "`jilink up` does not run here now")
        return
    for name in PROCESSES:
        place = wish.settings.readiness(name)
        if place is None:
            continue
        ready = asyncio.run(answers(place))
        remedy = f"see {place.url} and its lines in {wish.settings.data / 'logs'}"
        yield Finding(f"process {name}", Level.OK if ready else Level.FAIL, "ready" if ready else "not ready", "" if ready else remedy)


def secrets(wish: Wish) -> Iterator[Finding]:
    """Secrets that others may read."""
    found = [wish.settings.data / name for name in SECRETS]
    loose = [str(path) for path in found if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077]
    if loose:
        yield Finding("secrets", Level.FAIL, f"others may read {', '.join(loose)}", f"chmod 600 {' '.join(loose)}")
    else:
        yield Finding("secrets", Level.OK, "readable by their owner alone")


def two_factors(wish: Wish) -> Iterator[Finding]:
    """Whether a stolen password is enough."""
    if wish.settings.two_factors == "off":
        remedy = f"unset {PREFIX}TWO_FACTORS, unless this is a demonstration: operators, owners and supervisors then set up a second factor"
        yield Finding("two factors", Level.WARN, "off: a password alone opens everything", remedy)
    else:
        yield Finding("two factors", Level.OK, "required of operators, owners and supervisors")


def database(wish: Wish) -> Iterator[Finding]:
    """Database there and of this version."""
    kind = "PostgreSQL" if wish.settings.database_url else "SQLite"
    if kind == "SQLite" and not (wish.settings.data / "jilink.sqlite3").exists():
        yield Finding("database", Level.WARN, "not made yet", "run: jilink prepare (jilink up does it by itself)")
        return
    try:
        current = preparation.is_migrated()
    except DatabaseError as error:
        yield Finding(
            "database", Level.FAIL, f"{kind} does not answer: {str(error).splitlines()[0]}", "check JILINK_DATABASE_URL and the server"
        )
        return
    yield Finding(
        "database",
        Level.OK if current else Level.FAIL,
        f"{kind}, {'current' if current else 'of another version'}",
        "" if current else "run: jilink prepare",
    )
    if current:
        yield _audit()


def _audit() -> Finding:
    verdict = audit.verify()
    if verdict.broken_at is None:
        return Finding("audit", Level.OK, f"{verdict.entries:,} entries, the chain is whole")
    remedy = "entries from there on were changed, removed or inserted: keep the database as it is, and compare it with a backup"
    return Finding("audit", Level.FAIL, f"the chain is broken at entry {verdict.broken_at:,}", remedy)


async def _missing(settings: Settings) -> list[str]:
    spine = Spine(settings, "doctor")
    try:
        async with asyncio.timeout(SPINE_WITHIN_S):
            await spine.open()
            known = {str(info.config.name) for info in await spine.jetstream.streams_info()}
    except TimeoutError:
        raise SpineDown("no NATS server answers") from None
    finally:
        await spine.close()
    wanted = [stream.name for stream in subjects.STREAMS] + [f"KV_{bucket.name}" for bucket in subjects.BUCKETS] + [f"OBJ_{subjects.MEDIA}"]
    return [name for name in wanted if name not in known]


def spine(wish: Wish) -> Iterator[Finding]:
    """NATS reachable, every stream there."""
    expected = bool(wish.settings.nats_url) or is_up(wish.settings.data)
    if not expected and not (wish.settings.data / "spine" / "password").exists():
        yield Finding("spine", Level.OK, "not begun yet; jilink up does it")
        return
    try:
        missing = asyncio.run(_missing(wish.settings))
    except Unavailable as error:
        level = Level.FAIL if expected else Level.OK
        remedy = "check JILINK_NATS_URL and the server" if wish.settings.nats_url else "see the lines of spine in the log"
        yield Finding("spine", level, str(error) if expected else "does not run now", remedy if expected else "")
        return
    found = f"lacks {', '.join(missing)}" if missing else "answers, every stream is there"
    yield Finding("spine", Level.FAIL if missing else Level.OK, found, "run: jilink prepare --spine" if missing else "")


def history(wish: Wish) -> Iterator[Finding]:
    """Tables that can be read."""
    try:
        table = History(wish.settings).table()
        if table is None:
            yield Finding("history", Level.OK, "not begun yet")
            return
        yield Finding("history", Level.OK, f"{len(table.file_uris())} files, version {table.version()}")
    except Unavailable as error:
        yield Finding("history", Level.FAIL, str(error), "restart the process history: it repairs what a crash left; else restore a backup")
