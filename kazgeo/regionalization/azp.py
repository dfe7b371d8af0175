"""AZP: units moved between neighbouring regions as long as regions get more alike, with tabu against dead ends."""

from __future__ import annotations

from concurrent.futures import Executor
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pandas as pd

from kazgeo.errors import InputError, choice, listing, positive_integer
from kazgeo.parallel import run
from kazgeo.progress import Progress, part, silent
from kazgeo.regionalization.problem import Limits, Problem, prepare
from kazgeo.regionalization.result import Regionalization, finish, within
from kazgeo.regionalization.tree import Forest, attribute_order, cut, spanning_forest
from kazgeo.seeds import seed_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["Search", "azp", "best_of", "moved"]

#: Steps during which a unit may not return to the region it left, in turn: GeoDa's default, and less, as small maps
#: need.
TENURES = (10, 5, 3)

#: Times that neighbouring regions of the best result are joined and cut anew.
ROUNDS = 50

#: Random trees tried for one start before the limits are called unreachable.
TRIES = 50

#: Neighbours times indicators looked at between two reports of progress (about 0.1 s).
VISITS = 50_000_000


class Search(StrEnum):
    """How the local search goes on."""

    TABU = "tabu"
    GREEDY = "greedy"


def azp(
    values: pd.DataFrame,
    weights: Any,
    *,
    n_regions: int,
    search: Search | str = Search.TABU,
    start: pd.Series | None = None,
    starts: int = 10,
    rng: int | np.random.Generator | None = None,
    executor: Executor | None = None,
    progress: Progress = silent,
    **limits: Unpack[Limits],
) -> Regionalization:
    r"""Return connected regions by local search: border units change region as long as that helps (AZP).

    Assumption: alike means a small sum of squares within regions. The search is a heuristic: another seed or more
    starts may find better regions, never worse ones than its first start, SKATER's regions.

    Parameters
    ----------
    values : DataFrame, shape (N, p)
        Indicators by unit; units with a missing value are set aside and told.
    weights : Weights or libpysal Graph
        Neighbours of the same units, in any order; two units are neighbours when either names the other.
    n_regions : int
        Exactly that many regions.
    search : {"tabu", "greedy"}
        Greedy stops where no move improves. Tabu goes on with the least bad move, and a unit may not return for 10
        (5, 3) steps; it stops after as many steps without a new best as there are units, 100 at least. Then two or
        three neighbouring regions of the best result are joined, cut anew and searched again, 50 times.
    start : Series or None
        Regions to start from, any labels, connected and within the limits; one search, nothing drawn, so that
        ``starts`` and ``rng`` have no effect.
    starts : int
        Number of searches: the first from SKATER's regions, the others from random spanning trees, cut as SKATER
        cuts its own; the best result is kept.
    rng : int, Generator or None
        Seed; the result stores it.
    executor : concurrent.futures.Executor or None
        Where searches are made, with the same result; None: one after the other, here, and stopped inside a search.
    progress : Progress
        Called between searches and in long ones.
    **limits
        ``scale``, ``min_size``, ``max_size``, ``floor``, ``floor_min``: see ``kazgeo.regionalization.Limits``.

    Returns
    -------
    Regionalization

    Raises
    ------
    InputError
        As ``skater``; also a start that is not connected or breaks the limits.

    Notes
    -----
    A unit i moves from region a to region b, of sizes n, when a stays connected; the sum of squares changes by

    .. math:: \frac{n_b}{n_b + 1} \|x_i - \bar{x}_b\|^2 - \frac{n_a}{n_a - 1} \|x_i - \bar{x}_a\|^2

    and the best of all moves is made (Openshaw drew a region and took any improving move; steepest descent needs
    no draw). Connectedness: i must not be an articulation point of a.

    References
    ----------
    Openshaw, S. (1977), doi:10.2307/622300; Openshaw, S. and Rao, L. (1995), doi:10.1068/a270425.

    Examples
    --------
    >>> from kazgeo.weights import Weights
    >>> w = Weights.from_pairs(list("abcdef"), [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "f")])
    >>> income = pd.DataFrame({"income": [1.0, 2.0, 1.5, 8.0, 9.0, None]}, index=list("abcdef"))
    >>> azp(income, w, n_regions=2, rng=1).region.tolist()
    [1, 1, 1, 2, 2, <NA>]
    >>> azp(income, w, n_regions=2, max_size=3, min_size=3, rng=1)
    Traceback (most recent call last):
    kazgeo.errors.InputError: 2 regions of at least 3 units need 6; got 5 units
    >>> azp(income, w, n_regions=2, start=pd.Series([1, 2, 1, 1, 1, 1], index=list("abcdef")))
    Traceback (most recent call last):
    kazgeo.errors.InputError: start must give connected regions; in several pieces: 1
    >>> azp(income.iloc[:0], Weights.from_pairs([], []), n_regions=2)
    Traceback (most recent call last):
    kazgeo.errors.InputError: values must hold at least 2 units with all indicators; got 0 of 0
    """
    how, count = choice(Search, search, "search"), positive_integer(starts, "starts")
    problem = prepare(values, weights, n_regions, limits, upper=True)
    k = problem.n_regions
    told: dict[str, object] = {"method": "azp", "n_regions": k, "search": how.value}
    if start is not None:
        labels = moved(problem, _given(problem, start, k), how, progress=progress)
        progress(1.0, "done")
        return finish(problem, labels, told | {"start": "given"})
    seed = seed_of(rng)
    draw = np.random.default_rng(seed)
    begun = list(_beginnings(problem, k, count, draw))
    labels = best_of(problem, begun, how, draw, executor, progress)
    return finish(problem, labels, told | {"starts": count}, seed)


