"""Progress on a terminal, in a pipe and as JSON lines; errors as one sentence; the closing table."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING

from kazgeo.progress import Progress, silent

if TYPE_CHECKING:
    from kazgeo.project import Run

__all__ = ["ProgressKind", "closing_table", "reporter"]


class ProgressKind(StrEnum):
    """How progress is shown."""

    AUTO = "auto"
    JSON = "json"
    NONE = "none"


@contextlib.contextmanager
def reporter(kind: ProgressKind) -> Iterator[Progress]:
    """Yield a reporter: a bar on a terminal, nothing in a pipe, JSON lines on request (all on stderr)."""
    if kind is ProgressKind.JSON:
        yield _json_lines
    elif kind is ProgressKind.NONE or not sys.stderr.isatty():
        yield silent
    else:
        with _bar() as progress:
            yield progress


def _json_lines(fraction: float, message: str) -> None:
    line = {"type": "progress", "fraction": round(fraction, 4), "message": message}
    sys.stderr.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stderr.flush()


@contextlib.contextmanager
def _bar() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar
    from rich.text import Text

    columns = (BarColumn(bar_width=30), TextColumn("{task.percentage:>3.0f}%"), TimeElapsedColumn(),
               TextColumn("{task.fields[what]}", markup=False))  # fmt: skip
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0, what="")
        last = 0.0

        def progress(fraction: float, message: str) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last > 0.05 or fraction >= 1:
                bar.update(task, completed=fraction, what=str(Text(message)))
                last = now

        yield progress


def closing_table(run: Run, *, seconds: float, language: str) -> None:
    """Print what was found and where the results are."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from kazgeo.locale import speaker

    say = speaker(language).translate
    console = Console()
    table = Table(show_header=True, header_style="bold", show_lines=True, expand=True)
    table.add_column(say("Question"), ratio=2)
    table.add_column(say("Finding"), ratio=5)
    for heading, lines in run.findings:
        table.add_row(Text(heading), Text("\n".join(lines)))
    if run.findings:
        console.print(table)
    for warning in run.warnings:
        console.print(Text(f"{say('Note')}: {warning}", style="yellow"))
    if run.fresh:
        text = say("{n} files in {folder}, {seconds} s. Start with {first}.")
        console.print(
            Text(
                text.format(
                    n=len(run.outputs), folder=run.folder, seconds=f"{seconds:.1f}", first=run.folder / "report.html"
                ),
                style="bold green",
            )
        )
    else:
        text = say("Nothing has changed since the last run: nothing was computed. Results are in {folder}.")
        console.print(Text(text.format(folder=run.folder), style="bold green"))
