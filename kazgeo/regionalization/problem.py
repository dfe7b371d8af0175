"""What every method starts from: scaled values and neighbours brought together by label, gaps and limits told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
import pandas as pd
import scipy.sparse as sp

from kazgeo.autocorrelation.sample import numbers
from kazgeo.errors import InputError, choice, listing, positive_integer, positive_number
from kazgeo.labels import canonical_order, same_units
from kazgeo.weights import as_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["OPEN", "Limits", "LowerLimits", "Problem", "Scale", "prepare"]

#: A spread below this share of the largest magnitude is rounding, not variation.
ROUNDING = 1e-12
#: Columns of the profile of regions that an indicator can't be called.
RESERVED = ("size", "score")


class Scale(StrEnum):
    """How indicators of different units are made comparable."""

    Z = "z"
    MAD = "mad"
    RANGE = "range"
    NONE = "none"


class LowerLimits(TypedDict, total=False):
    """Keywords of every method.

    scale : {"z", "mad", "range", "none"}
        Deviations from the mean in standard deviations (n - 1, as GeoDa has it), in mean absolute deviations, as a
        share of the range, or values as they are.
    min_size : int, 1 by default
        Fewest units of a region.
    floor : Series or None
        A count per unit, 0 or more (population); units without it are set aside.
    floor_min : float or None
        Least sum of ``floor`` in every region, in the unit of ``floor``.
    """

    scale: Scale | str
    min_size: int
    floor: pd.Series | None
    floor_min: float | None


class Limits(LowerLimits, total=False):
    """Keywords of the methods that also know an upper limit.

    max_size : int or None
        Most units of a region.
    """

    max_size: int | None


@dataclass(frozen=True, eq=False, kw_only=True)
class Problem:
    """Units that can be used, in the order of their ids, so that the order of rows cannot reach a result.

    Parameters
    ----------
    index : Index, shape (N,)
        All units, in the caller's order.
    places : int64 array, shape (n,)
        Position in ``index`` of every used unit.
    raw, x : float64 arrays, shape (n, p)
        Values as given, and scaled.
    names : Index, shape (p,)
        Indicators.
    indptr, indices : int64 arrays
        Neighbours in CSR; symmetric: two units are neighbours when either is the other's neighbour.
    component : int64 array, shape (n,)
        Connected component of every used unit.
    floor : float64 array, shape (n,)
        0 where none was given.
    min_size, max_size, floor_min
        Limits of every region; without limits 1, n and 0.
    n_regions : int
        Wanted number of regions; 0 where the method finds it itself.
    dropped : DataFrame
        Columns unit, reason.
    options : dict
        The keywords, plain values only.
    """

    index: pd.Index
    places: NDArray[np.int64]
    raw: NDArray[np.float64]
    x: NDArray[np.float64]
    names: pd.Index
    indptr: NDArray[np.int64]
    indices: NDArray[np.int64]
    component: NDArray[np.int64]
    floor: NDArray[np.float64]
    min_size: int
    max_size: int
    floor_min: float
    n_regions: int
    dropped: pd.DataFrame
    options: dict[str, object]

    @property
    def n(self) -> int:
        """Number of used units."""
        return len(self.places)

    @property
    def ids(self) -> pd.Index:
        """Ids of the used units."""
        return self.index[self.places]

    @property
    def n_components(self) -> int:
        """Number of connected components among the used units."""
        return int(self.component.max()) + 1

    @property
    def lower(self) -> bool:
        """Whether there is a lower limit."""
        return self.min_size > 1 or self.floor_min > 0

    @property
    def upper(self) -> bool:
        """Whether there is an upper limit."""
        return self.max_size < self.n

    @property
    def edges(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Positions i < j of all pairs of neighbours, in rising order."""
        rows = np.repeat(np.arange(self.n), np.diff(self.indptr))
        once = rows < self.indices
        return rows[once], self.indices[once]

    @property
    def graph(self) -> Any:
        """Neighbours as a symmetric ``csr_array`` of ones."""
        return sp.csr_array((np.ones(len(self.indices)), self.indices, self.indptr), shape=(self.n, self.n))

    def outside(self, labels: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which of the regions 0 .. k - 1 break a limit."""
        size, total = np.bincount(labels), np.bincount(labels, weights=self.floor)
        return np.asarray((size < self.min_size) | (size > self.max_size) | (total < self.floor_min))

    def pieces(self, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return into how many connected pieces each of the regions 0 .. k - 1 falls."""
        i, j = self.edges
        same = labels[i] == labels[j]
        inside = sp.csr_array((np.ones(int(same.sum())), (i[same], j[same])), shape=(self.n, self.n))
        _, first = np.unique(sp.csgraph.connected_components(inside, directed=False)[1], return_index=True)
        return np.bincount(labels[first], minlength=int(labels.max()) + 1)

    def part(self, units: NDArray[np.int64]) -> Problem:
        """Return the problem of some connected units only, with the same scaled values and limits."""
        inside = self.graph[units][:, units]
        inside.sort_indices()
        return replace(
            self,
            places=self.places[units],
            raw=self.raw[units],
            x=self.x[units],
            indptr=inside.indptr.astype(np.int64),
            indices=inside.indices.astype(np.int64),
            component=np.zeros(len(units), np.int64),
            floor=self.floor[units],
            max_size=min(self.max_size, len(units)),
        )

    def lengths(self) -> NDArray[np.float64]:
        """Return the distance between the scaled values of every pair of ``edges``."""
        i, j = self.edges
        return np.asarray(np.sqrt(((self.x[i] - self.x[j]) ** 2).sum(axis=1)))


class _Open:
    """The method finds the number of regions itself; ``None`` would be a caller's mistake."""


OPEN = _Open()


def prepare(
    values: pd.DataFrame, weights: Any, n_regions: int | _Open, options: Limits | LowerLimits, *, upper: bool = False
) -> Problem:
    """Bring values, neighbours and limits together by label, and refuse what no method could solve.

    Parameters
    ----------
    values : DataFrame
        One row per unit, one numeric column per indicator; NaN = missing.
    weights : Weights or libpysal Graph
        The same units in any order; never changed.
    n_regions : int or OPEN
        OPEN: the method finds the number itself.
    options
        See ``Limits``.
    upper : bool
        Whether the method knows ``max_size``.

    Raises
    ------
    InputError
        Not a DataFrame of numbers, other ids than the weights, fewer than 2 units with all values, a constant
        indicator, or limits and numbers of regions that cannot be met.

    Examples
    --------
    >>> from kazgeo.weights import Weights
    >>> w = Weights.from_pairs(list("abc"), [("a", "b"), ("b", "c")])
    >>> got = prepare(pd.DataFrame({"income": [1.0, None, 3.0]}, index=list("cba")), w, 2, {})
    >>> got.ids.tolist(), got.n_components, got.dropped.values.tolist()
    (['a', 'c'], 2, [['b', 'missing value of income']])
    >>> prepare(pd.DataFrame({"income": [1.0, None, 3.0]}, index=list("cba")), w, 1, {})
    Traceback (most recent call last):
    kazgeo.errors.InputError: n_regions must be at least 2: the map has 2 parts that do not touch ... got 1; ...
    >>> prepare(pd.DataFrame({"income": []}), Weights.from_pairs([], []), 1, {})
    Traceback (most recent call last):
    kazgeo.errors.InputError: values must hold at least 2 units with all indicators; got 0 of 0
    """
    allowed = Limits.__annotations__ if upper else LowerLimits.__annotations__
    strange = [name for name in options if name not in allowed]
    if strange:
        raise InputError(f"unknown option {listing(strange)}; there are: {listing(allowed)}")
    raw, given = _table(values), as_weights(weights)
    same_units("values", values.index, "weights", given.ids)
    floor, floor_min = _floor(options, values.index)
    order = canonical_order(values.index)
    reasons = _reasons(raw, floor, values.columns)
    places = order[[not reasons[i] for i in order]]
    if len(places) < 2:
        raise InputError(f"values must hold at least 2 units with all indicators; got {len(places)} of {len(values)}")
    scale = choice(Scale, options.get("scale", Scale.Z), "scale")
    min_size = positive_integer(options.get("min_size", 1), "min_size")
    most = options.get("max_size")
    max_size = len(places) if most is None else positive_integer(most, "max_size")
    matrix = (given.subset(values.index[places]).matrix != 0).astype(float)  # the pattern first: weights may cancel
    matrix = sp.csr_array(((matrix + matrix.T) != 0).astype(float))
    matrix.setdiag(0)
    matrix.eliminate_zeros()
    matrix.sort_indices()
    gone = [i for i in order if reasons[i]]
    problem = Problem(
        index=values.index,
        places=places,
        raw=raw[places],
        x=_scaled(raw[places], scale, values.columns),
        names=values.columns,
        indptr=matrix.indptr.astype(np.int64),
        indices=matrix.indices.astype(np.int64),
        component=np.asarray(sp.csgraph.connected_components(matrix, directed=False)[1], dtype=np.int64),
        floor=np.zeros(len(places)) if floor is None else floor[places],
        min_size=min_size,
        max_size=min(max_size, len(places)),
        floor_min=floor_min * (1 - ROUNDING),
        n_regions=0 if isinstance(n_regions, _Open) else positive_integer(n_regions, "n_regions"),
        dropped=pd.DataFrame({"unit": values.index[gone].astype(object), "reason": [reasons[i] for i in gone]}),
        options={
            "scale": scale.value,
            "min_size": min_size,
            "max_size": most and max_size,
            "floor_min": floor_min or None,
        },
    )
    _check_limits(problem)
    return problem


def _table(values: Any) -> NDArray[np.float64]:
    """Return the values of a DataFrame of numbers as floats."""
    if not isinstance(values, pd.DataFrame):
        raise InputError(f"values must be a DataFrame, one row per unit; got {type(values).__name__}")
    if not values.shape[1] or not values.columns.is_unique:
        raise InputError(f"values must have indicators with different names; got {listing(values.columns)}")
    taken = [name for name in RESERVED if name in values.columns]
    if taken:
        raise InputError(f"values must not call an indicator {listing(taken)}, a column of the profile; rename it")
    columns = [numbers(values[name], f"indicator '{name}'") for name in values.columns]
    return np.ascontiguousarray(np.column_stack(columns))


def _floor(options: Limits | LowerLimits, index: pd.Index) -> tuple[NDArray[np.float64] | None, float]:
    """Return the floor variable in the order of the values, and its least sum."""
    floor, least = options.get("floor"), options.get("floor_min")
    if (floor is None) != (least is None):
        raise InputError("floor and floor_min belong together: a Series of counts, and its least sum in a region")
    if floor is None or least is None:
        return None, 0.0
    found = numbers(floor, "floor")
    lacking = index.difference(floor.index, sort=False)
    if len(lacking):
        raise InputError(f"floor must have all units of values; it lacks {len(lacking)}: {listing(lacking)}")
    checked = positive_number(least, "floor_min", "a number above 0")
    if (found < 0).any():
        raise InputError(f"floor must not be negative; negative at units {listing(floor.index[found < 0])}")
    return found[floor.index.get_indexer(index)], checked


def _reasons(raw: NDArray[np.float64], floor: NDArray[np.float64] | None, names: pd.Index) -> list[str]:
    """Return why each unit is set aside, or an empty string."""
    missing = np.isnan(raw)
    reasons = [f"missing value of {', '.join(str(n) for n in names[row])}" if row.any() else "" for row in missing]
    if floor is not None:
        reasons = [r or ("missing floor" if np.isnan(f) else "") for r, f in zip(reasons, floor, strict=True)]
    return reasons


def _scaled(raw: NDArray[np.float64], scale: Scale, names: pd.Index) -> NDArray[np.float64]:
    """Return comparable columns, centred on their mean."""
    centred = raw - raw.mean(axis=0)
    flat = np.ptp(raw, axis=0) <= ROUNDING * np.abs(raw).max(axis=0)
    if flat.any():
        raise InputError(
            f"indicators must vary between units; the same everywhere: {listing(names[flat])}; leave them out"
        )
    if scale is Scale.Z:
        return np.asarray(centred / centred.std(axis=0, ddof=1))
    if scale is Scale.MAD:
        return np.asarray(centred / np.abs(centred).mean(axis=0))
    return np.asarray(centred / np.ptp(raw, axis=0)) if scale is Scale.RANGE else centred


def _check_limits(problem: Problem) -> None:
    """Refuse numbers and limits that contradict each other or the parts of the map."""
    n, parts = problem.n, problem.n_components
    if problem.min_size > problem.max_size:
        raise InputError(f"min_size must not exceed max_size or the number of used units ({n}); got {problem.min_size}")
    sizes = np.bincount(problem.component)
    totals = np.bincount(problem.component, weights=problem.floor)
    small = np.flatnonzero((sizes < problem.min_size) | (totals < problem.floor_min))
    if len(small):
        units = problem.ids[np.isin(problem.component, small)]
        raise InputError(
            f"{len(small)} of the {parts} parts of the map that do not touch can't reach the lower limit, units "
            f"{listing(units)}; tie them to the rest (isolates='nearest', or links of your own), leave them out, "
            "or lower the limit"
        )
    k = problem.n_regions
    if not k:
        return
    if k > n:
        raise InputError(f"n_regions must not exceed the number of used units ({n}); got {k}")
    if k < parts:
        raise InputError(
            f"n_regions must be at least {parts}: the map has {parts} parts that do not touch (smallest: "
            f"{listing(problem.ids[problem.component == np.argmin(sizes)])}), and each is a region at least; got {k}; "
            "tie the parts together (weights with isolates='nearest', or links of your own), leave units out, or "
            "ask for more regions"
        )
    _check_sums(problem, k, float(totals.sum()))


def _check_sums(problem: Problem, k: int, total: float) -> None:
    """Refuse limits that k regions can't meet by their sums alone."""
    n = problem.n
    if k * problem.min_size > n:
        raise InputError(f"{k} regions of at least {problem.min_size} units need {k * problem.min_size}; got {n} units")
    if k * problem.max_size < n:
        raise InputError(f"{k} regions of at most {problem.max_size} units hold {k * problem.max_size}; got {n} units")
    if k * problem.floor_min > total:
        least = problem.options["floor_min"]
        raise InputError(f"{k} regions with a floor of at least {least} need {k * problem.floor_min:g}; got {total:g}")
