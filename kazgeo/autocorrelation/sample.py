"""What every statistic starts from: values and weights brought together by label, gaps set aside and told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from kazgeo.errors import InputError, choice, listing
from kazgeo.labels import canonical_order, in_order, same_units
from kazgeo.weights import Weights, as_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Sample",
    "Transform",
    "aligned",
    "is_constant",
    "moments",
    "numbers",
    "sample",
    "sample_together",
    "standardized",
]

_NOBODY = pd.DataFrame({"unit": pd.Series(dtype=object), "reason": pd.Series(dtype=object)})
#: A spread below this share of the largest magnitude is rounding, not variation.
ROUNDING = 1e-12


class Transform(StrEnum):
    """What is done to the weights before a statistic uses them."""

    ROW = "row"
    BINARY = "binary"
    GIVEN = "given"


@dataclass(frozen=True, eq=False)
class Sample:
    """Values and weights of the units that can be used, in an order that does not depend on the rows' order.

    Parameters
    ----------
    index : Index, shape (N,)
        All units, in the caller's order.
    places : int64 array, shape (n,)
        Position in ``index`` of every used unit; units follow the order of their ids.
    y : float64 array, shape (n,)
        Values of the used units.
    weights : Weights
        Among the used units, in the same order, transformed, without self weights.
    own : float64 array, shape (n,)
        Self weights that the caller's weights held, before the transformation.
    dropped : DataFrame
        Columns ``unit`` and ``reason``: units without a value, and units whose local result is undefined
        because they have no neighbour.
    """

    index: pd.Index
    places: NDArray[np.int64]
    y: NDArray[np.float64]
    weights: Weights
    own: NDArray[np.float64]
    dropped: pd.DataFrame

    @property
    def n(self) -> int:
        """Number of used units."""
        return len(self.y)

    @cached_property
    def constant(self) -> bool:
        """Whether the values do not vary beyond rounding."""
        return is_constant(self.y)

    @cached_property
    def z(self) -> NDArray[np.float64]:
        """Values less their mean, in population standard deviations, shape (n,)."""
        mean, spread = self.moments
        return np.asarray((self.y - mean) / spread)

    @cached_property
    def moments(self) -> tuple[float, float]:
        """Mean and population standard deviation of the values."""
        return moments(self.y)

    @cached_property
    def in_place(self) -> bool:
        """Whether every unit is used and the caller's order is the order of ids."""
        return len(self.places) == len(self.index) and bool((self.places == np.arange(len(self.index))).all())

    def spread(self, values: NDArray[np.float64], name: str) -> pd.Series:
        """Return values of the used units on the caller's index, NaN elsewhere."""
        out = values
        if not self.in_place:
            out = np.full(len(self.index), np.nan)
            out[self.places] = values
        return pd.Series(np.asarray(out, dtype=np.float64), index=self.index, name=name, copy=False)

    def spread_codes(self, codes: NDArray[Any], other: str | None, name: str) -> pd.Series:
        """Return codes of the used units on the caller's index, ``other`` elsewhere."""
        out = codes
        if not self.in_place:
            out = np.full(len(self.index), other, dtype=object)
            out[self.places] = codes
        return pd.Series(out, index=self.index, name=name, dtype=object, copy=False)


