"""Quantile LISA: where the units of one quantile lie together, of one variable or of several at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pandas as pd

from kazgeo.autocorrelation.local_join_counts import LocalJoinCount, columns_of, counted
from kazgeo.autocorrelation.plan import LocalOptions
from kazgeo.autocorrelation.sample import Transform, sample_together
from kazgeo.errors import InputError, positive_integer

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["QuantileLisa", "in_quantile", "quantile_lisa"]


@dataclass(frozen=True, eq=False)
class QuantileLisa(LocalJoinCount):
    """Local join count of membership in a quantile, on the caller's index; the rest as in ``LocalJoinCount``.

    Parameters
    ----------
    member : Series
        1 where the unit lies in the quantile (of every variable), else 0; NaN for units set aside.
    bounds : DataFrame
        By variable: k, quantile, from (inclusive) and to (exclusive) in the unit of the variable, and n, the units
        inside.
    """

    member: pd.Series
    bounds: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return all columns on the caller's index."""
        return pd.concat([self.member, super().to_frame()], axis=1)


def quantile_lisa(
    y: pd.Series | pd.DataFrame,
    weights: Any,
    *,
    quantile: int | Sequence[int],
    k: int | Sequence[int] = 4,
    **options: Unpack[LocalOptions],
) -> QuantileLisa:
    r"""Return around every unit of a quantile the number of neighbours in the same quantile, with exact p.

    Assumption: as ``local_join_count``, of the property "lies in the quantile". Good against extreme values and
    curved relations between variables, as only the order of values matters; what differs within the quantile is lost.

    Parameters
    ----------
    y : Series or DataFrame, shape (n,) or (n, v)
        Numbers labelled by unit; a unit that lacks one of its values is set aside before quantiles are made. Several
        variables: a unit must lie in the given quantile of every one (co-location).
    weights : Weights or libpysal Graph
        As in ``local_join_count``.
    quantile : int or sequence of v ints
        Which, from 1 (lowest values) to k.
    k : int or sequence of v ints
        Number of quantiles: 4 quartiles, 5 quintiles; 2 to the number of units.
    **options
        As in ``local_join_count``.

    Returns
    -------
    QuantileLisa
        With many ties quantiles are unequal, or empty: then all is "undefined", as for constant values.

    Raises
    ------
    InputError
        k or quantile out of range, as many of them as variables are not given, or as ``local_join_count``.

    Notes
    -----
    The cut below quantile q + 1 is the quantile q / k of Hazen (R's type 5), which GeoDa uses; a value equal to a cut
    belongs above it. So a unit lies above the cut when its value is at least the :math:`\lceil nq/k + 1/2 \rceil`-th
    smallest: this is what is compared, and no rounding of an interpolated cut decides.

    References
    ----------
    Anselin, L. and Li, X. (2019), doi:10.1007/s10109-019-00299-x; Anselin, L. (2019), doi:10.1111/gean.12164.

    Examples
    --------
    >>> from kazgeo.weights import Weights
    >>> ids = [f"u{i:02d}" for i in range(40)]
    >>> w = Weights.from_pairs(ids, [(ids[i], ids[j]) for i in range(39) for j in (i + 1, i + 2) if j < 39])
    >>> y = pd.Series([9.0, 8, 9, 7, 9, 8] + [1, 2, 3, 2] * 8 + [None, 5.0], index=ids)
    >>> got = quantile_lisa(y, w, k=6, quantile=6)
    >>> got.label[["u02", "u20", "u38", "u39"]].tolist(), got.bounds["n"].tolist()
    (['cluster', 'not tested', 'undefined', 'isolate'], [7])
    >>> quantile_lisa(y * 0, w, quantile=4).label.unique().tolist()
    ['undefined']
    >>> quantile_lisa(y, w, k=5, quantile=6)
    Traceback (most recent call last):
    kazgeo.errors.InputError: quantile must lie between 1 and k; got 6 of 5
    >>> quantile_lisa(y.iloc[:0], Weights.from_pairs([], []), quantile=1)
    Traceback (most recent call last):
    kazgeo.errors.InputError: y must have a value for at least 3 units; got 0 of 0
    """
    variables = {"y": y} if isinstance(y, pd.Series) else columns_of(y, "y")
    many, which = _each(k, "k", len(variables)), _each(quantile, "quantile", len(variables))
    for parts, one in zip(many, which, strict=True):
        if parts < 2:
            raise InputError(f"k must be at least 2 quantiles; got {parts}")
        if one > parts:
            raise InputError(f"quantile must lie between 1 and k; got {one} of {parts}")
    data, values = sample_together(variables, weights, transform=Transform.BINARY)
    if max(many) > data.n:
        raise InputError(f"k must be at most the number of units with a value ({data.n}); got {max(many)}")
    inside = np.column_stack([in_quantile(v, a, b) for v, a, b in zip(values.T, many, which, strict=True)])
    together = np.asarray(inside.all(axis=1))
    edges = [(_cut(v, a, b - 1), _cut(v, a, b)) for v, a, b in zip(values.T, many, which, strict=True)]
    bounds = pd.DataFrame(
        {
            "k": many,
            "quantile": which,
            "from": [a for a, _ in edges],
            "to": [b for _, b in edges],
            "n": inside.sum(axis=0),
        },
        index=pd.Index(list(variables), name="variable"),
    )
    described = {"k": many, "quantile": which, "variables": list(variables)}
    found = {"member": together.astype(float), "bounds": bounds}
    return counted(QuantileLisa, data, together, together, options, described, **found)


def in_quantile(values: NDArray[np.float64], k: int, quantile: int) -> NDArray[np.bool_]:
    """Return which values lie in a quantile: at least its lower cut, and below its upper one.

    Examples
    --------
    >>> in_quantile(np.array([5.0, 1, 2, 3, 4]), 2, 2).tolist()
    [True, False, False, True, True]
    >>> [int(in_quantile(np.array([1.0, 2, 2, 2, 3]), 3, q).sum()) for q in (1, 2, 3)]
    [1, 0, 4]
    """
    ordered = np.sort(values)
    above = values >= _rank_value(ordered, k, quantile - 1) if quantile > 1 else np.ones(len(values), dtype=bool)
    below = values < _rank_value(ordered, k, quantile) if quantile < k else np.ones(len(values), dtype=bool)
    return np.asarray(above & below)


def _rank_value(ordered: NDArray[np.float64], k: int, q: int) -> float:
    """Return the smallest value that lies above the cut q of k."""
    place = -((2 * len(ordered) * q + k) // (-2 * k))  # the next whole number from n q / k + 1/2, exactly
    return float(ordered[place - 1])


def _cut(values: NDArray[np.float64], k: int, q: int) -> float:
    """Return the cut q of k for the reader; infinite at both ends."""
    if q in (0, k):
        return -np.inf if q == 0 else np.inf
    return float(np.quantile(values, q / k, method="hazen"))


def _each(given: int | Sequence[int], name: str, variables: int) -> list[int]:
    """Return one whole number per variable."""
    several = list(given) if isinstance(given, (Sequence, np.ndarray)) else [given] * variables
    numbers = [positive_integer(one, name) for one in several]
    if len(numbers) != variables:
        raise InputError(f"{name} must be one number, or one per variable ({variables}); got {len(numbers)}")
    return numbers
