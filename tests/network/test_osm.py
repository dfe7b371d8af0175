"""OpenStreetMap files: every rule on a file of a few ways; Porto Alegre against a graph made in another way."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp
from pyproj import Geod

from kazgeo.errors import Cancelled, InputError
from kazgeo.network import DRIVE, KAZAKHSTAN, Profile, from_osm
from kazgeo.network.profiles import WALK

osmium = pytest.importorskip("osmium")
GEOD = Geod(ellps="WGS84")
STEP = 0.01


@pytest.fixture
def write(tmp_path):
    """Return a function that writes ways over nodes 1, 2, … on the parallel of 50 degrees."""

    def write(*ways, nodes=None, extra=None, name="x.osm", at=None):
        extra, at = extra or {}, at or {}
        writer = osmium.SimpleWriter(str(tmp_path / name), overwrite=True)
        wanted = sorted({n for refs, _ in ways for n in refs}) if nodes is None else nodes
        for n in wanted:
            place = at.get(n, (70 + STEP * n, 50.0))
            writer.add_node(osmium.osm.mutable.Node(id=n, location=place, tags=extra.get(n, {})))
        for number, (refs, tags) in enumerate(ways, 101):
            writer.add_way(osmium.osm.mutable.Way(id=number, nodes=refs, tags=tags))
        writer.close()
        return tmp_path / name

    return write


def length(a, b):
    return GEOD.inv(70 + STEP * a, 50, 70 + STEP * b, 50)[2]


def speeds(network):
    """Speeds there and back of every edge, km/h; 0 where closed."""
    return [
        [round(float(m / t * 3.6), 4) if np.isfinite(t) else 0.0 for m, t in zip(network.length_m, times, strict=True)]
        for times in (network.time_s, network.backwards_s)
    ]


@pytest.mark.parametrize(
    ("tags", "profile", "there", "back"),
    [
        ({"highway": "primary"}, "drive", 80, 80),
        ({"highway": "primary", "oneway": "yes"}, "drive", 80, 0),
        ({"highway": "primary", "oneway": "1"}, "drive", 80, 0),
        ({"highway": "primary", "oneway": "true"}, "drive", 80, 0),
        ({"highway": "primary", "oneway": "-1"}, "drive", 0, 80),
        ({"highway": "primary", "oneway": "no"}, "drive", 80, 80),
        ({"highway": "primary", "oneway": "reversible"}, "drive", 80, 80),
        ({"highway": "primary", "oneway": "yes"}, "walk", 5, 5),
        ({"highway": "primary", "oneway": "yes"}, "cycle", 18, 0),
        ({"highway": "primary", "oneway": "yes", "oneway:bicycle": "no"}, "cycle", 18, 18),
        ({"highway": "primary", "oneway": "yes", "cycleway": "opposite_lane"}, "cycle", 18, 18),
        ({"highway": "primary", "oneway": "yes", "cycleway": "opposite_lane"}, "drive", 80, 0),
        ({"highway": "footway", "oneway:foot": "yes"}, "walk", 5, 0),
        ({"highway": "motorway"}, "drive", 110, 0),
        ({"highway": "motorway", "oneway": "no"}, "drive", 110, 110),
        ({"highway": "motorway_link"}, "drive", 60, 60),
        ({"highway": "tertiary", "junction": "roundabout"}, "drive", 60, 0),
        ({"highway": "tertiary", "junction": "roundabout"}, "cycle", 18, 0),
        ({"highway": "tertiary", "junction": "roundabout"}, "walk", 5, 5),
        ({"highway": "primary", "maxspeed": "60"}, "drive", 54, 54),
        ({"highway": "primary", "maxspeed": "50 mph"}, "drive", 72.4205, 72.4205),
        ({"highway": "primary", "maxspeed": "RU:urban"}, "drive", 54, 54),
        ({"highway": "primary", "maxspeed": "KZ:rural"}, "drive", 80, 80),
        ({"highway": "residential", "maxspeed:type": "KZ:urban"}, "drive", 30, 30),
        ({"highway": "residential", "maxspeed": "60"}, "drive", 54, 54),
        ({"highway": "primary", "maxspeed:type": "KZ:urban"}, "drive", 54, 54),
        ({"highway": "primary", "source:maxspeed": "sign"}, "drive", 80, 80),
        ({"highway": "motorway", "maxspeed": "none"}, "drive", 110, 0),
        ({"highway": "primary", "maxspeed": "signals"}, "drive", 80, 80),
        ({"highway": "primary", "maxspeed": "variable"}, "drive", 80, 80),
        ({"highway": "primary", "maxspeed": "-60"}, "drive", 80, 80),
        ({"highway": "primary", "maxspeed": "0"}, "drive", 80, 80),
        ({"highway": "primary", "maxspeed:forward": "40"}, "drive", 36, 80),
        ({"highway": "primary", "maxspeed": "60", "maxspeed:backward": "40"}, "drive", 54, 36),
        ({"highway": "primary", "maxspeed": "30"}, "walk", 5, 5),
        ({"highway": "primary", "surface": "gravel"}, "drive", 30, 30),
        ({"highway": "primary", "surface": "gravel", "maxspeed": "100"}, "drive", 30, 30),
        ({"highway": "primary", "surface": "asphalt"}, "drive", 80, 80),
        ({"highway": "track", "tracktype": "grade5"}, "drive", 15, 15),
        ({"highway": "track", "surface": "mud"}, "drive", 10, 10),
        ({"highway": "primary", "smoothness": "very_bad"}, "drive", 15, 15),
        ({"highway": "residential", "surface": "sand"}, "cycle", 6, 6),
        ({"highway": "steps"}, "walk", 2, 2),
        ({"highway": "track", "ice_road": "no", "seasonal": "no"}, "drive", 20, 20),
    ],
)
def test_direction_and_speed(write, tags, profile, there, back):
    network = from_osm(write(([1, 2], tags)), profile)
    assert speeds(network) == [[there], [back]]
    assert network.length_m.tolist() == pytest.approx([length(1, 2)])


@pytest.mark.parametrize(
    ("tags", "open_to"),
    [
        ({"highway": "primary"}, "drive walk cycle"),
        ({"highway": "motorway"}, "drive"),
        ({"highway": "primary", "motorroad": "yes"}, "drive"),
        ({"highway": "footway"}, "walk"),
        ({"highway": "steps"}, "walk"),
        ({"highway": "path"}, "walk cycle"),
        ({"highway": "cycleway"}, "walk cycle"),
        ({"highway": "footway", "bicycle": "yes"}, "walk cycle"),
        ({"highway": "pedestrian", "motor_vehicle": "destination"}, "drive walk"),
        ({"highway": "pedestrian", "access": "yes"}, "walk"),
        ({"highway": "service", "access": "private"}, ""),
        ({"highway": "service", "access": "no", "foot": "yes"}, "walk"),
        ({"highway": "service", "access": "no", "motor_vehicle": "yes"}, "drive"),
        ({"highway": "service", "access": "private", "vehicle": "yes"}, "drive cycle"),
        ({"highway": "service", "vehicle": "no"}, "walk"),
        ({"highway": "service", "vehicle": "no", "bicycle": "yes"}, "walk cycle"),
        ({"highway": "service", "motor_vehicle": "private"}, "walk cycle"),
        ({"highway": "service", "motorcar": "no", "motor_vehicle": "yes"}, "walk cycle"),
        ({"highway": "service", "access": "destination"}, "drive walk cycle"),
        ({"highway": "track", "motor_vehicle": "agricultural"}, "walk cycle"),
        ({"highway": "primary", "bicycle": "dismount"}, "drive walk"),
        ({"highway": "track", "smoothness": "impassable"}, "walk"),
        ({"highway": "pedestrian", "area": "yes"}, ""),
        ({"highway": "construction"}, ""),
        ({"highway": "proposed"}, ""),
        ({"route": "ferry"}, "drive walk cycle"),
        ({"route": "ferry", "motor_vehicle": "no"}, "walk cycle"),
        ({"route": "bus"}, ""),
    ],
)
def test_who_may_go_where(write, tags, open_to):
    path = write(([1, 2], tags), ([2, 3], {"highway": "trunk", "foot": "yes", "bicycle": "yes"}))
    found = {mode for mode in ("drive", "walk", "cycle") if 101 in from_osm(path, mode).roads["road_id"].tolist()}
    assert found == set(open_to.split())


@pytest.mark.parametrize(
    ("barrier", "stops"),
    [
        ({"barrier": "bollard"}, "drive"),
        ({"barrier": "bollard", "motor_vehicle": "yes"}, ""),
        ({"barrier": "gate"}, ""),
        ({"barrier": "gate", "access": "private"}, "drive walk cycle"),
        ({"barrier": "gate", "access": "private", "foot": "yes"}, "drive cycle"),
        ({"barrier": "gate", "locked": "yes"}, "drive walk cycle"),
        ({"barrier": "toll_booth"}, ""),
        ({"barrier": "border_control"}, ""),
        ({"barrier": "kissing_gate"}, "drive cycle"),
        ({"barrier": "fence"}, "drive walk cycle"),
        ({"barrier": "no"}, ""),
        ({"highway": "crossing", "access": "no"}, ""),
    ],
)
def test_barriers_cut_a_way(write, barrier, stops):
    path = write(([1, 2, 3], {"highway": "residential"}), extra={2: barrier})
    for mode in ("drive", "walk", "cycle"):
        network = from_osm(path, mode)
        parts = network.components[network.nodes.get_indexer([1, 3])]
        assert (parts[0] != parts[1]) == (mode in stops.split()), mode
        assert network.length_m.sum() == pytest.approx(length(1, 3))


def test_a_barrier_on_a_junction_parts_all_roads(write):
    road = {"highway": "residential"}
    path = write(([1, 2, 3], road), ([4, 2], road), extra={2: {"barrier": "block"}})
    network = from_osm(path)
    assert network.n_components == 3
    assert sorted(network.nodes) == [-3, -2, -1, 1, 3, 4]


@pytest.mark.parametrize("duration", ["00:30", "30", "PT30M"])
def test_the_duration_of_a_ferry_is_shared_by_length(write, duration):
    ferry = {"route": "ferry", "duration": duration}
    path = write(([1, 2, 4], ferry), ([2, 5], {"highway": "service"}), at={5: (70.02, 50.1)})
    network = from_osm(path)
    of = network.roads["ferry"].to_numpy(bool)
    assert network.time_s[of].sum() == pytest.approx(1800)
    assert network.time_s[of] / network.length_m[of] == pytest.approx([1800 / length(1, 4)] * 2)
    assert network.roads["road_class"].tolist() == ["ferry", "ferry", "service"]
    assert network.roads["all_season"].isna().tolist() == [True, True, True]


def test_a_ferry_without_a_duration(write):
    assert speeds(from_osm(write(([1, 2], {"route": "ferry"})))) == [[5], [5]]


def test_ways_are_cut_where_they_meet_and_only_there(write):
    road = {"highway": "residential"}
    path = write(([1, 2, 3, 4], road), ([3, 5], road), ([4, 6], road), at={5: (70.03, 50.1), 6: (70.04, 50.2)})
    network = from_osm(path)
    assert sorted(zip(network.nodes[network.start], network.nodes[network.end], strict=True)) == [
        (1, 3), (3, 4), (3, 5), (4, 6),
    ]  # fmt: skip
    whole = network.lines()[0]
    assert [round(x, 6) for x, _ in whole.coords] == [70.01, 70.02, 70.03]
    assert network.length_m[0] == pytest.approx(length(1, 3))
    assert network.time_s[0] == pytest.approx(length(1, 3) / (30 / 3.6))


def test_rings_and_doubled_nodes(write):
    road = {"highway": "residential"}
    at = {2: (70.02, 50.01), 3: (70.03, 50.0)}
    ring = from_osm(write(([1, 2, 3, 1], road), ([1, 4], road), at=at))
    loop = ring.start == ring.end
    assert loop.sum() == 1
    assert ring.m == 2
    doubled = from_osm(write(([1, 2, 2, 3], road)))
    assert doubled.m == 1
    assert from_osm(write(([1, 2], road), at={2: (70.01, 50.0)})).time_s.tolist() == [0.001]  # one place, two nodes


def test_nodes_that_the_file_lacks_break_a_way(write):
    road = {"highway": "residential"}
    path = write(([1, 2, 3, 4, 5], road), ([7, 8], road), nodes=[1, 2, 4, 5])
    network = from_osm(path)
    assert sorted(network.nodes) == [1, 2, 4, 5]
    assert network.n_components == 2
    assert network.length_m.sum() == pytest.approx(length(1, 2) + length(4, 5))
    assert network.dropped.to_dict("records") == [
        {"unit": 101, "reason": "the file lacks some of its nodes"},
        {"unit": 102, "reason": "the file lacks some of its nodes"},
    ]
    with pytest.raises(InputError, match="not the nodes that they use"):
        from_osm(write(([1, 2], road), nodes=[9]))


def test_what_is_left_out_is_told(write):
    network = from_osm(
        write(
            ([1, 2], {"highway": "primary"}),
            ([2, 3], {"highway": "service", "access": "no"}),
            ([3, 4], {"highway": "service", "area": "yes"}),
            ([4, 5], {"highway": "footway"}),
            ([5, 6], {"highway": "track", "impassable": "yes"}),
        )
    )
    assert dict(network.dropped.to_numpy().tolist()) == {
        102: "access refused", 103: "an area, not a line", 105: "impassable",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("tags", "season", "all_season"),
    [
        ({"highway": "tertiary", "surface": "asphalt"}, None, True),
        ({"highway": "tertiary", "surface": "compacted"}, None, True),
        ({"highway": "tertiary", "surface": "earth"}, None, False),
        ({"highway": "tertiary"}, None, None),
        ({"highway": "trunk"}, None, True),
        ({"highway": "track", "tracktype": "grade4"}, None, False),
        ({"highway": "tertiary", "surface": "asphalt", "ford": "yes"}, None, False),
        ({"highway": "tertiary", "seasonal": "summer"}, "summer", False),
        ({"highway": "track", "winter_road": "yes"}, "winter", False),
        ({"highway": "track", "ice_road": "yes"}, "winter", False),
    ],
)
def test_seasons(write, tags, season, all_season):
    network = from_osm(write(([1, 2], tags)))
    row = network.roads.iloc[0]
    assert (None if row["seasonal"] != row["seasonal"] else row["seasonal"]) == season
    assert (None if network.roads["all_season"].isna()[0] else bool(row["all_season"])) == all_season
    assert np.isinf(network.time_s[0]) == (season == "winter")
    if season == "winter":
        assert row["open_s"] == pytest.approx(length(1, 2) / (20 / 3.6))


def test_flags_and_kept_tags(write):
    tags = {"highway": "primary", "bridge": "yes", "maxspeed": "50", "name": "Абай", "surface": "asphalt"}
    roads = from_osm(write(([1, 2], tags), ([2, 3], {"highway": "primary"})), keep=("name",)).roads
    assert roads["road_id"].tolist() == [101, 102]
    assert roads[["limit_signed", "bridge", "ford", "ferry"]].to_numpy().tolist() == [
        [True, True, False, False], [False, False, False, False],
    ]  # fmt: skip
    assert roads["name"].tolist()[0] == "Абай"
    assert roads[["name", "surface"]].isna().to_numpy().tolist() == [[False, False], [True, True]]


def test_junction_penalty(write):
    road = {"highway": "residential"}
    path = write(([1, 2, 3], road), ([2, 5], road), at={5: (70.02, 50.1)})
    slow = Profile("slow", KAZAKHSTAN, DRIVE.access, junction_s=7)
    plain, network = from_osm(path), from_osm(path, slow)
    entering = np.isin(network.nodes[network.end], [2])
    assert network.time_s - plain.time_s == pytest.approx(np.where(entering, 7, 0))
    assert network.backwards_s - plain.time_s == pytest.approx(np.where(entering, 0, 7))
    assert network.roads["wait_s"].tolist() == np.where(entering, 7, 0).tolist()


def test_own_profile(write):
    quick = Profile("ambulance", KAZAKHSTAN.replace(classes={"track": 50}), ("emergency", "access"), oneway=())
    network = from_osm(
        write(([1, 2], {"highway": "track", "oneway": "yes", "access": "no", "emergency": "yes"})), quick
    )
    assert speeds(network) == [[50], [50]]


def test_pbf_is_read_as_xml_is(write):
    ways = (([1, 2, 3], {"highway": "primary"}), ([2, 5], {"highway": "track", "surface": "sand"}))
    one, two = (from_osm(write(*ways, name=name)) for name in ("x.osm", "x.osm.pbf"))
    assert one.edges().drop(columns="geometry").equals(two.edges().drop(columns="geometry"))


def test_what_is_refused(write, tmp_path):
    with pytest.raises(InputError, match="no file"):
        from_osm(tmp_path / "nothing.osm.pbf")
    with pytest.raises(InputError, match="profile 'fly' is not"):
        from_osm(write(([1, 2], {"highway": "primary"})), "fly")
    with pytest.raises(InputError, match="no road for the profile 'drive'"):
        from_osm(write(([1, 2], {"highway": "steps"})))
    with pytest.raises(InputError, match=r"way 101 .* uses nodes with negative ids"):
        from_osm(write(([-7, 2], {"highway": "primary"})))
    (tmp_path / "bad.osm.pbf").write_bytes(b"no map at all, only words" * 9)
    with pytest.raises(InputError, match="can't be read as an OpenStreetMap file"):
        from_osm(tmp_path / "bad.osm.pbf")
    (tmp_path / "bad.xyz").write_bytes(b"?")
    with pytest.raises(InputError, match="can't be read as an OpenStreetMap file"):
        from_osm(tmp_path / "bad.xyz")


def test_cancelling(write):
    def stop(fraction, message):
        raise Cancelled

    with pytest.raises(Cancelled):
        from_osm(write(([1, 2], {"highway": "primary"})), progress=stop)


def test_without_osmium(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "osmium", None)
    with pytest.raises(InputError, match="pip install osmium"):
        from_osm(tmp_path / "x.osm.pbf")


# ---- a real extract ------------------------------------------------------------------------------------------------


def every_point_a_node(path, profile):
    """Return ids and sparse seconds of a graph with all points of all open ways, made without any of our steps."""
    shut, arcs = set(), {}
    for node in osmium.FileProcessor(path, osmium.osm.NODE).with_filter(osmium.filter.KeyFilter("barrier")):
        tags = dict(node.tags)
        said = next((tags[k] for k in profile.access if k in tags), None)
        if said in profile.refused or (said is None and tags["barrier"] in profile.barriers):
            shut.add(node.id)
    for way in osmium.FileProcessor(path, osmium.osm.NODE | osmium.osm.WAY).with_locations():
        tags = dict(way.tags)
        kmh = profile.speeds.classes.get(tags.get("highway"))
        if not way.is_way() or kmh is None or tags.get("area") == "yes" or tags["highway"] in profile.on_permission:
            continue
        if next((tags[k] for k in profile.access if k in tags), None) in profile.refused:
            continue
        cap = min(
            profile.speeds.surfaces.get(tags.get("surface"), 999),
            profile.speeds.tracktypes.get(tags.get("tracktype"), 999),
            profile.speeds.smoothness.get(tags.get("smoothness"), 999),
        )
        kmh_there, kmh_back = kmh, kmh
        if profile.speeds.of_limit:
            kmh_there, kmh_back = (
                float(tags.get(f"maxspeed:{side}", tags.get("maxspeed", kmh / 0.9))) * 0.9
                for side in ("forward", "backward")
            )
        said = tags.get("oneway") if "oneway" in profile.oneway else "no"
        if said is None:
            said = "yes" if tags.get("junction") == "roundabout" or tags["highway"] == "motorway" else "no"
        points = [(n.ref, n.lon, n.lat) for n in way.nodes]
        for (a, *here), (b, *there) in pairwise(points):
            metres = GEOD.inv(*here, *there)[2]
            for tail, head, kmh, open_ in (
                (a, b, kmh_there, said != "-1"),
                (b, a, kmh_back, said not in ("yes", "1", "true")),
            ):
                seconds = metres / min(kmh, cap) * 3.6
                # through a barrier nobody passes: what arrives there can't leave
                head_, tail_ = (head, "in") if head in shut else head, (tail, "out") if tail in shut else tail
                if open_ and a != b:
                    arcs[tail_, head_] = min(seconds, arcs.get((tail_, head_), np.inf))
    ids = {node: k for k, node in enumerate(dict.fromkeys(n for pair in arcs for n in pair))}
    tail, head = ([ids[pair[k]] for pair in arcs] for k in (0, 1))
    return ids, sp.csr_array((list(arcs.values()), (tail, head)), shape=(len(ids), len(ids)))


@pytest.mark.parametrize("profile", [DRIVE, pytest.param(WALK, marks=pytest.mark.slow)], ids=lambda p: p.name)
def test_porto_alegre(shared, profile):
    path = shared / "data" / "osm" / "poa_osm.pbf"
    if not path.exists():
        pytest.skip("needs data/osm/poa_osm.pbf of the shared folder (KAZGEO_SHARED)")
    network = from_osm(path, profile)
    ids, matrix = every_point_a_node(str(path), profile)
    both = [n for n in network.nodes.tolist() if n in ids]
    assert len(both) == (network.nodes > 0).sum() > 10_000
    chosen = both[:: len(both) // 12]
    ours = sp.csgraph.dijkstra(network.matrix, indices=network.nodes.get_indexer(chosen))
    theirs = sp.csgraph.dijkstra(matrix, indices=[ids[n] for n in chosen])
    ours = ours[:, network.nodes.get_indexer(both)]
    theirs = theirs[:, [ids[n] for n in both]]
    assert (np.isfinite(ours) == np.isfinite(theirs)).all()
    assert np.isfinite(ours).mean() > 0.5
    there = np.isfinite(ours)
    np.testing.assert_allclose(ours[there], theirs[there], rtol=1e-9, atol=0.01)
