"""What a layer looks like in QGIS as plain JSON: classes, colours, names. The engine makes a web map of it."""

from __future__ import annotations

import math
import re
import sys

from qgis.core import NULL, Qgis, QgsExpression, QgsRenderContext, QgsSymbolLayer, QgsWkbTypes
from qgis.PyQt.QtCore import QDate, QDateTime, Qt

from kazgeo_qgis.words import tr

__all__ = ["CannotRead", "read"]


class CannotRead(Exception):
    """A way of drawing that a web map does not have, in one sentence for the reader."""


# as kazgeo/qgis_style.py writes them; QGIS keeps the text of a filter as it is
_NUMBER = r"(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)"
_NAME = r'"((?:[^"]|"")+)"'
_RULE = re.compile(rf'{_NAME} IS NOT NULL(?: AND "\1" >= {_NUMBER})?(?: AND "\1" (<=?) {_NUMBER})?')
_SIZE = re.compile(rf"max\([\d.]+, [\d.]+ \* sqrt\(max\(0, coalesce\({_NAME}, 0\) / [\d.e+-]+\)\)\)")

_NUMBERS = ("int", "uint", "qlonglong", "qulonglong", "double")


def read(layer) -> dict:
    """Return how a vector layer is drawn now, as plain JSON.

    Parameters
    ----------
    layer : QgsVectorLayer
        A valid layer drawn by categories, by ranges, by KazGeo's own rules or by one symbol.

    Returns
    -------
    dict
        ``column`` (None for one symbol), ``title``, ``kind`` ("categorical", "graduated", "single"), ``unit``,
        ``decimals``, ``classes``, ``missing_label`` (empty: the engine's own word), ``missing_color``,
        ``missing_hidden`` (QGIS draws no feature that is in no class), ``name_column``, ``size_column``, ``fields``.
        A categorical class has ``value``: a text, or several that share the class; the last class that has a value
        draws it. A graduated one has ``lower`` and ``upper`` (None: open), lower <= x < upper, the last closed at both
        ends; they ascend, and one that lies around another comes twice.

    Raises
    ------
    CannotRead
        The layer is drawn in another way.
    """
    renderer = layer.renderer()
    kind = renderer.type() if renderer is not None else "none"
    reader = {"categorizedSymbol": _categories, "graduatedSymbol": _ranges, "RuleRenderer": _rules,
              "singleSymbol": _single}.get(kind)  # fmt: skip
    if reader is None:
        raise _cannot(layer)
    style = {"column": None, "title": layer.name(), "kind": "single", "unit": "", "decimals": 0, "classes": [],
             "missing_label": "", "missing_color": "#d9d9d9", "missing_hidden": True}  # fmt: skip
    style.update(reader(layer, renderer))
    if any(_own_colors(symbol) for symbol in renderer.symbols(QgsRenderContext())):
        raise _cannot(layer)
    if not style["classes"]:
        raise CannotRead(tr("{layer}: the layer has no classes yet; classify it in its properties", layer=layer.name()))
    if style["column"] is not None:
        style["title"] = _alias(layer, style["column"]) or style["column"]
    for one in style["classes"]:
        one["color"] = _over_white(one["color"], layer.opacity())
    style["missing_color"] = _over_white(style["missing_color"], layer.opacity())
    style["name_column"] = _name_column(layer)
    style["size_column"] = _size_column(layer)
    style["fields"] = _fields(layer, style["column"])
    return style


def _cannot(layer) -> CannotRead:
    return CannotRead(
        tr(
            "{layer}: a web map can show categories, graduated classes, one symbol and KazGeo's own styles; "
            "choose one of them in the layer's properties",
            layer=layer.name(),
        )
    )


# --- renderers ------------------------------------------------------------------------------------------


def _single(layer, renderer) -> dict:
    return {"classes": [{"color": _color(renderer.symbol()), "label": layer.name(), "hidden": False}]}


def _categories(layer, renderer) -> dict:
    if not renderer.categories():
        return {}
    out = {"kind": "categorical", "column": _column(layer, renderer.classAttribute()), "classes": []}
    for category in renderer.categories():
        value, hidden = category.value(), not category.renderState()
        look = {"color": _color(category.symbol()), "label": category.label(), "hidden": hidden}
        if isinstance(value, (list, tuple)):  # an empty text among several is no more than an empty text
            out["classes"].append({**look, "value": [_text(v) for v in value if v != NULL]})
        elif _is_nothing(value):  # "all other values", missing ones among them
            out.update(_missing(look))
        else:
            out["classes"].append({**look, "value": _text(value)})
    if not out["classes"]:  # nothing but "all other values": one symbol for all
        label = out["missing_label"] or layer.name()
        one = {"color": out["missing_color"], "label": label, "hidden": out["missing_hidden"]}
        return {"classes": [one], "missing_hidden": True}
    return out


