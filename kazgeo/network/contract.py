"""Joins the edges of a road that runs on through nodes where nothing branches off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kazgeo.errors import InputError, listing
from kazgeo.network.measure import one_if_same, shapes_of
from kazgeo.network.model import Network, Shapes

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["contract"]

#: Columns of ``roads`` that are seconds, along and against an edge: they add up.
PAIRS = (("wait_s", "wait_back_s"), ("open_s", "open_back_s"))
_ADDED = tuple(column for pair in PAIRS for column in pair)


def contract(
    network: Network,
    *,
    keep: pd.Index | Sequence[Any] = (),
    agree: Sequence[str] = ("road_class", "surface", "seasonal"),
) -> Network:
    """Return the network without the nodes where just two edges meet.

    A node goes when exactly two ends of two edges meet there, these agree in the columns ``agree`` and both are open,
    or both closed, the same ways. Length, seconds each way and line of the edges add up, so travel times between the
    nodes that stay are unchanged. A ring of such nodes keeps one of them. What is known of the roads is kept where all
    parts of an edge agree, and is missing elsewhere; so a road can be closed by its ``road_id`` only with ``road_id``
    among ``agree``.

    Parameters
    ----------
    network : Network
        Roads.
    keep : Index or sequence, optional
        Ids of nodes that must stay.
    agree : sequence of str
        Columns of ``roads`` that scenarios will go by; those that the network lacks don't count.

    Returns
    -------
    Network
        A new network with a topology of its own.

    Raises
    ------
    InputError
        Nodes to keep that are not in the network.

    Examples
    --------
    >>> from kazgeo.network import from_edges
    >>> nodes = pd.DataFrame({"lon": [70.0, 71, 72, 72], "lat": [50.0, 50, 50, 51]}, index=list("abcd"))
    >>> edges = pd.DataFrame({"from_id": list("abb"), "to_id": list("bcd"), "length_km": [60.0, 60, 60]})
    >>> joined = contract(from_edges(edges.iloc[:2], nodes.iloc[:3]))
    >>> joined.nodes.tolist(), joined.length_m.tolist(), joined.time_s.round(6).tolist()
    (['a', 'c'], [120000.0], [7200.0])
    >>> contract(from_edges(edges, nodes)).m, contract(from_edges(edges.iloc[:0], nodes)).n
    (3, 4)
    """
    if isinstance(agree, str):
        raise InputError(f"agree must be a list of columns; got {agree!r}; write ({agree!r},)")
    stays = _stays(network, keep)
    if not network.m:
        return network
    mate = _mates(network, stays, agree)
    walks = _walks(network, mate)
    return _joined(network, walks, stays | _ends_of(network, walks))


@dataclass(frozen=True)
class _Walks:
    """Edges in the order in which they are joined."""

    member: NDArray[np.int64]
    flipped: NDArray[np.bool_]
    offset: NDArray[np.int64]

    @property
    def first(self) -> NDArray[np.int64]:
        return self.offset[:-1]

    def summed(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum over every walk of values in the order of the walks."""
        return np.add.reduceat(values, self.first)

    def along(self, forward: Any, backward: Any) -> Any:
        """Return values of the direction in which each edge is walked."""
        return np.where(self.flipped, backward[self.member], forward[self.member])


def _stays(network: Network, keep: pd.Index | Sequence[Any]) -> NDArray[np.bool_]:
    wanted = network.nodes.get_indexer(pd.Index(keep)) if len(keep) else np.empty(0, np.int64)
    if (wanted < 0).any():
        raise InputError(f"nodes to keep that are not in the network: {listing(pd.Index(keep)[wanted < 0])}")
    stays = np.zeros(network.n, bool)
    stays[wanted] = True
    return stays


def _mates(network: Network, stays: NDArray[np.bool_], agree: Sequence[str]) -> NDArray[np.int64]:
    """Return, for every half-edge, the one that continues it; -1 where its node stays."""
    m = network.m
    node = np.empty(2 * m, np.int64)
    node[0::2], node[1::2] = network.start, network.end
    order = np.argsort(node, kind="stable")
    degree = np.bincount(node, minlength=network.n)
    begin = np.r_[0, np.cumsum(degree)]
    two = np.flatnonzero((degree == 2) & ~stays)
    one, other = order[begin[two]], order[begin[two] + 1]
    alike = (one >> 1) != (other >> 1)
    for values in _looks(network, agree):
        alike &= values[one] == values[other ^ 1]
    one, other = one[alike], other[alike]
    mate = np.full(2 * m, -1, np.int64)
    mate[one], mate[other] = other, one
    return mate


