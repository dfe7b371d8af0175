"""Every algorithm as QGIS holds it: built, described in three languages, run with its defaults, wrong inputs told."""

import json
import math

import pytest
from conftest import DATA, ROOT, run

REGIONS = str(DATA / "regions_2009.gpkg")
PANEL = str(DATA / "indicators.csv")
YEARS = {"FIRST_YEAR": 2009, "LAST_YEAR": 2020}


@pytest.fixture(scope="module")
def road_layer(provider, engine, tmp_path_factory):
    target = tmp_path_factory.mktemp("roads") / "roads.gpkg"
    run("road_network", EDGES=str(DATA / "roads.csv"), NODES=str(DATA / "road_nodes.csv"), OUTPUT=str(target))
    run("friction_surface", ROADS=str(target), CELL_M=40_000, OUTPUT=str(target.with_name("friction.tif")))
    return str(target)


@pytest.fixture(scope="module")
def places(qgis_app):
    """Return settlements as QGIS opens a text file of points."""
    from qgis.core import QgsVectorLayer

    uri = f"file://{DATA / 'settlements.csv'}?type=csv&detectTypes=yes&xField=lon&yField=lat&crs=EPSG:4326"
    layer = QgsVectorLayer(uri, "places", "delimitedtext")
    assert layer.isValid()
    return layer


@pytest.fixture(scope="module")
def land(qgis_app):
    """Return regions with numbers of their own, as virtual fields."""
    from qgis.core import QgsField, QgsVectorLayer
    from qgis.PyQt.QtCore import QVariant

    layer = QgsVectorLayer(REGIONS, "land", "ogr")
    for field, expression in (("v", "$id * $id"), ("mark", "$id % 2"), ("extent", "1000 + $id * 37 % 11")):
        layer.addExpressionField(expression, QgsField(field, QVariant.Double))
    return layer


