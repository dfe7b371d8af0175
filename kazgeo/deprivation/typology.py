"""Level x trend: regions that are deprived, and whether they sink, stay or recover."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kazgeo.errors import InputError, listing
from kazgeo.trend import trends, unit_by_year

__all__ = ["CLASSES", "Typology", "typology"]

#: Every class a region can have.
CLASSES = ("stable", "lagging", "depressed", "recovering", "undefined")


@dataclass(frozen=True, eq=False)
class Typology:
    """Level, trend and class of every region.

    Parameters
    ----------
    level : Series
        z-score of the index among the regions of the last year; higher = more deprived.
    trend_per_decade : Series
        Theil-Sen slope of the index over the region's own years, per 10 years; above 0 = worsening.
    p_trend : Series
        Two-sided Mann-Kendall p of that trend; NaN with fewer than 2 years.
    n_years : Series of int
        Years with a value, up to the last one.
    label : Series of str
        "stable", "lagging", "depressed", "recovering"; "undefined" without a level.
    year : object
        The last year.
    level_threshold, alpha : float
        What made the classes.
    dropped : DataFrame
        Columns unit, reason: regions without a value in the last year.
    """

    level: pd.Series
    trend_per_decade: pd.Series
    p_trend: pd.Series
    n_years: pd.Series
    label: pd.Series
    year: object
    level_threshold: float
    alpha: float
    dropped: pd.DataFrame

    @property
    def parameters(self) -> dict[str, object]:
        """The options of the call, plain values only."""
        return {"year": self.year, "level_threshold": self.level_threshold, "alpha": self.alpha}

    def counts(self) -> dict[str, int]:
        """Return how many regions each class has, all classes named."""
        found = self.label.value_counts()
        return {name: int(found.get(name, 0)) for name in CLASSES}

    def to_frame(self) -> pd.DataFrame:
        """Return all columns, one row per region."""
        names = ["level", "trend_per_decade", "p_trend", "n_years", "label"]
        return pd.DataFrame({name: getattr(self, name) for name in names})


def typology(
    index_by_year: pd.Series, *, level_threshold: float = 0.5, alpha: float = 0.05, year: Any = None
) -> Typology:
    """Class regions by how deprived they are now and how that changed over their own past.

    A region at or below the threshold is "stable". Beyond it, one that worsens significantly is "depressed", one that
    improves significantly "recovering", and any other "lagging".

    Assumption: years are independent draws around a trend (Mann-Kendall); in short autocorrelated series p is too
    small. With fewer than 5 years no trend can pass 0.05, and p is not adjusted for the number of regions. The index
    is relative to each year's regions, so that a trend is one against the others.

    Parameters
    ----------
    index_by_year : Series
        MultiIndex (region, year), year numeric; higher = more deprived (``CompositeByYear.deprivation``).
    level_threshold : float
        Standard deviations above the mean of the last year beyond which a region is deprived.
    alpha : float
        Two-sided level of the trend test.
    year : number or None
        The last year; None = the latest with a value. Later years are not used.

    Returns
    -------
    Typology
        Regions in the order in which they first appear.

    Raises
    ------
    InputError
        No (region, year) index, repeated pairs, a year that is not there, or fewer than 2 differing values in it.

    References
    ----------
    Mann, H. B. (1945), doi:10.2307/1907187; Kendall, M. G. (1938), doi:10.1093/biomet/30.1-2.81; Sen, P. K. (1968),
    doi:10.1080/01621459.1968.10480934.

    Examples
    --------
    >>> years = range(2013, 2021)
    >>> rows = {"up": [2.0 - 0.1 * t for t in range(8)], "down": [0.5 + 0.1 * t for t in range(8)], "good": [-1.0] * 8}
    >>> wide = pd.DataFrame(rows | {"gone": [0.0] * 7 + [None]}, index=pd.Index(years, name="year"))
    >>> series = wide.rename_axis(columns="region").unstack()
    >>> got = typology(series)
    >>> got.label.to_dict()
    {'up': 'recovering', 'down': 'depressed', 'good': 'stable', 'gone': 'undefined'}
    >>> got.trend_per_decade.round(2).tolist(), got.dropped.values.tolist()
    ([-1.0, 1.0, 0.0, 0.0], [['gone', 'no value in 2020']])
    >>> typology(series.iloc[:0])
    Traceback (most recent call last):
    kazgeo.errors.InputError: index_by_year must hold values; got none
    """
    last = _checked(index_by_year, level_threshold, alpha, year)
    series = pd.Series(index_by_year.to_numpy(dtype=np.float64, na_value=np.nan), index=index_by_year.index)
    regions = series.index.get_level_values(0).unique()
    now = series.xs(last, level=1).reindex(regions)
    spread = now.std(ddof=0)
    if now.count() < 2 or not spread > 1e-12 * now.abs().max():
        raise InputError(f"index_by_year must have at least 2 differing values in {last}; got {now.count()} value(s)")
    level = ((now - now.mean()) / spread).rename("level")
    past = series[series.index.get_level_values(1) <= last]
    _, years, table = unit_by_year(past.round(12), "index_by_year")  # equal up to rounding is a tie
    trend = trends(table, years.to_numpy(dtype=np.float64), exact=True)
    slope, s, p_trend, n_years = (
        pd.Series(trend[name], index=past.index.get_level_values(0).unique()).reindex(regions)
        for name in ("sen_slope", "s", "p", "n_years")
    )
    label = np.where(level > level_threshold, "lagging", "stable").astype(object)
    deprived, sure = (level > level_threshold).to_numpy(), (p_trend <= alpha).to_numpy()
    label[deprived & sure & (s > 0).to_numpy()] = "depressed"
    label[deprived & sure & (s < 0).to_numpy()] = "recovering"
    label[level.isna().to_numpy()] = "undefined"
    gone = regions[level.isna().to_numpy()]
    return Typology(
        level=level,
        trend_per_decade=(10 * slope).rename("trend_per_decade"),
        p_trend=p_trend.rename("p_trend"),
        n_years=n_years.fillna(0).astype(int).rename("n_years"),
        label=pd.Series(label, index=regions, name="label", dtype=object),
        year=last,
        level_threshold=float(level_threshold),
        alpha=float(alpha),
        dropped=pd.DataFrame({"unit": gone.astype(object), "reason": f"no value in {last}"}, dtype=object),
    )


def _checked(series: Any, level_threshold: float, alpha: float, year: Any) -> Any:
    """Check what was given and return the last year."""
    if not isinstance(series, pd.Series) or series.index.nlevels != 2:
        raise InputError("index_by_year must be a Series with the index levels (region, year)")
    if not series.index.is_unique:
        twice = series.index[series.index.duplicated()]
        raise InputError(f"index_by_year must hold each (region, year) once; repeated: {listing(twice)}")
    if not np.isfinite(level_threshold):
        raise InputError(f"level_threshold must be a finite number; got {level_threshold}")
    if not 0 < alpha < 1:
        raise InputError(f"alpha must lie between 0 and 1; got {alpha}")
    years = series.dropna().index.get_level_values(1).unique()
    if not len(years):
        raise InputError("index_by_year must hold values; got none")
    if not pd.api.types.is_numeric_dtype(years.dtype):
        raise InputError(f"years must be numbers; got {listing(years)}")
    if year is not None and year not in years:
        raise InputError(f"year {year} has no value; there are {years.min()} to {years.max()}")
    return years.max() if year is None else year
