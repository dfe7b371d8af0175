"""The plugin's settings, kept by QGIS under ``kazgeo/``."""

from __future__ import annotations

from qgis.core import QgsSettings

#: Name -> default. ``python_path``: interpreter of the engine; ``threads`` 0: all cores; ``log_level``: "info" or
#: "debug"; ``idle_minutes``: after so long without work the engine's process ends.
DEFAULTS: dict[str, object] = {
    "python_path": "",
    "language": "auto",
    "threads": 0,
    "log_level": "info",
    "idle_minutes": 10,
}


def get(name: str):
    """Return a setting in the type of its default; what can't be read is the default."""
    default = DEFAULTS[name]
    value = QgsSettings().value(f"kazgeo/{name}", default)
    try:
        return type(default)(value)
    except (TypeError, ValueError):
        return default


def put(name: str, value: object) -> None:
    """Store a setting; an unknown name is a fault of ours."""
    QgsSettings().setValue(f"kazgeo/{name}", type(DEFAULTS[name])(value))
