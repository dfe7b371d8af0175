"""Numbers, years and names as statistical offices type them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kazgeo.errors import InputError, listing

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["clean_name", "fitting_numbers", "match_names", "no_figure", "parse_number", "parse_numbers", "parse_year"]

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
#: "no figure" with a footnote; "-1)" is left out because it may be a negative number mistyped.
_MISSING_NOTED = re.compile(
    r"^(?:-|–|—|…|\.{2,3}|x|х)\s*(?:\*+|[¹²³⁴⁵⁶⁷⁸⁹⁰]+\)?)$|^(?:…|\.{2,3}|x|х)\s*\d\)$", re.IGNORECASE
)
_NAME_NOTE = re.compile(r"\s*(?:\d\)|\*+\)?|[¹²³⁴⁵⁶⁷⁸⁹⁰]+\)?)$")
_YEAR = re.compile(
    r"^((?:19|20)\d\d)(?:\s*/\s*\d{2,4})?(?:\s*(?:(?:учебный\s)?год[а]?|г\.?|ж\.?|(?:оқу\s)?жыл(?:ы)?|(?:school\s)?year))?"
    r"\s*\**(?:\d?\)|[¹²³⁴⁵⁶⁷⁸⁹]+\)?)?$"
)
_CITY = r"(?:город|г|қаласы|қ|city)"
_OBLAST = r"(?:область|облысы|обл|oblast|region)"
#: Kazakh letters and the Russian ones that stand in for them (Жетісу: Жетису, Жетысу).
_FOLD = str.maketrans("әғқңөұүһіы", "агкноуухии")


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
    if original.casefold() in MISSING or _MISSING_NOTED.match(original):
        return math.nan
    text = _SPACES.sub(" ", _FOOTNOTE.sub("", original)).strip()
    negative = text.startswith(("-", "−", "–"))
    text = (text[1:] if negative or text.startswith("+") else text).replace(" ", "").removesuffix("%")
    if text.count(",") > 1 or (text.count(",") == 1 and text.rfind(",") < text.rfind(".")):
        text = text.replace(",", "")
    elif "," in text:
        text = text.replace(".", "").replace(",", ".")
    if not re.fullmatch(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", text):
        raise InputError(f"{original!r} is not a number")
    return -float(text) if negative else float(text)


def parse_numbers(values: pd.Series, *, row_named: Callable[[Any], str] | None = None) -> pd.Series:
    """Return a column as numbers, or one error that lists every cell that is none.

    Parameters
    ----------
    values : Series
        Cells.
    row_named : callable, optional
        How a row is called in the error, by its label; "row 7" by default.

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
    named = row_named or (lambda row: f"row {row}")
    out: list[float] = []
    bad = []
    for row, value in values.items():
        try:
            out.append(parse_number(value))
        except InputError:
            bad.append((row, str(value)))
            out.append(math.nan)
    if bad:
        shown = ", ".join(f"{value!r} ({named(row)})" for row, value in bad[:5])
        more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""
        raise InputError(f"column '{values.name}': {len(bad)} of {len(values)} cells are not numbers: {shown}{more}")
    return pd.Series(out, index=values.index, name=values.name, dtype=float)


def fitting_numbers(
    values: pd.Series,
    fits: Callable[[NDArray[np.float64]], NDArray[np.bool_]],
    *,
    what: str,
    wanted: str,
    fix: str = "fill in or correct these cells",
    row_named: Callable[[int], str] | None = None,
) -> NDArray[np.float64]:
    """Return a column as finite numbers that all fit, or one error that names the rows and shows their cells.

    Parameters
    ----------
    values : Series
        Cells.
    fits : callable
        Which numbers will do; missing ones never do.
    what, wanted, fix : str
        Words of the error: whose column it is, what it must hold, what to do.
    row_named : callable, optional
        How a row is called, by its position; by default its label, and its number where labels are only numbers.

    Raises
    ------
    InputError
        Naming the column, the rows and the cells.

    Examples
    --------
    >>> import pandas as pd
    >>> speeds = pd.Series(["60", "72,5", 90], index=["a", "b", "c"], name="speed")
    >>> fitting_numbers(speeds, lambda v: v > 0, what="roads", wanted="positive km/h").tolist()
    [60.0, 72.5, 90.0]
    >>> fitting_numbers(speeds.iloc[:0], lambda v: v > 0, what="roads", wanted="positive km/h").tolist()
    []
    >>> bad = pd.Series(["60 km/h", None, -5, 90], name="speed")
    >>> fitting_numbers(bad, lambda v: v > 0, what="roads", wanted="positive km/h")
    Traceback (most recent call last):
    kazgeo.errors.InputError: roads: column 'speed' must hold positive km/h; not so in 3 of 4 rows: row 1 (index 0):
    '60 km/h', row 2 (index 1): missing, row 3 (index 2): -5; fill in or correct these cells
    """
    numbers = _legible(values)
    bad = np.flatnonzero(~(np.isfinite(numbers) & fits(numbers)))
    if not len(bad):
        return numbers

    def by_label(k: int) -> str:
        label = values.index[k]
        return f"row {k + 1} (index {label})" if isinstance(values.index, pd.RangeIndex) else repr(label)

    named = row_named or by_label
    shown = ", ".join(f"{named(int(k))}: {_cell(values.iloc[int(k)])}" for k in bad[:5])
    more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""
    raise InputError(
        f"{what}: column '{values.name}' must hold {wanted}; not so in {len(bad)} of {len(values)} rows: {shown}{more};"
        f" {fix}"
    )


