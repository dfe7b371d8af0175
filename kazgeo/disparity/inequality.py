"""Measures of inequality between regions, weighted by population or not, and their course over the years."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kazgeo.disparity.shares import Shares, numeric, shares
from kazgeo.errors import InputError, choice

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Measure",
    "Zeros",
    "coefficient_of_variation",
    "gini",
    "hoover",
    "inequality_by_year",
    "max_min",
    "mean_log_deviation",
    "sd_log",
    "theil",
    "theil_terms",
    "williamson",
]


class Zeros(StrEnum):
    """What a value of 0 means to Theil's T: a fault, or a unit that has nothing and adds the limit of its term, 0."""

    REFUSE = "refuse"
    LIMIT = "limit"


class Measure(float):
    """A number that knows how many units it rests on and which were left out.

    Parameters
    ----------
    value : float
        The number; NaN when undefined (no units, or a mean of zero).
    n : int
        Units used.
    dropped : DataFrame
        Columns unit, reason.

    Examples
    --------
    >>> m = gini(pd.Series({"a": 1.0, "b": 3.0, "c": None}))
    >>> m, m.n, m.dropped.values.tolist()
    (0.25, 2, [['c', 'missing value']])
    """

    n: int
    dropped: pd.DataFrame

    def __new__(cls, value: float, n: int, dropped: pd.DataFrame) -> Measure:  # noqa: D102
        made = super().__new__(cls, value)
        made.n, made.dropped = n, dropped
        return made

    def __reduce__(self) -> tuple[type[Measure], tuple[float, int, pd.DataFrame]]:
        return Measure, (float(self), self.n, self.dropped)


def gini(x: pd.Series, weights: pd.Series | None = None) -> Measure:
    r"""Return the Gini coefficient between regions.

    Assumption: a region counts as a whole, inequality inside it is not seen; the population form without a
    correction for small n (largest value (n - 1) / n, not 1).

    Parameters
    ----------
    x : Series, shape (n,)
        Values of at least 0 per unit, for instance income per head; NaN is left out and counted.
    weights : Series or None
        Population; None = every region counts alike, which is another question.

    Returns
    -------
    Measure
        0 (equal) to 1; NaN when there are no units or the mean is zero.

    Raises
    ------
    InputError
        Negative values (named), or weights that do not fit.

    Notes
    -----
    .. math:: G = \frac{1}{2 \mu} \sum_i \sum_j p_i p_j |x_i - x_j|

    References
    ----------
    Cowell, F. A. (2011), Measuring Inequality, doi:10.1093/acprof:osobl/9780199594030.001.0001.

    Examples
    --------
    >>> x = pd.Series({"a": 10, "b": 10, "c": 10, "d": 20, "e": 50})
    >>> round(gini(x), 10)
    0.36
    >>> round(gini(x, pd.Series({"a": 3, "b": 0, "c": 0, "d": 1, "e": 1})), 10)
    0.36
    >>> gini(pd.Series(dtype=float)), gini(x * 0)
    (nan, nan)
    """
    return _measure(_gini, x, weights)


def theil(x: pd.Series, weights: pd.Series | None = None, *, zeros: Zeros | str = Zeros.REFUSE) -> Measure:
    r"""Return Theil's T, the inequality measure that splits into between and within groups.

    Assumption: as in ``gini``; T reacts most to regions far above the mean. Beware: some software prints the mean
    log deviation under the name Theil (R's REAT does).

    Parameters
    ----------
    x : Series, shape (n,)
        Values above 0; NaN is left out and counted.
    weights : Series or None
        Population; None = every region counts alike.
    zeros : {"refuse", "limit"}
        A value of 0 is refused, for an income of 0 is nearly always a gap in the data. "limit": it is meant (no job in
        reach), and its term is the limit of s ln(s / p), 0.

    Returns
    -------
    Measure
        0 (equal) to -ln of the smallest population share; NaN without units.

    Raises
    ------
    InputError
        Values of 0 or below, which have no logarithm (named).

    Notes
    -----
    .. math:: T = \sum_i s_i \ln \frac{s_i}{p_i}, \qquad s_i = \frac{p_i x_i}{\mu}

    References
    ----------
    Theil, H. (1967), Economics and Information Theory; Shorrocks, A. F. (1980), doi:10.2307/1913126.

    Examples
    --------
    >>> x = pd.Series({"a": 10, "b": 10, "c": 10, "d": 20, "e": 50})
    >>> round(theil(x), 8)
    0.25020121
    >>> theil(pd.Series(dtype=float)), theil(x.where(x > 90)).n
    (nan, 0)
    >>> round(theil(x - 10, zeros="limit"), 4)
    1.109
    >>> theil(x - 10)
    Traceback (most recent call last):
    kazgeo.errors.InputError: Theil wants values above 0, for it takes their logarithm; 3 of 5 units have none: 'a', ...
    """
    how = choice(Zeros, zeros, "zeros")
    return _measure(lambda data: _theil(data, how), x, weights)


