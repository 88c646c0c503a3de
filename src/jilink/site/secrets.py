"""The installation's own secret key: generated once, kept in a file that only its owner may read."""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path


def secret_key(data: Path) -> str:
    """Return the key that signs sessions and tokens.

    It is made on first use and kept in `data` with mode 0600. While the data folder does not exist (type checks,
    tests, building), nothing is written and each process has a key of its own.
    """
    path = data / "secret_key"
    if not data.is_dir():
        return secrets.token_urlsafe(50)
    if not path.exists():
        _make(path)
    return path.read_text(encoding="ascii").strip()


def _make(path: Path) -> None:
    """Write the key whole before it has its name: processes that start together all read the one that was first."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # made with mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(50))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)