def _looks(network: Network, agree: Sequence[str]) -> list[NDArray[Any]]:
    """Return what must agree, for every edge walked from each half-edge: entry h walks its edge from half-edge h.

    At a node the edge that arrives walks from the half-edge it comes from, the edge that leaves from the node's own.
    """
    times = [(network.time_s, network.backwards_s)]
    found: list[NDArray[Any]] = []
    if network.roads is not None:
        times += [
            (network.roads[a].to_numpy(float), network.roads[b].to_numpy(float))
            for a, b in PAIRS[1:]
            if a in network.roads
        ]
        for column in agree:
            if column in network.roads:
                found.append(np.repeat(pd.factorize(network.roads[column])[0], 2))
    for forward, backward in times:
        both = np.empty(2 * network.m, bool)
        both[0::2], both[1::2] = np.isfinite(forward), np.isfinite(backward)
        against = np.empty_like(both)
        against[0::2], against[1::2] = both[1::2], both[0::2]
        found += [both, against]
    return found


def _walks(network: Network, mate: NDArray[np.int64]) -> _Walks:
    from kazgeo.network.kernels import chains

    rest = np.flatnonzero(mate >= 0)
    node = np.where(rest & 1, network.end[rest >> 1], network.start[rest >> 1])
    rest = rest[np.lexsort((rest, network.lat[node], network.lon[node]))]  # a ring keeps its westernmost node
    member, flipped, offset, count = chains(mate, np.r_[np.flatnonzero(mate < 0), rest])
    return _Walks(member, flipped, offset[: count + 1])


def _ends_of(network: Network, walks: _Walks) -> NDArray[np.bool_]:
    """Return which nodes edges of the new network end at, or no edge has ended at before."""
    start, end = _terminals(network, walks)
    kept = np.ones(network.n, bool)
    kept[network.start] = kept[network.end] = False
    kept[start] = kept[end] = True
    return kept


def _terminals(network: Network, walks: _Walks) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first and the last node of every walk."""
    start, end = walks.along(network.start, network.end), walks.along(network.end, network.start)
    return start[walks.first], end[walks.offset[1:] - 1]


def _joined(network: Network, walks: _Walks, kept: NDArray[np.bool_]) -> Network:
    place = np.cumsum(kept) - 1
    start, end = _terminals(network, walks)
    length = walks.summed(network.length_m[walks.member])
    forward = walks.summed(walks.along(network.time_s, network.backwards_s))
    backward = walks.summed(walks.along(network.backwards_s, network.time_s)) if network.directed else forward
    return Network(
        network.nodes[kept], network.lon[kept], network.lat[kept], place[start], place[end], length, forward,
        one_if_same(forward, backward), _roads(network.roads, walks), _shapes(network, walks), dropped=network.dropped,
    )  # fmt: skip


def _roads(roads: pd.DataFrame | None, walks: _Walks) -> pd.DataFrame | None:
    """Return what all parts of each new edge agree on."""
    if roads is None:
        return None
    of = np.repeat(np.arange(len(walks.first)), np.diff(walks.offset))
    columns = {}
    for name in roads.columns:
        if name in _ADDED:
            continue
        first = roads[name].take(walks.member[walks.first]).reset_index(drop=True)
        codes = pd.factorize(roads[name])[0][walks.member]
        differs = np.bincount(of, weights=codes != codes[walks.first][of], minlength=len(first)) > 0
        columns[name] = first if not differs.any() else _missing(first, differs)
    for along, against in PAIRS:
        if along in roads:
            forward, backward = roads[along].to_numpy(float), roads[against].to_numpy(float)
            columns[along] = walks.summed(walks.along(forward, backward))
            columns[against] = walks.summed(walks.along(backward, forward))
    return pd.DataFrame(columns)[list(roads.columns)]


def _missing(values: pd.Series, where: NDArray[np.bool_]) -> pd.Series:
    """Return the values with some missing; whole numbers and truth values stay what they are."""
    if pd.api.types.is_bool_dtype(values.dtype):
        values = values.astype("boolean")
    elif pd.api.types.is_integer_dtype(values.dtype):
        values = values.astype("Int64")
    return values.mask(where)


def _shapes(network: Network, walks: _Walks) -> Shapes:
    """Return the lines of the new edges, each point once."""
    shapes = shapes_of(network)
    size = np.diff(shapes.offset)[walks.member]
    begin = np.r_[0, np.cumsum(size)]
    step = np.arange(begin[-1]) - np.repeat(begin[:-1], size)
    low, high = (np.repeat(side[walks.member], size) for side in (shapes.offset[:-1], shapes.offset[1:]))
    xy = shapes.xy[np.where(np.repeat(walks.flipped, size), high - 1 - step, low + step)]
    inner = np.ones(len(walks.member), bool)
    inner[walks.first] = False  # the first point of a later part is the last of the part before
    same = np.r_[False, (xy[1:] == xy[:-1]).all(axis=1)]
    keep = ~(np.repeat(inner, size) & (step == 0) & same)
    points = np.add.reduceat(keep.astype(np.int64), begin[:-1])
    return Shapes(xy[keep], np.r_[0, np.cumsum(walks.summed(points))].astype(np.int64))
