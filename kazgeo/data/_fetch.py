"""Fetching: the cache first, then the mirror, then the publisher; verified, whole or absent."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit
from urllib.request import url2pathname

from kazgeo.data._catalogue import CATALOGUE, Dataset, RemoteFile
from kazgeo.data._download import MIRROR_VARIABLE, Missing, ResumingDownloader, copy, unwritable
from kazgeo.errors import InputError, listing, unknown
from kazgeo.progress import Progress, part, silent
from kazgeo.provenance import replacing, sha256

__all__ = ["CACHE_VARIABLE", "MIRROR_VARIABLE", "available", "cache_folder", "fetch"]

CACHE_VARIABLE = "KAZGEO_CACHE"

_MD5 = re.compile(r"\b[0-9a-fA-F]{32}\b")


def cache_folder(folder: Path | None = None) -> Path:
    """Return the folder in which fetched files are kept; it is not made here.

    Parameters
    ----------
    folder : Path, optional
        Named by the caller; else the environment variable ``KAZGEO_CACHE``; else the system's place for
        caches.

    Examples
    --------
    >>> cache_folder(Path("here")).name
    'here'
    """
    if folder is not None:
        return Path(folder)
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named).expanduser()
    import pooch

    return Path(pooch.os_cache("kazgeo"))


def available(name: str, *, folder: Path | None = None) -> list[Path] | None:
    """Return the files of a data set that can be had without the network, each verified.

    Parameters
    ----------
    name : str
        Key of the catalogue.
    folder : Path, optional
        Cache folder; see ``cache_folder``.

    Returns
    -------
    list of Path or None
        From the cache, else where they lie in a mirror that is a folder; the first one is the file to open.
        None when a file is missing, or isn't the one the catalogue names.

    Raises
    ------
    InputError
        For a name that is not in the catalogue, and when the mirror's folder isn't there.

    Examples
    --------
    >>> available("osm-extract", folder=Path("no such folder")) is None
    True
    >>> available("district-2024")
    Traceback (most recent call last):
    kazgeo.errors.InputError: data set 'district-2024' is not in the catalogue; did you mean 'districts-2024'?
    """
    dataset = _find(name)
    cached = _cached(dataset, cache_folder(folder) / name)
    mirror = _mirror()
    if cached is not None or mirror is None or mirror.folder is None:
        return cached
    for edition in dataset.editions:
        paths = [mirror.folder / file.mirror_name for file in edition]
        if all(_is_the_file(path, file.sha256) for path, file in zip(paths, edition, strict=True)):
            return paths
    return None


def fetch(
    name: str,
    *,
    folder: Path | None = None,
    progress: Progress = silent,
    accept_unverified: bool = False,
) -> list[Path]:
    """Bring a data set into the cache folder and return its files.

    The cache is looked at first, then the mirror (environment variable ``KAZGEO_DATA_MIRROR``: a folder, or a
    file, http or https address), then the publisher. Every file is verified by the catalogue's hash, or by the
    checksum that the publisher states beside it. What has neither is taken from a mirror, which the user has
    chosen, but not from the network: it is downloaded, its hash is told, and it stays aside until it is accepted.

    Parameters
    ----------
    name : str
        Key of the catalogue.
    folder : Path, optional
        Cache folder; see ``cache_folder``.
    progress : Progress
        Told the share done, and the bytes. Cancelling leaves what came for the next try.
    accept_unverified : bool
        Take files whose hash nobody has recorded; the hash is then recorded beside them.

    Returns
    -------
    list of Path
        The first one is the file to open.

    Raises
    ------
    InputError
        In one sentence: unknown name, no network, no such file, another hash than expected, no space, no
        permission, a hash that must be accepted. Nothing half-written ever has the file's own name.

    Examples
    --------
    >>> fetch("kat")
    Traceback (most recent call last):
    kazgeo.errors.InputError: data set 'kat' is not in the catalogue; did you mean 'kato'?
    """
    dataset = _find(name)
    cache = cache_folder(folder) / name
    if (cached := _cached(dataset, cache)) is not None:
        progress(1.0, f"{name}: already in '{cache}'")
        return cached
    mirror = _mirror()
    with _alone(cache):
        if mirror is not None and (paths := _from_mirror(dataset, mirror, cache, progress)) is not None:
            return paths
        return _from_publisher(dataset, cache, progress, accept_unverified, mirror)


# ---------------------------------------------------------------- cache


@contextlib.contextmanager
def _alone(cache: Path) -> Iterator[None]:
    """Keep other processes from fetching the same data set at the same time."""
    lock = cache / ".lock"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        file = lock.open("a")
    except OSError as error:
        raise unwritable(lock, error) from error
    with file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(
                f"'{cache}' is being filled by another process; wait for it to end, then try again"
            ) from error
        except (ImportError, OSError):  # Windows, or a file system without locks: the hash tells a mixed file
            pass
        yield


def _find(name: str) -> Dataset:
    if name not in CATALOGUE:
        raise unknown("data set", name, CATALOGUE, "in the catalogue")
    return CATALOGUE[name]


def _cached(dataset: Dataset, cache: Path) -> list[Path] | None:
    for edition in dataset.editions:
        paths = [cache / file.name for file in edition]
        if all(_in_cache(path, file) for path, file in zip(paths, edition, strict=True)):
            return paths
    return None


def _in_cache(path: Path, file: RemoteFile) -> bool:
    if not path.is_file():
        return False
    known = file.sha256 or _recorded(path)
    return known is not None and sha256(path) == known


def _is_the_file(path: Path, known: str | None) -> bool:
    return path.is_file() and path.stat().st_size > 0 and (known is None or sha256(path) == known)


def _record_path(path: Path) -> Path:
    return _beside(path, ".sha256")


def _recorded(path: Path) -> str | None:
    """Return the hash recorded when the file was accepted."""
    try:
        return _record_path(path).read_text(encoding="utf-8").split(maxsplit=1)[0]
    except (OSError, IndexError, UnicodeDecodeError):
        return None


def _keep(waiting: Path, target: Path, file: RemoteFile, digest: str) -> None:
    """Give a verified file its own name, and record its hash where the catalogue has none."""
    if file.sha256 is None:
        with replacing(_record_path(target)) as beside:
            beside.write_text(f"{digest}  {target.name}\n", encoding="utf-8")
    try:
        waiting.replace(target)
    except OSError as error:
        raise InputError(f"'{target}' can't be written: {error.strerror or error}") from error


# ---------------------------------------------------------------- mirror


@dataclass(frozen=True)
class _Mirror:
    """Where ``KAZGEO_DATA_MIRROR`` points: a folder, or the start of an address."""

    folder: Path | None
    address: str = ""


def _mirror() -> _Mirror | None:
    named = os.environ.get(MIRROR_VARIABLE, "").strip()
    if not named:
        return None
    parts = urlsplit(named)
    if parts.scheme in {"http", "https"}:
        return _Mirror(None, named.rstrip("/"))
    if parts.scheme == "file" and parts.netloc in {"", "localhost"}:
        folder = Path(url2pathname(parts.path))
    elif "://" in named:
        raise InputError(f"{MIRROR_VARIABLE} is '{named}'; wanted a folder or a file, http or https address")
    else:
        folder = Path(named).expanduser()
    if not folder.is_dir():
        raise InputError(f"{MIRROR_VARIABLE} is '{named}', which is not a folder; mend it, or unset it to do without")
    return _Mirror(folder)


def _from_mirror(dataset: Dataset, mirror: _Mirror, cache: Path, progress: Progress) -> list[Path] | None:
    """Return the files copied from the mirror, or None when it doesn't hold the data set."""
    for edition in dataset.editions:
        paths: list[Path] = []
        for i, file in enumerate(edition):
            step = part(progress, i / len(edition), (i + 1) / len(edition))
            try:
                paths.append(_mirrored(file, mirror, cache, step))
            except Missing:
                _forget_unverified(paths, edition)
                break
        if len(paths) == len(edition):
            return paths
    return None


