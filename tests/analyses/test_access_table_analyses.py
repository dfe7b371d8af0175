"""Analyses of travel times between places say what the library computes, on Kazakhstan's own data and by hand."""

import functools
import math

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import example, given
from hypothesis import strategies as st
from shapely import Point

from kazgeo import accessibility, analyses, disparity, settlements
from kazgeo.accessibility import decay
from kazgeo.analyses.catchments import Competition
from kazgeo.analyses.decays import CatchmentDecay, Falling, decay_within, falling
from kazgeo.analyses.flows import Given
from kazgeo.analyses.reach import AMOUNT_COLORS, amount_style
from kazgeo.data import embedded
from kazgeo.errors import InputError
from kazgeo.io import Source
from kazgeo.network import Access, attach, from_lines
from kazgeo.project.inputs import read_input

DATA = embedded()


@functools.cache
def roads():
    edges = read_input("edges", Source(DATA / "roads.csv"))
    nodes = read_input("nodes", Source(DATA / "road_nodes.csv", id="id"))
    return analyses.get("road_network").function(edges, nodes).layer


@functools.cache
def places():
    return settlements.read(Source(DATA / "settlements.csv", id="id"))


@functools.cache
def cities():
    layer = places()[places()["population"] > 50_000].copy()
    layer["beds"] = (layer["population"] * 0.006).round()
    return layer


ON = {"speed": "speed_kmh", "length": "length_km", "access_limit_km": 100.0}


def run(name, *layers, **options):
    return analyses.get(name).function(*layers, roads(), **ON, **options)


@functools.cache
def times():
    net = from_lines(roads(), speed_kmh="speed_kmh", length_km="length_km", road_class="class")
    way = Access(limit_m=100_000)
    return accessibility.travel_times(attach(net, places(), way), attach(net, cities(), way))


def line_world():
    """Three villages 30 km apart on one road at 60 km/h, and clinics in the outer ones."""
    at = [Point(70, 0), Point(70.269494, 0), Point(70.538989, 0), Point(80, 40)]
    people = geopandas.GeoDataFrame(
        {"name": ["West", "Middle", "East", "Far"], "people": [100.0, 200.0, 100.0, 50.0], "zone": list("aabb")},
        index=["w", "m", "e", "f"], geometry=at, crs=4326,
    )  # fmt: skip
    clinics = geopandas.GeoDataFrame(
        {"name": ["Left", "Right"], "beds": [10.0, 20.0]}, index=["l", "r"], geometry=[at[0], at[2]], crs=4326
    )
    road = geopandas.GeoDataFrame(
        {"class": ["x"] * 2}, geometry=[shapely.LineString(at[:2]), shapely.LineString(at[1:3])], crs=4326
    )
    return people, clinics, road


@given(st.sampled_from(list(Falling)), st.floats(0.1, 10_000))
def test_every_decay_is_one_at_home_and_a_half_at_the_half_time(kind, half):
    weight = falling(kind, half)(np.array([0.0, 60 * half, 120 * half]))
    np.testing.assert_allclose(weight[:2], [1, 0.5], rtol=1e-9)
    assert weight[2] < 0.5


@given(st.sampled_from(list(CatchmentDecay)), st.floats(1, 10_000))
def test_every_catchment_ends_at_its_limit(kind, limit):
    weight = decay_within(kind, limit, None)(60 * limit * np.array([0.0, 0.5, 1.0, 1.001]))
    assert weight[0] == 1
    assert (np.diff(weight) <= 0).all()
    assert weight[3] == 0


def test_choices_are_those_of_the_library():
    methods = {str(m) for m in accessibility.CatchmentMethod}
    assert {str(c) for c in Competition} == methods | {"spatial_availability", "raam"}
    assert {str(g) for g in Given} == {"production", "attraction", "double", "total"}
    assert set(map(str, Falling)) < set(map(str, CatchmentDecay))


@given(st.lists(st.one_of(st.just(0.0), st.floats(1e-6, 1e9), st.just(math.nan)), max_size=20))
@example([0.0, 499999999.9999999])
def test_classes_of_amounts_hold_every_value(values):
    column = pd.Series(values, dtype=float)
    style = amount_style("x", "x", column)
    assert (style.codes(column) >= 0).tolist() == column.notna().tolist()
    assert len(style.classes) <= len(AMOUNT_COLORS)
    if (column == 0).any() and (column > 0).any():
        assert set(style.codes(column[column == 0])) == {0}
        assert (style.codes(column[column > 0]) > 0).all()


