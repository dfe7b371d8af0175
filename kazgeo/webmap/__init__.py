"""Web maps: one self-contained page that draws with the network off.

The page is a ``folium.Map`` without tiles; Leaflet comes from the wheel ``django-js-lib-leaflet``, the rest is
our own small script and style sheet. Geometry travels once however many themes are drawn on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import folium

    from kazgeo.style import Backdrop, Theme

__all__ = ["PAGE_LIMIT_BYTES", "build", "save", "to_html"]

#: A page larger than this is slow to open on an office machine; ``build`` warns.
PAGE_LIMIT_BYTES = 5_000_000


def build(
    themes: Sequence[Theme],
    *,
    title: str,
    language: str = "en",
    backdrop: Backdrop | None = None,
    sources: Sequence[str] = (),
) -> folium.Map:
    """Build one page that switches between themes.

    Themes with the same part of the id before ``:`` (``grp:2009``, ``grp:2010``) become one entry with a slider.
    Polygons are simplified with their shared borders kept shared; numbers are rounded to the decimals shown.

    Parameters
    ----------
    themes : sequence of Theme
        What the reader may choose from; the first is shown first.
    title : str
        Title of the page in the reader's language.
    language : str
        "en", "kk" or "ru".
    backdrop : Backdrop or None
        What lies under and over the themes.
    sources : sequence of str
        Sources and licences in the reader's language; addresses in them become links.

    Returns
    -------
    folium.Map
        For ``save`` or ``to_html``; it also shows itself in a notebook.

    Raises
    ------
    InputError
        When there is no theme or one can't be drawn: the message lists every fault of every theme.

    Warns
    -----
    UserWarning
        When the page would be larger than ``PAGE_LIMIT_BYTES``.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely.geometry import box
    >>> from kazgeo.style import Theme, graduated
    >>> data = gpd.GeoDataFrame(
    ...     {"name": ["West", "East"], "rate": [1.0, float("nan")]},
    ...     geometry=[box(50, 45, 60, 50), box(60, 45, 70, 50)], index=["a", "b"], crs=4326,
    ... )
    >>> theme = Theme("rate", "Rate", data, graduated("rate", "Rate", [0, 1, 2], ["#eeeeee", "#333333"]), "name")
    >>> "<h1>Two regions</h1>" in to_html(build([theme], title="Two regions"))
    True
    >>> build([], title="Nothing")
    Traceback (most recent call last):
    ...
    kazgeo.errors.InputError: themes is empty; a web map needs at least one theme
    """
    from kazgeo.webmap._page import page

    return page(themes, title=title, language=language, backdrop=backdrop, sources=sources)


def to_html(map_: folium.Map) -> str:
    """Render a map as one page that needs no other file and no network.

    Links to Leaflet are replaced by the copy from the wheel.

    Parameters
    ----------
    map_ : folium.Map
        From ``build``; other folium maps work as long as they need nothing but Leaflet.

    Returns
    -------
    str
        The page.

    Raises
    ------
    InputError
        When something outside the page is still needed: a script, a style sheet, a picture, map tiles.
    """
    from kazgeo.webmap._inline import self_contained
    from kazgeo.webmap._page import language_of

    return self_contained(map_.get_root().render(), language_of(map_))


def save(map_: folium.Map, path: Path | str) -> Path:
    """Write the page whole or not at all.

    Parameters
    ----------
    map_ : folium.Map
        From ``build``.
    path : path
        The file; an older one is replaced only when the new one is complete.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        When the page is not self-contained or can't be written.
    """
    from kazgeo.provenance import replacing

    text = to_html(map_)
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8", newline="\n")
    return Path(path)
