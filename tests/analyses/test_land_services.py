"""Services over land as faces: referral, capacity, where to build, roads and ground in one model; numbers by hand."""

from __future__ import annotations

import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rioxarray  # noqa: F401  makes .rio
import shapely
import xarray

from kazgeo import analyses
from kazgeo.errors import InputError
from kazgeo.raster import write_raster

KM = 1000.0
#: A step of a kilometre at 4 km/h, minutes, and one across a corner.
STEP, SLANT = 15.0, 15.0 * math.sqrt(2)


def raster(values, crs=32642):
    values = np.asarray(values, dtype=float)
    rows, columns = values.shape
    at = {"y": KM * (rows - 0.5 - np.arange(rows)), "x": KM * (0.5 + np.arange(columns))}
    return xarray.DataArray(values, at, ("y", "x")).rio.write_crs(crs)


def points(columns=None, **at):
    return gpd.GeoDataFrame(columns, geometry=[shapely.Point(p) for p in at.values()], index=list(at), crs=32642)


def line(*xy):
    return gpd.GeoDataFrame({"kmh": [60.0]}, geometry=[shapely.LineString(xy)], crs=32642)


WALK = raster(np.full((2, 4), 0.9))


def run(name, *args, **options):
    return analyses.get(name).function(*args, **options)


def test_referral_goes_the_quickest_way_and_names_both_ends():
    posts = points({"name": ["A", "B", "C"]}, a=(500, 500), b=(3500, 500), c=(500, 1500))
    found = run("referral_table", WALK, posts)
    table = found.tables["times"].set_index(["origin_id", "destination_id"])
    assert len(table) == 6
    assert table.loc[("a", "b"), "travel_time_min"] == pytest.approx(3 * STEP)
    assert table.loc[("b", "c"), "travel_time_min"] == pytest.approx(2 * STEP + SLANT)
    assert table.loc[("b", "c"), "way_km"] == pytest.approx(2 + math.sqrt(2))
    assert table.loc[("b", "c"), ["origin_name", "destination_name"]].tolist() == ["B", "C"]
    assert found.layer["nearest_id"].tolist() == ["c", "a", "a"]
    assert found.layer["nearest_min"].tolist() == pytest.approx([STEP, 3 * STEP, STEP])
    assert found.layer["reached"].tolist() == [2, 2, 2]
    assert "B – A, 45" in found.summary()


def test_referral_to_a_higher_level_within_a_limit():
    posts, hospital = points(a=(500, 500), b=(3500, 500), out=(90_000, 0)), points(h=(500, 1500))
    found = run("referral_table", WALK, posts, higher=hospital, limit_min=20.0)
    assert found.tables["times"][["origin_id", "destination_id"]].values.tolist() == [["a", "h"]]
    assert found.numbers == {"pairs": 1, "absent": 1}
    assert found.layer["nearest_id"].tolist() == ["h", None, None]
    assert found.dropped.values.tolist() == [["out", "outside the surface"]]
    both = run("referral_table", WALK, posts, higher=points(h=(500, 1500), out=(90_000, 0)))
    assert both.dropped["unit"].tolist() == ["out", "out"]  # two facilities of one name, one of each level
    assert run("referral_table", WALK, posts).dropped["unit"].tolist() == ["out"]


def test_who_comes_first_takes_the_nearest_up_to_capacity():
    people = raster([[np.nan] * 4, [10.0, 20.0, 40.0, 80.0]])
    posts = points({"beds": [50, 60, None]}, a=(500, 500), b=(3500, 500), c=(500, 500))
    found = run("capacity_catchments", WALK, posts, people, "beds", 32.0)
    # b is larger: 60 of the 80 in its own cell. a: 10 at once, 20 after 15 min, 20 of the 40 after 30 min
    assert found.layer["turn"].tolist()[:2] == [2, 1]
    assert found.layer["people_served"].tolist()[:2] == pytest.approx([50, 60])
    assert found.layer["mean_min"].tolist()[:2] == pytest.approx([(20 * STEP + 20 * 2 * STEP) / 50, 0])
    assert found.rasters["left"].surface.values[1].tolist() == pytest.approx([0, 0, 20, 20])
    assert found.numbers["served_percent"] == pytest.approx(100 * 110 / 150)
    assert found.numbers["people_left"] == pytest.approx(40)
    assert found.dropped.values.tolist() == [["c", "no capacity"]]
    assert "Facilities that are full: 2" in found.summary()
    # a first by a column of its own: the same here, but for the cell in the middle that both reach
    first = run("capacity_catchments", WALK, posts.assign(n=[2, 1, 0]), people, "beds", 32.0, turns="column",
                turn_field="n", ring_min=0.0)  # fmt: skip
    assert first.layer["turn"].tolist()[:2] == [1, 2]
    with pytest.raises(InputError, match="turn_field must be given for turns by a column"):
        run("capacity_catchments", WALK, posts, people, "beds", 32.0, turns="column")


