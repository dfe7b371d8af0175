"""The engine behind the QGIS plugin: jobs and answers as JSON, one object a line, on standard input and output.

``python -m kazgeo.worker`` answers with a greeting, then takes jobs until standard input is closed, "stop" comes or
nothing has come for ``--idle`` seconds. Docs: ``docs/qgis.md``, section "How it talks to the engine".
"""

from __future__ import annotations

__all__ = ["PROTOCOL"]

#: Raised when an older plugin could no longer talk to this engine, or the other way round.
PROTOCOL = 1
