"""Stretches of road that cut settlements off when they close, with those who live behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import geopandas
    import pandas as pd

    from kazgeo.accessibility import SingleRoads
    from kazgeo.network import Network

__all__ = ["behind", "stretches_of"]


def stretches_of(
    found: SingleRoads, network: Network, people: pd.Series | None, name: str | None = None
) -> geopandas.GeoDataFrame:
    """Return the stretches that cut settlements off, most people first, then most settlements.

    ``name`` is a column of the network's roads. People are missing where nobody's number is known.
    """
    import geopandas
    import numpy as np
    import pandas as pd

    from kazgeo.labels import canonical_order

    table, known = found.bridges, network.roads
    edge = table["edge"].to_numpy()
    ids = pd.Index(known["road_id"].to_numpy()[edge] if known is not None else edge)
    named = {} if name is None or known is None else {"road_name": known[name].to_numpy()[edge]}
    lives = people is not None
    columns: dict[str, Any] = {
        "road_id": ids.to_numpy(), **named, "length_km": table["length_m"] / 1000, "roads_in_line": table["roads"],
        "settlements_behind": table["places"], "people_behind": table["people"] if lives else float("nan"),
        "settlements_lose": table["places_lose"], "people_lose": table["people_lose"] if lives else float("nan"),
    }  # fmt: skip
    layer = geopandas.GeoDataFrame(columns, geometry=table.geometry, index=table.index, crs=table.crs)
    rank = np.empty(len(ids), dtype=np.int64)
    rank[canonical_order(ids)] = np.arange(len(ids))
    order = np.lexsort([table["low"], rank, table["roads"], -table["places"], -table["people"]])
    return layer.iloc[order]


def behind(found: SingleRoads, people: pd.Series | None) -> dict[Any, list[Any]]:
    """Return by stretch the settlements behind it without another such stretch between, the largest first."""
    first = found.places["bridge"]
    first = first[first.notna() & (first >= 0)]
    if people is not None:
        first = first.loc[people.reindex(first.index).sort_values(ascending=False, kind="stable").index]
    return {row: ids.index.tolist() for row, ids in first.groupby(first)}
