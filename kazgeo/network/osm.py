"""Reads road networks from OpenStreetMap files, as a stream: the file is never held in memory."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kazgeo.errors import InputError, choice
from kazgeo.network.measure import SHORTEST_S, add_junctions, fresh_ids, one_if_same, segments_m
from kazgeo.network.model import Network, Shapes
from kazgeo.network.profiles import CYCLE, DRIVE, TAGS, WALK, Mode, Profile, Way, blocks, interpret
from kazgeo.progress import Progress, silent

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["from_osm"]

_READY = {Mode.DRIVE: DRIVE, Mode.WALK: WALK, Mode.CYCLE: CYCLE}
_BETWEEN = 20_000  # ways between two calls of the progress reporter


def from_osm(
    path: str | Path,
    profile: str | Profile = Mode.DRIVE,
    *,
    keep: Sequence[str] = (),
    progress: Progress = silent,
) -> Network:
    """Return the roads of an OpenStreetMap file (``.osm.pbf``, ``.osm``, ``.osm.bz2``) for a way of travelling.

    Assumption: the year's fair season: roads of winter only (``ice_road``, ``winter_road``, ``seasonal=winter``) are
    closed until a scenario opens them. Conditional restrictions, turn restrictions and traffic are not looked at.
    Streets in a settlement without a stated limit have the average of their class, like all others.

    Parameters
    ----------
    path : path
        The file; it is read twice, first its ways, then the nodes that they use.
    profile : "drive", "walk", "cycle", or Profile
        Which ways are open to whom, and how fast.
    keep : sequence of str
        Further tags of the ways to keep as columns of ``roads``, such as ``name`` or ``ref``.
    progress : Progress
        Reporter; raising ``Cancelled`` stops the reading.

    Returns
    -------
    Network
        Nodes are OSM ids; where a barrier lets nobody through, each road ends at a node of its own with a negative
        id. ``roads`` has ``road_id`` (the way), ``road_class``, ``surface``, ``seasonal``, ``limit_signed``,
        ``bridge``, ``ford``, ``ferry``, ``all_season`` (missing where the tags don't say), and with roads of winter
        ``open_s`` and ``open_back_s``, their seconds when open. ``dropped`` tells the ways left out, and why.

    Raises
    ------
    InputError
        No such file, no OSM file, no road in it for the profile; osmium is not installed.

    Examples
    --------
    >>> import tempfile
    >>> text = '''<osm version="0.6">
    ...   <node id="1" lon="70" lat="50"/> <node id="2" lon="70.1" lat="50"/> <node id="3" lon="70.2" lat="50"/>
    ...   <way id="7"><nd ref="1"/><nd ref="2"/><tag k="highway" v="trunk"/><tag k="maxspeed" v="100"/></way>
    ...   <way id="8"><nd ref="2"/><nd ref="3"/><tag k="highway" v="track"/><tag k="ice_road" v="yes"/></way>
    ...   <way id="9"><nd ref="1"/><nd ref="3"/><tag k="highway" v="track"/><tag k="access" v="no"/></way>
    ... </osm>'''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "map.osm")
    ...     _ = path.write_text(text)
    ...     roads = from_osm(path)
    >>> roads
    <Network: 3 nodes, 2 edges, 14 km; 2 components (largest 66.7% of nodes)>
    >>> roads.time_s.round().tolist(), roads.roads["road_class"].tolist()
    ([287.0, inf], ['trunk', 'track'])
    >>> roads.dropped.values.tolist()
    [[9, 'access refused']]
    """
    rules = profile if isinstance(profile, Profile) else _READY[choice(Mode, profile, "profile")]
    osmium, path = _osmium(), Path(path)
    if not path.is_file():
        raise InputError(f"no file '{path}'; an OpenStreetMap file is wanted, such as kazakhstan-latest.osm.pbf")
    try:
        ways = _read_ways(osmium, path, rules, tuple(keep), progress)
        ids, xy, blocked = _read_nodes(osmium, path, ways, rules)
    except RuntimeError as fault:  # what osmium raises for files that it can't read
        raise InputError(f"'{path}' can't be read as an OpenStreetMap file: {fault}") from fault
    if not len(ways.refs):
        raise InputError(f"'{path}' has no road for the profile '{rules.name}'")
    progress(0.7, "edges")
    return _assemble(ways, ids, xy, blocked, rules)


def _osmium() -> Any:
    try:
        import osmium
    except ImportError as missing:
        raise InputError(
            "reading OpenStreetMap files needs the package 'osmium', which is not installed; "
            "install it with: pip install osmium"
        ) from missing
    return osmium


@dataclass
class _Ways:
    """The roads of a file: their nodes one after another, and which of the kinds of ways each is."""

    tracker: Any
    ids: array[int] = field(default_factory=lambda: array("q"))
    size: array[int] = field(default_factory=lambda: array("q"))
    kind: array[int] = field(default_factory=lambda: array("q"))
    nodes: array[int] = field(default_factory=lambda: array("q"))
    kinds: dict[Way, int] = field(default_factory=dict)
    kept: dict[str, list[str | None]] = field(default_factory=dict)
    dropped: list[tuple[int, str]] = field(default_factory=list)

    @property
    def refs(self) -> NDArray[np.int64]:
        """Ids of all nodes, way after way."""
        return np.frombuffer(self.nodes, np.int64) if len(self.nodes) else np.empty(0, np.int64)

    def column(self, name: str) -> Any:
        """Return one field of every kind of way."""
        return [getattr(kind, name) for kind in self.kinds]


def _read_ways(osmium: Any, path: Path, rules: Profile, keep: tuple[str, ...], progress: Progress) -> _Ways:
    ways = _Ways(osmium.IdTracker(), kept={tag: [] for tag in keep})
    known: dict[tuple[str | None, ...], Way | str] = {}  # most ways are tagged like many others
    stream = osmium.FileProcessor(str(path), osmium.osm.WAY).with_filter(osmium.filter.KeyFilter("highway", "route"))
    for count, way in enumerate(stream):
        if count % _BETWEEN == 0:
            progress(0.05 + 0.5 * (1 - 1 / (1 + count / 500_000)), "ways")
        tags = dict(way.tags)
        key = tuple(map(tags.get, TAGS))
        found = known.get(key)
        if found is None:
            found = known[key] = interpret(rules, tags)
        if isinstance(found, str):
            if found:
                ways.dropped.append((way.id, found))
            continue
        nodes = [node.ref for node in way.nodes]
        ways.ids.append(way.id)
        ways.size.append(len(nodes))
        ways.kind.append(ways.kinds.setdefault(found, len(ways.kinds)))
        ways.nodes.extend(nodes)
        try:
            ways.tracker.add_references(way)
        except RuntimeError as fault:
            raise InputError(
                f"way {way.id} of '{path}' uses nodes with negative ids (edits that were not uploaded); "
                "renumber them, for example with: osmium renumber"
            ) from fault
        for tag, values in ways.kept.items():
            values.append(tags.get(tag))
    return ways


def _read_nodes(
    osmium: Any, path: Path, ways: _Ways, rules: Profile
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return ids of the nodes that roads use, their places (NaN when the file lacks them) and which are blocked."""

    class Barriers(osmium.SimpleHandler):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.found: list[int] = []

        def node(self, node: Any) -> None:
            if blocks(rules, dict(node.tags)):
                self.found.append(node.id)

    places, barriers = osmium.index.create_map("flex_mem"), Barriers()
    wanted, filled = ways.tracker.id_filter(), osmium.NodeLocationsForWays(places)
    reader = osmium.io.Reader(str(path), osmium.osm.NODE)
    osmium.apply(reader, wanted, filled, osmium.filter.KeyFilter("barrier"), barriers)
    reader.close()
    ids = np.unique(ways.refs)
    xy = np.full((len(ids), 2), np.nan)
    for at, node in enumerate(ids.tolist()):
        try:
            place = places.get(node)
        except KeyError:
            continue
        if place.valid():
            xy[at] = place.lon, place.lat
    return ids, xy, np.isin(ids, np.array(barriers.found, np.int64))


