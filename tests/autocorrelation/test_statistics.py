"""Behaviour of global and local Moran and of Gi*: labels, gaps, options, hostile input."""

import numpy as np
import pandas as pd
import pytest

from kazgeo.autocorrelation import local_geary, local_moran, moran, moran_by_year
from kazgeo.autocorrelation.significance import Alternative, Correction, adjusted, pseudo_p
from kazgeo.errors import InputError
from kazgeo.hotspots import getis_ord
from kazgeo.weights import Weights

STATISTICS = [moran, local_moran, getis_ord]
LOCAL = [local_moran, getis_ord]


def lattice(side):
    grid = np.arange(side * side).reshape(side, side)
    pairs = [
        (grid[:, :-1], grid[:, 1:]),
        (grid[:-1], grid[1:]),
        (grid[:-1, :-1], grid[1:, 1:]),
        (grid[:-1, 1:], grid[1:, :-1]),
    ]
    a = np.concatenate([left.ravel() for left, _ in pairs])
    b = np.concatenate([right.ravel() for _, right in pairs])
    ids = pd.Index([f"u{i:03d}" for i in range(side * side)])
    return Weights.from_arrays(ids, np.r_[a, b], np.r_[b, a])


@pytest.fixture(scope="module")
def queen():
    return lattice(9)


@pytest.fixture
def smooth(queen):
    row, col = np.divmod(np.arange(81), 9)
    return pd.Series(row + 2.0 * col + np.random.default_rng(5).normal(size=81), index=queen.ids)


def test_a_clustered_map_is_called_clustered(queen, smooth):
    found = moran(smooth, queen, permutations=999, rng=1)
    assert found.I > 0.7
    assert found.p == 0.002  # two-sided: twice 1 / 1000
    assert found.p_randomization < 1e-9
    assert found.n == 81


def test_local_results_find_the_high_and_the_low_end(queen, smooth):
    moran_label = local_moran(smooth, queen, rng=1).label
    spots = getis_ord(smooth, queen, rng=1)
    assert (moran_label["u080"], moran_label["u000"]) == ("high-high", "low-low")
    assert (spots.label["u080"], spots.label["u000"]) == ("hot-99", "cold-99")
    assert spots.n_hot + spots.n_cold + (spots.label == "not significant").sum() == 81


@pytest.mark.parametrize("statistic", STATISTICS)
def test_weights_and_values_of_the_caller_are_not_changed(statistic, queen, smooth):
    graph = queen.to_libpysal()
    before, values = graph.adjacency.copy(), smooth.copy()
    data = queen.data.copy()
    statistic(smooth, graph, permutations=9, rng=1)
    statistic(smooth, queen, permutations=9, rng=1)
    pd.testing.assert_series_equal(graph.adjacency, before)
    pd.testing.assert_series_equal(smooth, values)
    np.testing.assert_array_equal(queen.data, data)


@pytest.mark.parametrize("statistic", LOCAL)
def test_a_libpysal_graph_gives_the_same_numbers(statistic, queen, smooth):
    ours, theirs = (statistic(smooth, w, permutations=99, rng=1).to_frame() for w in (queen, queen.to_libpysal()))
    pd.testing.assert_frame_equal(ours, theirs)


@pytest.mark.parametrize("statistic", LOCAL)
def test_missing_values_and_isolates_are_set_apart_and_told(statistic, queen, smooth):
    lonely = Weights.from_arrays(queen.ids.append(pd.Index(["island"])), *queen.matrix.tocoo().coords)
    y = pd.concat([smooth, pd.Series({"island": 99.0})])
    y["u040"] = np.nan
    found = statistic(y, lonely, permutations=99, rng=1)
    assert found.label[["u040", "island"]].tolist() == ["undefined", "isolate"]
    assert (
        found.to_frame()
        .loc[["u040", "island"]]
        .drop(columns=["label", "quadrant"], errors="ignore")
        .isna()
        .all(axis=None)
    )
    assert found.dropped.to_dict("records") == [
        {"unit": "u040", "reason": "missing value"},
        {"unit": "island", "reason": "no neighbour"},
    ]
    assert found.n_tests == 80
    assert list(found.p.index) == list(y.index)


