"""What a scan compares: the log likelihood ratio of every window, and the values that chance would deal."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from scipy.special import xlogy

from kazgeo.autocorrelation.sample import standardized
from kazgeo.choices import Direction

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kazgeo.hotspots.scan_windows import Fan

__all__ = ["Bernoulli", "Likelihood", "Normal", "Poisson"]

#: Longest table of k ln k kept (8 bytes each); beyond it the logarithms are taken anew.
TABLE = 4_000_000
#: Differences from the expected below this share are rounding: neither high nor low.
EVEN = 1e-9


class Likelihood(Protocol):
    """A model: what was observed, how chance deals it, and how unlikely a window is."""

    @property
    def observed(self) -> NDArray[Any]:
        """Values of the units, shape (n,)."""

    @property
    def size(self) -> NDArray[np.float64]:
        """What counts towards the largest window, shape (n,)."""

    @property
    def columns(self) -> tuple[str, ...]:
        """What ``describe`` gives for the table, ``excess`` apart."""

    def deal(self, rng: np.random.Generator) -> NDArray[Any]:
        """Return values of the units under the hypothesis, shape (n,)."""

    def score(self, fan: Fan, values: NDArray[Any], direction: Direction) -> NDArray[np.float64]:
        """Return a number that grows with the log likelihood ratio, shape (windows, columns of values)."""

    def llr(self, score: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the log likelihood ratio of a score."""

    def describe(self, inside: NDArray[np.bool_]) -> dict[str, float]:
        """Return what the table of clusters says of a window; ``excess`` is its distance from the expected."""


