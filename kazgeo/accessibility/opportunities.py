"""What an origin reaches: opportunities within a time, weighted by time, and the nearest ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kazgeo.accessibility.decay import name_of, weigh
from kazgeo.accessibility.pairs import NO_TIME, Pairs, amounts, drops, ranks
from kazgeo.accessibility.times import TravelTimes, as_times
from kazgeo.errors import InputError, choice, positive_integer, positive_number
from kazgeo.ties import upto

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kazgeo.accessibility.decay import DecayFunction

    Floats = NDArray[np.float64]

__all__ = [
    "Closest",
    "Opportunities",
    "Shares",
    "Summary",
    "closest",
    "cumulative",
    "cumulative_interval",
    "gravity",
    "share_within",
]


class Summary(StrEnum):
    """How the thresholds of an interval are summed up."""

    MEDIAN = "median"
    MEAN = "mean"
    MIN = "min"
    MAX = "max"


@dataclass(frozen=True, eq=False)
class Opportunities:
    """Opportunities that every origin reaches.

    Parameters
    ----------
    reached : DataFrame
        Index origins; one column per threshold (seconds), or one column named after the measure. 0 where nothing is in
        reach, NaN where no travel time is known.
    measure : str
        What was computed.
    dropped : DataFrame
        Columns unit, reason.
    """

    reached: pd.DataFrame
    measure: str
    dropped: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return the table of what is reached."""
        return self.reached.copy()


@dataclass(frozen=True, eq=False)
class Closest:
    """Travel time to the k-th nearest opportunity.

    Parameters
    ----------
    time_s : DataFrame
        Index origins, one column per k; NaN where fewer than k can be reached.
    destination : DataFrame
        Where the k-th opportunity is; missing where there is none.
    dropped : DataFrame
        Columns unit, reason.
    """

    time_s: pd.DataFrame
    destination: pd.DataFrame
    dropped: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return times and destinations side by side, columns ``time_s_1``, ``destination_1``, ..."""
        return self.time_s.add_prefix("time_s_").join(self.destination.add_prefix("destination_"))

    def allocation(self) -> pd.Series:
        """Return which destination serves every origin: the nearest one."""
        return self.destination.iloc[:, 0].rename("destination")


@dataclass(frozen=True, eq=False)
class Shares:
    """People within travel times.

    Parameters
    ----------
    table : DataFrame
        Index threshold in seconds; ``population`` within it and its ``share`` of those whose number is known.
    population : float
        People whose number is known, those without a travel time among them.
    without_time : float
        People among them who have no travel time.
    dropped : DataFrame
        Columns unit, reason: unknown population, or no travel time.
    """

    table: pd.DataFrame
    population: float
    without_time: float
    dropped: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return the table of thresholds."""
        return self.table.copy()


