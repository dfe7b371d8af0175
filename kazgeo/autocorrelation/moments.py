"""Sums of the weights on which the moments of global statistics rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import scipy.sparse as sp
    from numpy.typing import NDArray

__all__ = ["LinkSums", "link_ends", "link_sums"]


class LinkSums(NamedTuple):
    """S0, S1 and S2 of Cliff and Ord (1981)."""

    s0: float
    s1: float
    s2: float


def link_ends(matrix: sp.csr_array) -> NDArray[np.float64]:
    """Return row sum plus column sum of every unit, shape (n,)."""
    ends: NDArray[np.float64] = np.asarray(matrix.sum(axis=0)).ravel() + np.asarray(matrix.sum(axis=1)).ravel()
    return ends


def link_sums(matrix: sp.csr_array) -> LinkSums:
    r"""Return the sums of a matrix of weights, shape (n, n), without self weights.

    Notes
    -----
    .. math:: S_0 = \sum w_{ij}, \quad S_1 = \tfrac12 \sum (w_{ij} + w_{ji})^2, \quad
        S_2 = \sum_i (w_{i\cdot} + w_{\cdot i})^2

    Examples
    --------
    >>> import scipy.sparse as sp
    >>> link_sums(sp.csr_array(np.array([[0.0, 1, 0], [1, 0, 1], [0, 1, 0]])))
    LinkSums(s0=4.0, s1=8.0, s2=24.0)
    """
    both = matrix + matrix.T
    return LinkSums(float(matrix.data.sum()), float((both.data**2).sum()) / 2, float((link_ends(matrix) ** 2).sum()))
