"""From counted draws to p-values, from p-values to a verdict over many tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from kazgeo.choices import Alternative, Correction, Draws

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = [
    "Alternative",
    "Correction",
    "LocalInference",
    "adjusted",
    "count_error",
    "folded",
    "normal_p",
    "passes",
    "pseudo_p",
    "smallest_p",
]


def pseudo_p(
    greater: NDArray[np.int64], less: NDArray[np.int64], permutations: int, alternative: Alternative
) -> NDArray[np.float64]:
    """Return p-values from the numbers of draws at least as extreme on either side.

    Parameters
    ----------
    greater, less : int arrays, shape (n,)
        Draws that are at least as large (small) as the observed value; ties count on both sides.
    permutations : int
        Number of draws m.
    alternative : Alternative
        "greater" and "less": (count + 1) / (m + 1). "two-sided": min(1, 2 x the smaller of both).
        "directed": the smaller of both, as GeoDa and esda fold it; about half of "two-sided", so that at
        0.05 it calls 10 % of random units significant.

    Returns
    -------
    float array, shape (n,)
        Never 0, never above 1.

    References
    ----------
    Phipson, B. and Smyth, G. K. (2010), doi:10.2202/1544-6115.1585 (why one is added).

    Examples
    --------
    >>> counts = np.array([0, 60, 99]), np.array([99, 45, 99])
    >>> [round(float(p), 2) for p in pseudo_p(*counts, 99, Alternative.TWO_SIDED)]
    [0.02, 0.92, 1.0]
    >>> [round(float(p), 2) for p in pseudo_p(*counts, 99, Alternative.DIRECTED)]
    [0.01, 0.46, 1.0]
    >>> pseudo_p(np.array([], dtype=int), np.array([], dtype=int), 99, Alternative.LESS).tolist()
    []
    """
    upper = (np.asarray(greater) + 1) / (permutations + 1)
    lower = (np.asarray(less) + 1) / (permutations + 1)
    return folded(upper, lower, alternative)


def normal_p(z: float, alternative: Alternative) -> float:
    """Return the p-value of a standard normal deviate; NaN stays NaN.

    Examples
    --------
    >>> round(normal_p(1.959964, Alternative.TWO_SIDED), 6), round(normal_p(1.959964, Alternative.LESS), 6)
    (0.05, 0.975)
    >>> normal_p(float("nan"), Alternative.GREATER)
    nan
    """
    from scipy.special import ndtr

    return float(folded(ndtr(-np.asarray([z])), ndtr(np.asarray([z])), alternative)[0])


def folded(upper: NDArray[np.float64], lower: NDArray[np.float64], alternative: Alternative) -> NDArray[np.float64]:
    """Return the p-value of an alternative from those of both tails.

    Examples
    --------
    >>> folded(np.array([0.02]), np.array([0.99]), Alternative.TWO_SIDED).tolist()
    [0.04]
    """
    if alternative is Alternative.GREATER:
        return upper
    if alternative is Alternative.LESS:
        return lower
    tail = np.minimum(upper, lower)
    return tail if alternative is Alternative.DIRECTED else np.minimum(1.0, 2 * tail)


def smallest_p(permutations: int, alternative: Alternative) -> float:
    """Return the smallest p-value that so many draws can give.

    Examples
    --------
    >>> smallest_p(99, Alternative.GREATER), smallest_p(99, Alternative.TWO_SIDED)
    (0.01, 0.02)
    """
    return min(1.0, (2 if alternative is Alternative.TWO_SIDED else 1) / (permutations + 1))


def adjusted(p: NDArray[np.float64], correction: Correction, grid: int | None = None) -> NDArray[np.float64]:
    """Return p-values adjusted for the number of tests that have one.

    Parameters
    ----------
    p : float array, shape (n,)
        NaN = not tested; stays NaN and is not counted as a test.
    correction : Correction
        "fdr": Benjamini-Hochberg (valid under positive dependence, the usual case of neighbouring units).
        "fdr_by": Benjamini-Yekutieli (any dependence). "fdr_geoda": the cut of GeoDa's maps, which goes up the sorted
        p and stops at the first above i alpha / n (stricter than "fdr", which looks for the last below it).
        "bonferroni": n p. "none": p.
    grid : int, optional
        Where all p are whole multiples of 1 / grid (m + 1 for m draws), they need no sorting.

    References
    ----------
    Benjamini, Y. and Hochberg, Y. (1995), doi:10.1111/j.2517-6161.1995.tb02031.x;
    Benjamini, Y. and Yekutieli, D. (2001), doi:10.1214/aos/1013699998.

    Examples
    --------
    >>> adjusted(np.array([0.01, np.nan, 0.5, 0.02]), Correction.FDR).tolist()
    [0.03, nan, 0.5, 0.03]
    >>> adjusted(np.array([0.01, np.nan, 0.5]), Correction.BONFERRONI).tolist()
    [0.02, nan, 1.0]
    >>> adjusted(np.array([0.03, np.nan, 0.5, 0.03]), Correction.FDR_GEODA).tolist()
    [0.09, nan, 0.5, 0.09]
    >>> adjusted(np.array([]), Correction.FDR_BY).tolist()
    []
    """
    out = np.array(p, dtype=np.float64)
    tested = ~np.isnan(out)
    n = int(tested.sum())
    if correction is Correction.NONE or not n:
        return out
    if correction is Correction.BONFERRONI:
        return np.minimum(1.0, out * n)
    levels, place = _levels(out[tested], grid)
    upto = np.cumsum(np.bincount(place, minlength=len(levels)))  # tests with a p of at most each level
    if correction is Correction.FDR_GEODA:
        first = np.r_[0, upto[:-1]] + 1
        steps = np.maximum.accumulate(levels * n / first)
    else:
        factor = n * np.sum(1 / np.arange(1, n + 1)) if correction is Correction.FDR_BY else n
        some = upto > 0
        steps = np.full(len(levels), np.inf)
        steps[some] = levels[some] * factor / upto[some]
        steps = np.minimum.accumulate(steps[::-1])[::-1]
    out[tested] = np.minimum(1.0, steps)[place]
    return out


def _levels(p: NDArray[np.float64], grid: int | None) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return rising levels and the place of every p among them."""
    if grid is not None and grid < 10 * len(p):
        place = np.rint(p * grid).astype(np.int64)
        levels = np.arange(grid + 1) / grid
        if np.array_equal(levels[place], p):
            return levels, place
    levels, place = np.unique(p, return_inverse=True)
    return levels, place


