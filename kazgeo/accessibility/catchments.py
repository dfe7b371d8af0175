"""Floating catchments: supply per head where people compete for facilities and facilities for people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kazgeo.accessibility.decay import name_of, weigh
from kazgeo.accessibility.pairs import NO_REACH, NO_TIME, Amounts, Pairs, amounts, drops
from kazgeo.accessibility.times import TravelTimes, as_times
from kazgeo.errors import choice, positive_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kazgeo.accessibility.decay import DecayFunction

    Floats = NDArray[np.float64]

__all__ = ["Catchment", "CatchmentMethod", "SpatialAvailability", "floating_catchment", "spatial_availability"]


class CatchmentMethod(StrEnum):
    """Which floating catchment: 2SFCA and E2SFCA differ only in the decay."""

    TWO_STEP = "2sfca"
    THREE_STEP = "3sfca"
    MODIFIED = "m2sfca"
    BALANCED = "bfca"


@dataclass(frozen=True, eq=False)
class Catchment:
    """Access by a floating catchment.

    Parameters
    ----------
    access : Series
        Supply per head at every origin; 0 where no facility is in reach, NaN where no travel time is known.
    ratio : Series
        Supply per head of demand at every facility; NaN without demand in reach or with unknown supply.
    demand : Series
        Demand that every facility is held to serve.
    method, decay : str
        What was computed.
    inflation : float
        Sum of demand times access, against the supply of the facilities that have demand in reach. 1: supply is
        conserved.
    demand_inflation : float
        Sum of the demand at facilities, against the demand of the origins with a facility in reach. Above 1: people
        are counted at several facilities.
    service_inflation : float
        Sum of access, against the sum of the ratios. Above 1: a ratio is given to several origins.
    dropped : DataFrame
        Columns unit, reason.
    """

    access: pd.Series
    ratio: pd.Series
    demand: pd.Series
    method: str
    decay: str
    inflation: float
    demand_inflation: float
    service_inflation: float
    dropped: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return the access as a table on the origins."""
        return self.access.to_frame()

    def facilities(self) -> pd.DataFrame:
        """Return ratio and demand side by side, on the facilities."""
        return pd.DataFrame({"ratio": self.ratio, "demand": self.demand})


