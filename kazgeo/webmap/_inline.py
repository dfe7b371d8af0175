"""Everything a page needs, inside the page: Leaflet from its wheel, our own files, and a check that nothing is left."""

from __future__ import annotations

import base64
import re
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path

from kazgeo.errors import InputError, listing

__all__ = ["asset", "leaflet_css", "leaflet_js", "outside_resources", "self_contained"]

#: Nothing may be fetched, whatever ends up in the page.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)

_LEAFLET_SCRIPT = re.compile(r"<script\b[^>]*\bsrc=[\"'][^\"']*/leaflet(?:\.min)?\.js[\"'][^>]*>\s*</script>", re.I)
_LEAFLET_STYLE = re.compile(r"<link\b[^>]*\bhref=[\"'][^\"']*/leaflet(?:\.min)?\.css[\"'][^>]*>", re.I)
_TILES = re.compile(r"L\.tileLayer(?:\.wms)?\(\s*[\"']((?:https?:)?//[^\"']*)")
_CSS_URL = re.compile(r"url\(\s*[\"']?([^\"')]*)[\"']?\s*\)", re.I)
_CSS_IMPORT = re.compile(r"@import\s+[\"']([^\"']+)", re.I)
_SOURCE_MAP = re.compile(r"^[ \t]*//[#@] sourceMappingURL=.*$", re.M)
_MEDIA_TYPES = {".png": "image/png", ".gif": "image/gif", ".svg": "image/svg+xml", ".jpg": "image/jpeg"}


def asset(name: str) -> str:
    """Return one of our own files of ``assets/``."""
    return (Path(__file__).with_name("assets") / name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _leaflet_folder() -> Path:
    # importlib finds the folder without importing the Django app configuration in it
    from importlib.util import find_spec

    spec = find_spec("js_lib_leaflet")
    for place in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(place) / "static" / "js_lib_leaflet"
        if (folder / "leaflet.js").is_file():
            return folder
    raise InputError(
        "package 'django-js-lib-leaflet', which carries Leaflet's files, is not installed; "
        "install it with: pip install django-js-lib-leaflet"
    )


@lru_cache(maxsize=1)
def leaflet_js() -> str:
    """Return Leaflet's script, safe to stand inside ``<script>``."""
    text = (_leaflet_folder() / "leaflet.js").read_text(encoding="utf-8")
    return _SOURCE_MAP.sub("", text).replace("</script", "<\\/script").strip()


@lru_cache(maxsize=1)
def leaflet_css() -> str:
    """Return Leaflet's style sheet with its pictures as data URIs."""
    folder = _leaflet_folder()

    def embed(match: re.Match[str]) -> str:
        file = folder / match[1]
        if match[1].startswith(("#", "data:")) or not file.is_file():
            return match[0]
        code = base64.b64encode(file.read_bytes()).decode("ascii")
        return f"url(data:{_MEDIA_TYPES[file.suffix]};base64,{code})"

    return _CSS_URL.sub(embed, (folder / "leaflet.css").read_text(encoding="utf-8")).strip()


def self_contained(html: str, language: str = "") -> str:
    """Put Leaflet into a rendered page, name its language, and refuse what would still need the network.

    Examples
    --------
    >>> self_contained("<html><head></head><body><p>plain</p></body></html>", "kk")[:17]
    '<html lang="kk"><'
    >>> self_contained('<html><script src="https://cdn.example/d3.js"></script></html>')
    Traceback (most recent call last):
    ...
    kazgeo.errors.InputError: the page still needs 'https://cdn.example/d3.js', ...
    """
    html = _LEAFLET_SCRIPT.sub(lambda _: f"<script>{leaflet_js()}</script>", html)
    html = _LEAFLET_STYLE.sub(lambda _: f"<style>{leaflet_css()}</style>", html)
    left = outside_resources(html)
    if left:
        raise InputError(
            f"the page still needs {listing(left)}, which is not there when the network is off; "
            "leave out the folium plugin, marker icon or tile layer that brings it"
        )
    if language:
        html = html.replace("<html>", f'<html lang="{language}">', 1)
    return html.replace("<head>", f'<head>\n<meta http-equiv="Content-Security-Policy" content="{POLICY}">', 1)


def outside_resources(html: str) -> list[str]:
    """Return the addresses that a browser would fetch to show the page; links to click on are none.

    Examples
    --------
    >>> outside_resources('<a href="https://example.org">x</a><img src="data:image/png;base64,AA==">')
    []
    >>> outside_resources('<link href="https://c.example/a.css"><style>b{background:url(//c.example/i.png)}</style>')
    ['https://c.example/a.css', '//c.example/i.png']
    >>> outside_resources("")
    []
    """
    finder = _Finder()
    finder.feed(html)
    finder.close()
    return finder.found


class _Finder(HTMLParser):
    _ATTRIBUTES = frozenset({"src", "href", "data", "srcset", "poster", "xlink:href", "background"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag if tag in {"script", "style"} else ""
        for name, value in attrs:
            if name == "style":
                self._css(value or "")
            elif name in self._ATTRIBUTES and tag not in {"a", "area"}:
                self._keep(value or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside:
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "style":
            self._css(data)
        elif self._inside == "script":
            self.found.extend(_TILES.findall(data))

    def _css(self, text: str) -> None:
        for address in [*_CSS_URL.findall(text), *_CSS_IMPORT.findall(text)]:
            self._keep(address)

    def _keep(self, address: str) -> None:
        address = address.strip()
        if address and not address.lower().startswith(("data:", "blob:", "#", "about:", "javascript:")):
            self.found.append(address)
