"""The options that all tests share, checked once; and the way from counted draws to a local result."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, cast

import numpy as np

from kazgeo.autocorrelation.permutation import Tails, conditional_tails
from kazgeo.autocorrelation.sample import Sample
from kazgeo.autocorrelation.significance import LocalInference, adjusted, passes, pseudo_p
from kazgeo.choices import Alternative, Correction, Draws
from kazgeo.errors import InputError, choice, positive_integer, probability
from kazgeo.progress import Progress, silent
from kazgeo.seeds import seed_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from kazgeo.weights import Weights

__all__ = ["Inference", "LocalOptions", "Plan"]

_L = TypeVar("_L", bound=LocalInference)


class Inference(TypedDict, total=False):
    """Keywords of every test by permutation.

    permutations : int, 9,999 by default
        Draws m; the smallest p is 1 / (m + 1), two-sided 2 / (m + 1).
    alternative : {"two-sided", "greater", "less", "directed"}
        Which departures from chance count; "directed" is the smaller tail, as GeoDa and esda give it.
    rng : int, Generator or None
        Seed; the result stores it.
    executor : concurrent.futures.Executor or None
        Where the work is done; None: threads of this process. Dask: ``Client.get_executor()``. The numbers are the
        same everywhere.
    progress : Progress
        Called between pieces of work; when it raises, the work stops.
    """

    permutations: int
    alternative: Alternative | str
    rng: int | np.random.Generator | None
    executor: Executor | None
    progress: Progress


class LocalOptions(Inference, total=False):
    """Keywords of every local test: those of ``Inference``, and:

    correction : {"fdr", "fdr_by", "fdr_geoda", "bonferroni", "none"}
        For the number of tests; "fdr" is Benjamini-Hochberg.
    alpha : float, 0.05 by default
        Level of the adjusted p at which units are called significant.
    draws : {"shared", "independent"}
        Shared between units with as many neighbours (fast), or each unit its own (slower; the number of significant
        units varies less with the seed).
    """  # noqa: D400

    correction: Correction | str
    alpha: float
    draws: Draws | str


@dataclass(frozen=True)
class Plan:
    """Checked options of a test.

    Examples
    --------
    >>> plan = Plan.of({"permutations": 99, "rng": 1})
    >>> plan.permutations, plan.alternative.value, plan.correction.value, plan.seed
    (99, 'two-sided', 'fdr', 1)
    >>> Plan.of({"permutation": 99})
    Traceback (most recent call last):
    kazgeo.errors.InputError: 'permutation' is not an option of this test; did you mean 'permutations'?
    """

    permutations: int
    alternative: Alternative
    correction: Correction
    alpha: float
    draws: Draws
    seed: int
    executor: Executor | None
    progress: Progress

    @classmethod
    def of(cls, options: Inference | LocalOptions, allowed: Any = LocalOptions, *, permutations: int = 9_999) -> Plan:
        """Check the keywords of a call, of which ``allowed`` (a TypedDict) lists those that have an effect.

        Raises
        ------
        InputError
            An unknown keyword, or a value out of its range.
        """
        given: dict[str, Any] = dict(options)
        known = [*allowed.__annotations__]
        for strange in given.keys() - set(known):
            near = get_close_matches(strange, known, 1)
            hint = f"did you mean '{near[0]}'?" if near else f"options are {', '.join(dict.fromkeys(known))}"
            raise InputError(f"'{strange}' is not an option of this test; {hint}")
        return cls(
            permutations=positive_integer(given.get("permutations", permutations), "permutations"),
            alternative=choice(Alternative, given.get("alternative", Alternative.TWO_SIDED), "alternative"),
            correction=choice(Correction, given.get("correction", Correction.FDR), "correction"),
            alpha=probability(given.get("alpha", 0.05), "alpha"),
            draws=choice(Draws, given.get("draws", Draws.SHARED), "draws"),
            seed=seed_of(given.get("rng")),
            executor=_with("submit", given.get("executor"), "executor"),
            progress=_with("__call__", given.get("progress") or silent, "progress"),
        )

    def tails(
        self, values: NDArray[np.float64], weights: Weights, coefficients: NDArray[np.float64] | None = None
    ) -> Tails:
        """Count conditional draws; see ``conditional_tails``."""
        return conditional_tails(
            values,
            weights,
            permutations=self.permutations,
            seed=self.seed,
            coefficients=coefficients,
            draws=self.draws,
            executor=self.executor,
            progress=self.progress,
        )

    def p(self, tails: Tails) -> NDArray[np.float64]:
        """Return p-values of counted draws."""
        return pseudo_p(tails.greater, tails.less, self.permutations, self.alternative)

    def adjusted(self, p: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return p after the correction for the number of tests."""
        return adjusted(p, self.correction, self.permutations + 1)

    def significant(self, p: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which units pass the correction at the level ``alpha``."""
        return passes(self.adjusted(p), self.alpha)

    def result(
        self,
        kind: type[_L],
        data: Sample,
        p: NDArray[np.float64],
        label: NDArray[Any] | Callable[[NDArray[np.float64]], NDArray[Any]],
        parts: dict[str, Any],
        **options: object,
    ) -> _L:
        """Return the result of a local test on the caller's index.

        Parameters
        ----------
        kind : class
            Of the result.
        data : Sample
            What was tested.
        p : float array, shape (n,)
            By permutation, NaN where undefined.
        label : array of str, shape (n,), or function of the adjusted p
            Class of every used unit; units left out are labelled "undefined".
        parts : mapping
            Further fields: float arrays and object arrays over the used units are spread, others taken as they are.
        **options
            What else describes the call.
        """
        spread: dict[str, Any] = {}
        p_adjusted = self.adjusted(p)
        codes = label(p_adjusted) if callable(label) else label
        for name, part in parts.items():
            if isinstance(part, np.ndarray):
                part = data.spread(part, name) if part.dtype != object else data.spread_codes(part, None, name)
            spread[name] = part
        made: _L = cast("Any", kind)(
            p=data.spread(p, "p"),
            p_adjusted=data.spread(p_adjusted, "p_adjusted"),
            label=data.spread_codes(codes, "undefined", "label"),
            permutations=self.permutations,
            alternative=self.alternative,
            correction=self.correction,
            alpha=self.alpha,
            draws=self.draws,
            neighbours=data.spread(data.weights.cardinalities.astype(float), "neighbours"),
            seed=self.seed,
            dropped=data.dropped,
            options=options,
            **spread,
        )
        return made


def _with(method: str, value: Any, name: str) -> Any:
    """Return None or an object that has a method, or say what was wanted."""
    if value is not None and not hasattr(value, method):
        wanted = {"submit": "an Executor such as ThreadPoolExecutor()", "__call__": "a function"}[method]
        raise InputError(f"{name} must be {wanted}; got {value!r}")
    return value
