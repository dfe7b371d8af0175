"""Travel times between places: all pairs, pairs within a limit, and the same by hand and by scipy."""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import scipy.sparse.csgraph as csgraph
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kazgeo.accessibility import k_nearest, nearest
from kazgeo.accessibility.travel import reachable_from_nodes, travel_times
from kazgeo.errors import InputError
from kazgeo.network import Access, attach, from_edges

LAWS = settings(max_examples=50, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def studies(draw):
    """Roads at random, some of one way, and places beside them: several on one road, some far from all."""
    n = draw(st.integers(2, 9))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    ids = [f"n{i}" for i in range(n)]
    nodes = pd.DataFrame({"lon": rng.uniform(66, 70, n), "lat": rng.uniform(46, 50, n)}, index=ids)
    m = draw(st.integers(1, 14))
    rows = {"from_id": rng.choice(ids, m), "to_id": rng.choice(ids, m), "length_km": rng.uniform(50, 500, m)}
    net = from_edges(pd.DataFrame(rows), nodes, speed_kmh=80)
    if draw(st.booleans()):
        net = net.with_times(net.time_s, np.where(rng.random(m) < 0.4, np.inf, net.time_s * 1.5))
    at = gpd.points_from_xy(rng.uniform(65.5, 70.5, 12), rng.uniform(45.5, 50.5, 12))
    places = gpd.GeoDataFrame(geometry=at, index=[f"p{i:02d}" for i in range(12)], crs=4326)
    return attach(net, places, Access(limit_m=60_000)), rng


def by_cutting(origins, goals):
    """The truth by another way: every road is cut at all places on it, and scipy walks the pieces."""
    net, places = (
        origins.network,
        [*((0, i) for i in range(len(origins.ids))), *((1, j) for j in range(len(goals.ids)))],
    )
    start, end, time, back = [], [], [], []
    count, of = net.n, {}
    cuts = {e: [(0.0, int(net.start[e])), (1.0, int(net.end[e]))] for e in range(net.m)}
    for which, k in places:
        tied = (origins, goals)[which]
        if tied.edge.iloc[k] < 0:
            continue
        road, own = count, count + 1
        count += 2
        of[which, k] = own
        cuts[tied.edge.iloc[k]].append((tied.share.iloc[k], road))
        start.append(road), end.append(own), time.append(tied.leg_s.iloc[k]), back.append(tied.leg_s.iloc[k])
    for e, spots in cuts.items():
        inner = sorted(spots[2:])
        chain = [spots[0], *inner, spots[1]]
        for (s, a), (t, b) in itertools.pairwise(chain):
            start.append(a), end.append(b)
            time.append((t - s) * net.time_s[e]), back.append((t - s) * net.backwards_s[e])
    seconds = np.r_[time, back] + 1e-9
    graph = pd.DataFrame({"i": np.r_[start, end], "j": np.r_[end, start], "s": seconds})
    graph = graph[np.isfinite(graph["s"])].groupby(["i", "j"])["s"].min().reset_index()
    between = csgraph.dijkstra(sp.csr_array((graph["s"], (graph["i"], graph["j"])), shape=(count, count)))
    out = np.full((len(origins.ids), len(goals.ids)), np.nan)
    for i in range(len(origins.ids)):
        for j in range(len(goals.ids)):
            if origins.ids[i] == goals.ids[j] and np.isfinite(origins.lon.iloc[i]):
                out[i, j] = 0
            elif (0, i) in of and (1, j) in of:
                found = between[of[0, i], of[1, j]]
                out[i, j] = found if np.isfinite(found) else np.nan
    return pd.DataFrame(out, origins.ids, goals.ids)


@LAWS
@given(studies(), st.sampled_from([0.0, 1800.0, 7200.0, 40_000.0]))
def test_all_pairs_and_those_within_a_limit(study, limit):
    tied, _ = study
    goals = tied.take(tied.ids[:5])
    truth = by_cutting(tied, goals)
    found = travel_times(tied, goals).to_dense()
    pd.testing.assert_frame_equal(found, truth, check_names=False, atol=1e-6, rtol=1e-9)
    for origins, to in ((tied, goals), (goals, tied)):
        every = travel_times(origins, to).to_dense()
        near = travel_times(origins, to, limit_s=limit).to_dense()
        pd.testing.assert_frame_equal(near, every.where(every <= limit * (1 + 1e-12)), atol=1e-9, rtol=1e-12)


@LAWS
@given(studies(), st.integers(1, 4))
def test_the_nearest_few_are_those_of_the_matrix(study, k):
    tied, _ = study
    goals = tied.ids[:5]
    if not tied.take(goals).tied.any():
        return
    for direction in ("to", "from"):
        forth = direction == "to"
        some = tied.take(goals)
        every = travel_times(tied, some).to_dense() if forth else travel_times(some, tied).to_dense().T
        first = nearest(tied, goals, direction=direction)
        pd.testing.assert_series_equal(first.time_s, every.min(axis=1), check_names=False, atol=1e-9)
        few = k_nearest(tied, goals, k, direction=direction)
        for place, rows in few.times.groupby("origin"):
            wanted = np.sort(every.loc[place].dropna())[:k]
            np.testing.assert_allclose(rows["time_s"], wanted, atol=1e-9)
            np.testing.assert_allclose(every.loc[place, rows["destination"]], wanted, atol=1e-9)
        assert set(few.dropped["unit"]) == set(every.index[every.isna().all(axis=1)])


@LAWS
@given(studies())
def test_what_nodes_reach(study):
    tied, rng = study
    people = pd.Series(rng.integers(0, 100, len(tied.ids)).astype(float), index=tied.ids, name="people")
    found = reachable_from_nodes(tied, people.sample(frac=1, random_state=1), [600, 9000])["people"]
    arrive, between = tied.arriving(), csgraph.dijkstra(tied.network.matrix)
    ways = [np.where(arrive.node[:, s] >= 0, between[:, arrive.node[:, s]] + arrive.offset_s[:, s], np.inf)
            for s in (0, 1)]  # fmt: skip
    time = np.minimum(*ways)
    for cut in (600, 9000):
        np.testing.assert_allclose(found[cut], (time <= cut) @ people)


def line(kmh=60.0):
    nodes = pd.DataFrame({"lon": [70.0, 71.0, 72.0], "lat": [50.0] * 3}, index=list("abc"))
    edges = pd.DataFrame({"from_id": ["a", "b"], "to_id": ["b", "c"], "length_km": [60.0, 60.0]})
    return from_edges(edges, nodes, speed_kmh=kmh), nodes


def test_what_is_refused():
    net, nodes = line()
    places = gpd.GeoDataFrame(geometry=gpd.points_from_xy(nodes["lon"], nodes["lat"]), index=nodes.index, crs=4326)
    tied = attach(net, places)
    other = attach(line()[0], places)
    with pytest.raises(InputError, match="tied to the same network"):
        travel_times(tied, other)
    with pytest.raises(InputError, match="tied to the same network"):
        nearest(tied, other)
    for limit in (-1.0, float("nan"), "soon"):
        with pytest.raises(InputError, match="limit_s"):
            travel_times(tied, tied, limit_s=limit)
    beds = pd.Series([1.0, 2.0, 3.0], index=nodes.index)
    for amounts, cuts, says in [
        (beds, [], "thresholds_s must be seconds"),
        (beds, [60, 60], "thresholds_s must be seconds of at least 0 that increase"),
        (beds, [-1, 60], "thresholds_s"),
        (beds.rename({"a": "z"}), [60], "must have the same units"),
        (beds - 2, [60], "amounts must be finite numbers of at least 0; they are not at 'a'"),
        (beds * np.inf, [60], "amounts must be finite"),
    ]:
        with pytest.raises(InputError, match=says):
            reachable_from_nodes(tied, amounts, cuts)
    with pytest.raises(InputError, match="k must be"):
        k_nearest(tied, nodes.index, 0)
    with pytest.raises(InputError, match="direction"):
        nearest(tied, nodes.index, direction="up")


def test_a_limit_of_zero_and_a_network_of_one_node():
    net, nodes = line()
    places = gpd.GeoDataFrame(geometry=[shapely.Point(70, 50)] * 2, index=["x", "y"], crs=4326)
    tied = attach(net, places)
    assert travel_times(tied, tied, limit_s=0).to_dense().to_numpy().tolist() == [[0, 0], [0, 0]]
    loop = from_edges(pd.DataFrame({"from_id": ["a"], "to_id": ["a"], "length_km": [5.0]}), nodes.iloc[:1])
    alone = attach(loop, places)
    assert travel_times(alone, alone).to_dense().to_numpy().tolist() == [[0, 0], [0, 0]]
