"""The engine against complete enumeration, and its two routes against each other."""

from itertools import combinations, permutations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chisquare

from kazgeo.autocorrelation import permutation
from kazgeo.autocorrelation.permutation import conditional_tails, distinct_draws, seed_of, total_draws
from kazgeo.weights import Weights

FALSE_ALARM = 1e-6  # of each check against chance; the seeds are fixed, so a pass stays a pass


def star(n, k, data=None):
    """Weights in which unit 0 has the neighbours 1..k, and no one else has any."""
    return Weights.from_arrays(pd.RangeIndex(n), np.zeros(k, int), np.arange(1, k + 1), data)


def within_chance(count, m, exact):
    """Whether a count of m draws agrees with its exact probability: 5 standard deviations, false alarm 6e-7."""
    return abs(count - m * exact) <= 5 * np.sqrt(m * exact * (1 - exact)) + 1e-9


@pytest.mark.parametrize("k", [1, 2, 3, 5, 6])
def test_equal_weights_agree_with_all_subsets_of_the_others(k):
    values = np.array([2.0, -1.0, 0.5, 0.5, -2.0, 0.0, 1.0])
    m, seen = 20_000, values[1 : k + 1].sum()
    sums = np.array([sum(c) for c in combinations(values[1:], k)])
    tails = conditional_tails(values, star(7, k), permutations=m, seed=3)
    assert within_chance(tails.greater[0], m, np.mean(sums >= seen - 1e-9))
    assert within_chance(tails.less[0], m, np.mean(sums <= seen + 1e-9))


@pytest.mark.parametrize("k", [2, 3, 6])
def test_unequal_weights_agree_with_all_arrangements_of_the_others(k):
    values = np.array([2.0, -1.0, 0.5, 0.5, -2.0, 0.0, 1.0])
    data = np.array([0.7, 0.1, -0.4, 1.5, 0.2, 0.9])[:k]
    m, seen = 20_000, values[1 : k + 1] @ data
    sums = np.array([np.dot(c, data) for c in permutations(values[1:], k)])
    tails = conditional_tails(values, star(7, k, data), permutations=m, seed=5)
    assert within_chance(tails.greater[0], m, np.mean(sums >= seen - 1e-9))
    assert within_chance(tails.less[0], m, np.mean(sums <= seen + 1e-9))


def test_both_routes_count_the_same_draws(monkeypatch):
    rng = np.random.default_rng(0)
    n = 60
    rows, cols = np.nonzero(rng.random((n, n)) < 0.1)
    weights = Weights.from_arrays(pd.RangeIndex(n), rows, cols)
    values = rng.normal(size=n).round(1)
    fast = conditional_tails(values, weights, permutations=999, seed=2)
    monkeypatch.setattr(permutation, "_equal_rows", lambda w: np.zeros(w.n, dtype=bool))
    slow = conditional_tails(values, weights, permutations=999, seed=2)
    np.testing.assert_array_equal(fast.greater, slow.greater)
    np.testing.assert_array_equal(fast.less, slow.less)


def test_the_size_of_a_tile_changes_nothing(monkeypatch):
    values = np.random.default_rng(1).normal(size=30)
    rows, cols = np.nonzero(np.random.default_rng(2).random((30, 30)) < 0.2)
    weights = Weights.from_arrays(pd.RangeIndex(30), rows, cols, 0.5 + np.arange(len(rows)) / len(rows))
    whole = conditional_tails(values, weights, permutations=500, seed=2)
    monkeypatch.setattr(permutation, "TILE", 700)
    tiled = conditional_tails(values, weights, permutations=500, seed=2)
    np.testing.assert_array_equal(whole.greater, tiled.greater)
    np.testing.assert_array_equal(whole.less, tiled.less)


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
    draws = total_draws(z, weights, permutations=20_000, seed=4)
    for cut in np.quantile(exact, [0.1, 0.3, 0.5, 0.8]):
        assert within_chance(np.sum(draws <= cut + 1e-9), 20_000, np.mean(exact <= cut + 1e-9))


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
