"""Total permutation: the values of all units are dealt anew over the whole map."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from kazgeo.autocorrelation.draws import stream_key
from kazgeo.parallel import pieces, run
from kazgeo.progress import Progress, silent

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["colour_draws", "linear_draws", "quadratic_draws"]

#: Links and units visited in one piece of work; decides how often progress is told, never results.
PIECE = 40_000_000


def _pieces(permutations: int, cost: int) -> list[tuple[int, int]]:
    return pieces(permutations, max(8, PIECE // max(1, cost)))


def quadratic_draws(
    x: NDArray[np.float64],
    matrix: sp.csr_array,
    *,
    permutations: int,
    seed: int,
    y: NDArray[np.float64] | None = None,
    own: NDArray[np.float64] | None = None,
    executor: Executor | None = None,
    progress: Progress = silent,
) -> NDArray[np.float64]:
    """Return sum w_ij x_i y_j + sum own_i x_i y_i of random re-arrangements; pairs (x_i, y_i) stay together.

    Assumption: every arrangement of the pairs over the units is equally likely.

    Parameters
    ----------
    x, y : float arrays, shape (n,)
        Values; y is x when left out.
    matrix : csr_array, shape (n, n)
        Weights, unchanged by what is dealt.
    own : float array, shape (n,), optional
        Weight of every place for the product of its own values.
    permutations, seed : int
        Draws m; draw number d depends on the seed, d and n only.
    executor, progress
        As in ``parallel.run``.

    Returns
    -------
    float array, shape (m,)

    Examples
    --------
    >>> chain = sp.csr_array(np.array([[0.0, 1, 0], [1, 0, 1], [0, 1, 0]]))
    >>> np.unique(quadratic_draws(np.array([1.0, 0.0, -1.0]), chain, permutations=99, seed=0)).tolist()
    [-2.0, 0.0]
    >>> quadratic_draws(np.array([1.0, 0.0, -1.0]), chain, permutations=0, seed=0).tolist()
    []
    """
    from kazgeo.autocorrelation.kernels import quadratic

    empty = np.empty(0)
    if y is None:  # x'Wx by every pair once
        matrix = sp.csr_array(sp.triu(matrix + matrix.T, k=1))
    fixed = (x, empty if y is None else y, *_csr(matrix), empty if own is None else own, stream_key(seed))
    tasks = [(*fixed, *piece) for piece in _pieces(permutations, len(x) + matrix.nnz)]
    return np.concatenate([empty, *run(quadratic, tasks, executor, progress, "permutations")])


def linear_draws(
    x: NDArray[np.float64], ends: NDArray[np.float64], *, permutations: int, seed: int,
    executor: Executor | None = None, progress: Progress = silent,
) -> NDArray[np.float64]:  # fmt: skip
    """Return sum ends_i x_i of random re-arrangements of x over places of fixed weight, shape (permutations,).

    Examples
    --------
    >>> np.unique(linear_draws(np.array([1.0, 2.0]), np.array([0.0, 1.0]), permutations=50, seed=1)).tolist()
    [1.0, 2.0]
    """
    from kazgeo.autocorrelation.kernels import linear

    tasks = [(x, ends, stream_key(seed), *piece) for piece in _pieces(permutations, len(x))]
    return np.concatenate([np.empty(0), *run(linear, tasks, executor, progress, "permutations")])


def colour_draws(
    colour: NDArray[np.int64], n_colours: int, matrix: sp.csr_array, *, permutations: int, seed: int,
    executor: Executor | None = None, progress: Progress = silent,
) -> NDArray[np.float64]:  # fmt: skip
    """Return the weight of links from colour r to colour s of shuffled colours, shape (permutations, c, c).

    Examples
    --------
    >>> pair = sp.csr_array(np.array([[0.0, 1], [1, 0]]))
    >>> colour_draws(np.array([0, 1]), 2, pair, permutations=1, seed=0).tolist()
    [[[0.0, 1.0], [1.0, 0.0]]]
    """
    from kazgeo.autocorrelation.kernels import coloured

    fixed = (colour, n_colours, *_csr(matrix), stream_key(seed))
    tasks = [(*fixed, *piece) for piece in _pieces(permutations, len(colour) + matrix.nnz)]
    return np.concatenate(
        [np.empty((0, n_colours, n_colours)), *run(coloured, tasks, executor, progress, "permutations")]
    )


def _csr(matrix: sp.csr_array) -> tuple[Any, Any, Any]:
    """Return the arrays of a matrix in the types that the kernels were compiled for."""
    return (
        matrix.indptr.astype(np.int64, copy=False),
        matrix.indices.astype(np.int64, copy=False),
        matrix.data.astype(np.float64, copy=False),
    )
