"""The engine as the plugin sees it: a process, JSON lines, one answer a job."""

from __future__ import annotations

import html
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas
import pytest
import shapely

from kazgeo.data import embedded

DATA = embedded()


class Engine:
    """An engine's process and the answers it has given."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-m", "kazgeo.worker", *options]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
        self.hello = json.loads(self.process.stdout.readline())

    def send(self, **message: Any) -> None:
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def answers(self) -> list[dict[str, Any]]:
        """Return all lines up to the job's end."""
        found = []
        for line in self.process.stdout:
            found.append(json.loads(line))
            if found[-1]["type"] in {"result", "error"}:
                return found
        raise AssertionError("the engine ended without an answer")

    def ask(self, **message: Any) -> dict[str, Any]:
        self.send(**message)
        return self.answers()[-1]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = Engine()
    yield made
    made.process.stdin.close()
    assert made.process.wait(10) == 0


def squares(path: Path, n: int = 16, **columns: list) -> Path:
    shapes = [shapely.box(66 + i % 4, 48 + i // 4, 67 + i % 4, 49 + i // 4) for i in range(n)]
    layer = geopandas.GeoDataFrame({"v": [float(i) for i in range(n)], **columns}, geometry=shapes, crs=4326)
    layer.to_file(path, driver="GPKG", VERSION="1.2")
    return path


def moran(file: Path, out: Path, **more: Any) -> dict[str, Any]:
    job = {"type": "run", "id": "m", "analysis": "local_moran", "inputs": {"units": {"file": str(file)}},
           "parameters": {"indicator": "v", "permutations": 99}, "outputs": {"layer": str(out)}}  # fmt: skip
    return {**job, **more}


def test_version_is_json():
    done = subprocess.run([sys.executable, "-m", "kazgeo.worker", "--version"], capture_output=True, text=True)
    told = json.loads(done.stdout)
    assert told["protocol"] == 1
    assert set(told) == {"kazgeo", "protocol", "python"}


def test_a_job_writes_a_styled_layer_with_its_metadata(engine, tmp_path):
    out = tmp_path / "шығыс.gpkg"
    job = moran(squares(tmp_path / "in.gpkg"), out, language="ru")
    job["outputs"]["card"] = str(tmp_path / "card.html")
    told = engine.ask(**job)
    assert told["type"] == "result", told
    made = geopandas.read_file(out, layer="local_moran")
    assert len(made) == 16
    assert {"v", "cluster", "p_adjusted"} <= set(made.columns)
    with sqlite3.connect(out) as base:
        (qml,) = base.execute("SELECT styleQML FROM layer_styles").fetchone()
        about = str(base.execute("SELECT metadata FROM gpkg_metadata").fetchall())
    assert "незначимо" in qml
    assert "local_moran" in about
    assert "kazgeo_seed" in about
    page = (tmp_path / "card.html").read_text()
    assert "local_moran" in page
    assert any("ё" <= c <= "я" or "а" <= c <= "я" for c in told["findings"][0].lower())


def test_the_card_says_only_what_is_true_of_one_analysis(engine, tmp_path):
    job = moran(squares(tmp_path / "in.gpkg"), tmp_path / "out.gpkg")
    job["outputs"]["card"] = str(tmp_path / "card.html")
    told = engine.ask(**job)
    page = (tmp_path / "card.html").read_text(encoding="utf-8")
    assert "<h1>Local Moran clusters</h1>" in page
    assert html.escape(told["findings"][0], quote=False) in page
    assert "random seed 0" in page
    assert "permutations" in page
    for elsewhere in ("In short", "Contents", "provenance.json", "results.gpkg", "Sources and licences"):
        assert elsewhere not in page


def test_library_and_engine_give_the_same_numbers(engine, tmp_path):
    from kazgeo import analyses, regions

    file = squares(tmp_path / "in.gpkg")
    engine.ask(**moran(file, tmp_path / "out.gpkg"))
    wanted = analyses.get("local_moran").function(regions.read(file), "v", permutations=99).layer
    made = geopandas.read_file(tmp_path / "out.gpkg", layer="local_moran")
    assert made["p"].tolist() == wanted["p"].tolist()


def test_features_without_a_geometry_are_left_out_and_told(engine, tmp_path):
    file = squares(tmp_path / "in.gpkg")
    layer = geopandas.read_file(file)
    layer.loc[3, "geometry"] = None
    layer.loc[5, "geometry"] = shapely.Polygon()
    layer.to_file(file, driver="GPKG", VERSION="1.2")
    engine.send(**moran(file, tmp_path / "out.gpkg"))
    told = engine.answers()
    assert told[-1]["type"] == "result"
    assert [m["text"] for m in told if m["type"] == "message"] == ["units: features without a geometry, left out: 2."]
    assert len(geopandas.read_file(tmp_path / "out.gpkg", layer="local_moran")) == 14


def test_a_count_that_differs_is_refused(engine, tmp_path):
    job = moran(squares(tmp_path / "in.gpkg"), tmp_path / "out.gpkg")
    job["inputs"]["units"]["count"] = 17
    told = engine.ask(**job)
    assert (told["type"], told["cause"]) == ("error", "input")
    assert "QGIS has 17 features, 16 arrived" in told["message"]
    assert not (tmp_path / "out.gpkg").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"analysis": "local_morna"}, "did you mean 'local_moran'"),
        ({"parameters": {"indicator": "w"}}, "'w' is not a column"),
        ({"inputs": {"units": {"file": "/nonexistent.gpkg"}}}, "does not exist"),
        ({"type": "dance"}, "known to this engine"),
        ({"outputs": {"layer": "x.shp"}}, "wanted a file that ends in"),
    ],
)
def test_bad_jobs_get_one_sentence_and_the_engine_lives(engine, tmp_path, change, said):
    told = engine.ask(**{**moran(squares(tmp_path / "in.gpkg"), tmp_path / "o.gpkg"), **change})
    assert told["type"] == "error"
    assert said in told["message"]
    assert engine.ask(**moran(tmp_path / "in.gpkg", tmp_path / "o.gpkg"))["type"] == "result"


