"""Places that hang on the same edge: the way along it, which searches by nodes don't see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from kazgeo.network.places import Attached

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Pairs", "along"]

#: Pairs of one block.
BLOCK = 2_000_000


class Pairs(NamedTuple):
    """Pairs of places by their positions, with seconds and metres along their common edge, legs included."""

    origin: NDArray[np.int64]
    destination: NDArray[np.int64]
    time_s: NDArray[np.float64]
    length_m: NDArray[np.float64]


def along(origins: Attached, destinations: Attached) -> Iterator[Pairs]:
    """Yield, in blocks, the pairs of places that hang on the same edge and can be joined along it.

    Assumption: both hang on the same network; the way along a closed direction is no way. Places at the same spot are
    one place, between which there is nothing to travel, however far the next road is.

    Parameters
    ----------
    origins, destinations : Attached
        Places on one network.

    Examples
    --------
    >>> import geopandas, pandas as pd
    >>> from kazgeo.network import attach, from_edges
    >>> nodes = pd.DataFrame({"lon": [71.0, 72.0], "lat": [51.0, 51.0]}, index=["a", "b"])
    >>> edges = pd.DataFrame({"from_id": ["a"], "to_id": ["b"], "length_km": [80.0]})
    >>> at = geopandas.points_from_xy([71.0, 72.0], [51.0, 51.0])
    >>> ends = attach(from_edges(edges, nodes, speed_kmh=80), geopandas.GeoDataFrame(geometry=at, crs=4326))
    >>> [p.time_s.round().tolist() for p in along(ends, ends)]
    [[0.0, 3600.0, 3600.0, 0.0]]
    >>> list(along(ends.take(ends.ids[:0]), ends))
    []
    """
    edge, other = origins.edge.to_numpy(), destinations.edge.to_numpy()
    order = np.argsort(other, kind="stable")
    order = order[other[order] >= 0]
    first = np.searchsorted(other[order], edge, side="left")
    count = np.where(edge >= 0, np.searchsorted(other[order], edge, side="right") - first, 0)
    total = np.cumsum(count)
    have = np.flatnonzero(count)
    while len(have):
        before = total[have[0]] - count[have[0]]
        size = max(1, int(np.searchsorted(total[have], before + BLOCK, side="right")))
        some, have = have[:size], have[size:]
        for piece in np.array_split(some, max(1, int(count[some].sum() // BLOCK))):
            many = count[piece]
            i = np.repeat(piece, many)
            within = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
            j = order[np.repeat(first[piece], many) + within]
            yield _between(origins, destinations, i, j)
    yield from _on_the_spot(origins, destinations)


def _on_the_spot(origins: Attached, destinations: Attached) -> Iterator[Pairs]:
    """Yield the pairs of places at the same spot that no road is tied to."""
    far, other = (pd.DataFrame({"at": np.flatnonzero(~a.tied), "lon": a.lon[~a.tied], "lat": a.lat[~a.tied]}).dropna()
                  for a in (origins, destinations))  # fmt: skip
    same = far.merge(other, on=["lon", "lat"])
    if len(same):
        nothing = np.zeros(len(same))
        yield Pairs(same["at_x"].to_numpy(np.int64), same["at_y"].to_numpy(np.int64), nothing, nothing)


def _between(origins: Attached, destinations: Attached, i: NDArray[np.int64], j: NDArray[np.int64]) -> Pairs:
    """Return times and lengths of pairs on one edge, without those that can't be joined along it."""
    net, e = origins.network, origins.edge.to_numpy()[i]
    part = destinations.share.to_numpy()[j] - origins.share.to_numpy()[i]
    pace = np.where(part >= 0, net.time_s[e], net.backwards_s[e])
    legs_s = origins.leg_s.to_numpy()[i] + destinations.leg_s.to_numpy()[j]
    legs_m = origins.leg_m.to_numpy()[i] + destinations.leg_m.to_numpy()[j]
    with np.errstate(invalid="ignore"):
        time = np.where(part == 0, 0.0, np.abs(part) * pace) + legs_s
    metres = np.abs(part) * net.length_m[e] + legs_m
    one = (origins.lon.to_numpy()[i] == destinations.lon.to_numpy()[j]) & (
        origins.lat.to_numpy()[i] == destinations.lat.to_numpy()[j]
    )
    time[one], metres[one] = 0.0, 0.0
    ok = np.isfinite(time)
    return Pairs(i[ok], j[ok], time[ok], metres[ok])
