"""How good regions are: alike inside, different from each other, and compact on the map."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kazgeo.errors import InputError
from kazgeo.regionalization.problem import OPEN, Problem, Scale, prepare
from kazgeo.regionalization.result import Regionalization, pseudo_f, within

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Quality", "quality", "silhouettes"]

#: Numbers in one block of distances (32 MB).
BLOCK = 4_000_000


@dataclass(frozen=True, eq=False, kw_only=True)
class Quality:
    """Figures of a regionalization.

    Parameters
    ----------
    within_ss, between_ss, total_ss : float
        Sums of squares of the scaled values; within + between = total.
    pseudo_f : float
        Calinski-Harabasz; higher = better separated. NaN for one region or a region per unit.
    silhouette : float
        Mean over units, -1 to 1; higher = better. NaN as ``pseudo_f``.
    n_regions, n : int
        Regions, and units that have one.
    regions : DataFrame
        Row per region: ``size`` (units), ``within_ss``, ``silhouette``, ``pieces`` (1: connected) and
        ``join_count_ratio`` (share of its units' neighbours that lie in it; 1 = nothing across the border).
    dropped : DataFrame
        Columns unit, reason.
    parameters : dict
        The scale.
    """

    within_ss: float
    between_ss: float
    total_ss: float
    pseudo_f: float
    silhouette: float
    n_regions: int
    n: int
    regions: pd.DataFrame
    dropped: pd.DataFrame
    parameters: dict[str, object]

    @property
    def ratio(self) -> float:
        """Share of the total sum of squares between regions, 0 to 1; NaN where the squares vanish."""
        return self.between_ss / self.total_ss if self.total_ss > 0 else float("nan")

    def to_frame(self) -> pd.DataFrame:
        """Return the table of regions."""
        return self.regions


def quality(
    regions: Regionalization | pd.Series, values: pd.DataFrame, weights: Any, *, scale: Scale | str | None = None
) -> Quality:
    r"""Return how alike regions are inside and how compact they lie on the map, whoever drew them.

    Assumption: values are compared after scaling, so that every indicator counts alike.

    Parameters
    ----------
    regions : Regionalization or Series
        A result, or any labels by unit (existing oblasts, zones of a plan); NA = no region.
    values : DataFrame
        Indicators by unit; need not be those that made the regions.
    weights : Weights or libpysal Graph
        Neighbours of the units of ``values``.
    scale : {"z", "mad", "range", "none"} or None
        See ``kazgeo.regionalization.LowerLimits``. None: that of the Regionalization; "z" for a Series.

    Returns
    -------
    Quality
        Rows in the order of the sorted labels.

    Raises
    ------
    InputError
        Regions that aren't labelled by unit, fewer than 2 units with a region and all values, or an indicator that
        is the same for all of them.

    Notes
    -----
    .. math:: F = \frac{(T - W) / (k - 1)}{W / (n - k)}

    A unit's silhouette is (b - a) / max(a, b): a the mean Euclidean distance to its own region's other units, b
    to those of the nearest other region; 0 for a unit alone.

    References
    ----------
    Caliński, T. and Harabasz, J. (1974), doi:10.1080/03610927408827101; Rousseeuw, P. J. (1987),
    doi:10.1016/0377-0427(87)90125-7; join count ratio as GeoDa's cluster validation gives it.

    Examples
    --------
    >>> from kazgeo.weights import Weights
    >>> w = Weights.from_pairs(list("abcd"), [("a", "b"), ("b", "c"), ("c", "d")])
    >>> income = pd.DataFrame({"income": [1.0, 2.0, 8.0, None]}, index=list("abcd"))
    >>> got = quality(pd.Series(["west", "west", "east", "east"], index=list("abcd")), income, w)
    >>> round(got.ratio, 2), round(got.pseudo_f, 1), got.regions["size"].to_dict(), got.dropped["unit"].tolist()
    (0.98, 56.3, {'east': 1, 'west': 2}, ['d'])
    >>> quality(pd.Series(dtype=object), income, w)
    Traceback (most recent call last):
    kazgeo.errors.InputError: regions must hold units that have all indicators; got none of 4 units
    """
    given = regions.region if isinstance(regions, Regionalization) else regions
    if not isinstance(given, pd.Series) or not given.index.is_unique:
        raise InputError("regions must be a Regionalization or a Series with one label per unit")
    none = pd.Index([])
    if isinstance(values, pd.DataFrame):
        none = values.index[given.reindex(values.index).isna()]
        values = values.where(np.broadcast_to(~values.index.isin(none)[:, None], values.shape))
        if values.isna().any(axis=1).all():
            raise InputError(f"regions must hold units that have all indicators; got none of {len(values)} units")
    if scale is None:
        scale = str(regions.parameters["scale"]) if isinstance(regions, Regionalization) else Scale.Z
    problem = prepare(values, weights, OPEN, {"scale": scale})
    dropped = problem.dropped.assign(
        reason=problem.dropped["reason"].mask(problem.dropped["unit"].isin(none), "no region")
    )
    problem = replace(problem, dropped=dropped)
    codes, names = pd.factorize(given.loc[problem.ids], sort=True)
    return measure(problem, codes.astype(np.int64), pd.Index(names))


def measure(problem: Problem, labels: NDArray[np.int64], names: pd.Index) -> Quality:
    """Return the figures of labels 0 .. k - 1."""
    k, total = len(names), float((problem.x**2).sum())
    inside = within(problem.x, labels)
    alone = silhouettes(problem.x, labels)
    size = np.bincount(labels)
    rows = np.repeat(labels, np.diff(problem.indptr))
    joins = np.bincount(rows, minlength=k)
    same = np.bincount(rows[rows == labels[problem.indices]], minlength=k)
    table = pd.DataFrame(
        {
            "size": size,
            "within_ss": inside,
            "silhouette": np.bincount(labels, weights=alone) / size,
            "pieces": problem.pieces(labels),
            "join_count_ratio": np.where(joins > 0, same / np.maximum(joins, 1), np.nan),
        },
        index=names.rename("region"),
    )
    held = float(inside.sum())
    return Quality(
        within_ss=held,
        between_ss=total - held,
        total_ss=total,
        pseudo_f=pseudo_f(held, total, problem.n, k),
        silhouette=float(alone.mean()),
        n_regions=k,
        n=problem.n,
        regions=table,
        dropped=problem.dropped,
        parameters={"scale": problem.options["scale"]},
    )


def silhouettes(x: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the silhouette of every unit; NaN for one region or a region per unit."""
    from scipy.spatial.distance import cdist

    n, k = len(x), int(labels.max()) + 1
    if not 1 < k < n:
        return np.full(n, np.nan)
    member = np.zeros((n, k))
    member[np.arange(n), labels] = 1.0
    size = member.sum(axis=0)
    found = np.zeros(n)
    step = max(1, BLOCK // n)
    for first in range(0, n, step):
        rows = slice(first, min(first + step, n))
        sums = cdist(x[rows], x) @ member
        own, here = labels[rows], np.arange(len(sums))
        a = sums[here, own] / np.maximum(size[own] - 1, 1)
        others = sums / size
        others[here, own] = np.inf
        b = others.min(axis=1)
        top = np.maximum(a, b)
        found[rows] = np.where((size[own] > 1) & (top > 0), (b - a) / np.where(top > 0, top, 1.0), 0.0)
    return found
