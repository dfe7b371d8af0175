"""Pieces, one-way traps, and the places that they cut off."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import scipy.sparse.csgraph as csgraph
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from kazgeo.network import Network, Ways, attach, connectivity, from_edges

NODES = pd.DataFrame({"lon": 70 + np.arange(8) / 10, "lat": 50.0}, index=list("abcdefgh"))


def tied(edges, **places):
    table = pd.DataFrame(edges, columns=["from_id", "to_id", "one"])
    network = from_edges(table, NODES, length_km=None, ways=Ways(one_way="one"))
    points = gpd.GeoDataFrame(geometry=[shapely.Point(p) for p in places.values()], index=list(places), crs=4326)
    return attach(network, points)


def test_kinds_of_cut_off_places():
    found = connectivity(
        tied(
            [("a", "b", "no"), ("b", "c", "no"), ("c", "d", "yes"), ("e", "a", "yes"), ("g", "h", "no")],
            town=(70.05, 50), trap=(70.3, 50), source=(70.4, 50), island=(70.65, 50), nowhere=(75, 40),
        )
    )  # fmt: skip
    assert found.places["kind"].to_dict() == {
        "trap": "can_be_entered_not_left", "source": "can_be_left_not_entered", "island": "separate_piece",
    }  # fmt: skip
    assert found.places["component"].to_dict() == {"trap": 0, "source": 0, "island": 1}
    assert found.counts == {"separate_piece": 1, "can_be_entered_not_left": 1, "can_be_left_not_entered": 1}
    assert found.pieces[["nodes", "edges", "places", "traps"]].to_numpy().tolist() == [
        [5, 4, 3, 2], [2, 1, 1, 0], [1, 0, 0, 0],
    ]  # fmt: skip


def test_nothing_cut_off():
    found = connectivity(tied([("a", "b", "no"), ("b", "a", "yes")], town=(70.05, 50)))
    assert found.places.empty
    assert set(found.counts.values()) == {0}


def test_a_one_way_ring_is_no_trap():
    found = connectivity(tied([("a", "b", "yes"), ("b", "c", "yes"), ("c", "a", "yes")], town=(70.05, 50)))
    assert found.places.empty
    assert found.pieces["traps"].tolist()[0] == 0


def test_no_places():
    assert connectivity(tied([("a", "b", "no")])).places.empty


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(st.integers(0, 7), st.integers(0, 7), st.sampled_from(["yes", "no", "-1"])), min_size=1, max_size=12
    ),
    st.lists(st.integers(0, 11), min_size=1, max_size=5),
)
def test_kinds_agree_with_travel_times(edges, at):
    """The truth is Dijkstra between each place's edge and the nodes of the largest strong component."""
    names = NODES.index
    table = pd.DataFrame(
        [(names[i], names[j], one) for i, j, one in edges if i != j], columns=["from_id", "to_id", "one"]
    )
    if table.empty:
        return
    spread = NODES.assign(lat=50 + np.arange(8) ** 2 / 40)  # no edge lies on another
    network = from_edges(table, spread, length_km=None, ways=Ways(one_way="one"))
    middle = [line.interpolate(0.37, normalized=True) for line in network.lines()]
    points = [middle[k % len(middle)] for k in at]
    places = attach(network, gpd.GeoDataFrame(geometry=points, index=range(len(points)), crs=4326))
    found = connectivity(places)
    time = csgraph.dijkstra(network.matrix)
    main = np.flatnonzero(network.strong_components == 0)[0]
    for place in places.ids:
        out, into = places.leaving().node[place], places.arriving().node[place]
        leaves = any(np.isfinite(time[n, main]) for n in out if n >= 0)
        enters = any(np.isfinite(time[main, n]) for n in into if n >= 0)
        want = {
            (1, 1): None,
            (1, 0): "can_be_left_not_entered",
            (0, 1): "can_be_entered_not_left",
            (0, 0): "separate_piece",
        }
        assert found.places["kind"].get(place) == want[leaves, enters]


def test_a_network_without_edges():
    one = Network(pd.Index(["a"]), *map(np.array, ([70.0], [50.0])), *(np.empty(0, int),) * 2, *(np.empty(0),) * 2)
    with pytest.raises(ValueError, match="no edge that is open"):
        attach(one, gpd.GeoDataFrame(geometry=[shapely.Point(70, 50)], crs=4326))
