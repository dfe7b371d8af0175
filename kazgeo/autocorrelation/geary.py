"""Geary's C: how far neighbours differ, over a whole map."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
import pandas as pd

from kazgeo.autocorrelation.moments import LinkSums
from kazgeo.autocorrelation.plan import Inference
from kazgeo.autocorrelation.sample import Sample, Transform
from kazgeo.autocorrelation.whole import Formula, WholeMap, whole_map

__all__ = ["Geary", "geary"]


class Geary(WholeMap):
    """Geary's C: below its mean of 1 neighbours are alike, above they differ; "less" is the side of likeness."""

    symbol = "C"

    @property
    def C(self) -> float:  # noqa: N802  the field's own symbol
        """The statistic."""
        return self.value


def geary(
    y: pd.Series,
    weights: Any,
    *,
    transform: Transform | str = Transform.ROW,
    **options: Unpack[Inference],
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
    transform : {"row", "binary", "given"}
        What is done to the weights first.
    **options
        ``permutations``, ``alternative``, ``rng``, ``executor``, ``progress``: see ``Inference``. The alternative is
        that of all three p-values; "less" asks whether neighbours are alike.

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
    return whole_map(Geary, _FORMULA, y, weights, transform, options)


def _moments(data: Sample, sums: LinkSums) -> tuple[float, float, float]:
    """Return the mean of C and its variances under normality and randomisation (Cliff and Ord 1981)."""
    n, (s0, s1, s2) = data.n, sums
    if data.constant:
        return 1.0, np.nan, np.nan
    normality = ((2 * s1 + s2) * (n - 1) - 4 * s0 * s0) / (2 * (n + 1) * s0 * s0)
    if n < 4:
        return 1.0, float(normality), np.nan
    kurtosis = float(np.mean(data.z**4))
    first = (n - 1) * s1 * (n * n - 3 * n + 3 - (n - 1) * kurtosis)
    second = (n - 1) * s2 * (n * n + 3 * n - 6 - (n * n - n + 2) * kurtosis) / 4
    third = s0 * s0 * (n * n - 3 - (n - 1) ** 2 * kurtosis)
    randomization = (first - second + third) / (n * (n - 2) * (n - 3) * s0 * s0)
    return 1.0, float(normality), float(randomization)


_FORMULA = Formula(lambda n, s0: (n - 1) / (2 * s0 * n), True, _moments)
