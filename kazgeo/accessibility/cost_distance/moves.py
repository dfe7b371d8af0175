"""Moves from a cell to its neighbours: 8, 16 or 32 of them, what they pass on the way, and how far they bend a path."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from kazgeo.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NEIGHBOURS", "Corners", "Moves", "direction_bias", "moves_of"]

#: How many neighbours a cell may have.
NEIGHBOURS = (8, 16, 32)
#: One move of every kind, in the octant 0 <= dc <= dr, with the neighbourhood that brings it.
_KINDS = {(1, 0): 8, (1, 1): 8, (2, 1): 16, (3, 1): 32, (3, 2): 32}
#: Cells that the straight line of a move crosses on its way.
_CROSSED = {
    (1, 0): (),
    (1, 1): (),
    (2, 1): ((1, 0), (1, 1)),
    (3, 1): ((1, 0), (2, 1)),
    (3, 2): ((1, 0), (1, 1), (2, 1), (2, 2)),
}
#: Share of the line that lies in each of its two ends, and in each cell it crosses.
_SHARES = {
    (1, 0): (1 / 2,),
    (1, 1): (1 / 2,),
    (2, 1): (1 / 4, 1 / 4, 1 / 4),
    (3, 1): (1 / 6, 1 / 3, 1 / 3),
    (3, 2): (1 / 6, 1 / 12, 1 / 4, 1 / 4, 1 / 12),
}
#: The two cells beside the corner that the line goes through, where it goes through one.
_BESIDE = {(1, 1): ((1, 0), (0, 1)), (3, 1): ((2, 0), (1, 1))}


class Corners(StrEnum):
    """Whether a path may slip between two barrier cells that touch at a corner."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, eq=False)
class Moves:
    """Moves of a neighbourhood, by rows and columns.

    Parameters
    ----------
    rows, columns : int64 arrays, shape (k,)
        Step of every move.
    crossed : int64 array, shape (k, 4, 2)
        Cells crossed on the way, relative to the start; the first ``n_crossed`` count.
    n_crossed : int64 array, shape (k,)
        How many.
    shares : float64 array, shape (k, 5)
        Share of the move's length in each of its ends, then in each cell crossed.
    beside : int64 array, shape (k, 2, 2)
        Cells on both sides of the corner that the move goes through.
    cornered : bool array, shape (k,)
        Moves that are refused between two barriers.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    crossed: NDArray[np.int64]
    n_crossed: NDArray[np.int64]
    shares: NDArray[np.float64]
    beside: NDArray[np.int64]
    cornered: NDArray[np.bool_]

    @property
    def reach(self) -> int:
        """Rows or columns that a move goes at most."""
        return int(np.abs(self.rows).max())


def moves_of(neighbours: int, corners: Corners | None = None) -> Moves:
    """Return the moves of a neighbourhood, in the order of their azimuth from the north.

    Parameters
    ----------
    neighbours : 8, 16 or 32
        8: king's moves; 16: and knight's moves (2, 1); 32: and (3, 1), (3, 2).
    corners : Corners, optional
        Between two barriers that touch at a corner; by default open with 8 neighbours, closed with 16 and 32.

    Examples
    --------
    >>> eight = moves_of(8)
    >>> list(zip(eight.rows.tolist(), eight.columns.tolist()))[:3]
    [(-1, 0), (-1, 1), (0, 1)]
    >>> len(moves_of(16).rows), len(moves_of(32).rows), moves_of(32).reach
    (16, 32, 3)
    >>> moves_of(4)
    Traceback (most recent call last):
    kazgeo.errors.InputError: neighbours must be 8, 16 or 32; got 4
    """
    if isinstance(neighbours, bool) or neighbours not in NEIGHBOURS:
        raise InputError(f"neighbours must be 8, 16 or 32; got {neighbours!r}")
    closed = (corners or (Corners.OPEN if neighbours == 8 else Corners.CLOSED)) is Corners.CLOSED
    found: dict[tuple[int, int], tuple[Any, Any, Any]] = {}
    for kind, least in _KINDS.items():
        if least <= neighbours:
            for turned in _turns():
                found[turned(*kind)] = (
                    [turned(*cell) for cell in _CROSSED[kind]],
                    [turned(*cell) for cell in _BESIDE.get(kind, ())],
                    _SHARES[kind],
                )
    order = sorted(found, key=lambda step: math.atan2(step[1], -step[0]) % (2 * math.pi))
    k = len(order)
    crossed, beside, shares = np.zeros((k, 4, 2), np.int64), np.zeros((k, 2, 2), np.int64), np.zeros((k, 5))
    for i, step in enumerate(order):
        way, sides, parts = found[step]
        shares[i, : len(parts)] = parts
        crossed[i, : len(way)] = np.reshape(way, (-1, 2))
        beside[i, : len(sides)] = np.reshape(sides, (-1, 2))
    rows, columns = np.array(order, dtype=np.int64).T
    return Moves(
        rows.copy(), columns.copy(), crossed, np.array([len(found[s][0]) for s in order]), shares, beside,
        np.array([closed and bool(found[s][1]) for s in order]),
    )  # fmt: skip


def _turns() -> list[Any]:
    """Return the eight turns and reflections of the grid."""
    return [
        lambda r, c, a=a, b=b, swap=swap: (a * c, b * r) if swap else (a * r, b * c)
        for a in (1, -1) for b in (1, -1) for swap in (False, True)
    ]  # fmt: skip


def direction_bias(neighbours: int) -> float:
    r"""Return by what share the longest detour exceeds the straight line, on a uniform surface without barriers.

    Notes
    -----
    Between two neighbouring moves at an angle of :math:`\theta` the path is longest half-way:
    :math:`1 / \cos(\theta / 2) - 1`, at its largest for the widest gap of the neighbourhood.

    Examples
    --------
    >>> [round(100 * direction_bias(n), 2) for n in (8, 16, 32)]
    [8.24, 2.75, 1.31]
    """
    moves = moves_of(neighbours)
    angles = np.sort(np.arctan2(moves.columns, -moves.rows) % (2 * math.pi))
    gap = np.diff(np.r_[angles, angles[0] + 2 * math.pi]).max()
    return float(1 / math.cos(gap / 2) - 1)
