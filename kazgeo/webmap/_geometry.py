"""Geometry for the screen: one entry per distinct geometry, simplified with shared borders, as small integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

if TYPE_CHECKING:
    import geopandas
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["Shape", "ShapePool", "coverage_for_screen", "encode", "kind_of"]

Kind = Literal["polygon", "point", "line"]

#: 4 decimals of a degree: 11 m.
SCALE = 10_000
#: A screen's width in pixels times the zoom that a reader will use.
_STEPS_ACROSS = 4_000
#: coverage_clean may move this share of a polygon's area; more means that overlaps are meant.
_CLEAN_SHARE = 0.05

_KINDS: dict[str, Kind] = {
    "Polygon": "polygon",
    "MultiPolygon": "polygon",
    "Point": "point",
    "MultiPoint": "point",
    "LineString": "line",
    "MultiLineString": "line",
    "LinearRing": "line",
}


def kind_of(geometry: geopandas.GeoSeries) -> set[str]:
    """Return the kinds among the drawable geometries: "polygon", "point", "line", or the name of another type."""
    drawable = geometry[~(geometry.isna() | geometry.is_empty)]
    return {_KINDS.get(str(name), str(name)) for name in drawable.geom_type}


@dataclass(frozen=True)
class Shape:
    """One distinct geometry of the page.

    Parameters
    ----------
    kind : "polygon", "point" or "line"
        What is drawn.
    index : pandas.Index
        Labels in the order of the page's arrays.
    coordinates : list
        Per unit: nested lists of integers (see ``encode``), None for a unit without a place.
    order : list of int
        Units in drawing order, the largest polygon first so that a small one inside it is seen.
    bounds : tuple of float
        West, south, east, north in degrees.
    """

    kind: Kind
    index: pd.Index
    coordinates: list[Any]
    order: list[int]
    bounds: tuple[float, float, float, float]

    @property
    def placed(self) -> NDArray[np.bool_]:
        """Which units are drawn."""
        return np.array([c is not None for c in self.coordinates], dtype=bool)


@dataclass
class ShapePool:
    """The page's geometries, each once: equal means the same labels with the same geometry, in any row order."""

    shapes: list[Shape] = field(default_factory=list)
    _known: dict[object, int] = field(default_factory=dict)

    def add(self, data: geopandas.GeoDataFrame) -> int:
        """Return the number of the shape for the data's geometry, made when it is new."""
        import shapely

        geometry = data.geometry
        codes = shapely.to_wkb(geometry.to_numpy())
        key = (geometry.crs.to_wkt(), frozenset(zip(data.index, codes, strict=True)))
        if key not in self._known:
            self._known[key] = len(self.shapes)
            self.shapes.append(_shape(geometry))
        return self._known[key]


def _shape(geometry: geopandas.GeoSeries) -> Shape:
    import shapely

    degrees = geometry.to_crs(4326)
    kind = cast("Kind", next(iter(kind_of(degrees))))
    parts = shapely.force_2d(degrees.to_numpy())
    parts[shapely.is_missing(parts) | shapely.is_empty(parts)] = None
    west, south, east, north = (float(b) for b in degrees.total_bounds)
    drawn = np.flatnonzero(~shapely.is_missing(parts))
    order = [int(i) for i in drawn[np.argsort(-shapely.area(parts[drawn]), kind="stable")]]
    tolerance = max(east - west, north - south) / _STEPS_ACROSS
    if kind == "polygon":
        parts[drawn] = coverage_for_screen(parts[drawn], tolerance)
    elif kind == "line":
        parts[drawn] = shapely.simplify(parts[drawn], tolerance / 2)
    return Shape(kind, geometry.index, [encode(p) for p in parts], order, (west, south, east, north))


