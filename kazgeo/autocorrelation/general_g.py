"""Getis and Ord's G of a whole map: whether high values, or low ones, are neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pandas as pd

from kazgeo.autocorrelation.plan import Inference, Plan
from kazgeo.autocorrelation.sample import Transform, sample
from kazgeo.autocorrelation.total import quadratic_draws
from kazgeo.autocorrelation.whole import WholeMap, linked, tested
from kazgeo.errors import InputError, choice, listing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kazgeo.autocorrelation.moments import LinkSums

__all__ = ["GeneralG", "general_g"]


class GeneralG(WholeMap):
    """General G: above its mean high values are neighbours, below it low ones are."""

    symbol = "G"

    @property
    def G(self) -> float:  # noqa: N802  the field's own symbol
        """The statistic."""
        return self.value


def general_g(
    y: pd.Series,
    weights: Any,
    *,
    transform: Transform | str = Transform.BINARY,
    **options: Unpack[Inference],
) -> GeneralG:
    r"""Return the general G of Getis and Ord: the share of products of values that falls to neighbours.

    Assumption: values are positive and have a natural zero (income, cases, minutes); under the hypothesis every
    arrangement of the values is equally likely. Unlike Moran's I it tells clusters of high values from clusters of low
    ones; where both are present they cancel.

    Parameters
    ----------
    y : Series, shape (n,)
        Numbers of at least 0, labelled by unit; NaN units are set aside.
    weights : Weights or libpysal Graph
        Same units in any order; self weights do not take part.
    transform : {"row", "binary", "given"}
        What is done to the weights first; binary, as Getis and Ord have it.
    **options
        ``permutations``, ``alternative``, ``rng``, ``executor``, ``progress``: see ``Inference``. "greater": high
        values are neighbours; "less": low ones are.

    Returns
    -------
    GeneralG
        ``variance_randomization`` by Getis and Ord's formula; there is none under normality. Constant values: NaN.

    Raises
    ------
    InputError
        Negative values, all values but one 0, fewer than 3 units, ids that differ, no links, or a bad option.

    Notes
    -----
    .. math:: G = \frac{\sum_{i \ne j} w_{ij} y_i y_j}{\sum_{i \ne j} y_i y_j}

    References
    ----------
    Getis, A. and Ord, J. K. (1992), doi:10.1111/j.1538-4632.1992.tb00261.x.

    Examples
    --------
    >>> from kazgeo.weights import Weights
    >>> chain = Weights.from_pairs(list("abcdef"), [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "f")])
    >>> y = pd.Series([1.0, 1, 2, 2, 9, 8], index=list("abcdef"))
    >>> got = general_g(y, chain, rng=1, alternative="greater")
    >>> round(got.G, 4), round(got.expected, 4), got.p < 0.2
    (0.5187, 0.3333, True)
    >>> general_g(y.where(y > 1), chain, rng=1).n, general_g(y * 0 + 1, chain, rng=1).p
    (4, nan)
    >>> general_g(-y, chain)
    Traceback (most recent call last):
    kazgeo.errors.InputError: y must not be negative for G; it is at units 'a', 'b', 'c', 'd', 'e' and 1 more
    """
    plan, way = Plan.of(options, Inference), choice(Transform, transform, "transform")
    data = sample(y, weights, transform=way)
    x, sums = data.y, linked(data)
    if (x < 0).any():
        raise InputError(f"y must not be negative for G; it is at units {listing(data.weights.ids[x < 0])}")
    if np.count_nonzero(x) < 2:
        raise InputError("y must be above 0 in at least 2 units for G")
    if data.constant:
        return tested(
            GeneralG, data, plan, way, value=np.nan, draws=None, moments=(sums.s0 / _pairs(data.n), np.nan, np.nan)
        )
    x = x / x.max()
    x = x / x.mean()
    products = x.sum() ** 2 - (x**2).sum()
    matrix = data.weights.matrix
    draws = quadratic_draws(
        x, matrix, permutations=plan.permutations, seed=plan.seed, executor=plan.executor, progress=plan.progress
    )
    value = float(x @ (matrix @ x)) / products
    return tested(GeneralG, data, plan, way, value=value, draws=draws / products, moments=_moments(x, sums))


def _pairs(n: int) -> int:
    return n * (n - 1)


def _moments(x: NDArray[np.float64], sums: LinkSums) -> tuple[float, float, float]:
    """Return the mean of G, NaN, and its variance under randomisation (Getis and Ord 1992, their b0 to b4)."""
    n, (s0, s1, s2) = len(x), sums
    expected = s0 / _pairs(n)
    if n < 4:
        return expected, np.nan, np.nan
    m1, m2, m3, m4 = (float((x**power).sum()) for power in (1, 2, 3, 4))
    b0 = (n * n - 3 * n + 3) * s1 - n * s2 + 3 * s0 * s0
    b1 = -((n * n - n) * s1 - 2 * n * s2 + 6 * s0 * s0)
    b2 = -(2 * n * s1 - (n + 3) * s2 + 6 * s0 * s0)
    b3 = 4 * (n - 1) * s1 - 2 * (n + 1) * s2 + 8 * s0 * s0
    b4 = s1 - s2 + s0 * s0
    total = b0 * m2**2 + b1 * m4 + b2 * m1**2 * m2 + b3 * m1 * m3 + b4 * m1**4
    square = total / ((m1**2 - m2) ** 2 * n * (n - 1) * (n - 2) * (n - 3))
    return expected, np.nan, square - expected**2
