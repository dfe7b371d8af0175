"""Local Moran: units that are part of a cluster, and units that stand out from their neighbours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pandas as pd

from kazgeo.autocorrelation.permutation import Tails
from kazgeo.autocorrelation.plan import LocalOptions, Plan
from kazgeo.autocorrelation.rates import standardized_rate
from kazgeo.autocorrelation.sample import Sample, Transform, is_constant, sample, sample_together, standardized
from kazgeo.autocorrelation.significance import LocalInference, passes
from kazgeo.errors import choice

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "LABELS",
    "LocalMoran",
    "Scale",
    "local_moran",
    "local_moran_bivariate",
    "local_moran_change",
    "local_moran_rate",
]

#: Every label a unit can have.
LABELS = ("high-high", "low-low", "high-low", "low-high", "not significant", "isolate", "undefined")


#: What places stand for, as label and as quadrant.
_LABELS = np.array(
    ["low-low", "low-high", "high-low", "high-high", "isolate", "undefined", "not significant"], dtype=object
)
_QUADRANTS = np.array(["low-low", "low-high", "high-low", "high-high", None, None, None], dtype=object)
_ISOLATE, _UNDEFINED, _NOT_SIGNIFICANT = 4, 5, 6


class Scale(StrEnum):
    """What the products of local Moran are divided by: the variance with n - 1 (GeoDa, esda) or n (spdep)."""

    GEODA = "geoda"
    SPDEP = "spdep"


@dataclass(frozen=True, eq=False)
class LocalMoran(LocalInference):
    """Local Moran of every unit, on the caller's index; the rest as in ``LocalInference``.

    Parameters
    ----------
    I : Series
        The statistic.
    expected, variance, z : Series
        Conditional moments of I (Sokal and others 1998) and (I - expected) / standard deviation. On skewed data
        z is no substitute for p.
    lag : Series
        Weighted sum of the neighbours' values in the unit of y (their mean under row standardisation).
    quadrant : Series of str
        "high-high", "low-low", "high-low", "low-high": own value and lag against the mean, whether significant or
        not; None where undefined.
    """

    I: pd.Series  # noqa: E741  the field's own symbol
    expected: pd.Series
    variance: pd.Series
    z: pd.Series
    lag: pd.Series
    quadrant: pd.Series

    def to_frame(self) -> pd.DataFrame:
        """Return all columns on the caller's index."""
        names = ["I", "expected", "variance", "z", "lag", "p", "p_adjusted", "quadrant", "label"]
        return pd.DataFrame({name: getattr(self, name) for name in names}, index=self.p.index)


