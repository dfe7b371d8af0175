"""Accessibility measures against published values: R accessibility on Belo Horizonte, sdc-catchment."""

import os
import tomllib
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kazgeo import accessibility, disparity
from kazgeo.accessibility import TravelTimes, decay

HERE = Path(__file__).parent
SHARED = Path(os.environ.get("KAZGEO_SHARED", HERE.parents[2] / "shared"))
GOLDEN = {one["id"]: one for one in tomllib.loads((HERE / "accessibility_measures.toml").read_text("utf-8"))["value"]}
MIN = 60.0
A, B, C, D, E = FIVE = [f"89a88cd{end}ffff" for end in ("b57b", "b597", "b5b3", "b5cf", "909b")]
OTHER = [f"89a88cd{end}ffff" for end in ("a64f", "b027", "b12b", "b287", "b67b")]
NINE_HUNDRED = "89a88cd900bffff"
THREE = list("123")


@cache
def long():
    path = SHARED / "golden/r_accessibility/travel_matrix.csv.gz"
    if not path.exists():
        pytest.skip("needs golden/r_accessibility of the shared folder (KAZGEO_SHARED)")
    table = pd.read_csv(path)
    return pd.DataFrame(
        {"origin": table["from_id"], "destination": table["to_id"], "time_s": table["travel_time"] * MIN}
    )


@cache
def land():
    long()
    return pd.read_csv(SHARED / "golden/r_accessibility/land_use_data.csv.gz", index_col="id")


def table(origins, destinations=None, *, more=0.0, beyond=None):
    rows = long()[long()["origin"].isin(origins)]
    if destinations is not None:
        rows = rows[rows["destination"].isin(destinations)]
    if beyond is not None:
        rows = rows[(rows["origin"] != beyond) | (rows["time_s"] > 40 * MIN)]
    rows = rows.assign(time_s=rows["time_s"] + more)
    return TravelTimes.from_long(rows, origins=pd.Index(origins), destinations=destinations and pd.Index(destinations))


def use(column, index):
    return land().loc[index, column]


def cumulative(side, minutes):
    times = table(FIVE, FIVE)
    amount, times = (use("jobs", FIVE), times) if side == "active" else (use("population", FIVE), times.transposed)
    return accessibility.cumulative(times, amount, thresholds_s=minutes * MIN).reached.iloc[:, 0]


def interval(side, minutes, summary="median"):
    times = table(FIVE, FIVE)
    amount, times = (use("jobs", FIVE), times) if side == "active" else (use("population", FIVE), times.transposed)
    start, stop = (m * MIN for m in minutes)
    got = accessibility.cumulative_interval(times, amount, start_s=start, stop_s=stop, summary=summary)
    return np.floor(got.reached["reached"])


def beyond(*minutes):
    times = table([A, B], beyond=A)
    jobs = use("jobs", times.destinations)
    return accessibility.cumulative(times, jobs, thresholds_s=[m * MIN for m in minutes]).reached.to_numpy().ravel()


def closest(times, column):
    return accessibility.closest(times, use(column, FIVE)).time_s[1] / MIN


def rates(measure):
    """Results of a measure under two exponential decays, 0.5 and 0.6 per minute, two origins and all destinations."""
    times = table([A, B])
    ends = times.destinations
    return np.concatenate([measure(times, use("jobs", ends), decay.Exponential(rate / MIN)) for rate in (0.5, 0.6)])


def gravity(times, jobs, weight):
    return accessibility.gravity(times, jobs, decay=weight).reached["reached"].to_numpy()


def catchment(times, jobs, weight, method="2sfca"):
    people = use("population", times.origins)
    return accessibility.floating_catchment(times, people, jobs, decay=weight, method=method).access.to_numpy()


def availability(times, jobs, weight):
    got = accessibility.spatial_availability(times, use("population", times.origins), jobs, decay=weight)
    return got.available.to_numpy()


def paper():
    minutes = np.array([[15, 30, 100], [30, 15, 100], [100, 100, 15]])
    times = pd.DataFrame(minutes * MIN, index=list("ABC"), columns=THREE)
    people = pd.Series([50_000, 150_000, 10_000], index=list("ABC"))
    jobs = pd.Series([100_000, 100_000, 10_000], index=THREE)
    return accessibility.spatial_availability(times, people, jobs, decay=decay.Exponential(0.1 / MIN)).available


def some(function, origins, destinations, weight, down=True):
    times = table(origins, destinations)
    got = function(times, use("jobs", times.destinations), weight)
    return np.floor(got) if down else got


def ones(t):
    return np.ones(len(t))


