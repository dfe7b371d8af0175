"""Agreement with esda (PySAL), the reference implementation; its compiler takes half a minute, hence slow.

Values agree to 1e-12, analytic p to 1e-9. Permutation p of both come from 9,999 draws each; a difference beyond 5.5
standard deviations of it has a chance of 4e-8, and some 2,000 units are compared: false-alarm rate about 1e-4 (the
seeds are fixed, so that it can strike only when the code changes).
"""

import os
from math import comb
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kazgeo.autocorrelation import (
    geary,
    general_g,
    join_counts,
    lee,
    local_geary,
    local_moran,
    local_moran_bivariate,
    local_moran_rate,
    moran,
    moran_bivariate,
    moran_rate,
)
from kazgeo.hotspots import getis_ord
from kazgeo.weights import Weights, contiguity

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

SHARED = Path(os.environ.get("KAZGEO_SHARED", Path(__file__).parents[3] / "shared"))
DRAWS = 9_999


def random_map(n, degree, seed, *, equal=True, isolates=0):
    """Symmetric random neighbours on n units; the last ones are isolates."""
    rng = np.random.default_rng(seed)
    linked = n - isolates
    rows, cols = np.nonzero(np.triu(rng.random((linked, linked)) < degree / linked, 1))
    extra = np.arange(linked - 1)
    rows, cols = np.r_[rows, extra], np.r_[cols, extra + 1]  # a chain, so that no other isolate arises
    data = np.ones(len(rows)) if equal else rng.uniform(0.1, 2, len(rows))
    return Weights.from_arrays(pd.RangeIndex(n), np.r_[rows, cols], np.r_[cols, rows], np.r_[data, data])


def kazakhstan(level):
    import geopandas

    path = SHARED / f"data/geokz_kaz_admbnda_adm{level}_2018.gpkg"
    if not path.exists():
        pytest.skip(f"needs data/{path.name} of the shared folder (KAZGEO_SHARED)")
    return contiguity(geopandas.read_file(path))


# positive values only: esda divides Gi by the sum of y, so that a negative sum turns its z round
CASES = {
    "random": lambda: (random_map(120, 5, 1), np.random.default_rng(2).gamma(1, size=120)),
    "unequal weights": lambda: (random_map(80, 6, 3, equal=False), np.random.default_rng(4).normal(10, 1, 80)),
    "isolates": lambda: (random_map(90, 5, 5, isolates=3), np.random.default_rng(6).lognormal(size=90)),
    "few units": lambda: (random_map(12, 3, 7), np.random.default_rng(8).normal(10, 1, 12)),
    "regions": lambda: (w := kazakhstan(1), np.random.default_rng(9).gamma(1, size=w.n)),
    "districts": lambda: (w := kazakhstan(2), np.random.default_rng(10).gamma(1, size=w.n)),
}


@pytest.fixture(params=CASES, scope="module")
def case(request):
    weights, values = CASES[request.param]()
    linked = weights.cardinalities > 0
    return weights, pd.Series(values, index=weights.ids), linked


def assert_same_p(ours, theirs, ties=0.0):
    """Compare folded p; ``ties`` is the chance that a draw deals the observed neighbours again.

    esda's lower tail is "all draws less those at least as large", which leaves ties out: a unit whose one
    neighbour is the poorest of 17 regions has p = 0.0001 there, though every 16th draw is that same neighbour (0.0625).
    Ours counts ties on both sides.
    """
    mean = (ours + theirs) / 2
    allowed = 5.5 * np.sqrt(2 * mean * (1 - mean) / DRAWS) + 2 / DRAWS
    np.testing.assert_array_less(theirs - ours, allowed)
    np.testing.assert_array_less(ours - theirs, allowed + ties)


def chance_of_ties(weights, linked):
    return np.array([1 / comb(weights.n - 1, int(k)) for k in weights.cardinalities[linked]])


