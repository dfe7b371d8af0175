"""Prints, for each task, our time, the peer's time and the ratio: ``make bench``.

Machines are noisy: each side is run several times in turn and the best is taken; compiling and imports are left out
by one warm-up call a side. Inputs are made with a fixed seed; nothing here is real data.
"""

from __future__ import annotations

import platform
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import date
from importlib import metadata

import geopandas
import numpy as np
import pandas as pd
import shapely

Task = tuple[str, str, Callable[[], object], Callable[[], object]]


def best(run: Callable[[], object], repeats: int) -> float:
    """Return the shortest time of several runs, after one that isn't counted."""
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def mosaic(side: int) -> geopandas.GeoDataFrame:
    """Return a mosaic of side x side quadrilaterals whose corners are shared and jittered."""
    rng = np.random.default_rng(1)
    grid = np.stack(np.meshgrid(np.arange(side + 1.0), np.arange(side + 1.0)), axis=-1) * 1000
    grid += rng.uniform(-200, 200, grid.shape)
    corners = np.stack([grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1], grid[:-1, :-1]], axis=2)
    shapes = shapely.polygons(corners.reshape(-1, 5, 2) + np.array([500_000.0, 5_000_000.0]))
    return geopandas.GeoDataFrame(geometry=shapes, crs=32642)


def tasks() -> Iterator[Task]:
    """Yield (task, peer, ours, theirs)."""
    from esda import Geary, Moran, Moran_Local
    from inequality.gini import Gini
    from libpysal.graph import Graph

    from kazgeo import autocorrelation, weights
    from kazgeo.disparity import gini

    land = mosaic(100)
    yield (
        "queen contiguity, 10,000 polygons, exact",
        "libpysal Graph",
        lambda: weights.contiguity(land, tolerance_m=0),
        lambda: Graph.build_contiguity(land, rook=False),
    )
    yield (
        "queen contiguity, 10,000 polygons, gaps of 100 m tolerated",
        "libpysal fuzzy",
        lambda: weights.contiguity(land),
        lambda: Graph.build_fuzzy_contiguity(land, tolerance=0.02),
    )
    rng = np.random.default_rng(2)
    spots = geopandas.GeoDataFrame(
        geometry=geopandas.points_from_xy(rng.uniform(47, 87, 100_000), rng.uniform(41, 55, 100_000)), crs=4326
    )
    flat = spots.to_crs(32642)
    yield (
        "8 nearest of 100,000 points (ours on the sphere, theirs on the plane)",
        "libpysal Graph",
        lambda: weights.knn(spots, 8),
        lambda: Graph.build_knn(flat, k=8),
    )
    w = weights.contiguity(land, tolerance_m=0).row_standardized()
    graph = w.to_libpysal()
    y = pd.Series(rng.gamma(2, size=w.n) + w.matrix @ rng.gamma(2, size=w.n), index=land.index)
    yield (
        "local Moran, 10,000 polygons, 999 draws",
        "esda",
        lambda: autocorrelation.local_moran(y, w, permutations=999, rng=1),
        lambda: Moran_Local(y.to_numpy(), graph, permutations=999, seed=1, n_jobs=1, keep_simulations=False),
    )
    yield (
        "local Moran, 10,000 polygons, ours with 99,999 draws, theirs with 999",
        "esda",
        lambda: autocorrelation.local_moran(y, w, permutations=99_999, rng=1),
        lambda: Moran_Local(y.to_numpy(), graph, permutations=999, seed=1, n_jobs=1, keep_simulations=False),
    )
    yield (
        "global Moran, 10,000 polygons, 999 draws",
        "esda",
        lambda: autocorrelation.moran(y, w, permutations=999, rng=1),
        lambda: Moran(y.to_numpy(), graph, permutations=999),
    )
    yield (
        "Geary's C, 10,000 polygons, 999 draws",
        "esda",
        lambda: autocorrelation.geary(y, w, permutations=999, rng=1),
        lambda: Geary(y.to_numpy(), graph, permutations=999),
    )
    yield "Gini, 10,000 values", "inequality", lambda: gini(y), lambda: Gini(y.to_numpy())


def main() -> None:
    """Print the table as Markdown."""
    names = ("kazgeo", "libpysal", "esda", "inequality", "numpy", "scipy", "shapely", "geopandas")
    versions = ", ".join(f"{n} {metadata.version(n)}" for n in names)
    print(f"{date.today().isoformat()}, Python {platform.python_version()}, {versions}\n")
    print("| task | peer | ours, s | peer, s | peer / ours |\n|---|---|---|---|---|")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for task, peer, ours, theirs in tasks():
            mine, other = best(ours, 3), best(theirs, 3)
            print(f"| {task} | {peer} | {mine:.3f} | {other:.3f} | {other / mine:.1f} |", flush=True)


if __name__ == "__main__":
    main()
