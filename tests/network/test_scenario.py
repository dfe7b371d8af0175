"""Scenarios: data that price the same roads anew; the topology never changes."""

from __future__ import annotations

import tomllib

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from kazgeo.errors import InputError
from kazgeo.network import Change, Scenario, Ways, apply, attach, contract, effects, from_edges, with_candidates
from kazgeo.network.seasons import ICE_ROAD, PASSES_CLOSED, SEASONS, SPRING_THAW, WINTER

NODES = pd.DataFrame({"lon": 70 + np.arange(5) / 10, "lat": 50.0}, index=list("abcde"))
EDGES = pd.DataFrame(
    {
        "from_id": list("abcd"), "to_id": list("bcde"), "length_km": [10.0] * 4,
        "class": ["trunk", "track", "tertiary", "track"], "surface": ["asphalt", "earth", "gravel", None],
        "one": ["no", "no", "yes", "no"], "seasonal": [None, "winter", "summer", None],
    },
    index=["r1", "r2", "r3", "r4"],
)  # fmt: skip


def base(**options):
    ways = Ways(one_way="one", keep=("seasonal",), **options)
    return from_edges(EDGES, NODES, speed_kmh=60, ways=ways)


def does(*changes, network=None):
    return apply(base() if network is None else network, Scenario("s", changes))


def minutes(network):
    return [[round(float(t) / 60, 6) for t in times] for times in (network.time_s, network.backwards_s)]


INF = np.inf


@pytest.mark.parametrize(
    ("change", "there", "back"),
    [
        (Change(), [10, 10, 10, 10], [10, 10, INF, 10]),
        (Change(speed_factor=0.5), [20, 20, 20, 20], [20, 20, INF, 20]),
        (Change(classes=("track",), speed_factor=2), [10, 5, 10, 5], [10, 5, INF, 5]),
        (Change(classes=("track",), surfaces=("earth",), speed_factor=0.5), [10, 20, 10, 10], [10, 20, INF, 10]),
        (Change(surfaces=("",), speed_factor=0.5), [10, 10, 10, 20], [10, 10, INF, 20]),
        (Change(classes=("tertiary", "trunk"), state="closed"), [INF, 10, INF, 10], [INF, 10, INF, 10]),
        (Change(roads=("r1", "r3"), speed_kmh=120), [5, 10, 5, 10], [5, 10, INF, 10]),
        (Change(seasonal=("summer",), state="closed"), [10, 10, INF, 10], [10, 10, INF, 10]),
        (Change(roads=("r3",), delay_s=90), [10, 10, 11.5, 10], [10, 10, INF, 10]),
        (Change(area="POLYGON ((69.9 49.9, 70.05 49.9, 70.05 50.1, 69.9 49.9))", state="closed"),
         [INF, 10, 10, 10], [INF, 10, INF, 10]),
        (Change(area="POLYGON ((60 49.9, 61 49.9, 60.5 50.1, 60 49.9))", state="closed"),
         [10, 10, 10, 10], [10, 10, INF, 10]),
        (Change(state="open"), [10, 10, 10, 10], [10, 10, INF, 10]),
    ],
)  # fmt: skip
def test_what_a_change_does(change, there, back):
    network = base()
    network.topology.prepared["hierarchy"] = {"order": np.arange(3)}
    changed = does(change, network=network)
    assert minutes(changed) == [there, back]
    assert changed.topology is network.topology
    assert changed.topology.prepared is network.topology.prepared
    assert minutes(network) == [[10] * 4, [10, 10, INF, 10]]  # what was there is as it was


def test_changes_follow_one_another():
    mud = Change(surfaces=("earth",), speed_factor=0.5)
    paved = Change(roads=("r2",), surface="asphalt", speed_kmh=100)
    assert minutes(does(paved, mud))[0][1] == 6  # asphalt does not soften
    assert minutes(does(mud, paved))[0][1] == 6
    assert minutes(does(mud, mud))[0][1] == 40
    assert does(paved).roads["surface"].tolist()[:3] == ["asphalt", "asphalt", "gravel"]
    assert does(paved).roads["surface"].isna().tolist() == [False, False, False, True]


