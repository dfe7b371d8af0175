"""Incidents counted in equal cells: hexagons or squares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kazgeo.autocorrelation.sample import aligned
from kazgeo.choices import CellShape
from kazgeo.crs import local_metres
from kazgeo.errors import InputError, choice, listing, positive_number
from kazgeo.hotspots.optimized import locational_outliers
from kazgeo.progress import Progress, silent
from kazgeo.weights.sphere import nearest_metres, placed_points

if TYPE_CHECKING:
    import geopandas
    from numpy.typing import NDArray

__all__ = ["Cells", "aggregate"]

#: Cells that are made at most.
MAX_CELLS = 250_000
#: Cells from the origin to the farthest point at most: beyond it a point's cell is a matter of rounding.
MAX_STEPS = 1e9


@dataclass(frozen=True, eq=False, kw_only=True)
class Cells:
    """Incidents counted in equal cells.

    Parameters
    ----------
    layer : GeoDataFrame
        A cell per row, id "row_column": ``n`` (points), ``value`` (sum of the weights, or the points), polygon;
        in an equal-area CRS in metres.
    cell_of : Series of str
        On the points' index: id of the cell; None for points set aside.
    size_m : float
        Side of a square; distance between the flat sides of a hexagon.
    dropped : DataFrame
        Columns unit, reason: "no place", "missing weight", "outside the area".
    parameters : dict
        The options of the call, plain values only.
    """

    layer: geopandas.GeoDataFrame
    cell_of: pd.Series
    size_m: float
    dropped: pd.DataFrame
    parameters: dict[str, object]

    def to_frame(self) -> pd.DataFrame:
        """Return the counts per cell without the polygons."""
        return pd.DataFrame(self.layer[["n", "value"]])


def aggregate(
    points: geopandas.GeoDataFrame,
    *,
    cell: CellShape | str = CellShape.HEXAGON,
    size_m: float | None = None,
    weight: pd.Series | None = None,
    area: geopandas.GeoDataFrame | None = None,
    progress: Progress = silent,
) -> Cells:
    """Return incidents counted in equal hexagons or squares.

    Assumption: incidents could have happened anywhere in ``area``. Without it only cells that hold a point are
    made (as ArcGIS does): then nothing is known of empty places, and cold spots mean "few", never "none". Counts
    follow the population; divide by it where risk is the question. Other cells give other results.

    Parameters
    ----------
    points : GeoDataFrame
        Incidents, with a CRS; polygons stand at their representative point.
    cell : {"hexagon", "fishnet"}
        Hexagons (all neighbours alike) or squares.
    size_m : float
        Metres: side of a square, distance between the flat sides of a hexagon. By default twice the mean distance to
        the nearest other place, without locational outliers: over points at random a cell then holds about one.
    weight : Series
        The same units in any order, to be summed in place of the count; points with NaN are set aside.
    area : GeoDataFrame or GeoSeries
        Polygons with a CRS: cells that touch them are made, empty ones too; points in no such cell are set aside.
    progress : Progress
        Called between the steps.

    Returns
    -------
    Cells
        Cells are laid out from the origin of the CRS, whatever the points.

    Raises
    ------
    InputError
        No CRS, no point with a place, a size that isn't positive or makes too many cells, no default size, a weight
        of other units, or an invalid area.

    Notes
    -----
    The CRS is ``kazgeo.crs.local_metres`` of the area, else of the points: equal-area, so that cells are alike.

    Examples
    --------
    >>> import geopandas
    >>> at = geopandas.points_from_xy([71.0, 71.1, 76.9, None], [51.0, 51.1, 43.2, None], crs=4326)
    >>> events = geopandas.GeoDataFrame(geometry=at, index=list("abcd"))
    >>> got = aggregate(events, cell="fishnet", size_m=100_000)
    >>> got.layer["n"].tolist(), got.cell_of.tolist(), got.dropped.to_numpy().tolist()
    ([1, 2], ['3_2', '3_2', '-5_8', None], [['d', 'no place']])
    >>> aggregate(events.iloc[:0], size_m=5_000)
    Traceback (most recent call last):
    kazgeo.errors.InputError: points must hold at least 1 with a place; got 0 of 0
    >>> aggregate(events, size_m=-5)
    Traceback (most recent call last):
    kazgeo.errors.InputError: size_m must be positive metres; got -5
    """
    shape = choice(CellShape, cell, "cell")
    given = None if size_m is None else positive_number(size_m, "size_m", "positive metres")
    _check_area(area)
    progress(0.0, "points")
    spots, rows = placed_points(points, "points")
    if not len(rows):
        raise InputError(f"points must hold at least 1 with a place; got 0 of {len(points)}")
    size = given or _default_size(spots)
    crs = local_metres(points.iloc[rows] if area is None else area)
    x, y = _metres(points.geometry.iloc[rows], crs)
    if max(np.abs(x).max(), np.abs(y).max()) > MAX_STEPS * size:
        raise InputError(f"size_m must be larger: {size:g} m makes more cells than can be numbered")
    row, column = _cell_of(shape, x, y, size)
    amounts = np.ones(len(points)) if weight is None else aligned(weight, "weight", points.index, "points")
    known = ~np.isnan(amounts[rows])
    progress(0.4, "cells")
    cells = np.unique(np.column_stack([row, column])[known], axis=0)
    if area is not None:
        cells = _cells_in(shape, area.to_crs(crs), size)
    index = pd.Index([f"{r}_{c}" for r, c in cells.tolist()], name="cell", dtype=object)
    at = pd.MultiIndex.from_arrays(cells.T).get_indexer(pd.MultiIndex.from_arrays([row, column]))
    inside = known & (at >= 0)
    progress(0.7, "polygons")
    layer = _layer(_polygons(shape, cells, size), index, at[inside], amounts[rows[inside]], crs)
    cell_of = np.full(len(points), None, dtype=object)
    cell_of[rows[inside]] = index[at[inside]]
    told = np.full(len(points), "no place", dtype=object)
    told[rows] = np.where(known, "outside the area", "missing weight")
    told[rows[inside]] = None
    progress(1.0, "done")
    return Cells(
        layer=layer,
        cell_of=pd.Series(cell_of, index=points.index, name="cell", dtype=object),
        size_m=size,
        dropped=_dropped(points.index, told),
        parameters={
            "cell": shape.value,
            "size_m": size,
            "weighted": weight is not None,
            "area": area is not None,
            "crs": crs.to_string(),
        },
    )


def _check_area(area: Any) -> None:
    """Refuse an area whose polygons can't be compared with cells."""
    import shapely

    if area is None:
        return
    if not hasattr(area, "geometry") or not hasattr(area, "crs"):
        raise InputError(f"area must be a GeoDataFrame or GeoSeries of polygons; got {type(area).__name__}")
    if area.crs is None:
        raise InputError("area has no CRS; set it with area.set_crs(...)")
    shapes = area.geometry.to_numpy()
    broken = ~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)
    if broken.any():
        raise InputError(
            f"area must hold valid polygons; invalid: {listing(area.index[broken])}; mend them with area.make_valid()"
        )


