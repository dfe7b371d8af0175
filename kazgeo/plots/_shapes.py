"""Geometries on their way to paper: checked, projected, clipped and thinned to what the sheet can show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kazgeo.errors import InputError

if TYPE_CHECKING:
    import geopandas
    from numpy.typing import NDArray

    from kazgeo.plots._graticule import Frame

__all__ = ["clip_to", "kind_of", "lines_of", "path_of", "require_crs", "thinned"]

_THIN_ABOVE = 4_000  # vertices; below it thinning costs more than it saves


def require_crs(data: geopandas.GeoDataFrame, what: str) -> None:
    """Refuse a layer that does not declare its CRS."""
    if data.crs is None:
        raise InputError(
            f"{what} has no CRS: a map needs one; got crs=None; declare it, for instance "
            "data.set_crs('EPSG:4326') when coordinates are longitude and latitude"
        )


def kind_of(data: geopandas.GeoDataFrame, what: str) -> str:
    """Return "polygon", "line" or "point" for a layer of one kind, else refuse it."""
    import shapely

    dimension = shapely.get_dimensions(data.geometry.to_numpy())
    kinds = sorted(set(dimension[dimension >= 0].tolist()))
    names = {0: "point", 1: "line", 2: "polygon"}
    if len(kinds) == 1:
        return names[kinds[0]]
    if not kinds:
        raise InputError(
            f"{what} has no geometry to draw: all {len(data)} are missing or empty; give polygons, lines or points"
        )
    got = " and ".join(f"{names[k]}s" for k in kinds)
    raise InputError(f"{what} must be polygons, lines or points, one kind; got {got}; draw each kind as its own theme")


def path_of(geometries: NDArray[Any]) -> Any:
    """Return one matplotlib path of all polygons, holes left open."""
    import shapely
    from matplotlib.path import Path

    parts = shapely.get_parts(geometries)
    parts = shapely.get_parts(parts[shapely.get_dimensions(parts) == 2])  # second: parts of collections
    parts = shapely.orient_polygons(parts[shapely.get_type_id(parts) == 3])
    rings = shapely.get_rings(parts)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    codes = np.full(len(points), Path.LINETO, dtype=Path.code_type)
    if len(points):
        first = np.r_[True, ring[1:] != ring[:-1]]
        codes[first] = Path.MOVETO
        codes[np.r_[first[1:], True]] = Path.CLOSEPOLY
    return Path(points, codes)


def lines_of(geometries: NDArray[Any]) -> list[NDArray[np.float64]]:
    """Return the coordinates of every line, or of every boundary of polygons."""
    import shapely

    flat = np.where(shapely.get_dimensions(geometries) == 2, shapely.boundary(geometries), geometries)
    parts = shapely.get_parts(shapely.get_parts(flat))
    parts = parts[shapely.get_dimensions(parts) == 1]
    points, which = shapely.get_coordinates(parts, return_index=True)
    return [line for line in np.split(points, np.flatnonzero(np.diff(which)) + 1) if len(line) > 1]


def thinned(geometries: NDArray[Any], tolerance_m: float) -> NDArray[Any]:
    """Thin polygons or lines to the resolution of the sheet; shared borders stay shared."""
    import shapely

    if shapely.get_num_coordinates(geometries).sum() < _THIN_ABOVE:
        return geometries
    if shapely.get_dimensions(geometries).max() == 2:
        simple = np.isin(shapely.get_type_id(geometries), (3, 6)).all() and shapely.is_valid(geometries).all()
        return np.asarray(shapely.coverage_simplify(geometries, tolerance_m)) if simple else geometries
    return np.asarray(shapely.simplify(geometries, tolerance_m, preserve_topology=False))


def clip_to(data: geopandas.GeoDataFrame, frame: Frame, what: str, tolerance_m: float) -> NDArray[Any]:
    """Return a backdrop layer's geometries in the frame's CRS, cut to the frame and thinned."""
    import shapely

    require_crs(data, what)
    geometries = data.geometry
    if data.crs.is_geographic:
        # cut in degrees first: far countries break in a local projection
        west, south, east, north = frame.lonlat_bounds
        pad = 0.05 * max(east - west, north - south)
        box = (west - pad, max(south - pad, -89.9), east + pad, min(north + pad, 89.9))
        near = geometries.cx[box[0] : box[2], box[1] : box[3]]
        geometries = near.clip_by_rect(*box)
    projected = geometries.to_crs(frame.crs).to_numpy()
    projected = projected[~(shapely.is_missing(projected) | shapely.is_empty(projected))]
    slack = 0.02 * (frame.east - frame.west)
    limits = (frame.west - slack, frame.south - slack, frame.east + slack, frame.north + slack)
    finite = np.isfinite(shapely.bounds(projected)).all(axis=1) if len(projected) else np.zeros(0, dtype=bool)
    cut = shapely.clip_by_rect(projected[finite], *limits)
    cut = cut[~shapely.is_empty(cut)]
    if len(cut) and shapely.get_dimensions(cut).max() > 0:
        cut = np.asarray(shapely.simplify(cut, tolerance_m, preserve_topology=False))
    return np.asarray(cut[~shapely.is_empty(cut)])
