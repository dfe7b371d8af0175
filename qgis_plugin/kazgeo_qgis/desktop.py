"""What the plugin adds to QGIS's window: menu, toolbar button of the dock, options page."""

from __future__ import annotations

import pathlib

from qgis.core import QgsProject, QgsVectorLayer
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import QAction, QDialog

from kazgeo_qgis.dock import Dock
from kazgeo_qgis.layout import CannotPrint, make, open_designer
from kazgeo_qgis.options import OptionsFactory
from kazgeo_qgis.page_dialog import PageDialog
from kazgeo_qgis.web_map import WebMapAction
from kazgeo_qgis.words import escaped, tr

_ICONS = pathlib.Path(__file__).parent / "icons"
_MENU = "&KazGeo"


class Desktop:
    """Menu, dock and options page; ``remove`` takes all of it away.

    Parameters
    ----------
    iface : QgisInterface
        The window.
    refresh : callable
        Called after the options have changed.
    """

    def __init__(self, iface, refresh) -> None:
        self._iface = iface
        self._web_map = WebMapAction(iface)
        self.dock = Dock(iface.mainWindow(), self._web_map.run, self.page)
        iface.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self.dock)
        self.dock.hide()
        self._factory = OptionsFactory(refresh)
        iface.registerOptionsWidgetFactory(self._factory)
        self._actions = []
        toggle = self.dock.toggleViewAction()
        toggle.setText(tr("KazGeo panel"))
        toggle.setIcon(QIcon(str(_ICONS / "dock.svg")))
        self._add(toggle)
        self._add(self._action("web_map", tr("Web map…"), self._web_map.run))
        self._add(self._action("layout", tr("Print page…"), self.page))
        self._add(self._action("kazgeo", tr("Options…"), self._options))
        iface.addToolBarIcon(toggle)

    def _action(self, icon: str, text: str, run) -> QAction:
        action = QAction(QIcon(str(_ICONS / f"{icon}.svg")), text, self._iface.mainWindow())
        action.triggered.connect(lambda _=False: run())
        return action

    def _add(self, action) -> None:
        self._iface.addPluginToMenu(_MENU, action)
        self._actions.append(action)

    def page(self) -> None:
        """Make a printed page of the chosen layer and open it in QGIS's own designer."""
        layer = self._iface.activeLayer()
        if not isinstance(layer, QgsVectorLayer):
            self._iface.messageBar().pushWarning("KazGeo", tr("Choose a result layer in the layer tree first."))
            return
        dialog = PageDialog(self._iface.mainWindow(), layer.name())
        if dialog.exec() != QDialog.DialogCode.Accepted:
            return
        try:
            made = make(QgsProject.instance(), layer, **dialog.chosen())
        except CannotPrint as why:
            self._iface.messageBar().pushWarning("KazGeo", escaped(why))
            return
        open_designer(self._iface, made)

    def _options(self) -> None:
        self._iface.showOptionsDialog(self._iface.mainWindow(), "KazGeoOptions")

    def remove(self) -> None:
        """Take everything away."""
        self.dock.leave()
        self._web_map.leave()
        self._iface.unregisterOptionsWidgetFactory(self._factory)
        self._iface.removeToolBarIcon(self._actions[0])
        for action in self._actions:
            self._iface.removePluginMenu(_MENU, action)
            if action is not self._actions[0]:  # the dock's own goes with the dock
                action.deleteLater()
        self._iface.removeDockWidget(self.dock)
        self.dock.deleteLater()
        self.dock = None
