"""Adds roads that may be built: closed until a scenario opens them, so that every project is a mere re-weighting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kazgeo.errors import InputError, listing
from kazgeo.network.build import Speed, Ways, from_lines
from kazgeo.network.measure import fresh_ids, one_if_same, shapes_of
from kazgeo.network.model import Network, Shapes
from kazgeo.network.places import road_lines

if TYPE_CHECKING:
    import geopandas
    from numpy.typing import NDArray

__all__ = ["with_candidates"]


def with_candidates(
    network: Network,
    lines: geopandas.GeoDataFrame,
    *,
    speed_kmh: Speed = 60.0,
    road_class: str = "class",
    snap_m: float = 50.0,
    ways: Ways | None = None,
) -> Network:
    """Return the network with roads that are closed until a scenario opens them.

    Each end of a line is joined to the nearest node within ``snap_m``, else to the nearest point on a road within
    ``snap_m``, where that road is cut in two, else it is a node of its own.

    Assumption: a line that crosses a road away from its ends passes over it.

    Parameters
    ----------
    network : Network
        Roads as they are.
    lines : GeoDataFrame
        Lines with a CRS; the index becomes ``road_id``, by which scenarios open them.
    speed_kmh, road_class, ways
        As in ``from_lines``.
    snap_m : float
        Metres within which an end is joined to what is there.

    Returns
    -------
    Network
        A new network with a topology of its own; ``roads`` has a column ``candidate``.

    Raises
    ------
    InputError
        What ``from_lines`` refuses; ids that roads have already.

    Examples
    --------
    >>> import geopandas, shapely
    >>> from kazgeo.network import Change, Scenario, apply, from_edges
    >>> nodes = pd.DataFrame({"lon": [70.0, 71], "lat": [50.0, 50]}, index=list("ab"))
    >>> base = from_edges(pd.DataFrame({"from_id": ["a"], "to_id": ["b"]}), nodes, length_km=None)
    >>> spur = geopandas.GeoDataFrame(
    ...     geometry=[shapely.LineString([(70.5, 50.001), (70.5, 50.3)])], index=["spur"], crs=4326)
    >>> union = with_candidates(base, spur, snap_m=500)
    >>> union
    <Network: 4 nodes, 3 edges, 105 km; 2 components (largest 75.0% of nodes)>
    >>> apply(union, Scenario("built", (Change(roads=("spur",), state="open"),))).n_components
    1
    """
    added = from_lines(lines, speed_kmh=speed_kmh, road_class=road_class, snap_m=min(snap_m, 1.0), ways=ways)
    assert added.roads is not None
    if network.roads is not None and "road_id" in network.roads:
        twice = lines.index[lines.index.isin(network.roads["road_id"])]
        if len(twice):
            raise InputError(f"lines have ids that roads have already: {listing(twice)}; give them others")
    joints = _joints(network, added, snap_m)
    pieces = _pieces(network, joints)
    return _union(network, added, joints, pieces)


@dataclass(frozen=True)
class _Joints:
    """Where the added nodes go: ``node`` is their position in the union."""

    node: NDArray[np.int64]
    edge: NDArray[np.int64]  # roads that are cut, one entry for every cut
    share: NDArray[np.float64]
    at: NDArray[np.int64]  # position in the union of the node at the cut
    xy: NDArray[np.float64]  # degrees of the nodes that are new, in the order of the union


def _joints(network: Network, added: Network, snap_m: float) -> _Joints:
    import geopandas
    import pyproj
    import shapely
    from scipy.spatial import cKDTree

    frame, roads, tree = road_lines(network)
    to_metres = pyproj.Transformer.from_crs(4326, frame, always_xy=True)
    own = np.column_stack(to_metres.transform(added.lon, added.lat))
    old = np.column_stack(to_metres.transform(network.lon, network.lat))
    node = np.full(added.n, -1, np.int64)
    if network.n:
        far, nearest = cKDTree(old).query(own)
        node[far <= snap_m] = nearest[far <= snap_m]
    edge, share = np.full(added.n, -1, np.int64), np.zeros(added.n)
    points = shapely.points(own)
    free = np.flatnonzero(node < 0)
    if len(free) and network.m:
        (of, which), far = tree.query_nearest(points[free], return_distance=True, all_matches=False)
        near = far <= snap_m
        edge[free[of[near]]] = which[near]
        share[free[of[near]]] = shapely.line_locate_point(roads[which[near]], points[free[of[near]]], normalized=True)
    for side, nodes in ((0.0, network.start), (1.0, network.end)):  # beyond the end of a line: its node
        there = (edge >= 0) & (share == side)
        node[there], edge[there] = nodes[edge[there]], -1
    fresh = np.flatnonzero(node < 0)
    keys = pd.MultiIndex.from_arrays([edge[fresh], share[fresh], np.where(edge[fresh] < 0, fresh, -1)])
    code, _ = pd.factorize(keys)
    node[fresh] = network.n + code
    first = fresh[np.unique(code, return_index=True)[1]] if len(fresh) else fresh
    cut = edge[first] >= 0
    spots = points[first]
    spots[cut] = shapely.line_interpolate_point(roads[edge[first][cut]], share[first][cut], normalized=True)
    degrees = shapely.get_coordinates(geopandas.GeoSeries(spots, crs=frame).to_crs(4326).to_numpy())
    return _Joints(node, edge[first][cut], share[first][cut], network.n + np.flatnonzero(cut), degrees)


@dataclass(frozen=True)
class _Pieces:
    """Roads that are there, cut: ``low`` and ``high`` tell which part of which edge."""

    edge: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def _pieces(network: Network, joints: _Joints) -> _Pieces:
    edge = np.r_[np.arange(network.m), joints.edge]
    low = np.r_[np.zeros(network.m), joints.share]
    node = np.r_[network.start, joints.at]
    order = np.lexsort((low, edge))
    edge, low, node = edge[order], low[order], node[order]
    last = np.r_[edge[1:] != edge[:-1], True]
    high = np.where(last, 1.0, np.r_[low[1:], 1.0])
    end = np.where(last, network.end[edge], np.r_[node[1:], -1])
    return _Pieces(edge, node, end, low, high)


def _union(network: Network, added: Network, joints: _Joints, pieces: _Pieces) -> Network:
    part = pieces.high - pieces.low
    base = network.roads if network.roads is not None else pd.DataFrame(index=pd.RangeIndex(network.m))
    now, opened, waits = _times(network, base, pieces, part)
    assert added.roads is not None
    shut = np.full(added.m, np.inf)
    forward, backward = np.r_[now[0], shut], np.r_[now[1], shut]
    extra = {
        "open_s": np.r_[opened[0], added.time_s],
        "open_back_s": np.r_[opened[1], added.backwards_s],
        "candidate": np.r_[np.zeros(len(part), bool), np.ones(added.m, bool)],
    }
    if waits or "wait_s" in added.roads:
        for k, name in enumerate(("wait_s", "wait_back_s")):
            own = added.roads[name].to_numpy() if name in added.roads else np.zeros(added.m)
            extra[name] = np.r_[waits[k] if waits else np.zeros(len(part)), own]
    roads = _stacked(base.take(pieces.edge), added.roads).assign(**extra)
    fresh = fresh_ids(network.nodes, len(joints.xy))
    start, end = joints.node[added.start], joints.node[added.end]
    where = np.r_[np.c_[network.lon, network.lat], joints.xy]
    new = shapes_of(added)
    drawn = new.xy.copy()
    drawn[new.offset[:-1]], drawn[new.offset[1:] - 1] = where[start], where[end]  # as they are joined
    old = _cut_shapes(network, pieces)
    return Network(
        network.nodes.append(pd.Index(fresh, dtype=network.nodes.dtype)) if fresh else network.nodes,
        where[:, 0].copy(),
        where[:, 1].copy(),
        np.r_[pieces.start, start],
        np.r_[pieces.end, end],
        np.r_[network.length_m[pieces.edge] * part, added.length_m],
        forward,
        one_if_same(forward, backward),
        roads,
        Shapes(np.r_[old.xy, drawn], np.r_[old.offset, old.offset[-1] + new.offset[1:]]),
        dropped=network.dropped,
    )


def _times(network: Network, base: pd.DataFrame, pieces: _Pieces, part: NDArray[np.float64]) -> tuple[Any, Any, Any]:
    """Return seconds now and when open, each way, and waits at the end of each piece; the rest goes by length."""
    waits: list[NDArray[np.float64]] = []
    whole = [np.zeros(network.m)] * 2
    if "wait_s" in base:
        whole = [base["wait_s"].to_numpy(float), base["wait_back_s"].to_numpy(float)]
        waits = [np.where(last, w[pieces.edge], 0.0)
                 for w, last in zip(whole, (pieces.high == 1, pieces.low == 0), strict=True)]  # fmt: skip
    told = [network.time_s, network.backwards_s]
    opened = [base["open_s"].to_numpy(float), base["open_back_s"].to_numpy(float)] if "open_s" in base else told
    found = []
    for times in (told, opened):
        moving = [(t - w)[pieces.edge] * part for t, w in zip(times, whole, strict=True)]
        found.append([m + w for m, w in zip(moving, waits, strict=True)] if waits else moving)
    return found[0], found[1], waits


def _stacked(base: pd.DataFrame, added: pd.DataFrame) -> pd.DataFrame:
    """Return both tables one below the other; what is unknown of either is missing."""
    skip = ("wait_s", "wait_back_s", "open_s", "open_back_s", "candidate")
    columns: dict[str, Any] = {}
    for name in dict.fromkeys([*base.columns, *added.columns]):
        if name in skip:
            continue
        both = [
            table[name].astype(object).to_numpy() if name in table else np.full(len(table), None, object)
            for table in (base, added)
        ]
        values = pd.Series(np.r_[both[0], both[1]], dtype=object)
        like = (base if name in base else added)[name].dtype
        columns[name] = _typed(values, like)
    return pd.DataFrame(columns, index=pd.RangeIndex(len(base) + len(added)))


def _typed(values: pd.Series, like: Any) -> pd.Series:
    if isinstance(like, pd.CategoricalDtype):
        return values.astype("category")
    if pd.api.types.is_bool_dtype(like):
        return values.astype("boolean" if values.isna().any() else "bool")
    return values.infer_objects()


def _cut_shapes(network: Network, pieces: _Pieces) -> Shapes:
    """Return the lines of the pieces."""
    import geopandas
    import shapely
    from shapely.ops import substring

    whole = shapes_of(network).take(pieces.edge)
    cut = np.flatnonzero((pieces.low > 0) | (pieces.high < 1))
    if not len(cut):
        return whole
    frame, roads, _ = road_lines(network)
    parts = [substring(roads[pieces.edge[k]], pieces.low[k], pieces.high[k], normalized=True) for k in cut]
    lines = whole.lines()
    lines[cut] = geopandas.GeoSeries(parts, crs=frame).to_crs(4326).to_numpy()
    xy, of = shapely.get_coordinates(lines, return_index=True)
    return Shapes(xy, np.r_[0, np.cumsum(np.bincount(of, minlength=len(lines)))].astype(np.int64))
