"""Settlements: read, checked, and each in its region whatever the order of rows."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kazgeo import settlements
from kazgeo.errors import InputError
from kazgeo.io import read_vector
from kazgeo.settlements import locate

SLOW = [HealthCheck.too_slow]  # a busy machine is no fault of the law
LAWS = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=SLOW)
CELLS = gpd.GeoDataFrame(
    geometry=[shapely.box(60 + x, 45 + y, 61 + x, 46 + y) for x in range(3) for y in range(3)],
    index=[f"c{x}{y}" for x in range(3) for y in range(3)],
    crs=4326,
)


def points(where, ids=None, crs=4326):
    ids = ids if ids is not None else [f"p{i}" for i in range(len(where))]
    return gpd.GeoDataFrame(geometry=[None if w is None else shapely.Point(w) for w in where], index=ids, crs=crs)


@LAWS
@given(
    st.lists(st.tuples(st.integers(118, 128), st.integers(88, 98)), min_size=1, max_size=12),
    st.randoms(use_true_random=False),
)
def test_the_order_of_rows_never_matters(halves, shuffler):
    """Points on a grid of half degrees: inside, on borders, on corners, and outside."""
    towns = points([(x / 2, y / 2) for x, y in halves])
    mixed, cells = list(towns.index), list(CELLS.index)
    shuffler.shuffle(mixed)
    shuffler.shuffle(cells)
    plain, again = locate(towns, CELLS), locate(towns.loc[mixed], CELLS.loc[cells])
    for name in ("region", "how", "distance_m"):
        pd.testing.assert_series_equal(getattr(plain, name), getattr(again, name).loc[towns.index], rtol=1e-9)
    inside = plain.how == "inside"
    for town, region in plain.region[inside].items():
        touching = CELLS.index[CELLS.intersects(towns.geometry[town])]
        assert region in touching


def test_a_border_belongs_to_the_first_region_by_id():
    found = locate(points([(61, 45.5)]), CELLS.iloc[::-1])
    assert found.region.tolist() == ["c00"]
    assert found.how.tolist() == ["inside"]


def test_near_far_and_nowhere():
    found = locate(points([(60.5, 44.95), (60.5, 44.8), None, (np.nan, 45.0)]), CELLS, within_m=10_000)
    assert found.how.tolist() == ["nearest", "outside", "outside", "outside"]
    assert found.region.iloc[0] == "c00"
    assert found.region.iloc[1:].isna().all()
    assert found.distance_m.iloc[:2].round(-2).tolist() == pytest.approx([5600, 22200], abs=200)
    assert found.distance_m.iloc[2:].isna().all()


def test_what_locate_refuses():
    towns = points([(60.5, 45.5)])
    with pytest.raises(InputError, match="settlements declare no CRS"):
        locate(points([(60.5, 45.5)], crs=None), CELLS)
    with pytest.raises(InputError, match="regions declare no CRS"):
        locate(towns, CELLS.set_crs(None, allow_override=True))
    with pytest.raises(InputError, match="regions: the layer has no feature"):
        locate(towns, CELLS.iloc[:0])
    with pytest.raises(
        InputError, match="2 of 2 lie outside all regions, but inside with longitude and latitude swapped"
    ):
        locate(points([(45.5, 60.5), (46.5, 61.5)]), CELLS)
    assert locate(towns.iloc[:0], CELLS).region.empty
    assert locate(points([None]), CELLS).how.tolist() == ["outside"]


def test_the_embedded_settlements_lie_where_the_table_says(kazakhstan):
    places = settlements.read(kazakhstan / "settlements.csv")
    assert len(places) == 351
    assert places["population"].isna().sum() == 50
    assert places["population"].sum() == 13_073_087
    land = read_vector(kazakhstan / "regions_2009.gpkg|layer=regions|id=kato")
    found = locate(places, land)
    told = places["region_how"] == "inside"
    assert (found.region[told] == places["region"][told]).all()
    assert (found.how[told] == "inside").all()
    other = places.index[(found.how == "nearest") | (found.region != places["region"])]
    assert places.loc[other, "name_en"].tolist() == ["Kurchatov", "Khorgos"]  # believed, and across the border
    turned = places.set_geometry(gpd.points_from_xy(places.geometry.y, places.geometry.x), crs=4326)
    with pytest.raises(
        InputError, match="338 of 351 lie outside all regions, but inside with longitude and latitude swapped"
    ):
        locate(turned, land)


def test_a_table_with_decimal_commas_in_the_old_code_page(tmp_path):
    file = tmp_path / "places.csv"
    rows = [
        "id;Название;Долгота;Широта;population",
        "1;Астана;71,43;51,13;1 184 411",
        "2;Кегень;79,22;43,02;0",
        "3;?;71;51;-",
    ]
    file.write_bytes("\n".join(rows).encode("cp1251"))
    places = settlements.read(file)
    assert places.index.tolist() == ["1", "2", "3"]
    assert places.geometry.x.tolist() == [71.43, 79.22, 71.0]
    assert places["population"].tolist()[0] == 1_184_411
    assert places["population"].isna().tolist() == [False, True, True]
    assert places["Название"].tolist()[:2] == ["Астана", "Кегень"]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("id,lon,lat\na,71,51\na,72,51\n", "ids must be unique; repeated: 'a'"),
        ("id,lon,lat\na,51,171\n", "longitude and latitude may be swapped: 'a'"),
        ("id,lon,lat\na,east,51\n", r"places.csv', column 'lon': 1 of 1 cells are not numbers: 'east' \(line 2\)"),
        ("id,lon,lat\n,71,51\n", r"id column 'id' of .*places.csv is empty in 1 rows \(line 2\)"),
        ("id,lon\na,71\n", "column 'lat' is not a column of"),
        ("id,lon,lat\n", "the layer has no feature"),
    ],
)
def test_what_a_table_is_refused_for(tmp_path, rows, says):
    file = tmp_path / "places.csv"
    file.write_text(rows)
    with pytest.raises(InputError, match=says):
        settlements.read(file)


def test_faults_of_a_layer_are_told_together():
    mixed = gpd.GeoDataFrame(geometry=[shapely.Point(1, 2), shapely.box(0, 0, 1, 1)], index=["a", "a"])
    with pytest.raises(InputError, match=r"no CRS; .*repeated: 'a'; points wanted; other shapes are: 'a'"):
        settlements.check(mixed)
