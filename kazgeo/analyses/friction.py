"""Friction surfaces: how many seconds a metre of every cell takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Lines, Number, Output, Surface, Vector
from kazgeo.messages import mark
from kazgeo.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    import xarray

    from kazgeo.analyses.outcome import Outcome

Obstacles = Annotated["GeoDataFrame", Vector(("line", "polygon"))]  # type: ignore[name-defined] # noqa: F821


@analysis(
    "Accessibility",
    Output("friction", "raster", "Friction surface"),
    Output("modes", "raster", "How one travels: 0 walking, 1 bicycling, 2 motorised"),
    Output("passable_percent", "number", "Share of cells that can be passed, percent"),
    Output("cells", "number", "Number of cells"),
    tags=("friction", "land cover", "Tobler", "AccessMod"),
)
def friction_surface(
    roads: Lines | None = None,
    *,
    bare: bool = False,
    speed: Annotated[str, Field("roads")] | None = None,
    default_speed_kmh: Annotated[float, Number(1, 300, "km/h")] = 60.0,
    land_cover: Surface | None = None,
    cover_speeds: str = "",
    cover_modes: str = "",
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
    roads. Slopes slow walking and cycling off the roads, the mean of up and down. For slopes along the way, up or down,
    leave elevation out here and give it to cost_distance with the raster of modes; roads are motorised there. The unit
    is seconds per metre.

    Parameters
    ----------
    roads : lines
        Roads; without land cover the surface reaches as far as they do.
    bare : bool
        Leave the roads out: the ground alone, for cost_distance with a layer of roads.
    speed : str
        Column of speeds in km/h; without it all roads have the default speed.
    default_speed_kmh : float
        Speed where no column of speeds is named.
    land_cover : raster
        Numbers of classes of land cover; its cells are those of the result. Without it all ground has one speed.
    cover_speeds : str
        Speed of each class in km/h, 0 where nobody can pass: "10=3, 20=2, 80=0".
    cover_modes : str
        How one travels in each class: "10=walking, 20=bicycling, 30=motorised". A class that isn't named is walked;
        who is motorised doesn't feel the slope.
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

    from kazgeo import friction
    from kazgeo.analyses.outcome import Outcome
    from kazgeo.errors import InputError
    from kazgeo.messages import Message, Num
    from kazgeo.style import Raster

    progress(0.1, "land cover")
    if land_cover is not None:
        table = _cover(cover_speeds, cover_modes)
        made, mode = friction.from_classes(land_cover, table), friction.modes(land_cover, table)
    elif roads is None:
        raise InputError("friction_surface: name a layer of roads, a raster of land cover, or both")
    else:
        made, mode = _bare(roads, off_road_kmh, cell_m, 1000 * margin_km), None
    if elevation is not None:
        progress(0.4, "slope")
        made = friction.slow_by_slope(made, elevation, mode=mode)
    if barriers is not None:
        made = friction.block(made, barriers)
    progress(0.6, "roads")
    code = np.zeros(made.shape, np.uint8) if mode is None else mode.values.copy()
    if roads is not None and not bare:
        paved = friction.burn_roads(made.copy(data=np.full(made.shape, np.nan)), roads,
                                    speed_kmh=speed or default_speed_kmh)  # fmt: skip
        made = made.where(np.isnan(paved.values), paved)
        code[np.isfinite(paved.values)] = friction.MODES.index(friction.Mode.MOTORISED)
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
        rasters={
            "friction": Raster(made, "friction", "s/m", 3),
            "modes": Raster(_modes(made, code), "mode of travel", "", 0, classes=_MODES),
        },
    )


#: What the codes of modes mean.
_MODES = ((0.0, mark("on foot")), (1.0, mark("by bicycle")), (2.0, mark("by motor vehicle")))


def _modes(made: xarray.DataArray, code: Any) -> xarray.DataArray:
    """Return the modes where one can pass."""
    import numpy as np

    modes: xarray.DataArray = made.copy(data=np.where(np.isfinite(made.values), code, np.nan).astype(np.float32))
    return modes.rename("modes")


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


def _cover(speeds: str, modes: str) -> pd.DataFrame:
    """Return speed (NaN where nobody can pass) and mode by class of land cover."""
    import pandas as pd

    from kazgeo.analyses.texts import named_numbers, named_words
    from kazgeo.errors import InputError
    from kazgeo.friction import MODES, Mode

    what = "friction_surface: cover_speeds"
    wanted = "class=km/h, class=km/h for every class of land_cover, 0 where nobody can pass"
    named = named_numbers(speeds, what, wanted, most=300, zero=True)
    table = pd.DataFrame({"speed_kmh": list(named.values()), "mode": Mode.WALKING.value}, index=_numbers(named, what))
    table["speed_kmh"] = table["speed_kmh"].where(table["speed_kmh"] > 0)
    if modes:
        what = "friction_surface: cover_modes"
        told = named_words(modes, what, [m.value for m in MODES])
        classes = _numbers(told, what)
        strange = [f"{c:g}" for c in classes if c not in table.index]
        if strange:
            raise InputError(f"{what}: class {', '.join(strange)} has no speed in cover_speeds")
        table.loc[classes, "mode"] = list(told.values())
    return table


def _numbers(named: Iterable[str], what: str) -> list[float]:
    """Return classes of land cover as numbers."""
    from kazgeo.errors import InputError

    try:
        return [float(name) for name in named]
    except ValueError as fault:
        raise InputError(f"{what}: wanted classes as numbers; {fault}") from fault