def _assemble(
    ways: _Ways, ids: NDArray[np.int64], xy: NDArray[np.float64], blocked: NDArray[np.bool_], rules: Profile
) -> Network:
    """Cut the ways into edges and price them."""
    node, way, run = _runs(ways, ids, xy)
    whole = len(node)
    if not whole:
        raise InputError("the file has ways but not the nodes that they use; take a file with both")
    first = np.r_[True, run[1:] != run[:-1]]
    last = np.r_[first[1:], True]
    often = np.bincount(node, minlength=len(ids)) > 1
    cuts = np.flatnonzero(first | last | often[node] | blocked[node])
    pairs = np.flatnonzero(run[cuts[:-1]] == run[cuts[1:]])
    begin, stop = cuts[pairs], cuts[pairs + 1]
    along = np.r_[0.0, np.cumsum(np.where(first[1:], 0.0, segments_m(xy[node])))]
    length = along[stop] - along[begin]
    real = (length > 0) | (node[begin] != node[stop])
    begin, stop, length = begin[real], stop[real], length[real]
    start, end, nodes, where = _ends(node[begin], node[stop], ids, xy, blocked)
    of = way[begin]
    forward, backward = _times(ways, of, length)
    roads = _roads(ways, of)
    winter = np.array(ways.column("winter_only"), bool)[np.frombuffer(ways.kind, np.int64)[of]]
    forward, backward, waits = add_junctions((start, end), (forward, backward), rules.junction_s)
    roads = roads.assign(**waits)
    if winter.any():
        roads = roads.assign(open_s=forward, open_back_s=backward)
        forward, backward = np.where(winter, np.inf, forward), np.where(winter, np.inf, backward)
    size = stop - begin + 1
    offset = np.r_[0, np.cumsum(size)].astype(np.int64)
    points = np.repeat(begin - offset[:-1], size) + np.arange(offset[-1])
    return Network(
        pd.Index(nodes, name="node_id"), where[:, 0].copy(), where[:, 1].copy(), start, end, length, forward,
        one_if_same(forward, backward), roads, Shapes(xy[node[points]], offset), dropped=_dropped(ways, xy, ids),
    )  # fmt: skip


