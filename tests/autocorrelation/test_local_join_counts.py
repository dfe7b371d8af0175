"""Local join counts against enumeration, exact fractions, esda and GeoDa; the laws they keep."""

import os
from fractions import Fraction
from functools import cache
from itertools import combinations, pairwise
from math import comb
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_properties import LAWS, maps

from kazgeo.autocorrelation.local_join_counts import (
    LABELS,
    hypergeometric,
    local_colocation,
    local_join_count,
    local_join_count_bivariate,
)
from kazgeo.autocorrelation.significance import adjusted
from kazgeo.errors import InputError
from kazgeo.weights import Weights, contiguity

SHARED = Path(os.environ.get("KAZGEO_SHARED", Path(__file__).parents[3] / "shared"))
IDS = list("abcdef")
CHAIN = Weights.from_pairs(IDS, list(pairwise(IDS)))


def geoda(name):
    import geopandas

    path = SHARED / f"golden/inputs/geoda/{name}.shp"
    if not path.exists():
        pytest.skip(f"needs {path.name} of the shared folder (KAZGEO_SHARED)")
    layer = geopandas.read_file(path)
    return layer if layer.crs is not None else layer.set_crs(32616)  # Columbus comes without


def enumerated(i, neighbours, marked, units):
    """Shares of all arrangements of the others' marks with at least, and at most, the observed count."""
    others = [u for u in units if u != i]
    k, observed = int(marked[others].sum()), marked[neighbours].sum()
    counts = [len(set(some) & set(neighbours)) for some in combinations(others, k)]
    return sum(c >= observed for c in counts) / len(counts), sum(c <= observed for c in counts) / len(counts)


def both(example):
    """Binary variables of one map, which never meet, or may."""
    y, weights = example
    x = (y > 1).astype(float).where(y.notna())
    z = (y < -1).astype(float).where(y.notna())
    either = (y.abs() > 1).astype(float).where(y.notna())
    return x, z, either, weights


@pytest.mark.slow
@LAWS
@given(maps(varied=False))
def test_p_is_the_share_of_all_arrangements(example):
    x, z, either, weights = both(example)
    used = weights.subset(x.dropna().index)
    neighbours = {u: used.ids[used.indices[slice(*used.indptr[i : i + 2])]].tolist() for i, u in enumerate(used.ids)}
    table = pd.DataFrame({"a": either, "b": 1 - x})
    cases = [
        (local_join_count, (either,), either, either),
        (local_join_count_bivariate, (x, z), x, z),
        (local_colocation, (table,), table.prod(axis=1, skipna=False), table.prod(axis=1, skipna=False)),
    ]
    for statistic, given_, around, marked in cases:
        more, fewer, double, directed = (
            statistic(*given_, weights, alternative=a) for a in ("greater", "less", "two-sided", "directed")
        )
        for u in x.index:
            if np.isnan(x[u]) or around[u] == 0 or not neighbours[u] or marked.nunique() < 2:
                assert np.isnan([f.p[u] for f in (more, fewer, double, directed)]).all()
                continue
            upper, lower = enumerated(u, neighbours[u], marked, used.ids)
            got = [f.p[u] for f in (more, fewer, double, directed)]
            wanted = [upper, lower, min(1, 2 * min(upper, lower)), min(upper, lower)]
            np.testing.assert_allclose(got, wanted, rtol=1e-12)
            assert more.count[u] == marked[neighbours[u]].sum()
            others = used.n - 1
            assert more.expected[u] == pytest.approx(len(neighbours[u]) * (marked.sum() - marked[u]) / others)


@pytest.mark.parametrize(("n", "good", "drawn"), [(20, 5, 4), (100_000, 40_000, 8), (100_000, 12, 60), (400, 399, 200)])
def test_tails_equal_exact_fractions_also_far_out(n, good, drawn):
    counts = np.arange(max(0, drawn - (n - good)), min(good, drawn) + 1)
    law = [Fraction(comb(good, int(c)) * comb(n - good, drawn - int(c)), comb(n, drawn)) for c in counts]
    got = hypergeometric(counts.astype(float), n, np.full(len(counts), good), np.full(len(counts), drawn))
    np.testing.assert_allclose(got.exactly, [float(p) for p in law], rtol=1e-9)
    np.testing.assert_allclose(got.upper, [float(sum(law[i:])) for i in range(len(law))], rtol=1e-9)
    np.testing.assert_allclose(got.lower, [float(sum(law[: i + 1])) for i in range(len(law))], rtol=1e-9)


@LAWS
@given(maps(varied=False), st.randoms(use_true_random=False))
def test_neither_order_nor_the_size_of_weights_matters(example, shuffler):
    x, z, either, weights = both(example)
    mixed, other = list(x.index), list(x.index)
    shuffler.shuffle(mixed)
    shuffler.shuffle(other)
    moved = weights.reindex(other).binary()
    table = pd.DataFrame({"a": either, "b": either})
    pairs = [
        (local_join_count(either, weights), local_join_count(either[mixed], moved)),
        (local_join_count_bivariate(x, z, weights), local_join_count_bivariate(x[mixed], z[other], moved)),
        (local_colocation(table, weights), local_colocation(table.loc[mixed], moved)),
    ]
    for plain, again in pairs:
        pd.testing.assert_frame_equal(plain.to_frame(), again.to_frame().loc[x.index], check_exact=True)
        assert set(plain.label) <= set(LABELS)
        assert (plain.p.isna() == plain.label.isin(["isolate", "undefined", "not tested"])).all()
    pd.testing.assert_frame_equal(pairs[0][0].to_frame(), pairs[2][0].to_frame(), check_exact=True)


