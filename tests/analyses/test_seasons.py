"""Seasons by hand: slower classes, closed areas, own factors, places that are cut off."""

from __future__ import annotations

import itertools

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from kazgeo import analyses
from kazgeo.errors import InputError

AT = [70.0, 71.0, 72.0, 73.0]


@pytest.fixture
def study():
    """A city, then 60 km of trunk, 60 km of gravel track, 60 km of a road of winter."""
    lines = [shapely.LineString([(a, 50), (b, 50)]) for a, b in itertools.pairwise(AT)]
    roads = gpd.GeoDataFrame(
        {"class": ["trunk", "track", "track"], "surface": ["asphalt", "gravel", "gravel"], "km": [60.0] * 3},
        geometry=lines, crs=4326,
    )  # fmt: skip
    places = gpd.GeoDataFrame(
        {"kind": ["city", "v", "v", "v"], "people": [9000.0, 100.0, 200.0, None], "oblast": list("WWEE")},
        geometry=gpd.points_from_xy(AT, [50.0] * 4), index=list("abcd"), crs=4326,
    )  # fmt: skip
    return places, roads


def run(study, **options):
    given = {"destination_field": "kind", "destination_values": "city", "population": "people", "length": "km"}
    return analyses.get("season_effect").function(*study, **(given | options))


def test_factors_by_class(study):
    found = run(study, season="none", factors="track=0.5", region="oblast", standard_min=120.0)
    assert found.layer["travel_time_min"].tolist() == pytest.approx([0, 60, 120, 180])
    assert found.layer["scenario_time_min"].tolist() == pytest.approx([0, 60, 180, 300])
    assert found.layer["change_percent"].tolist()[1:] == pytest.approx([0, 50, 200 / 3])
    assert found.numbers["people_newly_beyond"] == 200
    assert found.tables["by_region"].loc["E", "median_change_min"] == pytest.approx(90)
    assert "factors that were given" in found.summary()


def test_ready_seasons_are_those_of_the_library(study):
    winter = run(study, season="winter").layer["scenario_time_min"]
    assert winter.tolist() == pytest.approx([0, 60 / 0.87, 60 / 0.87 + 60 / 0.65, 60 / 0.87 + 120 / 0.65])
    thaw = run(study, season="spring_thaw")
    assert thaw.layer["scenario_time_min"].tolist() == pytest.approx([0, 60, 60 + 60 / 0.7, 60 + 120 / 0.7])
    assert "assumptions" in thaw.summary()


def test_a_flood_cuts_places_off(study):
    water = gpd.GeoDataFrame(geometry=[shapely.box(71.4, 49.9, 71.6, 50.1)], crs=4326)
    found = run(study, season="none", closed=water)
    assert found.layer["cut_off"].tolist() == ["no", "no", "cut off", "cut off"]
    assert found.numbers["cut_off"] == 2
    assert found.layer["change_min"].isna().tolist() == [False, False, True, True]
    assert sorted(found.dropped["unit"]) == ["c", "d"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"season": "none"}, "nothing would change"),
        ({"factors": "track"}, "wanted class=number"),
        ({"factors": "track=0"}, "wanted class=number"),
        ({"factors": "trak=0.5"}, "did you mean 'track'"),
        ({"season": "none", "closed": gpd.GeoDataFrame(geometry=[None], crs=4326)}, "closed holds no polygon"),
        ({"season": "none", "closed": gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)])}, "declare no CRS"),
    ],
)
def test_what_is_refused(study, options, says):
    with pytest.raises(InputError, match=says):
        run(study, **options)


def test_a_season_that_knows_no_class_of_the_roads_is_refused(study):
    places, roads = study
    with pytest.raises(InputError, match="knows no class of column 'class'"):
        run((places, roads.assign(**{"class": "A"})), season="winter")
    assert isinstance(run((places, roads), season="winter").layer, pd.DataFrame)
