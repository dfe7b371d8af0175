"""Opportunities, nearest ones, shares and Huff against a table worked pair by pair."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kazgeo.accessibility import (
    TravelTimes,
    closest,
    cumulative,
    cumulative_interval,
    decay,
    gravity,
    huff,
    share_within,
)
from kazgeo.errors import InputError

LAWS = settings(max_examples=60, deadline=None, derandomize=True)


@st.composite
def cases(draw):
    n, m, seed = draw(st.integers(1, 7)), draw(st.integers(1, 6)), draw(st.integers(0, 10**6))
    rng = np.random.default_rng(seed)
    times = rng.integers(0, 8, (n, m)) * 300.0  # ties are common
    times[rng.random((n, m)) < 0.3] = np.nan
    amount = rng.integers(0, 4, m).astype(float)
    amount[rng.random(m) < 0.1] = np.nan
    ends = [f"d{j}" for j in rng.permutation(m)]
    return pd.DataFrame(times, index=[f"o{i}" for i in range(n)], columns=ends), pd.Series(amount, ends)


def reaching(times):
    return times.notna().any(axis=1)


@LAWS
@given(cases(), st.lists(st.integers(0, 2400), min_size=1, max_size=4, unique=True))
def test_within_thresholds_pair_by_pair(case, limits):
    times, amount = case
    got = cumulative(times, amount, thresholds_s=limits)
    assert list(got.reached) == limits
    for limit in limits:
        expected = ((times <= limit) * amount.fillna(0)).sum(axis=1).where(reaching(times))
        np.testing.assert_array_equal(got.reached[limit], expected)
    binary = gravity(times, amount, decay=decay.Binary(limits[0])).reached["reached"]
    np.testing.assert_array_equal(binary, got.reached[limits[0]])


@LAWS
@given(cases(), st.sampled_from(["median", "mean", "min", "max"]))
def test_an_interval_sums_up_its_thresholds(case, summary):
    times, amount = case
    got = cumulative_interval(times, amount, start_s=300, stop_s=1200, step_s=300, summary=summary).reached["reached"]
    each = cumulative(times, amount, thresholds_s=[300, 600, 900, 1200]).reached
    np.testing.assert_allclose(got, getattr(np, summary)(each.to_numpy(), axis=1))
    own = cumulative_interval(times, amount, start_s=300, stop_s=1200, step_s=300, summary=getattr(np, summary))
    np.testing.assert_allclose(own.reached["reached"], got)


@LAWS
@given(cases(), st.booleans(), st.randoms(use_true_random=False))
def test_the_kth_nearest_and_its_name(case, counted, shuffler):
    times, amount = case
    got = closest(times, amount if counted else None, k=[1, 2, 3])
    one = closest(times, amount if counted else None)
    number = amount.fillna(0) if counted else pd.Series(1, times.columns)
    for origin, row in times.iterrows():
        order = sorted(row.dropna().index, key=lambda end: (row[end], end))
        each = [(row[end], end) for end in order for _ in range(int(number[end]))]
        for k in (1, 2, 3):
            time, end = each[k - 1] if len(each) >= k else (np.nan, None)
            np.testing.assert_equal(got.time_s.loc[origin, k], time)
            assert got.destination.loc[origin, k] == end or (end is None and pd.isna(got.destination.loc[origin, k]))
    pd.testing.assert_series_equal(one.time_s[1], got.time_s[1])
    pd.testing.assert_series_equal(one.allocation(), got.allocation())
    columns = list(times.columns)
    shuffler.shuffle(columns)
    mixed = closest(times[columns].iloc[::-1], amount if counted else None, k=[1, 2, 3])
    pd.testing.assert_frame_equal(mixed.to_frame().loc[times.index], got.to_frame())


@LAWS
@given(cases(), st.floats(0.2, 3))
def test_huff_gives_everybody_once(case, alpha):
    times, size = case
    weight = decay.Exponential(1 / 600)
    got = huff(times, size, decay=weight, alpha=alpha)
    matrix = got.to_dense()
    pull = np.exp(-times / 600) * np.where(size > 0, size.fillna(0) ** alpha, 0)
    served = pull.sum(axis=1) > 0
    np.testing.assert_allclose(matrix.sum(axis=1), served.astype(float))
    np.testing.assert_allclose(matrix[served], pull[served].div(pull[served].sum(axis=1), axis=0).fillna(0), atol=1e-15)
    people = pd.Series(10.0, times.index)
    assert got.visits(people).sum() == pytest.approx(10 * served.sum())
    assert got.allocation().notna().equals(served)
    assert set(got.dropped.loc[got.dropped["reason"].str.startswith("origin"), "unit"]) == set(times.index[~served])
    np.testing.assert_allclose(huff(times, size * 7, decay=weight, alpha=alpha).to_dense(), matrix, rtol=1e-9)


def test_the_kth_nearest_where_all_is_reached():
    rng = np.random.default_rng(3)
    times = pd.DataFrame(rng.integers(0, 9, (40, 12)) * 60.0)
    got = closest(times, k=[1, 3, 12, 13])
    ranked = np.sort(times.to_numpy(), axis=1)
    np.testing.assert_array_equal(got.time_s[[1, 3, 12]], ranked[:, [0, 2, 11]])
    assert got.time_s[13].isna().all()
    np.testing.assert_array_equal(closest(times, k=3).time_s[3], ranked[:, 2])
    np.testing.assert_array_equal(closest(times, k=3).destination[3], np.argsort(times, axis=1, kind="stable")[:, 2])


def test_passive_accessibility_is_the_table_turned():
    times = pd.DataFrame({"x": [100.0, 900.0], "y": [np.nan, 100.0]}, index=["a", "b"])
    people = pd.Series({"a": 5, "b": 7})
    got = cumulative(TravelTimes.from_dense(times).transposed, people, thresholds_s=600).reached[600]
    assert got.to_dict() == {"x": 5, "y": 7}


def test_a_search_that_was_stopped_makes_zeros_not_gaps():
    times = TravelTimes.from_dense(pd.DataFrame({"x": [100.0, 900.0]}, index=["a", "b"])).within(600)
    got = cumulative(times, pd.Series({"x": 3}), thresholds_s=600)
    assert got.reached[600].tolist() == [3, 0]
    assert got.dropped.values.tolist() == [["b", "origin without opportunity in reach"]]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda t, o: cumulative(t, o, thresholds_s=[]), "thresholds_s must be seconds of at least 0, each once"),
        (lambda t, o: cumulative(t, o, thresholds_s=[60, 60]), "each once; got"),
        (lambda t, o: cumulative(t, o, thresholds_s="60 min"), "thresholds_s must be seconds"),
        (lambda t, o: cumulative(t, o, thresholds_s=np.nan), "thresholds_s must be seconds"),
        (lambda t, o: closest(t, o, k=0), "k must be a whole number of at least 1; got 0"),
        (lambda t, o: closest(t, o, k=[1, 1]), "k must be whole numbers of at least 1, each once"),
        (lambda t, o: gravity(t, o.drop("x"), decay=decay.Binary(60)), "opportunities must have every destination"),
        (lambda t, o: huff(t, o, decay=decay.Binary(60), alpha=0), "alpha must be a positive number"),
        (lambda t, o: cumulative_interval(t, o, start_s=0, stop_s=60, summary="sum"), "summary 'sum' is not one of"),
        (lambda t, _: share_within(t["x"], pd.Series({"a": 1}), thresholds_s=60), "population must have every unit"),
        (lambda t, _: share_within(t, pd.Series({"a": 1}), thresholds_s=60), "time_s must be a Series of seconds"),
    ],
)
def test_bad_input_is_named(call, says):
    times = pd.DataFrame({"x": [60.0, np.nan]}, index=["a", "b"])
    with pytest.raises(InputError, match=says):
        call(times, pd.Series({"x": 1.0}))
