"""Which settlements hang on a single road, and how much longer the way is when the worst stretch is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Unpack

from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Lines, Output, Settlements
from kazgeo.analyses.options import ToDestinations
from kazgeo.analyses.roads import ACCESS_FIELDS
from kazgeo.progress import Progress, part, silent

if TYPE_CHECKING:
    import pandas as pd

    from kazgeo.accessibility import SecondRoutes
    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message, Names
    from kazgeo.style import Style


@analysis(
    "Accessibility",
    Output(
        "layer",
        "vector",
        "Settlements on a single road",
        ("single_road", "roads_in_line", "travel_time_min", "second_time_min", "extra_min", *ACCESS_FIELDS),
        like="settlements",
    ),
    Output("stretches", "table", "Roads that cut settlements off",
           ("road_id", "length_km", "settlements_behind", "people_behind"), sometimes=("road_name",)),
    Output("by_region", "table", "Single roads by region"),
    Output("on_single_road", "number", "Settlements on a single road"),
    Output("people_on_single_road", "number", "People on a single road"),
    tags=("resilience", "vulnerability", "bridge", "single access road", "second route", "closure"),
)  # fmt: skip
def single_roads(
    settlements: Settlements,
    roads: Lines,
    *,
    region: Annotated[str, Field("settlements", numeric=False)] | None = None,
    road_name: Annotated[str, Field("roads", numeric=False)] | None = None,
    progress: Progress = silent,
    **given: Unpack[ToDestinations],
) -> Outcome:
    """Settlements that one closed road cuts off from the main network, and second-best routes of the others.

    A stretch is the road between neighbouring junctions or settlements; it closes as a whole and both ways. The main
    network is the part that no single closure divides and where most people live. The second-best route is the quickest
    to any destination when the stretch is closed whose closing hurts most. Roads that are missing from the layer are
    missing here too: a place may have another way that the layer doesn't know.

    Parameters
    ----------
    settlements : points
        Settlements with a unique id.
    roads : lines
        Roads that meet at their ends.
    region : str
        Column of the settlements' region, for the table by region.
    road_name : str
        Column of the roads' names or numbers, for the table of stretches.
    """
    import numpy as np
    import pandas as pd

    from kazgeo import accessibility
    from kazgeo.analyses.destinations import destinations
    from kazgeo.analyses.outcome import Outcome, names_of, told
    from kazgeo.analyses.roads import access_columns, left_out, network_of, on_network
    from kazgeo.analyses.stretches import stretches_of
    from kazgeo.style import TooltipField
    from kazgeo.ties import in_minutes

    settlements, people, chosen = destinations(settlements, "single_roads", given)
    progress(0.1, "road network")
    net = network_of(roads, given, keep=[road_name] if road_name else [])
    progress(0.2, "settlements to roads")
    tied = on_network(net, settlements, given)
    progress(0.4, "single roads")
    found = accessibility.single_roads(tied, people=people, facilities=chosen)
    second = accessibility.second_routes(tied, chosen, progress=part(progress, 0.5, 1.0))
    layer = settlements.copy()
    alone = found.places["single_road"]
    code = np.where(alone.isna(), "apart", np.where(alone.fillna(False).astype(bool), "single", "several"))
    layer["single_road"] = pd.Series(code, settlements.index).where(tied.tied, None)
    layer["roads_in_line"] = found.places["roads"].astype(float)
    layer["travel_time_min"] = in_minutes(second.places["time_s"])
    layer["second_time_min"] = in_minutes(second.places["second_s"])
    layer["extra_min"] = in_minutes(second.places["extra_s"])
    access_columns(layer, tied)
    on = layer["single_road"] == "single"
    dropped = left_out(pd.concat([found.dropped, second.dropped]).drop_duplicates("unit"), tied.network)
    stretches = stretches_of(found, net, people, road_name).reset_index(drop=True)
    unlisted = ["geometry", "roads_in_line", "settlements_lose", "people_lose"]
    tables = {"stretches": pd.DataFrame(stretches.drop(columns=unlisted))}
    if region is not None:
        tables["by_region"] = _by_region(layer, region, people, on)
    return Outcome(
        (*_findings(layer, names_of(settlements), people, on, second), *told(dropped)),
        layer=layer,
        tables=tables,
        numbers={
            "on_single_road": int(on.sum()),
            "people_on_single_road": float(people[on].sum()) if people is not None else float("nan"),
        },
        style=_style(),
        fields=(
            TooltipField("roads_in_line", "roads each of which cuts it off"),
            TooltipField("travel_time_min", "travel time to the nearest centre", "min"),
            TooltipField("second_time_min", "by the second-best route", "min"),
        ),
        dropped=dropped,
        size_column=given["population"],
    )


def _by_region(layer: pd.DataFrame, region: str, people: pd.Series | None, on: pd.Series) -> pd.DataFrame:
    """Return settlements and people on a single road by region, and the median of the longer way."""
    import pandas as pd

    groups = layer.groupby(region)
    table = pd.DataFrame({"settlements": groups.size(), "on_single_road": on.groupby(layer[region]).sum(),
                          "extra_median_min": groups["extra_min"].median()})  # fmt: skip
    if people is not None:
        table["people_on_single_road"] = people.where(on, 0.0).groupby(layer[region]).sum()
    return table.sort_values("on_single_road", ascending=False)


def _findings(
    layer: pd.DataFrame, names: dict[Any, Names], people: pd.Series | None, on: pd.Series, second: SecondRoutes
) -> list[Message]:
    """Return who hangs on a single road, and how much longer the second-best route of the others is."""
    from kazgeo.analyses.outcome import share, top
    from kazgeo.messages import Message, Num

    total = int(layer["single_road"].notna().sum())
    values: dict[str, Any] = {"n": int(on.sum()), "total": total}
    if people is None:
        out = [Message("Settlements that hang on a single road: {n} of {total}.", values)]
    else:
        values |= {"people": Num(float(people[on].sum())), "share": share(float(people[on].sum()), float(people.sum()))}
        template = (
            "Settlements that hang on a single road: {n} of {total}; {people} people, {share} of those whose number"
            " is known."
        )
        out = [Message(template, values)]
    off = int(second.places["cut_off"].sum())
    extra = layer["extra_min"][~second.places["cut_off"].to_numpy() & (layer["travel_time_min"] > 0).to_numpy()]
    if len(extra.dropna()):
        out.append(
            Message(
                "With the worst stretch closed {n} settlements reach no destination; of the others the way is longer by"
                " {extra} (median).",
                {"n": off, "extra": Num(float(extra.median()), 0, "min")},
            )
        )
    listed = tuple(
        Message("{name} {time}", {"name": names[i], "time": Num(t / 60, 1, "h")}) for i, t in top(extra, names).items()
    )
    if listed:
        out.append(Message("Longest detours when a road is closed: {places}.", {"places": listed}))
    return out


def _style() -> Style:
    from kazgeo.style import categorical

    classes = [
        ("several", "several ways", "#2c7fb8"),
        ("single", "a single road", "#d7301f"),
        ("apart", "apart from the main network", "#fdbb84"),
    ]
    return categorical("single_road", "ways out of the settlement", classes)
