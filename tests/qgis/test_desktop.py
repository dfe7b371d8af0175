"""A desktop QGIS under Xvfb with the plugin from the built zip: run from the dialog, dock, web map, page, options."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opened import environment, require_qgis

from kazgeo.data import embedded

pytestmark = [pytest.mark.qgis, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
DISTRICTS = ROOT.parent / "shared" / "data" / "geokz_kaz_admbnda_adm2_2024.gpkg"


@pytest.fixture(scope="module")
def screen() -> Iterator[str]:
    """Return the name of a screen that nobody sees."""
    require_qgis()
    for program in ("Xvfb", "qgis.bin"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    number = f":{90 + os.getpid() % 900}"
    process = subprocess.Popen(
        ["Xvfb", number, "-screen", "0", "1600x1000x24", "-nolisten", "tcp"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(1)
    yield number
    process.terminate()
    process.wait(10)


def install(home: Path, folder: Path, language: str) -> Path:
    """Put the built zip where QGIS's plugin manager unpacks it, and switch it on."""
    spec = importlib.util.spec_from_file_location("plugin_build", ROOT / "qgis_plugin" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    built, _ = module.build(ROOT / "qgis_plugin" / "kazgeo_qgis", ROOT / "kazgeo" / "__init__.py", folder)
    profile = home / "profiles" / "default"
    with zipfile.ZipFile(built) as archive:
        archive.extractall(profile / "python" / "plugins")
    ini = profile / "QGIS" / "QGIS3.ini"
    ini.parent.mkdir(parents=True)
    ini.write_text(
        f"[PythonPlugins]\nkazgeo_qgis=true\nprocessing=true\n\n[locale]\nuserLocale={language}\noverrideFlag=true\n"
        f"[qgis]\ncheckVersion=false\n",
        encoding="utf-8",
    )
    return built


@pytest.fixture(scope="module")
def told(screen: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("desktop")
    home, shots = folder / "home", Path(os.environ.get("KAZGEO_SHOTS") or folder / "shots")
    home.mkdir(mode=0o700)
    shots.mkdir(exist_ok=True)
    built = install(home, folder, "ru")
    data = shutil.copytree(embedded(), folder / "data")
    own = {"DISPLAY": screen, "KAZGEO_PYTHON": sys.executable, "KAZGEO_DATA": str(data), "KAZGEO_SHOTS": str(shots)}
    own["KAZGEO_ZIP"] = str(built)
    if DISTRICTS.is_file():
        own["KAZGEO_DISTRICTS"] = shutil.copy(DISTRICTS, folder)
    kept = {**environment(str(home)), **own}
    kept.pop("QT_QPA_PLATFORM")
    command = ["qgis.bin", "--nologo", "--noversioncheck", "--code", str(Path(__file__).parent / "inside/desktop.py")]
    done = subprocess.run(command, env=kept, capture_output=True, text=True, timeout=400)
    assert (shots / "told.json").is_file(), done.stderr[-3000:]
    found = json.loads((shots / "told.json").read_text(encoding="utf-8"))
    assert "fault" not in found, found["fault"]
    assert "Traceback" not in done.stderr, done.stderr[-3000:]
    return {**found, "shots": shots}


def test_all_steps_were_seen(told: dict[str, Any]) -> None:
    wanted = {"toolbox", "dialog", "log", "canvas", "dock_running", "dock", "web_map_dialog", "designer", "options"}
    wanted |= {"install", "batch", "page_dialog"}
    assert wanted | {"reloaded"} <= set(told["steps"])
    for name in wanted:
        assert (told["shots"] / f"{name}.png").stat().st_size > 5_000, name


def test_the_dialog_speaks_the_language(told: dict[str, Any]) -> None:
    assert any("Показатель" in text for text in told["labels"])


def test_the_layer_is_styled_and_named(told: dict[str, Any]) -> None:
    layer = told["layer"]
    assert layer["name"] == "Показатель на карте"
    assert layer["renderer"] != "singleSymbol"
    assert layer["features"] == 16
    assert len(layer["legend"]) >= 5
    assert any("kazgeo:indicator_map" in line for line in layer["history"])


def test_the_dock_groups_the_projects_layers(told: dict[str, Any]) -> None:
    (top, groups, layers) = told["groups"][0]
    assert "Казахстан" in top
    assert len(groups) >= 3
    assert layers >= 10
    assert "report.html" in told["dock"]


def test_the_web_map_holds_what_is_visible(told: dict[str, Any]) -> None:
    file, said, names = told["web_map"]
    page = Path(file).read_text(encoding="utf-8")
    assert "Қазақстан өңірлері" in page
    assert names
    assert said == []


def test_a_batch_of_two_ran(told: dict[str, Any]) -> None:
    assert told["batch"] == [16, 16]


def test_qgis_itself_installs_the_zip(told: dict[str, Any]) -> None:
    assert "reloaded" in told["steps"]
    assert told["installed_from_zip"] == "kazgeo_qgis.plugin"


def test_clicks_are_quick(told: dict[str, Any]) -> None:
    if "local_moran_s" not in told:
        pytest.skip("no districts in shared data")
    print(f"local Moran, {told['districts']} districts, click to layer: {told['local_moran_s']} s")
    first, *rest = told["local_moran_s"]
    # 6 s and 1 s are wanted on a quiet machine; what holds everywhere is that warm is quicker
    assert min(rest) < first
