"""Friction surfaces: seconds per metre of every cell, NaN where nobody can pass; never 0."""

from kazgeo.friction.build import (
    block,
    burn_roads,
    check_friction,
    from_classes,
    from_minutes_per_metre,
    merge,
    modes,
    slow_by_slope,
)
from kazgeo.friction.grid import Grid, grid_of
from kazgeo.friction.speeds import MODES, Mode, tobler

__all__ = [
    "MODES", "Grid", "Mode", "block", "burn_roads", "check_friction", "from_classes", "from_minutes_per_metre",
    "grid_of", "merge", "modes", "slow_by_slope", "tobler",
]  # fmt: skip
