"""The legend in its own axes, measured before it is drawn so that it never covers the map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kazgeo.plots._page import GREY, INK, Page
from kazgeo.widths import CASING_COLOR, CASING_PT, needs_casing

if TYPE_CHECKING:
    from kazgeo.locale import Speaker

__all__ = ["Entry", "Legend", "SizeKey", "hatch_ink", "nice_sizes"]

SWATCH, ROW, GAP, SIZE = 0.32, 0.235, 0.09, 8.0


@dataclass(frozen=True)
class Entry:
    """One line of the legend: how a class looks and how many units it has; -1 where units aren't counted."""

    color: str
    label: str
    count: int
    hatch: str = ""
    marker: str = "o"
    width_pt: float = 0.0
    dash: tuple[float, ...] = ()

    @property
    def line(self) -> dict[str, Any]:
        """How matplotlib draws a line of the class."""
        ends = "butt" if self.dash else "round"
        return {"linestyle": (0, self.dash) if self.dash else "-", "linewidth": self.width_pt, "capstyle": ends}


@dataclass(frozen=True)
class SizeKey:
    """What the symbols' sizes mean.

    Parameters
    ----------
    title : str
        Quantity and unit in the reader's language.
    areas_pt2 : tuple of (float, float)
        Value and symbol area in square points.
    least : float
        Value up to which all symbols are as small as can be seen; 0 where none are.
    unknown : int
        How many points have no size.
    unknown_area_pt2 : float
        Area of their symbol.
    """

    title: str
    areas_pt2: tuple[tuple[float, float], ...]
    least: float
    unknown: int
    unknown_area_pt2: float


def hatch_ink(color: str) -> str:
    """Return the colour of a hatch that is seen on a fill.

    Examples
    --------
    >>> hatch_ink("#b2182b"), hatch_ink("#92c5de")
    ('#ffffff', '#4d4d4d')
    """
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(color)
    return "#ffffff" if 0.299 * red + 0.587 * green + 0.114 * blue < 0.45 else "#4d4d4d"


def nice_sizes(largest: float) -> list[float]:
    """Return up to three round values not above the largest, each a fifth or a quarter of the one before.

    Examples
    --------
    >>> nice_sizes(1_916_822), nice_sizes(7)
    ([1000000.0, 200000.0, 50000.0], [5.0, 1.0, 0.2])
    >>> nice_sizes(0)
    []
    >>> nice_sizes(float("nan"))
    []
    """
    if not np.isfinite(largest) or largest <= 0:
        return []
    power = np.floor(np.log10(largest))
    ladder = [float(f"{m * 10.0 ** (power - k):.12g}") for k in range(4) for m in (5, 2, 1)]
    return [v for v in ladder if v <= largest * (1 + 1e-9)][:5:2]


