"""Where the cells of a surface are: rows and columns, the cell of a point, metres of a step in every row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kazgeo.errors import InputError

if TYPE_CHECKING:
    import geopandas
    import xarray
    from affine import Affine
    from numpy.typing import NDArray

__all__ = ["Grid", "grid_of"]

#: Cells may differ by this share of their side before a surface counts as uneven.
_EVEN = 1e-3


@dataclass(frozen=True, eq=False)
class Grid:
    """Cells of one size by rows (y) and columns (x).

    Parameters
    ----------
    rows, columns : int
        Shape.
    left, top : float
        Outer corner of the first cell, in units of the CRS.
    dx, dy : float
        From one centre to the next; dy is negative where rows run from the north.
    crs : pyproj.CRS
        Of the surface.
    """

    rows: int
    columns: int
    left: float
    top: float
    dx: float
    dy: float
    crs: Any

    @property
    def size(self) -> int:
        """Number of cells."""
        return self.rows * self.columns

    @property
    def x(self) -> NDArray[np.float64]:
        """Centres of the columns."""
        return np.asarray(self.left + self.dx * (np.arange(self.columns) + 0.5), dtype=np.float64)

    @property
    def y(self) -> NDArray[np.float64]:
        """Centres of the rows."""
        return np.asarray(self.top + self.dy * (np.arange(self.rows) + 0.5), dtype=np.float64)

    @property
    def transform(self) -> Affine:
        """Of cells (column, row) to coordinates, as rasterio has it."""
        from affine import Affine

        return Affine(self.dx, 0.0, self.left, 0.0, self.dy, self.top)

    def cells(self, points: geopandas.GeoSeries) -> NDArray[np.int64]:
        """Return the cell that holds each point, row by row from 0; -1 outside and for points without a place.

        A cell holds its first edges, not its last ones.
        """
        from kazgeo.crs import has_place

        placed = has_place(points.to_numpy())
        out = np.full(len(points), -1, np.int64)
        there = points[placed].to_crs(self.crs)
        column = np.floor((there.x.to_numpy() - self.left) / self.dx)
        row = np.floor((there.y.to_numpy() - self.top) / self.dy)
        inside = (column >= 0) & (column < self.columns) & (row >= 0) & (row < self.rows)
        flat = np.where(inside, row * self.columns + column, -1.0)
        out[placed] = flat.astype(np.int64)
        return out

    def lengths(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the metres of steps, shape (1, k), or (rows, k) where they differ by row, as in degrees.

        On a projected grid the plane's distance; in degrees the geodesic from centre to centre, starting in each row.
        """
        if not self.crs.is_geographic:
            unit = float(self.crs.axis_info[0].unit_conversion_factor)
            return np.asarray(unit * np.hypot(rows * self.dy, columns * self.dx)[None, :], dtype=np.float64)
        geod, out = self.crs.get_geod(), np.empty((self.rows, len(rows)))
        y, at = self.y, np.arange(self.rows)
        known: dict[tuple[int, int], NDArray[np.float64]] = {}
        for k, step in enumerate(zip(np.abs(rows), np.abs(columns), strict=True)):
            down, across = int(step[0]), int(step[1])
            if (down, across) not in known:
                to = np.clip(self.top + self.dy * (at + down + 0.5), -90, 90)
                zero = np.zeros(self.rows)
                known[down, across] = np.asarray(geod.inv(zero, np.clip(y, -90, 90), zero + across * self.dx, to)[2])
            first = at if rows[k] >= 0 else np.maximum(at - down, 0)  # the same length there and back
            out[:, k] = known[down, across][first]
        return out

    def labelled(self, values: Any, name: str, nodata: Any = np.nan) -> xarray.DataArray:
        """Return values of all cells as a surface on this grid."""
        import rioxarray  # noqa: F401  makes .rio
        import xarray

        made = xarray.DataArray(values, {"y": self.y, "x": self.x}, ("y", "x"), name=name)
        made.rio.write_crs(self.crs, inplace=True)  # in place: else each of these copies the whole surface
        made.rio.write_transform(self.transform, inplace=True)
        if nodata is not None:
            made.rio.write_nodata(nodata, inplace=True)
        return made

    def require(self, other: xarray.DataArray, name: str, mine: str = "friction") -> None:
        """Refuse a surface that does not have these cells."""
        got = grid_of(other, name)
        same = (got.rows, got.columns) == (self.rows, self.columns) and got.crs == self.crs
        apart = max(
            abs(got.left - self.left) / abs(self.dx), abs(got.top - self.top) / abs(self.dy),
            abs(got.dx / self.dx - 1) * self.columns, abs(got.dy / self.dy - 1) * self.rows,
        )  # fmt: skip
        if not same or apart > 0.01:
            raise InputError(
                f"{name} must have the cells of {mine}: {self.told()}; got {got.told()}; "
                f"align it first: {name}.rio.reproject_match({mine})"
            )

    def told(self) -> str:
        """Return shape, corner, cell and CRS in words."""
        name = self.crs.to_string() if len(self.crs.to_string()) < 40 else self.crs.name
        return (
            f"{self.rows} x {self.columns} cells of {self.dx:g} x {abs(self.dy):g} from ({self.left:g}, {self.top:g}) "
            f"in {name}"
        )


