"""Local join counts: around which units that have a property more neighbours have it too than by chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, Unpack, cast

import numpy as np
import pandas as pd

from kazgeo.autocorrelation.plan import LocalOptions, Plan
from kazgeo.autocorrelation.sample import Sample, Transform, sample_together
from kazgeo.autocorrelation.significance import LocalInference, adjusted, folded, passes
from kazgeo.choices import Alternative
from kazgeo.errors import InputError, listing

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "LABELS",
    "ExactInference",
    "LocalJoinCount",
    "local_colocation",
    "local_join_count",
    "local_join_count_bivariate",
]

#: Every label a unit can have; "not tested": it lacks the property of which neighbours are counted.
LABELS = ("cluster", "apart", "not significant", "not tested", "isolate", "undefined")


@dataclass(frozen=True, eq=False)
class ExactInference(LocalInference):
    """Local tests whose p is computed, not drawn: ``permutations`` and ``seed`` are 0 and mean nothing."""

    @cached_property
    def count_error(self) -> float:
        """0: the number of significant units does not move, as nothing is drawn."""
        return 0.0

    @property
    def smallest_p(self) -> float:
        """0: no number of draws limits p from below."""
        return 0.0

    @property
    def cannot_pass(self) -> bool:
        """False: more draws would not help, as there are none."""
        return False

    @property
    def parameters(self) -> dict[str, object]:
        """The options of the call, plain values only."""
        return {
            "alternative": self.alternative.value,
            "correction": self.correction.value,
            "alpha": self.alpha,
            **self.options,
        }


@dataclass(frozen=True, eq=False)
class LocalJoinCount(ExactInference):
    """Local join count of every unit, on the caller's index; the rest as in ``LocalInference``.

    Labels: "cluster" (more than by chance), "apart" (fewer), "not significant", "not tested" (own value 0),
    "isolate", "undefined".

    Parameters
    ----------
    count : Series
        Neighbours that have the property, for units that have it themselves; 0 for those that don't; NaN for isolates.
    expected : Series
        Mean of the count by chance; NaN for units not tested.
    """

    count: pd.Series
    expected: pd.Series

    def to_frame(self) -> pd.DataFrame:
        """Return all columns on the caller's index."""
        names = ["count", "expected", "neighbours", "p", "p_adjusted", "label"]
        return pd.DataFrame({name: getattr(self, name) for name in names}, index=self.p.index)


class Chances(NamedTuple):
    """Exact chances of a count: of at least and of at most what is observed, of exactly it, and the mean; (n,)."""

    upper: NDArray[np.float64]
    lower: NDArray[np.float64]
    exactly: NDArray[np.float64]
    mean: NDArray[np.float64]

    def p(self, alternative: Alternative) -> NDArray[np.float64]:
        """Return p-values; "two-sided" is twice the smaller tail, at most 1, and both tails hold the observed count."""
        return np.asarray(folded(self.upper, self.lower, alternative))


