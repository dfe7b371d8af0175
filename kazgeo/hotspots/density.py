"""Clusters of points by density: where settlements, or their people, stand close together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from kazgeo.autocorrelation.sample import numbers, positive_integer
from kazgeo.choices import DensityMethod
from kazgeo.crs import EARTH_RADIUS_M, chord_to_metres
from kazgeo.errors import InputError, choice, listing
from kazgeo.weights.sphere import ROUNDING, pairs_within, placed_points

if TYPE_CHECKING:
    import geopandas
    from numpy.typing import NDArray

__all__ = ["NOISE", "DensityClusters", "density_clusters"]

#: Label of points that belong to no cluster.
NOISE = "noise"


@dataclass(frozen=True, eq=False, kw_only=True)
class DensityClusters:
    """Clusters of points.

    Parameters
    ----------
    label : Series of str
        On the caller's index: "cluster-1" (most people, or most points without a weight), "cluster-2", ...,
        "noise", or "undefined" for points set aside.
    clusters : DataFrame
        Per cluster: ``n`` points, ``n_core`` (NaN for HDBSCAN), ``population`` (sum of the weights, or the points),
        ``lon`` and ``lat`` of the middle (weighted), ``radius_m`` (from the middle to the farthest point) and the
        extent ``west``, ``south``, ``east``, ``north``; degrees of WGS 84.
    core : Series of bool
        Points dense enough by themselves; None where set aside, and throughout for HDBSCAN.
    dropped : DataFrame
        Columns unit, reason: "no place" and "missing weight".
    parameters : dict
        The options of the call, plain values only.
    """

    label: pd.Series
    clusters: pd.DataFrame
    core: pd.Series
    dropped: pd.DataFrame
    parameters: dict[str, object]

    @property
    def n_noise(self) -> int:
        """Number of points that belong to no cluster."""
        return int((self.label == NOISE).sum())

    def to_frame(self) -> pd.DataFrame:
        """Return label and core on the caller's index."""
        return pd.DataFrame({"label": self.label, "core": self.core})


