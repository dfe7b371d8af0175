"""How wide the lines of a class are drawn: one rule read by print maps, web maps and QGIS alike."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

__all__ = ["CASING_COLOR", "CASING_PT", "MISSING_WIDTH_PT", "line_widths", "needs_casing"]

#: Lines of the missing class are the thinnest.
MISSING_WIDTH_PT = 0.8
_THIN_PT, _THICK_PT = 1.0, 2.2
#: A casing is so much wider than its line.
CASING_PT = 0.8
CASING_COLOR = "#6e6e6e"
_PALE = 0.75


def line_widths(kind: str, count: int) -> tuple[float, ...]:
    """Return the width of a line of every class.

    Assumes that a categorical legend begins with what matters most (the highest class of road), so its lines
    become thinner; graduated lines become thicker with the value.

    Parameters
    ----------
    kind : "categorical" or "graduated"
        Kind of the style.
    count : int
        Number of classes.

    Returns
    -------
    tuple of float
        Widths in legend order, points (1/72 inch).

    Examples
    --------
    >>> line_widths("categorical", 2), line_widths("graduated", 3)
    ((2.2, 1.0), (1.0, 1.6, 2.2))
    >>> line_widths("graduated", 1), line_widths("graduated", 0)
    ((1.6,), ())
    """
    if count == 1:
        return (round((_THIN_PT + _THICK_PT) / 2, 2),)
    steps = [round(float(w), 2) for w in np.linspace(_THIN_PT, _THICK_PT, count)]
    return tuple(steps[::-1] if kind == "categorical" else steps)


def needs_casing(colors: Iterable[str]) -> bool:
    """Return whether one of the colours is too pale to be seen as a thin line on paper.

    Assumes that lines lie on white or nearly white; then every line of the layer gets a dark casing, so that the
    classes differ only by what tells them apart.

    Parameters
    ----------
    colors : iterable of str
        As ``#rrggbb`` or ``#rgb``; anything else counts as dark.

    Returns
    -------
    bool

    Examples
    --------
    >>> needs_casing(["#b30000", "#e6842a"]), needs_casing(["#bd0026", "#ffffb2"]), needs_casing([]), needs_casing([""])
    (False, True, False, False)
    """

    def brightness(color: str) -> float:
        if not re.fullmatch("#(?:[0-9a-fA-F]{3}){1,2}", color):
            return 0.0
        digits = color[1:]
        digits = digits if len(digits) == 6 else "".join(2 * d for d in digits)
        red, green, blue = (int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4))
        return 0.299 * red + 0.587 * green + 0.114 * blue

    return any(brightness(color) > _PALE for color in colors)
