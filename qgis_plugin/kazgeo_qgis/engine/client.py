"""Talks to the engine: one warm process for each QGIS, one job at a time, cancelled at once."""

from __future__ import annotations

import itertools
import threading
import time

from kazgeo_qgis import settings
from kazgeo_qgis.engine.child import Child, EngineFault
from kazgeo_qgis.engine.find import EngineMissing, find
from kazgeo_qgis.words import tr

__all__ = ["Cancelled", "Client", "EngineFault", "EngineMissing", "Refused", "client"]

#: After "cancel" the engine has so long to come to an end by itself, warm or gone; then it is ended.
CANCEL_S = 0.7


class Cancelled(Exception):
    """The user wants the run no more."""


class Refused(Exception):
    """The engine did not do the job; the message is one sentence, ``details`` a traceback when there is one."""

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


class Client:
    """The engine as the plugin uses it; safe from several threads, jobs wait for their turn."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._starting = threading.Lock()
        self._child = None
        self._key = None
        self._numbers = itertools.count(1)
        self._closed = False

    def is_busy(self) -> bool:
        """Return whether a job is running."""
        return self._turn.locked()

    def warm_up(self) -> None:
        """Start the engine without waiting for it, so that it loads while QGIS exports layers.

        Raises
        ------
        EngineMissing, EngineFault
            There is none, or it can't be started.
        """
        if self._turn.acquire(blocking=False):  # else it is at work for another run
            try:
                self._engine()
            finally:
                self._turn.release()

    def run(self, job: dict, feedback) -> dict:
        """Do a job, telling its progress and messages to the feedback; return its result.

        Raises
        ------
        Cancelled
            The feedback was cancelled; within a second, and no process is left at work.
        Refused
            Parameters or data are wrong; the sentence says what to do.
        EngineMissing, EngineFault
            There is no engine, or it broke; the next run starts it again.
        """
        self._take_turn(feedback)
        try:
            for attempt in (1, 2):
                child = self._engine()
                try:
                    child.greet(feedback.isCanceled)
                    if feedback.isCanceled():
                        raise Cancelled
                    answer = self._ask(child, {**job, "id": str(next(self._numbers))}, feedback)
                except EngineFault:
                    self._end(child)
                    raise
                if answer is not None:
                    return answer
                # it had been idle and ended just now: once more with a fresh one
                self._end(child)
                if attempt == 2:
                    raise child.fault()
        finally:
            self._turn.release()

    def close(self) -> None:
        """End the engine for good, as at the end of QGIS: runs that wait for their turn get none."""
        self._closed = True
        self.stop()

    def open(self) -> None:
        """Allow runs again, as when the plugin is loaded anew."""
        self._closed = False

    def stop(self) -> None:
        """End the engine; the next run starts it again."""
        with self._starting:
            child, self._child, self._key = self._child, None, None
        if child is not None:
            child.stop()

    # --- the process ------------------------------------------------------------------------------------

    def _engine(self) -> Child:
        if self._closed:
            raise Cancelled
        key = (find().python, settings.get("threads"), settings.get("idle_minutes"))
        with self._starting:
            if self._child is not None and (not self._child.is_alive() or key != self._key):
                self._child.stop()
                self._child = None
            if self._child is None:
                self._child, self._key = Child(key[0], key[1], 60.0 * key[2]), key
            return self._child

    def _end(self, child: Child) -> None:
        with self._starting:
            if self._child is child:
                self._child = None
        child.stop(0.0)

    def _take_turn(self, feedback) -> None:
        if self._turn.acquire(blocking=False):
            return
        feedback.pushInfo(tr("Another KazGeo analysis is running; this one waits for its turn."))
        while not self._turn.acquire(timeout=0.1):
            if feedback.isCanceled():
                raise Cancelled

    # --- the conversation -------------------------------------------------------------------------------

    def _ask(self, child: Child, job: dict, feedback):
        """Return the result; None when the engine had ended in order before it took the job."""
        if not child.send(job):
            if child.ended_by_itself():
                return None
            raise child.fault()
        shown, heard, deadline = None, False, None
        while True:
            if deadline is None and feedback.isCanceled():
                deadline = time.monotonic() + CANCEL_S
                child.send({"type": "cancel", "id": job["id"]})
            if deadline is not None and time.monotonic() > deadline:
                self._end(child)
                raise Cancelled
            told = child.next_message(0.05)
            if told is None:
                if child.is_alive():
                    continue
                if deadline is not None:
                    self._end(child)
                    raise Cancelled
                if not heard and child.ended_by_itself():
                    return None
                raise child.fault()
            if told.get("type") == "log":
                _log(told, feedback)
            elif told.get("id") == job["id"]:
                heard = True
                if told["type"] == "result":
                    return told
                if told["type"] == "error":
                    raise Cancelled if told.get("cause") == "cancelled" else _refused(told)
                shown = _tell(told, shown, feedback)


def _tell(told: dict, shown, feedback):
    """Pass progress and messages on; return the text that is shown now."""
    if told["type"] == "progress":
        feedback.setProgress(10 + 88 * float(told.get("fraction") or 0))
        text = told.get("message") or shown
        if text != shown:
            feedback.setProgressText(text)
        return text
    if told["type"] == "message":
        tell = feedback.pushWarning if told.get("level") == "warning" else feedback.pushInfo
        tell(str(told.get("text", "")))
    return shown


def _log(told: dict, feedback) -> None:
    text = str(told.get("text", ""))
    if settings.get("log_level") == "debug":
        feedback.pushConsoleInfo(text)
    else:
        feedback.pushDebugInfo(text)


def _refused(told: dict) -> Exception:
    message = str(told.get("message", ""))
    if told.get("cause") == "protocol":
        return EngineFault(message)
    is_ours = told.get("cause") != "input" or settings.get("log_level") == "debug"
    return Refused(message, str(told.get("details", "")) if is_ours else "")


#: The one engine of this QGIS.
client = Client()
