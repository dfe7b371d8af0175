"""Cost distance over friction surfaces: times, allocation, ways, catchments, and where a facility would help most."""

from kazgeo.accessibility.cost_distance.moves import Corners, direction_bias
from kazgeo.accessibility.cost_distance.search import CostDistance, cost_distance
from kazgeo.accessibility.cost_distance.surface import Surface, prepare
from kazgeo.accessibility.cost_distance.tiles import Tiles
from kazgeo.accessibility.cost_distance.travel import Bicycle, Heading, Slope, Travel

__all__ = [
    "Bicycle", "Corners", "CostDistance", "Heading", "Slope", "Surface", "Tiles", "Travel", "cost_distance",
    "direction_bias", "prepare",
]  # fmt: skip
