"""Compiled loops of the network; imported only where they run."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = ["chains"]


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def chains(
    mate: NDArray[np.int64], beginnings: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64], int]:
    """Walk along edges through the nodes that are to go.

    Edge e has the half-edges 2 e (its start) and 2 e + 1 (its end).

    Parameters
    ----------
    mate : int64 array, shape (2 m,)
        The half-edge of the next edge at the node of each half-edge; -1 where the node stays.
    beginnings : int64 array
        Half-edges in the order in which walks begin: those at nodes that stay, then all others, for rings.

    Returns
    -------
    member, flipped : arrays, shape (m,)
        Edges in the order of the walks, and whether they are walked from their end to their start.
    offset, count
        Where each walk begins (the first ``count + 1`` entries).
    """
    m = len(mate) // 2
    member, flipped = np.empty(m, np.int64), np.empty(m, np.bool_)
    offset, seen = np.zeros(m + 1, np.int64), np.zeros(m, np.bool_)
    filled, count = 0, 0
    for half in beginnings:
        if seen[half >> 1]:
            continue
        at = half
        while at >= 0 and not seen[at >> 1]:
            seen[at >> 1] = True
            member[filled], flipped[filled] = at >> 1, (at & 1) == 1
            filled += 1
            at = mate[at ^ 1]
        count += 1
        offset[count] = filled
    return member, flipped, offset, count
