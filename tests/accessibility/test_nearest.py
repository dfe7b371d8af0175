"""Travel times against networkx and the back of an envelope; ties, gaps and routes."""

from __future__ import annotations

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kazgeo.accessibility import k_nearest, nearest
from kazgeo.crs import COUNTRY
from kazgeo.errors import InputError
from kazgeo.network import Access, attach, from_edges

SLOW = [HealthCheck.too_slow]  # a busy machine is no fault of the law
LAWS = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=SLOW)
#: A place at a node still has a leg of a millimetre, and its edge is cut there.
LEGS_S, LEGS_M = 1e-3, 0.01


def table(*rows):
    return pd.DataFrame(rows, columns=["from_id", "to_id", "length_km"])


def towns(nodes):
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(nodes["lon"], nodes["lat"]), index=nodes.index, crs=4326)


@st.composite
def graphs(draw):
    """Nodes at random, roads between any two of them, parallel ones too, often in several parts; speeds by road."""
    n = draw(st.integers(3, 12))
    seed = draw(st.integers(0, 10**6))
    rng = np.random.default_rng(seed)
    ids = [f"n{i:02d}" for i in range(n)]
    nodes = pd.DataFrame({"lon": rng.uniform(60, 75, n), "lat": rng.uniform(43, 53, n)}, index=ids)
    ends = draw(st.lists(st.tuples(st.sampled_from(ids), st.sampled_from(ids)), min_size=1, max_size=20))
    rows = [(a, b, rng.uniform(50, 500)) for a, b in ends if a != b] or [(ids[0], ids[1], 100.0)]
    edges = table(*rows).assign(kmh=rng.choice([60.0, 90.0, 120.0], len(rows)))
    return nodes, edges, rng


def reference(edges):
    """The same roads in networkx, the quickest of parallel ones."""
    graph = nx.Graph()
    for a, b, km, kmh in edges.itertuples(index=False):
        seconds = km / kmh * 3600
        if not graph.has_edge(a, b) or graph[a][b]["s"] > seconds:
            graph.add_edge(a, b, s=seconds, m=km * 1000)
    return graph


@LAWS
@given(graphs(), st.integers(1, 3))
def test_times_and_routes_are_those_of_networkx(example, count):
    nodes, edges, rng = example
    on_road = nodes.loc[sorted(set(edges["from_id"]) | set(edges["to_id"]))]
    chosen = list(rng.choice(on_road.index, min(count, len(on_road)), replace=False))
    graph = reference(edges)
    seconds, routes = nx.multi_source_dijkstra(graph, chosen, weight="s")
    tied = attach(from_edges(edges, nodes, speed_kmh="kmh"), towns(on_road))
    found = nearest(tied, pd.Index(chosen))
    assert set(found.time_s.dropna().index) == set(seconds)
    for town, truth in seconds.items():
        assert found.time_s[town] == pytest.approx(truth, abs=LEGS_S)
        assert found.destination[town] == routes[town][0]
        metres = sum(graph[a][b]["m"] for a, b in zip(routes[town][:-1], routes[town][1:], strict=True))
        assert found.length_m[town] == pytest.approx(metres, abs=LEGS_M)
    lost = set(on_road.index) - set(seconds)
    assert set(found.dropped["unit"]) == lost
    assert set(found.dropped["reason"]) <= {"on a part of the network without a destination"}
    assert found.length_m.isna().sum() == found.destination.isna().sum() == len(lost)


