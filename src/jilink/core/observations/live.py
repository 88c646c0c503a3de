"""Map frames: what moved, encoded once an organisation and forwarded byte for byte to every viewer.

Little endian. Header, 32 bytes: u8 kind (1 snapshot, 2 changes), u8 version (1), u16 0, u32 organisation, u32 tick, u32 n, f32 lon0,
f32 lat0, f32 lon span, f32 lat span. Then n of each column, each column padded to a multiple of 4 bytes: kind 1 u32 asset, kind 2 u16
gap; then u16 x, u16 y, u8 fine, u8 course (256 to the circle), u8 speed (km/h, at most 255), u8 state (`rules`).

longitude = lon0 + span x (x * 16 + fine >> 4) / 2^20, latitude likewise with y and the low half of fine. A slot is an asset's place in the
organisation's last snapshot; in a changes frame it is the sum of the gaps so far, and a gap of 65535 only adds to that sum. A frame that
follows another has the next tick; who misses one asks for a snapshot.
"""

import struct

import numpy as np
import numpy.typing as npt

from jilink.core.observations.columns import Fleet
from jilink.core.observations.rules import Int64s

SNAPSHOT, CHANGES, VERSION = 1, 2, 1
HEADER = struct.Struct("<BBHIIIffff")
STEPS = 1 << 20
SKIP = 65535
TICKS_FROM_MS = 1_767_225_600_000
"""2026-01-01 UTC. Ticks begin with the half seconds since then, so that a watch that starts anew goes on after its predecessor."""
CALM_ROWS = 20_000
"""A snapshot of so many rows is followed by a second without another."""

_PACKED = np.dtype([("x", "<u2"), ("y", "<u2"), ("fine", "u1"), ("course", "u1"), ("speed", "u1"), ("state", "u1")])
_COLUMNS = ("x", "y", "fine", "course", "speed", "state")
Packed = npt.NDArray[np.uint64]
Box = tuple[float, float, float, float]
"""West, south, width, height in degrees, each exactly a 32-bit float."""


class Board:
    """What the viewers of one organisation have been told."""

    def __init__(self, organisation: int) -> None:
        self.organisation = organisation
        self.tick = 0
        self.rows: Int64s = np.zeros(0, np.int64)
        self.sent: Packed = np.zeros(0, np.uint64)
        self.box: Box = (0.0, 0.0, 1.0, 1.0)
        self.stale = True
        """An asset came, went, or left the box: only a new snapshot tells."""
        self.calm_until_ms = 0


