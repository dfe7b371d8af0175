"""A run is whole or absent, the same twice, and tells the truth about itself."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kazgeo import project
from kazgeo.data import embedded
from kazgeo.errors import Cancelled, InputError
from kazgeo.provenance import sha256

SMALL = """
[project]
id = "small"
seed = 7
sources = "{folder}/sources.csv"
[project.title]
en = "Small <b>project</b> & </script>"
kk = "Шағын жоба"
[inputs.regions]
kind = "polygon"
file = "{folder}/regions_2009.gpkg|id=kato"
[inputs.figures]
kind = "panel"
file = "{folder}/indicators.csv"
[inputs.meaning]
kind = "metadata"
file = "{folder}/indicators_meta.csv"
[inputs.reforms]
kind = "reforms"
file = "{folder}/reforms.csv"
[[steps]]
id = "same"
analysis = "harmonise"
panel = "figures"
reforms = "reforms"
metadata = "meaning"
[[steps]]
id = "income"
analysis = "indicator_map"
heading = {{ en = "Income \\"quoted\\"", kk = "Табыс" }}
regions = "regions"
panel = "same"
indicator = "nominal_cash_income_pc"
year = 2019
[[steps]]
id = "clusters"
analysis = "local_moran"
units = "income"
indicator = "nominal_cash_income_pc"
permutations = 999
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALL.format(folder=embedded().as_posix()), encoding="utf-8")
    return path


def files(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): sha256(p) for p in folder.rglob("*") if p.is_file()}


