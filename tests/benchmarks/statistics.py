"""Spatial statistics against esda, libpysal and pygeoda (the program behind GeoDa)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

from kazgeo import autocorrelation, hotspots, weights
from tests.benchmarks.inputs import lattice, mosaic, points, skewed
from tests.benchmarks.task import Task

__all__ = ["tasks"]

DRAWS = {"permutations": 999}
OURS = {"permutations": 999, "rng": 1}
ESDA = {"permutations": 999, "seed": 1, "n_jobs": 1, "keep_simulations": False}


def tasks() -> Iterator[Task]:
    """Yield all tasks, small ones first."""
    yield from _weights()
    yield from _local(100)
    yield from _local(316)
    yield from _global(316)
    assert skewed(1000).notna().all()  # made before the clock starts
    yield Task(
        "local Moran, queen lattice, 1,000,000 units, 9,999 draws",
        "none (esda would need minutes)",
        lambda: autocorrelation.local_moran(skewed(1000), lattice(1000), permutations=9_999, rng=1),
        None,
    )


def _weights() -> Iterator[Task]:
    from libpysal.graph import Graph

    yield Task(
        "queen contiguity, 10,000 polygons, gaps of 100 m tolerated",
        "libpysal fuzzy",
        lambda: weights.contiguity(mosaic(100)),
        lambda: Graph.build_fuzzy_contiguity(mosaic(100), tolerance=0.02),
    )
    name = "queen contiguity, 1,000,000 polygons, exact"
    for made in (mosaic(100), mosaic(1000), points(1_000_000)):
        assert len(made)  # before the clock starts
    yield Task(
        name,
        "libpysal Graph",
        lambda: weights.contiguity(mosaic(1000), tolerance_m=0),
        lambda: Graph.build_contiguity(mosaic(1000), rook=False, strict=False),
    )
    if find_spec("pygeoda"):
        import pygeoda

        yield Task(
            name,
            "pygeoda",
            lambda: weights.contiguity(mosaic(1000), tolerance_m=0),
            lambda: pygeoda.queen_weights(pygeoda.open(mosaic(1000))),
        )
    yield Task(
        "6 nearest of 1,000,000 points (ours on the sphere, theirs on the plane)",
        "libpysal Graph",
        lambda: weights.knn(points(1_000_000), 6),
        lambda: Graph.build_knn(points(1_000_000).set_crs(32642, allow_override=True), k=6),
    )


def _local(side: int) -> Iterator[Task]:
    import esda

    n = f"{side * side:,} units, 999 draws"
    w, y = lattice(side), skewed(side)
    graph, values = w.to_libpysal(), y.to_numpy()

    def local_moran() -> object:
        return autocorrelation.local_moran(y, w, **OURS)

    yield Task(
        f"local Moran, queen lattice, {n}",
        "esda",
        local_moran,
        lambda: esda.Moran_Local(values, graph, **ESDA),
        warm=lambda: esda.Moran_Local(skewed(20).to_numpy(), lattice(20).to_libpysal(), **ESDA),
    )
    if side > 100:
        yield from _pygeoda(side, n)
        kernel = lattice(side, kernel=True)
        unequal = kernel.to_libpysal()
        yield Task(
            f"local Moran, kernel weights, {n}",
            "esda",
            lambda: autocorrelation.local_moran(y, kernel, **OURS),
            lambda: esda.Moran_Local(values, unequal, **ESDA),
        )
    yield Task(
        f"Gi*, queen lattice, {n}",
        "esda",
        lambda: hotspots.getis_ord(y, w, **OURS),
        lambda: esda.G_Local(values, graph, star=True, transform="B", **ESDA),
        warm=lambda: esda.G_Local(skewed(20).to_numpy(), lattice(20).to_libpysal(), star=True, transform="B", **ESDA),
    )
    yield Task(
        f"local Moran, queen lattice, each unit its own draws, {n}",
        "esda (shared draws)",
        lambda: autocorrelation.local_moran(y, w, draws="independent", **OURS),
        lambda: esda.Moran_Local(values, graph, **ESDA),
    )


def _pygeoda(side: int, n: str) -> Iterator[Task]:
    if not find_spec("pygeoda"):
        return
    import pygeoda

    w, y = lattice(side), skewed(side)
    layer = pygeoda.open(mosaic(side))
    theirs, values = pygeoda.queen_weights(layer), y.tolist()
    peers: tuple[tuple[str, Callable[..., object], Callable[..., Any], dict[str, object]], ...] = (
        ("local Moran", autocorrelation.local_moran, pygeoda.local_moran, {"permutation_method": "lookup-table"}),
        ("local Moran", autocorrelation.local_moran, pygeoda.local_moran, {"permutation_method": "complete"}),
        ("Gi*", hotspots.getis_ord, pygeoda.local_gstar, {"permutation_method": "complete"}),
        ("local Geary", autocorrelation.local_geary, pygeoda.local_geary, {"permutation_method": "complete"}),
    )
    for name, ours, peer, how in peers:
        yield Task(
            f"{name}, queen lattice, {n}",
            f"pygeoda {how['permutation_method']}",
            lambda ours=ours: ours(y, w, **OURS),
            lambda peer=peer, how=how: peer(theirs, values, permutations=999, cpu_threads=2, **how),
        )


def _global(side: int) -> Iterator[Task]:
    import esda

    n = f"queen lattice, {side * side:,} units, 999 draws"
    w, y = lattice(side), skewed(side)
    graph, values = w.to_libpysal(), y.to_numpy()
    yield Task(
        f"global Moran, {n}",
        "esda",
        lambda: autocorrelation.moran(y, w, **OURS),
        lambda: esda.Moran(values, graph, **DRAWS),
    )
    yield Task(
        f"Geary's C, {n}",
        "esda",
        lambda: autocorrelation.geary(y, w, **OURS),
        lambda: esda.Geary(values, graph, **DRAWS),
    )
