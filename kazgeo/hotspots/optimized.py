"""Hot spots at the distance at which clustering peaks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Unpack

import numpy as np
import pandas as pd

from kazgeo.autocorrelation.correlogram import (
    Correlogram,
    correlogram,
    values_at_places,
)
from kazgeo.autocorrelation.plan import LocalOptions
from kazgeo.choices import Peak, PValue
from kazgeo.crs import chord_to_metres
from kazgeo.errors import choice, positive_integer
from kazgeo.hotspots.getis import GetisOrd, getis_ord
from kazgeo.progress import part, silent
from kazgeo.weights import Weights
from kazgeo.weights.sphere import nearest_metres, pairs_within

if TYPE_CHECKING:
    import geopandas
    from numpy.typing import NDArray

__all__ = ["REASONS", "OptimizedHotSpots", "locational_outliers", "optimized_hot_spots"]

#: Why the distance is what it is.
REASONS = ("first-peak", "max-peak", "mean-neighbours", "standard-distance")
#: Below so many units the recipe is unreliable (ArcGIS refuses it).
FEW_UNITS = 30


@dataclass(frozen=True, eq=False, kw_only=True)
class OptimizedHotSpots:
    """Hot spots at the distance at which clustering peaks.

    Parameters
    ----------
    spots : GetisOrd
        Gi* with the neighbours within ``distance_m``; see ``getis_ord``. Its ``dropped`` also tells units without
        a place.
    distance_m : float
        The band, great-circle metres.
    reason : str
        "first-peak" or "max-peak" of the correlogram; "mean-neighbours": no peak, mean distance to the k-th
        neighbour; "standard-distance": the same, but that is smaller.
    correlogram : Correlogram
        From which the peak was read; without the locational outliers.
    outliers : Index
        Units so far from all others that they didn't count in the choice of the distance. They are tested.
    weights : Weights
        The band.
    n_bands, peak
        As given.
    """

    spots: GetisOrd
    distance_m: float
    reason: str
    correlogram: Correlogram
    outliers: pd.Index
    weights: Weights
    n_bands: int
    peak: Peak

    @property
    def dropped(self) -> pd.DataFrame:
        """Units set aside and why."""
        return self.spots.dropped

    @property
    def few_units(self) -> bool:
        """Whether fewer than 30 units were used; ArcGIS refuses such data."""
        return int(self.spots.neighbours.notna().sum()) < FEW_UNITS

    @property
    def parameters(self) -> dict[str, object]:
        """The options of the call and what was chosen, plain values only."""
        chosen = {"distance_m": self.distance_m, "reason": self.reason, "outliers": len(self.outliers)}
        return {**self.spots.parameters, "n_bands": self.n_bands, "peak": self.peak.value, **chosen}

    def to_frame(self) -> pd.DataFrame:
        """Return Gi*, p, label and the number of neighbours on the caller's index."""
        return self.spots.to_frame().assign(neighbours=self.spots.neighbours)


