"""Travel over land, cell by cell, and on roads: times to the nearest facility, and which one that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Unpack

from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Lines, Number, Output, Regions, Settlements, Surface
from kazgeo.analyses.options import OverLand, OverLandAndRoads
from kazgeo.choices import FrictionUnit, Travel
from kazgeo.messages import mark
from kazgeo.progress import Progress, part, silent

if TYPE_CHECKING:
    import pandas as pd
    import xarray

    from kazgeo.accessibility.cost_distance import CostDistance, RoadDistance
    from kazgeo.accessibility.cost_distance import Travel as Way
    from kazgeo.analyses.outcome import Outcome
    from kazgeo.friction import Grid
    from kazgeo.messages import Message, Names
    from kazgeo.network import Network
    from kazgeo.style import Raster


#: Where the legend of a raster of minutes stands.
_STOPS_MIN = (0.0, 30.0, 60.0, 120.0, 240.0, 480.0, 960.0, 1920.0)
#: Facilities whose names a legend can hold.
_NAMED = 200


@analysis(
    "Accessibility",
    Output("time", "raster", "Travel time, min"),
    Output("allocation", "raster", "Nearest facility by number"),
    Output("by_road", "raster", "Ground from which the quickest way uses a road"),
    Output("layer", "vector", "Travel time of settlements", ("travel_time_min", "nearest_id"), like="settlements"),
    Output("served", "table", "Facilities and their ground", ("number", "facility", "cells", "mean_min")),
    Output("by_zone", "table", "People within each time by zone"),
    Output("reached_percent", "number", "Share of passable cells that are reached, percent"),
    Output("people_within_percent", "number", "Share of people within the standard, percent"),
    tags=("cost distance", "raster", "friction", "AccessMod", "catchment", "nearest facility", "allocation"),
)
def cost_distance(
    friction: Surface,
    facilities: Settlements,
    *,
    roads: Lines | None = None,
    travel: Travel = Travel.TO,
    limit_min: Annotated[float, Number(0.1, 100_000, "min")] | None = None,
    settlements: Settlements | None = None,
    population_grid: Surface | None = None,
    zones: Regions | None = None,
    standard_min: Annotated[float, Number(1, 10_000, "min")] = 60.0,
    thresholds_min: str = "30, 60, 120",
    progress: Progress = silent,
    **given: Unpack[OverLandAndRoads],
) -> Outcome:
    """Travel time of every cell of a friction surface to the nearest facility, and which one that is.

    One travels from cell to cell, so ways bend: on even ground a time is too long by up to 8.24 % with 8 moves, 2.75 %
    with 16, 1.31 % with 32. With elevation walking goes by Tobler's law along the way, slower uphill than down, cycling
    by its power, and motors don't feel the slope (modes); the friction must then be that of the flat. With a layer of
    roads one travels over the ground to a road and along it: the friction must then be of the ground alone, without
    roads laid into it; one gets on and off a road at least every half cell, by half a cell of ground, and goes over a
    barrier by road only. Facilities outside the surface or on a barrier take no part and are told.

    Parameters
    ----------
    friction : raster
        Friction above 0; no data where nobody can pass.
    facilities : points
        Facilities with a unique id.
    roads : lines
        Roads that meet at their ends, travelled beside the ground; without them one travels over the friction alone.
    travel : Travel
        Travel to the facility (to), or from it (from); with elevation it makes a difference.
    limit_min : float
        Longest travel time; farther cells have none.
    settlements : points
        Settlements that get the time of their cell.
    population_grid : raster
        People per cell, on the cells of the friction.
    zones : polygons
        Zones of the table; needs a population grid.
    standard_min : float
        Travel time that counts as near enough.
    thresholds_min : str
        Times for the table of zones, increasing, comma-separated.
    """
    import numpy as np
    import pandas as pd

    from kazgeo.analyses.outcome import Outcome, told
    from kazgeo.analyses.roads import left_out, minutes, minutes_style
    from kazgeo.errors import InputError
    from kazgeo.style import Raster
    from kazgeo.ties import in_minutes

    limits = minutes(thresholds_min, "thresholds_min")
    if zones is not None and population_grid is None:
        raise InputError("cost_distance: zones need people per cell; name a raster with population_grid")
    found, net = _searched(over_land(friction, given, travel), facilities, roads, given, limit_min, progress)
    progress(0.7, "nearest facilities")
    time_min = found.time_s / 60
    near = found.allocation
    numbered = near.where(near >= 0) + 1
    for raster in (time_min, numbered):
        raster.rio.write_crs(found.time_s.rio.crs, inplace=True)
    tables = {"served": _facilities(found, time_min.values, near.values)}
    layer, dropped = None, found.dropped
    if net is not None:
        dropped = left_out(dropped, net)
    if settlements is not None:
        at, lost = found.at(settlements)
        layer = settlements.assign(travel_time_min=in_minutes(at["time_s"]), nearest_id=at["facility"])
        dropped = pd.concat([dropped, lost], ignore_index=True)
    people = float("nan")
    if population_grid is not None:
        people = _share_within(found, population_grid, standard_min)
        if zones is not None:
            tables["by_zone"], without = _zones(found, population_grid, zones, limits, part(progress, 0.8, 1.0))
            dropped = pd.concat([dropped, without], ignore_index=True)
    passable = found.n_reached + found.n_unreached
    return Outcome(
        (*_findings(found, layer, people, standard_min, passable), *told(dropped)),
        layer=layer,
        tables=tables,
        numbers={
            "reached_percent": 100 * found.n_reached / passable if passable else float("nan"),
            "people_within_percent": people,
        },
        style=None
        if layer is None
        else minutes_style("travel_time_min", "travel time over land", mark("not reached over land")),
        rasters={
            "time": Raster(time_min, "travel time over land", "min", 0, stops=_STOPS_MIN),
            "allocation": Raster(
                numbered.astype(np.float32),
                "nearest facility by number",
                "",
                0,
                classes=_numbered(found, numbered.values, facilities),
            ),
            **_by_road(found),
        },
        dropped=dropped,
    )


def over_land(
    friction: xarray.DataArray, given: OverLand, travel: Travel | str = Travel.TO
) -> tuple[xarray.DataArray, Way]:
    """Return the friction in seconds per metre, and how one travels over it."""
    from kazgeo.accessibility import cost_distance as land
    from kazgeo.errors import InputError
    from kazgeo.friction import from_minutes_per_metre

    if str(given["unit"]) == FrictionUnit.MINUTES_PER_METRE:
        friction = from_minutes_per_metre(friction)
    if given["modes"] is not None and given["elevation"] is None:
        raise InputError("modes are for slopes; name a raster of elevation too, or leave them out")
    slope = land.Slope(given["elevation"], _modes(given["modes"])) if given["elevation"] is not None else None
    heading = land.Heading.TOWARDS if str(travel) == Travel.TO else land.Heading.FROM
    return friction, land.Travel(int(str(given["moves"])), slope=slope, heading=heading)


def _modes(modes: xarray.DataArray | None) -> xarray.DataArray | None:
    """Return modes of travel as whole numbers; a cell without a value is one that nobody walks."""
    import numpy as np

    if modes is None:
        return None
    values = np.asarray(modes.values, dtype=float)
    whole = np.where(np.isnan(values), 2.0, values)
    return modes.copy(data=whole.astype(np.uint8) if np.isin(whole, (0, 1, 2)).all() else whole)


def _searched(
    ground: tuple[xarray.DataArray, Way], facilities: Any, roads: Any, given: OverLandAndRoads,
    limit_min: float | None, progress: Progress,
) -> tuple[CostDistance | RoadDistance, Network | None]:  # fmt: skip
    """Return the times over the ground, or over ground and roads; and the network of these."""
    from kazgeo.accessibility import cost_distance as land
    from kazgeo.analyses.roads import network_of
    from kazgeo.friction import grid_of
    from kazgeo.network import split

    (friction, way), limit_s = ground, 60 * limit_min if limit_min is not None else None
    if roads is None:
        done = land.cost_distance(friction, facilities, travel=way, max_time_s=limit_s, progress=part(progress, 0, 0.7))
        return done, None
    progress(0.1, "road network")
    whole = network_of(roads, given)
    net = split(whole, 0.5 * _least_side(grid_of(friction, "friction"), whole))
    found = land.cost_distance_with_roads(
        friction, net, facilities, travel=way, max_time_s=limit_s, progress=part(progress, 0.3, 0.7)
    )
    return found, net


def _least_side(grid: Grid, net: Network) -> float:
    """Return the shortest side of the cells, m, where there are roads; in degrees columns narrow towards the poles."""
    import geopandas
    import numpy as np

    sides = grid.lengths(np.array([0, 1]), np.array([1, 0])).min(axis=1)
    if len(sides) > 1:
        cells = grid.cells(geopandas.GeoSeries.from_xy(net.lon, net.lat, crs=4326))
        rows = cells[cells >= 0] // grid.columns
        if len(rows):
            sides = sides[rows.min() : rows.max() + 1]
    return float(sides.min())


def _by_road(found: CostDistance | RoadDistance) -> dict[str, Raster]:
    """Return where the quickest way uses a road; nothing where there are no roads."""
    import numpy as np

    from kazgeo.style import Raster

    used = getattr(found, "by_road", None)
    if used is None:
        return {}
    known = used.astype(np.float32).where(found.time_s.notnull())
    known.rio.write_crs(found.time_s.rio.crs, inplace=True)
    classes = ((0.0, mark("over open ground")), (1.0, mark("by road")))
    return {"by_road": Raster(known, "by road", "", 0, classes=classes)}


def _numbered(found: CostDistance | RoadDistance, numbers: Any, facilities: Any) -> tuple[tuple[float, Names], ...]:
    """Return the names of the facilities by their number on the raster; none where there are too many for a legend."""
    import numpy as np

    from kazgeo.analyses.outcome import names_of
    from kazgeo.messages import Names

    there = np.unique(numbers[np.isfinite(numbers)]).astype(int)
    if len(there) > _NAMED:
        return ()
    names = names_of(facilities)
    return tuple(
        (float(k), Names(*(f"{k} {names[found.facilities[k - 1]].in_language(one)}" for one in ("en", "ru", "kk"))))
        for k in there.tolist()
    )


def _facilities(found: CostDistance | RoadDistance, time_min: Any, near: Any) -> pd.DataFrame:
    """Return the number of every facility on the raster, its cells, and their mean time."""
    import numpy as np
    import pandas as pd

    count = len(found.facilities)
    inside = near >= 0
    cells = np.bincount(near[inside], minlength=count)
    total = np.bincount(near[inside], weights=time_min[inside], minlength=count)
    with np.errstate(invalid="ignore"):
        mean = np.where(cells > 0, total / np.maximum(cells, 1), np.nan)
    return pd.DataFrame(
        {"number": np.arange(count) + 1, "facility": found.facilities, "cells": cells, "mean_min": mean}
    )


def _share_within(found: CostDistance | RoadDistance, population: Any, standard: float) -> float:
    """Return the share of people in cells within the standard, percent; people out of reach stay in the whole."""
    import numpy as np

    from kazgeo.friction import grid_of
    from kazgeo.ties import upto

    grid_of(found.time_s, "time_s").require(population, "population_grid")
    people = np.nan_to_num(np.asarray(population.values, dtype=float))
    whole = float(people.sum())
    near = found.time_s.values <= upto(60 * standard)
    return 100 * float(people[near].sum()) / whole if whole > 0 else float("nan")


def _zones(
    found: CostDistance | RoadDistance, population: Any, zones: Any, limits: list[float], progress: Progress
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return people within each time by zone, in minutes and percent; and zones left out."""
    import pandas as pd

    from kazgeo.accessibility.cost_distance import zonal_access

    made = zonal_access(found.time_s, population, zones, thresholds_s=[60 * m for m in limits], progress=progress)
    table = pd.DataFrame({
        "people": made.table["population"], "people_unreached": made.table["unreached"],
        "mean_min": made.table["mean_s"] / 60, "median_min": made.table["median_s"] / 60,
    })  # fmt: skip
    for limit in limits:
        table[f"within_{limit:g}_percent"] = 100 * made.table[f"within_{60 * limit:g}"]
    return table, made.dropped


