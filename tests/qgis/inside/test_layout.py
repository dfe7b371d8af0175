"""The print layout: what is on the page, and that nothing lies on anything else."""

import json
import shutil
import struct
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
DATA = ROOT / "data" / "kazakhstan"
COLORS = ["#ffffcc", "#d9f0a3", "#addd8e", "#78c679", "#41ab5d", "#238443", "#005a32", "#54278f", "#756bb1"]
TITLES = {
    "en": "Doctors per 10,000 people in the regions of Kazakhstan",
    "ru": "Обеспеченность врачами в регионах Казахстана",
    "kk": "Қазақстан өңірлерінің дәрігерлермен қамтамасыз етілуі",
}
LONG = [
    "Өте төмен: орташадан екі есе аз (тәуекел аймағы)",
    "Низкая, но растёт третий год подряд",
    "Орташадан төмен, бірақ өсіп келеді",
    "Средняя",
    "Орташадан жоғары",
    "Жоғары — облыс орталықтары мен республикалық маңызы бар қалалар",
    "Very high",
    "Деректер қарама-қарсы",
    "Ұсақ сандар: сенімділік аралығы тым кең",
]
KK = {"Legend": "Шартты белгілер", "km": "шақырым", "Sources: {sources}": "Дереккөздер: {sources}",
      "{degrees} E": "{degrees} ш. б.", "{degrees} N": "{degrees} с. е."}  # fmt: skip
LANDSCAPE = {"A4": (297, 210), "A3": (420, 297)}


@pytest.fixture
def project(qgis_app, tmp_path_factory):
    """Return an empty project; QGIS writes into a GeoPackage it reads, so its layers come from a copy."""
    from qgis.core import QgsProject

    made = QgsProject()
    made.setPresetHomePath(str(tmp_path_factory.mktemp("data")))
    shutil.copy(DATA / "regions_2009.gpkg", made.presetHomePath())
    yield made
    made.clear()


def regions(project, labels=("0–10", "10–20", "20–30", "30–40", "40–50"), only="", name="Doctors by region"):
    """Add the regions, drawn by as many classes as there are labels."""
    from qgis.core import QgsCategorizedSymbolRenderer, QgsFillSymbol, QgsRendererCategory, QgsVectorLayer

    layer = QgsVectorLayer(f"{project.presetHomePath()}/regions_2009.gpkg|layername=regions", name, "ogr")
    assert layer.isValid()
    layer.setSubsetString(only)
    codes = sorted(feature["kato"] for feature in layer.getFeatures())
    classes = []
    for place, label in enumerate(labels):
        look = {"color": COLORS[place % len(COLORS)], "outline_width": "0.15", "outline_color": "#57606a"}
        symbol = QgsFillSymbol.createSimple(look)
        classes.append(QgsRendererCategory(codes[place :: len(labels)], symbol, label))
    layer.setRenderer(QgsCategorizedSymbolRenderer("kato", classes))
    layer.setFieldAlias(layer.fields().indexOf("kato"), "Doctors, persons per 10 000")
    told = layer.metadata()
    told.setRights(["Natural Earth", "geokz, A. Rodionoff (CC BY 4.0)"])
    layer.setMetadata(told)
    project.addMapLayer(layer)
    return layer


def points(project, *places, crs="EPSG:4326", name="Points"):
    from qgis.core import QgsFeature, QgsGeometry, QgsPointXY, QgsVectorLayer

    layer = QgsVectorLayer(f"Point?crs={crs}&field=name:string", name, "memory")
    features = []
    for place in places:
        feature = QgsFeature(layer.fields())
        feature.setGeometry(QgsGeometry.fromPointXY(QgsPointXY(*place)))
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    layer.updateExtents()
    project.addMapLayer(layer)
    return layer


def place(layout, name):
    """Return where an item is, mm, without the pen's half width."""
    item = layout.itemById(name)
    assert item is not None, name
    return item.mapRectToScene(item.rect())


def check_page(layout):
    """Nothing leaves the page, no item lies on another, the numbers around the map among them."""
    size = layout.pageCollection().page(0).pageSize()
    names = ("title", "subtitle", "map", "legend", "scale bar", "sources", "colophon")
    for name in names:
        where = layout.itemById(name).sceneBoundingRect()
        assert where.left() >= 0, name
        assert where.top() >= 0, name
        assert where.right() <= size.width(), name
        assert where.bottom() <= size.height(), name
    grown = 3  # letters of the graticule
    for one in names:
        for other in names:
            if one >= other:
                continue
            first = place(layout, one)
            second = place(layout, other)
            if one == "map" and other in ("legend", "scale bar", "title"):
                first = first.adjusted(-grown, -grown, grown, grown)
            assert not first.adjusted(0.01, 0.01, -0.01, -0.01).intersects(second), (one, other)
    covered = place(layout, "map")
    assert covered.width() * covered.height() > 0.4 * size.width() * size.height()


