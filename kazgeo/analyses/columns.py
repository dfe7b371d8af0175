"""Columns of layers as numbers, or one clear error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kazgeo.errors import InputError, listing, unknown

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["inhabitants", "numeric", "of_years", "valued"]

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


def inhabitants(layer: pd.DataFrame, column: str | None) -> pd.Series | None:
    """Return numbers of people; None without a column, and where it tells of nobody: then nothing is said of people.

    Examples
    --------
    >>> import pandas as pd
    >>> towns = pd.DataFrame({"people": ["1 200", None], "unknown": [None, None]})
    >>> inhabitants(towns, "people").tolist()
    [1200.0, nan]
    >>> inhabitants(towns, "unknown") is None, inhabitants(towns, None) is None
    (True, True)
    """
    people = numeric(layer, column) if column is not None else None
    return people if people is not None and (people > 0).any() else None


def valued(layer: pd.DataFrame, column: str | None, values: str, who: str, names: tuple[str, str]) -> pd.Series | None:
    """Return which units have one of the comma-separated values in a column; None where neither is given.

    Raises
    ------
    InputError
        One without the other, or a value that no unit has; ``who`` and ``names`` are the analysis and its parameters.

    Examples
    --------
    >>> import pandas as pd
    >>> kinds = pd.DataFrame({"kind": ["town", "village"]})
    >>> valued(kinds, "kind", "town, ", "x", ("field", "values")).tolist()
    [True, False]
    >>> valued(kinds, None, "", "x", ("field", "values")) is None
    True
    >>> valued(kinds, "kind", "city", "x", ("field", "values"))
    Traceback (most recent call last):
    kazgeo.errors.InputError: x: values: nothing has 'city' in column 'kind'; there are: 'town', 'village'
    """
    named = [v.strip() for v in values.split(",") if v.strip()]
    if (column is None) != (not named):
        raise InputError(f"{who}: {names[0]} and {names[1]} go together; give both or neither")
    if column is None:
        return None
    have = layer[column].astype(str)
    strange = [v for v in named if not (have == v).any()]
    if strange:
        raise InputError(
            f"{who}: {names[1]}: nothing has {listing(strange)} in column '{column}'; "
            f"there are: {listing(sorted(have.unique()), 8)}"
        )
    return have.isin(named)


def of_years(panel: pd.DataFrame, regions: pd.DataFrame, first: int, last: int, who: str) -> pd.DataFrame:
    """Return the rows of a panel of these regions, from one year to another, both included.

    Raises
    ------
    InputError
        There are none; ``who`` is the analysis that asks.

    Examples
    --------
    >>> import pandas as pd
    >>> at = pd.MultiIndex.from_product([["a", "b"], [2019, 2020]], names=["region", "year"])
    >>> panel = pd.DataFrame({"income": [1.0, 2, 3, 4]}, index=at)
    >>> of_years(panel, pd.DataFrame(index=["b"]), 2020, 2022, "inequality").index.tolist()
    [('b', 2020)]
    >>> of_years(panel, pd.DataFrame(index=["c"]), 2020, 2022, "inequality")
    Traceback (most recent call last):
    kazgeo.errors.InputError: inequality: no figures from 2020 to 2022 for these regions
    """
    years = panel.index.get_level_values("year")
    some = panel[panel.index.get_level_values("region").isin(regions.index) & (years >= first) & (years <= last)]
    if not len(some):
        raise InputError(f"{who}: no figures from {first} to {last} for these regions")
    return some
