"""Contiguity by common vertices or edges: hard shapes, colliding hashes, many owners of a point; libpysal is truth."""

from __future__ import annotations

import itertools
import warnings

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kazgeo.errors import InputError
from kazgeo.weights import as_weights, contiguity, polygons

LAWS = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
KINDS = pytest.mark.parametrize("kind", ["queen", "rook"])


def links(weights):
    """Links as a set of (id, id)."""
    rows = np.repeat(np.arange(weights.n), weights.cardinalities)
    return {(weights.ids[i], weights.ids[j]) for i, j in zip(rows, weights.indices, strict=True)}


def libpysal_links(layer, kind):
    from libpysal.graph import Graph

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of components
        return links(as_weights(Graph.build_contiguity(layer, rook=kind == "rook", strict=False)))


def by_hand(layer, kind):
    """Brute force over all pairs: a common vertex, or a common edge of a ring, to the last digit."""

    def parts(shape):
        if shape is None:
            return set()
        if kind == "queen":
            return set(map(tuple, shapely.get_coordinates(shape).tolist()))
        rings = [shapely.get_coordinates(r).tolist() for p in shapely.get_parts(shape) for r in shapely.get_rings(p)]
        return {frozenset(map(tuple, e)) for ring in rings for e in itertools.pairwise(ring) if e[0] != e[1]}

    sets = {i: parts(shape) for i, shape in layer.geometry.items()}
    return {(a, b) for a, b in itertools.permutations(layer.index, 2) if sets[a] & sets[b]}


@st.composite
def hard_mosaics(draw):
    """Squares of a grid around 0 in groups: multipolygons, holes, repeated vertices, minus zeros, Z, missing shapes."""
    side = draw(st.integers(2, 6))
    squares = np.array([shapely.box(x, y, x + 1, y + 1) for x in range(-2, side - 2) for y in range(-2, side - 2)])
    groups = np.array(draw(st.lists(st.integers(0, 7), min_size=len(squares), max_size=len(squares))))
    shapes = [shapely.coverage_union_all(squares[groups == g]) for g in np.unique(groups)]
    ways = draw(st.lists(st.sampled_from(["", "repeat", "minus", "z"]), min_size=len(shapes), max_size=len(shapes)))
    changes = {
        "": lambda s: s,
        "repeat": lambda s: shapely.transform(shapely.segmentize(s, 1), lambda at: at),
        "minus": lambda s: shapely.transform(s, lambda at: np.where(at == 0, -0.0, at)),
        "z": lambda s: shapely.force_3d(s, z=len(shapes)),
    }
    made = [changes[way](shapely.segmentize(s, 1)) for way, s in zip(ways, shapes, strict=True)]
    layer = gpd.GeoDataFrame(geometry=made, index=[f"r{i}" for i in range(len(made))], crs=32642)
    return layer.loc[draw(st.permutations(list(layer.index)))]


@LAWS
@given(hard_mosaics(), st.sampled_from(["queen", "rook"]))
def test_hard_mosaics_are_those_of_brute_force_and_libpysal(layer, kind):
    own = links(contiguity(layer, kind=kind, tolerance_m=0))
    assert own == by_hand(layer, kind)
    # libpysal joins the end of a ring to the start of the next ring of the same part; such a phantom edge needs a hole
    assert own <= libpysal_links(layer, kind)
    if kind == "queen" or not any(len(p.interiors) for s in layer.geometry for p in shapely.get_parts(s)):
        assert own == libpysal_links(layer, kind)


@LAWS
@given(hard_mosaics(), st.sampled_from(["queen", "rook"]), st.sampled_from([1, 0, 7]), st.data())
def test_colliding_hashes_change_nothing(layer, kind, mask, data):
    """All, or all but a few bits, of the hash wiped: spots of one hash lie mixed, and the answer is the same."""
    truth = links(contiguity(layer, kind=kind, tolerance_m=0))
    with pytest.MonkeyPatch.context() as patch:
        plain = polygons._mixed
        patch.setattr(polygons, "_mixed", lambda spots: plain(spots) & np.uint64(mask))
        again = layer.loc[data.draw(st.permutations(list(layer.index)))]
        assert links(contiguity(again, kind=kind, tolerance_m=0)) == truth


def test_the_hash_parts_the_spots_of_a_lattice_around_zero():
    """64 bits and 160,000 spots: a chance collision has probability 7e-10. Signs and swapped axes must not cancel."""
    at = np.stack(np.meshgrid(np.arange(-200.0, 200), np.arange(-200.0, 200)), axis=-1).reshape(-1, 2)
    for scale in (1, 0.1, 1000):
        assert len(np.unique(polygons._mixed(at * scale))) == len(at)
    assert polygons._mixed(np.array([[-0.0, 5.0]])) == polygons._mixed(np.array([[0.0, 5.0]]))


def test_minus_zero_is_zero_and_repeated_vertices_are_no_edge():
    left = shapely.Polygon([(-1, -1), (-0.0, -1), (-0.0, -0.0), (-0.0, -0.0), (-1, 0)])
    right = shapely.Polygon([(0, 0), (0, 0), (1, 0), (1, 1)])
    layer = gpd.GeoDataFrame(geometry=[left, right], index=["l", "r"], crs=32642)
    assert links(contiguity(layer, tolerance_m=0)) == {("l", "r"), ("r", "l")}
    assert not links(contiguity(layer, kind="rook", tolerance_m=0))