def inputs(name: str, roads: str, places: str, land: object = None) -> dict:
    """Return the least that an algorithm needs."""
    reforms = {"REFORMS": str(DATA / "reforms.csv"), "METADATA": str(DATA / "indicators_meta.csv")}
    panel = {"PANEL": PANEL, "INDICATOR": "grp_per_capita"}
    near = {"UNITS": places, "NEIGHBOURS": "nearest"}
    return {
        "harmonise": {"PANEL": PANEL, **reforms},
        "facility_access": {"REGION": "region", "SETTLEMENTS": places, "FACILITIES": places, "ROADS": roads},
        "opportunities": {"REGION": "region", "SETTLEMENTS": places, "FACILITIES": places, "ROADS": roads},
        "floating_catchment": {
            "REGION": "region",
            "SETTLEMENTS": places,
            "FACILITIES": places,
            "ROADS": roads,
            "POPULATION": "population",
            "CAPACITY": "population",
        },
        "travel_time_matrix": {"SETTLEMENTS": places, "ROADS": roads},
        "gravity_flows": {"SETTLEMENTS": places, "FACILITIES": places, "ROADS": roads, "POPULATION": "population"},
        "market_potential": {"REGION": "region", "SETTLEMENTS": places, "ROADS": roads, "POPULATION": "population"},
        "access_inequality": {
            "LINE": 5.0,
            "INCOME": "extent",
            "GROUP": "macro_region",
            "UNITS": land,
            "ACCESS": "v",
            "POPULATION": "extent",
        },
        "isochrones": {"SETTLEMENTS": places, "ROADS": roads, "POPULATION": "population", "MIN_POPULATION": 200_000},
        "reached_roads": {"SETTLEMENTS": places, "ROADS": roads, "POPULATION": "population", "MIN_POPULATION": 200_000},
        "single_roads": {
            "REGION": "region",
            "SETTLEMENTS": places,
            "ROADS": roads,
            "POPULATION": "population",
            "MIN_POPULATION": 50_000,
        },
        "critical_roads": {
            "SETTLEMENTS": places,
            "ROADS": roads,
            "POPULATION": "population",
            "MIN_POPULATION": 50_000,
        },
        "travel_time_uncertainty": {
            "REGION": "region",
            "SETTLEMENTS": places,
            "ROADS": roads,
            "POPULATION": "population",
            "MIN_POPULATION": 50_000,
            "DRAWS": 19,
        },
        "rural_access": {"REGION": "region", "SETTLEMENTS": places, "ROADS": roads, "POPULATION": "population"},
        "season_effect": {
            "REGION": "region",
            "SETTLEMENTS": places,
            "ROADS": roads,
            "POPULATION": "population",
            "MIN_POPULATION": 50_000,
        },
        "detour_index": {
            "REGION": "region",
            "SETTLEMENTS": places,
            "ROADS": roads,
            "POPULATION": "population",
            "MIN_POPULATION": 50_000,
        },
        "balancing_time": {
            "REGION": "region",
            "SETTLEMENTS": places,
            "FACILITIES": places,
            "ROADS": roads,
            "POPULATION": "population",
            "AMOUNT": "population",
        },
        "market_areas": {"SETTLEMENTS": places, "FACILITIES": places, "ROADS": roads, "ATTRACTION": "population"},
        "rural_access_grid": {
            "POPULATION_GRID": roads.replace("roads.gpkg", "friction.tif"),
            "ROADS": roads,
            "ZONES": land,
        },
        "rate": {"PANEL": PANEL, "NUMERATOR": "doctors", "DENOMINATOR": "population", "NAME": "d", "PER": 10000},
        "indicator_map": {"REGIONS": REGIONS, **panel, "YEAR": 2015},
        "density": {"REGIONS": REGIONS, "FIGURES": REGIONS, "KEY": "kato", "COUNT": "v"},
        "road_network": {"EDGES": str(DATA / "roads.csv"), "NODES": str(DATA / "road_nodes.csv")},
        "osm_roads": {"EXTRACT": str(ROOT / "tests" / "network" / "small.osm")},
        "check_roads": {"ROADS": roads, "SETTLEMENTS": places},
        "friction_surface": {"ROADS": roads, "CELL_M": 40_000},
        "cost_distance": {
            "FRICTION": roads.replace("roads.gpkg", "friction.tif"),
            "FACILITIES": places,
            "SETTLEMENTS": places,
            "POPULATION_GRID": roads.replace("roads.gpkg", "friction.tif"),
            "ZONES": land,
            "ROADS": roads,
        },
        "referral_table": {
            "FRICTION": roads.replace("roads.gpkg", "friction.tif"),
            "FACILITIES": places,
            "LIMIT_MIN": 600,
        },
        "capacity_catchments": {
            "FRICTION": roads.replace("roads.gpkg", "friction.tif"),
            "FACILITIES": places,
            "POPULATION_GRID": roads.replace("roads.gpkg", "friction.tif"),
            "CAPACITY": "population",
            "LIMIT_MIN": 300,
        },
        "scaling_up": {
            "FRICTION": roads.replace("roads.gpkg", "friction.tif"),
            "POPULATION_GRID": roads.replace("roads.gpkg", "friction.tif"),
            "LIMIT_MIN": 300,
            "FACILITIES": places,
        },
        "travel_time": {"SETTLEMENTS": places, "ROADS": roads, "POPULATION": "population", "MIN_POPULATION": 50000},
        "remoteness": {"SETTLEMENTS": places, "ROADS": roads, "POPULATION": "population"},
        "surface": {"SETTLEMENTS": places, "COLUMN": "population"},
        "boundary_effect": {**panel, **reforms, "POPULATION": "population", **YEARS},
        "inequality": {"REGIONS": REGIONS, **panel, "POPULATION": "population", **YEARS},
        "moran_by_year": {"REGIONS": REGIONS, **panel, **YEARS},
        "local_moran": {"UNITS": places, "INDICATOR": "population", "NEIGHBOURS": "nearest"},
        "getis_ord": {"UNITS": places, "INDICATOR": "population", "NEIGHBOURS": "nearest"},
        "global_autocorrelation": {**near, "INDICATOR": "population"},
        "correlogram": {"UNITS": places, "INDICATOR": "population", "BANDS": 3},
        "join_counts": {**near, "KIND": "kind"},
        "bivariate_moran": {**near, "INDICATOR": "population", "AROUND": "population"},
        "local_moran_rate": {"UNITS": land, "EVENTS": "v", "POPULATION": "extent"},
        "local_moran_change": {"REGIONS": REGIONS, **panel, **YEARS},
        "local_geary": {**near, "INDICATORS": "population"},
        "local_join_count": {"UNITS": land, "MARKS": "mark"},
        "quantile_lisa": {**near, "INDICATORS": "population"},
        "losh": {**near, "INDICATOR": "population"},
        "local_lee": {**near, "INDICATOR": "population", "SECOND": "population"},
        "neighbour_match": {"UNITS": places, "INDICATORS": "population"},
        "optimized_hot_spots": {"UNITS": places, "INDICATOR": "population", "BANDS": 5},
        "emerging_hot_spots": {"REGIONS": REGIONS, **panel, **YEARS},
        "scan_statistic": {"UNITS": places, "CASES": "population", "MODEL": "normal"},
        "density_clusters": {"SETTLEMENTS": places},
        "aggregate_points": {"SETTLEMENTS": places},
        "regionalize": {"REGIONS": land, "INDICATORS": "v", "ZONES": 3},
        "suggest_regions": {"REGIONS": land, "INDICATORS": "v", "MOST": 4},
        "deprivation": {"REGIONS": REGIONS, "PANEL": PANEL, "MORE_IS_BETTER": "grp_per_capita", **YEARS},
        "print_map": {"UNITS": REGIONS, "COLUMN": "macro_region", "TITLE": "Өңірлер"},
        "web_map": {"UNITS": REGIONS, "COLUMN": "macro_region", "TITLE": "Өңірлер"},
        "report": {"UNITS": REGIONS, "COLUMN": "macro_region", "TITLE": "Өңірлер"},
    }[name]


