"""What the plugin can ask for: an analysis, a project, a web map. Every job ends in one result or one error."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kazgeo.errors import Cancelled, InputError, unknown
from kazgeo.progress import Progress

if TYPE_CHECKING:
    from kazgeo.worker.channel import Channel

__all__ = ["do", "preload"]

_NEEDED = (
    "geopandas",
    "pyogrio",
    "scipy.sparse",
    "kazgeo.analyses.outcome",
    "kazgeo.hotspots",
    "kazgeo.qgis_style",
    "kazgeo.project.inputs",
    "kazgeo.worker.analysis",
)


def preload() -> None:
    """Import what every analysis needs, so that the first one doesn't wait for it."""
    for name in _NEEDED:
        importlib.import_module(name)


def do(job: Mapping[str, Any], channel: Channel) -> None:
    """Do one job and send its result, or why there is none."""
    from kazgeo.locale import LANGUAGES, speaker

    ident = str(job.get("id", ""))
    language = str(job.get("language", "en"))
    say = speaker(language if language in LANGUAGES else "en").translate

    def progress(fraction: float, message: str) -> None:
        channel.progress(ident, fraction, say(message))

    def tell(level: str, text: str) -> None:
        channel.send("message", id=ident, level=level, text=text)

    try:
        progress(0.0, "reading")
        channel.send("result", id=ident, **_answer(job, progress, tell))
    except Cancelled:
        channel.send("error", id=ident, cause="cancelled", message="cancelled")
    except InputError as error:
        channel.send("error", id=ident, cause="input", message=str(error), details=traceback.format_exc())
    except MemoryError:
        text = say("not enough memory for this; take fewer units, fewer permutations or a smaller extent")
        channel.send("error", id=ident, cause="memory", message=text)
    except Exception as error:  # noqa: BLE001 - whatever happens to one job, the engine lives for the next
        text = f"{say('a fault of KazGeo itself')}: {type(error).__name__}: {error}"
        channel.send("error", id=ident, cause="fault", message=text, details=traceback.format_exc())


def _answer(job: Mapping[str, Any], progress: Progress, tell: Any) -> dict[str, Any]:
    kind = job.get("type")
    if kind == "run":
        from kazgeo.worker.analysis import run

        return run(job, progress, tell)
    if kind == "project":
        return _project(job, progress, tell)
    if kind == "webmap":
        from kazgeo.worker.webmap import export

        file, said = export(job, progress)
        return {"file": str(file), "findings": said}
    raise unknown("job", str(kind), ("run", "project", "webmap"), "known to this engine")


def _project(job: Mapping[str, Any], progress: Progress, tell: Any) -> dict[str, Any]:
    """Run a project file; tell its layers in the order of its steps."""
    import pyogrio

    from kazgeo import project as projects
    from kazgeo.analyses import get
    from kazgeo.locale import speaker

    plan = projects.load(job["file"], language=job.get("language"))
    done = projects.run(plan, Path(job["folder"]), force=bool(job.get("force", False)), progress=progress)
    for warning in done.warnings:
        tell("warning", warning)
    file = done.folder / "results.gpkg"
    there = {str(n) for n, kind in pyogrio.list_layers(file) if kind} if file.is_file() else set()
    say = speaker(plan.language).translate
    layers = []
    for step in plan.steps:
        analysis = get(step.analysis)
        about = {"title": step.heading.in_language(plan.language), "group": say(analysis.group)}
        if step.id in there:
            layers.append({"file": str(file), "layer": step.id, **about})
        for one in (o for o in analysis.outputs if o.kind == "raster"):
            raster = done.folder / f"{step.id}_{one.name}.tif"
            if raster.is_file():
                layers.append({"file": str(raster), "layer": "", **about})
    findings = [f"{heading}: {lines[0]}" for heading, lines in done.findings if lines]
    title = plan.title.in_language(plan.language)
    return {"folder": str(done.folder), "files": list(done.outputs), "layers": layers, "findings": findings,
            "fresh": done.fresh, "title": title}  # fmt: skip