def _ranges(layer, renderer) -> dict:
    if not renderer.ranges():
        return {}
    ends = [(r.lowerValue(), r.upperValue()) for r in renderer.ranges()]
    found, taken = [[] for _ in ends], []
    # the first range of the list that has a value draws it, both ends are inside; only then a range that is near
    for inside in ([(low, _next_up(high)) for low, high in ends], [_near(low, high) for low, high in ends]):
        for pieces, (lower, beyond) in zip(found, inside):
            pieces += _free(lower, beyond, taken)
            taken.append((lower, beyond))
    classes = []
    for one, pieces in zip(renderer.ranges(), found):
        look = {"color": _color(one.symbol()), "label": one.label(), "hidden": not one.renderState()}
        classes += [{**look, "lower": a, "upper": b} for a, b in _joined(pieces)]
    if len({c["color"] for c in classes}) == 1 < len(classes):  # they differ by size or width
        raise _cannot(layer)
    classes.sort(key=lambda c: (c["lower"], c["upper"]))
    if classes and math.isfinite(classes[-1]["upper"]):
        classes[-1]["upper"] = _next_down(classes[-1]["upper"])  # the last is closed
    return _graduated(_column(layer, renderer.classAttribute()), classes)


def _near(low: float, high: float) -> tuple:
    """Return what QGIS finds near enough to a range, qgsDoubleNear: low - e <= x < high + e."""
    near = 4 * sys.float_info.epsilon
    lower, beyond = low - near, high + near
    lower = _next_up(lower) if low - lower > near else lower
    beyond = _next_up(beyond) if beyond - high < near else beyond
    return (lower, beyond) if low <= high else (low, low)


def _free(lower: float, upper: float, taken: list) -> list:
    """Return what other intervals leave of an interval, all of them lower <= x < upper."""
    pieces = [(lower, upper)] if lower < upper else []
    for low, high in taken:
        cut = [(a, min(b, low)) for a, b in pieces] + [(max(a, high), b) for a, b in pieces]
        pieces = [(a, b) for a, b in cut if a < b]
    return pieces


def _joined(pieces: list) -> list:
    """Return intervals in order, those that touch as one."""
    out = []
    for lower, upper in sorted(pieces):
        if out and out[-1][1] == lower:
            lower = out.pop()[0]
        out.append((lower, upper))
    return out


def _rules(layer, renderer) -> dict:
    columns, classes, rest = set(), [], {}
    for rule in renderer.rootRule().children():
        if rule.children() or rule.symbol() is None:
            raise _cannot(layer)
        hidden = not rule.active()
        if rule.isElse():
            rest = _missing({"color": _color(rule.symbol()), "label": rule.label(), "hidden": hidden})
            continue
        found = _RULE.fullmatch(rule.filterExpression().strip())
        if found is None:
            raise _cannot(layer)
        column, low, sign, high = found.groups()
        columns.add(column.replace('""', '"'))
        lower, upper = float(low or "-inf"), float(high or "inf")
        look = {"color": _color(rule.symbol()), "label": rule.label(), "hidden": hidden}
        classes.append({**look, "lower": lower, "upper": upper, "closed": sign == "<="})
    classes.sort(key=lambda c: (c["lower"], c["upper"]))
    overlap = any(a["upper"] > b["lower"] for a, b in zip(classes, classes[1:]))  # QGIS draws both, one over the other
    if len(columns) > 1 or overlap:
        raise _cannot(layer)
    for place, one in enumerate(classes):
        last = place == len(classes) - 1
        if one.pop("closed"):
            one["upper"] = one["upper"] if last else _next_up(one["upper"])
        elif last and math.isfinite(one["upper"]):
            one["upper"] = _next_down(one["upper"])  # the class above was taken away; the last is closed
    column = _column(layer, QgsExpression.quotedColumnRef(columns.pop())) if columns else None
    return {**_graduated(column, classes), **rest}


def _graduated(column, classes) -> dict:
    decimals = _decimals(classes)
    for one in classes:
        for end in ("lower", "upper"):
            one[end] = one[end] if math.isfinite(one[end]) else None
    return {"kind": "graduated", "column": column, "decimals": decimals, "classes": classes}


def _missing(look: dict) -> dict:
    return {f"missing_{key}": value for key, value in look.items()}


def _is_nothing(value) -> bool:
    """Return whether a category is that of all other values."""
    return value is None or value == "" or (value == NULL and value.typeName() not in _NUMBERS)


def _text(value) -> str:
    """Return a value as the engine compares it with categories: 3.0 is "3", midnight is the day."""
    if value == NULL:  # a number's NULL, which QGIS compares as 0; only scripts make it
        return "0"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, QDate):
        return value.toString(Qt.DateFormat.ISODate)
    if isinstance(value, QDateTime):
        return value.toString("yyyy-MM-ddTHH:mm:ss.zzz")
    return str(value)


def _next_up(value: float) -> float:
    return math.nextafter(value, math.inf)


def _next_down(value: float) -> float:
    return math.nextafter(value, -math.inf)


def _decimals(classes) -> int:
    """Return how many decimals the labels show, or those that the limits have when the labels show no limits."""
    limits = [(str(c["label"]), v) for c in classes for v in (c["lower"], c["upper"]) if math.isfinite(v)]
    for decimals in range(7):
        if all(_digits(v, decimals) in _tokens(label) for label, v in limits):
            return decimals
    for decimals in range(7):
        if all(abs(round(v, decimals) - v) <= 1e-9 * max(1.0, abs(v)) for _, v in limits):
            return decimals
    return 2


