"""Mann-Kendall: whether the values of every unit rise or fall over the years, and Sen's slope."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kazgeo.autocorrelation.sample import numbers
from kazgeo.errors import InputError, choice, listing
from kazgeo.labels import refuse_mixed

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["TrendP", "mann_kendall", "trends", "unit_by_year"]

#: Differences held at once; decides memory, never results.
BLOCK = 4_000_000
#: The exact distribution is used up to so many years; above it the normal approximation is good to the fourth digit.
EXACT_YEARS = 33


class TrendP(StrEnum):
    """Where p of the trend comes from: the normal approximation, or the exact distribution where there is one."""

    NORMAL = "normal"
    EXACT = "exact"


def mann_kendall(panel: pd.Series, *, p: TrendP | str = TrendP.NORMAL) -> pd.DataFrame:
    r"""Return the Mann-Kendall test for a monotonic trend of every unit, and Sen's slope.

    Assumption: without a trend, every order of a unit's values over the years is equally likely. Values that
    follow from last year's (most economic series) break this: p is then too small.

    Parameters
    ----------
    panel : Series
        MultiIndex (region, year), each pair once; years are numbers; NaN and absent years are left out.
    p : {"normal", "exact"}
        "normal": of z, as ArcGIS, R and pymannkendall have it. "exact": of the distribution of S over all orders,
        for units with at most 33 years (as scipy has it) and no two equal values; normal for the others. All p are
        two-sided.

    Returns
    -------
    DataFrame
        Index: regions in the order in which they first appear. ``s``, ``variance``, ``z``, ``p``, ``tau`` (Kendall's
        tau-b), ``sen_slope`` (unit of the values a year), ``n_years``, ``n_missing`` (years of the panel without a
        value) and ``exact`` (where p comes from). Fewer than 2 years: NaN. Constant values: S = 0 and p = 1, tau NaN.

    Raises
    ------
    InputError
        No (region, year) index, years that are not numbers, repeated pairs, infinite or non-numeric values.

    Notes
    -----
    .. math:: S = \sum_{i<j} \mathrm{sgn}(x_j - x_i), \quad
        V = \frac{n(n-1)(2n+5) - \sum_g t_g(t_g-1)(2t_g+5)}{18}, \quad
        z = \frac{S - \mathrm{sgn}(S)}{\sqrt V}

    with g the groups of t equal values. Sen's slope is the median of (x_j - x_i) / (year_j - year_i).

    References
    ----------
    Mann, H. B. (1945), doi:10.2307/1907187; Kendall, M. G. (1975), Rank Correlation Methods (a book, no DOI);
    Sen, P. K. (1968), doi:10.1080/01621459.1968.10480934.

    Examples
    --------
    >>> index = pd.MultiIndex.from_product([["a", "b"], range(2015, 2021)], names=["region", "year"])
    >>> panel = pd.Series([1.0, 3, 2, 4, 5, 7, 5, None, 5, 5, 5, 5], index=index)
    >>> got = mann_kendall(panel)
    >>> got.loc["a", ["s", "variance", "z", "sen_slope"]].astype(float).round(3).tolist()
    [13.0, 28.333, 2.254, 1.0]
    >>> got.loc["b", ["s", "p", "n_years", "n_missing"]].astype(float).tolist()
    [0.0, 1.0, 5.0, 1.0]
    >>> round(float(got.loc["a", "p"]), 4), round(float(mann_kendall(panel, p="exact").loc["a", "p"]), 4)
    (0.0242, 0.0167)
    >>> mann_kendall(panel.iloc[:0]).empty
    True
    """
    way = choice(TrendP, p, "p")
    regions, years, values = unit_by_year(panel, "panel")
    if not pd.api.types.is_numeric_dtype(years.dtype) or pd.api.types.is_bool_dtype(years.dtype):
        raise InputError(
            f"panel must have years that are numbers, or a slope means nothing; got {listing(years[:3])}; "
            "convert the level 'year' with astype(int)"
        )
    return pd.DataFrame(trends(values, years.to_numpy(dtype=np.float64), exact=way is TrendP.EXACT), index=regions)


def unit_by_year(panel: Any, name: str) -> tuple[pd.Index, pd.Index, NDArray[np.float64]]:
    """Return regions (as they first appear), sorted years, and the values as a table, NaN where there is none.

    Raises
    ------
    InputError
        No Series with two index levels, repeated pairs, missing labels, infinite or non-numeric values.

    Examples
    --------
    >>> index = pd.MultiIndex.from_tuples([("b", 2021), ("a", 2020), ("b", 2020)])
    >>> regions, years, values = unit_by_year(pd.Series([1.0, 2, 3], index=index), "y")
    >>> regions.tolist(), years.tolist(), values.tolist()
    (['b', 'a'], [2020, 2021], [[3.0, 1.0], [2.0, nan]])
    """
    if not isinstance(panel, pd.Series) or panel.index.nlevels != 2:
        raise InputError(f"{name} must be a Series with the index levels (region, year); got {type(panel).__name__}")
    values = numbers(panel, name)
    row, regions = pd.factorize(panel.index.get_level_values(0))
    given = panel.index.get_level_values(1)
    refuse_mixed(given, name, "years")
    column, years = pd.factorize(given, sort=True)
    if (row < 0).any() or (column < 0).any():
        raise InputError(f"{name} has rows without a region or without a year: {int(((row < 0) | (column < 0)).sum())}")
    table = np.full((len(regions), len(years)), np.nan)
    table[row, column] = values
    names = panel.index.names
    return pd.Index(regions, name=names[0]), pd.Index(years, name=names[1]), table


def trends(
    values: NDArray[np.float64], times: NDArray[np.float64], *, exact: bool = False, tie: float = 0.0
) -> dict[str, NDArray[Any]]:
    """Return the columns of ``mann_kendall``.

    Parameters
    ----------
    values : float array, shape (n, k)
        A row per unit; NaN is left out.
    times : float array, shape (k,)
        Rising.
    exact : bool
        Take the exact distribution where there is one.
    tie : float
        Values no further apart than this, in their own unit, are equal.

    Examples
    --------
    >>> found = trends(np.array([[3.0, 2, 1], [np.nan, 1, np.nan]]), np.arange(3.0))
    >>> found["s"].tolist(), found["n_years"].tolist(), found["sen_slope"].tolist()
    ([-3.0, nan], [3, 1], [-1.0, nan])
    >>> trends(np.array([[0.1 + 0.2, 0.3, 0.4]]), np.arange(3.0), tie=1e-12)["s"].tolist()
    [2.0]
    >>> trends(np.empty((0, 3)), np.arange(3.0))["s"].tolist()
    []
    """
    n, k = values.shape
    count = np.sum(~np.isnan(values), axis=1)
    s, ties, equal, slope = np.full(n, np.nan), np.zeros(n), np.zeros(n), np.full(n, np.nan)
    early, late = np.triu_indices(k, 1)
    size = max(1, BLOCK // max(1, k * k))
    enough = np.flatnonzero(count >= 2)
    for start in range(0, len(enough), size):
        units = enough[start : start + size]
        x = values[units]
        change = x[:, late] - x[:, early]
        s[units] = np.nansum(np.where(np.abs(change) <= tie, 0.0, np.sign(change)), axis=1)
        slope[units] = np.nanmedian(change / (times[late] - times[early]), axis=1)
        apart = np.abs(x[:, :, None] - x[:, None, :])
        alike = np.sum(apart <= tie, axis=2)  # of every value: equal ones, itself included
        equal[units] = np.sum(np.abs(change) <= tie, axis=1)
        ties[units] = np.sum(np.where(alike > 0, (alike - 1) * (2 * alike + 5), 0), axis=1)
    return _tested(count, s, ties, equal, exact=exact) | {
        "sen_slope": slope,
        "n_years": count,
        "n_missing": k - count,
        "exact": _is_exact(count, ties) if exact else np.zeros(n, dtype=bool),
    }


def _tested(
    n: NDArray[np.int64],
    s: NDArray[np.float64],
    ties: NDArray[np.float64],
    equal: NDArray[np.float64],
    *,
    exact: bool,
) -> dict[str, NDArray[np.float64]]:
    """Return S, its variance, z, p and tau-b."""
    from scipy.special import ndtr

    variance = np.where(np.isnan(s), np.nan, (n * (n - 1) * (2 * n + 5) - ties) / 18)
    spread = np.sqrt(np.where(variance > 0, variance, 1.0))
    z = (s - np.sign(s)) / spread
    p = np.asarray(np.minimum(1.0, 2 * ndtr(-np.abs(z))))
    if exact:
        for unit in np.flatnonzero(_is_exact(n, ties) & ~np.isnan(s)):
            p[unit] = _exact_p(int(n[unit]), abs(int(s[unit])))
    pairs = n * (n - 1) / 2
    untied = np.sqrt(pairs * (pairs - equal))
    tau = np.where(untied > 0, s / np.where(untied > 0, untied, 1.0), np.nan)
    return {"s": s, "variance": variance, "z": z, "p": p, "tau": tau}


def _is_exact(n: NDArray[np.int64], ties: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray((n >= 2) & (n <= EXACT_YEARS) & (ties == 0))


@cache
def _exact_p(n: int, s: int) -> float:
    """Return the chance that a random order of n different values has an |S| of at least ``s``."""
    ways = np.array([1.0])  # orders by number of falling pairs
    for size in range(2, n + 1):
        ways = np.convolve(ways, np.ones(size))
    falling = (n * (n - 1) // 2 - s) // 2
    return float(min(1.0, 2 * ways[: falling + 1].sum() / ways.sum()))
