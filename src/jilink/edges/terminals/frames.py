"""Raw frames on their way to the spine: what could not be understood, and what an operator asked to have recorded."""

from collections.abc import Callable
from datetime import datetime

import msgspec

from jilink.edges.terminals.limits import Budget
from jilink.kernel.ids import AssetId, OrganisationId
from jilink.spine import subjects
from jilink.spine.records import RawFrame

MOST_BYTES = 4096
"""A frame is kept to this length; a JT/T 808 frame is at most about 2,100 bytes with every byte escaped."""
PER_SECOND = 50.0
BURST = 500.0
MOST_WAITING = 20_000

Send = Callable[[str, bytes], None]
_encoder = msgspec.json.Encoder()


class FrameKeeper:
    """Collects raw frames and hands them over together, one `RawFrame` a message.

    Quarantine is bounded by rate, so that a babbling device cannot crowd out the rest; what is over the bound is counted.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._budget = Budget(PER_SECOND, BURST)
        self._waiting: list[tuple[str, RawFrame]] = []
        self.quarantined = 0
        self.dropped = 0

    def quarantine(self, frame: bytes, reason: str, peer: str, at: datetime, now: float, organisation: int = 0, asset: int = 0) -> None:
        """Keep a frame that is malformed, unknown or not admitted."""
        self.quarantined += 1
        if len(self._waiting) >= MOST_WAITING or not self._budget.spend(now):
            self.dropped += 1
            return
        record = RawFrame(
            at=at,
            peer=peer,
            direction="up",
            frame=frame[:MOST_BYTES].hex(),
            reason=reason,
            asset=asset or None,
            organisation=organisation or None,
        )
        self._waiting.append((subjects.quarantine(OrganisationId(organisation) if organisation else None), record))

    def record(self, frame: bytes, direction: str, peer: str, at: datetime, organisation: int, asset: int) -> None:
        """Keep a frame of a terminal whose recording is switched on (`direction` up or down)."""
        if len(self._waiting) >= MOST_WAITING:
            self.dropped += 1
            return
        record = RawFrame(
            at=at, peer=peer, direction=direction, frame=frame[:MOST_BYTES].hex(), asset=asset, organisation=organisation or None
        )
        self._waiting.append((subjects.recorded(AssetId(asset)), record))

    def flush(self) -> None:
        """Hand over what has gathered, in order."""
        waiting, self._waiting = self._waiting, []
        for subject, record in waiting:
            self._send(subject, _encoder.encode(record))