def test_where_a_facility_would_newly_cover_most_people():
    walk, people = raster([[np.nan] * 4, [0.9] * 4]), raster([[0.0] * 4, [10.0, 20.0, np.nan, 40.0]])
    found = run("scaling_up", walk, people, 15.0, facilities=points(there=(500, 500)), best_places=2)
    # within 15 min, a step, of the facility live 30; a facility in one of the two eastern cells covers the other 40
    assert found.rasters["new"].surface.values[1].tolist() == [0, 0, 40, 40]
    best = found.layer[["rank", "newly_covered", "of_uncovered_percent"]]
    assert best.values.tolist() == [[1, 40, 100], [2, 40, 100]]
    assert [(p.x, p.y) for p in found.layer.geometry] == [(2500, 500), (3500, 500)]
    assert found.numbers["covered_percent"] == pytest.approx(100 * 30 / 70)
    everybody = run("scaling_up", walk, people, 60.0, facilities=points(there=(500, 500)))
    assert (everybody.numbers["covered_percent"], everybody.numbers["best"]) == (100, 0)
    assert len(everybody.layer) == 0  # no place is good that covers nobody new
    some = run("scaling_up", walk, people, 15.0, candidates=raster([[1, 0, 0, 0]] * 2))
    assert some.numbers["best"] == 30
    assert some.numbers["covered_percent"] == 0


def test_roads_and_ground_are_one_model():
    road = line((500, 500), (3500, 500))
    found = run("cost_distance", WALK, points(post=(500, 500)), roads=road, speed="kmh", settlements=points(
        near=(1500, 500), far=(3500, 500)))  # fmt: skip
    # on the road after half a cell (7.5 min), 2.5 km at 60 km/h to where the last cell begins, off it in 7.5 min;
    # lengths are geodesic, those of cells are of the plane, 0.3 % apart here
    time = found.rasters["time"].surface.values[1]
    assert time == pytest.approx([0, STEP, 7.5 + 1.5 + 7.5, 7.5 + 2.5 + 7.5], rel=3e-3)
    assert found.rasters["by_road"].surface.values[1].tolist() == [0, 0, 1, 1]
    assert "half a cell of ground: 8\xa0min in the median" in found.summary()  # 7.5
    assert found.layer["travel_time_min"].tolist() == pytest.approx([STEP, 17.5], rel=3e-3)
    wall = raster([[0.9, np.nan, 0.9, 0.9]] * 2)
    bridge = run("cost_distance", wall, points(post=(500, 500)), roads=road, speed="kmh")
    assert bridge.rasters["time"].surface.values[1, 2] == pytest.approx(16.5, rel=3e-3)
    assert np.isnan(bridge.rasters["time"].surface.values[:, 1]).all()
    assert "by_road" not in run("cost_distance", WALK, points(post=(500, 500))).rasters


def test_whose_ground_is_told_by_name(tmp_path):
    found = run("cost_distance", WALK, points({"name": ["West", "East & co"]}, b=(500, 500), a=(3500, 500)))
    near = found.rasters["allocation"]
    assert near.surface.values[1].tolist() == [2, 2, 1, 1]  # by id
    write_raster(tmp_path / "near.tif", near, {})
    style = (tmp_path / "near.qml").read_text(encoding="utf-8")
    assert style.count("<paletteEntry ") == 2
    assert 'value="1"' in style.split('label="1 East &amp; co"')[0][-60:]
    assert 'label="2 West"' in style