NAMES = [one["id"] for one in json.loads((ROOT / "qgis_plugin/kazgeo_qgis/catalogue.json").read_text())["analyses"]]


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_as_declared(provider, name):
    from kazgeo_qgis.catalogue import catalogue

    algorithm, one = provider.algorithm(name), catalogue().analyses[name]
    assert algorithm.displayName() == one.title
    assert algorithm.groupId().isascii()
    assert not algorithm.icon().isNull()
    for p in one.parameters:
        made = algorithm.parameterDefinition(p.key)
        assert made is not None, p.name
        assert made.help()
        assert bool(made.flags() & made.Flag.FlagAdvanced) == p.advanced
        optional = bool(made.flags() & made.Flag.FlagOptional)
        assert optional == (p.optional or (not p.required and p.kind in ("text", "field"))), p.name
        if p.kind == "field" and one.parameter(p.of).shape != "panel":
            assert made.parentLayerParameterName() == p.of.upper()
        if p.kind == "choice" and p.name != "language":
            assert made.usesStaticStrings()
            assert made.options() == list(p.choices)
            assert made.defaultValue() == p.default
        if p.unit in ("m", "km"):
            assert made.type() == "distance"
    for o in one.outputs:
        assert any(d.name() == o.key for d in algorithm.outputDefinitions()), o.name


@pytest.mark.parametrize("language", ["ru", "kk"])
def test_everything_is_told_in_the_language(provider, language, monkeypatch):
    from kazgeo_qgis import settings

    settings.put("language", language)
    provider.refreshAlgorithms()
    try:
        for name in NAMES:
            algorithm = provider.algorithm(name)
            said = [algorithm.displayName(), algorithm.group(), *algorithm.shortHelpString().splitlines()]
            said += [p.description() for p in algorithm.parameterDefinitions()]
            said += [p.help() for p in algorithm.parameterDefinitions() if p.help()]
            plain = [t for t in said if t and not any("Ѐ" <= c <= "ӿ" for c in t)]
            assert not plain, (name, plain)
    finally:
        settings.put("language", "auto")
        provider.refreshAlgorithms()


@pytest.mark.parametrize("word", ["Moran", "Моран", "spatial autocorrelation", "пространственная автокорреляция"])
def test_found_by_words_of_all_languages(provider, word):
    tags = " ".join(provider.algorithm("local_moran").tags())
    assert word.lower() in tags.lower()


@pytest.mark.parametrize("name", NAMES)
def test_runs_with_its_defaults(provider, engine, road_layer, places, land, name, tmp_path):
    algorithm = provider.algorithm(name)
    given = inputs(name, road_layer, places, land)
    if name == "density":
        given = {**given, "FIGURES": figures(tmp_path)}
    for p in algorithm.destinationParameterDefinitions():
        suffix = {"vectorDestination": ".gpkg", "rasterDestination": ".tif"}.get(
            p.type()
        ) or "." + p.defaultFileExtension()
        given[p.name()] = str(tmp_path / f"{p.name()}{suffix}")
    done = run(name, **given)
    assert done["FINDINGS"]
    for p in algorithm.destinationParameterDefinitions():
        if (name, p.name()) == ("travel_time", "BY_REGION"):
            continue  # only with a column of regions
        assert (tmp_path / done[p.name()].split("/")[-1]).stat().st_size > 0
    for o in algorithm.outputDefinitions():
        if (name, o.name()) == ("correlogram", "PEAK_KM"):
            assert done[o.name()] is None  # these settlements have no peak
        elif o.type() == "outputNumber":
            assert math.isfinite(done[o.name()])


