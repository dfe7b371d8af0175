"""Supply per head where people compete for facilities and facilities for people: floating catchments."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Unpack

from kazgeo.analyses.decays import CatchmentDecay, Zones, decay_within
from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Lines, Number, Output, Settlements
from kazgeo.analyses.options import OnRoads
from kazgeo.analyses.roads import ACCESS_FIELDS
from kazgeo.choices import Travel
from kazgeo.messages import mark
from kazgeo.progress import Progress, part, silent

if TYPE_CHECKING:
    import pandas as pd

    from kazgeo.accessibility import TravelTimes
    from kazgeo.accessibility.decay import Decay
    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message, Names
    from kazgeo.style import Style


class Competition(StrEnum):
    """Which measure: the floating catchments, spatial availability, and the rational agent model."""

    TWO_STEP = "2sfca"
    THREE_STEP = "3sfca"
    MODIFIED = "m2sfca"
    BALANCED = "bfca"
    SPATIAL_AVAILABILITY = "spatial_availability"
    RATIONAL_AGENTS = "raam"


#: Why a settlement has no figure per head under another power of demand than 1.
NOBODY_REASON = mark("nobody is known to live there")
#: Tau of the rational agent model when it is left out, minutes.
TAU_MIN = 60.0


@dataclass(frozen=True, eq=False)
class _Supply:
    """Access of settlements and what it makes of facilities, whichever the method.

    Parameters
    ----------
    columns : DataFrame
        Columns of the layer on the settlements, the drawn one first.
    demand : Series
        People that every facility serves.
    said : tuple of Message
        What must be known to read the result: inflation, or how near the equilibrium is.
    """

    columns: pd.DataFrame
    demand: pd.Series
    said: tuple[Message, ...]


@analysis(
    "Accessibility",
    Output(
        "layer", "vector", "Supply per head", ("access_rank", *ACCESS_FIELDS), like="settlements",
        sometimes=("access_per_1000", "available", "cost_min", "mean_way_min"),
    ),
    Output(
        "load", "table", "Load of facilities", ("facility", "name", "capacity", "demand_people", "people_per_capacity")
    ),
    Output("by_region", "table", "Supply per head by region"),
    Output("mean_access", "number", "Mean access (capacity per 1,000 people; minutes with raam)"),
    Output("people_without", "number", "People without a facility within the limit"),
    Output("unreached", "number", "Settlements without a result"),
    tags=("2SFCA", "E2SFCA", "3SFCA", "BFCA", "RAAM", "spatial availability", "beds per head", "competition"),
)  # fmt: skip
def floating_catchment(
    settlements: Settlements,
    facilities: Settlements,
    roads: Lines,
    population: Annotated[str, Field("settlements")],
    capacity: Annotated[str, Field("facilities")],
    *,
    method: Competition = Competition.TWO_STEP,
    limit_min: Annotated[float, Number(1, 10_000, "min")] = 60.0,
    decay: CatchmentDecay = CatchmentDecay.NONE,
    half_min: Annotated[float, Number(0.1, 10_000, "min")] | None = None,
    zones_min: str = "",
    zone_weights: str = "",
    tau_min: Annotated[float, Number(0.1, 10_000, "min")] | None = None,
    demand_power: Annotated[float, Number(0.01, 10)] | None = None,
    travel: Travel = Travel.TO,
    region: Annotated[str, Field("settlements", numeric=False)] | None = None,
    progress: Progress = silent,
    **on_roads: Unpack[OnRoads],
) -> Outcome:
    """Capacity (beds, doctors, places) per 1,000 people where settlements share facilities and choose among them.

    2sfca divides the capacity of each facility by the people within the limit, and adds up the shares that a settlement
    reaches; with a decay it is E2SFCA. 3sfca lets people choose by travel time first, m2sfca also lowers what the far
    get, bfca balances both so that nobody is counted twice. spatial_availability gives the same per head as E2SFCA, and
    the capacity that is left to each settlement. raam lets people weigh way against crowd until nobody gains by
    moving; it gives a cost in minutes, of which less is better. Settlements with no facility within the limit have 0.
    Those of unknown population get access but count as no demand.

    Parameters
    ----------
    settlements : points
        Settlements with a unique id.
    facilities : points
        Facilities with a unique id.
    roads : lines
        Roads that meet at their ends.
    population : str
        Column of inhabitants; missing means unknown.
    capacity : str
        Column of capacity; a facility whose capacity is missing or 0 serves nobody and is told.
    method : Competition
        2sfca (E2SFCA with a decay), 3sfca, m2sfca, bfca, spatial_availability, or raam.
    limit_min : float
        Travel time beyond which a facility isn't used.
    decay : CatchmentDecay
        How weight falls within the limit. none: all alike. steps: 1, 0.68 and 0.22 in the thirds of the limit.
        truncated_gaussian: a bell that is 0 at the limit. The others weigh a half at half_min: exponential, power (the
        inverse square), gaussian, logistic (an S), linear. raam has none.
    half_min : float
        Travel time of weight a half, for decays from exponential to linear; half of the limit when left out.
    zones_min : str
        For decay steps: upper ends of the travel zones, increasing, comma-separated, the last in place of the limit;
        thirds of the limit when empty.
    zone_weights : str
        For decay steps: weight of each zone, falling, comma-separated; 1, 0.68, 0.22 when empty.
    tau_min : float
        For raam: minutes of travel that are as bad as the mean crowd of all facilities; 60 when left out.
    demand_power : float
        For spatial_availability: power of inhabitants when a facility is divided; below 1 favours small settlements,
        above 1 large ones; 1 when left out, which gives the same per head as E2SFCA. With any other, settlements
        without known inhabitants have no figure per head.
    travel : Travel
        Travel to the facilities (to), or from them (from), as an ambulance does; one-way roads make a difference.
    region : str
        Column of the settlements' region, for the table by region.
    """
    import pandas as pd

    from kazgeo.analyses import reach
    from kazgeo.analyses.columns import numeric
    from kazgeo.analyses.outcome import Outcome, names_of, told
    from kazgeo.analyses.roads import access_columns, tie_both
    from kazgeo.style import TooltipField
    from kazgeo.ties import in_minutes

    how = Competition(str(method))
    _refuse_idle(how, decay, half_min, {"tau_min": tau_min, "demand_power": demand_power})
    falls = decay_within(decay, limit_min, half_min, _zones(zones_min, zone_weights))
    limit_min = min(limit_min, in_minutes(falls.reach_s))  # zones may end before the limit
    reach.refuse_empty("floating_catchment", facilities)
    people = numeric(settlements, population)
    reach.refuse_nobody("floating_catchment", people, population)
    size = reach.sizes("floating_catchment", facilities, capacity)
    tied, there = tie_both(settlements, facilities, roads, on_roads, part(progress, 0, 0.4))
    times = reach.times_between(tied, there, travel, limit_min, part(progress, 0.4, 0.8))
    progress(0.8, "catchments")
    if how is Competition.RATIONAL_AGENTS:
        found = _agents(times, people, size, TAU_MIN if tau_min is None else tau_min, part(progress, 0.8, 1.0))
    else:
        divided = how is Competition.SPATIAL_AVAILABILITY
        found = (
            _available(times, people, size, falls, 1.0 if demand_power is None else demand_power)
            if divided
            else _catchment(times, people, size, how, falls)
        )
    layer = settlements.copy()
    placed = tied.tied | pd.Series(times.reached > 0, index=times.origins)  # off the roads, but at a facility's spot
    for column in found.columns:
        layer[column] = found.columns[column].where(placed)
    value = layer[str(found.columns.columns[0])]
    layer["access_rank"] = value.rank(method="min", ascending=how is Competition.RATIONAL_AGENTS)
    access_columns(layer, tied)
    has = _has_one(times, size)
    arrived = pd.Series(times.transposed.reached > 0, index=times.destinations)
    nobody = tied.why_not(value.notna() | (has & ~(people > 0)), reach.NONE_NEAR_REASON)
    lost = [nobody, _without_people(value, has, people), reach.facilities_left_out(there, arrived, size)]
    dropped = pd.concat(lost, ignore_index=True)
    load = _load(facilities, size, found.demand, arrived)
    tables = {"load": load}
    if region is not None:
        tables["by_region"] = _by_region(value, has, people, layer[region])
    numbers = {
        "mean_access": reach.weighted_mean(value, people),
        "people_without": float(people[~has].sum()),
        "unreached": int(value.isna().sum()),
    }
    name = _name(how, decay)
    findings = _findings(value, (has, people, limit_min), (names_of(settlements), name, numbers["mean_access"]))
    return Outcome(
        (
            *findings,
            *found.said,
            *_fullest(load, names_of(facilities)),
            *reach.unheard(people, len(layer)),
            *told(dropped),
        ),
        layer=layer,
        tables=tables,
        numbers=numbers,
        style=_style_of(value),
        fields=(
            TooltipField("access_rank", "rank (1 = best access)"),
            TooltipField("road_distance_km", "distance to the road", "km", 1),
        ),
        dropped=dropped,
        size_column=population,
    )


def _without_people(value: pd.Series, has: pd.Series, people: pd.Series) -> pd.DataFrame:
    """Return the settlements that have a facility but no figure per head, for nobody is known to live there."""
    import pandas as pd

    lost = value.index[value.isna() & has & ~(people > 0)]
    return pd.DataFrame({"unit": lost.astype(object), "reason": NOBODY_REASON}, dtype=object)


#: Methods that an option is for.
_FOR = {"tau_min": Competition.RATIONAL_AGENTS, "demand_power": Competition.SPATIAL_AVAILABILITY}


def _refuse_idle(
    how: Competition, decay: CatchmentDecay, half_min: float | None, special: dict[str, float | None]
) -> None:
    """Refuse options that would have no effect."""
    from kazgeo.errors import InputError

    agents = how is Competition.RATIONAL_AGENTS
    if agents and str(decay) != "none":
        raise InputError(f"method 'raam' has no decay, for people weigh the way itself; leave decay '{decay}' out")
    if agents and half_min is not None:
        raise InputError("half_min has no effect with method 'raam'; leave it out, or set tau_min")
    for name, value in special.items():
        if value is not None and how is not _FOR[name]:
            raise InputError(f"{name} has no effect with method '{how}', only with '{_FOR[name]}'; leave it out")


def _zones(ends: str, weights: str) -> Zones:
    """Return the travel zones that are asked for."""
    from kazgeo.analyses.roads import minutes
    from kazgeo.analyses.texts import numbers

    found = minutes(ends, "zones_min") if ends.strip() else []
    return Zones(tuple(found), tuple(numbers(weights, "floating_catchment: zone_weights") or ()))


def _catchment(times: TravelTimes, people: pd.Series, size: pd.Series, how: Competition, decay: Decay) -> _Supply:
    """Return access by a floating catchment."""
    import pandas as pd

    from kazgeo.accessibility import floating_catchment as floating
    from kazgeo.messages import Message, Num

    found = floating(times, people, size, decay=decay, method=str(how))
    columns = pd.DataFrame({"access_per_1000": 1000 * found.access})
    template = (
        "Inflation (1: none): people counted at facilities against people who reach one {demand}, sum of access against"
        " sum of the facilities' ratios {service}, capacity given out against capacity in reach {supply}."
    )
    values = {"demand": Num(found.demand_inflation, 2), "service": Num(found.service_inflation, 2)}
    return _Supply(columns, found.demand, (Message(template, values | {"supply": Num(found.inflation, 2)}),))


def _available(times: TravelTimes, people: pd.Series, size: pd.Series, decay: Decay, power: float) -> _Supply:
    """Return spatial availability; of power 1 it is the access of E2SFCA, also where nobody's number is known."""
    import pandas as pd

    from kazgeo.accessibility import floating_catchment as floating
    from kazgeo.accessibility import spatial_availability
    from kazgeo.messages import Message, Num

    shared = floating(times, people, size, decay=decay, method="2sfca")
    left = spatial_availability(times, people, size, decay=decay, alpha=power)
    per_head = shared.access if power == 1 else left.per_head
    columns = pd.DataFrame({"access_per_1000": 1000 * per_head, "available": left.available})
    template = "Capacity left to all settlements against capacity in reach: {supply} (1: all of it, once)."
    return _Supply(columns, shared.demand, (Message(template, {"supply": Num(left.inflation, 2)}),))


