"""QGIS styles: a theme as QML, and the ``layer_styles`` table that opens a GeoPackage already styled."""

from __future__ import annotations

import html
import re
import sqlite3
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kazgeo.errors import InputError, unknown
from kazgeo.locale import Speaker, speaker
from kazgeo.widths import CASING_COLOR, CASING_PT, MISSING_WIDTH_PT, line_widths, needs_casing

if TYPE_CHECKING:
    from kazgeo.style import Style, StyleClass, Theme, TooltipField

__all__ = ["qml", "write_styles"]

#: The oldest QGIS the styles are written for; newer ones read it.
VERSION = "3.22.16-Białowieża"
#: One moment for every style, so that the same results give the same bytes.
UPDATE_TIME = "2000-01-01T00:00:00.000Z"

_OUTLINE, _OUTSIDE = "77,77,77,255", "#a6a6a6"
_MM_PER_PT = 25.4 / 72
_PENS = ("dash", "dot", "dash dot", "dash dot dot")
_MARKERS = ("square", "triangle", "diamond", "pentagon", "hexagon", "star")
# matplotlib's hatch letter to Qt's brush
_BRUSHES = {
    "/": "b_diagonal", "\\": "f_diagonal", "|": "vertical", "-": "horizontal", "+": "cross", "x": "diagonal_x",
    ".": "dense6", "o": "dense5", "O": "dense5", "*": "dense7",
}  # fmt: skip


def qml(theme: Theme, *, language: str = "en") -> str:
    r"""Return a theme as QML for QGIS 3.22 and later.

    A categorical style becomes a categorized renderer, missing values its last, "all other values" class.
    A graduated style without missing values becomes a graduated renderer whose limits fall as the style's
    do (lower <= x < upper: QGIS itself counts a limit to the class below). QGIS draws no missing value in a
    graduated renderer, so with missing values it becomes rules, the last of them ELSE.

    Assumes that the layer is stored with the column names of ``theme.data``.

    Parameters
    ----------
    theme : Theme
        Polygons, lines or points. Lines differ by colour and width, those of a class with a hatch also by dashes.
    language : str
        "en", "ru" or "kk": labels, aliases and map tips.

    Returns
    -------
    str
        XML, the same for the same theme.

    Raises
    ------
    InputError
        When the layer holds no polygons, lines or points of one kind, lacks a column, or a colour is not #rrggbb.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from kazgeo.style import Theme, graduated
    >>> style = graduated("t", "travel time", [0, 60, 120], ["#fee8c8", "#e34a33"], unit="min")
    >>> places = gpd.GeoDataFrame({"t": [30.0, 90.0]}, geometry=gpd.points_from_xy([67, 68], [48, 48]), crs=4326)
    >>> kind = re.compile(r'<renderer-v2 [^>]*type="(\w+)"')
    >>> kind.findall(qml(Theme("t", "Made-up places", places, style)))
    ['graduatedSymbol']
    >>> places.loc[0, "t"] = float("nan")
    >>> kind.findall(qml(Theme("t", "Made-up places", places, style)))
    ['RuleRenderer']
    >>> qml(Theme("t", "Nothing", places.iloc[:0], style))
    Traceback (most recent call last):
        ...
    kazgeo.errors.InputError: theme 't' must be polygons, lines or points, one kind; got nothing; check ...
    """
    speech = speaker(language)
    kind = _kind(theme)
    root = ET.Element("qgis", {"version": VERSION, "styleCategories": "AllStyleCategories", "labelsEnabled": "0"})
    _renderer(root, theme, kind, speech)
    for name, value in (("blendMode", "0"), ("featureBlendMode", "0"), ("layerOpacity", "1")):
        ET.SubElement(root, name).text = value
    _fields(root, theme, speech)
    if theme.name_column:
        ET.SubElement(root, "previewExpression").text = _name(theme.name_column)
    ET.SubElement(root, "mapTip").text = _map_tip(theme, speech)
    ET.SubElement(root, "layerGeometryType").text = {"point": "0", "line": "1", "polygon": "2"}[kind]
    for element in root.iter():
        element.text = _xml(element.text) if element.text else element.text
        element.attrib.update({name: _xml(value) for name, value in element.attrib.items()})
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n{text}\n"


