"""Run by the system's Python with QGIS: open each layer as QGIS does and tell as JSON what it shows.

python3 describe_layers.py RESULTS.gpkg OUT_FOLDER LAYER...
"""

import json
import os
import sys
from pathlib import Path

from qgis.core import (
    QgsApplication,
    QgsExpression,
    QgsExpressionContext,
    QgsExpressionContextUtils,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsRenderContext,
    QgsSymbol,
    QgsVectorLayer,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor


def classes(renderer):
    """Return value, label, colour and brush of every class, in the order of QGIS's legend."""
    found = []
    for item in renderer.legendSymbolItems():
        symbol = item.symbol()
        layers = [symbol.symbolLayer(i) for i in range(symbol.symbolLayerCount())]
        brushes = [layer.properties().get("style", "") for layer in layers]
        shapes = [layer.properties().get("name", "") for layer in layers]
        pens = [[p.get("line_style", ""), p.get("line_width", "")] for p in (layer.properties() for layer in layers)]
        told = {"label": item.label(), "color": layers[-1].color().name(), "brushes": brushes, "shapes": shapes}
        if renderer_draws_areas(symbol):
            told["color"] = symbol.color().name()
        found.append({**told, "pens": pens})
    if renderer.type() == "categorizedSymbol":
        for place, category in enumerate(renderer.categories()):
            found[place]["value"] = str(category.value() or "")
    if renderer.type() == "graduatedSymbol":
        for place, found_range in enumerate(renderer.ranges()):
            found[place]["value"] = [found_range.lowerValue(), found_range.upperValue()]
    return found


def renderer_draws_areas(symbol):
    """Return whether a symbol is a fill: its first layer has the colour of the class, a second one its hatch."""
    return symbol.type() == QgsSymbol.Fill


def features(layer):
    """Return for every feature the class it is drawn in, its symbol's size and its map tip."""
    renderer = layer.renderer().clone()
    context = QgsRenderContext()
    context.expressionContext().appendScopes(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
    renderer.startRender(context, layer.fields())
    labels = {item.ruleKey(): item.label() for item in renderer.legendSymbolItems()}
    found = []
    for feature in layer.getFeatures():
        context.expressionContext().setFeature(feature)
        keys = sorted(renderer.legendKeysForFeature(feature, context))
        tip = QgsExpressionContext(QgsExpressionContextUtils.globalProjectLayerScopes(layer))
        tip.setFeature(feature)
        text = QgsExpression.replaceExpressionText(layer.mapTipTemplate(), tip)
        symbols = renderer.symbolsForFeature(feature, context)
        size = None
        if symbols and hasattr(symbols[0], "size"):
            marker = symbols[0].symbolLayer(0)
            made = marker.dataDefinedProperties().property(marker.PropertySize)
            size = made.valueAsDouble(context.expressionContext(), marker.size())[0]
        found.append(
            {"fid": feature.id(), "classes": [labels[k] for k in keys if k in labels], "size": size, "tip": text}
        )
    renderer.stopRender(context)
    return found


def render(layer, path):
    """Draw the layer alone on white."""
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(layer.crs())
    settings.setOutputSize(QSize(900, 600))
    extent = layer.extent()
    extent.scale(1.1)
    settings.setExtent(extent)
    settings.setBackgroundColor(QColor("white"))
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    job.renderedImage().save(str(path))


def main():
    """Print one JSON object: layer name to what QGIS makes of it."""
    gpkg, out, names = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    app = QgsApplication([], False)
    app.initQgis()
    told, said = {}, []
    QgsApplication.messageLog().messageReceived.connect(lambda text, tag, level: said.append([level, tag, text]))
    for name in names:
        layer = QgsVectorLayer(
            f"{gpkg}|layername={name}", name, "ogr"
        )  # loads the default style, as a dropped file does
        count, _ids, styles, _, error = layer.listStylesInDatabase()
        told[name] = {
            "count": layer.featureCount(),
            "aliases": {f.name(): f.alias() for f in layer.fields() if f.alias()},
            "fields": [f.name() for f in layer.fields()],
            "geometry": QgsWkbTypes.geometryDisplayString(layer.geometryType()),
            "valid": layer.isValid(),
            "styles": styles[:count],
            "error": error,
        }
        if layer.renderer() is None:  # a table
            told[name]["features"] = sum(1 for _ in layer.getFeatures())
            continue
        told[name] |= {
            "renderer": layer.renderer().type(),
            "classes": classes(layer.renderer()),
            "widgets": {
                f.name(): f.editorWidgetSetup().config() for f in layer.fields() if f.editorWidgetSetup().config()
            },
            "display": layer.displayExpression(),
            "features": features(layer),
        }
        render(layer, out / f"{name}.png")
    told[""] = {"said": said}
    print(json.dumps(told, ensure_ascii=False), flush=True)
    os._exit(0)  # QGIS may crash in its own clean-up when Python still holds layers


main()