def mean_log_deviation(x: pd.Series, weights: pd.Series | None = None) -> Measure:
    r"""Return the mean log deviation (Theil's L), which reacts most to regions far below the mean.

    Assumption: as in ``theil``.

    Parameters
    ----------
    x, weights
        As in ``theil``.

    Returns
    -------
    Measure

    Raises
    ------
    InputError
        Values of 0 or below (named).

    Notes
    -----
    .. math:: L = \sum_i p_i \ln \frac{\mu}{x_i}

    References
    ----------
    Shorrocks, A. F. (1980), doi:10.2307/1913126.

    Examples
    --------
    >>> round(mean_log_deviation(pd.Series({"a": 10, "b": 10, "c": 10, "d": 20, "e": 50})), 8)
    0.23263016
    >>> mean_log_deviation(pd.Series({"a": None, "b": 2.0})).n
    1
    >>> mean_log_deviation(pd.Series(dtype=float))
    nan
    """
    return _measure(_mean_log_deviation, x, weights)


def coefficient_of_variation(x: pd.Series, weights: pd.Series | None = None) -> Measure:
    """Return the population standard deviation divided by the mean.

    Assumption: regions are the whole population, not a sample, hence n and not n - 1. With population as weights it is
    Williamson's coefficient.

    Parameters
    ----------
    x : Series, shape (n,)
        Values; NaN is left out and counted.
    weights : Series or None
        Population; None = every region counts alike.

    Returns
    -------
    Measure
        NaN when there are no units or the mean is zero.

    Examples
    --------
    >>> x = pd.Series({"a": 1.0, "b": 3.0, "c": None})
    >>> coefficient_of_variation(x)
    0.5
    >>> coefficient_of_variation(x - 2), coefficient_of_variation(x.iloc[:0])
    (nan, nan)
    """
    return _measure(_variation, x, weights)


def williamson(x: pd.Series, population: pd.Series) -> Measure:
    r"""Return Williamson's coefficient: the population-weighted coefficient of variation.

    Assumption: the mean is weighted too, as Williamson has it (R's REAT takes the plain mean unless ``wmean=TRUE``).

    Parameters
    ----------
    x : Series, shape (n,)
        Value per head; NaN is left out and counted.
    population : Series
        On the same labels.

    Returns
    -------
    Measure
        NaN when there are no units or the mean is zero.

    Raises
    ------
    InputError
        Negative population, or no one living anywhere.

    Notes
    -----
    .. math:: V_w = \frac{1}{\mu} \sqrt{\sum_i p_i (x_i - \mu)^2}, \qquad \mu = \sum_i p_i x_i

    References
    ----------
    Williamson, J. G. (1965), doi:10.1086/450136.

    Examples
    --------
    >>> williamson(pd.Series({"a": 1.0, "b": 3.0}), pd.Series({"b": 1, "a": 1}))
    0.5
    >>> got = williamson(pd.Series({"a": 1.0, "b": 3.0}), pd.Series({"b": 1}))
    >>> got, got.dropped.values.tolist()
    (0.0, [['a', 'missing weight']])
    >>> williamson(pd.Series(dtype=float), pd.Series(dtype=float))
    nan
    """
    return _measure(_variation, x, population)


def hoover(x: pd.Series, weights: pd.Series | None = None) -> Measure:
    r"""Return Hoover's index: the share of the total that would have to move for all to be equal.

    Assumption: as in ``gini``.

    Parameters
    ----------
    x : Series, shape (n,)
        Values of at least 0; NaN is left out and counted.
    weights : Series or None
        Population; None = every region counts alike.

    Returns
    -------
    Measure
        0 to 1; NaN when there are no units or the mean is zero.

    Raises
    ------
    InputError
        Negative values (named).

    Notes
    -----
    .. math:: H = \frac{1}{2} \sum_i |s_i - p_i|

    References
    ----------
    Hoover, E. M. (1936), doi:10.2307/1927875.

    Examples
    --------
    >>> round(hoover(pd.Series({"a": 10, "b": 10, "c": 10, "d": 20, "e": 50})), 10)
    0.3
    >>> hoover(pd.Series({"a": 10, "b": None})), hoover(pd.Series(dtype=float))
    (0.0, nan)
    """
    return _measure(_hoover, x, weights)


