"""Speeds of walking, cycling and driving, and what a slope does to them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kazgeo.errors import InputError, listing

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MODES", "Mode", "checked_speeds", "tobler"]

#: Least and greatest plausible speeds, km/h: outside of them the unit is likely wrong.
SLOWEST, FASTEST = 0.01, 1000.0


class Mode(StrEnum):
    """How one travels in a cell; only walking and cycling feel the slope."""

    WALKING = "walking"
    BICYCLING = "bicycling"
    MOTORISED = "motorised"


#: Modes by the code that surfaces of modes hold: 0, 1, 2.
MODES = tuple(Mode)


def tobler(slope: Any) -> NDArray[np.float64]:
    r"""Return walking speed at a slope as a share of that on the flat.

    Parameters
    ----------
    slope : array of float
        Rise over run along the travel; negative downhill.

    Notes
    -----
    .. math:: v(s) / v(0) = e^{-3.5 |s + 0.05|} / e^{-0.175}

    References
    ----------
    Tobler, W. (1993). Three presentations on geographical analysis and modeling. NCGIA Technical Report 93-1.
    https://escholarship.org/uc/item/05r820mz

    Examples
    --------
    >>> tobler([0.0, -0.05, 0.2]).round(3).tolist()
    [1.0, 1.191, 0.497]
    >>> tobler([]).tolist(), tobler([np.nan]).tolist()
    ([], [nan])
    """
    return np.exp(0.175 - 3.5 * np.abs(np.asarray(slope, dtype=np.float64) + 0.05))


def checked_speeds(speeds: pd.DataFrame) -> pd.DataFrame:
    """Return a speed table with ``speed_kmh`` as float and ``mode`` as Mode, or name all its faults at once.

    Parameters
    ----------
    speeds : DataFrame
        Indexed by class of land cover or road; columns ``speed_kmh`` (km/h on the flat; NaN: can't be passed) and,
        optionally, ``mode`` (walking, bicycling, motorised; walking where there is no such column).

    Raises
    ------
    InputError
        No column ``speed_kmh``, repeated classes, speeds that are no positive number or implausible, unknown modes.

    Examples
    --------
    >>> table = pd.DataFrame({"speed_kmh": [4, None], "mode": ["walking", "walking"]}, index=[1, 2])
    >>> checked_speeds(table)["speed_kmh"].tolist()
    [4.0, nan]
    >>> checked_speeds(table.assign(speed_kmh=[0, -3], mode="by car"))
    Traceback (most recent call last):
    kazgeo.errors.InputError: speeds: speed_kmh must be between 0.01 and 1000 km/h, or empty for a barrier; not so for
    classes 1, 2; mode must be one of walking, bicycling, motorised; not so for classes 1, 2
    """
    if "speed_kmh" not in speeds.columns:
        raise InputError(f"speeds must have a column 'speed_kmh'; there are {listing(speeds.columns)}")
    faults = []
    if not speeds.index.is_unique:
        faults.append(f"classes must be unique; repeated: {listing(speeds.index[speeds.index.duplicated()])}")
    speed = pd.to_numeric(speeds["speed_kmh"], errors="coerce").astype(float)
    broken = speeds["speed_kmh"].notna() & ~speed.between(SLOWEST, FASTEST)
    if broken.any():
        faults.append(
            f"speed_kmh must be between {SLOWEST:g} and {FASTEST:g} km/h, or empty for a barrier; not so for classes "
            f"{listing(speeds.index[broken])}"
        )
    mode = speeds["mode"] if "mode" in speeds.columns else pd.Series(Mode.WALKING.value, speeds.index)
    strange = ~mode.isin([m.value for m in MODES])
    if strange.any():
        faults.append(f"mode must be one of {', '.join(MODES)}; not so for classes {listing(speeds.index[strange])}")
    if faults:
        raise InputError("speeds: " + "; ".join(faults))
    return pd.DataFrame({"speed_kmh": speed, "mode": mode})
