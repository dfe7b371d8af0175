"""Labels of units: the same units on both sides, and an order that the rows' order can't reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kazgeo.errors import InputError, listing

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["canonical_order", "in_order", "refuse_mixed", "same_units"]


def same_units(first: str, have: pd.Index, second: str, other: pd.Index) -> None:
    """Refuse two sets of units that differ; their order does not matter.

    Parameters
    ----------
    first, second : str
        Names of the parameters, for the message.
    have, other : Index
        Their units.

    Raises
    ------
    InputError
        Naming what either lacks, and the types of the ids where these differ.

    Examples
    --------
    >>> import pandas as pd
    >>> same_units("x", pd.Index(["a", "b"]), "y", pd.Index(["b", "a"]))
    >>> same_units("x", pd.Index(["a", "b"]), "weights", pd.Index(["b", "c"]))
    Traceback (most recent call last):
    kazgeo.errors.InputError: x and weights must have the same units; x lacks 1: 'c'; weights lack 1: 'a'
    >>> same_units("x", pd.Index([1]), "y", pd.Index([]))
    Traceback (most recent call last):
    kazgeo.errors.InputError: x and y must have the same units; y lacks 1: 1 (ids of x are int64, of y object)
    """
    if have.equals(other):
        return
    parts = []
    for name, missing in ((first, other.difference(have, sort=False)), (second, have.difference(other, sort=False))):
        if len(missing):
            parts.append(f"{name} {'lack' if name.endswith('s') else 'lacks'} {len(missing)}: {listing(missing)}")
    if parts:
        kinds = f" (ids of {first} are {have.dtype}, of {second} {other.dtype})" if have.dtype != other.dtype else ""
        raise InputError(f"{first} and {second} must have the same units; {'; '.join(parts)}{kinds}")


def in_order(index: pd.Index) -> bool:
    """Return whether the ids already stand in their canonical order.

    Examples
    --------
    >>> import pandas as pd
    >>> in_order(pd.Index(["a", "b"])), in_order(pd.CategoricalIndex(["b", "a"], categories=["b", "a"]))
    (True, False)
    >>> in_order(pd.Index([]))
    True
    """
    return bool((index.astype(object) if _categorical(index) else index).is_monotonic_increasing)


def _categorical(index: pd.Index) -> bool:
    return str(index.dtype) == "category"


def canonical_order(index: pd.Index) -> NDArray[np.int64]:
    """Return the positions that sort the ids, so that the order of rows cannot reach a draw or break a tie.

    Examples
    --------
    >>> import pandas as pd
    >>> canonical_order(pd.Index(["b", "a"])).tolist(), canonical_order(pd.Index(["b", 1])).tolist()
    ([1, 0], [1, 0])
    >>> canonical_order(pd.Index([])).tolist()
    []
    """
    if in_order(index):
        return np.arange(len(index))
    if _categorical(index):  # by what the categories are, not by how they were listed
        index = index.astype(object)
    try:
        return np.asarray(index.argsort(), dtype=np.int64)
    except TypeError:  # ids of several types
        keys = [(type(i).__name__, str(i)) for i in index]
        return np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)


def refuse_mixed(labels: pd.Index, name: str, what: str) -> None:
    """Refuse labels of several types, which have no order.

    Examples
    --------
    >>> import pandas as pd
    >>> refuse_mixed(pd.Index([2019, 2020]), "y", "years")
    >>> refuse_mixed(pd.Index([2019, "2020"]), "y", "years")
    Traceback (most recent call last):
    kazgeo.errors.InputError: y must have years of one type, or they have no order; got int, str; convert them first
    """
    from pandas.api.types import infer_dtype

    if infer_dtype(labels, skipna=True) in {"mixed", "mixed-integer"}:
        kinds = ", ".join(sorted({type(label).__name__ for label in labels}))
        raise InputError(f"{name} must have {what} of one type, or they have no order; got {kinds}; convert them first")
