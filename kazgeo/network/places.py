"""Ties places to the nearest point on a road; the network itself stays as it is."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kazgeo.crs import has_place, local_metres
from kazgeo.errors import InputError, listing
from kazgeo.network.model import Network

if TYPE_CHECKING:
    import geopandas
    from numpy.typing import NDArray

__all__ = ["JUNCTION_M", "Access", "Attached", "Terminals", "attach", "attach_again", "metric_lines"]

#: A place that hangs this near to the end of an edge stands at the junction, metres.
JUNCTION_M = 1.0


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


@dataclass(frozen=True, eq=False)
class Terminals:
    """Where searches begin or end: every place hangs on the two nodes of its edge.

    Parameters
    ----------
    node : int64 array, shape (k, 2)
        Start and end of the edge; -1 where that way is closed or the place is not connected.
    offset_s, offset_m : float64 arrays, shape (k, 2)
        Seconds and metres between the place and these nodes, the leg off the road included; infinite without a way.
    """

    node: NDArray[np.int64]
    offset_s: NDArray[np.float64]
    offset_m: NDArray[np.float64]

    def take(self, which: Any) -> Terminals:
        """Return some of them."""
        return Terminals(self.node[which], self.offset_s[which], self.offset_m[which])


@dataclass(frozen=True, eq=False)
class Attached:
    """Places tied to a road network.

    Parameters
    ----------
    network : Network
        The roads, unchanged.
    edge : Series
        Position of the edge every place hangs on, -1 for places that are not connected.
    share : Series
        How far along the edge from its start, 0 to 1.
    leg_m, leg_s : Series
        Metres and seconds of the leg off the road, detour included.
    distance_m : Series
        Straight metres from the place to the road (NaN without a place on the map).
    lon, lat : Series
        Degrees of the place itself.
    """

    network: Network
    edge: pd.Series
    share: pd.Series
    leg_m: pd.Series
    leg_s: pd.Series
    distance_m: pd.Series
    lon: pd.Series
    lat: pd.Series

    @property
    def ids(self) -> pd.Index:
        """Ids of the places."""
        return self.edge.index

    @property
    def tied(self) -> pd.Series:
        """Which places are connected."""
        return (self.edge >= 0).rename("tied")

    @property
    def component(self) -> pd.Series:
        """Component of the network every place hangs on, -1 when unconnected."""
        edge = self.edge.to_numpy()
        found = np.full(len(edge), -1, np.int64)
        found[edge >= 0] = self.network.components[self.network.start[edge[edge >= 0]]]
        return pd.Series(found, index=self.ids, name="component")

    def on(self, network: Network) -> Attached:
        """Return the same places on the same roads at other speeds.

        Raises
        ------
        InputError
            A network of other roads.
        """
        if network.topology is not self.network.topology:
            raise InputError("places can be moved only to the same network at other speeds; tie them with attach(...)")
        return dataclasses.replace(self, network=network)

    def by_length(self) -> Attached:
        """Return the same places on the same roads with metres in the place of seconds: for the shortest ways.

        Roads that are closed stay closed. The legs off the road count their metres, detour included.

        Examples
        --------
        >>> import geopandas
        >>> from kazgeo.network import from_edges
        >>> nodes = pd.DataFrame({"lon": [71.0, 72.0], "lat": [51.0, 51.0]}, index=["a", "b"])
        >>> edges = pd.DataFrame({"from_id": ["a"], "to_id": ["b"], "length_km": [80.0]})
        >>> at = geopandas.points_from_xy([71.5, 71.5], [51.01, 55.0])
        >>> tied = attach(from_edges(edges, nodes), geopandas.GeoDataFrame(geometry=at, crs=4326)).by_length()
        >>> tied.network.time_s.tolist(), tied.leg_s.round(-2).tolist()
        ([80000.0], [1300.0, nan])
        """
        net = self.network
        metres = np.maximum(net.length_m, 1e-9)  # edges without a length still need a positive weight
        back = np.where(np.isfinite(net.backwards_s), metres, np.inf) if net.directed else None
        there = np.where(np.isfinite(net.time_s), metres, np.inf)
        return dataclasses.replace(self, network=net.with_times(there, back), leg_s=self.leg_m)

    def take(self, ids: pd.Index) -> Attached:
        """Return some of the places, in the order of ``ids``.

        Raises
        ------
        InputError
            Ids that are not among the places.
        """
        strange = ids[~ids.isin(self.ids)]
        if len(strange):
            raise InputError(f"not among the places: {listing(strange)}")
        columns = ("edge", "share", "leg_m", "leg_s", "distance_m", "lon", "lat")
        return dataclasses.replace(self, **{c: getattr(self, c).loc[ids] for c in columns})

    def leaving(self) -> Terminals:
        """Return how one gets from every place to the nodes of its edge."""
        return self._terminals(to_start=self.network.backwards_s, to_end=self.network.time_s)

    def arriving(self) -> Terminals:
        """Return how one gets from the nodes of its edge to every place."""
        return self._terminals(to_start=self.network.time_s, to_end=self.network.backwards_s)

    def _terminals(self, to_start: NDArray[np.float64], to_end: NDArray[np.float64]) -> Terminals:
        edge, share = self.edge.to_numpy(), self.share.to_numpy()
        node = np.full((len(edge), 2), -1, np.int64)
        seconds, metres = np.full((len(edge), 2), np.inf), np.full((len(edge), 2), np.inf)
        there = np.flatnonzero(edge >= 0)
        e, f = edge[there], share[there]
        net = self.network
        for side, (nodes, part, time) in enumerate(((net.start, f, to_start), (net.end, 1 - f, to_end))):
            with np.errstate(invalid="ignore"):
                along = np.where(part == 0, 0.0, part * time[e])
            open_ = np.isfinite(along)
            at = there[open_]
            node[at, side] = nodes[e[open_]]
            seconds[at, side] = self.leg_s.to_numpy()[at] + along[open_]
            metres[at, side] = self.leg_m.to_numpy()[at] + part[open_] * net.length_m[e[open_]]
        return Terminals(node, seconds, metres)

    def why_not(self, reached: pd.Series, what: str) -> pd.DataFrame:
        """Return the places that ``reached`` denies, each with its reason; ``what`` names what they can't reach."""
        lost = self.ids[~reached.to_numpy(dtype=bool)]
        nowhere, free = self.distance_m.loc[lost].isna(), self.edge.loc[lost] < 0
        nowhere_reason = "no place on the map"
        free_reason = "farther from every road than the limit"
        reason = np.where(nowhere, nowhere_reason, np.where(free, free_reason, what))
        return pd.DataFrame({"unit": lost, "reason": reason.astype(object)})


