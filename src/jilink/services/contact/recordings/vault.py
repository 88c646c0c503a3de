"""Recordings as they lie in the data folder: AES-256-GCM (NIST SP 800-38D) in chunks, so that any range can be read by itself.

Each recording has a key of its own, which lies in its row, wrapped by a key that is derived from the installation's newest (`sealing`).
A copy of the folder alone, or of the database alone, plays nothing. Chunks are compressed before they are sealed: most of a call one side
is silent. Each chunk is bound to the recording, to its place and to how many there are: none can be changed, moved or cut off unseen.

A file: the sealed chunks; their lengths (u32 each); how many there are (u32), the length of the sound (u64), 8 bytes `JLREC1`.
"""

import contextlib
import os
import secrets
import struct
import tempfile
import uuid
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from jilink.core.parties.people import sealing
from jilink.core.parties.people.sealing import KeyMissing
from jilink.kernel.errors import Unavailable

CHUNK = 64 << 10
MAGIC = b"JLREC1\0\0"
_TAIL = struct.Struct("<IQ8s")
_SIZE = struct.Struct("<I")
NONCE = 12


class Damaged(Unavailable):
    """A recording's file is not there, or not what was kept."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A recording's key, sealed by the installation's key of that name."""

    key: str
    sealed: bytes


def _folder() -> Path:
    return Path(settings.JILINK.data) / "recordings"


def path_of(file: str) -> Path:
    """Return where a recording lies."""
    return _folder() / file[:2] / file


def new_key() -> bytes:
    """Return a key for one recording."""
    return secrets.token_bytes(32)


def wrap(key: bytes, file: str) -> Wrapped:
    """Seal a recording's key by the installation's newest. Raises KeysRefused."""
    ring, nonce = sealing.keyring(), secrets.token_bytes(NONCE)
    return Wrapped(ring.current, nonce + _house(ring, ring.current).encrypt(nonce, key, file.encode()))


def unwrap(kept: Wrapped, file: str) -> bytes:
    """Return a recording's key. Raises KeyMissing, KeysRefused."""
    ring = sealing.keyring()
    if kept.key not in ring.keys:
        raise KeyMissing("The key %(key)s of this installation is missing: put it back among the identity keys.", key=kept.key)
    try:
        return _house(ring, kept.key).decrypt(kept.sealed[:NONCE], kept.sealed[NONCE:], file.encode())
    except InvalidTag:
        raise KeyMissing("This recording cannot be opened: it was changed, or sealed under another key.") from None


def _house(ring: sealing.Keyring, key: str) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=None, info=b"jilink recordings: wrap").derive(ring.keys[key]))


def put(pieces: Iterable[bytes], size: int, key: bytes) -> str:
    """Seal a sound of `size` bytes into a new file, on disk when this returns, and return its name. Raises Unavailable."""
    file = uuid.uuid4().hex
    path, cipher, count = path_of(file), AESGCM(key), -(-size // CHUNK)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as draft:
            sizes = []
            for place, chunk in enumerate(_chunks(pieces)):
                sealed = cipher.encrypt(_nonce(place), zlib.compress(chunk, 6), _bound(file, place, count))
                draft.write(sealed)
                sizes.append(len(sealed))
            draft.write(b"".join(_SIZE.pack(one) for one in sizes) + _TAIL.pack(len(sizes), size, MAGIC))
            draft.flush()
            os.fsync(draft.fileno())
        os.replace(draft.name, path)
        _settle(path.parent)
        _settle(path.parent.parent)
    except OSError as error:
        raise Unavailable(f"the recording could not be kept: {error.strerror}") from error
    return file


def read(file: str, key: bytes, first: int, last: int) -> Iterator[bytes]:
    """Yield the bytes of a range, both ends included, chunk by chunk. Raises Damaged."""
    try:
        with path_of(file).open("rb") as kept:
            kept.seek(-_TAIL.size, os.SEEK_END)
            count, size, magic = _TAIL.unpack(kept.read(_TAIL.size))
            if magic != MAGIC or count != -(-size // CHUNK):
                raise Damaged("the recording's file is damaged")
            kept.seek(-_TAIL.size - _SIZE.size * count, os.SEEK_END)
            sizes = struct.unpack(f"<{count}I", kept.read(_SIZE.size * count))
            cipher, last = AESGCM(key), min(last, size - 1)
            for place in range(first // CHUNK, last // CHUNK + 1):
                kept.seek(sum(sizes[:place]))
                chunk = zlib.decompress(cipher.decrypt(_nonce(place), kept.read(sizes[place]), _bound(file, place, count)))
                yield chunk[max(0, first - place * CHUNK) : last - place * CHUNK + 1]
    except (OSError, InvalidTag, struct.error, zlib.error, IndexError) as error:
        raise Damaged("the recording's file is gone, or damaged") from error


def remove(file: str) -> bool:
    """Remove a recording's file and return whether it was there."""
    with contextlib.suppress(FileNotFoundError):
        path_of(file).unlink()
        return True
    return False


def names_older_than(moment: datetime) -> Iterator[str]:
    """Yield the name of everything in the folder that was last written before, unfinished files included."""
    for path in _folder().glob("??/*"):
        if path.stat().st_mtime < moment.timestamp():
            yield path.name


def drop(name: str) -> bool:
    """Remove a file of `names_older_than`."""
    for path in _folder().glob(f"??/{name}"):
        path.unlink(missing_ok=True)
        return True
    return False


def _chunks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    held = bytearray()
    for piece in pieces:
        held += piece
        while len(held) >= CHUNK:
            yield bytes(held[:CHUNK])
            del held[:CHUNK]
    if held:
        yield bytes(held)


def _nonce(place: int) -> bytes:
    """Return a chunk's nonce: its place, for the key seals this one recording alone."""
    return place.to_bytes(NONCE, "big")


def _bound(file: str, place: int, count: int) -> bytes:
    return f"{file}:{place}:{count}".encode()


def _settle(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
