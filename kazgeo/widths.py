"""How wide the lines of a class are drawn: one rule read by print maps, web maps and QGIS alike."""

from __future__ import annotations

import numpy as np

__all__ = ["MISSING_WIDTH_PT", "line_widths"]

#: Lines of the missing class are the thinnest.
MISSING_WIDTH_PT = 0.8
_THIN_PT, _THICK_PT = 1.0, 2.2


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
