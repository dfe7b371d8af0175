"""Runs a project: inputs, steps, outputs; nothing twice, nothing half-written."""

from __future__ import annotations

import contextlib
import inspect
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from kazgeo.analyses import get
from kazgeo.analyses.outcome import Outcome
from kazgeo.errors import InputError, listing, unknown
from kazgeo.locale import speaker
from kazgeo.messages import Message
from kazgeo.progress import Progress, part, silent
from kazgeo.project.check import check, settings
from kazgeo.project.config import Input, Project, Step
from kazgeo.project.inputs import locate, read_input
from kazgeo.project.naming import region_names, tell_names, tell_units
from kazgeo.provenance import code_digest, digest, sha256, versions

__all__ = ["Run", "run"]

PROVENANCE = "provenance.json"


@dataclass(frozen=True)
class Run:
    """What a run did.

    Parameters
    ----------
    folder : Path
        Where the results are.
    outputs : tuple of str
        Files, relative to the folder.
    findings : tuple of (heading, lines)
        What was found, in the project's language, without the steps that only prepare figures.
    fresh : bool
        False when nothing had changed and nothing was computed.
    warnings : tuple of str
        What the user should know: pages too heavy, units dropped.
    outcomes : mapping
        Step id to Outcome; empty when nothing was computed.
    """

    folder: Path
    outputs: tuple[str, ...]
    findings: tuple[tuple[str, tuple[str, ...]], ...]
    fresh: bool
    warnings: tuple[str, ...] = ()
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)


