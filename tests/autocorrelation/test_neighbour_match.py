"""The local neighbour match test against loops, all arrangements and GeoDa."""

import os
from itertools import permutations
from math import comb
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_properties import LAWS, maps

from kazgeo.autocorrelation.neighbour_match import LABELS, attribute_neighbours, neighbour_match
from kazgeo.errors import InputError
from kazgeo.weights import Weights, knn

SHARED = Path(os.environ.get("KAZGEO_SHARED", Path(__file__).parents[3] / "shared"))
SIX = ["Crm_prs", "Crm_prp", "Litercy", "Donatns", "Infants", "Suicids"]


def ranked(z, k):
    """The k nearest by loops: distance first, position next."""
    n = len(z)
    out = []
    for i in range(n):
        away = [(round(float(np.sqrt(((z[i] - z[j]) ** 2).sum())), 10), j) for j in range(n) if j != i]
        out.append([j for _, j in sorted(away)[:k]])
    return out


@pytest.mark.parametrize(("n", "variables", "k"), [(60, 3, 6), (60, 1, 59), (200, 2, 1), (9, 2, 4)])
@pytest.mark.parametrize("grid", [True, False], ids=["many ties", "no ties"])
def test_neighbours_by_attributes_are_those_of_loops(n, variables, k, grid):
    rng = np.random.default_rng(n + k)
    z = rng.integers(0, 3, (n, variables)).astype(float) if grid else rng.normal(size=(n, variables))
    assert attribute_neighbours(z, k).tolist() == ranked(z, k)


def test_p_is_the_share_of_all_arrangements_over_the_map():
    """All 720 ways to lay the other six units over the map; unequal numbers of neighbours."""
    n, k = 7, 3
    rng = np.random.default_rng(2)
    table = pd.DataFrame(rng.normal(size=(n, 2)), columns=["a", "b"])
    rows, cols = np.nonzero(rng.random((n, n)) < 0.5)
    weights = Weights.from_arrays(table.index, rows, cols)
    near = ranked(((table - table.mean()) / table.std()).to_numpy(), k)
    more, fewer = (neighbour_match(table, weights, k=k, alternative=a) for a in ("greater", "less"))
    for i in range(n):
        around = set(weights.indices[slice(*weights.indptr[i : i + 2])].tolist())
        others = [j for j in range(n) if j != i]
        counts = []
        for p in permutations(others):
            lying = dict(zip(others, p, strict=True))
            counts.append(sum(lying[j] in around for j in near[i]))
        observed = len(around & set(near[i]))
        assert more.common[i] == observed
        assert more.p[i] == pytest.approx(np.mean(np.array(counts) >= observed), rel=1e-12)
        assert fewer.p[i] == pytest.approx(np.mean(np.array(counts) <= observed), rel=1e-12)
        assert more.probability[i] == pytest.approx(np.mean(np.array(counts) == observed), rel=1e-12)
        assert more.expected[i] == pytest.approx(np.mean(counts), rel=1e-12)


@LAWS
@given(maps(varied=False), st.randoms(use_true_random=False), st.integers(1, 3))
def test_the_order_of_rows_and_the_units_of_measurement_do_not_matter(example, shuffler, k):
    y, weights = example
    table = pd.DataFrame({"y": y, "i": np.arange(len(y)) % 4}, index=y.index)
    mixed, other = list(y.index), list(y.index)
    shuffler.shuffle(mixed)
    shuffler.shuffle(other)
    plain = neighbour_match(table, weights, k=k)
    again = neighbour_match(table.loc[mixed], weights.reindex(other).binary(), k=k)
    pd.testing.assert_frame_equal(plain.to_frame(), again.to_frame().loc[y.index], check_exact=True)
    scaled = neighbour_match(table * [-7.0, 1e6] + [0.3, 1e4], weights, k=k)
    pd.testing.assert_frame_equal(plain.to_frame(), scaled.to_frame(), check_exact=True)
    assert set(plain.label) <= set(LABELS)
    assert (plain.p.isna() == plain.label.isin(["isolate", "undefined"])).all()


