"""Friction surfaces and cost distance as faces: times by hand, who serves which cell, zones, faults told."""

from __future__ import annotations

import math
import subprocess
import sys

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import rioxarray
import shapely
import xarray

from kazgeo import analyses
from kazgeo.errors import InputError

KM = 1000.0
#: A step of a kilometre at 4 km/h, minutes, and one across a corner.
STEP, SLANT = 15.0, 15.0 * math.sqrt(2)


def raster(values, crs=32642):
    values = np.asarray(values, dtype=float)
    rows, columns = values.shape
    at = {"y": KM * (rows - 0.5 - np.arange(rows)), "x": KM * (0.5 + np.arange(columns))}
    return xarray.DataArray(values, at, ("y", "x")).rio.write_crs(crs)


def points(**at):
    return gpd.GeoDataFrame(geometry=[shapely.Point(p) for p in at.values()], index=list(at), crs=32642)


WALK = raster(np.full((2, 4), 0.9))


def over(friction=WALK, facilities=None, **options):
    return analyses.get("cost_distance").function(
        friction, points(post=(500, 500)) if facilities is None else facilities, **options
    )


def test_minutes_of_every_cell_and_who_is_nearest():
    found = over(facilities=points(post=(500, 500), school=(3500, 500)))
    time = found.rasters["time"].surface.values
    assert time.ravel().tolist() == pytest.approx([STEP, SLANT, SLANT, STEP, 0, STEP, STEP, 0])
    assert found.rasters["allocation"].surface.values.tolist() == [[1, 1, 2, 2], [1, 1, 2, 2]]
    table = found.tables["served"]
    assert table["facility"].tolist() == ["post", "school"]
    assert table["cells"].tolist() == [4, 4]
    assert table["mean_min"].tolist() == pytest.approx([(2 * STEP + SLANT) / 4] * 2)
    assert found.numbers["reached_percent"] == 100


def test_settlements_people_and_zones():
    at = points(a=(2500, 500), b=(500, 1500), out=(99_000, 99_000))
    zones = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 2000, 2000), shapely.box(2000, 0, 3500, 1000)],
                             index=["west", "east"], crs=32642)  # fmt: skip
    people = raster([[10, 10, 10, 10], [10, 10, 10, 50]])
    found = over(settlements=at, population_grid=people, zones=zones, standard_min=30.0, thresholds_min="15, 30")
    assert found.layer["travel_time_min"].tolist()[:2] == pytest.approx([2 * STEP, STEP])
    assert found.layer["nearest_id"].tolist()[:2] == ["post", "post"]
    assert pd.isna(found.layer.loc["out", "travel_time_min"])
    assert found.dropped.values.tolist() == [["out", "outside the surface"]]
    beyond = over(settlements=at, limit_min=20.0)
    assert ["a", "no way to a facility, or none within the limit"] in beyond.dropped.values.tolist()
    assert beyond.layer["nearest_id"].tolist() == [None, "post", None]
    # within 30 min: all of the two western columns and the third cell below, 50 of 120 people
    assert found.numbers["people_within_percent"] == pytest.approx(100 * 50 / 120)
    table = found.tables["by_zone"]
    assert table.loc["west", "people"] == 40
    assert table.loc["west", "within_15_percent"] == pytest.approx(75)
    assert table.loc["east", "people"] == pytest.approx(10 + 25)  # half of the last cell lies in the zone
    assert table.loc["east", "within_30_percent"] == pytest.approx(100 * 10 / 35)


def test_zones_off_the_surface_are_told():
    zones = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 2000, 2000), shapely.box(9e5, 0, 9.1e5, 1e4)],
                             index=["here", "away"], crs=32642)  # fmt: skip
    found = over(population_grid=WALK * 10, zones=zones)
    assert found.tables["by_zone"].index.tolist() == ["here"]
    assert found.dropped.values.tolist() == [["away", "outside the surface"]]
    assert "Without a result: 1" in found.summary()


def test_units_moves_limits_and_barriers():
    minutes = over(WALK / 60, unit="minutes_per_metre").rasters["time"].surface.values
    assert minutes == pytest.approx(over().rasters["time"].surface.values)
    knight = over(moves="16").rasters["time"].surface.values
    assert knight[0, 2] == pytest.approx(STEP * math.sqrt(5))
    near = over(limit_min=20.0)
    assert np.isfinite(near.rasters["time"].surface.values).sum() == 3
    assert near.numbers["reached_percent"] == pytest.approx(100 * 3 / 8)
    wall = over(raster([[0.9, np.nan, 0.9, 0.9], [0.9, np.nan, 0.9, 0.9]]))
    assert np.isnan(wall.rasters["time"].surface.values[:, 2:]).all()
    assert wall.numbers["reached_percent"] == pytest.approx(100 * 2 / 6)


def test_walking_uphill_is_slower_than_down():
    height = raster([[0.0, 100.0, 200.0]] * 2)
    flat = raster([[0.9, 0.9, 0.9]] * 2)
    up = over(flat, points(post=(2500, 500)), elevation=height).rasters["time"].surface.values[1, 0]
    down = over(flat, points(post=(2500, 500)), elevation=height, travel="from").rasters["time"].surface.values[1, 0]
    # Tobler: slower by exp(3.5 |s + 0.05| - 0.175) at a slope s of a tenth
    assert up == pytest.approx(2 * STEP * math.exp(3.5 * 0.15 - 0.175))
    assert down == pytest.approx(2 * STEP * math.exp(3.5 * 0.05 - 0.175))