def cumulative(
    times: TravelTimes | pd.DataFrame, opportunities: pd.Series, *, thresholds_s: float | Sequence[float]
) -> Opportunities:
    r"""Return the opportunities within one or more travel times.

    Assumption: everything within the threshold counts alike, everything beyond not at all; there is no competition.

    Parameters
    ----------
    times : TravelTimes or DataFrame
        Seconds; long (origin, destination, time_s) or dense. ``times.transposed`` gives passive accessibility: how many
        people reach a place.
    opportunities : Series
        Amount per destination, at least 0; NaN is unknown and left out.
    thresholds_s : float or sequence of float
        Seconds, at least 0; a place exactly at the threshold counts.

    Returns
    -------
    Opportunities
        One column per threshold, in the order given.

    Raises
    ------
    InputError
        Ids without an amount, negative amounts, no or negative thresholds, thresholds beyond the search of the times.

    Notes
    -----
    .. math:: A_i = \sum_j O_j \, [t_{ij} \le T]

    References
    ----------
    Wachs, M. and Kumagai, T. G. (1973), doi:10.1016/0038-0121(73)90041-4.

    Examples
    --------
    >>> times = pd.DataFrame({"x": [300.0, 900.0, None], "y": [1200.0, 300.0, None]}, index=["a", "b", "c"])
    >>> jobs = pd.Series({"x": 10, "y": 4})
    >>> got = cumulative(times, jobs, thresholds_s=[600, 1200])
    >>> got.reached.values.tolist(), got.dropped.values.tolist()
    ([[10.0, 14.0], [4.0, 14.0], [nan, nan]], [['c', 'origin without travel time to any destination']])
    >>> cumulative(times.iloc[:0], jobs, thresholds_s=600).reached.shape
    (0, 1)
    >>> cumulative(times, jobs, thresholds_s=-60)
    Traceback (most recent call last):
    kazgeo.errors.InputError: thresholds_s must be seconds of at least 0, each once; got [-60]
    """
    table = as_times(times)
    limits = _thresholds(thresholds_s, table)
    amount = amounts(opportunities, "opportunities", table.destinations, "destination")
    sums = _within(table, amount.values, limits)
    return _result(table, pd.DataFrame(sums, index=table.origins, columns=limits), "cumulative", amount.dropped)


def cumulative_interval(
    times: TravelTimes | pd.DataFrame,
    opportunities: pd.Series,
    *,
    start_s: float,
    stop_s: float,
    step_s: float = 60.0,
    summary: Summary | str | Callable[[Floats], float] = Summary.MEDIAN,
) -> Opportunities:
    r"""Return the opportunities within a travel time, summed up over an interval of thresholds.

    Assumption: a single threshold is arbitrary; the interval holds all that would be defended. R accessibility rounds
    the result down to whole opportunities, this function doesn't.

    Parameters
    ----------
    times, opportunities
        As in ``cumulative``.
    start_s, stop_s : float
        First and last threshold in seconds, start below stop.
    step_s : float
        Seconds from one threshold to the next.
    summary : {"median", "mean", "min", "max"} or callable
        What is made of the thresholds' figures; a callable takes an array of figures and returns a number.

    Returns
    -------
    Opportunities
        One column ``reached``.

    Raises
    ------
    InputError
        As in ``cumulative``; an interval that doesn't rise, a step not above 0.

    Notes
    -----
    .. math:: A_i = \operatorname{median}_{T = T_0, T_0 + s, \dots, T_1} \sum_j O_j \, [t_{ij} \le T]

    References
    ----------
    Tomasiello, D. B., Herszenhut, D., Oliveira, J. L. A., Braga, C. K. V. and Pereira, R. H. M. (2023), A time
    interval metric for cumulative opportunity accessibility, doi:10.31235/osf.io/ux5ah.

    Examples
    --------
    >>> times = pd.DataFrame({"x": [300.0, 900.0, None], "y": [660.0, 300.0, None]}, index=["a", "b", "c"])
    >>> jobs = pd.Series({"x": 10, "y": 4})
    >>> cumulative_interval(times, jobs, start_s=600, stop_s=720).reached["reached"].tolist()
    [14.0, 4.0, nan]
    >>> cumulative_interval(times.iloc[:0], jobs, start_s=600, stop_s=720).reached.shape
    (0, 1)
    >>> cumulative_interval(times, jobs, start_s=600, stop_s=600)
    Traceback (most recent call last):
    kazgeo.errors.InputError: stop_s must be seconds above start_s (600); got 600
    """
    table = as_times(times)
    start = positive_number(start_s, "start_s", "seconds of at least 0", zero=True)
    stop = positive_number(stop_s, "stop_s", "seconds above 0")
    step = positive_number(step_s, "step_s", "seconds above 0")
    if stop <= start:
        raise InputError(f"stop_s must be seconds above start_s ({start:g}); got {stop:g}")
    count = int(np.floor((stop - start) / step * (1 + 1e-12))) + 1
    limits = _thresholds(start + step * np.arange(count), table)
    amount = amounts(opportunities, "opportunities", table.destinations, "destination")
    sums = _within(table, amount.values, limits)
    if callable(summary) and not isinstance(summary, str):
        figures = np.array([float(summary(row)) for row in sums], dtype=np.float64)
    else:
        kind = choice(Summary, summary, "summary")
        figures = getattr(np, kind.value)(sums, axis=1)
    frame = pd.DataFrame({"reached": figures}, index=table.origins)
    return _result(table, frame, "cumulative interval", amount.dropped, nothing=sums[:, -1] == 0)


