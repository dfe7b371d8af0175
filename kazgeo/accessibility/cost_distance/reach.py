"""What can be reached within a time: bounded searches that touch only the cells they reach, and where to build next."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from kazgeo.accessibility.cost_distance.surface import Surface, place, prepare
from kazgeo.accessibility.cost_distance.travel import Travel
from kazgeo.errors import InputError, positive_number
from kazgeo.progress import Progress, part, silent
from kazgeo.ties import upto

if TYPE_CHECKING:
    import geopandas
    import xarray
    from numpy.typing import NDArray

__all__ = ["Reach", "Reached", "ScalingUp", "people_on", "scaling_up"]

#: Candidates handed to a thread at once, at least; a thread has an array of times of its own.
_FEW = 64
_PIECES = 32


class Reached(NamedTuple):
    """Cells (row by row from 0) within a time, the start first, and seconds from it or to it."""

    cells: NDArray[np.int64]
    time_s: NDArray[np.float64]


class Reach:
    """Bounded searches over one surface: an array of times is made once and used by all of them.

    A search takes time in proportion to the cells that it reaches, not to the surface. One object serves one thread.

    Parameters
    ----------
    friction : DataArray or Surface
        Seconds per metre.
    travel : Travel, optional
        How one travels.

    Examples
    --------
    >>> import rioxarray, xarray
    >>> at = 500.0 + 1000 * np.arange(4)
    >>> walk = xarray.DataArray(np.full((2, 4), 0.9), {"y": [1500.0, 500.0], "x": at}, ("y", "x")).rio.write_crs(32642)
    >>> reach = Reach(walk)
    >>> cells, time_s = reach.within(4, max_time_s=1000)
    >>> cells.tolist(), (time_s / 60).round().tolist()
    ([4, 0, 5], [0.0, 15.0, 15.0])
    >>> reach.within(8, max_time_s=1000)
    Traceback (most recent call last):
    kazgeo.errors.InputError: cell must be one of the 8 cells that can be passed; got 8
    """

    def __init__(self, friction: xarray.DataArray | Surface, travel: Travel | None = None) -> None:
        from kazgeo.accessibility.cost_distance import kernels

        self.surface = prepare(friction, travel)
        self._ground, self._steps, self._block, _ = self.surface.block()
        size = self.surface.grid.size
        self._time, self._reached = np.full(size, np.inf), np.empty(size, np.int64)  # pages come as they are touched
        self._heap = kernels.new_heap()

    def within(self, cell: int, max_time_s: float) -> Reached:
        """Return the cells within a time of a cell, in the direction of ``travel``.

        Parameters
        ----------
        cell : int
            Row x columns + column.
        max_time_s : float
            Longest time, s.

        Raises
        ------
        InputError
            A cell that is none or can't be passed, a time that is negative or no number.
        """
        from kazgeo.accessibility.cost_distance import kernels

        limit = _longest(max_time_s)
        if not 0 <= cell < len(self._time) or np.isnan(self._ground.friction[cell]):
            raise InputError(f"cell must be one of the {len(self._time):,} cells that can be passed; got {cell!r}")
        cells, seconds, self._heap = kernels.within(
            self._ground, self._steps, self._block, self._time, int(cell), upto(limit), self._heap, self._reached
        )
        return Reached(cells, seconds)


def _longest(max_time_s: float) -> float:
    """Return a time of at least 0 s; without a limit it may be infinite.

    Examples
    --------
    >>> _longest(0), _longest(float("inf"))
    (0.0, inf)
    >>> _longest(-5)
    Traceback (most recent call last):
    kazgeo.errors.InputError: max_time_s must be seconds of at least 0; got -5
    """
    if isinstance(max_time_s, float) and max_time_s == np.inf:
        return np.inf
    return positive_number(max_time_s, "max_time_s", "seconds of at least 0", zero=True)


def people_on(surface: Surface, population: xarray.DataArray, name: str = "population") -> NDArray[np.float64]:
    """Return the people of every cell, row by row; NaN (unknown) counts as nobody.

    Raises
    ------
    InputError
        Other cells than the friction's, negative or infinite values.
    """
    surface.grid.require(population, name)
    people = np.array(population.to_numpy(), dtype=np.float64).reshape(-1)
    bad = (people < 0) | np.isinf(people)
    if bad.any():
        raise InputError(f"{name} must not be negative or infinite; {int(bad.sum())} cells are")
    return np.nan_to_num(people, nan=0.0)


@dataclass(frozen=True, eq=False, repr=False)
class ScalingUp:
    """People that a facility at each cell would newly cover.

    Parameters
    ----------
    newly_covered : DataArray of float64
        NaN at cells that are no candidates.
    covered, uncovered, unreachable : float
        People within the time of an existing facility; others; those of them on barriers, whom no facility covers.
    max_time_s : float
        The time.
    dropped : DataFrame
        ``unit`` and ``reason`` of existing facilities that took no part.
    """

    newly_covered: xarray.DataArray
    covered: float
    uncovered: float
    unreachable: float
    max_time_s: float
    dropped: pd.DataFrame

    def __repr__(self) -> str:
        """Tell the best place's share."""
        best = float(self.newly_covered.max()) if self.newly_covered.notnull().any() else 0.0
        return (
            f"<ScalingUp within {self.max_time_s / 60:g} min: {self.covered:,.0f} people covered, "
            f"{self.uncovered:,.0f} not; the best cell would cover {best:,.0f} of them>"
        )

    def best(self, count: int = 1) -> pd.DataFrame:
        """Return the cells that would cover most, each by itself: x, y, newly_covered; ties by row and column."""
        flat = self.newly_covered.to_numpy().reshape(-1)
        order = np.argsort(-np.nan_to_num(flat, nan=-1.0), kind="stable")[:count]
        order = order[~np.isnan(flat[order])]
        rows, columns = np.divmod(order, self.newly_covered.shape[1])
        return pd.DataFrame(
            {
                "x": self.newly_covered.x.to_numpy()[columns], "y": self.newly_covered.y.to_numpy()[rows],
                "newly_covered": flat[order],
            }
        )  # fmt: skip


