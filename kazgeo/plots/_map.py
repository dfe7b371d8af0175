"""One theme on one sheet: title, map with graticule and scale, legend beside or below, sources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kazgeo.crs import COUNTRY
from kazgeo.errors import unknown
from kazgeo.locale import Speaker, speaker
from kazgeo.messages import Message
from kazgeo.plots._graticule import Frame, draw_graticule
from kazgeo.plots._labels import Label, Placer
from kazgeo.plots._layer import Layer, layer_of, symbol_areas
from kazgeo.plots._legend import Legend, SizeKey, hatch_ink, nice_sizes
from kazgeo.plots._page import MARGIN, PAPERS, Page, clean, settings
from kazgeo.plots._shapes import clip_to, lines_of, path_of, require_crs, thinned
from kazgeo.widths import CASING_COLOR, CASING_PT, needs_casing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from kazgeo.style import Backdrop, Theme

__all__ = ["print_map"]

LAND, HOME, WATER = "#e3e1db", "#fbfaf5", "#d6e6f2"
_RASTER_ABOVE = 20_000  # vertices or points: above it the pdf carries pixels
_ALL_NAMED = 25
_ALONG = 4_000  # places along lines that names keep off


def print_map(
    theme: Theme,
    *,
    language: str = "en",
    backdrop: Backdrop | None = None,
    sources: Sequence[str] = (),
    paper: str = "A4",
) -> Figure:
    """Draw a theme as a print map on a landscape sheet.

    Assumes that classes were chosen before: nothing is computed here. The map is drawn in an equal-area
    projection in which its linear scale bar holds; units without geometry are counted at the foot.

    Parameters
    ----------
    theme : Theme
        Polygons, lines or points with a CRS; a missing value is drawn as the class of missing values, a value
        in no class as "outside the classes". Classes of lines differ by colour and width.
    language : str
        "en", "ru" or "kk".
    backdrop : Backdrop or None
        Neighbours, water, outlines, roads and cities, each with its own CRS.
    sources : sequence of str
        One entry per source, in the reader's language.
    paper : str
        "A5", "A4" or "A3".

    Returns
    -------
    matplotlib.figure.Figure
        With axes labelled "map" and "legend"; write it with ``save``.

    Raises
    ------
    InputError
        When the layer is empty, has no CRS, mixes kinds of geometry, lacks a named column, or holds text
        in a graduated column.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import box
    >>> from kazgeo.style import Theme, graduated
    >>> style = graduated("t", "travel time", [0, 60, 120], ["#fee8c8", "#e34a33"], unit="min")
    >>> squares = gpd.GeoDataFrame(
    ...     {"t": [30.0, float("nan")]}, geometry=[box(66, 48, 67, 49), box(67, 48, 68, 49)], crs=4326
    ... )
    >>> fig = print_map(Theme("t", "Made-up squares", squares, style))
    >>> legend = next(ax for ax in fig.axes if ax.get_label() == "legend")
    >>> [text.get_text() for text in legend.texts][2:]
    ['0 – 60 (1)', '60 – 120 (0)', 'no data (1)']
    >>> print_map(Theme("t", "Nothing", squares.iloc[:0], style))
    Traceback (most recent call last):
        ...
    kazgeo.errors.InputError: theme 't' has no rows: a map needs at least one unit; check the step before it
    """
    speech = speaker(language)
    if paper not in PAPERS:
        raise unknown("paper", paper, PAPERS, "a sheet KazGeo knows")
    layer = layer_of(theme, speech)
    with settings():
        page = Page(*PAPERS[paper])
        page.header(theme.title, theme.note)
        page.footer(*_feet(layer, sources, speech))
        legend = Legend(
            page, speech, _legend_title(theme, speech), layer.entries, layer.kind, _size_key(theme, layer, speech)
        )
        bounds = _bounds(layer, backdrop)
        rect = _arrange(page, legend, bounds)
        frame = _frame(bounds, rect, layer.crs)
        ax = _map_axes(page, rect, frame)
        tolerance_m = 0.5 * (frame.east - frame.west) / (rect[2] * 300)  # half a dot at 300 dpi
        draw_graticule(ax, frame, speech)
        _under(ax, backdrop, frame, tolerance_m, layer)
        areas = _draw_layer(ax, layer, tolerance_m)
        _over(ax, backdrop, frame, tolerance_m, layer)
        placer = Placer(page, ax, (rect[2], rect[3]))
        _scale_bar(ax, layer, frame, speech, placer)
        _names(placer, theme, layer, areas, backdrop, frame)
    return page.figure


# --- words ----------------------------------------------------------------------------------------------


def _legend_title(theme: Theme, speech: Speaker) -> str:
    title, unit = speech.translate(theme.style.title), theme.style.unit
    return f"{title}, {speech.translate(unit)}" if unit else title


def _feet(layer: Layer, sources: Sequence[str], speech: Speaker) -> list[str]:
    feet = []
    if layer.dropped:
        words = "{n} of {total} units have no geometry and are not drawn."
        feet.append(speech.say(Message(words, {"n": layer.dropped, "total": layer.total})))
    if sources:
        feet.append(speech.say(Message("Sources: {sources}", {"sources": "; ".join(str(s) for s in sources)})))
    return [*feet, _projection(layer.crs, speech)]


def _projection(crs: Any, speech: Speaker) -> str:
    import pyproj

    if crs == pyproj.CRS.from_user_input(COUNTRY):
        words = "Projection: Albers equal-area conic, standard parallels 43° and 53° N, central meridian 67° E, WGS 84."
        return speech.translate(words)
    wanted = {"Latitude of natural origin": "lat", "Longitude of natural origin": "lon"}
    found = {wanted[p.name]: p.value for p in crs.coordinate_operation.params if p.name in wanted}
    words = "Projection: Lambert azimuthal equal-area, centre at latitude {lat}°, longitude {lon}°, WGS 84."
    return speech.translate(words).format(**{k: speech.number(v, 2) for k, v in found.items()})


def _size_key(theme: Theme, layer: Layer, speech: Speaker) -> SizeKey | None:
    if layer.sizes is None:
        return None
    known = layer.sizes[np.isfinite(layer.sizes)]
    largest = float(known.max()) if known.size else 0.0
    field = next((f for f in theme.fields if f.column == theme.size_column), None)
    title = speech.translate(field.label if field else str(theme.size_column))
    if field is not None and field.unit:
        title = f"{title}, {speech.translate(field.unit)}"
    steps, count = np.array(nice_sizes(largest)), len(layer.sizes)
    areas = symbol_areas(steps, largest, count)
    least_area, whole = symbol_areas(np.array([np.nan, largest]), largest, count).tolist()
    told = areas >= 2 * least_area  # smaller ones can't be told from the least
    least = next(iter(nice_sizes(largest * least_area / whole)), 0.0)
    shown = tuple(zip(steps[told].tolist(), areas[told].tolist(), strict=True))
    return SizeKey(title, shown, least if (known < least).any() else 0.0, count - len(known), least_area)


# --- where things go ------------------------------------------------------------------------------------


def _bounds(layer: Layer, backdrop: Backdrop | None) -> tuple[float, float, float, float]:
    """Return what must be seen, in metres: the units, for points and lines also the outline regions they lie in."""
    import shapely

    bounds = shapely.total_bounds(layer.shapes)
    outline = backdrop.outline if backdrop is not None else None
    if layer.kind != "polygon" and outline is not None and len(outline):
        require_crs(outline, "backdrop.outline")
        regions = outline.geometry.to_crs(layer.crs).to_numpy()
        tree = shapely.STRtree(regions)
        hit = np.unique(tree.query(layer.shapes, predicate="intersects")[1])
        if hit.size:
            around = shapely.total_bounds(regions[hit])
            bounds = np.r_[np.minimum(bounds[:2], around[:2]), np.maximum(bounds[2:], around[2:])]
    west, south, east, north = (float(b) for b in bounds)
    pad = max(0.03 * max(east - west, north - south), 2_000.0)
    return west - pad, south - pad, east + pad, north + pad


def _arrange(
    page: Page, legend: Legend, bounds: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    """Draw the legend below a wide map or beside a tall one; return the map's left, bottom, width, height, inches."""
    left, bottom = MARGIN + 0.16, page.bottom + 0.2
    width, height = page.width - MARGIN - left, page.top - bottom
    aspect = (bounds[2] - bounds[0]) / (bounds[3] - bounds[1])
    below = legend.arrange(page.width - 2 * MARGIN, side=False)
    beside_width = 2.6 * page.width / 11.69
    scale_below = min(width / aspect, height - below - 0.3)
    scale_beside = min((width - beside_width - 0.25) / aspect, height)
    if scale_below >= scale_beside or legend.arrange(beside_width, side=True) > height:
        below = legend.arrange(page.width - 2 * MARGIN, side=False)
        legend.draw(MARGIN, page.bottom + below + 0.02)
        room = max(height - below - 0.16, 1.0)
        return left, page.top - room, width, room
    legend.draw(page.width - MARGIN - beside_width, page.top)
    return left, bottom, width - beside_width - 0.25, max(height, 1.0)


