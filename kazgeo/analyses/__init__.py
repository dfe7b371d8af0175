"""The catalogue: one declared function per question a planner asks.

``analyses.local_moran(...)`` takes layers and tables and restricted options; the methods beneath
(``kazgeo.autocorrelation.local_moran``) take any Series and weights and are what a programmer imports.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from kazgeo.analyses import (
    access_inequality,
    accessibility,
    balance,
    catchments,
    clusters,
    cost,
    critical_roads,
    density,
    deprivation,
    detours,
    disparity,
    facilities,
    flows,
    friction,
    hotspots,
    isochrones,
    local,
    maps,
    market_areas,
    matrices,
    opportunities,
    osm,
    preparation,
    regionalization,
    road_check,
    rural,
    scan,
    seasons,
    services,
    single_roads,
    uncertainty,
    whole_map,
)
from kazgeo.analyses.declare import Analysis, Parameter, read
from kazgeo.errors import unknown

__all__ = ["GROUPS", "Analysis", "Parameter", "as_json", "catalogue", "get"]

#: Groups in the order in which faces show them.
GROUPS = (
    "Preparation",
    "Accessibility",
    "Disparity",
    "Clusters",
    "Hot spots",
    "Regionalization",
    "Deprivation",
    "Maps",
)

_FUNCTIONS: tuple[Callable[..., Any], ...] = (
    preparation.harmonise,
    preparation.rate,
    preparation.indicator_map,
    preparation.density,
    preparation.road_network,
    osm.osm_roads,
    road_check.check_roads,
    accessibility.travel_time,
    facilities.facility_access,
    isochrones.isochrones,
    isochrones.reached_roads,
    single_roads.single_roads,
    critical_roads.critical_roads,
    seasons.season_effect,
    detours.detour_index,
    uncertainty.travel_time_uncertainty,
    rural.rural_access,
    rural.rural_access_grid,
    matrices.travel_time_matrix,
    opportunities.opportunities,
    balance.balancing_time,
    catchments.floating_catchment,
    flows.gravity_flows,
    market_areas.market_areas,
    matrices.market_potential,
    access_inequality.access_inequality,
    friction.friction_surface,
    cost.cost_distance,
    services.referral_table,
    services.capacity_catchments,
    services.scaling_up,
    accessibility.remoteness,
    accessibility.surface,
    disparity.boundary_effect,
    disparity.inequality,
    whole_map.global_autocorrelation,
    clusters.moran_by_year,
    whole_map.correlogram,
    whole_map.join_counts,
    clusters.local_moran,
    local.bivariate_moran,
    local.local_moran_rate,
    local.local_moran_change,
    local.local_geary,
    local.local_join_count,
    local.quantile_lisa,
    local.losh,
    local.local_lee,
    local.neighbour_match,
    hotspots.getis_ord,
    hotspots.optimized_hot_spots,
    hotspots.emerging_hot_spots,
    scan.scan_statistic,
    density.density_clusters,
    density.aggregate_points,
    regionalization.regionalize,
    regionalization.suggest_regions,
    deprivation.deprivation,
    maps.print_map,
    maps.web_map,
    maps.report,
)


@cache
def catalogue() -> dict[str, Analysis]:
    """Return all analyses by id, in the order of the groups."""
    return {a.id: a for a in (read(f) for f in _FUNCTIONS)}


def as_json() -> dict[str, object]:
    """Return the whole catalogue as plain data: what ``kazgeo catalogue --json`` prints and the QGIS plugin ships."""
    from kazgeo import __version__
    from kazgeo.locale import LANGUAGES

    analyses = [one.as_json() for one in catalogue().values()]
    return {"kazgeo": __version__, "languages": list(LANGUAGES), "analyses": analyses}


def get(name: str) -> Analysis:
    """Return one analysis; an unknown name is an error with a suggestion.

    Examples
    --------
    >>> get("local_moran").group
    'Clusters'
    >>> get("local_morna")
    Traceback (most recent call last):
    kazgeo.errors.InputError: analysis 'local_morna' is not in the catalogue; did you mean 'local_moran'?
    """
    found = catalogue().get(name.replace("-", "_"))
    if found is None:
        raise unknown("analysis", name, catalogue(), "in the catalogue")
    return found
