"""Single roads, second routes and closures, against networkx and by closing one stretch after the other."""

from __future__ import annotations

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kazgeo.accessibility import closure, detour_index, nearest, second_routes, single_roads, weak_points
from kazgeo.errors import InputError
from kazgeo.network import attach, from_edges
from kazgeo.network.stretches import stretches

LAWS = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def studies(draw):
    """Towns at the nodes of a random multigraph with loops and parallel roads, often in several pieces."""
    n = draw(st.integers(2, 10))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    ids = [f"n{i}" for i in range(n)]
    nodes = pd.DataFrame({"lon": rng.uniform(66, 70, n), "lat": rng.uniform(46, 50, n)}, index=ids)
    m = draw(st.integers(1, 16))
    rows = {"from_id": rng.choice(ids, m), "to_id": rng.choice(ids, m), "length_km": rng.uniform(50, 500, m)}
    net = from_edges(pd.DataFrame(rows), nodes, speed_kmh=80)
    on = sorted(set(rows["from_id"]) | set(rows["to_id"]))
    towns = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(nodes.loc[on, "lon"], nodes.loc[on, "lat"]), index=on, crs=4326
    )
    return net, attach(net, towns), rng


@LAWS
@given(studies())
def test_bridges_and_articulation_points_are_those_of_networkx(study):
    net, _, _ = study
    graph = nx.MultiGraph()
    graph.add_nodes_from(range(net.n))
    graph.add_edges_from(zip(net.start.tolist(), net.end.tolist(), range(net.m), strict=True))
    plain = nx.Graph(graph)
    single = {frozenset(e) for e in nx.bridges(plain) if graph.number_of_edges(*e) == 1} if net.m else set()
    weak = weak_points(net)
    for e in range(net.m):
        ends = frozenset((int(net.start[e]), int(net.end[e])))
        assert weak.bridge[e] == (ends in single)
    plain.remove_edges_from(nx.selfloop_edges(plain))
    assert set(np.flatnonzero(weak.cutting).tolist()) == set(nx.articulation_points(plain))
    for e in single:
        graph.remove_edge(*e)
    parts = {frozenset(c) for c in nx.connected_components(graph)}
    assert {frozenset(np.flatnonzero(weak.core == c).tolist()) for c in range(weak.core.max() + 1)} == parts


@LAWS
@given(studies())
def test_second_routes_close_one_stretch_after_the_other(study):
    net, tied, rng = study
    goals = pd.Index(rng.choice(tied.ids, min(2, len(tied.ids)), replace=False))
    found = second_routes(tied, goals).places
    before = nearest(tied, goals).time_s
    pd.testing.assert_series_equal(found["time_s"], before, check_names=False, atol=1e-6)
    cut = stretches(net, tied, tied.take(goals))
    graph = nx.MultiGraph()
    graph.add_nodes_from(range(cut.n))
    for e, (i, j, s) in enumerate(zip(cut.start.tolist(), cut.end.tolist(), cut.time_s.tolist(), strict=True)):
        graph.add_edge(i, j, key=e, weight=s)
    of, to = cut.nodes

    def times(graph):
        found = nx.multi_source_dijkstra_path_length(graph, set(to.tolist()), weight="weight")
        return np.array([found.get(v, np.inf) for v in of.tolist()])

    worst = times(graph)
    for i, j, e in list(graph.edges(keys=True)):
        data = graph.edges[i, j, e]
        graph.remove_edge(i, j, e)
        worst = np.maximum(worst, times(graph))
        graph.add_edge(i, j, key=e, **data)
    legs = tied.leg_s.to_numpy()
    own = tied.ids.isin(goals)
    reached = before.notna().to_numpy()
    np.testing.assert_array_equal(found["cut_off"].to_numpy()[~own], (np.isinf(worst) & reached)[~own])
    keeps = ~own & reached & np.isfinite(worst)
    extra = legs[keeps] + tied.take(goals).leg_s.max()
    np.testing.assert_allclose(found["second_s"].to_numpy()[keeps], worst[keeps], atol=1e-3 + extra.max(initial=0))


def example():
    """A triangle A, B, C with a road from B to D, and one on to E."""
    nodes = pd.DataFrame({"lon": [70.0, 71, 71, 73, 75], "lat": [50.0, 50, 51, 50, 50]}, index=list("abcde"))
    edges = pd.DataFrame({"from_id": list("abcbd"), "to_id": list("bcade"), "length_km": 80.0})
    towns = gpd.GeoDataFrame(geometry=gpd.points_from_xy(nodes["lon"], nodes["lat"]), index=list("ABCDE"), crs=4326)
    return attach(from_edges(edges, nodes, speed_kmh=80), towns), towns


def test_single_roads_by_hand():
    tied, towns = example()
    people = pd.Series({"A": 900.0, "B": 800.0, "C": 700.0, "D": 50.0, "E": np.nan})
    found = single_roads(tied, people=people, facilities=pd.Index(["A"]))
    assert found.places["single_road"].tolist() == [False, False, False, True, True]
    assert found.places["roads"].tolist() == [0, 0, 0, 1, 2]
    assert found.places["edge"].tolist() == [-1, -1, -1, 3, 4]
    table = found.bridges.set_index("edge")
    assert table["places"].to_dict() == {3: 2, 4: 1}
    assert table["people"].to_dict() == {3: 50, 4: 0}
    assert table["places_lose"].to_dict() == {3: 2, 4: 1}
    assert found.unknown == 1
    shut = closure(tied, pd.Index(["A"]), 3, people=people)
    assert shut.places["change"].tolist() == ["same", "same", "same", "lost", "lost"]
    assert shut.unsatisfied == pytest.approx(50 / 2450)
    around = closure(tied, pd.Index(["A"]), 0)
    assert around.places["longer_s"].round().tolist() == [0, 3600, 0, 3600, 3600]
    index = detour_index(tied, towns, pd.Index(["B"])).table
    assert index.loc["A", "detour"] == pytest.approx(80_000 / 71_697, rel=1e-3)


def test_what_is_refused():
    tied, _ = example()
    for call, says in [
        (lambda: single_roads(tied, people=pd.Series({"A": 1.0})), "people must hold every place once"),
        (lambda: single_roads(tied, people=pd.Series(-1.0, index=tied.ids)), "people must not be negative"),
        (lambda: single_roads(tied.take(tied.ids[:0])), "no place is tied"),
        (lambda: second_routes(tied, pd.Index([])), "no destination is given"),
        (lambda: closure(tied, pd.Index(["A"]), 7), "edges must be positions from 0 to 4"),
    ]:
        with pytest.raises(InputError, match=says):
            call()
