"""The inference engine: how many random re-arrangements are as extreme as what is observed.

Conditional permutation asks of every unit: if its own value stayed and the others were dealt at random, how often would
its neighbours' weighted sum be at least as large? The neighbours' values are then a draw of k out of the other n - 1
without replacement. Here k + 1 units are drawn out of all n, once for all units with k neighbours; a unit that finds
itself among the first k takes the (k + 1)-th in its own place. That is exactly "k of the others", for every unit. Where
the weights within rows are equal, the sums of the draws are sorted once and every unit looks up its place, so that the
cost is m k + n log m instead of n m k.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from kazgeo.errors import InputError
from kazgeo.progress import Progress, part, silent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kazgeo.weights import Weights

__all__ = ["Tails", "conditional_tails", "distinct_draws", "seed_of", "total_draws"]

#: Numbers held at once; decides memory, never results.
BLOCK = 4_000_000
#: Numbers of a tile of the product of weights and draws, so that it stays in the cache.
TILE = 200_000
#: Sums closer than this, relative to what was added, are ties: differences below it are rounding.
TIE = 1e-9


@dataclass(frozen=True, eq=False)
class Tails:
    """Draws at least as large and at least as small as observed; ties count on both sides; shape (n,)."""

    greater: NDArray[np.int64]
    less: NDArray[np.int64]


def seed_of(rng: int | np.random.Generator | None) -> int:
    """Return a seed that can be stored: the one given, one drawn from the generator, or a fresh one.

    Examples
    --------
    >>> seed_of(7)
    7
    >>> seed_of(np.random.default_rng(1)) == seed_of(np.random.default_rng(1))
    True
    >>> seed_of(-1)
    Traceback (most recent call last):
    kazgeo.errors.InputError: rng must be None, a whole number of at least 0 or a numpy Generator; got -1
    """
    if rng is None:
        return secrets.randbits(63)
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**63 - 1))
    if isinstance(rng, bool) or not isinstance(rng, (int, np.integer)) or rng < 0:
        raise InputError(f"rng must be None, a whole number of at least 0 or a numpy Generator; got {rng!r}")
    return int(rng)


def distinct_draws(rng: np.random.Generator, n: int, k: int, rows: int) -> NDArray[np.int64]:
    """Draw ``k`` different numbers below ``n``, in random order, ``rows`` times.

    A number that repeats an earlier one of its row is drawn anew until all differ. The rule treats all numbers
    alike, so every ordered row of different numbers has the same chance.

    Parameters
    ----------
    rng : Generator
        Source of randomness.
    n, k, rows : int
        k <= n.

    Returns
    -------
    int64 array, shape (rows, k)

    Examples
    --------
    >>> draws = distinct_draws(np.random.default_rng(0), 5, 5, 2)
    >>> np.sort(draws).tolist()
    [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4]]
    >>> distinct_draws(np.random.default_rng(0), 5, 2, 0).shape
    (0, 2)
    """
    if 2 * k > n:
        return rng.permuted(np.tile(np.arange(n), (rows, 1)), axis=1)[:, :k]
    draws = rng.integers(n, size=(rows, k))
    open_rows = np.arange(rows)
    while len(open_rows):
        some = draws[open_rows]
        order = np.argsort(some, axis=1, kind="stable")
        ranked = np.take_along_axis(some, order, axis=1)
        repeats = np.zeros(some.shape, dtype=bool)
        repeats[:, 1:] = ranked[:, 1:] == ranked[:, :-1]
        bad = repeats.any(axis=1)
        again = np.zeros((int(bad.sum()), k), dtype=bool)
        np.put_along_axis(again, order[bad], repeats[bad], axis=1)
        open_rows, some = open_rows[bad], some[bad]
        some[again] = rng.integers(n, size=int(again.sum()))
        draws[open_rows] = some
    return draws


def conditional_tails(
    values: NDArray[np.float64],
    weights: Weights,
    *,
    permutations: int,
    seed: int,
    progress: Progress = silent,
) -> Tails:
    """Count the conditional draws as extreme as the observed weighted sum of every unit's neighbours.

    Assumption: under the hypothesis every arrangement of the other units' values is equally likely, the unit's
    own value staying where it is.

    Parameters
    ----------
    values : float array, shape (n,)
        Standardised values (mean 0, spread 1: the tolerance for ties is set for that).
    weights : Weights
        In the order of ``values``, without self weights.
    permutations : int
        Draws m, shared by all units with the same number of neighbours.
    seed : int
        The draws depend on the seed, n and the number of neighbours only.
    progress : Progress
        Called between blocks.

    Returns
    -------
    Tails
        Isolates have m draws on both sides (p = 1); callers put NaN there.

    Notes
    -----
    Shared draws leave every unit's p-value right and make the NUMBER of significant units vary more with the seed
    than independent draws would; 9,999 draws and more bring that down.

    References
    ----------
    Anselin, L. (1995), doi:10.1111/j.1538-4632.1995.tb00338.x.

    Examples
    --------
    >>> from kazgeo.weights import Weights
    >>> w = Weights.from_pairs(range(6), [(0, 1), (1, 2), (3, 4)])
    >>> tails = conditional_tails(np.array([1.0, 1, 1, -1, -1, -1]), w, permutations=999, seed=1)
    >>> tails.greater[[3, 5]].tolist(), bool(280 < tails.greater[1] + 200 < 320)
    ([999, 999], True)
    """
    n, m = weights.n, permutations
    tails = Tails(np.full(n, m, dtype=np.int64), np.full(n, m, dtype=np.int64))
    equal = _equal_rows(weights)
    sizes = [int(k) for k in np.unique(weights.cardinalities) if k > 0]
    for step, k in enumerate(sizes):
        inner = part(progress, step / len(sizes), (step + 1) / len(sizes))
        inner(0.0, "permutations")
        units = np.flatnonzero(weights.cardinalities == k)
        for some, count in ((units[equal[units]], _count_equal), (units[~equal[units]], _count_any)):
            if len(some):
                draws = _Draws(n, k, m, seed)
                tails.greater[some], tails.less[some] = count(values, weights, some, draws, inner)
    progress(1.0, "permutations")
    return tails


@dataclass(frozen=True)
class _Draws:
    """The draws for units with k neighbours, in blocks of a size that depends on nothing but n and k."""

    n: int
    k: int
    m: int
    seed: int

    def blocks(self) -> Iterator[tuple[slice, NDArray[np.int64]]]:
        """Yield draw numbers and k + 1 different units for each, shape (block, k + 1)."""
        rng = np.random.default_rng([self.seed, self.k])
        width = self.k + 1
        rows = max(1, BLOCK // (self.n if 2 * width > self.n else width))
        for start in range(0, self.m, rows):
            stop = min(self.m, start + rows)
            yield slice(start, stop), distinct_draws(rng, self.n, width, stop - start)


def _equal_rows(weights: Weights) -> NDArray[np.bool_]:
    """Return which rows have one positive weight throughout."""
    out = np.zeros(weights.n, dtype=bool)
    filled = np.flatnonzero(weights.cardinalities > 0)
    if len(filled):
        starts = weights.indptr[filled]
        low, high = np.minimum.reduceat(weights.data, starts), np.maximum.reduceat(weights.data, starts)
        out[filled] = (low > 0) & (high - low <= 1e-12 * high)
    return out


def _rows(weights: Weights, units: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Return where the links of some units with k neighbours lie in the CSR arrays, shape (units, k)."""
    return weights.indptr[units][:, None] + np.arange(k)