def run(project: Project, folder: Path | str = "out", *, force: bool = False, progress: Progress = silent) -> Run:
    """Run a project and write its results.

    Assumption: nobody else writes to the same folder at the same time; a second run that tries is refused.

    Parameters
    ----------
    project : Project
        Read by ``load``.
    folder : Path
        Results go here; made when missing.
    force : bool
        Compute even when nothing has changed.
    progress : Progress
        Reporter; when it raises ``Cancelled`` the folder is left as it was.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        All mistakes of the project, a fault in the data, or a folder that can't be written.
    """
    from kazgeo.project.outputs import write_all

    folder = Path(folder)
    progress(0.0, "checking")
    if not force:
        _refuse_foreign(folder)
    before = _unchanged(project, folder) if not force else None
    if before is not None:
        progress(1.0, "nothing has changed")
        return before
    check(project)
    read = [locate(project, one).path for one in project.inputs]
    _keep_inputs(folder, _earlier(folder), read)
    with _staging(folder) as staging:
        inputs = _input_digests(project)
        done = _compute(project, part(progress, 0.02, 0.40))
        say = speaker(project.language).say
        told = tuple(say(one) for one in done.left_out.values())
        warnings = (*told, *write_all(project, done, staging, part(progress, 0.40, 0.98)))
        record = _record(project, inputs, done.outcomes, staging, warnings)
        (staging / PROVENANCE).write_text(json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        _keep_inputs(folder, record["outputs"], read)
        progress(0.99, "putting the results in place")
        _publish(staging, folder, [*record["outputs"], PROVENANCE])
    progress(1.0, "done")
    return _result(folder, record, fresh=True, outcomes=done.outcomes)


@dataclass(frozen=True)
class Computed:
    """What the steps made, and the inputs that were read on the way."""

    outcomes: dict[str, Outcome]
    inputs: dict[str, Any]
    left_out: dict[str, Message] = field(default_factory=dict)

    def layer(self, name: str) -> Any:
        """Return a map layer by the name of an input or a step; None for an empty name."""
        if name in self.outcomes:
            return self.outcomes[name].layer
        return self.inputs.get(name)


def _compute(project: Project, progress: Progress) -> Computed:
    """Run the steps in order, reading each input once, when it is first needed."""
    done = Computed({}, {})
    by_name = {i.name: i for i in project.inputs}

    def take(name: str, kind: str) -> Any:
        if name in done.outcomes:
            found = _made(done.outcomes[name], kind)
            if found is None:
                raise InputError(f"step '{name}' makes no {_MADE.get(kind, kind)}")
            return found
        if name not in done.inputs:
            one = by_name[name]
            found = read_input(one.kind, locate(project, one), repair=one.repair)
            done.inputs[name] = found
            if one.leave_out:
                done.inputs[name], done.left_out[name] = _without_marked(found, one)
        return done.inputs[name]

    for number, step in enumerate(project.steps):
        start, stop = number / len(project.steps), (number + 1) / len(project.steps)
        progress(start, step.heading.in_language(project.language))
        done.outcomes[step.id] = _one(project, step, take, part(progress, start, stop))
    base = project.basemap
    for name in (base.neighbours, base.water, base.outline, base.roads, base.cities):
        if name and name not in done.outcomes:
            take(name, "vector")
    names = region_names(project, done.inputs)
    told = {key: tell_names(found, names) for key, found in done.outcomes.items()}
    return Computed(told, done.inputs, done.left_out)


def _without_marked(data: Any, one: Input) -> tuple[Any, Message]:
    """Return an input without the rows that a column marks, and what to tell of them."""
    have = [str(c) for c in getattr(data, "columns", ())]
    if one.leave_out not in have:
        raise unknown(f"input '{one.name}': leave_out", one.leave_out, have, "one of its columns")
    column = data[one.leave_out]
    marked = column.notna() & (column.astype(str).str.strip() != "")
    template = "{layer}: rows left out because something stands in '{column}': {n}."
    told = Message(template, {"layer": one.name, "column": one.leave_out, "n": int(marked.sum())})
    return data[~marked], told


#: What a step may hand on, by the kind of the parameter that takes it.
_MADE = {"table": "panel", "vector": "map layer", "raster": "raster"}


def _made(outcome: Outcome, kind: str) -> Any:
    """Return what a later step may take of a step, None where it makes no such thing."""
    if kind == "raster":
        return next((one.surface for one in outcome.rasters.values()), None)
    return {"table": outcome.panel, "vector": outcome.layer}.get(kind)


def _one(project: Project, step: Step, take: Callable[[str, str], Any], progress: Progress) -> Outcome:
    """Run one step; an error names it."""
    analysis = get(step.analysis)
    values = analysis.validate(settings(project, step, analysis))
    for p in analysis.parameters:
        if p.is_data and values.get(p.name) is not None:
            values[p.name] = take(str(values[p.name]), p.kind)
    if "progress" in inspect.signature(analysis.function).parameters:
        values["progress"] = progress
    try:
        outcome: Outcome = analysis.function(**values)
    except InputError as error:
        raise InputError(f"step '{step.id}': {error}") from error
    return tell_units(outcome, [v for v in values.values() if hasattr(v, "geometry")])


def _refuse_foreign(folder: Path) -> None:
    """Refuse a folder with somebody's files in it that no run has made: nothing of theirs may be overwritten."""
    if not folder.is_dir():
        return
    names = [p.name for p in folder.iterdir()]
    if names and PROVENANCE not in names and not any(n.startswith(".kazgeo-") for n in names):
        raise InputError(
            f"folder '{folder.resolve()}' holds files that are not results of KazGeo ({listing(sorted(names), 3)}); "
            "name an empty or new folder with --out, or add --force"
        )


def _input_digests(project: Project) -> dict[str, dict[str, str]]:
    """Return path (as written in the project) and SHA-256 of every input."""
    out = {}
    for one in project.inputs:
        source = locate(project, one)
        out[one.name] = {"file": one.file or one.dataset, "sha256": sha256(source.path)}
    if project.sources:
        out["sources"] = {"file": project.sources, "sha256": sha256(project.folder / project.sources)}
    return out


def _fingerprint(project: Project, inputs: Mapping[str, Any]) -> str:
    """Return the digest of everything that decides the results."""
    return digest(
        {
            "project": project.text,
            "language": project.language,
            "inputs": inputs,
            "code": code_digest(),
            "versions": versions(),
        }
    )


def _unchanged(project: Project, folder: Path) -> Run | None:
    """Return the earlier run when inputs, project, code and outputs are all as they were."""
    path = folder / PROVENANCE
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["fingerprint"] != _fingerprint(project, _input_digests(project)):
            return None
        for name, known in record["outputs"].items():
            if sha256(folder / name) != known["sha256"]:
                return None
        return _result(folder, record, fresh=False)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, InputError):
        return None


