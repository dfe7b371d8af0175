"""Compiled loops (numba): how many parts a tree allows under limits, and the local search that moves units.

Imported only where limits or a local search need them; compiled once per installation and kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]

__all__ = ["Walk", "fewest_parts", "improve", "most_parts", "possible_parts", "set_out"]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def most_parts(parent: Whole, floor: Floats, min_size: int, floor_min: float) -> int:
    """Return into how many subtrees at most a tree can be cut when each must reach both lower limits.

    ``parent[i] < i`` for all nodes but the first. A branch is closed as soon as it reaches the limits: any other
    choice leaves less for the rest, so that the count is exact. What is left at the root joins a part beside it.
    """
    n = len(parent)
    size = np.ones(n, np.int64)
    total = floor.copy()
    parts = 0
    for i in range(n - 1, -1, -1):
        if size[i] >= min_size and total[i] >= floor_min:
            parts += 1
        elif i > 0:
            size[parent[i]] += size[i]
            total[parent[i]] += total[i]
    return parts


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def fewest_parts(parent: Whole, max_size: int) -> int:
    """Return into how many subtrees at least a tree must be cut when none may have more units than ``max_size``.

    Exact (Kundu and Misra 1977, doi:10.1137/0206012): where a branch grows too large, its largest twigs are closed.
    """
    n = len(parent)
    first = np.zeros(n + 1, np.int64)
    for i in range(1, n):
        first[parent[i] + 1] += 1
    first = np.cumsum(first)
    held, filled = np.zeros(n, np.int64), np.zeros(n, np.int64)
    parts = 1
    for i in range(n - 1, -1, -1):
        twigs = held[first[i] : first[i] + filled[i]]
        size = 1
        for twig in twigs:
            size += twig
        while size > max_size:
            largest = np.argmax(twigs)
            size -= twigs[largest]
            twigs[largest] = 0
            parts += 1
        if i > 0:
            held[first[parent[i]] + filled[parent[i]]] = size
            filled[parent[i]] += 1
    return parts


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def possible_parts(
    parent: Whole, floor: Floats, min_size: int, max_size: int, floor_min: float, most: int
) -> NDArray[np.bool_]:
    """Return for 0 .. ``most`` whether a tree can be cut into that many subtrees within lower and upper limits.

    Exact: for every branch, number of closed parts and size of the open part, the largest floor the open part can
    have is kept; a larger floor can only help.
    """
    n = len(parent)
    tables = [np.full((1, 2), floor[i]) for i in range(n)]  # [closed parts, size of the open part]
    for i in range(n):
        tables[i][0, 0] = -np.inf
    for i in range(n - 1, 0, -1):
        child, up = tables[i], tables[parent[i]]
        closable = np.zeros(child.shape[0], np.bool_)
        for q in range(child.shape[0]):
            for s in range(min_size, child.shape[1]):
                if child[q, s] >= floor_min:
                    closable[q] = True
        rows = min(most, up.shape[0] + child.shape[0] - 1) + 1
        columns = min(max_size, up.shape[1] + child.shape[1] - 2) + 1
        made = np.full((rows, columns), -np.inf)
        for q in range(up.shape[0]):
            for s in range(1, up.shape[1]):
                have = up[q, s]
                if have == -np.inf:
                    continue
                for r in range(child.shape[0]):
                    if closable[r] and q + r + 1 < rows and have > made[q + r + 1, s]:
                        made[q + r + 1, s] = have
                    if q + r >= rows:
                        break
                    for t in range(1, min(child.shape[1], columns - s)):
                        if have + child[r, t] > made[q + r, s + t]:
                            made[q + r, s + t] = have + child[r, t]
        tables[parent[i]] = made
        tables[i] = np.zeros((0, 0))
    found = np.zeros(most + 1, np.bool_)
    root = tables[0]
    for q in range(min(root.shape[0], most)):
        for s in range(min_size, root.shape[1]):
            if root[q, s] >= floor_min:
                found[q + 1] = True
    return found


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _mark_joints(region: int, first: int, indptr: Whole, indices: Whole, label: Whole, joint: Any, work: Any) -> None:
    """Mark the units of a region without which it would fall apart (Tarjan's articulation points)."""
    seen, low, parent, step, stack = work[0], work[1], work[2], work[3], work[4]
    clock, top, branches = 1, 0, 0
    stack[0], parent[first], seen[first], low[first] = first, -1, 1, 1
    step[first], joint[first] = indptr[first], False
    while top >= 0:
        v = stack[top]
        if step[v] < indptr[v + 1]:
            u = indices[step[v]]
            step[v] += 1
            if label[u] != region or u == parent[v]:
                continue
            if seen[u] > 0:
                low[v] = min(low[v], seen[u])
                continue
            clock += 1
            seen[u], low[u], parent[u], step[u], joint[u] = clock, clock, v, indptr[u], False
            top += 1
            stack[top] = u
        else:
            top -= 1
            p = parent[v]
            if p < 0:
                continue
            low[p] = min(low[p], low[v])
            if p == first:
                branches += 1
            elif low[v] >= seen[p]:
                joint[p] = True
    joint[first] = branches > 1


class Walk(NamedTuple):
    """Where a local search stands, so that it can be interrupted and go on.

    Parameters
    ----------
    label, best : int64 arrays, shape (n,)
        Labels now, and the best ones met.
    size, total, sums : arrays, shapes (k,), (k,) and (k, p)
        Units, floor and sum of values of every region.
    joint : bool array, shape (n,)
        Units without which their region falls apart.
    dirty : bool array, shape (k,)
        Regions whose ``joint`` is out of date.
    tabu : int64 array, shape (n, k)
        Step until which a unit may not go to a region.
    step : int64 array, shape (2,)
        Number of this step, and of the one that gave the best.
    value : float array, shape (2,)
        Sum of squares now, and the lowest met, less that of the start.
    """

    label: Whole
    best: Whole
    size: Whole
    total: Floats
    sums: Floats
    joint: NDArray[np.bool_]
    dirty: NDArray[np.bool_]
    tabu: Whole
    step: Whole
    value: Floats


def set_out(x: Floats, floor: Floats, start: Whole) -> Walk:
    """Return a walk that begins at labels 0 .. k - 1."""
    n, k = len(start), int(start.max()) + 1
    sums = np.column_stack([np.bincount(start, weights=column, minlength=k) for column in x.T])
    return Walk(
        start.copy(), start.copy(),
        np.bincount(start), np.bincount(start, weights=floor).astype(np.float64), np.ascontiguousarray(sums),
        np.zeros(n, np.bool_), np.ones(k, np.bool_), np.zeros((n, k), np.int64), np.zeros(2, np.int64), np.zeros(2),
    )  # fmt: skip


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def improve(
    x: Floats, indptr: Whole, indices: Whole, floor: Floats, walk: Walk,
    min_size: int, max_size: int, floor_min: float, tenure: int, patience: int, steps: int,
) -> bool:  # fmt: skip
    """Walk on, one border unit moved at a time, for some steps; return whether the walk has ended.

    Each step takes the move that lowers the sum of squares within regions most (or raises it least, when
    ``tenure`` > 0), leaves both regions connected and within limits, and is not tabu: a unit that left a region may
    return only after ``tenure`` steps, unless that gives a new best. The walk ends ``patience`` steps after the
    last new best; without tabu at the first step that would not improve.
    """
    n, p = x.shape
    label, best, size, total, sums, joint, dirty, tabu, step, worth = walk
    k = len(size)
    work, first = np.zeros((5, n), np.int64), np.full(k, -1, np.int64)
    stamp, visit = np.full(k, -1, np.int64), 0
    scale = 1e-12 * (1.0 + (x * x).sum())
    now, last, value, lowest = step[0], step[1], worth[0], worth[1]
    until = now + steps
    while now < until:
        now += 1
        first[:] = -1
        for v in range(n):
            if dirty[label[v]]:
                work[0, v] = 0
                if first[label[v]] < 0:
                    first[label[v]] = v
        for a in range(k):
            if dirty[a]:
                _mark_joints(a, first[a], indptr, indices, label, joint, work)
                dirty[a] = False
        unit, goal, least = -1, -1, np.inf
        for v in range(n):
            a = label[v]
            if joint[v] or size[a] - 1 < max(min_size, 1) or total[a] - floor[v] < floor_min:
                continue
            visit += 1
            stamp[a] = visit
            leaving = np.nan
            for e in range(indptr[v], indptr[v + 1]):
                b = label[indices[e]]
                if stamp[b] == visit:
                    continue
                stamp[b] = visit
                if size[b] + 1 > max_size:
                    continue
                if np.isnan(leaving):
                    away = 0.0
                    for j in range(p):
                        away += (x[v, j] - sums[a, j] / size[a]) ** 2
                    leaving = away * size[a] / (size[a] - 1)
                near = 0.0
                for j in range(p):
                    near += (x[v, j] - sums[b, j] / size[b]) ** 2
                change = near * size[b] / (size[b] + 1) - leaving
                if tabu[v, b] >= now and value + change >= lowest - scale:
                    continue
                if change < least - scale:
                    unit, goal, least = v, b, change
        if unit < 0 or (tenure == 0 and least >= -scale):
            return True
        a = label[unit]
        size[a] -= 1
        size[goal] += 1
        total[a] -= floor[unit]
        total[goal] += floor[unit]
        sums[a] -= x[unit]
        sums[goal] += x[unit]
        label[unit], dirty[a], dirty[goal], tabu[unit, a] = goal, True, True, now + tenure
        value += least
        if value < lowest - scale:
            lowest, last = value, now
            best[:] = label
        elif now - last >= patience:
            return True
    step[0], step[1], worth[0], worth[1] = now, last, value, lowest
    return False
