"""Remoteness against a recomputation that shares no code, and its laws."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kazgeo.accessibility import nearest, remoteness
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
        hours.loc[a, a] = hours.loc[b, b] = 0.0  # a town off every road reaches nothing, not even itself
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
    found = remoteness(attach(from_edges(edges, nodes, speed_kmh=60), towns), people, thresholds=LIMITS, cap=cap)
    score, times, means = by_hand(nodes, edges, people, cap)
    pd.testing.assert_series_equal(found.score, score, check_names=False, atol=1e-3)
    pd.testing.assert_frame_equal(found.time_s / 3600, times.replace(np.inf, np.nan), atol=1e-6)
    assert (found.means_s / 3600).tolist() == pytest.approx(means.tolist(), abs=1e-6)
    assert found.centres.tolist() == [int((people >= t).sum()) for t in LIMITS]
    assert found.unknown_population == people.isna().sum()
    assert set(found.dropped["unit"]) == set(score.index[score.isna()])
    assert found.dropped["unit"].is_unique
    known = found.score.dropna()
    assert known.between(0, cap * len(LIMITS)).all()
    assert (found.score[people >= LIMITS[0]] == 0).all()


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
