"""Django's database entry: SQLite in the data folder, or PostgreSQL by URL."""

import os
import tempfile
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from jilink.kernel.settings import SettingsRefused

SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16000; PRAGMA mmap_size=134217728;"
)
"""WAL lets readers go on beside the one writer; FULL syncs each commit, because what was answered must be on disk."""


def database(url: str, data: Path) -> dict[str, object]:
    """Return one entry of Django's `DATABASES`. Raises SettingsRefused where the URL is not a PostgreSQL URL."""
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": data / "jilink.sqlite3",
            # IMMEDIATE takes the write lock when a transaction begins: waiting is possible then, and not later.
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": SQLITE_PRAGMAS},
            "TEST": {"NAME": Path(tempfile.gettempdir()) / f"jilink-test-{os.getpid()}.sqlite3"},
        }
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        raise SettingsRefused("JILINK_DATABASE_URL must look like postgresql://user:password@host:5432/database")
    return {
        "ENGINE": "jilink.site.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": dict(parse_qsl(parts.query)),
    }
