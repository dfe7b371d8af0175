"""The faces of uncertainty and rural access by hand: verdicts, shares, who is rural, which roads are open."""

from __future__ import annotations

import itertools
import math
from statistics import NormalDist

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rioxarray  # noqa: F401  makes .rio
import shapely
import xarray
from pyproj import Geod

from kazgeo import analyses
from kazgeo.errors import InputError

AT = [70.0, 70.5, 71.0, 71.5]


@pytest.fixture
def study():
    """A city and villages 40, 60 and 120 minutes away along one road; one place far from it."""
    villages = gpd.GeoDataFrame(
        {"kind": ["city", *["village"] * 4], "people": [400.0, 100.0, 200.0, 300.0, None],
         "oblast": ["W", "W", "E", "E", "E"]},
        geometry=[*(shapely.Point(x, 50) for x in AT), shapely.Point(60, 42)], index=list("cabdf"), crs=4326,
    )  # fmt: skip
    roads = gpd.GeoDataFrame(
        {"km": [40.0, 20.0, 60.0], "class": ["trunk", "trunk", "local"]},
        geometry=[shapely.LineString([(a, 50), (b, 50)]) for a, b in itertools.pairwise(AT)], crs=4326,
    )  # fmt: skip
    return villages, roads


def unsure(study, **options):
    given = {
        "destination_field": "kind", "destination_values": "city", "population": "people", "length": "km",
        "region": "oblast", "common_percent": 20.0, "class_percent": 0.0, "seed": 1, "draws": 2000,
    }  # fmt: skip
    return analyses.get("travel_time_uncertainty").function(*study, **(given | options))


def test_verdicts_intervals_and_shares_are_those_of_the_law(study):
    found = unsure(study)
    layer, law = found.layer, NormalDist(0, 0.2)
    assert layer["travel_time_min"].round(6).tolist()[:4] == [0, 40, 60, 120]
    expected = [100, 100 * law.cdf(math.log(60 / 40)), 50, 100 * law.cdf(math.log(60 / 120))]
    assert layer["within_percent"].tolist()[:4] == pytest.approx(expected, abs=4)
    assert layer["verdict"].tolist()[:4] == ["within", "within", "open", "beyond"]
    assert pd.isna(layer.loc["f", "verdict"])
    assert layer.loc["d", "low_min"] == pytest.approx(120 * math.exp(law.inv_cdf(0.05)), rel=0.03)
    assert layer.loc["d", "high_min"] == pytest.approx(120 * math.exp(law.inv_cdf(0.95)), rel=0.03)
    # of 1,000 people 500 are surely within an hour, 200 in half of the draws; at the assumed speeds b is just within
    assert found.numbers == {"share_percent": 70, "low_percent": 50, "high_percent": 70, "open": 1}
    shares = found.tables["shares"].set_index("within_min")
    assert shares.index.tolist() == [30, 60, 120]
    assert shares.loc[30, "share_percent"] == 40
    east = found.tables["by_region"].loc["E"]
    assert (east["settlements"], east["within"], east["open"], east["beyond"]) == (3, 0, 1, 1)
    assert east["people_open"] == 200
    assert found.summary().replace("\xa0", " ").splitlines()[:2] == [
        "Within 60 min live 70.0 % of the people whose number is known; with speeds as unsure as stated, 50.0 % to"
        " 70.0 % (in 90 % of the draws).",
        "Surely within 60 min: 2 settlements; surely beyond: 1; can't be told: 1.",
    ]


@pytest.mark.slow
def test_classes_may_be_unsure_apart(study):
    layer = unsure(study, common_percent=0.0, class_percents="local=30").layer
    assert layer.loc["b", ["low_min", "high_min"]].tolist() == pytest.approx([60, 60])
    assert layer.loc["d", "high_min"] == pytest.approx(60 + 60 * math.exp(0.3 * NormalDist().inv_cdf(0.95)), rel=0.03)
    with pytest.raises(InputError, match=r"class_percents: class 'locl' .* did you mean 'local'"):
        unsure(study, class_percents="locl=30")
    with pytest.raises(InputError, match="class_percents: wanted class=number"):
        unsure(study, class_percents="local=-3")


@pytest.mark.slow
def test_without_people_shares_are_of_settlements(study):
    found = unsure(study, population=None)
    assert found.numbers["share_percent"] == 100 * 3 / 5
    assert "of the settlements" in found.summary()


# --- rural access


@pytest.fixture
def rural():
    """A road along a meridian, villages 1, 3 and 9 km beside it, a town at it; the road's northern part is earth."""
    geod = Geod(ellps="WGS84")
    at = [geod.fwd(71.0, 50.0, 90, m)[:2] for m in (1000, 3000, 9000)]
    villages = gpd.GeoDataFrame(
        {"kind": ["village"] * 3 + ["town"], "people": [100.0, 200.0, 700.0, 9000.0], "oblast": ["N", "N", "S", "S"]},
        geometry=[shapely.Point(p) for p in [*at, (71.0, 50.0)]], index=["v1", "v3", "v9", "t"], crs=4326,
    )  # fmt: skip
    roads = gpd.GeoDataFrame(
        {"surface": ["asphalt", "earth"]},
        geometry=[shapely.LineString([(71, 49.8), (71, 50.01)]), shapely.LineString([(71.126, 49.8), (71.126, 50.2)])],
        crs=4326,
    )
    return villages, roads


