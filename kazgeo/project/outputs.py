"""Writes what a project's steps made: GeoPackage, print maps, web map, report."""

from __future__ import annotations

import warnings as python_warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kazgeo.analyses import get
from kazgeo.analyses.outcome import Outcome, name_column, names_of
from kazgeo.locale import Speaker, speaker
from kazgeo.messages import Names
from kazgeo.progress import Progress, part
from kazgeo.project.check import settings
from kazgeo.project.naming import region_names
from kazgeo.style import Backdrop, Chart

if TYPE_CHECKING:
    from kazgeo.project.config import Project, Step
    from kazgeo.project.run import Computed
    from kazgeo.report import Section, SourceLine

__all__ = ["write_all"]


def write_all(project: Project, done: Computed, folder: Path, progress: Progress) -> tuple[str, ...]:
    """Write every result into an empty folder and return what the user should be warned of."""
    sources = _sources(project)
    backdrop = _backdrop(project, done)
    credits = Credits(project, sources)
    progress(0.0, "results.gpkg")
    _geopackage(project, done, folder / "results.gpkg")
    _rasters(project, done, folder)
    maps = _maps(project, done, backdrop, credits, folder / "maps", part(progress, 0.1, 0.8))
    progress(0.8, "map.html")
    told = _web_map(project, done, backdrop, credits, folder / "map.html")
    progress(0.92, "report.html")
    _report(project, done, maps, sources, folder / "report.html")
    return told


def _sources(project: Project) -> list[SourceLine]:
    """Return the lines of the table of sources; an empty list when the project names none."""
    from kazgeo.io import read_table
    from kazgeo.report import SourceLine

    if not project.sources:
        return []
    table = read_table(project.folder / project.sources).fillna("")
    say = speaker(project.language).translate

    def line(row: dict[str, str]) -> SourceLine:
        credit = "; ".join(say(p.strip()) for p in row.get("attribution", "").split(";"))
        return SourceLine(row.get("file", ""), say(row.get("title", "")), say(row.get("licence", "")), credit)

    return [line(row) for row in table.to_dict("records")]


@dataclass(frozen=True)
class Credits:
    """Who must be named under a map or chart: the sources of the inputs that it was made of, each once."""

    project: Project
    sources: Sequence[SourceLine]

    def of(self, step: Step | None, *, with_map: bool) -> list[str]:
        """Return the credits of one step (of all when None), with those of the basemap under a map."""
        base = self.project.basemap
        names = {base.neighbours, base.water, base.outline, base.roads, base.cities} if with_map else set()
        names |= {s.id for s in self.project.steps} if step is None else {step.id}
        files = {Path(f).name for f in self._files(names - {""})}
        pieces = [p.strip() for s in self.sources if Path(s.file).name in files for p in s.attribution.split(";")]
        return list(dict.fromkeys(p for p in pieces if p))

    def _files(self, names: set[str]) -> set[str]:
        """Return the files behind inputs and steps, through all the steps between."""
        steps = {s.id: s for s in self.project.steps}
        inputs = {i.name: i for i in self.project.inputs}
        todo, seen, files = list(names), set(), set()
        while todo:
            name = todo.pop()
            if name in seen:
                continue
            seen.add(name)
            if name in inputs:
                files.add(inputs[name].file.split("|")[0] or inputs[name].dataset)
            elif name in steps:
                known = {p.name for p in get(steps[name].analysis).parameters if p.is_data}
                todo += [str(v) for k, v in steps[name].parameters.items() if k in known]
        return files


def _backdrop(project: Project, done: Computed) -> Backdrop:
    base = project.basemap
    cities = done.layer(base.cities)
    name = name_column(cities, project.language) if cities is not None else None
    if cities is not None and name is not None:
        cities = _cities(cities, name, base.cities_min_population)
    return Backdrop(
        neighbours=done.layer(base.neighbours),
        water=done.layer(base.water),
        outline=done.layer(base.outline),
        roads=done.layer(base.roads),
        cities=cities if name is not None else None,
        city_name=name or "name",
    )


def _cities(cities: Any, name: str, least: float) -> Any:
    """Return the cities large enough to help with orientation, each with a name in the language or in English."""
    if least and "population" in cities.columns:
        cities = cities[cities["population"] >= least].sort_values("population", ascending=False)
    cities = cities.copy()
    english = name_column(cities, "en")
    if english is not None:
        cities[name] = cities[name].where(cities[name].notna(), cities[english])
    return cities


def _title(project: Project, step: Step) -> str:
    return step.heading.in_language(project.language)


