"""Friction surfaces: laws of the speed table, order of layers, Tobler, degrees, hostile input.

Truth: Tobler (1993) as printed in the notes, v = 6 exp(-3.5 |s + 0.05|); lengths of steps by ``pyproj.Geod``; burnt
cells by shapely's intersection of every cell.
"""

from __future__ import annotations

import geopandas
import numpy as np
import pandas as pd
import pyproj
import pytest
import rioxarray  # noqa: F401
import shapely
import xarray
from hypothesis import given, settings
from hypothesis import strategies as st

from kazgeo import friction
from kazgeo.errors import InputError

SPEEDS = pd.DataFrame(
    {"speed_kmh": [4.0, 12.0, 80.0, None], "mode": ["walking", "bicycling", "motorised", "walking"]},
    index=[1, 2, 101, 9],
)


def layer(values, crs=32642):
    values = np.asarray(values, float)
    at = [1000 * (np.arange(n) + 0.5) for n in values.shape]
    return xarray.DataArray(values, {"y": at[0][::-1], "x": at[1]}, ("y", "x")).rio.write_crs(crs)


def touched(grid, shape):
    """Return the cells that a shape shares a point of the inside with."""
    return np.array(
        [
            [shapely.box(x - 500, y - 500, x + 500, y + 500).intersects(shape) for x in grid.x.values]
            for y in grid.y.values
        ]
    )


def test_classes_become_seconds_per_metre():
    cover = layer([[1, 2], [101, 9], [np.nan, 1]])
    made = friction.from_classes(cover, SPEEDS)
    np.testing.assert_allclose(made, [[0.9, 0.3], [0.045, np.nan], [np.nan, 0.9]])
    assert friction.modes(cover, SPEEDS).values.tolist() == [[0, 1], [2, 0], [2, 0]]
    assert friction.check_friction(made).crs.to_epsg() == 32642
    assert np.isnan(made.rio.nodata)


def test_the_order_of_the_table_changes_nothing():
    cover = layer([[1, 2], [101, 9]])
    xarray.testing.assert_identical(
        friction.from_classes(cover, SPEEDS), friction.from_classes(cover, SPEEDS.sample(frac=1, random_state=1))
    )


def test_roads_cross_rivers_by_bridges_unless_told():
    cover = layer(np.ones((5, 5)))
    river = geopandas.GeoDataFrame(geometry=[shapely.LineString([(0, 2400), (5000, 2600)])], crs=32642)
    road = geopandas.GeoDataFrame(
        {"class": [101]}, geometry=[shapely.LineString([(2500, 100), (2500, 4900)])], crs=32642
    )
    with_bridge = friction.merge(cover, barriers=river, roads=road)
    assert with_bridge.values[2].tolist() == pytest.approx([np.nan, np.nan, 101, np.nan, np.nan], nan_ok=True)
    without = friction.merge(cover, barriers=river, roads=road, bridges=False)
    assert np.isnan(without.values[2]).all()
    assert without.values[0, 2] == 101


def test_barriers_leave_no_gap_at_corners():
    line = shapely.LineString([(200, 100), (7900, 7300)])
    cover = layer(np.ones((8, 8)))
    made = friction.block(cover, geopandas.GeoDataFrame(geometry=[line], crs=32642))
    np.testing.assert_array_equal(np.isnan(made.values), touched(cover, line))


def test_the_main_road_of_a_cell_wins():
    lines = [shapely.LineString([(500, 500), (2500, 500)]), shapely.LineString([(1500, 0), (1500, 3000)])]
    roads = geopandas.GeoDataFrame({"class": [103, 101], "speed_kmh": [50.0, 100.0]}, geometry=lines, crs=32642)
    cover = layer(np.ones((3, 3)))
    for order in ([0, 1], [1, 0]):
        assert friction.merge(cover, roads=roads.iloc[order]).values[2].tolist() == [103, 101, 103]
        assert friction.burn_roads(cover, roads.iloc[order]).values[2] == pytest.approx([0.072, 0.036, 0.072])
    assert friction.burn_roads(cover, roads, speed_kmh=36).values[2].tolist() == pytest.approx([0.1, 0.1, 0.1])


def test_roads_are_brought_to_the_surface():
    cover = layer(np.ones((3, 3)))
    road = geopandas.GeoDataFrame(
        {"speed_kmh": [36.0]}, geometry=[shapely.LineString([(600, 1500), (2400, 1500)])], crs=32642
    )
    np.testing.assert_allclose(
        friction.burn_roads(cover, road.to_crs(4326)).values, friction.burn_roads(cover, road).values
    )


@given(st.floats(-1, 1))
def test_tobler(slope):
    assert friction.tobler(slope) * 6 * np.exp(-0.175) == pytest.approx(6 * np.exp(-3.5 * abs(slope + 0.05)))


def test_slope_slows_walking_alike_in_all_directions():
    plane = layer(np.add.outer(100.0 * np.arange(4), np.zeros(5)))  # 10 %
    flat = layer(np.full((4, 5), 0.72))
    made = friction.slow_by_slope(flat, plane)
    wanted = 0.72 * (1 / friction.tobler(0.1) + 1 / friction.tobler(-0.1)) / 2
    np.testing.assert_allclose(made, wanted)
    mode = layer(np.tile([0, 1, 2, 0, 0], (4, 1))).astype(np.uint8)
    some = friction.slow_by_slope(flat, plane, mode=mode)
    np.testing.assert_allclose(some.values[:, 1:3], 0.72)
    np.testing.assert_allclose(some.values[:, 0], wanted)
    np.testing.assert_allclose(friction.slow_by_slope(flat, plane.where(plane.x > 9e9)), 0.72)


