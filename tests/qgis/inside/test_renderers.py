"""How QGIS draws a layer, read as plain JSON: every feature is in the class in which QGIS draws it."""

import math

import pytest
from conftest import DATA, run
from test_layers import make_squares


def class_of(style, value) -> str:
    """Return the label of the class that the style gives to a value; "" for none."""
    from qgis.core import NULL

    if value is None or value == NULL or (isinstance(value, float) and math.isnan(value)):
        return ""
    if style["kind"] == "categorical":
        for one in style["classes"]:
            values = one["value"] if isinstance(one["value"], list) else [one["value"]]
            if text(value) in values:
                return one["label"]
        return ""
    last = len(style["classes"]) - 1
    for place, one in enumerate(style["classes"]):
        low = -math.inf if one["lower"] is None else one["lower"]
        high = math.inf if one["upper"] is None else one["upper"]
        if low <= value < high or (place == last and value == high):
            return one["label"]
    return ""


def text(value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def drawn_as(layer, feature) -> set:
    """Return the labels of the classes in which QGIS draws a feature."""
    from qgis.core import QgsRenderContext

    renderer, context = layer.renderer().clone(), QgsRenderContext()
    context.expressionContext().appendScopes(_scopes(layer))
    context.expressionContext().setFeature(feature)
    renderer.startRender(context, layer.fields())
    keys = renderer.legendKeysForFeature(feature, context)
    labels = {i.label() for i in renderer.legendSymbolItems() if i.ruleKey() in keys}
    renderer.stopRender(context)
    return labels


def _scopes(layer):
    from qgis.core import QgsExpressionContextUtils

    return QgsExpressionContextUtils.globalProjectLayerScopes(layer)


def compare(layer) -> dict:
    """Check that every feature is in the same class here and in QGIS; return the style."""
    from kazgeo_qgis.renderers import read

    style = read(layer)
    seen = 0
    for feature in layer.getFeatures():
        value = feature[style["column"]] if style["column"] else None
        wanted, here = drawn_as(layer, feature), class_of(style, value)
        if here:
            assert here in wanted, (value, here, wanted)
            seen += 1
        else:
            assert not wanted or wanted == {style["missing_label"]}, (value, wanted)
    assert seen
    return style


def graduated(layer, limits, field="мән"):
    from qgis.core import QgsGraduatedSymbolRenderer, QgsRendererRange, QgsSymbol

    ranges = []
    for i, (low, high) in enumerate(limits):
        symbol = QgsSymbol.defaultSymbol(layer.geometryType())
        ranges.append(QgsRendererRange(low, high, symbol, f"{low} - {high}"))
        symbol.setOpacity(1 - i / 10)
    layer.setRenderer(QgsGraduatedSymbolRenderer(field, ranges))
    return layer


def test_ranges_with_values_on_their_limits(qgis_app):
    style = compare(graduated(make_squares(), [(0, 2), (2, 4), (4, 6)]))
    assert style["kind"] == "graduated"
    assert len({one["color"] for one in style["classes"]}) == 3


def test_ranges_with_a_gap_and_one_switched_off(qgis_app):
    layer = graduated(make_squares(), [(0, 1), (3, 4), (4, 6)])
    renderer = layer.renderer().clone()
    renderer.updateRangeRenderState(1, False)
    layer.setRenderer(renderer)
    from kazgeo_qgis.renderers import read

    assert [one["hidden"] for one in read(layer)["classes"]] == [False, True, False]


def categorized(layer, field, values):
    from qgis.core import QgsCategorizedSymbolRenderer, QgsRendererCategory, QgsSymbol

    made = [QgsRendererCategory(value, QgsSymbol.defaultSymbol(layer.geometryType()), label) for value, label in values]
    layer.setRenderer(QgsCategorizedSymbolRenderer(field, made))
    return layer


def test_categories_numbers_texts_lists_and_all_others(qgis_app):
    from qgis.core import NULL

    assert (
        compare(categorized(make_squares(), "P", [(0, "нөл"), (1, "бір"), ([2, 3], "екі-үш")]))["kind"] == "categorical"
    )
    layer = categorized(make_squares(), "Аты", [("Ақмола 1", "бір"), (NULL, "бос"), ("", "қалғаны")])
    assert compare(layer)["column"] == "Аты"
    style = compare(categorized(make_squares(), '"мән"', [(float(i), f"к{i}") for i in range(7)]))
    assert style["column"] == "мән"


def test_one_symbol_and_the_name_of_a_feature(qgis_app):
    from kazgeo_qgis.renderers import read

    layer = make_squares()
    layer.setDisplayExpression('"Аты"')
    style = read(layer)
    assert style["kind"] == "single"
    assert [one["label"] for one in style["classes"]] == ["Шаршылар"]
    assert style["name_column"] == "Аты"


def test_only_fields_with_an_alias_are_shown(qgis_app):
    from kazgeo_qgis.renderers import read

    layer = make_squares()
    layer.setFieldAlias(layer.fields().indexOf("мән"), "Мәні, %")
    assert [(f["column"], f["label"]) for f in read(layer)["fields"]] == [("мән", "Мәні, %")]


@pytest.mark.parametrize("kind", ["heat", "inverted", "expression", "rules", "none"])
def test_what_a_web_map_cannot_show_is_refused_in_a_sentence(qgis_app, kind):
    from kazgeo_qgis.renderers import CannotRead, read
    from qgis.core import (
        QgsHeatmapRenderer,
        QgsInvertedPolygonRenderer,
        QgsNullSymbolRenderer,
        QgsRuleBasedRenderer,
        QgsSymbol,
    )

    layer = make_squares()
    if kind == "expression":
        categorized(layer, 'left("Аты", 3)', [("Ақм", "Ақмола")])
    elif kind == "rules":
        renderer = QgsRuleBasedRenderer(QgsSymbol.defaultSymbol(layer.geometryType()))
        rule = renderer.rootRule().children()[0]
        rule.setFilterExpression('"мән" > 3 OR "P" = 2')
        layer.setRenderer(renderer)
    else:
        made = {"heat": QgsHeatmapRenderer, "inverted": QgsInvertedPolygonRenderer, "none": QgsNullSymbolRenderer}
        layer.setRenderer(made[kind]())
    with pytest.raises(CannotRead) as error:
        read(layer)
    assert "Шаршылар" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.fixture(scope="module")
def results(provider, engine, tmp_path_factory):
    """Return results of KazGeo as QGIS opens them: classes, ranges, points with sizes, lines."""
    from qgis.core import QgsVectorLayer

    folder = tmp_path_factory.mktemp("results")
    regions, panel = str(DATA / "regions_2009.gpkg"), str(DATA / "indicators.csv")
    grp = {"PANEL": panel, "INDICATOR": "grp_per_capita"}
    roads = str(folder / "roads.gpkg")
    run("road_network", EDGES=str(DATA / "roads.csv"), NODES=str(DATA / "road_nodes.csv"), OUTPUT=roads)
    uri = f"file://{DATA / 'settlements.csv'}?type=csv&detectTypes=yes&xField=lon&yField=lat&crs=EPSG:4326"
    places = QgsVectorLayer(uri, "places", "delimitedtext")
    given = {
        "indicator_map": {"REGIONS": regions, **grp, "YEAR": 2015},
        "inequality": {"REGIONS": regions, **grp, "POPULATION": "population", "FIRST_YEAR": 2009, "LAST_YEAR": 2020},
        "deprivation": {"REGIONS": regions, "PANEL": panel, "MORE_IS_BETTER": "grp_per_capita", "FIRST_YEAR": 2009,
                        "LAST_YEAR": 2020},
        "local_moran": {"UNITS": places, "INDICATOR": "population", "NEIGHBOURS": "nearest"},
        "remoteness": {"SETTLEMENTS": places, "ROADS": roads, "POPULATION": "population"},
        "travel_time": {"SETTLEMENTS": places, "ROADS": roads, "POPULATION": "population", "MIN_POPULATION": 50000},
    }  # fmt: skip
    made = {"road_network": roads}
    for name, parameters in given.items():
        made[name] = run(name, **parameters, OUTPUT=str(folder / f"{name}.gpkg"))["OUTPUT"]
    return {name: QgsVectorLayer(path, name, "ogr") for name, path in made.items()}


NAMES = ("indicator_map", "inequality", "deprivation", "local_moran", "remoteness", "travel_time", "road_network")


@pytest.mark.parametrize("name", NAMES)
def test_our_own_styles_come_back_class_by_class(results, name):
    style = compare(results[name])
    assert style["kind"] in ("graduated", "categorical")
    assert style["title"]
    assert len(style["classes"]) >= 2
    assert style["fields"] or name == "road_network"


@pytest.mark.parametrize("name", NAMES)
def test_a_web_map_of_it_is_made(results, name, tmp_path):
    from kazgeo_qgis.engine.client import client
    from kazgeo_qgis.layers_in import HandOver
    from kazgeo_qgis.web_map import job_for
    from qgis.core import QgsProcessingFeedback, QgsProject

    layer = results[name]
    QgsProject.instance().addMapLayer(layer.clone())
    with HandOver() as hand:
        job, said = job_for([layer], "Карта", str(tmp_path / "map.html"), hand)
        done = client.run(job, QgsProcessingFeedback())
    assert said == []
    page = (tmp_path / "map.html").read_text(encoding="utf-8")
    assert done["file"] == str(tmp_path / "map.html")
    for item in job["layers"][0]["style"]["classes"]:
        assert item["color"] in page
    QgsProject.instance().clear()
    client.stop()
