"""The road network: nodes, directed edges with length and time, their shapes, and what stays when speeds change."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from kazgeo.errors import InputError

if TYPE_CHECKING:
    import geopandas
    from numpy.typing import NDArray

__all__ = ["Network", "Shapes", "Topology"]


@dataclass(frozen=True, eq=False)
class Shapes:
    """Lines of all edges in one array.

    Parameters
    ----------
    xy : float64 array, shape (p, 2)
        Longitude and latitude of all points, edge after edge, both ends included.
    offset : int64 array, shape (m + 1,)
        Where each edge begins.
    """

    xy: NDArray[np.float64]
    offset: NDArray[np.int64]

    def take(self, edges: NDArray[np.int64]) -> Shapes:
        """Return the lines of some edges."""
        size = np.diff(self.offset)[edges]
        offset = np.r_[0, np.cumsum(size)]
        within = np.arange(offset[-1]) - np.repeat(offset[:-1], size)
        return Shapes(self.xy[np.repeat(self.offset[edges], size) + within], offset)

    def lines(self) -> NDArray[Any]:
        """Return shapely lines."""
        import shapely

        return np.asarray(shapely.linestrings(self.xy, indices=np.repeat(np.arange(len(self.offset) - 1),
                                                                         np.diff(self.offset))))  # fmt: skip


@dataclass(frozen=True, eq=False)
class Topology:
    """Who is joined to whom: what all scenarios of a network share, so that engines prepare it once.

    Nodes are renumbered along a Z-curve, so that neighbours on the map are neighbours in memory. Every edge gives an
    arc each way; a way that is closed has an infinite weight.

    Parameters
    ----------
    lon, lat : float64 arrays, shape (n,)
        Degrees.
    start, end : int64 arrays, shape (m,)
        Positions of the nodes of every edge.
    """

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    #: What engines have prepared for it, by name.
    prepared: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def n(self) -> int:
        """Number of nodes."""
        return len(self.lon)

    @cached_property
    def rank(self) -> NDArray[np.int64]:
        """Place of every node along the Z-curve."""
        rank = np.empty(self.n, np.int64)
        rank[self.at] = np.arange(self.n)
        return rank

    @cached_property
    def at(self) -> NDArray[np.int64]:
        """Node at every place along the Z-curve."""
        if not self.n:
            return np.empty(0, np.int64)
        key = np.zeros(self.n, np.uint64)
        for axis, values in enumerate((self.lon, self.lat)):
            low, span = values.min(), max(np.ptp(values), 1e-12)
            cell = np.minimum((values - low) / span * 65536, 65535).astype(np.uint64)
            for bit in range(16):
                key |= ((cell >> np.uint64(bit)) & np.uint64(1)) << np.uint64(2 * bit + axis)
        return np.argsort(key, kind="stable")

    @cached_property
    def _arcs(self) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.int64]]:
        """Return CSR pointer and heads, places along the Z-curve, and 2 x edge + direction of every arc.

        Arcs of one node are sorted by their edge, loops are left out.
        """
        i, j = self.rank[self.start], self.rank[self.end]
        m = len(i)
        real = np.flatnonzero(i != j)
        tail, head = np.r_[i[real], j[real]], np.r_[j[real], i[real]]
        which = np.r_[2 * real, 2 * real + 1]
        if m > 2**30 or self.n > 2**31:
            raise InputError(f"the network has {self.n} nodes and {m} edges; at most 2^31 and 2^30 can be searched")
        order = np.argsort(tail, kind="stable")
        pointer = np.zeros(self.n + 1, np.uint32)
        np.cumsum(np.bincount(tail, minlength=self.n), out=pointer[1:])
        return pointer, head[order].astype(np.uint32), which[order]

    @property
    def pointer(self) -> NDArray[np.uint32]:
        """First arc of every place, shape (n + 1,)."""
        return self._arcs[0]

    @property
    def head(self) -> NDArray[np.uint32]:
        """Place to which every arc leads."""
        return self._arcs[1]

    @property
    def arc(self) -> NDArray[np.int64]:
        """2 x edge of every arc, plus 1 when it runs from the edge's end to its start."""
        return self._arcs[2]


