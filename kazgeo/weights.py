"""Spatial weights: who is whose neighbour, as a compact frozen value labelled by the units' ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from kazgeo.crs import has_place, local_metres, unit_sphere
from kazgeo.errors import InputError, listing

if TYPE_CHECKING:
    import geopandas
    from numpy.typing import NDArray

__all__ = ["Contiguity", "Isolates", "Weights", "as_weights", "contiguity", "knn"]


class Contiguity(StrEnum):
    """What makes two polygons neighbours."""

    QUEEN = "queen"
    ROOK = "rook"


class Isolates(StrEnum):
    """What becomes of a unit without neighbours."""

    KEEP = "keep"
    RAISE = "raise"
    NEAREST = "nearest"


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
        Weights, not zero, not NaN.

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
        if not self.ids.is_unique:
            raise InputError(f"ids of weights must be unique; repeated: {listing(self.ids[self.ids.duplicated()])}")
        for array in (self.indptr, self.indices, self.data):
            array.flags.writeable = False

    @classmethod
    def from_pairs(cls, ids: Sequence[Any] | pd.Index, pairs: Sequence[tuple[Any, Any]]) -> Weights:
        """Build binary symmetric weights from pairs of neighbouring ids."""
        index = pd.Index(ids)
        rows = index.get_indexer(pd.Index([a for a, _ in pairs], dtype=index.dtype)) if len(pairs) else np.empty(0, int)
        cols = index.get_indexer(pd.Index([b for _, b in pairs], dtype=index.dtype)) if len(pairs) else np.empty(0, int)
        if (rows < 0).any() or (cols < 0).any():
            strange = [p for p, r, c in zip(pairs, rows, cols, strict=True) if r < 0 or c < 0]
            raise InputError(f"pairs name units that are not among the ids: {listing(strange)}")
        return cls.from_arrays(index, np.r_[rows, cols], np.r_[cols, rows])

    @classmethod
    def from_arrays(
        cls, ids: pd.Index, rows: NDArray[Any], cols: NDArray[Any], data: NDArray[Any] | None = None
    ) -> Weights:
        """Build weights from positions of links; repeated links count once, self-links are left out."""
        n = len(ids)
        keep = rows != cols
        rows, cols = np.asarray(rows)[keep], np.asarray(cols)[keep]
        values = np.ones(len(rows)) if data is None else np.asarray(data, dtype=float)[keep]
        _, first = np.unique(rows.astype(np.int64) * n + cols, return_index=True)
        return cls.from_matrix(ids, sp.csr_array((values[first], (rows[first], cols[first])), shape=(n, n)))

    @classmethod
    def from_matrix(cls, ids: pd.Index, matrix: Any) -> Weights:
        """Build weights from a square sparse matrix whose rows follow ``ids``; explicit zeros are dropped."""
        csr = sp.csr_array(matrix, dtype=np.float64, copy=True)
        csr.eliminate_zeros()
        csr.sort_indices()
        return cls(ids, csr.indptr.astype(np.int64), csr.indices.astype(np.int64), csr.data.astype(np.float64))

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

    @cached_property
    def matrix(self) -> Any:
        """The weights as ``scipy.sparse.csr_array``, shape (n, n)."""
        return sp.csr_array((self.data, self.indices, self.indptr), shape=(self.n, self.n))

    @cached_property
    def cardinalities(self) -> NDArray[np.int64]:
        """Number of neighbours of every unit, shape (n,)."""
        return np.diff(self.indptr)

    @property
    def isolates(self) -> pd.Index:
        """Ids of the units without a neighbour."""
        return self.ids[self.cardinalities == 0]

    @cached_property
    def component_labels(self) -> NDArray[np.int64]:
        """Number of the connected component of every unit, shape (n,)."""
        return np.asarray(sp.csgraph.connected_components(self.matrix, directed=False)[1], dtype=np.int64)

    @property
    def n_components(self) -> int:
        """Number of connected components; an isolate is one of its own."""
        return int(self.component_labels.max()) + 1 if self.n else 0

    def row_standardized(self) -> Weights:
        """Return weights whose rows sum to 1; isolates keep empty rows."""
        sums = np.add.reduceat(np.r_[self.data, 0.0], np.minimum(self.indptr[:-1], len(self.data)))
        sums = np.where(self.cardinalities > 0, sums, 1.0)
        return Weights(self.ids, self.indptr, self.indices, self.data / np.repeat(sums, self.cardinalities))

    def binary(self) -> Weights:
        """Return the same links with weight 1."""
        return Weights(self.ids, self.indptr, self.indices, np.ones_like(self.data))

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
        card = self.cardinalities
        parts = [
            f"{self.n} units, {len(self.data)} links, neighbours {card.min()} to {card.max()} (mean {card.mean():.2f})",
            f"{self.n_components} component{'s' if self.n_components != 1 else ''}",
        ]
        lonely = self.isolates
        if len(lonely):
            parts.append(f"{len(lonely)} isolate{'s' if len(lonely) != 1 else ''}: {listing(lonely)}")
        return f"<Weights: {'; '.join(parts)}>"


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


def contiguity(
    regions: geopandas.GeoDataFrame,
    *,
    kind: Contiguity | str = Contiguity.QUEEN,
    tolerance_m: float = 100.0,
    isolates: Isolates | str = Isolates.KEEP,
) -> Weights:
    """Return binary weights between polygons that touch, hairline gaps and overlaps tolerated.

    Assumption: a gap or overlap narrower than ``tolerance_m`` is a fault of digitising, not a strip of land. (The
    216 districts of 2018 fall into three pieces when vertices must match to the digit, and into one at 100 m.)

    Parameters
    ----------
    regions : GeoDataFrame
        Polygons with a unique index and a CRS; missing and empty geometries become isolates.
    kind : {"queen", "rook"}
        Queen: any common point. Rook: a common stretch of border (longer than four times the tolerance,
        or than zero when the tolerance is zero).
    tolerance_m : float
        Metres; 0 asks for exactly common points, in the layer's own coordinates.
    isolates : {"keep", "raise", "nearest"}
        Keep units without neighbours, refuse them, or tie each to its nearest unit.

    Returns
    -------
    Weights
        On the index of ``regions``.

    Raises
    ------
    InputError
        No CRS, repeated index, negative tolerance, or isolates with ``isolates="raise"``.

    Examples
    --------
    >>> import geopandas, shapely
    >>> squares = [shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1), shapely.box(2, 1, 3, 2), None]
    >>> layer = geopandas.GeoDataFrame(geometry=squares, index=list("abcd"), crs=32642)
    >>> contiguity(layer, tolerance_m=0)
    <Weights: 4 units, 4 links, neighbours 0 to 2 (mean 1.00); 2 components; 1 isolate: 'd'>
    >>> contiguity(layer, kind="rook", tolerance_m=0)
    <Weights: 4 units, 2 links, neighbours 0 to 1 (mean 0.50); 3 components; 2 isolates: 'c', 'd'>
    >>> contiguity(layer.iloc[:0])
    <Weights: 0 units>
    """
    kind, policy = Contiguity(kind), Isolates(isolates)
    if not np.isfinite(tolerance_m) or tolerance_m < 0:
        raise InputError(f"tolerance_m must be 0 or more metres; got {tolerance_m}")
    if regions.crs is None:
        raise InputError("regions have no CRS, so metres mean nothing; set it with regions.set_crs(...)")
    if not len(regions):
        return Weights.from_arrays(regions.index, np.empty(0, int), np.empty(0, int))
    shapes = (regions.geometry.to_crs(local_metres(regions)) if tolerance_m else regions.geometry).to_numpy()
    rows, cols = _near_pairs(shapes, tolerance_m)
    if kind is Contiguity.ROOK and len(rows):
        keep = _common_border(shapes[rows], shapes[cols], tolerance_m) > 4 * tolerance_m
        rows, cols = rows[keep], cols[keep]
    made = Weights.from_arrays(regions.index, np.r_[rows, cols], np.r_[cols, rows])
    return _apply(policy, made, regions)


def _near_pairs(shapes: NDArray[Any], tolerance_m: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return positions (i < j) of the shapes that lie within the tolerance of each other."""
    import shapely

    usable = np.flatnonzero(has_place(shapes))
    tree = shapely.STRtree(shapes[usable])
    if tolerance_m:
        left, right = tree.query(shapes[usable], predicate="dwithin", distance=tolerance_m)
    else:
        left, right = tree.query(shapes[usable], predicate="intersects")
    keep = left < right
    return usable[left[keep]], usable[right[keep]]


