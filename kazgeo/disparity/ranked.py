"""Inequality along another ranking: whether the rich have more of something than the poor."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kazgeo.disparity.inequality import Measure
from kazgeo.disparity.shares import numeric, shares
from kazgeo.errors import InputError, choice

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ConcentrationForm", "concentration_index", "palma_ratio"]


class ConcentrationForm(StrEnum):
    """Form of the concentration index."""

    STANDARD = "standard"
    ERREYGERS = "erreygers"
    WAGSTAFF = "wagstaff"


def palma_ratio(
    x: pd.Series, income: pd.Series, population: pd.Series, *, top: float = 0.1, bottom: float = 0.4
) -> Measure:
    r"""Return the mean of the richest tenth against the mean of the poorest two fifths.

    Assumption: units are ranked by income per head and not split: who lives in a unit belongs to one group with all of
    it. The limits of income are those of all units with income and population, also of units without a value.

    Parameters
    ----------
    x : Series
        What is compared, per head (access to jobs, for instance); at least 0; NaN is left out and counted.
    income : Series
        Income per head, on the same labels or more.
    population : Series
        People per unit, on the same labels or more.
    top, bottom : float
        Shares of the people at both ends.

    Returns
    -------
    Measure
        Above 1: the rich have more. NaN when either group has no unit with a value, or the poor have 0.

    Raises
    ------
    InputError
        Negative values, weights that don't fit, shares that don't lie between 0 and 1 or overlap.

    Notes
    -----
    .. math:: \frac{\sum_{q > q_{0.9}} p\,x / \sum_{q > q_{0.9}} p}{\sum_{q \le q_{0.4}} p\,x / \sum_{q \le q_{0.4}} p}

    with q the income and its quantiles those of people.

    References
    ----------
    Palma, J. G. (2011), doi:10.1111/j.1467-7660.2011.01709.x.

    Examples
    --------
    >>> income = pd.Series({"a": 1, "b": 2, "c": 3, "d": 4})
    >>> people = pd.Series({"a": 40, "b": 30, "c": 20, "d": 10})
    >>> palma_ratio(pd.Series({"a": 10.0, "b": 15.0, "c": 15.0, "d": 30.0}), income, people)
    3.0
    >>> palma_ratio(pd.Series({"a": None, "b": 15.0, "c": 15.0, "d": 30.0}), income, people)
    nan
    >>> palma_ratio(pd.Series(dtype=float), income, people)
    nan
    """
    if not (0 < top < 1 and 0 < bottom < 1 and top + bottom <= 1):
        raise InputError(f"top and bottom must be shares of people that don't overlap; got {top} and {bottom}")
    money, people = numeric(income, "income"), numeric(population, "population")
    ranked = shares(money, people)
    order = np.argsort(ranked.x, kind="stable")
    reached = np.cumsum(ranked.p[order])
    data = shares(x, people.reindex(x.index), groups=money.reindex(x.index))
    data.refuse(data.x < 0, "Palma", "values of at least 0")
    told = data.dropped.replace("missing group", "missing income")
    if not len(order):
        return Measure(np.nan, len(data.x), told)
    at = np.searchsorted(reached, np.array([bottom, 1 - top]) - 1e-12)
    low, high = ranked.x[order][np.minimum(at, len(order) - 1)]
    own = money.reindex(data.units).to_numpy()

    def mean(group: NDArray[np.bool_]) -> float:
        weight = data.p[group]
        return float(weight @ data.x[group] / weight.sum()) if weight.sum() > 0 else np.nan

    poor, rich = mean(own <= low), mean(own > high)
    return Measure(rich / poor if poor > 0 else np.nan, len(data.x), told)


def concentration_index(
    x: pd.Series,
    rank_by: pd.Series,
    weights: pd.Series | None = None,
    *,
    form: ConcentrationForm | str = ConcentrationForm.STANDARD,
    bounds: tuple[float, float] | None = None,
) -> Measure:
    r"""Return how far something is concentrated among the rich (above 0) or the poor (below 0).

    Assumption: only the order of ``rank_by`` matters; units of equal rank share their mean rank.

    Parameters
    ----------
    x : Series
        What is distributed, per head; at least 0; NaN is left out and counted.
    rank_by : Series
        Income per head, or any other standing, on the same labels or more.
    weights : Series or None
        Population; None = every unit counts alike.
    form : {"standard", "erreygers", "wagstaff"}
        The standard index depends on the mean of a bounded variable; the corrections mend it.
    bounds : (float, float), optional
        Smallest and largest possible value for the corrections; left out: the smallest and largest found.

    Returns
    -------
    Measure
        -1 to 1; NaN without units, for a mean of 0, and for a correction where the bounds are equal.

    Raises
    ------
    InputError
        Negative values, weights that don't fit, bounds that don't enclose the values.

    Notes
    -----
    With r the fractional rank (share of people below plus half of one's own), a and b the bounds:

    .. math:: C = \frac{2}{\mu} \sum_i p_i (x_i - \mu)(r_i - \tfrac12), \qquad
        E = \frac{4 \mu}{b - a} C, \qquad W = \frac{\mu (b - a)}{(b - \mu)(\mu - a)} C

    References
    ----------
    van Doorslaer, E. and Koolman, X. (2004), doi:10.1002/hec.918; Erreygers, G. (2009),
    doi:10.1016/j.jhealeco.2008.02.003; Wagstaff, A. (2005), doi:10.1002/hec.953.

    Examples
    --------
    >>> income = pd.Series({"a": 1, "b": 2, "c": 3})
    >>> round(concentration_index(pd.Series({"a": 1.0, "b": 2.0, "c": 3.0}), income), 4)
    0.2222
    >>> got = concentration_index(pd.Series({"a": 3.0, "b": None, "c": 1.0}), income)
    >>> round(got, 4), got.dropped.values.tolist()
    (-0.25, [['b', 'missing value']])
    >>> concentration_index(pd.Series(dtype=float), income)
    nan
    """
    how = choice(ConcentrationForm, form, "form")
    standing = numeric(rank_by, "rank_by")
    data = shares(x, weights, groups=standing.reindex(x.index))
    data.refuse(data.x < 0, "concentration index", "values of at least 0")
    told = data.dropped.replace("missing group", "missing rank_by")
    if not len(data.x) or not data.mean > 0:
        return Measure(np.nan, len(data.x), told)
    _, tie = np.unique(standing.reindex(data.units).to_numpy(), return_inverse=True)
    people = np.bincount(tie, data.p)
    rank = (np.cumsum(people) - people / 2)[tie]
    mean = data.mean
    index = float(2 * (data.p * (data.x - mean) * (rank - 0.5)).sum() / mean)
    if how is not ConcentrationForm.STANDARD:
        least, most = (data.x.min(), data.x.max()) if bounds is None else bounds
        if least > data.x.min() or most < data.x.max():
            raise InputError(
                f"bounds must enclose the values, {data.x.min():g} to {data.x.max():g}; got {least:g} to {most:g}"
            )
        if how is ConcentrationForm.ERREYGERS:
            above, below = 4 * mean, most - least
        else:
            above, below = mean * (most - least), (most - mean) * (mean - least)
        index = index * above / below if below > 0 else np.nan
    return Measure(index, len(data.x), told)
