"""Maps and a report of any layer."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

from kazgeo.analyses.declare import analysis
from kazgeo.analyses.kinds import Field, Number, Output, Scheme, Units
from kazgeo.progress import Progress, silent

if TYPE_CHECKING:
    from kazgeo.analyses.outcome import Outcome
    from kazgeo.style import Style


class Language(StrEnum):
    """Language of maps and reports."""

    EN = "en"
    KK = "kk"
    RU = "ru"


class Paper(StrEnum):
    """Size of a print map."""

    A4 = "A4"
    A3 = "A3"


def style_of(layer: Any, column: str, title: str, unit: str, scheme: str, classes: int, decimals: int) -> Style:
    """Return a style for any column: classes for numbers, one colour per value for words.

    Raises
    ------
    InputError
        When the column is missing, empty, or has more than twelve different words.
    """
    import pandas as pd

    from kazgeo.errors import InputError, unknown
    from kazgeo.style import YELLOW_RED, breaks, categorical, graduated, shades

    if column not in layer.columns:
        raise unknown("column", column, [c for c in layer.columns if c != "geometry"], "a column of the layer")
    values = layer[column]
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        limits = breaks(values, scheme, classes)
        return graduated(
            column, title or column, limits, shades(YELLOW_RED, len(limits) - 1), unit=unit, decimals=decimals
        )
    words = sorted(values.dropna().astype(str).unique())
    if not words or len(words) > 12:
        raise InputError(f"column '{column}' has {len(words)} different words; a legend holds 1 to 12")
    palette = ("#1b9e77", "#d95f02", "#7570b3", "#e7298a", "#66a61e", "#e6ab02", "#a6761d", "#666666",
               "#1f78b4", "#b2df8a", "#fb9a99", "#cab2d6")  # fmt: skip
    return categorical(column, title or column, [(w, w, c) for w, c in zip(words, palette, strict=False)])


def _theme(layer: Any, style: Style, title: str, language: str) -> Any:
    """Return the layer as a theme; words of a boolean or mixed column become text."""
    from kazgeo.analyses.outcome import name_column
    from kazgeo.style import Theme

    drawn = layer
    if style.kind == "categorical":
        drawn = layer.copy()
        drawn[style.column] = layer[style.column].map(lambda v: None if v is None or v != v else str(v))
    return Theme("map", title, drawn, style, name_column(layer, language))


@analysis(
    "Maps",
    Output("map.png", "file", "Print map, picture", suffix=".png"),
    Output("map.pdf", "file", "Print map, PDF", suffix=".pdf"),
    tags=("atlas", "PDF", "choropleth"),
)
def print_map(
    units: Units,
    column: Annotated[str, Field("units", numeric=False)],
    *,
    title: str,
    legend: str = "",
    unit: str = "",
    sources: str = "",
    scheme: Scheme = Scheme.QUANTILES,
    classes: Annotated[int, Number(2, 9)] = 5,
    decimals: Annotated[int, Number(0, 6)] = 0,
    paper: Paper = Paper.A4,
    language: Language = Language.EN,
    progress: Progress = silent,
) -> Outcome:
    """Print map of one column: title, legend with counts, scale bar, graticule, sources.

    Drawn in an equal-area projection; missing values have a class of their own.

    Parameters
    ----------
    units : polygons or points
        Layer to draw.
    column : str
        Column to draw, numbers or words.
    title : str
        Title of the map.
    legend : str
        Title of the legend; the column's name when empty.
    unit : str
        Unit in the legend.
    sources : str
        Sources line.
    scheme : Scheme
        How class breaks are chosen.
    classes : int
        Number of classes.
    decimals : int
        Digits after the decimal sign in the legend.
    paper : Paper
        Size of the sheet.
    language : Language
        Language of the map's own words.
    """
    import tempfile
    from pathlib import Path

    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message
    from kazgeo.plots import print_map as draw
    from kazgeo.plots import save

    style = style_of(units, column, legend, unit, scheme, classes, decimals)
    progress(0.3, "drawing")
    figure = draw(
        _theme(units, style, title, language),
        language=str(language),
        sources=[sources] if sources else [],
        paper=str(paper),
    )
    with tempfile.TemporaryDirectory(prefix="kazgeo-") as folder:
        made = {p.name: p.read_bytes() for p in save(figure, Path(folder) / "map")}
    finding = Message("Map by {column}; units: {n}.", {"n": len(units), "column": column})
    return Outcome((finding,), layer=units, style=style, files=made)


@analysis(
    "Maps",
    Output("map.html", "file", "Web map", suffix=".html"),
    tags=("Folium", "Leaflet", "HTML"),
)
def web_map(
    units: Units,
    column: Annotated[str, Field("units", numeric=False)],
    *,
    title: str,
    legend: str = "",
    unit: str = "",
    sources: str = "",
    scheme: Scheme = Scheme.QUANTILES,
    classes: Annotated[int, Number(2, 9)] = 5,
    decimals: Annotated[int, Number(0, 6)] = 0,
    language: Language = Language.EN,
    progress: Progress = silent,
) -> Outcome:
    """Web map of one column in one file that opens without a network.

    The page carries shapes, figures and scripts; borders are simplified for the screen and stay shared.

    Parameters
    ----------
    units : polygons or points
        Layer to draw.
    column : str
        Column to draw, numbers or words.
    title : str
        Title of the page.
    legend : str
        Title of the legend; the column's name when empty.
    unit : str
        Unit in the legend.
    sources : str
        Sources line.
    scheme : Scheme
        How class breaks are chosen.
    classes : int
        Number of classes.
    decimals : int
        Digits after the decimal sign in the legend.
    language : Language
        Language of the page's own words.
    """
    from kazgeo.analyses.outcome import Outcome
    from kazgeo.messages import Message
    from kazgeo.webmap import build, to_html

    style = style_of(units, column, legend, unit, scheme, classes, decimals)
    progress(0.3, "drawing")
    theme = _theme(units, style, title, language)
    page = build([theme], title=title, language=str(language), sources=[sources] if sources else [])
    finding = Message("Map by {column}; units: {n}.", {"n": len(units), "column": column})
    return Outcome((finding,), layer=units, style=style, files={"map.html": to_html(page).encode()})


@analysis(
    "Maps",
    Output("report.html", "file", "Report", suffix=".html"),
    tags=("HTML", "summary"),
)
def report(
    units: Units,
    column: Annotated[str, Field("units", numeric=False)],
    *,
    title: str,
    legend: str = "",
    unit: str = "",
    sources: str = "",
    scheme: Scheme = Scheme.QUANTILES,
    classes: Annotated[int, Number(2, 9)] = 5,
    decimals: Annotated[int, Number(0, 6)] = 0,
    language: Language = Language.EN,
    progress: Progress = silent,
) -> Outcome:
    """Report on one column of a layer: the map, the classes, the ranking, what is missing.

    One HTML file with the map inside; a project makes a fuller one of all its steps.

    Parameters
    ----------
    units : polygons or points
        Layer to report on.
    column : str
        Column to report on, numbers or words.
    title : str
        Title of the report.
    legend : str
        Title of the legend; the column's name when empty.
    unit : str
        Unit in the legend.
    sources : str
        Sources line.
    scheme : Scheme
        How class breaks are chosen.
    classes : int
        Number of classes.
    decimals : int
        Digits after the decimal sign in the legend.
    language : Language
        Language of the report's own words.
    """
    import pandas as pd

    from kazgeo.analyses.outcome import Outcome, name_column
    from kazgeo.locale import speaker
    from kazgeo.messages import Message, Num
    from kazgeo.report import Report, Section, SourceLine, render

    style = style_of(units, column, legend, unit, scheme, classes, decimals)
    progress(0.2, "drawing")
    picture = print_map(
        units, column, title=title, legend=legend, unit=unit, sources=sources, scheme=scheme, classes=classes,
        decimals=decimals, language=language,
    ).files["map.png"]  # fmt: skip
    speech = speaker(str(language))
    counts, missing = style.counts(_theme(units, style, title, str(language)).data[column])
    table = pd.DataFrame({"class": style.labels(speech), "units": counts})
    name = name_column(units, str(language))
    ranking = pd.DataFrame(units)[[c for c in dict.fromkeys([name, column]) if c is not None]]
    if pd.api.types.is_numeric_dtype(ranking[column]):
        ranking = ranking.sort_values(column, ascending=False)
    findings = [Message("Units: {n}; without a value: {missing}.", {"n": len(units), "missing": missing})]
    values = units[column]
    if pd.api.types.is_numeric_dtype(values):
        findings.append(
            Message(
                "From {low} to {high}; median {median}.",
                {k: Num(float(v), decimals, unit) for k, v in
                 (("low", values.min()), ("high", values.max()), ("median", values.median()))},
            )
        )  # fmt: skip
    said = tuple(speech.say(f) for f in findings)
    section = Section(
        "layer", title, "report", "", said, (("column", column, ""), ("scheme", str(scheme), "")), (picture,),
        {"classes": table, "layer": ranking}
    )  # fmt: skip
    lines = (SourceLine("", title, "", sources),) if sources else ()
    page = render(Report(title, "", str(language), 0, tuple(("", s) for s in said), (section,), lines))
    return Outcome(tuple(findings), layer=units, style=style, files={"report.html": page.encode()})
