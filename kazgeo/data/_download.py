"""A downloader that goes on where the last try stopped: pooch has none.

``ResumingDownloader`` has pooch's downloader protocol, ``(url, output_file, pooch)``, so that it serves in
``pooch.retrieve(downloader=...)`` too. It writes straight into ``output_file``, which its caller names
``*.part``.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kazgeo.errors import InputError
from kazgeo.progress import Progress, silent

if TYPE_CHECKING:
    import requests  # type: ignore[import-untyped,unused-ignore]

__all__ = ["MIRROR_VARIABLE", "Missing", "ResumingDownloader", "copy", "unwritable"]

MIRROR_VARIABLE = "KAZGEO_DATA_MIRROR"

_BLOCK_BYTES = 1 << 15
_COPY_BYTES = 1 << 20
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
_MEGABYTE = 1_000_000


class Missing(InputError):
    """The server has no such file (404, 410)."""


class _Broken(Exception):
    """A fault that another try may mend."""


class _Unreachable(_Broken):
    """There is no way to the server."""


class ResumingDownloader:
    """Download over http(s), going on with what an earlier try left in the output file.

    Parameters
    ----------
    progress : Progress
        Told the share and the bytes after each block; cancelling leaves the part for the next try.
    timeout_s : float
        Longest silence of the server, seconds.
    pauses_s : tuple of float
        Waits before each further try, seconds; their number is the number of further tries.
    size_bytes : int, optional
        Length that the file must have, bytes.
    instead : str
        What a user without network puts into a mirror; named in the error.
    """

    def __init__(
        self,
        *,
        progress: Progress = silent,
        timeout_s: float = 30.0,
        pauses_s: tuple[float, ...] = (0.5, 2.0, 5.0),
        size_bytes: int | None = None,
        instead: str = "the file",
    ) -> None:
        self.progress = progress
        self.timeout_s = timeout_s
        self.pauses_s = pauses_s
        self.size_bytes = size_bytes
        self.instead = instead
        self._share = 0.0

    def __call__(self, url: str, output_file: str | Path, pooch: object = None, check_only: bool = False) -> None:
        """Bring ``url`` into ``output_file``.

        Raises
        ------
        InputError
            One sentence: an address of another kind, no network, no such file, a broken or endless answer,
            no space.
        """
        del pooch, check_only
        import requests  # type: ignore[import-untyped,unused-ignore]

        if urlsplit(url).scheme not in {"http", "https"}:
            raise InputError(f"address '{url}' is neither http nor https; nothing was downloaded")
        part = Path(output_file)
        with requests.Session() as session, _opened(part) as file:
            session.max_redirects = 5
            for pause_s in (*self.pauses_s, None):
                try:
                    self._try(session, url, file, part)
                    break
                except _Broken as broken:
                    if pause_s is None:
                        raise InputError(self._advice(broken, part)) from broken
                    self.progress(self._share, f"{broken}; trying again")
                    time.sleep(pause_s)
        _state_path(part).unlink(missing_ok=True)

    def _advice(self, broken: _Broken, part: Path) -> str:
        if not isinstance(broken, _Unreachable):
            return str(broken)
        return (
            f"{broken}: the network is off, or the address is blocked or gone; connect and try again, or put "
            f"{self.instead} into a folder and name that folder in {MIRROR_VARIABLE} "
            f"(fetched files are kept in '{part.parent}')"
        )

    def _try(self, session: requests.Session, url: str, file: io.FileIO, part: Path) -> None:
        start, validator = _left_over(part, url)
        headers = {"Accept-Encoding": "identity", "User-Agent": "kazgeo"}
        if start:
            headers |= {"Range": f"bytes={start}-", "If-Range": validator}
        with _answer(session, url, headers, self.timeout_s) as response:
            start, total = _begins(response, start, url, part)
            if total is None or start < total:
                _remember(part, url, response, total)
                _put(file, part, start)
                start = self._receive(response, url, file, part, start, total)
        if not start:
            raise InputError(f"'{url}' gave an empty file; nothing was kept")
        if start != (total or start):
            raise _Broken(f"'{url}' broke off after {start} of {total} bytes; the part is kept in '{part}'")

    def _receive(
        self, response: requests.Response, url: str, file: io.FileIO, part: Path, done: int, total: int | None
    ) -> int:
        for block in _blocks(response, url, done, total, part):
            _write(file, part, block)
            done += len(block)
            limit = total or self.size_bytes
            if limit and done > limit:
                _put(file, part, 0)
                raise InputError(f"'{url}' gave more than the {limit} bytes it should have; nothing was kept")
            self._share = min(done / limit, 1.0) if limit else 0.0
            self.progress(self._share, _amount(part, done, limit))
        return done


def copy(source: Path, part: Path, *, progress: Progress = silent) -> None:
    """Copy a file of a mirror's folder into ``part``, block by block.

    Raises
    ------
    Missing
        When the mirror has no such file.
    InputError
        When the file is empty or unreadable, or when ``part`` can't be written.
    """
    if not source.is_file():
        raise Missing(f"mirror: '{source}' is not there")
    done = 0
    with _opened(part) as file:
        _put(file, part, 0)
        try:
            total = source.stat().st_size
            opened = source.open("rb")
        except OSError as error:
            raise _unreadable(source, error) from error
        with opened:
            while block := _read(opened, source):
                _write(file, part, block)
                done += len(block)
                progress(min(done / max(total, done), 1.0), _amount(part, done, max(total, done)))
    if not done:
        raise InputError(f"mirror: '{source}' is an empty file; copy it there again")


def _read(opened: io.BufferedReader, source: Path) -> bytes:
    try:
        return opened.read(_COPY_BYTES)
    except OSError as error:
        raise _unreadable(source, error) from error


def _unreadable(source: Path, error: OSError) -> InputError:
    return InputError(f"mirror: '{source}' can't be read: {error.strerror or error}")


def _put(file: io.FileIO, part: Path, position: int) -> None:
    """Go to a position of the file and cut off what stands behind it."""
    try:
        file.seek(position)
        file.truncate()
    except OSError as error:
        raise unwritable(part, error) from error


def _write(file: io.FileIO, part: Path, block: bytes) -> None:
    """Write a whole block without a buffer, so that a full disk is told here and not at closing."""
    view = memoryview(block)
    try:
        while view:
            view = view[file.write(view) :]
    except OSError as error:
        raise unwritable(part, error) from error


def unwritable(part: Path, error: OSError) -> InputError:
    return InputError(
        f"'{part}' can't be written: {error.strerror or error}; free some space, or name a folder that you may "
        "write to in KAZGEO_CACHE; what came so far is kept for the next try"
    )


@contextlib.contextmanager
def _opened(part: Path) -> Iterator[io.FileIO]:
    """Open the part for writing where it stands; an empty one is removed at the end."""
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        part.touch()
        file = io.FileIO(part, "r+")
    except OSError as error:
        raise unwritable(part, error) from error
    try:
        with file:
            yield file
    finally:
        with contextlib.suppress(OSError):
            if not part.stat().st_size:
                part.unlink()
                _state_path(part).unlink(missing_ok=True)


def _state_path(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _left_over(part: Path, url: str) -> tuple[int, str]:
    """Return how much of this very file an earlier try left, and the mark by which the server knows it."""
    try:
        state: Any = json.loads(_state_path(part).read_text(encoding="utf-8"))
        size = part.stat().st_size
    except (OSError, ValueError):
        return 0, ""
    known = isinstance(state, dict) and state.get("address") == url and isinstance(state.get("validator"), str)
    return (size, state["validator"]) if known and state["validator"] else (0, "")


def _remember(part: Path, url: str, response: requests.Response, total: int | None) -> None:
    etag = response.headers.get("ETag", "")
    strong = etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified", "")
    state = {"address": url, "validator": strong if total else ""}
    try:
        _state_path(part).write_text(json.dumps(state), encoding="utf-8")
    except OSError as error:
        raise unwritable(part, error) from error


@contextlib.contextmanager
def _answer(
    session: requests.Session, url: str, headers: dict[str, str], timeout_s: float
) -> Iterator[requests.Response]:
    """Ask the server; tell apart what can't be mended from what another try may mend."""
    import requests.exceptions as faults  # type: ignore[import-untyped,unused-ignore]

    try:
        response = session.get(url, headers=headers, stream=True, timeout=timeout_s)
    except faults.TooManyRedirects as error:
        raise InputError(f"'{url}' redirects in a circle; nothing was downloaded") from error
    except (faults.SSLError, faults.InvalidSchema, faults.InvalidURL, faults.MissingSchema) as error:
        raise InputError(f"'{url}' can't be asked safely: {error}; nothing was downloaded") from error
    except faults.ReadTimeout as error:
        raise _Broken(f"'{url}' did not answer within {timeout_s:g} s") from error
    except (faults.ConnectionError, faults.Timeout) as error:
        raise _Unreachable(f"can't reach '{url}'") from error
    except faults.RequestException as error:
        raise InputError(f"'{url}' could not be downloaded: {error}") from error
    with response:
        _check_answer(response, url)
        yield response


