"""Quantile LISA: the convention of quantiles against GeoDa's and exact fractions; the rest is a local join count."""

import os
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_local_join_counts import agrees_with_geoda
from test_properties import LAWS, maps

from kazgeo.autocorrelation.local_join_counts import local_colocation, local_join_count
from kazgeo.autocorrelation.quantile_lisa import in_quantile, quantile_lisa
from kazgeo.errors import InputError
from kazgeo.weights import Weights, contiguity

SHARED = Path(os.environ.get("KAZGEO_SHARED", Path(__file__).parents[3] / "shared"))
WHOLE = st.lists(st.integers(-20, 20), min_size=3, max_size=40)


@pytest.fixture(scope="module")
def guerry():
    import geopandas

    path = SHARED / "golden/inputs/geoda/Guerry.shp"
    if not path.exists():
        pytest.skip("needs Guerry.shp of the shared folder (KAZGEO_SHARED)")
    layer = geopandas.read_file(path)
    return layer, contiguity(layer, tolerance_m=0)


def hazen(values, k, q):
    """The quantile q / k between order statistics, as a fraction: GeoDa's QuantileBreaks."""
    ordered, n = sorted(map(Fraction, values)), len(values)
    place = Fraction(n * q, k) + Fraction(1, 2)
    low = int(place)
    return ordered[low - 1] + (place - low) * (ordered[min(low, n - 1)] - ordered[low - 1])


@LAWS
@given(WHOLE, st.data())
def test_membership_is_geodas_rule_in_exact_arithmetic(values, data):
    k = data.draw(st.integers(2, len(values)))
    edges = [float("-inf"), *(hazen(values, k, q) for q in range(1, k)), float("inf")]
    for q in range(1, k + 1):
        wanted = [edges[q - 1] <= v < edges[q] for v in values]
        assert in_quantile(np.array(values, dtype=float), k, q).tolist() == wanted


@LAWS
@given(WHOLE, st.data())
def test_quantiles_share_out_the_units_whatever_the_scale(values, data):
    k = data.draw(st.integers(2, len(values)))
    v = np.array(values, dtype=float)
    parts = np.array([in_quantile(v, k, q) for q in range(1, k + 1)])
    assert (parts.sum(axis=0) == 1).all()
    for changed in (v / 3 + 0.1, np.exp(v / 7), 1e6 * (v + 1e4)):
        assert (parts == [in_quantile(changed, k, q) for q in range(1, k + 1)]).all()
    if len(set(values)) == len(values):
        assert np.ptp(parts.sum(axis=1)) <= 1


@LAWS
@given(maps(varied=False), st.randoms(use_true_random=False), st.data())
def test_it_is_the_join_count_of_membership(example, shuffler, data):
    y, weights = example
    used = y.dropna()
    k = data.draw(st.integers(2, len(used)))
    q = data.draw(st.integers(1, k))
    got = quantile_lisa(y, weights, k=k, quantile=q)
    member = pd.Series(in_quantile(used.to_numpy(), k, q), index=used.index).reindex(y.index).astype("boolean")
    plain = local_join_count(member, weights)
    pd.testing.assert_frame_equal(got.to_frame().drop(columns="member"), plain.to_frame(), check_exact=True)
    pd.testing.assert_series_equal(got.member, member.astype(float), check_names=False)
    mixed = list(y.index)
    shuffler.shuffle(mixed)
    again = quantile_lisa(y[mixed], weights.reindex(mixed), k=k, quantile=q)
    pd.testing.assert_frame_equal(got.to_frame(), again.to_frame().loc[y.index], check_exact=True)


def test_several_variables_are_the_colocation_of_their_memberships():
    rng = np.random.default_rng(4)
    ids = [f"u{i:02d}" for i in range(30)]
    weights = Weights.from_pairs(ids, [(ids[i], ids[j]) for i in range(30) for j in range(i + 1, min(30, i + 4))])
    table = pd.DataFrame(rng.normal(size=(30, 2)).cumsum(axis=0), index=ids, columns=["a", "b"])
    table.loc["u07", "b"] = None
    got = quantile_lisa(table, weights, k=[4, 3], quantile=[4, 1])
    used = table.dropna()
    parts = {"a": in_quantile(used["a"].to_numpy(), 4, 4), "b": in_quantile(used["b"].to_numpy(), 3, 1)}
    wanted = local_colocation(pd.DataFrame(parts, index=used.index).reindex(ids).astype("boolean"), weights)
    pd.testing.assert_frame_equal(got.to_frame().drop(columns="member"), wanted.to_frame(), check_exact=True)
    assert got.bounds["n"].tolist() == [int(p.sum()) for p in parts.values()]
    inside = (used["a"] >= got.bounds.loc["a", "from"]) & (used["b"] < got.bounds.loc["b", "to"])
    assert inside.astype(float).tolist() == got.member[used.index].tolist()
    assert got.bounds.loc["a", "to"] == np.inf
    assert got.parameters["quantile"] == [4, 1]


