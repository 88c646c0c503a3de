"""Which area a point lies in, for one point and for a million: shapes held ready, no database.

Coordinates are degrees, WGS-84. A point on a shared border belongs to the area that comes first, so that it has exactly one.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

NOWHERE = -1
METRES_A_DEGREE = 111_320.0


class ShapeIndex:
    """Shapes of one layer and level, in a tree. Areas are named by their place in the sequence given."""

    def __init__(self, shapes: Sequence[BaseGeometry]) -> None:
        self._shapes = np.array(shapes, dtype=object)
        self._tree = shapely.STRtree(self._shapes)
        shapely.prepare(self._shapes)

    def __len__(self) -> int:
        return len(self._shapes)

    def locate(self, longitudes: NDArray[np.float64], latitudes: NDArray[np.float64]) -> NDArray[np.int32]:
        """Return for each point the area that covers it, NOWHERE where none does (int32, the shape of the input)."""
        points = shapely.points(longitudes, latitudes)
        pairs = self._tree.query(points)  # by box: (points, areas)
        order = np.argsort(pairs[1], kind="stable")
        at, area = pairs[0][order], pairs[1][order]
        found = np.full(len(points), NOWHERE, np.int32)
        starts = np.flatnonzero(np.diff(area, prepend=-1))
        for start, stop in pairwise([*starts.tolist(), len(area)]):  # each area once, with all its points together
            open_ = at[start:stop][found[at[start:stop]] == NOWHERE]
            inside = shapely.intersects_xy(self._shapes[area[start]], longitudes[open_], latitudes[open_])
            found[open_[inside]] = area[start]
        return found

    def within(self, longitude: float, latitude: float, metres: float) -> NDArray[np.int64]:
        """Return every area that is at most so far away from the point, sorted; those that cover it are at 0 m."""
        wide = metres / METRES_A_DEGREE
        stretch = max(float(np.cos(np.radians(latitude))), 0.01)
        box = shapely.box(longitude - wide / stretch, latitude - wide, longitude + wide / stretch, latitude + wide)
        near = np.sort(self._tree.query(box))

        def in_metres(points: NDArray[np.float64]) -> NDArray[np.float64]:
            return (points - (longitude, latitude)) * (METRES_A_DEGREE * stretch, METRES_A_DEGREE)

        cut = shapely.transform(shapely.intersection(self._shapes[near], box), in_metres)
        reached: NDArray[np.int64] = near[shapely.distance(cut, shapely.Point(0, 0)) <= metres]
        return reached
