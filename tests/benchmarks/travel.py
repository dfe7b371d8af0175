"""Travel times on a road network, against scipy, pandana and RoutingKit where these are installed.

The network is made with a fixed seed (``roads.py``); it is nobody's country. Weights are seconds.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse.csgraph import dijkstra

from kazgeo.network import Network, Terminals
from kazgeo.routing import hierarchy, search
from tests.benchmarks.roads import points_of_interest, synthetic
from tests.benchmarks.task import Task

__all__ = ["tasks"]

#: Nodes of the network; another number by the variable of the same name.
NODES = int(os.environ.get("NODES", "500000"))
#: Sources that scipy does of a thousand or more.
SOME = 40


def terminals(net: Network, count: int, seed: int) -> Terminals:
    """Return places at nodes drawn at random."""
    node = points_of_interest(net.n, count, seed)
    ends = np.c_[node, np.full(count, -1)]
    nothing = np.where(ends >= 0, 0.0, np.inf)
    return Terminals(ends, nothing, nothing)


def forgotten(net: Network) -> Network:
    """Return the network without anything prepared."""
    return Network(net.nodes, net.lon, net.lat, net.start, net.end, net.length_m, net.time_s)


@functools.cache
def pandana_network(n: int) -> Any:
    """Return pandana's network, prepared."""
    import pandana

    net = synthetic(n)
    weight = pd.DataFrame({"s": net.time_s})
    with quiet():
        return pandana.Network(pd.Series(net.lon), pd.Series(net.lat), pd.Series(net.start), pd.Series(net.end), weight)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Send what a peer's C code prints to nowhere."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


@functools.cache
def routingkit_metric(n: int) -> tuple[Any, Any]:
    """Return RoutingKit's hierarchy and its metric in milliseconds."""
    import routingkit_cch

    net = synthetic(n)
    tail, head = np.r_[net.start, net.end].tolist(), np.r_[net.end, net.start].tolist()
    order = routingkit_cch.compute_order_inertial(n, tail, head, net.lat.tolist(), net.lon.tolist())
    made = routingkit_cch.CCH(order, tail, head, True)
    weight = np.r_[net.time_s, net.time_s]
    return made, routingkit_cch.CCHMetric(made, np.round(weight * 1000).astype(int).tolist())


def one_to_many(metric: Any, origins: np.ndarray, goals: np.ndarray) -> None:
    """Do RoutingKit's matrix, row by row."""
    import routingkit_cch

    pinned = routingkit_cch.CCHOneToMany(metric, goals.tolist())
    for node in origins.tolist():
        pinned.distances_from(node)


def tasks() -> Iterator[Task]:
    """Yield the tasks of a network."""
    yield from _nearest(NODES)
    yield from _matrix(NODES)
    yield from _limits(NODES)


def _nearest(n: int) -> Iterator[Task]:
    net = synthetic(n)
    goals = terminals(net, 1000, 6)
    nodes, size = goals.node[:, 0], f"{n:,} nodes"

    def one() -> object:
        return search.nearest(net, goals)

    def five() -> object:
        return search.k_nearest(net, goals, 5)

    yield Task(f"nearest of 1,000, {size}", "scipy dijkstra(min_only), without whose it is", one,
               lambda: dijkstra(net.matrix, indices=nodes, min_only=True))  # fmt: skip
    some = nodes[:SOME]
    yield Task(f"5 nearest of 1,000, {size}", f"scipy dijkstra, {SOME} sources of 1,000", five,
               lambda: np.argpartition(dijkstra(net.matrix, indices=some), 5, axis=0), times=1000 / SOME)  # fmt: skip
    if find_spec("pandana"):
        theirs = pandana_network(n)
        theirs.set_pois("all", 40_000, 5, pd.Series(net.lon[nodes]), pd.Series(net.lat[nodes]))
        yield Task(f"nearest of 1,000, {size}", "pandana, prepared", one,
                   lambda: theirs.nearest_pois(40_000, "all", num_pois=1))  # fmt: skip
        yield Task(f"5 nearest of 1,000, {size}", "pandana, prepared", five,
                   lambda: theirs.nearest_pois(40_000, "all", num_pois=5))  # fmt: skip


def _matrix(n: int) -> Iterator[Task]:
    net = synthetic(n)
    origins, goals = terminals(net, 1000, 6), terminals(net, 1000, 7)
    i, j, size = origins.node[:, 0], goals.node[:, 0], f"1,000 x 1,000 matrix, {n:,} nodes"
    hierarchy.matrix(net, origins.take(slice(0, 2)), goals.take(slice(0, 2)))

    def cold() -> object:
        return hierarchy.matrix(forgotten(net), origins, goals)

    def warm() -> object:
        return hierarchy.matrix(net, origins, goals)

    def again() -> object:
        return hierarchy.weights(net.with_times(net.time_s * 1.1))

    def scipy_rows() -> object:
        return dijkstra(net.matrix, indices=i[:SOME])[:, j]

    yield Task(f"{size}, cold", f"scipy dijkstra, {SOME} rows of 1,000", cold, scipy_rows, times=1000 / SOME)
    yield Task(f"{size}, prepared", f"scipy dijkstra, {SOME} rows of 1,000", warm, scipy_rows, times=1000 / SOME)
    yield Task(f"change of all speeds, {n:,} nodes", "our own preparation", again,
               lambda: hierarchy.weights(forgotten(net)))  # fmt: skip
    if find_spec("pandana"):
        theirs = pandana_network(n)
        a, b = np.repeat(i[:100], 1000), np.tile(j, 100)
        yield Task(f"{size}, prepared", "pandana, 100 rows of 1,000", warm, lambda: theirs.shortest_path_lengths(a, b),
                   times=10.0)  # fmt: skip

        def from_scratch() -> object:
            pandana_network.cache_clear()
            return pandana_network(n).shortest_path_lengths(a, b)

        yield Task(f"{size}, cold", "pandana, 100 rows of 1,000 (preparation whole)", cold, from_scratch)
    if find_spec("routingkit_cch"):
        metric = routingkit_metric(n)[1]
        yield Task(f"{size}, prepared", "routingkit-cch", warm, lambda: one_to_many(metric, i, j))
        weight = np.round(np.r_[net.time_s, net.time_s] * 1100).astype(int).tolist()
        yield Task(f"change of all speeds, {n:,} nodes", "routingkit-cch", again, lambda: metric.reset(weight))


def _limits(n: int) -> Iterator[Task]:
    net = synthetic(n)
    jobs = terminals(net, 10_000, 8)
    amount, cuts = np.ones((10_000, 1)), np.array([1800.0, 3600.0])
    some = np.random.default_rng(9).choice(jobs.node[:, 0], SOME, replace=False)  # from all parts of the map
    search.tally(net, jobs.take(slice(0, 20)), amount[:20], cuts)

    def scipy_sums() -> object:
        time = dijkstra(net.matrix, indices=some, limit=3600.0)
        return [(time <= cut).sum(axis=0) for cut in cuts]

    yield Task(f"10,000 points within 30 and 60 min of every node, {n:,} nodes", f"scipy dijkstra, {SOME} points",
               lambda: search.tally(net, jobs, amount, cuts), scipy_sums, times=10_000 / SOME)  # fmt: skip
