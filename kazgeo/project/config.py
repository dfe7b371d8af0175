"""Reads a project file; says every fault of its form at once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kazgeo.errors import InputError, listing, suggestion
from kazgeo.locale import LANGUAGES
from kazgeo.messages import Names

__all__ = ["Basemap", "Input", "Project", "Step", "load"]

KINDS = ("polygon", "point", "line", "panel", "edges", "nodes", "reforms", "metadata", "any", "raster", "file")
FACES = ("layer", "print", "web")
_TOP = {"project", "inputs", "basemap", "steps"}
_PROJECT = {"id", "title", "subtitle", "language", "seed", "sources"}
_INPUT = {"kind", "file", "dataset", "repair", "leave_out"}
_BASEMAP = {"neighbours", "water", "outline", "roads", "cities", "cities_min_population"}
_STEP = {"id", "analysis", "heading", "show"}


@dataclass(frozen=True)
class Input:
    """One input: its kind and where it is.

    Parameters
    ----------
    name : str
        Name by which steps refer to it.
    kind : str
        One of ``KINDS``.
    file : str
        ``file|layer=NAME|id=COLUMN``, relative to the project file.
    dataset : str
        Name of a downloadable data set instead of a folder; the file is then one of its files.
    repair : bool
        Repair invalid polygons.
    leave_out : str
        Column that marks rows which take no part, by anything that stands in it.
    """

    name: str
    kind: str
    file: str
    dataset: str = ""
    repair: bool = False
    leave_out: str = ""


@dataclass(frozen=True)
class Step:
    """One step: an analysis and its parameters.

    Parameters
    ----------
    id : str
        ASCII identifier; later steps refer to it.
    analysis : str
        Id in the catalogue.
    heading : Names
        Title of its map and section.
    show : tuple of str
        Where its layer goes: "layer" (GeoPackage), "print", "web".
    parameters : mapping
        Values for the analysis.
    """

    id: str
    analysis: str
    heading: Names
    show: tuple[str, ...] = FACES
    parameters: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Basemap:
    """Names of inputs or steps that make maps look like maps; empty for none."""

    neighbours: str = ""
    water: str = ""
    outline: str = ""
    roads: str = ""
    cities: str = ""
    cities_min_population: float = 0.0


@dataclass(frozen=True)
class Project:
    """A project file, read."""

    path: Path
    id: str
    title: Names
    subtitle: Names
    language: str
    seed: int
    sources: str
    inputs: tuple[Input, ...]
    basemap: Basemap
    steps: tuple[Step, ...]
    text: str = field(repr=False, default="")

    @property
    def folder(self) -> Path:
        """Folder that relative files start from."""
        return self.path.parent


def load(path: Path | str, *, language: str | None = None) -> Project:
    """Read a project file.

    Parameters
    ----------
    path : Path
        The TOML file.
    language : str, optional
        Takes the place of the file's own language.

    Raises
    ------
    InputError
        When the file can't be read, isn't TOML, or has faults of form: all of them listed.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"project '{path}' is not UTF-8 text; save it as UTF-8") from error
    except OSError as error:
        near = [p.name for p in path.parent.glob("*.toml")] if path.parent.is_dir() else []
        hint = suggestion(path.name, near)
        raise InputError(f"project '{path}' can't be read: {error.strerror or error}{hint}") from error
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"project '{path}' is not valid TOML: {error}") from error
    faults: list[str] = []
    _keys(raw, _TOP, "the project file", faults)
    head = _table(raw, "project", faults)
    _keys(head, _PROJECT, "[project]", faults)
    inputs = tuple(_input(n, v, faults) for n, v in _table(raw, "inputs", faults).items())
    basemap = _basemap(_table(raw, "basemap", faults), faults)
    steps = _steps(raw.get("steps", []), faults)
    chosen = language if language is not None else head.get("language", "en")
    if chosen not in LANGUAGES:
        faults.append(f"[project]: language must be one of {', '.join(LANGUAGES)}; got {chosen!r}")
    seed = head.get("seed", 0)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        faults.append(f"[project]: seed must be a whole number from 0; got {seed!r}")
    title = _names(head.get("title", path.stem), "[project]: title", faults)
    subtitle = _names(head.get("subtitle", ""), "[project]: subtitle", faults)
    if not steps:
        faults.append("the project has no [[steps]]")
    if faults:
        raise InputError(_report(path, faults))
    return Project(
        path, str(head.get("id", path.stem)), title, subtitle, str(chosen), seed, str(head.get("sources", "")),
        inputs, basemap, steps, text,
    )  # fmt: skip


