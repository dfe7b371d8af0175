"""Spatial autocorrelation: whether like values are neighbours, over the whole map and around every unit."""

from kazgeo.autocorrelation.geary import Geary, geary
from kazgeo.autocorrelation.local import LocalMoran, local_moran
from kazgeo.autocorrelation.moran import Moran, moran, moran_by_year
from kazgeo.autocorrelation.sample import Transform
from kazgeo.autocorrelation.significance import Alternative, Correction

__all__ = [
    "Alternative",
    "Correction",
    "Geary",
    "LocalMoran",
    "Moran",
    "Transform",
    "geary",
    "local_moran",
    "moran",
    "moran_by_year",
]
