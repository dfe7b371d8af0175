"""Compiled order of elimination of a road map: dead ends and chains first, then nested dissection of what remains.

Nodes of one or two neighbours are taken out first, neighbours never in one round: that adds at most one arc each, and
much of a road map goes. A piece of the rest is swept in four directions for the line across its middle that cuts the
fewest edges; in the best direction a flow between its two ends finds a cut of still fewer (inertial flow: Schild and
Sommer 2015, https://doi.org/10.1007/978-3-319-20086-6_22). The smaller of the two rows of nodes along the cut is the
separator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    F64 = NDArray[np.float64]
    I32 = NDArray[np.int32]
    U32 = NDArray[np.uint32]

__all__ = ["dissect", "peel"]

#: Pieces of this size are not cut further.
LEAF = 3
#: Least share of a piece on each side of a cut, and size from which flows are tried.
BALANCE, SMALL = 0.4, 16


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _replace(near: U32, start: int, size: int, old: int, new: int) -> int:
    """Put one neighbour in the place of another, or drop that one when the new is there or -1; return the size."""
    at, have = -1, new < 0
    for i in range(start, start + size):
        if near[i] == old:
            at = i
        elif near[i] == new:
            have = True
    if not have:
        near[at] = new
        return size
    near[at] = near[start + size - 1]
    return size - 1


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def peel(pointer: U32, head: U32) -> tuple[I32, int, I32, U32]:
    """Take out nodes of at most two neighbours, round by round.

    Returns the nodes, those taken out first, how many these are, and the numbers of neighbours and the neighbours of
    all nodes then.
    """
    n = len(pointer) - 1
    near, size = head.copy(), np.zeros(n, np.int32)
    for v in range(n):
        start, count = pointer[v], 0
        for a in range(start, pointer[v + 1]):
            new = True
            for b in range(start, start + count):
                new = new and near[b] != near[a]
            if new:
                near[start + count] = near[a]
                count += 1
        size[v] = count
    order, state, touched = np.empty(n, np.int32), np.zeros(n, np.int8), np.full(n, -1, np.int32)
    now, later = np.empty(n, np.int32), np.empty(n, np.int32)
    waiting, done, turn = 0, 0, 0
    for v in range(n):
        if size[v] <= 2:
            now[waiting] = v
            state[v] = 1
            waiting += 1
    while waiting:
        coming = 0
        for i in range(waiting):
            v = now[i]
            if touched[v] == turn:
                later[coming] = v
                coming += 1
                continue
            order[done] = v
            done += 1
            state[v] = 2
            start = pointer[v]
            for s in range(size[v]):
                u = near[start + s]
                other = np.int64(near[start + 1 - s]) if size[v] == 2 else np.int64(-1)
                size[u] = _replace(near, pointer[u], size[u], v, other)
                touched[u] = turn
                if size[u] <= 2 and state[u] == 0:
                    state[u] = 1
                    later[coming] = u
                    coming += 1
        now, later = later, now
        waiting = coming
        turn += 1
    left = done
    for v in range(n):
        if state[v] != 2:
            order[left] = v
            left += 1
    return order, done, size, near


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _sweep(pointer: U32, head: U32, label: I32, nodes: I32, least: int, spot: I32, step: I32) -> Any:
    """Return how many nodes lie before the line that cuts the fewest edges, and how many these are.

    ``nodes`` stand in the order of the sweep; lines with fewer than ``least`` nodes on one side are passed over.
    """
    size = len(nodes)
    for i in range(size):
        spot[nodes[i]] = i
        step[i] = 0
    here = label[nodes[0]]
    for i in range(size):
        v = nodes[i]
        for a in range(pointer[v], pointer[v + 1]):
            u = head[a]
            if label[u] == here and spot[u] > i:
                step[i] += 1
                step[spot[u]] -= 1
    cut, best, at = 0, 0, size // 2
    score = np.inf
    for i in range(size - least):
        cut += step[i]
        if i + 1 >= least:
            balance = min(i + 1, size - i - 1) / size
            s = (cut + 0.5) / np.sqrt(balance)
            if s < score:
                score, best, at = s, cut, i + 1
    return at, best


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _levels(
    pointer: U32, head: U32, label: I32, border: I32, goal: NDArray[np.int8], flow: NDArray[np.int8], level: I32,
    line: I32, sign: int,
) -> tuple[int, bool]:  # fmt: skip
    """Set the levels of nodes, by arcs with room left from the border; return how many have one, and if any is across.

    ``goal`` is 1 for sources and 2 for sinks; with ``sign`` -1 the search runs from the sinks against the flow.
    """
    here = label[border[0]]
    count, found, last = 0, False, np.int64(1) << 40
    own, other = (1, 2) if sign > 0 else (2, 1)
    for v in border:
        level[v] = 0
        line[count] = v
        count += 1
    i = 0
    while i < count:
        v = line[i]
        i += 1
        if level[v] >= last:
            break
        for a in range(pointer[v], pointer[v + 1]):
            u = head[a]
            if label[u] != here or level[u] >= 0 or goal[u] == own or sign * flow[a] >= 1:
                continue
            level[u] = level[v] + 1
            if goal[u] == other:
                found, last = True, level[u]
            line[count] = u
            count += 1
    return count, found


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _push(
    pointer: U32, head: U32, twin: U32, label: I32, border: I32, goal: NDArray[np.int8], flow: NDArray[np.int8],
    level: I32, turn: U32, path: U32,
) -> int:  # fmt: skip
    """Send as much along the levels as goes, one unit a path, and return how much that was."""
    sent = 0
    here = label[border[0]]
    for root in border:
        v, steps = np.int64(root), 0
        while True:
            if goal[v] == 2:
                for s in range(steps):
                    flow[path[s]] += 1
                    flow[twin[path[s]]] -= 1
                sent += 1
                v, steps = np.int64(root), 0
            a = turn[v]
            moved = False
            while a < pointer[v + 1]:
                u = head[a]
                if label[u] == here and level[u] == level[v] + 1 and flow[a] < 1:
                    moved = True
                    break
                a += 1
            turn[v] = a
            if moved:
                path[steps] = a
                steps += 1
                v = np.int64(head[a])
            elif steps:
                steps -= 1
                back = path[steps]
                v = np.int64(head[twin[back]])
                turn[v] += 1
            else:
                break
    return sent


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _border(pointer: U32, head: U32, label: I32, nodes: I32, goal: NDArray[np.int8], own: int) -> I32:
    """Return the sources (or sinks) that have a neighbour which is none."""
    out = np.empty(len(nodes), np.int32)
    count = 0
    here = label[nodes[0]]
    for v in nodes:
        for a in range(pointer[v], pointer[v + 1]):
            if label[head[a]] == here and goal[head[a]] != own:
                out[count] = v
                count += 1
                break
    return out[:count]


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _flow_cut(
    pointer: U32, head: U32, twin: U32, label: I32, nodes: I32, least: int, most: int, goal: NDArray[np.int8],
    flow: NDArray[np.int8], level: I32, turn: U32, path: U32, line: I32, side: NDArray[np.int8],
) -> int:  # fmt: skip
    """Cut between the first and last ``least`` nodes through the fewest edges, unless more than ``most``.

    By blocking flows (Dinitz 1970). Returns the number of edges cut, or -1; ``side`` is then 0 before and 1 behind.
    """
    size = len(nodes)
    for i in range(size):
        v = nodes[i]
        goal[v] = 1 if i < least else (2 if i >= size - least else 0)
        level[v] = -1
        for a in range(pointer[v], pointer[v + 1]):
            flow[a] = 0
    sources = _border(pointer, head, label, nodes[:least], goal, 1)
    sinks = _border(pointer, head, label, nodes[size - least :], goal, 2)
    if len(sources) == 0 or len(sinks) == 0:
        return -1
    total = 0
    while True:
        count, found = _levels(pointer, head, label, sources, goal, flow, level, line, 1)
        if not found:
            break
        for i in range(count):
            turn[line[i]] = pointer[line[i]]
        total += _push(pointer, head, twin, label, sources, goal, flow, level, turn, path)
        for i in range(count):
            level[line[i]] = -1
        if total > most:
            return -1
    before = least - len(sources) + count
    for i in range(size):
        side[nodes[i]] = 0 if level[nodes[i]] >= 0 or i < least else 1
    for i in range(count):
        level[line[i]] = -1
    count, found = _levels(pointer, head, label, sinks, goal, flow, level, line, -1)
    behind = least - len(sinks) + count
    if abs(size - 2 * behind) < abs(size - 2 * before):
        for i in range(size):
            side[nodes[i]] = 1 if level[nodes[i]] >= 0 or i >= size - least else 0
    for i in range(count):
        level[line[i]] = -1
    return total


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _separator(pointer: U32, head: U32, label: I32, nodes: I32, side: NDArray[np.int8]) -> int:
    """Mark the smaller row of nodes along the cut as the separator (2) and return its size."""
    here = label[nodes[0]]
    rows = np.zeros(2, np.int64)
    for v in nodes:
        for a in range(pointer[v], pointer[v + 1]):
            u = head[a]
            if label[u] == here and side[u] != side[v]:
                rows[side[v]] += 1
                break
    count = 0
    chosen = 0 if rows[0] <= rows[1] else 1
    for v in nodes:
        if side[v] != chosen:
            continue
        for a in range(pointer[v], pointer[v + 1]):
            u = head[a]
            if label[u] == here and side[u] == 1 - chosen:
                side[v] = 2
                count += 1
                break
    return count


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def dissect(pointer: U32, head: U32, twin: U32, sorted_nodes: I32, flows: int) -> I32:
    """Return the nodes in the order of elimination.

    Parameters
    ----------
    pointer, head, twin
        Arcs, each edge both ways, and the arc that runs back.
    sorted_nodes : int32 array, shape (directions, n)
        Nodes in the order of every sweep; used up.
    flows : int
        In how many of the directions, the best of the sweep, the fewest edges are looked for by flows.
    """
    ways, n = sorted_nodes.shape
    order = np.empty(n, np.int32)
    label, spot, step = np.zeros(n, np.int32), np.zeros(n, np.int32), np.zeros(n, np.int32)
    side, other, spare = np.zeros(n, np.int8), np.zeros(n, np.int8), np.empty(n, np.int32)
    goal, level, line = np.zeros(n, np.int8), np.full(n, -1, np.int32), np.empty(n, np.int32)
    turn, path, flow = np.zeros(n, np.uint32), np.empty(n, np.uint32), np.zeros(len(head), np.int8)
    score, at = np.empty(ways), np.empty(ways, np.int64)
    todo = np.empty((256, 2), np.int64)
    todo[0, 0], todo[0, 1] = 0, n
    depth, labels = 1, 0
    while depth:
        depth -= 1
        low, high = todo[depth]
        size = high - low
        if size <= LEAF:
            for i in range(size):
                order[low + i] = sorted_nodes[0, low + i]
            continue
        least = max(1, int(size * BALANCE))
        for way in range(ways):
            at[way], cut = _sweep(pointer, head, label, sorted_nodes[way, low:high], least, spot, step)
            score[way] = (cut + 0.5) / np.sqrt(min(at[way], size - at[way]) / size)
        ranked = np.argsort(score)
        best = score[ranked[0]]
        nodes = sorted_nodes[ranked[0], low:high]
        for i in range(size):
            side[nodes[i]] = 0 if i < at[ranked[0]] else 1
        for way in ranked[: flows if size >= SMALL else 0]:
            cut = _flow_cut(pointer, head, twin, label, sorted_nodes[way, low:high], least, int(best) + 1, goal, flow,
                            level, turn, path, line, other)  # fmt: skip
            if cut < 0:
                continue
            before = 0
            for i in range(low, high):
                before += 1 - other[nodes[i - low]]
            s = (cut + 0.5) / np.sqrt(min(before, size - before) / size)
            if s < best:
                best = s
                for v in nodes:
                    side[v] = other[v]
        count = _separator(pointer, head, label, nodes, side)
        labels += 2
        first = 0
        for v in nodes:
            if side[v] == 0:
                first += 1
        middle, end = low + first, high - count
        for way in range(ways):
            p, q, r = low, 0, end
            for i in range(low, high):
                v = sorted_nodes[way, i]
                if side[v] == 0:
                    sorted_nodes[way, p] = v
                    p += 1
                elif side[v] == 1:
                    spare[q] = v
                    q += 1
                elif way == 0:
                    order[r] = v
                    r += 1
            for i in range(q):
                sorted_nodes[way, middle + i] = spare[i]
        for i in range(low, end):
            v = sorted_nodes[0, i]
            label[v] = labels + side[v]
        for i in range(end, high):
            label[order[i]] = -1
        if end > middle:
            todo[depth, 0], todo[depth, 1] = middle, end
            depth += 1
        if middle > low:
            todo[depth, 0], todo[depth, 1] = low, middle
            depth += 1
    return order
