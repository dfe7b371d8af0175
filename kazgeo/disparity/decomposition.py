"""Theil's T taken apart: between and within groups, by region, and who moved it from one year to another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kazgeo.disparity.inequality import Zeros, theil_terms
from kazgeo.disparity.shares import Shares, shares
from kazgeo.errors import choice

__all__ = ["TheilChange", "TheilDecomposition", "theil_change", "theil_contributions", "theil_decomposition"]


@dataclass(frozen=True, eq=False)
class TheilDecomposition:
    """Theil's T between and within groups.

    Parameters
    ----------
    total, between, within : float
        total = between + within.
    groups : DataFrame
        Index group; ``n`` units, ``population_share`` P, ``value_share`` S, ``mean``, ``theil`` T_g inside the group,
        ``between_term`` S ln(S / P), ``within_term`` S T_g.
    dropped : DataFrame
        Columns unit, reason (missing value, weight or group).
    """

    total: float
    between: float
    within: float
    groups: pd.DataFrame
    dropped: pd.DataFrame

    @property
    def between_share(self) -> float:
        """Share of the total that lies between groups; NaN when all are equal."""
        return self.between / self.total if self.total > 1e-15 else np.nan

    @property
    def within_share(self) -> float:
        """Share of the total that lies within groups; NaN when all are equal."""
        return self.within / self.total if self.total > 1e-15 else np.nan

    def to_frame(self) -> pd.DataFrame:
        """Return the table of groups."""
        return self.groups.copy()


@dataclass(frozen=True, eq=False)
class TheilChange:
    """Which regions moved Theil's T.

    Parameters
    ----------
    before, after, change : float
        T of both dates over the units that have both, and the difference.
    units : DataFrame
        Index unit. ``ratio_before``, ``ratio_after``: value against the mean (1 = mean). ``term_before``,
        ``term_after``, ``term_change``: s ln(s / p), negative below the mean. ``distance_before``, ``distance_after``,
        ``distance_change``: p (r ln r - r + 1), never negative, 0 at the mean. Both kinds sum to T, both changes to
        ``change``.
    dropped : DataFrame
        Columns unit, reason.
    """

    before: float
    after: float
    change: float
    units: pd.DataFrame
    dropped: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return the table of units, those that moved T most first."""
        order = np.argsort(-self.units["distance_change"].abs().to_numpy(), kind="stable")
        return self.units.iloc[order]


def theil_decomposition(
    x: pd.Series, groups: pd.Series, weights: pd.Series | None = None, *, zeros: Zeros | str = Zeros.REFUSE
) -> TheilDecomposition:
    r"""Split Theil's T into inequality between groups and inequality within them.

    Assumption: groups do not overlap; more groups always leave less within.

    Parameters
    ----------
    x : Series, shape (n,)
        Values above 0 per unit; NaN is left out and counted.
    groups : Series
        Group of every unit, on the same labels.
    weights : Series or None
        Population; None = every unit counts alike.
    zeros : {"refuse", "limit"}
        As in ``theil``.

    Returns
    -------
    TheilDecomposition
        NaN without units.

    Raises
    ------
    InputError
        Values of 0 or below (named), or weights that do not fit.

    Notes
    -----
    .. math:: T = \sum_g S_g \ln \frac{S_g}{P_g} + \sum_g S_g T_g

    References
    ----------
    Shorrocks, A. F. (1980), doi:10.2307/1913126.

    Examples
    --------
    >>> x = pd.Series({"a": 1.0, "b": 3.0, "c": 2.0, "d": 2.0, "e": None})
    >>> split = theil_decomposition(x, pd.Series({"a": "west", "b": "west", "c": "east", "d": "east", "e": "east"}))
    >>> round(split.total, 4), round(split.between, 4), round(split.within, 4), split.within_share
    (0.0654, 0.0, 0.0654, 1.0)
    >>> split.dropped.values.tolist()
    [['e', 'missing value']]
    >>> theil_decomposition(x.iloc[:0], pd.Series(dtype=object)).total
    nan
    """
    how = choice(Zeros, zeros, "zeros")
    data = shares(x, weights, groups=groups)
    group = pd.Series(groups.reindex(data.units).to_numpy(), index=data.units)
    terms = theil_terms(data, how)
    table = pd.DataFrame({"p": data.p, "s": data.p * data.x / data.mean, "term": terms, "g": group.to_numpy()})
    sums = table.groupby("g", sort=True)[["p", "s", "term"]].sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = (sums["s"] / sums["p"]).to_numpy()  # group mean over overall mean; NaN for a group of weight 0
        between = np.where(sums["s"] > 0, sums["s"] * np.log(relative), 0.0)
        within = np.where(sums["p"] > 0, sums["term"] - between, 0.0)
        inside = np.where(sums["s"] > 0, within / sums["s"], np.nan)
    out = pd.DataFrame(
        {
            "n": table.groupby("g", sort=True).size(),
            "population_share": sums["p"],
            "value_share": sums["s"],
            "mean": relative * data.mean,
            "theil": inside,
            "between_term": between,
            "within_term": within,
        }
    ).rename_axis(index="group")
    if not len(data.x):
        return TheilDecomposition(np.nan, np.nan, np.nan, out, data.dropped)
    return TheilDecomposition(float(terms.sum()), float(between.sum()), float(within.sum()), out, data.dropped)


