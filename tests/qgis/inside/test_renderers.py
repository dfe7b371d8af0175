"""A web map shows what QGIS shows: the class of every feature, four times over.

According to QGIS's renderer, to the picture it draws, to the style of ``renderers.read`` and to the page made of it.
"""

import math
import sqlite3
import subprocess

import pytest
from conftest import DATA
from drawn import (
    BLUE,
    GREEN,
    GREY,
    RED,
    agreed,
    by_page,
    by_picture,
    by_style,
    categories,
    dot,
    page_of,
    points,
    ranges,
    unreadable,
)


@pytest.fixture(scope="module")
def results(engine, tmp_path_factory):
    """Return the demo project's GeoPackage in Kazakh: every style that KazGeo writes."""
    out = tmp_path_factory.mktemp("demo")
    command = [engine, "-c", "from kazgeo.cli import main; main()", "run", str(DATA / "project.toml")]
    command += ["--out", str(out), "--language", "kk"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return out / "results.gpkg"


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
    assert len(names) >= 12
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


def test_our_own_rules_on_the_picture(engine, qgis_app, tmp_path):
    """A class that is switched off is not drawn as missing."""
    from qgis.core import QgsRuleBasedRenderer

    layer = points([1.0, 2.0, 2.5, 3.0, 9.0, None])
    root = QgsRuleBasedRenderer.Rule(None)
    renderer = QgsRuleBasedRenderer(root)
    for color, text, label in (
        (RED, '"мән" IS NOT NULL AND "мән" < 2.0', "< 2"),
        (BLUE, '"мән" IS NOT NULL AND "мән" >= 2.0 AND "мән" < 3.0', "2 – 3"),
        (GREEN, '"мән" IS NOT NULL AND "мән" >= 3.0 AND "мән" <= 5.0', "3 – 5"),
        (GREY, "ELSE", "дерек жоқ"),
    ):
        root.appendChild(QgsRuleBasedRenderer.Rule(dot(color), filterExp=text, label=label))
    layer.setRenderer(renderer)
    assert agreed(layer, engine, tmp_path)[1] == [RED, BLUE, BLUE, GREEN, GREY, GREY]
    renderer.rootRule().children()[1].setActive(False)
    assert agreed(layer, engine, tmp_path)[1] == [RED, None, None, GREEN, GREY, GREY]
    renderer.rootRule().children()[3].setActive(False)
    assert agreed(layer, engine, tmp_path)[1] == [RED, None, None, GREEN, None, None]


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
    from qgis.PyQt.QtCore import QVariant

    layer = points(["а", None, "", "б"], "string")
    layer.setRenderer(categories(("а", RED, "A"), (QVariant(), GREY, "белгісіз")))
    assert agreed(layer, engine, tmp_path)[1] == [RED, GREY, GREY, GREY]
    layer.setRenderer(categories(("а", RED, "A"), (NULL, GREY, "a number's NULL"), (None, BLUE, "none")))
    agreed(layer, engine, tmp_path)
    layer = points([1, None, 0], "integer")
    layer.setRenderer(categories((1, RED, "A"), (NULL, GREY, "QGIS 3.22 takes it for 0")))
    agreed(layer, engine, tmp_path)


def test_categories_switched_off_doubled_shared_and_empty(engine, qgis_app, tmp_path):
    layer = points(["а", "б", "в", "г", None, "д"], "string")
    off = categories(("а", RED, "A"), ("б", BLUE, "B", False), ("", GREY, "басқа"))
    layer.setRenderer(off)
    _, colors, theme, said = agreed(layer, engine, tmp_path)
    assert colors == [RED, None, GREY, GREY, GREY, GREY]
    assert [r["label"] for r in theme["legend"]["rows"]] == ["A"]
    assert len(said) == 1
    layer.setRenderer(categories(("а", RED, "A"), (["а", "б"], BLUE, "B"), ("г", GREEN, "C")))
    assert agreed(layer, engine, tmp_path)[1] == [BLUE, BLUE, None, GREEN, None, None]
    layer.setRenderer(categories(("а", RED, "A"), ("", GREY, "басқа", False)))
    assert agreed(layer, engine, tmp_path)[1] == [RED] + [None] * 5
    layer.setRenderer(categories(("", GREY, "барлығы"), (["а", "б"], BLUE, "B")))
    assert agreed(layer, engine, tmp_path)[1] == [BLUE, BLUE, GREY, GREY, GREY, GREY]
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


def test_an_empty_text_among_several(engine, qgis_app, tmp_path):
    from kazgeo_qgis.renderers import read

    layer = points(["а", "", None, "б"], "string")
    layer.setRenderer(categories((["а", ""], RED, "A")))
    assert list(by_picture(layer).values()) == [RED, RED, None, None], "QGIS's symbols say something else"
    assert by_style(layer, read(layer)) == by_picture(layer)
    data, _ = page_of(layer, engine, tmp_path)
    assert by_page(layer, data) == by_picture(layer)


def test_a_layer_that_no_page_can_show_leaves_the_others(qgis_app):
    from kazgeo_qgis.web_map import look_at
    from qgis.core import QgsHeatmapRenderer

    bad, good = points([1.0]), points([2.0])
    bad.setRenderer(QgsHeatmapRenderer())
    seen, said = look_at([bad, good])
    assert len(seen) == len(said) == 1


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
