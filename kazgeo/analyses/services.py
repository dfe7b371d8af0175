"""Services over land, as AccessMod asks for them: referral between facilities, who is served, where to build next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Unpack

from kazgeo.analyses.cost import over_land
from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Number, Output, Settlements, Surface
from kazgeo.analyses.options import OverLand
from kazgeo.choices import Travel, Turns
from kazgeo.messages import mark
from kazgeo.progress import Progress, silent

if TYPE_CHECKING:
    import pandas as pd

    from kazgeo.accessibility.cost_distance import CapacityCatchments, Referral, ScalingUp
    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message, Names
    from kazgeo.style import Style


@analysis(
    "Accessibility",
    Output(
        "layer", "vector", "Nearest referral", ("nearest_id", "nearest_min", "nearest_km", "reached"), like="facilities"
    ),
    Output(
        "times", "table", "Referral table",
        ("origin_id", "origin_name", "destination_id", "destination_name", "travel_time_min", "way_km"),
    ),
    Output("pairs", "number", "Pairs with a travel time"),
    Output("absent", "number", "Pairs without a travel time"),
    tags=("referral", "AccessMod", "least-cost path", "cost distance", "ambulance"),
)  # fmt: skip
def referral_table(
    friction: Surface,
    facilities: Settlements,
    *,
    higher: Settlements | None = None,
    limit_min: Annotated[float, Number(0.1, 100_000, "min")] | None = None,
    progress: Progress = silent,
    **given: Unpack[OverLand],
) -> Outcome:
    """Time and length of the quickest way over land from every facility to every other, or to those of a higher level.

    Times and lengths are those between the centres of the cells that hold the facilities; the length is that of the
    quickest way, not of the shortest. With elevation the way there differs from the way back. Facilities outside the
    surface or on a barrier take no part and are told.

    Parameters
    ----------
    friction : raster
        Friction above 0; no data where nobody can pass.
    facilities : points
        Facilities that refer, with a unique id.
    higher : points
        Facilities that are referred to, with a unique id; without them the facilities themselves.
    limit_min : float
        Longest travel time; farther ones are left out.
    """
    import pandas as pd

    from kazgeo.accessibility.cost_distance import referral
    from kazgeo.analyses.outcome import Outcome, names_of, told
    from kazgeo.analyses.reach import refuse_rows
    from kazgeo.analyses.roads import minutes_style
    from kazgeo.style import TooltipField
    from kazgeo.ties import in_minutes

    others = facilities if higher is None else higher
    refuse_rows("referral_table", len(facilities) * len(others))
    surface, way = over_land(friction, given)
    found = referral(
        surface, facilities, higher, travel=way, max_time_s=60 * limit_min if limit_min is not None else None,
        progress=progress,
    )  # fmt: skip
    ends = {"origin": names_of(facilities), "destination": names_of(others)}
    known = found.table.dropna(subset=["time_s"])
    table = pd.DataFrame({
        "origin_id": known["origin"], "origin_name": known["origin"].map(lambda i: ends["origin"][i].en),
        "destination_id": known["destination"],
        "destination_name": known["destination"].map(lambda i: ends["destination"][i].en),
        "travel_time_min": in_minutes(known["time_s"]), "way_km": known["length_m"] / 1000,
    }).reset_index(drop=True)  # fmt: skip
    near = found.nearest().set_index("origin").reindex(facilities.index)
    layer = facilities.assign(
        nearest_id=near["destination"].astype(object).where(near["destination"].notna(), None),
        nearest_min=in_minutes(near["time_s"]), nearest_km=near["length_m"] / 1000,
        reached=known.groupby("origin").size().reindex(facilities.index).fillna(0).astype(int),
    )  # fmt: skip
    dropped = found.dropped[["unit", "reason"]]
    if higher is None:  # origins are destinations: told once
        dropped = dropped.drop_duplicates().reset_index(drop=True)
    return Outcome(
        (*_referred(table, found, ends), *told(dropped)),
        layer=layer,
        tables={"times": table},
        numbers={"pairs": len(table), "absent": found.n_unreachable},
        style=minutes_style("nearest_min", "travel time to the nearest other facility", mark("no other is reached")),
        fields=(TooltipField("nearest_km", "length of that way", "km", 1), TooltipField("reached", "places reached")),
        dropped=dropped,
    )


def _referred(table: pd.DataFrame, found: Referral, names: dict[str, dict[Any, Names]]) -> list[Message]:
    """Say how many pairs have a way, and which facility has the longest to its nearest other."""
    from kazgeo.messages import Message, Num

    out = [Message("Referral ways: {n} of {total} pairs.", {"n": len(table), "total": len(found.table)})]
    near = found.nearest()
    if len(near):
        row = near.loc[near["time_s"].idxmax()]
        out.append(
            Message(
                "Longest way to the nearest other facility: {origin} – {destination}, {time} and {way}.",
                {"origin": names["origin"][row["origin"]], "destination": names["destination"][row["destination"]],
                 "time": Num(row["time_s"] / 60, 0, "min"), "way": Num(row["length_m"] / 1000, 1, "km")},
            )
        )  # fmt: skip
    return out


@analysis(
    "Accessibility",
    Output(
        "layer", "vector", "Facilities and whom they serve",
        ("turn", "people_in_reach", "people_served", "spare_capacity", "full_min", "mean_min"), like="facilities",
    ),
    Output("left", "raster", "People left without service"),
    Output("served_percent", "number", "Share of people served, percent"),
    Output("people_left", "number", "People left"),
    tags=("AccessMod", "geographic coverage", "capacity", "catchment", "scaling up"),
)  # fmt: skip
def capacity_catchments(
    friction: Surface,
    facilities: Settlements,
    population_grid: Surface,
    capacity: Annotated[str, Field("facilities")],
    limit_min: Annotated[float, Number(0.1, 100_000, "min")],
    *,
    turns: Turns = Turns.CAPACITY,
    turn_field: Annotated[str, Field("facilities")] | None = None,
    ring_min: Annotated[float, Number(0, 1000, "min")] = 1.0,
    travel: Travel = Travel.TO,
    progress: Progress = silent,
    **given: Unpack[OverLand],
) -> Outcome:
    """Whom every facility serves within a time and up to its capacity, one facility after the other (AccessMod).

    Whose turn comes first takes all it can, the nearest people first; who is served is out of reach for those that
    follow. So results depend on the order of turns: it is a rule of allotment and no forecast of where people go. Who
    is left lives too far from every facility, or where all are full.

    Parameters
    ----------
    friction : raster
        Friction above 0; no data where nobody can pass.
    facilities : points
        Facilities with a unique id.
    population_grid : raster
        People per cell, on the cells of the friction.
    capacity : str
        Column of how many people a facility can serve; those without one take no part and are told.
    limit_min : float
        Longest travel time.
    turns : Turns
        Whose turn comes first: the largest capacity; most people within the time; the shortest time until full; or the
        greatest number in a column.
    turn_field : str
        Column of numbers for turns by a column.
    ring_min : float
        People are served ring by ring of so many minutes, those of one ring alike; 0 is cell by cell.
    travel : Travel
        Travel to the facility (to), or from it (from); with elevation it makes a difference.
    """
    from kazgeo.accessibility.cost_distance import Processing
    from kazgeo.accessibility.cost_distance import capacity_catchments as serve
    from kazgeo.analyses.columns import numeric
    from kazgeo.analyses.outcome import Outcome, names_of, told
    from kazgeo.errors import InputError
    from kazgeo.style import Raster, TooltipField
    from kazgeo.ties import in_minutes

    if (str(turns) == Turns.COLUMN) != (turn_field is not None):
        raise InputError("capacity_catchments: turn_field must be given for turns by a column, and only for them")
    facilities = facilities.assign(**{c: numeric(facilities, c) for c in (capacity, turn_field) if c is not None})
    surface, way = over_land(friction, given, travel)
    found = serve(
        surface, facilities, population_grid, max_time_s=60 * limit_min, capacity=capacity,
        processing=Processing(Turns(str(turns)), turn_field, ring_s=60 * ring_min),
        travel=way, progress=progress,
    )  # fmt: skip
    by = found.table.reindex(facilities.index)
    layer = facilities.assign(
        turn=by["rank"], people_in_reach=by["reached"], people_served=by["served"], spare_capacity=by["spare"],
        full_min=in_minutes(by["full_s"]), mean_min=by["mean_time_s"] / 60,
    )  # fmt: skip
    whole = found.served + found.left
    return Outcome(
        (*_served(found, names_of(facilities)), *told(found.dropped)),
        layer=layer,
        numbers={
            "served_percent": 100 * found.served / whole if whole else float("nan"), "people_left": found.left,
        },
        style=_load_style(found),
        fields=(
            TooltipField("spare_capacity", "capacity left"),
            TooltipField("mean_min", "mean travel time of those served", "min"),
        ),
        rasters={"left": Raster(found.residual, "people left without service", "", 0)},
        dropped=found.dropped,
    )  # fmt: skip


def _load_style(found: CapacityCatchments) -> Any:
    from kazgeo.analyses.reach import amount_style
    from kazgeo.messages import mark

    return amount_style("people_served", mark("people served"), found.table["served"])


def _served(found: CapacityCatchments, names: dict[Any, Names]) -> list[Message]:
    """Say how many people are served, why others aren't, and which facilities are full."""
    from kazgeo.analyses.outcome import share
    from kazgeo.messages import Message, Num

    whole = found.served + found.left
    out = [
        Message(
            "People served: {served} of {total} ({share}); left without: {left}.",
            {"served": Num(found.served), "total": Num(whole), "share": share(found.served, whole),
             "left": Num(found.left)},
        )
    ]  # fmt: skip
    table = found.table
    full = table[(table["spare"] <= 1e-9 * table["capacity"]) & (table["reached"] > table["served"])]
    if len(full):
        short = (full["reached"] - full["served"]).sort_values(ascending=False, kind="stable").head(5)
        listed = tuple(Message("{name} {value}", {"name": names[i], "value": Num(v)}) for i, v in short.items())
        out.append(
            Message("Facilities that are full: {n}; most people in reach and not served: {places}.",
                    {"n": len(full), "places": listed})
        )  # fmt: skip
    if found.on_barrier > 0:
        out.append(Message("People on ground that nobody can pass: {n}.", {"n": Num(found.on_barrier)}))
    return out


