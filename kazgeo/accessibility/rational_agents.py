"""RAAM: people choose between a long way and a full facility until nobody gains by moving."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from kazgeo.accessibility.pairs import NO_REACH, NO_TIME, Pairs, amounts, drops
from kazgeo.accessibility.times import TravelTimes, as_times
from kazgeo.errors import InputError, positive_integer, positive_number
from kazgeo.progress import Progress, silent

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["RationalAgents", "rational_agents"]

#: A path this much dearer than the cheapest is looked at between two checks of all; decides speed, never results.
_NEAR = 0.1
#: Sweeps between two checks of all pairs.
_BETWEEN = 40


@dataclass(frozen=True, eq=False)
class RationalAgents:
    """Cost of access in equilibrium: lower is better.

    Parameters
    ----------
    cost : Series
        Way and congestion per origin, in units of tau; NaN without a facility in reach.
    travel_s : Series
        Mean seconds of the way that people of an origin take; NaN without demand.
    congestion : Series
        Demand per unit of supply at every facility, in units of the mean of the study (rho).
    demand : Series
        People that every facility draws.
    flows : Pairs
        People on every pair.
    gap : float
        What people could still save by moving, as a share of what all pay; 0 is the equilibrium.
    sweeps : int
        Rounds over all origins.
    converged : bool
        Whether the gap fell below the tolerance.
    dropped : DataFrame
        Columns unit, reason.
    """

    cost: pd.Series
    travel_s: pd.Series
    congestion: pd.Series
    demand: pd.Series
    flows: Pairs
    gap: float
    sweeps: int
    converged: bool
    dropped: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return cost and travel_s side by side, on the origins."""
        return pd.DataFrame({"cost": self.cost, "travel_s": self.travel_s})

    def to_long(self) -> pd.DataFrame:
        """Return who goes where: columns origin, destination, people."""
        table = self.flows.times.pairs(self.flows.values, "people")
        return table[table["people"] > 0].reset_index(drop=True)


def rational_agents(
    times: TravelTimes | pd.DataFrame,
    demand: pd.Series,
    supply: pd.Series,
    *,
    tau_s: float = 3600.0,
    tolerance: float = 1e-6,
    max_sweeps: int = 10_000,
    progress: Progress = silent,
) -> RationalAgents:
    r"""Return the cost of access by the rational agent access model (RAAM).

    Assumption: everybody knows the way and the crowd everywhere and minds both; ``tau_s`` seconds of travel are as bad
    as the mean demand per supply of the whole study. There is no catchment: a full facility nearby sends people on.

    Parameters
    ----------
    times : TravelTimes or DataFrame
        From where people live to facilities, seconds; long (origin, destination, time_s) or dense.
    demand, supply : Series
        People per origin and capacity per facility, at least 0; NaN is unknown: left out and counted.
    tau_s : float
        Seconds of travel that weigh as much as the mean congestion.
    tolerance : float
        Gap at which the search ends.
    max_sweeps : int
        Rounds after which it ends in any case; ``converged`` tells.
    progress : Progress
        Reporter.

    Returns
    -------
    RationalAgents
        On the origins of ``times``; for origins without demand the cost of the first person.

    Raises
    ------
    InputError
        As in ``floating_catchment``; tau, tolerance not above 0; no supply at all.

    Notes
    -----
    Demand :math:`x_{ij}` in the user equilibrium: whoever goes from i to j pays no more there than anywhere else,

    .. math:: c_{ij} = \frac{t_{ij}}{\tau} + \frac{\sum_k x_{kj}}{\rho S_j}, \qquad \rho = \sum_i P_i / \sum_j S_j,
        \qquad A_i = \min_j c_{ij}

    with :math:`P_i` of those only who reach a facility: others crowd none. It is the minimum of a convex function
    (Beckmann), found origin by origin, each time exactly; costs and congestion are unique, who goes where need not be.
    PySAL access moves whole people in shrinking steps for 150 rounds and stops short of the equilibrium: its costs
    differ by about 1 % in the mean, by up to 14 % at single origins (measured on random points), and come nearer with
    more rounds and smaller steps.

    References
    ----------
    Saxon, J. and Snow, D. (2020), doi:10.1080/24694452.2019.1629870.

    Examples
    --------
    >>> times = pd.DataFrame({"x": [0.0, 1800.0, None], "y": [1800.0, 0.0, None]}, index=["a", "b", "c"])
    >>> got = rational_agents(times, pd.Series({"a": 30, "b": 10, "c": 5}), pd.Series({"x": 1.0, "y": 1.0}))
    >>> got.cost.round(4).tolist(), got.demand.round(4).tolist(), got.converged
    ([1.25, 0.75, nan], [25.0, 15.0], True)
    >>> got.dropped.values.tolist()
    [['c', 'origin without travel time to any destination']]
    >>> rational_agents(times.iloc[:0], pd.Series(dtype=float), pd.Series({"x": 1.0, "y": 1.0})).cost.tolist()
    []
    """
    tau, least = positive_number(tau_s, "tau_s", "seconds above 0"), positive_number(tolerance, "tolerance")
    rounds = positive_integer(max_sweeps, "max_sweeps")
    table = as_times(times)
    people = amounts(demand, "demand", table.origins, "origin")
    capacity = amounts(supply, "supply", table.destinations, "facility")
    if len(table.destinations) and not capacity.values.sum() > 0:
        raise InputError("supply must be above 0 at one facility at least; all are 0 or unknown")
    open_pairs = np.flatnonzero(capacity.values[table.indices] > 0)
    rows, ends = table.rows[open_pairs], table.indices[open_pairs].astype(np.int64)
    indptr = np.searchsorted(rows, np.arange(len(table.origins) + 1)).astype(np.int64)
    travel = table.time_s[open_pairs] / tau
    reached = np.diff(indptr) > 0
    served = np.where(reached, people.values, 0.0)
    rho = served.sum() / capacity.values.sum() if served.sum() > 0 else 1.0
    room = np.where(capacity.values > 0, capacity.values * rho, 1.0)
    found = _equilibrium(_Choice(travel, indptr, ends, served, room), least, rounds, progress)
    flow, load = found.flow, found.load
    paths = travel + (load / room)[ends]
    cost = np.full(len(reached), np.nan)
    cost[reached] = np.minimum.reduceat(paths, indptr[:-1][reached]) if len(paths) else np.nan
    way = np.bincount(rows, flow * travel * tau, minlength=len(reached))
    whole = np.zeros(len(table.time_s))
    whole[open_pairs] = flow
    blank = table.reached == 0
    lost = [(unit, NO_TIME) for unit in table.origins[blank]]
    lost += [(unit, NO_REACH) for unit in table.origins[~blank & ~reached]]
    idle = capacity.known & (capacity.values == 0)
    told = [(unit, "facility without capacity") for unit in table.destinations[idle]]
    crowd = np.where(capacity.values > 0, load / room, np.nan)
    mean_s = np.divide(way, served, out=np.full(len(way), np.nan), where=served > 0)
    return RationalAgents(
        pd.Series(cost, index=table.origins, name="cost"),
        pd.Series(mean_s, index=table.origins, name="travel_s"),
        pd.Series(crowd, index=table.destinations, name="congestion"),
        pd.Series(load, index=table.destinations, name="demand"),
        Pairs(table, whole),
        found.gap,
        found.sweeps,
        found.gap <= least,
        drops(people.dropped, lost, capacity.dropped, told),
    )


