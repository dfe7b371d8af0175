"""A web map shows what QGIS shows: the class of every feature, three times over.

According to QGIS's own renderer, to the style that ``renderers.read`` returns, and to the page made of it.
"""

import base64
import gzip
import json
import math
import re
import sqlite3
import subprocess

import pytest
from conftest import DATA

EXPORT = """
import json, sys
from kazgeo.worker.webmap import export
file, said = export(json.load(sys.stdin), lambda fraction, message: None)
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def results(engine, tmp_path_factory):
    """Return the demo project's GeoPackage in Kazakh: every style that KazGeo writes."""
    out = tmp_path_factory.mktemp("demo")
    command = [engine, "-m", "kazgeo.cli", "run", str(DATA / "project.toml"), "--out", str(out), "--language", "kk"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return out / "results.gpkg"


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
        assert len(symbols) <= 1
        parts = [s.symbolLayer(s.symbolLayerCount() - 1 if is_line else 0).color().name() for s in symbols]
        out[feature.id()] = parts[0] if parts else None
    renderer.stopRender(context)
    return out


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
    from kazgeo_qgis.web_map import job_for

    target = folder / "page.html"
    with HandOver() as hand:
        job, said = job_for([layer], "T", str(target), hand)
        assert said == []
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

    style = json.loads(json.dumps(read(layer), allow_nan=False))
    wanted = by_qgis(layer)
    assert wanted
    assert by_style(layer, style) == wanted
    data, said = page_of(layer, engine, folder)
    assert by_page(layer, data) == wanted
    return style, list(wanted.values()), data["themes"][0], said


# --- layers ---------------------------------------------------------------------------------------------


def points(values, kind="double", shape="Point"):
    """Return a memory layer of points in a row with a value each."""
    from qgis.core import QgsFeature, QgsGeometry, QgsPointXY, QgsVectorLayer

    layer = QgsVectorLayer(f"{shape}?crs=EPSG:4326&field=мән:{kind}&field=name:string", "Нүктелер", "memory")
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


# --- KazGeo's own styles --------------------------------------------------------------------------------


def test_every_style_of_the_demo_gives_the_same_classes(results, engine, tmp_path):
    from qgis.core import QgsVectorLayer

    with sqlite3.connect(results) as base:
        names = [row[0] for row in base.execute("SELECT f_table_name FROM layer_styles WHERE useAsDefault = 1")]
    seen, kinds, sized = set(), set(), 0
    for name in sorted(names):
        layer = QgsVectorLayer(f"{results}|layername={name}", name, "ogr")
        style, _, theme, said = agreed(layer, engine, tmp_path)
        assert said == [], name
        labels = [c["label"] for c in style["classes"]]
        assert [row["label"] for row in theme["legend"]["rows"]] == labels
        assert theme["value"]["label"] == layer.attributeAlias(layer.fields().indexOf(style["column"])) != ""
        assert [f["label"] for f in theme["fields"]] == [f["label"] for f in style["fields"]]
        seen.add(layer.renderer().type())
        kinds.add(theme["kind"])
        sized += theme["legend"]["sizes"] is not None
    assert len(names) >= 20
    assert seen == {"categorizedSymbol", "graduatedSymbol", "RuleRenderer"}
    assert kinds == {"polygon", "point", "line"}
    assert sized


@pytest.mark.parametrize("missing", [False, True])
def test_values_on_the_limits_of_our_own_style(engine, qgis_app, tmp_path, missing):
    """Limits of all sizes; a value on each, and its neighbours on both sides."""
    from qgis.core import QgsVectorLayer

    file = tmp_path / "r.gpkg"
    code = f"""
import geopandas as gpd, numpy as np
from pathlib import Path
from kazgeo import qgis_style
from kazgeo.style import Theme, graduated
limits = [-0.3, 0.0, 1e-7, 0.1 + 0.2, 60.0, 1234567.891]
x = [v for b in limits for v in (np.nextafter(b, -9e9), b, np.nextafter(b, 9e9))] + [float("nan")] * {missing}
data = gpd.GeoDataFrame({{"v": x}}, geometry=gpd.points_from_xy(np.linspace(60, 70, len(x)), [48] * len(x)), crs=4326)
style = graduated("v", "time", limits, ["#111111", "#222222", "#333333", "#444444", "#555555"])
data = data[(data["v"] >= limits[0]) & (data["v"] <= limits[-1]) | data["v"].isna()]
data.to_file("{file}", layer="v", driver="GPKG", VERSION="1.2")
qgis_style.write_styles(Path("{file}"), {{"v": qgis_style.qml(Theme("v", "V", data, style))}})
"""
    subprocess.run([engine, "-c", code], check=True)
    layer = QgsVectorLayer(f"{file}|layername=v", "v", "ogr")
    assert layer.renderer().type() == ("RuleRenderer" if missing else "graduatedSymbol")
    _, colors, _, _ = agreed(layer, engine, tmp_path)
    wanted = [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 5]
    assert colors == [f"#{str(n) * 6}" for n in wanted] + ["#d9d9d9"] * missing


def test_our_own_rules_with_one_switched_off_or_taken_away(results, engine, tmp_path):
    from qgis.core import QgsVectorLayer

    with sqlite3.connect(results) as base:
        found = base.execute("SELECT f_table_name FROM layer_styles WHERE styleQML LIKE '%RuleRenderer%'").fetchall()
    for off, gone in ((0, None), (None, 0), (None, -2), (-1, None)):
        layer = QgsVectorLayer(f"{results}|layername={found[0][0]}", "l", "ogr")
        root = layer.renderer().rootRule()
        if off is not None:
            root.children()[off].setActive(False)
        if gone is not None:
            root.removeChildAt(gone % len(root.children()))
        _, colors, _, said = agreed(layer, engine, tmp_path)
        assert (None in colors) == (off is not None)
        assert len(said) == (off is not None)


# --- QGIS's own renderers -------------------------------------------------------------------------------


def test_one_symbol(engine, qgis_app, tmp_path):
    from qgis.core import QgsSingleSymbolRenderer

    layer = points([1.0, None, 3.0])
    layer.setRenderer(QgsSingleSymbolRenderer(dot(RED)))
    style, colors, theme, said = agreed(layer, engine, tmp_path)
    assert (colors, said) == ([RED] * 3, [])
    assert [(r["label"], r["count"]) for r in theme["legend"]["rows"]] == [("Нүктелер", "3")]
    assert style["name_column"] == "name"


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("string", ["а", "б", "", None, "ұзақ <b>", "3"]),
        ("integer", [1, 2, 2, None, -5, 1_000_000]),
        ("int8", [1, 10**15, 10**16, 7, 8]),
        ("double", [1.0, 2.5, 1e6, None, 1e-5, 1e16, 123456.75, 0.1 + 0.2]),
        ("bool", [True, False, True]),
        ("date", ["2020-01-02", "2021-12-31", None]),
    ],
)
def test_categories_of_every_kind_of_field(engine, qgis_app, tmp_path, kind, values):
    from qgis.core import NULL
    from qgis.PyQt.QtCore import QDate

    values = [QDate.fromString(v, "yyyy-MM-dd") if kind == "date" and v else v for v in values]
    layer = points(values, kind)
    known = [f["мән"] for f in layer.getFeatures() if f["мән"] != NULL]
    known = [v for at, v in enumerate(known) if v not in known[:at] and v != ""]
    made = [(v, f"#{17 * (at + 1):06x}", f"class {at}") for at, v in enumerate(known)]
    layer.setRenderer(categories(*made))
    _, colors, _, _ = agreed(layer, engine, tmp_path)
    assert len(set(colors) - {None}) == len(known)
    # the last of them has no class, "all other values" there is: without a word of its own, then with one
    layer.setRenderer(categories(*made[:-1], ("", GREY, "")))
    _, colors, theme, _ = agreed(layer, engine, tmp_path)
    assert None not in colors
    assert [r["label"] for r in theme["legend"]["rows"]][-1:] == ["outside the classes"]
    assert theme["legend"]["missing"]["label"] == "no data"
    layer.setRenderer(categories(*made[:-1], ("", GREY, "басқалары")))
    _, colors, theme, _ = agreed(layer, engine, tmp_path)
    assert theme["legend"]["missing"]["label"] == "басқалары"
    assert theme["legend"]["missing"]["count"] == str(colors.count(GREY))


