"""Isochrones by hand on small roads, and against scipy on networks cut into many short edges."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import dijkstra

from kazgeo.accessibility import nearest
from kazgeo.accessibility.isochrones import isochrones, reached_roads
from kazgeo.crs import COUNTRY
from kazgeo.errors import InputError
from kazgeo.network import Access, Attached, Network, Shapes, attach
from kazgeo.progress import silent
from kazgeo.routing.reach import from_each, from_nearest

LAWS = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
KMH = 1 / 3.6


def flat(ends, speed_kmh=80.0, back_kmh=None, shapes=None):
    """A network drawn in kilometres of the country's plane: ``ends`` are pairs of points."""
    spots = sorted({p for e in ends for p in e})
    at = gpd.GeoSeries([shapely.Point(x * 1000, y * 1000) for x, y in spots], crs=COUNTRY).to_crs(4326)
    start, end = ([spots.index(e[k]) for e in ends] for k in (0, 1))
    metres = np.array([1000 * np.hypot(a[0] - b[0], a[1] - b[1]) for a, b in ends])
    back = None if back_kmh is None else np.divide(metres, np.asarray(back_kmh) * KMH, where=np.asarray(back_kmh) > 0,
                                                   out=np.full(len(ends), np.inf))  # fmt: skip
    return Network(pd.Index([f"{x},{y}" for x, y in spots]), at.x.to_numpy(), at.y.to_numpy(), np.array(start),
                   np.array(end), metres, metres / (speed_kmh * KMH), back, shapes=shapes)  # fmt: skip


def stand(net, *spots, access=None):
    """Tie points of the plane, in kilometres."""
    at = gpd.GeoDataFrame(geometry=[shapely.Point(x * 1000, y * 1000) for x, y in spots], crs=COUNTRY)
    return attach(net, at.set_axis([f"o{i}" for i in range(len(spots))]), access)


def reach_km(tied, cut_s, **options):
    return (reached_roads(tied, [cut_s], **options).areas["length_m"] / 1000).tolist()


def test_a_cross_of_roads():
    net = flat([((0, 0), (40, 0)), ((0, 0), (-40, 0)), ((0, 0), (0, 40)), ((0, -40), (0, 0))])
    found = reached_roads(stand(net, (0, 0)), [2700, 900]).areas
    assert found["to_s"].tolist() == [900, 2700]
    assert found["length_m"].tolist() == pytest.approx([80_000, 160_000], abs=0.5)
    np.testing.assert_allclose(shapely.bounds(found.geometry[0]), np.array([-20, -20, 20, 20]) * 1000, atol=1)
    ring = reached_roads(stand(net, (0, 0)), [900, 1350], bands="ring").areas
    assert ring["length_m"].tolist() == pytest.approx([80_000, 40_000], abs=0.5)
    assert not found.geometry[0].intersects(ring.geometry[1].buffer(-1).buffer(0.5))
    assert shapely.distance(ring.geometry[1], shapely.Point(0, 0)) == pytest.approx(20_000, abs=1)


def test_from_the_middle_of_an_edge_with_a_leg():
    """2 km of leg with detour 1.5 at 20 km/h take 540 s; 900 s leave 360 s: 8 km each way."""
    tied = stand(flat([((-50, 0), (50, 0))]), (10, 2), access=Access(speed_kmh=20, detour=1.5))
    found = reached_roads(tied, [500, 900])
    assert found.areas["length_m"].tolist() == pytest.approx([0, 16_000], abs=1)
    assert found.areas.geometry[0].is_empty
    np.testing.assert_allclose(shapely.bounds(found.areas.geometry[1]), [2000, 0, 18_000, 0], atol=2)
    short = reached_roads(tied, [500])
    assert len(short.areas) == 0
    assert short.dropped.values.tolist() == [["o0", "the leg to the road takes longer than the longest cut-off"]]
    assert len(isochrones(tied, [500], overlap="merged").areas) == 0
    assert len(isochrones(tied, [500], overlap="nearest").areas) == 0