def test_facilities_that_take_no_part_are_told():
    blocked = raster([[0.9, 0.9], [np.nan, 0.9]])
    found = over(blocked, points(wall=(500, 500), far=(90_000, 0), post=(1500, 500)))
    assert set(found.dropped["unit"]) == {"wall", "far"}
    assert "Without a result" in found.summary()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"friction": WALK * 0}, "friction must be seconds per metre above 0"),
        ({"friction": WALK.drop_vars("spatial_ref")}, "CRS"),
        ({"zones": gpd.GeoDataFrame(geometry=[], crs=32642)}, "name a raster with population_grid"),
        ({"thresholds_min": "0"}, "thresholds_min"),
        ({"population_grid": raster([[1.0]])}, "population_grid"),
    ],
)
def test_what_can_t_be_done_is_said(options, says):
    with pytest.raises(InputError, match=says):
        over(**options)


def test_ground_that_nobody_can_pass():
    found = over(raster(np.full((2, 4), np.nan)))
    assert np.isnan(found.numbers["reached_percent"])
    assert "on a barrier" in found.summary()


# --- friction surfaces


def roads(*lines, **columns):
    return gpd.GeoDataFrame(columns, geometry=[shapely.LineString(c) for c in lines], crs=32642)


def test_land_cover_barriers_roads_and_slope():
    cover = raster([[1, 2, 1], [1, 2, 1], [1, 2, 1]])
    road = roads([(0, 500), (3000, 500)], kmh=[60.0])
    given = {"land_cover": cover, "cover_speeds": "1=4, 2=0", "speed": "kmh"}
    found = analyses.get("friction_surface").function(road, **given)
    made = found.rasters["friction"].surface.values
    walk, drive = 3.6 / 4, 3.6 / 60
    assert made == pytest.approx(np.array([[walk, np.nan, walk]] * 2 + [[drive] * 3]), nan_ok=True)
    assert found.numbers == {"passable_percent": pytest.approx(100 * 7 / 9), "cells": 9}
    lake = gpd.GeoDataFrame(geometry=[shapely.box(100, 2100, 900, 2900)], crs=32642)
    assert np.isnan(analyses.get("friction_surface").function(road, barriers=lake, **given)
                    .rasters["friction"].surface.values[0, 0])  # fmt: skip
    hill = raster([[0.0, 100.0, 200.0]] * 3)
    slow = analyses.get("friction_surface").function(road, elevation=hill, **given).rasters["friction"].surface.values
    both = (math.exp(3.5 * 0.15 - 0.175) + math.exp(3.5 * 0.05 - 0.175)) / 2  # uphill and down at a slope of a tenth
    assert slow[0, 0] == pytest.approx(walk * both)
    assert slow[2].tolist() == pytest.approx([drive] * 3)


def test_ground_without_land_cover():
    road = roads([(500_000, 5_500_000), (510_000, 5_500_000)])
    found = analyses.get("friction_surface").function(road, off_road_kmh=5.0, margin_km=2.0)
    made = found.rasters["friction"].surface
    assert np.unique(made.values.round(6)).tolist() == [round(3.6 / 60, 6), round(3.6 / 5, 6)]
    assert 14 <= made.sizes["x"] <= 17
    with pytest.raises(InputError, match="at most 400 million"):
        analyses.get("friction_surface").function(road, cell_m=10.0, margin_km=1000.0)
    with pytest.raises(InputError, match="cover_speeds: wanted class=km/h"):
        analyses.get("friction_surface").function(road, land_cover=raster([[1.0]]), cover_speeds="")


@pytest.mark.slow
def test_from_the_command_line_and_in_a_project(tmp_path):
    roads([(500_000, 5_500_000), (540_000, 5_500_000)]).to_file(tmp_path / "roads.gpkg")
    spots = points(a=(505_000, 5_500_000), b=(535_000, 5_510_000)).rename_axis("id").reset_index()
    spots.to_file(tmp_path / "posts.gpkg")

    def kazgeo(*words):
        done = subprocess.run(
            [sys.executable, "-m", "kazgeo", *words], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr + done.stdout

    kazgeo("friction-surface", "--roads", "roads.gpkg", "--out", "friction.tif")
    kazgeo("cost-distance", "--friction", "friction.tif", "--facilities", "posts.gpkg|id=id", "--out", "time.tif")
    with rasterio.open(tmp_path / "time.tif") as file:
        assert file.read(1, masked=True).min() == 0
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert "kazgeo" in str(file.tags()).lower()
    (tmp_path / "project.toml").write_text(
        '[project]\nid = "t"\n[project.title]\nen = "T"\n'
        '[inputs.roads]\nkind = "line"\nfile = "roads.gpkg"\n'
        '[inputs.posts]\nkind = "point"\nfile = "posts.gpkg|id=id"\n'
        '[[steps]]\nid = "ground"\nanalysis = "friction_surface"\nroads = "roads"\n'
        '[[steps]]\nid = "time"\nanalysis = "cost_distance"\nfriction = "ground"\nfacilities = "posts"\n'
        'settlements = "posts"\n',
        encoding="utf-8",
    )
    kazgeo("run", "project.toml", "--out", "out")
    assert list((tmp_path / "out").rglob("*time*.tif"))
    assert rioxarray.open_rasterio(next((tmp_path / "out").rglob("*time*.tif"))).rio.crs is not None
