"""Lists that keep their good elements where one is cut short."""

from __future__ import annotations

from collections.abc import Sequence

from jilink.protocols.wire.cursor import Cursor, Truncated
from jilink.protocols.wire.groups import Repeat
from jilink.protocols.wire.kinds import Bytes, Number
from jilink.protocols.wire.records import Record


class Unread(Record):
    """An element that ends before its fields do: kept as it came."""

    announced = Number(">u2", "its length as announced", unit="B")
    data = Bytes("as received")


class Forgiving(Repeat[Record]):
    """Elements, each behind its length of two bytes: one that is too short for its fields is kept as `Unread` and noted (`cut-element`).

    Where no element at all can be read, the list is no list (Truncated).
    """

    def read(self, cursor: Cursor, record: object) -> Sequence[Record]:
        values: list[Record] = []
        good = 0
        count = getattr(record, self.counted_by) if self.counted_by else None
        while cursor.left >= 2 and len(values) != count:
            start, noted = cursor.at, len(cursor.tolerances)
            try:
                values.append(self.kind.read(cursor, record))
                good += 1
            except Truncated:
                del cursor.tolerances[noted:]
                cursor.at = start
                values.append(self._unread(cursor))
        if count != 0 and not good:
            raise Truncated(f"{self.name}: none of {count} elements is whole")
        if count is not None and len(values) < count:
            cursor.tolerate("fewer-than-counted", self.name, f"{len(values)} of {count}")
        return values

    def _unread(self, cursor: Cursor) -> Unread:
        data = cursor.data[cursor.at : cursor.end]
        announced = int.from_bytes(data[:2])
        kept = Unread(announced=announced, data=data[2 : 2 + announced])
        cursor.tolerate("cut-element", self.name, f"{announced} bytes announced, {len(kept.data)} came")
        cursor.at += 2 + len(kept.data)
        return kept

    def write(self, out: bytearray, value: Sequence[Record], record: object) -> None:
        whole = [element for element in value if not isinstance(element, Unread)]
        if len(whole) == len(value):
            super().write(out, value, record)
            return
        for element in value:
            if isinstance(element, Unread):
                element.write(out)
            else:
                self.kind.write(out, element, record)
