"""A print layout that fills itself with a layer: map, legend, scale bar, graticule, sources."""

from __future__ import annotations

import configparser
import dataclasses
import itertools
import math
import pathlib
from collections.abc import Callable

from qgis import core
from qgis.PyQt.QtCore import QDate, QLocale, QRectF, Qt
from qgis.PyQt.QtGui import QColor, QFont, QFontMetricsF

from kazgeo_qgis import renderers, words

__all__ = ["CannotPrint", "export", "make", "open_designer"]


class CannotPrint(Exception):
    """A page that can't be made or written, in one sentence for the reader."""


#: paper -> how much larger than on A4 letters and margins are; the map gets the rest
_PAPERS = {"A4": 1.0, "A3": 1.3}
_MM_PER_PT = 25.4 / 72
_INK, _FAINT = QColor("#1f2328"), QColor("#57606a")
_DEGREES = core.QgsCoordinateReferenceSystem("EPSG:4326")
#: between lines of the graticule, minutes
_STEPS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800)
#: looks of a legend, the best first: columns, letters in pt, share of the page's width
_BESIDE = ((1, 9, 0.2), (1, 9, 0.25), (1, 8, 0.25), (1, 7, 0.3), (2, 7, 0.36), (2, 6, 0.4), (3, 5, 0.45))
_BELOW = ((2, 9, 0.56), (2, 8, 0.56), (3, 8, 0.6), (3, 7, 0.6), (3, 6, 0.6), (4, 5, 0.6))


def make(project, layer, *, paper="A4", title="", sources="", language=None) -> core.QgsPrintLayout:
    """Return a new layout of the project that shows a layer of it; ``paper`` is "A4" or "A3".

    The page lies or stands by the layer's shape. An empty title is the layer's name; empty sources are the rights or
    the attribution of its metadata; the abstract, for a result what was found, stands below the title. ``language`` is
    "en", "kk", "ru" or None, the reader's own. Raises CannotPrint: paper unknown, a layer that shows nothing or
    has no place on the Earth, too many classes.
    """
    language = language or words.language()
    tr = _speaker(language)
    if paper not in _PAPERS:
        raise CannotPrint(tr("{paper}: the paper can be A4 or A3", paper=paper))
    crs, crs_name = _map_crs(project, layer, tr)
    box = _box(project, layer, crs, tr)
    layout = core.QgsPrintLayout(project)
    layout.initializeDefaults()
    wide = box.width() >= 1.2 * box.height()  # where the map of either page is equally large
    side = core.QgsLayoutItemPage.Orientation.Landscape if wide else core.QgsLayoutItemPage.Orientation.Portrait
    layout.pageCollection().page(0).setPageSize(paper, side)
    sheet = _Sheet(layout, _PAPERS[paper], tr, language)
    title = title.strip() or layer.name()
    found = " ".join(layer.metadata().abstract().split("\n")[0].split())
    body = _texts(sheet, (title, found), sources.strip() or _sources(layer), crs_name)
    drawn = core.QgsLayoutItemMap(layout)
    drawn.setId("map")
    legend = _legend(sheet, layer, drawn, body, wide)
    if legend is None:
        raise CannotPrint(tr("{layer}: too many classes for a legend on this page; draw fewer", layer=layer.name()))
    place, bar_place = _places(sheet, body, legend, wide)
    _map(sheet, drawn, place, crs, box, _layers(project, layer))
    _scale_bar(sheet, drawn, bar_place)
    names = itertools.chain([title], (f"{title} ({number})" for number in itertools.count(2)))
    layout.setName(next(name for name in names if project.layoutManager().layoutByName(name) is None))
    project.layoutManager().addLayout(layout)
    return layout


def open_designer(iface, layout):
    """Show a layout in QGIS's designer and return the designer."""
    return iface.openLayoutDesigner(layout)


