"""KATO, the nine-digit classifier of Kazakhstan's administrative and territorial units.

The code reads from left to right: 2 digits oblast (or city of republican significance), 2 digits district
(or town of the oblast), 2 digits rural district (or town of the district), 3 digits settlement. Codes are
strings for ever: as a number they would lose nothing today and everything with the first leading zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from kazgeo.errors import InputError

__all__ = ["COUNTRY_CODE", "Level", "check", "children", "format_code", "level", "parent", "parse"]

#: Code of the country as a whole in the bureau's tables.
COUNTRY_CODE = "000000000"

_WIDTHS = (2, 4, 6, 9)


class Level(StrEnum):
    """Administrative level of a code, told by its trailing zeros."""

    COUNTRY = "country"
    OBLAST = "oblast"
    DISTRICT = "district"
    SUB_DISTRICT = "sub-district"
    SETTLEMENT = "settlement"


_LEVELS = (Level.OBLAST, Level.DISTRICT, Level.SUB_DISTRICT, Level.SETTLEMENT)


def parse(value: object) -> str:
    """Return the canonical nine-character code, or say what is wrong with it.

    Assumption: spaces around and inside the code are a matter of typing; everything else is an error.

    Parameters
    ----------
    value : str or int
        A code as found in a table. A whole number is accepted when it has nine digits.

    Returns
    -------
    str
        Nine digits.

    Raises
    ------
    InputError
        When the value isn't nine digits.

    Examples
    --------
    >>> parse(" 19 10 10 000 ")
    '191010000'
    >>> parse(630000000)
    '630000000'
    >>> parse("19000000")
    Traceback (most recent call last):
    kazgeo.errors.InputError: '19000000' has 8 digits, KATO has 9
    >>> parse("")
    Traceback (most recent call last):
    kazgeo.errors.InputError: an empty value is not a KATO code; KATO has 9 digits
    >>> parse(float("nan"))
    Traceback (most recent call last):
    kazgeo.errors.InputError: a missing value is not a KATO code; KATO has 9 digits
    """
    if value is None or value != value:
        raise InputError("a missing value is not a KATO code; KATO has 9 digits")
    if isinstance(value, bool) or (not isinstance(value, str | int) and not hasattr(value, "__index__")):
        raise InputError(f"{value!r} is not a KATO code: wanted text of 9 digits, got {type(value).__name__}")
    text = "".join(str(value if isinstance(value, str) else int(value)).split())
    if not text:
        raise InputError("an empty value is not a KATO code; KATO has 9 digits")
    if not (text.isascii() and text.isdigit()):
        raise InputError(f"{str(value)!r} is not a KATO code: it has characters that are not digits")
    if len(text) != 9:
        raise InputError(f"'{text}' has {len(text)} digits, KATO has 9")
    return text


def check(codes: Iterable[object], where: str = "codes") -> list[str]:
    """Return all codes parsed, or one error that lists every bad one.

    Raises
    ------
    InputError
        Naming each bad code and its fault (the first ten).

    Examples
    --------
    >>> check(["190000000", "630000000"])
    ['190000000', '630000000']
    >>> check([])
    []
    >>> check(["190000000", "19", "x"], "column kato")
    Traceback (most recent call last):
    kazgeo.errors.InputError: column kato: 2 of 3 codes are wrong: '19' has 2 digits, KATO has 9; 'x' is not a KATO
    code: it has characters that are not digits
    """
    good: list[str] = []
    faults: list[str] = []
    for code in codes:
        try:
            good.append(parse(code))
        except InputError as error:
            faults.append(str(error))
    if faults:
        total = len(good) + len(faults)
        more = f"; and {len(faults) - 10} more" if len(faults) > 10 else ""
        raise InputError(f"{where}: {len(faults)} of {total} codes are wrong: {'; '.join(faults[:10])}{more}")
    return good


def level(code: object) -> Level:
    """Return the administrative level of a code.

    Examples
    --------
    >>> [str(level(c)) for c in ("000000000", "190000000", "191000000", "191010000", "191010100")]
    ['country', 'oblast', 'district', 'sub-district', 'settlement']
    """
    text = parse(code)
    if text == COUNTRY_CODE:
        return Level.COUNTRY
    for width, found in zip(_WIDTHS, _LEVELS, strict=True):
        if set(text[width:]) <= {"0"}:
            return found
    raise AssertionError("nine digits always match the last width")


def parent(code: object, *, at: Level | None = None) -> str | None:
    """Return the code one level up, or at a stated level; None above the country.

    Parameters
    ----------
    code : str
        A KATO code.
    at : Level, optional
        The level wanted, for instance ``Level.OBLAST``.

    Raises
    ------
    InputError
        When ``at`` lies below the code's own level.

    Examples
    --------
    >>> parent("191010100")
    '191010000'
    >>> parent("191010100", at=Level.OBLAST)
    '190000000'
    >>> parent("190000000")
    '000000000'
    >>> parent("000000000") is None
    True
    """
    text = parse(code)
    own = level(text)
    order = (Level.COUNTRY, *_LEVELS)
    if at is None:
        if own is Level.COUNTRY:
            return None
        at = order[order.index(own) - 1]
        if at is not Level.COUNTRY:
            up = text[: _WIDTHS[_LEVELS.index(at)]].ljust(9, "0")
            return up if up != text else parent(up)
    if order.index(at) > order.index(own):
        raise InputError(f"'{text}' is of level {own}; it has no parent at the lower level {at}")
    if at is Level.COUNTRY:
        return COUNTRY_CODE
    return text[: _WIDTHS[_LEVELS.index(at)]].ljust(9, "0")


def children(code: object, codes: Iterable[object]) -> list[str]:
    """Return those of ``codes`` that lie exactly one level below ``code``, sorted.

    A settlement directly under a district (its rural-district digits are zero) counts as the district's child.

    Examples
    --------
    >>> children("190000000", ["190000000", "191000000", "191010000", "630000000"])
    ['191000000']
    >>> children("000000000", ["190000000", "630000000", "631000000"])
    ['190000000', '630000000']
    >>> children("750000000", [])
    []
    """
    own = parse(code)
    return sorted({c for c in (parse(x) for x in codes) if c != own and parent(c) == own})


def format_code(code: object) -> str:
    """Return the code with its four parts apart, as the classifier prints it.

    Examples
    --------
    >>> format_code("191010100")
    '19 10 10 100'
    """
    text = parse(code)
    return f"{text[:2]} {text[2:4]} {text[4:6]} {text[6:]}"