def _frame(bounds: tuple[float, float, float, float], rect: tuple[float, float, float, float], crs: Any) -> Frame:
    """Widen the bounds to the shape of the map's rectangle."""
    west, south, east, north = bounds
    metres = max((east - west) / rect[2], (north - south) / rect[3])  # per inch
    x, y = (west + east) / 2, (south + north) / 2
    w, h = metres * rect[2] / 2, metres * rect[3] / 2
    return Frame(x - w, y - h, x + w, y + h, crs)


def _map_axes(page: Page, rect: tuple[float, float, float, float], frame: Frame) -> Axes:
    ax = page.axes("map", *rect)
    ax.set_xlim(frame.west, frame.east)
    ax.set_ylim(frame.south, frame.north)
    ax.set_aspect(1, adjustable="box")
    ax.set_autoscale_on(False)
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set(linewidth=0.6, edgecolor="#595959", zorder=9)
    return ax


# --- drawing --------------------------------------------------------------------------------------------


def _polygons(ax: Axes, shapes: NDArray[Any], color: str, zorder: float, **options: Any) -> None:
    from matplotlib.patches import PathPatch

    path = path_of(shapes)
    if len(path.vertices):
        options = {"linewidth": 0.0, "edgecolor": "none", **options}
        raster = len(path.vertices) > _RASTER_ABOVE
        # add_artist, not add_patch: the latter seeks the limits of every curve, and the limits are set
        ax.add_artist(PathPatch(path, facecolor=color, zorder=zorder, rasterized=raster, **options))


