"""The identities of lately stored rows, in bounded memory, so that a redelivery is dropped before it is written."""

import numpy as np
import numpy.typing as npt


class Recent:
    """A cache of 64-bit identities with one place each: a later one may push out an earlier one, never the other way about.

    So `new` may take a redelivery for new (compaction and reads remove it), but never a new row for a redelivery. With 2^23 places
    (64 MB) and 5,000 rows/s, nineteen in twenty redeliveries within a minute or two are caught here.
    """

    def __init__(self, places: int = 1 << 23) -> None:
        if places & (places - 1):
            raise ValueError("places must be a power of two")
        self._places = np.zeros(places, np.uint64)
        self._mask = np.uint64(places - 1)

    def new(self, identities: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_] | None:
        """Return which rows are neither remembered nor repeated within `identities` (the first of a repetition is new); None means all."""
        known = self._places[identities & self._mask] == identities
        ordered = np.sort(identities)
        if (ordered[1:] == ordered[:-1]).any():
            _, first = np.unique(identities, return_index=True)
            again = np.ones(len(identities), np.bool_)
            again[first] = False
            known |= again
        return ~known if known.any() else None

    def remember(self, identities: npt.NDArray[np.uint64]) -> None:
        """Remember rows that are now stored."""
        self._places[identities & self._mask] = identities
