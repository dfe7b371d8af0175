"""AccessMod 5's own referral table, computed by KazGeo: inputs and table under ../shared, else skipped."""

import json
import os
import tomllib
from functools import cache
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pytest
import rioxarray
from scipy.optimize import linprog

from kazgeo import friction
from kazgeo.accessibility.cost_distance import Slope, Travel, capacity_catchments, referral

HERE = Path(__file__).parent
FOLDER = Path(os.environ.get("KAZGEO_SHARED", HERE.parents[2] / "shared")) / "golden/accessmod"
SAID = tomllib.loads((HERE / "accessmod.toml").read_text("utf-8"))
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="needs golden/accessmod of the shared folder")


@cache
def demo():
    """Return friction, modes, elevation and facilities of the demo, by the scenario of the referral."""
    scenario = pd.DataFrame(json.loads((FOLDER / SAID["config"]).read_text())["args"]["tableScenario"])
    speeds = scenario.set_index("class").rename(columns={"speed": "speed_kmh"})
    speeds["mode"] = speeds["mode"].str.lower().replace("motorized", "motorised")
    cover = rioxarray.open_rasterio(FOLDER / "rLandCoverMerged__demo.tif", masked=True)[0].drop_vars("band")
    height = rioxarray.open_rasterio(FOLDER / "rDem__dem.tif")[0].drop_vars("band").astype(float)
    facilities = geopandas.read_file(FOLDER / "vFacility__demo.gpkg").set_index("cat")
    return friction.from_classes(cover, speeds), friction.modes(cover, speeds), height, facilities


@cache
def pairs(bicycle):
    surface, modes, height, facilities = demo()
    ours = referral(surface, facilities, travel=Travel(slope=Slope(height, modes, bicycle)))
    assert not len(ours.dropped)
    theirs = pd.read_excel(FOLDER / SAID["table"], engine="openpyxl")
    theirs = theirs.rename(columns={"from__cat": "origin", "to__cat": "destination"})
    both = ours.table.merge(theirs, on=["origin", "destination"], validate="one_to_one")
    assert len(both) == SAID["pairs"]
    return both


def test_all_minutes_agree():
    both = pairs("accessmod")
    assert int((np.ceil(both["time_s"] / 60) != both["time_m"]).sum()) == SAID["minutes_differ"]


def test_minutes_need_accessmods_own_bicycles():
    both = pairs("power")
    away = np.ceil(both["time_s"] / 60) - both["time_m"]
    cyclists = (both["origin"] == 1) | (both["destination"] == 1)
    assert (away[~cyclists] == 0).all()
    assert away[cyclists].abs().max() > 10


def test_all_distances_agree_when_each_facility_is_moved_within_its_cell():
    both = pairs("accessmod")
    origin, destination = (pd.get_dummies(both[c]).to_numpy(float) for c in ("origin", "destination"))
    moved = np.c_[origin, destination]  # ceil(length + moved[origin] + moved[destination]) = km
    km, length = both["distance_km"].to_numpy(), both["length_m"].to_numpy() / 1000
    solved = linprog(
        np.zeros(20), A_ub=np.r_[moved, -moved], b_ub=np.r_[km - length, length - (km - 1 + 1e-6)],
        bounds=[(-SAID["moved_km"], SAID["moved_km"])] * 20,
    )  # fmt: skip
    assert solved.status == 0, "no such moves"
    assert (np.abs(np.ceil(length) - km) <= 1).all()


def test_a_wrong_metre_would_be_seen():
    """The test above can fail: distances 1 % longer have no such moves."""
    both = pairs("accessmod")
    origin, destination = (pd.get_dummies(both[c]).to_numpy(float) for c in ("origin", "destination"))
    moved, km = np.c_[origin, destination], both["distance_km"].to_numpy()
    length = 1.01 * both["length_m"].to_numpy() / 1000
    solved = linprog(
        np.zeros(20), A_ub=np.r_[moved, -moved], b_ub=np.r_[km - length, length - (km - 1 + 1e-6)],
        bounds=[(-SAID["moved_km"], SAID["moved_km"])] * 20,
    )  # fmt: skip
    assert solved.status == 2


def test_the_demo_merges_as_accessmod_does_where_roads_run():
    surface = rioxarray.open_rasterio(FOLDER / "rLandCover__demo.tif", masked=True)[0].drop_vars("band")
    roads = geopandas.read_file(FOLDER / "vRoad__demo.gpkg")
    roads["class"] = 1000 + roads["class_n"].astype(int)
    merged = rioxarray.open_rasterio(FOLDER / "rLandCoverMerged__demo.tif", masked=True)[0].to_numpy()
    ours = friction.merge(surface, roads=roads).to_numpy()
    theirs = merged > 1000
    assert ((ours > 1000) & theirs).sum() / theirs.sum() > 0.99
    both = (ours > 1000) & theirs
    assert (ours[both] == merged[both]).mean() > 0.98


def test_catchments_of_the_demo_hold_their_law():
    surface, modes, height, facilities = demo()
    people = rioxarray.open_rasterio(FOLDER / "rPopulation__demo_patients.tif", masked=True)[0].drop_vars("band")
    travel = Travel(slope=Slope(height, modes, "accessmod"))
    found = capacity_catchments(surface, facilities, people, max_time_s=7200, travel=travel)
    assert found.served + found.left == pytest.approx(float(people.astype(float).sum()))
    assert (found.table["served"] <= found.table["capacity"] + 1e-6).all()
    assert found.table["rank"].tolist() == list(range(1, 11))
