"""Moran's I: the autocorrelation of a whole map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pandas as pd

from kazgeo.autocorrelation.moments import LinkSums
from kazgeo.autocorrelation.plan import Inference, Plan
from kazgeo.autocorrelation.rates import standardized_rate
from kazgeo.autocorrelation.sample import Sample, Transform, is_constant, numbers, sample_together, standardized
from kazgeo.autocorrelation.total import linear_draws
from kazgeo.autocorrelation.whole import MOMENTS, Formula, WholeMap, linked, tested, whole_map
from kazgeo.errors import InputError, choice, listing
from kazgeo.labels import refuse_mixed
from kazgeo.progress import part

if TYPE_CHECKING:
    from kazgeo.weights import Weights

__all__ = ["Moran", "moran", "moran_bivariate", "moran_by_year", "moran_rate"]


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


def moran_rate(
    events: pd.Series,
    population: pd.Series,
    weights: Any,
    *,
    transform: Transform | str = Transform.ROW,
    **options: Unpack[Inference],
) -> Moran:
    """Return Moran's I of rates that are standardised by how much their populations let them vary.

    Assumption: as in ``moran``, of rates after ``standardized_rate``: small populations no longer count as extremes.

    Parameters
    ----------
    events, population : Series, shape (n,)
        Counts of at least 0 and people at risk, above 0.
    weights, transform, **options
        As in ``moran``.

    Returns
    -------
    Moran

    Raises
    ------
    InputError
        As in ``moran`` and ``standardized_rate``.

    References
    ----------
    Assunção, R. M. and Reis, E. A. (1999),
    doi:10.1002/(SICI)1097-0258(19990830)18:16<2147::AID-SIM179>3.0.CO;2-I.

    Examples
    --------
    >>> from kazgeo.weights import Weights
    >>> ids = list("abcdef")
    >>> w = Weights.from_pairs(ids, list(zip(ids, ids[1:])))
    >>> ill, people = pd.Series([9, 8, 1, 0, 1, None], index=ids), pd.Series(100, index=ids)
    >>> got = moran_rate(ill, people, w, rng=1)
    >>> round(got.I, 3), got.n
    (0.636, 5)
    >>> moran_rate(ill * 0, people, w)
    Traceback (most recent call last):
    kazgeo.errors.InputError: events must not all be 0: there is no rate to compare with
    """
    return whole_map(Moran, _FORMULA, standardized_rate(events, population), weights, transform, options, "events")


def moran_bivariate(
    x: pd.Series,
    y: pd.Series,
    weights: Any,
    *,
    transform: Transform | str = Transform.ROW,
    **options: Unpack[Inference],
) -> Moran:
    r"""Return bivariate Moran's I: how far units' x goes with their neighbours' y.

    Assumption: under the hypothesis every arrangement of y over the units is equally likely, x staying where it is.
    Where y itself is clustered that does not hold; and the correlation of x and y within units takes no part.

    Parameters
    ----------
    x, y : Series, shape (n,)
        Of the unit itself and of its neighbours; units that lack either are set aside.
    weights, transform, **options
        As in ``moran``.

    Returns
    -------
    Moran
        ``variance_randomization`` is exact for y dealt at random; there is none under normality. NaN where x or y is
        constant.

    Raises
    ------
    InputError
        As in ``moran``; x and y of different units.

    Notes
    -----
    .. math:: I_{xy} = \frac{1}{S_0} \sum_{ij} w_{ij} z^x_i z^y_j

    With row standardisation and no isolates it is esda's and GeoDa's, which divide by n.

    References
    ----------
    Wartenberg, D. (1985), doi:10.1111/j.1538-4632.1985.tb00849.x; Lee, S.-I. (2001), doi:10.1007/s101090100064.

    Examples
    --------
    >>> from kazgeo.weights import Weights
    >>> chain = Weights.from_pairs(list("abcdef"), [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "f")])
    >>> x = pd.Series([1.0, 2, 3, 4, 5, 6], index=list("abcdef"))
    >>> got = moran_bivariate(x, -x, chain, rng=1, alternative="less")
    >>> round(got.I, 4), got.p < 0.05
    (-0.7143, True)
    >>> moran_bivariate(x, x.where(x > 1), chain, rng=1).n, moran_bivariate(x, x * 0, chain, rng=1).p
    (5, nan)
    >>> moran_bivariate(x, x.iloc[:0], chain)
    Traceback (most recent call last):
    kazgeo.errors.InputError: x and y must have the same units; y lacks 6: 'a', 'b', 'c', 'd', 'e' and 1 more
    """
    plan, way = Plan.of(options, Inference), choice(Transform, transform, "transform")
    data, values = sample_together({"x": x, "y": y}, weights, transform=way)
    sums = linked(data)
    if any(is_constant(column) for column in values.T):
        return tested(Moran, data, plan, way, value=np.nan, draws=None, moments=(0.0, np.nan, np.nan))
    zx, zy = (standardized(column) for column in values.T)
    ends = np.asarray(data.weights.matrix.T @ zx) / sums.s0
    draws = linear_draws(
        zy, ends, permutations=plan.permutations, seed=plan.seed, executor=plan.executor, progress=plan.progress
    )
    variance = float(((ends - ends.mean()) ** 2).sum() * data.n / (data.n - 1))
    return tested(Moran, data, plan, way, value=float(ends @ zy), draws=draws, moments=(0.0, np.nan, variance))


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
        Index year; the columns of ``Moran.to_frame``, ``n_missing`` and ``seed``. Years with fewer than 3 values,
        or without a link among them, have NaN throughout.

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

    years = y.index.get_level_values(1)
    refuse_mixed(years, "y", "years")
    given, plan = as_weights(weights), Plan.of(options, Inference)
    regions = y.index.get_level_values(0)
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
    some = weights.subset(y.index[y.notna()])
    if n >= 3 and (some.cardinalities - (some.self_weights != 0)).any():
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