def test_outputs_provenance_and_second_run(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = project.run(project.load(small), out)
    assert first.fresh
    made = files(out)
    assert {"results.gpkg", "map.html", "report.html", "provenance.json", "maps/income.png", "maps/income.pdf"} <= set(
        made
    )
    record = json.loads((out / "provenance.json").read_text(encoding="utf-8"))
    assert record["seed"] == 7
    assert set(record["outputs"]) == set(made) - {"provenance.json"}
    for name, known in record["outputs"].items():
        assert known["sha256"] == made[name]
    assert record["inputs"]["figures"]["sha256"] == sha256(embedded() / "indicators.csv")
    assert record["steps"][2]["parameters"]["permutations"] == 999
    assert record["versions"]["kazgeo"]
    second = project.run(project.load(small), out)
    assert not second.fresh
    assert second.findings == first.findings
    assert files(out) == made


@pytest.mark.slow
def test_the_same_run_elsewhere_gives_the_same_bytes(small: Path, tmp_path: Path) -> None:
    project.run(project.load(small), tmp_path / "a")
    project.run(project.load(small), tmp_path / "b")
    assert files(tmp_path / "a") == files(tmp_path / "b")


@pytest.mark.slow
@pytest.mark.parametrize("spoil", ["output", "provenance", "project", "missing"])
def test_a_change_is_noticed(small: Path, tmp_path: Path, spoil: str) -> None:
    out = tmp_path / "out"
    project.run(project.load(small), out)
    if spoil == "output":
        (out / "report.html").write_text("edited")
    elif spoil == "provenance":
        (out / "provenance.json").write_text("{")
    elif spoil == "missing":
        (out / "maps" / "income.png").unlink()
    else:
        small.write_text(small.read_text(encoding="utf-8").replace("seed = 7", "seed = 8"), encoding="utf-8")
    assert project.run(project.load(small), out).fresh
    assert not project.run(project.load(small), out).fresh


@pytest.mark.slow
def test_files_no_longer_made_are_removed_and_foreign_ones_kept(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    project.run(project.load(small), out)
    (out / "my notes.txt").write_text("mine")
    text = small.read_text(encoding="utf-8")
    small.write_text(text[: text.index('[[steps]]\nid = "clusters"')], encoding="utf-8")
    project.run(project.load(small), out)
    assert not (out / "maps" / "clusters.png").exists()
    assert (out / "my notes.txt").read_text() == "mine"


def test_text_from_the_project_is_escaped(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    project.run(project.load(small), out)
    report = (out / "report.html").read_text(encoding="utf-8")
    assert "Small &lt;b&gt;project&lt;/b&gt; &amp; &lt;/script&gt;" in report
    assert "<b>project" not in report
    page = (out / "map.html").read_text(encoding="utf-8")
    assert not re.search(r"<b>project|project</b> & </script>", page)


def test_cancelling_leaves_the_folder_as_it_was(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    project.run(project.load(small), out)
    before = files(out)

    def stop(fraction: float, message: str) -> None:
        del message
        if fraction > 0.5:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        project.run(project.load(small), out, force=True, progress=stop)
    assert files(out) == before


@pytest.mark.slow
def test_a_fault_in_a_step_names_it_and_keeps_the_old_results(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    project.run(project.load(small), out)
    before = files(out)
    small.write_text(small.read_text(encoding="utf-8").replace("year = 2019", "year = 1999"), encoding="utf-8")
    with pytest.raises(InputError, match=r"step 'income': .*no figure for 1999"):
        project.run(project.load(small), out)
    assert files(out) == before


@pytest.mark.slow
def test_a_killed_run_leaves_nothing_half_written(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    project.run(project.load(small), out)
    before = files(out)
    command = [sys.executable, "-m", "kazgeo", "run", str(small), "--out", str(out), "--force", "--progress", "json"]
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert child.stderr is not None
    for line in child.stderr:
        if json.loads(line)["fraction"] > 0.45:
            child.send_signal(signal.SIGKILL)
            break
    child.wait()
    after = {k: v for k, v in files(out).items() if not k.startswith(".kazgeo-")}
    assert after == before
    assert project.run(project.load(small), out, force=True).fresh
    assert not list(out.glob(".kazgeo-*")), "the next run tidies what the killed one left"


def test_interrupt_exits_130_and_says_so(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "kazgeo", "run", str(small), "--out", str(out), "--progress", "json"]
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert child.stderr is not None
    for line in child.stderr:
        if json.loads(line)["fraction"] > 0.3:
            child.send_signal(signal.SIGINT)
            break
    rest = child.stderr.read()
    assert child.wait() == 130
    assert "cancelled" in rest
    assert "Traceback" not in rest
    assert not list(out.glob("*.gpkg"))


def test_somebody_elses_folder_is_refused(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine"
    out.mkdir()
    (out / "report.html").write_text("my own report")
    with pytest.raises(InputError, match="holds files that are not results"):
        project.run(project.load(small), out)
    assert (out / "report.html").read_text() == "my own report"
    assert project.run(project.load(small), out, force=True).fresh


def test_what_a_project_reads_is_never_replaced(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    project.run(project.load(small), out)
    second = """
[project]
id = "second"
[inputs.map]
kind = "polygon"
file = "{file}|layer=income|id=kato"
[[steps]]
id = "clusters"
analysis = "local_moran"
units = "map"
indicator = "nominal_cash_income_pc"
permutations = 999
"""
    (tmp_path / "second.toml").write_text(second.format(file=(out / "results.gpkg").as_posix()), encoding="utf-8")
    before = files(out)
    with pytest.raises(InputError, match=r"reads '.*results\.gpkg', which this run would replace or remove"):
        project.run(project.load(tmp_path / "second.toml"), out)
    assert files(out) == before
    assert project.run(project.load(tmp_path / "second.toml"), tmp_path / "other").fresh
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "results.gpkg").write_bytes((out / "results.gpkg").read_bytes())
    (tmp_path / "third.toml").write_text(second.format(file=(mine / "results.gpkg").as_posix()), encoding="utf-8")
    with pytest.raises(InputError, match="would replace or remove"):
        project.run(project.load(tmp_path / "third.toml"), mine, force=True)
    assert files(mine) == {"results.gpkg": before["results.gpkg"]}


def test_two_runs_at_once_are_kept_apart(small: Path, tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    out = tmp_path / "out"
    out.mkdir()
    with (out / ".kazgeo-lock").open("a+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(InputError, match="another run is writing"):
            project.run(project.load(small), out)


@pytest.mark.slow
def test_a_full_disk_keeps_the_old_results(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    project.run(project.load(small), out)
    before = files(out)

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    command = [sys.executable, "-m", "kazgeo", "run", str(small), "--out", str(out), "--force"]
    done = subprocess.run(command, preexec_fn=limit, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert {k: v for k, v in files(out).items() if not k.startswith(".kazgeo-")} == before


def test_a_folder_that_may_not_be_written(small: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    out = tmp_path / "out"
    out.mkdir(mode=0o500)
    with pytest.raises(InputError, match="can't be written"):
        project.run(project.load(small), out)


def test_a_file_in_the_way_of_the_results(small: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(InputError, match="can't be written"):
        project.run(project.load(small), tmp_path / "out")


@pytest.mark.slow
def test_the_demo_is_quick_enough_to_be_tried(tmp_path: Path) -> None:
    start = time.monotonic()
    done = project.run(project.load(embedded() / "project.toml"), tmp_path)
    print(f"demo: {time.monotonic() - start:.1f} s")
    assert len(done.findings) == 17
    assert done.warnings == ("settlements: rows left out because something stands in 'duplicate_of': 6.",)
    assert "rows left out because something stands in" in (done.folder / "report.html").read_text(encoding="utf-8")