def figures(folder):
    """Return a table of one count a region."""
    from qgis.core import QgsVectorLayer

    codes = [f["kato"] for f in QgsVectorLayer(REGIONS, "r", "ogr").getFeatures()]
    file = folder / "figures.csv"
    file.write_text("kato,v\n" + "".join(f"{code},{i + 1}\n" for i, code in enumerate(codes)), encoding="utf-8")
    return str(file)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("local_moran", {"INDICATOR": "name_en"}, "name_en"),
        ("local_moran", {"NEIGHBOURS": "queen"}, "points have no common border"),
        ("local_moran", {"UNITS_ID": "population"}, "population"),
        ("indicator_map", {"YEAR": None}, "a value is wanted"),
        ("indicator_map", {"INDICATOR": "grp_per_capta"}, "did you mean 'grp_per_capita'"),
        ("indicator_map", {"OUTPUT": "/tmp/x.shp"}, ".gpkg, .geojson"),
        ("indicator_map", {"PANEL": REGIONS}, "region"),
        ("inequality", {"FIRST_YEAR": 2020, "LAST_YEAR": 2009}, "year"),
        ("deprivation", {"MORE_IS_BETTER": ""}, "more_is"),
        ("travel_time", {"POPULATION": None, "MIN_POPULATION": None}, "destination"),
    ],
)
def test_wrong_inputs_are_one_clear_sentence(provider, engine, road_layer, places, land, name, change, said, tmp_path):
    from qgis.core import QgsProcessingException

    given = {**inputs(name, road_layer, places, land), "OUTPUT": str(tmp_path / "o.gpkg"), **change}
    with pytest.raises(QgsProcessingException) as error:
        run(name, **given)
    text = str(error.value).removeprefix("Unable to execute algorithm\n")
    assert said in text
    assert "Traceback" not in text
    assert "\n" not in text.strip()
    assert not (tmp_path / "o.gpkg").exists()


def test_a_layer_comes_styled_named_and_with_its_metadata(provider, engine, qgis_app, tmp_path):
    from kazgeo_qgis import settings
    from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProject

    settings.put("language", "ru")
    try:
        import processing

        context, feedback = QgsProcessingContext(), QgsProcessingFeedback()
        context.setProject(QgsProject.instance())
        done = processing.runAndLoadResults(
            "kazgeo:indicator_map",
            {**inputs("indicator_map", "", ""), "OUTPUT": str(tmp_path / "карта.gpkg")}, feedback, context,
        )  # fmt: skip
        layer = QgsProject.instance().mapLayersByName("Показатель на карте")[0]
    finally:
        settings.put("language", "auto")
    assert done["OUTPUT"]
    assert layer.renderer().type() in ("RuleRenderer", "graduatedSymbol", "categorizedSymbol")
    assert len(layer.renderer().legendSymbolItems()) >= 5
    about = layer.metadata()
    assert any("kazgeo:indicator_map" in line for line in about.history())
    assert 'indicator = "grp_per_capita"' in about.history()
    assert "2015" in about.abstract()
    QgsProject.instance().clear()


