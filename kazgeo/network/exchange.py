"""Networks of other libraries in and out: osmnx graphs and frames, pandana's frames. Neither need be installed."""

from __future__ import annotations

from enum import StrEnum
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd

from kazgeo.errors import InputError, choice, listing, unknown
from kazgeo.network.build import Ways, from_edges
from kazgeo.network.measure import SHORTEST_S, one_if_same
from kazgeo.network.model import Network, Shapes
from kazgeo.parsing import fitting_numbers

__all__ = ["Weight", "from_osmnx", "from_pandana", "to_osmnx"]


class Weight(StrEnum):
    """What a pandana weight counts."""

    MINUTES = "minutes"
    SECONDS = "seconds"
    METRES = "metres"


def from_osmnx(nodes: Any, edges: Any = None, *, speed_kmh: float | None = None) -> Network:
    """Return the network of an osmnx graph, or of its two frames.

    Two edges of one way, there and back, become one edge. Seconds are those of ``travel_time``, else ``length`` over
    ``speed_kph``, else over ``speed_kmh``. Where a value is a list (osmnx merges ways), the first counts; of ``osmid``
    all, joined by ``;``.

    Parameters
    ----------
    nodes : MultiDiGraph, or (Geo)DataFrame indexed by node id with columns x and y
        A graph in degrees (EPSG:4326), or the first frame of ``osmnx.graph_to_gdfs``.
    edges : GeoDataFrame, optional
        The second frame: indexed by u, v, key, with ``length`` in metres.
    speed_kmh : float, optional
        Speed of edges that tell neither time nor speed.

    Raises
    ------
    InputError
        A projected graph, missing columns, edges without a time.

    Examples
    --------
    >>> nodes = pd.DataFrame({"x": [71.0, 71.1], "y": [51.0, 51.0]}, index=[1, 2])
    >>> uvk = pd.MultiIndex.from_tuples([(1, 2, 0), (2, 1, 0)], names=["u", "v", "key"])
    >>> edges = pd.DataFrame({"length": [7000.0, 7000.0], "osmid": 5, "highway": "primary"}, index=uvk)
    >>> from_osmnx(nodes, edges, speed_kmh=70)
    <Network: 2 nodes, 1 edges, 7 km; 1 component>
    >>> from_osmnx(nodes, edges)
    Traceback (most recent call last):
    kazgeo.errors.InputError: edges have neither travel_time nor speed_kph; add them with osmnx or give speed_kmh
    """
    if edges is None:
        nodes, edges = _frames(nodes)
    for name, table, columns in (("nodes", nodes, ("x", "y")), ("edges", edges, ("length",))):
        for column in columns:
            if column not in table.columns:
                raise unknown("column", column, table.columns, f"a column of {name}")
    if len(nodes) and not (np.abs(nodes["x"]).max() <= 180 and np.abs(nodes["y"]).max() <= 90):
        raise InputError("nodes must have degrees in x and y (EPSG:4326); project the graph back with osmnx")
    ways = _ways(edges.reset_index(), speed_kmh)
    table = _paired(ways)
    made = from_edges(
        table.set_index("road_id"), pd.DataFrame({"lon": nodes["x"], "lat": nodes["y"]}), start="u", end="v",
        length_km="length_km", road_class="highway", ways=Ways(keep=tuple(c for c in _KEPT if c in table.columns)),
    )  # fmt: skip
    forward, backward = (np.maximum(table[c].to_numpy(float), SHORTEST_S) for c in ("there", "back"))
    return Network(
        made.nodes, made.lon, made.lat, made.start, made.end, made.length_m, forward, one_if_same(forward, backward),
        made.roads, _lines(table, made), made.topology,
    )  # fmt: skip


_KEPT = ("name", "ref", "bridge", "tunnel", "maxspeed", "lanes")