def local_moran(
    y: pd.Series,
    weights: Any,
    *,
    transform: Transform | str = Transform.ROW,
    scale: Scale | str = Scale.GEODA,
    **options: Unpack[LocalOptions],
) -> LocalMoran:
    r"""Return local Moran of every unit, with conditional permutation p and a label after correction.

    Assumption: under the hypothesis the values of all other units are dealt at random around the unit. Where the
    whole map is autocorrelated that does not hold, and p describes more than it tests. With fewer than about 30
    units hardly anything survives a correction.

    Parameters
    ----------
    y : Series, shape (n,)
        Numbers labelled by unit; NaN units are set aside and labelled "undefined".
    weights : Weights or libpysal Graph
        Same units in any order; self weights do not take part. Units without a neighbour are labelled "isolate";
        their values still count in the mean and in the draws.
    transform : {"row", "binary", "given"}
        What is done to the weights first.
    scale : {"geoda", "spdep"}
        Divides by the variance with n - 1 (GeoDa, esda) or n (spdep; the sum of local I is then S0 times the
        global I). z and p do not depend on it.
    **options
        ``permutations``, ``alternative``, ``correction``, ``alpha``, ``draws``, ``rng``, ``executor``, ``progress``:
        see ``LocalOptions``. "greater": I larger than by chance (clusters only); "less": outliers only.

    Returns
    -------
    LocalMoran
        Constant values: NaN throughout, labelled "undefined".

    Raises
    ------
    InputError
        Fewer than 3 units with a value, ids that differ, or a bad option.

    Notes
    -----
    .. math:: I_i = \frac{z_i}{m_2} \sum_j w_{ij} z_j, \qquad m_2 = \frac{\sum_i z_i^2}{n - 1}

    References
    ----------
    Anselin, L. (1995), doi:10.1111/j.1538-4632.1995.tb00338.x; Sokal, R. R., Oden, N. L. and Thomson, B. A. (1998),
    doi:10.1111/j.1538-4632.1998.tb00406.x.

    Examples
    --------
    >>> from kazgeo.weights import Weights
    >>> ids = [f"u{i:02d}" for i in range(40)]
    >>> pairs = [(ids[i], ids[j]) for i in range(39) for j in (i + 1, i + 2) if j < 39]
    >>> w = Weights.from_pairs(ids, pairs)
    >>> y = pd.Series([9.0] * 6 + [1, 2, 3, 2] * 8 + [None, 5.0], index=ids)
    >>> got = local_moran(y, w, rng=1)
    >>> got.label[["u02", "u20", "u38", "u39"]].tolist()
    ['high-high', 'not significant', 'undefined', 'isolate']
    >>> got.n_significant, got.n_tests, len(got.dropped)
    (3, 38, 2)
    >>> local_moran(y * 0, w, rng=1).label.unique().tolist()
    ['undefined']
    >>> local_moran(y.iloc[:0], Weights.from_pairs([], []))
    Traceback (most recent call last):
    kazgeo.errors.InputError: y must have a value for at least 3 units; got 0 of 0
    """
    return _tested(sample(y, weights, transform=transform), None, scale, Plan.of(options), transform=str(transform))


def local_moran_bivariate(
    x: pd.Series,
    y: pd.Series,
    weights: Any,
    *,
    transform: Transform | str = Transform.ROW,
    scale: Scale | str = Scale.GEODA,
    **options: Unpack[LocalOptions],
) -> LocalMoran:
    r"""Return bivariate local Moran: whether a unit's x goes with its neighbours' y.

    Assumption: under the hypothesis the y of all other units are dealt at random around the unit. The correlation of
    x and y within units takes no part: a "cluster" may come from y's own clusters where x and y go together anyway.

    Parameters
    ----------
    x : Series, shape (n,)
        Value of the unit itself; units that lack x or y are set aside.
    y : Series, shape (n,)
        Value taken at the neighbours.
    weights, transform, scale, **options
        As in ``local_moran``.

    Returns
    -------
    LocalMoran
        ``lag`` is that of y; "high-low" is a unit high in x among neighbours low in y. NaN where x or y is constant.

    Raises
    ------
    InputError
        As in ``local_moran``; x and y of different units.

    Notes
    -----
    .. math:: I_i = \frac{n - 1}{n} z^x_i \sum_j w_{ij} z^y_j

    with z in population standard deviations (the factor is 1 under ``scale="spdep"``).

    References
    ----------
    Lee, S.-I. (2001), doi:10.1007/s101090100064; Anselin, L., Syabri, I. and Smirnov, O. (2002), Visualizing
    multivariate spatial correlation with dynamically linked windows.

    Examples
    --------
    >>> from kazgeo.weights import Weights
    >>> ids = [f"u{i:02d}" for i in range(40)]
    >>> w = Weights.from_pairs(ids, [(ids[i], ids[j]) for i in range(40) for j in (i + 1, i + 2) if j < 40])
    >>> x = pd.Series([9.0] * 6 + [1, 2, 3, 2] * 8 + [None, 5.0], index=ids)
    >>> got = local_moran_bivariate(x, -x, w, rng=1)
    >>> got.label["u02"], got.label["u38"], got.n_tests
    ('high-low', 'undefined', 39)
    >>> local_moran_bivariate(x, x * 0, w, rng=1).n_tests
    0
    >>> local_moran_bivariate(x, x.iloc[:39], w)
    Traceback (most recent call last):
    kazgeo.errors.InputError: x and y must have the same units; y lacks 1: 'u39'
    """
    data, values = sample_together({"x": x, "y": y}, weights, transform=transform)
    beside = replace(data, y=values[:, 1])
    return _tested(beside, values[:, 0], scale, Plan.of(options), transform=str(transform), bivariate=True)


