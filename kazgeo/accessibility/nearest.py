"""Travel time to the nearest of several places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse.csgraph as csgraph

from kazgeo.errors import InputError, listing
from kazgeo.network import Attached

__all__ = ["Nearest", "nearest"]


@dataclass(frozen=True)
class Nearest:
    """Travel time from every place to the nearest destination.

    Parameters
    ----------
    time_s : Series
        Seconds per place; NaN where no destination can be reached.
    length_m : Series
        Metres along that route.
    destination : Series
        Id of the nearest destination, missing where none can be reached.
    dropped : DataFrame
        Columns unit, reason: places without a time, each counted once.
    """

    time_s: pd.Series
    length_m: pd.Series
    destination: pd.Series
    dropped: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return time_s, length_m and destination side by side."""
        return pd.DataFrame({"time_s": self.time_s, "length_m": self.length_m, "destination": self.destination})


def nearest(attached: Attached, destinations: pd.Index) -> Nearest:
    """Return the travel time from every place to the nearest destination.

    Assumption: travel takes the quickest route on the network, both ways alike; a destination is at no distance
    from itself. When two destinations are equally near, the one that comes first by id is named.

    Parameters
    ----------
    attached : Attached
        A network with places tied to it (``kazgeo.network.attach``).
    destinations : Index
        Ids of places that are destinations.

    Returns
    -------
    Nearest
        On the index of the places.

    Raises
    ------
    InputError
        When there is no destination, when one isn't a place, or when none is tied to the network.

    Notes
    -----
    Multi-source Dijkstra search on the travel time; the length is measured along the quickest route.

    References
    ----------
    Dijkstra, E. W. (1959). A note on two problems in connexion with graphs. Numerische Mathematik 1, 269-271.
    https://doi.org/10.1007/BF01386390

    Examples
    --------
    >>> import geopandas
    >>> from kazgeo.network import attach, from_edges
    >>> nodes = pd.DataFrame({"lon": [71.0, 72.0], "lat": [51.0, 51.0]}, index=["a", "b"])
    >>> edges = pd.DataFrame({"from_id": ["a"], "to_id": ["b"], "length_km": [90.0]})
    >>> at = geopandas.points_from_xy([71.0, 72.0, 60.0], [51.0, 51.0, 45.0])
    >>> towns = geopandas.GeoDataFrame(geometry=at, index=["A", "B", "far"], crs=4326)
    >>> found = nearest(attach(from_edges(edges, nodes, speed_kmh=90), towns), pd.Index(["A"]))
    >>> found.time_s.round().tolist(), found.destination.tolist()[:2]
    ([0.0, 3600.0, nan], ['A', 'A'])
    >>> found.dropped.values.tolist()
    [['far', 'farther from every road than the limit']]
    >>> nearest(attach(from_edges(edges, nodes), towns), pd.Index([]))
    Traceback (most recent call last):
    kazgeo.errors.InputError: no destination is given; name at least one place to travel to
    """
    ids = attached.node.index
    if not len(destinations):
        raise InputError("no destination is given; name at least one place to travel to")
    strange = destinations[~destinations.isin(ids)]
    if len(strange):
        raise InputError(f"destinations are not among the places: {listing(strange)}")
    chosen = attached.node[ids.isin(destinations)]
    chosen = chosen[chosen >= 0]
    chosen = chosen.loc[sorted(chosen.index, key=str)]
    if not len(chosen):
        raise InputError("no destination is tied to the network: all are farther from a road than the limit")
    time, predecessor, source = csgraph.dijkstra(
        attached.network.matrix, indices=chosen.to_numpy(), min_only=True, return_predecessors=True
    )
    length = _route_lengths(attached, time, predecessor)
    tied = attached.node.to_numpy() >= 0
    node = attached.node.to_numpy()[tied]
    reached = np.isfinite(time[node])
    owner = pd.Series(chosen.index, index=chosen.to_numpy())
    out = pd.DataFrame({"time_s": np.nan, "length_m": np.nan}, index=ids)
    out.loc[tied, "time_s"] = np.where(reached, time[node], np.nan)
    out.loc[tied, "length_m"] = np.where(reached, length[node], np.nan)
    who = pd.Series(None, index=ids, dtype=object, name="destination")
    at = np.flatnonzero(tied)[reached]
    who.iloc[at] = owner.loc[source[node[reached]]].to_numpy()
    return Nearest(out["time_s"], out["length_m"], who, _dropped(attached, out["time_s"]))


def _route_lengths(attached: Attached, time: np.ndarray, predecessor: np.ndarray) -> np.ndarray:
    """Return metres along the quickest route to every node, walking the search tree outwards."""
    network = attached.network
    lookup: dict[tuple[int, int], float] = {}
    order = np.lexsort((network.length_m, network.time_s))[::-1]
    for i, j, metres in zip(network.start[order], network.end[order], network.length_m[order], strict=True):
        lookup[int(i), int(j)] = lookup[int(j), int(i)] = float(metres)
    length = np.where(np.isfinite(time), 0.0, np.nan)
    for node in np.argsort(time, kind="stable"):
        before = int(predecessor[node])
        if before >= 0:
            length[node] = length[before] + lookup[before, int(node)]
    return length


def _dropped(attached: Attached, time_s: pd.Series) -> pd.DataFrame:
    """Return places without a time and why."""
    lost = time_s.index[time_s.isna()]
    reasons = []
    for unit in lost:
        if np.isnan(attached.distance_m[unit]):
            reasons.append("no place on the map")
        elif attached.node[unit] < 0:
            reasons.append("farther from every road than the limit")
        else:
            reasons.append("on a part of the network without a destination")
    return pd.DataFrame({"unit": lost, "reason": reasons})