def _agents(times: TravelTimes, people: pd.Series, size: pd.Series, tau_min: float, progress: Progress) -> _Supply:
    """Return the cost of access in equilibrium, in minutes."""
    import pandas as pd

    from kazgeo.accessibility import rational_agents
    from kazgeo.messages import Message, Num

    found = rational_agents(times, people, size, tau_s=60 * tau_min, progress=progress)
    columns = pd.DataFrame({"cost_min": tau_min * found.cost, "mean_way_min": found.travel_s / 60})
    values = {"tau": Num(tau_min, 0, "min"), "gap": Num(100 * found.gap, 4, "%"), "sweeps": found.sweeps}
    said = [Message("Mean crowd counts as {tau} of travel; by moving people could still save {gap}.", values)]
    if not found.converged:
        said.append(Message("Not in equilibrium after {sweeps} rounds: read the result as a draft.", values))
    return _Supply(columns, found.demand, tuple(said))


def _has_one(times: TravelTimes, size: pd.Series) -> pd.Series:
    """Return which settlements have a facility with capacity within the limit."""
    from kazgeo.accessibility import cumulative

    some = (size > 0).astype(float)
    limit = times.limit_s if times.limit_s is not None else float("inf")
    return cumulative(times, some, thresholds_s=limit).reached.iloc[:, 0] > 0


