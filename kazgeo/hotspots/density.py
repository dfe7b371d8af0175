"""Clusters of points by density: where settlements, or their people, stand close together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from kazgeo.autocorrelation.sample import aligned
from kazgeo.choices import DensityMethod
from kazgeo.crs import EARTH_RADIUS_M, chord_to_metres, degrees
from kazgeo.errors import InputError, choice, listing, positive_integer, positive_number
from kazgeo.progress import Progress, part, silent
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
    progress: Progress = silent,
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
        DBSCAN: points within ``eps_m`` that make a core. HDBSCAN: the smallest cluster, 2 or more. 5 by default.
    min_population : float
        DBSCAN, in place of ``min_points``: sum of the weights within ``eps_m`` that makes a core. HDBSCAN knows
        no weights, so that it is refused there.
    weight : Series
        People of every point, same units in any order; not negative; points with NaN are set aside. Orders the
        clusters whatever the method.
    progress : Progress
        Called between the steps; one step can take long.

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
    if way is DensityMethod.HDBSCAN and least < 2:
        raise InputError("min_points must be at least 2 for HDBSCAN: a cluster is more than one point; got 1")
    progress(0.0, "places")
    spots, rows, people, dropped = _usable(points, weight)
    if way is DensityMethod.HDBSCAN:
        progress(0.1, "clusters")
        found, core = _hdbscan(spots, eps, least), None
    else:
        dense = np.ones(len(spots)) if min_population is None else people
        found, core = _dbscan(
            spots, dense, eps, least if min_population is None else float(min_population), part(progress, 0.1, 0.8)
        )
    progress(0.8, "table")
    order = _by_weight(found, people)
    names = np.array([*(f"cluster-{k + 1}" for k in range(len(order))), NOISE], dtype=object)
    rank = np.full(len(order) + 1, len(order))  # the last: of label -1
    rank[order] = np.arange(len(order))
    label = np.full(len(points), "undefined", dtype=object)
    label[rows] = names[rank[found]]
    table = _table(rank[found], spots, people, core, names[:-1])
    progress(1.0, "done")
    is_core = np.full(len(points), None, dtype=object)
    if core is not None:
        is_core[rows] = core
    return DensityClusters(
        label=pd.Series(label, index=points.index, name="label", dtype=object),
        clusters=table,
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
    return positive_number(eps_m, "eps_m", "positive metres", zero=way is DensityMethod.HDBSCAN)


def _check_population(
    way: DensityMethod, min_points: int | None, min_population: float, weight: pd.Series | None
) -> None:
    if way is DensityMethod.HDBSCAN:
        raise InputError("min_population is for DBSCAN; HDBSCAN counts points: use min_points, or method='dbscan'")
    if min_points is not None:
        raise InputError("min_points and min_population exclude each other; give one of them")
    if weight is None:
        raise InputError("min_population wants the people of every point; give weight")
    positive_number(min_population, "min_population", "a positive number of people")


def _usable(
    points: Any, weight: pd.Series | None
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64], pd.DataFrame]:
    """Return places, rows and weights of the usable points, by rising id, and what was set aside."""
    spots, rows = placed_points(points, "points")
    people = np.ones(len(points))
    if weight is not None:
        people = aligned(weight, "weight", points.index, "points")
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
    spots: NDArray[np.float64], people: NDArray[np.float64], eps: float, least: float, progress: Progress
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the cluster of every point (-1: noise), and which points are cores."""
    n = len(spots)
    if not n:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=bool)
    progress(0.0, "pairs")
    left, right, _ = pairs_within(spots, eps, "eps_m")
    progress(0.5, "clusters")
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
    if len(spots) <= least:
        return np.full(len(spots), -1, dtype=np.int64)
    from sklearn.cluster import HDBSCAN

    lon, lat = degrees(spots)
    model = HDBSCAN(
        min_cluster_size=least, metric="haversine", cluster_selection_epsilon=eps / EARTH_RADIUS_M, copy=True
    )
    return np.asarray(model.fit(np.radians(np.column_stack([lat, lon]))).labels_, dtype=np.int64)


def _by_weight(found: NDArray[np.int64], people: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the clusters from the most people down, then the most points, then the first by id."""
    some = found >= 0
    n = int(found.max()) + 1 if some.any() else 0
    sums, counts = np.bincount(found[some], people[some], n), np.bincount(found[some], minlength=n)
    _, first = np.unique(found[some], return_index=True)
    return np.asarray(np.lexsort((first, -counts, -sums)), dtype=np.int64)


def _table(
    rank: NDArray[np.int64],
    spots: NDArray[np.float64],
    people: NDArray[np.float64],
    core: NDArray[np.bool_] | None,
    names: NDArray[np.object_],
) -> pd.DataFrame:
    """Tabulate the clusters."""
    k, some = len(names), np.flatnonzero(rank < len(names))
    mine = rank[some]
    lon, lat = degrees(spots[some])
    population = np.bincount(mine, people[some], k)
    weight = np.where(population[mine] > 0, people[some], 1.0)  # without people every point counts alike
    middle = np.column_stack([np.bincount(mine, weight * axis, k) for axis in spots[some].T]).astype(np.float64)
    middle /= np.linalg.norm(middle, axis=1, keepdims=True)
    table = pd.DataFrame(
        {
            "n": np.bincount(mine, minlength=k),
            "n_core": np.nan if core is None else np.bincount(mine, core[some], k).astype(int),
            "population": population,
            **dict(zip(("lon", "lat"), degrees(middle), strict=True)),
        },
        index=pd.Index(names, name="cluster", dtype=object),
    )
    away = chord_to_metres(np.linalg.norm(spots[some] - middle[mine], axis=1))
    extent = pd.DataFrame({"radius_m": away, "west": lon, "south": lat, "east": lon, "north": lat})
    largest = {"radius_m": "max", "west": "min", "south": "min", "east": "max", "north": "max"}
    return table.join(extent.groupby(names[mine]).agg(largest))
