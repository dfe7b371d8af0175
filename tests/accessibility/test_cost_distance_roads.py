"""Ground and roads in one model, against scipy's Dijkstra on a graph built here; zones against shapely."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import geopandas
import numpy as np
import pytest
import rioxarray  # noqa: F401
import scipy.sparse as sp
import shapely
import xarray
from hypothesis import given, settings
from hypothesis import strategies as st

from kazgeo.accessibility.cost_distance import Travel, cost_distance, cost_distance_with_roads, zonal_access
from kazgeo.errors import InputError


def surface(values, cell=1000.0):
    values = np.asarray(values, float)
    at = [cell * (np.arange(n) + 0.5) for n in values.shape]
    return xarray.DataArray(values, {"y": at[0][::-1] + 5e6, "x": at[1] + 5e5}, ("y", "x")).rio.write_crs(32642)


def network(friction, cells, arcs):
    """Return a stand-in of a network with a node near the centre of each cell, and arcs (from, to, seconds)."""
    x, y = [float(friction.x[c]) + 130 for _, c in cells], [float(friction.y[r]) - 90 for r, _ in cells]
    at = geopandas.GeoSeries.from_xy(x, y, crs=friction.rio.crs).to_crs(4326)
    tail, head, seconds = (np.array(a) for a in zip(*arcs, strict=True)) if arcs else (np.empty(0, int),) * 3

    def csr(reverse=False):
        start, end = (head, tail) if reverse else (tail, head)
        order = np.argsort(start, kind="stable")
        indptr = np.r_[0, np.cumsum(np.bincount(start, minlength=len(cells)))]
        return indptr.astype(np.int64), end[order].astype(np.int32), seconds[order].astype(float)

    return SimpleNamespace(lon=at.x.to_numpy(), lat=at.y.to_numpy(), arcs=csr)


def town(friction, *cells):
    x, y = [float(friction.x[c]) for _, c in cells], [float(friction.y[r]) for r, _ in cells]
    return geopandas.GeoSeries.from_xy(x, y, index=list("abcdef"[: len(cells)]), crs=friction.rio.crs)


@given(st.integers(0, 400), st.sampled_from(["towards", "from"]), st.sampled_from([np.inf, 4000.0]))
@settings(max_examples=30, deadline=None)
def test_cells_and_nodes_are_one_graph(seed, heading, limit):
    rng = np.random.default_rng(seed)
    values = rng.uniform(0.3, 2.0, (6, 7))
    values[rng.random((6, 7)) < 0.25] = np.nan
    values[0, 0] = values[5, 6] = 1.0
    friction, size = surface(values), values.size
    cells = [(int(r), int(c)) for r, c in zip(rng.integers(0, 6, 9), rng.integers(0, 7, 9), strict=True)]
    arcs = [
        (int(a), int(b), float(s))
        for a, b, s in zip(*rng.integers(0, 9, (2, 15)), rng.uniform(10, 900, 15), strict=True)
    ]
    edges = {}

    def join(a, b, seconds):
        edges[a, b] = min(seconds, edges.get((a, b), np.inf))

    for r, c in np.ndindex(6, 7):
        for dr, dc in [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if a or b]:
            if 0 <= r + dr < 6 and 0 <= c + dc < 7:
                seconds = 500 * np.hypot(dr, dc) * (values[r, c] + values[r + dr, c + dc])
                if np.isfinite(seconds):
                    join(r * 7 + c, (r + dr) * 7 + c + dc, seconds)
    for i, (r, c) in enumerate(cells):
        if not np.isnan(values[r, c]):
            join(size + i, r * 7 + c, 500 * values[r, c])
            join(r * 7 + c, size + i, 500 * values[r, c])
    for a, b, seconds in arcs:
        join(*((size + a, size + b) if heading == "from" else (size + b, size + a)), seconds)
    (rows, columns), seconds = np.array(list(edges)).T, np.array(list(edges.values()))
    graph = sp.csr_array((seconds, (rows, columns)), shape=(size + 9,) * 2)
    wanted = sp.csgraph.dijkstra(graph, indices=[0, size - 1], min_only=True, limit=limit)
    found = cost_distance_with_roads(
        friction, network(friction, cells, arcs), town(friction, (0, 0), (5, 6)), travel=Travel(heading=heading),
        max_time_s=None if np.isinf(limit) else limit,
    )  # fmt: skip
    got = np.r_[found.time_s.values.ravel(), found.node_time_s]
    np.testing.assert_allclose(got, np.where(np.isinf(wanted), np.nan, wanted), rtol=1e-12)
    blocked = sum(np.isnan(values[q]) for q in cells)
    assert (found.n_linked, found.n_outside, found.n_on_barrier) == (9 - blocked, 0, blocked)
    each = [sp.csgraph.dijkstra(graph, indices=s)[:size] for s in (0, size - 1)]
    codes = found.allocation.values.ravel()
    reached = codes >= 0
    np.testing.assert_array_equal(reached, np.isfinite(got[:size]))
    np.testing.assert_allclose(np.choose(codes[reached], [e[reached] for e in each]), got[:size][reached], rtol=1e-12)
    ground = cost_distance(friction, town(friction, (0, 0), (5, 6))).time_s.values
    off = ~found.by_road.values & np.isfinite(found.time_s.values)
    np.testing.assert_allclose(found.time_s.values[off], ground[off], rtol=1e-12)


def test_a_road_over_a_barrier_is_a_bridge_and_one_way_roads_are_one_way():
    values = np.ones((3, 5))
    values[:, 2] = np.nan
    friction = surface(values)
    bridge = network(friction, [(1, 1), (1, 2), (1, 3)], [(0, 1, 30.0), (1, 2, 30.0)])
    post = town(friction, (1, 1))
    out = cost_distance_with_roads(friction, bridge, post, travel=Travel(heading="from"))
    assert out.time_s.values[1, 3] == 500 + 60 + 500
    assert bool(out.by_road[1, 3])
    back = cost_distance_with_roads(friction, bridge, post)
    assert np.isnan(back.time_s.values[1, 3])
    assert (back.n_on_barrier, back.n_reached, back.n_unreached) == (1, 6, 6)


def test_networks_that_are_none():
    friction = surface(np.ones((3, 3)))
    post = town(friction, (1, 1))
    alone = cost_distance_with_roads(friction, network(friction, [(0, 0)], []), post)
    np.testing.assert_array_equal(alone.time_s, cost_distance(friction, post).time_s)
    for seconds in (-1.0, np.nan):
        with pytest.raises(InputError, match="1 of 1 have not"):
            cost_distance_with_roads(friction, network(friction, [(0, 0), (2, 2)], [(0, 1, seconds)]), post)
    far = network(friction, [(0, 0), (2, 2)], [(0, 1, 1.0)])
    far.lon = far.lon + 20
    assert cost_distance_with_roads(friction, far, post).n_outside == 2


# ---------------------------------------------------------------- zones
@given(st.integers(0, 300), st.booleans())
@settings(max_examples=15, deadline=None)
def test_zones_weigh_cells_by_people_and_share(seed, south):
    pytest.importorskip("exactextract")
    rng = np.random.default_rng(seed)
    time = surface(np.where(rng.random((6, 5)) < 0.2, np.nan, rng.uniform(0, 7200, (6, 5)).round()))
    people = time.copy(data=rng.integers(0, 90, (6, 5)).astype(float))
    if south:
        time, people = (a.isel(y=slice(None, None, -1)) for a in (time, people))
    shapes = [shapely.Point(5e5 + x, 5e6 + y).buffer(r) for x, y, r in rng.uniform(200, 4800, (3, 3)) / [1, 1, 2]]
    zones = geopandas.GeoDataFrame(geometry=shapes, index=["z0", "z1", "z2"], crs=32642)
    found = zonal_access(time, people, zones, thresholds_s=[1800]).table
    for name, shape in zones.geometry.items():
        x, y = np.meshgrid(time.x.values, time.y.values)
        cells = shapely.box(x - 500, y - 500, x + 500, y + 500)
        w = people.values * shapely.area(shapely.intersection(cells, shape)) / 1e6
        assert found.loc[name, "population"] == pytest.approx(w.sum(), rel=1e-4)
        known = ~np.isnan(time.values)
        assert found.loc[name, "unreached"] == pytest.approx(w[~known].sum(), rel=1e-4, abs=1e-3)
        if w[known].sum() > 0:
            assert found.loc[name, "mean_s"] == pytest.approx((w * time.values)[known].sum() / w[known].sum(), rel=1e-4)
            inside = w[known][time.values[known] <= 1800].sum()
            assert found.loc[name, "within_1800"] == pytest.approx(inside / w.sum(), abs=1e-4)
            below = w[known][time.values[known] < found.loc[name, "median_s"]].sum()
            upto = w[known][time.values[known] <= found.loc[name, "median_s"]].sum()
            assert below <= w[known].sum() / 2 * (1 + 1e-6)
            assert upto >= w[known].sum() / 2 * (1 - 1e-6)


def test_zones_with_nothing_in_them():
    pytest.importorskip("exactextract")
    time = surface(np.ones((2, 2)))
    people = time.copy(data=[[np.nan, 0.0], [5.0, 5.0]])
    box = shapely.box(5e5, 5e6 + 1000, 5e5 + 2000, 5e6 + 2000)
    zones = geopandas.GeoDataFrame(
        geometry=[box, None, shapely.box(0, 0, 1, 1)], index=["empty", "lost", "away"], crs=32642
    )  # fmt: skip
    found = zonal_access(time, people, zones, thresholds_s=[60])
    assert found.table.loc["empty", ["population", "unknown_share"]].tolist() == [0, 0.5]
    assert found.table.loc["empty", ["mean_s", "median_s", "within_60"]].isna().all()
    assert dict(found.dropped.values.tolist()) == {"lost": "no place", "away": "outside the surface"}
    order = zonal_access(time, people, zones.iloc[::-1], thresholds_s=[60])
    assert order.table.equals(found.table)


def test_zones_that_are_wrong(monkeypatch):
    time = surface(np.ones((2, 2)))
    zones = geopandas.GeoDataFrame(geometry=[shapely.box(5e5, 5e6, 5e5 + 9, 5e6 + 9)], crs=32642)
    for call, words in [
        (lambda: zonal_access(time, time, zones.set_crs(None, allow_override=True)), "declare no CRS"),
        (lambda: zonal_access(time, time, zones.iloc[[0, 0]]), "unique ids"),
        (lambda: zonal_access(time, -time, zones), "negative"),
        (lambda: zonal_access(time, time, zones, thresholds_s=[0]), "thresholds_s"),
        (lambda: zonal_access(time, surface(np.ones((3, 2))), zones), "population must have the cells of time_s"),
    ]:
        with pytest.raises(InputError, match=words):
            call()
    monkeypatch.setitem(sys.modules, "exactextract", None)
    with pytest.raises(InputError, match="pip install exactextract"):
        zonal_access(time, time, zones)
