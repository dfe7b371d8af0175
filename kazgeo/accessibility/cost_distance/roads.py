"""Roads and ground in one model: off the road from cell to cell, on the road along the arcs of a network."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from kazgeo.accessibility.cost_distance.surface import MOST_CELLS, Surface, located, place, prepare
from kazgeo.accessibility.cost_distance.travel import Heading, Travel
from kazgeo.errors import InputError, positive_number
from kazgeo.progress import Progress, silent
from kazgeo.ties import upto

if TYPE_CHECKING:
    import geopandas
    import xarray
    from numpy.typing import NDArray

__all__ = ["Arcs", "RoadDistance", "cost_distance_with_roads"]


class Arcs(Protocol):
    """What is asked of a network: where its nodes are, and its arcs."""

    @property
    def lon(self) -> NDArray[np.float64]:
        """Degrees, EPSG:4326."""

    @property
    def lat(self) -> NDArray[np.float64]:
        """Degrees, EPSG:4326."""

    def arcs(self, *, reverse: bool = False) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
        """Return indptr, head and seconds of the arcs that leave every node; ``reverse``: that come to it."""


@dataclass(frozen=True, eq=False, repr=False)
class RoadDistance:
    """Times to the nearest facility over ground and roads.

    Parameters
    ----------
    time_s : DataArray of float64
        Seconds; NaN at barriers and out of reach.
    allocation : DataArray of int32
        Position in ``facilities`` of the nearest one; -1 where there is none.
    by_road : DataArray of bool
        Whether the quickest way uses an arc of the network.
    node_time_s : float64 array
        Seconds of the network's nodes; NaN out of reach.
    facilities : Index
        Ids of those that took part, in canonical order.
    n_linked, n_outside, n_on_barrier : int
        Nodes tied to a cell; nodes outside the surface; nodes on barriers (bridges): these two are passed through, but
        one can't leave the road there.
    n_reached, n_unreached : int
        Cells that can be passed, with a time and without.
    dropped : DataFrame
        ``unit`` and ``reason`` of facilities that took no part.
    surface : Surface
        What was searched.
    """

    time_s: xarray.DataArray
    allocation: xarray.DataArray
    by_road: xarray.DataArray
    node_time_s: NDArray[np.float64]
    facilities: pd.Index
    n_linked: int
    n_outside: int
    n_on_barrier: int
    n_reached: int
    n_unreached: int
    dropped: pd.DataFrame
    surface: Surface

    def at(self, places: geopandas.GeoDataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the time and the facility of the cell of each place; as ``CostDistance.at``."""
        return located(self.surface, (self.time_s, self.allocation), self.facilities, places)

    def __repr__(self) -> str:
        """Tell what was searched."""
        return (
            f"<RoadDistance of {len(self.facilities)} facilities: {self.n_reached} cells reached, {self.n_unreached} "
            f"not; {self.n_linked} of {len(self.node_time_s)} nodes tied to the ground>"
        )


