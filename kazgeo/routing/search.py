"""Searches from few terminals to all nodes of a network: the nearest, the k nearest, all within a limit."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kazgeo.errors import InputError
from kazgeo.network.model import Network, Topology
from kazgeo.network.places import Terminals
from kazgeo.parallel import pieces, run
from kazgeo.progress import Progress, silent

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Found", "k_nearest", "nearest", "reached", "routes", "tally"]

#: Nodes from which, and seeds from which, a search for the nearest is shared among threads.
SHARED_NODES, SHARED_SEEDS, PARTS = 100_000, 64, 4
#: Terminals per piece of work, and places kept of one piece.
PIECE, CAPACITY = 64, 4_000_000
#: One absurdly long edge must not make the buckets of all others wide.
MOST_BUCKETS = 1 << 20
#: Bytes that sums by node may take.
MOST_BYTES = 4_000_000_000


class Found(NamedTuple):
    """What is nearest to every node.

    Parameters
    ----------
    time_s : float64 array, shape (n,) or (n, k)
        Seconds, infinite where nothing can be reached.
    owner : int32 array of the same shape
        Position of the terminal, -1 where none can be reached.
    """

    time_s: NDArray[np.float64]
    owner: NDArray[np.int32]


class _Seeds(NamedTuple):
    place: NDArray[np.int64]
    key: NDArray[np.float64]
    owner: NDArray[np.int64]
    metres: NDArray[np.float64]


def _seeds(topology: Topology, terminals: Terminals) -> _Seeds:
    """Return where searches begin, sorted by time, then by terminal."""
    owner, side = np.nonzero(terminals.node >= 0)
    key, metres = terminals.offset_s[owner, side], terminals.offset_m[owner, side]
    place = topology.rank[terminals.node[owner, side]]
    order = np.lexsort((owner, key))
    return _Seeds(place[order], key[order], owner[order].astype(np.int64), metres[order])


def _queue(weight: NDArray[np.float64], longest: float = 0.0, arcs: float = 2.0) -> tuple[float, int]:
    """Return the width of the buckets in median arcs, and their number, enough for the longest arc.

    Wide buckets save empty ones, narrow ones save looking twice at a node: two arcs are quickest for one search over
    all nodes, a quarter for many small ones, by a sixth of the time.
    """
    finite = weight[np.isfinite(weight)]
    if not len(finite):
        return 1.0, 4
    most = max(float(finite.max()), longest)
    width = max(arcs * float(np.median(finite)), most / MOST_BUCKETS, 1e-6)
    return width, 1 << int(np.ceil(np.log2(most / width + 3)))


def _prepared(network: Network, reverse: bool) -> tuple[NDArray[np.float64], tuple[float, int]]:
    """Return the weights of all arcs and the queue for them; made once for a network."""
    kept = network.__dict__.setdefault("_searches", {})
    if reverse not in kept:
        weight = network.weights(reverse=reverse)
        kept[reverse] = (weight, _queue(weight))
    found: tuple[NDArray[np.float64], tuple[float, int]] = kept[reverse]
    return found


def nearest(network: Network, terminals: Terminals, *, reverse: bool = True) -> Found:
    """Return the nearest terminal of every node and the time to it.

    Assumption: of terminals that are equally near the first is named.

    Parameters
    ----------
    network : Network
        Roads.
    terminals : Terminals
        Where one wants to go (``Attached.arriving``) or, with ``reverse=False``, where one comes from
        (``Attached.leaving``).
    reverse : bool
        Time from the node to the terminal; False: from the terminal to the node.

    Returns
    -------
    Found

    Examples
    --------
    >>> import pandas as pd
    >>> from kazgeo.network import from_edges
    >>> nodes = pd.DataFrame({"lon": [71.0, 72.0, 73.0], "lat": [51.0] * 3}, index=list("abc"))
    >>> edges = pd.DataFrame({"from_id": ["a"], "to_id": ["b"], "length_km": [60.0]})
    >>> at_a = Terminals(np.array([[0, -1]]), np.array([[0.0, np.inf]]), np.array([[0.0, np.inf]]))
    >>> found = nearest(from_edges(edges, nodes, speed_kmh=60), at_a)
    >>> found.time_s.round(6).tolist(), found.owner.tolist()
    ([0.0, 3600.0, inf], [0, 0, -1])
    >>> nearest(from_edges(edges, nodes), at_a.take([])).owner.tolist()
    [-1, -1, -1]
    """
    from kazgeo.routing import kernels

    top, n = network.topology, network.n
    weight, queue = _prepared(network, reverse)
    dist, own = np.full(n, np.inf), np.full(n, np.iinfo(np.int32).max, np.int32)
    after, before = np.full(n, kernels.OUT, np.int32), np.empty(n, np.int32)
    seeds = _seeds(top, terminals)
    parts = PARTS if n >= SHARED_NODES and len(seeds.key) >= SHARED_SEEDS else 1
    bounds = np.linspace(0, n, parts + 1).astype(np.int64)
    tail, cross = _crossing(top, bounds) if parts > 1 else (np.empty(0, np.int64),) * 2
    to = top.head[cross].astype(np.int64)
    while len(seeds.key):
        part = np.searchsorted(bounds, seeds.place, side="right") - 1
        tasks = [
            (top.pointer, top.head, weight, (int(bounds[p]), int(bounds[p + 1])), seeds.place[chosen],
             seeds.key[chosen], seeds.owner[chosen], queue, dist, own, after, before)
            for p in range(parts)
            if len(chosen := np.flatnonzero(part == p))
        ]  # fmt: skip
        for _ in run(kernels.nearest, tasks, None, silent, ""):
            pass
        new = dist[tail] + weight[cross]
        better = (new < dist[to]) | ((new == dist[to]) & (own[tail] < own[to]) & np.isfinite(new))
        order = np.flatnonzero(better)[np.lexsort((own[tail[better]], new[better]))]
        seeds = _Seeds(to[order], new[order], own[tail[order]].astype(np.int64), new[order])
    rank = top.rank
    own[np.isinf(dist)] = -1
    return Found(dist[rank], own[rank])


def _crossing(topology: Topology, bounds: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return tails and positions of the arcs that cross from one part of the places into another."""
    kept = topology.prepared
    if "crossing" not in kept:
        size = topology.pointer[1:].astype(np.int64) - topology.pointer[:-1]
        tail = np.repeat(np.arange(topology.n), size)
        part = np.searchsorted(bounds, np.arange(topology.n), side="right")
        arc = np.flatnonzero(part[tail] != part[topology.head])
        kept["crossing"] = (tail[arc], arc)
    found: tuple[NDArray[np.int64], NDArray[np.int64]] = kept["crossing"]
    return found


