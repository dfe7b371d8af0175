"""The child's environment: nothing of QGIS's, OSGeo4W's or the user's Python may reach the engine."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
import tempfile

#: Each of these has broken a virtual environment started from QGIS: another Python's home, QGIS's PROJ and GDAL data.
LEAKS = (
    "__PYVENV_LAUNCHER__", "VIRTUAL_ENV", "CONDA_PREFIX", "PROJ_LIB", "PROJ_DATA", "GDAL_DATA", "GDAL_DRIVER_PATH",
    "GEOTIFF_CSV", "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES", "DYLD_FRAMEWORK_PATH",
    "QT_PLUGIN_PATH", "QT_QPA_PLATFORM", "QGIS_PREFIX_PATH", "QGIS_PLUGINPATH", "O4W_QT_PREFIX", "O4W_QT_PLUGINS",
    "GDAL_FILENAME_IS_UTF8", "SSL_CERT_FILE", "SSL_CERT_DIR",
)  # fmt: skip
#: All of Python's own settings, and GDAL's drivers that QGIS has switched off.
PREFIXES = ("PYTHON", "GDAL_SKIP", "OGR_SKIP")
_OWN = {"PYTHONNOUSERSITE": "1", "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1", "MPLBACKEND": "Agg"}


def child_environment(threads: int = 0, base: dict[str, str] | None = None) -> dict[str, str]:
    """Return the environment for a child process.

    Parameters
    ----------
    threads : int
        How many threads numeric libraries may use; 0 leaves it to them.
    base : dict, optional
        What to clean; this process's environment by default.
    """
    told = dict(os.environ if base is None else base)
    kept = {k: v for k, v in told.items() if k.upper() not in LEAKS and not k.upper().startswith(PREFIXES)}
    if os.name == "nt" and "PATH" in {k.upper() for k in kept}:
        name = next(k for k in kept if k.upper() == "PATH")
        parts = kept[name].split(os.pathsep)
        kept[name] = os.pathsep.join(p for p in parts if not _is_of_qgis(p))
    if threads > 0:
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
        kept.update(dict.fromkeys(names, str(threads)))
    return {**kept, **_OWN}


def _is_of_qgis(path: str) -> bool:
    """Return whether a folder is one of QGIS's installation; that of a user called qgis is not."""
    parts = [part.lower() for part in path.replace("/", "\\").split("\\") if part]
    if len(parts) > 2 and parts[1] == "users":
        parts = parts[3:]
    return any(part.startswith(("qgis", "osgeo4w")) for part in parts)


def popen_options() -> dict[str, object]:
    """Return what a child of QGIS needs besides: on Windows no console window."""
    return {"creationflags": 0x08000000} if os.name == "nt" else {}


def own_folder(path: str) -> str:
    """Return a folder to run a Python in: its own, where nobody else can put modules, as they can in /tmp."""
    folder = pathlib.Path(path).absolute().parent
    return str(folder) if folder.is_dir() else tempfile.gettempdir()


def kill_tree(process: subprocess.Popen) -> None:
    """End a program and all that it has started."""
    if process.returncode is not None:
        return
    if os.name == "nt":
        killer = pathlib.Path(os.environ.get("SYSTEMROOT") or "C:/Windows", "System32", "taskkill.exe")
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run(  # noqa: S603 - fixed arguments, no shell
                [str(killer), "/T", "/F", "/PID", str(process.pid)],
                capture_output=True, timeout=10, check=False, **popen_options(),
            )  # fmt: skip
        with contextlib.suppress(OSError):
            process.kill()
    else:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
