"""Spanning trees over the neighbours, and cutting them into exactly the wanted number of parts within limits."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from kazgeo.regionalization.problem import Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Steps of one exact count of parts between lower and upper limits (0.3 s); larger trees are only bounded.
WORK = 1e8

__all__ = ["Forest", "attribute_order", "cut", "exact", "feasible_parts", "spanning_forest", "together"]


@dataclass(frozen=True, eq=False)
class Forest:
    """One rooted tree per component, its units in preorder, so that every branch is a run of positions.

    Parameters
    ----------
    order : int64 array, shape (n,)
        Unit at every position.
    stop : int64 array, shape (n,)
        Position after the last one of the branch that starts here.
    parent : int64 array, shape (n,)
        Position of the parent; -1 for roots.
    """

    order: NDArray[np.int64]
    stop: NDArray[np.int64]
    parent: NDArray[np.int64]

    @property
    def trees(self) -> list[NDArray[np.int64]]:
        """Positions of every tree."""
        return [np.arange(r, self.stop[r]) for r in np.flatnonzero(self.parent < 0)]


def attribute_order(problem: Problem) -> NDArray[np.int64]:
    """Return the rank of every edge by attribute distance; equal distances (12 digits) follow the ids."""
    i, j = problem.edges
    lengths = problem.lengths()
    top = lengths.max() if len(lengths) else 1.0
    ranks = np.empty(len(lengths), np.int64)
    ranks[np.lexsort((j, i, np.round(lengths / (top or 1.0), 12)))] = np.arange(len(lengths))
    return ranks


def spanning_forest(problem: Problem, ranks: NDArray[np.int64]) -> Forest:
    """Return the minimum spanning tree of every component when edges cost their rank.

    Ranks differ, so the tree is unique, and edges of length 0 count as edges.
    """
    i, j = problem.edges
    n = problem.n
    tree = sp.csgraph.minimum_spanning_tree(sp.csr_array((ranks + 1.0, (i, j)), shape=(n, n))).tocoo()
    _, roots = np.unique(problem.component, return_index=True)
    top = np.full(len(roots), n)  # one root above all, so that one walk serves all components
    rows, cols = np.r_[tree.coords[0], top], np.r_[tree.coords[1], roots]
    whole = sp.csr_array((np.ones(len(rows)), (rows, cols)), shape=(n + 1, n + 1))
    order, above = sp.csgraph.depth_first_order(whole, n, directed=False)
    order = order[1:].astype(np.int64)
    place = np.empty(n + 1, np.int64)
    place[order], place[n] = np.arange(n), -1
    parent = place[above[order]]
    size = [1] * n
    up = parent.tolist()
    for v in range(n - 1, -1, -1):
        if up[v] >= 0:
            size[up[v]] += size[v]
    return Forest(order, np.arange(n) + np.array(size, dtype=np.int64), parent)


def feasible_parts(problem: Problem, forest: Forest, members: NDArray[np.int64], most: int) -> int:
    """Return a bit mask: bit q says whether a subtree can be cut into q parts within the limits (q <= ``most``)."""
    full = (1 << (most + 1)) - 1
    if not problem.lower and not problem.upper:
        return ((1 << (len(members) + 1)) - 2) & full
    from kazgeo.regionalization.kernels import fewest_parts, most_parts, possible_parts

    parent = np.searchsorted(members, forest.parent[members])
    floor = problem.floor[forest.order[members]]
    if problem.upper and problem.lower and exact(problem, len(members), most):
        limits = (problem.min_size, problem.max_size, problem.floor_min)
        return sum(1 << int(q) for q in np.flatnonzero(possible_parts(parent, floor, *limits, most)))
    least = int(fewest_parts(parent, problem.max_size)) if problem.upper else 1
    parts = len(members)
    if problem.lower:
        parts = int(most_parts(parent, floor, problem.min_size, problem.floor_min))
    return (((1 << (parts + 1)) - 1) >> least << least) & full


def exact(problem: Problem, size: int, most: int) -> bool:
    """Return whether the numbers of parts are found exactly, or only bounded, as it would take too long.

    With limits on one side only they always are: all numbers from the fewest to the most are possible.
    """
    if not (problem.upper and problem.lower):
        return True
    return float(size) * min(size, problem.max_size) * min(most, size) ** 2 <= WORK


def together(masks: list[int], most: int) -> int:
    """Return the mask of the sums that one member of each mask can make.

    Examples
    --------
    >>> [q for q in range(6) if together([0b110, 0b1010], 5) >> q & 1]
    [2, 3, 4, 5]
    """
    total, full = 1, (1 << (most + 1)) - 1
    for mask in masks:
        made = 0
        for q in range(mask.bit_length()):
            if mask >> q & 1:
                made |= total << q
        total = made & full
    return total


@dataclass
class _Part:
    """A part of the forest: its positions, its feasible numbers of parts, and its cuts, the best first."""

    members: NDArray[np.int64]
    mask: int
    cuts: NDArray[np.int64]
    gains: NDArray[np.float64]
    next: int = 0


def cut(problem: Problem, forest: Forest, k: int) -> NDArray[np.int64] | None:
    """Cut the forest into k parts; each cut is the one that lowers the sum of squares most among those allowed.

    A cut is allowed when k parts within the limits can still be reached after it, so that k is reached whenever the
    tree permits it at all. A cut once refused stays refused: every other cut only narrows what can be reached.

    Returns
    -------
    int64 array of labels by unit, or None when the forest cannot be cut into k parts within the limits.
    """
    x = problem.x[forest.order] / (np.sqrt((problem.x**2).sum()) or 1.0)

    def part_of(members: NDArray[np.int64], mask: int) -> _Part:
        return _part(problem, forest, x, members, mask)

    parts = {i: part_of(tree, feasible_parts(problem, forest, tree, k)) for i, tree in enumerate(forest.trees)}
    if not together([p.mask for p in parts.values()], k) >> k & 1:
        return None
    queue = [(-p.gains[0], int(forest.order[p.cuts[0]]), i) for i, p in parts.items() if len(p.cuts)]
    heapq.heapify(queue)
    while len(parts) < k and queue:
        _, _, i = heapq.heappop(queue)
        part = parts[i]
        v = part.cuts[part.next]
        low, high = np.searchsorted(part.members, (v, forest.stop[v]))
        pieces = (np.r_[part.members[:low], part.members[high:]], part.members[low:high])
        masks = [feasible_parts(problem, forest, piece, k) for piece in pieces]
        others = [p.mask for j, p in parts.items() if j != i]
        if together([*others, *masks], k) >> k & 1:
            made = [part_of(piece, mask) for piece, mask in zip(pieces, masks, strict=True)]
            parts[i], parts[len(parts)] = made
        else:
            part.next += 1
        for j in {i, len(parts) - 1}:
            _queue_up(queue, parts[j], j, forest)
    if len(parts) < k or max(len(p.members) for p in parts.values()) > problem.max_size:
        return None  # only where the count was bounded, not exact
    labels = np.empty(problem.n, np.int64)
    for i, part in parts.items():
        labels[forest.order[part.members]] = i
    return labels


def _queue_up(queue: list[tuple[float, int, int]], part: _Part, number: int, forest: Forest) -> None:
    """Enter the next cut of a part; a part is never in the queue twice."""
    if part.next < len(part.cuts) and all(number != j for _, _, j in queue):
        heapq.heappush(queue, (-part.gains[part.next], int(forest.order[part.cuts[part.next]]), number))


def _part(
    problem: Problem,
    forest: Forest,
    x: NDArray[np.float64],
    members: NDArray[np.int64],
    mask: int,
) -> _Part:
    """Return a part with all its cuts, by prefix sums over the preorder; ties go to the lower id."""
    m = len(members)
    sums = np.vstack([np.zeros((1, x.shape[1])), np.cumsum(x[members], axis=0)])
    low = np.arange(1, m)
    high = np.searchsorted(members, forest.stop[members[1:]])
    branch, size = sums[high] - sums[low], high - low
    rest = sums[-1] - branch
    gains = (branch**2).sum(axis=1) / size + (rest**2).sum(axis=1) / (m - size) - (sums[-1] ** 2).sum() / m
    gains = np.round(gains, 13)
    good = (size >= problem.min_size) & (m - size >= problem.min_size)
    if problem.floor_min > 0:
        floors = np.r_[0.0, np.cumsum(problem.floor[forest.order[members]])]
        held, slack = floors[high] - floors[low], problem.floor_min * (1 - 1e-9)
        good &= (held >= slack) & (floors[-1] - held >= slack)
    cuts, gains = members[1:][good], gains[good]
    best = np.lexsort((forest.order[cuts], -gains))
    return _Part(members, mask, cuts[best], gains[best])
