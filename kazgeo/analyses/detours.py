"""How much longer the way to the nearest destination is by road than straight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Unpack

from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Lines, Output, Settlements
from kazgeo.analyses.options import ToDestinations
from kazgeo.analyses.roads import ACCESS_FIELDS
from kazgeo.messages import mark
from kazgeo.progress import Progress, part, silent

if TYPE_CHECKING:
    import pandas as pd

    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message, Names
    from kazgeo.style import Style


@analysis(
    "Accessibility",
    Output(
        "layer", "vector", "Detours", ("detour", "road_km", "straight_km", "destination_id", *ACCESS_FIELDS),
        like="settlements",
    ),
    Output("by_region", "table", "Detours by region"),
    Output("median_detour", "number", "Median detour index"),
    Output("people_mean_detour", "number", "Mean detour index by people"),
    tags=("detour index", "circuity", "route factor", "sinuosity", "connectivity"),
)  # fmt: skip
def detour_index(
    settlements: Settlements,
    roads: Lines,
    *,
    region: Annotated[str, Field("settlements", numeric=False)] | None = None,
    progress: Progress = silent,
    **given: Unpack[ToDestinations],
) -> Outcome:
    """Detour index: kilometres by road to the nearest destination over straight kilometres.

    The way is the shortest, whatever its speed, with the leg to the road; the nearest destination is that by road.
    1 is a straight road; much more than in other places means a river, a border, mountains or a missing road. Near a
    destination small ways make large indices. Destinations themselves have none.

    Parameters
    ----------
    settlements : points
        Settlements with a unique id.
    roads : lines
        Roads that meet at their ends.
    region : str
        Column of the settlements' region, for the table by region.
    """
    from kazgeo import accessibility
    from kazgeo.analyses.destinations import destinations
    from kazgeo.analyses.outcome import Outcome, names_of, told
    from kazgeo.analyses.reach import weighted_mean
    from kazgeo.analyses.roads import access_columns, left_out, tie
    from kazgeo.style import TooltipField

    settlements, people, chosen = destinations(settlements, "detour_index", given)
    tied = tie(settlements, roads, given, part(progress, 0, 0.6))
    progress(0.6, "shortest ways")
    found = accessibility.detour_index(tied, settlements, chosen)
    layer = settlements.copy()
    layer["detour"] = found.table["detour"]
    layer["road_km"], layer["straight_km"] = found.table["road_m"] / 1000, found.table["straight_m"] / 1000
    layer["destination_id"] = found.table["destination"].astype(object).where(found.table["destination"].notna(), None)
    access_columns(layer, tied)
    dropped = left_out(found.dropped, tied.network)
    return Outcome(
        (*_findings(layer, names_of(settlements), people), *told(dropped)),
        layer=layer,
        tables={} if region is None else {"by_region": _by_region(layer, region, people)},
        numbers={
            "median_detour": float(layer["detour"].median()),
            "people_mean_detour": weighted_mean(layer["detour"], people) if people is not None else float("nan"),
        },
        style=_style(),
        fields=(
            TooltipField("road_km", "way by road", "km", 1),
            TooltipField("straight_km", "straight", "km", 1),
        ),
        dropped=dropped,
        size_column=given["population"],
    )


def _by_region(layer: pd.DataFrame, region: str, people: pd.Series | None) -> pd.DataFrame:
    """Return the index of all ways of a region together and its median, the largest first."""
    import pandas as pd

    from kazgeo.analyses.reach import means_by

    known = layer[layer["detour"].notna()]
    sums = known.groupby(region)[["road_km", "straight_km"]].sum()
    table = pd.DataFrame({
        "settlements": known.groupby(region).size(), "median_detour": known.groupby(region)["detour"].median(),
        "road_over_straight": sums["road_km"] / sums["straight_km"],
    })  # fmt: skip
    if people is not None:
        table["people_mean_detour"] = means_by(known["detour"], people[known.index], known[region])
    return table.sort_values("median_detour", ascending=False)


def _findings(layer: pd.DataFrame, names: dict[Any, Names], people: pd.Series | None) -> list[Message]:
    """Say what is usual, and where ways are longest against the straight line."""
    from kazgeo.analyses.outcome import top
    from kazgeo.analyses.reach import weighted_mean
    from kazgeo.messages import Message, Num

    index = layer["detour"]
    if not index.notna().any():
        return [Message("No settlement has a way by road to another place.")]
    values: dict[str, Any] = {"median": Num(float(index.median()), 2)}
    if people is None:
        out = [Message("Median detour index (way by road over straight line): {median}.", values)]
    else:
        values["mean"] = Num(weighted_mean(index, people), 2)
        out = [
            Message("Detour index (way by road over straight line): median {median}, mean by people {mean}.", values)
        ]
    listed = tuple(
        Message("{name} {value}", {"name": names[i], "value": Num(float(v), 2)}) for i, v in top(index, names).items()
    )
    out.append(Message("Largest detours: {places}.", {"places": listed}))
    return out


def _style() -> Style:
    from dataclasses import replace

    from kazgeo.style import graduated

    limits = [float("-inf"), 1.2, 1.4, 1.6, 2.0, 3.0, float("inf")]
    colors = ["#ffffb2", "#fed976", "#feb24c", "#fd8d3c", "#f03b20", "#bd0026"]
    made = graduated("detour", "way by road over straight line", limits, colors, decimals=1)
    return replace(made, missing_label=mark("itself a destination, or no way by road"))
