"""What becomes of units without neighbours, and where units lie on the sphere."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from kazgeo.crs import has_place, unit_sphere
from kazgeo.errors import InputError, listing
from kazgeo.weights.type import Weights

if TYPE_CHECKING:
    import geopandas
    from numpy.typing import NDArray

__all__ = ["Isolates", "on_sphere", "without_isolates"]


class Isolates(StrEnum):
    """What becomes of a unit without neighbours."""

    KEEP = "keep"
    RAISE = "raise"
    NEAREST = "nearest"


def on_sphere(layer: geopandas.GeoDataFrame) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return unit-sphere coordinates and positions of the rows that have a place; polygons by a point inside.

    Raises
    ------
    InputError
        No CRS.
    """
    import shapely

    if layer.crs is None:
        raise InputError("points have no CRS, so the nearest can't be told; set it with points.set_crs(...)")
    shapes = layer.geometry.to_numpy()
    points = bool((shapely.get_type_id(shapes) <= 0).all())  # points and missing ones
    if points:
        at = np.column_stack([shapely.get_x(shapes), shapely.get_y(shapes)])
        placed = np.flatnonzero(np.isfinite(at).all(axis=1))
        if layer.crs.is_geographic and layer.crs.to_epsg() == 4326:
            return unit_sphere(at[placed, 0], at[placed, 1]), placed
    else:
        placed = np.flatnonzero(has_place(shapes))
    spots = layer.geometry.iloc[placed]
    spots = (spots if points else spots.representative_point()).to_crs(4326)
    return unit_sphere(spots.x.to_numpy(), spots.y.to_numpy()), placed


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
    if policy is Isolates.RAISE:
        raise InputError(
            f"{len(lonely)} units have no neighbour: {listing(lonely)}; {remedy}, or choose isolates='nearest'"
        )
    spots, placed = on_sphere(layer)
    from scipy.spatial import cKDTree

    if len(placed) < 2:
        return made
    ids = layer.index[placed]
    of = np.flatnonzero(ids.isin(lonely))
    _, nearest = cKDTree(spots).query(spots[of], k=2)
    other = np.where(nearest[:, 0] == of, nearest[:, 1], nearest[:, 0])
    rows, cols = placed[of], placed[other]
    links = made.matrix.tocoo()
    data = np.r_[links.data, np.ones(2 * len(of))]
    return Weights.from_arrays(made.ids, np.r_[links.coords[0], rows, cols], np.r_[links.coords[1], cols, rows], data)
