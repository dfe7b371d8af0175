"""Disparity between regions: how unequal they are, between which groups, and who moved it."""

from kazgeo.disparity.decomposition import (
    TheilChange,
    TheilDecomposition,
    theil_change,
    theil_contributions,
    theil_decomposition,
)
from kazgeo.disparity.inequality import (
    Measure,
    coefficient_of_variation,
    gini,
    hoover,
    inequality_by_year,
    max_min,
    mean_log_deviation,
    sd_log,
    theil,
    williamson,
)

__all__ = [
    "Measure",
    "TheilChange",
    "TheilDecomposition",
    "coefficient_of_variation",
    "gini",
    "hoover",
    "inequality_by_year",
    "max_min",
    "mean_log_deviation",
    "sd_log",
    "theil",
    "theil_change",
    "theil_contributions",
    "theil_decomposition",
    "williamson",
]