def export(layout, path) -> None:
    """Write a layout as PDF or PNG, 300 dpi; CannotPrint says in one sentence why it can't be."""
    path = pathlib.Path(path)
    kind = path.suffix.lower()
    if kind not in (".pdf", ".png"):
        raise CannotPrint(words.tr("{file}: a layout is written as .pdf or .png", file=path.name))
    exporter, options = core.QgsLayoutExporter(layout), core.QgsLayoutExporter.PdfExportSettings()
    options.dpi = 300
    try:
        path.open("ab").close()  # QGIS 3.22 tells no fault of a PDF
        if kind == ".png":
            written = exporter.renderPageToImage(0, dpi=300).save(str(path), "PNG")
        else:
            written = exporter.exportToPdf(str(path), options) == exporter.ExportResult.Success
    except OSError:
        written = False
    if not written:
        raise CannotPrint(words.tr("{file}: can't be written; choose another folder or close the file", file=str(path)))


@dataclasses.dataclass(frozen=True)
class _Sheet:
    """A layout of one page, how large its letters and margins are, its language."""

    layout: core.QgsPrintLayout
    scale: float
    tr: Callable[..., str]
    language: str

    @property
    def inner(self) -> QRectF:
        """Return the page without its margins, mm."""
        size = self.layout.pageCollection().page(0).pageSize()
        margin = 10 * self.scale
        return QRectF(0, 0, size.width(), size.height()).adjusted(margin, margin, -margin, -margin)

    def font(self, size: float, bold: bool = False) -> QFont:
        font = QFont()
        font.setPointSizeF(size * self.scale)
        font.setBold(bold)
        return font

    def write(self, name: str, text: str, sizes, most: int, place: QRectF, color=_INK, foot=False) -> QRectF:
        """Write a text at the top or the foot of a place, in the largest letters that make few lines."""
        for size in sizes:
            font = self.font(size, bold=name == "title")
            lines = _wrap(text, font, place.width())
            if len(lines) <= most:
                break
        else:
            text = " ".join(lines[:most])[:-2].rstrip() + "…"
        height = min(len(lines), most) * font.pointSizeF() * _MM_PER_PT * 1.25 + 0.5
        taken = QRectF(place.left(), place.bottom() - height if foot else place.top(), place.width(), height)
        item = core.QgsLayoutItemLabel(self.layout)
        item.setId(name)
        item.setText(text)
        item.setFont(font)
        item.setFontColor(color)
        item.setMarginX(0)
        item.setMarginY(0)
        item.setHAlign(Qt.AlignmentFlag.AlignLeft)  # not justified
        self.layout.addLayoutItem(item)
        item.attemptSetSceneRect(taken)
        return taken


def _speaker(language: str) -> Callable[..., str]:
    """Return tr() of a language, which need not be the reader's."""
    return lambda text, **values: words._words(language).get(text, text).format(**values)


def _places(sheet, body: QRectF, legend, wide: bool) -> tuple[QRectF, QRectF]:
    """Put the legend beside or below the map; return the places of the map and of the scale bar."""
    k, size = sheet.scale, legend.rect()
    ticks = 4 * k  # degrees are written around the map
    if wide:
        width = max(size.width(), 45 * k)
        left = body.right() - width
        place = QRectF(left, body.top() + ticks, size.width(), size.height())
        bar = QRectF(left, body.bottom() - ticks - 12 * k, width, 12 * k)
        frame = body.adjusted(ticks, ticks, -width - 4 * k - ticks, -ticks)
    else:
        height = max(size.height(), 12 * k)
        top = body.bottom() - height
        place = QRectF(body.left() + ticks, top, size.width(), size.height())
        bar = QRectF(place.right() + 4 * k, top, body.right() - ticks - place.right() - 4 * k, 12 * k)
        frame = body.adjusted(ticks, ticks, -ticks, -height - 3 * k - ticks)
    legend.attemptSetSceneRect(place)
    return frame, bar