def density_clusters(
    points: geopandas.GeoDataFrame,
    *,
    method: DensityMethod | str = DensityMethod.DBSCAN,
    eps_m: float | None = None,
    min_points: int | None = None,
    min_population: float | None = None,
    weight: pd.Series | None = None,
) -> DensityClusters:
    """Return clusters of points that stand closer together than elsewhere; choose the points first.

    Assumption: nearness as the crow flies is what binds places. A cluster says where points are dense, not that
    they are denser than chance would have it: nothing is tested here.

    Parameters
    ----------
    points : GeoDataFrame
        With a CRS, for instance the depressed settlements only; polygons stand at their representative point.
        Distances are great-circle metres.
    method : {"dbscan", "hdbscan"}
        DBSCAN: a point is core when enough lies within ``eps_m`` of it, itself included; cores within ``eps_m`` of
        each other are one cluster; other points within ``eps_m`` of a core join the nearest. HDBSCAN: clusters that
        persist over all distances.
    eps_m : float
        Metres; wanted by DBSCAN: the bend of sorted ``kazgeo.weights.nearest_distances`` suggests it. HDBSCAN: clusters
        nearer than this are not parted further (0 by default).
    min_points : int
        DBSCAN: points within ``eps_m`` that make a core. HDBSCAN: the smallest cluster (5 by default for both).
    min_population : float
        DBSCAN, in place of ``min_points``: sum of the weights within ``eps_m`` that makes a core. HDBSCAN knows
        no weights, so that it is refused there.
    weight : Series
        People of every point, same units in any order; not negative; points with NaN are set aside. Orders the
        clusters whatever the method.

    Returns
    -------
    DensityClusters

    Raises
    ------
    InputError
        No CRS, a negative or missing ``eps_m``, both or neither thresholds where one is wanted, other units.

    Notes
    -----
    The result doesn't depend on the order of rows: a point within reach of two clusters joins that of its nearest
    core (the first by id of two equally near), where scikit-learn takes the cluster found first.

    References
    ----------
    Ester, M., Kriegel, H.-P., Sander, J. and Xu, X. (1996), A density-based algorithm for discovering clusters in
    large spatial databases with noise, KDD-96, p. 226-231 (no DOI); Campello, R. J. G. B., Moulavi, D. and Sander, J.
    (2013), doi:10.1007/978-3-642-37456-2_14.

    Examples
    --------
    >>> import geopandas
    >>> at = geopandas.points_from_xy([70, 70.01, 70.02, 71, 71.01, 73], [50, 50, 50, 50, 50, 50], crs=4326)
    >>> towns = geopandas.GeoDataFrame(geometry=at, index=list("abcdef"))
    >>> people = pd.Series([100, 100, 100, 4000, 4000, 90], index=list("abcdef"))
    >>> density_clusters(towns, eps_m=2_000, min_points=2, weight=people).label.tolist()
    ['cluster-2', 'cluster-2', 'cluster-2', 'cluster-1', 'cluster-1', 'noise']
    >>> got = density_clusters(towns, eps_m=2_000, min_population=500, weight=people.where(people > 95))
    >>> got.label.tolist(), got.dropped.to_numpy().tolist()
    (['noise', 'noise', 'noise', 'cluster-1', 'cluster-1', 'undefined'], [['f', 'missing weight']])
    >>> got.clusters[["n", "population", "radius_m"]].round().values.tolist()
    [[2.0, 8000.0, 357.0]]
    >>> len(density_clusters(towns.iloc[:0], eps_m=2_000).clusters)
    0
    """
    way = choice(DensityMethod, method, "method")
    eps = _eps(way, eps_m)
    if min_population is not None:
        _check_population(way, min_points, min_population, weight)
    least = 5 if min_points is None else positive_integer(min_points, "min_points")
    spots, rows, people, dropped = _usable(points, weight)
    if way is DensityMethod.HDBSCAN:
        found, core = _hdbscan(spots, eps, least), None
    else:
        dense = np.ones(len(spots)) if min_population is None else people
        found, core = _dbscan(spots, dense, eps, least if min_population is None else float(min_population))
    order = _by_weight(found, people)
    names = np.array([*(f"cluster-{k + 1}" for k in range(len(order))), NOISE], dtype=object)
    rank = np.full(len(order) + 1, len(order))  # the last: of label -1
    rank[order] = np.arange(len(order))
    label = np.full(len(points), "undefined", dtype=object)
    label[rows] = names[rank[found]]
    is_core = np.full(len(points), None, dtype=object)
    if core is not None:
        is_core[rows] = core
    return DensityClusters(
        label=pd.Series(label, index=points.index, name="label", dtype=object),
        clusters=_table(rank[found], spots, people, core, names[:-1]),
        core=pd.Series(is_core, index=points.index, name="core", dtype=object),
        dropped=dropped,
        parameters={
            "method": way.value,
            "eps_m": eps,
            "min_points": least if min_population is None else None,
            "min_population": min_population,
            "weighted": weight is not None,
        },
    )


def _eps(way: DensityMethod, eps_m: float | None) -> float:
    if eps_m is None:
        if way is DensityMethod.DBSCAN:
            raise InputError(
                "eps_m must be given for DBSCAN, metres; kazgeo.weights.nearest_distances(points, k) helps to choose it"
            )
        return 0.0
    least_wrong = eps_m <= 0 if way is DensityMethod.DBSCAN else eps_m < 0
    if not np.isfinite(eps_m) or least_wrong:
        raise InputError(f"eps_m must be positive metres; got {eps_m}")
    return float(eps_m)


def _check_population(
    way: DensityMethod, min_points: int | None, min_population: float, weight: pd.Series | None
) -> None:
    if way is DensityMethod.HDBSCAN:
        raise InputError("min_population is for DBSCAN; HDBSCAN counts points: use min_points, or method='dbscan'")
    if min_points is not None:
        raise InputError("min_points and min_population exclude each other; give one of them")
    if weight is None:
        raise InputError("min_population wants the people of every point; give weight")
    if not np.isfinite(min_population) or min_population <= 0:
        raise InputError(f"min_population must be a positive number of people; got {min_population}")


def _usable(
    points: Any, weight: pd.Series | None
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64], pd.DataFrame]:
    """Return places, rows and weights of the usable points, by rising id, and what was set aside."""
    spots, rows = placed_points(points, "points")
    people = np.ones(len(points))
    if weight is not None:
        given = pd.Series(numbers(weight, "weight"), index=weight.index)
        lacking = points.index.difference(given.index)
        if len(lacking):
            raise InputError(f"weight must have all points; it lacks {len(lacking)}: {listing(lacking)}")
        people = given.reindex(points.index).to_numpy()
        if (people < 0).any():
            raise InputError(f"weight must not be negative; negative at {listing(points.index[people < 0])}")
    weighed = ~np.isnan(people)
    placed = np.zeros(len(points), dtype=bool)
    placed[rows] = True
    nowhere, unknown = points.index[~placed], points.index[placed & ~weighed]
    reasons = ["no place"] * len(nowhere) + ["missing weight"] * len(unknown)
    units = [*sorted(nowhere, key=str), *sorted(unknown, key=str)]
    dropped = pd.DataFrame({"unit": pd.Series(units, dtype=object), "reason": pd.Series(reasons, dtype=object)})
    kept = weighed[rows]
    return spots[kept], rows[kept], people[rows[kept]], dropped


