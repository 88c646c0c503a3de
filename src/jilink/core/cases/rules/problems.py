"""One thing wrong with something that was designed: where, and why, in words that pages can translate."""

from collections.abc import Mapping

import msgspec

from jilink.kernel.texts import gettext_noop

UNREADABLE = gettext_noop("This cannot be read: %(error)s.")


class Problem(msgspec.Struct, frozen=True):
    """Where (``$.stages[2].key``) and why; `values` go into the translated reason."""

    place: str
    reason: str
    values: Mapping[str, str | int] = {}

    @property
    def words(self) -> str:
        """Return the reason in English with its values."""
        return self.reason % self.values if self.values else self.reason

    def below(self, place: str) -> "Problem":
        """Return the same problem of something that lies below a place."""
        return Problem(f"{place}.{self.place}", self.reason, self.values)
