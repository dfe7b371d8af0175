"""Accessibility: travel times on a network and the measures made of them."""

from kazgeo.accessibility.catchments import (
    Catchment,
    CatchmentMethod,
    SpatialAvailability,
    floating_catchment,
    spatial_availability,
)
from kazgeo.accessibility.detour import Detours, detour_index, detour_pairs
from kazgeo.accessibility.huff import Huff, huff
from kazgeo.accessibility.interaction import (
    Balance,
    Constraint,
    Flows,
    Potential,
    balancing_time,
    constrained_gravity,
    market_potential,
)
from kazgeo.accessibility.isochrones import Isochrones, isochrones, reached_roads
from kazgeo.accessibility.nearest import KNearest, Nearest, k_nearest, nearest
from kazgeo.accessibility.opportunities import (
    Closest,
    Opportunities,
    Shares,
    Summary,
    closest,
    cumulative,
    cumulative_interval,
    gravity,
    share_within,
)
from kazgeo.accessibility.rational_agents import RationalAgents, rational_agents
from kazgeo.accessibility.remoteness import Remoteness, remoteness
from kazgeo.accessibility.resilience import (
    Closure,
    SecondRoutes,
    SingleRoads,
    WeakPoints,
    closure,
    second_routes,
    single_roads,
    weak_points,
)
from kazgeo.accessibility.rural_access import RuralAccess, rural_access, rural_access_grid
from kazgeo.accessibility.surface import inverse_distance
from kazgeo.accessibility.times import TravelTimes
from kazgeo.accessibility.travel import reachable_from_nodes, travel_times
from kazgeo.accessibility.uncertainty import SpeedSpread, TimeUncertainty, travel_time_uncertainty
from kazgeo.choices import RemotenessForm

__all__ = [
    "Balance",
    "Catchment",
    "CatchmentMethod",
    "Closest",
    "Closure",
    "Constraint",
    "Detours",
    "Flows",
    "Huff",
    "Isochrones",
    "KNearest",
    "Nearest",
    "Opportunities",
    "Potential",
    "RationalAgents",
    "Remoteness",
    "RemotenessForm",
    "RuralAccess",
    "SecondRoutes",
    "Shares",
    "SingleRoads",
    "SpatialAvailability",
    "SpeedSpread",
    "Summary",
    "TimeUncertainty",
    "TravelTimes",
    "WeakPoints",
    "balancing_time",
    "closest",
    "closure",
    "constrained_gravity",
    "cumulative",
    "cumulative_interval",
    "detour_index",
    "detour_pairs",
    "floating_catchment",
    "gravity",
    "huff",
    "inverse_distance",
    "isochrones",
    "k_nearest",
    "market_potential",
    "nearest",
    "rational_agents",
    "reachable_from_nodes",
    "reached_roads",
    "remoteness",
    "rural_access",
    "rural_access_grid",
    "second_routes",
    "share_within",
    "single_roads",
    "spatial_availability",
    "travel_time_uncertainty",
    "travel_times",
    "weak_points",
]