def _digits(value: float, decimals: int) -> str:
    return re.sub(r"\D", "", f"{round(value, decimals):.{decimals}f}")


def _tokens(label: str) -> set:
    """Return the digits of every number of a label, whatever separates thousands and decimals."""
    numbers = re.findall(r"\d+(?:[\s.,'’]\d+)*", label)
    return {re.sub(r"\D", "", n) for n in numbers}


# --- colours --------------------------------------------------------------------------------------------


def _color(symbol) -> str:
    """Return the colour that a legend shows: of a line's top layer, of an area's lowest one, over white."""
    if symbol is None:
        return "#ffffff"
    parts = [symbol.symbolLayer(i) for i in range(symbol.symbolLayerCount())]
    parts = [p for p in parts if p.enabled()] or parts
    if not parts:
        return "#ffffff"
    # a line's casing and an area's hatch are no colour of the class
    part = parts[-1 if symbol.type() == Qgis.SymbolType.Line else 0]
    color = part.color()
    brush = part.brushStyle() if part.layerType() == "SimpleFill" else None
    if (color.alpha() == 0 or brush == Qt.BrushStyle.NoBrush) and part.strokeColor().isValid():
        color = part.strokeColor()  # drawn by its outline only
    return _over_white(color.name(), color.alphaF() * symbol.opacity())


def _over_white(color: str, share: float) -> str:
    """Return how a colour looks on white when it lets a part of the light through."""
    parts = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    return "#{:02x}{:02x}{:02x}".format(*(round(255 - share * (255 - part)) for part in parts))


def _own_colors(symbol) -> bool:
    """Return whether features have colours of their own, which no legend shows."""
    if symbol is None:
        return False
    kinds = QgsSymbolLayer.Property
    parts = [symbol.symbolLayer(i).dataDefinedProperties() for i in range(symbol.symbolLayerCount())]
    return any(p.isActive(kind) for p in parts for kind in (kinds.PropertyFillColor, kinds.PropertyStrokeColor))


# --- columns --------------------------------------------------------------------------------------------


def _column(layer, attribute: str) -> str:
    """Return the field that a renderer goes by, found as QGIS finds it: capitals and aliases are no matter."""
    fields = layer.fields()
    for name in (attribute, _plain_column(attribute)):
        place = fields.lookupField(name) if name else -1
        if place >= 0:
            return fields[place].name()
    raise CannotRead(
        tr(
            "{layer}: the classes come from an expression ({expression}), a web map needs a field; "
            "store the expression in a field first",
            layer=layer.name(),
            expression=attribute,
        )
    )


def _plain_column(text: str):
    expression = QgsExpression(text)
    return next(iter(expression.referencedColumns()), None) if expression.isField() else None


def _alias(layer, column: str) -> str:
    place = layer.fields().indexOf(column)
    return layer.attributeAlias(place) if place >= 0 else ""


def _name_column(layer):
    """Return the field whose text names a feature; of lines only one that is surely a name, QGIS guesses others."""
    column = _plain_column(layer.displayExpression())
    place = layer.fields().indexOf(column) if column is not None else -1
    if place < 0 or place in layer.primaryKeyAttributes():
        return None
    is_line = layer.geometryType() == QgsWkbTypes.GeometryType.LineGeometry
    return None if is_line and not column.lower().startswith("name") else column


def _size_column(layer):
    """Return the field that sizes the circles of one of KazGeo's own styles."""
    for symbol in layer.renderer().symbols(QgsRenderContext())[:1]:
        if symbol.symbolLayerCount():
            one = symbol.symbolLayer(0).dataDefinedProperties().property(QgsSymbolLayer.Property.PropertySize)
            found = _SIZE.fullmatch(one.expressionString()) if one.isActive() else None
            column = found[1].replace('""', '"') if found else None
            return column if column is not None and layer.fields().indexOf(column) >= 0 else None
    return None


def _fields(layer, drawn) -> list:
    """Return the fields that have an alias: what their author meant to be read."""
    out = []
    for place, field in enumerate(layer.fields()):
        label = layer.attributeAlias(place)
        if not label or field.name() == drawn:
            continue
        shown = re.search(
            rf"format_number\({re.escape(QgsExpression.quotedColumnRef(field.name()))}, (\d+)",
            layer.mapTipTemplate(),
        )
        decimals = int(shown[1]) if shown else None
        terms = _terms(layer.editorWidgetSetup(place))
        out.append({"column": field.name(), "label": label, "decimals": decimals, "terms": terms})
    return out


def _terms(setup) -> list:
    """Return the words of a coded field as pairs of code and word."""
    if setup.type() != "ValueMap":
        return []
    found = setup.config().get("map") or []
    pairs = [pair for one in (found if isinstance(found, list) else [found]) for pair in one.items()]
    return [[_text(code), word] for word, code in pairs]
