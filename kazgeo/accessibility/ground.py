"""Ground beside reached roads: strips that narrow as the time runs out, unions kept for whole blocks of roads."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from kazgeo.network import Access, Topology
from kazgeo.network.vertices import Vertices, cut
from kazgeo.routing.reach import Ramps, joined

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Ground", "areas_of", "territories"]

#: Edges of the blocks whose unions are kept, level by level.
SIZES = (16, 128, 1024, 8192, 65_536)
#: Corners of a quarter of a circle: of the full limit, and where it narrows.
CORNERS, FEWER = 8, 4


class Ground:
    """Makes areas of reached stretches of road.

    Parameters
    ----------
    points : Vertices
        Points of all edges in metres.
    topology : Topology
        For the order of edges: neighbours on the map stand together.
    beside : Access
        Speed, detour and limit beside the road.
    """

    def __init__(self, points: Vertices, topology: Topology, beside: Access) -> None:
        self.points, self.limit_m = points, beside.limit_m
        self.pace = beside.detour / (beside.speed_kmh / 3.6)  # seconds per straight metre
        self._order = np.argsort(topology.rank[topology.start], kind="stable")
        self._place = np.empty(len(self._order), np.int64)
        self._place[self._order] = np.arange(len(self._order))
        self._kept: dict[tuple[int, int], Any] = {}

    def within(self, ramps: Ramps, cut_s: float) -> Any:
        """Return the polygon of one cut-off, empty when nothing is reached."""
        import shapely

        full_s = cut_s - self.limit_m * self.pace
        _, edge, low, high = joined(ramps.within(-np.inf, full_s))
        whole = (low == 0) & (high == 1)
        parts = [
            self._strips(edge[~whole], low[~whole], high[~whole]),
            self._blocks(edge[whole]),
            self._tapers(ramps.within(full_s, cut_s), cut_s),
        ]
        return shapely.union_all(np.concatenate(parts))

    def _strips(self, edge: NDArray[np.int64], low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[Any]:
        """Return stretches with the limit on all sides."""
        import shapely

        if not len(edge):
            return np.empty(0, object)
        return np.asarray(shapely.buffer(cut(self.points, edge, low, high).lines(), self.limit_m, quad_segs=CORNERS))

    def _blocks(self, edge: NDArray[np.int64]) -> NDArray[Any]:
        """Return whole edges with the limit on all sides, full blocks as one shape that is made once."""
        place = np.sort(self._place[edge])
        found: list[Any] = []
        total = len(self._order)
        for level in reversed(range(len(SIZES))):
            size = SIZES[level]
            block, count = np.unique(place // size, return_counts=True)
            full = block[count == np.minimum(size, total - block * size)]
            found += [self._block(level, int(b)) for b in full]
            place = place[~np.isin(place // size, full)]
        rest = self._order[place]
        shapes = np.empty(len(found), object)
        shapes[:] = found
        return np.concatenate([shapes, self._strips(rest, np.zeros(len(rest)), np.ones(len(rest)))])

    def _block(self, level: int, number: int) -> Any:
        """Return the union of one block of edges."""
        import shapely

        key = (level, number)
        if key not in self._kept:
            start, stop = number * SIZES[level], min((number + 1) * SIZES[level], len(self._order))
            if level == 0:
                edges = self._order[start:stop]
                parts = list(self._strips(edges, np.zeros(len(edges)), np.ones(len(edges))))
            else:
                below = SIZES[level - 1]
                parts = [self._block(level - 1, b) for b in range(start // below, -(-stop // below))]
            self._kept[key] = shapely.union_all(parts)
        return self._kept[key]

    def _tapers(self, ramps: Ramps, cut_s: float) -> NDArray[Any]:
        """Return the narrowing strips at the end of the time: hulls of the two disks of every segment."""
        import shapely

        if not len(ramps.edge):
            return np.empty(0, object)
        low, high = np.minimum(ramps.near, ramps.far), np.maximum(ramps.near, ramps.far)
        made = cut(self.points, ramps.edge, low, high)
        line = made.line
        near, width = ramps.near[line], (ramps.far - ramps.near)[line]
        time = ramps.near_s[line] + (made.share - near) / width * (ramps.far_s - ramps.near_s)[line]
        radius = np.clip((cut_s - time) / self.pace, 0.0, self.limit_m)
        angle = np.arange(4 * FEWER) * (np.pi / 2 / FEWER)
        ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        disk = made.xy[:, None, :] + radius[:, None, None] * ring[None]
        a = np.flatnonzero(line[1:] == line[:-1])
        both = np.concatenate([disk[a], disk[a + 1]], axis=1)
        hulls = shapely.convex_hull(shapely.linestrings(both))
        return np.asarray(hulls[shapely.get_dimensions(hulls) == 2])


def territories(disks: list[list[Any]], reach: list[Ramps], ground: Ground) -> list[list[Any]]:
    """Return the ground of every origin without what is nearer to the road of another: areas that never overlap.

    Parameters
    ----------
    disks : list of lists of polygons
        Of every origin, for every cut-off in rising order, made of the roads to which it is the nearest.
    reach : list of Ramps
        Those roads.
    """
    import shapely

    last = np.array([shapes[-1] for shapes in disks], dtype=object)
    tree = shapely.STRtree(last)
    left, right = tree.query(last, predicate="intersects")
    near = [right[(left == i) & (right != i)] for i in range(len(last))]
    contested = [shapely.intersection(shape, shapely.union_all(last[n])) for shape, n in zip(last, near, strict=True)]
    cells = _cells(shapely.union_all(contested), reach, ground)
    won = [shapely.intersection(c, cell) for c, cell in zip(contested, cells, strict=True)]
    given: list[Any] = []
    for i, n in enumerate(near):
        others = np.array([won[j] for j in n] + [given[j] for j in n if j < i], dtype=object)
        rest = shapely.difference(contested[i], shapely.union_all(others)) if len(n) else contested[i]
        given.append(areas_of(shapely.union_all([shapely.difference(last[i], contested[i]), won[i], rest])))
    out = []
    for i, n in enumerate(near):
        own = [[shapely.intersection(given[i], disks[j][c]) for j in (i, *n)] for c in range(len(disks[i]))]
        out.append([areas_of(shapely.union_all(parts)) for parts in own])
    return out


def areas_of(shape: Any) -> Any:
    """Return a shape without the points and lines that overlays leave behind."""
    import shapely

    if shape.geom_type in {"Polygon", "MultiPolygon"}:
        return shape
    parts = shapely.get_parts(shape)
    return shapely.union_all(parts[shapely.get_dimensions(parts) == 2])


def _cells(zone: Any, reach: list[Ramps], ground: Ground) -> list[Any]:
    """Return, within a zone and for every origin, what is nearer to its roads than to those of others."""
    import shapely

    empty = [shapely.Polygon()] * len(reach)
    if shapely.is_empty(zone):
        return empty
    xy, owner = [], []
    for i, ramps in enumerate(reach):
        _, edge, low, high = joined(ramps)
        lines = shapely.segmentize(cut(ground.points, edge, low, high).lines(), ground.limit_m / 8)
        spots = shapely.get_coordinates(lines)
        xy.append(spots)
        owner.append(np.full(len(spots), i))
    spots, who = np.concatenate(xy), np.concatenate(owner)
    shapely.prepare(zone)
    some = shapely.dwithin(zone, shapely.points(spots), ground.limit_m * 1.5)
    spots, first = np.unique(np.round(spots[some], 3), axis=0, return_index=True)
    who = who[some][first]
    made = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(spots), extend_to=zone, ordered=True))
    order = np.argsort(who, kind="stable")
    bounds = np.searchsorted(who[order], np.arange(len(reach) + 1))
    return [shapely.coverage_union_all(made[order[a:b]]) if b > a else shapely.Polygon()
            for a, b in itertools.pairwise(bounds)]  # fmt: skip
