"""The command line: ``kazgeo run``, ``check``, ``catalogue``, ``data`` and one command per analysis."""

from kazgeo.cli.app import main

__all__ = ["main"]
