"""Writes the outcome of one analysis to files: styled layers, tables, pages, the card that tells how it was made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kazgeo.errors import InputError, unknown

if TYPE_CHECKING:
    from kazgeo.analyses import Analysis
    from kazgeo.analyses.outcome import Outcome

__all__ = ["CARD", "Told", "geopackage", "keep_inputs", "write_output"]

#: Name of the output that every analysis has: one HTML page with findings, parameters, seed and versions.
CARD = "card"


@dataclass(frozen=True)
class Told:
    """What a written result tells of itself.

    Parameters
    ----------
    analysis : Analysis
        What made it.
    parameters : mapping
        Values by name, layers by their names.
    language : str
        "en", "kk" or "ru".
    """

    analysis: Analysis
    parameters: Mapping[str, Any] = field(default_factory=dict)
    language: str = "en"

    def metadata(self, seed: int | None) -> dict[str, str]:
        """Return analysis, version, parameters and seed as text, to be kept inside the file."""
        from kazgeo import __version__

        plain = {k: v if isinstance(v, str | int | float | bool | None) else str(v) for k, v in self.parameters.items()}
        return {
            "kazgeo_analysis": self.analysis.id,
            "kazgeo_version": __version__,
            "kazgeo_parameters": json.dumps(plain, ensure_ascii=False, sort_keys=True),
            "kazgeo_seed": "" if seed is None else str(seed),
        }


def keep_inputs(outputs: Iterable[str | Path], inputs: Iterable[str | Path]) -> None:
    """Refuse to write a result over the data it is made of, or over another result.

    Raises
    ------
    InputError
        An output is one of the inputs, or two outputs are one file, whatever its path is called.
    """
    read, written = {Path(file).resolve() for file in inputs}, set()
    for path in outputs:
        file = Path(path).resolve()
        if file in read:
            raise InputError(f"the result '{path}' would replace the data it is made of; choose another file")
        if file in written:
            raise InputError(f"two results would be written to '{path}'; choose a file for each")
        written.add(file)


def geopackage(path: Path, layers: Mapping[str, Any], outcome: Outcome, told: Told) -> None:
    """Write layers and tables into one GeoPackage, the analysis' own layer styled; whole or not at all."""
    from kazgeo.io import write_layers
    from kazgeo.provenance import replacing
    from kazgeo.qgis_style import qml, write_styles

    name = told.analysis.id
    with replacing(path) as beside:
        write_layers(beside, layers, metadata=told.metadata(outcome.seed))
        if name in layers and outcome.layer is not None and outcome.style is not None and len(outcome.layer):
            theme = outcome.theme(name, name, told.language)
            write_styles(beside, {name: qml(theme, language=told.language)}, language=told.language)


def write_output(outcome: Outcome, name: str, path: Path, told: Told) -> None:
    """Write one output of an analysis to the file that is asked for; the suffix says how.

    Parameters
    ----------
    outcome : Outcome
        What the analysis returned.
    name : str
        Name of the output in the declaration, or ``CARD``.
    path : Path
        The file; replaced when it exists.
    told : Told
        What the file tells of itself.

    Raises
    ------
    InputError
        No such output, a suffix that doesn't fit, or a file that can't be written.
    """
    from kazgeo.provenance import replacing

    files = {o.name for o in told.analysis.outputs if o.kind == "file"}
    if name == CARD:
        with replacing(path) as beside:
            beside.write_text(card(outcome, told), encoding="utf-8")
    elif name in outcome.rasters:
        from kazgeo.raster import write_raster

        write_raster(path, outcome.rasters[name], told.metadata(outcome.seed), told.language)
    elif name in files:
        with replacing(path) as beside:
            beside.write_bytes(outcome.files[name])
    else:
        _write_data(outcome, name, path, told)


def _write_data(outcome: Outcome, name: str, path: Path, told: Told) -> None:
    from kazgeo.io import write_geojson, write_table, write_workbook
    from kazgeo.provenance import replacing

    data = {"layer": outcome.layer, "panel": outcome.panel, **outcome.tables}
    if data.get(name) is None:
        raise unknown("output", name, [k for k, v in data.items() if v is not None], f"made by {told.analysis.id}")
    suffix = path.suffix.lower()
    if suffix == ".gpkg":
        geopackage(path, {told.analysis.id if name == "layer" else name: data[name]}, outcome, told)
    elif suffix == ".geojson" and name == "layer":
        with replacing(path) as beside:
            write_geojson(beside, data[name])
        _style_beside(outcome, path, told)
    elif suffix == ".xlsx" and name != "layer":
        with replacing(path) as beside:
            write_workbook(beside, {name: data[name]})
    elif suffix == ".csv" and name != "layer":
        write_table(path, data[name])
    else:
        wanted = ".gpkg or .geojson" if name == "layer" else ".gpkg, .csv or .xlsx"
        raise InputError(f"output '{path.name}': wanted a file that ends in {wanted}; got '{path.suffix}'")


def _style_beside(outcome: Outcome, path: Path, told: Told) -> None:
    """Write the style of a layer whose format holds none beside it, where QGIS looks for it."""
    from kazgeo.provenance import write_style
    from kazgeo.qgis_style import qml

    if outcome.style is None or outcome.layer is None or not len(outcome.layer):
        return
    name = told.analysis.id
    write_style(path.with_suffix(".qml"), qml(outcome.theme(name, name, told.language), language=told.language))


def card(outcome: Outcome, told: Told) -> str:
    """Return the page that tells what was asked, what was found and how: findings, parameters, tables, versions."""
    from kazgeo.locale import speaker
    from kazgeo.report import Report, Section, render

    speech, analysis = speaker(told.language), told.analysis
    section = Section(
        id=analysis.id,
        heading=speech.translate("Findings"),
        analysis=analysis.id,
        question="",
        findings=tuple(speech.say(m) for m in outcome.findings),
        parameters=tuple((p.name, told.parameters.get(p.name), p.unit) for p in analysis.parameters),
        pictures=(),
        tables={k: v for k, v in outcome.tables.items() if len(v)},
    )
    subtitle = " ".join(speech.translate(text) for text in (analysis.summary, analysis.help) if text)
    title = speech.translate(analysis.title)
    return render(Report(title, subtitle, told.language, outcome.seed, (), (section,), None))
