"""Cost distance against skimage, scipy and analytic geometry; barriers, corners, degrees, hostile input.

Truth: ``skimage.graph.MCP_Geometric`` (8 neighbours, cost = length x mean of both cells) and ``scipy`` Dijkstra on a
graph built here move by move, each cell by the length of the line in it (shapely), both float64, tolerance 1e-12
relative; direction bias by plane geometry.
"""

from __future__ import annotations

import itertools
import math

import geopandas
import numpy as np
import pyproj
import pytest
import rioxarray  # noqa: F401
import scipy.sparse as sp
import shapely
import xarray
from hypothesis import given, settings
from hypothesis import strategies as st

from kazgeo.accessibility.cost_distance import (
    Bicycle,
    Corners,
    Slope,
    Tiles,
    Travel,
    cost_distance,
    direction_bias,
    prepare,
)
from kazgeo.errors import Cancelled, InputError

MOVES = {
    8: [(1, 0), (1, 1)],
    16: [(1, 0), (1, 1), (2, 1)],
    32: [(1, 0), (1, 1), (2, 1), (3, 1), (3, 2)],
}


def surface(values, cell=1000.0):
    values = np.asarray(values, float)
    at = [cell * (np.arange(n) + 0.5) for n in values.shape]
    made = xarray.DataArray(values, {"y": at[0][::-1], "x": at[1]}, ("y", "x")).rio.write_crs(32642)
    if 1 in values.shape:
        from affine import Affine

        made = made.rio.write_transform(Affine(cell, 0, 0, 0, -cell, cell * len(values)))
    return made


def points(friction, *cells):
    x = [float(friction.x[c]) for _, c in cells]
    y = [float(friction.y[r]) for r, _ in cells]
    return geopandas.GeoSeries.from_xy(x, y, index=[f"f{i}" for i in range(len(cells))], crs=friction.rio.crs)


def crossed(a, b):
    """Return the cells whose inside the straight line between two centres passes, and its length in each."""
    line = shapely.LineString([(0.5 + a[1], 0.5 + a[0]), (0.5 + b[1], 0.5 + b[0])])
    rows, columns = sorted((a[0], b[0])), sorted((a[1], b[1]))
    parts = {
        (r, c): line.intersection(shapely.box(c, r, c + 1, r + 1)).length
        for r in range(rows[0], rows[1] + 1) for c in range(columns[0], columns[1] + 1)
    }  # fmt: skip
    return {cell: length for cell, length in parts.items() if length > 1e-9}


def squeezed(a, b, barrier):
    """Tell whether the line goes through a corner between two barriers."""
    line = shapely.LineString([(0.5 + a[1], 0.5 + a[0]), (0.5 + b[1], 0.5 + b[0])])
    for r in range(1, barrier.shape[0]):
        for c in range(1, barrier.shape[1]):
            if line.distance(shapely.Point(c, r)) < 1e-9:
                four = [(r - 1, c - 1), (r - 1, c), (r, c - 1), (r, c)]
                through = crossed(a, b)
                beside = [q for q in four if q not in through]
                if len(beside) == 2 and all(barrier[q] for q in beside):
                    return True
    return False


def oracle(values, sources, neighbours, corners=None, pace=None, cell=1000.0):
    """Return times by scipy on a graph built move by move; ``pace(a, b, length, q)``: seconds a metre in cell q."""
    n_rows, n_columns = values.shape
    barrier = np.isnan(values)
    closed = corners == "closed" if corners else neighbours > 8
    rows, columns, seconds = [], [], []
    kinds = {(s * p, t * q) for m in MOVES[neighbours] for p, q in (m, m[::-1]) for s in (1, -1) for t in (1, -1)}
    for a in np.ndindex(values.shape):
        for dr, dc in kinds:
            b = (a[0] + dr, a[1] + dc)
            if not (0 <= b[0] < n_rows and 0 <= b[1] < n_columns):
                continue
            through = crossed(a, b)
            if any(barrier[q] for q in through):
                continue
            if closed and squeezed(a, b, barrier):
                continue
            rows.append(a[0] * n_columns + a[1])
            columns.append(b[0] * n_columns + b[1])
            length = cell * math.hypot(dr, dc)
            seconds.append(
                sum(cell * part * (pace(a, b, length, q) if pace else values[q]) for q, part in through.items())
            )
    graph = sp.csr_array((seconds, (rows, columns)), shape=(values.size,) * 2)
    found = sp.csgraph.dijkstra(graph, indices=[r * n_columns + c for r, c in sources], min_only=True)
    found[barrier.ravel()] = np.nan
    return np.where(np.isinf(found), np.nan, found).reshape(values.shape)


