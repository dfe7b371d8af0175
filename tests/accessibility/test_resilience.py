"""Closed roads: bridges against networkx, second routes and closures against closing every road by hand."""

from __future__ import annotations

import dataclasses

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kazgeo.accessibility import nearest
from kazgeo.accessibility.detour import detour_index, detour_pairs
from kazgeo.accessibility.resilience import closure, second_routes, single_roads, weak_points
from kazgeo.crs import COUNTRY
from kazgeo.errors import InputError
from kazgeo.network import Access, Attached, Network
from tests.accessibility.test_isochrones import country, flat, stand

LAWS = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@LAWS
@given(st.integers(0, 10**6), st.integers(1, 30), st.integers(0, 45))
def test_weak_points_are_those_of_networkx(seed, n, m):
    rng = np.random.default_rng(seed)
    start, end = rng.integers(0, n, m), rng.integers(0, n, m)
    closed = rng.random(m) < 0.1
    time = np.where(closed, np.inf, 60.0)
    net = Network(pd.RangeIndex(n), np.zeros(n), np.zeros(n), start, end, np.ones(m), time)
    weak = weak_points(net)
    graph = nx.MultiGraph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from((a, b, k) for k, (a, b) in enumerate(zip(start, end, strict=True)) if not closed[k])
    simple = nx.Graph((a, b) for a, b in graph.edges() if a != b)
    simple.add_nodes_from(range(n))
    twins = [a != b and not closed[k] and graph.number_of_edges(a, b) == 1
             for k, (a, b) in enumerate(zip(start.tolist(), end.tolist(), strict=True))]  # fmt: skip
    pairs = {frozenset(e) for e in nx.bridges(simple)}
    wanted = [t and frozenset((a, b)) in pairs
              for t, a, b in zip(twins, start.tolist(), end.tolist(), strict=True)]  # fmt: skip
    assert weak.bridge.tolist() == wanted
    assert set(np.flatnonzero(weak.cutting).tolist()) == set(nx.articulation_points(simple))
    rest = nx.Graph((start[k], end[k]) for k in range(m) if not closed[k] and not weak.bridge[k])
    rest.add_nodes_from(range(n))
    parts = {frozenset(c) for c in nx.connected_components(rest)}
    found = {frozenset(np.flatnonzero(weak.core == c).tolist()) for c in np.unique(weak.core)}
    assert found == parts


def test_a_long_chain_needs_no_recursion():
    n = 200_000
    every = np.arange(n)
    net = Network(pd.RangeIndex(n), np.zeros(n), np.zeros(n), every[:-1], every[1:], np.ones(n - 1), np.ones(n - 1))
    weak = weak_points(net)
    assert weak.bridge.all()
    assert weak.cutting.sum() == n - 2


def town():
    """A ring of four junctions, a spur to the east with a place on it and one at its end, and an island of roads."""
    ring = [((0, 0), (10, 0)), ((10, 0), (10, 10)), ((10, 10), (0, 10)), ((0, 10), (0, 0))]
    net = flat([*ring, ((10, 0), (40, 0)), ((100, 100), (120, 100))], speed_kmh=60)
    return stand(net, (0, 0), (10, 10), (20, 0), (40, 0), (5, 0), (110, 100))


def test_single_roads_by_hand():
    tied = town()
    people = pd.Series([100, 50, 7, np.nan, 3, 1000], index=tied.ids, dtype=float)
    found = single_roads(tied, people=people.where(people != 1000, 1.0), facilities=pd.Index(["o0", "o3"]))
    assert found.places["single_road"].tolist() == [False, False, True, True, False, pd.NA]
    assert found.places["roads"].tolist()[:5] == [0, 0, 1, 2, 0]
    assert found.places["edge"].tolist()[:5] == [-1, -1, 4, 4, -1]
    assert found.unknown == 1
    assert found.dropped.values.tolist() == [["o5", "on a part of the network apart from the main one"]]
    table = found.bridges
    assert table["places"].tolist() == [2, 1]
    assert table["people"].tolist() == [7, 0]
    assert table["length_m"].tolist() == pytest.approx([10_000, 20_000], abs=1)
    assert table["places_lose"].tolist() == [0, 0]  # a facility on both sides
    far = single_roads(tied, people=people.where(people != 1000, 1.0), facilities=pd.Index(["o3"])).bridges
    assert far["places_lose"].tolist() == [3, 4]
    assert far["people_lose"].tolist() == [153, 160]
    near = single_roads(tied, people=people.where(people != 1000, 1.0), facilities=pd.Index(["o1"])).bridges
    assert near["places_lose"].tolist() == [2, 1]
    np.testing.assert_allclose(table.geometry.length, [10_000, 20_000], atol=1)