@LAWS
@given(graphs(), st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(example, shuffler):
    nodes, edges, rng = example
    places = pd.DataFrame(
        {"lon": rng.uniform(60, 75, 8), "lat": rng.uniform(43, 53, 8)}, index=[f"p{i}" for i in range(8)]
    )
    access = Access(limit_m=300_000)

    def run(roads, where, order):
        tied = attach(from_edges(roads, where, speed_kmh="kmh"), towns(places.loc[order]), access)
        goals = tied.ids[tied.tied & tied.ids.isin(["p0", "p1", "p2"])]
        return nearest(tied, goals).to_frame().loc[places.index] if len(goals) else None

    mixed = [list(edges.index), list(nodes.index), list(places.index)]
    for order in mixed:
        shuffler.shuffle(order)
    plain, again = run(edges, nodes, places.index), run(edges.loc[mixed[0]], nodes.loc[mixed[1]], mixed[2])
    if plain is None:
        assert again is None
        return
    pd.testing.assert_frame_equal(plain, again, rtol=1e-9, atol=1e-5)


@LAWS
@given(st.permutations(range(12)), st.permutations(range(9)), st.permutations(range(9)), st.sampled_from([1, 2, 3]))
def test_a_tie_goes_to_the_first_id_and_the_shorter_way(edge_order, node_order, place_order, slow):
    """A grid of equal times from four corners: whatever the order of rows, the corner that sorts first is named."""
    spots = {f"n{x}{y}": (70 + x * 0.1, 50 + y * 0.1) for x in range(3) for y in range(3)}
    nodes = pd.DataFrame(spots.values(), index=list(spots), columns=["lon", "lat"])
    rows = [(f"n{x}{y}", f"n{x + 1}{y}", 10.0) for x in range(2) for y in range(3)]
    rows += [(f"n{x}{y}", f"n{x}{y + 1}", 10.0 * slow) for x in range(3) for y in range(2)]
    edges = table(*rows)
    edges["kmh"] = 60.0 * edges["length_km"] / 10
    net = from_edges(edges.iloc[list(edge_order)], nodes.iloc[list(node_order)], speed_kmh="kmh")
    found = nearest(attach(net, towns(nodes.iloc[list(place_order)])), pd.Index(["n22", "n20", "n02", "n00"]))
    assert found.destination.loc[["n11", "n10", "n01", "n12", "n21"]].tolist() == ["n00", "n00", "n00", "n02", "n20"]
    assert found.time_s.loc[["n11", "n10", "n22"]].tolist() == pytest.approx([1200, 600, 0], abs=LEGS_S)
    assert found.length_m["n11"] == pytest.approx(10_000 + 10_000 * slow, abs=LEGS_M)


def test_of_two_equally_quick_routes_the_shorter_is_measured():
    nodes = pd.DataFrame({"lon": [70, 71, 71, 72], "lat": [50, 50.5, 49.5, 50]}, index=list("abcd"), dtype=float)
    for order in ([0, 1, 2, 3], [3, 2, 1, 0]):
        edges = table(("a", "b", 100), ("b", "d", 100), ("a", "c", 80), ("c", "d", 80)).assign(kmh=[100, 100, 80, 80])
        found = nearest(attach(from_edges(edges.iloc[order], nodes, speed_kmh="kmh"), towns(nodes)), pd.Index(["a"]))
        assert found.time_s["d"] == pytest.approx(7200, abs=LEGS_S)
        assert found.length_m["d"] == pytest.approx(160_000, abs=LEGS_M)


def test_two_places_on_one_road_meet_along_it():
    """Both lie on the same long road, whose ends are far: the time is the stretch between them, not a way by an end."""
    nodes = pd.DataFrame({"lon": [66, 70], "lat": [48, 48]}, index=["a", "b"], dtype=float)
    ends = towns(nodes).to_crs(COUNTRY).geometry
    line = shapely.LineString(ends.tolist())
    shares = {"p": 0.4, "q": 0.45, "r": 0.9}
    spots = gpd.GeoDataFrame(
        geometry=[line.interpolate(s, normalized=True) for s in shares.values()], index=list(shares), crs=COUNTRY
    )
    found = nearest(attach(from_edges(table(("a", "b", 360)), nodes, speed_kmh=90), spots), pd.Index(["p"]))
    assert found.time_s.tolist() == pytest.approx([0, 0.05 * 14_400, 0.5 * 14_400], abs=LEGS_S)
    assert found.length_m.tolist() == pytest.approx([0, 18_000, 180_000], abs=LEGS_M)


def test_by_hand_with_legs_off_the_road():
    """6 km + 40 km of road + 2 km, detour 1.5 at 20 km/h, road at 80 km/h."""
    start = gpd.GeoSeries([shapely.Point(0, 0), shapely.Point(100_000, 0)], crs=COUNTRY).to_crs(4326)
    nodes = pd.DataFrame({"lon": start.x.to_numpy(), "lat": start.y.to_numpy()}, index=["a", "b"])
    net = from_edges(table(("a", "b", 100)), nodes, speed_kmh=80)
    spots = gpd.GeoDataFrame(
        geometry=[shapely.Point(30_000, 6000), shapely.Point(70_000, -2000)], index=["u", "v"], crs=COUNTRY
    )
    found = nearest(attach(net, spots, Access(limit_m=10_000, speed_kmh=20, detour=1.5)), pd.Index(["v"]))
    assert found.time_s["u"] == pytest.approx(1.5 * 8 / 20 * 3600 + 40 / 80 * 3600, abs=0.1)
    assert found.length_m["u"] == pytest.approx(1.5 * 8000 + 40_000, abs=1)
    assert found.time_s["v"] == 0


def test_what_is_out_of_reach_is_missing_and_says_why():
    nodes = pd.DataFrame({"lon": [70, 71, 75, 76], "lat": [50, 50, 45, 45]}, index=list("abcd"), dtype=float)
    places = towns(nodes)
    places.loc["far"] = [shapely.Point(60, 42)]
    places.loc["off"] = [shapely.Point(61, 42)]
    places.loc["nowhere"] = [None]
    tied = attach(from_edges(table(("a", "b", 90), ("c", "d", 90)), nodes), places.set_crs(4326))
    found = nearest(tied, pd.Index(["a", "far"]))
    assert found.dropped.set_index("unit")["reason"].to_dict() == {
        "c": "on a part of the network without a destination",
        "d": "on a part of the network without a destination",
        "off": "farther from every road than the limit",
        "nowhere": "no place on the map",
    }
    assert found.time_s.notna().tolist() == [True, True, False, False, True, False, False]
    assert found.time_s["far"] == 0  # a hospital without a road still has a town
    assert found.destination["far"] == "far"
    assert k_nearest(tied, pd.Index(["a", "far"]), 2).times.set_index("origin").loc["far", "time_s"] == 0
    assert list(found.to_frame()) == ["time_s", "length_m", "destination"]
    assert found.time_s.index.equals(places.index)
    for goals, says in [
        ([], "no destination is given"),
        (["x"], "not among the places: 'x'"),
        (["far"], "no destination is tied to the network"),
    ]:
        with pytest.raises(InputError, match=says):
            nearest(tied, pd.Index(goals))
    numbered = attach(tied.network, places.set_axis(range(7)).set_crs(4326))
    assert nearest(numbered, pd.Index([0])).dropped["unit"].tolist() == [2, 3, 4, 5, 6]
