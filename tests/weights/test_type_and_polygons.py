"""Weights: laws of order and symmetry, libpysal's contiguity, and distances on the ellipsoid."""

from __future__ import annotations

import itertools
import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Geod

from kazgeo.errors import InputError
from kazgeo.weights import Weights, as_weights, contiguity, knn

SLOW = [HealthCheck.too_slow]  # a busy machine is no fault of the law
LAWS = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=SLOW)
GEOD = Geod(ellps="WGS84")


def pairs(weights):
    """Links as a set of (id, id)."""
    rows = np.repeat(np.arange(weights.n), weights.cardinalities)
    return {(weights.ids[i], weights.ids[j]) for i, j in zip(rows, weights.indices, strict=True)}


def libpysal_contiguity(layer, *, rook):
    from libpysal.graph import Graph

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of components, which is what we look at
        return Graph.build_contiguity(layer, rook=rook, strict=False)


def matchable(shape, kind):
    """What libpysal compares: vertices, or edges between two of them, direction aside."""
    if kind == "queen":
        return set(map(tuple, shapely.get_coordinates(shape).tolist()))
    rings = [shapely.get_coordinates(r).tolist() for r in shapely.get_rings(shape)]
    return {frozenset(map(tuple, edge)) for ring in rings for edge in itertools.pairwise(ring)}


@st.composite
def mosaics(draw):
    """A valid coverage: triangles between points of a grid, merged at random; shared borders share their vertices."""
    cells = draw(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=5, max_size=25, unique=True))
    triangles = shapely.get_parts(shapely.delaunay_triangles(shapely.MultiPoint(cells)))
    if not len(triangles):
        triangles = np.array([shapely.box(0, 0, 1, 1)])
    groups = np.array(draw(st.lists(st.integers(0, 9), min_size=len(triangles), max_size=len(triangles))))
    shapes = [shapely.coverage_union_all(triangles[groups == g]) for g in np.unique(groups)]
    ids = draw(st.permutations([f"r{i}" for i in range(len(shapes))]))
    return gpd.GeoDataFrame(geometry=shapes, index=ids, crs=32642)


@LAWS
@given(mosaics(), st.booleans())
def test_contiguity_of_mosaics_is_that_of_libpysal(layer, rook):
    own = contiguity(layer, kind="rook" if rook else "queen", tolerance_m=0)
    truth = as_weights(libpysal_contiguity(layer, rook=rook))
    assert pairs(own) == pairs(truth)
    assert own.ids.equals(layer.index)
    assert own.n_components == truth.n_components


@LAWS
@given(mosaics(), st.sampled_from(["queen", "rook"]), st.sampled_from([0, 0.01]), st.randoms(use_true_random=False))
def test_contiguity_is_symmetric_and_blind_to_order(layer, kind, tolerance, shuffler):
    own = contiguity(layer, kind=kind, tolerance_m=tolerance)
    links = pairs(own)
    assert links == {(b, a) for a, b in links}
    assert not any(a == b for a, b in links)
    mixed = list(layer.index)
    shuffler.shuffle(mixed)
    again = contiguity(layer.loc[mixed], kind=kind, tolerance_m=tolerance)
    assert list(again.ids) == mixed
    assert pairs(again) == links
    same = again.reindex(layer.index)
    assert (same.matrix != own.matrix).nnz == 0


@LAWS
@given(mosaics(), st.data())
def test_subset_and_reindex_keep_the_links(layer, data):
    own = contiguity(layer, tolerance_m=0)
    some = data.draw(st.lists(st.sampled_from(list(layer.index)), unique=True))
    part = own.subset(some)
    assert list(part.ids) == some
    assert pairs(part) == {(a, b) for a, b in pairs(own) if a in some and b in some}
    assert pairs(own.subset(own.ids)) == pairs(own)
    order = data.draw(st.permutations(list(layer.index)))
    assert pairs(own.reindex(order)) == pairs(own)
    assert own.reindex(order).reindex(own.ids).indices.tolist() == own.indices.tolist()
    standard = own.row_standardized().matrix.sum(axis=1)
    assert standard == pytest.approx((own.cardinalities > 0).astype(float))
    assert pairs(own.row_standardized().binary()) == pairs(own)


