"""Makes the engine's environment of a Python that is there: a virtual environment, KazGeo in it, tried."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import threading
import time
from dataclasses import dataclass

from qgis.PyQt.QtCore import QLockFile

from kazgeo_qgis.engine import PROTOCOL
from kazgeo_qgis.engine.environment import child_environment, kill_tree, own_folder, popen_options
from kazgeo_qgis.engine.find import interpreter_of, profile_environment
from kazgeo_qgis.engine.pythons import InstallFault, Python, find_pythons, probe
from kazgeo_qgis.words import tr

__all__ = ["InstallCancelled", "InstallFault", "Installation", "Python", "Told", "ask", "find_pythons", "mend", "probe"]

#: Seconds until a new engine has said its version: the first start on a slow disk, under a virus scanner.
ANSWER_S = 120.0
_ABSENT = re.compile(r"No matching distribution found for ([^\s;(]+)")
_NETWORK = (
    "NewConnectionError", "NameResolutionError", "Failed to establish a new connection", "getaddrinfo failed",
    "name resolution", "ConnectTimeoutError", "Read timed out", "ProxyError", "Network is unreachable",
    "ConnectionResetError", "Connection aborted", "Max retries exceeded", "RemoteDisconnected", "Connection broken",
)  # fmt: skip


class InstallCancelled(Exception):
    """The user wants it no more; everything is as before."""


@dataclass(frozen=True)
class Told:
    """What an engine says of itself."""

    kazgeo: str
    protocol: int
    python: str


# --- an engine that is there ----------------------------------------------------------------------------


def ask(python: str) -> Told:
    """Return what the engine in a Python says of itself.

    Raises
    ------
    InstallFault
        There is none, or it speaks another protocol.
    """
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
            [python, "-m", "kazgeo.worker", "--version"], capture_output=True, stdin=subprocess.DEVNULL,
            timeout=ANSWER_S, cwd=own_folder(python), env=child_environment(), check=False, **popen_options(),
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise InstallFault(tr("The engine {path} does not answer.", path=python)) from error
    except OSError as error:
        raise InstallFault(tr("The engine {path} can't be started: {why}", path=python, why=error)) from error
    told = _understood(python, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))
    if told.protocol != PROTOCOL:
        raise InstallFault(
            tr("The engine speaks protocol {theirs}, the plugin {ours}: update KazGeo in {path}, or the "
               "plugin.", theirs=told.protocol, ours=PROTOCOL, path=python)
        )  # fmt: skip
    return told


def _understood(python: str, printed: str, faults: str) -> Told:
    for line in reversed(printed.splitlines()):
        with contextlib.suppress(ValueError, KeyError, TypeError):
            told = json.loads(line)
            return Told(str(told["kazgeo"]), int(told["protocol"]), str(told["python"]))
    if re.search(r"No module named '?kazgeo", faults):
        raise InstallFault(
            tr("The Python {path} has no KazGeo: choose another in Settings, Options, KazGeo, or press "
               "«Create environment…» there.", path=python), faults
        )  # fmt: skip
    last = (faults.strip() or printed.strip()).splitlines()[-1:] or [""]
    raise InstallFault(tr("The engine {path} can't start: {why}", path=python, why=last[0]), faults)


# --- making the environment -----------------------------------------------------------------------------


class Installation:
    """Makes the engine's environment at its place; an older one comes back when that fails.

    Parameters
    ----------
    python : Python
        What ``find_pythons`` or ``probe`` gave.
    folder : str
        A folder of wheels to install from, without any network; "" takes them from the package index.
    requirement : str
        What pip installs: a name with or without a version, a wheel's or a source folder's path.
    target : Path, optional
        The environment's place; the profile's by default.
    """

    def __init__(self, python: Python, *, folder="", requirement="kazgeo", target=None) -> None:
        self._python, self._folder, self._requirement = python, folder, requirement
        self._target = pathlib.Path(target or profile_environment()).absolute()
        self._guard, self._process, self._cancelled = threading.Lock(), None, False

    def run(self, tell=None) -> Told:
        """Do it; return what the new engine says of itself.

        Parameters
        ----------
        tell : callable, optional
            Called with "step" and what is done now, with "line" and each line that is printed.

        Raises
        ------
        InstallFault, InstallCancelled
            Nothing has changed.
        """
        self._tell = tell or (lambda _kind, _text: None)
        self._look_ahead()
        try:
            self._target.parent.mkdir(parents=True, exist_ok=True)
            with _locked(self._target):
                _mend_now(self._target)
                return self._in_its_place()
        except OSError as error:
            raise InstallFault(_os_sentence(error, self._target)) from error

    def cancel(self) -> None:
        """End it from another thread: the running program and all it has started."""
        with self._guard:
            self._cancelled = True
            if self._process is not None:
                kill_tree(self._process)

    def _look_ahead(self) -> None:
        if not self._python.whole:
            raise InstallFault(_venv_sentence(self._python))
        if self._folder and re.fullmatch(r"kazgeo\s*([=<>!~\[].*)?", self._requirement):
            folder = pathlib.Path(self._folder)
            if not folder.is_dir() or not any(folder.glob("kazgeo-*.whl")):
                raise InstallFault(
                    tr("The folder {folder} has no wheel of KazGeo (kazgeo-….whl): choose the folder with it and with "
                       "the wheels it needs.", folder=self._folder)
                )  # fmt: skip

    def _in_its_place(self) -> Told:
        """Build at the final path, because an environment can't be moved."""
        old, mark = _beside(self._target, "old"), _beside(self._target, "unfinished")
        if os.path.lexists(self._target):
            _patiently(self._target.rename, old)
        try:
            mark.write_text(str(os.getpid()), encoding="ascii")
            self._make()
            self._fill()
            told = self._try_out()
            _remove(self._target / "tmp")
            if self._cancelled:
                raise InstallCancelled
            mark.unlink()
        except BaseException:
            _mend_now(self._target)
            raise
        with contextlib.suppress(OSError):  # the next time, then
            _remove(old)
        return told

    def _make(self) -> None:
        self._tell("step", tr("Making a virtual environment with Python {version}…", version=self._python.version))
        # in its own folder: temporary files go away with it, and /tmp may be small
        (self._target / "tmp").mkdir(parents=True)
        code, said = self._run(self._python.path, "-I", "-m", "venv", str(self._target))
        if code:
            common = _common_sentence(said, self._target)
            raise InstallFault(common or _venv_sentence(self._python, said), said)

    def _fill(self) -> None:
        self._tell("step", tr("Installing KazGeo and what it needs…"))
        source = ("--no-index", "--find-links", self._folder) if self._folder else ()
        code, said = self._run(
            str(interpreter_of(self._target)), "-m", "pip", "install", "--disable-pip-version-check", "--no-input",
            "--no-color", "--progress-bar", "off", "--prefer-binary", *source, "--", self._requirement,
        )  # fmt: skip
        if code:
            raise InstallFault(_pip_sentence(said, self._target, self._folder, self._python.version), said)

    def _try_out(self) -> Told:
        self._tell("step", tr("Trying the new engine…"))
        python = str(interpreter_of(self._target))
        _, said = self._run(python, "-m", "kazgeo.worker", "--version", seconds=ANSWER_S)
        told = _understood(python, said, said)
        if told.protocol != PROTOCOL:
            raise InstallFault(
                tr("KazGeo {version} speaks protocol {theirs}, the plugin {ours}: update the plugin, or install "
                   "another KazGeo.", version=told.kazgeo, theirs=told.protocol, ours=PROTOCOL)
            )  # fmt: skip
        return told

    def _run(self, *command: str, seconds: float = 0.0) -> tuple[int, str]:
        """Run a program, telling its lines; return its code and all it printed."""
        group = {"start_new_session": True}
        if os.name == "nt":
            group = {"creationflags": int(popen_options()["creationflags"]) | 0x200}  # CREATE_NEW_PROCESS_GROUP
        with self._guard:
            if self._cancelled:
                raise InstallCancelled
            self._process = process = subprocess.Popen(  # noqa: S603 - fixed arguments, no shell
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                cwd=str(self._target.parent), env=self._environment(), **group,
            )  # fmt: skip
        watch = threading.Timer(seconds, kill_tree, (process,)) if seconds else None
        said = []
        try:
            if watch is not None:
                watch.start()
            for raw in process.stdout:
                said.append(raw.decode("utf-8", "replace").rstrip())
                self._tell("line", said[-1])
            process.wait()
        finally:
            if watch is not None:
                watch.cancel()
            with self._guard:
                self._process = None
            kill_tree(process)
            process.stdout.close()
            process.wait()
        if self._cancelled:
            raise InstallCancelled
        return process.returncode, "\n".join(said)

    def _environment(self) -> dict[str, str]:
        base = child_environment()
        if self._folder:  # nothing but the folder
            base = {k: v for k, v in base.items() if not k.upper().startswith("PIP_")}
            base["PIP_CONFIG_FILE"] = os.devnull
        for name in ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON", "PIP_DRY_RUN"):
            base.pop(name, None)
        here = str(self._target / "tmp")
        return {**base, "PIP_USER": "0", "TMPDIR": here, "TEMP": here, "TMP": here}


