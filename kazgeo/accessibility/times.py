"""The table of travel times that every measure takes: origins, destinations, seconds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from kazgeo.errors import InputError, listing, positive_number, unknown
from kazgeo.ties import upto

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["TravelTimes", "as_times"]

#: Pairs of a dense table that are held at once: 8 GB.
MAX_CELLS = 1_000_000_000
#: What pandana writes where there is no route: 2^32 - 1 thousandths.
_PANDANA_S = 4_294_967.295


@dataclass(frozen=True, eq=False, repr=False)
class TravelTimes:
    """Travel times from origins to destinations, in compressed sparse rows; row i belongs to ``origins[i]``.

    Pairs that are absent can't be reached. Make one with ``from_long`` or ``from_dense``.

    Parameters
    ----------
    origins, destinations : Index, shapes (n,) and (m,)
        Unique ids; a place may be among both.
    indptr, indices : integer arrays
        CSR structure; row i reaches ``destinations[indices[indptr[i]:indptr[i + 1]]]``.
    time_s : float64 array
        Seconds of those pairs, finite, at least 0. Another unit of cost will do if every parameter is in it too.
    limit_s : float, optional
        Seconds beyond which the search was stopped: what is absent may be farther, not out of reach.

    Examples
    --------
    >>> long = pd.DataFrame({"origin": ["a", "a", "b"], "destination": ["x", "y", "x"], "time_s": [60.0, 90.0, None]})
    >>> TravelTimes.from_long(long)
    <TravelTimes: 2 origins, 2 destinations, 2 pairs, 60 to 90 s; 2 unreachable pairs; 1 origin reaches nothing: 'b'>
    >>> TravelTimes.from_long(long).to_dense().loc["a"].tolist()
    [60.0, 90.0]
    >>> TravelTimes.from_long(long.iloc[:0])
    <TravelTimes: 0 origins, 0 destinations, 0 pairs>
    """

    origins: pd.Index
    destinations: pd.Index
    indptr: NDArray[Any]
    indices: NDArray[Any]
    time_s: NDArray[np.float64]
    limit_s: float | None = None

    def __post_init__(self) -> None:
        for name in ("indptr", "indices", "time_s"):
            array = np.asarray(getattr(self, name))
            if array.flags.writeable:  # what the caller does to an array later must not reach the times
                array = _frozen(array.copy())
            object.__setattr__(self, name, array)
        fits = len(self.indptr) == len(self.origins) + 1 and self.indptr[0] == 0
        if not fits or not len(self.indices) == len(self.time_s) == self.indptr[-1]:
            raise InputError("indptr, indices and time_s don't fit together; use TravelTimes.from_long or from_dense")

    @classmethod
    def from_long(
        cls,
        frame: pd.DataFrame,
        origins: pd.Index | None = None,
        destinations: pd.Index | None = None,
        *,
        limit_s: float | None = None,
    ) -> TravelTimes:
        """Take a long table.

        Parameters
        ----------
        frame : DataFrame
            Columns origin, destination, time_s; one row per pair; NaN seconds or no row: out of reach.
        origins, destinations : Index, optional
            All ids, also those without a row; left out: those of the table, in the order in which they come.
        limit_s : float, optional
            Seconds at which the search was stopped.

        Raises
        ------
        InputError
            Missing columns, ids that are not among those given, repeated pairs, negative or infinite seconds.
        """
        for column in ("origin", "destination", "time_s"):
            if column not in frame.columns:
                raise unknown("column", column, [str(c) for c in frame.columns], "a column of times")
        if origins is None and destinations is None and (dense := _as_rectangle(frame)) is not None:
            return cls.from_dense(dense, limit_s=limit_s)
        rows, from_ids = _codes(frame["origin"], origins, "origin")
        cols, to_ids = _codes(frame["destination"], destinations, "destination")
        seconds = _numbers(frame["time_s"])
        known = ~np.isnan(seconds)
        _refuse_bad(seconds, lambda at: [*zip(frame["origin"].iloc[at], frame["destination"].iloc[at], strict=True)])
        if not known.all():
            rows, cols, seconds = rows[known], cols[known], seconds[known]
        shape = len(from_ids), len(to_ids)
        if _in_order(rows, cols):
            kind = np.int32 if len(rows) < 2**31 and shape[1] < 2**31 else np.int64
            indptr = np.r_[0, np.cumsum(np.bincount(rows, minlength=shape[0]))].astype(kind)
            arrays = _frozen(indptr), _frozen(cols.astype(kind)), _frozen(seconds.copy())
            return cls(from_ids, to_ids, *arrays, _limit(limit_s, seconds))
        matrix = sp.coo_array((seconds, (rows, cols)), shape=shape).tocsr()
        if matrix.nnz < len(seconds):
            again = frame.loc[frame.duplicated(["origin", "destination"]), ["origin", "destination"]]
            pairs = [*again.itertuples(index=False, name=None)]
            raise InputError(f"times must have each pair once; repeated: {listing(pairs)}")
        matrix.sort_indices()
        return cls(from_ids, to_ids, *_arrays(matrix), _limit(limit_s, seconds))

    @classmethod
    def from_dense(cls, frame: pd.DataFrame, *, limit_s: float | None = None) -> TravelTimes:
        """Take a matrix: index origins, columns destinations, values seconds; NaN is out of reach.

        Raises
        ------
        InputError
            Repeated ids, values that are not numbers, negative or infinite seconds.
        """
        _unique(frame.index, "origins")
        _unique(frame.columns, "destinations")
        strange = [c for c, kind in frame.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
        if strange and len(frame):
            raise InputError(f"times must hold seconds; no numbers in the columns {listing(strange)}")
        seconds = np.ascontiguousarray(frame.to_numpy(dtype=np.float64, na_value=np.nan))
        n, m = seconds.shape
        flat = seconds.reshape(-1)
        _refuse_bad(flat, lambda at: [(frame.index[k // m], frame.columns[k % m]) for k in at])
        kind = np.int32 if n * m < 2**31 else np.int64
        known = ~np.isnan(flat)
        counts = known.reshape(n, m).sum(axis=1)
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(kind)
        indices = np.tile(np.arange(m, dtype=kind), n)
        if len(flat) and not known.all():
            indices, flat = indices[known], flat[known]
        elif np.shares_memory(flat, frame.to_numpy()):
            flat = flat.copy()
        arrays = _frozen(indptr), _frozen(indices), _frozen(flat)
        return cls(frame.index, frame.columns, *arrays, _limit(limit_s, flat))

    @property
    def shape(self) -> tuple[int, int]:
        """Number of origins and of destinations."""
        return len(self.origins), len(self.destinations)

    @property
    def n_pairs(self) -> int:
        """Number of pairs with a time."""
        return len(self.time_s)

    @property
    def n_unreachable(self) -> int:
        """Number of pairs without a time."""
        return len(self.origins) * len(self.destinations) - self.n_pairs

    @property
    def full(self) -> bool:
        """Whether every pair has a time."""
        return self.n_unreachable == 0

    @cached_property
    def reached(self) -> NDArray[np.int64]:
        """Number of destinations that every origin reaches, shape (n,)."""
        return np.diff(self.indptr).astype(np.int64)

    @cached_property
    def rows(self) -> NDArray[Any]:
        """Row of every pair, shape (n_pairs,)."""
        return np.repeat(np.arange(len(self.origins), dtype=self.indices.dtype), self.reached)

    @cached_property
    def transposed(self) -> TravelTimes:
        """The same times seen from the destinations: what was a destination is an origin."""
        turned = self.matrix.T.tocsr()
        turned.sort_indices()
        return TravelTimes(self.destinations, self.origins, *_arrays(turned), self.limit_s)

    @property
    def matrix(self) -> Any:
        """Seconds as ``scipy.sparse.csr_array``, shape (n, m); stored zeros are pairs at no distance."""
        return sp.csr_array((self.time_s, self.indices, self.indptr), shape=self.shape)

    def within(self, limit_s: float) -> TravelTimes:
        """Return the pairs of at most ``limit_s`` seconds."""
        limit = positive_number(limit_s, "limit_s", "seconds of at least 0", zero=True)
        keep = self.time_s <= upto(limit)
        counts = np.bincount(self.rows[keep], minlength=len(self.origins))
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(self.indptr.dtype)
        least = limit if self.limit_s is None else min(limit, self.limit_s)
        arrays = _frozen(indptr), _frozen(self.indices[keep]), _frozen(self.time_s[keep])
        return TravelTimes(self.origins, self.destinations, *arrays, least)

    def to_long(self) -> pd.DataFrame:
        """Return the reachable pairs: columns origin, destination, time_s."""
        return self.pairs(self.time_s, "time_s")

    def pairs(self, values: NDArray[np.float64], name: str) -> pd.DataFrame:
        """Return a long table of one number per reachable pair, shape (n_pairs,)."""
        return pd.DataFrame(
            {
                "origin": self.origins.take(self.rows),
                "destination": self.destinations.take(self.indices),
                name: values,
            }
        )

    def to_dense(self) -> pd.DataFrame:
        """Return a matrix, NaN where a pair can't be reached.

        Raises
        ------
        InputError
            When it would not fit in memory; told before it is made, with the size.
        """
        n, m = self.shape
        if n * m > MAX_CELLS:
            raise InputError(
                f"a dense table of {n:,} origins and {m:,} destinations would take {n * m * 8 / 1e9:,.1f} GB, the "
                f"limit is {MAX_CELLS * 8 / 1e9:.0f} GB; use the long table (to_long)"
            )
        out = np.full((n, m), np.nan)
        out[self.rows, self.indices] = self.time_s
        return pd.DataFrame(out, index=self.origins, columns=self.destinations)

    def __repr__(self) -> str:
        n, m = self.shape
        text = ", ".join(_count(k, word) for k, word in ((n, "origin"), (m, "destination"), (self.n_pairs, "pair")))
        if self.n_pairs:
            text += f", {self.time_s.min():,.0f} to {self.time_s.max():,.0f} s"
        parts = [text]
        if self.limit_s is not None:
            parts.append(f"searched to {self.limit_s:,.0f} s")
        if self.n_unreachable:
            parts.append(_count(self.n_unreachable, "unreachable pair"))
        lost = self.origins[self.reached == 0]
        if len(lost):
            parts.append(
                f"{_count(len(lost), 'origin')} reach{'es' if len(lost) == 1 else ''} nothing: {listing(lost)}"
            )
        return f"<TravelTimes: {'; '.join(parts)}>"


def as_times(times: Any) -> TravelTimes:
    """Return travel times from what a measure was given: the type itself, a long or a dense DataFrame.

    Raises
    ------
    InputError
        Another type, or what ``from_long`` and ``from_dense`` refuse.

    Examples
    --------
    >>> as_times(pd.DataFrame({"x": [60.0, None]}, index=["a", "b"]))
    <TravelTimes: 2 origins, 1 destination, 1 pair, 60 to 60 s; 1 unreachable pair; 1 origin reaches nothing: 'b'>
    >>> as_times(pd.DataFrame({"origin": ["a"], "destination": ["x"], "time_s": [60.0]})).shape
    (1, 1)
    >>> as_times([60.0])
    Traceback (most recent call last):
    kazgeo.errors.InputError: times must be TravelTimes, a long DataFrame (origin, destination, time_s) or a dense
    one; got list
    """
    if isinstance(times, TravelTimes):
        return times
    if not isinstance(times, pd.DataFrame):
        raise InputError(
            "times must be TravelTimes, a long DataFrame (origin, destination, time_s) or a dense one; got "
            f"{type(times).__name__}"
        )
    named = {"origin", "destination", "time_s"} & set(times.columns)
    return TravelTimes.from_long(times) if len(named) >= 2 else TravelTimes.from_dense(times)


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _codes(column: pd.Series, ids: pd.Index | None, name: str) -> tuple[NDArray[Any], pd.Index]:
    """Return the position of every row's id, and the ids."""
    if column.isna().any():
        raise InputError(f"column '{name}' of times must have an id in every row; {int(column.isna().sum())} have none")
    if ids is None:
        codes, found = pd.factorize(column)
        return codes, pd.Index(found)
    ids = pd.Index(ids)
    _unique(ids, f"{name}s")
    codes = ids.get_indexer(pd.Index(column))
    if (codes < 0).any():
        strange = column[codes < 0].unique()
        kinds = f" (ids are {ids.dtype}, the column is {column.dtype})" if ids.dtype != column.dtype else ""
        raise InputError(f"times name {len(strange)} {name}s that were not given: {listing(strange)}{kinds}")
    return codes, ids


