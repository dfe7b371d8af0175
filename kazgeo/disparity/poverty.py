"""Poverty in anything that has a line: how many are below it, how far, and how unequally."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from kazgeo.disparity.shares import shares
from kazgeo.errors import choice, positive_number

__all__ = ["Poverty", "PovertySide", "foster_greer_thorbecke"]


class PovertySide(StrEnum):
    """On which side of the line the poor are: below it (jobs in reach), or above it (travel time)."""

    BELOW = "below"
    ABOVE = "above"


@dataclass(frozen=True, eq=False)
class Poverty:
    """Foster-Greer-Thorbecke measures.

    Parameters
    ----------
    fgt0, fgt1, fgt2 : float
        Share of the poor, mean gap (non-poor count as 0), mean squared gap.
    line : float
        The line.
    poor : Series
        True where a unit is poor, on the units used.
    n : int
        Units used.
    dropped : DataFrame
        Columns unit, reason.
    """

    fgt0: float
    fgt1: float
    fgt2: float
    line: float
    poor: pd.Series
    n: int
    dropped: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return the three measures, index order of the measure."""
        return pd.DataFrame({"fgt": [self.fgt0, self.fgt1, self.fgt2]}, index=pd.Index([0, 1, 2], name="order"))


def foster_greer_thorbecke(
    x: pd.Series, weights: pd.Series | None = None, *, line: float, poor: PovertySide | str = PovertySide.BELOW
) -> Poverty:
    r"""Return the Foster-Greer-Thorbecke measures of order 0, 1 and 2.

    Assumption: all people of a unit have its value; the line is a norm, not something found in the data.

    Parameters
    ----------
    x : Series
        Values per unit, for instance jobs within an hour; NaN is left out and counted.
    weights : Series or None
        Population; None = every unit counts alike.
    line : float
        Poverty line in the unit of ``x``, above 0; who is exactly on it is not poor.
    poor : {"below", "above"}
        "above" where more is worse, as with travel time.

    Returns
    -------
    Poverty
        NaN without units.

    Raises
    ------
    InputError
        A line not above 0, negative values, weights that don't fit.

    Notes
    -----
    .. math:: FGT_\alpha = \sum_{x_i < z} p_i \left(\frac{z - x_i}{z}\right)^\alpha

    and with (x - z) / z over x > z where the poor are above. Those may exceed 1: a gap upwards has no end.

    References
    ----------
    Foster, J., Greer, J. and Thorbecke, E. (1984), doi:10.2307/1913475.

    Examples
    --------
    >>> jobs = pd.Series({"a": 50.0, "b": 100.0, "c": None, "d": 0.0})
    >>> got = foster_greer_thorbecke(jobs, pd.Series({"a": 2, "b": 1, "c": 1, "d": 1}), line=100)
    >>> got.fgt0, got.fgt1, got.fgt2, got.dropped.values.tolist()
    (0.75, 0.5, 0.375, [['c', 'missing value']])
    >>> foster_greer_thorbecke(jobs, line=25, poor="above").fgt0.__round__(4)
    0.6667
    >>> foster_greer_thorbecke(jobs.iloc[:0], line=100).fgt0
    nan
    """
    limit = positive_number(line, "line")
    side = choice(PovertySide, poor, "poor")
    data = shares(x, weights)
    data.refuse(data.x < 0, "Foster-Greer-Thorbecke", "values of at least 0")
    gap = (limit - data.x) / limit * (1 if side is PovertySide.BELOW else -1)
    below = gap > 0
    fgt0, fgt1, fgt2 = (float(data.p[below] @ gap[below] ** k) if len(data.x) else np.nan for k in (0, 1, 2))
    return Poverty(fgt0, fgt1, fgt2, limit, pd.Series(below, index=data.units, name="poor"), len(data.x), data.dropped)
