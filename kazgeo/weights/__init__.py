"""Spatial weights: who is whose neighbour, as a compact frozen value labelled by the units' ids."""

from kazgeo.weights.combine import higher_order, intersection, space_time, union
from kazgeo.weights.points import Kernel, distance_band, inverse_distance, kernel, knn, nearest_distances
from kazgeo.weights.policy import Isolates
from kazgeo.weights.polygons import Contiguity, contiguity
from kazgeo.weights.tables import Decay, block, from_table, travel_time
from kazgeo.weights.type import Weights, as_weights

__all__ = [
    "Contiguity",
    "Decay",
    "Isolates",
    "Kernel",
    "Weights",
    "as_weights",
    "block",
    "contiguity",
    "distance_band",
    "from_table",
    "higher_order",
    "intersection",
    "inverse_distance",
    "kernel",
    "knn",
    "nearest_distances",
    "space_time",
    "travel_time",
    "union",
]
