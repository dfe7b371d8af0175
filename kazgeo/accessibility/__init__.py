"""Accessibility: travel times on a network and the measures made of them."""

from kazgeo.accessibility.nearest import KNearest, Nearest, k_nearest, nearest
from kazgeo.accessibility.remoteness import Remoteness, remoteness
from kazgeo.accessibility.surface import inverse_distance

__all__ = ["KNearest", "Nearest", "Remoteness", "inverse_distance", "k_nearest", "nearest", "remoteness"]
