"""Measures on a table of travel times against PySAL access; the table is made beforehand on both sides."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from kazgeo import accessibility
from kazgeo.accessibility import TravelTimes, decay
from tests.benchmarks.task import Task

__all__ = ["tasks"]

LIMITS_S, WEIGHTS = (1200, 2400, 3600), (1.0, 0.68, 0.22)
SIZE = "6,000 x 500, matrix given"


@cache
def town(n: int = 6000, m: int = 500) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """Return seconds between random points, people and beds."""
    rng = np.random.default_rng(7)
    homes, sites = rng.uniform(0, 5400, (n, 2)), rng.uniform(0, 5400, (m, 2))
    times = pd.DataFrame(np.hypot(*(homes[:, None] - sites[None]).transpose(2, 0, 1)))
    people, beds = rng.integers(1, 900, n), rng.integers(1, 90, m)
    return times, pd.Series(people, dtype=float), pd.Series(beds, dtype=float)


def tasks() -> Iterator[Task]:
    """Yield all tasks."""
    from access import fca, raam, weights

    dense, people, beds = town()
    times = TravelTimes.from_dense(dense)
    long = times.to_long()
    costs = long.rename(columns={"destination": "dest", "time_s": "cost"})
    demand, supply = people.rename_axis("geoid").to_frame("demand"), beds.rename_axis("geoid").to_frame("supply")
    zones = decay.Stepped(LIMITS_S, WEIGHTS)
    step = weights.step_fn(dict(zip(LIMITS_S, WEIGHTS, strict=True)))
    names: dict[str, Any] = {"demand_index": "geoid", "max_cost": 3600}

    def ours(table: Any, weight: Any = zones, method: str = "2sfca") -> object:
        return accessibility.floating_catchment(table, people, beds, decay=weight, method=method)

    def theirs(weight: Any = step, function: Any = fca.two_stage_fca) -> object:
        return function(demand.reset_index(), supply, costs, weight_fn=weight, **names)

    yield Task(f"E2SFCA {SIZE} as TravelTimes", "access", lambda: ours(times), theirs)
    yield Task(f"E2SFCA {SIZE} as a dense DataFrame", "access", lambda: ours(dense), theirs)
    yield Task(f"E2SFCA {SIZE} as a long DataFrame", "access", lambda: ours(long), theirs)
    yield Task(f"2SFCA {SIZE}", "access", lambda: ours(times, decay.Binary(3600)), lambda: theirs(None))
    yield Task(
        f"3SFCA {SIZE}", "access", lambda: ours(times, zones, "3sfca"), lambda: theirs(step, fca.three_stage_fca)
    )
    yield Task(
        f"RAAM {SIZE}; ours to a gap of 1e-4",
        "access (stops short)",
        lambda: accessibility.rational_agents(times, people, beds, tolerance=1e-4),
        lambda: raam.raam(demand.astype(int), supply, costs, tau=3600),
        warm=lambda: accessibility.rational_agents(dense.iloc[:5, :5], people, beds),
    )
    yield Task(
        f"cumulative opportunities, two thresholds, {SIZE}",
        "none",
        lambda: accessibility.cumulative(times, beds, thresholds_s=(1800, 3600)),
        None,
    )
    yield Task(f"BFCA {SIZE}", "none", lambda: ours(times, zones, "bfca"), None)
    yield Task(f"5 nearest, {SIZE}", "none", lambda: accessibility.closest(times, k=(1, 5)), None)
