"""Huff's model: with what probability a place is chosen, and how many people it draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kazgeo.accessibility.decay import name_of, weigh
from kazgeo.accessibility.pairs import NO_REACH, NO_TIME, Pairs, amounts, drops, inverse, ranks
from kazgeo.accessibility.times import TravelTimes, as_times
from kazgeo.errors import positive_number

if TYPE_CHECKING:
    from kazgeo.accessibility.decay import DecayFunction

__all__ = ["Huff", "huff"]


@dataclass(frozen=True, eq=False)
class Huff:
    """Probability that a destination is chosen from an origin.

    Parameters
    ----------
    pairs : Pairs
        Probabilities on the reachable pairs; those of an origin sum to 1.
    decay : str
        What was used.
    alpha : float
        Power of attractiveness.
    dropped : DataFrame
        Columns unit, reason.
    """

    pairs: Pairs
    decay: str
    alpha: float
    dropped: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return the long table origin, destination, probability, pairs above 0 only."""
        table = self.pairs.times.pairs(self.pairs.values, "probability")
        return table[table["probability"] > 0].reset_index(drop=True)

    def to_dense(self) -> pd.DataFrame:
        """Return the matrix of probabilities, 0 where a destination can't be reached."""
        times = self.pairs.times
        out = np.zeros(times.shape)
        out[times.rows, times.indices] = self.pairs.values
        return pd.DataFrame(out, index=times.origins, columns=times.destinations)

    def visits(self, demand: pd.Series) -> pd.Series:
        """Return the people that every destination draws; origins of unknown demand add nothing."""
        people = amounts(demand, "demand", self.pairs.times.origins, "origin")
        drawn = self.pairs.to_destinations(people.values)
        return pd.Series(drawn, index=self.pairs.times.destinations, name="visits")

    def allocation(self) -> pd.Series:
        """Return the likeliest destination of every origin; of equally likely ones the first id."""
        times, possible = self.pairs.times, np.flatnonzero(self.pairs.values > 0)
        rows, ends = times.rows[possible], times.indices[possible]
        order = np.lexsort((ranks(times.destinations)[ends], -self.pairs.values[possible], rows))
        rows, ends = rows[order], ends[order]
        first = np.flatnonzero(np.diff(rows, prepend=-1))
        out = np.full(len(times.origins), None, dtype=object)
        out[rows[first]] = times.destinations.to_numpy(dtype=object)[ends[first]]
        return pd.Series(out, index=times.origins, name="destination")


def huff(
    times: TravelTimes | pd.DataFrame, attractiveness: pd.Series, *, decay: DecayFunction, alpha: float = 1.0
) -> Huff:
    r"""Return with what probability every destination is chosen from every origin.

    Assumption: choice by attractiveness and travel time alone, each destination a substitute for all others
    (independence of irrelevant alternatives). A weight below 1e-60 is none: an origin that has no other chooses nothing
    and is told.

    Parameters
    ----------
    times : TravelTimes or DataFrame
        Seconds; long (origin, destination, time_s) or dense.
    attractiveness : Series
        Size per destination (floor space, beds), at least 0; NaN is unknown: not chosen.
    decay : callable
        Weight of a time.
    alpha : float
        Power of attractiveness, above 0.

    Returns
    -------
    Huff
        Probabilities; ``visits(demand)`` gives the people drawn, ``allocation()`` the likeliest destination.

    Raises
    ------
    InputError
        As in ``gravity``; alpha not above 0.

    Notes
    -----
    .. math:: p_{ij} = \frac{S_j^\alpha f(t_{ij})}{\sum_k S_k^\alpha f(t_{ik})}

    References
    ----------
    Huff, D. L. (1963), doi:10.2307/3144521.

    Examples
    --------
    >>> from kazgeo.accessibility.decay import Power
    >>> times = pd.DataFrame({"x": [600.0, 600.0, None], "y": [600.0, 1200.0, None]}, index=["a", "b", "c"])
    >>> got = huff(times, pd.Series({"x": 3.0, "y": 1.0}), decay=Power(2.0))
    >>> got.to_dense().round(4).values.tolist()
    [[0.75, 0.25], [0.9231, 0.0769], [0.0, 0.0]]
    >>> got.visits(pd.Series({"a": 100, "b": None, "c": 10})).tolist(), got.allocation().tolist()[:2]
    ([75.0, 25.0], ['x', 'x'])
    >>> got.dropped.values.tolist()
    [['c', 'origin without travel time to any destination']]
    >>> huff(times.iloc[:0], pd.Series({"x": 3.0, "y": 1.0}), decay=Power(2.0)).to_frame().empty
    True
    """
    table = as_times(times)
    power = positive_number(alpha, "alpha")
    size = amounts(attractiveness, "attractiveness", table.destinations, "destination")
    pull = Pairs(table, weigh(table, decay)).by_destination(np.where(size.values > 0, size.values, 0.0) ** power)
    whole = inverse(pull.origin_sums())
    shares = pull.by_origin(whole)
    lost = [(unit, NO_TIME) for unit in table.origins[table.reached == 0]]
    lost += [(unit, NO_REACH) for unit in table.origins[(table.reached > 0) & (whole == 0)]]
    return Huff(shares, name_of(decay), power, drops(lost, size.dropped))