def _named(outcome: Outcome, language: str) -> Outcome:
    """Return the outcome with names in the language, gaps filled from English."""
    layer = outcome.layer
    if layer is None:
        return outcome
    if {"nearest_id", "nearest_name"} <= set(layer.columns):
        names = names_of(layer)
        near = [names[i].in_language(language) if i in names else None for i in layer["nearest_id"]]
        layer = layer.assign(nearest_name=near)
        outcome = replace(outcome, layer=layer)
    here, english = name_column(layer, language), name_column(layer, "en")
    if here is None or english is None or here == english or not layer[here].isna().any():
        return outcome
    filled = layer.copy()
    filled[here] = layer[here].where(layer[here].notna(), layer[english])
    return replace(outcome, layer=filled)


def _geopackage(project: Project, done: Computed, path: Path) -> None:
    from kazgeo.io import write_layers
    from kazgeo.qgis_style import qml, write_styles

    layers: dict[str, Any] = {}
    styles: dict[str, str] = {}
    for step in project.steps:
        outcome = done.outcomes[step.id]
        if outcome.layer is not None and "layer" in step.show:
            layers[step.id] = outcome.layer
            if outcome.style is not None:
                styles[step.id] = qml(
                    outcome.theme(step.id, _title(project, step), project.language), language=project.language
                )
        for name, table in outcome.tables.items():
            if len(table):
                layers[f"{step.id}_{name}"] = table
    if layers:
        write_layers(path, layers)
        write_styles(path, styles, language=project.language)


def _rasters(project: Project, done: Computed, folder: Path) -> None:
    """Write the surfaces of every step as GeoTIFF, with the style that QGIS finds beside it."""
    from kazgeo.raster import write_raster

    for step in project.steps:
        for name, raster in done.outcomes[step.id].rasters.items():
            tags = {"kazgeo_analysis": step.analysis, "kazgeo_step": step.id}
            write_raster(folder / f"{step.id}_{name}.tif", raster, tags, project.language)


def _maps(
    project: Project, done: Computed, backdrop: Backdrop, credits: Credits, folder: Path, progress: Progress
) -> dict[str, list[Path]]:
    """Draw print maps and charts; return the pictures of every step."""
    from kazgeo.plots import print_map, save

    out: dict[str, list[Path]] = {}
    folder.mkdir(parents=True, exist_ok=True)
    steps = [s for s in project.steps if "print" in s.show]
    for number, step in enumerate(steps):
        outcome = _named(done.outcomes[step.id], project.language)
        title = _title(project, step)
        progress(number / len(steps), title)
        pictures: list[Path] = []
        if outcome.layer is not None and outcome.style is not None:
            theme = outcome.theme(step.id, title, project.language)
            figure = print_map(
                theme, language=project.language, backdrop=backdrop, sources=credits.of(step, with_map=True)
            )
            pictures += save(figure, folder / step.id)
        for i, chart in enumerate(outcome.charts, 1):
            suffix = f"_chart{i}" if len(outcome.charts) > 1 else "_chart"
            pictures += save(
                _draw(chart, project.language, credits.of(step, with_map=False)), folder / f"{step.id}{suffix}"
            )
        out[step.id] = [p for p in pictures if p.suffix == ".png"]
    return out


def _draw(chart: Chart, language: str, credits: Sequence[str]) -> Any:
    from kazgeo.plots import bar_chart, line_chart, scatter_chart

    speech = speaker(language)

    def word(label: object) -> str:
        return label.in_language(language) if isinstance(label, Names) else speech.translate(str(label))

    labels = {code: word(label) for code, label in chart.labels}
    title, unit = speech.translate(chart.title), speech.translate(chart.unit)
    if chart.kind == "bars":
        values = chart.data.rename(index=labels)
        return bar_chart(values, title=title, unit=unit, language=language, sources=credits)
    if chart.kind == "scatter":
        points = chart.data.rename(index=labels)
        return scatter_chart(
            points, title=title, across=chart.across, unit=chart.unit, language=language, slope=chart.slope,
            sources=credits,
        )  # fmt: skip
    return line_chart(
        chart.data, title=title, unit=unit, language=language, highlight=chart.highlight, sources=credits,
        labels=labels, across=chart.across,
    )  # fmt: skip


def _web_map(project: Project, done: Computed, backdrop: Backdrop, credits: Credits, path: Path) -> tuple[str, ...]:
    from kazgeo.webmap import build, save

    themes = []
    for step in project.steps:
        outcome = _named(done.outcomes[step.id], project.language)
        if "web" in step.show and outcome.layer is not None and outcome.style is not None:
            themes += outcome.themes(step.id, _title(project, step), project.language)
    if not themes:
        return ()
    title = project.title.in_language(project.language)
    with python_warnings.catch_warnings(record=True) as caught:
        python_warnings.simplefilter("always", UserWarning)
        names = credits.of(None, with_map=True)
        page = build(themes, title=title, language=project.language, backdrop=backdrop, sources=names)
        save(page, path)
    return tuple(str(w.message) for w in caught if issubclass(w.category, UserWarning))


