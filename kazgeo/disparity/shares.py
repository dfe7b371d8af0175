"""Values and weights of regions brought together by label, as every measure of inequality needs them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kazgeo.errors import InputError, listing

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Shares", "numeric", "shares"]


@dataclass(frozen=True, eq=False)
class Shares:
    """Usable units, in the order of their ids.

    Parameters
    ----------
    units : Index, shape (n,)
        Units with a value (and a weight), sorted.
    x : float array, shape (n,)
        Values.
    p : float array, shape (n,)
        Weights as shares of 1.
    dropped : DataFrame
        Columns unit, reason.
    """

    units: pd.Index
    x: NDArray[np.float64]
    p: NDArray[np.float64]
    dropped: pd.DataFrame

    @property
    def mean(self) -> float:
        """Weighted mean; NaN without units."""
        return float(self.p @ self.x) if len(self.x) else np.nan

    def refuse(self, bad: NDArray[np.bool_], measure: str, wanted: str) -> None:
        """Raise an error that names the units whose values a measure cannot take."""
        if bad.any():
            units = self.units[bad]
            raise InputError(
                f"{measure} wants {wanted}; {len(units)} of {len(self.x)} units have none: {listing(units)}. "
                "Leave them out (set them to NaN) or choose another measure"
            )


def shares(x: pd.Series, weights: pd.Series | None = None, *, groups: pd.Series | None = None) -> Shares:
    """Bring values and weights together by label and set aside units that lack one.

    Parameters
    ----------
    x : Series
        Numbers, unique index; NaN = missing.
    weights : Series or None
        Numbers of at least 0 on the same labels (more labels do no harm); None = every unit counts alike.
    groups : Series or None
        Group of every unit; units without one are set aside.

    Raises
    ------
    InputError
        Not numeric, repeated labels, infinite values, negative weights, or weights that sum to 0.

    Examples
    --------
    >>> x = pd.Series({"b": 2.0, "a": 1.0, "c": None, "d": 5.0})
    >>> got = shares(x, pd.Series({"a": 3, "b": 1, "c": 1}))
    >>> got.units.tolist(), got.p.tolist(), got.mean
    (['a', 'b'], [0.75, 0.25], 1.25)
    >>> got.dropped.values.tolist()
    [['c', 'missing value'], ['d', 'missing weight']]
    >>> shares(pd.Series(dtype=float)).mean
    nan
    """
    values = _sorted(numeric(x, "x"))
    reason = pd.Series("", index=values.index, dtype=object)
    weight = pd.Series(1.0, index=values.index)
    if weights is not None:
        weight = numeric(weights, "weights").reindex(values.index)
        reason[weight.isna()] = "missing weight"
        if (weight < 0).any():
            raise InputError(f"weights must be at least 0; negative at {listing(values.index[weight < 0])}")
    if groups is not None:
        _one_each(groups, "groups")
        reason[groups.reindex(values.index).isna()] = "missing group"
    reason[values.isna()] = "missing value"
    keep = (reason == "").to_numpy()
    told = reason[~keep]
    dropped = pd.DataFrame({"unit": told.index.astype(object), "reason": told.to_numpy()}, dtype=object)
    w = weight.to_numpy()[keep]
    if len(w) and w.sum() == 0:
        raise InputError(f"weights must not all be 0; they are for all {len(w)} units with a value")
    return Shares(values.index[keep], values.to_numpy()[keep], w / w.sum() if len(w) else w, dropped)


def numeric(values: Any, name: str) -> pd.Series:
    """Return a Series of floats, or say what was wanted.

    Examples
    --------
    >>> numeric(pd.Series({"a": 1, "b": 2}), "x").tolist()
    [1.0, 2.0]
    >>> numeric([1, 2], "x")
    Traceback (most recent call last):
    kazgeo.errors.InputError: x must be a pandas Series labelled by unit; got list
    """
    _one_each(values, name)
    if not pd.api.types.is_numeric_dtype(values.dtype) and values.notna().any():
        raise InputError(f"{name} must hold numbers; got dtype {values.dtype}")
    out = pd.Series(values.to_numpy(dtype=np.float64, na_value=np.nan, copy=True), index=values.index)
    if np.isinf(out).any():
        raise InputError(f"{name} must be finite; infinite at {listing(out.index[np.isinf(out)])}")
    return out


def _one_each(values: Any, name: str) -> None:
    if not isinstance(values, pd.Series):
        raise InputError(f"{name} must be a pandas Series labelled by unit; got {type(values).__name__}")
    if not values.index.is_unique:
        twice = values.index[values.index.duplicated()].unique()
        raise InputError(f"{name} must have one value per unit; repeated: {listing(twice)}")


def _sorted(values: pd.Series) -> pd.Series:
    """Return the values in the order of their labels, so that sums do not depend on the rows' order."""
    try:
        return values.sort_index()
    except TypeError:  # labels of several types
        keys = [(type(i).__name__, str(i)) for i in values.index]
        return values.iloc[sorted(range(len(keys)), key=keys.__getitem__)]