def sd_log(x: pd.Series, weights: pd.Series | None = None) -> Measure:
    """Return the population standard deviation of the logarithms, the measure of sigma-convergence.

    Assumption: as in ``theil``.

    Parameters
    ----------
    x, weights
        As in ``theil``.

    Returns
    -------
    Measure

    Raises
    ------
    InputError
        Values of 0 or below (named).

    References
    ----------
    Barro, R. J. and Sala-i-Martin, X. (1992), doi:10.1086/261816.

    Examples
    --------
    >>> round(sd_log(pd.Series({"a": 1.0, "b": np.e**2, "c": None})), 6)
    1.0
    >>> sd_log(pd.Series(dtype=float))
    nan
    """
    return _measure(_sd_log, x, weights)


def max_min(x: pd.Series) -> Measure:
    """Return the largest value divided by the smallest.

    Assumption: only two regions matter, so that a new border alone can move it by half.

    Parameters
    ----------
    x : Series, shape (n,)
        Values of at least 0; NaN is left out and counted.

    Returns
    -------
    Measure
        NaN when there are no units or the smallest value is zero.

    Raises
    ------
    InputError
        Negative values (named).

    Examples
    --------
    >>> max_min(pd.Series({"a": 10, "b": 50, "c": None}))
    5.0
    >>> max_min(pd.Series({"a": 0, "b": 50})), max_min(pd.Series(dtype=float))
    (nan, nan)
    """
    return _measure(_max_min, x, None)


def inequality_by_year(
    x: pd.Series, *, population: pd.Series | None = None, groups: pd.Series | None = None
) -> pd.DataFrame:
    """Return all measures for every year of a panel.

    Assumption: the same regions in all years: carry the panel to one set of borders first, or a new border moves the
    figures. Money may be nominal, for every measure is relative to the year's own mean.

    Parameters
    ----------
    x : Series
        MultiIndex (region, year), values above 0; a region that lacks a year counts as missing in it.
    population : Series or None
        MultiIndex (region, year).
    groups : Series or None
        Group of every region, indexed by region.

    Returns
    -------
    DataFrame
        Index year. ``n``, ``n_missing``, ``mean``; unweighted ``gini``, ``theil``, ``mean_log_deviation``,
        ``coefficient_of_variation``, ``hoover``, ``sd_log``, ``max_min``; with ``population`` also ``williamson``,
        ``n_weighted`` and ``gini_weighted``, ``theil_weighted``, ``hoover_weighted``; with ``groups`` also
        ``theil_between`` and ``theil_within``, which sum to ``theil_weighted`` (to ``theil`` without population).

    Raises
    ------
    InputError
        No (region, year) index, repeated pairs, values of 0 or below.

    Examples
    --------
    >>> index = pd.MultiIndex.from_product([["a", "b", "c"], [2019, 2020]], names=["region", "year"])
    >>> x = pd.Series([1.0, 1, 2, 1, 3, None], index=index)
    >>> inequality_by_year(x)[["n", "n_missing", "gini", "max_min"]].round(4).reset_index().values.tolist()
    [[2019.0, 3.0, 0.0, 0.2222, 3.0], [2020.0, 2.0, 1.0, 0.0, 1.0]]
    >>> table = inequality_by_year(x, groups=pd.Series({"a": "west", "b": "east", "c": "east"}))
    >>> bool(np.isclose(table.theil_between + table.theil_within, table.theil).all())
    True
    >>> inequality_by_year(x.iloc[:0]).empty
    True
    """
    for name, series in (("x", x), ("population", population)):
        if series is not None and (not isinstance(series, pd.Series) or series.index.nlevels != 2):
            raise InputError(f"{name} must be a Series with the index levels (region, year)")
        if series is not None:
            numeric(series, name)
    regions = x.index.get_level_values(0).unique()
    rows: dict[object, dict[str, float]] = {}
    for year in sorted(x.index.get_level_values(1).unique()):
        now = x.xs(year, level=1).reindex(regions)
        rows[year] = _plain(shares(now))
        people = None
        if population is not None:
            level = population.index.get_level_values(1)
            people = population[level == year].droplevel(1).reindex(regions)
            rows[year] |= _weighted(shares(now, people))
        if groups is not None:
            rows[year] |= _split(now, groups, people)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(index="year")


