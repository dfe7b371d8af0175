"""Charts of a report: lines named at their ends, signed bars; no statistic is computed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kazgeo.errors import InputError, listing, unknown
from kazgeo.locale import Speaker, speaker
from kazgeo.messages import Message
from kazgeo.plots._page import GREY, INK, MARGIN, Page, clean, settings

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["bar_chart", "digits_of", "line_chart", "spread"]

#: Lines that stay apart for the colour-blind (after Okabe and Ito), repeated with other dashes.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#2f96d0", "#1a1a1a")
DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 2, 1, 2)))
RISE, FALL = "#b2182b", "#2166ac"
_MOST_BARS = 300


def line_chart(
    series: pd.DataFrame, *, title: str, unit: str, language: str = "en", highlight: Sequence[str] = (), note: str = "",
    sources: Sequence[str] = (), labels: Mapping[str, str] | None = None, across: str = "",
) -> Figure:  # fmt: skip
    """Draw one line per column, each named at its right end.

    Assumes an index of years (or other numbers). A gap in the data is a gap in the line; a column without
    any value is named at the foot.

    Parameters
    ----------
    series : DataFrame
        Index = year, one numeric column per line.
    title, note : str
        In the reader's language.
    unit : str
        English msgid of the values' unit, written above the axis; empty for none.
    language : str
        "en", "ru" or "kk".
    highlight : sequence of str
        Columns drawn in colour over grey others; all are coloured when empty.
    sources : sequence of str
        In the reader's language.
    labels : mapping or None
        Column to name in the reader's language.
    across : str
        English msgid of what the horizontal axis shows; empty for years.

    Returns
    -------
    matplotlib.figure.Figure
        With axes labelled "chart".

    Raises
    ------
    InputError
        When there is no value to draw, an index or column is no number, a year comes twice, or a highlighted
        column does not exist.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"gini": [0.31, 0.30, float("nan")], "theil": [0.2, 0.19, 0.18]}, index=[2009, 2010, 2011])
    >>> fig = line_chart(table, title="Inequality between regions", unit="index")
    >>> sorted(t.get_text() for t in fig.axes[0].texts if t.get_gid() == "label")
    ['gini', 'theil']
    >>> line_chart(table.iloc[:0], title="Nothing", unit="")
    Traceback (most recent call last):
        ...
    kazgeo.errors.InputError: series has no value to draw: 0 rows, 2 columns; check the step before it
    """
    speech = speaker(language)
    table, empty = _lines(series, highlight)
    names = {c: clean((labels or {}).get(c, c)) or str(c) for c in series.columns}
    with settings():
        page = Page(9.6, 5.6)
        page.header(title, note)
        bare = Message("No data: {names}", {"names": ", ".join(names[c] for c in empty)}) if empty else ""
        page.footer(speech.say(bare), _sources(sources, speech))
        widest = max(min(page.measure(names[c], 8), 2.6) for c in table.columns)
        left, bottom = MARGIN + 0.45, page.bottom + (0.55 if across else 0.32)
        top = page.top - (0.2 if unit else 0.05)
        height = max(top - bottom, 1.0)
        ax = page.axes("chart", left, bottom, page.width - left - MARGIN - widest - 0.2, height)
        if unit:
            page.line(MARGIN, page.top + 0.02, clean(speech.translate(unit)), 8, color=GREY)
        looks = _line_looks(table, highlight)
        for column in table.columns:
            values = table[column]
            alone = _isolated(values.to_numpy())
            ax.plot(values.index, values, **looks[column], solid_capstyle="round", gid=f"line-{column}")
            marks = {"color": looks[column]["color"], "zorder": looks[column]["zorder"]}
            ax.plot(values.index[alone], values[alone], "o", markersize=3, **marks)
        whole = not across or series.index.inferred_type == "integer"
        _axis_of_numbers(ax, speech, bool(across), whole)
        if across:
            ax.set_xlabel(clean(speech.translate(across)), fontsize=8, color=GREY)
        hidden = _end_labels(page, ax, table, names, looks, height)
        if hidden:
            words = speech.say(Message("{n} lines have no name for want of room.", {"n": hidden}))
            page.line(MARGIN, bottom - 0.24, words, 7, color=GREY)
    return page.figure


def _lines(series: pd.DataFrame, highlight: Sequence[str]) -> tuple[pd.DataFrame, list[Any]]:
    import pandas as pd

    for name in highlight:
        if name not in series.columns:
            raise unknown("highlight", str(name), map(str, series.columns), "a column of series")
    if not series.columns.is_unique:
        raise InputError(
            f"series must have distinct columns; got {listing(series.columns[series.columns.duplicated()])} twice"
        )
    try:
        table = series.astype(float)
        table.index = pd.Index(series.index.to_numpy(dtype=float))
    except (TypeError, ValueError) as error:
        raise InputError(f"series must hold numbers in its columns and in its index of years; got {error}") from error
    if not table.index.is_unique or table.index.isna().any():
        doubled = series.index[table.index.duplicated() | table.index.isna()]
        raise InputError(f"index of series must hold every year once; got {listing(doubled)} again; aggregate first")
    table = table.sort_index().replace([np.inf, -np.inf], np.nan)
    empty = [c for c in table.columns if table[c].isna().all()]
    if table.empty or len(empty) == table.shape[1]:
        raise InputError(
            f"series has no value to draw: {len(table)} rows, {table.shape[1]} columns; check the step before it"
        )
    return table.drop(columns=empty), empty


def _line_looks(table: pd.DataFrame, highlight: Sequence[str]) -> dict[Any, dict[str, Any]]:
    coloured = [c for c in table.columns if not highlight or c in set(highlight)]
    looks: dict[Any, dict[str, Any]] = {}
    for column in table.columns:
        if column not in coloured:
            looks[column] = {"color": "#a6a6a6", "linewidth": 0.9, "linestyle": "-", "zorder": 2}
            continue
        turn, place = divmod(coloured.index(column), len(COLORS))
        style = {"color": COLORS[place], "linestyle": DASHES[turn % len(DASHES)]}
        looks[column] = {**style, "linewidth": 2.0 if highlight else 1.7, "zorder": 3}
    return looks


def _isolated(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mark values with no neighbour, which a line alone would not show."""
    known = np.isfinite(values)
    before, after = np.r_[False, known[:-1]], np.r_[known[1:], False]
    return np.asarray(known & ~before & ~after)