@pytest.mark.parametrize("statistic", LOCAL)
def test_a_unit_whose_neighbours_are_all_missing_is_an_isolate(statistic, queen, smooth):
    y = smooth.copy()
    y[["u001", "u009", "u010"]] = np.nan
    found = statistic(y, queen, permutations=9, rng=1)
    assert found.label["u000"] == "isolate"
    assert found.dropped.set_index("unit").reason["u000"] == "no neighbour with a value"


@pytest.mark.parametrize("statistic", LOCAL)
@pytest.mark.parametrize("constant", [0.0, 0.1, 1e9, -3.0])
def test_constant_values_are_undefined_never_significant(statistic, constant, queen):
    found = statistic(pd.Series(constant, index=queen.ids), queen, permutations=9, rng=1)
    assert (found.label == "undefined").all()
    assert found.p.isna().all()
    assert found.n_significant == 0
    assert not found.cannot_pass


def test_global_moran_of_constant_values_is_nan(queen):
    found = moran(pd.Series(0.1, index=queen.ids), queen, permutations=9, rng=1)
    assert np.isnan([found.I, found.p, found.p_normality, found.p_randomization]).all()


@pytest.mark.parametrize("statistic", LOCAL)
@pytest.mark.parametrize("kind", ["int64", "Int64", "bool", "boolean", "float32", "Float64"])
def test_every_kind_of_number_works(statistic, kind, queen, smooth):
    whole = (smooth > smooth.median()).astype(int)
    expected = statistic(whole.astype(float), queen, permutations=99, rng=1).to_frame()
    pd.testing.assert_frame_equal(statistic(whole.astype(kind), queen, permutations=99, rng=1).to_frame(), expected)


@pytest.mark.parametrize("statistic", STATISTICS)
@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda y: y.iloc[2:], {}, r"y lacks 2: 'u000', 'u001'"),
        (lambda y: pd.concat([y, pd.Series({"x": 1.0})]), {}, "weights lack 1: 'x'"),
        (lambda y: y.set_axis(range(81)), {}, "ids of y are int64"),
        (lambda y: pd.concat([y, y.iloc[:1]]), {}, "repeated: 'u000'"),
        (lambda y: y * np.nan, {}, "at least 3 units; got 0 of 81"),
        (lambda y: y.where(y.index < "u002"), {}, "at least 3 units; got 2 of 81"),
        (lambda y: y.replace(y.iloc[3], np.inf), {}, "infinite at units 'u003'"),
        (lambda y: y.astype(str), {}, "must hold numbers"),
        (lambda y: y.to_numpy(), {}, "pandas Series"),
        (lambda y: y, {"permutations": 0}, "permutations must be a whole number of at least 1; got 0"),
        (lambda y: y, {"permutations": 9.5}, "permutations"),
        (lambda y: y, {"alternative": "two sided"}, "did you mean 'two-sided'"),
        (lambda y: y, {"transform": "rows"}, "did you mean 'row'"),
        (lambda y: y, {"rng": -4}, "rng"),
    ],
)
def test_bad_input_is_named(statistic, change, options, message, queen, smooth):
    with pytest.raises(InputError, match=message):
        statistic(change(smooth), queen, **options)


@pytest.mark.parametrize("statistic", LOCAL)
@pytest.mark.parametrize(
    ("options", "message"),
    [({"correction": "bh"}, "correction 'bh'"), ({"alpha": 5}, r"5 % is 0.05"), ({"alpha": 0}, "alpha")],
)
def test_bad_options_of_local_statistics_are_named(statistic, options, message, queen, smooth):
    with pytest.raises(InputError, match=message):
        statistic(smooth, queen, **options)


