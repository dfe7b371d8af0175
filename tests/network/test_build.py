"""Networks of tables and layers: directions, minutes, junctions, what is kept, what is refused."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from kazgeo.errors import InputError
from kazgeo.network import Ways, crossings, from_edges, from_lines
from kazgeo.network.measure import line_lengths_m

NODES = pd.DataFrame({"lon": [70.0, 70.1, 70.2, 70.1], "lat": [50.0, 50, 50, 50.1]}, index=list("abcd"))


def table(**columns):
    edges = pd.DataFrame({"from_id": list("abb"), "to_id": list("bcd"), "length_km": [10.0, 20, 30]})
    return edges.assign(**columns)


def layer(*shapes, crs=4326, index=None, **columns):
    return gpd.GeoDataFrame(columns, geometry=[shapely.LineString(s) for s in shapes], crs=crs, index=index)


@pytest.mark.parametrize("along", ["yes", "TRUE", "1", 1, 1.0, True, "F", "ft"])
def test_ways_along_the_edge(along):
    network = from_edges(table(one=[along] * 3), NODES, ways=Ways(one_way="one"))
    assert np.isfinite(network.time_s).all()
    assert np.isinf(network.backwards_s).all()


@pytest.mark.parametrize("against", ["-1", -1, -1.0, "reverse", "T", "TF"])
def test_ways_against_the_edge(against):
    network = from_edges(table(one=[against] * 3), NODES, ways=Ways(one_way="one"))
    assert np.isinf(network.time_s).all()
    assert np.isfinite(network.backwards_s).all()


@pytest.mark.parametrize("both", ["no", "false", "0", 0, False, "B", "", None, np.nan, "reversible", "alternating"])
def test_ways_open_both_ways(both):
    network = from_edges(table(one=pd.Series([both] * 3, dtype=object)), NODES, ways=Ways(one_way="one"))
    assert not network.directed


def test_ways_that_are_closed():
    network = from_edges(table(one=["N", "B", "n"]), NODES, ways=Ways(one_way="one"))
    assert np.isinf(network.time_s).tolist() == [True, False, True]
    with pytest.raises(InputError, match="can't be read: 'maybe', 'x'; along the edge are yes"):
        from_edges(table(one=["maybe", "yes", "x"]), NODES, ways=Ways(one_way="one"))


def test_minutes_in_place_of_speeds():
    network = from_edges(table(min=[1.0, 2, 3]), NODES, ways=Ways(time_min="min"))
    assert network.time_s.tolist() == [60, 120, 180]
    assert not network.directed
    both = from_edges(table(min=[1.0, 2, 3], up=[2.0, 2, 6]), NODES, ways=Ways(time_min="min", back_time_min="up"))
    assert both.backwards_s.tolist() == [120, 120, 360]
    with pytest.raises(
        InputError, match="edges: column 'min' must hold positive minutes; not so in 2 of 3 rows: a–b: 0, b–d: missing;"
    ):
        from_edges(table(min=[0, 2, np.nan]), NODES, ways=Ways(time_min="min"))
    with pytest.raises(InputError, match="column 'up' must hold positive minutes; not so in 1 of 3 rows: b–c: -2;"):
        from_edges(table(min=[1.0, 2, 3], up=[1, -2, 3]), NODES, ways=Ways(time_min="min", back_time_min="up"))


def test_speeds_back():
    network = from_edges(table(up=[5.0, 10, 15]), NODES, speed_kmh=60, ways=Ways(back_speed_kmh="up"))
    assert network.time_s.tolist() == pytest.approx([600, 1200, 1800])
    assert network.backwards_s.tolist() == pytest.approx([7200, 7200, 7200])
    with pytest.raises(InputError, match="column 'up' must hold positive km/h; not so in 1 of 3 rows: a–b: 0;"):
        from_edges(table(up=[0, 10, 15]), NODES, ways=Ways(back_speed_kmh="up"))


def test_junctions_cost():
    network = from_edges(table(), NODES, speed_kmh=60, ways=Ways(junction_s=9))
    assert network.time_s.tolist() == pytest.approx([609, 1200, 1800])
    assert network.backwards_s.tolist() == pytest.approx([600, 1209, 1809])
    assert network.roads[["wait_s", "wait_back_s"]].to_numpy().tolist() == [[9, 0], [0, 9], [0, 9]]
    shut = from_edges(table(one=["N", "B", "B"]), NODES, speed_kmh=60, ways=Ways(junction_s=9, one_way="one"))
    for times in (shut.time_s, shut.backwards_s):  # two open edges are no junction
        assert times.tolist()[1:] == pytest.approx([1200, 1800])


def test_lengths_without_a_column_are_geodesic():
    network = from_edges(table().drop(columns="length_km"), NODES, length_km=None)
    truth = Geod(ellps="WGS84").inv(70.0, 50, 70.1, 50)[2]
    assert network.length_m[0] == pytest.approx(truth)
    lone = from_edges(table().iloc[:0], NODES.iloc[:1])
    assert (lone.n, lone.m, lone.n_components) == (1, 0, 1)


def test_what_is_known_of_the_roads_is_kept():
    edges = table(**{"class": list("xyz")}, cover=["mud", "ice", None], name=["A", "B", "C"]).set_axis([7, 8, 9])
    roads = from_edges(edges, NODES, ways=Ways(surface="cover", keep=("name",))).roads
    assert roads.columns.tolist() == ["road_id", "road_class", "surface", "name"]
    assert roads.iloc[1].tolist() == [8, "y", "ice", "B"]
    with pytest.raises(InputError, match="column 'nam' is not a column of edges; did you mean 'name'"):
        from_edges(edges, NODES, ways=Ways(keep=("nam",)))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"junction_s": -1}, "junction_s must be seconds, 0 or more"),
        ({"junction_s": float("nan")}, "junction_s must be seconds, 0 or more"),
        ({"back_time_min": "up"}, "back_time_min needs time_min"),
        ({"time_min": "m", "back_speed_kmh": 5}, "give time_min or back_speed_kmh, not both"),
    ],
)
def test_options_that_make_no_sense(options, says):
    with pytest.raises(InputError, match=says):
        Ways(**options)


def test_lines_keep_their_shape_and_id():
    lines = layer([(70, 50), (70.5, 50.3), (71, 50)], [(71, 50), (72, 50)], index=["x", "y"], one=["yes", "no"])
    network = from_lines(lines, ways=Ways(one_way="one"))
    assert [g.equals_exact(h, 1e-9) for g, h in zip(network.lines(), lines.geometry, strict=True)] == [True, True]
    assert network.roads["road_id"].tolist() == ["x", "y"]
    assert np.isinf(network.backwards_s).tolist() == [True, False]
    assert network.edges().geometry.iloc[0].coords[1] == (70.5, 50.3)


def test_parts_of_a_line_share_its_id():
    parts = shapely.MultiLineString([[(70, 50), (71, 50)], [(72, 50), (73, 50)]])
    lines = gpd.GeoDataFrame({"min": [5.0]}, geometry=[parts], index=["road"], crs=4326)
    assert from_lines(lines).roads["road_id"].tolist() == ["road", "road"]
    with pytest.raises(InputError, match="times of column 'min' can't be shared"):
        from_lines(lines, ways=Ways(time_min="min"))


def test_lines_without_length_are_left_out_and_told():
    lines = layer([(70, 50), (71, 50)], [(71, 50), (71, 50)], [(71, 50), (72, 50)], index=["a", "b", "c"])
    network = from_lines(lines)
    assert network.roads["road_id"].tolist() == ["a", "c"]
    assert network.dropped.to_dict("records") == [{"unit": "b", "reason": "a line without length"}]
    with pytest.raises(InputError, match="all 1 have no length"):
        from_lines(lines.iloc[[1]])


def test_errors_name_the_lines():
    lines = layer([(70, 50), (71, 50)], [(71, 50), (72, 50)], index=["A-1", "M-36"], kmh=[0.0, np.nan])
    with pytest.raises(
        InputError,
        match="lines: column 'kmh' must hold positive km/h; not so in 2 of 2 rows: 'A-1': 0, 'M-36': missing;",
    ):
        from_lines(lines, speed_kmh="kmh")
    with pytest.raises(InputError, match=r"rows: row 1 \(index 0\): 0, row 2 \(index 1\): missing; fill in or correct"):
        from_lines(lines.reset_index(drop=True), speed_kmh="kmh")
    with pytest.raises(InputError, match="snap_m must be metres"):
        from_lines(lines, snap_m=-1)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    st.lists(st.lists(st.tuples(st.floats(50, 80), st.floats(41, 55)), min_size=2, max_size=5), min_size=1, max_size=5)
)
def test_lengths_are_geodesic_along_the_line(shapes):
    geod = Geod(ellps="WGS84")
    xy = np.concatenate([np.array(s) for s in shapes])
    offset = np.r_[0, np.cumsum([len(s) for s in shapes])]
    truth = [geod.line_length(*np.array(s).T) for s in shapes]
    np.testing.assert_allclose(line_lengths_m(xy, offset), truth, rtol=1e-9, atol=1e-6)


def test_crossings_are_counted_and_not_joined():
    lines = layer([(70, 50), (72, 50)], [(71, 49), (71, 51)], [(72, 50), (72, 51)], [(71.5, 49.5), (71.5, 50)])
    network = from_lines(lines)
    found = crossings(network)
    assert found[["edge", "other"]].to_numpy().tolist() == [[0, 1]]
    assert crossings(from_lines(lines.iloc[[0]])).empty
    twice = layer([(70, 50), (72, 50)], [(70, 50), (71, 50.5), (71, 49.5), (72, 50)])
    assert len(crossings(from_lines(twice))) == 1  # they share both ends and cross between