def _kind(theme: Theme) -> str:
    import shapely

    for column in (theme.style.column, theme.name_column, theme.size_column):
        if column is not None and column not in theme.data.columns:
            raise unknown("column", column, map(str, theme.data.columns), f"a column of theme '{theme.id}'")
    dimension = shapely.get_dimensions(theme.data.geometry.to_numpy())
    kinds = sorted(set(dimension[dimension >= 0].tolist()))
    names = {0: "point", 1: "line", 2: "polygon"}
    if len(kinds) == 1:
        return names[kinds[0]]
    got = " and ".join(f"{names[k]}s" for k in kinds) or "nothing"
    raise InputError(
        f"theme '{theme.id}' must be polygons, lines or points, one kind; got {got}; check the step before it"
    )


# --- renderer -------------------------------------------------------------------------------------------


def _renderer(root: ET.Element, theme: Theme, kind: str, speech: Speaker) -> None:
    style = theme.style
    codes = _codes(theme)
    labels = style.labels(speech)
    looks = [(c.color, c.hatch) for c in style.classes]
    sized = theme.size_column if kind == "point" else None
    has_missing = bool((codes < 0).any())
    if has_missing:
        looks.append((style.missing_color, ""))
        labels.append(speech.translate(style.missing_label))
    casing = kind == "line" and needs_casing([color for color, _ in looks if _rgb(color)])
    common = {"enableorderby": "1" if sized else "0", "forceraster": "0", "referencescale": "-1"}
    common["symbollevels"] = "1" if casing else "0"  # casings below all lines, so that crossings stay open
    if style.kind == "categorical":
        element = ET.SubElement(root, "renderer-v2", {**common, "type": "categorizedSymbol", "attr": style.column})
        _categories(element, style.classes, labels)
    elif has_missing:
        element = ET.SubElement(root, "renderer-v2", {**common, "type": "RuleRenderer"})
        _rules(element, style, labels)
    else:
        method = {"graduatedMethod": "GraduatedColor", "attr": _name(style.column)}
        element = ET.SubElement(root, "renderer-v2", {**common, "type": "graduatedSymbol", **method})
        _ranges(element, style.classes, labels)
    symbols = ET.SubElement(element, "symbols")
    shapes, pens = iter(_MARKERS * len(looks)), iter(_PENS * len(looks))
    widths = (*line_widths(style.kind, len(style.classes)), MISSING_WIDTH_PT)
    for place, (color, hatch) in enumerate(looks):
        if kind == "polygon":
            _fill_symbol(symbols, str(place), color, hatch)
        elif kind == "line":
            pen = next(pens) if hatch else "dash" if place == len(style.classes) else "solid"
            _line_symbol(symbols, str(place), color, widths[place], pen, casing)
        else:
            _marker_symbol(symbols, str(place), color, next(shapes) if hatch else "circle", theme)
    ET.SubElement(element, "rotation")
    ET.SubElement(element, "sizescale")
    if sized:  # the largest first, so that they lie below
        order = ET.SubElement(element, "orderby")
        ET.SubElement(order, "orderByClause", {"asc": "0", "nullsFirst": "0"}).text = _name(sized)


def _codes(theme: Theme) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    column = theme.data[theme.style.column]
    try:
        return np.asarray(theme.style.codes(column))
    except (TypeError, ValueError) as error:
        raise InputError(
            f"column '{theme.style.column}' of theme '{theme.id}' must be numbers for a graduated style; "
            f"got {column.dtype} ({error}); convert it with pandas.to_numeric first"
        ) from error