def test_points_give_their_own_neighbours():
    import geopandas

    rng = np.random.default_rng(6)
    ids = [f"u{i:02d}" for i in range(40)]
    at = geopandas.points_from_xy(rng.uniform(50, 85, 40), rng.uniform(41, 55, 40), crs=4326)
    places = geopandas.GeoDataFrame(geometry=at, index=ids)
    table = pd.DataFrame(rng.normal(size=(40, 2)), index=ids, columns=["a", "b"])
    plain = neighbour_match(table, places, k=5)
    pd.testing.assert_frame_equal(plain.to_frame(), neighbour_match(table, knn(places, 5), k=5).to_frame())
    again = neighbour_match(table.iloc[::-1], places.iloc[rng.permutation(40)], k=5).to_frame().loc[ids]
    pd.testing.assert_frame_equal(plain.to_frame(), again, check_exact=True)
    gaps = table.copy()
    gaps.loc[["u03", "u30"], "b"] = np.nan
    got = neighbour_match(gaps, places, k=5)
    assert (got.neighbours.dropna() == 5).all()  # the nearest are sought among units with values
    rest = neighbour_match(table.drop(["u03", "u30"]), places.drop(["u03", "u30"]), k=5)
    pd.testing.assert_frame_equal(got.to_frame().drop(["u03", "u30"]), rest.to_frame())
    assert got.dropped["unit"].tolist() == ["u03", "u30"]
    with pytest.raises(InputError, match="same units"):
        neighbour_match(table, places.iloc[:30], k=5)


def test_units_set_aside_and_constant_variables():
    ids = list("abcdefg")
    weights = Weights.from_pairs(ids, [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e")])
    table = pd.DataFrame({"a": [1, 2, 3, 4, None, 6, 7], "b": [True, False] * 3 + [True]}, index=ids)
    got = neighbour_match(table, weights, k=2, permutations=5, rng=1)
    assert got.label[["e", "f", "g"]].tolist() == ["undefined", "isolate", "isolate"]
    assert (got.seed, got.n_tests, got.cannot_pass) == (0, 4, False)
    assert set(neighbour_match(table.assign(c=0.1), weights, k=2).label) == {"undefined"}
    with pytest.raises(InputError, match=r"k must be less than the number of units with all values \(6\); got 6"):
        neighbour_match(table, weights, k=6)
    with pytest.raises(InputError, match="at least one variable"):
        neighbour_match(table[[]], weights)


@pytest.mark.slow
def test_p_keeps_its_level_when_places_are_dealt_at_random():
    """600 maps of 40 points, one unit each: the share with at least 2 common neighbours. Alarm rate 6e-7 (5 sd)."""
    rng, k, n = np.random.default_rng(3), 5, 40
    values = pd.DataFrame(rng.gamma(1, size=(n, 2)), columns=["a", "b"])
    points = rng.normal(size=(n, 2))
    rows = np.repeat(np.arange(n), k)
    hits = 0
    for _ in range(600):
        near = np.array(ranked_fast(points[rng.permutation(n)], k))
        got = neighbour_match(values, Weights.from_arrays(values.index, rows, near.ravel()), k=k)
        hits += got.common[7] >= 2
        assert (got.p[7] <= 0.13) == (got.common[7] >= 2)
    level = sum(comb(k, v) * comb(n - 1 - k, k - v) for v in range(2, k + 1)) / comb(n - 1, k)
    assert abs(hits - 600 * level) < 5 * np.sqrt(600 * level * (1 - level))


def ranked_fast(points, k):
    away = np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=2))
    return np.argsort(away, axis=1)[:, 1 : k + 1]


def test_guerry_is_what_geoda_computes():
    """Computed with pygeoda 0.1.3 on its data/Guerry.shp: six variables, k = 6, centroids, exact to 1e-9.

    The data and variables of Anselin and Li (2020). GeoDa shows the chance of exactly v common ones.
    """
    import geopandas
    from scipy.spatial import cKDTree

    path = SHARED / "golden/inputs/geoda/Guerry.shp"
    if not path.exists():
        pytest.skip("needs Guerry.shp of the shared folder (KAZGEO_SHARED)")
    layer = geopandas.read_file(path)
    at = np.column_stack([layer.centroid.x, layer.centroid.y])
    near = cKDTree(at).query(at, k=7)[1][:, 1:]
    weights = Weights.from_arrays(layer.index, np.repeat(np.arange(85), 6), near.ravel())
    got = neighbour_match(layer[SIX], weights, k=6)
    wanted = "2322011231321102121221231114330221101023302111222422322143132230330102213112542310012"
    assert "".join(str(int(v)) for v in got.common) == wanted
    chances = {1: 0.31161695, 2: 0.052638, 3: 0.00374315, 4: 0.00011082, 5: 1.15e-06}
    for unit, v in got.common.items():
        if v:  # GeoDa gives no chance of 0
            assert got.probability[unit] == pytest.approx(chances[v], abs=5e-9)
    assert got.label.value_counts().to_dict() == {"not significant": 64, "match": 21}
