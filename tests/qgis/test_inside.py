"""Runs the tests in ``inside`` under QGIS's own Python, which has no pip stack: the way users have it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from opened import PYTHON, environment, require_qgis

pytestmark = [pytest.mark.qgis, pytest.mark.slow]
INSIDE = Path(__file__).parent / "inside"
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", sorted(p.stem for p in INSIDE.glob("test_*.py")))
def test_inside_qgis(name: str, tmp_path: Path) -> None:
    require_qgis()
    asked = subprocess.run([PYTHON, "-c", "import pytest"], capture_output=True, cwd="/", env=environment("/"))
    if asked.returncode:
        pytest.skip("pytest is not installed for QGIS's Python (apt install python3-pytest)")
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    command = [PYTHON, "-m", "pytest", "-q", "-s", "-c", os.devnull, "--rootdir", str(ROOT), "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "--basetemp", str(tmp_path / "t"), str(INSIDE / f"{name}.py")],
        capture_output=True, encoding="utf-8", errors="replace", timeout=900, cwd=tmp_path,
        env={**environment(str(home)), "KAZGEO_PYTHON": sys.executable},
    )  # fmt: skip
    print(done.stdout[-6000:])
    passed = re.search(r"(\d+) passed", done.stdout)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert passed
    assert int(passed[1]) > 0
