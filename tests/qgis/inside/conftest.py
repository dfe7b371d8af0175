"""Run by Debian's Python with QGIS's own libraries only: one QGIS application for all tests, an engine to talk to."""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "qgis_plugin"), "/usr/share/qgis/python/plugins"]
#: A copy: QGIS changes the header of a GeoPackage that it only looks at.
DATA = Path(tempfile.mkdtemp(prefix="kazgeo_tests_")) / "kazakhstan"
shutil.copytree(ROOT / "data" / "kazakhstan", DATA)
atexit.register(shutil.rmtree, DATA.parent, ignore_errors=True)


def run(name: str, feedback=None, **parameters):
    """Run an algorithm of KazGeo as PyQGIS does."""
    import processing

    return processing.run(f"kazgeo:{name}", parameters, feedback=feedback)


@pytest.fixture(scope="session")
def qgis_app():
    """Start QGIS once; never exitQgis, which crashes while Python still holds layers."""
    from qgis.core import QgsApplication

    app = QgsApplication([], True)
    app.initQgis()
    yield app
    from qgis.core import QgsProject

    QgsProject.instance().clear()


@pytest.fixture(scope="session")
def engine(qgis_app):
    """Return the engine's interpreter, or skip with one line."""
    python = os.environ.get("KAZGEO_PYTHON", "")
    if not Path(python).is_file():
        pytest.skip("KAZGEO_PYTHON names no engine")
    return python


@pytest.fixture(scope="session")
def provider(qgis_app):
    """Return KazGeo's provider, registered beside QGIS's own algorithms."""
    import processing
    from processing.core.Processing import Processing

    Processing.initialize()
    from kazgeo_qgis.provider import KazGeoProvider

    made = KazGeoProvider()
    qgis_app.processingRegistry().addProvider(made)
    assert processing
    return made
