"""Local Lee's L against all arrangements and esda; the laws it keeps."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare
from test_properties import LAWS, TURNED, maps

from kazgeo.autocorrelation.local_lee import LABELS, local_lee
from kazgeo.errors import InputError
from kazgeo.weights import Weights

N, M = 7, 20_000
RNG = np.random.default_rng(6)
X, Y = pd.Series(RNG.gamma(1, size=N)), pd.Series(RNG.normal(size=N))
ROWS, COLS = np.nonzero((RNG.random((N, N)) < 0.4) | np.eye(N, k=1, dtype=bool) | np.eye(N, k=-1, dtype=bool))
UNEQUAL = Weights.from_arrays(pd.RangeIndex(N), ROWS, COLS, RNG.uniform(0.5, 2, len(ROWS)))
EQUAL = UNEQUAL.binary()


def standard(v):
    return ((v - v.mean()) / v.std(ddof=0)).to_numpy()


def dense(weights, star):
    """Rows that sum to 1, the unit itself with its row's largest weight where it takes part."""
    matrix = weights.matrix.toarray()
    matrix += np.diag(matrix.max(axis=1)) * star
    return matrix / matrix.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("weights", [EQUAL, UNEQUAL], ids=["equal", "unequal"])
@pytest.mark.parametrize("star", [False, True])
def test_value_mean_and_p_are_those_of_all_arrangements(weights, star):
    """Tolerance 5 standard deviations of 20,000 draws; 56 comparisons in all: alarm rate 3e-5."""
    got = {a: local_lee(X, Y, weights, star=star, alternative=a, permutations=M, rng=3) for a in ("greater", "less")}
    w, x, y = dense(weights, star), standard(X), standard(Y)
    for i in range(N):
        others = [j for j in range(N) if j != i]
        values = []
        for p in permutations(others):
            order = np.arange(N)
            order[others] = p
            values.append((w[i] @ x[order]) * (w[i] @ y[order]))
        observed = (w[i] @ x) * (w[i] @ y)
        assert got["greater"].L[i] == pytest.approx(observed, rel=1e-12)
        assert got["greater"].expected[i] == pytest.approx(np.mean(values), abs=1e-12)
        for alternative, sign in (("greater", 1), ("less", -1)):
            wanted = np.mean(sign * np.array(values) >= sign * observed - 1e-9)
            assert abs(got[alternative].p[i] - wanted) < 5 * np.sqrt(wanted * (1 - wanted) / M) + 2 / M


def test_the_mean_of_the_parts_is_the_global_L():
    """Spdep's lee: L = n / sum_i (sum_j w_ij)^2 x sum_i lag x lag / (sd sd), here with rows that sum to 1."""
    w = dense(UNEQUAL, False)
    dx, dy = X - X.mean(), Y - Y.mean()
    whole = (w @ dx) @ (w @ dy) / np.sqrt((dx**2).sum() * (dy**2).sum())
    assert local_lee(X, Y, UNEQUAL, permutations=1, rng=0).L.mean() == pytest.approx(whole, rel=1e-12)


@LAWS
@given(maps(varied=False), st.randoms(use_true_random=False), st.booleans())
def test_neither_the_order_of_rows_nor_of_variables_matters(example, shuffler, star):
    x, weights = example
    y = pd.Series(np.arange(len(x)) % 4, index=x.index)
    mixed, other = list(x.index), list(x.index)
    shuffler.shuffle(mixed)
    shuffler.shuffle(other)
    plain = local_lee(x, y, weights, star=star, permutations=99, rng=4)
    again = local_lee(x[mixed], y[other], weights.reindex(other), star=star, permutations=99, rng=4)
    pd.testing.assert_frame_equal(plain.to_frame(), again.to_frame().loc[x.index], check_exact=True)
    turned = local_lee(y, x, weights, star=star, permutations=99, rng=4)
    pd.testing.assert_series_equal(plain.p, turned.p, check_exact=True)
    assert set(plain.label) <= set(LABELS)
    assert (plain.p.isna() == plain.label.isin(["isolate", "undefined"])).all()
    assert ((plain.p.dropna() >= plain.smallest_p) & (plain.p.dropna() <= 1)).all()