def local_moran_rate(
    events: pd.Series,
    population: pd.Series,
    weights: Any,
    *,
    transform: Transform | str = Transform.ROW,
    scale: Scale | str = Scale.GEODA,
    **options: Unpack[LocalOptions],
) -> LocalMoran:
    """Return local Moran of rates that are standardised by how much their populations let them vary.

    Assumption: events are independent given the rate; small populations then have rates that vary more, and the
    standardisation of Assunção and Reis takes that out before like is compared with like.

    Parameters
    ----------
    events : Series, shape (n,)
        Counts of at least 0.
    population : Series, shape (n,)
        At risk, above 0. Units that lack either are set aside.
    weights, transform, scale, **options
        As in ``local_moran``.

    Returns
    -------
    LocalMoran
        ``lag`` is that of the standardised rate.

    Raises
    ------
    InputError
        As in ``local_moran`` and ``standardized_rate``.

    References
    ----------
    Assunção, R. M. and Reis, E. A. (1999),
    doi:10.1002/(SICI)1097-0258(19990830)18:16<2147::AID-SIM179>3.0.CO;2-I.

    Examples
    --------
    >>> from kazgeo.weights import Weights
    >>> ids = list("abcdef")
    >>> w = Weights.from_pairs(ids, list(zip(ids, ids[1:])))
    >>> ill, people = pd.Series([9, 8, 1, 0, 1, 0], index=ids), pd.Series(100, index=ids)
    >>> local_moran_rate(ill, people, w, rng=1).I.round(2).tolist()
    [1.62, 0.51, -0.1, 0.4, 0.4, 0.4]
    >>> local_moran_rate(ill, people - 100, w)
    Traceback (most recent call last):
    kazgeo.errors.InputError: population must be above 0; it is not at units 'a', 'b', 'c', 'd', 'e' and 1 more
    """
    rate = standardized_rate(events, population)
    return _tested(
        sample(rate, weights, transform=transform, name="events"),
        None,
        scale,
        Plan.of(options),
        transform=str(transform),
    )


def local_moran_change(
    before: pd.Series,
    after: pd.Series,
    weights: Any,
    *,
    transform: Transform | str = Transform.ROW,
    scale: Scale | str = Scale.GEODA,
    **options: Unpack[LocalOptions],
) -> LocalMoran:
    """Return differential local Moran: clusters of change between two years, fixed effects of places gone.

    Assumption: as in ``local_moran``, of the differences. Both years are in one set of boundaries and one unit.

    Parameters
    ----------
    before, after : Series, shape (n,)
        Of the same units; a unit that lacks either is set aside.
    weights, transform, scale, **options
        As in ``local_moran``.

    Returns
    -------
    LocalMoran
        Of after - before.

    Raises
    ------
    InputError
        As in ``local_moran``; years of different units.

    References
    ----------
    Differential local Moran of the GeoDa workbook, https://geodacenter.github.io/workbook/6c_local_multi/lab6c.html.

    Examples
    --------
    >>> from kazgeo.weights import Weights
    >>> ids = list("abcdef")
    >>> w = Weights.from_pairs(ids, list(zip(ids, ids[1:])))
    >>> old, new = pd.Series([5.0, 1, 4, 2, 6, 3], index=ids), pd.Series([9.0, 5, 8, 2, 6, None], index=ids)
    >>> local_moran_change(old, new, w, rng=1).quadrant.tolist()
    ['high-high', 'high-high', 'high-low', 'low-low', 'low-low', None]
    """
    data, values = sample_together({"before": before, "after": after}, weights, transform=transform)
    moved = replace(data, y=values[:, 1] - values[:, 0])
    return _tested(moved, None, scale, Plan.of(options), transform=str(transform), change=True)


