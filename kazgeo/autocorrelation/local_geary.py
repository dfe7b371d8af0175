"""Local Geary: around which units neighbours differ less, or more, than by chance; of one variable or of many."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pandas as pd

from kazgeo.autocorrelation.plan import LocalOptions, Plan
from kazgeo.autocorrelation.sample import Sample, Transform, is_constant, sample_together, standardized
from kazgeo.autocorrelation.significance import LocalInference, passes
from kazgeo.errors import InputError, choice, listing

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["GearyScale", "LocalGeary", "local_geary"]


class GearyScale(StrEnum):
    """What squared differences are divided by: the variance with n - 1 (GeoDa, spdep) or n (esda)."""

    GEODA = "geoda"
    ESDA = "esda"


@dataclass(frozen=True, eq=False)
class LocalGeary(LocalInference):
    """Local Geary of every unit, on the caller's index; the rest as in ``LocalInference``.

    Labels of one variable: "high-high" and "low-low" (alike, own value and lag above or below the mean), "other-alike"
    (alike, on both sides of the mean), "different"; of several: "alike", "different".

    Parameters
    ----------
    C : Series
        The statistic; small where neighbours are alike.
    expected, variance, z : Series
        Conditional moments of C and (C - expected) / standard deviation. The distribution is skewed: z is no
        substitute for p.
    """

    C: pd.Series
    expected: pd.Series
    variance: pd.Series
    z: pd.Series

    def to_frame(self) -> pd.DataFrame:
        """Return all columns on the caller's index."""
        names = ["C", "expected", "variance", "z", "p", "p_adjusted", "label"]
        return pd.DataFrame({name: getattr(self, name) for name in names}, index=self.p.index)


def local_geary(
    y: pd.Series | pd.DataFrame,
    weights: Any,
    *,
    transform: Transform | str = Transform.ROW,
    scale: GearyScale | str = GearyScale.GEODA,
    **options: Unpack[LocalOptions],
) -> LocalGeary:
    r"""Return local Geary of every unit: how far neighbours differ from it, in one variable or in several at once.

    Assumption: under the hypothesis the values of all other units (of all variables together) are dealt at random
    around the unit. It finds likeness that a product of deviations misses: neighbours alike and near the mean.

    Parameters
    ----------
    y : Series or DataFrame, shape (n,) or (n, v)
        Numbers labelled by unit; a unit that lacks one of its values is set aside. Each variable is standardised, so
        that units of measurement don't matter; v variables count alike.
    weights : Weights or libpysal Graph
        Same units in any order; self weights do not take part.
    transform : {"row", "binary", "given"}
        What is done to the weights first.
    scale : {"geoda", "esda"}
        Divides by the variance with n - 1 (GeoDa, spdep) or n (esda). z and p do not depend on it.
    **options
        ``permutations``, ``alternative``, ``correction``, ``alpha``, ``draws``, ``rng``, ``executor``, ``progress``:
        see ``LocalOptions``. "less": units whose neighbours are alike; "greater": units that differ from them.

    Returns
    -------
    LocalGeary
        A variable that is constant makes everything NaN and "undefined".

    Raises
    ------
    InputError
        Fewer than 3 units with all values, no variable, ids that differ, or a bad option.

    Notes
    -----
    .. math:: C_i = \frac{1}{v} \sum_v \sum_j w_{ij} (z_{iv} - z_{jv})^2

    References
    ----------
    Anselin, L. (1995), doi:10.1111/j.1538-4632.1995.tb00338.x; Anselin, L. (2019), doi:10.1111/gean.12164.

    Examples
    --------
    >>> from kazgeo.weights import Weights
    >>> ids = [f"u{i:02d}" for i in range(40)]
    >>> w = Weights.from_pairs(ids, [(ids[i], ids[j]) for i in range(39) for j in (i + 1, i + 2) if j < 39])
    >>> y = pd.Series([9.0] * 6 + [1, 7, 3, 2] * 8 + [None, 5.0], index=ids)
    >>> got = local_geary(y, w, rng=1, correction="none")
    >>> got.label[["u02", "u20", "u38", "u39"]].tolist()
    ['high-high', 'not significant', 'undefined', 'isolate']
    >>> both = local_geary(pd.DataFrame({"a": y, "b": -y}), w, rng=1, correction="none")
    >>> both.label["u02"], bool(np.isclose(both.C["u02"], got.C["u02"]))
    ('alike', True)
    >>> local_geary(y * 0, w, rng=1).label.unique().tolist()
    ['undefined']
    >>> local_geary(pd.DataFrame(index=ids), w)
    Traceback (most recent call last):
    kazgeo.errors.InputError: y must have at least one variable; got a table without columns
    """
    table = y.to_frame("y") if isinstance(y, pd.Series) else y
    if not isinstance(table, pd.DataFrame):
        raise InputError(f"y must be a Series or a DataFrame of variables; got {type(y).__name__}")
    if not table.shape[1]:
        raise InputError("y must have at least one variable; got a table without columns")
    names = [str(name) for name in table.columns]
    if len(set(names)) < len(names):
        raise InputError(f"y must have one column per variable; got {listing(names)}")
    plan, divisor = Plan.of(options), choice(GearyScale, scale, "scale")
    variables = {name: table.iloc[:, place] for place, name in enumerate(names)}
    data, values = sample_together(variables, weights, transform=transform)
    fixed = any(is_constant(column) for column in values.T)
    lonely = data.weights.cardinalities == 0
    z = np.zeros(values.shape) if fixed else np.column_stack([standardized(column) for column in values.T])
    alike = np.zeros(data.n, dtype=bool)
    if fixed:
        parts = {name: np.full(data.n, np.nan) for name in ("C", "expected", "variance", "z")}
        p = np.full(data.n, np.nan)
    else:
        parts = _parts(data, z, divisor)
        features = np.column_stack([(z**2).sum(axis=1), z])
        factors = np.column_stack([np.ones(data.n), -2 * z])
        tails = plan.tails(features, data.weights, factors)
        p, alike = plan.p(tails), tails.less <= tails.greater  # by the tail that p is of, not by the mean
        p[lonely | np.isnan(parts["z"])] = np.nan
        parts = {name: np.where(lonely, np.nan, part) for name, part in parts.items()}

    def label(p_adjusted: NDArray[np.float64]) -> NDArray[np.object_]:
        codes = np.full(data.n, "undefined", dtype=object)
        if not fixed:
            codes = np.where(passes(p_adjusted, plan.alpha), _kinds(data, z, alike), "not significant")
            codes = codes.astype(object)
            codes[np.isnan(p)] = "undefined"
            codes[lonely] = "isolate"
        return codes

    described = {"transform": str(transform), "scale": divisor.value, "variables": names}
    return plan.result(LocalGeary, data, p, label, parts, **described)


