"""How sure travel times are: who is within the standard for certain, who only if roads are as fast as assumed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Unpack

from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Lines, Number, Output, Settlements
from kazgeo.analyses.options import ToDestinations
from kazgeo.analyses.roads import ACCESS_FIELDS
from kazgeo.choices import Travel
from kazgeo.progress import Progress, part, silent

if TYPE_CHECKING:
    import pandas as pd

    from kazgeo.accessibility import SpeedSpread, TimeUncertainty
    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message, Names
    from kazgeo.style import Style


@analysis(
    "Accessibility",
    Output(
        "layer",
        "vector",
        "How sure travel times are",
        (
            "travel_time_min", "median_min", "low_min", "high_min", "within_percent", "verdict",
            "other_nearest_percent", *ACCESS_FIELDS,
        ),
        like="settlements",
    ),
    Output("shares", "table", "Share within each time, with its interval",
           ("within_min", "share_percent", "median_percent", "low_percent", "high_percent")),
    Output("by_region", "table", "How sure it is by region"),
    Output("share_percent", "number", "Share within the standard at the assumed speeds, percent"),
    Output("low_percent", "number", "Share within the standard, lower limit, percent"),
    Output("high_percent", "number", "Share within the standard, upper limit, percent"),
    Output("open", "number", "Settlements of which it can't be told"),
    tags=("uncertainty", "Monte Carlo", "confidence interval", "sensitivity", "speed", "probability"),
)  # fmt: skip
def travel_time_uncertainty(
    settlements: Settlements,
    roads: Lines,
    *,
    standard_min: Annotated[float, Number(1, 10_000, "min")] = 60.0,
    thresholds_min: str = "30, 60, 120",
    travel: Travel = Travel.TO,
    common_percent: Annotated[float, Number(0, 100, "%")] = 10.0,
    class_percent: Annotated[float, Number(0, 100, "%")] = 15.0,
    class_percents: str = "",
    road_class: Annotated[str, Field("roads", numeric=False)] | None = None,
    road_percent: Annotated[float, Number(0, 100, "%")] = 0.0,
    off_road_percent: Annotated[float, Number(0, 100, "%")] = 30.0,
    level_percent: Annotated[float, Number(50, 99.9, "%")] = 90.0,
    region: Annotated[str, Field("settlements", numeric=False)] | None = None,
    draws: Annotated[int, Number(19, 99_999)] = 999,
    seed: int = 0,
    progress: Progress = silent,
    **given: Unpack[ToDestinations],
) -> Outcome:
    """Travel time to the nearest destination under drawn speeds: intervals, and the probability of being within.

    In every draw all speeds are off by what they share, by what a class of road shares, and each road by its own; the
    percentages are standard deviations. Errors that roads share stay along a route, errors of single roads cancel out.
    The result tells which settlements are within the standard whatever the speeds are, which are not, and of which it
    can't be told. It knows nothing of roads that are missing or wrong in the layer.

    Parameters
    ----------
    settlements : points
        Settlements with a unique id.
    roads : lines
        Roads that meet at their ends.
    standard_min : float
        Travel time that counts as near enough.
    thresholds_min : str
        Times for the table of shares, increasing, comma-separated.
    travel : Travel
        Travel to the destination (to), or from it (from), as an ambulance does; one-way roads make a difference.
    common_percent : float
        How far all travel times may be off together.
    class_percent : float
        How far those of a class of road may be off.
    class_percents : str
        The same by class: "local=30, republican=10"; other classes keep the number above.
    road_class : str
        Column of the class of road; without it road_class or class, if there is one.
    road_percent : float
        How far those of each road may be off by itself.
    off_road_percent : float
        How far times of the way to the road may be off.
    level_percent : float
        Share of the draws that intervals hold, and that makes a verdict sure.
    region : str
        Column of the settlements' region, for the table by region.
    draws : int
        How often speeds are drawn.
    seed : int
        Gives the same numbers again.
    """
    from kazgeo import accessibility
    from kazgeo.analyses.destinations import destinations
    from kazgeo.analyses.outcome import Outcome, names_of, told
    from kazgeo.analyses.roads import access_columns, left_out, minutes, named_class, network_of, on_network
    from kazgeo.style import TooltipField
    from kazgeo.ties import in_minutes

    limits = sorted({*minutes(thresholds_min, "thresholds_min"), standard_min})
    settlements, people, chosen = destinations(settlements, "travel_time_uncertainty", given)
    kind = named_class(roads, road_class)
    spread = _spread(roads, kind, class_percent, class_percents, (common_percent, road_percent, off_road_percent))
    progress(0.05, "road network")
    tied = on_network(network_of(roads, given, road_class=kind or "class"), settlements, given)
    weight = people.fillna(0.0) if people is not None else settlements.geometry.notna().astype(float)
    found = accessibility.travel_time_uncertainty(
        tied, chosen, spread=spread, thresholds_s=[60 * m for m in limits], population=weight,
        level=level_percent / 100, draws=draws, direction=travel, rng=seed, progress=part(progress, 0.2, 1.0),
    )  # fmt: skip
    layer = settlements.copy()
    for column in ("median", "low", "high"):
        layer[f"{column}_min"] = in_minutes(found.times[f"{column}_s"])
    layer.insert(layer.columns.get_loc("median_min"), "travel_time_min", in_minutes(found.times["time_s"]))
    layer["within_percent"] = 100 * found.within[60 * standard_min]
    layer["verdict"] = _verdict(layer["within_percent"], level_percent)
    layer["other_nearest_percent"] = 100 * found.times["other_share"]
    access_columns(layer, tied)
    dropped = left_out(found.dropped, tied.network)
    shares = _shares(found)
    row = shares.iloc[limits.index(standard_min)]
    return Outcome(
        (*_findings(layer, names_of(settlements), row, people is not None, level_percent), *told(dropped)),
        layer=layer,
        tables={"shares": shares} | ({} if region is None else {"by_region": _by_region(layer, region, people)}),
        numbers={
            "share_percent": float(row["share_percent"]), "low_percent": float(row["low_percent"]),
            "high_percent": float(row["high_percent"]), "open": int((layer["verdict"] == "open").sum()),
        },
        style=_style(),
        fields=(
            TooltipField("within_percent", "draws within the standard", "%"),
            TooltipField("travel_time_min", "travel time at the assumed speeds", "min"),
            TooltipField("low_min", "lower limit of the travel time", "min"),
            TooltipField("high_min", "upper limit of the travel time", "min"),
        ),
        seed=seed,
        dropped=dropped,
        size_column=given["population"],
    )  # fmt: skip


def _spread(
    roads: Any, kind: str | None, percent: float, by_class: str, others: tuple[float, float, float]
) -> SpeedSpread:
    """Return the spread of speeds; classes that are not named keep the number for all."""
    from kazgeo.accessibility import SpeedSpread
    from kazgeo.analyses.roads import numbers_by_class

    classes: Any = percent / 100
    if by_class:
        told = numbers_by_class(by_class, roads, kind, "travel_time_uncertainty: class_percents", most=100)
        every = {str(v) for v in roads[kind].dropna()}
        classes = {name: told.get(name, percent) / 100 for name in sorted(every)}
    common, own, off_road = (value / 100 for value in others)
    return SpeedSpread(common, classes, own, off_road)


def _verdict(within: pd.Series, level: float) -> pd.Series:
    """Return what can be told of every settlement: within, beyond, or open."""
    import pandas as pd

    said = pd.Series("open", within.index, dtype=object)
    said[within >= level] = "within"
    said[within <= 100 - level] = "beyond"
    return said.where(within.notna(), None)


def _shares(found: TimeUncertainty) -> pd.DataFrame:
    """Return shares within each time in percent, with their intervals."""
    from kazgeo.ties import in_minutes

    table = 100 * found.shares if found.shares is not None else found.within
    table = table.add_suffix("_percent").reset_index()
    table.insert(0, "within_min", in_minutes(table.pop("threshold_s")))
    return table


def _by_region(layer: pd.DataFrame, region: str, people: pd.Series | None) -> pd.DataFrame:
    """Return settlements by verdict and region, and the people of those of which it can't be told."""
    import pandas as pd

    groups = layer.groupby(region)
    table = pd.DataFrame({"settlements": groups.size()})
    for verdict in ("within", "open", "beyond"):
        table[verdict] = (layer["verdict"] == verdict).groupby(layer[region]).sum()
    table["median_min"] = groups["median_min"].median()
    if people is not None:
        table["people_open"] = people.where(layer["verdict"] == "open", 0.0).groupby(layer[region]).sum()
    return table.sort_values("open", ascending=False)


