"""Which settlements are destinations: by kind, by size, or by both."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    import pandas as pd

    from kazgeo.analyses.options import Destinations

__all__ = ["destinations"]


def destinations(settlements: Any, who: str, options: Destinations) -> tuple[Any, pd.Series | None, pd.Index]:
    """Return the settlements with inhabitants as numbers, these, and the ids of the destinations; ``who`` asks.

    Raises
    ------
    InputError
        None named, or names that no settlement has.
    """
    import numpy as np

    from kazgeo.analyses.columns import numeric
    from kazgeo.errors import InputError, listing

    column, population, least = options["destination_field"], options["population"], options["min_population"]
    people = None
    if population is not None:
        people = numeric(settlements, population)
        settlements = settlements.assign(**{population: people})
    named = [v.strip() for v in options["destination_values"].split(",") if v.strip()]
    if (column is None) != (not named):
        raise InputError(f"{who}: destination_field and destination_values go together; give both or neither")
    if least is not None and people is None:
        raise InputError(f"{who}: min_population needs the column of inhabitants; name it with population")
    if column is None and least is None:
        raise InputError(
            f"{who}: no destination; name them by destination_field and destination_values, or min_population"
        )
    mask = np.zeros(len(settlements), dtype=bool)
    if column is not None:
        have = settlements[column].astype(str)
        strange = [v for v in named if not (have == v).any()]
        if strange:
            raise InputError(f"{who}: no settlement has {listing(strange)} in column '{column}'; "
                             f"there are: {listing(sorted(have.unique()), 8)}")  # fmt: skip
        mask |= have.isin(named).to_numpy()
    if least is not None and people is not None:
        mask |= (people >= least).to_numpy()
        if not mask.any():
            raise InputError(f"{who}: no settlement has {least:,.0f} inhabitants or more in '{population}'")
    return settlements, people, settlements.index[mask]
