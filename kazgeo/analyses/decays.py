"""How weight falls with travel time: what analyses offer, all told by the time at which half the weight is left."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from kazgeo.errors import InputError

if TYPE_CHECKING:
    from kazgeo.accessibility.decay import Decay

__all__ = ["CatchmentDecay", "Falling", "Zones", "decay_within", "falling"]


class Falling(StrEnum):
    """Functions without an end but the linear one, which ends at twice the time of half the weight."""

    EXPONENTIAL = "exponential"
    POWER = "power"
    GAUSSIAN = "gaussian"
    LOGISTIC = "logistic"
    LINEAR = "linear"


class CatchmentDecay(StrEnum):
    """Functions within a catchment: none (all within it alike), those made for a limit, and those with a half time."""

    NONE = "none"
    STEPS = "steps"
    TRUNCATED_GAUSSIAN = "truncated_gaussian"
    EXPONENTIAL = "exponential"
    POWER = "power"
    GAUSSIAN = "gaussian"
    LOGISTIC = "logistic"
    LINEAR = "linear"


#: Weights of the three thirds of a catchment (Luo and Qi 2009, slow decay).
STEPS = (1.0, 0.68, 0.22)
#: Standard deviation of the logistic function in parts of its median.
SPREAD = 0.25


def falling(kind: Falling | str, half_min: float) -> Decay:
    """Return the function whose weight is 1 at no distance and exactly a half at ``half_min`` minutes.

    Exponential: halves again with every further ``half_min``. Power: inverse square of the time, 1 up to 0.71 of
    ``half_min``. Gaussian: a bell. Logistic: an S with a standard deviation of a quarter of its median. Linear: 0 from
    twice ``half_min``.

    Examples
    --------
    >>> import numpy as np
    >>> for kind in Falling:
    ...     print(kind, falling(kind, 30)(np.array([0.0, 1800.0, 3600.0, 7200.0])).round(4).tolist())
    exponential [1.0, 0.5, 0.25, 0.0625]
    power [1.0, 0.5, 0.125, 0.0312]
    gaussian [1.0, 0.5, 0.0625, 0.0]
    logistic [1.0, 0.5, 0.0007, 0.0]
    linear [1.0, 0.5, 0.0, 0.0]
    """
    from kazgeo.accessibility import decay

    half_s = 60 * half_min
    match Falling(str(kind)):
        case Falling.EXPONENTIAL:
            return decay.Exponential.half_life(half_s)
        case Falling.POWER:
            return decay.Power(2.0, min_s=half_s / math.sqrt(2))
        case Falling.GAUSSIAN:
            return decay.Gaussian(half_s / math.sqrt(2 * math.log(2)))
        case Falling.LOGISTIC:
            steep = math.pi / (SPREAD * math.sqrt(3))  # of time in parts of the median
            median_s = half_s / (1 + math.log1p(2 * math.exp(-steep)) / steep)
            return decay.Logistic(median_s, SPREAD * median_s)
        case Falling.LINEAR:
            return decay.Linear(2 * half_s)


@dataclass(frozen=True)
class Zones:
    """Travel zones of the decay in steps.

    Parameters
    ----------
    ends_min : tuple of float
        Upper end of every zone, minutes; empty: thirds of the limit.
    weights : tuple of float
        Weight of every zone; empty: 1, 0.68, 0.22.
    """

    ends_min: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()

    @property
    def given(self) -> bool:
        """Whether anything was asked for."""
        return bool(self.ends_min or self.weights)

    def decay(self, limit_min: float) -> Decay:
        """Return the function; 0 beyond the last zone.

        Raises
        ------
        InputError
            Other numbers of zones than of weights, a zone beyond the limit, weights that rise or are not 0 to 1.

        Examples
        --------
        >>> Zones((10, 20, 30), (1, 0.42, 0.09)).decay(30).limits_s
        (600.0, 1200.0, 1800.0)
        >>> Zones((10, 20, 30)).decay(20)
        Traceback (most recent call last):
        kazgeo.errors.InputError: zones_min must end within limit_min (20 min); got 30
        >>> Zones((10, 20)).decay(20)
        Traceback (most recent call last):
        kazgeo.errors.InputError: zone_weights must be one for each of the 2 zones; there are 3
        """
        from kazgeo.accessibility import decay

        ends = self.ends_min or tuple(limit_min * k / 3 for k in (1, 2, 3))
        weights = self.weights or STEPS
        if ends[-1] > limit_min * (1 + 1e-12):
            raise InputError(f"zones_min must end within limit_min ({limit_min:g} min); got {ends[-1]:g}")
        if len(weights) != len(ends):
            raise InputError(f"zone_weights must be one for each of the {len(ends)} zones; there are {len(weights)}")
        if not all(0 <= w <= 1 for w in weights) or list(weights) != sorted(weights, reverse=True) or weights[0] == 0:
            raise InputError(f"zone_weights must fall from at most 1 to at least 0; got {', '.join(map(str, weights))}")
        return decay.Stepped(tuple(60 * end for end in ends), weights)


def decay_within(
    kind: CatchmentDecay | str, limit_min: float, half_min: float | None, zones: Zones | None = None
) -> Decay:
    """Return the function of a catchment: 0 beyond ``limit_min``; the half time is half the limit when left out.

    Raises
    ------
    InputError
        A half time, or zones, for a function that has none.

    Examples
    --------
    >>> import numpy as np
    >>> minutes = np.array([0.0, 30.0, 60.0, 61.0])
    >>> for kind in ("none", "steps", "truncated_gaussian", "exponential", "linear"):
    ...     print(kind, decay_within(kind, 60, None)(60 * minutes).round(4).tolist())
    none [1.0, 1.0, 1.0, 0.0]
    steps [1.0, 0.68, 0.22, 0.0]
    truncated_gaussian [1.0, 0.7014, 0.0, 0.0]
    exponential [1.0, 0.5, 0.25, 0.0]
    linear [1.0, 0.5, 0.0, 0.0]
    >>> decay_within("none", 60, 20)
    Traceback (most recent call last):
    kazgeo.errors.InputError: half_min has no effect with decay 'none', which the limit alone shapes; leave it out
    """
    from kazgeo.accessibility import decay

    kind, limit_s, zones = CatchmentDecay(str(kind)), 60 * limit_min, zones or Zones()
    if zones.given and kind is not CatchmentDecay.STEPS:
        raise InputError(f"zones have no effect with decay '{kind}', only with 'steps'; leave them out")
    made: dict[CatchmentDecay, Decay] = {
        CatchmentDecay.NONE: decay.Binary(limit_s),
        CatchmentDecay.STEPS: zones.decay(limit_min),
        CatchmentDecay.TRUNCATED_GAUSSIAN: decay.TruncatedGaussian(limit_s),
    }
    if kind in made:
        if half_min is not None:
            raise InputError(f"half_min has no effect with decay '{kind}', which the limit alone shapes; leave it out")
        return made[kind]
    return decay.Within(falling(str(kind), half_min if half_min is not None else limit_min / 2), limit_s)
