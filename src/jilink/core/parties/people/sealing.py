"""Identity numbers as they lie in the database: sealed with AES-256-GCM (NIST SP 800-38D), found again by a keyed hash.

The keys are a file of the data folder that only its owner may read, made at first use, or come from JILINK_IDENTITY_KEYS. Each
has an id that stands beside what it sealed, so that a new one can be begun while old ones are still read. A copy of the
database alone tells no number: what is sealed cannot be read, and the hash cannot be tried out, without the keys.
"""

import base64
import contextlib
import hashlib
import hmac
import os
import re
import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from jilink.kernel.errors import Refused

FILE = "identity_keys"
NONCE_BYTES = 12


class KeyMissing(Refused):
    """The key that sealed this is not among the installation's keys, or the sealed bytes were changed."""


class KeysRefused(Refused):
    """The keys are not written as they must be."""


class _File(msgspec.Struct, frozen=True):
    keys: dict[str, str]
    """By id, base 64 of 32 bytes; the last one seals."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What is kept of one number."""

    key: str
    sealed: bytes
    lookup: str


@dataclass(frozen=True, slots=True)
class Keyring:
    """The installation's keys by id, the oldest first."""

    keys: dict[str, bytes]

    @property
    def current(self) -> str:
        """The id of the key that seals."""
        return next(reversed(self.keys))

    def seal(self, organisation: int, number: str) -> Sealed:
        """Return what is kept of a number. It can be read back only as this organisation's."""
        key, nonce = self.current, secrets.token_bytes(NONCE_BYTES)
        lookup = self._lookup(key, organisation, number)
        return Sealed(key, nonce + self._cipher(key).encrypt(nonce, number.encode(), _bound(organisation, lookup)), lookup)

    def unseal(self, organisation: int, kept: Sealed) -> str:
        """Return a number. Raises KeyMissing."""
        if kept.key not in self.keys:
            raise KeyMissing("The key %(key)s of this installation is missing: put it back among the identity keys.", key=kept.key)
        nonce, sealed = kept.sealed[:NONCE_BYTES], kept.sealed[NONCE_BYTES:]
        try:
            return self._cipher(kept.key).decrypt(nonce, sealed, _bound(organisation, kept.lookup)).decode()
        except InvalidTag:
            raise KeyMissing("This identity number cannot be read: it was changed, or sealed under another key.") from None

    def lookups(self, organisation: int, number: str) -> list[str]:
        """Return the hashes under which the number may be kept, one a key."""
        return [self._lookup(key, organisation, number) for key in self.keys]

    def _cipher(self, key: str) -> AESGCM:
        return AESGCM(_derived(self.keys[key], b"jilink identity numbers: seal"))

    def _lookup(self, key: str, organisation: int, number: str) -> str:
        mac = _derived(self.keys[key], b"jilink identity numbers: lookup")
        return hmac.new(mac, f"{organisation}:{number}".encode(), hashlib.sha256).hexdigest()


Reseal = Callable[[Keyring], int]
"""Seals every number of a room with the current key and returns how many were not."""
_resealing: list[Reseal] = []


def sealed_also_by(reseal: Reseal) -> Reseal:
    """Register another room that keeps sealed numbers, so that a key that is dropped has sealed nothing."""
    _resealing.append(reseal)
    return reseal


def reseal_others(ring: Keyring) -> int:
    """Let every such room seal anew, and return how many numbers were not sealed with the current key."""
    return sum(reseal(ring) for reseal in _resealing)


def _derived(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(key)


def _bound(organisation: int, lookup: str) -> bytes:
    return f"{organisation}:{lookup}".encode()


def keyring() -> Keyring:
    """Return the installation's keys; the first is made when none is there. Raises KeysRefused."""
    given = str(settings.JILINK.identity_keys)
    if given:
        return _parsed(dict(part.strip().partition(":")[::2] for part in given.split(",") if part.strip()))
    path = Path(settings.JILINK.data) / FILE
    if not path.exists():
        _write(path, {_fresh_id({}): secrets.token_bytes(32)}, first=True)
    return _read(path)


def begin_key() -> Keyring:
    """Add a key to the file and return the ring; from now on it seals. Raises KeysRefused where the keys come from the environment."""
    path = _own_file()
    ring = keyring()
    _write(path, {**ring.keys, _fresh_id(ring.keys): secrets.token_bytes(32)}, first=False)
    return _read(path)


def drop_keys_before(current: str) -> None:
    """Forget every key but one. Only once nothing is sealed by the others. Raises KeysRefused."""
    path = _own_file()
    _write(path, {current: keyring().keys[current]}, first=False)


def _own_file() -> Path:
    if settings.JILINK.identity_keys:
        raise KeysRefused("The identity keys come from JILINK_IDENTITY_KEYS: put a new one at the end there, then seal anew.")
    return Path(settings.JILINK.data) / FILE


def _fresh_id(known: dict[str, bytes]) -> str:
    return f"k{max((int(name[1:]) for name in known if re.fullmatch('k[0-9]+', name)), default=0) + 1}"


def _read(path: Path) -> Keyring:
    try:
        return _parsed(msgspec.json.decode(path.read_bytes(), type=_File).keys)
    except msgspec.MsgspecError as error:
        raise KeysRefused("%(path)s is not a file of identity keys: %(error)s", path=path, error=error) from error


def _parsed(texts: dict[str, str]) -> Keyring:
    keys: dict[str, bytes] = {}
    for name, text in texts.items():
        try:
            keys[name] = base64.b64decode(text, validate=True)
        except ValueError as error:
            raise KeysRefused("The identity key %(name)s is not base 64.", name=name) from error
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,20}", name) or len(keys[name]) != 32:
            raise KeysRefused("An identity key is written id:base64, with 32 bytes.")
    if not keys:
        raise KeysRefused("There is no identity key.")
    return Keyring(keys)


def _write(path: Path, keys: dict[str, bytes], *, first: bool) -> None:
    """Write the file whole before it has its name. With `first`, one that another process made meanwhile is left."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # made with mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(_File({key: base64.b64encode(value).decode() for key, value in keys.items()})))
            file.flush()
            os.fsync(file.fileno())
        if first:
            with contextlib.suppress(FileExistsError):
                os.link(name, path)
        else:
            os.replace(name, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
