"""Conditional permutation: how many random re-arrangements around a unit are as extreme as what is observed.

The question asked of every unit: if its own value stayed and the others were dealt at random, how often would its
neighbours' weighted sum be at least as large? The neighbours' values are then a draw of k out of the other n - 1
without replacement. Here k + 1 units are drawn out of all n, once for all units with k neighbours; a unit that finds
itself among the first k takes the (k + 1)-th in its own place. That is exactly "k of the others", for every unit. Where
the weights within rows are equal, the sums of the draws are sorted once and every unit looks up its place, so that the
cost is m k + n log m instead of n m k.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kazgeo.autocorrelation.draws import SharedDraws, distinct_draws, stream_key
from kazgeo.choices import Draws
from kazgeo.parallel import Here, pieces, run
from kazgeo.progress import Progress, silent
from kazgeo.progress import part as stretch
from kazgeo.seeds import seed_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kazgeo.weights import Weights

__all__ = ["Tails", "conditional_sums", "conditional_tails", "distinct_draws", "parts_of_sums", "seed_of"]

#: Sums closer than this, relative to what was added, are ties: differences below it are rounding.
TIE = 1e-9
#: What progress says.
WORD = "permutations"
#: Units looked up in one piece of work.
UNITS = 50_000
#: Sums compared one by one in one piece of work, and units at least. Pieces decide speed, never results.
NUMBERS = 8_000_000
FEWEST = 200
#: Cells of the look-up's grid for every draw.
GRID = 16
#: Numbers drawn, and units looked up, below which threads cost more than they save.
FEW_DRAWN, FEW_UNITS = 500_000, 300_000


@dataclass(frozen=True, eq=False)
class Tails:
    """Draws at least as large and at least as small as observed; ties count on both sides; shape (n,)."""

    greater: NDArray[np.int64]
    less: NDArray[np.int64]


class _Part(NamedTuple):
    """Some units with k neighbours each, as arrays that can be sent to a worker.

    values (n, f); units (u,) positions; weights (u, k), or (u, 0) where the weights of a row are equal and so don't
    matter; factors (u, f); low, high (u,): from where on a draw counts as at least, and as at most, what is observed.
    """

    k: int
    values: NDArray[np.float64]
    units: NDArray[np.int64]
    weights: NDArray[np.float64]
    factors: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @property
    def table(self) -> bool:
        """Whether draws are compared by one number each, so that they can be sorted."""
        return not self.weights.shape[1] and self.values.shape[1] == 1

    def own_draws(self, drawn: NDArray[np.int64], slot: NDArray[np.int64]) -> _Own:
        """Return where units drew themselves; ``slot`` is the number of every unit within the part, else -1."""
        at, place = np.nonzero(slot[drawn[:, : self.k]] >= 0)
        unit = slot[drawn[at, place]]
        moved = self.values[drawn[at, self.k]] - self.values[drawn[at, place]]
        change = (self.factors[unit] * moved).sum(axis=1)
        if self.weights.shape[1]:
            change *= self.weights[unit, place]
        return _Own(unit, at, change)

    def slots(self) -> NDArray[np.int64]:
        """Return the number of every unit within the part, -1 for others."""
        slot = np.full(len(self.values), -1)
        slot[self.units] = np.arange(len(self.units))
        return slot


class _Own(NamedTuple):
    """Draws in which a unit drew itself: the unit, the draw, and by how much the sum changes."""

    unit: NDArray[np.int64]
    at: NDArray[np.int64]
    change: NDArray[np.float64]

    def by_unit(self) -> _Own:
        """Return the same in the order of units."""
        order = np.argsort(self.unit, kind="stable")
        return _Own(self.unit[order], self.at[order], self.change[order])


def conditional_tails(
    values: NDArray[np.float64],
    weights: Weights,
    *,
    permutations: int,
    seed: int,
    coefficients: NDArray[np.float64] | None = None,
    draws: Draws = Draws.SHARED,
    executor: Executor | None = None,
    progress: Progress = silent,
) -> Tails:
    r"""Count the conditional draws as extreme as the observed weighted sum of every unit's neighbours.

    Assumption: under the hypothesis every arrangement of the other units' values is equally likely, the unit's
    own value staying where it is.

    Parameters
    ----------
    values : float array, shape (n,) or (n, f)
        Standardised values (mean 0, spread 1: the tolerance for ties is set for that), or f of them per unit.
    weights : Weights
        In the order of ``values``, without self weights.
    permutations : int
        Draws m.
    seed : int
        Shared draws depend on the seed, n and the number of neighbours only; independent ones on the seed and the
        place of the unit.
    coefficients : float array, shape (n, f), optional
        What the f values of a neighbour are multiplied by before they are added up, by unit; for f = 1 left out.
    draws : {"shared", "independent"}
        The same draws for all units with as many neighbours, or its own for every unit.
    executor, progress
        As in ``parallel.run``.

    Returns
    -------
    Tails
        Isolates have m draws on both sides (p = 1); callers put NaN there.

    Notes
    -----
    .. math:: T_i = \sum_j w_{ij} \sum_f c_{if} v_{jf}

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
    columns = np.ascontiguousarray(values.reshape(n, -1))
    factors = np.ones((n, columns.shape[1])) if coefficients is None else np.ascontiguousarray(coefficients)
    tails = Tails(np.full(n, m, dtype=np.int64), np.full(n, m, dtype=np.int64))
    if draws is Draws.INDEPENDENT:
        units, tasks = _independent_tasks(columns, weights, factors, m, seed)
        for some, counted in zip(units, run(_count_independent, tasks, executor, progress, WORD), strict=True):
            tails.greater[some], tails.less[some] = counted
    else:
        parts = [(part, SharedDraws(n, part.k, m, seed)) for part in _parts(columns, weights, factors, m)]
        tables, others = [p for p in parts if p[0].table], [p for p in parts if not p[0].table]
        edge = len(tables) / max(1, len(parts))
        _by_table(tails, tables, executor, stretch(progress, 0.0, edge))
        _one_by_one(tails, others, executor, stretch(progress, edge, 1.0))
    progress(1.0, WORD)
    return tails


