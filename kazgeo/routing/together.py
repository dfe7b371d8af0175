"""Compiled searches from several near terminals at once: every node is looked at for all of them.

Searches from neighbours cross nearly the same nodes, so that finding a node, its arcs and its place in the queue is
paid once for four of them. A node waits by the mean of its times, those beyond the limit taken as the limit; a time
that falls later is handed on again, so that results are those of one search after another, to the last bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from kazgeo.routing.kernels import OUT, bounded, enter, leave

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]
    I32 = NDArray[np.int32]
    I64 = NDArray[np.int64]
    U32 = NDArray[np.uint32]

__all__ = ["LANES", "tally"]

#: Terminals that are searched from together: with eight more nodes are looked at twice than are saved.
LANES = 4
#: Share of the limit within which they must lie of the first, and buckets there may be.
NEAR, BUCKETS = 0.25, 1 << 16


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _near(node: I64, at: int, dist: F64) -> bool:
    """Tell whether the terminals after the first of a group all hang on places that were touched."""
    for t in range(at + 1, at + LANES):
        if not ((node[t, 0] >= 0 and dist[node[t, 0]] < np.inf) or (node[t, 1] >= 0 and dist[node[t, 1]] < np.inf)):
            return False
    return True


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _begin(node: I64, offset: F64, at: int, dist: F64, key: F64, bucket: I32, touched: I32) -> int:
    """Give the places a group hangs on their times; return how many these are."""
    count = 0
    for lane in range(LANES):
        for side in range(2):
            v, d = node[at + lane, side], offset[at + lane, side]
            if v >= 0 and d < dist[v, lane]:
                if bucket[v] < 0:
                    bucket[v] = 0
                    touched[count] = v
                    count += 1
                key[v] -= (dist[v, lane] - d) / LANES
                dist[v, lane] = d
    return count


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"nnan", "nsz"})  # type: ignore[untyped-decorator]
def _hand_on(dist: F64, w: int, u: int, weight: float) -> float:
    """Improve the times of a place by those of its neighbour; return by how much in all.

    The gain is above 0 whenever a time fell: differences are added one by one, in no other order.
    """
    gain = 0.0
    for lane in range(LANES):
        old = dist[u, lane]
        new = min(dist[w, lane] + weight, old)
        gain += old - new
        dist[u, lane] = new
    return gain


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _search(
    pointer: U32, head: U32, weight: F64, width: float, count: int, lists: tuple[I32, I32, I32], bucket: I32,
    dist: F64, key: F64, touched: I32,
) -> int:  # fmt: skip
    """Search from the places a group hangs on, listed in ``touched``, and return how many were touched."""
    first, after, before = lists
    inverse, alive, now = 1.0 / width, count, len(first)
    for i in range(count):
        v = touched[i]
        k = np.int64(max(0.0, key[v] * inverse))
        bucket[v] = k
        now = min(now, int(k))
        enter(first, after, before, k, v)
    while alive > 0:
        w = first[now]
        if w < 0:
            now += 1
            continue
        leave(first, after, before, now, w)
        alive -= 1
        for a in range(pointer[w], pointer[w + 1]):
            u = head[a]
            gain = _hand_on(dist, w, u, weight[a])
            if gain <= 0.0:
                continue
            key[u] -= gain / LANES
            k, old = np.int64(max(0.0, key[u] * inverse)), bucket[u]
            if old < 0:
                touched[count] = u
                count += 1
            elif after[u] != OUT:
                if old == k:
                    continue
                leave(first, after, before, old, u)
                alive -= 1
            bucket[u] = k
            enter(first, after, before, k, u)
            alive += 1
            now = min(now, int(k))
    return count


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def tally(
    pointer: U32, head: U32, weight: F64, node: I64, offset: F64, amount: F64, cuts: F64, queue: tuple[float, int],
    out: F64,
) -> None:  # fmt: skip
    """Add what every terminal has to the places it can be reached from, by the first of the sorted cuts that holds it.

    ``amount`` has shape (terminals, kinds), ``out`` (cuts, places, kinds). Terminals must be sorted so that neighbours
    follow one another; those that lie too far apart are searched from one by one.
    """
    n, limit, kinds = len(pointer) - 1, cuts[-1], amount.shape[1]
    beyond = np.nextafter(limit, np.inf)
    width = max(queue[0], limit / BUCKETS)
    lists = (np.full(np.int64(beyond / width) + 2, -1, np.int32), np.full(n, OUT, np.int32), np.full(n, -1, np.int32))
    many, key, bucket = np.full((n, LANES), beyond), np.full(n, beyond), np.full(n, -1, np.int32)
    first, dist, touched = np.full(queue[1], -1, np.int32), np.full(n, np.inf), np.empty(n, np.int32)
    at = 0
    while at < len(node):
        near = False
        if at + LANES <= len(node):
            count = bounded(pointer, head, weight, node[at], offset[at], limit * NEAR, queue, first, dist, lists[1],
                             lists[2], touched)  # fmt: skip
            near = _near(node, at, dist)
            for i in range(count):
                dist[touched[i]] = np.inf
        if near:
            count = _begin(node, offset, at, many, key, bucket, touched)
            count = _search(pointer, head, weight, width, count, lists, bucket, many, key, touched)
            for i in range(count):
                v = touched[i]
                key[v], bucket[v] = beyond, -1
                for lane in range(LANES):
                    if many[v, lane] <= limit:
                        c = 0
                        while many[v, lane] > cuts[c]:
                            c += 1
                        for kind in range(kinds):
                            out[c, v, kind] += amount[at + lane, kind]
                    many[v, lane] = beyond
            at += LANES
        else:
            count = bounded(pointer, head, weight, node[at], offset[at], limit, queue, first, dist, lists[1],
                             lists[2], touched)  # fmt: skip
            for i in range(count):
                v = touched[i]
                c = 0
                while dist[v] > cuts[c]:
                    c += 1
                for kind in range(kinds):
                    out[c, v, kind] += amount[at, kind]
                dist[v] = np.inf
            at += 1
