"""Incidents counted in equal cells: hexagons or squares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kazgeo.autocorrelation.sample import numbers
from kazgeo.choices import CellShape
from kazgeo.crs import local_metres
from kazgeo.errors import InputError, choice, listing
from kazgeo.hotspots.optimized import locational_outliers
from kazgeo.weights.sphere import nearest_metres, placed_points

if TYPE_CHECKING:
    import geopandas
    from numpy.typing import NDArray

__all__ = ["Cells", "aggregate"]

#: Cells that are made at most.
MAX_CELLS = 250_000


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
        Of every point, in any order, to be summed in place of the count; points with NaN are set aside.
    area : GeoDataFrame or GeoSeries
        Polygons with a CRS: cells that touch them are made, empty ones too; points in no such cell are set aside.

    Returns
    -------
    Cells
        Cells are laid out from the origin of the CRS, whatever the points.

    Raises
    ------
    InputError
        No CRS, no point with a place, a size that isn't positive or makes too many cells, or no default size.

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
    >>> aggregate(events, size_m=-5)
    Traceback (most recent call last):
    kazgeo.errors.InputError: size_m must be positive metres; got -5
    """
    import geopandas

    shape = choice(CellShape, cell, "cell")
    if size_m is not None and (not np.isfinite(size_m) or size_m <= 0):
        raise InputError(f"size_m must be positive metres; got {size_m}")
    if area is not None and area.crs is None:
        raise InputError("area has no CRS; set it with area.set_crs(...)")
    spots, rows = placed_points(points, "points")
    if not len(rows):
        raise InputError(f"points must hold at least 1 with a place; got 0 of {len(points)}")
    size = float(size_m) if size_m is not None else _default_size(spots)
    crs = local_metres(points.iloc[rows] if area is None else area)
    at = points.geometry.iloc[rows]
    if not (at.geom_type == "Point").all():
        at = at.representative_point()
    at = at.to_crs(crs)
    row, column = _cell_of(shape, at.x.to_numpy(), at.y.to_numpy(), size)
    amounts = np.ones(len(points)) if weight is None else _amounts(weight, points.index)
    known = ~np.isnan(amounts[rows])
    made = _cells_in(shape, area.to_crs(crs), size) if area is not None else None
    name = np.array([f"{r}_{c}" for r, c in zip(row, column, strict=True)], dtype=object)
    inside = known if made is None else known & np.isin(name, list(made))
    held = {key: (r, c) for key, r, c in zip(name[inside], row[inside], column[inside], strict=True)}
    cells = held if made is None else made
    order = sorted(cells, key=cells.__getitem__)
    index = pd.Index(order, name="cell", dtype=object)
    where = index.get_indexer(name[inside])
    layer = geopandas.GeoDataFrame(
        {
            "n": np.bincount(where, minlength=len(index)),
            "value": np.bincount(where, amounts[rows][inside], len(index)),
        },
        geometry=_polygons(shape, np.array([cells[key] for key in order]).reshape(-1, 2), size),
        index=index,
        crs=crs,
    )
    cell_of = np.full(len(points), None, dtype=object)
    cell_of[rows[inside]] = name[inside]
    told = np.full(len(points), "no place", dtype=object)
    told[rows] = np.where(known, "outside the area", "missing weight")
    out = np.ones(len(points), dtype=bool)
    out[rows[inside]] = False
    lost = sorted(zip(points.index[out], told[out], strict=True), key=lambda pair: (pair[1], str(pair[0])))
    return Cells(
        layer=layer,
        cell_of=pd.Series(cell_of, index=points.index, name="cell", dtype=object),
        size_m=size,
        dropped=pd.DataFrame(lost, columns=["unit", "reason"], dtype=object),
        parameters={
            "cell": shape.value,
            "size_m": size,
            "weighted": weight is not None,
            "area": area is not None,
            "crs": crs.to_string(),
        },
    )


def _amounts(weight: pd.Series, index: pd.Index) -> NDArray[np.float64]:
    given = pd.Series(numbers(weight, "weight"), index=weight.index)
    lacking = index.difference(given.index)
    if len(lacking):
        raise InputError(f"weight must have all points; it lacks {len(lacking)}: {listing(lacking)}")
    return np.asarray(given.reindex(index), dtype=np.float64)


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


def _cells_in(shape: CellShape, area: Any, size: float) -> dict[str, tuple[int, int]]:
    """Return row and column, by id, of the cells that touch the area."""
    import shapely

    whole = shapely.union_all(area.geometry.to_numpy())
    if whole is None or whole.is_empty:
        raise InputError("area must hold at least one polygon; it is empty")
    west, south, east, north = whole.bounds
    height = size if shape is CellShape.FISHNET else size * np.sqrt(0.75)
    rows = np.arange(np.floor(south / height) - 1, np.ceil(north / height) + 2).astype(np.int64)
    columns = np.arange(np.floor(west / size) - 1, np.ceil(east / size) + 2).astype(np.int64)
    if len(rows) * len(columns) > MAX_CELLS:
        raise InputError(f"size_m must make at most {MAX_CELLS:,} cells; {size:g} m make {len(rows) * len(columns):,}")
    every = np.column_stack([np.repeat(rows, len(columns)), np.tile(columns, len(rows))])
    shapely.prepare(whole)
    touching = every[shapely.intersects(whole, _polygons(shape, every, size))]
    return {f"{r}_{c}": (int(r), int(c)) for r, c in touching}
