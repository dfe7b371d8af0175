"""Coordinate reference systems: the country's equal-area projection, local metres, points on the sphere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import geopandas
    from numpy.typing import NDArray

__all__ = [
    "COUNTRY",
    "EARTH_RADIUS_M",
    "chord_to_metres",
    "degrees",
    "has_place",
    "local_metres",
    "metres_to_chord",
    "unit_sphere",
]

#: Albers equal-area for Kazakhstan: linear error within 0.43 % over the whole country.
COUNTRY = "+proj=aea +lat_1=43 +lat_2=53 +lat_0=48 +lon_0=67 +datum=WGS84 +units=m +no_defs"

#: Mean radius of the Earth (IUGG R1), metres.
EARTH_RADIUS_M = 6_371_008.8


def has_place(shapes: Any) -> NDArray[np.bool_]:
    """Tell which shapes lie somewhere: not missing, not empty, no NaN coordinate.

    Examples
    --------
    >>> import shapely
    >>> has_place([shapely.Point(71, 51), shapely.Point(), shapely.Point(np.nan, 51), None]).tolist()
    [True, False, False, False]
    """
    import shapely

    placed: NDArray[np.bool_] = np.isfinite(shapely.bounds(np.asarray(shapes, dtype=object))).all(axis=-1)
    return placed


def local_metres(data: geopandas.GeoDataFrame | geopandas.GeoSeries) -> Any:
    """Return an equal-area CRS in metres centred on the data.

    Parameters
    ----------
    data : GeoDataFrame or GeoSeries
        Must declare a CRS.

    Returns
    -------
    pyproj.CRS
        ``COUNTRY`` when the data lies in and around Kazakhstan, else a Lambert azimuthal equal-area
        projection centred on the data's bounding box.
    """
    import pyproj
    from shapely.geometry import box

    west, south, east, north = data.total_bounds
    if not np.isfinite([west, south, east, north]).all():
        return pyproj.CRS.from_user_input(COUNTRY)
    if not data.crs.is_geographic:
        import geopandas

        frame = geopandas.GeoSeries([box(west, south, east, north)], crs=data.crs)
        west, south, east, north = frame.to_crs(4326).total_bounds
    if west >= 44 and east <= 90 and south >= 38 and north <= 58:
        return pyproj.CRS.from_user_input(COUNTRY)
    lon, lat = (west + east) / 2, (south + north) / 2
    return pyproj.CRS.from_user_input(f"+proj=laea +lat_0={lat:.4f} +lon_0={lon:.4f} +datum=WGS84 +units=m +no_defs")


def unit_sphere(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points of the unit sphere, shape (n, 3), for longitudes and latitudes in degrees.

    Examples
    --------
    >>> unit_sphere(np.array([0.0, 90.0]), np.array([0.0, 0.0])).round(6).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    >>> unit_sphere(np.array([]), np.array([])).shape
    (0, 3)
    >>> np.isnan(unit_sphere(np.array([np.nan]), np.array([0.0]))).any()
    np.True_
    """
    lam, phi = np.radians(lon), np.radians(lat)
    return np.column_stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])


def degrees(spots: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return longitudes and latitudes of vectors of any length, shape (n, 3).

    Examples
    --------
    >>> lon, lat = degrees(unit_sphere(np.array([71.0, np.nan]), np.array([51.0, 0.0])))
    >>> lon.round(6).tolist(), lat.round(6).tolist()
    ([71.0, nan], [51.0, nan])
    >>> [part.tolist() for part in degrees(np.empty((0, 3)))]
    [[], []]
    """
    x, y, z = spots.T
    return np.degrees(np.arctan2(y, x)), np.degrees(np.arctan2(z, np.hypot(x, y)))


def chord_to_metres(chord: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return great-circle metres for chords of the unit sphere.

    Examples
    --------
    >>> float(chord_to_metres(np.array(0.0)))
    0.0
    >>> round(float(chord_to_metres(np.array(2.0))) / 1000)
    20015
    """
    return 2 * EARTH_RADIUS_M * np.arcsin(np.clip(chord / 2, 0, 1))


def metres_to_chord(distance_m: float) -> float:
    """Return the chord of the unit sphere for a great-circle distance in metres.

    Examples
    --------
    >>> round(float(chord_to_metres(np.array(metres_to_chord(1000.0)))), 6)
    1000.0
    """
    return float(2 * np.sin(min(distance_m / (2 * EARTH_RADIUS_M), np.pi / 2)))
