"""Roads of OpenStreetMap as a layer: minutes by hand, the same travel times as of the file, faults told."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Geod

from kazgeo import analyses
from kazgeo.accessibility import nearest
from kazgeo.errors import InputError
from kazgeo.network import attach, from_osm

SMALL = Path(__file__).parents[1] / "network" / "small.osm"
KM = Geod(ellps="WGS84").inv(70.0, 50.0, 70.1, 50.0)[2] / 1000
#: Speed driven where a limit is signed, over the limit (docs/methods/road-network.md).
SIGNED = 0.9
COLUMNS = {"speed": "speed_kmh", "speed_back": "speed_back_kmh", "length": "length_km", "one_way": "one_way"}


def made(path=SMALL, **options):
    return analyses.get("osm_roads").function(str(path), **options)


def test_roads_by_hand():
    found = made()
    layer = found.layer.set_index("road_id")
    assert layer.loc[10, "time_min"] == pytest.approx(60 * KM / (100 * SIGNED))
    assert layer.loc[11, ["time_min", "time_back_min"]].tolist() == pytest.approx(
        [60 * KM / (80 * SIGNED), 60 * KM / (60 * SIGNED)]
    )
    assert layer.loc[12, "one_way"] == "yes"
    assert layer.loc[12, "time_min"] == pytest.approx(60 * KM / (50 * SIGNED))
    assert np.isnan(layer.loc[12, "time_back_min"])
    assert layer.loc[10, "name"] == "Үлкен жол"
    assert found.layer["one_way"].value_counts().to_dict() == {"no": 4, "yes": 1}  # way 13 is two roads at its block
    assert found.tables["left_out"].values.tolist() == [["access refused", 1]]
    assert found.numbers["components"] == 2
    classes = found.tables["classes"].set_index("class")
    assert classes.loc["primary", "length_km"] == pytest.approx(KM)
    assert classes.loc["residential", "edges"] == 3
    assert "Ways left out: access refused: 1." in found.summary()


def times_of(layer_or_net, places, goals):
    """Travel times by the layer's face, or by the network itself."""
    if isinstance(layer_or_net, pd.DataFrame):
        marked = places.assign(goal=np.where(places.index.isin(goals), "yes", "no"))
        found = analyses.get("travel_time").function(
            marked, layer_or_net, destination_field="goal", destination_values="yes", **COLUMNS
        )
        return found.layer["travel_time_min"]
    return nearest(attach(layer_or_net, places), goals).time_s / 60


def test_travel_times_of_the_layer_are_those_of_the_file():
    at = [(70.0, 50.0), (70.15, 50.0), (70.3, 50.0), (70.3, 50.19)]
    places = gpd.GeoDataFrame(geometry=[shapely.Point(p) for p in at], index=list("abcd"), crs=4326)
    for goal in places.index:
        got = times_of(made().layer, places, places.index[places.index == goal])
        wanted = times_of(from_osm(SMALL), places, places.index[places.index == goal])
        assert got.isna().tolist() == wanted.isna().tolist()
        assert got.dropna().tolist() == pytest.approx(wanted.dropna().tolist(), abs=0.005)  # ends before the block
    closed = times_of(made().layer, places, pd.Index(["d"]))
    assert closed.isna().tolist() == [True, True, True, False]


@pytest.mark.slow
def test_a_real_extract_as_a_layer_gives_the_times_of_its_network():
    shared = os.environ.get("KAZGEO_SHARED")
    folder = Path(shared) if shared else Path(__file__).parents[3] / "shared"
    path = folder / "data" / "osm" / "poa_osm.pbf"
    if not path.is_file():
        pytest.skip("no shared OSM extract here")
    net = from_osm(path)
    layer = made(path).layer
    assert len(layer) == net.m
    rng = np.random.default_rng(1)
    spots = rng.choice(net.n, 60, replace=False)
    places = gpd.GeoDataFrame(geometry=gpd.points_from_xy(net.lon[spots], net.lat[spots]), crs=4326)
    got, wanted = (times_of(one, places, places.index[:6]) for one in (layer, net))
    both = got.notna() & wanted.notna()
    assert both.sum() > 40
    assert (got - wanted)[both].abs().median() < 1e-9
    assert (got - wanted)[both].abs().max() < 0.1  # ends are drawn before barriers


def test_an_area_cuts():
    west = gpd.GeoDataFrame(geometry=[shapely.box(69.9, 49.9, 70.05, 50.1)], crs=4326)
    cut = made(area=west)
    assert cut.layer["road_id"].tolist() == [10]
    assert cut.numbers == {"length_km": pytest.approx(KM), "components": 1}  # of the cut, not of the file
    assert cut.summary().startswith("The network has 1 edges")
    with pytest.raises(InputError, match="no road of the file touches the area"):
        made(area=west.translate(20).to_frame("geometry"))


def test_files_that_are_none(tmp_path):
    empty = tmp_path / "empty.osm"
    empty.write_text('<osm version="0.6"></osm>')
    with pytest.raises(InputError, match="has no road for the profile 'drive'"):
        made(empty)
    broken = tmp_path / "broken.osm.pbf"
    broken.write_bytes(b"\x00\x00\x00\x0dno pbf at all")
    with pytest.raises(InputError, match="can't be read as an OpenStreetMap file"):
        made(broken)
    with pytest.raises(InputError, match="no file"):
        made(tmp_path / "none.osm.pbf")


@pytest.mark.slow
def test_the_command_line_and_a_project(tmp_path):
    shutil.copy(SMALL, tmp_path / "small.osm")
    command = [
        sys.executable,
        "-m",
        "kazgeo",
        "osm-roads",
        "--extract",
        "small.osm",
        "--mode",
        "drive",
        "--out",
        "r.gpkg",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(gpd.read_file(tmp_path / "r.gpkg")) == 5
    (tmp_path / "project.toml").write_text(
        '[project]\ntitle = "T"\n[inputs.map]\nfile = "small.osm"\nkind = "file"\n'
        '[[steps]]\nid = "roads"\nanalysis = "osm_roads"\nextract = "map"\n',
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "kazgeo", "run", "project.toml", "--out", "out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
