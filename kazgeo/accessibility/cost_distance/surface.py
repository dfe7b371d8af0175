"""A friction surface made ready to be searched, and the places from which it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from kazgeo.accessibility.cost_distance.moves import Corners, Moves, moves_of
from kazgeo.accessibility.cost_distance.travel import Bicycle, Heading, Travel
from kazgeo.errors import InputError, listing
from kazgeo.friction import Grid, check_friction
from kazgeo.ties import rounded

if TYPE_CHECKING:
    import geopandas
    import xarray
    from numpy.typing import NDArray

__all__ = ["Places", "Surface", "Window", "located", "place", "prepare"]

OUTSIDE_REASON = "outside the surface"
BARRIER_REASON = "on a barrier"
UNREACHED_REASON = "no way to a facility, or none within the limit"
#: Cells are numbered with 32 bits in the queue.
MOST_CELLS = 2**32 - 1


class Window(NamedTuple):
    """Rows and columns of a part of the grid, from the first to before the last."""

    top: int
    bottom: int
    left: int
    right: int


@dataclass(frozen=True, eq=False)
class Surface:
    """Friction, moves and their metres, checked once for any number of searches.

    Parameters
    ----------
    friction : DataArray
        Seconds per metre.
    grid : Grid
        Where cells are.
    travel : Travel
        How one travels.
    moves : Moves
        Of the neighbourhood.
    lengths : float64 array, shape (1, k) or (rows, k)
        Metres of the moves.
    """

    friction: xarray.DataArray
    grid: Grid
    travel: Travel
    moves: Moves
    lengths: NDArray[np.float64]

    def block(self, window: Window | None = None) -> tuple[Any, Any, Any, Window]:
        """Return ground, steps and block for the loops: the whole grid, or a window and what moves reach around it.

        The last value is the window with what is around.
        """
        from kazgeo.accessibility.cost_distance import kernels

        grid, reach = self.grid, self.moves.reach
        inner = window or Window(0, grid.rows, 0, grid.columns)
        outer = Window(
            max(inner.top - reach, 0), min(inner.bottom + reach, grid.rows),
            max(inner.left - reach, 0), min(inner.right + reach, grid.columns),
        )  # fmt: skip
        columns = outer.right - outer.left
        slope = self.travel.slope
        height = mode = None
        if slope is not None:
            height = _cut(slope.elevation, outer, np.float64)
            walking = np.zeros(height.shape, np.uint8)
            mode = walking if slope.mode is None else _cut(slope.mode, outer, np.uint8)
        ground = kernels.Ground(_cut(self.friction, outer), height, mode)
        block = kernels.Block(
            outer.bottom - outer.top, columns, outer.top, int(len(self.lengths) > 1),
            inner.top - outer.top, inner.bottom - outer.top, inner.left - outer.left, inner.right - outer.left, reach,
        )  # fmt: skip
        return ground, self._steps(columns), block, outer

    def _steps(self, columns: int) -> Any:
        from kazgeo.accessibility.cost_distance import kernels

        moves, travel = self.moves, self.travel
        way = np.zeros((len(moves.rows), 7), np.int64)
        way[:, 0] = moves.n_crossed
        way[:, 1:5] = moves.crossed[:, :, 0] * columns + moves.crossed[:, :, 1]
        beside = moves.beside[:, :, 0] * columns + moves.beside[:, :, 1]
        way[:, 5:] = np.where(moves.cornered[:, None], beside, 0)
        weak = travel.slope is not None and travel.slope.bicycle == Bicycle.ACCESSMOD
        how = (1.0 if travel.heading == Heading.FROM else -1.0, 0.01 if weak else 1.0)
        return kernels.Steps(
            moves.rows * columns + moves.columns, moves.rows, moves.columns, self.lengths, way,
            way[:, 5] != 0, moves.shares, way[:, 0] > 0, how,
        )  # fmt: skip


def _cut(layer: xarray.DataArray, window: Window, dtype: Any = None) -> Any:
    """Return a window of a layer, cells row by row; the whole layer is not copied where it need not be."""
    part = layer.data[window.top : window.bottom, window.left : window.right]
    computed = part.compute() if hasattr(part, "compute") else part
    return np.ascontiguousarray(computed, dtype=dtype).reshape(-1)


def prepare(friction: xarray.DataArray | Surface, travel: Travel | None = None) -> Surface:
    """Check a friction surface once, for any number of searches.

    Parameters
    ----------
    friction : DataArray or Surface
        Seconds per metre, NaN where nobody can pass. A surface that is ready is returned as it is.
    travel : Travel, optional
        How one travels; not with a surface that is ready.

    Raises
    ------
    InputError
        A fault of the friction, of elevation or modes; more cells than can be numbered.
    """
    if isinstance(friction, Surface):
        if travel is not None:
            raise InputError("travel must not be given with a surface that is ready; prepare(friction, travel) took it")
        return friction
    grid, travel = check_friction(friction), travel or Travel()
    if grid.size > MOST_CELLS:
        raise InputError(f"friction must not have more than {MOST_CELLS:,} cells; got {grid.size:,}; cut it in parts")
    moves = moves_of(travel.neighbours, None if travel.corners is None else Corners(travel.corners))
    if travel.slope is not None:
        _check_slope(friction, grid, travel)
    return Surface(friction, grid, travel, moves, grid.lengths(moves.rows, moves.columns))


def _check_slope(friction: xarray.DataArray, grid: Grid, travel: Travel) -> None:
    slope = travel.slope
    assert slope is not None
    grid.require(slope.elevation, "elevation")
    if slope.mode is not None:
        grid.require(slope.mode, "mode")
    if friction.chunks is not None:
        return
    unknown = ~np.isfinite(slope.elevation.to_numpy()) & ~np.isnan(friction.to_numpy())
    if unknown.any():
        raise InputError(
            f"elevation must have a value wherever friction has one; missing in {int(unknown.sum())} cells; fill "
            "them, or make them barriers in friction"
        )
    if slope.mode is not None and not np.isin(slope.mode.to_numpy(), (0, 1, 2)).all():
        raise InputError("mode must be 0 (walking), 1 (bicycling) or 2 (motorised) in every cell")


class Places(NamedTuple):
    """Units that stand on cells: ids and cells in canonical order, and who was left out and why."""

    ids: pd.Index
    cells: NDArray[np.int64]
    dropped: pd.DataFrame


def place(surface: Surface, points: geopandas.GeoDataFrame | geopandas.GeoSeries, name: str) -> Places:
    """Return the cells of points; those outside the grid, on a barrier or without a place are told and left out.

    Parameters
    ----------
    surface : Surface
        Where.
    points : GeoDataFrame or GeoSeries
        Points with a CRS and a unique index.
    name : str
        Of the parameter, for messages.
    """
    from kazgeo.crs import has_place
    from kazgeo.labels import canonical_order

    at = points.geometry
    if at.crs is None:
        raise InputError(f"{name} declare no CRS; set it with {name}.set_crs(...)")
    if not at.index.is_unique:
        raise InputError(f"{name} must have unique ids; repeated: {listing(at.index[at.index.duplicated()])}")
    placed = has_place(at.to_numpy())
    shapes = at.geom_type.to_numpy()
    wrong = placed & (shapes != "Point")
    if wrong.any():
        raise InputError(
            f"{name} must be points; not so: {listing(at.index[wrong])}; take a point inside: "
            f"{name}.representative_point()"
        )
    at = at.iloc[canonical_order(at.index)]
    placed, cells = has_place(at.to_numpy()), surface.grid.cells(at)
    inside = cells >= 0
    values = at_cells(surface.friction, cells[inside])
    open_ = np.zeros(len(at), dtype=bool)
    open_[inside] = ~np.isnan(values)
    reason = np.where(~placed, "no place", np.where(~inside, OUTSIDE_REASON, BARRIER_REASON))
    dropped = pd.DataFrame({"unit": at.index[~open_], "reason": reason[~open_]})
    return Places(at.index[open_], cells[open_], dropped)


def at_cells(layer: xarray.DataArray, cells: NDArray[np.int64]) -> NDArray[Any]:
    """Return the values of a layer in some cells."""
    rows, columns = np.divmod(cells, layer.shape[1])
    if layer.chunks is None:
        return np.asarray(layer.to_numpy()[rows, columns])
    return np.asarray(layer.data.vindex[rows, columns].compute()) if len(cells) else np.empty(0, layer.dtype)


def located(
    surface: Surface, found: tuple[xarray.DataArray, xarray.DataArray], facilities: pd.Index,
    places: geopandas.GeoDataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """Return what ``CostDistance.at`` does; ``found`` is seconds and positions in ``facilities`` (-1) of every cell."""
    spots = place(surface, places, "places")
    time_s, allocation = (at_cells(layer, spots.cells) for layer in found)
    there = allocation >= 0
    who = np.full(len(there), None, dtype=object)
    who[there] = facilities.to_numpy(dtype=object)[allocation[there]]
    table = pd.DataFrame({"time_s": rounded(time_s), "facility": who}, spots.ids)
    lost = pd.DataFrame({"unit": spots.ids[~there], "reason": UNREACHED_REASON})
    table = table.reindex(places.index)
    table["facility"] = table["facility"].astype(object).where(table["facility"].notna(), None)
    return table, pd.concat([spots.dropped, lost], ignore_index=True)
