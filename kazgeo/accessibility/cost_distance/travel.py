"""How one travels over a surface: neighbours, corners, slope, and whether towards the facility or from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from kazgeo.accessibility.cost_distance.moves import Corners
from kazgeo.errors import choice

if TYPE_CHECKING:
    import xarray

__all__ = ["Bicycle", "Heading", "Slope", "Travel"]


class Heading(StrEnum):
    """Which way one travels; it matters where slopes or one-way roads are."""

    TOWARDS = "towards"
    FROM = "from"


class Bicycle(StrEnum):
    """What a slope does to a cyclist: as physics has it, or a hundred times weaker, as in AccessMod 5."""

    POWER = "power"
    ACCESSMOD = "accessmod"


@dataclass(frozen=True, eq=False)
class Slope:
    r"""Elevation for travel whose speed depends on the slope along the way (anisotropic).

    Assumption: friction is that of the flat. Walking follows Tobler; a cyclist holds the power that gives the speed of
    the flat, and rolls downhill at twice that speed at most; motors don't feel slopes.

    Parameters
    ----------
    elevation : DataArray
        Metres, on the cells of the friction; a value in every cell that can be passed.
    mode : DataArray, optional
        As ``kazgeo.friction.modes`` returns: 0 walking, 1 bicycling, 2 motorised. Without it all walk.
    bicycle : Bicycle
        "accessmod" multiplies the slope of cyclists by 0.01, as AccessMod 5 does, whose code takes a share for a
        percentage; only for results that are to equal its own.

    Notes
    -----
    Slope s = rise / run along the travel. Walking: :math:`f \, e^{3.5 |s + 0.05| - 0.175}`. Cycling: v with
    :math:`v (a v^2 + w (s + r)) = v_0 (a v_0^2 + w r)`, a = half frontal area (0.445 m²) times the air's density at 20
    degrees and 500 m, w = 95 kg weight, r = 0.012 rolling resistance.

    References
    ----------
    Tobler, W. (1993), NCGIA Technical Report 93-1. Martin, J. C. et al. (1998), doi:10.1123/jab.14.3.276 (power of
    cycling). Ray, N. and Ebener, S. (2008), doi:10.1186/1476-072X-7-63 (AccessMod).
    """

    elevation: xarray.DataArray
    mode: xarray.DataArray | None = None
    bicycle: Bicycle = Bicycle.POWER

    def __post_init__(self) -> None:
        choice(Bicycle, self.bicycle, "bicycle")


@dataclass(frozen=True, eq=False)
class Travel:
    """How one travels.

    Parameters
    ----------
    neighbours : 8, 16 or 32
        More bend paths less: the longest detour on even ground is 8.24, 2.75 or 1.31 %. 8 is what AccessMod, GRASS and
        the Malaria Atlas Project take by default.
    corners : Corners, optional
        Whether a path may slip between two barriers that touch at a corner: by default with 8 neighbours (as skimage,
        GRASS and AccessMod), not with 16 and 32.
    slope : Slope, optional
        Elevation and modes; without it cost is the same in both directions.
    heading : Heading
        Towards the facility, or from it.
    """

    neighbours: int = 8
    corners: Corners | None = None
    slope: Slope | None = None
    heading: Heading = Heading.TOWARDS

    def __post_init__(self) -> None:
        choice(Heading, self.heading, "heading")
        if self.corners is not None:
            choice(Corners, self.corners, "corners")
