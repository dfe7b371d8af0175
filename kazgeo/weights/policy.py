"""What becomes of units without neighbours."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from kazgeo.crs import local_metres
from kazgeo.errors import InputError, listing
from kazgeo.labels import canonical_order
from kazgeo.weights.sphere import nearest, on_sphere
from kazgeo.weights.type import Weights

if TYPE_CHECKING:
    import geopandas
    from numpy.typing import NDArray

__all__ = ["Isolates", "without_isolates"]


class Isolates(StrEnum):
    """What becomes of a unit without neighbours."""

    KEEP = "keep"
    RAISE = "raise"
    NEAREST = "nearest"


def without_isolates(policy: Isolates, made: Weights, layer: geopandas.GeoDataFrame, remedy: str) -> Weights:
    """Apply the policy; ``remedy`` is what the message advises.

    Raises
    ------
    InputError
        Isolates under "raise".
    """
    lonely = made.isolates
    if not len(lonely) or policy is Isolates.KEEP:
        return made
    spots, placed = on_sphere(layer)
    ids = layer.index[placed]
    if policy is Isolates.RAISE:
        who = f"{len(lonely)} unit{'s have' if len(lonely) > 1 else ' has'} no neighbour: {listing(lonely)}"
        nowhere = lonely[~lonely.isin(ids)]
        if len(nowhere):
            raise InputError(f"{who}; of these without a place (geometry missing or empty): {listing(nowhere)}")
        raise InputError(f"{who}; {remedy}, or choose isolates='nearest'")
    if len(placed) < 2:
        return made
    of = np.flatnonzero(ids.isin(lonely))
    flat = layer.geometry.iloc[placed]
    points = (flat.geom_type == "Point").all()
    near = nearest(spots, ids, 1, of)[0][:, 0] if points else _nearest_shapes(flat, of)
    rows, cols = placed[of], placed[near]
    links = made.matrix.tocoo()
    weakest = made.data.min(initial=np.inf)  # no tie over a distance is stronger than one within it
    data = np.r_[links.data, np.full(2 * len(of), weakest if np.isfinite(weakest) else 1.0)]
    return Weights.from_arrays(made.ids, np.r_[links.coords[0], rows, cols], np.r_[links.coords[1], cols, rows], data)


def _nearest_shapes(layer: geopandas.GeoSeries, of: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the position of the polygon nearest to each of those at ``of``; the first by id of equally near ones."""
    import shapely

    shapes = layer.to_crs(local_metres(layer)).to_numpy()
    rank = np.empty(len(shapes), dtype=np.int64)
    rank[canonical_order(layer.index)] = np.arange(len(shapes))
    out = np.empty(len(of), dtype=np.int64)
    for number, unit in enumerate(of):
        others = np.delete(np.arange(len(shapes)), unit)
        away = shapely.distance(shapes[unit], shapes[others])
        least = others[away <= away.min() + 1e-6]
        out[number] = least[np.argmin(rank[least])]
    return out