def k_nearest(network: Network, terminals: Terminals, k: int, *, reverse: bool = True) -> Found:
    """Return the k nearest terminals of every node and the times to them, nearest first.

    Assumption: as of ``nearest``; where fewer than k can be reached, the rest is infinite and -1.

    Examples
    --------
    >>> import pandas as pd
    >>> from kazgeo.network import from_edges
    >>> nodes = pd.DataFrame({"lon": [71.0, 72.0], "lat": [51.0] * 2}, index=list("ab"))
    >>> edges = pd.DataFrame({"from_id": ["a"], "to_id": ["b"], "length_km": [60.0]})
    >>> both = Terminals(np.array([[0, -1], [1, -1]]), np.zeros((2, 2)), np.zeros((2, 2)))
    >>> k_nearest(from_edges(edges, nodes, speed_kmh=60), both, 3).time_s.round(6).tolist()
    [[0.0, 3600.0, inf], [0.0, 3600.0, inf]]
    """
    from kazgeo.routing import kernels

    top = network.topology
    weight, queue = _prepared(network, reverse)
    seeds = _seeds(top, terminals)
    dist = np.full((network.n, k), np.inf)
    own = np.full((network.n, k), np.iinfo(np.int32).max, np.int32)
    kernels.k_nearest(top.pointer, top.head, weight, seeds.place, seeds.key, seeds.owner, queue, dist, own)
    own[np.isinf(dist)] = -1
    return Found(dist[top.rank], own[top.rank])


