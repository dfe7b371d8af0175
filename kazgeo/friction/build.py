"""Builds friction surfaces: from land cover, roads, barriers, slope; from published minutes per metre."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kazgeo.errors import InputError, listing, positive_number, unknown
from kazgeo.friction.grid import Grid, grid_of
from kazgeo.friction.speeds import FASTEST, MODES, SLOWEST, Mode, checked_speeds, tobler
from kazgeo.parsing import fitting_numbers

if TYPE_CHECKING:
    import geopandas
    import xarray
    from numpy.typing import NDArray

__all__ = [
    "block", "burn_roads", "check_friction", "from_classes", "from_minutes_per_metre", "merge", "modes",
    "slow_by_slope",
]  # fmt: skip

_ROWS = 512  # at a time, so that checks need no copy of the surface


def check_friction(friction: Any) -> Grid:
    """Make sure that a surface is one of friction: seconds per metre above 0, NaN where nobody can pass.

    Parameters
    ----------
    friction : DataArray
        Dimensions (y, x), with a CRS.

    Returns
    -------
    Grid
        Where its cells are.

    Raises
    ------
    InputError
        Naming all cells, up to five, that are 0, negative or infinite; no numbers; a fault of the grid.

    Examples
    --------
    >>> import xarray, rioxarray
    >>> values = np.array([[0.72, np.nan], [0.72, 0.9]])
    >>> made = xarray.DataArray(values, {"y": [1500.0, 500.0], "x": [500.0, 1500.0]}, ("y", "x")).rio.write_crs(32642)
    >>> check_friction(made).size
    4
    >>> check_friction(made.fillna(0))
    Traceback (most recent call last):
    kazgeo.errors.InputError: friction must be seconds per metre above 0, with NaN where nobody can pass; 1 of 4 cells
    are not: 0 at (y 1500, x 1500); a surface with a nodata number is to be opened with masked=True
    """
    grid = grid_of(friction)
    if friction.dtype.kind != "f":
        raise InputError(f"friction must be floating-point numbers (barriers are NaN); got {friction.dtype}")
    if friction.chunks is None:
        refuse_cells([(0, friction.to_numpy())], grid)
    return grid


def refuse_cells(parts: Iterable[tuple[int, NDArray[Any]]], grid: Grid, left: int = 0) -> None:
    """Refuse cells that are 0, negative or infinite; parts are (first row, rows), beginning at the column ``left``."""
    count = 0
    told: list[str] = []
    for first, rows in parts:
        for start in range(0, len(rows), _ROWS):
            piece = rows[start : start + _ROWS]
            bad = (piece <= 0) | np.isinf(piece)
            if not bad.any():
                continue
            count += int(bad.sum())
            for r, c in np.argwhere(bad)[: 5 - len(told)]:
                at = f"(y {grid.y[first + start + r]:g}, x {grid.x[left + c]:g})"
                told.append(f"{float(piece[r, c]):g} at {at}")
    if count:
        more = f" and {count - len(told)} more" if count > len(told) else ""
        raise InputError(
            f"friction must be seconds per metre above 0, with NaN where nobody can pass; {count} of {grid.size:,} "
            f"cells are not: {', '.join(told)}{more}; a surface with a nodata number is to be opened with masked=True"
        )


def merge(
    land_cover: xarray.DataArray, *, barriers: geopandas.GeoDataFrame | None = None,
    roads: geopandas.GeoDataFrame | None = None, road_class: str = "class", bridges: bool = True,
) -> xarray.DataArray:  # fmt: skip
    """Lay barriers and roads over classes of land cover.

    Assumption: who can drive, drives: a cell that a road touches takes the road's class. Order, from below: land cover,
    barriers, roads, so that a road over a river is a bridge; with ``bridges=False`` barriers come last. A cell with
    several roads takes the smallest number, so number roads from the main one down, as AccessMod's demo does.

    Parameters
    ----------
    land_cover : DataArray
        Numbers of classes; NaN (or the surface's nodata number) can't be passed.
    barriers : GeoDataFrame, optional
        Lines and polygons. Every cell they touch becomes a barrier: lines leave no gap at corners.
    roads : GeoDataFrame, optional
        Lines with the number of their class.
    road_class : str
        Its column.
    bridges : bool
        Whether roads cross barriers.

    Returns
    -------
    DataArray of float64
        Classes; NaN is a barrier.
    """
    grid = grid_of(land_cover, "land_cover")
    values = np.asarray(land_cover.to_numpy(), dtype=np.float64)
    nodata = land_cover.rio.nodata
    made = np.where(values == nodata, np.nan, values) if nodata is not None else values.copy()
    layers = [(_blocked, barriers), (_classed, roads)] if bridges else [(_classed, roads), (_blocked, barriers)]
    for lay, shapes in layers:
        if shapes is not None:
            lay(made, grid, shapes, road_class)
    return grid.labelled(made, "land_cover")


def _blocked(made: NDArray[np.float64], grid: Grid, shapes: geopandas.GeoDataFrame, _: str) -> None:
    made[_touched(grid, shapes, "barriers")] = np.nan


def _classed(made: NDArray[np.float64], grid: Grid, roads: geopandas.GeoDataFrame, column: str) -> None:
    if column not in roads.columns:
        raise unknown("road_class", column, roads.columns, "a column of roads")
    number = pd.to_numeric(roads[column], errors="coerce")
    if number.isna().any():
        raise InputError(
            f"roads: {column} must be the number of a class; missing for rows {listing(roads.index[number.isna()])}"
        )
    for value in sorted(number.unique(), reverse=True):
        made[_touched(grid, roads[number == value], "roads")] = value


def _touched(grid: Grid, shapes: geopandas.GeoDataFrame, name: str) -> NDArray[np.bool_]:
    """Return the cells that shapes touch."""
    from rasterio.features import rasterize

    from kazgeo.crs import has_place

    if shapes.crs is None:
        raise InputError(f"{name} declare no CRS; set it with {name}.set_crs(...)")
    there = shapes.geometry[has_place(shapes.geometry.to_numpy())].to_crs(grid.crs)
    if not len(there):
        return np.zeros((grid.rows, grid.columns), dtype=bool)
    hit = rasterize(
        there.to_numpy(), (grid.rows, grid.columns), transform=grid.transform, all_touched=True, dtype="uint8"
    )
    return np.asarray(hit, dtype=bool)


def from_classes(classes: xarray.DataArray, speeds: pd.DataFrame) -> xarray.DataArray:
    """Return the friction of classes by a table of speeds.

    Parameters
    ----------
    classes : DataArray
        Numbers of classes, as ``merge`` returns them; NaN is a barrier.
    speeds : DataFrame
        Indexed by class: ``speed_kmh`` on the flat (NaN: can't be passed) and ``mode``.

    Returns
    -------
    DataArray of float64
        Seconds per metre.

    Raises
    ------
    InputError
        A class without a row in the table; a fault of the table.

    Examples
    --------
    >>> import xarray, rioxarray
    >>> cover = xarray.DataArray([[1.0, 2.0, np.nan]], {"y": [500.0], "x": [500.0, 1500.0, 2500.0]}, ("y", "x"))
    >>> cover = cover.rio.write_crs(32642).rio.write_transform(grid_transform := __import__("affine").Affine(
    ...     1000, 0, 0, 0, -1000, 1000))
    >>> from_classes(cover, pd.DataFrame({"speed_kmh": [4.0, 50.0]}, index=[1, 2])).values.round(3).tolist()
    [[0.9, 0.072, nan]]
    >>> from_classes(cover, pd.DataFrame({"speed_kmh": [4.0]}, index=[1]))
    Traceback (most recent call last):
    kazgeo.errors.InputError: speeds must have a row for every class of the surface; there is none for 2
    """
    grid = grid_of(classes, "classes")
    table = checked_speeds(speeds)
    return grid.labelled(_looked_up(classes, 3.6 / table["speed_kmh"]), "friction")


def modes(classes: xarray.DataArray, speeds: pd.DataFrame) -> xarray.DataArray:
    """Return the mode of travel of every cell, for slopes: 0 walking, 1 bicycling, 2 motorised (and barriers).

    Parameters
    ----------
    classes, speeds
        As for ``from_classes``.

    Returns
    -------
    DataArray of uint8
    """
    grid = grid_of(classes, "classes")
    table = checked_speeds(speeds)
    codes = table["mode"].map({m.value: float(i) for i, m in enumerate(MODES)})
    found = _looked_up(classes, codes)
    codes8 = np.where(np.isnan(found), float(MODES.index(Mode.MOTORISED)), found).astype(np.uint8)
    return grid.labelled(codes8, "mode", nodata=None)


def _looked_up(classes: xarray.DataArray, table: pd.Series) -> NDArray[np.float64]:
    """Return the table's value of every cell."""
    values = np.asarray(classes.to_numpy(), dtype=np.float64)
    present, place = np.unique(values, return_inverse=True)
    unlisted = [float(v) for v in present if not np.isnan(v) and v not in table.index]
    missing = [int(v) if v == int(v) else v for v in unlisted]
    if missing:
        raise InputError(f"speeds must have a row for every class of the surface; there is none for {listing(missing)}")
    value = np.array([np.nan if np.isnan(v) else float(table.loc[v]) for v in present])
    return value[place].reshape(values.shape)


def burn_roads(
    friction: xarray.DataArray, roads: geopandas.GeoDataFrame, *, speed_kmh: str | float = "speed_kmh"
) -> xarray.DataArray:
    """Lay roads over a friction surface.

    Assumption: a cell that a road touches is travelled at the road's speed, at that of the quickest of several, also
    where it was a barrier: a road over a river is a bridge. To close roads, ``block`` after burning them.

    Parameters
    ----------
    friction : DataArray
        Seconds per metre.
    roads : GeoDataFrame
        Lines with a CRS.
    speed_kmh : str or float
        Column of speeds, or one speed for all, km/h.

    Returns
    -------
    DataArray
    """
    grid = check_friction(friction)
    speed = _road_speeds(roads, speed_kmh)
    made = np.array(friction.to_numpy(), copy=True)
    for value in np.sort(speed.unique()):
        made[_touched(grid, roads[speed == value], "roads")] = 3.6 / value
    return grid.labelled(made, "friction")


def _road_speeds(roads: geopandas.GeoDataFrame, speed_kmh: str | float) -> pd.Series:
    if not isinstance(speed_kmh, str):
        return pd.Series(positive_number(speed_kmh, "speed_kmh", "positive km/h"), roads.index)
    if speed_kmh not in roads.columns:
        raise unknown("speed_kmh", speed_kmh, roads.columns, "a column of roads")
    speeds = fitting_numbers(
        roads[speed_kmh], lambda v: (v >= SLOWEST) & (v <= FASTEST), what="roads",
        wanted=f"km/h from {SLOWEST:g} to {FASTEST:g}",
    )  # fmt: skip
    return pd.Series(speeds, roads.index)


def block(friction: xarray.DataArray, barriers: geopandas.GeoDataFrame) -> xarray.DataArray:
    """Make barriers of all cells that lines or polygons touch.

    Parameters
    ----------
    friction : DataArray
        Seconds per metre.
    barriers : GeoDataFrame
        Rivers, lakes, borders, closed areas, with a CRS.

    Returns
    -------
    DataArray
    """
    grid = check_friction(friction)
    made = np.array(friction.to_numpy(), copy=True)
    made[_touched(grid, barriers, "barriers")] = np.nan
    return grid.labelled(made, "friction")


def slow_by_slope(
    friction: xarray.DataArray, elevation: xarray.DataArray, *, mode: xarray.DataArray | None = None
) -> xarray.DataArray:
    r"""Slow walking by the slope of the terrain, alike in every direction.

    Assumption: a path goes up and down the steepest slope of a cell equally often. For travel along the real path use
    ``kazgeo.accessibility.Slope`` with the friction of the flat instead; never both.

    Parameters
    ----------
    friction : DataArray
        Seconds per metre on the flat.
    elevation : DataArray
        Metres, same cells; NaN leaves a cell's friction as it is.
    mode : DataArray, optional
        As ``modes`` returns; only walking cells are slowed. Without it all are.

    Returns
    -------
    DataArray

    Notes
    -----
    .. math:: f' = f \cdot \tfrac12 \left(\frac{1}{g(s)} + \frac{1}{g(-s)}\right),
              \quad g(s) = e^{-3.5 |s + 0.05|} / e^{-0.175}

    with s the gradient of central differences, one-sided at edges.
    """
    grid = check_friction(friction)
    grid.require(elevation, "elevation")
    height = np.asarray(elevation.to_numpy(), dtype=np.float64)
    step = grid.lengths(np.array([0, 1]), np.array([1, 0]))
    across = np.gradient(height, axis=1) / step[:, :1] if grid.columns > 1 else np.zeros_like(height)
    down = np.gradient(height, axis=0) / step[:, 1:] if grid.rows > 1 else np.zeros_like(height)
    slope = np.nan_to_num(np.hypot(across, down), nan=0.0)
    factor = 0.5 * (1 / tobler(slope) + 1 / tobler(-slope))
    if mode is not None:
        grid.require(mode, "mode")
        factor = np.where(mode.to_numpy() == MODES.index(Mode.WALKING), factor, 1.0)
    return grid.labelled(friction.to_numpy() * factor, "friction")


def from_minutes_per_metre(surface: xarray.DataArray) -> xarray.DataArray:
    """Return friction of a published surface in minutes per metre, as the Malaria Atlas Project gives it.

    Assumption: the surface is per metre, and metres are counted by ``kazgeo.accessibility.cost_distance``, which knows
    how long a degree is in every row. Its nodata number becomes a barrier.

    Parameters
    ----------
    surface : DataArray
        Minutes per metre.

    Returns
    -------
    DataArray of float64

    References
    ----------
    Weiss, D. J. et al. (2018). A global map of travel time to cities to assess inequalities in accessibility in 2015.
    Nature 553, 333-336. https://doi.org/10.1038/nature25181

    Examples
    --------
    >>> import xarray, rioxarray
    >>> made = xarray.DataArray([[0.012, -9999.0]], {"y": [48.0], "x": [67.0, 68.0]}, ("y", "x"))
    >>> made = made.rio.write_crs(4326).rio.write_nodata(-9999).rio.write_transform(
    ...     __import__("affine").Affine(1, 0, 66.5, 0, -1, 48.5))
    >>> from_minutes_per_metre(made).values.tolist()
    [[0.72, nan]]
    """
    grid = grid_of(surface, "surface")
    nodata = surface.rio.nodata
    values = surface.astype(np.float64)
    if nodata is not None and not np.isnan(nodata):
        values = values.where(surface != nodata)
    made = grid.labelled((values * 60.0).data, "friction")
    check_friction(made)
    return made
