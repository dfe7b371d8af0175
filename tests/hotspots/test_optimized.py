"""Optimised hot spots: every step against loops over all pairs, and the steps put together."""

import geopandas
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import haversine_distances

from kazgeo.autocorrelation.correlogram import correlogram
from kazgeo.crs import EARTH_RADIUS_M, unit_sphere
from kazgeo.errors import Cancelled, InputError
from kazgeo.hotspots.cells import aggregate
from kazgeo.hotspots.getis import getis_ord
from kazgeo.hotspots.optimized import REASONS, locational_outliers, optimized_hot_spots
from kazgeo.weights import Weights

LAWS = settings(max_examples=8, deadline=None, derandomize=True)
FEW = {"permutations": 199, "rng": 6}


def board(side=10, seed=0, lift=3.0):
    """A grid of towns 0.1 degrees apart with noise and a warm corner."""
    spot = np.array([(70 + i / 10, 50 + j / 10) for i in range(side) for j in range(side)])
    ids = [f"t{i:02d}{j:02d}" for i in range(side) for j in range(side)]
    layer = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(*spot.T, crs=4326), index=ids)
    warm = [lift * (i < 4 and j < 4) for i in range(side) for j in range(side)]
    return pd.Series(warm + np.random.default_rng(seed).normal(size=side**2), index=ids), layer


def metres(layer):
    spot = np.radians(np.column_stack([layer.geometry.y, layer.geometry.x]))
    distance = haversine_distances(spot) * EARTH_RADIUS_M
    np.fill_diagonal(distance, np.inf)
    return distance


@pytest.mark.parametrize("peak", ["first", "max"])
def test_the_steps_put_together(peak):
    y, layer = board()
    got = optimized_hot_spots(y, layer, peak=peak, **FEW)
    curve = correlogram(y, layer, n_bands=30, p="normal")
    assert got.distance_m == (curve.peak_m if peak == "first" else curve.max_peak_m)
    assert got.reason == f"{peak}-peak"
    assert len(got.outliers) == 0
    near = (metres(layer) <= got.distance_m * (1 + 1e-9)).astype(float)
    want = getis_ord(y, Weights.from_matrix(layer.index, near), **FEW)
    pd.testing.assert_frame_equal(got.spots.to_frame(), want.to_frame())
    assert got.spots.label["t0101"].startswith("hot")
    assert got.parameters["distance_m"] == got.distance_m
    assert not got.few_units


def test_without_a_peak_the_distance_is_that_to_the_kth_neighbour_by_hand():
    """100 towns: k = 5; 20 towns: k = 3, the least; 700: k = 30, the most."""
    for side, k in ((10, 5), (27, 30)):
        y, layer = board(side)
        got = optimized_hot_spots(y * 0, layer, n_bands=3, **FEW)
        assert got.reason == "mean-neighbours"
        assert got.distance_m == pytest.approx(np.sort(metres(layer), axis=1)[:, k - 1].mean(), rel=1e-6)
    y, layer = board(10)
    y, layer = y.iloc[:20] * 0, layer.iloc[:20]
    got = optimized_hot_spots(y, layer, n_bands=3, **FEW)
    assert got.distance_m == pytest.approx(np.sort(metres(layer), axis=1)[:, 2].mean(), rel=1e-6)
    assert got.few_units


def test_the_standard_distance_is_the_most_by_hand():
    """Towns at -1, 0, 0, 1 degrees of the equator: to the third neighbour 2, 1, 1, 2 degrees, mean 1.5.

    The standard distance is sqrt((1 + 0 + 0 + 1) / 4) = 0.7071 degrees.
    """
    layer = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy([69, 70, 70, 71], [0] * 4, crs=4326))
    got = optimized_hot_spots(pd.Series([1.0, 2, 3, 5]), layer, n_bands=1, **FEW)
    assert got.reason == "standard-distance"
    assert got.distance_m == pytest.approx(np.radians(np.sqrt(0.5)) * EARTH_RADIUS_M, rel=1e-9)
    assert got.reason in REASONS


def test_far_towns_do_not_set_the_distance_but_are_tested():
    y, layer = board()
    far = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy([60, 80], [45, 45], crs=4326), index=["far", "gone"])
    both = pd.concat([layer, far])
    values = pd.concat([y, pd.Series([0.0, 1.0], index=far.index)])
    got = optimized_hot_spots(values, both, **FEW)
    assert got.outliers.tolist() == ["far", "gone"]
    assert got.distance_m == optimized_hot_spots(y, layer, **FEW).distance_m
    assert got.spots.label[["far", "gone"]].tolist() == ["isolate"] * 2
    flat, alone = optimized_hot_spots(values * 0, both, n_bands=3, **FEW), optimized_hot_spots(y * 0, layer, n_bands=3)
    assert flat.reason == "mean-neighbours"
    assert flat.distance_m == alone.distance_m
    assert got.dropped.to_numpy().tolist() == [["far", "no neighbour"], ["gone", "no neighbour"]]


