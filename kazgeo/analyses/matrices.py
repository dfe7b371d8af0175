"""All travel times between places, as a table; and what markets lie around a place."""

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

    from kazgeo.accessibility import Potential
    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message

ALONE_REASON = mark("no other place can be reached")


@analysis(
    "Accessibility",
    Output("layer", "vector", "Mean travel time", ("mean_min", "reached", *ACCESS_FIELDS), like="settlements"),
    Output(
        "times", "table", "Travel times",
        ("origin_id", "origin_name", "destination_id", "destination_name", "travel_time_min"),
    ),
    Output("pairs", "number", "Pairs with a travel time"),
    Output("absent", "number", "Pairs without a travel time"),
    Output("mean_min", "number", "Mean travel time, minutes"),
    tags=("OD matrix", "origin-destination", "distance matrix", "centrality"),
)  # fmt: skip
def travel_time_matrix(
    settlements: Settlements,
    roads: Lines,
    *,
    facilities: Settlements | None = None,
    limit_min: Annotated[float, Number(0.1, 100_000, "min")] | None = None,
    travel: Travel = Travel.TO,
    progress: Progress = silent,
    **on_roads: Unpack[OnRoads],
) -> Outcome:
    """Travel times between all settlements and facilities, or between the settlements themselves, as a long table.

    One row per pair that can be reached by road (and within the limit); pairs without a row are counted. Without
    facilities, the way from a place to itself isn't listed. The map shows the mean time between a settlement and all
    that it reaches. A table that would not fit in memory is refused before the work begins, with its size: a limit
    makes it smaller.

    Parameters
    ----------
    settlements : points
        Settlements with a unique id.
    roads : lines
        Roads that meet at their ends.
    facilities : points
        Other ends of the ways, with a unique id; without them the settlements themselves.
    limit_min : float
        Pairs farther apart than this are left out; without it all pairs are listed.
    travel : Travel
        Settlements are the origins (to), or the destinations (from); one-way roads make a difference.
    """
    import pandas as pd

    from kazgeo.analyses.outcome import Outcome, names_of, told
    from kazgeo.analyses.reach import amount_style, facilities_left_out, refuse_empty, refuse_rows, times_between
    from kazgeo.analyses.roads import access_columns, tie, tie_both
    from kazgeo.style import YELLOW_RED, TooltipField

    if facilities is None:
        tied = tie(settlements, roads, on_roads, part(progress, 0, 0.4))
        there, others = tied, settlements
    else:
        refuse_empty("travel_time_matrix", facilities)
        tied, there = tie_both(settlements, facilities, roads, on_roads, part(progress, 0, 0.4))
        others = facilities
    if limit_min is None:
        refuse_rows("travel_time_matrix", len(settlements) * len(others))
    times = times_between(tied, there, travel, limit_min, part(progress, 0.4, 0.9))
    refuse_rows("travel_time_matrix", times.n_pairs)
    progress(0.9, "table")
    long = times.to_long()
    if facilities is None:
        long = long[long["origin"] != long["destination"]]
    layer = settlements.copy()
    groups = (long["time_s"] / 60).groupby(long["origin"])
    layer["mean_min"] = groups.mean().reindex(layer.index)
    layer["reached"] = groups.size().reindex(layer.index).fillna(0).astype(int)
    access_columns(layer, tied)
    dropped = tied.why_not(layer["reached"] > 0, ALONE_REASON)
    if facilities is not None:
        arrived = pd.Series(times.transposed.reached > 0, index=times.destinations)
        dropped = pd.concat([dropped, facilities_left_out(there, arrived)], ignore_index=True)
    ends = {"origin": names_of(settlements), "destination": names_of(others)}
    if turned := str(travel) == "from":
        ends = {"origin": ends["destination"], "destination": ends["origin"]}
    table = _named(long, ends, turned)
    whole = len(settlements) * len(others) - (len(settlements) if facilities is None else 0)
    numbers = {
        "pairs": len(table), "absent": whole - len(table), "mean_min": float(table["travel_time_min"].mean()),
    }  # fmt: skip
    return Outcome(
        (*_pairs_found(table, ends, whole, limit_min), *_nearest_to_all(layer, names_of(settlements)), *told(dropped)),
        layer=layer,
        tables={"times": table},
        numbers=numbers,
        style=amount_style(
            "mean_min",
            mark("mean travel time to all that is reached"),
            layer["mean_min"],
            unit="min",
            colors=YELLOW_RED,
        ),
        fields=(
            TooltipField("reached", "places reached"),
            TooltipField("road_distance_km", "distance to the road", "km", 1),
        ),
        dropped=dropped,
    )


