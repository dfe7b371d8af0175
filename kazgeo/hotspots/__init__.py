"""Hot and cold spots: where high or low values crowd together, in space and over the years."""

from kazgeo.hotspots.getis import LABELS, GetisOrd, getis_ord

__all__ = ["LABELS", "GetisOrd", "getis_ord"]
