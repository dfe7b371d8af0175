"""Who goes where: constrained gravity models; and two measures that set people against opportunities."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kazgeo.accessibility.decay import Power, name_of, weigh
from kazgeo.accessibility.pairs import NO_DESTINATION, NO_TIME, Amounts, Pairs, amounts, drops, inverse
from kazgeo.accessibility.times import TravelTimes, as_times
from kazgeo.errors import InputError, choice, listing, positive_integer, positive_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kazgeo.accessibility.decay import DecayFunction

    Floats = NDArray[np.float64]

__all__ = ["Balance", "Constraint", "Flows", "Potential", "balancing_time", "constrained_gravity", "market_potential"]


class Constraint(StrEnum):
    """Which sums of the flows are given."""

    TOTAL = "total"
    PRODUCTION = "production"
    ATTRACTION = "attraction"
    DOUBLE = "double"


@dataclass(frozen=True, eq=False)
class Flows:
    """Flows from origins to destinations.

    Parameters
    ----------
    pairs : Pairs
        Flow on every reachable pair.
    origins, destinations : DataFrame
        ``given`` sums, ``flow`` sums of the model, ``balancing`` factor, on the ids.
    constraint, decay : str
        What was computed.
    iterations : int
        Rounds of balancing; 1 but for the double constraint.
    error : float
        Largest difference between a sum of the model and a sum that the constraint holds to, as a share of the mean of
        those sums; NaN or infinite where numbers grew beyond double precision.
    converged : bool
        Whether the error is within the tolerance. Not where "total" finds nobody in reach of anything.
    dropped : DataFrame
        Columns unit, reason.
    """

    pairs: Pairs
    origins: pd.DataFrame
    destinations: pd.DataFrame
    constraint: str
    decay: str
    iterations: int
    error: float
    converged: bool
    dropped: pd.DataFrame

    @property
    def total(self) -> float:
        """Sum of all flows."""
        return float(self.pairs.values.sum())

    @property
    def mean_time_s(self) -> float:
        """Mean seconds of a trip; NaN without flows. What a decay is calibrated to."""
        return float(self.pairs.values @ self.pairs.times.time_s / self.total) if self.total > 0 else np.nan

    def to_frame(self) -> pd.DataFrame:
        """Return the long table origin, destination, flow."""
        return self.pairs.times.pairs(self.pairs.values, "flow")

    def to_dense(self) -> pd.DataFrame:
        """Return the matrix of flows, 0 where a pair can't be reached."""
        times = self.pairs.times
        out = np.zeros(times.shape)
        out[times.rows, times.indices] = self.pairs.values
        return pd.DataFrame(out, index=times.origins, columns=times.destinations)


@dataclass(frozen=True, eq=False)
class Balance:
    """Travel time at which an origin reaches as many opportunities as it has people.

    Parameters
    ----------
    time_s : Series
        Seconds; NaN where that many are never reached, or the number of people is unknown.
    dropped : DataFrame
        Columns unit, reason.
    """

    time_s: pd.Series
    dropped: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return the times as a table."""
        return self.time_s.to_frame()


@dataclass(frozen=True, eq=False)
class Potential:
    """Market potential.

    Parameters
    ----------
    potential : Series
        Mass per hour of travel (for exponent 1), per origin; NaN where no travel time is known.
    own : Series
        What the place adds to itself.
    dropped : DataFrame
        Columns unit, reason.
    """

    potential: pd.Series
    own: pd.Series
    dropped: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return potential and own side by side."""
        return pd.DataFrame({"potential": self.potential, "own": self.own})


