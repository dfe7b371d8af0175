"""Local Moran: units that are part of a cluster, and units that stand out from their neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pandas as pd

from kazgeo.autocorrelation.moments import row_sums
from kazgeo.autocorrelation.permutation import Tails
from kazgeo.autocorrelation.plan import LocalOptions, Plan
from kazgeo.autocorrelation.sample import Sample, Transform, choice, sample
from kazgeo.autocorrelation.significance import LocalInference, passes

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LABELS", "LocalMoran", "Scale", "local_moran"]

#: Every label a unit can have.
LABELS = ("high-high", "low-low", "high-low", "low-high", "not significant", "isolate", "undefined")


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
    plan = Plan.of(options)
    kind, divisor = choice(Transform, transform, "transform"), choice(Scale, scale, "scale")
    data = sample(y, weights, transform=kind)
    parts = _parts(data, divisor)
    if data.constant:
        p = np.full(data.n, np.nan)
    else:
        p = plan.p(of_product(plan.tails(data.z, data.weights), data.z, plan.permutations))
        p[data.weights.cardinalities == 0] = np.nan
    quadrant = _quadrants(data)
    return plan.result(
        LocalMoran,
        data,
        p,
        lambda p_adjusted: _labels(data, quadrant, passes(p_adjusted, plan.alpha)),
        parts | {"quadrant": quadrant},
        transform=kind.value,
        scale=divisor.value,
    )


def _parts(data: Sample, scale: Scale) -> dict[str, NDArray[np.float64]]:
    """Return I, its conditional moments, z and the lag; NaN for isolates and constant values."""
    n, matrix = data.n, data.weights.matrix
    out = {"lag": np.asarray(matrix @ data.y)}
    if data.constant:
        nothing = np.full(n, np.nan)
        out |= dict.fromkeys(("I", "expected", "variance", "z"), nothing)
    else:
        z = data.z
        factor = 1.0 if scale is Scale.SPDEP else (n - 1) / n
        w1, w2 = row_sums(matrix), row_sums(matrix, 2)
        out["I"] = factor * z * np.asarray(matrix @ z)
        out["expected"] = -factor * z**2 * w1 / (n - 1)
        free = np.clip(w2 - w1**2 / (n - 1), 0, None) * np.clip(1 - z**2 / (n - 1), 0, None)
        free[free < 1e-12 * w2] = 0.0  # all others are neighbours, or all others are alike: nothing can vary
        out["variance"] = factor**2 * z**2 * n / (n - 2) * free
        fixed = out["variance"] <= 1e-18
        out["z"] = np.where(
            fixed, np.nan, (out["I"] - out["expected"]) / np.sqrt(np.where(fixed, 1.0, out["variance"]))
        )
    lonely = data.weights.cardinalities == 0
    return {name: np.where(lonely, np.nan, values) for name, values in out.items()}


def of_product(tails: Tails, z: NDArray[np.float64], m: int) -> Tails:
    """Turn tails of a lag into those of z x lag: a negative own value swaps them, a zero one ties every draw."""
    middle = np.abs(z) <= 1e-9
    above = np.where(middle, m, np.where(z > 0, tails.greater, tails.less))
    below = np.where(middle, m, np.where(z > 0, tails.less, tails.greater))
    return Tails(above, below)


def _quadrants(data: Sample) -> NDArray[np.object_]:
    """Return the quadrant of the Moran scatter plot of every unit; None for isolates and constant values."""
    out = np.full(data.n, None, dtype=object)
    if data.constant:
        return out
    linked = data.weights.cardinalities > 0
    own, around = data.z > 1e-9, data.weights.matrix @ data.z > 1e-9
    names = np.array(["low-low", "low-high", "high-low", "high-high"], dtype=object)
    out[linked] = names[2 * own + around][linked]
    return out


def _labels(data: Sample, quadrant: NDArray[np.object_], significant: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Return the label of every used unit."""
    label = np.where(significant, quadrant, "not significant")
    label[data.weights.cardinalities == 0] = "isolate"
    if data.constant:
        label[:] = "undefined"
    return np.asarray(label, dtype=object)
