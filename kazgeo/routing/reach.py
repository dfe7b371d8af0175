"""How far one gets along every edge within a time: stretches of edges on which time rises evenly."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kazgeo.network.model import Network, Topology
from kazgeo.network.places import Attached
from kazgeo.progress import Progress, silent
from kazgeo.routing import search

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Ramps", "from_each", "from_nearest", "joined"]


class Ramps(NamedTuple):
    """Stretches of edges that are reached from one side, with the time at both of their ends.

    Parameters
    ----------
    owner : int64 array
        Position of the origin.
    edge : int64 array
        Position of the edge.
    near, far : float64 arrays
        Where the stretch begins, seen from the origin, and where it ends, as shares of the edge from its start.
    near_s, far_s : float64 arrays
        Seconds there; in between time rises evenly.
    """

    owner: NDArray[np.int64]
    edge: NDArray[np.int64]
    near: NDArray[np.float64]
    far: NDArray[np.float64]
    near_s: NDArray[np.float64]
    far_s: NDArray[np.float64]

    def take(self, which: Any) -> Ramps:
        """Return some of them."""
        return Ramps(*(values[which] for values in self))

    def within(self, low_s: float, high_s: float) -> Ramps:
        """Return what lies between two times.

        Examples
        --------
        >>> one = Ramps(*(np.array([v]) for v in (0, 3, 0.0, 1.0, 60.0, 120.0)))
        >>> [v.tolist() for v in one.within(75.0, 90.0)[2:]]
        [[0.25], [0.5], [75.0], [90.0]]
        >>> len(one.within(0.0, 60.0).edge)
        0
        """
        span = self.far_s - self.near_s
        with np.errstate(divide="ignore", invalid="ignore"):
            a, b = (np.where(span > 0, np.clip((t - self.near_s) / span, 0, 1), np.where(t >= self.near_s, s, 0.0))
                    for t, s in ((low_s, 0.0), (high_s, 1.0)))  # fmt: skip
        width = self.far - self.near
        ends = self.near + a * width, np.where(b == 1, self.far, self.near + b * width)
        made = Ramps(self.owner, self.edge, *ends, self.near_s + a * span, self.near_s + b * span)
        return made.take(np.flatnonzero(b > a))


class _Anchors(NamedTuple):
    """Where origins stand on their edges, sorted by edge and share, with the seconds of their legs."""

    edge: NDArray[np.int64]
    share: NDArray[np.float64]
    time: NDArray[np.float64]
    owner: NDArray[np.int64]


class _Stretches(NamedTuple):
    """Parts of edges between neighbouring nodes or origins: shares, seconds and owners at both ends."""

    edge: NDArray[np.int64]
    a: NDArray[np.float64]
    b: NDArray[np.float64]
    time_a: NDArray[np.float64]
    time_b: NDArray[np.float64]
    owner_a: NDArray[np.int64]
    owner_b: NDArray[np.int64]


class _Paces(NamedTuple):
    """Seconds of a whole edge, away from its start and away from its end, and the time one has."""

    up: NDArray[np.float64]
    down: NDArray[np.float64]
    limit: float


def _paces(network: Network, outward: bool, limit_s: float) -> _Paces:
    """Return the paces at which reach spreads: as one travels outward, or as one comes in."""
    both = (network.time_s, network.backwards_s)
    return _Paces(*(both if outward else both[::-1]), limit_s)


def from_each(
    origins: Attached, limit_s: float, *, outward: bool, executor: Executor | None = None, progress: Progress = silent
) -> Iterator[Ramps]:
    """Yield the stretches that every origin reaches within a time, each origin for itself, in their order.

    Parameters
    ----------
    origins : Attached
        Places tied to a network.
    limit_s : float
        Seconds.
    outward : bool
        Travel from the origin; False: to it.

    Examples
    --------
    >>> import geopandas, pandas as pd
    >>> from kazgeo.network import attach, from_edges
    >>> nodes = pd.DataFrame({"lon": [71.0, 72.0], "lat": [51.0, 51.0]}, index=["a", "b"])
    >>> edges = pd.DataFrame({"from_id": ["a"], "to_id": ["b"], "length_km": [80.0]})
    >>> at = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy([71.0, 60.0], [51.0, 45.0]), crs=4326)
    >>> found = list(from_each(attach(from_edges(edges, nodes, speed_kmh=80), at), 900.0, outward=True))
    >>> [r.far.round(3).tolist() for r in found]
    [[0.25], []]
    """
    net = origins.network
    goals = origins.leaving() if outward else origins.arriving()
    paces = _paces(net, outward, limit_s)
    edge, share, leg = (getattr(origins, c).to_numpy() for c in ("edge", "share", "leg_s"))
    pointer, near = _incident(net.topology)
    dist, nobody = np.full(net.n, np.inf), np.zeros(net.n, np.int64)
    found = search.reached(net, goals, limit_s, reverse=not outward, executor=executor, progress=progress)
    at = 0
    for who, node, time in found:
        last = min(len(edge), at + search.PIECE)
        bounds = np.searchsorted(who, np.arange(at, last + 1))
        for i in range(at, last):
            some = slice(bounds[i - at], bounds[i - at + 1])
            nodes = node[some]
            dist[nodes] = time[some]
            here = np.arange(i, i + 1 if edge[i] >= 0 and leg[i] <= limit_s else i)
            own = _Anchors(edge[here], share[here], leg[here], nobody[: len(here)])
            edges = np.unique(np.r_[near[_spans(pointer, nodes)], own.edge])
            made = _ramps(_stretches(net, edges, (dist, nobody), own, paces), paces)
            dist[nodes] = np.inf
            yield made._replace(owner=np.full(len(made.edge), i))
        at = last


def from_nearest(origins: Attached, limit_s: float, *, outward: bool) -> Ramps:
    """Return the stretches that are reached from any origin within a time, each with the nearest of them.

    Assumption: of origins that are equally near the one that stands first is named.
    """
    net = origins.network
    found = search.nearest(net, origins.leaving() if outward else origins.arriving(), reverse=not outward)
    edge, share, leg = (getattr(origins, c).to_numpy() for c in ("edge", "share", "leg_s"))
    have = np.flatnonzero((edge >= 0) & (leg <= limit_s))
    have = have[np.lexsort((have, leg[have], share[have], edge[have]))]
    own = _Anchors(edge[have], share[have], leg[have], have)
    time = np.where(found.time_s <= limit_s, found.time_s, np.inf)
    near = np.isfinite(time[net.start]) | np.isfinite(time[net.end])
    near[own.edge] = True
    paces = _paces(net, outward, limit_s)
    stretches = _stretches(net, np.flatnonzero(near), (time, found.owner.astype(np.int64)), own, paces)
    return _ramps(stretches, paces)


def _incident(topology: Topology) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the edges of every node as CSR, loops included; made once for a topology."""
    kept = topology.prepared
    if "incident" not in kept:
        node = np.r_[topology.start, topology.end]
        edge = np.tile(np.arange(len(topology.start)), 2)
        order = np.argsort(node, kind="stable")
        kept["incident"] = (np.r_[0, np.cumsum(np.bincount(node, minlength=topology.n))].astype(np.int64), edge[order])
    found: tuple[NDArray[np.int64], NDArray[np.int64]] = kept["incident"]
    return found