def best_of(
    problem: Problem,
    begun: list[NDArray[np.int64]],
    how: Search,
    draw: np.random.Generator,
    executor: Executor | None,
    progress: Progress,
) -> NDArray[np.int64]:
    """Return the best labels of a search from every beginning, recombined; equal ones: the earliest."""
    best, lowest = np.empty(0, np.int64), np.inf
    for found in _searched(problem, begun, how, executor, part(progress, 0.0, 0.7)):
        value = float(within(problem.x, found).sum())
        if value < lowest * (1 - 1e-12):
            best, lowest = found, value
    for number in range(ROUNDS if how is Search.TABU and best.max() > 0 else 0):
        tell = part(progress, 0.7 + 0.3 * number / ROUNDS, 0.7 + 0.3 * (number + 1) / ROUNDS)
        tell(0.0, f"recombination {number + 1} of {ROUNDS}")
        mixed = _recombined(problem, best, draw)
        if mixed is not None:
            found = moved(problem, mixed, how, TENURES[number % len(TENURES)], tell)
            value = float(within(problem.x, found).sum())
            if value < lowest * (1 - 1e-12):
                best, lowest = found, value
    progress(1.0, "done")
    return best


def _searched(
    problem: Problem, begun: list[NDArray[np.int64]], how: Search, executor: Executor | None, progress: Progress
) -> Iterator[NDArray[np.int64]]:
    """Yield the labels after the search from every beginning."""
    tasks = [(problem, labels, how, TENURES[number % len(TENURES)]) for number, labels in enumerate(begun)]
    if executor is not None:
        yield from run(moved, tasks, executor, progress, "searches")
        return
    for number, task in enumerate(tasks):
        tell = part(progress, number / len(tasks), (number + 1) / len(tasks))
        tell(0.0, f"search {number + 1} of {len(tasks)}")
        yield moved(*task, tell)


def moved(
    problem: Problem,
    labels: NDArray[np.int64],
    how: Search,
    tenure: int = TENURES[0],
    progress: Progress = silent,
) -> NDArray[np.int64]:
    """Return labels after the local search."""
    from kazgeo.regionalization.kernels import improve, set_out

    walk = set_out(problem.x, problem.floor, labels)
    graph = (problem.x, problem.indptr, problem.indices, problem.floor)
    limits = (problem.min_size, problem.max_size, problem.floor_min)
    tabu, patience = tenure if how is Search.TABU else 0, max(100, problem.n)
    steps = max(1, VISITS // max(1, len(problem.indices) * problem.x.shape[1]))
    while not improve(*graph, walk, *limits, tabu, patience, steps):
        progress(0.0, "moves")
    return walk.best


def _recombined(problem: Problem, labels: NDArray[np.int64], draw: np.random.Generator) -> NDArray[np.int64] | None:
    """Return labels after two or three neighbouring regions were joined and cut anew on a random tree."""
    i, j = problem.edges
    across = np.flatnonzero(labels[i] != labels[j])
    if not len(across):
        return None
    edge = draw.choice(across)
    chosen = [labels[i[edge]], labels[j[edge]]]
    beside = np.unique(np.r_[labels[j[np.isin(labels[i], chosen)]], labels[i[np.isin(labels[j], chosen)]]])
    others = np.setdiff1d(beside, chosen)
    if len(others) and draw.random() < 0.5:
        chosen.append(draw.choice(others))
    units = np.flatnonzero(np.isin(labels, chosen))
    inside = problem.part(units)
    pieces = cut(inside, random_forest(inside, draw), len(chosen))
    if pieces is None:
        return None
    made = labels.copy()
    made[units] = np.array(chosen)[pieces]
    return made


def random_forest(problem: Problem, draw: np.random.Generator) -> Forest:
    """Return spanning trees of neighbours in random order."""
    return spanning_forest(problem, draw.permutation(len(problem.indices) // 2))


def _beginnings(problem: Problem, k: int, count: int, draw: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Give SKATER's regions where its tree permits them, then regions from random trees."""
    made = 0
    labels = cut(problem, spanning_forest(problem, attribute_order(problem)), k)
    if labels is not None:
        made += 1
        yield labels
    for _ in range(count + TRIES):
        if made >= count:
            return
        labels = cut(problem, random_forest(problem, draw), k)
        if labels is not None:
            made += 1
            yield labels
    if not made:
        raise InputError(
            f"n_regions = {k} can't be reached within the limits on any of {count + TRIES + 1} spanning trees "
            "of the map; change n_regions, or loosen min_size, max_size or floor_min"
        )


def _given(problem: Problem, start: pd.Series, k: int) -> NDArray[np.int64]:
    """Return the caller's regions as labels 0 .. k - 1, checked."""
    if not isinstance(start, pd.Series) or not start.index.is_unique:
        raise InputError("start must be a Series with one region per unit")
    found = start.reindex(problem.ids)
    if found.isna().any():
        raise InputError(f"start must have a region for every used unit; none for {listing(found.index[found.isna()])}")
    codes, names = pd.factorize(found, sort=False)
    labels: NDArray[np.int64] = codes.astype(np.int64)
    if len(names) != k:
        raise InputError(f"start must have n_regions = {k} regions; got {len(names)}")
    apart = np.flatnonzero(problem.pieces(labels) > 1)
    if len(apart):
        raise InputError(f"start must give connected regions; in several pieces: {listing(names[apart])}")
    bad = problem.outside(labels)
    if bad.any():
        raise InputError(f"start must keep the limits; broken by region {listing(names[bad])}")
    return labels