def test_the_main_network_is_where_people_live():
    tied = town()
    people = pd.Series([1, 1, 1, 1, 1, 1000], index=tied.ids)
    found = single_roads(tied, people=people)
    assert found.places["single_road"].isna().tolist() == [True] * 5 + [False]
    assert len(found.bridges) == 0
    assert single_roads(tied).places["single_road"].isna().sum() == 1


def as_nodes(tied):
    """Places of a random country moved to the nearest end of their edge, so that edges are stretches."""
    return dataclasses.replace(tied, share=tied.share.round())


@pytest.mark.slow
@settings(LAWS, max_examples=25)
@given(country(), st.sampled_from(["to", "from"]))
def test_second_routes_are_the_worst_of_all_closures(example, direction):
    """All places stand at junctions; every edge is closed in turn."""
    tied, _ = example
    tied = as_nodes(tied)
    goals = tied.ids[tied.tied][:2]
    found = second_routes(tied, goals, direction=direction)
    plain = nearest(tied, goals, direction=direction).time_s
    np.testing.assert_allclose(found.places["time_s"], plain, rtol=1e-9, atol=1e-6)
    worst = plain.fillna(np.inf).to_numpy()
    closed = [closure(tied, goals, e, direction=direction).places for e in range(tied.network.m)]
    for table in closed:
        worst = np.maximum(worst, table["after_s"].fillna(np.inf).to_numpy())
    reached = plain.notna().to_numpy()
    got = found.places["second_s"].fillna(np.inf).to_numpy()
    np.testing.assert_allclose(got[reached], worst[reached], rtol=1e-9, atol=1e-6)
    assert (found.places["cut_off"].to_numpy() == (reached & np.isinf(worst))).all()
    for who, edge in found.places["edge"].items():
        if edge >= 0:
            after = closed[edge].loc[who, "after_s"]
            want = found.places.loc[who, "second_s"]
            assert (np.isnan(after) and np.isnan(want)) or after == pytest.approx(want, rel=1e-9, abs=1e-6)
    mixed = second_routes(tied.take(tied.ids[::-1]), goals[::-1], direction=direction).places
    pd.testing.assert_frame_equal(mixed.loc[tied.ids][["time_s", "second_s"]], found.places[["time_s", "second_s"]])


def test_second_routes_from_the_middle_of_roads():
    """On a ring of 40 km at 60 km/h: a place 5 km from the facility goes 35 km when the road between is closed."""
    tied = town()
    found = second_routes(tied, pd.Index(["o0"])).places
    assert (found["time_s"] / 60).tolist()[:5] == pytest.approx([0, 20, 20, 40, 5], abs=0.1)
    assert (found["second_s"] / 60).tolist()[4] == pytest.approx(35, abs=0.1)
    assert (found["second_s"] / 60).tolist()[1] == pytest.approx(20, abs=0.1)  # both ways round are 20 km
    assert found["edge"].tolist()[1] == -1
    assert found["cut_off"].tolist() == [False, False, True, True, False, False]
    assert found["edge"].tolist()[2:4] == [4, 4]
    assert found["extra_s"].tolist()[4] / 60 == pytest.approx(30, abs=0.1)
    middle = second_routes(tied, pd.Index(["o4"])).places  # the facility itself stands in the middle of a road
    assert (middle["time_s"] / 60).tolist()[:2] == pytest.approx([5, 15], abs=0.1)
    assert (middle["second_s"] / 60).tolist()[:2] == pytest.approx([35, 25], abs=0.1)