def _spans(pointer: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the positions of all entries of some rows of a CSR."""
    size = pointer[rows + 1] - pointer[rows]
    before = np.cumsum(size) - size
    return np.asarray(np.arange(size.sum()) - np.repeat(before - pointer[rows], size))


def _stretches(
    net: Network, edges: NDArray[np.int64], at_node: tuple[NDArray[np.float64], NDArray[np.int64]], own: _Anchors,
    paces: _Paces,
) -> _Stretches:  # fmt: skip
    """Return the parts of some edges, cut where origins stand."""
    time, owner = at_node
    plain = edges[~np.isin(edges, own.edge)] if len(own.edge) else edges
    u, w = net.start[plain], net.end[plain]
    whole = _Stretches(plain, np.zeros(len(plain)), np.ones(len(plain)), time[u], time[w], owner[u], owner[w])
    if not len(own.edge):
        return whole
    rows: list[tuple[float, ...]] = []
    first = np.flatnonzero(np.r_[True, np.diff(own.edge) != 0])
    for i, j in zip(first, np.r_[first[1:], len(own.edge)], strict=True):
        e = int(own.edge[i])
        tail, head = int(net.start[e]), int(net.end[e])
        x = [0.0, *own.share[i:j].tolist(), 1.0]
        inner = list(zip(own.time[i:j].tolist(), own.owner[i:j].tolist(), strict=True))
        known = [(float(time[tail]), int(owner[tail])), *inner, (float(time[head]), int(owner[head]))]
        _settle(x, known, float(paces.up[e]), float(paces.down[e]))
        rows += [(e, x[k], x[k + 1], known[k][0], known[k + 1][0], known[k][1], known[k + 1][1])
                 for k in range(len(x) - 1)]  # fmt: skip
    kinds = (np.int64, float, float, float, float, np.int64, np.int64)
    split = [np.array(c).astype(k) for c, k in zip(zip(*rows, strict=True), kinds, strict=True)]
    return _Stretches(*(np.r_[p, s] for p, s in zip(whole, split, strict=True)))


def _settle(x: list[float], known: list[tuple[float, int]], up: float, down: float) -> None:
    """Improve times and owners at the points of one edge by one another, in place."""
    last = len(x) - 1
    for k in range(1, last + 1):
        step = (x[k] - x[k - 1]) * up if x[k] > x[k - 1] else 0.0
        known[k] = min(known[k], (known[k - 1][0] + step, known[k - 1][1]))
    for k in range(last - 1, -1, -1):
        step = (x[k + 1] - x[k]) * down if x[k + 1] > x[k] else 0.0
        known[k] = min(known[k], (known[k + 1][0] + step, known[k + 1][1]))


def _ramps(s: _Stretches, paces: _Paces) -> Ramps:
    """Return what is reached of every stretch from its one end and from its other, up to where these meet."""
    up, down = paces.up[s.edge], paces.down[s.edge]
    ok_a = np.isfinite(s.time_a) & np.isfinite(up)
    ok_b = np.isfinite(s.time_b) & np.isfinite(down)
    with np.errstate(divide="ignore", invalid="ignore"):
        meet = (s.time_b + down * s.b - s.time_a + up * s.a) / (up + down)
        meet = np.where(ok_a & ok_b, np.where(up + down > 0, np.clip(meet, s.a, s.b), s.b), np.where(ok_a, s.b, s.a))
        far_a = np.minimum(meet, np.where(up > 0, s.a + (paces.limit - s.time_a) / up, s.b))
        far_b = np.maximum(meet, np.where(down > 0, s.b - (paces.limit - s.time_b) / down, s.a))
    a = np.flatnonzero(ok_a & (s.time_a <= paces.limit) & (far_a > s.a))
    b = np.flatnonzero(ok_b & (s.time_b <= paces.limit) & (far_b < s.b))
    return Ramps(
        np.r_[s.owner_a[a], s.owner_b[b]],
        s.edge[np.r_[a, b]],
        np.r_[s.a[a], s.b[b]],
        np.r_[far_a[a], far_b[b]],
        np.r_[s.time_a[a], s.time_b[b]],
        np.r_[s.time_a[a] + (far_a[a] - s.a[a]) * up[a], s.time_b[b] + (s.b[b] - far_b[b]) * down[b]],
    )


def joined(ramps: Ramps) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return owner, edge and both shares of the stretches, those that touch made one, sorted by owner and edge."""
    low, high = np.minimum(ramps.near, ramps.far), np.maximum(ramps.near, ramps.far)
    order = np.lexsort((low, ramps.edge, ramps.owner))
    owner, edge, low, high = ramps.owner[order], ramps.edge[order], low[order], high[order]
    apart = (np.diff(owner) != 0) | (np.diff(edge) != 0) | (low[1:] > high[:-1] + 1e-12)
    first = np.flatnonzero(np.r_[True, apart]) if len(edge) else np.empty(0, np.int64)
    last = np.r_[first[1:], len(edge)][: len(first)] - 1
    return owner[first], edge[first], low[first], high[last]
