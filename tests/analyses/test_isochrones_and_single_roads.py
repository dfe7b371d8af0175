"""Isochrones and single roads by hand: areas, who lives within, what a closed stretch costs."""

from __future__ import annotations

import math

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from pyproj import Geod

from kazgeo import analyses, settlements
from kazgeo.data import embedded
from kazgeo.errors import InputError
from kazgeo.io import Source
from kazgeo.project.inputs import read_input

DATA = embedded()

GEOD = Geod(ellps="GRS80")


def places(**at):
    return gpd.GeoDataFrame(
        {"kind": ["town", *["village"] * (len(at) - 1)], "people": [100.0 * (k + 1) for k in range(len(at))]},
        geometry=[shapely.Point(p) for p in at.values()], index=list(at), crs=4326,
    )  # fmt: skip


def roads_of(towns, *pairs):
    spot = towns.geometry
    return gpd.GeoDataFrame(
        {"km": [60.0] * len(pairs), "name": ["-".join(p) for p in pairs]},
        geometry=[shapely.LineString([spot[a], spot[b]]) for a, b in pairs], crs=4326,
        index=["-".join(p) for p in pairs],
    )  # fmt: skip


TO_TOWN = {"destination_field": "kind", "destination_values": "town", "population": "people"}


# --- isochrones


@pytest.fixture
def straight():
    """A road of 60 km to the north; the town at its end, villages 20 and 40 km along it."""
    at = {"town": (70.0, 48.0)}
    for name, km in (("near", 20), ("far", 40), ("end", 60)):
        lon, lat, _ = GEOD.fwd(70.0, 48.0, 0, km * 1000)
        at[name] = (lon, lat)
    towns = places(**at)
    return towns, roads_of(towns, ("town", "near"), ("near", "far"), ("far", "end"))


def within(study, **options):
    # Beside the road as fast as on it, at most 1 km, no detour: the ground within T minutes of the end of a road of
    # 60 km/h is all that lies within 1 km of its first T - 1 km, a stadium of (T - 1) * 2 + pi km2.
    given = TO_TOWN | {"beside_limit_km": 1.0, "beside_speed_kmh": 60.0, "access_detour": 1.0, "times_min": "30, 50"}
    return analyses.get("isochrones").function(*study, **(given | options))


def test_ground_and_people_within_each_time(straight):
    found = within(straight)
    bands = found.tables["bands"]
    assert bands["to_min"].tolist() == [30, 50]
    assert bands["area_km2"].tolist() == pytest.approx([29 * 2 + math.pi, 49 * 2 + math.pi], rel=0.01)
    assert bands["settlements"].tolist() == [2, 3]
    assert bands["people"].tolist() == [100 + 200, 100 + 200 + 300]
    assert found.numbers["people_percent"] == pytest.approx(60)
    layer = found.layer
    assert layer["band"].tolist() == ["0–30", "30–50"]
    assert layer["settlements"].tolist() == [2, 1]
    assert layer["area_km2"].tolist() == pytest.approx([29 * 2 + math.pi, 40], rel=0.02)
    assert "name_en" not in layer.columns


def test_roads_are_cut_where_the_time_runs_out(straight):
    towns, roads = straight
    face = analyses.get("reached_roads").function
    found = face(towns, roads, times_min="30, 50", **TO_TOWN)
    assert found.tables["bands"]["length_km"].tolist() == pytest.approx([30, 50], rel=1e-4)
    assert found.layer["length_km"].tolist() == pytest.approx([30, 20], rel=1e-4)
    assert found.layer["band"].tolist() == ["0–30", "30–50"]
    assert found.layer.crs == 4326
    assert "50 km of roads, 83.3 % of all" in found.summary().replace("\xa0", " ")
    towns = towns.assign(kind=["town", "village", "village", "town"], name_en=["A", "B", "C", "D"])
    alone = face(towns, roads, times_min="50", overlap="separate", **TO_TOWN)
    assert alone.layer[["origin", "name_en"]].values.tolist() == [["end", "D"], ["town", "A"]]
    assert alone.layer["length_km"].tolist() == pytest.approx([50, 50], rel=1e-4)
    assert alone.numbers["length_km"] == pytest.approx(60, rel=1e-4)  # the 40 km between that both reach count once


