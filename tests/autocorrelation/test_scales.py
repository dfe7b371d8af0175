"""No scale is special: weights in 1 / m^2 or values in 1e-200 give what others give; labels follow the tail of p."""

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
    losh,
    moran,
    neighbour_match,
)
from kazgeo.hotspots import getis_ord
from kazgeo.weights import Weights

FEW = {"permutations": 199, "rng": 3}
IDS = [f"u{i:02d}" for i in range(40)]


def chain(scale=1.0):
    """A chain with unequal weights to the next two."""
    rows, cols = np.array([(i, j) for i in range(40) for j in range(40) if 0 < abs(i - j) < 3]).T
    return Weights.from_arrays(pd.Index(IDS), rows, cols, scale / np.abs(rows - cols) / (1 + rows % 3))


@pytest.fixture(scope="module")
def y():
    rng = np.random.default_rng(4)
    return pd.Series(np.cumsum(rng.normal(size=40)) + rng.normal(size=40), index=IDS)


def same(one, two, names):
    for name in names:
        a, b = getattr(one, name), getattr(two, name)
        if a.dtype == object:
            assert a.tolist() == b.tolist()
        else:
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("scale", [1e-13, 1e-6, 1e9])
@pytest.mark.parametrize("statistic", [local_moran, local_geary, getis_ord])
def test_a_scale_of_the_weights_changes_no_label_and_no_test(statistic, scale, y):
    options = {"transform": "given", "correction": "none", **FEW}
    one, two = (statistic(y, chain(s), **options) for s in (1.0, scale))
    same(one, two, ["p", "label"] + (["value"] if statistic is getis_ord else ["z"]))
    assert one.n_significant > 5
    assert {"high-high", "low-low"} <= set(two.label) or statistic is getis_ord


@pytest.mark.parametrize("scale", [1e-13, 1e-6, 1e9])
def test_a_scale_of_the_weights_changes_no_test_of_kinds(scale, y):
    kinds = pd.cut(y, 3, labels=["low", "mid", "high"]).astype(object)
    one, two = (join_counts(kinds, chain(s), transform="given", **FEW).table for s in (1.0, scale))
    np.testing.assert_allclose(one[["z", "p_normal", "p"]], two[["z", "p_normal", "p"]], rtol=1e-9)
    assert one["z"].notna().all()


@pytest.mark.parametrize("scale", [1e-250, 1e-161, 1e-100, 1e100, 1e154, 1e250])
def test_a_scale_of_the_values_changes_nothing(scale, y):
    w = chain()
    positive = y - y.min() + 1
    for whole in (moran, geary):
        one, two = whole(y, w, **FEW), whole(y * scale, w, **FEW)
        assert (one.value, one.p) == (pytest.approx(two.value, rel=1e-9), two.p)
    one, two = general_g(positive, w, **FEW), general_g(positive * scale, w, **FEW)
    assert (one.value, one.p) == (pytest.approx(two.value, rel=1e-9), two.p)
    assert lee(y, y * scale, w, **FEW).value == pytest.approx(lee(y, y, w, **FEW).value, rel=1e-9)
    same(local_moran(y, w, **FEW), local_moran(y * scale, w, **FEW), ["I", "z", "p", "label"])
    lag = local_moran(y * scale, w, **FEW).lag
    np.testing.assert_allclose(lag / scale, local_moran(y, w, **FEW).lag, rtol=1e-9)
    same(local_geary(y, w, **FEW), local_geary(y * scale, w, **FEW), ["C", "z", "p", "label"])
    same(getis_ord(y, w, **FEW), getis_ord(y * scale, w, **FEW), ["value", "p", "label"])
    same(losh(y, w, **FEW), losh(y * scale, w, **FEW), ["H", "z", "p", "label"])
    table = pd.DataFrame({"a": y, "b": y.sample(frac=1, random_state=1).to_numpy()}, index=y.index)
    same(neighbour_match(table, w, k=4), neighbour_match(table * [1, scale], w, k=4), ["common", "p", "label"])