def test_opportunities_are_those_of_the_library():
    outcome = run("opportunities", places(), cities(), amount="beds", thresholds_min="30, 45.5", half_min=45.0,
                  population="population", region="region")  # fmt: skip
    found = accessibility.cumulative(times(), cities()["beds"], thresholds_s=[1800, 2730]).reached
    np.testing.assert_allclose(outcome.layer["within_30_min"], found[1800])
    np.testing.assert_allclose(outcome.layer["within_45_5_min"], found[2730])
    weighted = accessibility.gravity(times(), cities()["beds"], decay=decay.Exponential.half_life(2700)).reached
    np.testing.assert_allclose(outcome.layer["gravity_sum"], weighted["reached"])
    assert outcome.style.column == "within_45_5_min"
    people = places()["population"]
    known = people.notna() & found[1800].notna()
    mean = np.average(found[1800][known], weights=people[known])
    assert outcome.tables["within"]["mean_opportunities"].iloc[0] == pytest.approx(mean)
    assert outcome.numbers["unreached"] == 10
    assert len(outcome.tables["by_region"]) == 2 * places()["region"].nunique()
    assert outcome.plot().axes


def test_opportunities_by_hand():
    people, clinics, road = line_world()
    outcome = analyses.get("opportunities").function(
        people, clinics, road, amount="beds", decay="linear", half_min=30.0, population="people", region="zone",
        thresholds_min="31, 61",
    )  # fmt: skip
    assert outcome.layer["within_31_min"].dropna().tolist() == [10, 30, 20]
    np.testing.assert_allclose(outcome.layer["gravity_sum"].dropna(), [10, 15, 20], rtol=1e-3)
    assert outcome.dropped.to_numpy().tolist() == [["f", "farther from every road than the limit"]]
    rows = outcome.tables["by_region"].set_index(["region", "within_min"])
    assert rows.at[("a", 31.0), "mean_opportunities"] == pytest.approx((100 * 10 + 200 * 30) / 300)
    assert outcome.summary().startswith("Within 61\xa0min people reach 30.0 of 30 opportunities on average; 0 of 3")
    over = analyses.get("opportunities").function(people, clinics, road, amount="beds", interval_min="25, 45").layer
    assert over["interval_median"].dropna().tolist() == [10, 30, 20]  # 0 of the one in the middle up to 30 min
    early = analyses.get("opportunities").function(people, clinics, road, amount="beds", interval_min="10, 32").layer
    assert early["interval_median"].dropna().tolist() == [10, 0, 20]
    for summary, middle in (("mean", 15), ("lowest", 0), ("highest", 30)):
        over = analyses.get("opportunities").function(
            people, clinics, road, amount="beds", interval_min="20, 40", interval_step_min=20, interval_summary=summary
        )  # fmt: skip
        assert over.layer[f"interval_{summary}"].dropna().tolist() == [10, middle, 20]
    bare = analyses.get("opportunities").function(people, clinics, road, thresholds_min="31")
    assert bare.layer["within_31_min"].dropna().tolist() == [1, 2, 1]


@pytest.mark.parametrize("method", ["2sfca", "3sfca", "m2sfca", "bfca", "spatial_availability"])
def test_catchments_are_those_of_the_library(method):
    outcome = run("floating_catchment", places(), cities(), population="population", capacity="beds", method=method,
                  limit_min=90.0, decay="gaussian", region="region")  # fmt: skip
    fall = decay.Within(falling("gaussian", 45), 5400)
    near, people, beds = times().within(5400), places()["population"], cities()["beds"]
    how = "2sfca" if method == "spatial_availability" else method
    found = accessibility.floating_catchment(near, people, beds, decay=fall, method=how)
    road = outcome.layer["network_component"] >= 0
    np.testing.assert_allclose(outcome.layer["access_per_1000"][road], 1000 * found.access[road], atol=1e-12)
    assert outcome.layer["access_per_1000"][~road].isna().all()
    load = outcome.tables["load"].set_index("facility")
    np.testing.assert_allclose(load["people_per_capacity"].reindex(beds.index), found.demand / beds)
    assert outcome.layer["access_rank"].min() == 1
    if method == "spatial_availability":
        whole = accessibility.spatial_availability(near, people, beds, decay=fall)
        np.testing.assert_allclose(outcome.layer["available"][road], whole.available[road])
        assert "Capacity left to all settlements against capacity in reach: 1.00" in outcome.summary()
    else:
        assert f"capacity in reach {found.inflation:.2f}." in outcome.summary()