def sample(y: pd.Series, weights: Any, *, transform: Transform | str = Transform.ROW, name: str = "y") -> Sample:
    """Bring values and weights together by label and set aside what cannot be used.

    Parameters
    ----------
    y : Series
        Numbers or booleans, unique index of exactly the weights' ids in any order; NaN = missing.
    weights : Weights or libpysal Graph
        Never changed; self weights are taken out (into ``own``).
    transform : {"row", "binary", "given"}
        Rows that sum to 1, weights of 1, or as they are.
    name : str
        What the caller's parameter is called, for messages.

    Returns
    -------
    Sample
        Units with a value; links to units without one are gone, and rows are standardised after that.

    Raises
    ------
    InputError
        ``y`` is not a numeric Series, holds infinite values, has other ids than the weights, or fewer than 3
        units have a value; weights are negative where rows are to be standardised.

    Examples
    --------
    >>> w = Weights.from_pairs(list("abcd"), [("a", "b"), ("b", "c"), ("c", "d")])
    >>> got = sample(pd.Series([4.0, 3.0, None, 1.0], index=list("dcba")), w)
    >>> got.y.tolist(), got.weights.ids.tolist(), got.index.tolist()
    ([1.0, 3.0, 4.0], ['a', 'c', 'd'], ['d', 'c', 'b', 'a'])
    >>> got.dropped.to_dict("split")["data"]
    [['b', 'missing value'], ['a', 'no neighbour with a value']]
    >>> sample(pd.Series(dtype=float), Weights.from_pairs([], []))
    Traceback (most recent call last):
    kazgeo.errors.InputError: y must have a value for at least 3 units; got 0 of 0
    """
    values = numbers(y, name)
    given = as_weights(weights)
    same_units(name, y.index, "weights", given.ids)
    order = canonical_order(y.index)
    ranked = in_order(y.index)  # the usual case
    has_value = ~np.isnan(values if ranked else values[order])
    whole = ranked and bool(has_value.all())
    places = order if whole else order[has_value]
    if len(places) < 3:
        raise InputError(f"{name} must have a value for at least 3 units; got {len(places)} of {len(y)}")
    ids = y.index if whole else y.index[places]
    kept = given if ids.equals(given.ids) else given.subset(ids)
    own = kept.self_weights
    bare = _without_self(kept) if own.any() else kept
    dropped = _told(y.index[order[~has_value]], bare.isolates, given)
    made = _transformed(bare, choice(Transform, transform, "transform"))
    return Sample(y.index, places, values if whole else values[places], made, own, dropped)


def sample_together(
    variables: Mapping[str, pd.Series], weights: Any, *, transform: Transform | str = Transform.ROW
) -> tuple[Sample, NDArray[np.float64]]:
    """Bring several variables and weights together; a unit that lacks one of the values is set aside.

    Parameters
    ----------
    variables : mapping of name to Series
        As in ``sample``, all of the same units in any order; the first gives the caller's index. Names are those of
        the parameters, for messages.
    weights, transform
        As in ``sample``.

    Returns
    -------
    Sample, float array of shape (n, variables)
        ``Sample.y`` is the first variable.

    Examples
    --------
    >>> w = Weights.from_pairs(list("abcd"), [("a", "b"), ("b", "c"), ("c", "d")])
    >>> x, y = pd.Series([1.0, 2, 3, 4], index=list("abcd")), pd.Series([None, 8.0, 7, 6], index=list("dcba"))
    >>> data, values = sample_together({"x": x, "y": y}, w)
    >>> values.tolist(), data.dropped.to_dict("split")["data"]
    ([[1.0, 6.0], [2.0, 7.0], [3.0, 8.0]], [['d', 'missing value']])
    >>> sample_together({"x": x, "y": y.iloc[:3]}, w)
    Traceback (most recent call last):
    kazgeo.errors.InputError: x and y must have the same units; y lacks 1: 'a'
    """
    (first, head), *_ = variables.items()
    columns = {name: pd.Series(numbers(y, name), index=y.index) for name, y in variables.items()}
    for name, column in columns.items():
        same_units(first, head.index, name, column.index)
    table = np.column_stack([column.reindex(head.index).to_numpy() for column in columns.values()])
    whole = ~np.isnan(table).any(axis=1)
    both = " and ".join(columns) if len(columns) < 4 else f"{first} and {len(columns) - 1} more"
    some = pd.Series(np.where(whole, table[:, 0], np.nan), index=head.index)
    data = sample(some, weights, transform=transform, name=both)
    return data, table[data.places]


def aligned(series: Any, name: str, index: pd.Index, of: str) -> NDArray[np.float64]:
    """Return the numbers of a Series in the order of another's ids, the same units in any order.

    Raises
    ------
    InputError
        Not a Series of numbers, or other units; ``of`` is the parameter whose ids are given.

    Examples
    --------
    >>> aligned(pd.Series([1.0, None], index=["b", "a"]), "weight", pd.Index(["a", "b"]), "points").tolist()
    [nan, 1.0]
    >>> aligned(pd.Series([1.0], index=["c"]), "weight", pd.Index([]), "points")
    Traceback (most recent call last):
    kazgeo.errors.InputError: points and weight must have the same units; points lack 1: 'c' (ids of points ...
    """
    values = numbers(series, name)
    same_units(of, index, name, series.index)
    return np.asarray(values[series.index.get_indexer(index)])


