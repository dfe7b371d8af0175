"""Density clusters against scikit-learn, against the definition of DBSCAN by loops, laws, hostile input."""

import geopandas
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import DBSCAN, HDBSCAN
from sklearn.metrics.pairwise import haversine_distances

from kazgeo.crs import EARTH_RADIUS_M
from kazgeo.errors import Cancelled, InputError
from kazgeo.hotspots.density import density_clusters
from kazgeo.weights import nearest_distances

LAWS = settings(max_examples=40, deadline=None, derandomize=True)


def towns(n, seed=0):
    """A few clumps of towns and strays, and their people."""
    rng = np.random.default_rng(seed)
    centre = rng.uniform([60, 43], [80, 53], (4, 2))
    spot = np.r_[centre[rng.integers(0, 4, n - n // 4)] + rng.normal(size=(n - n // 4, 2)) * 0.2,
                 rng.uniform([60, 43], [80, 53], (n // 4, 2))]  # fmt: skip
    ids = [f"t{i:03d}" for i in range(n)]
    layer = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(*spot.T, crs=4326), index=ids)
    return layer, pd.Series(rng.lognormal(6, 1, n).round(), index=ids)


def radians(layer):
    return np.radians(np.column_stack([layer.geometry.y, layer.geometry.x]))


def metres(layer):
    return haversine_distances(radians(layer)) * EARTH_RADIUS_M


def parts(labels, keep):
    """Sets of positions with the same label, among those to keep."""
    groups = pd.Series(np.arange(len(labels)))[keep].groupby(np.asarray(labels)[keep])
    return {frozenset(g) for _, g in groups}


@LAWS
@given(st.integers(0, 10_000), st.sampled_from([15_000, 40_000, 100_000]), st.integers(1, 6), st.booleans())
def test_cores_noise_and_clusters_are_scikit_learns(seed, eps, least, weighted):
    layer, people = towns(60, seed)
    threshold = {"min_population": 1500.0} if weighted else {"min_points": least}
    got = density_clusters(layer, eps_m=eps, weight=people, **threshold)
    model = DBSCAN(eps=eps / EARTH_RADIUS_M, min_samples=1500 if weighted else least, metric="haversine",
                   algorithm="ball_tree")  # fmt: skip
    model.fit(radians(layer), sample_weight=people if weighted else None)
    core = np.isin(np.arange(60), model.core_sample_indices_)
    np.testing.assert_array_equal(got.core.to_numpy(bool), core)
    np.testing.assert_array_equal(got.label == "noise", model.labels_ == -1)
    assert parts(got.label, core) == parts(model.labels_, core)
    distance = metres(layer)
    for i in np.flatnonzero(~core & (model.labels_ >= 0)):  # a border point: the cluster of its nearest core
        cores = np.flatnonzero(core)
        nearest = cores[np.argmin(distance[i, cores])]
        assert got.label.iloc[i] == got.label.iloc[nearest]
        assert distance[i, nearest] <= eps


def test_hdbscan_is_scikit_learns():
    layer, people = towns(80, 5)
    got = density_clusters(layer, method="hdbscan", min_points=6, weight=people)
    labels = HDBSCAN(min_cluster_size=6, metric="haversine", copy=True).fit(radians(layer)).labels_
    assert len(got.clusters) == labels.max() + 1 > 1
    assert parts(got.label, np.ones(80, bool)) == parts(labels, np.ones(80, bool))
    np.testing.assert_array_equal(got.label == "noise", labels == -1)
    assert got.core.isna().all()


def test_the_table_of_clusters_by_hand():
    """Two towns 0.02 degrees apart on the equator, 300 and 100 people: the middle lies a quarter of the way."""
    at = geopandas.points_from_xy([70, 70.02, 75, 75.01, 75.02], [0, 0, 0, 0, 0], crs=4326)
    layer = geopandas.GeoDataFrame(geometry=at, index=list("abcde"))
    people = pd.Series([300, 100, 50, 50, 50], index=list("abcde"))
    got = density_clusters(layer, eps_m=3_000, min_points=2, weight=people)
    one = got.clusters.loc["cluster-1"]
    assert (one["n"], one["population"]) == (2, 400)
    assert one["lon"] == pytest.approx(70.005, abs=1e-9)
    assert one["radius_m"] == pytest.approx(np.radians(0.015) * EARTH_RADIUS_M, rel=1e-6)
    assert one[["west", "south", "east", "north"]].tolist() == pytest.approx([70, 0, 70.02, 0])
    assert got.clusters["n"].tolist() == [2, 3]  # by people
    assert density_clusters(layer, eps_m=3_000, min_points=2).clusters["n"].tolist() == [3, 2]  # by points


def test_few_people_close_together_are_no_cluster_but_many_in_one_town_are():
    at = geopandas.points_from_xy([70, 70.001, 70.002, 75], [50] * 4, crs=4326)
    layer = geopandas.GeoDataFrame(geometry=at, index=list("abcd"))
    people = pd.Series([10, 10, 10, 9000], index=list("abcd"))
    got = density_clusters(layer, eps_m=1000, min_population=1000, weight=people)
    assert got.label.tolist() == ["noise"] * 3 + ["cluster-1"]
    assert got.n_noise == 3


@LAWS
@given(st.integers(0, 10_000), st.sampled_from(["dbscan", "hdbscan"]), st.randoms(use_true_random=False))
def test_order_never_matters_and_everything_is_told(seed, method, shuffler):
    layer, people = towns(40, seed)
    layer.loc["t003", "geometry"] = None
    people["t005"] = np.nan
    call = {"method": method, "eps_m": 30_000 if method == "dbscan" else None, "min_points": 4}
    plain = density_clusters(layer, weight=people, **call)
    ids, other = list(layer.index), list(layer.index)
    shuffler.shuffle(ids)
    shuffler.shuffle(other)
    again = density_clusters(layer.loc[ids], weight=people[other], **call)
    pd.testing.assert_frame_equal(again.to_frame().loc[layer.index], plain.to_frame())
    pd.testing.assert_frame_equal(again.clusters, plain.clusters, check_exact=True)
    assert plain.dropped.to_numpy().tolist() == [["t003", "no place"], ["t005", "missing weight"]]
    assert plain.label[["t003", "t005"]].tolist() == ["undefined"] * 2
    assert plain.clusters["n"].sum() + plain.n_noise + 2 == 40
    assert plain.clusters["population"].is_monotonic_decreasing


@LAWS
@given(st.integers(0, 10_000))
def test_people_and_threshold_have_no_unit_and_a_wider_reach_keeps_cores(seed):
    layer, people = towns(40, seed)
    narrow = density_clusters(layer, eps_m=20_000, min_population=2000, weight=people)
    thousands = density_clusters(layer, eps_m=20_000, min_population=2, weight=people / 1000)
    assert narrow.label.tolist() == thousands.label.tolist()
    wide = density_clusters(layer, eps_m=40_000, min_population=2000, weight=people)
    assert not (narrow.core.astype(bool) & ~wide.core.astype(bool)).any()


def test_k_distance_is_that_of_all_pairs():
    layer, _ = towns(30)
    layer.loc["t004", "geometry"] = None
    distance = np.sort(metres(layer.drop(index="t004")), axis=1)
    got = nearest_distances(layer, 3)
    np.testing.assert_allclose(got.drop("t004"), distance[:, 3], rtol=1e-6)
    assert np.isnan(got["t004"])


def test_a_grid_step_lies_within_itself():
    """Rounding must not part points that are exactly ``eps_m`` apart."""
    step = 1000 / (np.pi * EARTH_RADIUS_M / 180)
    layer = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy([0] * 50, np.arange(50) * step, crs=4326))
    assert set(density_clusters(layer, eps_m=1000, min_points=2).label) == {"cluster-1"}


@pytest.mark.parametrize("method", ["dbscan", "hdbscan"])
def test_one_point_and_none(method):
    layer, people = towns(1)
    got = density_clusters(layer, method=method, eps_m=1000, weight=people)
    assert got.label.tolist() == ["noise"]
    assert got.clusters.empty
    assert density_clusters(layer.iloc[:0], method=method, eps_m=1000).label.empty
    one = density_clusters(layer, eps_m=1000, min_points=1)
    assert one.clusters["radius_m"].tolist() == pytest.approx([0], abs=1e-6)


def test_points_in_one_place():
    layer = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy([70] * 8, [50] * 8, crs=4326))
    assert set(density_clusters(layer, eps_m=1).label) == {"cluster-1"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"eps_m": None}, "eps_m must be given"),
        ({"eps_m": -1}, "eps_m must be positive metres; got -1"),
        ({"eps_m": 0}, "eps_m must be positive"),
        ({"eps_m": np.nan}, "eps_m must be positive"),
        ({"method": "dbscn"}, "did you mean 'dbscan'"),
        ({"min_points": 0}, "min_points must be a whole number"),
        ({"min_population": 10, "min_points": 2}, "exclude each other"),
        ({"min_population": 10, "weight": None}, "give weight"),
        ({"weight": towns(11)[1]}, "points lack 1: 't010'"),
        ({"eps_m": "2 km"}, "eps_m must be positive metres; got '2 km'"),
        ({"method": "hdbscan", "min_points": 1}, "min_points must be at least 2 for HDBSCAN"),
        ({"min_population": "9"}, "min_population must be a positive number of people; got '9'"),
        ({"min_population": -3}, "min_population must be a positive number"),
        ({"method": "hdbscan", "min_population": 10}, "HDBSCAN counts points"),
        ({"weight": towns(9)[1]}, "weight lacks 1: 't009'"),
        ({"weight": -towns(10)[1]}, "weight must not be negative"),
        ({"points": towns(10)[0].set_crs(None, allow_override=True)}, "no CRS"),
        ({"points": pd.concat([towns(10)[0]] * 2)}, "unique ids"),
        ({"points": pd.DataFrame({"x": [1]})}, "must be a GeoDataFrame"),
    ],
)
def test_faults_are_named(change, words):
    layer, people = towns(10)
    call = {"points": layer, "eps_m": 1000.0, "weight": people} | change
    with pytest.raises(InputError, match=words):
        density_clusters(call.pop("points"), **call)


