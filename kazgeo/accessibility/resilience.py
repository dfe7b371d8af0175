"""What a closed road does: places on a single road, the second-best route, who loses access and who travels longer."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from kazgeo.accessibility.nearest import known_destinations, nearest, tied_destinations
from kazgeo.choices import Travel
from kazgeo.errors import InputError, choice, listing
from kazgeo.network import Attached, Network
from kazgeo.network.places import metric_lines
from kazgeo.network.stretches import Stretches, stretches
from kazgeo.network.vertices import cut as between
from kazgeo.network.vertices import vertices
from kazgeo.parallel import pieces, run
from kazgeo.progress import Progress, silent
from kazgeo.routing.along import along
from kazgeo.ties import rounded

if TYPE_CHECKING:
    import geopandas
    from numpy.typing import NDArray

__all__ = ["Closure", "SecondRoutes", "SingleRoads", "WeakPoints", "closure", "second_routes", "single_roads",
           "weak_points"]  # fmt: skip

#: Seconds by which a travel time must change to count as longer.
SAME_S = 1e-6


class WeakPoints(NamedTuple):
    """Edges and nodes without which a connected part of the network falls apart.

    Parameters
    ----------
    bridge : bool array, shape (m,)
        Edges that are the only link between two parts.
    cutting : bool array, shape (n,)
        Nodes that are (articulation points).
    core : int64 array, shape (n,)
        2-edge-connected component of every node: no single edge divides it.
    """

    bridge: NDArray[np.bool_]
    cutting: NDArray[np.bool_]
    core: NDArray[np.int64]


@dataclass(frozen=True)
class SingleRoads:
    """Places that hang on one road.

    Parameters
    ----------
    places : DataFrame
        By place: ``single_road`` (True, False), ``roads`` (how many stretches there are, each of which cuts the place
        off when it closes), and of the first of them on the way from the place ``edge`` (position in the network) and
        ``bridge`` (row of ``bridges``), -1 without one. Missing for places apart from the main network.
    bridges : GeoDataFrame
        Stretches that cut places off: edge, low, high (shares of that edge), length_m, ``roads`` (how many of them lie
        in line from it to the main network, itself included), ``places`` and ``people`` beyond it, ``places_lose`` and
        ``people_lose`` (those that lose the last facility; only with facilities), geometry.
    unknown : int
        Places beyond some stretch whose number of people is not known: counted as places, not as people.
    dropped : DataFrame
        Columns unit, reason.
    """

    places: pd.DataFrame
    bridges: geopandas.GeoDataFrame
    unknown: int
    dropped: pd.DataFrame


@dataclass(frozen=True)
class SecondRoutes:
    """Travel times when the worst single stretch of road is closed.

    Parameters
    ----------
    places : DataFrame
        By place: ``time_s`` (all roads open), ``second_s`` (NaN when cut off), ``extra_s`` (the difference),
        ``cut_off`` and the stretch: ``edge``, ``low``, ``high`` (-1 and NaN when no stretch matters).
    dropped : DataFrame
        Columns unit, reason: places without a travel time even with all roads open.
    """

    places: pd.DataFrame
    dropped: pd.DataFrame


@dataclass(frozen=True)
class Closure:
    """What the closing of some edges changes.

    Parameters
    ----------
    places : DataFrame
        By place: ``before_s``, ``after_s``, ``longer_s`` (NaN when lost), ``before``, ``after`` (the destination) and
        ``change``: "same", "longer" or "lost".
    importance_s : float
        Mean seconds longer of those that keep access, weighted by people.
    unsatisfied : float
        Share of people with access before that have none after.
    dropped : DataFrame
        Columns unit, reason: places without access before.
    """

    places: pd.DataFrame
    importance_s: float
    unsatisfied: float
    dropped: pd.DataFrame


def weak_points(network: Network) -> WeakPoints:
    """Return bridges, articulation points and 2-edge-connected components of a network.

    Assumption: an edge open one way joins its ends both ways; one of several parallel edges is no bridge.

    Parameters
    ----------
    network : Network
        Roads.

    Returns
    -------
    WeakPoints
        By edge and node of the network.

    Notes
    -----
    Linear in nodes and edges.

    References
    ----------
    Tarjan, R. E. (1974). A note on finding the bridges of a graph. Information Processing Letters 2, 160-161.
    https://doi.org/10.1016/0020-0190(74)90003-9

    Examples
    --------
    >>> from kazgeo.network import from_edges
    >>> nodes = pd.DataFrame({"lon": [70.0, 71.0, 71.0, 73.0], "lat": [50.0, 50.0, 51.0, 50.0]}, index=list("abcd"))
    >>> edges = pd.DataFrame({"from_id": list("abcb"), "to_id": list("bcad"), "length_km": 80.0})
    >>> weak = weak_points(from_edges(edges, nodes))
    >>> weak.bridge.tolist(), weak.cutting.tolist(), weak.core.tolist()
    ([False, False, False, True], [False, True, False, False], [0, 0, 0, 1])
    """
    open_ = np.isfinite(network.time_s) | np.isfinite(network.backwards_s)
    return _weak(network.n, network.start, network.end, open_)


def _weak(n: int, start: NDArray[np.int64], end: NDArray[np.int64], open_: NDArray[np.bool_]) -> WeakPoints:
    """Return the weak points of a graph."""
    import scipy.sparse as sp

    from kazgeo.routing import weakness

    used = np.flatnonzero(open_)
    bridge, cutting = np.zeros(len(used), np.bool_), np.zeros(n, np.bool_)
    weakness.bridges(*weakness.incidence(n, start[used], end[used]), bridge, cutting)
    every = np.zeros(len(start), np.bool_)
    every[used[bridge]] = True
    rest = used[~bridge]
    graph = sp.coo_array((np.ones(len(rest)), (start[rest], end[rest])), shape=(n, n))
    core = sp.csgraph.connected_components(graph, directed=False)[1].astype(np.int64) if n else np.empty(0, np.int64)
    return WeakPoints(every, cutting, core)


def single_roads(
    attached: Attached, *, people: pd.Series | None = None, facilities: pd.Index | Attached | None = None
) -> SingleRoads:
    """Return the places that one closed stretch of road cuts off from the main network, and those stretches.

    Assumption: a stretch is the road between neighbouring junctions or places; it closes as a whole and both ways. The
    main network is the 2-edge-connected part where most people live (without ``people``: most places), for within it no
    single closure divides anything. One-way roads count as open both ways; the leg off the road is no road.

    Parameters
    ----------
    attached : Attached
        Places tied to a network.
    people : Series, optional
        By place; NaN where unknown.
    facilities : Index or Attached, optional
        Places with a facility: tells who loses the last one, on either side of a stretch.

    Returns
    -------
    SingleRoads

    Raises
    ------
    InputError
        No place tied to the network; facilities as in ``nearest``; negative people, or people of other places.

    References
    ----------
    Tarjan (1974), as in ``weak_points``. Jenelius, E., Petersen, T. and Mattsson, L.-G. (2006). Importance and exposure
    in road network vulnerability analysis. Transportation Research Part A 40, 537-560.
    https://doi.org/10.1016/j.tra.2005.11.003 (cut links and unsatisfied demand)

    Examples
    --------
    >>> import geopandas
    >>> from kazgeo.network import attach, from_edges
    >>> nodes = pd.DataFrame({"lon": [70.0, 71.0, 71.0, 73.0], "lat": [50.0, 50.0, 51.0, 50.0]}, index=list("abcd"))
    >>> edges = pd.DataFrame({"from_id": list("abcb"), "to_id": list("bcad"), "length_km": 80.0})
    >>> at = geopandas.points_from_xy([*nodes["lon"], 60.0], [*nodes["lat"], 50.0])
    >>> towns = geopandas.GeoDataFrame(geometry=at, index=[*"ABCD", "far"], crs=4326)
    >>> tied = attach(from_edges(edges, nodes), towns)
    >>> found = single_roads(tied, people=pd.Series({"A": 9, "B": 9, "C": 9, "D": 5, "far": np.nan}))
    >>> found.places["single_road"].tolist(), found.places["edge"].tolist()
    ([False, False, False, True, <NA>], [-1, -1, -1, 3, <NA>])
    >>> found.bridges[["edge", "places", "people"]].astype(int).values.tolist(), found.dropped.values.tolist()
    ([[3, 1, 5]], [['far', 'farther from every road than the limit']])
    >>> single_roads(tied.take(tied.ids[:0]))
    Traceback (most recent call last):
    kazgeo.errors.InputError: no place is tied to the network: none is given or all are farther from a road than ...
    """
    if not attached.tied.any():
        raise InputError("no place is tied to the network: none is given or all are farther from a road than the limit")
    goals = None if facilities is None else tied_destinations(attached, facilities)
    cut = stretches(attached.network, attached, *([] if goals is None else [goals]))
    node = cut.nodes[0]
    number = _people(attached, people)
    open_ = np.isfinite(cut.time_s) | np.isfinite(cut.back_s)
    weak = _weak(cut.n, cut.start, cut.end, open_)
    counts = [_at(node, np.nan_to_num(number), cut.n), _at(node, np.ones(len(node)), cut.n)]
    forest = _Forest.of(cut, weak, counts)
    core = np.where(node >= 0, weak.core[node], -1)
    main = (core >= 0) & (forest.root[core] == forest.main)
    depth = np.where(main, forest.depth[core], 0)
    lost = attached.why_not(pd.Series(main, index=attached.ids), "on a part of the network apart from the main one")
    kinds = [] if goals is None else [_at(cut.nodes[1], np.ones(len(goals.ids)), cut.n)]
    made = _bridge_table(attached.network, cut, forest, weak, counts + kinds)
    row = np.full(len(cut.edge), -1, dtype=np.int64)
    row[made.pop("stretch")] = made.index
    first = forest.edge[core]
    table = pd.DataFrame({
        "single_road": pd.array(depth > 0, dtype="boolean"), "roads": pd.array(depth, dtype="Int64"),
        "edge": pd.array(np.where(depth > 0, cut.edge[first], -1), dtype="Int64"),
        "bridge": pd.array(np.where(depth > 0, row[first], -1), dtype="Int64"),
    }, index=attached.ids)  # fmt: skip
    table[~main] = pd.NA
    return SingleRoads(table, made, int((np.isnan(number) & (depth > 0)).sum()), lost)


def _at(node: NDArray[np.int64], value: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Return the sums by node."""
    there = node >= 0
    return np.bincount(node[there], weights=value[there], minlength=n).astype(float)


