"""Travel over land, cell by cell: friction surfaces, and times to the nearest facility over them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Lines, Number, Output, Regions, Settlements, Surface, Vector
from kazgeo.choices import FrictionUnit, Moves, Travel
from kazgeo.progress import Progress, part, silent

if TYPE_CHECKING:
    import pandas as pd
    import xarray

    from kazgeo.accessibility.cost_distance import CostDistance
    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message

Obstacles = Annotated["GeoDataFrame", Vector(("line", "polygon"))]  # type: ignore[name-defined] # noqa: F821


@analysis(
    "Accessibility",
    Output("friction", "raster", "Friction surface"),
    Output("passable_percent", "number", "Share of cells that can be passed, percent"),
    Output("cells", "number", "Number of cells"),
    tags=("friction", "land cover", "Tobler", "AccessMod"),
)
def friction_surface(
    roads: Lines,
    *,
    speed: Annotated[str, Field("roads")] | None = None,
    default_speed_kmh: Annotated[float, Number(1, 300, "km/h")] = 60.0,
    land_cover: Surface | None = None,
    cover_speeds: str = "",
    off_road_kmh: Annotated[float, Number(0.1, 100, "km/h")] = 4.0,
    barriers: Obstacles | None = None,
    elevation: Surface | None = None,
    cell_m: Annotated[float, Number(10, 100_000, "m")] = 1000.0,
    margin_km: Annotated[float, Number(0, 1000, "km")] = 20.0,
    progress: Progress = silent,
) -> Outcome:
    """Friction surface of roads, land cover, slope and barriers: how many seconds a metre of every cell takes.

    Order, from below: land cover (or one speed off the roads), slope, barriers, roads; a road over a river is a bridge.
    A cell that a road touches is travelled at the road's speed, so choose cells smaller than the distance between
    roads. Slopes slow the ground off the roads by Tobler's law, the mean of up and down. The unit is seconds per metre.

    Parameters
    ----------
    roads : lines
        Roads.
    speed : str
        Column of speeds in km/h; without it all roads have the default speed.
    default_speed_kmh : float
        Speed where no column of speeds is named.
    land_cover : raster
        Numbers of classes of land cover; its cells are those of the result. Without it all ground has one speed.
    cover_speeds : str
        Speed of each class in km/h, 0 where nobody can pass: "10=3, 20=2, 80=0".
    off_road_kmh : float
        Speed off the roads where there is no land cover.
    barriers : lines or polygons
        What can't be crossed off the roads: rivers, lakes, borders.
    elevation : raster
        Metres; its cells must be those of the result.
    cell_m : float
        Side of a cell where there is no land cover.
    margin_km : float
        Ground around the roads where there is no land cover.
    """
    import numpy as np
    import pandas as pd

    from kazgeo import friction
    from kazgeo.analyses.columns import numeric
    from kazgeo.analyses.outcome import Outcome
    from kazgeo.errors import InputError
    from kazgeo.messages import Message, Num
    from kazgeo.style import Raster

    if speed is not None:
        roads = roads.assign(**{speed: numeric(roads, speed)})
    progress(0.1, "land cover")
    if land_cover is None:
        made = _bare(roads, off_road_kmh, cell_m, 1000 * margin_km)
    else:
        table = pd.DataFrame({"speed_kmh": _cover_speeds(cover_speeds)})
        made = friction.from_classes(land_cover, table)
    if elevation is not None:
        progress(0.4, "slope")
        made = friction.slow_by_slope(made, elevation)
    if barriers is not None:
        made = friction.block(made, barriers)
    progress(0.6, "roads")
    made = friction.burn_roads(made, roads, speed_kmh=speed or default_speed_kmh)
    inside = np.isfinite(made.values)
    if not inside.any():
        raise InputError("friction_surface: no cell can be passed; look at cover_speeds, barriers and the CRS of roads")
    kmh = 3.6 / made.values[inside]
    finding = Message(
        "Cells: {n}, of them {passable} can be passed, at {low} to {high}.",
        {"n": int(made.size), "passable": Num(100 * float(inside.mean()), 1, "%"),
         "low": Num(float(kmh.min()), 1), "high": Num(float(kmh.max()), 1, "km/h")},
    )  # fmt: skip
    return Outcome(
        (finding,),
        numbers={"passable_percent": 100 * float(inside.mean()), "cells": int(made.size)},
        rasters={"friction": Raster(made, "friction", "s/m", 2)},
    )


def _bare(roads: Any, kmh: float, cell_m: float, margin_m: float) -> xarray.DataArray:
    """Return ground of one speed around the roads, in an equal-area projection."""
    import numpy as np
    import rioxarray  # noqa: F401  makes .rio
    import xarray

    from kazgeo.crs import local_metres
    from kazgeo.errors import InputError

    if roads.crs is None:
        raise InputError("friction_surface: roads declare no CRS; set it")
    frame = local_metres(roads)
    west, south, east, north = roads.to_crs(frame).total_bounds
    if not np.isfinite([west, south, east, north]).all():
        raise InputError("friction_surface: the layer of roads has no line on the map")
    left, top = (np.floor((west - margin_m) / cell_m) * cell_m, np.ceil((north + margin_m) / cell_m) * cell_m)
    columns, rows = (int(np.ceil(d / cell_m)) for d in (east + margin_m - left, top - (south - margin_m)))
    if rows * columns > 400_000_000:
        raise InputError(
            f"friction_surface: cell_m {cell_m:g} makes {rows:,} x {columns:,} cells; at most 400 million are:"
            " take larger cells"
        )
    x, y = left + cell_m * (0.5 + np.arange(columns)), top - cell_m * (0.5 + np.arange(rows))
    made = xarray.DataArray(np.full((rows, columns), 3.6 / kmh), {"y": y, "x": x}, ("y", "x"))
    ground: xarray.DataArray = made.rio.write_crs(frame)
    return ground


def _cover_speeds(text: str) -> pd.Series:
    """Return speed by class of land cover; NaN where nobody can pass."""
    import pandas as pd

    from kazgeo.analyses.texts import named_numbers
    from kazgeo.errors import InputError

    what = "friction_surface: cover_speeds"
    wanted = "class=km/h, class=km/h for every class of land_cover, 0 where nobody can pass"
    named = named_numbers(text, what, wanted, most=300, zero=True)
    try:
        numbers = [float(name) for name in named]
    except ValueError as fault:
        raise InputError(f"{what}: wanted {wanted}, classes as numbers; {fault}") from fault
    speeds = pd.Series(list(named.values()), index=numbers)
    return speeds.where(speeds > 0)


@analysis(
    "Accessibility",
    Output("time", "raster", "Travel time, min"),
    Output("allocation", "raster", "Nearest facility by number"),
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
    unit: FrictionUnit = FrictionUnit.SECONDS_PER_METRE,
    moves: Moves = Moves.EIGHT,
    travel: Travel = Travel.TO,
    limit_min: Annotated[float, Number(0.1, 100_000, "min")] | None = None,
    elevation: Surface | None = None,
    settlements: Settlements | None = None,
    population_grid: Surface | None = None,
    zones: Regions | None = None,
    standard_min: Annotated[float, Number(1, 10_000, "min")] = 60.0,
    thresholds_min: str = "30, 60, 120",
    progress: Progress = silent,
) -> Outcome:
    """Travel time of every cell of a friction surface to the nearest facility, and which one that is.

    One travels from cell to cell, so ways bend: on even ground a time is too long by up to 8.24 % with 8 moves, 2.75 %
    with 16, 1.31 % with 32. With elevation walking goes by Tobler's law along the way, slower uphill than down; the
    friction must then be that of the flat. Facilities outside the surface or on a barrier take no part and are told.

    Parameters
    ----------
    friction : raster
        Friction above 0; no data where nobody can pass.
    facilities : points
        Facilities with a unique id.
    unit : FrictionUnit
        Unit of the friction; surfaces of the Malaria Atlas Project are in minutes per metre.
    moves : Moves
        How many neighbours of a cell one may go to.
    travel : Travel
        Travel to the facility (to), or from it (from); with elevation it makes a difference.
    limit_min : float
        Longest travel time; farther cells have none.
    elevation : raster
        Metres, on the cells of the friction, for walking that feels the slope.
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

    from kazgeo.accessibility import cost_distance as over_land
    from kazgeo.analyses.outcome import Outcome, told
    from kazgeo.analyses.roads import minutes, minutes_style
    from kazgeo.errors import InputError
    from kazgeo.friction import from_minutes_per_metre
    from kazgeo.style import Raster

    limits = minutes(thresholds_min, "thresholds_min")
    if zones is not None and population_grid is None:
        raise InputError("cost_distance: zones need people per cell; name a raster with population_grid")
    if str(unit) == FrictionUnit.MINUTES_PER_METRE:
        friction = from_minutes_per_metre(friction)
    slope = over_land.Slope(elevation) if elevation is not None else None
    heading = over_land.Heading.TOWARDS if str(travel) == Travel.TO else over_land.Heading.FROM
    found = over_land.cost_distance(
        friction, facilities, travel=over_land.Travel(int(str(moves)), slope=slope, heading=heading),
        max_time_s=60 * limit_min if limit_min is not None else None, progress=part(progress, 0, 0.7),
    )  # fmt: skip
    progress(0.7, "nearest facilities")
    time_min = found.time_s / 60
    near = found.allocation
    numbered = near.where(near >= 0) + 1
    for raster in (time_min, numbered):
        raster.rio.write_crs(found.time_s.rio.crs, inplace=True)
    tables = {"served": _facilities(found, time_min.values, near.values)}
    layer, dropped = None, found.dropped
    if settlements is not None:
        at, lost = found.at(settlements)
        layer = settlements.assign(travel_time_min=at["time_s"] / 60, nearest_id=at["facility"])
        dropped = pd.concat([dropped, lost], ignore_index=True)
    people = float("nan")
    if population_grid is not None:
        people = _share_within(found, population_grid, standard_min)
        if zones is not None:
            tables["by_zone"] = _zones(found, population_grid, zones, limits, part(progress, 0.8, 1.0))
    passable = found.n_reached + found.n_unreached
    return Outcome(
        (*_findings(found, layer, people, standard_min, passable), *told(dropped)),
        layer=layer,
        tables=tables,
        numbers={
            "reached_percent": 100 * found.n_reached / passable if passable else float("nan"),
            "people_within_percent": people,
        },
        style=None if layer is None else minutes_style("travel_time_min", "travel time over land"),
        rasters={
            "time": Raster(time_min, "travel time over land", "min", 0),
            "allocation": Raster(numbered.astype(np.float32), "nearest facility by number", "", 0),
        },
        dropped=dropped,
    )