def test_an_edge_reached_from_both_ends_keeps_its_middle_out():
    """A square of 40 km a side: 60 km are reached each way, so 20 km on both sides of the far corner stay out."""
    corners = [(0, 0), (40, 0), (40, 40), (0, 40)]
    net = flat([(corners[i], corners[(i + 1) % 4]) for i in range(4)])
    found = reached_roads(stand(net, (0, 0)), [2700]).areas.geometry[0]
    assert shapely.distance(found, shapely.Point(40_000, 40_000)) == pytest.approx(20_000, abs=2)
    base = flat([((0, 0), (20, 0)), ((0, 0), (0, 20)), ((20, 0), (0, 20))])
    got = reached_roads(stand(base, (0, 0)), [1125]).areas
    assert got["length_m"][0] == pytest.approx(50_000, abs=1)
    away = shapely.Point(10_000, 10_000).distance(got.geometry[0])
    assert away == pytest.approx(np.sqrt(2) * 10_000 - 5000, abs=2)
    assert reach_km(stand(base, (0, 0)), 1e9) == pytest.approx([40 + 20 * np.sqrt(2)], abs=1e-3)


def test_one_way_roads():
    net = flat([((0, 0), (40, 0)), ((40, 0), (80, 0))], back_kmh=[80, 0])
    at = stand(net, (39.999, 0), (60, 0))  # not at the junction: there it might hang on the one-way road
    assert reach_km(at, 900) == pytest.approx([40, 20], abs=0.01)
    assert reach_km(at, 900, direction="to") == pytest.approx([20, 20], abs=0.01)
    assert reach_km(at, 1e6) == pytest.approx([80, 20], abs=0.01)
    assert reach_km(at, 1e6, direction="to") == pytest.approx([40, 60], abs=0.01)
    slow = flat([((0, 0), (40, 0))], back_kmh=[40])
    assert reach_km(stand(slow, (20, 0)), 450) == pytest.approx([15], abs=0.01)


def test_a_loop():
    """A ring road that begins and ends at one junction, 4 x 10 km round."""
    ring = np.array([(0, 0), (10, 0), (10, 10), (0, 10), (0, 0)]) * 1000.0
    xy = shapely.get_coordinates(gpd.GeoSeries(shapely.points(ring), crs=COUNTRY).to_crs(4326).to_numpy())
    net = Network(pd.Index(["j"]), xy[:1, 0], xy[:1, 1], np.zeros(1, int), np.zeros(1, int), np.array([40_000.0]),
                  np.array([1800.0]), shapes=Shapes(xy, np.array([0, 5])))  # fmt: skip
    junction, side = stand(net, (0, 0)), stand(net, (10, 5))
    assert reach_km(junction, 450) == pytest.approx([20], abs=0.01)
    far = reached_roads(junction, [450]).areas.geometry[0]
    np.testing.assert_allclose(shapely.bounds(far), [0, 0, 10_000, 10_000], atol=1)
    assert far.distance(shapely.Point(10_000, 10_000)) == pytest.approx(10_000, abs=1)
    assert reach_km(side, 800) == pytest.approx([800 / 1800 * 80], abs=0.01)
    assert reach_km(side, 900) == pytest.approx([40], abs=0.01)


