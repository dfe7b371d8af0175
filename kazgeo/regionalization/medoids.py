"""K-medoids under contiguity: every unit joins the medoid it reaches over the fewest differences between neighbours."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import scipy.sparse as sp

from kazgeo.errors import InputError, positive_integer
from kazgeo.parallel import run
from kazgeo.progress import Progress, part, silent
from kazgeo.regionalization.problem import LowerLimits, Problem, prepare
from kazgeo.regionalization.result import Regionalization, finish
from kazgeo.seeds import seed_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["kmedoids"]

#: Rounds of one search; each lowers the cost, and few searches take more than ten.
ROUNDS = 100
#: Distances held at once (32 MB).
BLOCK = 4_000_000


def kmedoids(
    values: pd.DataFrame,
    weights: Any,
    *,
    n_regions: int,
    starts: int = 10,
    rng: int | np.random.Generator | None = None,
    executor: Executor | None = None,
    progress: Progress = silent,
    **limits: Unpack[LowerLimits],
) -> Regionalization:
    r"""Return connected regions around medoids, real units that stand for their region.

    Assumption: two units are as far apart as the least sum of differences on a way from neighbour to neighbour.
    A region may so change gently from one end to the other; ``azp`` is the choice when all its units must be alike.

    Parameters
    ----------
    values : DataFrame, shape (N, p)
        Indicators by unit; units with a missing value are set aside and told.
    weights : Weights or libpysal Graph
        Neighbours of the same units, in any order; two units are neighbours when either names the other.
    n_regions : int
        Exactly that many regions.
    starts : int
        Searches from random medoids; the one of the lowest cost within the limits is kept.
    rng : int, Generator or None
        Seed; the result stores it.
    executor : concurrent.futures.Executor or None
        Where searches are made, with the same result; None: one after the other, here, and stopped inside a search.
    progress : Progress
        Called between searches and in long ones.
    **limits
        ``scale``, ``min_size``, ``floor``, ``floor_min``: see ``kazgeo.regionalization.LowerLimits``.

    Returns
    -------
    Regionalization
        ``parameters["medoids"]`` lists the medoid of region 1, 2, ..., ``parameters["cost"]`` the sum below.

    Raises
    ------
    InputError
        As ``skater``; or when no search ends within the limits.

    Notes
    -----
    .. math:: \sum_i d(i, m(i)), \quad d = \min_{ways} \sum \|x_u - x_v\|

    Regions are the Voronoi cells of the medoids on the graph of neighbours (Erwig 2000), hence connected. A medoid
    moves to the unit of its region with the least sum of distances, until nothing moves (Park and Jun 2009).

    References
    ----------
    Kaufman, L. and Rousseeuw, P. J. (1990), doi:10.1002/9780470316801; Park, H.-S. and Jun, C.-H. (2009),
    doi:10.1016/j.eswa.2008.01.039; Erwig, M. (2000),
    doi:10.1002/1097-0037(200010)36:3<156::AID-NET2>3.0.CO;2-L.

    Examples
    --------
    >>> import pandas as pd
    >>> from kazgeo.weights import Weights
    >>> w = Weights.from_pairs(list("abcdef"), [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "f")])
    >>> income = pd.DataFrame({"income": [1.0, 2.0, 1.5, 8.0, 9.0, None]}, index=list("abcdef"))
    >>> got = kmedoids(income, w, n_regions=2, rng=1)
    >>> got.region.tolist(), got.parameters["medoids"]
    ([1, 1, 1, 2, 2, <NA>], ['b', 'd'])
    >>> kmedoids(income, w, n_regions=9, rng=1)
    Traceback (most recent call last):
    kazgeo.errors.InputError: n_regions must not exceed the number of used units (5); got 9
    >>> kmedoids(income.iloc[:0], Weights.from_pairs([], []), n_regions=1)
    Traceback (most recent call last):
    kazgeo.errors.InputError: values must hold at least 2 units with all indicators; got 0 of 0
    """
    count = positive_integer(starts, "starts")
    problem = prepare(values, weights, n_regions, limits)
    seed = seed_of(rng)
    draw = np.random.default_rng(seed)
    graph, k = _ways(problem), problem.n_regions
    best: tuple[float, NDArray[np.int64], NDArray[np.int64]] | None = None
    begun = [_drawn(problem, graph, k, draw) for _ in range(count)]
    for cost, medoids, cells in _searched(graph, begun, executor, progress):
        names, labels = np.unique(cells, return_inverse=True)
        allowed = len(names) == k and not problem.outside(labels).any()
        if allowed and (best is None or cost < best[0] * (1 - 1e-12)):
            best = cost, medoids, cells
    progress(1.0, "done")
    if best is None:
        raise InputError(
            f"none of {count} searches ended within the limits; lower min_size or floor_min, raise starts, "
            "or use skater or azp, which keep limits by construction"
        )
    cost, medoids, cells = best
    told = {"method": "kmedoids", "n_regions": k, "starts": count, "cost": cost}
    got = finish(problem, cells, told, seed)
    numbers = got.region.loc[problem.ids[medoids]].to_numpy(dtype=int)
    got.parameters["medoids"] = problem.ids[medoids[np.argsort(numbers)]].tolist()
    return got


def _ways(problem: Problem) -> Any:
    """Return the graph of differences between neighbours; none is quite 0, so that fewer steps win among equals."""
    i, j = problem.edges
    lengths = problem.lengths()
    lengths = lengths + 1e-9 * (lengths.mean() if len(lengths) and lengths.any() else 1.0)
    n = problem.n
    return sp.csr_array((np.r_[lengths, lengths], (np.r_[i, j], np.r_[j, i])), shape=(n, n))


def _drawn(problem: Problem, graph: Any, k: int, draw: np.random.Generator) -> NDArray[np.int64]:
    """Draw one medoid per component, and the others by their squared distance to the nearest (k-means++)."""
    medoids = [int(draw.choice(np.flatnonzero(problem.component == c))) for c in range(problem.n_components)]
    while len(medoids) < k:
        away = np.asarray(sp.csgraph.dijkstra(graph, directed=False, indices=medoids, min_only=True)) ** 2
        medoids.append(int(draw.choice(problem.n, p=away / away.sum())))
    return np.array(medoids)


def _searched(
    graph: Any, begun: list[NDArray[np.int64]], executor: Executor | None, progress: Progress
) -> Iterator[tuple[float, NDArray[np.int64], NDArray[np.int64]]]:
    """Yield cost, medoids and cells after the search from every beginning."""
    if executor is not None:
        yield from run(_settled, [(graph, medoids) for medoids in begun], executor, progress, "searches")
        return
    for number, medoids in enumerate(begun):
        tell = part(progress, number / len(begun), (number + 1) / len(begun))
        tell(0.0, f"search {number + 1} of {len(begun)}")
        yield _settled(graph, medoids, tell)


def _settled(
    graph: Any, medoids: NDArray[np.int64], progress: Progress = silent
) -> tuple[float, NDArray[np.int64], NDArray[np.int64]]:
    """Return cost, medoids and the cell (position of its medoid) of every unit after the search."""
    lowest, kept = np.inf, (medoids, medoids)
    for number in range(ROUNDS):
        away, _, cells = sp.csgraph.dijkstra(
            graph, directed=False, indices=np.sort(medoids), min_only=True, return_predecessors=True
        )
        cost = float(away.sum())
        if cost >= lowest * (1 - 1e-12):
            break
        lowest, kept = cost, (np.sort(medoids), np.asarray(cells, dtype=np.int64))
        moved = []
        for m in kept[0]:
            units = np.flatnonzero(cells == m)
            sums = _sums(graph[units][:, units], part(progress, number / ROUNDS, (number + 1) / ROUNDS))
            least = np.flatnonzero(sums <= sums.min() * (1 + 1e-12))
            moved.append(int(units[least[0]]))
        medoids = np.array(moved)
    return lowest, *kept


def _sums(graph: Any, progress: Progress) -> NDArray[np.float64]:
    """Return the sum of distances from every unit to all others, some rows of the table at a time."""
    n = graph.shape[0]
    out = np.empty(n)
    rows = max(1, BLOCK // n)
    for start in range(0, n, rows):
        progress(0.0, "medoids")
        block = np.arange(start, min(n, start + rows))
        out[block] = sp.csgraph.dijkstra(graph, directed=False, indices=block).sum(axis=1)
    return out