def passes(p: NDArray[np.float64], alpha: float) -> NDArray[np.bool_]:
    """Return which p-values are at most ``alpha``, rounding of the last digits forgiven; NaN does not pass."""
    return np.asarray(p <= alpha * (1 + 1e-12))


@dataclass(frozen=True, eq=False)
class LocalInference:
    """What every local statistic says of its tests.

    Parameters
    ----------
    p, p_adjusted : Series
        Per unit, on the caller's index; NaN where the statistic is undefined.
    label : Series of str
        Class of every unit.
    permutations : int
        Draws m.
    alternative, correction : Alternative, Correction
        How p and p_adjusted were made.
    alpha : float
        Level at which ``n_significant`` counts.
    draws : Draws
        Shared between units with as many neighbours, or each unit its own.
    neighbours : Series
        Number of neighbours with a value; NaN for units set aside.
    seed : int
        Gives the same draws again.
    dropped : DataFrame
        Columns unit, reason: units set aside (missing value) or without a local result (no neighbour).
    options : mapping
        The other options of the call.
    """

    p: pd.Series
    p_adjusted: pd.Series
    label: pd.Series
    permutations: int
    alternative: Alternative
    correction: Correction
    alpha: float
    draws: Draws
    neighbours: pd.Series
    seed: int
    dropped: pd.DataFrame
    options: Mapping[str, object]

    @property
    def n_tests(self) -> int:
        """Number of units that were tested."""
        return int(self.p.notna().sum())

    @property
    def n_significant(self) -> int:
        """Number of units significant after the correction."""
        return int(passes(self.p_adjusted.to_numpy(), self.alpha).sum())

    @property
    def n_significant_unadjusted(self) -> int:
        """Number of units that would be called significant without a correction."""
        return int(passes(self.p.to_numpy(), self.alpha).sum())

    @cached_property
    def count_error(self) -> float:
        """Standard error of ``n_significant`` that comes from the draws alone: how far it moves with the seed.

        Draws shared between units with as many neighbours shift all their p-values together; so p of each such
        group is moved by one standard error of a p-value at the threshold, both ways, and the correction done again.
        Half the difference of the counts is the group's error; groups add in squares. Independent draws move each
        unit by itself. Where a false discovery rate stands on an edge (a few units more and many pass at once), one
        step doesn't see it, and the error told is too small: take more draws there.

        References
        ----------
        The standard error of a p-value of m draws: sqrt(p (1 - p) / m).
        """
        return count_error(self)

    @property
    def same_sums(self) -> bool:
        """Whether units with as many neighbours are held against the very same sums, so that their p move together."""
        return self.draws is Draws.SHARED

    @property
    def smallest_p(self) -> float:
        """The smallest p-value that so many draws can give."""
        return smallest_p(self.permutations, self.alternative)

    @property
    def cannot_pass(self) -> bool:
        """Whether a unit more extreme than every draw would still fail the correction: too few draws.

        The lowest p of the map is replaced by the smallest possible one and corrected together with the others.
        """
        p = self.p.to_numpy(copy=True)
        if not self.n_tests:
            return False
        p[np.nanargmin(p)] = self.smallest_p
        return not bool(passes(adjusted(p, self.correction), self.alpha).any())

    @property
    def parameters(self) -> dict[str, object]:
        """The options of the call, plain values only."""
        return {
            "permutations": self.permutations,
            "alternative": self.alternative.value,
            "correction": self.correction.value,
            "alpha": self.alpha,
            "draws": self.draws.value,
            "seed": self.seed,
            **self.options,
        }


def count_error(found: LocalInference) -> float:
    """Return the standard error of the number of significant units that the draws cause; see ``count_error``."""
    from scipy.special import ndtr

    p, neighbours = found.p.to_numpy(), found.neighbours.to_numpy()
    tested = ~np.isnan(p)
    p, neighbours = p[tested], neighbours[tested]
    if not len(p):
        return 0.0
    sides = 2 if found.alternative is Alternative.TWO_SIDED else 1
    passed = p[passes(adjusted(p, found.correction), found.alpha)]
    threshold = max(float(passed.max()) if len(passed) else 0.0, smallest_p(found.permutations, found.alternative))
    tail = threshold / sides
    step = sides * np.sqrt(tail * (1 - tail) / found.permutations)
    if not found.same_sums:
        spread = sides * np.sqrt((p / sides) * (1 - p / sides) / found.permutations)
        inside = ndtr((threshold - p) / np.maximum(spread, 1e-300))
        return float(np.sqrt(np.sum(inside * (1 - inside))))
    total = 0.0
    for k in np.unique(neighbours):
        counts = []
        for sign in (-1, 1):
            moved = np.where(neighbours == k, np.clip(p + sign * step, 0, 1), p)
            counts.append(np.count_nonzero(passes(adjusted(moved, found.correction), found.alpha)))
        total += ((counts[0] - counts[1]) / 2) ** 2
    return float(np.sqrt(total))
