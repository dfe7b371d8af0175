"""Web map of layers as QGIS shows them: their names, classes, colours and order in the layer tree."""

from __future__ import annotations

import pathlib
from dataclasses import dataclass

from qgis.core import QgsApplication, QgsProcessingContext, QgsProcessingFeatureSource, QgsProject, QgsVectorLayer
from qgis.gui import QgsFileWidget
from qgis.PyQt.QtCore import Qt, QUrl
from qgis.PyQt.QtGui import QDesktopServices
from qgis.PyQt.QtWidgets import (
    QDialog,
    QFormLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
)

from kazgeo_qgis.engine.client import client
from kazgeo_qgis.forms import ok_cancel
from kazgeo_qgis.layers_in import HandOver, look
from kazgeo_qgis.renderers import CannotRead, read
from kazgeo_qgis.task import EngineTask
from kazgeo_qgis.words import escaped, language, tr


def layers_in_order(project=None) -> list:
    """Return the vector layers of the layer tree from top to bottom, and whether each is visible."""
    root = (project or QgsProject.instance()).layerTreeRoot()
    found = [(node.layer(), node.isVisible()) for node in root.findLayers()]
    return [
        (layer, seen)
        for layer, seen in found
        if isinstance(layer, QgsVectorLayer) and layer.isValid() and layer.isSpatial()
    ]


class WebMapDialog(QDialog):
    """Asks which layers, which title, which file."""

    def __init__(self, parent, chosen: list, title: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Web map"))
        self.setMinimumWidth(460)
        self.title = QLineEdit(title)
        self.title.setObjectName("title")
        self.list = QListWidget()
        self.list.setObjectName("layers")
        for layer, seen in layers_in_order():
            item = QListWidgetItem(layer.name())
            item.setData(Qt.ItemDataRole.UserRole, layer.id())
            wanted = layer in chosen if chosen else seen
            item.setCheckState(Qt.CheckState.Checked if wanted else Qt.CheckState.Unchecked)
            self.list.addItem(item)
        self.file = QgsFileWidget()
        self.file.setStorageMode(QgsFileWidget.StorageMode.SaveFile)
        self.file.setFilter("HTML (*.html)")
        self.file.setFilePath(str(pathlib.Path.home() / "kazgeo.html"))
        note = QLabel(
            tr("One file that opens without a network. Layers that are hidden in QGIS can be switched on in it.")
        )
        note.setWordWrap(True)
        form = QFormLayout(self)
        form.addRow(tr("Title"), self.title)
        form.addRow(tr("Layers"), self.list)
        form.addRow(tr("File"), self.file)
        form.addRow(note)
        form.addRow(ok_cancel(self))

    def layers(self) -> list:
        """Return the ticked layers in their order."""
        items = [self.list.item(i) for i in range(self.list.count())]
        ids = [i.data(Qt.ItemDataRole.UserRole) for i in items if i.checkState() == Qt.CheckState.Checked]
        return [QgsProject.instance().mapLayer(one) for one in ids]


@dataclass
class Drawn:
    """A layer of the map: its features, how it looks, whether it is visible."""

    source: object
    seen: object
    style: dict
    visible: bool
    context: object


def look_at(layers: list) -> tuple:
    """Look at the layers in the main thread; return what is to be drawn, and a sentence for each that can't be."""
    visible = {layer.id() for layer, seen in layers_in_order() if seen}
    drawn, said = [], []
    for layer in layers:
        try:
            style = read(layer)
        except CannotRead as why:
            said.append(str(why))
            continue
        if not layer.crs().isValid():
            said.append(tr("{layer} has no coordinate system; set it in the layer's properties", layer=layer.name()))
            continue
        context = QgsProcessingContext()
        source = QgsProcessingFeatureSource(layer, context)
        drawn.append(Drawn(source, look(source, layer, layer, False), style, layer.id() in visible, context))
    return drawn, said


def hand_over(drawn: list, hand: HandOver) -> list:
    """Hand the layers over; return them as the engine wants them."""
    made = []
    for one in drawn:
        given = hand.layer(one.source, one.seen)
        made.append({**given.job(), "layer": given.layer or None, "title": one.seen.name,
                     "visible": one.visible, "style": renamed(one.style, given)})  # fmt: skip
    return made


def renamed(style: dict, given) -> dict:
    """Return a style whose columns are called what the file calls them."""
    out = dict(style)
    for key in ("column", "name_column", "size_column"):
        if out.get(key):
            out[key] = given.column(out[key])
    out["fields"] = [{**f, "column": given.column(f["column"])} for f in style.get("fields") or ()]
    return out


def export(layers: list, title: str, target: str, done):
    """Start the export; ``done(path or None, sentences)`` is called in the main thread at its end."""
    drawn, said = look_at(layers)
    if not drawn:
        done(None, said or [tr("Choose at least one layer for the web map.")])
        return None
    rights = [r for layer in layers for r in layer.metadata().rights()]
    job = {"type": "webmap", "title": title, "language": language(), "target": target,
           "sources": list(dict.fromkeys(rights))}  # fmt: skip

    def work(listener) -> dict:
        with HandOver(listener) as hand:
            return client.run({**job, "layers": hand_over(drawn, hand)}, listener)

    def finished(answer, why: str) -> None:
        told = [*said, *(answer or {}).get("findings", []), *([why] if why else [])]
        done((answer or {}).get("file"), told)

    task = EngineTask(tr("Web map: {title}", title=title), work, finished)
    QgsApplication.taskManager().addTask(task)
    return task


class WebMapAction:
    """The menu entry "Web map…"."""

    def __init__(self, iface) -> None:
        self._iface = iface
        self._task = None

    def run(self) -> None:
        """Ask and export."""
        chosen = [
            one for one in self._iface.layerTreeView().selectedLayersRecursive() if isinstance(one, QgsVectorLayer)
        ]
        title = QgsProject.instance().title() or (chosen[0].name() if chosen else "KazGeo")
        dialog = WebMapDialog(self._iface.mainWindow(), chosen, title)
        if dialog.exec() != QDialog.DialogCode.Accepted:
            return
        layers = dialog.layers()
        if not layers:
            self._iface.messageBar().pushWarning("KazGeo", tr("Choose at least one layer for the web map."))
            return
        target = dialog.file.filePath()
        target = target if target.lower().endswith((".html", ".htm")) else f"{target}.html"
        self._task = export(layers, dialog.title.text(), target, self._tell)

    def leave(self) -> None:
        """Stop an export and hear no more of it: the plugin goes."""
        if self._task is not None:
            self._task.forget()

    def _tell(self, file, said: list) -> None:
        self._task = None
        bar = self._iface.messageBar()
        if file:
            url = QUrl.fromLocalFile(file)
            bar.pushSuccess("KazGeo", escaped(" ".join([tr("Web map: {title}", title=file), *said])))
            QDesktopServices.openUrl(url)
        elif said:
            bar.pushWarning("KazGeo", escaped(" ".join(said)))
