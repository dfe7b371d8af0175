"""Cost distance over a made friction surface, against scikit-image."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from importlib.util import find_spec

import geopandas
import numpy as np
import xarray

from kazgeo.accessibility.cost_distance import cost_distance
from tests.benchmarks.task import Task

__all__ = ["tasks"]

#: Cells of a side; another number by the variable of the same name.
SIDE = int(os.environ.get("SIDE", "6000"))


@functools.cache
def surface(side: int) -> xarray.DataArray:
    """Return smooth ground of 10 to 40 minutes a kilometre, a road of one cell every 60, and 0.2 % of barriers."""
    import rioxarray  # noqa: F401

    rng = np.random.default_rng(4)
    x, y = np.meshgrid(np.linspace(0, 6, side), np.linspace(0, 6, side))
    minutes = 25 + 15 * np.sin(x * 1.7 + 1) * np.cos(y * 1.3)
    for _ in range(side // 60):
        row, column = rng.integers(0, side, 2)
        minutes[row] = np.minimum(minutes[row], rng.uniform(0.6, 1.5))
        minutes[:, column] = np.minimum(minutes[:, column], rng.uniform(0.6, 1.5))
    minutes[rng.random((side, side)) < 0.002] = np.nan
    at = 500.0 + 1000 * np.arange(side)
    return xarray.DataArray(minutes * 60 / 1000, {"y": at[::-1], "x": at}, ("y", "x")).rio.write_crs(32642)


@functools.cache
def sources(side: int) -> geopandas.GeoSeries:
    """Return 100 places where one can pass."""
    free = np.argwhere(np.isfinite(surface(side).values))
    cells = free[np.random.default_rng(5).choice(len(free), 100, replace=False)]
    made = surface(side)
    return geopandas.GeoSeries.from_xy(made.x.values[cells[:, 1]], made.y.values[cells[:, 0]], crs=32642)


def tasks() -> Iterator[Task]:
    """Yield the tasks of a surface."""
    if not find_spec("skimage"):
        return
    from skimage.graph import MCP_Geometric

    made, places = surface(SIDE), sources(SIDE)
    cost_distance(surface(60), sources(60))
    cost = np.where(np.isnan(made.values), -1, made.values)
    rows = SIDE - 1 - ((places.y.to_numpy() - 500) / 1000).round().astype(int)
    columns = ((places.x.to_numpy() - 500) / 1000).round().astype(int)
    starts = list(zip(rows.tolist(), columns.tolist(), strict=True))
    yield Task(
        f"cost distance, {SIDE:,} x {SIDE:,} cells, 100 sources",
        "skimage MCP_Geometric",
        lambda: cost_distance(made, places),
        lambda: MCP_Geometric(cost, sampling=(1000, 1000)).find_costs(starts),
    )
