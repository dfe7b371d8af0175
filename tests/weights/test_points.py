"""Weights by great-circle distance: brute force on the haversine, libpysal's kernels, ties, crowds, poles."""

from __future__ import annotations

import itertools
import time
import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kazgeo.crs import EARTH_RADIUS_M
from kazgeo.errors import InputError
from kazgeo.weights import Kernel, distance_band, inverse_distance, kernel, knn, nearest_distances

LAWS = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
FORMULAS = {  # Silverman (1986), table 3.1, u in [0, 1]
    "uniform": lambda u: 0.5 + 0 * u,
    "triangular": lambda u: 1 - u,
    "epanechnikov": lambda u: 0.75 * (1 - u * u),
    "quartic": lambda u: 15 / 16 * (1 - u * u) ** 2,
    "gaussian": lambda u: np.exp(-u * u / 2) / np.sqrt(2 * np.pi),
}


def places(lon, lat, ids=None):
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(lon, lat), index=ids, crs=4326)


def haversine(layer):
    """Metres between all points, another way than chords of the sphere."""
    lam, phi = np.radians(layer.geometry.x.to_numpy()), np.radians(layer.geometry.y.to_numpy())
    half = (
        np.sin((phi[:, None] - phi) / 2) ** 2
        + np.cos(phi)[:, None] * np.cos(phi) * np.sin((lam[:, None] - lam) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(half))


def strewn(n, seed=4):
    rng = np.random.default_rng(seed)
    return places(rng.uniform(47, 87, n), rng.uniform(41, 55, n), [f"p{i:03d}" for i in range(n)])


def nearest_by_hand(layer, k):
    """Sets of neighbours: by distance to the nearest millimetre, ties by id."""
    metres, ids = haversine(layer).round(3), list(layer.index)
    return {
        a: set(sorted((b for b in ids if b != a), key=lambda b, i=i: (metres[i, ids.index(b)], b))[:k])
        for i, a in enumerate(ids)
    }


def neighbours(weights):
    rows = itertools.pairwise(weights.indptr)
    return {i: set(weights.ids[weights.indices[a:b]]) for i, (a, b) in zip(weights.ids, rows, strict=True)}


@pytest.mark.parametrize("k", [1, 5, 79])
def test_nearest_are_those_of_the_haversine(k):
    layer = strewn(80)
    assert neighbours(knn(layer, k)) == nearest_by_hand(layer, k)
    farthest = np.sort(haversine(layer), axis=1)[:, k]
    assert nearest_distances(layer, k).to_numpy() == pytest.approx(farthest, rel=1e-9)


@LAWS
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=3, max_size=30),
    st.integers(1, 29),
    st.randoms(use_true_random=False),
)
def test_ties_and_crowds_on_a_lattice_go_by_id(cells, k, shuffler):
    """Along the equator, cells of a degree tie; places repeat, so crowds of more than k + 2 at one place are common."""
    k = min(k, len(cells) - 1)
    ids = [f"p{i:02d}" for i in range(len(cells))]
    shuffler.shuffle(ids)
    layer = places([60 + x for x, _ in cells], [0.0 for _ in cells], ids)
    own = knn(layer, k)
    assert (own.cardinalities == k).all()
    assert neighbours(own) == nearest_by_hand(layer, k)
    mixed = list(ids)
    shuffler.shuffle(mixed)
    assert neighbours(knn(layer.loc[mixed], k)) == neighbours(own)


def test_crowds_at_one_place_cost_no_square():
    """100,000 units geocoded to one place; the square of that would be 10 billion distances."""
    n = 100_000
    layer = places(np.r_[np.full(n, 71.4), 71.5, 72.0], np.full(n + 2, 51.0))
    started = time.perf_counter()
    own = knn(layer, 3)
    assert time.perf_counter() - started < 10
    assert own.indices[:9].tolist() == [1, 2, 3, 0, 2, 3, 0, 1, 3]
    assert own.indices[-6:].tolist() == [0, 1, 2, 0, 1, n]  # the last: its near neighbour, then the first ids
    assert nearest_distances(layer)[:n].eq(0).all()


@pytest.mark.parametrize("threshold", [1_000, 150_000, 900_000, 30_000_000])
def test_bands_are_those_of_brute_force(threshold):
    layer = strewn(120)
    truth = haversine(layer) <= threshold
    np.fill_diagonal(truth, False)
    assert (distance_band(layer, threshold).matrix.toarray() == truth).all()


def test_the_band_left_out_leaves_no_one_alone_and_no_smaller_does():
    layer = strewn(60)
    own, widest = distance_band(layer), nearest_distances(layer).max()
    assert len(own.isolates) == 0
    assert len(distance_band(layer, widest * (1 - 1e-9)).isolates) >= 1
    assert (own.matrix != distance_band(layer, widest).matrix).nnz == 0


