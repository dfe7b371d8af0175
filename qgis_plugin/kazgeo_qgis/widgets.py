"""Widgets that QGIS lacks: choices with readable labels and stable values, indicators and years of a table."""

from __future__ import annotations

from processing.gui.wrappers import WidgetWrapper
from qgis.core import QgsMapLayer, QgsProcessingFeatureSourceDefinition, QgsProject
from qgis.gui import QgsGui
from qgis.PyQt.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QMenu, QSpinBox, QToolButton, QWidget

from kazgeo_qgis.words import tr

__all__ = ["ChoiceWrapper", "IndicatorWrapper", "YearWrapper"]

#: More indicators than a menu can show are no indicators.
_MOST = 500


class _Native:
    """Makes our wrapper in dialogs and in batch, and QGIS's own in the model designer.

    There QGIS's own lets the user take the value from an input of the model or from another step.
    """

    ours: type

    def __new__(cls, parameter, dialog, row=0, col=0, **more):
        """Return the wrapper that fits the dialog."""
        if dialog.__class__.__name__ == "ModelerParametersDialog":
            registry = QgsGui.processingGuiRegistry()
            made = registry.createModelerParameterWidget(dialog.model, dialog.childId, parameter, dialog.context)
            made.setDialog(dialog)
            return made
        return cls.ours(parameter, dialog, row, col, **more)


class _Choice(WidgetWrapper):
    """A list of choices in the reader's language; models and history keep the English value."""

    def createWidget(self):
        """Return the list."""
        box = QComboBox()
        for choice in self.parameterDefinition().options():
            box.addItem(tr(choice), choice)
        box.currentIndexChanged.connect(lambda: self.widgetValueHasChanged.emit(self))
        return box

    def setValue(self, value) -> None:
        """Show a value."""
        self.widget.setCurrentIndex(max(0, self.widget.findData(str(value))))

    def value(self):
        """Return the value that is shown."""
        return self.widget.currentData()


class _Indicator(WidgetWrapper):
    """A line of text, and a menu of the indicators that the chosen table has."""

    def createWidget(self):
        """Return line and menu."""
        widget = QWidget()
        self._line, button = QLineEdit(widget), QToolButton(widget)
        button.setText("…")
        button.setToolTip(tr("Indicators of the table"))
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu = QMenu(button)
        self._menu.aboutToShow.connect(self._fill)
        button.setMenu(self._menu)
        row = QHBoxLayout(widget)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._line)
        row.addWidget(button)
        self._line.textChanged.connect(lambda: self.widgetValueHasChanged.emit(self))
        self._parent = None
        return widget

    def postInitialize(self, wrappers) -> None:
        """Find the table's widget."""
        of = self.parameterDefinition().metadata().get("of")
        self._parent = next((w for w in wrappers if w.parameterDefinition().name() == of), None)

    def setValue(self, value) -> None:
        """Show a value."""
        self._line.setText("; ".join(value) if isinstance(value, (list, tuple)) else str(value or ""))

    def value(self):
        """Return the text."""
        return self._line.text().strip() or None

    def _fill(self) -> None:
        self._menu.clear()
        many = bool(self.parameterDefinition().metadata().get("many"))
        written = self._line.text()
        chosen = [t.strip() for t in written.split(";" if ";" in written else ",") if t.strip()]
        names = indicators(layer_of(self._parent))
        for name in names:
            action = self._menu.addAction(name.replace("&", "&&"))
            action.setCheckable(many)
            action.setChecked(many and name in chosen)
            action.triggered.connect(lambda _=False, name=name: self._choose(name, chosen if many else []))
        if not names:
            self._menu.addAction(tr("Choose the table first, or type the name")).setEnabled(False)

    def _choose(self, name: str, chosen: list) -> None:
        kept = [c for c in chosen if c != name] if name in chosen else [*chosen, name]
        self._line.setText("; ".join(kept))


class _Year(WidgetWrapper):
    """A year that begins as the first or the last one of the chosen table, never as 1900."""

    def createWidget(self):
        """Return a spin box that shows "choose" at its lowest value."""
        box = QSpinBox()
        low, high = int(self.parameterDefinition().minimum()), int(self.parameterDefinition().maximum())
        box.setRange(low - 1, high)
        box.setSpecialValueText(tr("choose"))
        box.setValue(low - 1)
        box.valueChanged.connect(lambda _: self.widgetValueHasChanged.emit(self))
        self._parent, self._touched = None, False
        return box

    def postInitialize(self, wrappers) -> None:
        """Follow the table."""
        of = self.parameterDefinition().metadata().get("of")
        self._parent = next((w for w in wrappers if w.parameterDefinition().name() == of), None)
        if self._parent is not None:
            self._parent.widgetValueHasChanged.connect(lambda *_: self._propose())
            self._propose()

    def setValue(self, value) -> None:
        """Show a year; none is "choose"."""
        year = whole(value)
        self._touched = year is not None
        self.widget.setValue(year if self._touched else self.widget.minimum())

    def value(self):
        """Return the year, None while none is chosen."""
        year = self.widget.value()
        return None if year == self.widget.minimum() else year

    def _propose(self) -> None:
        found = years(layer_of(self._parent))
        if found and not self._touched:
            first = bool(self.parameterDefinition().metadata().get("first"))
            self.widget.setValue(found[0] if first else found[1])


class ChoiceWrapper(_Native):
    """Choices."""

    ours = _Choice


class IndicatorWrapper(_Native):
    """Indicators of a table."""

    ours = _Indicator


class YearWrapper(_Native):
    """Years of a table."""

    ours = _Year


def layer_of(wrapper):
    """Return the layer that another widget has chosen, None when there is none in the project."""
    value = _value_of(wrapper)
    if isinstance(value, QgsProcessingFeatureSourceDefinition):
        value = value.source.staticValue()
    if isinstance(value, QgsMapLayer):
        return value
    return QgsProject.instance().mapLayer(str(value)) if value else None


def _value_of(wrapper):
    """Return the value of a C++ or a Python wrapper."""
    if wrapper is None:
        return None
    return wrapper.parameterValue() if hasattr(wrapper, "parameterValue") else wrapper.value()


def indicators(layer) -> list:
    """Return the indicators of a panel: values of the column "indicator", else numeric columns."""
    if layer is None or not hasattr(layer, "fields"):
        return []
    places = {f.name().lower(): i for i, f in enumerate(layer.fields())}
    if "indicator" in places:
        found = (str(v) for v in layer.uniqueValues(places["indicator"], _MOST) if v is not None and str(v) != "NULL")
        return sorted(found)
    return [f.name() for f in layer.fields() if f.isNumeric() and f.name().lower() not in ("region", "year", "fid")]


def years(layer):
    """Return the first and the last year of a table, None when it has no column of years."""
    if layer is None or not hasattr(layer, "fields"):
        return None
    place = next((i for i, f in enumerate(layer.fields()) if f.name().lower() == "year"), None)
    if place is None:
        return None
    found = [year for year in map(whole, layer.uniqueValues(place, _MOST)) if year is not None]
    return (min(found), max(found)) if found else None


def whole(value):
    """Return a value as a whole number, None when it is none: "2015", 2015.0 and "2015.0" are the same year."""
    try:
        return int(float(str(value)))
    except (TypeError, ValueError):
        return None
