"""Asks what a printed page is to be: title, paper, language, sources."""

from __future__ import annotations

from qgis.PyQt.QtWidgets import QComboBox, QDialog, QFormLayout, QLineEdit

from kazgeo_qgis.forms import ok_cancel
from kazgeo_qgis.words import language, tr

_LANGUAGES = (("kk", "Қазақша"), ("ru", "Русский"), ("en", "English"))


class PageDialog(QDialog):
    """The choices of a printed page.

    Parameters
    ----------
    parent : QWidget
        QGIS's main window.
    title : str
        Proposed title.
    """

    def __init__(self, parent, title: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Print page"))
        self.setMinimumWidth(420)
        self.title = QLineEdit(title)
        self.sources = QLineEdit()
        self.sources.setPlaceholderText(tr("Empty: those of the layer's metadata"))
        self.paper = QComboBox()
        self.paper.addItems(["A4", "A3"])
        self.language = QComboBox()
        for code, name in _LANGUAGES:
            self.language.addItem(name, code)
        self.language.setCurrentIndex(self.language.findData(language()))
        form = QFormLayout(self)
        form.addRow(tr("Title"), self.title)
        form.addRow(tr("Sources line"), self.sources)
        form.addRow(tr("Paper"), self.paper)
        form.addRow(tr("Language"), self.language)
        form.addRow(ok_cancel(self))

    def chosen(self) -> dict:
        """Return the choices as ``layout.make`` takes them."""
        return {
            "title": self.title.text(),
            "sources": self.sources.text(),
            "paper": self.paper.currentText(),
            "language": self.language.currentData(),
        }