def _common_border(left: NDArray[Any], right: NDArray[Any], tolerance_m: float) -> NDArray[np.float64]:
    """Return the length of border that each pair has in common, the same whichever of the two comes first."""
    import shapely

    if tolerance_m == 0:
        return np.asarray(shapely.length(shapely.intersection(shapely.boundary(left), shapely.boundary(right))))
    ways = []
    for one, other in ((left, right), (right, left)):
        near = shapely.buffer(other, tolerance_m, quad_segs=2)
        ways.append(shapely.length(shapely.intersection(shapely.boundary(one), near)))
    return np.asarray(np.maximum(*ways))


def knn(points: geopandas.GeoDataFrame, k: int = 8) -> Weights:
    """Return binary weights to the k nearest points, by great-circle distance.

    Assumption: the Earth is a sphere for the order of neighbours (ellipsoid and sphere differ by 0.3 % at most).
    Polygons are taken by their representative point. Ties at the k-th distance go to the unit that comes first
    in the order of ids, so that shuffling rows changes nothing.

    Parameters
    ----------
    points : GeoDataFrame
        With a unique index and a CRS; missing and empty geometries become isolates.
    k : int
        Neighbours of each unit, 1 <= k < n.

    Returns
    -------
    Weights
        On the index of ``points``; row i has k links (not symmetric).

    Raises
    ------
    InputError
        No CRS, k < 1 or k >= number of placed units.

    Examples
    --------
    >>> import geopandas
    >>> at = geopandas.points_from_xy([71.4, 71.5, 76.9, 69.6], [51.1, 51.2, 43.2, 42.3], crs=4326)
    >>> towns = geopandas.GeoDataFrame(geometry=at, index=["Astana", "Kosshy", "Almaty", "Shymkent"])
    >>> w = knn(towns, 1)
    >>> w.ids[w.indices].tolist()
    ['Kosshy', 'Astana', 'Shymkent', 'Almaty']
    >>> knn(towns.iloc[:1], 1)
    Traceback (most recent call last):
    kazgeo.errors.InputError: k must be at least 1 and less than the number of placed units (1); got 1
    """
    from scipy.spatial import cKDTree

    if points.crs is None:
        raise InputError("points have no CRS, so the nearest can't be told; set it with points.set_crs(...)")
    spots, placed = _sphere(points)
    m = len(placed)
    if not 1 <= k < m:
        raise InputError(f"k must be at least 1 and less than the number of placed units ({m}); got {k}")
    order = np.argsort(points.index[placed].map(str).to_numpy(dtype=object), kind="stable")
    spots, placed = spots[order], placed[order]
    spare = min(m, k + 9)
    distance, nearest = cKDTree(spots).query(spots, k=spare)
    own = nearest == np.arange(m)[:, None]
    distance = np.where(own, np.inf, np.round(distance, 12))
    best = np.lexsort((nearest, distance), axis=1)[:, :k]
    cols = np.take_along_axis(nearest, best, axis=1)
    return Weights.from_arrays(points.index, np.repeat(placed, k), placed[cols.ravel()])


