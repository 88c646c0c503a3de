"""Places of the audit's chain, written down outside of the database: who can change every table still cannot rewrite the past unseen.

A file of the data folder, one line each: when, sequence, digest. The relay adds one four times a day, where the chain grew.
"""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from jilink.core.parties.models import AuditHead
from jilink.core.parties.rules import ANCHORS
from jilink.kernel.errors import Refused


class AnchorRefused(Refused):
    """This is no anchor of the audit."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """What the chain ended with at some moment. Every later chain holds it."""

    sequence: int
    digest: str

    def __str__(self) -> str:
        return f"{self.sequence}:{self.digest}"


def read_anchor(text: str) -> Anchor:
    """Return what `str` made of an anchor. Raises AnchorRefused."""
    sequence, _colon, digest = text.strip().partition(":")
    if not (sequence.isascii() and sequence.isdecimal() and len(sequence) < 19) or len(digest) != 64:
        raise AnchorRefused("An anchor is a number, a colon and 64 hexadecimal digits, as `jilink audit verify` says them.")
    return Anchor(int(sequence), digest)


def current() -> Anchor | None:
    """Return where the chain ends now, None before its first entry."""
    head = AuditHead.objects.filter(pk=1).first()
    return Anchor(head.sequence, head.digest) if head else None


def written(folder: Path) -> tuple[Anchor, ...]:
    """Return every anchor of a data folder. Raises AnchorRefused where somebody wrote something else into it."""
    file = folder / ANCHORS
    if not file.exists():
        return ()
    return tuple(read_anchor(line.rpartition(" ")[2]) for line in file.read_text(encoding="utf-8").splitlines() if line.strip())


def write(folder: Path, now: datetime) -> Anchor | None:
    """Add the end of the chain to the file of a data folder, durably, and return it; None where it stands there already."""
    anchor = current()
    if anchor is None or anchor in written(folder):
        return None
    place = os.open(folder / ANCHORS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(place, f"{now.isoformat()} {anchor}\n".encode())
        os.fsync(place)
    finally:
        os.close(place)
    return anchor
