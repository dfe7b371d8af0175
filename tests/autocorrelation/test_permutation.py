"""The engine against complete enumeration, and its two routes against each other."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import combinations, permutations
from multiprocessing import get_context

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from kazgeo.autocorrelation import permutation, total
from kazgeo.autocorrelation.permutation import (
    conditional_sums,
    conditional_tails,
    distinct_draws,
    parts_of_sums,
    seed_of,
)
from kazgeo.autocorrelation.total import colour_draws, linear_draws, quadratic_draws
from kazgeo.choices import Draws
from kazgeo.weights import Weights

LAWS = settings(max_examples=200, deadline=None, derandomize=True)
FALSE_ALARM = 1e-6  # of each check against chance; the seeds are fixed, so a pass stays a pass


def star(n, k, data=None):
    """Weights in which unit 0 has the neighbours 1..k, and no one else has any."""
    return Weights.from_arrays(pd.RangeIndex(n), np.zeros(k, int), np.arange(1, k + 1), data)


def within_chance(count, m, exact):
    """Whether a count of m draws agrees with its exact probability: 5 standard deviations, false alarm 6e-7."""
    return abs(count - m * exact) <= 5 * np.sqrt(m * exact * (1 - exact)) + 1e-9


VALUES = np.array([2.0, -1.0, 0.5, 0.5, -2.0, 0.0, 1.0])
BOTH = pytest.mark.parametrize("draws", Draws)


@BOTH
@pytest.mark.parametrize("k", [1, 2, 3, 5, 6])
def test_equal_weights_agree_with_all_subsets_of_the_others(k, draws):
    m, seen = 20_000, VALUES[1 : k + 1].sum()
    sums = np.array([sum(c) for c in combinations(VALUES[1:], k)])
    tails = conditional_tails(VALUES, star(7, k), permutations=m, seed=3, draws=draws)
    assert within_chance(tails.greater[0], m, np.mean(sums >= seen - 1e-9))
    assert within_chance(tails.less[0], m, np.mean(sums <= seen + 1e-9))


@BOTH
@pytest.mark.parametrize("k", [2, 3, 6])
def test_unequal_weights_agree_with_all_arrangements_of_the_others(k, draws):
    data = np.array([0.7, 0.1, -0.4, 1.5, 0.2, 0.9])[:k]
    m, seen = 20_000, VALUES[1 : k + 1] @ data
    sums = np.array([np.dot(c, data) for c in permutations(VALUES[1:], k)])
    tails = conditional_tails(VALUES, star(7, k, data), permutations=m, seed=5, draws=draws)
    assert within_chance(tails.greater[0], m, np.mean(sums >= seen - 1e-9))
    assert within_chance(tails.less[0], m, np.mean(sums <= seen + 1e-9))


@BOTH
@pytest.mark.parametrize("data", [None, np.array([0.7, 0.1, 1.5])])
def test_several_values_of_a_neighbour_agree_with_all_arrangements(data, draws):
    """Sum w_j (2 v_j - 3 v_j^2), the form of local Geary."""
    m, factors = 20_000, np.zeros((7, 2))
    factors[0] = [2.0, -3.0]
    both = np.column_stack([VALUES, VALUES**2])
    one = both @ factors[0]
    w = np.ones(3) if data is None else data
    seen, sums = one[1:4] @ w, np.array([np.dot(c, w) for c in permutations(one[1:], 3)])
    tails = conditional_tails(both, star(7, 3, data), permutations=m, seed=9, coefficients=factors, draws=draws)
    assert within_chance(tails.greater[0], m, np.mean(sums >= seen - 1e-9))
    assert within_chance(tails.less[0], m, np.mean(sums <= seen + 1e-9))


def test_sums_of_draws_are_those_that_are_counted():
    rng = np.random.default_rng(0)
    rows, cols = np.nonzero(rng.random((25, 25)) < 0.2)
    weights = Weights.from_arrays(pd.RangeIndex(25), rows, cols, rng.uniform(0.5, 2, len(rows)))
    values = rng.normal(size=(25, 2)).round(1)
    tails = conditional_tails(values[:, 1], weights, permutations=99, seed=4)
    lag = weights.matrix @ values[:, 1]
    seen = []
    for part in parts_of_sums(values, weights, 99):
        units, sums = part.units, conditional_sums(part, 99, seed=4)
        np.testing.assert_array_equal((sums[1] >= lag[units, None] - 1e-8).sum(axis=1), tails.greater[units])
        np.testing.assert_array_equal((sums[1] <= lag[units, None] + 1e-8).sum(axis=1), tails.less[units])
        seen += units.tolist()
    assert sorted(seen) == np.flatnonzero(weights.cardinalities).tolist()


def test_both_routes_count_the_same_draws(monkeypatch):
    rng = np.random.default_rng(0)
    n = 60
    rows, cols = np.nonzero(rng.random((n, n)) < 0.1)
    weights = Weights.from_arrays(pd.RangeIndex(n), rows, cols)
    values = rng.normal(size=n).round(1)
    fast = conditional_tails(values, weights, permutations=999, seed=2)
    monkeypatch.setattr(Weights, "equal_rows", property(lambda w: np.zeros(w.n, dtype=bool)))
    slow = conditional_tails(values, weights, permutations=999, seed=2)
    np.testing.assert_array_equal(fast.greater, slow.greater)
    np.testing.assert_array_equal(fast.less, slow.less)


def random_weights(n, share, *, equal):
    rows, cols = np.nonzero(np.random.default_rng(2).random((n, n)) < share)
    return Weights.from_arrays(pd.RangeIndex(n), rows, cols, None if equal else 0.5 + np.arange(len(rows)) / len(rows))


@BOTH
@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize("features", [1, 2])
def test_pieces_threads_and_executors_change_nothing(monkeypatch, equal, features, draws):
    values = np.random.default_rng(1).normal(size=(30, features))
    weights = random_weights(30, 0.2, equal=equal)
    options = {"permutations": 50, "seed": 2, "draws": draws, "coefficients": np.full((30, features), -1.5)}
    whole = conditional_tails(values, weights, **options)
    for name, size in (("UNITS", 7), ("NUMBERS", 3_000), ("FEWEST", 3), ("FEW_DRAWN", 0), ("FEW_UNITS", 0)):
        monkeypatch.setattr(permutation, name, size)
    found = [conditional_tails(values, weights, **options)]
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    found.append(conditional_tails(values, weights, **options))
    with ThreadPoolExecutor(3) as threads:
        found.append(conditional_tails(values, weights, **options, executor=threads))
    for tails in found:
        np.testing.assert_array_equal(whole.greater, tails.greater)
        np.testing.assert_array_equal(whole.less, tails.less)


def test_total_draws_do_not_depend_on_pieces(monkeypatch):
    x, matrix = np.random.default_rng(1).normal(size=30), random_weights(30, 0.2, equal=False).matrix
    plain = quadratic_draws(x, matrix, permutations=100, seed=1, y=x**2, own=x)
    monkeypatch.setattr(total, "PIECE", 10)
    np.testing.assert_array_equal(plain, quadratic_draws(x, matrix, permutations=100, seed=1, y=x**2, own=x))


def test_processes_give_the_same_numbers():
    values, weights = np.random.default_rng(1).normal(size=30), random_weights(30, 0.2, equal=True)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as others:
        far = conditional_tails(values, weights, permutations=99, seed=2, executor=others)
    np.testing.assert_array_equal(far.greater, conditional_tails(values, weights, permutations=99, seed=2).greater)


@pytest.mark.parametrize(("n", "k"), [(6, 2), (4, 3), (5, 1)])
def test_draws_are_uniform_over_ordered_rows_of_different_numbers(n, k):
    draws = distinct_draws(np.random.default_rng(11), n, k, 24_000)
    codes = pd.Series([tuple(row) for row in draws.tolist()]).value_counts()
    cells = list(permutations(range(n), k))
    assert set(codes.index) == set(cells)
    assert chisquare([codes[c] for c in cells]).pvalue > FALSE_ALARM


@pytest.mark.parametrize(("n", "k"), [(200, 99), (200, 100), (3, 3), (50_000, 400)])
def test_draws_never_repeat_within_a_row(n, k):
    draws = np.sort(distinct_draws(np.random.default_rng(0), n, k, 50), axis=1)
    assert (np.diff(draws, axis=1) > 0).all()
    assert draws.min() >= 0
    assert draws.max() < n


def test_total_draws_agree_with_all_arrangements():
    z = np.array([1.5, -0.5, 0.2, -1.2])
    weights = Weights.from_arrays(
        pd.RangeIndex(4), np.array([0, 1, 2, 3]), np.array([1, 2, 3, 0]), np.array([1, 2, 0.5, 1.0])
    )
    exact = np.array([np.array(p) @ weights.matrix @ np.array(p) for p in permutations(z)])
    draws = quadratic_draws(z, weights.matrix, permutations=20_000, seed=4)
    for cut in np.quantile(exact, [0.1, 0.3, 0.5, 0.8]):
        assert within_chance(np.sum(draws <= cut + 1e-9), 20_000, np.mean(exact <= cut + 1e-9))


def test_pairs_stay_together_in_total_draws():
    x, y, own = np.array([1.5, -0.5, 0.2, -1.2]), np.array([0.3, 2.0, -1.0, 0.1]), np.array([1.0, 0, 2, 0.5])
    matrix = np.array([[0.0, 1, 0, 0], [0, 0, 2, 0], [0, 0, 0, 0.5], [1, 0, 0, 0]])
    orders = [list(p) for p in permutations(range(4))]
    exact = np.array([x[p] @ matrix @ y[p] + own @ (x[p] * y[p]) for p in orders])
    draws = quadratic_draws(x, sp.csr_array(matrix), permutations=20_000, seed=4, y=y, own=own)
    for cut in np.quantile(exact, [0.1, 0.3, 0.5, 0.8]):
        assert within_chance(np.sum(draws <= cut + 1e-9), 20_000, np.mean(exact <= cut + 1e-9))
    exact, draws = np.array([x[p] @ own for p in orders]), linear_draws(x, own, permutations=20_000, seed=4)
    for cut in np.quantile(exact, [0.1, 0.3, 0.5, 0.8]):
        assert within_chance(np.sum(draws <= cut + 1e-9), 20_000, np.mean(exact <= cut + 1e-9))


def test_colours_are_dealt_like_all_arrangements():
    colour, matrix = np.array([0, 0, 1, 2]), np.array([[0.0, 1, 0, 0], [0, 0, 2, 0], [0, 0, 0, 0.5], [1, 0, 0, 0]])
    draws = colour_draws(colour, 3, sp.csr_array(matrix), permutations=20_000, seed=6)
    exact = np.zeros((24, 3, 3))
    for row, p in zip(exact, permutations(colour), strict=True):
        for i, j in zip(*matrix.nonzero(), strict=True):
            row[p[i], p[j]] += matrix[i, j]
    for r in range(3):
        for s in range(3):
            for cut in np.unique(exact[:, r, s]):
                share = np.mean(exact[:, r, s] <= cut + 1e-9)
                assert within_chance(np.sum(draws[:, r, s] <= cut + 1e-9), 20_000, share)


def test_a_fresh_seed_is_kept_and_gives_the_draws_again():
    assert seed_of(None) != seed_of(None)
    assert seed_of(np.int64(5)) == 5


def test_progress_can_cancel():
    from kazgeo.errors import Cancelled

    def stop(fraction, message):
        raise Cancelled

    with pytest.raises(Cancelled):
        conditional_tails(np.arange(7.0), star(7, 2), permutations=9, seed=0, progress=stop)


def test_progress_rises_from_0_to_1():
    seen = []
    values = np.random.default_rng(0).normal(size=40)
    rows, cols = np.nonzero(np.random.default_rng(2).random((40, 40)) < 0.1)
    weights = Weights.from_arrays(pd.RangeIndex(40), rows, cols)
    conditional_tails(values, weights, permutations=99, seed=0, progress=lambda fraction, _: seen.append(fraction))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


@LAWS
@given(
    st.lists(st.floats(-1e6, 1e6) | st.integers(-3, 3).map(float), min_size=1, max_size=30),
    st.lists(st.floats(allow_nan=False) | st.integers(-3, 3).map(float), max_size=200),
    st.integers(1, 40),
)
def test_the_grid_finds_what_bisection_finds(ranked, values, cells):
    """Also where the grid is coarse, values lie on its lines, outside of it or at infinity."""
    ranked, values = np.sort(np.array(ranked)), np.array(values * 3, dtype=float)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(permutation, "GRID", cells)
        found = permutation.first_at_least(ranked, values)
    np.testing.assert_array_equal(found, np.searchsorted(ranked, values))
