"""Engines against scipy's Dijkstra on random directed graphs: loops, parallel edges, closed ways, several parts."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pandas as pd
import pytest
import scipy.sparse.csgraph as csgraph
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kazgeo.errors import InputError
from kazgeo.network import Network, Terminals
from kazgeo.progress import silent
from kazgeo.routing import hierarchy, search
from tests.benchmarks.roads import synthetic

LAWS = settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
#: Relative difference from scipy: both add the same numbers in another order.
RTOL = 1e-12


@st.composite
def networks(draw):
    """A graph drawn at random: nodes in one spot too, times of very different size, ways closed in one direction."""
    n, m = draw(st.integers(1, 40)), draw(st.integers(0, 90))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    spread = draw(st.sampled_from([0.0, 1.0]))
    lon, lat = 60 + spread * rng.uniform(0, 9, n), 45 + spread * rng.uniform(0, 9, n)
    start, end = rng.integers(0, n, m), rng.integers(0, n, m)
    time = rng.choice([1e-3, 1.0, 1.0, 7.5, 1e4], m) * rng.choice([1.0, 1.0, rng.uniform(0.5, 2)], m)
    back = np.where(rng.random(m) < 0.3, np.inf, time * rng.choice([1.0, 3.0], m)) if draw(st.booleans()) else None
    time = np.where(rng.random(m) < 0.1, np.inf, time)
    return Network(pd.RangeIndex(n), lon, lat, start, end, np.ones(m), time, back), rng


def terminals(net, rng, count):
    """Some hang on a node, some on both ends of an edge, some on nothing."""
    node = np.full((count, 2), -1)
    node[:, 0] = rng.integers(0, net.n, count)
    if net.m:
        edge = rng.integers(0, net.m, count)
        both = rng.random(count) < 0.5
        node[both] = np.c_[net.start[edge], net.end[edge]][both]
    node[rng.random(count) < 0.1] = -1
    offset = np.where(node >= 0, rng.choice([0.0, 0.5, 40.0], (count, 2)), np.inf)
    return Terminals(node, offset, offset * 10)


def to_terminals(net, goals):
    """Seconds from every node to every terminal by scipy, shape (n, terminals)."""
    between = csgraph.dijkstra(net.matrix)
    ways = [
        np.where(goals.node[:, s] >= 0, between[:, goals.node[:, s]] + goals.offset_s[:, s], np.inf) for s in (0, 1)
    ]
    return np.minimum(*ways)


@LAWS
@given(networks(), st.integers(0, 12), st.booleans())
def test_the_nearest_and_the_k_nearest(example, count, shared):
    net, rng = example
    goals = terminals(net, rng, count)
    truth = to_terminals(net, goals)
    before = search.SHARED_NODES, search.SHARED_SEEDS
    search.SHARED_NODES, search.SHARED_SEEDS = (0, 0) if shared else before
    try:
        found = search.nearest(net, goals)
    finally:
        search.SHARED_NODES, search.SHARED_SEEDS = before
    least = truth.min(axis=1, initial=np.inf)
    np.testing.assert_allclose(found.time_s, least, rtol=RTOL)
    assert ((found.owner >= 0) == np.isfinite(least)).all()
    at = np.flatnonzero(found.owner >= 0)
    np.testing.assert_allclose(truth[at, found.owner[at]], least[at], rtol=RTOL)
    k = 3
    several = search.k_nearest(net, goals, k)
    padded = np.sort(np.c_[truth, np.full((net.n, k), np.inf)], axis=1)[:, :k]
    np.testing.assert_allclose(several.time_s, padded, rtol=RTOL)
    for row, owners in zip(several.time_s, several.owner, strict=True):
        named = owners[np.isfinite(row)]
        assert len(set(named.tolist())) == len(named)
        assert (owners[np.isinf(row)] == -1).all()
    np.testing.assert_array_equal(several.time_s[:, 0], found.time_s)
    np.testing.assert_array_equal(several.owner[:, 0], found.owner)
    forth = search.nearest(net, goals, reverse=False)
    between = csgraph.dijkstra(net.matrix)
    ways = [goals.offset_s[:, s, None] + between[goals.node[:, s]] for s in (0, 1)]
    away = np.where(goals.node[..., None] >= 0, np.stack(ways, axis=1), np.inf)
    np.testing.assert_allclose(forth.time_s, away.min(axis=(0, 1), initial=np.inf), rtol=RTOL)


@LAWS
@given(networks(), st.integers(1, 12))
def test_all_within_a_limit(example, count):
    net, rng = example
    goals = terminals(net, rng, count)
    truth = to_terminals(net, goals)
    cuts = np.array([0.0, 1.25, 100.0])
    amount = rng.integers(0, 9, (count, 2)).astype(float)
    near = [np.where(truth <= cut * (1 + 1e-12), 1.0, 0.0) @ amount for cut in cuts]
    np.testing.assert_allclose(search.tally(net, goals, amount, cuts), near)
    found = np.full(truth.shape, np.inf)
    for who, node, time in search.reached(net, goals, 100.0):
        assert np.isinf(found[node, who]).all()
        found[node, who] = time
    np.testing.assert_allclose(found, np.where(truth <= 100.0 * (1 + 1e-12), truth, np.inf), rtol=RTOL)


@pytest.mark.slow
@LAWS
@given(st.integers(0, 2**32 - 1), st.sampled_from([300.0, 1800.0, 20_000.0]), st.booleans())
def test_neighbours_searched_from_together_give_what_each_gives_alone(seed, limit, one_way):
    rng = np.random.default_rng(seed)
    net = synthetic(2000)
    if one_way:
        net = net.with_times(net.time_s, np.where(rng.random(net.m) < 0.2, np.inf, net.time_s))
    node = np.c_[np.sort(rng.choice(60, 13)), np.where(rng.random(13) < 0.5, rng.integers(0, 60, 13), -1)]
    goals = Terminals(node, rng.uniform(0, 400, (13, 2)), np.zeros((13, 2)))
    amount, cuts = 2.0 ** np.arange(13)[:, None], np.array([limit / 3, limit])
    alone = sum(search.tally(net, goals.take([i]), amount[[i]], cuts) for i in range(13))
    np.testing.assert_array_equal(search.tally(net, goals, amount, cuts), alone)  # each bit is one terminal


@LAWS
@given(networks(), st.integers(0, 9), st.integers(0, 9))
def test_the_matrix(example, rows, columns):
    net, rng = example
    origins, goals = terminals(net, rng, rows), terminals(net, rng, columns)
    truth = to_terminals(net, goals)
    ways = [np.where(origins.node[:, s, None] >= 0, origins.offset_s[:, s, None] + truth[origins.node[:, s]], np.inf)
            for s in (0, 1)]  # fmt: skip
    wanted = np.minimum(*ways)
    found = hierarchy.matrix(net, origins, goals)
    np.testing.assert_allclose(found, np.where(np.isinf(wanted), np.nan, wanted), rtol=RTOL)
    slower = net.with_times(net.time_s * 2, None if net.back_s is None else net.back_s * 2)
    assert slower.topology.prepared["hierarchy"] is net.topology.prepared["hierarchy"]
    again = hierarchy.matrix(slower, origins.take([]), goals)
    assert again.shape == (0, columns)


@LAWS
@given(networks())
def test_routes_lead_to_the_first_of_the_nearest_by_the_shortest_way(example):
    net, rng = example
    goals = terminals(net, rng, 4)
    found = search.nearest(net, goals)
    metres, owner = search.routes(net, goals, found.time_s, slack_s=0.0)
    np.testing.assert_array_equal(owner, found.owner)
    assert (np.isfinite(metres) == np.isfinite(found.time_s)).all()


def test_the_country_sized_matrix_is_refused_before_it_starts():
    net = synthetic(2000)
    many = Terminals(np.zeros((200_000, 2), int), np.zeros((200_000, 2)), np.zeros((200_000, 2)))
    with pytest.raises(InputError, match=r"200,000 x 200,000 travel times would take 320\.0 GB"):
        hierarchy.matrix(net, many, many)
    with pytest.raises(InputError, match=r"sums of 100 times and 1000 kinds for 2000 nodes would take 4\.8 GB"):
        search.tally(net, many.take([0]), np.zeros((1, 1000)), np.arange(100.0))


class Stop(Exception):
    pass


def test_matrices_report_and_can_be_stopped():
    net = synthetic(2000)
    every = Terminals(np.c_[np.arange(600), np.full(600, -1)], np.zeros((600, 2)), np.zeros((600, 2)))
    told = []
    hierarchy.matrix(net, every, every, progress=lambda f, m: told.append((f, m)))
    shares = [f for f, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1

    def stop(fraction, message):
        raise Stop

    with pytest.raises(Stop):
        hierarchy.matrix(net, every, every, progress=stop)
    assert silent(0, "") is None


@pytest.mark.slow
def test_a_map_of_fifty_thousand_nodes():
    """Nearest, matrix and sums against scipy on a realistic map, in parts and threads."""
    net = synthetic(50_000)
    rng = np.random.default_rng(8)
    node = rng.choice(net.n, 300, replace=False)
    goals = Terminals(np.c_[node, np.full(300, -1)], np.zeros((300, 2)), np.zeros((300, 2)))
    one_way = net.with_times(net.time_s, np.where(rng.random(net.m) < 0.1, np.inf, net.time_s * 1.5))
    truth = csgraph.dijkstra(one_way.matrix.T, indices=node)
    found = search.nearest(one_way, goals)
    np.testing.assert_allclose(found.time_s, truth.min(axis=0), rtol=1e-9)
    between = hierarchy.matrix(one_way, goals, goals)
    np.testing.assert_allclose(between, np.where(np.isinf(truth[:, node].T), np.nan, truth[:, node].T), rtol=1e-9)
    sums = search.tally(one_way, goals, np.ones((300, 1)), np.array([1800.0]))
    assert np.abs(sums[0, :, 0] - (truth <= 1800).sum(axis=0)).max() == 0


@pytest.mark.slow
def test_processes_give_the_same_numbers():
    net = synthetic(5000)
    node = np.random.default_rng(3).choice(net.n, 600, replace=False)
    some = Terminals(np.c_[node, np.full(600, -1)], np.zeros((600, 2)), np.zeros((600, 2)))
    amount, cuts = np.random.default_rng(4).random((600, 2)), np.array([600.0, 1800.0])
    here = [
        hierarchy.matrix(net, some, some),
        search.tally(net, some, amount, cuts),
        *zip(*search.reached(net, some, 900.0), strict=True),
    ]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        there = [
            hierarchy.matrix(net, some, some, executor=pool),
            search.tally(net, some, amount, cuts, executor=pool),
            *zip(*search.reached(net, some, 900.0, executor=pool), strict=True),
        ]
    for a, b in zip(here, there, strict=True):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_array_equal(x, y)
