"""Balancing time, detour index and market areas as faces: numbers by hand, bad input, who takes no part."""

from __future__ import annotations

import math

import geopandas as gpd
import pandas as pd
import pyproj
import pytest
import shapely

from kazgeo import analyses
from kazgeo.errors import InputError


def points(lon, lat, ids, **columns):
    return gpd.GeoDataFrame(columns, geometry=gpd.points_from_xy(lon, lat), index=list(ids), crs=4326)


@pytest.fixture
def line():
    """Ten minutes from a to b, twenty from b to c, at 60 km/h; d is on a road of its own."""
    ends = [((70, 50), (71, 50)), ((71, 50), (72, 50)), ((75, 52), (76, 52))]
    roads = gpd.GeoDataFrame({"km": [10.0, 20.0, 9.0]}, geometry=[shapely.LineString(e) for e in ends], crs=4326)
    towns = points([70, 71, 72, 75], [50, 50, 50, 52], "abcd", name=["A", "B", "C", "D"],
                   people=[12.0, 4.0, 40.0, 7.0], oblast=list("WWEE"))  # fmt: skip
    places = points([70, 72], [50, 50], "xy", jobs=[10.0, 4.0], size=[3.0, 1.0])
    return towns, places, roads


def run(name, *args, **options):
    return analyses.get(name).function(*args, **options)


def test_how_far_people_go_until_there_is_work_for_all(line):
    found = run("balancing_time", *line, population="people", amount="jobs", length="km", region="oblast")
    # a: 10 jobs at once, 14 after 30 min; b: 10 after 10 min; c: 14 in all for 40 people; d reaches none
    assert found.layer["balancing_time_min"].tolist()[:2] == pytest.approx([30, 10])
    assert found.layer["balancing_time_min"].isna().tolist() == [False, False, True, True]
    assert found.numbers == {"median_min": pytest.approx(20), "short": 1}
    west = found.tables["by_region"].set_index("region").loc["W"]
    assert west["mean_min"] == pytest.approx((12 * 30 + 4 * 10) / 16)
    assert found.dropped.values.tolist() == [
        ["d", "no facility can be reached by road"], ["c", "reaches fewer opportunities than it has people"]
    ]  # fmt: skip
    assert "however far they go: 1" in found.summary()
    rounded = run("balancing_time", *line, population="people", amount="jobs", length="km", step_min=7.0)
    assert rounded.layer["balancing_time_min"].tolist()[:2] == pytest.approx([35, 14])


def test_nobody_needs_nothing(line):
    towns, places, roads = line
    found = run("balancing_time", towns.assign(people=[0.0, None, 1.0, 0.0]), places, roads, "people", length="km")
    assert found.layer["balancing_time_min"].tolist()[0] == 0
    assert math.isnan(found.layer["balancing_time_min"].tolist()[1])
    assert found.layer["balancing_time_min"].tolist()[2] == 0  # a facility counts 1 and is at the place itself
    assert "unknown population: 1 of 4" in found.summary()


def test_detours_are_road_over_straight():
    ends = [((70, 50), (71, 50)), ((71, 50), (71, 51))]
    roads = gpd.GeoDataFrame(geometry=[shapely.LineString(e) for e in ends], crs=4326)
    towns = points([70, 71, 71, 60], [50, 50, 51, 45], "abcf", name=["A", "B", "C", "Far"], oblast=list("WWEE"),
                   kind=["city", "v", "v", "v"], people=[9.0, 1.0, 3.0, 5.0])  # fmt: skip
    found = run("detour_index", towns, roads, destination_field="kind", destination_values="city", population="people",
                region="oblast")  # fmt: skip
    geod = pyproj.Geod(ellps="WGS84")
    legs = [geod.line_length([x for x, _ in e], [y for _, y in e]) for e in ends]
    straight = geod.inv(70, 50, 71, 51)[2]
    index = sum(legs) / straight
    assert found.layer["detour"].tolist()[1:3] == pytest.approx([1, index], rel=1e-3)
    assert found.layer["road_km"].tolist()[2] == pytest.approx(sum(legs) / 1000, rel=1e-3)
    assert found.layer["destination_id"].tolist() == ["a", "a", "a", None]
    assert pd.isna(found.layer.loc["a", "detour"])
    assert found.numbers["people_mean_detour"] == pytest.approx((1 * 1 + 3 * index) / 4, rel=1e-3)
    assert found.tables["by_region"].loc["E", "road_over_straight"] == pytest.approx(index, rel=1e-3)
    assert found.dropped["unit"].tolist() == ["f"]
    assert f"C {index:.2f}" in found.summary()


