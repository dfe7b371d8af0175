"""Compiled steps of a customisable contraction hierarchy: the chordal graph, its weights, labels and matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]
    I32 = NDArray[np.int32]
    I64 = NDArray[np.int64]
    U32 = NDArray[np.uint32]

__all__ = [
    "chordal", "customise", "customise_both", "depths", "labels", "minima", "postorder", "shared", "subtree_sizes",
    "take_minimum",
]  # fmt: skip


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _above(
    pointer: U32, head: U32, order: I32, position: I32, v: int, child: I32, sibling: I32,
    up_pointer: I64, up: I32, seen: I32, out: I32,
) -> int:  # fmt: skip
    """Collect the neighbours of a position that are eliminated later, those got from its children included."""
    count = 0
    w = order[v]
    for a in range(pointer[w], pointer[w + 1]):
        x = position[head[a]]
        if x > v and seen[x] != v:
            seen[x] = v
            out[count] = x
            count += 1
    c = child[v]
    while c >= 0:
        for e in range(up_pointer[c], up_pointer[c + 1]):
            x = up[e]
            if x != v and seen[x] != v:
                seen[x] = v
                out[count] = x
                count += 1
        c = sibling[c]
    return count


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def chordal(pointer: U32, head: U32, order: I32) -> tuple[I64, I32, I32]:
    """Return pointer and heads of the arcs to later neighbours, sorted, and the parent of every position (-1: none)."""
    n = len(order)
    position = np.empty(n, np.int32)
    for i in range(n):
        position[order[i]] = i
    child, sibling = np.full(n, -1, np.int32), np.full(n, -1, np.int32)
    parent, seen, out = np.full(n, -1, np.int32), np.full(n, -1, np.int32), np.empty(n, np.int32)
    up_pointer = np.zeros(n + 1, np.int64)
    up = np.empty(max(16, 4 * n), np.int32)
    for v in range(n):
        count = _above(pointer, head, order, position, v, child, sibling, up_pointer, up, seen, out)
        used = up_pointer[v]
        if used + count > len(up):
            more = np.empty(2 * len(up) + count, np.int32)
            more[:used] = up[:used]
            up = more
        found = np.sort(out[:count])
        up[used : used + count] = found
        up_pointer[v + 1] = used + count
        if count:
            parent[v] = found[0]
            sibling[v] = child[found[0]]
            child[found[0]] = v
    return up_pointer, up[: up_pointer[n]].copy(), parent


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def postorder(parent: I32) -> I32:
    """Return the number of every position in an order in which each subtree of the elimination tree is one stretch."""
    n = len(parent)
    size = np.ones(n, np.int32)
    for v in range(n):
        if parent[v] >= 0:
            size[parent[v]] += size[v]
    stop, number = np.zeros(n, np.int32), np.empty(n, np.int32)
    end = n
    for v in range(n - 1, -1, -1):
        if parent[v] < 0:
            number[v] = end - 1
            end -= size[v]
        else:
            p = parent[v]
            number[v] = stop[p] - 1
            stop[p] -= size[v]
        stop[v] = number[v]
    return number


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def take_minimum(arc: I64, up_first: NDArray[np.bool_], forth: F64, back: F64, up: F64, down: F64) -> None:
    """Give every arc the least time of the edges it stands for; ``up`` runs to the later node."""
    for e in range(len(arc)):
        a = arc[e]
        if a < 0:
            continue
        u, d = (forth[e], back[e]) if up_first[e] else (back[e], forth[e])
        if u < up[a]:
            up[a] = u
        if d < down[a]:
            down[a] = d


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def customise(
    low: int, high: int, up_pointer: I64, head: I32, down_pointer: I64, down_arc: I32, tail: I32, place: I32,
    up: F64, down: F64,
) -> None:  # fmt: skip
    """Give the arcs of some positions the least time over the triangles below them; what lies below must be done.

    ``place`` is work space of one entry per position.
    """
    for x in range(low, high):
        for e in range(up_pointer[x], up_pointer[x + 1]):
            place[head[e]] = e
        for i in range(down_pointer[x], down_pointer[x + 1]):
            e = down_arc[i]
            from_x, to_x = down[e], up[e]
            if from_x == np.inf and to_x == np.inf:
                continue
            for f in range(e + 1, up_pointer[tail[e] + 1]):
                p = place[head[f]]
                out, back = from_x + up[f], down[f] + to_x
                if out < up[p]:
                    up[p] = out
                if back < down[p]:
                    down[p] = back


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def customise_both(
    low: int, high: int, up_pointer: I64, head: I32, down_pointer: I64, down_arc: I32, tail: I32, place: I32, up: F64
) -> None:
    """Do as ``customise`` where both ways take the same time."""
    for x in range(low, high):
        for e in range(up_pointer[x], up_pointer[x + 1]):
            place[head[e]] = e
        for i in range(down_pointer[x], down_pointer[x + 1]):
            e = down_arc[i]
            from_x = up[e]
            if from_x == np.inf:
                continue
            for f in range(e + 1, up_pointer[tail[e] + 1]):
                p = place[head[f]]
                out = from_x + up[f]
                if out < up[p]:
                    up[p] = out


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def labels(
    up_pointer: I64, head: I32, weight: F64, parent: I32, depth: I32, node: I64, offset: F64, start: I64, out: F64
) -> None:
    """Fill, for every terminal, the time to each ancestor of the nodes it hangs on, from the root down.

    ``node`` holds positions, shape (terminals, 2), of which one is an ancestor of the other or -1.
    """
    for t in range(len(node)):
        base = start[t]
        for i in range(base, start[t + 1]):
            out[i] = np.inf
        low = -1
        for s in range(2):
            v = node[t, s]
            if v >= 0:
                i = base + depth[v]
                out[i] = min(out[i], offset[t, s])
                if low < 0 or depth[v] > depth[low]:
                    low = v
        v = low
        while v >= 0:
            d = out[base + depth[v]]
            if d < np.inf:
                for e in range(up_pointer[v], up_pointer[v + 1]):
                    i = base + depth[head[e]]
                    new = d + weight[e]
                    if new < out[i]:
                        out[i] = new
            v = parent[v]


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def shared(parent: I32, depth: I32, low: I64) -> I64:
    """Return how many ancestors each terminal shares with the next one; terminals are sorted by their position."""
    out = np.zeros(len(low), np.int64)
    for t in range(len(low) - 1):
        v, w = low[t], low[t + 1]
        while v != w and v >= 0 and w >= 0:
            if depth[v] >= depth[w]:
                v = parent[v]
            else:
                w = parent[w]
        out[t] = depth[v] + 1 if v >= 0 and w >= 0 else 0
    return out


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"nnan", "nsz", "reassoc"})  # type: ignore[untyped-decorator]
def _least(a: F64, b: F64, i: int, j: int, count: int) -> float:
    """Return the least sum of two labels over their common ancestors."""
    best = np.inf
    for k in range(count):
        best = min(best, a[i + k] + b[j + k])
    return best


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def minima(
    low: int, high: int, row_at: I64, column_at: I64, row_start: I64, column_start: I64, row_label: F64,
    column_label: F64, near: I64, out: F64,
) -> None:  # fmt: skip
    """Fill the times between some origins and the destinations low to high.

    ``row_at`` and ``column_at`` tell where each stands among all terminals in the order of the elimination tree, in
    which ``near`` tells how many ancestors neighbours share; both are ascending.
    """
    for r in range(len(row_at)):
        at, start = row_at[r], row_start[r]
        height = row_start[r + 1] - start
        split = low
        while split < high and column_at[split] < at:
            split += 1
        common, reach = height, at
        for c in range(split, high):
            while reach < column_at[c]:
                common = min(common, near[reach])
                reach += 1
            both = min(common, column_start[c + 1] - column_start[c])
            out[r, c] = _least(row_label, column_label, start, column_start[c], both)
        common, reach = height, at
        for c in range(split - 1, low - 1, -1):
            while reach > column_at[c]:
                reach -= 1
                common = min(common, near[reach])
            both = min(common, column_start[c + 1] - column_start[c])
            out[r, c] = _least(row_label, column_label, start, column_start[c], both)


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def depths(parent: I32) -> Any:
    """Return how many ancestors every position has."""
    out = np.zeros(len(parent), np.int32)
    for v in range(len(parent) - 1, -1, -1):
        if parent[v] >= 0:
            out[v] = out[parent[v]] + 1
    return out


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def subtree_sizes(parent: I32, size: I64) -> None:
    """Add the sizes of children to those of their parents; sizes must be 1."""
    for v in range(len(parent)):
        if parent[v] >= 0:
            size[parent[v]] += size[v]
