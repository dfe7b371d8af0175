"""Opens a GeoPackage in a real QGIS, in a process of its own, and tells what it saw."""

from __future__ import annotations

import json
import os
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

PYTHON = "/usr/bin/python3"
INSIDE = Path(__file__).parent / "inside" / "describe_layers.py"


@lru_cache(maxsize=1)
def has_qgis() -> bool:
    try:
        done = subprocess.run(
            [PYTHON, "-c", "import qgis.core"], capture_output=True, timeout=60, env=environment("/nonexistent")
        )
    except OSError:
        return False
    return done.returncode == 0


def environment(home: str) -> dict[str, str]:
    drop = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PROJ_LIB", "PROJ_DATA", "GDAL_DATA", "LD_LIBRARY_PATH")
    kept = {k: v for k, v in os.environ.items() if k not in drop}
    own = {"QT_QPA_PLATFORM": "offscreen", "HOME": home, "XDG_RUNTIME_DIR": home, "QGIS_CUSTOM_CONFIG_PATH": home}
    # QGIS takes the libraries of the first python3 of the PATH: it must be the system's, not pyenv's or a venv's
    path = os.pathsep.join([str(Path(PYTHON).parent), kept.get("PATH", "")])
    return {**kept, **own, "PATH": path, "PYTHONUTF8": "1"}


def describe(gpkg: Path, folder: Path, *layers: str) -> dict[str, Any]:
    """Return what QGIS makes of each layer, under "" what it said meanwhile; LAYER.png in the folder shows it."""
    home = folder / "home"
    home.mkdir(mode=0o700, exist_ok=True)
    done = subprocess.run(
        [PYTHON, str(INSIDE), str(gpkg), str(folder), *layers],
        capture_output=True, timeout=120, env=environment(str(home)), text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def colours(png: Path) -> dict[tuple[int, int, int], int]:
    from matplotlib.image import imread

    pixels = (imread(png)[:, :, :3] * 255).round().astype(int).reshape(-1, 3)
    found, counts = np.unique(pixels, axis=0, return_counts=True)
    return dict(zip(map(tuple, found.tolist()), counts.tolist(), strict=True))


def rgb(color: str) -> tuple[int, ...]:
    return tuple(int(color[i : i + 2], 16) for i in (1, 3, 5))


def require_qgis() -> None:
    """Skip with one clear line where there is no QGIS."""
    if not has_qgis():
        pytest.skip("QGIS is not installed (apt install qgis python3-qgis)")
