"""Who may connect: a mirror of the spine's admission and token buckets, kept by its watch. Pure: it is told of changes.

Every worker mirrors every terminal of the installation, so records are kept packed and read when they are asked for.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import msgspec

from jilink.edges.terminals.compact import NumberMap, PackedMap
from jilink.spine.records import Admission, AdmissionPolicy, Token

POLICY_KEY = "policy"

T = TypeVar("T")

_admission = msgspec.json.Decoder(Admission)
_policy = msgspec.json.Decoder(AdmissionPolicy)
_token = msgspec.json.Decoder(Token)


class _PackedAdmission(msgspec.Struct, frozen=True, array_like=True):
    """An admission as it is kept; the usual profile is not written."""

    asset: int
    organisation: int
    year: int
    admitted: bool
    plate: str
    terminal_id: str
    profile: str | None
    recording_until: datetime | None


class _PackedToken(msgspec.Struct, frozen=True, array_like=True):
    """A token as it is kept."""

    token_sha256: bytes
    terminal_id: str
    asset: int
    issued_at: datetime


_pack = msgspec.msgpack.Encoder().encode
_packed_admission = msgspec.msgpack.Decoder(_PackedAdmission)
_packed_token = msgspec.msgpack.Decoder(_PackedToken)
_USUAL_PROFILE = Admission(asset=0, organisation=0).profile


def pack(admission: Admission) -> bytes:
    """Return an admission in about 20 bytes and its texts."""
    profile = None if admission.profile == _USUAL_PROFILE else admission.profile
    return _pack(
        _PackedAdmission(
            admission.asset,
            admission.organisation,
            admission.year,
            admission.admitted,
            admission.plate,
            admission.terminal_id,
            profile,
            admission.recording_until,
        )
    )


def unpack(packed: bytes) -> Admission:
    """Return the admission that `pack` packed."""
    found = _packed_admission.decode(packed)
    return Admission(
        asset=found.asset,
        organisation=found.organisation,
        profile=_USUAL_PROFILE if found.profile is None else found.profile,
        plate=found.plate,
        terminal_id=found.terminal_id,
        admitted=found.admitted,
        recording_until=found.recording_until,
        year=found.year,
    )


@dataclass(frozen=True, slots=True)
class Change:
    """One terminal's admission before and after; None where there was or is none."""

    key: str
    before: Admission | None
    after: Admission | None


class Directory:
    """Admissions by `records.digest(phone)`, and the plates they carry."""

    def __init__(self) -> None:
        self._admissions = PackedMap()
        self._tokens = PackedMap()
        self._plates = NumberMap()
        self._ahead: dict[str, int] = {}
        self._told = 0
        self.policy = AdmissionPolicy()
        self.unreadable = 0
        """Records that could not be read; they count as absent."""

    def __len__(self) -> int:
        return len(self._admissions)

    def admission(self, key: str) -> Admission | None:
        """Return what is known of a terminal."""
        packed = self._admissions.get(key_bytes(key))
        return None if packed is None else unpack(packed)

    def token(self, key: str) -> Token | None:
        """Return the token record of a terminal."""
        packed = self._tokens.get(key_bytes(key))
        if packed is None:
            return None
        found = _packed_token.decode(packed)
        return Token(token_sha256=found.token_sha256.hex(), terminal_id=found.terminal_id, asset=found.asset, issued_at=found.issued_at)

    def plate_owner(self, plate: str) -> int | None:
        """Return the admitted asset that carries `plate`."""
        return self._plates.get(_number(plate)) if plate else None

    def take_admission(self, key: str, value: bytes | None) -> Change | None:
        """Apply one change of the admission bucket; return it where it concerns a terminal."""
        if key == POLICY_KEY:
            self.policy = self._read(_policy, value) or AdmissionPolicy()
            return None
        before, after = self.admission(key), self._read(_admission, value)
        if before == after:
            return None
        if before and self.plate_owner(before.plate) == before.asset:
            self._plates.discard(_number(before.plate))
        if after is None:
            self._admissions.discard(key_bytes(key))
        else:
            self._admissions.put(key_bytes(key), pack(after))
            if after.plate and after.admitted:
                self._plates.put(_number(after.plate), after.asset)
        return Change(key, before, after)

    def take_token(self, key: str, value: bytes | None, revision: int) -> None:
        """Apply one change of the token bucket, unless it is older than what `keep_token` was given."""
        self._told = revision
        if revision < self._ahead.get(key, 0):
            return
        self._ahead.pop(key, None)
        token = self._read(_token, value)
        if token is None:
            self._tokens.discard(key_bytes(key))
        else:
            self._keep(key, token)

    def keep_token(self, key: str, token: Token, revision: int) -> None:
        """Remember a token that was stored just now, before the watch brings it; the one it replaces is worth nothing from now on."""
        if revision > self._told:
            self._ahead[key] = revision
            self._keep(key, token)

    def _keep(self, key: str, token: Token) -> None:
        try:
            hashed = bytes.fromhex(token.token_sha256)
        except ValueError:
            self.unreadable += 1
            self._tokens.discard(key_bytes(key))
            return
        self._tokens.put(key_bytes(key), _pack(_PackedToken(hashed, token.terminal_id, token.asset, token.issued_at)))

    def _read(self, decoder: "msgspec.json.Decoder[T]", value: bytes | None) -> T | None:
        if value is None:
            return None
        try:
            return decoder.decode(value)
        except msgspec.DecodeError:
            self.unreadable += 1
            return None


def key_bytes(key: str) -> bytes:
    """Return the 16 bytes that a `records.digest` writes in hexadecimal digits; of any other key its own digest."""
    try:
        found = bytes.fromhex(key)
    except ValueError:
        found = b""
    return found if len(found) == 16 else hashlib.blake2b(key.encode(), digest_size=16).digest()


def _number(plate: str) -> int:
    return int.from_bytes(hashlib.blake2b(plate.encode(), digest_size=8).digest(), "big")