def cost_distance_with_roads(
    friction: xarray.DataArray | Surface, network: Arcs, facilities: geopandas.GeoDataFrame | geopandas.GeoSeries, *,
    travel: Travel | None = None, max_time_s: float | None = None, progress: Progress = silent,
) -> RoadDistance:  # fmt: skip
    r"""Find the time of every cell to the nearest facility over ground and roads at once.

    Assumption: friction is that of the ground without roads (roads burnt into it would be travelled twice, also where
    the network has none). One gets on and off a road at its nodes only, by half a cell at the friction of the cell that
    holds the node, and waits for nothing; so ``kazgeo.network.split`` first where nodes are farther apart than
    cells. Facilities stand on the ground. A node on a barrier is a bridge.

    Parameters
    ----------
    friction : DataArray or Surface
        Seconds per metre.
    network : Network
        ``lon``, ``lat`` and ``arcs(reverse)``, as ``kazgeo.network.Network``; one-way roads are kept.
    facilities : GeoDataFrame or GeoSeries
        Points with a CRS and a unique index.
    travel : Travel, optional
        How one travels off the road, and whether towards the facility or from it.
    max_time_s : float, optional
        Longest time, s.
    progress : callable
        Reporter; may raise Cancelled.

    Returns
    -------
    RoadDistance

    Raises
    ------
    InputError
        As ``cost_distance``; arcs whose time is no number of at least 0.

    Notes
    -----
    The quickest way in a graph of cells and nodes, with the steps of ``cost_distance``, the arcs of the network, and
    between a node and its cell :math:`\tfrac12 \, \ell f`, where :math:`\ell` is the mean of the cell's sides.

    Examples
    --------
    >>> import geopandas, rioxarray, xarray
    >>> from types import SimpleNamespace
    >>> at = 0.05 + 0.1 * np.arange(4)
    >>> walk = xarray.DataArray(np.full((2, 4), 0.72), {"y": at[:2], "x": at}, ("y", "x")).rio.write_crs(4326)
    >>> arcs = (np.array([0, 1, 2]), np.array([1, 0], np.int32), np.array([1200.0, 1200.0]))
    >>> road = SimpleNamespace(lon=at[[0, 3]], lat=at[[0, 0]], arcs=lambda reverse=False: arcs)
    >>> town = geopandas.GeoSeries.from_xy([0.05], [0.05], index=["town"], crs=4326)
    >>> found = cost_distance_with_roads(walk, road, town)
    >>> (found.time_s / 3600).round(1).values[0].tolist(), found.by_road.values[0].tolist()
    ([0.0, 2.2, 4.5, 2.6], [False, False, False, True])
    """
    from kazgeo.accessibility.cost_distance import kernels

    surface = prepare(friction, travel)
    limit = math.inf if max_time_s is None else positive_number(max_time_s, "max_time_s", "positive seconds")
    sources = place(surface, facilities, "facilities")
    ground, steps, block, _ = surface.block()
    progress(0.0, "cost distance")
    roads, outside, blocked = _tied(surface, network, ground.friction)
    size, n = surface.grid.size, len(roads.cell)
    time, label = np.full(size + n, np.inf), np.full(size + n, -1, np.int32)
    by_road = np.zeros(size + n, np.uint8)
    for i in range(len(sources.cells) - 1, -1, -1):
        time[sources.cells[i]], label[sources.cells[i]] = 0.0, i
    queue = kernels.enqueue(kernels.new_heap(), time, np.unique(sources.cells))
    kernels.search_with_roads(ground, steps, block, roads, time, label, by_road, upto(limit), queue)
    time[np.isinf(time)] = np.nan
    shape, reached = (surface.grid.rows, surface.grid.columns), int((~np.isnan(time[:size])).sum())
    progress(1.0, "cost distance")
    made = surface.grid.labelled
    return RoadDistance(
        made(time[:size].reshape(shape), "time_s"), made(label[:size].reshape(shape), "allocation", nodata=-1),
        made(by_road[:size].astype(bool).reshape(shape), "by_road", nodata=None), time[size:], sources.ids,
        n - outside - blocked, outside, blocked, reached, int((~np.isnan(ground.friction)).sum()) - reached,
        sources.dropped, surface,
    )  # fmt: skip


def _tied(surface: Surface, network: Arcs, friction: NDArray[Any]) -> tuple[Any, int, int]:
    """Return the network tied to the cells, and how many nodes are outside or on barriers."""
    import geopandas

    from kazgeo.accessibility.cost_distance import kernels

    indptr, head, seconds = network.arcs(reverse=surface.travel.heading == Heading.TOWARDS)
    bad = ~(np.isfinite(seconds) & (seconds >= 0))
    if bad.any():
        raise InputError(f"network must have arcs of at least 0 s; {int(bad.sum())} of {len(bad)} have not")
    n = len(network.lon)
    if surface.grid.size + n > MOST_CELLS:
        raise InputError(f"friction and network must not have more than {MOST_CELLS:,} cells and nodes together")
    cell = surface.grid.cells(geopandas.GeoSeries.from_xy(network.lon, network.lat, crs=4326))
    inside = cell >= 0
    blocked = np.zeros(n, dtype=bool)
    blocked[inside] = np.isnan(friction[cell[inside]])
    cell[blocked] = -1
    first, following = np.full(surface.grid.size, -1, np.int32), np.full(n, -1, np.int32)
    for node in np.flatnonzero(cell >= 0)[::-1].tolist():
        following[node] = first[cell[node]]
        first[cell[node]] = node
    straight = surface.grid.lengths(np.array([0, 1]), np.array([1, 0]))
    roads = kernels.Roads(
        np.asarray(indptr, np.int64), np.asarray(head, np.int32), np.asarray(seconds, np.float64), cell, first,
        following, 0.25 * straight.sum(axis=1),
    )  # fmt: skip
    return roads, int((~inside).sum()), int(blocked.sum())
