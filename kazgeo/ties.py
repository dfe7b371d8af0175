"""Times that differ by rounding alone: what lies exactly at a limit lies within it.

Engines give ``rounded`` times; whoever compares a time with a limit asks for ``upto`` the limit, which may itself be a
product of minutes and 60.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Limit = TypeVar("Limit", float, "NDArray[np.float64]")

__all__ = ["in_minutes", "rounded", "upto"]

#: Digits of a travel time that count: sums over a route are exact to about fourteen.
DIGITS = 12
_POWER = np.array([10.0 ** np.clip(DIGITS - np.floor(e * np.log10(2.0)), -300, 300) for e in range(-1100, 1100)])


def rounded(time_s: ArrayLike) -> NDArray[np.float64]:
    """Return times to 12 or 13 significant digits, so that the order in which a route is summed can't be seen.

    Assumption: two times that agree so far are the same. Without it 2 x 17.5 km at 70 km/h take 1800.0000000000002
    seconds and are no longer within half an hour.

    Parameters
    ----------
    time_s : array of any shape
        Seconds; infinite and NaN stay.

    Returns
    -------
    float64 array of the same shape

    Examples
    --------
    >>> rounded([1800.0000000000002, 0.1 + 0.2, 0.0, np.inf, np.nan]).tolist()
    [1800.0, 0.3, 0.0, inf, nan]
    >>> rounded([]).tolist()
    []
    """
    time = np.asarray(time_s, dtype=np.float64)
    power = _POWER[np.frexp(time)[1] + 1100]
    with np.errstate(invalid="ignore"):
        return np.asarray(np.rint(time * power) / power)


def in_minutes(time_s: Any) -> Any:
    """Return seconds as minutes for a layer or a table, so that whoever filters these finds what lies at a limit.

    Parameters
    ----------
    time_s : Series, DataFrame or number
        Seconds.

    Examples
    --------
    >>> import pandas as pd
    >>> in_minutes(pd.Series([300.6, np.nan], index=["a", "b"])).tolist(), 300.6 / 60 <= 5.01
    ([5.01, nan], False)
    >>> in_minutes(pd.Series([], dtype=float)).tolist(), in_minutes(300.6)
    ([], 5.01)
    """
    minutes = time_s / 60
    exact = rounded(minutes)
    if not exact.ndim:
        return float(exact)
    minutes[:] = exact
    return minutes


def upto(limit_s: Limit) -> Limit:
    """Return the limit that a time may reach, or several of them.

    Assumption: 8.2 minutes are 492 s, though 60 x 8.2 is 491.99999999999994.

    Examples
    --------
    >>> 1800.0000000000002 <= upto(1800.0), 1800.001 <= upto(1800.0), 492.0 <= upto(60 * 8.2)
    (True, False, True)
    >>> upto(0.0), upto(np.array([])).tolist()
    (0.0, [])
    """
    return limit_s * (1 + 10.0**-DIGITS)