def _as_rectangle(frame: pd.DataFrame) -> pd.DataFrame | None:
    """Return the matrix of a long table of all pairs, origin after origin, ids being numbers; None of another table."""
    columns = [frame[column].dtype for column in ("origin", "destination", "time_s")]
    plain = all(isinstance(kind, np.dtype) for kind in columns)
    if not len(frame) or not plain or "".join(kind.kind for kind in columns) not in ("iif", "iii", "uuf", "uui"):
        return None
    first, second, seconds = (frame[column].to_numpy() for column in ("origin", "destination", "time_s"))
    other = np.flatnonzero(first != first[0])
    width = int(other[0]) if len(other) else len(first)
    if len(first) % width:
        return None
    origins, destinations = first.reshape(-1, width), second.reshape(-1, width)
    if not ((origins == origins[:, :1]).all() and (destinations == destinations[0]).all()):
        return None
    from_ids, to_ids = pd.Index(origins[:, 0]), pd.Index(destinations[0])
    if not (from_ids.is_unique and to_ids.is_unique):
        return None
    return pd.DataFrame(seconds.reshape(-1, width), from_ids, to_ids)


def _in_order(rows: NDArray[Any], cols: NDArray[Any]) -> bool:
    """Tell whether pairs come by origin, then by destination, each once: as ``to_long`` writes them."""
    same = rows[1:] == rows[:-1]
    return bool(((rows[1:] > rows[:-1]) | (same & (cols[1:] > cols[:-1]))).all())


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array


