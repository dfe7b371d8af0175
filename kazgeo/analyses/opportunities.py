"""How much people reach: opportunities within times, and all of them weighted by travel time."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Unpack

from kazgeo.analyses.decays import Falling
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
    from kazgeo.messages import Message


class Over(StrEnum):
    """What is made of the figures of an interval's times."""

    MEDIAN = "median"
    MEAN = "mean"
    LOWEST = "lowest"
    HIGHEST = "highest"


#: What the library calls it, and what readers do.
_SUMMED = {
    Over.MEDIAN: ("median", mark("median over the interval of times")),
    Over.MEAN: ("mean", mark("mean over the interval of times")),
    Over.LOWEST: ("min", mark("least over the interval of times")),
    Over.HIGHEST: ("max", mark("most over the interval of times")),
}


@analysis(
    "Accessibility",
    Output(
        "layer", "vector", "Opportunities in reach", ("gravity_sum", *ACCESS_FIELDS), like="settlements",
        sometimes=("within_*_min", "interval_*"),
    ),
    Output(
        "within", "table", "Opportunities within each time",
        ("within_min", "mean_opportunities", "median_opportunities", "none_settlements", "none_percent"),
    ),
    Output("by_region", "table", "Opportunities by region"),
    Output("mean_within", "number", "Mean within the longest time"),
    Output("none_percent", "number", "Settlements with none within the longest time, percent"),
    Output("unreached", "number", "Settlements without a result"),
    tags=("cumulative opportunities", "gravity", "Hansen", "potential accessibility", "jobs", "isochrone"),
)  # fmt: skip
def opportunities(
    settlements: Settlements,
    facilities: Settlements,
    roads: Lines,
    *,
    amount: Annotated[str, Field("facilities")] | None = None,
    thresholds_min: str = "30, 60",
    interval_min: str = "",
    interval_step_min: Annotated[float, Number(0.01, 1000, "min")] = 1.0,
    interval_summary: Over = Over.MEDIAN,
    decay: Falling = Falling.EXPONENTIAL,
    half_min: Annotated[float, Number(0.1, 10_000, "min")] = 30.0,
    travel: Travel = Travel.TO,
    population: Annotated[str, Field("settlements")] | None = None,
    region: Annotated[str, Field("settlements", numeric=False)] | None = None,
    progress: Progress = silent,
    **on_roads: Unpack[OnRoads],
) -> Outcome:
    """How many opportunities every settlement reaches within times, and all of them weighted by travel time.

    Cumulative opportunities count what lies within each time; the map shows the longest one. The gravity sum (Hansen)
    counts everything, but less the farther it is: it has no edge, and no unit that could be read off. Nobody competes:
    floating_catchment is for what can be full. Means are by people where a column of inhabitants is named. A settlement
    from which no facility can be reached by road has no result; one that has nothing within a time has 0.

    Parameters
    ----------
    settlements : points
        Settlements with a unique id.
    facilities : points
        Places of opportunities with a unique id, such as employers or hospitals.
    roads : lines
        Roads that meet at their ends.
    amount : str
        Column of how many there are at each facility (jobs, beds); without it each counts 1. Missing counts as none
        and is told.
    thresholds_min : str
        Times within which opportunities are counted, increasing, comma-separated.
    interval_min : str
        First and last of the times over which a median is taken, minute by minute: "20, 40". A single time is
        arbitrary; the median over those that could be defended doesn't hang on one.
    interval_step_min : float
        Minutes from one time of the interval to the next.
    interval_summary : Over
        What is made of the figures of the interval's times.
    decay : Falling
        How weight falls with time in the gravity sum. All weigh 1 at no distance and exactly a half at half_min.
        Exponential halves again with every further half_min. Power is the inverse square of the time, and 1 up to 0.71
        of half_min. Gaussian is a bell (1/16 at twice half_min). Logistic is an S that is nearly 1 before half_min and
        nearly 0 after it. Linear is 0 from twice half_min.
    half_min : float
        Travel time at which an opportunity weighs a half.
    travel : Travel
        Travel to the facilities (to), or from them (from); one-way roads make a difference.
    population : str
        Column of inhabitants; missing means unknown.
    region : str
        Column of the settlements' region, for the table by region.
    """
    import pandas as pd

    from kazgeo.accessibility import cumulative, cumulative_interval, gravity
    from kazgeo.analyses import reach
    from kazgeo.analyses.columns import inhabitants
    from kazgeo.analyses.decays import falling
    from kazgeo.analyses.outcome import Outcome, names_of, told
    from kazgeo.analyses.roads import NO_WAY, access_columns, minutes, tie_both
    from kazgeo.style import TooltipField

    limits = minutes(thresholds_min, "thresholds_min")
    between = _interval(interval_min)
    summed = f"interval_{interval_summary}"
    summary, says = _SUMMED[Over(str(interval_summary))]
    reach.refuse_empty("opportunities", facilities)
    people = inhabitants(settlements, population)
    size = reach.sizes("opportunities", facilities, amount)
    tied, there = tie_both(settlements, facilities, roads, on_roads, part(progress, 0, 0.4))
    times = reach.times_between(tied, there, travel, None, part(progress, 0.4, 0.9))
    progress(0.9, "opportunities")
    found = cumulative(times, size, thresholds_s=[60 * t for t in limits]).reached
    layer = settlements.copy()
    columns = [within_column(t) for t in limits]
    for column, values in zip(columns, found.columns, strict=True):
        layer[column] = found[values]
    if between is not None:
        ends = {"start_s": 60 * between[0], "stop_s": 60 * between[1]}
        over = cumulative_interval(times, size, **ends, step_s=60 * interval_step_min, summary=summary)
        layer[summed] = over.reached["reached"]
    layer["gravity_sum"] = gravity(times, size, decay=falling(decay, half_min)).reached["reached"]
    access_columns(layer, tied)
    arrived = pd.Series(times.transposed.reached > 0, index=times.destinations)
    lost = [
        tied.why_not(layer["gravity_sum"].notna(), reach.NO_FACILITY_REASON),
        reach.facilities_left_out(there, arrived, size),
    ]
    dropped = pd.concat(lost, ignore_index=True)
    table = _table(layer[columns], limits, people)
    tables = {"within": table}
    if region is not None:
        tables["by_region"] = _by_region(layer, region, limits, people)
    last = table.iloc[-1]
    return Outcome(
        (
            *_findings(layer, table, names_of(settlements), float(size.sum()), people is not None),
            *reach.unheard(people, len(layer)),
            *told(dropped),
        ),
        layer=layer,
        tables=tables,
        numbers={
            "mean_within": float(last["mean_opportunities"]),
            "none_percent": float(last["none_percent"]),
            "unreached": int(layer["gravity_sum"].isna().sum()),
        },
        style=reach.amount_style(
            columns[-1], mark("opportunities within the longest time"), layer[columns[-1]], missing=NO_WAY
        ),
        fields=(
            TooltipField("gravity_sum", "opportunities weighted by travel time", "", 1),
            *([TooltipField(summed, says, "", 1)] if between else []),
            TooltipField("road_distance_km", "distance to the road", "km", 1),
        ),
        dropped=dropped,
        size_column=population,
    )