def test_a_result_never_replaces_its_data(engine, tmp_path):
    file = squares(tmp_path / "in.gpkg")
    before = file.read_bytes()
    told = engine.ask(**moran(file, tmp_path / "." / "in.gpkg"))
    assert (told["type"], told["cause"]) == ("error", "input")
    assert "would replace the data" in told["message"]
    assert file.read_bytes() == before


def test_two_results_never_share_a_file_and_the_layer_behind_an_export_is_kept(engine, tmp_path):
    file = squares(tmp_path / "in.gpkg")
    job = moran(file, tmp_path / "o.gpkg")
    told = engine.ask(**job | {"outputs": {"layer": str(tmp_path / "o.gpkg"), "other": str(tmp_path / "." / "o.gpkg")}})
    assert "two results would be written to" in told["message"]
    shown = squares(tmp_path / "mine.gpkg")
    before = shown.read_bytes()
    name = next(iter(job["inputs"]))
    inputs = {name: job["inputs"][name] | {"source": str(shown)}}  # what QGIS shows of it was exported to in.gpkg
    told = engine.ask(**job | {"inputs": inputs, "outputs": {"layer": str(shown)}})
    assert "would replace the data" in told["message"]
    assert shown.read_bytes() == before


def test_own_columns_are_kept_whatever_their_names(engine, tmp_path):
    n = list(range(16))
    file = squares(tmp_path / "in.gpkg", id=[f"a{i}" for i in n], P=n, Атауы=[f"Қала {i}" for i in n])
    told = engine.ask(**moran(file, tmp_path / "out.gpkg"))
    assert told["type"] == "result", told
    made = geopandas.read_file(tmp_path / "out.gpkg", layer="local_moran")
    assert made["id"].tolist() == [f"a{i}" for i in n]
    assert made["P_2"].tolist() == n, "the data's own P beside the result's p"
    assert made["Атауы"][3] == "Қала 3"


def test_cancel_is_heard_during_work(engine, tmp_path):
    job = moran(squares(tmp_path / "in.gpkg"), tmp_path / "out.gpkg")
    job["parameters"]["permutations"] = 999_999
    start = time.monotonic()
    engine.send(**job)
    engine.send(type="cancel", id="m")
    told = engine.answers()[-1]
    assert (told["type"], told["cause"]) == ("error", "cancelled")
    assert time.monotonic() - start < 5
    assert engine.ask(**moran(tmp_path / "in.gpkg", tmp_path / "o.gpkg", id="n"))["type"] == "result"


def test_nonsense_on_the_line_is_answered(engine, tmp_path):
    engine.process.stdin.write("not json\n")
    engine.process.stdin.flush()
    told = engine.answers()[-1]
    assert (told["type"], told["cause"]) == ("error", "protocol")
    assert engine.ask(**moran(squares(tmp_path / "in.gpkg"), tmp_path / "o.gpkg", id="after"))["type"] == "result"


def test_an_idle_engine_ends():
    assert Engine("--idle", "0.2").process.wait(20) == 0


def test_an_engine_whose_plugin_died_ends_in_the_middle_of_work(tmp_path):
    made = Engine()
    job = moran(squares(tmp_path / "in.gpkg"), tmp_path / "out.gpkg")
    job["parameters"]["permutations"] = 999_999
    made.send(**job)
    made.process.stdin.close()
    assert made.process.wait(10) == 0
    assert not (tmp_path / "out.gpkg").exists()


def test_a_project_tells_its_layers(engine, tmp_path):
    project = tmp_path / "p.toml"
    file = squares(tmp_path / "in.gpkg")
    project.write_text(
        f"""
[project]
id = "p"
title = "Сынақ"
[inputs.units]
kind = "polygon"
file = "{file.as_posix()}"
[[steps]]
id = "clusters"
analysis = "local_moran"
heading = {{ en = "Clusters", kk = "Кластерлер" }}
show = ["layer"]
units = "units"
indicator = "v"
permutations = 99
""",
        encoding="utf-8",
    )
    told = engine.ask(type="project", id="p", file=str(project), folder=str(tmp_path / "out"), language="kk")
    assert told["type"] == "result", told
    assert [(one["layer"], one["title"]) for one in told["layers"]] == [("clusters", "Кластерлер")]
    assert Path(told["layers"][0]["file"]).is_file()
    assert told["fresh"]


def test_a_project_tells_its_rasters(engine, tmp_path):
    project = tmp_path / "r.toml"
    project.write_text(
        f"""
[project]
id = "r"
title = "Сынақ"
[inputs.places]
kind = "point"
file = "{(DATA / "settlements.csv").as_posix()}"
[[steps]]
id = "people"
analysis = "surface"
heading = {{ en = "People", kk = "Адамдар" }}
settlements = "places"
column = "population"
cell_km = 20
""",
        encoding="utf-8",
    )
    for _ in range(2):  # computed, then found as it was
        told = engine.ask(type="project", id="p2", file=str(project), folder=str(tmp_path / "out"), language="kk")
        assert told["type"] == "result", told
        assert [(one["layer"], one["title"]) for one in told["layers"]] == [("", "Адамдар")]
        assert Path(told["layers"][0]["file"]).name == "people_surface.tif"
        assert (tmp_path / "out" / "people_surface.qml").is_file()
