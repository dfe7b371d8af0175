"""Measures of inequality: laws, gaps, hostile input."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kazgeo import disparity
from kazgeo.errors import InputError

LAWS = settings(max_examples=60, deadline=None, derandomize=True)
MEASURES = [
    disparity.gini,
    disparity.theil,
    disparity.mean_log_deviation,
    disparity.coefficient_of_variation,
    disparity.hoover,
    disparity.sd_log,
]
FOR_LOGS = [disparity.theil, disparity.mean_log_deviation, disparity.sd_log, disparity.theil_contributions]
positive = st.floats(0.01, 1e6, allow_nan=False)


@st.composite
def regions(draw):
    n = draw(st.integers(2, 12))
    ids = [f"r{i}" for i in range(n)]
    x = pd.Series(draw(st.lists(positive, min_size=n, max_size=n)), index=ids)
    people = pd.Series(draw(st.lists(st.integers(1, 9), min_size=n, max_size=n)), index=ids)
    group = pd.Series(draw(st.lists(st.sampled_from("xyz"), min_size=n, max_size=n)), index=ids)
    return x, people, group


@LAWS
@given(regions(), st.floats(1e-3, 1e3))
def test_the_unit_of_money_does_not_matter(example, factor):
    x, people, _ = example
    for measure in MEASURES:
        np.testing.assert_allclose(measure(x * factor, people), measure(x, people), rtol=1e-9, atol=1e-9)


@pytest.mark.slow
@LAWS
@given(regions())
def test_a_unit_of_weight_k_is_k_units(example):
    x, people, _ = example
    each = x.repeat(people).set_axis(range(people.sum()))
    for measure in MEASURES:
        np.testing.assert_allclose(measure(x, people), measure(each), rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(measure(pd.concat([x, x.add_suffix("b")])), measure(x), rtol=1e-9, atol=1e-9)


@LAWS
@given(regions(), st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(example, shuffler):
    x, people, group = example
    mixed = list(x.index)
    shuffler.shuffle(mixed)
    for measure in MEASURES:
        assert measure(x[mixed], people) == measure(x, people[mixed])
    one, two = (disparity.theil_decomposition(v, group, people) for v in (x, x[mixed]))
    pd.testing.assert_frame_equal(one.groups, two.groups, check_exact=True)


@LAWS
@given(regions())
def test_bounds_and_order_of_measures(example):
    x, people, _ = example
    gini, hoover, theil = (m(x, people) for m in (disparity.gini, disparity.hoover, disparity.theil))
    assert -1e-12 <= hoover <= gini + 1e-9 <= 1
    assert -1e-12 <= theil <= np.log(people.sum()) + 1e-9


@LAWS
@given(regions())
def test_gini_is_the_mean_difference(example):
    x, people, _ = example
    p = (people / people.sum()).to_numpy()
    gap = np.abs(np.subtract.outer(x.to_numpy(), x.to_numpy()))
    np.testing.assert_allclose(disparity.gini(x, people), p @ gap @ p / (2 * p @ x), atol=1e-9)


@LAWS
@given(regions())
def test_theil_splits_without_rest(example):
    x, people, group = example
    for weights in (None, people):
        split = disparity.theil_decomposition(x, group, weights)
        np.testing.assert_allclose(split.total, disparity.theil(x, weights), atol=1e-12)
        np.testing.assert_allclose(split.between + split.within, split.total, atol=1e-12)
        assert split.within >= -1e-12
        assert split.between >= -1e-12
        for name, row in split.groups.iterrows():
            inside = x[group == name]
            np.testing.assert_allclose(row["theil"], disparity.theil(inside, weights), atol=1e-9)
            np.testing.assert_allclose(row["value_share"] * row["theil"], row["within_term"], atol=1e-12)


@pytest.mark.slow
@LAWS
@given(regions(), regions())
def test_the_movers_add_up_to_the_change(before, after):
    for people in (False, True):
        weights = (before[1], after[1]) if people else (None, None)
        moved = disparity.theil_change(before[0], after[0], *weights)
        np.testing.assert_allclose(moved.units["term_change"].sum(), moved.change, atol=1e-9)
        np.testing.assert_allclose(moved.units["distance_change"].sum(), moved.change, atol=1e-9)
        assert (moved.units[["distance_before", "distance_after"]] >= -1e-12).all(axis=None)
        both = before[0].index.intersection(after[0].index)
        assert len(moved.units) == len(both)
        assert set(moved.dropped["unit"]) == set(before[0].index.symmetric_difference(after[0].index))
        np.testing.assert_allclose(
            disparity.theil_contributions(before[0][both], weights[0]).sum(), moved.before, atol=1e-12
        )


def test_a_poor_region_that_catches_up_lowers_its_distance_though_its_term_rises():
    before, after = pd.Series({"poor": 40.0, "rest": 160.0}), pd.Series({"poor": 50.0, "rest": 150.0})
    poor = disparity.theil_change(before, after).units.loc["poor"]
    assert poor["term_change"] > 0 > poor["distance_change"]
    # the distance moves by ln r: |ln 0.45| at the poor end is more than ln 1.55 at the rich one
    assert disparity.theil_change(before, after).to_frame().index.tolist() == ["poor", "rest"]


@pytest.mark.parametrize("measure", [*MEASURES, disparity.max_min])
def test_gaps_are_left_out_and_counted(measure):
    x = pd.Series({"a": 1.0, "b": np.nan, "c": 4.0})
    found = measure(x)
    assert found == measure(x.dropna())
    assert found.n == 2
    assert found.dropped.to_dict("records") == [{"unit": "b", "reason": "missing value"}]
    assert np.isnan(measure(x.iloc[1:2]))
    again = pickle.loads(pickle.dumps(found))
    assert (again, again.n) == (found, 2)


@pytest.mark.parametrize("measure", FOR_LOGS)
@pytest.mark.parametrize("bad", [0.0, -1.0])
def test_logarithms_want_values_above_zero(measure, bad):
    with pytest.raises(InputError, match=r"above 0.*1 of 2 units have none: 'b'"):
        measure(pd.Series({"a": 1.0, "b": bad}))


@pytest.mark.parametrize("measure", [disparity.gini, disparity.hoover, disparity.max_min])
def test_negative_values_are_named(measure):
    with pytest.raises(InputError, match=r"at least 0.*'b'"):
        measure(pd.Series({"a": 1.0, "b": -2.0}))


@pytest.mark.parametrize("measure", [disparity.gini, disparity.hoover, disparity.coefficient_of_variation])
def test_a_mean_of_zero_gives_nan(measure):
    assert np.isnan(measure(pd.Series({"a": 0.0, "b": 0.0})))


@pytest.mark.parametrize(
    ("x", "weights", "message"),
    [
        ([1.0, 2.0], None, "pandas Series"),
        (pd.Series(["1", "2"]), None, "must hold numbers"),
        (pd.Series([1.0, np.inf]), None, "infinite at 1"),
        (pd.Series([1.0, 2.0], index=["a", "a"]), None, "repeated: 'a'"),
        (pd.Series([1.0, 2.0]), pd.Series([1, -1]), "weights must be at least 0; negative at 1"),
        (pd.Series([1.0, 2.0]), pd.Series([0, 0]), "must not all be 0"),
        (pd.Series([1.0, 2.0]), pd.Series([1, 1], index=[0, 0]), "repeated: 0"),
    ],
)
def test_bad_input_is_named(x, weights, message):
    with pytest.raises(InputError, match=message):
        disparity.gini(x, weights)


def test_one_population_alone_is_refused():
    x = pd.Series({"a": 1.0, "b": 2.0})
    with pytest.raises(InputError, match="both dates"):
        disparity.theil_change(x, x, x)


def test_the_mean_of_williamson_is_weighted():
    x, people = pd.Series({"a": 1.0, "b": 4.0}), pd.Series({"a": 2, "b": 1})
    assert disparity.williamson(x, people) == pytest.approx(np.sqrt((2 * 1 + 4) / 3) / 2)


def test_inequality_by_year_is_every_measure_of_every_year():
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product([list("abcdef"), [2009, 2010, 2011]], names=["region", "year"])
    x = pd.Series(rng.gamma(2, size=18), index=index)
    x.loc[("c", 2010)] = np.nan
    people = pd.Series(rng.integers(1, 9, 18), index=index).drop(("d", 2011))
    groups = pd.Series(dict(zip("abcdef", "xxyyzz", strict=True)))
    table = disparity.inequality_by_year(x.sample(frac=1, random_state=3), population=people, groups=groups)
    assert table["n"].tolist() == [6, 5, 6]
    assert table["n_missing"].tolist() == [0, 1, 0]
    assert table["n_weighted"].tolist() == [6, 5, 5]
    for year in (2009, 2010, 2011):
        now, then = x.xs(year, level=1), people.xs(year, level=1)
        for name in ("gini", "theil", "mean_log_deviation", "coefficient_of_variation", "hoover", "sd_log", "max_min"):
            assert table.loc[year, name] == pytest.approx(getattr(disparity, name)(now))
        assert table.loc[year, "williamson"] == pytest.approx(disparity.williamson(now, then))
        assert table.loc[year, "gini_weighted"] == pytest.approx(disparity.gini(now, then))
        split = table.loc[year, "theil_between"] + table.loc[year, "theil_within"]
        assert split == pytest.approx(table.loc[year, "theil_weighted"])
    with pytest.raises(InputError, match=r"\(region, year\)"):
        disparity.inequality_by_year(x.droplevel(1))
    with pytest.raises(InputError, match="repeated"):
        disparity.inequality_by_year(pd.concat([x, x.iloc[:1]]))
