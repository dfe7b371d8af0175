"""Weights of points by great-circle distance: nearest, bands, kernels, inverse distance."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kazgeo.crs import chord_to_metres
from kazgeo.errors import InputError, choice, positive_number
from kazgeo.weights.policy import Isolates, without_isolates
from kazgeo.weights.sphere import nearest, on_sphere, pairs_within
from kazgeo.weights.type import Weights

if TYPE_CHECKING:
    import geopandas
    from numpy.typing import NDArray

__all__ = ["Kernel", "distance_band", "inverse_distance", "kernel", "knn", "nearest_distances"]

#: Metres beyond a threshold that are rounding.
GROUND = 1e-5
#: A bandwidth that ends at a neighbour is stretched by so much, so that the neighbour stays a link (as in libpysal).
STRETCH = 1 + 1e-7


class Kernel(StrEnum):
    """How a kernel falls with u = distance / bandwidth, for u up to 1; beyond it is 0."""

    UNIFORM = "uniform"
    TRIANGULAR = "triangular"
    EPANECHNIKOV = "epanechnikov"
    QUARTIC = "quartic"
    GAUSSIAN = "gaussian"


def knn(points: geopandas.GeoDataFrame, k: int = 8) -> Weights:
    """Return binary weights to the k nearest points, by great-circle distance.

    Assumption: the Earth is a sphere for the order of neighbours (ellipsoid and sphere differ by 0.3 % at most).
    Polygons are taken by their representative point. Ties at the k-th distance go to the unit that comes first
    in the order of ids, so that shuffling rows changes nothing.

    Parameters
    ----------
    points : GeoDataFrame
        With a unique index and a CRS; missing and empty geometries become isolates.
    k : int
        Neighbours of each unit, 1 <= k < n.

    Returns
    -------
    Weights
        On the index of ``points``; row i has k links (not symmetric).

    Raises
    ------
    InputError
        No CRS, k < 1 or k >= number of placed units.

    Examples
    --------
    >>> import geopandas
    >>> at = geopandas.points_from_xy([71.4, 71.5, 76.9, 69.6], [51.1, 51.2, 43.2, 42.3], crs=4326)
    >>> towns = geopandas.GeoDataFrame(geometry=at, index=["Astana", "Kosshy", "Almaty", "Shymkent"])
    >>> w = knn(towns, 1)
    >>> w.ids[w.indices].tolist()
    ['Kosshy', 'Astana', 'Shymkent', 'Almaty']
    >>> knn(towns.iloc[:1], 1)
    Traceback (most recent call last):
    kazgeo.errors.InputError: k must be a whole number, at least 1 and less than the number of placed units (1); got 1
    """
    spots, placed = on_sphere(points)
    near, _ = nearest(spots, points.index[placed], k)
    cols = placed[near]
    indptr = np.zeros(len(points) + 1, dtype=np.int64)
    indptr[placed + 1] = k
    return Weights(points.index, np.cumsum(indptr), np.sort(cols, axis=1).ravel(), np.ones(cols.size))


def nearest_distances(points: geopandas.GeoDataFrame, k: int = 1) -> pd.Series:
    """Return great-circle metres to the k-th nearest other point; the largest is a band that leaves no one alone.

    Assumption: as in ``knn``.

    Parameters
    ----------
    points : GeoDataFrame
        With a unique index and a CRS.
    k : int
        1 <= k < n.

    Returns
    -------
    Series
        Metres on the index of ``points``; NaN for units without a place.

    Raises
    ------
    InputError
        As in ``knn``.

    Examples
    --------
    >>> import geopandas
    >>> at = geopandas.points_from_xy([71.4, 71.5, 76.9, None], [51.1, 51.2, 43.2, None], crs=4326)
    >>> towns = geopandas.GeoDataFrame(geometry=at, index=["Astana", "Kosshy", "Almaty", "?"])
    >>> nearest_distances(towns).round(-3).tolist()
    [13000.0, 13000.0, 971000.0, nan]
    """
    spots, placed = on_sphere(points)
    _, chords = nearest(spots, points.index[placed], k)
    out = np.full(len(points), np.nan)
    out[placed] = chord_to_metres(chords.max(axis=1))
    return pd.Series(out, index=points.index, name="distance_m")


def distance_band(
    points: geopandas.GeoDataFrame, threshold_m: float | None = None, *, isolates: Isolates | str = Isolates.KEEP
) -> Weights:
    """Return binary weights between all points within a great-circle distance.

    Assumption: the Earth is a sphere of mean radius (up to 0.3 % off the ellipsoid). Polygons are taken by their
    representative point.

    Parameters
    ----------
    points : GeoDataFrame
        With a unique index and a CRS; missing and empty geometries become isolates.
    threshold_m : float, optional
        Metres, above 0. Left out: the smallest band that leaves no placed unit without a neighbour.
    isolates : {"keep", "raise", "nearest"}
        Keep units without neighbours, refuse them, or tie each to its nearest unit.

    Returns
    -------
    Weights
        Symmetric, on the index of ``points``.

    Raises
    ------
    InputError
        No CRS, a threshold that is not above 0, or isolates with ``isolates="raise"``.

    Examples
    --------
    >>> import geopandas
    >>> at = geopandas.points_from_xy([71.4, 71.5, 76.9, None], [51.1, 51.2, 43.2, None], crs=4326)
    >>> towns = geopandas.GeoDataFrame(geometry=at, index=["Astana", "Kosshy", "Almaty", "?"])
    >>> distance_band(towns, 50_000)
    <Weights: 4 units, 2 links, neighbours 0 to 1 (mean 0.50); 3 components; 2 isolates: 'Almaty', '?'>
    >>> distance_band(towns.iloc[:0], 50_000)
    <Weights: 0 units>
    >>> distance_band(towns, 0)
    Traceback (most recent call last):
    kazgeo.errors.InputError: threshold_m must be metres above 0; got 0
    """
    policy = choice(Isolates, isolates, "isolates")
    spots, placed = on_sphere(points)
    rows, cols, _ = _within(spots, placed, points.index, threshold_m, "threshold_m")
    made = Weights.from_arrays(points.index, np.r_[rows, cols], np.r_[cols, rows])
    return without_isolates(policy, made, points, "raise threshold_m")


def kernel(
    points: geopandas.GeoDataFrame,
    *,
    function: Kernel | str = Kernel.TRIANGULAR,
    bandwidth_m: float | None = None,
    k: int | None = None,
    isolates: Isolates | str = Isolates.KEEP,
) -> Weights:
    r"""Return weights that fall with great-circle distance and end at a bandwidth, fixed or by unit.

    Assumption: as in ``distance_band``. Self weights are left out: statistics take the unit itself apart.

    Parameters
    ----------
    points : GeoDataFrame
        With a unique index and a CRS.
    function : {"uniform", "triangular", "epanechnikov", "quartic", "gaussian"}
        The form; all end at the bandwidth, the Gaussian too.
    bandwidth_m : float, optional
        Fixed bandwidth, metres. Neither given: the smallest that leaves no placed unit without a neighbour.
    k : int, optional
        Adaptive bandwidth: the distance to each unit's k-th nearest (not symmetric then).
    isolates : {"keep", "raise", "nearest"}
        Keep units without neighbours, refuse them, or tie each to its nearest unit with the smallest weight there is.

    Returns
    -------
    Weights
        On the index of ``points``. Units at the very end of a fixed bandwidth have weight 0 and are no links, the
        uniform and Gaussian kernels apart.

    Raises
    ------
    InputError
        No CRS, both bandwidth and k, a bandwidth not above 0, or k out of range.

    Notes
    -----
    With u = d / bandwidth: uniform 1/2, triangular 1 - u, Epanechnikov 3/4 (1 - u^2), quartic 15/16 (1 - u^2)^2,
    Gaussian exp(-u^2 / 2) / sqrt(2 pi). These are libpysal's.

    References
    ----------
    Silverman, B. W. (1986), Density Estimation for Statistics and Data Analysis, doi:10.1007/978-1-4899-3324-9.

    Examples
    --------
    >>> import geopandas
    >>> at = geopandas.points_from_xy([71.0, 71.1, 71.3, None], [51.0, 51.0, 51.0, None], crs=4326)
    >>> places = geopandas.GeoDataFrame(geometry=at, index=list("abcd"))
    >>> kernel(places, bandwidth_m=28_000).matrix.toarray().round(2).tolist()[0]
    [0.0, 0.75, 0.25, 0.0]
    >>> kernel(places, function="uniform", k=1).matrix.toarray()[2].tolist()
    [0.0, 0.5, 0.0, 0.0]
    >>> kernel(places, bandwidth_m=1, k=1)
    Traceback (most recent call last):
    kazgeo.errors.InputError: kernel wants bandwidth_m (fixed) or k (adaptive), not both
    """
    if bandwidth_m is not None and k is not None:
        raise InputError("kernel wants bandwidth_m (fixed) or k (adaptive), not both")
    form, policy = choice(Kernel, function, "function"), choice(Isolates, isolates, "isolates")
    spots, placed = on_sphere(points)
    if k is None:
        one, other, metres = _within(spots, placed, points.index, bandwidth_m, "bandwidth_m")
        end = STRETCH * metres.max(initial=0.0) if bandwidth_m is None else bandwidth_m
        rows, cols = np.r_[one, other], np.r_[other, one]
        data = _fall(form, np.r_[metres, metres] / (end or 1.0))
    else:
        near, chords = nearest(spots, points.index[placed], k)
        rows, cols, away = np.repeat(placed, k), placed[near].ravel(), chord_to_metres(chords)
        ends = np.maximum(away.max(axis=1, keepdims=True) * STRETCH, 1e-300)
        data = _fall(form, (away / ends).ravel())
    return without_isolates(policy, Weights.from_arrays(points.index, rows, cols, data), points, "raise bandwidth_m")


def inverse_distance(
    points: geopandas.GeoDataFrame,
    *,
    power: float = 1.0,
    threshold_m: float | None = None,
    shortest_m: float = 1.0,
    isolates: Isolates | str = Isolates.KEEP,
) -> Weights:
    """Return weights of great-circle kilometres to the power of minus ``power``.

    Assumption: as in ``distance_band``; influence falls as a power of distance and has no scale of its own.

    Parameters
    ----------
    points : GeoDataFrame
        With a unique index and a CRS.
    power : float
        Above 0; 1 and 2 are usual.
    threshold_m : float, optional
        Metres beyond which the weight is 0. Left out: the smallest band that leaves no placed unit alone.
    shortest_m : float
        Metres above 0 that shorter distances are raised to, so that units at one place have finite weights.
    isolates : {"keep", "raise", "nearest"}
        Keep units without neighbours, refuse them, or tie each to its nearest unit with the smallest weight there is.

    Returns
    -------
    Weights
        Symmetric, on the index of ``points``.

    Raises
    ------
    InputError
        No CRS, or a parameter that is not above 0.

    Examples
    --------
    >>> import geopandas
    >>> at = geopandas.points_from_xy([71.0, 71.1, 71.3, None], [51.0, 51.0, 51.0, None], crs=4326)
    >>> places = geopandas.GeoDataFrame(geometry=at, index=list("abcd"))
    >>> inverse_distance(places, threshold_m=20_000).matrix.toarray().round(3).tolist()[1]
    [0.143, 0.0, 0.071, 0.0]
    >>> inverse_distance(places, power=0)
    Traceback (most recent call last):
    kazgeo.errors.InputError: power must be above 0; got 0
    """
    policy = choice(Isolates, isolates, "isolates")
    power, shortest_m = positive_number(power, "power", "above 0"), positive_number(shortest_m, "shortest_m", "above 0")
    spots, placed = on_sphere(points)
    one, other, metres = _within(spots, placed, points.index, threshold_m, "threshold_m")
    data = (np.maximum(metres, shortest_m) / 1000) ** -power
    made = Weights.from_arrays(points.index, np.r_[one, other], np.r_[other, one], np.r_[data, data])
    return without_isolates(policy, made, points, "raise threshold_m")


def _fall(form: Kernel, u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the kernel at u = distance / bandwidth, at most 1."""
    falls = {
        Kernel.UNIFORM: np.full(len(u), 0.5),
        Kernel.TRIANGULAR: 1 - u,
        Kernel.EPANECHNIKOV: 0.75 * (1 - u**2),
        Kernel.QUARTIC: 15 / 16 * (1 - u**2) ** 2,
        Kernel.GAUSSIAN: np.exp(-(u**2) / 2) / np.sqrt(2 * np.pi),
    }
    fallen: NDArray[np.float64] = falls[form] * (u <= 1)
    return fallen


def _within(
    spots: NDArray[np.float64], placed: NDArray[np.int64], ids: pd.Index, threshold_m: float | None, name: str
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return positions of all pairs within the threshold, and their metres."""
    if threshold_m is None:
        threshold = float(chord_to_metres(nearest(spots, ids[placed], 1)[1].max())) if len(placed) > 1 else 1.0
    else:
        threshold = positive_number(threshold_m, name, "metres above 0")
    pairs = pairs_within(spots, threshold, name)
    inside = pairs.metres <= threshold + GROUND
    one, other, metres = (part[inside] for part in pairs)
    return placed[one], placed[other], np.minimum(metres, threshold)