def test_catchments_by_hand():
    people, clinics, road = line_world()
    call = functools.partial(analyses.get("floating_catchment").function, people, clinics, road, "people", "beds")
    outcome = call(limit_min=31.0, region="zone")
    # left: 10 beds for 300, right: 20 for 300
    np.testing.assert_allclose(outcome.layer["access_per_1000"].dropna(), [1000 / 30, 100, 2000 / 30])
    assert outcome.numbers["people_without"] == 50
    assert outcome.tables["load"]["people_per_capacity"].tolist() == [30, 15]
    assert outcome.layer["access_rank"].dropna().tolist() == [3, 1, 2]
    assert "0.00" not in outcome.summary().split("Inflation")[1].split("\n")[0]
    assert outcome.summary().startswith("2SFCA: 75.0 of capacity per 1,000 people on average; 1 of 4 settlements with")
    steps = call(limit_min=48.0, decay="steps")
    np.testing.assert_allclose(steps.layer["access_per_1000"]["m"], 1000 * 0.68 * 30 / (100 + 0.68 * 200))
    assert steps.summary().startswith("E2SFCA")
    zones = call(limit_min=48.0, decay="steps", zones_min="20, 40", zone_weights="1, 0.42")
    np.testing.assert_allclose(zones.layer["access_per_1000"]["m"], 1000 * 0.42 * 30 / (100 + 0.42 * 200))
    near = call(limit_min=48.0, decay="steps", zones_min="20", zone_weights="1")  # the middle is 30 min away
    np.testing.assert_allclose(near.layer["access_per_1000"].dropna(), [100, 0, 200])
    assert near.numbers["people_without"] == 250  # the last zone is the limit: the middle has none within it
    assert "no facility within 20" in near.summary()


def test_spatial_availability_that_favours_the_small():
    people, clinics, road = line_world()
    call = functools.partial(analyses.get("floating_catchment").function, capacity="beds", limit_min=31.0)
    asked = {"population": "people", "method": "spatial_availability", "demand_power": 0.5}
    found = call(people, clinics, road, **asked)
    west, east = (beds * 100**0.5 / (100**0.5 + 200**0.5) for beds in (10, 20))
    np.testing.assert_allclose(found.layer["available"].dropna(), [west, 30 - west - east, east])
    np.testing.assert_allclose(found.layer["access_per_1000"][["w", "e"]], [10 * west, 10 * east])
    people.loc["m", "people"] = None
    found = call(people, clinics, road, **asked)
    assert found.layer["available"].dropna().tolist() == [10, 20]
    assert ["m", "nobody is known to live there"] in found.dropped.to_numpy().tolist()
    with pytest.raises(InputError, match="demand_power has no effect with method 'bfca', only with 'spatial_avail"):
        call(people, clinics, road, **asked | {"method": "bfca"})


def test_concentration_of_what_has_a_largest_value():
    units = geopandas.GeoDataFrame({"share": [0.2, 0.8], "people": 1.0, "income": [1.0, 2.0]},
                                   geometry=[Point(70, 50), Point(71, 50)], crs=4326)  # fmt: skip
    call = functools.partial(analyses.get("access_inequality").function, units, "share", "people")
    said = {}
    for form, bounds in (("uncorrected", ""), ("erreygers", "0, 2"), ("wagstaff", "0, 2"), ("erreygers", "0, 1")):
        table = call(income="income", concentration=form, bounds=bounds).tables["measures"].set_index("measure")
        said[form, bounds] = table.at["concentration_index", "value"]
    # 2 / 0.5 x 2 x 0.5 x 0.3 x 0.25; x 4 x 0.5 / 2; x 0.5 x 2 / (1.5 x 0.5); x 4 x 0.5
    np.testing.assert_allclose(list(said.values()), [0.3, 0.3, 0.4, 0.6])
    for options, told in (
        ({"concentration": "wagstaff"}, "no effect without income"),
        ({"income": "income", "bounds": "0, 1"}, "no effect on the uncorrected form"),
        ({"income": "income", "concentration": "wagstaff", "bounds": "1, 0"}, "two numbers, the smaller first"),
        ({"income": "income", "concentration": "wagstaff", "bounds": "0.5, 1"}, "must enclose the values"),
    ):
        with pytest.raises(InputError, match=told):
            call(**options)