def test_nothing_is_drawn():
    y = pd.Series([1, 1, 1, 0, 0, 0], index=IDS)
    first, second = local_join_count(y, CHAIN), local_join_count(y, CHAIN, permutations=9, rng=3, draws="independent")
    pd.testing.assert_frame_equal(first.to_frame(), second.to_frame(), check_exact=True)
    assert (first.permutations, first.seed, first.count_error, first.smallest_p) == (0, 0, 0.0, 0.0)
    assert not first.cannot_pass
    assert first.parameters == {"alternative": "greater", "correction": "fdr", "alpha": 0.05}
    with pytest.raises(InputError, match="did you mean 'alternative'"):
        local_join_count(y, CHAIN, alternativ="less")


@pytest.mark.parametrize("kind", [bool, int, float, "boolean", "Int64"])
def test_kinds_of_numbers_give_the_same(kind):
    y = pd.Series([1, 1, 0, 1, 0, 0], index=IDS)
    pd.testing.assert_series_equal(local_join_count(y.astype(kind), CHAIN).p, local_join_count(y, CHAIN).p)


def test_units_set_aside_are_told():
    ids = list("abcdefg")
    weights = Weights.from_pairs(ids, [("a", "b"), ("b", "c"), ("d", "e"), ("e", "f")])
    y = pd.Series([1, 1, 0, 1, None, 0, 1], index=ids, dtype="boolean")
    got = local_join_count(y, weights)
    assert got.label.tolist()[3:] == ["isolate", "undefined", "isolate", "isolate"]
    told = dict(zip(got.dropped["unit"], got.dropped["reason"], strict=True))
    cut_off = "no neighbour with a value"
    assert told == {"e": "missing value", "d": cut_off, "f": cut_off, "g": "no neighbour"}
    assert got.n_tests == 2
    np.testing.assert_array_equal(got.p_adjusted.dropna(), adjusted(got.p.dropna().to_numpy(), got.correction))
    assert got.p["a"] == pytest.approx(3 / 5)  # one neighbour; three of the other five are 1


@pytest.mark.parametrize("value", [0, 1])
def test_constant_values_are_undefined(value):
    y = pd.Series(value, index=IDS)
    assert set(local_join_count(y, CHAIN).label) == {"undefined"}
    assert set(local_join_count_bivariate(1 - y, y, CHAIN).label) == {"undefined"}
    assert set(local_colocation(pd.DataFrame({"a": y, "b": y}), CHAIN).label) == {"undefined"}


def test_bad_input_is_told():
    y = pd.Series([1, 1, 0, 0, 0, 0], index=IDS)
    with pytest.raises(InputError, match="z must hold 0 and 1 only; other values at units 'a', 'b'"):
        local_join_count_bivariate(1 - y, y * 2, CHAIN)
    with pytest.raises(InputError, match="one column per variable"):
        local_colocation(pd.concat([y, y], axis=1, keys=["a", "a"]), CHAIN)
    with pytest.raises(InputError, match="DataFrame"):
        local_colocation(y, CHAIN)


def test_sides_have_their_own_label():
    """A hole amid marks: the centre of a 7 x 7 map, whose eight neighbours lack what half of the map has."""
    n = 7
    at = np.indices((n, n)).reshape(2, -1).T
    rows, cols = np.nonzero(np.abs(at[:, None] - at[None]).max(axis=2) == 1)
    weights = Weights.from_arrays(pd.RangeIndex(n * n), rows, cols)
    far = np.abs(at - 3).max(axis=1)
    y = pd.Series((far >= 2) | (far == 0))
    got = local_join_count(y, weights, alternative="two-sided", correction="none")
    assert got.label[24] == "apart"
    assert got.p[24] == pytest.approx(2 * comb(8, 8) / comb(48, 8))
    swapped = local_join_count(pd.Series(far <= 1), weights)
    assert swapped.label[24] == "cluster"
    assert swapped.p[24] == pytest.approx(1 / comb(48, 8))


@pytest.mark.slow
def test_p_keeps_its_level_under_chance():
    """1,000 random maps; the share with p <= 0.1 is that of the law of the count. Alarm rate 6e-7 (5 sd)."""
    rng, weights = np.random.default_rng(8), Weights.from_pairs(range(30), [(0, j) for j in range(1, 9)])
    hits = 0
    for _ in range(1_000):
        y = pd.Series(0, index=range(30))
        y[[0, *(1 + rng.choice(29, 9, replace=False))]] = 1
        hits += local_join_count(y, weights).p[0] <= 0.1
    law = [comb(9, c) * comb(20, 8 - c) / comb(29, 8) for c in range(9)]
    tails = np.cumsum(law[::-1])[::-1]
    level = tails[tails <= 0.1].max()
    assert abs(hits - 1_000 * level) < 5 * np.sqrt(1_000 * level * (1 - level))


