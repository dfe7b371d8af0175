"""The type of spatial weights: compressed sparse rows with ids, frozen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from kazgeo.errors import InputError, listing

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Weights", "as_weights", "refuse_repeated"]


@dataclass(frozen=True, eq=False, repr=False)
class Weights:
    """Spatial weights in compressed sparse rows; row i holds the neighbours of ``ids[i]``.

    Parameters
    ----------
    ids : Index, shape (n,)
        Unique ids of the units.
    indptr, indices : int64 arrays
        CSR structure; the neighbours of row i are ``indices[indptr[i]:indptr[i + 1]]``, in rising order.
    data : float64 array
        Weights, finite, not zero.

    Examples
    --------
    >>> w = Weights.from_pairs(["a", "b", "c", "d"], [("a", "b"), ("b", "c")])
    >>> w
    <Weights: 4 units, 4 links, neighbours 0 to 2 (mean 1.00); 2 components; 1 isolate: 'd'>
    >>> w.row_standardized().matrix.toarray()[1].tolist()
    [0.5, 0.0, 0.5, 0.0]
    """

    ids: pd.Index
    indptr: NDArray[np.int64]
    indices: NDArray[np.int64]
    data: NDArray[np.float64]

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", _index(self.ids))
        for name, kind in (("indptr", np.int64), ("indices", np.int64), ("data", np.float64)):
            given = np.asarray(getattr(self, name), dtype=kind)
            if given.flags.writeable:  # what the caller does to an array later must not reach the weights
                given = _frozen(given.copy())
            object.__setattr__(self, name, given)
        fault = _fault(len(self.ids), self.indptr, self.indices, self.data)
        if fault:
            raise InputError(
                f"{fault}; make weights with Weights.from_pairs, from_arrays, from_matrix or from_libpysal"
            )

    @classmethod
    def from_pairs(cls, ids: Sequence[Any] | pd.Index, pairs: Sequence[tuple[Any, Any]]) -> Weights:
        """Build binary symmetric weights from pairs of neighbouring ids."""
        index, pairs = _index(ids), [tuple(pair) for pair in pairs]
        if any(len(pair) != 2 for pair in pairs):
            raise InputError(f"pairs must be of two ids each; got {listing([p for p in pairs if len(p) != 2])}")
        rows = index.get_indexer(pd.Index([a for a, _ in pairs])) if len(pairs) else np.empty(0, int)
        cols = index.get_indexer(pd.Index([b for _, b in pairs])) if len(pairs) else np.empty(0, int)
        if (rows < 0).any() or (cols < 0).any():
            strange = [p for p, r, c in zip(pairs, rows, cols, strict=True) if r < 0 or c < 0]
            raise InputError(f"pairs name units that are not among the ids: {listing(strange)}")
        return cls.from_arrays(index, np.r_[rows, cols], np.r_[cols, rows])

    @classmethod
    def from_arrays(
        cls, ids: pd.Index, rows: NDArray[Any], cols: NDArray[Any], data: NDArray[Any] | None = None
    ) -> Weights:
        """Build weights from positions of links; repeated links count once, self-links are left out."""
        ids = _index(ids)
        n = len(ids)
        rows, cols = _positions(rows, "rows"), _positions(cols, "cols")
        values = np.ones(len(rows)) if data is None else np.asarray(data, dtype=float)
        if not len(rows) == len(cols) == len(values):
            raise InputError(
                f"rows, cols and data must be as long as one another; got {len(rows)}, {len(cols)}, {len(values)}"
            )
        if len(rows) and not (min(rows.min(), cols.min()) >= 0 and max(rows.max(), cols.max()) < n):
            raise InputError(f"rows and cols must be positions of the {n} ids, 0 to {n - 1}")
        keep = rows != cols
        rows, cols, values = rows[keep], cols[keep], values[keep]
        _, first = np.unique(rows.astype(np.int64) * n + cols, return_index=True)
        return cls.from_matrix(ids, sp.csr_array((values[first], (rows[first], cols[first])), shape=(n, n)))

    @classmethod
    def from_matrix(cls, ids: pd.Index, matrix: Any) -> Weights:
        """Build weights from a square sparse matrix whose rows follow ``ids``; explicit zeros are dropped."""
        ids = _index(ids)
        csr = sp.csr_array(matrix, dtype=np.float64, copy=True)
        if csr.shape != (len(ids), len(ids)):
            raise InputError(f"matrix must be square with a row for each of the {len(ids)} ids; got shape {csr.shape}")
        csr.sum_duplicates()
        csr.eliminate_zeros()
        arrays = csr.indptr.astype(np.int64), csr.indices.astype(np.int64), csr.data.astype(np.float64)
        return cls(ids, *(_frozen(array) for array in arrays))

    @classmethod
    def from_libpysal(cls, graph: Any) -> Weights:
        """Take over a ``libpysal.graph.Graph`` or a ``libpysal.weights.W``, labels included."""
        if hasattr(graph, "unique_ids"):
            return cls.from_matrix(pd.Index(graph.unique_ids), graph.sparse)
        ids, matrix = pd.Index(graph.id_order), graph.sparse
        return cls.from_matrix(ids, matrix)

    def to_libpysal(self) -> Any:
        """Return the same weights as a ``libpysal.graph.Graph``."""
        from libpysal.graph import Graph

        return Graph.from_sparse(sp.coo_array(self.matrix), ids=self.ids)

    @property
    def n(self) -> int:
        """Number of units."""
        return len(self.ids)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what the weights are made of; they are checked and frozen again where they arrive."""
        return Weights, (self.ids, self.indptr, self.indices, self.data)

    @property
    def matrix(self) -> Any:
        """The weights as ``scipy.sparse.csr_array``, shape (n, n); a new one each time, whatever is done to it."""
        return sp.csr_array((self.data, self.indices, self.indptr), shape=(self.n, self.n))

    @cached_property
    def _matrix(self) -> Any:
        return self.matrix

    def lag(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the weighted sum of the neighbours' values of every unit, shape of ``values``, (n,) or (n, f)."""
        return np.asarray(self._matrix @ values)

    @cached_property
    def cardinalities(self) -> NDArray[np.int64]:
        """Number of links of every unit, a self weight among them, shape (n,)."""
        return _frozen(np.diff(self.indptr))

    @property
    def isolates(self) -> pd.Index:
        """Ids of the units without a link; a self weight is one, as in libpysal."""
        return self.ids[self.cardinalities == 0]

    @cached_property
    def signed(self) -> bool:
        """Whether any weight is negative."""
        return bool((self.data < 0).any())

    def refuse_negative(self, why: str) -> None:
        """Refuse negative weights, naming the units that have them; ``why`` ends the message."""
        if self.signed:
            rows = np.repeat(np.arange(self.n), self.cardinalities)[self.data < 0]
            units = listing(self.ids[np.unique(rows)])
            raise InputError(f"weights must not be negative {why}; negative at units {units}")

    @cached_property
    def reach(self) -> NDArray[np.float64]:
        """Sum of the magnitudes of the weights of every row: the largest lag that values of 1 can have; (n,)."""
        if not self.signed:
            return self.row_sums()
        return _frozen(np.bincount(np.repeat(np.arange(self.n), self.cardinalities), np.abs(self.data), self.n))

    @cached_property
    def component_labels(self) -> NDArray[np.int64]:
        """Number of the connected component of every unit, shape (n,)."""
        labels = sp.csgraph.connected_components(self.matrix, directed=False)[1]
        return _frozen(np.asarray(labels, dtype=np.int64))

    @property
    def n_components(self) -> int:
        """Number of connected components; an isolate is one of its own."""
        return int(self.component_labels.max()) + 1 if self.n else 0

    def row_sums(self, power: int = 1) -> NDArray[np.float64]:
        """Return the sum of the weights of every row (``power`` 1), or of their squares (2), shape (n,)."""
        return self._sums if power == 1 else self._sums_of_squares

    @cached_property
    def _sums(self) -> NDArray[np.float64]:
        return _frozen(self.lag(np.ones(self.n)))

    @cached_property
    def _sums_of_squares(self) -> NDArray[np.float64]:
        squared = sp.csr_array((self.data**2, self.indices, self.indptr), shape=(self.n, self.n))
        return _frozen(squared @ np.ones(self.n))

    @cached_property
    def self_weights(self) -> NDArray[np.float64]:
        """Weight of every unit for itself, 0 for most, shape (n,)."""
        return _frozen(np.asarray(self._matrix.diagonal(), dtype=np.float64))

    @cached_property
    def equal_rows(self) -> NDArray[np.bool_]:
        """Which rows have one positive weight throughout; False for empty rows, shape (n,)."""
        out = np.zeros(self.n, dtype=bool)
        filled = np.flatnonzero(self.cardinalities > 0)
        if len(filled):
            starts = self.indptr[filled]
            low, high = np.minimum.reduceat(self.data, starts), np.maximum.reduceat(self.data, starts)
            out[filled] = (low > 0) & (high - low <= 1e-12 * high)
        return _frozen(out)

    def _with_data(self, data: NDArray[np.float64]) -> Weights:
        return Weights(self.ids, self.indptr, self.indices, _frozen(data))

    def row_standardized(self) -> Weights:
        """Return weights whose rows sum to 1; isolates keep empty rows.

        Raises
        ------
        InputError
            Rows whose weights cancel out: nothing makes them sum to 1.
        """
        return self._row_standardized

    @cached_property
    def _row_standardized(self) -> Weights:
        sums = self.row_sums()
        if self.signed:
            void = (np.abs(sums) <= 1e-12 * self.reach) & (self.cardinalities > 0)
            if void.any():
                raise InputError(
                    f"weights must not cancel out where rows are to sum to 1; at {listing(self.ids[void])}"
                )
        return self._with_data(self.data / np.repeat(np.where(sums == 0, 1.0, sums), self.cardinalities))

    def binary(self) -> Weights:
        """Return the same links with weight 1."""
        return self._binary

    @cached_property
    def _binary(self) -> Weights:
        return self if (self.data == 1).all() else self._with_data(np.ones_like(self.data))

    def double_standardized(self) -> Weights:
        """Return weights that sum to 1 over the whole map."""
        return self._with_data(self.data / (self.data.sum() or 1.0))

    def variance_stabilized(self) -> Weights:
        """Return weights whose rows have like influence on the variance of a statistic (S coding); they sum to n.

        References
        ----------
        Tiefelsdorf, M., Griffith, D. A. and Boots, B. (1999), doi:10.1068/a310165.
        """
        length = np.sqrt(self.row_sums(2))
        scaled = self.data / np.repeat(np.where(length == 0, 1.0, length), self.cardinalities)
        return self._with_data(scaled * (self.n / (scaled.sum() or 1.0)))

    def symmetrized(self) -> Weights:
        """Return the mean of the weights in both directions."""
        return Weights.from_matrix(self.ids, (self.matrix + self.matrix.T) / 2)

    def subset(self, ids: Sequence[Any] | pd.Index) -> Weights:
        """Return the weights among ``ids`` only, in that order; links to other units are dropped."""
        wanted = pd.Index(ids)
        where = self.ids.get_indexer(wanted)
        if (where < 0).any():
            raise InputError(f"weights have no unit {listing(wanted[where < 0])}")
        return Weights.from_matrix(wanted, self.matrix[where][:, where])

    def reindex(self, ids: Sequence[Any] | pd.Index) -> Weights:
        """Return the same weights with the units in another order."""
        wanted = pd.Index(ids)
        if len(wanted) != self.n:
            raise InputError(f"reindex wants all {self.n} units of the weights, got {len(wanted)}")
        return self.subset(wanted)

    def __repr__(self) -> str:
        if not self.n:
            return "<Weights: 0 units>"
        own = self.self_weights != 0
        card = self.cardinalities - own
        parts = [
            f"{self.n} units, {card.sum()} links, neighbours {card.min()} to {card.max()} (mean {card.mean():.2f})",
            f"{self.n_components} component{'s' if self.n_components != 1 else ''}",
        ]
        if own.any():
            parts.append(f"{own.sum()} self weight{'s' if own.sum() != 1 else ''}")
        lonely = self.isolates
        if len(lonely):
            parts.append(f"{len(lonely)} isolate{'s' if len(lonely) != 1 else ''}: {listing(lonely)}")
        return f"<Weights: {'; '.join(parts)}>"


def refuse_repeated(ids: pd.Index) -> None:
    """Refuse ids that come more than once.

    Raises
    ------
    InputError
        Naming them.

    Examples
    --------
    >>> refuse_repeated(pd.Index(["a", "b", "a"]))
    Traceback (most recent call last):
    kazgeo.errors.InputError: ids of weights must be unique; repeated: 'a'
    """
    if not ids.is_unique:
        raise InputError(f"ids of weights must be unique; repeated: {listing(ids[ids.duplicated()])}")


def _index(ids: Any) -> pd.Index:
    """Return ids as an Index, unique."""
    try:
        index = ids if isinstance(ids, pd.Index) else pd.Index(ids)
    except TypeError:
        raise InputError(f"ids must be an Index or a list of ids; got {type(ids).__name__}") from None
    refuse_repeated(index)
    return index


def _positions(given: Any, name: str) -> NDArray[np.int64]:
    array = np.asarray(given)
    if len(array) and array.dtype.kind not in "iu":
        raise InputError(f"{name} must be whole numbers, positions of the ids; got dtype {array.dtype}")
    return array.astype(np.int64)


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array


def _fault(n: int, indptr: NDArray[np.int64], indices: NDArray[np.int64], data: NDArray[np.float64]) -> str:
    """Return what is wrong with compressed sparse rows of n units, or an empty string."""
    fits = len(indptr) == n + 1 and indptr[0] == 0 and len(indices) == len(data) == indptr[-1]
    fits = fits and bool((indptr[1:] >= indptr[:-1]).all())
    if not fits or (len(indices) and not (indices.min() >= 0 and indices.max() < n)):
        return f"indptr, indices and data don't fit together for {n} units"
    rises = indices[1:] > indices[:-1]
    starts = indptr[1:-1]
    rises[starts[(starts > 0) & (starts < len(indices))] - 1] = True
    if not rises.all():
        return "indices must rise within every row, each neighbour once"
    return "" if np.isfinite(data).all() and data.all() else "data of weights must be finite and not zero"


def as_weights(weights: Any) -> Weights:
    """Return KazGeo weights for KazGeo weights or anything of libpysal.

    Raises
    ------
    InputError
        When ``weights`` is neither.

    Examples
    --------
    >>> as_weights(Weights.from_pairs(["a", "b"], [("a", "b")])).n
    2
    >>> as_weights("queen")
    Traceback (most recent call last):
    kazgeo.errors.InputError: weights must be kazgeo Weights or a libpysal Graph; got str
    """
    if isinstance(weights, Weights):
        return weights
    if hasattr(weights, "sparse") and (hasattr(weights, "unique_ids") or hasattr(weights, "id_order")):
        return Weights.from_libpysal(weights)
    raise InputError(f"weights must be kazgeo Weights or a libpysal Graph; got {type(weights).__name__}")
