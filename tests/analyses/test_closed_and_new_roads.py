"""Closing a road only harms, opening one only helps: who lives at a road that closes, with and without new ones."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from kazgeo import analyses

AT = (500_000, 5_600_000)


def lines(names, kmh, *paths):
    """Roads in metres from a corner, under UTM zone 42."""
    shapes = [shapely.LineString([(AT[0] + x, AT[1] + y) for x, y in path]) for path in paths]
    return gpd.GeoDataFrame({"name": names, "kmh": kmh}, geometry=shapes, crs=32642).to_crs(4326)


def places(city, *villages):
    spots = [shapely.Point(AT[0] + x, AT[1] + y) for x, y in (city, *villages)]
    ids = ["c", *(f"v{k}" for k in range(len(villages)))]
    kinds = {"kind": ["city"] + ["v"] * len(villages), "people": 100.0}
    return gpd.GeoDataFrame(kinds, geometry=spots, index=ids, crs=32642).to_crs(4326)


def effect(settlements, roads, **options):
    asked = {"destination_field": "kind", "destination_values": "city", "population": "people", "speed": "kmh"}
    return analyses.get("season_effect").function(settlements, roads, season="none", **asked, **options)


CLOSED = {"closed_field": "name", "closed_values": "closed"}


@pytest.mark.parametrize("aside_m", [0.5, 0.9, 1.5, 30.0])
def test_a_bridge_over_the_closed_road_is_no_gain(aside_m):
    """Slow road and fast road cross without a junction, the village a step from the crossing."""
    roads = lines(
        ["closed", "b", "c", "d"], [20.0, 20, 90, 90], [(-30_000, 0), (-100, 0), (100, 0), (50_000, 0)],
        [(50_000, 0), (50_000, 30_000)], [(0, -20_000), (0, -100), (0, 100), (0, 30_000)],
        [(0, 30_000), (50_000, 30_000)],
    )  # fmt: skip
    layer = effect(places((50_000, 30_000), (aside_m, 0)), roads, **CLOSED).layer
    assert layer["travel_time_min"]["v0"] == pytest.approx(240, abs=0.2)
    assert layer["change_min"].tolist() == [0, 0]


def test_a_closure_connects_nobody():
    roads = lines(["closed", "main"], 60.0, [(0, 0), (60_000, 0)], [(0, 3000), (120_000, 3000)])
    found = effect(places((120_000, 3000), (30_000, 0)), roads, **CLOSED)
    assert found.layer["scenario_time_min"].isna().tolist() == [False, True]
    assert found.layer["cut_off"].tolist() == ["no", "no"]
    assert found.numbers["people_beyond"] == 0
    assert ["v0", "on a part of the network without a destination"] in found.dropped.values.tolist()


def test_changes_are_none_or_real():
    """Two thousand villages at a closed slow road, the fast one beside it quicker before and after."""
    roads = lines(["closed", "fast", "link"], [20.0, 90, 60], [(0, 0), (70_000, 0)], [(0, 2200), (70_000, 2200)],
                  [(0, 0), (0, 2200)])  # fmt: skip
    at = np.random.default_rng(1).uniform(0, 70_000, 2000)
    found = effect(places((0, 2200), *((x, 100) for x in at)), roads, **CLOSED)
    assert (found.layer["change_min"] == 0).all()
    assert "Longest delays" not in found.summary()


@pytest.mark.parametrize("new", [None, ([(14_000, 1500), (16_000, 1500)], 90.0), ([(0, 1500), (20_000, 1500)], 2.0)])
def test_a_useless_new_road_is_no_harm_to_whom_a_closure_moves(new):
    roads = lines(["closed", "far", "link"], 60.0, [(0, 0), (20_000, 0)], [(0, 3000), (20_000, 3000)],
                  [(0, 0), (0, 3000)])  # fmt: skip
    added = {} if new is None else {"added": lines(["new"], [new[1]], new[0])}
    layer = effect(places((0, 3000), (15_000, 100)), roads, **CLOSED, **added).layer
    # 15 km at 60 km/h, and 2.9 km of open ground x 1.3 at 30 km/h
    assert layer["scenario_time_min"]["v0"] == pytest.approx(15 + 2.9 * 1.3 / 30 * 60, abs=0.05)


def test_a_closure_that_takes_the_only_destination():
    roads = lines(["closed", "open"], 60.0, [(0, 0), (30_000, 0)], [(30_000, 0), (90_000, 0)])
    found = effect(places((0, 0), (40_000, 0)), roads, access_limit_km=5.0, **CLOSED)
    assert found.layer["cut_off"].tolist() == ["no", "cut off"]
    assert found.layer["scenario_time_min"]["c"] == 0
    assert found.numbers["people_cut_off"] == 100


def test_who_is_reached_by_a_new_road_only():
    roads = lines(["main", "island"], 60.0, [(0, 0), (30_000, 0)], [(50_000, 0), (60_000, 0)])
    added = lines(["new"], [10.0], [(30_000, 0), (50_000, 0)])
    found = effect(places((0, 0), (30_000, 0), (60_000, 0)), roads, added=added, standard_min=60.0)
    assert found.layer["cut_off"].tolist() == ["no", "no", "newly reached"]
    assert found.layer["effect"].tolist() == ["up to 5", "up to 5", "newly reached"]
    told = found.summary().replace("\xa0", " ")
    assert "Farther than 60 min in all: 1 settlements without the scenario, 1 under it." in told
    assert "Settlements that reach a destination only under the scenario: 1." in told
    assert "Without a result" not in told
