"""Statistics of a whole map against all arrangements of a small one: values, moments and p are exact there."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from kazgeo.autocorrelation import general_g, join_counts, lee, moran, moran_bivariate, moran_rate, standardized_rate
from kazgeo.errors import InputError
from kazgeo.weights import Weights

N = 7
RNG = np.random.default_rng(5)
X, Y = RNG.gamma(1, size=N), RNG.normal(size=N)
ROWS, COLS = np.nonzero(RNG.random((N, N)) < 0.4)
WEIGHTS = Weights.from_arrays(pd.RangeIndex(N), ROWS, COLS, RNG.uniform(0.5, 2, len(ROWS)))
W = WEIGHTS.matrix.toarray()
ORDERS = np.array(list(permutations(range(N))))
M = 20_000


def standard(v):
    return (v - v.mean()) / v.std()


def value_of_g(x):
    return (x @ W @ x) / (x.sum() ** 2 - (x**2).sum())


def value_of_lee(order):
    return (W @ standard(X)[order]) @ (W @ standard(Y)[order]) / (W.sum(axis=1) ** 2).sum()


CASES = {
    "G": (lambda **o: general_g(pd.Series(X), WEIGHTS, **o), lambda p: value_of_g(X[p])),
    "bivariate Moran": (
        lambda **o: moran_bivariate(pd.Series(X), pd.Series(Y), WEIGHTS, **o),
        lambda p: standard(X) @ W @ standard(Y)[p] / W.sum(),
    ),
    "Lee": (lambda **o: lee(pd.Series(X), pd.Series(Y), WEIGHTS, **o), value_of_lee),
    "Moran": (
        lambda **o: moran(pd.Series(X), WEIGHTS, **o),
        lambda p: standard(X)[p] @ W @ standard(X)[p] / W.sum(),
    ),
}


@pytest.fixture(params=CASES, scope="module")
def case(request):
    ours, by_definition = CASES[request.param]
    return ours, np.array([by_definition(order) for order in ORDERS])


def test_value_and_moments_are_those_of_all_arrangements(case):
    ours, exact = case
    got = ours(permutations=1, rng=0, transform="given")
    assert got.value == pytest.approx(exact[0], abs=1e-12)
    assert got.expected == pytest.approx(exact.mean(), abs=1e-12)
    if not np.isnan(got.variance_randomization):
        assert got.variance_randomization == pytest.approx(exact.var(), abs=1e-12)


@pytest.mark.parametrize("alternative", ["greater", "less"])
def test_p_is_the_share_of_arrangements_as_extreme(case, alternative):
    """5.5 standard deviations of 20,000 draws: false alarm 4e-8 a check."""
    ours, exact = case
    p = ours(permutations=M, rng=3, transform="given", alternative=alternative).p
    share = np.mean(exact >= exact[0] - 1e-12) if alternative == "greater" else np.mean(exact <= exact[0] + 1e-12)
    assert abs(p - share) < 5.5 * np.sqrt(share * (1 - share) / M) + 1 / M


def test_joins_and_their_moments_are_those_of_all_arrangements():
    kinds = pd.Series(list("aabbbcc"))
    got = join_counts(kinds, WEIGHTS, transform="given", rng=1, permutations=M)
    rows = []
    for order in {tuple(kinds[list(p)]) for p in ORDERS}:
        marks = np.array(order)
        unlike = marks[:, None] != marks
        pairs = [
            ((marks[:, None] == a) & (marks == b)) | ((marks[:, None] == b) & (marks == a))
            for a, b in got.table.index[:-1]
        ]
        rows.append([(W * pair).sum() / 2 for pair in (*pairs, unlike)])
    exact = np.array(rows)
    np.testing.assert_allclose(got.table["expected"], exact.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(got.table["variance"], exact.var(axis=0), atol=1e-12)
    tails = np.minimum(
        (exact >= got.table["joins"].to_numpy() - 1e-12).mean(axis=0),
        (exact <= got.table["joins"].to_numpy() + 1e-12).mean(axis=0),
    )
    wanted = np.minimum(1, 2 * tails)
    np.testing.assert_allclose(got.table["p"], wanted, atol=2 * 5.5 * np.sqrt(0.25 / M))
    assert got.table["joins"].iloc[[0, 1, 2, 3, 4, 5]].sum() == pytest.approx(W.sum() / 2)


def test_kinds_may_be_text_booleans_numbers_or_categories():
    wanted = join_counts(pd.Series([1, 1, 0, 0, 1, 0, 0]), WEIGHTS, rng=1, permutations=99).table.to_numpy()
    marks = pd.Series(list("yynnynn"))
    for kinds in (marks, marks.astype("category"), marks == "y"):
        np.testing.assert_array_equal(join_counts(kinds, WEIGHTS, rng=1, permutations=99).table.to_numpy(), wanted)


def test_many_kinds_are_measurements():
    w = Weights.from_pairs(range(60), [(i, i + 1) for i in range(59)])
    with pytest.raises(InputError, match="at most 50 kinds; got 60"):
        join_counts(pd.Series(np.arange(60.0)), w)


def test_missing_kinds_are_told():
    got = join_counts(pd.Series(["a", None, "b", "a", np.nan, "b", "a"]), WEIGHTS, rng=1, permutations=9)
    assert got.n == 5
    assert (got.dropped["reason"] == "missing value").sum() == 2


def test_lee_with_self_is_lees_v_star():
    binary = WEIGHTS.binary()
    full = binary.matrix.toarray() + np.eye(N)
    full = full / full.sum(axis=1, keepdims=True)
    wanted = (full @ standard(X)) @ (full @ standard(Y)) / N
    got = lee(pd.Series(X), pd.Series(Y), binary, include_self=True, rng=1, permutations=9)
    assert pytest.approx(wanted, abs=1e-12) == got.L


def test_the_standardised_rate_is_hand_computed():
    """E = 12, P = 240, b = 0.05, a = 0.001625 - 0.05 / 80 = 0.001; p = 0.03, 0, 0.1."""
    got = standardized_rate(pd.Series([3.0, 0, 9]), pd.Series([100.0, 50, 90]))
    wanted = [-0.02 / 0.0015**0.5, -0.05 / 0.002**0.5, 0.05 / (0.001 + 0.05 / 90) ** 0.5]
    np.testing.assert_allclose(got, wanted, rtol=1e-12)


@pytest.mark.parametrize(
    ("events", "population", "message"),
    [
        ([1, -2, 3], [9, 9, 9], "events must not be negative; they are at units 1"),
        ([1, 2, 3], [9, 0, 9], "population must be above 0; it is not at units 1"),
        ([0, 0, 0], [9, 9, 9], "events must not all be 0"),
    ],
)
def test_impossible_rates_are_refused(events, population, message):
    w = Weights.from_pairs(range(3), [(0, 1), (1, 2)])
    with pytest.raises(InputError, match=message):
        moran_rate(pd.Series(events), pd.Series(population), w)


def test_g_wants_positive_values():
    with pytest.raises(InputError, match="must not be negative for G"):
        general_g(pd.Series(Y), WEIGHTS)
    with pytest.raises(InputError, match="above 0 in at least 2 units"):
        general_g(pd.Series([1.0] + [0] * (N - 1)), WEIGHTS)