def test_an_empty_quantile_is_undefined():
    ids = list("abcdef")
    weights = Weights.from_pairs(ids, list(pairwise(ids)))
    y = pd.Series([1, 2, 2, 2, 2, 3], index=ids)
    got = quantile_lisa(y, weights, k=3, quantile=2)
    assert set(got.label) == {"undefined"}
    assert got.bounds[["from", "to", "n"]].to_numpy().tolist() == [[2, 2, 0]]
    assert quantile_lisa(y, weights, k=3, quantile=3).member.tolist() == [0, 1, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"quantile": 0}, "quantile must be a whole number of at least 1"),
        ({"quantile": 5}, "quantile must lie between 1 and k; got 5 of 4"),
        ({"quantile": 1, "k": 1}, "k must be at least 2 quantiles"),
        ({"quantile": 1, "k": 9}, r"k must be at most the number of units with a value \(6\)"),
        ({"quantile": [1, 2]}, r"quantile must be one number, or one per variable \(1\)"),
    ],
)
def test_bad_input_is_told(options, message):
    ids = list("abcdef")
    weights = Weights.from_pairs(ids, list(pairwise(ids)))
    with pytest.raises(InputError, match=message):
        quantile_lisa(pd.Series(range(6), index=ids), weights, **options)


#: Computed with pygeoda 0.1.3 on its data/Guerry.shp: Donatns, queen, 99,999 permutations. k, quantile, breaks; then
#: count and p of the units that have a count.
GUERRY = [
    (
        4, 4, [3443.5, 4964.0, 9310.25],
        {
            2: (3, 0.14459), 12: (1, 0.43079), 14: (3, 0.08533), 15: (3, 0.08517), 16: (4, 0.02637), 17: (2, 0.44619),
            19: (2, 0.14122), 20: (5, 0.00231), 24: (1, 0.17858), 26: (2, 0.05373), 33: (3, 0.14574), 53: (2, 0.24243),
            54: (1, 0.42643), 55: (2, 0.4465), 64: (1, 0.32191), 74: (3, 0.08461), 80: (2, 0.24318), 82: (4, 0.02598),
        },
    ),
    (
        5, 1, [3199.5, 4200.0, 5851.5, 10712.5],
        {
            3: (3, 0.02143), 5: (5, 0.0023), 9: (2, 0.24419), 11: (3, 0.00677), 18: (1, 0.20792), 23: (3, 0.04815),
            27: (5, 0.00058), 28: (2, 0.3254), 29: (1, 0.26239), 31: (2, 0.16589), 36: (1, 0.33178), 40: (2, 0.24231),
            45: (3, 0.04755), 78: (3, 0.00631), 79: (6, 3e-05),
        },
    ),
    (
        5, 3, [3199.5, 4200.0, 5851.5, 10712.5],
        {
            21: (3, 0.10431), 25: (2, 0.29897), 30: (2, 0.1455), 38: (2, 0.29535), 42: (4, 0.01733), 43: (3, 0.06767),
            44: (4, 0.00796), 57: (2, 0.29624), 59: (1, 0.33176), 70: (1, 0.33305), 72: (4, 0.03268), 75: (2, 0.21922),
            77: (2, 0.2962), 84: (2, 0.22751),
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("k", "q", "breaks", "found"), GUERRY, ids=["top quartile", "lowest fifth", "middle fifth"])
def test_guerry_is_what_geoda_computes(guerry, k, q, breaks, found):
    layer, weights = guerry
    got = quantile_lisa(layer["Donatns"], weights, k=k, quantile=q)
    edges = [-np.inf, *breaks, np.inf]
    np.testing.assert_allclose(got.bounds[["from", "to"]].to_numpy()[0], edges[q - 1 : q + 1], rtol=1e-12)
    assert {u: c for u, c in got.count.items() if c} == {u: c for u, (c, _) in found.items()}
    agrees_with_geoda(got, got.member.to_numpy() == 1, {u: p for u, (_, p) in found.items()}, 99_999)


def test_guerry_of_two_variables_is_what_geoda_computes(guerry):
    layer, weights = guerry
    got = quantile_lisa(layer[["Donatns", "Infants"]], weights, k=5, quantile=5)
    p = {15: 0.01534, 26: 0.09375, 53: 0.18178, 74: 0.017, 80: 0.00944}
    assert {u: c for u, c in got.count.items() if c} == {15: 2, 26: 1, 53: 1, 74: 2, 80: 2}
    agrees_with_geoda(got, got.member.to_numpy() == 1, p, 99_999)
