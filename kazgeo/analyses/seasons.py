"""What a season, a flood or slower roads change: travel times under a scenario against those without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Unpack

from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Lines, Number, Output, Regions, Settlements
from kazgeo.analyses.options import ToDestinations
from kazgeo.analyses.roads import ACCESS_FIELDS, NO_WAY
from kazgeo.choices import Season
from kazgeo.messages import mark
from kazgeo.progress import Progress, silent

if TYPE_CHECKING:
    import pandas as pd

    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message, Names
    from kazgeo.network import Attached, Scenario


#: Limits of the classes of the change.
_DELAYS_MIN = (-1e-9, 5, 15, 30, 60, 120)
#: Classes of the effect: code, label, colour, symbol.
_EFFECTS: list[tuple[str, str, str] | tuple[str, str, str, str]] = [
    ("quicker", mark("quicker"), "#2c7bb6"),
    ("up to 5", mark("longer by less than 5 min, or the same"), "#ffffcc"),
    ("5 to 15", mark("longer by 5 – 15 min"), "#fed976"),
    ("15 to 30", mark("longer by 15 – 30 min"), "#feb24c"),
    ("30 to 60", mark("longer by 30 – 60 min"), "#fd8d3c"),
    ("60 to 120", mark("longer by 1 – 2 h"), "#f03b20"),
    ("over 120", mark("longer by 2 h or more"), "#bd0026"),
    ("cut off", mark("cut off"), "#252525", "xx"),
    ("newly reached", mark("reached only now"), "#1a9641", "//"),
]


@analysis(
    "Accessibility",
    Output(
        "layer",
        "vector",
        "Change of travel time",
        ("travel_time_min", "scenario_time_min", "change_min", "change_percent", "cut_off", "effect", *ACCESS_FIELDS),
        like="settlements",
    ),
    Output("by_region", "table", "Change by region"),
    Output("median_change_min", "number", "Median change, minutes"),
    Output("beyond", "number", "Settlements farther than the standard under the scenario"),
    Output("people_beyond", "number", "People farther than the standard under the scenario"),
    Output("people_newly_beyond", "number", "People newly farther than the standard"),
    Output("cut_off", "number", "Settlements cut off"),
    Output("people_cut_off", "number", "People cut off"),
    Output("mean_change_min", "number", "Mean change by people, minutes"),
    tags=("winter", "season", "flood", "scenario", "ice road", "spring thaw", "mountain pass"),
)
def season_effect(
    settlements: Settlements,
    roads: Lines,
    *,
    season: Season = Season.WINTER,
    factors: str = "",
    surface_factors: str = "",
    closed: Regions | None = None,
    closed_field: Annotated[str, Field("roads", numeric=False)] | None = None,
    closed_values: str = "",
    new_speed: Annotated[str, Field("roads")] | None = None,
    added: Lines | None = None,
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
    each tells where its figures come from, and most are assumptions. Own factors by class or surface of road replace
    those of the season. Roads that touch a closed area are closed, and so are those that are named (a pass, a bridge).
    New roads and new speeds count before the season does: a project can be tried in winter. Who lives at a closed road
    goes over open ground to the next open one, unless the closed area holds the settlement itself; legs off the road
    keep their speed. The mean change is by people, of those who keep a way (importance); who loses the last one is
    told as cut off.

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
    surface_factors : str
        The same by surface: "earth=0.5, gravel=0.8". Where a road has a factor of both, both count.
    closed : polygons
        Areas under water, snow or repair; roads that touch them are closed.
    closed_field : str
        Column of roads by which single roads are closed, such as their name.
    closed_values : str
        Values of that column that are closed, comma-separated.
    new_speed : str
        Column of speeds in km/h under the scenario, as after an upgrade; empty where nothing changes.
    added : lines
        New roads. Ends within 50 m of a road join it; speeds are in the column of speeds, if they have it.
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
    import pandas as pd

    from kazgeo.accessibility import nearest
    from kazgeo.analyses.columns import valued
    from kazgeo.analyses.destinations import destinations
    from kazgeo.analyses.outcome import Outcome, names_of, told
    from kazgeo.analyses.reach import weighted_mean
    from kazgeo.analyses.roads import access_columns, left_out, on_network
    from kazgeo.analyses.scenarios import Asked, idle_season, named, network_with, refuse_idle, scenario_of
    from kazgeo.style import TooltipField
    from kazgeo.ties import in_minutes

    settlements, people, chosen = destinations(settlements, "season_effect", given)
    roads, kind = named(roads, road_class, surface_field, seasonal)
    shut = valued(roads, closed_field, closed_values, "season_effect", ("closed_field", "closed_values"))
    asked = Asked("season_effect", season, factors, surface_factors, closed, shut, new_speed, added)
    progress(0.1, "road network")
    net, new = network_with(roads, asked, given, kind)
    scenario = scenario_of(asked, roads, kind, new)
    refuse_idle(net, scenario, asked)
    progress(0.4, "settlements to roads")
    tied = on_network(net, settlements, given)
    progress(0.6, "quickest routes")
    before = nearest(tied, chosen)
    progress(0.8, "quickest routes of the scenario")
    after_s, without, moved = _after(tied, before.time_s, chosen, scenario, (new, closed), settlements, given)
    layer = settlements.copy()
    layer["travel_time_min"], layer["scenario_time_min"] = in_minutes(before.time_s), in_minutes(after_s)
    lost = _changes(layer)
    access_columns(layer, tied)
    near, still, beyond = _within(layer, standard_min)
    newly = near & ~still
    unreached = before.dropped[~before.dropped["unit"].isin(after_s.index[after_s.notna()])]
    dropped = left_out(pd.concat([unreached, without]).drop_duplicates("unit"), tied.network)
    return Outcome(
        (
            *_findings(layer, names_of(settlements), people, newly, standard_min),
            *_moved(moved),
            *idle_season(net, asked),
            *_told(scenario),
            *told(dropped),
        ),
        layer=layer,
        tables={} if region is None else {"by_region": _by_region(layer, region, people, standard_min)},
        numbers={
            "median_change_min": float(layer["change_min"].median()),
            "beyond": int(beyond.sum()),
            "people_beyond": float(people[beyond].sum()) if people is not None else float("nan"),
            "people_newly_beyond": float(people[newly].sum()) if people is not None else float("nan"),
            "cut_off": int(lost.sum()),
            "people_cut_off": float(people[lost].sum()) if people is not None else float("nan"),
            "mean_change_min": weighted_mean(layer["change_min"], people),
        },
        style=_style(layer["effect"]),
        fields=(
            TooltipField("change_min", "change of the travel time", "min"),
            TooltipField("travel_time_min", "travel time without the scenario", "min"),
            TooltipField("scenario_time_min", "travel time under the scenario", "min"),
            TooltipField("change_percent", "change", "%", 1),
        ),
        dropped=dropped,
        size_column=given["population"],
    )


def _after(
    tied: Attached, before: pd.Series, chosen: pd.Index, scenario: Scenario, asked: tuple[tuple[Any, ...], Any],
    settlements: Any, given: ToDestinations,
) -> tuple[pd.Series, pd.DataFrame, int]:  # fmt: skip
    """Return seconds under the scenario, who has none, and how many go to another road than the closed one they are at.

    ``asked`` holds the new roads and the closed areas. Places stay at the roads there were; where roads are new, one
    may get to them, if it helps.
    """
    import numpy as np
    import pandas as pd

    from kazgeo.analyses.roads import access_of, on_network
    from kazgeo.network import Change, Scenario, apply, attach_again

    new, closed = asked
    changed = apply(tied.network, scenario)
    known = tied.network.roads
    fresh = np.zeros(changed.m, bool) if known is None else known["road_id"].isin(new).to_numpy()
    old = changed.with_times(*(np.where(fresh, np.inf, t) for t in (changed.time_s, changed.backwards_s)))
    free = settlements if closed is None else settlements[~_inside(settlements, closed)]
    again = attach_again(tied, old, free, access_of(given))
    moved = int((again.tied & (again.distance_m > tied.distance_m + 1)).sum())
    time, dropped = _to(again.on(changed), chosen)
    if (again.edge != tied.edge).any():
        time = _harmed(time, before, _to(again.on(tied.network), chosen)[0])
    if new:
        opened = apply(tied.network, Scenario("new roads", (Change(roads=new, state="open"),)))
        for way in (on_network(opened, settlements, given).on(changed),
                    attach_again(tied, changed, free, access_of(given))):  # fmt: skip
            there = way.edge.to_numpy()
            by_new = (there >= 0) & fresh[there]
            other, _ = _to(way, chosen)
            time = time.where(~by_new | ~((other < time) | time.isna()), other)
    lost = again.why_not(time.notna(), NO_WAY)
    lost = pd.concat([dropped[dropped["unit"].isin(lost["unit"])], lost])
    return time, lost.drop_duplicates("unit"), moved


def _to(places: Attached, chosen: pd.Index) -> tuple[pd.Series, pd.DataFrame]:
    """Return seconds to the nearest destination and who has none; no destination need be near an open road."""
    from kazgeo.accessibility import k_nearest, nearest

    if places.take(chosen).tied.any():
        found = nearest(places, chosen)
        return found.time_s, found.dropped
    own = k_nearest(places, chosen, 1)
    return own.times.set_index("origin")["time_s"].reindex(places.ids), own.dropped


def _harmed(time: pd.Series, before: pd.Series, other: pd.Series) -> pd.Series:
    """Return the times under the scenario so that going to another road than a closed one is no gain.

    That road was open before as well (``other``: the times by it then): where it was the quicker way, only what the
    scenario adds to that way counts, on top of the time that is told of before. Who had no way by the road of before
    has none after it is closed.
    """
    import numpy as np
    import pandas as pd

    from kazgeo.ties import rounded

    added = (time - other).where(~np.isclose(time, other, rtol=1e-11, atol=0.0), 0.0)
    gained = (other < before).to_numpy()
    floor = pd.Series(rounded(before + added), time.index).where(added != 0, before)
    return time.where(~gained, floor).where(before.notna() | other.isna())


def _inside(settlements: Any, closed: Any) -> Any:
    """Return which settlements lie within closed areas."""
    import shapely

    areas = closed.geometry.to_crs(settlements.crs)
    return shapely.intersects(settlements.geometry.to_numpy(), areas.union_all())


def _moved(count: int) -> tuple[Message, ...]:
    """Return how many settlements go to another road."""
    from kazgeo.messages import Message

    if not count:
        return ()
    return (Message("Settlements at a closed road that go over open ground to the next open one: {n}.", {"n": count}),)


def _changes(layer: Any) -> pd.Series:
    """Add the change, who is cut off, and classes of both; return who is cut off."""
    import numpy as np
    import pandas as pd

    before, after = layer["travel_time_min"], layer["scenario_time_min"]
    layer["change_min"] = after - before
    with np.errstate(divide="ignore", invalid="ignore"):
        layer["change_percent"] = 100 * layer["change_min"] / before.where(before > 0)
    lost: pd.Series = before.notna() & after.isna()
    layer["cut_off"] = np.select([lost, before.isna() & after.notna()], ["cut off", "newly reached"], "no")
    place = np.searchsorted(_DELAYS_MIN, layer["change_min"].fillna(0.0), side="right")
    codes = np.array([effect[0] for effect in _EFFECTS], dtype=object)
    effect = pd.Series(codes[place], layer.index).where(layer["change_min"].notna(), None)
    layer["effect"] = effect.mask(layer["cut_off"] != "no", layer["cut_off"])
    return lost


def _within(layer: pd.DataFrame, standard: float) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Return who is within the standard before, who is under the scenario, and who is beyond it then.

    Who is cut off is beyond it.
    """
    from kazgeo.ties import upto

    limit = upto(standard)
    near, still = layer["travel_time_min"] <= limit, layer["scenario_time_min"] <= limit
    return near, still, ~still & (layer["scenario_time_min"].notna() | (layer["cut_off"] == "cut off"))


