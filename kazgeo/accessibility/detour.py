"""Detour index: metres by road over straight metres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kazgeo.accessibility.nearest import nearest
from kazgeo.crs import has_place
from kazgeo.errors import InputError, listing
from kazgeo.network import Attached
from kazgeo.progress import Progress, silent
from kazgeo.routing.along import along
from kazgeo.ties import rounded

if TYPE_CHECKING:
    import geopandas
    from numpy.typing import NDArray

__all__ = ["Detours", "detour_index", "detour_pairs"]


@dataclass(frozen=True)
class Detours:
    """Ways by road against straight ones.

    Parameters
    ----------
    table : DataFrame
        ``road_m`` (the shortest way, legs off the road included), ``straight_m`` (geodesic) and ``detour`` (their
        ratio); by place with ``destination``, or with columns origin and destination. NaN where there is no way, and
        where both are one place.
    dropped : DataFrame
        Columns unit, reason.
    """

    table: pd.DataFrame
    dropped: pd.DataFrame


def detour_index(attached: Attached, points: geopandas.GeoDataFrame, destinations: pd.Index) -> Detours:
    r"""Return how much longer the way to the nearest destination is by road than straight.

    Assumption: the shortest way, whatever its speed; roads that are closed stay closed. The nearest destination is
    that by road.

    Parameters
    ----------
    attached : Attached
        Places tied to a network.
    points : GeoDataFrame
        The places' points with a CRS, by the same ids.
    destinations : Index
        Ids of places.

    Returns
    -------
    Detours

    Raises
    ------
    InputError
        As of ``nearest``; places without a point.

    Notes
    -----
    .. math:: D_{ij} = d^{road}_{ij} / d^{geodesic}_{ij}

    With legs off the road counted as ``attach`` did (detour included), it is 1 or more but for lengths of the network
    that are shorter than the ground.

    References
    ----------
    Barthélemy, M. (2011). Spatial networks. Physics Reports 499, 1-101. https://doi.org/10.1016/j.physrep.2010.11.002
    (route factor)

    Examples
    --------
    >>> import geopandas
    >>> from kazgeo.network import attach, from_edges
    >>> nodes = pd.DataFrame({"lon": [71.0, 72.0], "lat": [51.0, 51.0]}, index=["a", "b"])
    >>> edges = pd.DataFrame({"from_id": ["a"], "to_id": ["b"], "length_km": [105.3]})
    >>> at = geopandas.points_from_xy([71.0, 72.0, 60.0], [51.0, 51.0, 45.0])
    >>> towns = geopandas.GeoDataFrame(geometry=at, index=["A", "B", "far"], crs=4326)
    >>> tied = attach(from_edges(edges, nodes), towns)
    >>> found = detour_index(tied, towns, pd.Index(["A"]))
    >>> found.table["detour"].round(2).tolist(), found.dropped["unit"].tolist()
    ([nan, 1.5, nan], ['far'])
    """
    metres = attached.by_length()
    found = nearest(metres, destinations)
    there = found.destination.notna().to_numpy()
    spots = _spots(attached, points)
    straight = np.full(len(attached.ids), np.nan)
    to = attached.ids.get_indexer(found.destination[there])
    straight[there] = _geodesic(spots[there], spots[to])
    road = found.time_s.to_numpy()
    table = pd.DataFrame({
        "destination": found.destination, "road_m": road, "straight_m": straight, "detour": _ratio(road, straight),
    }, index=attached.ids)  # fmt: skip
    return Detours(table, found.dropped)


def detour_pairs(
    attached: Attached, points: geopandas.GeoDataFrame, pairs: pd.DataFrame, *, progress: Progress = silent
) -> Detours:
    """Return how much longer the ways between given places are by road than straight.

    Assumption: as of ``detour_index``.

    Parameters
    ----------
    attached : Attached
        Places tied to a network.
    points : GeoDataFrame
        The places' points with a CRS, by the same ids.
    pairs : DataFrame
        Columns origin and destination: ids of places.
    progress : Progress
        Reporter.

    Returns
    -------
    Detours
        In the order of the pairs; in ``dropped`` a unit is a pair without a way.

    Raises
    ------
    InputError
        Ids that are not among the places, places without a point, a matrix that would not fit in memory.

    Examples
    --------
    >>> import geopandas
    >>> from kazgeo.network import attach, from_edges
    >>> nodes = pd.DataFrame({"lon": [71.0, 72.0], "lat": [51.0, 51.0]}, index=["a", "b"])
    >>> edges = pd.DataFrame({"from_id": ["a"], "to_id": ["b"], "length_km": [105.3]})
    >>> at = geopandas.points_from_xy([71.0, 72.0, 60.0], [51.0, 51.0, 45.0])
    >>> towns = geopandas.GeoDataFrame(geometry=at, index=["A", "B", "far"], crs=4326)
    >>> pairs = pd.DataFrame({"origin": ["A", "A"], "destination": ["B", "far"]})
    >>> found = detour_pairs(attach(from_edges(edges, nodes), towns), towns, pairs)
    >>> found.table["detour"].round(2).tolist(), found.dropped.values.tolist()
    ([1.5, nan], [[('A', 'far'), 'no way by road']])
    >>> len(detour_pairs(attach(from_edges(edges, nodes), towns), towns, pairs.iloc[:0]).table)
    0
    """
    from kazgeo.routing.hierarchy import matrix

    for column in ("origin", "destination"):
        if column not in pairs.columns:
            raise InputError(f"pairs must have columns origin and destination; {column} is missing")
    metres = attached.by_length()
    origins, goals = (metres.take(pd.Index(pairs[c].unique())) for c in ("origin", "destination"))
    spots = _spots(attached, points)
    road = matrix(metres.network, origins.leaving(), goals.arriving(), progress=progress)
    road = np.where(np.isnan(road), np.inf, road)
    for p in along(origins, goals):
        np.minimum.at(road, (p.origin, p.destination), p.time_s)
    i, j = (a.ids.get_indexer(pairs[c]) for a, c in ((origins, "origin"), (goals, "destination")))
    way = road[i, j]
    way = rounded(np.where(np.isfinite(way), way, np.nan))
    a, b = (attached.ids.get_indexer(pairs[c]) for c in ("origin", "destination"))
    straight = _geodesic(spots[a], spots[b])
    table = pairs[["origin", "destination"]].assign(road_m=way, straight_m=straight, detour=_ratio(way, straight))
    lost = table[np.isnan(way)]
    units = pd.Series(list(zip(lost["origin"], lost["destination"], strict=True)), dtype=object)
    return Detours(table, pd.DataFrame({"unit": units, "reason": "no way by road"}))


def _spots(attached: Attached, points: geopandas.GeoDataFrame) -> NDArray[np.float64]:
    """Return degrees of all places, NaN for those that are not tied."""
    import shapely

    if points.crs is None:
        raise InputError("points declare no CRS; set it with points.set_crs(...)")
    tied = attached.ids[attached.tied.to_numpy()]
    strange = tied[~tied.isin(points.index)]
    if len(strange) or not points.index.is_unique:
        raise InputError(f"points must hold every place once; missing: {listing(strange)}")
    shapes = points.geometry.to_crs(4326).reindex(attached.ids).to_numpy()
    placed = has_place(shapes)
    out = np.full((len(shapes), 2), np.nan)
    out[placed] = shapely.get_coordinates(shapes[placed])
    return out


def _geodesic(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return geodesic metres between points in degrees."""
    import pyproj

    return np.asarray(pyproj.Geod(ellps="WGS84").inv(a[:, 0], a[:, 1], b[:, 0], b[:, 1])[2], dtype=float)


def _ratio(road: NDArray[np.float64], straight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the index, NaN where nothing lies in between."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(straight > 0, road / straight, np.nan)
