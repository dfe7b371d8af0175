"""Rural access index: distances by geodesic, marks by label, unknown people told, grid against points."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rioxarray  # noqa: F401
import shapely
import xarray
from pyproj import Geod

from kazgeo.accessibility import rural_access, rural_access_grid
from kazgeo.errors import InputError

GEOD = Geod(ellps="WGS84")


def roads(*at):
    lines = [shapely.LineString([(lon, 49.9), (lon, 50.1)]) for lon in at]
    return gpd.GeoDataFrame(geometry=lines, index=[f"r{k}" for k in range(len(at))], crs=4326)


def beside(lon, *metres):
    """Places east of a meridian at 50 degrees north."""
    spots = [GEOD.fwd(lon, 50.0, 90, m)[:2] for m in metres]
    ids = [f"v{k}" for k in range(len(metres))]
    return gpd.GeoDataFrame(geometry=[shapely.Point(s) for s in spots], index=ids, crs=4326)


def test_distances_are_geodesic_within_half_a_percent_and_the_limit_divides():
    metres = [0.0, 500.0, 1980.0, 2020.0, 9000.0]
    villages = beside(71.0, *metres)
    people = pd.Series([10.0, 20.0, 30.0, 40.0, 100.0], villages.index)
    found = rural_access(villages, roads(71.0), people)
    assert found.places["distance_m"].tolist() == pytest.approx(metres, rel=0.005, abs=1)
    assert found.index == pytest.approx(60 / 200)
    assert (found.people, found.near) == (200, 60)
    assert rural_access(villages, roads(71.0), people, limit_m=10_000).index == 1


def test_roads_closed_in_winter_and_towns_don_t_count():
    villages = beside(71.0, 100.0, 5000.0)
    people = pd.Series([10.0, 30.0], villages.index)
    both = roads(71.0, 71.07)  # the second runs by the second village
    assert rural_access(villages, both, people).index == 1
    season = pd.Series({"r1": False, "r0": True})  # by label, not by order
    assert rural_access(villages, both, people, all_season=season).index == 0.25
    rural = pd.Series({"v1": True, "v0": False})
    found = rural_access(villages, both, people, all_season=season, rural=rural)
    assert (found.index, found.people) == (0, 30)


def test_order_of_rows_changes_nothing():
    villages = beside(71.0, 100.0, 5000.0, 1500.0)
    people = pd.Series([1.0, 2.0, 4.0], villages.index)
    expected = rural_access(villages, roads(71.0, 75.0), people)
    found = rural_access(villages[::-1], roads(71.0, 75.0)[::-1], people.iloc[[1, 2, 0]])
    assert found.index == expected.index
    pd.testing.assert_frame_equal(found.places.loc[expected.places.index], expected.places)


def test_a_grid_of_points_gives_what_the_points_give():
    rng = np.random.default_rng(1)
    values = np.where(rng.random((40, 40)) < 0.3, rng.integers(1, 50, (40, 40)), 0).astype(float)
    at = 500.0 + 1000 * np.arange(40)
    grid = xarray.DataArray(values, {"y": 5_500_000 + at[::-1], "x": 500_000 + at}, ("y", "x")).rio.write_crs(32642)
    line = gpd.GeoDataFrame(geometry=[shapely.LineString([(500_000, 5_500_000), (540_000, 5_530_000)])], crs=32642)
    row, column = np.nonzero(values)
    cells = gpd.GeoDataFrame(geometry=gpd.points_from_xy(grid.x.values[column], grid.y.values[row]), crs=32642)
    points = rural_access(cells, line, pd.Series(values[row, column]))
    found = rural_access_grid(grid, line)
    assert found.index == pytest.approx(points.index)
    assert found.people == values.sum()
    west = xarray.zeros_like(grid, dtype=bool)
    west[:, :20] = True
    assert rural_access_grid(grid, line, rural=west).people == values[:, :20].sum()
    assert rural_access_grid(grid, line, rural=west[:, ::-1]).people == values[:, :20].sum()  # by label
    assert rural_access_grid(grid, line, rural=west.where(west)).people == values[:, :20].sum()  # unknown is not rural
    with pytest.raises(InputError, match="rural must have the cells of population"):
        rural_access_grid(grid, line, rural=west.assign_coords(x=west.x + 1000))


def test_what_can_t_be_done_is_said():
    villages = beside(71.0, 100.0)
    people = pd.Series([1.0], villages.index)
    with pytest.raises(InputError, match="none of 1 roads is open all year"):
        rural_access(villages, roads(71.0), people, all_season=pd.Series({"r0": False}))
    with pytest.raises(InputError, match="all_season must tell of all roads; it lacks 'r0'"):
        rural_access(villages, roads(71.0), people, all_season=pd.Series({"x": True}))
    with pytest.raises(InputError, match="limit_m"):
        rural_access(villages, roads(71.0), people, limit_m=0)
    with pytest.raises(InputError, match="places declare no CRS"):
        rural_access(villages.set_crs(None, allow_override=True), roads(71.0), people)
    grid = xarray.DataArray([[-9999.0]], {"y": [0.0], "x": [0.0]}, ("y", "x")).rio.write_crs(32642)
    with pytest.raises(InputError, match="negative: declare nodata"):
        rural_access_grid(grid, roads(71.0))
