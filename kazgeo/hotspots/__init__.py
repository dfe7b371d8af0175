"""Hot and cold spots: where high or low values crowd together, in space and over the years."""

from kazgeo.hotspots.cells import Cells, aggregate
from kazgeo.hotspots.density import DensityClusters, density_clusters
from kazgeo.hotspots.emerging import EmergingHotSpots, classify, emerging_hot_spots
from kazgeo.hotspots.getis import LABELS, GetisOrd, getis_ord
from kazgeo.hotspots.optimized import OptimizedHotSpots, optimized_hot_spots
from kazgeo.hotspots.scan import scan_bernoulli, scan_normal, scan_poisson
from kazgeo.hotspots.scan_search import SCAN_LABELS, Scan, ScanOptions
from kazgeo.trend import mann_kendall

__all__ = [
    "LABELS",
    "SCAN_LABELS",
    "Cells",
    "DensityClusters",
    "EmergingHotSpots",
    "GetisOrd",
    "OptimizedHotSpots",
    "Scan",
    "ScanOptions",
    "aggregate",
    "classify",
    "density_clusters",
    "emerging_hot_spots",
    "getis_ord",
    "mann_kendall",
    "optimized_hot_spots",
    "scan_bernoulli",
    "scan_normal",
    "scan_poisson",
]