def routes(
    network: Network, terminals: Terminals, time_s: NDArray[np.float64], *, slack_s: float, reverse: bool = True
) -> Found:
    """Return the metres of the shortest of each node's quickest routes, and the first of the terminals these lead to.

    Assumption: routes that differ by no more than ``slack_s`` are equally quick.

    Parameters
    ----------
    time_s : float64 array, shape (n,)
        As ``nearest`` found it.

    Returns
    -------
    Found
        Its first part holds metres.
    """
    from kazgeo.routing import kernels

    top = network.topology
    weight, _ = _prepared(network, reverse)
    seeds = _seeds(top, terminals)
    rank, way = np.full(network.n, np.iinfo(np.int32).max, np.int32), np.full(network.n, np.inf)
    dist = np.empty(network.n)
    dist[top.rank] = time_s
    length = network.length_m[top.arc >> 1]
    kernels.routes(top.pointer, top.head, weight, length, dist, seeds.place, seeds.owner, seeds.metres, seeds.key,
                   slack_s, rank, way)  # fmt: skip
    rank[np.isinf(way)] = -1
    return Found(way[top.rank], rank[top.rank])


def tally(
    network: Network, terminals: Terminals, amount: NDArray[np.float64], cuts_s: NDArray[np.float64], *,
    reverse: bool = True, executor: Executor | None = None, progress: Progress = silent,
) -> NDArray[np.float64]:  # fmt: skip
    """Return what can be reached from every node within each of several times: one bounded search per terminal.

    Parameters
    ----------
    amount : float64 array, shape (terminals, kinds)
        What there is at every terminal.
    cuts_s : float64 array, shape (c,)
        Seconds, increasing.

    Returns
    -------
    float64 array, shape (c, n, kinds)

    Raises
    ------
    InputError
        Sums that would not fit in memory, told before the search begins.
    """
    from kazgeo.routing import together

    top, n = network.topology, network.n
    shape = (len(cuts_s), n, amount.shape[1])
    size = 3 * 8 * int(np.prod(shape))
    if size > MOST_BYTES:
        raise InputError(
            f"sums of {shape[0]} times and {shape[2]} kinds for {n} nodes would take {size / 1e9:.1f} GB;"
            f" at most {MOST_BYTES / 1e9:.0f} are used: ask for fewer at once"
        )
    total = np.zeros(shape)
    weight, _ = _prepared(network, reverse)
    node = np.where(terminals.node >= 0, top.rank[terminals.node], -1)
    order = np.argsort(node.max(axis=1), kind="stable")
    queue = _queue(weight, float(cuts_s[-1]), 0.25)
    fixed = max(4 * together.LANES, -(-len(order) // 8))  # sums are the same with any number of threads
    tasks = [
        (together.tally, top.pointer, top.head, weight, node[chosen], terminals.offset_s[chosen], amount[chosen],
         cuts_s, queue, shape)
        for chosen in (order[a:b] for a, b in pieces(len(order), fixed))
    ]  # fmt: skip
    for part in run(_tally, tasks, executor, progress, "searching within the time"):
        total += part
    np.cumsum(total, axis=0, out=total)
    return total[:, top.rank]


def _tally(kernel: Any, *args: Any) -> NDArray[np.float64]:
    """Return the sums of one piece of the terminals."""
    out = np.zeros(args[-1])
    kernel(*args[:-1], out)
    return out


def reached(
    network: Network, terminals: Terminals, limit_s: float, *, reverse: bool = True,
    executor: Executor | None = None, progress: Progress = silent,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]]:  # fmt: skip
    """Yield, piece by piece, which nodes lie within a time of every terminal: terminals, nodes, seconds.

    A piece holds 64 terminals at most, so that memory is bounded by what they reach.
    """
    top = network.topology
    weight, _ = _prepared(network, reverse)
    node = np.where(terminals.node >= 0, top.rank[terminals.node], -1)
    queue = _queue(weight, limit_s, 0.25)
    spans = pieces(len(node), PIECE)
    tasks = [(top.pointer, top.head, weight, node[a:b], terminals.offset_s[a:b], limit_s, queue) for a, b in spans]
    found = run(_reached, tasks, executor, progress, "searching within the time")
    for (a, b), (counts, place, time) in zip(spans, found, strict=True):
        yield np.repeat(np.arange(a, b), counts), top.at[place], time


def _reached(*args: Any) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
    """Return what one piece of the terminals reaches, in as many calls as its capacity asks for."""
    from kazgeo.routing import kernels

    node, offset = args[3], args[4]
    parts, done = [], 0
    while done < len(node):
        parts.append(kernels.reached(*args[:3], node[done:], offset[done:], *args[5:], CAPACITY))
        done += len(parts[-1][0])
    return tuple(np.concatenate(p) for p in zip(*parts, strict=True))  # type: ignore[return-value]
