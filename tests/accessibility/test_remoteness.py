"""Remoteness against a recomputation that shares no code, against numbers made by hand, and its laws.

Truth of the form by road distance: the formula and the five classes of ARIA+ (National Centre for Social Applications
of GIS, "About ARIA+", gisca.adelaide.edu.au/products_services/ariav2_about.html; Department of Health, ARIA Review,
Final Report 2011, table 1), worked out on paper for a line of six places. Tolerance: 1e-3 km, what a place that is
tied to the nearest point of a line in floating-point metres may be off.
"""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kazgeo.accessibility import detour_index, nearest, remoteness
from kazgeo.errors import Cancelled, InputError
from kazgeo.network import attach, from_edges

SLOW = [HealthCheck.too_slow]  # a busy machine is no fault of the law
LAWS = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=SLOW)
LIMITS = (100_000, 10_000, 1_000)


@st.composite
def studies(draw):
    """Ten towns along a chain of roads with a gap that may be open, populations of any size or unknown."""
    n = 10
    nodes = pd.DataFrame({"lon": np.linspace(60, 78, n), "lat": 48.0}, index=[f"t{i}" for i in range(n)])
    kept = [i for i in range(n - 1) if draw(st.integers(0, 5)) or i in (0, 8)]
    lengths = draw(st.lists(st.integers(20, 400), min_size=n - 1, max_size=n - 1))
    edges = pd.DataFrame([(f"t{i}", f"t{i + 1}", lengths[i]) for i in kept], columns=["from_id", "to_id", "length_km"])
    sizes = draw(st.lists(st.sampled_from([np.nan, 200.0, 5_000.0, 50_000.0, 500_000.0]), min_size=n, max_size=n))
    sizes[draw(st.sampled_from([0, 1, 8, 9]))] = 500_000.0  # one large centre that lies on a road
    towns = gpd.GeoDataFrame(geometry=gpd.points_from_xy(nodes["lon"], nodes["lat"]), index=nodes.index, crs=4326)
    return nodes, edges, towns, pd.Series(sizes, index=nodes.index)


def by_hand(nodes, edges, people, cap):
    """Times by Floyd and Warshall, then the formula."""
    hours = pd.DataFrame(np.inf, nodes.index, nodes.index)
    for a, b, km in edges.itertuples(index=False):
        hours.loc[a, b] = hours.loc[b, a] = km / 60
    hours = hours.where(~np.eye(len(hours), dtype=bool), 0.0)  # a town off every road reaches itself
    for k in nodes.index:
        hours = np.minimum(hours, hours[[k]].to_numpy() + hours.loc[[k]].to_numpy())
    times = pd.DataFrame({f"{t}": hours.loc[:, people >= t].min(axis=1) for t in LIMITS})
    scored = np.isfinite(times).all(axis=1)
    means = times[scored].mean()
    terms = pd.DataFrame({c: times[c] * 0.0 if means[c] == 0 else np.minimum(cap, times[c] / means[c]) for c in times})
    return terms.sum(axis=1).where(scored), times, means


@LAWS
@given(studies(), st.sampled_from([3.0, 1.5]))
def test_the_score_is_the_formula(study, cap):
    nodes, edges, towns, people = study
    tied = attach(from_edges(edges, nodes, speed_kmh=60), towns)
    found = remoteness(tied, people, thresholds=LIMITS, cap=cap)
    score, times, means = by_hand(nodes, edges, people, cap)
    pd.testing.assert_series_equal(found.score, score, check_names=False, atol=1e-3)
    pd.testing.assert_frame_equal(found.time_s / 3600, times.replace(np.inf, np.nan), atol=1e-6)
    assert (found.means_s / 3600).tolist() == pytest.approx(means.tolist(), abs=1e-6)
    metres = remoteness(tied, people, form="road_distance", thresholds=LIMITS, cap=cap)  # on one line km = 60 h
    pd.testing.assert_series_equal(metres.score, score, check_names=False, atol=1e-3)
    pd.testing.assert_frame_equal(metres.road_m / 60_000, times.replace(np.inf, np.nan), atol=1e-6)
    assert found.centres.tolist() == [int((people >= t).sum()) for t in LIMITS]
    assert found.unknown_population == people.isna().sum()
    assert set(found.dropped["unit"]) == set(score.index[score.isna()])
    assert found.dropped["unit"].is_unique
    known = found.score.dropna()
    assert known.between(0, cap * len(LIMITS)).all()
    assert (known[people >= LIMITS[0]] == 0).all()


