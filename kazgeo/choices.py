"""Options with a closed set of values that methods and faces share; importing it loads nothing heavy."""

from __future__ import annotations

from enum import StrEnum

__all__ = [
    "Alternative", "CellShape", "Correction", "DensityMethod", "Direction", "Draws", "Peak", "PValue", "Shape",
]  # fmt: skip


class Alternative(StrEnum):
    """Which departures from chance count."""

    TWO_SIDED = "two-sided"
    GREATER = "greater"
    LESS = "less"
    DIRECTED = "directed"


class Correction(StrEnum):
    """Correction for the number of tests."""

    FDR = "fdr"
    FDR_BY = "fdr_by"
    FDR_GEODA = "fdr_geoda"
    BONFERRONI = "bonferroni"
    NONE = "none"


class Draws(StrEnum):
    """Whether units with as many neighbours share their random draws (fast), or each has its own."""

    SHARED = "shared"
    INDEPENDENT = "independent"


class PValue(StrEnum):
    """Where a p-value comes from: permutation, or the normal distribution of z."""

    PERMUTATION = "permutation"
    NORMAL = "normal"


class CellShape(StrEnum):
    """Shape of the cells in which incidents are counted."""

    HEXAGON = "hexagon"
    FISHNET = "fishnet"


class DensityMethod(StrEnum):
    """One density for the whole map (DBSCAN), or a density of its own for every cluster (HDBSCAN)."""

    DBSCAN = "dbscan"
    HDBSCAN = "hdbscan"


class Direction(StrEnum):
    """Which windows count: those with more than expected, with less, or all."""

    HIGH = "high"
    LOW = "low"
    BOTH = "both"


class Peak(StrEnum):
    """Which of several peaks of clustering gives the distance."""

    FIRST = "first"
    MAX = "max"


class Shape(StrEnum):
    """Form of the windows."""

    CIRCULAR = "circular"
    ELLIPTIC = "elliptic"