def gravity(times: TravelTimes | pd.DataFrame, opportunities: pd.Series, *, decay: DecayFunction) -> Opportunities:
    r"""Return the opportunities weighted by travel time (Hansen's accessibility, potential).

    Assumption: an opportunity is worth less the longer the way, by the same function for everybody; there is no
    competition. The figure has the unit of the opportunities but is no count of them. A weight below 1e-60 is none: an
    origin that has no other reaches nothing and is told.

    Parameters
    ----------
    times, opportunities
        As in ``cumulative``.
    decay : callable
        Weight of a time, from ``accessibility.decay`` or your own.

    Returns
    -------
    Opportunities
        One column ``reached``.

    Raises
    ------
    InputError
        As in ``cumulative``; a decay that gives no weights.

    Notes
    -----
    .. math:: A_i = \sum_j O_j \, f(t_{ij})

    References
    ----------
    Hansen, W. G. (1959), doi:10.1080/01944365908978307.

    Examples
    --------
    >>> from kazgeo.accessibility.decay import Exponential
    >>> times = pd.DataFrame({"x": [0.0, 600.0, None], "y": [600.0, 0.0, None]}, index=["a", "b", "c"])
    >>> jobs = pd.Series({"x": 10, "y": 4})
    >>> gravity(times, jobs, decay=Exponential.half_life(600)).reached["reached"].tolist()
    [12.0, 9.0, nan]
    >>> gravity(times.iloc[:0], jobs, decay=Exponential(0.1)).reached.shape
    (0, 1)
    """
    table = as_times(times)
    amount = amounts(opportunities, "opportunities", table.destinations, "destination")
    sums = Pairs(table, weigh(table, decay)).to_origins(amount.values)
    frame = pd.DataFrame({"reached": sums}, index=table.origins)
    return _result(table, frame, f"gravity, {name_of(decay)}", amount.dropped)


def closest(
    times: TravelTimes | pd.DataFrame, opportunities: pd.Series | None = None, *, k: int | Sequence[int] = 1
) -> Closest:
    r"""Return the travel time to the k-th nearest opportunity, and where it is.

    Assumption: people go to the nearest; of equally near places the one that comes first by id is named.

    Parameters
    ----------
    times : TravelTimes or DataFrame
        Seconds; long (origin, destination, time_s) or dense.
    opportunities : Series, optional
        Number per destination: two schools at one place are the nearest and the second nearest. Left out: one each.
    k : int or sequence of int
        Which one; several give several columns.

    Returns
    -------
    Closest
        On the origins of ``times``.

    Raises
    ------
    InputError
        As in ``cumulative``; k not whole or below 1.

    Notes
    -----
    .. math:: t_i^{(k)} = \min \{ T : \textstyle\sum_j O_j [t_{ij} \le T] \ge k \}

    Examples
    --------
    >>> times = pd.DataFrame({"x": [300.0, 900.0, None], "y": [1200.0, 300.0, None]}, index=["a", "b", "c"])
    >>> got = closest(times, k=[1, 2])
    >>> got.time_s.values.tolist(), got.allocation().tolist()[:2]
    ([[300.0, 1200.0], [300.0, 900.0], [nan, nan]], ['x', 'y'])
    >>> closest(times, pd.Series({"x": 2, "y": 0}), k=2).time_s[2].tolist()
    [300.0, 900.0, nan]
    >>> closest(times.iloc[:0]).time_s.shape
    (0, 1)
    """
    table = as_times(times)
    wanted = [positive_integer(one, "k") for one in (k if isinstance(k, Sequence) else [k])]
    if not wanted or len(set(wanted)) < len(wanted):
        raise InputError(f"k must be whole numbers of at least 1, each once; got {wanted}")
    told: list[tuple[Any, str]] = []
    count = np.ones(len(table.destinations))
    if opportunities is not None:
        amount = amounts(opportunities, "opportunities", table.destinations, "destination")
        count, told = amount.values, amount.dropped
    seconds, ends = _kth(table, count, wanted)
    time_s = pd.DataFrame(seconds, index=table.origins, columns=wanted)
    names = np.array([*table.destinations, None], dtype=object)
    where = pd.DataFrame(names[ends], index=table.origins, columns=wanted, dtype=object)
    lost = [(unit, NO_TIME) for unit in table.origins[table.reached == 0]]
    few = (table.reached > 0) & time_s.isna().any(axis=1).to_numpy()
    lost += [(unit, f"origin that reaches fewer than {max(wanted)} opportunities") for unit in table.origins[few]]
    return Closest(time_s, where, drops(lost, told))


