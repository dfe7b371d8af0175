"""The drawn layer of a print map: checked, projected, every row with its class and its looks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from kazgeo.crs import local_metres
from kazgeo.errors import InputError, unknown
from kazgeo.locale import Speaker
from kazgeo.plots._legend import Entry
from kazgeo.plots._shapes import kind_of, require_crs
from kazgeo.widths import MISSING_WIDTH_PT, line_widths

if TYPE_CHECKING:
    import geopandas
    import pandas as pd
    from numpy.typing import NDArray

    from kazgeo.style import Theme

__all__ = ["Layer", "layer_of", "symbol_areas"]

OUTSIDE = "#a6a6a6"
MISSING_HATCH = "xxxx"
#: Symbols and dashes of classes that a greyscale print must tell apart (classes with a hatch).
MARKERS = ("s", "^", "D", "v", "p", "h", "8")
DASHES: tuple[tuple[float, ...], ...] = ((4.0, 1.5), (1.0, 1.2), (5.0, 1.5, 1.0, 1.5), (2.0, 1.0))


@dataclass(frozen=True)
class Layer:
    """What is drawn, row by row, in the map's CRS."""

    kind: str
    shapes: NDArray[Any]
    classes: NDArray[np.int64]  # place in entries
    entries: tuple[Entry, ...]
    names: NDArray[Any]
    values: NDArray[np.float64]  # rank of a graduated value; NaN for categories and missing
    sizes: NDArray[np.float64] | None
    crs: Any
    dropped: int
    total: int


def layer_of(theme: Theme, speech: Speaker) -> Layer:
    """Return what a theme draws, or say why it cannot be drawn."""
    import shapely

    data, what = theme.data, f"theme '{theme.id}'"
    if not len(data):
        raise InputError(f"{what} has no rows: a map needs at least one unit; check the step before it")
    require_crs(data, what)
    for column in (theme.style.column, theme.name_column, theme.size_column):
        if column is not None and column not in data.columns:
            raise unknown("column", column, map(str, data.columns), f"a column of {what}")
    kind = kind_of(data, what)
    wrong = InputError(
        f"{what} cannot be projected: its bounds {np.round(data.total_bounds, 3).tolist()} do not fit its CRS "
        f"{data.crs.name}; check that longitude comes before latitude and that the CRS is right"
    )
    if data.crs.is_geographic and not (np.abs(data.total_bounds) <= [360, 90, 360, 90]).all():
        raise wrong
    crs = local_metres(data)
    shapes = data.geometry.to_crs(crs).to_numpy()
    drawn = np.isfinite(shapely.bounds(shapes)).all(axis=1)
    if not drawn.any():
        raise wrong
    rows = data[drawn]
    classes, entries = _classes(theme, rows, kind, speech)
    names = rows[theme.name_column].to_numpy(dtype=object) if theme.name_column else np.full(len(rows), None)
    values = np.full(len(rows), np.nan)
    if theme.style.kind == "graduated":
        values = rows[theme.style.column].to_numpy(dtype=float, na_value=np.nan)
    sizes = _sizes(theme, rows) if theme.size_column and kind == "point" else None
    dropped = int((~drawn).sum())
    return Layer(kind, shapes[drawn], classes, entries, names, values, sizes, crs, dropped, len(data))


def _classes(theme: Theme, rows: geopandas.GeoDataFrame, kind: str, speech: Speaker) -> tuple[Any, tuple[Entry, ...]]:
    style, column = theme.style, rows[theme.style.column]
    try:
        codes = style.codes(column)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"column '{style.column}' of theme '{theme.id}' must be numbers for a graduated style; got {column.dtype} "
            f"({error}); convert it with pandas.to_numeric first"
        ) from error
    missing = column.isna().to_numpy()
    out, last = codes.copy(), len(style.classes)
    looks = [(c.color, label, c.hatch) for c, label in zip(style.classes, style.labels(speech), strict=True)]
    for mask, color, label, hatch in (
        ((codes < 0) & missing, style.missing_color, style.missing_label, MISSING_HATCH),
        ((codes < 0) & ~missing, OUTSIDE, "outside the classes", "----"),
    ):
        if mask.any():
            out[mask] = last
            last += 1
            looks.append((color, speech.translate(label), hatch if kind == "polygon" else ""))
    counts = [int((out == i).sum()) for i in range(len(looks))]
    if not style.counted:
        counts = [-1] * len(looks)
    return out, _entries(looks, counts, line_widths(style.kind, len(style.classes)), kind)


def _entries(
    looks: list[tuple[str, str, str]], counts: list[int], widths: tuple[float, ...], kind: str
) -> tuple[Entry, ...]:
    """Return the legend; a hatch of a class is a hatch, a symbol of its own or dashes, after the kind of geometry."""
    shapes, dashes = iter(MARKERS * len(looks)), iter(DASHES * len(looks))
    entries = []
    for place, ((color, label, hatch), count) in enumerate(zip(looks, counts, strict=True)):
        entry = Entry(color, label, count)
        if kind == "polygon":
            entry = replace(entry, hatch=hatch)
        elif kind == "point" and hatch:
            entry = replace(entry, marker=next(shapes))
        elif kind == "line" and place >= len(widths):
            entry = replace(entry, width_pt=MISSING_WIDTH_PT, dash=DASHES[0])
        elif kind == "line":
            entry = replace(entry, width_pt=widths[place], dash=next(dashes) if hatch else ())
        entries.append(entry)
    return tuple(entries)


def _sizes(theme: Theme, rows: pd.DataFrame) -> NDArray[np.float64]:
    column = rows[theme.size_column]
    try:
        sizes = column.to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"size column '{theme.size_column}' of theme '{theme.id}' must be numbers; got {column.dtype} ({error})"
        ) from error
    if (sizes < 0).any() or np.isinf(sizes).any():
        raise InputError(
            f"size column '{theme.size_column}' of theme '{theme.id}' must be finite and not negative; got "
            f"{int((sizes < 0).sum())} negative and {int(np.isinf(sizes).sum())} infinite values"
        )
    return np.asarray(sizes)


def symbol_areas(sizes: NDArray[np.float64], largest: float, count: int) -> NDArray[np.float64]:
    """Return symbol areas in square points: proportional to the size, never too small to be seen."""
    top = float(np.clip(420 * np.sqrt(350 / max(count, 1)), 60, 420))
    least = float(np.clip(14 * np.sqrt(350 / max(count, 1)), 2.5, 16))
    share = np.nan_to_num(sizes, nan=0.0) / largest if largest > 0 else np.zeros(len(sizes))
    return np.maximum(least, top * share)