def texts(layout):
    return {name: layout.itemById(name).text() for name in ("title", "subtitle", "sources", "colophon")}


# --- the page -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("paper", ["A4", "A3"])
@pytest.mark.parametrize("language", ["en", "ru", "kk"])
def test_country_lies_on_its_paper_with_everything_in_its_place(project, tmp_path, paper, language):
    from kazgeo_qgis import layout

    made = layout.make(project, regions(project), paper=paper, title=TITLES[language], language=language)
    page = made.pageCollection().page(0).pageSize()
    assert (page.width(), page.height()) == LANDSCAPE[paper]
    check_page(made)
    layout.export(made, tmp_path / "map.png")
    check_page(made)  # the legend knows its size only now
    assert texts(made)["title"] == TITLES[language]
    assert made in project.layoutManager().layouts()


@pytest.mark.parametrize("paper", ["A4", "A3"])
@pytest.mark.parametrize(("only", "across"), [("", True), ("name_en in ('Mangystau')", False)])
def test_nine_long_classes_fit_beside_and_below_the_map(project, tmp_path, paper, only, across):
    from kazgeo_qgis import layout

    made = layout.make(project, regions(project, LONG, only), paper=paper, title=TITLES["kk"])
    size = made.pageCollection().page(0).pageSize()
    assert (size.width() > size.height()) == across
    layout.export(made, tmp_path / "map.png")
    check_page(made)
    legend = made.itemById("legend")
    assert legend.resizeToContents()
    told = " ".join(str(node.data(0)) for node in nodes(legend))
    assert all(" ".join(label.split()) in " ".join(told.split()) for label in LONG)


def nodes(legend):
    from qgis.core import QgsMapLayerLegendUtils

    (node,) = legend.model().rootGroup().findLayers()
    count = len(legend.model().layerLegendNodes(node))

    class Told:
        def __init__(self, text):
            self.text = text

        def data(self, _role):
            return self.text

    return [Told(QgsMapLayerLegendUtils.legendNodeUserLabel(node, place)) for place in range(count)]


def test_seventeen_classes_fit_and_two_hundred_are_refused_in_one_sentence(project, tmp_path):
    from kazgeo_qgis import layout

    made = layout.make(project, regions(project, [f"Region number {n} of the country" for n in range(17)]))
    layout.export(made, tmp_path / "map.png")
    check_page(made)
    many = regions(project, [f"Region number {n} of the country" for n in range(300)])
    with pytest.raises(layout.CannotPrint, match="too many classes for a legend"):
        layout.make(project, many)


def test_a_long_title_wraps_and_shrinks(project, tmp_path):
    from kazgeo_qgis import layout

    layer = regions(project)
    short = layout.make(project, layer, title=TITLES["kk"])
    long = layout.make(project, layer, title=" ".join([TITLES["kk"]] * 4))
    sizes = [one.itemById("title").font().pointSizeF() for one in (short, long)]
    assert sizes[0] == 18
    assert 10 <= sizes[1] < 18
    check_page(long)


def test_letters_are_larger_on_a3(project):
    from kazgeo_qgis import layout

    layer = regions(project)
    small, large = (layout.make(project, layer, paper=paper) for paper in ("A4", "A3"))
    for name in ("title", "sources", "colophon"):
        assert large.itemById(name).font().pointSizeF() > small.itemById(name).font().pointSizeF()
    assert large.itemById("map").scale() < small.itemById("map").scale()


def test_unknown_paper_is_one_sentence(project):
    from kazgeo_qgis import layout

    with pytest.raises(layout.CannotPrint, match=r"^A7: the paper can be A4 or A3$"):
        layout.make(project, regions(project), paper="A7")


# --- what it says ---------------------------------------------------------------------------------------


def test_texts_come_from_the_layer_and_can_be_given(project):
    from kazgeo_qgis import layout
    from qgis.core import Qgis

    layer = regions(project)
    told = texts(layout.make(project, layer, language="en"))
    assert told["title"] == "Doctors by region"
    assert told["subtitle"] == ""
    assert told["sources"] == "Sources: Natural Earth; geokz, A. Rodionoff (CC BY 4.0)"
    assert "Coordinate system: Albers equal-area conic, parallels 43° and 53°" in told["colophon"]
    assert f"QGIS {Qgis.version().split('-')[0]}" in told["colophon"]
    assert "KazGeo 0." in told["colophon"]
    assert texts(layout.make(project, layer, sources="Bureau", language="en"))["sources"] == "Sources: Bureau"


