"""Builds the plugin's zip, the same bytes from the same files, and checks the QGIS repository's upload rules."""

from __future__ import annotations

import argparse
import configparser
import os
import pathlib
import re
import sys
import time
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
WANTED = (".py", ".json", ".svg", ".txt", ".qml", ".qpt")
LEFT = ("__pycache__", "test", "tests")
FORBIDDEN = ("__MACOSX", ".git")
REQUIRED = ("name", "description", "about", "version", "qgisMinimumVersion", "author", "email", "repository", "tracker")
LARGEST = 25 * 1024 * 1024


class Refused(Exception):
    """The plugin breaks an upload rule; the message says which in one sentence."""


def wanted_files(package: pathlib.Path) -> list[pathlib.Path]:
    """Return the files that belong into the zip, sorted by their path."""
    found = []
    for path in package.rglob("*"):
        parts = path.relative_to(package).parts
        hidden = any(p.startswith(".") or p in LEFT for p in parts)
        if path.is_file() and not hidden and (path.suffix in WANTED or parts == ("LICENSE",)):
            found.append(path)
    return sorted(found, key=lambda p: p.relative_to(package).as_posix())


def check(package: pathlib.Path, library: pathlib.Path) -> None:
    """Raise Refused when the package breaks a rule."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]+", package.name):
        raise Refused(f"The folder's name {package.name!r} may hold only Latin letters, digits, - and _.")
    for name in ("LICENSE", "__init__.py", "metadata.txt"):
        if not (package / name).is_file():
            raise Refused(f"{name} is missing from the folder {package.name}.")
    for path in package.rglob("*"):
        if path.name in FORBIDDEN:
            raise Refused(f"The folder {path.name} must not be in the plugin.")
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str
    try:
        parser.read(package / "metadata.txt", encoding="utf-8")
        told = dict(parser["general"])
    except (configparser.Error, KeyError) as fault:
        raise Refused(f"metadata.txt can't be read: {fault}.") from fault
    missing = [key for key in REQUIRED if not told.get(key, "").strip()]
    if missing:
        raise Refused(f"metadata.txt lacks {', '.join(missing)}.")
    version = re.search(r'^__version__ = "([^"]+)"', library.read_text(encoding="utf-8"), re.MULTILINE)
    if version is None or version.group(1) != told["version"]:
        own = version.group(1) if version else "unknown"
        raise Refused(f"metadata.txt says version {told['version']}, kazgeo says {own}.")


def build(package: pathlib.Path, library: pathlib.Path, out: pathlib.Path) -> tuple[pathlib.Path, int]:
    """Check and write the zip; return its path and the number of files."""
    check(package, library)
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", "315532800"))
    date = max(time.gmtime(epoch)[:6], (1980, 1, 1, 0, 0, 0))
    out.mkdir(parents=True, exist_ok=True)
    target, part = out / f"{package.name}.zip", out / f"{package.name}.zip.part"
    files = wanted_files(package)
    with zipfile.ZipFile(part, "w") as archive:
        for path in files:
            entry = zipfile.ZipInfo(f"{package.name}/{path.relative_to(package).as_posix()}", date)
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes(), compresslevel=9)
    if part.stat().st_size > LARGEST:
        part.unlink()
        raise Refused(f"The zip is larger than {LARGEST // 1024 // 1024} MB.")
    part.replace(target)
    return target, len(files)


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, default=HERE.parent / "dist")
    try:
        path, count = build(HERE / "kazgeo_qgis", HERE.parent / "kazgeo" / "__init__.py", parser.parse_args().out)
    except Refused as fault:
        print(fault, file=sys.stderr)
        return 1
    print(f"{path}: {count} files, {path.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
