"""Settlements: points with a unique id and a population that may be unknown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kazgeo.crs import has_place, local_metres
from kazgeo.errors import InputError, listing, unknown
from kazgeo.io import Source, numbers, read_table, read_vector, set_id

if TYPE_CHECKING:
    import geopandas

__all__ = ["Located", "check", "id_column", "known", "locate", "negative", "nowhere_as_missing", "prepare", "read"]

_LON = ("lon", "longitude", "x", "lng", "долгота")
_LAT = ("lat", "latitude", "y", "широта")
#: Where a layer keeps the ids of negative numbers that have been made missing, with their places, by column.
_NEGATIVE = "negative"


@dataclass(frozen=True)
class Located:
    """Which region every settlement lies in, and how that is known.

    Parameters
    ----------
    region : Series
        Region id per settlement, missing where none is near enough.
    how : Series
        "inside", "nearest" or "outside" per settlement.
    distance_m : Series
        Metres to the region (0 inside).
    """

    region: pd.Series
    how: pd.Series
    distance_m: pd.Series


def read(source: Source | str | Path, *, population: str = "population") -> geopandas.GeoDataFrame:
    """Return checked settlements from a point layer, or from a table with longitude and latitude.

    Assumption: a table's coordinates are degrees of EPSG:4326; a population of 0 means unknown, as in GeoNames, and so
    does a negative one (``negative`` tells which).

    Parameters
    ----------
    source : Source, str or Path
        ``file|layer=NAME|id=COLUMN``; without an id column, one called id or osm_id, else the row number.
    population : str
        Column of inhabitants, if there is one.

    Returns
    -------
    GeoDataFrame
        Points; ``population`` float with NaN for unknown.

    Raises
    ------
    InputError
        Unreadable file or one error that lists all faults.
    """
    src = source if isinstance(source, Source) else Source.parse(source)
    bare = Source(src.path, src.layer)
    if src.path.suffix.lower() in {".csv", ".tsv", ".txt", ".xlsx", ".xls"}:
        layer = _points(read_table(bare), src.path)
    else:
        layer = read_vector(bare)
    if population in layer.columns:
        layer[population] = numbers(layer, population, src.path)
    name = src.id or id_column(layer)
    if name is not None:
        layer = set_id(layer, name, str(src.path), file=src.path)
    layer = prepare(layer, population=population)
    check(layer, str(src.path))
    return layer


def id_column(layer: pd.DataFrame) -> str | None:
    """Return the column that names settlements when none is said: id, osm_id or geonameid; None when there is none.

    Examples
    --------
    >>> id_column(pd.DataFrame(columns=["name", "OSM_ID"])), id_column(pd.DataFrame())
    ('OSM_ID', None)
    """
    return next((str(c) for c in layer.columns if str(c).lower() in {"id", "osm_id", "geonameid"}), None)


def nowhere_as_missing(layer: geopandas.GeoDataFrame) -> geopandas.GeoDataFrame:
    """Return the layer with points that are empty or have a NaN or infinite coordinate as missing shapes.

    Writers of files differ in how they put down a point without a place, and GEOS refuses some of them.

    Examples
    --------
    >>> import geopandas, shapely
    >>> ghosts = [shapely.Point(71, 51), shapely.Point(), shapely.Point(np.nan, np.nan), None]
    >>> nowhere_as_missing(geopandas.GeoDataFrame(geometry=ghosts)).geometry.isna().tolist()
    [False, True, True, True]
    >>> len(nowhere_as_missing(geopandas.GeoDataFrame(geometry=[])))
    0
    """
    import shapely

    shapes = layer.geometry.to_numpy()
    ghosts = np.isin(shapely.get_type_id(shapes), (0, 4)) & ~has_place(shapes)
    if not ghosts.any():
        return layer
    out = layer.copy()
    out[layer.geometry.name] = np.where(ghosts, None, shapes)
    return out


def prepare(layer: geopandas.GeoDataFrame, *, population: str = "population") -> geopandas.GeoDataFrame:
    """Return settlements with a population that is a number or missing, and multipoints of one point as points.

    Assumption: a population of 0 means unknown, as in GeoNames, and so does a negative one.

    Examples
    --------
    >>> import geopandas, shapely
    >>> towns = geopandas.GeoDataFrame({"population": ["12", "0"]}, geometry=[shapely.MultiPoint([(71, 51)]), None])
    >>> done = prepare(towns)
    >>> done.geometry.iloc[0].geom_type, done["population"].tolist(), len(prepare(towns.iloc[:0]))
    ('Point', [12.0, nan], 0)
    """
    import shapely

    shapes = layer.geometry.to_numpy()
    single = (shapely.get_type_id(shapes) == 4) & (shapely.get_num_geometries(shapes) == 1)
    if single.any() or population in layer.columns:
        layer = layer.copy()
    if single.any():
        layer[layer.geometry.name] = np.where(single, shapely.get_geometry(shapes, 0), shapes)
    layer = nowhere_as_missing(layer)
    if population in layer.columns:
        from kazgeo.parsing import parse_numbers

        layer[population] = parse_numbers(layer[population])
        layer = known(layer, population)
        layer[population] = layer[population].where(layer[population] != 0)
    return layer


def negative(layer: pd.DataFrame, column: str) -> pd.Index:
    """Return the ids of settlements with a negative number in a column, also where ``known`` has made it missing.

    Examples
    --------
    >>> towns = pd.DataFrame({"population": [5, -9999, None]}, index=["a", "b", "c"])
    >>> negative(towns, "population").tolist(), negative(known(towns, "population"), "population").tolist()
    (['b'], ['b'])
    >>> negative(pd.DataFrame({"population": ["many"]}), "population").tolist()
    []
    """
    from kazgeo.parsing import parse_numbers

    try:
        below = parse_numbers(layer[column]) < 0
    except InputError:  # whoever uses the column says it better
        return layer.index[:0]
    spots, empty = layer.attrs.get(_NEGATIVE, {}).get(str(column), {}), layer[column].isna()
    told = [i for i in layer.index[layer.index.isin(list(spots)) & empty] if _spots(layer, [i]) == {i: spots[i]}]
    return layer.index[below.to_numpy() | layer.index.isin(told)]


def _spots(layer: Any, ids: Iterable[Any]) -> dict[Any, tuple[float, ...] | None]:
    """Return where units lie, to a metre, by id: a layer with new ids is told from one with fewer rows."""
    if not hasattr(layer, "geometry"):
        return dict.fromkeys(ids)
    shapes = layer.geometry[layer.index.isin(list(ids))]
    bounds = (shapes if shapes.crs is None else shapes.to_crs(4326)).bounds.round(5)
    return {i: None if np.isnan(box).any() else tuple(box.tolist())
            for i, box in zip(bounds.index, bounds.to_numpy(), strict=True)}  # fmt: skip


def known(layer: Any, column: str) -> Any:
    """Return the layer with negative numbers of a column as missing; ``negative`` still tells which they were.

    Examples
    --------
    >>> known(pd.DataFrame({"population": [5, -9999]}), "population")["population"].tolist()
    [5.0, nan]
    """
    from kazgeo.parsing import parse_numbers

    ids = negative(layer, column)
    if not len(ids):
        return layer
    people = parse_numbers(layer[column])
    out = layer.assign(**{column: people.where(~(people < 0))})
    kept = {**layer.attrs.get(_NEGATIVE, {}), str(column): _spots(layer, ids)}
    out.attrs = {**layer.attrs, _NEGATIVE: kept}
    return out


def _points(table: pd.DataFrame, path: Path) -> geopandas.GeoDataFrame:
    import geopandas

    columns = {str(c).strip().lower(): c for c in table.columns}
    lon = next((columns[c] for c in _LON if c in columns), None)
    lat = next((columns[c] for c in _LAT if c in columns), None)
    if lon is None or lat is None:
        raise unknown("column", "lon" if lon is None else "lat", table.columns, f"a column of {path}")
    x, y = numbers(table, lon, path), numbers(table, lat, path)
    return geopandas.GeoDataFrame(table, geometry=geopandas.points_from_xy(x, y), crs=4326)


def check(settlements: geopandas.GeoDataFrame, name: str = "settlements") -> None:
    """Raise one error that lists every fault; return nothing when there is none.

    Raises
    ------
    InputError
        No CRS, repeated ids, lines or polygons, coordinates that are no degrees (swapped?), empty layer.

    Examples
    --------
    >>> import geopandas
    >>> good = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy([71.4], [51.1]), index=["a"], crs=4326)
    >>> check(good)
    >>> check(good.iloc[:0])
    Traceback (most recent call last):
    kazgeo.errors.InputError: settlements: the layer has no feature
    >>> check(geopandas.GeoDataFrame(geometry=geopandas.points_from_xy([51.1], [171.4]), index=["a"], crs=4326))
    Traceback (most recent call last):
    kazgeo.errors.InputError: settlements: coordinates are no degrees; longitude and latitude may be swapped: 'a'
    """
    import shapely

    found: list[str] = []
    if not len(settlements):
        raise InputError(f"{name}: the layer has no feature")
    if settlements.crs is None:
        found.append("the layer declares no CRS; set it (for longitudes and latitudes EPSG:4326)")
    twice = settlements.index[settlements.index.duplicated()].unique()
    if len(twice):
        found.append(f"ids must be unique; repeated: {listing(twice)}")
    shapes = settlements.geometry.to_numpy()
    there = has_place(shapes)
    other = there & (shapely.get_type_id(shapes) != 0)
    if other.any():
        found.append(f"points wanted; other shapes are: {listing(settlements.index[other])}")
    if settlements.crs is not None and settlements.crs.is_geographic:
        dots = np.flatnonzero(there & ~other)  # GEOS has no x of an empty point
        x, y = shapely.get_x(shapes[dots]), shapely.get_y(shapes[dots])
        wild = (np.abs(y) > 90) | (np.abs(x) > 360)
        if wild.any():
            ids = listing(settlements.index[dots[wild]])
            found.append(f"coordinates are no degrees; longitude and latitude may be swapped: {ids}")
    if found:
        raise InputError(f"{name}: " + "; ".join(found))


def locate(
    settlements: geopandas.GeoDataFrame, regions: geopandas.GeoDataFrame, *, within_m: float = 10_000.0
) -> Located:
    """Return the region of every settlement by its place.

    Assumption: a settlement on the shore or on a generalised border belongs to the nearest region when that is no
    farther than ``within_m``; one on the very border belongs to the region that comes first by id.

    Parameters
    ----------
    settlements : GeoDataFrame
        Points; those without a place get no region.
    regions : GeoDataFrame
        Polygons.
    within_m : float
        Metres.

    Returns
    -------
    Located

    Raises
    ------
    InputError
        No CRS, no region, or most settlements outside that would lie inside with longitude and latitude swapped.

    Examples
    --------
    >>> import geopandas, shapely
    >>> land = geopandas.GeoDataFrame(geometry=[shapely.box(70, 50, 72, 52)], index=["11"], crs=4326)
    >>> at = geopandas.points_from_xy([71.4, 72.05, 80.0], [51.1, 51.1, 45.0])
    >>> towns = geopandas.GeoDataFrame(geometry=at, index=["a", "b", "c"], crs=4326)
    >>> found = locate(towns, land)
    >>> found.how.tolist(), found.region.isna().tolist()
    (['inside', 'nearest', 'outside'], [False, False, True])
    >>> locate(geopandas.GeoDataFrame(geometry=geopandas.points_from_xy([51.1], [71.4]), crs=4326), land)
    Traceback (most recent call last):
    kazgeo.errors.InputError: settlements: 1 of 1 lie outside all regions, but inside with longitude and latitude
    swapped; swap the columns
    """
    import geopandas
    import shapely

    for what, layer in (("settlements", settlements), ("regions", regions)):
        if layer.crs is None:
            raise InputError(f"{what} declare no CRS; set it (for longitudes and latitudes EPSG:4326)")
    if not has_place(regions.geometry.to_numpy()).any():
        raise InputError("regions: the layer has no feature with a place, so no settlement lies in one")
    regions = regions.iloc[np.argsort(regions.index.map(str).to_numpy(dtype=object), kind="stable")]
    frame = local_metres(regions)
    shapes = regions.geometry.to_crs(frame).to_numpy()
    places = settlements.geometry.to_crs(frame).to_numpy()
    there = np.flatnonzero(has_place(places))
    nearest, distance = _nearest(shapes, places[there])
    if settlements.crs.is_geographic and (distance > within_m).sum() > len(there) / 2:
        turned = geopandas.GeoSeries(
            shapely.transform(settlements.geometry.to_numpy()[there], lambda c: c[:, ::-1]), crs=settlements.crs
        )
        legal = (np.abs(turned.y) <= 90).to_numpy()
        _, other = _nearest(shapes, turned[legal].to_crs(frame).to_numpy())
        if legal.all() and (other <= within_m).sum() > len(there) / 2:
            raise InputError(
                f"settlements: {int((distance > within_m).sum())} of {len(there)} lie outside all regions, but inside "
                "with longitude and latitude swapped; swap the columns"
            )
    region = pd.Series(None, index=settlements.index, dtype=object, name="region")
    how = pd.Series("outside", index=settlements.index, name="region_how")
    metres = pd.Series(np.nan, index=settlements.index, name="region_distance_m")
    near = distance <= within_m
    region.iloc[there[near]] = regions.index.to_numpy(dtype=object)[nearest[near]]
    how.iloc[there] = np.where(distance == 0, "inside", np.where(near, "nearest", "outside"))
    metres.iloc[there] = distance
    return Located(region, how, metres)


def _nearest(shapes: Any, places: Any) -> tuple[Any, Any]:
    """Return position of the nearest shape and the distance to it; on a border the first region by id."""
    import shapely

    if not len(places):
        return np.empty(0, int), np.empty(0)
    tree = shapely.STRtree(shapes)
    (of, which), distance = tree.query_nearest(places, return_distance=True, all_matches=True)
    order = np.lexsort((which, of))
    first = np.unique(of[order], return_index=True)[1]
    return which[order][first], distance[order][first]
