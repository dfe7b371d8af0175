"""Which stretches of road cut settlements off when they close, and how many people live behind each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Unpack

from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Lines, Output, Settlements
from kazgeo.analyses.options import ToDestinations
from kazgeo.messages import mark
from kazgeo.progress import Progress, silent

if TYPE_CHECKING:
    import geopandas
    import pandas as pd

    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message, Names
    from kazgeo.network import Network
    from kazgeo.style import Style

#: Pale to dark red (ColorBrewer YlOrRd): the more hang on a road, the darker.
_COLORS = ("#fed976", "#feb24c", "#fd8d3c", "#e31a1c", "#800026")
_COLUMNS = (
    "road_id", "length_km", "roads_in_line", "settlements_behind", "people_behind", "settlements_lose", "people_lose",
    "behind",
)  # fmt: skip


@analysis(
    "Accessibility",
    Output("layer", "vector", "Roads that cut settlements off", _COLUMNS, geometry="line", sometimes=("road_name",)),
    Output("by_road", "table", "Critical stretches by road",
           ("road", "critical_stretches", "length_km", "settlements_behind", "people_behind")),
    Output("stretches", "number", "Critical stretches"),
    Output("critical_km", "number", "Length of critical stretches, km"),
    Output("people_behind", "number", "People behind a critical stretch"),
    tags=("bridge", "critical link", "vulnerability", "resilience", "closure", "single access road"),
)  # fmt: skip
def critical_roads(
    settlements: Settlements,
    roads: Lines,
    *,
    road_name: Annotated[str, Field("roads", numeric=False)] | None = None,
    progress: Progress = silent,
    **given: Unpack[ToDestinations],
) -> Outcome:
    """Stretches of road without which settlements are cut off from the main network, and who lives behind each.

    A stretch is the road between neighbouring junctions or settlements; it closes as a whole and both ways. The main
    network is the part that no single closure divides and where most people live. Behind a stretch is whoever can reach
    the main network over it alone; stretches in line each count all that is behind them. Who is behind need not lose
    everything: those that have no destination left are counted besides. Roads that are missing from the layer are
    missing here too. What the closing of other roads costs is told by season_effect.

    Parameters
    ----------
    settlements : points
        Settlements with a unique id.
    roads : lines
        Roads that meet at their ends.
    road_name : str
        Column of the roads' names or numbers, for the layer and the table by road.
    """
    from kazgeo import accessibility
    from kazgeo.analyses.destinations import destinations
    from kazgeo.analyses.outcome import Outcome, names_of, told
    from kazgeo.analyses.reach import unheard
    from kazgeo.analyses.roads import left_out, network_of, on_network
    from kazgeo.analyses.stretches import behind, stretches_of
    from kazgeo.style import TooltipField

    settlements, people, chosen = destinations(settlements, "critical_roads", given)
    progress(0.1, "road network")
    net = network_of(roads, given, keep=[road_name] if road_name else [])
    progress(0.4, "settlements to roads")
    tied = on_network(net, settlements, given)
    progress(0.6, "single roads")
    found = accessibility.single_roads(tied, people=people, facilities=chosen)
    layer, names = stretches_of(found, net, people, road_name), names_of(settlements)
    nearest = behind(found, people)
    layer["behind"] = [", ".join(names[i].en for i in nearest.get(row, [])[:3]) or None for row in layer.index]
    single = found.places["single_road"].fillna(False).astype(bool)
    dropped = left_out(found.dropped, net)
    counted = "settlements_behind" if people is None else "people_behind"
    fields = [TooltipField("road_name" if road_name else "road_id", "road"), TooltipField("behind", "behind it"),
              TooltipField("settlements_behind", "settlements behind it")]  # fmt: skip
    return Outcome(
        (
            *_findings(layer, net),
            *_hanging(layer, names, nearest, counted),
            *unheard(people, len(settlements)),
            *told(dropped),
        ),
        layer=layer.to_crs(4326).reset_index(drop=True).iloc[::-1] if len(layer) else None,  # most people on top
        tables={"by_road": _by_road(layer, road_name or "road_id")},
        numbers={
            "stretches": len(layer),
            "critical_km": float(layer["length_km"].sum()),
            "people_behind": float("nan") if people is None else float(people[single].sum()),
        },
        style=_style(layer, counted) if len(layer) else None,
        fields=(*fields, TooltipField("length_km", "length", "km", 1)),
        dropped=dropped,
    )


def _by_road(layer: geopandas.GeoDataFrame, name: str) -> pd.DataFrame:
    """Return stretches and length by road, and how many at most are behind one of its stretches, the most first."""
    groups = layer.groupby("road_name" if name != "road_id" else name, dropna=False, sort=False)
    table = groups.agg(
        critical_stretches=("length_km", "size"), length_km=("length_km", "sum"),
        settlements_behind=("settlements_behind", "max"), people_behind=("people_behind", "max"),
    )  # fmt: skip
    return table.rename_axis("road").reset_index()


def _findings(layer: geopandas.GeoDataFrame, network: Network) -> list[Message]:
    """Return how much of the network is critical and who would lose the last destination."""
    from kazgeo.analyses.outcome import share
    from kazgeo.messages import Message, Num

    if not len(layer):
        return [Message("No stretch of road cuts a settlement off when it closes alone.")]
    whole, km = float(network.length_m.sum()) / 1000, float(layer["length_km"].sum())
    values = {"n": len(layer), "km": Num(km, 0, "km"), "share": share(km, whole)}
    out = [Message("Stretches that cut settlements off when they close: {n}, {km} or {share} of the network.", values)]
    lose = int((layer["settlements_lose"] > 0).sum())
    out.append(Message("Stretches whose closing takes the last destination from somebody: {n}.", {"n": lose}))
    return out


def _hanging(
    layer: geopandas.GeoDataFrame, names: dict[Any, Names], nearest: dict[Any, list[Any]], counted: str
) -> list[Message]:
    """Name the settlements behind those stretches at the main network that most hang on."""
    from kazgeo.messages import Message, Num

    roads = layer["road_name"] if "road_name" in layer else layer["road_id"].map(lambda _: None)
    first = layer[layer["roads_in_line"] == 1].sort_values(counted, ascending=False, kind="stable")
    listed = tuple(
        Message(
            "{road} ({name}): {value}" if isinstance(roads[row], str) and roads[row] else "{name} {value}",
            {"road": str(roads[row]), "name": names[nearest[row][0]], "value": Num(float(first.at[row, counted]), 0)},
        )
        for row in first.index
        if nearest.get(row)
    )[:5]
    if not listed:
        return []
    template = (
        "Most people hang on the stretches in front of: {places}."
        if counted == "people_behind"
        else "Most settlements hang on the stretches in front of: {places}."
    )
    return [Message(template, {"places": listed})]


def _style(layer: geopandas.GeoDataFrame, counted: str) -> Style:
    from kazgeo.analyses.reach import amount_style

    people = counted == "people_behind"
    title = mark("people behind the stretch") if people else mark("settlements behind the stretch")
    return amount_style(counted, title, layer[counted].astype(float), colors=_COLORS)
