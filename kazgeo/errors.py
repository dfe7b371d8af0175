"""What a user did wrong, said so that it can be mended: parameter, wanted, got, fix."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TypeVar

__all__ = ["Cancelled", "InputError", "KazGeoError", "choice", "listing", "suggestion", "unknown"]

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
