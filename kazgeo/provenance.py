"""Where a result comes from, and files that are either whole or absent."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
import os
import platform
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from kazgeo.errors import InputError

__all__ = ["code_digest", "digest", "drop_unfinished", "replacing", "sha256", "versions", "write_json"]

_LIBRARIES = ("geopandas", "numpy", "pandas", "pyogrio", "pyproj", "scipy", "shapely", "matplotlib", "folium")


def sha256(path: Path | str) -> str:
    """Return the SHA-256 of a file, read in blocks.

    Raises
    ------
    InputError
        When the file can't be read.
    """
    state = hashlib.sha256()
    try:
        with Path(path).open("rb") as file:
            while block := file.read(1 << 20):
                state.update(block)
    except OSError as error:
        raise InputError(f"file '{path}' can't be read: {error.strerror or error}") from error
    return state.hexdigest()


def digest(value: object) -> str:
    """Return a digest of plain data (dicts, lists, strings, numbers) that doesn't depend on key order.

    Examples
    --------
    >>> digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1})
    True
    >>> digest({}) == digest([])
    False
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def code_digest() -> str:
    """Return a digest of the library's own files, so that a changed method is never taken for a done one."""
    root = Path(__file__).parent
    state = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.suffix in {".py", ".po", ".js", ".css", ".html", ".toml"} and "_embedded" not in path.parts:
            state.update(str(path.relative_to(root)).encode())
            state.update(path.read_bytes())
    return state.hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of Python, KazGeo and the libraries that decide the numbers."""
    from kazgeo import __version__

    found = {"kazgeo": __version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


#: Files that are being written now, beside the places that they will take.
_UNFINISHED: set[Path] = set()


def drop_unfinished() -> None:
    """Remove what is being written now; for a process that ends in the middle of its work."""
    for beside in tuple(_UNFINISHED):
        _remove(beside)


def _remove(beside: Path) -> None:
    """Remove a file and what drivers keep beside it while they write."""
    for leftover in (beside, *beside.parent.glob(f"{glob.escape(beside.name)}[-.]*")):
        with contextlib.suppress(OSError):
            leftover.unlink()


@contextlib.contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """Yield a path beside ``path`` to write to; on success it is renamed to ``path``, else removed.

    The folder is made when it is missing. The yielded name keeps the suffix, because drivers choose by it.

    Raises
    ------
    InputError
        When nothing can be written there: no permission, no space, a folder in the way.
    """
    target = Path(path)
    try:
        if target.is_dir():
            raise InputError(f"output '{target}' is a folder; name a file")
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".kazgeo-", suffix=target.suffix, dir=target.parent)
    except OSError as error:
        raise _unwritable(target, error) from error
    os.close(handle)
    beside = Path(name)
    _UNFINISHED.add(beside)
    try:
        beside.chmod(0o666 & ~_umask())
        yield beside
        beside.replace(target)
    except OSError as error:
        raise _unwritable(target, error) from error
    except InputError as error:
        if str(beside) in str(error):  # the reader knows the file by its own name only
            raise InputError(str(error).replace(str(beside), str(target))) from error
        raise
    finally:
        _remove(beside)
        _UNFINISHED.discard(beside)


#: Ends a style file that a result brings along; QGIS drops it when somebody saves a style of their own over it.
OWN = "<!-- KazGeo -->"


def write_style(path: Path | str, qml: str) -> bool:
    """Write a QGIS style beside a result, unless somebody's own style is there already; return whether it was.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "towns.qml"
    ...     made = [write_style(file, "<qgis/>"), write_style(file, "<qgis a='1'/>")]
    ...     _ = file.write_text("<qgis>mine</qgis>")
    ...     made.append(write_style(file, "<qgis/>"))
    >>> made
    [True, True, False]
    """
    target = Path(path)
    if target.is_file() and OWN not in target.read_text(encoding="utf-8", errors="replace"):
        return False
    with replacing(target) as beside:
        beside.write_text(f"{qml.rstrip()}\n{OWN}\n", encoding="utf-8")
    return True


def write_json(path: Path | str, value: Mapping[str, Any] | Iterable[Any]) -> None:
    """Write plain data as readable UTF-8 JSON, whole or not at all."""
    with replacing(path) as beside:
        beside.write_text(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n", encoding="utf-8")


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def _unwritable(target: Path, error: OSError) -> InputError:
    return InputError(
        f"output '{target}' can't be written: {error.strerror or error}; "
        "free some space, or name a folder that you may write to"
    )
