"""Access to facilities by hand: kinds, the second nearest, shares, who serves whom."""

from __future__ import annotations

import itertools

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from kazgeo import analyses
from kazgeo.errors import InputError


def line_of(*at):
    return gpd.GeoDataFrame(geometry=[shapely.Point(x, 50) for x in at], crs=4326)


@pytest.fixture
def study():
    """A road of four stretches of 60 km at 60 km/h along a parallel; villages at its nodes, one far away."""
    at = [70.0, 71.0, 72.0, 73.0, 74.0]
    roads = gpd.GeoDataFrame(
        {"km": [60.0] * 4, "oneway": ["no"] * 3 + ["yes"]},
        geometry=[shapely.LineString([(a, 50), (b, 50)]) for a, b in itertools.pairwise(at)], crs=4326,
    )  # fmt: skip
    villages = line_of(*at).set_index(pd.Index(list("abcde")))
    villages["people"] = [100.0, 200.0, None, 400.0, 300.0]
    villages["oblast"] = ["West", "West", "West", "East", "East"]
    villages.loc["far"] = [shapely.Point(60, 42), 50.0, "East"]
    clinics = line_of(70.0, 73.0, 72.0).assign(type=["clinic", "clinic", "school"])
    clinics.index = ["c1", "c2", "s1"]
    return villages.set_crs(4326), clinics, roads


def run(study, **options):
    villages, clinics, roads = study
    given = {"kind": "type", "population": "people", "region": "oblast", "length": "km", "standard_min": 60.0}
    return analyses.get("facility_access").function(villages, clinics, roads, **(given | options))


def test_times_shares_and_who_serves_whom(study):
    found = run(study)
    layer = found.layer
    assert layer["time_to_clinic_min"].round(6).tolist()[:5] == [0, 60, 60, 0, 60]
    assert layer["time_to_school_min"].round(6).tolist()[:5] == [120, 60, 0, 60, 120]
    assert layer["nearest_clinic_id"].tolist()[:5] == ["c1", "c1", "c2", "c2", "c2"]
    assert layer["kinds_within"].tolist() == [1, 2, 2, 2, 1, 0]
    assert layer["longest_min"].round(6).tolist()[:5] == [120, 60, 60, 60, 120]
    assert pd.isna(layer.loc["far", "longest_min"])
    shares = found.tables["shares"].set_index(["kind", "within_min"])
    assert shares.loc[("clinic", 60), "settlements"] == 5
    assert shares.loc[("clinic", 60), "share_percent"] == pytest.approx(100 * 1000 / 1050)
    assert shares.loc[("school", 30), "share_percent"] == 0
    served = found.tables["served"].set_index("facility")
    assert served["settlements"].to_dict() == {"c1": 2, "c2": 3, "s1": 5}
    assert served["people"].to_dict() == {"c1": 300, "c2": 700, "s1": 1000}
    assert served.loc["c2", "mean_min"] == pytest.approx(40)
    east = found.tables["by_region"].loc["East"]
    assert east["within_school_percent"] == pytest.approx(100 * 400 / 750)
    assert found.numbers["all_kinds_percent"] == pytest.approx(100 * 600 / 1050)
    assert found.dropped.values.tolist() == [["far", "farther from every road than the limit"]]
    assert found.summary().replace("\xa0", " ").splitlines()[:2] == [
        "Every kind within 60 min: 3 of 6 settlements, 57.1 % of the people whose number is known.",
        "clinic: within 60 min 5 of 6 settlements, 95.2 % of the people whose number is known.",
    ]


def test_the_second_nearest_and_one_way_roads(study):
    second = run(study, k=2).layer
    assert second["time_to_clinic_min"].round(6).tolist()[:5] == [180, 120, 120, 180, 240]
    assert second["time_to_school_min"].isna().all()  # there is one school
    there, back = (run(study, one_way="oneway", travel=t).layer["time_to_clinic_min"] for t in ("to", "from"))
    assert pd.isna(there["e"])  # the last stretch leads to e only
    assert back["e"] == pytest.approx(60)


def test_without_people_shares_are_of_settlements(study):
    found = run(study, population=None, region=None)
    assert found.tables["shares"].set_index(["kind", "within_min"]).loc[("school", 60), "share_percent"] == 50
    assert "by_region" not in found.tables
    assert "school: within 60 min 3 of 6 settlements, 50.0 %." in found.summary().replace("\xa0", " ")


def test_what_is_refused(study):
    villages, clinics, roads = study
    for options, says in [
        ({"thresholds_min": "60, 30"}, "thresholds_min: wanted minutes that increase"),
        ({"kind": "typ"}, "did you mean 'type'"),
    ]:
        with pytest.raises(InputError, match=says):
            run(study, **options)
    with pytest.raises(InputError, match="1 facilities have no kind"):
        run((villages, clinics.assign(type=["x", None, "y"]), roads))
    with pytest.raises(InputError, match="has no feature"):
        run((villages, clinics.iloc[:0], roads))
    turned = gpd.GeoDataFrame(clinics.drop(columns="geometry"), geometry=gpd.points_from_xy([50] * 3, [70, 73, 72]),
                              crs=4326)  # fmt: skip
    with pytest.raises(InputError, match=r"facilities: 3 of 3 lie far .* swapped"):
        run((villages, turned, roads))


def test_a_kind_out_of_reach_leaves_the_others(study):
    villages, clinics, roads = study
    lost = clinics.assign(type=["clinic", "clinic", "school"])
    lost.loc["s1", "geometry"] = shapely.Point(61, 42)
    found = run((villages, lost, roads))
    assert found.layer["time_to_school_min"].isna().all()
    assert found.layer["time_to_clinic_min"].round(6).tolist()[:5] == [0, 60, 60, 0, 60]
    assert found.numbers["all_kinds_percent"] == 0
    assert ["s1", "facility farther from every road than the limit"] in found.dropped.values.tolist()
    lost.loc["s1", "geometry"] = shapely.Point(60, 42)  # a school in the village that no road reaches
    found = run((villages, lost, roads))
    assert found.layer["time_to_school_min"].dropna().to_dict() == {"far": 0}
    assert found.layer.loc["far", "nearest_school_id"] == "s1"
    assert "s1" not in found.dropped["unit"].tolist()
    told = dict(found.dropped.values.tolist())
    assert set(found.layer.index[found.layer["longest_min"].isna()]) <= set(told)
    two = run((villages, lost[lost["type"] == "clinic"], roads), k=3)
    assert "fewer facilities of a kind in reach than asked for" in set(two.dropped["reason"])
    assert two.layer["longest_min"].isna().all()
