"""Correlogram against loops over all pairs, esda, and a hand-made map; laws; hostile input."""

import geopandas
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from kazgeo.autocorrelation.correlogram import correlogram, default_distances
from kazgeo.crs import EARTH_RADIUS_M, unit_sphere
from kazgeo.errors import InputError
from kazgeo.weights.sphere import nearest_metres

LAWS = settings(max_examples=15, deadline=None, derandomize=True)


def scatter(n, seed=0):
    """Points over the south of Kazakhstan with a smooth value and noise."""
    rng = np.random.default_rng(seed)
    lon, lat = rng.uniform(66, 80, n), rng.uniform(42, 50, n)
    ids = [f"p{i:03d}" for i in range(n)]
    layer = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(lon, lat, crs=4326), index=ids)
    y = pd.Series(np.sin(lon / 2) + np.cos(lat / 1.5) + 0.3 * rng.normal(size=n), index=ids)
    return y, layer


def haversine(layer):
    """Great-circle metres between all points, by the haversine formula (Sinnott 1984)."""
    lon, lat = np.radians(layer.geometry.x.to_numpy()), np.radians(layer.geometry.y.to_numpy())
    a = np.sin((lat[:, None] - lat) / 2) ** 2
    a += np.cos(lat[:, None]) * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
    return 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(a))


def brute(y, distance, low, high):
    """Moran's I and z under randomisation of a class, row-standardised, by the sums of Cliff and Ord (1981)."""
    near = (distance <= high) & (distance > low) if low else distance <= high
    np.fill_diagonal(near, False)
    w = near / np.maximum(near.sum(axis=1), 1)[:, None]
    n, z = len(y), (y - y.mean()).to_numpy()
    s0, s1 = w.sum(), ((w + w.T) ** 2).sum() / 2
    s2 = ((w.sum(axis=1) + w.sum(axis=0)) ** 2).sum()
    i = n / s0 * (z @ w @ z) / (z @ z)
    k = n * (z**4).sum() / (z @ z) ** 2
    e = -1 / (n - 1)
    v = n * ((n * n - 3 * n + 3) * s1 - n * s2 + 3 * s0**2) - k * ((n * n - n) * s1 - 2 * n * s2 + 6 * s0**2)
    v = v / ((n - 1) * (n - 2) * (n - 3) * s0**2) - e**2
    return i, e, v, (i - e) / np.sqrt(v), near.sum() // 2, (~near.any(axis=1)).sum()


@pytest.mark.parametrize("cumulative", [True, False])
def test_classes_are_those_of_loops_over_all_pairs(cumulative):
    y, layer = scatter(60)
    limits = [60_000, 150_000, 300_000, 500_000]
    got = correlogram(y, layer, distances_m=limits, cumulative=cumulative, p="normal")
    lows = [0] * 4 if cumulative else [0, *limits[:-1]]
    want = np.array([brute(y, haversine(layer), low, high) for low, high in zip(lows, limits, strict=True)])
    columns = ["I", "expected", "variance", "z", "n_pairs", "n_isolates"]
    np.testing.assert_allclose(got.table[columns].to_numpy(float), want, rtol=1e-9)
    np.testing.assert_allclose(got.table["p"], 2 * norm.sf(np.abs(want[:, 3])), rtol=1e-7)
    np.testing.assert_allclose(got.table["p_bonferroni"], np.minimum(1, 4 * got.table["p"]))
    assert got.table["from_m"].tolist() == lows
    assert got.table["n_isolates"].iloc[0] > 0


