"""Remoteness of settlements from centres of several sizes, after the form of ARIA+."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kazgeo.accessibility.nearest import nearest
from kazgeo.errors import InputError
from kazgeo.network import Attached
from kazgeo.progress import Progress, silent

__all__ = ["Remoteness", "remoteness"]


@dataclass(frozen=True)
class Remoteness:
    """Remoteness score and what it is made of.

    Parameters
    ----------
    score : Series
        0 (in a centre of the largest size) to ``cap`` times the number of classes; NaN where a class is out of reach.
    terms : DataFrame
        One column per class of centres: min(cap, time / mean time).
    time_s : DataFrame
        Seconds to the nearest centre of each class.
    means_s : Series
        Mean seconds per class, by which times were divided.
    centres : Series
        Number of centres per class.
    unknown_population : int
        Places whose population is unknown and which therefore never count as centres.
    dropped : DataFrame
        Columns unit, reason.
    """

    score: pd.Series
    terms: pd.DataFrame
    time_s: pd.DataFrame
    means_s: pd.Series
    centres: pd.Series
    unknown_population: int
    dropped: pd.DataFrame


def remoteness(
    attached: Attached,
    population: pd.Series,
    *,
    thresholds: Sequence[float] = (250_000, 100_000, 50_000, 10_000),
    cap: float = 3.0,
    progress: Progress = silent,
) -> Remoteness:
    """Return the remoteness score of every place from centres of several sizes.

    Assumption: a larger centre offers everything a smaller one does, so classes are "at least this many
    inhabitants". The mean is taken over the places that can be scored, so the score compares places of one study
    and is re-calibrated in another. Travel time stands in for the road distance of the original.

    Parameters
    ----------
    attached : Attached
        A network with places tied to it.
    population : Series
        Inhabitants per place; NaN for unknown.
    thresholds : sequence of float
        Least inhabitants of the classes of centres, decreasing.
    cap : float
        Limit of one class's term, which keeps one very far centre from deciding the score.
    progress : Progress
        Reporter.

    Returns
    -------
    Remoteness
        score_i = sum over classes k of min(cap, t_ik / mean_k), on the index of the places.

    Raises
    ------
    InputError
        Thresholds that don't decrease, a class without a centre, labels that differ, cap not positive.

    References
    ----------
    Department of Health and Aged Care (2001). Measuring Remoteness: Accessibility/Remoteness Index of Australia
    (ARIA). Occasional Papers New Series 14 (a government report; it has no DOI).

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
    >>> remoteness(tied, people, thresholds=(5_000_000,))
    Traceback (most recent call last):
    kazgeo.errors.InputError: no place has 5,000,000 inhabitants or more (1 populations are unknown); lower the
    threshold
    """
    limits = [float(t) for t in thresholds]
    if not limits or any(b >= a for a, b in itertools.pairwise(limits)) or not limits[-1] > 0:
        raise InputError(f"thresholds must be positive and decrease; got {list(thresholds)}")
    if not cap > 0:
        raise InputError(f"cap must be positive; got {cap}")
    ids = attached.ids
    if not population.index.sort_values().equals(ids.sort_values()):
        raise InputError("population must be given for exactly the places that are tied to the network")
    people = population.reindex(ids).astype(float)
    times, centres, dropped = {}, {}, []
    for step, limit in enumerate(limits):
        progress(step / len(limits), f"centres of {limit:,.0f} and more")
        chosen = ids[(people >= limit).to_numpy()]
        if not len(chosen):
            unknown = int(people.isna().sum())
            raise InputError(
                f"no place has {limit:,.0f} inhabitants or more ({unknown} populations are unknown); "
                "lower the threshold"
            )
        found = nearest(attached, chosen)
        name = f"{limit:.0f}"
        times[name], centres[name] = found.time_s, len(chosen)
        dropped.append(found.dropped)
    time_s = pd.DataFrame(times)
    scored = time_s.notna().all(axis=1)
    means = time_s[scored].mean()
    terms = (time_s / means.where(means > 0, np.nan)).clip(upper=cap)
    terms = terms.where(~((time_s == 0) & (means == 0)), 0.0)
    score = terms.sum(axis=1, min_count=len(limits)).where(scored).rename("remoteness")
    lost = pd.concat(dropped).drop_duplicates("unit").reset_index(drop=True)
    return Remoteness(score, terms, time_s, means, pd.Series(centres), int(people.isna().sum()), lost)