@LAWS
@given(mosaics())
def test_the_way_to_libpysal_and_back(layer):
    own = contiguity(layer, tolerance_m=0)
    back = as_weights(own.to_libpysal())
    assert pairs(back) == pairs(own)
    assert set(back.isolates) == set(own.isolates)
    assert back.reindex(own.ids).indptr.tolist() == own.indptr.tolist()


@pytest.mark.parametrize(
    ("year", "units", "kind", "libpysal_parts", "extra"),
    [(2018, 216, "queen", 3, 45), (2018, 216, "rook", 8, 37), (2024, 224, "queen", 1, 1), (2024, 224, "rook", 1, 0)],
)
def test_districts_against_libpysal(shared, year, units, kind, libpysal_parts, extra):
    """Without tolerance as libpysal: vertices (queen) or edges (rook) to the digit; a millimetre more is touching."""
    layer = gpd.read_file(shared / "data" / f"geokz_kaz_admbnda_adm2_{year}.gpkg").set_index("KATO")
    truth = as_weights(libpysal_contiguity(layer, rook=kind == "rook"))
    own = contiguity(layer, kind=kind, tolerance_m=0)
    assert own.n == units
    assert truth.n_components == own.n_components == libpysal_parts
    assert pairs(truth) == pairs(own)
    matched = {i: matchable(layer.geometry[i], kind) for i in layer.index}
    touching = contiguity(layer, kind=kind, tolerance_m=0.001)
    more = {tuple(sorted(p)) for p in pairs(touching) - pairs(own)}
    assert len(more) >= extra
    assert not any(matched[a] & matched[b] for a, b in more)
    assert contiguity(layer, kind=kind).n_components == 1


def test_hairline_gaps_are_bridged_and_wide_ones_not():
    def two(gap):
        shapes = [shapely.box(0, 0, 5000, 5000), shapely.box(5000 + gap, 0, 10000, 5000)]
        return gpd.GeoDataFrame(geometry=shapes, index=["a", "b"], crs=32642)

    for gap, tolerance, links in [
        (-50, 0, 0),
        (-50, 0.001, 2),
        (50, 0.001, 0),
        (0, 0, 2),
        (50, 100, 2),
        (-50, 100, 2),
        (200, 100, 0),
    ]:
        assert len(contiguity(two(gap), tolerance_m=tolerance).data) == links
    for gap, tolerance, links in [(0, 0, 2), (50, 100, 2), (-50, 100, 2), (200, 100, 0)]:
        assert len(contiguity(two(gap), kind="rook", tolerance_m=tolerance).data) == links
    corner = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 5000, 5000), shapely.box(5000, 5000, 9000, 9000)], crs=32642)
    assert len(contiguity(corner, kind="rook").data) == 0
    assert len(contiguity(corner, kind="queen").data) == 2


def test_what_becomes_of_isolates():
    shapes = [shapely.box(60, 45, 61, 46), shapely.box(61, 45, 62, 46), shapely.box(70, 50, 71, 51), None]
    layer = gpd.GeoDataFrame(geometry=shapes, index=list("abcd"), crs=4326)
    assert contiguity(layer).isolates.tolist() == ["c", "d"]
    assert repr(contiguity(layer)).endswith("3 components; 2 isolates: 'c', 'd'>")
    with pytest.raises(InputError, match="2 units have no neighbour: 'c', 'd'"):
        contiguity(layer, isolates="raise")
    tied = contiguity(layer, isolates="nearest")
    assert tied.isolates.tolist() == ["d"]
    assert ("c", "b") in pairs(tied)
    assert ("b", "c") in pairs(tied)


