"""Compiled searches on the arcs of a topology: a bucket queue whose lists run through the nodes themselves.

Label-correcting within a bucket: a node whose time falls again while its bucket is being emptied is looked at again, so
results are those of Dijkstra's algorithm at any width of the buckets (Meyer and Sanders 2003, delta-stepping,
https://doi.org/10.1016/S0196-6774(03)00076-2). Of equal times the source that comes first wins, so that results don't
depend on the order of the search. Arrays never grow inside a loop: that alone costs half of the speed.
"""

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

__all__ = ["OUT", "bounded", "enter", "k_nearest", "leave", "nearest", "reached", "routes"]

#: A node that stands in no bucket.
OUT = -2


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def enter(first: I32, after: I32, before: I32, k: int, v: int) -> None:
    """Put a node at the head of a bucket."""
    f = first[k]
    after[v] = f
    before[v] = -1
    first[k] = v
    if f >= 0:
        before[f] = v


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def leave(first: I32, after: I32, before: I32, k: int, v: int) -> None:
    """Take a node out of its bucket."""
    p, f = before[v], after[v]
    if p >= 0:
        after[p] = f
    else:
        first[k] = f
    if f >= 0:
        before[f] = p
    after[v] = OUT


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def nearest(
    pointer: U32, head: U32, weight: F64, span: tuple[int, int], seed: I64, key: F64, owner: I64,
    queue: tuple[float, int], dist: F64, own: I32, after: I32, before: I32,
) -> None:  # fmt: skip
    """Improve times and owners of a span of places from seeds sorted by their key; arcs out of it are not used.

    ``queue`` is the width of the buckets and their number, a power of two that covers the longest arc. ``after`` must
    be full of OUT and is left so.
    """
    low, high = span
    first = np.full(queue[1], -1, np.int32)
    mask, inverse = queue[1] - 1, 1.0 / queue[0]
    alive, given, now = 0, 0, 0
    while alive > 0 or given < len(seed):
        if alive == 0:
            now = max(now, int(key[given] * inverse))
        while given < len(seed) and np.int64(key[given] * inverse) <= now:
            v, d = seed[given], key[given]
            if d < dist[v] or (d == dist[v] and owner[given] < own[v]):
                if after[v] != OUT:
                    leave(first, after, before, np.int64(dist[v] * inverse) & mask, v)
                    alive -= 1
                dist[v], own[v] = d, owner[given]
                enter(first, after, before, np.int64(d * inverse) & mask, v)
                alive += 1
            given += 1
        k = now & mask
        w = first[k]
        if w < 0:
            now += 1
            continue
        f = after[w]
        first[k] = f
        if f >= 0:
            before[f] = -1
        after[w] = OUT
        alive -= 1
        d, r = dist[w], own[w]
        for a in range(pointer[w], pointer[w + 1]):
            u = head[a]
            new, old = d + weight[a], dist[u]
            if new < old or (new == old and r < own[u]):
                if u < low or u >= high:
                    continue
                dist[u], own[u] = new, r
                k2 = np.int64(new * inverse) & mask
                if after[u] != OUT:
                    k1 = np.int64(old * inverse) & mask
                    if k1 == k2:
                        continue
                    leave(first, after, before, k1, u)
                    alive -= 1
                enter(first, after, before, k2, u)
                alive += 1


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _add_label(dist: F64, own: I32, fresh: NDArray[np.bool_], v: int, new: float, r: int) -> bool:
    """Put a label into the sorted labels of a node; one label per source. Returns whether it was needed."""
    k = dist.shape[1]
    last = k - 1
    for i in range(k):
        if own[v, i] == r:
            if dist[v, i] <= new:
                return False
            last = i
            break
    while last > 0 and (dist[v, last - 1] > new or (dist[v, last - 1] == new and own[v, last - 1] > r)):
        dist[v, last], own[v, last], fresh[v, last] = dist[v, last - 1], own[v, last - 1], fresh[v, last - 1]
        last -= 1
    dist[v, last], own[v, last], fresh[v, last] = new, r, True
    return True


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def k_nearest(
    pointer: U32, head: U32, weight: F64, seed: I64, key: F64, owner: I64, queue: tuple[float, int],
    dist: F64, own: I32,
) -> None:  # fmt: skip
    """Fill the k smallest times of every place and whose they are, shape (n, k), from seeds sorted by their key.

    ``dist`` must be infinite and ``own`` larger than any owner. A node stands in the bucket of its smallest label that
    was not yet handed on.
    """
    n, k = dist.shape
    first = np.full(queue[1], -1, np.int32)
    after, before = np.full(n, OUT, np.int32), np.full(n, -1, np.int32)
    fresh = np.zeros((n, k), np.bool_)
    bucket = np.zeros(n, np.int64)
    mask, inverse = queue[1] - 1, 1.0 / queue[0]
    alive, given, now = 0, 0, 0
    while alive > 0 or given < len(seed):
        if alive == 0:
            now = max(now, int(key[given] * inverse))
        while given < len(seed) and np.int64(key[given] * inverse) <= now:
            v = seed[given]
            d, r = key[given], owner[given]
            if (d < dist[v, k - 1] or (d == dist[v, k - 1] and r < own[v, k - 1])) and _add_label(
                dist, own, fresh, v, d, r
            ):
                if after[v] != OUT and bucket[v] > now:
                    leave(first, after, before, bucket[v] & mask, v)
                    alive -= 1
                if after[v] == OUT:
                    bucket[v] = now
                    enter(first, after, before, now & mask, v)
                    alive += 1
            given += 1
        w = first[now & mask]
        if w < 0:
            now += 1
            continue
        leave(first, after, before, now & mask, w)
        alive -= 1
        later = np.int64(-1)
        for i in range(k):
            if not fresh[w, i]:
                continue
            d, r = dist[w, i], own[w, i]
            b = np.int64(d * inverse)
            if b > now:
                later = b
                break
            fresh[w, i] = False
            for a in range(pointer[w], pointer[w + 1]):
                u, new = head[a], d + weight[a]
                if new < dist[u, k - 1] or (new == dist[u, k - 1] and r < own[u, k - 1] and new < np.inf):
                    if not _add_label(dist, own, fresh, u, new, r):
                        continue
                    b2 = np.int64(new * inverse)
                    if after[u] != OUT:
                        if bucket[u] <= b2:
                            continue
                        leave(first, after, before, bucket[u] & mask, u)
                        alive -= 1
                    bucket[u] = b2
                    enter(first, after, before, b2 & mask, u)
                    alive += 1
        if later >= 0:
            bucket[w] = later
            enter(first, after, before, later & mask, w)
            alive += 1


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def bounded(
    pointer: U32, head: U32, weight: F64, node: I64, offset: F64, limit: float, queue: tuple[float, int],
    first: I32, dist: F64, after: I32, before: I32, touched: I32,
) -> int:  # fmt: skip
    """Search from one terminal up to a limit and return how many places were touched, listed in ``touched``.

    ``dist`` must be infinite, ``after`` full of OUT and ``first`` full of -1; the last two are left so.
    """
    mask, inverse = queue[1] - 1, 1.0 / queue[0]
    alive, count, now = 0, 0, np.int64(1) << 60
    for side in range(2):
        v, d = node[side], offset[side]
        if v >= 0 and d <= limit and d < dist[v]:
            if dist[v] == np.inf:
                touched[count] = v
                count += 1
            if after[v] != OUT:
                leave(first, after, before, np.int64(dist[v] * inverse) & mask, v)
                alive -= 1
            dist[v] = d
            enter(first, after, before, np.int64(d * inverse) & mask, v)
            alive += 1
            now = min(now, np.int64(d * inverse))
    while alive > 0:
        k = now & mask
        w = first[k]
        if w < 0:
            now += 1
            continue
        f = after[w]
        first[k] = f
        if f >= 0:
            before[f] = -1
        after[w] = OUT
        alive -= 1
        d = dist[w]
        for a in range(pointer[w], pointer[w + 1]):
            u, new = head[a], d + weight[a]
            old = dist[u]
            if new < old and new <= limit:
                dist[u] = new
                k2 = np.int64(new * inverse) & mask
                if old == np.inf:
                    touched[count] = u
                    count += 1
                elif after[u] != OUT:
                    k1 = np.int64(old * inverse) & mask
                    if k1 == k2:
                        continue
                    leave(first, after, before, k1, u)
                    alive -= 1
                enter(first, after, before, k2, u)
                alive += 1
    return count


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def reached(
    pointer: U32, head: U32, weight: F64, node: I64, offset: F64, limit: float, queue: tuple[float, int], capacity: int
) -> Any:
    """Return the places that are reached from every terminal within a limit: counts, places, times.

    Stops before the terminal whose places no longer fit into the capacity; the counts tell how far it came. A first
    terminal that doesn't fit gets the room it needs.
    """
    n = len(pointer) - 1
    first = np.full(queue[1], -1, np.int32)
    dist, touched = np.full(n, np.inf), np.empty(n, np.int32)
    after, before = np.full(n, OUT, np.int32), np.full(n, -1, np.int32)
    capacity = max(capacity, n)
    place, time = np.empty(capacity, np.int32), np.empty(capacity)
    counts = np.empty(len(node), np.int64)
    used, done = 0, 0
    for t in range(len(node)):
        count = bounded(pointer, head, weight, node[t], offset[t], limit, queue, first, dist, after, before, touched)
        fits = used + count <= capacity
        for i in range(count):
            v = touched[i]
            if fits:
                place[used + i], time[used + i] = v, dist[v]
            dist[v] = np.inf
        if not fits:
            break
        counts[t] = count
        used += count
        done += 1
    return counts[:done], place[:used], time[:used]


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def routes(
    pointer: U32, head: U32, weight: F64, length: F64, dist: F64, seed: I64, owner: I64, metres: F64, key: F64,
    slack: float, rank: I32, way: F64,
) -> None:  # fmt: skip
    """Fill the first source and, of the routes to it that are as quick to within a slack, the shortest, of every place.

    ``rank`` must be larger than any owner and ``way`` infinite. Only arcs on some quickest route count. A place may be
    looked at more than once where short arcs take less than the slack.
    """
    n = len(pointer) - 1
    line, waits = np.empty(n + 1, np.int32), np.zeros(n, np.bool_)
    start, stop = 0, 0
    for i in range(len(seed)):
        v = seed[i]
        if key[i] <= dist[v] + slack and (owner[i] < rank[v] or (owner[i] == rank[v] and metres[i] < way[v])):
            rank[v], way[v] = owner[i], metres[i]
            if not waits[v]:
                waits[v] = True
                line[stop] = v
                stop = stop + 1 if stop < n else 0
    while start != stop:
        w = line[start]
        start = start + 1 if start < n else 0
        waits[w] = False
        for a in range(pointer[w], pointer[w + 1]):
            u = head[a]
            if dist[w] + weight[a] > dist[u] + slack or weight[a] == np.inf:
                continue
            new = way[w] + length[a]
            if rank[w] < rank[u] or (rank[w] == rank[u] and new < way[u]):
                rank[u], way[u] = rank[w], new
                if not waits[u]:
                    waits[u] = True
                    line[stop] = u
                    stop = stop + 1 if stop < n else 0