def _dbscan(
    spots: NDArray[np.float64], people: NDArray[np.float64], eps: float, least: float
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the cluster of every point (-1: noise), and which points are cores."""
    n = len(spots)
    if not n:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=bool)
    left, right, _ = pairs_within(spots, eps, "eps_m")
    near = sp.csr_array((np.ones(2 * len(left)), (np.r_[left, right], np.r_[right, left])), shape=(n, n))
    core = people + near @ people >= least * (1 - 1e-12)
    both = core[left] & core[right]
    links = sp.csr_array((np.ones(both.sum()), (left[both], right[both])), shape=(n, n))
    found = np.asarray(sp.csgraph.connected_components(links, directed=False)[1], dtype=np.int64)
    one = core[left] != core[right]
    inner = np.where(core[left[one]], left[one], right[one])
    outer = np.where(core[left[one]], right[one], left[one])
    metres = chord_to_metres(np.linalg.norm(spots[inner] - spots[outer], axis=1))
    order = np.lexsort((inner, np.round(metres / (eps * ROUNDING)), outer))
    border, first = np.unique(outer[order], return_index=True)
    out = np.where(core, found, -1)
    out[border] = found[inner[order][first]]
    _, out[out >= 0] = np.unique(out[out >= 0], return_inverse=True)
    return out, core


def _hdbscan(spots: NDArray[np.float64], eps: float, least: int) -> NDArray[np.int64]:
    """Return the cluster of every point by scikit-learn (-1: noise)."""
    if len(spots) <= max(2, least):
        return np.full(len(spots), -1, dtype=np.int64)
    from sklearn.cluster import HDBSCAN

    lon, lat = _degrees(spots)
    model = HDBSCAN(
        min_cluster_size=max(2, least), metric="haversine", cluster_selection_epsilon=eps / EARTH_RADIUS_M, copy=True
    )
    return np.asarray(model.fit(np.radians(np.column_stack([lat, lon]))).labels_, dtype=np.int64)


def _by_weight(found: NDArray[np.int64], people: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the clusters from the most people down, then the most points, then the first by id."""
    some = found >= 0
    n = int(found.max()) + 1 if some.any() else 0
    sums, counts = np.bincount(found[some], people[some], n), np.bincount(found[some], minlength=n)
    first = np.array([np.argmax(found == k) for k in range(n)], dtype=np.int64)
    return np.asarray(np.lexsort((first, -counts, -sums)), dtype=np.int64)


def _degrees(spots: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return longitudes and latitudes of vectors of any length."""
    x, y, z = spots.T
    return np.degrees(np.arctan2(y, x)), np.degrees(np.arctan2(z, np.hypot(x, y)))


def _table(
    rank: NDArray[np.int64],
    spots: NDArray[np.float64],
    people: NDArray[np.float64],
    core: NDArray[np.bool_] | None,
    names: NDArray[np.object_],
) -> pd.DataFrame:
    """Tabulate the clusters."""
    rows = []
    lon, lat = _degrees(spots)
    for k in range(len(names)):
        mine = rank == k
        weight = people[mine] if people[mine].sum() > 0 else np.ones(mine.sum())
        middle = weight @ spots[mine]
        middle = middle / np.linalg.norm(middle)
        (at_lon,), (at_lat,) = _degrees(middle[None, :])
        rows.append(
            {
                "n": int(mine.sum()),
                "n_core": np.nan if core is None else int(core[mine].sum()),
                "population": float(people[mine].sum()),
                "lon": at_lon,
                "lat": at_lat,
                "radius_m": float(chord_to_metres(np.linalg.norm(spots[mine] - middle, axis=1)).max()),
                "west": lon[mine].min(),
                "south": lat[mine].min(),
                "east": lon[mine].max(),
                "north": lat[mine].max(),
            }
        )
    columns = ["n", "n_core", "population", "lon", "lat", "radius_m", "west", "south", "east", "north"]
    return pd.DataFrame(rows, columns=columns, index=pd.Index(names, name="cluster", dtype=object))
