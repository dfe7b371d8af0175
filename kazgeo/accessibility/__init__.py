"""Accessibility: travel times on a network and the measures made of them."""

from kazgeo.accessibility.nearest import Nearest, nearest
from kazgeo.accessibility.remoteness import Remoteness, remoteness
from kazgeo.accessibility.surface import Surface, inverse_distance

__all__ = ["Nearest", "Remoteness", "Surface", "inverse_distance", "nearest", "remoteness"]
