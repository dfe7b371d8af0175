"""Work of the engine in the background of the desktop: progress in QGIS's task manager, cancel, what was said."""

from __future__ import annotations

from qgis.core import QgsProcessingException, QgsProcessingFeedback, QgsTask

from kazgeo_qgis.engine.client import Cancelled, EngineFault, EngineMissing, Refused


class Listener(QgsProcessingFeedback):
    """Keeps what the engine says and passes its progress on."""

    def __init__(self) -> None:
        super().__init__(False)
        self.said: list = []

    def pushInfo(self, info: str) -> None:
        """Keep a sentence."""
        self.said.append(info)

    def pushWarning(self, warning: str) -> None:
        """Keep a warning."""
        self.said.append(warning)


class EngineTask(QgsTask):
    """Work of the engine.

    Parameters
    ----------
    title : str
        As the task manager shows it.
    work : callable
        Done in the task's own thread, given the listener; returns the engine's answer.
    done : callable
        Called in the main thread with the answer, or None, and the sentence that says why there is none; an empty
        sentence means cancelled.
    """

    def __init__(self, title: str, work, done) -> None:
        super().__init__(title, QgsTask.Flag.CanCancel)
        self.listener = Listener()
        self.listener.progressChanged.connect(self.setProgress)
        self._work, self._done = work, done
        self._answer, self._why = None, ""

    def run(self) -> bool:
        """Do the work in a thread of its own."""
        try:
            self._answer = self._work(self.listener)
        except Cancelled:
            return False
        except (EngineMissing, EngineFault, Refused, QgsProcessingException) as fault:
            self._why = str(fault)
            return False
        return True

    def cancel(self) -> None:
        """Ask the engine to stop."""
        self.listener.cancel()
        super().cancel()

    def forget(self) -> None:
        """Cancel, and tell nobody: the plugin goes."""
        self._done = None
        self.cancel()

    def finished(self, result: bool) -> None:
        """Tell the caller."""
        if self._done is not None:
            self._done(self._answer if result else None, self._why)
