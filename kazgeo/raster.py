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

__all__ = ["raster_qml", "stops", "write_raster"]


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
    from kazgeo.provenance import replacing
    from kazgeo.style import YELLOW_RED, shades

    if path.suffix.lower() not in {".tif", ".tiff"}:
        raise InputError(f"output '{path.name}': wanted a file that ends in .tif; got '{path.suffix}'")
    speech = speaker(language)
    title, unit = speech.translate(raster.title), speech.translate(raster.unit)
    with replacing(path) as beside:
        named = raster.surface.rename(f"{title}, {unit}" if unit else title)
        named.rio.to_raster(beside, driver="COG", compress="deflate", predictor="YES", tags=dict(tags))
    values = stops(raster.surface)
    labels = [speech.number(v, raster.decimals) + (f" {unit}" if unit else "") for v in values]
    with replacing(path.with_suffix(".qml")) as beside:
        beside.write_text(raster_qml(values, shades(YELLOW_RED, len(values)), labels), encoding="utf-8")


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
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        '<qgis version="3.22.16-Białowieża" styleCategories="AllStyleCategories" hasScaleBasedVisibilityFlag="0">'
        "<pipe>"
        f'<rasterrenderer type="singlebandpseudocolor" band="1" opacity="1" alphaBand="-1" '
        f'classificationMin="{low}" classificationMax="{high}" nodataColor="">'
        "<rasterTransparency/><minMaxOrigin><limits>None</limits></minMaxOrigin>"
        f'<rastershader><colorrampshader colorRampType="INTERPOLATED" classificationMode="1" clip="0" '
        f'minimumValue="{low}" maximumValue="{high}" labelPrecision="2">{items}</colorrampshader></rastershader>'
        "</rasterrenderer></pipe><blendMode>0</blendMode></qgis>\n"
    )


def stops(surface: xarray.DataArray, count: int = 6) -> list[float]:
    """Return values for a legend, evenly between the least and the greatest; one value makes two stops."""
    low, high = float(surface.min()), float(surface.max())
    if low == high:
        high = low + 1.0
    return [float(v) for v in np.linspace(low, high, count)]
