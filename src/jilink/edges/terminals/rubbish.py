"""What devices and scanners send that is no message: counted, kept within bounds, answered where the standard has an answer."""

import numpy as np

from jilink.edges.terminals import metrics
from jilink.edges.terminals.connections import Terminal
from jilink.edges.terminals.gateway import Gateway
from jilink.edges.terminals.session import State
from jilink.edges.terminals.vendor import MARK, VendorConnections
from jilink.protocols.jt808.columns import REASONS, Batch, Stray

SCANNERS = (b"GET ", b"POST", b"HEAD", b"OPTI", b"PUT ", b"CONN", b"PRI ", b"SSH-", b"\x16\x03", b"\x03\x00", b"\x80")
"""How HTTP, SSH, TLS and RDP clients begin."""
PATIENCE = 64
"""Bytes without a delimiter after which a new connection is no terminal."""


class Rubbish:
    """Deals with the bad frames and strays of each batch."""

    def __init__(self, gateway: Gateway, vendors: VendorConnections) -> None:
        self._gateway, self._vendors = gateway, vendors
        self._strayed: dict[int, int] = {}
        gateway.on_ended.append(self._forget)

    def count(self, batch: Batch) -> None:
        """Count malformed frames by reason."""
        if batch.bad.size:
            reasons, counts = np.unique(batch.frames.reason[batch.bad], return_counts=True)
            for reason, count in zip(reasons.tolist(), counts.tolist(), strict=True):
                metrics.FRAMES.labels(REASONS[reason]).inc(count)

    def stray(self, stray: Stray) -> None:
        """Take bytes outside any frame: of a terminal they are kept, of a scanner the connection is closed without noise."""
        terminal = self._gateway.connections.current(stray.fd, stray.generation)
        if terminal is None:
            return
        if terminal.phone or self._gateway.connections.state_of(terminal.fd) is not State.CONNECTED:
            self._gateway.quarantine(terminal, stray.data, stray.reason.replace("-", "_"))
            return
        if stray.data.startswith(MARK):
            self._vendors.adopt(terminal, stray.data)
            return
        seen = self._strayed.get(terminal.number, 0) + len(stray.data)
        if seen > PATIENCE or stray.data.startswith(SCANNERS):
            self._gateway.close(terminal, "scanner")
        else:
            self._strayed[terminal.number] = seen

    def _forget(self, terminal: Terminal) -> None:
        self._strayed.pop(terminal.number, None)
