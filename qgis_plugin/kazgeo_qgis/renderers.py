"""What a layer looks like in QGIS as plain JSON: classes, colours, names. The engine makes a web map of it."""

from __future__ import annotations

import math
import re

from qgis.core import NULL, QgsExpression, QgsSymbolLayer, QgsWkbTypes

from kazgeo_qgis.words import tr

__all__ = ["CannotRead", "read"]


class CannotRead(Exception):
    """A way of drawing that a web map does not have, in one sentence for the reader."""


# as kazgeo/qgis_style.py writes them; QGIS keeps the text of a filter as it is
_NUMBER = r"(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)"
_NAME = r'"((?:[^"]|"")+)"'
_RULE = re.compile(rf'{_NAME} IS NOT NULL(?: AND "\1" >= {_NUMBER})?(?: AND "\1" (<=?) {_NUMBER})?')
_SIZE = re.compile(rf"max\([\d.]+, [\d.]+ \* sqrt\(max\(0, coalesce\({_NAME}, 0\) / [\d.e+]+\)\)\)")


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
        A categorical class has ``value``: a text, or several that share the class; a graduated one has ``lower`` and
        ``upper`` (None: open), lower <= x < upper, the last closed at both ends.

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
    if not style["classes"]:
        raise CannotRead(tr("{layer}: the layer has no classes yet; classify it in its properties", layer=layer.name()))
    if style["column"] is not None:
        style["title"] = _alias(layer, style["column"]) or style["column"]
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
    out = {"kind": "categorical", "column": _column(layer, renderer.classAttribute()), "classes": []}
    for category in renderer.categories():
        value, hidden = category.value(), not category.renderState()
        if _is_nothing(value):  # "all other values", missing ones among them
            out.update(_missing(category.label(), category.symbol(), hidden))
            continue
        values = [_text(v) for v in value] if isinstance(value, (list, tuple)) else _text(value)
        look = {"color": _color(category.symbol()), "label": category.label()}
        out["classes"].append({**look, "value": values, "hidden": hidden})
    return out


def _ranges(layer, renderer) -> dict:
    classes = [
        {"color": _color(r.symbol()), "label": r.label(), "lower": r.lowerValue(), "upper": r.upperValue(),
         "hidden": not r.renderState()}
        for r in renderer.ranges()
    ]  # fmt: skip
    classes.sort(key=lambda c: (c["lower"], c["upper"]))
    for this, following in zip(classes, classes[1:]):
        upper, lower = this["upper"], following["lower"]
        if upper < lower and lower - upper <= 4e-15 * max(abs(lower), abs(upper), 1e-300):
            this["upper"] = lower  # our own style: the limit belongs to the class above
        else:  # QGIS: a limit belongs to the first class that has it, which is the class below
            this["upper"] = _next_up(upper)
            following["lower"] = max(lower, this["upper"])
    return _graduated(_column(layer, renderer.classAttribute()), classes)


def _rules(layer, renderer) -> dict:
    columns, classes, rest = set(), [], {}
    for rule in renderer.rootRule().children():
        if rule.children() or rule.symbol() is None:
            raise _cannot(layer)
        hidden = not rule.active()
        if rule.isElse():
            rest = _missing(rule.label(), rule.symbol(), hidden)
            continue
        found = _RULE.fullmatch(rule.filterExpression().strip())
        if found is None:
            raise _cannot(layer)
        column, low, sign, high = found.groups()
        columns.add(column.replace('""', '"'))
        lower, upper = float(low or "-inf"), float(high or "inf")
        look = {"color": _color(rule.symbol()), "label": rule.label(), "hidden": hidden}
        classes.append({**look, "lower": lower, "upper": upper, "closed": sign == "<="})
    if len(columns) > 1:
        raise _cannot(layer)
    classes.sort(key=lambda c: (c["lower"], c["upper"]))
    for place, one in enumerate(classes):
        last = place == len(classes) - 1
        if one.pop("closed"):
            one["upper"] = one["upper"] if last else _next_up(one["upper"])
        elif last and math.isfinite(one["upper"]):
            one["upper"] = -_next_up(-one["upper"])  # the class above was taken away; the last is closed
    column = _column(layer, QgsExpression.quotedColumnRef(columns.pop())) if columns else None
    return {**_graduated(column, classes), **rest}


def _graduated(column, classes) -> dict:
    decimals = _decimals(classes)
    for one in classes:
        for end in ("lower", "upper"):
            one[end] = one[end] if math.isfinite(one[end]) else None
    return {"kind": "graduated", "column": column, "decimals": decimals, "classes": classes}


def _missing(label: str, symbol, hidden: bool) -> dict:
    return {"missing_label": label, "missing_color": _color(symbol), "missing_hidden": hidden}


def _is_nothing(value) -> bool:
    return value is None or value == NULL or value == ""


def _text(value) -> str:
    """Return a value as QGIS compares it with categories."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return value.toString() if hasattr(value, "toString") else str(value)


def _next_up(value: float) -> float:
    return math.nextafter(value, math.inf)


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
    color = (parts[-1] if parts[-1].layerType().endswith("Line") else parts[0]).color()
    if color.alpha() == 0 and parts[0].strokeColor().isValid():  # drawn by its outline only
        color = parts[0].strokeColor()
    share = color.alphaF() * symbol.opacity()
    mixed = [round(255 - share * (255 - c)) for c in (color.red(), color.green(), color.blue())]
    return "#{:02x}{:02x}{:02x}".format(*mixed)


# --- columns --------------------------------------------------------------------------------------------


def _column(layer, attribute: str) -> str:
    """Return the field that a renderer goes by."""
    if layer.fields().indexOf(attribute) >= 0:
        return attribute
    column = _plain_column(attribute)
    if column is not None and layer.fields().indexOf(column) >= 0:
        return column
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
    from qgis.core import QgsRenderContext

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