def _load(facilities: Any, size: pd.Series, demand: pd.Series, arrived: pd.Series) -> pd.DataFrame:
    """Return capacity, people and people per unit of capacity of every facility, the fullest first."""
    import pandas as pd

    from kazgeo.analyses.outcome import names_of

    names = names_of(facilities)
    people = demand.reindex(facilities.index)
    table = pd.DataFrame({
        "facility": facilities.index,
        "name": [names[i].en for i in facilities.index],
        "capacity": size.to_numpy(),
        "demand_people": people.to_numpy(),
        "people_per_capacity": (people / size.where(size > 0)).where(arrived.reindex(facilities.index)).to_numpy(),
    })  # fmt: skip
    return table.sort_values("people_per_capacity", ascending=False, kind="stable", ignore_index=True)


def _by_region(value: pd.Series, has: pd.Series, people: pd.Series, region: pd.Series) -> pd.DataFrame:
    """Return mean access by people and the share of people without a facility, by region."""
    import pandas as pd

    from kazgeo.analyses.reach import means_by

    known = people.groupby(region).sum()
    without = people.where(~has, 0.0).groupby(region).sum()
    table = pd.DataFrame({
        "settlements": value.groupby(region).size(),
        "population_known": known,
        "mean_access": means_by(value, people, region),
        "people_without_percent": 100 * without / known.where(known > 0),
    })  # fmt: skip
    return table.rename_axis("region").reset_index()


