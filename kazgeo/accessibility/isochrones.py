"""Isochrones: the roads that are reached within a time, cut where it runs out, and the ground beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kazgeo.accessibility.ground import Ground, areas_of, territories
from kazgeo.choices import Bands, Overlap, Travel
from kazgeo.errors import InputError, choice
from kazgeo.labels import canonical_order
from kazgeo.network import Access, Attached
from kazgeo.network.places import metric_lines
from kazgeo.network.vertices import cut, vertices
from kazgeo.parallel import run
from kazgeo.progress import Progress, silent
from kazgeo.routing.reach import Ramps, from_each, from_nearest, joined

if TYPE_CHECKING:
    import geopandas

__all__ = ["Isochrones", "isochrones", "reached_roads"]

#: Origins of one block of work.
BLOCK = 32
#: Walking beside the road: 1 km at most.
BESIDE = Access(limit_m=1000.0, speed_kmh=5.0, detour=1.3)


@dataclass(frozen=True)
class Isochrones:
    """What is reached within several times.

    Parameters
    ----------
    areas : GeoDataFrame
        Columns origin (missing when all are merged), from_s, to_s (the band of times), geometry in an equal-area CRS in
        metres, and ``length_m`` of the roads or ``area_m2`` of the ground. A row for every origin and cut-off; the
        geometry is empty where the time is used up before the road is reached.
    dropped : DataFrame
        Columns unit, reason: origins that reach nothing.
    """

    areas: geopandas.GeoDataFrame
    dropped: pd.DataFrame


#: Share of an edge below which a stretch of it is a point.
SAME_SHARE = 1e-9


@dataclass(frozen=True)
class _Ask:
    """What is asked of all origins."""

    cuts: tuple[float, ...]
    outward: bool
    overlap: Overlap
    bands: Bands

    @classmethod
    def of(cls, cuts_s: Sequence[float], direction: Travel | str, overlap: Overlap | str, bands: Bands | str) -> _Ask:
        """Return the question, checked."""
        cuts = np.asarray(list(cuts_s), dtype=float)
        if not len(cuts) or not (np.isfinite(cuts) & (cuts > 0)).all() or len(np.unique(cuts)) < len(cuts):
            raise InputError(f"cuts_s must be different positive seconds, at least one; got {list(cuts_s)}")
        return cls(
            tuple(np.sort(cuts).tolist()),
            choice(Travel, direction, "direction") is Travel.FROM,
            choice(Overlap, overlap, "overlap"),
            choice(Bands, bands, "bands"),
        )

    @property
    def spans(self) -> list[tuple[float, float]]:
        """From and to of every band."""
        low = (0.0, *self.cuts[:-1]) if self.bands is Bands.RING else (0.0,) * len(self.cuts)
        return list(zip(low, self.cuts, strict=True))


def reached_roads(
    origins: Attached, cuts_s: Sequence[float], *, direction: Travel | str = Travel.FROM,
    overlap: Overlap | str = Overlap.SEPARATE, bands: Bands | str = Bands.DISK, executor: Executor | None = None,
    progress: Progress = silent,
) -> Isochrones:  # fmt: skip
    r"""Return the stretches of road that are reached within each of several times, cut exactly where the time runs out.

    Assumption: speed is even along an edge. The leg off the road and the start in the middle of an edge are counted.
    An edge may be reached from both of its ends; the part in between that is not reached stays out.

    Parameters
    ----------
    origins : Attached
        Places tied to a network.
    cuts_s : sequence of float
        Seconds, in any order.
    direction : Travel
        "from" the origins (an ambulance), or "to" them (a patient).
    overlap : Overlap
        "separate": every origin for itself; "merged": reached from any; "nearest": every point of a road with the
        origin that is nearest to it in time (of equally near ones the first by id).
    bands : Bands
        "disk": all up to the cut-off; "ring": without what the cut-off before it holds.
    executor : Executor, optional
        Who searches; threads of this process by default.
    progress : Progress
        Reporter.

    Returns
    -------
    Isochrones
        One MultiLineString and ``length_m`` (of the network, not of its drawing) per origin and band.

    Raises
    ------
    InputError
        Cut-offs that are not positive or stand twice; no origin tied to the network.

    Notes
    -----
    A point at share x of the edge from u to w, with seconds f forth and b back, is reached after

    .. math:: t(x) = \min\{T(u) + x f,\; T(w) + (1 - x) b\}

    and, on the edge of the origin at share s with a leg of l seconds, also after l + (x - s) f or l + (s - x) b. The
    stretches within a cut-off c are those with t(x) <= c.

    Examples
    --------
    >>> import geopandas
    >>> from kazgeo.network import attach, from_edges
    >>> nodes = pd.DataFrame({"lon": [71.0, 72.0], "lat": [51.0, 51.0]}, index=["a", "b"])
    >>> edges = pd.DataFrame({"from_id": ["a"], "to_id": ["b"], "length_km": [80.0]})
    >>> at = geopandas.points_from_xy([71.0, 71.5, 60.0], [51.0, 51.0, 45.0])
    >>> towns = geopandas.GeoDataFrame(geometry=at, index=["A", "M", "far"], crs=4326)
    >>> tied = attach(from_edges(edges, nodes, speed_kmh=80), towns)
    >>> found = reached_roads(tied, [900, 1800])
    >>> (found.areas.drop(columns="geometry").round(-1)).values.tolist()
    [['A', 0.0, 900.0, 20000.0], ['A', 0.0, 1800.0, 40000.0], ['M', 0.0, 900.0, 39220.0], ['M', 0.0, 1800.0, 79220.0]]
    >>> found.dropped.values.tolist()
    [['far', 'farther from every road than the limit']]
    >>> reached_roads(tied, [0])
    Traceback (most recent call last):
    kazgeo.errors.InputError: cuts_s must be different positive seconds, at least one; got [0]
    """
    import shapely

    ask = _Ask.of(cuts_s, direction, overlap, bands)
    used, lost = _usable(origins, ask)
    points, length = vertices(origins.network), origins.network.length_m
    rows: list[tuple[Any, ...]] = []
    for who, ramps in _groups(used, ask, executor, progress):
        for low, high in ask.spans:
            _, edge, a, b = joined(ramps.within(-np.inf if low == 0 else low, high))
            real = b - a > SAME_SHARE  # the time may run out just where a stretch begins
            edge, a, b = edge[real], a[real], b[real]
            shape = shapely.MultiLineString(list(cut(points, edge, a, b).lines()))
            rows.append((who, low, high, float(((b - a) * length[edge]).sum()), shape))
    return Isochrones(_frame(rows, "length_m", used), lost)


def isochrones(
    origins: Attached, cuts_s: Sequence[float], *, beside: Access = BESIDE, direction: Travel | str = Travel.FROM,
    overlap: Overlap | str = Overlap.SEPARATE, bands: Bands | str = Bands.DISK, executor: Executor | None = None,
    progress: Progress = silent,
) -> Isochrones:  # fmt: skip
    r"""Return the ground that is reached within each of several times: beside the reached roads, while time is left.

    Assumption: from any point of a reached road one may leave it and go on at the speed of ``beside`` for the time that
    is left, but never farther than its limit. So steppe that no road opens up is not covered, and what roads enclose
    without opening it up stays a hole.

    Parameters
    ----------
    origins : Attached
        Places tied to a network.
    cuts_s : sequence of float
        Seconds, in any order.
    beside : Access
        Speed, detour and limit of the way beside the road; on foot and 1 km by default. Taken as the places were tied,
        every place with a travel time within the cut-off lies in the area.
    direction, overlap, bands, executor, progress
        As in ``reached_roads``. With "nearest" ground goes with the nearest road, so areas never overlap; the line
        between two origins is right to an eighth of the limit.

    Returns
    -------
    Isochrones
        One polygon or several, and ``area_m2``, per origin and band.

    Raises
    ------
    InputError
        As in ``reached_roads``.

    Notes
    -----
    .. math:: A(c) = \bigcup_{q:\, t(q) \le c} D\bigl(q,\; \min\{L,\; (c - t(q))\, v / \delta\}\bigr)

    over the points q of the roads, with D(q, r) the disk of radius r, v the speed, :math:`\delta` the detour and L the
    limit. Where the limit holds these are strips; towards the end of the time they narrow evenly, and the union of
    disks along a segment is the convex hull of the two at its ends. Disks are drawn with 32 corners, 16
    where they narrow (0.5 and 2 % of the radius), and roads simplified by 2 % of the limit. The straight
    leg from the origin to its road is not drawn.

    Areas nest: a longer time holds a shorter one, to that tolerance.

    References
    ----------
    Gamper, J., Böhlen, M., Cometti, W. and Innerebner, M. (2011). Defining isochrones in multimodal spatial networks.
    CIKM '11, 2381-2384. https://doi.org/10.1145/2063576.2063972 (areas from buffers of reached links)

    Examples
    --------
    >>> import geopandas
    >>> from kazgeo.network import attach, from_edges
    >>> nodes = pd.DataFrame({"lon": [71.0, 72.0], "lat": [51.0, 51.0]}, index=["a", "b"])
    >>> edges = pd.DataFrame({"from_id": ["a"], "to_id": ["b"], "length_km": [80.0]})
    >>> towns = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy([71.0], [51.0]), index=["A"], crs=4326)
    >>> tied = attach(from_edges(edges, nodes, speed_kmh=80), towns)
    >>> found = isochrones(tied, [900, 1800], bands="ring")
    >>> found.areas[["origin", "from_s", "to_s"]].values.tolist()
    [['A', 0.0, 900.0], ['A', 900.0, 1800.0]]
    >>> (found.areas["area_m2"] / 1e6).round().tolist()
    [18.0, 35.0]
    """
    import shapely

    ask = _Ask.of(cuts_s, direction, overlap, bands)
    used, lost = _usable(origins, ask)
    ground = Ground(vertices(used.network, 0.02 * beside.limit_m), used.network.topology, beside)
    disks: list[tuple[Any, list[Any]]] = []
    reach: list[Ramps] = []
    for block in _blocks(_groups(used, ask, executor, silent), BLOCK):
        tasks = [(ground, ramps, ask.cuts) for _, ramps in block]
        share = min(1.0, (len(disks) + len(block)) / max(1, len(used.ids)))
        made = run(_disks, tasks, executor, silent, "isochrones")
        disks += [(who, shapes) for (who, _), shapes in zip(block, made, strict=True)]
        reach += [ramps for _, ramps in block] if ask.overlap is Overlap.NEAREST else []
        progress(share, "isochrones")
    if ask.overlap is Overlap.NEAREST:
        shapes = territories([s for _, s in disks], reach, ground)
        disks = [(who, s) for (who, _), s in zip(disks, shapes, strict=True)]
    rows: list[tuple[Any, ...]] = []
    for who, shapes in disks:
        inner = shapely.Polygon()
        for (low, high), shape in zip(ask.spans, shapes, strict=True):
            made_ = areas_of(shapely.difference(shape, inner) if ask.bands is Bands.RING else shape)
            rows.append((who, low, high, float(shapely.area(made_)), made_))
            inner = shape
    return Isochrones(_frame(rows, "area_m2", used), lost)


def _disks(ground: Ground, ramps: Ramps, cuts: tuple[float, ...]) -> list[Any]:
    """Return the ground within each cut-off of one group of ramps."""
    return [ground.within(ramps, cut_s) for cut_s in cuts]


def _usable(origins: Attached, ask: _Ask) -> tuple[Attached, pd.DataFrame]:
    """Return the origins that reach something, and why others don't."""
    inside = origins.tied & (origins.leg_s <= ask.cuts[-1])
    if not origins.tied.any():
        raise InputError(
            "no origin is tied to the network: all are farther from a road than the limit, or none is given"
        )
    lost = origins.why_not(inside, "the leg to the road takes longer than the longest cut-off")
    return origins.take(origins.ids[inside.to_numpy()]), lost


