"""Finds a Python that can carry the engine: 3.11 or later, the usual 64-bit one, never QGIS's own."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from kazgeo_qgis.engine.environment import child_environment, own_folder, popen_options
from kazgeo_qgis.words import tr

#: KazGeo needs this Python or later; later than TRIED, wheels may be missing, so those come last.
NEEDED, TRIED = (3, 11), (3, 13)
PROBE_S = 10.0
_NAMES = ("python3.14", "python3.13", "python3.12", "python3.11", "python3", "python")
_PROBE = """
import json, struct, sys, sysconfig
try:
    import ensurepip, venv
    whole = True
except ImportError:
    whole = False
own = sys.executable if sys.prefix == sys.base_prefix else getattr(sys, "_base_executable", sys.executable)
usual = sys.implementation.name == "cpython" and struct.calcsize("P") == 8
print(json.dumps([list(sys.version_info[:3]), own, whole, usual and not sysconfig.get_config_var("Py_GIL_DISABLED")]))
"""


class InstallFault(Exception):
    """The environment can't be made or used; the message is one sentence, ``details`` what was printed."""

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


@dataclass(frozen=True)
class Python:
    """A Python that can carry the engine; ``whole``: it has venv and ensurepip."""

    path: str
    version: str
    whole: bool = True


def find_pythons() -> list[Python]:
    """Return the usable Pythons of this computer, the best first; takes a second or a few."""
    with ThreadPoolExecutor(4) as pool:
        probed = [p for p in pool.map(_probed, _candidates()) if p is not None]
    found = {os.path.realpath(p.path): p for p in reversed(probed)}
    return sorted(found.values(), key=_rank, reverse=True)


def probe(path: str) -> Python:
    """Ask a Python what it is.

    Raises
    ------
    InstallFault
        It can't carry the engine; the sentence says why.
    """
    if belongs_to_qgis(path):
        raise InstallFault(tr("{path} is QGIS's own Python, which must stay as it is: choose another.", path=path))
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
            [path, "-I", "-c", _PROBE], capture_output=True, stdin=subprocess.DEVNULL, timeout=PROBE_S,
            cwd=own_folder(path), env=child_environment(), check=False, **popen_options(),
        )  # fmt: skip
        version, own, whole, usual = json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        raise InstallFault(tr("{path} is no Python that can be started: choose another.", path=path)) from error
    told = ".".join(map(str, version))
    if tuple(version[:2]) < NEEDED:
        raise InstallFault(
            tr("{path} is Python {version}; KazGeo needs 3.11 or later: choose another, or install one from "
               "python.org.", path=path, version=told)
        )  # fmt: skip
    if not usual or "WindowsApps" in own or "WindowsApps" in path:
        raise InstallFault(
            tr("{path} is not the usual 64-bit Python (those of the Microsoft Store can't write into QGIS's profile): "
               "install one from python.org.", path=path)
        )  # fmt: skip
    if belongs_to_qgis(own):
        raise InstallFault(tr("{path} is QGIS's own Python, which must stay as it is: choose another.", path=path))
    return Python(own if pathlib.Path(own).is_file() else path, told, bool(whole))


def belongs_to_qgis(path: str) -> bool:
    """Return whether a program is part of QGIS on Windows or macOS; on Linux QGIS uses the system's Python."""
    if sys.platform not in ("win32", "darwin"):
        return False
    parts = pathlib.PurePath(path.replace("\\", "/")).parts
    if any(re.match(r"(qgis[ ._-]?\d.*|qgis.*\.app|osgeo4w.*)$", part, re.IGNORECASE) for part in parts):
        return True
    at = os.path.normcase(os.path.realpath(path))
    ours = {sys.prefix, sys.base_prefix, os.path.dirname(sys.executable)}  # noqa: PTH120 - "" stays ""
    return any(at.startswith(os.path.normcase(os.path.realpath(o)) + os.sep) for o in ours if o)


def _probed(path: str) -> Python | None:
    try:
        return probe(path)
    except InstallFault:
        return None


def _rank(python: Python) -> tuple:
    version = tuple(map(int, python.version.split(".")))
    conda = any(word in python.path.lower() for word in ("conda", "miniforge", "mambaforge"))
    return python.whole, not conda, version[:2] <= TRIED, version


def _candidates() -> list[str]:
    """Return existing files that may be Pythons, each once."""
    home = pathlib.Path.home()
    folders = [pathlib.Path(f) for f in child_environment().get("PATH", os.defpath).split(os.pathsep) if f]
    if os.name == "nt":
        files = [f / "python.exe" for f in folders] + _on_windows(home)
    else:
        folders += [pathlib.Path(f) for f in ("/opt/homebrew/bin", "/usr/local/bin", "/usr/bin", "/opt/conda/bin")]
        folders += [home / name / "bin" for name in ("miniconda3", "anaconda3", "miniforge3", "mambaforge")]
        folders += pathlib.Path("/Library/Frameworks/Python.framework/Versions").glob("3.*/bin")
        folders += home.glob(".pyenv/versions/3.*/bin")
        folders += home.glob(".local/share/uv/python/cpython-3*/bin")
        files = [folder / name for folder in folders for name in _NAMES]
    # macOS's /usr/bin/python3 is Apple's 3.9, or opens a window that offers to install it
    apple = sys.platform == "darwin"
    good = [f for f in files if _is_program(f) and not (apple and str(f.parent) == "/usr/bin")]
    return list({os.path.realpath(f): str(f) for f in reversed(good)}.values())[::-1][:60]


def _is_program(file: pathlib.Path) -> bool:
    try:
        return file.is_file() and os.access(file, os.X_OK) and "WindowsApps" not in file.parts
    except OSError:
        return False


def _on_windows(home: pathlib.Path) -> list[pathlib.Path]:
    local = pathlib.Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    windows = pathlib.Path(os.environ.get("SYSTEMROOT") or "C:/Windows")
    files = []
    for launcher in (windows / "py.exe", local / "Programs/Python/Launcher/py.exe"):
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
                [str(launcher), "-0p"], capture_output=True, stdin=subprocess.DEVNULL, timeout=PROBE_S,
                env=child_environment(), check=False, **popen_options(),
            )  # fmt: skip
            files += [pathlib.Path(p) for p in launcher_paths(done.stdout.decode("utf-8", "replace"))]
    roots = [local / "Programs/Python", pathlib.Path(os.environ.get("PROGRAMFILES") or "C:/Program Files")]
    for root in (*roots, pathlib.Path("C:/")):
        files += root.glob("Python3*/python.exe")
    files += local.glob("Python/pythoncore-3*/python.exe")
    files += home.glob(".pyenv/pyenv-win/versions/3*/python.exe")
    for root in (home, local, pathlib.Path(os.environ.get("PROGRAMDATA") or "C:/ProgramData")):
        files += [root / name / "python.exe" for name in ("miniconda3", "anaconda3", "miniforge3")]
    return files


def launcher_paths(said: str) -> list[str]:
    """Return the interpreters in what ``py -0p`` prints."""
    return [m.group(1).strip() for m in re.finditer(r"^\s*-\S+\s+(?:\*\s+)?(\S.*\.exe)\s*$", said, re.MULTILINE)]