@pytest.mark.parametrize("method", ["dbscan", "hdbscan"])
def test_progress_rises_and_can_cancel(method):
    layer, people = towns(30)
    seen = []
    density_clusters(layer, method=method, eps_m=30_000, weight=people, progress=lambda f, m: seen.append((f, m)))
    assert [f for f, _ in seen] == sorted(f for f, _ in seen)
    assert (seen[0][0], seen[-1]) == (0, (1, "done"))

    def stop(fraction, message):
        if message == "clusters":
            raise Cancelled

    with pytest.raises(Cancelled):
        density_clusters(layer, method=method, eps_m=30_000, progress=stop)


def test_too_wide_a_reach_is_refused(monkeypatch):
    monkeypatch.setattr("kazgeo.weights.sphere.MAX_PAIRS", 10)
    with pytest.raises(InputError, match="at most 10 pairs"):
        density_clusters(towns(30)[0], eps_m=1e6)


def test_a_point_between_two_clusters_joins_the_nearer_core_whatever_its_id():
    """Cores at 0, 0.01, 0.02 and 0.06, 0.07, 0.08 degrees; the point at 0.042 is 2.4 and 2.0 km from the nearest."""
    lon = [0, 0.01, 0.02, 0.042, 0.06, 0.07, 0.08]
    for ids in ("abcdefg", "gfedcba"):
        at = geopandas.points_from_xy(lon, [0] * 7, crs=4326)
        layer = geopandas.GeoDataFrame(geometry=at, index=list(ids))
        people = pd.Series([5, 5, 5, 0, 5, 5, 5], index=list(ids))
        got = density_clusters(layer, eps_m=2_500, min_population=15, weight=people)
        assert got.core.tolist() == [True, True, True, False, True, True, True]
        assert got.label.iloc[3] == got.label.iloc[4] != got.label.iloc[2]
