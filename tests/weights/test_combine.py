"""Weights from weights: libpysal's higher order, the algebra of links, space-time cubes by brute force."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kazgeo.errors import InputError
from kazgeo.weights import Weights, as_weights, higher_order, intersection, space_time, union

LAWS = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
NAMES = list("abcdefgh")


def dense(weights, ids=None):
    return (weights if ids is None else weights.reindex(ids)).matrix.toarray()


def same(one, other):
    return bool((dense(one) == dense(other, one.ids)).all())


@st.composite
def graphs(draw, ids=tuple(NAMES), *, symmetric=False, loops=False):
    """Weights of any sign between some of the units, ids in any order; isolates are common."""
    n = len(ids)
    cells = st.sampled_from([0.0, 0.0, 0.0, 1.0, 2.5, -1.0])
    matrix = np.array(draw(st.lists(cells, min_size=n * n, max_size=n * n))).reshape(n, n)
    if not loops:
        np.fill_diagonal(matrix, 0)
    if symmetric:
        matrix = np.triu(matrix) + np.triu(matrix, 1).T
    return Weights.from_matrix(pd.Index(draw(st.permutations(ids))), sp.csr_array(matrix))


@LAWS
@given(graphs(), st.integers(1, 5), st.booleans())
def test_higher_orders_are_those_of_libpysal(given_weights, order, lower):
    own = higher_order(given_weights, order, lower_orders=lower)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = given_weights.binary().to_libpysal()
        truth = as_weights(graph.higher_order(order, shortest_path=True, lower_order=lower))
    assert own.ids.equals(given_weights.ids)
    assert same(own, truth)


@LAWS
@given(graphs(loops=True), st.integers(1, 9))
def test_higher_orders_are_shortest_ways_and_part_the_reachable(given_weights, order):
    steps = sp.csgraph.shortest_path(given_weights.matrix.astype(bool).astype(float), unweighted=True)
    assert (dense(higher_order(given_weights, order)) == (steps == order)).all()
    within = (steps >= 1) & (steps <= order)
    assert (dense(higher_order(given_weights, order, lower_orders=True)) == within).all()
    assert (dense(higher_order(given_weights, np.int64(order))) == (steps == order)).all()


@pytest.mark.slow
@LAWS
@given(graphs(), graphs(), graphs())
def test_union_and_intersection_are_an_algebra(a, b, c):
    for one in (union, intersection):
        other = intersection if one is union else union
        assert same(one(a, b), one(b, a))
        assert one(a, b).ids.equals(a.ids)
        assert same(one(a, one(b, c)), one(one(a, b), c))
        assert same(one(a, a), a.binary())
        assert same(one(a, other(a, b)), a.binary())  # absorption
        assert same(one(a, other(b, c)), other(one(a, b), one(a, c)))  # distribution
    assert (dense(union(a, b)) == ((dense(a) != 0) | (dense(b, a.ids) != 0))).all()
    assert (dense(intersection(a, b)) == ((dense(a) != 0) & (dense(b, a.ids) != 0))).all()


@pytest.mark.slow
@LAWS
@given(graphs(), graphs())
def test_union_and_intersection_are_those_of_libpysal(a, b):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        left, right = a.binary().to_libpysal(), b.reindex(a.ids).binary().to_libpysal()
        assert same(union(a, b), as_weights(left.union(right)))
        assert same(intersection(a, b), as_weights(left.intersection(right)))
        assert same(union(left, right), union(a, b))  # libpysal's graphs are taken as they are


@LAWS
@given(
    graphs(ids=tuple("abcd"), loops=True),
    st.lists(st.integers(1990, 2030), unique=True, max_size=4).map(sorted),
    st.integers(0, 5),
    st.booleans(),
)
def test_cubes_by_brute_force(near, years, back, present):
    """(i, s) is a neighbour of (j, t) when i neighbours j in the same year, or up to ``back`` years before; own past
    counts for units with a neighbour in space, so that an isolate of the map is one of the cube."""
    if not back and not present:
        return
    cube = space_time(near, years, back=back, present=present)
    assert cube.ids.tolist() == list(itertools.product(near.ids, years))
    linked = dense(near) != 0
    np.fill_diagonal(linked, False)
    truth = np.zeros((cube.n, cube.n))
    cells = list(itertools.product(range(near.n), range(len(years))))
    for (a, (i, t)), (b, (j, s)) in itertools.product(enumerate(cells), repeat=2):
        now = t == s and linked[i, j] and present
        before = 1 <= t - s <= back and (linked[i, j] or (i == j and linked[i].any()))
        truth[a, b] = now or before
    assert (dense(cube) == truth).all()
    lonely = near.ids[~linked.any(axis=1)]
    assert set(itertools.product(lonely, years)) <= set(cube.isolates)


def test_cubes_of_shuffled_units_are_the_same():
    near = Weights.from_pairs(NAMES, [("a", "b"), ("b", "c"), ("g", "h")])
    cube = space_time(near, [2019, 2021], back=1)
    again = space_time(near.reindex(NAMES[::-1]), [2019, 2021], back=1)
    assert same(cube, again)
    assert cube.ids.names == ["region", "year"]


PAIR = Weights.from_pairs(["a", "b"], [("a", "b")])
OTHER = Weights.from_pairs(["a", "c"], [("a", "c")])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        *[
            (lambda o=o: higher_order(PAIR, o), "order must be a whole number of at least 1")
            for o in (0, -1, 1.5, True)
        ],
        (lambda: higher_order("queen", 2), "weights must be kazgeo Weights"),
        (lambda: union(PAIR, OTHER), "same units; one lacks 1: 'c'; other lacks 1: 'b'"),
        (lambda: intersection(PAIR, OTHER), "same units; one lacks 1: 'c'; other lacks 1: 'b'"),
        *[(lambda b=b: space_time(PAIR, [1, 2], back=b), "back must be a whole number") for b in (-1, 0.5, True)],
        (lambda: space_time(PAIR, [1, 2], back=0, present=False), "else nothing is linked"),
        (lambda: space_time(PAIR, [2, 1]), "years must rise, each once"),
        (lambda: space_time(PAIR, [1, 1]), "years must rise, each once"),
    ],
)
def test_what_combining_refuses(call, says):
    with pytest.raises(InputError, match=says):
        call()


def test_combining_changes_nothing_given():
    near = Weights.from_pairs(NAMES, [("a", "b"), ("b", "c")])
    before = dense(near).copy(), near.indptr.copy(), near.indices.copy()
    for call in (lambda: higher_order(near, 2), lambda: union(near, near), lambda: space_time(near, [1, 2])):
        call()
    assert (dense(near) == before[0]).all()
    assert near.indptr.tolist() == before[1].tolist()
    assert near.indices.tolist() == before[2].tolist()
