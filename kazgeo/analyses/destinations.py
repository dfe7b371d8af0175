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

    Inhabitants are None where nobody's number is known.

    Raises
    ------
    InputError
        None named, or names that no settlement has.
    """
    import numpy as np

    from kazgeo.analyses.columns import inhabitants, numeric, valued
    from kazgeo.errors import InputError

    population, least = options["population"], options["min_population"]
    people = None
    if population is not None:
        people = numeric(settlements, population)
        settlements = settlements.assign(**{population: people})
    names = ("destination_field", "destination_values")
    marked = valued(settlements, options["destination_field"], options["destination_values"], who, names)
    if least is not None and people is None:
        raise InputError(f"{who}: min_population needs the column of inhabitants; name it with population")
    if marked is None and least is None:
        raise InputError(
            f"{who}: no destination; name them by destination_field and destination_values, or min_population"
        )
    mask = np.zeros(len(settlements), dtype=bool) if marked is None else marked.to_numpy()
    if least is not None and people is not None:
        mask = mask | (people >= least).to_numpy()
        if not mask.any():
            raise InputError(f"{who}: no settlement has {least:,.0f} inhabitants or more in '{population}'")
    return settlements, inhabitants(settlements, population), settlements.index[mask]