def test_closures_by_hand():
    tied = town()
    people = pd.Series([100, 50, 7, np.nan, 3, 20], index=tied.ids)
    found = closure(tied, pd.Index(["o0"]), [0], people=people)
    # o2: 10 + 10 km become 10 + 30; o1 has another way as short; o4 stood in the middle of the closed road
    assert found.places["change"].fillna("-").tolist() == ["same", "same", "longer", "longer", "lost", "-"]
    assert found.places["longer_s"].tolist()[2] / 60 == pytest.approx(20, abs=0.1)
    assert found.importance_s == pytest.approx(7 * 1200 / 157, rel=1e-3)
    assert found.unsatisfied == pytest.approx(3 / 160)
    assert found.dropped["unit"].tolist() == ["o5"]
    both = closure(tied, pd.Index(["o0"]), [4, 5], people=people)
    assert both.places["change"].fillna("-").tolist() == ["same", "same", "lost", "lost", "same", "-"]
    assert tied.network.topology.prepared  # nothing of it was thrown away
    for edges in (-1, 6, [0, 99], 1.5):
        with pytest.raises(InputError, match="edges must be positions from 0 to 5"):
            closure(tied, pd.Index(["o0"]), edges)
    with pytest.raises(InputError, match="people must not be negative"):
        closure(tied, pd.Index(["o0"]), 0, people=people.fillna(-1))
    with pytest.raises(InputError, match="people must hold every place once; missing: 'o5'"):
        single_roads(tied, people=people.iloc[:5])


@LAWS
@given(country())
def test_places_beyond_a_bridge_are_those_a_closure_cuts_off(example):
    """Roads open both ways: with the facility on the main side, closing a bridge loses just the places beyond it."""
    tied, _ = example
    net = tied.network
    net = Network(net.nodes, net.lon, net.lat, net.start, net.end, net.length_m,
                  np.where(np.isinf(net.time_s), 60.0, net.time_s))  # fmt: skip
    tied = Attached(net, tied.edge, tied.share.round(), tied.leg_m, tied.leg_s, tied.distance_m, tied.lon, tied.lat)
    found = single_roads(tied)
    main = found.places.index[(found.places["roads"] == 0).fillna(False)]
    assert len(main)
    for row in found.bridges.itertuples():
        lost = closure(tied, main[:1], row.edge).places["change"] == "lost"
        assert lost.sum() == row.places
        assert set(lost.index[lost]) <= set(found.places.index[found.places["single_road"].fillna(False)])
    on = found.places["edge"].dropna()
    assert set(on[on >= 0]) <= set(found.bridges["edge"])
    first = found.places[found.places["single_road"].fillna(False)]
    assert found.bridges["edge"].loc[first["bridge"].astype(int)].tolist() == first["edge"].tolist()
    assert found.bridges["roads"].loc[first["bridge"].astype(int)].tolist() == first["roads"].tolist()


def test_detours_by_hand():
    """Round two sides of a right-angled triangle."""
    net = flat([((0, 0), (30, 0)), ((30, 0), (30, 40)), ((200, 200), (210, 200))])
    tied = stand(net, (0, 0), (30, 40), (205, 200), access=Access(limit_m=5000))
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy([0, 30_000, 205_000], [0, 40_000, 200_000]), index=tied.ids,
                              crs=COUNTRY)  # fmt: skip
    found = detour_index(tied, points.iloc[::-1], pd.Index(["o0"]))
    assert found.table["road_m"].tolist()[:2] == pytest.approx([0, 70_000], abs=1)
    assert found.table["detour"].tolist()[1] == pytest.approx(1.4, rel=0.005)  # the plane is true to 0.43 %
    assert np.isnan(found.table["detour"].tolist()[0])
    assert found.dropped["unit"].tolist() == ["o2"]
    pairs = pd.DataFrame({"origin": ["o1", "o0", "o2"], "destination": ["o0", "o0", "o1"]}, index=[5, 3, 1])
    got = detour_pairs(tied, points, pairs)
    assert got.table["detour"].tolist()[:1] == found.table["detour"].tolist()[1:2]
    assert got.table["road_m"].tolist()[1] == 0
    assert got.table.index.tolist() == [5, 3, 1]
    assert got.dropped.values.tolist() == [[("o2", "o1"), "no way by road"]]
    with pytest.raises(InputError, match="points must hold every place once; missing: 'o2'"):
        detour_index(tied, points.iloc[:2], pd.Index(["o0"]))
    with pytest.raises(InputError, match="destination is missing"):
        detour_pairs(tied, points, pairs[["origin"]])
    with pytest.raises(InputError, match="not among the places: 'x'"):
        detour_pairs(tied, points, pairs.replace("o0", "x"))


def test_one_node_and_no_facility():
    at = flat([((0, 0), (1, 0))])
    tied = stand(at, (0, 0))
    assert second_routes(tied, tied.ids).places["second_s"].tolist() == [0]
    with pytest.raises(InputError, match="no destination is given"):
        second_routes(tied, pd.Index([]))