def grid_of(surface: Any, name: str = "friction") -> Grid:
    """Return where the cells of a surface are.

    Parameters
    ----------
    surface : DataArray
        Dimensions y and x, even steps, with a CRS (``surface.rio.write_crs``).
    name : str
        Of the parameter, for messages.

    Raises
    ------
    InputError
        No DataArray of (y, x), no CRS, uneven steps, Web Mercator.

    Examples
    --------
    >>> import xarray, rioxarray
    >>> made = xarray.DataArray(np.ones((2, 3)), {"y": [48.75, 48.25], "x": [67.25, 67.75, 68.25]}, ("y", "x"))
    >>> grid = grid_of(made.rio.write_crs(4326))
    >>> grid.rows, grid.columns, grid.left, grid.top
    (2, 3, 67.0, 49.0)
    >>> grid.lengths(np.array([0, 1]), np.array([1, 0])).round().tolist()
    [[36769.0, 55600.0], [37132.0, 55595.0]]
    >>> grid_of(made)
    Traceback (most recent call last):
    kazgeo.errors.InputError: friction declares no CRS; set it with friction.rio.write_crs(...)
    """
    import rioxarray  # noqa: F401  makes .rio
    import xarray

    if not isinstance(surface, xarray.DataArray) or surface.dims != ("y", "x"):
        got = f"dimensions {surface.dims}" if isinstance(surface, xarray.DataArray) else type(surface).__name__
        raise InputError(
            f"{name} must be an xarray.DataArray with the dimensions (y, x); got {got}; a band is {name}[0]"
        )
    if 0 in surface.shape:
        raise InputError(f"{name} must have at least one cell; got the shape {surface.shape}")
    crs = surface.rio.crs
    if crs is None:
        raise InputError(f"{name} declares no CRS; set it with {name}.rio.write_crs(...)")
    import pyproj

    known = pyproj.CRS.from_user_input(crs)
    if "Pseudo Mercator" in str(getattr(known.coordinate_operation, "method_name", "")):
        raise InputError(
            f"{name} is in Web Mercator, where metres are too long; reproject it: {name}.rio.reproject(...)"
        )
    dx, x = _even(surface, "x", name)
    dy, y = _even(surface, "y", name)
    return Grid(surface.shape[0], surface.shape[1], x - dx / 2, y - dy / 2, dx, dy, known)


def _even(surface: xarray.DataArray, axis: str, name: str) -> tuple[float, float]:
    """Return step and first centre of an axis."""
    if axis not in surface.coords:
        raise InputError(f"{name} must have coordinates {axis} of the cells' centres")
    at = np.asarray(surface.coords[axis].to_numpy(), dtype=np.float64)
    if len(at) == 1:
        transform = surface.rio.transform(recalc=False)
        step = float(transform.a if axis == "x" else transform.e)
        if transform.is_identity or not step:
            raise InputError(
                f"{name} has one cell along {axis}, so that its size can't be seen; "
                f"set it with {name}.rio.write_transform(...)"
            )
        return step, float(at[0])
    step = float(at[-1] - at[0]) / (len(at) - 1)
    if not np.isfinite(at).all() or step == 0 or (np.abs(np.diff(at) - step) > _EVEN * abs(step)).any():
        raise InputError(f"{name} must have even steps along {axis}; resample it to a regular grid first")
    if axis == "x" and step < 0:
        raise InputError(f"{name} must run from west to east along x; sort it: {name}.sortby('x')")
    return step, float(at[0])
