"""Faults of a layer of roads, each placed by hand."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely

from kazgeo import analyses


@pytest.fixture
def study():
    """A main road of two stretches, one drawn twice; a one-way spur; a dead end 11 m from the road; a piece far off."""
    lines = {
        "west": ([(70, 50), (71, 50)], "no"),
        "east": ([(71, 50), (72, 50)], "no"),
        "east again": ([(72, 50), (71, 50)], "no"),
        "spur": ([(72, 50), (73, 50)], "yes"),
        "near": ([(70.5, 50.0001), (70.5, 50.5)], "no"),
        "joint": ([(70.5, 50.5), (70, 50)], "no"),
        "island": ([(80, 45), (81, 45)], "no"),
    }
    roads = gpd.GeoDataFrame(
        {"oneway": [o for _, o in lines.values()]}, geometry=[shapely.LineString(c) for c, _ in lines.values()],
        index=list(lines), crs=4326,
    )  # fmt: skip
    at = {"town": (70.0, 50.0), "trap": (73.0, 50.0), "islander": (80.0, 45.0), "nowhere": (60.0, 40.0)}
    places = gpd.GeoDataFrame(geometry=[shapely.Point(p) for p in at.values()], index=list(at), crs=4326)
    return roads, places


def check(study, **options):
    roads, places = study
    return analyses.get("check_roads").function(roads, settlements=places, **({"one_way": "oneway"} | options))


def test_every_fault_is_found_where_it_is(study):
    found = check(study, gap_m=1500.0)
    fault = found.layer.set_index("road_id")["fault"]
    assert fault.drop("near").to_dict() == {
        "west": "none", "east": "none", "east again": "duplicate", "spur": "trap", "joint": "none",
        "island": "separate",
    }  # fmt: skip
    assert fault["near"] == "near_miss"
    table = found.tables["faults"].set_index("fault")
    assert table.loc["duplicate", ["road_id", "other_id"]].tolist() == ["east again", "east"]
    assert table.loc["near_miss", ["road_id", "other_id"]].tolist() == ["near", "west"]
    assert table.loc["near_miss", "gap_m"] < 1500
    assert found.tables["cut_off"].set_index("settlement")["why"].to_dict() == {
        "trap": "can_be_entered_not_left", "islander": "separate_piece",
    }  # fmt: skip
    assert found.tables["pieces"]["settlements"].tolist() == [2, 1]
    assert found.numbers["components"] == 2
    island, spur = (found.layer.set_index("road_id").loc[r, "length_km"] for r in ("island", "spur"))
    whole = found.layer["length_km"].sum()
    assert found.numbers["main_percent"] == pytest.approx(100 * (whole - island - spur) / whole)
    assert found.dropped.values.tolist() == [["nowhere", "farther from every road than the limit"]]
    assert (
        "Roads apart from the main network: 1; in one-way traps: 1; that end near a road which they don't meet: 1;"
        " drawn twice: 1." in found.summary()
    )


def test_a_sound_layer_has_no_fault(study):
    roads, places = study
    found = check((roads.loc[["west", "east", "joint"]], places.loc[["town"]]))
    assert set(found.layer["fault"]) == {"none"}
    assert "No fault was found." in found.summary()
    assert "All settlements near a road" in found.summary()
    assert not len(found.tables["faults"])
    assert "cut_off" not in check((roads, None)).tables