def _axis_of_numbers(ax: Axes, speech: Speaker, measured: bool, whole: bool) -> None:
    """Write the ticks; years are whole and have no separator, measures are numbers like any other."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    ax.yaxis.set_major_locator(MaxNLocator(6))
    ax.xaxis.set_major_locator(MaxNLocator(12, integer=whole))
    places = digits_of(ax.get_xticks())
    ax.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: speech.number(value, places) if measured else f"{value:.0f}")
    )
    digits = digits_of(ax.get_yticks())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: speech.number(value, digits)))
    ax.margins(x=0.02)
    ax.grid(axis="y", color="#dddddd", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.tick_params(labelsize=8, length=0, labelcolor=GREY)
    for side, spine in ax.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color("#8c8c8c")


def digits_of(ticks: NDArray[np.float64]) -> int:
    """Return the decimals that tell neighbouring ticks apart.

    Examples
    --------
    >>> digits_of(np.array([0.0, 0.05, 0.1])), digits_of(np.array([0.0, 20.0])), digits_of(np.array([1.0]))
    (2, 0, 0)
    """
    step = float(np.diff(ticks).min()) if len(ticks) > 1 else 1.0
    for digits in range(10):
        if abs(step - round(step, digits)) < 1e-6 * step:
            return digits
    return 10


def spread(wanted: NDArray[np.float64], gap: float, low: float, high: float) -> NDArray[np.float64]:
    """Move places apart until neighbours are ``gap`` away, each as near its wanted place as can be.

    Assumes that ``high - low`` holds them all. The order stays; the sum of squared moves is least
    (isotonic regression of the places less their ranks times the gap).

    Parameters
    ----------
    wanted : array, shape (n,)
        Places, in any order.
    gap : float
        Least distance, in the unit of the places.
    low, high : float
        Limits.

    Returns
    -------
    array, shape (n,)
        New places, in the order of ``wanted``.

    Examples
    --------
    >>> spread(np.array([1.0, 1.0, 5.0]), 1.0, 0.0, 9.0).tolist()
    [0.5, 1.5, 5.0]
    >>> spread(np.array([]), 1.0, 0.0, 9.0).tolist()
    []
    """
    order = np.argsort(wanted, kind="stable")
    ranks = np.arange(len(wanted)) * gap
    blocks: list[tuple[float, int]] = []  # mean and number of the pooled
    for value in wanted[order] - ranks:
        mean, count = float(value), 1
        while blocks and blocks[-1][0] > mean:
            other, others = blocks.pop()
            mean, count = (mean * count + other * others) / (count + others), count + others
        blocks.append((mean, count))
    flat = np.array([mean for mean, count in blocks for _ in range(count)])
    out = np.empty(len(wanted))
    out[order] = np.clip(flat, low, max(low, high - (len(wanted) - 1) * gap)) + ranks
    return out


def _end_labels(
    page: Page,
    ax: Axes,
    table: pd.DataFrame,
    names: Mapping[Any, str],
    looks: Mapping[Any, dict[str, Any]],
    height: float,
) -> int:
    """Name each line at its end without overlap; return how many found no room."""
    low, high = ax.get_ylim()
    ax.set_ylim(low, high)
    last = {c: float(table[c].dropna().iloc[-1]) for c in table.columns}
    years = {c: float(table[c].dropna().index[-1]) for c in table.columns}
    gap_in = 0.155
    shown = sorted(table.columns, key=lambda c: (-looks[c]["zorder"], -abs(last[c] - (low + high) / 2)))
    shown = shown[: max(1, int(height / gap_in))]
    wanted = np.array([(last[c] - low) / (high - low) * height for c in shown])
    places = spread(wanted, gap_in, 0.05, height - 0.05)
    right, (start, edge) = float(table.index.max()), ax.get_xlim()
    elbow = edge + 9 / 72 * (edge - start) / (ax.get_position().width * page.width)
    for column, place in zip(shown, places, strict=True):
        color = looks[column]["color"] if looks[column]["zorder"] > 2 else GREY
        y = low + place / height * (high - low)
        label = page.wrap(names[column], 2.6, 8, lines=1)[0]
        ax.annotate(
            label, (edge, y), xytext=(10, 0), textcoords="offset points", fontsize=8, color=color, va="center",
            annotation_clip=False, gid="label", fontweight="normal",
        )  # fmt: skip
        ax.plot(
            [years[column], right, edge, elbow], [last[column], last[column], last[column], y], color=color,
            linewidth=0.5, linestyle=(0, (1, 2)) if years[column] < right else "-", clip_on=False, zorder=1.5,
            scalex=False, scaley=False,
        )  # fmt: skip
    return len(table.columns) - len(shown)


def bar_chart(
    values: pd.Series, *, title: str, unit: str, language: str = "en", note: str = "", sources: Sequence[str] = ()
) -> Figure:
    """Draw signed horizontal bars, the largest on top, each with its value.

    A missing value is named at the foot.

    Parameters
    ----------
    values : Series
        Index = names in the reader's language.
    title, note : str
        In the reader's language.
    unit : str
        English msgid of the values' unit; empty for none.
    language : str
        "en", "ru" or "kk".
    sources : sequence of str
        In the reader's language.

    Returns
    -------
    matplotlib.figure.Figure
        With axes labelled "chart"; as high as the bars need.

    Raises
    ------
    InputError
        When there is no value to draw, values are no numbers, or there are more than 300.

    Examples
    --------
    >>> import pandas as pd
    >>> moved = pd.Series({"Atyrau": -0.021, "Almaty": 0.008, "Abai": float("nan")})
    >>> fig = bar_chart(moved, title="Who moved the disparity", unit="")
    >>> [t.get_text() for t in fig.axes[0].texts]
    ['0.008', '−0.021']
    >>> [t.get_text() for t in fig.texts][-1]
    'No data: Abai'
    >>> bar_chart(moved.iloc[:0], title="Nothing", unit="")
    Traceback (most recent call last):
        ...
    kazgeo.errors.InputError: values has nothing to draw: all of its 0 values are missing; check the step before it
    """
    speech = speaker(language)
    known, empty = _bars(values)
    with settings():
        page = Page(9.6, 0.235 * len(known) + 2.3)
        page.header(title, note)
        bare = Message("No data: {names}", {"names": ", ".join(clean(n) for n in empty)}) if empty else ""
        page.footer(_sources(sources, speech), speech.say(bare))
        if unit:
            page.line(MARGIN, page.top + 0.02, clean(speech.translate(unit)), 8, color=GREY)
        names = [page.wrap(clean(n) or "□", 3.0, 8, lines=1)[0] for n in known.index]
        left = MARGIN + max(page.measure(n, 8) for n in names) + 0.15
        top = page.top - (0.2 if unit else 0.0)
        ax = page.axes("chart", left, page.bottom + 0.1, page.width - left - MARGIN, top - page.bottom - 0.1)
        numbers = known.to_numpy()
        y = np.arange(len(numbers))
        ax.barh(y, numbers, height=0.68, color=[RISE if v > 0 else FALL for v in numbers], zorder=2)
        ax.axvline(0, color="#595959", linewidth=0.7, zorder=3)
        ax.set_yticks(y, names, parse_math=False)
        ax.set_ylim(len(numbers) - 0.4, -0.6)
        ax.set_xticks([])
        ax.tick_params(axis="y", length=0, labelsize=8, labelcolor=INK)
        for spine in ax.spines.values():
            spine.set_visible(False)
        _bar_values(page, ax, numbers, speech, page.width - left - MARGIN)
    return page.figure


def _bars(values: pd.Series) -> tuple[pd.Series, list[object]]:
    try:
        numbers = values.astype(float).replace([np.inf, -np.inf], np.nan)
    except (TypeError, ValueError) as error:
        raise InputError(f"values must be numbers; got {values.dtype} ({error})") from error
    known = numbers.dropna().sort_values(ascending=False, kind="stable")
    if known.empty:
        raise InputError(
            f"values has nothing to draw: all of its {len(values)} values are missing; check the step before it"
        )
    if len(known) > _MOST_BARS:
        raise InputError(f"values must have at most {_MOST_BARS} bars to be read; got {len(known)}; give the largest")
    return known, list(numbers.index[numbers.isna()])


def _bar_values(page: Page, ax: Axes, numbers: NDArray[np.float64], speech: Speaker, width: float) -> None:
    """Write each value past the end of its bar, and widen the axis so that it fits."""
    digits = _value_digits(numbers)
    texts = [speech.number(float(v), digits).replace("-", "−") for v in numbers]
    low, high = min(0.0, float(numbers.min())), max(0.0, float(numbers.max()))
    span = (high - low) or 1.0
    widths = np.array([page.measure(text, 7.5) for text in texts])
    left, right = widths[numbers <= 0].max(initial=0.0), widths[numbers > 0].max(initial=0.0)
    scale = span / max(width - left - right - 0.3, 0.5)  # units per inch
    ax.set_xlim(low - (left + 0.12) * scale, high + (right + 0.12) * scale)
    for place, (text, value) in enumerate(zip(texts, numbers, strict=True)):
        side = 1 if value > 0 else -1
        ax.annotate(
            text, (value, place), xytext=(3 * side, 0), textcoords="offset points", fontsize=7.5, color=INK,
            ha="left" if side > 0 else "right", va="center_baseline", annotation_clip=False,
        )  # fmt: skip


def _value_digits(numbers: NDArray[np.float64]) -> int:
    """Return decimals that give the largest value three figures, and at most four decimals more than none."""
    largest = float(np.abs(numbers).max())
    if largest == 0:
        return 0
    return int(np.clip(2 - np.floor(np.log10(largest)) - (largest < 1), 0, 6))


def _sources(sources: Sequence[str], speech: Speaker) -> str:
    if not sources:
        return ""
    return speech.say(Message("Sources: {sources}", {"sources": "; ".join(str(s) for s in sources)}))
