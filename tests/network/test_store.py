"""One file for a prepared network: read in place, whole or not at all."""

from __future__ import annotations

import dataclasses
import mmap
import zlib

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from kazgeo.errors import InputError
from kazgeo.network import Network, Ways, attach, from_edges, from_lines, load, save
from kazgeo.network.store import _FRONT

PLAIN = ("lon", "lat", "start", "end", "length_m", "time_s")


def sample():
    lines = gpd.GeoDataFrame(
        {"class": pd.Categorical(["trunk", "track", None]), "one": ["yes", "no", "no"], "name": ["Абай", None, "x"],
         "lanes": pd.array([2, None, 1], dtype="Int64"), "lit": pd.array([True, None, False], dtype="boolean"),
         "mixed": np.array([1, "two", None], dtype=object), "paved": [True, False, True], "width": [1.5, np.nan, 2]},
        geometry=[
            shapely.LineString(s)
            for s in ([(70, 50), (70.5, 50.2), (71, 50)], [(71, 50), (72, 50)], [(71, 50), (71, 51)])
        ],
        index=["a", "b", "c"], crs=4326,
    )  # fmt: skip
    keep = ("name", "lanes", "lit", "mixed", "paved", "width")
    return from_lines(lines, ways=Ways(one_way="one", junction_s=5, keep=keep))


def same(one, other):
    for name in PLAIN:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    np.testing.assert_array_equal(one.backwards_s, other.backwards_s)
    pd.testing.assert_index_equal(other.nodes, pd.Index(one.nodes.tolist(), dtype=one.nodes.dtype, name=one.nodes.name))
    for name in ("roads", "dropped"):
        if getattr(one, name) is None:
            assert getattr(other, name) is None
        else:
            pd.testing.assert_frame_equal(getattr(other, name), getattr(one, name).reset_index(drop=True))
    assert [g.wkb for g in one.lines()] == [g.wkb for g in other.lines()]


def test_what_is_saved_comes_back(tmp_path):
    network = sample()
    save(network, tmp_path / "x.kznet")
    back = load(tmp_path / "x.kznet", verify=True)
    same(network, back)
    assert back.directed
    assert [p.name for p in tmp_path.iterdir()] == ["x.kznet"]
    places = gpd.GeoDataFrame(geometry=[shapely.Point(71.5, 50.01)], index=["p"], crs=4326)
    assert attach(back, places).edge.tolist() == attach(network, places).edge.tolist()


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    ids=st.lists(st.integers(-9, 10**12) | st.text(max_size=5), min_size=2, max_size=6, unique=True),
    names=st.lists(st.none() | st.text(), min_size=1, max_size=1),
)
def test_any_ids_and_names(tmp_path_factory, ids, names):
    nodes = pd.DataFrame({"lon": np.linspace(70, 71, len(ids)), "lat": 50.0}, index=pd.Index(ids))
    edges = pd.DataFrame(
        {"from_id": [ids[0]], "to_id": [ids[1]], "length_km": [5.0], "name": pd.Series(names, dtype=object)}
    )
    network = from_edges(edges, nodes, ways=Ways(keep=("name",)))
    path = tmp_path_factory.mktemp("store") / "x"
    save(network, path)
    back = load(path)
    assert back.nodes.tolist() == ids
    assert back.roads["name"].isna().tolist() == [names[0] is None]
    assert names[0] is None or back.roads["name"].tolist() == names


def root(array):
    while isinstance(array, np.ndarray) and array.base is not None:
        array = array.base
    return array


def test_arrays_are_read_in_place(tmp_path):
    network = sample()
    network.topology.prepared["hierarchy"] = {"order": np.arange(5, dtype=np.uint32), "weight": np.ones((2, 3))}
    save(network, tmp_path / "x")
    back = load(tmp_path / "x")
    arrays = [*(getattr(back, name) for name in PLAIN), back.back_s, back.shapes.xy, back.shapes.offset]
    arrays += [*back.topology.prepared["hierarchy"].values(), back.topology.lon, back.topology.start]
    assert all(isinstance(root(a), mmap.mmap) for a in arrays)
    assert all(a.flags.aligned and a.flags.writeable for a in arrays)
    assert isinstance(root(back.roads["width"].to_numpy()), mmap.mmap)
    assert isinstance(root(back.roads["road_class"].array.codes), mmap.mmap)
    before = (tmp_path / "x").read_bytes()
    back.time_s[:] = 7  # stays in memory
    assert (tmp_path / "x").read_bytes() == before


