"""Bounded searches, catchments with a capacity, referral, scaling up: by hand and by brute force on whole searches."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import geopandas
import numpy as np
import pandas as pd
import pytest
import rioxarray  # noqa: F401
import xarray
from hypothesis import given, settings
from hypothesis import strategies as st

from kazgeo.accessibility.cost_distance import (
    Processing,
    Reach,
    Slope,
    Travel,
    capacity_catchments,
    cost_distance,
    referral,
    scaling_up,
    tiles,
)
from kazgeo.errors import Cancelled, InputError


def surface(values, cell=1000.0):
    values = np.asarray(values, float)
    at = [cell * (np.arange(n) + 0.5) for n in values.shape]
    made = xarray.DataArray(values, {"y": at[0][::-1], "x": at[1]}, ("y", "x")).rio.write_crs(32642)
    from affine import Affine

    return made.rio.write_transform(Affine(cell, 0, 0, 0, -cell, cell * len(values)))


def points(friction, *cells, **columns):
    x, y = [float(friction.x[c]) for _, c in cells], [float(friction.y[r]) for r, _ in cells]
    ids = [f"f{i}" for i in range(len(cells))]
    return geopandas.GeoDataFrame(columns, index=ids, geometry=geopandas.points_from_xy(x, y), crs=friction.rio.crs)


def terrain(shape, seed, share=0.2):
    rng = np.random.default_rng(seed)
    values = rng.uniform(0.05, 2.0, shape)
    values[rng.random(shape) < share] = np.nan
    values[0, 0] = 1.0
    return values


@given(st.integers(0, 500), st.sampled_from([8, 16]), st.floats(10, 9000))
@settings(max_examples=30, deadline=None)
def test_bounded_searches_are_the_whole_ones_cut_off(seed, neighbours, limit):
    friction = surface(terrain((11, 12), seed))
    reach = Reach(friction, Travel(neighbours))
    open_ = np.flatnonzero(~np.isnan(friction.values.ravel()))
    for cell in np.random.default_rng(seed).choice(open_, 4):  # one after the other in the same arrays
        r, c = divmod(int(cell), 12)
        whole = cost_distance(friction, points(friction, (r, c)), travel=Travel(neighbours)).time_s.values.ravel()
        cells, time_s = reach.within(int(cell), limit)
        np.testing.assert_array_equal(np.sort(cells), np.flatnonzero(whole <= limit))
        np.testing.assert_array_equal(time_s, whole[cells])
        assert cells[0] == cell


@pytest.mark.parametrize("time", [-5, -0.1, float("nan"), float("-inf"), "10", None, True])
def test_times_that_are_none_are_refused(time):
    with pytest.raises(InputError, match="max_time_s must be seconds of at least 0; got"):
        Reach(surface([[1.0, 1.0]])).within(0, time)


def test_times_at_the_edges():
    reach = Reach(surface([[1.0, 1.0]]))
    assert reach.within(0, 0).cells.tolist() == [0]
    assert reach.within(0, float("inf")).cells.tolist() == [0, 1]


def test_searches_from_nowhere_are_refused():
    reach = Reach(surface([[1.0, np.nan]]))
    for cell in (1, 2, -1):
        with pytest.raises(InputError, match="cell must be one of"):
            reach.within(cell, 10)


def test_large_surfaces_in_memory_are_searched_in_tiles(monkeypatch):
    friction = surface(terrain((70, 65), 1))
    at = points(friction, (0, 0), (0, 0))
    whole = cost_distance(friction, at)
    monkeypatch.setattr(tiles, "SMALL", 10)
    monkeypatch.setattr(tiles, "SIDE", 16)
    for limit in (None, 9000.0):
        parts = cost_distance(friction, at, max_time_s=limit)
        wanted = whole.time_s if limit is None else whole.time_s.where(whole.time_s <= limit)
        np.testing.assert_array_equal(parts.time_s, wanted)
        assert parts.n_reached == int(wanted.notnull().sum())
    np.testing.assert_array_equal(cost_distance(friction, at).direction, whole.direction)
    np.testing.assert_array_equal(cost_distance(friction, at).allocation, whole.allocation)


# ---------------------------------------------------------------- capacity
ROW = surface(np.full((1, 6), 0.06))  # a minute a cell


def row_of_people(*people):
    return ROW.copy(data=[list(map(float, people))])


def test_people_of_the_last_ring_are_served_in_part_and_the_next_facility_takes_the_rest():
    people = row_of_people(10, 20, 30, 40, 50, 60)
    at = points(ROW, (0, 0), (0, 5), capacity=[45.0, 1000.0])
    first = capacity_catchments(ROW, at, people, max_time_s=180, processing=Processing(descending=False))
    # f0 takes 10 + 20 + half of 30; f1 reaches cells 2..5 and takes what is left
    assert first.table["served"].to_dict() == {"f0": 45.0, "f1": 165.0}
    assert first.table.loc["f0", ["rank", "reached", "spare", "full_s", "last_share"]].tolist() == [1, 100, 0, 60, 0.5]
    assert first.table.loc["f0", "mean_time_s"] == pytest.approx((20 * 60 + 15 * 120) / 45)
    assert first.residual.values.tolist() == [[0, 0, 0, 0, 0, 0]]
    assert (first.served, first.left) == (210.0, 0.0)
    other = capacity_catchments(ROW, at, people, max_time_s=180)  # largest first
    assert other.table.index.tolist() == ["f1", "f0"]
    assert other.table["served"].to_dict() == {"f1": 180.0, "f0": 30.0}
    assert other.table.loc["f0", "spare"] == 15


def test_rings_of_minutes_are_coarser_than_cells():
    people = row_of_people(10, 20, 30, 40, 50, 60)
    at = points(ROW, (0, 0), capacity=[45.0])
    coarse = capacity_catchments(ROW, at, people, max_time_s=600, processing=Processing(ring_s=180))
    # ring 1 holds cells 1 to 3 with 90 people, of whom 35 find room
    np.testing.assert_allclose(coarse.residual, [[0, 20 * 55 / 90, 30 * 55 / 90, 40 * 55 / 90, 50, 60]])
    exact = capacity_catchments(ROW, at, people, max_time_s=600, processing=Processing(ring_s=0))
    np.testing.assert_allclose(exact.residual, [[0, 0, 15, 40, 50, 60]])


def test_orders():
    people = row_of_people(100, 0, 10, 0, 0, 40)
    at = points(ROW, (0, 1), (0, 4), capacity=[10.0, 20.0], priority=[2, 1])

    def turn(**how):
        return capacity_catchments(ROW, at, people, max_time_s=60, processing=Processing(**how)).table.index.tolist()

    assert turn(order="population") == ["f0", "f1"]
    assert turn(order="time") == ["f0", "f1"]
    assert turn(order="capacity") == ["f1", "f0"]
    assert turn(order="column", column="priority") == ["f0", "f1"]
    assert turn(order="column", column="priority", descending=False) == ["f1", "f0"]


@given(st.integers(0, 300), st.sampled_from(["capacity", "population", "time"]), st.sampled_from([0.0, 60.0, 3000.0]))
@settings(max_examples=25, deadline=None)
def test_nobody_is_lost_and_nobody_is_served_twice(seed, order, ring):
    rng = np.random.default_rng(seed)
    friction = surface(terrain((8, 9), seed))
    people = friction.copy(data=np.where(rng.random((8, 9)) < 0.1, np.nan, rng.integers(0, 50, (8, 9))))
    open_ = np.argwhere(~np.isnan(friction.values))
    cells = [tuple(open_[i]) for i in rng.choice(len(open_), 4, replace=False)]
    at = points(friction, *cells, capacity=rng.integers(0, 400, 4).astype(float))
    how = Processing(order, ring_s=ring)
    found = capacity_catchments(friction, at, people, max_time_s=4000, processing=how)
    assert found.served + found.left == pytest.approx(float(people.sum()))
    assert found.table["served"].sum() == pytest.approx(found.served, abs=1e-6)
    assert (found.table["served"] <= found.table["capacity"] + 1e-6).all()
    full = (found.table["served"] < found.table["capacity"] - 1e-6) & (
        found.table["served"] < found.table["reached"] - 1e-6
    )
    assert not full.any()  # a facility stops for want of room or of people
    assert (found.residual.values[~np.isnan(people.values)] >= 0).all()
    shuffled = capacity_catchments(
        friction, at.sample(frac=1, random_state=seed), people, max_time_s=4000, processing=how
    )
    pd.testing.assert_frame_equal(found.table, shuffled.table)


def test_faults_of_capacities():
    people = row_of_people(1, 1, 1, 1, 1, 1)
    for column, words in [([-1.0, 2.0], "not so for facilities 'f0'"), ([np.inf, 1.0], "'f0'")]:
        with pytest.raises(InputError, match=words):
            capacity_catchments(ROW, points(ROW, (0, 0), (0, 1), capacity=column), people, max_time_s=60)
    at = points(ROW, (0, 0), capacity=[1.0])
    for how, words in [
        ({"capacity": "beds"}, "capacity 'beds'"),
        ({"max_time_s": -1}, "max_time_s"),
        ({"processing": Processing("column", "rank")}, "column 'rank'"),
    ]:
        with pytest.raises(InputError, match=words):
            capacity_catchments(ROW, at, people, **{"max_time_s": 60, **how})
    with pytest.raises(InputError, match="negative or infinite; 1 cells"):
        capacity_catchments(ROW, at, row_of_people(-1, 0, 0, 0, 0, 0), max_time_s=60)
    with pytest.raises(InputError, match="column must be given"):
        Processing("column")
    with pytest.raises(InputError, match="ring_s"):
        Processing(ring_s=-1)
    none = capacity_catchments(ROW, points(ROW, (0, 0), capacity=[0.0]), people, max_time_s=60)
    assert none.table[["served", "spare"]].values.tolist() == [[0.0, 0.0]]


# ---------------------------------------------------------------- referral
def test_referral_is_a_whole_search_from_every_origin():
    friction = surface(terrain((9, 10), 4))
    rng = np.random.default_rng(2)
    height = friction.copy(data=rng.uniform(0, 300, friction.shape))
    open_ = np.argwhere(~np.isnan(friction.values))
    at = points(friction, *[tuple(open_[i]) for i in rng.choice(len(open_), 4, replace=False)])
    found = referral(friction, at, travel=Travel(slope=Slope(height)))
    assert len(found.table) == 12
    for name in at.index:
        alone = cost_distance(friction, at.loc[[name]], travel=Travel(slope=Slope(height), heading="from")).paths(at)
        mine = found.table[found.table["origin"] == name].set_index("destination")
        np.testing.assert_array_equal(mine["time_s"], alone["time_s"].drop(name))
        np.testing.assert_array_equal(mine["length_m"], alone["length_m"].drop(name))
    assert found.n_unreachable == int(found.table["time_s"].isna().sum())
    with ThreadPoolExecutor(2) as pool:
        other = referral(friction, at.iloc[::-1], travel=Travel(slope=Slope(height)), executor=pool)
    pd.testing.assert_frame_equal(found.table, other.table)


def test_referral_without_a_way():
    friction = surface([[1.0, np.nan, 1.0, 1.0]])
    at = points(friction, (0, 0), (0, 2), (0, 3))
    found = referral(friction, at)
    assert found.n_unreachable == 4
    assert found.nearest()[["origin", "destination"]].values.tolist() == [["f1", "f2"], ["f2", "f1"]]
    there = referral(friction, at.iloc[:1], at, max_time_s=1)
    assert there.table["time_s"].tolist() == pytest.approx([0, np.nan, np.nan], nan_ok=True)


# ---------------------------------------------------------------- scaling up
@pytest.mark.slow
@given(st.integers(0, 300), st.booleans())
@settings(max_examples=15, deadline=None)
def test_scaling_up_is_a_search_from_every_candidate(seed, with_existing):
    rng = np.random.default_rng(seed)
    friction = surface(terrain((7, 8), seed))
    people = friction.copy(data=rng.integers(0, 50, (7, 8)).astype(float))
    may = friction.copy(data=(rng.random((7, 8)) < 0.7).astype(float))
    existing = points(friction, (0, 0)) if with_existing else None
    found = scaling_up(friction, people, max_time_s=2500, existing=existing, candidates=may)
    done = np.zeros((7, 8), bool)
    if with_existing:
        done = cost_distance(friction, existing, max_time_s=2500).time_s.notnull().values
    for r, c in np.ndindex(7, 8):
        got = found.newly_covered.values[r, c]
        if np.isnan(friction.values[r, c]) or not may.values[r, c]:
            assert np.isnan(got)
            continue
        near = cost_distance(friction, points(friction, (r, c)), max_time_s=2500).time_s.notnull().values
        assert got == people.values[near & ~done].sum()
    assert found.covered == people.values[done].sum()
    assert found.covered + found.uncovered == people.values.sum()
    assert found.unreachable == people.values[np.isnan(friction.values)].sum()
    best = found.best(1)
    if len(best):
        assert best["newly_covered"].iloc[0] == np.nanmax(found.newly_covered)


def test_scaling_up_can_be_cancelled_and_has_edges():
    people = row_of_people(1, 2, 3, 4, 5, 6)

    def stop(fraction, message):
        raise Cancelled

    with pytest.raises(Cancelled):
        scaling_up(ROW, people, max_time_s=60, progress=stop)
    none = scaling_up(ROW, people, max_time_s=60, candidates=people * 0)
    assert np.isnan(none.newly_covered.values).all()
    assert none.best().empty
    with pytest.raises(InputError, match="population must have the cells of friction"):
        scaling_up(ROW, surface(np.ones((2, 2))), max_time_s=60)
