"""Writes reference.md from the catalogue of analyses and the command line: ``make docs``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("reference.md")

_KINDS = {
    "vector": "layer",
    "table": "table",
    "raster": "raster",
    "file": "file",
    "field": "column",
    "number": "number",
    "integer": "whole number",
    "choice": "choice",
    "boolean": "true or false",
    "text": "text",
}

_HEAD = """# Reference

This page is generated from the catalogue by `make docs`. Don't edit it.

An analysis is the same thing in a project file (`analysis = "id"`), as a command of `kazgeo` and in Python
(`kazgeo.analyses`). A parameter has the same name in all three; on the command line it is written
`--with-hyphens`.
"""


@dataclass(frozen=True)
class Option:
    """One option or argument of a command.

    Parameters
    ----------
    names : tuple of str
        As typed, for instance ("--out", "-o"); the plain name of an argument.
    help : str
        What it says in ``--help``.
    required : bool
        The command refuses to start without it.
    flag : bool
        It takes no value.
    argument : bool
        It is told by its position.
    """

    names: tuple[str, ...]
    help: str
    required: bool
    flag: bool
    argument: bool


def commands() -> dict[str, tuple[Option, ...]]:
    """Return the options of every command by its words, for instance "data get"; fixed commands first."""
    import typer
    from typer.main import get_command

    from kazgeo.analyses import catalogue
    from kazgeo.cli.app import app
    from kazgeo.cli.commands import command

    own = typer.Typer()
    for one in catalogue().values():
        own.command(_command(one.id))(command(one))
    analyses = get_command(own)
    known = {_command(i) for i in catalogue()}
    fixed: Any = get_command(app)
    found: dict[str, tuple[Option, ...]] = {}
    for name, got in fixed.commands.items():
        if name in known:
            continue
        inner = getattr(got, "commands", None)
        if inner is None:
            found[name] = _options(got)
        else:
            found |= {f"{name} {word}": _options(sub) for word, sub in inner.items()}
    return found | {name: _options(got) for name, got in analyses.commands.items()}  # type: ignore[attr-defined]


def _options(command: Any) -> tuple[Option, ...]:
    """Return the options and arguments of one command."""
    return tuple(
        Option(
            names=(*p.opts, *p.secondary_opts) if p.param_type_name == "option" else (p.name,),
            help=getattr(p, "help", None) or "",
            required=bool(p.required),
            flag=bool(getattr(p, "is_flag", False)),
            argument=p.param_type_name == "argument",
        )
        for p in command.params
    )


def page() -> str:
    """Return the whole page; the same catalogue gives the same text."""
    from kazgeo.analyses import GROUPS, catalogue

    found = catalogue()
    parts = [_HEAD, _contents(), _fixed_commands()]
    for group in GROUPS:
        parts.append(f"## {group}\n")
        parts += [_analysis(a) for a in found.values() if a.group == group]
    return "\n".join(parts).rstrip() + "\n"


def _contents() -> str:
    from kazgeo.analyses import GROUPS, catalogue

    rows = []
    for group in GROUPS:
        rows += [
            (group, f"[`{a.id}`](#{a.id})", f"`kazgeo {_command(a.id)}`", _plain(a.summary))
            for a in catalogue().values()
            if a.group == group
        ]
    return _table(("group", "analysis", "command", "what it does"), rows)


def _fixed_commands() -> str:
    """Return the commands that are no analyses, and the options that all analyses share."""
    from kazgeo.analyses import catalogue

    every = commands()
    analyses = [_command(i) for i in catalogue()]
    own = {n for a in catalogue().values() for p in a.parameters for n in _flags(p.name)}
    shared = [o for o in every[analyses[0]] if not set(o.names) & own and "--out" not in o.names]
    rows = [
        (f"`kazgeo {name}`", ", ".join(_typed(o) for o in options) or "–")
        for name, options in every.items()
        if name not in analyses
    ]
    parts = ["## Commands\n", _table(("command", "arguments and options"), rows)]
    parts.append("Every analysis also has these options, on the command line only:\n")
    parts.append(
        _table(
            ("option", "what it does"),
            [
                ("`--out`, `-o`", "Write the result to this file; its suffix decides the format."),
                *((_typed(o), o.help) for o in shared),
            ],
        )
    )
    parts.append(
        "`--out` takes `.gpkg`, `.geojson`, `.csv` or `.xlsx`; an analysis without a map layer takes no `.geojson`, "
        "and one that makes a file takes that file's suffix. Findings and numbers are always printed; without `--out` "
        "the first table is printed too.\n"
    )
    return "\n".join(parts)


def _flags(name: str) -> set[str]:
    word = name.replace("_", "-")
    return {f"--{word}", f"--no-{word}"}


def _typed(option: Option) -> str:
    """Return an option as it is typed."""
    if option.argument:
        return f"`{option.names[0].upper()}`" + ("" if option.required else " (may be left out)")
    return ", ".join(f"`{n}`" for n in option.names)


def _analysis(analysis: Any) -> str:
    """Return the section of one analysis."""
    parts = [
        f"### {analysis.id}\n",
        f"Command: `kazgeo {_command(analysis.id)}`\n",
        f"**{_plain(analysis.summary)}**\n",
    ]
    if analysis.help:
        parts.append(f"{_plain(analysis.help)}\n")
    rows = [
        (f"`{p.name}`", _kind(p), _range(p), p.unit or "–", _default(p), _plain(p.help)) for p in analysis.parameters
    ]
    parts.append(_table(("parameter", "kind", "range or choices", "unit", "default", "meaning"), rows))
    made = [(f"`{o.name}`", o.kind, o.label, _fields(o)) for o in analysis.outputs]
    parts.append(_table(("output", "kind", "contents", "columns"), made))
    return "\n".join(parts)


def _command(name: str) -> str:
    return name.replace("_", "-")


def _kind(p: Any) -> str:
    """Return the kind of a parameter in words."""
    if p.kind == "vector":
        return f"layer of {' or '.join(g + 's' for g in p.geometries)}"
    if p.kind == "table":
        return f"table ({p.shape})"
    if p.kind == "file":
        return f"file ({' or '.join(p.suffixes)})"
    if p.kind == "field":
        numbers = "numeric " if p.numeric else ""
        return f"{numbers}{'columns' if p.many else 'column'} of `{p.of}`"
    return _KINDS[p.kind]


def _range(p: Any) -> str:
    """Return the range of a number or the choices."""
    if p.choices:
        return ", ".join(f"`{c}`" for c in p.choices)
    if p.low is not None and p.high is not None:
        return f"{_number(p.low)} to {_number(p.high)}"
    return "–"


def _number(value: float) -> str:
    """Return a number without an exponent; years and other short numbers without a comma.

    Examples
    --------
    >>> _number(1e9), _number(2100), _number(0.0001), _number(1e-6), _number(0)
    ('1,000,000,000', '2100', '0.0001', '0.000001', '0')
    """
    return f"{value:{',' if value >= 10_000 else ''}.6f}".rstrip("0").rstrip(".")


def _default(p: Any) -> str:
    """Return the default, or that the parameter is required."""
    if p.required:
        return "**required**"
    if p.default is None or p.default == ():
        return "none"
    if isinstance(p.default, bool):
        return f"`{str(p.default).lower()}`"
    if isinstance(p.default, int | float):
        return f"`{p.default:g}`" if p.default < 10_000 else f"`{p.default:.0f}`"
    return f"`{p.default}`" if p.default != "" else "empty"


def _fields(output: Any) -> str:
    """Return the columns that an output is sure to have."""
    own = ", ".join(f"`{f}`" for f in output.fields)
    kept = f"those of `{output.like}`" if output.like else ""
    return " and ".join(t for t in (kept, own) if t) or "–"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(c.replace("|", "\\|") for c in line) + " |" for line in lines) + "\n"


def _plain(text: str) -> str:
    """Return text in which no sign is taken for markup."""
    return text.replace("*", "\\*").replace("<", "&lt;")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
