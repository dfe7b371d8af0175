"""What a layer looks like according to QGIS, to its picture, to the plugin's style and to the page; layers to ask."""

import base64
import gzip
import json
import math
import re
import subprocess

EXPORT = """
import json, sys
from kazgeo.worker.webmap import export
file, said = export(json.load(sys.stdin), lambda fraction, message: None)
print(json.dumps(said))
"""


# --- three opinions -------------------------------------------------------------------------------------


def by_qgis(layer):
    """Return the colour of every feature's symbol by its key, None where QGIS draws nothing."""
    from qgis.core import QgsExpressionContextUtils, QgsRenderContext, QgsWkbTypes

    context = QgsRenderContext()
    context.expressionContext().appendScopes(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
    context.expressionContext().setFields(layer.fields())
    renderer, out = layer.renderer().clone(), {}
    is_line = layer.geometryType() == QgsWkbTypes.GeometryType.LineGeometry
    renderer.startRender(context, layer.fields())
    for feature in layer.getFeatures():
        context.expressionContext().setFeature(feature)
        symbols = renderer.symbolsForFeature(feature, context)
        if renderer.type() == "RuleRenderer":  # that would count ELSE always
            symbols = _by_rules(renderer.rootRule().children(), feature, context)
        assert len(symbols) <= 1
        parts = [s.symbolLayer(s.symbolLayerCount() - 1 if is_line else 0).color().name() for s in symbols]
        out[feature.id()] = parts[0] if parts else None
    renderer.stopRender(context)
    return out


def _by_rules(rules, feature, context):
    met = [r for r in rules if not r.isElse() and r.isFilterOK(feature, context)]
    return [r.symbol() for r in met or [r for r in rules if r.isElse()] if r.active()]


def by_picture(layer):
    """Return the same of a few points in a row from the picture that QGIS makes: the pixel in the middle of each."""
    from qgis.core import QgsMapRendererSequentialJob, QgsMapSettings, QgsRectangle
    from qgis.PyQt.QtCore import QSize
    from qgis.PyQt.QtGui import QColor

    settings, n = QgsMapSettings(), layer.featureCount()
    found = {f.id(): f.geometry().asPoint() for f in layer.getFeatures()}
    first, last = min(p.x() for p in found.values()), max(p.x() for p in found.values())
    step = (last - first) / (n - 1)
    settings.setLayers([layer])
    settings.setDestinationCrs(layer.crs())
    settings.setExtent(QgsRectangle(first - step / 2, 48 - step / 2, last + step / 2, 48 + step / 2))
    settings.setOutputSize(QSize(21 * n, 21))
    settings.setBackgroundColor(QColor("white"))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    picture = job.renderedImage()
    colors = {k: picture.pixelColor(int((p.x() - first) / step * 21 + 10.5), 10).name() for k, p in found.items()}
    return {k: None if c == "#ffffff" else c for k, c in colors.items()}


def by_style(layer, style):
    """Return the same, as anyone would read the style."""
    return {f.id(): _in_style(f[style["column"]] if style["column"] else None, style) for f in layer.getFeatures()}


def _in_style(value, style):
    from qgis.core import NULL
    from qgis.PyQt.QtCore import QDate

    found, last = None, len(style["classes"]) - 1
    if isinstance(value, QDate):
        value = value.toPyDate()
    if isinstance(value, float) and value.is_integer() and style["kind"] == "categorical":
        value = int(value)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    for place, one in enumerate(style["classes"]):
        if style["kind"] == "single":
            return None if one["hidden"] else one["color"]
        if value is None or value == NULL:
            continue
        if style["kind"] == "categorical":
            inside = text in (one["value"] if isinstance(one["value"], list) else [one["value"]])
        else:
            low = -math.inf if one["lower"] is None else one["lower"]
            high = math.inf if one["upper"] is None else one["upper"]
            inside = low <= value < high or (place == last and value == high)
        found = one if inside else found
    if found is None:
        return None if style["missing_hidden"] else style["missing_color"]
    return None if found["hidden"] else found["color"]


def page_of(layer, engine, folder):
    """Return the data of the page made of a layer, and what was told."""
    from kazgeo_qgis.layers_in import HandOver
    from kazgeo_qgis.web_map import hand_over, look_at

    target = folder / "page.html"
    seen, said = look_at([layer])
    assert said == []
    with HandOver() as hand:
        job = {"title": "T", "language": "en", "target": str(target), "layers": hand_over(seen, hand)}
        sent = json.dumps(job, allow_nan=False)
        done = subprocess.run([engine, "-c", EXPORT], input=sent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = re.search(r'<script type="application/(\w+)" id="kazgeo-data">(.*?)</script>', target.read_text())
    kind, text = found.groups()
    return json.loads(text if kind == "json" else gzip.decompress(base64.b64decode(text))), json.loads(done.stdout)


def by_page(layer, data):
    """Return the same from the page's data."""
    theme, columns, names = data["themes"][0], data["columns"], data["shapes"][0]["names"]
    colors, codes = [*theme["colors"], theme["missing_color"]], columns[theme["codes"]]
    # the last column of names holds the rows of the file, which QGIS has in the same order
    rows = [int(i) for i in columns[names[-1]]] if names else range(len(codes))
    ids = sorted(f.id() for f in layer.getFeatures())
    return {**dict.fromkeys(ids), **{ids[row]: colors[code] for row, code in zip(rows, codes, strict=True)}}


def agreed(layer, engine, folder):
    """Return style, colours by feature, theme and messages when all three agree on every feature."""
    from kazgeo_qgis.renderers import read
    from qgis.core import QgsWkbTypes

    style = json.loads(json.dumps(read(layer), allow_nan=False))
    wanted = by_qgis(layer)
    assert wanted
    if 1 < layer.featureCount() < 40 and layer.wkbType() == QgsWkbTypes.Type.Point:
        assert by_picture(layer) == wanted
    assert by_style(layer, style) == wanted
    data, said = page_of(layer, engine, folder)
    assert by_page(layer, data) == wanted
    return style, list(wanted.values()), data["themes"][0], said


# --- layers ---------------------------------------------------------------------------------------------


def points(values, kind="double", shape="Point"):
    """Return a memory layer of points in a row with a value each."""
    from qgis.core import QgsFeature, QgsGeometry, QgsPointXY, QgsVectorLayer

    size = "double(0,0)" if kind == "double" else kind  # else QGIS writes five decimals only
    layer = QgsVectorLayer(f"{shape}?crs=EPSG:4326&field=мән:{size}&field=name:string", "Нүктелер", "memory")
    made = []
    for i, value in enumerate(values):
        feature = QgsFeature(layer.fields())
        here, north = QgsPointXY(66 + i, 48), QgsPointXY(66 + i, 49)
        line = shape == "LineString"
        feature.setGeometry(QgsGeometry.fromPolylineXY([here, north]) if line else QgsGeometry.fromPointXY(here))
        feature.setAttributes([value, f"нүкте {i}"])
        made.append(feature)
    assert layer.dataProvider().addFeatures(made)[0]
    return layer


def dot(color, **more):
    from qgis.core import QgsMarkerSymbol

    return QgsMarkerSymbol.createSimple({"color": color, **more})


def categories(*given, column="мән"):
    """Return a renderer of (value, colour, label[, shown])."""
    from qgis.core import QgsCategorizedSymbolRenderer, QgsRendererCategory

    return QgsCategorizedSymbolRenderer(
        column, [QgsRendererCategory(value, dot(color), label, *shown) for value, color, label, *shown in given]
    )


def ranges(*given, column="мән"):
    """Return a renderer of (lower, upper, colour, label[, shown])."""
    from qgis.core import QgsGraduatedSymbolRenderer, QgsRendererRange

    made = [QgsRendererRange(low, high, dot(color), label, *shown) for low, high, color, label, *shown in given]
    return QgsGraduatedSymbolRenderer(column, made)


RED, BLUE, GREEN, GREY = "#ff0000", "#0000ff", "#008000", "#808080"


def unreadable():
    """Return renderers by name that no page can show."""
    from qgis.core import (
        Qgs25DRenderer,
        QgsHeatmapRenderer,
        QgsNullSymbolRenderer,
        QgsPointClusterRenderer,
        QgsPointDisplacementRenderer,
        QgsProperty,
        QgsRuleBasedRenderer,
        QgsSingleSymbolRenderer,
        QgsSymbolLayer,
    )

    native = QgsRuleBasedRenderer(dot(RED))
    native.rootRule().children()[0].setFilterExpression('"мән" > 3 OR "name" LIKE \'н%\'')
    nested = QgsRuleBasedRenderer(dot(RED))
    nested.rootRule().children()[0].appendChild(QgsRuleBasedRenderer.Rule(dot(BLUE)))
    twice = QgsRuleBasedRenderer(dot(RED))
    twice.rootRule().children()[0].setFilterExpression('"мән" IS NOT NULL AND "мән" < 3.0')
    twice.rootRule().appendChild(QgsRuleBasedRenderer.Rule(dot(BLUE), filterExp='"мән" IS NOT NULL AND "мән" >= 2.0'))
    painted = dot(RED)
    own = QgsProperty.fromExpression("color_rgb(1, 2, 3)")
    painted.symbolLayer(0).setDataDefinedProperty(QgsSymbolLayer.Property.PropertyFillColor, own)
    by_size = ranges((0, 10, RED, "a"), (10, 20, RED, "b"))
    return {
        "heatmap": QgsHeatmapRenderer(), "2.5D": Qgs25DRenderer(), "cluster": QgsPointClusterRenderer(),
        "displacement": QgsPointDisplacementRenderer(), "none": QgsNullSymbolRenderer(), "rule": native,
        "nested": nested, "overlapping": twice, "own colours": QgsSingleSymbolRenderer(painted), "by size": by_size,
        "expression": ranges((0, 10, RED, "a"), column='"мән" * 2'),
        "category of an expression": categories(("а", RED, "A"), column='left("name", 1)'),
        "no classes": categories(), "no ranges": ranges(column=""),
    }  # fmt: skip