class Boards:
    """The boards of all organisations over one fleet."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._boards: dict[int, Board] = {}
        self._slots: npt.NDArray[np.int32] = np.full(fleet.capacity, -1, np.int32)

    def frames(self, now_ms: int) -> list[tuple[int, bytes]]:
        """Return (organisation, frame) for each organisation with something new since the last call."""
        fleet = self._fleet
        fleet.refresh(now_ms)
        rows = np.flatnonzero(fleet.dirty[: fleet.count])
        fleet.dirty[rows] = False
        for organisation in fleet.left:
            if organisation in self._boards:
                self._boards[organisation].stale = True
        fleet.left.clear()
        owners = fleet.numbers("organisation")[rows]
        found = []
        for organisation in sorted({*np.unique(owners).tolist(), *(b.organisation for b in self._boards.values() if b.stale)} - {0}):
            board = self._board(organisation)
            slots, packed = self._told(board, rows[owners == organisation])
            frame = self._rebase(board, now_ms) if board.stale and now_ms >= board.calm_until_ms else self._changes(board, slots, packed)
            if frame:
                found.append((organisation, frame))
        return found

    def snapshot(self, organisation: int, now_ms: int) -> bytes:
        """Return a snapshot that the next changes frame of the organisation follows on."""
        board = self._board(organisation)
        if not board.tick:
            self._fleet.refresh(now_ms)
            return self._rebase(board, now_ms)
        packed, inside = self._pack(board.rows, board.box)
        owned = self._fleet.numbers("organisation")[board.rows] == organisation
        return self._snapshot_frame(board, np.where(inside & owned, packed, np.where(owned, board.sent, 0)))

    def _board(self, organisation: int) -> Board:
        return self._boards.setdefault(organisation, Board(organisation))

    def _told(self, board: Board, rows: Int64s) -> tuple[Int64s, Packed]:
        """Return what a changes frame can tell of those rows, by slot; where that is not all, the board becomes stale."""
        self._grow()
        slots = self._slots[rows].astype(np.int64)
        known = (slots >= 0) & (slots < board.rows.size)
        known[known] = board.rows[slots[known]] == rows[known]
        packed, inside = self._pack(rows, board.box)
        keep = known & inside
        board.stale |= not keep.all()
        return slots[keep], packed[keep]

    def _changes(self, board: Board, slots: Int64s, packed: Packed) -> bytes:
        """Return the frame of what looks different now; empty where nothing does."""
        different = packed != board.sent[slots]
        slots, packed = slots[different], packed[different]
        if not slots.size:
            return b""
        order = np.argsort(slots)
        slots, packed = slots[order], packed[order]
        board.sent[slots] = packed
        board.tick += 1
        gaps, packed = _gaps(slots, packed)
        return _frame(CHANGES, board, gaps, packed)

    def _grow(self) -> None:
        if self._slots.size < self._fleet.capacity:
            self._slots = np.concatenate([self._slots, np.full(self._fleet.capacity - self._slots.size, -1, np.int32)])

    def _rebase(self, board: Board, now_ms: int) -> bytes:
        fleet = self._fleet
        self._grow()
        board.rows = fleet.of_organisations([board.organisation])
        self._slots[board.rows] = np.arange(board.rows.size)
        board.box = self._bounds(board.rows)
        board.sent, _ = self._pack(board.rows, board.box)
        board.tick = board.tick + 1 if board.tick else max((now_ms - TICKS_FROM_MS) // 500, 1)
        board.stale = False
        board.calm_until_ms = now_ms + 1000 * board.rows.size // CALM_ROWS
        return self._snapshot_frame(board, board.sent)

    def _snapshot_frame(self, board: Board, packed: Packed) -> bytes:
        return _frame(SNAPSHOT, board, self._fleet.numbers("asset")[board.rows].astype("<u4"), packed)

    def _bounds(self, rows: Int64s) -> Box:
        """Return a box around the places of all rows, a tenth wider, so that ordinary motion stays inside."""
        fleet = self._fleet
        rows = rows[fleet.numbers("located_happened_ms")[rows] != 0]
        if not rows.size:
            return (0.0, 0.0, 1.0, 1.0)
        edges: list[tuple[float, float]] = []
        for name in ("located_longitude", "located_latitude"):
            column = fleet.extra[name][rows]
            low, high = int(column.min()) / 1e6, int(column.max()) / 1e6
            margin = max((high - low) * 0.05, 0.05)
            start = float(np.float32(low - margin))
            edges.append((start, float(np.float32(high + margin - start))))
        return (edges[0][0], edges[1][0], edges[0][1], edges[1][1])

    def _pack(self, rows: Int64s, box: Box) -> tuple[Packed, npt.NDArray[np.bool_]]:
        """Return each row as it stands in a frame, 8 bytes, and whether its place is inside the box."""
        fleet = self._fleet
        located = fleet.numbers("located_happened_ms")[rows] != 0
        west, south, width, height = box
        across = np.rint((fleet.extra["located_longitude"][rows] / 1e6 - west) * (STEPS / width)).astype(np.int64)
        up = np.rint((fleet.extra["located_latitude"][rows] / 1e6 - south) * (STEPS / height)).astype(np.int64)
        inside = ~located | ((across >= 0) & (across < STEPS) & (up >= 0) & (up < STEPS))
        across, up = np.where(located & inside, across, 0), np.where(located & inside, up, 0)
        course = np.where(fleet.valid["course"][rows], fleet.numbers("course")[rows], 0).astype(np.int64)
        speed = np.where(fleet.valid["speed"][rows], fleet.numbers("speed")[rows], 0).astype(np.int64)
        packed = np.zeros(rows.size, _PACKED)
        packed["x"], packed["y"] = across >> 4, up >> 4
        packed["fine"] = (across & 15) << 4 | (up & 15)
        packed["course"] = np.rint(course * (256 / 360)).astype(np.int64) & 255
        packed["speed"] = np.minimum((speed + 5) // 10, 255)
        packed["state"] = fleet.state[rows]
        return packed.view(np.uint64), inside


def _gaps(slots: Int64s, packed: Packed) -> tuple[npt.NDArray[np.uint16], Packed]:
    """Return the gaps before ascending slots, with a row that means nothing for each 65535 that a gap is too wide."""
    wide = np.diff(slots, prepend=0)
    extra = wide // SKIP
    if not extra.any():
        return wide.astype("<u2"), packed
    ends = np.cumsum(extra + 1) - 1
    gaps = np.full(int(ends[-1]) + 1, SKIP, "<u2")
    gaps[ends] = wide - extra * SKIP
    filled = np.zeros(gaps.size, np.uint64)
    filled[ends] = packed
    return gaps, filled


def _frame(kind: int, board: Board, first: npt.NDArray[np.unsignedinteger], packed: Packed) -> bytes:
    west, south, width, height = board.box
    parts = [HEADER.pack(kind, VERSION, 0, board.organisation, board.tick, packed.size, west, south, width, height)]
    fields = packed.view(_PACKED)
    for column in (first, *(fields[name] for name in _COLUMNS)):
        data = np.ascontiguousarray(column).tobytes()
        parts += [data, bytes(-len(data) % 4)]
    return b"".join(parts)
