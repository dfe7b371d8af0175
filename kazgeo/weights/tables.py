"""Weights from tables: groups of units, pairs with a weight, travel times."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kazgeo.errors import InputError, choice, listing, positive_number, unknown
from kazgeo.ties import in_minutes, upto
from kazgeo.weights.sphere import MAX_PAIRS
from kazgeo.weights.type import Weights, refuse_repeated

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Decay", "block", "from_table", "travel_time"]


class Decay(StrEnum):
    """How influence falls with minutes of travel."""

    NONE = "none"
    LINEAR = "linear"
    INVERSE = "inverse"


def block(groups: pd.Series) -> Weights:
    """Return binary weights between all units of the same group.

    Assumption: a group is small enough to be a neighbourhood; a group of g units has g (g - 1) links.

    Parameters
    ----------
    groups : Series
        Group of every unit (the oblast of a district); missing ones make isolates.

    Returns
    -------
    Weights
        On the index of ``groups``.

    Raises
    ------
    InputError
        Not a Series, or groups so large that their pairs fill the memory.

    Examples
    --------
    >>> block(pd.Series(["north", "north", "south", None], index=list("abcd")))
    <Weights: 4 units, 2 links, neighbours 0 to 1 (mean 0.50); 3 components; 2 isolates: 'c', 'd'>
    >>> block(pd.Series([], dtype=object))
    <Weights: 0 units>
    """
    if not isinstance(groups, pd.Series):
        raise InputError(f"groups must be a Series labelled by unit; got {type(groups).__name__}")
    codes, _ = pd.factorize(groups)
    sizes = np.bincount(codes[codes >= 0])
    if (sizes * (sizes - 1.0)).sum() > 2 * MAX_PAIRS:
        raise InputError(
            f"groups must make at most {MAX_PAIRS:,} pairs of units; the largest has {sizes.max():,} units; make them "
            "finer"
        )
    order = np.argsort(codes, kind="stable")
    members = np.split(order, np.searchsorted(codes[order], np.arange(codes.max(initial=-1) + 1)))[1:]
    empty = np.empty(0, dtype=np.int64)
    rows = np.concatenate([empty, *(np.repeat(some, len(some)) for some in members)])
    cols = np.concatenate([empty, *(np.tile(some, len(some)) for some in members)])
    return Weights.from_arrays(groups.index, rows, cols)


def from_table(
    table: pd.DataFrame,
    ids: pd.Index,
    *,
    origin: str = "origin",
    destination: str = "destination",
    weight: str | None = None,
) -> Weights:
    """Return weights from a long table of pairs.

    Assumption: pairs that are not in the table, or have no weight, are no links.

    Parameters
    ----------
    table : DataFrame
        One row per pair; pairs may come once only.
    ids : Index
        All units, also those without a pair.
    origin, destination : str
        Columns with the ids: row and column of the weights.
    weight : str, optional
        Column with the weights, at least 0; left out: 1.

    Returns
    -------
    Weights

    Raises
    ------
    InputError
        Unknown columns or ids, repeated pairs, negative or infinite weights.

    Examples
    --------
    >>> pairs = pd.DataFrame({"origin": ["a", "b"], "destination": ["b", "a"], "persons": [120.0, None]})
    >>> from_table(pairs, pd.Index(["a", "b", "c"]), weight="persons").matrix.toarray()[:2, :2].tolist()
    [[0.0, 120.0], [0.0, 0.0]]
    >>> from_table(pairs.iloc[:0], pd.Index([]))
    <Weights: 0 units>
    >>> from_table(pairs, pd.Index(["a"]))
    Traceback (most recent call last):
    kazgeo.errors.InputError: table names units that are not among the ids: 'b'
    """
    ids = pd.Index(ids)
    refuse_repeated(ids)
    _refuse_unknown(table, [origin, destination, *([weight] if weight else [])])
    rows, cols = (ids.get_indexer(pd.Index(table[column])) for column in (origin, destination))
    strange = pd.concat([table.loc[rows < 0, origin], table.loc[cols < 0, destination]]).unique()
    if len(strange):
        raise InputError(f"table names units that are not among the ids: {listing(strange)}")
    data = np.ones(len(table)) if weight is None else _numbers(table[weight])
    if (data < 0).any() or np.isinf(data).any():
        raise InputError(f"column '{weight}' must hold finite weights of at least 0")
    twice = pd.MultiIndex.from_arrays([rows, cols]).duplicated()
    if twice.any():
        again = [*zip(table.loc[twice, origin], table.loc[twice, destination], strict=True)]
        raise InputError(f"table must have each pair once; repeated: {listing(again)}")
    return _linked(ids, rows, cols, data)


def travel_time(
    times: pd.DataFrame,
    ids: pd.Index,
    *,
    within_min: float,
    decay: Decay | str = Decay.NONE,
    shortest_min: float = 1.0,
) -> Weights:
    """Return weights between units that reach each other within some minutes.

    Assumption: what is near by road acts on one another, what is near by air need not. Times may differ by
    direction; row i holds what unit i reaches.

    Parameters
    ----------
    times : DataFrame
        Long table origin, destination, time_s (seconds; NaN: not reachable, no link).
    ids : Index
        All units.
    within_min : float
        Minutes, above 0.
    decay : {"none", "linear", "inverse"}
        1; 1 - t / within_min; 1 / t with t in minutes.
    shortest_min : float
        Minutes that shorter times are raised to under "inverse".

    Returns
    -------
    Weights

    Raises
    ------
    InputError
        As in ``from_table``; minutes not above 0, negative times.

    Examples
    --------
    >>> times = pd.DataFrame({"origin": ["a", "a"], "destination": ["b", "c"], "time_s": [1800.0, None]})
    >>> travel_time(times, pd.Index(list("abc")), within_min=60, decay="linear").matrix.toarray()[0].tolist()
    [0.0, 0.5, 0.0]
    >>> travel_time(times, pd.Index(list("abc")), within_min=0)
    Traceback (most recent call last):
    kazgeo.errors.InputError: within_min must be minutes above 0; got 0
    """
    within_min = positive_number(within_min, "within_min", "minutes above 0")
    shortest_min = positive_number(shortest_min, "shortest_min", "minutes above 0")
    falls = choice(Decay, decay, "decay")
    _refuse_unknown(times, ["origin", "destination", "time_s"])
    minutes = in_minutes(_numbers(times["time_s"]))
    if (minutes < 0).any():
        raise InputError("times must not be negative; column 'time_s' holds seconds of travel")
    near = minutes <= upto(within_min)
    weight = {
        Decay.NONE: np.ones(len(minutes)),
        Decay.LINEAR: np.maximum(1 - minutes / within_min, 0.0),
        Decay.INVERSE: 1 / np.maximum(minutes, shortest_min),
    }[falls]
    reached = times.loc[near, ["origin", "destination"]].assign(weight=weight[near])
    return from_table(reached, ids, weight="weight")


def _refuse_unknown(table: pd.DataFrame, columns: list[str]) -> None:
    for column in columns:
        if column not in table.columns:
            raise unknown("column", column, [str(c) for c in table.columns], "a column of the table")


def _numbers(column: pd.Series) -> NDArray[np.float64]:
    numeric = pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_complex_dtype(column.dtype)
    if not numeric and not column.isna().all():
        raise InputError(
            f"column '{column.name}' must hold numbers; got dtype {column.dtype}, for instance "
            f"{listing(column.dropna().iloc[:1].tolist())}"
        )
    return np.full(len(column), np.nan) if not numeric else column.to_numpy(dtype=np.float64, na_value=np.nan)


def _linked(ids: pd.Index, rows: NDArray[np.int64], cols: NDArray[np.int64], data: NDArray[np.float64]) -> Weights:
    known = ~np.isnan(data)
    return Weights.from_arrays(ids, rows[known], cols[known], data[known])
