"""Tagged items whose length stands before the id and counts it."""

from __future__ import annotations

from jilink.protocols.wire.cursor import Cursor, Table, Truncated
from jilink.protocols.wire.groups import Tagged, Tags


class LengthFirst(Tagged):
    """Items of length, id and value to the end; the length counts id and value (lists of vendors inside one item).

    A length too small to hold the id, or larger than what is left, ends the list: the rest is kept and noted. Bytes that do not begin
    with an item are no list (Truncated).
    """

    def __init__(self, space: str, kinds: Table, doc: str = "", *, id: str = ">u2", length: str = ">u2", name: str = "") -> None:
        super().__init__(space, kinds, doc, id=id, length=length, name=name)

    @property
    def wire(self) -> str:
        return f"n x (length {self.length_kind.wire} of id and value, id {self.id_kind.wire}, value)"

    def read(self, cursor: Cursor, record: object) -> Tags:
        tags = Tags()
        head = self.length_kind.struct.size
        least = self.id_kind.struct.size
        while cursor.left >= head + least:
            length = int.from_bytes(cursor.data[cursor.at : cursor.at + head])
            if not least <= length <= cursor.left - head:
                break
            cursor.at += head
            part = cursor.part(length)
            tags.items.append(self.read_item(self.id_kind.read(part, record), part, record))
        if cursor.left and not tags.items:
            raise Truncated(f"{self.name} does not begin with an item")
        if cursor.left:
            tags.tail = cursor.rest()
            cursor.tolerate("items-tail", self.name, tags.tail.hex())
        return tags

    def write(self, out: bytearray, value: Tags, record: object) -> None:
        for tag in value:
            body = bytearray()
            self.id_kind.write(body, tag.id, record)
            self.write_item(body, tag, record)
            self.length_kind.write(out, len(body), record)
            out += body
        out += value.tail