class ExactPlan(Plan):
    """Checked options of a test in which nothing is drawn, so that p lies on no grid of whole parts of m + 1."""

    def adjusted(self, p: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return p after the correction for the number of tests."""
        return adjusted(p, self.correction)


_J = TypeVar("_J", bound=LocalJoinCount)


def local_join_count(y: pd.Series, weights: Any, **options: Unpack[LocalOptions]) -> LocalJoinCount:
    r"""Return the number of neighbours that have a property around every unit that has it, with exact p.

    Assumption: the property is rare or at least not the rule (below half of the units); under the hypothesis the
    other units that have it lie anywhere, every arrangement being equally likely.

    Parameters
    ----------
    y : Series, shape (n,)
        0 and 1, or booleans, labelled by unit; NaN units are set aside and labelled "undefined".
    weights : Weights or libpysal Graph
        Same units in any order; only whether a weight is there matters, and self weights do not take part.
    **options
        ``alternative``, ``correction``, ``alpha``: see ``LocalOptions``. The alternative is "greater" when not given,
        as in GeoDa and esda; "two-sided" doubles the smaller tail. Nothing is drawn: ``permutations``, ``draws``,
        ``rng``, ``executor`` and ``progress`` are accepted and change nothing.

    Returns
    -------
    LocalJoinCount
        Units with value 0 are "not tested" and no part of the correction. Units with value 1 are always tested, also
        with a count of 0 (GeoDa and esda leave those out, and so choose their tests by the outcome). Constant values:
        p is NaN and the label "undefined".

    Raises
    ------
    InputError
        Values other than 0 and 1, fewer than 3 units with a value, ids that differ, or a bad option.

    Notes
    -----
    .. math:: BB_i = x_i \sum_j w_{ij} x_j, \qquad
        P(BB_i = c \mid x_i = 1) = \binom{K}{c} \binom{n - 1 - K}{k_i - c} \bigg/ \binom{n - 1}{k_i}

    with K ones among the other n - 1 units and k neighbours: the limit of GeoDa's conditional permutations.

    References
    ----------
    Anselin, L. and Li, X. (2019), doi:10.1007/s10109-019-00299-x.

    Examples
    --------
    >>> from kazgeo.weights import Weights
    >>> ids = [f"u{i:02d}" for i in range(40)]
    >>> w = Weights.from_pairs(ids, [(ids[i], ids[j]) for i in range(39) for j in (i + 1, i + 2) if j < 39])
    >>> y = pd.Series([1] * 6 + [0] * 32 + [None, 1.0], index=ids)
    >>> got = local_join_count(y, w)
    >>> got.label[["u02", "u20", "u38", "u39"]].tolist()
    ['cluster', 'not tested', 'undefined', 'isolate']
    >>> float(got.count["u02"]), round(float(got.p["u02"]), 5), got.n_tests
    (4.0, 0.0002, 6)
    >>> local_join_count(y * 0, w).label.unique().tolist()
    ['undefined']
    >>> local_join_count(y + 1, w)
    Traceback (most recent call last):
    kazgeo.errors.InputError: y must hold 0 and 1 only; other values at units 'u00', 'u01', ...
    >>> local_join_count(y.iloc[:0], Weights.from_pairs([], []))
    Traceback (most recent call last):
    kazgeo.errors.InputError: y must have a value for at least 3 units; got 0 of 0
    """
    data, values = _binary({"y": y}, weights)
    return counted(LocalJoinCount, data, values[:, 0], values[:, 0], options)


def local_join_count_bivariate(
    x: pd.Series, z: pd.Series, weights: Any, **options: Unpack[LocalOptions]
) -> LocalJoinCount:
    r"""Return the number of neighbours that have one property around every unit that has another, with exact p.

    Assumption: no unit has both properties. Under the hypothesis the units with z = 1 lie anywhere among the others,
    also where x = 1 (GeoDa's and esda's hypothesis: x does not keep z away).

    Parameters
    ----------
    x, z : Series, shape (n,)
        0 and 1, or booleans, of the same units in any order: around which units (x) what is counted (z). Units that
        lack one of them are set aside.
    weights, **options
        As in ``local_join_count``.

    Returns
    -------
    LocalJoinCount
        On the index of ``x``. Not symmetric: swapping x and z asks another question. z constant: "undefined".

    Raises
    ------
    InputError
        A unit with both properties (ask ``local_colocation`` then), or as ``local_join_count``.

    Notes
    -----
    .. math:: BB_i = x_i \sum_j w_{ij} z_j

    References
    ----------
    Anselin, L. and Li, X. (2019), doi:10.1007/s10109-019-00299-x.

    Examples
    --------
    >>> from kazgeo.weights import Weights
    >>> ids = list("abcdef")
    >>> w = Weights.from_pairs(ids, list(zip(ids, ids[1:])))
    >>> mine, village = pd.Series([1, 0, 0, 0, 1, None], ids), pd.Series([0, 1, 0, 0, 0, 0], ids)
    >>> local_join_count_bivariate(mine, village, w).to_frame()[["count", "p", "label"]].round(2).values.tolist()[0]
    [1.0, 0.25, 'not significant']
    >>> local_join_count_bivariate(mine, mine, w)
    Traceback (most recent call last):
    kazgeo.errors.InputError: x and z must not both be 1 anywhere; they are at units 'a', 'e'; use local_colocation
    >>> local_join_count_bivariate(mine.iloc[:0], village.iloc[:0], Weights.from_pairs([], []))
    Traceback (most recent call last):
    kazgeo.errors.InputError: x and z must have a value for at least 3 units; got 0 of 0
    """
    data, values = _binary({"x": x, "z": z}, weights)
    both = values.all(axis=1)
    if both.any():
        raise InputError(
            f"x and z must not both be 1 anywhere; they are at units {listing(data.weights.ids[both])}; "
            "use local_colocation"
        )
    return counted(LocalJoinCount, data, values[:, 0], values[:, 1], options)


def local_colocation(table: pd.DataFrame, weights: Any, **options: Unpack[LocalOptions]) -> LocalJoinCount:
    r"""Return the number of neighbours that have all of several properties around every unit that has all, exact p.

    Assumption: as ``local_join_count``, of the property "has all". How often the properties meet in one unit is
    taken as it is; the question is whether those units lie together.

    Parameters
    ----------
    table : DataFrame, shape (n, v)
        0 and 1, or booleans, one column per property; a unit that lacks one of its values is set aside.
    weights, **options
        As in ``local_join_count``.

    Returns
    -------
    LocalJoinCount
        No unit, or every unit, with all properties: "undefined".

    Raises
    ------
    InputError
        No column, or as ``local_join_count``.

    Notes
    -----
    .. math:: CLC_i = \prod_v x_{vi} \sum_j w_{ij} \prod_v x_{vj}

    References
    ----------
    Anselin, L. and Li, X. (2019), doi:10.1007/s10109-019-00299-x.

    Examples
    --------
    >>> from kazgeo.weights import Weights
    >>> ids = list("abcdef")
    >>> w = Weights.from_pairs(ids, list(zip(ids, ids[1:])))
    >>> table = pd.DataFrame({"poor": [1, 1, 1, 0, 1, None], "far": [1, 1, 0, 0, 1, 1]}, index=ids)
    >>> got = local_colocation(table, w)
    >>> got.count.tolist(), got.label.tolist()[2:]
    ([1.0, 1.0, 0.0, 0.0, 0.0, nan], ['not tested', 'not tested', 'not significant', 'undefined'])
    >>> local_colocation(table[[]], w)
    Traceback (most recent call last):
    kazgeo.errors.InputError: table must have at least one variable; got a table without columns
    >>> local_colocation(table.iloc[:0], Weights.from_pairs([], []))
    Traceback (most recent call last):
    kazgeo.errors.InputError: poor and far must have a value for at least 3 units; got 0 of 0
    """
    variables = columns_of(table, "table")
    data, values = _binary(variables, weights)
    together = np.asarray(values.all(axis=1))
    return counted(LocalJoinCount, data, together, together, options, {"variables": list(variables)})


def columns_of(table: pd.DataFrame, name: str) -> dict[str, pd.Series]:
    """Return the columns of a table by their names as text, or say what is wrong with it.

    Examples
    --------
    >>> list(columns_of(pd.DataFrame({2020: [1], 2021: [2]}), "table"))
    ['2020', '2021']
    """
    if not isinstance(table, pd.DataFrame):
        raise InputError(f"{name} must be a pandas DataFrame labelled by unit ids; got {type(table).__name__}")
    if not table.shape[1]:
        raise InputError(f"{name} must have at least one variable; got a table without columns")
    names = [str(column) for column in table.columns]
    if len(set(names)) < len(names):
        raise InputError(f"{name} must have one column per variable; got {listing(names)}")
    return {column: table.iloc[:, place] for place, column in enumerate(names)}


def counted(
    kind: type[_J],
    data: Sample,
    around: NDArray[np.bool_],
    marked: NDArray[np.bool_],
    options: LocalOptions,
    described: Mapping[str, object] | None = None,
    **parts: Any,
) -> _J:
    """Return the result of counting marked neighbours around some units, with exact p.

    Parameters
    ----------
    kind : class
        Of the result.
    data : Sample
        Units and binary weights.
    around, marked : bool array, shape (n,)
        Around which units to count, and whom.
    options, described
        Keywords of the call, and what else describes it.
    **parts
        Further fields of the result.
    """
    plan = exact_plan(options)
    links = data.weights.cardinalities
    lonely, fixed = links == 0, bool(marked.all() or not marked.any())
    count = np.asarray(data.weights.lag(marked.astype(float)))
    chances = hypergeometric(count, data.n - 1, marked.sum() - marked, links)
    tested = around & ~lonely & (not fixed)
    p = np.where(tested, chances.p(plan.alternative), np.nan)

    def label(p_adjusted: NDArray[np.float64]) -> NDArray[np.object_]:
        side = np.where(chances.upper <= chances.lower, "cluster", "apart")
        codes = np.where(passes(p_adjusted, plan.alpha), side, "not significant").astype(object)
        codes[~around] = "not tested"
        codes[lonely] = "isolate"
        codes[:] = "undefined" if fixed else codes
        return codes

    parts |= {
        "count": np.where(lonely, np.nan, count * around),
        "expected": np.where(tested, chances.mean, np.nan),
    }
    return plan.result(kind, data, p, label, parts, **(described or {}))


def exact_plan(options: LocalOptions) -> ExactPlan:
    """Return the checked options of a test in which nothing is drawn; "greater" when no alternative is given."""
    given: LocalOptions = {"alternative": Alternative.GREATER, **options}
    return replace(cast("ExactPlan", ExactPlan.of(given)), permutations=0, seed=0)


def hypergeometric(
    count: NDArray[np.float64], others: int, good: NDArray[np.int64], drawn: NDArray[np.int64]
) -> Chances:
    """Return the exact chances of counts of ``good`` ones among ``drawn`` of the ``others``, without replacement.

    Parameters
    ----------
    count, good, drawn : arrays, shape (n,)
        Observed, how many there are, and how many are drawn, by unit.
    others : int
        Units to draw from.

    Examples
    --------
    >>> got = hypergeometric(np.array([2.0]), 4, np.array([2]), np.array([2]))
    >>> got.upper.round(12), got.lower.round(12), got.mean
    (array([0.16666667]), array([1.]), array([1.]))
    >>> hypergeometric(np.array([]), 4, np.array([], int), np.array([], int)).upper
    array([], dtype=float64)
    """
    from scipy.stats import hypergeom

    cases = np.column_stack([np.rint(count), good, drawn]).astype(np.int64)
    alike, which = np.unique(cases, axis=0, return_inverse=True)
    c, of, k = alike.T
    at, law = which.ravel(), hypergeom(others, of, k)
    upper, lower = np.clip(law.sf(c - 1), 0.0, 1.0), np.clip(law.cdf(c), 0.0, 1.0)
    return Chances(upper[at], lower[at], law.pmf(c)[at], np.asarray(of * k / others)[at])


def _binary(variables: Mapping[str, pd.Series], weights: Any) -> tuple[Sample, NDArray[np.bool_]]:
    """Bring variables of 0 and 1 together with weights; shape (n, variables)."""
    data, values = sample_together(variables, weights, transform=Transform.BINARY)
    for name, column in zip(variables, values.T, strict=True):
        strange = (column != 0) & (column != 1)
        if strange.any():
            units = listing(data.weights.ids[strange])
            raise InputError(f"{name} must hold 0 and 1 only; other values at units {units}")
    return data, values == 1
