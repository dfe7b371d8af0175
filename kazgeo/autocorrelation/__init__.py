"""Spatial autocorrelation: whether like values are neighbours, over the whole map and around every unit."""

from kazgeo.autocorrelation.geary import Geary, geary
from kazgeo.autocorrelation.general_g import GeneralG, general_g
from kazgeo.autocorrelation.join_counts import JoinCounts, join_counts
from kazgeo.autocorrelation.lee import Lee, lee
from kazgeo.autocorrelation.local_geary import GearyScale, LocalGeary, local_geary
from kazgeo.autocorrelation.local_moran import (
    LocalMoran,
    Scale,
    local_moran,
    local_moran_bivariate,
    local_moran_change,
    local_moran_rate,
)
from kazgeo.autocorrelation.moran import Moran, moran, moran_bivariate, moran_by_year, moran_rate
from kazgeo.autocorrelation.plan import Inference, LocalOptions
from kazgeo.autocorrelation.rates import standardized_rate
from kazgeo.autocorrelation.sample import Transform
from kazgeo.choices import Alternative, Correction, Draws

__all__ = [
    "Alternative",
    "Correction",
    "Draws",
    "Geary",
    "GearyScale",
    "GeneralG",
    "Inference",
    "JoinCounts",
    "Lee",
    "LocalGeary",
    "LocalMoran",
    "LocalOptions",
    "Moran",
    "Scale",
    "Transform",
    "geary",
    "general_g",
    "join_counts",
    "lee",
    "local_geary",
    "local_moran",
    "local_moran_bivariate",
    "local_moran_change",
    "local_moran_rate",
    "moran",
    "moran_bivariate",
    "moran_by_year",
    "moran_rate",
    "standardized_rate",
]
