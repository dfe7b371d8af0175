"""Rural access index: who lives within walking distance of a road that is open all year (SDG 9.1.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kazgeo.accessibility.pairs import amounts, drops
from kazgeo.crs import has_place, local_metres
from kazgeo.errors import InputError, listing, positive_number

if TYPE_CHECKING:
    import geopandas
    import xarray
    from numpy.typing import NDArray

__all__ = ["RuralAccess", "rural_access", "rural_access_grid"]

#: Walking distance of the index: 2 km, 20 to 25 minutes.
LIMIT_M = 2000.0
NO_PLACE_REASON = "no place on the map"
UNKNOWN_REASON = "number of inhabitants unknown"


@dataclass(frozen=True)
class RuralAccess:
    """Share of the rural population near an all-season road.

    Parameters
    ----------
    index : float
        Share of people within the limit, 0 to 1; NaN where nobody lives.
    people, near : float
        Rural people whose number is known, and those within the limit.
    places : DataFrame
        On the rural places: ``distance_m`` to the nearest all-season road, ``near``, ``people``. Empty for a grid.
    dropped : DataFrame
        Columns unit, reason.
    cells : DataArray of float32, optional
        Of a grid: 1 near a road, 0 farther, NaN where nobody rural lives.
    """

    index: float
    people: float
    near: float
    places: pd.DataFrame
    dropped: pd.DataFrame
    cells: xarray.DataArray | None = None


def rural_access(
    places: geopandas.GeoDataFrame, roads: geopandas.GeoDataFrame, population: pd.Series, *,
    rural: pd.Series | None = None, all_season: pd.Series | None = None, limit_m: float = LIMIT_M,
) -> RuralAccess:  # fmt: skip
    """Return the share of the rural population that lives within 2 km of an all-season road.

    Assumption: all people of a place live at its point, and the way to the road is straight. A village whose point is
    3 km from the road counts as far though its houses may reach it; for people where they live use a population grid
    (``rural_access_grid``). Metres are those of an equal-area projection around the data.

    Parameters
    ----------
    places : GeoDataFrame
        Points with a CRS and unique ids.
    roads : GeoDataFrame
        Lines with a CRS.
    population : Series
        People per place, by label; NaN is unknown: left out and told.
    rural : Series of bool, optional
        Which places are rural; without it all are.
    all_season : Series of bool, optional
        Which roads are open all year; without it all are.
    limit_m : float
        Metres that can be walked.

    Returns
    -------
    RuralAccess

    Raises
    ------
    InputError
        No CRS, no all-season road, repeated ids, labels that are missing, a limit that isn't positive.

    References
    ----------
    United Nations Statistics Division. SDG indicator metadata 9.1.1, proportion of the rural population who live
    within 2 km of an all-season road. https://unstats.un.org/sdgs/metadata/files/Metadata-09-01-01.pdf
    Roberts, P., KC, S. and Rastogi, C. (2006). Rural Access Index: a key development indicator. World Bank, Transport
    Paper 10. (A report; no DOI.)
    Workman, R. and McPherson, K. (2020). Rural Access Index: policy guide and roadmap to achieve SDG tier 1 status.
    ReCAP GEN2033D, TRL, London. (A report; no DOI: population grids and accessibility factors.)

    Examples
    --------
    >>> import geopandas, shapely
    >>> roads = geopandas.GeoDataFrame(geometry=[shapely.LineString([(71.4, 50), (71.6, 50)])], crs=4326)
    >>> at = geopandas.points_from_xy([71.5, 71.5, 71.5, None], [50.01, 50.1, 50.0, None])
    >>> villages = geopandas.GeoDataFrame(geometry=at, index=list("abcd"), crs=4326)
    >>> people = pd.Series({"a": 300.0, "b": 100.0, "c": None, "d": 50.0})
    >>> found = rural_access(villages, roads, people)
    >>> found.index, found.places["distance_m"].round(-2).tolist()
    (0.75, [1100.0, 11200.0, 0.0])
    >>> found.dropped.values.tolist()
    [['d', 'no place on the map'], ['c', 'number of inhabitants unknown']]
    >>> rural_access(villages.iloc[:0], roads, people.iloc[:0]).index
    nan
    """
    limit = positive_number(limit_m, "limit_m", "positive metres")
    if places.crs is None:
        raise InputError("places declare no CRS; set it with places.set_crs(...)")
    if not places.index.is_unique:
        raise InputError(f"place ids must be unique; repeated: {listing(places.index[places.index.duplicated()])}")
    chosen = _marked(rural, places.index, "rural", "places")
    there = has_place(places.geometry.to_numpy())
    kept = places.index[chosen & there]
    people = amounts(population.reindex(places.index) if not len(kept) else population, "population", kept, "place")
    tree, frame = _roads(roads, all_season)
    points = places.geometry.loc[kept].to_crs(frame).to_numpy()
    (_, _), metres = tree.query_nearest(points, return_distance=True, all_matches=False)
    table = pd.DataFrame(
        {"distance_m": metres, "near": metres <= limit, "people": np.where(people.known, people.values, np.nan)},
        index=kept,
    )
    near, whole = float(people.values[metres <= limit].sum()), float(people.values.sum())
    nowhere = [(unit, NO_PLACE_REASON) for unit in places.index[chosen & ~there]]
    told = [(unit, UNKNOWN_REASON) for unit in kept[~people.known]]
    return RuralAccess(near / whole if whole > 0 else np.nan, whole, near, table, drops(nowhere, told))


def rural_access_grid(
    population: xarray.DataArray, roads: geopandas.GeoDataFrame, *, rural: xarray.DataArray | None = None,
    all_season: pd.Series | None = None, limit_m: float = LIMIT_M,
) -> RuralAccess:  # fmt: skip
    """Return the index over a population grid: people of a cell count by its centre.

    Assumption: cells are small against the limit (100 m or 1 km grids); a cell is near when its centre is.

    Parameters
    ----------
    population : DataArray, dims (y, x)
        People per cell with a CRS (rioxarray); nodata is nobody.
    roads, all_season, limit_m
        As in ``rural_access``.
    rural : DataArray of bool, dims (y, x), optional
        Which cells are rural, on the same grid; without it all are.

    Returns
    -------
    RuralAccess

    Raises
    ------
    InputError
        No CRS, negative people, grids that differ, no all-season road.

    References
    ----------
    As ``rural_access``.

    Examples
    --------
    >>> import geopandas, rioxarray, shapely, xarray
    >>> roads = geopandas.GeoDataFrame(geometry=[shapely.LineString([(0, 500), (3000, 500)])], crs=32642)
    >>> people = xarray.DataArray([[10.0, np.nan], [30.0, 0.0]], {"y": [3500.0, 1500.0], "x": [500.0, 1500.0]},
    ...                           ("y", "x")).rio.write_crs(32642)
    >>> found = rural_access_grid(people, roads)
    >>> found.index, found.people, found.cells.values.tolist()
    (0.75, 40.0, [[0.0, nan], [1.0, nan]])
    >>> rural_access_grid(people * 0, roads).index
    nan
    """
    import geopandas

    from kazgeo.friction import grid_of

    limit = positive_number(limit_m, "limit_m", "positive metres")
    if population.rio.crs is None:
        raise InputError("population declares no CRS; set it with population.rio.write_crs(...)")
    values = np.asarray(population.values, dtype=float)
    if population.rio.nodata is not None:
        values = np.where(values == population.rio.nodata, np.nan, values)
    if (values < 0).any():
        raise InputError(f"population must be at least 0; {int((values < 0).sum())} cells are negative: declare nodata")
    lived = values > 0
    if rural is not None:
        lived &= _same_cells(rural, population)
    row, column = np.nonzero(lived)
    tree, frame = _roads(roads, all_season)
    spots = geopandas.GeoSeries.from_xy(population["x"].values[column], population["y"].values[row],
                                        crs=population.rio.crs).to_crs(frame)  # fmt: skip
    near = np.zeros(len(spots), bool)
    near[tree.query(spots.to_numpy(), predicate="dwithin", distance=limit)[0]] = True
    people = values[row, column]
    inside, whole = float(people[near].sum()), float(people.sum())
    none = pd.DataFrame({"distance_m": [], "near": np.empty(0, bool), "people": []})
    marks = np.full(values.shape, np.nan, np.float32)
    marks[row, column] = near
    cells = grid_of(population, "population").labelled(marks, "near")
    return RuralAccess(inside / whole if whole > 0 else np.nan, whole, inside, none, drops(), cells)


def _same_cells(rural: xarray.DataArray, population: xarray.DataArray) -> NDArray[np.bool_]:
    """Return which cells are rural, by their coordinates; a cell that is not told of is not."""
    same = all(np.array_equal(np.sort(rural[d].values), np.sort(population[d].values)) for d in ("y", "x"))
    if rural.shape != population.shape or not same:
        raise InputError(f"rural must have the cells of population, {population.shape}; got {rural.shape} or others")
    values = rural.reindex_like(population).values
    return np.where(values != values, False, values).astype(bool)


def _marked(given: pd.Series | None, ids: pd.Index, name: str, what: str) -> NDArray[np.bool_]:
    """Return a mark of every unit, by label; all without one."""
    if given is None:
        return np.ones(len(ids), bool)
    lost = ids[~ids.isin(given.index)]
    if len(lost):
        raise InputError(f"{name} must tell of all {what}; it lacks {listing(lost)}")
    return np.asarray(given.reindex(ids).fillna(False), dtype=bool)


def _roads(roads: geopandas.GeoDataFrame, all_season: pd.Series | None) -> tuple[Any, Any]:
    """Return a search tree of the all-season roads, and their CRS in metres."""
    import shapely

    if roads.crs is None:
        raise InputError("roads declare no CRS; set it with roads.set_crs(...)")
    open_ = _marked(all_season, roads.index, "all_season", "roads") & has_place(roads.geometry.to_numpy())
    if not open_.any():
        raise InputError(f"none of {len(roads)} roads is open all year; mark those that are with all_season")
    lines = roads.geometry[open_]
    frame = local_metres(lines)
    return shapely.STRtree(lines.to_crs(frame).to_numpy()), frame