def _forget_unverified(paths: list[Path], edition: tuple[RemoteFile, ...]) -> None:
    """Don't let files taken on trust from half an edition mix with files of another origin."""
    for path, file in zip(paths, edition, strict=False):
        if file.sha256 is None:
            path.unlink(missing_ok=True)
            _record_path(path).unlink(missing_ok=True)


def _mirrored(file: RemoteFile, mirror: _Mirror, cache: Path, progress: Progress) -> Path:
    target = cache / file.name
    waiting = _beside(target, ".part")
    if mirror.folder is not None:
        source = str(mirror.folder / file.mirror_name)
        copy(Path(source), waiting, progress=progress)
    else:
        source = f"{mirror.address}/{quote(file.mirror_name)}"
        ResumingDownloader(progress=progress, size_bytes=file.size_bytes)(source, waiting)
    digest = _verified(waiting, source, file)
    if file.sha256 is None and file.checksum:
        _meets_md5(waiting, source, source + ".md5")
    _keep(waiting, target, file, digest)
    return target


# ---------------------------------------------------------------- publisher


def _from_publisher(
    dataset: Dataset, cache: Path, progress: Progress, accept_unverified: bool, mirror: _Mirror | None
) -> list[Path]:
    if not all(file.address for file in dataset.files) or not dataset.files:
        looked = f"; the mirror '{mirror.folder or mirror.address}' doesn't hold it" if mirror else ""
        names = listing(file.mirror_name for file in dataset.converted)
        raise InputError(
            f"data set '{dataset.name}' is published nowhere as a file, it comes from a mirror only{looked}; "
            f"put {names} into a folder and name that folder in {MIRROR_VARIABLE}"
        )
    doubtful: list[str] = []
    instead = listing(file.mirror_name for file in dataset.editions[0])
    for i, file in enumerate(dataset.files):
        step = part(progress, i / len(dataset.files), (i + 1) / len(dataset.files))
        download = ResumingDownloader(progress=step, size_bytes=file.size_bytes, instead=instead)
        digest = _published(file, cache, download, accept_unverified)
        if digest is not None:
            doubtful.append(f"{file.name} sha256 {digest}")
    if doubtful:
        raise InputError(
            f"data set '{dataset.name}' was downloaded, but nobody has recorded a hash to verify it by, so it stays "
            f"aside in '{cache}': {', '.join(doubtful)}; compare with a source you trust and accept it "
            "(--accept-unverified; in Python accept_unverified=True)"
        )
    return [cache / file.name for file in dataset.files]


