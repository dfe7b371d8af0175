"""How far people must go until what they reach is as much as there are of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Unpack

from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Lines, Number, Output, Settlements
from kazgeo.analyses.options import OnRoads
from kazgeo.analyses.roads import ACCESS_FIELDS
from kazgeo.choices import Travel
from kazgeo.messages import mark
from kazgeo.progress import Progress, part, silent

if TYPE_CHECKING:
    import pandas as pd

    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message, Names

FEWER_REASON = mark("reaches fewer opportunities than it has people")


@analysis(
    "Accessibility",
    Output("layer", "vector", "Balancing time", ("balancing_time_min", *ACCESS_FIELDS), like="settlements"),
    Output("by_region", "table", "Balancing time by region"),
    Output("median_min", "number", "Median balancing time, minutes"),
    Output("short", "number", "Settlements that reach too few opportunities"),
    tags=("balancing cost", "jobs-housing balance", "job accessibility", "work to people"),
)  # fmt: skip
def balancing_time(
    settlements: Settlements,
    facilities: Settlements,
    roads: Lines,
    population: Annotated[str, Field("settlements")],
    *,
    amount: Annotated[str, Field("facilities")] | None = None,
    step_min: Annotated[float, Number(0, 1000, "min")] = 0.0,
    travel: Travel = Travel.TO,
    region: Annotated[str, Field("settlements", numeric=False)] | None = None,
    progress: Progress = silent,
    **on_roads: Unpack[OnRoads],
) -> Outcome:
    """Travel time within which every settlement reaches as many opportunities as it has people (balancing time).

    With workers and jobs it tells how far the people of a place have to look for work until there would be enough of it
    for all, if nobody from elsewhere took it; so it is a lower bound, and floating_catchment is for competition. A
    place without people has 0; one that reaches fewer opportunities than it has people has none, and is counted.

    Parameters
    ----------
    settlements : points
        Settlements with a unique id.
    facilities : points
        Places of opportunities with a unique id, such as employers.
    roads : lines
        Roads that meet at their ends.
    population : str
        Column of the people who need one opportunity each (workers); missing means unknown.
    amount : str
        Column of how many there are at each facility (jobs, beds); without it each counts 1. Missing counts as none
        and is told.
    step_min : float
        Times are rounded up to these steps; 0: exact.
    travel : Travel
        Travel to the facilities (to), or from them (from); one-way roads make a difference.
    region : str
        Column of the settlements' region, for the table by region.
    """
    import pandas as pd

    from kazgeo.accessibility import balancing_time as balance
    from kazgeo.analyses import reach
    from kazgeo.analyses.columns import numeric
    from kazgeo.analyses.outcome import Outcome, names_of, told
    from kazgeo.analyses.roads import access_columns, minutes_style, tie_both
    from kazgeo.style import TooltipField
    from kazgeo.ties import in_minutes

    reach.refuse_empty("balancing_time", facilities)
    people = numeric(settlements, population)
    size = reach.sizes("balancing_time", facilities, amount)
    tied, there = tie_both(settlements, facilities, roads, on_roads, part(progress, 0, 0.4))
    times = reach.times_between(tied, there, travel, None, part(progress, 0.4, 0.9))
    progress(0.9, "balancing time")
    found = balance(times, people, size, step_s=60 * step_min or None)
    layer = settlements.copy()
    layer["balancing_time_min"] = in_minutes(found.time_s)
    access_columns(layer, tied)
    known = layer["balancing_time_min"].notna()
    reached = pd.Series(times.reached > 0, index=times.origins)
    few = reached & ~known & people.notna()
    short = pd.DataFrame({"unit": few.index[few].astype(object), "reason": FEWER_REASON}, dtype=object)
    arrived = pd.Series(times.transposed.reached > 0, index=times.destinations)
    lost = [
        tied.why_not(reached | known, reach.NO_FACILITY_REASON), short, reach.facilities_left_out(there, arrived, size)
    ]  # fmt: skip
    dropped = pd.concat(lost, ignore_index=True)
    return Outcome(
        (*_findings(layer, names_of(settlements), people, int(few.sum())), *reach.unheard(people, len(layer)),
         *told(dropped)),
        layer=layer,
        tables={} if region is None else {"by_region": _by_region(layer, people, few, region)},
        numbers={"median_min": float(layer["balancing_time_min"].median()), "short": int(few.sum())},
        style=minutes_style(
            "balancing_time_min", "time until opportunities match the people",
            mark("never matched within reach, or no way by road"),
        ),
        fields=(TooltipField("road_distance_km", "distance to the road", "km", 1),),
        dropped=dropped,
        size_column=population,
    )  # fmt: skip


def _by_region(layer: pd.DataFrame, people: pd.Series, few: pd.Series, region: str) -> pd.DataFrame:
    """Return the mean by people and the median of every region, and settlements that reach too few."""
    import pandas as pd

    from kazgeo.analyses.reach import means_by

    time = layer["balancing_time_min"]
    table = pd.DataFrame({
        "settlements": layer.groupby(region).size(), "mean_min": means_by(time, people, layer[region]),
        "median_min": time.groupby(layer[region]).median(), "short": few.groupby(layer[region]).sum(),
    })  # fmt: skip
    return table.rename_axis("region").sort_values("mean_min", ascending=False).reset_index()


def _findings(layer: pd.DataFrame, names: dict[Any, Names], people: pd.Series, few: int) -> list[Message]:
    """Say what is usual, who must look farthest, and who never reaches enough."""
    from kazgeo.analyses.reach import places_with, weighted_mean
    from kazgeo.messages import Message, Num

    time = layer["balancing_time_min"]
    out = []
    if time.notna().any():
        values = {
            "median": Num(float(time.median()), 0, "min"), "mean": Num(weighted_mean(time, people), 0, "min"),
            "places": places_with(time, names, "min"),
        }  # fmt: skip
        out.append(
            Message("Time until opportunities match the people: median {median}, mean by people {mean}.", values)
        )
        out.append(Message("Longest: {places}.", values))
    if few:
        out.append(
            Message("Settlements that reach fewer opportunities than they have people, however far they go: {n}.",
                    {"n": few})
        )  # fmt: skip
    return out
