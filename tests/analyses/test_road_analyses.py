"""Roads by hand: speeds that differ by direction."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from kazgeo import analyses
from kazgeo.errors import InputError

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
    with pytest.raises(
        InputError, match=r"roads: column 'back' must hold positive km/h; not so in 1 of 2 rows: .*: 0;"
    ):
        minutes((towns, roads.assign(back=[0.0, 90.0])), speed="kmh", speed_back="back")
    with pytest.raises(InputError, match="'nothing' is not a column"):
        minutes(study, speed="kmh", speed_back="nothing")


def test_a_season_slows_both_directions(study):
    towns, roads = study
    given = {"destination_field": "kind", "destination_values": "town", "length": "km", "speed": "kmh",
             "speed_back": "back", "season": "none", "factors": "track=0.5"}  # fmt: skip
    found = analyses.get("season_effect").function(towns, roads.assign(**{"class": "track"}), **given)
    assert found.layer["travel_time_min"].tolist() == pytest.approx([0, 120, 210])
    assert found.layer["scenario_time_min"].tolist() == pytest.approx([0, 240, 420])
