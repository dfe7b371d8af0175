"""KazGeo's page in Settings, Options: the engine, the language, how the engine works."""

from __future__ import annotations

import os
import pathlib

from qgis.gui import QgsFileWidget, QgsOptionsPageWidget, QgsOptionsWidgetFactory, QgsScrollArea
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QFrame,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from kazgeo_qgis import settings
from kazgeo_qgis.engine.find import VARIABLE, EngineMissing, find
from kazgeo_qgis.engine.install import InstallFault, ask, mend
from kazgeo_qgis.install_dialog import Background, InstallDialog
from kazgeo_qgis.words import tr

_ICON = pathlib.Path(__file__).parent / "icons" / "kazgeo.svg"


class OptionsFactory(QgsOptionsWidgetFactory):
    """What QGIS asks for the page; keep it as long as it is registered.

    Parameters
    ----------
    on_change : callable, optional
        Called after a setting has changed.
    """

    def __init__(self, on_change=None) -> None:
        super().__init__("KazGeo", QIcon(str(_ICON)))
        self._on_change = on_change

    def createWidget(self, parent) -> QgsOptionsPageWidget:
        """Return a new page."""
        return OptionsPage(parent, self._on_change)


class OptionsPage(QgsOptionsPageWidget):
    """The page.

    Parameters
    ----------
    parent : QWidget, optional
        QGIS's options window.
    on_change : callable, optional
        Called after a setting has changed.
    """

    def __init__(self, parent=None, on_change=None) -> None:
        super().__init__(parent)
        self.setObjectName("KazGeoOptions")
        self._on_change = on_change
        self._asking = None
        mend()
        inner, area = QWidget(), QgsScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(inner)
        around, column = QVBoxLayout(self), QVBoxLayout(inner)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(area)
        column.addWidget(self._engine_box())
        column.addWidget(self._work_box())
        column.addStretch(1)
        self._show_status()

    # --- widgets ----------------------------------------------------------------------------------------

    def _engine_box(self) -> QGroupBox:
        self.python = QgsFileWidget()
        self.python.setObjectName("python")
        self.python.setDialogTitle(tr("Choose a Python"))
        # the dialog must not follow links: a virtual environment's Python is one
        self.python.setOptions(QFileDialog.Option.DontResolveSymlinks)
        self.python.setFilePath(settings.get("python_path"))
        self.python.lineEdit().setPlaceholderText(tr("Empty: the environment in QGIS's profile"))
        self.check = QPushButton(tr("Check"))
        self.check.clicked.connect(self._check)
        self.create = QPushButton(tr("Create environment…"))
        self.create.clicked.connect(self._create)
        self.answer, self.status = QLabel(), QLabel()
        for name in ("check", "create", "answer", "status"):
            getattr(self, name).setObjectName(name)
        for label in (self.answer, self.status):
            label.setWordWrap(True)
        row, below = QHBoxLayout(), QHBoxLayout()
        row.addWidget(QLabel("Python"))
        row.addWidget(self.python, 1)
        row.addWidget(self.check)
        below.addWidget(self.create)
        below.addStretch(1)
        box = QGroupBox(tr("The engine: a Python of its own with KazGeo in it"))
        column = QVBoxLayout(box)
        column.addLayout(row)
        column.addWidget(self.answer)
        column.addWidget(self.status)
        column.addLayout(below)
        self.answer.setVisible(False)
        return box

    def _work_box(self) -> QGroupBox:
        self.language = _combo(
            "language",
            (("auto", tr("As QGIS")), ("kk", "Қазақша"), ("ru", "Русский"), ("en", "English")),
        )
        self.language.currentIndexChanged.connect(self._show_note)
        self.note = QLabel(tr("The analyses change at once, menus and the panel when QGIS is started anew."))
        self.note.setObjectName("note")
        self.note.setWordWrap(True)
        self.note.setVisible(False)
        self.threads = _spin("threads", 0, max(os.cpu_count() or 1, settings.get("threads")))
        self.threads.setSpecialValueText(tr("All"))
        self.log_level = _combo("log_level", (("info", tr("Short")), ("debug", tr("Everything, to look for faults"))))
        self.idle_minutes = _spin("idle_minutes", 1, 24 * 60)
        self.idle_minutes.setSuffix(" " + tr("min"))
        box = QGroupBox(tr("Work"))
        form = QFormLayout(box)
        form.addRow(tr("Language"), self.language)
        form.addRow("", self.note)
        form.addRow(tr("Processor cores"), self.threads)
        form.addRow(tr("Messages"), self.log_level)
        form.addRow(tr("The engine ends when idle for"), self.idle_minutes)
        return box

    # --- what is in use ---------------------------------------------------------------------------------

    def _show_status(self) -> None:
        try:
            engine = find()
            named = tr("{path} (named by {origin})", path=engine.python, origin=engine.origin)
            text = f"{tr('In use')}: {named}"
        except EngineMissing as missing:
            text = str(missing)
        if os.environ.get(VARIABLE):
            text += "\n" + tr("The environment variable {name} is set and wins over this page.", name=VARIABLE)
        self.status.setText(text)

    def _tell(self, text: str) -> None:
        self.answer.setText(text)
        self.answer.setVisible(bool(text))

    def _show_note(self) -> None:
        self.note.setVisible(self.language.currentData() != settings.get("language"))

    def _check(self) -> None:
        """Ask the named Python, or the one in use, in the background: the first start can take a while."""
        path = self.python.filePath().strip()
        try:
            path = path or find().python
        except EngineMissing as missing:
            self._tell(str(missing))
            return
        self._tell(tr("Asking {path}…", path=path))
        self.check.setEnabled(False)
        self._asking = Background(lambda _tell: ask(path), self._answered)

    def _answered(self, told, fault) -> None:
        self.check.setEnabled(True)
        if told is not None:
            text = tr("KazGeo {version}, protocol {protocol}, Python {python}: it works.", version=told.kazgeo,
                      protocol=told.protocol, python=told.python)  # fmt: skip
        else:
            text = str(fault) if isinstance(fault, InstallFault) else repr(fault)
        self._tell(text)

    def _create(self) -> None:
        dialog = InstallDialog(self)
        dialog.exec()
        dialog.deleteLater()
        self._tell("")
        self._show_status()

    # --- what QGIS asks ---------------------------------------------------------------------------------

    def apply(self) -> None:
        """Store what has been chosen."""
        chosen = {
            "python_path": self.python.filePath().strip(),
            "language": self.language.currentData(),
            "threads": self.threads.value(),
            "log_level": self.log_level.currentData(),
            "idle_minutes": self.idle_minutes.value(),
        }
        changed = {name: value for name, value in chosen.items() if value != settings.get(name)}
        for name, value in changed.items():
            settings.put(name, value)
        self._show_status()
        if changed and self._on_change is not None:
            self._on_change()


def _combo(name: str, choices) -> QComboBox:
    """Return a combo box for a setting; a stored value that is no choice shows as the first one."""
    box = QComboBox()
    box.setObjectName(name)
    for value, text in choices:
        box.addItem(text, value)
    box.setCurrentIndex(max(0, box.findData(settings.get(name))))
    return box


def _spin(name: str, least: int, most: int) -> QSpinBox:
    """Return a spin box for a setting."""
    box = QSpinBox()
    box.setObjectName(name)
    box.setRange(least, most)
    box.setValue(settings.get(name))
    return box