def _categories(element: ET.Element, classes: Sequence[StyleClass], labels: Sequence[str]) -> None:
    categories = ET.SubElement(element, "categories")
    for place, label in enumerate(labels):
        # an empty value is "all other values", NULL among them
        value = str(classes[place].value) if place < len(classes) else ""
        found = {"value": value, "symbol": str(place), "label": label, "render": "true", "type": "string"}
        ET.SubElement(categories, "category", found)


def _ranges(element: ET.Element, classes: Sequence[StyleClass], labels: Sequence[str]) -> None:
    ranges = ET.SubElement(element, "ranges")
    for place, (found, label) in enumerate(zip(classes, labels, strict=True)):
        upper = found.upper
        if place < len(classes) - 1:  # QGIS takes both ends as inside: the limit itself belongs to the next class
            upper = float(np.nextafter(upper, -np.inf))
        limits = {"lower": repr(float(found.lower)), "upper": repr(float(upper))}
        ET.SubElement(ranges, "range", {**limits, "symbol": str(place), "label": label, "render": "true"})


def _rules(element: ET.Element, style: Style, labels: Sequence[str]) -> None:
    rules = ET.SubElement(element, "rules", {"key": _key(0)})
    column, last = _name(style.column), len(style.classes) - 1
    for place, label in enumerate(labels):
        if place > last:
            condition = "ELSE"
        else:
            found = style.classes[place]
            parts = [f"{column} IS NOT NULL"]
            if np.isfinite(found.lower):
                parts.append(f"{column} >= {float(found.lower)!r}")
            if np.isfinite(found.upper):
                parts.append(f"{column} {'<=' if place == last else '<'} {float(found.upper)!r}")
            condition = " AND ".join(parts)
        rule = {"key": _key(place + 1), "symbol": str(place), "label": label, "filter": condition}
        ET.SubElement(rules, "rule", rule)


def _key(number: int) -> str:
    """Return the identifier of a rule: any will do that differs within the layer."""
    return f"{{00000000-0000-4000-8000-{number:012d}}}"


# --- symbols --------------------------------------------------------------------------------------------


def _fill_symbol(parent: ET.Element, name: str, color: str, hatch: str) -> None:
    symbol = ET.SubElement(parent, "symbol", _symbol("fill", name))
    line = {"outline_color": _OUTLINE, "outline_style": "solid", "outline_width": "0.15", "outline_width_unit": "MM"}
    _layer(symbol, "SimpleFill", {"color": _rgba(color), "style": "solid", "joinstyle": "bevel", **line})
    brush = _BRUSHES.get(hatch[:1])
    if brush:
        ink = "255,255,255,255" if _dark(color) else _OUTLINE
        _layer(symbol, "SimpleFill", {"color": ink, "style": brush, "outline_style": "no"})


def _line_symbol(parent: ET.Element, name: str, color: str, width_pt: float, pen: str, casing: bool) -> None:
    symbol = ET.SubElement(parent, "symbol", _symbol("line", name))
    look = {"line_color": _rgba(color), "line_style": pen, "capstyle": "flat" if pen != "solid" else "round"}
    if casing:
        under = {"line_color": _rgba(CASING_COLOR), "line_style": "solid", "capstyle": "flat"}
        _layer(symbol, "SimpleLine", {**under, **_pen_width(width_pt + CASING_PT)})
    _layer(symbol, "SimpleLine", {**look, **_pen_width(width_pt)}).set("pass", "1" if casing else "0")


def _pen_width(width_pt: float) -> dict[str, str]:
    return {"line_width": f"{width_pt * _MM_PER_PT:.3f}", "line_width_unit": "MM", "joinstyle": "round"}


def _marker_symbol(parent: ET.Element, name: str, color: str, shape: str, theme: Theme) -> None:
    symbol = ET.SubElement(parent, "symbol", _symbol("marker", name))
    look = {"name": shape, "color": _rgba(color), "size": "2.2", "size_unit": "MM", "scale_method": "diameter"}
    line = {"outline_color": "51,51,51,255", "outline_style": "solid"}
    line |= {"outline_width": "0.1", "outline_width_unit": "MM"}
    layer = _layer(symbol, "SimpleMarker", {**look, **line})
    expression = _size_expression(theme)
    if expression:
        _data_defined(layer, "size", expression)


