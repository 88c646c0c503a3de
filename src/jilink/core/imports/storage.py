"""Bytes of uploads in the data folder: appended piece by piece, each on disk before it is acknowledged."""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings

from jilink.core.imports.rules import OffsetRefused, TooLong
from jilink.kernel.errors import Unavailable

PIECE = 1 << 20
UPLOAD, PLAIN, HALF, ROWS = "upload", "plain", "half", "rows"
"""As it came; unpacked; one JSON array a row, half of them and all, readied for the batches."""


def path_of(job: int, part: str) -> Path:
    """Return where the bytes of an import lie."""
    return Path(settings.JILINK.data) / "imports" / f"{job}.{part}"


@contextlib.contextmanager
def disk() -> Iterator[None]:
    """Let what the disk refuses be Unavailable."""
    try:
        yield
    except OSError as error:
        raise Unavailable(f"the upload could not be kept: {error.strerror}") from error


def length(job: int) -> int:
    """Return how many bytes of an upload are kept."""
    try:
        return path_of(job, UPLOAD).stat().st_size
    except FileNotFoundError:
        return 0


def append(job: int, *, offset: int, size: int, read: Callable[[int], bytes]) -> int:
    """Append what `read` gives until it gives nothing; return how many bytes are kept then, all of them on disk.

    Raises OffsetRefused where that is not where the kept bytes end, TooLong (nothing of it is kept), Unavailable.
    """
    path = path_of(job, UPLOAD)
    with disk():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            at = file.seek(0, os.SEEK_END)
            if at != offset:
                raise OffsetRefused(at)
            while piece := read(PIECE):
                at += len(piece)
                if at > size:
                    file.flush()
                    file.truncate(offset)
                    raise TooLong("These are more bytes than were announced: %(size)d.", size=size)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
            return at


def remove(job: int) -> None:
    """Remove every byte of an import."""
    for part in (UPLOAD, PLAIN, HALF, ROWS):
        path_of(job, part).unlink(missing_ok=True)