def _findings(
    found: CostDistance | RoadDistance, layer: Any, people: float, standard: float, passable: int
) -> list[Message]:
    from kazgeo.accessibility.cost_distance import RoadDistance
    from kazgeo.analyses.outcome import minutes_told, share
    from kazgeo.messages import Message, Num
    from kazgeo.ties import upto

    values: dict[str, Any] = {"share": share(found.n_reached, passable), "n": len(found.facilities)}
    out = [Message("Facilities: {n}; cells that reach one: {share} of those that can be passed.", values)]
    limit = minutes_told(standard)
    if people == people:
        out.append(Message("Within {standard} live {share} of the people.",
                           {"standard": limit, "share": Num(people, 1, "%")}))  # fmt: skip
    if isinstance(found, RoadDistance):
        out.append(Message("Getting on or off a road takes half a cell of ground: {time} in the median.",
                           {"time": Num(_half_cell_min(found), 0, "min")}))  # fmt: skip
    if layer is not None:
        near = int((layer["travel_time_min"] <= upto(standard)).sum())
        out.append(Message("Within {standard}: {n} of {total} settlements.",
                           {"standard": limit, "n": near, "total": len(layer)}))  # fmt: skip
    return out


def _half_cell_min(found: RoadDistance) -> float:
    """Return the minutes that half a cell of ground takes in the median."""
    import numpy as np

    side = float(np.median(found.surface.grid.lengths(np.array([0, 1]), np.array([1, 0]))))
    return 0.5 * side * float(np.nanmedian(found.surface.friction.values)) / 60