def is_constant(values: NDArray[np.float64]) -> bool:
    """Return whether values do not vary beyond rounding.

    Examples
    --------
    >>> is_constant(np.array([0.1 + 0.2, 0.3])), is_constant(np.array([0.0, 1e-9]))
    (True, False)
    """
    return bool(np.ptp(values) <= ROUNDING * np.abs(values).max())


def standardized(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values less their mean, in population standard deviations.

    Examples
    --------
    >>> standardized(np.array([1.0, 3.0])).tolist()
    [-1.0, 1.0]
    """
    mean, spread = moments(values)
    return np.asarray((values - mean) / spread)


def moments(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return mean and population standard deviation; of values whose squares double precision can't hold as well.

    Examples
    --------
    >>> moments(np.array([1.0, 3.0])), moments(np.array([2e-200, 4e-200]))
    ((2.0, 1.0), (3e-200, 1e-200))
    >>> moments(np.zeros(2))
    (0.0, 0.0)
    """
    largest = float(np.abs(values).max())
    if 1e-100 < largest < 1e100 or not largest > 0:
        mean = values.mean()
        return float(mean), float(np.sqrt(np.mean((values - mean) ** 2)))
    mean, spread = moments(values / largest)
    return mean * largest, spread * largest


def numbers(y: Any, name: str) -> NDArray[np.float64]:
    """Return the values of a numeric or boolean Series as floats.

    Raises
    ------
    InputError
        Not a Series, repeated labels, not numeric, or infinite values.

    Examples
    --------
    >>> numbers(pd.Series([True, False, None], dtype="boolean"), "y").tolist()
    [1.0, 0.0, nan]
    >>> numbers(pd.Series(["3,5"], index=["a"]), "y")
    Traceback (most recent call last):
    kazgeo.errors.InputError: y must hold numbers; got dtype str, for instance '3,5'
    """
    if not isinstance(y, pd.Series):
        raise InputError(f"{name} must be a pandas Series labelled by unit ids; got {type(y).__name__}")
    if not y.index.is_unique:
        raise InputError(f"{name} must have one value per unit; repeated: {listing(y.index[y.index.duplicated()])}")
    if y.dtype == np.float64:  # the usual case
        values: NDArray[np.float64] = y.to_numpy(copy=True)
    else:
        numeric = pd.api.types.is_numeric_dtype(y.dtype) and not pd.api.types.is_complex_dtype(y.dtype)
        empty = y.isna().all()
        if not (empty or numeric):
            raise InputError(
                f"{name} must hold numbers; got dtype {y.dtype}, for instance {listing(y.dropna().iloc[:1].tolist())}"
            )
        values = np.full(len(y), np.nan) if empty else y.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    if np.isinf(values).any():
        raise InputError(f"{name} must be finite; infinite at units {listing(y.index[np.isinf(values)])}")
    return values


def _without_self(weights: Weights) -> Weights:
    links = weights.matrix.tocoo()
    rows, cols = links.coords
    off = rows != cols
    return Weights.from_matrix(
        weights.ids, sp.csr_array((links.data[off], (rows[off], cols[off])), shape=(weights.n, weights.n))
    )


def _transformed(weights: Weights, transform: Transform) -> Weights:
    if transform is Transform.BINARY:
        return weights.binary()
    if transform is Transform.GIVEN:
        return weights
    weights.refuse_negative("when rows are standardised (transform='given' takes them as they are)")
    return weights.row_standardized()


def _told(missing: pd.Index, lonely: pd.Index, given: Weights) -> pd.DataFrame:
    """Tabulate the units set aside and why."""
    if not len(missing) and not len(lonely):
        return _NOBODY.copy()
    own = given.self_weights != 0
    alone = set(given.ids[given.cardinalities - own == 0])
    reasons = ["missing value"] * len(missing)
    reasons += ["no neighbour" if unit in alone else "no neighbour with a value" for unit in lonely]
    units = pd.Series([*missing, *lonely], dtype=object)
    return pd.DataFrame({"unit": units, "reason": pd.Series(reasons, dtype=object)})
