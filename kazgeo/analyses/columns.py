"""Columns of layers as numbers, or one clear error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kazgeo.errors import InputError, listing, unknown

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["numeric"]

#: Larger figures can't be squared in double precision.
_LARGEST = 1e150


def numeric(layer: pd.DataFrame, column: str, what: str = "column") -> pd.Series:
    """Return a column as numbers; text that holds numbers is read as the bureau writes it.

    Raises
    ------
    InputError
        No such column, cells that are no numbers, infinite or absurdly large values.

    Examples
    --------
    >>> import pandas as pd
    >>> numeric(pd.DataFrame({"x": ["1,5", "-", None]}), "x").tolist()
    [1.5, nan, nan]
    >>> numeric(pd.DataFrame({"x": [1.0]}), "y")
    Traceback (most recent call last):
    kazgeo.errors.InputError: column 'y' is not a column of the layer; there are: 'x'
    """
    from kazgeo.parsing import parse_numbers

    if column not in layer.columns:
        raise unknown(what, column, [c for c in layer.columns if c != "geometry"], "a column of the layer")
    values = parse_numbers(layer[column])
    wild = values.index[values.abs() > _LARGEST]
    if len(wild):
        raise InputError(f"{what} '{column}' is infinite or absurdly large in {len(wild)} units: {listing(wild)}")
    return values
