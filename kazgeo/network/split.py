"""Long edges cut into equal parts, where nodes must lie close to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kazgeo.errors import InputError, listing, positive_number
from kazgeo.network.contract import PAIRS
from kazgeo.network.measure import one_if_same, shapes_of
from kazgeo.network.model import Network, Shapes
from kazgeo.network.vertices import cut, vertices

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["split"]

#: Edges that are made at most.
MOST_EDGES = 100_000_000


def split(network: Network, most_m: float) -> Network:
    """Return the same roads with no edge longer than so many metres: what ``contract`` does, the other way round.

    Assumption: an edge is as quick at its end as at its start, so parts share its time, its waits at junctions among
    them, by length. Travel times between the nodes there were don't change.

    Parameters
    ----------
    network : Network
        Roads.
    most_m : float
        Longest edge, m.

    Returns
    -------
    Network
        The nodes there were come first, then those between.

    Raises
    ------
    InputError
        Metres that are not positive, or so few that there would be more than 100 million edges.

    Examples
    --------
    >>> from kazgeo.network import from_edges
    >>> nodes = pd.DataFrame({"lon": [71.0, 72.0], "lat": [51.0, 51.0]}, index=["a", "b"])
    >>> edges = pd.DataFrame({"from_id": ["a"], "to_id": ["b"], "length_km": [60.0]})
    >>> made = split(from_edges(edges, nodes, speed_kmh=60), 25_000)
    >>> made.nodes.tolist(), made.lon.round(3).tolist(), made.time_s.round(6).tolist()
    (['a', 'b', '0/1', '0/2'], [71.0, 72.0, 71.333, 71.667], [1200.0, 1200.0, 1200.0])
    >>> split(made, 25_000).m
    3
    >>> split(made, 0)
    Traceback (most recent call last):
    kazgeo.errors.InputError: most_m must be positive metres; got 0
    """
    most = positive_number(most_m, "most_m", "positive metres")
    wanted = np.maximum(np.ceil(network.length_m / most * (1 - 1e-12)), 1.0)
    if wanted.sum() > MOST_EDGES:
        raise InputError(f"most_m {most:g} would make {wanted.sum():,.0f} edges; at most {MOST_EDGES:,} are made")
    parts = wanted.astype(np.int64)
    edge = np.repeat(np.arange(network.m), parts)
    first = np.repeat(np.cumsum(parts) - parts, parts)
    number, of = np.arange(len(edge)) - first, parts[edge]
    lines = vertices(network)._replace(xy=shapes_of(network).xy)  # shares of metres, points in degrees
    pieces = cut(lines, edge, number / of, (number + 1) / of)
    inner = number < of - 1
    between = pieces.xy[pieces.offset[1:] - 1][inner]
    new = network.n + np.cumsum(inner) - 1
    start = np.where(number == 0, network.start[edge], np.r_[0, new[:-1]])
    end = np.where(inner, new, network.end[edge])
    nodes = network.nodes.append(_names(network, edge[inner], number[inner] + 1))
    forward, backward = network.time_s[edge] / of, network.backwards_s[edge] / of
    roads = None
    if network.roads is not None:
        roads = network.roads.take(edge).reset_index(drop=True)
        for column in (c for pair in PAIRS for c in pair if c in roads):
            roads[column] = roads[column].to_numpy(float) / of
    return Network(
        nodes, np.r_[network.lon, between[:, 0]], np.r_[network.lat, between[:, 1]], start, end,
        network.length_m[edge] / of, forward, one_if_same(forward, backward), roads,
        Shapes(pieces.xy, pieces.offset), dropped=network.dropped,
    )  # fmt: skip


def _names(network: Network, edge: NDArray[np.int64], number: NDArray[np.int64]) -> pd.Index:
    """Return ids of new nodes: further numbers where nodes are numbered, else edge and part."""
    if pd.api.types.is_integer_dtype(network.nodes.dtype):
        return pd.RangeIndex(len(edge)) + (int(network.nodes.max()) + 1 if network.n else 0)
    made = pd.Index([f"{e}/{k}" for e, k in zip(edge.tolist(), number.tolist(), strict=True)], dtype=object)
    taken = made[made.isin(network.nodes)]
    if len(taken):
        raise InputError(f"nodes between would be called {listing(taken)}, as others are: give nodes numbers for ids")
    return made
