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


def test_a_named_road_is_closed_and_its_harm_is_told(study):
    places, roads = study
    found = run((places, roads.assign(name=["A1", "pass", "C3"])), season="none", closed_field="name",
                closed_values="pass")  # fmt: skip
    assert found.layer["cut_off"].tolist() == ["no", "no", "cut off", "cut off"]
    assert found.numbers["people_cut_off"] == 200
    assert found.numbers["mean_change_min"] == 0
    assert "only closes roads" in found.summary()


def test_factors_by_surface_and_by_class_count_both(study):
    places, roads = study
    roads["surface"] = ["asphalt", "gravel", "earth"]
    found = run((places, roads), season="none", surface_factors="earth=0.5")
    assert found.layer["scenario_time_min"].tolist() == pytest.approx([0, 60, 120, 240])
    both = run((places, roads), season="none", surface_factors="earth=0.5", factors="track=0.8")
    assert both.layer["scenario_time_min"].tolist() == pytest.approx([0, 60, 60 + 75, 60 + 75 + 150])
    # 9,000 + 100 people with no change, 200 with 15 minutes; those of d aren't known
    assert both.numbers["mean_change_min"] == pytest.approx(200 * 15 / 9300)


def test_an_upgrade_and_a_new_road_in_winter(study):
    places, roads = study
    better = run((places, roads.assign(plan=[None, 120.0, None])), season="none", new_speed="plan")
    assert better.layer["scenario_time_min"].tolist() == pytest.approx([0, 60, 90, 150])
    assert better.layer["change_min"].tolist() == pytest.approx([0, 0, -30, -30])
    assert "those that were given" in better.summary()
    cold = run((places, roads.assign(plan=[None, 120.0, None])), season="winter", new_speed="plan")
    assert cold.layer["scenario_time_min"].tolist()[:3] == pytest.approx([0, 60 / 0.87, 60 / 0.87 + 30 / 0.65])


def test_a_new_road_serves_whom_it_helps_and_harms_nobody(study):
    places, roads = study
    far = gpd.GeoDataFrame({"kind": ["v"], "people": [50.0], "oblast": ["E"]},
                           geometry=gpd.points_from_xy([72.0], [52.0]), index=["e"], crs=4326)  # fmt: skip
    spur = gpd.GeoDataFrame(geometry=[shapely.LineString([(72.0, 50.0), (72.0, 52.0)])], crs=4326)
    found = run((pd.concat([places, far]), roads), season="none", added=spur, default_speed_kmh=100.0)
    km = 2 * 111.26  # along the meridian, from latitude 50 to 52
    assert found.layer.loc["e", "cut_off"] == "newly reached"
    assert found.layer.loc["e", "scenario_time_min"] == pytest.approx((120 + km) * 0.6, rel=1e-3)
    assert found.layer["change_min"].tolist()[:4] == pytest.approx([0, 0, 0, 0])
    # a new road past b that leads nowhere: nearer to b than its own road, and of no use
    off = places.copy()
    off.loc["b", "geometry"] = shapely.Point(71.0, 50.05)
    useless = gpd.GeoDataFrame(geometry=[shapely.LineString([(70.8, 50.05), (71.2, 50.05)])], crs=4326)
    same = run((off, roads), season="none", added=useless)
    assert same.layer["change_min"].tolist() == pytest.approx([0, 0, 0, 0])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"closed_field": "surface", "closed_values": "ice"}, "nothing has 'ice'"),
        ({"closed_field": "surface"}, "go together"),
        ({"surface_factors": "mud=0.5"}, "surface_factors: class 'mud'"),
        ({"season": "none", "added": gpd.GeoDataFrame(geometry=[None], crs=4326)}, "added holds no line"),
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


def test_new_speeds_that_are_none_are_refused(study):
    places, roads = study
    for values, says in (([0, None, None], "must be km/h above 0"), ([None] * 3, "is empty for all roads")):
        plan = pd.Series(values, roads.index, dtype=float)
        with pytest.raises(InputError, match=says):
            run((places, roads.assign(plan=plan)), new_speed="plan")


def test_a_season_that_knows_no_class_of_the_roads_is_refused(study):
    places, roads = study
    with pytest.raises(InputError, match="knows no class of column 'class'"):
        run((places, roads.assign(**{"class": "A"})), season="winter")
    assert isinstance(run((places, roads), season="winter").layer, pd.DataFrame)


def ring():
    """A city, a village half way along road n, and a longer road s round to the village's south; km in columns."""
    lines = [
        shapely.LineString([(70, 50), (71, 50)]),
        shapely.LineString([(70, 50), (70, 49.9), (71, 49.9), (71, 50)]),
    ]
    roads = gpd.GeoDataFrame({"name": ["n", "s"], "km": [60.0, 90.0]}, geometry=lines, crs=4326)
    places = gpd.GeoDataFrame(
        {"kind": ["city", "v", "v"], "people": [9000.0, 100.0, 10.0]},
        geometry=gpd.points_from_xy([70.0, 70.5, 71.0], [50.0] * 3), index=list("abc"), crs=4326,
    )  # fmt: skip
    return places, roads


