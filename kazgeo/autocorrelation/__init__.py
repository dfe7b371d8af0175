"""Spatial autocorrelation: whether like values are neighbours, over the whole map and around every unit."""

from kazgeo.autocorrelation.correlogram import Correlogram, correlogram
from kazgeo.autocorrelation.geary import Geary, geary
from kazgeo.autocorrelation.general_g import GeneralG, general_g
from kazgeo.autocorrelation.join_counts import JoinCounts, join_counts
from kazgeo.autocorrelation.lee import Lee, lee
from kazgeo.autocorrelation.local_geary import GearyScale, LocalGeary, local_geary
from kazgeo.autocorrelation.local_join_counts import (
    LocalJoinCount,
    local_colocation,
    local_join_count,
    local_join_count_bivariate,
)
from kazgeo.autocorrelation.local_lee import LocalLee, local_lee
from kazgeo.autocorrelation.local_moran import (
    LocalMoran,
    Scale,
    local_moran,
    local_moran_bivariate,
    local_moran_change,
    local_moran_rate,
)
from kazgeo.autocorrelation.losh import Losh, losh
from kazgeo.autocorrelation.moran import Moran, moran, moran_bivariate, moran_by_year, moran_rate
from kazgeo.autocorrelation.neighbour_match import NeighbourMatch, neighbour_match
from kazgeo.autocorrelation.plan import Inference, LocalOptions
from kazgeo.autocorrelation.quantile_lisa import QuantileLisa, quantile_lisa
from kazgeo.autocorrelation.rates import standardized_rate
from kazgeo.autocorrelation.sample import Transform
from kazgeo.choices import Alternative, Correction, Draws, PValue

__all__ = [
    "Alternative",
    "Correction",
    "Correlogram",
    "Draws",
    "Geary",
    "GearyScale",
    "GeneralG",
    "Inference",
    "JoinCounts",
    "Lee",
    "LocalGeary",
    "LocalJoinCount",
    "LocalLee",
    "LocalMoran",
    "LocalOptions",
    "Losh",
    "Moran",
    "NeighbourMatch",
    "PValue",
    "QuantileLisa",
    "Scale",
    "Transform",
    "correlogram",
    "geary",
    "general_g",
    "join_counts",
    "lee",
    "local_colocation",
    "local_geary",
    "local_join_count",
    "local_join_count_bivariate",
    "local_lee",
    "local_moran",
    "local_moran_bivariate",
    "local_moran_change",
    "local_moran_rate",
    "losh",
    "moran",
    "moran_bivariate",
    "moran_by_year",
    "moran_rate",
    "neighbour_match",
    "quantile_lisa",
    "standardized_rate",
]