def index(study, **options):
    return analyses.get("rural_access").function(*study, "people", **({"region": "oblast"} | options))


def test_who_lives_near_an_all_season_road(rural):
    everyone = index(rural)
    assert everyone.layer["rural_access"].tolist() == ["near", "far", "near", "near"]  # v9 lies by the earth road
    assert "All settlements count as rural, towns too" in everyone.summary()
    assert "All roads count as open all year" in everyone.summary()
    found = index(
        rural, rural_field="kind", rural_values="village", season_field="surface", all_season_values="asphalt"
    )
    assert found.layer["rural_access"].tolist() == ["near", "far", "far", "not rural"]
    assert found.layer["all_season_road_km"].tolist()[:3] == pytest.approx([1, 3, 9], rel=0.01)
    assert found.numbers["index_percent"] == pytest.approx(10)
    assert (found.numbers["people_far"], found.numbers["settlements_far"]) == (900, 2)
    table = found.tables["by_region"]
    assert table["index_percent"].to_dict() == {"S": 0, "N": pytest.approx(100 / 3)}
    assert table["people_far"].to_dict() == {"S": 700, "N": 200}
    assert found.summary().replace("\xa0", " ").splitlines()[0] == (
        "Rural people within 2 km of an all-season road: 10.0 % (rural access index); 900 of 1,000 live farther."
    )
    unsure = index((rural[0].assign(people=[None, *rural[0]["people"][1:]]), rural[1]), max_population=5000.0)
    assert unsure.layer["rural_access"].iloc[0] is None
    assert unsure.dropped["reason"].tolist() == ["population unknown: rural or not"]
    wide = index(rural, limit_km=5.0, max_population=5000.0, season_field="surface", all_season_values="asphalt")
    assert wide.numbers["index_percent"] == pytest.approx(30)
    assert "count as" not in wide.summary()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rural_field": "kind"}, "rural_field and rural_values go together"),
        ({"rural_field": "kind", "rural_values": "vilage"}, "nothing has 'vilage' in column 'kind'"),
        ({"max_population": 50.0}, "no settlement is rural; look at"),
        ({"season_field": "surface", "all_season_values": "ice"}, "nothing has 'ice' in column 'surface'"),
    ],
)
def test_what_can_t_be_done_is_said(rural, options, message):
    with pytest.raises(InputError, match=message):
        index(rural, **options)


def grid(values):
    """Cells of a kilometre; a road runs along y = 500, so that rows lie 0, 1, 2 and 3 km from it, the nearest below."""
    values = np.asarray(values, dtype=float)
    at = {"y": 3500.0 - 1000 * np.arange(4), "x": 500.0 + 1000 * np.arange(values.shape[1])}
    return xarray.DataArray(values, at, ("y", "x")).rio.write_crs(32642)


def test_the_index_over_a_population_grid_by_class_and_zone():
    road = gpd.GeoDataFrame({"surface": ["asphalt", "earth"]}, crs=32642, geometry=[
        shapely.LineString([(0, 500), (3000, 500)]), shapely.LineString([(0, 3500), (3000, 3500)])])  # fmt: skip
    people = grid([[10, 20], [30, 40], [50, 60], [70, np.nan]])
    face = analyses.get("rural_access_grid").function
    found = face(people, road, season_field="surface", all_season_values="asphalt", limit_km=1.5)
    assert found.rasters["near"].surface.values.tolist()[1:3] == [[0, 0], [1, 1]]
    assert found.numbers["index_percent"] == pytest.approx(100 * (50 + 60 + 70) / 280)
    classes = grid([[11, 30], [12, 30], [11, 30], [30, 30]])
    shapes = [shapely.box(0, 0, 1000, 4000), shapely.box(0, 1500, 500, 4000), shapely.box(9e5, 0, 9.1e5, 1e4)]
    zone = gpd.GeoDataFrame(geometry=shapes, index=["west", "part", "away"], crs=32642)
    rural = face(people, road, season_field="surface", all_season_values="asphalt", limit_km=1.5, zones=zone,
                 rural_grid=classes, rural_classes="11, 12")  # fmt: skip
    assert rural.numbers["index_percent"] == pytest.approx(100 * 50 / 90)
    assert rural.numbers["people_far"] == pytest.approx(40)
    table = rural.tables["by_zone"]
    assert rural.dropped.values.tolist() == [["away", "outside the surface"]]
    assert table.loc["west"].tolist() == pytest.approx([90, 40, 100 * 50 / 90])
    # half of the cells of 10 and 30, a quarter of that of 50
    assert table.loc["part"].tolist() == pytest.approx([32.5, 20, 100 * 12.5 / 32.5])
    for options, says in (
        ({"rural_classes": "11"}, "go together"), ({"rural_grid": classes, "rural_classes": "x"}, "numbers parted"),
        ({"rural_grid": classes, "rural_classes": "99"}, "no cell of rural_grid"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=says):
            face(people, road, **options)