@st.composite
def country(draw):
    """A random network with loops, parallel and one-way edges, and places tied to it."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n, m = draw(st.integers(2, 12)), draw(st.integers(1, 25))
    lon, lat = rng.uniform(66, 70, n), rng.uniform(46, 49, n)
    start, end = rng.integers(0, n, m), rng.integers(0, n, m)
    time = rng.uniform(50, 3000, m)
    back = np.where(rng.random(m) < 0.3, np.inf, time * rng.uniform(0.5, 2, m)) if draw(st.booleans()) else None
    time = np.where((rng.random(m) < 0.1) & (np.arange(m) > 0), np.inf, time)
    count = draw(st.integers(1, 5))
    net = Network(pd.RangeIndex(n), lon, lat, start, end, rng.uniform(1e3, 1e5, m), time, back)
    open_ = np.flatnonzero(np.isfinite(time) | np.isfinite(net.backwards_s))
    ids = pd.Index([f"p{i}" for i in rng.permutation(count)])
    edge = rng.choice(np.r_[open_, open_, -1], count)
    share = rng.choice([0.0, 0.3, 0.5, 1.0, rng.random()], count)
    columns = [pd.Series(v, index=ids) for v in (edge, share, rng.uniform(0, 500, count), rng.uniform(0, 400, count))]
    if (edge < 0).all():
        columns[0][:] = open_[0]
    spots = [pd.Series(rng.uniform(60, 61, count), index=ids) for _ in range(2)]
    return Attached(net, *columns, columns[2], *spots), rng


def by_scipy(tied, outward, samples):
    """Seconds between every place and points on all edges, by Dijkstra on the edges cut at places and points."""
    net = tied.network
    total = net.n
    spot = {}
    rows, cols, time = [], [], []
    for e in range(net.m):
        marks = [(0.0, int(net.start[e])), (1.0, int(net.end[e]))]
        marks += [(float(x), ("s", e, k)) for k, x in enumerate(samples)]
        marks += [(float(tied.share.iloc[i]), ("p", i)) for i in range(len(tied.ids)) if tied.edge.iloc[i] == e]
        marks.sort(key=lambda pair: pair[0])
        last = None
        for x, name in marks:
            if not isinstance(name, int):
                spot[name] = total
                total += 1
                name = spot[name]
            if last is not None:
                for a, b, pace in ((last[1], name, net.time_s[e]), (name, last[1], net.backwards_s[e])):
                    seconds = (x - last[0]) * pace if x > last[0] else 0.0
                    if np.isfinite(seconds):
                        rows.append(a)
                        cols.append(b)
                        time.append(max(seconds, 1e-12))
            last = (x, name)
    order = np.lexsort((time, cols, rows))
    r, c, t = np.array(rows)[order], np.array(cols)[order], np.array(time)[order]
    first = np.r_[True, (np.diff(r) != 0) | (np.diff(c) != 0)]
    graph = sp.csr_array((t[first], (r[first], c[first])), shape=(total, total))
    out = np.full((len(tied.ids), net.m, len(samples)), np.inf)
    for i in range(len(tied.ids)):
        if ("p", i) in spot:
            dist = dijkstra(graph if outward else graph.T, indices=spot["p", i]) + tied.leg_s.iloc[i]
            out[i] = [[dist[spot["s", e, k]] for k in range(len(samples))] for e in range(net.m)]
    return out


def holds(ramps, m, samples):
    """Whether every point lies within some stretch, with the owner of it (-1: none), shape (m, samples)."""
    found = np.full((m, len(samples)), -1)
    for owner, e, a, b in zip(ramps.owner, ramps.edge, ramps.near, ramps.far, strict=True):
        inside = (samples >= min(a, b)) & (samples <= max(a, b))
        found[e, inside] = owner
    return found


@LAWS
@given(country(), st.booleans(), st.sampled_from([30.0, 400.0, 2000.0, 1e9]))
def test_points_on_edges_are_reached_when_scipy_says_so(example, outward, cut):
    tied, rng = example
    samples = np.sort(rng.uniform(0.001, 0.999, 7))
    truth = by_scipy(tied, outward, samples)
    clear = np.abs(truth - cut) > 1e-6  # not at the very end of the time
    m = tied.network.m
    each = list(from_each(tied, cut, outward=outward))
    assert len(each) == len(tied.ids)
    for i, ramps in enumerate(each):
        inside = holds(ramps, m, samples) >= 0
        np.testing.assert_array_equal(inside[clear[i]], (truth[i] <= cut)[clear[i]])
        assert (ramps.owner == i).all()
        assert (ramps.far_s <= cut * (1 + 1e-12)).all()
    least = truth.min(axis=0)
    nearest_ = from_nearest(tied, cut, outward=outward)
    who = holds(nearest_, m, samples)
    ok = clear.all(axis=0)
    np.testing.assert_array_equal((who >= 0)[ok], (least <= cut)[ok])
    at = np.argwhere((who >= 0) & ok)
    for e, k in at:
        assert truth[who[e, k], e, k] == pytest.approx(least[e, k], rel=1e-9, abs=1e-6)


@LAWS
@given(country(), st.sampled_from(["to", "from"]))
def test_laws_of_reached_roads(example, direction):
    tied, _ = example
    cuts = [200.0, 1500.0, 4000.0]
    separate, merged, near = (reached_roads(tied, cuts, direction=direction, overlap=o).areas
                              for o in ("separate", "merged", "nearest"))  # fmt: skip
    for _, rows in separate.groupby("origin"):
        assert (np.diff(rows["length_m"]) >= -1e-6).all()
    for cut in cuts if len(merged) else []:
        whole = merged["length_m"][merged["to_s"] == cut].sum()
        assert near["length_m"][near["to_s"] == cut].sum() == pytest.approx(whole, abs=1e-3)
        assert separate["length_m"][separate["to_s"] == cut].max() <= whole + 1e-3
    ring = reached_roads(tied, cuts, direction=direction, bands="ring").areas
    disk = separate.groupby("origin")["length_m"].max()
    pd.testing.assert_series_equal(ring.groupby("origin")["length_m"].sum(), disk, atol=1e-3)
    mixed = tied.take(tied.ids[::-1])
    again = reached_roads(mixed, cuts[::-1], direction=direction, overlap="nearest").areas
    key = ["origin", "to_s"]
    pd.testing.assert_frame_equal(
        pd.DataFrame(again.drop(columns="geometry")).sort_values(key).reset_index(drop=True),
        pd.DataFrame(near.drop(columns="geometry")).sort_values(key).reset_index(drop=True), atol=1e-6)  # fmt: skip


def grid(size=5, step=3.0):
    """A town of straight streets with a park in the middle that no street enters."""
    ends = [((x * step, y * step), (x * step + step, y * step)) for x in range(size) for y in range(size + 1)]
    ends += [((x * step, y * step), (x * step, y * step + step)) for x in range(size + 1) for y in range(size)]
    park = {(2 * step, 2 * step), (3 * step, 2 * step), (2 * step, 3 * step), (3 * step, 3 * step)}
    return flat([e for e in ends if not (set(e) & park)], speed_kmh=40)


def test_a_strip_by_hand():
    """An hour from the middle of a long road: full width up to 3600 - 936 s, then narrowing to nothing."""
    found = isochrones(stand(flat([((-200, 0), (200, 0))]), (0, 0)), [3600]).areas
    full = 80 * (3600 - 936) / 3600
    assert found["area_m2"][0] / 1e6 == pytest.approx(2 * (2 * full + (80 - full) * 1), rel=0.002)
    dead_end = isochrones(stand(flat([((0, 0), (10, 0))]), (0, 0)), [3600]).areas
    assert dead_end["area_m2"][0] / 1e6 == pytest.approx(20 + np.pi, rel=0.002)


def test_what_no_road_opens_up_stays_a_hole():
    net = grid()
    found = isochrones(stand(net, (0, 0)), [7200]).areas.geometry[0]
    assert len(found.interiors) >= 1
    park = shapely.Point(7500, 7500)
    assert not found.contains(park)
    assert shapely.Polygon(found.exterior).contains(park)


@pytest.mark.parametrize("direction", ["from", "to"])
def test_places_lie_inside_when_their_time_is_within_the_cut(direction):
    rng = np.random.default_rng(4)
    net = grid()
    access = Access(limit_m=900, speed_kmh=5, detour=1.3)
    spots = rng.uniform(-2, 17, (300, 2))
    tied = stand(net, (0.0, 0.0), *spots, access=access)
    time = nearest(tied, pd.Index(["o0"]), direction="to" if direction == "from" else "from").time_s
    other = "from" if direction == "from" else "to"
    at = [shapely.Point(x * 1000, y * 1000) for x, y in spots]
    found = isochrones(tied.take(pd.Index(["o0"])), [900, 1800, 3000], beside=access, direction=other).areas
    for cut, shape in zip(found["to_s"], found.geometry, strict=True):
        inside = np.array([shape.buffer(0.03 * access.limit_m).contains(p) for p in at])
        assert inside[time.iloc[1:].to_numpy() <= cut].all()
        assert not inside[(tied.distance_m.iloc[1:] > 1.05 * access.limit_m).to_numpy()].any()
        late = time.iloc[1:].to_numpy() > cut + 200  # by another road it may be a little quicker than by the nearest
        assert inside[late].mean() < 0.02


def test_areas_nest_and_add_up():
    net = grid()
    tied = stand(net, (0, 0), (15, 9), (6, 14))
    cuts = [600, 1200, 1800]
    made = {o: isochrones(tied, cuts, overlap=o).areas for o in ("separate", "merged", "nearest")}
    for frame in made.values():
        assert frame.geometry.is_valid.all()
        for _, rows in frame.groupby("origin", dropna=False):
            for small, large in zip(rows.geometry[:-1], rows.geometry[1:], strict=True):
                assert small.difference(large.buffer(25)).area < 1
    for cut in cuts:
        whole = made["merged"].geometry[made["merged"]["to_s"] == cut].iloc[0]
        for kind in ("separate", "nearest"):
            parts = made[kind].geometry[made[kind]["to_s"] == cut]
            assert parts.union_all().symmetric_difference(whole).area < 1e-3 * whole.area
        parts = made["nearest"].geometry[made["nearest"]["to_s"] == cut]
        assert parts.area.sum() == pytest.approx(whole.area, rel=1e-3)
    ring = isochrones(tied, cuts, bands="ring").areas
    assert ring["area_m2"].sum() == pytest.approx(made["separate"].groupby("origin")["area_m2"].max().sum(), rel=1e-3)
    merged = made["merged"]
    assert merged["origin"].isna().all()


def test_ground_goes_with_the_nearest_road():
    """Two roads 1 km apart that meet nowhere: the strip between them is halved."""
    net = flat([((0, 0), (20, 0)), ((0, 1), (20, 1))])
    found = isochrones(stand(net, (10, 0), (10, 1)), [36_000], overlap="nearest").areas
    a, b = found.geometry
    assert a.intersection(b).area < 1
    assert a.area == pytest.approx(b.area, rel=0.01)
    assert a.bounds[3] == pytest.approx(500, abs=130)


class Stop(Exception):
    pass


def test_reports_and_hostile_input():
    net = grid()
    tied = stand(net, (0, 0), (15, 9))
    told = []
    isochrones(tied, [600], progress=lambda f, _: told.append(f))
    assert told[-1] == 1

    def stop(fraction, message):
        raise Stop

    with pytest.raises(Stop):
        isochrones(tied, [600], progress=stop)
    for cuts in ([], [0], [-5], [np.nan], [np.inf], [600, 600]):
        with pytest.raises(InputError, match="cuts_s must be different positive seconds"):
            reached_roads(tied, cuts)
    with pytest.raises(InputError, match="overlap 'near' is not one of the choices; did you mean 'nearest'"):
        isochrones(tied, [600], overlap="near")
    far = stand(net, (500, 500))
    with pytest.raises(InputError, match="no origin is tied"):
        reached_roads(far, [600])
    with pytest.raises(InputError, match="no origin is tied"):
        reached_roads(tied.take(tied.ids[:0]), [600])
    assert silent(0, "") is None