@KINDS
def test_a_hole_and_what_fills_it_are_neighbours_and_the_ring_has_no_phantom_edge(kind):
    outer = shapely.Polygon(shapely.box(0, 0, 3, 3).exterior.coords, [shapely.box(1, 1, 2, 2).exterior.coords])
    start, hole = outer.exterior.coords[-1], outer.interiors[0].coords[0]
    stranger = shapely.Polygon([start, hole, (9, 9)])  # has the edge that joins the two rings on paper
    layer = gpd.GeoDataFrame(geometry=[outer, shapely.box(1, 1, 2, 2), stranger], index=list("oft"), crs=32642)
    own = links(contiguity(layer, kind=kind, tolerance_m=0))
    assert ("o", "f") in own
    assert (("o", "t") in own) == (kind == "queen")
    assert ("o", "t") in libpysal_links(layer, kind)  # libpysal's phantom edge under rook


@KINDS
def test_missing_empty_and_nan_shapes_are_isolates(kind):
    with np.errstate(invalid="ignore"):
        nan = shapely.Polygon([(0, 0), (np.nan, 1), (1, np.nan), (0, 0)])
    shapes = [shapely.box(0, 0, 1, 1), None, shapely.Polygon(), nan, shapely.box(1, 0, 2, 1), shapely.MultiPolygon()]
    layer = gpd.GeoDataFrame(geometry=shapes, index=list("abcdef"), crs=32642)
    own = contiguity(layer, kind=kind, tolerance_m=0)
    near = {("a", "e"), ("e", "a")}
    assert links(own) == near
    assert own.isolates.tolist() == ["b", "c", "d", "f"]
    assert links(contiguity(layer, kind=kind, tolerance_m=0.001)) == near
    assert contiguity(layer, kind=kind, tolerance_m=0, isolates="nearest").isolates.tolist() == ["b", "c", "d", "f"]
    with pytest.raises(InputError, match=r"4 units have no neighbour: .*; of these without a place .*: 'b', 'c', 'd'"):
        contiguity(layer, kind=kind, tolerance_m=0, isolates="raise")


def test_a_point_of_a_hundred_owners_ties_them_all():
    angles = np.linspace(0, 2 * np.pi, 101)
    at = np.column_stack([np.cos(angles), np.sin(angles)])
    at[-1] = at[0]
    layer = gpd.GeoDataFrame(geometry=[shapely.Polygon([(0, 0), *e]) for e in itertools.pairwise(at)], crs=32642)
    assert (contiguity(layer, tolerance_m=0).cardinalities == 99).all()
    assert (contiguity(layer, kind="rook", tolerance_m=0).cardinalities == 2).all()


def test_numbers_of_edges_stay_small(monkeypatch):
    """Edges numbered by vertex * vertices + vertex outgrow 64 bits for 100,000 polygons of 100 vertices."""
    seen = []
    plain = polygons._sharing
    monkeypatch.setattr(polygons, "_sharing", lambda i, label, o: seen.append((label, o)) or plain(i, label, o))
    cells = [shapely.box(x, y, x + 1, y + 1) for x in range(30) for y in range(30)]
    layer = gpd.GeoDataFrame(geometry=cells, crs=32642)
    own = contiguity(layer, kind="rook", tolerance_m=0)
    assert len(own.data) == 4 * 30 * 29
    ((label, owner),) = seen
    assert len(owner) == 4 * 900
    assert label.max() + 1 == 2 * 30 * 31  # edges of the lattice


@KINDS
@pytest.mark.parametrize("tolerance", [0, 10])
def test_isolates_tied_to_the_first_id_of_the_nearest(kind, tolerance):
    """An island in the middle of two shores equally far: the id decides, not the row."""
    shapes = {"z": shapely.box(-30, 0, -20, 10), "b": shapely.box(20, 0, 30, 10), "i": shapely.box(-5, 0, 5, 10)}
    shapes |= {"y": shapely.box(-40, 0, -30, 10), "a": shapely.box(30, 0, 40, 10)}
    for order in itertools.permutations(shapes):
        moved = [shapely.transform(shapes[i], lambda at: at * 1e-3) for i in order]
        layer = gpd.GeoDataFrame(geometry=moved, index=list(order), crs=4326)
        tied = contiguity(layer, kind=kind, tolerance_m=tolerance, isolates="nearest")
        assert {b for a, b in links(tied) if a == "i"} == {"b"}
        assert ("b", "i") in links(tied)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"kind": "bishop"}, "kind 'bishop' is not"),
        ({"isolates": "drop"}, "isolates 'drop' is not"),
        ({"tolerance_m": float("inf")}, "tolerance_m must be 0 or more"),
        ({"tolerance_m": 0, "isolates": "raise"}, "1 unit has no neighbour: 'a'; raise tolerance_m"),
    ],
)
def test_what_contiguity_refuses(options, says):
    layer = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)], index=["a"], crs=32642)
    with pytest.raises(InputError, match=says):
        contiguity(layer, **options)
