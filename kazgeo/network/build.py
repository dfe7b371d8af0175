"""Makes road networks of tables of nodes and edges, and of layers of lines."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from kazgeo.crs import has_place, local_metres
from kazgeo.errors import InputError, listing, positive_number, unknown
from kazgeo.network.measure import add_junctions, line_lengths_m, one_if_same, segments_m
from kazgeo.network.model import Network, Shapes
from kazgeo.parsing import fitting_numbers

if TYPE_CHECKING:
    import geopandas
    from numpy.typing import NDArray

__all__ = ["Ways", "check_lines", "from_edges", "from_lines"]

#: Larger figures can't be squared in double precision.
_LARGEST = 1e150

Speed = float | str | Mapping[str, float]


@dataclass(frozen=True)
class Ways:
    """How roads are told apart by direction and kind, and what their junctions cost.

    Parameters
    ----------
    one_way : str, optional
        Column of one-ways. Along the edge: yes, true, 1, F, FT. Against it: -1, reverse, T, TF. Both ways: no, false,
        0, B, reversible, alternating, or nothing. Closed both ways: N, as GIS layers write it.
    time_min, back_time_min : str, optional
        Columns of minutes for the whole edge, in place of a speed; backwards without its own column as forwards.
    back_speed_kmh : float, column name, or mapping of class to float, optional
        Speed against the direction of the edge, where it differs.
    junction_s : float
        Seconds added on entering a node where three or more edges meet.
    surface : str
        Column of surfaces; kept as ``surface`` when there is one.
    keep : tuple of str
        Further columns to keep in ``Network.roads``.
    """

    one_way: str | None = None
    time_min: str | None = None
    back_time_min: str | None = None
    back_speed_kmh: Speed | None = None
    junction_s: float = 0.0
    surface: str = "surface"
    keep: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        positive_number(self.junction_s, "junction_s", "seconds, 0 or more", zero=True)
        if self.back_time_min is not None and self.time_min is None:
            raise InputError("back_time_min needs time_min, the column of minutes forwards")
        if self.time_min is not None and self.back_speed_kmh is not None:
            raise InputError("times come from minutes or from speeds; give time_min or back_speed_kmh, not both")


def from_edges(
    edges: pd.DataFrame,
    nodes: pd.DataFrame | None = None,
    *,
    start: str = "from_id",
    end: str = "to_id",
    length_km: str | None = "length_km",
    speed_kmh: Speed = 60.0,
    road_class: str = "class",
    ways: Ways | None = None,
) -> Network:
    """Return the network of a table of edges.

    Assumption: roads run both ways at the same speed unless ``ways`` says otherwise; an edge's time is its length over
    one speed.

    Parameters
    ----------
    edges : DataFrame
        One row per edge: ids of its ends, length in kilometres, road class when speeds go by class. Its index becomes
        ``road_id``.
    nodes : DataFrame
        Indexed by node id with columns lon, lat (degrees).
    start, end, length_km, road_class : str
        Columns of ``edges``. Without a column of lengths (None) they are geodesic, straight between the nodes.
    speed_kmh : float, column name, or mapping of class to float
        Kilometres per hour.
    ways : Ways, optional
        Directions, minutes instead of speeds, the price of junctions, further columns to keep.

    Raises
    ------
    InputError
        Unknown column, node or class; cells of lengths, speeds, minutes or places that are missing, no numbers or none
        that can be; the error names column, rows and cells.

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
    >>> one = from_edges(edges.assign(oneway="-1"), nodes, ways=Ways(one_way="oneway"))
    >>> one.time_s.tolist(), one.backwards_s.tolist()
    ([inf], [18000.0])
    >>> from_edges(edges.assign(length_km=float("nan")), nodes)
    Traceback (most recent call last):
    kazgeo.errors.InputError: edges: column 'length_km' must hold positive kilometres; not so in 1 of 1 rows:
    Astana–Kokshetau: missing; fill in or correct these cells
    """
    ways = ways or Ways()
    _have(edges, start, end, length_km, ways.one_way, ways.time_min, ways.back_time_min, *ways.keep)
    if nodes is None:
        raise InputError("nodes are wanted: a table indexed by node id with columns lon and lat")
    lon, lat = _places(nodes)
    i, j = nodes.index.get_indexer(edges[start]), nodes.index.get_indexer(edges[end])
    if (i < 0).any() or (j < 0).any():
        lost = pd.concat([edges[start][i < 0], edges[end][j < 0]]).unique().tolist()
        raise InputError(f"edges name nodes that are not in the table of nodes: {listing(lost)}")

    def named(k: int) -> str:
        return f"{edges[start].iloc[k]}–{edges[end].iloc[k]}"

    made = _Made("edges", nodes.index, lon, lat, i.astype(np.int64), j.astype(np.int64), np.empty(0), named)
    if length_km is None:
        ends = np.stack([np.c_[lon[i], lat[i]], np.c_[lon[j], lat[j]]], axis=1).reshape(-1, 2)
        length = segments_m(ends)[::2]
    else:
        length = made.positive(edges[length_km], "positive kilometres") * 1000
    return _network(dataclasses.replace(made, length_m=length), edges, speed_kmh, road_class, ways)


@dataclass(frozen=True)
class _Made:
    """Nodes and edges, and how their table and an edge are called in messages."""

    what: str
    nodes: pd.Index
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    length_m: NDArray[np.float64]
    named: Callable[[int], str]

    def positive(self, values: pd.Series, wanted: str) -> NDArray[np.float64]:
        """Return a column as numbers that are all positive, or say which cells of which edges aren't."""
        return fitting_numbers(
            values, lambda v: (v > 0) & (v < _LARGEST), what=self.what, wanted=wanted, row_named=self.named
        )