def _lines(ax: Axes, shapes: NDArray[Any], color: str, width: float, zorder: float, **options: Any) -> None:
    from matplotlib.collections import LineCollection

    lines = lines_of(shapes)
    if lines:
        raster = sum(map(len, lines)) > _RASTER_ABOVE
        look = {"colors": color, "linewidth": width, "capstyle": "round", "joinstyle": "round", **options}
        ax.add_collection(LineCollection(lines, zorder=zorder, rasterized=raster, **look), autolim=False)


def _part(backdrop: Backdrop | None, name: str, frame: Frame, tolerance_m: float) -> NDArray[Any]:
    data = getattr(backdrop, name) if backdrop is not None else None
    if data is None or not len(data):
        return np.empty(0, dtype=object)
    return clip_to(data, frame, f"backdrop.{name}", tolerance_m)


def _under(ax: Axes, backdrop: Backdrop | None, frame: Frame, tolerance_m: float, layer: Layer) -> None:
    neighbours = _part(backdrop, "neighbours", frame, tolerance_m)
    _polygons(ax, neighbours, LAND, 1)
    _lines(ax, neighbours, "#b5b3ad", 0.5, 1.1)
    outline = _part(backdrop, "outline", frame, tolerance_m)
    _polygons(ax, outline, HOME, 1.2)
    _lines(ax, outline, "#595959" if layer.kind == "polygon" else "#8c8c8c", 0.6, 2.5)
    if layer.kind == "polygon" and len(layer.shapes) > _ALL_NAMED:
        _lines(ax, outline, "#262626", 0.8, 4.5)  # regions over their districts