@pytest.mark.parametrize(("transform", "theirs"), [("row", "r"), ("binary", "b"), ("given", "o")])
@pytest.mark.parametrize(("statistic", "name"), [(moran, "Moran"), (geary, "Geary")])
def test_global_statistics(case, statistic, name, transform, theirs):
    import esda

    weights, y, _ = case
    np.random.seed(12)
    peer = getattr(esda, name)(y.to_numpy(), weights.to_libpysal().to_W(), transformation=theirs, permutations=DRAWS)
    ours = statistic(y, weights, transform=transform, alternative="directed", rng=1)
    symbol = ours.symbol
    assert abs(ours.value - getattr(peer, symbol)) <= 1e-12
    assert ours.expected == pytest.approx(getattr(peer, f"E{symbol}"), abs=1e-12)
    assert ours.variance_normality == pytest.approx(getattr(peer, f"V{symbol}_norm"), abs=1e-12)
    assert ours.variance_randomization == pytest.approx(getattr(peer, f"V{symbol}_rand"), abs=1e-12)
    assert_same_p(ours.p, peer.p_sim)
    two = statistic(y, weights, transform=transform, rng=1, permutations=9)
    # esda's Moran is two-sided by default, its Geary gives the tail below the observed value
    wanted = [p if statistic is moran else 2 * min(p, 1 - p) for p in (peer.p_norm, peer.p_rand)]
    assert [two.p_normality, two.p_randomization] == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize(("transform", "theirs"), [("row", "r"), ("binary", "b"), ("given", "o")])
