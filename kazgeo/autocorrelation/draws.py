"""Random draws that can be had again: seeds, rows of different numbers, and the draws that units share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SharedDraws", "distinct_draws", "stream_key"]

#: Numbers held at once; decides memory, never results.
BLOCK = 4_000_000
#: Comparisons below which all pairs of a row are quicker compared than sorted.
SMALL = 100_000


def stream_key(seed: int) -> np.uint64:
    """Return 64 well mixed bits of a seed of any size, from which the streams of the kernels start.

    Examples
    --------
    >>> len({int(stream_key(seed)) for seed in (1, 2, 10**30, 1)})
    3
    """
    return np.uint64(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0])


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
    open_rows = _with_repeats(draws)
    while len(open_rows):
        some = draws[open_rows]
        again = _repeats(some)
        some[again] = rng.integers(n, size=int(again.sum()))
        draws[open_rows] = some
        open_rows = open_rows[_with_repeats(some)]
    return draws


def _with_repeats(draws: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rows in which a number comes twice."""
    width = draws.shape[1] - 1
    if width < 1:
        return np.empty(0, dtype=np.int64)
    ranked = np.sort(draws, axis=1)
    twice = np.flatnonzero(ranked[:, 1:] == ranked[:, :-1])
    return np.unique(twice // width) if len(twice) else twice


def _repeats(some: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which numbers repeat an earlier one of their row."""
    rows, k = some.shape
    if rows * k * k < SMALL:  # all pairs: fewer steps
        earlier = np.tri(k, k, -1, dtype=bool)
        return np.asarray(((some[:, :, None] == some[:, None, :]) & earlier).any(axis=2))
    order = np.argsort(some, axis=1, kind="stable")
    ranked = np.take_along_axis(some, order, axis=1)
    repeats = np.zeros(some.shape, dtype=bool)
    repeats[:, 1:] = ranked[:, 1:] == ranked[:, :-1]
    again = np.zeros(some.shape, dtype=bool)
    np.put_along_axis(again, order, repeats, axis=1)
    return again


@dataclass(frozen=True)
class SharedDraws:
    """The draws for all units with k neighbours, in blocks of a size that depends on nothing but n and k.

    Parameters
    ----------
    n, k : int
        Units, and neighbours of each; k < n.
    m : int
        Number of draws.
    seed : int
        The draws depend on it, n and k only.

    Examples
    --------
    >>> [(rows, drawn.shape) for rows, drawn in SharedDraws(5, 2, 3, seed=0).blocks()]
    [(slice(0, 3, None), (3, 3))]
    """

    n: int
    k: int
    m: int
    seed: int

    @property
    def _rows(self) -> int:
        width = self.k + 1
        return max(1, BLOCK // (self.n if 2 * width > self.n else width))

    @property
    def n_blocks(self) -> int:
        """Number of blocks; each has a stream of its own, so that they can be drawn in any order and place."""
        return -(-self.m // self._rows)

    def block(self, number: int) -> tuple[slice, NDArray[np.int64]]:
        """Return numbers of draws of a block and k + 1 different units for each, shape (block, k + 1)."""
        start = number * self._rows
        stop = min(self.m, start + self._rows)
        rng = np.random.default_rng([self.seed, self.k, number])
        return slice(start, stop), distinct_draws(rng, self.n, self.k + 1, stop - start)

    def blocks(self) -> Iterator[tuple[slice, NDArray[np.int64]]]:
        """Yield all blocks."""
        return (self.block(number) for number in range(self.n_blocks))