@LAWS
@given(
    st.lists(st.tuples(st.integers(460, 880), st.integers(400, 560)), min_size=3, max_size=25, unique=True),
    st.integers(1, 24),
    st.randoms(use_true_random=False),
)
def test_nearest_neighbours_are_nearest_on_the_ellipsoid(where, k, shuffler):
    """The order is that of the sphere; ellipsoid and sphere differ by 0.6 % at most, so that much is allowed."""
    k = min(k, len(where) - 1)
    lon, lat = np.array(where, dtype=float).T / 10
    ids = [f"p{i:02d}" for i in range(len(where))]
    layer = gpd.GeoDataFrame(geometry=gpd.points_from_xy(lon, lat), index=ids, crs=4326)
    own = knn(layer, k)
    assert (own.cardinalities == k).all()
    for i in range(len(where)):
        n = len(where)
        metres = pd.Series(GEOD.inv(np.full(n, lon[i]), np.full(n, lat[i]), lon, lat)[2], index=ids).drop(ids[i])
        chosen = [b for a, b in pairs(own) if a == ids[i]]
        farthest = metres.sort_values().iloc[k - 1]
        assert metres[chosen].max() <= farthest * 1.006
        assert set(metres.index[metres < farthest / 1.006]) <= set(chosen)
    mixed = list(ids)
    shuffler.shuffle(mixed)
    assert pairs(knn(layer.loc[mixed], k)) == pairs(own)
    assert pairs(knn(layer.to_crs(3857), k)) == pairs(own)


def test_ties_go_to_the_first_id():
    ring = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy([60, 60, 60, 60.5, 59.5], [0, 0.5, -0.5, 0, 0]),
        index=["m", "d", "c", "b", "a"],
        crs=4326,
    )
    own = knn(ring, 2)
    assert {b for a, b in pairs(own) if a == "m"} == {"a", "b"}


def test_neighbours_of_real_settlements(kazakhstan):
    table = pd.read_csv(kazakhstan / "settlements.csv", index_col="id")
    layer = gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table["lon"], table["lat"]), crs=4326)
    own = pairs(knn(layer, 8))
    n, agree = len(table), 0
    lon, lat = table["lon"].to_numpy(), table["lat"].to_numpy()
    for i, name in enumerate(table.index):
        metres = GEOD.inv(np.full(n, lon[i]), np.full(n, lat[i]), lon, lat)[2]
        metres[i] = np.inf
        truth = {(name, other) for other in table.index[np.argsort(metres, kind="stable")[:8]]}
        agree += len(truth & own)
    assert len(own) == 8 * n
    assert agree >= 8 * n - 6  # pairs at the eighth place that ellipsoid and sphere put in another order


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda g: contiguity(g.set_crs(None, allow_override=True)), "regions have no CRS"),
        (lambda g: contiguity(g, tolerance_m=-1), "tolerance_m must be 0 or more"),
        (lambda g: contiguity(g, tolerance_m=float("nan")), "tolerance_m must be 0 or more"),
        (lambda g: contiguity(g.set_axis(["a", "a"])), "must be unique; repeated: 'a'"),
        (lambda g: knn(g, 0), "k must be a whole number, at least 1"),
        (lambda g: knn(g, 2), "less than the number of placed units .2.; got 2"),
        (lambda g: knn(g.set_crs(None, allow_override=True), 1), "points have no CRS"),
        (lambda g: contiguity(g).subset(["z"]), "weights have no unit 'z'"),
        (lambda g: contiguity(g).reindex(["a"]), "wants all 2 units"),
        (lambda g: contiguity(g).subset(["a", "a"]), "must be unique"),
        (lambda _: Weights.from_pairs(["a"], [("a", "b")]), "not among the ids"),
        (lambda _: as_weights([1]), "must be kazgeo Weights"),
    ],
)
def test_what_weights_refuse(call, says):
    layer = gpd.GeoDataFrame(
        geometry=[shapely.box(60, 45, 61, 46), shapely.box(61, 45, 62, 46)], index=["a", "b"], crs=4326
    )
    with pytest.raises(InputError, match=says):
        call(layer)


def test_weights_are_frozen_and_self_links_left_out():
    own = Weights.from_arrays(pd.Index(["a", "b"]), np.array([0, 0, 0, 1]), np.array([0, 1, 1, 0]))
    assert pairs(own) == {("a", "b"), ("b", "a")}
    with pytest.raises(ValueError, match="read-only"):
        own.data[0] = 5
    empty = contiguity(gpd.GeoDataFrame(geometry=[], crs=4326))
    assert (empty.n, empty.n_components, repr(empty)) == (0, 0, "<Weights: 0 units>")
    alone = contiguity(
        gpd.GeoDataFrame(geometry=[shapely.box(60, 45, 61, 46)], index=["x"], crs=4326), isolates="nearest"
    )
    assert alone.isolates.tolist() == ["x"]
