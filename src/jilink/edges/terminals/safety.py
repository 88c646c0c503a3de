"""Active-safety alarms in positions: the terminal is told where to upload their attachments (T/JSATL 12-2017, 4.7.1).

The alarm number of message 0x9208 is random and stored in the bucket `subjects.UPLOADS` before it is sent: it is the right to upload.
"""

import secrets
from collections import OrderedDict

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jilink.edges.terminals.connections import Terminal
from jilink.edges.terminals.gateway import Gateway
from jilink.edges.terminals.link import Link
from jilink.kernel.errors import Malformed
from jilink.kernel.settings import addresses
from jilink.protocols.jt808.columns.items import rows_with_items
from jilink.protocols.jt808.safety import SAFETY_ITEMS, Alarm, AlarmLabel30, AttachmentRequest, AttachmentRequest30, Place, SafetyItems
from jilink.protocols.wire.cursor import Cursor
from jilink.spine import subjects
from jilink.spine.records import UploadTicket

FIRST, LAST = min(SAFETY_ITEMS), max(SAFETY_ITEMS)
MOST_REMEMBERED = 20_000
"""Labels whose upload was asked for lately; the same alarm is reported several times."""
MOST_A_BATCH = 500


class Alarms:
    """Asks for the attachments of alarms."""

    def __init__(self, gateway: Gateway, link: Link) -> None:
        self._gateway, self._link = gateway, link
        pairs = addresses(gateway.settings.attachments)
        self._port = pairs[0][1] if pairs else 0
        self._asked: OrderedDict[tuple[int, bytes], None] = OrderedDict()

    def look(self, positions: pa.RecordBatch, fds: npt.NDArray[np.int64]) -> None:
        """Look through the items of a batch of positions; row k came from descriptor fds[k]."""
        items = positions.column("items")
        if not self._port or items.null_count == len(items):
            return
        for row in rows_with_items(items, FIRST, LAST)[:MOST_A_BATCH].tolist():
            terminal = self._gateway.connections.terminals.get(int(fds[row]))
            if terminal is not None:
                self._read(terminal, items[row].as_py())

    def _read(self, terminal: Terminal, items: bytes) -> None:
        try:
            tags = SafetyItems.read(Cursor(items)).items
        except Malformed:
            return
        for tag in tags:
            alarm = tag.value
            if FIRST <= tag.id <= LAST and isinstance(alarm, Alarm) and isinstance(alarm, Place) and alarm.label.attachments:
                self._ask(terminal, tag.id, alarm)

    def _ask(self, terminal: Terminal, item: int, alarm: Place) -> None:
        gateway, owner, label = self._gateway, terminal.admission, bytearray()
        alarm.label.write(label)
        if owner is None or (owner.asset, bytes(label)) in self._asked:
            return
        key = (owner.asset, bytes(label))
        self._asked[key] = None
        if len(self._asked) > MOST_REMEMBERED:
            self._asked.popitem(last=False)
        number = secrets.token_hex(16)
        ticket = UploadTicket(
            asset=owner.asset,
            organisation=owner.organisation,
            item=item,
            label=label.hex(),
            measured_at=alarm.measured_at,
            issued_at=gateway.now(),
        )
        form = AttachmentRequest30 if isinstance(alarm.label, AlarmLabel30) else AttachmentRequest
        request = form(host=gateway.settings.attachments_host, tcp_port=self._port, udp_port=0, label=alarm.label, alarm_number=number)

        def stored(error: Exception | None) -> None:
            if error is not None:
                self._asked.pop(key, None)
            elif gateway.connections.current(terminal.fd, terminal.generation):
                self._link.send(terminal, request)

        payload = msgspec.json.encode(ticket)
        gateway.spine.put_soon(subjects.UPLOADS, number, payload, lambda _, error: gateway.post(lambda: stored(error)))