def test_category_of_null_alone(engine, qgis_app, tmp_path):
    from qgis.core import NULL

    layer = points(["а", None, "", "б"], "string")
    layer.setRenderer(categories(("а", RED, "A"), (NULL, GREY, "белгісіз")))
    _, colors, _, _ = agreed(layer, engine, tmp_path)
    assert colors[1] == GREY


def test_categories_switched_off_doubled_shared_and_empty(engine, qgis_app, tmp_path):
    layer = points(["а", "б", "в", "г", None, "д"], "string")
    off = categories(("а", RED, "A"), ("б", BLUE, "B", False), ("", GREY, "басқа"))
    layer.setRenderer(off)
    _, colors, theme, said = agreed(layer, engine, tmp_path)
    assert colors == [RED, None, GREY, GREY, GREY, GREY]
    assert [r["label"] for r in theme["legend"]["rows"]] == ["A"]
    assert len(said) == 1
    layer.setRenderer(categories(("а", RED, "A"), (["а", "б"], BLUE, "B"), (["в", ""], GREEN, "C")))
    assert agreed(layer, engine, tmp_path)[1] == [BLUE, BLUE, GREEN, GREEN, GREEN, GREEN]
    layer.setRenderer(categories(("а", RED, "A"), ("", GREY, "басқа", False)))
    assert agreed(layer, engine, tmp_path)[1] == [RED] + [None] * 5
    layer.setRenderer(categories(("", GREY, "барлығы")))
    _, colors, theme, _ = agreed(layer, engine, tmp_path)
    assert colors == [GREY] * 6
    assert theme["legend"]["rows"][0]["label"] == "барлығы"


