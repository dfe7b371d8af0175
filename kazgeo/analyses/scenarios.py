"""Scenarios of roads as faces ask for them: a season, factors, closed areas and roads, new speeds, new roads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kazgeo.analyses.roads import named_class, network_of, numbers_by_class
from kazgeo.choices import Season
from kazgeo.errors import InputError, listing

if TYPE_CHECKING:
    import pandas as pd

    from kazgeo.analyses.options import RoadSpeeds
    from kazgeo.messages import Message
    from kazgeo.network import Change, Network, Scenario

__all__ = ["Asked", "named", "network_with", "refuse_idle", "scenario_of"]


@dataclass(frozen=True)
class Asked:
    """What is asked to change.

    Parameters
    ----------
    who : str
        The analysis, for messages.
    season : Season
        Ready scenario.
    factors, surface_factors : str
        Factors of speed by class and by surface.
    closed : GeoDataFrame, optional
        Closed areas.
    shut : Series of bool, optional
        Which roads are closed.
    new_speed : str, optional
        Column of the roads' speeds under the scenario.
    added : GeoDataFrame, optional
        New roads.
    """

    who: str
    season: Season
    factors: str = ""
    surface_factors: str = ""
    closed: Any = None
    shut: pd.Series | None = None
    new_speed: str | None = None
    added: Any = None


def network_with(roads: Any, asked: Asked, given: RoadSpeeds, kind: str | None) -> tuple[Network, tuple[Any, ...]]:
    """Return the network, new roads in it but closed, and the ids of these."""
    from kazgeo.analyses.columns import numeric
    from kazgeo.crs import has_place
    from kazgeo.network import with_candidates

    keep = ("seasonal",) if "seasonal" in roads.columns else ()
    net = network_of(roads, given, keep=keep, road_class=kind or "class")
    if asked.added is None:
        return net, ()
    new = asked.added[has_place(asked.added.geometry.to_numpy())]
    if not len(new):
        raise InputError(f"{asked.who}: added holds no line; leave it out or draw the roads that are new")
    new = new.set_axis([f"added {i}" for i in new.index])
    if kind is not None and kind not in new.columns:
        new = new.assign(**{kind: None})
    speed: str | float = given["default_speed_kmh"]
    if given["speed"] in new.columns:
        speed = given["speed"]
        new = new.assign(**{speed: numeric(new, speed)})
    return with_candidates(net, new, speed_kmh=speed, road_class=kind or "class"), tuple(new.index)


def scenario_of(asked: Asked, roads: Any, kind: str | None, added: tuple[Any, ...] = ()) -> Scenario:
    """Return the scenario that was asked for; refuse one without an effect on these roads."""
    from kazgeo.network import SEASONS, Change, Scenario

    made = Scenario("none", (), "") if asked.season == Season.NONE else SEASONS[str(asked.season)]
    own = bool(asked.factors or asked.surface_factors)
    if own:
        states = tuple(c for c in made.changes if c.state is not None)
        made = Scenario(made.name, (*states, *_factors(asked, roads, kind)), "factors of the user")
    first = [Change(roads=added, state="open")] if added else []
    if asked.new_speed is not None:
        first += _new_speeds(asked.who, roads, asked.new_speed)
    last = []
    if asked.shut is not None:
        last.append(Change(roads=tuple(roads.index[asked.shut]), state="closed"))
    if asked.closed is not None:
        last.append(Change(area=_area(asked.who, asked.closed), state="closed"))
    done = Scenario(made.name, (*first, *made.changes, *last), made.source)
    if not done.changes:
        raise InputError(
            f"{asked.who}: nothing would change; choose a season, or give factors, closed areas or roads, new speeds or"
            " new roads"
        )
    wanted = {v for c in made.changes for v in c.classes}
    if kind is not None and wanted and not own and not first and not last and not wanted & set(roads[kind].astype(str)):
        raise InputError(
            f"{asked.who}: the season '{asked.season}' knows no class of column '{kind}' "
            f"({listing(sorted(roads[kind].astype(str).unique()), 6)}); give factors by class"
        )
    return done


def refuse_idle(network: Network, scenario: Scenario, asked: Asked) -> None:
    """Refuse a scenario whose changes mean no road at all."""
    from kazgeo.network import effects

    if not effects(network, scenario)["edges"].any():
        columns = "class of road" if any(c.classes for c in scenario.changes) else "column 'seasonal'"
        what = "the closed areas touch no road" if asked.closed is not None else (
            f"the season '{asked.season}' goes by the {columns} and means none of these roads"
        )  # fmt: skip
        raise InputError(
            f"{asked.who}: nothing would change: {what}; name roads with closed_field and closed_values, draw closed"
            " areas, or give factors"
        )


def idle_season(network: Network, asked: Asked) -> tuple[Message, ...]:
    """Say that the season means none of these roads, where other changes were asked for besides."""
    from kazgeo.messages import Message, Term
    from kazgeo.network import SEASONS, effects

    if asked.season == Season.NONE or asked.factors or asked.surface_factors:
        return ()
    if effects(network, SEASONS[str(asked.season)])["edges"].any():
        return ()
    template = (
        "The season ({season}) means none of these roads: name the column of their classes (road_class), or give"
        " factors."
    )
    return (Message(template, {"season": Term(str(asked.season))}),)


def named(roads: Any, road_class: str | None, surface: str | None, seasonal: str | None) -> tuple[Any, str | None]:
    """Return the roads with the columns that scenarios go by under their names, and the column of classes."""
    kind = named_class(roads, road_class)
    for name, column in (("surface", surface), ("seasonal", seasonal)):
        if column is not None and column != name:
            roads = roads.assign(**{name: roads[column]})
    return roads, kind


def _factors(asked: Asked, roads: Any, kind: str | None) -> list[Change]:
    """Return the changes of speed by class and by surface; where a road has both, both count."""
    from kazgeo.network import Change

    made = []
    if asked.factors:
        told = numbers_by_class(asked.factors, roads, kind, f"{asked.who}: factors")
        made += [Change(classes=(name,), speed_factor=value) for name, value in told.items()]
    if asked.surface_factors:
        if "surface" not in roads.columns:
            raise InputError(f"{asked.who}: surface_factors go by surface; name the column with surface_field")
        told = numbers_by_class(asked.surface_factors, roads, "surface", f"{asked.who}: surface_factors")
        made += [Change(surfaces=(name,), speed_factor=value) for name, value in told.items()]
    return made


def _new_speeds(who: str, roads: Any, column: str) -> list[Change]:
    """Return a change for each new speed; roads without one keep theirs."""
    from kazgeo.analyses.columns import numeric
    from kazgeo.network import Change

    speed = numeric(roads, column)
    bad = speed.notna() & ~speed.between(0.01, 1000)
    if bad.any():
        raise InputError(
            f"{who}: new_speed '{column}' must be km/h above 0, or empty where nothing changes; not so at"
            f" {listing(roads.index[bad])}; to close roads name them with closed_field"
        )
    made = [Change(roads=tuple(ids), speed_kmh=float(kmh)) for kmh, ids in roads.index.groupby(speed).items()]
    if not made:
        raise InputError(f"{who}: new_speed '{column}' is empty for all roads; leave it out")
    return made


def _area(who: str, closed: Any) -> str:
    """Return all closed areas as one, in degrees."""
    from kazgeo.crs import has_place

    if closed.crs is None:
        raise InputError(f"{who}: closed areas declare no CRS; set it")
    shapes = closed.geometry.to_crs(4326)
    shapes = shapes[has_place(shapes.to_numpy())].buffer(0)
    shape = shapes.union_all() if len(shapes) else None
    if shape is None or shape.is_empty or shape.geom_type not in ("Polygon", "MultiPolygon"):
        raise InputError(f"{who}: closed holds no polygon; leave it out or draw the areas that are closed")
    return str(shape.wkt)
