"""Who may connect: a mirror of the spine's admission and token buckets, kept by its watch. Pure: it is told of changes."""

from dataclasses import dataclass
from typing import TypeVar

import msgspec

from jilink.spine.records import Admission, AdmissionPolicy, Token

POLICY_KEY = "policy"

T = TypeVar("T")

_admission = msgspec.json.Decoder(Admission)
_policy = msgspec.json.Decoder(AdmissionPolicy)
_token = msgspec.json.Decoder(Token)


@dataclass(frozen=True, slots=True)
class Change:
    """One terminal's admission before and after; None where there was or is none."""

    key: str
    before: Admission | None
    after: Admission | None


class Directory:
    """Admissions by `records.digest(phone)`, and the plates they carry."""

    def __init__(self) -> None:
        self._admissions: dict[str, Admission] = {}
        self._tokens: dict[str, Token] = {}
        self._plates: dict[str, int] = {}
        self.policy = AdmissionPolicy()
        self.unreadable = 0
        """Records that could not be read; they count as absent."""

    def __len__(self) -> int:
        return len(self._admissions)

    def admission(self, key: str) -> Admission | None:
        """Return what is known of a terminal."""
        return self._admissions.get(key)

    def token(self, key: str) -> Token | None:
        """Return the token record of a terminal."""
        return self._tokens.get(key)

    def plate_owner(self, plate: str) -> int | None:
        """Return the admitted asset that carries `plate`."""
        return self._plates.get(plate) if plate else None

    def take_admission(self, key: str, value: bytes | None) -> Change | None:
        """Apply one change of the admission bucket; return it where it concerns a terminal."""
        if key == POLICY_KEY:
            self.policy = self._read(_policy, value) or AdmissionPolicy()
            return None
        before, after = self._admissions.get(key), self._read(_admission, value)
        if before == after:
            return None
        if before and self._plates.get(before.plate) == before.asset:
            del self._plates[before.plate]
        if after is None:
            self._admissions.pop(key, None)
        else:
            self._admissions[key] = after
            if after.plate and after.admitted:
                self._plates[after.plate] = after.asset
        return Change(key, before, after)

    def take_token(self, key: str, value: bytes | None) -> None:
        """Apply one change of the token bucket."""
        token = self._read(_token, value)
        if token is None:
            self._tokens.pop(key, None)
        else:
            self._tokens[key] = token

    def keep_token(self, key: str, token: Token) -> None:
        """Remember a token that was stored just now, before the watch brings it."""
        self._tokens[key] = token

    def _read(self, decoder: "msgspec.json.Decoder[T]", value: bytes | None) -> T | None:
        if value is None:
            return None
        try:
            return decoder.decode(value)
        except msgspec.DecodeError:
            self.unreadable += 1
            return None