@pytest.mark.parametrize(
    "given",
    [
        [(0, 10, RED, "a"), (10, 20, BLUE, "b"), (20, 30, GREEN, "c")],
        [(20, 30, GREEN, "c"), (10, 20, BLUE, "b"), (0, 10, RED, "a")],  # the limit is the upper class's
        [(0, 10, RED, "a"), (10, 20, BLUE, "b", False), (20, 30, GREEN, "c")],
        [(0, 10, RED, "a"), (10, 20, BLUE, "b"), (20, 30, GREEN, "c", False)],
        [(0, 12, RED, "a"), (8, 20, BLUE, "b")],  # one over the other
        [(8, 20, BLUE, "b"), (0, 12, RED, "a")],
        [(0, 9, RED, "a"), (11, 20, BLUE, "b")],  # a hole
        [(0, 0, RED, "none"), (0, 10, BLUE, "b"), (10, 10, GREEN, "never")],
        [(10, 12, RED, "inner"), (0, 30, BLUE, "outer")],
        [(-math.inf, 10, RED, "a"), (10, math.inf, BLUE, "b")],
    ],
)
def test_ranges_on_their_limits(engine, qgis_app, tmp_path, given):
    limits = [float(v) for v in (0, 8, 9, 10, 11, 12, 20, 30)]
    values = [v for b in limits for v in (math.nextafter(b, -99), b, math.nextafter(b, 99))]
    layer = points([*values, None])
    layer.setRenderer(ranges(*given))
    agreed(layer, engine, tmp_path)


def test_ranges_keep_labels_and_tell_what_is_left_out(engine, qgis_app, tmp_path):
    layer = points([1.0, 2.5, 5.0, 9.0, None])
    layer.setRenderer(ranges((0, 2.5, RED, "0,0 – 2,5"), (2.5, 5, BLUE, "көп", False)))
    style, colors, theme, said = agreed(layer, engine, tmp_path)
    assert colors == [RED, RED, None, None, None]
    assert [r["label"] for r in theme["legend"]["rows"]] == ["0,0 – 2,5"]
    assert len(said) == 2
    assert style["decimals"] == 1


def test_a_field_is_found_as_qgis_finds_it(engine, qgis_app, tmp_path):
    layer = points([1.0, 15.0])
    for column in ('"мән"', "МӘН", "Шама"):
        layer.setFieldAlias(0, "Шама")
        layer.setRenderer(ranges((0, 10, RED, "a"), (10, 20, BLUE, "b"), column=column))
        style, colors, _, _ = agreed(layer, engine, tmp_path)
        assert colors == [RED, BLUE]
        assert (style["column"], style["title"]) == ("мән", "Шама")


def test_virtual_and_joined_fields_arrive(engine, qgis_app, tmp_path):
    from qgis.core import QgsField
    from qgis.PyQt.QtCore import QVariant

    layer = points([1.0, 15.0, 7.0])
    layer.addExpressionField('"мән" * 2', QgsField("екі есе", QVariant.Double))
    layer.setRenderer(ranges((0, 14, RED, "a"), (14, 40, BLUE, "b"), column="екі есе"))
    assert agreed(layer, engine, tmp_path)[1] == [RED, BLUE, RED]


def test_words_of_codes_and_names(engine, qgis_app, tmp_path):
    from qgis.core import QgsEditorWidgetSetup

    layer = points([1, 2, None], "integer")
    layer.setFieldAlias(0, "Түрі")
    layer.setEditorWidgetSetup(0, QgsEditorWidgetSetup("ValueMap", {"map": [{"қала": "1"}, {"ауыл": "2"}]}))
    layer.setRenderer(categories(("нүкте 0", RED, "A"), ("", BLUE, "B"), column="name"))
    layer.setDisplayExpression('"name"')
    style, _, theme, _ = agreed(layer, engine, tmp_path)
    field = {"column": "мән", "label": "Түрі", "decimals": None, "terms": [["1", "қала"], ["2", "ауыл"]]}
    assert style["fields"] == [field]
    text = (tmp_path / "page.html").read_text()
    assert '["қала","ауыл",null]' in text, "codes with a missing one are numbers with a point to pandas"
    assert theme["fields"][0]["label"] == "Түрі"


