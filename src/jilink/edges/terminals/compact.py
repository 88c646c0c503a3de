"""Maps for a million terminals in flat memory: numbers to numbers, and keys to short byte strings. One thread owns each."""

from array import array
from collections.abc import Iterator

import numpy as np

_FIRST_SIZE = 1024
_SPREAD = 0x9E3779B97F4A7C15
"""2^64 over the golden ratio, which spreads consecutive numbers evenly (Knuth, The Art of Computer Programming 3, 6.4)."""
_WORD = (1 << 64) - 1
_HALF_BYTES, _LENGTH_BYTES = 8, 2
_LEAST_WASTE = 1 << 16


class NumberMap:
    """Numbers below 2^64 to numbers from 0 to 2^63 - 2, by open addressing with linear probing: 24 to 48 bytes an entry."""

    def __init__(self) -> None:
        self._count = 0
        self._make(_FIRST_SIZE)

    def __len__(self) -> int:
        return self._count

    def get(self, key: int) -> int | None:
        """Return the number of a key, None where there is none."""
        place = self._place(key)
        return self._values[place] - 1 if self._values[place] else None

    def put(self, key: int, value: int) -> None:
        """Set the number of a key."""
        place = self._place(key)
        if not self._values[place]:
            self._count += 1
            self._keys[place] = key
        self._values[place] = value + 1
        if 3 * self._count > 2 * len(self._keys):
            self._grow()

    def discard(self, key: int) -> None:
        """Take a key out; one that is not there changes nothing."""
        place = self._place(key)
        if not self._values[place]:
            return
        self._count -= 1
        mask = len(self._keys) - 1
        following = place
        while True:  # what was pushed behind this place moves up
            self._values[place] = 0
            while True:
                following = following + 1 & mask
                if not self._values[following]:
                    return
                if (following - self._home(self._keys[following]) & mask) >= (following - place & mask):
                    break
            self._keys[place], self._values[place] = self._keys[following], self._values[following]
            place = following

    def items(self) -> Iterator[tuple[int, int]]:
        """Yield every key with its number."""
        for key, value in zip(self._keys, self._values, strict=True):
            if value:
                yield key, value - 1

    def _make(self, size: int) -> None:
        self._keys, self._values = array("Q", bytes(8 * size)), array("q", bytes(8 * size))
        self._shift = 65 - size.bit_length()

    def _home(self, key: int) -> int:
        return (key * _SPREAD & _WORD) >> self._shift

    def _place(self, key: int) -> int:
        """Return where a key is, or where it would go."""
        keys, values = self._keys, self._values
        mask = len(keys) - 1
        place = self._home(key)
        while values[place] and keys[place] != key:
            place = place + 1 & mask
        return place

    def _grow(self) -> None:
        """Double, all entries at once: each goes to the first free place from its own on."""
        keys, values = np.frombuffer(self._keys, np.uint64), np.frombuffer(self._values, np.int64)
        keys, values = keys[values > 0], values[values > 0]
        self._make(2 * len(self._keys))
        all_keys, all_values = np.frombuffer(self._keys, np.uint64), np.frombuffer(self._values, np.int64)
        places = (keys * np.uint64(_SPREAD) >> np.uint64(self._shift)).astype(np.int64)
        while keys.size:
            free = all_values[places] == 0
            all_keys[places[free]], all_values[places[free]] = keys[free], values[free]
            left = all_keys[places] != keys
            keys, values, places = keys[left], values[left], places[left] + 1 & all_keys.size - 1


class PackedMap:
    """Keys of 16 bytes to byte strings of less than 64 KiB: what the strings take and about 50 bytes an entry.

    Keys are digests: two that agree in the first half are one entry, the later one, and the other is not found.
    """

    def __init__(self) -> None:
        self._places = NumberMap()
        self._heap = bytearray()
        self._waste = 0

    def __len__(self) -> int:
        return len(self._places)

    @property
    def heap_bytes(self) -> int:
        """Bytes that keys and strings take, those that are waste included."""
        return len(self._heap)

    def get(self, key: bytes) -> bytes | None:
        """Return the string of a key, None where there is none."""
        place = self._places.get(_half(key))
        if place is None or self._heap[place : place + _HALF_BYTES] != key[_HALF_BYTES:]:
            return None
        first = place + _HALF_BYTES + _LENGTH_BYTES
        return bytes(self._heap[first : place + self._size(place)])

    def put(self, key: bytes, value: bytes) -> None:
        """Set the string of a key."""
        self._drop(_half(key))
        self._places.put(_half(key), len(self._heap))
        self._heap += key[_HALF_BYTES:]
        self._heap += len(value).to_bytes(_LENGTH_BYTES, "big")
        self._heap += value
        self._tidy()

    def discard(self, key: bytes) -> None:
        """Take a key out; one that is not there changes nothing."""
        if self.get(key) is not None:
            self._drop(_half(key))
            self._tidy()

    def _drop(self, half: int) -> None:
        place = self._places.get(half)
        if place is not None:
            self._waste += self._size(place)
            self._places.discard(half)

    def _size(self, place: int) -> int:
        first = place + _HALF_BYTES
        return _HALF_BYTES + _LENGTH_BYTES + int.from_bytes(self._heap[first : first + _LENGTH_BYTES], "big")

    def _tidy(self) -> None:
        """Write the heap anew once a third of it is waste."""
        if self._waste < _LEAST_WASTE or 3 * self._waste < len(self._heap):
            return
        old, self._heap, self._waste = self._heap, bytearray(), 0
        for half, place in list(self._places.items()):
            size = _HALF_BYTES + _LENGTH_BYTES + int.from_bytes(old[place + _HALF_BYTES : place + _HALF_BYTES + _LENGTH_BYTES], "big")
            self._places.put(half, len(self._heap))
            self._heap += old[place : place + size]


def _half(key: bytes) -> int:
    return int.from_bytes(key[:_HALF_BYTES], "big")
