"""Travel times of zones, weighted by their people, with the exact share of every cell that lies in a zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kazgeo.errors import InputError, listing, positive_number
from kazgeo.friction import grid_of
from kazgeo.progress import Progress, silent
from kazgeo.ties import upto

if TYPE_CHECKING:
    import geopandas
    import xarray
    from numpy.typing import NDArray

__all__ = ["ZonalAccess", "zonal_access"]

_ZONES = 64  # between two reports of progress


@dataclass(frozen=True, eq=False, repr=False)
class ZonalAccess:
    """How far the people of zones are.

    Parameters
    ----------
    table : DataFrame
        By zone: ``population``; ``unreached`` (people in cells without a time); ``unknown_share`` (share of the zone's
        cells whose population is NaN, counted as nobody); ``mean_s`` and ``median_s`` of people with a time;
        ``within_<seconds>`` for every threshold: share of all people.
    thresholds_s : tuple of float
        Seconds.
    dropped : DataFrame
        ``unit`` and ``reason`` of zones without a place, or off the surface.
    """

    table: pd.DataFrame
    thresholds_s: tuple[float, ...]
    dropped: pd.DataFrame

    def __repr__(self) -> str:
        """Tell how many people and zones there are."""
        return f"<ZonalAccess of {len(self.table)} zones, {self.table['population'].sum():,.0f} people>"

    def to_frame(self) -> pd.DataFrame:
        """Return the table."""
        return self.table


def zonal_access(
    time_s: xarray.DataArray, population: xarray.DataArray, zones: geopandas.GeoDataFrame, *,
    thresholds_s: Sequence[float] = (1800.0, 3600.0, 7200.0), progress: Progress = silent,
) -> ZonalAccess:  # fmt: skip
    r"""Tell, for every zone, how many of its people are within given times, and how far they are.

    Assumption: people are spread evenly within a cell, so that a zone has as large a share of them as of the cell's
    area.

    Parameters
    ----------
    time_s : DataArray
        Seconds, as ``cost_distance`` gives; NaN is out of reach.
    population : DataArray
        People of every cell, on the same cells.
    zones : GeoDataFrame
        Polygons with a CRS and a unique index; they may overlap.
    thresholds_s : sequence of float
        Seconds, for the columns ``within_<seconds>``.
    progress : callable
        Reporter; may raise Cancelled.

    Returns
    -------
    ZonalAccess

    Raises
    ------
    InputError
        exactextract is not installed; a fault of the inputs.

    Notes
    -----
    With the share :math:`a_{zc}` of cell c in zone z and its people :math:`p_c`, weights are
    :math:`w_c = a_{zc} p_c`; the share within T is :math:`\sum_{t_c \le T} w_c / \sum_c w_c`, with people out of reach
    below the line; the median is the least t with :math:`\sum_{t_c \le t} w_c \ge \tfrac12 \sum_{t_c < \infty} w_c`.

    References
    ----------
    Baston, D. exactextract, https://github.com/isciences/exactextract (coverage fractions).

    Examples
    --------
    >>> import geopandas, rioxarray, shapely, xarray
    >>> at = 500.0 + 1000 * np.arange(3)
    >>> time = xarray.DataArray(np.array([[0.0, 1200, np.nan]] * 3), {"y": at[::-1], "x": at}, ("y", "x"))
    >>> time = time.rio.write_crs(32642)
    >>> zone = geopandas.GeoDataFrame(geometry=[shapely.box(500, 0, 3000, 1000)], index=["z"], crs=32642)
    >>> found = zonal_access(time, time.copy(data=np.full((3, 3), 100.0)), zone, thresholds_s=[600, 1800])
    >>> found.table.round(2).to_dict("index")["z"]
    {'population': 250.0, 'unreached': 100.0, 'unknown_share': 0.0, 'mean_s': 800.0, 'median_s': 1200.0,
     'within_600': 0.2, 'within_1800': 0.6}
    >>> zonal_access(time, time, zone.iloc[:0]).table.empty
    True
    """
    grid = grid_of(time_s, "time_s")
    grid.require(population, "population", "time_s")
    limits = tuple(positive_number(t, "thresholds_s", "positive seconds") for t in thresholds_s)
    if zones.crs is None:
        raise InputError("zones declare no CRS; set it with zones.set_crs(...)")
    if not zones.index.is_unique:
        raise InputError(f"zones must have unique ids; repeated: {listing(zones.index[zones.index.duplicated()])}")
    people, times = (np.asarray(a.to_numpy(), dtype=np.float64).reshape(-1) for a in (population, time_s))
    if (people < 0).any() or np.isinf(people).any():
        raise InputError("population must not be negative or infinite")
    names = ["population", "unreached", "unknown_share", "mean_s", "median_s", *(f"within_{t:g}" for t in limits)]
    rows: dict[Any, list[float]] = {}
    dropped: list[tuple[Any, str]] = []
    for unit, cells, share, reason in _fractions(grid, zones, progress):
        if reason:
            dropped.append((unit, reason))
        else:
            rows[unit] = _zone(times[cells], people[cells], share, limits)
    table = pd.DataFrame.from_dict(rows, orient="index", columns=names)
    table.index.name = zones.index.name
    return ZonalAccess(table, limits, pd.DataFrame(dropped, columns=["unit", "reason"]))


def _zone(
    time: NDArray[np.float64], people: NDArray[np.float64], share: NDArray[np.float64], limits: tuple[float, ...]
) -> list[float]:
    """Return the row of a zone."""
    weight = np.nan_to_num(people, nan=0.0) * share
    total, known = float(weight.sum()), ~np.isnan(time)
    unknown = float(share[np.isnan(people)].sum() / share.sum())
    order = np.argsort(time[known], kind="stable")
    t, w = time[known][order], weight[known][order]
    reached = float(w.sum())
    mean = median = np.nan
    if reached > 0:
        mean = float((t * w).sum() / reached)
        half = int(np.searchsorted(np.cumsum(w), reached / 2 * (1 - 1e-12)))
        median = float(t[min(half, len(t) - 1)])
    within = [float(w[t <= upto(limit)].sum()) / total if total > 0 else np.nan for limit in limits]
    return [total, total - reached, unknown, mean, median, *within]


def _fractions(grid: Any, zones: geopandas.GeoDataFrame, progress: Progress) -> Any:
    """Yield zone, cells, shares of the cells, and why there are none."""
    from kazgeo.crs import has_place

    try:
        from exactextract import exact_extract  # type: ignore[import-untyped, unused-ignore]
        from exactextract.raster import NumPyRasterSource  # type: ignore[import-untyped, unused-ignore]
    except ImportError as error:
        raise InputError("zones need the package exactextract; install it: pip install exactextract") from error
    right, bottom = grid.left + grid.dx * grid.columns, grid.top + grid.dy * grid.rows
    low, high = sorted((grid.top, bottom))
    numbers = np.broadcast_to(np.uint8(0), (grid.rows, grid.columns))
    raster = NumPyRasterSource(numbers, grid.left, low, right, high)
    placed = has_place(zones.geometry.to_numpy())
    shapes = zones[["geometry"] if "geometry" in zones.columns else [zones.geometry.name]].to_crs(grid.crs)
    for start in range(0, len(zones), _ZONES):
        progress(start / len(zones), "zones")
        some = shapes.iloc[start : start + _ZONES]
        there = some[placed[start : start + _ZONES]].reset_index(drop=True)
        found = iter(exact_extract(raster, there, ["cell_id", "coverage"]) if len(there) else [])
        for unit, has in zip(some.index, placed[start : start + _ZONES], strict=True):
            if not has:
                yield unit, None, None, "no place"
                continue
            values = next(found)["properties"]
            cells, share = np.asarray(values["cell_id"], np.int64), np.asarray(values["coverage"], np.float64)
            if grid.dy > 0:  # its cells are numbered from the north
                cells = (grid.rows - 1 - cells // grid.columns) * grid.columns + cells % grid.columns
            yield unit, cells, share, "" if share.sum() > 0 else "outside the surface"
    progress(1.0, "zones")