def test_a_model_of_two_steps_runs_and_survives_being_saved(provider, engine, tmp_path):
    from qgis.core import (
        QgsProcessingContext,
        QgsProcessingFeedback,
        QgsProcessingModelAlgorithm,
        QgsProcessingModelChildAlgorithm,
        QgsProcessingModelChildParameterSource,
        QgsProcessingModelOutput,
    )

    fixed = QgsProcessingModelChildParameterSource.fromStaticValue
    model = QgsProcessingModelAlgorithm("m", "g")
    rate = QgsProcessingModelChildAlgorithm("kazgeo:rate")
    rate.setChildId("rate")
    given = {**inputs("rate", "", ""), "NAME": "doctors_10k"}
    for key, value in given.items():
        rate.addParameterSources(key, [fixed(value)])
    model.addChildAlgorithm(rate)
    shown = QgsProcessingModelChildAlgorithm("kazgeo:indicator_map")
    shown.setChildId("map")
    shown.addParameterSources("PANEL", [QgsProcessingModelChildParameterSource.fromChildOutput("rate", "OUTPUT")])
    for key, value in {"REGIONS": REGIONS, "INDICATOR": "doctors_10k", "YEAR": 2015, "SCHEME": "equal"}.items():
        shown.addParameterSources(key, [fixed(value)])
    out = QgsProcessingModelOutput("final", "final")
    out.setChildId("map")
    out.setChildOutputName("OUTPUT")
    shown.setModelOutputs({"final": out})
    model.addChildAlgorithm(shown)
    file = tmp_path / "model.model3"
    assert model.toFile(str(file))
    again = QgsProcessingModelAlgorithm()
    assert again.fromFile(str(file))
    name = next(d.name() for d in again.destinationParameterDefinitions())
    done, good = again.run({name: str(tmp_path / "o.gpkg")}, QgsProcessingContext(), QgsProcessingFeedback())
    assert good
    from qgis.core import QgsVectorLayer

    layer = QgsVectorLayer(done[name], "o", "ogr")
    assert layer.featureCount() == 16
    assert "doctors_10k" in layer.fields().names()


def test_years_and_indicators_come_from_the_table(provider, qgis_app):
    from kazgeo_qgis.widgets import indicators, whole, years
    from qgis.core import QgsVectorLayer

    table = QgsVectorLayer(PANEL, "панель", "ogr")
    assert "grp_per_capita" in indicators(table)
    assert years(table) == (2008, 2022)
    assert years(None) is None
    assert [whole(v) for v in ("2015", 2015.0, "2015.0", "x", None)] == [2015, 2015, 2015, None, None]


def test_widgets_hold_stable_values_in_every_language(provider, qgis_app):
    from kazgeo_qgis import settings
    from processing.gui.wrappers import WidgetWrapperFactory
    from qgis.PyQt.QtWidgets import QDialog

    settings.put("language", "ru")
    provider.refreshAlgorithms()
    try:
        algorithm = provider.algorithm("local_moran").create()
        dialog = QDialog()
        dialog.mainWidget = lambda: None
        choice = WidgetWrapperFactory.create_wrapper(algorithm.parameterDefinition("NEIGHBOURS"), dialog)
        choice.setValue("nearest")
        assert choice.widget.currentText() == "ближайшие"
        assert choice.value() == "nearest"
        algorithm = provider.algorithm("indicator_map").create()
        year = WidgetWrapperFactory.create_wrapper(algorithm.parameterDefinition("YEAR"), dialog)
        assert year.value() is None
        year.setValue(2015)
        assert year.value() == 2015
        line = WidgetWrapperFactory.create_wrapper(algorithm.parameterDefinition("INDICATOR"), dialog)
        line.setValue("grp_per_capita")
        assert line.value() == "grp_per_capita"
    finally:
        settings.put("language", "auto")
        provider.refreshAlgorithms()


def designer(algorithm_name: str, model):
    from processing.modeler.ModelerParametersDialog import ModelerParametersDialog
    from qgis.core import QgsApplication

    algorithm = QgsApplication.processingRegistry().createAlgorithmById(f"kazgeo:{algorithm_name}")
    return ModelerParametersDialog(algorithm, model)


@pytest.mark.parametrize("name", NAMES)
def test_the_model_designer_opens_a_step_of_every_kind(provider, name):
    from qgis.core import QgsProcessingModelAlgorithm

    dialog = designer(name, QgsProcessingModelAlgorithm("m", "g"))
    child = dialog.createAlgorithm()
    assert child is None or child.algorithmId() == f"kazgeo:{name}"