def test_the_abstract_stands_below_the_title_and_a_long_one_is_cut(project):
    from kazgeo_qgis import layout

    layer = regions(project)
    told = layer.metadata()
    told.setRights([])
    told.setAbstract("Барлық деректер ашық. " * 120)
    layer.setMetadata(told)
    made = layout.make(project, layer)
    assert texts(made)["subtitle"].startswith("Барлық деректер ашық.")
    assert texts(made)["subtitle"].endswith("…")
    assert texts(made)["sources"] == ""
    check_page(made)
    told.setAbstract("")
    layer.setMetadata(told)
    assert texts(layout.make(project, layer))["subtitle"] == ""


def test_every_text_is_in_the_language_asked_for(project, tmp_path, monkeypatch):
    from kazgeo_qgis import layout, words

    monkeypatch.setattr(words, "_words", lambda code: KK if code == "kk" else {})
    made = layout.make(project, regions(project), title=TITLES["kk"], language="kk")
    assert made.itemById("legend").title() == "Шартты белгілер"
    assert made.itemById("scale bar").unitLabel() == "шақырым"
    assert texts(made)["sources"].startswith("Дереккөздер: Natural Earth")
    assert "ш. б." in made.itemById("map").grid().annotationExpression()
    layout.export(made, tmp_path / "kk.png")
    check_page(made)


def test_layouts_get_names_of_their_own(project):
    from kazgeo_qgis import layout

    layer = regions(project)
    names = [layout.make(project, layer, title="Map").name() for _ in range(3)]
    assert names == ["Map", "Map (2)", "Map (3)"]


# --- the map --------------------------------------------------------------------------------------------


def test_the_map_shows_the_visible_layers_and_the_legend_one(project):
    from kazgeo_qgis import layout

    layer = regions(project)
    other, hidden = points(project, (70, 50), name="Towns"), points(project, (71, 50), name="Hidden")
    project.layerTreeRoot().findLayer(hidden.id()).setItemVisibilityChecked(False)
    made = layout.make(project, layer)
    assert made.itemById("map").layers() == [other, layer]
    assert [one.layer() for one in made.itemById("legend").model().rootGroup().findLayers()] == [layer]
    (node,) = made.itemById("legend").model().rootGroup().findLayers()
    assert node.customProperty("legend/title-label").replace("\n", " ") == "Doctors, persons per 10 000"
    project.layerTreeRoot().findLayer(other.id()).setItemVisibilityChecked(False)
    project.layerTreeRoot().findLayer(layer.id()).setItemVisibilityChecked(False)
    assert layout.make(project, layer).itemById("map").layers() == [layer]


def test_the_map_holds_the_whole_layer_with_a_margin(project):
    from kazgeo_qgis import layout
    from qgis.core import QgsCoordinateTransform

    layer = regions(project)
    drawn = layout.make(project, layer).itemById("map")
    there = QgsCoordinateTransform(layer.crs(), drawn.crs(), project)
    for feature in layer.getFeatures():
        shape = feature.geometry()
        shape.transform(there)
        assert drawn.extent().buffered(-50_000).contains(shape.boundingBox())


@pytest.mark.parametrize(
    ("places", "own", "wanted"),
    [
        (((50, 45), (80, 53)), "EPSG:32642", "aea"),
        (((76.8, 43.2), (77.1, 43.4)), "EPSG:4326", "EPSG:32643"),
        (((76.8, 43.2), (77.1, 43.4)), "EPSG:3857", "EPSG:32643"),
        (((76.8, 43.2), (77.1, 43.4)), "EPSG:28413", "EPSG:28413"),
        (((70, -20), (80, 20)), "EPSG:4326", "laea"),
    ],
)
def test_projection_suits_the_size_of_the_layer(project, places, own, wanted):
    from kazgeo_qgis import layout
    from qgis.core import QgsCoordinateReferenceSystem

    project.setCrs(QgsCoordinateReferenceSystem(own))
    crs = layout.make(project, points(project, *places)).itemById("map").crs()
    assert wanted in (crs.authid() or crs.toProj())
    assert not crs.isGeographic()


@pytest.mark.parametrize("paper", ["A4", "A3"])
@pytest.mark.parametrize("only", ["", "name_en in ('Mangystau')", "iso = 'KZ-ALA'"])
def test_scale_bar_is_round_true_and_fits(project, paper, only):
    from kazgeo_qgis import layout

    made = layout.make(project, regions(project, only=only), paper=paper)
    bar, drawn = made.itemById("scale bar"), made.itemById("map")
    step = bar.unitsPerSegment()
    assert float(f"{step:e}".split("e")[0]) in (1, 2, 5)
    assert bar.unitLabel() == "km"
    size = made.pageCollection().page(0).pageSize()
    assert place(made, "scale bar").right() <= size.width() - 10
    length = 2 * step * 1e6 / drawn.scale()  # mm on paper
    assert 0.93 * length < bar.rect().width() < length + 30
    assert length > 12
    check_page(made)