def _published(file: RemoteFile, cache: Path, download: ResumingDownloader, accept_unverified: bool) -> str | None:
    """Bring one file from its publisher; return its hash when it still waits to be accepted."""
    target = cache / file.name
    waiting, aside = _beside(target, ".part"), _beside(target, ".unverified")
    if _in_cache(target, file):
        return None
    if file.sha256 is None and aside.is_file():
        digest = sha256(aside)
    else:
        download(file.address, waiting)
        digest = _verified(waiting, file.address, file)
        if file.sha256 is not None or (file.checksum and _meets_md5(waiting, file.address, file.checksum)):
            _keep(waiting, target, file, digest)
            return None
        waiting.replace(aside)
    if accept_unverified:
        _keep(aside, target, file, digest)
        return None
    return digest


def _beside(target: Path, suffix: str) -> Path:
    return target.with_name(target.name + suffix)


def _verified(waiting: Path, source: str, file: RemoteFile) -> str:
    """Return the hash of what came; remove it when it isn't what the catalogue names."""
    digest = sha256(waiting)
    if file.sha256 is not None and digest != file.sha256:
        waiting.unlink()
        raise InputError(
            f"'{source}' is not the file that the catalogue names: expected sha256 {file.sha256}, got {digest}; "
            "what came was removed (another edition, or damaged on the way)"
        )
    return digest


def _meets_md5(waiting: Path, source: str, checksum: str) -> bool:
    """Return whether an MD5 is stated beside the source; an error when it disagrees with what came."""
    stated = _stated_md5(checksum, _beside(waiting, ".md5"))
    if stated is None:
        return False
    with waiting.open("rb") as opened:
        got = hashlib.file_digest(opened, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if got != stated:
        waiting.unlink()
        raise InputError(
            f"'{source}' doesn't meet the checksum stated in '{checksum}': expected MD5 {stated}, got {got}; "
            "what came was removed; the publisher may just have renewed the file: try again"
        )
    return True


def _stated_md5(checksum: str, scratch: Path) -> str | None:
    try:
        if urlsplit(checksum).scheme in {"http", "https"}:
            ResumingDownloader()(checksum, scratch)
        else:
            copy(Path(checksum), scratch)
        with scratch.open("rb") as opened:
            found = _MD5.search(opened.read(4096).decode("ascii", errors="replace"))
    except Missing:
        return None
    finally:
        scratch.unlink(missing_ok=True)
    if found is None:
        raise InputError(f"'{checksum}' states no MD5; nothing was kept")
    return found[0].lower()