def attach(network: Network, places: geopandas.GeoDataFrame, access: Access | None = None) -> Attached:
    """Tie places to the nearest point on an edge, with a leg off the road.

    Assumption: speed is even along an edge, so the point divides its time as it divides its line; the leg off the road
    is ``detour`` times the straight distance at ``speed_kmh``. Edges closed both ways are not tied to. A place within a
    metre of a junction stands at it.

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
        No CRS, repeated ids, shapes that are not points, a network without open edges.

    Examples
    --------
    >>> import geopandas
    >>> from kazgeo.network import from_edges
    >>> nodes = pd.DataFrame({"lon": [71.0, 72.0], "lat": [51.0, 51.0]}, index=["a", "b"])
    >>> edges = pd.DataFrame({"from_id": ["a"], "to_id": ["b"], "length_km": [80.0]})
    >>> at = geopandas.points_from_xy([71.5, 71.5, None], [51.01, 55.0, None])
    >>> towns = geopandas.GeoDataFrame(geometry=at, index=["near", "far", "nowhere"], crs=4326)
    >>> tied = attach(from_edges(edges, nodes), towns)
    >>> tied.edge.tolist(), tied.share.round(2).tolist()
    ([0, -1, -1], [0.5, 0.0, 0.0])
    >>> tied.distance_m.round(-2).tolist()
    [1000.0, 444900.0, nan]
    >>> attach(from_edges(edges, nodes), towns.iloc[:0]).edge.tolist()
    []
    """
    import shapely

    access = access or Access()
    if places.crs is None:
        raise InputError("places declare no CRS; set it with places.set_crs(...)")
    if not places.index.is_unique:
        raise InputError(f"place ids must be unique; repeated: {listing(places.index[places.index.duplicated()])}")
    shapes = places.geometry.to_numpy()
    other = has_place(shapes) & (shapely.get_type_id(shapes) != 0)
    if other.any():
        raise InputError(f"places must be points; {int(other.sum())} are not: {listing(places.index[other])}")
    if not (np.isfinite(network.time_s) | np.isfinite(network.backwards_s)).any():
        raise InputError("the network has no edge that is open, so no place can be tied to it")
    frame, roads, _ = road_lines(network)
    points = places.geometry.to_crs(frame).to_numpy()
    there = np.flatnonzero(has_place(points))
    edge, distance = _nearest_edge(network, points[there])
    near = distance <= access.limit_m
    at = there[near]
    share = np.zeros(len(places))
    share[at] = _at_junctions(
        shapely.line_locate_point(roads[edge[near]], points[at], normalized=True), network.length_m[edge[near]]
    )
    which, metres = np.full(len(places), -1, np.int64), np.full(len(places), np.nan)
    which[at], metres[there] = edge[near], distance
    leg = np.full(len(places), np.nan)
    leg[at] = distance[near] * access.detour

    spots = shapely.get_coordinates(places.geometry.to_crs(4326).to_numpy()[there])
    degrees = np.full((len(places), 2), np.nan)
    degrees[there] = spots

    def column(values: NDArray[Any], name: str) -> pd.Series:
        return pd.Series(values, index=places.index, name=name)

    seconds = leg / (access.speed_kmh / 3.6)
    names = ("edge", "share", "leg_m", "leg_s", "road_distance_m", "lon", "lat")
    values = (which, share, leg, seconds, metres, degrees[:, 0], degrees[:, 1])
    return Attached(network, *(column(v, name) for v, name in zip(values, names, strict=True)))