def geodas_p(marked, i, k, observed):
    """The p that GeoDa's permutations tend to: what it shows, 1 - p where p is above one half.

    It rounds a random number between 0 and n - 1 to the nearest record, so that the first and the last record come
    half as often as the others. Exact, by recursion over the draws.
    """
    n = len(marked)
    ends = {e: marked[e] for e in (0, n - 1) if e != i}
    inner = np.delete(marked, [i, *ends])
    good, bad = int(inner.sum()), int((~inner).sum())

    @cache
    def tail(left, more, ends_drawn, g, b):
        """Chance of at least ``more`` marked ones in ``left`` draws, g and b inner ones being drawn already."""
        if more <= 0 or not left:
            return float(more <= 0)
        open_ends = [e for e in ends if e not in ends_drawn]
        total = good - g + bad - b + 0.5 * len(open_ends)
        found = 0.0
        if good > g:
            found += (good - g) / total * tail(left - 1, more - 1, ends_drawn, g + 1, b)
        if bad > b:
            found += (bad - b) / total * tail(left - 1, more, ends_drawn, g, b + 1)
        for e in open_ends:
            found += 0.5 / total * tail(left - 1, more - int(ends[e]), (*ends_drawn, e), g, b)
        return found

    p = tail(k, observed, (), 0, 0)
    return min(p, 1 - p)


def agrees_with_geoda(got, marked, pseudo_p, permutations):
    """Six standard deviations of the draws: alarm rate 2e-9 per unit. And our own p is what even draws tend to."""
    for unit, wanted in pseudo_p.items():
        k, observed = int(got.neighbours[unit]), int(got.count[unit])
        p = geodas_p(marked, unit, k, observed)
        assert abs(p - wanted) < 6 * np.sqrt(p * (1 - p) / permutations) + 1 / permutations
        assert abs(min(got.p[unit], 1 - got.p[unit]) - p) < 0.03


def test_columbus_is_what_geoda_publishes():
    """pygeoda's docstring of local_bijoincount (github.com/GeoDaCenter/pygeoda): counts, and p of 999 draws."""
    layer = geoda("columbus")
    nsa = layer[next(c for c in layer.columns if c.lower() == "nsa")].astype(int)
    got = local_join_count_bivariate(nsa, 1 - nsa, contiguity(layer, tolerance_m=0))
    p = {8: 0.002, 9: 0.034, 16: 0.44, 21: 0.262, 23: 0.125, 24: 0.079, 25: 0.053, 30: 0.093}
    assert {u: c for u, c in got.count.items() if c} == {8: 1, 9: 1, 16: 2, 21: 3, 23: 3, 24: 3, 25: 2, 30: 3}
    agrees_with_geoda(got, nsa.to_numpy() == 0, p, 999)


def test_guerry_is_what_geoda_computes():
    """Donations above 10,997 (esda's docstring); computed with pygeoda 0.1.3 on its data/Guerry.shp, queen, 99,999."""
    layer = geoda("Guerry")
    y = layer["Donatns"] > 10_997
    got = local_join_count(y, contiguity(layer, tolerance_m=0))
    counts = {12: 1, 14: 3, 15: 3, 17: 1, 24: 1, 26: 1, 33: 1, 53: 1, 74: 3, 80: 2, 82: 3}
    p = [0.43272, 0.02929, 0.03091, 0.31521, 0.31719, 0.30975, 0.31663, 0.47109, 0.03041, 0.12871, 0.05617]
    assert {u: c for u, c in got.count.items() if c} == counts
    agrees_with_geoda(got, y.to_numpy(), dict(zip(counts, p, strict=True)), 99_999)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_counts_equal_esda():
    from esda import Join_Counts_Local, Join_Counts_Local_BV, Join_Counts_Local_MV

    rng = np.random.default_rng(3)
    rows, cols = np.nonzero(np.triu(rng.random((60, 60)) < 0.1, 1))
    rows, cols = np.r_[rows, np.arange(59)], np.r_[cols, np.arange(1, 60)]
    weights = Weights.from_arrays(pd.RangeIndex(60), np.r_[rows, cols], np.r_[cols, rows])
    graph = weights.to_libpysal()
    x, y = (pd.Series(rng.integers(0, 2, 60)) for _ in range(2))
    z = y * (1 - x)
    theirs = Join_Counts_Local(connectivity=graph).fit(x, permutations=0).LJC
    np.testing.assert_array_equal(local_join_count(x, weights).count, theirs)
    theirs = Join_Counts_Local_BV(connectivity=graph).fit(x, z, case="BJC", permutations=0).LJC
    np.testing.assert_array_equal(local_join_count_bivariate(x, z, weights).count, theirs)
    table = pd.DataFrame({"x": x, "y": y})
    theirs = Join_Counts_Local_MV(connectivity=graph).fit([x, y], permutations=0).LJC
    np.testing.assert_array_equal(local_colocation(table, weights).count, theirs)