def _report(path: Path, faults: list[str]) -> str:
    count = f"{len(faults)} mistakes" if len(faults) > 1 else "a mistake"
    return f"project '{path}' has {count}:\n" + "\n".join(f"  {i}. {f}" for i, f in enumerate(faults, 1))


def _table(raw: Mapping[str, Any], name: str, faults: list[str]) -> dict[str, Any]:
    value = raw.get(name, {})
    if isinstance(value, dict):
        return value
    faults.append(f"[{name}] must be a table; got {value!r}")
    return {}


def _keys(table: Mapping[str, Any], known: set[str], where: str, faults: list[str]) -> None:
    for key in table:
        if key not in known:
            faults.append(
                f"{where}: unknown key '{key}'{suggestion(key, known) or f'; known: {listing(sorted(known), 12)}'}"
            )


def _names(value: object, where: str, faults: list[str]) -> Names:
    """Return a text in three languages from a text or a table of languages."""
    if isinstance(value, str):
        return Names(value)
    if isinstance(value, dict) and set(value) <= set(LANGUAGES) and all(isinstance(v, str) for v in value.values()):
        first = next(iter(value.values()), "")
        return Names(value.get("en", first), value.get("ru", ""), value.get("kk", ""))
    faults.append(f"{where} must be text or {{en = ..., ru = ..., kk = ...}}; got {value!r}")
    return Names("")


def _input(name: str, value: object, faults: list[str]) -> Input:
    where = f"[inputs.{name}]"
    if not isinstance(value, dict):
        faults.append(f"{where} must be a table with kind and file; got {value!r}")
        return Input(name, "polygon", "")
    _keys(value, _INPUT, where, faults)
    if not (name.isascii() and name.replace("_", "a").isalnum()):
        faults.append(f"{where}: names are ASCII letters, digits and _")
    kind = value.get("kind")
    if kind not in KINDS:
        faults.append(f"{where}: kind must be one of {', '.join(KINDS)}; got {kind!r}{suggestion(str(kind), KINDS)}")
    file = value.get("file", "")
    if not isinstance(file, str) or not (file or value.get("dataset")):
        faults.append(f"{where}: file is missing")
    column = str(value.get("leave_out", ""))
    return Input(name, str(kind), str(file), str(value.get("dataset", "")), bool(value.get("repair", False)), column)


def _basemap(table: Mapping[str, Any], faults: list[str]) -> Basemap:
    _keys(table, _BASEMAP, "[basemap]", faults)
    known = {k: v for k, v in table.items() if k in _BASEMAP}
    for key, value in known.items():
        wanted = (int, float) if key == "cities_min_population" else (str,)
        if not isinstance(value, wanted):
            faults.append(f"[basemap]: {key} has the wrong type: {value!r}")
            return Basemap()
    return Basemap(**known)


def _steps(value: object, faults: list[str]) -> tuple[Step, ...]:
    if not isinstance(value, list) or not all(isinstance(s, dict) for s in value):
        faults.append("steps must be written as [[steps]]")
        return ()
    out: list[Step] = []
    for number, table in enumerate(value, 1):
        name = table.get("id", "")
        where = f"step {number}" + (f" '{name}'" if name else "")
        if not (isinstance(name, str) and name.isascii() and name.replace("_", "a").isalnum()):
            faults.append(f"{where}: id must be ASCII letters, digits and _; got {name!r}")
            continue
        if any(s.id == name for s in out):
            faults.append(f"{where}: another step has the same id")
        if not isinstance(table.get("analysis"), str):
            faults.append(f"{where}: analysis is missing")
            continue
        show = table.get("show", list(FACES))
        if not isinstance(show, list) or not set(show) <= set(FACES):
            faults.append(f"{where}: show must be a list of {', '.join(FACES)}; got {show!r}")
            show = list(FACES)
        heading = _names(table.get("heading", name), f"{where}: heading", faults)
        parameters = {k: v for k, v in table.items() if k not in _STEP}
        out.append(Step(name, table["analysis"], heading, tuple(show), parameters))
    return tuple(out)
