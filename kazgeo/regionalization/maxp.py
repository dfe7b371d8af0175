"""Max-p: as many regions as a floor allows, then as alike inside as the local search gets them."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from kazgeo.errors import InputError, choice, positive_integer
from kazgeo.progress import Progress, part, silent
from kazgeo.regionalization.azp import Search, best_of, random_forest
from kazgeo.regionalization.problem import OPEN, LowerLimits, Problem, prepare
from kazgeo.regionalization.result import Regionalization, finish
from kazgeo.regionalization.tree import Forest, cut
from kazgeo.seeds import seed_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["max_p"]


def max_p(
    values: pd.DataFrame,
    weights: Any,
    *,
    trees: int = 1000,
    starts: int = 10,
    search: Search | str = Search.TABU,
    rng: int | np.random.Generator | None = None,
    executor: Executor | None = None,
    progress: Progress = silent,
    **limits: Unpack[LowerLimits],
) -> Regionalization:
    """Return as many connected regions as the lower limits allow, and among such the most alike ones found (max-p).

    Assumption: the more regions the better, as long as each has enough people (or units) for a rate that can be
    trusted. The number found is a lower bound of the true maximum: the problem is NP-hard, and random trees are
    tried.

    Parameters
    ----------
    values : DataFrame, shape (N, p)
        Indicators by unit; units with a missing value are set aside and told.
    weights : Weights or libpysal Graph
        Neighbours of the same units, in any order; two units are neighbours when either names the other.
    trees : int
        Random spanning trees on which the number of regions is sought.
    starts : int
        Local searches, each from another of the trees that give most regions.
    search : {"tabu", "greedy"}
        As in ``azp``.
    rng : int, Generator or None
        Seed; the result stores it.
    executor : concurrent.futures.Executor or None
        Where searches are made, with the same result; None: one after the other, here, and stopped inside a search.
    progress : Progress
        Called between trees, between searches and in long ones.
    **limits
        ``floor`` and ``floor_min``, or ``min_size``, or both; ``scale``. See ``kazgeo.regionalization.LowerLimits``.

    Returns
    -------
    Regionalization

    Raises
    ------
    InputError
        No limit, a limit that a separate part of the map can't reach, or ids that differ.

    Notes
    -----
    Every partition into p regions lies on some spanning tree, and on a given tree the largest number of parts is
    found exactly (branches are closed as soon as they reach the limits). Duque, Anselin and Rey grow regions from
    random units instead; the second phase, moves within the limits, is theirs.

    References
    ----------
    Duque, J. C., Anselin, L. and Rey, S. J. (2012), doi:10.1111/j.1467-9787.2011.00743.x.

    Examples
    --------
    >>> import pandas as pd
    >>> from kazgeo.weights import Weights
    >>> w = Weights.from_pairs(list("abcdef"), [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "f")])
    >>> data = pd.DataFrame({"income": [1, 2, 1.5, 8, 9, None], "people": [5, 4, 6, 9, 3, 7]}, index=list("abcdef"))
    >>> got = max_p(data[["income"]], w, floor=data["people"], floor_min=9, rng=1)
    >>> got.n_regions, got.region.tolist()
    (2, [1, 1, 1, 2, 2, <NA>])
    >>> max_p(data[["income"]], w, rng=1)
    Traceback (most recent call last):
    kazgeo.errors.InputError: max_p needs a lower limit: floor and floor_min, or min_size above 1
    >>> max_p(data[["income"]].iloc[:0], Weights.from_pairs([], []), min_size=2)
    Traceback (most recent call last):
    kazgeo.errors.InputError: values must hold at least 2 units with all indicators; got 0 of 0
    """
    how, count = choice(Search, search, "search"), positive_integer(starts, "starts")
    tried = positive_integer(trees, "trees")
    problem = prepare(values, weights, OPEN, limits)
    if not problem.lower:
        raise InputError("max_p needs a lower limit: floor and floor_min, or min_size above 1")
    seed = seed_of(rng)
    draw = np.random.default_rng(seed)
    k, forests = _fullest(problem, tried, count, draw, part(progress, 0.0, 0.5))
    begun = [labels for labels in (cut(problem, forest, k) for forest in forests) if labels is not None]
    labels = best_of(problem, begun, how, draw, executor, part(progress, 0.5, 1.0))
    return finish(problem, labels, {"method": "max_p", "search": how.value, "trees": tried, "starts": count}, seed)


def _fullest(
    problem: Problem, trees: int, keep: int, draw: np.random.Generator, progress: Progress
) -> tuple[int, list[Forest]]:
    """Return the largest number of regions found, and the first trees that allow it."""
    from kazgeo.regionalization.kernels import most_parts

    most, kept = 0, list[Forest]()
    for number in range(trees):
        if number % 100 == 0:
            progress(number / trees, f"tree {number + 1} of {trees}")
        forest = random_forest(problem, draw)
        parts = 0
        for tree in forest.trees:
            parent = forest.parent[tree] - tree[0]
            parts += most_parts(parent, problem.floor[forest.order[tree]], problem.min_size, problem.floor_min)
        if parts > most:
            most, kept = parts, []
        if parts == most and len(kept) < keep:
            kept.append(forest)
    return most, kept