def test_what_is_closed_can_be_opened_at_the_speed_of_the_season():
    shut, slow, open_ = Change(roads=("r2",), state="closed"), Change(speed_factor=0.5), Change(state="open")
    for order in ((shut, slow, open_), (slow, shut, open_), (shut, open_, slow)):
        assert minutes(does(*order))[0] == [20] * 4
    twice = apply(does(shut, slow), Scenario("later", (open_,)))
    assert minutes(twice) == [[20] * 4, [20, 20, INF, 20]]


def test_one_scenario_upon_another_is_both_in_order():
    one = Scenario("one", (Change(speed_factor=0.5), Change(roads=("r1",), delay_s=60)))
    two = Scenario("two", (Change(classes=("track",), speed_kmh=100), Change(surfaces=("earth",), surface="ice")))
    upon, both = apply(apply(base(junction_s=8), one), two), apply(base(junction_s=8), one + two)
    assert minutes(upon) == minutes(both)
    assert upon.roads.astype(object).equals(both.roads.astype(object))
    assert (one + two).name == "one + two"


def test_junctions_keep_their_seconds():
    edges = pd.concat([EDGES, EDGES.iloc[[0]].assign(from_id="b", to_id="e").set_axis(["r5"])])
    network = from_edges(edges, NODES, speed_kmh=60, ways=Ways(junction_s=30))
    slow = apply(network, Scenario("slow", (Change(speed_factor=0.5),)))
    assert slow.time_s.tolist() == pytest.approx([1230, 1200, 1200, 1200, 1200])
    assert slow.backwards_s.tolist() == pytest.approx([1200, 1230, 1200, 1200, 1230])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.floats(0.05, 20), min_size=1, max_size=6))
def test_factors_multiply(factors):
    network = does(*(Change(speed_factor=f) for f in factors))
    np.testing.assert_allclose(network.time_s, 600 / np.prod(factors), rtol=1e-9)


def test_effects_tell_what_is_meant():
    found = effects(base(), Scenario("s", (Change(classes=("trak",)), Change(state="closed"), Change(state="open"))))
    assert found.to_numpy().tolist() == [[1, 0, 0, 0, 0], [2, 4, 40, 0, 7], [3, 4, 40, 7, 0]]


def test_places_stay_tied():
    network = base()
    places = gpd.GeoDataFrame(geometry=[shapely.Point(70.15, 50)], index=["p"], crs=4326)
    tied = attach(network, places)
    moved = tied.on(does(Change(speed_factor=0.5), network=network))
    assert moved.leaving().offset_s[0].tolist() == pytest.approx([2 * s for s in tied.leaving().offset_s[0]], rel=1e-3)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Change(speed_factor=0), "speed_factor must be a positive number; got 0; to close roads write"),
        (lambda: Change(speed_factor=float("nan")), "speed_factor must be a positive number; got nan"),
        (lambda: Change(speed_kmh=-5), "speed_kmh must be a positive number; got -5"),
        (lambda: Change(delay_s=-1), "delay_s must be seconds, 0 or more; got -1"),
        (lambda: Change(classes="track"), "classes must be a list; got 'track'"),
        (lambda: Change(state="shut"), "state 'shut' is not one of the choices"),
        (lambda: Change(area="POINT (1 2)"), "area must be a polygon as well-known text; got Point"),
        (lambda: Change(area="hello"), "area must be a polygon as well-known text; got 'hello'"),
        (
            lambda: does(Change(roads=("r9", "r1", "r8"), state="closed")),
            "change 1: the network has no road_id 'r9', 'r8'",
        ),
        (lambda: does(Change(roads=("r1",)), network=plain()), "has no road_id 'r1'; its roads have no ids"),
        (lambda: Scenario.from_dict({"changes": []}), "a scenario must have a name; got None"),
        (lambda: Scenario.from_dict({"name": "x", "change": []}), "'change' is unknown; did you mean 'changes'"),
        (lambda: Scenario.from_dict({"name": "x", "changes": [3]}), "changes must be a list of tables"),
        (
            lambda: Scenario.from_dict({"name": "x", "changes": [{"delay_s": -1}]}),
            "scenario 'x', change 1: delay_s must",
        ),
    ],
)
def test_what_is_refused(make, says):
    with pytest.raises(InputError, match=says):
        make()


def plain():
    import dataclasses

    return dataclasses.replace(base(), roads=None)