def test_who_lives_at_a_closed_road_goes_to_the_next_open_one():
    found = run(ring(), season="none", closed_field="name", closed_values="n", standard_min=60.0)
    assert found.layer["cut_off"].tolist() == ["no"] * 3
    assert found.layer["scenario_time_min"]["c"] == pytest.approx(90)  # stands at the end of both roads
    # 11.1 km over open ground at 30 km/h with a detour of 1.3, then half of the 90 km
    assert found.layer["scenario_time_min"]["b"] == pytest.approx(11.12 * 1.3 * 2 + 45, abs=0.3)
    assert "Settlements at a closed road that go over open ground to the next open one: 1." in found.summary()
    assert "Farther than 60\xa0min in all: 0 settlements without the scenario, 2 under it." in found.summary()
    assert found.numbers["beyond"] == 2
    assert found.numbers["people_beyond"] == 110
    table = run(ring(), season="none", closed_field="name", closed_values="n", region="kind").tables["by_region"]
    assert table.loc["v", ["without_result", "beyond_before", "beyond", "people_beyond"]].tolist() == [0, 0, 2, 110]
    assert table.loc["city", ["settlements", "beyond"]].tolist() == [1, 0]
    near = run(ring(), season="none", closed_field="name", closed_values="n", access_limit_km=5.0)
    assert near.layer["cut_off"].tolist() == ["no", "cut off", "no"]
    assert near.numbers["beyond"] == 2  # 90 minutes, and cut off


def test_nobody_swims_out_of_a_flooded_village():
    water = gpd.GeoDataFrame(geometry=[shapely.box(70.4, 49.99, 70.6, 50.01)], crs=4326)
    found = run(ring(), season="none", closed=water)
    assert found.layer["cut_off"].tolist() == ["no", "cut off", "no"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"season": "passes_closed"}, "the season 'passes_closed' goes by the column 'seasonal' and means none"),
        ({"season": "none", "closed": gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)], crs=4326)},
         "the closed areas touch no road"),
    ],
)  # fmt: skip
def test_a_scenario_that_means_no_road_is_refused(study, options, says):
    with pytest.raises(InputError, match=says):
        run(study, **options)


def test_a_season_that_means_no_road_is_told_beside_a_closure(study):
    places, roads = study
    bare = places, roads.rename(columns={"class": "klass", "surface": "cover"}).assign(name=["a", "b", "c"])
    shut = {"closed_field": "name", "closed_values": "c"}
    told = run(bare, season="winter", **shut).summary()
    assert "The season (winter) means none of these roads: name the column of their classes (road_class)" in told
    assert "The season" not in run(bare, season="winter", road_class="klass", **shut).summary()
    assert "The season" not in run(bare, season="none", **shut).summary()


def two_ways(**columns):
    """A village on a slow track to the city, and a fast road 3.3 km beside it that ends in the city too."""
    lines = [
        shapely.LineString([(71, 51), (71.5, 51)]),
        shapely.LineString([(71, 51.03), (71.5, 51.03), (71.5, 51)]),
    ]
    roads = gpd.GeoDataFrame({"name": ["track", "fast"], "kmh": [10.0, 90.0], **columns}, geometry=lines, crs=4326)
    places = gpd.GeoDataFrame(
        {"kind": ["v", "city"], "people": [100.0, 9.0]}, geometry=gpd.points_from_xy([71.1, 71.5], [51.0] * 2),
        index=["v", "c"], crs=4326,
    )  # fmt: skip
    return places, roads


def test_no_closure_is_a_gain():
    asked = {"speed": "kmh", "length": "", "closed_field": "name", "closed_values": "track"}
    shut = run(two_ways(), season="none", **asked)
    assert shut.layer["change_min"].tolist() == pytest.approx([0, 0], abs=1e-9)
    assert "go over open ground to the next open one: 1." in shut.summary()
    # the other road was the quicker way before as well; in winter it takes longer, and that much is lost
    road_min = (28.06 + 3.34) / 90 * 60  # km of the fast road east of the village, then south to the city
    cold = run(two_ways(road_class="trunk"), season="winter", **asked)
    assert cold.layer["change_min"]["v"] == pytest.approx(road_min * (1 / 0.87 - 1), rel=0.001)
    assert cold.layer["change_min"].min() >= 0


def test_who_reaches_no_open_road_goes_to_none():
    lines = [shapely.LineString([(a, 51), (a + 1, 51)]) for a in (71, 72)]
    roads = gpd.GeoDataFrame({"name": ["west", "east"]}, geometry=lines, crs=4326)
    places = gpd.GeoDataFrame(
        {"kind": ["city", "v", "v"], "people": 1.0}, geometry=gpd.points_from_xy([73, 71.0, 71.2], [51.0] * 3),
        index=list("acd"), crs=4326,
    )  # fmt: skip
    area = gpd.GeoDataFrame(geometry=[shapely.box(71.5, 50.9, 71.95, 51.1)], crs=4326)
    found = run((places, roads), season="none", closed=area, length="")
    assert found.layer["cut_off"].tolist() == ["no", "cut off", "cut off"]
    assert found.layer["effect"].tolist() == ["up to 5", "cut off", "cut off"]  # not the look of no data
    assert [c.value for c in found.style.classes][-1] == "cut off"
    assert "over open ground" not in found.summary()