def _over(ax: Axes, backdrop: Backdrop | None, frame: Frame, tolerance_m: float, layer: Layer) -> None:
    water = _part(backdrop, "water", frame, tolerance_m)
    _polygons(ax, water, WATER, 4.0 if layer.kind == "polygon" else 1.5, edgecolor="#9db8cc", linewidth=0.3)
    _lines(ax, _part(backdrop, "roads", frame, tolerance_m), "#8c6d46", 0.5, 4.2 if layer.kind == "polygon" else 2.6)


def _draw_layer(ax: Axes, layer: Layer, tolerance_m: float) -> NDArray[np.float64]:
    """Draw the units; return the symbols' areas in square points (zeros for polygons)."""
    if layer.kind == "point":
        return _draw_points(ax, layer)
    shapes = thinned(layer.shapes, tolerance_m)
    if layer.kind == "line":
        return _draw_lines(ax, layer, shapes)
    for place, entry in enumerate(layer.entries):
        look = {"hatch": entry.hatch, "edgecolor": hatch_ink(entry.color)} if entry.hatch else {}
        _polygons(ax, shapes[layer.classes == place], entry.color, 3, **look)
    _lines(ax, shapes, "#4d4d4d", 0.5 if len(shapes) <= 60 else 0.25, 3.5)
    return np.zeros(len(shapes))


def _draw_lines(ax: Axes, layer: Layer, shapes: NDArray[Any]) -> NDArray[np.float64]:
    """Draw the classes, the widest on top; return the areas that keep names off the lines."""
    import shapely

    same_first = np.argsort(shapely.to_wkb(shapes), kind="stable")  # where lines of a class cross, order is seen
    shapes, classes = shapes[same_first], layer.classes[same_first]
    widths = np.array([entry.width_pt for entry in layer.entries])
    if needs_casing(entry.color for entry in layer.entries):
        for place, width in enumerate(widths.tolist()):
            _lines(ax, shapes[classes == place], CASING_COLOR, width + CASING_PT, 4.9, gid="casing")
    for order, place in enumerate(np.argsort(widths, kind="stable").tolist()):
        entry = layer.entries[place]
        look = {**entry.line, "gid": "lines"}
        width = look.pop("linewidth")
        _lines(ax, shapes[classes == place], entry.color, width, 5 + order / 100, **look)
    return np.full(len(shapes), 9.0)


def _draw_points(ax: Axes, layer: Layer) -> NDArray[np.float64]:
    import shapely
    from matplotlib.markers import MarkerStyle

    if layer.sizes is None:
        areas = np.full(len(layer.shapes), float(np.clip(9_000 / len(layer.shapes), 3.0, 40.0)))
    else:
        known = layer.sizes[np.isfinite(layer.sizes)]
        areas = symbol_areas(layer.sizes, float(known.max()) if known.size else 0.0, len(layer.sizes))
    order = np.argsort(-areas, kind="stable")  # the largest below
    points, owner = shapely.get_coordinates(layer.shapes[order], return_index=True)
    owner = order[owner]
    classes = layer.classes[owner]
    spots = ax.scatter(
        points[:, 0], points[:, 1], s=areas[owner], c=[layer.entries[c].color for c in classes],
        edgecolors="#333333", linewidths=0.35 if len(points) < 2_000 else 0.15, zorder=5,
        rasterized=len(points) > _RASTER_ABOVE,
    )  # fmt: skip
    markers = {e.marker for e in layer.entries}
    if len(markers) > 1:  # one collection, so that the largest stay below whatever their class
        styles = {m: MarkerStyle(m) for m in markers}
        paths = {m: s.get_path().transformed(s.get_transform()) for m, s in styles.items()}
        spots.set_paths([paths[layer.entries[c].marker] for c in classes])
    return areas


