"""Finds the engine: a Python of its own with KazGeo in it, never QGIS's Python."""

from __future__ import annotations

import os
import pathlib
from dataclasses import dataclass

from qgis.core import QgsApplication

from kazgeo_qgis import settings
from kazgeo_qgis.words import tr

VARIABLE = "KAZGEO_PYTHON"


@dataclass(frozen=True)
class Engine:
    """An interpreter and who named it: "environment variable", "options" or "profile"."""

    python: str
    origin: str


class EngineMissing(Exception):
    """There is no engine; the message says in one sentence what to do."""


def profile_environment() -> pathlib.Path:
    """Return the folder of the virtual environment that the plugin makes: ``<profile>/kazgeo/venv``."""
    return pathlib.Path(QgsApplication.qgisSettingsDirPath()) / "kazgeo" / "venv"


def interpreter_of(environment: pathlib.Path) -> pathlib.Path:
    """Return the interpreter of a virtual environment."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def find() -> Engine:
    """Return the engine: named by the variable KAZGEO_PYTHON, else on the options page, else the profile's own.

    Raises
    ------
    EngineMissing
        Nothing is named and nothing installed, or what is named is no file.
    """
    named = (
        (os.environ.get(VARIABLE, ""), tr("environment variable {name}", name=VARIABLE)),
        (settings.get("python_path"), tr("the options page")),
    )
    for path, origin in named:
        if path:
            if not pathlib.Path(path).is_file():
                raise EngineMissing(
                    tr("The Python that {origin} names does not exist: {path}. Name another, or none.",
                       origin=origin, path=path)
                )  # fmt: skip
            return Engine(path, origin)
    folder = profile_environment()
    own, unfinished = interpreter_of(folder), folder.with_name(f"{folder.name}.unfinished")
    if own.is_file() and not unfinished.exists():
        return Engine(str(own), tr("the profile"))
    raise EngineMissing(
        tr("KazGeo's engine is not set up yet: open Settings, Options, KazGeo and press «Create environment…».")
    )
