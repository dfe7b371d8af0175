"""Laws that hold whatever the data: order, affine change, symmetry, sums, seeds, calibration."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from kazgeo.autocorrelation import (
    geary,
    general_g,
    join_counts,
    lee,
    local_colocation,
    local_geary,
    local_join_count,
    local_join_count_bivariate,
    local_lee,
    local_moran,
    local_moran_bivariate,
    local_moran_change,
    local_moran_rate,
    losh,
    moran,
    moran_bivariate,
    moran_rate,
    neighbour_match,
    quantile_lisa,
)
from kazgeo.autocorrelation.sample import Transform, sample
from kazgeo.hotspots import getis_ord
from kazgeo.weights import Weights


def partner(y):
    """A second variable that depends on the labels only."""
    return pd.Series([float(int(str(i).strip("r")) % 4) for i in y.index], index=y.index)


def both(y, weights, x=None, **options):
    return local_moran_bivariate(y, partner(y) if x is None else x, weights, **options)


def many(y, weights, x=None, **options):
    return local_geary(pd.DataFrame({"y": y, "x": partner(y) if x is None else x}), weights, **options)


def g_of_positive(y, weights, **options):
    return general_g(y - y.min() + 1, weights, **options)


def moran_of_two(y, weights, x=None, **options):
    return moran_bivariate(y, partner(y) if x is None else x, weights, **options)


def lee_of_two(y, weights, x=None, **options):
    return lee(y, partner(y) if x is None else x, weights, **options)


LOCAL = (local_moran, getis_ord, local_geary, both, many)
WHOLE = (moran, geary, g_of_positive, moran_of_two, lee_of_two, join_counts)
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


@pytest.mark.slow
@LAWS
@given(maps(varied=False), st.randoms(use_true_random=False), st.sampled_from(["row", "binary", "given"]))
def test_the_order_of_rows_never_matters(example, shuffler, transform):
    y, weights = example
    mixed, other = list(y.index), list(y.index)
    shuffler.shuffle(mixed)
    shuffler.shuffle(other)
    for statistic in LOCAL:
        plain = statistic(y, weights, permutations=99, transform=transform, rng=4).to_frame()
        again = statistic(y[mixed], weights.reindex(other), permutations=99, transform=transform, rng=4).to_frame()
        pd.testing.assert_frame_equal(plain, again.loc[plain.index], check_exact=True)
    if len(weights.subset(y.dropna().index).data):
        for whole in WHOLE:
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
    for statistic in (local_geary, both, many):
        one, two = (
            statistic(v, weights, permutations=199, rng=4, correction="none").p for v in (y, abs(sign) * changed)
        )
        if sign > 0 or statistic is not both:
            pd.testing.assert_series_equal(one, two, check_exact=True)
    if len(weights.subset(y.dropna().index).data):
        for whole in (moran, geary, moran_of_two, lee_of_two):
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
    for statistic in LOCAL:
        first, second = (statistic(y, weights, permutations=49, rng=seed) for _ in range(2))
        pd.testing.assert_frame_equal(first.to_frame(), second.to_frame(), check_exact=True)
        assert first.seed == seed


@LAWS
@given(maps(varied=False), st.sampled_from(["two-sided", "greater", "less", "directed"]))
def test_p_lies_between_its_smallest_value_and_1(example, alternative):
    y, weights = example
    for statistic in LOCAL:
        found = statistic(y, weights, permutations=49, rng=0, alternative=alternative, correction="fdr_by")
        p = found.p.dropna()
        assert ((p >= found.smallest_p) & (p <= 1)).all()
        assert (found.p_adjusted.dropna() >= p - 1e-12).all()
        assert (found.p.isna() == found.label.isin(["isolate", "undefined"])).all()


NULL_MAPS = 2_000
TWO = (both, many, moran_of_two, lee_of_two)


@pytest.fixture(scope="module")
def null_weights():
    rng = np.random.default_rng(77)
    rows, cols = np.nonzero(rng.random((25, 25)) < 0.2)
    return Weights.from_arrays(pd.RangeIndex(25), rows, cols, rng.uniform(0.5, 2, len(rows)))


@pytest.mark.slow
@pytest.mark.parametrize("statistic", [*WHOLE[:-1], *LOCAL], ids=lambda f: f.__name__)
def test_p_is_uniform_when_there_is_nothing_to_find(statistic, null_weights):
    """One-sided p of 99 draws is 0.01 ... 1.00 with equal chance; less a uniform part of a step it is uniform.

    Kolmogorov-Smirnov over 2,000 random maps with gaps in between, alarm rate 1e-4 a statistic.
    """
    rng = np.random.default_rng(2024)
    found = []
    for seed in range(NULL_MAPS):
        y = pd.Series(rng.gamma(1.0, size=25))
        more = {"x": pd.Series(rng.normal(size=25))} if statistic in TWO else {}
        result = statistic(y, null_weights, permutations=99, alternative="greater", transform="given", rng=seed, **more)
        found.append(result.p if statistic in WHOLE else result.p.iloc[3])
    assert kstest(np.array(found) - rng.random(NULL_MAPS) / 100, "uniform").pvalue > 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("name", ["losh", "local_lee", "join_counts", "moran_rate", "local_moran_rate", "change"])
def test_p_of_the_other_statistics_is_uniform_too(name, null_weights):
    """As above, for those that take other data; equal populations, so that every arrangement of rates is as likely."""
    rng = np.random.default_rng(2025)
    found, rows, people = [], null_weights.row_standardized(), pd.Series(5_000.0, index=range(25))
    for seed in range(NULL_MAPS):
        y, x = pd.Series(rng.gamma(1.0, size=25)), pd.Series(rng.normal(size=25))
        cases = pd.Series(rng.binomial(5_000, 0.2, 25).astype(float))
        call, given = {
            "losh": (losh, (y, rows)),
            "local_lee": (local_lee, (x, y, rows)),
            "join_counts": (join_counts, (x.rank() > 12, null_weights)),
            "moran_rate": (moran_rate, (cases, people, rows)),
            "local_moran_rate": (local_moran_rate, (cases, people, rows)),
            "change": (local_moran_change, (y, x, rows)),
        }[name]
        more = {"transform": "given"} if name == "join_counts" else {}
        done = call(*given, permutations=99, alternative="greater", rng=seed, **more)
        p = done.table["p"].iloc[0] if name == "join_counts" else done.p
        found.append(p.iloc[3] if isinstance(p, pd.Series) else p)
    assert kstest(np.array(found) - rng.random(NULL_MAPS) / 100, "uniform").pvalue > 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("name", ["join count", "two marks", "both marks", "quantile", "match"])
def test_exact_p_is_uniform_less_a_random_part_of_its_step(name, null_weights):
    """P(at least) less a uniform part of P(exactly) is uniform where P is right; the same test, 2,000 maps."""
    rng = np.random.default_rng(2026)
    binary, found = null_weights.binary(), []
    for _ in range(NULL_MAPS):
        first = pd.Series(rng.permutation([1.0] * 12 + [0] * 13))
        second = pd.Series(rng.permutation([1.0] * 15 + [0] * 10))
        table = pd.DataFrame({"a": rng.normal(size=25), "b": rng.normal(size=25)})
        call, some = {
            "join count": (lambda o, f=first: local_join_count(f, binary, **o), first == 1),
            "two marks": (lambda o, f=first: local_join_count_bivariate(f, 1 - f, binary, **o), first == 1),
            "both marks": (
                lambda o, f=first, s=second: local_colocation(pd.DataFrame({"f": f, "s": s}), binary, **o),
                (first == 1) & (second == 1),
            ),
            "quantile": (lambda o, t=table: quantile_lisa(t["a"], binary, k=2, quantile=1, **o), table["a"] < 9),
            "match": (lambda o, t=table: neighbour_match(t, binary, k=5, **o), first >= 0),
        }[name]
        more, less = (call({"alternative": side}).p[some] for side in ("greater", "less"))
        tested = more.index[more.notna()]
        unit = tested[rng.integers(len(tested))]
        found.append(more[unit] - rng.random() * (more[unit] + less[unit] - 1))
    assert kstest(found, "uniform").pvalue > 1e-4


def test_the_error_of_the_count_is_what_seeds_show():
    """Standard deviation over 60 seeds against its estimate: within a factor of 1.5 (chi-square alarm rate 1e-5)."""
    side = 40
    at = np.arange(side * side).reshape(side, side)
    pairs = [(at[:, :-1], at[:, 1:]), (at[:-1], at[1:]), (at[:-1, :-1], at[1:, 1:]), (at[:-1, 1:], at[1:, :-1])]
    rows, cols = (np.concatenate([pair[end].ravel() for pair in pairs]) for end in (0, 1))
    weights = Weights.from_arrays(pd.RangeIndex(side * side), np.r_[rows, cols], np.r_[cols, rows]).row_standardized()
    rng = np.random.default_rng(1)
    y = pd.Series(rng.gamma(2, size=weights.n) + weights.matrix @ rng.gamma(2, size=weights.n))
    for draws in ("shared", "independent"):
        runs = [local_moran(y, weights, permutations=499, correction="none", draws=draws, rng=s) for s in range(60)]
        seen = np.std([run.n_significant for run in runs])
        told = np.mean([run.count_error for run in runs])
        assert 1 / 1.5 < told / seen < 1.5, (draws, told, seen)


@LAWS
@given(maps(missing=False), st.sampled_from(["row", "binary", "given"]))
def test_a_map_beside_its_copy_is_the_same_map_twice(example, transform):
    """Two parts without a link between them: I and local I stay, joins double, C has n - 1 in it."""
    y, weights = example
    rows, cols = weights.matrix.nonzero()
    if (rows == cols).all():
        return  # no links
    n = len(y)
    copy = pd.concat([y, y.rename(lambda name: f"{name} again")])
    links = weights.matrix.tocoo()
    at = [np.r_[end, end + n] for end in links.coords]
    twice = Weights.from_arrays(copy.index, *at, np.r_[links.data, links.data])
    options = {"permutations": 1, "rng": 0, "transform": transform}
    assert pytest.approx(moran(y, weights, **options).I, rel=1e-9, abs=1e-12) == moran(copy, twice, **options).I
    single, double = geary(y, weights, **options).C, geary(copy, twice, **options).C
    np.testing.assert_allclose(double * (2 * n - 2), single * (2 * n - 1), rtol=1e-9, atol=1e-12)
    one, two = (local_moran(v, w, scale="spdep", **options).I for v, w in ((y, weights), (copy, twice)))
    np.testing.assert_allclose(two.to_numpy(), np.r_[one, one], rtol=1e-9, atol=1e-12)
    joins = [join_counts(v, w, **options).table["joins"] for v, w in ((y, weights), (copy, twice))]
    np.testing.assert_allclose(joins[1], 2 * joins[0], rtol=1e-9, atol=1e-12)