def _tested(
    data: Sample, own: NDArray[np.float64] | None, scale: Scale | str, plan: Plan, **options: object
) -> LocalMoran:
    """Return the result of ``own`` value (that of the sample when None) x lag of the sample's values."""
    divisor = choice(Scale, scale, "scale")
    fixed = data.constant or (own is not None and is_constant(own))
    z = data.y if fixed else data.z
    at_home = z if own is None or fixed else standardized(own)
    lag = data.weights.lag(z)
    parts = _parts(data, at_home, lag, divisor, fixed)
    p = np.full(data.n, np.nan)
    if not fixed:
        p = plan.p(of_product(plan.tails(z, data.weights), at_home, plan.permutations))
        p[data.weights.cardinalities == 0] = np.nan
    place = np.full(data.n, _UNDEFINED) if fixed else _quadrants(data, at_home, lag)
    if not fixed:  # all others are neighbours, or alike: every draw gives the same
        stuck = (parts["variance"] == 0) & (np.abs(at_home) > 1e-9)
        p[stuck], place[stuck] = np.nan, _UNDEFINED

    def label(p_adjusted: NDArray[np.float64]) -> NDArray[np.object_]:
        shown = place if fixed else np.where(passes(p_adjusted, plan.alpha) | (place > 3), place, _NOT_SIGNIFICANT)
        return _LABELS[shown]

    described = {"scale": divisor.value, **options}
    return plan.result(LocalMoran, data, p, label, parts | {"quadrant": _QUADRANTS[place]}, **described)


def _parts(
    data: Sample, own: NDArray[np.float64], lag: NDArray[np.float64], scale: Scale, fixed: bool
) -> dict[str, NDArray[np.float64]]:
    """Return I, its conditional moments, z and the lag; NaN for isolates and constant values."""
    n, weights = data.n, data.weights
    lonely = weights.cardinalities == 0
    if fixed:
        nothing = np.full(n, np.nan)
        around = np.where(lonely, np.nan, weights.lag(data.y))
        return {"lag": around, **dict.fromkeys(("I", "expected", "variance", "z"), nothing)}
    z = data.z
    factor = 1.0 if scale is Scale.SPDEP else (n - 1) / n
    w1, w2 = weights.row_sums(), weights.row_sums(2)
    others, room = 1 - z**2 / (n - 1), w2 - w1**2 / (n - 1)
    others[others <= 1e-9] = 0.0  # all others are alike: nothing can vary
    room[room <= 1e-12 * w2] = 0.0  # all others are neighbours
    free = room * others
    scaled = factor * own
    mean, spread = data.moments
    out = {"lag": mean * w1 + spread * lag, "I": scaled * lag, "expected": -scaled * z * w1 / (n - 1)}
    out["variance"] = scaled**2 * (n / (n - 2)) * free
    with np.errstate(invalid="ignore", divide="ignore"):
        score = (out["I"] - out["expected"]) / np.sqrt(out["variance"])
    score[(free == 0) | (np.abs(own) <= 1e-9)] = np.nan
    out["z"] = score
    if lonely.any():
        for values in out.values():
            values[lonely] = np.nan
    return out


def of_product(tails: Tails, z: NDArray[np.float64], m: int) -> Tails:
    """Turn tails of a lag into those of z x lag: a negative own value swaps them, a zero one ties every draw."""
    above, below = np.where(z > 0, tails.greater, tails.less), np.where(z > 0, tails.less, tails.greater)
    middle = np.abs(z) <= 1e-9
    above[middle], below[middle] = m, m
    return Tails(above, below)


def _quadrants(data: Sample, own: NDArray[np.float64], lag: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the place of every unit in ``_QUADRANTS`` by own value and lag; isolates have none."""
    place = 2 * (own > 1e-9) + (lag > 1e-9 * data.weights.reach)
    place[data.weights.cardinalities == 0] = _ISOLATE
    return np.asarray(place)
