"""Mann-Kendall against hand calculation, scipy's Kendall tau, and complete enumeration."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, norm, theilslopes

from kazgeo.errors import InputError
from kazgeo.trend import mann_kendall

LAWS = settings(max_examples=60, deadline=None, derandomize=True)


def panel(rows, years=None, names=None):
    """A panel of one row of values per unit."""
    rows = np.array(rows, dtype=float)
    years = range(2001, 2001 + rows.shape[1]) if years is None else years
    names = [f"u{i}" for i in range(len(rows))] if names is None else names
    return pd.Series(rows.ravel(), index=pd.MultiIndex.from_product([names, years], names=["region", "year"]))


def test_s_and_variance_by_hand():
    """1 2 2 3 1: pairs +,+,+,0 | 0,+,- | +,- | - = 5 - 3 = 2; two groups of two, each t(t-1)(2t+5) = 18.

    V = (5*4*15 - 18 - 18) / 18 = 264 / 18; tau-b = 2 / sqrt(10 * 8); slopes 1 .5 .667 0 0 .5 -.333 1 -.5 -2, in order
    -2 -.5 -.333 0 0 .5 .5 .667 1 1: median 0.25.
    """
    got = mann_kendall(panel([[1, 2, 2, 3, 1]])).iloc[0]
    assert (got["s"], got["n_years"], got["n_missing"]) == (2, 5, 0)
    assert got["variance"] == pytest.approx(264 / 18)
    assert got["z"] == pytest.approx(1 / np.sqrt(264 / 18))
    assert got["tau"] == pytest.approx(2 / np.sqrt(80))
    assert got["sen_slope"] == pytest.approx(0.25)


def test_the_longest_rise_of_four_years_just_passes_ten_per_cent_and_of_three_does_not():
    """S = 6, V = 4*3*13/18 = 26/3, z = 5/sqrt(26/3) = 1.6984; S = 3, V = 11/3, z = 2/sqrt(11/3) = 1.0445."""
    four, three = mann_kendall(panel([[1, 2, 3, 4], [1, 2, 3, np.nan]])).itertuples()
    assert (four.z, three.z) == pytest.approx((5 / np.sqrt(26 / 3), 2 / np.sqrt(11 / 3)))
    assert four.p < 0.10 < three.p


@pytest.mark.parametrize("n", [2, 3, 5, 6, 7])
def test_exact_p_is_that_of_all_orders(n):
    def score(order):
        return sum(np.sign(order[j] - order[i]) for i in range(n) for j in range(i + 1, n))

    every = np.array([score(order) for order in permutations(range(n))])
    rng = np.random.default_rng(n)
    rows = np.array([rng.permutation(n) for _ in range(8)] + [np.arange(n)])
    got = mann_kendall(panel(rows), p="exact")
    want = [min(1.0, np.mean(np.abs(every) >= abs(score(row)))) for row in rows]
    assert got["exact"].all()
    np.testing.assert_allclose(got["p"], want, rtol=1e-12)


@pytest.mark.parametrize("n", [4, 8, 10])
def test_exact_p_and_tau_are_scipys(n):
    rows = np.array([np.random.default_rng(seed).permutation(n) for seed in range(20)])
    got = mann_kendall(panel(rows), p="exact")
    for row, mine in zip(rows, got.itertuples(), strict=True):
        other = kendalltau(np.arange(n), row, method="exact")
        assert (mine.tau, mine.p) == pytest.approx((other.statistic, other.pvalue), rel=1e-12)


@LAWS
@given(st.lists(st.lists(st.one_of(st.integers(0, 4), st.none()), min_size=6, max_size=6), min_size=1, max_size=5))
def test_tau_z_and_slope_are_scipys_with_ties_and_gaps(rows):
    """scipy has z without the continuity correction: |S| against |S| - 1; the variance is the same."""
    years = np.array([2000, 2001, 2003, 2004, 2009, 2010])
    rows = np.array(rows, dtype=float)
    for row, mine in zip(rows, mann_kendall(panel(rows, years)).itertuples(), strict=True):
        some = ~np.isnan(row)
        assert (mine.n_years, mine.n_missing) == (some.sum(), 6 - some.sum())
        if some.sum() < 2:
            assert np.isnan([mine.s, mine.variance, mine.z, mine.p, mine.tau, mine.sen_slope]).all()
            continue
        assert mine.sen_slope == pytest.approx(theilslopes(row[some], years[some]).slope, abs=1e-12)
        if np.ptp(row[some]) == 0:
            assert (mine.s, mine.z, mine.p) == (0, 0, 1)
            assert np.isnan(mine.tau)
            continue
        if some.sum() == 2:  # scipy divides by zero; V = 2*1*9/18 = 1, the continuity correction leaves z = 0
            assert (abs(mine.s), mine.variance, mine.z, mine.p) == (1, 1, 0, 1)
            continue
        other = kendalltau(years[some], row[some], method="asymptotic")
        assert mine.tau == pytest.approx(other.statistic, abs=1e-12)
        assert norm.sf(abs(mine.s) / np.sqrt(mine.variance)) * 2 == pytest.approx(other.pvalue, rel=1e-9)


@LAWS
@given(
    st.lists(st.lists(st.integers(-3, 3), min_size=7, max_size=7), min_size=2, max_size=5),
    st.randoms(use_true_random=False),
)
def test_shuffling_changes_nothing_and_turning_the_sign_turns_the_trend(rows, shuffler):
    y = panel(rows)
    plain = mann_kendall(y)
    order = list(range(len(y)))
    shuffler.shuffle(order)
    pd.testing.assert_frame_equal(mann_kendall(y.iloc[order]).loc[plain.index], plain, check_exact=True)
    turned = mann_kendall(-y)
    for name in ("s", "z", "tau", "sen_slope"):
        np.testing.assert_array_equal(turned[name], -plain[name])
    np.testing.assert_array_equal(turned["p"], plain["p"])


def test_false_alarms_of_the_exact_test_are_what_they_say():
    """4,000 random orders of 8 years at p <= 0.1: the exact chance is 0.1 or less; 5 sd above is one in 3 million."""
    rng = np.random.default_rng(1)
    got = mann_kendall(panel(rng.random((4000, 8))), p="exact")
    assert 0.05 < (got["p"] <= 0.10).mean() < 0.10 + 5 * np.sqrt(0.1 * 0.9 / 4000)


def test_absent_years_are_counted_as_missing_ones():
    y = panel([[1, 2, 3, 4], [1, np.nan, 3, 4]]).dropna()
    assert mann_kendall(y)["n_missing"].tolist() == [0, 1]


def test_blocks_do_not_show(monkeypatch):
    rows = np.random.default_rng(0).integers(0, 5, (30, 6))
    plain = mann_kendall(panel(rows))
    monkeypatch.setattr("kazgeo.trend.BLOCK", 100)
    pd.testing.assert_frame_equal(mann_kendall(panel(rows)), plain, check_exact=True)


@pytest.mark.parametrize(
    ("given_panel", "words"),
    [
        (pd.Series([1.0, 2.0], index=["a", "b"]), r"index levels \(region, year\)"),
        (panel([[1, 2]]).to_frame(), r"index levels \(region, year\); got DataFrame"),
        (panel([[1, 2]], years=["y1", "y2"]), "years that are numbers"),
        (panel([[1, np.inf]]), "panel must be finite"),
        (pd.concat([panel([[1, 2]])] * 2), "repeated"),
        (panel([[1, 2]], years=[2001.0, np.nan]), "without a year: 1"),
    ],
)
def test_faults_are_named(given_panel, words):
    with pytest.raises(InputError, match=words):
        mann_kendall(given_panel)


def test_a_strange_way_to_p_is_refused():
    with pytest.raises(InputError, match="did you mean 'exact'"):
        mann_kendall(panel([[1, 2]]), p="exct")