def test_pairs_exactly_at_the_threshold_are_in():
    degree = EARTH_RADIUS_M * np.pi / 180
    layer = places([60, 61, 62, 63, 60, 60], [0, 0, 0, 0, 1, 89])
    for steps in (1, 2, 3):
        own = neighbours(distance_band(layer, steps * degree))
        assert own[0] == {*range(1, steps + 1), 4}
    assert neighbours(distance_band(layer, degree - 0.001))[0] == set()


def test_the_antimeridian_and_the_pole_are_no_border():
    degree = EARTH_RADIUS_M * np.pi / 180
    layer = places([179.9, -179.9, 0, 0, 180, 90], [0, 0, 0, 89.5, 89.5, 90], list("ewopqn"))
    own = neighbours(distance_band(layer, 1.001 * degree))
    assert own == {"e": {"w"}, "w": {"e"}, "o": set(), "p": {"q", "n"}, "q": {"p", "n"}, "n": {"p", "q"}}
    assert nearest_distances(layer)["e"] == pytest.approx(0.2 * degree, rel=1e-9)


@pytest.mark.parametrize("function", list(FORMULAS))
@pytest.mark.parametrize("options", [{"bandwidth_m": 400_000}, {}, {"k": 7}])
def test_kernels_are_their_formulas(function, options):
    layer = strewn(90)
    metres = haversine(layer)
    if "k" in options:
        ends = np.sort(metres, axis=1)[:, [options["k"]]]
    else:
        ends = options.get("bandwidth_m", nearest_distances(layer).max())
    u = metres / (ends * (1 + (0 if "bandwidth_m" in options else 1e-7)))
    truth = np.where(u <= 1, FORMULAS[function](u), 0)
    np.fill_diagonal(truth, 0)
    own = kernel(layer, function=Kernel(function), **options)
    assert own.matrix.toarray() == pytest.approx(truth, rel=1e-6, abs=1e-12)
    assert (own.symmetrized().matrix != own.matrix).nnz == 0 or "k" in options


