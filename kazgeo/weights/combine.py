"""Weights from weights: neighbours of neighbours, both or either of two, the same map over years."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from kazgeo.errors import InputError
from kazgeo.labels import same_units
from kazgeo.weights.type import Weights, as_weights

__all__ = ["higher_order", "intersection", "space_time", "union"]


def higher_order(weights: Any, order: int, *, lower_orders: bool = False) -> Weights:
    """Return binary weights to the units whose shortest way counts ``order`` links.

    Parameters
    ----------
    weights : Weights or libpysal Graph
        Links count, weights don't.
    order : int
        At least 1; 2: neighbours of neighbours that are none themselves.
    lower_orders : bool
        Take in all shorter ways as well.

    Returns
    -------
    Weights

    Raises
    ------
    InputError
        ``order`` below 1.

    Examples
    --------
    >>> line = Weights.from_pairs(list("abcd"), [("a", "b"), ("b", "c"), ("c", "d")])
    >>> higher_order(line, 2).matrix.toarray()[0].tolist()
    [0.0, 0.0, 1.0, 0.0]
    >>> higher_order(line, 2, lower_orders=True).cardinalities.tolist()
    [2, 3, 3, 2]
    >>> higher_order(line, 9).isolates.tolist(), higher_order(Weights.from_pairs([], []), 2)
    (['a', 'b', 'c', 'd'], <Weights: 0 units>)
    """
    given = as_weights(weights)
    if isinstance(order, bool) or not isinstance(order, (int, np.integer)) or order < 1:
        raise InputError(f"order must be a whole number of at least 1; got {order!r}")
    step = given.matrix.astype(bool)
    reached = sp.csr_array(sp.eye_array(given.n, dtype=bool, format="csr"))
    front = reached
    found = sp.csr_array((given.n, given.n), dtype=bool)
    for _ in range(order):
        front = sp.csr_array((front @ step).astype(bool))
        front = sp.csr_array(front > reached) if front.nnz else front
        reached = sp.csr_array(reached + front)
        found = sp.csr_array(found + front) if lower_orders else front
        if not front.nnz:  # nothing lies farther
            break
    return Weights.from_matrix(given.ids, found.astype(float))


def union(one: Any, other: Any) -> Weights:
    """Return binary weights with the links that either has, on the ids of the first.

    Raises
    ------
    InputError
        Different units.

    Examples
    --------
    >>> a, b = Weights.from_pairs(list("xyz"), [("x", "y")]), Weights.from_pairs(list("zyx"), [("y", "z")])
    >>> union(a, b).cardinalities.tolist()
    [1, 2, 1]
    """
    first, second = _same_units(one, other)
    return Weights.from_matrix(first.ids, ((first.matrix != 0) + (second.matrix != 0)).astype(float))


def intersection(one: Any, other: Any) -> Weights:
    """Return binary weights with the links that both have, on the ids of the first.

    Raises
    ------
    InputError
        Different units.

    Examples
    --------
    >>> a = Weights.from_pairs(list("xyz"), [("x", "y"), ("y", "z")])
    >>> b = Weights.from_pairs(list("zyx"), [("y", "z")])
    >>> intersection(a, b).cardinalities.tolist()
    [0, 1, 1]
    >>> intersection(a, Weights.from_pairs(list("xy"), []))
    Traceback (most recent call last):
    kazgeo.errors.InputError: one and other must have the same units; other lacks 1: 'z'
    """
    first, second = _same_units(one, other)
    return Weights.from_matrix(first.ids, ((first.matrix != 0) * (second.matrix != 0)).astype(float))


def space_time(weights: Any, years: Sequence[int], *, back: int = 1, present: bool = True) -> Weights:
    """Return binary weights of a space-time cube: neighbours now, and the unit and its neighbours in years before.

    Assumption: the same units and neighbours in all years. "Before" is the year before in the list, so that gaps
    between years don't cut the cube. A unit without neighbours in space has none in time: its own past is no
    neighbourhood.

    Parameters
    ----------
    weights : Weights or libpysal Graph
        Neighbours in space.
    years : sequence of int
        In rising order, each once.
    back : int
        How many years before count, at least 0.
    present : bool
        Take in the neighbours of the same year; without it, the lag is of years before only.

    Returns
    -------
    Weights
        Ids are a MultiIndex (region, year), years within regions; not symmetric when ``back`` is above 0.

    Raises
    ------
    InputError
        Years that don't rise, ``back`` below 0, or nothing to link.

    References
    ----------
    The neighbourhood of ArcGIS's emerging hot spot analysis.

    Examples
    --------
    >>> cube = space_time(Weights.from_pairs(list("ab"), [("a", "b")]), [2019, 2020])
    >>> cube.ids[cube.indices[cube.indptr[1] : cube.indptr[2]]].tolist()
    [('a', 2019), ('b', 2019), ('b', 2020)]
    >>> space_time(Weights.from_pairs([], []), [2019])
    <Weights: 0 units>
    """
    given = as_weights(weights)
    if isinstance(years, (str, bytes)) or not isinstance(years, Iterable):
        raise InputError(f"years must be a list of years; got {years!r}")
    years = list(years)
    steps = len(years)
    if isinstance(back, bool) or not isinstance(back, (int, np.integer)) or back < 0:
        raise InputError(f"back must be a whole number of at least 0; got {back!r}")
    if not back and not present:
        raise InputError("space_time wants back of at least 1 or present=True; else nothing is linked")
    if list(years) != sorted(set(years)):
        raise InputError(f"years must rise, each once; got {list(years)}")
    near = sp.csr_array(given.binary().matrix - sp.diags_array(given.self_weights != 0, dtype=float))
    near.eliminate_zeros()
    around = near + sp.diags_array((np.diff(near.indptr) > 0).astype(float))
    before = sp.csr_array((steps, steps))
    for lag in range(1, min(back, steps - 1) + 1):
        before = before + sp.diags_array(np.ones(steps - lag), offsets=-lag, shape=(steps, steps))
    links = sp.kron(around, before, format="csr")
    if present:
        links = links + sp.kron(near, sp.eye_array(steps), format="csr")
    ids = pd.MultiIndex.from_product([given.ids, list(years)], names=["region", "year"])
    return Weights.from_matrix(ids, links)


def _same_units(one: Any, other: Any) -> tuple[Weights, Weights]:
    first, second = as_weights(one), as_weights(other)
    same_units("one", first.ids, "other", second.ids)
    return first, second if second.ids.equals(first.ids) else second.reindex(first.ids)