def _frames(graph: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the frames of a graph as osmnx makes them."""
    if not hasattr(graph, "edges"):
        raise InputError(f"an osmnx graph, or its frames of nodes and edges, are wanted; got {type(graph).__name__}")
    nodes = pd.DataFrame.from_dict(dict(graph.nodes(data=True)), orient="index", columns=None)
    rows = [(u, v, key, data) for u, v, key, data in graph.edges(keys=True, data=True)]
    uvk = pd.MultiIndex.from_tuples([row[:3] for row in rows] or [], names=["u", "v", "key"])
    edges = pd.DataFrame([row[3] for row in rows], index=uvk)
    if edges.empty:
        edges = edges.assign(length=[])
    return nodes, edges


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) else value


def _ways(edges: pd.DataFrame, speed_kmh: float | None) -> pd.DataFrame:
    """Return one row per direction with the seconds it takes and plain values."""
    for column in ("u", "v"):
        if column not in edges.columns:
            raise unknown("index level", column, edges.columns, "an index level of edges")
    length = edges["length"].to_numpy(float)
    time = np.full(len(edges), np.nan)
    if "travel_time" in edges.columns:
        time = edges["travel_time"].to_numpy(float)
    if "speed_kph" in edges.columns:
        time = np.where(np.isfinite(time), time, length / (edges["speed_kph"].to_numpy(float) / 3.6))
    if speed_kmh is not None:
        time = np.where(np.isfinite(time), time, length / (speed_kmh / 3.6))
    if np.isnan(time).all() and len(time):
        raise InputError("edges have neither travel_time nor speed_kph; add them with osmnx or give speed_kmh")
    bad = np.flatnonzero(~np.isfinite(time) | (time < 0) | ~(length > 0))
    if len(bad):
        pairs = [f"{edges['u'].iloc[k]}–{edges['v'].iloc[k]}" for k in bad[:6]]
        raise InputError(f"edges: {len(bad)} lack a positive length or time: {listing(pairs)}")
    ids = edges["osmid"] if "osmid" in edges.columns else pd.Series(np.arange(len(edges)), edges.index)
    many = ids.map(lambda v: isinstance(v, list)).any()
    road_id = ids.map(lambda v: ";".join(map(str, sorted(v) if isinstance(v, list) else [v]))) if many else ids
    plain = {c: edges[c].map(_first) for c in ("highway", "surface", *_KEPT) if c in edges.columns}
    extra = {c: edges[c] for c in ("geometry", "reversed") if c in edges.columns}
    return pd.DataFrame({"u": edges["u"], "v": edges["v"], "time": time, "length_km": length / 1000,
                         "road_id": road_id, **plain, **extra})  # fmt: skip


def _paired(ways: pd.DataFrame) -> pd.DataFrame:
    """Return one row per road: a way there and the way back of the same road and length are one."""
    u, v = pd.factorize(pd.concat([ways["u"], ways["v"]]))[0].reshape(2, -1)
    loop_back = ways["reversed"].map(lambda r: r is True or r == [True]) if "reversed" in ways else False
    back = (u > v) | ((u == v) & np.asarray(loop_back, bool))
    keys = {"a": np.minimum(u, v), "b": np.maximum(u, v), "id": ways["road_id"].astype(str).to_numpy(),
            "mm": np.rint(ways["length_km"].to_numpy() * 1e6)}  # fmt: skip
    table = ways.assign(**keys, which=back)
    table["turn"] = table.groupby([*keys, "which"], sort=False).cumcount()
    there, here = table[~table["which"]], table[table["which"]]
    on = [*keys, "turn"]
    both = there.merge(here[[*on, "time"]].rename(columns={"time": "back"}), on=on, how="left")
    lone = (
        here.merge(there[on], on=on, how="left", indicator=True).query("_merge == 'left_only'").drop(columns="_merge")
    )
    found = pd.concat([both, lone.assign(back=np.nan)], ignore_index=True)
    return found.assign(there=found["time"].fillna(np.inf), back=found["back"].fillna(np.inf))


def _lines(table: pd.DataFrame, made: Network) -> Shapes | None:
    """Return the lines of the roads; straight ones where osmnx has none."""
    if "geometry" not in table.columns:
        return None
    import shapely

    given = table["geometry"].to_numpy(dtype=object)
    lines = made.lines()
    there = np.array([isinstance(g, shapely.LineString) for g in given], bool)
    lines[there] = given[there]
    xy, of = shapely.get_coordinates(lines, return_index=True)
    return Shapes(xy, np.r_[0, np.cumsum(np.bincount(of, minlength=len(lines)))].astype(np.int64))


def to_osmnx(network: Network) -> Any:
    """Return a ``networkx.MultiDiGraph`` with osmnx's attributes and an edge for every open way.

    Edges have ``osmid``, ``highway``, ``length`` (m), ``travel_time`` (s), ``speed_kph``, ``oneway``, ``reversed`` and
    ``geometry``, and what else is known of the roads. Ways that are closed now are left out.

    Raises
    ------
    InputError
        networkx is not installed.

    Examples
    --------
    >>> nodes = pd.DataFrame({"lon": [71.0, 71.1], "lat": [51.0, 51.0]}, index=[1, 2])
    >>> edges = pd.DataFrame({"from_id": [1], "to_id": [2], "length_km": [7.0]})
    >>> graph = to_osmnx(from_edges(edges, nodes, speed_kmh=70))
    >>> round(graph.edges[2, 1, 0]["travel_time"], 6), graph.edges[2, 1, 0]["reversed"]
    (360.0, True)
    """
    try:
        networkx = import_module("networkx")
    except ImportError as missing:
        raise InputError("a graph needs the package 'networkx'; install it with: pip install networkx") from missing
    graph = networkx.MultiDiGraph(crs="epsg:4326", created_with="KazGeo")
    names = network.nodes.tolist()
    for name, lon, lat in zip(names, network.lon.tolist(), network.lat.tolist(), strict=True):
        graph.add_node(name, x=lon, y=lat)
    degree = np.bincount(np.r_[network.start, network.end], minlength=network.n)
    networkx.set_node_attributes(graph, dict(zip(names, degree.tolist(), strict=True)), "street_count")
    known = _attributes(network)
    lines = network.lines()
    both = np.isfinite(network.time_s) & np.isfinite(network.backwards_s)
    for turned, times in enumerate((network.time_s, network.backwards_s)):
        for e in np.flatnonzero(np.isfinite(times)).tolist():
            i, j = (network.end, network.start) if turned else (network.start, network.end)
            length, time = float(network.length_m[e]), float(times[e])
            told = {name: values[e] for name, values in known.items() if values[e] is not None}
            graph.add_edge(
                names[i[e]], names[j[e]], **told, length=length, travel_time=time, speed_kph=length / time * 3.6,
                oneway=not both[e], reversed=bool(turned), geometry=lines[e].reverse() if turned else lines[e],
            )  # fmt: skip
    return graph


def _attributes(network: Network) -> dict[str, list[Any]]:
    """Return what is known of the roads by osmnx's names, missing as None."""
    if network.roads is None:
        return {"osmid": list(range(network.m))}
    skip = {"open_s", "open_back_s", "wait_s", "wait_back_s"}
    names = {"road_id": "osmid", "road_class": "highway"}
    found = {}
    for column in network.roads.columns:
        if column not in skip:
            values = network.roads[column].astype(object)
            found[names.get(column, column)] = values.where(values.notna(), None).tolist()
    return {"osmid": list(range(network.m)), **found}


def from_pandana(
    nodes: pd.DataFrame,
    edges: pd.DataFrame,
    *,
    weight: str = "weight",
    unit: Weight | str = Weight.MINUTES,
    twoway: bool = True,
    speed_kmh: float = 60.0,
) -> Network:
    """Return the network of pandana's frames.

    Assumption: where weights are times, an edge is as long as the straight line between its nodes.

    Parameters
    ----------
    nodes : DataFrame
        Indexed by node id with columns x and y (degrees).
    edges : DataFrame
        Columns ``from`` and ``to``, and the weights.
    weight : str
        Column of weights.
    unit : "minutes", "seconds" or "metres"
        What they count; metres are driven at ``speed_kmh``.
    twoway : bool
        As pandana's: each edge runs both ways; else along itself only.
    speed_kmh : float
        Speed where weights are metres.

    Raises
    ------
    InputError
        Missing columns, weights that are not positive.

    Examples
    --------
    >>> nodes = pd.DataFrame({"x": [71.0, 71.1], "y": [51.0, 51.0]}, index=[1, 2])
    >>> edges = pd.DataFrame({"from": [1], "to": [2], "weight": [6.0]})
    >>> from_pandana(nodes, edges).time_s.tolist()
    [360.0]
    >>> one = from_pandana(nodes, edges.assign(weight=1000.0), unit="metres", twoway=False)
    >>> one.time_s.round(6).tolist(), one.backwards_s.tolist()
    ([60.0], [inf])
    """
    unit = choice(Weight, unit, "unit")
    for column in ("x", "y"):
        if column not in nodes.columns:
            raise unknown("column", column, nodes.columns, "a column of nodes")
    for column in ("from", "to", weight):
        if column not in edges.columns:
            raise unknown("column", column, edges.columns, "a column of edges")
    table = edges.assign(**{"__one": np.full(len(edges), "no" if twoway else "yes", object)})
    ends = edges["from"].astype(str) + "–" + edges["to"].astype(str)
    values = fitting_numbers(
        edges[weight], lambda v: v > 0, what="edges", wanted=f"positive {unit}", row_named=lambda k: str(ends.iloc[k])
    )
    table["__weight"] = values / {Weight.MINUTES: 1.0, Weight.SECONDS: 60.0, Weight.METRES: 1000.0}[unit]
    metres = unit == Weight.METRES
    return from_edges(
        table, nodes.rename(columns={"x": "lon", "y": "lat"}), start="from", end="to",
        length_km="__weight" if metres else None, speed_kmh=speed_kmh,
        ways=Ways(one_way="__one", time_min=None if metres else "__weight"),
    )  # fmt: skip
