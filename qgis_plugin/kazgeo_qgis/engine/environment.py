"""The child's environment: nothing of QGIS's, OSGeo4W's or the user's Python may reach the engine."""

from __future__ import annotations

import os
import pathlib
import tempfile

#: Each of these has broken a virtual environment started from QGIS: another Python's home, QGIS's PROJ and GDAL data.
LEAKS = (
    "PYTHONPATH", "PYTHONHOME", "PYTHONEXECUTABLE", "PYTHONSTARTUP", "PYTHONUSERBASE", "PYTHONINSPECT",
    "__PYVENV_LAUNCHER__", "VIRTUAL_ENV", "CONDA_PREFIX", "PROJ_LIB", "PROJ_DATA", "GDAL_DATA", "GDAL_DRIVER_PATH",
    "GEOTIFF_CSV", "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES", "DYLD_FRAMEWORK_PATH",
    "QT_PLUGIN_PATH", "QT_QPA_PLATFORM", "QGIS_PREFIX_PATH", "QGIS_PLUGINPATH", "O4W_QT_PREFIX", "O4W_QT_PLUGINS",
    "GDAL_FILENAME_IS_UTF8", "SSL_CERT_FILE", "SSL_CERT_DIR",
)  # fmt: skip
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
    kept = {k: v for k, v in (os.environ if base is None else base).items() if k.upper() not in LEAKS}
    if os.name == "nt" and "PATH" in {k.upper() for k in kept}:
        name = next(k for k in kept if k.upper() == "PATH")
        parts = kept[name].split(os.pathsep)
        kept[name] = os.pathsep.join(p for p in parts if not any(w in p.lower() for w in ("qgis", "osgeo4w")))
    if threads > 0:
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
        kept.update(dict.fromkeys(names, str(threads)))
    return {**kept, **_OWN}


def popen_options() -> dict[str, object]:
    """Return what a child of QGIS needs besides: on Windows no console window."""
    return {"creationflags": 0x08000000} if os.name == "nt" else {}


def own_folder(path: str) -> str:
    """Return a folder to run a Python in: its own, where nobody else can put modules, as they can in /tmp."""
    folder = pathlib.Path(path).absolute().parent
    return str(folder) if folder.is_dir() else tempfile.gettempdir()
