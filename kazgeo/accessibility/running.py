"""Compiled running sums of the pairs of every origin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["first_reaching"]

#: Shares of the wanted amount that the rounding of a sum may lack.
SLACK = 1e-12


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[untyped-decorator]
def first_reaching(
    pointer: NDArray[np.int64], amount: NDArray[np.float64], wanted: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return the first pair at which the sum over an origin's pairs reaches what it wants; -1 where none does.

    Every origin is summed for itself: in one sum over all of them the rounding of millions of people elsewhere would
    decide whether two are enough here.

    Parameters
    ----------
    pointer : int array, shape (n + 1,)
        Where the pairs of every origin begin.
    amount : float64 array, shape (pairs,)
        Amounts in the order of time.
    wanted : float64 array, shape (n,)
        At least 0.
    """
    out = np.full(len(wanted), -1, np.int64)
    for i in range(len(wanted)):
        total, enough = 0.0, wanted[i] * (1 - SLACK)
        for k in range(pointer[i], pointer[i + 1]):
            total += amount[k]
            if total >= enough:
                out[i] = k
                break
    return out
