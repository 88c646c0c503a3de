"""Connections that use a vendor's delimiter: recognised by their first byte, read one by one on the plain path.

The columnar decoder knows the standard's delimiter only. Such terminals are rare (protocols.jt808.frame, `VENDOR_E7`).
"""

from collections.abc import Callable

import numpy as np

from jilink.edges.terminals.connections import Terminal
from jilink.edges.terminals.gateway import Gateway
from jilink.edges.terminals.window import Gathered
from jilink.kernel.errors import Malformed
from jilink.protocols.jt808.frame import VENDOR_E7, Splitter

MARK = bytes((VENDOR_E7.mark,))

TakeFrame = Callable[[Terminal, bytes], None]


class VendorConnections:
    """The streams of these connections, each with its own splitter."""

    def __init__(self, gateway: Gateway, take: TakeFrame) -> None:
        self._gateway, self._take = gateway, take
        self._splitters: dict[int, Splitter] = {}
        gateway.on_ended.append(self._forget)

    def adopt(self, terminal: Terminal, first: bytes) -> None:
        """Read this connection from now on, beginning with bytes that the columnar decoder had no use for."""
        self._splitters[terminal.fd] = Splitter(VENDOR_E7)
        terminal.vendor = True
        self._feed(terminal, first)

    def split(self, reads: Gathered) -> Gathered | None:
        """Read what belongs to these connections; return the other reads, None where there are none."""
        if not self._splitters:
            return reads
        odd = np.isin(reads.fds, np.fromiter(self._splitters, np.int64, len(self._splitters)))
        if not odd.any():
            return reads
        borders = np.cumsum(reads.lengths)
        for k in np.flatnonzero(odd).tolist():
            terminal = self._gateway.connections.current(int(reads.fds[k]), int(reads.generations[k]))
            if terminal is not None:
                self._gateway.connections.seen[terminal.fd] = self._gateway.clock()
                self._feed(terminal, reads.data[borders[k] - reads.lengths[k] : borders[k]].tobytes())
        if odd.all():
            return None
        return Gathered(reads.fds[~odd], reads.lengths[~odd], reads.data[np.repeat(~odd, reads.lengths)], reads.generations[~odd])

    def _feed(self, terminal: Terminal, data: bytes) -> None:
        try:
            frames = self._splitters[terminal.fd].feed(data)
        except Malformed:
            self._gateway.close(terminal, "malformed")
            return
        for frame in frames:
            if self._gateway.connections.current(terminal.fd, terminal.generation) is None:
                return
            if self._gateway.connections.recorded[terminal.fd]:
                self._gateway.record(terminal, MARK + frame + MARK, "up")
            self._take(terminal, MARK + frame + MARK)

    def _forget(self, terminal: Terminal) -> None:
        self._splitters.pop(terminal.fd, None)