def _runs(
    ways: _Ways, ids: NDArray[np.int64], xy: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return node, way and unbroken run of every point of the roads: a node without a place breaks its way in two."""
    way = np.repeat(np.arange(len(ways.size)), np.frombuffer(ways.size, np.int64))
    node = np.searchsorted(ids, ways.refs)
    there = np.isfinite(xy[:, 0])[node]
    breaks = np.r_[True, (way[1:] != way[:-1]) | ~there[:-1]]
    run = np.cumsum(breaks)
    node, way, run = node[there], way[there], run[there]
    fresh = np.r_[True, (node[1:] != node[:-1]) | (run[1:] != run[:-1])] if len(node) else np.empty(0, bool)
    return node[fresh], way[fresh], run[fresh]  # a node named twice running is one


def _ends(
    start: NDArray[np.int64],
    end: NDArray[np.int64],
    ids: NDArray[np.int64],
    xy: NDArray[np.float64],
    blocked: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return ends of the edges, ids and places of the nodes; at a barrier every edge gets a node of its own."""
    ends = np.r_[start, end]
    shut = np.flatnonzero(blocked[ends])
    used = np.unique(ends[~blocked[ends]])
    place = np.full(len(ids), -1, np.int64)
    place[used] = np.arange(len(used))
    found = place[ends]
    found[shut] = len(used) + np.arange(len(shut))
    own = np.array(fresh_ids(pd.Index(ids), len(shut)), np.int64)
    return found[: len(start)], found[len(start) :], np.r_[ids[used], own], xy[np.r_[used, ends[shut]]]


def _times(
    ways: _Ways, of: NDArray[np.int64], length: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return seconds each way; a ferry's duration is shared among its edges by length."""
    kind = np.frombuffer(ways.kind, np.int64)[of]
    whole = np.bincount(of, weights=length, minlength=len(ways.size))[of]
    lasts = np.array([np.nan if d is None else d for d in ways.column("duration_s")])[kind]
    timed = np.isfinite(lasts) & (whole > 0)
    both = []
    for name in ("forward_kmh", "backward_kmh"):
        kmh = np.array(ways.column(name), float)[kind]
        with np.errstate(divide="ignore", invalid="ignore"):
            moving = np.where(timed, lasts * length / whole, length / (kmh / 3.6))
        both.append(np.where(kmh > 0, np.maximum(moving, SHORTEST_S), np.inf))
    return both[0], both[1]


def _roads(ways: _Ways, of: NDArray[np.int64]) -> pd.DataFrame:
    """Return what is known of every edge."""
    kind = np.frombuffer(ways.kind, np.int64)[of]
    columns: dict[str, Any] = {"road_id": np.frombuffer(ways.ids, np.int64)[of]}
    for name in ("road_class", "surface", "seasonal"):
        columns[name] = _category(ways.column(name)).take(kind)
    for name in ("limit_signed", "bridge", "ford", "ferry"):
        columns[name] = np.array(ways.column(name), bool)[kind]
    columns["all_season"] = pd.array(ways.column("all_season"), dtype="boolean")[kind]
    for tag, values in ways.kept.items():
        columns[tag] = _category(values).take(of)
    return pd.DataFrame(columns)


def _category(values: list[str | None]) -> Any:
    """Return text that repeats, stored once."""
    return pd.Categorical(values, categories=pd.Index(sorted({v for v in values if v is not None}), dtype="str"))


def _dropped(ways: _Ways, xy: NDArray[np.float64], ids: NDArray[np.int64]) -> pd.DataFrame:
    """Return the ways left out, or cut short for want of nodes."""
    lost = ~np.isfinite(xy[:, 0])[np.searchsorted(ids, ways.refs)]
    way = np.repeat(np.arange(len(ways.size)), np.frombuffer(ways.size, np.int64))
    cut = np.frombuffer(ways.ids, np.int64)[np.unique(way[lost])]
    rows = [*ways.dropped, *((int(i), "the file lacks some of its nodes") for i in cut)]
    return pd.DataFrame(rows, columns=["unit", "reason"])
