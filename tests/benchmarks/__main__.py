"""Prints, for each task, our time, the peer's time and the ratio: ``make bench``.

Machines are noisy: each side is run four times and for a second at least, and the best is taken; runs of more than
three seconds are not repeated. Weights are made beforehand on both sides. Imports and compiling are left out, and timed
apart.
"""

from __future__ import annotations

import platform
import subprocess
import sys
import warnings
from collections.abc import Iterator
from datetime import date
from importlib import metadata
from itertools import chain

from tests.benchmarks import raster, statistics, tables, travel
from tests.benchmarks.inputs import skewed
from tests.benchmarks.task import Task, best

#: What is timed and weighed in a process of its own: name, what is made before, what is measured.
APART = (
    (
        "first local Moran of a process, 500 units, import included",
        "import sys",
        "from kazgeo.autocorrelation import local_moran; from kazgeo.weights import Weights; import pandas as pd;"
        "w = Weights.from_pairs(range(500), [(i, i + d) for d in (1, 20) for i in range(500 - d)]);"
        "local_moran(pd.Series([float(i * i % 97) for i in range(500)]), w, rng=1)",
    ),
    (
        "first local Moran of a process, 1,000,000 units, 9,999 draws",
        "from tests.benchmarks.inputs import lattice, skewed; from kazgeo.autocorrelation import local_moran;"
        "w, y = lattice(1000), skewed(1000)",
        "local_moran(y, w, permutations=9_999, rng=1)",
    ),
    (
        "cost distance, 6,000 x 6,000 cells, 100 sources",
        "from tests.benchmarks.raster import surface, sources; made, places = surface(6000), sources(6000);"
        "from kazgeo.accessibility.cost_distance import cost_distance; cost_distance(surface(1000), sources(1000))",
        "cost_distance(made, places)",
    ),
    (
        "cost distance, 20,000 x 20,000 cells in float32, 100 sources",
        "from tests.benchmarks.raster import surface, sources; made = surface(20000, 'float32');"
        "places = sources(20000, 'float32');"
        "from kazgeo.accessibility.cost_distance import cost_distance;"
        "cost_distance(surface(1000, 'float32'), sources(1000, 'float32'))",
        "cost_distance(made, places)",
    ),
    (
        "5 nearest of 1,000, 2,000,000 nodes",
        "from tests.benchmarks.travel import search, synthetic, terminals; net = synthetic(2_000_000);"
        "goals = terminals(net, 1000, 6); search.k_nearest(net, goals.take(slice(0, 2)), 5)",
        "search.k_nearest(net, goals, 5)",
    ),
    (
        "1,000 x 1,000 matrix, 2,000,000 nodes, cold with preparation",
        "from tests.benchmarks.travel import hierarchy, synthetic, terminals; small = synthetic(50_000);"
        "few = terminals(small, 10, 6); hierarchy.matrix(small, few, few);"
        "net = synthetic(2_000_000); goals = terminals(net, 1000, 6)",
        "hierarchy.matrix(net, goals, goals)",
    ),
    (
        "first queen contiguity of a process, 1,000,000 polygons",
        "from tests.benchmarks.inputs import mosaic; from kazgeo.weights import contiguity; land = mosaic(1000)",
        "contiguity(land, tolerance_m=0)",
    ),
)
#: Forgets the peak of memory so far, runs, prints seconds and the peak in kilobytes (Linux).
WEIGH = """
import gc, time
def memory(what): return int(next(line for line in open("/proc/self/status") if line.startswith(what)).split()[1])
gc.collect()
before = memory("VmRSS")
open("/proc/self/clear_refs", "w").write("5")
start = time.perf_counter()
{code}
seconds = time.perf_counter() - start
print(seconds, memory("VmHWM"), memory("VmHWM") - before)
"""


def tasks() -> Iterator[Task]:
    """Yield the tasks of all fields."""
    from inequality.gini import Gini

    from kazgeo.disparity import gini

    y = skewed(100)
    few = Task("Gini, 10,000 values", "inequality", lambda: gini(y), lambda: Gini(y.to_numpy()))
    return chain(statistics.tasks(), [few], tables.tasks(), travel.tasks(), raster.tasks())


def apart(before: str, code: str) -> tuple[float, float, float]:
    """Return seconds and peak megabytes of code in a process of its own, with what was made before and without."""
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", before + "\n" + WEIGH.format(code=code)],
        check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    return float(told[0]), float(told[1]) / 1024, float(told[2]) / 1024


def main() -> None:
    """Print the tables as Markdown; a word of the task's name may be given to choose."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    names = ("kazgeo", "libpysal", "access", "esda", "inequality", "numba", "numpy", "scipy", "shapely", "geopandas")
    versions = ", ".join(f"{n} {metadata.version(n)}" for n in names)
    print(f"{date.today().isoformat()}, Python {platform.python_version()}, {versions}\n")
    print("| in a process of its own | s | peak, MB | of it by the task, MB |\n|---|---|---|---|")
    for name, before, code in APART:
        if wanted in name:
            seconds, megabytes, own = apart(before, code)
            print(f"| {name} | {seconds:.2f} | {megabytes:.0f} | {own:.0f} |", flush=True)
    print("\n| task | peer | ours, s | peer, s | peer / ours |\n|---|---|---|---|---|")
    for task in tasks():
        if wanted not in task.name:
            continue
        if task.warm is not None:
            task.warm()
        mine = best(task.ours)
        if task.theirs is None:
            print(f"| {task.name} | {task.peer} | {mine:.3f} | | |", flush=True)
            continue
        other = best(task.theirs) * task.times
        print(f"| {task.name} | {task.peer} | {mine:.3f} | {other:.3f} | {other / mine:.1f} |", flush=True)


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        main()