def _people(attached: Attached, people: pd.Series | None) -> NDArray[np.float64]:
    """Return people by place: given, or one for each."""
    if people is None:
        return np.ones(len(attached.ids))
    strange = attached.ids[~attached.ids.isin(people.index)]
    if len(strange) or not people.index.is_unique:
        raise InputError(f"people must hold every place once; missing: {listing(strange)}")
    number: NDArray[np.float64] = people.reindex(attached.ids).to_numpy(dtype=float)
    if (number < 0).any():
        raise InputError(f"people must not be negative; got negative ones for {listing(attached.ids[number < 0])}")
    return number


class _Forest(NamedTuple):
    """2-edge-connected parts hung on the main ones by bridges.

    ``order``, ``edge``, ``parent`` and ``depth`` are of parts; ``edge`` is a stretch. ``root`` is the part at the top,
    ``main`` that of the main network.
    """

    order: NDArray[np.int64]
    edge: NDArray[np.int64]
    parent: NDArray[np.int64]
    depth: NDArray[np.int64]
    root: NDArray[np.int64]
    main: int

    @classmethod
    def of(cls, cut: Stretches, weak: WeakPoints, counts: list[NDArray[np.float64]]) -> _Forest:
        """Return the forest, parts with most people, then most places, then most nodes on top."""
        from kazgeo.routing import weakness

        size = int(weak.core.max(initial=-1)) + 1
        sums = [np.bincount(weak.core, weights=w, minlength=size) for w in (*counts, np.ones(cut.n))]
        roots = np.lexsort([-s for s in reversed(sums)]).astype(np.int64)
        used = np.flatnonzero(weak.bridge)
        links = weakness.incidence(size, weak.core[cut.start[used]], weak.core[cut.end[used]])
        order, edge, parent, depth = weakness.spread(*links, roots)
        root = np.arange(size)
        for d in range(1, int(depth.max(initial=0)) + 1):
            level = np.flatnonzero(depth == d)
            root[level] = root[parent[level]]
        return cls(
            order, np.where(edge >= 0, used[edge], -1) if len(used) else edge, parent, depth, root, int(roots[0])
        )