def _scale_bar(ax: Axes, layer: Layer, frame: Frame, speech: Speaker, placer: Placer) -> None:
    """Put the scale bar into the corner with the fewest data, and keep names off it."""
    import shapely
    from matplotlib_scalebar.scalebar import ScaleBar

    points = shapely.get_coordinates(layer.shapes)
    x = (points[:, 0] - frame.west) / (frame.east - frame.west)
    y = (points[:, 1] - frame.south) / (frame.north - frame.south)
    wide, high = 0.25, min(0.5 / placer.size[1], 0.3)
    corners = {"lower left": (0, 0), "lower right": (1, 0), "upper left": (0, 1), "upper right": (1, 1)}
    counts = {
        name: int(((np.abs(x - cx) < wide) & (np.abs(y - cy) < high)).sum()) for name, (cx, cy) in corners.items()
    }
    place = min(counts, key=lambda name: counts[name])
    bar = ScaleBar(
        1, "m", location=place, length_fraction=0.2, width_fraction=0.008, box_alpha=0.75, color="#1a1a1a",
        border_pad=0.6, pad=0.3, sep=2, scale_loc="bottom", font_properties={"size": 7},
        scale_formatter=lambda value, unit: f"{speech.number(float(value))} {speech.translate(unit)}",
    )  # fmt: skip
    bar.set_zorder(8)
    ax.add_artist(bar)
    cx, cy = corners[place]
    w, h = placer.size
    placer.taken.append((cx * 0.76 * w, cy * (1 - high) * h, (0.24 + cx * 0.76) * w, (high + cy * (1 - high)) * h))


# --- names ----------------------------------------------------------------------------------------------


def _names(
    placer: Placer, theme: Theme, layer: Layer, areas: NDArray[np.float64], backdrop: Backdrop | None, frame: Frame
) -> None:
    chosen = _chosen(theme, layer)
    radii = np.sqrt(areas) / 2
    points = np.empty((0, 3))
    if layer.kind == "point":
        points = _anchors(layer, np.arange(len(layer.shapes)))
        placer.avoid(points[:, 0], points[:, 1], radii)
    elif layer.kind == "line":
        along = _along(layer.shapes, 0.05 / placer.scale)
        placer.avoid(along[:, 0], along[:, 1], np.full(len(along), 1.5))
    cities = _cities(placer, backdrop, frame, points)
    anchors = _anchors(layer, chosen)
    labels = [
        Label(str(layer.names[i]), x, y, room, radii[i])
        for i, (x, y, room) in zip(chosen, anchors.tolist(), strict=True)
    ]
    if layer.kind == "polygon":
        labels.sort(key=lambda label: -label.room_m)  # small units move aside more easily
    placer.place(labels)
    named = {clean(layer.names[i]).casefold() for i in chosen}
    at = anchors[:, :2] if layer.kind == "point" else np.empty((0, 2))
    near_m = 0.12 / placer.scale
    for city in cities:
        twice = len(at) and np.hypot(at[:, 0] - city.x, at[:, 1] - city.y).min() < near_m
        if not twice and clean(city.text).casefold() not in named:
            placer.place([city])


def _chosen(theme: Theme, layer: Layer) -> NDArray[np.int64]:
    """Return rows to be named: all of few polygons, else the most telling ones.

    Telling are: of a graduated style the highest values and (alternately) the largest units, or the lowest
    values where there are no sizes; of a categorical style the units of the rarest classes, the larger
    first; of lines the longest of the first classes, each name once. Missing values are not named.
    """
    named = np.array([bool(clean(name)) for name in layer.names], dtype=bool)
    rows = np.flatnonzero(named)
    if layer.kind == "polygon" and len(layer.shapes) <= _ALL_NAMED:
        return rows
    rows = rows[layer.classes[rows] < len(theme.style.classes)]
    if layer.kind == "line":
        return _longest(layer, rows)[: theme.label_top]
    size = np.nan_to_num(layer.sizes, nan=-1.0) if layer.sizes is not None else np.zeros(len(layer.names))
    if theme.style.kind == "categorical":
        rarity = np.array([e.count for e in layer.entries])[layer.classes[rows]]
        return rows[np.lexsort((-size[rows], rarity))][: theme.label_top]
    highest = rows[np.lexsort((-size[rows], -layer.values[rows]))]
    other = rows[np.argsort(-size[rows], kind="stable")] if layer.sizes is not None else highest[::-1]
    mixed = np.column_stack([highest, other]).ravel()
    first = np.sort(np.unique(mixed, return_index=True)[1])
    return mixed[first][: theme.label_top]