def _beyond_before(layer: pd.DataFrame, near: pd.Series) -> pd.Series:
    """Return who was beyond the standard before; who is reached only under the scenario was."""
    found: pd.Series = ~near & (layer["travel_time_min"].notna() | (layer["cut_off"] == "newly reached"))
    return found


def _by_region(layer: pd.DataFrame, region: str, people: pd.Series | None, standard: float) -> pd.DataFrame:
    """Return median times, the change, who is cut off, and who is beyond the standard before and after, by region."""
    import pandas as pd

    groups, after = layer.groupby(region), layer["scenario_time_min"]
    near, still, beyond = _within(layer, standard)
    table = pd.DataFrame({
        "settlements": groups.size(),
        "without_result": after.isna().groupby(layer[region]).sum(),
        "median_min": groups["travel_time_min"].median(),
        "scenario_median_min": groups["scenario_time_min"].median(),
        "median_change_min": groups["change_min"].median(),
        "cut_off": groups["cut_off"].apply(lambda v: int((v == "cut off").sum())),
        "beyond_before": _beyond_before(layer, near).groupby(layer[region]).sum(),
        "beyond": beyond.groupby(layer[region]).sum(),
    })  # fmt: skip
    if people is not None:
        newly = near & ~still
        table["people_beyond"] = people.where(beyond, 0.0).groupby(layer[region]).sum()
        table["people_newly_beyond"] = people.where(newly, 0.0).groupby(layer[region]).sum()
    return table.sort_values("median_change_min", ascending=False)