def _count_equal(
    values: NDArray[np.float64], weights: Weights, units: NDArray[np.int64], draws: _Draws, progress: Progress
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count by one sorted table of draw sums; the few draws that hold the unit itself are put right one by one."""
    k, size = draws.k, len(units)
    observed = values[weights.indices[_rows(weights, units, k)]].sum(axis=1)
    low, high = observed - TIE * (k + np.abs(observed)), observed + TIE * (k + np.abs(observed))
    slot = np.full(draws.n, -1)
    slot[units] = np.arange(size)
    sums = np.empty(draws.m)
    greater, less = np.zeros(size), np.zeros(size)
    for rows, drawn in draws.blocks():
        x = values[drawn]
        total = x[:, :k].sum(axis=1)
        sums[rows] = total
        at, place = np.nonzero(slot[drawn[:, :k]] >= 0)
        unit = slot[drawn[at, place]]
        old = total[at]
        new = old - x[at, place] + x[at, k]
        greater += np.bincount(unit, (new >= low[unit]) * 1.0 - (old >= low[unit]), size)
        less += np.bincount(unit, (new <= high[unit]) * 1.0 - (old <= high[unit]), size)
        progress(0.9 * rows.stop / draws.m, "permutations")
    sums.sort()
    greater += draws.m - np.searchsorted(sums, low, side="left")
    less += np.searchsorted(sums, high, side="right")
    return np.rint(greater).astype(np.int64), np.rint(less).astype(np.int64)


def _count_any(
    values: NDArray[np.float64], weights: Weights, units: NDArray[np.int64], draws: _Draws, progress: Progress
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count for rows of unequal weights by a blocked product of weights and drawn values."""
    k, size = draws.k, len(units)
    links = _rows(weights, units, k)
    w = weights.data[links]
    observed = (w * values[weights.indices[links]]).sum(axis=1)
    tie = TIE * (np.abs(w).sum(axis=1) + np.abs(observed))
    low, high = (observed - tie)[:, None], (observed + tie)[:, None]
    slot = np.full(draws.n, -1)
    slot[units] = np.arange(size)
    greater, less = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    for rows, drawn in draws.blocks():
        x = values[drawn]
        columns = np.ascontiguousarray(x[:, :k].T)
        at, place = np.nonzero(slot[drawn[:, :k]] >= 0)
        unit = slot[drawn[at, place]]
        order = np.argsort(unit, kind="stable")
        at, place, unit = at[order], place[order], unit[order]
        swap = w[unit, place] * (x[at, k] - x[at, place])
        tall = max(1, TILE // len(drawn))
        done, share = rows.start / draws.m, len(drawn) / draws.m
        for start in range(0, size, tall):
            stop = min(size, start + tall)
            sums = w[start:stop] @ columns
            first, last = np.searchsorted(unit, [start, stop])
            sums[unit[first:last] - start, at[first:last]] += swap[first:last]
            greater[start:stop] += np.count_nonzero(sums >= low[start:stop], axis=1)
            less[start:stop] += np.count_nonzero(sums <= high[start:stop], axis=1)
            if start // tall % 64 == 0:
                progress(done + share * stop / size, "permutations")
    return greater, less


def total_draws(
    z: NDArray[np.float64], weights: Weights, *, permutations: int, seed: int, progress: Progress = silent,
    ends: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:  # fmt: skip
    """Return z'Wz of random re-arrangements of all values, or their weighted squared differences.

    Parameters
    ----------
    z : float array, shape (n,)
        Standardised values.
    weights : Weights
        In the order of ``z``, without self weights.
    permutations, seed, progress
        As in ``conditional_tails``.
    ends : float array, shape (n,), optional
        Row sum plus column sum of the weights: then sum w_ij (z_i - z_j)^2 is returned, for Geary's C.

    Returns
    -------
    float array, shape (permutations,)

    Examples
    --------
    >>> from kazgeo.weights import Weights
    >>> w = Weights.from_pairs(range(3), [(0, 1), (1, 2)])
    >>> np.unique(total_draws(np.array([1.0, 0.0, -1.0]), w, permutations=99, seed=0)).tolist()
    [-2.0, 0.0]
    """
    matrix = weights.matrix
    half = sp.csr_array(sp.triu(matrix + matrix.T, k=1))  # z'Wz by every pair once
    rng = np.random.default_rng([seed, 0])
    out = np.empty(permutations)
    rows = max(1, min(permutations, BLOCK // (2 * weights.n)))
    for start in range(0, permutations, rows):
        stop = min(permutations, start + rows)
        dealt = np.ascontiguousarray(rng.permuted(np.tile(z, (stop - start, 1)), axis=1).T)
        out[start:stop] = np.einsum("ij,ij->j", dealt, half @ dealt)
        if ends is not None:
            out[start:stop] = ends @ dealt**2 - 2 * out[start:stop]
        progress(stop / permutations, "permutations")
    return out
