"""Emerging hot spots: hot and cold spots of every year, and the pattern they make over the years."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pandas as pd

from kazgeo.autocorrelation.plan import LocalOptions, Plan
from kazgeo.autocorrelation.significance import normal_p, passes
from kazgeo.choices import PValue
from kazgeo.errors import InputError, choice, listing, positive_integer, probability
from kazgeo.hotspots.getis import GetisOrd, getis_ord, spots
from kazgeo.trend import trends, unit_by_year
from kazgeo.weights import Weights, as_weights, space_time

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CATEGORIES", "PATTERNS", "REASONS", "EmergingHotSpots", "classify", "emerging_hot_spots"]

#: The eight patterns, each of them hot or cold.
PATTERNS = (
    "new", "consecutive", "intensifying", "persistent", "diminishing", "sporadic", "oscillating", "historical",
)  # fmt: skip
#: Every category that a unit can have.
CATEGORIES = (*(f"{pattern}-{heat}" for heat in ("hot", "cold") for pattern in PATTERNS), "no-pattern", "undefined")
#: Why a category is "undefined"; the first that holds.
REASONS = ("no-neighbour", "no-variation", "few-years", "no-last-year")
#: Panels shorter than this are too short for ArcGIS; ``EmergingHotSpots.few_years`` says so.
ARCGIS_YEARS = 10
#: z-scores no further apart than this are equal: the difference is rounding, and would make a trend of nothing.
TIE = 1e-9


@dataclass(frozen=True, eq=False, kw_only=True)
class EmergingHotSpots:
    """Hot and cold spots over the years.

    Parameters
    ----------
    bins : DataFrame
        On the caller's index (region, year): ``value`` (Gi* as a z-score), ``p``, ``p_adjusted``, ``label`` as in
        ``getis_ord``.
    category : Series of str
        Per unit, on the weights' ids: one of ``CATEGORIES``.
    reason : Series of str
        One of ``REASONS`` where the category is "undefined", else None.
    trend_z, trend_p : Series
        Mann-Kendall test of the unit's Gi* over the years; NaN with fewer than 2 bins.
    n_hot_years, n_cold_years, n_years : Series of int
        Bins that are hot, cold, defined.
    years : Index
        Years of the panel.
    dropped : DataFrame
        Columns unit, year, reason: bins set aside ("missing value", "no neighbour", "no neighbour with a value"),
        and with the year None the units whose category is undefined.
    cannot_pass : bool
        So few draws that no bin could pass the correction; see ``LocalInference``.
    parameters : dict
        The options of the call and the seed, plain values only.
    """

    bins: pd.DataFrame
    category: pd.Series
    reason: pd.Series
    trend_z: pd.Series
    trend_p: pd.Series
    n_hot_years: pd.Series
    n_cold_years: pd.Series
    n_years: pd.Series
    years: pd.Index
    dropped: pd.DataFrame
    cannot_pass: bool
    parameters: dict[str, object]

    @property
    def counts(self) -> pd.Series:
        """Number of units of every category, zeros included."""
        return self.category.value_counts().reindex(CATEGORIES, fill_value=0).rename("units")

    @property
    def few_years(self) -> bool:
        """Whether the panel has fewer than 10 years: the patterns then rest on little."""
        return len(self.years) < ARCGIS_YEARS

    def to_frame(self) -> pd.DataFrame:
        """Return all columns per unit."""
        names = ["category", "reason", "trend_z", "trend_p", "n_hot_years", "n_cold_years", "n_years"]
        return pd.DataFrame({name: getattr(self, name) for name in names})


def classify(spots: Sequence[int], trend_z: float, trend_p: float, *, alpha: float = 0.10) -> str:
    """Return the pattern that the spots of the years make, by the definitions of ArcGIS.

    Assumption: the years follow each other, and the last one is "now".

    Parameters
    ----------
    spots : sequence of int
        Year by year: 1 hot spot, -1 cold spot, 0 neither.
    trend_z, trend_p : float
        Mann-Kendall test of the z-scores; NaN counts as no trend.
    alpha : float
        Level of the trend.

    Returns
    -------
    str
        One of ``CATEGORIES`` but "undefined".

    Raises
    ------
    InputError
        No year at all, or other codes.

    Notes
    -----
    "90 %" is at least nine tenths of the years. Of a unit that is hot in the last year (cold: the mirror image):

    - new: never hot before;
    - consecutive: hot in the last two or more years on end, never before, less than 90 % of the years;
    - intensifying, diminishing, persistent: 90 %, and the z-scores rise, fall, or show no trend;
    - sporadic: hot before, off and on, less than 90 %, never cold;
    - oscillating: less than 90 %, cold at some time, and none of the above.

    Of a unit that is neither in the last year: historical, when 90 % of its years were hot. Two overlaps of the
    published definitions are settled here: a last year that is not hot makes 90 % of hot years "historical", never
    "persistent"; and what the last year is goes before history (nine cold years and a hot one are "new-hot").

    References
    ----------
    ArcGIS Pro, How Emerging Hot Spot Analysis works,
    https://pro.arcgis.com/en/pro-app/latest/tool-reference/space-time-pattern-mining/learnmoreemerging.htm

    Examples
    --------
    >>> classify([0, 0, 0, 1], 1.7, 0.09), classify([0, 0, 1, 1], 1.7, 0.09), classify([1, 1, 1, 1], 1.7, 0.09)
    ('new-hot', 'consecutive-hot', 'intensifying-hot')
    >>> classify([-1, -1, -1, -1], 1.7, 0.09), classify([0, -1, 0, -1], 0, 1), classify([1, 0, -1, 0], 0, 1)
    ('diminishing-cold', 'sporadic-cold', 'no-pattern')
    >>> classify([], 0, 1)
    Traceback (most recent call last):
    kazgeo.errors.InputError: spots must hold 1, 0 or -1 for at least one year; got []
    """
    codes = np.asarray(spots)
    if codes.ndim != 1 or not len(codes) or not np.isin(codes, (-1, 0, 1)).all():
        raise InputError(f"spots must hold 1, 0 or -1 for at least one year; got {list(spots)}")
    last = int(codes[-1])
    if last == 0:
        for heat, sign in (("hot", 1), ("cold", -1)):
            if _nine_tenths(codes == sign):
                return f"historical-{heat}"
        return "no-pattern"
    trend = np.sign(trend_z) * last if trend_p <= alpha else 0
    return f"{_pattern(codes * last, trend)}-{'hot' if last == 1 else 'cold'}"


def _nine_tenths(years: NDArray[np.bool_]) -> bool:
    return bool(10 * years.sum() >= 9 * len(years))


def _pattern(codes: NDArray[Any], trend: float) -> str:
    """Return the pattern of a unit that is hot in the last year."""
    hot = codes == 1
    n_hot, run = int(hot.sum()), len(hot) if hot.all() else int(np.argmin(hot[::-1]))
    if n_hot == 1:
        return "new"
    if _nine_tenths(hot):
        return "intensifying" if trend > 0 else "diminishing" if trend < 0 else "persistent"
    if run == n_hot:
        return "consecutive"
    return "oscillating" if (codes == -1).any() else "sporadic"


def emerging_hot_spots(
    y: pd.Series,
    weights: Any,
    *,
    back: int = 1,
    p: PValue | str = PValue.PERMUTATION,
    min_years: int = 4,
    **options: Unpack[LocalOptions],
) -> EmergingHotSpots:
    """Return hot and cold spots of every unit and year, and the pattern each unit's spots make over the years.

    Assumption: under the hypothesis the values of all units and years are dealt at random over space and time. A
    growth that the whole country shares makes the last years hot everywhere: divide by the national value of the
    year first where that is not the question. Values that persist from year to year make spots, and trends of
    their z-scores, more often than the levels say: the categories describe more than they test. Even without
    persistence bins of following years share neighbours: on independent values of 15 years the trend at 10 % is
    found in 9 % of the units with ``back=0``, in 23 % with 1 and in 33 % with 2.

    Parameters
    ----------
    y : Series
        MultiIndex (region, year), each pair once. A bin without a value is left out, and is no one's neighbour.
    weights : Weights or libpysal Graph
        Spatial neighbours, taken as binary; the regions of ``y`` are among its units. Units without a neighbour
        are "undefined"; their values still count in the mean and in the draws.
    back : int
        How many earlier years of its neighbours and of itself a bin looks back to; years are those of the panel,
        in order, whatever the gaps between them.
    p : {"permutation", "normal"}
        "permutation": as in ``getis_ord``. "normal": of the z-score against the standard normal, as ArcGIS; wrong
        on skewed values with few neighbours. Nothing is drawn then, and ``permutations``, ``draws`` and ``rng`` are
        refused.
    min_years : int
        Units with fewer defined bins are "undefined". Four is the least with which a trend can reach 10 %; ArcGIS
        wants ten.
    **options
        See ``kazgeo.autocorrelation.LocalOptions``. The correction ("fdr" by default) is over all bins; ``alpha``
        is 0.10 by default, the level of hot and cold bins and of the trend.

    Returns
    -------
    EmergingHotSpots
        Constant values: everything "undefined".

    Raises
    ------
    InputError
        Fewer than 3 values, regions that the weights lack, or a bad option.

    Notes
    -----
    Gi* as in ``getis_ord`` over the bins of all years, whose mean and spread it uses. A bin's neighbours are its
    spatial neighbours in its year and ``back`` years before, itself, and itself in those years. Categories: see
    ``classify``; the last year is the last of the panel.

    References
    ----------
    Getis, A. and Ord, J. K. (1992), doi:10.1111/j.1538-4632.1992.tb00261.x; ArcGIS Pro, How Emerging Hot Spot
    Analysis works (see ``classify``); Mann, H. B. (1945), doi:10.2307/1907187.

    Examples
    --------
    >>> ids = [f"u{i:02d}" for i in range(30)]
    >>> chain = Weights.from_pairs(ids, [(ids[i], ids[j]) for i in range(29) for j in (i + 1, i + 2) if j < 29])
    >>> index = pd.MultiIndex.from_product([ids, range(2015, 2021)], names=["region", "year"])
    >>> rng = np.random.default_rng(3)
    >>> y = pd.Series(rng.normal(size=180), index=index)
    >>> y.loc["u00":"u04"] += 4.0
    >>> y.loc["u20":"u24", 2020] += 6.0
    >>> y.loc["u15", 2020] = np.nan
    >>> got = emerging_hot_spots(y, chain, rng=1)
    >>> got.category[["u02", "u22", "u10", "u15", "u29"]].tolist()
    ['persistent-hot', 'new-hot', 'no-pattern', 'undefined', 'undefined']
    >>> got.reason[["u15", "u29"]].tolist(), got.few_years
    (['no-last-year', 'no-neighbour'], True)
    >>> emerging_hot_spots(y * 0, chain, rng=1).counts["undefined"]
    np.int64(30)
    >>> emerging_hot_spots(y.iloc[:0], chain)
    Traceback (most recent call last):
    kazgeo.errors.InputError: y must have a value for at least 3 units; got 0 of 0
    """
    way, least = choice(PValue, p, "p"), positive_integer(min_years, "min_years")
    if isinstance(back, bool) or not isinstance(back, (int, np.integer)) or back < 0:
        raise InputError(f"back must be a whole number of at least 0 years; got {back!r}")
    alpha = probability(options.get("alpha", 0.10), "alpha")
    inner: LocalOptions = {**options, "alpha": alpha}
    idle = [name for name in ("permutations", "draws", "rng") if name in options]
    if way is PValue.NORMAL and idle:
        raise InputError(f"p = 'normal' draws nothing, so {listing(idle)} can't have an effect; leave it out")
    given = as_weights(weights)
    regions, years, table = unit_by_year(y, "y")
    where = given.ids.get_indexer(regions)
    if (where < 0).any():
        strange = regions[where < 0]
        raise InputError(f"y has {len(strange)} regions that the weights lack: {listing(strange)}")
    if not len(years):
        raise InputError("y must have a value for at least 3 units; got 0 of 0")
    values = np.full((given.n, len(years)), np.nan)
    values[where] = table
    found = _spots(values, space_time(given, list(years), back=int(back)), way, inner)
    units = _categories(found, given, len(years), least, alpha)
    rows = given.ids.get_indexer(y.index.get_level_values(0)) * len(years)
    rows = rows + years.get_indexer(y.index.get_level_values(1))
    kept: dict[str, object] = {"back": int(back), "p": way.value, "min_years": least}
    if way is PValue.NORMAL:
        kept |= {"permutations": None, "seed": None}
    return EmergingHotSpots(
        bins=found.to_frame().iloc[rows].set_axis(y.index, axis=0),
        **{str(name): units[name] for name in units.columns},
        years=years,
        dropped=_told(found.dropped, units["reason"]),
        cannot_pass=way is PValue.PERMUTATION and found.cannot_pass,
        parameters={**found.parameters, **kept},
    )


def _spots(values: NDArray[np.float64], links: Weights, way: PValue, options: LocalOptions) -> GetisOrd:
    """Return Gi* of all bins, with p by the way asked for."""
    bins = pd.Series(values.ravel(), index=links.ids)
    if way is PValue.PERMUTATION:
        return getis_ord(bins, links, **options)
    plan = Plan.of(options)
    one: LocalOptions = {**options, "permutations": 1, "rng": 0}
    found = getis_ord(bins, links, **one)
    value = found.value.to_numpy()
    p = np.array([normal_p(z, plan.alternative) for z in value])
    adjusted = plan.adjusted(p)
    label = found.label.mask(found.p.notna(), pd.Series(spots(value, adjusted), index=bins.index))
    series = {"p": pd.Series(p, bins.index, name="p"), "p_adjusted": pd.Series(adjusted, bins.index, name="p_adjusted")}
    return replace(found, label=label, **series)


def _categories(found: GetisOrd, given: Weights, steps: int, least: int, alpha: float) -> pd.DataFrame:
    """Return category, reason, trend and counts of every unit."""
    z = found.value.to_numpy().reshape(given.n, steps)
    passed = passes(found.p_adjusted.to_numpy(), alpha).reshape(z.shape)
    codes = np.where(passed, np.sign(np.nan_to_num(z)), 0).astype(int)
    some = ~np.isnan(z)
    trend = trends(z, np.arange(float(steps)), tie=TIE)
    reason = np.full(given.n, None, dtype=object)
    reason[~some[:, -1]] = "no-last-year"
    reason[some.sum(axis=1) < least] = "few-years"
    if not some.any():
        reason[:] = "no-variation"
    reason[given.cardinalities - (given.self_weights != 0) == 0] = "no-neighbour"
    category = [
        "undefined" if why else classify(codes[unit, some[unit]], trend["z"][unit], trend["p"][unit], alpha=alpha)
        for unit, why in enumerate(reason)
    ]
    return pd.DataFrame(
        {
            "category": pd.Series(category, index=given.ids, dtype=object),
            "reason": pd.Series(reason, index=given.ids, dtype=object),
            "trend_z": trend["z"],
            "trend_p": trend["p"],
            "n_hot_years": np.sum(codes == 1, axis=1),
            "n_cold_years": np.sum(codes == -1, axis=1),
            "n_years": np.sum(some, axis=1),
        },
        index=given.ids,
    )


def _told(bins: pd.DataFrame, reason: pd.Series) -> pd.DataFrame:
    """Tabulate bins and units set aside and why."""
    undefined = reason[reason.notna()]
    return pd.DataFrame(
        {
            "unit": pd.Series([unit for unit, _ in bins["unit"]] + undefined.index.tolist(), dtype=object),
            "year": pd.Series([year for _, year in bins["unit"]] + [None] * len(undefined), dtype=object),
            "reason": pd.Series([*bins["reason"], *undefined], dtype=object),
        }
    )