@dataclass(frozen=True, eq=False)
class SpatialAvailability:
    """Opportunities that are left to every origin when all compete.

    Parameters
    ----------
    available : Series
        Opportunities of every origin; they sum to the supply that is in reach of demand.
    per_head : Series
        Opportunities per head of demand; NaN where the demand is 0 or unknown.
    decay : str
        What was used.
    inflation : float
        Sum of what is available, against the supply of the facilities with demand in reach: 1.
    dropped : DataFrame
        Columns unit, reason.
    """

    available: pd.Series
    per_head: pd.Series
    decay: str
    inflation: float
    dropped: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return available and per_head side by side, on the origins."""
        return pd.DataFrame({"available": self.available, "per_head": self.per_head})


def floating_catchment(
    times: TravelTimes | pd.DataFrame,
    demand: pd.Series,
    supply: pd.Series,
    *,
    decay: DecayFunction,
    method: CatchmentMethod | str = CatchmentMethod.TWO_STEP,
) -> Catchment:
    r"""Return supply per head by 2SFCA, E2SFCA, 3SFCA, M2SFCA or BFCA.

    Assumption: people divide among facilities by travel time alone, not by who has room; a facility serves all in its
    catchment alike. Origins whose demand is unknown are given access but count as no competitors. A weight below 1e-60
    is none: what has no other is out of reach and told, a facility too.

    Parameters
    ----------
    times : TravelTimes or DataFrame
        From where people live to facilities, seconds; long (origin, destination, time_s) or dense.
    demand : Series
        People per origin, at least 0; NaN is unknown.
    supply : Series
        Capacity per facility (beds, doctors, places), at least 0; NaN is unknown: the facility is left out.
    decay : callable
        Weight of a time. ``Binary`` makes 2SFCA, ``Stepped`` or any other function E2SFCA.
    method : {"2sfca", "3sfca", "m2sfca", "bfca"}
        How demand and supply are shared out; see Notes.

    Returns
    -------
    Catchment
        Access on the origins of ``times``; inflation of demand, service and supply.

    Raises
    ------
    InputError
        Ids of the times that demand or supply lack, negative or infinite amounts, a decay that gives no weights.

    Notes
    -----
    With weights :math:`w_{ij}`, demand :math:`P_i` and supply :math:`S_j`:

    .. math::
        \text{2SFCA, E2SFCA: } & A_i = \sum_j w_{ij} R_j, & R_j &= S_j / \textstyle\sum_i w_{ij} P_i \\
        \text{3SFCA: } & A_i = \sum_j g_{ij} w_{ij} R_j, & R_j &= S_j / \textstyle\sum_i g_{ij} w_{ij} P_i,
            \quad g_{ij} = w_{ij} / \textstyle\sum_j w_{ij} \\
        \text{M2SFCA: } & A_i = \sum_j w_{ij}^2 R_j, & R_j &= S_j / \textstyle\sum_i w_{ij} P_i \\
        \text{BFCA: } & A_i = \sum_j \frac{w_{ij}}{\sum_i w_{ij}} R_j,
            & R_j &= S_j / \textstyle\sum_i \frac{w_{ij}}{\sum_j w_{ij}} P_i

    2SFCA, E2SFCA and 3SFCA conserve supply (``inflation`` is 1). M2SFCA gives out less the farther people are
    (``inflation`` at most 1, for weights up to 1). BFCA conserves the demand and the level of service (both other
    inflations are 1) but not the product of demand and access.

    Facilities without capacity take part in the shares of 3SFCA and BFCA, as in the published software; leave them out
    of ``times`` if people would not go there.

    References
    ----------
    Luo, W. and Wang, F. (2003), doi:10.1068/b29120; Luo, W. and Qi, Y. (2009), doi:10.1016/j.healthplace.2009.06.002;
    Wan, N., Zou, B. and Sternberg, T. (2012), doi:10.1080/13658816.2011.624987; Delamater, P. L. (2013),
    doi:10.1016/j.healthplace.2013.07.012; Paez, A., Higgins, C. D. and Vivona, S. F. (2019),
    doi:10.1371/journal.pone.0218773.

    Examples
    --------
    >>> from kazgeo.accessibility.decay import Binary
    >>> times = pd.DataFrame({"x": [300.0, 900.0, None], "y": [None, 300.0, None]}, index=["a", "b", "c"])
    >>> people, beds = pd.Series({"a": 100.0, "b": 100.0, "c": 50.0}), pd.Series({"x": 10.0, "y": 4.0})
    >>> got = floating_catchment(times, people, beds, decay=Binary(1800))
    >>> got.access.round(3).tolist(), got.ratio.tolist(), got.inflation, got.demand_inflation
    ([0.05, 0.09, nan], [0.05, 0.04], 1.0, 1.5)
    >>> got.dropped.values.tolist()
    [['c', 'origin without travel time to any destination']]
    >>> floating_catchment(times, people, beds, decay=Binary(1800), method="bfca").access.round(3).tolist()
    [0.033, 0.113, nan]
    >>> floating_catchment(times.iloc[:0], people, beds, decay=Binary(1800)).inflation
    nan
    """
    table = as_times(times)
    how = choice(CatchmentMethod, method, "method")
    people = amounts(demand, "demand", table.origins, "origin")
    capacity = amounts(supply, "supply", table.destinations, "facility")
    weights = _weights(table, decay, capacity)
    use, give = _sides(weights, how)
    served = use.to_destinations(people.values)
    ratio = _over(capacity.values, served)
    access = give.to_origins(np.nan_to_num(ratio, nan=0.0))
    has = weights.to_origins((capacity.values > 0).astype(float)) > 0
    blank = _blank(table)
    reached, busy = weights.origin_sums() > 0, served > 0
    conserved = float(people.values @ access), float(capacity.values[busy].sum())
    counted = float(served.sum()), float(people.values[reached].sum())
    given = float(access.sum()), float(np.nansum(ratio))
    return Catchment(
        pd.Series(np.where(blank, np.nan, access), index=table.origins, name="access"),
        pd.Series(np.where(capacity.known, ratio, np.nan), index=table.destinations, name="ratio"),
        pd.Series(served, index=table.destinations, name="demand"),
        how.value,
        name_of(decay),
        _share(*conserved),
        _share(*counted),
        _share(*given),
        drops(people.dropped, _unreached(table, blank, has), capacity.dropped, _idle(table, capacity, busy)),
    )


def spatial_availability(
    times: TravelTimes | pd.DataFrame,
    demand: pd.Series,
    supply: pd.Series,
    *,
    decay: DecayFunction,
    alpha: float = 1.0,
) -> SpatialAvailability:
    r"""Return the opportunities that every origin gets when each facility is divided among those who want it.

    Assumption: a facility is divided in proportion to demand and weight of travel time; everybody takes part
    everywhere within reach. A weight below 1e-60 is none: what has no other is out of reach and told, a facility too.

    Parameters
    ----------
    times, demand, supply, decay
        As in ``floating_catchment``.
    alpha : float
        Power of demand: below 1 favours small origins, above 1 large ones.

    Returns
    -------
    SpatialAvailability
        On the origins of ``times``.

    Raises
    ------
    InputError
        As in ``floating_catchment``; alpha not above 0.

    Notes
    -----
    .. math:: V_i = \sum_j S_j \frac{P_i^\alpha w_{ij}}{\sum_k P_k^\alpha w_{kj}}

    Per head and with :math:`\alpha = 1` it is the access of E2SFCA.

    References
    ----------
    Soukhov, A., Paez, A., Higgins, C. D. and Mohamed, M. (2023), doi:10.1371/journal.pone.0278468.

    Examples
    --------
    >>> from kazgeo.accessibility.decay import Exponential
    >>> minutes = [[15, 30, 100], [30, 15, 100], [100, 100, 15]]
    >>> times = pd.DataFrame(minutes, index=list("ABC"), columns=list("123")) * 60
    >>> people = pd.Series({"A": 50_000, "B": 150_000, "C": 10_000})
    >>> jobs = pd.Series({"1": 100_000, "2": 100_000, "3": 10_000})
    >>> got = spatial_availability(times, people, jobs, decay=Exponential(0.1 / 60))
    >>> got.available.round().tolist(), round(got.inflation, 12)
    ([66833.0, 133203.0, 9963.0], 1.0)
    >>> unknown = people.where(people > 20_000)
    >>> spatial_availability(times, unknown, jobs, decay=Exponential(0.1 / 60)).available.round().tolist()
    [69325.0, 140675.0, nan]
    >>> spatial_availability(times.iloc[:0], people, jobs, decay=Exponential(0.1 / 60)).available.tolist()
    []
    """
    table = as_times(times)
    power = positive_number(alpha, "alpha")
    people = amounts(demand, "demand", table.origins, "origin")
    capacity = amounts(supply, "supply", table.destinations, "facility")
    weights = _weights(table, decay, capacity)
    pull = np.where(people.values > 0, people.values, 0.0) ** power
    wanted = weights.to_destinations(pull)
    got = pull * weights.to_origins(np.nan_to_num(_over(capacity.values, wanted), nan=0.0))
    has = weights.to_origins((capacity.values > 0).astype(float)) > 0
    blank = _blank(table)
    available = np.where(blank | ~people.known, np.nan, got)
    supplied = float(capacity.values[wanted > 0].sum())
    return SpatialAvailability(
        pd.Series(available, index=table.origins, name="available"),
        pd.Series(_over(available, people.values), index=table.origins, name="per_head"),
        name_of(decay),
        _share(float(got.sum()), supplied),
        drops(people.dropped, _unreached(table, blank, has), capacity.dropped, _idle(table, capacity, wanted > 0)),
    )


def _weights(table: TravelTimes, decay: DecayFunction, capacity: Amounts) -> Pairs:
    """Return the weights of pairs; 0 for facilities of unknown supply."""
    weights = Pairs(table, weigh(table, decay))
    return weights if capacity.known.all() else weights.by_destination(capacity.known.astype(float))


def _sides(weights: Pairs, method: CatchmentMethod) -> tuple[Pairs, Pairs]:
    """Return the weights by which people use facilities, and those by which facilities give to people."""
    if method is CatchmentMethod.TWO_STEP:
        return weights, weights
    if method is CatchmentMethod.MODIFIED:
        return weights, weights.times_values(weights.values)
    balanced = weights.by_origin(np.nan_to_num(_over(1.0, weights.origin_sums()), nan=0.0))
    if method is CatchmentMethod.THREE_STEP:
        chosen = balanced.times_values(weights.values)
        return chosen, chosen
    return balanced, weights.by_destination(np.nan_to_num(_over(1.0, weights.destination_sums()), nan=0.0))


def _over(above: Any, below: Floats) -> Floats:
    """Return a quotient, NaN where the divisor is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below > 0, above / below, np.nan)


def _share(part: float, whole: float) -> float:
    return part / whole if whole > 0 else np.nan


def _blank(table: TravelTimes) -> NDArray[np.bool_]:
    """Return which origins have no travel time at all; after a search with a limit they are merely out of reach."""
    return (table.reached == 0) if table.limit_s is None else np.zeros(len(table.origins), dtype=bool)


def _unreached(table: TravelTimes, blank: NDArray[np.bool_], has: NDArray[np.bool_]) -> list[tuple[Any, str]]:
    told = [(unit, NO_TIME) for unit in table.origins[blank]]
    return told + [(unit, NO_REACH) for unit in table.origins[~blank & ~has]]


def _idle(table: TravelTimes, capacity: Amounts, busy: NDArray[np.bool_]) -> list[tuple[Any, str]]:
    ids = table.destinations
    told = [(unit, "facility without capacity") for unit in ids[capacity.known & (capacity.values == 0)]]
    lonely = capacity.known & (capacity.values > 0) & ~busy
    return told + [(unit, "facility without demand in reach") for unit in ids[lonely]]