def constrained_gravity(
    times: TravelTimes | pd.DataFrame,
    demand: pd.Series,
    supply: pd.Series,
    *,
    decay: DecayFunction,
    constraint: Constraint | str = Constraint.PRODUCTION,
    tolerance: float = 1e-9,
    max_iterations: int = 1000,
) -> Flows:
    r"""Return the flows of a spatial interaction model of Wilson's family.

    Assumption: flows follow size and travel time; what the constraint gives is known exactly. A weight below 1e-60 is
    none: what has no other is out of reach.

    Parameters
    ----------
    times : TravelTimes or DataFrame
        Seconds; long (origin, destination, time_s) or dense.
    demand : Series
        O: what leaves every origin, at least 0; NaN is unknown: counted as 0 and told.
    supply : Series
        D: what arrives at every destination, or its attraction, at least 0; NaN likewise.
    decay : callable
        Weight of a time.
    constraint : {"production", "attraction", "double", "total"}
        "production": flows of an origin sum to its demand. "attraction": flows into a destination sum to its supply.
        "double": both. "total": all flows sum to all demand.
    tolerance : float
        Error at which the balancing of the double constraint ends; what ``converged`` is measured by.
    max_iterations : int
        Rounds after which it ends in any case, as it does before a factor grows beyond double precision; ``converged``
        tells.

    Returns
    -------
    Flows

    Raises
    ------
    InputError
        As in ``gravity``; for the double constraint sums that differ, or units that can't send or receive what they
        must (named).

    Notes
    -----
    .. math::
        \text{total: } T_{ij} &= K O_i D_j f(t_{ij}), & \textstyle\sum_{ij} T_{ij} &= \textstyle\sum_i O_i \\
        \text{production: } T_{ij} &= A_i O_i D_j f(t_{ij}), & A_i &= 1 / \textstyle\sum_j D_j f(t_{ij}) \\
        \text{attraction: } T_{ij} &= B_j O_i D_j f(t_{ij}), & B_j &= 1 / \textstyle\sum_i O_i f(t_{ij}) \\
        \text{double: } T_{ij} &= A_i B_j O_i D_j f(t_{ij}), & & \text{by iterative proportional fitting (Furness)}

    An origin that reaches no destination sends nothing under "production" and is told; ``total`` is then below the
    demand given.

    References
    ----------
    Wilson, A. G. (1971), doi:10.1068/a030001; Deming, W. E. and Stephan, F. F. (1940), doi:10.1214/aoms/1177731829;
    Furness, K. P. (1965), Time function iteration, Traffic Engineering and Control 7, 458-460 (no DOI).

    Examples
    --------
    >>> from kazgeo.accessibility.decay import Exponential
    >>> times = pd.DataFrame({"x": [600.0, 1200.0, None], "y": [1200.0, 600.0, None]}, index=["a", "b", "c"])
    >>> people, jobs = pd.Series({"a": 30.0, "b": 10.0, "c": 5.0}), pd.Series({"x": 20.0, "y": 20.0})
    >>> got = constrained_gravity(times, people, jobs, decay=Exponential.half_life(600))
    >>> got.to_dense().round(2).values.tolist(), got.total
    ([[20.0, 10.0], [3.33, 6.67], [0.0, 0.0]], 40.0)
    >>> got.dropped.values.tolist()
    [['c', 'origin without travel time to any destination']]
    >>> both = constrained_gravity(times[:2], people[:2], jobs, decay=Exponential.half_life(600), constraint="double")
    >>> both.to_dense().sum().round(6).tolist(), both.to_dense().sum(axis=1).round(6).tolist(), both.converged
    ([20.0, 20.0], [30.0, 10.0], True)
    >>> constrained_gravity(times, people, jobs, decay=Exponential.half_life(600), constraint="double")
    Traceback (most recent call last):
    kazgeo.errors.InputError: demand and supply must have the same sum under a double constraint; got 45 and 40; scale
    one of them
    """
    table = as_times(times)
    how = choice(Constraint, constraint, "constraint")
    within, rounds = positive_number(tolerance, "tolerance"), positive_integer(max_iterations, "max_iterations")
    leave = amounts(demand, "demand", table.origins, "origin")
    arrive = amounts(supply, "supply", table.destinations, "destination")
    weights = Pairs(table, weigh(table, decay))
    a, b, turns = _balanced(weights, leave.values, arrive.values, how, (within, rounds))
    flow = weights.by_origin(a * leave.values).by_destination(b * arrive.values)
    sent, got = flow.origin_sums(), flow.destination_sums()
    told = _stranded(table, weights, leave, arrive, how)
    error = _error(how, sent, got, leave.values, arrive.values)
    return Flows(
        flow,
        pd.DataFrame({"given": leave.values, "flow": sent, "balancing": a}, index=table.origins),
        pd.DataFrame({"given": arrive.values, "flow": got, "balancing": b}, index=table.destinations),
        how.value,
        name_of(decay),
        turns,
        error,
        error <= within,
        drops(leave.dropped, arrive.dropped, told),
    )


