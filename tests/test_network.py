"""Road networks: components, parallel roads, loops, and places tied to the nearest point of a road."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse.csgraph as csgraph
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Geod

from kazgeo.crs import COUNTRY
from kazgeo.errors import InputError
from kazgeo.network import Access, attach, from_edges, from_lines

SLOW = [HealthCheck.too_slow]  # a busy machine is no fault of the law
LAWS = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=SLOW)


def nodes_at(**where):
    return pd.DataFrame(list(where.values()), index=list(where), columns=["lon", "lat"], dtype=float)


def edges_of(*rows):
    return pd.DataFrame(rows, columns=["from_id", "to_id", "length_km"])


def points(**where):
    shapes = [None if w is None else shapely.Point(w) for w in where.values()]
    return gpd.GeoDataFrame(geometry=shapes, index=list(where), crs=4326)


TRIANGLE = nodes_at(a=(70, 50), b=(71, 50), c=(70.5, 50.6), d=(75, 45), e=(76, 45))


def test_what_a_network_tells():
    net = from_edges(edges_of(("a", "b", 80), ("b", "c", 70), ("d", "e", 90), ("a", "b", 60)), TRIANGLE, speed_kmh=60)
    assert repr(net) == "<Network: 5 nodes, 4 edges, 300 km; 2 components (largest 60.0% of nodes)>"
    assert net.components.tolist() == [0, 0, 0, 1, 1]
    assert net.time_s.tolist() == pytest.approx([4800, 4200, 5400, 3600])
    assert net.matrix[0, 1] == net.matrix[1, 0] == pytest.approx(3600)  # the quicker of the two parallel roads
    empty = from_edges(edges_of(), nodes_at())
    assert (empty.n, empty.n_components, repr(empty)) == (0, 0, "<Network: 0 nodes>")


@pytest.mark.parametrize(
    ("edges", "nodes", "options", "says"),
    [
        (edges_of(("a", "z", 1), ("y", "b", 1)), TRIANGLE, {}, "not in the table of nodes: 'y', 'z'|'z', 'y'"),
        (
            edges_of(("a", "b", 0), ("b", "c", -1)),
            TRIANGLE,
            {},
            "'length_km' must hold positive kilometres; not so in 2 of 2 rows: a–b: 0, b–c: -1;",
        ),
        (edges_of(("a", None, 1)), TRIANGLE, {}, "not in the table of nodes"),
        (edges_of(("a", "b", 1)), None, {}, "nodes are wanted"),
        (edges_of(("a", "b", 1)), TRIANGLE.drop(columns="lat"), {}, "column 'lat' is not a column of nodes"),
        (edges_of(("a", "b", 1)), TRIANGLE.set_axis(list("abcda")), {}, "node ids must be unique; repeated: 'a'"),
        (edges_of(("a", "b", 1)), TRIANGLE.assign(lat=np.nan), {}, "nodes without a place on Earth"),
        (edges_of(("a", "b", 1)), nodes_at(a=(50, 170), b=(50, 70)), {}, "nodes without a place on Earth.*'a'"),
        (edges_of(("a", "b", 1)), TRIANGLE, {"speed_kmh": 0}, "^speed_kmh must be positive km/h; got 0$"),
        (edges_of(("a", "b", 1)), TRIANGLE, {"speed_kmh": "speed"}, "speed column 'speed' is not"),
        (edges_of(("a", "b", 1)), TRIANGLE, {"speed_kmh": {"A": 90.0}}, "column 'class' is not"),
        (
            edges_of(("a", "b", 1)).assign(**{"class": "B"}),
            TRIANGLE,
            {"speed_kmh": {"A": 90.0}},
            "no speed for road class 'B'",
        ),
        (edges_of(("a", "b", 1)), TRIANGLE, {"length_km": "km"}, "column 'km' is not a column of edges"),
        (
            edges_of(("a", "b", "x")),
            TRIANGLE,
            {},
            "edges: column 'length_km' must .* in 1 of 1 rows: a–b: 'x'; fill in",
        ),
        (edges_of(("a", "b", float("inf"))), TRIANGLE, {}, "in 1 of 1 rows: a–b: inf;"),
        (
            edges_of(("a", "b", 1), ("b", "c", 1)).assign(kmh=["60 km/h", None]),
            TRIANGLE,
            {"speed_kmh": "kmh"},
            "edges: column 'kmh' must hold positive km/h; not so in 2 of 2 rows: a–b: '60 km/h', b–c: missing; fill in",
        ),
        (
            edges_of(("a", "b", 1)).assign(**{"class": "B"}),
            TRIANGLE,
            {"speed_kmh": {"B": -1}},
            "speed_kmh of class 'B' must be positive km/h; got -1",
        ),
        (
            edges_of(("a", "b", 1)),
            TRIANGLE.astype(object).replace(71, "x"),
            {},
            "nodes without a place on Earth: column 'lon' must hold degrees from -180 to 180; not so .*: 'b': 'x';",
        ),
        (
            edges_of(("a", "b", 1)),
            nodes_at(a=(5e6, 50), b=(70, 50)),
            {},
            r"1 of 2 rows: 'a': 5000000; .* metres of a projected CRS: transform the nodes to degrees \(EPSG:4326\)",
        ),
        (edges_of(("a", "b", 1)), nodes_at(a=(190, 50), b=(180, 50)), {}, "'a': 190; write 190 degrees east as -170"),
        (edges_of(("a", "a", 1)), nodes_at(a=(71, 50)), {"length_km": None}, "1 of 1 have no length, .*: a–a"),
    ],
)
def test_what_edges_are_refused_for(edges, nodes, options, says):
    with pytest.raises(InputError, match=says):
        from_edges(edges, nodes, **options)


def on_chord(a, b, share):
    """The point that far along the straight line between two nodes on the map."""
    ends = gpd.GeoSeries([shapely.Point(TRIANGLE.loc[a]), shapely.Point(TRIANGLE.loc[b])], crs=4326).to_crs(COUNTRY)
    line = shapely.LineString(ends.tolist())
    spot = gpd.GeoSeries([line.interpolate(share, normalized=True)], crs=COUNTRY).to_crs(4326)
    return spot.x[0], spot.y[0]


def test_a_place_cuts_its_road_in_proportion():
    net = from_edges(edges_of(("a", "b", 90)), TRIANGLE.loc[["a", "b"]], speed_kmh=90)
    tied = attach(net, points(p=on_chord("a", "b", 0.25), q=on_chord("a", "b", 0.75)))
    assert tied.share.tolist() == pytest.approx([0.25, 0.75], abs=1e-5)
    assert tied.leaving().offset_s[0].tolist() == pytest.approx([900, 2700], abs=0.05)
    assert tied.arriving().offset_m[1].tolist() == pytest.approx([67_500, 22_500], abs=0.5)
    assert tied.network is net
    assert tied.distance_m.max() < 0.01


def test_one_way_roads_are_left_by_their_end_and_reached_by_their_start():
    net = from_edges(edges_of(("a", "b", 90)), TRIANGLE.loc[["a", "b"]], speed_kmh=90)
    one = net.with_times(net.time_s, np.array([np.inf]))
    tied = attach(one, points(p=on_chord("a", "b", 0.25)))
    leave, arrive = tied.leaving(), tied.arriving()
    assert (leave.node.tolist(), arrive.node.tolist()) == ([[-1, 1]], [[0, -1]])
    assert leave.offset_s[0, 1] == pytest.approx(2700, abs=0.05)
    assert arrive.offset_s[0, 0] == pytest.approx(900, abs=0.05)
    closed = net.with_times(np.array([np.inf]))
    assert (tied.on(closed).leaving().node == -1).all()
    with pytest.raises(InputError, match="no edge that is open"):
        attach(closed, points(p=(70, 50)))
    with pytest.raises(InputError, match="only to the same network"):
        tied.on(from_edges(edges_of(("a", "b", 90)), TRIANGLE.loc[["a", "b"]]))


def test_the_leg_off_the_road():
    net = from_edges(edges_of(("a", "b", 90)), TRIANGLE.loc[["a", "b"]])
    places = points(near=(70.5, 50.1), far=(70.5, 50.9), nowhere=None, empty=(np.nan, 50))
    tied = attach(net, places, Access(limit_m=20_000, speed_kmh=20, detour=1.5))
    metres = Geod(ellps="WGS84").inv(70.5, 50.1, 70.5, 50.0)[2]
    assert tied.distance_m["near"] == pytest.approx(metres, rel=0.02)
    assert tied.leg_m["near"] == pytest.approx(1.5 * tied.distance_m["near"])
    assert tied.leg_s["near"] == pytest.approx(1.5 * tied.distance_m["near"] / (20 / 3.6))
    assert tied.edge.drop("near").tolist() == [-1, -1, -1]
    assert tied.component.tolist() == [0, -1, -1, -1]
    assert tied.distance_m.isna().tolist() == [False, False, True, True]
    lost = tied.why_not(pd.Series([False] * 4, index=places.index), "cut off")
    assert lost["reason"].tolist() == [
        "cut off",
        "farther from every road than the limit",
        *["no place on the map"] * 2,
    ]


def test_of_parallel_roads_a_place_lies_on_the_quickest():
    for order in ([0, 1], [1, 0]):
        edges = edges_of(("a", "b", 90), ("a", "b", 45)).iloc[order]
        tied = attach(from_edges(edges, TRIANGLE.loc[["a", "b"]], speed_kmh=90), points(p=on_chord("a", "b", 0.5)))
        assert tied.leaving().offset_m[0] == pytest.approx([22_500, 22_500], abs=0.1)


def test_a_road_that_returns_to_its_start():
    net = from_edges(edges_of(("a", "a", 5), ("a", "b", 90)), TRIANGLE.loc[["a", "b"]])
    tied = attach(net, points(p=(69.9, 50)))
    assert np.isfinite(tied.leaving().offset_s).all()
    assert net.n_components == 1


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda net, p: attach(net, p.set_crs(None, allow_override=True)), "places declare no CRS"),
        (lambda net, p: attach(net, p.set_axis(["a", "a"])), "place ids must be unique; repeated: 'a'"),
        (lambda _, p: attach(from_edges(edges_of(), TRIANGLE), p), "the network has no edge"),
        (lambda net, p: attach(net, p, Access(limit_m=0)), "limit_m must be a positive number"),
        (lambda net, p: attach(net, p, Access(speed_kmh=float("inf"))), "speed_kmh must be a positive number"),
        (lambda net, p: attach(net, p, Access(detour=0.9)), "detour must be 1 or more"),
    ],
)
def test_what_attach_refuses(call, says):
    with pytest.raises(InputError, match=says):
        call(from_edges(edges_of(("a", "b", 1)), TRIANGLE), points(p=(70, 50), q=(71, 50)))


def test_no_place_at_all():
    tied = attach(from_edges(edges_of(("a", "b", 1)), TRIANGLE), points(p=(70, 50)).iloc[:0])
    assert tied.edge.empty
    assert tied.leaving().node.shape == (0, 2)


def lines(*shapes, crs=4326, **columns):
    return gpd.GeoDataFrame(columns, geometry=[shapely.LineString(s) for s in shapes], crs=crs)


def test_lines_meet_at_their_ends_only():
    cross = lines([(70, 50), (72, 50)], [(71, 49), (71, 51)])
    assert from_lines(cross).n_components == 2
    met = lines([(70, 50), (71, 50)], [(71.000001, 50), (72, 50)], [(71, 50), (71, 51)])
    net = from_lines(met, snap_m=1)
    assert (net.n, net.n_components) == (4, 1)
    assert from_lines(met, snap_m=0.001).n_components == 2
    truth = [Geod(ellps="WGS84").line_length(*g.xy) for g in met.geometry]
    assert net.length_m.tolist() == pytest.approx(truth)
    metric = from_lines(met.to_crs(32642), snap_m=1)
    assert metric.length_m.tolist() == pytest.approx(truth, rel=1e-6)
    assert (metric.n, metric.n_components) == (4, 1)


def test_lengths_and_speeds_from_columns():
    net = from_lines(lines([(70, 50), (71, 50)], km=[100.0], kmh=[50.0]), length_km="km", speed_kmh="kmh")
    assert net.time_s.tolist() == [7200]
    parts = gpd.GeoDataFrame(
        {"km": [9.0]}, geometry=[shapely.MultiLineString([[(70, 50), (71, 50)], [(72, 50), (73, 50)]])], crs=4326
    )
    assert len(from_lines(parts).start) == 2
    with pytest.raises(InputError, match="lengths of column 'km' can't be shared"):
        from_lines(parts, length_km="km")


def test_degrees_go_round_the_earth():
    net = from_edges(edges_of(("a", "b", 100)), nodes_at(a=(180, 50), b=(-180, 51)))
    assert net.lon.tolist() == [180, -180]
    text = from_edges(edges_of(("a", "b", "1 200,5")), TRIANGLE.astype(str))
    assert text.length_m.tolist() == [1_200_500]
    assert text.lat.tolist() == TRIANGLE["lat"].tolist()


BROKEN = [shapely.LineString([(70, 50), (71, 50)]), shapely.Point(70, 50), None, shapely.LineString()]


@pytest.mark.parametrize(
    ("layer", "says"),
    [
        (lines([(70, 50), (71, 50)], crs=None), "^lines: the layer declares no CRS; set it"),
        (lines().set_crs(4326), "^lines: the layer has no feature$"),
        (gpd.GeoDataFrame(geometry=BROKEN, index=list("abcd"), crs=4326), "3 of 4 shapes .* no lines: 'b', 'c', 'd'"),
    ],
)
def test_what_lines_are_refused_for(layer, says):
    with pytest.raises(InputError, match=says):
        from_lines(layer)


@LAWS
@given(
    st.lists(st.tuples(st.floats(69.5, 71.5), st.floats(49.5, 51)), min_size=1, max_size=8),
    st.randoms(use_true_random=False),
)
def test_the_order_of_rows_never_changes_how_places_are_tied(where, shuffler):
    edges = edges_of(("a", "b", 80), ("b", "c", 70), ("a", "c", 60), ("a", "b", 85))
    places = points(**{f"p{i}": w for i, w in enumerate(where)})
    plain = attach(from_edges(edges, TRIANGLE), places)
    mixed = [list(edges.index), list(TRIANGLE.index), list(places.index)]
    for order in mixed:
        shuffler.shuffle(order)
    again = attach(from_edges(edges.loc[mixed[0]], TRIANGLE.loc[mixed[1]]), places.loc[mixed[2]])
    pd.testing.assert_series_equal(again.distance_m.loc[places.index], plain.distance_m, rtol=1e-12)

    def times(tied):
        leave = tied.leaving()
        seconds = csgraph.dijkstra(tied.network.matrix)
        ways = [leave.offset_s[:, s, None] + seconds[leave.node[:, s]] for s in (0, 1)]
        return pd.DataFrame(np.minimum(*ways), tied.ids, tied.network.nodes).loc[places.index, list(TRIANGLE.index)]

    pd.testing.assert_frame_equal(times(again), times(plain), rtol=1e-9, atol=1e-5)


def test_the_embedded_roads(kazakhstan):
    edges, nodes = pd.read_csv(kazakhstan / "roads.csv"), pd.read_csv(kazakhstan / "road_nodes.csv", index_col="id")
    net = from_edges(edges, nodes, speed_kmh={"international": 90.0, "republican": 80.0})
    assert (net.n, len(net.start), net.n_components) == (400, 457, 1)
    assert net.length_m.sum() / 1000 == pytest.approx(edges["length_km"].sum())
    ends = Geod(ellps="WGS84").inv(net.lon[net.start], net.lat[net.start], net.lon[net.end], net.lat[net.end])[2]
    assert (net.length_m > 0.99 * ends).all()  # great circles of a sphere, 0.6 % off at most