def _bridge_table(
    network: Network, cut: Stretches, forest: _Forest, weak: WeakPoints, counts: list[NDArray[np.float64]]
) -> geopandas.GeoDataFrame:
    """Return the bridges that have places beyond them, most people first."""
    import geopandas

    from kazgeo.routing import weakness

    size = len(forest.edge)
    own = [np.bincount(weak.core, weights=c, minlength=size) for c in counts]
    beyond = [weakness.totals(forest.order, forest.parent, w) for w in own]
    people, places = beyond[0], beyond[1]
    part = np.flatnonzero((forest.depth > 0) & (places > 0) & (forest.root == forest.main))
    part = part[np.lexsort((forest.edge[part], -places[part], -people[part]))]
    at = forest.edge[part]
    table: dict[str, Any] = {
        "stretch": at, "edge": cut.edge[at], "low": cut.low[at], "high": cut.high[at],
        "length_m": (cut.high[at] - cut.low[at]) * network.length_m[cut.edge[at]],
        "roads": forest.depth[part], "places": places[part].astype(np.int64), "people": people[part],
    }  # fmt: skip
    if len(counts) > 2:
        whole = [b[forest.main] for b in beyond]
        here, there = beyond[2][part], whole[2] - beyond[2][part]
        for name, b, total in (("places_lose", places, whole[1]), ("people_lose", people, whole[0])):
            table[name] = np.where((here == 0) & (there > 0), b[part],
                                   np.where((here > 0) & (there == 0), total - b[part], 0.0))  # fmt: skip
        table["places_lose"] = table["places_lose"].astype(np.int64)
    lines = between(vertices(network), cut.edge[at], cut.low[at], cut.high[at]).lines()
    return geopandas.GeoDataFrame(table, geometry=lines, crs=metric_lines(network)[0])


