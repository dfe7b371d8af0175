"""How sure travel times are when speeds are not: intervals, and the probability of being within a standard."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kazgeo.accessibility.nearest import known_destinations, nearest, quickest
from kazgeo.accessibility.pairs import amounts, drops
from kazgeo.choices import Travel
from kazgeo.errors import InputError, choice, listing, positive_integer, positive_number, probability
from kazgeo.network import Attached, Network, with_factors
from kazgeo.parallel import pieces, run
from kazgeo.progress import Progress, silent
from kazgeo.seeds import seed_of
from kazgeo.ties import upto

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SpeedSpread", "TimeUncertainty", "travel_time_uncertainty"]

#: Draws in one piece of work.
PIECE = 16
#: Bytes that times and destinations of all draws may take.
MOST_BYTES = 4_000_000_000


@dataclass(frozen=True)
class SpeedSpread:
    """How far speeds may be from those that were assumed: standard deviations of the logarithm of time.

    0.1 means that two times of three are within about 10 % of the assumed one, and 19 of 20 within a fifth.

    Parameters
    ----------
    common : float
        What all roads share in a draw: the table of speeds as a whole is too fast or too slow.
    classes : float or mapping
        What the roads of one class share; by class of road, or one number for all.
    roads : float
        What every road has for itself; it cancels out along a route of many roads.
    off_road : float
        What the legs off the road share.

    Raises
    ------
    InputError
        Numbers that are negative, or 2 and more (a factor of 7).

    Examples
    --------
    >>> SpeedSpread(classes={"local": 0.3})
    SpeedSpread(common=0.1, classes={'local': 0.3}, roads=0.0, off_road=0.3)
    >>> SpeedSpread(common=-1)
    Traceback (most recent call last):
    kazgeo.errors.InputError: common must be a number from 0 to 2; got -1
    """

    common: float = 0.1
    classes: float | Mapping[str, float] = 0.15
    roads: float = 0.0
    off_road: float = 0.3

    def __post_init__(self) -> None:
        by_class = self.classes if isinstance(self.classes, Mapping) else {"": self.classes}
        given = {"common": self.common, "roads": self.roads, "off_road": self.off_road}
        given |= {f"classes {name!r}" if name else "classes": value for name, value in by_class.items()}
        for name, value in given.items():
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not (number and 0 <= value < 2):
                raise InputError(f"{name} must be a number from 0 to 2; got {value!r}")


@dataclass(frozen=True)
class TimeUncertainty:
    """Travel times to the nearest destination, and how sure they are.

    Parameters
    ----------
    times : DataFrame
        On the places: ``time_s`` at the assumed speeds; ``median_s``, ``low_s``, ``high_s`` of the draws;
        ``other_share``, the share of draws in which another destination is nearest. NaN where none can be reached.
    within : DataFrame
        Probability of being within each threshold (columns, seconds); NaN where none can be reached.
    shares : DataFrame or None
        By threshold: share of the people at the assumed speeds, and median, low and high of the draws.
    level : float
        Probability that the intervals hold.
    draws, seed : int
        Draws made, and what gives them again.
    dropped : DataFrame
        Columns unit, reason.
    """

    times: pd.DataFrame
    within: pd.DataFrame
    shares: pd.DataFrame | None
    level: float
    draws: int
    seed: int
    dropped: pd.DataFrame


def travel_time_uncertainty(
    attached: Attached, destinations: pd.Index | Attached, *, spread: SpeedSpread | None = None,
    thresholds_s: Sequence[float] = (3600.0,), population: pd.Series | None = None, level: float = 0.9,
    draws: int = 999, direction: Travel | str = Travel.TO, rng: int | np.random.Generator | None = None,
    executor: Executor | None = None, progress: Progress = silent,
) -> TimeUncertainty:  # fmt: skip
    r"""Return travel times to the nearest destination under drawn speeds: intervals, probability within a standard.

    Assumption: the time on a road is the assumed one times a lognormal factor of median 1, made of a part that all
    roads share, one that roads of a class share and one of the road itself. Shared errors don't cancel out along a
    route, so intervals are as wide on long ways as on short ones (in percent); with errors of single roads only they
    would come out far too narrow. Waits at junctions are sure. Travellers know the speeds of the draw and take what is
    quickest then.

    Parameters
    ----------
    attached : Attached
        Places tied to a network.
    destinations : Index or Attached
        Ids of places that are destinations, or other places tied to the same network.
    spread : SpeedSpread, optional
        How far speeds may be off.
    thresholds_s : sequence of float
        Seconds of the standards.
    population : Series, optional
        People per place, for the share of people within each threshold; NaN is unknown and left out.
    level : float
        Probability that intervals hold.
    draws : int
        How often speeds are drawn.
    direction : Travel
        "to" the destination, or "from" it.
    rng : int or Generator, optional
        Gives the same draws again, with any number of threads and on any executor.
    executor : Executor, optional
        Who does the work.
    progress : Progress
        Reporter.

    Returns
    -------
    TimeUncertainty

    Raises
    ------
    InputError
        No destination, thresholds that are negative, a level outside 0 to 1, a population that lacks places, draws
        that would not fit in memory: told before the first.

    Notes
    -----
    .. math:: t_e = t^0_e \exp(\sigma_0 z_0 + \sigma_c z_{c(e)} + \sigma_r z_{r(e)}), \quad z \sim N(0, 1)

    A draw is a re-weighting of the same topology and one search from all destinations. The interval runs from the
    (1 - level) / 2 to the (1 + level) / 2 quantile of the draws.

    References
    ----------
    Pu, W. (2011). Analytic relationships between travel time reliability measures. Transportation Research Record
    2254, 122-130 (lognormal travel times). https://doi.org/10.3141/2254-13

    Examples
    --------
    >>> import geopandas
    >>> from kazgeo.network import attach, from_edges
    >>> nodes = pd.DataFrame({"lon": [71.0, 72.0], "lat": [51.0, 51.0]}, index=["a", "b"])
    >>> edges = pd.DataFrame({"from_id": ["a"], "to_id": ["b"], "length_km": [90.0]})
    >>> at = geopandas.points_from_xy([71.0, 72.0, 60.0], [51.0, 51.0, 45.0])
    >>> towns = geopandas.GeoDataFrame(geometry=at, index=["A", "B", "far"], crs=4326)
    >>> tied = attach(from_edges(edges, nodes, speed_kmh=90), towns)
    >>> unsure = SpeedSpread(common=0.2, classes=0.0)
    >>> found = travel_time_uncertainty(tied, pd.Index(["A"]), spread=unsure, thresholds_s=[3000, 3600, 4500], rng=1)
    >>> found.times.loc["B"].round(-2).tolist()
    [3600.0, 3700.0, 2600.0, 5000.0, 0.0]
    >>> found.within.loc["B"].round(1).tolist(), found.within.loc["far"].isna().all()
    ([0.2, 0.5, 0.9], np.True_)
    >>> found.dropped.values.tolist()
    [['far', 'farther from every road than the limit']]
    >>> travel_time_uncertainty(tied, pd.Index([]))
    Traceback (most recent call last):
    kazgeo.errors.InputError: no destination is given; name at least one place to travel to
    """
    spread = spread or SpeedSpread()
    limits = [positive_number(t, "thresholds_s", "seconds of at least 0", zero=True) for t in thresholds_s]
    level, draws, seed = probability(level, "level"), positive_integer(draws, "draws"), seed_of(rng)
    people = None if population is None else amounts(population, "population", attached.ids, "place")
    goals = known_destinations(attached, destinations)
    base = nearest(attached, goals, direction=direction)
    size = 16 * draws * len(attached.ids)
    if size > MOST_BYTES:
        raise InputError(
            f"{draws:,} draws of {len(attached.ids):,} places would take {size / 1e9:.1f} GB; at most"
            f" {MOST_BYTES / 1e9:.0f} are used: ask for fewer draws or places"
        )
    groups = _Groups.of(attached.network, spread)
    ask = _Ask(attached, goals, choice(Travel, direction, "direction") is Travel.TO, groups, seed)
    tasks = [(ask, start, stop) for start, stop in pieces(draws, PIECE)]
    drawn = list(run(_draw, tasks, executor, progress, "quickest routes"))
    time = np.concatenate([one for one, _ in drawn])
    other = np.concatenate([who for _, who in drawn]) != goals.ids.get_indexer(pd.Index(base.destination))
    tail = (1 - level) / 2
    low, median, high = np.quantile(time, [tail, 0.5, 1 - tail], axis=0)
    unreached = base.time_s.isna().to_numpy()
    times = pd.DataFrame(
        {"time_s": base.time_s, "median_s": median, "low_s": low, "high_s": high,
         "other_share": np.where(unreached, np.nan, other.mean(axis=0))}, index=attached.ids,
    )  # fmt: skip
    inside = {limit: time <= upto(limit) for limit in limits}
    within = pd.DataFrame({t: np.where(unreached, np.nan, near.mean(axis=0)) for t, near in inside.items()},
                          index=attached.ids).rename_axis(columns="threshold_s")  # fmt: skip
    shares = None if people is None else _shares(people.values, base.time_s, inside, tail)
    lost = base.dropped if people is None else drops(base.dropped.itertuples(index=False), people.dropped)
    return TimeUncertainty(times, within, shares, level, draws, seed, lost)


@dataclass(frozen=True)
class _Ask:
    """What is asked of every draw; plain enough to be sent to another process."""

    attached: Attached
    goals: Attached
    forth: bool
    groups: _Groups
    seed: int


def _draw(ask: _Ask, start: int, stop: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return seconds and the rank of the nearest destination of all places, draw by draw."""
    times = np.empty((stop - start, len(ask.attached.ids)))
    who = np.empty(times.shape, np.int64)
    for row, number in enumerate(range(start, stop)):
        factor, leg = ask.groups.factors(np.random.default_rng([number, ask.seed]))
        net = with_factors(ask.attached.network, factor)
        seconds, who[row], _ = quickest(_slower(ask.attached, net, leg), _slower(ask.goals, net, leg), ask.forth)
        times[row] = np.where(who[row] >= 0, seconds, np.nan)
    return times, who