def terrain(shape, seed, share=0.2):
    rng = np.random.default_rng(seed)
    values = rng.uniform(0.05, 2.0, shape)
    values[rng.random(shape) < share] = np.nan
    values[0, 0] = 1.0
    return values


grids = st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(0, 10_000), st.sampled_from([0.0, 0.2, 0.5]))


@given(grids)
@settings(max_examples=60, deadline=None)
def test_eight_neighbours_equal_skimage(grid):
    graph = pytest.importorskip("skimage.graph")
    rows, columns, seed, share = grid
    values = terrain((rows, columns), seed, share)
    friction = surface(values)
    open_ = np.argwhere(~np.isnan(values))
    starts = [tuple(open_[i]) for i in np.random.default_rng(seed).integers(0, len(open_), 2)]
    wanted = graph.MCP_Geometric(np.where(np.isnan(values), -1, values)).find_costs(starts)[0]
    found = cost_distance(friction, points(friction, *starts)).time_s.values / 1000
    np.testing.assert_allclose(found, np.where(np.isinf(wanted), np.nan, wanted), rtol=1e-12)


@pytest.mark.parametrize("corners", [None, "open", "closed"])
@pytest.mark.parametrize("neighbours", [8, 16, 32])
@pytest.mark.parametrize("seed", range(3))
def test_all_neighbourhoods_equal_dijkstra(neighbours, corners, seed):
    values = terrain((7, 8), seed, 0.25)
    friction = surface(values)
    travel = Travel(neighbours, Corners(corners) if corners else None)
    found = cost_distance(friction, points(friction, (0, 0)), travel=travel)
    np.testing.assert_allclose(found.time_s, oracle(values, [(0, 0)], neighbours, corners), rtol=1e-12)


@pytest.mark.parametrize("heading", ["from", "towards"])
@pytest.mark.parametrize("neighbours", [8, 16])
def test_slope_is_signed_along_the_travel(neighbours, heading):
    values, rng = terrain((6, 7), 5), np.random.default_rng(1)
    height, mode = rng.uniform(0, 400, values.shape), rng.integers(0, 3, values.shape).astype(np.uint8)
    weight, air, rolling = 9.8 * 95, 0.5 * 0.445 * (1.293 - 0.00426 * 20) * math.exp(-500 / 7000), 0.012

    def at_slope(q, slope):
        flat = values[q]
        if mode[q] == 0:
            return flat * math.exp(3.5 * abs(slope + 0.05)) / math.exp(0.175)
        if mode[q] == 2:
            return flat
        v = 1 / flat
        power = v * (air * v * v + weight * rolling)
        roots = np.roots([air, 0, weight * (slope + rolling), -power])
        return 1 / min(max(r.real for r in roots if abs(r.imag) < 1e-7), 2 * v)

    def pace(a, b, length, q):
        return at_slope(q, (height[b] - height[a]) / length * (1 if heading == "from" else -1))

    friction = surface(values)
    slope = Slope(friction.copy(data=height), friction.copy(data=mode))
    found = cost_distance(friction, points(friction, (0, 0)), travel=Travel(neighbours, slope=slope, heading=heading))
    np.testing.assert_allclose(found.time_s, oracle(values, [(0, 0)], neighbours, pace=pace), rtol=1e-9)


