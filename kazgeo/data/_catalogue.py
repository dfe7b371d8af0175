"""The table of data sets: read from ``datasets.toml`` and checked once, at import."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from kazgeo.errors import InputError

__all__ = ["CATALOGUE", "Dataset", "RemoteFile", "read_catalogue"]

_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_OURS = (".part", ".part.json", ".unverified", ".sha256")


@dataclass(frozen=True)
class RemoteFile:
    """One file of a data set.

    Parameters
    ----------
    name : str
        Name under which the file is kept in the cache: a plain name, never a path.
    address : str
        Where the publisher offers it; empty when it comes from a mirror only.
    sha256 : str or None
        Hash of the file, or None when nobody here could take it.
    size_bytes : int or None
        Length of the file, bytes.
    mirror_name : str
        Name of the file in a mirror.
    checksum : str
        Address where the publisher states the MD5 of the file as it stands today; empty when there is none.
    sha256_source : str
        Who took the hash, and from what.
    """

    name: str
    address: str
    sha256: str | None = None
    size_bytes: int | None = None
    mirror_name: str = ""
    checksum: str = ""
    sha256_source: str = ""


@dataclass(frozen=True)
class Dataset:
    """One data set of the catalogue.

    Parameters
    ----------
    name : str
        Key in the catalogue, for instance "districts-2024".
    title : str
        What it is, in one line.
    address : str
        Page that presents it.
    files : tuple of RemoteFile
        The publisher's files; the first one is the file to open.
    converted : tuple of RemoteFile
        The same content in another layout, offered by a mirror only.
    licence, licence_address, attribution : str
        Under which terms, and the credit line that a map must carry.
    note : str
        What to know before use.
    """

    name: str
    title: str
    address: str
    files: tuple[RemoteFile, ...]
    converted: tuple[RemoteFile, ...]
    licence: str
    licence_address: str
    attribution: str
    note: str

    @property
    def editions(self) -> tuple[tuple[RemoteFile, ...], ...]:
        """The ways to have the data set, the handiest first; each is a full set of files."""
        return tuple(edition for edition in (self.converted, self.files) if edition)


def read_catalogue(text: str) -> Mapping[str, Dataset]:
    """Read the table of data sets.

    Parameters
    ----------
    text : str
        TOML: one table a data set.

    Raises
    ------
    InputError
        Lists every fault of the table at once: a name that is a path, a hash that is none, an address that is
        neither http nor https, a missing licence, a file twice.

    Examples
    --------
    >>> list(read_catalogue(""))
    []
    >>> print(read_catalogue(EXAMPLE)["x"].files[0].sha256)
    None
    >>> read_catalogue(EXAMPLE.replace('"a.csv"', '"../a.csv"'))
    Traceback (most recent call last):
    kazgeo.errors.InputError: catalogue of data sets: x: file name '../a.csv' must be a plain name
    """
    faults: list[str] = []
    found = {name: _dataset(name, entry, faults) for name, entry in tomllib.loads(text).items()}
    if faults:
        raise InputError("catalogue of data sets: " + "; ".join(faults))
    return MappingProxyType(found)


EXAMPLE = """
[x]
title = "X"
address = "https://example.org/"
licence = "CC0"
attribution = "nobody"
base = "https://example.org/"
files = [{name = "a.csv", sha256 = ""}]
"""


def _dataset(name: str, entry: Mapping[str, Any], faults: list[str]) -> Dataset:
    base = str(entry.get("base", ""))
    files = tuple(_file(raw, base) for raw in entry.get("files", ()))
    converted = tuple(_file(raw, "") for raw in entry.get("converted", ()))
    dataset = Dataset(
        name=name,
        title=str(entry.get("title", "")),
        address=str(entry.get("address", "")),
        files=files,
        converted=converted,
        licence=str(entry.get("licence", "")),
        licence_address=str(entry.get("licence_address", "")),
        attribution=str(entry.get("attribution", "")),
        note=str(entry.get("note", "")),
    )
    faults.extend(f"{name}: {fault}" for fault in _faults(dataset))
    return dataset


def _file(raw: Mapping[str, Any], base: str) -> RemoteFile:
    name = str(raw["name"])
    size = raw.get("size_bytes")
    return RemoteFile(
        name=name,
        address=str(raw.get("address") or (base + name if base else "")),
        sha256=str(raw["sha256"]) or None,
        size_bytes=None if size is None else int(size),
        mirror_name=str(raw.get("mirror_name", name)),
        checksum=str(raw.get("checksum", "")),
        sha256_source=str(raw.get("sha256_source", "")),
    )


def _faults(dataset: Dataset) -> list[str]:
    faults = [f"{key} is empty" for key in ("title", "licence", "attribution") if not getattr(dataset, key)]
    every = (*dataset.files, *dataset.converted)
    names = [file.name for file in every]
    if not _PLAIN_NAME.fullmatch(dataset.name):
        faults.append("the data set's name must be a plain name")
    if not every or len(set(names)) != len(names):
        faults.append("there is no file, or one file twice")
    for file in every:
        for name in {file.name: None, file.mirror_name: None}:
            if not _PLAIN_NAME.fullmatch(name) or name.endswith(_OURS):
                faults.append(f"file name '{name}' must be a plain name")
        if file.sha256 is not None and not (_SHA256.fullmatch(file.sha256) and file.sha256_source):
            faults.append(f"sha256 of '{file.name}' must be 64 lower-case hex digits and say its source")
        for address in (file.address, file.checksum):
            if address and urlsplit(address).scheme not in {"http", "https"}:
                faults.append(f"address '{address}' must be http or https")
    return faults


CATALOGUE: Mapping[str, Dataset] = read_catalogue(
    resources.files("kazgeo.data").joinpath("datasets.toml").read_text(encoding="utf-8")
)
