"""Local neighbour match: units whose neighbours on the map are also their neighbours in the space of attributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pandas as pd

from kazgeo.autocorrelation.local_join_counts import ExactInference, columns_of, exact_plan, hypergeometric
from kazgeo.autocorrelation.plan import LocalOptions
from kazgeo.autocorrelation.sample import (
    Transform,
    is_constant,
    numbers,
    sample_together,
    standardized,
)
from kazgeo.autocorrelation.significance import passes
from kazgeo.errors import InputError, listing, positive_integer
from kazgeo.progress import Progress, silent
from kazgeo.weights import Weights, knn

if TYPE_CHECKING:
    import geopandas
    from numpy.typing import NDArray

__all__ = ["LABELS", "NeighbourMatch", "attribute_neighbours", "neighbour_match"]

#: Every label a unit can have.
LABELS = ("match", "mismatch", "not significant", "isolate", "undefined")
#: Neighbours looked up beyond k, so that ties at the k-th are seen; and distances held at once.
SPARE = 8
BLOCK = 4_000_000
#: Decimals of distances in standard deviations; what differs less is a tie.
DECIMALS = 10


@dataclass(frozen=True, eq=False)
class NeighbourMatch(ExactInference):
    """Local neighbour match of every unit, on the caller's index; the rest as in ``LocalInference``.

    Labels: "match" (more common neighbours than by chance), "mismatch" (fewer), "not significant", "isolate",
    "undefined".

    Parameters
    ----------
    common : Series
        Units that are neighbours both on the map and by attributes.
    expected : Series
        Mean of ``common`` by chance.
    probability : Series
        Chance of exactly so many (what GeoDa shows instead of p); p is that of at least so many.
    """

    common: pd.Series
    expected: pd.Series
    probability: pd.Series

    def to_frame(self) -> pd.DataFrame:
        """Return all columns on the caller's index."""
        names = ["common", "expected", "neighbours", "probability", "p", "p_adjusted", "label"]
        return pd.DataFrame({name: getattr(self, name) for name in names}, index=self.p.index)


def neighbour_match(
    values: pd.DataFrame,
    neighbours: Weights | geopandas.GeoDataFrame | Any,
    *,
    k: int = 6,
    **options: Unpack[LocalOptions],
) -> NeighbourMatch:
    r"""Return how many of a unit's neighbours on the map are among its k nearest by attributes, with exact p.

    Assumption: likeness is Euclidean distance between standardised variables, which all count alike (two variables
    that say the same count double). Under the hypothesis the other units lie anywhere on the map. The test is
    multivariate without being a sum of univariate ones, and says nothing of which variables are alike.

    Parameters
    ----------
    values : DataFrame, shape (n, v)
        Numbers labelled by unit, one column per variable; a unit that lacks one of its values is set aside.
    neighbours : GeoDataFrame, Weights or libpysal Graph
        Points or polygons of the same units: their k nearest by great-circle distance, among units with values, are
        the neighbours on the map. Or weights, made with ``knn`` as the test has it, or any other; self weights do
        not take part.
    k : int
        Nearest units by attributes (and on the map, for a GeoDataFrame). Where several are as far as the k-th, those
        first in the order of ids count.
    **options
        ``alternative``, ``correction``, ``alpha``: see ``LocalOptions``. The alternative is "greater" when not given:
        more common neighbours than by chance. Nothing is drawn: ``permutations``, ``draws``, ``rng``, ``executor``
        and ``progress`` are accepted and change nothing.

    Returns
    -------
    NeighbourMatch
        A variable that is constant makes everything NaN and "undefined".

    Raises
    ------
    InputError
        k < 1 or k >= units with all values, no variable, ids that differ, no CRS, or a bad option.

    Notes
    -----
    .. math:: P(v) = \binom{g_i}{v} \binom{n - 1 - g_i}{k - v} \bigg/ \binom{n - 1}{k}

    for v common ones and :math:`g_i` neighbours on the map (k, when those are the k nearest).

    References
    ----------
    Anselin, L. and Li, X. (2020), doi:10.1111/gean.12237.

    Examples
    --------
    >>> ids = [f"u{i:02d}" for i in range(40)]
    >>> w = Weights.from_pairs(ids, [(ids[i], ids[j]) for i in range(39) for j in (i + 1, i + 2) if j < 39])
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame(rng.normal(size=(40, 2)), index=ids, columns=["a", "b"])
    >>> table.iloc[:5, 0] = [50.0, 51, 52, 53, 54]
    >>> table.loc["u38", "b"] = None
    >>> got = neighbour_match(table, w, k=4)
    >>> got.label[["u02", "u20", "u38", "u39"]].tolist(), float(got.common["u02"])
    (['match', 'not significant', 'undefined', 'isolate'], 4.0)
    >>> neighbour_match(table * 0, w).label.unique().tolist()
    ['undefined']
    >>> neighbour_match(table.iloc[:0], Weights.from_pairs([], []))
    Traceback (most recent call last):
    kazgeo.errors.InputError: a and b must have a value for at least 3 units; got 0 of 0
    """
    plan, k, variables = exact_plan(options), positive_integer(k, "k"), columns_of(values, "values")
    on_map = _nearest_on_map(variables, neighbours, k) if hasattr(neighbours, "geometry") else neighbours
    data, table = sample_together(variables, on_map, transform=Transform.BINARY)
    if k >= data.n:
        raise InputError(f"k must be less than the number of units with all values ({data.n}); got {k}")
    links = data.weights.cardinalities
    lonely, fixed = links == 0, any(is_constant(column) for column in table.T)
    common = np.zeros(data.n)
    if not fixed:
        z = np.column_stack([standardized(column) for column in table.T])
        near = attribute_neighbours(z, k, plan.progress)
        alike = Weights.from_arrays(data.weights.ids, np.repeat(np.arange(data.n), k), near.ravel())
        common = np.asarray(data.weights.matrix.multiply(alike.matrix).sum(axis=1)).ravel()
    chances = hypergeometric(common, data.n - 1, np.full(data.n, k), links)
    nothing = lonely | fixed
    p = np.where(nothing, np.nan, chances.p(plan.alternative))

    def label(p_adjusted: NDArray[np.float64]) -> NDArray[np.object_]:
        side = np.where(chances.upper <= chances.lower, "match", "mismatch")
        codes = np.where(passes(p_adjusted, plan.alpha), side, "not significant").astype(object)
        codes[lonely] = "isolate"
        codes[:] = "undefined" if fixed else codes
        return codes

    parts = {"common": common, "expected": chances.mean, "probability": chances.exactly}
    parts = {name: np.where(nothing, np.nan, part) for name, part in parts.items()}
    return plan.result(NeighbourMatch, data, p, label, parts, k=k, variables=list(variables))