def test_market_areas_share_people_by_attraction_and_time(line):
    found = run("market_areas", *line, attraction="size", population="people", length="km", half_min=30.0)
    # power: 1 up to 21 min and a half at 30 min, so that a weighs x and y 3 : 0.5, b 3 : 1, c 1.5 : 1
    p = pd.Series([3 / 3.5, 3 / 4, 1.5 / 2.5], index=list("abc"))
    assert found.layer["likeliest_id"].tolist() == ["x", "x", "x", None]
    assert found.layer["likeliest_percent"].tolist()[:3] == pytest.approx(100 * p.to_numpy())
    assert found.layer["mean_min"].tolist()[:3] == pytest.approx([30 * 0.5 / 3.5, (3 * 10 + 20) / 4, 30 * 1.5 / 2.5])
    centres = found.tables["centres"].set_index("facility")
    people = pd.Series([12.0, 4.0, 40.0], index=list("abc"))
    assert centres.loc["x", "visitors"] == pytest.approx((p * people).sum())
    assert centres["visitors"].sum() == pytest.approx(people.sum())
    assert centres["first_choice_of"].tolist() == [3, 0]
    table = found.tables["probabilities"]
    assert table.groupby("origin_id")["probability_percent"].sum().tolist() == pytest.approx([100] * 3)
    assert found.dropped.values.tolist() == [["d", "no facility can be reached by road"]]
    squared = run("market_areas", *line, attraction="size", attraction_power=2.0, length="km", limit_min=25.0)
    assert squared.layer["likeliest_percent"].tolist()[:3] == pytest.approx([100, 90, 100])  # b: 9 : 1
    assert squared.layer["likeliest_id"].tolist()[:3] == ["x", "x", "y"]
    assert "drawn by" in squared.summary()
    assert squared.dropped.values.tolist() == [["d", "no facility within the limit"]]


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("balancing_time", {"population": "name"}, "name"),
        ("balancing_time", {"population": "people", "amount": "nothing"}, "nothing"),
        ("market_areas", {"attraction": "zero"}, "has more than 0"),
    ],
)
def test_what_is_refused(line, name, options, says):
    towns, places, roads = line
    with pytest.raises((InputError, KeyError), match=says):
        run(name, towns, places.assign(zero=0.0), roads, **options)


@pytest.fixture
def far_village():
    """A town between two centres, and a village 16 hours away: weights there are below every number that counts."""
    ends = [((50, 50), (50.2, 50)), ((50.2, 50), (65, 50))]
    roads = gpd.GeoDataFrame(
        {"km": [17.5, 1130.0], "kmh": 70.0}, geometry=[shapely.LineString(e) for e in ends], crs=4326
    )
    centres = points([50, 50.2], [50, 50], ["c1", "c2"], name=["C1", "C2"], beds=[10.0, 20.0])
    return points([50, 65], [50, 50], "tv", name=["Town", "Village"], people=[1000.0, 500.0]), centres, roads


def test_who_is_beyond_all_weight_chooses_no_centre_and_is_told(far_village):
    on = {"population": "people", "decay": "gaussian", "speed": "kmh", "length": "km"}
    found = run("market_areas", *far_village, attraction="beds", **on)
    assert found.layer["likeliest_percent"].tolist() == pytest.approx([62.711512, math.nan], nan_ok=True)
    assert found.layer["likeliest_id"].tolist() == ["c2", None]
    assert found.layer["mean_min"].isna().tolist() == [False, True]
    centres = found.tables["centres"]
    assert centres["visitors"].sum() == pytest.approx(1000)
    assert centres["share_percent"].sum() == pytest.approx(100)
    assert found.numbers["unreached"] == 1
    assert found.dropped.values.tolist() == [["v", "no facility can be reached by road"]]


@pytest.mark.parametrize("constraint", ["production", "attraction", "double", "total"])
def test_who_is_beyond_all_weight_sends_nobody_and_is_told(far_village, constraint):
    found = run("gravity_flows", *far_village, population="people", mass="beds", constraint=constraint,
                decay="gaussian", speed="kmh", length="km")  # fmt: skip
    flows = {"attraction": 30, "total": 1500}.get(constraint, 1000)
    assert found.numbers["total_flow"] == pytest.approx(flows)
    assert found.tables["flows"]["origin_id"].unique().tolist() == ["t"]
    assert found.numbers["unreached"] == 1
    assert found.dropped.values.tolist() == [["v", "no facility can be reached by road"]]