def test_no_stretch_is_a_point_where_the_time_runs_out_at_a_junction():
    ends = [((0, 0), (6000, 0)), ((6000, 0), (12_000, 0)), ((6000, 0), (6000, 6000))]
    roads = gpd.GeoDataFrame(geometry=[shapely.LineString(e) for e in ends], crs=32642).assign(
        minutes=[10.0, 10.0, 10.0]
    )
    towns = gpd.GeoDataFrame({"kind": ["town", "village"], "people": [9.0, 1.0]}, crs=32642,
                             geometry=gpd.points_from_xy([0, 12_000], [0, 0]), index=["t", "v"])  # fmt: skip
    found = analyses.get("reached_roads").function(towns, roads, times_min="10, 20", road_min="minutes", **TO_TOWN)
    parts = found.layer.geometry.explode()
    assert [len(shape.geoms) for shape in found.layer.geometry] == [1, 2]
    assert (shapely.length(parts.to_numpy()) > 0).all()
    assert found.layer["length_km"].tolist() == pytest.approx([6, 12], rel=5e-3)


def test_minutes_of_roads_stand_in_place_of_speeds(straight):
    towns, roads = straight
    given = roads.assign(minutes=[12.0, 30.0, 18.0], kmh=80.0)
    time = analyses.get("travel_time").function
    assert time(towns, given, road_min="minutes", **TO_TOWN).layer["travel_time_min"].tolist() == pytest.approx(
        [0, 12, 42, 60]
    )
    with pytest.raises(InputError, match="road_min 'minutes' is in place of speeds; leave out speed"):
        time(towns, given, road_min="minutes", speed="kmh", **TO_TOWN)


def test_each_centre_for_itself_overlaps_and_the_nearest_divides(straight):
    towns, roads = straight
    towns = towns.assign(kind=["town", "village", "village", "town"], name_en=["A", "B", "C", "D"])
    alone, nearest = (
        within((towns, roads), overlap=o, times_min="50").layer.set_index("origin") for o in ("separate", "nearest")
    )
    assert alone["settlements"].to_dict() == {"town": 3, "end": 3}
    assert alone["name_en"].to_dict() == {"town": "A", "end": "D"}
    assert nearest["settlements"].to_dict() == {"town": 2, "end": 2}
    assert nearest["area_km2"].sum() == pytest.approx(60 * 2 + math.pi, rel=0.02)
    assert alone["area_km2"].sum() == pytest.approx(2 * (49 * 2 + math.pi), rel=0.01)


@pytest.mark.parametrize("overlap", ["nearest", "separate", "merged"])
def test_rings_are_areas_where_they_only_touch(overlap):
    """Cutting one hour off two left lines of no width where both end at the same water or neighbour."""
    edges, nodes = (read_input(kind, Source(DATA / file, id="id" if kind == "nodes" else None)) for kind, file in
                    (("edges", "roads.csv"), ("nodes", "road_nodes.csv")))  # fmt: skip
    roads = analyses.get("road_network").function(edges, nodes).layer
    found = analyses.get("isochrones").function(
        settlements.read(Source(DATA / "settlements.csv", id="id")), roads, destination_field="kind",
        destination_values="oblast_centre", times_min="30, 60, 120, 240", speed="speed_kmh", length="length_km",
        overlap=overlap, access_limit_km=50, beside_limit_km=5,
    )  # fmt: skip
    assert set(found.layer.geom_type) <= {"Polygon", "MultiPolygon"}
    assert found.layer.geometry.is_valid.all()


def test_one_way_roads_tell_to_and_from_apart(straight):
    towns, roads = straight
    roads = roads.assign(oneway=["yes", "no", "no"])  # from the town to the north only
    back, there = (
        within((towns, roads), travel=t, one_way="oneway").tables["bands"]["settlements"].tolist()
        for t in ("to", "from")
    )
    assert there == [2, 3]
    assert back == [1, 1]


def test_times_must_increase(straight):
    with pytest.raises(InputError, match="times_min: wanted minutes that increase"):
        within(straight, times_min="50, 30")


# --- single roads


@pytest.fixture
def triangle():
    """Town, b and c in a triangle of 60 km sides; d and e in a line behind c; f off the roads."""
    towns = places(town=(70, 48), b=(71, 48), c=(70.5, 48.5), d=(70.5, 49), e=(70.5, 49.5), f=(60, 40))
    pairs = (("town", "b"), ("b", "c"), ("c", "town"), ("c", "d"), ("d", "e"))
    return towns.assign(oblast=["S", "S", "S", "N", "N", "N"]), roads_of(towns, *pairs)


def closures(study, **options):
    given = TO_TOWN | {"length": "km", "default_speed_kmh": 60.0, "region": "oblast"}
    return analyses.get("single_roads").function(*study, **(given | options))