def within_column(limit_min: float) -> str:
    """Return the name of the column of a time.

    Examples
    --------
    >>> within_column(60.0), within_column(7.5)
    ('within_60_min', 'within_7_5_min')
    """
    return f"within_{_number(limit_min).replace('.', '_')}_min"


def _interval(text: str) -> tuple[float, float] | None:
    """Return the first and the last time of an interval, None where there is none.

    Examples
    --------
    >>> _interval("20, 40"), _interval(" ")
    ((20.0, 40.0), None)
    >>> _interval("20")
    Traceback (most recent call last):
    kazgeo.errors.InputError: interval_min: wanted two times, the first and the last, such as 20, 40; got '20'
    """
    from kazgeo.analyses.roads import minutes
    from kazgeo.errors import InputError

    if not text.strip():
        return None
    found = minutes(text, "interval_min")
    if len(found) != 2:
        raise InputError(f"interval_min: wanted two times, the first and the last, such as 20, 40; got {text!r}")
    return found[0], found[1]


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def _table(found: pd.DataFrame, limits: list[float], people: pd.Series | None) -> pd.DataFrame:
    """Return means and how many settlements have none, by time; settlements without a result take no part."""
    import pandas as pd

    from kazgeo.analyses.reach import weighted_mean

    rows = []
    for limit, column in zip(limits, found.columns, strict=True):
        known = found[column].dropna()
        none = known == 0
        row = {
            "within_min": limit,
            "mean_opportunities": weighted_mean(found[column], people),
            "median_opportunities": float(known.median()),
            "none_settlements": int(none.sum()),
            "none_percent": 100 * float(none.mean()) if len(known) else float("nan"),
        }
        if people is not None:
            row["none_people"] = float(people[known.index[none]].sum())
        rows.append(row)
    return pd.DataFrame(rows)


def _by_region(layer: pd.DataFrame, region: str, limits: list[float], people: pd.Series | None) -> pd.DataFrame:
    """Return the table of every region, one row per region and time."""
    import pandas as pd

    from kazgeo.analyses.reach import means_by

    gravity = means_by(layer["gravity_sum"], people, layer[region])
    parts = []
    for limit in limits:
        values = layer[within_column(limit)]
        none = (values == 0).where(values.notna()).astype(float)
        parts.append(pd.DataFrame({
            "within_min": limit,
            "settlements": layer.groupby(region).size(),
            "mean_opportunities": means_by(values, people, layer[region]),
            "none_percent": 100 * none.groupby(layer[region]).mean(),
            "mean_gravity": gravity,
        }))  # fmt: skip
    return pd.concat(parts).rename_axis("region").sort_index(kind="stable").reset_index()


def _findings(layer: pd.DataFrame, table: pd.DataFrame, names: Any, total: float, by_people: bool) -> list[Message]:
    """Return what is reached within every time, the longest first, and who reaches most and least."""
    from kazgeo.analyses.outcome import share
    from kazgeo.analyses.reach import figure, places_with
    from kazgeo.messages import Message, Num

    known = int(layer["gravity_sum"].notna().sum())
    out = []
    for row in table.iloc[::-1].to_dict("records"):
        template = (
            "Within {time} people reach {mean} of {total} opportunities on average; {n} of {all} settlements ({share})"
            " reach none."
            if by_people
            else "Within {time} settlements reach {mean} of {total} opportunities on average; {n} of {all} ({share})"
            " reach none."
        )
        n = int(row["none_settlements"])
        values = {"time": Num(row["within_min"], 0 if row["within_min"] % 1 == 0 else 1, "min"), "n": n, "all": known}
        out.append(Message(template, values | {
            "mean": figure(row["mean_opportunities"]), "total": Num(total, 0), "share": share(n, known),
        }))  # fmt: skip
    best = places_with(layer["gravity_sum"], names)
    if best:
        out.append(Message("Largest sum weighted by travel time: {places}.", {"places": best}))
    return out