def _name(how: Competition, decay: CatchmentDecay) -> str:
    """Return the method as the literature calls it.

    Examples
    --------
    >>> _name(Competition.TWO_STEP, CatchmentDecay.STEPS), _name(Competition.BALANCED, CatchmentDecay.NONE)
    ('E2SFCA', 'BFCA')
    """
    if how is Competition.TWO_STEP and str(decay) != "none":
        return "E2SFCA"
    return {Competition.SPATIAL_AVAILABILITY: mark("Spatial availability")}.get(how, str(how).upper())


def _findings(
    value: pd.Series, near: tuple[pd.Series, pd.Series, float], words: tuple[Any, str, float]
) -> list[Message]:
    """Return mean access and who has none, then where it is best and worst."""
    from kazgeo.analyses.outcome import minutes_told, share
    from kazgeo.analyses.reach import figure, places_with
    from kazgeo.messages import Message, Num, Term

    (has, people, limit_min), (names, method, mean) = near, words
    agents = value.name == "cost_min"
    template = (
        "{method}: way and crowd cost people {mean} on average; {n} of {total} settlements with {people} people"
        " ({share}) have no facility within {limit}."
        if agents
        else "{method}: {mean} of capacity per 1,000 people on average; {n} of {total} settlements with {people} people"
        " ({share}) have no facility within {limit}."
    )
    without = float(people[~has].sum())
    figures = {"method": Term(method), "mean": figure(mean, "min" if agents else ""), "n": int((~has).sum())}
    figures |= {"total": len(has), "people": Num(without, 0), "share": share(without, float(people.sum()))}
    out = [Message(template, figures | {"limit": minutes_told(limit_min)})]
    unit = "min" if agents else ""
    best, worst = (
        places_with(value[has], names, unit, least=agents),
        places_with(value[has], names, unit, least=not agents),
    )
    if best:
        out.append(Message("Best access: {places}.", {"places": best}))
        out.append(Message("Worst access among those with a facility: {places}.", {"places": worst}))
    return out


def _fullest(load: pd.DataFrame, names: dict[Any, Names]) -> tuple[Message, ...]:
    """Say which facilities have most people per unit of capacity."""
    from kazgeo.analyses.reach import figure
    from kazgeo.messages import Message

    known = load.dropna(subset="people_per_capacity").head(5)
    if not len(known):
        return ()
    listed = tuple(
        Message("{name} {value}", {"name": names[row["facility"]], "value": figure(row["people_per_capacity"])})
        for row in known.to_dict("records")
    )
    return (Message("Most people per unit of capacity: {places}.", {"places": listed}),)


def _style_of(value: pd.Series) -> Style:
    """Return classes of access, or of its cost."""
    from kazgeo.analyses.reach import amount_style
    from kazgeo.analyses.roads import NO_WAY, minutes_style

    if value.name == "cost_min":
        return minutes_style("cost_min", mark("cost of way and crowd"), mark("no facility within reach"))
    return amount_style("access_per_1000", mark("capacity per 1,000 people"), value, missing=NO_WAY)