def no_figure(values: pd.Series) -> pd.Series:
    """Return which cells are missing or hold a mark of "no figure"; text that is no number is neither.

    Examples
    --------
    >>> no_figure(pd.Series([5, None, "-", "", "fast"])).tolist()
    [False, True, True, True, False]
    """

    def one(value: object) -> bool:
        try:
            return math.isnan(parse_number(value))
        except InputError:
            return False

    return values.isna() if values.dtype.kind in "iuf" else values.map(one).astype(bool)


def _legible(values: pd.Series) -> NDArray[np.float64]:
    """Return a column as numbers, NaN where a cell is none."""
    if values.dtype.kind in "iuf":
        return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))

    def one(value: object) -> float:
        try:
            return parse_number(value)
        except InputError:
            return math.nan

    return np.array([one(value) for value in values], dtype=np.float64)


def _cell(value: object) -> str:
    """Return how a cell is shown in an error.

    Examples
    --------
    >>> [_cell(v) for v in (5_000_000.0, -10, "x", " ", None, np.nan)]
    ['5000000', '-10', "'x'", 'missing', 'missing', 'missing']
    """
    if isinstance(value, str):
        return repr(value) if value.strip() else "missing"
    if value is None or value is pd.NA or value != value:
        return "missing"
    return f"{value:.10g}" if isinstance(value, int | float | np.integer | np.floating) else repr(value)


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
    text = _SPACES.sub(" ", str(name).replace("_", " ")).strip().casefold()
    text = _NAME_NOTE.sub("", text)
    text = re.sub(rf"\b(?:{_OBLAST}|{_CITY})\b\.?", " ", text)
    if re.search("[а-яёәғқңөұүһі]", text):
        text = text.translate(str.maketrans("aceopxyi", "асеорхуі"))
    return _SPACES.sub(" ", re.sub(r"[()]", " ", text)).strip(" .,")


def _kind(name: object) -> str:
    """Return "city" or "oblast" when the name says so, else an empty string."""
    text = str(name).replace("_", " ").casefold()
    for kind, words in (("oblast", _OBLAST), ("city", _CITY)):
        if re.search(rf"\b{words}\b", text):
            return kind
    return ""


def match_names(names: Iterable[object], table: pd.DataFrame, name_columns: list[str]) -> pd.Series:
    """Return the codes of regions named in any language.

    Assumption: a name fits a code when it equals one of its names without words of kind and footnotes; where an
    oblast and a city share the rest, the word of kind decides, and without one the name is refused. A name that
    fits none is tried once more with Kazakh letters written as Russian ones and without a digit at its end.

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
    >>> table = pd.DataFrame({"ru": ["г. Алматы", "область Жетісу", "Алматинская область"],
    ...     "kk": ["Алматы қ.", "Жетісу облысы", "Алматы облысы"]}, index=["75", "33", "19"])
    >>> match_names(["г.Алматы", "Жетысу 1)", "Алматинская", "Алматы облысы"], table, ["ru", "kk"]).tolist()
    ['75', '33', '19', '19']
    >>> match_names([], table, ["ru", "kk"]).tolist()
    []
    >>> match_names(["Нью-Йорк"], table, ["ru", "kk"])
    Traceback (most recent call last):
    kazgeo.errors.InputError: 1 region names fit no code: 'Нью-Йорк'
    >>> match_names(["Алматы"], table, ["ru", "kk"])
    Traceback (most recent call last):
    kazgeo.errors.InputError: region names fit several codes, use codes instead: 'Алматы' (19 or 75)
    """
    names = list(names)
    known = [(code, name) for column in name_columns for code, name in table[column].items() if clean_name(name)]
    exact: dict[str, dict[object, set[str]]] = {}
    folded: dict[str, dict[object, set[str]]] = {}
    for code, name in known:
        for found, key in ((exact, clean_name(name)), (folded, clean_name(name).translate(_FOLD))):
            found.setdefault(key, {}).setdefault(code, set()).add(_kind(name))
    fits = {}
    for name in dict.fromkeys(names):
        key = clean_name(name)
        bare = re.sub(r"(?<=\D)\s\d$", "", key)  # "Туркестанская 1": the footnote's bracket is gone
        fits[name] = _fitting(name, exact.get(key) or folded.get(bare.translate(_FOLD), {}))
    lost = [n for n, codes in fits.items() if not codes]
    double = [f"{n!r} ({' or '.join(sorted(map(str, codes)))})" for n, codes in fits.items() if len(codes) > 1]
    if lost:
        raise InputError(f"{len(lost)} region names fit no code: {listing(lost)}")
    if double:
        raise InputError(f"region names fit several codes, use codes instead: {', '.join(double[:5])}")
    return pd.Series([fits[n][0] for n in names], dtype=object)


def _fitting(name: object, codes: dict[object, set[str]]) -> list[object]:
    """Return the codes that a name may mean; its word of kind decides between several."""
    kind = _kind(name)
    if not kind or len(codes) < 2:
        return list(codes)
    same = [code for code, kinds in codes.items() if kind in kinds]
    return same or [code for code, kinds in codes.items() if "" in kinds]
