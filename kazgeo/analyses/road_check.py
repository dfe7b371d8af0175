"""Which faults a layer of roads has: pieces, one-way traps, roads drawn twice, ends that nearly meet a road."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Unpack

from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Lines, Number, Output, Settlements
from kazgeo.analyses.options import OnRoads
from kazgeo.messages import mark
from kazgeo.progress import Progress, silent

if TYPE_CHECKING:
    import pandas as pd

    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message, Names
    from kazgeo.network import Network
    from kazgeo.style import Style

#: Faults of a road, the gravest first, with their labels and colours.
FAULTS = (
    ("separate", mark("apart from the main network"), "#d7301f"),
    ("trap", mark("can't be left or entered (one-way)"), "#984ea3"),
    ("near_miss", mark("ends near a road that it doesn't meet"), "#fe9929"),
    ("duplicate", mark("drawn twice"), "#3182bd"),
    ("none", mark("no fault found"), "#9e9e9e"),
)


@analysis(
    "Preparation",
    Output("layer", "vector", "Roads with their faults", ("road_id", "fault", "component", "length_km"),
           geometry="line"),
    Output("faults", "table", "Faults", ("fault", "road_id", "other_id", "gap_m", "lon", "lat")),
    Output("pieces", "table", "Pieces of the network", ("piece", "edges", "km", "settlements")),
    Output("cut_off", "table", "Settlements cut off", ("settlement", "why", "piece")),
    Output("components", "number", "Connected components"),
    Output("main_percent", "number", "Share of the length in the main network, percent"),
    tags=("topology", "connectivity", "gap", "duplicate"),
)  # fmt: skip
def check_roads(
    roads: Lines,
    *,
    settlements: Settlements | None = None,
    gap_m: Annotated[float, Number(0.1, 10_000, "m")] = 30.0,
    progress: Progress = silent,
    **on_roads: Unpack[OnRoads],
) -> Outcome:
    """Faults of a layer of roads that make travel times wrong, before anything is computed on it.

    Pieces apart from the main network; parts that one-way roads lead into or out of only; dead ends near a road that
    they don't meet; roads drawn twice. Not every one is a fault: an island is a piece, a village road may end near a
    highway. With settlements those are named that can't be reached from the main network, or can't get there.

    Parameters
    ----------
    roads : lines
        Roads that meet at their ends.
    settlements : points
        Settlements with a unique id.
    gap_m : float
        A dead end nearer than this to another road is told.
    """
    import numpy as np

    from kazgeo.analyses.outcome import Outcome, names_of, no_drops, told
    from kazgeo.analyses.roads import left_out, network_of, on_network
    from kazgeo.network import connectivity, duplicates, near_misses
    from kazgeo.style import TooltipField

    progress(0.1, "road network")
    net = network_of(roads, on_roads)
    progress(0.4, "faults of the lines")
    twice, near = duplicates(net), near_misses(net, gap_m)
    component, main = net.components[net.start], net.strong_components == 0
    inside = main[net.start] & main[net.end]
    fault = np.full(net.m, "none", dtype=object)
    fault[twice["edge"].to_numpy(int)] = "duplicate"
    fault[near["edge"].to_numpy(int)] = "near_miss"
    fault[~inside] = "trap"
    fault[component != component[inside][0] if inside.any() else np.zeros(net.m, bool)] = "separate"
    layer = net.edges()[["geometry"]]
    ids = net.roads["road_id"].to_numpy() if net.roads is not None else np.arange(net.m)
    layer = layer.assign(road_id=ids, fault=fault, component=component, length_km=net.length_m / 1000)
    if layer["road_id"].is_unique:
        layer.index = layer["road_id"].rename(roads.index.name)
    progress(0.8, "settlements to roads")
    tied = None if settlements is None else on_network(net, settlements, on_roads)
    found = None if tied is None else connectivity(tied)
    dropped = left_out(no_drops() if tied is None else tied.why_not(tied.tied, ""), net)
    tables = {"faults": _faults(ids, twice, near), "pieces": _pieces(net, tied)}
    if found is not None:
        cut = found.places.reset_index(names="settlement").rename(columns={"kind": "why", "component": "piece"})
        tables["cut_off"] = cut
    names = {} if settlements is None else names_of(settlements)
    whole = float(net.length_m.sum())
    return Outcome(
        (*_findings(fault, net, tables, names), *told(dropped)),
        layer=layer,
        tables=tables,
        numbers={
            "components": net.n_components, "main_percent": 100 * float(net.length_m[inside].sum()) / whole,
        },
        style=_style(fault),
        fields=(TooltipField("length_km", "length", "km", 1), TooltipField("component", "piece of the network")),
        dropped=dropped,
    )  # fmt: skip


def _faults(ids: Any, twice: pd.DataFrame, near: pd.DataFrame) -> pd.DataFrame:
    """Return faults of single lines: what, which road, which other, where."""
    import pandas as pd

    rows = []
    for kind, table in (("duplicate", twice), ("near_miss", near)):
        made = table.rename(columns={"edge": "road_id", "other": "other_id"})
        for column in ("road_id", "other_id"):
            made[column] = pd.Series(ids[made[column].to_numpy(int)], made.index, dtype=object)
        made.insert(0, "fault", kind)
        rows.append(made)
    every = pd.concat([r for r in rows if len(r)] or rows[:1])
    return every.reindex(columns=["fault", "road_id", "other_id", "gap_m", "lon", "lat"]).reset_index(drop=True)


def _pieces(net: Network, tied: Any) -> pd.DataFrame:
    """Return edges, length and settlements of every piece, the largest first."""
    import numpy as np
    import pandas as pd

    of, count = net.components[net.start], net.n_components
    table = pd.DataFrame({"piece": np.arange(count), "edges": np.bincount(of, minlength=count),
                          "km": np.bincount(of, weights=net.length_m, minlength=count) / 1000})  # fmt: skip
    if tied is not None:
        at = tied.component.to_numpy()
        table["settlements"] = np.bincount(at[at >= 0], minlength=count)
    return table


def _findings(fault: Any, net: Network, tables: dict[str, pd.DataFrame], names: dict[Any, Names]) -> list[Message]:
    from kazgeo.messages import Message, Num

    km = Num(float(net.length_m.sum()) / 1000, 0, "km")
    template = "The network has {n} edges and {km}; connected components: {parts}."
    out = [Message(template, {"n": net.m, "km": km, "parts": net.n_components})]
    counts = {code: int((fault == code).sum()) for code, _, _ in FAULTS}
    if counts["none"] == net.m:
        out.append(Message("No fault was found."))
    else:
        template = (
            "Roads apart from the main network: {separate}; in one-way traps: {trap}; that end near a road which they"
            " don't meet: {near_miss}; drawn twice: {duplicate}."
        )
        out.append(Message(template, {k: v for k, v in counts.items() if k != "none"}))
    if "cut_off" in tables:
        cut = tables["cut_off"]["settlement"]
        listed = tuple(names[i] for i in cut[:5])
        if len(listed):
            template = "Settlements that the main network can't reach, or that can't reach it: {n}: {places}."
            out.append(Message(template, {"n": len(cut), "places": listed}))
        else:
            out.append(Message("All settlements near a road reach the main network and are reached from it."))
    return out


def _style(fault: Any) -> Style:
    from kazgeo.style import categorical

    have = set(fault.tolist()) | {"none"}
    return categorical("fault", "faults of the roads", [one for one in FAULTS if one[0] in have])
