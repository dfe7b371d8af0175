"""Parameters that people type as text, read as numbers or words by name."""

from __future__ import annotations

from kazgeo.errors import InputError

__all__ = ["named_numbers", "named_words", "numbers"]


def numbers(text: str, what: str) -> list[float] | None:
    """Return numbers from "250000, 48 000", None when nothing was typed.

    Raises
    ------
    InputError
        A piece that is no number.

    Examples
    --------
    >>> numbers("250000, 48 000, 0.5", "remoteness: thresholds"), numbers(" ", "remoteness: means")
    ([250000.0, 48000.0, 0.5], None)
    >>> numbers("250000; 48000", "remoteness: thresholds")
    Traceback (most recent call last):
    kazgeo.errors.InputError: remoteness: thresholds must be numbers parted by commas; got '250000; 48000'
    """
    if not text.strip():
        return None
    try:
        return [float("".join(piece.split())) for piece in text.split(",")]
    except ValueError as error:
        raise InputError(f"{what} must be numbers parted by commas; got {text!r}") from error


def named_numbers(text: str, what: str, wanted: str, *, most: float, zero: bool = False) -> dict[str, float]:
    """Return numbers by name from "local=0.5, republican=0.8".

    Parameters
    ----------
    text : str
        What was typed.
    what, wanted : str
        The parameter, and what it wants, for messages.
    most : float
        Greatest number.
    zero : bool
        Whether 0 is a number like others; else numbers are above it.

    Raises
    ------
    InputError
        A piece that is no such pair.

    Examples
    --------
    >>> named_numbers("local=0.5, republican = 0.8", "factors", "class=factor", most=10)
    {'local': 0.5, 'republican': 0.8}
    >>> named_numbers("80=0", "cover_speeds", "class=km/h", most=300, zero=True)
    {'80': 0.0}
    >>> named_numbers("", "factors", "class=factor", most=10)
    Traceback (most recent call last):
    kazgeo.errors.InputError: factors: wanted class=factor; got ''
    """
    out: dict[str, float] = {}
    for piece in text.split(","):
        name, sign, value = (part.strip() for part in piece.partition("="))
        try:
            number = float(value)
        except ValueError:
            number = -1.0
        if not sign or not name or not 0 <= number <= most or (number == 0 and not zero):
            raise InputError(f"{what}: wanted {wanted}; got {piece.strip()!r}")
        out[name] = number
    return out


def named_words(text: str, what: str, allowed: list[str]) -> dict[str, str]:
    """Return one of the allowed words by name from "10=walking, 30=motorised".

    Raises
    ------
    InputError
        A piece that is no such pair.

    Examples
    --------
    >>> named_words("10=walking, 30=motorised", "cover_modes", ["walking", "motorised"])
    {'10': 'walking', '30': 'motorised'}
    >>> named_words("10=flying", "cover_modes", ["walking", "motorised"])
    Traceback (most recent call last):
    kazgeo.errors.InputError: cover_modes: wanted name=word, name=word, each word one of walking, motorised; got
    '10=flying'
    """
    out: dict[str, str] = {}
    for piece in text.split(","):
        name, sign, word = (part.strip() for part in piece.partition("="))
        if not sign or not name or word not in allowed:
            wanted = f"name=word, name=word, each word one of {', '.join(allowed)}"
            raise InputError(f"{what}: wanted {wanted}; got {piece.strip()!r}")
        out[name] = word
    return out
