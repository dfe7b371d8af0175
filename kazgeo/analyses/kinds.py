"""The closed set of parameter kinds, as annotations that an analysis' signature is written in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

__all__ = [
    "AnyTable",
    "Edges",
    "Field",
    "File",
    "Grid",
    "Lines",
    "Metadata",
    "Neighbours",
    "Nodes",
    "OsmFile",
    "Number",
    "Output",
    "Panel",
    "Reforms",
    "Regions",
    "Scheme",
    "Settlements",
    "Surface",
    "Table",
    "Units",
    "Vector",
]


@dataclass(frozen=True)
class Vector:
    """A map layer of one of the stated geometries: "polygon", "point", "line"."""

    geometries: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table of a stated shape: "panel", "edges", "nodes", "reforms", "metadata"."""

    shape: str


@dataclass(frozen=True)
class Grid:
    """A raster of one band with a CRS."""


@dataclass(frozen=True)
class File:
    """A file that only its own reader understands, told by the end of its name, such as ".osm.pbf"."""

    suffixes: tuple[str, ...]


@dataclass(frozen=True)
class Field:
    """A column of another parameter's layer or panel.

    Parameters
    ----------
    of : str
        Name of that parameter.
    numeric : bool
        Only columns of numbers.
    many : bool
        Several columns.
    """

    of: str
    numeric: bool = True
    many: bool = False


@dataclass(frozen=True)
class Number:
    """A number within a closed range.

    Parameters
    ----------
    low, high : float
        Least and greatest value.
    unit : str
        English unit, empty for a pure number.
    """

    low: float
    high: float
    unit: str = ""


@dataclass(frozen=True)
class Output:
    """Something an analysis makes.

    Parameters
    ----------
    name : str
        ASCII name; "layer" is the main map layer, "panel" a panel that other analyses can read.
    kind : {"vector", "table", "raster", "number", "file"}
        What it is.
    label : str
        English label.
    fields : tuple of str
        Columns it is sure to have; ``{parameter}`` stands for a parameter's value.
    like : str
        Parameter whose geometry and columns the layer (or whose columns the panel) keeps.
    geometry : str
        Geometry when there is no ``like``.
    suffix : str
        Of a file.
    sometimes : tuple of str
        Columns it has with some options only; "*" stands for any figures.
    """

    name: str
    kind: Literal["vector", "table", "raster", "number", "file"]
    label: str
    fields: tuple[str, ...] = ()
    like: str = ""
    geometry: str = ""
    suffix: str = ""
    sometimes: tuple[str, ...] = ()


Regions = Annotated["GeoDataFrame", Vector(("polygon",))]  # type: ignore[name-defined] # noqa: F821
Settlements = Annotated["GeoDataFrame", Vector(("point",))]  # type: ignore[name-defined] # noqa: F821
Units = Annotated["GeoDataFrame", Vector(("polygon", "point"))]  # type: ignore[name-defined] # noqa: F821
Lines = Annotated["GeoDataFrame", Vector(("line",))]  # type: ignore[name-defined] # noqa: F821
Panel = Annotated["DataFrame", Table("panel")]  # type: ignore[name-defined] # noqa: F821
Edges = Annotated["DataFrame", Table("edges")]  # type: ignore[name-defined] # noqa: F821
Nodes = Annotated["DataFrame", Table("nodes")]  # type: ignore[name-defined] # noqa: F821
Reforms = Annotated["DataFrame", Table("reforms")]  # type: ignore[name-defined] # noqa: F821
AnyTable = Annotated["DataFrame", Table("any")]  # type: ignore[name-defined] # noqa: F821
OsmFile = Annotated[str, File((".osm.pbf", ".pbf", ".osm", ".osm.gz", ".osm.bz2"))]
Surface = Annotated["DataArray", Grid()]  # type: ignore[name-defined] # noqa: F821
Metadata = Annotated["dict[str, Indicator]", Table("metadata")]  # type: ignore[name-defined] # noqa: F821


class Scheme(StrEnum):
    """How class breaks are chosen."""

    QUANTILES = "quantiles"
    EQUAL = "equal"
    NATURAL = "natural"
    ROUND = "round"


class Neighbours(StrEnum):
    """Who counts as a neighbour."""

    QUEEN = "queen"
    ROOK = "rook"
    NEAREST = "nearest"
    DISTANCE = "distance"
    KERNEL = "kernel"
