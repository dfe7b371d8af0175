"""The windows of a scan: around every unit its nearest units, circle by circle or ellipse by ellipse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kazgeo.autocorrelation.sample import numbers
from kazgeo.choices import Penalty, Shape
from kazgeo.crs import chord_to_metres, degrees, local_metres
from kazgeo.errors import InputError
from kazgeo.labels import canonical_order, same_units
from kazgeo.progress import Progress, silent
from kazgeo.weights.sphere import on_sphere, placed_points

if TYPE_CHECKING:
    import geopandas
    from numpy.typing import NDArray

__all__ = ["CIRCLE", "Fan", "Outline", "Places", "Units", "fans", "outlines", "places", "units_at"]

#: Semi-major over semi-minor axis and number of angles, the defaults of SaTScan.
ELLIPSES = ((1.5, 4), (2.0, 6), (3.0, 9), (4.0, 12), (5.0, 15))
#: Distances closer than this share of the largest one are ties: differences below it are rounding.
TIE = 1e-9
#: Windows that are made at most; they take about 2 GB.
MAX_WINDOWS = 50_000_000
#: Makes the keys of units, by which equal windows are found; any number would do.
KEYS = 20_091_019


@dataclass(frozen=True)
class Outline:
    """Form of one family of windows.

    Parameters
    ----------
    shape : float
        Semi-major over semi-minor axis; 1 is a circle.
    angle_deg : float
        From the east to the long axis, counter-clockwise, above -90 and up to 90.
    weight : float
        What the log likelihood ratio is multiplied by.
    """

    shape: float
    angle_deg: float
    weight: float


CIRCLE = Outline(1.0, 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Places:
    """Where the units lie.

    Parameters
    ----------
    spots : float array, shape (n, 3)
        On the unit sphere; circles are drawn by these.
    plane : float array, shape (n, 2)
        Metres east and north; ellipses are drawn by these.
    """

    spots: NDArray[np.float64]
    plane: NDArray[np.float64]

    def distance(self, centre: int, outline: Outline) -> NDArray[np.float64]:
        """Return how large the window must be to reach each unit: chord of a circle, semi-major axis of an ellipse."""
        if outline.shape == 1:
            return np.asarray(np.linalg.norm(self.spots - self.spots[centre], axis=1))
        angle = np.radians(outline.angle_deg)
        east, north = (self.plane - self.plane[centre]).T
        along = east * np.cos(angle) + north * np.sin(angle)
        across = north * np.cos(angle) - east * np.sin(angle)
        return np.asarray(np.hypot(along, outline.shape * across))

    def radius_m(self, centre: int, outline: Outline, unit: int) -> float:
        """Return the radius, or the semi-major axis, of the window that just reaches a unit, in metres."""
        reach = self.distance(centre, outline)[unit]
        return float(chord_to_metres(reach) if outline.shape == 1 else reach)


@dataclass(frozen=True, eq=False)
class Fan:
    """All windows of one outline around one unit, each within the next.

    Parameters
    ----------
    centre : int
        The unit.
    outline : Outline
        The form.
    order : int array
        Units by distance, the centre among the first; as many as the largest window holds.
    ends : int array
        Position in ``order`` of the last unit of each window.
    """

    centre: int
    outline: Outline
    order: NDArray[np.int32]
    ends: NDArray[np.int32]

    def sums(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the sum of values of the units of each window, along the first axis."""
        grown = values[self.order].cumsum(axis=0)
        return grown if len(self.ends) == len(self.order) else grown[self.ends]

    def members(self, window: int) -> NDArray[np.int32]:
        """Return the units of one window, nearest first."""
        return self.order[: self.ends[window] + 1]


@dataclass(frozen=True, eq=False)
class Units:
    """Values and places of the units that can be used, in an order that does not depend on the rows' order."""

    index: pd.Index
    rows: NDArray[np.int64]
    values: Mapping[str, NDArray[np.float64]]
    where: Places
    dropped: pd.DataFrame

    @property
    def ids(self) -> pd.Index:
        """Ids of the used units."""
        return self.index[self.rows]


def units_at(given: Mapping[str, Any], points: geopandas.GeoDataFrame, least: int) -> Units:
    """Bring values and points together by label and set aside what cannot be used."""
    values = {name: numbers(series, name) for name, series in given.items()}
    first, *others = given
    index = given[first].index
    _, placed = placed_points(points, "points")
    for name, other in [*((name, given[name].index) for name in others), ("points", points.index)]:
        same_units(first, index, name, other)
    order = canonical_order(index)
    ordered = {name: v[given[name].index.get_indexer(index[order])] for name, v in values.items()}
    at = points.index.get_indexer(index[order])
    missing = np.isnan(np.array(list(ordered.values()))).any(axis=0)
    kept = ~missing & np.isin(at, placed)
    if kept.sum() < least:
        names = ", ".join(given) + " and points"
        raise InputError(
            f"{names} must have values and a place for at least {least} units; got {kept.sum()} of {len(kept)}"
        )
    reasons = np.where(missing, "missing value", "no place")[~kept]
    dropped = pd.DataFrame(
        {"unit": pd.Series(list(index[order[~kept]]), dtype=object), "reason": pd.Series(reasons, dtype=object)}
    )
    where = places(points.iloc[at[kept]])
    return Units(index, order[kept], {name: v[kept] for name, v in ordered.items()}, where, dropped)