def balancing(times):
    jobs, people = use("jobs", times.destinations), use("population", times.origins)
    return accessibility.balancing_time(times, people, jobs, step_s=MIN).time_s / MIN


def three(constraint, jobs, weight):
    minutes = np.array([[10, 30, 15], [30, 10, 25], [15, 25, 10]]).T
    times = pd.DataFrame(minutes * MIN, index=THREE, columns=THREE)
    people, jobs = pd.Series([4.0, 10, 6], index=THREE), pd.Series(jobs, index=THREE, dtype=float)
    return accessibility.constrained_gravity(times, people, jobs, decay=weight, constraint=constraint)


def totals():
    """All jobs under the total (jobs sent as supply) and the attraction constraint, all people the other way round."""
    rate, jobs = decay.Exponential(0.1 / MIN), [160, 150, 180]
    people = pd.Series([4.0, 10, 6], index=THREE)
    minutes = np.array([[10, 30, 15], [30, 10, 25], [15, 25, 10]])
    back = accessibility.constrained_gravity(
        pd.DataFrame(minutes * MIN, index=THREE, columns=THREE),
        pd.Series(jobs, index=THREE, dtype=float),
        people,
        decay=rate,
        constraint="total",
    )
    return [back.total, three("attraction", jobs, rate).total, three("total", jobs, rate).total,
            three("production", jobs, rate).total]  # fmt: skip


@cache
def access(units):
    times = table(list(units))
    return accessibility.cumulative(times, use("jobs", times.destinations), thresholds_s=30 * MIN).reached.iloc[:, 0]


def reached(without=None, last=E):
    units = access((last, A, B, C, D))
    return units.drop(without) if without else units


def palma(x):
    return [disparity.palma_ratio(x, land()["income_per_capita"], land()["population"])]


def theil(x):
    known = land()["income_decile"].dropna()
    return disparity.theil_decomposition(x, known, land()["population"])


def theil_parts(x):
    split = theil(x)
    return [split.total, split.between, split.within, split.between_share, split.within_share]


def concentration(x, *forms):
    return [
        disparity.concentration_index(x, land()["income_per_capita"], land()["population"], form=form) for form in forms
    ]


def poverty(x, line):
    got = disparity.foster_greer_thorbecke(x, land()["population"], line=line)
    return [got.fgt0, got.fgt1, got.fgt2]


def gini(x):
    return [disparity.gini(x, land()["population"])]


def sdc():
    times = pd.DataFrame({"p": [0.0, 1, 2], "q": [2.0, 1, 0]}, index=list("abc"))
    people, beds = pd.Series(100.0, index=list("abc")), pd.Series(10.0, index=["p", "q"])
    return accessibility.floating_catchment(times, people, beds, decay=decay.Gaussian(1)).access


def at(function, *minutes):
    return function(np.array(minutes) * MIN)