def scaling_up(
    friction: xarray.DataArray | Surface, population: xarray.DataArray, *, max_time_s: float,
    existing: geopandas.GeoDataFrame | geopandas.GeoSeries | None = None, candidates: xarray.DataArray | None = None,
    travel: Travel | None = None, executor: Executor | None = None, progress: Progress = silent,
) -> ScalingUp:  # fmt: skip
    r"""Find how many people a facility at each cell would newly cover.

    Assumption: a facility serves all within the time, without a limit of capacity, and one is built, not several: two
    good neighbouring cells cover largely the same people.

    Parameters
    ----------
    friction : DataArray or Surface
        Seconds per metre.
    population : DataArray
        People of every cell, on the cells of the friction; NaN counts as nobody.
    max_time_s : float
        Within which one is covered, s.
    existing : GeoDataFrame or GeoSeries, optional
        Points of facilities that are there already.
    candidates : DataArray, optional
        True (or not 0) where one may build; by default wherever one can pass.
    travel : Travel, optional
        How people travel.
    executor : Executor, optional
        By default threads.
    progress : callable
        Reporter; may raise Cancelled.

    Returns
    -------
    ScalingUp

    Raises
    ------
    InputError
        A fault of friction, population, candidates, facilities or time.

    Notes
    -----
    .. math:: n(c) = \sum_{v : t(v, c) \le T} p_v \, [\, t(v, \text{nearest existing}) > T \,]

    Examples
    --------
    >>> import geopandas, rioxarray, xarray
    >>> at = 500.0 + 1000 * np.arange(4)
    >>> walk = xarray.DataArray(np.full((1, 4), 0.9), {"y": [500.0], "x": at}, ("y", "x")).rio.write_crs(32642)
    >>> walk = walk.rio.write_transform(__import__("affine").Affine(1000, 0, 0, 0, -1000, 1000))
    >>> people = walk.copy(data=[[10.0, 20.0, np.nan, 40.0]])
    >>> there = geopandas.GeoSeries.from_xy([500.0], [500.0], crs=32642)
    >>> found = scaling_up(walk, people, max_time_s=900, existing=there)
    >>> found.newly_covered.values.tolist(), found.covered
    ([[0.0, 0.0, 40.0, 40.0]], 30.0)
    >>> scaling_up(walk, people * 0, max_time_s=900)
    <ScalingUp within 15 min: 0 people covered, 0 not; the best cell would cover 0 of them>
    """
    from kazgeo.accessibility.cost_distance import kernels
    from kazgeo.accessibility.cost_distance.tiles import spread
    from kazgeo.parallel import pieces, run

    surface = prepare(friction, travel)
    limit = positive_number(max_time_s, "max_time_s", "positive seconds")
    people = people_on(surface, population)
    dropped = pd.DataFrame({"unit": [], "reason": []}, dtype=object)
    total = float(people.sum())
    if existing is not None:
        there = place(surface, existing, "existing")
        dropped = there.dropped
        times = spread(surface, np.unique(there.cells), upto(limit), None, part(progress, 0.0, 0.1))
        people[~np.isnan(times.values.reshape(-1))] = 0.0
    ground, steps, block, _ = surface.block()
    passable = ~np.isnan(ground.friction)
    starts = np.flatnonzero(passable & _chosen(surface, candidates))
    size = max(_FEW, -(-len(starts) // _PIECES))
    tasks = [(ground, steps, block, starts[a:b], upto(limit), people) for a, b in pieces(len(starts), size)]
    made = np.full(surface.grid.size, np.nan)
    sums = list(run(kernels.covered, tasks, executor, part(progress, 0.1, 1.0), "scaling up"))
    made[starts] = np.concatenate(sums) if sums else 0.0
    shape = (surface.grid.rows, surface.grid.columns)
    left = float(people.sum())
    return ScalingUp(
        surface.grid.labelled(made.reshape(shape), "newly_covered"), total - left, left,
        float(people[~passable].sum()), limit, dropped,
    )  # fmt: skip


def _chosen(surface: Surface, candidates: xarray.DataArray | None) -> Any:
    if candidates is None:
        return True
    surface.grid.require(candidates, "candidates")
    values = np.asarray(candidates.to_numpy(), dtype=np.float64).reshape(-1)
    return np.nan_to_num(values, nan=0.0) != 0
