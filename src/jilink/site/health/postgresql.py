"""PostgreSQL, where the settings name one: server, role, policies, and the programs that a backup needs."""

import re
import shutil
import subprocess
from collections.abc import Iterator

from django.db import DatabaseError, connection

from jilink.core.parties import policies
from jilink.site.health.findings import Finding, Level, Wish

OLDEST = 15
_ABOUT = """
SELECT current_setting('server_version_num')::int / 10000, current_setting('server_encoding'), current_user::text,
       rolsuper OR rolbypassrls
FROM pg_roles WHERE rolname = current_user
"""


def postgresql(wish: Wish) -> Iterator[Finding]:
    """Server, role, policies, pg_dump. Says nothing where the server does not answer: `installation.database` does."""
    if not wish.settings.database_url:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute(_ABOUT)
            major, encoding, role, unbound = cursor.fetchone() or (0, "", "", True)
        changed, gone = policies.differing()
    except DatabaseError:
        return
    good = major >= OLDEST and encoding == "UTF8"
    remedy = "" if good else f"PostgreSQL {OLDEST} or newer and a database with ENCODING 'UTF8' are needed (docs/database.md)"
    yield Finding("PostgreSQL", Level.OK if good else Level.FAIL, f"version {major}, {encoding}", remedy)
    remedy = f"ALTER ROLE {connection.ops.quote_name(role)} NOSUPERUSER NOBYPASSRLS (docs/database.md)" if unbound else ""
    found = f"{role} {'goes past' if unbound else 'is bound by'} row-level security"
    yield Finding("database role", Level.FAIL if unbound else Level.OK, found, remedy)
    lacking = sorted(changed + gone)
    found = f"not as this version has them: {', '.join(lacking[:5])}" if lacking else f"{len(policies.walled())} tables behind walls"
    yield Finding("row security", Level.FAIL if lacking else Level.OK, found, "run: jilink prepare" if lacking else "")
    yield _programs(major)


def _programs(server: int) -> Finding:
    """pg_dump refuses a server that is newer than itself (PostgreSQL, pg_dump, "Notes")."""
    remedy = f"jilink backup needs it: apt-get install postgresql-client-{server}"
    if shutil.which("pg_dump") is None or shutil.which("pg_restore") is None:
        return Finding("pg_dump", Level.WARN, "not installed", remedy)
    said = subprocess.run(["pg_dump", "--version"], capture_output=True, text=True, check=False).stdout
    number = re.search(r"(\d+)", said)
    own = int(number[1]) if number else 0
    good = own >= server
    return Finding("pg_dump", Level.OK if good else Level.WARN, f"version {own}", "" if good else f"older than the server; {remedy}")