@dataclass(frozen=True, eq=False)
class Poisson:
    r"""Cases in proportion to the expected ones, given their sum (Kulldorff 1997).

    With c of C cases in a window that expects e: :math:`c \ln(c / e) + (C - c) \ln((C - c) / (C - e))`.

    Parameters
    ----------
    observed : int array, shape (n,)
        Cases.
    size : float array, shape (n,)
        Population, or expected cases before scaling.
    """

    observed: NDArray[np.int64]
    size: NDArray[np.float64]

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the table that ``describe`` fills."""
        return ("observed", "expected", "relative_risk")

    @property
    def expected(self) -> NDArray[np.float64]:
        """Expected cases of the units, shape (n,)."""
        return np.asarray(self.size * (self.observed.sum() / self.size.sum()))

    def deal(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Deal the cases to the units in proportion to the expected ones."""
        return np.asarray(rng.multinomial(int(self.observed.sum()), self.size / self.size.sum()))

    def score(self, fan: Fan, values: NDArray[Any], direction: Direction) -> NDArray[np.float64]:
        """Return the log likelihood ratio itself."""
        total = int(self.observed.sum())
        cases = fan.sums(values)
        expected = fan.sums(self.expected)[:, None]
        # c ln c + (C - c) ln(C - c) depends on c alone: looked up. A window that expects nothing has no case.
        outside = np.log(total - expected)
        slope = np.where(expected > 0, np.log(np.where(expected > 0, expected, 1.0)) - outside, 0.0)
        out = _pairs(total, cases)
        out -= cases * slope
        out -= total * outside
        return _one_sided(out, cases, expected, direction)

    def llr(self, score: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the score."""
        return score

    def describe(self, inside: NDArray[np.bool_]) -> dict[str, float]:
        """Return observed and expected cases and the relative risk."""
        return _risk(self.observed, self.expected, inside)


@dataclass(frozen=True, eq=False)
class Bernoulli:
    r"""Cases and controls: every individual is as likely a case as any other (Kulldorff 1997).

    With c cases and d controls in a window, C and D in all and :math:`h(k) = k \ln k`, the log likelihood ratio is
    :math:`h(c) + h(d) - h(c + d) + h(C - c) + h(D - d) - h(C + D - c - d) - h(C) - h(D) + h(C + D)`.

    Parameters
    ----------
    observed, controls : int arrays, shape (n,)
        Cases and controls.
    """

    observed: NDArray[np.int64]
    controls: NDArray[np.int64]

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the table that ``describe`` fills."""
        return ("observed", "expected", "relative_risk")

    @property
    def size(self) -> NDArray[np.float64]:
        """Individuals of the units, shape (n,)."""
        return (self.observed + self.controls).astype(np.float64)

    @property
    def expected(self) -> NDArray[np.float64]:
        """Expected cases of the units, shape (n,)."""
        return np.asarray(self.size * (self.observed.sum() / self.size.sum()))

    def deal(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Deal the cases among all individuals without replacement."""
        both, cases = self.observed + self.controls, int(self.observed.sum())
        return np.asarray(rng.multivariate_hypergeometric(both, cases, method="marginals"))

    def score(self, fan: Fan, values: NDArray[Any], direction: Direction) -> NDArray[np.float64]:
        """Return the log likelihood ratio itself."""
        total, others = int(self.observed.sum()), int(self.controls.sum())
        cases = fan.sums(values)
        both = fan.sums(self.observed + self.controls)[:, None]
        out = _pairs(total, cases)
        out += _pairs(others, both - cases)
        out -= xlogy(both, both) + xlogy(total + others - both, total + others - both)
        out -= xlogy(total, total) + xlogy(others, others) - xlogy(total + others, total + others)
        return _one_sided(out, cases, both * (total / (total + others)), direction)

    def llr(self, score: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the score."""
        return score

    def describe(self, inside: NDArray[np.bool_]) -> dict[str, float]:
        """Return observed and expected cases and the relative risk."""
        return _risk(self.observed, self.expected, inside)


@dataclass(frozen=True, eq=False)
class Normal:
    r"""One mean inside, another outside, one variance (Kulldorff, Huang and Konty 2009).

    With the values standardised and their sum s over the k units of a window, the score is the share of the variance
    that the window explains, :math:`r = s^2 / (k (n - k))`, and the log likelihood ratio :math:`-(n / 2) \ln(1 - r)`.

    Parameters
    ----------
    values : float array, shape (n,)
        Not constant.
    """

    values: NDArray[np.float64]

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the table that ``describe`` fills."""
        return ("mean_inside", "mean_outside")

    @property
    def observed(self) -> NDArray[np.float64]:
        """Values less their mean, in population standard deviations."""
        return standardized(self.values)

    @property
    def size(self) -> NDArray[np.float64]:
        """One for every unit."""
        return np.ones(len(self.values))

    def deal(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Deal the values to the units anew."""
        return np.asarray(rng.permutation(self.observed))

    def score(self, fan: Fan, values: NDArray[Any], direction: Direction) -> NDArray[np.float64]:
        """Return the share of the variance that each window explains."""
        sums = fan.sums(values)
        k = (fan.ends + 1.0)[:, None]
        out = sums * sums
        out /= k * (len(self.values) - k)
        return _one_sided(out, sums, np.zeros((1, 1)), direction)

    def llr(self, score: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the log likelihood ratio; infinite where a window explains all of the variance."""
        rest = np.where(score < 1 - 1e-12, 1 - score, 0.0)
        with np.errstate(divide="ignore"):
            return np.asarray(-0.5 * len(self.values) * np.log(rest))

    def describe(self, inside: NDArray[np.bool_]) -> dict[str, float]:
        """Return the means inside and outside."""
        within, without = float(self.values[inside].mean()), float(self.values[~inside].mean())
        return {"mean_inside": within, "mean_outside": without, "excess": within - without}


def _pairs(total: int, k: NDArray[Any]) -> NDArray[np.float64]:
    """Return k ln k + (total - k) ln(total - k) of whole numbers k."""
    if total > TABLE:
        return np.asarray(xlogy(k, k) + xlogy(total - k, total - k))
    return np.asarray(_table(total)[k])


@lru_cache(maxsize=2)
def _table(total: int) -> NDArray[np.float64]:
    """Return k ln k + (total - k) ln(total - k) for k from 0 to the total."""
    log: NDArray[np.float64] = xlogy(np.arange(total + 1.0), np.arange(total + 1.0))
    return log + log[::-1]


def _one_sided(
    score: NDArray[np.float64], inside: NDArray[Any], expected: NDArray[np.float64], direction: Direction
) -> NDArray[np.float64]:
    """Set the score of windows that are even, or on the other side, to 0, in place."""
    if direction is Direction.HIGH:
        score *= inside > expected * (1 + EVEN)
    elif direction is Direction.LOW:
        score *= inside < expected * (1 - EVEN)
    else:
        score *= np.abs(inside - expected) > expected * EVEN
    return score


def _risk(observed: NDArray[np.int64], expected: NDArray[np.float64], inside: NDArray[np.bool_]) -> dict[str, float]:
    """Return cases inside and the risk inside over the risk outside."""
    c, e = float(observed[inside].sum()), float(expected[inside].sum())
    rest, rest_expected = float(observed[~inside].sum()), float(expected[~inside].sum())
    risk = (c / e) / (rest / rest_expected) if rest else np.inf
    return {"observed": int(c), "expected": e, "relative_risk": risk, "excess": c - e}
