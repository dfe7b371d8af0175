"""LOSH, local spatial heteroscedasticity: around which units values scatter more, or less, than elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

import numpy as np
import pandas as pd

from kazgeo.autocorrelation.permutation import TIE, Tails
from kazgeo.autocorrelation.plan import LocalOptions, Plan
from kazgeo.autocorrelation.sample import ROUNDING, Sample, Transform, is_constant, sample, standardized
from kazgeo.autocorrelation.significance import LocalInference, folded, passes
from kazgeo.choices import Deal, Draws
from kazgeo.errors import InputError, choice, positive_number
from kazgeo.parallel import pieces, run
from kazgeo.weights import Weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LABELS", "Losh", "losh"]

#: Every label a unit can have.
LABELS = ("varied", "even", "not significant", "isolate", "undefined")
#: Numbers held at once for a piece of draws (16 MB).
NUMBERS = 2_000_000


@dataclass(frozen=True, eq=False)
class Losh(LocalInference):
    """LOSH of every unit, on the caller's index; the rest as in ``LocalInference``.

    Labels: "varied" (neighbours scatter more than by chance), "even" (less), "not significant", "isolate",
    "undefined".

    Parameters
    ----------
    H : Series
        The statistic; 1 is the mean scatter of the map.
    variance, z : Series
        Of H when residuals are dealt at random (Ord and Getis), and the chi-square deviate 2 H / variance.
    p_chi_square : Series
        Of z against chi-square with 2 / variance degrees of freedom; NaN unless ``exponent`` is 2.
    local_mean, residual : Series
        Weighted mean of the neighbours' values, and value less local mean, in the unit of y.
    """

    H: pd.Series
    variance: pd.Series
    z: pd.Series
    p_chi_square: pd.Series
    local_mean: pd.Series
    residual: pd.Series

    @property
    def same_sums(self) -> bool:
        """False for arrangements of values: a draw gives every unit an H of its own place."""
        return self.options["deal"] != Deal.VALUES.value and super().same_sums

    def to_frame(self) -> pd.DataFrame:
        """Return all columns on the caller's index."""
        names = ["H", "variance", "z", "p_chi_square", "local_mean", "residual", "p", "p_adjusted", "label"]
        return pd.DataFrame({name: getattr(self, name) for name in names}, index=self.p.index)


class _Scatter(NamedTuple):
    """Units that have a residual: their positions (r,), |residual|**exponent (r,), and the weights among them."""

    units: NDArray[np.int64]
    e: NDArray[np.float64]
    weights: Weights


