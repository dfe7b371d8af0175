"""Rates of unequal populations made comparable before they are tested."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kazgeo.autocorrelation.sample import numbers
from kazgeo.errors import InputError, listing
from kazgeo.labels import same_units

__all__ = ["standardized_rate"]


def standardized_rate(events: pd.Series, population: pd.Series) -> pd.Series:
    r"""Return the empirical Bayes standardisation of rates (Assunção and Reis).

    Assumption: counts are Poisson around rates that themselves vary between units.

    Parameters
    ----------
    events : Series, shape (n,)
        Counts of at least 0, by unit.
    population : Series, shape (n,)
        At risk, above 0, of the same units in any order.

    Returns
    -------
    Series
        On the index of ``events``, without unit; NaN where events or population is missing, and such units take no
        part in the overall rate.

    Raises
    ------
    InputError
        Units that differ, negative events, population of 0 or less, or no event at all.

    Notes
    -----
    .. math:: z_i = \frac{p_i - b}{\sqrt{a + b / P_i}}, \quad p_i = \frac{E_i}{P_i}, \quad b = \frac{\sum E}{\sum P},
        \quad a = \frac{\sum P_i (p_i - b)^2}{\sum P} - \frac{b}{\bar P}

    Where a + b / P_i is not above 0, b / P_i takes its place, as in esda.

    References
    ----------
    Assunção, R. M. and Reis, E. A. (1999),
    doi:10.1002/(SICI)1097-0258(19990830)18:16<2147::AID-SIM179>3.0.CO;2-I.

    Examples
    --------
    >>> ill, people = pd.Series([3, 0, 9, None], index=list("abcd")), pd.Series([100, 50, 90, 70], index=list("abcd"))
    >>> standardized_rate(ill, people).round(4).tolist()
    [-0.5164, -1.118, 1.2677, nan]
    >>> standardized_rate(ill, people - 50)
    Traceback (most recent call last):
    kazgeo.errors.InputError: population must be above 0; it is not at units 'b'
    >>> standardized_rate(ill.iloc[:0], people.iloc[:0]).empty
    True
    """
    e, around = numbers(events, "events"), pd.Series(numbers(population, "population"), index=population.index)
    same_units("events", events.index, "population", population.index)
    at_risk = around.reindex(events.index).to_numpy()
    if (e < 0).any():
        raise InputError(f"events must not be negative; they are at units {listing(events.index[e < 0])}")
    if (at_risk <= 0).any():
        raise InputError(f"population must be above 0; it is not at units {listing(events.index[at_risk <= 0])}")
    known = ~np.isnan(e) & ~np.isnan(at_risk)
    out = np.full(len(e), np.nan)
    if known.any():
        if not e[known].sum():
            raise InputError("events must not all be 0: there is no rate to compare with")
        p, people = e[known] / at_risk[known], at_risk[known]
        overall = e[known].sum() / people.sum()
        between = np.sum(people * (p - overall) ** 2) / people.sum() - overall / people.mean()
        chance = overall / people
        variance = np.where(between + chance <= 1e-12 * chance, chance, between + chance)
        out[known] = (p - overall) / np.sqrt(variance)
    return pd.Series(out, index=events.index, name="standardized_rate")
