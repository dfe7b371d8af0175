"""Weights stay what they were, and what can't be meant is refused in words."""

import pickle

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely

from kazgeo.autocorrelation import local_moran
from kazgeo.errors import InputError
from kazgeo.weights import (
    Weights,
    block,
    contiguity,
    distance_band,
    from_table,
    higher_order,
    inverse_distance,
    kernel,
    knn,
    space_time,
    travel_time,
)


def towns(lon, lat, crs=4326):
    at = geopandas.points_from_xy(lon, lat, crs=crs)
    return geopandas.GeoDataFrame(geometry=at, index=[f"t{i}" for i in range(len(at))])


def boxes(step, n=6, crs=32642):
    cells = [shapely.box(500_000 + i * step, 5e6 + j * step, 500_000 + (i + 1) * step, 5e6 + (j + 1) * step)
             for i in range(n) for j in range(n)]  # fmt: skip
    return geopandas.GeoDataFrame(geometry=cells, crs=crs)


def test_what_is_done_to_arrays_and_matrices_does_not_reach_the_weights():
    data = np.ones(2)
    w = Weights(pd.Index(["a", "b"]), np.array([0, 1, 2]), np.array([1, 0]), data)
    data[:] = np.nan
    w.matrix.setdiag(5)
    with pytest.raises(ValueError, match="read-only"):
        w.matrix.data[:] = 7
    assert w.data.tolist() == [1.0, 1.0]
    assert w.matrix.toarray().tolist() == [[0.0, 1.0], [1.0, 0.0]]
    again = pickle.loads(pickle.dumps(w))
    assert not any(array.flags.writeable for array in (again.data, again.indices, again.indptr))
    assert again.ids.equals(w.ids)
    with pytest.raises(ValueError, match="read-only"):
        w.data[0] = 3


def test_a_self_weight_is_told_and_is_no_neighbour():
    w = Weights.from_matrix(pd.Index(list("abc")), np.array([[2.0, 0, 0], [0, 0, 1], [0, 1, 1]]))
    assert repr(w) == "<Weights: 3 units, 2 links, neighbours 0 to 1 (mean 0.67); 2 components; 2 self weights>"


def test_rows_that_cancel_out_cannot_sum_to_one():
    w = Weights.from_arrays(pd.Index(list("abc")), [0, 0, 1], [1, 2, 2], [1.0, -1.0, 2.0])
    with pytest.raises(InputError, match="must not cancel out where rows are to sum to 1; at 'a'"):
        w.row_standardized()
    assert Weights.from_arrays(pd.Index(list("ab")), [0], [1], [-2.0]).row_standardized().data.tolist() == [1.0]


def test_an_island_is_tied_to_the_nearest_polygon_not_to_the_nearest_middle():
    """1 km off a province 400 km wide, 53 km off a small district."""
    shapes = [shapely.box(0, 0, 400_000, 400_000), shapely.box(-80_000, 0, -54_000, 26_000),
              shapely.box(-1_500, 10_000, -1_000, 11_000), shapely.box(-90_000, 0, -80_000, 26_000)]  # fmt: skip
    layer = geopandas.GeoDataFrame(geometry=shapes, index=["big", "small", "island", "next"], crs=32642)
    layer = layer.set_geometry(layer.translate(300_000, 5e6))
    tied = contiguity(layer, tolerance_m=0, isolates="nearest")
    assert tied.ids[tied.indices[tied.indptr[2] : tied.indptr[3]]].tolist() == ["big"]
    links = contiguity(layer.iloc[::-1], tolerance_m=0, isolates="nearest").reindex(layer.index).matrix.toarray()
    np.testing.assert_array_equal(links, tied.matrix.toarray())


def test_the_weakest_link_is_the_weight_of_a_tie():
    lon = [60.0, 60.01, 60.03, 75.0]
    made = inverse_distance(towns(lon, [48.0] * 4), threshold_m=5_000, isolates="nearest")
    links = made.matrix.toarray()
    inside = links[:3, :3]
    assert links[3, 2] == inside[inside > 0].min() < inside.max()


@pytest.mark.parametrize(("step", "fits"), [(90, False), (300, False), (500, True)])
def test_a_tolerance_must_be_small_beside_the_polygons(step, fits):
    exact = contiguity(boxes(step), tolerance_m=0)
    if fits:
        assert (contiguity(boxes(step)).matrix != exact.matrix).nnz == 0
        return
    with pytest.raises(InputError, match=f"median width is {step} m; got 100; take 0"):
        contiguity(boxes(step))
    assert (contiguity(boxes(step), tolerance_m=1).matrix != exact.matrix).nnz == 0


def test_a_tolerance_wants_a_map_that_fits_on_a_plane():
    world = geopandas.GeoDataFrame(
        geometry=[shapely.box(x, y, x + 10, y + 10) for x in range(-180, 180, 10) for y in range(-80, 80, 10)], crs=4326
    )
    with pytest.raises(InputError, match="within a third of the globe"):
        contiguity(world)
    assert contiguity(world, tolerance_m=0).n == len(world)


@pytest.mark.parametrize(
    ("points", "who"),
    [
        (towns([0, 180, 0], [95, 85, 70]), "'t0'"),
        (towns([600_000, 600_100], [5e6, 5e6]), "'t0', 't1'"),
        (towns([1e30, 500_000], [1e30, 5e6], 32642), "'t0'"),
    ],
)
def test_what_is_not_on_the_earth_is_refused(points, who):
    for call in (lambda: knn(points, 1), lambda: distance_band(points, 1000)):
        with pytest.raises(InputError, match=rf"points must lie on the Earth; .*: {who}; the CRS may be another"):
            call()


