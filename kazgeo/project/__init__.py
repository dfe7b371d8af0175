"""The planner's project: one TOML file in; styled layers, maps, a web page and a report out."""

from kazgeo.project.check import check
from kazgeo.project.config import Project, load
from kazgeo.project.run import Run, run

__all__ = ["Project", "Run", "check", "load", "run"]