def _report(
    project: Project, done: Computed, maps: dict[str, list[Path]], sources: Sequence[SourceLine], path: Path
) -> None:
    from kazgeo.report import Report, render

    say = speaker(project.language).say
    names = {c: n.in_language(project.language) for c, n in region_names(project, done.inputs).items()}
    sections = [_section(project, s, done.outcomes[s.id], maps.get(s.id, []), names) for s in project.steps]
    page = Report(
        title=project.title.in_language(project.language),
        subtitle=project.subtitle.in_language(project.language),
        language=project.language,
        seed=project.seed,
        headline=tuple(
            (_title(project, s), say(done.outcomes[s.id].findings[0]))
            for s in project.steps
            if get(s.analysis).group != "Preparation" and done.outcomes[s.id].findings
        ),
        sections=tuple(sections),
        sources=tuple(sources),
        notes=tuple(say(one) for one in done.left_out.values()),
    )
    path.write_text(render(page), encoding="utf-8")


def _with_names(table: Any, names: dict[str, str]) -> Any:
    """Return a table that shows regions by name where it has them by code."""
    shown = table.copy()
    index = shown.index
    if index.nlevels == 1 and len(index) and index.astype(str).isin(list(names)).mean() > 0.5:
        shown.index = index.astype(str).map(lambda c: names.get(c, c)).rename("region")
    if "region" in shown.columns:
        shown["region"] = shown["region"].map(lambda c: names.get(str(c), c))
    if "group" in shown.columns and shown["group"].astype(str).isin(list(names)).mean() > 0.5:
        shown["group"] = shown["group"].map(lambda c: names.get(str(c), c))
    return shown


def _section(
    project: Project, step: Step, outcome: Outcome, pictures: Sequence[Path], names: dict[str, str]
) -> Section:
    from kazgeo.report import Section

    analysis = get(step.analysis)
    speech = speaker(project.language)
    outcome = _named(outcome, project.language)
    values = analysis.validate(settings(project, step, analysis))
    tables = {name: _with_names(table, names) for name, table in outcome.tables.items()}
    if outcome.layer is not None and outcome.style is not None and name_column(outcome.layer, project.language):
        tables = {"layer": _ranked(outcome, project.language), **tables}
    return Section(
        id=step.id,
        heading=_title(project, step),
        analysis=step.analysis,
        question=speech.translate(analysis.summary),
        findings=tuple(speech.say(f) for f in outcome.findings),
        parameters=tuple((p.name, values.get(p.name), p.unit) for p in analysis.parameters),
        pictures=tuple(pictures),
        tables=tables,
        headings=_headings(outcome, values.get("region"), speech),
    )


def _headings(outcome: Outcome, region: object, speech: Speaker) -> dict[str, str]:
    """Return headings of the columns that a map shows, of the name's and the region's, with units, in the language."""
    style = outcome.style
    shown = [(f.column, f.label, f.unit) for f in outcome.fields]
    if style is not None:
        shown.append((style.column, style.title, style.unit))
    if outcome.layer is not None:
        shown.append((name_column(outcome.layer, speech.language) or "name", "name", ""))
    if isinstance(region, str):
        shown.append((region, "region", ""))
    told = {column: (speech.translate(label), speech.translate(unit) if unit else "") for column, label, unit in shown}
    return {column: f"{label}, {unit}" if unit else label for column, (label, unit) in told.items()}


def _ranked(outcome: Outcome, language: str) -> Any:
    """Return name, drawn column and tooltip columns of the layer: surest first, or largest first."""
    import pandas as pd

    layer, style = outcome.layer, outcome.style
    if layer is None or style is None:
        return pd.DataFrame()
    name = name_column(layer, language)
    columns = dict.fromkeys([name, style.column, *(f.column for f in outcome.fields)])
    table = pd.DataFrame(layer)[[c for c in columns if c in layer.columns]]
    if style.kind == "categorical":
        labels = {c.value: c.label for c in style.classes if c.label}
        table = table.assign(**{style.column: [labels.get(v, v) for v in layer[style.column]]})
    if style.kind == "categorical":
        labels = {c.value: c.label or str(c.value) for c in style.classes}
        table = table.assign(**{style.column: table[style.column].map(lambda v: labels.get(v, v))})
    if "p_adjusted" in layer.columns:
        return table.loc[layer["p_adjusted"].sort_values(kind="stable").index]
    order = next((c for c in (style.column, *columns) if c in table and table[c].dtype.kind == "f"), None)
    return table.sort_values(order, ascending=False, kind="stable") if order is not None else table
