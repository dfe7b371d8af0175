"""Roads of an OpenStreetMap file as a layer that all other analyses take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import OsmFile, Output, Regions
from kazgeo.choices import Mode
from kazgeo.messages import mark
from kazgeo.progress import Progress, part, silent

if TYPE_CHECKING:
    import pandas as pd

    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message
    from kazgeo.network import Network
    from kazgeo.style import Style

#: Classes of OpenStreetMap, the widest roads first, each with its name and a colour; ramps have that of their road.
CLASSES = {
    "motorway": (mark("motorway"), "#b30000"),
    "motorway_link": (mark("ramp of a motorway"), "#b30000"),
    "trunk": (mark("trunk road"), "#d7301f"),
    "trunk_link": (mark("ramp of a trunk road"), "#d7301f"),
    "primary": (mark("primary road"), "#e6842a"),
    "primary_link": (mark("ramp of a primary road"), "#e6842a"),
    "secondary": (mark("secondary road"), "#f0b64a"),
    "secondary_link": (mark("ramp of a secondary road"), "#f0b64a"),
    "tertiary": (mark("tertiary road"), "#8c6d31"),
    "tertiary_link": (mark("ramp of a tertiary road"), "#8c6d31"),
    "unclassified": (mark("minor road"), "#7f7f7f"),
    "residential": (mark("residential street"), "#9e9ac8"),
    "living_street": (mark("living street"), "#c7a9d6"),
    "service": (mark("service road"), "#bdbdbd"),
    "track": (mark("track"), "#a6761d"),
    "ferry": (mark("ferry"), "#3182bd"),
    "road": (mark("road of unknown class"), "#4d4d4d"),
}
OTHER = "#4d4d4d"
#: Ends of roads at a barrier are drawn so far before it, metres: lines that end at one spot would meet.
BEFORE_M = 1.5


@analysis(
    "Preparation",
    Output(
        "layer",
        "vector",
        "Roads",
        (
            "road_id", "class", "surface", "length_km", "speed_kmh", "speed_back_kmh", "one_way", "time_min",
            "time_back_min",
        ),
        geometry="line",
        sometimes=("seasonal", "limit_signed", "bridge", "ford", "ferry", "all_season", "name", "ref"),
    ),
    Output("classes", "table", "Length by class", ("class", "edges", "length_km", "mean_speed_kmh")),
    Output("left_out", "table", "Ways left out", ("reason", "ways")),
    Output("length_km", "number", "Length of roads, km"),
    Output("components", "number", "Connected components"),
    tags=("OpenStreetMap", "OSM"),
)  # fmt: skip
def osm_roads(
    extract: OsmFile,
    *,
    mode: Mode = Mode.DRIVE,
    area: Regions | None = None,
    progress: Progress = silent,
) -> Outcome:
    """Roads of an OpenStreetMap file as a layer with speeds and one-ways, ready for all analyses on roads.

    Speeds are the signed limits, else those of a cited table by class and surface for Kazakhstan. Ways that are closed
    to this way of travelling are left out and counted by reason. In the analyses name speed_kmh, speed_back_kmh,
    length_km and one_way as the columns of roads: travel times are then those of the file. Roads of winter are closed
    in the layer (one_way N).

    Parameters
    ----------
    extract : file
        OpenStreetMap file, such as kazakhstan-latest.osm.pbf.
    mode : Mode
        Way of travelling: by car, on foot, or by bicycle.
    area : polygons
        Roads that touch none of these areas are left out; without it all roads of the file.
    """
    from kazgeo.analyses.outcome import Outcome
    from kazgeo.network import from_osm
    from kazgeo.style import TooltipField

    net = from_osm(extract, str(mode), keep=("name", "ref"), progress=part(progress, 0, 0.8))
    progress(0.8, "roads")
    layer = _layer(net)
    if area is not None:
        layer = _within(layer, area)
    pieces = _pieces(net, layer.index.to_numpy())
    lost = net.dropped["reason"].value_counts() if net.dropped is not None else None
    left = None if lost is None else lost.rename_axis("reason").reset_index(name="ways")
    return Outcome(
        _findings(layer, pieces, left),
        layer=layer,
        tables={"classes": _classes(layer)} | ({} if left is None else {"left_out": left}),
        numbers={"length_km": float(layer["length_km"].sum()), "components": pieces},
        style=_style(layer),
        fields=(
            TooltipField("speed_kmh", "speed", "km/h"),
            TooltipField("length_km", "length", "km", 1),
            TooltipField("surface", "surface"),
        ),
    )


def _layer(net: Network) -> Any:
    """Return the edges with what analyses on roads ask for; closed ways keep the speed they have when open."""
    import numpy as np

    edges = net.edges().reset_index(drop=True)
    times = []
    for way, opened in (("time_s", "open_s"), ("back_s", "open_back_s")):
        time = edges[way].to_numpy(float) if way in edges else edges["time_s"].to_numpy(float)
        times.append((time, edges[opened].to_numpy(float) if opened in edges else time))
    (forth, forth_open), (back, back_open) = times
    known = [np.where(np.isfinite(t), t, o) for t, o in ((forth, forth_open), (back, back_open))]
    first, second = (np.where(np.isfinite(a), a, b) for a, b in (known, known[::-1]))
    km = net.length_m / 1000
    open_ = np.isfinite(forth), np.isfinite(back)
    gone = {"start", "end", "length_m", "time_s", "back_s", "open_s", "open_back_s", "wait_s", "wait_back_s"}
    layer = edges.drop(columns=[c for c in edges.columns if c in gone]).rename(columns={"road_class": "class"})
    layer["length_km"] = km
    layer["speed_kmh"], layer["speed_back_kmh"] = 3600 * km / first, 3600 * km / second
    layer["one_way"] = np.select([open_[0] & open_[1], open_[0], open_[1]], ["no", "yes", "-1"], "N")
    layer["time_min"] = np.where(open_[0], forth, np.nan) / 60
    layer["time_back_min"] = np.where(open_[1], back, np.nan) / 60
    layer[layer.geometry.name] = _before_barriers(net, layer.geometry)
    return layer


def _before_barriers(net: Network, lines: Any) -> Any:
    """Return lines that end short of a barrier, so that analyses of the layer don't join them there."""
    import numpy as np
    import shapely.ops

    blocked = np.asarray(net.nodes, dtype=np.int64) < 0
    shapes = lines.to_numpy().copy()
    for side, node in (("start", net.start), ("end", net.end)):
        for edge in np.flatnonzero(blocked[node]):
            at = BEFORE_M / max(net.length_m[edge], 2.5 * BEFORE_M)
            low, high = (at, 1.0) if side == "start" else (0.0, 1 - at)
            shapes[edge] = shapely.ops.substring(shapes[edge], low, high, normalized=True)
    return shapes