def test_accessmod_bicycles_hardly_feel_slopes():
    friction = surface(np.full((1, 2), 0.6))
    height, mode = friction.copy(data=[[0.0, 100.0]]), friction.copy(data=np.ones((1, 2), np.uint8))
    up = {
        kind: cost_distance(
            friction, points(friction, (0, 0)), travel=Travel(slope=Slope(height, mode, kind), heading="from")
        ).time_s.values[0, 1]
        for kind in Bicycle
    }
    assert 600 < up["accessmod"] < 660
    assert up["power"] > 5 * 600


def test_the_bias_of_directions_is_what_it_is_said_to_be():
    friction = surface(np.ones((161, 161)), cell=1.0)
    r, c = np.indices(friction.shape)
    straight = np.hypot(r - 80, c - 80)
    for neighbours in (8, 16, 32):
        found = cost_distance(friction, points(friction, (80, 80)), travel=Travel(neighbours)).time_s.values
        ratio = (found[straight > 0] / straight[straight > 0]).max() - 1
        assert ratio == pytest.approx(direction_bias(neighbours), abs=2e-4)


@pytest.mark.parametrize("neighbours", [16, 32])
@pytest.mark.parametrize("kind", ["wall", "stairs", "diagonal", "steep"])
def test_no_leak_through_a_barrier_one_cell_wide(neighbours, kind):
    values = np.ones((12, 12))
    for i in range(12):
        values[i, {"wall": 6, "stairs": i, "diagonal": i, "steep": i // 2 + 3}[kind]] = np.nan
        if kind == "stairs" and i:
            values[i, i - 1] = np.nan
    friction = surface(values)
    found = cost_distance(
        friction, points(friction, (1, 0) if kind != "diagonal" else (2, 0)), travel=Travel(neighbours)
    )
    right = np.array([[c > np.flatnonzero(np.isnan(values[r])).max() for c in range(12)] for r in range(12)])
    assert np.isnan(found.time_s.values[right]).all()
    assert found.n_reached + found.n_unreached == int((~np.isnan(values)).sum())


def test_eight_neighbours_slip_through_open_corners_as_skimage_does():
    values = np.ones((5, 5))
    np.fill_diagonal(values, np.nan)
    friction = surface(values)
    start = points(friction, (4, 0))
    assert np.isfinite(cost_distance(friction, start).time_s.values[0, 4])
    assert np.isnan(cost_distance(friction, start, travel=Travel(8, Corners.CLOSED)).time_s.values[0, 4])


@pytest.mark.slow
@given(st.integers(0, 1000), st.sampled_from([8, 16, 32]), st.integers(8, 13), st.booleans())
@settings(max_examples=25, deadline=None)
def test_tiles_change_nothing(seed, neighbours, side, chunked):
    values = terrain((29, 31), seed)
    friction = surface(values)
    open_ = np.argwhere(~np.isnan(values))
    starts = points(friction, *[tuple(open_[i]) for i in np.random.default_rng(seed).integers(0, len(open_), 3)])
    starts = starts[~starts.duplicated()]
    whole = cost_distance(friction, starts, travel=Travel(neighbours))
    given_ = friction.chunk({"y": 10, "x": 12}) if chunked else friction
    parts = cost_distance(given_, starts, travel=Travel(neighbours), tiles=Tiles(side))
    np.testing.assert_array_equal(parts.time_s.values, whole.time_s.values)
    np.testing.assert_array_equal(parts.allocation.values, whole.allocation.values)
    assert (parts.n_reached, parts.n_unreached) == (whole.n_reached, whole.n_unreached)
    assert (parts.time_s.chunks is not None) == chunked


@given(st.integers(0, 1000), st.sampled_from([8, 16]))
@settings(max_examples=20, deadline=None)
def test_ways_lead_to_the_facility_that_is_told_and_take_the_time_that_is_told(seed, neighbours):
    values = terrain((12, 13), seed)
    friction = surface(values)
    open_ = np.argwhere(~np.isnan(values))
    picked = np.random.default_rng(seed).choice(len(open_), 3, replace=False)
    starts = points(friction, *[tuple(open_[i]) for i in picked])
    found = cost_distance(friction, starts, travel=Travel(neighbours))
    everywhere = points(friction, *[tuple(q) for q in open_])
    ways = found.paths(everywhere)
    alone = {
        name: cost_distance(friction, starts[[name]], travel=Travel(neighbours)).time_s.values for name in starts.index
    }
    for (r, c), way in zip(open_, ways.itertuples(index=False), strict=True):
        code = int(found.allocation[r, c])
        if not np.isfinite(way.time_s):
            assert (code, way.facility) == (-1, None)
            continue
        assert found.facilities[code] == way.facility
        assert alone[way.facility][r, c] == way.time_s
        line = np.array(way.geometry.coords)
        cells = np.c_[friction.shape[0] - line[:, 1] / 1000 - 0.5, line[:, 0] / 1000 - 0.5].round().astype(int)
        moves = itertools.pairwise(map(tuple, cells))
        parts = [1000 * part * values[q] for a, b in moves for q, part in crossed(a, b).items()]
        steps = np.hypot(*np.diff(line, axis=0).T)
        assert sum(parts) == pytest.approx(way.time_s, rel=1e-9, abs=1e-9)
        assert steps.sum() == pytest.approx(way.length_m, abs=1e-6)
        if code >= 0 and way.time_s > 0:
            azimuth = math.degrees(math.atan2(line[1, 0] - line[0, 0], line[1, 1] - line[0, 1])) % 360
            assert float(found.direction[r, c]) == pytest.approx(azimuth, abs=1e-4)


@given(st.permutations(["a", "b", "c", "d"]))
@settings(max_examples=10, deadline=None)
def test_the_order_of_facilities_changes_nothing(order):
    friction = surface(np.ones((9, 9)))
    at = points(friction, (0, 0), (8, 8), (0, 8), (0, 0)).set_axis(list("abcd"))
    first, other = cost_distance(friction, at), cost_distance(friction, at[list(order)])
    xarray.testing.assert_identical(first.allocation, other.allocation)
    assert first.facilities.equals(other.facilities)


def test_rows_of_degrees_have_their_own_metres():
    friction = xarray.DataArray(np.ones((3, 3)), {"y": [60.5, 60.0, 59.5], "x": [70.0, 70.5, 71.0]}, ("y", "x"))
    friction = friction.rio.write_crs(4326)
    found = cost_distance(friction, points(friction, (1, 1))).time_s.values
    geod = pyproj.Geod(ellps="WGS84")
    for r, c in np.ndindex(3, 3):
        wanted = geod.inv(70.5, 60.0, float(friction.x[c]), float(friction.y[r]))[2]
        assert found[r, c] == pytest.approx(wanted, abs=1e-6)
    assert found[1, 0] < 0.51 * found[0, 1]  # a degree of longitude is half as long at 60 N


def test_metres_of_a_grid_in_feet():
    friction = surface(np.ones((1, 2)))
    feet = friction.rio.write_crs("+proj=utm +zone=42 +units=us-ft")
    assert cost_distance(feet, points(feet, (0, 0))).time_s.values[0, 1] == pytest.approx(1000 * 1200 / 3937)


def test_rows_from_the_south_are_the_same_rows():
    values = terrain((6, 7), 3)
    friction = surface(values)
    start = points(friction, (0, 0))
    south = friction.isel(y=slice(None, None, -1))
    one, other = cost_distance(friction, start), cost_distance(south, start)
    np.testing.assert_allclose(one.time_s.values, other.time_s.values[::-1], rtol=1e-14)


def test_facilities_off_the_surface_are_told():
    friction = surface([[1.0, np.nan], [1.0, 1.0]])
    at = geopandas.GeoSeries(
        [shapely.Point(500, 500), shapely.Point(1500, 1500), shapely.Point(9e5, 0), None],
        index=["fine", "barrier", "outside", "nowhere"], crs=32642,
    )  # fmt: skip
    found = cost_distance(friction, at)
    assert found.facilities.tolist() == ["fine"]
    assert dict(found.dropped.values.tolist()) == {
        "barrier": "on a barrier", "outside": "outside the surface", "nowhere": "no place"
    }  # fmt: skip


def test_nothing_to_search():
    one = surface([[2.0]])
    assert cost_distance(one, points(one, (0, 0))).time_s.values.tolist() == [[0.0]]
    empty = cost_distance(one, points(one))
    assert np.isnan(empty.time_s.values).all()
    assert empty.allocation.values.tolist() == [[-1]]
    walls = surface(np.full((2, 2), np.nan))
    found = cost_distance(walls, points(walls, (0, 0)))
    assert (found.n_reached, found.n_unreached, len(found.dropped)) == (0, 0, 1)


def test_times_beyond_the_limit_are_not_told():
    friction = surface(np.ones((1, 5)))
    found = cost_distance(friction, points(friction, (0, 0)), max_time_s=2000)
    np.testing.assert_array_equal(found.time_s.values, [[0, 1000, 2000, np.nan, np.nan]])
    assert found.n_unreached == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.where(f.x > 1000, 0.0), "2 of 4 cells are not: 0 at"),
        (lambda f: f.where(f.x > 1000, -1.0), "-1 at"),
        (lambda f: f.where(f.x > 1000, np.inf), "inf at"),
        (lambda f: f.astype(int), "floating-point"),
        (lambda f: f.drop_vars("spatial_ref"), "declares no CRS"),
        (lambda f: f.rio.write_crs(3857), "Web Mercator"),
        (lambda f: f.values, "must be an xarray.DataArray"),
        (lambda f: f.expand_dims("band"), r"dimensions \(y, x\)"),
        (lambda f: f[:0], "at least one cell"),
        (lambda f: f.assign_coords(x=[0.0, 0.0]), "even steps"),
        (lambda f: f.isel(x=[1, 0]), "west to east"),
    ],
)
def test_friction_that_is_none(change, words):
    friction = surface(np.ones((2, 2)))
    with pytest.raises(InputError, match=words):
        cost_distance(change(friction), points(friction, (0, 0)))


