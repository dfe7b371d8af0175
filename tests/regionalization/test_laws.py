"""Laws that hold whatever the data, and what is said when something can't be done."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from importlib import import_module
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kazgeo.errors import Cancelled, InputError
from kazgeo.regionalization import azp, kmedoids, max_p, quality, skater, suggest_regions, ward
from kazgeo.weights import Weights

LAWS = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
ONES = pd.Series(1.0, index=[f"r{i}" for i in range(8)])
DRAWN = {azp, kmedoids, max_p}


@st.composite
def maps(draw):
    """Values on a coarse grid (many ties) with gaps; links may leave several parts and isolates."""
    n = draw(st.integers(6, 14))
    ids = draw(st.permutations([f"r{i:02d}" for i in range(n)]))
    cells = draw(st.lists(st.tuples(st.integers(-2, 2), st.integers(-2, 2)), min_size=n, max_size=n))
    values = pd.DataFrame(np.array(cells, dtype=float), index=ids, columns=["income", "doctors"])
    values.iloc[0], values.iloc[1] = [5.0, -5.0], [-5.0, 5.0]
    if draw(st.booleans()):
        values.iloc[draw(st.integers(2, n - 1)), 0] = np.nan
    links = draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), min_size=n, max_size=4 * n))
    rows, cols = np.array(links).T
    return values, Weights.from_arrays(values.index, rows, cols)


def run(method, values, weights, parts, **more):
    """Ask for two regions more than the map has parts, or for max-p of two units and more."""
    options = ({"rng": 3} if method in DRAWN else {}) | ({"starts": 2} if method in DRAWN else {}) | more
    if method is max_p:
        return method(values, weights, trees=20, **{"min_size": 2} | options)
    return method(values, weights, n_regions=parts + 2, **options)


def used_parts(values, weights):
    return Weights.subset(weights, values.dropna().index).n_components


@LAWS
@given(maps(), st.randoms(use_true_random=False), st.sampled_from([skater, azp, ward, kmedoids, max_p]))
def test_regions_are_connected_hold_every_unit_and_never_depend_on_the_order_of_rows(example, shuffler, method):
    values, weights = example
    parts = used_parts(values, weights)
    if parts + 2 > values.notna().all(axis=1).sum():
        return
    try:
        got = run(method, values, weights, parts)
    except InputError:
        assert method is max_p
        assert 1 in np.bincount(weights.subset(values.dropna().index).component_labels)  # a part of one unit
        return
    assert got.region.notna().equals(values.notna().all(axis=1))
    assert got.dropped["unit"].tolist() == values.index[values.isna().any(axis=1)].tolist()
    assert sorted(got.region.dropna().unique()) == list(range(1, got.n_regions + 1))
    sizes = got.region.value_counts().sort_index()
    assert sizes.is_monotonic_decreasing
    assert method is max_p or got.n_regions == parts + 2
    assert method is not max_p or sizes.min() >= 2
    seen = quality(got, values, weights)
    assert (seen.regions["pieces"] == 1).all()
    assert seen.within_ss == pytest.approx(got.within_ss, abs=1e-9)
    mixed, other = list(values.index), list(values.index)
    shuffler.shuffle(mixed)
    shuffler.shuffle(other)
    again = run(method, values.loc[mixed], weights.reindex(other), parts)
    pd.testing.assert_frame_equal(got.to_frame(), again.to_frame().loc[values.index])
    pd.testing.assert_frame_equal(got.profile, again.profile, check_exact=True)
    assert (got.within_ss, got.total_ss) == (again.within_ss, again.total_ss)


def test_limits_are_kept_or_refused():
    kept = []

    @LAWS
    @given(maps(), st.integers(1, 3), st.sampled_from([skater, azp, ward, kmedoids]))
    def law(example, least, method):
        values, weights = example
        upper = {"max_size": 6} if method in {skater, azp} else {}
        try:
            got = run(method, values, weights, used_parts(values, weights), min_size=least, **upper)
        except InputError:
            return
        kept.append(least)
        assert got.profile["size"].min() >= least
        assert got.profile["size"].max() <= upper.get("max_size", 99)

    law()
    assert len(kept) >= 12
    assert max(kept) > 1


def line(n=8):
    ids = [f"r{i}" for i in range(n)]
    values = pd.DataFrame({"income": [float(i * i) for i in range(n)]}, index=ids)
    return values, Weights.from_pairs(ids, list(pairwise(ids)))


@pytest.mark.parametrize("method", [skater, azp, ward, kmedoids])
def test_parts_that_do_not_touch_are_told_with_what_to_do(method):
    values, weights = line()
    apart = Weights.from_pairs(values.index, [("r0", "r1"), ("r1", "r2"), ("r3", "r4"), ("r4", "r5"), ("r5", "r6")])
    with pytest.raises(InputError, match=r"at least 3: the map has 3 parts .*smallest: 'r7'.*isolates='nearest'"):
        method(values, apart, n_regions=2)
    got = method(values, apart, n_regions=3)
    assert got.region.tolist() == [2, 2, 2, 1, 1, 1, 1, 3]
    with pytest.raises(InputError, match=r"1 of the 3 parts .* lower limit, units 'r7'"):
        method(values, apart, n_regions=3, min_size=2)
    assert weights.n_components == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"n_regions": 0}, "n_regions must be a whole number of at least 1"),
        ({"n_regions": 9}, r"must not exceed the number of used units \(8\); got 9"),
        ({"n_regions": 3, "min_size": 3}, "3 regions of at least 3 units need 9; got 8 units"),
        ({"n_regions": 2, "max_size": 3}, "2 regions of at most 3 units hold 6; got 8 units"),
        ({"n_regions": 2, "min_size": 5, "max_size": 4}, "min_size must not exceed max_size"),
        ({"n_regions": 2, "floor_min": 5.0}, "belong together"),
        ({"n_regions": 2, "scale": "zz"}, "scale 'zz' is not one of the choices"),
        ({"n_regions": 2, "minsize": 2}, "unknown option 'minsize'"),
        ({"n_regions": 2, "floor": ONES, "floor_min": 5.0}, "need 10; got 8"),
        ({"n_regions": 2, "floor": pd.Series([1.0]), "floor_min": 5.0}, "lacks 8: 'r0'"),
        ({"n_regions": 2, "floor": -ONES, "floor_min": 5.0}, "negative"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_the_reason(options, said):
    values, weights = line()
    for method in (skater, azp):
        with pytest.raises(InputError, match=said):
            method(values, weights, **options)


def test_a_star_cannot_be_cut_under_a_lower_limit_and_the_error_says_what_can_be_reached():
    ids = list("abcdefg")
    star = Weights.from_pairs(ids, [("a", b) for b in ids[1:]])
    values = pd.DataFrame({"income": [0.0, 1, 2, 3, 4, 5, 6]}, index=ids)
    with pytest.raises(InputError, match="its spanning tree allows only 1 region;"):
        skater(values, star, n_regions=2, min_size=2)
    with pytest.raises(InputError, match="on any of 61 spanning trees"):
        azp(values, star, n_regions=2, min_size=2)
    with pytest.raises(InputError, match="opens into 1 regions at most"):
        ward(values, star, n_regions=2, min_size=2)
    with pytest.raises(InputError, match="none of 10 searches"):
        kmedoids(values, star, n_regions=2, min_size=2, rng=1)


def test_values_must_fit_the_weights_and_vary():
    values, weights = line()
    with pytest.raises(InputError, match="values lack 1: 'r7'"):
        skater(values.iloc[:-1], weights, n_regions=2)
    with pytest.raises(InputError, match="the same everywhere: 'flat'"):
        skater(values.assign(flat=3.0), weights, n_regions=2)
    with pytest.raises(InputError, match="must be a DataFrame"):
        skater(values["income"], weights, n_regions=2)
    with pytest.raises(InputError, match=r"indicator 'income' must be finite; infinite at units 'r2'"):
        skater(values.replace(4.0, np.inf), weights, n_regions=2)


def test_units_without_a_value_or_a_floor_are_set_aside_and_told():
    values, weights = line()
    values.loc["r0"] = np.nan
    floor = pd.Series(10.0, index=values.index).mask(values.index == "r7")
    got = skater(values, weights, n_regions=2, floor=floor, floor_min=20)
    assert got.dropped.values.tolist() == [["r0", "missing value of income"], ["r7", "missing floor"]]
    assert got.label[["r0", "r7"]].tolist() == ["undefined", "undefined"]
    assert got.region.isna().sum() == 2


def test_scales_are_what_they_say():
    values, weights = line()
    x = values["income"]
    deviations = ((x - x.mean()) ** 2).sum()
    want = {"z": 7.0, "none": deviations, "range": deviations / np.ptp(x) ** 2,
            "mad": deviations / (x - x.mean()).abs().mean() ** 2}  # fmt: skip
    for scale, total in want.items():
        assert skater(values, weights, n_regions=2, scale=scale).total_ss == pytest.approx(total, rel=1e-12)


def test_the_same_seed_gives_the_same_regions_and_is_stored():
    values, weights = line(30)
    values["noise"] = np.random.default_rng(0).normal(size=30)
    for method, more in ((azp, {"n_regions": 5}), (kmedoids, {"n_regions": 5}), (max_p, {"min_size": 4})):
        first = method(values, weights, **more)
        again = method(values, weights, rng=first.seed, **more)
        pd.testing.assert_series_equal(first.region, again.region)
    assert skater(values, weights, n_regions=3).seed is None


def test_a_given_start_is_improved_or_refused():
    values, weights = line()
    start = pd.Series([1, 2, 2, 2, 2, 2, 2, 2], index=values.index)
    got = azp(values, weights, n_regions=2, start=start)
    assert got.within_ss < (values["income"].iloc[1:].var() * 6) / values["income"].var()
    assert got.seed is None
    for bad, said in (
        (start.iloc[1:], "none for 'r0'"), (start * 0, "n_regions = 2 regions; got 1"),
        (pd.Series([1, 2, 1, 2, 2, 2, 2, 2], index=values.index), "in several pieces: 1, 2"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=said):
            azp(values, weights, n_regions=2, start=bad)
    with pytest.raises(InputError, match="must keep the limits; broken by region 1"):
        azp(values, weights, n_regions=2, start=start, min_size=2)


@pytest.mark.parametrize(
    ("method", "options", "inside"),
    [
        (azp, {"n_regions": 2, "rng": 1}, "moves"),
        (azp, {"n_regions": 2, "start": pd.Series([1] * 4 + [2] * 4, [f"r{i}" for i in range(8)])}, "moves"),
        (kmedoids, {"n_regions": 2, "rng": 1}, "medoids"),
        (max_p, {"min_size": 3, "rng": 1}, "moves"),
        (suggest_regions, {"method": "azp", "k_range": (2, 3), "rng": 1}, "moves"),
    ],
)
def test_progress_rises_and_can_cancel_inside_a_search(method, options, inside, monkeypatch):
    values, weights = line()
    want = method(values, weights, **options)
    monkeypatch.setattr(import_module("kazgeo.regionalization.azp"), "VISITS", 1)  # a report after every move
    told = []
    got = method(values, weights, **options, progress=lambda fraction, message: told.append((fraction, message)))
    assert getattr(got, "result", got).region.equals(getattr(want, "result", want).region)
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    at = next(i for i, (_, message) in enumerate(told) if message == inside)

    def stop(fraction, message):
        if message == inside:
            raise Cancelled(message)

    assert at < len(told) - 2
    with pytest.raises(Cancelled):
        method(values, weights, **options, progress=stop)


@pytest.mark.parametrize("pool", [ThreadPoolExecutor, pytest.param(ProcessPoolExecutor, marks=pytest.mark.slow)])
@pytest.mark.parametrize("method", [azp, kmedoids, max_p])
def test_searches_give_the_same_regions_on_any_executor(method, pool):
    values, weights = line(20)
    options = {"starts": 4, "rng": 3} | ({"min_size": 3} if method is max_p else {"n_regions": 4})
    want = method(values, weights, **options)
    with pool(2) as executor:
        got = method(values, weights, executor=executor, **options)
    assert got.region.equals(want.region)
    assert got.within_ss == want.within_ss


def test_opposite_weights_make_neighbours_too():
    values, _ = line(4)
    ids = values.index
    rows, cols = np.array([(0, 1), (1, 0), (1, 2), (2, 3)]).T
    weights = Weights.from_arrays(ids, rows, cols, np.array([1.0, -1.0, 2.0, -1.0]))
    assert skater(values, weights, n_regions=2).region.tolist() == [1, 1, 1, 2]


@pytest.mark.parametrize("method", [skater, azp, ward, kmedoids])
def test_a_number_of_numpy_is_a_number(method):
    values, weights = line()
    drawn = {"rng": 1} if method in {azp, kmedoids} else {}
    got = method(values, weights, n_regions=np.int64(3), min_size=np.int32(2), **drawn)
    assert got.region.equals(method(values, weights, n_regions=3, min_size=2, **drawn).region)
    assert type(got.parameters["n_regions"]) is int
    with pytest.raises(InputError, match="n_regions must be a whole number of at least 1; got None"):
        method(values, weights, n_regions=None, **drawn)


@pytest.mark.parametrize("k_range", [3, (2,), (2, 3, 4), (4, 2), (2.0, 4.0), ("2", "4"), None])
def test_a_range_must_be_two_rising_numbers(k_range):
    with pytest.raises(InputError, match="k_range must be two rising whole numbers"):
        suggest_regions(*line(), k_range=k_range)


@pytest.mark.parametrize("name", ["size", "score"])
def test_columns_of_the_profile_are_no_indicators(name):
    values, weights = line()
    with pytest.raises(InputError, match=f"call an indicator '{name}', a column of the profile; rename it"):
        skater(values.rename(columns={"income": name}), weights, n_regions=2)


def test_quality_measures_on_the_scale_of_the_result():
    values, weights = line()
    values["density"] = [3.0, 1, 4, 1, 5, 9, 2, 6]
    got = skater(values, weights, n_regions=3, scale="range")
    seen = quality(got, values, weights)
    assert (seen.within_ss, seen.parameters) == (pytest.approx(got.within_ss), {"scale": "range"})
    assert quality(got, values, weights, scale="z").within_ss != pytest.approx(got.within_ss)
    assert quality(got.region, values, weights).parameters == {"scale": "z"}


def test_profile_is_the_mean_in_the_indicators_own_unit():
    values, weights = line()
    got = skater(values, weights, n_regions=2)
    want = values.groupby(got.region)["income"].mean()
    assert got.profile["income"].tolist() == pytest.approx(want.tolist())
    z = (want - values["income"].mean()) / values["income"].std()
    assert got.profile_z["income"].tolist() == pytest.approx(z.tolist())
    assert got.ranked({"income": -1}).index.tolist() == z.sort_values().index.tolist()


def test_suggestion_takes_every_method_and_keeps_the_reasons_of_what_failed():
    values, weights = line()
    for method in ("skater", "azp", "ward", "kmedoids"):
        got = suggest_regions(values, weights, method=method, k_range=(2, 9), min_size=2, rng=1)
        assert got.table.loc[5:, "reason"].str.len().min() > 10
        assert got.result.n_regions == got.n_regions == got.table["pseudo_f"].astype(float).idxmax()
    with pytest.raises(InputError, match="did you mean 'skater'"):
        suggest_regions(values, weights, method="skatter")
    with pytest.raises(InputError, match="k_range must be"):
        suggest_regions(values, weights, k_range=(5, 3))


def test_where_the_count_of_parts_is_only_bounded_limits_are_kept_or_refused_all_the_same(monkeypatch):
    monkeypatch.setattr(import_module("kazgeo.regionalization.tree"), "WORK", 0.0)
    rng = np.random.default_rng(2)
    links = [(i, i + 1) for i in range(48) if i % 7 < 6] + [(i, i + 7) for i in range(42)]
    weights = Weights.from_pairs(range(49), links)
    reached = 0
    for _ in range(20):
        values = pd.DataFrame(rng.normal(size=(49, 2)), columns=["income", "doctors"])
        try:
            sizes = skater(values, weights, n_regions=5, min_size=5, max_size=14).profile["size"]
        except InputError as fault:
            assert "was not reached" in str(fault)  # noqa: PT017
            continue
        assert len(sizes) == 5
        assert 5 <= sizes.min() <= sizes.max() <= 14
        reached += 1
    assert reached > 0