@LAWS
@given(maps(), st.sampled_from([0.001, 7.0, 1e6]), st.sampled_from([-1, 1]), st.floats(-1e4, 1e4))
def test_units_of_measurement_do_not_matter(example, scale, sign, shift):
    x, weights = example
    y = pd.Series(np.arange(len(x)) % 4, index=x.index)
    options = {"permutations": 199, "rng": 4, "correction": "none", "alpha": 0.2}
    first, second = (
        local_lee(a, b, weights, **options) for a, b in ((x, y), (sign * scale * (x + shift), sign * y * 3))
    )
    pd.testing.assert_series_equal(first.p, second.p, check_exact=True)
    np.testing.assert_allclose(first.L, second.L, rtol=1e-6, atol=1e-8)
    turned = {"high-high": "low-low", "low-low": "high-high", "high-low": "low-high", "low-high": "high-low"}
    assert turned == TURNED
    clear = (first.L.abs() > 1e-6) | first.L.isna()  # a smoothed value at the mean is on neither side
    wanted = first.label if sign > 0 else first.label.replace(TURNED)
    assert wanted[clear].tolist() == second.label[clear].tolist()


def test_of_itself_it_is_the_square_of_the_smoothed_value():
    got = local_lee(X, X, EQUAL, permutations=99, rng=0)
    np.testing.assert_allclose(got.L, (dense(EQUAL, False) @ standard(X)) ** 2, rtol=1e-12)
    assert not got.quadrant.isin(["high-low", "low-high"]).any()


def test_units_set_aside_are_told():
    x = pd.Series([1.0, 4, 2, None, 7, 3, 5], index=list("abcdefg"))
    y = pd.Series([True, False, None, True, True, False, True], index=list("gfedcba"), dtype="boolean")
    weights = Weights.from_pairs(list("abcdefg"), [("a", "b"), ("b", "c"), ("c", "d"), ("f", "b")])
    got = local_lee(x, y, weights, permutations=99, rng=0)
    assert got.label[["d", "e", "g"]].tolist() == ["undefined", "undefined", "isolate"]
    told = dict(zip(got.dropped["unit"], got.dropped["reason"], strict=True))
    assert told == {"d": "missing value", "e": "missing value", "g": "no neighbour"}
    assert got.lag_x["a"] == 4.0
    assert got.lag_x[["g"]].isna().all()
    for one, two in ((x, x * 0), (x * 0 + 5, x)):
        assert set(local_lee(one, two, weights, rng=0).label) == {"undefined"}


def test_bad_input_is_told():
    with pytest.raises(InputError, match="draws must be 'shared'"):
        local_lee(X, Y, EQUAL, draws="independent")
    with pytest.raises(InputError, match="x and y must have the same units"):
        local_lee(X, Y.iloc[:5], EQUAL)


def test_progress_comes_and_can_stop_the_work():
    seen = []
    local_lee(X, Y, EQUAL, permutations=99, rng=0, progress=lambda share, _: seen.append(share))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        local_lee(X, Y, EQUAL, permutations=99, rng=0, progress=stop)


@pytest.mark.slow
def test_p_is_uniform_when_there_is_nothing_to_find():
    """One-sided p of 99 draws is 0.01 ... 1.00 with equal chance; chi-square over ten classes, alarm rate 1e-4."""
    rng = np.random.default_rng(77)
    rows, cols = np.nonzero(rng.random((25, 25)) < 0.2)
    weights = Weights.from_arrays(pd.RangeIndex(25), rows, cols, rng.uniform(0.5, 2, len(rows)))
    found = []
    for seed in range(500):
        x = pd.Series(rng.gamma(1.0, size=25))
        y = x + rng.normal(size=25)  # the correlation within units is no pattern in space
        found.append(local_lee(x, y, weights, permutations=99, alternative="greater", rng=seed).p.iloc[3])
    classes = np.bincount((np.rint(np.array(found) * 100).astype(int) - 1) // 10, minlength=10)
    assert chisquare(classes).pvalue > 1e-4


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("star", [False, True])
def test_equals_esda(star):
    import scipy.sparse as sp
    from esda.lee import Spatial_Pearson_Local

    rng = np.random.default_rng(5)
    rows, cols = np.nonzero((rng.random((60, 60)) < 0.1) | np.eye(60, k=1, dtype=bool) | np.eye(60, k=-1, dtype=bool))
    weights = Weights.from_arrays(pd.RangeIndex(60), rows, cols)
    x, y = rng.gamma(1, size=60), rng.normal(size=60)
    connectivity = sp.csc_matrix(dense(weights, star))
    theirs = Spatial_Pearson_Local(connectivity=connectivity, permutations=0).fit(x[:, None], y[:, None])
    ours = local_lee(pd.Series(x), pd.Series(y), weights, star=star, permutations=1, rng=0)
    np.testing.assert_allclose(ours.L, np.asarray(theirs.associations_).ravel(), rtol=1e-12, atol=1e-14)
