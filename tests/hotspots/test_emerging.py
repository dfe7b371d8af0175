"""Emerging hot spots: the seventeen published definitions, Gi* by brute force, laws, hostile input.

Definitions: ArcGIS Pro, "How Emerging Hot Spot Analysis works",
https://pro.arcgis.com/en/pro-app/latest/tool-reference/space-time-pattern-mining/learnmoreemerging.htm
"""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, norm

from kazgeo.errors import InputError
from kazgeo.hotspots.emerging import CATEGORIES, PATTERNS, classify, emerging_hot_spots
from kazgeo.trend import mann_kendall
from kazgeo.weights import Weights

LAWS = settings(max_examples=25, deadline=None, derandomize=True)
FEW = {"permutations": 99, "rng": 5}
WAYS = {"permutation": {"p": "permutation", **FEW}, "normal": {"p": "normal"}}

# What the definitions say of a unit over ten years: + hot, - cold, . neither; the trend of its z-scores.
TABLE = [
    # hot in the final step, never before
    (".........+", 0, "new"),
    ("-..-.....+", 0, "new"),
    # one uninterrupted run of at least two in the final steps, never before, less than 90 %
    ("........++", 0, "consecutive"),
    (".-++++++++", 1, "consecutive"),
    # 90 %, the final step included, intensity rising
    ("++++++++++", 1, "intensifying"),
    ("+++.++++++", 1, "intensifying"),
    # 90 %, no trend
    ("++++++++++", 0, "persistent"),
    (".+++++++++", 0, "persistent"),
    # 90 %, the final step included, intensity falling
    ("++++++++++", -1, "diminishing"),
    ("++++-+++++", -1, "diminishing"),
    # hot in the final step, on and off before, less than 90 %, never cold
    ("+..+.....+", 0, "sporadic"),
    ("++++++..++", 1, "sporadic"),
    # hot in the final step, cold before, less than 90 %
    ("+..-.....+", 0, "oscillating"),
    ("---+.++.++", 0, "oscillating"),
    # not hot in the final step, at least 90 % hot
    ("+++++++++.", 0, "historical"),
    ("+++++++++.", 1, "historical"),
    ("+++++++++.", -1, "historical"),
]
VALUE = {"+": 1, "-": -1, ".": 0}


@pytest.mark.parametrize(("years", "trend", "pattern"), TABLE)
def test_the_published_definitions(years, trend, pattern):
    spots, p = [VALUE[sign] for sign in years], 0.02 if trend else 0.7
    assert classify(spots, 2.3 * trend, p) == f"{pattern}-hot"
    assert classify([-s for s in spots], -2.3 * trend, p) == f"{pattern}-cold"


@pytest.mark.parametrize("years", ["..........", "+++++.....", "++++++++..", "++++----..", ".--++----."])
def test_neither_hot_nor_cold_in_the_end_and_no_long_history_is_no_pattern(years):
    assert classify([VALUE[sign] for sign in years], 2.3, 0.02) == "no-pattern"


def test_the_table_names_all_eight_patterns():
    assert {pattern for *_, pattern in TABLE} == set(PATTERNS)
    assert len(CATEGORIES) == 17 + 1  # and "undefined"


def test_ninety_per_cent_of_twelve_years_are_eleven():
    assert classify([0] + [1] * 11, 0, 1) == "persistent-hot"
    assert classify([0, 0] + [1] * 10, 0, 1) == "consecutive-hot"
    assert classify([1] * 11 + [0], 0, 1) == "historical-hot"
    assert classify([1] * 10 + [0, 0], 0, 1) == "no-pattern"


def test_a_trend_must_reach_the_level():
    assert classify([1] * 4, 1.698, 0.0894) == "intensifying-hot"
    assert classify([1] * 4, 1.698, 0.0894, alpha=0.05) == "persistent-hot"
    assert classify([1] * 4, np.nan, np.nan) == "persistent-hot"


def fits(pattern, spots, trend):
    """Whether the published text of a hot pattern is true of the years: independent of the code under test."""
    hot = [s == 1 for s in spots]
    share, last = sum(hot) / len(hot), hot[-1]
    run = next((i for i, h in enumerate(reversed(hot)) if not h), len(hot))
    most = share >= 0.9 - 1e-9
    return {
        "new": last and not any(hot[:-1]),
        "consecutive": run >= 2 and not any(hot[: len(hot) - run]) and not most,
        "intensifying": most and last and trend > 0,
        "persistent": most and trend == 0,
        "diminishing": most and last and trend < 0,
        "sporadic": last and any(hot[:-1]) and not most and -1 not in spots,
        "oscillating": last and -1 in spots and not most,
        "historical": not last and most,
    }[pattern]


