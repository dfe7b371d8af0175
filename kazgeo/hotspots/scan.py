"""Kulldorff's spatial scan statistic: the cluster, anywhere and of any size, that chance explains least."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import numpy as np
import pandas as pd

from kazgeo.autocorrelation.sample import is_constant
from kazgeo.errors import InputError, listing
from kazgeo.hotspots.scan_likelihood import Bernoulli, Normal, Poisson
from kazgeo.hotspots.scan_search import Scan, ScanOptions, plan_of, search, unsearched
from kazgeo.hotspots.scan_windows import Units, units_at

if TYPE_CHECKING:
    import geopandas
    from numpy.typing import NDArray

__all__ = ["scan_bernoulli", "scan_normal", "scan_poisson"]

#: Most cases: sums are exact up to here.
MOST_COUNTED = 2**53
#: Most individuals that numpy can deal without replacement.
MOST_DEALT = 999_999_999


def scan_poisson(
    cases: pd.Series,
    population: pd.Series | None,
    points: geopandas.GeoDataFrame,
    *,
    expected: pd.Series | None = None,
    max_population: float = 0.5,
    **options: Unpack[ScanOptions],
) -> Scan:
    r"""Find the clusters of cases that are least explained by the number of people at risk.

    Assumption: under the hypothesis cases fall on people one by one and alike, so that counts are Poisson with one
    risk for all (or in proportion to ``expected``); cases that come in families or outbreaks make p too small.

    Parameters
    ----------
    cases : Series, shape (n,)
        Whole numbers labelled by unit. Fractions are refused: chance deals whole cases. Aggregate years instead.
    population : Series or None
        People at risk, same units in any order; only proportions count. None when ``expected`` is given.
    points : GeoDataFrame
        Same units in any order, with a CRS; polygons by a point inside.
    expected : Series, optional
        Cases expected from covariates (age and sex, say), in any unit: scaled to the sum of cases.
    max_population : float
        Largest share of the population (of the expected cases) in a window, above 0 and up to 0.5. A unit with more
        than that is the centre of no window.
    **options
        ``shape``, ``penalty``, ``direction``, ``secondary``, ``permutations``, ``alpha``, ``rng``, ``executor``,
        ``progress``: see ``kazgeo.hotspots.ScanOptions``.

    Returns
    -------
    Scan
        The most likely cluster, and further ones down to where every draw has a more extreme one.

    Raises
    ------
    InputError
        Units that differ, negative or fractional cases, no case at all, cases where nobody lives, fewer than 2 units
        with values and a place, or a bad option.

    Notes
    -----
    .. math:: \ln \lambda = c \ln \frac{c}{e} + (C - c) \ln \frac{C - c}{C - e}

    for c of C cases in a window that expects e. The largest ratio of all windows is compared with the largest of each
    of m draws of C cases from the multinomial distribution, which pays for the many windows; later clusters are held
    against the same draws, so that their p is on the safe side.

    References
    ----------
    Kulldorff, M. (1997), doi:10.1080/03610929708831995; Kulldorff, M., Huang, L., Pickle, L. and Duczmal, L. (2006),
    doi:10.1002/sim.2490 (ellipses).

    Examples
    --------
    >>> import geopandas
    >>> at = geopandas.points_from_xy(np.arange(20) % 5 + 65.0, np.arange(20) // 5 + 46.0, crs=4326)
    >>> towns = geopandas.GeoDataFrame(geometry=at, index=[f"u{i:02d}" for i in range(20)])
    >>> people = pd.Series(1000.0, index=towns.index)
    >>> ill = pd.Series(4, index=towns.index).where(~towns.index.isin(["u00", "u01", "u05"]), 15)
    >>> got = scan_poisson(ill, people, towns, rng=1)
    >>> got.members[1], got.n_significant, got.label["u05"]
    (['u00', 'u01', 'u05'], 1, 'cluster-high')
    >>> got.clusters[["observed", "expected", "relative_risk", "llr", "p"]].round(3).iloc[0].tolist()
    [45.0, 16.95, 3.75, 20.453, 0.001]
    >>> ill = ill.astype(float).where(ill.index != "u19")
    >>> scan_poisson(ill, people, towns, rng=1).label["u19"]
    'undefined'
    >>> scan_poisson(ill * 0, people, towns)
    Traceback (most recent call last):
    kazgeo.errors.InputError: cases must hold at least one case; they sum to 0
    """
    plan = plan_of(max_population, "max_population", options)
    if (population is None) == (expected is None):
        raise InputError("give either population or expected (and None for the other)")
    base, name = (population, "population") if expected is None else (expected, "expected")
    units = units_at({"cases": cases, name: base}, points, 2)
    counts = _counts(units, "cases")
    size = _not_negative(units, name)
    _someone_there(units, counts, size, name)
    return search(units, Poisson(counts, size), plan)


def scan_bernoulli(
    cases: pd.Series,
    controls: pd.Series,
    points: geopandas.GeoDataFrame,
    *,
    max_population: float = 0.5,
    **options: Unpack[ScanOptions],
) -> Scan:
    r"""Find the clusters where the share of cases among individuals differs most from elsewhere.

    Assumption: every individual is a case or a control, and under the hypothesis each is a case with the same
    probability, whoever the neighbour is. With rare cases the result is nearly that of ``scan_poisson``.

    Parameters
    ----------
    cases, controls : Series, shape (n,)
        Whole numbers labelled by unit: pupils who left school and those who stayed, say.
    points : GeoDataFrame
        Same units in any order, with a CRS; polygons by a point inside.
    max_population : float
        Largest share of all individuals in a window, above 0 and up to 0.5.
    **options
        See ``kazgeo.hotspots.ScanOptions``.

    Returns
    -------
    Scan

    Raises
    ------
    InputError
        Units that differ, negative or fractional counts, no case or no control at all, fewer than 2 units with
        values and a place, or a bad option.

    Notes
    -----
    With c cases and d controls in a window, C and D in all and :math:`h(k) = k \ln k`,

    .. math:: \ln \lambda = h(c) + h(d) - h(c + d) + h(C - c) + h(D - d) - h(C + D - c - d)
              - h(C) - h(D) + h(C + D)

    and the draws deal the C cases among all individuals without replacement.

    References
    ----------
    Kulldorff, M. (1997), doi:10.1080/03610929708831995.

    Examples
    --------
    >>> import geopandas
    >>> at = geopandas.points_from_xy(np.arange(12) + 60.0, [48.0] * 12, crs=4326)
    >>> schools = geopandas.GeoDataFrame(geometry=at, index=list("abcdefghijkl"))
    >>> left = pd.Series([9, 8, 9, 2, 1, 2, 2, 1, 2, 1, 2, 1], index=schools.index)
    >>> got = scan_bernoulli(left, 20 - left, schools, rng=1)
    >>> got.members[1], round(float(got.clusters["relative_risk"][1]), 2)
    (['b', 'c', 'a'], 5.57)
    >>> scan_bernoulli(left, 20 - left.replace(9, None).astype("Int64"), schools, rng=1).dropped["unit"].tolist()
    ['a', 'c']
    >>> scan_bernoulli(left.iloc[:0], left.iloc[:0], schools.iloc[:0])
    Traceback (most recent call last):
    kazgeo.errors.InputError: cases, controls and points must have values and a place for at least 2 units; got 0 of 0
    """
    plan = plan_of(max_population, "max_population", options)
    units = units_at({"cases": cases, "controls": controls}, points, 2)
    counts, others = _counts(units, "cases"), _counts(units, "controls")
    if counts.sum() + others.sum() > MOST_DEALT:
        raise InputError(
            f"cases and controls must not exceed {MOST_DEALT:,} together; got {counts.sum() + others.sum():,}"
        )
    return search(units, Bernoulli(counts, others), plan)


def scan_normal(
    y: pd.Series,
    points: geopandas.GeoDataFrame,
    *,
    max_units: float = 0.5,
    **options: Unpack[ScanOptions],
) -> Scan:
    r"""Find the clusters where the mean of a continuous value differs most from the mean elsewhere.

    Assumption: under the hypothesis every arrangement of the values over the units is equally likely, so that p is
    right whatever their distribution; the ratio itself is that of normal values of one variance, and long tails cost
    power. Every unit weighs the same: rates of small units vary by chance alone, use ``scan_poisson`` for them.

    Parameters
    ----------
    y : Series, shape (n,)
        Numbers labelled by unit (income, minutes to a hospital); NaN units are set aside.
    points : GeoDataFrame
        Same units in any order, with a CRS; polygons by a point inside.
    max_units : float
        Largest share of the units in a window, above 0 and up to 0.5.
    **options
        See ``kazgeo.hotspots.ScanOptions``.

    Returns
    -------
    Scan
        No cluster and "undefined" throughout where the values are constant.

    Raises
    ------
    InputError
        Units that differ, fewer than 3 units with a value and a place, or a bad option.

    Notes
    -----
    .. math:: \ln \lambda = n \ln(\sigma / \sigma_w) = -\frac{n}{2} \ln(1 - r)

    with the variance :math:`\sigma_w^2` about two means, inside and outside, and the share r of the variance that the
    window explains. Infinite where it explains all.

    References
    ----------
    Kulldorff, M., Huang, L. and Konty, K. (2009), doi:10.1186/1476-072X-8-58.

    Examples
    --------
    >>> import geopandas
    >>> at = geopandas.points_from_xy(np.arange(18) + 60.0, [48.0] * 18, crs=4326)
    >>> towns = geopandas.GeoDataFrame(geometry=at, index=list("abcdefghijklmnopqr"))
    >>> minutes = pd.Series([90.0, 95, 99, 20, 11, 25, 22, 19, 27, 14, 26, 18, 17, 21, 24, 13, 12, None], towns.index)
    >>> got = scan_normal(minutes, towns, rng=1)
    >>> got.members[1], got.clusters[["mean_inside", "mean_outside"]].round(1).iloc[0].tolist()
    (['b', 'c', 'a'], [94.7, 19.2])
    >>> got.label[["a", "f", "r"]].tolist(), bool(got.clusters["p"][1] <= 0.05)
    (['cluster-high', 'not significant', 'undefined'], True)
    >>> flat = scan_normal(minutes * 0, towns)
    >>> len(flat.clusters), flat.label.unique().tolist(), flat.n_significant
    (0, ['undefined'], 0)
    >>> scan_normal(minutes.iloc[:0], towns.iloc[:0])
    Traceback (most recent call last):
    kazgeo.errors.InputError: y and points must have values and a place for at least 3 units; got 0 of 0
    """
    plan = plan_of(max_units, "max_units", options)
    units = units_at({"y": y}, points, 3)
    values = units.values["y"]
    model = Normal(values)
    if is_constant(values):
        return unsearched(units, plan, model.columns)
    return search(units, model, plan)


def _not_negative(units: Units, name: str) -> NDArray[np.float64]:
    """Return values that must be at least 0."""
    values = units.values[name]
    if (values < 0).any():
        raise InputError(f"{name} must not be negative; negative at units {listing(units.ids[values < 0])}")
    return values


def _counts(units: Units, name: str) -> NDArray[np.int64]:
    """Return whole numbers of at least 0, not all 0."""
    values = _not_negative(units, name)
    broken = values != np.rint(values)
    if broken.any():
        raise InputError(
            f"{name} must be whole numbers, because chance deals whole {name}; fractions at units "
            f"{listing(units.ids[broken])}; give counts, not rates or means"
        )
    if values.sum() > MOST_COUNTED:
        raise InputError(f"{name} must not exceed {MOST_COUNTED:,} together; got {values.sum():g}")
    if not values.any():
        raise InputError(f"{name} must hold at least one {name.removesuffix('s')}; they sum to 0")
    return values.astype(np.int64)


def _someone_there(units: Units, counts: NDArray[np.int64], size: NDArray[np.float64], name: str) -> None:
    """Refuse cases where there is nobody to fall ill."""
    wrong = (counts > 0) & (size == 0)
    if wrong.any():
        raise InputError(f"{name} must be above 0 where there are cases; 0 at units {listing(units.ids[wrong])}")
