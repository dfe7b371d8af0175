"""Ward's method under contiguity: neighbouring regions merged, the least costly merge first."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from kazgeo.errors import InputError
from kazgeo.regionalization.problem import LowerLimits, Problem, prepare
from kazgeo.regionalization.result import Regionalization, finish

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["ward"]


def ward(values: pd.DataFrame, weights: Any, *, n_regions: int, **limits: Unpack[LowerLimits]) -> Regionalization:
    r"""Return connected regions by merging neighbours, the merge that raises the sum of squares least first (Ward).

    Assumption: early merges are right; none is ever undone. The same as GeoDa's spatially constrained hierarchical
    clustering (SCHC) with Ward's linkage.

    Parameters
    ----------
    values : DataFrame, shape (N, p)
        Indicators by unit; units with a missing value are set aside and told.
    weights : Weights or libpysal Graph
        Neighbours of the same units, in any order; two units are neighbours when either names the other.
    n_regions : int
        Exactly that many regions.
    **limits
        ``scale``, ``min_size``, ``floor``, ``floor_min``: see ``kazgeo.regionalization.LowerLimits``. Under limits
        the finished tree of merges is opened from the top, and a merge is undone only when both sides keep them.

    Returns
    -------
    Regionalization
        Nothing is drawn: the same data give the same regions.

    Raises
    ------
    InputError
        As ``skater``; or when the tree of merges has fewer regions within the limits.

    Notes
    -----
    .. math:: \Delta(a, b) = \frac{n_a n_b}{n_a + n_b} \|\bar{x}_a - \bar{x}_b\|^2

    References
    ----------
    Ward, J. H. (1963), doi:10.1080/01621459.1963.10500845; under contiguity: Murtagh, F. (1985),
    doi:10.1093/comjnl/28.1.82.

    Examples
    --------
    >>> import pandas as pd
    >>> from kazgeo.weights import Weights
    >>> w = Weights.from_pairs(list("abcdef"), [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "f")])
    >>> income = pd.DataFrame({"income": [1.0, 2.0, 1.5, 8.0, 9.0, None]}, index=list("abcdef"))
    >>> ward(income, w, n_regions=3).region.tolist()
    [1, 1, 1, 2, 3, <NA>]
    >>> ward(income, w, n_regions=2, min_size=2).region.tolist()
    [1, 1, 1, 2, 2, <NA>]
    >>> ward(income, w, n_regions=1).n_regions
    1
    >>> ward(income.iloc[:0], Weights.from_pairs([], []), n_regions=1)
    Traceback (most recent call last):
    kazgeo.errors.InputError: values must hold at least 2 units with all indicators; got 0 of 0
    """
    problem = prepare(values, weights, n_regions, limits)
    merges = _merges(problem)
    labels = _cut(problem, merges, problem.n_regions)
    return finish(problem, labels, {"method": "ward", "n_regions": problem.n_regions})


def _merges(problem: Problem) -> list[tuple[int, int]]:
    """Return pairs of nodes in the order of merging; merge m makes node n + m, units are 0 .. n - 1."""
    from sklearn.cluster import ward_tree

    queue: list[tuple[float, int]] = []
    trees: list[tuple[list[int], Any, Any]] = []
    for c in range(problem.n_components):
        units = np.flatnonzero(problem.component == c)
        pairs, costs = np.empty((0, 2), int), np.empty(0)
        if len(units) > 1:
            inside = problem.graph[units][:, units]
            pairs, _, _, _, costs = ward_tree(problem.x[units], connectivity=inside.tocsr(), return_distance=True)
        trees.append((units.tolist(), pairs, costs))
        if len(costs):
            heapq.heappush(queue, (float(costs[0]), c))
    made: list[tuple[int, int]] = []
    done = [0] * len(trees)
    while queue:  # parts of the map that do not touch take turns by the cost of their next merge
        _, c = heapq.heappop(queue)
        nodes, pairs, costs = trees[c]
        one, other = pairs[done[c]]
        made.append((int(nodes[one]), int(nodes[other])))
        nodes.append(problem.n + len(made) - 1)
        done[c] += 1
        if done[c] < len(costs):
            heapq.heappush(queue, (float(costs[done[c]]), c))
    return made


def _cut(problem: Problem, merges: list[tuple[int, int]], k: int) -> NDArray[np.int64]:
    """Undo merges from the last one on until there are k regions."""
    n = problem.n
    size, total = [1] * n, problem.floor.tolist()
    for one, other in merges:
        size.append(size[one] + size[other])
        total.append(total[one] + total[other])
    children = {child for pair in merges for child in pair}
    tops = {node for node in range(n + len(merges)) if node not in children}
    for m in range(len(merges) - 1, -1, -1):
        if len(tops) == k:
            break
        both = merges[m]
        if n + m in tops and all(size[c] >= problem.min_size and total[c] >= problem.floor_min for c in both):
            tops.remove(n + m)
            tops.update(both)
    if len(tops) < k:
        raise InputError(
            f"n_regions = {k} can't be reached within the limits: Ward's tree opens into {len(tops)} regions at most; "
            "ask for fewer regions, lower the limits, or use skater or azp"
        )
    labels = np.full(n + len(merges), -1, np.int64)
    for node in range(n + len(merges) - 1, -1, -1):
        if node in tops:
            labels[node] = node
        if node >= n and labels[node] >= 0:
            labels[list(merges[node - n])] = labels[node]
    return labels[:n]
