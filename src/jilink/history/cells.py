"""Cells: the earth in squares of 1/128 degree (about 0.87 km north to south), numbered so that neighbours stay near each other.

A cell is the Morton code (bits in turn) of x = floor((longitude + 180) x 128) and y = floor((latitude + 90) x 128).
It is below 2^31, so a signed 32-bit integer holds it. Dropping the two lowest bits `k` times gives the cell `k` levels coarser:
1/64 degree, 1/32 and so on.
"""

import numpy as np
import numpy.typing as npt

PER_DEGREE = 128
FINEST = 1 / PER_DEGREE
_MICRO = 1_000_000


def _spread() -> npt.NDArray[np.uint32]:
    """Each 16-bit number with a zero bit put after every bit."""
    v = np.arange(1 << 16, dtype=np.uint32)
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        v = (v | v << np.uint32(shift)) & np.uint32(mask)
    return v


_SPREAD = _spread()


def encode(latitude: npt.NDArray[np.int32], longitude: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Return the cell of each position; latitudes and longitudes in 1e-6 degrees WGS-84, within +-90 and +-180 degrees."""
    x = ((longitude.astype(np.int64) + 180 * _MICRO) * PER_DEGREE // _MICRO).astype(np.uint16)
    y = ((latitude.astype(np.int64) + 90 * _MICRO) * PER_DEGREE // _MICRO).astype(np.uint16)
    return (_SPREAD[x] | _SPREAD[y] << np.uint32(1)).view(np.int32)


def south_west(cells: npt.NDArray[np.int32], level: int = 0) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return latitude and longitude, degrees, of the south-west corner of cells of `level` (0 is the finest)."""
    code = cells.astype(np.uint32)
    size = (1 << level) / PER_DEGREE
    return _squeeze(code >> np.uint32(1)).astype(np.float64) * size - 90, _squeeze(code).astype(np.float64) * size - 180


def size_deg(level: int) -> float:
    """Return the side of a cell of that level in degrees."""
    return (1 << level) / PER_DEGREE


def _squeeze(code: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Undo `_spread`: keep every second bit."""
    v = code & np.uint32(0x55555555)
    for shift, mask in ((1, 0x33333333), (2, 0x0F0F0F0F), (4, 0x00FF00FF), (8, 0x0000FFFF)):
        v = (v | v >> np.uint32(shift)) & np.uint32(mask)
    return v