def test_faults_in_chunks_are_found():
    values = np.ones((20, 20))
    values[15, 3] = 0
    friction = surface(values)
    with pytest.raises(InputError, match=r"1 of 400 cells are not: 0 at \(y 4500, x 3500\)"):
        cost_distance(friction.chunk({"y": 10, "x": 10}), points(friction, (0, 0)), tiles=Tiles(10))


def test_options_that_are_wrong():
    friction = surface(np.ones((2, 2)))
    start = points(friction, (0, 0))
    other = surface(np.ones((2, 2)), cell=500)
    for travel, words in [
        (lambda: Travel(4), "neighbours must be 8, 16 or 32"),
        (lambda: Travel(slope=Slope(other)), "elevation must have the cells of friction"),
        (lambda: Travel(slope=Slope(friction.where(friction.x > 1000))), "elevation must have a value"),
        (lambda: Travel(slope=Slope(friction, friction * 7)), "mode must be 0"),
        (lambda: Travel(heading="up"), "heading 'up'"),
    ]:
        with pytest.raises(InputError, match=words):
            cost_distance(friction, start, travel=travel())
    with pytest.raises(InputError, match="max_time_s must be positive"):
        cost_distance(friction, start, max_time_s=0)
    with pytest.raises(InputError, match="unique ids"):
        cost_distance(friction, start.iloc[[0, 0]])
    with pytest.raises(InputError, match="must be points"):
        cost_distance(friction, start.buffer(1))
    with pytest.raises(InputError, match="declare no CRS"):
        cost_distance(friction, start.set_crs(None, allow_override=True))
    with pytest.raises(InputError, match="travel must not be given"):
        cost_distance(prepare(friction), start, travel=Travel())
    with pytest.raises(InputError, match="side of tiles"):
        Tiles(2)


def test_cancelling():
    friction = surface(np.ones((2, 2)))

    def stop(fraction, message):
        raise Cancelled

    with pytest.raises(Cancelled):
        cost_distance(friction, points(friction, (0, 0)), progress=stop)
    with pytest.raises(Cancelled):
        cost_distance(friction, points(friction, (0, 0)), progress=stop, tiles=Tiles(8))
