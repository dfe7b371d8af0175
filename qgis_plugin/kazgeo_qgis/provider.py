"""KazGeo in the toolbox: the whole catalogue, each analysis one algorithm."""

from __future__ import annotations

import pathlib

from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from kazgeo_qgis.algorithm import KazGeoAlgorithm
from kazgeo_qgis.catalogue import catalogue

ICONS = pathlib.Path(__file__).parent / "icons"


class KazGeoProvider(QgsProcessingProvider):
    """All analyses of the catalogue, whether there is an engine or not."""

    def id(self) -> str:
        """Return the stable id."""
        return "kazgeo"

    def name(self) -> str:
        """Return the name."""
        return "KazGeo"

    def longName(self) -> str:
        """Return the name with the version."""
        return f"KazGeo {catalogue().kazgeo}"

    def versionInfo(self) -> str:
        """Return the version of the catalogue."""
        return catalogue().kazgeo

    def icon(self) -> QIcon:
        """Return the icon."""
        return QIcon(str(ICONS / "kazgeo.svg"))

    def svgIconPath(self) -> str:
        """Return the icon's file."""
        return str(ICONS / "kazgeo.svg")

    def loadAlgorithms(self) -> None:
        """Add all algorithms."""
        for one in catalogue().analyses.values():
            self.addAlgorithm(KazGeoAlgorithm(one))

    def supportedOutputVectorLayerExtensions(self) -> list:
        """Return the formats of layers and tables."""
        return ["gpkg", "geojson", "csv", "xlsx"]

    def supportedOutputTableExtensions(self) -> list:
        """Return the formats of tables."""
        return ["gpkg", "csv", "xlsx"]

    def supportedOutputRasterLayerExtensions(self) -> list:
        """Return the formats of surfaces."""
        return ["tif"]

    def defaultVectorFileExtension(self, has_geometry: bool = True) -> str:
        """Return the usual format."""
        return "gpkg"

    def supportsNonFileBasedOutput(self) -> bool:
        """Return False: the engine writes files."""
        return False
