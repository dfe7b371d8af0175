"""The plugin: the provider always, the desktop's extras when there is a desktop."""

from __future__ import annotations

import contextlib

from qgis.core import QgsApplication

from kazgeo_qgis.engine.client import client
from kazgeo_qgis.provider import KazGeoProvider


class KazGeoPlugin:
    """What QGIS loads and unloads.

    Parameters
    ----------
    iface : QgisInterface or None
        None in qgis_process.
    """

    def __init__(self, iface) -> None:
        self.iface = iface
        self.provider = None
        self._desktop = None

    def initProcessing(self) -> None:
        """Add the analyses to Processing; all that qgis_process needs."""
        client.open()
        self.provider = KazGeoProvider()
        QgsApplication.processingRegistry().addProvider(self.provider)

    def initGui(self) -> None:
        """Add the analyses, the options page, menu and dock."""
        self.initProcessing()
        if self.iface is not None:
            from kazgeo_qgis.desktop import Desktop

            self._desktop = Desktop(self.iface, self.refresh)

    def refresh(self) -> None:
        """Name everything anew after the language or the engine has changed."""
        if self.provider is not None:
            self.provider.refreshAlgorithms()

    def unload(self) -> None:
        """Take everything away again and end the engine."""
        if self._desktop is not None:
            self._desktop.remove()
            self._desktop = None
        if self.provider is not None:
            with contextlib.suppress(RuntimeError):  # QGIS has deleted it at its end
                QgsApplication.processingRegistry().removeProvider(self.provider)
            self.provider = None
        client.close()