def _size_expression(theme: Theme) -> str:
    """Return the diameter in millimetres: area in proportion to the size, a small symbol where it is unknown."""
    if theme.size_column is None:
        return ""
    sizes = theme.data[theme.size_column].to_numpy(dtype=float, na_value=np.nan)
    known = sizes[np.isfinite(sizes)]
    largest = float(known.max()) if known.size else 0.0
    if largest <= 0:
        return ""
    top = float(np.clip(7.2 * (350 / max(len(sizes), 1)) ** 0.25, 2.8, 7.2))
    least = float(np.clip(1.3 * (350 / max(len(sizes), 1)) ** 0.25, 0.6, 1.4))
    share = f"coalesce({_name(theme.size_column)}, 0) / {largest!r}"
    return f"max({least:.2f}, {top:.2f} * sqrt(max(0, {share})))"


def _symbol(kind: str, name: str) -> dict[str, str]:
    return {"type": kind, "name": name, "alpha": "1", "clip_to_extent": "1", "force_rhr": "0"}


def _layer(symbol: ET.Element, kind: str, options: Mapping[str, str]) -> ET.Element:
    layer = ET.SubElement(symbol, "layer", {"class": kind, "enabled": "1", "locked": "0", "pass": "0"})
    table = ET.SubElement(layer, "Option", {"type": "Map"})
    for name, value in options.items():
        ET.SubElement(table, "Option", {"name": name, "type": "QString", "value": value})
    for name, value in options.items():
        ET.SubElement(layer, "prop", {"k": name, "v": value})
    return layer


def _data_defined(layer: ET.Element, name: str, expression: str) -> None:
    outer = ET.SubElement(ET.SubElement(layer, "data_defined_properties"), "Option", {"type": "Map"})
    ET.SubElement(outer, "Option", {"name": "name", "type": "QString", "value": ""})
    properties = ET.SubElement(outer, "Option", {"name": "properties", "type": "Map"})
    found = ET.SubElement(properties, "Option", {"name": name, "type": "Map"})
    ET.SubElement(found, "Option", {"name": "active", "type": "bool", "value": "true"})
    ET.SubElement(found, "Option", {"name": "expression", "type": "QString", "value": expression})
    ET.SubElement(found, "Option", {"name": "type", "type": "int", "value": "3"})
    ET.SubElement(outer, "Option", {"name": "type", "type": "QString", "value": "collection"})


def _rgb(color: str) -> tuple[int, int, int]:
    found = re.fullmatch(r"#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})", color)
    if not found:
        raise InputError(f"color of a style class must be written #rrggbb; got '{color}'")
    digits = found[1] if len(found[1]) == 6 else "".join(2 * d for d in found[1])
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def _rgba(color: str) -> str:
    """Return a colour as QGIS writes it.

    Examples
    --------
    >>> _rgba("#b2182b"), _rgba("#fff")
    ('178,24,43,255', '255,255,255,255')
    """
    return ",".join(map(str, (*_rgb(color), 255)))


def _dark(color: str) -> bool:
    red, green, blue = _rgb(color)
    return 0.299 * red + 0.587 * green + 0.114 * blue < 0.45 * 255


# --- fields and map tips --------------------------------------------------------------------------------


