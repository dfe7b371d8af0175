"""The window «Create environment…»: choose a Python, from the network or from a folder, watch, cancel."""

from __future__ import annotations

import contextlib
import os
import threading

from qgis.core import QgsApplication
from qgis.gui import QgsFileWidget
from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtGui import QFontDatabase, QFontInfo
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
)

from kazgeo_qgis import settings
from kazgeo_qgis.engine.client import client
from kazgeo_qgis.engine.find import VARIABLE, interpreter_of, profile_environment
from kazgeo_qgis.engine.install import Installation, InstallCancelled, InstallFault, find_pythons, probe
from kazgeo_qgis.words import tr

_DOWNLOAD = "python -m pip wheel . --wheel-dir wheels"


class Background(QObject):
    """Runs a function in a thread; the answer, or what it raised, comes back in the window's thread.

    Parameters
    ----------
    work : callable
        Gets ``tell(kind, text)`` for what it has to say meanwhile.
    done : method of a widget
        Called with the answer and the exception, one of them None; no more when the widget is gone.
    told : method of a widget, optional
        Called with what the work tells.
    """

    _done = pyqtSignal(object, object)
    _told = pyqtSignal(str, str)
    _running: set = set()  # noqa: RUF012 - kept until the end, whatever becomes of the widget

    def __init__(self, work, done, told=None) -> None:
        super().__init__()
        self._work = work
        self._running.add(self)
        self._done.connect(done)
        self._done.connect(self._forget)
        if told is not None:
            self._told.connect(told)
        self._thread = threading.Thread(target=self._run, name="kazgeo-setup", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Wait for the thread's end."""
        self._thread.join(seconds)

    def _run(self) -> None:
        answer, fault = None, None
        try:
            answer = self._work(self._told.emit)
        except Exception as error:  # noqa: BLE001 - told in the window
            fault = error
        with contextlib.suppress(RuntimeError):  # QGIS has ended meanwhile
            self._done.emit(answer, fault)

    def _forget(self, _answer, _fault) -> None:
        self._running.discard(self)


class InstallDialog(QDialog):
    """Makes the engine's environment in QGIS's profile.

    Parameters
    ----------
    parent : QWidget, optional
        The options page.
    requirement : str
        What pip installs.
    """

    def __init__(self, parent=None, requirement: str = "kazgeo") -> None:
        super().__init__(parent)
        self.setObjectName("KazGeoInstall")
        self.setWindowTitle(tr("Create KazGeo's environment"))
        self.resize(720, 520)
        self._requirement = requirement
        self._installation, self._work, self._leaving = None, None, False
        self._make_choices()
        self._make_log()
        self._lay_out()
        self._show_busy(False)
        self.start.setEnabled(False)
        self.now.setText(tr("Looking for Pythons on this computer…"))
        self._search = Background(lambda _tell: find_pythons(), self._found)
        QgsApplication.instance().aboutToQuit.connect(self._quit)

    # --- widgets ----------------------------------------------------------------------------------------

    def _make_choices(self) -> None:
        self.pythons = QComboBox()
        self.pythons.setObjectName("pythons")
        self.browse = QPushButton(tr("Browse…"))
        self.browse.clicked.connect(self._browse)
        self.online = QRadioButton(tr("From the package index, over the network (about 500 MB)"))
        self.offline = QRadioButton(tr("From a folder of wheels, without network:"))
        self.online.setObjectName("online")
        self.offline.setObjectName("offline")
        self.online.setChecked(True)
        self.folder = QgsFileWidget()
        self.folder.setObjectName("folder")
        self.folder.setStorageMode(QgsFileWidget.StorageMode.GetDirectory)
        self.folder.setEnabled(False)
        self.offline.toggled.connect(self.folder.setEnabled)
        self.hint = QLabel(
            tr("Fill the folder on a computer with network, the same system and the same Python, "
            "in the folder of KazGeo's source: {command}",
               command=_DOWNLOAD)
        )  # fmt: skip
        self.hint.setWordWrap(True)
        self.hint.setEnabled(False)
        self.offline.toggled.connect(self.hint.setEnabled)

    def _make_log(self) -> None:
        self.now = QLabel()
        self.now.setObjectName("now")
        self.now.setWordWrap(True)
        self.bar = QProgressBar()
        self.bar.setRange(0, 0)
        self.log = QPlainTextEdit()
        self.log.setObjectName("log")
        self.log.setReadOnly(True)
        self.log.setMaximumBlockCount(20_000)
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        if not QFontInfo(font).fixedPitch():  # a system that names none
            font.setFamily("monospace")
        self.log.setFont(font)
        self.start = QPushButton(tr("Start"))
        self.stop = QPushButton(tr("Cancel"))
        self.leave = QPushButton(tr("Close"))
        for name, button, act in (
            ("start", self.start, self.begin), ("stop", self.stop, self.cancel), ("leave", self.leave, self.reject),
        ):  # fmt: skip
            button.setObjectName(name)
            button.clicked.connect(lambda _=False, act=act: act())
        self.start.setDefault(True)

    def _lay_out(self) -> None:
        column, choice, buttons = QVBoxLayout(self), QHBoxLayout(), QHBoxLayout()
        place = QLabel(tr("The environment is made in {path}; QGIS's own Python stays as it is.",
                          path=profile_environment()))  # fmt: skip
        place.setWordWrap(True)
        column.addWidget(place)
        choice.addWidget(QLabel("Python"))
        choice.addWidget(self.pythons, 1)
        choice.addWidget(self.browse)
        column.addLayout(choice)
        for widget in (self.online, self.offline, self.folder, self.hint, self.now, self.bar):
            column.addWidget(widget)
        column.addWidget(self.log, 1)
        buttons.addStretch(1)
        for button in (self.start, self.stop, self.leave):
            buttons.addWidget(button)
        column.addLayout(buttons)

    def _show_busy(self, busy: bool) -> None:
        self.bar.setVisible(busy)
        self.stop.setEnabled(busy)
        self.start.setEnabled(not busy and self.pythons.count() > 0)
        for widget in (self.pythons, self.browse, self.online, self.offline):
            widget.setEnabled(not busy)
        for widget in (self.folder, self.hint):
            widget.setEnabled(not busy and self.offline.isChecked())

    # --- a Python ---------------------------------------------------------------------------------------

    def _found(self, pythons, fault) -> None:
        for python in pythons or ():
            self._offer(python)
        if self.pythons.count():
            self.pythons.setCurrentIndex(0)
            self.now.clear()
        else:
            self.now.setText(
                tr("No Python 3.11 or later was found: install one from python.org (on Debian or Ubuntu: sudo apt "
                   "install python3 python3-venv), or press «Browse…».")
            )  # fmt: skip
        self._show_busy(self._installation is not None)

    def _offer(self, python) -> None:
        self.pythons.addItem(f"{python.version} — {python.path}", python)

    def _browse(self) -> None:
        # the dialog must not follow links: a virtual environment's Python is one
        path, _ = QFileDialog.getOpenFileName(
            self, tr("Choose a Python"), "", "", options=QFileDialog.Option.DontResolveSymlinks
        )
        if path:
            self.take(os.path.normpath(path))

    def take(self, path: str) -> None:
        """Add a Python that the user names and choose it, or tell why not."""
        try:
            self._offer(probe(path))
        except InstallFault as fault:
            self.now.setText(str(fault))
            return
        self.pythons.setCurrentIndex(self.pythons.count() - 1)
        self.now.clear()
        self._show_busy(False)

    # --- the work ---------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Start the work in the background."""
        folder = self.folder.filePath() if self.offline.isChecked() else ""
        if self._installation is not None or self.pythons.currentData() is None:
            return
        if self.offline.isChecked() and not folder:
            self.now.setText(tr("Choose the folder of wheels first."))
            return
        if client.is_busy():
            self.now.setText(tr("An analysis is running: wait for its end, or cancel it, then start again."))
            return
        client.stop()  # an engine that runs keeps files of the older environment
        self.log.clear()
        self._installation = Installation(self.pythons.currentData(), folder=folder, requirement=self._requirement)
        self._show_busy(True)
        self._work = Background(self._installation.run, self._finished, self._heard)

    def cancel(self) -> None:
        """End the work; what was there before comes back."""
        if self._installation is not None:
            self.now.setText(tr("Cancelling…"))
            self.stop.setEnabled(False)
            self._installation.cancel()

    def _heard(self, kind: str, text: str) -> None:
        if kind == "step":
            self.now.setText(text)
        self.log.appendPlainText(text)

    def _finished(self, told, fault) -> None:
        self._installation = None
        self._show_busy(False)
        if told is not None:
            text = self._success(told)
        elif isinstance(fault, InstallCancelled):
            text = tr("Cancelled; everything is as before.")
        elif isinstance(fault, InstallFault):
            text = str(fault)
        else:
            text = tr("The environment {path} can't be made: {why}", path=profile_environment(), why=repr(fault))
        self.now.setText(text)
        self.log.appendPlainText(text)
        if self._leaving:
            super().reject()

    def _success(self, told) -> str:
        text = tr("KazGeo {version} is ready (Python {python}): {path}", version=told.kazgeo, python=told.python,
                  path=interpreter_of(profile_environment()))  # fmt: skip
        if os.environ.get(VARIABLE):
            return text + "\n" + tr("The environment variable {name} names another Python and wins.", name=VARIABLE)
        if settings.get("python_path"):
            return text + "\n" + tr("The options page names another Python, which is used: clear it to use this one.")
        return text

    # --- closing ----------------------------------------------------------------------------------------

    def reject(self) -> None:
        """Close; while the work runs ask first and cancel it."""
        if self._installation is None:
            super().reject()
        elif not self._leaving and self._wants_to_leave():
            self._leaving = True
            self.cancel()
            if self._installation is None:  # it came to its end while the question stood there
                super().reject()

    def closeEvent(self, event) -> None:
        """Close as the button does."""
        if self._installation is None:
            super().closeEvent(event)
        else:
            event.ignore()
            self.reject()

    def _wants_to_leave(self) -> bool:
        yes, no = QMessageBox.StandardButton.Yes, QMessageBox.StandardButton.No
        asked = tr("The environment is not finished. Cancel the work and close?")
        return QMessageBox.question(self, "KazGeo", asked, yes | no, no) == yes

    def _quit(self) -> None:
        """End the work with QGIS, and give it a moment to put things back."""
        if self._installation is not None:
            self._installation.cancel()
            self._work.wait(5)
