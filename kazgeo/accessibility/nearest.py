"""Travel time to the nearest of several places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy.sparse.csgraph as csgraph

from kazgeo.errors import InputError, listing
from kazgeo.network import Attached

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Nearest", "nearest"]

#: Seconds within which two routes are equally quick.
_SAME_S = 1e-6


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
    from itself. When two destinations are equally near (within a microsecond), the one that comes first by id is
    named, and of two equally quick routes to it the shorter one is measured.

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
    Multi-source Dijkstra search on the travel time, then one walk over the edges that lie on quickest routes.

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
    time = csgraph.dijkstra(attached.network.matrix, indices=chosen.to_numpy(), min_only=True)
    rank, length = _routes(attached, time, chosen.to_numpy())
    tied = attached.node.to_numpy() >= 0
    node = attached.node.to_numpy()[tied]
    reached = np.isfinite(time[node])
    out = pd.DataFrame({"time_s": np.nan, "length_m": np.nan}, index=ids)
    out.loc[tied, "time_s"] = np.where(reached, time[node], np.nan)
    out.loc[tied, "length_m"] = np.where(reached, length[node], np.nan)
    who = pd.Series(None, index=ids, dtype=object, name="destination")
    at = np.flatnonzero(tied)[reached]
    who.iloc[at] = chosen.index.to_numpy(dtype=object)[rank[node[reached]]]
    return Nearest(out["time_s"], out["length_m"], who, _dropped(attached, out["time_s"]))


def _routes(
    attached: Attached, time: NDArray[np.float64], sources: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the rank of the source every node belongs to, and metres to it along a quickest route.

    Only edges on some quickest route count: time at one end + time of the edge = time at the other, to within the
    rounding of edges that were cut. Over those, the first source wins, then the shorter way. One pass outwards
    settles it; a second one is needed where cut edges take no time and the order of their ends can't be told.
    """
    network = attached.network
    tail, head = np.r_[network.start, network.end], np.r_[network.end, network.start]
    seconds, metres = np.tile(network.time_s, 2), np.tile(network.length_m, 2)
    with np.errstate(invalid="ignore"):
        tight = np.flatnonzero((time[tail] + seconds <= time[head] + _SAME_S) & ~np.isin(head, sources))
    tight = tight[np.lexsort((metres[tight], time[tail[tight]], time[head[tight]]))]
    steps = list(zip(tail[tight].tolist(), head[tight].tolist(), metres[tight].tolist(), strict=True))
    best: list[tuple[int, float]] = [(len(sources), np.inf)] * network.n
    for rank, node in enumerate(sources.tolist()):
        best[node] = (rank, 0.0)
    changed = True
    while changed:
        changed = False
        for before, node, way in steps:
            rank, length = best[before]
            found = (rank, length + way)
            if found < best[node]:
                best[node], changed = found, True
    return np.array([r for r, _ in best], dtype=np.int64), np.array([m for _, m in best])


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