def balancing_time(
    times: TravelTimes | pd.DataFrame,
    demand: pd.Series,
    opportunities: pd.Series,
    *,
    step_s: float | None = None,
) -> Balance:
    r"""Return the travel time at which every origin reaches as many opportunities as it has people.

    Assumption: everybody of the origin needs one opportunity, and nobody from elsewhere takes it.

    Parameters
    ----------
    times : TravelTimes or DataFrame
        Seconds; long (origin, destination, time_s) or dense.
    demand : Series
        People per origin, at least 0; NaN is unknown.
    opportunities : Series
        Amount per destination, at least 0; NaN is unknown and left out.
    step_s : float, optional
        Times are looked at in these steps and the result is a multiple of it; left out: the exact time.

    Returns
    -------
    Balance
        0 for origins without people.

    Raises
    ------
    InputError
        As in ``cumulative``; a step not above 0.

    Notes
    -----
    .. math:: t_i = \min \{ T : \textstyle\sum_j O_j [t_{ij} \le T] \ge P_i \}

    R accessibility's ``balancing_cost`` wants more opportunities than people (>), not as many (>=): the two differ only
    where the numbers are equal.

    References
    ----------
    Barboza, M. H. C., Carneiro, M. S., Falavigna, C., Luz, G. and Orrico, R. (2021),
    doi:10.1016/j.jtrangeo.2020.102924.

    Examples
    --------
    >>> times = pd.DataFrame({"x": [290.0, 900.0, None], "y": [1210.0, 300.0, None]}, index=["a", "b", "c"])
    >>> jobs = pd.Series({"x": 10, "y": 4})
    >>> balancing_time(times, pd.Series({"a": 12, "b": 4, "c": 1}), jobs).time_s.tolist()
    [1210.0, 300.0, nan]
    >>> got = balancing_time(times, pd.Series({"a": 12, "b": 40, "c": 0}), jobs, step_s=60)
    >>> got.time_s.tolist(), got.dropped.values.tolist()
    ([1260.0, nan, 0.0], [['b', 'origin that reaches fewer opportunities than people']])
    >>> balancing_time(times.iloc[:0], pd.Series(dtype=float), jobs).time_s.tolist()
    []
    """
    from kazgeo.accessibility.running import first_reaching

    table = as_times(times)
    people = amounts(demand, "demand", table.origins, "origin")
    amount = amounts(opportunities, "opportunities", table.destinations, "destination")
    order = np.lexsort((table.time_s, table.rows))
    seconds, found = table.time_s[order], amount.values[table.indices[order]]
    at = first_reaching(table.indptr.astype(np.int64), found, people.values)
    reached = at >= 0
    time = np.full(len(table.origins), np.nan)
    time[reached] = seconds[at[reached]]
    time[people.values == 0] = 0.0
    if step_s is not None:
        step = positive_number(step_s, "step_s", "seconds above 0")
        time = np.ceil(time / step * (1 - 1e-12)) * step
    time[~people.known] = np.nan
    blank = (table.reached == 0) & np.isnan(time) & people.known
    few = np.isnan(time) & people.known & ~blank
    lost = [(unit, NO_TIME) for unit in table.origins[blank]]
    lost += [(unit, "origin that reaches fewer opportunities than people") for unit in table.origins[few]]
    series = pd.Series(time, index=table.origins, name="time_s")
    return Balance(series, drops(people.dropped, lost, amount.dropped))


def market_potential(
    times: TravelTimes | pd.DataFrame,
    mass: pd.Series,
    *,
    own_time_s: float = 900.0,
    exponent: float = 1.0,
) -> Potential:
    r"""Return the market potential of every origin (Harris): masses divided by travel time.

    Assumption: a market counts by the inverse of the time to it. How long it takes to cross one's own place decides how
    much it counts for itself; the result tells this part apart. A market that counts less than 1e-60 of what it would
    within ``own_time_s`` counts nothing; an origin that has no other is told.

    Parameters
    ----------
    times : TravelTimes or DataFrame
        Seconds; long (origin, destination, time_s) or dense.
    mass : Series
        Size of every destination's market (people, product), at least 0; NaN is unknown and left out.
    own_time_s : float
        Seconds that stand for shorter times, the place's own among them.
    exponent : float
        Power of time, above 0.

    Returns
    -------
    Potential
        Unit of the mass per hour (exponent 1).

    Raises
    ------
    InputError
        As in ``gravity``; seconds or exponent not above 0.

    Notes
    -----
    .. math:: M_i = \sum_j \frac{m_j}{\max(t_{ij}, t_0)^b}, \qquad t \text{ in hours}

    References
    ----------
    Harris, C. D. (1954), doi:10.1080/00045605409352140.

    Examples
    --------
    >>> times = pd.DataFrame({"a": [0.0, 7200.0, None], "b": [7200.0, 0.0, None]}, index=["a", "b", "c"])
    >>> got = market_potential(times, pd.Series({"a": 100.0, "b": 10.0}), own_time_s=1800)
    >>> got.potential.tolist(), got.own.tolist()
    ([205.0, 70.0, nan], [200.0, 20.0, nan])
    >>> got.dropped.values.tolist()
    [['c', 'origin without travel time to any destination']]
    >>> market_potential(times.iloc[:0], pd.Series({"a": 1.0, "b": 1.0})).potential.tolist()
    []
    """
    table = as_times(times)
    fall = Power(exponent, min_s=positive_number(own_time_s, "own_time_s", "seconds above 0"))
    amount = amounts(mass, "mass", table.destinations, "destination")
    at_own = (fall.min_s / 3600) ** -fall.exponent
    weights = Pairs(table, weigh(table, fall) * at_own)
    itself = table.destinations.get_indexer(table.origins)[table.rows] == table.indices
    parts = (weights.to_origins(amount.values), weights.times_values(itself.astype(float)).to_origins(amount.values))
    blank = (table.reached == 0) if table.limit_s is None else np.zeros(len(table.origins), dtype=bool)
    whole, own = (pd.Series(np.where(blank, np.nan, part), index=table.origins) for part in parts)
    lost = [(unit, NO_TIME) for unit in table.origins[blank]]
    lost += [(unit, NO_DESTINATION) for unit in table.origins[~blank & (weights.origin_sums() == 0)]]
    return Potential(whole.rename("potential"), own.rename("own"), drops(lost, amount.dropped))