def _groups(used: Attached, ask: _Ask, executor: Executor | None, progress: Progress) -> Iterator[tuple[Any, Ramps]]:
    """Yield what is reached: by every origin for itself, by any, or by every origin where it is the nearest."""
    if ask.overlap is Overlap.SEPARATE:
        found = from_each(used, ask.cuts[-1], outward=ask.outward, executor=executor, progress=progress)
        yield from zip(used.ids, found, strict=True)
        return
    by_id = used.take(used.ids[canonical_order(used.ids)])
    every = from_nearest(by_id, ask.cuts[-1], outward=ask.outward)
    if ask.overlap is Overlap.MERGED:
        if len(used.ids):
            yield None, every._replace(owner=np.zeros(len(every.edge), np.int64))
        return
    order = np.argsort(every.owner, kind="stable")
    bounds = np.searchsorted(every.owner[order], np.arange(len(by_id.ids) + 1))
    for who, i in zip(used.ids, by_id.ids.get_indexer(used.ids), strict=True):
        yield who, every.take(order[bounds[i] : bounds[i + 1]])


def _blocks(groups: Iterator[tuple[Any, Ramps]], size: int) -> Iterator[list[tuple[Any, Ramps]]]:
    """Yield groups in lists of a size."""
    block: list[tuple[Any, Ramps]] = []
    for group in groups:
        block.append(group)
        if len(block) == size:
            yield block
            block = []
    if block:
        yield block


def _frame(rows: list[tuple[Any, ...]], measure: str, used: Attached) -> geopandas.GeoDataFrame:
    """Return the rows as a layer."""
    import geopandas

    table = pd.DataFrame(rows, columns=["origin", "from_s", "to_s", measure, "geometry"])
    table["origin"] = pd.Series(table["origin"].to_numpy(), dtype=object if used.ids.dtype == object else None)
    return geopandas.GeoDataFrame(table, geometry="geometry", crs=metric_lines(used.network)[0])
