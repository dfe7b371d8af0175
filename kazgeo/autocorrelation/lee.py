"""Lee's L: how far two variables go together in space, own correlation and neighbours' in one figure."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np
import pandas as pd

from kazgeo.autocorrelation.plan import Inference, Plan
from kazgeo.autocorrelation.sample import Transform, is_constant, sample_together, standardized
from kazgeo.autocorrelation.total import quadratic_draws
from kazgeo.autocorrelation.whole import WholeMap, linked, tested
from kazgeo.errors import choice

__all__ = ["Lee", "lee"]


class Lee(WholeMap):
    """Lee's L: positive where smoothed x and smoothed y rise together."""

    symbol = "L"

    @property
    def L(self) -> float:  # noqa: N802  the field's own symbol
        """The statistic."""
        return self.value


def lee(
    x: pd.Series,
    y: pd.Series,
    weights: Any,
    *,
    include_self: bool = False,
    transform: Transform | str = Transform.ROW,
    **options: Unpack[Inference],
) -> Lee:
    r"""Return Lee's L of two variables: the correlation of their spatial lags, scaled by how smooth they are.

    Assumption: under the hypothesis the pairs (x_i, y_i) are dealt over the units, each pair staying together.

    Parameters
    ----------
    x, y : Series, shape (n,)
        Units that lack either are set aside.
    weights : Weights or libpysal Graph
        Same units in any order.
    include_self : bool
        Count the unit among its own neighbours (Lee's V*), with the largest weight of its row, or 1 where it has none,
        before rows are standardised.
    transform : {"row", "binary", "given"}
        What is done to the weights first.
    **options
        ``permutations``, ``alternative``, ``rng``, ``executor``, ``progress``: see ``Inference``.

    Returns
    -------
    Lee
        ``expected`` is exact for pairs dealt at random; no variance is given. NaN where x or y is constant.

    Raises
    ------
    InputError
        As in ``moran``; x and y of different units.

    Notes
    -----
    .. math:: L = \frac{n}{\sum_i (\sum_j w_{ij})^2} \cdot
        \frac{\sum_i (\sum_j w_{ij} z^x_j)(\sum_j w_{ij} z^y_j)}{n}

    with z in population standard deviations.

    References
    ----------
    Lee, S.-I. (2001), doi:10.1007/s101090100064; Lee, S.-I. (2004), doi:10.1068/a34209.

    Examples
    --------
    >>> from kazgeo.weights import Weights
    >>> chain = Weights.from_pairs(list("abcdef"), [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "f")])
    >>> x = pd.Series([1.0, 2, 3, 4, 5, 6], index=list("abcdef"))
    >>> got = lee(x, x, chain, rng=1, alternative="greater")
    >>> round(got.L, 4), round(got.expected, 4)
    (0.5429, 0.6)
    >>> lee(x, x.where(x > 1), chain, rng=1).n, lee(x, x * 0, chain, rng=1).p
    (5, nan)
    >>> lee(x, x.iloc[:0], chain)
    Traceback (most recent call last):
    kazgeo.errors.InputError: x and y must have the same units; y lacks 6: 'a', 'b', 'c', 'd', 'e' and 1 more
    """
    plan, way = Plan.of(options, Inference), choice(Transform, transform, "transform")
    first = Transform.GIVEN if include_self and way is Transform.ROW else way
    data, values = sample_together({"x": x, "y": y}, weights, transform=first)
    linked(data)
    if include_self:
        data.weights.refuse_negative("where a unit counts among its own neighbours")
    nothing = (np.nan, np.nan, np.nan)
    if any(is_constant(column) for column in values.T):
        return tested(Lee, data, plan, way, value=np.nan, draws=None, moments=nothing)
    zx, zy = (standardized(column) for column in values.T)
    smooth = _with_self(data.weights.matrix, way is Transform.ROW) if include_self else data.weights.matrix
    scale = 1 / float((np.asarray(smooth.sum(axis=1)).ravel() ** 2).sum())
    both = smooth.T @ smooth
    draws = quadratic_draws(
        zx, both, y=zy, permutations=plan.permutations, seed=plan.seed, executor=plan.executor, progress=plan.progress
    )
    together, diagonal = float(zx @ zy), float(both.diagonal().sum())
    apart = float(both.sum()) - diagonal
    expected = scale * together * (diagonal / data.n - apart / (data.n * (data.n - 1)))
    value = float((smooth @ zx) @ (smooth @ zy))
    return tested(Lee, data, plan, way, value=scale * value, draws=scale * draws, moments=(expected, np.nan, np.nan))


def _with_self(matrix: Any, row: bool) -> Any:
    """Return the weights with every unit among its own neighbours, rows standardised when asked for."""
    import scipy.sparse as sp

    largest = np.asarray(matrix.max(axis=1).todense()).ravel()
    made = sp.csr_array(matrix + sp.diags_array(np.where(largest > 0, largest, 1.0)))
    if row:
        made = sp.csr_array(sp.diags_array(1 / np.asarray(made.sum(axis=1)).ravel()) @ made)
    return made
