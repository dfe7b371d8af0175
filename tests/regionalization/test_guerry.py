"""Published results of GeoDa on Guerry's 85 departments (queen contiguity, six variables, z-scores).

Sources: pygeoda and libgeoda unit tests (tests/test_clustering.py, test/test_clustering.cpp), the pygeoda
documentation (spatial_clustering.html), rgeoda tests/testthat/test-clustering.R, seed 123456789.
"""

import os
from pathlib import Path

import numpy as np
import pytest

from kazgeo.regionalization import azp, max_p, quality, skater, suggest_regions, ward
from kazgeo.weights import contiguity

SHARED = Path(os.environ.get("KAZGEO_SHARED", Path(__file__).parents[3] / "shared"))
LAYER = SHARED / "golden" / "inputs" / "geoda" / "Guerry.shp"
VARIABLES = ["Crm_prs", "Crm_prp", "Litercy", "Donatns", "Infants", "Suicids"]
FLOOR = 3236.67  # tenth part of the population of 1831, in thousands


@pytest.fixture(scope="module")
def guerry():
    if not LAYER.exists():
        pytest.skip("no Guerry layer in the shared folder")
    import geopandas

    layer = geopandas.read_file(LAYER)
    return layer[VARIABLES], contiguity(layer, tolerance_m=0), layer["Pop1831"]


@pytest.mark.parametrize(("k", "ratio"), [(4, 0.31564466593112039), (5, 0.3763086808858706), (6, 0.419541653761205)])
def test_skater_equals_geoda(guerry, k, ratio):
    values, weights, _ = guerry
    got = skater(values, weights, n_regions=k)
    assert got.ratio == pytest.approx(ratio, rel=1e-12)
    assert got.total_ss == pytest.approx(504, rel=1e-12)  # (85 - 1) x 6


def test_six_regions_have_geodas_sizes_and_join_count_ratios(guerry):
    values, weights, _ = guerry
    got = quality(skater(values, weights, n_regions=6), values, weights)
    share = got.regions["size"] / 85
    assert -(share * np.log(share)).sum() == pytest.approx(1.5302035777210896, rel=1e-12)
    assert (share**2).sum() == pytest.approx(0.25619377162629758, rel=1e-12)
    want = [0.8571428571428571, 0.89230769230769236, 0.58461538461538465, 0.54545454545454541,
            0.38461538461538464, 0.66666666666666663]  # fmt: skip
    assert got.regions["join_count_ratio"].tolist() == pytest.approx(want, rel=1e-12)
    assert (got.regions["pieces"] == 1).all()


@pytest.mark.parametrize(("k", "ratio"), [(4, 0.3156446659311204), (5, 0.35087442417486864), (6, 0.3759074297191969)])
def test_skater_with_a_floor_equals_geoda(guerry, k, ratio):
    """Not published: pygeoda 0.1.3 run on the same data with bound_variable = Pop1831."""
    values, weights, people = guerry
    got = skater(values, weights, n_regions=k, floor=people, floor_min=FLOOR)
    assert got.ratio == pytest.approx(ratio, rel=1e-12)
    assert people.groupby(got.region).sum().min() >= FLOOR


@pytest.mark.parametrize(
    ("k", "ratio"),
    [(4, 0.3805127681618677), (5, 0.42417288438095624), (6, 0.461812261563906), (10, 0.5752411313348346)],
)
def test_ward_equals_geodas_schc(guerry, k, ratio):
    """Pygeoda 0.1.3 run on the same data; the 0.2147711255 in its tests is the average linkage's (rgeoda says so)."""
    values, weights, _ = guerry
    assert ward(values, weights, n_regions=k).ratio == pytest.approx(ratio, rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_azp_beats_geodas_best(guerry, seed):
    """GeoDa: greedy 0.3599, tabu 0.4222, simulated annealing 0.4243. Heuristics: bounds to reach, not truths."""
    values, weights, _ = guerry
    assert azp(values, weights, n_regions=5, rng=seed).ratio >= 0.4242888392676826


def test_azp_with_a_floor_beats_geodas(guerry):
    """Rgeoda's azp_greedy with bound: 0.417."""
    values, weights, people = guerry
    got = azp(values, weights, n_regions=5, rng=1, floor=people, floor_min=FLOOR)
    assert got.ratio >= 0.417
    assert people.groupby(got.region).sum().min() >= FLOOR


@pytest.mark.parametrize("seed", range(3))
def test_max_p_makes_more_regions_than_geoda(guerry, seed):
    """GeoDa: 8 regions, ratios 0.446 to 0.496. Ten times the floor exceeds the sum, so that 9 is the maximum."""
    values, weights, people = guerry
    got = max_p(values, weights, floor=people, floor_min=FLOOR, rng=seed)
    assert people.sum() < 10 * FLOOR
    assert got.n_regions == 9
    assert got.ratio >= 0.496
    assert people.groupby(got.region).sum().min() >= FLOOR


def test_upper_and_lower_limits_together(guerry):
    values, weights, _ = guerry
    for method in (skater, azp):
        sizes = method(values, weights, n_regions=5, min_size=10, max_size=25).profile["size"]
        assert 10 <= sizes.min() <= sizes.max() <= 25
        assert len(sizes) == 5


def test_suggestion_tells_that_guerry_has_no_clear_number(guerry):
    values, weights, _ = guerry
    got = suggest_regions(values, weights)
    assert got.table.index.tolist() == list(range(2, 16))
    assert got.table.loc[4, "ratio"] == pytest.approx(0.31564466593112039, rel=1e-12)
    n, k, inside = 85, got.table.index, got.table["within_ss"]
    np.testing.assert_allclose(got.table["pseudo_f"], (504 - inside) / (k - 1) / (inside / (n - k)))
    assert (got.n_regions, got.reason) == (2, "highest pseudo-F, at the edge")