def losh(
    y: pd.Series,
    weights: Any,
    *,
    exponent: float = 2.0,
    deal: Deal | str = Deal.VALUES,
    transform: Transform | str = Transform.ROW,
    **options: Unpack[LocalOptions],
) -> Losh:
    r"""Return LOSH of every unit, with permutation p, chi-square p and a label after correction.

    Assumption: the local mean is the mean of the neighbours; under the hypothesis every arrangement of the values over
    the units is equally likely. Where the mean itself jumps, at the edge of a cluster, residuals are large without any
    change of the scatter: read H next to a map of the values.

    Parameters
    ----------
    y : Series, shape (n,)
        Numbers labelled by unit; NaN units are set aside and labelled "undefined".
    weights : Weights or libpysal Graph
        Same units in any order, none negative; self weights do not take part. Units without a neighbour are labelled
        "isolate": they have no local mean, and their values do not take part.
    exponent : float, above 0
        2: variance; 1: mean absolute deviation.
    deal : {"values", "residuals"}
        Values are dealt to all units and every draw makes new local means and residuals: p is exact. Or residuals of
        the other units are dealt around each unit: faster, and nearly right only, for residuals of units with common
        neighbours hang together.
    transform : {"row", "binary", "given"}
        What is done to the weights first; "row" and "given" are the same here, rows being divided by their sum.
    **options
        ``permutations``, ``alternative``, ``correction``, ``alpha``, ``draws``, ``rng``, ``executor``, ``progress``:
        see ``LocalOptions``. "greater": more scatter than by chance (spdep's and esda's question, there by chi-square).
        Arrangements of values are shared by all units: ``draws="independent"`` wants residuals.

    Returns
    -------
    Losh
        Constant values, or residuals all alike: NaN throughout, labelled "undefined".

    Raises
    ------
    InputError
        Fewer than 3 units with a value, ids that differ, negative weights, exponent of 0 or less, or a bad option.

    Notes
    -----
    .. math:: H_i = \frac{\sum_j w_{ij} |e_j|^a}{\bar{|e|^a} \sum_j w_{ij}}, \qquad
        e_j = y_j - \frac{\sum_k w_{jk} y_k}{\sum_k w_{jk}}

    .. math:: Var(H_i) = \frac{s^2}{\bar{|e|^a}^2} \cdot \frac{n \sum_j w_{ij}^2 - W_i^2}{(n - 1) W_i^2}

    with :math:`s^2` the population variance of :math:`|e|^a`. spdep's ``LOSH.mc`` deals values too.

    References
    ----------
    Ord, J. K. and Getis, A. (2012), doi:10.1007/s00168-011-0492-y; Xu, M., Mei, C.-L. and Yan, N. (2014),
    doi:10.1007/s00168-014-0605-5.

    Examples
    --------
    >>> from kazgeo.weights import Weights
    >>> ids = [f"u{i:02d}" for i in range(40)]
    >>> w = Weights.from_pairs(ids, [(ids[i], ids[j]) for i in range(39) for j in (i + 1, i + 2) if j < 39])
    >>> y = pd.Series([9.0, 0, 9, 0, 9, 0] + [4, 5, 4, 5] * 8 + [None, 5.0], index=ids)
    >>> got = losh(y, w, rng=1)
    >>> got.label[["u02", "u20", "u38", "u39"]].tolist()
    ['varied', 'not significant', 'undefined', 'isolate']
    >>> losh(y * 0, w, rng=1).label.unique().tolist()
    ['undefined']
    >>> losh(y, w, exponent=0)
    Traceback (most recent call last):
    kazgeo.errors.InputError: exponent must be a number above 0; got 0
    >>> losh(y.iloc[:0], Weights.from_pairs([], []))
    Traceback (most recent call last):
    kazgeo.errors.InputError: y must have a value for at least 3 units; got 0 of 0
    """
    exponent = positive_number(exponent, "exponent", "a number above 0")
    plan, kind, dealt = Plan.of(options), choice(Transform, transform, "transform"), choice(Deal, deal, "deal")
    if dealt is Deal.VALUES and plan.draws is Draws.INDEPENDENT:
        raise InputError("draws='independent' wants deal='residuals': an arrangement of values is one for all units")
    data = sample(y, weights, transform=kind)
    data.weights.refuse_negative("as local means are taken with them")
    parts = {name: np.full(data.n, np.nan) for name in ("H", "variance", "z", "p_chi_square")}
    parts |= _residuals(data)
    tails = Tails(np.zeros(data.n, dtype=np.int64), np.zeros(data.n, dtype=np.int64))
    p, scatter = np.full(data.n, np.nan), _scatter(data, exponent)
    if scatter is not None:
        for name, part in _parts(scatter, plan, exponent).items():
            parts[name][scatter.units] = part
        if dealt is Deal.VALUES:
            found = _rearranged(data, scatter, exponent, plan)
        else:
            found = plan.tails(standardized(scatter.e), scatter.weights)
        tails.greater[scatter.units], tails.less[scatter.units] = found.greater, found.less
        p = np.where(np.isnan(parts["H"]), np.nan, plan.p(tails))
    lonely = data.weights.cardinalities == 0

    def label(p_adjusted: NDArray[np.float64]) -> NDArray[np.object_]:
        side = np.where(tails.greater <= tails.less, "varied", "even")
        codes = np.where(passes(p_adjusted, plan.alpha), side, "not significant").astype(object)
        codes[np.isnan(p)] = "undefined"
        if scatter is not None:
            codes[lonely] = "isolate"
        return codes

    return plan.result(Losh, data, p, label, dict(parts), transform=kind.value, exponent=exponent, deal=dealt.value)