def coverage_for_screen(polygons: NDArray[Any], tolerance: float) -> NDArray[Any]:
    """Return polygons with fewer vertices whose shared borders are still shared.

    Polygons that overlap on purpose (nested catchments) are no coverage: they come back with all their vertices,
    because simplifying each alone would tear neighbours apart.

    Parameters
    ----------
    polygons : ndarray of shapely geometries
        Polygons and MultiPolygons, none missing.
    tolerance : float
        Square root of the smallest triangle that is kept, in the units of the coordinates.

    Returns
    -------
    ndarray of shapely geometries

    References
    ----------
    Visvalingam, M., Whyatt, J. D. (1993). Line generalisation by repeated elimination of points. The Cartographic
    Journal 30(1), 46-51. https://doi.org/10.1179/000870493786962263

    Examples
    --------
    >>> import shapely
    >>> pair = np.array([shapely.from_wkt("POLYGON ((0 0, 0 5, 5 5, 5.1 2, 5 0, 0 0))"),
    ...                  shapely.from_wkt("POLYGON ((5 0, 5.1 2, 5 5, 9 5, 9 0, 5 0))")])
    >>> [len(p.exterior.coords) for p in coverage_for_screen(pair, 1.0)]
    [5, 5]
    >>> coverage_for_screen(np.array([], dtype=object), 1.0).tolist()
    []
    """
    import shapely

    if len(polygons) == 0:
        return polygons
    valid = np.array([p if p.is_valid else _polygonal(shapely.make_valid(p)) for p in polygons], dtype=object)
    if not shapely.coverage_is_valid(valid):
        cleaned = _cleaned(valid)
        if cleaned is None:
            return valid
        valid = cleaned
    simple = shapely.coverage_simplify(valid, tolerance)
    gone = shapely.is_empty(simple)
    simple[gone] = valid[gone]
    out: NDArray[Any] = simple
    return out


def _cleaned(polygons: NDArray[Any]) -> NDArray[Any] | None:
    import shapely

    clean = getattr(shapely, "coverage_clean", None)  # shapely 2.2, GEOS 3.14
    if clean is None:
        before, union = shapely.area(polygons).sum(), shapely.union_all(polygons).area
        return polygons if before - union <= _CLEAN_SHARE / 10 * before else None
    cleaned: NDArray[Any] = clean(polygons)
    before = shapely.area(polygons)
    moved = shapely.area(shapely.symmetric_difference(cleaned, polygons))
    return cleaned if (moved <= _CLEAN_SHARE * before).all() else None


def _polygonal(geometry: Any) -> Any:
    import shapely

    flat = shapely.get_parts(shapely.get_parts(geometry)) if geometry.geom_type == "GeometryCollection" else [geometry]
    areas = [g for g in flat if g.geom_type in {"Polygon", "MultiPolygon"}]
    return shapely.union_all(areas) if areas else geometry


def encode(geometry: Any) -> list[Any] | None:
    """Return a geometry as nested lists of integers: ten-thousandths of a degree, each step from the one before.

    A polygon is a list of parts, each a list of rings, each ``[x0, y0, dx, dy, ...]`` left open; a line is a list of
    paths; a point is ``[x, y]``.

    Examples
    --------
    >>> import shapely
    >>> encode(shapely.Point(71.43, 51.16))
    [714300, 511600]
    >>> encode(shapely.box(0, 0, 1, 1))
    [[[10000, 0, 0, 10000, -10000, 0, 0, -10000]]]
    >>> encode(None), encode(shapely.Point())
    (None, None)
    """
    if geometry is None or geometry.is_empty:
        return None
    kind = _KINDS[geometry.geom_type]
    parts = list(getattr(geometry, "geoms", [geometry]))
    if kind == "point":
        return [int(c) for c in np.rint(np.array(parts[0].coords[0]) * SCALE)]
    if kind == "line":
        return [_steps(p.coords, 2) for p in parts if not p.is_empty]
    rings = [[_steps(r.coords, 4) for r in (p.exterior, *p.interiors)] for p in parts if not p.is_empty]
    # a ring of less than the rounding has no inside any more; the unit's outer ring stays, as a dot
    kept = [[part[0], *(r for r in part[1:] if len(r) >= 6)] for part in rings if len(part[0]) >= 6]
    return kept or [[rings[0][0]]]


def _steps(coordinates: Sequence[Any], least: int) -> list[int]:
    xy = np.rint(np.asarray(coordinates)[:, :2] * SCALE).astype(np.int64)
    keep = np.ones(len(xy), dtype=bool)
    keep[1:] = (np.diff(xy, axis=0) != 0).any(axis=1)
    xy = xy[keep]
    if least == 4 and len(xy) > 1:
        xy = xy[:-1]
    steps: list[int] = np.vstack([xy[:1], np.diff(xy, axis=0)]).ravel().tolist()
    return steps
