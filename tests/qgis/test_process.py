"""``qgis_process`` end to end on Kazakhstan's data: listed, helped, run, with the library's own numbers."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
from opened import environment, require_qgis
from pandas.api.types import is_float_dtype

from kazgeo import analyses
from kazgeo.analyses import Analysis
from kazgeo.analyses.outcome import Outcome
from kazgeo.data import embedded
from kazgeo.io import Source
from kazgeo.project.inputs import kind_of, read_data

pytestmark = [pytest.mark.qgis, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
#: Debian's qgis_process is a wrapper that passes on an option the program doesn't know.
PROGRAM = next((p for p in ("qgis_process.bin", "qgis_process") if shutil.which(p)), "")


class Process:
    """qgis_process with a profile of its own."""

    def __init__(self, folder: Path, data: Path) -> None:
        self.folder, self.data = folder, data
        home = folder / "home"
        home.mkdir(mode=0o700)
        own = {"QGIS_PLUGINPATH": str(ROOT / "qgis_plugin"), "KAZGEO_PYTHON": sys.executable}
        self.environment = {**environment(str(home)), **own}
        self("plugins", "enable", "kazgeo_qgis")

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([PROGRAM, *arguments], env=self.environment, capture_output=True, text=True, timeout=300)

    def run(self, name: str, **parameters: object) -> dict[str, Any]:
        given = [f"{key}={value}" for key, value in parameters.items()]
        done = self("run", "--json", f"kazgeo:{name}", "--", *given)
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout)["results"]


@pytest.fixture(scope="module")
def qgis(tmp_path_factory: pytest.TempPathFactory) -> Process:
    require_qgis()
    if not PROGRAM:
        pytest.skip("qgis_process is not installed (apt install qgis)")
    folder = tmp_path_factory.mktemp("process")
    # a copy: QGIS changes the header of a GeoPackage that it only looks at
    return Process(folder, Path(shutil.copytree(embedded(), folder / "data")))


def by_library(analysis: str, inputs: Mapping[str, Path], **parameters: object) -> Outcome:
    """Run an analysis in this process, with no QGIS."""
    one = analyses.get(analysis)
    values = one.validate({**parameters, **dict.fromkeys(inputs)})
    for p in one.parameters:
        if p.name in inputs:
            values[p.name] = read_data(kind_of(p), Source(inputs[p.name]))
    return one.function(**values)


@pytest.fixture(scope="module")
def roads(qgis: Process) -> Path:
    out = qgis.folder / "roads.gpkg"
    qgis.run("road_network", EDGES=qgis.data / "roads.csv", NODES=qgis.data / "road_nodes.csv", OUTPUT=out)
    return out


@pytest.fixture(scope="module")
def places(qgis: Process) -> Path:
    """Return the settlements as a layer of points, made by QGIS itself."""
    out = qgis.folder / "places.gpkg"
    done = qgis("run", "native:createpointslayerfromtable", "--", f"INPUT={qgis.data / 'settlements.csv'}",
                "XFIELD=lon", "YFIELD=lat", "TARGET_CRS=EPSG:4326", f"OUTPUT={out}")  # fmt: skip
    assert out.is_file(), done.stderr
    return out


YEARS = {"first_year": 2009, "last_year": 2020}
GRP = {"indicator": "grp_per_capita"}
CASES: dict[str, tuple[tuple[str, ...], dict[str, object]]] = {
    "harmonise": (("panel", "reforms", "metadata"), {}),
    "rate": (("panel",), {"numerator": "doctors", "denominator": "population", "name": "rate10k", "per": 10000}),
    "indicator_map": (("regions", "panel"), {**GRP, "year": 2015}),
    "road_network": (("edges", "nodes"), {}),
    "inequality": (("regions", "panel"), {**GRP, "population": "population", **YEARS}),
    "boundary_effect": (("panel", "reforms", "metadata"), {**GRP, "population": "population", **YEARS}),
    "moran_by_year": (("regions", "panel"), {**GRP, **YEARS, "permutations": 999}),
    "deprivation": (("regions", "panel"), {"more_is_better": "grp_per_capita,nominal_cash_income_pc", **YEARS}),
}
FILES = {
    "panel": "indicators.csv", "reforms": "reforms.csv", "metadata": "indicators_meta.csv",
    "regions": "regions_2009.gpkg", "edges": "roads.csv", "nodes": "road_nodes.csv",
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_numbers_are_the_librarys_own(qgis: Process, name: str) -> None:
    inputs, parameters = CASES[name]
    files = {one: qgis.data / FILES[one] for one in inputs}
    first = "BY_YEAR" if name in {"boundary_effect", "moran_by_year"} else "OUTPUT"
    target = qgis.folder / f"{name}.gpkg"
    given = {key.upper(): value for key, value in {**files, **parameters}.items()}
    told = qgis.run(name, **given, **{first: target})
    check(analyses.get(name), told, target, by_library(name, files, **parameters))


def test_travel_time_and_remoteness(qgis: Process, roads: Path, places: Path) -> None:
    for name, parameters in (
        ("travel_time", {"population": "population", "min_population": 50000}),
        ("remoteness", {"population": "population"}),
    ):
        target = qgis.folder / f"{name}.gpkg"
        given = {key.upper(): value for key, value in parameters.items()}
        told = qgis.run(name, SETTLEMENTS=places, SETTLEMENTS_ID="id", ROADS=roads, **given, OUTPUT=target)
        inputs = {"settlements": qgis.data / "settlements.csv", "roads": roads}
        check(analyses.get(name), told, target, by_library(name, inputs, **parameters))


def test_clusters_of_settlements(qgis: Process, places: Path) -> None:
    for name in ("local_moran", "getis_ord"):
        target = qgis.folder / f"{name}.gpkg"
        told = qgis.run(name, UNITS=places, UNITS_ID="id", INDICATOR="population", NEIGHBOURS="nearest", OUTPUT=target)
        inputs = {"units": qgis.data / "settlements.csv"}
        check(analyses.get(name), told, target, by_library(name, inputs, indicator="population", neighbours="nearest"))


def check(one: Analysis, told: Mapping[str, Any], target: Path, wanted: Outcome) -> None:
    """Compare numbers, findings and every numeric column of the layer or the table."""
    declared = {o.name for o in one.outputs if o.kind == "number"}
    for name in declared:
        assert told[name.upper()] == pytest.approx(wanted.numbers[name], rel=1e-12), name
    assert told["FINDINGS"].splitlines()[0] == wanted.summary("en").splitlines()[0].lstrip("- ")
    data = wanted.layer if wanted.layer is not None else wanted.panel
    data = data if data is not None else next(iter(wanted.tables.values()))
    made = pyogrio.read_dataframe(target, layer=pyogrio.list_layers(target)[0][0])
    assert len(made) == len(data)
    compared = 0
    for column in data.columns:
        if column in made.columns and is_float_dtype(data[column].dtype):
            a, b = made[column].to_numpy(float), data[column].to_numpy(float, na_value=np.nan)
            np.testing.assert_allclose(np.sort(a), np.sort(b), rtol=1e-12, err_msg=column)
            compared += 1
    assert compared


def test_a_surface_is_the_librarys_own(qgis: Process, places: Path) -> None:
    import rasterio

    target = qgis.folder / "surface.tif"
    told = qgis.run("surface", SETTLEMENTS=places, SETTLEMENTS_ID="id", COLUMN="population", OUTPUT=target)
    wanted = by_library("surface", {"settlements": qgis.data / "settlements.csv"}, column="population")
    with rasterio.open(target) as file:
        np.testing.assert_array_equal(file.read(1), wanted.rasters["surface"].surface.values)
    assert told["CELLS"] == wanted.numbers["cells"]


def test_the_provider_is_listed_and_helps(qgis: Process) -> None:
    listed = qgis("list").stdout
    for name in analyses.catalogue():
        assert f"kazgeo:{name}" in listed
    told = qgis("help", "kazgeo:local_moran").stdout
    assert "PERMUTATIONS" in told
    assert "Benjamini-Hochberg" in told


def test_help_follows_qgis_and_the_plugins_own_language(qgis: Process) -> None:
    ini = next(Path(qgis.environment["HOME"]).rglob("QGIS3.ini"))
    kept = ini.read_text(encoding="utf-8")
    try:
        ini.write_text(f"[locale]\nuserLocale=ru\n\n{kept.replace('[locale]', '[was]')}", encoding="utf-8")
        assert "Удалённость" in qgis("help", "kazgeo:remoteness").stdout
        ini.write_text(kept + "\n[kazgeo]\nlanguage=kk\n", encoding="utf-8")
        assert "Тұрғындар" in qgis("help", "kazgeo:remoteness").stdout
    finally:
        ini.write_text(kept, encoding="utf-8")


def test_an_error_is_one_line_and_no_file(qgis: Process) -> None:
    target = qgis.folder / "never.gpkg"
    done = qgis("run", "kazgeo:indicator_map", "--", f"REGIONS={qgis.data / 'regions_2009.gpkg'}",
                f"PANEL={qgis.data / 'indicators.csv'}", "INDICATOR=grp", "YEAR=2015", f"OUTPUT={target}")  # fmt: skip
    assert done.returncode != 0
    assert "'grp' is not" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr + done.stdout
    assert not target.exists()


def test_without_an_engine_it_says_what_to_do(qgis: Process) -> None:
    kept = qgis.environment.pop("KAZGEO_PYTHON")
    try:
        assert "kazgeo:local_moran" in qgis("list").stdout
        done = qgis("run", "kazgeo:rate", "--", f"PANEL={qgis.data / 'indicators.csv'}", "NUMERATOR=doctors",
                    "DENOMINATOR=population", "NAME=x", f"OUTPUT={qgis.folder / 'x.gpkg'}")  # fmt: skip
    finally:
        qgis.environment["KAZGEO_PYTHON"] = kept
    assert "engine is not set up" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr + done.stdout


def test_ctrl_c_leaves_no_process_and_no_file(qgis: Process, places: Path) -> None:
    target = qgis.folder / "interrupted.gpkg"
    process = subprocess.Popen(
        [PROGRAM, "run", "kazgeo:losh", "--", f"UNITS={places}", "UNITS_ID=id", "INDICATOR=population",
         "NEIGHBOURS=nearest", "K=100", "PERMUTATIONS=999999", f"OUTPUT={target}"],
        env=qgis.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    end, engines = time.monotonic() + 30, ""
    while not engines and time.monotonic() < end:
        time.sleep(0.2)
        found = subprocess.run(["pgrep", "-P", str(process.pid), "-f", "kazgeo.worker"], capture_output=True, text=True)
        engines = found.stdout
    time.sleep(1.5)
    assert process.poll() is None, "still at work"
    process.send_signal(signal.SIGINT)
    process.wait(10)
    time.sleep(3)
    for engine in engines.split():
        assert not Path(f"/proc/{engine}").exists() or "Z" in Path(f"/proc/{engine}/stat").read_text().split()[2]
    assert engines.split(), "the engine was at work"
    assert not target.exists()
    assert not [p for p in qgis.folder.iterdir() if p.name.startswith(".kazgeo-")]