def _by_table(
    tails: Tails, parts: list[tuple[_Part, SharedDraws]], executor: Executor | None, progress: Progress
) -> None:
    """Count by sorted tables of draw sums; the few draws that hold the unit itself are put right one by one."""
    sums = [np.empty(draws.m) for _, draws in parts]
    which = [(number, b) for number, (_, draws) in enumerate(parts) for b in range(draws.n_blocks)]
    tasks: list[tuple[Any, ...]] = [(*parts[number], b) for number, b in which]
    own = []
    few = sum(draws.m * draws.k for _, draws in parts) < FEW_DRAWN
    done = run(_dealt, tasks, Here() if few and executor is None else executor, stretch(progress, 0.0, 0.5), WORD)
    for (number, _), dealt in zip(which, done, strict=True):
        sums[number][dealt.rows] = dealt.sums
        own.append(dealt)
    for table in sums:
        table.sort()
    cuts = [(number, *cut) for number, (part, _) in enumerate(parts) for cut in pieces(len(part.units), UNITS)]
    tasks = [(sums[number], parts[number][0].low[a:b], parts[number][0].high[a:b]) for number, a, b in cuts]
    few = sum(len(part.units) for part, _ in parts) < FEW_UNITS
    counts = run(_looked_up, tasks, Here() if few and executor is None else executor, stretch(progress, 0.5, 1.0), WORD)
    for (number, a, b), counted in zip(cuts, counts, strict=True):
        some = parts[number][0].units[a:b]
        tails.greater[some], tails.less[some] = counted
    for dealt in own:
        np.add.at(tails.greater, dealt.units, dealt.greater)
        np.add.at(tails.less, dealt.units, dealt.less)


def _one_by_one(
    tails: Tails, parts: list[tuple[_Part, SharedDraws]], executor: Executor | None, progress: Progress
) -> None:
    """Count by going through the draws of every unit, a block of draws at a time."""
    tasks = [(part, draws, b) for part, draws in parts for b in range(draws.n_blocks)]
    for part, _ in parts:
        tails.greater[part.units] = tails.less[part.units] = 0
    for (part, *_), counted in zip(tasks, run(_gone_through, tasks, executor, progress, WORD), strict=True):
        tails.greater[part.units] += counted[0]
        tails.less[part.units] += counted[1]