@LAWS
@given(studies(), st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(study, shuffler):
    nodes, edges, towns, people = study
    mixed = [list(x.index) for x in (nodes, edges, towns, people)]
    for order in mixed:
        shuffler.shuffle(order)
    plain = remoteness(attach(from_edges(edges, nodes), towns), people, thresholds=LIMITS)
    again = remoteness(
        attach(from_edges(edges.loc[mixed[1]], nodes.loc[mixed[0]]), towns.loc[mixed[2]]),
        people.loc[mixed[3]],
        thresholds=LIMITS,
    )
    pd.testing.assert_series_equal(again.score.loc[towns.index], plain.score, atol=1e-6)
    pd.testing.assert_frame_equal(again.terms.loc[towns.index], plain.terms, atol=1e-6)


def chain():
    nodes = pd.DataFrame({"lon": [70.0, 71, 72], "lat": 50.0}, index=list("abc"))
    edges = pd.DataFrame({"from_id": ["a", "b"], "to_id": ["b", "c"], "length_km": [60.0, 60.0]})
    towns = gpd.GeoDataFrame(geometry=gpd.points_from_xy(nodes["lon"], nodes["lat"]), index=nodes.index, crs=4326)
    return attach(from_edges(edges, nodes, speed_kmh=60), towns)


def test_units_of_time_and_of_people_cancel():
    people = pd.Series([500_000.0, 20_000.0, 10.0], index=list("abc"))
    found = remoteness(chain(), people, thresholds=(100_000, 10_000))
    assert found.score.tolist() == pytest.approx([0, 1, 5], abs=1e-5)  # 0 + 0; 1h/1h + 0; 2h/1h + 1h/(1h/3)
    assert found.terms.loc["c"].tolist() == pytest.approx([2, 3], abs=1e-5)
    fewer = remoteness(chain(), people / 1000, thresholds=(100, 10))
    assert fewer.score.tolist() == found.score.tolist()
    everyone = remoteness(chain(), people.add(1e6), thresholds=(100_000,))
    assert everyone.score.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"thresholds": (10, 20)}, "thresholds must be positive and decrease"),
        ({"thresholds": (10, 10)}, "thresholds must be positive and decrease"),
        ({"thresholds": ()}, "thresholds must be positive and decrease"),
        ({"thresholds": (10, 0)}, "thresholds must be positive and decrease"),
        ({"thresholds": (float("nan"),)}, "thresholds must be positive and decrease"),
        ({"thresholds": (100, float("nan"), 10)}, "thresholds must be positive and decrease"),
        ({"thresholds": (float("inf"), 10)}, "thresholds must be positive and decrease"),
        ({"form": "rode_distance"}, "form 'rode_distance' is not one of the choices; did you mean 'road_distance'"),
        ({"means": (60,)}, "means must be positive minutes, one for each of the 5 thresholds; got"),
        ({"means": (60,), "form": "road_distance"}, "positive kilometres, one for each of the 5 thresholds"),
        ({"thresholds": (10,), "means": (0,)}, "means must be positive minutes"),
        ({"thresholds": (10,), "means": (float("nan"),)}, "means must be positive minutes"),
        ({"thresholds": (10,), "means": (float("inf"),)}, "means must be positive minutes"),
        ({"thresholds": (10,), "means": ()}, "means must be positive minutes"),
        (
            {"population": pd.Series([5e5, -1.0, np.nan], index=list("abc"))},
            "population must be finite and at least 0, NaN where it is unknown; it is not at 'b'$",
        ),
        ({"population": pd.Series([-5.0, -1.0, np.inf], index=list("abc"))}, "it is not at 'a', 'b', 'c'$"),
        ({"cap": 0}, "cap must be positive"),
        ({"thresholds": (1e9,)}, r"no place has 1,000,000,000 inhabitants or more \(1 populations are unknown\)"),
        ({"population": pd.Series([1.0, 2.0], index=["a", "b"])}, "population must be given for exactly the places"),
    ],
)
def test_what_remoteness_refuses(change, says):
    people = pd.Series([500_000.0, 20_000.0, np.nan], index=list("abc"))
    population = change.pop("population", people)
    with pytest.raises(InputError, match=says):
        remoteness(chain(), population, **change)


def roads_of(nodes, pairs, length_km, speed_kmh):
    """Return a network of roads each of which has its own speed."""
    edges = pd.DataFrame([tuple(p) for p in pairs], columns=["from_id", "to_id"])
    return from_edges(edges.assign(length_km=length_km, kmh=speed_kmh), nodes, speed_kmh="kmh")


