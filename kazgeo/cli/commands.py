"""Turns a declared analysis into a command: ranges, choices and units come from the declaration."""

from __future__ import annotations

import contextlib
import inspect
import time
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kazgeo.cli.reporting import ProgressKind, reporter

if TYPE_CHECKING:
    from kazgeo.analyses import Analysis, Parameter
    from kazgeo.analyses.outcome import Outcome

__all__ = ["command"]

_COMMON = {"output", "to_language", "progress_kind", "repair", "debug"}


def command(analysis: Analysis) -> Callable[..., None]:
    """Return a function whose signature typer turns into options."""

    def run(**given: Any) -> None:
        _run(analysis, given)

    options = [_option(p) for p in analysis.parameters]
    required = [o for o in options if o.default is inspect.Parameter.empty]
    rest = [o for o in options if o.default is not inspect.Parameter.empty]
    parameters = required + rest + _common(analysis)
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    run.__name__ = analysis.id
    return run


def _option(p: Parameter) -> inspect.Parameter:
    """Return one option of a command."""
    flag = "--" + p.name.replace("_", "-")
    text = p.help + (f" Unit: {p.unit}." if p.unit else "")
    kind: Any = str
    extra: dict[str, Any] = {}
    default: object = p.default
    if p.is_data:
        text += f" {_what(p)}"
    elif p.kind in {"number", "integer"}:
        kind = int if p.kind == "integer" else float
        extra = {"min": p.low, "max": p.high} if kind is float else {"min": int(p.low or 0), "max": int(p.high or 0)}
    elif p.kind == "choice":
        kind = _choices(p)
        default = kind(p.default) if p.default is not None else None
    elif p.kind == "boolean":
        kind, flag = bool, f"{flag}/--no-{p.name.replace('_', '-')}"
    elif p.kind == "field":
        text += f" (Column{'s, comma-separated,' if p.many else ''} of --{p.of.replace('_', '-')}.)"
        default = ",".join(p.default) if isinstance(p.default, tuple) else p.default
    elif p.kind == "text" and p.default == "":
        extra = {"show_default": False}
    annotation = kind | None if p.optional or (p.is_data and not p.required) else kind
    return inspect.Parameter(
        p.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if p.required else default,
        annotation=Annotated[annotation, typer.Option(flag, help=text, **extra)],
    )


def _choices(p: Parameter) -> Any:
    """Return an enumeration of the choices, for typer."""
    make: Any = StrEnum
    return make("Choice", {c.replace("-", "_").upper(): c for c in p.choices})


def _what(p: Parameter) -> str:
    """Say what file fits a data parameter."""
    if p.kind == "vector":
        kinds = " or ".join(p.geometries)  # no word is longer than the column of help in a window of 80 characters
        return f"({kinds} layer: FILE, FILE|layer=NAME, FILE|id=COLUMN, or both after FILE)"
    if p.kind == "raster":
        return "(raster of one band: GeoTIFF or another format of GDAL)"
    if p.kind == "file":
        return f"(file: {' or '.join(p.suffixes)})"
    return f"({p.shape} table: CSV, Excel or Parquet; FILE or FILE|layer=SHEET)"


def _common(analysis: Analysis) -> list[inspect.Parameter]:
    """Return the options that all analyses have."""
    from kazgeo.cli.results import suffixes

    *first, last = suffixes(analysis)
    made = f"{', '.join(first)} or {last}" if first else last
    language = ["--say-in"] if any(p.name == "language" for p in analysis.parameters) else ["--say-in", "--language"]
    keyword = inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter(
            "output", keyword, default=None,
            annotation=Annotated[Path | None, typer.Option("--out", "-o", help=f"Write the result here ({made}).")],
        ),
        inspect.Parameter(
            "to_language", keyword, default="en",
            annotation=Annotated[str, typer.Option(*language, help="Language of the findings: en, kk or ru.")],
        ),
        inspect.Parameter(
            "progress_kind", keyword, default=ProgressKind.AUTO,
            annotation=Annotated[ProgressKind, typer.Option("--progress", help="Bar (auto), JSON lines, or none.")],
        ),
        inspect.Parameter(
            "repair", keyword, default=False,
            annotation=Annotated[bool, typer.Option("--repair", help="Repair invalid polygons, don't refuse them.")],
        ),
        inspect.Parameter(
            "debug", keyword, default=False,
            annotation=Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")],
        ),
    ]  # fmt: skip


@contextlib.contextmanager
def _naming(files: Mapping[str, Path]) -> Iterator[None]:
    """Name the file in errors that begin with the parameter it was given for: an analysis knows of none."""
    from kazgeo.errors import InputError

    try:
        yield
    except InputError as error:
        name, colon, rest = str(error).partition(": ")
        if not colon or name not in files:
            raise
        raise InputError(f"{name} (file '{files[name]}'): {rest}") from error


def _run(analysis: Analysis, given: dict[str, Any]) -> None:
    """Read the data, run the analysis, write and tell the result."""
    from kazgeo.cli.results import check_target, targets, tell, write
    from kazgeo.io import Source
    from kazgeo.project.inputs import kind_of, read_data
    from kazgeo.results import Told, keep_inputs

    common = {name: given.pop(name) for name in _COMMON}
    plain = {k: str(v) if isinstance(v, StrEnum) else v for k, v in given.items() if v is not None}
    values = analysis.validate(plain)
    data = [p.name for p in analysis.parameters if p.is_data and values.get(p.name)]
    told = Told(analysis, values | {n: Path(str(values[n])).name for n in data}, common["to_language"])
    target: Path | None = common["output"]
    if target is not None:
        check_target(analysis, target)
        keep_inputs(targets(analysis, target), [Source.parse(str(values[n])).path for n in data])
    start = time.monotonic()
    with reporter(common["progress_kind"]) as progress:
        progress(0.0, "reading")
        for p in analysis.parameters:
            if p.is_data and values.get(p.name) is not None:
                values[p.name] = read_data(kind_of(p), Source.parse(str(values[p.name])), repair=common["repair"])
        if "progress" in inspect.signature(analysis.function).parameters:
            values["progress"] = progress
        with _naming({n: Path(str(given[n]).partition("|")[0]) for n in data}):
            outcome: Outcome = analysis.function(**values)
        files = write(outcome, target, told) if target is not None else []
    tell(outcome, files, language=common["to_language"], seconds=time.monotonic() - start)
