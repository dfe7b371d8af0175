"""The folium map and the element that puts our data, script and frame around it."""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
import warnings
from collections.abc import Sequence
from string import Template
from typing import TYPE_CHECKING, Any

import folium
from branca.element import Element, MacroElement

from kazgeo.locale import speaker
from kazgeo.webmap import PAGE_LIMIT_BYTES
from kazgeo.webmap._check import check
from kazgeo.webmap._inline import asset, leaflet_css, leaflet_js
from kazgeo.webmap._payload import payload
from kazgeo.webmap._words import words

if TYPE_CHECKING:
    from kazgeo.style import Backdrop, Theme

__all__ = ["language_of", "page"]

#: Data larger than this travels as gzip in base64; every browser since 2023 unpacks it, from a file too.
_PLAIN_LIMIT_BYTES = 200_000

_ADDRESS = re.compile(r"https?://[^\s<>\"'`]+[^\s<>\"'`.,;:)\]]")


def page(
    themes: Sequence[Theme], *, title: str, language: str, backdrop: Backdrop | None, sources: Sequence[str]
) -> folium.Map:
    """Build the map; see ``kazgeo.webmap.build``."""
    speak = speaker(language)
    check(themes, backdrop)
    data = payload(themes, backdrop, speak)
    west, south, east, north = data["bounds"]
    drawn = folium.Map(
        location=[(south + north) / 2, (west + east) / 2],
        zoom_start=5,
        tiles=None,
        prefer_canvas=True,
        zoom_control=False,
        attribution_control=False,
        zoom_snap=0.25,
        zoom_delta=0.5,
    )
    # only Leaflet, and from the wheel: _Frame brings it; folium's own lists name CDNs, jquery and bootstrap
    drawn.default_js, drawn.default_css = [], []
    # folium draws random ids; the same input must give the same bytes
    drawn._id = "kazgeo"
    drawn.get_root()._id = "kazgeo"
    frame = _Frame(data, title=title, language=language, sources=sources)
    drawn.add_child(frame, name="kazgeo")
    size = frame.size_bytes()
    if size > PAGE_LIMIT_BYTES:
        warnings.warn(
            f"the web map '{title}' takes {size / 1e6:.1f} MB, more than {PAGE_LIMIT_BYTES / 1e6:.0f} MB; "
            "fewer themes, dissolved regions or only the larger places make it open faster",
            UserWarning,
            stacklevel=4,
        )
    return drawn


def language_of(map_: folium.Map) -> str:
    """Return the language that ``page`` gave the map, or an empty string for another folium map."""
    frames = [child for child in map_._children.values() if isinstance(child, _Frame)]
    return frames[0].language if frames else ""


class _Verbatim(Element):  # type: ignore[misc]
    """Text that goes into the page as it is: branca would read ``{{`` in a name as a template."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def render(self, **_: Any) -> str:
        return self.text


class _Frame(MacroElement):  # type: ignore[misc]
    """Title bar, panel, sources, data and script around a folium map."""

    def __init__(self, data: dict[str, Any], *, title: str, language: str, sources: Sequence[str]) -> None:
        super().__init__()
        self._name = "KazGeo"
        self._id = "frame"
        self.language = language
        text = words(speaker(language))
        polygons = any(shape["kind"] == "polygon" for shape in data["shapes"])
        self._head = Template(asset("head.html")).substitute(
            title=html.escape(title), leaflet_css=leaflet_css(), css=asset("kazgeo.css"), leaflet_js=leaflet_js()
        )
        self._body = Template(asset("body.html")).substitute(
            {key: html.escape(value) for key, value in text.items()},
            title=html.escape(title),
            source_list=" · ".join(_linked(s) for s in [*sources, *([text["simplified"]] if polygons else [])]),
            data=_data_element(data),
            scripts="".join(f"<script>\n{asset(name)}</script>\n" for name in ("search.js", "kazgeo.js")),
        )

    def size_bytes(self) -> int:
        """Return the size of the page in bytes, folium's own few lines aside."""
        return len(self._head.encode()) + len(self._body.encode())

    def render(self, **_: Any) -> None:
        figure = self.get_root()
        figure.header.add_child(_Verbatim(self._head), name="kazgeo_head")
        figure.html.add_child(_Verbatim(self._body), name="kazgeo_body")
        figure.script.add_child(_Verbatim(f"kazgeo.start({self._parent.get_name()});"), name="kazgeo_start")


def _data_element(data: dict[str, Any]) -> str:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    packed = text.encode("utf-8")
    if len(packed) <= _PLAIN_LIMIT_BYTES:
        # "<" can't end the element or open a comment when it is written as an escape
        safe = text.replace("<", "\\u003c")
        return f'<script type="application/json" id="kazgeo-data">{safe}</script>'
    code = base64.b64encode(gzip.compress(packed, 9, mtime=0)).decode("ascii")
    return f'<script type="application/gzip" id="kazgeo-data">{code}</script>'


def _linked(text: str) -> str:
    """Return a source as HTML in which addresses are links.

    Examples
    --------
    >>> _linked("OSM <b>, https://www.openstreetmap.org/copyright.")
    'OSM &lt;b&gt;, <a href="https://www.openstreetmap.org/copyright" rel="noopener noreferrer">https://www...</a>.'
    """
    out, end = [], 0
    for match in _ADDRESS.finditer(text):
        address = html.escape(match[0])
        out += [html.escape(text[end : match.start()]), f'<a href="{address}" rel="noopener noreferrer">{address}</a>']
        end = match.end()
    return "".join([*out, html.escape(text[end:])])