def test_a_network_of_which_nothing_is_known():
    slow = does(Change(speed_factor=0.5), network=plain())
    assert slow.roads is None
    assert minutes(slow)[0] == [20] * 4
    assert minutes(does(Change(surfaces=("",), surface="ice"), network=plain()))[0] == [10] * 4


changes = st.builds(
    Change,
    classes=st.lists(st.sampled_from(["track", "trunk"]), max_size=2).map(tuple),
    surfaces=st.lists(st.sampled_from(["", "mud"]), max_size=2).map(tuple),
    roads=st.lists(st.integers(0, 9) | st.sampled_from(["r1"]), max_size=2).map(tuple),
    area=st.none() | st.just("POLYGON ((0 0, 1 0, 1 1, 0 0))"),
    state=st.sampled_from([None, "open", "closed"]),
    speed_factor=st.floats(0.1, 3),
    speed_kmh=st.none() | st.floats(1, 150),
    surface=st.none() | st.just("asphalt"),
    delay_s=st.floats(0, 900),
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(changes, max_size=4))
def test_a_scenario_is_data(made):
    import json

    scenario = Scenario("any", tuple(made), "somewhere")
    assert Scenario.from_dict(json.loads(json.dumps(scenario.to_dict()))) == scenario


def test_a_table_of_a_project_file():
    text = """
    [scenarios.thaw]
    name = "thaw"
    source = "assumption"
    [[scenarios.thaw.changes]]
    surfaces = ["earth", ""]
    speed_factor = 0.4
    [[scenarios.thaw.changes]]
    roads = ["r1"]
    state = "closed"
    """
    scenario = Scenario.from_dict(tomllib.loads(text)["scenarios"]["thaw"])
    assert scenario.changes == (Change(surfaces=("earth", ""), speed_factor=0.4), Change(roads=("r1",), state="closed"))
    assert minutes(apply(base(), scenario))[0] == [INF, 25, 10, 25]


# ---- ready scenarios -----------------------------------------------------------------------------------------------


def test_ready_scenarios_say_where_they_come_from():
    assert set(SEASONS) == {"winter", "spring_thaw", "passes_closed", "ice_road"}
    assert all("assumption" in s.source or "OpenStreetMap" in s.source for s in SEASONS.values())
    assert all(Scenario.from_dict(s.to_dict()) == s for s in SEASONS.values())


def test_ready_scenarios_on_roads():
    network = base()
    assert minutes(apply(network, WINTER))[0] == pytest.approx([10 / 0.87, 10 / 0.65, 10 / 0.65, 10 / 0.65], abs=1e-5)
    assert minutes(apply(network, SPRING_THAW))[0] == pytest.approx([10, 25, 10 / 0.7, 20], abs=1e-5)
    assert np.isinf(apply(network, PASSES_CLOSED).time_s).tolist() == [False, False, True, False]


def test_an_ice_road_opens():
    network = base()
    shut = np.where(network.roads["seasonal"] == "winter", INF, network.time_s)
    opened = network.roads.assign(open_s=network.time_s, open_back_s=network.backwards_s)
    import dataclasses

    summer = dataclasses.replace(network.with_times(shut, shut), roads=opened)
    assert summer.n_components == 2
    shut = Scenario("shut", (Change(roads=("r1",), state="closed"), Change(speed_factor=0.5)))
    assert minutes(apply(summer, shut))[0] == [INF, INF, 20, 20]  # what was closed stays closed
    assert apply(summer, ICE_ROAD).n_components == 1
    assert minutes(apply(summer, WINTER + ICE_ROAD))[0][1] == pytest.approx(10 / 0.65, abs=1e-5)


def test_scenarios_on_contracted_roads():
    network = base()
    slow = Scenario("slow", (Change(surfaces=("earth",), speed_factor=0.5),))
    one, two = apply(contract(network), slow), contract(apply(network, slow))
    assert one.time_s.tolist() == pytest.approx(two.time_s.tolist())


# ---- added roads ---------------------------------------------------------------------------------------------------


def lines(**where):
    return gpd.GeoDataFrame(geometry=[shapely.LineString(w) for w in where.values()], index=list(where), crs=4326)


