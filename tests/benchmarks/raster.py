"""Cost distance over a made friction surface, against scikit-image, xarray-spatial and r.cost of GRASS."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import geopandas
import numpy as np
import xarray
from numpy.typing import NDArray

from kazgeo.accessibility.cost_distance import Reach, cost_distance
from tests.benchmarks.task import Task

__all__ = ["tasks"]

#: Cells of a side; another number by the variable of the same name.
SIDE = int(os.environ.get("SIDE", "6000"))


@functools.cache
def surface(side: int, kind: str = "float64") -> xarray.DataArray:
    """Return smooth ground of 10 to 40 minutes a kilometre, a road of one cell every 60, and 0.2 % of barriers."""
    import rioxarray  # noqa: F401

    rng = np.random.default_rng(4)
    along, down = np.full(side, np.inf), np.full(side, np.inf)
    for _ in range(side // 60):
        row, column = rng.integers(0, side, 2)
        along[row] = min(along[row], rng.uniform(0.6, 1.5))
        down[column] = min(down[column], rng.uniform(0.6, 1.5))
    x, seconds = np.linspace(0, 6, side), np.empty((side, side), kind)
    for i in range(side):  # row by row: the whole as float64 would be larger than the surface
        minutes = 25 + 15 * np.sin(x * 1.7 + 1) * np.cos(x[i] * 1.3)
        minutes = np.minimum(np.minimum(minutes, along[i]), down)
        minutes[rng.random(side) < 0.002] = np.nan
        seconds[i] = minutes * 60 / 1000
    at = 500.0 + 1000 * np.arange(side)
    return xarray.DataArray(seconds, {"y": at[::-1], "x": at}, ("y", "x")).rio.write_crs(32642)


@functools.cache
def sources(side: int, kind: str = "float64") -> geopandas.GeoSeries:
    """Return 100 places where one can pass."""
    made = surface(side, kind)
    drawn = np.random.default_rng(5).integers(0, side, (200, 2))
    free = drawn[np.isfinite(made.values[tuple(drawn.T)])][:100]
    return geopandas.GeoSeries.from_xy(made.x.values[free[:, 1]], made.y.values[free[:, 0]], crs=32642)


def tasks() -> Iterator[Task]:
    """Yield the tasks of a surface."""
    made, places = surface(SIDE), sources(SIDE)
    cost_distance(surface(60), sources(60))
    name = f"cost distance, {SIDE:,} x {SIDE:,} cells, 100 sources"

    def ours() -> object:
        return cost_distance(made, places)

    reach, numbers = Reach(made), [row * SIDE + column for row, column in cells(made, places).tolist()]
    yield Task(f"100 catchments of 60 min, {SIDE:,} x {SIDE:,} cells, prepared", "", lambda: [
        reach.within(number, 3600.0) for number in numbers
    ], None)  # fmt: skip
    if find_spec("skimage"):
        from skimage.graph import MCP_Geometric

        cost = np.where(np.isnan(made.values), -1, made.values)
        starts = [tuple(cell) for cell in cells(made, places).tolist()]
        yield Task(
            name, "skimage MCP_Geometric", ours, lambda: MCP_Geometric(cost, sampling=(1000, 1000)).find_costs(starts)
        )
    if find_spec("xrspatial"):
        from xrspatial.cost_distance import cost_distance as theirs

        yield Task(
            name, "xarray-spatial, float32", ours, lambda: theirs(marked(made, places), made),
            warm=lambda: theirs(marked(surface(60), sources(60)), surface(60)),
        )  # fmt: skip
    if shutil.which("grass"):
        yield Task(name, "GRASS r.cost, map imported before", ours, r_cost(made, places))


def cells(made: xarray.DataArray, places: geopandas.GeoSeries) -> NDArray[np.int64]:
    """Return row and column of the places."""
    rows = len(made.y) - 1 - ((places.y.to_numpy() - 500) / 1000).round().astype(int)
    return np.c_[rows, ((places.x.to_numpy() - 500) / 1000).round().astype(int)]


def marked(made: xarray.DataArray, places: geopandas.GeoSeries) -> xarray.DataArray:
    """Return a raster with 1 where there is a source."""
    values = np.zeros(made.shape)
    values[tuple(cells(made, places).T)] = 1.0
    return made.copy(data=values)


def r_cost(made: xarray.DataArray, places: geopandas.GeoSeries) -> Callable[[], object]:
    """Return a call of r.cost in a database of its own, with as much memory as it wants."""
    folder = Path(tempfile.mkdtemp(prefix="kazgeo_grass_"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (made * 1000).rio.write_nodata(np.nan).rio.to_raster(folder / "cost.tif")
    at = ",".join(f"{x},{y}" for x, y in zip(places.x, places.y, strict=True))

    def run(*command: str) -> None:
        subprocess.run(["grass", str(folder / "db" / "PERMANENT"), "--exec", *command], check=True, capture_output=True)

    subprocess.run(["grass", "-e", "-c", "EPSG:32642", str(folder / "db")], check=True, capture_output=True)
    run("r.in.gdal", f"input={folder / 'cost.tif'}", "output=cost")
    run("g.region", "raster=cost")
    asked = ("r.cost", "--overwrite", "input=cost", "output=found", f"start_coordinates={at}", "memory=4000")
    return lambda: run(*asked)
