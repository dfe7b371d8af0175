"""Local Lee's L: around which units two variables, both smoothed over the neighbours, move together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pandas as pd

from kazgeo.autocorrelation.permutation import TIE, Tails, conditional_sums, parts_of_sums
from kazgeo.autocorrelation.plan import LocalOptions, Plan
from kazgeo.autocorrelation.sample import Sample, is_constant, sample_together, standardized
from kazgeo.autocorrelation.significance import LocalInference, passes
from kazgeo.choices import Draws
from kazgeo.errors import InputError
from kazgeo.parallel import run
from kazgeo.weights import Weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LABELS", "LocalLee", "local_lee"]

#: Every label a unit can have: smoothed x, then smoothed y, against their means.
LABELS = ("high-high", "low-low", "high-low", "low-high", "not significant", "isolate", "undefined")


@dataclass(frozen=True, eq=False)
class LocalLee(LocalInference):
    """Local Lee's L of every unit, on the caller's index; the rest as in ``LocalInference``.

    Parameters
    ----------
    L : Series
        The statistic. Without isolates and ``star`` the mean over the units is the global L.
    expected : Series
        Its mean when the pairs of values of the other units are dealt at random.
    lag_x, lag_y : Series
        Smoothed x and y in their own units.
    quadrant : Series of str
        Smoothed x and y against their means, whether significant or not; None where undefined.
    """

    L: pd.Series
    expected: pd.Series
    lag_x: pd.Series
    lag_y: pd.Series
    quadrant: pd.Series

    def to_frame(self) -> pd.DataFrame:
        """Return all columns on the caller's index."""
        names = ["L", "expected", "lag_x", "lag_y", "p", "p_adjusted", "quadrant", "label"]
        return pd.DataFrame({name: getattr(self, name) for name in names}, index=self.p.index)


def local_lee(
    x: pd.Series, y: pd.Series, weights: Any, *, star: bool = False, **options: Unpack[LocalOptions]
) -> LocalLee:
    r"""Return local Lee's L of every unit, with conditional permutation p and a label after correction.

    Assumption: x and y of a unit belong together. Under the hypothesis the pairs of the other units are dealt at
    random around the unit: the correlation of x and y within units stays, their common pattern in space does not. A
    significant unit is one where BOTH smoothed variables stand out; it does not say that one acts on the other.

    Parameters
    ----------
    x, y : Series, shape (n,)
        Numbers of the same units in any order; units that lack one of them are set aside, labelled "undefined".
    weights : Weights or libpysal Graph
        Same units, none negative; rows are made to sum to 1. Units without a neighbour are labelled "isolate".
    star : bool
        Whether a unit belongs to its own neighbourhood (Lee's L*), with its row's largest weight.
    **options
        ``permutations``, ``alternative``, ``correction``, ``alpha``, ``rng``, ``executor``, ``progress``: see
        ``LocalOptions``; draws are shared. "greater": smoothed x and y on the same side of their means.

    Returns
    -------
    LocalLee
        On the index of ``x``. One of them constant: NaN throughout, labelled "undefined".

    Raises
    ------
    InputError
        Fewer than 3 units with both values, ids that differ, negative weights, or a bad option.

    Notes
    -----
    .. math:: L_i = \frac{n \sum_j w_{ij} (x_j - \bar{x}) \sum_j w_{ij} (y_j - \bar{y})}
              {\sqrt{\sum_j (x_j - \bar{x})^2} \sqrt{\sum_j (y_j - \bar{y})^2}}

    as spdep's ``lee`` and esda's ``Spatial_Pearson_Local`` have it (with their weights' diagonal empty).

    References
    ----------
    Lee, S.-I. (2001), doi:10.1007/s101090100064.

    Examples
    --------
    >>> from kazgeo.weights import Weights
    >>> ids = [f"u{i:02d}" for i in range(40)]
    >>> w = Weights.from_pairs(ids, [(ids[i], ids[j]) for i in range(39) for j in (i + 1, i + 2) if j < 39])
    >>> x = pd.Series([9.0] * 6 + [1, 2, 3, 2] * 8 + [None, 5.0], index=ids)
    >>> y = pd.Series([1.0] * 6 + [6, 5, 7, 6] * 8 + [4.0, 5.0], index=ids)
    >>> got = local_lee(x, y, w, rng=1)
    >>> got.label[["u02", "u20", "u38", "u39"]].tolist()
    ['high-low', 'not significant', 'undefined', 'isolate']
    >>> local_lee(x, y * 0, w, rng=1).label.unique().tolist()
    ['undefined']
    >>> local_lee(x.iloc[:0], y.iloc[:0], Weights.from_pairs([], []))
    Traceback (most recent call last):
    kazgeo.errors.InputError: x and y must have a value for at least 3 units; got 0 of 0
    """
    plan = Plan.of(options)
    if plan.draws is Draws.INDEPENDENT:
        raise InputError("draws must be 'shared' for local Lee's L; got 'independent'")
    data, values = sample_together({"x": x, "y": y}, weights)
    fixed = any(is_constant(column) for column in values.T)
    z = np.zeros(values.shape) if fixed else np.column_stack([standardized(column) for column in values.T])
    lonely = data.weights.cardinalities == 0
    others, own = _with_self(data) if star else (data.weights, np.zeros(data.n))
    smooth = others.lag(z) + own[:, None] * z
    lag = others.lag(values) + own[:, None] * values
    parts: dict[str, Any] = {"lag_x": lag[:, 0], "lag_y": lag[:, 1]}
    parts |= {"L": smooth[:, 0] * smooth[:, 1], "expected": _expected(others, own, z)}
    p = np.full(data.n, np.nan)
    if not fixed:
        p = plan.p(_tails(others, own, z, smooth, plan))
        p[lonely] = np.nan
    for name in ("L", "expected"):
        parts[name] = np.where(lonely | fixed, np.nan, parts[name])
    parts |= {"lag_x": np.where(lonely, np.nan, parts["lag_x"]), "lag_y": np.where(lonely, np.nan, parts["lag_y"])}
    names = np.array(["low-low", "low-high", "high-low", "high-high"], dtype=object)
    quadrant = names[2 * (smooth[:, 0] > TIE) + (smooth[:, 1] > TIE)]
    quadrant[lonely | fixed] = None

    def label(p_adjusted: NDArray[np.float64]) -> NDArray[np.object_]:
        codes = np.where(passes(p_adjusted, plan.alpha), quadrant, "not significant").astype(object)
        codes[lonely] = "isolate"
        codes[:] = "undefined" if fixed else codes
        return codes

    return plan.result(LocalLee, data, p, label, parts | {"quadrant": quadrant}, star=star)