class Legend:
    """Title, entries in columns and the key of sizes.

    Parameters
    ----------
    page : Page
        The sheet, which measures text.
    speech : Speaker
        Language of numbers and fixed words.
    title : str
        What is drawn, with its unit.
    entries : sequence of Entry
        In order; the missing class last.
    kind : "polygon", "line" or "point"
        Swatches are rectangles, lines or symbols.
    sizes : SizeKey or None
        For points.
    """

    def __init__(
        self, page: Page, speech: Speaker, title: str, entries: Sequence[Entry], kind: str, sizes: SizeKey | None = None
    ) -> None:
        self.page, self.speech, self.kind, self.sizes = page, speech, kind, sizes
        self.title, self.entries = title, list(entries)
        self.texts = [e.label if e.count < 0 else f"{e.label} ({speech.number(e.count)})" for e in self.entries]

    def arrange(self, width: float, *, side: bool) -> float:
        """Choose columns for a width in inches and return the height in inches."""
        self.width, self.side = width, side
        self.sizes_width = 0.0 if side or self.sizes is None else self._sizes_width()
        room = width - (self.sizes_width + 0.3 if self.sizes_width else 0)
        self.heads = self.page.wrap(self.title, room, 9, "bold", lines=4)
        text_room = room - SWATCH - GAP
        widest = max(self.page.measure(t, SIZE) for t in self.texts)
        self.cell = min(widest, text_room) + SWATCH + 3 * GAP
        columns = 1 if side else max(1, min(len(self.texts), int((room + 2 * GAP) / self.cell)))
        self.rows = -(-len(self.texts) // columns)
        self.lines = [self.page.wrap(t, text_room, SIZE, lines=3) for t in self.texts]
        self.row_heights = [
            max(ROW, max(len(lines) for lines in self.lines[i :: self.rows]) * 0.145 + 0.07) for i in range(self.rows)
        ]
        head = len(self.heads) * 0.165 + 0.17
        self.body = sum(self.row_heights) + head
        key = self._sizes_height()
        self.height = self.body + 0.15 + key if side else max(self.body, key)
        return self.height

    def draw(self, left: float, top: float) -> Any:
        """Draw with the upper left corner at a place in inches and return the axes."""
        ax = self.page.axes("legend", left, top - self.height, self.width, self.height)
        ax.set_xlim(0, self.width)
        ax.set_ylim(0, self.height)
        ax.set_axis_off()
        y = self.height
        for head in self.heads:
            ax.text(0, y, head, fontsize=9, fontweight="bold", va="top")
            y -= 0.165
        if any(e.count >= 0 for e in self.entries):
            ax.text(0, y, self.speech.translate("in brackets: number of units"), fontsize=6.5, color=GREY, va="top")
        y -= 0.17
        self._entries(ax, y)
        if self.sizes is not None:
            if self.side:
                self._size_key(ax, 0.0, self.height - self.body - 0.15)
            else:
                self._size_key(ax, self.width - self.sizes_width, self.height)
        return ax

    def _entries(self, ax: Any, top: float) -> None:
        from matplotlib.collections import LineCollection
        from matplotlib.patches import Rectangle

        for place, (entry, lines) in enumerate(zip(self.entries, self.lines, strict=True)):
            column, row = divmod(place, self.rows)
            x = column * self.cell
            y = top - sum(self.row_heights[: row + 1]) + self.row_heights[row] / 2
            if self.kind == "polygon":
                box: dict[str, Any] = {"width": SWATCH, "height": 0.165, "facecolor": entry.color}
                ax.add_patch(
                    Rectangle((x, y - 0.0825), **box, hatch=entry.hatch, edgecolor=hatch_ink(entry.color), linewidth=0)
                )
                frame: dict[str, Any] = {"fill": False, "edgecolor": "#4d4d4d", "linewidth": 0.5}
                ax.add_patch(Rectangle((x, y - 0.0825), SWATCH, 0.165, **frame))
            elif self.kind == "line":
                for color, look in self._strokes(entry):
                    swatch = LineCollection([[(x, y), (x + SWATCH, y)]], colors=color, **look)
                    ax.add_collection(swatch, autolim=False)
            else:
                look = {"marker": entry.marker, "edgecolors": "#333333", "linewidths": 0.4}
                ax.scatter([x + SWATCH / 2], [y], s=58, c=entry.color, **look)
            ax.text(
                x + SWATCH + GAP, y, "\n".join(lines), fontsize=SIZE, va="center", linespacing=1.15, color=INK
            )  # fmt: skip

    def _strokes(self, entry: Entry) -> list[tuple[str, dict[str, Any]]]:
        strokes = [(entry.color, entry.line)]
        if needs_casing(e.color for e in self.entries):
            casing = {"linewidth": entry.width_pt + CASING_PT, "capstyle": "butt"}
            strokes.insert(0, (CASING_COLOR, casing))
        return strokes

    # --- sizes ---------------------------------------------------------------------------------------

    def _size_rows(self) -> list[tuple[str, float]]:
        assert self.sizes is not None
        rows = [(self.speech.number(value), area) for value, area in self.sizes.areas_pt2]
        if self.sizes.least > 0:
            rows.append((f"≤ {self.speech.number(self.sizes.least)}", self.sizes.unknown_area_pt2))
        if self.sizes.unknown:
            words = self.speech.translate("no data")
            rows.append((f"{words} ({self.speech.number(self.sizes.unknown)})", self.sizes.unknown_area_pt2))
        return rows

    def _size_cells(self) -> list[float]:
        """Return the width of every cell when the sizes stand side by side, inches."""
        return [
            self._diameter(area) + GAP + self.page.measure(text, SIZE) + 2 * GAP for text, area in self._size_rows()
        ]

    def _sizes_width(self) -> float:
        assert self.sizes is not None
        return max(sum(self._size_cells()), min(self.page.measure(self.sizes.title, SIZE, "bold"), 2.6)) + 0.05

    def _sizes_height(self) -> float:
        if self.sizes is None:
            return 0.0
        room = self.width if self.side else self.sizes_width
        self.size_heads = self.page.wrap(self.sizes.title, room, SIZE, "bold", lines=3)
        steps = [max(0.19, self._diameter(area) + 0.05) for _, area in self._size_rows()]
        self.size_steps = steps if self.side else [max(steps, default=0.0)] * len(steps)
        return len(self.size_heads) * 0.155 + (sum(steps) if self.side else max(steps, default=0.0)) + 0.08

    @staticmethod
    def _diameter(area: float) -> float:
        return float(np.sqrt(area) / 72)

    def _size_key(self, ax: Any, left: float, top: float) -> None:
        for head in self.size_heads:
            ax.text(left, top, head, fontsize=SIZE, fontweight="bold", va="top")
            top -= 0.155
        top -= 0.05
        widest = max((self._diameter(area) for _, area in self._size_rows()), default=0.0)
        for (text, area), step, cell in zip(self._size_rows(), self.size_steps, self._size_cells(), strict=True):
            wide = widest if self.side else self._diameter(area)
            look: dict[str, Any] = {"s": area, "c": "#ffffff", "edgecolors": "#333333", "linewidths": 0.5}
            ax.scatter([left + wide / 2], [top - step / 2], marker="o", clip_on=False, **look)
            ax.text(left + wide + GAP, top - step / 2, text, fontsize=SIZE, va="center")
            left, top = (left, top - step) if self.side else (left + cell, top)
