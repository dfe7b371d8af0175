"""Referral tables: time and distance of the quickest way from every facility to every other."""

from __future__ import annotations

import math
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kazgeo.accessibility.cost_distance.surface import Surface, place, prepare
from kazgeo.accessibility.cost_distance.travel import Heading, Travel
from kazgeo.errors import positive_number
from kazgeo.progress import Progress, silent
from kazgeo.ties import upto

if TYPE_CHECKING:
    import geopandas
    import xarray
    from numpy.typing import NDArray

__all__ = ["Referral", "referral"]


@dataclass(frozen=True, eq=False, repr=False)
class Referral:
    """Times and distances between facilities.

    Parameters
    ----------
    table : DataFrame
        ``origin``, ``destination``, ``time_s``, ``length_m``: all pairs of different ids, in canonical order; NaN where
        there is no way, or none within the limit.
    n_unreachable : int
        Pairs without a way.
    dropped : DataFrame
        ``unit``, ``reason`` and ``role`` (origin or destination) of those that took no part.
    """

    table: pd.DataFrame
    n_unreachable: int
    dropped: pd.DataFrame

    def __repr__(self) -> str:
        """Tell how many pairs there are."""
        return f"<Referral of {len(self.table)} pairs, {self.n_unreachable} without a way>"

    def to_frame(self) -> pd.DataFrame:
        """Return the table."""
        return self.table

    def nearest(self) -> pd.DataFrame:
        """Return the row of the destination nearest in time of every origin that has one."""
        known = self.table.dropna(subset=["time_s"])
        return known.loc[known.groupby("origin", sort=False)["time_s"].idxmin()].reset_index(drop=True)


def referral(
    friction: xarray.DataArray | Surface, origins: geopandas.GeoDataFrame | geopandas.GeoSeries,
    destinations: geopandas.GeoDataFrame | geopandas.GeoSeries | None = None, *, travel: Travel | None = None,
    max_time_s: float | None = None, executor: Executor | None = None, progress: Progress = silent,
) -> Referral:  # fmt: skip
    """Find time and distance of the quickest way from every origin to every destination.

    Assumption: one travels from cell to cell, so that times and distances are those between the centres of the cells
    that hold the facilities; the distance is that of the quickest way, not the shortest one.

    Parameters
    ----------
    friction : DataArray or Surface
        Seconds per metre.
    origins, destinations : GeoDataFrame or GeoSeries
        Points with a CRS and a unique index; without destinations, from every origin to every other.
    travel : Travel, optional
        How one travels; always from the origin to the destination, whatever its heading.
    max_time_s : float, optional
        Longest time, s.
    executor : Executor, optional
        By default threads; every search at work has an array of times, 8 bytes a cell.
    progress : callable
        Reporter; may raise Cancelled.

    Returns
    -------
    Referral

    Raises
    ------
    InputError
        As ``cost_distance``.

    References
    ----------
    Ray, N. and Ebener, S. (2008), doi:10.1186/1476-072X-7-63 (AccessMod).

    Examples
    --------
    >>> import geopandas, rioxarray, xarray
    >>> at = 500.0 + 1000 * np.arange(3)
    >>> walk = xarray.DataArray(np.full((3, 3), 0.9), {"y": at[::-1], "x": at}, ("y", "x")).rio.write_crs(32642)
    >>> posts = geopandas.GeoSeries.from_xy([500, 2500, 9e6], [500, 2500, 0], index=["a", "b", "c"], crs=32642)
    >>> found = referral(walk, posts)
    >>> found.table.round().values.tolist()
    [['a', 'b', 2546.0, 2828.0], ['b', 'a', 2546.0, 2828.0]]
    >>> found.dropped.values.tolist()
    [['c', 'outside the surface', 'origin'], ['c', 'outside the surface', 'destination']]
    >>> referral(walk, posts.iloc[:0])
    <Referral of 0 pairs, 0 without a way>
    """
    from kazgeo.parallel import run

    surface = prepare(friction, travel)
    surface = replace(surface, travel=replace(surface.travel, heading=Heading.FROM))
    limit = math.inf if max_time_s is None else positive_number(max_time_s, "max_time_s", "positive seconds")
    start = place(surface, origins, "origins")
    end = start if destinations is None else place(surface, destinations, "destinations")
    ground, steps, block, _ = surface.block()
    tasks = [(ground, steps, block, cell, end.cells, upto(limit)) for cell in start.cells.tolist()]
    seconds, metres = np.empty((len(start.ids), len(end.ids))), np.empty((len(start.ids), len(end.ids)))
    for i, (time_s, length_m) in enumerate(run(_ways, tasks, executor, progress, "referral")):
        seconds[i], metres[i] = time_s, length_m
    a, b = np.indices(seconds.shape).reshape(2, -1)
    origin, destination = start.ids[a], end.ids[b]
    table = pd.DataFrame(
        {"origin": origin, "destination": destination, "time_s": seconds.ravel(), "length_m": metres.ravel()}
    )
    if destinations is None:
        table = table[a != b].reset_index(drop=True)
    dropped = pd.concat([start.dropped.assign(role="origin"), end.dropped.assign(role="destination")])
    return Referral(table, int(table["time_s"].isna().sum()), dropped.reset_index(drop=True))


def _ways(
    ground: Any, steps: Any, block: Any, start: int, ends: NDArray[np.int64], limit: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """Return seconds and metres from a cell to others; NaN without a way."""
    from kazgeo.accessibility.cost_distance import kernels

    time = np.full(len(ground.friction), np.inf)
    time[start] = 0.0
    queue = kernels.enqueue(kernels.new_heap(), time, np.array([start], np.int64))
    kernels.search(ground, steps, block, time, limit, queue, np.empty(0, np.int64))
    seconds = np.where(np.isinf(time[ends]), np.nan, time[ends])
    metres = [kernels.trace(ground, steps, block, time, e)[1] if time[e] < np.inf else np.nan for e in ends.tolist()]
    return seconds, np.array(metres, dtype=np.float64)
