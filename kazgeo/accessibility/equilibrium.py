"""Compiled loop of the rational agent model: origin after origin divides its people as is best for them (numba)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["gap", "sweep"]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def sweep(
    travel: Floats, indptr: Any, indices: Any, demand: Floats, room: Floats, flow: Floats, load: Floats, backwards: Any
) -> None:
    """Divide the demand of every origin anew among its destinations, in place.

    With what all others do held fixed, an origin's best division costs the same (level) wherever somebody goes:
    flow_j = room_j (level - travel_j) - others_j where that is above 0. Destinations are opened in the order of what
    the first person would pay there, until the next one costs more than the level: few are, so nothing is sorted.
    """
    n = len(indptr) - 1
    widest = 0
    for i in range(n):
        widest = max(widest, indptr[i + 1] - indptr[i])
    first, price = np.empty(widest), np.empty(widest)
    opened = np.empty(widest, dtype=np.int64)
    for step in range(n):
        i = n - 1 - step if backwards else step
        start, stop = indptr[i], indptr[i + 1]
        if demand[i] <= 0 or stop == start:
            continue
        for k in range(start, stop):
            j = indices[k]
            if flow[k] > 0:
                load[j] = max(0.0, load[j] - flow[k])
                flow[k] = 0.0
            first[k - start] = travel[k] + load[j] / room[j]
        rooms = 0.0
        spent = 0.0
        level = np.inf
        count = 0
        while True:
            best = -1
            least = level
            for at in range(stop - start):
                if first[at] < least:
                    least = first[at]
                    best = at
            if best < 0:
                break
            share = room[indices[start + best]]
            rooms += share
            spent += share * least
            level = (demand[i] + spent) / rooms
            opened[count] = best
            price[count] = least
            count += 1
            first[best] = np.inf
        for o in range(count):
            j = indices[start + opened[o]]
            people = max(0.0, room[j] * (level - price[o]))
            flow[start + opened[o]] = people
            load[j] += people


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator, unused-ignore]
def gap(travel: Floats, indptr: Any, indices: Any, flow: Floats, cost: Floats) -> Any:
    """Return what all could still save by moving to their cheapest destination, and what all pay."""
    saved = 0.0
    paid = 0.0
    for i in range(len(indptr) - 1):
        least = np.inf
        for k in range(indptr[i], indptr[i + 1]):
            least = min(least, travel[k] + cost[indices[k]])
        for k in range(indptr[i], indptr[i + 1]):
            here = travel[k] + cost[indices[k]]
            saved += flow[k] * (here - least)
            paid += flow[k] * here
    return saved, paid