def _network(made: _Made, table: pd.DataFrame, speed_kmh: Speed, road_class: str, ways: Ways) -> Network:
    """Price the edges; ``table`` tells of each."""
    _no_distance(made)
    forward, backward = _seconds(table, made, speed_kmh, road_class, ways)
    forward, backward = _directed(table, ways.one_way, forward, backward)
    forward, backward, waits = add_junctions((made.start, made.end), (forward, backward), ways.junction_s)
    roads = _roads(table, road_class, ways).assign(**waits)
    return Network(made.nodes, made.lon, made.lat, made.start, made.end, made.length_m, forward,
                   one_if_same(forward, backward), roads)  # fmt: skip


def _no_distance(made: _Made) -> None:
    """Refuse edges between nodes at one place, whose length nobody has told."""
    bad = np.flatnonzero(~(made.length_m > 0))
    if len(bad):
        raise InputError(
            f"{made.what}: {len(bad)} of {len(made.length_m)} have no length, because their nodes lie at one place:"
            f" {', '.join(made.named(int(k)) for k in bad[:5])}{' …' if len(bad) > 5 else ''}"
        )


def _have(edges: pd.DataFrame, *columns: str | None) -> None:
    for column in columns:
        if column is not None and column not in edges.columns:
            raise unknown("column", column, edges.columns, "a column of edges")


