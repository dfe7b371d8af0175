"""Points of all edges with their shares of the edge, and edges cut between shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kazgeo.network.model import Network
from kazgeo.network.places import metric_lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Vertices", "cut", "vertices"]


class Vertices(NamedTuple):
    """Points of lines in metres, line after line, with their shares of their edge.

    Parameters
    ----------
    xy : float64 array, shape (p, 2)
        Metres.
    share : float64 array, shape (p,)
        0 to 1 along the edge from its start.
    offset : int64 array, shape (lines + 1,)
        Where each line begins.
    """

    xy: NDArray[np.float64]
    share: NDArray[np.float64]
    offset: NDArray[np.int64]

    @property
    def line(self) -> NDArray[np.int64]:
        """Number of the line of every point."""
        return np.repeat(np.arange(len(self.offset) - 1), np.diff(self.offset))

    def lines(self) -> NDArray[Any]:
        """Return shapely lines."""
        import shapely

        return np.asarray(shapely.linestrings(self.xy, indices=self.line))


def vertices(network: Network, tolerance_m: float = 0.0) -> Vertices:
    """Return the points of all edges in local metres, made once; simplified by a tolerance (Douglas and Peucker)."""
    import shapely

    kept = network.topology.prepared.setdefault("vertices", {})
    if tolerance_m not in kept:
        lines = metric_lines(network)[1]
        xy, line = shapely.get_coordinates(lines, return_index=True)
        offset = np.searchsorted(line, np.arange(len(lines) + 1)).astype(np.int64)
        share = _shares(xy, offset, line)
        if tolerance_m > 0 and len(lines):
            lifted = shapely.linestrings(np.c_[xy, share], indices=line)
            plain = shapely.simplify(lifted, tolerance_m, preserve_topology=False)
            points, line = shapely.get_coordinates(plain, include_z=True, return_index=True)
            xy, share = points[:, :2], points[:, 2]
            offset = np.searchsorted(line, np.arange(len(lines) + 1)).astype(np.int64)
        kept[tolerance_m] = Vertices(xy, share, offset)
    found: Vertices = kept[tolerance_m]
    return found


def _shares(xy: NDArray[np.float64], offset: NDArray[np.int64], line: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return how far along its line every point lies; points of a line without length are spread evenly."""
    if not len(xy):
        return np.empty(0)
    step = np.r_[0.0, np.hypot(*np.diff(xy, axis=0).T)]
    step[offset[:-1]] = 0.0
    gone = np.cumsum(step)
    gone -= gone[offset[line]]
    total = gone[offset[1:] - 1][line]
    number = np.arange(len(xy)) - offset[line]
    even = number / np.maximum(np.diff(offset)[line] - 1, 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(total > 0, gone / total, even)
    share[offset[1:] - 1] = 1.0
    return np.asarray(share)


def cut(points: Vertices, edge: NDArray[np.int64], low: NDArray[np.float64], high: NDArray[np.float64]) -> Vertices:
    """Return the stretches of some edges between two shares, ends interpolated, points in between kept.

    Examples
    --------
    >>> bend = Vertices(np.array([[0.0, 0], [10, 0], [10, 10]]), np.array([0, 0.5, 1]), np.array([0, 3]))
    >>> cut(bend, np.array([0, 0]), np.array([0.25, 0.5]), np.array([0.75, 1.0])).xy.tolist()
    [[5.0, 0.0], [10.0, 0.0], [10.0, 5.0], [10.0, 0.0], [10.0, 10.0]]
    >>> cut(bend, np.array([], int), np.array([]), np.array([])).offset.tolist()
    [0]
    """
    key = points.share + np.repeat(np.arange(len(points.offset) - 1), np.diff(points.offset))
    first, last = points.offset[edge] + 1, points.offset[edge + 1] - 1
    begin = np.clip(np.searchsorted(key, edge + low, side="right"), first, last)
    end = np.maximum(begin, np.clip(np.searchsorted(key, edge + high, side="left"), first, last))
    size = end - begin + 2
    offset = np.r_[0, np.cumsum(size)].astype(np.int64)
    xy, share = np.empty((offset[-1], 2)), np.empty(offset[-1])
    inner = np.ones(offset[-1], bool)
    inner[offset[:-1]] = inner[offset[1:] - 1] = False
    source = np.repeat(begin - offset[:-1] - 1, size) + np.arange(offset[-1])
    xy[inner], share[inner] = points.xy[source[inner]], points.share[source[inner]]
    for at, where, after in ((offset[:-1], low, begin), (offset[1:] - 1, high, end)):
        a, b = points.share[after - 1], points.share[after]
        with np.errstate(invalid="ignore", divide="ignore"):
            part = np.where(b > a, np.clip((where - a) / (b - a), 0, 1), 0.0)[:, None]
        xy[at] = points.xy[after - 1] * (1 - part) + points.xy[after] * part
        share[at] = where
    return Vertices(xy, share, offset)