def _texts(sheet, title: str, sources: str, crs_name: str) -> QRectF:
    """Write the title and the foot; return what is left between them."""
    tr, k, left = sheet.tr, sheet.scale, sheet.inner
    date_form = "d MMMM yyyy" if sheet.language == "en" else "dd.MM.yyyy"
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(pathlib.Path(__file__).with_name("metadata.txt"), encoding="utf-8")
    version, qgis = parser.get("general", "version", fallback=""), core.Qgis.version().split("-")[0]
    colophon = [QLocale(sheet.language).toString(QDate.currentDate(), date_form),
                tr("Coordinate system: {name}", name=crs_name),
                tr("Made with KazGeo {version} and QGIS {qgis}", version=version, qgis=qgis)]  # fmt: skip
    cited = tr("Sources: {sources}", sources=sources) if sources else ""
    left.setTop(sheet.write("title", title[0], (18, 16, 14, 12, 10), 2, left).bottom())
    left.setTop(sheet.write("subtitle", title[1], (11, 10, 9, 8), 2, left, _FAINT).bottom() + 0.5 * k)
    left.setBottom(sheet.write("colophon", " · ".join(colophon), (7, 6), 2, left, _FAINT, foot=True).top())
    left.setBottom(sheet.write("sources", cited, (7.5, 7, 6), 4, left, foot=True).top() - 3 * k)
    return left


def _wrap(text: str, font: QFont, width: float) -> list[str]:
    """Return the lines of a text in a place so wide, mm; some room is left, for printers measure otherwise."""
    large = QFont(font)
    large.setPixelSize(100)
    measure = QFontMetricsF(large)
    most = 0.97 * width / (font.pointSizeF() * _MM_PER_PT) * 100
    lines = []
    for part in text.split("\n"):
        line = ""
        for word in part.split():
            longer = f"{line} {word}".strip()
            if line and measure.horizontalAdvance(longer) > most:
                lines.append(line)
                longer = word
            line = longer
        lines.append(line)
    return lines


def _sources(layer) -> str:
    told = layer.metadata()
    rights = "; ".join(one.strip() for one in told.rights() if one.strip())
    return " ".join((rights or layer.attribution()).split())


