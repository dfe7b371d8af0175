"""Remoteness of settlements from centres of several sizes: ARIA+'s form, and the same re-calibrated in travel time."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd

from kazgeo.accessibility.nearest import nearest
from kazgeo.choices import RemotenessForm
from kazgeo.errors import InputError, choice, listing
from kazgeo.network import Attached
from kazgeo.progress import Progress, silent

__all__ = ["Remoteness", "remoteness"]

Values = TypeVar("Values", pd.Series, pd.DataFrame)

#: Least inhabitants of the classes of centres: this package's own for time, ARIA+'s for road distance.
CLASSES: dict[RemotenessForm, tuple[float, ...]] = {
    RemotenessForm.TIME: (250_000, 100_000, 50_000, 10_000, 5_000),
    RemotenessForm.ROAD_DISTANCE: (250_000, 48_000, 18_000, 5_000, 1_000),
}
#: Seconds in the minute and metres in the kilometre that means are given in.
UNIT = {RemotenessForm.TIME: 60.0, RemotenessForm.ROAD_DISTANCE: 1000.0}


@dataclass(frozen=True)
class Remoteness:
    """Remoteness score and what it is made of.

    Parameters
    ----------
    score : Series
        0 (in a centre of the largest size) to ``cap`` times the number of classes; NaN where a class is out of reach.
    terms : DataFrame
        One column per class of centres: min(cap, separation / mean).
    separation : DataFrame
        Seconds (``form`` time) or metres (``form`` road_distance) to the nearest centre of each class; read it as
        ``time_s`` or ``road_m``.
    means : Series
        Seconds or metres per class, by which these were divided; read it as ``means_s`` or ``means_m``.
    centres : Series
        Number of centres per class.
    unknown_population : int
        Places whose population is unknown and which therefore never count as centres.
    dropped : DataFrame
        Columns unit, reason.
    form : RemotenessForm
        What was summed up.
    """

    score: pd.Series
    terms: pd.DataFrame
    separation: pd.DataFrame
    means: pd.Series
    centres: pd.Series
    unknown_population: int
    dropped: pd.DataFrame
    form: RemotenessForm = RemotenessForm.TIME

    @property
    def time_s(self) -> pd.DataFrame:
        """Seconds to the nearest centre of each class, of the form time."""
        return self._only(RemotenessForm.TIME, self.separation, "time_s")

    @property
    def means_s(self) -> pd.Series:
        """Mean seconds per class, of the form time."""
        return self._only(RemotenessForm.TIME, self.means, "means_s")

    @property
    def road_m(self) -> pd.DataFrame:
        """Metres of the shortest way to the nearest centre of each class, of the form road_distance."""
        return self._only(RemotenessForm.ROAD_DISTANCE, self.separation, "road_m")

    @property
    def means_m(self) -> pd.Series:
        """Mean metres per class, of the form road_distance."""
        return self._only(RemotenessForm.ROAD_DISTANCE, self.means, "means_m")

    def _only(self, form: RemotenessForm, values: Values, name: str) -> Values:
        if self.form is not form:
            raise AttributeError(f"remoteness of the form '{self.form}' has no {name}; that is of the form '{form}'")
        return values


def remoteness(
    attached: Attached,
    population: pd.Series,
    *,
    form: RemotenessForm | str = RemotenessForm.TIME,
    thresholds: Sequence[float] | None = None,
    means: Sequence[float] | None = None,
    cap: float = 3.0,
    progress: Progress = silent,
) -> Remoteness:
    r"""Return the remoteness score of every place from centres of several sizes.

    Assumption: a larger centre offers everything a smaller one does, so classes are "at least this many
    inhabitants". Unless means are given, they are taken over the places that can be scored, so the score compares
    places of one study and is re-calibrated in another.

    Parameters
    ----------
    attached : Attached
        A network with places tied to it.
    population : Series
        Inhabitants per place; NaN for unknown.
    form : RemotenessForm
        "road_distance" sums up the shortest ways by road as ARIA+ does, legs off the road included and whatever
        their speed; "time" the quickest ways.
    thresholds : sequence of float, optional
        Least inhabitants of the classes of centres, decreasing; without it 250,000, 48,000, 18,000, 5,000 and 1,000
        (ARIA+) for road distance, and 250,000, 100,000, 50,000, 10,000 and 5,000 for time.
    means : sequence of float, optional
        Mean of each class to divide by, in the order of ``thresholds``: kilometres for road distance, minutes for
        time. With the same means scores of several studies compare.
    cap : float
        Limit of one class's term, which keeps one very far centre from deciding the score.
    progress : Progress
        Reporter.

    Returns
    -------
    Remoteness
        On the index of the places.

    Raises
    ------
    InputError
        Thresholds that don't decrease, a class without a centre, labels that differ, populations that are negative or
        infinite, means that are not positive or not one a class, cap not positive.

    Notes
    -----
    .. math:: R_i = \sum_k \min(cap, d_{ik} / m_k)

    with :math:`d_{ik}` the road distance or travel time from place i to the nearest centre of class k and :math:`m_k`
    the mean of the class. A place that lacks a class has no score and counts in no mean.

    References
    ----------
    Department of Health and Aged Care (2001). Measuring Remoteness: Accessibility/Remoteness Index of Australia
    (ARIA). Occasional Papers New Series 14 (a government report; it has no DOI).
    National Centre for Social Applications of GIS. About ARIA+.
    http://www.gisca.adelaide.edu.au/products_services/ariav2_about.html (formula, 0 to 15)
    Department of Health (2011). ARIA Review: Analysis of Areas of Concern, Final Report, table 1 (the five classes of
    ARIA+; a government report; it has no DOI).

    Examples
    --------
    >>> import geopandas
    >>> from kazgeo.network import attach, from_edges
    >>> nodes = pd.DataFrame({"lon": [71.0, 72.0, 73.0], "lat": [51.0] * 3}, index=list("abc"))
    >>> edges = pd.DataFrame({"from_id": ["a", "b"], "to_id": ["b", "c"], "length_km": [90.0, 90.0]})
    >>> at = geopandas.points_from_xy([71.0, 72.0, 73.0, 60.0], [51.0, 51.0, 51.0, 45.0])
    >>> towns = geopandas.GeoDataFrame(geometry=at, index=["City", "Town", "Village", "Far"], crs=4326)
    >>> people = pd.Series([900_000.0, 60_000.0, np.nan, 100.0], index=towns.index)
    >>> tied = attach(from_edges(edges, nodes, speed_kmh=90), towns)
    >>> remoteness(tied, people, thresholds=(250_000, 50_000)).score.round(3).tolist()
    [0.0, 1.0, 5.0, nan]
    >>> aria = remoteness(tied, people, form="road_distance", means=(200, 100, 100, 90, 90))
    >>> aria.road_m["250000"].round().tolist(), aria.score.round(3).tolist()
    ([0.0, 90000.0, 180000.0, nan], [0.0, 0.45, 4.7, nan])
    >>> remoteness(tied, people, thresholds=(5_000_000,))
    Traceback (most recent call last):
    kazgeo.errors.InputError: no place has 5,000,000 inhabitants or more (1 populations are unknown); lower the
    threshold
    """
    how = choice(RemotenessForm, form, "form")
    limits = _limits(CLASSES[how] if thresholds is None else thresholds)
    own = None if means is None else _means(means, limits, how)
    if not cap > 0:
        raise InputError(f"cap must be positive; got {cap}")
    people = _people(population, attached.ids)
    unknown = int(people.isna().sum())
    on_roads = attached if how is RemotenessForm.TIME else attached.by_length()
    found, centres, dropped = {}, {}, []
    for step, limit in enumerate(limits):
        progress(step / len(limits), f"centres of {limit:,.0f} and more")
        chosen = people.index[(people >= limit).to_numpy()]
        if not len(chosen):
            raise InputError(
                f"no place has {limit:,.0f} inhabitants or more ({unknown} populations are unknown); "
                "lower the threshold"
            )
        way = nearest(on_roads, chosen)
        found[f"{limit:.0f}"], centres[f"{limit:.0f}"] = way.time_s, len(chosen)
        dropped.append(way.dropped)
    separation = pd.DataFrame(found)
    scored = separation.notna().all(axis=1)
    divisor = separation[scored].mean() if own is None else own
    terms = _terms(separation, divisor, cap)
    score = terms.sum(axis=1, min_count=len(limits)).where(scored).rename("remoteness")
    lost = pd.concat(dropped).drop_duplicates("unit").reset_index(drop=True)
    return Remoteness(score, terms, separation, divisor, pd.Series(centres), unknown, lost, how)


def _limits(thresholds: Sequence[float]) -> list[float]:
    """Return the least inhabitants of the classes of centres."""
    limits = [float(t) for t in thresholds]
    falling = all(a > b for a, b in itertools.pairwise(limits))
    if not limits or not falling or not limits[-1] > 0 or not np.isfinite(limits).all():
        raise InputError(f"thresholds must be positive and decrease; got {list(thresholds)}")
    return limits


def _means(means: Sequence[float], limits: list[float], form: RemotenessForm) -> pd.Series:
    """Return given means in seconds or metres by class."""
    values = np.array([float(m) for m in means])
    if len(values) != len(limits) or not (np.isfinite(values) & (values > 0)).all():
        unit = "minutes" if form is RemotenessForm.TIME else "kilometres"
        raise InputError(
            f"means must be positive {unit}, one for each of the {len(limits)} thresholds; got {list(means)}"
        )
    return pd.Series(values * UNIT[form], index=[f"{limit:.0f}" for limit in limits])


def _people(population: pd.Series, ids: pd.Index) -> pd.Series:
    """Return inhabitants in the order of the places."""
    if not (population.index.is_unique and len(population) == len(ids) and ids.isin(population.index).all()):
        raise InputError("population must be given for exactly the places that are tied to the network")
    people = population.reindex(ids).astype(float)
    wrong = (np.isinf(people) | (people < 0)).to_numpy()
    if wrong.any():
        raise InputError(
            f"population must be finite and at least 0, NaN where it is unknown; it is not at {listing(ids[wrong])}"
        )
    return people


def _terms(separation: pd.DataFrame, means: pd.Series, cap: float) -> pd.DataFrame:
    """Return min(cap, separation / mean); 0 where there is nothing to travel for anybody."""
    terms = (separation / means.where(means > 0, np.nan)).clip(upper=cap)
    return terms.where(~((separation == 0) & (means == 0)), 0.0)