class _Choice(NamedTuple):
    """Who may go where: travel cost of pairs in rows of origins, demand of origins, room of facilities."""

    travel: Floats
    indptr: NDArray[np.int64]
    ends: NDArray[np.int64]
    demand: Floats
    room: Floats

    def least(self, paths: Floats) -> Floats:
        """Return the cheapest path of the pair's origin, for every pair."""
        counts = np.diff(self.indptr)
        filled = counts > 0
        return np.repeat(np.minimum.reduceat(paths, self.indptr[:-1][filled]), counts[filled])


class _Equilibrium(NamedTuple):
    flow: Floats
    load: Floats
    gap: float
    sweeps: int


def _equilibrium(pairs: _Choice, tolerance: float, rounds: int, progress: Progress) -> _Equilibrium:
    """Sweep over the origins until the gap is small.

    Between checks of all pairs only those are looked at that are in use or nearly as cheap as the cheapest: they are
    few, and a pair that was left out wrongly is in at the next check. The gap that ends the search is that of all.
    """
    from kazgeo.accessibility.equilibrium import gap, sweep

    flow, load = np.zeros(len(pairs.travel)), np.zeros(len(pairs.room))
    if not len(flow) or not pairs.demand.sum() > 0:
        return _Equilibrium(flow, load, 0.0, 0)
    sweep(*pairs, flow, load, False)
    done, share = 1, np.inf
    while True:
        load = np.bincount(pairs.ends, flow, minlength=len(load)).astype(np.float64)
        price = load / pairs.room
        saved, paid = gap(pairs.travel, pairs.indptr, pairs.ends, flow, price)
        share = saved / paid if paid > 0 else 0.0
        if share <= tolerance or done >= rounds:
            return _Equilibrium(flow, load, float(share), done)
        progress(done / rounds, "dividing people among facilities")
        paths = pairs.travel + price[pairs.ends]
        near = np.flatnonzero((flow > 0) | (paths <= (1 + _NEAR) * pairs.least(paths)))
        few = pairs._replace(
            travel=pairs.travel[near],
            ends=pairs.ends[near],
            indptr=np.searchsorted(near, pairs.indptr).astype(np.int64),
        )
        part = flow[near]
        for turn in range(min(_BETWEEN, rounds - done)):
            sweep(*few, part, load, bool(turn % 2))
            done += 1
        flow[near] = part
