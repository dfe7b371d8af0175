"""Meridians and parallels of a map in a projected CRS, with labels where they meet the frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from kazgeo.locale import Speaker

__all__ = ["Frame", "degree", "draw_graticule"]

_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)


@dataclass(frozen=True)
class Frame:
    """The rectangle of the map in metres of its CRS.

    Parameters
    ----------
    west, south, east, north : float
        Limits, metres.
    crs : pyproj.CRS
        Projected, metres.
    """

    west: float
    south: float
    east: float
    north: float
    crs: Any

    @cached_property
    def lonlat_bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees of what the frame shows; east may pass 180."""
        import pyproj

        back = pyproj.Transformer.from_crs(self.crs, "EPSG:4326", always_xy=True)
        xs, ys = np.meshgrid(np.linspace(self.west, self.east, 41), np.linspace(self.south, self.north, 41))
        lon, lat = back.transform(xs.ravel(), ys.ravel())
        ok = np.isfinite(lon) & np.isfinite(lat)
        centre = lon[len(lon) // 2]
        lon = centre + (lon[ok] - centre + 180) % 360 - 180
        return float(lon.min()), float(lat[ok].min()), float(lon.max()), float(lat[ok].max())


def degree(value: float, axis: str, speech: Speaker, decimals: int = 0) -> str:
    """Write a longitude ("x") or latitude ("y") in words of the reader.

    Examples
    --------
    >>> from kazgeo.locale import speaker
    >>> degree(-120, "x", speaker("en")), degree(50, "y", speaker("en")), degree(0, "y", speaker("en"))
    ('120° W', '50° N', '0°')
    """
    value = (value + 180) % 360 - 180 if axis == "x" and abs(value) > 180 else value
    number = speech.number(abs(value), decimals)
    if value == 0:
        return f"{number}°"
    side = {"x": ("{degrees}° W", "{degrees}° E"), "y": ("{degrees}° S", "{degrees}° N")}[axis][int(value > 0)]
    return speech.translate(side).format(degrees=number)


def _ticks(low: float, high: float, wanted: int) -> tuple[NDArray[np.float64], int]:
    span = max(high - low, 1e-6)
    step = next((s for s in _STEPS if span / s <= wanted), 45.0)
    ticks = np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step
    return ticks, max(0, int(np.ceil(-np.log10(step) - 1e-9)))


def draw_graticule(ax: Axes, frame: Frame, speech: Speaker) -> None:
    """Draw the lines under the data and the degrees outside the frame, below and on the left."""
    import pyproj
    from matplotlib.collections import LineCollection

    forth = pyproj.Transformer.from_crs("EPSG:4326", frame.crs, always_xy=True)
    west, south, east, north = frame.lonlat_bounds
    lons, lon_digits = _ticks(west, east, 13)
    lats, lat_digits = _ticks(south, north, 8)
    more = 0.02 * (north - south)  # a line that ends at the edge by the last bit would cross it nowhere
    along, across = np.linspace(max(-90, south - more), min(90, north + more), 161), np.linspace(west, east, 161)
    meridians = [np.column_stack(forth.transform(np.full_like(along, lon), along)) for lon in lons]
    parallels = [np.column_stack(forth.transform(across, np.full_like(across, lat))) for lat in lats]
    lines = [line for line in (*meridians, *parallels) if np.isfinite(line).all()]
    ax.add_collection(LineCollection(lines, colors="#b4bcc2", linewidths=0.4, zorder=2, gid="graticule"), autolim=False)
    _label(ax, meridians, [degree(v, "x", speech, lon_digits) for v in lons], frame, vertical=False)
    _label(ax, parallels, [degree(v, "y", speech, lat_digits) for v in lats], frame, vertical=True)


def _label(
    ax: Axes, lines: Sequence[NDArray[np.float64]], texts: Sequence[str], frame: Frame, *, vertical: bool
) -> None:
    """Put each text where its line crosses the left (vertical) or the lower edge of the frame."""
    edge = frame.west if vertical else frame.south
    low, high = (frame.south, frame.north) if vertical else (frame.west, frame.east)
    margin = 0.012 * (high - low)
    for line, text in zip(lines, texts, strict=True):
        over, place = (line[:, 0], line[:, 1]) if vertical else (line[:, 1], line[:, 0])
        crossing = np.flatnonzero((over[:-1] - edge) * (over[1:] - edge) <= 0)
        if not crossing.size or not np.isfinite(line).all():
            continue
        i = int(crossing[0])
        run = over[i + 1] - over[i]
        at = place[i] + (place[i + 1] - place[i]) * ((edge - over[i]) / run if run else 0.0)
        if not low + margin < at < high - margin:
            continue
        where, offset = ((edge, at), (-3, 0)) if vertical else ((at, edge), (0, -3))
        ax.annotate(
            text, where, xytext=offset, textcoords="offset points", fontsize=6, color="#595959",
            rotation=90 if vertical else 0, ha="right" if vertical else "center",
            va="center" if vertical else "top", annotation_clip=False, gid="degree",
        )  # fmt: skip
