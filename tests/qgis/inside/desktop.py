"""Runs inside a desktop QGIS (``qgis.bin --code``): uses the plugin as a planner would, pictures and notes kept.

KAZGEO_DATA names the data, KAZGEO_SHOTS the folder of pictures and of told.json.
"""

import json
import os
import time
import traceback
from pathlib import Path

import processing
import qgis.utils
from qgis.core import QgsApplication, QgsField, QgsProject, QgsVectorLayer
from qgis.PyQt.QtCore import QTimer, QVariant
from qgis.PyQt.QtWidgets import QApplication, QDialog, QDockWidget, QLabel, QLineEdit, QTextEdit

DATA, SHOTS = Path(os.environ["KAZGEO_DATA"]), Path(os.environ["KAZGEO_SHOTS"])
iface = qgis.utils.iface
told = {"steps": []}


def shot(widget, name):
    widget.grab().save(str(SHOTS / f"{name}.png"))
    told["steps"].append(name)


def wait_for(condition, seconds):
    """Yield until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        yield 50


def algorithm():
    """Run one from its dialog and look at the layer on the canvas."""
    regions = QgsVectorLayer(str(DATA / "regions_2009.gpkg"), "Области 2009", "ogr")
    panel = QgsVectorLayer(str(DATA / "indicators.csv"), "Показатели", "ogr")
    QgsProject.instance().addMapLayers([panel, regions])
    iface.mapCanvas().setExtent(regions.extent())
    iface.mapCanvas().refresh()
    yield 800
    given = {"REGIONS": regions, "PANEL": panel, "INDICATOR": "grp_per_capita", "YEAR": 2015, "UNIT": "тыс. тенге"}
    dialog = processing.createAlgorithmDialog("kazgeo:indicator_map", given)
    dialog.resize(1000, 700)
    dialog.show()
    yield 800
    shot(dialog, "dialog")
    told["labels"] = [w.text() for w in dialog.findChildren(QLabel) if w.text()]
    told["lines"] = [w.text() for w in dialog.findChildren(QLineEdit)]
    before = set(QgsProject.instance().mapLayers())
    started = time.monotonic()
    dialog.runButton().click()
    yield from wait_for(lambda: len(QgsProject.instance().mapLayers()) > len(before), 60)
    told["click_to_layer_s"] = round(time.monotonic() - started, 2)
    yield 500
    shot(dialog, "log")
    dialog.close()
    layer = next(one for key, one in QgsProject.instance().mapLayers().items() if key not in before)
    told["layer"] = {"name": layer.name(), "renderer": layer.renderer().type(), "features": layer.featureCount(),
                     "legend": [i.label() for i in layer.renderer().legendSymbolItems()],
                     "history": layer.metadata().history()}  # fmt: skip
    iface.setActiveLayer(layer)
    QgsProject.instance().layerTreeRoot().findLayer(regions.id()).setItemVisibilityChecked(False)
    yield 1500
    shot(iface.mainWindow(), "canvas")


def clusters():
    """Time the analysis of the issue: local Moran from click to layer, first and second run."""
    districts = os.environ.get("KAZGEO_DISTRICTS")
    if not districts:
        return
    layer = QgsVectorLayer(districts, "Аудандар", "ogr")
    QgsProject.instance().addMapLayer(layer)
    from kazgeo_qgis.engine.client import client

    client.stop()
    told["local_moran_s"] = []
    layer.addExpressionField("$area / 1000000", QgsField("аумағы, км²", QVariant.Double))
    for _ in range(3):
        before = len(QgsProject.instance().mapLayers())
        given = {"UNITS": layer, "INDICATOR": "аумағы, км²", "REPAIR": True}
        dialog = processing.createAlgorithmDialog("kazgeo:local_moran", given)
        dialog.show()
        yield 500
        started = time.monotonic()
        dialog.runButton().click()
        yield from wait_for(lambda before=before: len(QgsProject.instance().mapLayers()) > before, 30)
        told["local_moran_s"].append(round(time.monotonic() - started, 2))
        yield 300
        dialog.close()
    told["districts"] = layer.featureCount()
    QgsProject.instance().removeMapLayer(layer.id())


def dock():
    """Run the demo project in the dock."""
    plugin = qgis.utils.plugins["kazgeo_qgis"]
    for one in iface.mainWindow().findChildren(QDockWidget):
        if "result" in one.objectName().lower():
            one.hide()
    panel = plugin._desktop.dock
    panel.setUserVisible(True)
    panel.project.setFilePath(str(DATA / "project.toml"))
    panel.folder.setFilePath(str(SHOTS / "out"))
    yield 500
    panel.start()
    yield from wait_for(lambda: panel.bar.value() > 5 or panel._task is None, 60)
    shot(iface.mainWindow(), "dock_running")
    yield from wait_for(lambda: panel._task is None, 300)
    yield 1500
    shot(iface.mainWindow(), "dock")
    told["dock"] = panel.said.toPlainText()
    root = QgsProject.instance().layerTreeRoot()
    told["groups"] = [[g.name(), [x.name() for x in g.findGroups()], len(g.findLayers())] for g in root.findGroups()]


def web_map():
    """Export the visible layers through the dialog's own code."""
    from kazgeo_qgis.web_map import WebMapDialog, export

    dialog = WebMapDialog(iface.mainWindow(), [], "Қазақстан өңірлері")
    dialog.show()
    yield 400
    shot(dialog, "web_map_dialog")
    layers = dialog.layers()
    dialog.close()
    done = []
    task = export(layers, "Қазақстан өңірлері", str(SHOTS / "map.html"), lambda file, said: done.append((file, said)))
    yield from wait_for(lambda: done, 60)
    told["web_map"] = [str(done[0][0]), done[0][1], [one.name() for one in layers]]
    assert task