def _sphere(layer: geopandas.GeoDataFrame) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return unit-sphere coordinates and positions of the rows that have a place."""
    shapes = layer.geometry.to_numpy()
    placed = np.flatnonzero(has_place(shapes))
    spots = layer.geometry.iloc[placed]
    if not (spots.geom_type == "Point").all():
        spots = spots.representative_point()
    spots = spots.to_crs(4326)
    return unit_sphere(spots.x.to_numpy(), spots.y.to_numpy()), placed


def _apply(policy: Isolates, made: Weights, layer: geopandas.GeoDataFrame) -> Weights:
    """Apply the isolates policy."""
    lonely = made.isolates
    if not len(lonely) or policy is Isolates.KEEP:
        return made
    if policy is Isolates.RAISE:
        raise InputError(
            f"{len(lonely)} units have no neighbour: {listing(lonely)}; raise tolerance_m, or choose isolates='nearest'"
        )
    spots, placed = _sphere(layer)
    from scipy.spatial import cKDTree

    if len(placed) < 2:
        return made
    ids = layer.index[placed]
    of = np.flatnonzero(ids.isin(lonely))
    _, nearest = cKDTree(spots).query(spots[of], k=2)
    other = np.where(nearest[:, 0] == of, nearest[:, 1], nearest[:, 0])
    rows, cols = placed[of], placed[other]
    links = made.matrix.tocoo()
    return Weights.from_arrays(made.ids, np.r_[links.coords[0], rows, cols], np.r_[links.coords[1], cols, rows])
