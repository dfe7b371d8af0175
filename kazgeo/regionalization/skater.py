"""SKATER: the minimum spanning tree of the neighbours, cut where that makes regions most alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from kazgeo.errors import InputError
from kazgeo.regionalization.problem import Limits, Problem, prepare
from kazgeo.regionalization.result import Regionalization, finish
from kazgeo.regionalization.tree import Forest, attribute_order, cut, exact, feasible_parts, spanning_forest, together

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["skater"]


def skater(values: pd.DataFrame, weights: Any, *, n_regions: int, **limits: Unpack[Limits]) -> Regionalization:
    r"""Return connected regions by cutting the minimum spanning tree of neighbours, best cut first (SKATER).

    Assumption: the tree of the most alike neighbours keeps what matters of the map; regions that are not parts of
    that tree are never looked at (``azp`` does). Greedy: the best cut now, not the best set of cuts.

    Parameters
    ----------
    values : DataFrame, shape (N, p)
        Indicators by unit; units with a missing value are set aside and told.
    weights : Weights or libpysal Graph
        Neighbours of the same units, in any order; two units are neighbours when either names the other.
    n_regions : int
        Exactly that many regions, whenever the tree permits it within the limits.
    **limits
        ``scale``, ``min_size``, ``max_size``, ``floor``, ``floor_min``: see ``kazgeo.regionalization.Limits``.

    Returns
    -------
    Regionalization
        Nothing is drawn: the same data give the same regions.

    Raises
    ------
    InputError
        Ids that differ, fewer regions than parts of the map that do not touch, or limits that cannot be met.

    Notes
    -----
    .. math:: SSD_k = \sum_{i \in k} \sum_j (x_{ij} - \bar{x}_{kj})^2

    Edges cost the Euclidean distance of scaled values. Each step removes the edge of any tree whose removal lowers
    the sum of SSD most and after which the wanted number of regions can still be reached within the limits (checked
    exactly on the tree, so that an early cut never spoils a later one).

    References
    ----------
    Assunção, R. M., Neves, M. C., Câmara, G. and da Costa Freitas, C. (2006), doi:10.1080/13658810600665111.

    Examples
    --------
    >>> import pandas as pd
    >>> from kazgeo.weights import Weights
    >>> w = Weights.from_pairs(list("abcdef"), [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "f")])
    >>> income = pd.DataFrame({"income": [1.0, 2.0, 1.5, 8.0, 9.0, None]}, index=list("abcdef"))
    >>> got = skater(income, w, n_regions=2)
    >>> got.region.tolist(), round(got.ratio, 2), got.dropped.values.tolist()
    ([1, 1, 1, 2, 2, <NA>], 0.98, [['f', 'missing value of income']])
    >>> skater(income, w, n_regions=2, min_size=3)
    Traceback (most recent call last):
    kazgeo.errors.InputError: 2 regions of at least 3 units need 6; got 5 units
    >>> skater(income.iloc[:0], Weights.from_pairs([], []), n_regions=2)
    Traceback (most recent call last):
    kazgeo.errors.InputError: values must hold at least 2 units with all indicators; got 0 of 0
    """
    problem = prepare(values, weights, n_regions, limits, upper=True)
    forest = spanning_forest(problem, attribute_order(problem))
    labels = cut(problem, forest, problem.n_regions)
    if labels is None:
        raise impossible(problem, forest, problem.n_regions)
    return finish(problem, labels, {"method": "skater", "n_regions": problem.n_regions})


def impossible(problem: Problem, forest: Forest, k: int) -> InputError:
    """Build the error for a tree that cannot be cut into k parts within the limits."""
    most = problem.n // problem.min_size
    if problem.upper:
        most = min(most, max(2 * k, 50))
    if not exact(problem, problem.n, most):
        return InputError(
            f"n_regions = {k} was not reached within the limits on the spanning tree (the map is too large to tell "
            "whether it can be); loosen max_size, change n_regions, or try azp, which looks at other trees"
        )
    mask = together([feasible_parts(problem, forest, tree, most) for tree in forest.trees], most)
    can = [q for q in range(mask.bit_length()) if mask >> q & 1]
    say = (
        f"{can[0]} to {can[-1]} regions" if len(can) > 1 else f"only {can[0]} region" if can else "no number of regions"
    )
    return InputError(
        f"n_regions = {k} can't be reached within the limits: its spanning tree allows {say}; "
        "change n_regions, loosen the limits, or try azp, which looks at other trees"
    )