def _with_self(data: Sample) -> tuple[Weights, NDArray[np.float64]]:
    """Return weights of the others and of the unit itself, which together sum to 1; isolates keep 0."""
    weights, links = data.weights, data.weights.cardinalities
    largest = np.zeros(data.n)
    linked = np.flatnonzero(links > 0)
    if len(linked):
        largest[linked] = np.maximum.reduceat(weights.data, weights.indptr[linked])
    total = 1.0 + largest
    shared = replace(weights, data=weights.data / np.repeat(total, links))
    return shared, largest / total


def _expected(others: Weights, own: NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of the product when pairs are drawn from the n - 1 others without replacement."""
    m = others.n - 1
    w1, w2 = others.row_sums(), others.row_sums(2)
    mean = -z / m  # of the others; all add up to 0
    together = (z[:, 0] @ z[:, 1] - z[:, 0] * z[:, 1]) / m - mean[:, 0] * mean[:, 1]
    middle = w1[:, None] * mean + own[:, None] * z
    return np.asarray(middle[:, 0] * middle[:, 1] + together * (m * w2 - w1**2) / (m - 1))


def _tails(
    others: Weights, own: NDArray[np.float64], z: NDArray[np.float64], smooth: NDArray[np.float64], plan: Plan
) -> Tails:
    """Count the draws whose product is at least as large and at least as small as observed."""
    m = plan.permutations
    tails = Tails(np.full(others.n, m, dtype=np.int64), np.full(others.n, m, dtype=np.int64))
    parts, mine = parts_of_sums(z, others, m), own[:, None] * z
    tasks = [(part, m, plan.seed, mine[part.units], smooth[part.units].prod(axis=1)) for part in parts]
    for part, counted in zip(parts, run(_counted, tasks, plan.executor, plan.progress, "permutations"), strict=True):
        tails.greater[part.units], tails.less[part.units] = counted
    plan.progress(1.0, "permutations")
    return tails


def _counted(
    part: Any, m: int, seed: int, mine: NDArray[np.float64], observed: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count the draws of some units; ``mine`` (u, 2) is what a unit adds to its own neighbourhood."""
    sums = conditional_sums(part, m, seed) + mine.T[:, :, None]
    product, edge = sums[0] * sums[1], TIE * (1 + np.abs(observed))
    greater = (product >= (observed - edge)[:, None]).sum(axis=1)
    return greater, (product <= (observed + edge)[:, None]).sum(axis=1)
