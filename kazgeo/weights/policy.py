"""What becomes of units without neighbours; where units lie on the sphere and which are nearest."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from kazgeo.crs import has_place, unit_sphere
from kazgeo.errors import InputError, listing, unknown
from kazgeo.weights.type import Weights, canonical_order

if TYPE_CHECKING:
    import geopandas
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["SAME", "Isolates", "nearest", "on_sphere", "one_of", "sound_shapes", "with_nan", "without_isolates"]

#: Chords of the unit sphere that differ by less are ties (6 micrometres on the ground).
SAME = 1e-12


Choice = TypeVar("Choice", bound=StrEnum)


class Isolates(StrEnum):
    """What becomes of a unit without neighbours."""

    KEEP = "keep"
    RAISE = "raise"
    NEAREST = "nearest"


def one_of(kind: type[Choice], value: str, name: str) -> Choice:
    """Return the member of ``kind`` with that value.

    Raises
    ------
    InputError
        No such value; ``name`` is the parameter.

    Examples
    --------
    >>> one_of(Isolates, "keep", "isolates").value
    'keep'
    >>> one_of(Isolates, "near", "isolates")
    Traceback (most recent call last):
    kazgeo.errors.InputError: isolates 'near' is not one of the choices; did you mean 'nearest'?
    """
    if value not in {member.value for member in kind}:
        raise unknown(name, str(value), [member.value for member in kind], "one of the choices")
    return kind(value)


def sound_shapes(layer: geopandas.GeoDataFrame | geopandas.GeoSeries) -> NDArray[Any]:
    """Return the shapes, None for those with a NaN coordinate: bounds don't tell them and GEOS chokes on them."""
    import shapely

    shapes = np.asarray(layer.geometry.to_numpy())
    broken = with_nan(*shapely.get_coordinates(shapes, return_index=True))
    if len(broken):
        shapes = shapes.copy()
        shapes[broken] = None
    return shapes


