"""The last minutes of positions as they came, for whoever reads the history before it has committed them."""

from collections import deque

import pyarrow as pa
import pyarrow.compute as pc

from jilink.spine.measurements import POSITIONS

KEPT_MS = 5 * 60 * 1000
MOST_BYTES = 256 << 20
PIECE_ROWS = 32_768


class Tail:
    """Rows received in about the last five minutes, fewer where they would take more than 256 MiB."""

    def __init__(self) -> None:
        self._pieces: deque[tuple[int, pa.Table]] = deque()
        self._fresh: list[pa.RecordBatch] = []
        self._fresh_rows = 0
        self._bytes = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take in a batch of schema POSITIONS."""
        if not batch.num_rows:
            return
        self._fresh.append(batch)
        self._fresh_rows += batch.num_rows
        if self._fresh_rows >= PIECE_ROWS:
            self._settle()

    def forget(self, now_ms: int) -> None:
        """Drop what was received before the time kept."""
        if self._fresh and _last_received(pa.Table.from_batches(self._fresh[:1])) < now_ms - KEPT_MS // 10:
            self._settle()
        while self._pieces and (self._pieces[0][0] < now_ms - KEPT_MS or self._bytes > MOST_BYTES):
            self._bytes -= self._pieces.popleft()[1].nbytes

    def rows(self, organisation: int, asset: int, start_ms: int, end_ms: int) -> pa.Table:
        """Return the fixes (schema POSITIONS) of an asset measured (where it has no clock: received) from start to before end."""
        tables = [table for _, table in self._pieces]
        if self._fresh:
            tables.append(pa.Table.from_batches(self._fresh))
        found = []
        for table in tables:
            mine = table.filter(pc.and_(pc.equal(table["asset"], asset), pc.equal(table["organisation"], organisation)))
            if mine.num_rows:
                at = pc.coalesce(mine["measured_at"], mine["received_at"]).cast(pa.int64())
                found.append(mine.filter(pc.and_(pc.greater_equal(at, start_ms), pc.less(at, end_ms))))
        return pa.concat_tables(found) if found else POSITIONS.empty_table()

    def _settle(self) -> None:
        piece = pa.Table.from_batches(self._fresh).combine_chunks()
        self._pieces.append((_last_received(piece), piece))
        self._bytes += piece.nbytes
        self._fresh, self._fresh_rows = [], 0


def _last_received(table: pa.Table) -> int:
    return int(pc.max(table["received_at"].cast(pa.int64())).as_py())