def line():
    """Six places on one road, A to F, 100, 50, 150, 100 and 100 km apart, each of a smaller class than the last."""
    ids = list("ABCDEF")
    nodes = pd.DataFrame({"lon": np.linspace(66, 76, 6), "lat": 49.0}, index=ids)
    roads = roads_of(nodes, itertools.pairwise(ids), [100.0, 50.0, 150.0, 100.0, 100.0], [90, 20, 60, 110, 5])
    towns = gpd.GeoDataFrame(geometry=gpd.points_from_xy(nodes["lon"], nodes["lat"]), index=ids, crs=4326)
    people = pd.Series([300_000.0, 60_000.0, 20_000.0, 6_000.0, 1_500.0, np.nan], index=ids)
    return attach(roads, towns), people


#: Kilometres to the nearest centre of each class; a centre counts in every class below its own.
BY_HAND_KM = {
    "250000": [0, 100, 150, 300, 400, 500],  # A; mean 1450 / 6
    "48000": [0, 0, 50, 200, 300, 400],  # A, B; mean 950 / 6
    "18000": [0, 0, 0, 150, 250, 350],  # A, B, C; mean 750 / 6
    "5000": [0, 0, 0, 0, 100, 200],  # A to D; mean 300 / 6
    "1000": [0, 0, 0, 0, 0, 100],  # A to E; mean 100 / 6
}


def test_road_distance_by_hand():
    tied, people = line()
    found = remoteness(tied, people, form="road_distance")
    assert list(found.road_m.columns) == list(BY_HAND_KM)
    for name, kilometres in BY_HAND_KM.items():
        assert (found.road_m[name] / 1000).tolist() == pytest.approx(kilometres, abs=1e-3)
    assert (found.means_m / 1000).tolist() == pytest.approx([1450 / 6, 950 / 6, 125, 50, 100 / 6], abs=1e-3)
    assert found.centres.tolist() == [1, 2, 3, 4, 5]
    assert found.unknown_population == 1  # F, which is no centre
    # B: 100 / (1450/6) = 600/1450. C: 900/1450 + 300/950. D: 1800/1450 + 1200/950 + 150/125.
    # E: 2400/1450 + 1800/950 + 250/125 + 100/50.
    # F: 3000/1450 + 2400/950 + 350/125 + min(3, 200/50 = 4) + min(3, 100 / (100/6) = 6).
    assert found.score.tolist() == pytest.approx(
        [0, 600 / 1450, 900 / 1450 + 300 / 950, 1800 / 1450 + 1200 / 950 + 1.2, 2400 / 1450 + 1800 / 950 + 4,
         3000 / 1450 + 2400 / 950 + 2.8 + 3 + 3], abs=1e-4,
    )  # fmt: skip


def test_given_means_by_hand():
    tied, people = line()
    found = remoteness(tied, people, form="road_distance", means=(200, 100, 100, 50, 40))
    assert found.means_m.tolist() == [200_000, 100_000, 100_000, 50_000, 40_000]
    # D: 300/200 + 200/100 + 150/100. E: 400/200 + 300/100 + 250/100 + 100/50.
    # F: 500/200 + min(3, 400/100) + min(3, 350/100) + min(3, 200/50) + 100/40.
    assert found.score.tolist() == pytest.approx([0, 0.5, 0.75 + 0.5, 5, 9.5, 2.5 + 9 + 2.5], abs=1e-4)
    alone = remoteness(tied.take(pd.Index(list("ABCDE"))), people.drop("F"), form="road_distance",
                       means=(200, 100, 100, 50, 40))  # fmt: skip
    pd.testing.assert_series_equal(alone.score, found.score.drop("F"))  # the others' scores don't hang on F
    minutes = remoteness(chain(), pd.Series([1e6, 1.0, 1.0], index=list("abc")), thresholds=(1000,), means=(40,))
    assert minutes.score.tolist() == pytest.approx([0, 60 / 40, 120 / 40], abs=1e-5)
    assert minutes.means_s.tolist() == [2400]


def test_a_score_is_at_most_three_a_class():
    tied, people = line()
    assert remoteness(tied, people, form="road_distance", means=[1e-3] * 5).score["F"] == 15


