"""Remoteness as the catalogue offers it: both forms, classes and means as text, units in every column."""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from kazgeo import analyses
from kazgeo.errors import InputError

AT = [66.0, 68.0, 70.0, 72.0]


def run(population=(300_000.0, 60_000.0, 20_000.0, np.nan), **options):
    """A city, a town, a small town and a village of unknown size on one road, 60, 60 and 120 km apart, at 60 km/h."""
    towns = gpd.GeoDataFrame(
        {"people": population}, geometry=gpd.points_from_xy(AT, [50.0] * 4), index=list("abcd"), crs=4326
    )
    roads = gpd.GeoDataFrame(
        {"km": [60.0, 60.0, 120.0]},
        geometry=[shapely.LineString([(a, 50), (b, 50)]) for a, b in itertools.pairwise(AT)], crs=4326,
    )  # fmt: skip
    return analyses.get("remoteness").function(towns, roads, "people", length="km", **options)


def test_aria_by_road_distance():
    # Kilometres to the city: 0, 60, 120, 240, mean 105; to a place of 48,000: 0, 0, 60, 180, mean 60; to one of
    # 18,000, of 5,000 and of 1,000: 0, 0, 0, 120, mean 30. So d: 240/105 + 180/60 + 3 x min(3, 120/30).
    found = run(form="road_distance")
    layer, table = found.layer, found.tables["centres"]
    assert layer["remoteness"].tolist() == pytest.approx([0, 60 / 105, 120 / 105 + 1, 240 / 105 + 3 + 9], abs=1e-4)
    assert layer["distance_to_48000_km"].tolist() == pytest.approx([0, 0, 60, 180], abs=1e-3)
    assert layer["remoteness_class"].tolist() == ["very accessible", "accessible", "accessible", "very remote"]
    assert not [c for c in layer.columns if c.startswith("time_to_")]
    assert table.index.tolist() == ["250000", "48000", "18000", "5000", "1000"]
    assert list(table.columns) == ["centres", "mean_km"]
    assert table["mean_km"].tolist() == pytest.approx([105, 60, 30, 30, 30], abs=1e-3)
    said = found.summary()
    assert "from 0 to 15" in said
    assert "Measured by the shortest road distance in kilometres" in said
    assert "unknown population, which can't count as centres: 1." in said
    assert "means of the classes" not in said


def test_time_is_as_it_was():
    found = run(thresholds="250 000, 18 000")
    assert found.layer["remoteness"].tolist() == pytest.approx([0, 60 / 105, 120 / 105, 240 / 105 + 3], abs=1e-4)
    assert found.layer["time_to_250000_min"].tolist() == pytest.approx([0, 60, 120, 240], abs=1e-3)
    assert list(found.tables["centres"].columns) == ["centres", "mean_min"]
    assert "road distance" not in found.summary()
    defaults = run((300_000.0, 200_000.0, 60_000.0, 20_000.0))
    assert defaults.tables["centres"].index.tolist() == ["250000", "100000", "50000", "10000", "5000"]


def test_given_means():
    found = run(form="road_distance", thresholds="250000, 18000", means="120, 62.5")
    assert found.layer["remoteness"].tolist() == pytest.approx([0, 0.5, 1, 2 + 120 / 62.5], abs=1e-4)
    assert found.tables["centres"]["mean_km"].tolist() == [120, 62.5]
    assert "means of the classes of centres were given" in found.summary()
    minutes = run(thresholds="250000", means="120")
    assert minutes.layer["remoteness"].tolist() == pytest.approx([0, 0.5, 1, 2], abs=1e-4)
    assert minutes.tables["centres"]["mean_min"].tolist() == [120]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"thresholds": "250000; 100000"}, "remoteness: thresholds must be numbers parted by commas"),
        ({"means": "60, x"}, "remoteness: means must be numbers parted by commas; got '60, x'"),
        ({"means": "60, 50"}, "means must be positive minutes, one for each of the 5 thresholds"),
        ({"means": "60", "form": "road_distance"}, "means must be positive kilometres, one for each of the 5"),
        ({"form": "distance"}, "form 'distance' is not one of"),
    ],
)
def test_what_it_refuses(options, says):
    with pytest.raises(InputError, match=says):
        run(**options)


def test_negative_people_are_unknown_and_told():
    told = run(population=(300_000.0, -60_000.0, 20_000.0, -1.0), thresholds="100000").summary()
    assert "taken as unknown: 2 ('b', 'd')" in told or "taken as unknown: 2 (b, d)" in told
    assert "Places of unknown population, which can't count as centres: 2." in told


def test_ids_of_several_types():
    towns = gpd.GeoDataFrame({"people": [5000.0, 10.0]}, geometry=gpd.points_from_xy([71, 72], [51, 51]),
                             index=pd.Index([1, "B2"], dtype=object), crs=4326)  # fmt: skip
    roads = gpd.GeoDataFrame(geometry=[shapely.LineString([(71, 51), (72, 51)])], crs=4326)
    found = analyses.get("remoteness").function(towns, roads, "people", thresholds="1000")
    assert found.layer["remoteness"].tolist() == pytest.approx([0, 2])  # the mean is half of the way