def _check_answer(response: requests.Response, url: str) -> None:
    code = response.status_code
    if url.startswith("https:") and not response.url.startswith("https:"):
        raise InputError(f"'{url}' redirects to an address without encryption; nothing was downloaded")
    if code in {404, 410}:
        raise Missing(f"'{url}' is not there (HTTP {code}); the publisher has moved or withdrawn the file")
    if code == 429 or code >= 500:
        raise _Broken(f"'{url}' is out of order (HTTP {code} {response.reason}); try again later")
    if code not in {200, 206, 416}:
        raise InputError(f"'{url}' was refused (HTTP {code} {response.reason}); nothing was downloaded")
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if code == 200 and kind == "text/html" and not urlsplit(url).path.endswith((".html", ".htm")):
        raise InputError(
            f"'{url}' gave a web page instead of the file, perhaps the login page of the network; nothing was kept"
        )


def _begins(response: requests.Response, asked: int, url: str, part: Path) -> tuple[int, int | None]:
    """Return from which byte the answer goes on, and the length of the whole file."""
    length = response.headers.get("Content-Length", "")
    if response.status_code == 200:
        plain = response.headers.get("Content-Encoding", "identity") == "identity"
        return 0, int(length) if plain and length.isdigit() else None
    span = response.headers.get("Content-Range", "")
    if response.status_code == 416 and span == f"bytes */{asked}" and asked:
        return asked, asked
    match = _RANGE.fullmatch(span)
    if response.status_code == 206 and match and int(match[1]) == asked and asked:
        return asked, int(match[2])
    _state_path(part).unlink(missing_ok=True)
    raise _Broken(f"'{url}' answered with another stretch than asked for ('{span}')")


def _blocks(response: requests.Response, url: str, done: int, total: int | None, part: Path) -> Iterator[bytes]:
    import requests.exceptions as faults  # type: ignore[import-untyped,unused-ignore]

    try:
        yield from response.iter_content(_BLOCK_BYTES)
    except faults.RequestException as error:
        came = f"{done} bytes or more" if total is None else f"more than {done} of {total} bytes"
        raise _Broken(f"'{url}' broke off after {came}; the part is kept in '{part}'") from error


def _amount(part: Path, done: int, total: int | None) -> str:
    name = part.name.removesuffix(".part")
    whole = f" of {total / _MEGABYTE:.1f}" if total else ""
    return f"{name}: {done / _MEGABYTE:.1f}{whole} MB"
