"""What is wrong with a network: pieces without a road between them, one-way traps, the places that these cut off."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

from kazgeo.crs import local_metres
from kazgeo.errors import positive_number
from kazgeo.network.measure import shapes_of
from kazgeo.network.model import Network
from kazgeo.network.places import Attached

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Connectivity", "CutOff", "connectivity", "crossings", "duplicates", "near_misses"]


class CutOff(StrEnum):
    """Why a place isn't part of the main network."""

    SEPARATE = "separate_piece"
    NO_EXIT = "can_be_entered_not_left"
    NO_ENTRY = "can_be_left_not_entered"


@dataclass(frozen=True, eq=False)
class Connectivity:
    """How a network hangs together.

    Parameters
    ----------
    places : DataFrame
        Places that are tied but not part of the main network, indexed by id: ``kind`` (a ``CutOff``) and ``component``.
    pieces : DataFrame
        All connected components, the largest first: nodes, edges, km, places, and ``traps``, the nodes outside the
        largest set within the piece in which each node can reach each.
    """

    places: pd.DataFrame
    pieces: pd.DataFrame

    @property
    def counts(self) -> dict[str, int]:
        """Number of places of every kind."""
        found = self.places["kind"].value_counts()
        return {kind.value: int(found.get(kind.value, 0)) for kind in CutOff}


def connectivity(attached: Attached) -> Connectivity:
    """Return the pieces of a network, and the places from or to which one can't travel.

    The main network is the largest set of nodes within which each can reach each. A place belongs to it when the main
    network can be reached from it and it can be reached from there. Places that are not tied to a road at all don't
    count here.

    Parameters
    ----------
    attached : Attached
        Places on their roads.

    Returns
    -------
    Connectivity

    Examples
    --------
    >>> import geopandas
    >>> from kazgeo.network import Ways, attach, from_edges
    >>> nodes = pd.DataFrame({"lon": [70.0, 71, 72, 80, 81], "lat": [50.0, 50, 50, 50, 50]}, index=list("abcde"))
    >>> edges = pd.DataFrame({"from_id": list("abd"), "to_id": list("bce"), "one": ["no", "yes", "no"]})
    >>> net = from_edges(edges, nodes, length_km=None, ways=Ways(one_way="one"))
    >>> at = geopandas.points_from_xy([70.5, 72.0, 80.5], [50.0, 50, 50])
    >>> found = connectivity(attach(net, geopandas.GeoDataFrame(geometry=at, index=["main", "trap", "far"], crs=4326)))
    >>> found.places
                             kind  component
    trap  can_be_entered_not_left          0
    far            separate_piece          1
    >>> found.pieces
       nodes  edges       km  places  traps
    0      3      2  143.390       2      1
    1      2      1   71.695       1      0
    """
    network = attached.network
    out, into = _reach(network)
    leaving, arriving = attached.leaving().node, attached.arriving().node
    can_leave, can_enter = _any(out, leaving), _any(into, arriving)
    tied, component = attached.tied.to_numpy(), attached.component
    kind = np.select(
        [can_leave & ~can_enter, can_enter & ~can_leave], [CutOff.NO_ENTRY, CutOff.NO_EXIT], CutOff.SEPARATE
    )
    cut = tied & ~(can_leave & can_enter)
    places = pd.DataFrame(
        {"kind": kind[cut].astype(str).astype(object), "component": component[cut]}, attached.ids[cut]
    )
    return Connectivity(places, _pieces(network, component[tied].to_numpy()))


def _reach(network: Network) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which nodes can reach the main network, and which can be reached from it."""
    if not network.n:
        return np.empty(0, bool), np.empty(0, bool)
    seed = int(np.flatnonzero(network.strong_components == 0)[0])
    found = []
    for matrix in (network.matrix.T, network.matrix):
        reached = np.zeros(network.n, bool)
        reached[sp.csgraph.breadth_first_order(sp.csr_array(matrix), seed, return_predecessors=False)] = True
        found.append(reached)
    return found[0], found[1]


def _any(reached: NDArray[np.bool_], node: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which places have a way to or from a node that is reached."""
    if not len(reached):
        return np.zeros(len(node), bool)
    return np.asarray((reached[node] & (node >= 0)).any(axis=1))


def _pieces(network: Network, places: NDArray[np.int64]) -> pd.DataFrame:
    component = network.components
    n = network.n_components
    of = component[network.start]
    strong_within = np.zeros(network.n, bool)
    if network.n:
        strong = network.strong_components
        size = np.bincount(strong)
        order = np.lexsort((-size[strong], component))
        first = order[np.r_[True, np.diff(component[order]) != 0]]
        strong_within = strong == strong[first][component]
    return pd.DataFrame({
        "nodes": np.bincount(component, minlength=n),
        "edges": np.bincount(of, minlength=n),
        "km": np.bincount(of, weights=network.length_m, minlength=n).round() / 1000,
        "places": np.bincount(places, minlength=n),
        "traps": np.bincount(component[~strong_within], minlength=n),
    })  # fmt: skip