@pytest.mark.parametrize("function", list(FORMULAS))
@pytest.mark.parametrize("options", [{"bandwidth_m": 400_000.0}, {"k": 7}])
def test_kernels_are_libpysals_but_for_the_diagonal(function, options):
    """libpysal 4.14: the unit itself is a neighbour at distance 0 (not counted by k); all else agrees."""
    from libpysal.cg import KDTree
    from libpysal.weights import Kernel as Theirs

    layer = strewn(90)
    at = np.column_stack([layer.geometry.x, layer.geometry.y])
    tree = KDTree(at, distance_metric="Arc", radius=EARTH_RADIUS_M)
    asked = {"fixed": False, "k": options["k"]} if "k" in options else {"bandwidth": options["bandwidth_m"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        name = "quadratic" if function == "epanechnikov" else function  # libpysal's word
        truth = Theirs(tree, function=name, **asked).sparse.toarray()
    assert (np.diag(truth) == pytest.approx(FORMULAS[function](np.array(0.0)))) or function == "triangular"
    np.fill_diagonal(truth, 0)
    assert kernel(layer, function=function, **options).matrix.toarray() == pytest.approx(truth, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(("power", "shortest"), [(1, 1.0), (2, 50_000.0), (0.5, 1.0)])
def test_inverse_distances_are_those_of_brute_force(power, shortest):
    layer = pd.concat([strewn(50), strewn(50).iloc[:3].set_axis(["x", "y", "z"])])  # three pairs at one place
    metres = haversine(layer)
    truth = np.where(metres <= 700_000, (np.maximum(metres, shortest) / 1000) ** -power, 0)
    np.fill_diagonal(truth, 0)
    own = inverse_distance(layer, power=power, threshold_m=700_000, shortest_m=shortest)
    assert own.matrix.toarray() == pytest.approx(truth, rel=1e-7)
    assert own.matrix[0, 50] == pytest.approx((shortest / 1000) ** -power)


MAKERS = {
    "knn": lambda g: knn(g, 3),
    "band": lambda g: distance_band(g, 300_000, isolates="nearest"),
    "auto": distance_band,
    "kernel": lambda g: kernel(g, function="quartic", bandwidth_m=300_000, isolates="nearest"),
    "adaptive": lambda g: kernel(g, k=3),
    "inverse": lambda g: inverse_distance(g, threshold_m=300_000, isolates="nearest"),
}


@LAWS
@given(
    st.lists(st.tuples(st.integers(50, 80), st.integers(42, 54)), min_size=4, max_size=30),
    st.sampled_from(list(MAKERS)),
    st.randoms(use_true_random=False),
)
def test_shuffled_rows_permute_the_result_to_the_bit(where, maker, shuffler):
    layer = places(*np.array(where, dtype=float).T, [f"p{i:02d}" for i in range(len(where))])
    own = MAKERS[maker](layer)
    mixed = list(layer.index)
    shuffler.shuffle(mixed)
    again = MAKERS[maker](layer.loc[mixed]).reindex(layer.index)
    assert again.indptr.tolist() == own.indptr.tolist()
    assert again.indices.tolist() == own.indices.tolist()
    assert again.data.tolist() == own.data.tolist()
    if maker in ("band", "auto", "kernel", "inverse"):
        assert (own.matrix != own.matrix.T).nnz == 0


@pytest.mark.parametrize("maker", [distance_band, inverse_distance, lambda g, t, **o: kernel(g, bandwidth_m=t, **o)])
def test_what_becomes_of_isolates(maker):
    layer = places([60, 60.1, 75, None], [50, 50, 45, None], list("abcd"))
    kept = _with(maker, layer, "keep")
    assert kept.isolates.tolist() == ["c", "d"]
    tied = _with(maker, layer, "nearest")
    assert tied.isolates.tolist() == ["d"]
    assert tied.matrix[2, 1] == tied.matrix[1, 2] == kept.data.min()
    assert tied.matrix[0, 1] == kept.matrix[0, 1]
    with pytest.raises(InputError, match=r"2 units have no neighbour: 'c', 'd'; .*missing or empty.*: 'd'"):
        _with(maker, layer, "raise")
    with pytest.raises(InputError, match=r"1 unit has no neighbour: 'c'; raise (threshold|bandwidth)_m, or choose"):
        _with(maker, layer.iloc[:3], "raise")


def _with(maker, layer, isolates):
    if maker is inverse_distance:
        return inverse_distance(layer, threshold_m=50_000, isolates=isolates)
    return maker(layer, 50_000, isolates=isolates)


def test_polygons_count_by_a_point_inside():
    boxes = gpd.GeoDataFrame(geometry=[shapely.box(x, 50, x + 1, 51) for x in (60, 61, 65)], crs=4326)
    inside = boxes.set_geometry(boxes.representative_point())
    assert (distance_band(boxes, 100_000).matrix != distance_band(inside, 100_000).matrix).nnz == 0
    broken = shapely.from_wkt("POLYGON ((60 50, 61 50, 61 51, 60 50))")
    broken = shapely.transform(broken, lambda at: np.where(at == 51, np.nan, at))
    mixed = pd.concat([boxes, gpd.GeoDataFrame(geometry=[broken, None], index=[7, 8], crs=4326)])
    assert distance_band(mixed, 1e6).isolates.tolist() == [7, 8]


def test_none_and_one():
    none, one = places([], []), places([60], [50], ["a"])
    for maker in (distance_band, inverse_distance, kernel):
        assert maker(none).n == 0
        assert maker(one, isolates="nearest").isolates.tolist() == ["a"]
    for layer in (none, one):
        with pytest.raises(InputError, match="k must be a whole number, at least 1 and less than"):
            knn(layer, 1)


NAN = float("nan")


@pytest.mark.parametrize(
    ("call", "says"),
    [
        *[(lambda g, k=k: knn(g, k), "k must be a whole number") for k in (0, -1, 5, 9, 2.0, 1.5, True, "2")],
        *[(lambda g, t=t: distance_band(g, t), "threshold_m must be metres above 0") for t in (0, -1, NAN, np.inf)],
        *[(lambda g, t=t: kernel(g, bandwidth_m=t), "bandwidth_m must be metres above 0") for t in (0, -1, NAN)],
        *[(lambda g, t=t: inverse_distance(g, threshold_m=t), "threshold_m must be") for t in (0, -1, NAN)],
        *[(lambda g, p=p: inverse_distance(g, power=p), "power must be above 0") for p in (0, -1, NAN)],
        (lambda g: inverse_distance(g, shortest_m=0), "shortest_m must be above 0"),
        (lambda g: kernel(g, k=5), "k must be a whole number"),
        (lambda g: kernel(g, k=2, bandwidth_m=5), "not both"),
        (lambda g: kernel(g, function="cosine"), "function 'cosine' is not"),
        (lambda g: distance_band(g, isolates="none"), "isolates 'none' is not"),
        (lambda g: distance_band(g.set_axis([1, 1, 2, 3, 4])), "must be unique; repeated: 1"),
        (lambda g: distance_band(g.set_crs(None, allow_override=True)), "points have no CRS"),
        (lambda g: nearest_distances(g.set_crs(None, allow_override=True)), "points have no CRS"),
    ],
)
def test_what_points_refuse(call, says):
    with pytest.raises(InputError, match=says):
        call(strewn(5))
