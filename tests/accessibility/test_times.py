"""The table of travel times: what goes in comes out; what is wrong is named."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kazgeo.accessibility import TravelTimes, cumulative
from kazgeo.accessibility import times as times_module
from kazgeo.accessibility.times import as_times
from kazgeo.errors import InputError

LAWS = settings(max_examples=60, deadline=None, derandomize=True)


def long(*rows):
    return pd.DataFrame(rows, columns=["origin", "destination", "time_s"])


@st.composite
def dense(draw, least=0):
    n, m = draw(st.integers(least, 6)), draw(st.integers(least, 5))
    cells = st.one_of(st.just(np.nan), st.integers(0, 3), st.floats(0, 1e5))
    values = draw(st.lists(cells, min_size=n * m, max_size=n * m))
    index, columns = [f"o{i}" for i in range(n)], [f"d{j}" for j in range(m)]
    return pd.DataFrame(np.array(values, dtype=float).reshape(n, m), index=index, columns=columns)


@LAWS
@given(dense(), st.randoms(use_true_random=False))
def test_long_and_dense_say_the_same_in_any_order(frame, shuffler):
    times = TravelTimes.from_dense(frame)
    pd.testing.assert_frame_equal(times.to_dense(), frame)
    rows = times.to_long()
    mixed = list(range(len(rows)))
    shuffler.shuffle(mixed)
    again = TravelTimes.from_long(rows.iloc[mixed], origins=frame.index, destinations=frame.columns)
    for name in ("indptr", "indices", "time_s"):
        np.testing.assert_array_equal(getattr(again, name), getattr(times, name))
    assert times.n_pairs == frame.notna().sum().sum()
    assert times.n_unreachable == frame.isna().sum().sum()
    pd.testing.assert_frame_equal(times.transposed.to_dense(), frame.T)
    pd.testing.assert_frame_equal(times.transposed.transposed.to_dense(), frame)


@LAWS
@given(dense(), st.booleans(), st.randoms(use_true_random=False))
def test_ids_that_are_numbers_say_the_same_as_texts(frame, whole, shuffler):
    """Tables of all pairs in order are read as matrices, others pair by pair."""
    rows = [(i, 10 + j, value) for i, row in enumerate(frame.to_numpy()) for j, value in enumerate(row)]
    kept = rows if whole else [row for row in rows if shuffler.random() < 0.7]
    numbers = pd.DataFrame(kept, columns=["origin", "destination", "time_s"]).astype({"time_s": float})
    if len(numbers):
        numbers = numbers.astype({"origin": int, "destination": int})
    texts = numbers.astype({"origin": str, "destination": str})
    one, other = TravelTimes.from_long(numbers), TravelTimes.from_long(texts)
    assert one.origins.astype(str).tolist() == other.origins.tolist()
    assert one.destinations.astype(str).tolist() == other.destinations.tolist()
    for name in ("indptr", "indices", "time_s"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@LAWS
@given(dense(), st.floats(0, 1e5))
def test_within_keeps_what_is_near(frame, limit):
    near = TravelTimes.from_dense(frame).within(limit)
    pd.testing.assert_frame_equal(near.to_dense(), frame.where(frame <= limit))
    assert near.limit_s == limit
    assert near.within(limit * 2).limit_s == limit


def test_zero_seconds_are_a_pair_and_nan_is_none():
    times = TravelTimes.from_long(long(("a", "x", 0.0), ("a", "y", np.nan), ("b", "y", 5)))
    assert times.to_dense().loc["a"].tolist()[0] == 0
    assert times.n_pairs == 2
    assert times.transposed.to_dense().loc["x"].tolist()[0] == 0
    assert "2 unreachable pairs" in repr(times)


def test_ids_may_be_of_any_kind():
    numbers = long((1, 10, 5.0), (2, 10, 6.0))
    assert TravelTimes.from_long(numbers).origins.tolist() == [1, 2]
    kinds = numbers.astype({"origin": "category", "destination": "category"})
    assert TravelTimes.from_long(kinds).to_long()["time_s"].tolist() == [5, 6]
    nullable = numbers.assign(time_s=pd.array([5, None], dtype="Int64"))
    assert TravelTimes.from_long(nullable).n_pairs == 1


def test_what_the_caller_does_later_does_not_reach_the_times():
    frame = pd.DataFrame({"x": [1.0, 2.0]}, index=["a", "b"])
    times = TravelTimes.from_dense(frame)
    frame.iloc[0, 0] = 99
    assert times.to_dense().loc["a", "x"] == 1
    with pytest.raises(ValueError, match="read-only"):
        times.time_s[0] = 3
    again = pickle.loads(pickle.dumps(times))
    pd.testing.assert_frame_equal(again.to_dense(), times.to_dense())


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([("a", "x", -1.0), ("b", "x", -2.0)], r"at least 0 s; negative for \('a', 'x'\), \('b', 'x'\)"),
        ([("a", "x", np.inf)], r"finite; infinite for \('a', 'x'\)"),
        ([("a", "x", 4294967.295)], "pandana's mark for no route"),
        ([("a", "x", 1.0), ("a", "x", 2.0)], r"each pair once; repeated: \('a', 'x'\)"),
        ([(None, "x", 1.0)], "column 'origin' of times must have an id in every row; 1 have none"),
        ([("a", "x", "ten")], "must hold seconds; got dtype"),
    ],
)
def test_bad_rows_are_named(rows, says):
    with pytest.raises(InputError, match=says):
        TravelTimes.from_long(long(*rows))


def test_bad_tables_are_named():
    with pytest.raises(InputError, match="column 'time_s' is not a column of times; did you mean 'times'"):
        TravelTimes.from_long(long(("a", "x", 1.0)).rename(columns={"time_s": "times"}))
    with pytest.raises(InputError, match=r"1 origins that were not given: 'a' \(ids are int64, the column is"):
        TravelTimes.from_long(long(("a", "x", 1.0)), origins=pd.Index([1]))
    with pytest.raises(InputError, match="origins of times must be unique; repeated: 'a'"):
        TravelTimes.from_dense(pd.DataFrame({"x": [1.0, 2.0]}, index=["a", "a"]))
    with pytest.raises(InputError, match=r"negative for \('b', 'x'\)"):
        TravelTimes.from_dense(pd.DataFrame({"x": [1.0, -2.0]}, index=["a", "b"]))
    with pytest.raises(InputError, match="no numbers in the columns 'name'"):
        as_times(pd.DataFrame({"name": ["A"], "x": [1.0]}))
    with pytest.raises(InputError, match="don't fit together"):
        TravelTimes(pd.Index(["a"]), pd.Index(["x"]), np.array([0, 2]), np.array([0]), np.array([1.0]))
    with pytest.raises(InputError, match="limit_s is 1, but a time is 2 s"):
        TravelTimes.from_dense(pd.DataFrame({"x": [2.0]}), limit_s=1)


def test_a_matrix_that_does_not_fit_is_refused_before_it_is_made(monkeypatch):
    times = TravelTimes.from_dense(pd.DataFrame(np.ones((3, 4))))
    monkeypatch.setattr(times_module, "MAX_CELLS", 10)
    with pytest.raises(InputError, match=r"3 origins and 4 destinations would take 0\.0 GB"):
        times.to_dense()


def test_a_threshold_beyond_the_search_is_refused():
    times = TravelTimes.from_dense(pd.DataFrame({"x": [2.0]}, index=["a"]), limit_s=10)
    with pytest.raises(InputError, match="within the 10 s to which times were searched; got 20"):
        cumulative(times, pd.Series({"x": 1}), thresholds_s=20)