def attribute_neighbours(z: NDArray[np.float64], k: int, progress: Progress = silent) -> NDArray[np.int64]:
    """Return positions of the k nearest other units; ties at the k-th distance go to the first positions.

    Parameters
    ----------
    z : float array, shape (n, v)
        Standardised values; distances are rounded to ten decimals before they are compared.
    k : int
        1 <= k < n.
    progress : Progress
        Called between blocks of units whose ties must be looked through.

    Returns
    -------
    int64 array, shape (n, k)

    Examples
    --------
    >>> attribute_neighbours(np.array([[0.0], [1], [2], [1]]), 1).ravel().tolist()
    [1, 3, 1, 1]
    """
    from scipy.spatial import cKDTree

    n = len(z)
    wanted = min(n, k + 1 + SPARE)
    distance, nearest = cKDTree(z).query(z, k=wanted)
    out = _first(distance, nearest, np.arange(n), k)
    kth = np.round(np.take_along_axis(distance, np.full((n, 1), k), axis=1), DECIMALS)
    tied = np.flatnonzero(np.round(distance[:, -1:], DECIMALS) <= kth) if wanted < n else np.empty(0, dtype=np.int64)
    kinds, which = np.unique(z[tied], axis=0, return_inverse=True)  # units alike in all have the same others around
    size = max(1, BLOCK // (n * z.shape[1]))
    for start in range(0, len(kinds), size):
        progress(start / len(kinds), "neighbours")
        some = kinds[start : start + size]
        every = np.round(np.sqrt(((some[:, None, :] - z[None, :, :]) ** 2).sum(axis=2)), DECIMALS)
        best = np.lexsort((np.broadcast_to(np.arange(n), every.shape), every), axis=1)[:, : k + 1]
        mine = np.flatnonzero((which.ravel() >= start) & (which.ravel() < start + size))
        near = best[which.ravel()[mine] - start]
        order = np.argsort(near == tied[mine, None], axis=1, kind="stable")  # the unit itself last
        out[tied[mine]] = np.take_along_axis(near, order, axis=1)[:, :k]
    progress(1.0, "neighbours")
    return out


def _first(
    distance: NDArray[np.float64], units: NDArray[np.int64], own: NDArray[np.int64], k: int
) -> NDArray[np.int64]:
    """Return the k nearest of some units in every row, the row's own unit left out."""
    away = np.where(units == own[:, None], np.inf, np.round(distance, DECIMALS))
    best = np.lexsort((units, away), axis=1)[:, :k]
    return np.asarray(np.take_along_axis(units, best, axis=1), dtype=np.int64)


def _nearest_on_map(variables: dict[str, pd.Series], places: geopandas.GeoDataFrame, k: int) -> Weights:
    """Return weights to the k nearest units that have all values; the others have no links."""
    if not places.index.is_unique:
        raise InputError(
            f"neighbours must have unique ids; repeated: {listing(places.index[places.index.duplicated()])}"
        )
    table = pd.DataFrame({name: pd.Series(numbers(y, name), index=y.index) for name, y in variables.items()})
    whole = table.index[table.notna().all(axis=1)]
    near = knn(places.loc[places.index.isin(whole)], k)
    rows, cols = near.matrix.nonzero()
    at = places.index.get_indexer(near.ids)
    return Weights.from_arrays(places.index, at[rows], at[cols])