@given(st.floats(-80, 80), st.floats(0.001, 1.0))
@settings(max_examples=30)
def test_degrees_have_their_metres_in_every_row(lat, step):
    at = lat + step * np.arange(3)
    surface = xarray.DataArray(np.ones((3, 3)), {"y": at, "x": 60 + step * np.arange(3)}, ("y", "x")).rio.write_crs(
        4326
    )
    got = friction.grid_of(surface).lengths(np.array([0, 1, -1, 1, 0]), np.array([1, 0, 0, -1, 2]))
    geod = pyproj.Geod(ellps="WGS84")
    for r in range(1, 2):
        y = at[r]
        wanted = [
            geod.inv(60, y, 60 + step, y)[2], geod.inv(60, y, 60, y + step)[2], geod.inv(60, y, 60, y - step)[2],
            geod.inv(60, y, 60 + step, y + step)[2], geod.inv(60, y, 60 + 2 * step, y)[2],
        ]  # fmt: skip
        np.testing.assert_allclose(got[r], wanted, rtol=1e-6)
    np.testing.assert_array_equal(got[1, 2], got[0, 1])  # there and back


def test_minutes_per_metre():
    surface = layer([[0.01, -9999.0]]) if False else layer([[0.01, -9999.0], [0.02, 0.03]]).rio.write_nodata(-9999.0)
    np.testing.assert_allclose(friction.from_minutes_per_metre(surface), [[0.6, np.nan], [1.2, 1.8]])
    with pytest.raises(InputError, match="0 at"):
        friction.from_minutes_per_metre(surface.where(surface != 0.02, 0.0))


def test_all_faults_of_the_table_at_once():
    bad = pd.DataFrame(
        {"speed_kmh": [0, "x", 2000, 5], "mode": ["walking", "walking", "car", "walking"]}, index=[1, 2, 3, 3]
    )
    with pytest.raises(InputError) as told:
        friction.from_classes(layer([[1, 1], [1, 1]]), bad)
    for words in ("classes must be unique; repeated: 3", "not so for classes 1, 2, 3", "mode must be one of"):
        assert words in str(told.value)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda c: friction.from_classes(c, SPEEDS.drop(columns="speed_kmh")), "must have a column 'speed_kmh'"),
        (lambda c: friction.from_classes(c * 7, SPEEDS), "there is none for 7"),
        (lambda c: friction.merge(c, roads=geopandas.GeoDataFrame(geometry=[], crs=32642)), "road_class 'class'"),
        (lambda c: friction.block(c, geopandas.GeoDataFrame(geometry=[shapely.Point(0, 0)])), "declare no CRS"),
        (lambda c: friction.burn_roads(c, geopandas.GeoDataFrame(geometry=[], crs=32642)), "speed_kmh 'speed_kmh'"),
        (
            lambda c: friction.burn_roads(
                c, geopandas.GeoDataFrame({"speed_kmh": [0.0]}, geometry=[shapely.Point(0, 0)], crs=32642)
            ),
            r"km/h from 0.01 to 1000; not so in 1 of 1 rows: row 1 \(index 0\): 0;",
        ),
        (
            lambda c: friction.burn_roads(c, geopandas.GeoDataFrame(geometry=[], crs=32642), speed_kmh=-1),
            "positive km/h",
        ),
        (lambda c: friction.slow_by_slope(c, c[:1]), "elevation has one cell along y"),
    ],
)
def test_faults_are_told(call, words):
    with pytest.raises(InputError, match=words):
        call(layer(np.ones((2, 2))))


def test_no_road_and_no_barrier_change_nothing():
    cover = layer(np.ones((2, 2)))
    none = geopandas.GeoDataFrame({"speed_kmh": pd.Series([], dtype=float)}, geometry=[], crs=32642)
    np.testing.assert_array_equal(friction.burn_roads(cover, none), cover)
    np.testing.assert_array_equal(friction.block(cover, none), cover)
    lost = geopandas.GeoDataFrame({"speed_kmh": [5.0]}, geometry=[None], crs=32642)
    np.testing.assert_array_equal(friction.burn_roads(cover, lost), cover)


def test_the_input_is_not_changed():
    cover = layer(np.ones((2, 2)))
    before = cover.copy(deep=True)
    friction.block(cover, geopandas.GeoDataFrame(geometry=[shapely.box(0, 0, 9e3, 9e3)], crs=32642))
    xarray.testing.assert_identical(cover, before)


def test_a_labelled_surface_is_no_copy():
    """Three copies of a surface of 36 million cells were most of the memory of a cost distance."""
    values = np.zeros((3, 4))
    grid = friction.grid_of(layer(values + 1))
    for nodata in (np.nan, None, -1):
        made = grid.labelled(values, "x", nodata)
        assert np.shares_memory(made.values, values)
        assert made.rio.crs == grid.crs
        assert made.rio.transform() == grid.transform