STEPS = decay.Stepped([10 * MIN, 20 * MIN, 30 * MIN, 40 * MIN], [1, 0.75, 0.5, 0.25], closed="left")
HALF_HOUR, CATCH = decay.Binary(30 * MIN), decay.Binary(45 * MIN)
TENTH = decay.Exponential(0.1 / MIN)
COMPUTED = {
    "decay exponential": lambda: at(TENTH, 0, 10, 20, 60),
    "decay power half": lambda: at(decay.Power(0.5), 0, 0.5, 1, 16, 64),
    "decay power quarter": lambda: at(decay.Power(0.25), 0, 0.5, 1, 16, 256),
    "decay linear": lambda: at(decay.Linear(30 * MIN), 10, 60),
    "decay binary": lambda: at(decay.Binary(20 * MIN), 10, 20, 60),
    "decay stepped": lambda: at(STEPS, 5, 15, 25, 35, 45),
    "decay stepped open": lambda: at(STEPS, 0, 10, 20, 30, 40),
    "decay logistic narrow": lambda: at(decay.Logistic(20 * MIN, 2 * MIN), 0, 20),
    "decay logistic wide": lambda: at(decay.Logistic(30 * MIN, 10 * MIN), 0, 30),
    "cumulative active": lambda: cumulative("active", 30),
    "cumulative passive": lambda: cumulative("passive", 45),
    "cumulative far": lambda: beyond(30),
    "cumulative two": lambda: beyond(15, 50),
    "interval active": lambda: interval("active", (40, 45)),
    "interval passive": lambda: interval("passive", (40, 45)),
    "interval active long": lambda: interval("active", (40, 50)),
    "interval passive long": lambda: interval("passive", (40, 50)),
    "interval min": lambda: interval("active", (40, 45), "min"),
    "interval mean": lambda: interval("active", (40, 45), "mean"),
    "interval none": lambda: interval("active", (5, 6), "min"),
    "closest school": lambda: closest(table(FIVE, FIVE), "schools"),
    "closest people": lambda: closest(table(FIVE, FIVE).transposed, "population"),
    "gravity binary": lambda: some(gravity, [A, B], None, HALF_HOUR),
    "gravity exponential": lambda: rates(gravity),
    "2sfca": lambda: some(catchment, FIVE, FIVE, CATCH, down=False),
    "2sfca all one": lambda: some(catchment, FIVE, FIVE, ones, down=False),
    "2sfca two origins": lambda: some(catchment, [A, B], None, CATCH),
    "2sfca one origin": lambda: some(catchment, [B], None, CATCH),
    "e2sfca exponential": lambda: rates(catchment),
    "bfca": lambda: catchment(table(FIVE, FIVE), use("jobs", FIVE), CATCH, "bfca"),
    "availability paper": paper,
    "availability two origins": lambda: some(availability, [A, B], None, TENTH),
    "availability one origin": lambda: some(availability, [B], None, TENTH, down=False),
    "availability all one": lambda: some(availability, FIVE, FIVE, ones, down=False),
    "availability exponential": lambda: rates(availability),
    "balancing": lambda: balancing(table(OTHER, OTHER)),
    "balancing later": lambda: balancing(table(OTHER, OTHER, more=10 * MIN)),
    "balancing first rows": lambda: balancing(TravelTimes.from_long(long().iloc[:10])),
    "constrained totals": totals,
    "constrained doubly origins": lambda: three("double", [7, 5, 8], decay.Power(3)).origins["flow"],
    "constrained doubly destinations": lambda: three("double", [7, 5, 8], decay.Power(3)).destinations["flow"],
    "gini": lambda: gini(reached()),
    "gini four": lambda: gini(reached(D)),
    "palma": lambda: palma(reached()),
    "palma four": lambda: palma(reached(D)),
    "theil": lambda: theil_parts(reached(last=NINE_HUNDRED)),
    "theil between": lambda: theil(reached(last=NINE_HUNDRED)).groups["between_term"],
    "theil within": lambda: theil(reached(last=NINE_HUNDRED)).groups["within_term"],
    "theil four": lambda: theil_parts(reached(NINE_HUNDRED, last=NINE_HUNDRED)),
    "theil four between": lambda: theil(reached(NINE_HUNDRED, last=NINE_HUNDRED)).groups["between_term"],
    "theil without groups": lambda: [disparity.theil(reached(D, last=NINE_HUNDRED), land()["population"])],
    "concentration standard": lambda: concentration(reached(), "standard"),
    "concentration corrected": lambda: concentration(reached(), "erreygers"),
    "concentration four": lambda: concentration(reached(D), "standard", "erreygers"),
    "fgt low line": lambda: poverty(reached(), 10_000),
    "fgt": lambda: poverty(reached(), 100_000),
    "fgt four": lambda: poverty(reached(D), 100_000),
    "sdc-catchment": sdc,
}


def test_every_published_value_is_computed_once():
    assert list(COMPUTED) == list(GOLDEN)


@pytest.mark.parametrize("name", GOLDEN)
def test_published_value(name):
    one = GOLDEN[name]
    got = np.asarray(COMPUTED[name](), dtype=float)
    np.testing.assert_allclose(got, one["value"], rtol=0, atol=one["tolerance"] + 1e-12, err_msg=one["what"])


def test_fewer_than_three_schools_are_reached_by_nobody():
    got = accessibility.closest(table(FIVE, FIVE), use("schools", FIVE), k=3)
    assert got.time_s[3].isna().all()
    assert set(got.dropped["reason"]) == {"origin that reaches fewer than 3 opportunities"}


def test_palma_is_unknown_without_the_rich_or_the_poor():
    """As in R accessibility's "handles missing data correctly": 57b is rich, 5b3 is poor."""
    assert palma(reached().loc[[A, C]]) == [pytest.approx(0.5249, abs=5e-5)]
    assert np.isnan(palma(reached().loc[[A]])).all()
    assert np.isnan(palma(reached().loc[[C]])).all()


def test_steps_of_two_minutes_give_multiples_of_two():
    times = table(OTHER, OTHER)
    jobs, people = use("jobs", OTHER), use("population", OTHER)
    got = accessibility.balancing_time(times, people, jobs, step_s=2 * MIN).time_s
    assert (got % (2 * MIN) == 0).all()
    assert (accessibility.balancing_time(times, people, jobs, step_s=MIN).time_s % (2 * MIN) != 0).any()