def _places(nodes: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return longitudes and latitudes of the nodes, or say which have none."""
    if not nodes.index.is_unique:
        raise InputError(f"node ids must be unique; repeated: {listing(nodes.index[nodes.index.duplicated()])}")
    for column in ("lon", "lat"):
        if column not in nodes.columns:
            raise unknown("column", column, nodes.columns, "a column of nodes")
    lon, lat = (_degrees(nodes[column], most) for column, most in (("lon", 180), ("lat", 90)))
    return lon, lat


def _degrees(values: pd.Series, most: int) -> NDArray[np.float64]:
    """Return a column of degrees, or say which cells are none and what they may be instead."""
    far = pd.to_numeric(values, errors="coerce").abs()
    fix = "fill in or correct these cells"
    if (far > 360).any():
        fix = "these are probably metres of a projected CRS: transform the nodes to degrees (EPSG:4326)"
    elif (far > most).any():
        fix = "longitude and latitude may be swapped" if most == 90 else "write 190 degrees east as -170"
    return fitting_numbers(
        values, lambda v: np.abs(v) <= most, what="nodes without a place on Earth",
        wanted=f"degrees from -{most} to {most}", fix=fix,
    )  # fmt: skip


def _seconds(
    edges: pd.DataFrame, made: _Made, speed_kmh: Speed, road_class: str, ways: Ways
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return seconds of every edge along and against its direction, both open."""
    if ways.time_min is not None:
        minutes = made.positive(edges[ways.time_min], "positive minutes")
        back = minutes
        if ways.back_time_min is not None:
            back = made.positive(edges[ways.back_time_min], "positive minutes")
        return minutes * 60, back * 60
    kmh = _speeds(made, edges, speed_kmh, road_class, "speed_kmh")
    back = kmh
    if ways.back_speed_kmh is not None:
        back = _speeds(made, edges, ways.back_speed_kmh, road_class, "back_speed_kmh")
    return made.length_m / (kmh / 3.6), made.length_m / (back / 3.6)


def _speeds(made: _Made, edges: pd.DataFrame, speed_kmh: Speed, road_class: str, parameter: str) -> NDArray[np.float64]:
    """Return the speed of every edge in km/h."""
    wanted = "positive km/h"
    if isinstance(speed_kmh, str):
        if speed_kmh not in edges.columns:
            raise unknown("speed column", speed_kmh, edges.columns, "a column of edges")
        return made.positive(edges[speed_kmh], wanted)
    if isinstance(speed_kmh, Mapping):
        if road_class not in edges.columns:
            raise unknown("column", road_class, edges.columns, "a column of edges")
        strange = [c for c in edges[road_class].unique() if c not in speed_kmh]
        if strange:
            raise InputError(f"no speed for road class {listing(strange)}; speeds are given for {listing(speed_kmh)}")
        speeds = {c: positive_number(kmh, f"{parameter} of class {c!r}", wanted) for c, kmh in speed_kmh.items()}
        return np.asarray(edges[road_class].map(speeds), dtype=float)
    return np.full(len(edges), positive_number(speed_kmh, parameter, wanted))


_ALONG = {"yes", "true", "1", "1.0", "f", "ft"}
_AGAINST = {"-1", "-1.0", "reverse", "t", "tf"}
_BOTH = {"no", "false", "0", "0.0", "b", "", "reversible", "alternating", "nan", "none", "<na>"}
_CLOSED = {"n"}


def _directed(
    edges: pd.DataFrame, column: str | None, forward: NDArray[np.float64], backward: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Close the ways that a column of one-ways closes."""
    if column is None:
        return forward, backward
    said = edges[column].astype(object).where(edges[column].notna(), "").map(lambda v: str(v).strip().lower())
    strange = said[~said.isin(_ALONG | _AGAINST | _BOTH | _CLOSED)].unique()
    if len(strange):
        raise InputError(
            f"column '{column}' has one-way values that can't be read: {listing(strange)}; along the edge are yes, "
            "true, 1, F, FT, against it -1, reverse, T, TF, both ways no, false, 0, B or nothing, closed N"
        )
    no_forward, no_backward = said.isin(_AGAINST | _CLOSED).to_numpy(), said.isin(_ALONG | _CLOSED).to_numpy()
    return np.where(no_forward, np.inf, forward), np.where(no_backward, np.inf, backward)


def _roads(edges: pd.DataFrame, road_class: str, ways: Ways) -> pd.DataFrame:
    """Return what is known of the roads, by the names that scenarios go by."""
    columns: dict[str, Any] = {"road_id": edges.index}
    for name, given in (("road_class", road_class), ("surface", ways.surface)):
        if given in edges.columns:
            columns[name] = edges[given].array
    columns |= {name: edges[name].array for name in ways.keep}
    return pd.DataFrame(columns, index=pd.RangeIndex(len(edges)))


def from_lines(
    lines: geopandas.GeoDataFrame,
    *,
    speed_kmh: Speed = 60.0,
    road_class: str = "class",
    length_km: str | None = None,
    snap_m: float = 1.0,
    ways: Ways | None = None,
    name: str = "lines",
) -> Network:
    """Return the network of a layer of lines that meet at their ends.

    Assumption: lines are joined only where their end points lie within ``snap_m`` of each other; a crossing
    without a common end point is a bridge (``kazgeo.network.crossings`` counts them). Lengths are geodesic, along the
    line, unless a column gives them (a straight line that stands for a winding road).

    Parameters
    ----------
    lines : GeoDataFrame
        Lines with a CRS; missing and empty ones are refused. Lines without length are left out and told in
        ``Network.dropped``. The index becomes ``road_id``; parts of one line share it.
    speed_kmh, road_class, ways
        As in ``from_edges``; ``one_way`` counts along the line as it is drawn.
    length_km : str, optional
        Column of lengths in kilometres; only for lines of one part.
    snap_m : float
        Metres within which end points are one node.
    name : str
        The layer's name for messages.

    Raises
    ------
    InputError
        No CRS, shapes that are not lines, cells of speeds, lengths or minutes that are missing or not positive.

    Examples
    --------
    >>> import geopandas, shapely
    >>> roads = geopandas.GeoDataFrame(
    ...     geometry=[shapely.LineString([(71, 51), (72, 51)]), shapely.LineString([(72, 51), (72, 52)])], crs=4326)
    >>> net = from_lines(roads, speed_kmh=60)
    >>> net
    <Network: 3 nodes, 2 edges, 181 km; 1 component>
    >>> net.lines()[1].wkt
    'LINESTRING (72 51, 72 52)'
    >>> from_lines(roads.iloc[:0])
    Traceback (most recent call last):
    kazgeo.errors.InputError: lines: the layer has no feature
    """
    import shapely

    ways = ways or Ways()
    _usable(lines, length_km, snap_m, name)
    exploded = lines.explode(ignore_index=True)
    if len(exploded) != len(lines):
        for column in (length_km, ways.time_min, ways.back_time_min):
            if column is not None:
                what = "lengths" if column == length_km else "times"
                raise InputError(f"{what} of column '{column}' can't be shared among the parts of multi-part lines")
    road_id = lines.index.repeat(shapely.get_num_geometries(lines.geometry.to_numpy()))
    degrees = exploded.geometry.to_crs(4326).to_numpy()
    xy, of = shapely.get_coordinates(degrees, return_index=True)
    offset = np.r_[0, np.cumsum(np.bincount(of, minlength=len(degrees)))].astype(np.int64)
    metres = line_lengths_m(xy, offset)
    real = np.flatnonzero(metres > 0)
    if not len(real):
        raise InputError(f"{name}: lines wanted; all {len(lines)} have no length")
    shapes = Shapes(xy, offset).take(real)
    node, where = _joined(exploded.geometry.iloc[real], shapes, local_metres(lines), snap_m)
    table = pd.DataFrame(exploded.drop(columns=exploded.geometry.name)).iloc[real].set_axis(road_id[real])
    _have(table, ways.one_way, ways.time_min, ways.back_time_min, *ways.keep)
    m = len(real)
    made = _Made(name, pd.RangeIndex(len(where)), where[:, 0], where[:, 1], node[:m], node[m:], metres[real],
                 _row_names(lines.index, table.index))  # fmt: skip
    if length_km is not None:
        made = dataclasses.replace(made, length_m=made.positive(table[length_km], "positive kilometres") * 1000)
    lost = road_id[np.setdiff1d(np.arange(len(metres)), real)]
    dropped = pd.DataFrame({"unit": lost, "reason": np.full(len(lost), "a line without length", object)})
    network = _network(made, table, speed_kmh, road_class, ways)
    return dataclasses.replace(network, shapes=shapes, dropped=dropped)


def _row_names(lines: pd.Index, roads: pd.Index) -> Callable[[int], str]:
    """Return how roads are called, by their position: by id, or by row where ids are only numbers of rows."""
    if not isinstance(lines, pd.RangeIndex):
        return lambda k: repr(roads[k])
    return lambda k: f"row {lines.get_loc(roads[k]) + 1} (index {roads[k]})"


def check_lines(lines: geopandas.GeoDataFrame, name: str = "lines") -> None:
    """Refuse a layer without a feature or without a CRS; ``name`` is the layer's for messages.

    Examples
    --------
    >>> import geopandas, shapely
    >>> check_lines(geopandas.GeoDataFrame(geometry=[shapely.LineString([(0, 0), (1, 1)])]), "roads")
    Traceback (most recent call last):
    kazgeo.errors.InputError: roads: the layer declares no CRS; set it (for longitudes and latitudes EPSG:4326)
    """
    if not len(lines):
        raise InputError(f"{name}: the layer has no feature")
    if lines.crs is None:
        raise InputError(f"{name}: the layer declares no CRS; set it (for longitudes and latitudes EPSG:4326)")


def _usable(lines: geopandas.GeoDataFrame, length_km: str | None, snap_m: float, name: str) -> None:
    """Refuse a layer that is none of lines on the map."""
    import shapely

    check_lines(lines, name)
    if length_km is not None and length_km not in lines.columns:
        raise unknown("length column", length_km, lines.columns, "a column of the lines")
    if not (math.isfinite(snap_m) and snap_m >= 0):
        raise InputError(f"snap_m must be metres, 0 or more; got {snap_m}")
    given = lines.geometry.to_numpy()
    bad = ~has_place(given) | ~np.isin(shapely.get_type_id(given), (1, 5))
    if bad.any():
        rows = ", ".join(map(_row_names(lines.index, lines.index), np.flatnonzero(bad)[:5]))
        raise InputError(
            f"{name}: lines wanted; {int(bad.sum())} of {len(given)} shapes are missing, empty or no lines: {rows}"
            f"{' …' if bad.sum() > 5 else ''}"
        )


def _joined(
    lines: geopandas.GeoSeries, shapes: Shapes, metric: Any, snap_m: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the node of every start and then every end, and the nodes' places in degrees."""
    import shapely

    flat = lines.to_crs(metric).to_numpy()
    node = _cluster(shapely.get_coordinates(np.r_[shapely.get_point(flat, 0), shapely.get_point(flat, -1)]), snap_m)
    first = np.unique(node, return_index=True)[1]
    return node, np.r_[shapes.xy[shapes.offset[:-1]], shapes.xy[shapes.offset[1:] - 1]][first]


def _cluster(xy: NDArray[np.float64], within: float) -> NDArray[np.int64]:
    """Return the number of the node of every end point; points within reach are one."""
    from scipy.spatial import cKDTree

    pairs = cKDTree(xy).query_pairs(within, output_type="ndarray")
    n = len(xy)
    graph = sp.coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return np.asarray(sp.csgraph.connected_components(graph, directed=False)[1], dtype=np.int64)