def mend(target=None) -> None:
    """Take away what a broken-off installation left and bring the older environment back; else do nothing."""
    place = pathlib.Path(target or profile_environment()).absolute()
    if place.parent.is_dir():
        with contextlib.suppress(OSError, InstallFault), _locked(place):
            _mend_now(place)


def _mend_now(target: pathlib.Path) -> None:
    """Come back to one whole environment or none, wherever the work was broken off."""
    old, mark = _beside(target, "old"), _beside(target, "unfinished")
    if os.path.lexists(mark):
        try:
            _remove(target)
        except OSError as error:
            raise InstallFault(
                tr("The unfinished environment {path} can't be removed now ({why}): start QGIS anew and open KazGeo's "
                   "options, which does it.", path=target, why=error)
            ) from error  # fmt: skip
        mark.unlink()
    if os.path.lexists(old):
        if os.path.lexists(target):
            _remove(old)
        else:
            _patiently(old.rename, target)


def _beside(target: pathlib.Path, what: str) -> pathlib.Path:
    return target.with_name(f"{target.name}.{what}")


@contextlib.contextmanager
def _locked(target: pathlib.Path):
    """Keep other windows and other QGISes away; the lock of one that has crashed doesn't count."""
    lock = QLockFile(str(_beside(target, "lock")))
    lock.setStaleLockTime(0)
    if not lock.tryLock(0):
        if lock.error() == QLockFile.LockError.LockFailedError:
            raise InstallFault(tr("The environment is being made already, perhaps by another QGIS: wait for its end."))
        raise PermissionError(errno.EACCES, "no lock", str(target.parent))
    try:
        yield
    finally:
        lock.unlock()


