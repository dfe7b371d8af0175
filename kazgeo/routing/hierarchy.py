"""Matrices of travel times by a customisable contraction hierarchy: ordered once, weighted anew for every scenario.

Dibbelt, J., Strasser, B. and Wagner, D. (2016). Customizable contraction hierarchies. ACM Journal of Experimental
Algorithmics 21, 1.5. https://doi.org/10.1145/2886843
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kazgeo.errors import InputError
from kazgeo.network.model import Network, Topology
from kazgeo.network.places import Terminals
from kazgeo.parallel import pieces, run
from kazgeo.progress import Progress, part, silent

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Hierarchy", "hierarchy", "matrix", "weights"]

#: Directions of the sweep in which flows look for smaller separators.
FLOWS = 1
#: Bytes that a matrix may take, and rows and columns of one piece of it.
MOST_BYTES, ROWS, COLUMNS = 8_000_000_000, 256, 64


@dataclass(frozen=True, eq=False, repr=False)
class Hierarchy:
    """What a topology alone decides: the order of elimination and the arcs it makes.

    Parameters
    ----------
    position : int32 array, shape (n,)
        Place of every node in the order.
    up_pointer, head, tail : arrays
        Arcs from every position to later ones, sorted.
    down_pointer, down_arc : arrays
        The same arcs by the later position.
    parent, depth : int32 arrays, shape (n,)
        Elimination tree; a root has no parent (-1) and depth 0.
    edge_arc, edge_up : arrays, shape (m,)
        Arc that stands for every edge (-1: a loop), and whether the edge's start comes before its end.
    """

    position: NDArray[np.int32]
    up_pointer: NDArray[np.int64]
    head: NDArray[np.int32]
    tail: NDArray[np.int32]
    down_pointer: NDArray[np.int64]
    down_arc: NDArray[np.int32]
    parent: NDArray[np.int32]
    depth: NDArray[np.int32]
    edge_arc: NDArray[np.int64]
    edge_up: NDArray[np.bool_]

    def __repr__(self) -> str:
        return f"<Hierarchy: {len(self.parent)} nodes, {len(self.head)} arcs, height {self.height}>"

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Return all arrays by name, to be kept in a file."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Hierarchy:
        """Return the hierarchy that ``arrays`` gave."""
        return cls(**dict(arrays))  # type: ignore[arg-type]

    @property
    def height(self) -> int:
        """Number of ancestors of the deepest node, itself included."""
        return int(self.depth.max(initial=-1)) + 1

    def spans(self, parts: int = 16) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Return stretches of positions that don't depend on one another, and the stretches above them, in order."""
        from kazgeo.routing.elimination import subtree_sizes

        n = len(self.parent)
        size = np.ones(n, np.int64)
        child = np.flatnonzero(self.parent >= 0)
        subtree_sizes(self.parent, size)
        limit = max(1, n // parts)
        top = np.full(n, n + 1, np.int64)
        top[child] = size[self.parent[child]]
        roots = np.flatnonzero((size <= limit) & (top > limit))
        apart: list[tuple[int, int]] = []
        for root in roots.tolist():
            low, high = root - int(size[root]) + 1, root + 1
            if apart and apart[-1][1] == low and high - apart[-1][0] <= limit:
                apart[-1] = (apart[-1][0], high)
            else:
                apart.append((low, high))
        edges = [0, *[e for span in apart for e in span], n]
        above = [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b]
        return apart, above


def hierarchy(topology: Topology, *, progress: Progress = silent) -> Hierarchy:
    """Return the hierarchy of a topology, made once and kept with it.

    Examples
    --------
    >>> line = Topology(np.arange(5.0), np.zeros(5), np.arange(4), np.arange(1, 5))
    >>> hierarchy(line)
    <Hierarchy: 5 nodes, 5 arcs, height 3>
    """
    kept = topology.prepared
    if "hierarchy" not in kept:
        kept["hierarchy"] = _build(topology, progress).arrays()
    return Hierarchy.from_arrays(kept["hierarchy"])


def _build(topology: Topology, progress: Progress) -> Hierarchy:
    """Return the hierarchy of a topology."""
    from kazgeo.routing import elimination

    progress(0.0, "order of elimination")
    order = _order(topology)
    progress(0.7, "arcs of the hierarchy")
    pointer, head, parent = elimination.chordal(topology.pointer, topology.head, order)
    number = elimination.postorder(parent)
    n = topology.n
    position = np.empty(n, np.int32)
    position[topology.at[order]] = number
    back = np.argsort(number, kind="stable")
    size = np.diff(pointer)[back]
    new_pointer = np.r_[0, np.cumsum(size)].astype(np.int64)
    taken = np.repeat(pointer[:-1][back], size) + np.arange(new_pointer[-1]) - np.repeat(new_pointer[:-1], size)
    head = number[head[taken]].astype(np.int32)
    tail = np.repeat(np.arange(n, dtype=np.int32), size)
    new_parent = np.where(parent[back] >= 0, number[parent[back]], -1).astype(np.int32)
    depth = elimination.depths(new_parent)
    down_arc = np.argsort(head, kind="stable").astype(np.int32)
    down_pointer = np.r_[0, np.cumsum(np.bincount(head, minlength=n))].astype(np.int64)
    i, j = position[topology.start], position[topology.end]
    low, high = np.minimum(i, j).astype(np.int64), np.maximum(i, j).astype(np.int64)
    key = tail.astype(np.int64) * n + head
    arc = np.where(low == high, -1, np.searchsorted(key, low * n + high))
    progress(1.0, "hierarchy")
    return Hierarchy(position, new_pointer, head, tail, down_pointer, down_arc, new_parent, depth, arc, i < j)


def _order(topology: Topology) -> NDArray[np.int32]:
    """Return the places of the topology in the order of elimination."""
    from kazgeo.routing import dissection

    order, done, size, near = dissection.peel(topology.pointer, topology.head)
    core = order[done:]
    number = np.full(topology.n, -1, np.int64)
    number[core] = np.arange(len(core))
    count = size[core].astype(np.int64)
    pointer = np.r_[0, np.cumsum(count)]
    index = np.repeat(topology.pointer[core].astype(np.int64), count) + np.arange(pointer[-1])
    head = number[near[index - np.repeat(pointer[:-1], count)]]
    tail = np.repeat(np.arange(len(core)), count)
    twin = np.empty(len(head), np.uint32)
    twin[np.lexsort((head, tail))] = np.lexsort((tail, head))
    spot = topology.at[core]
    lat = topology.lat[spot]
    x = topology.lon[spot] * np.cos(np.radians(topology.lat.mean())) if topology.n else lat
    sweeps = np.stack([np.argsort(d, kind="stable") for d in (x, lat, x + lat, x - lat)]).astype(np.int32)
    inner = dissection.dissect(pointer.astype(np.uint32), head.astype(np.uint32), twin, sweeps, FLOWS)
    found: NDArray[np.int32] = np.r_[order[:done], core[inner]].astype(np.int32)
    return found


def weights(network: Network, *, progress: Progress = silent) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the times of all arcs of the hierarchy, to the later node and from it; made once for a network.

    Only this has to be done anew when speeds change.
    """
    if "_customised" not in network.__dict__:
        network.__dict__["_customised"] = _customise(network, progress)
    found: tuple[NDArray[np.float64], NDArray[np.float64]] = network.__dict__["_customised"]
    return found


def _customise(network: Network, progress: Progress) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the least times over lower triangles, up and down; one array twice where both ways are alike."""
    from kazgeo.routing import elimination

    made = hierarchy(network.topology, progress=part(progress, 0, 0.8))
    up = np.full(len(made.head), np.inf)
    down = np.full(len(made.head), np.inf) if network.directed else up
    elimination.take_minimum(made.edge_arc, made.edge_up, network.time_s, network.backwards_s, up, down)
    shape = (made.up_pointer, made.head, made.down_pointer, made.down_arc, made.tail)
    apart, above = made.spans()
    for spans, alone in ((apart, False), (above, True)):
        tasks = [(low, high, shape, up, down, network.directed) for low, high in spans]
        if alone:
            place = np.empty(network.n, np.int32)
            for low, high in spans:
                _triangles(low, high, shape, up, down, network.directed, place)
        else:
            for _ in run(_triangles, tasks, None, part(progress, 0.8, 1.0), "travel times of the hierarchy"):
                pass
    return up, down


def _triangles(
    low: int, high: int, shape: tuple[NDArray[Any], ...], up: NDArray[np.float64], down: NDArray[np.float64],
    directed: bool, place: NDArray[np.int32] | None = None,
) -> None:  # fmt: skip
    """Settle the arcs of a stretch of positions, in place."""
    from kazgeo.routing import elimination

    work = np.empty(len(shape[0]) - 1, np.int32) if place is None else place
    if directed:
        elimination.customise(low, high, *shape, work, up, down)
    else:
        elimination.customise_both(low, high, *shape, work, up)


@dataclass(frozen=True, eq=False)
class _Labels:
    """Times from terminals to the ancestors of their nodes, terminals sorted by their place in the tree."""

    order: NDArray[np.int64]
    low: NDArray[np.int64]
    start: NDArray[np.int64]
    value: NDArray[np.float64]


def _labels(made: Hierarchy, terminals: Terminals, weight: NDArray[np.float64]) -> _Labels:
    """Return the labels of all terminals that hang on some node."""
    from kazgeo.routing import elimination

    node = np.where(terminals.node >= 0, made.position[terminals.node], -1).astype(np.int64)
    deep = np.where(node >= 0, made.depth[node], -1)
    low = node[np.arange(len(node)), deep.argmax(axis=1)]
    order = np.flatnonzero(low >= 0)
    order = order[np.argsort(low[order], kind="stable")]
    start = np.r_[0, np.cumsum(made.depth[low[order]] + 1)].astype(np.int64)
    value = np.empty(start[-1])
    elimination.labels(made.up_pointer, made.head, weight, made.parent, made.depth, node[order],
                       terminals.offset_s[order], start, value)  # fmt: skip
    return _Labels(order, low[order], start, value)


def matrix(
    network: Network, origins: Terminals, destinations: Terminals, *, executor: Executor | None = None,
    progress: Progress = silent,
) -> NDArray[np.float64]:  # fmt: skip
    """Return seconds from every origin to every destination by the nodes they hang on; NaN where there is no way.

    Assumption: places on one edge that can be joined along it are not seen here (``kazgeo.routing.along`` does that).

    Parameters
    ----------
    network : Network
        Roads.
    origins, destinations : Terminals
        ``Attached.leaving()`` and ``Attached.arriving()``.
    executor : Executor, optional
        Who does the work; threads of this process by default.
    progress : Progress
        Reporter.

    Returns
    -------
    float64 array, shape (origins, destinations)

    Raises
    ------
    InputError
        A matrix that would not fit in memory, told before the work begins.

    Notes
    -----
    The label of a terminal holds its times to all ancestors in the elimination tree; a travel time is the least sum of
    two labels over the ancestors that both have.

    Examples
    --------
    >>> import pandas as pd
    >>> from kazgeo.network import from_edges
    >>> nodes = pd.DataFrame({"lon": [71.0, 72.0, 73.0], "lat": [51.0] * 3}, index=list("abc"))
    >>> edges = pd.DataFrame({"from_id": ["a"], "to_id": ["b"], "length_km": [60.0]})
    >>> every = Terminals(np.array([[0, -1], [1, -1], [2, -1]]), np.zeros((3, 2)), np.zeros((3, 2)))
    >>> matrix(from_edges(edges, nodes, speed_kmh=60), every, every).round(6).tolist()
    [[0.0, 3600.0, nan], [3600.0, 0.0, nan], [nan, nan, 0.0]]
    >>> matrix(from_edges(edges, nodes), every.take([]), every).shape
    (0, 3)
    """
    rows, columns = len(origins.node), len(destinations.node)
    if 8 * rows * columns > MOST_BYTES:
        size = 8 * rows * columns / 1e9
        raise InputError(f"a matrix of {rows:,} x {columns:,} travel times would take {size:.1f} GB;"
                         f" at most {MOST_BYTES / 1e9:.0f} GB are used: ask for fewer origins at once, or for times"
                         " within a limit")  # fmt: skip
    up, down = weights(network, progress=part(progress, 0.0, 0.5))
    made = hierarchy(network.topology)
    leave, arrive = _labels(made, origins, up), _labels(made, destinations, down)
    out = np.full((rows, columns), np.nan)
    if not len(leave.low) or not len(arrive.low):
        return out
    from kazgeo.routing import elimination

    every = np.r_[leave.low, arrive.low]
    rank = np.argsort(np.argsort(every, kind="stable"), kind="stable")
    near = elimination.shared(made.parent, made.depth, np.sort(every, kind="stable"))
    row_at, column_at = rank[: len(leave.low)], rank[len(leave.low) :]
    block = (row_at, column_at, leave.start, arrive.start, leave.value, arrive.value, near)
    tasks = [(a, b, len(arrive.low), block) for a, b in pieces(len(leave.low), ROWS)]
    found = run(_rows, tasks, executor, part(progress, 0.5, 1.0), "travel times")
    for (a, b, _, _), part_ in zip(tasks, found, strict=True):
        out[np.ix_(leave.order[a:b], arrive.order)] = part_
    out[np.isinf(out)] = np.nan
    return out


def _rows(a: int, b: int, columns: int, block: tuple[NDArray[np.int64], ...]) -> NDArray[np.float64]:
    """Return some rows of a matrix, in the order of the tree, a tile of columns at a time."""
    from kazgeo.routing import elimination

    row_at, column_at, row_start, column_start, row_label, column_label, near = block
    out = np.empty((b - a, columns))
    for low, high in pieces(columns, COLUMNS):
        elimination.minima(low, high, row_at[a:b], column_at, row_start[a : b + 1], column_start, row_label,
                           column_label, near, out)  # fmt: skip
    return out
