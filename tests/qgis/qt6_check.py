"""Checks the plugin's source against PyQt6 without a QGIS 4: imports, enums, calls that Qt6 no longer has."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

MODULES = ("QtCore", "QtGui", "QtWidgets", "QtXml", "QtNetwork", "QtPrintSupport", "QtSvg")
#: qgis.PyQt offers them where Qt5 had them.
MOVED = {"QAction": "QtGui", "QActionGroup": "QtGui", "QShortcut": "QtGui", "QUndoStack": "QtGui"}
GONE_MODULES = ("PyQt5", "PyQt6", "PySide2", "PySide6", "sip")
GONE_CALLS = ("exec_", "print_", "toPyDateTime_")
GONE_NAMES = ("QRegExp", "QTextCodec", "QWebView", "QDesktopWidget")
#: Enums of QGIS whose members live in the class only in QGIS 3; scoped names work in both.
SCOPED = ("QgsProcessing", "QgsWkbTypes", "QgsTask", "QgsUnitTypes", "QgsProcessingParameterNumber",
          "QgsProcessingParameterField", "QgsProcessingParameterDefinition", "QgsFeatureSink", "QgsFeatureRequest",
          "QgsVectorFileWriter", "QgsFields", "QgsFileWidget", "QgsLayoutItem", "QgsLayoutExporter",
          "Qgis")  # fmt: skip


def faults(path: Path) -> Iterator[str]:
    """Yield what would break on QGIS 4, with its line."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    known = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (f"{path.name}:{node.lineno}: {text}" for text in _import_faults(node, known))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield from (f"{path.name}:{node.lineno}: {text}" for text in _attribute_faults(node, known))
        elif isinstance(node, ast.Name) and node.id in GONE_NAMES:
            yield f"{path.name}:{node.lineno}: {node.id} is gone in Qt6"


def _import_faults(node: ast.Import | ast.ImportFrom, known: dict[str, object]) -> Iterator[str]:
    names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    for name in names:
        if name.split(".")[0] in GONE_MODULES:
            yield f"import of {name}: only qgis.PyQt works everywhere"
    if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("qgis.PyQt."):
        return
    module = node.module.split(".")[-1]
    if module not in MODULES:
        yield f"module {node.module} is not in Qt6"
        return
    for alias in node.names:
        try:
            found = getattr(importlib.import_module(f"PyQt6.{MOVED.get(alias.name, module)}"), alias.name, None)
        except ImportError:
            continue
        if found is None and alias.name != "QVariant":
            yield f"{alias.name} is not in PyQt6.{module}"
        known[alias.asname or alias.name] = found


def _attribute_faults(node: ast.Attribute, known: dict[str, object]) -> Iterator[str]:
    if node.attr in GONE_CALLS:
        yield f"{node.attr} is gone in Qt6"
    chain = _chain(node)
    if chain and chain[0] in known and known[chain[0]] is not None:
        at = known[chain[0]]
        for part in chain[1:]:
            if not hasattr(at, part):
                yield f"{'.'.join(chain)} is not in PyQt6"
                return
            at = getattr(at, part)
    if chain and len(chain) == 2 and chain[0] in SCOPED and chain[1][:1].isupper() and not chain[1].isupper():
        # a class or an enum is followed by something; a bare member is the unscoped name of Qt5
        yield f"?{'.'.join(chain)}"


def _chain(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        before = _chain(node.value)
        return [*before, node.attr] if before else []
    return []


def check(package: Path) -> list[str]:
    """Return all faults of a package; members of QGIS's enums must be scoped."""
    found = []
    for path in sorted(package.rglob("*.py")):
        for text in faults(path):
            place, _, what = text.partition(": ")
            if not what.startswith("?"):
                found.append(text)
            elif not _goes_on(path, int(place.rsplit(":", 1)[1]), what[1:]):
                found.append(f"{place}: {what[1:]}: name the enum too, Class.Enum.Member")
    return found


def _goes_on(path: Path, line: int, chain: str) -> bool:
    """Return whether Class.Name is followed by a member or called on that line: then it is an enum or a class."""
    text = path.read_text(encoding="utf-8").splitlines()[line - 1]
    at = text.find(chain)
    return at >= 0 and text[at + len(chain) : at + len(chain) + 1] in {".", "("}
