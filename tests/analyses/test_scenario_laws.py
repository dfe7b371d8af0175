"""Laws of scenarios on random networks: what only harms harms, what only helps helps, and all that is told agrees."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from kazgeo import analyses
from kazgeo.errors import InputError

AT = (500_000, 5_600_000)


def country(rng):
    """A torn grid of roads 10 km apart, settlements on and beside them, one of them a city."""
    n = int(rng.integers(2, 5))
    ends = [((x, y), (x + 1, y)) for x in range(n - 1) for y in range(n)]
    ends += [((x, y), (x, y + 1)) for x in range(n) for y in range(n - 1)]
    kept = [pair for pair in ends if rng.random() < 0.75] or ends[:1]
    lines = [shapely.LineString([(AT[0] + 1e4 * x, AT[1] + 1e4 * y) for x, y in pair]) for pair in kept]
    m = len(lines)
    roads = gpd.GeoDataFrame(
        {"name": [f"r{k}" for k in range(m)], "kmh": rng.choice([20.0, 40, 60, 90], m),
         "class": rng.choice(["main", "local"], m), "slow": 1.0, "fast": 1.0}, geometry=lines, crs=32642,
    )  # fmt: skip
    roads["slow"], roads["fast"] = roads["kmh"] * rng.uniform(0.3, 1, m), roads["kmh"] * rng.uniform(1, 3, m)
    spots = np.column_stack([rng.uniform(-2e3, 1e4 * n, 12), rng.uniform(-2e3, 1e4 * n, 12)])
    spots[:6] = np.round(spots[:6] / 1e4) * 1e4 + rng.uniform(-3, 3, (6, 2))
    spots[0] = 1e4 * np.array(kept[0][0])  # the city is at a road
    people = gpd.GeoDataFrame(
        {"kind": ["city", *["v"] * 11], "people": rng.integers(1, 100, 12).astype(float), "region": list("aabb") * 3},
        geometry=gpd.points_from_xy(*(spots + AT).T), crs=32642, index=[f"s{k}" for k in range(12)],
    )  # fmt: skip
    return people.to_crs(4326), roads.to_crs(4326)


def effect(people, roads, **options):
    asked = {"destination_field": "kind", "destination_values": "city", "population": "people", "speed": "kmh",
             "region": "region", "access_limit_km": 6.0, "standard_min": 15.0}  # fmt: skip
    return analyses.get("season_effect").function(people, roads, **asked, **({"season": "none"} | options))


def agrees(found):
    """Findings, numbers, table and classes say what the layer says."""
    layer, numbers, table = found.layer, found.numbers, found.tables["by_region"]
    before, after, change = layer["travel_time_min"], layer["scenario_time_min"], layer["change_min"]
    assert ((layer["cut_off"] == "cut off") == (before.notna() & after.isna())).all()
    assert ((layer["cut_off"] == "newly reached") == (before.isna() & after.notna())).all()
    beyond = (after > 15) | (layer["cut_off"] == "cut off")
    assert numbers["beyond"] == int(beyond.sum()) == int(table["beyond"].sum())
    assert numbers["people_beyond"] == pytest.approx(float(layer["people"][beyond].sum()))
    assert table["beyond_before"].sum() == int(((before > 15) | (layer["cut_off"] == "newly reached")).sum())
    assert set(found.dropped["unit"]) == set(layer.index[after.isna()])
    low = {"quicker": -np.inf, "up to 5": -1e-9, "5 to 15": 5, "15 to 30": 15, "30 to 60": 30, "60 to 120": 60}
    known = layer["effect"][change.notna()]
    assert (change[known.index] >= known.map(low | {"over 120": 120})).all()
    assert layer["effect"][change.isna() & (layer["cut_off"] == "no")].isna().all()


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["closed", "area", "slow", "winter", "both"]))
def test_what_only_harms(seed, kind):
    rng = np.random.default_rng(seed)
    people, roads = country(rng)
    some = ", ".join(roads["name"][rng.random(len(roads)) < 0.4]) or roads["name"][0]
    shut = {"closed_field": "name", "closed_values": some}
    x, y = AT + rng.uniform(0, 1e4, 2)
    area = gpd.GeoDataFrame(geometry=[shapely.box(x, y, x + 9000, y + 9000)], crs=32642).to_crs(4326)
    options = {
        "closed": shut, "area": {"closed": area}, "slow": {"new_speed": "slow"},
        "winter": {"factors": "main=0.7, local=0.5", "road_class": "class"},
        "both": shut | {"factors": "main=0.7, local=0.5", "road_class": "class"},
    }[kind]  # fmt: skip
    try:
        found = effect(people, roads, **options)
    except InputError as error:  # no road of a class, an area that touches none
        if any(word in str(error) for word in ("nothing would change", "is not a class")):
            return
        raise
    assert (found.layer["change_min"].dropna() >= 0).all()
    assert not (found.layer["cut_off"] == "newly reached").any()
    agrees(found)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["fast", "added", "both"]))
def test_what_only_helps(seed, kind):
    rng = np.random.default_rng(seed)
    people, roads = country(rng)
    a, b = (AT + 1e4 * rng.choice([rng.integers(0, 3, 2), rng.uniform(0, 2, 2)]) for _ in "ab")
    b = [b[0], b[1] + 1000 * (a == b).all()]
    new = gpd.GeoDataFrame({"kmh": [float(rng.choice([5, 50, 120]))]}, geometry=[shapely.LineString([a, b])], crs=32642)
    new = {"added": new.to_crs(4326)}
    try:
        found = effect(
            people, roads, **{"fast": {"new_speed": "fast"}, "added": new, "both": new | {"new_speed": "fast"}}[kind]
        )
    except InputError as error:
        if "nothing would change" in str(error):
            return
        raise
    assert (found.layer["change_min"].dropna() <= 1e-9).all()
    assert not (found.layer["cut_off"] == "cut off").any()
    agrees(found)
