"""One process of the engine: started clean, greeted, read line by line, ended without leaving anything."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import tempfile
import threading
import time

from kazgeo_qgis.engine import PROTOCOL
from kazgeo_qgis.engine.environment import child_environment, kill_tree, own_folder, popen_options
from kazgeo_qgis.words import tr

#: Seconds until an engine has greeted: a cold start from a slow disk.
GREETING_S = 90.0


class EngineFault(Exception):
    """The engine can't work; the message is one sentence, ``details`` is for whoever looks for the fault."""

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


class Child:
    """A running ``python -m kazgeo.worker``.

    Parameters
    ----------
    python : str
        Interpreter of the engine.
    threads : int
        Threads for numeric libraries, 0 for all cores.
    idle_s : float
        After so many seconds without a job it ends by itself.
    """

    def __init__(self, python: str, threads: int, idle_s: float) -> None:
        self.python = python
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - a pipe nobody reads would block the engine
        command = [python, "-m", "kazgeo.worker", "--idle", str(idle_s)]
        own_group = {} if os.name == "nt" else {"start_new_session": True}
        try:
            self._process = subprocess.Popen(  # noqa: S603 - fixed arguments, no shell
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                cwd=own_folder(python),
                env=child_environment(threads),
                **own_group,
                **popen_options(),
            )
        except OSError as error:
            self._said.close()
            raise EngineFault(tr("The engine {path} can't be started: {why}", path=python, why=error)) from error
        self._lines: queue.Queue = queue.Queue()
        self._reader = threading.Thread(target=self._read, name="kazgeo-engine", daemon=True)
        self._reader.start()
        self._greeted = False

    def greet(self, is_cancelled) -> None:
        """Wait for the greeting; refuse an engine of another protocol."""
        end = time.monotonic() + GREETING_S
        while not self._greeted and not is_cancelled():
            told = self.next_message(0.05)
            if told is not None and told.get("type") == "hello":
                if told.get("protocol") != PROTOCOL:
                    raise EngineFault(
                        tr("The engine speaks protocol {theirs}, the plugin {ours}: update KazGeo in {path}, or the "
                           "plugin.", theirs=told.get("protocol"), ours=PROTOCOL, path=self.python)
                    )  # fmt: skip
                self._greeted = True
            elif not self.is_alive() and self._lines.empty():
                raise self.fault()
            elif time.monotonic() > end:
                raise EngineFault(tr("The engine {path} does not answer.", path=self.python), self.said())

    def send(self, message: dict) -> bool:
        """Send one object; False when nobody is there to read it."""
        try:
            self._process.stdin.write(json.dumps(message).encode("ascii") + b"\n")
            self._process.stdin.flush()
        except (OSError, ValueError):
            return False
        return True

    def next_message(self, timeout_s: float):
        """Return the next answer, None when there is none in time."""
        try:
            return self._lines.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def is_alive(self) -> bool:
        """Return whether more answers can come."""
        return self._reader.is_alive() or not self._lines.empty()

    def ended_by_itself(self) -> bool:
        """Return whether it ended in order, because it had been idle."""
        return self._process.poll() == 0

    def said(self) -> str:
        """Return the end of what the engine wrote beside its answers."""
        try:
            size = self._said.seek(0, os.SEEK_END)
            self._said.seek(max(0, size - 20_000))
            return self._said.read().decode("utf-8", "replace")
        except (OSError, ValueError):
            return ""

    def fault(self) -> EngineFault:
        """Return why it is no longer there, in one sentence."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(2)
        code, said = self._process.poll(), self.said()
        if "No module named" in said and "kazgeo" in said.split("No module named")[-1][:40]:
            return EngineFault(
                tr("The Python {path} has no KazGeo: choose another in Settings, Options, KazGeo, or press "
                   "«Create environment…» there.", path=self.python), said
            )  # fmt: skip
        if not self._greeted:
            last = said.strip().splitlines()[-1:] or [""]
            return EngineFault(tr("The engine {path} can't start: {why}", path=self.python, why=last[0]), said)
        if code in (-9, 137):
            return EngineFault(
                tr("The engine was ended from outside, perhaps for want of memory; the next run starts it again."), said
            )
        return EngineFault(
            tr("The engine ended unexpectedly (code {code}); the next run starts it again.", code=code), said
        )

    def stop(self, patience_s: float = 1.0) -> None:
        """End it: politely first, then with its children."""
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.close()
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            kill_tree(self._process)
            self._process.wait(5)
        self._reader.join(2)
        with contextlib.suppress(OSError, ValueError):
            self._process.stdout.close()
        self._said.close()

    def _read(self) -> None:
        for line in self._process.stdout:
            try:
                told = json.loads(line)
            except ValueError:
                told = None
            if not isinstance(told, dict):
                told = {"type": "log", "text": line.decode("utf-8", "replace").rstrip()}
            self._lines.put(told)
