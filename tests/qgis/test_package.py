"""The plugin as a package: nothing stale, nothing foreign, ready for QGIS 4, a zip that the repository takes."""

from __future__ import annotations

import ast
import configparser
import importlib.util
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
from qt6_check import check

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "qgis_plugin"
PACKAGE = FOLDER / "kazgeo_qgis"
SOURCES = sorted(PACKAGE.rglob("*.py"))


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"plugin_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_catalogue_and_dictionaries_are_fresh() -> None:
    for path, text in load("update").files().items():
        assert path.is_file(), f"{path.name} is missing: python qgis_plugin/update.py"
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is stale: python qgis_plugin/update.py"


def test_the_catalogue_is_what_the_command_prints() -> None:
    done = subprocess.run([sys.executable, "-m", "kazgeo", "catalogue", "--json"], capture_output=True, text=True)
    assert json.loads(done.stdout) == json.loads((PACKAGE / "catalogue.json").read_text(encoding="utf-8"))


def test_only_qgis_and_the_standard_library_are_imported() -> None:
    allowed = {*sys.stdlib_module_names, "qgis", "processing", "kazgeo_qgis"}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.split(".")[0] in allowed, f"{path.name}: {name}"


def test_ready_for_qgis_4() -> None:
    pytest.importorskip("PyQt6.QtWidgets", reason="PyQt6 is not installed")
    assert check(PACKAGE) == []


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        ("from PyQt5.QtCore import Qt", "only qgis.PyQt"),
        ("from qgis.PyQt.QtCore import Qt\nx = Qt.AlignLeft", "not in PyQt6"),
        ("dialog.exec_()", "exec_ is gone"),
        ("from qgis.core import QgsWkbTypes\nx = QgsWkbTypes.Polygon", "name the enum too"),
        ("from qgis.PyQt.QtWebKit import QWebPage", "not in Qt6"),
    ],
)
def test_the_check_finds_planted_faults(planted: str, said: str, tmp_path: Path) -> None:
    pytest.importorskip("PyQt6.QtWidgets", reason="PyQt6 is not installed")
    (tmp_path / "bad.py").write_text(planted + "\n", encoding="utf-8")
    assert any(said in fault for fault in check(tmp_path))


def test_the_zip_obeys_the_upload_rules(tmp_path: Path) -> None:
    builder = load("build")
    path, count = builder.build(PACKAGE, ROOT / "kazgeo" / "__init__.py", tmp_path)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    assert len(names) == count
    assert path.stat().st_size < 25 * 1024 * 1024
    assert all(name.startswith("kazgeo_qgis/") for name in names)
    for wanted in ("LICENSE", "__init__.py", "metadata.txt", "catalogue.json", "i18n/kk.json", "icons/kazgeo.svg"):
        assert f"kazgeo_qgis/{wanted}" in names
    assert not [n for n in names if "__pycache__" in n or "/." in n or n.endswith(".pyc")]
    again, _ = builder.build(PACKAGE, ROOT / "kazgeo" / "__init__.py", tmp_path / "again")
    assert again.read_bytes() == path.read_bytes()


def test_a_package_that_breaks_a_rule_is_refused(tmp_path: Path) -> None:
    builder = load("build")
    bad = tmp_path / "kazgeo_qgis"
    bad.mkdir()
    (bad / "__init__.py").touch()
    with pytest.raises(builder.Refused, match="LICENSE"):
        builder.check(bad, ROOT / "kazgeo" / "__init__.py")


def test_metadata_says_which_qgis() -> None:
    told = configparser.ConfigParser(interpolation=None)
    told.read(PACKAGE / "metadata.txt", encoding="utf-8")
    general = told["general"]
    assert general["qgisMinimumVersion"] == "3.22"
    assert general["qgisMaximumVersion"] == "4.99"
    assert general["hasProcessingProvider"] == "yes"
    assert (PACKAGE / general["icon"]).is_file()


def test_the_plugin_is_python_3_9() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--select", "E9,F,UP", "--target-version", "py39", str(PACKAGE)],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    for path in SOURCES:
        ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