def optimized_hot_spots(
    y: pd.Series,
    points: geopandas.GeoDataFrame,
    *,
    n_bands: int = 30,
    peak: Peak | str = Peak.FIRST,
    **options: Unpack[LocalOptions],
) -> OptimizedHotSpots:
    """Return Gi* hot and cold spots with the distance band at which clustering is most pronounced.

    Assumption: one distance suits the whole map. It is chosen by the same values that are then tested, so that p
    is somewhat too small; where the question gives a distance, use that with ``getis_ord`` instead.

    Parameters
    ----------
    y : Series, shape (n,)
        Numbers labelled by unit; NaN units are set aside. Incidents are counted in cells first: ``aggregate``.
    points : GeoDataFrame
        The same units in any order, with a CRS; polygons stand at their representative point.
    n_bands : int
        Distances tried, from the largest distance to a nearest neighbour upwards; see ``correlogram``.
    peak : {"first", "max"}
        Which significant peak (5 %) of Moran's z is taken.
    **options
        Of Gi*: see ``kazgeo.autocorrelation.LocalOptions``.

    Returns
    -------
    OptimizedHotSpots

    Raises
    ------
    InputError
        No CRS, units that differ, fewer than 3 usable units, all in one place, or a bad option.

    Notes
    -----
    The steps follow ArcGIS. (1) Locational outliers, whose distance to the nearest other place is 3 standard deviations
    above the mean or more, don't count in the choice. (2) The distance is the first peak of z of Moran's I over rising
    bands; where clusters are tighter than the first band z only falls, and there is no peak. (3) Without a peak it is
    the mean distance to the k-th neighbour, k = 5 % of the units, at least 3 and at most 30, but no more than the
    standard distance (the root mean square distance from the middle). (4) Gi* with binary weights and FDR. Other than
    in ArcGIS p is by permutation.

    References
    ----------
    ArcGIS Pro, How Optimized Hot Spot Analysis works,
    https://pro.arcgis.com/en/pro-app/latest/tool-reference/spatial-statistics/how-optimized-hot-spot-analysis-works.htm;
    Ord, J. K. and Getis, A. (1995), doi:10.1111/j.1538-4632.1995.tb00912.x.

    Examples
    --------
    >>> import geopandas
    >>> spot = [(70 + i / 10, 50 + j / 10) for i in range(12) for j in range(12)]
    >>> towns = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(*zip(*spot), crs=4326))
    >>> noise = np.random.default_rng(1).normal(size=144)
    >>> y = pd.Series([4.0 * (i < 4 and j < 4) for i in range(12) for j in range(12)]) + noise
    >>> got = optimized_hot_spots(y, towns, rng=1)
    >>> got.reason, round(got.distance_m / 1000), got.spots.label[13], got.spots.label[143]
    ('first-peak', 27, 'hot-99', 'not significant')
    >>> optimized_hot_spots(y.where(y > 3), towns, rng=1).few_units
    True
    >>> optimized_hot_spots(y * 0, towns, rng=1).reason
    'mean-neighbours'
    >>> optimized_hot_spots(y.iloc[:0], towns.iloc[:0])
    Traceback (most recent call last):
    kazgeo.errors.InputError: y must have a value and a place for at least 3 units; got 0 of 0
    """
    which, bands = choice(Peak, peak, "peak"), positive_integer(n_bands, "n_bands")
    values, spots, ids, dropped = values_at_places(y, points)
    odd = locational_outliers(spots)
    near = ids[~odd]
    progress = options.get("progress", silent)
    first, second = part(progress, 0.0, 0.5), part(progress, 0.5, 1.0)
    curve = correlogram(values[near], points.loc[near], n_bands=bands, p=PValue.NORMAL, progress=first)
    distance = curve.peak_m if which is Peak.FIRST else curve.max_peak_m
    reason = f"{which.value}-peak"
    if np.isnan(distance):
        distance, reason = _without_peak(spots[~odd])
    near_by, at = pairs_within(spots, distance, "distance"), y.index.get_indexer(ids)
    left, right = at[near_by.left], at[near_by.right]
    weights = Weights.from_arrays(y.index, np.r_[left, right], np.r_[right, left])
    tested: LocalOptions = {**options, "progress": second}
    found = getis_ord(values.reindex(y.index), weights, star=True, **tested)
    alone = found.dropped[found.dropped["reason"] != "missing value"]  # those without a place are told as such
    told = pd.concat([dropped, alone], ignore_index=True)
    return OptimizedHotSpots(
        spots=replace(found, dropped=told),
        distance_m=distance,
        reason=reason,
        correlogram=curve,
        outliers=ids[odd],
        weights=weights,
        n_bands=bands,
        peak=which,
    )


def locational_outliers(spots: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which points of the unit sphere are far from all others, shape (n,).

    Their distance to the nearest other place is at least 3 standard deviations above the mean of such distances.

    Examples
    --------
    >>> from kazgeo.crs import unit_sphere
    >>> lon = np.r_[np.arange(20.0), 60.0]
    >>> np.flatnonzero(locational_outliers(unit_sphere(lon, np.zeros(21)))).tolist()
    [20]
    """
    apart, place = np.unique(spots, axis=0, return_inverse=True)
    if len(apart) < 2:
        return np.zeros(len(spots), dtype=bool)
    nearest = nearest_metres(apart)[place.ravel()]
    spread = nearest.std()
    if spread <= 1e-9 * nearest.mean():
        return np.zeros(len(spots), dtype=bool)
    return np.asarray(nearest >= nearest.mean() + 3 * spread)


def _without_peak(spots: NDArray[np.float64]) -> tuple[float, str]:
    """Return the mean distance to the k-th neighbour, or the standard distance if that is smaller, and which it is."""
    n = len(spots)
    k = min(max(3, min(30, n * 5 // 100)), n - 1)
    around = float(nearest_metres(spots, k).mean())
    middle = spots.mean(axis=0)
    length = np.linalg.norm(middle)
    if length < 1e-9:  # all around the Earth: there is no middle
        return around, "mean-neighbours"
    reach = chord_to_metres(np.linalg.norm(spots - middle / length, axis=1))
    standard = float(np.sqrt(np.mean(reach**2)))
    return (standard, "standard-distance") if standard < around else (around, "mean-neighbours")
