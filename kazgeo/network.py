"""Road networks: nodes, edges with length and time, and settlements tied to the nearest point on a road."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from kazgeo.crs import has_place, local_metres
from kazgeo.errors import InputError, listing, unknown

if TYPE_CHECKING:
    import geopandas
    from numpy.typing import NDArray

__all__ = ["Access", "Attached", "Network", "attach", "from_edges", "from_lines"]


@dataclass(frozen=True, eq=False, repr=False)
class Network:
    """A road network whose edges run both ways.

    Parameters
    ----------
    nodes : Index, shape (n,)
        Unique node ids.
    lon, lat : float64 arrays, shape (n,)
        Degrees, EPSG:4326.
    start, end : int64 arrays, shape (m,)
        Positions of the nodes of every edge.
    length_m, time_s : float64 arrays, shape (m,)
        Positive.
    """

    nodes: pd.Index
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    length_m: NDArray[np.float64]
    time_s: NDArray[np.float64]

    @property
    def n(self) -> int:
        """Number of nodes."""
        return len(self.nodes)

    @cached_property
    def matrix(self) -> Any:
        """Travel seconds between adjacent nodes, symmetric ``csr_array``; the quickest of parallel edges."""
        rows, cols = np.r_[self.start, self.end], np.r_[self.end, self.start]
        time = np.r_[self.time_s, self.time_s]
        order = np.lexsort((time, cols, rows))
        rows, cols, time = rows[order], cols[order], time[order]
        first = np.r_[True, (np.diff(rows) != 0) | (np.diff(cols) != 0)] if len(rows) else np.empty(0, bool)
        return sp.csr_array((time[first], (rows[first], cols[first])), shape=(self.n, self.n))

    @cached_property
    def components(self) -> NDArray[np.int64]:
        """Number of the connected component of every node; 0 is the largest."""
        found = sp.csgraph.connected_components(self.matrix, directed=False)[1]
        rank = np.argsort(-np.bincount(found, minlength=1), kind="stable") if self.n else np.empty(0, int)
        place = np.empty_like(rank)
        place[rank] = np.arange(len(rank))
        return np.asarray(place[found], dtype=np.int64)

    @property
    def n_components(self) -> int:
        """Number of connected components."""
        return int(self.components.max()) + 1 if self.n else 0

    def edges(self) -> geopandas.GeoDataFrame:
        """Return the edges as straight lines in EPSG:4326 with start, end, length_m and time_s."""
        import geopandas
        import shapely

        ends = np.stack(
            [np.c_[self.lon[self.start], self.lat[self.start]], np.c_[self.lon[self.end], self.lat[self.end]]], axis=1
        )
        table = {"start": self.nodes[self.start], "end": self.nodes[self.end]}
        return geopandas.GeoDataFrame(
            table | {"length_m": self.length_m, "time_s": self.time_s}, geometry=shapely.linestrings(ends), crs=4326
        )

    def __repr__(self) -> str:
        if not self.n:
            return "<Network: 0 nodes>"
        sizes = np.bincount(self.components)
        pieces = f"{len(sizes)} component{'s' if len(sizes) > 1 else ''}"
        if len(sizes) > 1:
            pieces += f" (largest {sizes.max() / self.n:.1%} of nodes)"
        return f"<Network: {self.n} nodes, {len(self.start)} edges, {self.length_m.sum() / 1000:,.0f} km; {pieces}>"


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


@dataclass(frozen=True)
class Access:
    """How a place gets to the road.

    Parameters
    ----------
    limit_m : float
        A place farther than this from every road is not connected.
    speed_kmh : float
        Speed of the leg off the road.
    detour : float
        Length of that leg over its straight distance, 1 or more.
    """

    limit_m: float = 50_000.0
    speed_kmh: float = 30.0
    detour: float = 1.3

    def __post_init__(self) -> None:
        for name, value, low in (("limit_m", self.limit_m, 0), ("speed_kmh", self.speed_kmh, 0)):
            if not (np.isfinite(value) and value > low):
                raise InputError(f"{name} must be a positive number; got {value}")
        if not (np.isfinite(self.detour) and self.detour >= 1):
            raise InputError(f"detour must be 1 or more; got {self.detour}")


@dataclass(frozen=True)
class Attached:
    """A network with places tied to it, each a node of its own.

    Parameters
    ----------
    network : Network
        Old nodes, one node on the road per place, one node per place.
    node : Series
        Position of every place's own node, -1 for places too far from a road.
    distance_m : Series
        Straight metres from the place to the road (NaN without a place on the map).
    component : Series
        Component of the road network the place hangs on, -1 when unconnected.
    """

    network: Network
    node: pd.Series
    distance_m: pd.Series
    component: pd.Series


def attach(network: Network, places: geopandas.GeoDataFrame, access: Access | None = None) -> Attached:
    """Tie places to the nearest point on an edge, with a leg off the road.

    Assumption: the road between two nodes is its straight line on the map, so the split point divides length and
    time in proportion; the leg off the road is ``detour`` times the straight distance at ``speed_kmh``.

    Parameters
    ----------
    network : Network
        Roads.
    places : GeoDataFrame
        Points with a CRS and a unique index.
    access : Access, optional
        Limit, speed and detour of the leg off the road.

    Returns
    -------
    Attached

    Raises
    ------
    InputError
        No CRS, repeated ids, a network without edges.

    Examples
    --------
    >>> import geopandas
    >>> nodes = pd.DataFrame({"lon": [71.0, 72.0], "lat": [51.0, 51.0]}, index=["a", "b"])
    >>> edges = pd.DataFrame({"from_id": ["a"], "to_id": ["b"], "length_km": [80.0]})
    >>> at = geopandas.points_from_xy([71.5, 71.5, None], [51.01, 55.0, None])
    >>> towns = geopandas.GeoDataFrame(geometry=at, index=["near", "far", "nowhere"], crs=4326)
    >>> tied = attach(from_edges(edges, nodes), towns)
    >>> tied.node.tolist()
    [3, -1, -1]
    >>> tied.distance_m.round(-2).tolist()
    [1000.0, 444900.0, nan]
    """
    import geopandas
    import shapely

    access = access or Access()
    if places.crs is None:
        raise InputError("places declare no CRS; set it with places.set_crs(...)")
    if not places.index.is_unique:
        raise InputError(f"place ids must be unique; repeated: {listing(places.index[places.index.duplicated()])}")
    if not len(network.start):
        raise InputError("the network has no edge, so no place can be tied to it")
    lines = network.edges()
    frame = local_metres(lines)
    roads = lines.geometry.to_crs(frame).to_numpy()
    points = places.geometry.to_crs(frame).to_numpy()
    there = np.flatnonzero(has_place(points))
    edge, distance = _nearest_edge(network, roads, points[there])
    node = pd.Series(-1, index=places.index, dtype=np.int64, name="node")
    metres = pd.Series(np.nan, index=places.index, name="road_distance_m")
    metres.iloc[there] = distance
    near = distance <= access.limit_m
    tied, edge, distance = there[near], edge[near], distance[near]
    share = shapely.line_locate_point(roads[edge], points[tied], normalized=True)
    spots = geopandas.GeoSeries(shapely.line_interpolate_point(roads[edge], share, normalized=True), crs=frame).to_crs(
        4326
    )
    own = places.geometry.iloc[tied].to_crs(4326)
    n, k = network.n, len(tied)
    split = _split(network, edge, share, n)
    leg_m = np.maximum(distance * access.detour, 1e-3)
    new_nodes = [f"{what}:{i}" for what in ("road", "place") for i in places.index[tied]]
    extended = Network(
        network.nodes.append(pd.Index(new_nodes)),
        np.r_[network.lon, spots.x, own.x],
        np.r_[network.lat, spots.y, own.y],
        np.r_[split[0], n + np.arange(k)],
        np.r_[split[1], n + k + np.arange(k)],
        np.r_[split[2], leg_m],
        np.r_[split[3], leg_m / (access.speed_kmh / 3.6)],
    )
    node.iloc[tied] = n + k + np.arange(k)
    component = pd.Series(-1, index=places.index, name="component")
    component.iloc[tied] = network.components[network.start[edge]]
    return Attached(extended, node, metres, component)


def _nearest_edge(network: Network, roads: Any, points: Any) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return position of and metres to the nearest edge; the quickest when several are equally near."""
    import shapely

    if not len(points):
        return np.empty(0, np.int64), np.empty(0)
    (of, which), distance = shapely.STRtree(roads).query_nearest(points, return_distance=True, all_matches=True)
    ends = [values[side] for side in (network.end, network.start) for values in (network.lat, network.lon)]
    rank = np.empty(len(roads), np.int64)
    rank[np.lexsort((*ends, network.length_m, network.time_s))] = np.arange(len(roads))
    order = np.lexsort((rank[which], of))
    first = np.unique(of[order], return_index=True)[1]
    return which[order][first].astype(np.int64), distance[order][first]


def _split(
    network: Network, edge: NDArray[np.int64], share: NDArray[np.float64], first_new: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the edges after cutting each at its new nodes (start, end, length, time)."""
    keep = np.ones(len(network.start), dtype=bool)
    keep[edge] = False
    starts, ends = [network.start[keep]], [network.end[keep]]
    shares, edges = [np.ones(int(keep.sum()))], [np.flatnonzero(keep)]
    new = first_new + np.arange(len(edge))
    order = np.lexsort((new, share, edge))
    for e in np.unique(edge):
        cut = order[edge[order] == e]
        chain = np.r_[network.start[e], new[cut], network.end[e]]
        starts.append(chain[:-1])
        ends.append(chain[1:])
        shares.append(np.diff(np.r_[0.0, share[cut], 1.0]))
        edges.append(np.full(len(chain) - 1, e))
    part, old = np.maximum(np.concatenate(shares), 1e-12), np.concatenate(edges)
    return np.concatenate(starts), np.concatenate(ends), part * network.length_m[old], part * network.time_s[old]
