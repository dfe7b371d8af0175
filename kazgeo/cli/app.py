"""Commands and the one place where errors become exit codes."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from kazgeo import __version__
from kazgeo.cli.reporting import ProgressKind, closing_table, reporter
from kazgeo.errors import Cancelled, InputError

__all__ = ["app", "main"]

app = typer.Typer(
    name="kazgeo",
    help="Regional disparities seen on the map: who is hard to reach, how unequal regions are, where clusters lie.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
data_app = typer.Typer(
    help="Data sets for real studies: list them, fetch them once, use a mirror.", no_args_is_help=True
)
app.add_typer(data_app, name="data")

ProgressOption = Annotated[
    ProgressKind,
    typer.Option("--progress", help="Bar on a terminal and nothing in a pipe (auto), JSON lines, or none."),
]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
LanguageOption = Annotated[
    str | None, typer.Option("--language", "-l", help="Language of the results instead of the project's: en, kk or ru.")
]


def _version(value: bool) -> None:
    if value:
        typer.echo(f"kazgeo {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Regional disparities seen on the map."""
    del version


@app.command()
def run(
    project: Annotated[Path, typer.Argument(help="Project file (TOML).")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the results.")] = Path("out"),
    language: LanguageOption = None,
    force: Annotated[bool, typer.Option("--force", help="Compute even when nothing has changed.")] = False,
    progress: ProgressOption = ProgressKind.AUTO,
    debug: DebugOption = False,
) -> None:
    """Run a project: styled layers, maps, a web page and a report."""
    from kazgeo import project as projects

    del debug
    start = time.monotonic()
    loaded = projects.load(project, language=language)
    with reporter(progress) as report:
        done = projects.run(loaded, out, force=force, progress=report)
    closing_table(done, seconds=time.monotonic() - start, language=loaded.language)


@app.command()
def check(
    project: Annotated[Path, typer.Argument(help="Project file (TOML).")],
    debug: DebugOption = False,
) -> None:
    """Find every mistake of a project before computing anything."""
    from kazgeo import project as projects

    del debug
    loaded = projects.load(project)
    projects.check(loaded)
    typer.echo(f"{project}: no mistake found in {len(loaded.inputs)} inputs and {len(loaded.steps)} steps.")


@app.command()
def catalogue(
    as_json: Annotated[bool, typer.Option("--json", help="Everything, as JSON.")] = False,
    debug: DebugOption = False,
) -> None:
    """List all analyses with their parameters."""
    from kazgeo import analyses

    del debug
    found = analyses.catalogue()
    if as_json:
        typer.echo(json.dumps(analyses.as_json(), ensure_ascii=False, indent=2))
        return
    width = max(len(a) for a in found)
    for group in analyses.GROUPS:
        typer.echo(group)
        for one in (a for a in found.values() if a.group == group):
            typer.echo(f"  {one.id.replace('_', '-'):<{width}}  {one.summary}")


@data_app.command("list")
def data_list(debug: DebugOption = False) -> None:
    """List the data sets that can be fetched, with licence and whether they are here."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from kazgeo import data

    del debug
    table = Table(show_lines=True)
    for name in ("name", "contents", "licence", "here"):
        table.add_column(name)
    for name, one in data.CATALOGUE.items():
        try:
            here = "yes" if data.available(name) else "no"
        except InputError as error:
            here = str(error)
        table.add_row(Text(name), Text(one.title), Text(one.licence), Text(here))
    Console().print(table)


@data_app.command("get")
def data_get(
    name: Annotated[str, typer.Argument(help="Name of a data set; see: kazgeo data list.")],
    folder: Annotated[Path | None, typer.Option("--folder", help="Put it here instead of the cache folder.")] = None,
    accept_unverified: Annotated[
        bool, typer.Option("--accept-unverified", help="Accept a file whose SHA-256 isn't in the table.")
    ] = False,
    progress: ProgressOption = ProgressKind.AUTO,
    debug: DebugOption = False,
) -> None:
    """Fetch a data set, check it, keep it; a broken download goes on where it stopped."""
    from kazgeo import data

    del debug
    with reporter(progress) as report:
        files = data.fetch(name, folder=folder, progress=report, accept_unverified=accept_unverified)
    for file in files:
        typer.echo(str(file))
    one = data.CATALOGUE[name]
    typer.echo(f"Licence: {one.licence}. Say: {one.attribution}", err=True)


@data_app.command("path")
def data_path(
    country: Annotated[str, typer.Argument(help="Embedded data set.")] = "kazakhstan", debug: DebugOption = False
) -> None:
    """Show the folder of an embedded data set, with its project file."""
    from kazgeo import data

    del debug
    typer.echo(str(data.embedded(country)))


def _add_analyses() -> None:
    """Add one command per analysis, generated from the catalogue."""
    from kazgeo.analyses import GROUPS
    from kazgeo.analyses import catalogue as read
    from kazgeo.cli.commands import command

    for group in GROUPS:
        for one in (a for a in read().values() if a.group == group):
            name, text = one.id.replace("_", "-"), f"{one.summary} {one.help}"
            app.command(name, help=text, short_help=one.summary, rich_help_panel=group)(command(one))


def _stop(message: str, code: int) -> NoReturn:
    sys.stderr.write(f"kazgeo: {message}\n")
    sys.stderr.flush()
    sys.exit(code)


def _command(given: list[str]) -> str:
    """Return the known command among the arguments, with a space behind it, for a hint."""
    from kazgeo.analyses import catalogue as read

    known = {"run", "check", "catalogue", "data", *(a.replace("_", "-") for a in read())}
    return f"{given[0]} " if given and given[0] in known else ""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line: exit code 0 done, 2 bad input, 1 a fault of ours, 130 cancelled.

    Errors are one sentence on stderr; ``--debug`` shows the traceback.
    """
    given = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in given
    if hasattr(signal, "SIGTERM"):
        signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    try:
        _add_analyses()
        code = app(args=given, prog_name="kazgeo", standalone_mode=False)
        if code == 130:  # typer turns Ctrl-C into this
            raise KeyboardInterrupt
        sys.exit(code if isinstance(code, int) else 0)
    except InputError as error:
        if debug:
            raise
        _stop(str(error), 2)
    except (Cancelled, KeyboardInterrupt):
        _stop("cancelled; nothing half-written is left behind", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except MemoryError:
        _stop("not enough memory for this; take fewer units, fewer permutations or a smaller extent", 1)
    except Exception as error:
        if hasattr(error, "format_message"):  # typer's usage errors; their class is private to typer
            message = " ".join(error.format_message().split())
            if not message:  # a group without a command has shown its help
                sys.exit(2)
            _stop(f"{message} See: kazgeo {_command(given)}--help", 2)
        if debug:
            raise
        _stop(f"a fault of KazGeo's own: {type(error).__name__}: {error}; run again with --debug and report it", 1)
