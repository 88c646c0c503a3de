"""Refusals that are kept, to be said later in any language."""

import msgspec

from jilink.kernel.errors import Refused
from jilink.kernel.texts import Text

LONGEST = 300
Kept = dict[str, str | int | float | Text]


def kept_words(error: Refused) -> tuple[str, str]:
    """Return a refusal as it is kept: the words a translator knows, and the values in them as JSON."""
    values = {name: value if isinstance(value, Text | str | int | float) else str(value) for name, value in error.values.items()}
    message = error.message if len(error.message) <= LONGEST else f"{error.message[: LONGEST - 1]}…"
    return message, msgspec.json.encode(values).decode()


def refusal_from(message: str, values: str) -> Refused:
    """Return a refusal as it was kept."""
    return Refused(message, **msgspec.json.decode(values, type=Kept))
