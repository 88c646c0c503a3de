"""The file of a backup: a tar compressed with zstd, whose last member is a manifest with the size and SHA-256 of all others."""

import hashlib
import io
import os
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import msgspec
import pyarrow as pa

from jilink.kernel.errors import Malformed

MANIFEST = "manifest.json"
FORMAT = 1
BLOCK = 1 << 20

Progress = Callable[[str, int], None]
"""Told of each member's name and of the bytes of it just done."""


class BadArchive(Malformed):
    """The file is no backup, or it is damaged."""

    def __init__(self, message: str) -> None:
        super().__init__("archive", message)


class Member(msgspec.Struct, frozen=True):
    """One file of the archive."""

    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds. `left_out` says what it deliberately does not."""

    format: int
    version: str
    made_at: str
    database: str
    members: dict[str, Member]
    left_out: list[str] = []


class Writer:
    """Adds files to an archive and remembers their checksums."""

    def __init__(self, tar: tarfile.TarFile, progress: Progress) -> None:
        self._tar, self._progress = tar, progress
        self.members: dict[str, Member] = {}

    def add(self, name: str, path: Path) -> bool:
        """Add a file under a name; one that is gone by now is not added. It is read as long as it was when it was opened."""
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return False
        with file:
            status = os.fstat(file.fileno())
            self._add(name, file, status.st_size, status.st_mode & 0o700, status.st_mtime)
        return True

    def add_bytes(self, name: str, data: bytes) -> None:
        """Add a member from memory."""
        self._add(name, io.BytesIO(data), len(data), 0o600, time.time())

    def _add(self, name: str, file: BinaryIO | io.BytesIO, size: int, mode: int, modified: float) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = size, mode, int(modified)
        reader = _Hashing(file, size, name, self._progress)
        self._tar.addfile(info, cast(BinaryIO, reader))
        self.members[name] = Member(size, reader.digest.hexdigest())


class _Hashing:
    """Reads exactly `size` bytes (zeros behind the end of a file that was cut off) and hashes them."""

    def __init__(self, file: BinaryIO | io.BytesIO, size: int, name: str, progress: Progress) -> None:
        self._file, self._left, self._name, self._progress = file, size, name, progress
        self.digest = hashlib.sha256()

    def read(self, count: int = BLOCK) -> bytes:
        data = self._file.read(min(count, self._left))
        if not data and self._left:
            data = bytes(min(count, self._left))
        self._left -= len(data)
        self.digest.update(data)
        self._progress(self._name, len(data))
        return data


@contextmanager
def writing(path: Path, progress: Progress) -> Iterator[Writer]:
    """Write an archive that only its owner may read; it appears under its name when it is whole and on disk."""
    partial = path.with_name(path.name + ".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            with pa.CompressedOutputStream(pa.PythonFile(file, "w"), "zstd") as packed, tarfile.open(fileobj=packed, mode="w|") as tar:
                yield Writer(tar, progress)
            if not file.closed:
                file.flush()
                os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def unpack(path: Path, folder: Path, progress: Progress) -> Manifest:
    """Unpack an archive into an empty folder and check every byte against its manifest. Raises BadArchive."""
    found: dict[str, Member] = {}
    manifest: Manifest | None = None
    try:
        with pa.CompressedInputStream(pa.OSFile(str(path)), "zstd") as packed, tarfile.open(fileobj=packed, mode="r|") as tar:
            for info in tar:
                content = tar.extractfile(info)
                if content is None or not _is_plain(info.name):
                    raise BadArchive(f"{path}: {info.name!r} is no plain file")
                if info.name == MANIFEST:
                    manifest = msgspec.json.decode(content.read(), type=Manifest)
                else:
                    found[info.name] = _write(folder / info.name, info, cast(BinaryIO, content), progress)
    except (tarfile.TarError, OSError, EOFError, pa.ArrowException, msgspec.DecodeError) as error:
        if isinstance(error, FileNotFoundError) and not path.exists():
            raise
        raise BadArchive(f"{path} is no whole backup: {error}") from error
    if manifest is None:
        raise BadArchive(f"{path} is no whole backup: it has no manifest")
    if manifest.format != FORMAT:
        raise BadArchive(f"{path} has format {manifest.format}; this version reads {FORMAT}")
    if manifest.members != found:
        wrong = sorted(name for name in manifest.members.keys() | found.keys() if manifest.members.get(name) != found.get(name))
        raise BadArchive(f"{path} is damaged: {', '.join(wrong[:5])}")
    return manifest


def _is_plain(name: str) -> bool:
    return not name.startswith("/") and ".." not in name.split("/")


def _write(path: Path, info: tarfile.TarInfo, content: BinaryIO, progress: Progress) -> Member:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest, size = hashlib.sha256(), 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, (info.mode & 0o700) or 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while data := content.read(BLOCK):
            digest.update(data)
            size += len(data)
            file.write(data)
            progress(info.name, len(data))
        file.flush()
        os.fsync(file.fileno())
    return Member(size, digest.hexdigest())