def _within(layer: Any, area: Any) -> Any:
    """Return the roads that touch an area."""
    from kazgeo.errors import InputError

    if area.crs is None:
        raise InputError("osm_roads: area declares no CRS; set it")
    shape = area.geometry.to_crs(4326).make_valid().union_all()
    kept = layer[layer.intersects(shape)]
    if not len(kept):
        raise InputError("osm_roads: no road of the file touches the area; look at their places and the CRS")
    return kept


def _pieces(net: Network, edges: Any) -> int:
    """Return how many connected pieces some edges make."""
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    start, end = net.start[edges], net.end[edges]
    count, _ = connected_components(
        coo_array((np.ones(len(edges)), (start, end)), shape=(net.n, net.n)), directed=False
    )
    return int(count) - (net.n - len(np.union1d(start, end)))


def _classes(layer: Any) -> pd.DataFrame:
    """Return edges, length and mean speed by class, the longest first."""
    import pandas as pd

    groups = layer.groupby("class", observed=True)
    hours = (layer["length_km"] / layer["speed_kmh"]).groupby(layer["class"], observed=True).sum()
    table = pd.DataFrame({"edges": groups.size(), "length_km": groups["length_km"].sum()})
    table["mean_speed_kmh"] = table["length_km"] / hours
    return table.sort_values("length_km", ascending=False).rename_axis("class").reset_index()


def _findings(layer: Any, pieces: int, left: pd.DataFrame | None) -> tuple[Message, ...]:
    from kazgeo.analyses.outcome import share
    from kazgeo.messages import Message, Num

    km = float(layer["length_km"].sum())
    out = [
        Message(
            "The network has {n} edges and {km}; connected components: {parts}.",
            {"n": len(layer), "km": Num(km, 0, "km"), "parts": pieces},
        )
    ]
    if "limit_signed" in layer:
        signed = float(layer.loc[layer["limit_signed"].fillna(False).astype(bool), "length_km"].sum())
        template = "Speeds from signs: {share} of the length; the others from the table by class and surface."
        out.append(Message(template, {"share": share(signed, km)}))
    if left is not None and len(left):
        listed = tuple(
            Message("{reason}: {n}", {"reason": Message(str(r)), "n": int(n)})
            for r, n in left.itertuples(index=False)
        )  # fmt: skip
        out.append(Message("Ways left out: {reasons}.", {"reasons": listed}))
    return tuple(out)


def _style(layer: Any) -> Style:
    from kazgeo.style import categorical

    have = set(layer["class"].astype(str))
    order = [c for c in CLASSES if c in have] + sorted(have - set(CLASSES))
    return categorical("class", "class of road", [(c, *CLASSES.get(c, (c, OTHER))) for c in order])