def parts_of_sums(values: NDArray[np.float64], weights: Weights, permutations: int) -> list[_Part]:
    """Return the units with neighbours in parts of which ``conditional_sums`` gives the sums; values (n, f)."""
    factors, size = np.ones((weights.n, 1)), 10 * permutations * values.shape[1]
    return list(_parts(values, weights, factors, size, unequal=True, fewest=20))


def conditional_sums(part: _Part, permutations: int, seed: int) -> NDArray[np.float64]:
    """Return the weighted sums of the values that shared draws deal to the neighbours of a part's units.

    For statistics that aren't linear in the neighbours' values; the same draws as in ``conditional_tails``.

    Parameters
    ----------
    part : _Part
        Of ``parts_of_sums``; its values stay together, f per unit.
    permutations, seed
        As in ``conditional_tails``.

    Returns
    -------
    float array, shape (f, u, m)
        For the units ``part.units``.

    Examples
    --------
    >>> from kazgeo.weights import Weights
    >>> w = Weights.from_pairs(range(3), [(0, 1), (1, 2)])
    >>> for part in parts_of_sums(np.array([[1.0], [2], [4]]), w, 2):
    ...     sums = conditional_sums(part, 2, seed=1)
    ...     print(part.units.tolist(), sums.shape, float(sums[0, -1].max()))
    [0, 2] (1, 2, 2) 2.0
    [1] (1, 1, 2) 5.0
    """
    n, k = len(part.values), part.k
    sums = np.empty((part.values.shape[1], len(part.units), permutations))
    slot = part.slots()
    for rows, drawn in SharedDraws(n, k, permutations, seed).blocks():
        for f, column in enumerate(sums):
            x = part.values[:, f]
            column[:, rows] = part.weights @ x[drawn[:, :k]].T
            own = part._replace(values=part.values[:, f : f + 1]).own_draws(drawn, slot)
            column[own.unit, own.at + rows.start] += own.change
    return sums