def test_facilities_that_serve_nobody_are_told_with_their_reason():
    people, clinics, road = line_world()
    more = pd.concat([clinics, geopandas.GeoDataFrame(
        {"name": ["Empty", "Unknown", "Lost"], "beds": [0.0, None, 5.0]}, index=["x", "y", "z"],
        geometry=[clinics.geometry.iloc[0]] * 2 + [Point(80, 40)], crs=4326,
    )])  # fmt: skip
    outcome = analyses.get("floating_catchment").function(people, more, road, "people", "beds", limit_min=31.0)
    assert dict(outcome.dropped.to_numpy()) == {"x": "facility of size 0", "y": "facility of unknown size"}
    # far from every road, the village has the facility at its spot to itself: 5 beds for 50 people
    np.testing.assert_allclose(outcome.layer["access_per_1000"], [1000 / 30, 100, 2000 / 30, 100])
    assert outcome.tables["load"].set_index("facility").loc["z", "demand_people"] == 50
    assert outcome.numbers["people_without"] == 0
    away = more.assign(geometry=[*more.geometry.iloc[:4], Point(81, 40)])
    outcome = analyses.get("floating_catchment").function(people, away, road, "people", "beds", limit_min=31.0)
    assert dict(outcome.dropped.to_numpy()) == {
        "f": "farther from every road than the limit",
        "x": "facility of size 0",
        "y": "facility of unknown size",
        "z": "facility farther from every road than the limit",
    }
    np.testing.assert_allclose(outcome.layer["access_per_1000"].dropna(), [1000 / 30, 100, 2000 / 30])


def test_rational_agents_give_a_cost_in_minutes():
    outcome = run("floating_catchment", places(), cities(), population="population", capacity="beds", method="raam",
                  limit_min=240.0, tau_min=30.0)  # fmt: skip
    people, beds = places()["population"], cities()["beds"]
    found = accessibility.rational_agents(times().within(14_400), people, beds, tau_s=1800)
    np.testing.assert_allclose(outcome.layer["cost_min"], 30 * found.cost, rtol=1e-6)
    assert outcome.layer.loc[outcome.layer["cost_min"].idxmin(), "access_rank"] == 1
    assert (outcome.dropped["reason"] == "no facility within the limit").sum() == 43


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"method": "raam", "decay": "gaussian"}, "method 'raam' has no decay"),
        ({"method": "raam", "half_min": 5.0}, "half_min has no effect with method 'raam'"),
        ({"tau_min": 5.0}, "tau_min has no effect with method '2sfca'"),
        ({"decay": "steps", "half_min": 5.0}, "half_min has no effect with decay 'steps'"),
        ({"zones_min": "10, 20"}, "zones have no effect with decay 'none'"),
        ({"method": "raam", "zones_min": "10, 20"}, "zones have no effect with decay 'none'"),
        ({"decay": "steps", "zones_min": "20, 10"}, "wanted minutes that increase"),
        ({"decay": "steps", "zone_weights": "1, 2, 3"}, "zone_weights must fall"),
        ({"decay": "steps", "zone_weights": "1; 2"}, "zone_weights must be numbers"),
    ],
)
def test_options_without_an_effect_are_refused(options, fault):
    with pytest.raises(InputError, match=fault):
        run("floating_catchment", places(), cities(), population="population", capacity="beds", **options)


