"""Numbers, years and names as statistical offices type them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

from kazgeo.errors import InputError, listing

__all__ = ["clean_name", "match_names", "parse_number", "parse_numbers", "parse_year"]

#: What the bureau prints where there is no figure: no event, not available, confidential.
MISSING = {
    "",
    "-",
    "–",
    "—",
    "…",
    "...",
    "..",
    ".",
    "x",
    "х",
    "X",
    "Х",
    "n/a",
    "na",
    "nan",
    "none",
    "null",
    "н/д",
    "м.ж.",
}

_SPACES = re.compile(r"[\s\u00a0\u2007\u2009\u202f]+")
_FOOTNOTE = re.compile(r"(?<=\d)(?:\s*\*+|\s*[¹²³⁴⁵⁶⁷⁸⁹⁰]+\)?|\s+\d\))$")
_YEAR = re.compile(
    r"^((?:19|20)\d\d)(?:\s*/\s*\d{2,4})?(?:\s*(?:год[а]?|г\.?|ж\.?|жыл(?:ы)?|year))?"
    r"\s*\*?(?:\d?\)|[¹²³⁴⁵⁶⁷⁸⁹]+\)?)?$"
)


def parse_number(value: object) -> float:
    r"""Return the number in a cell; NaN for the bureau's marks of "no figure".

    Assumption: a lone comma is the decimal sign (the bureau's way) unless the cell shows several commas; when comma
    and full stop both occur the last one is the decimal sign; any kind of space parts thousands; a trailing
    ``*``, superscript or ``1)`` is a footnote mark.

    Parameters
    ----------
    value : object
        A cell: text or number.

    Returns
    -------
    float

    Raises
    ------
    InputError
        When the text is no number.

    Examples
    --------
    >>> parse_number("1\u00a0024,2"), parse_number("12.5*"), parse_number("1,234,567.8")
    (1024.2, 12.5, 1234567.8)
    >>> parse_number("…"), parse_number("-"), parse_number("x")
    (nan, nan, nan)
    >>> parse_number(float("nan"))
    nan
    >>> parse_number("about 5")
    Traceback (most recent call last):
    kazgeo.errors.InputError: 'about 5' is not a number
    """
    if value is None or value is pd.NA:
        return math.nan
    if isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool):
        return float(value)
    original = str(value).strip()
    if original.casefold() in MISSING:
        return math.nan
    text = _SPACES.sub(" ", _FOOTNOTE.sub("", original)).strip()
    negative = text.startswith(("-", "−", "–")) and len(text) > 1
    text = text.lstrip("-−–+").replace(" ", "").rstrip("%")
    if text.count(",") > 1 or (text.count(",") == 1 and text.rfind(",") < text.rfind(".")):
        text = text.replace(",", "")
    elif "," in text:
        text = text.replace(".", "").replace(",", ".")
    if not re.fullmatch(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", text):
        raise InputError(f"{original!r} is not a number")
    return -float(text) if negative else float(text)


def parse_numbers(values: pd.Series) -> pd.Series:
    """Return a column as numbers, or one error that lists every cell that is none.

    Raises
    ------
    InputError
        Naming the column, the cells and their rows.

    Examples
    --------
    >>> import pandas as pd
    >>> parse_numbers(pd.Series(["1,5", "-", None], name="income")).tolist()
    [1.5, nan, nan]
    >>> parse_numbers(pd.Series([], dtype=object)).tolist()
    []
    >>> parse_numbers(pd.Series(["1", "two"], name="income"))
    Traceback (most recent call last):
    kazgeo.errors.InputError: column 'income': 1 of 2 cells are not numbers: 'two' (row 1)
    """
    if values.dtype.kind in "iuf":
        return values.astype(float)
    out, bad = [], []
    for row, value in values.items():
        try:
            out.append(parse_number(value))
        except InputError:
            bad.append(f"{str(value)!r} (row {row})")
            out.append(math.nan)
    if bad:
        more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""
        raise InputError(
            f"column '{values.name}': {len(bad)} of {len(values)} cells are not numbers: {', '.join(bad[:5])}{more}"
        )
    return pd.Series(out, index=values.index, name=values.name, dtype=float)


def parse_year(value: object) -> int | None:
    """Return the year of a heading, or None when the heading isn't one whole year.

    Assumption: a school year (2008/09) is named by its first year; quarters and "9 months" are not years.

    Examples
    --------
    >>> parse_year("2019"), parse_year("2019 год3)"), parse_year("2008/09"), parse_year(2020.0)
    (2019, 2019, 2008, 2020)
    >>> parse_year("9 месяцев 2019 года3)") is None, parse_year("") is None, parse_year(None) is None
    (True, True, True)
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = _SPACES.sub(" ", str(value)).strip().removesuffix(".0")
    found = _YEAR.match(text)
    return int(found.group(1)) if found else None


def clean_name(name: object) -> str:
    """Return a region's name without footnote marks and doubled spaces, for matching.

    Assumption: "область", "облысы", "г." and similar words of kind don't tell regions apart; Latin look-alikes
    inside Cyrillic words (i in Солтүстiк) are Cyrillic.

    Examples
    --------
    >>> clean_name("Туркестанская2)"), clean_name("  г.Астана "), clean_name("Солтүстiк Қазақстан облысы")
    ('туркестанская', 'астана', 'солтүстік қазақстан')
    >>> clean_name(None)
    ''
    """
    if name is None or name != name:
        return ""
    text = _SPACES.sub(" ", str(name)).strip().casefold()
    text = re.sub(r"\s*(\d\)|\*+|[¹²³⁴⁵⁶⁷⁸⁹]+\)?)$", "", text)
    text = re.sub(r"\b(область|облысы|обл|oblast|region|город|қаласы|city|г|қ)\b\.?", " ", text)
    if re.search("[а-яёәғқңөұүһі]", text):
        text = text.translate(str.maketrans("aceopxyi", "асеорхуі"))
    return _SPACES.sub(" ", text).strip(" .,")


def match_names(names: Iterable[object], table: pd.DataFrame, name_columns: list[str]) -> pd.Series:
    """Return the codes of regions named in any language.

    Parameters
    ----------
    names : iterable
        Names as a table gives them.
    table : DataFrame
        Indexed by code, with columns of names.
    name_columns : list of str
        Columns of names.

    Raises
    ------
    InputError
        When a name fits no region or several.

    Examples
    --------
    >>> table = pd.DataFrame({"ru": ["Астана", "Абай"], "kk": ["Астана", "Абай облысы"]}, index=["71", "10"])
    >>> match_names(["г. Астана", "Абай1)"], table, ["ru", "kk"]).tolist()
    ['71', '10']
    >>> match_names(["Нью-Йорк"], table, ["ru", "kk"])
    Traceback (most recent call last):
    kazgeo.errors.InputError: 1 region names fit no code: 'Нью-Йорк'
    """
    codes: dict[str, set[object]] = {}
    for column in name_columns:
        for code, name in table[column].items():
            if clean_name(name):
                codes.setdefault(clean_name(name), set()).add(code)
    names = list(names)
    found = [codes.get(clean_name(n), set()) for n in names]
    lost = [n for n, f in zip(names, found, strict=True) if not f]
    double = [n for n, f in zip(names, found, strict=True) if len(f) > 1]
    if lost:
        raise InputError(f"{len(lost)} region names fit no code: {listing(dict.fromkeys(lost))}")
    if double:
        raise InputError(f"region names fit several codes, use codes instead: {listing(dict.fromkeys(double))}")
    return pd.Series([next(iter(f)) for f in found], dtype=object)
