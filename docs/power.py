"""Draws images/power.png and prints its table: how often each test finds a pattern that is there.

Run ``python docs/power.py`` from the repository; it takes two minutes on two idle cores. Maps are made up by a model
with a known strength of the pattern, as real ones can't say how often a test is right. Seeds are fixed: the numbers on
the page are those of this script.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kazgeo import autocorrelation, data, regions, weights
from kazgeo.parallel import Here
from kazgeo.weights import Weights

PICTURE = Path(__file__).parent / "images" / "power.png"
RHO = np.round(np.arange(0.0, 0.95, 0.1), 1)
REPEATS = 250
DRAWS = 999
LOCAL_DRAWS = 80  # per unit: the limit of a single unit after the correction is then a value that p can take
PIECES = 4
LEVEL = 0.05
TESTS = ("Moran's I", "Geary's C", "general G", "local Moran, any unit")


def lattice(rows: int, columns: int) -> Weights:
    """Return queen neighbours on a lattice."""
    steps = ((0, 1), (1, -1), (1, 0), (1, 1))
    pairs = [
        (r * columns + c, (r + dr) * columns + c + dc)
        for r in range(rows)
        for c in range(columns)
        for dr, dc in steps
        if r + dr < rows and 0 <= c + dc < columns
    ]
    return Weights.from_pairs(range(rows * columns), pairs)


def maps() -> dict[str, Weights]:
    """Return the neighbours of the maps by name: the regions, and two lattices."""
    oblasts = regions.read(data.embedded() / "regions_2009.gpkg")
    return {
        "16 regions of Kazakhstan": weights.contiguity(oblasts),
        "64 units (8 × 8)": lattice(8, 8),
        "216 units (12 × 18)": lattice(12, 18),
    }


def found(y: pd.Series, near: Weights, seed: int) -> tuple[bool, ...]:
    """Return which of the tests find something in one map; G takes exp(y), as it wants positive values."""
    own: dict[str, Any] = {"permutations": DRAWS, "rng": seed, "executor": Here()}
    whole: tuple[tuple[Callable[..., Any], pd.Series], ...] = (
        (autocorrelation.moran, y),
        (autocorrelation.geary, y),
        (autocorrelation.general_g, np.exp(y)),
    )
    verdicts = [statistic(values, near, **own).p <= LEVEL for statistic, values in whole]
    own["permutations"] = LOCAL_DRAWS * near.n - 1
    local = autocorrelation.local_moran(y, near, **own)
    return (*verdicts, local.n_significant > 0)


def counts(near: Weights, noise: NDArray[np.float64], seed: int) -> NDArray[np.int64]:
    """Return in how many maps made of the rows of ``noise`` each test finds something, shape (rho, tests)."""
    matrix = near.row_standardized().matrix.toarray()
    total = np.zeros((len(RHO), len(TESTS)), dtype=np.int64)
    for row, rho in enumerate(RHO):
        patterns = np.linalg.solve(np.eye(near.n) - rho * matrix, noise.T).T
        for number, pattern in enumerate(patterns):
            total[row] += found(pd.Series(pattern, index=near.ids), near, seed + number)
    return total


def power(near: Weights, seed: int, workers: Executor) -> NDArray[np.float64]:
    """Return the share of maps in which each test finds something, shape (rho, tests).

    The same noise serves all strengths, so that the curves differ by the strength and not by luck.
    """
    noise = np.random.default_rng(seed).normal(size=(REPEATS, near.n))
    parts = np.array_split(np.arange(REPEATS), PIECES)
    jobs = [workers.submit(counts, near, noise[part], seed + int(part[0])) for part in parts]
    return np.asarray(sum(job.result() for job in jobs) / REPEATS)


def band(share: NDArray[np.float64], repeats: int = REPEATS) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Wilson's 95 % limits of shares of so many maps.

    Examples
    --------
    >>> low, high = band(np.array([0.0, 0.5]), 100)
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.0, 0.404], [0.037, 0.596])
    """
    square = 1.959964**2 / repeats
    middle = (share + square / 2) / (1 + square)
    half = np.sqrt(square * (share * (1 - share) + square / 4)) / (1 + square)
    return middle - half, middle + half


def draw(results: dict[str, NDArray[np.float64]]) -> None:
    """Write the picture."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt
    from matplotlib.patches import Patch

    figure, axes = plt.subplots(1, len(results), figsize=(10.5, 4.2), sharey=True, layout="constrained")
    looks = (("#0072b2", "-", "o"), ("#d55e00", "--", "s"), ("#666666", "-.", "^"), ("#009e73", ":", "D"))
    for ax, (name, shares) in zip(axes, results.items(), strict=True):
        for test, (colour, dash, mark), share in zip(TESTS, looks, shares.T, strict=True):
            low, high = band(share)
            ax.fill_between(RHO, 100 * low, 100 * high, color=colour, alpha=0.18, linewidth=0)
            ax.plot(RHO, 100 * share, color=colour, linestyle=dash, marker=mark, markersize=4, label=test)
        ax.axhline(100 * LEVEL, color="black", linewidth=0.8)
        ax.set(title=name, xlim=(0, 0.9), ylim=(0, 101), xlabel="strength of the pattern ρ (no unit)")
        ax.grid(alpha=0.25)
    axes[0].set_ylabel("maps in which the test finds it, %")
    axes[-1].annotate("5 %: false alarms", (0.88, 6.5), ha="right", fontsize=8)
    handles, labels = axes[0].get_legend_handles_labels()
    shade = Patch(color="black", alpha=0.18, linewidth=0)
    axes[0].legend(
        [*handles, shade], [*labels, f"95 % limits, {REPEATS} maps"], loc="upper left", frameon=False, fontsize=9
    )
    figure.savefig(PICTURE, dpi=100, pil_kwargs={"optimize": True}, metadata={"Software": None})
    plt.close(figure)


def main() -> None:
    """Simulate, print and draw."""
    with ProcessPoolExecutor(2) as workers:
        results = {name: power(near, 1_000 * number, workers) for number, (name, near) in enumerate(maps().items(), 1)}
    for name, shares in results.items():
        table = pd.DataFrame(100 * shares, index=pd.Index(RHO, name="rho"), columns=list(TESTS))
        sys.stdout.write(f"{name}: % of {REPEATS} maps\n{table.round(0).astype(int).to_string()}\n\n")
    draw(results)


if __name__ == "__main__":
    main()