def crossings(network: Network) -> pd.DataFrame:
    """Return pairs of roads whose lines cross away from a common node: bridges, or junctions that the data lack.

    Parameters
    ----------
    network : Network
        Roads with their lines.

    Returns
    -------
    DataFrame
        Columns ``edge`` and ``other``, positions of the two edges; ``lon`` and ``lat`` of a point where they cross.

    Examples
    --------
    >>> import geopandas, shapely
    >>> from kazgeo.network import from_lines
    >>> cross = [shapely.LineString([(70, 50), (72, 50)]), shapely.LineString([(71, 49), (71, 51)])]
    >>> crossings(from_lines(geopandas.GeoDataFrame(geometry=cross, crs=4326)))
       edge  other   lon   lat
    0     0      1  71.0  50.0
    """
    import shapely

    lines: NDArray[Any] = shapes_of(network).lines()
    one, other = shapely.STRtree(lines).query(lines, predicate="crosses")
    once = one < other
    one, other = one[once], other[once]
    at = shapely.intersection(lines[one], lines[other])
    for node in (network.start, network.end):  # a common node is no crossing
        for them in (network.start, network.end):
            same = node[one] == them[other]
            at[same] = shapely.difference(
                at[same], shapely.points(network.lon[node[one][same]], network.lat[node[one][same]])
            )
    real = ~shapely.is_empty(at)
    spot = shapely.point_on_surface(at[real])
    return pd.DataFrame(
        {"edge": one[real], "other": other[real], "lon": shapely.get_x(spot), "lat": shapely.get_y(spot)}
    )


def duplicates(network: Network) -> pd.DataFrame:
    """Return roads whose line is there already, drawn either way.

    Parameters
    ----------
    network : Network
        Roads with their lines.

    Returns
    -------
    DataFrame
        Columns ``edge`` and ``other``, positions of the edge and of the first one with the same line.

    Examples
    --------
    >>> import geopandas, shapely
    >>> from kazgeo.network import from_lines
    >>> twice = [shapely.LineString([(70, 50), (72, 50)]), shapely.LineString([(72, 50), (70, 50)])]
    >>> duplicates(from_lines(geopandas.GeoDataFrame(geometry=twice, crs=4326)))
       edge  other
    0     1      0
    """
    import shapely

    key = pd.Series(shapely.to_wkb(shapely.normalize(shapes_of(network).lines())))
    first = pd.Series(key.index, key.index).groupby(key).transform("first").to_numpy()
    edge = np.flatnonzero(first != np.arange(network.m))
    return pd.DataFrame({"edge": edge, "other": first[edge]})


def near_misses(network: Network, within_m: float) -> pd.DataFrame:
    """Return dead ends that lie near a road which they don't meet: junctions that the data may lack.

    Parameters
    ----------
    network : Network
        Roads with their lines.
    within_m : float
        Greatest gap in metres.

    Returns
    -------
    DataFrame
        Columns ``edge``, the position of the road that ends, and ``other``, of the nearest road that doesn't share the
        end; ``gap_m``; ``lon`` and ``lat`` of the dead end. The narrowest gap first.

    Raises
    ------
    InputError
        A gap that is not positive.

    Examples
    --------
    >>> import geopandas, shapely
    >>> from kazgeo.network import from_lines
    >>> apart = [shapely.LineString([(70, 50), (72, 50)]), shapely.LineString([(71, 50.0001), (71, 51)])]
    >>> near_misses(from_lines(geopandas.GeoDataFrame(geometry=apart, crs=4326)), 2000).drop(columns="gap_m")
       edge  other   lon      lat
    0     1      0  71.0  50.0001
    """
    import geopandas
    import shapely

    positive_number(within_m, "within_m", "metres, more than 0")
    degrees = geopandas.GeoSeries(shapes_of(network).lines(), crs=4326)
    metric = local_metres(degrees.to_frame("geometry"))
    lines = degrees.to_crs(metric).to_numpy()
    ends, edge = np.r_[network.start, network.end], np.tile(np.arange(network.m), 2)
    tips = np.r_[shapely.get_point(lines, 0), shapely.get_point(lines, -1)]
    dead = np.flatnonzero(np.bincount(ends, minlength=network.n)[ends] == 1)
    tip, other = shapely.STRtree(lines).query(tips[dead], predicate="dwithin", distance=within_m)
    at = dead[tip]
    apart = (network.start[other] != ends[at]) & (network.end[other] != ends[at])
    at, other = at[apart], other[apart]
    found = pd.DataFrame({
        "edge": edge[at], "other": other, "gap_m": shapely.distance(tips[at], lines[other]),
        "lon": network.lon[ends[at]], "lat": network.lat[ends[at]],
    })  # fmt: skip
    nearest = found.assign(end=ends[at]).sort_values(["gap_m", "edge", "other"]).drop_duplicates("end")
    return nearest.drop(columns="end").reset_index(drop=True)
