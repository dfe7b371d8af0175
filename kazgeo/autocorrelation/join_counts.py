"""Join counts: whether like kinds are neighbours, for marks without order (poor or not, land use, class)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pandas as pd

from kazgeo.autocorrelation.moments import LinkSums
from kazgeo.autocorrelation.plan import Inference, Plan
from kazgeo.autocorrelation.sample import Transform, sample
from kazgeo.autocorrelation.significance import Alternative, normal_p
from kazgeo.autocorrelation.total import colour_draws
from kazgeo.autocorrelation.whole import linked, total_p
from kazgeo.errors import InputError, choice, listing

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["JoinCounts", "join_counts"]

#: More kinds than this are a number taken for a kind.
MOST_KINDS = 50
#: Numbers of all draws that are held: pairs of kinds by draws (1.6 GB).
MOST_NUMBERS = 200_000_000


@dataclass(frozen=True, eq=False, kw_only=True)
class JoinCounts:
    """Joins between kinds over a whole map.

    Parameters
    ----------
    table : DataFrame
        Index (one, other): every pair of kinds, then ("different", "different") for all joins between unlike kinds.
        Columns joins, expected, variance, z, p_normal (of z) and p (by permutation).
    kinds : Series
        Number of units of every kind.
    n : int
        Units used.
    s0 : float
        Sum of the weights; joins of all pairs sum to half of it.
    permutations, seed, alternative, transform
        As asked for.
    dropped : DataFrame
        Columns unit, reason.
    """

    table: pd.DataFrame
    kinds: pd.Series
    n: int
    s0: float
    permutations: int
    seed: int
    alternative: Alternative
    transform: Transform
    dropped: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return the table with the kinds as columns."""
        return self.table.reset_index()


def join_counts(
    y: pd.Series,
    weights: Any,
    *,
    transform: Transform | str = Transform.BINARY,
    **options: Unpack[Inference],
) -> JoinCounts:
    r"""Return how often neighbours are of the same kind, and of every two different kinds, against chance.

    Assumption: the numbers of units of each kind are given, and under the hypothesis every arrangement of them over the
    units is equally likely (sampling without replacement).

    Parameters
    ----------
    y : Series, shape (n,)
        Kinds (text, booleans, whole numbers, categories), labelled by unit; missing ones are set aside.
    weights : Weights or libpysal Graph
        Same units in any order; self weights do not take part.
    transform : {"row", "binary", "given"}
        What is done to the weights first; binary counts joins.
    **options
        ``permutations``, ``alternative``, ``rng``, ``executor``, ``progress``: see ``Inference``.

    Returns
    -------
    JoinCounts
        One kind only: NaN for z and p.

    Raises
    ------
    InputError
        More than 50 kinds, fewer than 3 units, ids that differ, no links, or a bad option.

    Notes
    -----
    .. math:: J_{rs} = \tfrac12 \sum_{ij} w_{ij} [\{y_i, y_j\} = \{r, s\}]

    For two kinds these are BB, BW and WW. The moments are those of Cliff and Ord for sampling without replacement.

    References
    ----------
    Moran, P. A. P. (1948), doi:10.1111/j.2517-6161.1948.tb00012.x; Cliff, A. D. and Ord, J. K. (1981), Spatial
    Processes, p. 19-20.

    Examples
    --------
    >>> from kazgeo.weights import Weights
    >>> chain = Weights.from_pairs(list("abcdef"), [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "f")])
    >>> poor = pd.Series([True, True, True, False, False, False], index=list("abcdef"))
    >>> got = join_counts(poor, chain, rng=1)
    >>> got.table[["joins", "expected"]].round(2).to_dict("index")[(True, True)]
    {'joins': 2.0, 'expected': 1.0}
    >>> join_counts(poor.where(poor), chain, rng=1).table["p"].isna().all()
    np.True_
    >>> join_counts(poor.iloc[:0], Weights.from_pairs([], []))
    Traceback (most recent call last):
    kazgeo.errors.InputError: y must have a value for at least 3 units; got 0 of 0
    """
    plan, way = Plan.of(options, Inference), choice(Transform, transform, "transform")
    codes, kinds = _coded(y)
    data = sample(codes, weights, transform=way)
    sums = linked(data)
    present, colour = np.unique(data.y.astype(np.int64), return_inverse=True)
    names, numbers = [kinds[code] for code in present], np.bincount(colour)
    matrix = data.weights.matrix
    side = np.eye(len(names))[colour]
    joins = _folded((side.T @ (matrix @ side))[None])[0]
    draws, most = None, MOST_NUMBERS // len(names) ** 2
    if plan.permutations > most:
        raise InputError(f"permutations must be at most {most:,} with {len(names)} kinds; got {plan.permutations:,}")
    if len(names) > 1:
        draws = _folded(
            colour_draws(
                colour, len(names), matrix, permutations=plan.permutations, seed=plan.seed, executor=plan.executor,
                progress=plan.progress,
            )
        )  # fmt: skip
    rows = _rows(joins, draws, numbers, sums, plan)
    pairs = [(names[r], names[s]) for r, s in zip(*np.triu_indices(len(names)), strict=True)]
    index = pd.MultiIndex.from_tuples([*pairs, ("different", "different")], names=["one", "other"])
    return JoinCounts(
        table=pd.DataFrame(rows, index=index),
        kinds=pd.Series(numbers, index=pd.Index(names, name="kind"), name="units"),
        n=data.n,
        s0=sums.s0,
        permutations=plan.permutations,
        seed=plan.seed,
        alternative=plan.alternative,
        transform=way,
        dropped=data.dropped,
    )


