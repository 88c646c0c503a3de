"""The rows of one asset, taken from just the row groups that hold it.

Files never change once committed, so their footers are kept in memory; a vehicle's day is then one or two row groups.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jilink.history.columns import STORED, happened_ms, milliseconds
from jilink.history.identity import moments, unrepeated
from jilink.history.scans import Scans, Window
from jilink.history.tables import File

FOOTERS = 512
_ASSET = STORED.names.index("asset")
Footer = tuple[pq.FileMetaData, npt.NDArray[np.int64], npt.NDArray[np.int64]]


class Tracks:
    """Reads single assets of one history. Safe for use by several threads."""

    def __init__(self, scans: Scans) -> None:
        self._scans = scans
        self._footers: OrderedDict[str, Footer] = OrderedDict()
        self._lock = threading.Lock()

    def rows(self, asset: int, window: Window, extra: pa.Table | None = None) -> pa.Table:
        """Return the stored rows of an asset within a window in the order they happened, each fix once; `extra` joins in."""
        files = window.files(self._scans.history, asset)
        parts = [STORED.empty_table()] if extra is None else [extra.filter(pc.equal(extra["asset"], asset))]
        while True:
            try:
                found = [*parts, *(self._of_file(f, asset) for f in self._scans.sound(files))]
                break
            except (OSError, pa.ArrowException):
                if not self._scans.set_aside(files):
                    raise
        return within(pa.concat_tables(found).combine_chunks(), window)

    def _of_file(self, file: File, asset: int) -> pa.Table:
        with self._scans.history.storage.open(file.path) as source:
            footer, least, greatest = self._footer(file, source)
            groups = np.flatnonzero((least <= asset) & (greatest >= asset)).tolist()
            if not groups:
                return STORED.empty_table()
            table = pq.ParquetFile(source, metadata=footer).read_row_groups(groups, use_threads=False)
            return table.filter(pc.equal(table["asset"], asset)).cast(STORED)

    def _footer(self, file: File, source: pa.NativeFile) -> Footer:
        with self._lock:
            footer = self._footers.get(file.path)
            if footer is not None:
                self._footers.move_to_end(file.path)
                return footer
        footer = _bounds(pq.read_metadata(source))
        with self._lock:
            self._footers[file.path] = footer
            while len(self._footers) > FOOTERS:
                self._footers.popitem(last=False)
        return footer


def selected(table: pa.Table, window: Window) -> pa.Table:
    """Return the stored rows that lie in a window, in the order they have."""
    at = happened_ms(table)
    mine = (at >= milliseconds(window.start)) & (at < milliseconds(window.end)) & _owned(table, window.organisations)
    return table if mine.all() else table.filter(pa.array(mine))


def chronological(table: pa.Table) -> pa.Table:
    """Return rows that are sorted by asset and measured time as rows sorted by asset and the time they happened."""
    asset, at = table["asset"].to_numpy(), happened_ms(table)
    if ((asset[1:] == asset[:-1]) & (at[1:] < at[:-1])).any():
        return table.take(pa.array(np.lexsort((at, asset))))
    return table


def within(table: pa.Table, window: Window) -> pa.Table:
    """Return the stored rows that lie in a window, each fix once (the first received stands), by asset in the order they happened."""
    table = selected(table, window)
    (moment, _), received = moments(table), table["received_at"].cast(pa.int64()).to_numpy()
    order = np.lexsort((table["part"].to_numpy(), table["serial"].to_numpy(), received, moment, table["asset"].to_numpy()))
    table = table.take(pa.array(order)).combine_chunks()
    fresh = unrepeated(table)
    return chronological(table if fresh is None else table.filter(pa.array(fresh)).combine_chunks())


def _owned(table: pa.Table, organisations: Sequence[int]) -> npt.NDArray[np.bool_]:
    owners: npt.NDArray[np.int64] = table["organisation"].to_numpy()
    return owners == organisations[0] if len(organisations) == 1 else np.isin(owners, np.array(organisations, np.int64))


def _bounds(footer: pq.FileMetaData) -> Footer:
    """A footer with the least and greatest asset of each row group."""
    statistics = [footer.row_group(g).column(_ASSET).statistics for g in range(footer.num_row_groups)]
    whole = np.iinfo(np.int64)
    known = [(s.min, s.max) if s is not None and s.has_min_max else (whole.min, whole.max) for s in statistics]
    return footer, np.array([least for least, _ in known], np.int64), np.array([greatest for _, greatest in known], np.int64)
