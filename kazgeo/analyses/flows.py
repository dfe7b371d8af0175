"""Who goes where: flows of a gravity model between settlements and centres."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Unpack

from kazgeo.analyses.decays import Falling
from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Lines, Number, Output, Settlements
from kazgeo.analyses.options import OnRoads
from kazgeo.choices import Travel
from kazgeo.messages import mark
from kazgeo.progress import Progress, part, silent

if TYPE_CHECKING:
    import pandas as pd

    from kazgeo.accessibility import Flows, TravelTimes
    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message, Names
    from kazgeo.network import Attached


class Given(StrEnum):
    """Which sums of the flows are given."""

    PRODUCTION = "production"
    ATTRACTION = "attraction"
    DOUBLE = "double"
    TOTAL = "total"


_FLOW = ("origin_id", "origin_name", "destination_id", "destination_name", "flow", "flow_percent", "travel_time_min")


@analysis(
    "Accessibility",
    Output("layer", "vector", "Largest flows", _FLOW, geometry="line"),
    Output("flows", "table", "Flows", _FLOW),
    Output(
        "destinations", "table", "What facilities draw",
        ("facility", "name", "mass", "flow", "share_percent", "mean_min"),
    ),
    Output("total_flow", "number", "Sum of the flows"),
    Output("mean_min", "number", "Mean travel time of the flows, minutes"),
    Output("unreached", "number", "Settlements without a result"),
    tags=("gravity model", "spatial interaction", "Wilson", "Huff", "commuting", "catchment", "desire lines"),
)  # fmt: skip
def gravity_flows(
    settlements: Settlements,
    facilities: Settlements,
    roads: Lines,
    population: Annotated[str, Field("settlements")],
    *,
    mass: Annotated[str, Field("facilities")] | None = None,
    constraint: Given = Given.PRODUCTION,
    decay: Falling = Falling.EXPONENTIAL,
    half_min: Annotated[float, Number(0.1, 10_000, "min")] = 60.0,
    limit_min: Annotated[float, Number(0.1, 100_000, "min")] | None = None,
    largest: Annotated[int, Number(1, 100_000)] = 300,
    travel: Travel = Travel.TO,
    progress: Progress = silent,
    **on_roads: Unpack[OnRoads],
) -> Outcome:
    """Flows from settlements to centres or facilities by a constrained gravity model (Wilson).

    A flow grows with the people of the settlement and the mass of the facility, and falls with travel time. The
    constraint says what is known: how many leave each settlement (production, as Huff's model), how many arrive at each
    facility (attraction), both (double), or only the sum of all (total). Flows are computed, not observed: the half
    time decides how far people go, and should be set so that the mean way is the one known from a survey. The map's
    lines are straight: they join places and don't follow roads.

    Parameters
    ----------
    settlements : points
        Settlements with a unique id.
    facilities : points
        Centres or facilities with a unique id.
    roads : lines
        Roads that meet at their ends.
    population : str
        Column of inhabitants, or of those who set out; missing counts as none.
    mass : str
        Column of the facilities' mass (jobs, beds, floor space), or of those who arrive; without it each has 1.
    constraint : Given
        production: flows of a settlement sum to its people. attraction: flows to a facility sum to its mass. double:
        both, with the masses scaled so that their sum is that of the people. total: all flows sum to all people.
    decay : Falling
        How weight falls with time; all weigh 1 at no distance and exactly a half at half_min. Exponential halves again
        with every further half_min. Power is the inverse square of the time, and 1 up to 0.71 of half_min. Gaussian is
        a bell. Logistic is an S. Linear is 0 from twice half_min.
    half_min : float
        Travel time of weight a half.
    limit_min : float
        Nobody travels longer than this; without it there is no limit.
    largest : int
        How many of the largest flows are drawn.
    travel : Travel
        Travel to the facilities (to), or from them (from); one-way roads make a difference.
    """
    import pandas as pd

    from kazgeo.accessibility import constrained_gravity
    from kazgeo.analyses import reach
    from kazgeo.analyses.columns import numeric
    from kazgeo.analyses.outcome import Outcome, names_of, told
    from kazgeo.analyses.roads import tie_both
    from kazgeo.errors import InputError
    from kazgeo.style import TooltipField

    reach.refuse_empty("gravity_flows", facilities)
    people = numeric(settlements, population)
    reach.refuse_nobody("gravity_flows", people, population)
    size = reach.sizes("gravity_flows", facilities, mass)
    tied, there = tie_both(settlements, facilities, roads, on_roads, part(progress, 0, 0.4))
    times = reach.times_between(tied, there, travel, limit_min, part(progress, 0.4, 0.8))
    reach.refuse_rows("gravity_flows", times.n_pairs)
    progress(0.8, "flows")
    how, scaled, falls = Given(str(constraint)), size, _within(decay, half_min, limit_min)
    if how is Given.DOUBLE:
        times, scaled = _balanced(times, people, size, falls)
    found = constrained_gravity(
        times, people.reindex(times.origins), scaled.reindex(times.destinations), decay=falls, constraint=str(how)
    )  # fmt: skip
    if not found.total > 0:
        raise InputError("gravity_flows: no flow: no settlement with people reaches a facility with a mass above 0")
    table = _table(found, names_of(settlements), names_of(facilities))
    layer = _lines(table, largest, tied, there)
    sent = found.origins["flow"].reindex(settlements.index).fillna(0.0) > 0
    idle = sent | (people == 0) | people.isna()  # those who send nobody because they have nobody have their result
    arrived = found.destinations["flow"].reindex(facilities.index) > 0
    lost = [tied.why_not(idle, reach.NO_FACILITY_REASON), reach.facilities_left_out(there, arrived, size)]
    dropped = pd.concat(lost, ignore_index=True)
    drawn = _drawn(table, found, facilities, size)
    findings = [*_findings(table, layer, found), *_most_drawn(drawn, names_of(facilities))]
    if how is Given.DOUBLE:
        findings.append(_double(found, scaled, size))
    return Outcome(
        (*findings, *reach.unheard(people, len(people)), *told(dropped)),
        layer=layer,
        tables={"destinations": drawn, "flows": table},
        numbers={
            "total_flow": found.total,
            "mean_min": found.mean_time_s / 60,
            "unreached": int((~idle).sum()),
        },
        style=_style_of(layer),
        fields=(
            TooltipField("origin_name", "origin"),
            TooltipField("destination_name", "destination"),
            TooltipField("travel_time_min", "travel time", "min"),
        ),
        dropped=dropped,
    )


def _within(decay: Falling, half_min: float, limit_min: float | None) -> Any:
    """Return the function of travel time, cut off at the limit."""
    from kazgeo.accessibility.decay import Within
    from kazgeo.analyses.decays import falling

    found = falling(decay, half_min)
    return found if limit_min is None else Within(found, 60 * limit_min)


def _balanced(times: TravelTimes, people: pd.Series, size: pd.Series, falls: Any) -> tuple[TravelTimes, pd.Series]:
    """Return the times of units that can send and receive, and masses with the sum of those units' people.

    Units can't whose every way is so long that it weighs nothing: they are left out like those without a way.
    """
    from kazgeo.accessibility import TravelTimes
    from kazgeo.accessibility.decay import weigh
    from kazgeo.errors import InputError

    long = times.to_long()
    able = (people.reindex(long["origin"]) > 0).to_numpy() & (size.reindex(long["destination"]) > 0).to_numpy()
    near = long[able & (weigh(times, falls) > 0)]
    if not len(near):
        raise InputError("gravity_flows: no flow: no settlement with people reaches a facility with a mass above 0")
    origins = people.index[people.index.isin(near["origin"])]
    destinations = size.index[size.index.isin(near["destination"])]
    both = able & long["origin"].isin(origins).to_numpy() & long["destination"].isin(destinations).to_numpy()
    kept = TravelTimes.from_long(long[both], origins, destinations, limit_s=times.limit_s)
    return kept, size * float(people[origins].sum()) / float(size[destinations].sum())


def _table(found: Flows, names: Any, others: Any) -> pd.DataFrame:
    """Return all flows above 0 with names, the largest first."""
    import pandas as pd

    from kazgeo.ties import in_minutes

    flow = found.to_frame()
    minutes = in_minutes(found.pairs.times.time_s)
    table = pd.DataFrame({
        "origin_id": flow["origin"],
        "origin_name": flow["origin"].map(lambda i: names[i].en),
        "destination_id": flow["destination"],
        "destination_name": flow["destination"].map(lambda i: others[i].en),
        "flow": flow["flow"],
        "flow_percent": 100 * flow["flow"] / found.total,
        "travel_time_min": minutes,
    })  # fmt: skip
    some = table[table["flow"] > 0]
    return some.sort_values(["flow", "origin_id", "destination_id"], ascending=[False, True, True], ignore_index=True)


def _lines(table: pd.DataFrame, largest: int, tied: Attached, there: Attached) -> Any:
    """Return straight lines of the largest flows between places, the largest last, to be drawn on top; None without."""
    import geopandas
    import numpy as np
    import shapely

    start, end = table["origin_id"], table["destination_id"]
    a = np.column_stack([tied.lon.loc[start], tied.lat.loc[start]])
    b = np.column_stack([there.lon.loc[end], there.lat.loc[end]])
    apart = (a != b).any(axis=1)
    chosen = np.flatnonzero(apart)[:largest]
    if not len(chosen):
        return None
    shapes = shapely.linestrings(np.stack([a[chosen], b[chosen]], axis=1))
    layer = geopandas.GeoDataFrame(table.iloc[chosen].copy(), geometry=shapes, crs=4326)
    return layer.iloc[::-1].rename_axis(None)


def _drawn(table: pd.DataFrame, found: Flows, facilities: Any, size: pd.Series) -> pd.DataFrame:
    """Return what every facility draws, the most first."""
    import pandas as pd

    from kazgeo.analyses.outcome import names_of

    names = names_of(facilities)
    flow = found.destinations["flow"].reindex(facilities.index).fillna(0.0)
    way = (table["flow"] * table["travel_time_min"]).groupby(table["destination_id"]).sum().reindex(facilities.index)
    out = pd.DataFrame({
        "facility": facilities.index,
        "name": [names[i].en for i in facilities.index],
        "mass": size.to_numpy(),
        "flow": flow.to_numpy(),
        "share_percent": 100 * flow.to_numpy() / found.total,
        "mean_min": (way / flow.where(flow > 0)).to_numpy(),
    })  # fmt: skip
    return out.sort_values("flow", ascending=False, kind="stable", ignore_index=True)


def _findings(table: pd.DataFrame, layer: Any, found: Flows) -> list[Message]:
    """Say what the lines hold, how long the mean way is, and what stays in place."""
    from kazgeo.analyses.outcome import share
    from kazgeo.messages import Message, Num

    total = found.total
    lines = 0 if layer is None else len(layer)
    held = 0.0 if layer is None else float(layer["flow"].sum())
    values = {"n": lines, "total": len(table), "share": share(held, total), "sum": Num(total, 0)}
    out = [
        Message(
            "The {n} flows drawn are the largest of {total} and hold {share} of {sum}; the mean way of all is {time}."
            " Lines are straight, roads aren't.",
            values | {"time": Num(found.mean_time_s / 60, 0, "min")},
        )
    ]
    stays = float(table.loc[table["travel_time_min"] == 0, "flow"].sum())
    if stays:
        template = "Flows that take no time, between places at one spot, hold {share}; they aren't drawn."
        out.append(Message(template, {"share": share(stays, total)}))
    return out


def _most_drawn(drawn: pd.DataFrame, names: dict[Any, Names]) -> tuple[Message, ...]:
    """Say which facilities draw most."""
    from kazgeo.messages import Message, Num

    listed = tuple(
        Message("{name} {value}", {"name": names[row["facility"]], "value": Num(float(row["share_percent"]), 1, "%")})
        for row in drawn.head(5).to_dict("records")
    )
    return (Message("Most is drawn by {places}.", {"places": listed}),)


def _double(found: Flows, scaled: pd.Series, size: pd.Series) -> Message:
    """Say by what the masses were scaled and whether both sums are met."""
    from kazgeo.analyses.reach import figure
    from kazgeo.messages import Message

    factor = float((scaled / size)[size > 0].iloc[0])
    template = (
        "Masses were multiplied by {factor} to have the sum of the people; both sums are met after {n} rounds."
        if found.converged
        else "Masses were multiplied by {factor} to have the sum of the people; after {n} rounds sums still differ by"
        " at most {error} of their mean."
    )
    return Message(template, {"factor": figure(factor), "n": found.iterations, "error": figure(100 * found.error, "%")})


def _style_of(layer: Any) -> Any:
    """Return classes of flows; lines grow wider with the class."""
    from kazgeo.analyses.reach import amount_style

    if layer is None:
        return None
    colors = ("#c6dbef", "#6baed6", "#3182bd", "#08519c", "#08306b")
    return amount_style("flow", mark("flow"), layer["flow"], colors=colors)
