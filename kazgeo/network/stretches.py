"""Roads cut where places stand: every place is a junction, every stretch of road between two of them an edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kazgeo.network.model import Network
from kazgeo.network.places import Attached

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Stretches", "stretches"]


@dataclass(frozen=True, eq=False)
class Stretches:
    """Roads cut where places stand.

    Parameters
    ----------
    n : int
        Number of nodes; those of the network come first.
    start, end : int64 arrays
        Nodes of every stretch.
    time_s, back_s : float64 arrays
        Seconds forth and back.
    edge : int64 array
        Position of the edge it is part of.
    low, high : float64 arrays
        Shares of that edge.
    nodes : list of int64 arrays
        Node of every place, -1 where it is not connected; one array for every set of places.
    """

    n: int
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    time_s: NDArray[np.float64]
    back_s: NDArray[np.float64]
    edge: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    nodes: list[NDArray[np.int64]]


def stretches(network: Network, *sets: Attached) -> Stretches:
    """Return the roads cut where places stand.

    Parameters
    ----------
    network : Network
        Roads.
    *sets : Attached
        Places tied to them.

    Examples
    --------
    >>> import geopandas, pandas as pd
    >>> from kazgeo.network import attach, from_edges
    >>> nodes = pd.DataFrame({"lon": [71.0, 72.0], "lat": [51.0, 51.0]}, index=["a", "b"])
    >>> edges = pd.DataFrame({"from_id": ["a"], "to_id": ["b"], "length_km": [80.0]})
    >>> at = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy([71.0, 71.5, 9], [51.0, 51.0, 9]), crs=4326)
    >>> net = from_edges(edges, nodes, speed_kmh=80)
    >>> made = stretches(net, attach(net, at))
    >>> made.nodes[0].tolist(), made.time_s.round().tolist(), stretches(net).edge.tolist()
    ([0, 2, -1], [1800.0, 1800.0], [0])
    """
    edge = np.concatenate([np.empty(0, np.int64), *(p.edge.to_numpy() for p in sets)]).astype(np.int64)
    share = np.concatenate([np.empty(0), *(p.share.to_numpy() for p in sets)])
    inner = np.flatnonzero((edge >= 0) & (share > 0) & (share < 1))
    spots, which = np.unique(np.c_[edge[inner], share[inner]], axis=0, return_inverse=True)
    node = np.where(edge < 0, -1, np.where(share == 0, network.start[edge], network.end[edge])).astype(np.int64)
    node[inner] = network.n + which.ravel()
    every, m = np.arange(network.m), network.m
    e = np.r_[every, spots[:, 0].astype(np.int64), every]
    x = np.r_[np.zeros(m), spots[:, 1], np.ones(m)]
    at = np.r_[network.start, network.n + np.arange(len(spots)), network.end]
    order = np.lexsort((x, e))
    a, b = order[:-1], order[1:]
    same = e[a] == e[b]
    a, b = a[same], b[same]
    part = x[b] - x[a]
    cuts = np.cumsum([len(p.ids) for p in sets])[:-1]
    return Stretches(
        network.n + len(spots), at[a], at[b], network.time_s[e[a]] * part, network.backwards_s[e[a]] * part, e[a], x[a],
        x[b], list(np.split(node, cuts)) if sets else [],
    )  # fmt: skip