def _record(
    project: Project,
    inputs: Mapping[str, Any],
    outcomes: Mapping[str, Outcome],
    staging: Path,
    warnings: tuple[str, ...],
) -> dict[str, Any]:
    """Return the provenance of the run as plain data."""
    from kazgeo.locale import speaker

    say = speaker(project.language).say
    steps = []
    for step in project.steps:
        outcome = outcomes[step.id]
        analysis = get(step.analysis)
        steps.append(
            {
                "id": step.id,
                "analysis": step.analysis,
                "group": analysis.group,
                "heading": step.heading.in_language(project.language),
                "parameters": analysis.validate(settings(project, step, analysis)),
                "seed": outcome.seed,
                "numbers": {k: None if v != v else v for k, v in outcome.numbers.items()},
                "findings": [say(m) for m in outcome.findings],
                "dropped": len(outcome.dropped),
            }
        )
    files = sorted(p for p in staging.rglob("*") if p.is_file())
    return {
        "project": project.id,
        "language": project.language,
        "seed": project.seed,
        "versions": versions(),
        "code": code_digest(),
        "fingerprint": _fingerprint(project, inputs),
        "inputs": inputs,
        "steps": steps,
        "warnings": list(warnings),
        "outputs": {p.relative_to(staging).as_posix(): {"sha256": sha256(p), "bytes": p.stat().st_size} for p in files},
    }


def _result(
    folder: Path, record: Mapping[str, Any], *, fresh: bool, outcomes: Mapping[str, Outcome] | None = None
) -> Run:
    findings = tuple((s["heading"], tuple(s["findings"])) for s in record["steps"] if s["group"] != "Preparation")
    return Run(folder, (*record["outputs"], PROVENANCE), findings, fresh, tuple(record["warnings"]), outcomes or {})


@contextlib.contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """Yield a new folder inside the results' folder; removed at the end whatever happens.

    A run that was killed leaves its staging folder behind: the next run removes it. The lock is held by the
    process, so it never outlives one.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".kazgeo-lock").open("a+b")
    except OSError as error:
        raise InputError(
            f"results folder '{folder}' can't be written: {error.strerror or error}; name another with --out"
        ) from error
    with lock:
        if not _hold(lock):
            raise InputError(f"another run is writing to '{folder}'; wait for it or name another folder with --out")
        for leftover in folder.glob(".kazgeo-run-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        staging = None
        try:
            staging = Path(tempfile.mkdtemp(prefix=".kazgeo-run-", dir=folder))
            yield staging
        except OSError as error:
            raise InputError(
                f"results can't be written to '{folder}': {error.strerror or error}; the earlier results are untouched"
            ) from error
        finally:
            if staging is not None:
                shutil.rmtree(staging, ignore_errors=True)
            (folder / ".kazgeo-lock").unlink(missing_ok=True)


def _hold(lock: IO[bytes]) -> bool:
    """Take the lock without waiting; False when another process has it."""
    try:
        import fcntl
    except ImportError:  # Windows has no flock; one planner, one run
        return True
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _earlier(folder: Path) -> list[str]:
    """Return the files of an earlier run in a folder."""
    try:
        return list(json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))["outputs"])
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _keep_inputs(folder: Path, names: Iterable[str], inputs: Iterable[Path]) -> None:
    """Refuse to replace or to remove what the project itself reads."""
    mine = {path.resolve() for path in inputs}
    for name in names:
        if (folder / name).resolve() in mine:
            raise InputError(
                f"the project reads '{folder / name}', which this run would replace or remove; write to another folder"
                " with --out"
            )


def _publish(staging: Path, folder: Path, names: list[str]) -> None:
    """Rename every file into place, provenance last, and remove files of an earlier run that are no longer made."""
    old = _earlier(folder)
    (folder / PROVENANCE).unlink(missing_ok=True)
    for name in names:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (staging / name).replace(target)
    for name in set(old) - set(names):
        gone = (folder / name).resolve()
        if folder.resolve() in gone.parents:
            gone.unlink(missing_ok=True)
