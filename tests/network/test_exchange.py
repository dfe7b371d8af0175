"""Networks of osmnx and pandana in and out."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse.csgraph as csgraph
import shapely

from kazgeo.errors import InputError
from kazgeo.network import Ways, from_edges, from_lines, from_osm, from_osmnx, from_pandana, to_osmnx

NODES = pd.DataFrame({"x": [71.0, 71.1, 71.2], "y": [51.0, 51.0, 51.1]}, index=[1, 2, 3])


def frames(*rows, **columns):
    """Frames as osmnx makes them; a row is u, v, key, length, osmid."""
    uvk = pd.MultiIndex.from_tuples([r[:3] for r in rows], names=["u", "v", "key"])
    table = pd.DataFrame({"length": [float(r[3]) for r in rows], "osmid": [r[4] for r in rows]}, index=uvk)
    return NODES, table.assign(**columns)


def ways_of(network):
    found = {}
    for i, j, there, back in zip(network.start, network.end, network.time_s, network.backwards_s, strict=True):
        for a, b, time in ((i, j, there), (j, i, back)):
            if np.isfinite(time):
                found.setdefault((network.nodes[a], network.nodes[b]), []).append(round(float(time), 6))
    return {pair: sorted(times) for pair, times in found.items()}


def test_ways_there_and_back_are_one_road():
    nodes, edges = frames((1, 2, 0, 1000, 5), (2, 1, 0, 1000, 5), (2, 3, 0, 500, 6), speed_kph=[60.0, 30.0, 60.0])
    network = from_osmnx(nodes, edges)
    assert network.m == 2
    assert ways_of(network) == {(1, 2): [60], (2, 1): [120], (2, 3): [30]}


def test_parallel_roads_and_loops_stay_apart():
    nodes, edges = frames(
        (1, 2, 0, 1000, 5), (1, 2, 1, 1500, 6), (2, 1, 0, 1500, 6), (2, 1, 1, 1000, 5), (3, 3, 0, 900, 7),
        (3, 3, 1, 900, 7), (2, 3, 0, 100, 8), (2, 3, 1, 100, 8),
        travel_time=[10.0, 15, 16, 11, 9, 9, 1, 2], reversed=[False, False, True, True, False, True, False, False],
    )  # fmt: skip
    network = from_osmnx(nodes, edges)
    assert network.m == 5
    assert ways_of(network) == {(1, 2): [10, 15], (2, 1): [11, 16], (3, 3): [9, 9, 9, 9][:2], (2, 3): [1, 2]}


def test_two_parts_of_one_way_between_the_same_nodes_are_told_by_length():
    rows = (1, 2, 0, 1000, 5), (1, 2, 1, 1500, 5), (2, 1, 0, 1500, 5), (2, 1, 1, 1000, 5)
    network = from_osmnx(*frames(*rows, travel_time=[10.0, 15, 16, 11]))
    pairs = zip(network.length_m.tolist(), network.time_s.tolist(), network.backwards_s.tolist(), strict=True)
    assert sorted(pairs) == [(1000, 10, 11), (1500, 15, 16)]


def test_lists_of_merged_ways():
    nodes, edges = frames((1, 2, 0, 1000, [9, 5]), (2, 1, 0, 1000, [5, 9]), (2, 3, 0, 10, 7))
    edges["highway"] = pd.Series([["primary", "trunk"], ["primary", "trunk"], "track"], dtype=object, index=edges.index)
    network = from_osmnx(nodes, edges, speed_kmh=36)
    assert network.roads["road_id"].tolist() == ["5;9", "7"]
    assert network.roads["road_class"].tolist() == ["primary", "track"]
    assert network.time_s.tolist() == [100, 1]


@pytest.mark.parametrize(
    ("change", "options", "says"),
    [
        (lambda n, e: (n, e), {}, "neither travel_time nor speed_kph"),
        (lambda n, e: (n.drop(columns="x"), e), {}, "column 'x' is not a column of nodes"),
        (lambda n, e: (n, e.drop(columns="length")), {}, "column 'length' is not a column of edges"),
        (lambda n, e: (n * 5000, e), {"speed_kmh": 9}, "degrees in x and y"),
        (lambda n, e: (n, e.assign(length=0.0)), {"speed_kmh": 9}, "1 lack a positive length or time: '1–2'"),
        (lambda n, e: (n, e.assign(travel_time=[-1.0])), {}, "1 lack a positive length or time"),
        (lambda n, e: (n.iloc[:1], e), {"speed_kmh": 9}, "not in the table of nodes: 2"),
        (lambda n, e: (n, e.reset_index(drop=True)), {}, "index level 'u' is not"),
        (lambda *_: (3, None), {}, "an osmnx graph, or its frames"),
    ],
)
def test_what_is_refused_of_osmnx(change, options, says):
    with pytest.raises(InputError, match=says):
        from_osmnx(*change(*frames((1, 2, 0, 1000, 5))), **options)


def small():
    lines = gpd.GeoDataFrame(
        {"one": ["yes", "no", "N"], "class": ["primary", "track", "track"]},
        geometry=[
            shapely.LineString(s)
            for s in ([(71, 51), (71.05, 51.02), (71.1, 51)], [(71.1, 51), (71.2, 51.1)], [(71, 51), (71.2, 51.1)])
        ],
        index=[11, 12, 13], crs=4326,
    )  # fmt: skip
    return from_lines(lines, speed_kmh=50, ways=Ways(one_way="one"))


def test_a_graph_for_osmnx():
    pytest.importorskip("networkx")
    network = small()
    graph = network.to_osmnx()
    assert graph.graph["crs"] == "epsg:4326"
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (3, 3)
    one = graph.edges[0, 1, 0] if graph.has_edge(0, 1) else None
    there = next(d for _, _, d in graph.edges(data=True) if d["osmid"] == 11)
    assert one is None or one is there
    assert (there["highway"], there["oneway"], there["reversed"]) == ("primary", True, False)
    assert there["length"] == pytest.approx(network.length_m[0])
    assert there["speed_kph"] == pytest.approx(50)
    both = [d for _, _, d in graph.edges(data=True) if d["osmid"] == 12]
    assert [d["reversed"] for d in both] == [False, True]
    assert both[1]["geometry"].coords[:] == both[0]["geometry"].coords[::-1]


def test_there_and_back_again():
    pytest.importorskip("networkx")
    network = small()
    again = from_osmnx(network.to_osmnx())
    assert ways_of(again) == ways_of(network)
    assert again.roads["road_class"].tolist() == ["primary", "track"]


@pytest.mark.slow
def test_osmnx_itself_reads_and_routes_it(shared):
    osmnx, networkx = pytest.importorskip("osmnx"), pytest.importorskip("networkx")
    pytest.importorskip("osmium")
    path = shared / "data" / "osm" / "poa_osm.pbf"
    if not path.exists():
        pytest.skip("needs data/osm/poa_osm.pbf of the shared folder (KAZGEO_SHARED)")
    network = from_osm(path)
    graph = to_osmnx(network)
    nodes, edges = osmnx.graph_to_gdfs(graph)
    again = from_osmnx(nodes, edges)
    assert again.n == network.n
    open_ = np.isfinite(network.time_s).sum() + np.isfinite(network.backwards_s).sum()
    assert np.isfinite(again.time_s).sum() + np.isfinite(again.backwards_s).sum() == len(edges) == open_
    start = int(network.nodes[network.components == 0][0])
    theirs = networkx.single_source_dijkstra_path_length(graph, start, weight="travel_time")
    for net in (network, again):
        found = csgraph.dijkstra(net.matrix, indices=net.nodes.get_loc(start))
        reached = dict(zip(net.nodes[np.isfinite(found)].tolist(), found[np.isfinite(found)].tolist(), strict=True))
        assert reached.keys() == theirs.keys()
        np.testing.assert_allclose(list(reached.values()), [theirs[k] for k in reached], rtol=1e-9)


def test_without_networkx(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "networkx", None)
    with pytest.raises(InputError, match="pip install networkx"):
        to_osmnx(small())


EDGES = pd.DataFrame({"from": [1, 2], "to": [2, 3], "weight": [6.0, 12.0]})


@pytest.mark.parametrize(("unit", "seconds"), [("minutes", [360, 720]), ("seconds", [6, 12]), ("metres", [0.36, 0.72])])
def test_pandana(unit, seconds):
    network = from_pandana(NODES, EDGES, unit=unit)
    assert network.time_s.tolist() == pytest.approx(seconds)
    assert not network.directed
    assert np.isinf(from_pandana(NODES, EDGES, unit=unit, twoway=False).backwards_s).all()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: from_pandana(NODES, EDGES, unit="hours"), "unit 'hours' is not one of the choices"),
        (lambda: from_pandana(NODES, EDGES, weight="w"), "column 'w' is not a column of edges"),
        (lambda: from_pandana(NODES.rename(columns={"x": "lon"}), EDGES), "column 'x' is not a column of nodes"),
        (
            lambda: from_pandana(NODES, EDGES.assign(weight=[0, np.nan])),
            "positive minutes; not so in 2 of 2 rows: 1–2: 0, 2–3: missing;",
        ),
        (lambda: from_pandana(NODES, EDGES.assign(weight=["1", "x"])), "column 'weight' must .* rows: 2–3: 'x';"),
        (lambda: from_pandana(NODES, EDGES.assign(to=9)), "not in the table of nodes: 9"),
    ],
)
def test_what_is_refused_of_pandana(call, says):
    with pytest.raises(InputError, match=says):
        call()


def test_pandana_is_as_a_table_of_edges():
    ours = from_edges(EDGES.rename(columns={"from": "from_id", "to": "to_id"}), NODES.set_axis(["lon", "lat"], axis=1),
                      length_km=None, ways=Ways(time_min="weight"))  # fmt: skip
    theirs = from_pandana(NODES, EDGES)
    assert ours.length_m.tolist() == theirs.length_m.tolist()
    assert ours.time_s.tolist() == theirs.time_s.tolist()