@analysis(
    "Accessibility",
    Output("new", "raster", "People newly covered by a facility in each cell"),
    Output("layer", "vector", "Best places for a facility", ("rank", "place", "newly_covered", "of_uncovered_percent"),
           geometry="point"),
    Output("covered_percent", "number", "Share of people covered now, percent"),
    Output("uncovered", "number", "People not covered now"),
    Output("best", "number", "People newly covered by the best place"),
    tags=("AccessMod", "scaling up", "location", "new facility", "coverage"),
)  # fmt: skip
def scaling_up(
    friction: Surface,
    population_grid: Surface,
    limit_min: Annotated[float, Number(0.1, 100_000, "min")],
    *,
    facilities: Settlements | None = None,
    candidates: Surface | None = None,
    best_places: Annotated[int, Number(1, 10_000)] = 10,
    travel: Travel = Travel.TO,
    progress: Progress = silent,
    **given: Unpack[OverLand],
) -> Outcome:
    """How many people a facility in each cell would newly bring within a time, and which cells are best.

    A facility serves all within the time, without a limit of capacity, and one is built, not several: neighbouring
    cells cover largely the same people, so the best places are told each by itself and are no plan for several.

    Parameters
    ----------
    friction : raster
        Friction above 0; no data where nobody can pass.
    population_grid : raster
        People per cell, on the cells of the friction.
    limit_min : float
        Travel time within which people are covered.
    facilities : points
        Facilities that are there already, with a unique id.
    candidates : raster
        Above or below 0 where one may build, 0 or no data where not; without it anywhere that can be passed.
    best_places : int
        How many of the best cells are told.
    travel : Travel
        Travel to the facility (to), or from it (from); with elevation it makes a difference.
    """
    import geopandas
    import numpy as np

    from kazgeo.accessibility.cost_distance import scaling_up as search
    from kazgeo.analyses.outcome import Outcome, told
    from kazgeo.style import Raster, TooltipField

    surface, way = over_land(friction, given, travel)
    found = search(
        surface, population_grid, max_time_s=60 * limit_min, existing=facilities, candidates=candidates, travel=way,
        progress=progress,
    )  # fmt: skip
    best = found.best(best_places)
    best = best[best["newly_covered"] > 0]  # a place that covers nobody new is no good one
    rank = np.arange(1, len(best) + 1)
    layer = geopandas.GeoDataFrame(
        {
            "rank": rank, "place": np.where(rank == 1, "best", "next"), "newly_covered": best["newly_covered"],
            "of_uncovered_percent": 100 * best["newly_covered"] / found.uncovered if found.uncovered else 0.0,
        },
        geometry=geopandas.points_from_xy(best["x"], best["y"]), crs=found.newly_covered.rio.crs,
    )  # fmt: skip
    whole = found.covered + found.uncovered
    return Outcome(
        (*_best(found, layer), *told(found.dropped)),
        layer=layer,
        numbers={
            "covered_percent": 100 * found.covered / whole if whole else float("nan"), "uncovered": found.uncovered,
            "best": float(best["newly_covered"].max()) if len(best) else 0.0,
        },
        style=_place_style(),
        fields=(
            TooltipField("newly_covered", "people newly covered"),
            TooltipField("of_uncovered_percent", "of those not covered", "%", 1),
        ),
        rasters={"new": Raster(found.newly_covered, "people newly covered", "", 0)},
        dropped=found.dropped,
    )  # fmt: skip


def _place_style() -> Style:
    from kazgeo.style import categorical

    classes = [("best", "best place", "#d7301f"), ("next", "next best places", "#fdbb84")]
    return categorical("place", "places for a facility", classes)


def _best(found: ScalingUp, layer: pd.DataFrame) -> list[Message]:
    """Say how many people are covered now, and how many more by the best place."""
    from kazgeo.analyses.outcome import minutes_told, share
    from kazgeo.messages import Message, Num

    whole = found.covered + found.uncovered
    values = {
        "limit": minutes_told(found.max_time_s / 60), "share": share(found.covered, whole),
        "n": Num(found.uncovered),
    }  # fmt: skip
    out = [Message("Covered within {limit}: {share} of the people; not covered: {n}.", values)]
    if found.uncovered > 0 and len(layer):
        most = float(layer["newly_covered"].iloc[0])
        out.append(
            Message("The best place would newly cover {n} people, {share} of those not covered.",
                    {"n": Num(most), "share": share(most, found.uncovered)})
        )  # fmt: skip
    if found.unreachable > 0:
        out.append(Message("People on ground that nobody can pass: {n}.", {"n": Num(found.unreachable)}))
    return out
