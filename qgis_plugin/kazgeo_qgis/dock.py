"""The dock: run a project file, get its layers grouped and styled, make the web map and the printed page of them."""

from __future__ import annotations

import pathlib

from qgis.core import QgsApplication, QgsProject, QgsRasterLayer, QgsVectorLayer, QgsWkbTypes
from qgis.gui import QgsDockWidget, QgsFileWidget
from qgis.PyQt.QtCore import QUrl
from qgis.PyQt.QtGui import QDesktopServices
from qgis.PyQt.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from kazgeo_qgis.engine.client import client
from kazgeo_qgis.task import EngineTask
from kazgeo_qgis.words import escaped, language, tr

_MARK = "kazgeo/folder"


class Dock(QgsDockWidget):
    """A panel for planners.

    Parameters
    ----------
    parent : QWidget
        QGIS's main window.
    web_map, page : callable
        What the two buttons below do.
    """

    def __init__(self, parent, web_map, page) -> None:
        super().__init__("KazGeo", parent)
        self.setObjectName("KazGeoDock")
        self._task = None
        self.project = QgsFileWidget()
        self.project.setObjectName("project")
        self.project.setFilter("KazGeo (*.toml)")
        self.project.fileChanged.connect(self._propose)
        self.folder = QgsFileWidget()
        self.folder.setStorageMode(QgsFileWidget.StorageMode.GetDirectory)
        self.run = QPushButton(tr("Run"))
        self.stop = QPushButton(tr("Cancel"))
        self.stop.setEnabled(False)
        self.bar = QProgressBar()
        self.bar.setVisible(False)
        self.said = QTextBrowser()
        self.said.setOpenLinks(False)
        self.said.anchorClicked.connect(QDesktopServices.openUrl)
        self.said.setPlaceholderText(
            tr("Choose a project file: what it finds is told here, its layers come into the map.")
        )
        self.run.clicked.connect(self.start)
        self.stop.clicked.connect(self.cancel)
        self._lay_out(web_map, page)

    def _lay_out(self, web_map, page) -> None:
        form = QFormLayout()
        form.addRow(tr("Project file"), self.project)
        form.addRow(tr("Results folder"), self.folder)
        buttons, below = QHBoxLayout(), QHBoxLayout()
        for button in (self.run, self.stop):
            buttons.addWidget(button)
        for text, action in ((tr("Web map…"), web_map), (tr("Print page…"), page)):
            button = QPushButton(text)
            button.clicked.connect(lambda _=False, action=action: action())
            below.addWidget(button)
        body = QWidget()
        column = QVBoxLayout(body)
        column.addLayout(form)
        column.addLayout(buttons)
        column.addWidget(self.bar)
        column.addWidget(self.said)
        column.addLayout(below)
        self.setWidget(body)

    def _propose(self, file: str) -> None:
        if file and not self.folder.filePath():
            self.folder.setFilePath(str(pathlib.Path(file).parent / "out"))

    # --- a run ------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Run the project in the background."""
        file, folder = self.project.filePath(), self.folder.filePath()
        if not pathlib.Path(file).is_file() or not folder:
            self.said.setPlainText(tr("Choose a project file and a folder for its results first."))
            return
        job = {"type": "project", "file": file, "folder": folder, "language": language()}
        self._task = EngineTask(
            tr("Project: {title}", title=pathlib.Path(file).stem), lambda heard: client.run(job, heard), self._finished
        )
        self._task.progressChanged.connect(lambda value: self.bar.setValue(int(value)))
        self._busy(True)
        QgsApplication.taskManager().addTask(self._task)

    def cancel(self) -> None:
        """Stop the run."""
        if self._task is not None:
            self._task.cancel()

    def leave(self) -> None:
        """Stop the run and hear no more of it: the dock goes."""
        if self._task is not None:
            self._task.forget()

    def _busy(self, busy: bool) -> None:
        self.bar.setVisible(busy)
        self.bar.setValue(0)
        self.run.setEnabled(not busy)
        self.stop.setEnabled(busy)

    def _finished(self, answer, why: str) -> None:
        said = self._task.listener.said if self._task is not None else []
        self._task = None
        self._busy(False)
        if answer is None:
            self.said.setPlainText(why or tr("Cancelled."))
            return
        load(answer)
        self._tell(answer, said)

    def _tell(self, answer: dict, said: list) -> None:
        self.said.clear()
        self.said.append(f"<b>{escaped(answer['title'])}</b>")
        if answer["fresh"]:
            self.said.append(escaped(tr("Nothing has changed since the last run.")))
        for line in [*answer["findings"], *said]:
            self.said.append(f"<p>{escaped(line)}</p>")
        folder = pathlib.Path(answer["folder"])
        for name in answer["files"]:
            if name.endswith((".html", ".pdf")):
                url = QUrl.fromLocalFile(str(folder / name)).toString(QUrl.ComponentFormattingOption.FullyEncoded)
                self.said.append(f'<a href="{escaped(url)}">{escaped(name)}</a>')


def load(answer: dict) -> None:
    """Put the layers of a project's run into the layer tree, grouped; those of an earlier run of it go."""
    project = QgsProject.instance()
    root = project.layerTreeRoot()
    for old in [g for g in root.findGroups() if g.customProperty(_MARK) == answer["folder"]]:
        project.removeMapLayers([node.layerId() for node in old.findLayers()])
        root.removeChildNode(old)
    top = root.insertGroup(0, answer["title"])
    top.setCustomProperty(_MARK, answer["folder"])
    groups: dict = {}
    shown = False
    for one in answer["layers"]:
        if one["layer"]:
            layer = QgsVectorLayer(f"{one['file']}|layername={one['layer']}", one["title"], "ogr")
        else:
            layer = QgsRasterLayer(one["file"], one["title"])
        if not layer.isValid():
            continue
        project.addMapLayer(layer, False)
        if one["group"] not in groups:
            groups[one["group"]] = top.addGroup(one["group"])
        node = groups[one["group"]].addLayer(layer)
        node.setExpanded(False)
        lines = bool(one["layer"]) and layer.geometryType() == QgsWkbTypes.GeometryType.LineGeometry
        node.setItemVisibilityChecked(lines or not shown)  # roads and the first result, the rest waits
        shown = shown or not lines