@pytest.mark.parametrize("n", [1, 2, 4, 6])
def test_every_history_gets_a_category_whose_text_is_true_of_it(n):
    for spots in product((-1, 0, 1), repeat=n):
        for trend in (-1, 0, 1):
            pattern, _, heat = classify(spots, float(trend), 0.01 if trend else 0.9).rpartition("-")
            true = {
                (name, side)
                for side, sign in (("hot", 1), ("cold", -1))
                for name in PATTERNS
                if fits(name, [sign * s for s in spots], sign * trend)
            }
            if pattern == "no":
                assert not true
            else:
                assert (pattern, heat) in true


@pytest.mark.parametrize("spots", [[], [2], [0.5], [np.nan], [[1, 0]]])
def test_other_codes_are_refused(spots):
    with pytest.raises(InputError, match="spots must hold 1, 0 or -1"):
        classify(spots, 0, 1)


def ring(n):
    ids = [f"u{i:02d}" for i in range(n)]
    return Weights.from_pairs(ids, [(ids[i], ids[(i + 1) % n]) for i in range(n)])


def panel(ids, values, years=None):
    years = range(2010, 2010 + np.shape(values)[1]) if years is None else years
    index = pd.MultiIndex.from_product([list(ids), years], names=["region", "year"])
    return pd.Series(np.asarray(values, dtype=float).ravel(), index=index)


def brute_gi(table, adjacency, back):
    """Gi* of every bin by the sums of Ord and Getis (1995), loops only."""
    n, k = table.shape
    every = table[~np.isnan(table)]
    m, mean, s = len(every), every.mean(), every.std()
    out = np.full((n, k), np.nan)
    for i, t in product(range(n), range(k)):
        if np.isnan(table[i, t]) or not adjacency[i].any():
            continue
        near = [
            table[j, u]
            for j in range(n)
            for u in range(max(0, t - back), t + 1)
            if (adjacency[i, j] or i == j) and not np.isnan(table[j, u])
        ]
        w = len(near)
        if 1 < w < m:
            out[i, t] = (sum(near) - w * mean) / (s * np.sqrt((m * w - w**2) / (m - 1)))
    return out


@pytest.mark.parametrize("back", [0, 1, 2, 9])
def test_gi_star_of_bins_is_that_of_brute_force(back):
    rng = np.random.default_rng(2)
    table = rng.normal(size=(7, 5))
    table[1, 2] = table[3, 4] = table[3, 3] = np.nan
    adjacency = rng.random((7, 7)) < 0.3
    np.fill_diagonal(adjacency, False)
    adjacency[5] = False  # no neighbour of its own, though others have it
    adjacency[2, 5] = True
    ids = list("abcdefg")
    links = adjacency.astype(float)
    np.fill_diagonal(links, [0, 2, 0, 0, 0, 3, 0])  # self weights play no part
    got = emerging_hot_spots(panel(ids, table), Weights.from_matrix(pd.Index(ids), links * 0.7), back=back, **FEW)
    want = brute_gi(table, adjacency, back)
    np.testing.assert_allclose(got.bins["value"].to_numpy().reshape(7, 5), want, rtol=1e-10)
    assert got.reason["f"] == "no-neighbour"
    assert set(got.bins["label"].to_numpy().reshape(7, 5)[5]) == {"isolate"}


def test_normal_p_is_corrected_over_all_bins_and_labelled_at_three_levels():
    table = np.random.default_rng(4).normal(size=(12, 6))
    table[:3] += 2.5
    table[6:9, 3:] -= 2
    got = emerging_hot_spots(panel(ring(12).ids, table), ring(12), p="normal")
    z = got.bins["value"].to_numpy()
    np.testing.assert_allclose(got.bins["p"], 2 * norm.sf(np.abs(z)), rtol=1e-9)
    corrected = false_discovery_control(2 * norm.sf(np.abs(z)))
    np.testing.assert_allclose(got.bins["p_adjusted"], corrected, rtol=1e-9)
    sure = np.select([corrected <= 0.01, corrected <= 0.05, corrected <= 0.10], ["99", "95", "90"], "")
    want = [f"{'hot' if v > 0 else 'cold'}-{c}" if c else "not significant" for v, c in zip(z, sure, strict=True)]
    assert got.bins["label"].tolist() == want
    hot = np.array([label.startswith("hot") for label in want]).reshape(12, 6)
    assert got.n_hot_years.tolist() == hot.sum(axis=1).tolist()
    assert {"hot", "cold", "not significant"} <= {label.split("-")[0] for label in want}
    assert got.parameters["permutations"] is None
    assert not got.cannot_pass


