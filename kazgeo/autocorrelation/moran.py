"""Moran's I: the autocorrelation of a whole map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pandas as pd

from kazgeo.autocorrelation.moments import LinkSums
from kazgeo.autocorrelation.plan import Inference, Plan
from kazgeo.autocorrelation.sample import Sample, Transform, numbers
from kazgeo.autocorrelation.whole import MOMENTS, Formula, WholeMap, whole_map
from kazgeo.errors import InputError, listing
from kazgeo.progress import part

if TYPE_CHECKING:
    from kazgeo.weights import Weights

__all__ = ["Moran", "moran", "moran_by_year"]


class Moran(WholeMap):
    """Moran's I: above its mean of -1 / (n - 1) neighbours are alike, below they differ."""

    symbol = "I"

    @property
    def I(self) -> float:  # noqa: E743, N802  the field's own symbol
        """The statistic."""
        return self.value


def moran(
    y: pd.Series,
    weights: Any,
    *,
    transform: Transform | str = Transform.ROW,
    **options: Unpack[Inference],
) -> Moran:
    r"""Return Moran's I of a map: how far neighbours resemble each other beyond chance.

    Assumption: under the hypothesis every arrangement of the values over the units is equally likely. Rates
    of very unequal populations break it (their variances differ).

    Parameters
    ----------
    y : Series, shape (n,)
        Numbers labelled by unit; NaN units are set aside.
    weights : Weights or libpysal Graph
        Same units in any order; self weights do not take part. Units without a neighbour stay in n and in the
        mean, as in esda; spdep leaves them out (drop them from ``y`` and ``weights`` for that).
    transform : {"row", "binary", "given"}
        What is done to the weights first.
    **options
        ``permutations``, ``alternative``, ``rng``, ``executor``, ``progress``: see ``Inference``. The alternative is
        that of all three p-values.

    Returns
    -------
    Moran
        All NaN when the values are constant.

    Raises
    ------
    InputError
        Fewer than 3 units with a value, ids that differ, no links at all, or a bad option.

    Notes
    -----
    .. math:: I = \frac{n}{S_0} \frac{\sum_{ij} w_{ij} z_i z_j}{\sum_i z_i^2}

    References
    ----------
    Moran, P. A. P. (1950), doi:10.1093/biomet/37.1-2.17; moments: Cliff, A. D. and Ord, J. K. (1981), Spatial
    Processes, p. 42-46.

    Examples
    --------
    >>> from kazgeo.weights import Weights
    >>> chain = Weights.from_pairs(list("abcdef"), [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "f")])
    >>> y = pd.Series([1.0, 2, 3, 4, 5, 6], index=list("abcdef"))
    >>> got = moran(y, chain, rng=1)
    >>> round(got.I, 4), round(got.expected, 2), got.p < 0.05
    (0.7143, -0.2, True)
    >>> moran(y.where(y > 1), chain, rng=1).dropped.to_dict("records")
    [{'unit': 'a', 'reason': 'missing value'}]
    >>> moran(y * 0, chain, rng=1).p
    nan
    >>> moran(y.iloc[:0], chain)
    Traceback (most recent call last):
    kazgeo.errors.InputError: y and weights must have the same units; y lacks 6: 'a', 'b', 'c', 'd', 'e' and 1 more
    """
    return whole_map(Moran, _FORMULA, y, weights, transform, options)


def moran_by_year(
    y: pd.Series,
    weights: Any,
    *,
    transform: Transform | str = Transform.ROW,
    **options: Unpack[Inference],
) -> pd.DataFrame:
    """Return Moran's I for every year of a panel.

    Assumption: the same units and neighbours in all years. The years are tested one by one, with the same draws;
    p is not adjusted for their number.

    Parameters
    ----------
    y : Series
        MultiIndex (region, year), each pair once; regions that lack a year count as missing in it.
    weights, transform, **options
        As in ``moran``.

    Returns
    -------
    DataFrame
        Index year; the columns of ``Moran.to_frame``, ``n_missing`` and ``seed``. Years with fewer than 3 values
        have NaN throughout.

    Raises
    ------
    InputError
        No (region, year) index, or as in ``moran``.

    Examples
    --------
    >>> from kazgeo.weights import Weights
    >>> chain = Weights.from_pairs(list("abcd"), [("a", "b"), ("b", "c"), ("c", "d")])
    >>> index = pd.MultiIndex.from_product([list("abcd"), [2019, 2020, 2021]], names=["region", "year"])
    >>> y = pd.Series([1, 4, None, 2, 1, None, 3, 3, 7, 4, None, None], index=index)
    >>> moran_by_year(y, chain, rng=1)[["I", "n", "n_missing"]].round(4).reset_index().values.tolist()
    [[2019.0, 0.4, 4.0, 0.0], [2020.0, -0.8929, 3.0, 1.0], [2021.0, nan, 1.0, 3.0]]
    >>> moran_by_year(y.iloc[:0], chain).empty
    True
    """
    if not isinstance(y, pd.Series) or y.index.nlevels != 2:
        raise InputError("y must be a Series with the index levels (region, year)")
    numbers(y, "y")
    from kazgeo.weights import as_weights

    given, plan = as_weights(weights), Plan.of(options)
    regions, years = y.index.get_level_values(0), y.index.get_level_values(1)
    strange = regions.unique().difference(given.ids)
    if len(strange):
        raise InputError(f"y and weights must have the same units; weights lack {len(strange)}: {listing(strange)}")
    rows: dict[Any, dict[str, Any]] = {}
    todo = sorted(years.unique())
    for step, year in enumerate(todo):
        now = y.xs(year, level=1).reindex(given.ids)
        inner: Inference = {"rng": plan.seed, "progress": part(plan.progress, step / len(todo), (step + 1) / len(todo))}
        rows[year] = _one_year(now, given, transform, options | inner) | {"seed": plan.seed}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(index="year")


def _one_year(y: pd.Series, weights: Weights, transform: Transform | str, options: Inference) -> dict[str, Any]:
    """Return one row of the table by year."""
    n = int(y.notna().sum())
    found: dict[str, Any] = dict.fromkeys((Moran.symbol, *MOMENTS), np.nan)
    if n >= 3:
        found = moran(y, weights, transform=transform, **options).figures()
    return found | {"n": n, "n_missing": len(y) - n}


def _moments(data: Sample, sums: LinkSums) -> tuple[float, float, float]:
    """Return the mean of I and its variances under normality and randomisation (Cliff and Ord 1981)."""
    n, (s0, s1, s2) = data.n, sums
    expected = -1 / (n - 1)
    normality = (n * n * s1 - n * s2 + 3 * s0 * s0) / (s0 * s0 * (n * n - 1)) - expected**2
    if data.constant or n < 4:
        return expected, np.nan if data.constant else float(normality), np.nan
    kurtosis = float(np.mean(data.z**4))
    first = n * ((n * n - 3 * n + 3) * s1 - n * s2 + 3 * s0 * s0)
    second = kurtosis * ((n * n - n) * s1 - 2 * n * s2 + 6 * s0 * s0)
    randomization = (first - second) / ((n - 1) * (n - 2) * (n - 3) * s0 * s0) - expected**2
    return expected, float(normality), float(randomization)


_FORMULA = Formula(lambda _, s0: 1 / s0, False, _moments)