def test_geary_calls_a_unit_by_the_tail_that_its_p_is_of():
    """One value a hundred times the others pulls the mean of C beyond nearly all draws; the side must not follow it."""
    rng = np.random.default_rng(0)
    ids = pd.RangeIndex(400)
    y = pd.Series(rng.lognormal(size=400), index=ids)
    y[7] = 1000.0
    rows = np.repeat(np.arange(400), 3)
    cols = np.concatenate([rng.choice(np.delete(np.arange(400), i), 3, replace=False) for i in range(400)])
    w = Weights.from_arrays(ids, rows, cols)
    options = {"correction": "none", "permutations": 999, "rng": 1}
    both = local_geary(y, w, **options)
    more, less = (local_geary(y, w, alternative=side, **options).p for side in ("greater", "less"))
    sure = both.p <= 0.05
    assert (both.label[sure & (more < less)] == "different").all()
    assert not (both.label[sure & (less < more)] == "different").any()
    assert ((both.expected > both.C) & sure & (more < less)).any()  # what went wrong before
    only = local_geary(y, w, alternative="greater", **options)
    assert set(only.label[only.p <= 0.05]) == {"different"}


def test_a_lag_of_nothing_but_rounding_is_on_no_side():
    """Neighbours of +1 and -1 around a mean of 0: their sum is 0, or 1e-17, and the quadrant is the low one."""
    ids = list("abcdefgh")
    y = pd.Series([0.1, 0.2, -0.3, 0.7, 0.1, 0.2, -0.3, -0.7], index=ids)
    w = Weights.from_pairs(ids, [("d", "a"), ("d", "b"), ("d", "c"), ("h", "e"), ("h", "f"), ("h", "g")])
    found = local_moran(y, w, **FEW)
    assert abs(found.lag["d"]) < 1e-15
    assert found.quadrant[["d", "h"]].tolist() == ["high-low", "low-low"]
    turned = local_moran_bivariate(y, -y, w, **FEW)
    assert turned.quadrant[["d", "h"]].tolist() == ["high-low", "low-low"]


def test_a_unit_at_the_mean_ties_with_every_draw():
    ids = list("abcdefg")
    y = pd.Series([0.0, 1, -1, 2, -2, 3, -3], index=ids)
    w = Weights.from_pairs(ids, [("a", "f"), ("a", "d"), ("b", "c"), ("d", "e"), ("f", "g"), ("f", "d")])
    assert local_moran(y, w, **FEW).p["a"] == 1.0


def test_negative_weights_tie_by_their_magnitude():
    """Rows of +1 and -1 whose sum is 0: a tolerance by that sum would tell equal draws apart."""
    ids = pd.Index(range(30))
    rows, cols = np.array([(i, (i + s) % 30) for i in range(30) for s in (1, 2)]).T
    w = Weights.from_arrays(ids, rows, cols, np.tile([1.0, -1.0], 30))
    y = pd.Series(np.random.default_rng(2).integers(0, 3, 30) / 10, index=ids)
    one, two = (local_moran(v, w, transform="given", **FEW).p for v in (y, 3 * y + 0.7))
    assert one.tolist() == two.tolist()
    assert one[w.lag((y - y.mean()).to_numpy()).round(9) == 0].min() > 0.5


def test_lee_counts_the_unit_by_its_rows_largest_weight(y):
    x, w = y[::-1].set_axis(y.index), chain()
    dense = w.matrix.toarray()
    dense = dense + np.diag(dense.max(axis=1))
    dense /= dense.sum(axis=1, keepdims=True)
    zx, zy = ((v - v.mean()) / v.std(ddof=0) for v in (x.to_numpy(), y.to_numpy()))
    wanted = 40 / (dense.sum(axis=1) ** 2).sum() * ((dense @ zx) * (dense @ zy)).sum() / 40
    assert lee(x, y, w, include_self=True, **FEW).value == pytest.approx(wanted, rel=1e-12)