def _parts(
    values: NDArray[np.float64],
    weights: Weights,
    factors: NDArray[np.float64],
    m: int,
    *,
    unequal: bool = False,
    fewest: int = FEWEST,
) -> Iterator[_Part]:
    """Yield the units by number of neighbours, equal and unequal rows apart, in pieces of bearable size."""
    equal = np.zeros(weights.n, dtype=bool) if unequal else weights.equal_rows
    every = bool(equal.all())
    low, high = _limits(values, weights.binary() if every else weights, factors)
    if not every and equal.any():
        ones = _limits(values, weights.binary(), factors)
        low, high = np.where(equal, ones[0], low), np.where(equal, ones[1], high)
    for k in np.flatnonzero(np.bincount(weights.cardinalities, minlength=1)[1:]) + 1:
        of_size = np.flatnonzero(weights.cardinalities == k)
        for alike in (True,) if every else (True, False):
            units = of_size if every else of_size[equal[of_size] == alike]
            table = alike and factors.shape[1] == 1
            size = len(units) if table else max(fewest, NUMBERS // m)
            for start, stop in pieces(len(units), size):
                some = units[start:stop]
                own = np.empty((len(some), 0)) if alike else weights.data[weights.indptr[some][:, None] + np.arange(k)]
                yield _Part(int(k), values, some, own, factors[some], low[some], high[some])


def _limits(
    values: NDArray[np.float64], weights: Weights, factors: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what is observed less and plus the tolerance for ties, shape (n,) each."""
    if values.shape[1] == 1:
        observed = factors[:, 0] * weights.lag(values[:, 0])
    else:
        observed = (factors * weights.lag(values)).sum(axis=1)
    size = np.abs(factors).sum(axis=1) * weights.reach
    tie = TIE * (size + np.abs(observed))
    return observed - tie, observed + tie


class _Dealt(NamedTuple):
    """A block of draws: which, their sums; and units that drew themselves, with what that changes in their counts."""

    rows: slice
    sums: NDArray[np.float64]
    units: NDArray[np.int64]
    greater: NDArray[np.int64]
    less: NDArray[np.int64]


def _dealt(part: _Part, draws: SharedDraws, number: int) -> _Dealt:
    """Return the sums of a block of draws, and what its draws of the unit itself add to the counts, by unit."""
    rows, drawn = draws.block(number)
    first, values = drawn[:, : draws.k], part.values[:, 0].take(drawn)
    total = values[:, : draws.k].sum(axis=1)
    unit = part.slots().take(first)
    mine = np.flatnonzero(unit >= 0)
    unit = unit.take(mine)
    old = total.take(mine // draws.k)
    new = old + (values[:, draws.k :] - values[:, : draws.k]).take(mine)
    bottom, top = part.low.take(unit), part.high.take(unit)
    greater = (new >= bottom).view(np.int8) - (old >= bottom).view(np.int8)
    less = (new <= top).view(np.int8) - (old <= top).view(np.int8)
    moved = np.flatnonzero(greater | less)
    return _Dealt(rows, total, part.units[unit[moved]], greater[moved], less[moved])


def _looked_up(
    sums: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count how many of the sorted sums are at least ``low``, and at most ``high``."""
    below = first_at_least(sums, low)
    less = below.copy()
    tied = np.flatnonzero(np.append(sums, np.inf)[below] <= high)
    less[tied] = np.searchsorted(sums, high[tied], side="right")
    return len(sums) - below, less


def first_at_least(ranked: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return what ``numpy.searchsorted`` returns, faster for many values: by a grid, what it misses by bisection.

    Examples
    --------
    >>> first_at_least(np.array([1.0, 2.0, 2.0, 4.0]), np.array([0.0, 2.0, 3.0, 9.0])).tolist()
    [0, 1, 3, 4]
    >>> first_at_least(np.array([5.0]), np.array([])).tolist()
    []
    """
    cells = GRID * len(ranked)
    low, high = ranked[0], ranked[-1]
    if len(values) < len(ranked) or not high > low:
        return np.asarray(np.searchsorted(ranked, values, side="left"), dtype=np.int64)
    scale = cells / (high - low)
    start = np.zeros(cells + 2, dtype=np.int64)  # of every cell: ranked ones in the cells below
    np.cumsum(np.bincount(((ranked - low) * scale).astype(np.int64), minlength=cells + 1)[: cells + 1], out=start[1:])
    with np.errstate(over="ignore"):  # far beyond all draws: the last cell
        cell = np.clip((values - low) * scale, 0, cells).astype(np.int64)
    found: NDArray[np.int64] = start.take(cell)
    padded = np.concatenate([[-np.inf], ranked, [np.inf]])
    missed = np.flatnonzero((padded.take(found) >= values) | (padded[1:].take(found) < values))
    found[missed] = np.searchsorted(ranked, values.take(missed), side="left")
    return found


def _gone_through(part: _Part, draws: SharedDraws, number: int) -> NDArray[np.int64]:
    """Count a block of draws by the product of what is fixed by unit and what is drawn, shape (2, u)."""
    from kazgeo.autocorrelation.kernels import extremes

    size, k = len(part.units), draws.k
    weighted = part.weights.shape[1] > 0
    fixed = (part.factors[:, :, None] * part.weights[:, None, :]).reshape(size, -1) if weighted else part.factors
    _, drawn = draws.block(number)
    dealt = part.values[drawn[:, :k]]  # (draws, k, f)
    columns = dealt.transpose(2, 1, 0).reshape(-1, len(drawn)) if weighted else dealt.sum(axis=1).T
    own = part.own_draws(drawn, part.slots()).by_unit()
    first = np.searchsorted(own.unit, np.arange(size + 1))
    both = np.ascontiguousarray(fixed), np.ascontiguousarray(columns)
    counted: NDArray[np.int64] = extremes(*both, part.low, part.high, first, own.at, own.change)
    return counted


def _independent_tasks(
    values: NDArray[np.float64], weights: Weights, factors: NDArray[np.float64], m: int, seed: int
) -> tuple[list[Any], list[tuple[Any, ...]]]:
    """Return which units each task counts, and its arguments."""
    mean = max(1.0, len(weights.data) / max(1, weights.n))
    cuts = pieces(weights.n, max(1, int(NUMBERS / (8 * mean * m))))
    fixed = (values, factors, weights.indptr, weights.data, *_limits(values, weights, factors), stream_key(seed), m)
    return [slice(*cut) for cut in cuts], [(*fixed, *cut) for cut in cuts]


def _count_independent(*arguments: Any) -> NDArray[np.int64]:
    from kazgeo.autocorrelation.kernels import independent

    counted: NDArray[np.int64] = independent(*arguments)
    return counted
