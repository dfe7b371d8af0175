"""Contiguity of polygons: exact by common vertices, or with hairline gaps and overlaps tolerated."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kazgeo.crs import has_place, local_metres
from kazgeo.errors import InputError
from kazgeo.weights.policy import Isolates, without_isolates
from kazgeo.weights.type import Weights

if TYPE_CHECKING:
    import geopandas
    from numpy.typing import NDArray

__all__ = ["Contiguity", "contiguity"]


class Contiguity(StrEnum):
    """What makes two polygons neighbours."""

    QUEEN = "queen"
    ROOK = "rook"


def contiguity(
    regions: geopandas.GeoDataFrame,
    *,
    kind: Contiguity | str = Contiguity.QUEEN,
    tolerance_m: float = 100.0,
    isolates: Isolates | str = Isolates.KEEP,
) -> Weights:
    """Return binary weights between polygons that touch, hairline gaps and overlaps tolerated.

    Assumption: a gap or overlap narrower than ``tolerance_m`` is a fault of digitising, not a strip of land. (The
    216 districts of 2018 fall into three pieces when vertices must match to the digit, and into one at 100 m.)

    Parameters
    ----------
    regions : GeoDataFrame
        Polygons with a unique index and a CRS; missing and empty geometries become isolates.
    kind : {"queen", "rook"}
        Queen: any common point. Rook: a common stretch of border, longer than four times the tolerance.
    tolerance_m : float
        Metres. 0 asks for common vertices (queen) or common edges (rook), the same to the last digit, as libpysal and
        GeoDa do: borders that touch without a common vertex don't count, and a million polygons take seconds. Take
        a millimetre (0.001) for "touches anywhere".
    isolates : {"keep", "raise", "nearest"}
        Keep units without neighbours, refuse them, or tie each to its nearest unit.

    Returns
    -------
    Weights
        On the index of ``regions``.

    Raises
    ------
    InputError
        No CRS, repeated index, negative tolerance, or isolates with ``isolates="raise"``.

    Examples
    --------
    >>> import geopandas, shapely
    >>> squares = [shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1), shapely.box(2, 1, 3, 2), None]
    >>> layer = geopandas.GeoDataFrame(geometry=squares, index=list("abcd"), crs=32642)
    >>> contiguity(layer, tolerance_m=0)
    <Weights: 4 units, 4 links, neighbours 0 to 2 (mean 1.00); 2 components; 1 isolate: 'd'>
    >>> contiguity(layer, kind="rook", tolerance_m=0)
    <Weights: 4 units, 2 links, neighbours 0 to 1 (mean 0.50); 3 components; 2 isolates: 'c', 'd'>
    >>> contiguity(layer.iloc[:0])
    <Weights: 0 units>
    """
    kind, policy = Contiguity(kind), Isolates(isolates)
    if not np.isfinite(tolerance_m) or tolerance_m < 0:
        raise InputError(f"tolerance_m must be 0 or more metres; got {tolerance_m}")
    if regions.crs is None:
        raise InputError("regions have no CRS, so metres mean nothing; set it with regions.set_crs(...)")
    if not len(regions):
        return Weights.from_arrays(regions.index, np.empty(0, int), np.empty(0, int))
    if tolerance_m == 0:
        made = _exact(regions, kind)
    else:
        shapes = regions.geometry.to_crs(local_metres(regions)).to_numpy()
        rows, cols = _near_pairs(shapes, tolerance_m)
        if kind is Contiguity.ROOK and len(rows):
            keep = _common_border(shapes[rows], shapes[cols], tolerance_m) > 4 * tolerance_m
            rows, cols = rows[keep], cols[keep]
        made = Weights.from_arrays(regions.index, np.r_[rows, cols], np.r_[cols, rows])
    return without_isolates(policy, made, regions, "raise tolerance_m")


def _exact(regions: geopandas.GeoDataFrame, kind: Contiguity) -> Weights:
    """Return contiguity by common vertices or edges."""
    import shapely

    shapes = regions.geometry.to_numpy()
    if kind is Contiguity.QUEEN:
        spots, owner = shapely.get_coordinates(shapes, return_index=True)
        return _sharing(regions.index, _same_spots(spots), owner)
    parts, whole = shapely.get_parts(shapes, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    whose = whole[part]
    spots, ring = shapely.get_coordinates(rings, return_index=True)
    label = _same_spots(spots)
    edge = np.flatnonzero((ring[1:] == ring[:-1]) & (label[1:] != label[:-1]))
    one, other = np.minimum(label[edge], label[edge + 1]), np.maximum(label[edge], label[edge + 1])
    return _sharing(regions.index, one * (int(label.max(initial=0)) + 1) + other, whose[ring[edge]])


def _same_spots(spots: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return a number for every spot, the same for equal coordinates; sorting by a hash is faster than by both."""
    bits = np.ascontiguousarray(spots + 0.0).view(np.uint64)  # + 0.0: minus zero is zero
    mixed = (bits[:, 0] * np.uint64(0x9E3779B97F4A7C15)) ^ (bits[:, 1] * np.uint64(0xC2B2AE3D27D4EB4F))
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    order = np.argsort(mixed ^ (mixed >> np.uint64(32)))
    ranked = spots[order]
    new = np.empty(len(spots), dtype=np.int64)
    fresh = (ranked[1:] != ranked[:-1]).any(axis=1)
    hashed = mixed[order]
    if (fresh & (hashed[1:] == hashed[:-1])).any():  # two spots with one hash may lie mixed: sort by the spots
        order = np.lexsort((spots[:, 1], spots[:, 0]))
        ranked = spots[order]
        fresh = (ranked[1:] != ranked[:-1]).any(axis=1)
    new[order] = np.r_[0, np.cumsum(fresh)] if len(spots) else 0
    return new


