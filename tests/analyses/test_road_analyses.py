"""Roads by hand: speeds that differ by direction."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from kazgeo import analyses
from kazgeo.errors import InputError
from kazgeo.network import from_lines
from kazgeo.network.check import duplicates, near_misses

AT = [70.0, 71.0, 72.0]


@pytest.fixture
def study():
    """A town, then 60 km drawn away from it, then 60 km drawn towards it."""
    towns = gpd.GeoDataFrame(
        {"kind": ["town", "v", "v"]}, geometry=gpd.points_from_xy(AT, [50.0] * 3), index=list("abc"), crs=4326
    )
    roads = gpd.GeoDataFrame(
        {"km": [60.0, 60.0], "kmh": [60.0, 40.0], "back": [30.0, 90.0]},
        geometry=[shapely.LineString([(70, 50), (71, 50)]), shapely.LineString([(72, 50), (71, 50)])], crs=4326,
    )  # fmt: skip
    return towns, roads


def minutes(study, **options):
    given = {"destination_field": "kind", "destination_values": "town", "length": "km"}
    found = analyses.get("travel_time").function(*study, **(given | options))
    return found.layer["travel_time_min"].tolist()


def test_the_way_back_has_its_own_speed(study):
    # To the town one drives against the first line (60 km at 30) and along the second (60 km at 40).
    assert minutes(study, speed="kmh", speed_back="back") == pytest.approx([0, 120, 120 + 90])
    assert minutes(study, speed="kmh") == pytest.approx([0, 60, 60 + 90])


def test_an_empty_speed_back_is_the_speed_along(study):
    towns, roads = study
    some = roads.assign(back=[None, 90.0])
    assert minutes((towns, some), speed="kmh", speed_back="back") == pytest.approx([0, 60, 60 + 90])
    assert minutes((towns, some), speed_back="back", default_speed_kmh=80.0) == pytest.approx([0, 45, 45 + 45])
    text = roads.assign(back=pd.Series(["22,5", "-"], dtype=object))
    assert minutes((towns, text), speed="kmh", speed_back="back") == pytest.approx([0, 160, 160 + 90])


def test_speeds_back_that_cannot_be(study):
    towns, roads = study
    with pytest.raises(InputError, match="speeds back are not positive"):
        minutes((towns, roads.assign(back=[0.0, 90.0])), speed="kmh", speed_back="back")
    with pytest.raises(InputError, match="'nothing' is not a column"):
        minutes(study, speed="kmh", speed_back="nothing")


# --- faults of a network


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


def test_a_season_slows_both_directions(study):
    towns, roads = study
    given = {"destination_field": "kind", "destination_values": "town", "length": "km", "speed": "kmh",
             "speed_back": "back", "season": "none", "factors": "track=0.5"}  # fmt: skip
    found = analyses.get("season_effect").function(towns, roads.assign(**{"class": "track"}), **given)
    assert found.layer["travel_time_min"].tolist() == pytest.approx([0, 120, 210])
    assert found.layer["scenario_time_min"].tolist() == pytest.approx([0, 240, 420])