def test_trend_is_mann_kendall_of_the_z_scores_and_the_category_that_of_the_codes():
    rng = np.random.default_rng(7)
    table = rng.normal(size=(15, 8)) + np.outer(np.r_[np.full(5, 1.0), np.zeros(10)], np.linspace(0, 4, 8))
    got = emerging_hot_spots(panel(ring(15).ids, table), ring(15), permutations=999, rng=3)
    trend = mann_kendall(got.bins["value"])
    np.testing.assert_allclose(got.trend_z, trend["z"])
    np.testing.assert_allclose(got.trend_p, trend["p"])
    for unit, bins in got.bins.groupby(level=0):
        codes = [(p <= 0.1) * int(np.sign(v)) for v, p in zip(bins["value"], bins["p_adjusted"], strict=True)]
        assert got.category[unit] == classify(codes, got.trend_z[unit], got.trend_p[unit])
    assert got.counts.sum() == 15
    assert got.counts.index.tolist() == list(CATEGORIES)


@st.composite
def panels(draw):
    n, k = draw(st.integers(5, 8)), draw(st.integers(4, 6))
    values = draw(st.lists(st.integers(-4, 4), min_size=n * k, max_size=n * k))
    table = np.array(values, dtype=float).reshape(n, k)
    table[0, 0], table[1, 1] = 7, -7
    if draw(st.booleans()):
        table[draw(st.integers(0, n - 1)), draw(st.integers(0, k - 1))] = np.nan
    if draw(st.booleans()):
        table[2] += 8
        table[3] += 8
    return table, draw(st.sampled_from(["permutation", "normal"]))


def mirrored(words):
    swap = {"hot": "cold", "cold": "hot"}
    return ["-".join(swap.get(part, part) for part in word.split("-")) for word in words]


@pytest.mark.slow
@LAWS
@given(panels(), st.randoms(use_true_random=False))
def test_order_and_names_of_years_change_nothing_and_the_sign_mirrors(example, shuffler):
    table, way = example
    weights = ring(len(table))
    y = panel(weights.ids, table)
    plain = emerging_hot_spots(y, weights, **WAYS[way])
    rows, ids = list(range(len(y))), list(weights.ids)
    shuffler.shuffle(rows)
    shuffler.shuffle(ids)
    again = emerging_hot_spots(y.iloc[rows], weights.reindex(ids), **WAYS[way])
    pd.testing.assert_frame_equal(again.bins.loc[plain.bins.index], plain.bins, check_exact=True)
    pd.testing.assert_frame_equal(again.to_frame().loc[plain.category.index], plain.to_frame(), check_exact=True)
    assert again.bins.index.equals(y.index[rows])
    years = [f"y{chr(97 + i)}" for i in range(table.shape[1])]
    named = emerging_hot_spots(panel(weights.ids, table, years), weights, **WAYS[way])
    pd.testing.assert_frame_equal(named.to_frame(), plain.to_frame(), check_exact=True)
    turned = emerging_hot_spots(-y, weights, **WAYS[way])
    assert turned.category.tolist() == mirrored(plain.category)
    assert turned.bins["label"].tolist() == mirrored(plain.bins["label"])
    np.testing.assert_array_equal(turned.n_cold_years, plain.n_hot_years)


@pytest.mark.parametrize(("scale", "shift"), [(3.7, 0.0), (0.1, 1e4), (1e-7, 0.3), (1e9, -5e11)])
def test_units_of_the_values_change_nothing(scale, shift):
    """Whole numbers over few neighbours make equal z-scores by the dozen: rounding must not turn them into trends."""
    table = np.random.default_rng(2).integers(0, 3, (30, 8)).astype(float)
    table[:6] += 3
    y = panel(ring(30).ids, table)
    plain = emerging_hot_spots(y, ring(30), **FEW)
    z = plain.bins["value"].unstack().to_numpy()
    assert (np.diff(np.sort(z.round(6), axis=1), axis=1) == 0).sum() > 30
    again = emerging_hot_spots(y * scale + shift, ring(30), **FEW)
    assert again.trend_z.tolist() == plain.trend_z.tolist()
    assert again.category.tolist() == plain.category.tolist()
    assert again.bins["p"].tolist() == plain.bins["p"].tolist()