def test_times_and_dates_are_no_numbers():
    times = pd.DataFrame({"origin": ["a"], "destination": ["b"], "time_s": pd.to_timedelta([600], unit="s")})
    with pytest.raises(InputError, match="column 'time_s' must hold numbers; got dtype timedelta64"):
        travel_time(times, pd.Index(["a", "b"]), within_min=60)
    for values in (pd.to_datetime(["2020-01-01"]), np.array([1 + 2j]), ["x"]):
        with pytest.raises(InputError, match="column 'w' must hold numbers"):
            from_table(times.assign(w=values), pd.Index(["a", "b"]), weight="w")
    nothing = from_table(times.assign(w=[None]), pd.Index(["a", "b"]), weight="w")
    assert len(nothing.data) == 0


def test_pairs_beyond_the_memory_are_counted_first(monkeypatch):
    for module in ("tables", "polygons"):
        monkeypatch.setattr(f"kazgeo.weights.{module}.MAX_PAIRS", 100)
    with pytest.raises(InputError, match="groups must make at most 100 pairs of units; the largest has 15 units"):
        block(pd.Series(["x"] * 15))
    assert len(block(pd.Series(["x"] * 14)).data) == 14 * 13
    stacked = geopandas.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)] * 30, crs=32642)
    with pytest.raises(InputError, match="30 share one: are they stacked"):
        contiguity(stacked, tolerance_m=0)


def test_thousands_of_towns_at_almost_one_place():
    """Farther apart than equal and nearer than can be told: k others at the place are enough for each."""
    rng = np.random.default_rng(1)
    here = np.r_[70 + rng.normal(size=4_000) * 1e-13, 71.0]
    made = knn(towns(here, np.r_[50 + rng.normal(size=4_000) * 1e-13, 50.0]), 3)
    assert set(made.cardinalities) == {3}
    assert not (made.indices[: 3 * 4_000] == 4_000).any()


def test_ways_longer_than_the_map_end():
    line = Weights.from_pairs(range(50), [(i, i + 1) for i in range(49)])
    assert len(higher_order(line, 10**9).data) == 0
    assert len(higher_order(line, 10**9, lower_orders=True).data) == 50 * 49


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: knn(pd.DataFrame({"x": [1]}), 1), "points must be a GeoDataFrame; got DataFrame"),
        (lambda: contiguity(pd.DataFrame({"x": [1]})), "regions must be a GeoDataFrame; got DataFrame"),
        (lambda: contiguity(boxes(1000), tolerance_m="100"), "tolerance_m must be 0 or more metres; got '100'"),
        (lambda: contiguity(boxes(1000), tolerance_m=None), "tolerance_m must be 0 or more metres; got None"),
        (lambda: distance_band(towns([1, 2], [1, 2]), "5 km"), "threshold_m must be metres above 0; got '5 km'"),
        (lambda: kernel(towns([1, 2], [1, 2]), bandwidth_m="x"), "bandwidth_m must be metres above 0"),
        (lambda: inverse_distance(towns([1, 2], [1, 2]), power=None), "power must be above 0; got None"),
        (lambda: travel_time(pd.DataFrame(), pd.Index([]), within_min="x"), "within_min must be minutes above 0"),
        (lambda: block(["a", "a"]), "groups must be a Series labelled by unit; got list"),
        (lambda: space_time(Weights.from_pairs(["a"], []), 2019), "years must be a list of years; got 2019"),
        (lambda: Weights.from_pairs(["a", "b"], [("a", "b", 2.0)]), "pairs must be of two ids each"),
        (lambda: Weights.from_arrays(["a", "b"], [0.7], [1]), "rows must be whole numbers"),
        (lambda: Weights.from_matrix(5, np.eye(1)), "ids must be an Index or a list of ids; got int"),
    ],
)
def test_faults_are_named(call, words):
    with pytest.raises(InputError, match=words):
        call()


def test_lists_of_ids_are_ids():
    made = Weights.from_arrays(["a", "b"], [0], [1])
    assert made.ids.tolist() == ["a", "b"]
    assert Weights.from_pairs(["a", "b"], (pair for pair in [("a", "b")])).ids.tolist() == ["a", "b"]
    table = pd.DataFrame({"origin": ["a"], "destination": ["b"]})
    assert from_table(table, ["a", "b"]).matrix.toarray().tolist() == [[0.0, 1.0], [0.0, 0.0]]


def test_categories_are_ordered_by_what_they_are():
    rng = np.random.default_rng(3)
    ids = [f"u{i:02d}" for i in range(30)]
    y = pd.Series(rng.normal(size=30), index=ids)
    pairs = [(ids[i], ids[i + 1]) for i in range(29)]
    want = local_moran(y, Weights.from_pairs(ids, pairs), permutations=99, rng=1).p
    named = pd.CategoricalIndex(ids, categories=ids[::-1])
    got = local_moran(y.set_axis(named), Weights.from_pairs(named, pairs), permutations=99, rng=1).p
    assert got.tolist() == want.tolist()
    y.iloc[4] = np.nan
    want = local_moran(y, Weights.from_pairs(ids, pairs), permutations=99, rng=1)
    turned = y[::-1].set_axis(pd.CategoricalIndex(ids[::-1], categories=ids[::-1]))  # rising, as its categories go
    got = local_moran(turned, Weights.from_pairs(turned.index, pairs), permutations=99, rng=1)
    assert got.p[::-1].tolist() == pytest.approx(want.p.tolist(), nan_ok=True)
    assert got.label[::-1].tolist() == want.label.tolist()
    assert got.dropped["unit"].tolist() == want.dropped["unit"].tolist() == [ids[4]]