def test_a_step_takes_its_year_and_choice_from_the_models_inputs(provider):
    from processing.modeler.ModelerParametersDialog import ModelerParametersDialog
    from qgis.core import (
        QgsProcessingModelAlgorithm,
        QgsProcessingModelChildAlgorithm,
        QgsProcessingModelChildParameterSource,
        QgsProcessingModelParameter,
        QgsProcessingParameterNumber,
        QgsProcessingParameterString,
    )

    model = QgsProcessingModelAlgorithm("m", "g")
    for made in (QgsProcessingParameterNumber("when", "when"), QgsProcessingParameterString("how", "how")):
        model.addModelParameter(made, QgsProcessingModelParameter(made.name()))
    child = QgsProcessingModelChildAlgorithm("kazgeo:indicator_map")
    child.setChildId("c")
    taken = QgsProcessingModelChildParameterSource.fromModelParameter
    fixed = QgsProcessingModelChildParameterSource.fromStaticValue
    child.addParameterSources("YEAR", [taken("when")])
    child.addParameterSources("INDICATOR", [taken("how")])
    child.addParameterSources("SCHEME", [fixed("equal")])
    model.addChildAlgorithm(child)
    algorithm = child.algorithm()
    dialog = ModelerParametersDialog(algorithm, model, "c")
    again = dialog.createAlgorithm()
    told = {k: v[0] for k, v in again.parameterSources().items() if v}
    assert told["YEAR"].parameterName() == "when"
    assert told["INDICATOR"].parameterName() == "how"
    assert told["SCHEME"].staticValue() == "equal"


def test_a_temporary_output_is_loaded_without_a_complaint(provider, engine):
    import processing
    from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProject

    context, feedback = QgsProcessingContext(), QgsProcessingFeedback()
    context.setProject(QgsProject.instance())
    given = {**inputs("indicator_map", "", ""), "OUTPUT": "TEMPORARY_OUTPUT"}
    processing.runAndLoadResults("kazgeo:indicator_map", given, feedback, context)
    assert "not correctly generated" not in feedback.textLog()
    assert len(QgsProject.instance().mapLayers()) == 1
    QgsProject.instance().clear()


def test_the_name_that_the_user_has_given_stays(provider, engine, tmp_path):
    import processing
    from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingOutputLayerDefinition, QgsProject

    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    target = QgsProcessingOutputLayerDefinition(str(tmp_path / "o.gpkg"), QgsProject.instance())
    target.destinationName = "Менің атым"
    given = {**inputs("indicator_map", "", ""), "OUTPUT": target}
    processing.runAndLoadResults("kazgeo:indicator_map", given, QgsProcessingFeedback(), context)
    assert [one.name() for one in QgsProject.instance().mapLayers().values()] == ["Менің атым"]
    QgsProject.instance().clear()


def test_several_indicators_whose_names_have_commas(provider, qgis_app):
    from kazgeo_qgis.parameters import plain_value
    from qgis.core import QgsProcessingContext

    algorithm = provider.algorithm("deprivation").create()
    p = algorithm.declaration.parameter("more_is_better")
    for text, wanted in (("a, b", ["a", "b"]), ("Дәрігерлер, 10 000 адамға; b", ["Дәрігерлер, 10 000 адамға", "b"])):
        assert plain_value(algorithm, p, {"MORE_IS_BETTER": text}, QgsProcessingContext()) == wanted


def test_a_raster_comes_with_its_colour_ramp_and_its_metadata(provider, engine, places, tmp_path):
    import processing
    from kazgeo_qgis import settings
    from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProject

    settings.put("language", "kk")
    provider.refreshAlgorithms()
    try:
        context, feedback = QgsProcessingContext(), QgsProcessingFeedback()
        context.setProject(QgsProject.instance())
        given = {"SETTLEMENTS": places, "COLUMN": "population", "UNIT": "people", "OUTPUT": "TEMPORARY_OUTPUT"}
        done = processing.runAndLoadResults("kazgeo:surface", given, feedback, context)
    finally:
        settings.put("language", "auto")
        provider.refreshAlgorithms()
    (layer,) = QgsProject.instance().mapLayers().values()
    assert layer.isValid()
    assert layer.dataProvider().bandCount() == 1
    assert layer.renderer().type() == "singlebandpseudocolor"
    items = layer.renderer().shader().rasterShaderFunction().colorRampItemList()
    assert len(items) == 6
    assert items[0].label.endswith("адам")
    assert items[0].value == pytest.approx(done["LOWEST"], rel=1e-6)
    assert items[-1].value == pytest.approx(done["HIGHEST"], rel=1e-6)
    assert len({item.color.name() for item in items}) == 6
    assert any("kazgeo:surface" in line for line in layer.metadata().history())
    assert layer.crs().isValid()
    QgsProject.instance().clear()