def _balanced(
    weights: Pairs, leave: Floats, arrive: Floats, how: Constraint, until: tuple[float, int]
) -> tuple[Floats, Floats, int]:
    """Return the balancing factors of origins and destinations, and the rounds it took."""
    ones = np.ones(len(leave)), np.ones(len(arrive))
    if how is Constraint.PRODUCTION:
        return inverse(weights.to_origins(arrive)), ones[1], 1
    if how is Constraint.ATTRACTION:
        return ones[0], inverse(weights.to_destinations(leave)), 1
    if how is Constraint.TOTAL:
        raw = float(leave @ weights.to_origins(arrive))
        return ones[0] * (leave.sum() / raw if raw > 0 else 0.0), ones[1], 1
    _refuse_unbalanced(weights, leave, arrive)
    tolerance, rounds = until
    kept = np.zeros(len(leave)), ones[1]
    b, turn = ones[1], 0
    while True:
        turn += 1
        with np.errstate(over="ignore", invalid="ignore"):  # without a solution, factors grow without end
            a = inverse(weights.to_origins(b * arrive))
            pulled = weights.to_destinations(a * leave)
            error = _misfit(b * arrive * pulled, arrive)
        if not np.isfinite(error):
            return *kept, turn
        if error <= tolerance / 2 or turn >= rounds:
            return a, b, turn
        kept = a, b
        b = inverse(pulled)


def _refuse_unbalanced(weights: Pairs, leave: Floats, arrive: Floats) -> None:
    if abs(leave.sum() - arrive.sum()) > 1e-9 * max(leave.sum(), arrive.sum()):
        raise InputError(
            f"demand and supply must have the same sum under a double constraint; got {leave.sum():g} and "
            f"{arrive.sum():g}; scale one of them"
        )
    times = weights.times
    stuck = times.origins[(leave > 0) & (weights.to_origins(arrive) == 0)]
    idle = times.destinations[(arrive > 0) & (weights.to_destinations(leave) == 0)]
    if len(stuck) or len(idle):
        raise InputError(
            f"a double constraint wants every unit with demand or supply within reach of another; out of reach are "
            f"{len(stuck)} origins ({listing(stuck)}) and {len(idle)} destinations ({listing(idle)}); leave them out"
        )


def _stranded(
    table: TravelTimes, weights: Pairs, leave: Amounts, arrive: Amounts, how: Constraint
) -> list[tuple[Any, str]]:
    blank = table.reached == 0
    stuck = ~blank & (leave.values > 0) & (weights.to_origins(arrive.values) == 0)
    told = [(unit, NO_TIME) for unit in table.origins[blank]]
    told += [(unit, NO_DESTINATION) for unit in table.origins[stuck]]
    if how is Constraint.ATTRACTION:
        idle = (arrive.values > 0) & (weights.to_destinations(leave.values) == 0)
        told += [(unit, "destination without origin in reach") for unit in table.destinations[idle]]
    return told


def _error(how: Constraint, sent: Floats, got: Floats, leave: Floats, arrive: Floats) -> float:
    if how is Constraint.TOTAL:
        return _misfit(np.array([sent.sum()]), np.array([leave.sum()]))
    errors = []
    if how in (Constraint.PRODUCTION, Constraint.DOUBLE):
        errors.append(_misfit(sent, np.where(sent > 0, leave, 0.0) if how is Constraint.PRODUCTION else leave))
    if how in (Constraint.ATTRACTION, Constraint.DOUBLE):
        errors.append(_misfit(got, np.where(got > 0, arrive, 0.0) if how is Constraint.ATTRACTION else arrive))
    return float(np.max(errors))  # NaN stays NaN


def _misfit(sums: Floats, wanted: Floats) -> float:
    """Return the largest difference as a share of the mean that is wanted; never a number where a sum is none."""
    worst = float(np.abs(sums - wanted).max(initial=0.0))
    mean = float(wanted.mean()) if len(wanted) else 0.0
    return worst / mean if mean > 0 else worst
