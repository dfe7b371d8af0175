"""Lengths along lines, the price of junctions, and ids for new nodes: what all makers of networks share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kazgeo.network.model import Network, Shapes

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SHORTEST_S", "add_junctions", "fresh_ids", "line_lengths_m", "one_if_same", "segments_m", "shapes_of"]

#: No edge takes less: engines need positive times.
SHORTEST_S = 1e-3


def segments_m(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return geodesic metres between consecutive points, shape (p - 1,), on the ellipsoid WGS 84.

    Examples
    --------
    >>> segments_m(np.array([[71.0, 51.0], [71.0, 52.0], [71.0, 52.0]])).round(1).tolist()
    [111257.8, 0.0]
    >>> segments_m(np.empty((0, 2))).tolist()
    []
    """
    import pyproj

    if len(xy) < 2:
        return np.empty(0)
    x, y = np.ascontiguousarray(xy[:, 0]), np.ascontiguousarray(xy[:, 1])
    return np.asarray(pyproj.Geod(ellps="WGS84").inv(x[:-1], y[:-1], x[1:], y[1:])[2], dtype=float)


def line_lengths_m(xy: NDArray[np.float64], offset: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the geodesic length of every line of points in one array, as ``Shapes`` holds them."""
    whole = np.r_[0.0, np.cumsum(segments_m(xy))]
    return np.asarray(whole[offset[1:] - 1] - whole[offset[:-1]]) if len(offset) > 1 else np.empty(0)


def shapes_of(network: Network) -> Shapes:
    """Return the lines of a network; straight ones where it holds none."""
    if network.shapes is not None:
        return network.shapes
    i, j = network.start, network.end
    ends = np.stack([np.c_[network.lon[i], network.lat[i]], np.c_[network.lon[j], network.lat[j]]], axis=1)
    return Shapes(ends.reshape(-1, 2), 2 * np.arange(network.m + 1))


def add_junctions(
    ends: tuple[NDArray[np.int64], NDArray[np.int64]],
    times: tuple[NDArray[np.float64], NDArray[np.float64]],
    junction_s: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], dict[str, NDArray[np.float64]]]:
    """Add seconds for entering a node where three or more edge ends meet.

    Parameters
    ----------
    ends : (start, end)
        Positions of the nodes of every edge.
    times : (forward, backward)
        Seconds each way, infinite where closed. Edges that are closed both ways make no junction.
    junction_s : float
        Seconds, not negative.

    Returns
    -------
    forward, backward : arrays
        Seconds with the junctions.
    columns : dict
        ``wait_s`` and ``wait_back_s``, the part of these that no speed changes; empty without a penalty.
    """
    (start, end), (forward, backward) = ends, times
    if junction_s == 0 or not len(start):
        return forward, backward, {}
    open_ = np.isfinite(forward) | np.isfinite(backward)
    degree = np.bincount(np.r_[start[open_], end[open_]], minlength=int(max(start.max(), end.max())) + 1)
    wait, back = (np.where(degree[node] >= 3, junction_s, 0.0) for node in (end, start))
    return forward + wait, backward + back, {"wait_s": wait, "wait_back_s": back}


def one_if_same(forward: NDArray[np.float64], backward: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the times backwards, or None where every edge takes the same time both ways."""
    return None if np.array_equal(forward, backward) else backward


def fresh_ids(taken: pd.Index, count: int) -> list[Any]:
    """Return ids that no node has: negative numbers among numbers, else ``new:1`` and so on.

    Examples
    --------
    >>> fresh_ids(pd.Index([5, 7]), 2), fresh_ids(pd.Index(["a", "new:1"]), 2), fresh_ids(pd.Index([-3, 7]), 1)
    ([-1, -2], ['new:2', 'new:3'], [-4])
    >>> fresh_ids(pd.Index([]), 0)
    []
    """
    if pd.api.types.is_integer_dtype(taken.dtype):
        low = min(0, int(taken.min())) if len(taken) else 0
        return [low - 1 - k for k in range(count)]
    have, k = set(taken), 0
    found: list[Any] = []
    while len(found) < count:
        k += 1
        if f"new:{k}" not in have:
            found.append(f"new:{k}")
    return found