def test_esda_agrees_on_the_cumulative_correlogram():
    """esda.correlogram measures in the plane: points in a small area of a metric CRS, limits off any distance."""
    esda = pytest.importorskip("esda")
    rng = np.random.default_rng(3)
    x, north = 500_000 + rng.uniform(-5000, 5000, 50), 5_000_000 + rng.uniform(-5000, 5000, 50)
    layer = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(x, north, crs=32642))
    y = pd.Series(np.sin(x / 3000) + 0.4 * rng.normal(size=50))
    plane = np.hypot(x[:, None] - x, north[:, None] - north)
    sphere = haversine(layer.to_crs(4326))
    alike = [d for d in np.arange(2000.0, 6000, 7) if ((plane <= d) == (sphere <= d)).all()]
    limits = [alike[0], alike[len(alike) // 2], alike[-1]]  # those that don't part plane and sphere
    assert np.diff(limits).min() > 500
    other = esda.correlogram(layer.geometry, y, support=limits, stat_kwargs={"permutations": 0}, n_jobs=1)
    got = correlogram(y, layer, distances_m=limits, p="normal")
    np.testing.assert_allclose(got.table["I"], other["I"].astype(float), rtol=1e-9)
    np.testing.assert_allclose(got.table["z"], other["z_rand"].astype(float), rtol=1e-9)


def test_the_peak_is_at_the_size_of_the_patches():
    """A chess board of 4 x 4 towns a square, 10 km between towns: rings up to 40 km see like values, beyond it not.

    z of cumulative bands then rises while pairs within a square are added, and falls once the other colour comes in:
    a peak at 2 or 3 steps, and none at one step or four.
    """
    step = 10_000 / (np.pi * EARTH_RADIUS_M / 180)
    spot = np.array([(70 + i * step, j * step) for i in range(16) for j in range(16)])
    layer = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(*spot.T, crs=4326))
    y = pd.Series([float((i // 4 + j // 4) % 2) for i in range(16) for j in range(16)])
    y += np.random.default_rng(0).normal(size=256) * 0.1
    got = correlogram(y, layer, distances_m=np.arange(1, 8) * 10_100, p="normal")
    assert got.peak_m in (20_200, 30_300)
    z = got.table["z"].to_numpy()
    at = got.table["to_m"].tolist().index(got.peak_m)
    assert z[at] > z[at - 1]
    assert z[at] > z[at + 1]
    rings = correlogram(y, layer, distances_m=np.arange(1, 8) * 10_100, p="normal", cumulative=False)
    assert rings.table["I"].iloc[0] > 0 > rings.table["I"].iloc[4]


def test_no_peak_where_nothing_clusters_and_none_at_the_ends():
    y, layer = scatter(60)
    assert np.isnan(correlogram(y, layer, distances_m=[1e5, 2e5], p="normal").peak_m)  # no class in between
    constant = correlogram(y * 0, layer, p="normal")
    assert np.isnan(constant.peak_m)
    assert np.isnan(constant.max_peak_m)
    assert constant.table["I"].isna().all()


def test_a_step_without_new_pairs_does_not_hide_a_peak():
    """Hundred-metre steps on a grid of ten-kilometre steps: most bands repeat the one before."""
    step = 10_000 / (np.pi * EARTH_RADIUS_M / 180)
    spot = np.array([(70 + i * step, j * step) for i in range(12) for j in range(12)])
    layer = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(*spot.T, crs=4326))
    y = pd.Series([float((i // 4 + j // 4) % 2) for i in range(12) for j in range(12)])
    fine = correlogram(y, layer, distances_m=np.arange(10_100, 60_000, 1000), p="normal")
    z = fine.table["z"].to_numpy()
    assert (z[1:] == z[:-1]).sum() > 20
    best = int(np.argmax(z))
    assert z[best] == z[best + 1]
    assert 0 < best < len(z) - 1
    assert fine.max_peak_m == fine.table["to_m"][best]


def test_a_class_without_pairs_is_nan():
    y, layer = scatter(20)
    got = correlogram(y, layer, distances_m=[1.0, 500_000], p="normal").table
    assert got.loc[0, ["I", "z", "p"]].isna().all()
    assert (got.loc[0, "n_pairs"], got.loc[0, "n_isolates"]) == (0, 20)
    assert got.loc[1, "I"] == got.loc[1, "I"]


@pytest.mark.parametrize("n_bands", [1, 4, 30])
def test_default_limits_start_where_every_unit_has_a_neighbour_and_end_within_half_the_extent(n_bands):
    y, layer = scatter(80, 2)
    distance = haversine(layer)
    np.fill_diagonal(distance, np.inf)
    nearest = distance.min(axis=1)
    table = correlogram(y, layer, n_bands=n_bands, p="normal").table
    assert table["to_m"].iloc[0] == pytest.approx(nearest.max(), rel=1e-9)
    assert len(table) == n_bands
    assert (table["n_isolates"] == 0).all()
    steps = np.diff(table["to_m"])
    assert (steps <= nearest.mean() * (1 + 1e-9)).all()
    np.fill_diagonal(distance, 0)
    assert table["to_m"].iloc[-1] <= distance.max()


def test_points_in_one_place_are_neighbours_and_do_not_set_the_start():
    y, layer = scatter(30)
    layer.loc["p001", "geometry"] = layer.geometry["p000"]
    spots = unit_sphere(layer.geometry.x.to_numpy(), layer.geometry.y.to_numpy())
    assert nearest_metres(spots).min() == 0
    assert default_distances(spots, 3)[0] > 1000
    table = correlogram(y, layer, distances_m=[10.0, 1e5], cumulative=False, p="normal").table
    assert table["n_pairs"].iloc[0] == 1


@LAWS
@given(st.integers(0, 1000), st.randoms(use_true_random=False))
def test_order_never_matters_and_the_sign_neither(seed, shuffler):
    y, layer = scatter(25, seed)
    y.iloc[3] = np.nan
    layer.loc["p007", "geometry"] = None
    plain = correlogram(y, layer, permutations=99, rng=2)
    ids, other = list(y.index), list(y.index)
    shuffler.shuffle(ids)
    shuffler.shuffle(other)
    again = correlogram(y[ids], layer.loc[other], permutations=99, rng=2)
    pd.testing.assert_frame_equal(again.table, plain.table, check_exact=True)
    pd.testing.assert_frame_equal(again.dropped, plain.dropped)
    assert plain.dropped.to_numpy().tolist() == [["p003", "missing value"], ["p007", "no place"]]
    np.testing.assert_allclose(correlogram(-2 * y + 5, layer, permutations=99, rng=2).table, plain.table, rtol=1e-9)


@pytest.mark.slow
def test_false_alarms_under_chance():
    """250 random maps, p <= 0.1 by permutation in one class: 10 % by construction; 5 sd is one in 2 million."""
    _, layer = scatter(30)
    rng = np.random.default_rng(8)
    hits = 0
    for k in range(250):
        y = pd.Series(rng.exponential(size=30), index=layer.index)
        hits += correlogram(y, layer, distances_m=[250_000], permutations=199, rng=k).table["p"].iloc[0] <= 0.1
    assert 0.1 - 5 * np.sqrt(0.09 / 250) < hits / 250 < 0.1 + 5 * np.sqrt(0.09 / 250)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"distances_m": [-5.0, 10]}, "positive metres"),
        ({"distances_m": []}, "at least one"),
        ({"distances_m": [10, 10]}, "must rise"),
        ({"distances_m": [10, np.nan]}, "positive metres"),
        ({"n_bands": 0}, "n_bands must be a whole number"),
        ({"p": "normale"}, "did you mean 'normal'"),
        ({"alpha": 5}, "5 % is 0.05"),
        ({"points": scatter(9)[1].set_crs(None, allow_override=True)}, "no CRS"),
        ({"points": scatter(8)[1]}, "points lack 1: 'p008'"),
        ({"points": scatter(10)[1]}, "y lacks 1: 'p009'"),
        ({"points": scatter(9)[0]}, "must be a GeoDataFrame"),
        ({"y": scatter(9)[0] * np.nan}, "at least 3 units; got 0 of 9"),
        ({"y": scatter(1)[0], "points": scatter(1)[1]}, "at least 3 units; got 1 of 1"),
        ({"points": scatter(9)[1].set_geometry([scatter(1)[1].geometry.iloc[0]] * 9, crs=4326)}, "at least 2 places"),
    ],
)
def test_faults_are_named(change, words):
    y, layer = scatter(9)
    call = {"y": y, "points": layer, "permutations": 9, "rng": 1} | change
    with pytest.raises(InputError, match=words):
        correlogram(call.pop("y"), call.pop("points"), **call)


def test_too_many_pairs_are_refused_before_they_are_made(monkeypatch):
    monkeypatch.setattr("kazgeo.weights.sphere.MAX_PAIRS", 10)
    y, layer = scatter(30)
    with pytest.raises(InputError, match="at most 10 pairs"):
        correlogram(y, layer, distances_m=[1e6])
