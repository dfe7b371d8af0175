"""Hand calculations of road networks, as ``road_network.toml`` derives them."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from kazgeo.network import DRIVE, SEASONS, apply, contract, from_osm
from kazgeo.network.profiles import interpret

osmium = pytest.importorskip("osmium")
LISTED = tomllib.loads((Path(__file__).parent / "road_network.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def road(tmp_path_factory):
    path = tmp_path_factory.mktemp("golden") / "road.osm.pbf"
    writer = osmium.SimpleWriter(str(path))
    for number, lon in enumerate((70.0, 70.1, 70.3, 70.5, 70.6), 1):
        writer.add_node(osmium.osm.mutable.Node(id=number, location=(lon, 0.0)))
    ways = (
        ([1, 2, 3], {"highway": "trunk", "surface": "asphalt"}),
        ([3, 4], {"highway": "unclassified", "surface": "gravel"}),
        ([4, 5], {"route": "ferry", "duration": "00:20"}),
    )
    for number, (nodes, tags) in enumerate(ways, 1):
        writer.add_way(osmium.osm.mutable.Way(id=number, nodes=nodes, tags=tags))
    writer.close()
    return from_osm(path)


def test_lengths(road):
    wanted = np.array([0.3, 0.2, 0.1]) * LISTED["metres"]["one_degree"]
    np.testing.assert_allclose(road.length_m, wanted, rtol=LISTED["metres"]["tolerance"])


@pytest.mark.parametrize("season", ["summer", "winter", "spring_thaw", "ice_road"])
def test_seconds(road, season):
    wanted = LISTED[season]
    for network in (road, contract(road)):
        found = network if season == "summer" else apply(network, SEASONS[season])
        np.testing.assert_allclose(found.time_s, wanted["seconds"], rtol=wanted["tolerance"])


@pytest.mark.parametrize("entry", LISTED["limit"], ids=lambda e: e["tags"]["maxspeed"])
def test_limits(entry):
    way = interpret(DRIVE, entry["tags"])
    assert way.forward_kmh == pytest.approx(entry["kmh"], rel=1e-12)
