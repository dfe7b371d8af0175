"""Words and numbers of the reader: gettext catalogues for Kazakh and Russian, numbers by babel."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from kazgeo.errors import unknown
from kazgeo.messages import Message, Names, Num, Term

__all__ = ["LANGUAGES", "Speaker", "speaker"]

LANGUAGES = ("en", "kk", "ru")


@dataclass(frozen=True)
class Speaker:
    """Everything that depends on the language, in one value.

    Parameters
    ----------
    language : str
        "en", "kk" or "ru".
    translate : callable
        English msgid to text; an unknown msgid comes back unchanged.
    """

    language: str
    translate: Callable[[str], str]

    def number(self, value: float, decimals: int = 0) -> str:
        """Write a number with the language's separators (no-break spaces included)."""
        from babel.numbers import format_decimal

        if not math.isfinite(value):
            return self.translate("no data") if math.isnan(value) else ("∞" if value > 0 else "−∞")
        if abs(value) >= 1e15:
            return f"{value:.3g}"
        pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
        text: str = format_decimal(round(float(value), decimals) + 0.0, format=pattern, locale=self.language)
        return text.replace("-", "−")

    def say(self, message: Message | str) -> str:
        """Put a message into the language."""
        if isinstance(message, str):
            return self.translate(message)
        return self.translate(message.template).format(**{k: self.word(v) for k, v in message.values.items()})

    def word(self, value: object) -> str:
        """Put one value of a message into the language."""
        if isinstance(value, Num):
            unit = self.translate(value.unit) if value.unit else ""
            return f"{self.number(value.value, value.decimals)}\u00a0{unit}".rstrip("\u00a0")
        if isinstance(value, Names):
            return value.in_language(self.language)
        if isinstance(value, Term):
            return self.translate(value.text)
        if isinstance(value, Message):
            return self.say(value)
        if isinstance(value, tuple):
            return ", ".join(self.word(v) for v in value)
        if isinstance(value, int) and not isinstance(value, bool):
            return self.number(value)
        return str(value)


@lru_cache(maxsize=len(LANGUAGES))
def speaker(language: str) -> Speaker:
    r"""Return the speaker of a language.

    Parameters
    ----------
    language : str
        "en", "kk" or "ru".

    Raises
    ------
    InputError
        When there is no catalogue for the language.

    Examples
    --------
    >>> speaker("en").number(1234567.891, 1)
    '1,234,567.9'
    >>> speaker("ru").number(1234567.891, 1).replace("\xa0", "_")
    '1_234_567,9'
    >>> speaker("en").number(float("nan"))
    'no data'
    >>> speaker("ru").translate("hot spots"), speaker("kk").translate("hot spots"), speaker("en").translate("hot spots")
    ('горячие точки', 'ыстық нүктелер', 'hot spots')
    >>> speaker("kk").translate("a text that nobody has put into Kazakh")
    'a text that nobody has put into Kazakh'
    """
    if language not in LANGUAGES:
        raise unknown("language", language, LANGUAGES, "a language of KazGeo")
    from babel.messages.pofile import read_po

    path = Path(__file__).with_name(f"{language}.po")
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language)
    words = {str(m.id): str(m.string) for m in catalogue if m.id and m.string}
    return Speaker(language, lambda text: words.get(text, text))
