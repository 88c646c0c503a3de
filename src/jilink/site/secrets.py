"""The installation's own secret key: generated once, kept in a file that only its owner may read."""

import os
import secrets
from pathlib import Path


def secret_key(data: Path) -> str:
    """Return the key that signs sessions and tokens.

    It is made on first use and kept in `data` with mode 0600. While the data folder does not exist (type checks,
    tests, building), nothing is written and each process has a key of its own.
    """
    path = data / "secret_key"
    if not data.is_dir():
        return secrets.token_urlsafe(50)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    key = secrets.token_urlsafe(50)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key)
    return key
