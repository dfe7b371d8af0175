"""Accessibility: travel times on a network and the measures made of them."""

from kazgeo.accessibility.nearest import Nearest, nearest
from kazgeo.accessibility.remoteness import Remoteness, remoteness

__all__ = ["Nearest", "Remoteness", "nearest", "remoteness"]
