"""Which centre people are likely to choose, and how many each draws: Huff's model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Unpack

from kazgeo.analyses.decays import Falling
from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Lines, Number, Output, Settlements
from kazgeo.analyses.options import OnRoads
from kazgeo.analyses.roads import ACCESS_FIELDS
from kazgeo.choices import Travel
from kazgeo.progress import Progress, part, silent

if TYPE_CHECKING:
    import pandas as pd

    from kazgeo.accessibility import Huff
    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message, Names
    from kazgeo.style import Style


@analysis(
    "Accessibility",
    Output(
        "layer", "vector", "Likeliest centres",
        ("likeliest_id", "likeliest_name", "likeliest_percent", "mean_min", *ACCESS_FIELDS), like="settlements",
    ),
    Output(
        "centres", "table", "What centres draw",
        ("facility", "name", "attraction", "visitors", "share_percent", "first_choice_of"),
    ),
    Output(
        "probabilities", "table", "Probabilities of choice",
        ("origin_id", "origin_name", "destination_id", "destination_name", "probability_percent", "travel_time_min"),
    ),
    Output("mean_likeliest_percent", "number", "Mean probability of the likeliest centre, percent"),
    Output("unreached", "number", "Settlements without a result"),
    tags=("Huff model", "market area", "catchment", "trade area", "gravity model"),
)  # fmt: skip
def market_areas(
    settlements: Settlements,
    facilities: Settlements,
    roads: Lines,
    *,
    attraction: Annotated[str, Field("facilities")] | None = None,
    attraction_power: Annotated[float, Number(0.01, 10)] = 1.0,
    decay: Falling = Falling.POWER,
    half_min: Annotated[float, Number(0.1, 10_000, "min")] = 30.0,
    limit_min: Annotated[float, Number(0.1, 100_000, "min")] | None = None,
    population: Annotated[str, Field("settlements")] | None = None,
    travel: Travel = Travel.TO,
    progress: Progress = silent,
    **on_roads: Unpack[OnRoads],
) -> Outcome:
    """Market areas by Huff's model: with what probability each centre is chosen from each settlement.

    The probability of a centre grows with its attraction and falls with travel time, against all others in reach; each
    stands for all others alike. Choices are computed, not observed: attraction and half time are to be fitted to a
    survey. A likeliest centre with 40 % is no market area of its own: the map shows how sure the choice is.

    Parameters
    ----------
    settlements : points
        Settlements with a unique id.
    facilities : points
        Centres with a unique id.
    roads : lines
        Roads that meet at their ends.
    attraction : str
        Column of the centres' attraction (floor space, beds, people); without it all attract alike. Missing counts as
        none and is told.
    attraction_power : float
        Power of the attraction.
    decay : Falling
        How weight falls with time. All weigh 1 at no distance and exactly a half at half_min; power is the inverse
        square of the time, as Huff has it, and 1 up to 0.71 of half_min.
    half_min : float
        Travel time of weight a half.
    limit_min : float
        Centres farther than this aren't chosen.
    population : str
        Column of inhabitants; missing means unknown. Without it every settlement counts as one.
    travel : Travel
        Travel to the centres (to), or from them (from); one-way roads make a difference.
    """
    import numpy as np
    import pandas as pd

    from kazgeo.accessibility import huff
    from kazgeo.analyses import reach
    from kazgeo.analyses.columns import inhabitants
    from kazgeo.analyses.decays import falling
    from kazgeo.analyses.outcome import Outcome, names_of, told
    from kazgeo.analyses.roads import access_columns, tie_both
    from kazgeo.style import TooltipField

    reach.refuse_empty("market_areas", facilities)
    people = inhabitants(settlements, population)
    size = reach.sizes("market_areas", facilities, attraction)
    tied, there = tie_both(settlements, facilities, roads, on_roads, part(progress, 0, 0.4))
    times = reach.times_between(tied, there, travel, limit_min, part(progress, 0.4, 0.8))
    reach.refuse_rows("market_areas", times.n_pairs)
    progress(0.8, "probabilities")
    found = huff(times, size, decay=falling(decay, half_min), alpha=attraction_power)
    names = names_of(facilities)
    table = _table(found, names_of(settlements), names)
    layer = _layer(settlements, found, table, names)
    access_columns(layer, tied)
    weight = people if people is not None else pd.Series(1.0, settlements.index)
    centres = _centres(found, facilities, size, weight, layer["likeliest_id"])
    drawing = found.pairs.to_destinations(np.ones(len(times.origins))) > 0
    none = reach.NO_FACILITY_REASON if limit_min is None else reach.NONE_NEAR_REASON
    lost = [
        tied.why_not(layer["likeliest_id"].notna(), none),
        reach.facilities_left_out(there, pd.Series(drawing, index=times.destinations), size),
    ]  # fmt: skip
    dropped = pd.concat(lost, ignore_index=True)
    unheard = () if people is None else reach.unheard(people, len(layer))
    return Outcome(
        (*_findings(layer, centres, names, people is not None), *unheard, *told(dropped)),
        layer=layer,
        tables={"centres": centres, "probabilities": table},
        numbers={
            "mean_likeliest_percent": reach.weighted_mean(layer["likeliest_percent"], people),
            "unreached": int(layer["likeliest_id"].isna().sum()),
        },
        style=_style(),
        fields=(
            TooltipField("likeliest_name", "likeliest centre"),
            TooltipField("mean_min", "mean travel time to the centres chosen", "min"),
        ),
        dropped=dropped,
        size_column=population,
    )


def _table(found: Huff, names: dict[Any, Names], others: dict[Any, Names]) -> pd.DataFrame:
    """Return all probabilities above 0, with names and minutes; by origin, the likeliest first."""
    import pandas as pd

    from kazgeo.ties import in_minutes

    times = found.pairs.times
    table = pd.DataFrame({
        "origin_id": times.origins[times.rows], "destination_id": times.destinations[times.indices],
        "probability_percent": 100 * found.pairs.values, "travel_time_min": in_minutes(times.time_s), "row": times.rows,
    })  # fmt: skip
    table = table[table["probability_percent"] > 0]
    table = table.sort_values(["row", "probability_percent"], ascending=[True, False], kind="stable")
    table.insert(1, "origin_name", table["origin_id"].map(lambda i: names[i].en))
    table.insert(3, "destination_name", table["destination_id"].map(lambda i: others[i].en))
    return table.drop(columns="row").reset_index(drop=True)


def _layer(settlements: Any, found: Huff, table: pd.DataFrame, names: dict[Any, Names]) -> Any:
    """Return the settlements with the likeliest centre, its probability, and the mean way to all that are chosen."""
    likeliest = found.allocation().reindex(settlements.index)
    layer = settlements.copy()
    layer["likeliest_id"] = likeliest.astype(object).where(likeliest.notna(), None)
    layer["likeliest_name"] = [None if i is None else names[i].en for i in layer["likeliest_id"]]
    groups = table.groupby("origin_id")
    layer["likeliest_percent"] = groups["probability_percent"].max().reindex(layer.index)
    way = (table["probability_percent"] * table["travel_time_min"]).groupby(table["origin_id"]).sum() / 100
    layer["mean_min"] = way.reindex(layer.index)
    return layer


def _centres(found: Huff, facilities: Any, size: pd.Series, weight: pd.Series, likeliest: pd.Series) -> pd.DataFrame:
    """Return what every centre draws, the most first."""
    import pandas as pd

    from kazgeo.analyses.outcome import names_of

    names = names_of(facilities)
    visitors = found.visits(weight).reindex(facilities.index).fillna(0.0)
    total = float(visitors.sum())
    table = pd.DataFrame({
        "facility": facilities.index, "name": [names[i].en for i in facilities.index], "attraction": size.to_numpy(),
        "visitors": visitors.to_numpy(), "share_percent": 100 * visitors.to_numpy() / total if total else float("nan"),
        "first_choice_of": likeliest.value_counts().reindex(facilities.index).fillna(0).astype(int).to_numpy(),
    })  # fmt: skip
    return table.sort_values("visitors", ascending=False, kind="stable", ignore_index=True)


def _findings(layer: pd.DataFrame, centres: pd.DataFrame, names: dict[Any, Names], by_people: bool) -> list[Message]:
    """Say which centres draw most, and how sure choices are."""
    from kazgeo.messages import Message, Num

    known = layer["likeliest_percent"].dropna()
    if not len(known):
        return [Message("No settlement reaches a centre.")]
    listed = tuple(
        Message("{name} {value}", {"name": names[row["facility"]], "value": Num(float(row["share_percent"]), 1, "%")})
        for row in centres.head(5).to_dict("records")
    )
    template = "Most people are drawn by {places}." if by_people else "Most settlements are drawn by {places}."
    return [
        Message(template, {"places": listed}),
        Message(
            "The likeliest centre is chosen with {median} in the median; below 50 % in {n} of {total} settlements.",
            {"median": Num(float(known.median()), 0, "%"), "n": int((known < 50).sum()), "total": len(known)},
        ),
    ]


def _style() -> Style:
    from kazgeo.style import graduated

    limits = [0, 30, 50, 70, 90, 100.0001]
    colors = ["#f1eef6", "#bdc9e1", "#74a9cf", "#2b8cbe", "#045a8d"]
    return graduated("likeliest_percent", "probability of the likeliest centre", limits, colors, unit="%")
