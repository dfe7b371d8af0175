"""What a user did wrong, said so that it can be mended: parameter, wanted, got, fix."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Sequence
from enum import StrEnum
from numbers import Integral, Real
from typing import Any, TypeVar

__all__ = [
    "Cancelled",
    "InputError",
    "KazGeoError",
    "choice",
    "listing",
    "positive_integer",
    "positive_number",
    "probability",
    "suggestion",
    "unknown",
]

Choice = TypeVar("Choice", bound=StrEnum)


class KazGeoError(Exception):
    """Base of the errors that KazGeo raises on purpose."""


class InputError(KazGeoError, ValueError):
    """A fault in what was given: a file, a column, a value. The message says how to mend it."""


class Cancelled(KazGeoError):
    """The user cancelled; raised by a progress reporter, never caught by methods."""


def suggestion(name: str, choices: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the choice closest to ``name``, or an empty string.

    Examples
    --------
    >>> suggestion("povrty", ["poverty", "income"])
    "; did you mean 'poverty'?"
    >>> suggestion("zzz", ["poverty", "income"])
    ''
    >>> suggestion("x", [])
    ''
    """
    names = [str(c) for c in choices]
    folded = {c.casefold(): c for c in names}
    close = difflib.get_close_matches(str(name).casefold(), list(folded), n=1, cutoff=0.6)
    return f"; did you mean '{folded[close[0]]}'?" if close else ""


def listing(items: Iterable[object], limit: int = 5) -> str:
    """Join items for a message, saying how many were left out.

    Examples
    --------
    >>> listing(["a", "b"])
    "'a', 'b'"
    >>> listing(range(9), limit=3)
    '0, 1, 2 and 6 more'
    >>> listing([])
    ''
    """
    seen: Sequence[object] = list(items)
    shown = ", ".join(repr(i) for i in seen[:limit])
    return shown if len(seen) <= limit else f"{shown} and {len(seen) - limit} more"


def unknown(what: str, name: str, choices: Iterable[str], where: str) -> InputError:
    """Build the error for a name that is not among the choices.

    Examples
    --------
    >>> print(unknown("indicator", "povrty", ["poverty"], "a column of regions"))
    indicator 'povrty' is not a column of regions; did you mean 'poverty'?
    >>> print(unknown("indicator", "zz", ["poverty", "income"], "a column of regions"))
    indicator 'zz' is not a column of regions; there are: 'income', 'poverty'
    """
    names = sorted(str(c) for c in choices)
    hint = suggestion(name, names) or (f"; there are: {listing(names, 12)}" if names else "; there are none")
    return InputError(f"{what} '{name}' is not {where}{hint}")


def choice(kind: type[Choice], value: str, name: str) -> Choice:
    """Return the member of an enumeration, or say what may be chosen for the parameter ``name``.

    Examples
    --------
    >>> class Transform(StrEnum):
    ...     ROW = "row"
    >>> choice(Transform, "row", "transform") is Transform.ROW
    True
    >>> choice(Transform, "rwo", "transform")
    Traceback (most recent call last):
    kazgeo.errors.InputError: transform 'rwo' is not one of the choices; did you mean 'row'?
    """
    values = [member.value for member in kind]
    if value in values:
        return kind(value)
    raise unknown(name, str(value), values, "one of the choices")


def positive_integer(value: Any, name: str) -> int:
    """Return a whole number of at least 1, or say what was wanted.

    Examples
    --------
    >>> positive_integer(999, "permutations")
    999
    >>> positive_integer(0, "permutations")
    Traceback (most recent call last):
    kazgeo.errors.InputError: permutations must be a whole number of at least 1; got 0
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise InputError(f"{name} must be a whole number of at least 1; got {value!r}")
    return int(value)


def positive_number(value: Any, name: str, wanted: str = "a positive number", *, zero: bool = False) -> float:
    """Return a finite number above 0, or say what was wanted; ``zero`` lets 0 pass too.

    Examples
    --------
    >>> positive_number(5000, "eps_m", "positive metres")
    5000.0
    >>> positive_number("5 km", "eps_m", "positive metres")
    Traceback (most recent call last):
    kazgeo.errors.InputError: eps_m must be positive metres; got '5 km'
    """
    usable = not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(value)
    if not usable or value < 0 or (value == 0 and not zero):
        raise InputError(f"{name} must be {wanted}; got {value!r}")
    return float(value)


def probability(value: Any, name: str) -> float:
    """Return a number strictly between 0 and 1, or say what was wanted.

    Examples
    --------
    >>> probability(0.05, "alpha")
    0.05
    >>> probability(5, "alpha")
    Traceback (most recent call last):
    kazgeo.errors.InputError: alpha must lie between 0 and 1; got 5 (5 % is 0.05)
    """
    usable = not isinstance(value, bool) and isinstance(value, Real)
    if not usable or not 0 < value < 1:
        hint = f" ({value:g} % is {value / 100:g})" if usable and 1 <= value < 100 else ""
        raise InputError(f"{name} must lie between 0 and 1; got {value!r}{hint}")
    return float(value)
