"""Geary's C: how far neighbours differ, over a whole map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kazgeo.autocorrelation.moments import LinkSums, link_ends, link_sums
from kazgeo.autocorrelation.permutation import seed_of, total_draws
from kazgeo.autocorrelation.sample import Sample, Transform, choice, positive_integer, sample
from kazgeo.autocorrelation.significance import Alternative, normal_p, pseudo_p
from kazgeo.errors import InputError
from kazgeo.progress import Progress, silent

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Geary", "geary"]

FIGURES = (
    "C", "expected", "variance_normality", "variance_randomization", "z_normality", "z_randomization",
    "p_normality", "p_randomization", "p", "n", "s0",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Geary:
    """Geary's C with its moments and three p-values.

    Parameters
    ----------
    C : float
        The statistic: below 1 neighbours are alike, above 1 they differ; NaN for constant values.
    expected : float
        1.
    variance_normality, variance_randomization : float
        Of C when values are normal, and when they are dealt at random over the units.
    z_normality, z_randomization : float
        (C - 1) / standard deviation: negative where neighbours are alike.
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
        What all p-values refer to; "less" is the side of likeness.
    transform : Transform
        What was done to the weights.
    dropped : DataFrame
        Columns unit, reason. Units without a neighbour are listed, and still count in n and the variance.
    """

    C: float
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

    def to_frame(self) -> pd.DataFrame:
        """Return the figures as a table of one row."""
        return pd.DataFrame({name: [getattr(self, name)] for name in FIGURES})


def geary(
    y: pd.Series,
    weights: Any,
    *,
    permutations: int = 9_999,
    alternative: Alternative | str = Alternative.TWO_SIDED,
    transform: Transform | str = Transform.ROW,
    rng: int | np.random.Generator | None = None,
    progress: Progress = silent,
) -> Geary:
    r"""Return Geary's C of a map: squared differences of neighbours against those of all units.

    Assumption: under the hypothesis every arrangement of the values over the units is equally likely. More than
    Moran's I it answers to single large differences.

    Parameters
    ----------
    y : Series, shape (n,)
        Numbers labelled by unit; NaN units are set aside.
    weights : Weights or libpysal Graph
        Same units in any order; self weights do not take part.
    permutations : int
        Random arrangements m; the smallest p is 1 / (m + 1), two-sided 2 / (m + 1).
    alternative : {"two-sided", "greater", "less", "directed"}
        Of C for all three p-values: "less" asks whether neighbours are alike.
    transform : {"row", "binary", "given"}
        What is done to the weights first.
    rng : int, Generator or None
        Seed; the result stores it.
    progress : Progress
        Called between batches of permutations.

    Returns
    -------
    Geary
        All NaN when the values are constant.

    Raises
    ------
    InputError
        Fewer than 3 units with a value, ids that differ, no links at all, or a bad option.

    Notes
    -----
    .. math:: C = \frac{n - 1}{2 S_0} \frac{\sum_{ij} w_{ij} (y_i - y_j)^2}{\sum_i (y_i - \bar y)^2}

    References
    ----------
    Geary, R. C. (1954), doi:10.2307/2986645; moments: Cliff, A. D. and Ord, J. K. (1981), Spatial Processes, p. 42-46.

    Examples
    --------
    >>> from kazgeo.weights import Weights
    >>> chain = Weights.from_pairs(list("abcdef"), [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "f")])
    >>> y = pd.Series([1.0, 2, 3, 4, 5, 6], index=list("abcdef"))
    >>> got = geary(y, chain, rng=1)
    >>> round(got.C, 4), got.p < 0.05
    (0.1429, True)
    >>> geary(y.where(y > 1), chain, rng=1).dropped.to_dict("records")
    [{'unit': 'a', 'reason': 'missing value'}]
    >>> geary(y * 0, chain, rng=1).p
    nan
    >>> geary(y.iloc[:0], chain)
    Traceback (most recent call last):
    kazgeo.errors.InputError: y and weights must have the same units; y lacks 6: 'a', 'b', 'c', 'd', 'e' and 1 more
    """
    m = positive_integer(permutations, "permutations")
    side, seed = choice(Alternative, alternative, "alternative"), seed_of(rng)
    kind = choice(Transform, transform, "transform")
    data = sample(y, weights, transform=kind)
    sums = link_sums(data.weights.matrix)
    if not len(data.weights.data) or sums.s0 == 0:
        raise InputError(f"weights must link some of the {data.n} units that have a value; they sum to {sums.s0:g}")
    value, p = (np.nan, np.nan) if data.constant else _observed(data, sums.s0, m, seed, side, progress)
    normality, randomization = _variances(data, sums)
    z_n, z_r = ((value - 1) / np.sqrt(v) if v > 0 else np.nan for v in (normality, randomization))
    return Geary(
        C=value,
        expected=1.0,
        variance_normality=normality,
        variance_randomization=randomization,
        z_normality=float(z_n),
        z_randomization=float(z_r),
        p_normality=normal_p(float(z_n), side),
        p_randomization=normal_p(float(z_r), side),
        p=p,
        n=data.n,
        s0=sums.s0,
        permutations=m,
        seed=seed,
        alternative=side,
        transform=kind,
        dropped=data.dropped,
    )


def _observed(data: Sample, s0: float, m: int, seed: int, side: Alternative, progress: Progress) -> tuple[float, float]:
    """Return C and its permutation p: the sum of squared differences is Moran's product turned round."""
    z, matrix = data.z, data.weights.matrix
    ends: NDArray[np.float64] = link_ends(matrix)
    observed = float(ends @ z**2 - 2 * (z @ (matrix @ z)))
    draws = total_draws(z, data.weights, permutations=m, seed=seed, progress=progress, ends=ends)
    tie = 1e-9 * (np.abs(observed) + float(draws.std()))
    greater, less = np.sum(draws >= observed - tie), np.sum(draws <= observed + tie)
    scale = (data.n - 1) / (2 * s0 * data.n)
    return observed * scale, float(pseudo_p(np.array([greater]), np.array([less]), m, side)[0])


def _variances(data: Sample, sums: LinkSums) -> tuple[float, float]:
    """Return the variances of C under normality and randomisation (Cliff and Ord 1981)."""
    n, (s0, s1, s2) = data.n, sums
    if data.constant:
        return np.nan, np.nan
    normality = ((2 * s1 + s2) * (n - 1) - 4 * s0 * s0) / (2 * (n + 1) * s0 * s0)
    if n < 4:
        return float(normality), np.nan
    kurtosis = float(np.mean(data.z**4))
    first = (n - 1) * s1 * (n * n - 3 * n + 3 - (n - 1) * kurtosis)
    second = (n - 1) * s2 * (n * n + 3 * n - 6 - (n * n - n + 2) * kurtosis) / 4
    third = s0 * s0 * (n * n - 3 - (n - 1) ** 2 * kurtosis)
    randomization = (first - second + third) / (n * (n - 2) * (n - 3) * s0 * s0)
    return float(normality), float(randomization)
