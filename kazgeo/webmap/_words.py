"""The page's own words: English msgids, put into the reader's language when the page is built."""

from __future__ import annotations

from kazgeo.locale import Speaker
from kazgeo.messages import mark

__all__ = ["WORDS", "words"]

#: Key in the script -> English msgid.
WORDS = {
    "maps": mark("Maps"),
    "areas": mark("Regions"),
    "points": mark("Places"),
    "lines": mark("Lines"),
    "legend": mark("Legend"),
    "count": mark("count"),
    "search": mark("Find a region or place"),
    "nothing": mark("Nothing found"),
    "found": mark("{n} found"),
    "extent": mark("Whole map"),
    "zoom_in": mark("Zoom in"),
    "zoom_out": mark("Zoom out"),
    "hide": mark("Hide the panel"),
    "show": mark("Show the panel"),
    "play": mark("Play"),
    "pause": mark("Pause"),
    "step": mark("Year"),
    "size": mark("Circle size"),
    "missing": mark("no data"),
    "sources": mark("Sources"),
    "map": mark("Map"),
    "simplified": mark("Borders are simplified for the screen."),
    "km": mark("km"),
    "m": mark("m"),
    "loading": mark("Drawing the map …"),
    "old": mark("This browser is too old to draw the map; open the file in a current Chrome, Edge, Firefox or Safari."),
    "no_script": mark("The map needs JavaScript; allow it for this page."),
}


def words(speaker: Speaker) -> dict[str, str]:
    """Return the page's words in the reader's language.

    Examples
    --------
    >>> from kazgeo.locale import speaker
    >>> words(speaker("en"))["play"]
    'Play'
    """
    return {key: speaker.translate(text) for key, text in WORDS.items()}