def with_nan(spots: NDArray[np.float64], owner: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the owners of spots with a NaN coordinate."""
    if np.isfinite(spots.sum()):  # the usual case, at once
        return np.empty(0, dtype=np.int64)
    return np.unique(owner[np.isnan(spots).any(axis=1)])


def on_sphere(layer: geopandas.GeoDataFrame) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return unit-sphere coordinates and positions of the rows that have a place; polygons by a point inside.

    Raises
    ------
    InputError
        No CRS.
    """
    import shapely

    if layer.crs is None:
        raise InputError("points have no CRS, so the nearest can't be told; set it with points.set_crs(...)")
    shapes = layer.geometry.to_numpy()
    points = bool((shapely.get_type_id(shapes) <= 0).all())  # points and missing ones
    if points:
        at = np.column_stack([shapely.get_x(shapes), shapely.get_y(shapes)])
        placed = np.flatnonzero(np.isfinite(at).all(axis=1))
        if layer.crs.is_geographic and layer.crs.to_epsg() == 4326:
            return unit_sphere(at[placed, 0], at[placed, 1]), placed
    else:
        placed = np.flatnonzero(has_place(sound_shapes(layer)))
    spots = layer.geometry.iloc[placed]
    spots = (spots if points else spots.representative_point()).to_crs(4326)
    return unit_sphere(spots.x.to_numpy(), spots.y.to_numpy()), placed


def without_isolates(policy: Isolates, made: Weights, layer: geopandas.GeoDataFrame, remedy: str) -> Weights:
    """Apply the policy; ``remedy`` is what the message advises.

    Raises
    ------
    InputError
        Isolates under "raise".
    """
    lonely = made.isolates
    if not len(lonely) or policy is Isolates.KEEP:
        return made
    spots, placed = on_sphere(layer)
    ids = layer.index[placed]
    if policy is Isolates.RAISE:
        who = f"{len(lonely)} unit{'s have' if len(lonely) > 1 else ' has'} no neighbour: {listing(lonely)}"
        nowhere = lonely[~lonely.isin(ids)]
        if len(nowhere):
            raise InputError(f"{who}; of these without a place (geometry missing or empty): {listing(nowhere)}")
        raise InputError(f"{who}; {remedy}, or choose isolates='nearest'")
    if len(placed) < 2:
        return made
    of = np.flatnonzero(ids.isin(lonely))
    rows, cols = placed[of], placed[nearest(spots, ids, 1, of)[0][:, 0]]
    links = made.matrix.tocoo()
    weakest = made.data.min(initial=np.inf)  # no tie over a distance is stronger than one within it
    data = np.r_[links.data, np.full(2 * len(of), weakest if np.isfinite(weakest) else 1.0)]
    return Weights.from_arrays(made.ids, np.r_[links.coords[0], rows, cols], np.r_[links.coords[1], cols, rows], data)


def nearest(
    spots: NDArray[np.float64], ids: pd.Index, k: int, of: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return positions of the k nearest of every spot (or those at ``of``) and their chords, both shape (spots, k).

    Distances that tie at the end of the k are settled by the order of ids: such rows ask for more neighbours until the
    tie is in sight, and the rest need only one more than k.

    Raises
    ------
    InputError
        k not a whole number, below 1, or not below the number of spots.
    """
    from scipy.spatial import cKDTree

    m = len(spots)
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or not 1 <= k < m:
        raise InputError(
            f"k must be a whole number, at least 1 and less than the number of placed units ({m}); got {k!r}"
        )
    rank = np.empty(m, dtype=np.int64)
    rank[canonical_order(ids)] = np.arange(m)
    cols, chords = np.empty((m, k), dtype=np.int64), np.empty((m, k))
    members = _without_crowds(spots, rank, k + 1)
    size, tree = len(members), cKDTree(spots[members], balanced_tree=False)
    todo = _by_leaf(tree, members, m) if of is None else of
    reach = k + 2
    while len(todo):
        reach = min(reach, size)
        distance, near = tree.query(spots[todo], k=reach, workers=-1)
        near = members[near] if size < m else near
        own = near == todo[:, None]
        distance = np.where(own, np.inf, distance)
        order = np.argsort(distance, axis=1, kind="stable")
        distance, near = np.take_along_axis(distance, order, axis=1), np.take_along_axis(near, order, axis=1)
        last = np.where(own.any(axis=1), distance[:, reach - 2], distance[:, reach - 1])
        clear = (last - distance[:, k - 1] > SAME) | (reach == size)
        tied = clear & (distance[:, min(k, reach - 1)] - distance[:, k - 1] <= SAME)
        plain = clear & ~tied
        cols[todo[plain]], chords[todo[plain]] = near[plain, :k], distance[plain, :k]
        best = np.lexsort((rank[near[tied]], np.round(distance[tied] / SAME)), axis=1)[:, :k]
        cols[todo[tied]] = np.take_along_axis(near[tied], best, axis=1)
        chords[todo[tied]] = np.take_along_axis(distance[tied], best, axis=1)
        todo, reach = todo[~clear], 2 * reach
    return (cols, chords) if of is None else (cols[of], chords[of])


def _without_crowds(spots: NDArray[np.float64], rank: NDArray[np.int64], many: int) -> NDArray[np.int64]:
    """Return positions of the spots, without those that ``many`` others at the very same spot go before.

    They can't be among the nearest, and thousands of units geocoded to one place would cost thousands squared.
    """
    line = spots[:, 0] * 0.618 + spots[:, 1] * 0.755 + spots[:, 2] * 0.57  # equal spots fall on equal places of it
    line.sort()
    if not (line[many:] == line[:-many]).any():
        return np.arange(len(spots))
    order = np.lexsort((rank, *spots.T))
    behind = (spots[order][many:] == spots[order][:-many]).all(axis=1)
    return np.sort(np.r_[order[:many], order[many:][~behind]])


def _by_leaf(tree: Any, members: NDArray[np.int64], m: int) -> NDArray[np.int64]:
    """Return all positions in the order of the tree's leaves: neighbours asked together are found in the cache."""
    order: NDArray[np.int64] = members[tree.indices]
    return order if len(order) == m else np.r_[order, np.setdiff1d(np.arange(m), members)]
