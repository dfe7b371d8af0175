"""Accessibility: travel times on a network and the measures made of them."""

from kazgeo.accessibility.nearest import KNearest, Nearest, k_nearest, nearest
from kazgeo.accessibility.remoteness import Remoteness, remoteness
from kazgeo.accessibility.surface import inverse_distance
from kazgeo.accessibility.times import TravelTimes
from kazgeo.accessibility.travel import reachable_from_nodes, travel_times

__all__ = [
    "KNearest",
    "Nearest",
    "Remoteness",
    "TravelTimes",
    "inverse_distance",
    "k_nearest",
    "nearest",
    "reachable_from_nodes",
    "remoteness",
    "travel_times",
]
