"""Bytes under their digest in the data folder. Equal bytes are kept once."""

import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from django.conf import settings

from jilink.kernel.errors import Unavailable


def _folder() -> Path:
    return Path(settings.JILINK.data) / "files"


def path_of(digest: str) -> Path:
    """Return where the bytes of this digest lie."""
    return _folder() / digest[:2] / digest


def put(data: bytes) -> str:
    """Keep the bytes, on disk when this returns, and return their SHA-256. Raises Unavailable where the disk refuses."""
    digest = hashlib.sha256(data).hexdigest()
    path = path_of(digest)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _made_young(path):
            return digest
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(file.name, path)
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise Unavailable(f"the file could not be kept: {error.strerror}") from error
    return digest


def get(digest: str) -> bytes | None:
    """Return the bytes, or None where they are no longer kept."""
    try:
        return path_of(digest).read_bytes()
    except FileNotFoundError:
        return None


def names_older_than(moment: datetime) -> Iterator[str]:
    """Yield the name of everything in the folder that was last written before `moment`, unfinished files included."""
    for path in _folder().glob("??/*"):
        if path.stat().st_mtime < moment.timestamp():
            yield path.name


def remove(name: str, moment: datetime) -> bool:
    """Remove a file of `names_older_than`, and say whether it went: one that was put again since then stays."""
    for path in _folder().glob(f"??/{name}"):
        with _locked():
            if path.stat().st_mtime < moment.timestamp():
                path.unlink()
                return True
    return False


def _made_young(path: Path) -> bool:
    """Mark the file as just written where it is there, so that it is not swept before its row is committed."""
    with _locked(), contextlib.suppress(FileNotFoundError):
        os.utime(path)
        return True
    return False


@contextlib.contextmanager
def _locked() -> Iterator[None]:
    """Hold what keeps a sweep from removing a file in the moment it is put again."""
    with (_folder() / "lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