def _fields(root: ET.Element, theme: Theme, speech: Speaker) -> None:
    """Write aliases, and for coded columns the words of the codes, which the attribute table then shows."""
    configuration = ET.SubElement(root, "fieldConfiguration")
    aliases = ET.SubElement(root, "aliases")
    told = {f.column: f for f in theme.fields}
    words = _words(theme, speech)
    for place, column in enumerate(str(c) for c in theme.data.columns if c != theme.data.geometry.name):
        field = ET.SubElement(configuration, "field", {"name": column, "configurationFlags": "None"})
        widget = ET.SubElement(field, "editWidget", {"type": "ValueMap" if column in words else ""})
        config = ET.SubElement(widget, "config")
        if column in words:
            table = ET.SubElement(config, "Option", {"type": "Map"})
            pairs = ET.SubElement(table, "Option", {"name": "map", "type": "List"})
            for code, word in words[column]:
                pair = ET.SubElement(pairs, "Option", {"type": "Map"})
                ET.SubElement(pair, "Option", {"name": word, "type": "QString", "value": code})
        alias = _alias(theme, told.get(column), column, speech)
        if alias:
            # the index is a hint for old files only: QGIS goes by the field's name
            ET.SubElement(aliases, "alias", {"field": column, "name": alias, "index": str(place)})


def _words(theme: Theme, speech: Speaker) -> dict[str, list[tuple[str, str]]]:
    words = {f.column: [(code, speech.translate(word)) for code, word in f.terms] for f in theme.fields if f.terms}
    style = theme.style
    if style.kind == "categorical":
        pairs = zip(style.classes, style.labels(speech), strict=True)
        words[style.column] = [(str(c.value), label) for c, label in pairs]
    return words


def _alias(theme: Theme, field: TooltipField | None, column: str, speech: Speaker) -> str:
    if field is not None:
        return _with_unit(field.label, field.unit, speech)
    if column == theme.style.column:
        return _with_unit(theme.style.title, theme.style.unit, speech)
    return ""


def _with_unit(label: str, unit: str, speech: Speaker) -> str:
    text = speech.translate(label)
    return f"{text}, {speech.translate(unit)}" if unit else text


def _map_tip(theme: Theme, speech: Speaker) -> str:
    """Return the HTML of the tip: the name, the drawn value, the fields; text of the data is escaped by QGIS."""
    style = theme.style
    lines = [f"<b>[% {_escaped(_name(theme.name_column))} %]</b>"] if theme.name_column else []
    shown: list[tuple[str, str, str, int]] = []
    if style.column not in {f.column for f in theme.fields}:
        shown.append((style.column, style.title, style.unit, style.decimals))
    shown += [(f.column, f.label, f.unit, f.decimals) for f in theme.fields]
    words = _words(theme, speech)
    for column, label, unit, decimals in shown:
        if column not in theme.data.columns:
            raise unknown("field", column, map(str, theme.data.columns), f"a column of theme '{theme.id}'")
        if "%]" in column:  # such a name would end the expression
            continue
        value = _value(theme, column, decimals, words.get(column, []), unit, speech)
        head = html.escape(speech.translate(label)).replace("[%", "[&#37;")
        lines.append(f"{head}: [% {value} %]")
    return "<br>".join(lines)


def _value(
    theme: Theme, column: str, decimals: int, words: Sequence[tuple[str, str]], unit: str, speech: Speaker
) -> str:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    name = _name(column)
    nothing = _text(speech.translate("no data"))
    if words:
        cases = " ".join(f"WHEN to_string({name}) = {_text(code)} THEN {_text(word)}" for code, word in words)
        return _escaped(f"CASE {cases} ELSE coalesce(to_string({name}), {nothing}) END")
    kind = theme.data[column].dtype
    if is_numeric_dtype(kind) and not is_bool_dtype(kind):
        after = _text(f"\u00a0{speech.translate(unit)}") if unit else "''"
        number = f"format_number({name}, {int(decimals)}, '{speech.language}') || {after}"
        return _escaped(f"coalesce({number}, {nothing})")
    return _escaped(f"coalesce(to_string({name}), {nothing})")


def _escaped(expression: str) -> str:
    """Return an expression whose text is safe inside HTML."""
    for raw, safe in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        expression = f"replace({expression}, '{raw}', '{safe}')"
    return expression