@pytest.mark.parametrize("travel", ["to", "from"])
def test_the_table_of_times_is_the_librarys(travel):
    outcome = analyses.get("travel_time_matrix").function(places(), roads(), facilities=cities(), travel=travel, **ON)
    table = outcome.tables["times"]
    ends = ["origin_id", "destination_id"][:: 1 if travel == "to" else -1]
    dense = table.pivot(index=ends[0], columns=ends[1], values="travel_time_min")
    want = times().to_dense().dropna(how="all") / 60  # all roads run both ways
    pd.testing.assert_frame_equal(dense.reindex(want.index, columns=want.columns), want, check_names=False)
    assert outcome.numbers["pairs"] + outcome.numbers["absent"] == len(places()) * len(cities())
    assert set(table[ends[1].replace("id", "name")]) == set(cities()["name_en"])


def test_times_among_settlements_leave_themselves_out_and_keep_to_the_limit():
    people, _, road = line_world()
    outcome = analyses.get("travel_time_matrix").function(people, road, limit_min=31.0)
    table = outcome.tables["times"]
    assert table[["origin_name", "destination_name"]].to_numpy().tolist() == [
        ["West", "Middle"], ["Middle", "West"], ["Middle", "East"], ["East", "Middle"],
    ]  # fmt: skip
    np.testing.assert_allclose(table["travel_time_min"], 30, rtol=1e-3)
    assert outcome.numbers["absent"] == 12 - 4
    assert outcome.layer["reached"].tolist() == [1, 2, 1, 0]
    assert "those within 31\xa0min" in outcome.summary()


def test_a_table_that_would_not_fit_is_refused_with_its_size(monkeypatch):
    monkeypatch.setattr("kazgeo.analyses.reach.MOST_ROWS", 10)
    people, _, road = line_world()
    with pytest.raises(InputError, match="would have 16 rows"):
        analyses.get("travel_time_matrix").function(people, road)
    monkeypatch.setattr("kazgeo.routing.hierarchy.MOST_BYTES", 100)
    with pytest.raises(InputError, match="a matrix of 4 x 4 travel times would take"):
        analyses.get("market_potential").function(people, road, "people")


def test_market_potential_by_hand():
    people, _, road = line_world()
    outcome = analyses.get("market_potential").function(people, road, "people", own_min=15.0, region="zone")
    west, middle = 100 * 4 + 200 * 2 + 100, 200 * 4 + 2 * 100 * 2
    np.testing.assert_allclose(outcome.layer["market_potential"].dropna(), [west, middle, west], rtol=1e-3)
    np.testing.assert_allclose(outcome.layer["own_percent"]["m"], 100 * 800 / middle, rtol=1e-3)
    assert outcome.layer["potential_percent"].max() == 100
    assert outcome.layer["potential_rank"]["m"] == 1
    assert outcome.dropped["unit"].tolist() == ["f"]
    squared = analyses.get("market_potential").function(people, road, "people", exponent=2.0)
    assert "to the power of 2.0" in squared.summary()


@pytest.mark.parametrize("constraint", ["production", "attraction", "total", "double"])
def test_flows_keep_the_sums_that_are_given(constraint):
    outcome = run("gravity_flows", places(), cities(), population="population", mass="beds", constraint=constraint,
                  half_min=120.0, largest=50)  # fmt: skip
    flows, people, beds = outcome.tables["flows"], places()["population"], cities()["beds"]
    sent, got = flows.groupby("origin_id")["flow"].sum(), flows.groupby("destination_id")["flow"].sum()
    if constraint in ("production", "double"):
        np.testing.assert_allclose(sent, people[sent.index], rtol=1e-4)
    if constraint == "attraction":
        np.testing.assert_allclose(got, beds[got.index])
    if constraint == "double":
        np.testing.assert_allclose(got / beds[got.index], people[sent.index].sum() / beds.sum(), rtol=1e-4)
        assert "Masses were multiplied by" in outcome.summary()
    if constraint == "total":
        assert outcome.numbers["total_flow"] == pytest.approx(people.sum())
    assert len(outcome.layer) == 50
    assert outcome.layer["flow"].is_monotonic_increasing
    assert (outcome.layer["travel_time_min"] > 0).all()
    far = flows[flows["travel_time_min"] > 0].head(50)
    assert set(outcome.layer["origin_id"]) == set(far["origin_id"])
    one = outcome.layer.iloc[-1]
    ends = shapely.get_coordinates(one.geometry)
    np.testing.assert_allclose(ends[0], places().geometry[one["origin_id"]].coords[0], atol=1e-9)
    np.testing.assert_allclose(ends[1], cities().geometry[one["destination_id"]].coords[0], atol=1e-9)
    assert outcome.plot().axes