@LAWS
@given(st.integers(0, 1000))
def test_outliers_are_those_of_the_rule(seed):
    rng = np.random.default_rng(seed)
    lon, lat = rng.standard_t(2, 60) + 70, rng.standard_t(2, 60) + 48
    spots = unit_sphere(lon, lat)
    spot = np.radians(np.column_stack([lat, lon]))
    distance = haversine_distances(spot)
    np.fill_diagonal(distance, np.inf)
    nearest = distance.min(axis=1)
    want = nearest >= nearest.mean() + 3 * nearest.std()
    np.testing.assert_array_equal(locational_outliers(spots), want)


@LAWS
@given(st.integers(0, 1000), st.randoms(use_true_random=False))
def test_order_never_matters_and_the_sign_mirrors(seed, shuffler):
    y, layer = board(6, seed)
    y.iloc[4] = np.nan
    layer.loc["t0203", "geometry"] = None
    plain = optimized_hot_spots(y, layer, n_bands=8, **FEW)
    ids, other = list(y.index), list(y.index)
    shuffler.shuffle(ids)
    shuffler.shuffle(other)
    again = optimized_hot_spots(y[ids], layer.loc[other], n_bands=8, **FEW)
    pd.testing.assert_frame_equal(again.to_frame().loc[y.index], plain.to_frame(), check_exact=True)
    assert again.distance_m == plain.distance_m
    pd.testing.assert_frame_equal(again.dropped, plain.dropped)
    assert plain.dropped.iloc[:2].to_numpy().tolist() == [["t0004", "missing value"], ["t0203", "no place"]]
    turned = optimized_hot_spots(-y, layer, n_bands=8, **FEW)
    swap = plain.spots.label.str.replace("hot", "x").str.replace("cold", "hot").str.replace("x", "cold")
    assert turned.spots.label.tolist() == swap.tolist()


def test_incidents_counted_in_cells_give_a_hot_spot_where_they_crowd():
    rng = np.random.default_rng(2)
    spot = np.r_[rng.uniform([70, 48], [72, 50], (300, 2)), rng.normal([70.5, 48.5], 0.05, (150, 2))]
    events = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(*spot.T, crs=4326))
    frame = geopandas.GeoDataFrame(geometry=geopandas.GeoSeries.from_wkt(
        ["POLYGON((70 48, 72 48, 72 50, 70 50, 70 48))"], crs=4326))  # fmt: skip
    cells = aggregate(events, size_m=15_000, area=frame)
    got = optimized_hot_spots(cells.layer["value"], cells.layer, permutations=9_999, rng=6)
    middle = cells.layer.index[cells.layer["value"].argmax()]
    assert got.spots.label[middle].startswith("hot")
    assert got.reason == "first-peak"
    z = got.correlogram.table["z"]
    assert z[got.correlogram.table["to_m"] == got.distance_m].item() == z.max()
    hot = cells.layer[got.spots.label.str.startswith("hot")].to_crs(4326)
    assert hot.union_all().centroid.distance(geopandas.points_from_xy([70.5], [48.5])[0]) < 0.2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"n_bands": 0}, "n_bands must be a whole number"),
        ({"peak": "frist"}, "did you mean 'first'"),
        ({"points": board()[1].set_crs(None, allow_override=True)}, "no CRS"),
        ({"y": board()[0] * np.nan}, "at least 3 units; got 0 of 100"),
        ({"y": board(1)[0], "points": board(1)[1]}, "at least 3 units; got 1 of 1"),
        ({"points": board(9)[1]}, "y and points must have the same units"),
        ({"permutation": 9}, "did you mean 'permutations'"),
    ],
)
def test_faults_are_named(change, words):
    y, layer = board()
    call = {"y": y, "points": layer, **FEW} | change
    with pytest.raises(InputError, match=words):
        optimized_hot_spots(call.pop("y"), call.pop("points"), **call)


def test_all_in_one_place_is_refused():
    layer = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy([70] * 5, [50] * 5, crs=4326))
    with pytest.raises(InputError, match="at least 2 places"):
        optimized_hot_spots(pd.Series(np.arange(5.0)), layer, **FEW)


def test_progress_rises_over_both_steps_and_can_cancel():
    seen = []
    optimized_hot_spots(*board(6), progress=lambda fraction, _: seen.append(fraction), **FEW)
    assert seen == sorted(seen)
    assert min(seen) < 0.5 < max(seen) <= 1

    for late in (0.0, 0.75):

        def stop(fraction, message, late=late):
            if fraction >= late:
                raise Cancelled

        with pytest.raises(Cancelled):
            optimized_hot_spots(*board(6), progress=stop, **FEW)
