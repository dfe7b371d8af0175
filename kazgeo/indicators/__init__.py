"""Indicators: figures per region and year, read as the bureau writes them, carried across reforms of boundaries."""

from kazgeo.indicators.harmonise import Harmonised, harmonise, read_reforms, successors
from kazgeo.indicators.panel import Indicator, check, rate, read, read_metadata, to_long

__all__ = [
    "Harmonised",
    "Indicator",
    "check",
    "harmonise",
    "rate",
    "read",
    "read_metadata",
    "read_reforms",
    "successors",
    "to_long",
]
