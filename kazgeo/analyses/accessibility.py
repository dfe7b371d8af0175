"""Which settlements are hard to reach: travel time to the nearest centre, remoteness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Unpack

from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Lines, Number, Output, Settlements
from kazgeo.analyses.options import OnRoads, ToDestinations
from kazgeo.analyses.roads import ACCESS_FIELDS
from kazgeo.choices import RemotenessForm
from kazgeo.progress import Progress, part, silent

if TYPE_CHECKING:
    import pandas as pd

    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message, Names
    from kazgeo.style import Style


@analysis(
    "Accessibility",
    Output(
        "layer",
        "vector",
        "Travel time",
        ("travel_time_min", "route_km", "nearest_id", "nearest_name", *ACCESS_FIELDS),
        like="settlements",
    ),
    Output("by_region", "table", "Travel time by region"),
    Output("people_beyond", "number", "People farther than the standard"),
    Output("median_min", "number", "Median travel time, minutes"),
    Output("unreached", "number", "Settlements without a result"),
    tags=("accessibility", "nearest facility", "service area", "isochrone", "network"),
)
def travel_time(
    settlements: Settlements,
    roads: Lines,
    *,
    region: Annotated[str, Field("settlements", numeric=False)] | None = None,
    standard_min: Annotated[float, Number(1, 10_000, "min")] = 60.0,
    progress: Progress = silent,
    **given: Unpack[ToDestinations],
) -> Outcome:
    """Travel time from every settlement to the nearest place of the given kind, on a road network.

    Settlements are tied to the nearest point on a road; the leg off the road has its own speed. A settlement that is
    itself a destination has no travel time to cover (0). Settlements that can't be reached are counted, never given
    a large number.

    Parameters
    ----------
    settlements : points
        Settlements with a unique id.
    roads : lines
        Roads that meet at their ends.
    region : str
        Column of the settlements' region, for the table by region.
    standard_min : float
        Travel time that counts as near enough.
    """
    from kazgeo.accessibility import nearest
    from kazgeo.analyses.destinations import destinations
    from kazgeo.analyses.outcome import Outcome, names_of, told
    from kazgeo.analyses.roads import access_columns, left_out, minutes_style, tie
    from kazgeo.style import TooltipField
    from kazgeo.ties import in_minutes, upto

    settlements, people, chosen = destinations(settlements, "travel_time", given)
    tied = tie(settlements, roads, given, part(progress, 0, 0.5))
    progress(0.6, "quickest routes")
    found = nearest(tied, chosen)
    dropped = left_out(found.dropped, tied.network)
    layer = settlements.copy()
    names = names_of(settlements)
    layer["travel_time_min"] = in_minutes(found.time_s)
    layer["route_km"] = found.length_m / 1000
    layer["nearest_id"] = found.destination
    layer["nearest_name"] = found.destination.map(lambda i: names[i].en if i in names else None)
    access_columns(layer, tied)
    table = _by_region(layer, region, people, standard_min) if region is not None else None
    far = layer["travel_time_min"] > upto(standard_min)
    minutes = layer["travel_time_min"].dropna()
    return Outcome(
        (*_findings(layer, names, people, far, standard_min, len(chosen)), *told(dropped)),
        layer=layer,
        tables={} if table is None else {"by_region": table},
        numbers={
            "people_beyond": float(people[far].sum()) if people is not None else float("nan"),
            "median_min": float(minutes.median()),
            "unreached": len(found.dropped),
        },
        style=minutes_style("travel_time_min", "travel time to the nearest centre"),
        fields=(
            TooltipField("nearest_name", "nearest centre"),
            TooltipField("route_km", "length of the route", "km"),
            TooltipField("road_distance_km", "distance to the road", "km", 1),
        ),
        dropped=dropped,
        size_column=given["population"],
    )


def _by_region(layer: pd.DataFrame, region: str, people: pd.Series | None, standard: float) -> pd.DataFrame:
    """Return the median, the worst and the people beyond the standard for every region."""
    import pandas as pd

    from kazgeo.ties import upto

    rows = layer[layer[region].notna()]
    groups = rows.groupby(region)
    table = pd.DataFrame(
        {
            "settlements": groups.size(),
            "without_result": groups["travel_time_min"].apply(lambda v: int(v.isna().sum())),
            "median_min": groups["travel_time_min"].median(),
            "longest_min": groups["travel_time_min"].max(),
        }
    )
    if people is not None:
        known = people.loc[rows.index].where(rows["travel_time_min"].notna())
        beyond = known.where(rows["travel_time_min"] > upto(standard))
        table["population_known"] = known.groupby(rows[region]).sum()
        table["people_beyond"] = beyond.groupby(rows[region]).sum()
        table["share_beyond_percent"] = (
            100 * table["people_beyond"] / table["population_known"].where(table["population_known"] > 0)
        )
    return table.sort_values("median_min", ascending=False)


def _findings(
    layer: pd.DataFrame, names: dict[Any, Names], people: pd.Series | None, far: pd.Series, standard: float, n: int
) -> list[Message]:
    """Return what a planner wants to know first."""
    from kazgeo.analyses.outcome import minutes_told, share, top
    from kazgeo.messages import Message, Num

    minutes = layer["travel_time_min"]
    reached = minutes.notna()
    out: list[Message] = []
    if people is None or not people[reached].sum() > 0:
        out.append(
            Message(
                "Settlements farther than {standard} from the nearest centre (centres: {centres}): {far} of {n}.",
                {"far": int(far.sum()), "n": int(reached.sum()), "standard": minutes_told(standard), "centres": n},
            )
        )
    else:
        out.append(
            Message(
                "Settlements farther than {standard} from the nearest centre (centres: {centres}): {far} of {n};"
                " {people} people live there, {share} of those whose number and travel time are known.",
                {
                    "far": int(far.sum()),
                    "n": int(reached.sum()),
                    "standard": minutes_told(standard),
                    "centres": n,
                    "people": Num(float(people[far].sum())),
                    "share": share(float(people[far].sum()), float(people[reached].sum())),
                },
            )
        )
    listed = tuple(
        Message("{name} {time}", {"name": names[i], "time": Num(t / 60, 1, "h")})
        for i, t in top(minutes, names).items()
    )
    if people is not None:
        out += _uncounted(layer, people)
    out.append(Message("Farthest by road: {places}.", {"places": listed}))
    return out


def _uncounted(layer: pd.DataFrame, people: pd.Series) -> list[Message]:
    """Return the people of settlements without a time, by the reason why they have none."""
    from kazgeo.messages import Message, Num

    lost, nowhere = layer["travel_time_min"].isna(), layer["road_distance_km"].isna()
    off = layer["network_component"] < 0
    template = "Not counted in this because no road is within reach: {n} settlements with {people} people."
    beside = (
        "Not counted in this because no centre can be reached from their road: {n} settlements with {people} people."
    )
    unplaced = "Not counted in this because they have no place on the map: {n} settlements with {people} people."
    return [
        Message(text, {"n": int(some.sum()), "people": Num(float(people[some].sum()))})
        for text, some in ((template, lost & off & ~nowhere), (beside, lost & ~off), (unplaced, lost & nowhere))
        if some.any()
    ]


@analysis(
    "Accessibility",
    Output(
        "layer",
        "vector",
        "Remoteness",
        ("remoteness", "remoteness_class", "remoteness_rank", *ACCESS_FIELDS),
        like="settlements",
        sometimes=("time_to_*_min", "distance_to_*_km"),
    ),
    Output("centres", "table", "Classes of centres", ("centres",), sometimes=("mean_min", "mean_km")),
    Output("median", "number", "Median remoteness"),
    Output("very_remote", "number", "Very remote settlements"),
    tags=("ARIA", "accessibility", "periphery"),
)
def remoteness(
    settlements: Settlements,
    roads: Lines,
    population: Annotated[str, Field("settlements")],
    *,
    form: RemotenessForm = RemotenessForm.TIME,
    thresholds: str = "",
    means: str = "",
    cap: Annotated[float, Number(1, 100)] = 3.0,
    progress: Progress = silent,
    **on_roads: Unpack[OnRoads],
) -> Outcome:
    """Remoteness score of every settlement from centres of several sizes, in the form of ARIA+.

    Sum over the classes of centres of min(cap, separation / mean separation): travel time, or road distance in
    kilometres as ARIA+ itself has it. 0 is a centre of the largest class; a larger centre also counts as a smaller
    one. Classes of remoteness take ARIA+'s limits, scaled to the number of classes of centres. Unless means are given,
    they are those of this study's settlements, so scores compare within one study.

    Parameters
    ----------
    settlements : points
        Settlements with a unique id.
    roads : lines
        Roads that meet at their ends.
    population : str
        Column of inhabitants; places of unknown size never count as centres.
    form : RemotenessForm
        What is summed up: travel time of the quickest way, or road distance of the shortest way, the leg to the road
        included.
    thresholds : str
        Least inhabitants of the classes of centres, decreasing, comma-separated. When empty: 250000, 100000, 50000,
        10000, 5000 for travel time, and ARIA+'s 250000, 48000, 18000, 5000, 1000 for road distance.
    means : str
        Mean of each class of centres to divide by, comma-separated, in the same order: minutes for travel time,
        kilometres for road distance. When empty, the means of this study's settlements.
    cap : float
        Limit of one class's term.
    """
    import pandas as pd

    from kazgeo.accessibility import remoteness as score
    from kazgeo.analyses.columns import numeric
    from kazgeo.analyses.outcome import Outcome, names_of, told, top
    from kazgeo.analyses.roads import access_columns, tie
    from kazgeo.analyses.texts import numbers
    from kazgeo.messages import Message, Num
    from kazgeo.style import TooltipField
    from kazgeo.ties import in_minutes

    limits, given = numbers(thresholds, "remoteness: thresholds"), numbers(means, "remoteness: means")
    settlements = settlements.assign(**{population: numeric(settlements, population)})
    tied = tie(settlements, roads, on_roads, part(progress, 0, 0.4))
    done = score(
        tied, settlements[population], form=form, thresholds=limits, means=given, cap=cap,
        progress=part(progress, 0.4, 1.0),
    )  # fmt: skip
    top_score = cap * len(done.centres)
    layer = settlements.copy()
    layer["remoteness"] = done.score
    layer["remoteness_class"] = _aria_class(done.score, top_score)
    layer["remoteness_rank"] = done.score.rank(ascending=False, method="min")
    by_time = done.form is RemotenessForm.TIME
    for name, column in done.separation.items():
        if by_time:
            layer[f"time_to_{name}_min"] = in_minutes(column)
        else:
            layer[f"distance_to_{name}_km"] = column / 1000
    access_columns(layer, tied)
    names = names_of(settlements)
    listed = tuple(
        Message("{name} {score}", {"name": names[i], "score": Num(v, 1)}) for i, v in top(done.score, names).items()
    )
    very = int((layer["remoteness_class"] == "very remote").sum())
    findings = [
        Message(
            "Remote or very remote: {n} of {total} settlements (the score runs from 0 to {top}).",
            {
                "n": int(layer["remoteness_class"].isin(["remote", "very remote"]).sum()),
                "total": int(done.score.notna().sum()),
                "top": Num(top_score, 0),
            },
        ),
        Message("Most remote: {places}.", {"places": listed}),
        Message("Places of unknown population, which can't count as centres: {n}.", {"n": done.unknown_population}),
    ]
    if not by_time:
        findings.append(Message("Measured by the shortest road distance in kilometres, not by travel time."))
    if given is not None:
        findings.append(Message("The means of the classes of centres were given, not taken from these settlements."))
    mean = {"mean_min": done.means / 60} if by_time else {"mean_km": done.means / 1000}
    centres = pd.DataFrame({"centres": done.centres, **mean}).rename_axis("people_at_least")
    return Outcome(
        (*findings, *told(done.dropped)),
        layer=layer,
        tables={"centres": centres},
        numbers={"median": float(done.score.median()), "very_remote": very},
        style=_aria_style(),
        fields=(
            TooltipField("remoteness", "remoteness score", "", 2),
            TooltipField("remoteness_rank", "rank (1 = most remote)"),
            TooltipField("road_distance_km", "distance to the road", "km", 1),
        ),
        dropped=done.dropped,
        size_column=population,
    )


@analysis(
    "Accessibility",
    Output("surface", "raster", "Surface", suffix=".tif"),
    Output("cells", "number", "Cells with a value"),
    Output("lowest", "number", "Lowest value"),
    Output("highest", "number", "Highest value"),
    tags=("raster", "interpolation", "IDW", "GeoTIFF"),
)
def surface(
    settlements: Settlements,
    column: Annotated[str, Field("settlements")],
    *,
    cell_km: Annotated[float, Number(0.05, 1000, "km")] = 5.0,
    reach_km: Annotated[float, Number(0.1, 5000, "km")] = 50.0,
    k: Annotated[int, Number(1, 100)] = 8,
    power: Annotated[float, Number(0.1, 10)] = 2.0,
    title: str = "",
    unit: str = "",
    progress: Progress = silent,
) -> Outcome:
    """Interpolate a measure of settlements to a raster, only as far as the settlements reach.

    Inverse-distance weighting of the nearest settlements, great-circle distances, equal-area cells. Where no settlement
    is within reach there is no data: an empty steppe gets no value. A picture of a tendency, not a measurement of any
    place between.

    Parameters
    ----------
    settlements : points
        Settlements with a unique id.
    column : str
        Column of the values, for instance remoteness.
    cell_km : float
        Side of a cell.
    reach_km : float
        Cells farther than this from every settlement have no value.
    k : int
        How many of the nearest settlements count.
    power : float
        Exponent of the distance: the larger, the closer the surface clings to the nearest settlement.
    title : str
        Title of the legend; the column's name when empty.
    unit : str
        Unit in the legend.
    """
    import numpy as np

    from kazgeo.accessibility import inverse_distance
    from kazgeo.analyses.columns import numeric
    from kazgeo.analyses.outcome import Outcome, told
    from kazgeo.messages import Message, Num
    from kazgeo.style import Raster

    values = numeric(settlements, column)
    made = inverse_distance(
        settlements.geometry,
        values,
        cell_m=1000 * cell_km,
        k=k,
        power=power,
        reach_m=1000 * reach_km,
        progress=progress,
    )
    inside = made.notnull()
    low, high = float(made.min()), float(made.max())
    decimals = int(np.clip(2 - np.floor(np.log10(max(high - low, 1e-9))), 0, 6))
    findings = [
        Message(
            "{title}: from {low} to {high}; cells of {cell} with a settlement within {reach}: {n} of {total}.",
            {
                "title": title or column,
                "low": Num(low, decimals, unit),
                "high": Num(high, decimals, unit),
                "cell": Num(cell_km, 1, "km"),
                "reach": Num(reach_km, 0, "km"),
                "n": int(inside.sum()),
                "total": int(inside.size),
            },
        )
    ]
    lost = values.index[values.isna()]
    dropped = _without_value(lost)
    return Outcome(
        (*findings, *told(dropped)),
        numbers={"cells": int(inside.sum()), "lowest": low, "highest": high},
        rasters={"surface": Raster(made, title or column, unit, decimals)},
        dropped=dropped,
    )


def _without_value(units: pd.Index) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({"unit": units.astype(object), "reason": "missing value"})


#: Upper limits of ARIA+ on its 0-15 scale, as shares of its maximum.
_ARIA = (("very accessible", 0.20), ("accessible", 2.40), ("moderately accessible", 5.92), ("remote", 10.53))


def _aria_class(score: pd.Series, top: float) -> pd.Series:
    """Return the class of every score; missing stays missing."""
    import numpy as np
    import pandas as pd

    limits = [limit * top / 15 for _, limit in _ARIA]
    labels = np.array([name for name, _ in _ARIA] + ["very remote"], dtype=object)
    out = pd.Series(labels[np.searchsorted(limits, score.to_numpy(dtype=float), side="left").clip(0, 4)], score.index)
    return out.where(score.notna(), None)


def _aria_style() -> Style:
    from kazgeo.style import categorical

    colors = ("#2c7fb8", "#7fcdbb", "#ffffb2", "#fd8d3c", "#bd0026")
    names = [name for name, _ in _ARIA] + ["very remote"]
    return categorical("remoteness_class", "remoteness", [(n, n, c) for n, c in zip(names, colors, strict=True)])