def page():
    """Make a printed page and open the designer."""
    from kazgeo_qgis.layout import export, make, open_designer
    from kazgeo_qgis.page_dialog import PageDialog
    from kazgeo_qgis.words import language

    layer = iface.activeLayer()
    dialog = PageDialog(iface.mainWindow(), layer.name())
    dialog.show()
    yield 300
    shot(dialog, "page_dialog")
    assert dialog.chosen()["language"] == language()
    dialog.close()
    layout = make(QgsProject.instance(), layer, language=language())
    export(layout, str(SHOTS / "page.png"))
    designer = open_designer(iface, layout)
    yield 1500
    shot(designer.window(), "designer")
    designer.close()
    yield 300


def options():
    """Look at the options page."""

    def grab():
        for one in QApplication.topLevelWidgets():
            if isinstance(one, QDialog) and one.isVisible() and one.objectName() == "QgsOptionsBase":
                shot(one, "options")
                one.reject()

    from kazgeo_qgis.install_dialog import InstallDialog

    dialog = InstallDialog(iface.mainWindow())
    dialog.show()
    yield 4000
    shot(dialog, "install")
    dialog.close()
    QTimer.singleShot(2500, grab)
    iface.showOptionsDialog(iface.mainWindow(), "KazGeoOptions")
    yield 300


def toolbox():
    """Show the toolbox with all algorithms of KazGeo."""
    from qgis.PyQt.QtWidgets import QTreeView

    box = iface.mainWindow().findChild(QDockWidget, "ProcessingToolbox")
    box.show()
    tree = box.findChild(QTreeView)
    model = tree.model()
    for row in range(model.rowCount()):
        at = model.index(row, 0)
        if at.data() == "KazGeo":
            tree.expandRecursively(at)
            tree.scrollTo(at, QTreeView.ScrollHint.PositionAtTop)
    yield 800
    shot(box, "toolbox")
    box.hide()


def batch():
    """Fill two rows of the batch form and run them."""
    from processing.gui.BatchAlgorithmDialog import BatchAlgorithmDialog
    from qgis.core import QgsProcessingContext

    dialog = BatchAlgorithmDialog(QgsApplication.processingRegistry().createAlgorithmById("kazgeo:indicator_map"))
    dialog.resize(1200, 400)
    dialog.show()
    panel = dialog.mainWidget()
    panel.addRow()
    yield 500
    targets = [SHOTS / f"batch_{year}.gpkg" for year in (2010, 2020)]
    for row, target in enumerate(targets):
        given = {"REGIONS": str(DATA / "regions_2009.gpkg"), "PANEL": str(DATA / "indicators.csv"),
                 "INDICATOR": "grp_per_capita", "YEAR": int(target.stem[-4:])}  # fmt: skip
        for name, value in given.items():
            panel.wrappers[row][panel.parameter_to_column[name]].setParameterValue(value, QgsProcessingContext())
        panel.tblParameters.cellWidget(row + 1, panel.parameter_to_column["OUTPUT"]).setValue(str(target))
    yield 300
    shot(dialog, "batch")
    dialog.runButton().click()
    yield from wait_for(lambda: all(target.is_file() for target in targets), 60)
    yield 500
    told["batch"] = [QgsVectorLayer(str(target), "b", "ogr").featureCount() for target in targets]
    dialog.close()


def reload():
    """Unload and load the plugin again: no trace may stay, nothing may crash."""
    panel = qgis.utils.plugins["kazgeo_qgis"]._desktop.dock
    panel.folder.setFilePath(str(SHOTS / "out2"))
    panel.start()
    yield 600
    assert panel._task is not None, "unloaded in the middle of a run"
    qgis.utils.unloadPlugin("kazgeo_qgis")
    yield from wait_for(lambda: QgsApplication.taskManager().countActiveTasks() == 0, 20)
    yield 300
    told["bar"] = [item.text() for item in iface.messageBar().items() if "Traceback" in item.text()]
    assert QgsApplication.processingRegistry().providerById("kazgeo") is None
    import pyplugin_installer

    qgis.utils.loadPlugin("kazgeo_qgis")
    qgis.utils.startPlugin("kazgeo_qgis")
    yield 300
    first = QgsApplication.processingRegistry().providerById("kazgeo")
    assert first is not None
    # what the button "Install from ZIP" does, over a plugin that is in use
    pyplugin_installer.instance().installFromZipFile(os.environ["KAZGEO_ZIP"])
    yield 800
    told["installed_from_zip"] = qgis.utils.plugins["kazgeo_qgis"].__module__
    assert QgsApplication.processingRegistry().providerById("kazgeo") is not None
    told["steps"].append("reloaded")


def scenario():
    for step in (toolbox, algorithm, page, clusters, dock, web_map, options, batch, reload):
        yield from step()


def go(steps):
    try:
        pause = next(steps)
    except StopIteration:
        end()
    except Exception:  # noqa: BLE001 - told in told.json
        told["fault"] = traceback.format_exc()
        shot(iface.mainWindow(), "fault")
        seen = [w for w in QApplication.allWidgets() if isinstance(w, QTextEdit) and w.isVisible()]
        told["texts"] = [w.toPlainText() for w in seen]
        end()
    else:
        QTimer.singleShot(pause, lambda: go(steps))


def end():
    (SHOTS / "told.json").write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
    QgsProject.instance().clear()
    QgsApplication.instance().quit()


QTimer.singleShot(3000, lambda: go(scenario()))