def test_one_way_roads_count_in_the_direction_of_travel():
    road = line((500, 500), (3500, 500)).assign(oneway="yes")
    post = points(post=(500, 500))
    to, back = (run("cost_distance", WALK, post, roads=road, one_way="oneway", travel=t) for t in ("to", "from"))
    assert to.rasters["time"].surface.values[1, 3] == pytest.approx(3 * STEP)
    assert back.rasters["time"].surface.values[1, 3] == pytest.approx(17.5, rel=3e-3)


def test_a_surface_of_the_ground_alone_and_modes_that_feel_no_slope():
    road = line((500, 500), (3500, 500))
    bare = run("friction_surface", roads=road, bare=True, cell_m=1000.0, margin_km=1.0)
    assert np.unique(bare.rasters["friction"].surface.values) == pytest.approx([0.9])
    cover, height = raster([[1, 2, 1, 2]] * 3), raster([[0.0, 100, 200, 300]] * 3)
    made = run("friction_surface", land_cover=cover, cover_speeds="1=4, 2=4", cover_modes="2=motorised",
               elevation=height).rasters["friction"].surface.values  # fmt: skip
    assert made[1, 1] == pytest.approx(0.9)
    # Tobler, the mean of up and down a slope of a tenth
    both = (math.exp(3.5 * 0.15 - 0.175) + math.exp(3.5 * 0.05 - 0.175)) / 2
    assert made[1, 2] == pytest.approx(0.9 * both)
    wrongs = {"3=walking": "class 3 has no speed", "2=flying": "one of walking", "x=walking": "numbers"}
    for wrong, says in wrongs.items():
        with pytest.raises(InputError, match=says):
            run("friction_surface", land_cover=cover, cover_speeds="1=4, 2=4", cover_modes=wrong)
    with pytest.raises(InputError, match="name a layer of roads, a raster of land cover, or both"):
        run("friction_surface")


def test_nobody_anywhere_gives_no_share():
    nobody = WALK * 0
    posts = points({"beds": [5]}, a=(500, 500))
    served = run("capacity_catchments", WALK, posts, nobody, "beds", 32.0)
    assert math.isnan(served.numbers["served_percent"])
    assert pd.isna(served.layer["mean_min"].iloc[0])
    assert math.isnan(run("scaling_up", WALK, nobody, 15.0).numbers["covered_percent"])


def test_a_road_uphill_is_driven_and_the_ground_beside_it_walked():
    """A road of 60 km/h up a slope of 10 %, and a place a cell off it; modes go from the one face to the other."""
    x = 500.0 + 1000 * np.arange(5)
    roads = gpd.GeoDataFrame(geometry=[shapely.LineString([(500, 1500), (4500, 1500)])], crs=32642)
    cover = xarray.DataArray(np.ones((3, 5)), {"y": x[:3][::-1], "x": x}, ("y", "x")).rio.write_crs(32642)
    ground = run("friction_surface", roads=roads, default_speed_kmh=60.0, land_cover=cover, cover_speeds="1=6")
    friction, modes = ground.rasters["friction"].surface, ground.rasters["modes"].surface
    assert modes.values.tolist() == [[0] * 5, [2] * 5, [0] * 5]
    hill = cover.copy(data=np.tile(100.0 * np.arange(5), (3, 1)))
    post = gpd.GeoDataFrame({"name": ["post"]}, geometry=gpd.points_from_xy([4500], [1500]), index=["p"], crs=32642)
    driven = run("cost_distance", friction, post, elevation=hill, modes=modes).rasters["time"].surface
    walked = run("cost_distance", friction, post, elevation=hill).rasters["time"].surface
    assert float(driven[1, 0]) == pytest.approx(4.0)
    assert float(walked[1, 0]) == pytest.approx(4.0 * np.exp(3.5 * 0.15 - 0.175), rel=1e-6)
    # half a cell on foot along the contour, half a cell on the road's friction, then four cells by car
    step = 0.5 * 1000 * (3.6 / 6 + 3.6 / 60) / 60
    assert float(driven[0, 4]) == pytest.approx(step, rel=1e-6)
    with pytest.raises(InputError, match="modes are for slopes"):
        run("cost_distance", friction, post, modes=modes)
    with pytest.raises(InputError, match="mode must be 0"):
        run("cost_distance", friction, post, elevation=hill, modes=hill)
