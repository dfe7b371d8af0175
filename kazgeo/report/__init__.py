"""The report: one HTML file that tells what was computed, with which parameters, and what came out."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kazgeo.locale import Speaker, speaker
from kazgeo.messages import Num, Term
from kazgeo.report.headings import CODES, COLUMNS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Report", "Section", "SourceLine", "render"]

_ROWS = 20
_COLUMNS = 11
_P_VALUES = {
    "p", "p_adjusted", "p_bonferroni", "p_normal", "p_normality", "p_randomization", "p_trend", "cluster_p", "trend_p",
}  # fmt: skip


@dataclass(frozen=True)
class SourceLine:
    """One line of the table of sources."""

    file: str
    title: str
    licence: str
    attribution: str


@dataclass(frozen=True)
class Section:
    """One analysis in the report.

    Parameters
    ----------
    id, heading, analysis, question : str
        Step, its title, the analysis' id and its first sentence in the language.
    findings : tuple of str
        Sentences in the language.
    parameters : tuple of (name, value, unit)
        All parameters of the run.
    pictures : tuple of Path or bytes
        PNG files, or their content, to be put into the page.
    tables : mapping
        Name to DataFrame.
    headings : mapping
        Column to its heading in the language, where the report's own list of headings has none.
    """

    id: str
    heading: str
    analysis: str
    question: str
    findings: tuple[str, ...]
    parameters: tuple[tuple[str, object, str], ...]
    pictures: tuple[Path | bytes, ...]
    tables: Mapping[str, pd.DataFrame]
    headings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """All that the page shows: a project's report, or the card of one analysis, which has one section and no sources.

    Parameters
    ----------
    title, subtitle, language : str
        Of the page.
    seed : int or None
        None where nothing was random.
    headline : tuple of (heading, line)
        What stands "in short" above the sections.
    sections : tuple of Section
        One for each question.
    sources : tuple of SourceLine or None
        None when the page is not one on which sources are named.
    notes : tuple of str
        What holds for all sections, such as rows that take no part.
    """

    title: str
    subtitle: str
    language: str
    seed: int | None
    headline: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    sources: tuple[SourceLine, ...] | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Table:
    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[tuple[str, bool], ...], ...]
    left_out: int


def render(report: Report) -> str:
    """Return the report as one self-contained HTML page.

    Assumption: pictures are small enough to be put into the page (it must open from a memory stick or a mail).

    Parameters
    ----------
    report : Report
        What to show.

    Returns
    -------
    str
        HTML; all text from data is escaped.
    """
    from kazgeo.provenance import versions

    speech = speaker(report.language)
    sections = [_context(s, speech) for s in report.sections]
    html: str = _template().render(
        report=report, sections=sections, t=speech.translate, versions=versions(), number=speech.number
    )
    return html


@lru_cache(maxsize=1)
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    room = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    return room.get_template("report.html")


def _context(section: Section, speech: Speaker) -> dict[str, Any]:
    return {
        "section": section,
        "pictures": [_data_uri(p) for p in section.pictures],
        "parameters": [(n, _value(v, speech), speech.translate(u) if u else "") for n, v, u in section.parameters],
        "tables": [table(t, n, speech, section.headings) for n, t in section.tables.items() if len(t)],
    }


def _data_uri(picture: Path | bytes) -> str:
    content = picture if isinstance(picture, bytes) else picture.read_bytes()
    return "data:image/png;base64," + base64.b64encode(content).decode()


def _value(value: object, speech: Speaker) -> str:
    """Return a parameter's value as a reader writes it."""
    if value is None or value == "" or value == ():
        return "–"
    if isinstance(value, bool):
        return speech.translate("yes") if value else speech.translate("no")
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value))
    return str(value)


def table(frame: pd.DataFrame, name: str, speech: Speaker, headings: Mapping[str, str], rows: int = _ROWS) -> _Table:
    """Return a DataFrame as translated, rounded text; long tables are cut and say so."""
    index_is_data = frame.index.name is not None and str(frame.index.name).lower() not in {"kato", "id", "osm_id"}
    data = frame.reset_index() if index_is_data or frame.index.nlevels > 1 else frame
    columns = [c for c in data.columns if c != "geometry"]
    if len(columns) > _COLUMNS and sum(c in COLUMNS for c in columns) > 2:
        columns = [c for c in columns if c in COLUMNS][:_COLUMNS]
    digits = {c: _digits(data[c]) for c in columns}
    body = tuple(
        tuple(_cell(row[c], str(c), digits[c], speech) for c in columns) for row in data.head(rows).to_dict("records")
    )
    head = tuple(_heading(str(c), speech, headings) for c in columns)
    return _Table(_heading(name, speech), head, body, max(0, len(data) - rows))


def _heading(column: str, speech: Speaker, headings: Mapping[str, str] | None = None) -> str:
    if column not in COLUMNS and headings and column in headings:
        return headings[column]
    return speech.translate(COLUMNS.get(column, column))


def _digits(values: pd.Series) -> int:
    """Return decimals that show three significant digits of a typical value, none for whole numbers."""
    if values.dtype.kind != "f":
        return 0
    if values.name in _P_VALUES:
        return 4
    known = values.dropna().abs()
    if not len(known) or (known == known.round()).all():
        return 0
    typical = float(known.median()) or float(known.max())
    return 0 if typical >= 100 else 1 if typical >= 10 else 2 if typical >= 1 else 3 if typical >= 0.1 else 4


def _cell(value: Any, column: str, digits: int, speech: Speaker) -> tuple[str, bool]:
    """Return the text of a cell and whether it is a number."""
    if value is None or value != value:
        return "–", False
    if isinstance(value, bool):
        return speech.translate("yes") if value else speech.translate("no"), False
    if isinstance(value, int) and ("year" in column or column in {"region", "kato"}):
        return str(value), True
    if column in _P_VALUES and value < 0.0001:
        return f"< {speech.number(0.0001, 4)}", True
    if isinstance(value, int | float):
        return speech.word(Num(float(value), digits)), True
    return speech.word(Term(CODES.get(str(value), str(value)))), False