def test_graticule_has_a_few_lines_with_degrees(project):
    from kazgeo_qgis import layout

    grid = layout.make(project, regions(project)).itemById("map").grid()
    assert grid.crs().authid() == "EPSG:4326"
    assert grid.annotationEnabled()
    assert (grid.intervalX(), grid.intervalY()) == (10, 5)


def test_degrees_are_written_as_on_maps(project):
    from kazgeo_qgis import layout
    from qgis.core import QgsExpression, QgsExpressionContext, QgsExpressionContextScope

    def told(layer, axis, number):
        grid = layout.make(project, layer, language="en").itemById("map").grid()
        scope = QgsExpressionContextScope()
        scope.setVariable("grid_axis", axis)
        scope.setVariable("grid_number", number)
        context = QgsExpressionContext()
        context.appendScope(scope)
        expression = QgsExpression(grid.annotationExpression())
        value = expression.evaluate(context)
        assert not expression.hasEvalError(), expression.evalErrorString()
        return value

    country, city = regions(project), regions(project, only="iso = 'KZ-ALA'")
    assert told(country, "x", 70.0) == "70° E"
    assert told(country, "y", 50.0) == "50° N"
    assert told(country, "y", -5.0) == "5° S"
    assert told(city, "x", 76 + 50 / 60) == "76°50′ E"
    assert told(city, "x", 77.0 - 1e-12) == "77°00′ E"


# --- layers that can't be shown -------------------------------------------------------------------------


def test_an_empty_layer_is_one_sentence(project):
    from kazgeo_qgis import layout

    with pytest.raises(layout.CannotPrint, match=r"^Nobody: the layer has no features to put on a map$"):
        layout.make(project, points(project, name="Nobody"))
    assert project.layoutManager().layouts() == []


def test_a_layer_without_a_coordinate_system_is_one_sentence(project):
    from kazgeo_qgis import layout
    from qgis.core import QgsCoordinateReferenceSystem

    layer = points(project, (70, 50), name="Lost")
    layer.setCrs(QgsCoordinateReferenceSystem())
    with pytest.raises(layout.CannotPrint, match=r"^Lost: the layer has no coordinate system; choose one first$"):
        layout.make(project, layer)


def test_one_point_is_no_fault(project, tmp_path):
    from kazgeo_qgis import layout

    made = layout.make(project, points(project, (71.43, 51.13)))
    assert made.itemById("map").scale() > 5000
    layout.export(made, tmp_path / "point.png")
    check_page(made)


# --- files ----------------------------------------------------------------------------------------------


def test_png_and_pdf_are_written_at_300_dpi(project, tmp_path):
    from kazgeo_qgis import layout

    made = layout.make(project, regions(project), title=TITLES["kk"])
    assert layout.export(made, tmp_path / "карта.png") is None
    assert layout.export(made, str(tmp_path / "карта.PDF")) is None
    head = (tmp_path / "карта.png").read_bytes()[:24]
    width, height = struct.unpack(">II", head[16:24])
    assert (width, height) == pytest.approx((297 / 25.4 * 300, 210 / 25.4 * 300), abs=1)
    pdf = (tmp_path / "карта.PDF").read_bytes()
    assert pdf.startswith(b"%PDF")
    assert len(pdf) > 20_000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["карта.PDF", "карта.png"]


@pytest.mark.parametrize("name", ["map.png", "map.pdf"])
def test_a_file_that_cannot_be_written_is_one_sentence(project, tmp_path, name):
    from kazgeo_qgis import layout

    made = layout.make(project, regions(project))
    with pytest.raises(layout.CannotPrint, match="can't be written"):
        layout.export(made, tmp_path / "no folder" / name)


def test_another_kind_of_file_is_one_sentence(project, tmp_path):
    from kazgeo_qgis import layout

    made = layout.make(project, regions(project))
    with pytest.raises(layout.CannotPrint, match=r"^map\.docx: a layout is written as \.pdf or \.png$"):
        layout.export(made, tmp_path / "map.docx")


def test_the_designer_opens(project):
    from kazgeo_qgis import layout

    class Iface:
        def openLayoutDesigner(self, made):
            return json.dumps(made.name())

    made = layout.make(project, regions(project), title="Map")
    assert layout.open_designer(Iface(), made) == '"Map"'


def test_a_layout_survives_saving_the_project(project, tmp_path):
    from kazgeo_qgis import layout
    from qgis.core import QgsProject

    layout.make(project, regions(project), title="Map")
    assert project.write(str(tmp_path / "p.qgz"))
    again = QgsProject()
    assert again.read(str(tmp_path / "p.qgz"))
    made = again.layoutManager().layoutByName("Map")
    assert made.itemById("map").crs().toProj().startswith("+proj=aea")
    layout.export(made, tmp_path / "again.png")
    check_page(made)
    again.clear()