def test_gaps_are_counted_and_leave_what_they_must_undefined():
    table = np.random.default_rng(0).normal(size=(8, 6))
    table[0, :3] = np.nan  # three years left
    table[1, 5] = np.nan  # no last year
    table[2, 1] = np.nan  # five years left
    y = panel(ring(8).ids, table)
    got = emerging_hot_spots(y, ring(8), **FEW)
    assert got.reason.iloc[:3].tolist() == ["few-years", "no-last-year", None]
    assert got.category.iloc[:2].tolist() == ["undefined"] * 2
    assert got.category.iloc[2] != "undefined"
    assert got.n_years.iloc[:3].tolist() == [3, 5, 5]
    bins = got.dropped[got.dropped["year"].notna()]
    assert (len(bins), set(bins["reason"])) == (5, {"missing value"})
    assert got.dropped[got.dropped["year"].isna()]["unit"].tolist() == ["u00", "u01"]
    absent = emerging_hot_spots(y.dropna(), ring(8), **FEW)
    pd.testing.assert_frame_equal(absent.to_frame(), got.to_frame(), check_exact=True)


def test_one_year_leaves_all_undefined():
    got = emerging_hot_spots(panel(ring(6).ids, np.arange(6.0)[:, None]), ring(6), **FEW)
    assert set(got.category) == {"undefined"}
    assert set(got.reason) == {"few-years"}
    assert got.bins["value"].notna().all()


def test_constant_values_leave_all_undefined():
    for way in ("permutation", "normal"):
        got = emerging_hot_spots(panel(ring(6).ids, np.ones((6, 5))), ring(6), **WAYS[way])
        assert set(got.category) == {"undefined"}
        assert set(got.reason) == {"no-variation"}
        assert got.bins["p"].isna().all()


def test_too_few_draws_are_told():
    table = np.random.default_rng(0).normal(size=(30, 6))
    assert emerging_hot_spots(panel(ring(30).ids, table), ring(30), permutations=9, rng=1).cannot_pass
    assert not emerging_hot_spots(panel(ring(30).ids, table), ring(30), permutations=9999, rng=1).cannot_pass


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"back": -1}, "back must be a whole number of at least 0"),
        ({"back": 1.5}, "back must be a whole number"),
        ({"min_years": 0}, "min_years must be a whole number of at least 1"),
        ({"p": "norm"}, "did you mean 'normal'"),
        ({"alpha": 10}, "10 % is 0.1"),
        ({"p": "normal"}, "p = 'normal' draws nothing, so 'permutations', 'rng' can't have an effect"),
        ({"y": pd.Series([1.0, 2], pd.MultiIndex.from_tuples([("u00", 2020), ("u01", "2021")]))}, "one type.*int, str"),
        ({"permutation": 9}, "did you mean 'permutations'"),
        ({"y": panel(["u00", "zz"], np.ones((2, 4)))}, "regions that the weights lack: 'zz'"),
        ({"y": panel(ring(6).ids, np.full((6, 4), np.nan))}, "at least 3 units; got 0 of 24"),
        ({"y": pd.Series([1.0], index=["u00"])}, r"index levels \(region, year\)"),
    ],
)
def test_faults_are_named(change, words):
    call = {"y": panel(ring(6).ids, np.random.default_rng(0).normal(size=(6, 4))), "weights": ring(6), **FEW} | change
    with pytest.raises(InputError, match=words):
        emerging_hot_spots(call.pop("y"), call.pop("weights"), **call)


@pytest.mark.parametrize(("back", "share"), [(0, 0.09), (1, 0.23), (2, 0.33)])
def test_the_trend_of_independent_values_alarms_as_often_as_the_docstring_says(back, share):
    """8 runs of 225 units; one run has a standard deviation of 0.035 at most, so 5 sd of the mean are 0.06."""
    ids = [f"{i:02d}{j:02d}" for i in range(15) for j in range(15)]
    pairs = [(a, b) for a in ids for b in (f"{int(a[:2]) + 1:02d}{a[2:]}", f"{a[:2]}{int(a[2:]) + 1:02d}") if b in ids]
    grid = Weights.from_pairs(ids, pairs)
    runs = [np.random.default_rng(seed).normal(size=(225, 15)) for seed in range(8)]
    found = [emerging_hot_spots(panel(ids, table), grid, p="normal", back=back).trend_p <= 0.1 for table in runs]
    assert np.mean(found) == pytest.approx(share, abs=0.06)