def test_who_hangs_on_a_single_road_and_the_second_way(triangle):
    found = closures(triangle)
    layer = found.layer
    assert layer["single_road"].tolist()[:5] == ["several", "several", "several", "single", "single"]
    assert pd.isna(layer.loc["f", "single_road"])
    assert layer["roads_in_line"].tolist()[:5] == [0, 0, 0, 1, 2]
    assert layer["travel_time_min"].round(6).tolist()[:5] == [0, 60, 60, 120, 180]
    assert layer.loc[["b", "c"], "second_time_min"].round(6).tolist() == [120, 120]
    assert layer.loc[["b", "c"], "extra_min"].round(6).tolist() == [60, 60]
    assert layer.loc[["d", "e"], "second_time_min"].isna().all()  # the worst stretch cuts them off
    assert found.numbers == {"on_single_road": 2, "people_on_single_road": 900}
    behind = found.tables["stretches"].set_index("road_id")
    assert behind["settlements_behind"].to_dict() == {"c-d": 2, "d-e": 1}
    assert behind["people_behind"].to_dict() == {"c-d": 900, "d-e": 500}
    assert behind["length_km"].tolist() == pytest.approx([60, 60])
    north = found.tables["by_region"].loc["N"]
    assert (north["settlements"], north["on_single_road"], north["people_on_single_road"]) == (3, 2, 900)
    assert found.dropped.values.tolist() == [["f", "farther from every road than the limit"]]


def critical(study, **options):
    given = TO_TOWN | {"length": "km", "default_speed_kmh": 60.0, "road_name": "name"}
    return analyses.get("critical_roads").function(*study, **(given | options))


def test_which_roads_cut_settlements_off(triangle):
    found = critical(triangle)
    layer = found.layer.set_index("road_id")
    assert layer["road_name"].tolist() == ["d-e", "c-d"]  # those with most people are drawn on top
    assert layer.loc["c-d", ["roads_in_line", "settlements_behind", "people_behind"]].tolist() == [1, 2, 900]
    assert layer.loc["d-e", ["roads_in_line", "settlements_behind", "people_behind"]].tolist() == [2, 1, 500]
    assert layer["people_lose"].tolist() == [500, 900]  # the only town is on the other side
    assert layer["behind"].to_dict() == {"c-d": "d", "d-e": "e"}
    assert layer.geometry["d-e"].length == pytest.approx(0.5, rel=1e-6)
    assert found.numbers == {"stretches": 2, "critical_km": pytest.approx(120), "people_behind": 900}
    assert found.tables["by_road"]["road"].tolist() == ["c-d", "d-e"]
    told = found.summary()
    assert "when they close: 2, 120\xa0km or 40.0\xa0% of the network" in told
    assert "in front of: c-d (d): 900." in told
    assert ["f", "farther from every road than the limit"] in found.dropped.values.tolist()


def test_a_town_at_the_far_end_keeps_its_side(triangle):
    towns, roads = triangle
    layer = critical((towns.assign(kind=["v", "v", "v", "v", "town", "v"]), roads)).layer.set_index("road_id")
    # closing c-d leaves the town behind it to d and e, and takes it from the rest: 1,000 + 300 + 200 people
    main = towns["people"][["town", "b", "c"]].sum()
    assert layer.loc["c-d", ["settlements_lose", "people_lose"]].tolist() == [3, main]


def test_critical_roads_without_names_people_or_any(triangle):
    towns, roads = triangle
    bare = critical(triangle, population=None, road_name=None)
    assert "road_name" not in bare.layer
    assert bare.layer["people_behind"].isna().all()
    assert "Most settlements hang on the stretches in front of: d 2." in bare.summary()
    assert closures(triangle, population=None).tables["stretches"]["people_behind"].isna().all()
    none = critical((towns, pd.concat([roads, roads_of(towns, ("e", "b"))])))
    assert none.layer is None
    assert none.numbers["stretches"] == 0
    assert "No stretch of road cuts a settlement off" in none.summary()


def test_another_road_frees_the_tail(triangle):
    towns, roads = triangle
    spare = roads_of(towns, ("e", "b"))
    found = closures((towns, pd.concat([roads, spare])))
    assert found.numbers["on_single_road"] == 0
    assert found.layer.loc["e", ["travel_time_min", "second_time_min"]].astype(float).round(6).tolist() == [120, 180]


def test_a_line_without_length_is_told(triangle):
    towns, roads = triangle
    dot = gpd.GeoDataFrame(
        {"km": [1.0], "name": ["dot"]}, geometry=[shapely.LineString([(70, 48), (70, 48)])], index=["dot"], crs=4326
    )
    found = closures((towns, pd.concat([roads, dot])))
    assert ["dot", "a line without length"] in found.dropped.values.tolist()
    assert "a line without length" in found.summary()
