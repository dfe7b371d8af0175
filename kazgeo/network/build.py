"""Makes road networks of tables of nodes and edges, and of layers of lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy.sparse as sp

from kazgeo.crs import has_place, local_metres
from kazgeo.errors import InputError, listing, unknown
from kazgeo.network.model import Network

if TYPE_CHECKING:
    import geopandas
    from numpy.typing import NDArray

__all__ = ["from_edges", "from_lines"]


def from_edges(
    edges: pd.DataFrame,
    nodes: pd.DataFrame | None = None,
    *,
    start: str = "from_id",
    end: str = "to_id",
    length_km: str = "length_km",
    speed_kmh: float | str | Mapping[str, float] = 60.0,
    road_class: str = "class",
) -> Network:
    """Return the network of a table of edges.

    Assumption: roads run both ways; an edge's time is its length over one speed.

    Parameters
    ----------
    edges : DataFrame
        One row per edge: ids of its ends, length in kilometres, road class when speeds go by class.
    nodes : DataFrame
        Indexed by node id with columns lon, lat (degrees).
    start, end, length_km, road_class : str
        Columns of ``edges``.
    speed_kmh : float, column name, or mapping of class to float
        Kilometres per hour.

    Raises
    ------
    InputError
        Unknown column, node or class; lengths or speeds that are not positive; one error naming all edges.

    Examples
    --------
    >>> nodes = pd.DataFrame(
    ...     {"lon": [71.4, 69.4, 76.9], "lat": [51.1, 53.3, 43.2]}, index=["Astana", "Kokshetau", "Almaty"])
    >>> edges = pd.DataFrame(
    ...     {"from_id": ["Astana"], "to_id": ["Kokshetau"], "length_km": [300.0], "class": ["republican"]})
    >>> net = from_edges(edges, nodes, speed_kmh={"republican": 75.0})
    >>> net
    <Network: 3 nodes, 1 edges, 300 km; 2 components (largest 66.7% of nodes)>
    >>> float(net.time_s[0] / 3600)
    4.0
    >>> from_edges(edges.assign(length_km=float("nan")), nodes)
    Traceback (most recent call last):
    kazgeo.errors.InputError: edges: 1 lengths are not positive kilometres: Astana–Kokshetau
    """
    for column in (start, end, length_km):
        if column not in edges.columns:
            raise unknown("column", column, edges.columns, "a column of edges")
    if nodes is None:
        raise InputError("nodes are wanted: a table indexed by node id with columns lon and lat")
    if not nodes.index.is_unique:
        raise InputError(f"node ids must be unique; repeated: {listing(nodes.index[nodes.index.duplicated()])}")
    for column in ("lon", "lat"):
        if column not in nodes.columns:
            raise unknown("column", column, nodes.columns, "a column of nodes")
    lon, lat = nodes["lon"].to_numpy(dtype=float), nodes["lat"].to_numpy(dtype=float)
    nowhere = ~(np.isfinite(lon) & np.isfinite(lat) & (np.abs(lat) <= 90))
    if nowhere.any():
        raise InputError(f"nodes without a place on Earth (lon, lat in degrees): {listing(nodes.index[nowhere])}")
    i, j = nodes.index.get_indexer(edges[start]), nodes.index.get_indexer(edges[end])
    if (i < 0).any() or (j < 0).any():
        lost = pd.concat([edges[start][i < 0], edges[end][j < 0]]).unique()
        raise InputError(f"edges name nodes that are not in the table of nodes: {listing(lost)}")
    length = edges[length_km].to_numpy(dtype=float) * 1000
    speed = _speeds(edges, speed_kmh, road_class)
    for what, values in (("lengths are not positive kilometres", length), ("speeds are not positive km/h", speed)):
        bad = ~(values > 0) | ~np.isfinite(values)
        if bad.any():
            pairs = [f"{a}–{b}" for a, b in zip(edges[start][bad], edges[end][bad], strict=True)]
            raise InputError(f"edges: {len(pairs)} {what}: {', '.join(pairs[:5])}{' …' if len(pairs) > 5 else ''}")
    return Network(nodes.index, lon, lat, i.astype(np.int64), j.astype(np.int64), length, length / (speed / 3.6))


def _speeds(edges: pd.DataFrame, speed_kmh: float | str | Mapping[str, float], road_class: str) -> NDArray[np.float64]:
    """Return the speed of every edge in km/h."""
    if isinstance(speed_kmh, str):
        if speed_kmh not in edges.columns:
            raise unknown("speed column", speed_kmh, edges.columns, "a column of edges")
        return np.asarray(edges[speed_kmh], dtype=float)
    if isinstance(speed_kmh, Mapping):
        if road_class not in edges.columns:
            raise unknown("column", road_class, edges.columns, "a column of edges")
        strange = [c for c in edges[road_class].unique() if c not in speed_kmh]
        if strange:
            raise InputError(f"no speed for road class {listing(strange)}; speeds are given for {listing(speed_kmh)}")
        return np.asarray(edges[road_class].map(dict(speed_kmh)), dtype=float)
    return np.full(len(edges), float(speed_kmh))


def from_lines(
    lines: geopandas.GeoDataFrame,
    *,
    speed_kmh: float | str | Mapping[str, float] = 60.0,
    road_class: str = "class",
    length_km: str | None = None,
    snap_m: float = 1.0,
) -> Network:
    """Return the network of a layer of lines that meet at their ends.

    Assumption: lines are joined only where their end points lie within ``snap_m`` of each other; a crossing
    without a common end point is a bridge. Lengths are geodesic, along the line, unless a column gives them
    (a straight line that stands for a winding road).

    Parameters
    ----------
    lines : GeoDataFrame
        Lines with a CRS; missing and empty ones are refused.
    speed_kmh, road_class
        As in ``from_edges``.
    length_km : str, optional
        Column of lengths in kilometres; only for lines of one part.
    snap_m : float
        Metres within which end points are one node.

    Raises
    ------
    InputError
        No CRS, shapes that are not lines, speeds that are not positive.

    Examples
    --------
    >>> import geopandas, shapely
    >>> roads = geopandas.GeoDataFrame(
    ...     geometry=[shapely.LineString([(71, 51), (72, 51)]), shapely.LineString([(72, 51), (72, 52)])], crs=4326)
    >>> from_lines(roads, speed_kmh=60)
    <Network: 3 nodes, 2 edges, 181 km; 1 component>
    """
    import pyproj
    import shapely

    if lines.crs is None:
        raise InputError("lines declare no CRS; set it with lines.set_crs(...)")
    if length_km is not None and length_km not in lines.columns:
        raise unknown("length column", length_km, lines.columns, "a column of the lines")
    given = lines.geometry.to_numpy()
    bad = ~has_place(given) | ~np.isin(shapely.get_type_id(given), (1, 5))
    if bad.any() or not len(given):
        named = f": {listing(lines.index[bad])}" if bad.any() else ""
        raise InputError(f"lines wanted; {int(bad.sum())} of {len(given)} shapes are missing, empty or no lines{named}")
    exploded = lines.explode(ignore_index=True)
    if length_km is not None and len(exploded) != len(lines):
        raise InputError(f"lengths of column '{length_km}' can't be shared among the parts of multi-part lines")
    degrees = exploded.geometry.to_crs(4326).to_numpy()
    ends = np.r_[shapely.get_point(degrees, 0), shapely.get_point(degrees, -1)]
    flat = exploded.geometry.to_crs(local_metres(lines)).to_numpy()
    metric = shapely.get_coordinates(np.r_[shapely.get_point(flat, 0), shapely.get_point(flat, -1)])
    node = _cluster(metric, snap_m)
    first = np.unique(node, return_index=True)[1]
    where = shapely.get_coordinates(ends[first])
    nodes = pd.DataFrame({"lon": where[:, 0], "lat": where[:, 1]})
    geod = pyproj.Geod(ellps="WGS84")
    m = len(exploded)
    if length_km is None:
        length = np.array([geod.geometry_length(g) / 1000 for g in degrees])
    else:
        length = np.asarray(exploded[length_km], dtype=float)
    table = pd.DataFrame(exploded.drop(columns=exploded.geometry.name))
    table = table.assign(from_id=node[:m], to_id=node[m:], length_km=length)
    return from_edges(table, nodes, speed_kmh=speed_kmh, road_class=road_class)


def _cluster(xy: NDArray[np.float64], within: float) -> NDArray[np.int64]:
    """Return the number of the node of every end point; points within reach are one."""
    from scipy.spatial import cKDTree

    pairs = cKDTree(xy).query_pairs(within, output_type="ndarray")
    n = len(xy)
    graph = sp.coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return np.asarray(sp.csgraph.connected_components(graph, directed=False)[1], dtype=np.int64)
