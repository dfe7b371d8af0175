"""Reads inputs by their kind, the same way for a project, the command line and QGIS."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kazgeo.errors import InputError
from kazgeo.io import Source

if TYPE_CHECKING:
    from kazgeo.analyses import Parameter
    from kazgeo.project.config import Input, Project

__all__ = ["check_layer", "kind_of", "known_columns", "locate", "read_data", "read_input"]


def kind_of(parameter: Parameter) -> tuple[str, ...]:
    """Return the kinds of input that fit a data parameter."""
    if parameter.kind == "vector":
        return parameter.geometries
    return (parameter.shape if parameter.kind == "table" else parameter.kind,)


def locate(project: Project, one: Input) -> Source:
    """Return the file of an input: relative to the project, or of a downloaded data set.

    Raises
    ------
    InputError
        When a data set is neither cached nor in the mirror.
    """
    source = Source.parse(one.file) if one.file else Source(Path())
    if not one.dataset:
        path = source.path if source.path.is_absolute() else project.folder / source.path
        return Source(path, source.layer, source.id)
    from kazgeo import data

    files = data.available(one.dataset)
    if files is None:
        raise InputError(
            f"input '{one.name}': data set '{one.dataset}' is not here; fetch it with: kazgeo data get {one.dataset} "
            f"(or set {data.MIRROR_VARIABLE} to a folder that has it)"
        )
    return Source(files[0], source.layer, source.id)


def read_input(kind: str, source: Source, *, repair: bool = False) -> Any:
    """Return the layer or table of one kind, checked.

    Raises
    ------
    InputError
        Whatever is wrong with it.
    """
    if kind == "polygon":
        from kazgeo import regions

        return regions.read(source, repair_invalid=repair)
    if kind == "point":
        from kazgeo import settlements

        return settlements.read(source)
    if kind == "line":
        from kazgeo.io import read_vector
        from kazgeo.network import check_lines

        layer = read_vector(source)
        check_lines(layer, str(source.path))
        return layer
    if kind == "raster":
        from kazgeo.io import read_raster

        return read_raster(source)
    if kind == "file":
        from kazgeo.io import existing

        return existing(source.path)
    return _read_table(kind, source)


def _read_table(kind: str, source: Source) -> Any:
    """Return a table of one kind, checked."""
    if kind == "panel":
        from kazgeo import indicators

        return indicators.read(source)
    if kind == "metadata":
        from kazgeo import indicators

        return indicators.read_metadata(source)
    if kind == "reforms":
        from kazgeo import indicators

        return indicators.read_reforms(source)
    if kind == "any":
        from kazgeo.io import read_table

        return read_table(source)
    return _read_roads(kind, source)


def _read_roads(kind: str, source: Source) -> Any:
    """Return a table of edges or nodes with its numbers as numbers."""
    from kazgeo.errors import unknown
    from kazgeo.io import numbers, read_table

    wanted = ("from_id", "to_id", "length_km") if kind == "edges" else ("lon", "lat")
    named = Source(source.path, source.layer, source.id if kind == "edges" else source.id or "id")
    table = read_table(named)
    for column in wanted:
        if column not in table.columns:
            raise unknown("column", column, table.columns, f"a column of {source.path}")
        if not column.endswith("_id"):
            table[column] = numbers(table, column, source.path)
    return table


def known_columns(kind: str, source: Source) -> set[str]:
    """Return the columns that fields may name, read as cheaply as the kind allows."""
    if kind == "panel":
        return set(read_input("panel", source).columns)
    if kind in {"raster", "file"}:
        from kazgeo.io import existing

        existing(source.path)
        return set()
    from kazgeo.io import columns

    return {c for c in columns(source) if c != "geometry"}


def read_data(kinds: tuple[str, ...], source: Source, *, repair: bool = False) -> Any:
    """Return a layer or table for a parameter that accepts several kinds, told by what the file holds.

    Raises
    ------
    InputError
        When the file holds none of them.
    """
    if len(kinds) == 1:
        return read_input(kinds[0], source, repair=repair)
    if source.path.suffix.lower() in {".csv", ".tsv", ".txt", ".xlsx", ".xls"}:
        return read_input("point", source)
    from kazgeo.io import columns

    held = columns(source).get("geometry", "").lower()
    found = next((k for k in kinds if k in held), None)
    if found is None:
        raise InputError(f"'{source}' holds {held or 'no geometry'}; wanted {' or '.join(kinds)}")
    return read_input(found, source, repair=repair)


def check_layer(
    kinds: tuple[str, ...], layer: Any, name: str, *, id_column: str | None = None, repair: bool = False
) -> tuple[Any, int]:
    """Return a map layer that is already in memory, named by its id column and checked, and how many were repaired.

    Assumption: without a named id column, the usual one is taken where it is unique and complete, else the row
    number. Features without a place are not in it.

    Parameters
    ----------
    kinds : tuple of str
        Geometries that are accepted: "polygon", "point", "line".
    layer : GeoDataFrame
        As read.
    name : str
        Its name for messages.
    id_column : str, optional
        Column of unique ids.
    repair : bool
        Repair invalid polygons.

    Raises
    ------
    InputError
        Whatever is wrong with it.
    """
    import shapely

    from kazgeo import regions, settlements
    from kazgeo.io import set_id
    from kazgeo.network import check_lines

    if not len(layer):
        raise InputError(f"{name}: the layer has no feature")
    names = {0: "point", 1: "line", 2: "polygon"}
    held = {names[d] for d in shapely.get_dimensions(layer.geometry.to_numpy()).tolist() if d in names}
    if len(held) != 1 or not held <= set(kinds):
        raise InputError(f"{name} holds {' and '.join(sorted(held))}; wanted {' or '.join(kinds)}")
    (kind,) = held
    if kind == "line":
        check_lines(layer, name)
        return layer, 0
    usual = regions.id_column(layer) if kind == "polygon" else settlements.id_column(layer)
    if id_column is None and usual is not None and layer[usual].notna().all() and layer[usual].is_unique:
        id_column = usual
    layer = set_id(layer, id_column, name) if id_column is not None else layer.reset_index(drop=True)
    fixed = 0
    if kind == "point":
        layer = settlements.prepare(layer)
        settlements.check(layer, name)
    else:
        if repair:
            done = regions.repair(layer)
            layer, fixed = done.regions, len(done.changed)
        regions.check(layer, name)
    return layer, fixed