def _named(long: pd.DataFrame, names: dict[str, Any], turned: bool) -> pd.DataFrame:
    """Return the table with the names of both ends; ``turned``: the settlements are the destinations."""
    import pandas as pd

    from kazgeo.ties import in_minutes

    columns: dict[str, Any] = {}
    for end, column in zip(names, ("destination", "origin") if turned else ("origin", "destination"), strict=True):
        codes, ids = pd.factorize(long[column])
        columns[f"{end}_id"] = long[column].to_numpy()
        columns[f"{end}_name"] = pd.Index([names[end][i].en for i in ids], dtype=object).take(codes)
    return pd.DataFrame({**columns, "travel_time_min": in_minutes(long["time_s"].to_numpy())})


def _pairs_found(table: pd.DataFrame, names: dict[str, Any], whole: int, limit_min: float | None) -> list[Message]:
    """Say how many pairs have a time, the mean and the longest."""
    from kazgeo.analyses.outcome import minutes_told
    from kazgeo.messages import Message, Num

    if not len(table):
        return [Message("No pair of {total} has a travel time.", {"total": whole})]
    time = table["travel_time_min"]
    row = table.loc[time.idxmax()]
    values = {"n": len(table), "total": whole, "mean": Num(float(time.mean()) / 60, 1, "h")}
    values |= {"longest": Num(float(time.max()) / 60, 1, "h"), "limit": minutes_told(limit_min or 0.0)}
    values |= {end: names[end][row[f"{end}_id"]] for end in names}
    template = (
        "Travel times of {n} of {total} pairs, {mean} on average; the longest is {longest}, {origin} – {destination}."
        if limit_min is None
        else "Travel times of {n} of {total} pairs, those within {limit}; {mean} on average, the longest {longest},"
        " {origin} – {destination}."
    )
    return [Message(template, values)]


def _nearest_to_all(layer: pd.DataFrame, names: Any) -> list[Message]:
    """Say which settlements have the shortest mean way."""
    from kazgeo.analyses.reach import places_with
    from kazgeo.messages import Message

    most = layer["mean_min"].where(layer["reached"] == layer["reached"].max())
    places = places_with(most, names, "min", least=True)
    return [Message("Shortest mean way among those that reach most: {places}.", {"places": places})] if places else []