def test_weights_without_links_are_refused_by_the_global_statistic(smooth):
    with pytest.raises(InputError, match="must link some of the 81 units"):
        moran(smooth, Weights.from_pairs(smooth.index, []))


@pytest.mark.parametrize("statistic", LOCAL)
def test_weights_without_links_leave_isolates_only(statistic, smooth):
    assert (statistic(smooth, Weights.from_pairs(smooth.index, [])).label == "isolate").all()


def test_negative_and_endless_weights(queen, smooth):
    negative = Weights(queen.ids, queen.indptr, queen.indices, np.where(queen.indices == 5, -1.0, 1.0))
    with pytest.raises(InputError, match="negative at units 'u004'"):
        local_moran(smooth, negative)
    assert local_moran(smooth, negative, transform="given", permutations=9).n_tests == 81
    with pytest.raises(InputError, match="finite"):
        moran(smooth, Weights(queen.ids, queen.indptr, queen.indices, np.where(queen.indices == 5, np.inf, 1.0)))


def test_no_number_of_draws_too_small_goes_unsaid(queen, smooth):
    few = local_moran(smooth, queen, permutations=99, correction="bonferroni", rng=1)
    assert few.smallest_p == 0.02
    assert few.cannot_pass
    assert few.n_significant == 0 < few.n_significant_unadjusted
    assert not local_moran(smooth, queen, permutations=9_999, correction="bonferroni", rng=1).cannot_pass


def test_row_and_binary_weights_give_the_same_hot_spots(queen, smooth):
    binary, row = (getis_ord(smooth, queen, transform=t, permutations=99, rng=1).to_frame() for t in ("binary", "row"))
    pd.testing.assert_frame_equal(binary, row)


def test_self_weights_count_in_gi_star_only(queen, smooth):
    import scipy.sparse as sp

    with_self = Weights.from_matrix(queen.ids, queen.matrix + sp.eye_array(81))
    pd.testing.assert_series_equal(
        getis_ord(smooth, with_self, transform="given", permutations=9, rng=1).value,
        getis_ord(smooth, queen, permutations=9, rng=1).value,
    )
    pd.testing.assert_frame_equal(
        local_moran(smooth, with_self, permutations=9, rng=1).to_frame(),
        local_moran(smooth, queen, permutations=9, rng=1).to_frame(),
    )


@pytest.mark.parametrize("star", [True, False])
def test_a_unit_that_neighbours_all_others_is_undefined(star):
    ids = list("abcde")
    hub = Weights.from_pairs(ids, [("a", x) for x in "bcde"])
    found = getis_ord(pd.Series([1.0, 2, 3, 5, 8], index=ids), hub, star=star, permutations=99, rng=1)
    assert found.label["a"] == "undefined"
    assert np.isnan(found.p["a"])
    assert found.p.drop("a").notna().all()
    moran = local_moran(pd.Series([1.0, 2, 3, 5, 8], index=ids), hub, permutations=99, rng=1)
    geary = local_geary(pd.Series([1.0, 2, 3, 5, 8], index=ids), hub, permutations=99, rng=1)
    for other in (moran, geary):
        assert other.label["a"] == "undefined"
        assert np.isnan(other.p["a"])
        assert other.p.drop("a").notna().all()


def test_gi_of_a_unit_whose_others_are_all_alike_is_undefined(queen):
    y = pd.Series(0.0, index=queen.ids)
    y["u040"] = 1.0
    assert getis_ord(y, queen, star=False, permutations=9, rng=1).label["u040"] == "undefined"


def test_one_sided_alternatives_look_one_way(queen, smooth):
    clusters = local_moran(smooth, queen, alternative="greater", rng=1).label
    outliers = local_moran(smooth, queen, alternative="less", rng=1).label
    assert set(clusters) == {"high-high", "low-low", "not significant"}
    assert not set(outliers) & {"high-high", "low-low"}
    assert getis_ord(smooth, queen, alternative="greater", rng=1).n_cold == 0
    assert getis_ord(smooth, queen, alternative="less", rng=1).n_hot == 0


