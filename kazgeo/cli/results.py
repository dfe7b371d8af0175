"""Writes and tells the result of one analysis."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kazgeo.errors import InputError

if TYPE_CHECKING:
    from kazgeo.analyses import Analysis
    from kazgeo.analyses.outcome import Outcome
    from kazgeo.results import Told

__all__ = ["check_target", "suffixes", "targets", "tell", "write"]


def suffixes(analysis: Analysis) -> tuple[str, ...]:
    """Return the endings of files that the result can be written to."""
    files = tuple(o.suffix for o in analysis.outputs if o.kind == "file")
    files += (".tif", ".gpkg") * any(o.kind == "raster" for o in analysis.outputs)
    layered = any(o.kind == "vector" for o in analysis.outputs)
    return files or ((".gpkg", ".geojson", ".csv", ".xlsx") if layered else (".gpkg", ".csv", ".xlsx"))


def check_target(analysis: Analysis, target: Path) -> None:
    """Refuse a target of the wrong kind before anything is computed.

    Raises
    ------
    InputError
        Naming what suffix was wanted.
    """
    wanted = suffixes(analysis)
    if target.suffix.lower() not in wanted:
        raise InputError(f"--out '{target}': wanted a file that ends in {' or '.join(wanted)}; got '{target.suffix}'")
    if target.is_dir():
        raise InputError(f"--out '{target}' is a folder; name a file in it")


def targets(analysis: Analysis, target: Path) -> list[Path]:
    """Return all files that a result may be written to: rasters beside the first, or beside a GeoPackage, have names.

    Examples
    --------
    >>> from kazgeo.analyses import get
    >>> [p.name for p in targets(get("cost_distance"), Path("a.tif"))]
    ['a.tif', 'a_allocation.tif', 'a_by_road.tif']
    >>> [p.name for p in targets(get("cost_distance"), Path("a.gpkg"))][:2]
    ['a.gpkg', 'a_time.tif']
    >>> [p.name for p in targets(get("travel_time"), Path("a.csv"))]
    ['a.csv']
    """
    rasters = [o.name for o in analysis.outputs if o.kind == "raster"]
    return [target, *_beside(target, rasters if target.suffix.lower() == ".gpkg" else rasters[1:])]


def _beside(target: Path, names: Sequence[str]) -> list[Path]:
    """Return the files of rasters that are written beside a target."""
    return [target.with_name(f"{target.stem}_{name}.tif") for name in names]


def write(outcome: Outcome, target: Path, told: Told) -> list[Path]:
    """Write the result in the form that the suffix asks for; return the files.

    Of several rasters the first has the name asked for; the others, and all beside a GeoPackage, add theirs to it.
    """
    from kazgeo.io import write_table, write_workbook
    from kazgeo.provenance import replacing
    from kazgeo.results import geopackage, write_output

    suffix = target.suffix.lower()
    if outcome.files:
        write_output(outcome, next(name for name in outcome.files if name.endswith(suffix)), target, told)
    elif outcome.rasters:
        return _write_rasters(outcome, target, told)
    elif suffix == ".gpkg":
        geopackage(target, _layers(told.analysis, outcome), outcome, told)
    elif suffix == ".geojson":
        if outcome.layer is None:
            raise InputError("this result has no map layer; write it to .csv, .xlsx or .gpkg")
        write_output(outcome, "layer", target, told)
    elif suffix == ".xlsx":
        tables = {"result": outcome.to_frame(), **outcome.tables}
        with replacing(target) as beside:
            write_workbook(beside, {k: v for k, v in tables.items() if len(v) or k == "result"})
    else:
        write_table(target, outcome.to_frame())
    return [target]


def _write_rasters(outcome: Outcome, target: Path, told: Told) -> list[Path]:
    """Write all rasters, and into a GeoPackage the layer and the tables."""
    from kazgeo.results import geopackage, write_output

    names, files = list(outcome.rasters), []
    if target.suffix.lower() == ".gpkg":
        layers = _layers(told.analysis, outcome)
        if layers:
            geopackage(target, layers, outcome, told)
            files.append(target)
        paths = _beside(target, names)
    else:
        paths = [target, *_beside(target, names[1:])]
    for name, path in zip(names, paths, strict=True):
        write_output(outcome, name, path, told)
    return [*files, *paths]


def _left_out(outcome: Outcome, suffix: str) -> list[str]:
    """Return the names of what a file of this kind doesn't hold."""
    names = [name for name, table in outcome.tables.items() if len(table)]
    if suffix == ".tif" and outcome.layer is not None:
        return ["layer", *names]
    return names if suffix in (".tif", ".csv", ".geojson") else []


def _layers(analysis: Analysis, outcome: Outcome) -> dict[str, Any]:
    """Return everything that a GeoPackage of this result holds, by name."""
    layers: dict[str, Any] = {} if outcome.layer is None else {analysis.id: outcome.layer}
    if outcome.panel is not None:
        layers["panel"] = outcome.panel
    return layers | {name: table for name, table in outcome.tables.items() if len(table)}


def tell(outcome: Outcome, files: list[Path], *, language: str, seconds: float) -> None:
    """Print findings on stdout; without an output file the main table too."""
    import typer

    from kazgeo.locale import speaker

    typer.echo(outcome.summary(language))
    if not files:
        table = next(iter(outcome.tables.values()), None)
        if table is not None and len(table):
            typer.echo(table.head(20).to_string())
    for name, value in outcome.numbers.items():
        typer.echo(f"{name} = {_plain(value)}")
    say = speaker(language).translate
    for file in files:
        typer.echo(say("Written: {file} ({seconds} s)").format(file=file, seconds=f"{seconds:.1f}"))
    missing = _left_out(outcome, files[0].suffix.lower()) if files else []
    if missing:
        fit = ".gpkg" if files[0].suffix.lower() == ".tif" else ".gpkg / .xlsx"
        told = say("Not in this file: {names}. Name a file that ends in {suffixes} to have them.")
        typer.echo(told.format(names=", ".join(missing), suffixes=fit))


def _plain(value: float) -> str:
    """Return a number for scripts: whole ones whole, others with six figures or, when large, one decimal.

    Examples
    --------
    >>> [_plain(v) for v in (3191415.0, 12.327586, 3191415.25, 0.000012345678, float("nan"))]
    ['3191415', '12.3276', '3191415.2', '1.23457e-05', 'nan']
    """
    if value == value and abs(value) < 1e15 and value == int(value):
        return str(int(value))
    return f"{value:.1f}" if abs(value) >= 1e5 else f"{value:g}"