@dataclass(frozen=True, eq=False, repr=False)
class Network:
    """A road network.

    Parameters
    ----------
    nodes : Index, shape (n,)
        Unique node ids.
    lon, lat : float64 arrays, shape (n,)
        Degrees, EPSG:4326.
    start, end : int64 arrays, shape (m,)
        Positions of the nodes of every edge.
    length_m : float64 array, shape (m,)
        Metres, not negative.
    time_s : float64 array, shape (m,)
        Seconds from start to end; infinite where that way is closed.
    back_s : float64 array, shape (m,), optional
        Seconds from end to start; without it the same as ``time_s``.
    roads : DataFrame, m rows, optional
        What is known of every edge, such as ``road_class`` and ``surface``: scenarios go by it.
    shapes : Shapes, optional
        Lines of the edges; without it they are straight.
    dropped : DataFrame, optional
        What was left out when the network was made: columns unit and reason.
    """

    nodes: pd.Index
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    length_m: NDArray[np.float64]
    time_s: NDArray[np.float64]
    back_s: NDArray[np.float64] | None = None
    roads: pd.DataFrame | None = None
    shapes: Shapes | None = None
    topology: Topology = field(default=None, repr=False)  # type: ignore[assignment]  # made below
    dropped: pd.DataFrame | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        given: Topology | None = self.topology
        if given is None:
            object.__setattr__(self, "topology", Topology(self.lon, self.lat, self.start, self.end))

    @property
    def n(self) -> int:
        """Number of nodes."""
        return len(self.nodes)

    @property
    def m(self) -> int:
        """Number of edges."""
        return len(self.start)

    @property
    def directed(self) -> bool:
        """Whether some edge takes another time backwards."""
        return self.back_s is not None

    @property
    def backwards_s(self) -> NDArray[np.float64]:
        """Seconds from end to start of every edge."""
        return self.time_s if self.back_s is None else self.back_s

    def with_times(self, time_s: NDArray[np.float64], back_s: NDArray[np.float64] | None = None) -> Network:
        """Return the same roads at other speeds: nothing that engines have prepared of the topology is lost.

        Raises
        ------
        InputError
            Times that are not positive, or of another number of edges.
        """
        for what, values in (("time_s", time_s), ("back_s", back_s)):
            if values is not None and (len(values) != self.m or not (np.asarray(values) > 0).all()):
                bad = "another number of edges" if len(values) != self.m else "times that are not positive"
                raise InputError(f"{what} must hold positive seconds of all {self.m} edges; got {bad}")
        return dataclasses.replace(
            self, time_s=np.asarray(time_s, float), back_s=None if back_s is None else np.asarray(back_s, float)
        )

    def weights(self, *, reverse: bool = False) -> NDArray[np.float64]:
        """Return seconds of every arc of the topology, as it is walked or against that."""
        both = np.stack([self.time_s, self.backwards_s], axis=1).ravel()
        arc = self.topology.arc
        return both[arc ^ 1] if reverse else both[arc]

    def arcs(self, *, reverse: bool = False) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
        """Return open arcs as CSR over the nodes in their own order: pointer, heads, seconds.

        With ``reverse`` the heads are the nodes from which one comes.
        """
        tail, head = np.r_[self.start, self.end], np.r_[self.end, self.start]
        time = np.r_[self.time_s, self.backwards_s] if not reverse else np.r_[self.backwards_s, self.time_s]
        keep = np.flatnonzero(np.isfinite(time) & (tail != head))
        order = keep[np.argsort(tail[keep], kind="stable")]
        pointer = np.r_[0, np.cumsum(np.bincount(tail[order], minlength=self.n))].astype(np.int64)
        return pointer, head[order].astype(np.int32), time[order]

    @cached_property
    def matrix(self) -> Any:
        """Travel seconds between adjacent nodes, ``csr_array``; the quickest of parallel edges, open ways only."""
        rows, cols = np.r_[self.start, self.end], np.r_[self.end, self.start]
        time = np.r_[self.time_s, self.backwards_s]
        order = np.lexsort((time, cols, rows))
        order = order[np.isfinite(time[order])]
        rows, cols, time = rows[order], cols[order], time[order]
        first = np.r_[True, (np.diff(rows) != 0) | (np.diff(cols) != 0)] if len(rows) else np.empty(0, bool)
        return sp.csr_array((time[first], (rows[first], cols[first])), shape=(self.n, self.n))

    @cached_property
    def components(self) -> NDArray[np.int64]:
        """Number of the connected component of every node, one-ways counted as joining; 0 is the largest."""
        return _largest_first(sp.csgraph.connected_components(self.matrix, directed=False)[1])

    @cached_property
    def strong_components(self) -> NDArray[np.int64]:
        """Number of the component of every node within which each can reach each; 0 is the largest."""
        if not self.directed:
            return self.components
        return _largest_first(sp.csgraph.connected_components(self.matrix, connection="strong")[1])

    @property
    def n_components(self) -> int:
        """Number of connected components."""
        return int(self.components.max()) + 1 if self.n else 0

    def lines(self, edges: Iterable[int] | None = None) -> NDArray[Any]:
        """Return shapely lines of all edges or of some, in degrees."""
        import shapely

        chosen = np.arange(self.m) if edges is None else np.asarray(list(edges), np.int64)
        if self.shapes is not None:
            return self.shapes.take(chosen).lines()
        i, j = self.start[chosen], self.end[chosen]
        ends = np.stack([np.c_[self.lon[i], self.lat[i]], np.c_[self.lon[j], self.lat[j]]], axis=1)
        return np.asarray(shapely.linestrings(ends))

    def edges(self) -> geopandas.GeoDataFrame:
        """Return the edges as lines in EPSG:4326 with start, end, length_m, time_s and what is known of the roads.

        ``back_s`` is a column where it differs.
        """
        import geopandas

        table: dict[str, Any] = {
            "start": self.nodes[self.start],
            "end": self.nodes[self.end],
            "length_m": self.length_m,
            "time_s": self.time_s,
        }
        if self.back_s is not None:
            table["back_s"] = self.back_s
        if self.roads is not None:
            table |= {c: self.roads[c].to_numpy() for c in self.roads.columns if c not in table}
        return geopandas.GeoDataFrame(table, geometry=self.lines(), crs=4326)

    def to_osmnx(self) -> Any:
        """Return a ``networkx.MultiDiGraph`` as osmnx makes them; see ``kazgeo.network.to_osmnx``."""
        from kazgeo.network.exchange import to_osmnx

        return to_osmnx(self)

    def __repr__(self) -> str:
        if not self.n:
            return "<Network: 0 nodes>"
        sizes = np.bincount(self.components)
        pieces = f"{len(sizes)} component{'s' if len(sizes) > 1 else ''}"
        if len(sizes) > 1:
            pieces += f" (largest {sizes.max() / self.n:.1%} of nodes)"
        if self.directed:
            one = int((np.isinf(self.time_s) != np.isinf(self.backwards_s)).sum())
            pieces += f"; {one} one-way edges" if one else ""
        return f"<Network: {self.n} nodes, {self.m} edges, {self.length_m.sum() / 1000:,.0f} km; {pieces}>"


def _largest_first(found: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return component numbers with the largest as 0."""
    rank = np.argsort(-np.bincount(found), kind="stable") if len(found) else np.empty(0, int)
    place = np.empty_like(rank)
    place[rank] = np.arange(len(rank))
    return np.asarray(place[found], dtype=np.int64)