def outlines(shape: Shape, penalty: Penalty) -> list[Outline]:
    """Return the circle, and the ellipses where wanted, roundest first.

    Examples
    --------
    >>> len(outlines(Shape.CIRCULAR, Penalty.NONE)), len(outlines(Shape.ELLIPTIC, Penalty.NONE))
    (1, 47)
    >>> [o.angle_deg for o in outlines(Shape.ELLIPTIC, Penalty.STRONG)[:5]]
    [0.0, 0.0, 45.0, 90.0, -45.0]
    >>> round(outlines(Shape.ELLIPTIC, Penalty.STRONG)[-1].weight, 4)
    0.5556
    """
    found = [CIRCLE]
    for ratio, count in ELLIPSES if shape is Shape.ELLIPTIC else ():
        weight = (4 * ratio / (ratio + 1) ** 2) ** penalty.power
        for step in range(count):
            angle = 180.0 * step / count
            found.append(Outline(ratio, angle if angle <= 90 else angle - 180, weight))
    return found


def places(points: geopandas.GeoDataFrame) -> Places:
    """Return where units lie; polygons by a point inside. Every geometry must have a place."""
    import geopandas

    spots, _ = on_sphere(points)
    metres = geopandas.GeoSeries.from_xy(*degrees(spots), crs=4326).to_crs(local_metres(points))
    return Places(spots, np.column_stack([metres.x, metres.y]).astype(float))


def fans(
    where: Places, size: NDArray[np.float64], cap: float, forms: Sequence[Outline], progress: Progress = silent
) -> list[Fan]:
    """Return every different window that holds at most ``cap``, fan by fan.

    Parameters
    ----------
    where : Places
        Of n units.
    size : float array, shape (n,)
        What counts towards the cap: population, expected cases or 1.
    cap : float
        Less than the sum of ``size``.
    forms : sequence of Outline
        Of equal windows one is kept: of the earliest outline the tightest.
    progress : Progress
        Called once every hundred units.

    Returns
    -------
    list of Fan
        Fans without a window are left out. Units at the same distance enter together.

    Raises
    ------
    InputError
        More windows than memory should hold.

    Examples
    --------
    >>> line = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [4.0, 0.0]])
    >>> for fan in fans(Places(line, line), np.ones(4), 3, [CIRCLE]):
    ...     print(fan.centre, [sorted(fan.members(w).tolist()) for w in range(len(fan.ends))])
    0 [[0], [0, 1]]
    1 [[1], [0, 1, 2]]
    2 [[2], [1, 2]]
    3 [[3], [2, 3], [1, 2, 3]]
    >>> fans(Places(line, line), np.ones(4), 0.5, [CIRCLE])
    []
    """
    n = len(size)
    # A window's key is the sum of its units' keys, wrapped: equal windows have equal keys, and for 10 million
    # windows the chance that any two different ones share a key is below 1 in 100,000.
    key = np.random.default_rng(KEYS).integers(2**64, size=n, dtype=np.uint64)
    found, keys, sizes, total = [], [], [], 0
    for number, outline in enumerate(forms):
        for centre in range(n):
            if centre % 100 == 0:
                progress((number + centre / n) / len(forms), "windows")
            reach = where.distance(centre, outline)
            order = np.argsort(reach, kind="stable")
            reach = reach[order]
            most = int(np.searchsorted(size[order].cumsum(), cap * (1 + 1e-12), side="right"))
            last = np.flatnonzero(np.diff(reach) > TIE * reach[-1])
            ends = last[last < most]
            if len(ends):
                order = order[: ends[-1] + 1]
                found.append(Fan(centre, outline, order.astype(np.int32), ends.astype(np.int32)))
                keys.append(key[order].cumsum()[ends])
                sizes.append(reach[ends])
                total += len(ends)
            if total > MAX_WINDOWS:
                raise InputError(
                    f"max_population (of the normal model max_units) must leave at most {MAX_WINDOWS:,} windows; lower "
                    "it, choose circles in place of ellipses, or scan fewer units"
                )
    return _distinct(found, keys, sizes, list(forms))


def _distinct(
    found: list[Fan], keys: list[NDArray[np.uint64]], sizes: list[NDArray[np.float64]], forms: list[Outline]
) -> list[Fan]:
    """Keep of equal windows the first outline's tightest."""
    if not found:
        return []
    counts = [len(k) for k in keys]
    all_keys, family = np.concatenate(keys), np.repeat([forms.index(fan.outline) for fan in found], counts)
    order = np.lexsort((np.concatenate(sizes), family, all_keys))
    fresh = np.r_[True, np.diff(all_keys[order]) != 0]
    first = np.zeros(len(order), dtype=bool)
    first[order[fresh]] = True
    kept = []
    for fan, new in zip(found, np.split(first, np.cumsum(counts)[:-1]), strict=True):
        if new.any():
            ends = fan.ends[new]
            kept.append(replace(fan, order=fan.order[: ends[-1] + 1].copy(), ends=ends))
    return kept