def _remove(path: pathlib.Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        _patiently(shutil.rmtree, path)


def _patiently(act, path: pathlib.Path) -> None:
    """Do it; on Windows virus scanners and programs that have just ended still hold files for a moment."""
    for wait in (0.2, 0.5, 1.0, None):
        try:
            act(path)
            return
        except PermissionError:
            if wait is None or os.name != "nt":
                raise
            for folder, _, names in os.walk(path):
                for one in (folder, *(os.path.join(folder, n) for n in names)):  # noqa: PTH118 - quick
                    if not os.path.islink(one):  # noqa: PTH114
                        with contextlib.suppress(OSError):
                            os.chmod(one, stat.S_IRWXU)  # noqa: PTH101
            time.sleep(wait)


# --- one sentence for each failure ----------------------------------------------------------------------


def _os_sentence(error: OSError, target: pathlib.Path) -> str:
    known = f"[Errno {error.errno}] {error.strerror} [WinError {getattr(error, 'winerror', None)}]"
    return _common_sentence(known, target) or tr(
        "The environment {path} can't be made: {why}", path=target, why=error.strerror or error
    )


def _common_sentence(said: str, target: pathlib.Path) -> str:
    """Return the sentence for what the system refuses; "" when it is something else."""
    if re.search(r"No space left|Errno 28\b|Errno 122\b|WinError (112|39)\b|not enough space|quota exceeded", said):
        return tr("The disk with {path} is full: free 2 GB and start again.", path=target.parent)
    if re.search(r"Errno 36\b|WinError 206\b|Long Path|File name too long", said):
        return tr(
            "Paths under {path} become too long for Windows: allow long paths in Windows, or use a profile with a "
            "shorter path.", path=target.parent
        )  # fmt: skip
    if re.search(r"Errno (1|13|30)\b|Permission denied|WinError (5|32)\b|Access is denied|Read-only file", said):
        return tr(
            "{path} can't be written: end running analyses, allow writing there, or ask whoever keeps this computer.",
            path=target.parent,
        )
    return ""


def _venv_sentence(python: Python, said: str = "") -> str:
    if not python.whole or "ensurepip" in said:
        short = ".".join(python.version.split(".")[:2])
        return tr(
            "Python {version} lacks venv or ensurepip: on Debian or Ubuntu run «sudo apt install python{short}-venv», "
            "elsewhere choose another Python.", version=python.version, short=short,
        )  # fmt: skip
    last = said.strip().splitlines()[-1:] or [""]
    return tr("{path} can't make a virtual environment: {why}", path=python.path, why=last[0])


def _pip_sentence(said: str, target: pathlib.Path, folder: str, version: str) -> str:
    common = _common_sentence(said, target)
    if common:
        return common
    if not folder and ("CERTIFICATE_VERIFY_FAILED" in said or "SSLError" in said or "SSL module" in said):
        return tr("The package index has no certificate that this computer trusts: ask whoever keeps the network, or "
                  "install from a folder of wheels.")  # fmt: skip
    if not folder and any(sign in said for sign in _NETWORK):
        return tr("The package index can't be reached: look at the network, or install from a folder of wheels.")
    if folder and "requires a different Python" in said:
        return tr("The wheels in {folder} were made with another Python: make them with Python {version}, to the last "
                  "number.", folder=folder, version=version)  # fmt: skip
    absent = _ABSENT.search(said)
    if absent and folder:
        return tr("The folder {folder} has no wheel of {name} for Python {version} and this system: put it there.",
                  folder=folder, name=absent.group(1), version=version)  # fmt: skip
    if absent:
        return tr("The package index has no {name} for Python {version}: choose another Python, or install from a "
                  "folder of wheels.", name=absent.group(1), version=version)  # fmt: skip
    faults = [line for line in said.splitlines() if line.lower().startswith("error")] or said.strip().splitlines()
    return tr("pip could not install KazGeo: {why}", why=(faults or [""])[-1])
