"""Getis-Ord Gi and Gi*: hot and cold spots at three levels of confidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pandas as pd

from kazgeo.autocorrelation.plan import LocalOptions, Plan
from kazgeo.autocorrelation.sample import Sample, Transform, sample
from kazgeo.autocorrelation.significance import LocalInference, passes
from kazgeo.errors import choice

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LABELS", "GetisOrd", "getis_ord", "spots"]

#: Every label a unit can have; the number is the confidence in per cent after correction.
LABELS = (
    "hot-99", "hot-95", "hot-90", "cold-99", "cold-95", "cold-90", "not significant", "isolate", "undefined",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class GetisOrd(LocalInference):
    """Gi or Gi* of every unit, on the caller's index; the rest as in ``LocalInference``.

    Parameters
    ----------
    value : Series
        Standardised Gi or Gi*: standard deviations above (below) what chance would give.
    star : bool
        Whether the unit's own value takes part (Gi*).
    """

    value: pd.Series
    star: bool

    @property
    def n_hot(self) -> int:
        """Number of units labelled as a hot spot at any of the three levels."""
        return int(self.label.str.startswith("hot").sum())

    @property
    def n_cold(self) -> int:
        """Number of units labelled as a cold spot at any of the three levels."""
        return int(self.label.str.startswith("cold").sum())

    def to_frame(self) -> pd.DataFrame:
        """Return all columns on the caller's index."""
        return pd.DataFrame({name: getattr(self, name) for name in ("value", "p", "p_adjusted", "label")})


def getis_ord(
    y: pd.Series,
    weights: Any,
    *,
    star: bool = True,
    transform: Transform | str = Transform.BINARY,
    **options: Unpack[LocalOptions],
) -> GetisOrd:
    r"""Return Gi* (or Gi) of every unit as a z-score, with permutation p and hot and cold spots after correction.

    Assumption: values have a natural "much" and "little" (income, minutes, deaths); under the hypothesis the values
    of all other units are dealt at random around the unit, whose own value stays.

    Parameters
    ----------
    y : Series, shape (n,)
        Numbers labelled by unit; NaN units are set aside and labelled "undefined".
    weights : Weights or libpysal Graph
        Same units in any order, never changed. Units without a neighbour are labelled "isolate": their Gi* would
        be their own value and say nothing of a place.
    star : bool
        Gi*: the unit belongs to its own neighbourhood, with its self weight under ``transform="given"`` where there
        is one, else with its row's largest weight (1 for binary weights, as Getis and Ord have it). Gi: it does not.
    transform : {"row", "binary", "given"}
        What is done to the weights first; "row" and "binary" give the same z and p.
    **options
        ``permutations``, ``alternative``, ``correction``, ``alpha``, ``draws``, ``rng``, ``executor``, ``progress``:
        see ``kazgeo.autocorrelation.LocalOptions``. "greater": hot spots only; "less": cold spots only. Labels always
        use the levels 0.01, 0.05 and 0.10; ``alpha`` is that of ``n_significant``.

    Returns
    -------
    GetisOrd
        NaN and "undefined" where nothing can vary: constant values, or a unit that neighbours all others.

    Raises
    ------
    InputError
        Fewer than 3 units with a value, ids that differ, or a bad option.

    Notes
    -----
    .. math:: G_i^* = \frac{\sum_j w_{ij} x_j - W_i^* \bar{x}}
              {s \sqrt{(n S_{1i}^* - W_i^{*2}) / (n - 1)}}

    with the mean and the population standard deviation s of all n values; Gi leaves the unit out of all sums, and
    n - 1 takes the place of n.

    References
    ----------
    Getis, A. and Ord, J. K. (1992), doi:10.1111/j.1538-4632.1992.tb00261.x; Ord, J. K. and Getis, A. (1995),
    doi:10.1111/j.1538-4632.1995.tb00912.x.

    Examples
    --------
    >>> from kazgeo.weights import Weights
    >>> ids = [f"u{i:02d}" for i in range(40)]
    >>> pairs = [(ids[i], ids[j]) for i in range(39) for j in (i + 1, i + 2) if j < 39]
    >>> w = Weights.from_pairs(ids, pairs)
    >>> y = pd.Series([9.0] * 6 + [1, 2, 3, 2] * 8 + [None, 5.0], index=ids)
    >>> got = getis_ord(y, w, rng=1)
    >>> got.label[["u02", "u20", "u38", "u39"]].tolist()
    ['hot-99', 'not significant', 'undefined', 'isolate']
    >>> got.n_hot, got.n_cold, got.n_tests
    (4, 0, 38)
    >>> getis_ord(y * 0, w, rng=1).label.unique().tolist()
    ['undefined']
    >>> getis_ord(y.iloc[:0], Weights.from_pairs([], []))
    Traceback (most recent call last):
    kazgeo.errors.InputError: y must have a value for at least 3 units; got 0 of 0
    """
    plan, kind = Plan.of(options), choice(Transform, transform, "transform")
    data = sample(y, weights, transform=kind)
    value = _with_self(data, kind) if star else _without_self(data)
    value[data.weights.cardinalities == 0] = np.nan
    if data.constant:
        p = np.full(data.n, np.nan)
    else:
        p = np.where(np.isnan(value), np.nan, plan.p(plan.tails(data.z, data.weights)))
    return plan.result(
        GetisOrd,
        data,
        p,
        lambda q: _labels(data, value, q),
        {"value": value, "star": star},
        transform=kind.value,
        star=star,
    )