def attach_again(
    attached: Attached, network: Network, places: geopandas.GeoDataFrame, access: Access | None = None
) -> Attached:
    """Return places on a network at other prices; those whose edge is closed there are tied to the nearest open one.

    Assumption: who lives at a closed road goes over open ground to the next that is open, if that is near enough.

    Parameters
    ----------
    attached : Attached
        Places tied to the same roads.
    network : Network
        What ``apply`` or ``with_times`` made of these roads.
    places : GeoDataFrame
        The same places, or those of them that may be tied anew; the others stay where they are.
    access : Access, optional
        As in ``attach``.

    Examples
    --------
    >>> import geopandas
    >>> from kazgeo.network import Change, Scenario, apply, from_edges
    >>> nodes = pd.DataFrame({"lon": [71.0, 72.0, 73.0], "lat": [51.0] * 3}, index=list("abc"))
    >>> edges = pd.DataFrame({"from_id": list("ab"), "to_id": list("bc"), "length_km": 70.0})
    >>> at = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy([71.9, 73.0], [51.0] * 2), crs=4326)
    >>> tied = attach(from_edges(edges, nodes), at)
    >>> shut = apply(tied.network, Scenario("repair", (Change(roads=(0,), state="closed"),)))
    >>> again = attach_again(tied, shut, at)
    >>> again.edge.tolist(), again.distance_m.round(-2).tolist()
    ([1, 1], [7000.0, 0.0])
    >>> attach_again(tied, shut, at.iloc[1:]).edge.tolist(), attach_again(tied, tied.network, at).edge.tolist()
    ([0, 1], [0, 1])
    """
    moved = attached.on(network)
    edge = attached.edge.to_numpy()
    closed = np.isinf(network.time_s) & np.isinf(network.backwards_s)
    stuck = attached.ids[(edge >= 0) & closed[edge]].intersection(places.index, sort=False)
    if not len(stuck) or closed.all():
        return moved
    found = attach(network, places.loc[stuck], access)
    columns = {}
    for name in ("edge", "share", "leg_m", "leg_s", "distance_m"):
        column = getattr(moved, name).copy()
        column.loc[stuck] = getattr(found, name)
        columns[name] = column
    return dataclasses.replace(moved, **columns)


def _at_junctions(share: NDArray[np.float64], length_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return shares of edges, those within a metre of an end at that end.

    Places at a junction must stand at it whichever of its edges is nearest by the last bit: else a road between two
    of them looks like two, and closing one looks survivable.
    """
    share = np.where(share * length_m <= JUNCTION_M, 0.0, share)
    return np.where((1 - share) * length_m <= JUNCTION_M, 1.0, share)


def road_lines(network: Network) -> tuple[Any, NDArray[Any], Any]:
    """Return local metres, the lines of all edges in them and a search tree; made once for a topology."""
    import geopandas
    import shapely

    kept = network.topology.prepared
    if "roads" not in kept:
        lines = geopandas.GeoSeries(network.lines(), crs=4326)
        frame = local_metres(lines)
        roads = lines.to_crs(frame).to_numpy()
        kept["roads"] = (frame, roads, shapely.STRtree(roads))
    found: tuple[Any, NDArray[Any], Any] = kept["roads"]
    return found


def metric_lines(network: Network) -> tuple[Any, NDArray[Any]]:
    """Return an equal-area CRS in metres and the lines of all edges in it: shares of edges are measured along these."""
    frame, roads, _ = road_lines(network)
    return frame, roads


def _nearest_edge(network: Network, points: Any) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return position of and metres to the nearest open edge; the quickest when several are equally near."""
    import shapely

    if not len(points):
        return np.empty(0, np.int64), np.empty(0)
    _, roads, tree = road_lines(network)
    open_ = np.isfinite(network.time_s) | np.isfinite(network.backwards_s)
    chosen = np.flatnonzero(open_)
    if not open_.all():
        tree = shapely.STRtree(roads[chosen])
    (of, which), distance = tree.query_nearest(points, return_distance=True, all_matches=True)
    which = chosen[which]
    ends = [values[side] for side in (network.end, network.start) for values in (network.lat, network.lon)]
    candidates = np.unique(which)
    quick = np.minimum(network.time_s, network.backwards_s)
    order = np.lexsort([k[candidates] for k in (*ends, network.length_m, quick)])
    rank = np.empty(network.m, np.int64)
    rank[candidates[order]] = np.arange(len(candidates))
    order = np.lexsort((rank[which], of))
    first = np.unique(of[order], return_index=True)[1]
    return which[order][first].astype(np.int64), distance[order][first]
