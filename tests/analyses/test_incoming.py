"""Points without a place and numbers of people that can't be: taken in once, alike from files and from memory."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from kazgeo import analyses, settlements
from kazgeo.project.inputs import check_layer, read_data
from kazgeo.qgis_style import qml

IDS = list("abcdef")
GHOSTS = {
    "empty": shapely.Point(),
    "NaN": shapely.Point(np.nan, np.nan),
    "half": shapely.Point(np.nan, 50),
    "infinite": shapely.Point(np.inf, 50),
    "multi": shapely.MultiPoint(),
}
TOWN = {"destination_field": "kind", "destination_values": "town"}
RUNS = {
    "travel_time": TOWN,
    "facility_access": {},
    "isochrones": {**TOWN, "times_min": "30, 60"},
    "season_effect": {**TOWN, "road_class": "class", "factors": "main=0.5"},
    "single_roads": TOWN,
    "critical_roads": TOWN,
    "detour_index": TOWN,
    "opportunities": {},
    "rural_access": {"population": "people"},
    "travel_time_matrix": {},
    "local_moran": {"indicator": "people", "neighbours": "nearest", "k": 2, "permutations": 99},
}


def towns(ghost: object = "none", column: str = "people") -> gpd.GeoDataFrame:
    """Return a town and five villages along the road; one of them is a ghost, if there is one."""
    shapes = np.array([shapely.Point(70 + k / 10, 50) for k in range(6)], dtype=object)
    if ghost != "none":
        shapes[3] = ghost
    return gpd.GeoDataFrame(
        {"kind": ["town"] + ["v"] * 5, column: [900.0, 10, 20, 30, 40, 50]}, geometry=shapes, index=IDS, crs=4326
    )


def roads() -> gpd.GeoDataFrame:
    lines = [shapely.LineString([(70 + k / 10, 50), (70.1 + k / 10, 50)]) for k in range(5)]
    return gpd.GeoDataFrame({"class": ["main"] * 5}, geometry=lines, crs=4326)


def outcome(name: str, layer: gpd.GeoDataFrame, parameter: str = "settlements", **more: object) -> object:
    declared = analyses.get(name)
    wanted = [p.name for p in declared.parameters]
    every = {"settlements": towns(), "facilities": towns(), "roads": roads(), "units": towns()}
    given = {n: v for n, v in every.items() if n in wanted} | {parameter: layer} | RUNS[name] | more
    return declared.function(**given)


@pytest.mark.parametrize("ghost", GHOSTS)
@pytest.mark.parametrize("name", RUNS)
def test_a_point_without_coordinates_is_one_without_a_place(name, ghost):
    parameter = "units" if name == "local_moran" else "settlements"
    layer = towns(GHOSTS[ghost])
    found, missing = outcome(name, layer, parameter), outcome(name, towns(None), parameter)
    assert found.summary() == missing.summary()
    pd.testing.assert_frame_equal(found.dropped, missing.dropped)
    assert layer.geometry["d"] is not None  # the user's layer is as it was


@pytest.mark.parametrize("ghost", GHOSTS)
@pytest.mark.parametrize("name", ["facility_access", "opportunities", "travel_time_matrix"])
def test_facilities_without_coordinates(name, ghost):
    found, missing = (outcome(name, towns(g), "facilities") for g in (GHOSTS[ghost], None))
    assert found.summary() == missing.summary()


@pytest.mark.parametrize("ghost", [g for g in GHOSTS if g != "multi"])
def test_files_with_points_without_coordinates(tmp_path, ghost):
    file = tmp_path / "towns.gpkg"
    towns(GHOSTS[ghost], "population").rename_axis("id").to_file(file, driver="GPKG")
    layer = settlements.read(file)
    assert layer.index.tolist() == IDS
    assert layer.geometry.isna().tolist() == [i == "d" for i in IDS]
    assert read_data(("polygon", "point"), settlements.Source(file)).geometry.isna().sum() == 1
    checked, _ = check_layer(("point",), towns(GHOSTS[ghost], "population"), "towns")
    assert checked.geometry.isna().sum() == 1
    assert "no place on the map): d." in outcome("travel_time", layer).summary()


def test_checks_stand_points_without_coordinates():
    for ghost in GHOSTS.values():
        settlements.check(towns(ghost).drop(index="e"))


@pytest.mark.parametrize("name", ["travel_time", "facility_access", "isochrones", "opportunities", "rural_access"])
def test_negative_people_are_unknown_and_told(name):
    layer = towns()
    layer.loc[["b", "c"], "people"] = [-9999, -5]
    found = outcome(name, layer, population="people")
    plain = outcome(name, layer.assign(people=layer["people"].where(layer["people"] > 0)), population="people")
    said = "Settlements with a negative number in column 'people', taken as unknown: 2 (b, c)."
    assert found.summary() == plain.summary() + "\n" + said
    assert found.numbers == pytest.approx(plain.numbers, nan_ok=True)
    assert layer["people"].tolist()[1:3] == [-9999, -5]


def test_negative_people_of_a_file_are_told_too(tmp_path):
    file = tmp_path / "towns.csv"
    rows = [f"{i},{70 + k / 10},50,{p}" for k, (i, p) in enumerate(zip(IDS, [900, -9999, 20, -5, 0, -1], strict=True))]
    file.write_text("\n".join(["id,lon,lat,population", *rows]))
    layer = settlements.read(file)
    assert layer["population"].isna().tolist() == [False, True, False, True, True, True]
    assert settlements.negative(layer, "population").tolist() == ["b", "d", "f"]
    assert settlements.negative(layer.loc[["a", "b"]], "population").tolist() == ["b"]
    run = analyses.get("travel_time").function
    found = run(layer, roads(), population="population", min_population=500.0)
    assert "negative number in column 'population', taken as unknown: 3 (b, d, f)." in found.summary()
    many = layer.assign(p=-1.0)
    assert ": 6 (a, b, c, d, e, …)." in run(many, roads(), population="p", destination_field="lat",
                                            destination_values="50").summary()  # fmt: skip


@pytest.mark.parametrize("number", [np.nan, -9999.0, 0.0])
@pytest.mark.parametrize(
    "name", ["travel_time", "facility_access", "isochrones", "season_effect", "single_roads", "detour_index",
             "opportunities", "rural_access", "critical_roads"],
)  # fmt: skip
def test_nothing_is_told_of_people_when_nobodys_number_is_known(name, number):
    found = outcome(name, towns().assign(people=number), population="people")
    assert "no data" not in found.summary()
    assert " 0 people" not in found.summary()
    if name != "rural_access":
        assert "Nobody's number of inhabitants is known in column 'people'" in found.summary()


def test_every_settlement_that_is_not_counted_has_its_own_reason():
    shapes = [shapely.Point(90, 50), shapely.Point(75, 40)]
    layer = pd.concat([towns(None), gpd.GeoDataFrame({"kind": "v", "people": [7.0, 8.0]}, geometry=shapes,
                                                     index=["far", "island"], crs=4326)])  # fmt: skip
    apart = gpd.GeoDataFrame({"class": ["main"]}, geometry=[shapely.LineString([(75, 40), (75.1, 40)])], crs=4326)
    net = pd.concat([roads(), apart], ignore_index=True)
    said = outcome("travel_time", layer, roads=net, population="people").summary()
    assert "because no road is within reach: 1 settlements with 7 people." in said
    assert "because no centre can be reached from their road: 1 settlements with 8 people." in said
    assert "because they have no place on the map: 1 settlements with 30 people." in said


def test_facilities_are_told_as_facilities():
    far = gpd.GeoDataFrame({"kind": ["v"]}, geometry=[shapely.Point(90, 50)], index=["far"], crs=4326)
    found = outcome("facility_access", pd.concat([towns(None), far]), "facilities", kind="kind")
    reasons = found.dropped.set_index("unit")["reason"].to_dict()
    assert reasons == {
        "d": "facility without a place on the map", "far": "facility farther from every road than the limit"
    }  # fmt: skip
    lone = far.assign(kind="alone")
    alone = outcome("facility_access", pd.concat([towns(), lone]), "facilities", kind="kind")
    assert alone.dropped["reason"].tolist() == ["facility farther from every road than the limit"]


def test_speeds_that_were_not_named_are_told_and_junctions_cost_what_is_asked():
    run = analyses.get("travel_time").function
    fast = roads().assign(speed_kmh=90.0, km=10.0)
    asked = {**TOWN, "length": "km"}
    forgotten = run(towns(), fast, **asked)
    assert "All roads are taken at 60\xa0km/h: no column of speeds is named, though they have 'speed_kmh'." in (
        forgotten.summary()
    )
    assert forgotten.layer["travel_time_min"].tolist() == pytest.approx([0, 10, 20, 30, 40, 50])
    for given in ({"speed": "speed_kmh"}, {"road_min": "km"}):
        assert "All roads are taken" not in run(towns(), fast, **asked, **given).summary()
    assert "All roads are taken" not in run(towns(), roads(), **TOWN).summary()
    spur = gpd.GeoDataFrame(
        {"class": ["main"], "speed_kmh": 90.0, "km": 10.0}, crs=4326,
        geometry=[shapely.LineString([(70.2, 50), (70.2, 50.1)])],
    )  # fmt: skip
    slow = run(towns(), pd.concat([fast, spur], ignore_index=True), **asked, junction_s=30.0)
    # one junction of three roads, at the third place: whoever passes it waits half a minute
    assert slow.layer["travel_time_min"].tolist()[3:] == pytest.approx([30.5, 40.5, 50.5])
    assert slow.layer["travel_time_min"].tolist()[:2] == pytest.approx([0, 10])


def test_a_number_that_was_corrected_is_no_longer_told(tmp_path):
    file = tmp_path / "towns.csv"
    file.write_text("id,lon,lat,population\n1,70.0,50,900\n2,70.1,50,-9999\n3,70.2,50,20\n4,70.3,50,\n")
    layer = settlements.read(file)
    assert settlements.negative(layer, "population").tolist() == settlements.negative(layer[1:], "population").tolist()
    assert len(settlements.negative(layer, "population")) == 1
    assert len(settlements.negative(layer.to_crs(32642), "population")) == 1
    right = layer.copy()
    right.iloc[1, right.columns.get_loc("population")] = 250.0
    assert not len(settlements.negative(right, "population"))
    other = layer.iloc[2:].set_index(layer.index[:2])  # 4 of unknown population gets the id of 2
    assert not len(settlements.negative(other, "population"))


@pytest.mark.parametrize("name", ["travel_time", "opportunities", "single_roads"])
def test_inhabitants_as_offices_write_them_size_the_symbols(name, tmp_path):
    """A column that isn't called population stays text in a table that is read: the style needs numbers."""
    raw = towns().assign(жители=["1 354 435", "-", "12,5", "…", "300", ""])
    found = outcome(name, raw, population="жители")
    assert pd.api.types.is_numeric_dtype(found.layer["жители"])
    assert found.layer["жители"].iloc[0] == 1_354_435
    assert "жители" in qml(found.theme("t", "T"))


def test_speeds_that_are_named_for_something_else_are_no_forgotten_ones():
    fast = roads().assign(speed_kmh=90.0, back=50.0)
    for name, given in (("season_effect", {"season": "none", "new_speed": "speed_kmh"}),
                        ("travel_time", {"speed_back": "back"})):  # fmt: skip
        told = analyses.get(name).function(towns(), fast, **TOWN, **given).summary()
        assert "All roads are taken" not in told
