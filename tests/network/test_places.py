"""Where places stand: at a junction within a metre of it, on the road beyond."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from pyproj import Geod

from kazgeo.accessibility import single_roads
from kazgeo.network import attach, from_edges

GEOD = Geod(ellps="WGS84")


def street():
    """Two roads that meet in b, west to east."""
    nodes = pd.DataFrame({"lon": [71.0, 72.0, 73.0], "lat": 50.0}, index=list("abc"))
    edges = pd.DataFrame({"from_id": ["a", "b"], "to_id": ["b", "c"]})
    return from_edges(edges, nodes, length_km=None)


@pytest.mark.parametrize(("metres", "at"), [(0.0, True), (0.5, True), (5.0, False)])
@pytest.mark.parametrize("azimuth", [90, 270])
def test_a_place_within_a_metre_of_a_junction_stands_at_it(metres, at, azimuth):
    net = street()
    lon, lat, _ = GEOD.fwd(72.0, 50.0, azimuth, metres)
    tied = attach(net, gpd.GeoDataFrame(geometry=[shapely.Point(lon, lat)], index=["x"], crs=4326))
    assert (tied.share["x"] in (0.0, 1.0)) == at
    if at:
        edge = tied.edge["x"]
        assert (net.end if tied.share["x"] else net.start)[edge] == 1


def test_places_on_both_sides_of_a_junction_share_their_single_road():
    net = street()
    at = [GEOD.fwd(72.0, 50.0, azimuth, 0.4)[:2] for azimuth in (90, 270)]
    spots = gpd.GeoDataFrame(
        geometry=[shapely.Point(p) for p in [(71, 50), *at, (73, 50)]], index=["west", "x", "y", "east"], crs=4326
    )
    tied = attach(net, spots)
    found = single_roads(tied, facilities=pd.Index(["west"]))
    assert found.places.loc["x", "roads"] == found.places.loc["y", "roads"]
    assert len(found.bridges) == 2  # not a third between x and y
