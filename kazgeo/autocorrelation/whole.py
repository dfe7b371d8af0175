"""What statistics of a whole map share: one type of result, one test by permutation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

import numpy as np
import pandas as pd

from kazgeo.autocorrelation.moments import LinkSums, link_ends, link_sums
from kazgeo.autocorrelation.plan import Inference, Plan
from kazgeo.autocorrelation.sample import Sample, Transform, sample
from kazgeo.autocorrelation.significance import Alternative, normal_p, pseudo_p
from kazgeo.autocorrelation.total import quadratic_draws
from kazgeo.errors import InputError, choice

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MOMENTS", "Formula", "WholeMap", "linked", "tested", "total_p", "whole_map"]

#: Columns of the table besides the statistic, which bears its own symbol.
MOMENTS = (
    "expected", "variance_normality", "variance_randomization", "z_normality", "z_randomization",
    "p_normality", "p_randomization", "p", "n", "s0",
)  # fmt: skip
_M = TypeVar("_M", bound="WholeMap")


@dataclass(frozen=True, eq=False, kw_only=True)
class WholeMap:
    """A statistic of a whole map with its moments and three p-values.

    Parameters
    ----------
    value : float
        The statistic, also under its own symbol; NaN for constant values.
    expected : float
        Its mean when nothing is there to find.
    variance_normality, variance_randomization : float
        Of the statistic when values are normal, and when they are dealt at random over the units; NaN where no
        formula is known.
    z_normality, z_randomization : float
        (value - expected) / standard deviation.
    p_normality, p_randomization : float
        Of those z against the standard normal.
    p : float
        By permutation.
    n : int
        Units used.
    s0 : float
        Sum of the weights.
    permutations, seed : int
        Draws and what gives them again.
    alternative : Alternative
        What all p-values refer to.
    transform : Transform
        What was done to the weights.
    dropped : DataFrame
        Columns unit, reason. Units without a neighbour are listed, and still count in n and the mean.
    """

    symbol: ClassVar[str] = "value"

    value: float
    expected: float
    variance_normality: float
    variance_randomization: float
    z_normality: float
    z_randomization: float
    p_normality: float
    p_randomization: float
    p: float
    n: int
    s0: float
    permutations: int
    seed: int
    alternative: Alternative
    transform: Transform
    dropped: pd.DataFrame

    @property
    def parameters(self) -> dict[str, object]:
        """The options of the call, plain values only."""
        return {
            "permutations": self.permutations,
            "alternative": self.alternative.value,
            "transform": self.transform.value,
            "seed": self.seed,
        }

    def figures(self) -> dict[str, float]:
        """Return the statistic under its symbol, then its moments and p-values."""
        return {self.symbol: self.value} | {name: getattr(self, name) for name in MOMENTS}

    def to_frame(self) -> pd.DataFrame:
        """Return the figures as a table of one row."""
        return pd.DataFrame([self.figures()])


class Formula(NamedTuple):
    """How a statistic is made of products of neighbours' standardised values.

    Parameters
    ----------
    scale : callable
        Of units used and sum of weights: the statistic is so many times the sum.
    of_differences : bool
        The sum is of w_ij (z_i - z_j)^2; else of w_ij z_i z_j.
    moments : callable
        Of sample and sums of the weights: mean, variance under normality, variance under randomisation.
    """

    scale: Callable[[int, float], float]
    of_differences: bool
    moments: Callable[[Sample, LinkSums], tuple[float, float, float]]


def whole_map(
    kind: type[_M],
    formula: Formula,
    y: pd.Series,
    weights: Any,
    transform: Transform | str,
    options: Inference,
    name: str = "y",
) -> _M:
    """Return a statistic of a whole map, tested; parameters and errors as in ``moran``.

    Assumption: under the hypothesis every arrangement of the values over the units is equally likely.
    """
    plan, way = Plan.of(options, Inference), choice(Transform, transform, "transform")
    data = sample(y, weights, transform=way, name=name)
    sums = linked(data)
    value, draws = np.nan, None
    if not data.constant:
        scale = formula.scale(data.n, sums.s0)
        total, draws = _total(data, formula, plan)
        value, draws = total * scale, draws * scale
    return tested(kind, data, plan, way, value=value, draws=draws, moments=formula.moments(data, sums))


def linked(data: Sample) -> LinkSums:
    """Return the sums of the weights, or refuse a map without links.

    Raises
    ------
    InputError
        Nothing is linked among the units that have a value.
    """
    sums = link_sums(data.weights.matrix)
    total = float(np.abs(data.weights.data).sum())
    if abs(sums.s0) <= 1e-12 * total:
        raise InputError(f"weights must link some of the {data.n} units that have a value; they sum to {sums.s0:g}")
    return sums


def tested(
    kind: type[_M],
    data: Sample,
    plan: Plan,
    transform: Transform,
    *,
    value: float,
    draws: NDArray[np.float64] | None,
    moments: tuple[float, float, float],
) -> _M:
    """Return the result for a value, its draws (None: undefined) and its moments: mean and both variances."""
    expected, *variances = moments
    size = abs(expected) if kind.symbol == "G" else 1.0  # the others are of standardised values
    z_n, z_r = (float((value - expected) / np.sqrt(v)) if v > 0 else np.nan for v in variances)
    return kind(
        value=float(value),
        expected=float(expected),
        variance_normality=float(variances[0]),
        variance_randomization=float(variances[1]),
        z_normality=z_n,
        z_randomization=z_r,
        p_normality=normal_p(z_n, plan.alternative),
        p_randomization=normal_p(z_r, plan.alternative),
        p=np.nan if draws is None else total_p(float(value), draws, plan, size),
        n=data.n,
        s0=float(data.weights.data.sum()),
        permutations=plan.permutations,
        seed=plan.seed,
        alternative=plan.alternative,
        transform=transform,
        dropped=data.dropped,
    )


def _total(data: Sample, formula: Formula, plan: Plan) -> tuple[float, NDArray[np.float64]]:
    """Return the observed sum and that of every draw."""
    z, matrix = data.z, data.weights.matrix
    ends = link_ends(matrix) if formula.of_differences else None
    if ends is not None:  # sum w (z_i - z_j)^2 = sum ends z^2 - 2 z'Wz
        matrix = -2 * matrix
    observed = float(z @ (matrix @ z)) + (0.0 if ends is None else float(ends @ z**2))
    draws = quadratic_draws(
        z, matrix, own=ends, permutations=plan.permutations, seed=plan.seed, executor=plan.executor,
        progress=plan.progress,
    )  # fmt: skip
    return observed, draws


def total_p(observed: float, draws: NDArray[np.float64], plan: Plan, size: float = 0.0) -> float:
    """Return the permutation p of a value; draws equal to it but for rounding count on both sides.

    ``size`` is that of the terms that add up to the statistic: where they cancel, what is left is their rounding.
    """
    tie = 1e-9 * (abs(observed) + float(draws.std())) + 1e-10 * size
    greater, less = np.sum(draws >= observed - tie), np.sum(draws <= observed + tie)
    return float(pseudo_p(np.array([greater]), np.array([less]), len(draws), plan.alternative)[0])
