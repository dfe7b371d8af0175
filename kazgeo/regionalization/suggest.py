"""How many regions: one row of figures for every number, and the number they speak for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pandas as pd

from kazgeo.errors import InputError, positive_integer, unknown
from kazgeo.progress import Progress, part, silent
from kazgeo.regionalization.azp import azp
from kazgeo.regionalization.medoids import kmedoids
from kazgeo.regionalization.problem import Limits
from kazgeo.regionalization.quality import quality
from kazgeo.regionalization.result import Regionalization
from kazgeo.regionalization.skater import skater
from kazgeo.regionalization.ward import ward
from kazgeo.seeds import seed_of

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["METHODS", "Suggestion", "suggest_regions"]

#: Those of them that draw.
DRAWN = ("azp", "kmedoids")
#: Methods that are told the number of regions, by name.
METHODS: Mapping[str, Callable[..., Regionalization]] = {
    "skater": skater, "azp": azp, "ward": ward, "kmedoids": kmedoids,
}  # fmt: skip


@dataclass(frozen=True, eq=False, kw_only=True)
class Suggestion:
    """Figures by number of regions, and the suggested number.

    Parameters
    ----------
    table : DataFrame
        Row per number of regions: ``within_ss``, ``ratio`` (between / total), ``pseudo_f``, ``silhouette``,
        ``smallest`` (units), and ``reason`` ("" or why that number could not be made).
    n_regions : int
        The number with the highest pseudo-F.
    reason : str
        "highest pseudo-F"; "highest pseudo-F, at the edge" when it lies at an end of the range, so that a number
        outside may be better; "no pseudo-F" when none is defined and the smallest number is given.
    result : Regionalization
        That of ``n_regions``.
    parameters : dict
        Method, range and seed (None where nothing is drawn); the limits are those of ``result``.
    """

    table: pd.DataFrame
    n_regions: int
    reason: str
    result: Regionalization
    parameters: dict[str, object]

    def to_frame(self) -> pd.DataFrame:
        """Return the table."""
        return self.table


def suggest_regions(
    values: pd.DataFrame,
    weights: Any,
    *,
    method: str = "skater",
    k_range: tuple[int, int] = (2, 15),
    rng: int | np.random.Generator | None = None,
    progress: Progress = silent,
    **limits: Unpack[Limits],
) -> Suggestion:
    """Return figures for every number of regions, and the number whose regions are best separated by pseudo-F.

    Assumption: there are groups to be found. Pseudo-F has a highest value on any map, of noise too, and often at the
    smallest number: look at the whole column, at the silhouette and at what the regions are needed for. With SKATER
    this is what ArcGIS calls spatially constrained multivariate clustering.

    Parameters
    ----------
    values : DataFrame, shape (N, p)
        Indicators by unit.
    weights : Weights or libpysal Graph
        Neighbours of the same units.
    method : {"skater", "azp", "ward", "kmedoids"}
        How regions are made.
    k_range : (int, int)
        Smallest and largest number of regions, both included; numbers that the map or the limits rule out stay in
        the table with their reason.
    rng : int, Generator or None
        One seed for all numbers; stored in ``result``, which can be made again with it.
    progress : Progress
        Called between numbers, and by the methods that draw.
    **limits
        As the method has them.

    Returns
    -------
    Suggestion

    Raises
    ------
    InputError
        A range that isn't one, or no number in it that can be made.

    References
    ----------
    Caliński, T. and Harabasz, J. (1974), doi:10.1080/03610927408827101; Assunção, R. M. et al. (2006),
    doi:10.1080/13658810600665111.

    Examples
    --------
    >>> from kazgeo.weights import Weights
    >>> w = Weights.from_pairs(list("abcdef"), [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "f")])
    >>> income = pd.DataFrame({"income": [1.0, 2.0, 1.5, 8.0, 9.0, 8.5]}, index=list("abcdef"))
    >>> got = suggest_regions(income, w, k_range=(2, 4), min_size=2)
    >>> got.n_regions, got.reason
    (2, 'highest pseudo-F, at the edge')
    >>> got.table.loc[4, "reason"]
    '4 regions of at least 2 units need 8; got 6 units'
    >>> suggest_regions(income.where(income != 9.0), w, k_range=(2, 4)).result.region["e"]
    <NA>
    >>> suggest_regions(income.iloc[:0], Weights.from_pairs([], []), k_range=(2, 4))
    Traceback (most recent call last):
    kazgeo.errors.InputError: no number of regions from 2 to 4 can be made; 2: values must hold at least 2 units ...
    >>> suggest_regions(income, w, k_range=(7, 9))
    Traceback (most recent call last):
    kazgeo.errors.InputError: no number of regions from 7 to 9 can be made; 7: n_regions must not exceed ...
    """
    if method not in METHODS:
        raise unknown("method", str(method), METHODS, "one of the choices")
    first, last = _range(k_range)
    seed = seed_of(rng) if method in DRAWN else None
    told: dict[str, object] = {"method": method, "k_range": (first, last), "seed": seed}
    rows, made = dict[int, dict[str, Any]](), dict[int, Regionalization]()
    for k in range(first, last + 1):
        tell = part(progress, (k - first) / (last - first + 1), (k + 1 - first) / (last - first + 1))
        tell(0.0, f"{k} regions")
        extra: dict[str, Any] = {"rng": seed, "progress": tell} if method in DRAWN else {}
        try:
            got = made[k] = METHODS[method](values, weights, n_regions=k, **extra, **limits)
        except InputError as fault:
            rows[k] = {"reason": str(fault)}
            continue
        seen = quality(got, values, weights)
        rows[k] = {"within_ss": seen.within_ss, "ratio": seen.ratio, "pseudo_f": seen.pseudo_f,
                   "silhouette": seen.silhouette, "smallest": int(got.profile["size"].min()), "reason": ""}  # fmt: skip
    progress(1.0, "done")
    if not made:
        raise InputError(f"no number of regions from {first} to {last} can be made; {first}: {rows[first]['reason']}")
    columns = ["within_ss", "ratio", "pseudo_f", "silhouette", "smallest", "reason"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("n_regions")
    table["smallest"] = table["smallest"].astype("Int64")
    best, reason = _best(table["pseudo_f"], made)
    return Suggestion(table=table, n_regions=best, reason=reason, result=made[best], parameters=told)


def _range(k_range: Any) -> tuple[int, int]:
    """Return the two numbers, checked."""
    try:
        first, last = (positive_integer(k, "k_range") for k in k_range)
        rising = 2 <= first <= last
    except (TypeError, ValueError):
        rising = False
    if not rising:
        raise InputError(f"k_range must be two rising whole numbers of at least 2; got {k_range!r}")
    return first, last


def _best(figures: pd.Series, made: dict[int, Regionalization]) -> tuple[int, str]:
    """Return the number of the highest figure and what speaks for it."""
    known = figures.astype(float).dropna()
    if not len(known):
        return min(made), "no pseudo-F"
    best = int(known.idxmax())
    edge = len(known) > 1 and best in (known.index[0], known.index[-1])
    return best, "highest pseudo-F, at the edge" if edge else "highest pseudo-F"
