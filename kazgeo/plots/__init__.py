"""Print maps and charts for paper: drawn by matplotlib without pyplot, so that nothing global changes.

A module that draws only: every number it shows was computed elsewhere.
"""

from __future__ import annotations

from kazgeo.plots._charts import bar_chart, line_chart
from kazgeo.plots._map import print_map
from kazgeo.plots._page import save
from kazgeo.plots._scatter import scatter_chart

__all__ = ["bar_chart", "line_chart", "print_map", "save", "scatter_chart"]