def _name(column: str) -> str:
    """Return a column as QGIS expressions quote it.

    Examples
    --------
    >>> print(_name('per "head" a'))
    "per ""head"" a"
    """
    quoted = str(column).replace('"', '""')
    return f'"{quoted}"'


def _text(text: str) -> str:
    """Return a text as QGIS expressions quote it.

    Examples
    --------
    >>> print(_text("O'Коннор"))
    'O''Коннор'
    """
    escaped = text.replace("\\", "\\\\").replace("'", "''").replace("\n", "\\n")
    # in a map tip "%]" would end the expression
    return "('{}')".format(escaped.replace("%]", "%' || ']")) if "%]" in escaped else f"'{escaped}'"


def _xml(text: str) -> str:
    """Drop the characters that XML 1.0 cannot hold."""
    return re.sub("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)


# --- layer_styles ---------------------------------------------------------------------------------------

_TABLE = """CREATE TABLE "layer_styles" ( "id" INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
"f_table_catalog" TEXT(256), "f_table_schema" TEXT(256), "f_table_name" TEXT(256), "f_geometry_column" TEXT(256),
"styleName" TEXT(30), "styleQML" TEXT, "styleSLD" TEXT, "useAsDefault" BOOLEAN, "description" TEXT,
"owner" TEXT(30), "ui" TEXT(30), "update_time" DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')))"""
# as OGR makes them, so that its count of rows stays right when QGIS adds a style
_TRIGGERS = (
    """CREATE TRIGGER IF NOT EXISTS "trigger_insert_feature_count_layer_styles" AFTER INSERT ON "layer_styles"
BEGIN UPDATE gpkg_ogr_contents SET feature_count = feature_count + 1
WHERE lower(table_name) = lower('layer_styles'); END""",
    """CREATE TRIGGER IF NOT EXISTS "trigger_delete_feature_count_layer_styles" AFTER DELETE ON "layer_styles"
BEGIN UPDATE gpkg_ogr_contents SET feature_count = feature_count - 1
WHERE lower(table_name) = lower('layer_styles'); END""",
)
_COLUMNS = (
    "f_table_catalog", "f_table_schema", "f_table_name", "f_geometry_column", "styleName", "styleQML", "styleSLD",
    "useAsDefault", "description", "owner", "ui", "update_time",
)  # fmt: skip


def write_styles(gpkg: Path, styles: Mapping[str, str], *, language: str = "en") -> None:
    """Store styles in a GeoPackage so that QGIS opens its layers with them.

    One transaction: all styles or none. Writing the same again changes no byte; another style of a layer
    stays in the table but is no longer its default.

    Parameters
    ----------
    gpkg : Path
        An existing GeoPackage that no other program holds open for writing.
    styles : mapping of str to str
        Layer name to QML from ``qml``.
    language : str
        Language of the description that QGIS lists.

    Raises
    ------
    InputError
        When the file is no GeoPackage, a layer does not exist in it, a QML is no XML, or the file cannot be
        written.

    Examples
    --------
    >>> import tempfile
    >>> import geopandas as gpd
    >>> folder = tempfile.TemporaryDirectory()
    >>> file = Path(folder.name) / "made_up.gpkg"
    >>> places = gpd.GeoDataFrame({"t": [1.0]}, geometry=gpd.points_from_xy([67], [48]), crs=4326)
    >>> places.to_file(file, layer="places")
    >>> write_styles(file, {"places": "<qgis/>"})
    >>> write_styles(file, {})
    >>> write_styles(file, {"place": "<qgis/>"})
    Traceback (most recent call last):
        ...
    kazgeo.errors.InputError: layer 'place' is not a layer of 'made_up.gpkg'; did you mean 'places'?
    >>> folder.cleanup()
    """
    gpkg = Path(gpkg)
    description = speaker(language).translate("Style by KazGeo")
    for layer, text in styles.items():
        try:
            ET.fromstring(text)  # noqa: S314 - our own text, checked before it reaches QGIS
        except ET.ParseError as error:
            words = f"style of layer '{layer}' is not XML ({error}); make it with kazgeo.qgis_style.qml"
            raise InputError(words) from error
    if not gpkg.is_file():
        what = "a folder" if gpkg.is_dir() else "not there"
        raise InputError(f"gpkg must be an existing GeoPackage; '{gpkg}' is {what}; write the layers first")
    try:
        with closing(sqlite3.connect(f"{gpkg.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None)) as base:
            _store(base, gpkg, styles, description)
    except sqlite3.Error as error:
        raise InputError(
            f"gpkg: cannot write styles into '{gpkg}': {error}; give a GeoPackage that may be written and close it in "
            "other programs"
        ) from error


def _store(base: sqlite3.Connection, gpkg: Path, styles: Mapping[str, str], description: str) -> None:
    geometry = dict(base.execute("SELECT table_name, column_name FROM gpkg_geometry_columns"))
    for layer in styles:
        if layer not in geometry:
            raise unknown("layer", layer, geometry, f"a layer of '{gpkg.name}'")
    exists = base.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'layer_styles'").fetchone()
    rows = [_row(layer, geometry[layer], text, description) for layer, text in sorted(styles.items())]
    if exists and all(_same(base, row) for row in rows):
        return
    base.execute("BEGIN IMMEDIATE")
    try:
        if not exists and rows:
            base.execute(_TABLE)
        for row in rows:
            _put(base, row)
        if rows:
            _register(base)
        base.execute("COMMIT")
    except BaseException:
        base.execute("ROLLBACK")
        raise


def _row(layer: str, geometry: str, text: str, description: str) -> tuple[object, ...]:
    # QGIS asks for an empty schema, not for NULL; its table holds 30 characters of a name
    return ("", "", layer, geometry, layer[:30], text, None, 1, description, "", None, UPDATE_TIME)


def _same(base: sqlite3.Connection, row: Sequence[object]) -> bool:
    found = base.execute(
        f"SELECT {', '.join(_COLUMNS)} FROM layer_styles WHERE f_table_name = ? AND useAsDefault = 1",  # noqa: S608
        (row[2],),
    ).fetchall()
    return found == [tuple(row)]


def _put(base: sqlite3.Connection, row: Sequence[object]) -> None:
    base.execute("UPDATE layer_styles SET useAsDefault = 0 WHERE f_table_name = ?", (row[2],))
    where = "f_table_name = ? AND f_geometry_column = ? AND styleName = ?"
    found = base.execute(f"SELECT min(id) FROM layer_styles WHERE {where}", row[2:5]).fetchone()[0]  # noqa: S608
    if found is None:
        holes = ", ".join("?" * len(_COLUMNS))
        base.execute(f"INSERT INTO layer_styles ({', '.join(_COLUMNS)}) VALUES ({holes})", tuple(row))  # noqa: S608
    else:
        values = ", ".join(f"{name} = ?" for name in _COLUMNS)
        base.execute(f"UPDATE layer_styles SET {values} WHERE id = ?", (*row, found))  # noqa: S608


def _register(base: sqlite3.Connection) -> None:
    """Tell GeoPackage readers of the table, as an attributes layer."""
    found = base.execute("SELECT 1 FROM gpkg_contents WHERE table_name = 'layer_styles'").fetchone()
    if not found:
        base.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change, srs_id) "
            "VALUES ('layer_styles', 'attributes', 'layer_styles', '', ?, 0)",
            (UPDATE_TIME,),
        )
    counted = base.execute("SELECT 1 FROM sqlite_master WHERE name = 'gpkg_ogr_contents'").fetchone()
    if counted:
        for trigger in _TRIGGERS:
            base.execute(trigger)
        number = base.execute("SELECT count(*) FROM layer_styles").fetchone()[0]
        base.execute("INSERT OR REPLACE INTO gpkg_ogr_contents VALUES ('layer_styles', ?)", (number,))