def _sharing(ids: pd.Index, label: NDArray[np.int64], owner: NDArray[np.int64]) -> Weights:
    """Return binary weights between owners of the same label."""
    n = len(ids)
    keys = label * n + owner
    keys.sort()
    keys = keys[np.r_[True, keys[1:] != keys[:-1]]] if len(keys) else keys
    label, owner = keys // n, keys % n
    found, step = [], 1
    while step < len(label):
        same = np.flatnonzero(label[step:] == label[:-step])
        if not len(same):
            break
        found.append(owner[same] * n + owner[same + step])  # owners rise within a label: one < other
        step += 1
    pairs = np.concatenate([np.empty(0, dtype=np.int64), *found])
    pairs.sort()
    pairs = pairs[np.r_[True, pairs[1:] != pairs[:-1]]] if len(pairs) else pairs
    one, other = pairs // n, pairs % n
    links = np.concatenate([pairs, other * n + one])
    links.sort()
    indptr = np.r_[0, np.cumsum(np.bincount(one, minlength=n) + np.bincount(other, minlength=n))]
    return Weights(ids, indptr.astype(np.int64), links % n, np.ones(len(links)))


def _near_pairs(shapes: NDArray[Any], tolerance_m: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return positions (i < j) of the shapes that lie within the tolerance of each other."""
    import shapely

    usable = np.flatnonzero(has_place(shapes))
    tree = shapely.STRtree(shapes[usable])
    left, right = tree.query(shapes[usable], predicate="dwithin", distance=tolerance_m)
    keep = left < right
    return usable[left[keep]], usable[right[keep]]


def _common_border(left: NDArray[Any], right: NDArray[Any], tolerance_m: float) -> NDArray[np.float64]:
    """Return the length of border that each pair has in common, the same whichever of the two comes first."""
    import shapely

    ways = []
    for one, other in ((left, right), (right, left)):
        near = shapely.buffer(other, tolerance_m, quad_segs=2)
        ways.append(shapely.length(shapely.intersection(shapely.boundary(one), near)))
    return np.asarray(np.maximum(*ways))
