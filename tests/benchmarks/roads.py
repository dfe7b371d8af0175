"""A realistic road network for benchmarks: clustered towns, a hierarchy of highways, any size, seeded."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd
import scipy.sparse as sp
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import Delaunay

from kazgeo.network import Network

__all__ = ["points_of_interest", "synthetic"]

#: Kilometres of the side of the country for the sizes of the notes.
_SIDE_KM = {50_000: 300.0, 500_000: 950.0, 2_000_000: 1900.0}
_HUBS = 60


@functools.cache
def synthetic(n: int, seed: int = 5) -> Network:
    """Return a connected network of ``n`` nodes whose edges run both ways, nodes numbered along a Z-curve.

    Towns of all sizes with streets around them and villages between; streets are the Urquhart graph of the points
    (Delaunay without the longest side of every triangle) and 6 % of the sides left out; highways run along the
    quickest ways between 60 hubs at 100 to 110 km/h, other roads at 30 to 80.
    """
    rng = np.random.default_rng(seed)
    side = _SIDE_KM.get(n, 300.0 * np.sqrt(n / 50_000)) * 1000
    xy = _z_order(_towns(rng, n, side), side)
    start, end = _streets(rng, xy)
    length = np.hypot(*(xy[start] - xy[end]).T) * rng.uniform(1.0, 1.3, len(start)) + 1.0
    speed = rng.choice([30.0, 40.0, 50.0, 60.0, 80.0], len(start), p=[0.25, 0.25, 0.2, 0.2, 0.1])
    fast = _highways(rng, xy, start, end, length / speed)
    speed[fast] = rng.choice([100.0, 110.0], int(fast.sum()))
    lat = 48.0 + xy[:, 1] / 111_320 - side / 2 / 111_320
    lon = 67.0 + (xy[:, 0] - side / 2) / (111_320 * np.cos(np.radians(48.0)))
    return Network(pd.RangeIndex(n), lon, lat, start, end, length, length / (speed / 3.6))


def points_of_interest(n: int, count: int, seed: int = 6) -> np.ndarray:
    """Return ``count`` different nodes."""
    return np.sort(np.random.default_rng(seed).choice(n, count, replace=False)).astype(np.int64)


def _towns(rng: np.random.Generator, n: int, side: float) -> np.ndarray:
    """Return points: seven of ten in towns whose sizes follow Zipf's rule, the others anywhere."""
    towns = max(20, n // 1500)
    share = 1.0 / np.arange(1, towns + 1)
    inside = int(0.7 * n)
    of = rng.choice(towns, inside, p=share / share.sum())
    centre, spread = rng.uniform(0, side, (towns, 2)), 300.0 * np.sqrt(share * inside / share.sum() / 10 + 5)
    near = centre[of] + rng.normal(0, 1, (inside, 2)) * spread[of, None]
    outside = ((near < 0) | (near > side)).any(axis=1)
    near[outside] = rng.uniform(0, side, (int(outside.sum()), 2))
    return np.r_[near, rng.uniform(0, side, (n - inside, 2))]


def _z_order(xy: np.ndarray, side: float) -> np.ndarray:
    """Return the points in the order of a Z-curve."""
    cells = np.minimum((xy / side * 65535).astype(np.uint64), 65535)
    key = np.zeros(len(xy), np.uint64)
    for bit in range(16):
        for axis in (0, 1):
            key |= ((cells[:, axis] >> np.uint64(bit)) & np.uint64(1)) << np.uint64(2 * bit + axis)
    return np.ascontiguousarray(xy[np.argsort(key, kind="stable")])


def _streets(rng: np.random.Generator, xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the streets."""
    n = len(xy)
    corners = Delaunay(xy).simplices.astype(np.int64)
    sides = np.stack([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]], axis=1)
    length = np.linalg.norm(xy[sides[..., 0]] - xy[sides[..., 1]], axis=2)
    key = np.minimum(sides[..., 0], sides[..., 1]) * n + np.maximum(sides[..., 0], sides[..., 1])
    longest = key[np.arange(len(key)), length.argmax(axis=1)]
    every = np.unique(key)
    kept = np.setdiff1d(every, longest)
    left = np.intersect1d(every, longest)
    long = np.linalg.norm(xy[left // n] - xy[left % n], axis=1)
    extra = rng.choice(left[long < np.median(long)], int(0.06 * len(kept)), replace=False)
    chosen = np.sort(np.r_[kept, extra])
    return chosen // n, chosen % n


def _highways(
    rng: np.random.Generator, xy: np.ndarray, start: np.ndarray, end: np.ndarray, time: np.ndarray
) -> np.ndarray:
    """Return which edges lie on the quickest ways between neighbouring hubs."""
    n = len(xy)
    hubs = rng.choice(n, _HUBS, replace=False)
    graph = sp.csr_array((time, (start, end)), shape=(n, n))
    on = np.zeros((0, 2), np.int64)
    pairs = Delaunay(xy[hubs]).simplices
    near = {(min(a, b), max(a, b)) for t in pairs.tolist() for a, b in ((t[0], t[1]), (t[1], t[2]), (t[2], t[0]))}
    for hub in sorted({a for a, _ in near}):
        before = dijkstra(graph, directed=False, indices=hubs[hub], return_predecessors=True)[1]
        for other in sorted(b for a, b in near if a == hub):
            way = [int(hubs[other])]
            while way[-1] != hubs[hub]:
                way.append(int(before[way[-1]]))
            on = np.r_[on, np.c_[way[:-1], way[1:]]]
    wanted = np.minimum(on[:, 0], on[:, 1]) * n + np.maximum(on[:, 0], on[:, 1])
    return np.isin(np.minimum(start, end) * n + np.maximum(start, end), wanted)