def _local_mean(data: Sample, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weighted mean of the neighbours' values; NaN for isolates."""
    total = data.weights.row_sums()
    lonely = data.weights.cardinalities == 0
    return np.where(lonely, np.nan, data.weights.lag(values) / np.where(lonely, 1.0, total))


def _residuals(data: Sample) -> dict[str, NDArray[np.float64]]:
    mean = _local_mean(data, data.y)
    return {"local_mean": mean, "residual": data.y - mean}


def _rearranged(data: Sample, scatter: _Scatter, exponent: float, plan: Plan) -> Tails:
    """Count arrangements of the values with an H at least, and at most, as large as observed, of units with one."""
    total = np.where(data.weights.cardinalities > 0, data.weights.row_sums(), 1.0)
    inner = scatter.weights.lag(scatter.e) / scatter.e.mean()
    fixed = (data.z, data.weights, total, scatter, exponent, inner, plan.seed)
    cuts = pieces(plan.permutations, max(1, NUMBERS // data.n))
    tails = Tails(*np.zeros((2, len(scatter.units)), dtype=np.int64))
    for greater, less in run(_arranged, [(*fixed, *cut) for cut in cuts], plan.executor, plan.progress, "permutations"):
        tails.greater[:] += greater
        tails.less[:] += less
    return tails


def _arranged(
    z: NDArray[np.float64], weights: Weights, total: NDArray[np.float64], scatter: _Scatter, exponent: float,
    observed: NDArray[np.float64], seed: int, start: int, stop: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:  # fmt: skip
    """Count some draws, each of which is made by its own number."""
    some = z[scatter.units]
    values = np.tile(z[:, None], stop - start)
    for column, draw in enumerate(range(start, stop)):
        values[scatter.units, column] = np.random.default_rng([seed, draw]).permutation(some)
    left = np.abs(values - weights.lag(values) / total[:, None])[scatter.units]
    left[left <= ROUNDING * np.abs(z).max()] = 0.0
    e = left**exponent
    mean = e.mean(axis=0)
    H = scatter.weights.lag(e) / np.where(mean > 0, mean, 1.0)
    edge = TIE * (scatter.weights.reach + np.abs(observed))
    return ((observed - edge)[:, None] <= H).sum(axis=1), ((observed + edge)[:, None] >= H).sum(axis=1)


def _scatter(data: Sample, exponent: float) -> _Scatter | None:
    """Return what varies around local means, without unit; None where nothing does."""
    units = np.flatnonzero(data.weights.cardinalities > 0)
    if data.constant or not len(units):
        return None
    z = data.z
    left = np.abs(z - _local_mean(data, z))[units]
    left[left <= ROUNDING * np.abs(z).max()] = 0.0  # a local mean equal to the value, but for rounding
    e = left**exponent
    if is_constant(e) or len(units) < 3:
        return None
    return _Scatter(units, e, data.weights.subset(data.weights.ids[units]))


def _parts(scatter: _Scatter, plan: Plan, exponent: float) -> dict[str, NDArray[np.float64]]:
    """Return H, its variance and the chi-square test, of the units that have a residual."""
    from scipy.special import chdtr, chdtrc

    e, matrix, n = scatter.e, scatter.weights.matrix, len(scatter.e)
    w1, w2 = scatter.weights.row_sums(), scatter.weights.row_sums(2)
    w1 = np.where(w1 > 0, w1, np.nan)  # all neighbours without a residual of their own (one-way links)
    share = e / e.mean()
    H = np.asarray(matrix @ share) / w1
    variance = np.mean((share - 1) ** 2) * (n * w2 - w1**2) / ((n - 1) * w1**2)
    z, freedom = 2 * H / variance, 2 / variance
    p = np.full(n, np.nan)
    if exponent == 2:
        p = np.asarray(folded(chdtrc(freedom, z), chdtr(freedom, z), plan.alternative))
    return {"H": H, "variance": variance, "z": z, "p_chi_square": p}
