"""Catchments of facilities with a capacity, one after the other: who is served first, and who is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kazgeo.accessibility.cost_distance.reach import Reach, Reached, people_on
from kazgeo.accessibility.cost_distance.surface import Places, Surface, place, prepare
from kazgeo.accessibility.cost_distance.travel import Travel
from kazgeo.choices import Turns as Order
from kazgeo.errors import InputError, choice, listing, positive_number, unknown
from kazgeo.progress import Progress, silent

if TYPE_CHECKING:
    import geopandas
    import xarray
    from numpy.typing import NDArray

__all__ = ["CapacityCatchments", "Order", "Processing", "capacity_catchments"]


@dataclass(frozen=True)
class Processing:
    """In which order facilities take people, and how finely time is told.

    Parameters
    ----------
    order : Order
        "capacity"; "population": of people within the time, were the facility alone; "time": at which its capacity
        would be full, were it alone (those that never fill come last); "column". Equal ones by id.
    column : str, optional
        Column of the facilities, for the order "column".
    descending : bool, optional
        Largest first; by default so for all but "time".
    ring_s : float
        Cells are served ring by ring of so many seconds, a cell of time t in the ring ceil(t / ring): people of one
        ring are served alike. 60 for AccessMod's whole minutes, 0 for cell by cell.
    """

    order: Order = Order.CAPACITY
    column: str | None = None
    descending: bool | None = None
    ring_s: float = 60.0

    def __post_init__(self) -> None:
        order = choice(Order, self.order, "order")
        positive_number(self.ring_s, "ring_s", "seconds of at least 0", zero=True)
        if (order is Order.COLUMN) != (self.column is not None):
            raise InputError("column must be given for the order 'column', and only for it")


@dataclass(frozen=True, eq=False, repr=False)
class CapacityCatchments:
    """Who is served by whom, and who is left.

    Parameters
    ----------
    table : DataFrame
        By facility, in the order of processing: ``rank`` (from 1), ``capacity``, ``reached`` (people within the time
        who were not served yet), ``served``, ``spare`` (capacity left), ``full_s`` (outer time of the last ring that is
        served in full), ``last_share`` (share of the next ring that is served; NaN where all are), ``mean_time_s`` of
        those served.
    residual : DataArray
        People left in every cell; NaN where population was.
    served, left : float
        People in all.
    on_barrier : float
        Of those left, people on barriers.
    dropped : DataFrame
        ``unit`` and ``reason`` of facilities that took no part.
    """

    table: pd.DataFrame
    residual: xarray.DataArray
    served: float
    left: float
    on_barrier: float
    dropped: pd.DataFrame

    def __repr__(self) -> str:
        """Tell the share of people served."""
        everyone = self.served + self.left
        share = f"{100 * self.served / everyone:.1f} %" if everyone else "none"
        return f"<CapacityCatchments of {len(self.table)} facilities: {share} of {everyone:,.0f} people served>"


def capacity_catchments(
    friction: xarray.DataArray | Surface, facilities: geopandas.GeoDataFrame, population: xarray.DataArray, *,
    max_time_s: float, capacity: str = "capacity", processing: Processing | None = None, travel: Travel | None = None,
    progress: Progress = silent,
) -> CapacityCatchments:  # fmt: skip
    r"""Let facilities take the people around them, one facility after the other, each up to its capacity.

    Assumption: whose turn comes first takes all it can, the nearest people first; who is served is out of reach for
    those that follow. So results depend on the order, as in AccessMod: it is a rule of allotment, no forecast of where
    people go.

    Parameters
    ----------
    friction : DataArray or Surface
        Seconds per metre.
    facilities : GeoDataFrame
        Points with a CRS, a unique index and a column of capacities (people).
    population : DataArray
        People of every cell, on the cells of the friction; NaN counts as nobody.
    max_time_s : float
        Longest time, s.
    capacity : str
        Column of the capacities; facilities without one take no part, and are told.
    processing : Processing, optional
        Order and rings.
    travel : Travel, optional
        How people travel.
    progress : callable
        Reporter; may raise Cancelled.

    Returns
    -------
    CapacityCatchments

    Raises
    ------
    InputError
        No such column, negative or infinite capacities, a fault of friction, population or options.

    Notes
    -----
    With people :math:`P_k` left in ring k of a facility and its capacity C, all rings up to K are served in full,
    :math:`K = \max \{k : \sum_{j \le k} P_j \le C\}`, and of every cell in ring K + 1 the share
    :math:`(C - \sum_{j \le K} P_j) / P_{K+1}`. People served never exceed the capacity, and
    served + left = population.

    References
    ----------
    Ray, N. and Ebener, S. (2008), doi:10.1186/1476-072X-7-63 (AccessMod, "geographic coverage").

    Examples
    --------
    >>> import geopandas, rioxarray, xarray
    >>> at = 500.0 + 1000 * np.arange(4)
    >>> walk = xarray.DataArray(np.full((2, 4), 0.9), {"y": [1500.0, 500.0], "x": at}, ("y", "x")).rio.write_crs(32642)
    >>> people = walk.copy(data=[[np.nan] * 4, [10.0, 20.0, 40.0, 80.0]])
    >>> posts = geopandas.GeoDataFrame(
    ...     {"capacity": [50, 60, None]}, index=["a", "b", "c"], crs=32642,
    ...     geometry=geopandas.points_from_xy([500.0, 3500.0, 500.0], [500.0] * 3))
    >>> found = capacity_catchments(walk, posts, people, max_time_s=1900)
    >>> found.table[["reached", "served", "full_s", "last_share"]].round(2).values.tolist()
    [[140.0, 60.0, nan, 0.75], [70.0, 50.0, 1320.0, 0.5]]
    >>> found.residual.values[1].tolist(), found.dropped.values.tolist()
    ([0.0, 0.0, 20.0, 20.0], [['c', 'no capacity']])
    >>> capacity_catchments(walk, posts.iloc[:0], people, max_time_s=1900)
    <CapacityCatchments of 0 facilities: 0.0 % of 150 people served>
    """
    processing = processing or Processing()
    surface = prepare(friction, travel)
    limit = positive_number(max_time_s, "max_time_s", "positive seconds")
    people = people_on(surface, population)
    everyone = float(people.sum())
    spots, size = _with_capacity(surface, facilities, capacity)
    reach = Reach(surface)
    turns = _turns(reach, spots, size, people, limit, facilities, processing, progress)
    rows = []
    for rank, i in enumerate(turns, start=1):
        progress(0.5 + 0.5 * (rank - 1) / len(turns), "catchments")
        found = reach.within(int(spots.cells[i]), limit)
        rows.append({"rank": rank, "capacity": size[i], **_take(found, people, size[i], processing.ring_s)})
    columns = ["rank", "capacity", "reached", "served", "spare", "full_s", "last_share", "mean_time_s"]
    table = pd.DataFrame(rows, columns=columns, index=spots.ids[turns])
    progress(1.0, "catchments")
    left = np.where(np.isnan(population.to_numpy().reshape(-1)), np.nan, people)
    blocked = np.isnan(surface.block()[0].friction)
    return CapacityCatchments(
        table, surface.grid.labelled(left.reshape(population.shape), "residual"), everyone - float(people.sum()),
        float(people.sum()), float(people[blocked].sum()), spots.dropped,
    )  # fmt: skip


def _with_capacity(
    surface: Surface, facilities: geopandas.GeoDataFrame, column: str
) -> tuple[Places, NDArray[np.float64]]:
    """Return the facilities that have a place and a capacity."""
    if column not in facilities.columns:
        raise unknown("capacity", column, facilities.columns, "a column of facilities")
    spots = place(surface, facilities, "facilities")
    given = pd.to_numeric(facilities[column], errors="coerce").astype(float)
    wrong = (given < 0) | np.isinf(given)
    if wrong.any():
        raise InputError(
            f"capacity must not be negative or infinite; not so for facilities {listing(given.index[wrong])}"
        )
    size = given.reindex(spots.ids).to_numpy()
    without = np.isnan(size)
    told = pd.DataFrame({"unit": spots.ids[without], "reason": "no capacity"})
    dropped = pd.concat([spots.dropped, told], ignore_index=True)
    return Places(spots.ids[~without], spots.cells[~without], dropped), size[~without]


def _turns(
    reach: Reach, spots: Places, size: NDArray[np.float64], people: NDArray[np.float64], limit: float,
    facilities: geopandas.GeoDataFrame, processing: Processing, progress: Progress,
) -> NDArray[np.int64]:  # fmt: skip
    """Return the positions of the facilities in the order of their turns."""
    order = Order(processing.order)
    if order is Order.CAPACITY:
        key = size
    elif order is Order.COLUMN:
        column = str(processing.column)
        if column not in facilities.columns:
            raise unknown("column", column, facilities.columns, "a column of facilities")
        key = pd.to_numeric(facilities[column], errors="coerce").astype(float).reindex(spots.ids).to_numpy()
        if np.isnan(key).any():
            raise InputError(f"column {column} must be a number; missing for {listing(spots.ids[np.isnan(key)])}")
    else:
        key = np.empty(len(size))
        for i, cell in enumerate(spots.cells.tolist()):
            progress(0.5 * i / len(size), "catchments")
            key[i] = _alone(reach.within(cell, limit), people, size[i], order)
    descending = order is not Order.TIME if processing.descending is None else processing.descending
    return np.argsort(-key if descending else key, kind="stable")


def _alone(found: Reached, people: NDArray[np.float64], size: float, order: Order) -> float:
    """Return the people within reach, or the time at which they fill the capacity (infinite if they don't)."""
    there = people[found.cells]
    if order is Order.POPULATION:
        return float(there.sum())
    by_time = np.argsort(found.time_s, kind="stable")
    full = np.flatnonzero(np.cumsum(there[by_time]) >= size)
    return float(found.time_s[by_time][full[0]]) if len(full) else np.inf


def _take(found: Reached, people: NDArray[np.float64], size: float, ring_s: float) -> dict[str, float]:
    """Take people ring by ring, in place, and tell what was taken."""
    there = people[found.cells]
    key = np.ceil(found.time_s / ring_s - 1e-9) if ring_s else found.time_s
    rings, of = np.unique(key, return_inverse=True)
    in_ring = np.bincount(of, weights=there, minlength=len(rings))
    total = np.cumsum(in_ring)
    full = int(np.searchsorted(total, size, side="right"))  # rings served in full
    share = np.zeros(len(rings))
    share[:full] = 1.0
    if full < len(rings) and in_ring[full] > 0:
        share[full] = (size - (total[full - 1] if full else 0.0)) / in_ring[full]
    taken = there * share[of]
    people[found.cells] = there - taken
    served = float(taken.sum())
    last = float(rings[full - 1] * (ring_s or 1.0)) if full else np.nan
    return {
        "reached": float(there.sum()), "served": served, "spare": max(size - served, 0.0), "full_s": last,
        "last_share": float(share[full]) if full < len(rings) else np.nan,
        "mean_time_s": float((taken * found.time_s).sum() / served) if served > 0 else np.nan,
    }  # fmt: skip