def second_routes(
    attached: Attached, facilities: pd.Index | Attached, *, direction: Travel | str = Travel.TO,
    executor: Executor | None = None, progress: Progress = silent,
) -> SecondRoutes:  # fmt: skip
    r"""Return the time to the nearest facility when the worst single stretch of road is closed.

    Assumption: a stretch is the road between neighbouring junctions or places (facilities too); it closes as a whole
    and both ways. Whoever is turned away takes the quickest route that is left, to whichever facility is then nearest.
    A place within 1 m of a junction stands at it. The leg off the road does not close; a facility itself needs no road.

    Parameters
    ----------
    attached : Attached
        Places tied to a network.
    facilities : Index or Attached
        Ids of places with a facility, or other places tied to the same network.
    direction : Travel
        "to" the facility or "from" it.
    executor : Executor, optional
        Who searches; threads of this process by default.
    progress : Progress
        Reporter.

    Returns
    -------
    SecondRoutes

    Raises
    ------
    InputError
        As of ``nearest``.

    Notes
    -----
    With :math:`t_i(e)` the time of place i to its nearest facility when stretch e is closed,

    .. math:: t_i^{(2)} = \max_e t_i(e)

    which is infinite (cut off) when some stretch lies on every route. Only stretches on the quickest route can be worse
    than none, so each stretch of the tree of quickest routes is closed in turn and only the places behind it searched
    anew, from the roads around them. Of stretches that are equally bad the one nearest to the place is named. It is
    the worst-case exposure of Jenelius and others (2006) for one place and single closures; a route without any edge of
    the first (edge-disjoint) would be longer still, but no single closure asks for it.

    References
    ----------
    Jenelius, E., Petersen, T. and Mattsson, L.-G. (2006). Importance and exposure in road network vulnerability
    analysis. Transportation Research Part A 40, 537-560. https://doi.org/10.1016/j.tra.2005.11.003

    Examples
    --------
    >>> import geopandas
    >>> from kazgeo.network import attach, from_edges
    >>> nodes = pd.DataFrame({"lon": [70.0, 71.0, 71.0, 73.0], "lat": [50.0, 50.0, 51.0, 50.0]}, index=list("abcd"))
    >>> edges = pd.DataFrame({"from_id": list("abcb"), "to_id": list("bcad"), "length_km": 80.0})
    >>> at = geopandas.points_from_xy([*nodes["lon"], 60.0], [*nodes["lat"], 50.0])
    >>> towns = geopandas.GeoDataFrame(geometry=at, index=[*"ABCD", "far"], crs=4326)
    >>> found = second_routes(attach(from_edges(edges, nodes, speed_kmh=80), towns), pd.Index(["A"]))
    >>> (found.places[["time_s", "second_s"]] / 3600).round(2).values.tolist()
    [[0.0, 0.0], [1.0, 2.0], [1.0, 2.0], [2.0, nan], [nan, nan]]
    >>> found.places["cut_off"].tolist(), found.dropped["unit"].tolist()
    ([False, False, False, True, False], ['far'])
    """
    from kazgeo.routing import weakness

    goals = tied_destinations(attached, facilities)
    forth = choice(Travel, direction, "direction") is Travel.TO
    cut = stretches(attached.network, attached, goals)
    node, goal = cut.nodes
    seed = np.full(cut.n, np.inf)
    np.minimum.at(seed, goal, goals.leg_s.to_numpy())
    both = (cut.time_s, cut.back_s) if forth else (cut.back_s, cut.time_s)
    graph = (*weakness.incidence(cut.n, cut.start, cut.end), np.stack(both, axis=1).ravel(), seed)
    tree = weakness.route_tree(*graph)
    time, by_time = tree[0], tree[-1]
    wanted = np.zeros(cut.n, np.bool_)
    wanted[node[node >= 0]] = True
    size = max(1, -(-len(by_time) // 64))
    tasks = [(*graph, tree, by_time[::-1][a:b], wanted) for a, b in pieces(len(by_time), size)]
    worst, which = np.full(cut.n, -1.0), np.full(cut.n, -1, np.int64)
    for found, edge in run(weakness.around, tasks, executor, progress, "closing one road after the other"):
        more = found > worst
        worst[more], which[more] = found[more], edge[more]
    worst = np.maximum(worst, time)
    weak = np.where(worst > time + SAME_S, which, -1)
    return _second(attached, known_destinations(attached, facilities), (cut, time, worst, weak))


def _at_a_goal(attached: Attached, goals: Attached) -> NDArray[np.bool_]:
    """Tell which places lie at the same spot as a destination."""
    own = np.zeros(len(attached.ids), np.bool_)
    for pairs in along(attached, goals):
        own[pairs.origin[pairs.time_s == 0]] = True
    return own


def _second(
    attached: Attached, goals: Attached,
    found: tuple[Stretches, NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]],
) -> SecondRoutes:  # fmt: skip
    """Return the table by place of what was found by node."""
    cut, time, worst, which = found
    node = cut.nodes[0]
    leg = attached.leg_s.to_numpy()
    own = _at_a_goal(attached, goals)
    first, second = (
        rounded(np.where(own, 0.0, np.where(node >= 0, t[node], np.inf) + np.nan_to_num(leg))) for t in (time, worst)
    )
    reached = np.isfinite(first)
    edge = np.where(reached & ~own & (node >= 0), which[node], -1)
    off = reached & np.isinf(second)
    table = pd.DataFrame({
        "time_s": np.where(reached, first, np.nan), "second_s": np.where(reached & ~off, second, np.nan),
        "extra_s": np.where(reached & ~off, second - np.where(reached, first, 0), np.nan), "cut_off": off,
        "edge": np.where(edge >= 0, cut.edge[edge], -1), "low": np.where(edge >= 0, cut.low[edge], np.nan),
        "high": np.where(edge >= 0, cut.high[edge], np.nan),
    }, index=attached.ids)  # fmt: skip
    lost = attached.why_not(pd.Series(reached, index=attached.ids), "on a part of the network without a destination")
    return SecondRoutes(table, lost)


def closure(
    attached: Attached, facilities: pd.Index | Attached, edges: int | Iterable[int], *, people: pd.Series | None = None,
    direction: Travel | str = Travel.TO,
) -> Closure:  # fmt: skip
    r"""Return who loses access and who travels longer when edges are closed along their whole length, both ways.

    Assumption: all given edges close at once; a place in the middle of a closed edge is cut off, one within a metre of
    a junction stands at that. Only times change, the prepared network stays.

    Parameters
    ----------
    attached : Attached
        Places tied to a network.
    facilities : Index or Attached
        As in ``nearest``.
    edges : int or several
        Positions of edges in the network.
    people : Series, optional
        By place, for the means; without it every place counts one. Places whose number is not known don't count.
    direction : Travel
        "to" the facility or "from" it.

    Returns
    -------
    Closure

    Raises
    ------
    InputError
        As of ``nearest``; edges that the network doesn't have; negative people.

    Notes
    -----
    With :math:`w_i` people and :math:`t_i`, :math:`t_i(E)` times before and after,

    .. math:: I(E) = \frac{\sum_i w_i [t_i(E) - t_i]}{\sum_i w_i}

    over the places that keep access (importance), and the share of :math:`w_i` of those that lose it (unsatisfied
    demand), for which no time can be told.

    References
    ----------
    Jenelius, E., Petersen, T. and Mattsson, L.-G. (2006), https://doi.org/10.1016/j.tra.2005.11.003;
    Rodríguez-Núñez, E. and García-Palomares, J. C. (2014). Measuring the vulnerability of public transport networks.
    Journal of Transport Geography 35, 50-63. https://doi.org/10.1016/j.jtrangeo.2014.01.008

    Examples
    --------
    >>> import geopandas
    >>> from kazgeo.network import attach, from_edges
    >>> nodes = pd.DataFrame({"lon": [70.0, 71.0, 71.0, 73.0], "lat": [50.0, 50.0, 51.0, 50.0]}, index=list("abcd"))
    >>> edges = pd.DataFrame({"from_id": list("abcb"), "to_id": list("bcad"), "length_km": 80.0})
    >>> towns = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(nodes["lon"], nodes["lat"]), crs=4326)
    >>> tied = attach(from_edges(edges, nodes, speed_kmh=80), towns.set_axis(list("ABCD")))
    >>> closed = closure(tied, pd.Index(["A"]), 0)
    >>> closed.places["change"].tolist(), round(closed.importance_s), closed.unsatisfied
    (['same', 'longer', 'same', 'longer'], 1800, 0.0)
    >>> closure(tied, pd.Index(["A"]), 3).places["change"].tolist()
    ['same', 'same', 'same', 'lost']
    >>> closure(tied, pd.Index(["A"]), 9)
    Traceback (most recent call last):
    kazgeo.errors.InputError: edges must be positions from 0 to 3; got 9
    """
    net = attached.network
    shut = np.unique(np.atleast_1d(np.asarray(list(edges) if isinstance(edges, Iterable) else [edges])))
    strange = [e for e in shut.tolist() if not (isinstance(e, int) and 0 <= e < net.m)]
    if strange:
        raise InputError(f"edges must be positions from 0 to {net.m - 1}; got {listing(strange)}")
    goals = known_destinations(attached, facilities)
    weight = _people(attached, people)
    time, back = net.time_s.copy(), net.backwards_s.copy()
    time[shut.astype(np.int64)] = back[shut.astype(np.int64)] = np.inf
    closed = net.with_times(time, back if net.directed else None)
    before = nearest(attached, goals, direction=direction)
    after = nearest(attached.on(closed), goals.on(closed), direction=direction)
    had, has = before.time_s.notna(), after.time_s.notna()
    longer = after.time_s - before.time_s
    change = np.where(had & ~has, "lost", np.where(longer > SAME_S, "longer", "same")).astype(object)
    change[~had.to_numpy()] = None
    table = pd.DataFrame({
        "before_s": before.time_s, "after_s": after.time_s, "longer_s": longer, "before": before.destination,
        "after": after.destination, "change": change,
    })  # fmt: skip
    known = np.isfinite(weight) & had.to_numpy()
    keeps = known & has.to_numpy()
    kept, total = weight[keeps].sum(), weight[known].sum()
    mean = float((weight[keeps] * longer.to_numpy()[keeps]).sum() / kept) if kept > 0 else np.nan
    return Closure(table, mean, float((total - kept) / total) if total > 0 else np.nan, before.dropped)
