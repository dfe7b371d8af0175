"""Faults of lines by hand: dead ends that nearly meet a road, roads drawn twice."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely

from kazgeo.errors import InputError
from kazgeo.network import duplicates, from_lines, near_misses


def metres(*lines):
    """Lines in metres east and north of a point at 70 E, 50 N."""
    crs = "+proj=aeqd +lat_0=50 +lon_0=70 +datum=WGS84"
    shapes = [shapely.LineString(line) for line in lines]
    return from_lines(gpd.GeoDataFrame(geometry=shapes, crs=crs).to_crs(4326))


def test_dead_ends_near_a_road_they_do_not_meet():
    net = metres([(0, 0), (2000, 0)], [(500, 8), (500, 900)], [(1500, 30), (1500, 900)], [(2000, 0), (2000, 900)])
    found = near_misses(net, 10)
    assert found[["edge", "other"]].to_numpy().tolist() == [[1, 0]]
    assert found["gap_m"].tolist() == pytest.approx([8], rel=0.01)
    wider = near_misses(net, 40)
    assert wider["edge"].tolist() == [1, 2]
    assert wider["gap_m"].tolist() == pytest.approx([8, 30], rel=0.01)
    assert near_misses(net, 5).empty
    with pytest.raises(InputError, match="within_m"):
        near_misses(net, 0)


def test_the_same_line_twice_and_a_second_road_between_the_same_places():
    there = [(0, 0), (1000, 200), (2000, 0)]
    net = metres(there, there[::-1], [(0, 0), (1000, -200), (2000, 0)], there)
    assert duplicates(net).to_numpy().tolist() == [[1, 0], [3, 0]]