def _findings(
    layer: pd.DataFrame, names: dict[Any, Names], people: pd.Series | None, newly: pd.Series, standard: float
) -> list[Message]:
    """Return how much longer the ways are, and who is newly beyond the standard or cut off."""
    from kazgeo.analyses.outcome import minutes_told, top
    from kazgeo.messages import Message, Num

    both = layer[layer["change_min"].notna()]  # medians of the same settlements: who is cut off has no time after
    out = [
        Message(
            "Median travel time: {before}, under the scenario {after}; median of the changes: {change}.",
            {"change": Num(float(both["change_min"].median()), 0, "min"),
             "before": Num(float(both["travel_time_min"].median()), 0, "min"),
             "after": Num(float(both["scenario_time_min"].median()), 0, "min")},
        )
    ]  # fmt: skip
    values: dict[str, Any] = {"n": int(newly.sum()), "standard": minutes_told(standard)}
    if people is None:
        out.append(Message("Settlements newly farther than {standard}: {n}.", values))
    else:
        values |= {"people": Num(float(people[newly].sum()))}
        out.append(Message("Settlements newly farther than {standard}: {n}; {people} people live there.", values))
    near, _, beyond = _within(layer, standard)
    counts = {"before": int(_beyond_before(layer, near).sum()), "after": int(beyond.sum()),
              "standard": values["standard"]}  # fmt: skip
    out.append(Message("Farther than {standard} in all: {before} settlements without the scenario, {after} under it.",
                       counts))  # fmt: skip
    lost = int((layer["cut_off"] == "cut off").sum())
    if lost:
        out.append(Message("Settlements that the scenario cuts off from every destination: {n}.", {"n": lost}))
    first = int((layer["cut_off"] == "newly reached").sum())
    if first:
        out.append(Message("Settlements that reach a destination only under the scenario: {n}.", {"n": first}))
    listed = tuple(
        Message("{name} {time}", {"name": names[i], "time": Num(t, 0, "min")})
        for i, t in top(layer["change_min"].where(layer["change_min"] >= 0.5), names).items()
    )
    if listed:
        out.append(Message("Longest delays: {places}.", {"places": listed}))
    return out


def _told(scenario: Scenario) -> tuple[Message, ...]:
    """Return where the scenario's figures come from."""
    from kazgeo.messages import Message

    if "assumption" in scenario.source:
        return (Message("The figures of the scenario rest on assumptions; give your own where you know better."),)
    if scenario.source == "factors of the user":
        return (Message("Speeds are multiplied by the factors that were given."),)
    if all(change.state == "closed" for change in scenario.changes):
        return (Message("The scenario only closes roads."),)
    return () if scenario.source else (Message("New roads and new speeds are those that were given."),)


def _style(effect: pd.Series) -> Any:
    """Return classes of the delay; who is cut off or reached anew has a class of its own, not the look of no data."""
    from dataclasses import replace

    from kazgeo.style import categorical

    rare = ("quicker", "over 120", "cut off", "newly reached")
    made = replace(categorical("effect", mark("change of the travel time"), _EFFECTS), missing_label=NO_WAY)
    return made.without_empty(effect, *rare)
