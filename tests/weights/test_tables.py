"""Weights from tables: blocks as libpysal's, pairs and travel times by hand, and what they refuse."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kazgeo.errors import InputError
from kazgeo.weights import as_weights, block, from_table, travel_time

LAWS = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
ABC = pd.Index(list("abc"))


def same(one, other):
    return one.ids.equals(other.ids) and (one.matrix != other.matrix).nnz == 0


@LAWS
@given(st.lists(st.sampled_from(["north", "south", "east", 7]), min_size=1, max_size=25), st.randoms())
def test_blocks_are_those_of_libpysal_and_of_the_definition(groups, shuffler):
    from libpysal.graph import Graph

    series = pd.Series(groups, index=[f"r{i:02d}" for i in range(len(groups))], dtype=object)
    own = block(series)
    truth = as_weights(Graph.build_block_contiguity(series)).reindex(series.index)
    assert same(own, truth)
    equal = np.array([[a == b for b in groups] for a in groups]) & ~np.eye(len(groups), dtype=bool)
    assert (own.matrix.toarray() == equal).all()
    mixed = list(series.index)
    shuffler.shuffle(mixed)
    assert same(block(series.loc[mixed]).reindex(series.index), own)


def test_units_without_a_group_are_isolates_not_a_group():
    for missing in (None, np.nan, pd.NA):
        series = pd.Series(["n", missing, "n", missing], index=list("abcd"), dtype=object)
        assert block(series).isolates.tolist() == ["b", "d"]
    assert block(pd.Series([None, None], index=["a", "b"], dtype=object)).isolates.tolist() == ["a", "b"]
    assert block(pd.Series([1.0, np.nan, 1.0])).cardinalities.tolist() == [1, 0, 1]
    assert block(pd.Series(["n"], index=["a"])).isolates.tolist() == ["a"]
    with pytest.raises(InputError, match="must be unique; repeated: 'a'"):
        block(pd.Series([1, 1], index=["a", "a"]))


def test_many_small_blocks_are_quick():
    """A look through all units per block would take 50,000 x 100,000 steps."""
    own = block(pd.Series(np.arange(100_000) % 50_000))
    assert (own.cardinalities == 1).all()
    assert own.indices[0] == 50_000


@LAWS
@given(
    st.dictionaries(
        st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")),
        st.one_of(st.none(), st.just(0.0), st.floats(0.001, 1e6)),
    ),
    st.randoms(),
)
def test_tables_become_their_matrix(links, shuffler):
    ids = pd.Index(list("fedcba"))
    rows = list(links.items())
    shuffler.shuffle(rows)
    table = pd.DataFrame([(a, b, w) for (a, b), w in rows], columns=["from", "to", "w"]).astype({"w": float})
    before = table.copy()
    own = from_table(table, ids, origin="from", destination="to", weight="w")
    truth = np.zeros((6, 6))
    for (a, b), w in links.items():
        if a != b:
            truth[ids.get_loc(a), ids.get_loc(b)] = w or 0
    assert (own.matrix.toarray() == truth).all()
    assert own.data.all()
    plain = from_table(table, ids, origin="from", destination="to")
    assert len(plain.data) == sum(a != b for a, b in links)
    pd.testing.assert_frame_equal(table, before)


def table(*rows, column="w"):
    return pd.DataFrame(list(rows), columns=["origin", "destination", column])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: from_table(table(("a", "z", 1)), ABC), "not among the ids: 'z'"),
        (lambda: from_table(table((None, "b", 1)), ABC), "not among the ids: (None|nan)"),
        (lambda: from_table(table((1, "b", 1)), ABC), "not among the ids: 1"),
        (lambda: from_table(table(("a", "b", 1), ("a", "b", 2)), ABC), r"each pair once; repeated: \('a', 'b'\)"),
        (
            lambda: from_table(table(("a", "b", -1)), ABC, weight="w"),
            "column 'w' must hold finite weights of at least 0",
        ),
        (lambda: from_table(table(("a", "b", np.inf)), ABC, weight="w"), "column 'w' must hold finite"),
        (lambda: from_table(table(("a", "b", "far")), ABC, weight="w"), "column 'w' must hold numbers"),
        (lambda: from_table(table(("a", "b", 1)), ABC, weight="v"), "column 'v' is not a column of the table"),
        (lambda: from_table(table(("a", "b", 1)), ABC, origin="home"), "column 'home' is not"),
        (lambda: from_table(table(("a", "b", 1)), pd.Index(["a", "b", "a"])), "must be unique; repeated: 'a'"),
        (lambda: from_table(table(("a", "b", 1)), pd.Index([])), "not among the ids: 'a', 'b'"),
    ],
)
def test_what_tables_refuse(call, says):
    with pytest.raises(InputError, match=says):
        call()


TIMES = table(
    ("a", "b", 600.0), ("b", "a", 900.0), ("a", "c", 3600.0), ("c", "a", 3600.001), ("b", "c", np.nan),
    ("a", "a", 0.0), ("c", "b", 6.0), column="time_s",
)  # fmt: skip


@pytest.mark.parametrize(
    ("decay", "ab", "ba", "ac", "cb"),
    [("none", 1, 1, 1, 1), ("linear", 5 / 6, 3 / 4, 0, 1 - 0.1 / 60), ("inverse", 1 / 10, 1 / 15, 1 / 60, 1)],
)
def test_travel_times_by_hand(decay, ab, ba, ac, cb):
    """The hour itself is within the hour, a millisecond more is not; 1 - t / T at the very end is no link."""
    truth = np.array([[0, ab, ac], [ba, 0, 0], [0, cb, 0]])
    before = TIMES.copy()
    own = travel_time(TIMES, ABC, within_min=60, decay=decay)
    assert own.matrix.toarray() == pytest.approx(truth)
    assert own.data.all()
    assert own.self_weights.tolist() == [0, 0, 0]
    pd.testing.assert_frame_equal(TIMES, before)
    assert same(travel_time(TIMES.iloc[::-1], ABC, within_min=60, decay=decay), own)


def test_shortest_minutes_and_nothing_in_reach():
    assert travel_time(TIMES, ABC, within_min=60, decay="inverse", shortest_min=0.1).matrix[2, 1] == pytest.approx(10)
    assert travel_time(TIMES, ABC, within_min=0.05).isolates.tolist() == ["a", "b", "c"]
    assert travel_time(TIMES.iloc[:0], ABC, within_min=5).n == 3
    assert travel_time(TIMES.iloc[:0], pd.Index([]), within_min=5).n == 0


@pytest.mark.parametrize(
    ("options", "times", "says"),
    [
        *[({"within_min": v}, TIMES, "within_min must be minutes above 0") for v in (0, -5, float("nan"))],
        ({"within_min": 5, "shortest_min": 0}, TIMES, "shortest_min must be minutes above 0"),
        ({"within_min": 5, "decay": "power"}, TIMES, "decay 'power' is not one of the choices"),
        ({"within_min": 5}, TIMES.drop(columns="time_s"), "column 'time_s' is not"),
        ({"within_min": 5}, TIMES.drop(columns="origin"), "column 'origin' is not"),
        ({"within_min": 5}, table(("a", "b", -1.0), column="time_s"), "times must not be negative"),
        ({"within_min": 5}, table(("a", "b", "1 h"), column="time_s"), "column 'time_s' must hold numbers"),
        ({"within_min": 5}, table(("a", "z", 1.0), column="time_s"), "not among the ids: 'z'"),
        ({"within_min": 5}, table(("a", "b", 1.0), ("a", "b", 1.0), column="time_s"), "each pair once"),
    ],
)
def test_what_travel_times_refuse(options, times, says):
    with pytest.raises(InputError, match=says):
        travel_time(times, ABC, **options)