@analysis(
    "Accessibility",
    Output(
        "layer", "vector", "Market potential",
        ("market_potential", "potential_percent", "own_percent", "potential_rank", *ACCESS_FIELDS), like="settlements",
    ),
    Output("by_region", "table", "Market potential by region"),
    Output("own_median_percent", "number", "Median share of the place's own market, percent"),
    Output("unreached", "number", "Settlements without a result"),
    tags=("Harris", "potential", "centrality", "economic geography"),
)  # fmt: skip
def market_potential(
    settlements: Settlements,
    roads: Lines,
    population: Annotated[str, Field("settlements")],
    *,
    own_min: Annotated[float, Number(0.1, 10_000, "min")] = 15.0,
    exponent: Annotated[float, Number(0.1, 5)] = 1.0,
    travel: Travel = Travel.TO,
    region: Annotated[str, Field("settlements", numeric=False)] | None = None,
    progress: Progress = silent,
    **on_roads: Unpack[OnRoads],
) -> Outcome:
    """Market potential of every settlement (Harris): the people of all settlements, each divided by the way to them.

    The unit is people per hour of travel (with exponent 1). A place counts for itself as if it took own_min to cross:
    how much of the potential that is, is told apart, for it is a choice. Markets that aren't in the layer, beyond the
    border among them, don't count, so places near the border look poorer than they are.

    Parameters
    ----------
    settlements : points
        Settlements with a unique id.
    roads : lines
        Roads that meet at their ends.
    population : str
        Column of inhabitants, or of another size of the market (product); missing counts as none.
    own_min : float
        Minutes that stand for all shorter times, the place's own among them.
    exponent : float
        Power of the travel time.
    travel : Travel
        Travel to the markets (to), or from them (from); one-way roads make a difference.
    region : str
        Column of the settlements' region, for the table by region.
    """
    from kazgeo.accessibility import market_potential as potential
    from kazgeo.analyses.columns import numeric
    from kazgeo.analyses.outcome import Outcome, names_of, told
    from kazgeo.analyses.reach import amount_style, refuse_nobody, times_between, unheard
    from kazgeo.analyses.roads import access_columns, tie
    from kazgeo.style import TooltipField

    people = numeric(settlements, population)
    refuse_nobody("market_potential", people, population)
    tied = tie(settlements, roads, on_roads, part(progress, 0, 0.4))
    times = times_between(tied, tied, travel, None, part(progress, 0.4, 0.9))
    progress(0.9, "market potential")
    found = potential(times, people, own_time_s=60 * own_min, exponent=exponent)
    layer = _potential_columns(settlements, found, tied.tied)
    access_columns(layer, tied)
    dropped = tied.why_not(layer["market_potential"].notna(), ALONE_REASON)
    names = names_of(settlements)
    tables = {"by_region": _potential_by_region(layer, people, region)} if region is not None else {}
    return Outcome(
        (*_potential_found(layer, names, own_min, exponent), *unheard(people, len(layer)), *told(dropped)),
        layer=layer,
        tables=tables,
        numbers={
            "own_median_percent": float(layer["own_percent"].median()),
            "unreached": int(layer["market_potential"].isna().sum()),
        },
        style=amount_style(
            "potential_percent", mark("market potential, largest = 100"), layer["potential_percent"], unit="%"
        ),
        fields=(
            TooltipField("own_percent", "of it the place's own", "%", 0),
            TooltipField("road_distance_km", "distance to the road", "km", 1),
        ),
        dropped=dropped,
        size_column=population,
    )


def _potential_columns(settlements: Any, found: Potential, tied: pd.Series) -> Any:
    """Return the layer with the potential, its share of the largest, the place's own part and the rank.

    Who hangs on no road has its own people only: no market that could be compared.
    """
    layer = settlements.copy()
    whole = found.potential.where(tied)
    layer["market_potential"] = whole
    layer["potential_percent"] = 100 * whole / whole.max() if whole.max() > 0 else whole
    layer["own_percent"] = 100 * found.own / whole.where(whole > 0)
    layer["potential_rank"] = whole.rank(method="min", ascending=False)
    return layer


def _potential_by_region(layer: pd.DataFrame, people: pd.Series, region: str) -> pd.DataFrame:
    """Return means by people and the best settlement's potential, by region, the highest first."""
    import pandas as pd

    from kazgeo.analyses.reach import means_by

    of = layer[region]
    table = pd.DataFrame({
        "settlements": layer.groupby(region).size(),
        "mean_potential": means_by(layer["market_potential"], people, of),
        "median_potential": layer.groupby(region)["market_potential"].median(),
        "largest_potential": layer.groupby(region)["market_potential"].max(),
    })  # fmt: skip
    return table.rename_axis("region").sort_values("mean_potential", ascending=False).reset_index()


def _potential_found(layer: pd.DataFrame, names: Any, own_min: float, exponent: float) -> list[Message]:
    """Say where the potential is largest and least, and what part places have of their own."""
    from kazgeo.analyses.reach import places_with
    from kazgeo.messages import Message, Num

    whole, own = layer["market_potential"], layer["own_percent"]
    best = places_with(whole, names)
    if not best:
        return [Message("No settlement has a market potential.")]
    template = (
        "Largest market potential, people per hour of travel: {places}."
        if exponent == 1
        else "Largest market potential, people by hours of travel to the power of {power}: {places}."
    )
    values = {"median": Num(float(own.median()), 0, "%"), "n": int((own > 50).sum()), "total": int(own.notna().sum())}
    return [
        Message(template, {"places": best, "power": Num(exponent, 1)}),
        Message("Least market potential: {places}.", {"places": places_with(whole, names, least=True)}),
        Message(
            "A place's own market, as if it took {own} to cross, makes {median} of its potential in the median, and"
            " more than half in {n} of {total} places.",
            values | {"own": Num(own_min, 0, "min")},
        ),
    ]