def _with_self(data: Sample, kind: Transform) -> NDArray[np.float64]:
    """Return Gi* as a z-score."""
    if data.constant:
        return np.full(data.n, np.nan)
    n, z, weights = data.n, data.z, data.weights
    largest = np.zeros(n)
    linked = np.flatnonzero(weights.cardinalities > 0)
    if len(linked):
        largest[linked] = np.maximum.reduceat(weights.data, weights.indptr[linked])
    own = np.where((data.own != 0) & (kind is Transform.GIVEN), data.own, largest)
    total = weights.row_sums() + own
    squares = weights.row_sums(2) + own**2
    return _ratio(weights.lag(z) + own * z, (n * squares - total**2) / (n - 1), squares)


def _without_self(data: Sample) -> NDArray[np.float64]:
    """Return Gi as a z-score: mean and spread are those of the other units."""
    if data.constant:
        return np.full(data.n, np.nan)
    n, z, weights = data.n, data.z, data.weights
    mean = -z / (n - 1)
    spread = np.clip((n - z**2) / (n - 1) - mean**2, 0, None)
    total, squares = weights.row_sums(), weights.row_sums(2)
    free = np.where(spread > 1e-9, spread, 0.0)
    return _ratio(weights.lag(z) - total * mean, free * ((n - 1) * squares - total**2) / (n - 2), squares)


def _ratio(
    excess: NDArray[np.float64], variance: NDArray[np.float64], squares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return excess in standard deviations, NaN where the variance is nothing but rounding."""
    some = variance > 1e-12 * squares
    return np.asarray(np.where(some, excess / np.sqrt(np.where(some, variance, 1.0)), np.nan))


def _labels(data: Sample, value: NDArray[np.float64], p: NDArray[np.float64]) -> NDArray[np.object_]:
    """Return the label of every used unit by adjusted p and the sign of the value."""
    label = spots(value, p)
    label[np.isnan(value)] = "undefined"
    if not data.constant:
        label[data.weights.cardinalities == 0] = "isolate"
    return label


def spots(value: NDArray[np.float64], p: NDArray[np.float64]) -> NDArray[np.object_]:
    """Return hot and cold spots at the three levels of confidence.

    Examples
    --------
    >>> spots(np.array([4.0, -2.5, 0.3, np.nan]), np.array([0.001, 0.04, 0.8, np.nan])).tolist()
    ['hot-99', 'cold-95', 'not significant', 'not significant']
    >>> spots(np.empty(0), np.empty(0)).tolist()
    []
    """
    label = np.full(len(value), "not significant", dtype=object)
    for level, confidence in ((0.10, "90"), (0.05, "95"), (0.01, "99")):
        reached = passes(p, level)
        label[reached & (value > 0)] = f"hot-{confidence}"
        label[reached & (value < 0)] = f"cold-{confidence}"
    return label
