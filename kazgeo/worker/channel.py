"""The line between plugin and engine: what a library prints can't reach it, and "cancel" is heard during work."""

from __future__ import annotations

import json
import logging
import math
import os
import queue
import sys
import threading
import time
from collections.abc import Mapping
from typing import IO, Any

from kazgeo.errors import Cancelled
from kazgeo.provenance import drop_unfinished

__all__ = ["Channel", "listen"]

#: A cancelled job has so long to come to an end by itself; then the process goes.
_PATIENCE_S = 0.4
_GAVE_UP = 3
#: At most so many reports of progress a second.
_RATE = 20


class Channel:
    """JSON objects, one a line: jobs in, answers out.

    Assumption: made once, before anything is printed; from then on standard output of this process, of its C
    libraries and of its children is standard error.
    """

    def __init__(self, source: IO[str] | None = None, target: IO[str] | None = None) -> None:
        if target is None:
            target = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
            os.dup2(2, 1)
            sys.stdout = sys.stderr
        self._target = target
        self._source = source if source is not None else sys.stdin
        self._lock = threading.Lock()
        self._jobs: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._cancelled: set[str] = set()
        self._told = 0.0
        self._at_work = ""
        threading.Thread(target=self._listen, name="kazgeo-channel", daemon=True).start()

    def send(self, type_: str, **values: object) -> None:
        """Send one answer; numbers that JSON can't hold become null."""
        line = json.dumps({"type": type_, **_plain(values)}, ensure_ascii=False, allow_nan=False, default=str)
        with self._lock:
            self._target.write(line + "\n")
            self._target.flush()

    def next_job(self, idle_s: float) -> dict[str, Any] | None:
        """Return the next job; None when the other side is gone, said stop, or nothing came for so many seconds."""
        self._at_work = ""
        try:
            job = self._jobs.get(timeout=idle_s)
        except queue.Empty:
            return None
        self._at_work = str((job or {}).get("id", ""))
        return job

    def is_cancelled(self, job: str) -> bool:
        """Return whether the other side wants a job no more."""
        return job in self._cancelled

    def progress(self, job: str, fraction: float, message: str) -> None:
        """Report progress, unless a report went out just now.

        Raises
        ------
        Cancelled
            The other side wants the job no more.
        """
        if self.is_cancelled(job):
            raise Cancelled
        now = time.monotonic()
        if now - self._told >= 1 / _RATE:
            self._told = now
            self.send("progress", id=job, fraction=round(min(max(fraction, 0.0), 1.0), 4), message=message)

    def _listen(self) -> None:
        for line in self._source:
            try:
                message = json.loads(line)
                kind, job = message["type"], str(message.get("id", ""))
            except (ValueError, KeyError, TypeError, AttributeError):
                self.send("error", id="", cause="protocol", message=f"not a JSON object with a type: {line[:200]!r}")
                continue
            if kind == "cancel":
                self._cancelled.add(job)
                threading.Timer(_PATIENCE_S, self._give_up, (job,)).start()
            elif kind == "stop":
                break
            else:
                self._jobs.put(message)
        self._jobs.put(None)
        self._leave()

    def _leave(self) -> None:
        """End the process soon, even in the middle of a job: nobody is left to read the answer."""
        if self._source is sys.stdin:
            self._cancelled = _All()
            time.sleep(2.0)
            drop_unfinished()
            os._exit(0)

    def _give_up(self, job: str) -> None:
        """End the process when a cancelled job is in the middle of something that hears nothing."""
        if self._source is sys.stdin and job and self._at_work == job:
            drop_unfinished()
            os._exit(_GAVE_UP)


class _Log(logging.Handler):
    """Sends what libraries log as messages for whoever looks for a fault."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(logging.INFO)
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        self._channel.send("log", level=record.levelname.lower(), text=f"{record.name}: {record.getMessage()}")


def listen(channel: Channel) -> None:
    """Send Python's warnings and what libraries log over the channel from now on."""
    logging.captureWarnings(True)
    logging.getLogger().addHandler(_Log(channel))


class _All(set[str]):
    """Contains everything: all jobs are cancelled."""

    def __contains__(self, item: object) -> bool:
        return True


def _plain(value: Any) -> Any:
    """Return plain data that JSON holds: NaN and infinities are None, NumPy scalars are Python's."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if hasattr(value, "item") and not hasattr(value, "__len__"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