def _coded(y: Any) -> tuple[pd.Series, list[Any]]:
    """Return kinds as numbers, missing ones as NaN, and what the numbers stand for, in rising order."""
    if not isinstance(y, pd.Series):
        raise InputError(f"y must be a pandas Series labelled by unit ids; got {type(y).__name__}")
    if not y.index.is_unique:
        raise InputError(f"y must have one value per unit; repeated: {listing(y.index[y.index.duplicated()])}")
    kinds = list(pd.unique(y.dropna()))
    if len(kinds) > MOST_KINDS:
        raise InputError(f"y must hold at most {MOST_KINDS} kinds; got {len(kinds)}: are these measurements?")
    if "different" in [kind for kind in kinds if isinstance(kind, str)]:
        raise InputError("y must not call a kind 'different': so the table calls joins between unlike kinds; rename it")
    kinds.sort(key=lambda kind: (type(kind).__name__, kind))
    place = {kind: float(number) for number, kind in enumerate(kinds)}
    return pd.Series([place.get(v, np.nan) if pd.notna(v) else np.nan for v in y], index=y.index, dtype=float), kinds


def _folded(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn weights from kind r to kind s, shape (m, c, c), into joins of every pair and of unlike kinds, (m, pairs)."""
    both = (counts + counts.transpose(0, 2, 1)) / 2
    r, s = np.triu_indices(counts.shape[1])
    pairs = np.where(r == s, both[:, r, s] / 2, both[:, r, s])
    unlike = pairs[:, r != s].sum(axis=1, keepdims=True)
    return np.concatenate([pairs, unlike], axis=1)


def _rows(
    joins: NDArray[np.float64],
    draws: NDArray[np.float64] | None,
    numbers: NDArray[np.int64],
    sums: LinkSums,
    plan: Plan,
) -> dict[str, list[float]]:
    """Return the columns of the table."""
    moments = [_moments(numbers, int(r), int(s), sums) for r, s in zip(*np.triu_indices(len(numbers)), strict=True)]
    moments.append(_unlike(numbers, sums))
    out: dict[str, list[float]] = {"joins": joins.tolist(), "expected": [], "variance": [], "z": []}
    out |= {"p_normal": [], "p": []}
    for place, (expected, variance) in enumerate(moments):
        z = (joins[place] - expected) / np.sqrt(variance) if variance > 1e-9 * sums.s1 else np.nan
        out["expected"].append(expected)
        out["variance"].append(variance)
        out["z"].append(float(z))
        out["p_normal"].append(normal_p(float(z), plan.alternative))
        out["p"].append(np.nan if draws is None else total_p(float(joins[place]), draws[:, place], plan))
    return out


def _falling(n: float, power: int) -> float:
    """Return n (n - 1) ... of so many factors."""
    return float(np.prod([n - step for step in range(power)]))


def _moments(numbers: NDArray[np.int64], r: int, s: int, sums: LinkSums) -> tuple[float, float]:
    """Return mean and variance of the joins of kinds r and s, sampling without replacement."""
    n, (s0, s1, s2) = int(numbers.sum()), sums
    a, b = int(numbers[r]), int(numbers[s])
    same = r == s
    two = _falling(a, 2) if same else 2.0 * a * b
    expected = s0 * two / (2 * _falling(n, 2))
    if n < 4:
        return expected, np.nan
    three = _falling(a, 3) if same else float(a * b * (a + b - 2))
    four = _falling(a, 4) if same else 4 * _falling(a, 2) * _falling(b, 2)
    square = s1 * two / _falling(n, 2) + (s2 - 2 * s1) * three / _falling(n, 3)
    square += (s0 * s0 + s1 - s2) * four / _falling(n, 4)
    return expected, square / 4 - expected**2


def _unlike(numbers: NDArray[np.int64], sums: LinkSums) -> tuple[float, float]:
    """Return mean and variance of all joins between unlike kinds: what the like ones leave over."""
    n, (s0, s1, s2) = int(numbers.sum()), sums
    like = [_moments(numbers, r, r, sums) for r in range(len(numbers))]
    expected, variance = s0 / 2 - sum(e for e, _ in like), sum(v for _, v in like)
    if n >= 4:
        for r in range(len(numbers)):
            for s in range(r):
                pairs = _falling(int(numbers[r]), 2) * _falling(int(numbers[s]), 2) / _falling(n, 4)
                variance += 2 * ((s0 * s0 + s1 - s2) * pairs / 4 - like[r][0] * like[s][0])
    return expected, variance
