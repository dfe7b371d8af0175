"""Names on the map: each at the best free place near its unit, with a leader where it had to move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from kazgeo.plots._page import INK, Page, clean

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["Label", "Placer"]

_WAYS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
_CHARACTERS = 17  # a longer name is broken into two lines where it has a blank


@dataclass(frozen=True)
class Label:
    """A name to be placed.

    Parameters
    ----------
    text : str
        The name.
    x, y : float
        Anchor in the map's metres.
    room_m : float
        Radius of free space around the anchor that belongs to the unit: an inscribed circle, or 0 for a point.
    clear_pt : float
        Radius of the unit's symbol, points.
    optional : bool
        Leave it out when no place is free.
    """

    text: str
    x: float
    y: float
    room_m: float = 0.0
    clear_pt: float = 0.0
    optional: bool = False
    size: float = 7.0
    color: str = INK


@dataclass
class Placer:
    """Place names one after another, never on an earlier one when that can be helped.

    Parameters
    ----------
    page : Page
        Measures text.
    ax : Axes
        The map, with its limits final.
    size : (float, float)
        Width and height of the map, inches.
    """

    page: Page
    ax: Axes
    size: tuple[float, float]
    taken: list[tuple[float, float, float, float]] = field(default_factory=list)
    soft: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 3)))
    placed: list[tuple[Label, tuple[float, float, float, float]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        west, east = self.ax.get_xlim()
        self.origin, self.scale = (west, self.ax.get_ylim()[0]), self.size[0] / (east - west)

    def inches(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Return places on the map, inches from its lower left corner."""
        return (x - self.origin[0]) * self.scale, (y - self.origin[1]) * self.scale

    def avoid(self, x: NDArray[np.float64], y: NDArray[np.float64], radius_pt: NDArray[np.float64]) -> None:
        """Keep names off symbols where there is another place."""
        px, py = self.inches(x, y)
        self.soft = np.vstack([self.soft, np.column_stack([px, py, radius_pt / 72])])

    def place(self, labels: Sequence[Label]) -> None:
        """Find a place for every label, in the order of importance, and draw them."""
        for label in labels:
            x, y = self.inches(label.x, label.y)
            if not (0 <= x <= self.size[0] and 0 <= y <= self.size[1]):
                continue
            lines = _broken(label.text)
            if not lines:
                continue
            width = max(self.page.measure(line, label.size) for line in lines) + 0.04
            height = len(lines) * label.size * 1.15 / 72 + 0.03
            boxes = self._candidates(label, x, y, width, height)
            costs = self._costs(boxes)
            best = int(np.argmin(costs))
            if label.optional and costs[best] >= 50:
                continue
            box = boxes[best]
            self.taken.append(tuple(box))
            self.placed.append((label, tuple(box)))
            self._draw(label, lines, box, (x, y))

    def _candidates(self, label: Label, x: float, y: float, width: float, height: float) -> NDArray[np.float64]:
        """Return boxes (left, bottom, right, top) from the most to the least wanted."""
        room = label.room_m * self.scale
        centres: list[tuple[float, float]] = []
        inside = room > 0.55 * height + 0.05
        if inside:
            shifts = np.linspace(0, max(room * 0.9, height), 4)[1:]
            centres = [(x, y), *((x + s * dx, y + s * dy) for s in shifts for dx, dy in _WAYS)]
        clear = label.clear_pt / 72 + (room if not inside else 0.0)
        gaps = (0.03, 0.12) if label.optional else (0.03, 0.12, 0.25, 0.4, 0.6, 0.85, 1.15)
        for gap in gaps:
            for dx, dy in _WAYS:
                diagonal = 0.75 if dx and dy else 1.0
                reach = (clear + gap) * diagonal
                centres.append((x + dx * (reach + width / 2), y + dy * (reach + height / 2)))
            if gap > 0.2:  # more directions when far away
                for angle in np.radians(np.arange(15, 360, 30)):
                    right, up = float(np.cos(angle)), float(np.sin(angle))
                    centres.append((x + right * (clear + gap + width / 2), y + up * (clear + gap + height / 2)))
        at = np.array(centres)
        half = np.array([width, height]) / 2
        return np.hstack([at - half, at + half])

    def _costs(self, boxes: NDArray[np.float64]) -> NDArray[np.float64]:
        cost = np.arange(len(boxes)) * 0.25
        outside = (boxes[:, 0] < 0.03) | (boxes[:, 1] < 0.03)
        outside |= (boxes[:, 2] > self.size[0] - 0.03) | (boxes[:, 3] > self.size[1] - 0.03)
        cost = cost + 1e6 * outside
        for left, bottom, right, top in self.taken:
            over_x = np.minimum(boxes[:, 2], right) - np.maximum(boxes[:, 0], left)
            over_y = np.minimum(boxes[:, 3], top) - np.maximum(boxes[:, 1], bottom)
            hit = (over_x > 0) & (over_y > 0)
            cost = cost + np.where(hit, 1e3 * (1 + np.clip(over_x, 0, None) * np.clip(over_y, 0, None)), 0)
        if len(self.soft):
            x, y, radius = self.soft.T
            gap_x = np.maximum(np.maximum(boxes[:, :1] - x, x - boxes[:, 2:3]), 0)
            gap_y = np.maximum(np.maximum(boxes[:, 1:2] - y, y - boxes[:, 3:4]), 0)
            covered = (gap_x**2 + gap_y**2) < radius**2  # a name on a large symbol is read as that one's
            cost = cost + (covered * np.clip(3.0 * (radius / radius.min()) ** 2, 3.0, 30.0)).sum(axis=1)
        return np.asarray(cost)

    def _draw(self, label: Label, lines: Sequence[str], box: NDArray[np.float64], anchor: tuple[float, float]) -> None:
        from matplotlib.patheffects import Stroke

        w, h = self.size
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        end = np.clip(anchor[0], box[0], box[2]), np.clip(anchor[1], box[1], box[3])
        apart = float(np.hypot(end[0] - anchor[0], end[1] - anchor[1]))
        if apart > label.clear_pt / 72 + 0.14:
            line: dict[str, Any] = {"transform": self.ax.transAxes, "solid_capstyle": "round"}
            xs, ys = [anchor[0] / w, end[0] / w], [anchor[1] / h, end[1] / h]
            self.ax.plot(xs, ys, color="white", linewidth=1.8, zorder=6.8, **line)
            self.ax.plot(xs, ys, color="#333333", linewidth=0.6, zorder=6.9, **line)
        text: dict[str, Any] = {
            "fontsize": label.size, "ha": "center", "va": "center", "linespacing": 1.05,
            "transform": self.ax.transAxes, "parse_math": False, "clip_on": False,
        }  # fmt: skip
        # the halo is a text of its own: with an effect on it a text becomes outlines in the pdf
        halo = [Stroke(linewidth=2.4, foreground="white")]
        words = "\n".join(lines)
        self.ax.text(x / w, y / h, words, color="white", zorder=7, path_effects=halo, gid="halo", **text)
        self.ax.text(x / w, y / h, words, color=label.color, zorder=7.1, gid="label", **text)


def _broken(text: str) -> list[str]:
    """Break a long name into two lines at the blank nearest to its middle.

    Examples
    --------
    >>> _broken("Almaty"), _broken("Восточно-Казахстанская область"), _broken("")
    (['Almaty'], ['Восточно-Казахстанская', 'область'], [])
    """
    text = clean(text)
    if len(text) > 60:
        text = text[:59] + "…"
    blanks = [i for i, char in enumerate(text) if char == " "]
    if len(text) <= _CHARACTERS or not blanks:
        return [text] if text else []
    cut = min(blanks, key=lambda i: abs(i - len(text) / 2))
    return [text[:cut], text[cut + 1 :]]