def _plain(data: Shares) -> dict[str, float]:
    """Return the unweighted measures of one year."""
    out: dict[str, float] = {"n": len(data.x), "n_missing": len(data.dropped), "mean": data.mean}
    out |= {
        "gini": _gini(data),
        "theil": _theil(data),
        "mean_log_deviation": _mean_log_deviation(data),
        "coefficient_of_variation": _variation(data),
        "hoover": _hoover(data),
        "sd_log": _sd_log(data),
        "max_min": _max_min(data),
    }
    return out


def _weighted(data: Shares) -> dict[str, float]:
    """Return the measures of one year weighted by population."""
    return {
        "n_weighted": len(data.x),
        "williamson": _variation(data),
        "gini_weighted": _gini(data),
        "theil_weighted": _theil(data),
        "hoover_weighted": _hoover(data),
    }


def _split(x: pd.Series, groups: pd.Series, people: pd.Series | None) -> dict[str, float]:
    """Return Theil between and within groups of one year."""
    from kazgeo.disparity.decomposition import theil_decomposition

    split = theil_decomposition(x, groups, people)
    return {"theil_between": split.between, "theil_within": split.within}


def _measure(formula: Callable[[Shares], float], x: pd.Series, weights: pd.Series | None) -> Measure:
    data = shares(x, weights)
    return Measure(formula(data), len(data.x), data.dropped)


def _has_mean(data: Shares) -> bool:
    """Tell whether the mean can be a divisor: it is not zero beyond rounding."""
    return bool(len(data.x)) and abs(data.mean) > 1e-12 * float(np.abs(data.x).max())


def _gini(data: Shares) -> float:
    data.refuse(data.x < 0, "Gini", "values of at least 0")
    if not _has_mean(data):
        return np.nan
    order = np.argsort(data.x, kind="stable")
    p, x = data.p[order], data.x[order]
    below = np.cumsum(p) - p
    return float((p * x * (2 * below + p - 1)).sum() / data.mean)


def _hoover(data: Shares) -> float:
    data.refuse(data.x < 0, "Hoover", "values of at least 0")
    return float((data.p * np.abs(data.x / data.mean - 1)).sum() / 2) if _has_mean(data) else np.nan


def _variation(data: Shares) -> float:
    if not _has_mean(data):
        return np.nan
    return float(np.sqrt(data.p @ (data.x - data.mean) ** 2) / data.mean)


def theil_terms(data: Shares, zeros: Zeros = Zeros.REFUSE) -> NDArray[np.float64]:
    """Return s ln(s / p) of every unit; they sum to Theil's T, which is NaN when all units have 0."""
    if zeros is Zeros.REFUSE:
        data.refuse(data.x <= 0, "Theil", "values above 0, for it takes their logarithm")
    data.refuse(data.x < 0, "Theil", "values of at least 0")
    if len(data.x) and data.mean == 0:
        return np.full(len(data.x), np.nan)
    ratio = data.x / data.mean
    return np.asarray(data.p * ratio * np.log(np.where(ratio > 0, ratio, 1.0)))


def _theil(data: Shares, zeros: Zeros = Zeros.REFUSE) -> float:
    return float(theil_terms(data, zeros).sum()) if len(data.x) else np.nan


def _mean_log_deviation(data: Shares) -> float:
    data.refuse(data.x <= 0, "mean log deviation", "values above 0, for it takes their logarithm")
    return float(data.p @ np.log(data.mean / data.x)) if len(data.x) else np.nan


def _sd_log(data: Shares) -> float:
    data.refuse(data.x <= 0, "sd of logarithms", "values above 0, for it takes their logarithm")
    if not len(data.x):
        return np.nan
    logs = np.log(data.x)
    return float(np.sqrt(data.p @ (logs - data.p @ logs) ** 2))


def _max_min(data: Shares) -> float:
    data.refuse(data.x < 0, "max/min", "values of at least 0")
    return float(data.x.max() / data.x.min()) if len(data.x) and data.x.min() > 0 else np.nan
