"""Compiled searches for what a closed road cuts off: bridges and cut points, their tree, routes around each edge."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]

__all__ = ["around", "bridges", "incidence", "route_tree", "spread", "totals"]


def incidence(n: int, start: I64, end: I64) -> tuple[I64, I64, I64]:
    """Return pointer, heads and 2 x edge + direction of the arcs of all nodes, loops left out.

    Examples
    --------
    >>> [v.tolist() for v in incidence(2, np.array([0, 1]), np.array([1, 1]))]
    [[0, 1, 2], [1, 0], [0, 1]]
    """
    real = np.flatnonzero(start != end)
    tail = np.r_[start[real], end[real]]
    order = np.argsort(tail, kind="stable")
    pointer = np.r_[0, np.cumsum(np.bincount(tail, minlength=n))].astype(np.int64)
    return pointer, np.r_[end[real], start[real]][order], np.r_[2 * real, 2 * real + 1][order]


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def bridges(pointer: I64, head: I64, arc: I64, bridge: NDArray[np.bool_], cutting: NDArray[np.bool_]) -> None:
    """Mark the edges and the nodes without which a connected part falls apart.

    Tarjan, R. E. (1974), A note on finding the bridges of a graph, https://doi.org/10.1016/0020-0190(74)90003-9, and
    Hopcroft, J. and Tarjan, R. (1973), https://doi.org/10.1145/362248.362272, without recursion. One of several
    parallel edges is no bridge.
    """
    n = len(pointer) - 1
    found, low = np.full(n, -1, np.int64), np.empty(n, np.int64)
    came, upto, stack = np.full(n, -1, np.int64), pointer[:-1].copy(), np.empty(n, np.int64)
    clock = 0
    for root in range(n):
        if found[root] >= 0:
            continue
        children, depth = 0, 1
        stack[0] = root
        found[root] = low[root] = clock
        clock += 1
        while depth > 0:
            v = stack[depth - 1]
            if upto[v] < pointer[v + 1]:
                a = upto[v]
                upto[v] += 1
                u, e = head[a], arc[a] >> 1
                if e == came[v]:
                    continue
                if found[u] >= 0:
                    low[v] = min(low[v], found[u])
                    continue
                came[u] = e
                found[u] = low[u] = clock
                clock += 1
                stack[depth] = u
                depth += 1
                continue
            depth -= 1
            if depth == 0:
                break
            p = stack[depth - 1]
            low[p] = min(low[p], low[v])
            if low[v] > found[p]:
                bridge[came[v]] = True
            if p == root:
                children += 1
            elif low[v] >= found[p]:
                cutting[p] = True
        cutting[root] = children > 1


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def spread(pointer: I64, head: I64, arc: I64, roots: I64) -> Any:
    """Return the order in which a forest is met from its roots, the edge to and the position of every parent (-1)."""
    n = len(pointer) - 1
    order, edge, parent = np.empty(n, np.int64), np.full(n, -1, np.int64), np.full(n, -1, np.int64)
    depth = np.full(n, -1, np.int64)
    done, count = 0, 0
    for root in roots:
        if depth[root] >= 0:
            continue
        depth[root] = 0
        order[count] = root
        count += 1
        while done < count:
            v = order[done]
            done += 1
            for a in range(pointer[v], pointer[v + 1]):
                u = head[a]
                if depth[u] < 0:
                    depth[u], edge[u], parent[u] = depth[v] + 1, arc[a] >> 1, v
                    order[count] = u
                    count += 1
    return order[:count], edge, parent, depth


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def totals(order: I64, parent: I64, value: F64) -> F64:
    """Return the sums over every node and all that hang on it."""
    total = value.copy()
    for i in range(len(order) - 1, -1, -1):
        v = order[i]
        if parent[v] >= 0:
            total[parent[v]] += total[v]
    return total


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def route_tree(pointer: I64, head: I64, arc: I64, weight: F64, seed: F64) -> Any:
    """Return the least time from every node to a seed, and the tree of quickest routes.

    ``weight`` holds seconds by 2 x edge + direction, ``seed`` the seconds at nodes where one may end (infinite
    elsewhere).

    Returns
    -------
    tuple
        Seconds; edge and node that come next (-1: none); place of every node in preorder (-1: no route), nodes in
        preorder, sizes of subtrees, and nodes by rising time.
    """
    n = len(pointer) - 1
    dist, after, edge = seed.copy(), np.full(n, -1, np.int64), np.full(n, -1, np.int64)
    heap = [(0.0, 0)]
    heap.pop()
    for v in range(n):
        if dist[v] < np.inf:
            heapq.heappush(heap, (dist[v], v))
    order, count = np.empty(n, np.int64), 0
    done = np.zeros(n, np.bool_)
    while len(heap) > 0:
        d, v = heapq.heappop(heap)
        if done[v]:
            continue
        done[v] = True
        order[count] = v
        count += 1
        for a in range(pointer[v], pointer[v + 1]):
            u, new = head[a], d + weight[arc[a] ^ 1]
            if new < dist[u] and not done[u]:
                dist[u], after[u], edge[u] = new, v, arc[a] >> 1
                heapq.heappush(heap, (new, u))
    size = np.ones(n, np.int64)
    for i in range(count - 1, -1, -1):
        v = order[i]
        if after[v] >= 0:
            size[after[v]] += size[v]
    place, free, line = np.full(n, -1, np.int64), np.empty(n, np.int64), np.empty(count, np.int64)
    top = 0
    for i in range(count):
        v = order[i]
        if after[v] < 0:
            place[v] = top
            top += size[v]
        else:
            place[v] = free[after[v]]
            free[after[v]] += size[v]
        free[v] = place[v] + 1
        line[place[v]] = v
    return dist, edge, after, place, line, size, order[:count]


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def around(
    pointer: I64, head: I64, arc: I64, weight: F64, seed: F64, tree: Any, chosen: I64, wanted: NDArray[np.bool_]
) -> Any:
    """Return, for every wanted node, the longest of its times when one edge of the tree is closed, and that edge.

    ``chosen`` are the nodes whose next edge is closed, one after the other; those whose subtree holds no wanted node
    are passed over. Only the subtree is searched anew, from the nodes around it. Of equal times the first counts.
    """
    dist, edge, _, place, line, size, _ = tree
    n = len(pointer) - 1
    worst, which = np.full(n, -1.0), np.full(n, -1, np.int64)
    fresh = np.full(n, np.inf)
    many = np.zeros(len(line) + 1, np.int64)
    for i in range(len(line)):
        many[i + 1] = many[i] + (1 if wanted[line[i]] else 0)
    heap = [(0.0, 0)]
    heap.pop()
    for v in chosen:
        low, high, closed = place[v], place[v] + size[v], edge[v]
        if closed < 0 or many[high] == many[low]:
            continue
        for i in range(low, high):
            x = line[i]
            best = seed[x]
            for a in range(pointer[x], pointer[x + 1]):
                y = head[a]
                if arc[a] >> 1 != closed and (place[y] < low or place[y] >= high):
                    best = min(best, weight[arc[a]] + dist[y])
            fresh[x] = best
            if best < np.inf:
                heapq.heappush(heap, (best, x))
        while len(heap) > 0:
            d, x = heapq.heappop(heap)
            if d > fresh[x]:
                continue
            for a in range(pointer[x], pointer[x + 1]):
                y = head[a]
                if arc[a] >> 1 != closed and place[y] >= low and place[y] < high:
                    new = d + weight[arc[a] ^ 1]
                    if new < fresh[y]:
                        fresh[y] = new
                        heapq.heappush(heap, (new, y))
        for i in range(low, high):
            x = line[i]
            if wanted[x] and fresh[x] > worst[x]:
                worst[x], which[x] = fresh[x], closed
    return worst, which
