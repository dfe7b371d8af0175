"""Compiled loops (numba): one pass per draw, no memory for draws, streams of random numbers keyed by seed and number.

Every stream is splitmix64 started from the key and the number of the draw (or of the unit), so that it does not matter
which thread does what. Compiled once per installation and kept; the table look-up of ``permutation`` needs none of it.
Bounded numbers follow Lemire (2019), doi:10.1145/3230636, rejection included: no bias.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]

__all__ = ["coloured", "extremes", "independent", "linear", "quadratic"]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_A, _B = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S32 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
_SEEN = 4095


@numba.njit(cache=True, inline="always")  # type: ignore[untyped-decorator, unused-ignore]
def _mix(s: Any) -> Any:
    s = (s ^ (s >> _S30)) * _A
    s = (s ^ (s >> _S27)) * _B
    return s ^ (s >> _S31)


@numba.njit(cache=True, inline="always")  # type: ignore[untyped-decorator, unused-ignore]
def _start(key: Any, number: Any) -> Any:
    return _mix(key ^ _mix(np.uint64(number) * _GOLDEN + _GOLDEN))


@numba.njit(cache=True, inline="always")  # type: ignore[untyped-decorator, unused-ignore]
def _below(state: Any, bound: Any) -> Any:
    """Return the next state and a number below ``bound`` (< 2^32)."""
    wide = np.uint64(bound)
    state += _GOLDEN
    product = (_mix(state) >> _S32) * wide
    if (product & _LOW) < wide:
        least = (np.uint64(4294967296) - wide) % wide
        while (product & _LOW) < least:
            state += _GOLDEN
            product = (_mix(state) >> _S32) * wide
    return state, np.int64(product >> _S32)


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def quadratic(
    x: Floats, y: Floats, indptr: Whole, indices: Whole, data: Floats, own: Floats, key: Any, start: int, stop: int
) -> Floats:  # fmt: skip
    """Return sum w_ij x_i y_j + sum own_i x_i y_i of shuffled pairs (x, y), draws ``start`` to ``stop``.

    ``y`` may be empty for y = x, ``own`` for none.
    """
    n = len(x)
    out = np.empty(stop - start)
    a, b = np.empty(n), np.empty(len(y))
    two = len(y) > 0
    for draw in range(start, stop):
        state = _start(key, draw)
        a[:] = x
        b[:] = y
        for i in range(n - 1, 0, -1):
            state, j = _below(state, i + 1)
            a[i], a[j] = a[j], a[i]
            if two:
                b[i], b[j] = b[j], b[i]
        other = b if two else a
        total = 0.0
        for i in range(n):
            lag = 0.0
            for e in range(indptr[i], indptr[i + 1]):
                lag += data[e] * other[indices[e]]
            if len(own):
                lag += own[i] * other[i]
            total += a[i] * lag
        out[draw - start] = total
    return out


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def linear(x: Floats, ends: Floats, key: Any, start: int, stop: int) -> Floats:
    """Return sum ends_i x_i of the x that ``quadratic`` deals in the same draws."""
    n = len(x)
    out = np.empty(stop - start)
    a = np.empty(n)
    for draw in range(start, stop):
        state = _start(key, draw)
        a[:] = x
        for i in range(n - 1, 0, -1):
            state, j = _below(state, i + 1)
            a[i], a[j] = a[j], a[i]
        out[draw - start] = np.dot(a, ends)
    return out


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def coloured(
    colour: Whole, n_colours: int, indptr: Whole, indices: Whole, data: Floats, key: Any, start: int, stop: int
) -> Floats:
    """Return the weight of links from colour r to colour s of shuffled colours, shape (draws, colours, colours)."""
    n = len(colour)
    out = np.zeros((stop - start, n_colours, n_colours))
    a = np.empty(n, dtype=np.int64)
    for draw in range(start, stop):
        state = _start(key, draw)
        a[:] = colour
        for i in range(n - 1, 0, -1):
            state, j = _below(state, i + 1)
            a[i], a[j] = a[j], a[i]
        for i in range(n):
            for e in range(indptr[i], indptr[i + 1]):
                out[draw - start, a[i], a[indices[e]]] += data[e]
    return out


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def extremes(
    rows: Floats, columns: Floats, low: Floats, high: Floats, first: Whole, at: Whole, change: Floats
) -> Whole:
    """Count draws of ``rows @ columns`` at least ``low`` and at most ``high``, shape (2, units).

    Draw ``at[e]`` of unit i is first moved by ``change[e]``, for e from ``first[i]`` to ``first[i + 1]``.
    """
    size, width = rows.shape
    m = columns.shape[1]
    out = np.empty((2, size), dtype=np.int64)
    sums = np.empty(m)
    for i in range(size):
        sums[:] = 0.0
        whole = width - width % 4
        for c in range(0, whole, 4):  # four at a time: the sums are read and written a quarter as often
            w0, w1, w2, w3 = rows[i, c], rows[i, c + 1], rows[i, c + 2], rows[i, c + 3]
            for d in range(m):
                sums[d] += w0 * columns[c, d] + w1 * columns[c + 1, d] + w2 * columns[c + 2, d] + w3 * columns[c + 3, d]
        for c in range(whole, width):
            w = rows[i, c]
            for d in range(m):
                sums[d] += w * columns[c, d]
        for e in range(first[i], first[i + 1]):
            sums[at[e]] += change[e]
        greater, less = 0, 0
        bottom, top = low[i], high[i]
        for d in range(m):
            greater += sums[d] >= bottom
            less += sums[d] <= top
        out[0, i], out[1, i] = greater, less
    return out


@numba.njit(cache=True, inline="always")  # type: ignore[untyped-decorator, unused-ignore]
def _repeats(drawn: Whole, k: int) -> bool:
    """Return whether two of the first k numbers are the same."""
    found = False
    for c in range(1, k):
        for b in range(c):
            found |= drawn[b] == drawn[c]
    return found


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _few(state: Any, n: int, drawn: Whole, seen: Whole, turn: int) -> Any:
    """Draw different numbers below n into ``drawn``, all again when two are the same.

    ``seen`` keeps in which turn a number with the same low bits was drawn last: only then all are compared.
    """
    k = len(drawn)
    again = True
    while again:
        suspect = False
        for c in range(k):
            state, j = _below(state, n)
            drawn[c] = j
            suspect |= seen[j & _SEEN] == turn
            seen[j & _SEEN] = turn
        again = suspect and _repeats(drawn, k)
    return state


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def _many(state: Any, n: int, drawn: Whole, order: Whole) -> Any:
    """Draw different numbers below n into ``drawn`` by the start of a shuffle, whose steps are then taken back."""
    k = len(drawn)
    for c in range(k):
        state, j = _below(state, n - c)
        j += c
        order[c], order[j] = order[j], order[c]
        drawn[c] = j
    for c in range(k - 1, -1, -1):
        j, kept = drawn[c], order[c]
        order[c], order[j] = order[j], order[c]
        drawn[c] = kept
    return state


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def independent(
    values: Floats, coefficients: Floats, indptr: Whole, data: Floats, low: Floats, high: Floats, key: Any, m: int,
    start: int, stop: int,
) -> Whole:  # fmt: skip
    """Count extreme draws of units ``start`` to ``stop``, each with draws of its own, shape (2, units).

    A draw deals the values (n, f) of k other units to the links of unit i and adds up coefficient x weight x value.
    """
    n, width = values.shape
    out = np.zeros((2, stop - start), dtype=np.int64)
    order, room = np.arange(n - 1), np.empty(n, dtype=np.int64)
    seen = np.full(_SEEN + 1, -1, dtype=np.int64)
    column = values[:, 0].copy()
    for i in range(start, stop):
        state = _start(key, i)
        k = indptr[i + 1] - indptr[i]
        weight, drawn = data[indptr[i] : indptr[i + 1]], room[:k]
        few = k * k <= n - 1
        bottom, top = low[i], high[i]
        greater, less = 0, 0
        for draw in range(m):
            if few:
                state = _few(state, n - 1, drawn, seen, (i - start) * m + draw)
            else:
                state = _many(state, n - 1, drawn, order)
            total = 0.0
            for c in range(k):
                total += weight[c] * column[drawn[c] + (drawn[c] >= i)]
            total *= coefficients[i, 0]
            for f in range(1, width):
                more = 0.0
                for c in range(k):
                    more += weight[c] * values[drawn[c] + (drawn[c] >= i), f]
                total += coefficients[i, f] * more
            greater += total >= bottom
            less += total <= top
        out[0, i - start], out[1, i - start] = greater, less
    return out
