"""Writes surfaces as GeoTIFF, with the style that QGIS finds beside them."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kazgeo.errors import InputError

if TYPE_CHECKING:
    import xarray

    from kazgeo.style import Raster

__all__ = ["classes_qml", "raster_qml", "stops", "write_raster"]

#: Colours of codes (ColorBrewer Set3 and Dark2), over again where there are more.
_CODES = (
    "#8dd3c7", "#bebada", "#fb8072", "#80b1d3", "#fdb462", "#b3de69", "#fccde5", "#bc80bd", "#ccebc5", "#ffed6f",
    "#1b9e77", "#d95f02", "#7570b3", "#e7298a", "#66a61e", "#e6ab02", "#a6761d",
)  # fmt: skip
_HEAD = (
    "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
    '<qgis version="3.22.16-Białowieża" styleCategories="AllStyleCategories" hasScaleBasedVisibilityFlag="0">'
)


def write_raster(path: Path, raster: Raster, tags: Mapping[str, str], language: str = "en") -> None:
    """Write a surface as cloud-optimised GeoTIFF, float32, and its colour ramp beside it, where QGIS looks for it.

    Both are there whole or not at all.

    Parameters
    ----------
    path : Path
        The file, .tif.
    raster : Raster
        Surface, title, unit.
    tags : mapping
        How it was made.
    language : str
        Of title, unit and legend.

    Raises
    ------
    InputError
        Another suffix, or a file that can't be written.
    """
    from kazgeo.locale import speaker
    from kazgeo.messages import Names
    from kazgeo.provenance import replacing, write_style
    from kazgeo.style import YELLOW_RED, shades

    if path.suffix.lower() not in {".tif", ".tiff"}:
        raise InputError(f"output '{path.name}': wanted a file that ends in .tif; got '{path.suffix}'")
    speech = speaker(language)
    title, unit = speech.translate(raster.title), speech.translate(raster.unit)
    with replacing(path) as beside:
        named = raster.surface.rename(f"{title}, {unit}" if unit else title)
        named.rio.to_raster(beside, driver="COG", compress="deflate", predictor="YES", tags=dict(tags))
    if raster.classes:
        words = {v: w.in_language(language) if isinstance(w, Names) else speech.translate(w) for v, w in raster.classes}
        write_style(path.with_suffix(".qml"), classes_qml(words))
        return
    values = _stops_of(raster)
    labels = [speech.number(v, raster.decimals) + (f" {unit}" if unit else "") for v in values]
    write_style(path.with_suffix(".qml"), raster_qml(values, shades(YELLOW_RED, len(values)), labels))


def _stops_of(raster: Raster) -> list[float]:
    """Return the values of the legend: those that are wanted, as far as the surface reaches, and its greatest."""
    greatest = float(raster.surface.max())
    wanted = [v for v in raster.stops if v < greatest]
    return [*wanted, greatest] if len(wanted) > 1 else stops(raster.surface)


def classes_qml(words: Mapping[float, str]) -> str:
    """Return the style of a raster of codes for QGIS: a colour of its own for each.

    Examples
    --------
    >>> text = classes_qml({0.0: "on foot", 2.0: "by car & bus"})
    >>> text.count("<paletteEntry "), "by car &amp; bus" in text
    (2, True)
    """
    items = "".join(
        f'<paletteEntry value="{v:g}" color="{_CODES[i % len(_CODES)]}" alpha="255" label="{html.escape(word)}"/>'
        for i, (v, word) in enumerate(words.items())
    )
    return (
        f"{_HEAD}<pipe>"
        '<rasterrenderer type="paletted" band="1" opacity="1" alphaBand="-1" nodataColor=""><rasterTransparency/>'
        f"<colorPalette>{items}</colorPalette></rasterrenderer></pipe><blendMode>0</blendMode></qgis>\n"
    )


def raster_qml(values: Sequence[float], colors: Sequence[str], labels: Sequence[str]) -> str:
    """Return the style of a one-band raster for QGIS 3.22 and later: colours between the values are mixed.

    Parameters
    ----------
    values : sequence of float
        Strictly increasing.
    colors, labels : sequence of str
        ``#rrggbb`` and the words of the legend, one for each value.

    Examples
    --------
    >>> text = raster_qml([0.0, 1.0], ["#ffffff", "#000000"], ["0", "1 < 2"])
    >>> text.count("<item "), "1 &lt; 2" in text
    (2, True)
    """
    low, high = (repr(float(v)) for v in (values[0], values[-1]))
    items = "".join(
        f'<item value="{float(v)!r}" color="{c}" alpha="255" label="{html.escape(t)}"/>'
        for v, c, t in zip(values, colors, labels, strict=True)
    )
    return (
        f"{_HEAD}<pipe>"
        f'<rasterrenderer type="singlebandpseudocolor" band="1" opacity="1" alphaBand="-1" '
        f'classificationMin="{low}" classificationMax="{high}" nodataColor="">'
        "<rasterTransparency/><minMaxOrigin><limits>None</limits></minMaxOrigin>"
        f'<rastershader><colorrampshader colorRampType="INTERPOLATED" classificationMode="1" clip="0" '
        f'minimumValue="{low}" maximumValue="{high}" labelPrecision="2">{items}</colorrampshader></rastershader>'
        "</rasterrenderer></pipe><blendMode>0</blendMode></qgis>\n"
    )


def stops(surface: xarray.DataArray, count: int = 6) -> list[float]:
    """Return values for a legend: those that there are, if they are few; else evenly between least and greatest.

    Examples
    --------
    >>> import xarray
    >>> [stops(xarray.DataArray([values])) for values in ([0.0, 1.0, 0.0], [0.9, 0.9], [np.nan])]
    [[0.0, 1.0], [0.9], [0.0]]
    >>> stops(xarray.DataArray([[0.0, 1.0, 2.0, 5.0, 10.0]]), count=3)
    [0.0, 5.0, 10.0]
    """
    values = np.asarray(surface.values)
    some = values[:: max(1, len(values) // 100)]
    if len(np.unique(some[np.isfinite(some)])) <= count:
        every = np.unique(values[np.isfinite(values)])
        if len(every) <= count:
            return [float(v) for v in every] or [0.0]
    return [float(v) for v in np.linspace(float(surface.min()), float(surface.max()), count)]
