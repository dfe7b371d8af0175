"""What every method returns: the region of each unit, how alike the regions are inside, and what they are like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kazgeo.errors import InputError, unknown
from kazgeo.regionalization.problem import Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Regionalization", "finish", "numbered", "pseudo_f", "within"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Regionalization:
    """Regions of units, on the caller's index.

    Parameters
    ----------
    region : Series of Int64
        1 .. ``n_regions``, the largest region first (by units, then by its first id); NA for units set aside.
    n_regions : int
        Number of regions.
    within_ss, total_ss : float
        Sums of squares of the scaled values around the means of regions, and around the mean of all.
    pseudo_f : float
        Calinski-Harabasz: (between / (k - 1)) / (within / (n - k)); NaN for one region or a region per unit.
    profile : DataFrame
        Row per region: ``size`` (units) and the mean of every indicator, in its own unit.
    profile_z : DataFrame
        Row per region: mean of every indicator in standard deviations (n - 1) from the mean of all used units.
    parameters : dict
        The options of the call, plain values only.
    seed : int or None
        Seed of the random starts; None where nothing is drawn.
    dropped : DataFrame
        Columns unit, reason: units set aside.
    """

    region: pd.Series
    n_regions: int
    within_ss: float
    total_ss: float
    pseudo_f: float
    profile: pd.DataFrame
    profile_z: pd.DataFrame
    parameters: dict[str, object]
    seed: int | None
    dropped: pd.DataFrame

    @property
    def ratio(self) -> float:
        """Share of the total sum of squares that lies between regions, 0 to 1; NaN where the squares vanish."""
        return 1 - self.within_ss / self.total_ss if self.total_ss > 0 else float("nan")

    @property
    def label(self) -> pd.Series:
        """Regions as words: "1", "2", ..., and "undefined" for units set aside."""
        words = [("undefined" if pd.isna(r) else str(r)) for r in self.region]
        return pd.Series(words, index=self.region.index, name="label", dtype=object)

    def to_frame(self) -> pd.DataFrame:
        """Return region and label, one row per unit."""
        return pd.DataFrame({"region": self.region, "label": self.label})

    def ranked(self, by: str | Mapping[str, int]) -> pd.DataFrame:
        """Return the profile with a score per region, the highest score first.

        Parameters
        ----------
        by : str or mapping
            An indicator; or indicators with +1 (more is more depressed) or -1 (less is). The score is the mean of
            the signed ``profile_z``; equal scores follow the number of the region.

        Examples
        --------
        >>> from kazgeo.regionalization import skater
        >>> from kazgeo.weights import Weights
        >>> w = Weights.from_pairs(list("abcd"), [("a", "b"), ("b", "c"), ("c", "d")])
        >>> poverty = pd.DataFrame({"poverty": [2.0, 3.0, 10.0, 11.0]}, index=list("abcd"))
        >>> got = skater(poverty, w, n_regions=2)
        >>> got.ranked("poverty").round(2).to_dict("index")
        {2: {'score': 0.86, 'size': 2, 'poverty': 10.5}, 1: {'score': -0.86, 'size': 2, 'poverty': 2.5}}
        >>> got.ranked({"poverty": -1}).index.tolist()
        [1, 2]
        >>> got.ranked("income")
        Traceback (most recent call last):
        kazgeo.errors.InputError: indicator 'income' is not one of the values; there are: 'poverty'
        """
        if not isinstance(by, (str, Mapping)):
            raise InputError(f"by must be an indicator, or indicators with +1 or -1; got {by!r}")
        signs = {by: 1} if isinstance(by, str) else dict(by)
        for name, sign in signs.items():
            if name not in self.profile_z.columns:
                raise unknown("indicator", name, self.profile_z.columns, "one of the values")
            if sign not in (1, -1):
                raise InputError(f"by must give +1 or -1 per indicator; got {sign!r} for '{name}'")
        if not signs:
            raise InputError("by must name at least one indicator; got none")
        score = (self.profile_z[list(signs)] * pd.Series(signs)).mean(axis=1)
        made = self.profile.copy()
        made.insert(0, "score", score)
        return made.sort_values("score", ascending=False, kind="stable")


def within(x: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the sum of squares around the mean of every region 0 .. k - 1."""
    size = np.bincount(labels).astype(float)
    means = np.column_stack([np.bincount(labels, weights=column) for column in x.T]) / size[:, None]
    squares = ((x - means[labels]) ** 2).sum(axis=1)
    return np.asarray(np.bincount(labels, weights=squares), dtype=np.float64)


def pseudo_f(within_ss: float, total_ss: float, n: int, k: int) -> float:
    """Return Calinski-Harabasz' pseudo-F, NaN where it isn't defined.

    Examples
    --------
    >>> pseudo_f(4.0, 10.0, 12, 3)
    6.75
    >>> pseudo_f(4.0, 10.0, 12, 1)
    nan
    """
    if not 1 < k < n or within_ss <= 1e-12 * total_ss:
        return float("nan")
    return ((total_ss - within_ss) / (k - 1)) / (within_ss / (n - k))


def numbered(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return labels 0 .. k - 1, the largest region first, then the one whose first unit comes first.

    Examples
    --------
    >>> numbered(np.array([5, 3, 3, 9])).tolist()
    [1, 0, 0, 2]
    """
    _, first, inverse, size = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    rank = np.empty(len(first), np.int64)
    rank[np.lexsort((first, -size))] = np.arange(len(first))
    return np.asarray(rank[inverse])


def finish(
    problem: Problem, labels: NDArray[np.int64], parameters: dict[str, object], seed: int | None = None
) -> Regionalization:
    """Return the result of labels by used unit."""
    labels = numbered(labels)
    k, total = int(labels.max()) + 1, float((problem.x**2).sum())
    inside = float(within(problem.x, labels).sum())
    region = pd.Series(pd.NA, index=problem.index, dtype="Int64", name="region")
    region.iloc[problem.places] = labels + 1
    number = pd.RangeIndex(1, k + 1, name="region")
    size = np.bincount(labels)
    means = np.column_stack([np.bincount(labels, weights=c) for c in problem.raw.T]) / size[:, None]
    z = (means - problem.raw.mean(axis=0)) / problem.raw.std(axis=0, ddof=1)
    profile = pd.DataFrame(means, index=number, columns=problem.names)
    profile.insert(0, "size", size)
    return Regionalization(
        region=region,
        n_regions=k,
        within_ss=inside,
        total_ss=total,
        pseudo_f=pseudo_f(inside, total, problem.n, k),
        profile=profile,
        profile_z=pd.DataFrame(z, index=number, columns=problem.names),
        parameters=parameters | problem.options,
        seed=seed,
        dropped=problem.dropped,
    )