def _longest(layer: Layer, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the lines by width and length, of those with one name the first."""
    import shapely

    widths = np.array([entry.width_pt for entry in layer.entries])[layer.classes[rows]]
    rows = rows[np.lexsort((-shapely.length(layer.shapes[rows]), -widths))]
    names = np.array([clean(name) for name in layer.names[rows]], dtype=object)
    first = np.sort(np.unique(names.astype(str), return_index=True)[1])
    return rows[first]


def _along(shapes: NDArray[Any], step_m: float) -> NDArray[np.float64]:
    """Return up to some thousand places along the lines: what names should not lie on."""
    import shapely

    points = shapely.get_coordinates(shapely.segmentize(shapes, max(step_m, shapely.length(shapes).sum() / _ALONG)))
    return np.asarray(points[:: -(-len(points) // _ALONG)])


def _anchors(layer: Layer, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return x, y and free radius in metres of each unit's name: the largest circle inside its largest part."""
    import shapely

    shapes = layer.shapes[rows]
    if layer.kind == "point":
        return np.column_stack([shapely.get_coordinates(shapely.centroid(shapes)), np.zeros(len(shapes))])
    if layer.kind == "line":
        parts = [max(shapely.get_parts(shape), key=shapely.length) for shape in shapes]
        middle = shapely.line_interpolate_point(parts, 0.5, normalized=True)
        return np.column_stack([shapely.get_coordinates(middle).reshape(-1, 2), np.zeros(len(shapes))])
    out = np.zeros((len(shapes), 3))
    for place, shape in enumerate(shapes):
        parts = shapely.get_parts(shapely.get_parts(shape))
        part = parts[np.argmax(shapely.area(parts))]
        size = np.sqrt(shapely.area(part))
        part = shapely.simplify(part, size / 100)
        if not shapely.is_valid(part):
            part = shapely.convex_hull(part)
        circle = shapely.maximum_inscribed_circle(part, tolerance=size / 30)
        out[place, :2] = shapely.get_coordinates(circle)[0]
        out[place, 2] = shapely.length(circle)
    return out


def _cities(placer: Placer, backdrop: Backdrop | None, frame: Frame, points: NDArray[np.float64]) -> list[Label]:
    """Draw dots of towns, except where a unit's own symbol lies, and return their names to be placed last."""
    cities = backdrop.cities if backdrop is not None else None
    if backdrop is None or cities is None or not len(cities):
        return []
    require_crs(cities, "backdrop.cities")
    if backdrop.city_name not in cities.columns:
        raise unknown("column", backdrop.city_name, map(str, cities.columns), "a column of backdrop.cities")
    spots = cities.geometry.to_crs(frame.crs)
    x, y = spots.x.to_numpy(), spots.y.to_numpy()
    inside = np.flatnonzero((x > frame.west) & (x < frame.east) & (y > frame.south) & (y < frame.north))
    near_m = 0.08 / placer.scale
    apart = [i for i in inside if not len(points) or np.hypot(points[:, 0] - x[i], points[:, 1] - y[i]).min() > near_m]
    placer.ax.scatter(x[apart], y[apart], s=9, c="#1a1a1a", edgecolors="white", linewidths=0.6, zorder=6, gid="cities")
    placer.avoid(x[apart], y[apart], np.full(len(apart), 2.5))
    names = cities[backdrop.city_name].to_numpy(dtype=object)
    look: dict[str, Any] = {"clear_pt": 1.5, "optional": True, "size": 6.0, "color": "#4a4a4a"}
    return [Label(str(names[i]), float(x[i]), float(y[i]), **look) for i in inside]
