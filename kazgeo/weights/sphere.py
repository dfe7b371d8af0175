"""Where units lie on the sphere, which are nearest to each other, and which lie within a distance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from kazgeo.crs import chord_to_metres, has_place, metres_to_chord, unit_sphere
from kazgeo.errors import InputError, listing
from kazgeo.labels import canonical_order

if TYPE_CHECKING:
    import geopandas
    from numpy.typing import NDArray

__all__ = [
    "SAME",
    "Pairs",
    "nearest",
    "nearest_metres",
    "on_sphere",
    "pairs_within",
    "placed_points",
    "sound_shapes",
    "with_nan",
]

#: Chords of the unit sphere that differ by less are ties (6 micrometres on the ground).
SAME = 1e-12
#: Share of a distance beyond it that still counts as within, so that points on a grid lie within the grid's own step.
ROUNDING = 1e-9
#: Pairs of units that are still made; as weights they take about 4 GB.
MAX_PAIRS = 20_000_000


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


def on_sphere(layer: geopandas.GeoDataFrame, name: str = "points") -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return unit-sphere coordinates and positions of the rows that have a place; polygons by a point inside.

    Raises
    ------
    InputError
        No CRS.
    """
    import shapely

    if not hasattr(layer, "geometry") or not hasattr(layer, "crs"):
        raise InputError(f"{name} must be a GeoDataFrame; got {type(layer).__name__}")
    if layer.crs is None:
        raise InputError(f"{name} have no CRS, so distances can't be told; set it with {name}.set_crs(...)")
    shapes = layer.geometry.to_numpy()
    points = bool((shapely.get_type_id(shapes) <= 0).all())  # points and missing ones
    if points:
        some = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))  # GEOS chokes on empty ones
        at = shapely.get_coordinates(shapes[some])
        finite = np.isfinite(at).all(axis=1)
        placed = some[finite]
        if layer.crs.is_geographic and layer.crs.to_epsg() == 4326:
            x, y = at[finite].T
            return unit_sphere(*_on_earth(x, y, layer.index[placed], name)), placed
    else:
        placed = np.flatnonzero(has_place(sound_shapes(layer)))
    spots = layer.geometry.iloc[placed]
    spots = (spots if points else spots.representative_point()).to_crs(4326)
    return unit_sphere(*_on_earth(spots.x.to_numpy(), spots.y.to_numpy(), spots.index, name)), placed


def _on_earth(
    lon: NDArray[np.float64], lat: NDArray[np.float64], ids: pd.Index, name: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return longitudes and latitudes, or refuse what are no degrees."""
    off = ~((np.abs(lat) <= 90) & (np.abs(lon) <= 540))
    if off.any():
        raise InputError(
            f"{name} must lie on the Earth; latitudes beyond 90 degrees, or no place in their CRS: "
            f"{listing(ids[off])}; the CRS may be another one: metres called degrees, or longitude and latitude swapped"
        )
    return lon, lat


def placed_points(points: Any, name: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return unit-sphere coordinates, shape (m, 3), and row positions of the rows that have a place, by rising id.

    Raises
    ------
    InputError
        No geometries, no CRS, or repeated ids.

    Examples
    --------
    >>> import geopandas
    >>> at = geopandas.GeoSeries.from_xy([0.0, 90.0], [0.0, 0.0], index=["b", "a"], crs=4326)
    >>> spots, rows = placed_points(at.to_frame("geometry"), "points")
    >>> spots.round(3).tolist(), rows.tolist()
    ([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]], [1, 0])
    """
    if hasattr(points, "index") and not points.index.is_unique:
        raise InputError(f"{name} must have unique ids; repeated: {listing(points.index[points.index.duplicated()])}")
    spots, placed = on_sphere(points, name)
    rank = np.empty(len(points), dtype=np.int64)
    rank[canonical_order(points.index)] = np.arange(len(points))
    order = np.argsort(rank[placed])
    return spots[order], placed[order]


def nearest_metres(spots: NDArray[np.float64], k: int = 1) -> NDArray[np.float64]:
    """Return great-circle metres from every point of the unit sphere to its k-th nearest other point.

    Examples
    --------
    >>> towns = unit_sphere(np.array([71.0, 71.0, 73.0]), np.array([51.0, 52.0, 51.0]))
    >>> (nearest_metres(towns) / 1000).round().tolist()
    [111.0, 111.0, 140.0]
    """
    return chord_to_metres(nearest(spots, pd.RangeIndex(len(spots)), k)[1][:, -1])


class Pairs(NamedTuple):
    """Pairs of points, left < right, and the great-circle metres between them."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    metres: NDArray[np.float64]


def pairs_within(spots: NDArray[np.float64], reach_m: float, name: str) -> Pairs:
    """Return all pairs of points of the unit sphere within a distance, a billionth of it and rounding allowed.

    Raises
    ------
    InputError
        More pairs than memory should hold; ``name`` is the parameter with the distance.

    Examples
    --------
    >>> towns = unit_sphere(np.array([70.0, 71.0, 75.0]), np.zeros(3))
    >>> found = pairs_within(towns, 120_000, "threshold_m")
    >>> found.left.tolist(), found.right.tolist(), (found.metres / 1000).round().tolist()
    ([0], [1], [111.0])
    """
    from scipy.spatial import cKDTree

    nothing = np.empty(0, dtype=np.int64)
    if len(spots) < 2:
        return Pairs(nothing, nothing, np.empty(0))
    tree, chord = cKDTree(spots), metres_to_chord(reach_m * (1 + ROUNDING)) + SAME
    if len(spots) ** 2 > 2 * MAX_PAIRS:  # else there can't be too many
        count = (int(tree.count_neighbors(tree, chord)) - len(spots)) // 2
        if count > MAX_PAIRS:
            raise InputError(
                f"{name} must hold at most {MAX_PAIRS:,} pairs of points; {count:,} lie within {reach_m:,.0f} m; "
                "give smaller distances"
            )
    left, right = tree.query_pairs(chord, output_type="ndarray").T
    return Pairs(left, right, chord_to_metres(np.linalg.norm(spots[left] - spots[right], axis=1)))


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
    if not (line[many:] - line[:-many] <= SAME).any():
        return np.arange(len(spots))
    cells = np.round(spots / SAME)
    order = np.lexsort((rank, *cells.T))
    behind = (cells[order][many:] == cells[order][:-many]).all(axis=1)
    return np.sort(np.r_[order[:many], order[many:][~behind]])


def _by_leaf(tree: Any, members: NDArray[np.int64], m: int) -> NDArray[np.int64]:
    """Return all positions in the order of the tree's leaves: neighbours asked together are found in the cache."""
    order: NDArray[np.int64] = members[tree.indices]
    return order if len(order) == m else np.r_[order, np.setdiff1d(np.arange(m), members)]
