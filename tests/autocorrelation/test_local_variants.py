"""Local statistics of one unit against all arrangements of the others; the relations between them."""

from itertools import pairwise, permutations

import numpy as np
import pandas as pd
import pytest

from kazgeo.autocorrelation import (
    geary,
    local_geary,
    local_moran,
    local_moran_bivariate,
    local_moran_change,
    local_moran_rate,
    standardized_rate,
)
from kazgeo.errors import InputError
from kazgeo.weights import Weights

N, M = 7, 20_000
RNG = np.random.default_rng(6)
X, Y = pd.Series(RNG.gamma(1, size=N)), pd.Series(RNG.normal(size=N))
ROWS, COLS = np.nonzero(RNG.random((N, N)) < 0.5)
UNEQUAL = Weights.from_arrays(pd.RangeIndex(N), ROWS, COLS, RNG.uniform(0.5, 2, len(ROWS)))
EQUAL = UNEQUAL.binary()


def standard(v):
    return ((v - v.mean()) / v.std(ddof=0)).to_numpy()


def dealt(i):
    """All arrangements in which unit i keeps its values."""
    others = [j for j in range(N) if j != i]
    for p in permutations(others):
        order = np.arange(N)
        order[others] = p
        yield order


def moran_of(order, i, w):
    return (N - 1) / N * standard(X)[i] * w[i] @ standard(Y)[order]


def geary_of(order, i, w):
    total = sum(w[i] @ (z[order] - z[i]) ** 2 for z in (standard(X), standard(Y)))
    return (N - 1) / N * total / 2


CASES = {
    "bivariate Moran": (lambda w, **o: local_moran_bivariate(X, Y, w, **o), "I", moran_of),
    "multivariate Geary": (lambda w, **o: local_geary(pd.DataFrame({"x": X, "y": Y}), w, **o), "C", geary_of),
}


@pytest.mark.slow
@pytest.mark.parametrize("weights", [EQUAL, UNEQUAL], ids=["equal", "unequal"])
@pytest.mark.parametrize("draws", ["shared", "independent"])
@pytest.mark.parametrize("name", CASES)
def test_value_moments_and_p_are_those_of_all_arrangements(name, draws, weights):
    """p within 5.5 standard deviations of 20,000 draws: false alarm 4e-8 a unit."""
    call, symbol, by_definition = CASES[name]
    options = {"transform": "given", "permutations": M, "rng": 2, "draws": draws, "correction": "none"}
    up, down = (call(weights, alternative=side, **options) for side in ("greater", "less"))
    value, w = getattr(up, symbol), weights.matrix.toarray()
    for i in range(N):
        exact = np.array([by_definition(order, i, w) for order in dealt(i)])
        assert value[i] == pytest.approx(exact[0], abs=1e-12)
        assert up.expected[i] == pytest.approx(exact.mean(), abs=1e-12)
        assert up.variance[i] == pytest.approx(exact.var(), abs=1e-12)
        for found, share in ((up, np.mean(exact >= exact[0] - 1e-9)), (down, np.mean(exact <= exact[0] + 1e-9))):
            assert abs(found.p[i] - share) < 5.5 * np.sqrt(share * (1 - share) / M) + 1 / M


def test_bivariate_of_a_variable_with_itself_is_univariate():
    one, two = local_moran(X, UNEQUAL, rng=1), local_moran_bivariate(X, X, UNEQUAL, rng=1)
    pd.testing.assert_frame_equal(one.to_frame(), two.to_frame())


def test_change_is_local_moran_of_the_difference():
    one, two = local_moran(Y - X, UNEQUAL, rng=1), local_moran_change(X, Y, UNEQUAL, rng=1)
    pd.testing.assert_frame_equal(one.to_frame(), two.to_frame())


def test_rate_is_local_moran_of_the_standardised_rate():
    events, people = pd.Series([1, 4, 2, 0, 7, 3, 1]), pd.Series([90, 80, 30, 40, 95, 60, 20])
    one = local_moran(standardized_rate(events, people), UNEQUAL, rng=1)
    pd.testing.assert_frame_equal(one.to_frame(), local_moran_rate(events, people, UNEQUAL, rng=1).to_frame())


def test_local_geary_sums_to_the_global_one():
    """sum C_i = 2 n S0 C / (n - 1) x (n - 1) / n under the variance with n - 1, by both definitions."""
    parts = local_geary(X, UNEQUAL, transform="given", permutations=1, rng=0)
    whole = geary(X, UNEQUAL, transform="given", permutations=1, rng=0)
    assert parts.C.sum() == pytest.approx(2 * whole.s0 * whole.C, abs=1e-10)


def test_scales_of_local_geary_differ_by_their_divisor():
    ours, theirs = (local_geary(X, UNEQUAL, scale=s, permutations=99, rng=0) for s in ("geoda", "esda"))
    np.testing.assert_allclose(ours.C * N, theirs.C * (N - 1))
    pd.testing.assert_series_equal(ours.p, theirs.p)


def test_units_without_both_values_are_set_aside_and_told():
    gaps = Y.where(Y.index != 3)
    got = local_moran_bivariate(X, gaps, UNEQUAL, rng=1, permutations=9)
    assert got.dropped[["unit", "reason"]].iloc[0].tolist() == [3, "missing value"]
    assert got.label[3] == "undefined"
    rest = UNEQUAL.subset([0, 1, 2, 4, 5, 6])
    without = local_moran_bivariate(X.drop(3), Y.drop(3), rest, rng=1, permutations=9)
    pd.testing.assert_series_equal(got.p, without.p.reindex(X.index))


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(InputError, match="one column per variable"):
        local_geary(pd.concat([X, Y], axis=1, keys=["a", "a"]), UNEQUAL)


def test_labels_of_local_geary():
    ids = list("abcdefghij")
    line = Weights.from_pairs(ids, list(pairwise(ids)))
    y = pd.Series([9.0, 9, 9, 1, 1, 1, 5, 5.1, 9, 0], index=ids)
    found = local_geary(y, line, rng=1, alternative="directed", correction="none", alpha=0.49)
    assert found.label["b"] == "high-high"
    assert found.label["e"] == "low-low"
    assert found.label["j"] == "different"


def test_an_unknown_option_is_named():
    with pytest.raises(InputError, match="'permutation' is not an option of this test; did you mean 'permutations'"):
        local_moran(X, EQUAL, permutation=9)
