"""Scatter plots: one point per unit, the quadrants, a line through the middle; no statistic is computed here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from kazgeo.errors import InputError
from kazgeo.locale import speaker
from kazgeo.messages import Message
from kazgeo.plots._charts import FALL, RISE, digits_of
from kazgeo.plots._page import GREY, MARGIN, Page, clean, settings

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from kazgeo.locale import Speaker

__all__ = ["scatter_chart"]

#: Outermost points that are named.
NAMED = 6


def scatter_chart(
    data: pd.DataFrame, *, title: str, across: str, unit: str, language: str = "en", slope: float | None = None,
    sources: Sequence[str] = (),
) -> Figure:  # fmt: skip
    """Draw one point per unit, with the axes through zero and a line of a given slope.

    Parameters
    ----------
    data : DataFrame
        Columns x and y, index = names in the reader's language; units without one of them are not drawn and told.
    title : str
        In the reader's language.
    across, unit : str
        English msgids of what the horizontal and the vertical axis show.
    language : str
        "en", "ru" or "kk".
    slope : float, optional
        Of the line through the origin.
    sources : sequence of str
        In the reader's language.

    Returns
    -------
    matplotlib.figure.Figure
        With axes labelled "chart".

    Raises
    ------
    InputError
        When there is no point to draw.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"x": [-1.0, 0.5, None], "y": [-0.5, 0.4, 1.0]}, index=["Aral", "Semey", "Shu"])
    >>> fig = scatter_chart(table, title="Moran's scatter plot", across="", unit="", slope=0.6)
    >>> [t.get_text() for t in fig.axes[0].texts if t.get_gid() == "label"]
    ['Aral', 'Semey']
    >>> scatter_chart(table.iloc[:0], title="Nothing", across="", unit="")
    Traceback (most recent call last):
    kazgeo.errors.InputError: data has no point to draw: 0 of 0 units have both values
    """
    speech = speaker(language)
    known = data[np.isfinite(data[["x", "y"]].astype(float)).all(axis=1)]
    if known.empty:
        raise InputError(f"data has no point to draw: 0 of {len(data)} units have both values")
    with settings():
        page = Page(7.2, 6.6)
        page.header(title, "")
        absent = len(data) - len(known)
        told = speech.say(Message("Without a place in the plot: {n}.", {"n": absent})) if absent else ""
        said = speech.say(Message("Sources: {sources}", {"sources": "; ".join(sources)})) if sources else ""
        page.footer(told, said)
        left, bottom = MARGIN + 0.45, page.bottom + 0.55
        ax = page.axes("chart", left, bottom, page.width - left - MARGIN, page.top - 0.2 - bottom)
        page.line(MARGIN, page.top + 0.02, clean(speech.translate(unit)), 8, color=GREY)
        ax.set_xlabel(clean(speech.translate(across)), fontsize=8, color=GREY)
        x, y = known["x"].to_numpy(dtype=float), known["y"].to_numpy(dtype=float)
        color = np.where((x > 0) == (y > 0), np.where(x > 0, RISE, FALL), "#8c8c8c")
        ax.scatter(x, y, s=16 if len(x) < 400 else 5, c=color, linewidths=0, alpha=0.8, zorder=3)
        for line in (ax.axhline, ax.axvline):
            line(0, color="#8c8c8c", linewidth=0.7, zorder=1)
        if slope is not None:
            ends = np.array([x.min(), x.max()])
            ax.plot(ends, slope * ends, color="#1a1a1a", linewidth=1.4, zorder=2, gid="slope")
            words = speech.say(Message("slope = Moran's I = {i}", {"i": speech.number(slope, 3)}))
            ax.text(0.99, 0.01, words, transform=ax.transAxes, ha="right", va="bottom", fontsize=8)
        _axes(ax, speech)
        _names(page, ax, known)
    return page.figure


def _axes(ax: Axes, speech: Speaker) -> None:
    from matplotlib.ticker import FuncFormatter

    ax.margins(0.08)
    for axis, ticks in ((ax.xaxis, ax.get_xticks()), (ax.yaxis, ax.get_yticks())):
        digits = digits_of(ticks)
        axis.set_major_formatter(FuncFormatter(lambda value, _, digits=digits: speech.number(value, digits)))
    ax.tick_params(labelsize=8, length=2, labelcolor=GREY)
    for spine in ax.spines.values():
        spine.set_color("#bfbfbf")


def _names(page: Page, ax: Axes, known: pd.DataFrame) -> None:
    """Name the points farthest from the middle, each beside its point, towards the middle, where there is room."""
    spread = known[["x", "y"]].abs().max().replace(0, 1)
    far = ((known[["x", "y"]] / spread) ** 2).sum(axis=1)
    dots = ax.transData.transform(known[["x", "y"]].to_numpy(dtype=float)) / page.figure.dpi  # inches
    taken: list[tuple[float, float, float, float]] = [(x - 0.04, x + 0.04, y - 0.04, y + 0.04) for x, y in dots]
    edges = ax.transAxes.transform([(0, 0), (1, 1)])[:, 0] / page.figure.dpi
    middle = edges.mean()
    named = 0
    for place in np.argsort(-far.to_numpy(), kind="stable")[: 4 * NAMED]:
        words, (x, y) = clean(str(known.index[place])), dots[place]
        inwards = -1 if x > middle else 1
        for side in (inwards, -inwards):
            ends = sorted((x + 0.06 * side, x + (0.08 + page.measure(words, 7.5)) * side))
            box = (ends[0], ends[1], y - 0.07, y + 0.07)
            if edges[0] < box[0] and box[1] < edges[1] and not any(_meet(box, other) for other in taken):
                break
        else:
            continue
        taken.append(box)
        ax.annotate(
            words, tuple(known[["x", "y"]].iloc[place]), xytext=(5 * side, 0), textcoords="offset points", fontsize=7.5,
            ha="left" if side > 0 else "right", va="center", gid="label", zorder=4,
        )  # fmt: skip
        named += 1
        if named == NAMED:
            break


def _meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    """Return whether two boxes (left, right, bottom, top) overlap."""
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]