def test_flows_by_hand_and_without_a_line():
    people, clinics, road = line_world()
    call = functools.partial(analyses.get("gravity_flows").function, people, clinics, road, "people", mass="beds")
    outcome = call(decay="linear", half_min=30.0)
    flows = outcome.tables["flows"].set_index(["origin_id", "destination_id"])["flow"]
    assert flows["m", "r"] == pytest.approx(2 * flows["m", "l"], rel=1e-3)
    assert flows["w", "l"] == pytest.approx(100, rel=2e-3)
    assert outcome.tables["destinations"]["facility"].tolist() == ["r", "l"]
    assert call(decay="linear", half_min=30.0, limit_min=1.0).layer is None
    assert outcome.numbers["unreached"] == 1
    with pytest.raises(InputError, match="no flow"):
        analyses.get("gravity_flows").function(people.loc[["f"]], clinics, road, "people")


def unequal():
    units = places().iloc[:40].copy()
    units["jobs"] = np.arange(40.0)
    units["income"] = np.arange(40.0)[::-1]
    return units.drop(columns="population").assign(people=10.0 + np.arange(40) % 7)


def test_inequality_is_that_of_disparity():
    units = unequal()
    outcome = analyses.get("access_inequality").function(
        units, "jobs", "people", line=20.0, income="income", group="region"
    )
    x, people = units["jobs"], units["people"]
    found = outcome.tables["measures"].set_index("measure")["value"]
    assert found["gini"] == disparity.gini(x, people)
    assert found["theil"] == disparity.theil(x, people, zeros="limit")
    assert found["theil_between"] + found["theil_within"] == pytest.approx(found["theil"])
    assert found["palma_income"] == disparity.palma_ratio(x, units["income"], people)
    assert found["concentration_index"] == disparity.concentration_index(x, units["income"], people) < 0
    poor = disparity.foster_greer_thorbecke(x, people, line=20)
    assert found[["fgt0", "fgt1", "fgt2"]].tolist() == [poor.fgt0, poor.fgt1, poor.fgt2]
    groups = outcome.tables["groups"].set_index("group")
    share = groups["poor_percent"] @ groups["population_percent"] / 100
    assert share == pytest.approx(100 * poor.fgt0)
    assert outcome.layer["access_poverty"].tolist()[:6] == ["short-more"] * 6
    assert outcome.layer["access_poverty"].iloc[[10, 15, 20]].tolist() == ["short-half", "short-quarter", "enough"]
    assert "the higher the income, the lower the figure" in outcome.summary()


def test_less_is_better_for_times():
    units = unequal()
    outcome = analyses.get("access_inequality").function(units, "jobs", "people", better="less", line=20.0)
    poor = disparity.foster_greer_thorbecke(units["jobs"], units["people"], line=20, poor="above")
    assert outcome.numbers["poor_percent"] == pytest.approx(100 * poor.fgt0)
    assert (outcome.layer.loc[units["jobs"] <= 20, "access_poverty"] == "enough").all()
    some = units.assign(jobs=units["jobs"].where(units["jobs"] < 30))
    lost = analyses.get("access_inequality").function(some, "jobs", "people", better="less")
    assert "People without a figure of access, and so not in any measure: 130, in 10 units." in lost.summary()
    assert lost.style.column == "to_mean_percent"
    assert lost.summary().startswith("Time or cost of the way is")
    assert "The tenth worst off has" in lost.summary()
    assert outcome.style.classes[3].label == "exceeded by more than a half"


def test_the_area_under_the_lorenz_curve_is_the_gini():
    units = unequal()
    outcome = analyses.get("access_inequality").function(units, "jobs", "people", income="income")
    curves = outcome.charts[0].data / 100
    area = {name: np.trapezoid(curves[name], curves.index / 100) for name in curves}
    assert 1 - 2 * area["lorenz"] == pytest.approx(outcome.numbers["gini"], abs=2e-3)
    index = outcome.tables["measures"].set_index("measure").at["concentration_index", "value"]
    assert 1 - 2 * area["concentration"] == pytest.approx(index, abs=2e-3)
    assert area["equality"] == pytest.approx(0.5)
