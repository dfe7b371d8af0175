"""Palma, concentration index, access poverty, Theil with zeros: laws and hostile input. Published values: golden."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kazgeo import disparity
from kazgeo.errors import InputError

LAWS = settings(max_examples=60, deadline=None, derandomize=True)
FORMS = ["standard", "erreygers", "wagstaff"]


@st.composite
def people(draw):
    n = draw(st.integers(2, 12))
    ids = [f"u{i}" for i in range(n)]
    access = pd.Series(draw(st.lists(st.integers(0, 20), min_size=n, max_size=n)), index=ids, dtype=float)
    income = pd.Series(draw(st.lists(st.integers(1, 6), min_size=n, max_size=n)), index=ids)
    count = pd.Series(draw(st.lists(st.integers(1, 5), min_size=n, max_size=n)), index=ids)
    assume(access.sum() > 0)
    return access, income, count


def everyone(access, income, count):
    """One row per person."""
    return tuple(v.repeat(count).set_axis(range(count.sum())) for v in (access, income))


@LAWS
@given(people(), st.sampled_from(FORMS))
def test_concentration_counts_persons_and_ranks_ties_alike(case, form):
    access, income, count = case
    got = disparity.concentration_index(access, income, count, form=form)
    each = everyone(*case)
    np.testing.assert_allclose(got, disparity.concentration_index(*each, form=form), atol=1e-12)
    rank = each[1].rank() - 0.5
    covariance = np.cov(each[0], rank / len(rank), ddof=0)[0, 1]
    if form == "standard":
        assert got == pytest.approx(2 * covariance / each[0].mean(), abs=1e-12)
    turned = disparity.concentration_index(access, -income + 10, count, form=form)
    np.testing.assert_allclose(turned, -got, atol=1e-12)
    mixed = disparity.concentration_index(access.iloc[::-1], income, count.sample(frac=1, random_state=1), form=form)
    np.testing.assert_array_equal(mixed, got)


@LAWS
@given(people())
def test_concentration_by_itself_is_gini(case):
    access, _, count = case
    got = disparity.concentration_index(access, access, count)
    assert got == pytest.approx(disparity.gini(access, count), abs=1e-12)


@LAWS
@given(people())
def test_palma_compares_the_ends(case):
    access, income, count = case
    got = disparity.palma_ratio(access, income, count)
    each, money = everyone(*case)
    low, high = (np.quantile(money, at, method="inverted_cdf") for at in (0.4, 0.9))
    rich, poor = each[money > high], each[money <= low]
    if len(rich) and poor.mean() > 0:
        assert got == pytest.approx(rich.mean() / poor.mean())
    else:
        assert np.isnan(got)
    np.testing.assert_array_equal(disparity.palma_ratio(access.iloc[::-1], income, count), got)


@LAWS
@given(people(), st.floats(0.5, 25), st.sampled_from(["below", "above"]))
def test_poverty_counts_persons(case, line, side):
    access, _, count = case
    got = disparity.foster_greer_thorbecke(access, count, line=line, poor=side)
    each = access.repeat(count).to_numpy()
    gap = np.maximum((line - each) / line if side == "below" else (each - line) / line, 0)
    assert got.fgt0 == pytest.approx((gap > 0).mean())
    assert got.fgt1 == pytest.approx(gap.mean())
    assert got.fgt2 == pytest.approx((gap**2).mean())
    assert got.poor.sum() == ((access < line) if side == "below" else (access > line)).sum()
    assert got.to_frame()["fgt"].tolist() == [got.fgt0, got.fgt1, got.fgt2]


@LAWS
@given(people())
def test_theil_at_zero_is_the_limit(case):
    access, income, count = case
    got = disparity.theil(access, count, zeros="limit")
    near = disparity.theil(access.clip(lower=1e-12), count)
    assert got == pytest.approx(near, abs=1e-8)
    split = disparity.theil_decomposition(access, income, count, zeros="limit")
    assert split.between + split.within == pytest.approx(split.total, abs=1e-12)
    assert split.total == pytest.approx(got, abs=1e-12)
    assert split.groups["within_term"].min() >= -1e-12


def test_nobody_has_anything():
    nothing = pd.Series(0.0, index=list("abc"))
    rank = pd.Series([1, 2, 3], index=list("abc"))
    assert np.isnan(disparity.theil(nothing, zeros="limit"))
    assert np.isnan(disparity.concentration_index(nothing, rank))
    assert np.isnan(disparity.palma_ratio(nothing, rank, rank))
    assert disparity.foster_greer_thorbecke(nothing, line=1).fgt2 == 1
    same = nothing + 3
    assert np.isnan(disparity.concentration_index(same, rank, form="erreygers"))
    assert disparity.concentration_index(same, rank, form="erreygers", bounds=(0, 4)) == pytest.approx(0)


def test_what_is_left_out_is_told():
    x = pd.Series({"a": 1.0, "b": None, "c": 2.0, "d": 3.0})
    income = pd.Series({"a": 1.0, "b": 1.0, "c": None, "d": 2.0, "e": 9.0})
    count = pd.Series({"a": 1, "b": 1, "c": 1, "d": None, "e": 1})
    reasons = [["b", "missing value"], ["c", "missing rank_by"], ["d", "missing weight"]]
    assert disparity.concentration_index(x, income, count).dropped.values.tolist() == reasons
    reasons[1][1] = "missing income"
    assert disparity.palma_ratio(x, income, count).dropped.values.tolist() == reasons
    assert disparity.foster_greer_thorbecke(x, line=2).n == 3


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda x: disparity.theil(x, zeros="skip"), "zeros 'skip' is not one of the choices"),
        (
            lambda x: disparity.theil(x - 1, zeros="limit"),
            "Theil wants values of at least 0; 1 of 2 units have none: 'a'",
        ),
        (lambda x: disparity.foster_greer_thorbecke(x, line=0), "line must be a positive number; got 0"),
        (lambda x: disparity.foster_greer_thorbecke(x - 1, line=1), "wants values of at least 0"),
        (lambda x: disparity.foster_greer_thorbecke(x, line=1, poor="under"), "poor 'under' is not one of the choices"),
        (
            lambda x: disparity.palma_ratio(x, x, x, top=0.7),
            "top and bottom must be shares of people that don't overlap",
        ),
        (lambda x: disparity.palma_ratio(x - 1, x, x + 1), "Palma wants values of at least 0"),
        (lambda x: disparity.concentration_index(x, x, form="gini"), "form 'gini' is not one of the choices"),
        (
            lambda x: disparity.concentration_index(x, x, form="wagstaff", bounds=(0, 0.5)),
            "bounds must enclose the values",
        ),
        (lambda x: disparity.concentration_index(x, x.astype(str)), "rank_by must hold numbers"),
    ],
)
def test_bad_input_is_named(call, says):
    with pytest.raises(InputError, match=says):
        call(pd.Series({"a": 0.0, "b": 1.0}))