def _arrays(matrix: Any) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    return _frozen(matrix.indptr), _frozen(matrix.indices), _frozen(matrix.data)


def _unique(ids: pd.Index, name: str) -> None:
    if not ids.is_unique:
        raise InputError(f"{name} of times must be unique; repeated: {listing(ids[ids.duplicated()].unique())}")


def _numbers(column: pd.Series) -> NDArray[np.float64]:
    if not pd.api.types.is_numeric_dtype(column.dtype) and column.notna().any():
        raise InputError(f"column 'time_s' of times must hold seconds; got dtype {column.dtype}")
    return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))


def _refuse_bad(seconds: NDArray[np.float64], named: Any) -> None:
    """Refuse seconds that are negative, infinite, or another program's mark for no route; NaN passes."""
    if not len(seconds):
        return
    with np.errstate(invalid="ignore"):
        low, high = np.nanmin(seconds, initial=0.0), np.nanmax(seconds, initial=0.0)
        if low < 0:
            raise InputError(f"times must be at least 0 s; negative for {listing(named(np.flatnonzero(seconds < 0)))}")
        if np.isinf(high):
            at = np.flatnonzero(np.isinf(seconds))
            raise InputError(
                f"times must be finite; infinite for {listing(named(at))}. Out of reach is NaN: "
                "times.replace(numpy.inf, numpy.nan)"
            )
        if abs(high - _PANDANA_S) < 0.01:
            at = np.flatnonzero(seconds > _PANDANA_S - 0.01)
            raise InputError(
                f"times hold {_PANDANA_S} for {listing(named(at))}, which is pandana's mark for no route; make it NaN"
            )


def _limit(limit_s: float | None, seconds: NDArray[np.float64]) -> float | None:
    if limit_s is None:
        return None
    limit = positive_number(limit_s, "limit_s", "seconds of at least 0", zero=True)
    if len(seconds) and seconds.max() > upto(limit):
        raise InputError(f"limit_s is {limit:g}, but a time is {seconds.max():g} s; use within({limit:g})")
    return limit
