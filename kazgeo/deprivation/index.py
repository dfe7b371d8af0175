"""The composite index of deprivation: z-scores of indicators with declared directions; higher is worse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd

from kazgeo.errors import InputError, listing, unknown

__all__ = ["Composite", "CompositeByYear", "Missing", "StandardDeviation", "composite", "composite_by_year"]


class Missing(StrEnum):
    """What becomes of a unit that lacks an indicator."""

    EXCLUDE = "exclude"
    AVAILABLE = "available"


class StandardDeviation(StrEnum):
    """Divisor of z-scores: n (the regions are all there are) or n - 1 (they are a sample)."""

    POPULATION = "population"
    SAMPLE = "sample"


@dataclass(frozen=True, eq=False)
class Composite:
    """A deprivation index and what it is made of, on the caller's index.

    Parameters
    ----------
    deprivation : Series
        Weighted mean of z; higher = more deprived, 0 = average, NaN = not computed.
    rank : Series
        1 = most deprived; ties share the better rank.
    z : DataFrame
        Units x indicators, turned so that higher is worse.
    contributions : DataFrame
        Units x indicators, weight x z: the drivers, which sum to ``deprivation``.
    weights : Series
        Share of every indicator, sum 1.
    dropped : DataFrame
        Columns unit, reason: units without an index, or with one from fewer indicators.
    options : mapping
        The options of the call.
    """

    deprivation: pd.Series
    rank: pd.Series
    z: pd.DataFrame
    contributions: pd.DataFrame
    weights: pd.Series
    dropped: pd.DataFrame
    options: Mapping[str, object]

    @property
    def main_driver(self) -> pd.Series:
        """Indicator that adds most to the deprivation of every unit; missing where there is no index."""
        return _main_driver(self.contributions)

    def to_frame(self) -> pd.DataFrame:
        """Return index, rank, main driver and contributions as one table."""
        return _table(self.deprivation, self.rank, self.contributions)


@dataclass(frozen=True, eq=False)
class CompositeByYear:
    """A deprivation index by year; as ``Composite``, with the index (region, year).

    Parameters
    ----------
    deprivation, rank, z, contributions, weights, options
        As in ``Composite``; z and rank are taken within every year.
    dropped : DataFrame
        Columns unit, year, reason.
    """

    deprivation: pd.Series
    rank: pd.Series
    z: pd.DataFrame
    contributions: pd.DataFrame
    weights: pd.Series
    dropped: pd.DataFrame
    options: Mapping[str, object]

    @property
    def main_driver(self) -> pd.Series:
        """Indicator that adds most to the deprivation of every unit and year."""
        return _main_driver(self.contributions)

    def to_frame(self) -> pd.DataFrame:
        """Return index, rank, main driver and contributions as one table."""
        return _table(self.deprivation, self.rank, self.contributions)


def composite(
    values: pd.DataFrame,
    *,
    more_is_better: Sequence[str] = (),
    more_is_worse: Sequence[str] = (),
    weights: Mapping[str, float] | None = None,
    missing: Missing | str = Missing.EXCLUDE,
    sd: StandardDeviation | str = StandardDeviation.POPULATION,
) -> Composite:
    r"""Return a composite index of deprivation from indicators with declared directions.

    Assumption: indicators compensate each other linearly, one standard deviation of one for one of another; z-scores
    compare with the units given, so that an index over other units is another index.

    Parameters
    ----------
    values : DataFrame, shape (n, indicators)
        Numeric, unique index of units; NaN = missing.
    more_is_better, more_is_worse : sequence of str
        Every column in exactly one of them.
    weights : mapping or None
        Weight of at least 0 per indicator; they are scaled to sum to 1. None = equal.
    missing : {"exclude", "available"}
        A unit that lacks an indicator gets no index and does not take part in mean and spread; or it gets the
        weighted mean of the indicators it has, and is listed.
    sd : {"population", "sample"}
        Divisor n or n - 1 of the standard deviation.

    Returns
    -------
    Composite
        Higher = more deprived.

    Raises
    ------
    InputError
        A column without a direction, or with two; unknown names; text; fewer than 2 complete units; an indicator that
        does not vary (named).

    Notes
    -----
    .. math:: D_i = \sum_j w_j d_j \frac{x_{ij} - \bar{x}_j}{s_j}, \qquad d_j = \pm 1, \quad \sum_j w_j = 1

    References
    ----------
    OECD and JRC (2008), Handbook on Constructing Composite Indicators, doi:10.1787/9789264043466-en.

    Examples
    --------
    >>> values = pd.DataFrame({"income": [1.0, 2, 3, 4], "infant_mortality": [9.0, 7, 5, None]}, index=list("abcd"))
    >>> got = composite(values, more_is_better=["income"], more_is_worse=["infant_mortality"])
    >>> got.deprivation.round(4).tolist(), got.rank.tolist()
    ([1.2247, 0.0, -1.2247, nan], [1.0, 2.0, 3.0, nan])
    >>> got.dropped.values.tolist()
    [['d', 'missing: infant_mortality']]
    >>> composite(values.iloc[:0], more_is_better=["income"], more_is_worse=["infant_mortality"])
    Traceback (most recent call last):
    kazgeo.errors.InputError: values must have at least 2 units with all indicators; got 0 of 0
    """
    sign, share, policy, divisor = _options(values, more_is_better, more_is_worse, weights, missing, sd)
    x = _numeric(values)
    if not x.index.is_unique:
        raise InputError(f"values must have one row per unit; repeated: {listing(x.index[x.index.duplicated()])}")
    z, faults = _scores(x, sign, policy, divisor)
    if faults:
        raise InputError("; ".join(faults))
    deprivation, contributions = _index(z, share, policy)
    lacking = x[x.isna().any(axis=1)]
    reasons = [_reason(row, policy) for _, row in lacking.iterrows()]
    return Composite(
        deprivation=deprivation,
        rank=deprivation.round(12).rank(ascending=False, method="min").rename("rank"),
        z=z,
        contributions=contributions,
        weights=share,
        dropped=pd.DataFrame({"unit": lacking.index.astype(object), "reason": reasons}, dtype=object),
        options={"missing": policy.value, "sd": divisor.value},
    )


def composite_by_year(
    panel: pd.DataFrame,
    *,
    more_is_better: Sequence[str] = (),
    more_is_worse: Sequence[str] = (),
    weights: Mapping[str, float] | None = None,
    missing: Missing | str = Missing.EXCLUDE,
    sd: StandardDeviation | str = StandardDeviation.POPULATION,
) -> CompositeByYear:
    """Return the composite index of deprivation of every year, relative to that year's regions.

    Assumption: deprivation is relative. z-scores are taken within every year, for money is nominal and pooled
    years would show inflation as progress; a region improves only when it gains on the others.

    Parameters
    ----------
    panel : DataFrame
        MultiIndex (region, year), one column per indicator.
    more_is_better, more_is_worse, weights, missing, sd
        As in ``composite``.

    Returns
    -------
    CompositeByYear

    Raises
    ------
    InputError
        As in ``composite``; all years at fault are named at once.

    Examples
    --------
    >>> index = pd.MultiIndex.from_product([list("abc"), [2019, 2020]], names=["region", "year"])
    >>> panel = pd.DataFrame({"income": [1.0, 20, 2, 30, 3, None]}, index=index)
    >>> got = composite_by_year(panel, more_is_better=["income"])
    >>> got.deprivation.round(4).tolist()
    [1.2247, 1.0, 0.0, -1.0, -1.2247, nan]
    >>> got.dropped.values.tolist()
    [['c', 2020, 'missing: income']]
    >>> composite_by_year(panel.iloc[:0], more_is_better=["income"]).deprivation.tolist()
    []
    """
    sign, share, policy, divisor = _options(panel, more_is_better, more_is_worse, weights, missing, sd)
    if panel.index.nlevels != 2:
        raise InputError("panel must have the index levels (region, year)")
    if not panel.index.is_unique:
        raise InputError(
            f"panel must hold each (region, year) once; repeated: {listing(panel.index[panel.index.duplicated()])}"
        )
    x = _numeric(panel)
    z = pd.DataFrame(np.nan, index=x.index, columns=x.columns)
    faults: list[str] = []
    for year, rows in x.groupby(level=1, sort=True):
        scores, wrong = _scores(rows, sign, policy, divisor)
        faults += [f"{year}: {fault}" for fault in wrong]
        if not wrong:
            z.loc[rows.index] = scores
    if faults:
        raise InputError("; ".join(faults))
    deprivation, contributions = _index(z, share, policy)
    lacking = x[x.isna().any(axis=1)]
    told = {
        "unit": lacking.index.get_level_values(0).astype(object),
        "year": lacking.index.get_level_values(1).astype(object),
        "reason": [_reason(row, policy) for _, row in lacking.iterrows()],
    }
    return CompositeByYear(
        deprivation=deprivation,
        rank=deprivation.round(12).groupby(level=1).rank(ascending=False, method="min").rename("rank"),
        z=z,
        contributions=contributions,
        weights=share,
        dropped=pd.DataFrame(told, dtype=object),
        options={"missing": policy.value, "sd": divisor.value},
    )


def _options(
    values: pd.DataFrame,
    better: Sequence[str],
    worse: Sequence[str],
    weights: Mapping[str, float] | None,
    missing: Missing | str,
    sd: StandardDeviation | str,
) -> tuple[pd.Series, pd.Series, Missing, StandardDeviation]:
    """Check all options and return signs, shares and the two choices."""
    for value, kind, name in ((missing, Missing, "missing"), (sd, StandardDeviation, "sd")):
        if value not in {m.value for m in kind}:
            raise unknown(name, str(value), [m.value for m in kind], "one of the choices")
    return _signs(values, better, worse), _shares(values, weights), Missing(missing), StandardDeviation(sd)


def _signs(values: pd.DataFrame, better: Sequence[str], worse: Sequence[str]) -> pd.Series:
    """Return +1 for indicators of which more is worse, -1 for the others; every column once."""
    for name, given in (("more_is_better", better), ("more_is_worse", worse)):
        if isinstance(given, str):
            raise InputError(f"{name} must be a list of indicators; got the text {given!r}, write [{given!r}]")
    columns = list(values.columns)
    named = [*better, *worse]
    for indicator in named:
        if indicator not in columns:
            raise unknown("indicator", indicator, columns, "a column of values")
    twice = sorted({c for c in named if named.count(c) > 1})
    silent = [c for c in columns if c not in named]
    if twice or silent:
        parts = [f"without a direction: {listing(silent)}"] if silent else []
        parts += [f"named twice: {listing(twice)}"] if twice else []
        raise InputError(f"every indicator must stand in more_is_better or in more_is_worse, once; {'; '.join(parts)}")
    if not columns:
        raise InputError("values must have at least 1 indicator; got none")
    return pd.Series([1.0 if c in worse else -1.0 for c in columns], index=values.columns)


def _shares(values: pd.DataFrame, weights: Mapping[str, float] | None) -> pd.Series:
    """Return weights scaled to sum to 1."""
    if weights is None:
        return pd.Series(1 / len(values.columns), index=values.columns, name="weight")
    for indicator in weights:
        if indicator not in values.columns:
            raise unknown("weight of", str(indicator), [str(c) for c in values.columns], "a column of values")
    lacking = [c for c in values.columns if c not in weights]
    given = pd.Series({c: float(weights.get(c, 0.0)) for c in values.columns}, name="weight")
    if lacking or not np.isfinite(given).all() or (given < 0).any() or given.sum() == 0:
        raise InputError(
            "weights must give every indicator a number of at least 0, not all 0; got "
            f"{dict(weights)}" + (f", nothing for {listing(lacking)}" if lacking else "")
        )
    return given / given.sum()


def _numeric(values: pd.DataFrame) -> pd.DataFrame:
    """Return floats, or name the columns that are not numbers or not finite."""
    kinds = values.dtypes
    text = [c for c in values.columns if not pd.api.types.is_numeric_dtype(kinds[c]) and values[c].notna().any()]
    if text:
        raise InputError(f"indicators must be numbers; text in {listing(text)}")
    columns = {c: values[c].to_numpy(dtype=np.float64, na_value=np.nan) for c in values.columns}
    out = pd.DataFrame(columns, index=values.index)
    endless = [c for c in out.columns if np.isinf(out[c]).any()]
    if endless:
        raise InputError(f"indicators must be finite; infinite values in {listing(endless)}")
    return out


def _scores(
    x: pd.DataFrame, sign: pd.Series, policy: Missing, divisor: StandardDeviation
) -> tuple[pd.DataFrame, list[str]]:
    """Return z turned so that higher is worse, and what stands against computing it."""
    base = x.dropna() if policy is Missing.EXCLUDE else x
    counts = base.count()
    if policy is Missing.EXCLUDE and len(base) < 2:
        return x, [f"values must have at least 2 units with all indicators; got {len(base)} of {len(x)}"]
    few = list(counts.index[counts < 2])
    if few:
        return x, [f"every indicator must have at least 2 values; too few in {listing(few)}"]
    spread = base.std(ddof=0 if divisor is StandardDeviation.POPULATION else 1)
    flat = list(spread.index[(base.max() - base.min()) <= 1e-12 * base.abs().max()])
    if flat:
        return x, [f"indicators must vary between units; constant: {listing(flat)}. Leave them out"]
    return (x - base.mean()) / spread * sign, []


def _index(z: pd.DataFrame, share: pd.Series, policy: Missing) -> tuple[pd.Series, pd.DataFrame]:
    """Return the index and the contributions that sum to it."""
    contributions = z * share
    if policy is Missing.EXCLUDE:
        contributions = contributions.where(z.notna().all(axis=1), np.nan)
    else:
        present = z.notna().mul(share, axis=1).sum(axis=1)
        contributions = contributions.div(present.where(present > 0), axis=0)
    return contributions.sum(axis=1, min_count=1).rename("deprivation"), contributions


def _reason(row: pd.Series, policy: Missing) -> str:
    """Say what a unit lacks and what became of it."""
    gaps = [str(c) for c in row.index[row.isna()]]
    kept = policy is Missing.AVAILABLE and len(gaps) < len(row)
    return f"missing: {', '.join(gaps)}" + (" (index from the others)" if kept else "")


def _main_driver(contributions: pd.DataFrame) -> pd.Series:
    some = contributions.notna().any(axis=1)
    out = pd.Series(None, index=contributions.index, dtype=object, name="main_driver")
    if some.any():
        out[some] = contributions[some].idxmax(axis=1)
    return out


def _table(deprivation: pd.Series, rank: pd.Series, contributions: pd.DataFrame) -> pd.DataFrame:
    first: dict[str, Any] = {"deprivation": deprivation, "rank": rank, "main_driver": _main_driver(contributions)}
    return pd.concat([pd.DataFrame(first), contributions.add_prefix("contribution_")], axis=1)