def test_ids_that_are_numbers_are_read_in_place(tmp_path):
    nodes = pd.DataFrame({"lon": [70.0, 71], "lat": 50.0}, index=[10, 20])
    save(from_edges(pd.DataFrame({"from_id": [10], "to_id": [20], "length_km": [1.0]}), nodes), tmp_path / "x")
    assert isinstance(root(load(tmp_path / "x").nodes.to_numpy()), mmap.mmap)


def test_what_engines_prepared_is_kept_if_it_is_arrays(tmp_path):
    network = sample()
    network.topology.prepared.update(
        hierarchy={"a": np.arange(3), "b": np.empty((0, 2))}, roads=("frame", 1), objects={"a": np.array([None, {}])},
        none={},
    )  # fmt: skip
    save(network, tmp_path / "x")
    back = load(tmp_path / "x").topology.prepared
    assert set(back) == {"hierarchy", "none"}
    assert back["hierarchy"]["a"].tolist() == [0, 1, 2]
    assert back["hierarchy"]["b"].shape == (0, 2)


def test_small_and_empty_networks(tmp_path):
    nodes = pd.DataFrame({"lon": [70.0], "lat": [50.0]}, index=["only"])
    edges = pd.DataFrame({"from_id": [], "to_id": [], "length_km": []})
    for number in (1, 0):
        save(from_edges(edges, nodes.iloc[:number]), tmp_path / "x")
        assert (load(tmp_path / "x").n, load(tmp_path / "x").m) == (number, 0)
    bare = Network(pd.Index([1, 2]), *map(np.array, ([70.0, 71], [50.0, 50], [0], [1], [9.0], [3.0])))
    save(bare, tmp_path / "x")
    same(bare, load(tmp_path / "x"))


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    save(sample(), tmp_path / "x")
    before = (tmp_path / "x").read_bytes()
    bad = dataclasses.replace(sample(), roads=pd.DataFrame({"z": [object()] * 3}))
    with pytest.raises(InputError, match="roads: z can't be saved: numbers, text and truth values are kept"):
        save(bad, tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1
    with pytest.raises(InputError, match="no folder"):
        save(sample(), tmp_path / "nowhere" / "x")


def test_files_that_are_refused(tmp_path):
    path = tmp_path / "x"
    with pytest.raises(InputError, match="no file"):
        load(path)
    save(sample(), path)
    good = path.read_bytes()
    for content, says in [
        (b"", "is no saved network"),
        (b"PK\x03\x04" * 40, "is no saved network"),
        (good[:-1], f"is damaged: {len(good) - 1} bytes long instead of {len(good)}"),
        (good + b"x", "is damaged"),
        (good[:16] + b"\x63\0\0\0" + good[20:], "has layout 99, this version of KazGeo reads 1"),
        (good[: _FRONT.size + 5] + b"~" + good[_FRONT.size + 6 :], "is damaged: its checksum"),
    ]:
        path.write_bytes(content)
        with pytest.raises(InputError, match=says):
            load(path)


def test_a_changed_number_is_found_when_asked(tmp_path):
    path = tmp_path / "x"
    save(sample(), path)
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(bytes(data))
    load(path)
    with pytest.raises(InputError, match="is damaged: its checksum"):
        load(path, verify=True)


def test_the_same_network_gives_the_same_file(tmp_path):
    save(sample(), tmp_path / "x")
    save(sample(), tmp_path / "y")
    assert zlib.crc32((tmp_path / "x").read_bytes()) == zlib.crc32((tmp_path / "y").read_bytes())
