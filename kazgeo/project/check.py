"""Finds every mistake of a project before anything is computed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from kazgeo.analyses import Analysis, Parameter, get
from kazgeo.analyses.preparation import parse_speeds
from kazgeo.errors import InputError, listing, suggestion
from kazgeo.project.config import Project, Step, _report
from kazgeo.project.inputs import kind_of, known_columns, locate

__all__ = ["check", "settings"]


@dataclass
class _Known:
    """What names mean so far: kind and columns of inputs and of steps already passed."""

    kinds: dict[str, str] = field(default_factory=dict)
    columns: dict[str, set[str]] = field(default_factory=dict)


def settings(project: Project, step: Step, analysis: Analysis) -> dict[str, object]:
    """Return the step's parameters with the project's seed and language filled in."""
    names = {p.name for p in analysis.parameters}
    extra: dict[str, object] = {}
    if "seed" in names:
        extra["seed"] = project.seed
    if "language" in names:
        extra["language"] = project.language
    return extra | dict(step.parameters)


def check(project: Project) -> None:
    """Raise one error that lists every mistake; return nothing when there is none.

    Unknown analyses, misspelt and missing parameters, values out of range, missing files and columns, references to
    nothing or to a later step.

    Raises
    ------
    InputError
        Listing all mistakes, numbered.
    """
    faults: list[str] = []
    known = _Known()
    _inputs(project, known, faults)
    later = {s.id for s in project.steps}
    for step in project.steps:
        later.discard(step.id)
        _step(project, step, known, later, faults)
    faults += _same_names(project)
    for key in ("neighbours", "water", "outline", "roads", "cities"):
        name = getattr(project.basemap, key)
        if name and name not in known.kinds:
            faults.append(f"[basemap]: {key} names '{name}', which is no input or step{suggestion(name, known.kinds)}")
    if project.sources and not (project.folder / project.sources).is_file():
        faults.append(f"[project]: sources file '{project.sources}' does not exist")
    if faults:
        raise InputError(_report(project.path, faults))


def _same_names(project: Project) -> Iterator[str]:
    """Yield the steps whose results would be called as those of another step; capitals make no difference to files."""
    ids: dict[str, str] = {}
    for step in project.steps:
        first = ids.setdefault(step.id.casefold(), step.id)
        if first != step.id:
            yield f"step '{step.id}': its results would be called as those of step '{first}'; rename it"
    for step in project.steps:
        try:
            made = [o.name for o in get(step.analysis).outputs if o.kind in {"table", "raster"}]
        except InputError:
            continue
        names = {f"{step.id}_{name}".casefold(): name for name in made}
        names |= {other: "chart" for other in ids if re.fullmatch(re.escape(step.id.casefold()) + r"_chart\d*", other)}
        for name in sorted(names.keys() & ids.keys()):
            yield f"step '{ids[name]}': its results would be called as '{names[name]}' of step '{step.id}'; rename it"


def _inputs(project: Project, known: _Known, faults: list[str]) -> None:
    for one in project.inputs:
        known.kinds[one.name] = one.kind
        known.columns[one.name] = set()
        try:
            source = locate(project, one)
            known.columns[one.name] = known_columns(one.kind, source)
            if source.id is not None and one.kind != "nodes" and source.id not in known.columns[one.name]:
                hint = suggestion(source.id, known.columns[one.name])
                faults.append(
                    f"[inputs.{one.name}]: id column '{source.id}' is not a column of {source.path.name}{hint}"
                )
            if one.leave_out and one.leave_out not in known.columns[one.name]:
                hint = suggestion(one.leave_out, known.columns[one.name])
                faults.append(
                    f"[inputs.{one.name}]: leave_out '{one.leave_out}' is not a column of {source.path.name}{hint}"
                )
        except InputError as error:
            faults.append(f"[inputs.{one.name}]: {error}")
            del known.columns[one.name]


def _step(project: Project, step: Step, known: _Known, later: set[str], faults: list[str]) -> None:
    where = f"step '{step.id}'"
    if step.id in known.kinds:
        faults.append(f"{where}: an input has the same name")
    try:
        analysis = get(step.analysis)
    except InputError as error:
        faults.append(f"{where}: {error}")
        known.kinds[step.id] = "any"
        return
    values = settings(project, step, analysis)
    plain, wrong = analysis.convert(values)
    faults += [f"{where}: {text}" for text in wrong]
    first, last = plain.get("first_year"), plain.get("last_year")
    if isinstance(first, int) and isinstance(last, int) and first > last:
        faults.append(f"{where}: first_year {first} is after last_year {last}")
    if isinstance(plain.get("speeds_kmh"), str):
        try:
            parse_speeds(str(plain["speeds_kmh"]))
        except InputError as error:
            faults.append(f"{where}: {error}")
    for p in analysis.parameters:
        if p.is_data and values.get(p.name) is not None:
            _reference(where, p, values[p.name], known, later, faults)
    for p in analysis.parameters:
        if p.kind == "field" and plain.get(p.name):
            _fields(where, p, plain[p.name], values.get(p.of), known, faults)
    _remember(step, analysis, values, plain, known)


def _reference(where: str, p: Parameter, value: object, known: _Known, later: set[str], faults: list[str]) -> None:
    """Check that a data parameter names an input or an earlier step of the right kind."""
    if not isinstance(value, str):
        faults.append(f"{where}: {p.name} must name an input or an earlier step; got {value!r}")
    elif value in later:
        faults.append(f"{where}: {p.name} names '{value}', a later step; move that step before this one")
    elif value not in known.kinds:
        hint = suggestion(value, known.kinds) or f"; there are: {listing(known.kinds, 12)}"
        faults.append(f"{where}: {p.name} names '{value}', which is no input or earlier step{hint}")
    elif known.kinds[value] not in (*kind_of(p), "any"):
        wanted = " or ".join(kind_of(p))
        faults.append(f"{where}: {p.name} wants {wanted}; '{value}' is {known.kinds[value]}")


def _fields(where: str, p: Parameter, value: object, of: object, known: _Known, faults: list[str]) -> None:
    """Check that a field is a column of its parent, as far as the parent's columns are known."""
    have = known.columns.get(str(of))
    if not have:
        return
    for name in value if isinstance(value, tuple) else (value,):
        if name not in have:
            hint = suggestion(str(name), have) or f"; there are: {listing(sorted(have), 12)}"
            faults.append(f"{where}: {p.name} '{name}' is not a column of '{of}'{hint}")


def _remember(
    step: Step, analysis: Analysis, values: Mapping[str, object], plain: Mapping[str, object], known: _Known
) -> None:
    """Note kind and columns of what the step makes."""
    main = next((o for o in analysis.outputs if o.name in {"layer", "panel"}), None)
    if main is None:
        known.kinds[step.id] = "raster" if any(o.kind == "raster" for o in analysis.outputs) else "tables"
        return
    parent = str(values.get(main.like, ""))
    if main.name == "panel":
        known.kinds[step.id] = "panel"
    else:
        known.kinds[step.id] = main.geometry or known.kinds.get(parent, "any")
    if main.like and parent not in known.columns:
        return
    fills = {k: str(v) for k, v in plain.items() if isinstance(v, str)}
    made = {f.format_map(_Blank(fills)) for f in main.fields}
    known.columns[step.id] = known.columns.get(parent, set()) | made


class _Blank(dict[str, str]):
    """Leaves a hole whose parameter is missing or wrong as it is."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"
