"""Numbers on reachable pairs, and amounts joined to their ends by label: what all measures of a table share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from kazgeo.accessibility.times import TravelTimes
from kazgeo.errors import InputError, listing
from kazgeo.labels import canonical_order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["NO_DESTINATION", "NO_REACH", "NO_TIME", "Amounts", "Pairs", "amounts", "drops", "inverse", "ranks"]

NO_TIME = "origin without travel time to any destination"
NO_REACH = "origin without facility in reach"
NO_DESTINATION = "origin without destination in reach"


@dataclass(frozen=True, eq=False)
class Pairs:
    """One number per reachable pair.

    Where every pair is reachable, sums are products of dense matrices, otherwise of sparse ones.

    Parameters
    ----------
    times : TravelTimes
        The pairs.
    values : float array, shape (n_pairs,)
        In the order of the pairs.
    """

    times: TravelTimes
    values: Floats

    def _matrix(self) -> Any:
        n, m = self.times.shape
        if self.times.full:
            return self.values.reshape(n, m)
        return sp.csr_array((self.values, self.times.indices, self.times.indptr), shape=(n, m))

    def to_origins(self, of_destinations: Floats) -> Floats:
        """Return the sum over destinations j of value_ij times the amount at j, shape (n,)."""
        return np.asarray(self._matrix() @ of_destinations)

    def to_destinations(self, of_origins: Floats) -> Floats:
        """Return the sum over origins i of value_ij times the amount at i, shape (m,)."""
        return np.asarray(self._matrix().T @ of_origins)

    def origin_sums(self) -> Floats:
        """Return the sum of every row, shape (n,)."""
        return self.to_origins(np.ones(len(self.times.destinations)))

    def destination_sums(self) -> Floats:
        """Return the sum of every column, shape (m,)."""
        return self.to_destinations(np.ones(len(self.times.origins)))

    def by_origin(self, factor: Floats) -> Pairs:
        """Return every value times its origin's factor."""
        n, m = self.times.shape
        if self.times.full:
            return Pairs(self.times, (self.values.reshape(n, m) * factor[:, None]).reshape(-1))
        return Pairs(self.times, self.values * np.repeat(factor, self.times.reached))

    def by_destination(self, factor: Floats) -> Pairs:
        """Return every value times its destination's factor."""
        n, m = self.times.shape
        if self.times.full:
            return Pairs(self.times, (self.values.reshape(n, m) * factor).reshape(-1))
        return Pairs(self.times, self.values * factor[self.times.indices])

    def times_values(self, other: Floats) -> Pairs:
        """Return every value times another number of the same pair."""
        return Pairs(self.times, self.values * other)


@dataclass(frozen=True, eq=False)
class Amounts:
    """People or opportunities on one end of the pairs.

    Parameters
    ----------
    values : float array
        One per id of that end; 0 where unknown.
    known : bool array
        Where the amount is known.
    dropped : list of (unit, reason)
        Units without an amount, and those that the travel times don't have.
    """

    values: Floats
    known: NDArray[np.bool_]
    dropped: list[tuple[Any, str]]


def amounts(given: Any, name: str, ids: pd.Index, end: str) -> Amounts:
    """Join amounts to the ids of one end of the pairs, by label.

    Parameters
    ----------
    given : Series
        Numbers of at least 0 by id; NaN is unknown. More ids than the times have are told.
    name : str
        Name of the parameter, for messages.
    ids : Index
        Origins or destinations of the times.
    end : str
        "origin", "facility" or "destination": what the ids are called in the reasons.

    Raises
    ------
    InputError
        Not a Series of numbers, repeated ids, ids of the times that are missing, negative or infinite numbers.

    Examples
    --------
    >>> beds = pd.Series({"x": 10.0, "y": None, "z": 5.0})
    >>> got = amounts(beds, "supply", pd.Index(["y", "x"]), "facility")
    >>> got.values.tolist(), got.dropped
    ([0.0, 10.0], [('z', 'facility without travel times'), ('y', 'facility with unknown supply')])
    >>> amounts(beds, "supply", pd.Index([]), "facility").values.tolist()
    []
    >>> amounts(beds, "supply", pd.Index(["x", "w"]), "facility")
    Traceback (most recent call last):
    kazgeo.errors.InputError: supply must have every facility of times; it lacks 1 of 2: 'w'. Add it, NaN for unknown
    """
    if not isinstance(given, pd.Series):
        raise InputError(f"{name} must be a Series labelled by {end}; got {type(given).__name__}")
    if not given.index.is_unique:
        twice = given.index[given.index.duplicated()].unique()
        raise InputError(f"{name} must have one value per {end}; repeated: {listing(twice)}")
    if not pd.api.types.is_numeric_dtype(given.dtype) and given.notna().any():
        raise InputError(f"{name} must hold numbers; got dtype {given.dtype}")
    where = given.index.get_indexer(ids)
    lost = ids[where < 0]
    if len(lost):
        kinds = (
            f" (ids of times are {ids.dtype}, of {name} {given.index.dtype})" if ids.dtype != given.index.dtype else ""
        )
        raise InputError(
            f"{name} must have every {end} of times; it lacks {len(lost)} of {len(ids)}: {listing(lost)}{kinds}. "
            "Add it, NaN for unknown"
        )
    values = given.to_numpy(dtype=np.float64, na_value=np.nan)
    bad = np.isinf(values) | (values < 0)
    if bad.any():
        raise InputError(f"{name} must be finite and at least 0; it is not at {listing(given.index[bad])}")
    extra = given.index.difference(ids, sort=False) if len(given) > len(ids) else given.index[:0]
    values = values[where]
    known = ~np.isnan(values)
    told = [(unit, f"{end} without travel times") for unit in extra]
    told += [(unit, f"{end} with unknown {name}") for unit in ids[~known]]
    return Amounts(np.where(known, values, 0.0), known, told)


def drops(*parts: Iterable[tuple[Any, str]]) -> pd.DataFrame:
    """Return the table of what was left out: columns unit, reason."""
    rows = [row for part in parts for row in part]
    return pd.DataFrame({"unit": [u for u, _ in rows], "reason": [r for _, r in rows]}, dtype=object)


def inverse(sums: Floats) -> Floats:
    """Return 1 over every sum, 0 where the sum is 0 or so small that 1 over it is beyond all numbers.

    Examples
    --------
    >>> inverse(np.array([4.0, 0.0, 1e-310])).tolist()
    [0.25, 0.0, 0.0]
    """
    return np.divide(1.0, sums, out=np.zeros_like(sums), where=sums >= np.finfo(np.float64).tiny)


def ranks(ids: pd.Index) -> NDArray[np.int64]:
    """Return the place of every id in the canonical order, which breaks ties."""
    rank = np.empty(len(ids), dtype=np.int64)
    rank[canonical_order(ids)] = np.arange(len(ids))
    return rank
