"""Deprivation: a composite index with declared directions, its drivers, and the level x trend typology of regions."""

from kazgeo.deprivation.index import (
    Composite,
    CompositeByYear,
    Missing,
    StandardDeviation,
    composite,
    composite_by_year,
)
from kazgeo.deprivation.typology import CLASSES, Typology, typology

__all__ = [
    "CLASSES",
    "Composite",
    "CompositeByYear",
    "Missing",
    "StandardDeviation",
    "Typology",
    "composite",
    "composite_by_year",
    "typology",
]
