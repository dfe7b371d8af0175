"""Travel time to the nearest of several places, or to the nearest few."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kazgeo.choices import Travel
from kazgeo.errors import InputError, choice, listing, positive_integer
from kazgeo.labels import canonical_order
from kazgeo.network import Attached, Terminals
from kazgeo.progress import Progress, silent
from kazgeo.routing.along import Pairs, along
from kazgeo.ties import rounded

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["KNearest", "Nearest", "k_nearest", "known_destinations", "nearest", "quickest", "tied_destinations"]

#: Seconds within which two routes are equally quick.
SAME_S = 1e-6
CUT_OFF_REASON = "on a part of the network without a destination"


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


@dataclass(frozen=True)
class KNearest:
    """Travel times from every place to the nearest few destinations.

    Parameters
    ----------
    times : DataFrame
        Columns origin, rank (1 is the nearest), destination, time_s; pairs that can be reached only.
    dropped : DataFrame
        Columns unit, reason: places without any destination in reach.
    """

    times: pd.DataFrame
    dropped: pd.DataFrame

    def time_s(self, rank: int) -> pd.Series:
        """Return the seconds to the destination of one rank; places that don't reach so many are left out."""
        rows = self.times[self.times["rank"] == rank]
        return rows.set_index("origin")["time_s"]


def nearest(attached: Attached, destinations: pd.Index | Attached, *, direction: Travel | str = Travel.TO) -> Nearest:
    """Return the travel time from every place to the nearest destination, or from the nearest to every place.

    Assumption: travel takes the quickest route on the network; a destination is at no distance from itself. When two
    destinations are equally near (within a microsecond), the one that comes first by id is named, and of two equally
    quick routes to it the shorter one is measured.

    Parameters
    ----------
    attached : Attached
        A network with places tied to it (``kazgeo.network.attach``).
    destinations : Index or Attached
        Ids of places that are destinations, or other places tied to the same network.
    direction : Travel
        "to" the destination (a patient), or "from" it (an ambulance): one-way roads make a difference.

    Returns
    -------
    Nearest
        On the index of the places.

    Raises
    ------
    InputError
        When there is no destination, when one isn't a place, when none is tied to the network, or when that is
        another network.

    Notes
    -----
    One search from all destinations at once, on a bucket queue, then one walk over the edges on quickest routes.

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
    goals = known_destinations(attached, destinations)
    _refuse_untied(goals)
    time, rank, metres = quickest(attached, goals, choice(Travel, direction, "direction") is Travel.TO)
    reached = rank >= 0
    who = pd.Series(None, index=attached.ids, dtype=object, name="destination")
    who[reached] = goals.ids.to_numpy(dtype=object)[rank[reached]]
    time_s = pd.Series(np.where(reached, time, np.nan), index=attached.ids, name="time_s")
    length_m = pd.Series(np.where(reached, metres, np.nan), index=attached.ids, name="length_m")
    lost = attached.why_not(time_s.notna(), CUT_OFF_REASON)
    return Nearest(time_s, length_m, who, lost)


def quickest(
    attached: Attached, goals: Attached, forth: bool
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Return seconds, position among the destinations (-1: none) and metres of every place: ``nearest`` without labels.

    Parameters
    ----------
    attached : Attached
        Places tied to a network.
    goals : Attached
        What ``known_destinations`` returned, on the same network.
    forth : bool
        To the destinations, else from them.
    """
    place, goal = (attached.leaving(), goals.arriving()) if forth else (attached.arriving(), goals.leaving())
    return _along_edges(attached, goals, forth, _through_nodes(attached, place, goal, forth))


def tied_destinations(attached: Attached, destinations: pd.Index | Attached) -> Attached:
    """Return the destinations that are tied, sorted as ``known_destinations`` does; refuse if none is."""
    goals = known_destinations(attached, destinations)
    _refuse_untied(goals)
    return goals.take(goals.ids[goals.tied.to_numpy()])


def known_destinations(attached: Attached, destinations: pd.Index | Attached) -> Attached:
    """Return the destinations sorted by id, so that ties are settled alike whatever the order of rows.

    Those that are not tied stay: each is at no distance from itself.
    """
    if isinstance(destinations, Attached):
        goals = destinations
        if goals.network is not attached.network:
            raise InputError("places and destinations must be tied to the same network; attach both to one")
    else:
        strange = destinations[~destinations.isin(attached.ids)]
        if len(strange):
            raise InputError(f"destinations are not among the places: {listing(strange)}")
        goals = attached.take(destinations.unique())
    if not len(goals.ids):
        raise InputError("no destination is given; name at least one place to travel to")
    return goals.take(goals.ids[canonical_order(goals.ids)])


def _refuse_untied(goals: Attached) -> None:
    """Refuse destinations of which none is near a road."""
    if not goals.tied.any():
        raise InputError("no destination is tied to the network: all are farther from a road than the limit")