def _parts(data: Sample, z: NDArray[np.float64], scale: GearyScale) -> dict[str, NDArray[np.float64]]:
    """Return C and its conditional moments; z (n, v) in population standard deviations."""
    n, (_, v), matrix = data.n, z.shape, data.weights.matrix
    factor = (1.0 if scale is GearyScale.ESDA else (n - 1) / n) / v
    w1, w2 = data.weights.row_sums(), data.weights.row_sums(2)
    length = (z**2).sum(axis=1)
    rows = np.repeat(np.arange(n), np.diff(matrix.indptr))
    apart = ((z[rows] - z[matrix.indices]) ** 2).sum(axis=1)  # not z_i^2 - 2 z_i z_j + z_j^2, which cancels
    total = np.bincount(rows, matrix.data * apart, n)
    mean = (n * length + length.sum()) / (n - 1)  # of d_ij = |z_i - z_j|^2 over the others; sum_j z_j = 0
    # sum_j d_ij^2 = sum_j (l_i + l_j)^2 - 4 (l_i + l_j) z_i z_j + 4 (z_i z_j)^2
    square = n * length**2 + 2 * length * length.sum() + (length**2).sum() - 4 * (z @ (z.T @ length))
    square += 4 * np.einsum("iv,vu,iu->i", z, z.T @ z, z)
    spread = square / (n - 1) - mean**2
    free = np.clip(spread, 0, None) * np.clip((n - 1) * w2 - w1**2, 0, None) / (n - 2)
    free[free <= 1e-12 * w2 * mean**2] = 0.0  # all others are neighbours, or as far away: nothing can vary
    with np.errstate(invalid="ignore", divide="ignore"):
        score = np.where(free > 0, (total - w1 * mean) / np.sqrt(free), np.nan)
    return {"C": factor * total, "expected": factor * w1 * mean, "variance": factor**2 * free, "z": score}


def _kinds(data: Sample, z: NDArray[np.float64], alike: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Return what every unit is called when it is significant."""
    if z.shape[1] > 1:
        return np.where(alike, "alike", "different").astype(object)
    own, around = z[:, 0], data.weights.lag(z[:, 0])
    out = np.where(alike, "other-alike", "different").astype(object)
    edge = 1e-9 * data.weights.reach
    out[alike & (own > 1e-9) & (around > edge)] = "high-high"
    out[alike & (own < -1e-9) & (around < -edge)] = "low-low"
    return out
