"""Regions: every fault by id and at once, repair that tells what it changed, areas on the ellipsoid."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Geod

from kazgeo import io, regions
from kazgeo.crs import COUNTRY, chord_to_metres, local_metres, unit_sphere
from kazgeo.errors import InputError
from kazgeo.kato import Level, parent

SLOW = [HealthCheck.too_slow]  # a busy machine is no fault of the law
LAWS = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=SLOW)
BOW = shapely.Polygon([(70, 50), (71, 51), (71, 50), (70, 51)])
BOX = shapely.box(66, 47, 67, 48)


def layer(shapes, ids=None, crs=4326):
    ids = ids if ids is not None else [f"r{i}" for i in range(len(shapes))]
    return gpd.GeoDataFrame(geometry=list(shapes), index=ids, crs=crs)


def kinds(frame):
    return {f.kind: f.ids for f in regions.faults(frame)}


@pytest.mark.parametrize(
    ("frame", "found"),
    [
        (layer([]), {"empty layer": ()}),
        (layer([BOX]), {}),
        (layer([BOX], crs=None), {"no CRS": ()}),
        (layer([BOX, BOX], ["a", "a"]), {"repeated id": ("a", "a")}),
        (layer([BOX, None, shapely.Polygon()]), {"no geometry": ("r1", "r2")}),
        (
            layer([BOX, shapely.Point(66, 47), shapely.LineString([(66, 47), (67, 48)])]),
            {"not a polygon": ("r1", "r2")},
        ),
        (layer([shapely.GeometryCollection([BOX])]), {"not a polygon": ("r0",)}),
        (layer([BOX, BOW]), {"invalid polygon": ("r1",)}),
        (layer([shapely.box(500_000, 5_000_000, 600_000, 5_100_000)]), {"out of range": ("r0",)}),
        (layer([shapely.box(500_000, 5_000_000, 600_000, 5_100_000)], crs=32642), {}),
    ],
)
def test_one_fault(frame, found):
    assert kinds(frame) == found
    if found:
        with pytest.raises(InputError, match="a fault"):
            regions.check(frame)
    else:
        regions.check(frame)


def test_all_faults_in_one_error():
    frame = layer([BOX, BOW, None, shapely.Point(0, 0), BOX], ["a", "b", "c", "d", "a"], crs=None)
    with pytest.raises(InputError) as caught:
        regions.check(frame, "districts")
    text = str(caught.value)
    assert text.startswith("districts: 5 faults: ")
    for part in (
        "no CRS",
        "repeated: 'a', 'a'",
        "without a geometry: 'c'",
        "points, lines or collections are: 'd'",
        "'b' (Self-inter",
    ):
        assert part in text


def test_three_invalid_polygons_are_named_and_repaired(shared):
    source = f"{shared / 'data' / 'kazstat_regions_3invalid.geojson'}|id=kzCode"
    with pytest.raises(InputError, match="invalid polygons, repaired on request") as caught:
        regions.read(source)
    raw = io.read_vector(source)
    broken = [i for i, g in raw.geometry.items() if not g.is_valid]
    assert len(broken) == 3
    assert all(repr(i) in str(caught.value) for i in broken)
    done = regions.repair(raw)
    assert done.changed.index.tolist() == broken
    assert done.changed["reason"].str.startswith("Nested shells").all()
    # Each oblast holds the ground of its city twice, as its own and as an island upon it; repair leaves it once.
    for code, km2 in {"KZ03": 716, "KZ01": 704, "KZ10": 1165}.items():
        assert done.changed.loc[code, "change_km2"] == pytest.approx(-km2, abs=1)
    after = regions.area_km2(done.regions)
    assert (after.loc[broken] == done.changed["area_after_km2"]).all()
    sound = raw.index.difference(broken)
    assert (after[sound] == regions.area_km2(raw)[sound]).all()
    assert done.regions.index.equals(raw.index)
    regions.check(done.regions)
    regions.check(regions.read(source, repair_invalid=True))


def test_repair_leaves_holes_in_the_layer_alone():
    done = regions.repair(layer([BOW, None, shapely.Polygon(), BOX]))
    assert done.changed.index.tolist() == ["r0"]
    assert done.regions.geometry["r1"] is None
    assert done.regions.geometry["r3"].equals(BOX)
    with pytest.raises(InputError, match="no CRS"):
        regions.repair(layer([BOW], crs=None))


def test_areas_are_those_of_the_ellipsoid(kazakhstan):
    own = regions.read(kazakhstan / "regions_2009.gpkg|layer=regions")
    assert own.index.name == "kato"
    # Long straight borders bend in a projection, so both sides see them cut into short pieces.
    fine = own.set_geometry(own.geometry.segmentize(0.02))
    truth = fine.geometry.map(lambda g: abs(Geod(ellps="WGS84").geometry_area_perimeter(g)[0]) / 1e6).to_numpy()
    assert regions.area_km2(fine).to_numpy() == pytest.approx(truth, rel=1e-6)
    assert regions.area_km2(fine.to_crs(3857)).to_numpy() == pytest.approx(truth, rel=1e-6)
    assert regions.area_km2(own).to_numpy() == pytest.approx(truth, rel=6e-3)
    assert regions.area_km2(own).sum() == pytest.approx(2_720_757, rel=1e-4)


def test_the_frame_of_metres():
    assert local_metres(layer([BOX])).equals(local_metres(layer([None])))
    abroad = local_metres(layer([shapely.box(-60, -30, -59, -29)]))
    assert abroad.coordinate_operation.method_name == "Lambert Azimuthal Equal Area"
    assert local_metres(layer([BOX]).to_crs(3857)) == local_metres(layer([BOX]))
    assert COUNTRY.startswith("+proj=aea")


@LAWS
@given(st.tuples(st.floats(-180, 180), st.floats(-89, 89)), st.tuples(st.floats(-180, 180), st.floats(-89, 89)))
def test_the_sphere_is_within_a_percent_of_the_ellipsoid(here, there):
    a, b = (unit_sphere(np.array([p[0]]), np.array([p[1]]))[0] for p in (here, there))
    metres = float(chord_to_metres(np.linalg.norm(a - b)))
    assert metres == pytest.approx(Geod(ellps="WGS84").inv(*here, *there)[2], rel=0.006, abs=1)


@LAWS
@given(st.permutations(range(9)), st.lists(st.integers(0, 3), min_size=9, max_size=9))
def test_dissolving_keeps_the_ground_in_any_order(order, groups):
    cells = layer([shapely.box(60 + x, 45 + y, 61 + x, 46 + y) for x in range(3) for y in range(3)])
    into = {i: f"g{g}" for i, g in zip(cells.index, groups, strict=True)}
    whole = regions.dissolve(cells.iloc[list(order)], into)
    assert whole["parts"].sum() == 9
    assert set(whole.index) == set(into.values())
    assert regions.area_km2(whole).sum() == pytest.approx(regions.area_km2(cells).sum(), rel=1e-9)
    again = regions.dissolve(cells, into)
    assert whole.index.equals(again.index)
    assert all(a.equals(b) for a, b in zip(whole.geometry, again.geometry, strict=True))


def test_districts_dissolve_to_their_oblasts(shared):
    fine = regions.read(f"{shared / 'data' / 'geokz_kaz_admbnda_adm2_2018.gpkg'}|id=KATO")
    coarse = regions.read(f"{shared / 'data' / 'geokz_kaz_admbnda_adm1_2018.gpkg'}|id=KATO")
    whole = regions.dissolve(fine, {c: parent(c, at=Level.OBLAST) for c in fine.index})
    both = regions.align(whole.index, coarse.index)
    assert (len(both.common), len(both.only_left), len(both.only_right)) == (17, 0, 0)
    assert whole["parts"].sum() == 216
    difference = shapely.symmetric_difference(
        whole.to_crs(COUNTRY).geometry.to_numpy(), coarse.to_crs(COUNTRY).geometry[whole.index].to_numpy()
    )
    assert shapely.area(difference).sum() / 1e6 < 20
    metric = shapely.get_parts(whole.to_crs(COUNTRY).geometry.to_numpy())
    holes = [shapely.Polygon(ring).area / 1e6 for part in metric for ring in part.interiors]
    assert min(holes) > 4  # towns with a code of their own; the hairlines between districts are closed


def test_dissolve_closes_cracks_and_keeps_lakes():
    crack = shapely.Polygon([(61, 47.2), (61.00002, 47.5), (61, 47.8)])
    lake = shapely.box(60.2, 47.2, 60.4, 47.4)
    left = shapely.box(60, 47, 61, 48).difference(lake)
    right = shapely.box(61, 47, 62, 48).difference(crack)
    whole = regions.dissolve(layer([left, right], ["a", "b"]), {"a": "w", "b": "w"}).geometry["w"]
    assert len(whole.interiors) == 1
    assert shapely.Polygon(whole.interiors[0]).equals(lake)


def test_align_by_label():
    found = regions.align(pd.Index(["b", "a", "c"]), pd.Index(["c", "d", "b"]))
    assert list(found.common) == ["b", "c"]
    assert list(found.only_left) == ["a"]
    assert list(found.only_right) == ["d"]
    with pytest.raises(InputError, match="right ids must be unique; repeated: 'c'"):
        regions.align(pd.Index(["a"]), pd.Index(["c", "c"]))


def test_codes_read_as_numbers_become_text_again(tmp_path):
    frame = gpd.GeoDataFrame({"KATO": [630000000, 10000000]}, geometry=[BOX, shapely.box(68, 47, 69, 48)], crs=4326)
    frame.to_file(tmp_path / "r.gpkg")
    assert regions.read(tmp_path / "r.gpkg").index.tolist() == ["630000000", "010000000"]
