"""Moran's I: the autocorrelation of a whole map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kazgeo.autocorrelation.moments import link_sums
from kazgeo.autocorrelation.permutation import seed_of, total_draws
from kazgeo.autocorrelation.sample import Sample, Transform, choice, numbers, positive_integer, sample
from kazgeo.autocorrelation.significance import Alternative, normal_p, pseudo_p
from kazgeo.errors import InputError, listing
from kazgeo.progress import Progress, part, silent

if TYPE_CHECKING:
    from kazgeo.weights import Weights

__all__ = ["Moran", "moran", "moran_by_year"]

FIGURES = (
    "I", "expected", "variance_normality", "variance_randomization", "z_normality", "z_randomization",
    "p_normality", "p_randomization", "p", "n", "s0",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Moran:
    """Moran's I with its moments and three p-values.

    Parameters
    ----------
    I : float
        The statistic; NaN for constant values.
    expected : float
        -1 / (n - 1).
    variance_normality, variance_randomization : float
        Of I when values are normal, and when they are dealt at random over the units.
    z_normality, z_randomization : float
        (I - expected) / standard deviation.
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

    I: float  # noqa: E741  the field's own symbol
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


def moran(
    y: pd.Series,
    weights: Any,
    *,
    permutations: int = 9_999,
    alternative: Alternative | str = Alternative.TWO_SIDED,
    transform: Transform | str = Transform.ROW,
    rng: int | np.random.Generator | None = None,
    progress: Progress = silent,
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
    permutations : int
        Random arrangements m; the smallest p is 1 / (m + 1), two-sided 2 / (m + 1).
    alternative : {"two-sided", "greater", "less", "directed"}
        For all three p-values; "directed" is the smaller tail, esda's default.
    transform : {"row", "binary", "given"}
        What is done to the weights first.
    rng : int, Generator or None
        Seed; the result stores it.
    progress : Progress
        Called between batches of permutations.

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
    m = positive_integer(permutations, "permutations")
    side, seed = choice(Alternative, alternative, "alternative"), seed_of(rng)
    kind = choice(Transform, transform, "transform")
    data = sample(y, weights, transform=kind)
    s0 = float(data.weights.data.sum())
    if not len(data.weights.data) or s0 == 0:
        raise InputError(f"weights must link some of the {data.n} units that have a value; they sum to {s0:g}")
    value, p = (np.nan, np.nan) if data.constant else _observed(data, s0, m, seed, side, progress)
    expected, normality, randomization = _moments(data, s0)
    z_n, z_r = ((value - expected) / np.sqrt(v) if v > 0 else np.nan for v in (normality, randomization))
    return Moran(
        I=value,
        expected=expected,
        variance_normality=normality,
        variance_randomization=randomization,
        z_normality=float(z_n),
        z_randomization=float(z_r),
        p_normality=normal_p(float(z_n), side),
        p_randomization=normal_p(float(z_r), side),
        p=p,
        n=data.n,
        s0=s0,
        permutations=m,
        seed=seed,
        alternative=side,
        transform=kind,
        dropped=data.dropped,
    )


def moran_by_year(
    y: pd.Series,
    weights: Any,
    *,
    permutations: int = 9_999,
    alternative: Alternative | str = Alternative.TWO_SIDED,
    transform: Transform | str = Transform.ROW,
    rng: int | np.random.Generator | None = None,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Return Moran's I for every year of a panel.

    Assumption: the same units and neighbours in all years. The years are tested one by one, with the same draws;
    p is not adjusted for their number.

    Parameters
    ----------
    y : Series
        MultiIndex (region, year), each pair once; regions that lack a year count as missing in it.
    weights, permutations, alternative, transform, rng, progress
        As in ``moran``.

    Returns
    -------
    DataFrame
        Index year; the columns of ``Moran.to_frame``, ``n_missing`` and ``seed``. Years with fewer than 3 values
        have NaN throughout.

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

    given, seed = as_weights(weights), seed_of(rng)
    regions, years = y.index.get_level_values(0), y.index.get_level_values(1)
    strange = regions.unique().difference(given.ids)
    if len(strange):
        raise InputError(f"y and weights must have the same units; weights lack {len(strange)}: {listing(strange)}")
    rows: dict[Any, dict[str, Any]] = {}
    todo = sorted(years.unique())
    for step, year in enumerate(todo):
        now = y.xs(year, level=1).reindex(given.ids)
        inner = part(progress, step / len(todo), (step + 1) / len(todo))
        rows[year] = _one_year(
            now, given, seed, inner, permutations=permutations, alternative=alternative, transform=transform
        )
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(index="year")


def _one_year(y: pd.Series, weights: Weights, seed: int, progress: Progress, **options: Any) -> dict[str, Any]:
    """Return one row of the table by year."""
    n = int(y.notna().sum())
    found: dict[str, Any] = dict.fromkeys(FIGURES, np.nan)
    if n >= 3:
        result = moran(y, weights, rng=seed, progress=progress, **options)
        found = {name: getattr(result, name) for name in FIGURES}
    return found | {"n": n, "n_missing": len(y) - n, "seed": seed}


def _observed(data: Sample, s0: float, m: int, seed: int, side: Alternative, progress: Progress) -> tuple[float, float]:
    """Return I and its permutation p."""
    z = data.z
    observed = float(z @ (data.weights.matrix @ z))
    draws = total_draws(z, data.weights, permutations=m, seed=seed, progress=progress)
    tie = 1e-9 * (np.abs(observed) + float(draws.std()))
    greater, less = np.sum(draws >= observed - tie), np.sum(draws <= observed + tie)
    return observed / s0, float(pseudo_p(np.array([greater]), np.array([less]), m, side)[0])


def _moments(data: Sample, s0: float) -> tuple[float, float, float]:
    """Return the mean of I and its variances under normality and randomisation (Cliff and Ord 1981)."""
    n, matrix = data.n, data.weights.matrix
    _, s1, s2 = link_sums(matrix)
    expected = -1 / (n - 1)
    normality = (n * n * s1 - n * s2 + 3 * s0 * s0) / (s0 * s0 * (n * n - 1)) - expected**2
    if data.constant or n < 4:
        return expected, np.nan if data.constant else float(normality), np.nan
    kurtosis = float(np.mean(data.z**4))
    first = n * ((n * n - 3 * n + 3) * s1 - n * s2 + 3 * s0 * s0)
    second = kurtosis * ((n * n - n) * s1 - 2 * n * s2 + 6 * s0 * s0)
    randomization = (first - second) / ((n - 1) * (n - 2) * (n - 3) * s0 * s0) - expected**2
    return expected, float(normality), float(randomization)
