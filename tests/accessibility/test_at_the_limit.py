"""What lies exactly at a limit lies within it, whichever engine is asked; ids and far-off sums decide nothing else."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from kazgeo.accessibility import (
    SpeedSpread,
    balancing_time,
    closest,
    cumulative,
    decay,
    k_nearest,
    nearest,
    reachable_from_nodes,
    share_within,
    travel_time_uncertainty,
    travel_times,
)
from kazgeo.network import attach, from_edges
from kazgeo.ties import in_minutes, rounded, upto


def road(lengths_km, kmh):
    """A chain of edges with a place at every node."""
    n = len(lengths_km) + 1
    nodes = pd.DataFrame({"lon": 70 + 0.1 * np.arange(n), "lat": 50.0})
    edges = pd.DataFrame({"from_id": range(n - 1), "to_id": range(1, n), "length_km": lengths_km})
    at = gpd.GeoDataFrame(geometry=gpd.points_from_xy(nodes["lon"], nodes["lat"]), crs=4326)
    return attach(from_edges(edges, nodes, speed_kmh=kmh), at)


@pytest.mark.parametrize("kmh", [20, 30, 35, 45, 50, 55, 65, 70, 80, 90, 95, 110, 120])
@pytest.mark.parametrize("pieces", [1, 2, 3, 5, 6, 7, 10])
def test_half_an_hour_of_road_is_within_half_an_hour(kmh, pieces):
    tied = road([kmh / 2 / pieces] * pieces, float(kmh))
    end, half = pieces, 1800.0
    goal = tied.take(pd.Index([0]))
    assert nearest(tied, pd.Index([0])).time_s[end] == half
    assert k_nearest(tied, goal, 1).times.set_index("origin")["time_s"][end] == half
    assert travel_times(tied, goal).to_dense().loc[end, 0] == half
    near = travel_times(tied, goal, limit_s=half)
    assert near.n_pairs == pieces + 1
    assert cumulative(near, pd.Series({0: 10.0}), thresholds_s=[half]).reached.loc[end].tolist() == [10.0]
    assert reachable_from_nodes(goal, pd.Series({0: 10.0}), [half]).loc[end].tolist() == [10.0]
    assert travel_times(tied, goal, limit_s=half - 0.001).n_pairs == pieces


@pytest.mark.parametrize("minutes", [0.07, 4.1, 5.01, 8.2, 12.36, 16.4, 32.3, 64.1, 8.21])
def test_limits_in_fractions_of_a_minute(minutes):
    """60 x 8.2 is 491.99999999999994: the limit is at fault then, not the time."""
    tied = road([minutes / 2] * 2, 60.0)  # a kilometre a minute
    goal, limit = tied.take(pd.Index([0])), 60 * minutes
    every = travel_times(tied, goal)
    assert every.within(limit).n_pairs == 3
    near = travel_times(tied, goal, limit_s=limit)
    assert near.n_pairs == 3
    ten = pd.Series({0: 10.0})
    assert cumulative(near, ten, thresholds_s=[limit]).reached.loc[2].tolist() == [10.0]
    assert cumulative(every, ten, thresholds_s=[limit / 3, limit]).reached.loc[2].tolist() == [0.0, 10.0]
    assert reachable_from_nodes(goal, ten, [limit]).loc[2].tolist() == [10.0]
    for function in (decay.Binary(limit), decay.Stepped((limit,), (1.0,)), decay.Within(decay.Power(1.0), limit)):
        assert decay.weigh(every, function)[2] > 0
    left = decay.Stepped((limit,), (1.0,), closed="left")
    assert decay.weigh(every, left)[2] == 0
    people = pd.Series(1.0, tied.ids)
    time_s = nearest(tied, pd.Index([0])).time_s
    assert share_within(time_s, people, thresholds_s=limit).table["share"].tolist() == [1.0]
    assert in_minutes(time_s)[2] == minutes
    sure = travel_time_uncertainty(tied, pd.Index([0]), spread=SpeedSpread(0.0, 0.0, 0.0), thresholds_s=[limit],
                                   draws=2, rng=1)  # fmt: skip
    assert sure.within.loc[2].tolist() == [1.0]


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_engines_agree_at_every_time_they_report(seed):
    rng = np.random.default_rng(seed)
    tied = road(rng.random(11) * 9 + 1, 55.0)
    every = travel_times(tied, tied)
    for limit in np.unique(every.time_s):
        pd.testing.assert_frame_equal(
            travel_times(tied, tied, limit_s=float(limit)).to_long(), every.within(float(limit)).to_long(), rtol=1e-11
        )


@given(*2 * [st.just(0.0) | st.floats(1e-200, 1e9)])
def test_rounding_keeps_order_and_twelve_digits(a, b):
    low, high = rounded(sorted([a, b]))
    assert low <= high
    assert rounded(a) == pytest.approx(a, rel=1e-12, abs=0)
    assert rounded(rounded(a)) == rounded(a)
    assert upto(a) >= a


def test_a_running_sum_knows_no_other_origin():
    """20 million people elsewhere don't decide whether two opportunities are enough for three people."""
    n = 20_000
    both = pd.DataFrame({"near": np.full(n, 600.0), "far": np.full(n, 7200.0)})
    found = balancing_time(both, pd.Series(3.0, both.index), pd.Series({"near": 2.0, "far": 20e6})).time_s
    assert found.unique().tolist() == [7200.0]
    one = pd.DataFrame({"x": np.where(np.arange(n) % 2 == 0, 600.0, 7200.0)})
    huge = pd.Series({"x": 20e6})
    assert (balancing_time(one, pd.Series(1.0, one.index), huge).time_s == one["x"]).all()
    assert (closest(one, huge, k=1).time_s[1] == one["x"]).all()
    tenths = pd.DataFrame([np.arange(10) * 60.0], columns=[f"d{k}" for k in range(10)])
    assert balancing_time(tenths, pd.Series({0: 1.0}), pd.Series(0.1, tenths.columns)).time_s.tolist() == [540.0]


def test_one_rule_says_which_id_comes_first():
    nodes = pd.DataFrame({"lon": [70.0, 71.0, 72.0], "lat": 50.0}, index=list("abc"))
    edges = pd.DataFrame({"from_id": list("ab"), "to_id": list("bc"), "length_km": 90.0})
    places = gpd.GeoDataFrame(geometry=[shapely.Point(x, 50) for x in (70, 71, 72)], index=[9, 1, 10], crs=4326)
    tied, goals = attach(from_edges(edges, nodes), places), pd.Index([10, 9])
    assert nearest(tied, goals).destination[1] == 9
    assert k_nearest(tied, goals, 1).times.set_index("origin").destination[1] == 9
    assert closest(travel_times(tied, tied.take(goals))).allocation()[1] == 9
