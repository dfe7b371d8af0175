"""What a season, a flood or slower roads change: travel times under a scenario against those without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Unpack

from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Lines, Number, Output, Regions, Settlements
from kazgeo.analyses.options import ToDestinations
from kazgeo.analyses.roads import ACCESS_FIELDS
from kazgeo.choices import Season
from kazgeo.progress import Progress, silent

if TYPE_CHECKING:
    import pandas as pd

    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message, Names
    from kazgeo.network import Scenario


@analysis(
    "Accessibility",
    Output(
        "layer",
        "vector",
        "Change of travel time",
        ("travel_time_min", "scenario_time_min", "change_min", "change_percent", "cut_off", *ACCESS_FIELDS),
        like="settlements",
    ),
    Output("by_region", "table", "Change by region"),
    Output("median_change_min", "number", "Median change, minutes"),
    Output("people_newly_beyond", "number", "People newly farther than the standard"),
    Output("cut_off", "number", "Settlements cut off"),
    tags=("winter", "season", "flood", "scenario", "ice road", "spring thaw", "mountain pass"),
)
def season_effect(
    settlements: Settlements,
    roads: Lines,
    *,
    season: Season = Season.WINTER,
    factors: str = "",
    closed: Regions | None = None,
    road_class: Annotated[str, Field("roads", numeric=False)] | None = None,
    surface_field: Annotated[str, Field("roads", numeric=False)] | None = None,
    seasonal: Annotated[str, Field("roads", numeric=False)] | None = None,
    region: Annotated[str, Field("settlements", numeric=False)] | None = None,
    standard_min: Annotated[float, Number(1, 10_000, "min")] = 60.0,
    progress: Progress = silent,
    **given: Unpack[ToDestinations],
) -> Outcome:
    """Travel time to the nearest destination under a scenario of the roads, against that without.

    The roads stay the same; only their speeds change, or whether they are open. The ready seasons are starting points:
    each tells where its figures come from, and most are assumptions. Own factors by class of road replace those of the
    season. Roads that touch a closed area are closed.

    Parameters
    ----------
    settlements : points
        Settlements with a unique id.
    roads : lines
        Roads that meet at their ends.
    season : Season
        Ready scenario; none: only the factors and closed areas that are given.
    factors : str
        Numbers by which speeds are multiplied, by class of road: "local=0.5, republican=0.8". They replace the
        season's.
    closed : polygons
        Areas under water, snow or repair; roads that touch them are closed.
    road_class : str
        Column of the class of road; without it road_class or class, if there is one.
    surface_field : str
        Column of the surface; without it surface, if there is one.
    seasonal : str
        Column of the months in which a road is open; without it seasonal, if there is one.
    region : str
        Column of the settlements' region, for the table by region.
    standard_min : float
        Travel time that counts as near enough.
    """
    import numpy as np
    import pandas as pd

    from kazgeo.accessibility import nearest
    from kazgeo.analyses.destinations import destinations
    from kazgeo.analyses.outcome import Outcome, names_of, told
    from kazgeo.analyses.roads import access_columns, left_out, network_of, on_network
    from kazgeo.network import apply
    from kazgeo.style import TooltipField

    settlements, people, chosen = destinations(settlements, "season_effect", given)
    roads, kind = _named(roads, road_class, surface_field, seasonal)
    scenario = _scenario(season, factors, closed, roads, kind)
    progress(0.1, "road network")
    keep = ("seasonal",) if "seasonal" in roads.columns else ()
    net = network_of(roads, given, keep=keep, road_class=kind or "class")
    progress(0.4, "settlements to roads")
    tied = on_network(net, settlements, given)
    progress(0.6, "quickest routes")
    before = nearest(tied, chosen)
    progress(0.8, "quickest routes of the scenario")
    after = nearest(tied.on(apply(net, scenario)), chosen)
    layer = settlements.copy()
    layer["travel_time_min"], layer["scenario_time_min"] = before.time_s / 60, after.time_s / 60
    layer["change_min"] = layer["scenario_time_min"] - layer["travel_time_min"]
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = 100 * layer["change_min"] / layer["travel_time_min"].where(layer["travel_time_min"] > 0)
    layer["change_percent"] = relative
    lost = before.time_s.notna() & after.time_s.isna()
    layer["cut_off"] = np.select(
        [lost, before.time_s.isna() & after.time_s.notna()], ["cut off", "newly reached"], "no"
    )
    access_columns(layer, tied)
    newly = (layer["travel_time_min"] <= standard_min) & ~(layer["scenario_time_min"] <= standard_min)
    dropped = left_out(pd.concat([before.dropped, after.dropped]).drop_duplicates("unit"), tied.network)
    return Outcome(
        (*_findings(layer, names_of(settlements), people, newly, standard_min), _told(scenario), *told(dropped)),
        layer=layer,
        tables={} if region is None else {"by_region": _by_region(layer, region, people, newly)},
        numbers={
            "median_change_min": float(layer["change_min"].median()),
            "people_newly_beyond": float(people[newly].sum()) if people is not None else float("nan"),
            "cut_off": int(lost.sum()),
        },
        style=_style(layer["change_min"]),
        fields=(
            TooltipField("travel_time_min", "travel time without the scenario", "min"),
            TooltipField("scenario_time_min", "travel time under the scenario", "min"),
            TooltipField("change_percent", "change", "%", 1),
        ),
        dropped=dropped,
        size_column=given["population"],
    )


def _named(roads: Any, road_class: str | None, surface: str | None, seasonal: str | None) -> tuple[Any, str | None]:
    """Return the roads with the columns that scenarios go by under their names, and the column of classes."""
    from kazgeo.analyses.roads import named_class

    kind = named_class(roads, road_class)
    for name, column in (("surface", surface), ("seasonal", seasonal)):
        if column is not None and column != name:
            roads = roads.assign(**{name: roads[column]})
    return roads, kind


def _scenario(season: Season, factors: str, closed: Any, roads: Any, kind: str | None) -> Scenario:
    """Return the scenario that was asked for; refuse one without an effect on these roads."""
    from kazgeo.analyses.roads import numbers_by_class
    from kazgeo.errors import InputError, listing
    from kazgeo.network import SEASONS, Change, Scenario

    made = Scenario("none", (), "") if season == Season.NONE else SEASONS[str(season)]
    if factors:
        told = numbers_by_class(factors, roads, kind, "season_effect: factors")
        changes = [Change(classes=(name,), speed_factor=value) for name, value in told.items()]
        states = tuple(c for c in made.changes if c.state is not None)
        made = Scenario(made.name, (*states, *changes), "factors of the user")
    if closed is not None:
        made = Scenario(made.name, (*made.changes, Change(area=_area(closed), state="closed")), made.source)
    if not made.changes:
        raise InputError("season_effect: nothing would change; choose a season, or give factors or closed areas")
    wanted = {v for c in made.changes for v in c.classes}
    if kind is not None and wanted and not factors and closed is None and not wanted & set(roads[kind].astype(str)):
        raise InputError(
            f"season_effect: the season '{season}' knows no class of column '{kind}' "
            f"({listing(sorted(roads[kind].astype(str).unique()), 6)}); give factors by class"
        )
    return made


def _area(closed: Any) -> str:
    """Return all closed areas as one, in degrees."""
    from kazgeo.crs import has_place
    from kazgeo.errors import InputError

    if closed.crs is None:
        raise InputError("season_effect: closed areas declare no CRS; set it")
    shapes = closed.geometry.to_crs(4326)
    shapes = shapes[has_place(shapes.to_numpy())].buffer(0)
    shape = shapes.union_all() if len(shapes) else None
    if shape is None or shape.is_empty or shape.geom_type not in ("Polygon", "MultiPolygon"):
        raise InputError("season_effect: closed holds no polygon; leave it out or draw the areas that are closed")
    return str(shape.wkt)


def _by_region(layer: pd.DataFrame, region: str, people: pd.Series | None, newly: pd.Series) -> pd.DataFrame:
    """Return median times, the change, settlements cut off and people newly beyond the standard by region."""
    import pandas as pd

    groups = layer.groupby(region)
    table = pd.DataFrame({
        "settlements": groups.size(),
        "median_min": groups["travel_time_min"].median(),
        "scenario_median_min": groups["scenario_time_min"].median(),
        "median_change_min": groups["change_min"].median(),
        "cut_off": groups["cut_off"].apply(lambda v: int((v == "cut off").sum())),
    })  # fmt: skip
    if people is not None:
        table["people_newly_beyond"] = people.where(newly, 0.0).groupby(layer[region]).sum()
    return table.sort_values("median_change_min", ascending=False)


def _findings(
    layer: pd.DataFrame, names: dict[Any, Names], people: pd.Series | None, newly: pd.Series, standard: float
) -> list[Message]:
    """Return how much longer the ways are, and who is newly beyond the standard or cut off."""
    from kazgeo.analyses.outcome import top
    from kazgeo.messages import Message, Num

    out = [
        Message(
            "Median change of the travel time: {change} (from {before} to {after}).",
            {"change": Num(float(layer["change_min"].median()), 0, "min"),
             "before": Num(float(layer["travel_time_min"].median()), 0, "min"),
             "after": Num(float(layer["scenario_time_min"].median()), 0, "min")},
        )
    ]  # fmt: skip
    values: dict[str, Any] = {"n": int(newly.sum()), "standard": Num(standard, 0, "min")}
    if people is None:
        out.append(Message("Settlements newly farther than {standard}: {n}.", values))
    else:
        values |= {"people": Num(float(people[newly].sum()))}
        out.append(Message("Settlements newly farther than {standard}: {n}; {people} people live there.", values))
    lost = int((layer["cut_off"] == "cut off").sum())
    if lost:
        out.append(Message("Settlements that the scenario cuts off from every destination: {n}.", {"n": lost}))
    listed = tuple(
        Message("{name} {time}", {"name": names[i], "time": Num(t, 0, "min")})
        for i, t in top(layer["change_min"], names).items()
    )
    if listed:
        out.append(Message("Longest delays: {places}.", {"places": listed}))
    return out


def _told(scenario: Scenario) -> Message:
    """Return where the scenario's figures come from."""
    from kazgeo.messages import Message

    if "assumption" in scenario.source:
        return Message("The figures of the scenario rest on assumptions; give your own where you know better.")
    if not scenario.source:
        return Message("The scenario only closes roads.")
    return Message("Speeds are multiplied by the factors that were given.")


def _style(change: pd.Series) -> Any:
    from kazgeo.style import graduated

    limits = [float("-inf"), 0, 5, 15, 30, 60, 120, float("inf")]
    colors = ["#2c7bb6", "#ffffcc", "#fed976", "#feb24c", "#fd8d3c", "#f03b20", "#bd0026"]
    if not (change < 0).any():
        limits, colors = limits[1:], colors[1:]
    return graduated("change_min", "change of the travel time", limits, colors, unit="min")
