"""Cells: every point in its polygon, equal areas, no gaps and no overlaps, nothing lost."""

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from hypothesis import given, settings
from hypothesis import strategies as st

from kazgeo.errors import InputError
from kazgeo.hotspots.cells import aggregate

LAWS = settings(max_examples=15, deadline=None, derandomize=True)
AREA = {"hexagon": np.sqrt(0.75), "fishnet": 1.0}
BOW_TIE = geopandas.GeoSeries({"bow": shapely.Polygon([(70, 48), (72, 50), (72, 48), (70, 50)])}, crs=4326)
BOTH = pytest.mark.parametrize("cell", ["hexagon", "fishnet"])


def events(n=200, seed=0):
    rng = np.random.default_rng(seed)
    at = geopandas.points_from_xy(rng.uniform(70, 72, n), rng.uniform(48, 50, n), crs=4326)
    return geopandas.GeoDataFrame(geometry=at, index=[f"e{i:03d}" for i in range(n)])


def frame(west=70.5, east=71.5):
    return geopandas.GeoDataFrame(geometry=[shapely.box(west, 48.5, east, 49.5)], crs=4326)


@BOTH
@LAWS
@given(seed=st.integers(0, 1000), size=st.sampled_from([3_000.0, 20_000.0, 70_000.0]))
def test_every_point_lies_in_its_cell_and_is_counted_once(cell, seed, size):
    points = events(100, seed)
    got = aggregate(points, cell=cell, size_m=size)
    at = points.geometry.to_crs(got.layer.crs)
    own = got.layer.geometry[got.cell_of].to_numpy()
    assert (shapely.distance(own, at.to_numpy()) <= 1e-6).all()
    assert got.layer["n"].tolist() == got.cell_of.value_counts().reindex(got.layer.index).tolist()
    assert got.layer["n"].sum() == 100
    np.testing.assert_allclose(got.layer.area, AREA[cell] * size**2, rtol=1e-9)


@BOTH
def test_cells_tile_the_area_without_gaps_or_overlaps(cell):
    got = aggregate(events(), cell=cell, size_m=15_000, area=frame())
    whole = got.layer.union_all()
    assert whole.area == pytest.approx(got.layer.area.sum(), rel=1e-9)
    assert whole.buffer(1e-6).covers(frame().to_crs(got.layer.crs).geometry.iloc[0])
    at_points = events().geometry.to_crs(got.layer.crs).to_numpy()
    counted = shapely.intersects(got.layer.geometry.to_numpy()[:, None], at_points[None, :]).sum(axis=1)
    assert got.layer["n"].tolist() == counted.tolist()
    assert 0 in counted
    outside = got.dropped
    assert set(outside["reason"]) == {"outside the area"}
    assert got.layer["n"].sum() + len(outside) == 200
    at = events().geometry.to_crs(got.layer.crs)
    assert not at[outside["unit"]].intersects(whole.buffer(-1e-6)).any()


@BOTH
def test_empty_cells_are_made_in_an_area_only(cell):
    points = events(5)
    assert (aggregate(points, cell=cell, size_m=10_000).layer["n"] > 0).all()
    assert (aggregate(points, cell=cell, size_m=10_000, area=frame(70, 72)).layer["n"] == 0).any()


@BOTH
@LAWS
@given(seed=st.integers(0, 1000), shuffler=st.randoms(use_true_random=False))
def test_order_never_matters_and_weights_are_summed(cell, seed, shuffler):
    points = events(60, seed)
    points.loc["e007", "geometry"] = None
    weight = pd.Series(np.random.default_rng(seed).random(60), index=points.index)
    weight["e003"] = np.nan
    plain = aggregate(points, cell=cell, weight=weight)
    ids, other = list(points.index), list(points.index)
    shuffler.shuffle(ids)
    shuffler.shuffle(other)
    again = aggregate(points.loc[ids], cell=cell, weight=weight[other])
    assert_geodataframe_equal(again.layer, plain.layer)
    assert (again.layer["value"] == plain.layer["value"]).all()
    pd.testing.assert_series_equal(again.cell_of[points.index], plain.cell_of)
    pd.testing.assert_frame_equal(again.dropped, plain.dropped)
    assert plain.dropped.to_numpy().tolist() == [["e003", "missing weight"], ["e007", "no place"]]
    assert plain.layer["value"].sum() == pytest.approx(weight.drop("e007").sum())


def test_the_default_size_holds_about_one_point_of_points_at_random():
    """Clark and Evans (1954): mean nearest distance 1 / (2 sqrt(density)), standard error 0.26 / sqrt(n density).

    So the cell holds 1 point, give or take 2 * 0.52 / sqrt(2000) = 2.3 %, and some more by the border: 10 %.
    """
    got = aggregate(events(2000), cell="fishnet")
    half = frame(70, 72).to_crs(got.layer.crs).area.iloc[0]  # 48.5 to 49.5 degrees of 48 to 50
    assert got.size_m**2 * 2000 / (2 * half) == pytest.approx(1, rel=0.10)


def test_polygons_stand_at_a_point_within():
    boxes = geopandas.GeoDataFrame(geometry=[shapely.box(70, 50, 70.01, 50.01)], index=["a"], crs=4326)
    assert aggregate(boxes, size_m=10_000).layer["n"].tolist() == [1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"size_m": 0}, "size_m must be positive metres; got 0"),
        ({"size_m": np.inf}, "size_m must be positive"),
        ({"size_m": 10.0, "area": frame()}, "at most 250,000 cells"),
        ({"cell": "hex"}, "cell 'hex' is not one of the choices"),
        ({"points": events().set_crs(None, allow_override=True)}, "points have no CRS"),
        ({"points": events().iloc[:0]}, "at least 1 with a place; got 0 of 0"),
        ({"points": events(1), "size_m": None}, "size_m must be given"),
        ({"area": frame().set_crs(None, allow_override=True)}, "area has no CRS"),
        ({"area": frame().iloc[:0]}, "area must hold at least one polygon"),
        ({"weight": pd.Series([1.0], index=["e000"])}, "weight lacks 199"),
        ({"weight": pd.Series(1.0, index=[*events().index, "zz"])}, "points lack 1: 'zz'"),
        ({"size_m": "10 km"}, "size_m must be positive metres; got '10 km'"),
        ({"size_m": 1e-6}, "size_m must be larger: 1e-06 m makes more cells than can be numbered"),
        ({"size_m": 1e-3, "area": frame()}, "at most 250,000 cells"),
        ({"area": BOW_TIE}, r"area must hold valid polygons; invalid: 'bow'; mend them with area.make_valid\(\)"),
        ({"area": pd.DataFrame()}, "area must be a GeoDataFrame or GeoSeries of polygons; got DataFrame"),
    ],
)
def test_faults_are_named(change, words):
    call = {"points": events(), "size_m": 10_000.0} | change
    with pytest.raises(InputError, match=words):
        aggregate(call.pop("points"), **call)