def _map_crs(project, layer, tr) -> tuple[core.QgsCoordinateReferenceSystem, str]:
    """Return a projection in which areas and distances look right, and its name."""
    if not layer.crs().isValid():
        raise CannotPrint(tr("{layer}: the layer has no coordinate system; choose one first", layer=layer.name()))
    box = _box(project, layer, _DEGREES, tr)
    wide, centre = box.width() > 5, box.center()
    zone = min(int((centre.x() + 180) // 6) + 1, 60)
    utm = core.QgsCoordinateReferenceSystem(f"EPSG:{zone + (32600 if centre.y() >= 0 else 32700)}")
    # a country needs an equal-area projection of its own; a district may keep the project's
    for crs in [layer.crs()] if wide else [project.crs(), layer.crs(), utm]:
        if crs.isValid() and not crs.isGeographic() and crs.authid() != "EPSG:3857":
            name = crs.description() or crs.toProj()
            return crs, f"{name} ({crs.authid()})" if crs.authid() else name
    return _equal_area(box, tr)


def _equal_area(box, tr) -> tuple[core.QgsCoordinateReferenceSystem, str]:
    south, north = box.yMinimum(), box.yMaximum()
    middle, centre = round(box.center().x()), round(box.center().y())
    first, second = round(south + (north - south) / 6), round(north - (north - south) / 6)
    if south < 0 < north:  # the two parallels would cancel each other
        proj = f"+proj=laea +lat_0={centre} +lon_0={middle}"
        name = tr("Lambert azimuthal equal-area, centre {latitude}°, {middle}°", latitude=centre, middle=middle)
    else:
        proj = f"+proj=aea +lat_1={first} +lat_2={second} +lat_0={centre} +lon_0={middle}"
        name = tr("Albers equal-area conic, parallels {first}° and {second}°, central meridian {middle}°",
                  first=first, second=second, middle=middle)  # fmt: skip
    return core.QgsCoordinateReferenceSystem.fromProj(f"{proj} +datum=WGS84 +units=m +no_defs"), name


def _box(project, layer, crs, tr) -> core.QgsRectangle:
    """Return the layer's extent in a coordinate system: of few features the exact one, else of the layer's box."""
    box = core.QgsRectangle()
    box.setMinimal()
    context = project.transformContext()
    try:
        if layer.type() == core.QgsMapLayerType.VectorLayer and layer.featureCount() <= 5000:
            request = core.QgsFeatureRequest().setNoAttributes().setDestinationCrs(crs, context)
            for feature in layer.getFeatures(request):
                if not feature.geometry().isEmpty():
                    box.combineExtentWith(feature.geometry().boundingBox())
        elif not layer.extent().isNull():
            box = core.QgsCoordinateTransform(layer.crs(), crs, context).transformBoundingBox(layer.extent())
    except core.QgsCsException:
        box.setMinimal()
    edges = (box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum())
    if edges[0] > edges[2] or not all(math.isfinite(edge) for edge in edges):
        raise CannotPrint(tr("{layer}: the layer has no features to put on a map", layer=layer.name()))
    return box


def _layers(project, layer) -> list:
    """Return the visible layers of the project, the layer among them, the topmost first."""
    root = project.layerTreeRoot()
    shown = {one.id() for one in root.checkedLayers()}
    layers = [one for one in root.layerOrder() if one.id() in shown]
    return layers if layer.id() in shown else [layer, *layers]


def _map(sheet, drawn, place: QRectF, crs, box, layers) -> None:
    drawn.attemptSetSceneRect(place)
    drawn.setFrameEnabled(True)
    drawn.setCrs(crs)
    drawn.setLayers(layers)
    drawn.setKeepLayerSet(True)
    drawn.zoomToExtent(box.buffered(0.04 * max(box.width(), box.height(), 50_000)))
    spanned = core.QgsCoordinateTransform(crs, _DEGREES, sheet.layout.project()).transformBoundingBox(drawn.extent())
    grid = core.QgsLayoutItemMapGrid("graticule", drawn)
    grid.setCrs(_DEGREES)
    grid.setUnits(grid.GridUnit.MapUnit)
    steps = [next((m for m in _STEPS if m >= 10 * span), _STEPS[-1]) for span in (spanned.width(), spanned.height())]
    grid.setIntervalX(steps[0] / 60)
    grid.setIntervalY(steps[1] / 60)
    grid.setStyle(grid.GridStyle.Solid)
    grid.setGridLineWidth(0.12)
    grid.setGridLineColor(QColor(87, 96, 106, 130))
    grid.setStackingPosition(grid.StackingPosition.StackBelowMapLabels)
    _degrees(sheet, grid, with_minutes=min(steps) < 60)
    drawn.grids().addGrid(grid)


def _degrees(sheet, grid, with_minutes: bool) -> None:
    """Write longitudes above and below the map, latitudes beside it."""
    tr = sheet.tr
    told = [tr("{degrees} W", degrees="%1"), tr("{degrees} E", degrees="%1"),
            tr("{degrees} S", degrees="%1"), tr("{degrees} N", degrees="%1")]  # fmt: skip
    west, east, south, north = (core.QgsExpression.quotedString(text) for text in told)
    minutes = " || lpad(to_string(round(abs(@grid_number) * 60) % 60), 2, '0') || '′'" if with_minutes else ""
    grid.setAnnotationEnabled(True)
    grid.setAnnotationFormat(grid.AnnotationFormat.CustomFormat)
    grid.setAnnotationExpression(
        f"format(CASE WHEN @grid_axis = 'x' THEN if(@grid_number < 0, {west}, {east}) "
        f"ELSE if(@grid_number < 0, {south}, {north}) END, "
        f"to_string(floor(round(abs(@grid_number) * 60) / 60)) || '°'{minutes})"
    )
    letters = core.QgsTextFormat.fromQFont(sheet.font(6.5))
    letters.setColor(_FAINT)
    grid.setAnnotationTextFormat(letters)
    grid.setAnnotationFrameDistance(0.8 * sheet.scale)
    latitude = (grid.DisplayMode.LatitudeOnly, grid.AnnotationDirection.Vertical)
    longitude = (grid.DisplayMode.LongitudeOnly, grid.AnnotationDirection.Horizontal)
    side = grid.BorderSide
    for one, (shown, turned) in zip((side.Left, side.Right, side.Top, side.Bottom), (latitude,) * 2 + (longitude,) * 2):
        grid.setAnnotationDisplay(shown, one)
        grid.setAnnotationPosition(grid.AnnotationPosition.OutsideMapFrame, one)
        grid.setAnnotationDirection(turned, one)


def _scale_bar(sheet, drawn, place: QRectF) -> None:
    """Draw two segments of a round number of kilometres, as long as the place allows."""
    bar = core.QgsLayoutItemScaleBar(sheet.layout)
    bar.setId("scale bar")
    sheet.layout.addLayoutItem(bar)
    bar.setLinkedMap(drawn)
    bar.setStyle("Single Box")
    bar.setUnits(core.QgsUnitTypes.DistanceUnit.DistanceKilometers)
    bar.setMapUnitsPerScaleBarUnit(1)
    bar.setUnitLabel(sheet.tr("km"))
    bar.setNumberOfSegmentsLeft(0)
    bar.setNumberOfSegments(2)
    bar.setHeight(1.6 * sheet.scale)
    bar.setBoxContentSpace(0)
    bar.setTextFormat(core.QgsTextFormat.fromQFont(sheet.font(8)))
    for power in range(4, -5, -1):
        for first in (5, 2, 1):
            bar.setUnitsPerSegment(first * 10.0**power)
            bar.update()
            if bar.rect().width() <= place.width():
                height = bar.rect().height()
                bar.attemptSetSceneRect(QRectF(place.left(), place.bottom() - height, bar.rect().width(), height))
                return


def _legend(sheet, layer, drawn, body: QRectF, wide: bool):
    """Return a legend of the layer's classes that fits beside or below the map, or None."""
    legend = core.QgsLayoutItemLegend(sheet.layout)
    legend.setId("legend")
    sheet.layout.addLayoutItem(drawn)
    sheet.layout.addLayoutItem(legend)
    legend.setLinkedMap(drawn)
    legend.setAutoUpdateModel(False)
    root = legend.model().rootGroup()
    root.clear()
    node = root.addLayer(layer)
    labels = [one.data(Qt.ItemDataRole.DisplayRole) for one in legend.model().layerLegendNodes(node)]
    legend.setTitle(sheet.tr("Legend"))
    legend.setBoxSpace(0)
    legend.setSplitLayer(True)
    context = core.QgsLayoutUtils.createRenderContextForLayout(sheet.layout, None, 300)
    most = body.height() - 24 * sheet.scale if wide else 0.35 * body.height()
    for columns, size, share in _BESIDE if wide else _BELOW:
        width = share * sheet.inner.width()
        columns = min(columns, 1 + len(labels) // 4)
        _dress(sheet, legend, node, [_heading(layer), *labels], size, columns, width / columns)
        # an item that was never painted does not know its size yet
        needed = core.QgsLegendRenderer(legend.model(), legend.legendSettings()).minimumSize(context)
        if needed.width() <= width and needed.height() <= most:
            legend.attemptSetSceneRect(QRectF(0, 0, needed.width(), needed.height()))
            return legend
    return None


def _heading(layer) -> str:
    """Return what the classes are of: the drawn field's name with its unit, else the layer's name."""
    try:
        return renderers.read(layer)["title"]
    except (renderers.CannotRead, AttributeError):  # a raster has no fields
        return layer.name()


def _dress(sheet, legend, node, texts, size: float, columns: int, width: float) -> None:
    """Set a legend's letters and symbols; write its heading and labels in lines as wide as a column."""
    k, part, font = sheet.scale, core.QgsLegendStyle.Style, sheet.font(size)
    legend.setColumnCount(columns)
    legend.setStyleFont(part.Title, sheet.font(size + 1, bold=True))
    legend.setStyleFont(part.Subgroup, font)
    legend.setStyleFont(part.SymbolLabel, font)
    legend.setSymbolWidth(0.7 * size * k)
    legend.setSymbolHeight(0.42 * size * k)
    legend.setColumnSpace(4 * k)
    legend.setStyleMargin(part.Symbol, core.QgsLegendStyle.Side.Top, 0.22 * size * k)
    legend.setStyleMargin(part.Title, core.QgsLegendStyle.Side.Bottom, 0.8 * k)
    legend.setStyleMargin(part.Subgroup, core.QgsLegendStyle.Side.Bottom, 1.2 * k)
    heading, *labels = texts
    node.setCustomProperty("legend/title-label", "\n".join(_wrap(heading, font, width - 4 * k)))
    for place, label in enumerate(labels):
        lines = _wrap(str(label), font, width - (0.7 * size + 6) * k)
        core.QgsMapLayerLegendUtils.setLegendNodeUserLabel(node, place, "\n".join(lines))
    legend.model().refreshLayerLegend(node)
