"""Cost distance over friction surfaces: times, allocation, ways, catchments, and where a facility would help most."""

from kazgeo.accessibility.cost_distance.capacity import CapacityCatchments, Order, Processing, capacity_catchments
from kazgeo.accessibility.cost_distance.moves import Corners, direction_bias
from kazgeo.accessibility.cost_distance.reach import Reach, Reached, ScalingUp, scaling_up
from kazgeo.accessibility.cost_distance.referral import Referral, referral
from kazgeo.accessibility.cost_distance.roads import RoadDistance, cost_distance_with_roads
from kazgeo.accessibility.cost_distance.search import CostDistance, cost_distance
from kazgeo.accessibility.cost_distance.surface import Surface, prepare
from kazgeo.accessibility.cost_distance.tiles import Tiles
from kazgeo.accessibility.cost_distance.travel import Bicycle, Heading, Slope, Travel
from kazgeo.accessibility.cost_distance.zonal import ZonalAccess, zonal_access

__all__ = [
    "Bicycle", "CapacityCatchments", "Corners", "CostDistance", "Heading", "Order", "Processing", "Reach", "Reached",
    "Referral", "RoadDistance", "ScalingUp", "Slope", "Surface", "Tiles", "Travel", "ZonalAccess",
    "capacity_catchments", "cost_distance", "cost_distance_with_roads", "direction_bias", "prepare", "referral",
    "scaling_up", "zonal_access",
]  # fmt: skip