def test_added_roads_are_closed_until_opened():
    network = base(junction_s=0)
    short = lines(bypass=[(70.0, 50.0), (70.2, 50.05), (70.4, 50.0)], far=[(71, 51), (71.1, 51)])
    union = with_candidates(network, short, speed_kmh=120)
    assert union.nodes.tolist()[:5] == list("abcde")
    assert union.nodes.tolist()[5:] == ["new:1", "new:2"]
    assert np.isinf(union.time_s).tolist() == [False] * 4 + [True] * 2
    assert union.roads["candidate"].tolist() == [False] * 4 + [True] * 2
    built = apply(union, Scenario("built", (Change(roads=("bypass",), state="open"),)))
    assert built.topology is union.topology
    assert built.matrix[0, 4] == pytest.approx(union.length_m[4] / (120 / 3.6))
    assert minutes(apply(union, WINTER))[0][:4] == minutes(apply(network, WINTER))[0]


def test_an_added_road_joins_the_middle_of_a_road():
    network = base()
    union = with_candidates(
        network, lines(spur=[(70.125, 50.0001), (70.125, 50.3)], spur2=[(70.175, 50), (70.175, 50.2)])
    )
    assert union.m == 4 + 2 + 2
    cut = union.roads["road_id"] == "r2"
    assert union.length_m[cut].sum() == pytest.approx(10_000)
    assert union.length_m[cut].tolist() == pytest.approx([2500, 5000, 2500], rel=1e-3)
    assert union.time_s[cut].sum() == pytest.approx(600)
    ends = [(s.coords[0], s.coords[-1]) for s in union.lines()]
    for (first, last), i, j in zip(ends, union.start, union.end, strict=True):
        assert first == pytest.approx((union.lon[i], union.lat[i]), abs=2e-6)
        assert last == pytest.approx((union.lon[j], union.lat[j]), abs=2e-6)
    opened = apply(union, Scenario("all", (Change(state="open"),)))
    assert opened.n_components == 1
    assert union.components[union.n - 1] != 0


def test_waits_go_to_the_right_piece():
    edges = pd.concat([EDGES, EDGES.iloc[[0]].assign(from_id="b", to_id="e").set_axis(["r5"])])
    network = from_edges(edges, NODES, speed_kmh=60, ways=Ways(junction_s=30))
    union = with_candidates(network, lines(spur=[(70.05, 50), (70.05, 50.2)]))
    cut = union.roads["road_id"] == "r1"
    assert union.time_s[cut].tolist() == pytest.approx([300, 330], rel=1e-3)
    assert union.backwards_s[cut].tolist() == pytest.approx([300, 300], rel=1e-3)


def test_two_added_roads_meet_on_a_road_and_each_other():
    union = with_candidates(
        base(), lines(x=[(70.15, 50), (70.15, 50.2)], y=[(70.15, 50.2), (70.3, 50.3)], z=[(70.15, 50), (70.15, 49.8)])
    )
    opened = apply(union, Scenario("all", (Change(state="open"),)))
    assert opened.n_components == 1
    assert union.n == 5 + 1 + 3


def test_added_roads_that_are_refused():
    with pytest.raises(InputError, match="lines have ids that roads have already: 'r1'"):
        with_candidates(base(), lines(r1=[(70, 50), (70, 51)]))
    with pytest.raises(InputError, match="declares no CRS"):
        with_candidates(base(), lines(x=[(70, 50), (70, 51)]).set_crs(None, allow_override=True))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(st.floats(69.95, 70.45), st.floats(49.95, 50.05), st.floats(69.95, 70.45), st.floats(50.06, 50.2)),
        min_size=1, max_size=5,
    ),
    st.floats(1, 4000),
)  # fmt: skip
def test_added_roads_that_are_closed_change_nothing(ends, snap):
    from scipy.sparse.csgraph import dijkstra

    network = base()
    union = with_candidates(network, lines(**{f"x{k}": [e[:2], e[2:]] for k, e in enumerate(ends)}), snap_m=snap)
    at = union.nodes.get_indexer(network.nodes)
    np.testing.assert_allclose(dijkstra(union.matrix)[np.ix_(at, at)], dijkstra(network.matrix), rtol=1e-9)
    old = ~union.roads["candidate"].to_numpy()
    assert union.length_m[old].sum() == pytest.approx(network.length_m.sum())
    built = apply(union, Scenario("built", (Change(state="open"),)))
    assert (dijkstra(built.matrix)[np.ix_(at, at)] <= dijkstra(network.matrix) + 1e-6).all()
    assert np.isfinite(built.time_s).all()
