"""Travel times under drawn speeds: the analytic law of one road, nothing drawn, order of rows, threads."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from statistics import NormalDist

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from kazgeo.accessibility import SpeedSpread, nearest, travel_time_uncertainty
from kazgeo.errors import InputError
from kazgeo.network import Access, Ways, attach, from_edges
from kazgeo.parallel import Here

NONE = SpeedSpread(common=0, classes=0, roads=0, off_road=0)
HOUR = 3600.0


def chain(n, classes=None, junction_s=0.0):
    """Places at the nodes of a road of stretches of an hour each."""
    ids = [f"p{k:02d}" for k in range(n + 1)]
    nodes = pd.DataFrame({"lon": 60 + np.arange(n + 1) / 2, "lat": 50.0}, index=ids)
    edges = pd.DataFrame({"from_id": ids[:-1], "to_id": ids[1:], "length_km": 60.0, "class": classes or ["a"] * n})
    net = from_edges(edges, nodes, speed_kmh=60, ways=Ways(junction_s=junction_s))
    towns = gpd.GeoDataFrame(geometry=gpd.points_from_xy(nodes["lon"], nodes["lat"]), index=ids, crs=4326)
    return attach(net, towns, Access()), pd.Index(ids[:1])


def spread_of(found, place):
    """Standard deviation of the logarithm that an interval of 90 % tells."""
    low, high = found.times.loc[place, ["low_s", "high_s"]]
    return math.log(high / low) / (2 * NormalDist().inv_cdf(0.95))


@pytest.mark.slow
@pytest.mark.parametrize("part", ["common", "classes", "roads"])
def test_one_road_has_the_quantiles_of_its_lognormal_law(part):
    tied, goal = chain(1)
    spread = SpeedSpread(**({"common": 0, "classes": 0, "roads": 0, "off_road": 0} | {part: 0.25}))
    found = travel_time_uncertainty(tied, goal, spread=spread, thresholds_s=[3000, HOUR, 4500], draws=4000, rng=1)
    law = NormalDist(0, 0.25)
    # the standard error of a quantile q of n draws: sqrt(q (1 - q) / n) / density, here at most 2 %
    for column, q in (("low_s", 0.05), ("median_s", 0.5), ("high_s", 0.95)):
        assert found.times.loc["p01", column] == pytest.approx(HOUR * math.exp(law.inv_cdf(q)), rel=0.04), column
    for limit in (3000, HOUR, 4500):
        expected = law.cdf(math.log(limit / HOUR))
        assert found.within.loc["p01", limit] == pytest.approx(expected, abs=4 * math.sqrt(0.25 / 4000))


@pytest.mark.slow
def test_variances_of_independent_parts_add():
    tied, goal = chain(1)
    found = travel_time_uncertainty(tied, goal, spread=SpeedSpread(0.15, 0.2, 0.1), draws=4000, rng=2)
    assert spread_of(found, "p01") == pytest.approx(math.sqrt(0.15**2 + 0.2**2 + 0.1**2), rel=0.06)


@pytest.mark.slow
def test_shared_errors_stay_along_a_route_and_own_ones_cancel():
    tied, goal = chain(25)
    shared, own = (
        travel_time_uncertainty(tied, goal, spread=s, draws=1500, rng=3)
        for s in (SpeedSpread(0.2, 0, 0, 0), SpeedSpread(0, 0, 0.2, 0))
    )
    assert spread_of(shared, "p25") == pytest.approx(0.2, rel=0.1)
    assert spread_of(own, "p25") == pytest.approx(0.2 / math.sqrt(25), rel=0.1)


@pytest.mark.slow
def test_classes_have_their_own_spread():
    tied, goal = chain(2, ["sure", "unsure"])
    found = travel_time_uncertainty(tied, goal, spread=SpeedSpread(0, {"unsure": 0.3}, 0, 0), draws=2000, rng=4)
    assert found.times.loc["p01", ["low_s", "high_s"]].tolist() == pytest.approx([HOUR, HOUR])
    low = found.times.loc["p02", "low_s"]
    assert low == pytest.approx(HOUR + HOUR * math.exp(0.3 * NormalDist().inv_cdf(0.05)), rel=0.03)


def test_nothing_drawn_is_the_nearest_itself():
    tied, goal = chain(3)
    found = travel_time_uncertainty(tied, goal, spread=NONE, draws=20, rng=1)
    expected = nearest(tied, goal).time_s
    for column in ("time_s", "median_s", "low_s", "high_s"):
        assert found.times[column].tolist() == pytest.approx(expected.tolist(), rel=1e-12)
    assert set(found.within[HOUR]) == {0.0, 1.0}
    assert (found.times["other_share"] == 0).all()


def test_waits_at_junctions_are_sure():
    tied, goal = chain(1, junction_s=0.0)
    slow, _ = chain(1, junction_s=600.0)
    spread = SpeedSpread(0.2, 0, 0, 0)
    moving, waiting = (travel_time_uncertainty(t, goal, spread=spread, draws=50, rng=1).times for t in (tied, slow))
    wait = waiting.loc["p01", "time_s"] - moving.loc["p01", "time_s"]
    assert (waiting.loc["p01", "high_s"] - wait) == pytest.approx(moving.loc["p01", "high_s"])


@pytest.mark.slow
def test_the_leg_off_the_road_is_drawn_too():
    tied, goal = chain(1)
    off = gpd.GeoDataFrame(geometry=gpd.points_from_xy([60.0], [50.1]), index=["off"], crs=4326)
    there = attach(tied.network, off, Access())
    spread = SpeedSpread(0, 0, 0, 0.4)
    found = travel_time_uncertainty(there, tied.take(goal), spread=spread, draws=3000, rng=5)
    assert spread_of(found, "off") == pytest.approx(0.4, rel=0.06)


def test_seeds_threads_and_order_of_rows():
    tied, goal = chain(6, list("abcabc"))
    ask = {"draws": 70, "spread": SpeedSpread(0.1, 0.2, 0.1)}
    first = travel_time_uncertainty(tied, goal, rng=7, **ask)
    with ThreadPoolExecutor(3) as pool:
        for other in (Here(), pool):
            again = travel_time_uncertainty(tied, goal, rng=7, executor=other, **ask)
            pd.testing.assert_frame_equal(first.times, again.times)
    turned = travel_time_uncertainty(tied.take(tied.ids[::-1]), goal, rng=7, **ask)
    pd.testing.assert_frame_equal(first.times, turned.times.loc[first.times.index])
    assert travel_time_uncertainty(tied, goal, rng=8, **ask).times["high_s"].iloc[1:].ne(
        first.times["high_s"].iloc[1:]).all()  # fmt: skip
    assert first.seed == 7


def test_shares_of_people():
    tied, goal = chain(2)
    people = pd.Series({"p00": 100.0, "p01": 300.0, "p02": None})
    found = travel_time_uncertainty(tied, goal, population=people, spread=SpeedSpread(0.2, 0, 0, 0), draws=400, rng=1)
    # p00 is always there (100 of 400), p01 in half of the draws
    row = found.shares.loc[HOUR]
    assert row["low"] == 0.25
    assert row["high"] == 1.0
    assert found.dropped.values.tolist() == [["p02", "place with unknown population"]]


def test_another_destination_may_be_nearest():
    tied, _ = chain(2, ["a", "b"])
    found = travel_time_uncertainty(tied, pd.Index(["p00", "p02"]), spread=SpeedSpread(0, 0.2, 0, 0), draws=800, rng=1)
    assert found.times.loc["p01", "other_share"] == pytest.approx(0.5, abs=0.08)
    assert found.times.loc["p00", "other_share"] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"spread": SpeedSpread(classes={"motorwey": 0.1})}, "no road has class 'motorwey'"),
        ({"level": 1.5}, "level"),
        ({"draws": 0}, "draws"),
        ({"draws": 200_000_000}, r"200,000,000 draws of 2 places would take 6.4 GB; at most 4 are used"),
        ({"thresholds_s": [-1.0]}, "thresholds_s"),
        ({"population": pd.Series({"p00": 1.0})}, "population must have every place"),
    ],
)
def test_what_can_t_be_done_is_said(options, message):
    tied, goal = chain(1)
    with pytest.raises(InputError, match=message):
        travel_time_uncertainty(tied, goal, **({"draws": 3} | options))
