"""Contraction: travel times between the nodes that stay are what they were, whatever the graph."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse.csgraph as csgraph
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kazgeo.errors import InputError
from kazgeo.network import Network, Ways, contract, from_edges, from_osm, split
from kazgeo.network.measure import line_lengths_m

LAWS = settings(max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def networks(draw):
    """Directed multigraphs with chains, loops, parallel edges, rings, dead ends and nodes without a road."""
    n = draw(st.integers(1, 14))
    m = draw(st.integers(0, 22))
    node = st.integers(0, n - 1)
    near = st.tuples(node, st.integers(0, 2)).map(lambda t: (t[0], (t[0] + t[1]) % n))  # chains are likely
    ends = draw(st.lists(near | st.tuples(node, node), min_size=m, max_size=m))
    seconds = st.sampled_from([np.inf, 1.0, 2.5, 7.0, 60.0])
    forward = draw(st.lists(seconds, min_size=m, max_size=m))
    backward = draw(st.just(forward) | st.lists(seconds, min_size=m, max_size=m))
    kinds = draw(st.lists(st.sampled_from(["a", "a", "a", "b", None]), min_size=m, max_size=m))
    start, end = np.array(ends, np.int64).reshape(-1, 2).T
    place = np.arange(n, dtype=float)
    length = 10.0 * np.arange(1, m + 1)
    roads = pd.DataFrame(
        {"road_class": pd.Categorical(kinds), "road_id": np.arange(m), "bridge": np.arange(m) % 2 == 0}
    )
    return Network(
        pd.Index([f"n{k}" for k in range(n)]), 70 + place / 10, 50 + np.sin(place), start.copy(), end.copy(), length,
        np.array(forward), None if forward is backward else np.array(backward), roads,
    )  # fmt: skip


def times(network, nodes):
    at = network.nodes.get_indexer(nodes)
    return csgraph.dijkstra(network.matrix, indices=at)[:, at]


@LAWS
@given(networks())
def test_travel_times_between_nodes_that_stay_are_unchanged(network):
    small = contract(network)
    assert set(small.nodes) <= set(network.nodes)
    if small.n:
        np.testing.assert_allclose(times(small, small.nodes), times(network, small.nodes), rtol=1e-12)
    assert small.length_m.sum() == pytest.approx(network.length_m.sum())
    if np.isfinite(network.time_s).all():  # roads that are closed both ways join nothing
        assert small.n_components == network.n_components
    if small.m:
        ends = [small.shapes.xy[small.shapes.offset[:-1]], small.shapes.xy[small.shapes.offset[1:] - 1]]
        for xy, node in zip(ends, (small.start, small.end), strict=True):
            assert xy.tolist() == np.c_[small.lon, small.lat][node].tolist()
    before, after = (n.edges().groupby("road_class", observed=True, dropna=False)["length_m"].sum() if n.m else None
                     for n in (network, small))  # fmt: skip
    if before is not None:
        pd.testing.assert_series_equal(after.sort_index(), before.sort_index())


@LAWS
@given(networks())
def test_nothing_is_left_to_contract(network):
    small = contract(network)
    again = contract(small)
    assert (again.n, again.m) == (small.n, small.m)


@LAWS
@given(networks(), st.data())
def test_nodes_to_keep_stay(network, data):
    keep = data.draw(st.lists(st.sampled_from(network.nodes.tolist()), unique=True))
    small = contract(network, keep=keep)
    assert set(keep) <= set(small.nodes)
    if keep:
        np.testing.assert_allclose(times(small, keep), times(network, keep), rtol=1e-12)


def line(**columns):
    nodes = pd.DataFrame({"lon": 70 + np.arange(4) / 10, "lat": 50.0}, index=list("abcd"))
    edges = pd.DataFrame({"from_id": list("abc"), "to_id": list("bcd"), "length_km": [10.0, 20, 30]}).assign(**columns)
    ways = Ways(one_way="one" if "one" in columns else None, junction_s=5)
    return from_edges(edges, nodes, speed_kmh=60, ways=ways)


def test_a_chain_is_one_edge():
    small = contract(line())
    assert small.nodes.tolist() == ["a", "d"]
    assert small.time_s.tolist() == pytest.approx([3600])
    assert small.lines()[0].coords[:] == [(70.0, 50.0), (70.1, 50.0), (70.2, 50.0), (70.3, 50.0)]
    assert small.roads["road_id"].isna().tolist() == [True]
    assert contract(line(), agree=("road_id",)).m == 3
    assert contract(line(), keep=["c"]).nodes.tolist() == ["a", "c", "d"]


def test_a_chain_ends_where_something_changes():
    assert contract(line(**{"class": ["x", "x", "y"]})).nodes.tolist() == ["a", "c", "d"]
    assert contract(line(surface=["mud", None, None])).nodes.tolist() == ["a", "b", "d"]
    assert contract(line(one=["yes", "yes", "no"])).nodes.tolist() == ["a", "c", "d"]
    turned = line(one=["yes", "yes", "yes"])
    assert contract(turned).time_s.tolist() == pytest.approx([3600])
    assert np.isinf(contract(turned).backwards_s).all()


def test_edges_drawn_against_each_other():
    nodes = pd.DataFrame({"lon": [70.0, 70.1, 70.3], "lat": 50.0}, index=list("abc"))
    edges = pd.DataFrame({"from_id": ["a", "c"], "to_id": ["b", "b"], "length_km": [6.0, 9.0], "one": ["1", "-1"],
                          "kmh": [60.0, 60.0]})  # fmt: skip
    small = contract(from_edges(edges, nodes, ways=Ways(one_way="one")))
    assert (small.m, small.directed) == (1, True)
    assert sorted([small.time_s[0], small.backwards_s[0]]) == pytest.approx([900, np.inf])
    both = from_edges(edges, nodes, ways=Ways(back_speed_kmh=30))
    small = contract(both)
    one, other = times(small, ["a", "c"])[0, 1], times(small, ["a", "c"])[1, 0]
    assert (one, other) == pytest.approx((360 + 1080, 540 + 720))


def test_rings_keep_a_node_whatever_the_order():
    nodes = pd.DataFrame({"lon": [70.2, 70.0, 70.1], "lat": [50.0, 50.1, 50.2]}, index=list("abc"))
    edges = pd.DataFrame({"from_id": list("abc"), "to_id": list("bca"), "length_km": [1.0, 2, 3]})
    for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2]):
        small = contract(from_edges(edges.iloc[order], nodes))
        assert (small.nodes.tolist(), small.m, small.length_m.tolist()) == (["b"], 1, [6000.0])


def test_seconds_of_junctions_and_of_closed_roads_add_up():
    network = line()
    roads = network.roads.assign(
        open_s=[1.0, 2, 4], open_back_s=[10.0, 20, 40], wait_s=[0, 0, 1.0], wait_back_s=[2.0, 0, 0]
    )
    closed = Network(network.nodes, network.lon, network.lat, network.start, network.end, network.length_m,
                     np.full(3, np.inf), None, roads)  # fmt: skip
    row = contract(closed).roads.iloc[0]
    assert row[["open_s", "open_back_s", "wait_s", "wait_back_s"]].tolist() == [7, 70, 1, 2]


def test_what_is_refused():
    with pytest.raises(InputError, match="nodes to keep that are not in the network: 'z'"):
        contract(line(), keep=["a", "z"])
    with pytest.raises(InputError, match="agree must be a list"):
        contract(line(), agree="road_class")


@pytest.mark.slow
def test_porto_alegre(shared):
    pytest.importorskip("osmium")
    path = shared / "data" / "osm" / "poa_osm.pbf"
    if not path.exists():
        pytest.skip("needs data/osm/poa_osm.pbf of the shared folder (KAZGEO_SHARED)")
    network = from_osm(path)
    small = contract(network)
    assert small.n < 0.95 * network.n
    chosen = small.nodes[:: small.n // 8]
    at = [net.nodes.get_indexer(chosen) for net in (network, small)]
    one, other = (csgraph.dijkstra(net.matrix, indices=i)[:, i] for net, i in zip((network, small), at, strict=True))
    np.testing.assert_allclose(other, one, rtol=1e-12)
    np.testing.assert_allclose(line_lengths_m(small.shapes.xy, small.shapes.offset), small.length_m, atol=1e-6)


@LAWS
@given(networks(), st.randoms(use_true_random=False))
def test_the_order_of_edges_never_changes_which_nodes_stay(network, shuffler):
    order = list(range(network.m))
    shuffler.shuffle(order)
    mixed = Network(
        network.nodes, network.lon, network.lat, network.start[order], network.end[order], network.length_m[order],
        network.time_s[order], network.backwards_s[order], network.roads.iloc[order].reset_index(drop=True),
    )  # fmt: skip
    one, other = contract(network), contract(mixed)
    assert sorted(one.nodes) == sorted(other.nodes)
    np.testing.assert_allclose(times(other, one.nodes), times(one, one.nodes), rtol=1e-12)


@LAWS
@given(networks(), st.sampled_from([3.0, 10.0, 55.0, 1000.0]))
def test_splitting_edges_changes_no_time_and_is_undone_by_contracting(network, most_m):
    made = split(network, most_m)
    assert (made.length_m <= most_m * (1 + 1e-9)).all()
    assert made.nodes[: network.n].equals(network.nodes)
    assert made.nodes.is_unique
    if network.n:
        np.testing.assert_allclose(times(made, network.nodes), times(network, network.nodes), rtol=1e-12)
    ends = made.shapes.xy[made.shapes.offset[1:] - 1]
    assert ends == pytest.approx(np.c_[made.lon[made.end], made.lat[made.end]])
    if np.isfinite(network.time_s).all():
        again = contract(made, keep=network.nodes)
        assert sorted(again.length_m) == pytest.approx(sorted(network.length_m))
        assert set(again.roads["road_id"]) == set(network.roads["road_id"])


def test_parts_lie_on_the_bends_of_the_road_and_share_its_waits():
    import geopandas
    import shapely

    from kazgeo.network import from_lines

    bend = shapely.LineString([(500_000, 0), (501_000, 0), (501_000, 1000)])
    roads = geopandas.GeoDataFrame({"w": [1]}, geometry=[bend], crs=32642).to_crs(4326)
    made = split(from_lines(roads, speed_kmh=60), 600)
    at = geopandas.GeoSeries.from_xy(made.lon[2:], made.lat[2:], crs=4326).to_crs(32642)
    assert np.round(np.c_[at.x, at.y]).tolist() == [[500_500, 0], [501_000, 0], [501_000, 500]]
    cross = pd.DataFrame({"from_id": list("abc"), "to_id": list("mmm"), "length_km": [1.0, 2.0, 3.0]})
    nodes = pd.DataFrame({"lon": [70.0, 71, 70.5, 70.5], "lat": [50.0, 50, 51, 50]}, index=list("abcm"))
    net = from_edges(cross, nodes, speed_kmh=60, ways=Ways(junction_s=30))
    whole = split(net, 500)
    assert whole.roads["wait_s"].sum() == pytest.approx(net.roads["wait_s"].sum())
    assert times(whole, list("abc")) == pytest.approx(times(net, list("abc")))
    with pytest.raises(InputError, match=r"would make .* edges"):
        split(net, 1e-6)