def share_within(time_s: pd.Series, population: pd.Series, *, thresholds_s: float | Sequence[float]) -> Shares:
    r"""Return how many people, and what share, are within travel times of what they need.

    Assumption: all people of a unit share its travel time. People without a travel time stay in the whole: they are
    not within any threshold.

    Parameters
    ----------
    time_s : Series
        Seconds per unit (of ``closest`` or ``nearest``); NaN: none can be reached.
    population : Series
        People per unit, at least 0, on the same labels or more; NaN is unknown: the unit is left out and counted.
    thresholds_s : float or sequence of float
        Seconds.

    Returns
    -------
    Shares

    Raises
    ------
    InputError
        Units without a population entry, negative numbers, no or negative thresholds.

    Notes
    -----
    .. math:: s(T) = \frac{\sum_i P_i [t_i \le T]}{\sum_i P_i}

    Examples
    --------
    >>> minutes = pd.Series({"a": 10.0, "b": 50.0, "c": None, "d": 20.0})
    >>> got = share_within(minutes * 60, pd.Series({"a": 60, "b": 30, "c": 10, "d": None}), thresholds_s=[1800, 3600])
    >>> got.table["share"].tolist(), got.without_time
    ([0.6, 0.9], 10.0)
    >>> got.dropped.values.tolist()
    [['d', 'unit with unknown population'], ['c', 'unit without travel time']]
    >>> share_within(minutes.iloc[:0], pd.Series(dtype=float), thresholds_s=1800).table["share"].tolist()
    [nan]
    """
    if not isinstance(time_s, pd.Series):
        raise InputError(f"time_s must be a Series of seconds labelled by unit; got {type(time_s).__name__}")
    limits = _thresholds(thresholds_s, None)
    seconds = amounts(time_s, "time_s", time_s.index, "unit")
    people = amounts(population, "population", time_s.index, "unit")
    near = np.where(seconds.known, seconds.values, np.inf)[:, None] <= upto(np.array(limits))
    inside = people.values @ near
    whole = float(people.values.sum())
    share = inside / whole if whole > 0 else np.full(len(limits), np.nan)
    table = pd.DataFrame({"population": inside, "share": share}, index=pd.Index(limits, name="threshold_s"))
    lost = time_s.index[~seconds.known & people.known]
    told = [(unit, "unit without travel time") for unit in lost]
    return Shares(table, whole, float(people.values[~seconds.known].sum()), drops(people.dropped, told))


