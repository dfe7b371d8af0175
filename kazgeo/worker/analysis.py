"""Runs one analysis for QGIS: files in, files out, what was found and what was left out told."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from kazgeo import __version__, results
from kazgeo.analyses import Analysis, Parameter, get
from kazgeo.errors import InputError
from kazgeo.io import Source, read_vector
from kazgeo.locale import speaker
from kazgeo.messages import Message, Term
from kazgeo.progress import Progress, part
from kazgeo.project.inputs import check_layer, kind_of, read_data

__all__ = ["run"]

Tell = Callable[[str, str], None]


def run(job: Mapping[str, Any], progress: Progress, tell: Tell) -> dict[str, Any]:
    """Run one analysis and write what was asked for.

    Parameters
    ----------
    job : mapping
        ``analysis``; ``parameters``: plain values by name; ``inputs``: by name ``file``, ``layer``, ``id``, ``drop``
        (columns), ``count`` (features that QGIS has handed over); ``outputs``: path by name of output,
        "card" for the HTML card;
        ``repair``; ``language``.
    progress, tell : callable
        Reporter; ``tell(level, text)`` for sentences in the reader's language.

    Returns
    -------
    dict
        ``kazgeo`` (version), ``outputs``, ``numbers``, ``findings``, ``seed``, ``dropped``, ``titles`` by name of
        output,
        ``seconds`` spent on "read", "work", "write".

    Raises
    ------
    InputError
        Whatever is wrong with parameters or data; nothing is written then.
    """
    analysis = get(str(job["analysis"]))
    language = str(job.get("language", "en"))
    speech = speaker(language)
    clock = [time.perf_counter()]
    inputs: Mapping[str, Mapping[str, Any]] = job.get("inputs", {})
    read = (one[key] for one in inputs.values() for key in ("file", "source") if one.get(key))
    results.keep_inputs(job.get("outputs", {}).values(), read)
    values = analysis.validate({**job.get("parameters", {}), **dict.fromkeys(inputs)})
    for p in analysis.parameters:
        if p.is_data and p.name in inputs:
            values[p.name] = _read(p, inputs[p.name], bool(job.get("repair", False)), speech.say, tell)
    if "progress" in inspect.signature(analysis.function).parameters:
        values["progress"] = part(progress, 0.05, 0.9)
    clock.append(time.perf_counter())
    outcome = analysis.function(**values)
    clock.append(time.perf_counter())
    progress(0.92, "writing")
    told = results.Told(analysis, _shown(analysis, values, inputs), language)
    written = {}
    for name, path in job.get("outputs", {}).items():
        label = next((o.label for o in analysis.outputs if o.kind == "table" and o.name == name), "")
        if label and name != "panel" and name not in outcome.tables:
            tell("warning", speech.say(Message("Not made with these parameters: {table}.", {"table": Term(label)})))
            continue
        results.write_output(outcome, name, Path(path), told)
        written[name] = str(path)
    clock.append(time.perf_counter())
    findings = [speech.say(m) for m in outcome.findings]
    progress(1.0, "done")
    titles = {o.name: speech.translate(o.label) for o in analysis.outputs}
    seconds = [b - a for a, b in pairwise(clock)]
    return {
        "kazgeo": __version__,
        "outputs": written,
        "numbers": dict(outcome.numbers),
        "findings": findings,
        "seed": outcome.seed,
        "dropped": len(outcome.dropped),
        "titles": titles,
        "seconds": dict(zip(("read", "work", "write"), seconds, strict=True)),
    }


def _shown(analysis: Analysis, values: Mapping[str, Any], inputs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the parameters as a reader knows them: layers by their names in QGIS."""
    out: dict[str, Any] = {}
    for p in analysis.parameters:
        one = inputs.get(p.name)
        out[p.name] = values.get(p.name) if one is None else one.get("name") or Path(one["file"]).name
    return out


def _read(p: Parameter, given: Mapping[str, Any], repair: bool, say: Callable[[Message], str], tell: Tell) -> Any:
    """Return a layer or a table, checked; features without a geometry are left out and counted."""
    from kazgeo.crs import has_place

    name = str(given.get("name") or p.name)
    source = Source(Path(given["file"]), given.get("layer"))
    if p.kind != "vector":
        return read_data(kind_of(p), source)
    layer = read_vector(source)
    layer = layer.drop(columns=[c for c in given.get("drop", ()) if c in layer.columns])
    count = given.get("count")
    if count is not None and int(count) != len(layer):
        raise InputError(f"{name}: QGIS has {count} features, {len(layer)} arrived; save the layer and try again")
    there = has_place(layer.geometry.to_numpy())
    lost = int((~there).sum())
    if lost:
        layer = layer[there]
        tell(
            "warning", say(Message("{layer}: features without a geometry, left out: {n}.", {"layer": name, "n": lost}))
        )
    layer, fixed = check_layer(kind_of(p), layer, name, id_column=given.get("id"), repair=repair)
    if fixed:
        tell("warning", say(Message("{layer}: polygons repaired: {n}.", {"layer": name, "n": fixed})))
    return layer
