"""Surface of a measure known at settlements: inverse-distance weighting of the nearest, no further than they reach."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from kazgeo.crs import chord_to_metres, has_place, local_metres, unit_sphere
from kazgeo.errors import InputError
from kazgeo.progress import Progress, silent

if TYPE_CHECKING:
    import geopandas
    import pandas as pd
    import xarray
    from numpy.typing import NDArray

__all__ = ["LARGEST", "inverse_distance"]

#: More cells than this are refused before anything is computed: 200 MB of float32.
LARGEST = 50_000_000
_ROWS = 250_000  # cells at a time
_GREATEST = 3e38  # of float32


def inverse_distance(
    points: geopandas.GeoSeries, values: pd.Series, *, cell_m: float, k: int = 8, power: float = 2.0,
    reach_m: float = 50_000.0, progress: Progress = silent,
) -> xarray.DataArray:  # fmt: skip
    r"""Interpolate values of points to the cells of an equal-area grid.

    Assumption: what is between settlements is like the nearest of them; distances are great circles from the centre of
    a cell. Nothing is told where no settlement is within reach.

    Parameters
    ----------
    points : GeoSeries, shape (n,)
        Points with a CRS.
    values : Series, shape (n,)
        By the points' index; points without a value take no part.
    cell_m : float
        Side of a cell, m.
    k : int
        How many of the nearest points count.
    power : float
        Exponent of the distance.
    reach_m : float
        Cells farther than this from every point have no value, and points farther than this don't count, m.
    progress : callable
        Reporter; may raise Cancelled.

    Returns
    -------
    DataArray of float32, dimensions y (from the north) and x
        Coordinates are the cells' centres in metres, in ``kazgeo.crs.local_metres`` of the points (``.rio.crs``); NaN
        is no data.

    Raises
    ------
    InputError
        No point with a value, no CRS, a value beyond float32, no cell within reach, or more than ``LARGEST``
        cells.

    Notes
    -----
    .. math:: \hat v(c) = \sum_i d_{ci}^{-p} v_i \Big/ \sum_i d_{ci}^{-p},

    over the k nearest points i with :math:`d_{ci} \le` reach; at a point itself its value.

    References
    ----------
    Shepard, D. (1968). A two-dimensional interpolation function for irregularly-spaced data. Proceedings of the 23rd
    ACM National Conference, 517-524. https://doi.org/10.1145/800186.810616

    Examples
    --------
    >>> import geopandas, pandas as pd
    >>> two = geopandas.GeoSeries.from_xy([70.0, 70.5], [48.0, 48.0], index=["a", "b"], crs=4326)
    >>> made = inverse_distance(two, pd.Series({"a": 10.0, "b": 30.0}), cell_m=5_000, reach_m=40_000)
    >>> made.shape, round(float(made.min())), round(float(made.max())), made.rio.crs.is_projected
    ((18, 25), 10, 30, True)

    A point without a value takes no part; without any there is no surface.

    >>> alone = inverse_distance(two, pd.Series({"a": 10.0, "b": np.nan}), cell_m=5_000, reach_m=40_000)
    >>> float(alone.max())
    10.0
    >>> inverse_distance(two, pd.Series(dtype=float), cell_m=5_000)
    Traceback (most recent call last):
        ...
    kazgeo.errors.InputError: no point has a value; nothing can be interpolated
    """
    if points.crs is None:
        raise InputError("the points have no coordinate system; set it first")
    known = values.to_numpy(dtype=float) if values.index.equals(points.index) else _aligned(values, points)
    inside = np.isfinite(known) & has_place(points.to_numpy())
    if not inside.any():
        raise InputError("no point has a value; nothing can be interpolated")
    points, known = points[inside], known[inside]
    if np.abs(known).max() > _GREATEST:
        raise InputError(f"values beyond {_GREATEST:.0e} can't be stored in a surface; take another unit")
    crs = local_metres(points)
    west, north, shape = _grid(points.to_crs(crs).total_bounds, cell_m, reach_m)
    out = np.full(shape, np.nan, dtype=np.float32)
    places = points.to_crs(4326)
    weigh = _Weigher(unit_sphere(places.x.to_numpy(), places.y.to_numpy()), known, k, power, reach_m)
    step = max(1, _ROWS // shape[1])
    for first in range(0, shape[0], step):
        progress(first / shape[0], "interpolating")
        rows = np.arange(first, min(first + step, shape[0]))
        out[rows] = weigh(_centres(rows, shape[1], (west, north, cell_m), crs)).reshape(len(rows), shape[1])
    progress(1.0, "interpolating")
    if np.isnan(out).all():
        raise InputError("no cell's centre is within reach of a point; take smaller cells or a longer reach")
    return _labelled(out, west + cell_m / 2, north - cell_m / 2, cell_m, crs)


def _labelled(values: NDArray[np.float32], x: float, y: float, cell_m: float, crs: Any) -> xarray.DataArray:
    """Return the cells with the coordinates of their centres and their CRS; x, y: centre of the north-western cell."""
    import rioxarray  # noqa: F401  makes .rio
    import xarray

    rows, columns = values.shape
    at = {"y": y - cell_m * np.arange(rows), "x": x + cell_m * np.arange(columns)}
    bare = xarray.DataArray(values, at, ("y", "x"))
    made: xarray.DataArray = bare.rio.write_crs(crs.to_wkt()).rio.write_nodata(np.nan)
    return made


def _aligned(values: pd.Series, points: geopandas.GeoSeries) -> NDArray[np.float64]:
    """Return the values in the order of the points, joined by label."""
    return np.asarray(values.reindex(points.index).to_numpy(dtype=float))


def _grid(bounds: Any, cell_m: float, reach_m: float) -> tuple[float, float, tuple[int, int]]:
    """Return the corner and the shape of a grid that holds all within reach, cells at whole multiples of their side."""
    west, south, east, north = (float(b) for b in bounds)
    left, top = (math.floor((west - reach_m) / cell_m) * cell_m, math.ceil((north + reach_m) / cell_m) * cell_m)
    columns = max(1, math.ceil((east + reach_m - left) / cell_m))
    rows = max(1, math.ceil((top - south + reach_m) / cell_m))
    if rows * columns > LARGEST:
        raise InputError(
            f"the surface would have {rows * columns:,} cells, more than {LARGEST:,}; take larger cells or fewer points"
        )
    return left, top, (rows, columns)


def _centres(
    rows: NDArray[np.int64], columns: int, corner: tuple[float, float, float], crs: Any
) -> NDArray[np.float64]:
    """Return the centres of whole rows of cells on the unit sphere, shape (cells, 3)."""
    import pyproj

    west, north, cell = corner
    x, y = np.meshgrid(west + (np.arange(columns) + 0.5) * cell, north - (rows + 0.5) * cell)
    lon, lat = pyproj.Transformer.from_crs(crs, 4326, always_xy=True).transform(x.ravel(), y.ravel())
    return unit_sphere(np.asarray(lon), np.asarray(lat))


class _Weigher:
    """Weighs the values of the nearest points for many places at once."""

    def __init__(
        self, at: NDArray[np.float64], values: NDArray[np.float64], k: int, power: float, reach_m: float
    ) -> None:
        from scipy.spatial import cKDTree

        self._tree, self._values, self._k = cKDTree(at), values, min(k, len(values))
        self._power, self._reach = power, reach_m

    def __call__(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        chord, near = self._tree.query(places, k=self._k)
        chord, near = chord.reshape(len(places), -1), near.reshape(len(places), -1)
        distance = chord_to_metres(chord)
        with np.errstate(divide="ignore", invalid="ignore"):
            weight = np.where(distance <= self._reach, np.maximum(distance, 1e-6) ** -self._power, 0.0)
            made: NDArray[np.float64] = (weight * self._values[near]).sum(axis=1) / weight.sum(axis=1)
        return made
