"""Compiled loops (numba) of cost distance: the search, the way back, who serves whom.

The queue is a 4-ary heap of 64-bit words: time as float32 in the upper half, cell in the lower half. Positive floats
sort like their bits, so one comparison does, and four children share half a cache line. Rounding the key to float32
only blurs the order in which cells are taken: a cell whose float64 time falls again is taken again, so that times are
the same as with exact keys, to the last bit. What is left of a cell in the queue after its time fell is skipped.

The way back is not stored in the search: a cell p is the one before u when time[p] + cost(p, u) == time[u] to the last
bit, which a second pass over the finished times finds.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numba
import numpy as np

__all__ = [
    "NOWHERE",
    "Block",
    "Ground",
    "Steps",
    "allocate",
    "before",
    "bicycle_speed",
    "enqueue",
    "links",
    "new_heap",
    "search",
    "slowed",
    "trace",
]

#: Move of a cell that has none: a source, or out of reach.
NOWHERE = 255
_LOW, _32 = np.uint64(0xFFFFFFFF), np.uint64(32)
_FIRST = 1 << 12
WALKING, BICYCLING = 0, 1
#: A cyclist with bicycle: weight, N; half frontal area x density of the air, kg/m; rolling resistance.
_WEIGHT, _AIR, _ROLLING = 9.8 * 95.0, 0.5 * 0.445 * (1.293 - 0.00426 * 20.0) * math.exp(-500.0 / 7000.0), 0.012


class Ground(NamedTuple):
    """Cells of a block, row by row: friction (s/m, NaN is a barrier), elevation (m) and mode, or None of both."""

    friction: Any
    height: Any
    mode: Any


class Steps(NamedTuple):
    """Moves of a block.

    ``offset``: to the neighbour, in cells row by row; ``length``: metres, by row of the grid, or one row for all;
    ``way``: how many cells are crossed, up to four offsets of them, two offsets of the cells beside a corner (0: may
    pass); ``barred``: whether these two count; ``share``: of the length in each end and in each cell crossed; ``far``:
    whether any is; ``how``: +1 to travel as the search goes, -1 against it, and what slopes are multiplied by for
    bicycles.
    """

    offset: Any
    rows: Any
    columns: Any
    length: Any
    way: Any
    barred: Any
    share: Any
    far: Any
    how: tuple[float, float]


class Block(NamedTuple):
    """A window of the grid: its shape, its first row in the grid (0 where rows are alike), and the part to fill."""

    rows: int
    columns: int
    first_row: int
    by_row: int
    top: int
    bottom: int
    left: int
    right: int
    reach: int


@numba.njit(cache=True, inline="always")  # type: ignore[untyped-decorator, unused-ignore]
def _key(time: Any) -> Any:
    """Return the bits of a time rounded to float32."""
    return np.uint64(np.float32(time).view(np.uint32))


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _doubled(items: Any) -> Any:
    """Return the items with as much room again."""
    more = np.empty(2 * len(items), items.dtype)
    more[: len(items)] = items
    return more


@numba.njit(cache=True, inline="always")  # type: ignore[untyped-decorator, unused-ignore]
def _push(heap: Any, n: Any, word: Any) -> Any:
    """Put a word into a heap of n words that has room for it."""
    at = n
    while at > 0:
        above = (at - 1) >> 2
        if heap[above] <= word:
            break
        heap[at] = heap[above]
        at = above
    heap[at] = word


@numba.njit(cache=True, inline="always")  # type: ignore[untyped-decorator, unused-ignore]
def _sink(heap: Any, n: Any) -> Any:
    """Move the word behind the last of n words to the top and let it sink."""
    word = heap[n]
    at = 0
    while True:
        child = 4 * at + 1
        if child >= n:
            break
        least, small = child, heap[child]
        last = min(child + 4, n)
        for other in range(child + 1, last):
            if heap[other] < small:
                least, small = other, heap[other]
        if word <= small:
            break
        heap[at] = small
        at = least
    heap[at] = word


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def bicycle_speed(flat: Any, slope: Any) -> Any:
    """Return the speed (m/s) at a slope of the power that gives ``flat`` on the flat; at most twice that.

    The root of a v^3 + w (slope + r) v = P, with a for air, w for weight and r for rolling resistance.
    """
    power = flat * (_AIR * flat * flat + _WEIGHT * _ROLLING)
    pull = _WEIGHT * (slope + _ROLLING)
    v = 2.0 * flat
    if v * (_AIR * v * v + pull) <= power:
        return v
    for _ in range(60):  # from above: the cubic is convex there, so that Newton's steps only fall
        less = v - (v * (_AIR * v * v + pull) - power) / (3.0 * _AIR * v * v + pull)
        if not less < v:
            break
        v = less
    return v


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def slowed(friction: Any, mode: Any, slope: Any, bicycle: Any) -> Any:
    """Return seconds per metre at a slope (rise over run along the travel) for a friction on the flat."""
    if mode == WALKING:
        return friction * math.exp(3.5 * abs(slope + 0.05) - 0.175)
    if mode == BICYCLING:
        return 1.0 / bicycle_speed(1.0 / friction, slope * bicycle)
    return friction


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _between(friction: Any, height: Any, mode: Any, how: Any, length: Any, u: Any, v: Any) -> Any:
    """Return the seconds from u to its neighbour v: half in each cell; NaN where either is a barrier."""
    if height is None:
        return 0.5 * length * (np.float64(friction[u]) + np.float64(friction[v]))
    slope = how[0] * (height[v] - height[u]) / length
    here, there = np.float64(friction[u]), np.float64(friction[v])
    return 0.5 * length * (
        slowed(here, mode[u], slope, how[1]) + slowed(there, mode[v], slope, how[1])
    )  # fmt: skip


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _across(friction: Any, height: Any, mode: Any, how: Any, length: Any, u: Any, v: Any, way: Any, share: Any) -> Any:
    """Return the seconds of a longer move: each cell by its share of the line; NaN where one is a barrier."""
    if height is None:
        total = share[0] * (np.float64(friction[u]) + np.float64(friction[v]))
        for i in range(1, 1 + way[0]):
            total += share[i] * np.float64(friction[u + way[i]])
        return length * total
    slope = how[0] * (height[v] - height[u]) / length
    here, there = np.float64(friction[u]), np.float64(friction[v])
    total = share[0] * (slowed(here, mode[u], slope, how[1]) + slowed(there, mode[v], slope, how[1]))
    for i in range(1, 1 + way[0]):
        w = u + way[i]
        total += share[i] * slowed(np.float64(friction[w]), mode[w], slope, how[1])
    return length * total


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _cost(ground: Any, steps: Any, length: Any, u: Any, v: Any, k: Any) -> Any:
    """Return the seconds of move k from u to its neighbour v; NaN where a barrier is in the way."""
    if steps.far[k]:
        return _across(
            ground.friction, ground.height, ground.mode, steps.how, length, u, v, steps.way[k], steps.share[k]
        )
    return _between(ground.friction, ground.height, ground.mode, steps.how, length, u, v)


@numba.njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]
def _free(friction: Any, way: Any, u: Any) -> Any:
    """Tell whether a move from u doesn't slip between two barriers that touch at a corner."""
    return not (np.isnan(friction[u + way[5]]) and np.isnan(friction[u + way[6]]))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def search(ground: Any, steps: Any, block: Any, time: Any, limit: float, queue: Any, reached: Any) -> Any:
    """Spread times from the queue over the block; returns the heap, and how many cells were reached.

    ``time`` is infinite where nothing is known. Times beyond ``limit`` are not set. ``queue`` is (heap, how many are
    in it): ``enqueue`` makes one. ``reached`` takes the cells that
    got their first time, those enqueued not among them; it has room for all cells, or for none when nobody wants them.
    """
    heap, n = queue
    count, kept = 0, len(reached) > 0
    moves, columns = len(steps.offset), block.columns
    offset, table, barred = steps.offset, steps.length, steps.barred
    friction, height, mode = ground.friction, ground.height, ground.mode
    how, way, share, far = steps.how, steps.way, steps.share, steps.far
    top, bottom = block.top + block.reach, block.bottom - block.reach
    left, right = block.left + block.reach, block.right - block.reach
    while n > 0:
        word = heap[0]
        n -= 1
        _sink(heap, n)
        u = np.int64(word & _LOW)
        d = time[u]
        if (word >> _32) != _key(d):
            continue
        r = u // columns
        c = u - r * columns
        deep = top <= r < bottom and left <= c < right
        row = (block.first_row + r) * block.by_row
        if n + moves >= len(heap):
            heap = _doubled(heap)
        for k in range(moves):
            if not deep:
                to_r, to_c = r + steps.rows[k], c + steps.columns[k]
                if to_r < block.top or to_r >= block.bottom or to_c < block.left or to_c >= block.right:
                    continue
            v = u + offset[k]
            known = time[v]
            if known <= d:
                continue
            if far[k]:  # as _cost does; its bundles passed on here would make the search twice as slow
                new = d + _across(friction, height, mode, how, table[row, k], u, v, way[k], share[k])
            else:
                new = d + _between(friction, height, mode, how, table[row, k], u, v)
            if new < known and new <= limit:
                if barred[k] and not _free(friction, way[k], u):
                    continue
                if kept and known == np.inf:
                    reached[count] = v
                    count += 1
                time[v] = new
                _push(heap, n, (_key(new) << _32) | np.uint64(v))
                n += 1
    return heap, count


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def enqueue(heap: Any, time: Any, seeds: Any) -> Any:
    """Return a queue of cells whose times are set, in place of what was in the heap."""
    while len(heap) <= len(seeds):
        heap = _doubled(heap)
    n = 0
    for u in seeds:
        _push(heap, n, (_key(time[u]) << _32) | np.uint64(u))
        n += 1
    return heap, n


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def before(ground: Any, steps: Any, block: Any, time: Any, u: Any) -> Any:
    """Return the move by which the quickest way comes to u; NOWHERE at sources and out of reach."""
    d = time[u]
    if not 0.0 < d < np.inf:
        return NOWHERE
    columns = block.columns
    r = u // columns
    c = u - r * columns
    for k in range(len(steps.offset)):
        from_r, from_c = r - steps.rows[k], c - steps.columns[k]
        if from_r < 0 or from_r >= block.rows or from_c < 0 or from_c >= columns:
            continue
        p = u - steps.offset[k]
        if not time[p] < d:
            continue
        row = (block.first_row + from_r) * block.by_row
        seconds = _cost(ground, steps, steps.length[row, k], p, u, k)
        if time[p] + seconds == d and (not steps.barred[k] or _free(ground.friction, steps.way[k], p)):
            return k
    return NOWHERE


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def links(ground: Any, steps: Any, block: Any, time: Any, out: Any) -> None:
    """Fill in, for the part of the block, the moves by which the quickest ways arrive."""
    for r in range(block.top, block.bottom):
        for c in range(block.left, block.right):
            u = r * block.columns + c
            out[u] = before(ground, steps, block, time, u)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def allocate(link: Any, offset: Any, label: Any) -> Any:
    """Give every cell the label (from 0) of where its way begins; cells without stay -1. Returns how many got one."""
    got = 0
    for start in range(len(label)):
        u, length = start, 0
        while label[u] < 0 and link[u] != NOWHERE:
            u -= offset[link[u]]
            length += 1
        found = label[u]
        if found < 0:
            continue
        u = start
        while label[u] < 0:
            label[u] = found
            u -= offset[link[u]]
            got += 1
    return got


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def trace(ground: Any, steps: Any, block: Any, time: Any, start: int) -> Any:
    """Return the cells of the way from ``start`` back to where it begins, and its metres."""
    way = np.empty(64, np.int64)
    way[0] = start
    n, metres, u = 1, 0.0, start
    while True:
        k = before(ground, steps, block, time, u)
        if k == NOWHERE:
            return way[:n], metres
        u -= steps.offset[k]
        metres += steps.length[(block.first_row + u // block.columns) * block.by_row, k]
        if n == len(way):
            way = _doubled(way)
        way[n] = u
        n += 1


def new_heap() -> Any:
    """Return a heap with room for a few thousand cells; it grows."""
    return np.empty(_FIRST, np.uint64)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def within(
    ground: Any, steps: Any, block: Any, time: Any, start: int, limit: float, heap: Any, reached: Any
) -> Any:  # fmt: skip
    """Return the cells within the limit of one cell, itself first, and their times; the heap, which may have grown.

    ``time`` is infinite everywhere and is so again afterwards: only the cells reached are touched.
    """
    time[start] = 0.0
    heap, n = enqueue(heap, time, np.full(1, start, np.int64))
    heap, n = search(ground, steps, block, time, limit, (heap, n), reached)
    cells, seconds = np.empty(n + 1, np.int64), np.empty(n + 1)
    cells[0], seconds[0] = start, 0.0
    time[start] = np.inf
    for i in range(n):
        cells[i + 1] = reached[i]
        seconds[i + 1] = time[reached[i]]
        time[reached[i]] = np.inf
    return cells, seconds, heap


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def covered(ground: Any, steps: Any, block: Any, starts: Any, limit: float, weight: Any) -> Any:
    """Return the sum of the weights within the limit of each cell."""
    time, reached = np.full(block.rows * block.columns, np.inf), np.empty(block.rows * block.columns, np.int64)
    heap, out = np.empty(_FIRST, np.uint64), np.empty(len(starts))
    for s in range(len(starts)):
        start = starts[s]
        time[start] = 0.0
        heap, n = enqueue(heap, time, starts[s : s + 1])
        heap, n = search(ground, steps, block, time, limit, (heap, n), reached)
        total = weight[start]
        time[start] = np.inf
        for i in range(n):
            total += weight[reached[i]]
            time[reached[i]] = np.inf
        out[s] = total
    return out


class Roads(NamedTuple):
    """Arcs of a network (CSR), the cell of every node (-1: none), the first node of every cell, and the next one of it.

    ``leg`` is the metres from a node to its cell, by row of the grid, or one for all.
    """

    indptr: Any
    head: Any
    seconds: Any
    cell: Any
    first: Any
    following: Any
    leg: Any


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def search_with_roads(
    ground: Any, steps: Any, block: Any, roads: Any, time: Any, label: Any, by_road: Any, limit: float, queue: Any
) -> None:
    """Spread times, labels and whether a road was used over cells and, numbered behind them, nodes of a network."""
    heap, n = queue
    columns, size = block.columns, block.rows * block.columns
    most = len(steps.offset)
    while n > 0:
        word = heap[0]
        n -= 1
        _sink(heap, n)
        u = np.int64(word & _LOW)
        d = time[u]
        if (word >> _32) != _key(d):
            continue
        if u >= size:
            node = u - size
            cell = roads.cell[node]
            arcs = roads.indptr[node + 1] - roads.indptr[node]
            while n + arcs + 1 >= len(heap):
                heap = _doubled(heap)
            for a in range(arcs + 1):
                if a < arcs:
                    v = size + roads.head[roads.indptr[node] + a]
                    new = d + roads.seconds[roads.indptr[node] + a]
                elif cell >= 0:
                    v = cell
                    new = d + roads.leg[(cell // columns) * block.by_row] * ground.friction[cell]
                else:
                    continue
                if new < time[v] and new <= limit:
                    time[v], label[v] = new, label[u]
                    by_road[v] = 1 if a < arcs else by_road[u]
                    _push(heap, n, (_key(new) << _32) | np.uint64(v))
                    n += 1
            continue
        r = u // columns
        c = u - r * columns
        row = r * block.by_row
        while n + most >= len(heap):
            heap = _doubled(heap)
        for k in range(most):
            to_r, to_c = r + steps.rows[k], c + steps.columns[k]
            if to_r < 0 or to_r >= block.rows or to_c < 0 or to_c >= columns:
                continue
            v = u + steps.offset[k]
            if time[v] <= d:
                continue
            new = d + _cost(ground, steps, steps.length[row, k], u, v, k)
            if new < time[v] and new <= limit:
                if steps.barred[k] and not _free(ground.friction, steps.way[k], u):
                    continue
                time[v], label[v], by_road[v] = new, label[u], by_road[u]
                _push(heap, n, (_key(new) << _32) | np.uint64(v))
                n += 1
        node = roads.first[u]
        while node >= 0:
            v = size + node
            new = d + roads.leg[row] * ground.friction[u]
            if new < time[v] and new <= limit:
                if n + 1 >= len(heap):
                    heap = _doubled(heap)
                time[v], label[v], by_road[v] = new, label[u], by_road[u]
                _push(heap, n, (_key(new) << _32) | np.uint64(v))
                n += 1
            node = roads.following[node]