def _through_nodes(
    attached: Attached, place: Terminals, goal: Terminals, forth: bool
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Return seconds, position of the destination (-1: none) and metres of every place by the nodes of its edge."""
    from kazgeo.routing import search

    found = search.nearest(attached.network, goal, reverse=forth)
    way, who = search.routes(attached.network, goal, found.time_s, slack_s=SAME_S, reverse=forth)
    node = place.node
    total = np.where(node >= 0, place.offset_s + found.time_s[node], np.inf)
    time = total.min(axis=1, initial=np.inf)
    metres = np.where(node >= 0, place.offset_m + way[node], np.inf)
    quick = np.isfinite(total) & (total <= time[:, None] + SAME_S)
    rank = np.where(quick, who[node].astype(np.int64), np.iinfo(np.int64).max)
    metres = np.where(rank == rank.min(axis=1, keepdims=True), metres, np.inf)
    side = metres.argmin(axis=1)
    every = np.arange(len(node))
    reached = np.isfinite(time)
    return time, np.where(reached, rank[every, side], -1), metres[every, side]


def _along_edges(
    attached: Attached, goals: Attached, forth: bool,
    best: tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]],
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:  # fmt: skip
    """Return the better of what was found by nodes and of the way along a common edge."""
    parts = list(along(attached, goals)) if forth else [
        Pairs(p.destination, p.origin, p.time_s, p.length_m) for p in along(goals, attached)
    ]  # fmt: skip
    n = len(attached.ids)
    here = np.flatnonzero(best[1] >= 0)
    origin = np.concatenate([here, *(p.origin for p in parts)])
    goal = np.concatenate([best[1][here], *(p.destination for p in parts)])
    seconds = np.concatenate([best[0][here], *(p.time_s for p in parts)])
    way = np.concatenate([best[2][here], *(p.length_m for p in parts)])
    time, rank, metres = np.full(n, np.inf), np.full(n, -1, np.int64), np.full(n, np.inf)
    np.minimum.at(time, origin, seconds)
    quick = np.flatnonzero(seconds <= time[origin] + SAME_S)
    order = quick[np.lexsort((way[quick], goal[quick], origin[quick]))]
    first = order[np.flatnonzero(np.diff(origin[order], prepend=-1))]
    rank[origin[first]], metres[origin[first]] = goal[first], way[first]
    return rounded(time), rank, metres


def k_nearest(
    attached: Attached, destinations: pd.Index | Attached, k: int, *, direction: Travel | str = Travel.TO,
    progress: Progress = silent,
) -> KNearest:  # fmt: skip
    """Return the travel times from every place to its k nearest destinations, nearest first.

    Assumption: as of ``nearest``; of destinations that are equally near the one that comes first by id stands first.
    A place that is itself a destination has it as its first, also where no road is near.

    Parameters
    ----------
    attached : Attached
        Places tied to a network.
    destinations : Index or Attached
        Ids of places that are destinations, or other places tied to the same network.
    k : int
        How many.
    direction : Travel
        "to" the destinations or "from" them.
    progress : Progress
        Reporter.

    Returns
    -------
    KNearest

    Raises
    ------
    InputError
        No destination, one that isn't a place, another network; k below 1.

    Examples
    --------
    >>> import geopandas
    >>> from kazgeo.network import attach, from_edges
    >>> nodes = pd.DataFrame({"lon": [71.0, 72.0, 73.0], "lat": [51.0] * 3}, index=["a", "b", "c"])
    >>> edges = pd.DataFrame({"from_id": ["a", "b"], "to_id": ["b", "c"], "length_km": [90.0, 90.0]})
    >>> at = geopandas.points_from_xy([71.0, 72.0, 73.0, 60.0], [51.0, 51.0, 51.0, 45.0])
    >>> towns = geopandas.GeoDataFrame(geometry=at, index=["A", "B", "C", "far"], crs=4326)
    >>> tied = attach(from_edges(edges, nodes, speed_kmh=90), towns)
    >>> found = k_nearest(tied, pd.Index(["A", "C"]), 2)
    >>> found.times.round().values.tolist()[:3]
    [['A', 1, 'A', 0.0], ['A', 2, 'C', 7200.0], ['B', 1, 'A', 3600.0]]
    >>> found.dropped.values.tolist(), found.time_s(3).tolist()
    ([['far', 'farther from every road than the limit']], [])
    """
    from kazgeo.routing import search

    positive_integer(k, "k")
    goals = known_destinations(attached, destinations)
    forth = choice(Travel, direction, "direction") is Travel.TO
    place, goal = (attached.leaving(), goals.arriving()) if forth else (attached.arriving(), goals.leaving())
    progress(0.1, "nearest destinations")
    found = search.k_nearest(attached.network, goal, min(k, len(goals.ids)), reverse=forth)
    progress(0.8, "nearest destinations")
    i, side = np.nonzero(place.node >= 0)
    node = place.node[i, side]
    total = place.offset_s[i, side][:, None] + found.time_s[node]
    pairs = along(attached, goals) if forth else along(goals, attached)
    edges = [(p.origin, p.destination, p.time_s) if forth else (p.destination, p.origin, p.time_s) for p in pairs]
    rows = pd.DataFrame({
        "origin": np.concatenate([np.repeat(i, total.shape[1]), *(e[0] for e in edges)]),
        "goal": np.concatenate([found.owner[node].ravel(), *(e[1] for e in edges)]),
        "time_s": rounded(np.concatenate([total.ravel(), *(e[2] for e in edges)])),
    })  # fmt: skip
    rows = rows[np.isfinite(rows["time_s"])].sort_values(["origin", "time_s", "goal"], kind="stable")
    rows = rows.drop_duplicates(["origin", "goal"])
    rows["rank"] = rows.groupby("origin").cumcount() + 1
    rows = rows[rows["rank"] <= k]
    times = pd.DataFrame({
        "origin": attached.ids[rows["origin"]], "rank": rows["rank"].to_numpy(),
        "destination": goals.ids[rows["goal"]], "time_s": rows["time_s"].to_numpy(),
    })  # fmt: skip
    reached = pd.Series(attached.ids.isin(times["origin"]), index=attached.ids)
    return KNearest(times, attached.why_not(reached, CUT_OFF_REASON))