def test_local_moran(case, transform, theirs):
    from esda import Moran_Local

    weights, y, linked = case
    w = weights.to_libpysal().to_W()
    peer = Moran_Local(y.to_numpy(), w, transformation=theirs, permutations=DRAWS, seed=3, keep_simulations=False)
    ours = local_moran(y, weights, transform=transform, alternative="directed", rng=1)
    np.testing.assert_allclose(ours.I[linked], peer.Is[linked], rtol=0, atol=1e-12 * np.abs(peer.Is).max())
    assert_same_p(ours.p[linked].to_numpy(), peer.p_sim[linked], chance_of_ties(weights, linked))
    moments = local_moran(y, weights, transform=transform, scale="spdep", permutations=9, rng=1)
    np.testing.assert_allclose(moments.expected[linked], peer.EIc[linked], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(moments.variance[linked], peer.VIc[linked], rtol=1e-9, atol=1e-12)
    names = {1: "high-high", 2: "low-high", 3: "low-low", 4: "high-low"}
    assert ours.quadrant[linked].tolist() == [names[q] for q in peer.q[linked]]
    assert ours.p[~linked].isna().all()


@pytest.mark.parametrize("star", [True, False])
def test_getis_ord(case, star):
    from esda import G_Local

    weights, y, linked = case
    peer = G_Local(
        y.to_numpy(), weights.to_libpysal().to_W(), transform="B", permutations=DRAWS, star=star, seed=3, n_jobs=1
    )
    ours = getis_ord(y, weights, star=star, alternative="directed", rng=1)
    np.testing.assert_allclose(ours.value[linked], peer.Zs[linked], rtol=0, atol=1e-9)
    assert_same_p(ours.p[linked].to_numpy(), peer.p_sim[linked], chance_of_ties(weights, linked))


def second(y):
    return pd.Series(np.random.default_rng(21).normal(size=len(y)), index=y.index)


def population(y):
    return pd.Series(np.random.default_rng(22).integers(500, 9_000, len(y)), index=y.index)


def test_general_g(case):
    from esda import G

    weights, y, _ = case
    np.random.seed(13)
    peer = G(y.to_numpy(), weights.binary().to_libpysal().to_W(), permutations=999)
    ours = general_g(y, weights, alternative="directed", rng=1, permutations=999)
    assert pytest.approx(peer.G, abs=1e-12) == ours.G
    assert ours.expected == pytest.approx(peer.EG, abs=1e-12)
    assert ours.variance_randomization == pytest.approx(peer.VG, rel=1e-9)
    assert ours.p_randomization == pytest.approx(peer.p_norm, abs=1e-9)
    assert abs(ours.p - peer.p_sim) <= 5.5 * np.sqrt(2 * 0.25 / 999)


def test_join_counts(case):
    from esda import Join_Counts

    weights, y, _ = case
    rich = y > y.median()
    peer = Join_Counts(rich.to_numpy().astype(int), weights.binary().to_libpysal().to_W(), permutations=99)
    joins = join_counts(rich, weights, rng=1, permutations=99).table["joins"]
    wanted = {
        (True, True): peer.bb,
        (False, False): peer.ww,
        (False, True): peer.bw,
        ("different", "different"): peer.bw,
    }
    for pair, count in wanted.items():
        assert joins[pair] == pytest.approx(float(count), abs=1e-9)


def test_moran_of_two_variables_and_of_rates(case):
    from esda import Moran_BV, Moran_Rate

    weights, y, _linked = case
    np.random.seed(14)
    peer = Moran_BV(y.to_numpy(), second(y).to_numpy(), weights.to_libpysal().to_W(), permutations=DRAWS)
    ours = moran_bivariate(y, second(y), weights, alternative="directed", rng=1)
    assert ours.I * ours.s0 / ours.n == pytest.approx(peer.I, abs=1e-12)  # esda divides by n, isolates or not
    assert_same_p(ours.p, peer.p_sim)
    events = np.random.default_rng(23).poisson(population(y) / 100)
    peer = Moran_Rate(events, population(y).to_numpy(), weights.to_libpysal().to_W(), permutations=DRAWS)
    ours = moran_rate(pd.Series(events, index=y.index), population(y), weights, alternative="directed", rng=1)
    assert pytest.approx(peer.I, abs=1e-12) == ours.I
    assert_same_p(ours.p, peer.p_sim)


def test_lee(case):
    from esda import Spatial_Pearson

    weights, y, linked = case
    if not linked.all():
        pytest.skip("esda has no Lee with isolates")
    one, two = (v.to_numpy()[:, None] for v in (y, second(y)))
    peer = Spatial_Pearson(connectivity=weights.row_standardized().matrix, permutations=0).fit(one, two)
    assert pytest.approx(peer.association_[0, 1], abs=1e-12) == lee(y, second(y), weights, rng=1, permutations=9).L


def test_local_moran_of_two_variables_and_of_rates(case):
    from esda import Moran_Local_BV, Moran_Local_Rate

    weights, y, linked = case
    options = {"permutations": DRAWS, "seed": 3, "keep_simulations": False}
    w = weights.to_libpysal().to_W()
    peer = Moran_Local_BV(y.to_numpy(), second(y).to_numpy(), w, **options)
    ours = local_moran_bivariate(y, second(y), weights, alternative="directed", rng=1)
    np.testing.assert_allclose(ours.I[linked], peer.Is[linked], rtol=0, atol=1e-12)
    assert_same_p(ours.p[linked].to_numpy(), peer.p_sim[linked], chance_of_ties(weights, linked))
    events = np.random.default_rng(23).poisson(population(y) / 100)
    peer = Moran_Local_Rate(events, population(y).to_numpy(), w, permutations=DRAWS, seed=3)
    ours = local_moran_rate(pd.Series(events, index=y.index), population(y), weights, alternative="directed", rng=1)
    np.testing.assert_allclose(ours.I[linked], peer.Is[linked], rtol=0, atol=1e-12)
    assert_same_p(ours.p[linked].to_numpy(), peer.p_sim[linked], chance_of_ties(weights, linked))


def test_local_geary(case):
    """esda mixes up units whose ids are not sorted, and has fewer values than units where there are isolates."""
    from esda import Geary_Local, Geary_Local_MV

    weights, y, linked = case
    if not linked.all():
        pytest.skip("esda's local Geary has fewer values than units when there are isolates")
    plain = Weights(pd.RangeIndex(weights.n), weights.indptr, weights.indices, weights.data)
    w = plain.to_libpysal().to_W()
    peer = Geary_Local(connectivity=w, permutations=DRAWS, n_jobs=1, keep_simulations=False).fit(y.to_numpy())
    ours = local_geary(y, weights, scale="esda", alternative="directed", rng=1)
    np.testing.assert_allclose(ours.C, peer.localG, rtol=1e-11, atol=1e-12)
    assert_same_p(ours.p.to_numpy(), peer.p_sim, chance_of_ties(weights, linked))
    peer = Geary_Local_MV(connectivity=w, permutations=99).fit([y.to_numpy(), second(y).to_numpy()])
    both = local_geary(pd.DataFrame({"y": y, "x": second(y)}), weights, scale="esda", permutations=9, rng=1)
    np.testing.assert_allclose(both.C, peer.localG, rtol=1e-11, atol=1e-12)
