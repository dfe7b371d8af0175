"""How the weight of a place falls with travel time: impedance functions with names and seconds."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kazgeo.accessibility.times import TravelTimes
from kazgeo.errors import InputError, positive_number
from kazgeo.ties import upto

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    #: What a measure takes: seconds in, weights of at least 0 out, same shape.
    DecayFunction = Callable[[Floats], Floats]

__all__ = [
    "FLOOR",
    "Binary",
    "Decay",
    "Exponential",
    "Gaussian",
    "Linear",
    "Logistic",
    "Power",
    "Stepped",
    "TruncatedGaussian",
    "Within",
    "weigh",
]

#: A pair that weighs less counts as out of reach. Measures divide by sums of weights and multiply what they get by
#: further weights: where a place has nothing but weights of 1e-310 (16 hours away, by a bell of half an hour), its
#: inverse is beyond all numbers, and everybody's result with it. Squares and inverses of 1e-60 times any number of
#: people stay within double precision (1e-308 to 1e308); the weight itself sends nobody anywhere: all people on earth
#: times 1e-60 is no one. A function may give weights up to the inverse, 1e60, for the same reason.
FLOOR = 1e-60


@dataclass(frozen=True)
class Decay:
    """A weight that depends on travel time; called with seconds, it returns weights from 0 to 1 of the same shape.

    NaN (out of reach) has weight 0.

    Examples
    --------
    >>> Exponential(rate_per_s=1 / 600)(np.array([0.0, 600.0, np.nan])).round(4).tolist()
    [1.0, 0.3679, 0.0]
    >>> Binary(600)(np.array([])).tolist()
    []
    >>> Binary(600).name, Binary(600).reach_s, Gaussian(600).reach_s
    ('binary', 600.0, inf)
    """

    def __call__(self, time_s: Any) -> Floats:
        """Return the weight of every time."""
        seconds = np.asarray(time_s, dtype=np.float64)
        with np.errstate(invalid="ignore"):
            weight = self._weight(seconds)
        lost = np.isnan(seconds)
        return np.where(lost, 0.0, weight) if lost.any() else weight

    @property
    def name(self) -> str:
        """Name of the function."""
        return "".join(f" {c.lower()}" if c.isupper() else c for c in type(self).__name__).strip()

    @property
    def reach_s(self) -> float:
        """Seconds beyond which the weight is 0; infinite if it never is."""
        return math.inf

    @property
    def _smallest(self) -> float | None:
        """Smallest weight above 0; 0 if there is none. None for functions of others: what these give is checked."""
        return None

    def _weight(self, t: Floats) -> Floats:
        raise NotImplementedError


def _seconds(decay: Decay, *names: str, zero: bool = False) -> None:
    for name in names:
        value = positive_number(
            getattr(decay, name), name, f"seconds {'of at least' if zero else 'above'} 0", zero=zero
        )
        object.__setattr__(decay, name, value)


@dataclass(frozen=True)
class Binary(Decay):
    r"""Weight 1 up to a threshold, 0 beyond: 2SFCA, cumulative opportunities.

    Parameters
    ----------
    threshold_s : float
        Seconds; a place exactly at the threshold counts.

    Examples
    --------
    >>> Binary(1800)(np.array([1799.0, 1800.0, 1800.1, np.nan])).tolist()
    [1.0, 1.0, 0.0, 0.0]
    >>> Binary(-1)
    Traceback (most recent call last):
    kazgeo.errors.InputError: threshold_s must be seconds of at least 0; got -1
    """

    threshold_s: float
    _smallest = 1.0

    def __post_init__(self) -> None:
        _seconds(self, "threshold_s", zero=True)

    @property
    def reach_s(self) -> float:
        """The threshold."""
        return self.threshold_s

    def _weight(self, t: Floats) -> Floats:
        return (t <= upto(self.threshold_s)).astype(np.float64)


@dataclass(frozen=True)
class Stepped(Decay):
    r"""Weights that fall in steps: E2SFCA with travel zones.

    Parameters
    ----------
    limits_s : sequence of float
        Upper ends of the zones in seconds, rising.
    weights : sequence of float
        Weight of every zone, 0 to 1.
    beyond : float
        Weight beyond the last limit.
    closed : {"right", "left"}
        "right": a time exactly at a limit belongs to the zone it ends, as in E2SFCA and PySAL access. "left": to the
        zone it begins, as in R accessibility.

    Examples
    --------
    >>> zones = Stepped((600, 1200), (1.0, 0.5))
    >>> zones(np.array([600.0, 601.0, 1200.0, 1201.0, np.nan])).tolist()
    [1.0, 0.5, 0.5, 0.0, 0.0]
    >>> Stepped((600, 1200), (1.0, 0.5), closed="left")(np.array([600.0, 1200.0])).tolist()
    [0.5, 0.0]
    >>> Stepped((600, 300), (1.0, 0.5))
    Traceback (most recent call last):
    kazgeo.errors.InputError: limits_s must be seconds above 0 that rise; got (600.0, 300.0)
    """

    limits_s: Sequence[float]
    weights: Sequence[float]
    beyond: float = 0.0
    closed: str = "right"

    def __post_init__(self) -> None:
        try:
            limits, weights = tuple(map(float, self.limits_s)), tuple(map(float, self.weights))
        except (TypeError, ValueError):
            raise InputError(f"limits_s and weights must be numbers; got {self.limits_s!r}, {self.weights!r}") from None
        rises = all(a < b for a, b in itertools.pairwise((0.0, *limits)))
        if not limits or not rises or not np.isfinite(limits).all():
            raise InputError(f"limits_s must be seconds above 0 that rise; got {limits}")
        if len(weights) != len(limits):
            raise InputError(f"weights must be one for each of the {len(limits)} limits; got {len(weights)}")
        if not all(0 <= w <= 1 for w in (*weights, self.beyond)):
            raise InputError(f"weights and beyond must lie between 0 and 1; got {weights} and {self.beyond}")
        if self.closed not in ("right", "left"):
            raise InputError(f"closed must be 'right' or 'left'; got {self.closed!r}")
        object.__setattr__(self, "limits_s", limits)
        object.__setattr__(self, "weights", weights)

    @property
    def reach_s(self) -> float:
        """The end of the last zone with a weight."""
        used = [limit for limit, weight in zip(self.limits_s, self.weights, strict=True) if weight > 0]
        return math.inf if self.beyond > 0 else max(used, default=0.0)

    @property
    def _smallest(self) -> float:
        return min((w for w in (*self.weights, self.beyond) if w > 0), default=0.0)

    def _weight(self, t: Floats) -> Floats:
        late = t if self.closed == "right" else upto(t)
        zone = np.zeros(t.shape, dtype=np.int8 if len(self.limits_s) < 127 else np.int64)
        for limit in self.limits_s:
            zone += late > upto(limit) if late is t else late >= limit
        return np.asarray(np.array([*self.weights, self.beyond], dtype=np.float64)[zone])


@dataclass(frozen=True)
class Linear(Decay):
    r"""A weight that falls evenly to 0: :math:`f(t) = \max(0, 1 - t / T)`.

    Parameters
    ----------
    threshold_s : float
        T, seconds at which the weight is 0.

    Examples
    --------
    >>> Linear(1800)(np.array([0.0, 600.0, 1800.0, 3600.0, np.nan])).round(4).tolist()
    [1.0, 0.6667, 0.0, 0.0, 0.0]
    >>> Linear(0)
    Traceback (most recent call last):
    kazgeo.errors.InputError: threshold_s must be seconds above 0; got 0
    """

    threshold_s: float
    _smallest = 2.0**-53  # a difference of numbers below 1

    def __post_init__(self) -> None:
        _seconds(self, "threshold_s")

    @property
    def reach_s(self) -> float:
        """The threshold."""
        return self.threshold_s

    def _weight(self, t: Floats) -> Floats:
        return np.asarray(np.maximum(0.0, 1.0 - t / self.threshold_s))


@dataclass(frozen=True)
class Exponential(Decay):
    r"""A weight that falls by the same share every second: :math:`f(t) = e^{-\beta t}`.

    Parameters
    ----------
    rate_per_s : float
        :math:`\beta`, per second. A rate of 0.1 per minute is 0.1 / 60.

    References
    ----------
    Wilson, A. G. (1971), doi:10.1068/a030001.

    Examples
    --------
    >>> Exponential(0.1 / 60)(np.array([0.0, 600.0, np.nan])).round(4).tolist()
    [1.0, 0.3679, 0.0]
    >>> Exponential.half_life(600)(np.array([600.0])).round(6).tolist()
    [0.5]
    >>> Exponential(0)
    Traceback (most recent call last):
    kazgeo.errors.InputError: rate_per_s must be a rate per second above 0; got 0
    """

    rate_per_s: float
    _smallest = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "rate_per_s", positive_number(self.rate_per_s, "rate_per_s", "a rate per second above 0")
        )

    @classmethod
    def half_life(cls, time_s: float) -> Exponential:
        """Return the function whose weight is a half at ``time_s`` seconds."""
        return cls(math.log(2) / positive_number(time_s, "time_s", "seconds above 0"))

    def _weight(self, t: Floats) -> Floats:
        return np.asarray(np.exp(-self.rate_per_s * t))


@dataclass(frozen=True)
class Power(Decay):
    r"""Inverse power with a minimum: :math:`f(t) = (\max(t, t_0) / t_0)^{-b}`.

    Assumption: without a minimum the weight at no distance is infinite; every time up to :math:`t_0` counts as
    :math:`t_0` and has weight 1. The minimum is a choice that shows in the result: state it.

    Parameters
    ----------
    exponent : float
        b, above 0; without a unit.
    min_s : float
        :math:`t_0`, seconds.

    References
    ----------
    Hansen, W. G. (1959), doi:10.1080/01944365908978307.

    Examples
    --------
    >>> Power(2.0, min_s=60)(np.array([0.0, 60.0, 120.0, np.nan])).tolist()
    [1.0, 1.0, 0.25, 0.0]
    >>> Power(2.0, min_s=0)
    Traceback (most recent call last):
    kazgeo.errors.InputError: min_s must be seconds above 0; got 0
    """

    exponent: float
    min_s: float = 60.0
    _smallest = 0.0

    def __post_init__(self) -> None:
        _seconds(self, "min_s")
        object.__setattr__(self, "exponent", positive_number(self.exponent, "exponent"))

    def _weight(self, t: Floats) -> Floats:
        return np.asarray((np.maximum(t, self.min_s) / self.min_s) ** -self.exponent)


@dataclass(frozen=True)
class Gaussian(Decay):
    r"""A bell that never reaches 0: :math:`f(t) = e^{-t^2 / (2 \sigma^2)}`.

    Parameters
    ----------
    width_s : float
        :math:`\sigma`, seconds.

    Examples
    --------
    >>> Gaussian(600)(np.array([0.0, 600.0, np.nan])).round(4).tolist()
    [1.0, 0.6065, 0.0]
    >>> Gaussian(0)
    Traceback (most recent call last):
    kazgeo.errors.InputError: width_s must be seconds above 0; got 0
    """

    width_s: float
    _smallest = 0.0

    def __post_init__(self) -> None:
        _seconds(self, "width_s")

    def _weight(self, t: Floats) -> Floats:
        return np.asarray(np.exp(-0.5 * (t / self.width_s) ** 2))


@dataclass(frozen=True)
class TruncatedGaussian(Decay):
    r"""A bell from 1 to exactly 0 at a threshold, the usual one of E2SFCA.

    .. math:: f(t) = \frac{e^{-(t/T)^2/2} - e^{-1/2}}{1 - e^{-1/2}} \quad (t \le T), \qquad 0 \text{ beyond}

    Parameters
    ----------
    threshold_s : float
        T, seconds.

    References
    ----------
    Dai, D. (2010), doi:10.1016/j.healthplace.2010.06.012.

    Examples
    --------
    >>> TruncatedGaussian(1800)(np.array([0.0, 900.0, 1800.0, 3600.0, np.nan])).round(4).tolist()
    [1.0, 0.7014, 0.0, 0.0, 0.0]
    >>> TruncatedGaussian(0)
    Traceback (most recent call last):
    kazgeo.errors.InputError: threshold_s must be seconds above 0; got 0
    """

    threshold_s: float
    _smallest = 2.0**-53  # a difference of numbers below 1

    def __post_init__(self) -> None:
        _seconds(self, "threshold_s")

    @property
    def reach_s(self) -> float:
        """The threshold."""
        return self.threshold_s

    def _weight(self, t: Floats) -> Floats:
        end = math.exp(-0.5)
        return np.asarray(np.maximum(0.0, (np.exp(-0.5 * (t / self.threshold_s) ** 2) - end) / (1 - end)))


@dataclass(frozen=True)
class Logistic(Decay):
    r"""An S that starts at 1 and passes a half near the median, as R accessibility's ``decay_logistic``.

    .. math:: f(t) = \frac{g(0)}{g(t)}, \qquad g(t) = 1 + e^{\pi (t - m) / (s \sqrt 3)}

    Parameters
    ----------
    median_s : float
        m, seconds of the point of inflection.
    sd_s : float
        s, standard deviation in seconds; near 0 it is a threshold.

    Examples
    --------
    >>> Logistic(1200, sd_s=120)(np.array([0.0, 1200.0, 2400.0, np.nan])).round(4).tolist()
    [1.0, 0.5, 0.0, 0.0]
    >>> Logistic(1200, sd_s=0)
    Traceback (most recent call last):
    kazgeo.errors.InputError: sd_s must be seconds above 0; got 0
    """

    median_s: float
    sd_s: float
    _smallest = 0.0

    def __post_init__(self) -> None:
        _seconds(self, "median_s", "sd_s")

    def _weight(self, t: Floats) -> Floats:
        steep = math.pi / (self.sd_s * math.sqrt(3))
        start = np.logaddexp(0.0, -steep * self.median_s)
        return np.asarray(np.exp(start - np.logaddexp(0.0, steep * (t - self.median_s))))


@dataclass(frozen=True)
class Within(Decay):
    """Another function, and 0 beyond a threshold: PySAL access's ``max_cost`` together with a weight.

    Parameters
    ----------
    decay : callable
        Any function of seconds.
    threshold_s : float
        Seconds; a place exactly at the threshold counts.

    Examples
    --------
    >>> Within(Gaussian(600), 1200)(np.array([600.0, 1200.0, 1201.0])).round(4).tolist()
    [0.6065, 0.1353, 0.0]
    >>> Within(Gaussian(600), 1200).name
    'gaussian within 1200 s'
    """

    decay: DecayFunction
    threshold_s: float

    def __post_init__(self) -> None:
        _seconds(self, "threshold_s", zero=True)

    @property
    def name(self) -> str:
        """Name of the function inside, and the threshold."""
        return f"{name_of(self.decay)} within {self.threshold_s:g} s"

    @property
    def reach_s(self) -> float:
        """The threshold, or what the function inside has."""
        return min(self.threshold_s, getattr(self.decay, "reach_s", math.inf))

    def _weight(self, t: Floats) -> Floats:
        return np.asarray(np.where(t <= upto(self.threshold_s), self.decay(t), 0.0))


def name_of(decay: Any) -> str:
    """Return the name of any function of travel time."""
    return str(getattr(decay, "name", None) or getattr(decay, "__name__", type(decay).__name__))


def weigh(times: TravelTimes, decay: DecayFunction) -> Floats:
    """Return the weight of every reachable pair, shape (n_pairs,).

    Assumption: a weight below 1e-60 (``FLOOR``) is none. So a place all of whose weights vanish is told as one that
    reaches nothing.

    Parameters
    ----------
    times : TravelTimes
        The pairs.
    decay : callable
        A function of this module, or any that takes an array of seconds and returns weights of at least 0.

    Raises
    ------
    InputError
        Not a function, another shape, weights that are negative, not finite or above 1e60; a function that reaches
        beyond the seconds at which the search of the times was stopped.

    Examples
    --------
    >>> import pandas as pd
    >>> times = TravelTimes.from_dense(pd.DataFrame({"x": [0.0, 600.0, None]}))
    >>> weigh(times, lambda t: 1 / (1 + t / 600)).tolist()
    [1.0, 0.5]
    >>> float(Gaussian(30)(600.0)) > 0, weigh(times, Gaussian(30)).tolist()  # e^-200, about 1e-87
    (True, [1.0, 0.0])
    >>> weigh(times, lambda t: 1 / t)
    Traceback (most recent call last):
    kazgeo.errors.InputError: decay must give finite weights of at least 0; <lambda> gives inf at 0 s
    """
    if not callable(decay):
        raise InputError(f"decay must be a function of seconds, for instance decay.Binary(1800); got {decay!r}")
    reach = getattr(decay, "reach_s", math.inf)
    if times.limit_s is not None and upto(times.limit_s) < reach < math.inf:
        raise InputError(
            f"decay reaches to {reach:g} s, but times were searched to {times.limit_s:g} s only; search farther or "
            "lower the threshold"
        )
    smallest = decay._smallest if isinstance(decay, Decay) else None
    if isinstance(decay, Decay) and smallest is not None:
        weight = decay._weight(times.time_s)
        return weight if smallest >= FLOOR else np.multiply(weight, weight >= FLOOR, out=weight)
    weight = _checked(times, decay)
    return np.where(weight < FLOOR, 0.0, weight)


def _checked(times: TravelTimes, decay: DecayFunction) -> Floats:
    """Return what any function gives, if these are weights."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        weight = np.asarray(decay(times.time_s), dtype=np.float64)
    if weight.shape != times.time_s.shape:
        raise InputError(
            f"decay must return one weight per time; {name_of(decay)} returns shape {weight.shape} for "
            f"{times.time_s.shape}; write it for arrays (numpy.vectorize)"
        )
    bad = ~(np.isfinite(weight) & (weight >= 0))
    if bad.any():
        at = np.flatnonzero(bad)[0]
        raise InputError(
            f"decay must give finite weights of at least 0; {name_of(decay)} gives {weight[at]:g} at "
            f"{times.time_s[at]:g} s"
        )
    if weight.size and weight.max() > 1 / FLOOR:
        at = weight.argmax()
        raise InputError(
            f"decay must give weights of at most {1 / FLOOR:g}; {name_of(decay)} gives {weight[at]:g} at "
            f"{times.time_s[at]:g} s"
        )
    return weight
