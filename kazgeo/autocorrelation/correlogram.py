"""Correlogram: Moran's I by distance, and the distance at which clustering peaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pandas as pd

from kazgeo.autocorrelation.moran import moran
from kazgeo.autocorrelation.plan import Inference, Plan
from kazgeo.autocorrelation.sample import Transform, numbers
from kazgeo.autocorrelation.significance import passes
from kazgeo.choices import PValue
from kazgeo.crs import EARTH_RADIUS_M, chord_to_metres
from kazgeo.errors import InputError, choice, positive_integer, probability
from kazgeo.labels import same_units
from kazgeo.progress import part
from kazgeo.weights import Weights
from kazgeo.weights.sphere import ROUNDING, Pairs, nearest_metres, pairs_within, placed_points

if TYPE_CHECKING:
    import geopandas
    from numpy.typing import NDArray

__all__ = [
    "Correlogram",
    "correlogram",
    "default_distances",
]


@dataclass(frozen=True, eq=False, kw_only=True)
class Correlogram:
    """Moran's I by distance.

    Parameters
    ----------
    table : DataFrame
        A row per distance class: ``from_m`` (0 throughout when cumulative), ``to_m``, ``I``, ``expected``,
        ``variance``, ``z`` (under randomisation), ``p``, ``p_bonferroni`` (p times the number of classes, at most
        1), ``n_pairs``, ``n_isolates`` (units without a partner in the class). NaN where a class has no pair.
    peak_m : float
        Upper limit of the first class whose z is above that of both classes beside it and significant; NaN when
        there is none. Of classes with the same pairs, and so the same z, the nearest stands for all.
    max_peak_m : float
        The same, of the peak with the largest z.
    n : int
        Units used.
    dropped : DataFrame
        Columns unit, reason: "missing value" and "no place".
    parameters : dict
        The options of the call and the seed, plain values only.
    """

    table: pd.DataFrame
    peak_m: float
    max_peak_m: float
    n: int
    dropped: pd.DataFrame
    parameters: dict[str, object]

    def to_frame(self) -> pd.DataFrame:
        """Return the table."""
        return self.table


def correlogram(
    y: pd.Series,
    points: geopandas.GeoDataFrame,
    *,
    distances_m: Sequence[float] | None = None,
    n_bands: int = 10,
    cumulative: bool = True,
    p: PValue | str = PValue.PERMUTATION,
    transform: Transform | str = Transform.ROW,
    alpha: float = 0.05,
    **options: Unpack[Inference],
) -> Correlogram:
    r"""Return Moran's I of a map for classes of distance, and the distance at which clustering peaks.

    Assumption: the same in all directions and everywhere on the map. Classes are tested one by one and are not
    independent; ``p_bonferroni`` allows for their number. Beyond half the extent of the map, few units decide.

    Parameters
    ----------
    y : Series, shape (n,)
        Numbers labelled by unit; NaN units are set aside.
    points : GeoDataFrame
        The same units in any order, with a CRS; polygons stand at their representative point. Units without a
        geometry are set aside. Distances are great-circle metres.
    distances_m : sequence of float, optional
        Rising upper limits of the classes, metres; a pair at the limit belongs to the class. By default ``n_bands``
        limits from the largest distance to a nearest neighbour, in steps of the mean distance to the nearest
        neighbour, or smaller so that the last lies within half the extent.
    n_bands : int
        Number of default classes.
    cumulative : bool
        Classes from 0 up to each limit (ArcGIS, esda), or between one limit and the next (spdep and ncf: rings).
    p : {"permutation", "normal"}
        "normal": of z under randomisation.
    transform : {"row", "binary"}
        Rows that sum to 1, or weights of 1.
    alpha : float
        Level of z under randomisation, two-sided, that a peak must reach.
    **options
        ``permutations`` (999 by default), ``alternative``, ``rng``, ``executor``, ``progress``: see ``Inference``.

    Returns
    -------
    Correlogram

    Raises
    ------
    InputError
        No CRS, units that differ, fewer than 3 usable units, points all in one place, distances that don't rise or
        hold too many pairs, or a bad option.

    Notes
    -----
    .. math:: I(d) = \frac{n}{S_0} \frac{\sum_{ij} w_{ij}(d) z_i z_j}{\sum_i z_i^2}

    with w(d) = 1 (before standardisation) for pairs of the class d. Units without a partner stay in n and in the mean,
    as in ``moran``.

    References
    ----------
    Cliff, A. D. and Ord, J. K. (1981), Spatial Processes (a book, no DOI); Oden, N. L. (1984),
    doi:10.1111/j.1538-4632.1984.tb00796.x (Bonferroni over classes); ArcGIS Pro, How Incremental Spatial
    Autocorrelation works,
    https://pro.arcgis.com/en/pro-app/latest/tool-reference/spatial-statistics/how-incremental-spatial-autocorrelation-works.htm

    Examples
    --------
    >>> import geopandas
    >>> spot = [(70 + i / 10, 50 + j / 10) for i in range(8) for j in range(8)]
    >>> towns = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(*zip(*spot), crs=4326))
    >>> y = pd.Series([float(i // 3 + j // 3) for i in range(8) for j in range(8)])
    >>> got = correlogram(y, towns, distances_m=[12_000, 25_000, 40_000], rng=1)
    >>> got.table[["to_m", "I", "p", "n_pairs"]].round(3).values.tolist()
    [[12000.0, 0.889, 0.002, 112.0], [25000.0, 0.665, 0.002, 584.0], [40000.0, 0.42, 0.002, 1138.0]]
    >>> correlogram(y.where(y > 0), towns, rng=1).n
    55
    >>> correlogram(y.iloc[:0], towns.iloc[:0])
    Traceback (most recent call last):
    kazgeo.errors.InputError: y must have a value and a place for at least 3 units; got 0 of 0
    """
    opts: Inference = {"permutations": 999, **options}
    way, plan, level = choice(PValue, p, "p"), Plan.of(opts, Inference), probability(alpha, "alpha")
    if choice(Transform, transform, "transform") is Transform.GIVEN:
        raise InputError("transform must be 'row' or 'binary': weights of a distance class have no values of their own")
    values, spots, ids, dropped = values_at_places(y, points)
    if distances_m is None:
        limits = default_distances(spots, positive_integer(n_bands, "n_bands"))
    else:
        limits = _checked(distances_m)
    opts = {**opts, "rng": plan.seed}
    if way is PValue.NORMAL:
        opts["permutations"] = 1
    pairs = pairs_within(spots, float(limits[-1]), "distances_m")
    lower = np.zeros(len(limits)) if cumulative else np.r_[0.0, limits[:-1]]
    rows = []
    for k, (low, high) in enumerate(zip(lower, limits, strict=True)):
        opts["progress"] = part(plan.progress, k / len(limits), (k + 1) / len(limits))
        rows.append(
            {"from_m": low, "to_m": high} | _one_class(values, _between(pairs, low, high, ids), transform, opts)
        )
    table = pd.DataFrame(rows)
    z_p = table.pop("p_z")
    table["p"] = table["p"] if way is PValue.PERMUTATION else z_p
    table.insert(table.columns.get_loc("p") + 1, "p_bonferroni", np.minimum(1.0, table["p"] * len(table)))
    first, largest = _peaks(table, level)
    kept = {"cumulative": cumulative, "p": way.value, "transform": str(transform), "alpha": level}
    tested = {"permutations": plan.permutations, "seed": plan.seed} if way is PValue.PERMUTATION else {}
    return Correlogram(
        table=table,
        peak_m=first,
        max_peak_m=largest,
        n=len(values),
        dropped=dropped,
        parameters={**kept, "alternative": plan.alternative.value, **tested},
    )


def _between(pairs: Pairs, low: float, high: float, ids: pd.Index) -> Weights:
    """Return binary weights of the pairs farther than ``low`` and no farther than ``high``; from 0: all nearer."""
    inside = pairs.metres <= high * (1 + ROUNDING)
    if low > 0:
        inside &= pairs.metres > low * (1 + ROUNDING)
    left, right = pairs.left[inside], pairs.right[inside]
    return Weights.from_arrays(ids, np.r_[left, right], np.r_[right, left])


def _one_class(y: pd.Series, weights: Weights, transform: Transform | str, options: Inference) -> dict[str, Any]:
    """Return one row of the table."""
    told = {"n_pairs": len(weights.data) // 2, "n_isolates": len(weights.isolates)}
    if not len(weights.data):
        return dict.fromkeys(("I", "expected", "variance", "z", "p", "p_z"), np.nan) | told
    got = moran(y, weights, transform=transform, **options)
    return {
        "I": got.I,
        "expected": got.expected,
        "variance": got.variance_randomization,
        "z": got.z_randomization,
        "p": got.p,
        "p_z": got.p_randomization,
    } | told


def _peaks(table: pd.DataFrame, alpha: float) -> tuple[float, float]:
    """Return the upper limits of the first and of the largest significant peak of z."""
    from scipy.special import ndtr

    fresh = np.r_[True, table["z"].to_numpy()[1:] != table["z"].to_numpy()[:-1]]  # on a grid a step may add no pair
    z, limits = table["z"].to_numpy()[fresh], table["to_m"].to_numpy()[fresh]
    top = np.zeros(len(z), dtype=bool)
    top[1:-1] = (z[1:-1] > z[:-2]) & (z[1:-1] > z[2:])
    top &= passes(2 * ndtr(-z), alpha)
    if not top.any():
        return np.nan, np.nan
    at = np.flatnonzero(top)
    return float(limits[at[0]]), float(limits[at[np.argmax(z[at])]])


def values_at_places(y: pd.Series, points: Any) -> tuple[pd.Series, NDArray[np.float64], pd.Index, pd.DataFrame]:
    """Return values, places on the unit sphere and ids of the units that have both, and what was set aside.

    Raises
    ------
    InputError
        Units that differ, or fewer than 3 usable ones; else as ``placed_points`` and ``numbers``.

    Examples
    --------
    >>> import geopandas
    >>> at = geopandas.GeoSeries.from_xy([0.0, 90, 1, 2], [0.0] * 4, index=list("dcba"), crs=4326)
    >>> y = pd.Series([1.0, 2, 3, None], index=list("abcd"))
    >>> values, _, ids, dropped = values_at_places(y, at.to_frame("geometry"))
    >>> values.tolist(), ids.tolist(), dropped.to_numpy().tolist()
    ([1.0, 2.0, 3.0], ['a', 'b', 'c'], [['d', 'missing value']])
    """
    found = pd.Series(numbers(y, "y"), index=y.index)
    spots, rows = placed_points(points, "points")
    same_units("y", y.index, "points", points.index)
    ids = points.index[rows]
    values = found.reindex(ids)
    some = values.notna().to_numpy()
    if some.sum() < 3:
        raise InputError(f"y must have a value and a place for at least 3 units; got {some.sum()} of {len(y)}")
    missing = found.index[found.isna()]
    nowhere = points.index.difference(ids).difference(missing)
    dropped = pd.DataFrame(
        {
            "unit": pd.Series([*sorted(missing, key=str), *sorted(nowhere, key=str)], dtype=object),
            "reason": pd.Series(["missing value"] * len(missing) + ["no place"] * len(nowhere), dtype=object),
        }
    )
    return values[some], spots[some], ids[some], dropped


def default_distances(spots: NDArray[np.float64], n_bands: int) -> NDArray[np.float64]:
    """Return upper limits of distance classes, metres: from the largest distance to a nearest neighbour upwards.

    The step is the mean distance to the nearest neighbour, or less, so that the last limit lies within half the
    extent (the greatest distance from the middle of the points). Points in one place don't count as neighbours.

    Raises
    ------
    InputError
        All points in one place.

    Examples
    --------
    >>> from kazgeo.crs import unit_sphere
    >>> towns = unit_sphere(np.arange(70, 80.0), np.zeros(10))
    >>> (default_distances(towns, 3) / 1000).round().tolist()
    [111.0, 222.0, 334.0]
    """
    apart = np.unique(spots, axis=0)
    if len(apart) < 2:
        raise InputError(f"points must lie in at least 2 places; all {len(spots)} lie in one")
    nearest = nearest_metres(apart)
    start, step = float(nearest.max()), float(nearest.mean())
    middle = apart.mean(axis=0)
    length = np.linalg.norm(middle)
    if length > ROUNDING:
        reach = float(chord_to_metres(np.linalg.norm(apart - middle / length, axis=1)).max())
    else:
        reach = float(np.pi * EARTH_RADIUS_M)
    if reach > start and n_bands > 1:
        step = min(step, (reach - start) / (n_bands - 1))
    return np.asarray(start + step * np.arange(n_bands), dtype=np.float64)


def _checked(distances_m: Sequence[float]) -> NDArray[np.float64]:
    limits = np.asarray(distances_m, dtype=np.float64)
    if limits.ndim != 1 or not len(limits) or not np.isfinite(limits).all() or limits[0] <= 0:
        raise InputError(f"distances_m must be positive metres, at least one; got {list(distances_m)}")
    if (np.diff(limits) <= 0).any():
        raise InputError(f"distances_m must rise; got {list(distances_m)}")
    return limits