def _metres(shapes: Any, crs: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return x and y of points, or of points within polygons."""
    at = shapes if (shapes.geom_type == "Point").all() else shapes.representative_point()
    at = at.to_crs(crs)
    return at.x.to_numpy(), at.y.to_numpy()


def _layer(
    polygons: NDArray[np.object_], index: pd.Index, at: NDArray[np.int64], amounts: NDArray[np.float64], crs: Any
) -> geopandas.GeoDataFrame:
    """Return the cells with what was counted in them."""
    import geopandas

    counted = {"n": np.bincount(at, minlength=len(index)), "value": np.bincount(at, amounts, len(index))}
    return geopandas.GeoDataFrame(counted, geometry=polygons, index=index, crs=crs)


def _dropped(units: pd.Index, told: NDArray[np.object_]) -> pd.DataFrame:
    """Tabulate units set aside by reason and name."""
    out = np.array([why is not None for why in told], dtype=bool)
    lost = sorted(zip(units[out], told[out], strict=True), key=lambda pair: (pair[1], str(pair[0])))
    return pd.DataFrame(lost, columns=["unit", "reason"], dtype=object)


def _default_size(spots: NDArray[np.float64]) -> float:
    apart = np.unique(spots[~locational_outliers(spots)], axis=0)
    if len(apart) < 2:
        raise InputError("size_m must be given, metres: points lie in one place, so that no size follows from them")
    return float(2 * nearest_metres(apart).mean())


def _cell_of(
    shape: CellShape, x: NDArray[np.float64], y: NDArray[np.float64], size: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return row and column of the cell that holds each point."""
    if shape is CellShape.FISHNET:
        return np.floor(y / size).astype(np.int64), np.floor(x / size).astype(np.int64)
    low = np.floor(y / (size * np.sqrt(0.75))).astype(np.int64)
    ways = []
    for row in (low, low + 1):  # the nearest middle lies in the row below or above
        column = np.round(x / size - row % 2 / 2).astype(np.int64)
        mid_x, mid_y = _middle(shape, row, column, size)
        ways.append((row, column, np.hypot(x - mid_x, y - mid_y)))
    upper = ways[1][2] < ways[0][2]
    return np.where(upper, ways[1][0], ways[0][0]), np.where(upper, ways[1][1], ways[0][1])


def _middle(
    shape: CellShape, row: NDArray[np.int64], column: NDArray[np.int64], size: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the middles of cells."""
    if shape is CellShape.FISHNET:
        x, y = (column + 0.5) * size, (row + 0.5) * size
    else:
        x, y = (column + row % 2 / 2) * size, row * (size * np.sqrt(0.75))
    return np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)


def _polygons(shape: CellShape, cells: NDArray[np.int64], size: float) -> NDArray[np.object_]:
    """Return the polygons of cells (row, column), corners computed alike for neighbours but for rounding."""
    import shapely

    x, y = _middle(shape, cells[:, 0], cells[:, 1], size)
    if shape is CellShape.FISHNET:
        polygons: NDArray[np.object_] = shapely.box(x - size / 2, y - size / 2, x + size / 2, y + size / 2)
        return polygons
    turn = np.radians(np.arange(30, 390, 60))
    corner_x = x[:, None] + size / np.sqrt(3) * np.cos(turn)
    corner_y = y[:, None] + size / np.sqrt(3) * np.sin(turn)
    polygons = shapely.polygons(np.stack([corner_x, corner_y], axis=-1))
    return polygons


def _cells_in(shape: CellShape, area: Any, size: float) -> NDArray[np.int64]:
    """Return row and column of the cells that touch the area, shape (m, 2)."""
    import shapely

    whole = shapely.union_all(area.geometry.to_numpy())
    if whole is None or whole.is_empty:
        raise InputError("area must hold at least one polygon; it is empty")
    west, south, east, north = whole.bounds
    height = size if shape is CellShape.FISHNET else size * np.sqrt(0.75)
    made = (np.ceil(north / height) - np.floor(south / height) + 3) * (np.ceil(east / size) - np.floor(west / size) + 3)
    if made > MAX_CELLS:
        raise InputError(f"size_m must make at most {MAX_CELLS:,} cells; {size:g} m make {made:,.0f}")
    rows = np.arange(np.floor(south / height) - 1, np.ceil(north / height) + 2).astype(np.int64)
    columns = np.arange(np.floor(west / size) - 1, np.ceil(east / size) + 2).astype(np.int64)
    every = np.column_stack([np.repeat(rows, len(columns)), np.tile(columns, len(rows))])
    shapely.prepare(whole)
    return np.asarray(every[shapely.intersects(whole, _polygons(shape, every, size))])