def theil_contributions(x: pd.Series, population: pd.Series | None = None) -> pd.Series:
    r"""Return what every region adds to Theil's T.

    Assumption: a region below the mean has a negative term: it lowers the sum as such, which does not mean that it
    lowers inequality. To see who moved T, use the distances of ``theil_change``.

    Parameters
    ----------
    x : Series, shape (n,)
        Values above 0.
    population : Series or None
        On the same labels; None = every region counts alike.

    Returns
    -------
    Series
        On the index of ``x``; sums to T; NaN for units left out.

    Raises
    ------
    InputError
        Values of 0 or below (named), or population that does not fit.

    Notes
    -----
    .. math:: t_i = s_i \ln \frac{s_i}{p_i}

    Examples
    --------
    >>> terms = theil_contributions(pd.Series({"a": 1.0, "b": 3.0, "c": None}))
    >>> terms.round(4).tolist(), round(float(terms.sum()), 4)
    ([-0.1733, 0.3041, nan], 0.1308)
    >>> theil_contributions(pd.Series(dtype=float)).tolist()
    []
    """
    data = shares(x, population)
    return pd.Series(theil_terms(data), index=data.units, name="theil_contribution").reindex(x.index)


def theil_change(
    before: pd.Series,
    after: pd.Series,
    population_before: pd.Series | None = None,
    population_after: pd.Series | None = None,
) -> TheilChange:
    r"""Tell which regions moved Theil's T from one date to another.

    Assumption: regions with a value (and population) at both dates; borders did not change.

    Parameters
    ----------
    before, after : Series
        Values above 0 of the two dates, on the same labels; nominal money will do.
    population_before, population_after : Series or None
        Both or none.

    Returns
    -------
    TheilChange
        Per unit the change of s ln(s / p), and the change of its distance from the mean, which reads rightly for poor
        regions too: one that catches up lowers it. Both sum exactly to the change of T.

    Raises
    ------
    InputError
        Values of 0 or below (named), or only one population.

    Notes
    -----
    With r the value against the mean, the distances p (r ln r - r + 1) sum to T because the p r sum to 1.

    Examples
    --------
    >>> moved = theil_change(pd.Series({"a": 1.0, "b": 9.0, "c": 2.0}), pd.Series({"a": 4.0, "b": 6.0}))
    >>> round(moved.change, 4), moved.units["distance_change"].round(4).tolist()
    (-0.3479, [-0.2283, -0.1196])
    >>> moved.dropped.values.tolist()
    [['c', 'missing value']]
    >>> theil_change(pd.Series(dtype=float), pd.Series(dtype=float)).change
    nan
    """
    from kazgeo.errors import InputError

    if (population_before is None) != (population_after is None):
        raise InputError("population must be given for both dates or for none; got one")
    index = before.index.union(after.index)
    first = shares(before.reindex(index), _on(population_before, index))
    last = shares(after.reindex(index), _on(population_after, index))
    both = first.units.intersection(last.units)
    dropped = pd.concat([first.dropped, last.dropped]).drop_duplicates("unit", ignore_index=True)
    one = shares(before.reindex(both), _on(population_before, both))
    two = shares(after.reindex(both), _on(population_after, both))
    units = pd.concat([_terms(one, "before"), _terms(two, "after")], axis=1)
    for name in ("term", "distance"):
        units[f"{name}_change"] = units[f"{name}_after"] - units[f"{name}_before"]
    start, end = (float(units[f"term_{when}"].sum()) if len(both) else np.nan for when in ("before", "after"))
    return TheilChange(start, end, end - start, units, dropped)


def _on(values: pd.Series | None, index: pd.Index) -> pd.Series | None:
    return None if values is None else values.reindex(index)


def _terms(data: Shares, when: str) -> pd.DataFrame:
    """Return the ratio to the mean and both kinds of contribution of one date."""
    term, ratio = theil_terms(data), data.x / data.mean
    columns = {"ratio": ratio, "term": term, "distance": term - data.p * (ratio - 1)}
    return pd.DataFrame({f"{name}_{when}": values for name, values in columns.items()}, index=data.units)
