"""One task of the benchmarks, and how it is timed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["Task", "best"]

#: Seconds beyond which a run is not repeated.
LONG = 3.0
#: Seconds that a side runs at least, so that a task of milliseconds is timed as often as one of a second is long.
LEAST = 1.0


class Task(NamedTuple):
    """What is done, by whom else, both sides as calls; ``warm`` makes a peer compile what it compiles.

    ``times`` multiplies the peer's time where it does only a part of the work, because the whole would take minutes;
    the peer's name tells which part.
    """

    name: str
    peer: str
    ours: Callable[[], object]
    theirs: Callable[[], object] | None
    warm: Callable[[], object] | None = None
    times: float = 1.0


def best(run: Callable[[], object], repeats: int = 4) -> float:
    """Return the shortest time of several runs, of more for short ones: the rule is one for both sides."""
    times: list[float] = []
    while len(times) < repeats or sum(times) < LEAST:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
        if times[-1] > LONG:
            break
    return min(times)
