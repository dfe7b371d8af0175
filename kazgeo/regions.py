"""Regions: polygons of one administrative level, indexed by KATO or any unique id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kazgeo.crs import has_place, local_metres
from kazgeo.errors import InputError, listing
from kazgeo.io import Source, read_vector, set_id

if TYPE_CHECKING:
    import geopandas

__all__ = [
    "Alignment",
    "Fault",
    "Repaired",
    "align",
    "area_km2",
    "check",
    "dissolve",
    "faults",
    "id_column",
    "read",
    "repair",
]


@dataclass(frozen=True)
class Fault:
    """One kind of fault and the units that have it.

    Parameters
    ----------
    kind : str
        "repeated id", "no CRS", "invalid polygon", "no geometry", "not a polygon", "out of range", "empty layer".
    ids : tuple
        Units concerned; empty when the whole layer is.
    text : str
        What is wrong and how to mend it.
    """

    kind: str
    ids: tuple[Any, ...]
    text: str


@dataclass(frozen=True)
class Repaired:
    """Repaired regions and what the repair changed.

    Parameters
    ----------
    regions : GeoDataFrame
        Valid polygons on the same index.
    changed : DataFrame
        Per repaired unit: reason, area_before_km2, area_after_km2, change_km2.
    """

    regions: geopandas.GeoDataFrame
    changed: pd.DataFrame


@dataclass(frozen=True)
class Alignment:
    """Two label sets compared: what joins and what is left over.

    Parameters
    ----------
    common, only_left, only_right : Index
        Ids of both, of the first only, of the second only, each in the order of its own side.
    """

    common: pd.Index
    only_left: pd.Index
    only_right: pd.Index


def faults(regions: geopandas.GeoDataFrame) -> list[Fault]:
    """Return every fault of a layer of regions at once; an empty list when there is none.

    Examples
    --------
    >>> import geopandas, shapely
    >>> bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    >>> layer = geopandas.GeoDataFrame(geometry=[bow, shapely.box(2, 0, 3, 1)], index=["a", "a"])
    >>> [f.kind for f in faults(layer)]
    ['no CRS', 'repeated id', 'invalid polygon']
    >>> [f.kind for f in faults(layer.iloc[:0].set_crs(4326))]
    ['empty layer']
    >>> faults(geopandas.GeoDataFrame(geometry=[shapely.box(70, 50, 71, 51)], index=["a"], crs=4326))
    []
    """
    import shapely

    found: list[Fault] = []

    def add(kind: str, mask: Any, text: str) -> None:
        ids = tuple(regions.index[np.asarray(mask)])
        if ids:
            found.append(Fault(kind, ids, f"{text}: {listing(ids)}"))

    if not len(regions):
        return [Fault("empty layer", (), "the layer has no feature")]
    if regions.crs is None:
        found.append(Fault("no CRS", (), "the layer declares no CRS; set it (for longitudes and latitudes EPSG:4326)"))
    shapes = regions.geometry.to_numpy()
    missing = ~has_place(shapes)
    kinds = shapely.get_type_id(shapes)
    polygon = (kinds == 3) | (kinds == 6)
    add("repeated id", regions.index.duplicated(keep=False), "ids must be unique; repeated")
    add("no geometry", missing, "without a geometry")
    add("not a polygon", ~missing & ~polygon, "polygons wanted; points, lines or collections are")
    bad = ~missing & polygon & ~shapely.is_valid(shapes)
    if bad.any():
        ids = regions.index[bad]
        reasons = [f"{i!r} ({r})" for i, r in zip(ids, shapely.is_valid_reason(shapes[bad]), strict=True)]
        shown = ", ".join(reasons[:5]) + (f" and {len(reasons) - 5} more" if len(reasons) > 5 else "")
        text = f"invalid polygons, repaired on request (repair): {shown}"
        found.append(Fault("invalid polygon", tuple(ids), text))
    if regions.crs is not None and regions.crs.is_geographic:
        west, south, east, north = shapely.bounds(shapes).T
        add(
            "out of range",
            ~missing & ((south < -90) | (north > 90) | (west < -180) | (east > 360)),
            "coordinates are no degrees, or longitude and latitude are swapped",
        )
    return found


def check(regions: geopandas.GeoDataFrame, name: str = "regions") -> None:
    """Raise one error that lists every fault; return nothing when there is none.

    Raises
    ------
    InputError
        Listing all faults with the ids of the units.
    """
    found = faults(regions)
    if found:
        count = f"{len(found)} faults" if len(found) > 1 else "a fault"
        raise InputError(f"{name}: {count}: " + "; ".join(f.text for f in found))


def read(source: Source | str | Path, *, repair_invalid: bool = False) -> geopandas.GeoDataFrame:
    """Return checked regions from any file OGR reads.

    Assumption: the id is the column named in the source, else a column called kato (in any case), else the row number.

    Parameters
    ----------
    source : Source, str or Path
        ``file|layer=NAME|id=COLUMN``.
    repair_invalid : bool
        Repair self-crossing polygons instead of refusing them; ``repair`` tells what changed.

    Raises
    ------
    InputError
        Unreadable file, or one error listing all faults.
    """
    src = source if isinstance(source, Source) else Source.parse(source)
    layer = read_vector(src)
    named = id_column(layer) if src.id is None else None
    layer = set_id(layer, named, str(src.path)) if named is not None else layer
    if repair_invalid:
        layer = repair(layer).regions
    check(layer, str(src.path))
    return layer


def id_column(layer: pd.DataFrame) -> str | None:
    """Return the column that names regions when none is said: kato, in any case; None when there is none.

    Examples
    --------
    >>> id_column(pd.DataFrame(columns=["name", "KATO"])), id_column(pd.DataFrame())
    ('KATO', None)
    """
    return next((str(c) for c in layer.columns if str(c).lower() == "kato"), None)


def repair(regions: geopandas.GeoDataFrame) -> Repaired:
    """Return the regions with invalid polygons made valid, and by how much each area changed.

    Assumption: the "structure" method of GEOS: a self-crossing ring keeps the area of its outer parts;
    lines and points that fall out of the repair are left out.

    Parameters
    ----------
    regions : GeoDataFrame
        With a CRS.

    Returns
    -------
    Repaired

    Raises
    ------
    InputError
        When the layer has no CRS (areas would have no unit).

    Examples
    --------
    >>> import geopandas, shapely
    >>> bow = shapely.Polygon([(0, 0), (2000, 2000), (2000, 0), (0, 2000)])
    >>> layer = geopandas.GeoDataFrame(geometry=[bow, None], index=["a", "b"], crs=32642)
    >>> done = repair(layer)
    >>> done.changed.index.tolist(), bool(done.regions.geometry.loc["a"].is_valid)
    (['a'], True)
    >>> len(repair(layer.iloc[:0]).changed)
    0
    """
    import shapely

    if regions.crs is None:
        raise InputError("regions declare no CRS; set it before repairing, or areas have no unit")
    shapes = regions.geometry.to_numpy().copy()
    bad = np.flatnonzero(~shapely.is_missing(shapes) & ~shapely.is_valid(shapes))
    reasons = shapely.is_valid_reason(shapes[bad])
    fixed = shapely.make_valid(shapes[bad], method="structure", keep_collapsed=False)
    out = regions.copy()
    shapes[bad] = [_polygons_only(g) for g in fixed]
    out[out.geometry.name] = shapes
    before, after = area_km2(regions.iloc[bad]), area_km2(out.iloc[bad])
    changed = pd.DataFrame(
        {"reason": reasons, "area_before_km2": before, "area_after_km2": after, "change_km2": after - before},
        index=regions.index[bad],
    )
    return Repaired(out, changed)


def _polygons_only(shape: Any) -> Any:
    import shapely

    if shape.geom_type != "GeometryCollection":
        return shape
    return shapely.union_all([g for g in shape.geoms if g.geom_type in {"Polygon", "MultiPolygon"}])


def area_km2(regions: geopandas.GeoDataFrame) -> pd.Series:
    """Return areas in square kilometres, measured in an equal-area projection (never in degrees or Web Mercator).

    Examples
    --------
    >>> import geopandas, shapely
    >>> layer = geopandas.GeoDataFrame(geometry=[shapely.box(66, 47, 67, 48), None], index=["a", "b"], crs=4326)
    >>> area_km2(layer).round().tolist()
    [8376.0, nan]
    """
    if regions.crs is None:
        raise InputError("regions declare no CRS, so areas have no unit; set it with regions.set_crs(...)")
    if not len(regions):
        return pd.Series([], dtype=float, index=regions.index, name="area_km2")
    return (regions.geometry.to_crs(local_metres(regions)).area / 1e6).rename("area_km2")


def align(left: pd.Index, right: pd.Index) -> Alignment:
    """Compare two sets of ids by label, so that nothing is joined or lost by position.

    Examples
    --------
    >>> import pandas as pd
    >>> a = align(pd.Index(["19", "63"]), pd.Index(["63", "10"]))
    >>> list(a.common), list(a.only_left), list(a.only_right)
    (['63'], ['19'], ['10'])
    >>> len(align(pd.Index([]), pd.Index([])).common)
    0
    """
    for name, ids in (("left", left), ("right", right)):
        if not ids.is_unique:
            raise InputError(f"{name} ids must be unique; repeated: {listing(ids[ids.duplicated()].unique())}")
    return Alignment(left[left.isin(right)], left[~left.isin(right)], right[~right.isin(left)])


def dissolve(regions: geopandas.GeoDataFrame, into: Mapping[Any, Any] | pd.Series) -> geopandas.GeoDataFrame:
    """Return the regions merged into larger ones.

    Assumption: parts of a whole share borders; a crack of digitising between them (a hole whose area
    is under 1/10 000 of its perimeter squared) is closed.

    Parameters
    ----------
    regions : GeoDataFrame
        Valid polygons.
    into : mapping or Series
        Unit to the id of its whole; units that are not named keep their own id.

    Returns
    -------
    GeoDataFrame
        One row per whole, geometry only, column ``parts`` with the number of parts.

    Raises
    ------
    InputError
        When a named unit isn't in the layer, or the layer has faults.

    Examples
    --------
    >>> import geopandas, shapely
    >>> halves = geopandas.GeoDataFrame(
    ...     geometry=[shapely.box(60, 47, 61, 48), shapely.box(61, 47, 62, 48)], index=["61", "79"], crs=4326)
    >>> dissolve(halves, {"61": "51", "79": "51"}).parts.to_dict()
    {'51': 2}
    >>> dissolve(halves, {"99": "51"})
    Traceback (most recent call last):
    kazgeo.errors.InputError: dissolve names units that are not in the layer: '99'
    """
    import geopandas

    check(regions)
    table = pd.Series(dict(into), dtype=object)
    strange = table.index[~table.index.isin(regions.index)]
    if len(strange):
        raise InputError(f"dissolve names units that are not in the layer: {listing(strange)}")
    target = pd.Index([table.get(i, i) for i in regions.index], name=regions.index.name)
    groups = regions.geometry.groupby(target, sort=True)
    shapes = groups.agg(_merge)
    out = geopandas.GeoDataFrame({"parts": groups.size()}, geometry=geopandas.GeoSeries(shapes, crs=regions.crs))
    return out


def _merge(shapes: Any) -> Any:
    """Return the union of parts without hairline holes."""
    import shapely

    if len(shapes) == 1:
        return shapes.iloc[0]
    whole = shapely.union_all(shapes.to_numpy())
    parts = []
    for part in shapely.get_parts(whole):
        rings = [r for r in part.interiors if not _hairline(r)]
        parts.append(shapely.Polygon(part.exterior, rings))
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _hairline(ring: Any) -> bool:
    """Tell whether a hole is a crack of digitising: far thinner than it is long."""
    import shapely

    area = shapely.Polygon(ring).area
    return bool(area < 1e-4 * ring.length**2)