def test_directed_p_is_half_of_two_sided(queen, smooth):
    two, one = (local_moran(smooth, queen, alternative=a, rng=1).p for a in ("two-sided", "directed"))
    np.testing.assert_allclose(two, np.minimum(1, 2 * one))


def test_p_never_exceeds_1_even_when_every_draw_ties():
    for side in Alternative:
        assert pseudo_p(np.array([99]), np.array([99]), 99, side)[0] == 1.0


def test_corrections_against_the_definitions():
    p = np.array([0.001, 0.008, 0.039, 0.041, 0.042, 0.06, np.nan])
    n, harmonic = 6, sum(1 / i for i in range(1, 7))
    step_up = np.minimum.accumulate((p[:6] * n / np.arange(1, 7))[::-1])[::-1]
    np.testing.assert_allclose(adjusted(p, Correction.FDR)[:6], step_up)
    np.testing.assert_allclose(adjusted(p, Correction.FDR_BY)[:6], np.minimum(1, step_up * harmonic))
    np.testing.assert_allclose(adjusted(p, Correction.BONFERRONI)[:6], np.minimum(1, p[:6] * n))
    assert np.isnan(adjusted(p, Correction.FDR)[6])


def test_a_generator_gives_a_seed_that_is_kept(queen, smooth):
    first = local_moran(smooth, queen, permutations=99, rng=np.random.default_rng(3))
    again = local_moran(smooth, queen, permutations=99, rng=first.seed)
    pd.testing.assert_frame_equal(first.to_frame(), again.to_frame())
    assert first.parameters["seed"] == first.seed


def test_moran_by_year_is_moran_of_every_year(queen, smooth):
    wide = pd.DataFrame({2019: smooth, 2020: -(smooth**2), 2021: smooth.where(smooth > smooth.median())})
    y = wide.rename_axis(index="region", columns="year").stack(future_stack=True).sample(frac=1, random_state=1)
    table = moran_by_year(y, queen, permutations=99, rng=8)
    for year in wide:
        one = moran(wide[year], queen, permutations=99, rng=8)
        assert table.loc[year, ["I", "p", "n"]].tolist() == [one.I, one.p, one.n]
    assert table["n_missing"].tolist() == [0, 0, 41]
    with pytest.raises(InputError, match=r"\(region, year\)"):
        moran_by_year(smooth, queen)
    with pytest.raises(InputError, match="weights lack 1: 'strange'"):
        moran_by_year(y.rename({"u000": "strange"}, level=0), queen)


@pytest.mark.parametrize("correction", ["fdr", "fdr_by"])
@pytest.mark.parametrize("grid", [None, 100])
def test_false_discovery_rates_agree_with_scipy(correction, grid):
    from scipy.stats import false_discovery_control

    p = np.random.default_rng(4).integers(1, 101, 300) / 100
    p[::7] = np.nan
    ours = adjusted(p, Correction(correction), grid)
    tested = ~np.isnan(p)
    wanted = false_discovery_control(p[tested], method="bh" if correction == "fdr" else "by")
    np.testing.assert_allclose(ours[tested], wanted, rtol=1e-12)
    assert np.isnan(ours[~tested]).all()


def test_the_cut_of_geoda_goes_up_until_the_first_that_fails():
    """By GeoDa's loop: the cut is i alpha / n for the last i before the first sorted p that reaches it."""
    rng = np.random.default_rng(8)
    for _ in range(200):
        p = rng.integers(1, 60, 12) / 1000 + 0.0001  # not on the cuts themselves
        alpha, cut = 0.05, 0.05 / 12
        for i, value in enumerate(np.sort(p), start=1):
            if value >= i * alpha / 12:
                break
            cut = i * alpha / 12
        wanted = p < cut
        assert (adjusted(p, Correction.FDR_GEODA) < alpha - 1e-12).tolist() == wanted.tolist()