# --- colours --------------------------------------------------------------------------------------------


def test_colours_as_they_look_on_white(qgis_app):
    from kazgeo_qgis.renderers import read
    from qgis.core import (
        QgsFillSymbol,
        QgsLineSymbol,
        QgsMarkerSymbol,
        QgsSimpleFillSymbolLayer,
        QgsSimpleLineSymbolLayer,
        QgsSingleSymbolRenderer,
        QgsVectorLayer,
    )
    from qgis.PyQt.QtGui import QColor

    def look(kind, symbol, opacity=1.0):
        layer = QgsVectorLayer(f"{kind}?crs=EPSG:4326", "l", "memory")
        layer.setRenderer(QgsSingleSymbolRenderer(symbol.clone()))
        layer.setOpacity(opacity)
        return read(layer)["classes"][0]["color"]

    assert look("Point", QgsMarkerSymbol.createSimple({"color": "255,0,0,128"})) == "#ff7f7f"
    assert look("Point", QgsMarkerSymbol.createSimple({"color": RED}), 0.5) == "#ff8080"
    area = QgsFillSymbol.createSimple({"color": "1,2,3", "outline_color": BLUE})
    assert look("Polygon", area) == "#010203"
    area.appendSymbolLayer(QgsSimpleLineSymbolLayer(QColor(RED)))
    assert look("Polygon", area) == "#010203", "an outline above is not the area's colour"
    assert look("Polygon", QgsFillSymbol.createSimple({"style": "no", "outline_color": BLUE})) == BLUE
    assert look("Polygon", QgsFillSymbol.createSimple({"color": "0,0,0,0", "outline_color": BLUE})) == BLUE
    hatched = QgsFillSymbol.createSimple({"color": GREEN})
    hatched.appendSymbolLayer(QgsSimpleFillSymbolLayer(QColor(RED)))
    assert look("Polygon", hatched) == GREEN
    cased = QgsLineSymbol.createSimple({"color": "0,0,0"})
    cased.appendSymbolLayer(QgsSimpleLineSymbolLayer(QColor(RED)))
    assert look("LineString", cased) == RED
    cased.symbolLayer(1).setEnabled(False)
    assert look("LineString", cased) == "#000000"


# --- what a web map does not have -----------------------------------------------------------------------


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


@pytest.mark.parametrize("language", ["en", "kk"])
def test_what_no_page_can_show_is_told_in_one_sentence(qgis_app, monkeypatch, language):
    from kazgeo_qgis import words
    from kazgeo_qgis.renderers import CannotRead, read

    monkeypatch.setattr(words, "language", lambda: language)
    for name, renderer in unreadable().items():
        layer = points([1.0, 2.0])
        layer.setRenderer(renderer)
        with pytest.raises(CannotRead) as told:
            read(layer)
        text = str(told.value)
        assert text.startswith("Нүктелер: "), name
        assert "\n" not in text
        assert ". " not in text
        assert ("a web map" in text or "classif" in text) == (language == "en"), text


def test_a_layer_that_no_page_can_show_leaves_the_others(engine, qgis_app, tmp_path):
    from kazgeo_qgis.layers_in import HandOver
    from kazgeo_qgis.web_map import job_for
    from qgis.core import QgsHeatmapRenderer

    bad, good = points([1.0]), points([2.0])
    bad.setRenderer(QgsHeatmapRenderer())
    with HandOver() as hand:
        job, said = job_for([bad, good], "T", str(tmp_path / "p.html"), hand)
        assert len(job["layers"]) == len(said) == 1


def test_several_points_of_a_feature_and_lines(engine, qgis_app, tmp_path):
    from qgis.core import QgsGeometry, QgsLineSymbol, QgsSingleSymbolRenderer

    layer = points([1.0], shape="MultiPoint")
    layer.dataProvider().changeGeometryValues({1: QgsGeometry.fromWkt("MultiPoint((66 48),(67 49))")})
    layer.setRenderer(QgsSingleSymbolRenderer(dot(RED)))
    data, said = page_of(layer, engine, tmp_path)
    assert data["themes"][0]["legend"]["rows"][0]["count"] == "2"
    assert said == []
    lines = points([1.0, 2.0], shape="LineString")
    lines.setRenderer(QgsSingleSymbolRenderer(QgsLineSymbol.createSimple({"color": BLUE})))
    style, colors, theme, _ = agreed(lines, engine, tmp_path)
    assert (colors, theme["kind"]) == ([BLUE, BLUE], "line")
    assert style["name_column"] == "name"
