"""Rural access index: who lives within walking distance of a road that is open all year (SDG 9.1.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Lines, Number, Output, Regions, Settlements, Surface
from kazgeo.messages import mark
from kazgeo.progress import Progress, part, silent

if TYPE_CHECKING:
    import pandas as pd
    import xarray

    from kazgeo.accessibility import RuralAccess
    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message, Names
    from kazgeo.style import Style


@analysis(
    "Accessibility",
    Output("layer", "vector", "Rural access", ("rural_access", "all_season_road_km"), like="settlements"),
    Output("by_region", "table", "Rural access by region"),
    Output("index_percent", "number", "Rural access index, percent"),
    Output("people_far", "number", "Rural people farther from an all-season road"),
    Output("settlements_far", "number", "Rural settlements farther from an all-season road"),
    tags=("SDG 9.1.1", "RAI", "rural access index", "all-season road", "village"),
)
def rural_access(
    settlements: Settlements,
    roads: Lines,
    population: Annotated[str, Field("settlements")],
    *,
    rural_field: Annotated[str, Field("settlements", numeric=False)] | None = None,
    rural_values: str = "",
    max_population: Annotated[float, Number(1, 1e9, "people")] | None = None,
    season_field: Annotated[str, Field("roads", numeric=False)] | None = None,
    all_season_values: str = "",
    limit_km: Annotated[float, Number(0.1, 100, "km")] = 2.0,
    region: Annotated[str, Field("settlements", numeric=False)] | None = None,
    progress: Progress = silent,
) -> Outcome:
    """Share of the rural population that lives within 2 km of an all-season road: indicator 9.1.1 of the SDGs.

    Distances are straight, from the settlement's point. All people of a settlement live at that point, so a large
    village beside a road may count as far; small ones are told best. Roads that are missing in the layer make the
    index too low, roads that are shut in winter or mud make it too high unless a column tells them.

    Parameters
    ----------
    settlements : points
        Settlements with a unique id.
    roads : lines
        Roads.
    population : str
        Column of inhabitants; missing means unknown.
    rural_field : str
        Column that tells which settlements are rural.
    rural_values : str
        Values of that column that are rural, comma-separated.
    max_population : float
        Settlements with more inhabitants are not rural; those of unknown number are neither unless a column tells.
    season_field : str
        Column of roads that tells which are open all year, such as surface or class.
    all_season_values : str
        Values of that column that are open all year, comma-separated.
    limit_km : float
        Distance that can be walked.
    region : str
        Column of the settlements' region, for the table by region.
    """
    import numpy as np
    import pandas as pd

    from kazgeo import accessibility
    from kazgeo.analyses.columns import numeric, valued
    from kazgeo.analyses.outcome import Outcome, names_of, told
    from kazgeo.errors import InputError
    from kazgeo.style import TooltipField

    people = numeric(settlements, population)
    rural = valued(settlements, rural_field, rural_values, "rural_access", ("rural_field", "rural_values"))
    every = (rural is None and max_population is None, season_field is None)
    if rural is None:
        rural = pd.Series(True, settlements.index)
    unsure = people.isna() & (max_population is not None and rural_field is None)
    if max_population is not None:
        rural = rural & ~(people > max_population) & ~unsure
    if not rural.any():
        raise InputError("rural_access: no settlement is rural; look at rural_values and max_population")
    open_ = valued(roads, season_field, all_season_values, "rural_access", ("season_field", "all_season_values"))
    progress(0.3, "distances to roads")
    found = accessibility.rural_access(
        settlements, roads, people, rural=rural, all_season=open_, limit_m=1000 * limit_km
    )
    layer = settlements.copy()
    layer["rural_access"] = pd.Series("not rural", layer.index, dtype=object).where(~rural & ~unsure, None)
    layer.loc[found.places.index, "rural_access"] = np.where(found.places["near"], "near", "far")
    layer["all_season_road_km"] = found.places["distance_m"].reindex(layer.index) / 1000
    far = layer["rural_access"] == "far"
    unknown = pd.DataFrame({"unit": layer.index[unsure], "reason": UNSURE_REASON}, dtype=object)
    dropped = pd.concat([found.dropped, unknown], ignore_index=True)
    return Outcome(
        (*_findings(layer, population, names_of(settlements), found, far, limit_km), *_every(*every),
         *told(dropped)),
        layer=layer,
        tables={} if region is None else {"by_region": _by_region(layer, region, people)},
        numbers={
            "index_percent": 100 * found.index, "people_far": found.people - found.near,
            "settlements_far": int(far.sum()),
        },
        style=_style(),
        fields=(TooltipField("all_season_road_km", "distance to an all-season road", "km", 1),),
        dropped=dropped,
        size_column=population,
    )  # fmt: skip


def _by_region(layer: pd.DataFrame, region: str, people: pd.Series) -> pd.DataFrame:
    """Return rural settlements and people, those far from an all-season road, and the index by region."""
    import pandas as pd

    rural = layer["rural_access"].isin(["near", "far"])
    known, far = people[rural].fillna(0.0), layer["rural_access"] == "far"
    of = layer.loc[rural, region]
    table = pd.DataFrame({
        "settlements": of.groupby(of).size(), "far": far[rural].groupby(of).sum(),
        "people": known.groupby(of).sum(), "people_far": known.where(far[rural], 0.0).groupby(of).sum(),
    })  # fmt: skip
    table["index_percent"] = 100 * (1 - table["people_far"] / table["people"].where(table["people"] > 0))
    return table.rename_axis(region).sort_values("index_percent")


def _findings(
    layer: pd.DataFrame, population: str, names: dict[Any, Names], found: Any, far: pd.Series, limit: float
) -> list[Message]:
    """Return the index, who is beyond it, and where the road is farthest."""
    from kazgeo.analyses.outcome import top
    from kazgeo.analyses.reach import unheard
    from kazgeo.messages import Message, Num

    out = [_index(found, limit)] if found.people > 0 else [*unheard(layer[population], len(layer))]
    listed = tuple(
        Message("{name} {distance}", {"name": names[i], "distance": Num(km, 0, "km")})
        for i, km in top(layer["all_season_road_km"].where(far), names).items()
    )
    if listed:
        out.append(Message("Farthest from an all-season road: {places}.", {"places": listed}))
    return out


def _every(rural: bool, open_all_year: bool) -> list[Message]:
    """Say whether all settlements count as rural, and all roads as open all year, because no column was named."""
    from kazgeo.messages import Message

    out = []
    if rural:
        out.append(Message("All settlements count as rural, towns too: neither a column nor a size tells them apart."))
    if open_all_year:
        out.append(Message("All roads count as open all year: no column of seasons is named."))
    return out


def _index(found: RuralAccess, limit: float) -> Message:
    """Return the sentence of the index."""
    from kazgeo.messages import Message, Num

    return Message(
        "Rural people within {limit} of an all-season road: {share} (rural access index); {far} of {people} live"
        " farther.",
        {"limit": Num(limit, 1 if limit % 1 else 0, "km"), "share": Num(100 * found.index, 1, "%"),
         "far": Num(found.people - found.near), "people": Num(found.people)},
    )  # fmt: skip


#: What the codes of cells mean.
_CELLS = ((0.0, mark("farther than can be walked")), (1.0, mark("near an all-season road")))
#: Why a settlement is neither rural nor not.
UNSURE_REASON = mark("population unknown: rural or not")


def _style() -> Style:
    from dataclasses import replace

    from kazgeo.style import categorical

    classes = [
        ("near", "near an all-season road", "#2c7fb8"),
        ("far", "farther than can be walked", "#d7301f"),
        ("not rural", "not rural", "#bdbdbd"),
    ]
    made = categorical("rural_access", "distance to an all-season road", classes)
    return replace(made, missing_label=mark("rural or not is unknown, or no place on the map"))


@analysis(
    "Accessibility",
    Output("near", "raster", "Rural people near an all-season road (1) and farther (0)"),
    Output("by_zone", "table", "Rural access by zone", ("people", "people_far", "index_percent")),
    Output("index_percent", "number", "Rural access index, percent"),
    Output("people_far", "number", "Rural people farther from an all-season road"),
    tags=("SDG 9.1.1", "RAI", "rural access index", "WorldPop", "GHS-SMOD", "all-season road"),
)
def rural_access_grid(
    population_grid: Surface,
    roads: Lines,
    *,
    rural_grid: Surface | None = None,
    rural_classes: str = "",
    season_field: Annotated[str, Field("roads", numeric=False)] | None = None,
    all_season_values: str = "",
    limit_km: Annotated[float, Number(0.1, 100, "km")] = 2.0,
    zones: Regions | None = None,
    progress: Progress = silent,
) -> Outcome:
    """Rural access index where people live: the share of rural people of a population grid within 2 km of a road.

    As the index of the SDGs is computed: people of a cell are near when its centre is, so cells should be small against
    the limit (100 m; with 1 km it is rough). Which cells are rural tells another raster on the same cells, such as the
    degree of urbanisation (GHS-SMOD: 11, 12, 13); without it all people count.

    Parameters
    ----------
    population_grid : raster
        People per cell.
    roads : lines
        Roads.
    rural_grid : raster
        Classes of settlement on the cells of the population.
    rural_classes : str
        Classes that are rural, comma-separated: "11, 12, 13".
    season_field : str
        Column of roads that tells which are open all year, such as surface or class.
    all_season_values : str
        Values of that column that are open all year, comma-separated.
    limit_km : float
        Distance that can be walked.
    zones : polygons
        Zones of the table; a cell counts for a zone by the share that lies in it.
    """
    from kazgeo import accessibility
    from kazgeo.analyses.columns import valued
    from kazgeo.analyses.outcome import Outcome, no_drops, told
    from kazgeo.style import Raster

    rural = _rural_cells(rural_grid, rural_classes)
    open_ = valued(roads, season_field, all_season_values, "rural_access_grid", ("season_field", "all_season_values"))
    progress(0.2, "distances to roads")
    found = accessibility.rural_access_grid(
        population_grid, roads, rural=rural, all_season=open_, limit_m=1000 * limit_km
    )
    tables, dropped = {}, no_drops()
    if zones is not None:
        tables["by_zone"], dropped = _by_zone(population_grid, found, zones, part(progress, 0.6, 1.0))
    assert found.cells is not None
    return Outcome(
        (_index(found, limit_km), *told(dropped)),
        tables=tables,
        numbers={"index_percent": 100 * found.index, "people_far": found.people - found.near},
        rasters={"near": Raster(found.cells, "near an all-season road", "", 0, classes=_CELLS)},
        dropped=dropped,
    )


def _rural_cells(grid: xarray.DataArray | None, classes: str) -> xarray.DataArray | None:
    """Return which cells are rural; None where no raster tells."""
    from kazgeo.errors import InputError

    if (grid is None) != (not classes.strip()):
        raise InputError("rural_access_grid: rural_grid and rural_classes go together; give both or neither")
    if grid is None:
        return None
    try:
        named = [float(c) for c in classes.split(",")]
    except ValueError as fault:
        raise InputError(
            f"rural_access_grid: rural_classes: wanted numbers parted by commas; got {classes!r}"
        ) from fault
    made = grid.isin(named)
    if not made.any():
        raise InputError(f"rural_access_grid: no cell of rural_grid has a class of {classes!r}")
    return made


def _by_zone(
    population: xarray.DataArray, found: Any, zones: Any, progress: Progress
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return rural people, those far from an all-season road, and the index by zone; and zones left out."""
    import pandas as pd

    from kazgeo.accessibility.cost_distance import zonal_access

    # rural people only; near cells are reached at once, the others never
    made = zonal_access(
        found.cells.where(found.cells == 1) * 0.0, population.where(found.cells.notnull()), zones, progress=progress
    )
    table = pd.DataFrame({"people": made.table["population"], "people_far": made.table["unreached"]})
    table["index_percent"] = 100 * (1 - table["people_far"] / table["people"].where(table["people"] > 0))
    return table.sort_values("index_percent"), made.dropped
