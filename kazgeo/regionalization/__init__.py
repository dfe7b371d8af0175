"""Regionalization: units joined into regions that hang together on the map and are alike inside."""

from kazgeo.regionalization.azp import Search, azp
from kazgeo.regionalization.maxp import max_p
from kazgeo.regionalization.medoids import kmedoids
from kazgeo.regionalization.problem import Limits, LowerLimits, Scale
from kazgeo.regionalization.quality import Quality, quality
from kazgeo.regionalization.result import Regionalization
from kazgeo.regionalization.skater import skater
from kazgeo.regionalization.suggest import METHODS, Suggestion, suggest_regions
from kazgeo.regionalization.ward import ward

__all__ = [
    "METHODS",
    "Limits",
    "LowerLimits",
    "Quality",
    "Regionalization",
    "Scale",
    "Search",
    "Suggestion",
    "azp",
    "kmedoids",
    "max_p",
    "quality",
    "skater",
    "suggest_regions",
    "ward",
]
