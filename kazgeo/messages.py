"""Sentences a result carries: an English template and its values, put into a language by presentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Message", "Names", "Num", "Term", "mark"]


def mark(text: str) -> str:
    """Mark an English text for the translators and return it unchanged."""
    return text


@dataclass(frozen=True)
class Num:
    """A number to be written with the language's own separators.

    Parameters
    ----------
    value : float
        The number; NaN is written as "no data".
    decimals : int
        Digits after the decimal sign.
    unit : str
        English name of the unit (translated when shown), or an empty string.
    """

    value: float
    decimals: int = 0
    unit: str = ""


@dataclass(frozen=True)
class Term:
    """A word of the field to be translated when shown, for instance an indicator's label."""

    text: str


@dataclass(frozen=True)
class Names:
    """A proper name in several languages; English stands in for a missing one."""

    en: str
    ru: str = ""
    kk: str = ""

    def in_language(self, language: str) -> str:
        """Return the name in ``language`` ("en", "ru", "kk")."""
        return {"ru": self.ru, "kk": self.kk}.get(language) or self.en


@dataclass(frozen=True)
class Message:
    """A sentence with named holes.

    Parameters
    ----------
    template : str
        English text (the gettext msgid) with ``{name}`` holes.
    values : mapping
        What goes into the holes: ``str``, ``int``, ``Num``, ``Term``, ``Names`` or a tuple of these.

    Examples
    --------
    >>> str(Message("{n} of {total} places", {"n": 3, "total": 16}))
    '3 of 16 places'
    >>> str(Message("{share} of the people", {"share": Num(12.345, 1, "%")}))
    '12.3 % of the people'
    >>> str(Message("Nothing was dropped"))
    'Nothing was dropped'
    """

    template: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.template.format(**{k: _plain(v) for k, v in self.values.items()})


def _plain(value: object) -> str:
    if isinstance(value, Num):
        text = "no data" if value.value != value.value else f"{value.value:.{value.decimals}f}"
        return f"{text} {value.unit}".rstrip()
    if isinstance(value, Names):
        return value.en
    if isinstance(value, Term):
        return value.text
    if isinstance(value, tuple):
        return ", ".join(_plain(v) for v in value)
    return str(value)
