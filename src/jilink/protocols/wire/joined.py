"""Text of several parts with a separator between them."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from jilink.protocols.wire.cursor import Cursor, Json
from jilink.protocols.wire.kinds import Kind, Text, Unencodable


class Joined(Kind[Sequence[str]]):
    """Parts of a text to the end of the body, joined by `separator`; `names` says what each is. An empty part is left as is."""

    def __init__(self, names: tuple[str, ...], doc: str = "", *, separator: str = ";", samples: tuple[tuple[str, ...], ...] = ()) -> None:
        super().__init__(doc)
        self.names, self.separator, self.samples = names, separator, samples
        self.text = Text(doc)

    @property
    def wire(self) -> str:
        return f"text: {self.separator.join(self.names)}"

    def empty(self) -> Sequence[str]:
        return []

    def read(self, cursor: Cursor, record: object) -> Sequence[str]:
        self.text.name = self.name
        text = self.text.read(cursor, record)
        return text.split(self.separator) if text else []

    def write(self, out: bytearray, value: Sequence[str], record: object) -> None:
        if isinstance(value, str) or any(self.separator in part for part in value):
            raise Unencodable(f"{self.name} must be a list of texts without {self.separator}")
        self.text.write(out, self.separator.join(value), record)

    def random(self, rng: Random, record: object) -> Sequence[str]:
        return list(rng.choice(self.samples)) if self.samples else []

    def render(self, value: Sequence[str]) -> Json:
        return {
            self.names[place] if place < len(self.names) else f"part{place + 1}": self.text.render(part)
            for place, part in enumerate(value)
            if part
        }
