"""The three families of expected errors; anything else is a bug and rises.

A concrete error is defined beside the function that raises it and derives from one of these.
"""


class Refused(Exception):
    """The rules say no. Tell the person what was wrong, what was kept and what to do.

    ``Refused("At most %(most)d are kept.", most=5)``: `message` is what a translator knows, `values` go into it.
    """

    def __init__(self, message: str = "", **values: object) -> None:
        super().__init__(message % values if values else message)
        self.message = message
        self.values = values


class Malformed(Exception):
    """A peer sent rubbish. Count it and keep the bytes.

    `reason` is a short stable key (``checksum``, ``truncated``) fit for counters; the message is for people.
    """

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(message or reason)
        self.reason = reason


class Unavailable(Exception):
    """Something we depend on is down or late. Retrying later may succeed."""