def test_road_distance_takes_the_shortest_way_whatever_its_speed():
    # From b to the city a: 100 km at 10 km/h, or 80 + 80 km by c at 100 km/h.
    nodes = pd.DataFrame({"lon": [70.0, 71, 70.5], "lat": [50.0, 50, 50.4]}, index=list("abc"))
    towns = gpd.GeoDataFrame(geometry=gpd.points_from_xy(nodes["lon"], nodes["lat"]), index=nodes.index, crs=4326)
    tied = attach(roads_of(nodes, ["ab", "bc", "ca"], [100.0, 80.0, 80.0], [10, 100, 100]), towns)
    people = pd.Series([300_000.0, 10.0, 10.0], index=nodes.index)
    given = {"thresholds": (250_000,)}
    by_road = remoteness(tied, people, form="road_distance", **given)
    assert (by_road.road_m["250000"] / 1000).tolist() == pytest.approx([0, 100, 80], abs=1e-3)
    assert by_road.score.tolist() == pytest.approx([0, 100 / 60, 80 / 60], abs=1e-4)
    by_time = remoteness(tied, people, **given)
    assert (by_time.time_s["250000"] / 60).tolist() == pytest.approx([0, 96, 48], abs=1e-3)


def test_the_leg_off_the_road_counts_in_metres():
    tied, _ = line()
    off = gpd.GeoDataFrame(geometry=gpd.points_from_xy([66.0, 67.0], [49.0, 49.1]), index=["A", "off"], crs=4326)
    tied = attach(tied.network, off)
    found = remoteness(tied, pd.Series([3e5, 10.0], index=off.index), form="road_distance", thresholds=(250_000,))
    # A tenth of a degree and the detour; a straight line of 146 km bows by half a kilometre against the parallel.
    assert tied.leg_m["off"] == pytest.approx(1.3 * 11_100, rel=0.06)
    assert tied.share["off"] == pytest.approx(0.5, abs=1e-3)  # of the 100 km from A to B
    assert found.road_m.loc["off", "250000"] == pytest.approx(
        100_000 * tied.share["off"] + tied.leg_m["off"] + tied.leg_m["A"], rel=1e-9
    )


def test_a_result_has_the_units_of_its_form_only():
    tied, people = line()
    by_road = remoteness(tied, people, form="road_distance")
    by_time = remoteness(tied, people, thresholds=(250_000,))
    for found, names in ((by_road, ("time_s", "means_s")), (by_time, ("road_m", "means_m"))):
        for name in names:
            with pytest.raises(AttributeError, match=f"has no {name}"):
                getattr(found, name)


def test_time_has_five_classes_of_its_own():
    tied, people = line()
    found = remoteness(tied, people.replace(60_000, 200_000))
    assert list(found.time_s.columns) == ["250000", "100000", "50000", "10000", "5000"]


def test_it_reports_and_can_be_cancelled():
    people = pd.Series([500_000.0, 20_000.0, 10.0], index=list("abc"))
    told = []
    remoteness(chain(), people, thresholds=(100_000, 10_000), progress=lambda f, m: told.append((f, m)))
    assert told == [(0.0, "centres of 100,000 and more"), (0.5, "centres of 10,000 and more")]

    def stop(fraction, message):
        raise Cancelled(message)

    with pytest.raises(Cancelled):
        remoteness(chain(), people, thresholds=(100_000,), progress=stop)


def test_remoteness_of_the_embedded_settlements(kazakhstan):
    places = pd.read_csv(kazakhstan / "settlements.csv", index_col="id")
    layer = gpd.GeoDataFrame(places, geometry=gpd.points_from_xy(places["lon"], places["lat"]), crs=4326)
    nodes = pd.read_csv(kazakhstan / "road_nodes.csv", index_col="id")
    tied = attach(
        from_edges(pd.read_csv(kazakhstan / "roads.csv"), nodes, speed_kmh={"international": 90.0, "republican": 80.0}),
        layer,
    )
    found = remoteness(tied, places["population"])
    scored = found.score.notna()
    assert scored.sum() == tied.tied.sum()
    assert len(found.dropped) == (~scored).sum()
    assert set(found.dropped["reason"]) == {"farther from every road than the limit"}
    largest = places["population"] >= 250_000
    assert (found.score[largest & scored] == 0).all()
    one = nearest(tied, places.index[largest])
    pd.testing.assert_series_equal(one.time_s, found.time_s["250000"], check_names=False)
    assert found.terms[scored].mean().max() <= 1  # every term is a time over its own mean, cut at the cap
    aria = remoteness(tied, places["population"], form="road_distance")
    assert aria.score.dropna().between(0, 15).all()
    assert aria.score.notna().equals(scored)
    for limit, column in aria.road_m.items():
        shortest = detour_index(tied, layer, places.index[places["population"] >= float(limit)]).table["road_m"]
        pd.testing.assert_series_equal(column, shortest, check_names=False)