def _findings(
    layer: pd.DataFrame, names: dict[Any, Names], row: pd.Series, of_people: bool, level: float
) -> list[Message]:
    """Return the share within the standard with its interval, and how many settlements are open."""
    from kazgeo.analyses.outcome import minutes_told, top
    from kazgeo.messages import Message, Num

    values: dict[str, Any] = {"standard": minutes_told(float(row["within_min"])), "level": Num(level, 0, "%")}
    values |= {name: Num(float(row[f"{name}_percent"]), 1, "%") for name in ("share", "low", "high")}
    out = [
        Message(
            "Within {standard} live {share} of the people whose number is known; with speeds as unsure as stated,"
            " {low} to {high} (in {level} of the draws)."
            if of_people
            else "Within {standard} are {share} of the settlements; with speeds as unsure as stated, {low} to {high}"
            " (in {level} of the draws).",
            values,
        )
    ]
    counts = {name: int((layer["verdict"] == name).sum()) for name in ("within", "open", "beyond")}
    template = "Surely within {standard}: {within} settlements; surely beyond: {beyond}; can't be told: {open}."
    out.append(Message(template, {"standard": values["standard"], **counts}))
    width = (layer["high_min"] - layer["low_min"]).where(layer["verdict"] == "open")
    listed = tuple(
        Message("{name} {low}–{high}", {"name": names[i], "low": Num(float(layer.at[i, "low_min"]), 0),
                                        "high": Num(float(layer.at[i, "high_min"]), 0, "min")})
        for i in top(width, names).index
    )  # fmt: skip
    if listed:
        out.append(Message("Least sure: {places}.", {"places": listed}))
    return out


def _style() -> Style:
    from kazgeo.style import categorical

    classes = [
        ("within", "surely within the standard", "#2c7fb8"),
        ("open", "can't be told", "#fecc5c"),
        ("beyond", "surely beyond the standard", "#d7301f"),
    ]
    return categorical("verdict", "travel time against the standard", classes)
