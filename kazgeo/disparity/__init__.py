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
    Zeros,
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
from kazgeo.disparity.poverty import Poverty, PovertySide, foster_greer_thorbecke
from kazgeo.disparity.ranked import ConcentrationForm, concentration_index, palma_ratio

__all__ = [
    "ConcentrationForm",
    "Measure",
    "Poverty",
    "PovertySide",
    "TheilChange",
    "TheilDecomposition",
    "Zeros",
    "coefficient_of_variation",
    "concentration_index",
    "foster_greer_thorbecke",
    "gini",
    "hoover",
    "inequality_by_year",
    "max_min",
    "mean_log_deviation",
    "palma_ratio",
    "sd_log",
    "theil",
    "theil_change",
    "theil_contributions",
    "theil_decomposition",
    "williamson",
]