def _facilities(found: CostDistance, time_min: Any, near: Any) -> pd.DataFrame:
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


def _share_within(found: CostDistance, population: Any, standard: float) -> float:
    """Return the share of people in cells within the standard, percent; people out of reach stay in the whole."""
    import numpy as np

    from kazgeo.friction import grid_of

    grid_of(found.time_s, "time_s").require(population, "population_grid")
    people = np.nan_to_num(np.asarray(population.values, dtype=float))
    whole = float(people.sum())
    near = found.time_s.values <= 60 * standard
    return 100 * float(people[near].sum()) / whole if whole > 0 else float("nan")


def _zones(found: CostDistance, population: Any, zones: Any, limits: list[float], progress: Progress) -> pd.DataFrame:
    """Return people within each time by zone, in minutes and percent."""
    import pandas as pd

    from kazgeo.accessibility.cost_distance import zonal_access

    made = zonal_access(found.time_s, population, zones, thresholds_s=[60 * m for m in limits], progress=progress)
    table = pd.DataFrame({
        "people": made.table["population"], "people_unreached": made.table["unreached"],
        "mean_min": made.table["mean_s"] / 60, "median_min": made.table["median_s"] / 60,
    })  # fmt: skip
    for limit in limits:
        table[f"within_{limit:g}_percent"] = 100 * made.table[f"within_{60 * limit:g}"]
    return table


def _findings(found: CostDistance, layer: Any, people: float, standard: float, passable: int) -> list[Message]:
    from kazgeo.analyses.outcome import share
    from kazgeo.messages import Message, Num

    values: dict[str, Any] = {"share": share(found.n_reached, passable), "n": len(found.facilities)}
    out = [Message("Facilities: {n}; cells that reach one: {share} of those that can be passed.", values)]
    limit = Num(standard, 0, "min")
    if people == people:
        out.append(Message("Within {standard} live {share} of the people.",
                           {"standard": limit, "share": Num(people, 1, "%")}))  # fmt: skip
    if layer is not None:
        near = int((layer["travel_time_min"] <= standard).sum())
        out.append(Message("Within {standard}: {n} of {total} settlements.",
                           {"standard": limit, "n": near, "total": len(layer)}))  # fmt: skip
    return out
