"""Laws that hold whatever the data: order, affine change, symmetry, sums, seeds, calibration."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from kazgeo.autocorrelation import geary, local_moran, moran
from kazgeo.autocorrelation.sample import Transform, sample
from kazgeo.hotspots import getis_ord
from kazgeo.weights import Weights

LAWS = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
TURNED = {"high-high": "low-low", "low-low": "high-high", "high-low": "low-high", "low-high": "high-low"}


@st.composite
def maps(draw, *, missing=True, varied=True):
    """Values on a coarse grid (many ties) with gaps, and arbitrary weights with isolates, unequal within rows."""
    n = draw(st.integers(5, 12))
    ids = draw(st.permutations([f"r{i}" for i in range(n)]))
    values = draw(st.lists(st.integers(-3, 3), min_size=n, max_size=n))
    y = pd.Series(np.array(values, dtype=float), index=ids)
    if missing and draw(st.booleans()):
        y.iloc[draw(st.integers(0, n - 1))] = np.nan
    links = draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), min_size=4, max_size=4 * n))
    rows, cols = np.array(links).T
    data = np.array(draw(st.lists(st.sampled_from([1.0, 0.5, 2.0]), min_size=len(rows), max_size=len(rows))))
    if draw(st.booleans()):
        data = np.ones(len(rows))
    if varied and y.nunique() < 2:
        y.iloc[:2] = [0.0, 1.0]
        y.iloc[-1] = 2.0
    return y, Weights.from_arrays(y.index, rows, cols, data)


@LAWS
@given(maps(varied=False), st.randoms(use_true_random=False), st.sampled_from(["row", "binary", "given"]))
def test_the_order_of_rows_never_matters(example, shuffler, transform):
    y, weights = example
    mixed, other = list(y.index), list(y.index)
    shuffler.shuffle(mixed)
    shuffler.shuffle(other)
    for statistic in (local_moran, getis_ord):
        plain = statistic(y, weights, permutations=99, transform=transform, rng=4).to_frame()
        again = statistic(y[mixed], weights.reindex(other), permutations=99, transform=transform, rng=4).to_frame()
        pd.testing.assert_frame_equal(plain, again.loc[plain.index], check_exact=True)
    if len(weights.subset(y.dropna().index).data):
        for whole in (moran, geary):
            plain, again = (
                whole(v, w, permutations=99, transform=transform, rng=4).to_frame()
                for v, w in ((y, weights), (y[mixed], weights.reindex(other)))
            )
            pd.testing.assert_frame_equal(plain, again, check_exact=True)


@LAWS
@given(maps(), st.sampled_from([0.001, 0.3, 7.0, 1e6]), st.sampled_from([-1, 1]), st.floats(-1e4, 1e4), st.booleans())
def test_p_and_labels_do_not_depend_on_units_of_measurement(example, scale, sign, shift, binary):
    y, weights = example
    if binary:
        y = (y > y.min()).astype(float).where(y.notna())
    changed = sign * scale * (y + shift)
    first, second = (
        local_moran(v, weights, permutations=199, rng=4, correction="none", alpha=0.2) for v in (y, changed)
    )
    pd.testing.assert_series_equal(first.p, second.p, check_exact=True)
    assert (first.label if sign > 0 else first.label.replace(TURNED)).tolist() == second.label.tolist()
    np.testing.assert_allclose(first.I, second.I, rtol=1e-6, atol=1e-8)
    spots, again = (getis_ord(v, weights, permutations=199, rng=4) for v in (y, changed))
    pd.testing.assert_series_equal(spots.p, again.p, check_exact=True)
    np.testing.assert_allclose(sign * spots.value, again.value, rtol=1e-6, atol=1e-6)
    if len(weights.subset(y.dropna().index).data):
        for whole in (moran, geary):
            assert whole(y, weights, permutations=199, rng=4).p == whole(changed, weights, permutations=199, rng=4).p


@LAWS
@given(maps(missing=False), st.sampled_from(["row", "binary", "given"]))
def test_geary_is_its_formula_written_out(example, transform):
    y, weights = example
    rows, cols = weights.matrix.nonzero()
    if (rows == cols).all():
        return  # no links
    got = geary(y, weights, permutations=1, transform=transform, rng=0)
    data = sample(y, weights, transform=Transform(transform))
    matrix, v = data.weights.matrix.toarray(), data.y
    wanted = (len(v) - 1) / (2 * matrix.sum()) * sum(
        matrix[i, j] * (v[i] - v[j]) ** 2 for i in range(len(v)) for j in range(len(v))
    ) / ((v - v.mean()) ** 2).sum()  # fmt: skip
    assert pytest.approx(wanted, rel=1e-10) == got.C


@LAWS
@given(maps(), st.booleans())
def test_hot_turns_cold_when_values_change_sign(example, star):
    y, weights = example
    up, down = (getis_ord(v, weights, star=star, permutations=99, rng=2, correction="none") for v in (y, -y))
    np.testing.assert_allclose(up.value, -down.value, atol=1e-12)
    pd.testing.assert_series_equal(up.p, down.p)
    swapped = up.label.str.replace("hot-", "x-").str.replace("cold-", "hot-").str.replace("x-", "cold-")
    assert swapped.tolist() == down.label.tolist()


@LAWS
@given(maps(), st.sampled_from(["row", "binary", "given"]))
def test_local_moran_sums_to_the_global_one(example, transform):
    y, weights = example
    if not len(weights.subset(y.dropna().index).data):
        return
    whole = moran(y, weights, permutations=1, transform=transform, rng=0)
    parts = local_moran(y, weights, permutations=1, transform=transform, scale="spdep", rng=0)
    np.testing.assert_allclose(parts.I.sum(), whole.s0 * whole.I, atol=1e-9)


@LAWS
@given(maps(varied=False), st.integers(0, 2**63))
def test_the_same_seed_gives_the_same_numbers(example, seed):
    y, weights = example
    for statistic in (local_moran, getis_ord):
        first, second = (statistic(y, weights, permutations=49, rng=seed) for _ in range(2))
        pd.testing.assert_frame_equal(first.to_frame(), second.to_frame(), check_exact=True)
        assert first.seed == seed


@LAWS
@given(maps(varied=False), st.sampled_from(["two-sided", "greater", "less", "directed"]))
def test_p_lies_between_its_smallest_value_and_1(example, alternative):
    y, weights = example
    for statistic in (local_moran, getis_ord):
        found = statistic(y, weights, permutations=49, rng=0, alternative=alternative, correction="fdr_by")
        p = found.p.dropna()
        assert ((p >= found.smallest_p) & (p <= 1)).all()
        assert (found.p_adjusted.dropna() >= p - 1e-12).all()
        assert (found.p.isna() == found.label.isin(["isolate", "undefined"])).all()


NULL_MAPS = 500


@pytest.fixture(scope="module")
def null_weights():
    rng = np.random.default_rng(77)
    rows, cols = np.nonzero(rng.random((25, 25)) < 0.2)
    return Weights.from_arrays(pd.RangeIndex(25), rows, cols, rng.uniform(0.5, 2, len(rows)))


@pytest.mark.parametrize("transform", ["binary", "given"])
@pytest.mark.parametrize("statistic", [moran, geary, local_moran, getis_ord])
def test_p_is_uniform_when_there_is_nothing_to_find(statistic, transform, null_weights):
    """One-sided p of 99 draws is 0.01 ... 1.00 with equal chance; chi-square over ten classes, alarm rate 1e-4."""
    rng = np.random.default_rng(2024)
    found = []
    for seed in range(NULL_MAPS):
        y = pd.Series(rng.gamma(1.0, size=25))
        result = statistic(y, null_weights, permutations=99, alternative="greater", transform=transform, rng=seed)
        found.append(result.p if statistic in (moran, geary) else result.p.iloc[3])
    classes = np.bincount((np.rint(np.array(found) * 100).astype(int) - 1) // 10, minlength=10)
    assert classes.sum() == NULL_MAPS
    assert chisquare(classes).pvalue > 1e-4