def _thresholds(given: Any, table: TravelTimes | None) -> list[float]:
    """Return thresholds as floats, in the order given."""
    values = [given] if np.ndim(given) == 0 else list(given)
    try:
        limits = [float(value) for value in values]
    except (TypeError, ValueError):
        limits = []
    if not limits or not np.isfinite(limits).all() or min(limits) < 0 or len(set(limits)) < len(limits):
        raise InputError(f"thresholds_s must be seconds of at least 0, each once; got {values}")
    if table is not None and table.limit_s is not None and max(limits) > upto(table.limit_s):
        raise InputError(
            f"thresholds_s must lie within the {table.limit_s:g} s to which times were searched; got {max(limits):g}"
        )
    return limits


def _within(table: TravelTimes, amount: Floats, limits: list[float]) -> Floats:
    """Return the amount within every threshold, shape (n, thresholds): one pass over the pairs."""
    n, k = len(table.origins), len(limits)
    order = np.argsort(limits, kind="stable")
    rising = upto(np.array(limits)[order])
    near = np.flatnonzero(table.time_s <= rising[-1])
    band = np.searchsorted(rising, table.time_s[near])
    cell = table.rows[near].astype(np.int64) * k + band
    sums = np.bincount(cell, amount[table.indices[near]], minlength=n * k).reshape(n, k).cumsum(axis=1)
    out = np.empty_like(sums)
    out[:, order] = sums
    return out


def _result(
    table: TravelTimes,
    frame: pd.DataFrame,
    measure: str,
    told: list[tuple[Any, str]],
    *,
    nothing: NDArray[np.bool_] | None = None,
) -> Opportunities:
    """Return the result, NaN and told where no travel time is known."""
    blank = (table.reached == 0) if table.limit_s is None else np.zeros(len(table.origins), dtype=bool)
    empty = (frame == 0).all(axis=1).to_numpy() if nothing is None else nothing
    lost = [(unit, NO_TIME) for unit in table.origins[blank]]
    lost += [(unit, "origin without opportunity in reach") for unit in table.origins[~blank & empty]]
    return Opportunities(frame.mask(pd.Series(blank, index=frame.index)), measure, drops(lost, told))


def _kth_place(table: TravelTimes, k: int) -> Floats:
    """Return seconds to the k-th nearest destination of every origin; infinite where that isn't quickly told."""
    n, m = table.shape
    if table.full and k < m:
        return np.asarray(np.partition(table.time_s.reshape(n, m), k - 1, axis=1)[:, k - 1])
    out = np.full(n, np.inf)
    filled = np.flatnonzero(table.reached)
    if k == 1 and len(filled):
        out[filled] = np.minimum.reduceat(table.time_s, table.indptr[filled])
    return out


def _kth(table: TravelTimes, count: Floats, wanted: list[int]) -> tuple[Floats, NDArray[np.int64]]:
    """Return seconds to the k-th opportunity and the position of its destination (-1: none), shape (n, k)."""
    from kazgeo.accessibility.running import first_reaching

    n = len(table.origins)
    seconds, ends = np.full((n, len(wanted)), np.nan), np.full((n, len(wanted)), -1, dtype=np.int64)
    near = count[table.indices] > 0
    if count.min(initial=np.inf) >= 1:  # all beyond the k-th place can go before sorting
        near &= table.time_s <= np.repeat(_kth_place(table, max(wanted)), table.reached)
    some = np.flatnonzero(near)
    if not len(some):
        return seconds, ends
    rows, to, time = table.rows[some], table.indices[some], table.time_s[some]
    order = np.lexsort((ranks(table.destinations)[to], time, rows))
    to, time = to[order], time[order]
    starts = np.searchsorted(rows, np.arange(n + 1))
    for column, k in enumerate(wanted):
        at = first_reaching(starts, count[to], np.full(n, float(k)))
        found = np.flatnonzero(at >= 0)
        seconds[found, column], ends[found, column] = time[at[found]], to[at[found]]
    return seconds, ends
