"""The catalogue of analyses, shipped as ``catalogue.json``: made by ``kazgeo catalogue --json``, never by hand."""

from __future__ import annotations

import functools
import json
import pathlib
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Parameter:
    """A parameter as declared; see ``kazgeo.analyses.declare.Parameter``."""

    name: str
    kind: str
    help: str = ""
    label: str = ""
    default: object = None
    required: bool = True
    optional: bool = False
    of: str = ""
    many: bool = False
    numeric: bool = False
    low: float | None = None
    high: float | None = None
    unit: str = ""
    choices: tuple = ()
    geometries: tuple = ()
    shape: str = ""
    suffixes: tuple = ()
    advanced: bool = False

    @property
    def key(self) -> str:
        """Its name in Processing."""
        return self.name.upper()

    @property
    def is_data(self) -> bool:
        """Whether it is read from a file: a layer, a table, a raster."""
        return self.kind in ("vector", "table", "raster", "file")


@dataclass(frozen=True)
class Output:
    """An output as declared; see ``kazgeo.analyses.kinds.Output``."""

    name: str
    kind: str
    label: str = ""
    suffix: str = ""
    sometimes: tuple = ()
    geometry: str = ""
    like: str = ""
    fields: tuple = ()
    main: bool = False

    @property
    def key(self) -> str:
        """Its name in Processing: OUTPUT is the main layer or the new panel, as QGIS's own algorithms call it."""
        return "OUTPUT" if self.main or self.name == "panel" else self.name.upper().replace(".", "_")


@dataclass(frozen=True)
class Declaration:
    """One analysis."""

    id: str
    title: str
    group: str
    summary: str
    help: str = ""
    tags: tuple = ()
    parameters: tuple = ()
    outputs: tuple = ()

    def parameter(self, name: str) -> Parameter:
        """Return one parameter by its declared name."""
        return next(p for p in self.parameters if p.name == name)


@dataclass(frozen=True)
class Catalogue:
    """All analyses, by id."""

    kazgeo: str
    languages: tuple
    analyses: dict = field(default_factory=dict)


@functools.lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """Return the shipped catalogue."""
    path = pathlib.Path(__file__).parent / "catalogue.json"
    plain = json.loads(path.read_text(encoding="utf-8"))
    analyses = {one["id"]: _declaration(one) for one in plain["analyses"]}
    return Catalogue(plain["kazgeo"], tuple(plain["languages"]), analyses)


def _declaration(plain: dict) -> Declaration:
    plain = dict(plain)
    plain["parameters"] = tuple(Parameter(**_frozen(p)) for p in plain["parameters"])
    first = next((o["name"] for o in plain["outputs"] if o["kind"] in ("vector", "raster")), None)
    plain["outputs"] = tuple(Output(**_frozen(o), main=o["name"] == first) for o in plain["outputs"])
    return Declaration(**_frozen(plain))


def _frozen(plain: dict) -> dict:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in plain.items()}