def _slower(places: Attached, net: Network, leg: float) -> Attached:
    """Return places on the roads of a draw, with their legs off the road."""
    return dataclasses.replace(places.on(net), leg_s=places.leg_s * leg)


@dataclass(frozen=True)
class _Groups:
    """Which edges share what: draws don't depend on the order of edges."""

    spread: SpeedSpread
    class_sd: NDArray[np.float64]
    of_class: NDArray[np.int64]
    of_road: NDArray[np.int64]

    @classmethod
    def of(cls, net: Network, spread: SpeedSpread) -> _Groups:
        """Group the edges by class and by road, each in the order of its name."""
        kinds = _column(net, "road_class")
        names, of_class = np.unique(kinds, return_inverse=True)
        by_class = spread.classes
        if isinstance(by_class, Mapping):
            strange = [name for name in by_class if name not in names]
            if strange:
                raise InputError(
                    f"classes: no road has class {listing(strange)}; there are: {listing(names.tolist(), 12)}"
                )
            sd = np.array([by_class.get(name, 0.0) for name in names.tolist()])
        else:
            sd = np.full(len(names), float(by_class))
        _, of_road = np.unique(_column(net, "road_id"), return_inverse=True)
        return cls(spread, sd, of_class.ravel(), of_road.ravel())

    def factors(self, rng: np.random.Generator) -> tuple[NDArray[np.float64], float]:
        """Return the factor of the time of every edge, and that of the legs off the road."""
        all_roads, off_road = rng.standard_normal(2)
        log = self.spread.common * all_roads + (self.class_sd * rng.standard_normal(len(self.class_sd)))[self.of_class]
        if self.spread.roads:
            log = log + self.spread.roads * rng.standard_normal(int(self.of_road.max(initial=-1)) + 1)[self.of_road]
        return np.exp(log), float(np.exp(self.spread.off_road * off_road))


def _column(net: Network, name: str) -> NDArray[Any]:
    """Return a column of the roads as text; one value where it is not known."""
    if net.roads is None or name not in net.roads:
        return np.full(net.m, "", dtype=object)
    values = net.roads[name]
    return np.asarray(values.astype(object).where(values.notna(), "").astype(str), dtype=object)


def _shares(
    people: NDArray[np.float64], base_s: pd.Series, inside: Mapping[float, NDArray[np.bool_]], tail: float
) -> pd.DataFrame:
    """Return the share of people within each threshold, and its quantiles over the draws."""
    whole, rows = float(people.sum()), []
    for limit, near in inside.items():
        of = (near @ people) / whole if whole > 0 else np.full(len(near), np.nan)
        assumed = float(people[base_s.to_numpy() <= upto(limit)].sum()) / whole if whole > 0 else np.nan
        low, median, high = np.quantile(of, [tail, 0.5, 1 - tail])
        rows.append((limit, assumed, median, low, high))
    columns = ["threshold_s", "share", "median", "low", "high"]
    return pd.DataFrame(rows, columns=columns).set_index("threshold_s")
