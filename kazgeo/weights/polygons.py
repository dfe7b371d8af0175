"""Contiguity of polygons: exact by common vertices, or with hairline gaps and overlaps tolerated."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kazgeo.crs import has_place, local_metres
from kazgeo.errors import InputError, choice, positive_number
from kazgeo.weights.policy import Isolates, without_isolates
from kazgeo.weights.sphere import MAX_PAIRS, on_sphere, sound_shapes, with_nan
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
        Queen: any common point. Rook: a common stretch of border. With a tolerance that is the border of one within
        the tolerance of the other, longer than four times it: borders of less than twice the tolerance are missed, and
        a sharp corner can count.
    tolerance_m : float
        Metres. 0 asks for common vertices (queen) or common edges (rook), the same to the last digit, as libpysal and
        GeoDa do: borders that touch without a common vertex don't count, and a million polygons take seconds. Take
        a millimetre (0.001) for "touches anywhere".
    isolates : {"keep", "raise", "nearest"}
        Keep units without neighbours, refuse them, or tie each to the nearest other polygon.

    Returns
    -------
    Weights
        On the index of ``regions``.

    Raises
    ------
    InputError
        No CRS, repeated index, isolates with ``isolates="raise"``; a tolerance that is negative or above a quarter of
        the polygons' median width; with a tolerance, a map that spans more than a third of the globe.

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
    kind, policy = choice(Contiguity, kind, "kind"), choice(Isolates, isolates, "isolates")
    tolerance_m = positive_number(tolerance_m, "tolerance_m", "0 or more metres", zero=True)
    if not hasattr(regions, "geometry") or not hasattr(regions, "crs"):
        raise InputError(f"regions must be a GeoDataFrame; got {type(regions).__name__}")
    if regions.crs is None:
        raise InputError("regions have no CRS, so metres mean nothing; set it with regions.set_crs(...)")
    if not len(regions):
        return Weights.from_arrays(regions.index, np.empty(0, int), np.empty(0, int))
    if tolerance_m == 0:
        made = _exact(regions, kind)
    else:
        shapes = _flat(regions, tolerance_m)
        rows, cols = _near_pairs(shapes, tolerance_m)
        if kind is Contiguity.ROOK and len(rows):
            keep = _common_border(shapes[rows], shapes[cols], tolerance_m) > 4 * tolerance_m
            rows, cols = rows[keep], cols[keep]
        made = Weights.from_arrays(regions.index, np.r_[rows, cols], np.r_[cols, rows])
    return without_isolates(policy, made, regions, "raise tolerance_m")


def _flat(regions: geopandas.GeoDataFrame, tolerance_m: float) -> NDArray[Any]:
    """Return the polygons in metres on one plane, or refuse a map or a tolerance for which that says nothing."""
    import shapely

    sound = regions.geometry[has_place(sound_shapes(regions))]
    if len(sound):
        spots, _ = on_sphere(sound, "regions")
        middle = spots.mean(axis=0)
        if (spots @ middle < 0.5 * np.linalg.norm(middle)).any():  # more than 60 degrees of arc from the middle
            raise InputError(
                "regions must lie within a third of the globe for a tolerance in metres; take tolerance_m=0, which "
                "asks for common vertices, or a part of the map"
            )
    shapes = sound_shapes(regions.geometry.to_crs(local_metres(regions)))
    area = shapely.area(shapes)
    width = float(np.sqrt(np.median(area[area > 0]))) if (area > 0).any() else np.inf
    if tolerance_m > width / 4:
        raise InputError(
            f"tolerance_m must be small beside the polygons, whose median width is {width:,.0f} m; got "
            f"{tolerance_m:g}; take 0 (common vertices) or a few metres"
        )
    return shapes


def _exact(regions: geopandas.GeoDataFrame, kind: Contiguity) -> Weights:
    """Return contiguity by common vertices or edges."""
    import shapely

    shapes = regions.geometry.to_numpy()
    if kind is Contiguity.QUEEN:
        spots, owner = shapely.get_coordinates(shapes, return_index=True)
        broken = with_nan(spots, owner)
        if len(broken):
            sound = ~np.isin(owner, broken)
            spots, owner = spots[sound], owner[sound]
        return _sharing(regions.index, _same_spots(spots), owner)
    spots, owner, ring = _rings(shapes)
    broken = with_nan(spots, owner)
    if len(broken):
        sound = ~np.isin(owner, broken)
        spots, owner, ring = spots[sound], owner[sound], ring[sound]
    label = _same_spots(spots)
    edge = np.flatnonzero((ring[1:] == ring[:-1]) & (label[1:] != label[:-1]))
    one, other = np.minimum(label[edge], label[edge + 1]), np.maximum(label[edge], label[edge + 1])
    keys = one * (int(label.max(initial=0)) + 1) + other
    order = np.argsort(keys)
    keys = keys[order]
    label = np.r_[0, np.cumsum(keys[1:] != keys[:-1])][: len(keys)]  # small, for _sharing multiplies them by n
    return _sharing(regions.index, label, owner[edge[order]])


def _rings(shapes: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return all vertices of polygons, the shape that each belongs to, and a number of its ring."""
    import shapely

    whole = np.flatnonzero(np.isin(shapely.get_type_id(shapes), (3, 6)) & ~shapely.is_empty(shapes))
    _, spots, offsets = (
        shapely.to_ragged_array(shapes[whole], include_z=False) if len(whole) else (0, np.empty((0, 2)), [[0]])
    )
    sizes = np.diff(offsets[0])
    ring = np.repeat(np.arange(len(sizes)), sizes)
    _, owner = shapely.get_coordinates(shapes[whole], return_index=True)
    return spots, whole[owner], ring


def _same_spots(spots: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return a number for every spot, the same for equal coordinates; sorting by a hash is faster than by both."""
    mixed = _mixed(spots)
    order = np.argsort(mixed)
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


def _mixed(spots: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Return a hash of every spot."""
    bits = np.ascontiguousarray(spots + 0.0).view(np.uint64)  # + 0.0: minus zero is zero
    mixed: NDArray[np.uint64] = bits[:, 0] * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(32)  # else the signs of x and y would cancel out
    mixed += bits[:, 1]
    mixed *= np.uint64(0xC2B2AE3D27D4EB4F)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(32)
    return mixed


def _sharing(ids: pd.Index, label: NDArray[np.int64], owner: NDArray[np.int64]) -> Weights:
    """Return binary weights between owners of the same label."""
    n = len(ids)
    keys = label * n + owner
    keys.sort()
    keys = keys[np.r_[True, keys[1:] != keys[:-1]]] if len(keys) else keys
    label, owner = keys // n, keys % n
    together = np.bincount(label - label.min(initial=0)) if len(label) else label
    if (together * (together - 1.0)).sum() > 2 * MAX_PAIRS:
        raise InputError(
            f"regions must share their vertices with few others; {together.max():,} share one: are they stacked on "
            "each other?"
        )
    found, step = [], 1
    same = np.flatnonzero(label[1:] == label[:-1])
    while len(same):
        found.append(owner[same] * n + owner[same + step])  # owners rise within a label: one < other
        step += 1
        same = same[same + step < len(label)]
        same = same[label[same] == label[same + step]]
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
